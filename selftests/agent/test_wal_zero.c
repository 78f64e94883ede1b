// SPDX-License-Identifier: GPL-2.0
/* Space that is written ahead: to fail there costs nothing but time. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "disk.h"
#include "records.h"

struct fixture {
	char *path;
	int directory;
	struct wal wal;
	unsigned int written;	/* records acknowledged */
};

static void must(struct fixture *fixture, int result)
{
	if (result)
		fail_msg("%s", fixture->wal.error);
}

static void begin(struct fixture *fixture)
{
	wal_init(&fixture->wal, &records_identity, fixture->path,
		 fixture->directory);
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	disk_reset(1);
	fixture->path = disk_directory(DISK_MEMORY);
	fixture->directory = open(fixture->path, O_RDONLY | O_DIRECTORY);
	begin(fixture);
	must(fixture, wal_create(&fixture->wal));
	wal_close(&fixture->wal);
	begin(fixture);
	fixture->wal.size = 3 * WAL_ZERO_SIZE - WAL_BLOCK;
	must(fixture, wal_open(&fixture->wal));
	must(fixture, wal_confirm(&fixture->wal, 0));
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	wal_close(&fixture->wal);
	close(fixture->directory);
	disk_remove(fixture->path);
	free(fixture);
	return 0;
}

/* Until the spare is in use. */
static void fill(struct fixture *fixture)
{
	struct record record;

	do {
		record = records_make(++fixture->written, 30000);
		must(fixture, wal_add(&fixture->wal, &record));
		must(fixture, wal_commit(&fixture->wal));
	} while (fixture->wal.spare >= 0);
}

static void expect_all(struct fixture *fixture)
{
	struct records_seen seen = { 0 };

	wal_close(&fixture->wal);
	begin(fixture);
	must(fixture, wal_open(&fixture->wal));
	must(fixture, wal_replay(&fixture->wal, records_check, &seen));
	assert_int_equal(seen.count, fixture->written);
}

static void test_step_by_step(void **state)
{
	struct fixture *fixture = *state;
	struct stat status;
	unsigned int steps;

	assert_int_equal(wal_zero(&fixture->wal), 0);	/* nothing is allotted */
	must(fixture, wal_prepare(&fixture->wal));
	for (steps = 1; wal_zero(&fixture->wal); steps++)
		assert_true(steps < 3);
	assert_int_equal(steps, 3);
	assert_int_equal(fixture->wal.zeroed, fixture->wal.size);
	assert_int_equal(fstat(fixture->wal.spare, &status), 0);
	assert_int_equal(status.st_size, fixture->wal.size);
	assert_int_equal(wal_zero(&fixture->wal), 0);
	fill(fixture);
	/* The next one is used before it is written through. */
	must(fixture, wal_prepare(&fixture->wal));
	assert_int_equal(wal_zero(&fixture->wal), 1);
	fill(fixture);
	expect_all(fixture);
}

static void test_fails(void **state)
{
	struct fixture *fixture = *state;
	int old;

	must(fixture, wal_prepare(&fixture->wal));
	assert_int_equal(wal_zero(&fixture->wal), 1);
	old = fixture->wal.spare;
	disk_fail(DISK_FDATASYNC, 1, EIO);
	assert_int_equal(wal_zero(&fixture->wal), -1);
	assert_non_null(strstr(fixture->wal.error, "spare: cannot fill"));
	/* That file is never used, and the log is none the worse. */
	assert_int_equal(fixture->wal.spare, -1);
	assert_true(fcntl(old, F_GETFD) < 0);
	assert_false(fixture->wal.failed);
	must(fixture, wal_prepare(&fixture->wal));
	assert_int_equal(fixture->wal.zeroed, 0);
	assert_int_equal(wal_zero(&fixture->wal), 0);
	fill(fixture);
	expect_all(fixture);
}

static void test_write_fails(void **state)
{
	struct fixture *fixture = *state;

	must(fixture, wal_prepare(&fixture->wal));
	disk_fail(DISK_PWRITE, 2, ENOSPC);
	assert_int_equal(wal_zero(&fixture->wal), -1);
	assert_int_equal(fixture->wal.spare, -1);
	must(fixture, wal_prepare(&fixture->wal));
	fill(fixture);
	expect_all(fixture);
}

#define TEST(name, function) { name, function, setup, teardown, NULL }

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST("space is written ahead step by step", test_step_by_step),
		TEST("a sync that fails there costs that file", test_fails),
		TEST("a write that fails there costs that file",
		     test_write_fails),
	};

	return cmocka_run_group_tests_name("wal_zero", tests, NULL, NULL);
}
