// SPDX-License-Identifier: GPL-2.0
/*
 * A log that is trimmed: what goes, what stays, and what is found when the
 * process dies or the power goes at any call to the disk meanwhile. What is
 * found must tell of each slot above the base, of the promise and of the commit
 * what was acknowledged, or what was under way.
 *
 * usage: test_trim [SEED]: that seed alone, and a line for each life
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "disk.h"
#include "records.h"
#include "wal_chosen.h"
#include "wal_trim.h"

#define SEEDS 60
#define LIVES 40
#define CALLS_MAX 60
#define BATCHES_MAX 40
#define SLOTS 60000
#define AHEAD 40

/* What a log says: the highest promise, and the last vote of each slot. */
struct votes {
	uint64_t base;
	uint64_t promised;
	uint64_t commit;
	uint64_t last;		/* slot */
	uint64_t lsn;
	uint32_t ballot[SLOTS];
};

struct fixture {
	char *path;
	int directory;
	struct wal wal;
	struct wal_index index;
	struct votes acknowledged;
	struct votes written;
	uint64_t incarnation;
	uint64_t cuts;
};

static void lift(uint64_t *highest, uint64_t to)
{
	if (*highest < to)
		*highest = to;
}

/* The value of @slot in @ballot, and a checkpoint of the slots up to it. */
static uint32_t make_value(uint8_t *value, uint64_t slot, uint64_t ballot)
{
	const uint32_t length = slot * 7919 % 2500;
	uint32_t i;

	for (i = 0; i < length; i++)
		value[i] = slot * 31 + ballot + i * 7;
	return length;
}

static uint32_t make_checkpoint(uint8_t *bytes, uint64_t slot)
{
	const uint32_t length = 100 + slot % 900;

	memset(bytes, slot % 251, length);
	return length;
}

static int note(void *context, const struct record *record)
{
	static uint8_t expected[PAXOS_NL_VALUE_MAX];
	struct votes *votes = context;

	if (record->type == WAL_SESSION)
		return 0;
	/* As the kernel has it. */
	if (record->type == PAXOS_NL_RECORD_TRIM)
		assert_true(record->lsn >= votes->lsn);
	else
		assert_true(record->lsn > votes->lsn);
	votes->lsn = record->lsn;
	switch (record->type) {
	case PAXOS_NL_RECORD_TRIM:
		assert_int_equal(votes->commit, 0);
		assert_int_equal(record->length,
				 make_checkpoint(expected, record->slot));
		assert_memory_equal(record->value, expected, record->length);
		votes->base = record->slot;
		votes->commit = record->slot;
		lift(&votes->last, record->slot);
		lift(&votes->promised, record->ballot);
		break;
	case PAXOS_NL_RECORD_ACCEPT:
		assert_true(record->slot > votes->commit);
		assert_int_equal(record->length,
				 make_value(expected, record->slot,
					    record->ballot));
		assert_memory_equal(record->value, expected, record->length);
		votes->ballot[record->slot] = record->ballot;
		lift(&votes->last, record->slot);
		lift(&votes->promised, record->ballot);
		break;
	case PAXOS_NL_RECORD_COMMIT:
		while (votes->commit < record->slot)
			assert_int_not_equal(votes->ballot[++votes->commit], 0);
		break;
	case PAXOS_NL_RECORD_PROMISE:
		lift(&votes->promised, record->ballot);
		break;
	default:
		fail_msg("a record of type %u", record->type);
	}
	return 0;
}

static void add(struct fixture *fixture, uint8_t type, uint64_t slot,
		uint64_t ballot)
{
	static uint8_t value[PAXOS_NL_VALUE_MAX];
	struct votes *written = &fixture->written;
	struct record record = {
		.lsn = ++written->lsn,
		.type = type,
		.slot = slot,
		.ballot = ballot,
		.value = value,
	};

	if (type == PAXOS_NL_RECORD_ACCEPT)
		record.length = make_value(value, slot, ballot);
	assert_int_equal(wal_add(&fixture->wal, &record), 0);
	if (type == PAXOS_NL_RECORD_ACCEPT) {
		written->ballot[slot] = ballot;
		lift(&written->last, slot);
	}
	if (type == PAXOS_NL_RECORD_COMMIT)
		written->commit = slot;
	else
		lift(&written->promised, ballot);
}

static void accept_slots(struct fixture *fixture, uint64_t first, uint64_t last)
{
	/* As what is learnt, of a lower ballot than what was promised since. */
	for (; first <= last; first++)
		add(fixture, PAXOS_NL_RECORD_ACCEPT, first, 257);
}

static void commit_to(struct fixture *fixture, uint64_t slot)
{
	add(fixture, PAXOS_NL_RECORD_COMMIT, slot, 0);
}

static int commit(struct fixture *fixture)
{
	static uint8_t bytes[PAXOS_NL_VALUE_MAX];
	const uint64_t slot = fixture->acknowledged.commit;

	if (slot && wal_turns(&fixture->wal))
		assert_int_equal(wal_checkpoint(&fixture->wal, slot, bytes,
						make_checkpoint(bytes, slot)),
				 0);
	if (wal_commit(&fixture->wal))
		return -1;
	fixture->acknowledged = fixture->written;
	return 0;
}

static void must(struct fixture *fixture, int result)
{
	if (result)
		fail_msg("%s", fixture->wal.error);
}

static void open_again(struct fixture *fixture)
{
	wal_index_init(&fixture->index);
	wal_init(&fixture->wal, &records_identity, fixture->path,
		 fixture->directory);
	fixture->wal.index = &fixture->index;
	fixture->wal.size = 6 * WAL_BLOCK;
}

static void shut(struct fixture *fixture)
{
	wal_close(&fixture->wal);
	wal_index_free(&fixture->index);
}

/* Between what was acknowledged and what was under way, slot by slot. */
static void check(struct fixture *fixture, const struct votes *found)
{
	const struct votes *least = &fixture->acknowledged;
	const struct votes *most = &fixture->written;
	uint64_t slot;

	assert_in_range(found->promised, least->promised, most->promised);
	assert_in_range(found->commit, least->commit, most->commit);
	assert_in_range(found->last, least->last, most->last);
	assert_in_range(found->lsn, least->lsn, most->lsn);
	assert_true(found->base <= least->commit);
	for (slot = found->base + 1; slot <= found->last; slot++)
		if (found->ballot[slot] != least->ballot[slot])
			assert_int_equal(found->ballot[slot],
					 most->ballot[slot]);
}

/* A life begins. */
static void begin(struct fixture *fixture)
{
	static struct votes found;

	memset(&found, 0, sizeof(found));
	open_again(fixture);
	must(fixture, wal_open(&fixture->wal));
	must(fixture, wal_replay(&fixture->wal, note, &found));
	assert_true(found.lsn <= fixture->wal.end.lsn);
	found.lsn = fixture->wal.end.lsn;	/* as START says */
	check(fixture, &found);
	assert_true(fixture->wal.incarnation >= fixture->incarnation);
	assert_true(found.promised <= fixture->wal.promised);
	/* The slots below are known to whoever wrote them. */
	memcpy(found.ballot, fixture->acknowledged.ballot,
	       (found.base + 1) * sizeof(found.ballot[0]));
	fixture->written = found;
}

/* It is on the disk now, whatever it was before. */
static int confirm(struct fixture *fixture)
{
	if (wal_confirm(&fixture->wal, 0))
		return -1;
	fixture->acknowledged = fixture->written;
	return 0;
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	disk_reset(1);
	fixture->path = disk_directory(DISK_MEMORY);
	fixture->directory = open(fixture->path, O_RDONLY | O_DIRECTORY);
	open_again(fixture);
	assert_int_equal(wal_create(&fixture->wal), 0);
	shut(fixture);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	disk_remove(fixture->path);
	close(fixture->directory);
	free(fixture);
	return 0;
}

static void live(struct fixture *fixture)
{
	begin(fixture);
	must(fixture, confirm(fixture));
	must(fixture, wal_session(&fixture->wal, 9, ++fixture->incarnation));
}

static void end(struct fixture *fixture)
{
	disk_kill();
	shut(fixture);
}

/* Slots @first to @last, each chosen a batch after it was accepted. */
static void decide(struct fixture *fixture, uint64_t first, uint64_t last)
{
	for (; first <= last; first++) {
		accept_slots(fixture, first, first);
		if (first > 1)
			commit_to(fixture, first - 1);
		must(fixture, commit(fixture));
	}
}

static bool is_there(const struct fixture *fixture, uint64_t sequence)
{
	char name[WAL_NAME_SIZE];

	return !faccessat(fixture->directory, wal_segment_name(name, sequence),
			  F_OK, 0);
}

/* All that may go goes. */
static void cut_all(struct fixture *fixture, uint64_t limit)
{
	struct wal_cut cut;

	assert_true(wal_may_cut(&fixture->wal, limit, 0, &cut));
	must(fixture, wal_trim(&fixture->wal, &cut));
}

static void test_goes_and_restores(void **state)
{
	struct fixture *fixture = *state;
	uint64_t before, i;

	live(fixture);
	decide(fixture, 1, 100);
	add(fixture, PAXOS_NL_RECORD_PROMISE, 0, 99 << 8);
	must(fixture, commit(fixture));
	decide(fixture, 101, 200);
	before = wal_used(&fixture->wal);
	must(fixture, wal_prepare(&fixture->wal));
	cut_all(fixture, UINT64_MAX);
	assert_true(wal_used(&fixture->wal) < before / 5);
	assert_true(fixture->wal.floor > 20);
	for (i = 1; i < fixture->wal.floor; i++)
		assert_false(is_there(fixture, i));
	assert_true(fixture->index.first > 180);
	end(fixture);
	live(fixture);
	assert_int_equal(fixture->acknowledged.promised, 99 << 8);
	assert_true(fixture->acknowledged.base > 180);
	/* And again, from a log that begins so. */
	decide(fixture, 201, 400);
	cut_all(fixture, UINT64_MAX);
	end(fixture);
	live(fixture);
	assert_int_equal(fixture->acknowledged.promised, 99 << 8);
	assert_int_equal(fixture->acknowledged.commit, 399);
	assert_true(fixture->acknowledged.base > 380);
	end(fixture);
}

static void test_no_more_than_asked(void **state)
{
	struct fixture *fixture = *state;
	struct wal_cut cut;
	uint64_t used;

	live(fixture);
	decide(fixture, 1, 200);
	used = wal_used(&fixture->wal);
	assert_false(wal_may_cut(&fixture->wal, UINT64_MAX, used, &cut));
	assert_true(wal_may_cut(&fixture->wal, UINT64_MAX, used - 1, &cut));
	assert_int_equal(cut.floor, 2);
	/* What a member lacks stays: no base above its slot. */
	assert_true(wal_may_cut(&fixture->wal, 100, 0, &cut));
	assert_in_range(cut.slot, 80, 100);
	assert_false(wal_may_cut(&fixture->wal, 1, 0, &cut));
	assert_true(wal_may_cut(&fixture->wal, UINT64_MAX, used / 2, &cut));
	must(fixture, wal_trim(&fixture->wal, &cut));
	/* Its own checkpoint has taken a block. */
	assert_in_range(wal_used(&fixture->wal), used / 3,
			used / 2 + 6 * WAL_BLOCK);
	/* What the disk does not know to be chosen does not go. */
	accept_slots(fixture, 201, 260);
	must(fixture, commit(fixture));
	cut_all(fixture, UINT64_MAX);
	assert_true(fixture->wal.base.slot <= 199);
	end(fixture);
}

static void test_open_vote_stays(void **state)
{
	struct fixture *fixture = *state;
	struct wal_cut cut;
	uint64_t i;

	live(fixture);
	decide(fixture, 1, 50);
	commit_to(fixture, 50);
	accept_slots(fixture, 52, 52);	/* and nobody knows of 51 */
	must(fixture, commit(fixture));
	for (i = 1; i < 300; i++) {
		add(fixture, PAXOS_NL_RECORD_PROMISE, 0, (100 + i) << 8);
		must(fixture, commit(fixture));
	}
	i = fixture->wal.end.sequence;
	cut_all(fixture, UINT64_MAX);
	assert_true(fixture->wal.floor < i - 20);
	assert_false(wal_may_cut(&fixture->wal, UINT64_MAX, 0, &cut));
	end(fixture);
	live(fixture);
	assert_int_equal(fixture->acknowledged.ballot[52], 257);
	assert_int_equal(fixture->acknowledged.promised, 399 << 8);
	end(fixture);
}

/* The kernel knows of more than the disk does. */
static void test_not_on_disk(void **state)
{
	struct fixture *fixture = *state;
	struct wal_cut cut;
	uint64_t i;

	live(fixture);
	decide(fixture, 1, 50);
	for (i = 51; i < 90; i++) {
		accept_slots(fixture, i, i);
		if (wal_turns(&fixture->wal))
			must(fixture, wal_checkpoint(&fixture->wal, i,
						     "too early", 9));
		must(fixture, wal_commit(&fixture->wal));
		fixture->acknowledged = fixture->written;
	}
	assert_true(wal_may_cut(&fixture->wal, UINT64_MAX, 0, &cut));
	assert_true(cut.slot < 50);
	end(fixture);
}

/* A vote that came out of turn lies in what has gone: nothing begins below. */
static void test_never_back(void **state)
{
	struct fixture *fixture = *state;
	struct wal_cut cut;
	uint64_t i;

	live(fixture);
	accept_slots(fixture, 1, 1);
	accept_slots(fixture, 60, 60);
	must(fixture, commit(fixture));
	for (i = 2; i < 100; i++) {
		if (i != 60)
			accept_slots(fixture, i, i);
		commit_to(fixture, i);
		must(fixture, commit(fixture));
	}
	assert_false(wal_may_cut(&fixture->wal, 40, 0, &cut) && cut.floor > 2);
	assert_true(wal_may_cut(&fixture->wal, UINT64_MAX,
				wal_used(&fixture->wal) - 10 * WAL_BLOCK,
				&cut));
	assert_true(cut.slot > 60);
	assert_in_range(cut.floor, 3, 6);
	must(fixture, wal_trim(&fixture->wal, &cut));
	end(fixture);
	live(fixture);
	assert_false(wal_may_cut(&fixture->wal, 50, 0, &cut));
	assert_int_equal(fixture->acknowledged.commit, 99);
	end(fixture);
}

static void test_recycles(void **state)
{
	struct fixture *fixture = *state;
	struct wal_cut cut;

	live(fixture);
	decide(fixture, 1, 100);
	assert_int_equal(fixture->wal.spare, -1);
	assert_true(wal_may_cut(&fixture->wal, UINT64_MAX,
				wal_used(&fixture->wal) - 1, &cut));
	/* The first is of another life: no file of one is written again. */
	must(fixture, wal_trim(&fixture->wal, &cut));
	assert_int_equal(fixture->wal.spare, -1);
	assert_true(wal_may_cut(&fixture->wal, UINT64_MAX,
				wal_used(&fixture->wal) - 1, &cut));
	must(fixture, wal_trim(&fixture->wal, &cut));
	assert_true(fixture->wal.spare >= 0);
	assert_int_equal(wal_zero(&fixture->wal), 0);
	/* What was in it before is not taken for what comes. */
	decide(fixture, 101, 130);
	end(fixture);
	live(fixture);
	assert_int_equal(fixture->acknowledged.last, 130);
	end(fixture);
}

static void refuse(struct fixture *fixture, const char *what)
{
	open_again(fixture);
	assert_int_equal(wal_open(&fixture->wal), -1);
	if (!strstr(fixture->wal.error, what))
		fail_msg("'%s' is not in '%s'", what, fixture->wal.error);
	shut(fixture);
}

static void test_missing(void **state)
{
	struct fixture *fixture = *state;
	char name[WAL_NAME_SIZE], kept[] = "kept";
	uint64_t floor, i;

	live(fixture);
	decide(fixture, 1, 100);
	cut_all(fixture, 60);
	floor = fixture->wal.floor;
	assert_true(fixture->wal.end.sequence > floor + 3);
	end(fixture);
	/* From the floor on each is needed, */
	for (i = floor; i < floor + 3; i++) {
		wal_segment_name(name, i);
		assert_int_equal(renameat(fixture->directory, name,
					  fixture->directory, kept), 0);
		refuse(fixture, name);
		refuse(fixture, "missing");
		assert_int_equal(renameat(fixture->directory, kept,
					  fixture->directory, name), 0);
	}
	/* and below none, with a hole or without. */
	wal_segment_name(name, floor);
	assert_int_equal(linkat(fixture->directory, name, fixture->directory,
				"0000000001.wal", 0), 0);
	live(fixture);
	assert_false(is_there(fixture, 1));
	end(fixture);
}

/* The batch that lets go is torn at each block, and each of its bits. */
static void test_torn(void **state)
{
	struct fixture *fixture = *state;
	char name[WAL_NAME_SIZE];
	static uint8_t batch[8 * WAL_BLOCK], zeros[WAL_BLOCK];
	struct wal_place last;
	struct wal_cut cut;
	uint64_t size, extent, at;
	int fd;

	live(fixture);
	decide(fixture, 1, 100);
	assert_true(wal_may_cut(&fixture->wal, UINT64_MAX, 0, &cut));
	/* It is on the disk, and nothing has gone yet. */
	disk_fail(DISK_UNLINK, 1, EIO);
	disk_fail(DISK_RENAME, fixture->wal.spare < 0 ? 2 : 1, EIO);
	assert_int_equal(wal_trim(&fixture->wal, &cut), -1);
	last = fixture->wal.last;
	size = fixture->wal.end.offset - last.offset;
	disk_kill();
	shut(fixture);
	fd = openat(fixture->directory, wal_segment_name(name, last.sequence),
		    O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, batch, size, last.offset), size);
	extent = sizeof(struct wal_batch) +
		 le32toh(((struct wal_batch *)batch)->length);
	unlinkat(fixture->directory, "durable", 0);
	for (at = 0; at < size; at += 61) {
		batch[at] ^= 1;
		assert_int_equal(pwrite(fd, batch, size, last.offset), size);
		begin(fixture);
		/* The padding is nobody's. */
		if (fixture->wal.end.offset == last.offset)
			assert_true(fixture->wal.floor == 1 &&
				    !fixture->written.base);
		else
			assert_int_equal(fixture->wal.floor, cut.floor);
		assert_int_equal(at < extent,
				 fixture->wal.end.offset == last.offset);
		shut(fixture);
		batch[at] ^= 1;
	}
	for (at = 0; at < size; at += WAL_BLOCK) {
		assert_int_equal(pwrite(fd, zeros, WAL_BLOCK, last.offset + at),
				 WAL_BLOCK);
		begin(fixture);
		assert_int_equal(fixture->wal.end.offset, last.offset);
		assert_int_equal(fixture->wal.floor, 1);
		shut(fixture);
		assert_int_equal(pwrite(fd, batch, size, last.offset), size);
	}
	/* Whole, it holds, and the life that finds it goes on with it. */
	live(fixture);
	assert_int_equal(fixture->wal.floor, cut.floor);
	assert_false(is_there(fixture, cut.floor - 1));
	decide(fixture, 101, 103);
	end(fixture);
	close(fd);
}

static void flip(struct fixture *fixture, const struct wal_place *place)
{
	const off_t at = place->offset + sizeof(struct wal_batch) + 90;
	char name[WAL_NAME_SIZE];
	uint8_t byte;
	int fd = openat(fixture->directory,
			wal_segment_name(name, place->sequence), O_RDWR);

	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 16;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

static void test_flipped(void **state)
{
	struct fixture *fixture = *state;
	struct wal_place place;

	live(fixture);
	decide(fixture, 1, 100);
	cut_all(fixture, UINT64_MAX);
	place = fixture->wal.last;
	decide(fixture, 101, 120);
	end(fixture);
	flip(fixture, &place);
	refuse(fixture, "not whole");
	flip(fixture, &place);
	live(fixture);
	/* The one that a segment begins with, and that nothing rests on yet. */
	place.sequence = fixture->wal.floor + 1;
	place.offset = WAL_BLOCK;
	end(fixture);
	flip(fixture, &place);
	refuse(fixture, "not whole");
}

static void test_last_one_flipped(void **state)
{
	struct fixture *fixture = *state;
	struct wal_place place;

	live(fixture);
	decide(fixture, 1, 100);
	cut_all(fixture, UINT64_MAX);
	place = fixture->wal.last;
	end(fixture);
	flip(fixture, &place);
	refuse(fixture, "not whole, and were");
	/* Without that file, what is gone tells. */
	unlinkat(fixture->directory, "durable", 0);
	refuse(fixture, "missing");
}

static void test_full(void **state)
{
	struct fixture *fixture = *state;
	unsigned int i;

	live(fixture);
	decide(fixture, 1, 20);
	fixture->wal.full = true;
	must(fixture, wal_prepare(&fixture->wal));
	assert_int_equal(fixture->wal.spare, -1);
	for (i = 0; i < 10; i++) {
		add(fixture, PAXOS_NL_RECORD_PROMISE, 0, (100 + i) << 8);
		if (commit(fixture))
			break;
	}
	assert_in_range(i, 0, 8);
	assert_non_null(strstr(fixture->wal.error, "LogSpace"));
	assert_true(fixture->wal.failed);
	end(fixture);
	live(fixture);
	end(fixture);
}

/* Who reads while it is trimmed gets what is left, or hears that it is gone. */
static void test_reader(void **state)
{
	static uint8_t expected[PAXOS_NL_VALUE_MAX];
	static uint8_t bytes[WAL_CHECKPOINT_MAX];
	struct fixture *fixture = *state;
	const struct record *record;
	struct wal_chosen chosen;
	uint64_t slot, first;
	uint32_t length;
	int result;

	live(fixture);
	decide(fixture, 1, 200);
	assert_int_equal(wal_index_begins(&fixture->index, bytes, &length), 0);
	assert_int_equal(wal_chosen_open(&chosen, &fixture->index,
					 fixture->path, fixture->directory), 0);
	wal_chosen_seek(&chosen, 1);
	for (slot = 1; slot <= 120;) {
		result = wal_chosen_peek(&chosen, &record);
		assert_true(result >= 0);
		if (!result)
			continue;
		assert_int_equal(record->slot, slot);
		assert_int_equal(record->length,
				 make_value(expected, slot, record->ballot));
		assert_memory_equal(record->value, expected, record->length);
		wal_chosen_take(&chosen);
		slot++;
		if (slot != 60)
			continue;
		/* Its segment becomes that of others, before its eyes. */
		cut_all(fixture, 59);
		decide(fixture, 201, 240);
		assert_false(wal_chosen_trimmed(&chosen));
	}
	cut_all(fixture, UINT64_MAX);
	first = wal_index_first(&fixture->index);
	assert_true(first > 200);
	while ((result = wal_chosen_peek(&chosen, &record)) > 0)
		wal_chosen_take(&chosen);
	assert_int_equal(result, 0);
	assert_true(wal_chosen_trimmed(&chosen));
	wal_chosen_seek(&chosen, first);
	assert_false(wal_chosen_trimmed(&chosen));
	do
		result = wal_chosen_peek(&chosen, &record);
	while (!result);
	assert_int_equal(result, 1);
	assert_int_equal(record->slot, first);
	wal_chosen_close(&chosen);
	assert_int_equal(wal_index_begins(&fixture->index, bytes, &length),
			 first - 1);
	assert_int_equal(length, make_checkpoint(expected, first - 1));
	assert_memory_equal(bytes, expected, length);
	end(fixture);
	/* As of the index that is made at the next start. */
	live(fixture);
	assert_int_equal(wal_index_first(&fixture->index), first);
	assert_int_equal(wal_index_begins(&fixture->index, bytes, &length),
			 first - 1);
	assert_memory_equal(bytes, expected, length);
	end(fixture);
}

/* A kernel that began behind a slot says so in the stream. */
static void test_began(void **state)
{
	static uint8_t bytes[PAXOS_NL_VALUE_MAX];
	struct fixture *fixture = *state;
	struct record record = {
		.type = PAXOS_NL_RECORD_TRIM,
		.lsn = 1,
		.slot = 500,
		.length = make_checkpoint(bytes, 500),
		.value = bytes,
	};

	live(fixture);
	must(fixture, wal_add(&fixture->wal, &record));
	fixture->written.lsn = 1;
	fixture->written.base = 500;
	fixture->written.commit = 500;
	fixture->written.last = 500;
	must(fixture, commit(fixture));
	assert_int_equal(wal_index_first(&fixture->index), 501);
	assert_int_equal(wal_index_chosen(&fixture->index), 500);
	end(fixture);
	live(fixture);
	assert_int_equal(fixture->acknowledged.base, 500);
	assert_int_equal(wal_index_first(&fixture->index), 501);
	decide(fixture, 501, 600);
	cut_all(fixture, UINT64_MAX);
	end(fixture);
	live(fixture);
	assert_in_range(fixture->acknowledged.base, 560, 599);
	assert_int_equal(fixture->acknowledged.last, 600);
	end(fixture);
}

static void step(struct fixture *fixture)
{
	struct votes *written = &fixture->written;
	unsigned int n = disk_random(6);
	uint64_t slot;

	while (n--) {
		switch (disk_random(8)) {
		case 0:
			add(fixture, PAXOS_NL_RECORD_PROMISE, 0,
			    written->promised + 256);
			break;
		case 1:
			/* In a higher ballot, one that is open. */
			slot = written->commit + 1 + disk_random(AHEAD);
			add(fixture, PAXOS_NL_RECORD_ACCEPT, slot,
			    written->promised + 1);
			break;
		case 2:
			slot = written->commit;
			while (slot < written->last &&
			       written->ballot[slot + 1] && disk_random(10))
				slot++;
			if (slot > written->commit)
				commit_to(fixture, slot);
			break;
		default:
			slot = written->commit + 1 + disk_random(AHEAD);
			if (!written->ballot[slot])
				add(fixture, PAXOS_NL_RECORD_ACCEPT, slot,
				    disk_random(2) ? 257 :
				    written->promised ?: 257);
			else if (!written->ballot[written->commit + 1])
				add(fixture, PAXOS_NL_RECORD_ACCEPT,
				    written->commit + 1, written->promised);
		}
	}
}

/* What it takes is counted as it comes and goes. */
static void check_used(const struct wal *wal)
{
	struct wal fresh = *wal;

	wal_count(&fresh);
	assert_int_equal(wal->closed, fresh.closed);
}

/* One life, until the power goes or something fails. */
static void crash(struct fixture *fixture)
{
	struct wal *wal = &fixture->wal;
	struct wal_cut cut;
	unsigned int i;

	if (confirm(fixture))
		return;
	if (disk_random(2)) {
		if (wal_session(wal, 9, wal->incarnation + 1))
			return;
		fixture->incarnation = wal->incarnation;
	}
	for (i = 0; i < BATCHES_MAX; i++) {
		step(fixture);
		if (commit(fixture))
			return;
		if (!disk_random(2) &&
		    wal_may_cut(wal, disk_random(3) ? UINT64_MAX :
				fixture->acknowledged.commit / 2,
				disk_random(3) * 10 * WAL_BLOCK, &cut)) {
			fixture->cuts++;
			if (wal_trim(wal, &cut))
				return;
		}
		check_used(wal);
		if (!disk_random(3) && wal_prepare(wal))
			return;
		while (disk_random(2) && wal_zero(wal) > 0)
			;
	}
}

static uint64_t run(uint32_t seed, bool verbose)
{
	struct fixture *fixture;
	unsigned int i;
	uint64_t cuts;

	setup((void **)&fixture);
	disk_reset(seed);
	for (i = 0; i < LIVES; i++) {
		begin(fixture);
		if (verbose)
			printf("base %u, commit %u, last %u, promised %u, segments %u to %u\n",
			       (unsigned int)fixture->written.base,
			       (unsigned int)fixture->written.commit,
			       (unsigned int)fixture->written.last,
			       (unsigned int)fixture->written.promised,
			       (unsigned int)fixture->wal.lowest,
			       (unsigned int)fixture->wal.end.sequence);
		if (disk_random(4))
			disk_cut(1 + disk_random(CALLS_MAX));
		else
			disk_fail(disk_random(DISK_WRITES),
				  1 + disk_random(CALLS_MAX / 4), EIO);
		crash(fixture);
		disk_cut(1);	/* so that wal_close() does nothing good */
		shut(fixture);
		if (disk_random(2))
			disk_restart();
		else
			disk_kill();
	}
	cuts = fixture->cuts;
	teardown((void **)&fixture);
	return cuts;
}

static void test_power_cuts(void **state)
{
	uint64_t cuts = 0;
	uint32_t seed;

	(void)state;
	for (seed = 1; seed <= SEEDS; seed++)
		cuts += run(seed, false);
	assert_true(cuts > 10 * SEEDS);
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_goes_and_restores),
		TEST(test_no_more_than_asked),
		TEST(test_open_vote_stays),
		TEST(test_not_on_disk),
		TEST(test_never_back),
		TEST(test_recycles),
		TEST(test_missing),
		TEST(test_torn),
		TEST(test_flipped),
		TEST(test_last_one_flipped),
		TEST(test_full),
		TEST(test_reader),
		TEST(test_began),
		cmocka_unit_test(test_power_cuts),
	};

	if (argc > 1) {
		run(strtoul(argv[1], NULL, 10), true);
		return 0;
	}
	return cmocka_run_group_tests_name("trim", tests, NULL, NULL);
}
