// SPDX-License-Identifier: GPL-2.0
/*
 * Random histories: tiny ones against all orders there are, tried one after the
 * other; large ones that are linearizable because they were made from an order,
 * and that are not because one result was changed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "model.h"
#include "search.h"

#define LIMIT 10000000
#define TINY 7
#define TRIES 10000
#define LARGE 5000

static uint64_t seed;

static uint32_t draw(uint32_t below)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (seed >> 33) % below;
}

/* Every order that agrees with real time, no memory of what was tried. */
static bool brute(struct model *model, const struct track *track,
		  uint32_t done, uint32_t state)
{
	const struct operation *operations = track->operations;
	int64_t end = NEVER;
	uint32_t i, next, left = 0;

	for (i = 0; i < track->n; i++)
		if (!(done >> i & 1) && operations[i].result != UNKNOWN) {
			left++;
			if (operations[i].end < end)
				end = operations[i].end;
		}
	if (!left)
		return true;
	for (i = 0; i < track->n; i++) {
		if (done >> i & 1 || operations[i].call > end)
			continue;
		next = model_step(model, state, &operations[i]);
		if (next != MODEL_NONE &&
		    brute(model, track, done | 1U << i, next))
			return true;
	}
	return false;
}

static struct operation draw_operation(enum object object)
{
	struct operation operation = {
		.process = draw(3),
		.result = draw(5) ? OK : UNKNOWN,
		.value = 1 + draw(2),
		.call = draw(12),
	};

	operation.end = operation.call + draw(6);
	switch (object) {
	case REGISTER:
		operation.kind = draw(3);
		if (operation.kind == CAS) {
			operation.expected = draw(3);
			if (operation.result == OK && draw(2))
				operation.result = FAILED;
		} else if (operation.kind == GET) {
			operation.value = draw(3);
			operation.result = OK;
		}
		break;
	case LOCK:
		operation.kind = draw(2) ? ACQUIRE : RELEASE;
		operation.shared = draw(2);
		operation.token = 1 + draw(4);
		if (operation.result == UNKNOWN && draw(2))
			operation.token = 0;
		if (operation.kind == ACQUIRE && operation.result == UNKNOWN)
			operation.token = 0;
		if (operation.result == OK && !draw(4))
			operation.result = FAILED;
		break;
	case QUEUE:
		operation.kind = draw(2) ? PUSH : POP;
		if (operation.kind == POP)
			operation.value = draw(3);
		break;
	}
	if (operation.result == UNKNOWN)
		operation.end = NEVER;
	return operation;
}

static void against_brute_force(enum object object)
{
	struct operation operations[TINY];
	struct track track = { .object = object, .operations = operations };
	uint32_t try, verdicts[2] = { 0 };
	struct model model;
	struct found found;
	bool expected;

	for (try = 0; try < TRIES; try++) {
		seed = 1000 * try + object;
		track.n = 1 + draw(TINY);
		for (uint32_t i = 0; i < track.n; i++)
			operations[i] = draw_operation(object);
		model_begin(&model, object);
		expected = brute(&model, &track, 0, 0);
		model_end(&model);
		found = search(&track, LIMIT);
		if (found.verdict != (expected ? LINEARIZABLE :
						 NOT_LINEARIZABLE))
			fail_msg("object %d, try %u: %d, brute force says %d",
				 object, try, found.verdict, expected);
		verdicts[expected]++;
	}
	/* Neither verdict is the only one. */
	assert_true(verdicts[0] > TRIES / 20 && verdicts[1] > TRIES / 20);
}

static void test_register(void **state)
{
	(void)state;
	against_brute_force(REGISTER);
}

static void test_lock(void **state)
{
	(void)state;
	against_brute_force(LOCK);
}

static void test_queue(void **state)
{
	(void)state;
	against_brute_force(QUEUE);
}

/*
 * @n operations of a register by @clients, each somewhere around the moment at
 * which it took effect; some have no known end, of which half had no effect.
 */
static struct operation *make_register(uint32_t n, uint32_t clients)
{
	struct operation *operations = calloc(n, sizeof(*operations));
	int64_t *free_at = calloc(clients, sizeof(*free_at));
	uint64_t value = 0, fresh = 0;
	uint32_t i, client;

	assert_non_null(operations);
	assert_non_null(free_at);
	for (i = 0; i < n; i++) {
		struct operation *operation = &operations[i];
		const int64_t now = 100 * (i + 1);
		bool lost = false;

		client = draw(clients);
		operation->process = client;
		operation->call = now - draw(100 * clients);
		if (operation->call < free_at[client])
			operation->call = free_at[client];
		if (operation->call > now)
			operation->call = now;
		operation->end = now + draw(100 * clients);
		free_at[client] = operation->end + 1;
		operation->kind = draw(3);
		if (operation->kind != GET && !draw(50)) {
			operation->result = UNKNOWN;
			operation->end = NEVER;
			lost = draw(2);
		}
		switch (operation->kind) {
		case PUT:
			operation->value = ++fresh;
			break;
		case GET:
			operation->value = value;
			break;
		case CAS:
			operation->expected = draw(3) ? value : fresh + 1000;
			operation->value = ++fresh;
			if (operation->result == OK &&
			    operation->expected != value)
				operation->result = FAILED;
			break;
		}
		if (!lost && operation->kind != GET &&
		    (operation->kind == PUT || operation->expected == value))
			value = operation->value;
	}
	free(free_at);
	return operations;
}

static void test_large(void **state)
{
	struct track track = { .object = REGISTER, .n = LARGE };
	struct found found;
	uint32_t i;

	(void)state;
	seed = 7;
	track.operations = make_register(LARGE, 8);
	found = search(&track, LIMIT);
	assert_int_equal(found.verdict, LINEARIZABLE);
	/* A read in the middle returns what was there long before. */
	for (i = LARGE / 2; track.operations[i].kind != GET; i++)
		;
	track.operations[i].value = track.operations[0].value ?: 1;
	found = search(&track, LIMIT);
	assert_int_equal(found.verdict, NOT_LINEARIZABLE);
	assert_true(found.reached >= LARGE / 3 && found.reached <= LARGE - 1);
	free(track.operations);
}

static void test_many(void **state)
{
	struct track track = { .object = REGISTER };
	uint32_t try;

	(void)state;
	for (try = 0; try < 200; try++) {
		seed = try;
		track.n = 50 + draw(400);
		track.operations = make_register(track.n, 2 + draw(12));
		assert_int_equal(search(&track, LIMIT).verdict, LINEARIZABLE);
		free(track.operations);
	}
}

/* So many configurations, and it says that it does not know. */
static void test_limit(void **state)
{
	struct track track = { .object = REGISTER, .n = 1000 };

	(void)state;
	seed = 3;
	track.operations = make_register(track.n, 4);
	assert_int_equal(search(&track, 100).verdict, UNDECIDED);
	free(track.operations);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_register),
		cmocka_unit_test(test_lock),
		cmocka_unit_test(test_queue),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests_name("linearizability: random histories",
					   tests, NULL, NULL);
}
