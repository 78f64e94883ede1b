// SPDX-License-Identifier: GPL-2.0
/* What was ever proposed, by origin, so that every copy can be compared. */
#include <stdlib.h>
#include <string.h>
#include "sim.h"

static u64 place(const struct sim *sim, const struct paxos_origin *origin)
{
	u64 key = origin->incarnation * 0x9e3779b97f4a7c15 ^
		  origin->seq * 0xbf58476d1ce4e5b9 ^ origin->member;

	return random_mix(&key) & (sim->values_cap - 1);
}

static bool same(const struct paxos_origin *a, const struct paxos_origin *b)
{
	return a->incarnation == b->incarnation && a->seq == b->seq &&
	       a->member == b->member;
}

static void insert(struct sim *sim, struct value *value)
{
	u64 i = place(sim, &value->origin);

	while (sim->values[i])
		i = (i + 1) & (sim->values_cap - 1);
	sim->values[i] = value;
}

static void grow(struct sim *sim)
{
	struct value **old = sim->values;
	u64 cap = sim->values_cap;

	sim->values_cap = cap ? cap * 2 : 1024;
	sim->values = calloc(sim->values_cap, sizeof(*sim->values));
	if (!sim->values)
		abort();
	for (u64 i = 0; i < cap; i++)
		if (old[i])
			insert(sim, old[i]);
	free(old);
}

/* A proposal of @member that the core will know as @seq, with fresh bytes. */
struct proposal *value_propose(struct sim *sim, struct member *member, u32 len,
			       u64 seq)
{
	struct proposal *proposal = calloc(1, sizeof(*proposal));
	struct value *value = &proposal->value;
	u64 word = sim->n_proposals * 0x94d049bb133111eb + sim->settings.seed;

	if (sim->n_values * 2 >= sim->values_cap)
		grow(sim);
	if (sim->n_proposals == sim->proposals_cap) {
		sim->proposals_cap = sim->proposals_cap ?
				     sim->proposals_cap * 2 : 1024;
		sim->proposals = realloc(sim->proposals, sim->proposals_cap *
					 sizeof(*sim->proposals));
	}
	value->bytes = malloc(len ? len : 1);
	if (!value->bytes || !sim->proposals)
		abort();
	for (u32 i = 0; i < len; i++) {
		if (i % 8 == 0)
			word = random_rotate(word, 23) * 0x9e3779b97f4a7c15;
		value->bytes[i] = word >> i % 8 * 8;
	}
	value->origin.member = member->id;
	value->origin.incarnation = member->incarnation;
	value->origin.seq = seq;
	value->len = len;
	value->kind = PAXOS_DATA;
	insert(sim, value);
	sim->n_values++;
	proposal->member = member->id;
	proposal->life = member->life;
	sim->proposals[sim->n_proposals++] = proposal;
	return proposal;
}

/* The core refused it: no such origin exists, and the next may take its seq. */
void value_forget(struct sim *sim, struct proposal *proposal)
{
	u64 mask = sim->values_cap - 1;
	u64 i = place(sim, &proposal->value.origin);

	while (sim->values[i] != &proposal->value)
		i = (i + 1) & mask;
	sim->values[i] = NULL;
	for (i = (i + 1) & mask; sim->values[i]; i = (i + 1) & mask) {
		struct value *moved = sim->values[i];

		sim->values[i] = NULL;
		insert(sim, moved);
	}
	sim->n_values--;
	sim->n_proposals--;
	free(proposal->value.bytes);
	free(proposal);
}

/* What was proposed as @origin, which must be what is here byte by byte. */
struct value *value_of(struct sim *sim, const struct paxos_origin *origin,
		       u8 kind, const void *bytes, u32 len)
{
	struct value *value;
	u64 i;

	if (kind == PAXOS_NOOP && !origin->member) {
		if (len || origin->incarnation || origin->seq)
			broken(sim, LAW_AGREEMENT,
			       "a no-op with half an origin");
		return &sim->noop;
	}
	if (!sim->values_cap)
		grow(sim);
	for (i = place(sim, origin); (value = sim->values[i]);
	     i = (i + 1) & (sim->values_cap - 1)) {
		if (!same(&value->origin, origin))
			continue;
		if (value->kind != kind || value->len != len ||
		    (len && memcmp(value->bytes, bytes, len)))
			broken(sim, LAW_AGREEMENT,
			       "the bytes of %u/%llu/%llu are not those proposed",
			       origin->member,
			       (unsigned long long)origin->incarnation,
			       (unsigned long long)origin->seq);
		return value;
	}
	broken(sim, LAW_AGREEMENT, "nobody proposed %u/%llu/%llu",
	       origin->member, (unsigned long long)origin->incarnation,
	       (unsigned long long)origin->seq);
}

/* Whether a member's copy @held is @value; its bytes were compared before. */
bool value_is(const struct value *value, const struct paxos_value *held)
{
	return value->kind == held->kind && value->len == held->len &&
	       same(&value->origin, &held->origin);
}
