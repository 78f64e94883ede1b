// SPDX-License-Identifier: GPL-2.0
/* What people, clients and bad luck do to the members. */
#include <linux/minmax.h>
#include "sim.h"

static struct member *any(struct sim *sim)
{
	return sim->members[random_between(&sim->random, 1, sim->n)];
}

static struct member *any_up(struct sim *sim)
{
	for (u32 tries = 0; tries < 2 * sim->n; tries++) {
		struct member *member = any(sim);

		if (member->status == MEMBER_UP)
			return member;
	}
	return NULL;
}

/* Someone who matters: often the one who leads. */
static struct member *victim(struct sim *sim)
{
	struct member *member = any_up(sim);

	if (random_below(&sim->random, 2))
		for (u32 id = 1; id <= sim->n; id++)
			if (sim->members[id]->status == MEMBER_UP &&
			    sim->members[id]->core.role == PAXOS_LEADER)
				return sim->members[id];
	return member;
}

static void agent_fault(struct sim *sim, struct member *member)
{
	if (!member || !sim_sync(sim) || member->agent.state == AGENT_DEAD)
		return;
	agent_kill(member);
	schedule_add(sim, sim->now + random_scale(&sim->random, 1000,
						  10 * SIM_SECOND),
		     EVENT_ATTACH, member->id, member->agent.generation, NULL);
}

static void clock_fault(struct sim *sim, struct member *member)
{
	u64 local = member_local(member);
	u64 jump = random_scale(&sim->random, 1, 20 * SIM_SECOND);

	if (random_below(&sim->random, 4))
		local += jump;
	else
		local = local > jump ? local - jump : 1;
	trace(sim, "its clock jumps to %u", member->id, local, 0, 0);
	member_clock(member, local,
		     (s64)random_between(&sim->random, 0, 40000) - 20000);
}

/* The oldest of several leaders, who may not know that it is over. */
static struct member *outlived(struct sim *sim)
{
	struct member *oldest = NULL;
	u32 leaders = 0;

	for (u32 id = 1; id <= sim->n; id++) {
		struct member *member = sim->members[id];

		if (member->status != MEMBER_UP ||
		    member->core.role != PAXOS_LEADER)
			continue;
		leaders++;
		if (!oldest || member->core.ballot < oldest->core.ballot)
			oldest = member;
	}
	return leaders > 1 ? oldest : NULL;
}

/*
 * A slot that @to knows to be chosen and @from does not, who has but a vote in
 * it, or would lead in a ballot above that of @to's; 0: none.
 */
static u64 in_doubt(const struct member *from, const struct member *to)
{
	const struct paxos_core *core = &from->core;
	const struct paxos_log *log = &to->core.log;

	for (u64 slot = max(core->commit + 1, log->first); slot <= log->last;
	     slot++) {
		if (!paxos_core_chosen(&to->core, slot) ||
		    paxos_core_chosen(core, slot))
			continue;
		if (core->role == PAXOS_FOLLOWER ?
		    slot <= core->log.last :
		    paxos_log_entry(log, slot)->ballot < core->ballot)
			return slot;
	}
	return 0;
}

/* Somebody within @from's reach who knows more. */
static struct member *wiser(struct sim *sim, const struct member *from)
{
	for (u32 tries = 0; from && tries < 2 * sim->n; tries++) {
		struct member *to = any_up(sim);

		if (to && to->delivered > from->delivered &&
		    !sim->cut[from->id][to->id] && !sim->cut[to->id][from->id])
			return to;
	}
	return NULL;
}

/* Any member may ask any other for what was chosen, at any time. */
static void fetch(struct sim *sim, struct member *from, struct member *to,
		  u64 first)
{
	struct paxos_message message = { .type = PAXOS_FETCH, .stamp = 1 };

	if (!paxos_config_has(&from->core.config, to->id))
		return;
	message.from = from->id;
	message.to = to->id;
	message.epoch = from->core.config.epoch;
	message.ballot = from->core.ballot;
	message.commit = from->core.commit;
	message.fetch.first = first;
	message.fetch.last = first;
	if (random_below(&sim->random, 2))
		message.fetch.last += random_below(&sim->random, 16);
	network_send(from, &message);
}

static void fetch_wiser(struct sim *sim, struct member *from)
{
	struct member *to = wiser(sim, from);

	if (to)
		fetch(sim, from, to, from->core.commit +
				     random_between(&sim->random, 1, 4));
}

/*
 * What is chosen against a vote, and was perhaps chosen in other ballots than
 * either knows: rather by one who leads or would.
 */
static void fetch_in_doubt(struct sim *sim)
{
	const u32 n = sim->n, pairs = n * n;
	u32 start = random_below(&sim->random, pairs);

	for (u32 i = 0; i < 2 * pairs; i++) {
		struct member *from = sim->members[(start + i) % n + 1];
		struct member *to = sim->members[(start + i) / n % n + 1];
		u64 slot;

		if (from == to || from->status != MEMBER_UP ||
		    to->status != MEMBER_UP ||
		    (i < pairs && from->core.role == PAXOS_FOLLOWER))
			continue;
		slot = in_doubt(from, to);
		if (slot) {
			fetch(sim, from, to, slot);
			return;
		}
	}
}

/* Whoever leads or campaigns may be told to stop, or to let another lead. */
static void lead_fault(struct sim *sim)
{
	bool resigns = sim_chance(sim, KNOB_RESIGN);
	bool yields = sim_chance(sim, KNOB_YIELD);
	u8 id;

	for (id = 1; (resigns || yields) && id <= sim->n; id++) {
		struct member *member = sim->members[id];

		if (member->status != MEMBER_UP ||
		    member->core.role == PAXOS_FOLLOWER)
			continue;
		if (resigns)
			member_resign(member);
		else
			member_yield(member, random_below(&sim->random,
							  sim->n) + 1,
				     random_scale(&sim->random, 1000,
						  SIM_SECOND));
		return;
	}
}

/*
 * One more would lead, and is heard in part; those who lead already, and may
 * have heard nothing of each other, have something to propose.
 */
static void worlds_apart(struct sim *sim)
{
	struct member *member = any_up(sim);

	for (u8 id = 1; id <= sim->n; id++)
		if (sim->members[id]->status == MEMBER_UP &&
		    sim->members[id]->core.role == PAXOS_LEADER)
			member_propose(sim->members[id], PAXOS_DATA, 8,
				       SIM_SECOND);
	if (!member || member->status != MEMBER_UP)
		return;
	network_mask(sim, member->id);
	member_campaign(member);
}

/* Every SIM_BEAT, each fault has its chance. */
void faults_beat(struct sim *sim)
{
	struct member *member;

	if (sim->heal_at && sim->now >= sim->heal_at) {
		network_heal(sim);
		trace(sim, "the network heals", 0, 0, 0, 0);
	}
	if (sim_chance(sim, KNOB_PARTITION) && sim->n > 1)
		network_partition(sim);
	if (sim_chance(sim, KNOB_MASK))
		worlds_apart(sim);
	if (sim_chance(sim, KNOB_REPLAY))
		network_replay(sim);
	if (sim_chance(sim, KNOB_MEMBER))
		membership_fault(sim);
	member = any_up(sim);
	if (!member)
		return;
	if (sim_chance(sim, KNOB_FETCH))
		fetch_wiser(sim, member);
	if (sim_chance(sim, KNOB_FETCH))
		fetch_wiser(sim, outlived(sim));
	if (sim_chance(sim, KNOB_FETCH))
		fetch_in_doubt(sim);
	member = any_up(sim);
	if (!member)
		return;
	if (sim_chance(sim, KNOB_JITTER))
		member_tick(member);
	if (member->status == MEMBER_UP && sim_chance(sim, KNOB_CAMPAIGN))
		member_campaign(member);
	lead_fault(sim);
	if (sim_chance(sim, KNOB_AGENT))
		agent_fault(sim, victim(sim));
	member = victim(sim);
	if (member && sim_chance(sim, KNOB_CLOCK))
		clock_fault(sim, member);
	member = victim(sim);
	if (member && sim_chance(sim, KNOB_STOP))
		member_stop(member);
	member = any_up(sim);
	if (member && member->n_running && sim_chance(sim, KNOB_CANCEL))
		member_cancel(member,
			      member->running[random_below(&sim->random,
							   member->n_running)]);
	member = any_up(sim);
	if (member && member->n_reading && sim_chance(sim, KNOB_CANCEL))
		member_cancel_read(member, member->reading[0]);
}

static u32 value_size(struct sim *sim)
{
	u32 most = sim->settings.value_max;

	if (sim->settings.fixed)
		return most;
	switch (random_below(&sim->random, 8)) {
	case 0:
		return 0;
	case 1:
		return most;
	default:
		return random_scale(&sim->random, 1, most);
	}
}

static u64 patience(struct sim *sim)
{
	if (!random_below(&sim->random, 3))
		return SIM_FAR;
	return random_between(&sim->random, 0, sim->settings.patience);
}

/* A client asks something of a member. */
void faults_client(struct sim *sim)
{
	struct member *member = any_up(sim);
	u32 count = 1;

	if (!member)
		return;
	if (random_below(&sim->random, 100) < sim->settings.reads) {
		member_read(member, random_between(&sim->random, 0,
						   sim->settings.patience));
		return;
	}
	if (!random_below(&sim->random, 200))
		member_propose(member, PAXOS_DATA, PAXOS_VALUE_MAX + 1,
			       SIM_SECOND);
	if (!random_below(&sim->random, 50))
		member_propose(member, PAXOS_NOOP, 0, patience(sim));
	if (sim_chance(sim, KNOB_BURST))
		count = random_scale(&sim->random, 2, 100);
	while (count-- && member->status == MEMBER_UP &&
	       member->n_running < sim->settings.clients)
		member_propose(member, PAXOS_DATA, value_size(sim),
			       patience(sim));
}

/* Who waited for a member to come back, or for an epoch, asks at once. */
void faults_reconnect(struct member *member)
{
	struct sim *sim = member->sim;
	u32 count = random_below(&sim->random, 4);

	while (count-- && member->status == MEMBER_UP)
		member_read(member, random_between(&sim->random, 0,
						   sim->settings.patience));
}

/* What an operator, or paxosd one day, does when there is no leader. */
void faults_election(struct member *member)
{
	const struct paxos_core *core = &member->core;
	struct sim *sim = member->sim;
	u64 local = member_local(member);

	if (member->status != MEMBER_UP)
		return;
	if (core->leader && core->leader_heard + PAXOS_SILENCE_US >= local)
		member->campaigns = 0;
	else if (core->role == PAXOS_FOLLOWER &&
		 paxos_config_votes(&core->config, member->id) &&
		 (sim->settings.elections || sim->healing)) {
		/* phase 1 may take long: to come to an end, duels slow down */
		if (sim->healing)
			member->campaigns = min(member->campaigns + 1, 5U);
		member_campaign(member);
	}
	schedule_add(sim, sim->now + random_between(&sim->random, 50000,
						    SIM_SECOND <<
						    member->campaigns),
		     EVENT_ELECTION, member->id, member->life, NULL);
}
