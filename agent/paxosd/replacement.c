// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include "replacement.h"

static uint64_t member_bit(uint8_t id)
{
	return 1ULL << (id - 1);
}

static bool is_fresh(uint64_t when, uint64_t now)
{
	return when && now - when < REPLACEMENT_FRESH;
}

void replacement_hear(struct replacement *replacement, uint8_t id,
		      uint64_t life, const union address *place, uint64_t now)
{
	if (replacement->lost && replacement->lost != id &&
	    is_fresh(replacement->heard, now))
		return;
	if (replacement->lost != id)
		replacement->next = 0;
	replacement->lost = id;
	replacement->life = life;
	replacement->place = *place;
	replacement->heard = now;
}

void replacement_wants(struct replacement *replacement, uint8_t id,
		       uint64_t now)
{
	replacement->wants[id] = now;
}

static const struct group_member *find(const struct group_state *state,
				       uint8_t id)
{
	unsigned int i;

	for (i = 0; i < state->n_members; i++)
		if (state->members[i].id == id)
			return &state->members[i];
	return NULL;
}

static const struct group_member *find_at(const struct group_state *state,
					  const union address *place)
{
	unsigned int i;

	for (i = 0; i < state->n_members; i++)
		if (address_same(&state->members[i].address, place))
			return &state->members[i];
	return NULL;
}

static uint8_t first_free(const struct replacement *replacement,
			  const struct group_state *state)
{
	uint8_t highest = replacement->lost;
	unsigned int i;

	if (replacement->next)
		return replacement->next;
	for (i = 0; i < state->n_members; i++)
		if (state->members[i].id > highest)
			highest = state->members[i].id;
	return highest + 1;
}

static struct replacement_step step(enum replacement_act act, uint8_t id)
{
	return (struct replacement_step) { .act = act, .id = id };
}

static struct replacement_step for_lost(const struct replacement *replacement,
					const struct group_state *state,
					uint64_t now)
{
	const struct group_member *at;
	uint8_t id;

	if (find(state, replacement->lost)) {
		if (replacement->removed &&
		    now - replacement->removed < REPLACEMENT_EVERY)
			return step(REPLACEMENT_HELD, replacement->lost);
		return step(REPLACEMENT_REMOVE, replacement->lost);
	}
	at = find_at(state, &replacement->place);
	/* A voter is somebody else: nobody is told to be one. */
	if (at && state->voters & member_bit(at->id))
		return step(REPLACEMENT_NOTHING, 0);
	if (at)
		return step(REPLACEMENT_TELL, at->id);
	id = first_free(replacement, state);
	return id > PAXOS_NL_MEMBERS_MAX ?
	       step(REPLACEMENT_SPENT, replacement->lost) :
	       step(REPLACEMENT_ADD, id);
}

struct replacement_step
replacement_next(const struct replacement *replacement,
		 const struct group_state *state, uint64_t now)
{
	uint8_t id;

	if (state->phase != PAXOS_NL_PHASE_LEADER ||
	    state->wait != PAXOS_NL_WAIT_NONE || now < replacement->retry)
		return step(REPLACEMENT_NOTHING, 0);
	if (replacement->lost && is_fresh(replacement->heard, now))
		return for_lost(replacement, state, now);
	for (id = 1; id <= PAXOS_NL_MEMBERS_MAX; id++)
		if (is_fresh(replacement->wants[id], now) && find(state, id) &&
		    !(state->voters & member_bit(id)))
			return step(REPLACEMENT_PROMOTE, id);
	return step(REPLACEMENT_NOTHING, 0);
}

void replacement_tried(struct replacement *replacement,
		       struct replacement_step step, int error, uint64_t now)
{
	/* The configuration has to come into force here before the next. */
	replacement->retry = now + REPLACEMENT_RETRY;
	if (step.act == REPLACEMENT_REMOVE && !error)
		replacement->removed = now;
	if (step.act != REPLACEMENT_ADD)
		return;
	replacement->next = 0;
	if (error == -EKEYREVOKED) {
		replacement->next = step.id + 1;
		replacement->retry = now;
	}
}
