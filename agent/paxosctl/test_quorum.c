// SPDX-License-Identifier: GPL-2.0
/* Unit tests of kv get --quorum: made-up answers, and what comes of them. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "../paxosd/control.h"
#include "kv.h"
#include "print.h"
#include "test.h"

#define GROUP 7
#define KEY "key"
#define ANSWERS 5

static struct control_held answers[ANSWERS];
static unsigned int n_answers;

/* In place of the agent. */
int __wrap_control_ask_key(uint32_t group, const void *key, size_t length,
			   void (*take)(void *context,
					const struct control_held *held),
			   void *context, char *error, size_t size);
int __wrap_control_ask_key(uint32_t group, const void *key, size_t length,
			   void (*take)(void *context,
					const struct control_held *held),
			   void *context, char *error, size_t size)
{
	unsigned int i;

	(void)error;
	(void)size;
	assert_int_equal(group, GROUP);
	assert_int_equal(length, strlen(KEY));
	assert_memory_equal(key, KEY, length);
	for (i = 0; i < n_answers; i++)
		take(context, &answers[i]);
	return 0;
}

/* The next member, a voter; @value NULL: it has no such key. */
static struct control_held *answer(uint64_t applied, uint64_t mod,
				   const char *value)
{
	struct control_held *held = &answers[n_answers++];

	*held = (struct control_held){
		.member = n_answers,
		.voter = true,
		.held = { .applied = applied, .found = value, .mod = mod,
			  .create = mod, .version = !!value },
	};
	if (value) {
		held->held.length = strlen(value);
		memcpy(held->held.value, value, held->held.length);
	}
	return held;
}

/* A quorum said that the log goes up to @slot. */
static int shown(uint64_t slot)
{
	static const struct command command = { .name = "kv get" };
	const struct arguments arguments = { .command = &command };
	int result = quorum_show(&arguments, GROUP, KEY, slot);

	n_answers = 0;
	return result;
}

static void in_order(const char *text, const char *first, const char *second,
		     const char *third)
{
	const char *at = strstr(text, first);

	at = at ? strstr(at, second) : NULL;
	at = at ? strstr(at, third) : NULL;
	if (!at)
		fail_msg("not '%s', '%s', '%s' in: %s", first, second, third,
			 text);
}

static void who_is_behind_is_no_conflict(void **state)
{
	(void)state;
	answer(12, 9, "new");
	answer(8, 4, "old");
	answer(12, 9, "new");
	assert_int_equal(shown(12), EXIT_FINE);
	in_order(output(), "new    latest", "old    older, 4 slots behind",
		 "new    latest");
	/* It was deleted since, or is not there yet. */
	answer(12, 0, NULL);
	answer(8, 4, "old");
	assert_int_equal(shown(12), EXIT_ERROR);
	assert_non_null(strstr(complaint(), "no such key"));
	output();
	answer(12, 9, "new");
	answer(8, 0, NULL);
	assert_int_equal(shown(12), EXIT_FINE);
	output();
}

/* @second is member 2's: it and member 1, the latest, cannot both be right. */
static void both_cannot_be_right(uint64_t applied, uint64_t mod,
				 const char *second)
{
	answer(12, 9, "right");
	answer(applied, mod, second);
	answer(12, 9, "right");
	assert_int_equal(shown(12), EXIT_ERROR);
	in_order(output(), "latest\n", "CONFLICT\n", "latest\n");
	assert_non_null(strstr(complaint(),
			       "conflict: members 2 and 1 cannot both be right"));
}

static void another_value_at_the_same_slot_is_a_conflict(void **state)
{
	(void)state;
	both_cannot_be_right(12, 9, "wrong");
	both_cannot_be_right(12, 7, "right");
	both_cannot_be_right(12, 0, NULL);
}

static void what_it_must_have_applied_is_a_conflict(void **state)
{
	(void)state;
	/* It is behind, but not behind the slot of the latest value. */
	both_cannot_be_right(10, 4, "old");
	both_cannot_be_right(9, 9, "wrong");
	both_cannot_be_right(9, 0, NULL);
	/* Of a slot that it says it has not. */
	both_cannot_be_right(8, 13, "later");
}

static void a_conflict_is_in_json(void **state)
{
	(void)state;
	print_json = true;
	answer(12, 9, "right");
	answer(12, 9, "wrong");
	answer(8, 4, "old");
	assert_int_equal(shown(12), EXIT_ERROR);
	in_order(output(), "\"latest\":true,\"conflict\":false",
		 "\"latest\":false,\"conflict\":true",
		 "\"latest\":false,\"conflict\":false");
	assert_non_null(strstr(complaint(), "conflict: "));
}

/* Nor is anything that nobody has said, or that no quorum has. */
static void who_gives_no_answer_is_no_conflict(void **state)
{
	(void)state;
	answer(12, 9, "right");
	answer(12, 9, "wrong")->held.error = EBADMSG;
	strcpy(answer(12, 9, "wrong")->error, "cannot connect");
	assert_int_equal(shown(12), EXIT_NO_QUORUM);
	in_order(output(), "right", "its log differs from the others'",
		 "cannot connect");
	assert_non_null(strstr(complaint(), "no quorum"));
	answer(12, 9, "right");
	answer(12, 9, "right");
	answer(12, 9, "right")->voter = false;
	assert_int_equal(shown(14), EXIT_NO_QUORUM);
	assert_non_null(strstr(output(), "2 of 2 voters answered"));
	assert_non_null(strstr(complaint(), "no quorum"));
}

int test_quorum(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_is_behind_is_no_conflict),
		TEST(another_value_at_the_same_slot_is_a_conflict),
		TEST(what_it_must_have_applied_is_a_conflict),
		TEST(a_conflict_is_in_json),
		TEST(who_gives_no_answer_is_no_conflict),
	};

	return cmocka_run_group_tests_name("paxosctl: kv get --quorum", tests,
					   NULL, NULL);
}
