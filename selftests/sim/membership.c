// SPDX-License-Identifier: GPL-2.0
/*
 * Configurations: the observer follows those that are chosen, and knows in
 * which of them a ballot began; and people who change them, for better or
 * worse, while everything else goes on.
 */
#include <linux/bitops.h>
#include <stdlib.h>
#include <string.h>
#include "sim.h"

#define U(x) ((unsigned long long)(x))

void epochs_begin(struct sim *sim, const struct paxos_config *config)
{
	sim->epochs = calloc(SIM_EPOCHS_MAX, sizeof(*sim->epochs));
	if (!sim->epochs)
		abort();
	sim->epochs[0].config = *config;
	sim->n_epochs = 1;
}

/* NULL: none that was chosen. */
const struct paxos_config *epoch_config(const struct sim *sim, u32 epoch)
{
	u32 first = sim->epochs[0].config.epoch;

	return epoch >= first && epoch - first < sim->n_epochs ?
	       &sim->epochs[epoch - first].config : NULL;
}

/* That holds for what follows @slot. */
const struct epoch *epoch_at(const struct sim *sim, u64 slot)
{
	u32 i = sim->n_epochs - 1;

	while (i && sim->epochs[i].slot > slot)
		i--;
	return &sim->epochs[i];
}

/* @value is chosen in @slot, and all below are. */
void epoch_chosen(struct sim *sim, u64 slot, const struct value *value)
{
	const struct paxos_config *last = sim_config(sim);
	struct paxos_config next;

	if (value->kind != PAXOS_CONFIG)
		return;
	if (paxos_wire_config_decode(value->bytes, value->len, &next))
		broken(sim, LAW_EPOCH, "slot %llu: no configuration", U(slot));
	if (next.epoch != last->epoch + 1)
		return;		/* somebody was faster, or wrong */
	if (paxos_config_members(&next) & last->gone)
		broken(sim, LAW_EPOCH, "slot %llu: a former id comes back",
		       U(slot));
	if (next.q1 + last->q2 <= (int)hweight64(last->voters | next.voters))
		broken(sim, LAW_EPOCH, "slot %llu: quorums that may not meet",
		       U(slot));
	if (sim->n_epochs == SIM_EPOCHS_MAX)
		broken(sim, LAW_EPOCH, "the simulator holds no more epochs");
	sim->epochs[sim->n_epochs++] = (struct epoch){ slot, next };
	sim->totals.changes++;
	trace(sim, "epoch %u begins, behind slot %u", 0, next.epoch, slot, 0);
}

/* A member is in the epoch that its log says, and in no other. */
void epoch_check(struct member *member)
{
	const struct paxos_core *core = &member->core;
	struct sim *sim = member->sim;
	const struct epoch *epoch = epoch_at(sim, member->delivered);
	struct paxos_config none;
	const struct paxos_config *config = &epoch->config;

	if (member->asks && !epoch->slot) {
		paxos_config_none(&none, member->asks);
		config = &none;
	}
	if (core->config.epoch != config->epoch ||
	    core->config.voters != config->voters ||
	    core->config.learners != config->learners ||
	    core->config.gone != config->gone ||
	    core->config.q1 != config->q1 || core->config.q2 != config->q2)
		broken(sim, LAW_EPOCH,
		       "member %u is in epoch %u, slot %llu says %u", member->id,
		       core->config.epoch, U(member->delivered),
		       config->epoch);
}

static struct reign *reign_of(struct sim *sim, u64 ballot)
{
	u32 i;

	for (i = sim->n_reigns; i--;)
		if (sim->reigns[i].ballot == ballot)
			return &sim->reigns[i];
	return NULL;
}

/* @member leads in @ballot. */
void reign_began(struct member *member, u64 ballot)
{
	struct sim *sim = member->sim;

	if (paxos_ballot_member(ballot) != member->id || reign_of(sim, ballot))
		return;
	if (sim->n_reigns == sim->cap_reigns) {
		sim->cap_reigns = sim->cap_reigns ? sim->cap_reigns * 2 : 64;
		sim->reigns = realloc(sim->reigns, sim->cap_reigns *
				      sizeof(*sim->reigns));
		if (!sim->reigns)
			abort();
	}
	sim->reigns[sim->n_reigns++] = (struct reign){
		.ballot = ballot,
		.epoch = member->core.config.epoch,
	};
}

u32 reign_epoch(struct sim *sim, u64 ballot)
{
	struct reign *reign = reign_of(sim, ballot);

	if (!reign)
		broken(sim, LAW_PROPOSER, "nobody ever led in " BALLOT,
		       BALLOT_ARGS(ballot));
	return reign->epoch;
}

/* The barrier: nothing behind a configuration in the ballot that proposed it. */
void reign_proposed(struct sim *sim, u64 slot, u64 ballot,
		    const struct value *value)
{
	struct reign *reign = reign_of(sim, ballot);
	struct paxos_config next;

	if (slot > reign->highest)
		reign->highest = slot;
	if (value->kind == PAXOS_CONFIG && !reign->barrier &&
	    !paxos_wire_config_decode(value->bytes, value->len, &next) &&
	    next.epoch == reign->epoch + 1)
		reign->barrier = slot;
	if (reign->barrier && reign->highest > reign->barrier)
		broken(sim, LAW_EPOCH, "ballot " BALLOT
		       " proposes slot %llu, behind the configuration in %llu",
		       BALLOT_ARGS(ballot), U(reign->highest),
		       U(reign->barrier));
}

/*
 * Whether a member in @epoch may drop @message for its epoch or its sender, or
 * not drop it: what is of another epoch counts for nothing.
 */
bool epoch_drop(const struct sim *sim, const struct paxos_message *message,
		u32 epoch, u8 drop)
{
	const struct paxos_config *config = epoch_config(sim, message->epoch);
	bool told = message->type == PAXOS_FETCH ||
		    message->type == PAXOS_CHOSEN ||
		    message->type == PAXOS_DONE;

	if (drop == PAXOS_DROP_EPOCH)
		return message->epoch != epoch;
	if (drop == PAXOS_DROP_SENDER)
		return !config || !paxos_config_has(config, message->from);
	return told || message->epoch == epoch;
}

static struct member *leader(struct sim *sim)
{
	u32 start = random_below(&sim->random, sim->n);

	for (u32 i = 0; i < sim->n; i++) {
		struct member *member =
			sim->members[(start + i) % sim->n + 1];

		if (member->status == MEMBER_UP &&
		    member->core.role == PAXOS_LEADER)
			return member;
	}
	return NULL;
}

/* One of @set, or 0. */
static u8 one_of(struct sim *sim, u64 set)
{
	u32 skip = set ? random_below(&sim->random, hweight64(set)) : 0;

	while (skip--)
		set &= set - 1;
	return set ? __builtin_ctzll(set) + 1 : 0;
}

static bool caught_up(const struct sim *sim, u8 id)
{
	const struct member *member = sim->members[id];

	return member->status == MEMBER_UP && !member->core.behind &&
	       member->delivered + 16 >= sim->chosen_prefix;
}

/* A fresh host, which the next configuration may name. */
static u8 host_new(struct sim *sim)
{
	u32 most = sim->settings.voters + sim->settings.learners +
		   sim->settings.spare;
	u8 id = sim->n + 1;

	if (sim->n >= most)
		return 0;
	sim->n++;
	member_init(sim, id, (1ULL << id) - 1);
	sim->totals.joined++;
	trace(sim, "is new", id, 0, 0, 0);
	return id;
}

/* 0: nobody. */
static void leave(u64 *voters, u64 *learners, u8 id)
{
	const u64 rest = id ? ~paxos_member_bit(id) : ~0ULL;

	*voters &= rest;
	*learners &= rest;
}

/* One thing that somebody wants different. */
static void draw_change(struct sim *sim, const struct paxos_config *now,
			u64 *voters, u64 *learners)
{
	u8 id;

	switch (random_below(&sim->random, 11)) {
	case 10:	/* law 3: the id of one who left, which is refused */
		id = one_of(sim, now->gone);
		if (id)
			*learners |= paxos_member_bit(id);
		break;
	case 0:		/* a host that waits, or a fresh one */
	case 1:
	case 2:
		id = one_of(sim, ((1ULL << sim->n) - 1) &
				 ~(*voters | *learners | now->gone));
		if (!id)
			id = host_new(sim);
		if (id)
			*learners |= paxos_member_bit(id);
		break;
	case 3:		/* as a voter at once: nothing forbids it */
		id = host_new(sim);
		if (id)
			*voters |= paxos_member_bit(id);
		break;
	case 4:
	case 5:
	case 6:
		id = one_of(sim, *learners);
		if (id && caught_up(sim, id)) {
			*voters |= paxos_member_bit(id);
			*learners &= ~paxos_member_bit(id);
		}
		break;
	case 7:
		id = one_of(sim, *voters);
		if (id) {
			*learners |= paxos_member_bit(id);
			*voters &= ~paxos_member_bit(id);
		}
		break;
	case 8:		/* who is lost for good first */
		for (id = 1; id <= sim->n; id++)
			if (sim->members[id]->status == MEMBER_MUTE &&
			    (*voters | *learners) & paxos_member_bit(id))
				break;
		if (id > sim->n)
			id = one_of(sim, *voters | *learners);
		leave(voters, learners, id);
		break;
	default:
		leave(voters, learners, one_of(sim, *voters | *learners));
		break;
	}
}

/* Would there be a quorum afterwards? The module asks the same. */
static bool survives(struct sim *sim, const struct paxos_config *next)
{
	u64 fit = 0;
	u8 id;

	for (id = 1; id <= sim->n; id++)
		if (sim->members[id]->status == MEMBER_UP &&
		    !sim->members[id]->core.behind)
			fit |= paxos_member_bit(id);
	return paxos_quorum_prepare(next, fit) &&
	       paxos_quorum_accept(next, fit);
}

static u32 encode(struct sim *sim, const struct paxos_config *config, u8 *bytes)
{
	struct paxos_member members[SIM_MEMBERS_MAX + 1];
	u32 n = 0;
	u8 id;

	memset(members, 0, sizeof(members));
	for (id = 1; id <= sim->n; id++)
		if (paxos_config_has(config, id))
			members[n++] = (struct paxos_member){
				.id = id,
				.family = 4,
				.address = { 10, 77, 0, id },
			};
	return paxos_wire_config_encode(config, members, bytes);
}

void membership_fault(struct sim *sim)
{
	struct member *member = leader(sim);
	u8 bytes[PAXOS_CONFIG_SIZE(SIM_MEMBERS_MAX + 1)];
	const struct paxos_config *now;
	struct paxos_config next;
	u64 voters, learners;
	u32 len;
	u8 q1 = 0, q2 = 0;

	if (!member || sim->n_epochs > SIM_EPOCHS_MAX - 16)
		return;
	now = &member->core.config;
	voters = now->voters;
	learners = now->learners;
	draw_change(sim, now, &voters, &learners);
	if (!random_below(&sim->random, 8)) {	/* two at once */
		draw_change(sim, now, &voters, &learners);
	}
	if (!random_below(&sim->random, 4) && voters) {
		q2 = random_between(&sim->random, 1, hweight64(voters));
		q1 = hweight64(voters) - q2 + 1;
	}
	if (paxos_config_init(&next, now->epoch + 1, voters, learners, q1, q2))
		return;
	next.gone = (now->gone | paxos_config_members(now)) &
		    ~(voters | learners);
	if (!random_below(&sim->random, 16))	/* somebody has it wrong */
		next.epoch += random_below(&sim->random, 2) ? 1 : -1;
	if (!survives(sim, &next))
		return;
	len = encode(sim, &next, bytes);
	if (member_reconfigure(member, bytes, len,
			       random_between(&sim->random, 1,
					      sim->settings.patience)))
		sim->totals.unchanged++;
}
