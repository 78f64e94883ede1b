// SPDX-License-Identifier: GPL-2.0
#include "internal.h"
#include "wire.h"

/* What is chosen, in order; and how a member that missed something learns. */

/* @slot's value is chosen, and this member has it. */
void paxos_learner_chosen(struct paxos_core *core, u64 slot)
{
	struct paxos_entry *entry = paxos_log_entry(&core->log, slot);

	entry->flags |= PAXOS_ENTRY_CHOSEN;
	paxos_observe(core, PAXOS_EVENT_CHOSEN, slot, entry->ballot);
}

/* What others hold connects to what is known here, if it does. */
void paxos_learner_reached(struct paxos_core *core)
{
	if (!core->behind || core->commit + 1 < core->behind)
		return;
	core->behind = 0;
	core->fetch_retry = core->now;
}

/* Deliver what has become contiguous. */
void paxos_learner_advance(struct paxos_core *core)
{
	u64 before = core->commit;

	for (;;) {
		struct paxos_entry *entry =
			paxos_log_entry(&core->log, core->commit + 1);
		struct paxos_value *value;

		if (!entry || !(entry->flags & PAXOS_ENTRY_CHOSEN))
			break;
		core->commit++;
		value = entry->value;
		if (value->kind == PAXOS_CONFIG) {
			paxos_checksum_add(core, value, false);
			paxos_config_delivered(core, core->commit, value);
			core->ops->deliver(core, core->commit, NULL);
			paxos_forward_delivered(core, core->commit, value);
			continue;
		}
		if (!value->origin.member ||
		    !paxos_seen_add(&core->delivered[value->origin.member],
				    &value->origin)) {
			paxos_checksum_add(core, value, false);
			core->ops->deliver(core, core->commit, NULL);
			continue;
		}
		paxos_checksum_add(core, value, value->kind != PAXOS_NOOP);
		core->ops->deliver(core, core->commit,
				   value->kind == PAXOS_NOOP ? NULL : value);
		paxos_forward_delivered(core, core->commit, value);
	}
	if (core->commit == before)
		return;
	paxos_learner_reached(core);

	/* Behind the records of all that it covers. */
	paxos_record_add(core, &core->commit_record, false);
	if (paxos_record_durable(&core->commit_record)) {
		core->commit_durable = core->commit;
	} else if (core->commit_flush == PAXOS_NEVER) {
		core->commit_flush = core->now + PAXOS_COMMIT_FLUSH_US;
		paxos_wake(core, core->commit_flush);
	}
	paxos_leader_committed(core);
	paxos_read_delivered(core);
}

/* Others have trimmed slots below @held, and this member lacks some. */
void paxos_learner_behind(struct paxos_core *core, u64 held)
{
	if (held <= core->behind)
		return;
	core->behind = held;
	paxos_observe(core, PAXOS_EVENT_BEHIND, held, 0);
}

/*
 * Ask for what is known to be chosen, and not here. An answer with more than the
 * log holds would be dropped whole, each time.
 */
void paxos_learner_ask(struct paxos_core *core)
{
	struct paxos_message message = {
		.fetch.first = core->commit + 1,
		.fetch.last = min(core->commit_known,
				  core->commit + core->log.size),
	};

	if (core->commit_known <= core->commit || !core->fetch_from)
		return;
	if (core->now >= core->fetch_retry) {
		paxos_message_send(core, core->fetch_from, PAXOS_FETCH,
				   core->ballot, &message);
		core->fetch_retry = core->now + (core->behind ?
			PAXOS_SILENCE_US :
			paxos_peer_timeout(&core->peers[core->fetch_from]));
	}
	paxos_wake(core, core->fetch_retry);
}

/* Follow the leader of @message, if it is a new one. */
static void follow(struct paxos_core *core, const struct paxos_message *message)
{
	core->leader_heard = core->now;
	paxos_wake(core, core->now + PAXOS_SILENCE_US);
	if (core->ballot == message->ballot && core->leader == message->from)
		return;
	paxos_step_down(core);
	core->ballot = message->ballot;
	core->leader = message->from;
	paxos_observe(core, PAXOS_EVENT_LEADER, 0, core->ballot);
	paxos_forward_pump(core);
}

/*
 * paxos_learner_commit - the leader says what is chosen, in Accept or Commit
 *
 * "Chosen" speaks of the leader's values. A member knows that its own is the
 * same only where it accepted it in this very ballot; the rest it fetches.
 */
enum paxos_drop paxos_learner_commit(struct paxos_core *core,
				     const struct paxos_message *message)
{
	u64 last = min(message->commit, core->log.last);
	u64 slot;

	if (paxos_ballot_member(message->ballot) != message->from)
		return PAXOS_DROP_SENDER;
	if (message->ballot < core->promised) {
		paxos_reject_send(core, message);
		return PAXOS_DROP_NONE;
	}
	if (message->ballot < core->ballot)
		return PAXOS_DROP_STALE;
	follow(core, message);

	for (slot = core->commit + 1; slot <= last; slot++) {
		struct paxos_entry *entry = paxos_log_entry(&core->log, slot);

		if (entry->value && entry->ballot == message->ballot &&
		    !(entry->flags & PAXOS_ENTRY_CHOSEN))
			paxos_learner_chosen(core, slot);
	}
	paxos_learner_advance(core);
	/* Unless it was its last: a configuration without it came with that. */
	if (message->type == PAXOS_COMMIT && core->leader == message->from) {
		struct paxos_message answer = {
			.stamp = message->stamp,
			.accepted.durable = core->durable,
		};

		paxos_message_send(core, message->from, PAXOS_ACCEPTED,
				   message->ballot, &answer);
	}
	if (message->commit > core->commit) {
		core->commit_known = max(core->commit_known, message->commit);
		core->fetch_from = message->from;
		paxos_learner_ask(core);
	}
	return PAXOS_DROP_NONE;
}

static bool chosen_takes(const struct paxos_core *core, u64 slot,
			 const struct paxos_entry *entry)
{
	return entry->flags & PAXOS_ENTRY_CHOSEN;
}

/* Tell @to what is chosen among slots @first to @last, as far as it fits. */
void paxos_learner_show(struct paxos_core *core, u8 to, u64 first, u64 last,
			u32 stamp)
{
	u64 slot = max(first, core->log.first);
	struct paxos_message message = {
		.stamp = stamp,
		.chosen.held = core->log.first,
		.items = core->items,
	};

	message.count = paxos_page(core, &slot, min(last, core->log.last),
				   chosen_takes);
	if (message.count || core->log.first > first)
		paxos_message_send(core, to, PAXOS_CHOSEN, core->ballot,
				   &message);
}

enum paxos_drop paxos_learner_fetch(struct paxos_core *core,
				    const struct paxos_message *message)
{
	/* A reader met a slot that no Accept quorum may ever have seen. */
	if (message->epoch == core->config.epoch)
		paxos_leader_fill(core, message->fetch.last);
	paxos_learner_show(core, message->from, message->fetch.first,
			   message->fetch.last, message->stamp);
	return PAXOS_DROP_NONE;
}

/* The value that @item, which was chosen, needs; NULL if it is here. */
static enum paxos_drop learn_value(struct paxos_core *core,
				   const struct paxos_item *item, u32 spare,
				   struct paxos_value **value)
{
	struct paxos_entry *entry;

	*value = NULL;
	if (item->slot <= core->commit)
		return PAXOS_DROP_NONE;
	if (!paxos_log_room(core, item->slot))
		return PAXOS_DROP_WINDOW;
	entry = paxos_log_entry(&core->log, item->slot);
	if (entry->value && paxos_value_is(entry->value, item))
		return PAXOS_DROP_NONE;
	if (entry->flags & PAXOS_ENTRY_CHOSEN)
		return PAXOS_DROP_CONFLICT;
	*value = paxos_value_new(core, item, spare);
	return *value ? PAXOS_DROP_NONE : PAXOS_DROP_NOMEM;
}

/* As accept_check(): all values or none, in core->values. */
static enum paxos_drop learn_check(struct paxos_core *core,
				   const struct paxos_message *message)
{
	enum paxos_drop drop = PAXOS_DROP_NONE;
	const u8 *at = message->body;
	u32 spare = 0;
	u32 i;

	for (i = 0; i < message->count; i++) {
		struct paxos_item item;

		at = paxos_wire_item(at, &item);
		if (!i)
			spare = paxos_value_spare(core, item.slot);
		drop = learn_value(core, &item, spare, &core->values[i]);
		if (drop)
			break;
	}
	if (drop)
		while (i--)
			if (core->values[i])
				paxos_value_put(core, core->values[i]);
	return drop;
}

/* Second half: @item is chosen, and @value is what learn_value() made. */
static void learn_item(struct paxos_core *core, const struct paxos_item *item,
		       struct paxos_value *value)
{
	struct paxos_entry *entry;

	if (item->slot <= core->commit)
		return;
	/* Somebody leads above: this member's own ballot is over. So it is
	 * where a slot is chosen that it would still propose in, or proposed
	 * another value in: its phase 1 has shown all that was chosen in lower
	 * ballots. The item's may be lower than the one in which it was chosen:
	 * it is the one in which the teller accepted it. Did this leader go on,
	 * its Commit would have its followers take its own value for chosen.
	 */
	core->seen = max(core->seen, item->ballot);
	if ((core->role != PAXOS_FOLLOWER && item->ballot > core->ballot) ||
	    (core->role == PAXOS_LEADER &&
	     (value || item->slot >= core->next_slot)))
		paxos_step_down(core);
	entry = paxos_log_entry(&core->log, item->slot);
	if (value) {
		/* What it accepted itself lost to what was chosen, so
		 * was of a lower ballot.
		 */
		paxos_entry_set(core, item->slot, value,
				max(entry->ballot, item->ballot));
		entry->flags &= ~PAXOS_ENTRY_VOTED;
		paxos_record_add(core, &entry->record, true);
	}
	if (!(entry->flags & PAXOS_ENTRY_CHOSEN))
		paxos_learner_chosen(core, item->slot);
}

/* More may be known now: go on from there. */
static void learn_end(struct paxos_core *core)
{
	paxos_learner_ask(core);
	paxos_forward_pump(core);
	paxos_leader_send(core);
}

enum paxos_drop paxos_learner_learn(struct paxos_core *core,
				    const struct paxos_message *message)
{
	const u8 *at = message->body;
	u64 before = core->commit;
	enum paxos_drop drop;
	u32 i;

	if (message->chosen.held > core->commit + 1) {
		/* What the sender still has does not connect. */
		paxos_learner_behind(core, message->chosen.held);
		return PAXOS_DROP_NONE;
	}
	drop = learn_check(core, message);
	if (drop)
		return drop;
	paxos_peer_answered(core, message, &core->peers[message->from].network);

	for (i = 0; i < message->count; i++) {
		struct paxos_item item;

		at = paxos_wire_item(at, &item);
		learn_item(core, &item, core->values[i]);
	}
	paxos_learner_advance(core);
	if (core->commit > before)
		core->fetch_retry = core->now;
	learn_end(core);
	return PAXOS_DROP_NONE;
}

/* @item of another's log is what this member knows to be chosen. */
static bool learn_agrees(const struct paxos_core *core,
			 const struct paxos_item *item)
{
	struct paxos_entry *entry = paxos_log_entry(&core->log, item->slot);

	return !entry || paxos_value_is(entry->value, item);
}

int paxos_core_learn(struct paxos_core *core, const struct paxos_item *item,
		     u64 now)
{
	struct paxos_value *value;
	enum paxos_drop drop;

	if (core->state != PAXOS_RUNNING)
		return -EUNATCH;
	if (!paxos_item_valid(item) || !item->slot || !item->ballot)
		return -EINVAL;
	core->now = max(core->now, now);
	if (item->slot <= core->commit)
		return learn_agrees(core, item) ? 0 : -EEXIST;
	if (item->slot > core->commit + 1)
		return -ERANGE;
	drop = learn_value(core, item, 0, &value);
	if (!drop) {
		learn_item(core, item, value);
		paxos_learner_advance(core);
		learn_end(core);
	}
	/* Where there was no room, the disk may have to make some. */
	paxos_call_end(core);
	switch (drop) {
	case PAXOS_DROP_NONE:
		return 0;
	case PAXOS_DROP_CONFLICT:
		return -EEXIST;
	default:
		return -EAGAIN;
	}
}

void paxos_learner_tick(struct paxos_core *core)
{
	if (core->leader && core->leader != core->settings.self) {
		if (core->leader_heard + PAXOS_SILENCE_US <= core->now) {
			core->leader = 0;
			paxos_observe(core, PAXOS_EVENT_LEADER, 0, 0);
		} else {
			paxos_wake(core, core->leader_heard + PAXOS_SILENCE_US);
		}
	}
	paxos_learner_ask(core);
	if (core->commit_flush <= core->now) {
		core->commit_flush = PAXOS_NEVER;
		core->urgent |= !paxos_record_durable(&core->commit_record);
	}
	paxos_wake(core, core->commit_flush);
}
