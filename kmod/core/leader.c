// SPDX-License-Identifier: GPL-2.0
#include "internal.h"
#include "wire.h"

/* Phase 2, for as long as nobody has a higher ballot. */

static u64 others(const struct paxos_core *core)
{
	return (core->config.voters | core->config.learners) &
	       ~paxos_member_bit(core->settings.self);
}

/* No longer candidate or leader; what it found for open slots is void. */
void paxos_step_down(struct paxos_core *core)
{
	u64 rest;
	u64 slot;
	u8 id;

	if (core->role == PAXOS_CANDIDATE)
		for (slot = core->commit + 1; slot <= core->prepared; slot++)
			paxos_entry_found(core,
					  paxos_log_entry(&core->log, slot),
					  NULL, 0);
	if (core->role != PAXOS_FOLLOWER) {
		paxos_for_each_member(id, rest, others(core)) {
			core->peers[id].deadline = PAXOS_NEVER;
			core->peers[id].retries = 0;
		}
		if (core->leader == core->settings.self) {
			core->leader = 0;
			paxos_observe(core, PAXOS_EVENT_LEADER, 0, 0);
		}
	}
	core->role = PAXOS_FOLLOWER;
	core->yield_to = 0;
	core->barrier = 0;
}

/* Somebody promised a higher ballot; P1a would have it beaten. */
enum paxos_drop paxos_reject(struct paxos_core *core,
			     const struct paxos_message *message)
{
	core->seen = max(core->seen, message->reject.promised);
	if (core->role == PAXOS_FOLLOWER || message->ballot != core->ballot)
		return PAXOS_DROP_STALE;
	paxos_step_down(core);
	return PAXOS_DROP_NONE;
}

/* Give @slot @value in this leader's ballot; takes over the reference. */
static void propose(struct paxos_core *core, u64 slot,
		    struct paxos_value *value)
{
	struct paxos_entry *entry = paxos_log_entry(&core->log, slot);

	paxos_entry_set(core, slot, value, core->ballot);
	entry->flags |= PAXOS_ENTRY_VOTED;
	if (paxos_config_next(core, value))
		core->barrier = slot;
	if (value->origin.member) {
		paxos_seen_add(&core->proposed[value->origin.member],
			       &value->origin);
		paxos_forward_adopt(core, value);
	}
	paxos_record_add(core, &entry->record, true);
	paxos_observe(core, PAXOS_EVENT_ACCEPTED, slot, core->ballot);
	core->next_slot = slot + 1;
	/* A leader is an acceptor too, and its vote counts when it is durable. */
	if (paxos_record_durable(&entry->record))
		paxos_leader_voted(core, core->settings.self, slot, slot);
}

/*
 * paxos_leader_start - a quorum has promised
 *
 * 2.2, P2c: for each open slot the value of the highest ballot found; where
 * nothing was found, nothing can have been chosen, and a no-op fills the gap.
 */
void paxos_leader_start(struct paxos_core *core)
{
	u64 rest;
	u64 slot;
	u8 id;

	core->role = PAXOS_LEADER;
	core->leader = core->settings.self;
	core->leader_heard = core->now;
	core->quorum = true;
	core->next_slot = core->commit + 1;
	core->barrier = 0;
	memset(core->proposed, 0, sizeof(core->proposed));
	paxos_for_each_member(id, rest, others(core)) {
		struct paxos_peer *peer = &core->peers[id];

		peer->next = core->commit + 1;
		peer->acked = core->commit;
		peer->told = 0;
		peer->retries = 0;
		peer->deadline = PAXOS_NEVER;
	}
	paxos_observe(core, PAXOS_EVENT_LEADER, 0, core->ballot);

	/* What it learnt as candidate may lie behind a gap. */
	core->prepared = max(core->prepared, core->log.last);
	for (slot = core->commit + 1; slot <= core->prepared; slot++) {
		struct paxos_entry *entry = paxos_log_entry(&core->log, slot);
		struct paxos_value *value = entry->value;

		/* P2: what is chosen is what every higher ballot proposes. */
		if (!(entry->flags & PAXOS_ENTRY_CHOSEN) &&
		    entry->found && entry->found_ballot > entry->ballot)
			value = entry->found;
		/* Behind a configuration another one decides: see barrier. */
		if (core->barrier) {
			paxos_entry_found(core, entry, NULL, 0);
			continue;
		}
		value = paxos_value_get(value ? value : &core->noop);
		paxos_entry_found(core, entry, NULL, 0);
		propose(core, slot, value);
	}
	core->beat = core->now;
	core->flush = core->now;
	paxos_wake(core, core->now);
	paxos_learner_advance(core);
	paxos_leader_send(core);
}

/*
 * paxos_leader_propose - put @value into the next slot
 *
 * Takes over the reference, unless it returns false: the window or the log is
 * full, a configuration is not chosen yet that would hold for the slot, or the
 * lead is being handed over. paxos_leader_send() then sends what was proposed.
 */
bool paxos_leader_propose(struct paxos_core *core, struct paxos_value *value)
{
	if (core->yield_to || core->barrier ||
	    core->next_slot - core->commit > core->settings.window ||
	    !paxos_log_room(core, core->next_slot))
		return false;
	propose(core, core->next_slot, value);
	return true;
}

/*
 * A reader needs slots up to @last chosen: nobody else will fill them. Nobody can
 * have gone further than the widest window from what is chosen.
 */
void paxos_leader_fill(struct paxos_core *core, u64 last)
{
	if (core->role != PAXOS_LEADER ||
	    last > core->commit + PAXOS_WINDOW_MAX)
		return;
	while (core->next_slot <= last)
		if (!paxos_leader_propose(core, paxos_value_get(&core->noop))) {
			paxos_value_put(core, &core->noop);
			break;
		}
	paxos_learner_advance(core);
	paxos_leader_send(core);
}

static bool accept_takes(const struct paxos_core *core, u64 slot,
			 const struct paxos_entry *entry)
{
	return true;
}

/* What was sent up to @due should be answered in time. */
static void deadline_arm(struct paxos_core *core, struct paxos_peer *peer,
			 u64 due)
{
	if (core->commit >= due)
		return;
	peer->due = due;
	peer->deadline = core->now + paxos_peer_timeout(peer);
	paxos_wake(core, peer->deadline);
}

/* Send what @peer was not sent, as one batch; false if there is no more. */
static bool accept_send(struct paxos_core *core, u8 to)
{
	struct paxos_peer *peer = &core->peers[to];
	u64 open = max(peer->acked, core->commit) + 1;
	u64 slot = max(peer->next, core->commit + 1);
	u64 first = slot;
	struct paxos_message message = { .count = 0 };

	if (slot >= core->next_slot || peer->retries)
		return false;
	message.count = paxos_page(core, &slot, core->next_slot - 1,
				   accept_takes);
	message.items = core->items;
	/* One at once when idle; while answers are due, only full batches. */
	if (first >= open + PAXOS_PIPELINE && slot == core->next_slot &&
	    message.count < PAXOS_ITEMS_MAX)
		return false;
	paxos_message_send(core, to, PAXOS_ACCEPT, core->ballot, &message);
	peer->next = slot;
	peer->told = core->commit;
	if (peer->deadline == PAXOS_NEVER)
		deadline_arm(core, peer, slot - 1);
	return true;
}

void paxos_leader_send(struct paxos_core *core)
{
	u64 rest;
	u8 id;

	if (core->role != PAXOS_LEADER)
		return;
	paxos_for_each_member(id, rest, others(core) & core->config.voters)
		while (accept_send(core, id))
			;
}

static bool lacks_vote(const struct paxos_core *core, u64 slot,
		       const struct paxos_entry *entry, u8 id)
{
	return entry && entry->value && !(entry->flags & PAXOS_ENTRY_CHOSEN) &&
	       !(entry->votes & paxos_member_bit(id));
}

/* The peer has not answered in time: once more from what it lacks. */
void paxos_leader_resend(struct paxos_core *core, u8 to)
{
	struct paxos_peer *peer = &core->peers[to];
	struct paxos_message message = { .count = 0 };
	u64 first = core->commit + 1;
	u64 last;

	while (first < peer->next &&
	       !lacks_vote(core, first, paxos_log_entry(&core->log, first), to))
		first++;
	if (first > peer->due) {
		/* All of that was answered; the rest is younger. */
		peer->retries = 0;
		deadline_arm(core, peer, peer->next - 1);
		while (accept_send(core, to))
			;
		return;
	}
	for (last = first; last < peer->due; last++)
		if (!lacks_vote(core, last + 1,
				paxos_log_entry(&core->log, last + 1), to))
			break;
	message.count = paxos_page(core, &first, last, accept_takes);
	message.items = core->items;
	paxos_message_send(core, to, PAXOS_ACCEPT, core->ballot, &message);
	peer->told = core->commit;
	if (peer->retries < 255)
		peer->retries++;
	deadline_arm(core, peer, peer->next - 1);
}

/* @from accepted slots @first to @last in this ballot, durably. */
void paxos_leader_voted(struct paxos_core *core, u8 from, u64 first, u64 last)
{
	u64 slot;

	first = max(first, core->commit + 1);
	last = min(last, core->next_slot - 1);
	for (slot = first; slot <= last; slot++) {
		struct paxos_entry *entry = paxos_log_entry(&core->log, slot);

		/* A set, so a vote that comes twice is one vote. */
		entry->votes |= paxos_member_bit(from);
		if (!(entry->flags & PAXOS_ENTRY_CHOSEN) &&
		    paxos_quorum_accept(&core->config, entry->votes))
			paxos_learner_chosen(core, slot);
	}
}

enum paxos_drop paxos_leader_accepted(struct paxos_core *core,
				      const struct paxos_message *message)
{
	struct paxos_peer *peer = &core->peers[message->from];
	u64 open = core->next_slot - 1 - core->commit;
	const u8 *at = message->body;
	u32 i;

	if (core->role != PAXOS_LEADER || message->ballot != core->ballot)
		return PAXOS_DROP_STALE;
	peer->durable = max(peer->durable, message->accepted.durable);
	if (!message->count) {
		paxos_peer_answered(core, message, &peer->network);
		paxos_yield_answered(core, message->from);
		return PAXOS_DROP_NONE;
	}
	if (!paxos_config_votes(&core->config, message->from))
		return PAXOS_DROP_SENDER;

	paxos_peer_answered(core, message, &peer->response);
	for (i = 0; i < message->count; i++) {
		struct paxos_range range;
		u64 first, last;

		at = paxos_wire_range(at, &range);
		first = max(range.first, core->commit + 1);
		last = min(range.first + range.count - 1, core->next_slot - 1);
		/* They do not overlap, or the sender lies. */
		if (last >= first) {
			if (last - first >= open)
				break;
			open -= last - first + 1;
		}
		paxos_leader_voted(core, message->from, first, last);
		peer->acked = max(peer->acked, last);
	}
	peer->retries = 0;
	paxos_learner_advance(core);
	/* Not what it answered last: an older Accept may be lost. */
	if (core->commit + 1 >= peer->next)
		peer->deadline = PAXOS_NEVER;
	paxos_forward_pump(core);
	paxos_leader_send(core);
	paxos_yield_answered(core, message->from);
	return PAXOS_DROP_NONE;
}

/* There is a new commit to tell of, soon if no Accept does. */
void paxos_leader_committed(struct paxos_core *core)
{
	if (core->role != PAXOS_LEADER || core->flush != PAXOS_NEVER)
		return;
	core->flush = core->now + PAXOS_COMMIT_DELAY_US;
	paxos_wake(core, core->flush);
}

static void check_voters(struct paxos_core *core)
{
	bool quorum = paxos_quorum_accept(&core->config,
					  paxos_core_up(core, core->now));

	if (quorum == core->quorum)
		return;
	core->quorum = quorum;
	paxos_observe(core, quorum ? PAXOS_EVENT_QUORUM_REGAINED :
				     PAXOS_EVENT_QUORUM_LOST, 0, core->ballot);
}

/* Commit on its own: what no Accept has told, and that the leader is there. */
void paxos_leader_tick(struct paxos_core *core)
{
	bool beat = core->beat <= core->now;
	u64 rest;
	u8 id;

	if (beat || core->flush <= core->now) {
		paxos_for_each_member(id, rest, others(core)) {
			struct paxos_message message = { .count = 0 };
			struct paxos_peer *peer = &core->peers[id];

			if (!beat && peer->told >= core->commit)
				continue;
			paxos_message_send(core, id, PAXOS_COMMIT,
					   core->ballot, &message);
			peer->told = core->commit;
		}
		core->flush = PAXOS_NEVER;
	}
	if (beat) {
		if (core->now - core->leader_heard >= PAXOS_HEARTBEAT_US)
			check_voters(core);
		core->beat = core->now + PAXOS_HEARTBEAT_US;
	}
	paxos_wake(core, core->flush);
	paxos_wake(core, core->beat);
	paxos_yield_tick(core);
	paxos_forward_pump(core);
	/* Of a single voter, without a disk, that was chosen at once. */
	paxos_learner_advance(core);
	paxos_leader_send(core);
}
