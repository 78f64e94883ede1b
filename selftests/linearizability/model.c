// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include "model.h"

/* A register: its value, 0 for none. */

/* A lock; behind these words are its holders, in order: one, or who shares it. */
enum {
	LOCK_LAST,		/* the highest token that is known to be given out */
	LOCK_SHARED,
	LOCK_WORDS,
};

struct holder {
	uint64_t process;
	uint64_t token;		/* that it got, 0: not known */
};

/* A queue: its values, the oldest first. */

static uint64_t hash(const uint64_t *words, uint32_t n)
{
	uint64_t sum = n;

	while (n--) {
		sum = (sum ^ words[n]) * 0x9e3779b97f4a7c15ULL;
		sum ^= sum >> 29;
	}
	return sum;
}

static void put_in_table(struct model *model, uint32_t state)
{
	uint64_t at = hash(model->words + model->states[state].at,
			   model->states[state].n);

	while (model->table[at & (model->size - 1)] != MODEL_NONE)
		at++;
	model->table[at & (model->size - 1)] = state;
}

static void grow_table(struct model *model)
{
	uint32_t i;

	model->size = model->size ? 2 * model->size : 64;
	free(model->table);
	model->table = malloc(model->size * sizeof(*model->table));
	if (!model->table)
		abort();
	memset(model->table, 0xff, model->size * sizeof(*model->table));
	for (i = 0; i < model->n; i++)
		put_in_table(model, i);
}

/* The number of the state that these words are; they are not the model's. */
static uint32_t state_of(struct model *model, const uint64_t *words, uint32_t n)
{
	uint64_t at = hash(words, n);
	uint32_t state;

	if (2 * model->n >= model->size)
		grow_table(model);
	for (;; at++) {
		state = model->table[at & (model->size - 1)];
		if (state == MODEL_NONE)
			break;
		if (model->states[state].n == n &&
		    !memcmp(model->words + model->states[state].at, words,
			    n * sizeof(*words)))
			return state;
	}
	while (model->n_words + n > model->room_words) {
		model->room_words = model->room_words ?
				    2 * model->room_words : 1024;
		model->words = reallocarray(model->words, model->room_words,
					    sizeof(*model->words));
	}
	if (model->n == model->room) {
		model->room = model->room ? 2 * model->room : 64;
		model->states = reallocarray(model->states, model->room,
					     sizeof(*model->states));
	}
	if (!model->words || !model->states)
		abort();
	memcpy(model->words + model->n_words, words, n * sizeof(*words));
	model->states[model->n].at = model->n_words;
	model->states[model->n].n = n;
	model->n_words += n;
	put_in_table(model, model->n);
	return model->n++;
}

void model_begin(struct model *model, enum object object)
{
	static const uint64_t zeros[LOCK_WORDS];
	const uint32_t words[] = {
		[REGISTER] = 1, [LOCK] = LOCK_WORDS, [QUEUE] = 0,
	};

	memset(model, 0, sizeof(*model));
	model->object = object;
	/* So that there is something to point to in an empty queue. */
	model->room_words = 1024;
	model->words = malloc(model->room_words * sizeof(*model->words));
	if (!model->words)
		abort();
	state_of(model, zeros, words[object]);
}

void model_end(struct model *model)
{
	free(model->words);
	free(model->states);
	free(model->table);
}

static uint32_t step_register(struct model *model, uint32_t state,
			      const struct operation *operation)
{
	const uint64_t value = model->words[model->states[state].at];
	bool same;

	switch (operation->kind) {
	case PUT:
		return state_of(model, &operation->value, 1);
	case GET:
		return value == operation->value ? state : MODEL_NONE;
	}
	same = value == operation->expected;
	if (operation->result == OK && !same)
		return MODEL_NONE;
	if (operation->result == FAILED)
		return same ? MODEL_NONE : state;
	return same ? state_of(model, &operation->value, 1) : state;
}

/* A lock, and room for one more that holds it. */
struct lock {
	uint64_t last;
	bool shared;
	uint32_t n;
	struct holder *holders;
};

static int compare_holders(const void *a, const void *b)
{
	const struct holder *x = a, *y = b;

	if (x->process != y->process)
		return x->process < y->process ? -1 : 1;
	return x->token < y->token ? -1 : x->token > y->token;
}

static uint32_t lock_state(struct model *model, const struct lock *lock)
{
	const uint32_t n = LOCK_WORDS + 2 * lock->n;
	uint64_t words[n];
	uint32_t i;

	qsort(lock->holders, lock->n, sizeof(*lock->holders), compare_holders);
	words[LOCK_LAST] = lock->last;
	words[LOCK_SHARED] = lock->n && lock->shared;
	for (i = 0; i < lock->n; i++) {
		words[LOCK_WORDS + 2 * i] = lock->holders[i].process;
		words[LOCK_WORDS + 2 * i + 1] = lock->holders[i].token;
	}
	return state_of(model, words, n);
}

static uint32_t acquire(struct model *model, uint32_t state, struct lock *lock,
			const struct operation *operation)
{
	const bool held = lock->n && !(lock->shared && operation->shared);

	if (operation->result == FAILED)
		return held ? state : MODEL_NONE;
	if (held)
		return operation->result == UNKNOWN ? state : MODEL_NONE;
	/* The token that fences: it never goes back, nor stands. */
	if (operation->token) {
		if (operation->token <= lock->last)
			return MODEL_NONE;
		lock->last = operation->token;
	}
	lock->shared = operation->shared;
	lock->holders[lock->n++] = (struct holder){
		.process = operation->process, .token = operation->token,
	};
	return lock_state(model, lock);
}

/*
 * Which holder it is: that of its token; or where that is not known on either
 * side, the process must do.
 */
static uint32_t find_holder(const struct lock *lock,
			    const struct operation *operation)
{
	uint32_t i, found = lock->n;

	for (i = 0; i < lock->n; i++) {
		const struct holder *holder = &lock->holders[i];

		if (holder->process != (uint64_t)operation->process)
			continue;
		if (holder->token == operation->token)
			return i;
		if (!holder->token || !operation->token)
			found = i;
	}
	return found;
}

static uint32_t release(struct model *model, uint32_t state, struct lock *lock,
			const struct operation *operation)
{
	const uint32_t i = find_holder(lock, operation);

	if (operation->result == FAILED)
		return i < lock->n ? MODEL_NONE : state;
	if (i == lock->n)
		return operation->result == UNKNOWN ? state : MODEL_NONE;
	/* So that was the token of an acquire whose end nobody saw. */
	if (operation->token > lock->last)
		lock->last = operation->token;
	lock->holders[i] = lock->holders[--lock->n];
	return lock_state(model, lock);
}

static uint32_t step_lock(struct model *model, uint32_t state,
			  const struct operation *operation)
{
	const uint64_t *words = model->words + model->states[state].at;
	const uint32_t n = (model->states[state].n - LOCK_WORDS) / 2;
	struct holder holders[n + 1];
	struct lock lock = {
		.last = words[LOCK_LAST],
		.shared = words[LOCK_SHARED],
		.n = n,
		.holders = holders,
	};

	memcpy(holders, words + LOCK_WORDS, n * sizeof(*holders));
	return operation->kind == ACQUIRE ?
	       acquire(model, state, &lock, operation) :
	       release(model, state, &lock, operation);
}

static uint32_t step_queue(struct model *model, uint32_t state,
			   const struct operation *operation)
{
	const uint32_t n = model->states[state].n;
	const uint64_t *words = model->words + model->states[state].at;
	uint64_t *longer;
	uint32_t next;

	if (operation->kind == PUSH) {
		longer = malloc((n + 1) * sizeof(*longer));
		if (!longer)
			abort();
		memcpy(longer, words, n * sizeof(*longer));
		longer[n] = operation->value;
		next = state_of(model, longer, n + 1);
		free(longer);
		return next;
	}
	if (operation->result == OK &&
	    operation->value != (n ? words[0] : 0))
		return MODEL_NONE;
	/* One that nobody saw end takes the item that it named, or any. */
	if (!n || (operation->value && operation->value != words[0]))
		return state;
	longer = malloc(n * sizeof(*longer));
	if (!longer)
		abort();
	memcpy(longer, words + 1, (n - 1) * sizeof(*longer));
	next = state_of(model, longer, n - 1);
	free(longer);
	return next;
}

uint32_t model_step(struct model *model, uint32_t state,
		    const struct operation *operation)
{
	switch (model->object) {
	case REGISTER:
		return step_register(model, state, operation);
	case LOCK:
		return step_lock(model, state, operation);
	default:
		return step_queue(model, state, operation);
	}
}

/* Of registers only: those have many that nobody ever saw. */
bool model_may_need(const struct model *model, uint32_t state,
		    const struct operation *waiting,
		    const struct operation *next)
{
	if (model->object != REGISTER)
		return true;
	switch (next->kind) {
	case GET:
		return next->value == waiting->value;
	case CAS:
		if (next->result == FAILED)
			return next->expected ==
			       model->words[model->states[state].at];
		return next->expected == waiting->value;
	default:
		return false;
	}
}

/* Of locks only: what clients give up they ask for, and give back, unknown. */
bool model_may_explain(enum object object, const struct operation *waiting,
		       const struct operation *next)
{
	if (object != LOCK)
		return true;
	if (next->kind == ACQUIRE)
		return (waiting->kind == ACQUIRE) == (next->result == FAILED);
	if (next->process != waiting->process)
		return false;
	if (waiting->kind == RELEASE)
		return next->result == FAILED;
	return next->result == OK &&
	       (!waiting->token || !next->token ||
		waiting->token == next->token);
}
