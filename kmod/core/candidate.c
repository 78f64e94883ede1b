// SPDX-License-Identifier: GPL-2.0
#include "internal.h"
#include "wire.h"

/*
 * Phase 1 for every slot that is not chosen here, with one Prepare: the
 * candidate's half of Lamport 2001, 2.2 and 3.
 */

/* With a ballot above everything ever seen, not above one's own; 0: none. */
static u64 above(const struct paxos_core *core)
{
	return paxos_ballot_above(max(core->seen, core->promised),
				  core->settings.self);
}

/* Phase 1 from the first slot that is not known to be chosen. */
void paxos_candidate_begin(struct paxos_core *core)
{
	u64 ballot = above(core);

	if (!ballot)
		return;
	paxos_step_down(core);
	core->role = PAXOS_CANDIDATE;
	core->ballot = ballot;
	core->leader = 0;
	core->campaign_first = core->commit + 1;
	core->promises = 0;
	core->prepared = core->log.last;
	paxos_acceptor_promise(core, ballot);
	/* The ballot is durable before anybody hears of it: a member that
	 * restarts must not use it again.
	 */
	if (paxos_record_durable(&core->promise_record))
		paxos_candidate_start(core);
}

int paxos_core_campaign(struct paxos_core *core, u64 now)
{
	if (core->state != PAXOS_RUNNING)
		return -EUNATCH;
	if (!paxos_config_votes(&core->config, core->settings.self))
		return -EPERM;
	if (core->role == PAXOS_LEADER)
		return -EALREADY;
	if (!above(core))
		return -EOVERFLOW;

	core->now = max(core->now, now);
	paxos_candidate_begin(core);
	paxos_call_end(core);
	return 0;
}

static void prepare_send(struct paxos_core *core, u8 to)
{
	struct paxos_peer *peer = &core->peers[to];
	struct paxos_message message = {
		.prepare.first = peer->next,
	};

	paxos_message_send(core, to, PAXOS_PREPARE, core->ballot, &message);
	peer->deadline = core->now + paxos_peer_timeout(peer);
	paxos_wake(core, peer->deadline);
}

void paxos_candidate_resend(struct paxos_core *core, u8 to)
{
	if (!paxos_config_votes(&core->config, to) ||
	    core->promises & paxos_member_bit(to))
		return;
	core->peers[to].retries++;
	prepare_send(core, to);
}

static void check_quorum(struct paxos_core *core)
{
	if (paxos_quorum_prepare(&core->config, core->promises))
		paxos_leader_start(core);
}

/* Its own promise is durable: ask the others. */
void paxos_candidate_start(struct paxos_core *core)
{
	u64 others = core->config.voters &
		     ~paxos_member_bit(core->settings.self);
	u64 rest;
	u8 id;

	paxos_for_each_member(id, rest, others) {
		core->peers[id].next = core->campaign_first;
		core->peers[id].retries = 0;
		prepare_send(core, id);
	}
	core->promises = paxos_member_bit(core->settings.self);
	check_quorum(core);
}

/*
 * 2.2, P2c: the value to propose is that of the highest-numbered proposal
 * among the promises. Whether @item beats what is known of its slot so far.
 * Nothing beats what is chosen, whose ballot here may be lower than the one in
 * which it was: it is that in which whoever told of it had accepted it.
 */
static bool beats(const struct paxos_entry *entry,
		  const struct paxos_item *item)
{
	return !(entry->flags & PAXOS_ENTRY_CHOSEN) &&
	       item->ballot > entry->found_ballot &&
	       (!entry->value || item->ballot > entry->ballot);
}

static enum paxos_drop promise_check(struct paxos_core *core,
				     const struct paxos_message *message)
{
	enum paxos_drop drop = PAXOS_DROP_NONE;
	const u8 *at = message->body;
	u32 i;

	for (i = 0; i < message->count; i++) {
		struct paxos_entry *entry;
		struct paxos_item item;

		at = paxos_wire_item(at, &item);
		core->values[i] = NULL;
		if (item.slot <= core->commit)
			continue;
		if (!paxos_log_room(core, item.slot)) {
			drop = PAXOS_DROP_WINDOW;
			break;
		}
		entry = paxos_log_entry(&core->log, item.slot);
		if (!beats(entry, &item))
			continue;
		/* Often it was only proposed again: no copy, for nothing can
		 * make room while there is no leader.
		 */
		if (entry->value && paxos_value_is(entry->value, &item)) {
			core->values[i] = paxos_value_get(entry->value);
			continue;
		}
		core->values[i] = paxos_value_new(core, &item, 0);
		if (!core->values[i]) {
			drop = PAXOS_DROP_NOMEM;
			break;
		}
	}
	if (drop)
		while (i--)
			if (core->values[i])
				paxos_value_put(core, core->values[i]);
	return drop;
}

enum paxos_drop paxos_candidate_promise(struct paxos_core *core,
					const struct paxos_message *message)
{
	struct paxos_peer *peer = &core->peers[message->from];
	const u8 *at = message->body;
	enum paxos_drop drop;
	u32 i;

	if (!paxos_config_votes(&core->config, message->from))
		return PAXOS_DROP_SENDER;
	/* Only the exact ballot, and the page that was asked for. */
	if (core->role != PAXOS_CANDIDATE || message->ballot != core->ballot ||
	    message->promise.first != peer->next ||
	    core->promises & paxos_member_bit(message->from) ||
	    !core->promises)
		return PAXOS_DROP_STALE;
	if (message->promise.held > core->commit + 1) {
		/* What was chosen below is not in this promise any more. */
		paxos_learner_behind(core, message->promise.held);
		paxos_step_down(core);
		return PAXOS_DROP_NONE;
	}
	drop = promise_check(core, message);
	if (drop)
		return drop;

	for (i = 0; i < message->count; i++) {
		struct paxos_item item;

		at = paxos_wire_item(at, &item);
		core->prepared = max(core->prepared, item.slot);
		if (core->values[i])
			paxos_entry_found(core,
					  paxos_log_entry(&core->log,
							  item.slot),
					  core->values[i], item.ballot);
	}
	paxos_peer_answered(core, message, &peer->response);
	peer->retries = 0;
	if (message->promise.next) {
		peer->next = message->promise.next;
		prepare_send(core, message->from);
		return PAXOS_DROP_NONE;
	}
	peer->deadline = PAXOS_NEVER;
	core->promises |= paxos_member_bit(message->from);
	check_quorum(core);
	return PAXOS_DROP_NONE;
}
