/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSCTL_TEST_H
#define _PAXOSCTL_TEST_H

/* Between test.c and test_*.c: each test begins with nothing printed. */
int setup(void **state);
int teardown(void **state);
/* What was printed, and complained about, since the last call. */
const char *output(void);
const char *complaint(void);

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* Returns how many failed. */
int test_messages(void);
int test_child(void);
int test_quorum(void);

#endif
