/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SELFTESTS_CORE_UNIT_H
#define _SELFTESTS_CORE_UNIT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include "harness.h"

/*
 * A test's name is the rule that it checks: of the paper ("P1a: ..."), of
 * DESIGN.md ("law 2: ...") or of what went wrong elsewhere ("pitfall, MyPaxos
 * #18: ...").
 */
#define TEST(rule, function)	{ rule, function, NULL, NULL, NULL }

#define RUN_TESTS(tests) \
	cmocka_run_group_tests_name(__FILE__, tests, NULL, NULL)

#define assert_drop(expected, got) \
	assert_string_equal(drop_name(got), drop_name(expected))

#define assert_outcome(expected, c, id, cookie) do {			\
	const struct ended *_ended = ended(c, id, cookie);		\
									\
	assert_non_null(_ended);					\
	assert_string_equal(outcome_name(_ended->outcome),		\
			    outcome_name(expected));			\
} while (0)

#endif
