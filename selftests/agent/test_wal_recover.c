// SPDX-License-Identifier: GPL-2.0
/*
 * A log that becomes that of another cluster: all at once, wherever the power
 * goes, and for no other reason.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "disk.h"
#include "records.h"

#define BEFORE	12	/* records of the former cluster */
#define AFTER	3	/* that the recovery brings */
#define CALLS	40	/* more than it makes */

struct fixture {
	char *path;
	int directory;
	struct wal wal;
};

static struct wal_identity renamed(uint8_t times)
{
	struct wal_identity identity = records_identity;

	identity.cluster[0] ^= times;
	return identity;
}

static void begin(struct fixture *fixture, uint8_t times)
{
	const struct wal_identity identity = renamed(times);

	wal_init(&fixture->wal, &identity, fixture->path, fixture->directory);
	fixture->wal.size = 5 * WAL_BLOCK;
}

static void must(struct fixture *fixture, int result)
{
	if (result)
		fail_msg("%s", fixture->wal.error);
}

static void open_fixture(struct fixture *fixture)
{
	fixture->path = disk_directory(DISK_MEMORY);
	fixture->directory = open(fixture->path, O_RDONLY | O_DIRECTORY);
}

static void close_fixture(struct fixture *fixture)
{
	close(fixture->directory);
	disk_remove(fixture->path);
}

/* A log of BEFORE records, some of the segments full. */
static void sample(struct fixture *fixture, uint8_t times)
{
	struct record record;
	unsigned int i;

	begin(fixture, times);
	must(fixture, wal_create(&fixture->wal));
	wal_close(&fixture->wal);
	begin(fixture, times);
	must(fixture, wal_open(&fixture->wal));
	must(fixture, wal_confirm(&fixture->wal, 0));
	must(fixture, wal_session(&fixture->wal, 77, 1));
	for (i = 1; i <= BEFORE; i++) {
		record = records_make(i, 2000);
		must(fixture, wal_add(&fixture->wal, &record));
		if (i % 2 == 0)
			must(fixture, wal_commit(&fixture->wal));
	}
	wal_close(&fixture->wal);
}

static int recover(struct fixture *fixture, uint8_t from, uint8_t to)
{
	const struct wal_identity former = renamed(from), next = renamed(to);
	struct record records[AFTER];
	struct wal_recovery recovery = {
		.time = htole64(1000 + to),
		.members = htole64(7),
		.commit = htole64(5),
	};
	unsigned int i;

	memcpy(recovery.former, former.cluster, PAXOS_CLUSTER_SIZE);
	memcpy(recovery.cluster, next.cluster, PAXOS_CLUSTER_SIZE);
	for (i = 0; i < AFTER; i++)
		records[i] = records_make(BEFORE + 1 + i, 0);
	return wal_recover(&fixture->wal, &recovery, records, AFTER);
}

struct seen {
	unsigned int records;
	unsigned int sessions;
	unsigned int recoveries;
};

static int count(void *context, const struct record *record)
{
	struct seen *seen = context;

	seen->sessions += record->type == WAL_SESSION;
	seen->recoveries += record->type == WAL_RECOVERY;
	seen->records += record->type < WAL_SESSION;
	return 0;
}

static void check(struct fixture *fixture, unsigned int recoveries)
{
	struct seen seen = { 0 };

	must(fixture, wal_replay(&fixture->wal, count, &seen));
	assert_int_equal(seen.recoveries, recoveries);
	assert_int_equal(seen.records, BEFORE + recoveries * AFTER);
	assert_int_equal(seen.sessions, 1 + recoveries);
	/* Nothing of a former life is taken for one of this. */
	assert_int_equal(fixture->wal.incarnation, 1 + recoveries);
	assert_int_equal(fixture->wal.instance, recoveries ? 0 : 77);
}

static void test_becomes_another(void **state)
{
	struct fixture fixture;
	uint8_t times;

	(void)state;
	disk_reset(1);
	open_fixture(&fixture);
	sample(&fixture, 0);
	for (times = 0; times < 3; times++) {
		begin(&fixture, times);
		must(&fixture, wal_open(&fixture.wal));
		check(&fixture, times);
		must(&fixture, wal_confirm(&fixture.wal, 0));
		must(&fixture, recover(&fixture, times, times + 1));
		wal_close(&fixture.wal);

		begin(&fixture, times);
		assert_int_equal(wal_open(&fixture.wal), -ESTALE);
		assert_non_null(strstr(fixture.wal.error, "Set Cluster = "));
		assert_int_equal(le64toh(fixture.wal.recovery.time),
				 1001 + times);
		assert_int_equal(wal_create(&fixture.wal), -1);
		wal_close(&fixture.wal);

		begin(&fixture, 9);
		assert_int_equal(wal_open(&fixture.wal), -1);
		assert_non_null(strstr(fixture.wal.error, "belongs to"));
		wal_close(&fixture.wal);
	}
	/* And goes on as any other. */
	begin(&fixture, 3);
	must(&fixture, wal_open(&fixture.wal));
	must(&fixture, wal_confirm(&fixture.wal, 0));
	must(&fixture, wal_session(&fixture.wal, 78, 9));
	wal_close(&fixture.wal);
	begin(&fixture, 3);
	must(&fixture, wal_open(&fixture.wal));
	assert_int_equal(fixture.wal.incarnation, 9);
	wal_close(&fixture.wal);
	close_fixture(&fixture);
}

/* The log after @cut: what it was, or what it should be. */
static bool is_recovered(struct fixture *fixture)
{
	int result;

	begin(fixture, 1);
	result = wal_open(&fixture->wal);
	if (!result)
		check(fixture, 1);
	wal_close(&fixture->wal);
	begin(fixture, 0);
	if (result) {
		must(fixture, wal_open(&fixture->wal));
		check(fixture, 0);
	} else {
		assert_int_equal(wal_open(&fixture->wal), -ESTALE);
	}
	wal_close(&fixture->wal);
	return !result;
}

static void cut(unsigned int nth, bool power, unsigned int *done,
		unsigned int *undone)
{
	struct fixture fixture;
	bool said, is;

	disk_reset(nth);
	open_fixture(&fixture);
	sample(&fixture, 0);
	begin(&fixture, 0);
	must(&fixture, wal_open(&fixture.wal));
	disk_cut(nth);
	said = !wal_confirm(&fixture.wal, 0) && !recover(&fixture, 0, 1);
	disk_cut(1);
	wal_close(&fixture.wal);
	if (power)
		disk_restart();
	else
		disk_kill();
	is = is_recovered(&fixture);
	if (said)
		assert_true(is);
	*done += is;
	*undone += !is;
	/* Called again, it is done. */
	if (!is) {
		begin(&fixture, 0);
		must(&fixture, wal_open(&fixture.wal));
		must(&fixture, wal_confirm(&fixture.wal, 0));
		must(&fixture, recover(&fixture, 0, 1));
		wal_close(&fixture.wal);
		assert_true(is_recovered(&fixture));
	}
	close_fixture(&fixture);
}

static void test_cut_anywhere(void **state)
{
	unsigned int nth, done = 0, undone = 0;

	(void)state;
	for (nth = 1; nth <= CALLS; nth++) {
		cut(nth, true, &done, &undone);
		cut(nth, false, &done, &undone);
	}
	assert_true(done > 10);
	assert_true(undone > 10);
}

/* A segment of another cluster that no recovery explains. */
static void test_no_recovery_no_change(void **state)
{
	struct fixture ours, other;
	char from[PATH_MAX], to[PATH_MAX], command[2 * PATH_MAX + 32];

	(void)state;
	disk_reset(1);
	open_fixture(&ours);
	open_fixture(&other);
	sample(&ours, 0);
	sample(&other, 1);
	snprintf(from, sizeof(from), "%s/0000000003.wal", other.path);
	snprintf(to, sizeof(to), "%s/0000000003.wal", ours.path);
	snprintf(command, sizeof(command), "cp %s %s", from, to);
	assert_int_equal(system(command), 0);
	begin(&ours, 0);
	assert_int_equal(wal_open(&ours.wal), -1);
	assert_non_null(strstr(ours.wal.error,
			       "the segment is of another cluster"));
	wal_close(&ours.wal);
	close_fixture(&ours);
	close_fixture(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_becomes_another),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_no_recovery_no_change),
	};

	return cmocka_run_group_tests_name("wal_recover", tests, NULL, NULL);
}
