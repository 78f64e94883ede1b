// SPDX-License-Identifier: GPL-2.0
#include "internal.h"
#include "wire.h"

/*
 * Membership: a configuration is a value, and one that is chosen in slot s
 * holds for every slot behind s, from when a member delivers s. README.md says
 * why this is safe.
 */

static bool decode(const struct paxos_value *value, struct paxos_config *config)
{
	return value->kind == PAXOS_CONFIG &&
	       !paxos_wire_config_decode(value->bytes, value->len, config);
}

/*
 * paxos_config_next - whether @value will take effect where it is chosen next
 *
 * Of two that were proposed for one epoch the first that is delivered does;
 * the other one fills its slot like a no-op. A host that knows no epoch yet
 * starts with the first that it meets.
 */
bool paxos_config_next(const struct paxos_core *core,
		       const struct paxos_value *value)
{
	struct paxos_config next;

	return decode(value, &next) &&
	       (!core->config.epoch || next.epoch == core->config.epoch + 1);
}

/* @item is in force behind @item->slot; it was checked. */
void paxos_config_take(struct paxos_core *core, const struct paxos_item *item)
{
	u64 before = paxos_config_members(&core->config);
	u64 rest;
	u8 id;

	paxos_wire_config_decode(item->bytes, item->len, &core->config);
	memcpy(core->config_bytes, item->bytes, item->len);
	core->config_len = item->len;
	core->config_origin = item->origin;
	core->config_slot = item->slot;
	core->prepare_ballot = 0;	/* it asked the former voters */
	paxos_for_each_member(id, rest,
			      paxos_config_members(&core->config) ^ before) {
		memset(&core->peers[id], 0, sizeof(core->peers[id]));
		core->peers[id].deadline = PAXOS_NEVER;
	}
	paxos_record_add(core, &core->config_record, true);
	paxos_observe(core, PAXOS_EVENT_EPOCH, item->slot, 0);
}

/*
 * The last words of a leader in this epoch, to old members and new ones, so
 * that they learn of the change also where it does not lead any more.
 */
static void tell(struct paxos_core *core, const struct paxos_value *value)
{
	struct paxos_config next;
	u64 rest;
	u8 id;

	decode(value, &next);
	paxos_for_each_member(id, rest, (paxos_config_members(&core->config) |
					 paxos_config_members(&next)) &
					~paxos_member_bit(core->settings.self)) {
		struct paxos_message message = { .count = 0 };

		paxos_message_send(core, id, PAXOS_COMMIT, core->ballot,
				   &message);
	}
}

/* @value was chosen in @slot, and all below has been delivered. */
void paxos_config_delivered(struct paxos_core *core, u64 slot,
			    const struct paxos_value *value)
{
	struct paxos_item item;
	u8 self = core->settings.self;
	bool led = core->role == PAXOS_LEADER;

	if (!paxos_config_next(core, value))
		return;
	if (led)
		tell(core, value);
	paxos_value_item(value, slot, 0, &item);
	paxos_config_take(core, &item);

	/* Promises and votes were for the former quorums: none is left over. */
	paxos_step_down(core);
	core->renew = (led || core->renew) &&
		      paxos_config_votes(&core->config, self);
	if (core->leader && !paxos_config_votes(&core->config, core->leader)) {
		core->leader = 0;
		paxos_observe(core, PAXOS_EVENT_LEADER, 0, 0);
	}
	paxos_read_renew(core);
}

/* A record of what holds behind a slot, before which the log may be gone. */
int paxos_config_restore(struct paxos_core *core,
			 const struct paxos_record_view *record)
{
	struct paxos_config config;

	if (record->item.kind != PAXOS_CONFIG || !record->slot ||
	    paxos_wire_config_decode(record->item.bytes, record->item.len,
				     &config))
		return -EINVAL;
	if (record->slot > core->commit || config.epoch <= core->config.epoch)
		return 0;
	paxos_config_take(core, &record->item);
	return 0;
}

/*
 * Ask @from, which has news; if it is nobody that is known here, one after the
 * other of those who are: the one asked before may be no more.
 */
static void ask(struct paxos_core *core, u8 from)
{
	u64 others = paxos_config_members(&core->config) &
		     ~paxos_member_bit(core->settings.self);
	u64 above;

	if (!others)
		return;
	if (!(others & paxos_member_bit(from))) {
		above = core->fetch_from < PAXOS_MEMBERS_MAX ?
			others & ~0ULL << core->fetch_from : 0;
		from = __builtin_ctzll(above ? above : others) + 1;
		core->fetch_retry = core->now;
	}
	core->fetch_from = from;
	paxos_learner_ask(core);
}

/*
 * paxos_epoch_differs - @message is of another configuration
 *
 * It is no promise, no vote and no answer here. If its sender is ahead, this
 * member asks for what it lacks; if it is behind, it is shown that.
 */
enum paxos_drop paxos_epoch_differs(struct paxos_core *core,
				    const struct paxos_message *message)
{
	if (message->epoch < core->config.epoch) {
		paxos_learner_show(core, message->from, message->commit + 1,
				   core->commit, message->stamp);
	} else if (message->commit > core->commit) {
		core->commit_known = max(core->commit_known, message->commit);
		ask(core, message->from);
	}
	return PAXOS_DROP_EPOCH;
}

int paxos_core_reconfigure(struct paxos_core *core, const void *bytes, u32 len,
			   u64 deadline, void *cookie, u64 now)
{
	struct paxos_item item = {
		.len = len,
		.kind = PAXOS_CONFIG,
		.bytes = bytes,
	};
	struct paxos_pending *pending;
	struct paxos_config next;
	int err;

	if (core->state != PAXOS_RUNNING)
		return -EUNATCH;
	if (core->role != PAXOS_LEADER || !core->quorum)
		return -ENOLINK;
	/* What is handed over proposes nothing more, and this neither. */
	if (core->barrier || core->yield_to)
		return -EINPROGRESS;
	err = paxos_wire_config_decode(bytes, len, &next);
	if (!err)
		err = paxos_config_follows(&core->config, &next);
	if (err)
		return err;
	if (core->next_slot - core->commit > core->settings.window ||
	    !paxos_log_room(core, core->next_slot))
		return -EAGAIN;
	err = paxos_forward_new(core, &item, deadline, cookie, now);
	if (err)
		return err;
	pending = &core->pending[item.origin.seq % PAXOS_PENDING_MAX];
	paxos_value_get(pending->value);
	paxos_leader_propose(core, pending->value);
	paxos_learner_advance(core);
	paxos_leader_send(core);
	paxos_call_end(core);
	return 0;
}
