// SPDX-License-Identifier: GPL-2.0
#include "internal.h"
#include "wire.h"

/*
 * The acceptor: Lamport 2001, "Paxos Made Simple", 2.2. What was promised and
 * what was accepted are two things, and both are on the disk before anybody
 * hears of them.
 */

/* P1a's other side: tell a lower ballot what it has to beat. */
void paxos_reject_send(struct paxos_core *core,
		       const struct paxos_message *about)
{
	struct paxos_message message = {
		.stamp = about->stamp,
		.reject.promised = core->promised,
		.reject.held = core->log.first,
	};

	paxos_message_send(core, about->from, PAXOS_REJECT, about->ballot,
			   &message);
}

/* Raise the promise to @ballot; whoever this member led or courted is over. */
void paxos_acceptor_promise(struct paxos_core *core, u64 ballot)
{
	core->promised = ballot;
	core->accept_stamp = 0;
	core->seen = max(core->seen, ballot);
	if (core->role != PAXOS_FOLLOWER && core->ballot < ballot)
		paxos_step_down(core);
	paxos_record_add(core, &core->promise_record, true);
	paxos_observe(core, PAXOS_EVENT_PROMISED, 0, ballot);
}

/*
 * What a candidate may see. Its own ballot's entries are of its own phase 2,
 * and might not be durable yet; it is past asking.
 */
static bool promise_takes(const struct paxos_core *core, u64 slot,
			  const struct paxos_entry *entry)
{
	return entry->ballot < core->prepare_ballot;
}

/* One page of a Promise, as core->prepare_* asks for. */
static void promise_send(struct paxos_core *core)
{
	u64 slot = max(core->prepare_first, core->log.first);
	u32 count = paxos_page(core, &slot, core->log.last, promise_takes);
	struct paxos_message message = {
		.stamp = core->prepare_stamp,
		.promise.first = core->prepare_first,
		.promise.next = slot <= core->log.last ? slot : 0,
		.promise.held = core->log.first,
		.count = count,
		.items = core->items,
	};

	paxos_message_send(core, core->prepare_from, PAXOS_PROMISE,
			   core->prepare_ballot, &message);
}

enum paxos_drop paxos_acceptor_prepare(struct paxos_core *core,
				       const struct paxos_message *message)
{
	if (paxos_ballot_member(message->ballot) != message->from ||
	    !paxos_config_votes(&core->config, message->from) ||
	    !paxos_config_votes(&core->config, core->settings.self))
		return PAXOS_DROP_SENDER;
	if (message->ballot < core->promised) {
		paxos_reject_send(core, message);
		return PAXOS_DROP_NONE;
	}

	/* 2.2, P1b: "it responds with a promise not to accept any more
	 * proposals numbered less than n".
	 */
	if (message->ballot > core->promised)
		paxos_acceptor_promise(core, message->ballot);
	core->prepare_ballot = message->ballot;
	core->prepare_first = message->prepare.first;
	core->prepare_stamp = message->stamp;
	core->prepare_from = message->from;
	if (paxos_record_durable(&core->promise_record)) {
		promise_send(core);
		core->prepare_ballot = 0;
	}
	return PAXOS_DROP_NONE;
}

/* The promise is on the disk: say so, to whom it was made. */
void paxos_acceptor_promised(struct paxos_core *core)
{
	if (core->role == PAXOS_CANDIDATE && core->ballot == core->promised) {
		paxos_candidate_start(core);
	} else if (core->prepare_ballot == core->promised) {
		promise_send(core);
		core->prepare_ballot = 0;
	}
}

/* Send the votes collected in core->ranges, or count them if they are own. */
void paxos_acceptor_flush(struct paxos_core *core)
{
	u8 leader = paxos_ballot_member(core->ranges_ballot);
	u32 count = core->n_ranges;
	u32 i;

	core->n_ranges = 0;
	if (!count)
		return;
	if (leader != core->settings.self) {
		struct paxos_message message = {
			.stamp = core->accept_stamp,
			.accepted.durable = core->durable,
			.count = count,
			.ranges = core->ranges,
		};

		paxos_message_send(core, leader, PAXOS_ACCEPTED,
				   core->ranges_ballot, &message);
		core->accept_stamp = 0;
	} else if (core->role == PAXOS_LEADER &&
		   core->ballot == core->ranges_ballot) {
		for (i = 0; i < count; i++)
			paxos_leader_voted(core, leader, core->ranges[i].first,
					   core->ranges[i].first +
					   core->ranges[i].count - 1);
		paxos_learner_advance(core);
		paxos_forward_pump(core);
		paxos_leader_send(core);
	}
}

/* A vote for @slot in @ballot is durable: it goes out with its neighbours. */
void paxos_acceptor_voted(struct paxos_core *core, u64 slot, u64 ballot)
{
	struct paxos_range *range = &core->ranges[core->n_ranges];

	if (core->n_ranges && core->ranges_ballot == ballot &&
	    range[-1].first + range[-1].count == slot) {
		range[-1].count++;
		return;
	}
	if (core->n_ranges == PAXOS_RANGES_MAX ||
	    (core->n_ranges && core->ranges_ballot != ballot)) {
		paxos_acceptor_flush(core);
		range = core->ranges;
	}
	core->ranges_ballot = ballot;
	range->first = slot;
	range->count = 1;
	core->n_ranges++;
}

/*
 * First half of an Accept: whether all of it can be done, and the values it
 * needs, in core->values. Changes nothing that a failure would leave behind.
 */
static enum paxos_drop accept_check(struct paxos_core *core,
				    const struct paxos_message *message)
{
	enum paxos_drop drop = PAXOS_DROP_NONE;
	const u8 *at = message->body;
	u32 spare = 0;
	u32 i;

	for (i = 0; i < message->count; i++) {
		struct paxos_entry *entry;
		struct paxos_item item;

		at = paxos_wire_item(at, &item);
		if (!i)
			spare = paxos_value_spare(core, item.slot);
		core->values[i] = NULL;
		if (item.slot <= core->commit)
			continue;
		if (!paxos_log_room(core, item.slot)) {
			drop = PAXOS_DROP_WINDOW;
			break;
		}
		entry = paxos_log_entry(&core->log, item.slot);
		if (entry->value && paxos_value_is(entry->value, &item)) {
			if (entry->flags & PAXOS_ENTRY_CHOSEN)
				continue;
			core->values[i] = paxos_value_get(entry->value);
			continue;
		}
		if (entry->flags & PAXOS_ENTRY_CHOSEN ||
		    (entry->value && entry->ballot == message->ballot)) {
			drop = PAXOS_DROP_CONFLICT;
			break;
		}
		core->values[i] = paxos_value_new(core, &item, spare);
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

/*
 * Slots that are chosen and known here cannot change any more. A duplicate of
 * the vote is repeated; a leader that does not know is told.
 */
static void accept_known(struct paxos_core *core, u64 slot, u64 ballot,
			 u64 *show)
{
	struct paxos_entry *entry = paxos_log_entry(&core->log, slot);

	if (entry && entry->ballot == ballot &&
	    entry->flags & PAXOS_ENTRY_VOTED) {
		if (paxos_record_durable(&entry->record))
			paxos_acceptor_voted(core, slot, ballot);
	} else if (!*show) {
		*show = slot;
	}
}

enum paxos_drop paxos_acceptor_accept(struct paxos_core *core,
				      const struct paxos_message *message)
{
	const u8 *at = message->body;
	enum paxos_drop drop;
	bool stamped = !core->accept_stamp;
	bool waits = false;
	u64 show = 0;
	u64 last = 0;
	u32 i;

	if (paxos_ballot_member(message->ballot) != message->from ||
	    !paxos_config_votes(&core->config, core->settings.self))
		return PAXOS_DROP_SENDER;
	if (message->ballot < core->promised) {
		paxos_reject_send(core, message);
		return PAXOS_DROP_NONE;
	}
	drop = accept_check(core, message);
	if (drop)
		return drop;

	/* Accepting raises the promise as well (van Renesse, Altinbuken 2015,
	 * 2.2), or a later Prepare of a lower ballot would be promised.
	 */
	if (message->ballot > core->promised)
		paxos_acceptor_promise(core, message->ballot);
	if (stamped)
		core->accept_stamp = message->stamp;

	for (i = 0; i < message->count; i++) {
		struct paxos_entry *entry;
		struct paxos_item item;

		at = paxos_wire_item(at, &item);
		last = item.slot;
		if (!core->values[i]) {	/* it is known to be chosen */
			accept_known(core, item.slot, message->ballot, &show);
			continue;
		}
		entry = paxos_log_entry(&core->log, item.slot);
		if (entry->value && entry->ballot == message->ballot &&
		    entry->flags & PAXOS_ENTRY_VOTED) {
			paxos_value_put(core, core->values[i]);
		} else {
			paxos_entry_set(core, item.slot, core->values[i],
					message->ballot);
			entry->flags |= PAXOS_ENTRY_VOTED;
			paxos_record_add(core, &entry->record, true);
			paxos_observe(core, PAXOS_EVENT_ACCEPTED, item.slot,
				      message->ballot);
		}
		if (paxos_record_durable(&entry->record))
			paxos_acceptor_voted(core, item.slot, message->ballot);
		else
			waits = true;
	}
	paxos_acceptor_flush(core);
	/* No vote of it waits for the disk, so none is to carry its stamp. */
	if (stamped && !waits)
		core->accept_stamp = 0;
	if (show)
		paxos_learner_show(core, message->from, show, last,
				   message->stamp);
	/* Of a ballot below the leader's, the vote counts, the commit not. */
	paxos_learner_commit(core, message);
	return PAXOS_DROP_NONE;
}
