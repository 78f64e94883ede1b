// SPDX-License-Identifier: GPL-2.0
/* What the log says is chosen is found from any slot on, while it is written. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "disk.h"
#include "records.h"
#include "wal_chosen.h"

struct fixture {
	char *path;
	int directory;
	struct wal wal;
	struct wal_index index;
	struct wal_chosen chosen;
	uint64_t lsn;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	disk_reset(1);
	fixture->path = disk_directory(DISK_MEMORY);
	fixture->directory = open(fixture->path, O_RDONLY | O_DIRECTORY);
	fixture->chosen.fd = -1;
	wal_index_init(&fixture->index);
	*state = fixture;
	return fixture->directory < 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	wal_chosen_close(&fixture->chosen);
	wal_close(&fixture->wal);
	wal_index_free(&fixture->index);
	close(fixture->directory);
	disk_remove(fixture->path);
	free(fixture);
	return 0;
}

static void must(struct fixture *fixture, int result)
{
	if (result)
		fail_msg("%s", fixture->wal.error);
}

/* A life of the agent, with an index that it makes from the log. */
static void live(struct fixture *fixture)
{
	wal_close(&fixture->wal);
	wal_index_free(&fixture->index);
	wal_index_init(&fixture->index);
	wal_init(&fixture->wal, &records_identity, fixture->path,
		 fixture->directory);
	fixture->wal.size = 6 * WAL_BLOCK;
	fixture->wal.index = &fixture->index;
	must(fixture, wal_open(&fixture->wal));
	must(fixture, wal_confirm(&fixture->wal, 0));
}

static void begin(struct fixture *fixture)
{
	wal_init(&fixture->wal, &records_identity, fixture->path,
		 fixture->directory);
	must(fixture, wal_create(&fixture->wal));
	live(fixture);
}

/* The length tells values of a slot apart. */
static void accept(struct fixture *fixture, uint64_t slot, uint64_t round,
		   uint32_t length)
{
	struct record record = records_make(slot, length);

	record.type = PAXOS_NL_RECORD_ACCEPT;
	record.lsn = ++fixture->lsn;
	record.slot = slot;
	record.ballot = round * 256 + 3;
	must(fixture, wal_add(&fixture->wal, &record));
}

static void choose(struct fixture *fixture, uint64_t slot)
{
	const struct record record = {
		.type = PAXOS_NL_RECORD_COMMIT,
		.lsn = ++fixture->lsn,
		.slot = slot,
	};

	must(fixture, wal_add(&fixture->wal, &record));
}

static void commit(struct fixture *fixture)
{
	must(fixture, wal_commit(&fixture->wal));
}

static void read_from(struct fixture *fixture, uint64_t slot)
{
	if (!fixture->chosen.index)
		assert_int_equal(wal_chosen_open(&fixture->chosen,
						 &fixture->index, fixture->path,
						 fixture->directory), 0);
	wal_chosen_seek(&fixture->chosen, slot);
}

/* The next is @slot's value, accepted in @round, of @length bytes. */
static void next_is(struct fixture *fixture, uint64_t slot, uint64_t round,
		    uint32_t length)
{
	const struct record *record = NULL;
	struct record expected;
	int result;

	do
		result = wal_chosen_peek(&fixture->chosen, &record);
	while (!result && !wal_chosen_done(&fixture->chosen));
	if (result != 1)
		fail_msg("slot %d: %s", (int)slot, result < 0 ?
			 fixture->chosen.error : "there is no more");
	expected = records_make(slot, length);
	assert_int_equal(record->slot, slot);
	assert_int_equal(record->ballot, round * 256 + 3);
	assert_int_equal(record->length, length);
	assert_int_equal(record->seq, expected.seq);
	assert_memory_equal(record->value, expected.value, length);
	wal_chosen_take(&fixture->chosen);
}

static void no_more(struct fixture *fixture)
{
	const struct record *record;

	assert_int_equal(wal_chosen_peek(&fixture->chosen, &record), 0);
	assert_true(wal_chosen_done(&fixture->chosen));
}

static void test_last_accepted(void **state)
{
	struct fixture *fixture = *state;

	begin(fixture);
	accept(fixture, 1, 1, 10);
	accept(fixture, 2, 1, 11);
	commit(fixture);
	accept(fixture, 2, 5, 12);
	accept(fixture, 3, 5, 13);
	choose(fixture, 2);
	accept(fixture, 3, 7, 14);
	commit(fixture);
	read_from(fixture, 1);
	next_is(fixture, 1, 1, 10);
	next_is(fixture, 2, 5, 12);
	/* Slot 3 is accepted and not known to be chosen. */
	no_more(fixture);
	choose(fixture, 3);
	no_more(fixture);
	commit(fixture);
	next_is(fixture, 3, 7, 14);
	no_more(fixture);
}

static void test_nothing(void **state)
{
	struct fixture *fixture = *state;

	begin(fixture);
	read_from(fixture, 1);
	no_more(fixture);
	accept(fixture, 1, 1, 1);
	commit(fixture);
	no_more(fixture);
	read_from(fixture, 1000);
	no_more(fixture);
}

/* Many segments, values that are accepted long before they are chosen. */
static void write_many(struct fixture *fixture, uint64_t from, uint64_t to)
{
	uint64_t slot;

	for (slot = from; slot <= to; slot++) {
		/* Now and then one is accepted early, and once more. */
		if (slot % 7 == 1 && slot + 9 <= to)
			accept(fixture, slot + 9, 1, slot % 900);
		accept(fixture, slot, 2, slot % 1300);
		if (slot % 3 == 0)
			choose(fixture, slot);
		commit(fixture);
	}
	choose(fixture, to);
	commit(fixture);
}

static void test_from_any_slot(void **state)
{
	struct fixture *fixture = *state;
	uint64_t from, slot;

	begin(fixture);
	write_many(fixture, 1, 300);
	assert_true(fixture->index.n_parts > 30);
	for (from = 1; from <= 301; from += from % 5 + 1) {
		read_from(fixture, from);
		for (slot = from; slot <= 300; slot++)
			next_is(fixture, slot, 2, slot % 1300);
		no_more(fixture);
	}
	/* Only what is asked for is read: not all segments for the last slot. */
	fixture->chosen.read = 0;
	read_from(fixture, 300);
	next_is(fixture, 300, 2, 300);
	assert_true(fixture->chosen.read < 20 * WAL_BLOCK);
}

static void test_made_at_start(void **state)
{
	struct fixture *fixture = *state;
	struct wal_stretch *stretches;
	size_t n, segments, i;
	uint64_t commit, slot;

	begin(fixture);
	write_many(fixture, 1, 100);
	n = fixture->index.n;
	segments = fixture->index.n_parts;
	commit = fixture->index.commit;
	stretches = malloc(n * sizeof(*stretches));
	memcpy(stretches, fixture->index.stretches, n * sizeof(*stretches));
	live(fixture);
	assert_int_equal(fixture->index.n, n);
	assert_int_equal(fixture->index.n_parts, segments);
	assert_int_equal(fixture->index.commit, commit);
	assert_memory_equal(fixture->index.stretches, stretches,
			    n * sizeof(*stretches));
	free(stretches);
	/* To read the log for the kernel changes nothing in it. */
	must(fixture, wal_replay(&fixture->wal, NULL, NULL));
	assert_int_equal(fixture->index.n, n);
	write_many(fixture, 101, 200);
	read_from(fixture, 50);
	for (slot = 50; slot <= 200; slot++)
		next_is(fixture, slot, 2, slot % 1300);
	no_more(fixture);
	for (i = 1; i < fixture->index.n; i++)
		assert_true(fixture->index.stretches[i - 1].highest <=
			    fixture->index.stretches[i].highest);
}

/* In one large segment, too, no more is read than must be. */
static void test_stretches(void **state)
{
	struct fixture *fixture = *state;
	uint64_t slot;

	begin(fixture);
	fixture->wal.size = 16 << 20;
	for (slot = 1; slot <= 100; slot++) {
		accept(fixture, slot, 1, 30000);
		choose(fixture, slot);
		commit(fixture);
	}
	assert_int_equal(fixture->index.n_parts, 1);
	assert_in_range(fixture->index.n, 10, 14);
	for (slot = 1; slot <= 100; slot += 9) {
		fixture->chosen.read = 0;
		read_from(fixture, slot);
		next_is(fixture, slot, 1, 30000);
		assert_true(fixture->chosen.read <=
			    WAL_STRETCH + 3 * 32768 + WAL_BLOCK);
	}
}

static void test_unconfirmed_tail(void **state)
{
	struct fixture *fixture = *state;
	uint64_t slot;

	begin(fixture);
	write_many(fixture, 1, 20);
	/* The agent dies: its last batch is written once more. */
	disk_kill();
	live(fixture);
	write_many(fixture, 21, 40);
	read_from(fixture, 1);
	for (slot = 1; slot <= 40; slot++)
		next_is(fixture, slot, 2, slot % 1300);
	no_more(fixture);
}

/* A bit that fell over since the start: nothing wrong is given out. */
static void test_rot(void **state)
{
	struct fixture *fixture = *state;
	const struct record *record;
	uint64_t taken = 0;
	char name[WAL_NAME_SIZE];
	uint8_t byte;
	int fd, result;

	begin(fixture);
	write_many(fixture, 1, 60);
	fd = openat(fixture->directory, wal_segment_name(name, 4), O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, 2 * WAL_BLOCK + 60), 1);
	byte ^= 4;
	assert_int_equal(pwrite(fd, &byte, 1, 2 * WAL_BLOCK + 60), 1);
	close(fd);
	read_from(fixture, 1);
	for (;;) {
		result = wal_chosen_peek(&fixture->chosen, &record);
		if (result < 0)
			break;
		if (!result) {
			assert_false(wal_chosen_done(&fixture->chosen));
			continue;
		}
		assert_int_equal(record->slot, ++taken);
		wal_chosen_take(&fixture->chosen);
	}
	assert_in_range(taken, 1, 59);
	assert_non_null(strstr(fixture->chosen.error, "0000000004.wal"));
	assert_non_null(strstr(fixture->chosen.error, "not whole"));
}

static void test_missing_segment(void **state)
{
	struct fixture *fixture = *state;
	const struct record *record;
	char name[WAL_NAME_SIZE];
	int result;

	begin(fixture);
	write_many(fixture, 1, 60);
	assert_int_equal(unlinkat(fixture->directory,
				  wal_segment_name(name, 3), 0), 0);
	read_from(fixture, 1);
	while ((result = wal_chosen_peek(&fixture->chosen, &record)) >= 0) {
		if (result)
			wal_chosen_take(&fixture->chosen);
		assert_false(wal_chosen_done(&fixture->chosen));
	}
	assert_non_null(strstr(fixture->chosen.error, "0000000003.wal"));
}

#define TEST(name, function) { name, function, setup, teardown, NULL }

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST("a slot's value is the last accepted before it is chosen",
		     test_last_accepted),
		TEST("nothing chosen, nothing given", test_nothing),
		TEST("from any slot on, over many segments",
		     test_from_any_slot),
		TEST("a start makes the index that writing kept",
		     test_made_at_start),
		TEST("no more is read than must be", test_stretches),
		TEST("a batch that is written once more is no other one",
		     test_unconfirmed_tail),
		TEST("bits that fell over are not given to others", test_rot),
		TEST("a segment that vanished is named", test_missing_segment),
	};

	return cmocka_run_group_tests_name("chosen", tests, NULL, NULL);
}
