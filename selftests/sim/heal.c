// SPDX-License-Identifier: GPL-2.0
/*
 * The second phase: faults stop, links heal, who was down comes back. Now
 * every proposal must end, new ones must be chosen, and all must learn them.
 */
#include <linux/minmax.h>
#include "sim.h"

#define U(x) ((unsigned long long)(x))

#define HEAL_BOUND	(120 * SIM_SECOND)

static void faults_stop(struct sim *sim)
{
	u32 id;

	trace(sim, "faults stop", 0, 0, 0, 0);
	sim->healing = true;
	network_heal(sim);
	network_unmask(sim);
	for (id = 1; id <= sim->n; id++) {
		struct member *member = sim->members[id];

		if (member->status == MEMBER_DOWN)
			member_boot(member);
		if (sim_sync(sim) && member->status == MEMBER_UP)
			agent_attach(member);
	}
}

/* Whether somebody has trimmed what @member says that it needs. */
static bool was_trimmed(struct sim *sim, const struct member *member)
{
	u32 id;

	for (id = 1; id <= sim->n; id++) {
		struct member *other = sim->members[id];

		if (other != member && other->status == MEMBER_UP &&
		    other->core.log.first > member->delivered + 1)
			return true;
	}
	return false;
}

static bool unharmed(const struct member *member)
{
	return member->status == MEMBER_UP && !member->core.behind;
}

/* A member of the last configuration that can take its part. */
bool member_fit(const struct member *member)
{
	return unharmed(member) &&
	       paxos_config_has(sim_config(member->sim), member->id);
}

/*
 * Whether voters enough are there: to accept, not behind what was trimmed. Of
 * the last configuration; and of earlier ones as long as nobody who is there
 * has learned of what followed them.
 */
static bool can_decide(struct sim *sim)
{
	u32 id, known = 0;

	for (id = 1; id <= sim->n; id++)
		if (sim->members[id]->status == MEMBER_UP)
			known = max(known,
				    sim->members[id]->core.config.epoch);
	if (!epoch_config(sim, known))
		return false;
	for (; known <= sim_config(sim)->epoch; known++) {
		u64 promise = 0, accept = 0;

		for (id = 1; id <= sim->n; id++) {
			const struct member *member = sim->members[id];

			if (member->status != MEMBER_UP)
				continue;
			if (unharmed(member))
				accept |= paxos_member_bit(id);
			if (unharmed(member) ||
			    member->core.config.epoch == known)
				promise |= paxos_member_bit(id);
		}
		if (!paxos_quorum_prepare(epoch_config(sim, known), promise) ||
		    !paxos_quorum_accept(epoch_config(sim, known), accept))
			return false;
	}
	return true;
}

/* With disks nobody stays behind: the agents bring it from one. */
static bool brought_up(struct sim *sim)
{
	u32 id;

	for (id = 1; id <= sim->n; id++) {
		struct member *member = sim->members[id];

		if (member->status == MEMBER_UP && member->core.behind &&
		    was_trimmed(sim, member))
			return false;
	}
	return true;
}

/* Whoever says that it is behind is so: who restarts may hold more again. */
static bool rightly_behind(struct sim *sim)
{
	u32 id;

	for (id = 1; id <= sim->n; id++) {
		struct member *member = sim->members[id];

		if (member->status == MEMBER_UP && member->core.behind &&
		    !was_trimmed(sim, member))
			return false;
	}
	return true;
}

static bool all_ended(struct sim *sim)
{
	u32 id;

	for (id = 1; id <= sim->n; id++) {
		const struct member *member = sim->members[id];

		/* who is behind learns what became of it by a transfer */
		if (member_fit(member) &&
		    (member->n_running || member->n_reading))
			return false;
	}
	return true;
}

static bool converged(struct sim *sim)
{
	u32 id;

	for (id = 1; id <= sim->n; id++) {
		struct member *member = sim->members[id];

		if (!member_fit(member))
			continue;
		if (member->delivered != sim->chosen_prefix ||
		    (sim_sync(sim) && member->core.durable < member->core.lsn &&
		     member->doorbell))
			return false;
	}
	return sim->chosen_max == sim->chosen_prefix;
}

/* Who was a voter and is not any more has learned that, if it could. */
static bool aware(struct sim *sim)
{
	for (u32 id = 1; id <= sim->n; id++) {
		const struct member *member = sim->members[id];

		if (unharmed(member) &&
		    paxos_config_votes(&member->core.config, member->id) &&
		    !paxos_config_votes(sim_config(sim), member->id))
			return false;
	}
	return true;
}

/* Where everybody stands, into the transcript. */
static void describe(struct sim *sim)
{
	u32 id;

	for (id = 1; id <= sim->n; id++) {
		struct member *member = sim->members[id];

		trace(sim, "delivered %u, %u proposals, %u reads",
		      id, member->delivered, member->n_running,
		      member->n_reading);
		trace(sim, "role %u, ballot %b, behind %u", id,
		      member->core.role, member->core.ballot,
		      member->core.behind);
		trace(sim, "holds from slot %u to %u, %u bytes", id,
		      member->core.log.first, member->core.log.last,
		      member->bytes);
	}
}

/* Run until @done, or say which member keeps us waiting. */
static void wait(struct sim *sim, bool (*done)(struct sim *sim),
		 const char *what)
{
	u64 until = sim->now + HEAL_BOUND;

	while (!done(sim)) {
		if (!can_decide(sim))
			return;
		if (sim->now < until) {
			sim_step(sim);
			continue;
		}
		describe(sim);
		broken(sim, LAW_LIVENESS,
		       "%llu s after the last fault %s; slots chosen: all to %llu, highest %llu",
		       U(HEAL_BOUND / SIM_SECOND), what, U(sim->chosen_prefix),
		       U(sim->chosen_max));
	}
}

/* Every member that is up gets a new value chosen, and reads it. */
static void decide_anew(struct sim *sim)
{
	u64 until = sim->now + HEAL_BOUND;
	u32 id;

	for (id = 1; id <= sim->n; id++) {
		struct member *member = sim->members[id];
		bool asked = false, ok = false;
		u64 last = 0;

		while (!ok) {
			if (!can_decide(sim) || !member_fit(member))
				break;
			if (sim->now > until)
				broken(sim, LAW_LIVENESS,
				       "member %u gets nothing chosen", id);
			if (!asked && member_propose(member, PAXOS_DATA, 8,
						      SIM_FAR)) {
				asked = true;
				last = sim->n_proposals - 1;
			}
			sim_step(sim);
			if (asked && sim->proposals[last]->ending == ENDED) {
				asked = false;
				ok = sim->proposals[last]->outcome ==
				     PAXOS_OUTCOME_CHOSEN;
			}
		}
		if (member_fit(member))
			member_read(member, HEAL_BOUND / 2);
	}
}

/* Fit; or no member, aware of that, and with nothing to ask. */
static bool settled(const struct member *member)
{
	return member_fit(member) ||
	       (!paxos_config_has(sim_config(member->sim), member->id) &&
		!member->n_running && !member->n_reading &&
		!paxos_config_votes(&member->core.config, member->id));
}

/* Nobody asks for anything: nothing but heartbeats may be on the wire. */
static void calm_down(struct sim *sim)
{
	u64 beats = 3 * SIM_SECOND / PAXOS_HEARTBEAT_US;
	u64 until = sim->now + 3 * SIM_SECOND;
	u64 before = sim->totals.datagrams;
	u32 id;

	for (id = 1; id <= sim->n; id++)
		if (!settled(sim->members[id]))
			return;
	while (sim->now < until)
		sim_step(sim);
	if (sim->totals.datagrams - before > 4 * beats * sim->n)
		broken(sim, LAW_LIVENESS,
		       "%llu datagrams in 3 idle seconds among %u members",
		       U(sim->totals.datagrams - before), sim->n);
}

/* Those who will never be chosen end when their time has come. */
static void expire(struct sim *sim)
{
	u64 until;
	u32 id;

	for (id = 1; id <= sim->n; id++) {
		struct member *member = sim->members[id];

		if (member->status == MEMBER_UP)
			member_clock(member, member_local(member) + 2 * SIM_FAR,
				     member->clock.ppm);
	}
	until = sim->now + SIM_SECOND;
	while (sim->now < until)
		sim_step(sim);
	for (id = 1; id <= sim->n; id++)
		if (sim->members[id]->n_running || sim->members[id]->n_reading)
			broken(sim, LAW_TIME,
			       "member %u: a proposal outlives its deadline",
			       id);
}

void heal(struct sim *sim)
{
	u64 until;

	faults_stop(sim);
	/* late datagrams arrive, leaders are found */
	until = sim->now + 5 * SIM_SECOND;
	while (sim->now < until)
		sim_step(sim);
	until = sim->now + HEAL_BOUND;
	while (sim_sync(sim) && !brought_up(sim)) {
		if (sim->now > until)
			broken(sim, LAW_LIVENESS,
			       "a member stays behind what is on another's disk");
		sim_step(sim);
	}
	if (can_decide(sim)) {
		wait(sim, all_ended, "a proposal or read has not ended");
		decide_anew(sim);
		wait(sim, all_ended, "a proposal or read has not ended");
		wait(sim, converged, "members have not learned the same");
		wait(sim, rightly_behind,
		     "a member gives up what nobody has trimmed");
		wait(sim, aware, "a former voter does not know that");
		calm_down(sim);
	}
	if (!can_decide(sim)) {
		describe(sim);
		sim->totals.stuck++;
	}
	expire(sim);
	kv_replay(sim);
}
