// SPDX-License-Identifier: GPL-2.0
/* Each call fails once, in each way, and nothing that was acknowledged is lost. */
#include <errno.h>
#include "wal_fixture.h"

/* Whatever fails, it is final, and nothing that was acknowledged is missing. */
static void fault(struct fixture *fixture, enum disk_call call, int error)
{
	unsigned int i, records = 0;

	live(fixture);
	commit(fixture, 1, 20);
	disk_fail(call, 1, error);
	for (i = 0; i < 6; i++) {
		if (add(fixture, fixture->written + 1, 20) ||
		    wal_commit(&fixture->wal))
			break;
		fixture->written++;
		if (call != DISK_FALLOCATE)
			must(fixture, wal_prepare(&fixture->wal));
	}
	assert_true(i < 6);
	assert_non_null(strstr(fixture->wal.error, strerror(error)));
	assert_int_equal(wal_commit(&fixture->wal), -1);
	wal_close(&fixture->wal);
	disk_restart();

	/* The batch that failed may be there whole or not at all. */
	live(fixture);
	for (records = 0; records_lsn(records) < fixture->wal.end.lsn;)
		records++;
	wal_close(&fixture->wal);
	expect(fixture, records);
	assert_in_range(records, fixture->written, fixture->written + 1);
	fixture->written = records;
}

static void test_any_call_fails(void **state)
{
	static const int errors[] = { EIO, ENOSPC };
	struct fixture *fixture = fixture_of(state);
	unsigned int round, i;
	int call;

	create(fixture);
	for (round = 0; round < 5; round++)
		for (call = 0; call < DISK_WRITES; call++)
			for (i = 0; i < 2; i++)
				if (call != DISK_UNLINK)	/* a log that grows */
					fault(fixture, call, errors[i]);
	expect(fixture, fixture->written);
}

/* The rest of it follows. */
static void test_half_a_write(void **state)
{
	struct fixture *fixture = fixture_of(state);
	unsigned int nth;

	create(fixture);
	for (nth = 1; nth < 6; nth++) {
		live(fixture);
		disk_fail(DISK_PWRITE, nth, 0);
		commit(fixture, 2, 5000);
		commit(fixture, 1, 20);
		wal_close(&fixture->wal);
		expect(fixture, fixture->written);
	}
}

/* It may be read another time: nothing says that the log is damaged. */
static void test_a_read_fails(void **state)
{
	struct fixture *fixture = fixture_of(state);
	unsigned int nth, failed = 0;

	sample(fixture);
	/* The first is that of "durable", which would only help. */
	for (nth = 2; nth < 10; nth++) {
		begin(fixture);
		disk_fail(DISK_PREAD, nth, EIO);
		if (wal_open(&fixture->wal)) {
			failed++;
			assert_non_null(strstr(fixture->wal.error,
					       "cannot read at offset 0"));
			assert_false(fixture->wal.damaged);
			assert_false(fixture->wal.foreign);
		}
		wal_close(&fixture->wal);
		disk_reset(1);
	}
	assert_int_equal(failed, 3);
	begin(fixture);
	disk_fail(DISK_PREAD, 4, 0);
	assert_int_equal(wal_open(&fixture->wal), -1);
	assert_non_null(strstr(fixture->wal.error, "in the middle of a block"));
	wal_close(&fixture->wal);
	disk_reset(1);
	expect(fixture, fixture->written);
}

static void test_sync_fails_and_is_not_tried_again(void **state)
{
	struct fixture *fixture = fixture_of(state);
	unsigned int i;

	create(fixture);
	for (i = 0; i < 20; i++)
		fault(fixture, DISK_FDATASYNC, i % 2 ? EIO : ENOSPC);
	expect(fixture, fixture->written);
}

static void test_space_is_missed_before_it_is_needed(void **state)
{
	struct fixture *fixture = fixture_of(state);

	create(fixture);
	live(fixture);
	commit(fixture, 1, 20);
	disk_fail(DISK_FALLOCATE, 1, ENOSPC);
	assert_int_equal(wal_prepare(&fixture->wal), -1);
	assert_non_null(strstr(fixture->wal.error, "No space left"));
	commit(fixture, 1, 20);	/* there is room in this one */
	must(fixture, wal_prepare(&fixture->wal));
	wal_close(&fixture->wal);
	fault(fixture, DISK_FALLOCATE, ENOSPC);
	expect(fixture, fixture->written);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(any_call_fails),
		TEST(half_a_write),
		TEST(a_read_fails),
		TEST(sync_fails_and_is_not_tried_again),
		TEST(space_is_missed_before_it_is_needed),
	};

	return cmocka_run_group_tests_name("wal_fails", tests, NULL, NULL);
}
