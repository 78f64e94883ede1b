// SPDX-License-Identifier: GPL-2.0
/*
 * Who sees every disk at once, and computes for himself what is chosen: a
 * value is, once q2 voters hold it in one ballot, on the disk (durability
 * sync) or in memory. No word of a member is taken for it.
 */
#include <linux/minmax.h>
#include <stdlib.h>
#include <string.h>
#include "sim.h"

#define U(x) ((unsigned long long)(x))

struct slot *observer_slot(struct sim *sim, u64 slot)
{
	if (slot >= sim->slots_cap) {
		u64 cap = sim->slots_cap ? sim->slots_cap : 1024;

		while (slot >= cap)
			cap *= 2;
		if (cap > 1 << 28)
			broken(sim, LAW_WINDOW, "slot %llu", U(slot));
		sim->slots = realloc(sim->slots, cap * sizeof(*sim->slots));
		if (!sim->slots)
			abort();
		memset(sim->slots + sim->slots_cap, 0,
		       (cap - sim->slots_cap) * sizeof(*sim->slots));
		sim->slots_cap = cap;
	}
	return &sim->slots[slot];
}

/* What @member's disk holds of @slot. */
struct held *observer_held(struct member *member, u64 slot)
{
	if (slot >= member->held_cap) {
		u64 cap = member->held_cap ? member->held_cap : 1024;

		while (slot >= cap)
			cap *= 2;
		member->held = realloc(member->held,
				       cap * sizeof(*member->held));
		if (!member->held)
			abort();
		memset(member->held + member->held_cap, 0,
		       (cap - member->held_cap) * sizeof(*member->held));
		member->held_cap = cap;
	}
	return &member->held[slot];
}

/* What was proposed in @number in @ballot, or NULL. */
struct vote *observer_vote(struct sim *sim, u64 number, u64 ballot)
{
	struct slot *slot = observer_slot(sim, number);
	u32 i;

	/* it is one of the last most of the time */
	for (i = slot->n_votes; i--;)
		if (slot->votes[i].ballot == ballot)
			return &slot->votes[i];
	return NULL;
}

/*
 * @value was proposed in @slot in @ballot: it must be the one value of that
 * ballot and slot, and agree with whatever is chosen in a lower ballot
 * (Lamport 2001, 2.2 P2b).
 */
struct vote *observer_proposed(struct sim *sim, u64 number, u64 ballot,
			       struct value *value)
{
	struct slot *slot = observer_slot(sim, number);
	struct vote *vote = observer_vote(sim, number, ballot);

	if (vote) {
		if (vote->value != value)
			broken(sim, LAW_PROPOSER,
			       "two values in slot %llu, ballot " BALLOT,
			       U(number), BALLOT_ARGS(ballot));
		return vote;
	}
	if (slot->chosen && ballot > slot->chosen_ballot &&
	    slot->chosen != value)
		broken(sim, LAW_PROPOSER, "ballot " BALLOT
		       " proposes another value for slot %llu than was chosen in "
		       BALLOT, BALLOT_ARGS(ballot), U(number),
		       BALLOT_ARGS(slot->chosen_ballot));
	if (slot->n_votes == slot->cap_votes) {
		slot->cap_votes = slot->cap_votes ? slot->cap_votes * 2 : 2;
		slot->votes = realloc(slot->votes, slot->cap_votes *
				      sizeof(*slot->votes));
		if (!slot->votes)
			abort();
	}
	sim->totals.contested += slot->n_votes == 1;
	if (slot->n_votes && !slot->diverged && slot->votes->value != value) {
		slot->diverged = true;
		sim->totals.diverged++;
	}
	vote = &slot->votes[slot->n_votes++];
	*vote = (struct vote){ .ballot = ballot, .value = value,
			       .epoch = reign_epoch(sim, ballot) };
	reign_proposed(sim, number, ballot, value);
	return vote;
}

static void choose(struct sim *sim, u64 number, struct vote *vote)
{
	struct slot *slot = observer_slot(sim, number);
	struct value *value = vote->value;
	u64 ballot = vote->ballot;
	u32 i;

	if (slot->chosen) {
		if (slot->chosen != value)
			broken(sim, LAW_AGREEMENT,
			       "slot %llu: one value chosen in ballot " BALLOT
			       ", another in " BALLOT, U(number),
			       BALLOT_ARGS(slot->chosen_ballot),
			       BALLOT_ARGS(ballot));
		if (ballot < slot->chosen_ballot)
			slot->chosen_ballot = ballot;
		return;
	}
	for (i = 0; i < slot->n_votes; i++)
		if (slot->votes[i].ballot > ballot &&
		    slot->votes[i].value != value)
			broken(sim, LAW_PROPOSER,
			       "slot %llu: chosen in ballot " BALLOT
			       ", but another value is proposed in " BALLOT,
			       U(number), BALLOT_ARGS(ballot),
			       BALLOT_ARGS(slot->votes[i].ballot));
	if (value->denied)
		broken(sim, LAW_OUTCOME,
		       "slot %llu: what was called not chosen is chosen",
		       U(number));
	slot->chosen = value;
	slot->chosen_ballot = ballot;
	if (!value->chosen_slot)
		value->chosen_slot = number;
	sim->totals.chosen++;
	if (value->kind == PAXOS_NOOP)
		sim->totals.noops++;
	if (number > sim->chosen_max)
		sim->chosen_max = number;
	while ((value = observer_slot(sim, sim->chosen_prefix + 1)->chosen))
		epoch_chosen(sim, ++sim->chosen_prefix, value);
	trace(sim, "slot %u is chosen in %b", 0, number, ballot, 0);
}

/* @member's promise of @ballot is kept: on its disk, or in its memory. */
void observer_promised(struct member *member, u64 ballot)
{
	if (ballot < member->disk_promised)
		broken(member->sim, LAW_ACCEPTOR,
		       "member %u records a promise of " BALLOT " below " BALLOT,
		       member->id, BALLOT_ARGS(ballot),
		       BALLOT_ARGS(member->disk_promised));
	member->disk_promised = ballot;
	member->disk_restores = max(member->disk_restores, ballot);
}

static void hold(struct member *member, u64 number, u64 ballot,
		 struct value *value)
{
	struct held *held = observer_held(member, number);

	member->disk_restores = max(member->disk_restores, ballot);
	held->ballot = ballot;
	held->value = value;
	if (number > member->held_last)
		member->held_last = number;
}

/*
 * What it was told is chosen: that is no vote, it promises nothing, and the
 * ballot says little: it is not below one that the member voted in.
 */
void observer_learnt(struct member *member, u64 number, u64 ballot,
		     struct value *value)
{
	struct sim *sim = member->sim;

	if (observer_slot(sim, number)->chosen != value)
		broken(sim, LAW_AGREEMENT,
		       "member %u holds in slot %llu what it did not accept, and is not chosen",
		       member->id, U(number));
	if (ballot < observer_held(member, number)->ballot)
		broken(sim, LAW_ACCEPTOR, "member %u notes slot %llu in " BALLOT
		       ", its vote was in " BALLOT, member->id, U(number),
		       BALLOT_ARGS(ballot),
		       BALLOT_ARGS(observer_held(member, number)->ballot));
	hold(member, number, ballot, value);
}

/* Likewise its vote. */
void observer_voted(struct member *member, u64 number, u64 ballot,
		    struct value *value)
{
	struct sim *sim = member->sim;
	struct vote *vote = observer_proposed(sim, number, ballot, value);
	struct held *held = observer_held(member, number);
	const struct paxos_config *config;

	if (ballot < member->disk_promised)
		broken(sim, LAW_ACCEPTOR, "member %u accepts slot %llu in " BALLOT
		       " but has promised " BALLOT, member->id, U(number),
		       BALLOT_ARGS(ballot), BALLOT_ARGS(member->disk_promised));
	if (ballot < held->ballot)
		broken(sim, LAW_ACCEPTOR, "member %u accepts slot %llu in " BALLOT
		       " after " BALLOT, member->id, U(number),
		       BALLOT_ARGS(ballot), BALLOT_ARGS(held->ballot));
	hold(member, number, ballot, value);
	member->disk_promised = ballot;
	config = epoch_config(sim, vote->epoch);
	if (!config || !paxos_config_votes(config, member->id))
		return;
	vote->voters |= member_bit(member);
	if (paxos_quorum_weight(config, vote->voters) >= config->q2)
		choose(sim, number, vote);
}

/* Whether the log below @number delivers @value's origin, or a later one. */
static bool superseded(struct sim *sim, const struct value *value, u64 number)
{
	struct paxos_origin origin = value->origin;

	for (u64 i = 1; i < number; i++) {
		const struct value *other = observer_slot(sim, i)->chosen;

		if (other == value)
			return true;
		if (other->origin.member != origin.member)
			continue;
		if (other->origin.incarnation > origin.incarnation ||
		    (other->origin.incarnation == origin.incarnation &&
		     other->origin.seq >= origin.seq + PAXOS_PENDING_MAX))
			return true;
	}
	return false;
}

void observer_delivered(struct member *member, u64 number,
			const struct paxos_value *held)
{
	struct sim *sim = member->sim;
	struct slot *slot;
	struct value *value;
	u8 delivery = held ? DELIVERY_BYTES : DELIVERY_NOTHING;

	if (number != member->delivered + 1)
		broken(sim, LAW_LEARNER, "member %u delivers slot %llu after %llu",
		       member->id, U(number), U(member->delivered));
	member->delivered = number;
	slot = observer_slot(sim, number);
	value = slot->chosen;
	if (!value)
		broken(sim, LAW_AGREEMENT,
		       "member %u delivers slot %llu, which is not chosen",
		       member->id, U(number));
	if (held && value_of(sim, &held->origin, held->kind, held->bytes,
			     held->len) != value)
		broken(sim, LAW_AGREEMENT,
		       "member %u delivers another value in slot %llu than was chosen",
		       member->id, U(number));
	if (slot->delivery && slot->delivery != delivery)
		broken(sim, LAW_LEARNER,
		       "member %u %s the value of slot %llu, another did not",
		       member->id, held ? "delivers" : "suppresses", U(number));
	if (slot->delivery && slot->checksum != member->core.checksum)
		broken(sim, LAW_LEARNER,
		       "member %u has another checksum of the slots up to %llu",
		       member->id, U(number));
	if (paxos_core_checksum(&member->core, number) != member->core.checksum)
		broken(sim, LAW_LEARNER,
		       "member %u does not keep the checksum of slot %llu",
		       member->id, U(number));
	if (slot->delivery)
		return;
	slot->delivery = delivery;
	slot->checksum = member->core.checksum;
	if (value->kind != PAXOS_DATA) {
		if (held)
			broken(sim, LAW_LEARNER,
			       "a no-op or a configuration is delivered");
	} else if (held && value->chosen_slot != number &&
		   superseded(sim, value, number)) {
		broken(sim, LAW_LEARNER,
		       "member %u delivers in slot %llu what slot %llu delivered",
		       member->id, U(number), U(value->chosen_slot));
	} else if (!held && !superseded(sim, value, number)) {
		broken(sim, LAW_LEARNER,
		       "member %u does not deliver slot %llu, the first of its origin",
		       member->id, U(number));
	}
}

/* After a restart: all that the disk holds is there again. */
void observer_restarted(struct member *member)
{
	struct sim *sim = member->sim;
	struct paxos_core *core = &member->core;

	if (core->promised < member->disk_restores ||
	    core->promised < member->said_promised)
		broken(sim, LAW_AMNESIA, "member %u comes back with promise "
		       BALLOT ", it had given " BALLOT, member->id,
		       BALLOT_ARGS(core->promised),
		       BALLOT_ARGS(member->said_promised));
	member->disk_promised = member->disk_restores;
	if (core->commit < member->disk_commit)
		broken(sim, LAW_AMNESIA,
		       "member %u comes back with commit %llu, its disk says %llu",
		       member->id, U(core->commit), U(member->disk_commit));
	for (u64 number = core->log.first; number <= member->held_last;
	     number++) {
		struct held *held = observer_held(member, number);
		struct paxos_entry *entry = paxos_log_entry(&core->log, number);

		if (!held->value)
			continue;
		if (!entry || !entry->value)
			broken(sim, LAW_AMNESIA,
			       "member %u comes back without slot %llu",
			       member->id, U(number));
		if (!value_is(held->value, entry->value) ||
		    (entry->ballot != held->ballot &&
		     !observer_slot(sim, number)->chosen))
			broken(sim, LAW_AMNESIA,
			       "member %u comes back with another vote in slot %llu",
			       member->id, U(number));
	}
}
