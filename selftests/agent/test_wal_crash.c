// SPDX-License-Identifier: GPL-2.0
/*
 * The process dies or the power goes at every call to the disk, again and again
 * over one log. With the power goes, at random, what was not synced. What was
 * acknowledged must be there, in order, and nothing else but the batch that was
 * under way.
 *
 * usage: test_wal_crash [SEED]: that seed alone, and a line for each life
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "disk.h"
#include "records.h"

#define SEEDS 60
#define LIVES 40
#define CALLS_MAX 30
#define BATCHES_MAX 20

struct crash {
	struct wal wal;
	unsigned int acknowledged;	/* records */
	unsigned int written;		/* and those under way */
	unsigned int sessions;		/* acknowledged */
	bool verbose;
};

/* One life, until the power goes or something fails. */
static void live(struct crash *crash)
{
	struct wal *wal = &crash->wal;
	struct record record;
	unsigned int i, n, batches;

	if (wal_confirm(wal, 0))
		return;
	/* The kernel takes all that was replayed as durable. */
	crash->acknowledged = crash->written;
	if (disk_random(2)) {
		if (wal_session(wal, 1 + disk_random(1000),
				wal->incarnation + 1))
			return;
		crash->sessions = wal->incarnation;
	}
	/* A fault that only hit "durable" ends nothing. */
	for (batches = 0; batches < BATCHES_MAX; batches++) {
		n = 1 + disk_random(5);
		for (i = 1; i <= n; i++) {
			record = records_make(crash->acknowledged + i,
					      disk_random(3000));
			assert_int_equal(wal_add(wal, &record), 0);
		}
		crash->written = crash->acknowledged + n;
		if (wal_commit(wal))
			return;
		crash->acknowledged = crash->written;
		if (!disk_random(3) && wal_prepare(wal))
			return;
		while (disk_random(2) && wal_zero(wal) > 0)
			;
	}
}

/* What the next life finds. */
static void read_back(struct crash *crash)
{
	struct records_seen seen = { 0 };

	if (wal_open(&crash->wal) ||
	    wal_replay(&crash->wal, records_check, &seen))
		fail_msg("%s", crash->wal.error);
	if (crash->verbose)
		printf("%u of %u to %u records, incarnation %u of %u, segment %u\n",
		       seen.count, crash->acknowledged, crash->written,
		       (unsigned int)crash->wal.incarnation, crash->sessions,
		       (unsigned int)crash->wal.end.sequence);
	if (seen.count != crash->acknowledged)
		assert_int_equal(seen.count, crash->written);
	crash->written = seen.count;
	assert_in_range(crash->wal.incarnation, crash->sessions,
			crash->sessions + 1);
	crash->sessions = crash->wal.incarnation;
}

static void run(uint32_t seed, bool verbose)
{
	struct crash crash = { .verbose = verbose };
	char *path;
	int directory;
	unsigned int i;

	disk_reset(seed);
	path = disk_directory(DISK_MEMORY);
	directory = open(path, O_RDONLY | O_DIRECTORY);
	wal_init(&crash.wal, &records_identity, path, directory);
	assert_int_equal(wal_create(&crash.wal), 0);
	wal_close(&crash.wal);
	for (i = 0; i < LIVES; i++) {
		wal_init(&crash.wal, &records_identity, path, directory);
		crash.wal.size = 6 * WAL_BLOCK;
		read_back(&crash);
		if (disk_random(4))
			disk_cut(1 + disk_random(CALLS_MAX));
		else
			disk_fail(disk_random(DISK_WRITES),
				  1 + disk_random(CALLS_MAX / 4), EIO);
		live(&crash);
		disk_cut(1);	/* so that wal_close() does nothing good */
		wal_close(&crash.wal);
		if (disk_random(2))
			disk_restart();
		else
			disk_kill();
	}
	close(directory);
	disk_remove(path);
}

static void test_power_cuts(void **state)
{
	uint32_t seed;

	(void)state;
	for (seed = 1; seed <= SEEDS; seed++)
		run(seed, false);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_power_cuts),
	};

	if (argc > 1) {
		run(strtoul(argv[1], NULL, 10), true);
		return 0;
	}
	return cmocka_run_group_tests_name("wal_crash", tests, NULL, NULL);
}
