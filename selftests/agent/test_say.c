// SPDX-License-Identifier: GPL-2.0
/* What is said reaches who reads, and waits for nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "say.h"

static int standard_error, reads;

static int setup(void **state)
{
	int ends[2];

	(void)state;
	standard_error = dup(STDERR_FILENO);
	assert_int_equal(pipe(ends), 0);
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	close(ends[1]);
	reads = ends[0];
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dup2(standard_error, STDERR_FILENO);
	close(standard_error);
	close(reads);
	return 0;
}

static void test_a_sentence_is_a_line(void **state)
{
	static const char expected[] = "paxosd: 1 is said\n"
				       "paxosd: warning: of that\n";
	char heard[200] = "";

	(void)state;
	say_error("%d is said", 1);
	say_warning("of that");
	assert_int_equal(read(reads, heard, sizeof(heard) - 1),
			 strlen(expected));
	assert_string_equal(heard, expected);
}

/* The thread that beats would be silent until somebody reads. */
static void test_nobody_reads_and_nobody_waits(void **state)
{
	static char text[2000], heard[1 << 20];
	unsigned int i, lost;
	const char *also;
	ssize_t n;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	for (i = 0; i < 200; i++)
		say_notice("%s", text);
	n = read(reads, heard, sizeof(heard) - 1);
	assert_in_range(n, 2000, 199 * 2000);
	assert_int_equal(heard[n - 1], '\n');
	for (i = 0; n; n--)
		i += heard[n - 1] == '\n';
	say_notice("and again");
	n = read(reads, heard, sizeof(heard) - 1);
	assert_true(n > 0);
	heard[n] = '\0';
	also = strstr(heard, "and again (");
	assert_non_null(also);
	assert_int_equal(sscanf(also, "and again (%u before it were not taken)",
				&lost), 1);
	assert_int_equal(i + lost, 200);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_sentence_is_a_line),
		TEST(nobody_reads_and_nobody_waits),
	};

	return cmocka_run_group_tests_name("say", tests, NULL, NULL);
}
