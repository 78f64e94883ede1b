// SPDX-License-Identifier: GPL-2.0
/*
 * Wing and Gong (1993), "Testing and verifying linearizability": depth first
 * through the orders that agree with real time, one operation after the other.
 * Lowe (2017), "Testing for linearizability": what was done and the state that
 * it left are remembered; who comes to the same by another order turns back.
 *
 * An operation of unknown result may come at any time after its call, or not at
 * all. So those wait beside the others, are tried last, and need not be used up;
 * and of two configurations that differ in them alone, the one that has used
 * fewer can do whatever the other can: if it was looked at, the other need not
 * be. Nor does one come before what it makes no difference to: as it may wait, it
 * comes after that, or not at all. Those that explain nothing are left out from the
 * beginning, and of two that are alike the later one comes after the other.
 *
 * What was done is remembered as 128 random bits, the sum over its operations: a
 * wrong verdict by chance is as likely as two of some millions of them alike.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "model.h"
#include "search.h"

#define HEAD 0
#define NO_ENTRY UINT32_MAX
#define KNOWN UINT32_MAX
#define COMPARED 256		/* so many take as long as a configuration */

/* A call or a return, in the order of time; entry 0 is the head of the list. */
struct entry {
	uint32_t operation;
	bool returns;
	uint32_t match;		/* of a call: its return */
	uint32_t before, after;
};

struct sum {
	uint64_t low, high;
};

/* Known operations done, the state, and which unknown ones it took. */
struct visited {
	struct sum done;
	uint32_t state;
	uint32_t next;		/* with the same hash */
	uint64_t used[];
};

/* Where to go on when what came behind it was in vain. */
struct step {
	uint32_t at;		/* entry, or number of an unknown one */
	uint32_t state;
	uint32_t barrier;
	bool unknown;
};

struct search {
	const struct track *track;
	struct model model;
	struct entry *entries;
	uint32_t *unknown;	/* operations, by their call */
	bool *enables;		/* another unknown one may wait for it */
	uint32_t *twin;		/* the last before it that is like it, or KNOWN */
	uint32_t n_unknown;
	uint32_t n_known;
	uint64_t *used;		/* set of unknown ones */
	uint32_t used_words;
	struct sum *weights;	/* by operation */
	struct sum done;
	struct step *steps;
	uint32_t n_steps;

	uint8_t *pool;		/* of struct visited */
	size_t visited_size;
	uint32_t n_visited, room_visited;
	uint64_t compared;	/* with those */
	uint32_t *table;
	uint32_t table_size;
};

/* splitmix64 of Steele, Lea and Flood (2014). */
static uint64_t random_of(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static void *memory(size_t n, size_t each)
{
	void *memory = calloc(n ?: 1, each);

	if (!memory)
		abort();
	return memory;
}

static struct visited *visited_at(const struct search *search, uint32_t i)
{
	return (void *)(search->pool + i * search->visited_size);
}

static uint32_t *bucket(const struct search *search, struct sum done,
			uint32_t state)
{
	return &search->table[(done.low ^ state * 0x9e3779b97f4a7c15ULL) &
			      (search->table_size - 1)];
}

static void grow(struct search *search)
{
	uint32_t i;

	search->room_visited = search->room_visited ?
			       2 * search->room_visited : 1024;
	search->pool = reallocarray(search->pool, search->room_visited,
				    search->visited_size);
	free(search->table);
	search->table_size = 2 * search->room_visited;
	search->table = malloc(search->table_size * sizeof(*search->table));
	if (!search->pool || !search->table)
		abort();
	memset(search->table, 0xff,
	       search->table_size * sizeof(*search->table));
	for (i = 0; i < search->n_visited; i++) {
		struct visited *visited = visited_at(search, i);
		uint32_t *head = bucket(search, visited->done, visited->state);

		visited->next = *head;
		*head = i;
	}
}

static bool is_subset(const uint64_t *a, const uint64_t *b, uint32_t words)
{
	while (words--)
		if (a[words] & ~b[words])
			return false;
	return true;
}

/* False if this configuration, or one that can do more, was met before. */
static bool is_new(struct search *search, uint32_t state)
{
	struct visited *visited;
	uint32_t *head, i;

	if (search->n_visited == search->room_visited)
		grow(search);
	head = bucket(search, search->done, state);
	for (i = *head; i != NO_ENTRY; i = visited->next) {
		visited = visited_at(search, i);
		search->compared++;
		if (visited->state == state &&
		    visited->done.low == search->done.low &&
		    visited->done.high == search->done.high &&
		    is_subset(visited->used, search->used,
			      search->used_words))
			return false;
	}
	visited = visited_at(search, search->n_visited);
	visited->done = search->done;
	visited->state = state;
	visited->next = *head;
	memcpy(visited->used, search->used,
	       search->used_words * sizeof(*search->used));
	*head = search->n_visited++;
	return true;
}

static bool is_used(const struct search *search, uint32_t unknown)
{
	return search->used[unknown / 64] >> unknown % 64 & 1;
}

static void take_out(struct entry *entries, uint32_t i)
{
	entries[entries[i].before].after = entries[i].after;
	if (entries[i].after != NO_ENTRY)
		entries[entries[i].after].before = entries[i].before;
}

static void put_back(struct entry *entries, uint32_t i)
{
	entries[entries[i].before].after = i;
	if (entries[i].after != NO_ENTRY)
		entries[entries[i].after].before = i;
}

static void toggle(struct search *search, const struct step *step)
{
	const struct sum *weight;

	if (step->unknown) {
		search->used[step->at / 64] ^= 1ULL << step->at % 64;
		return;
	}
	weight = &search->weights[search->entries[step->at].operation];
	search->done.low ^= weight->low;
	search->done.high ^= weight->high;
}

/* Do it next, unless that leads to where one was before. */
static bool advance(struct search *search, struct step step, uint32_t *state,
		    uint32_t next)
{
	struct entry *entries = search->entries;

	toggle(search, &step);
	if (!is_new(search, next)) {
		toggle(search, &step);
		return false;
	}
	step.state = *state;
	search->steps[search->n_steps++] = step;
	*state = next;
	if (!step.unknown) {
		take_out(entries, step.at);
		take_out(entries, entries[step.at].match);
	}
	return true;
}

static struct step undo(struct search *search, uint32_t *state)
{
	const struct step step = search->steps[--search->n_steps];
	struct entry *entries = search->entries;

	toggle(search, &step);
	*state = step.state;
	if (!step.unknown) {
		put_back(entries, entries[step.at].match);
		put_back(entries, step.at);
	}
	return step;
}

/*
 * Came the unknown @waiting, which led from state @from to @to, too early for
 * @next? So it did where @next can be without it, and either leaves the same
 * then, or does so when @waiting comes afterwards: @swaps, of two orders only one
 * is to be left out.
 */
static bool too_early(struct search *search, const struct operation *waiting,
		      uint32_t from, uint32_t to, const struct operation *next,
		      bool swaps)
{
	const uint32_t without = model_step(&search->model, from, next);
	uint32_t with;

	if (without == MODEL_NONE)
		return false;
	with = model_step(&search->model, to, next);
	return with == without ||
	       (swaps &&
		with == model_step(&search->model, without, waiting));
}

/* The same of the step that was taken last; @next is unknown one @i, or known. */
static bool last_too_early(struct search *search, uint32_t state,
			   const struct operation *next, uint32_t i)
{
	const struct operation *operations = search->track->operations;
	const struct step *last;

	if (!search->n_steps)
		return false;
	last = &search->steps[search->n_steps - 1];
	return last->unknown &&
	       too_early(search, &operations[search->unknown[last->at]],
			 last->state, state, next, i == KNOWN || i < last->at);
}

/* The same as is_needed() without a look at states: seldom true, and quick. */
static bool may_be_needed(const struct search *search, uint32_t i,
			  uint32_t barrier, uint32_t from)
{
	const struct operation *operations = search->track->operations;
	uint32_t at;

	for (at = search->entries[HEAD].after; at != barrier;
	     at = search->entries[at].after)
		if (model_may_need(&search->model, from,
				   &operations[search->unknown[i]],
				   &operations[search->entries[at].operation]))
			return true;
	return search->enables[i];
}

/* Is there anything that waits for unknown one @i, which leads to @to? */
static bool is_needed(struct search *search, uint32_t i, uint32_t barrier,
		      uint32_t from, uint32_t to)
{
	const struct operation *operations = search->track->operations;
	const struct operation *waiting = &operations[search->unknown[i]];
	const int64_t end =
		operations[search->entries[barrier].operation].end;
	const struct operation *next;
	uint32_t at, after;

	for (at = search->entries[HEAD].after; at != barrier;
	     at = search->entries[at].after) {
		next = &operations[search->entries[at].operation];
		if (model_may_need(&search->model, from, waiting, next) &&
		    model_step(&search->model, to, next) != MODEL_NONE &&
		    !too_early(search, waiting, from, to, next, true))
			return true;
	}
	for (at = 0; search->enables[i] && at < search->n_unknown; at++) {
		next = &operations[search->unknown[at]];
		if (next->call > end)
			break;
		if (at == i || is_used(search, at))
			continue;
		after = model_step(&search->model, to, next);
		if (after != to &&
		    !too_early(search, waiting, from, to, next, at < i))
			return true;
	}
	return false;
}

/* An unknown one that can come before the return that all wait for. */
static bool try_unknown(struct search *search, uint32_t from, uint32_t barrier,
			uint32_t *state)
{
	const struct operation *operations = search->track->operations;
	const int64_t end =
		operations[search->entries[barrier].operation].end;
	uint32_t i, next;

	for (i = from; i < search->n_unknown; i++) {
		const struct operation *operation =
			&operations[search->unknown[i]];
		const struct step step = {
			.at = i, .barrier = barrier, .unknown = true,
		};

		if (operation->call > end)
			break;
		if (is_used(search, i))
			continue;
		if (search->twin[i] != KNOWN && !is_used(search, search->twin[i]))
			continue;
		if (!may_be_needed(search, i, barrier, *state) ||
		    last_too_early(search, *state, operation, i))
			continue;
		next = model_step(&search->model, *state, operation);
		if (next != *state &&
		    is_needed(search, i, barrier, *state, next) &&
		    advance(search, step, state, next))
			return true;
	}
	return false;
}

static void run(struct search *search, uint64_t limit, struct found *found)
{
	const struct operation *operations = search->track->operations;
	const struct entry *entries = search->entries;
	uint32_t at = entries[HEAD].after, left = search->n_known;
	uint32_t state = 0, next, from = 0;
	const struct operation *operation;
	bool unknown = false;
	struct step step;

	while (left) {
		if (search->n_visited > limit ||
		    search->compared / COMPARED > limit) {
			found->verdict = UNDECIDED;
			return;
		}
		if (!unknown && !entries[at].returns) {
			operation = &operations[entries[at].operation];
			next = model_step(&search->model, state, operation);
			step = (struct step){ .at = at };
			if (next != MODEL_NONE &&
			    !last_too_early(search, state, operation, KNOWN) &&
			    advance(search, step, &state, next)) {
				left--;
				at = entries[HEAD].after;
			} else {
				at = entries[at].after;
			}
			continue;
		}
		if (!unknown && search->n_known - left >= found->reached) {
			found->reached = search->n_known - left;
			found->stuck = entries[at].operation;
		}
		/* What is behind a return must come after what returned. */
		if (try_unknown(search, unknown ? from : 0, at, &state)) {
			unknown = false;
			at = entries[HEAD].after;
			continue;
		}
		if (!search->n_steps) {
			found->verdict = NOT_LINEARIZABLE;
			return;
		}
		step = undo(search, &state);
		unknown = step.unknown;
		if (unknown) {
			at = step.barrier;
			from = step.at + 1;
		} else {
			at = entries[step.at].after;
			left++;
		}
	}
	found->reached = search->n_known;
	found->verdict = LINEARIZABLE;
}

/* For sorting: what is called when another returns may come before it. */
struct moment {
	int64_t time;
	bool returns;
	uint32_t operation;
};

static int compare_moments(const void *a, const void *b)
{
	const struct moment *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	if (x->returns != y->returns)
		return x->returns ? 1 : -1;
	return x->operation < y->operation ? -1 : 1;
}

static void make_entries(struct search *search)
{
	const struct track *track = search->track;
	struct moment *moments = memory(2 * track->n, sizeof(*moments));
	uint32_t *calls = memory(track->n, sizeof(*calls));
	uint32_t i, n = 0, at;

	for (i = 0; i < track->n; i++) {
		const struct operation *operation = &track->operations[i];

		moments[n++] = (struct moment){ operation->call, false, i };
		if (operation->result != UNKNOWN)
			moments[n++] = (struct moment){ operation->end, true,
							i };
	}
	qsort(moments, n, sizeof(*moments), compare_moments);
	search->entries = memory(n + 1, sizeof(*search->entries));
	search->unknown = memory(track->n, sizeof(*search->unknown));
	for (i = 0, at = 0; i < n; i++) {
		const uint32_t operation = moments[i].operation;

		if (track->operations[operation].result == UNKNOWN) {
			search->unknown[search->n_unknown++] = operation;
			continue;
		}
		search->entries[at].after = at + 1;
		search->entries[++at] = (struct entry){
			.operation = operation,
			.returns = moments[i].returns,
			.before = at - 1,
		};
		if (moments[i].returns)
			search->entries[calls[operation]].match = at;
		else
			calls[operation] = at;
		search->n_known += moments[i].returns;
	}
	search->entries[at].after = NO_ENTRY;
	free(moments);
	free(calls);
}

static bool explains(const struct track *track, uint32_t waiting,
		     const bool *stays)
{
	uint32_t next;

	for (next = 0; next < track->n; next++)
		if (stays[next] &&
		    model_may_explain(track->object,
				      &track->operations[waiting],
				      &track->operations[next]))
			return true;
	return false;
}

/* Of the unknown ones stay those that explain a known one, or one that stays. */
static void leave_out_others(struct search *search)
{
	const struct track *track = search->track;
	bool *stays = memory(track->n, sizeof(*stays));
	uint32_t i, n = 0;
	bool more;

	for (i = 0; i < track->n; i++)
		stays[i] = track->operations[i].result != UNKNOWN;
	do {
		more = false;
		for (i = 0; i < track->n; i++)
			if (!stays[i] && explains(track, i, stays))
				stays[i] = more = true;
	} while (more);
	for (i = 0; i < search->n_unknown; i++)
		if (stays[search->unknown[i]])
			search->unknown[n++] = search->unknown[i];
	search->n_unknown = n;
	free(stays);
}

static bool are_alike(const struct operation *a, const struct operation *b)
{
	return a->kind == b->kind && a->process == b->process &&
	       a->shared == b->shared && a->token == b->token &&
	       a->value == b->value && a->expected == b->expected;
}

static void find_twins(struct search *search)
{
	const struct operation *operations = search->track->operations;
	uint32_t i, j;

	search->twin = memory(search->n_unknown, sizeof(*search->twin));
	for (i = 0; i < search->n_unknown; i++) {
		search->twin[i] = KNOWN;
		for (j = 0; j < i; j++)
			if (are_alike(&operations[search->unknown[i]],
				      &operations[search->unknown[j]]))
				search->twin[i] = j;
	}
}

static void find_enabling(struct search *search)
{
	const struct operation *operations = search->track->operations;
	uint32_t i, j;

	search->enables = memory(search->n_unknown, sizeof(bool));
	for (i = 0; i < search->n_unknown; i++)
		for (j = 0; j < search->n_unknown; j++)
			if (i != j &&
			    model_may_need(&search->model, 0,
					   &operations[search->unknown[i]],
					   &operations[search->unknown[j]]))
				search->enables[i] = true;
}

struct found search(const struct track *track, uint64_t limit)
{
	struct search search = { .track = track };
	struct found found = { 0 };
	uint64_t seed = 1;
	uint32_t i;

	model_begin(&search.model, track->object);
	make_entries(&search);
	leave_out_others(&search);
	find_twins(&search);
	find_enabling(&search);
	search.used_words = (search.n_unknown + 63) / 64;
	search.used = memory(search.used_words, sizeof(*search.used));
	search.visited_size = sizeof(struct visited) +
			      search.used_words * sizeof(*search.used);
	search.steps = memory(track->n, sizeof(*search.steps));
	search.weights = memory(track->n, sizeof(*search.weights));
	for (i = 0; i < track->n; i++)
		search.weights[i] = (struct sum){ random_of(&seed),
						  random_of(&seed) };
	run(&search, limit, &found);
	found.configurations = search.n_visited;

	model_end(&search.model);
	free(search.entries);
	free(search.unknown);
	free(search.enables);
	free(search.twin);
	free(search.used);
	free(search.steps);
	free(search.weights);
	free(search.pool);
	free(search.table);
	return found;
}
