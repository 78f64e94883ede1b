// SPDX-License-Identifier: GPL-2.0
/*
 * The write-ahead log at each write that its disk saw, for log_writes.sh.
 *
 * usage: logwrites write DIR COUNT COMMAND
 *		a log in DIR, and COUNT batches; COMMAND NUMBER is run once
 *		record NUMBER is acknowledged
 *	  logwrites trim DIR COUNT COMMAND
 *		the same, and its first segments go meanwhile
 *	  logwrites check DIR
 *		print the number of the last record, -1 where there is no log;
 *		each must be as it was written, but for those that went, which
 *		a checkpoint stands for
 *	  logwrites replay LOG TARGET ENTRY
 *		from the log of dm-log-writes, ENTRY (the first: 0) and the marks
 *		behind it onto TARGET; print the next entry, or "end", and the
 *		last mark
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "wal.h"
#include "wal_index.h"
#include "wal_trim.h"

#define LENGTH_MAX 9000
#define COMMITS 8

static const struct wal_identity identity = {
	.cluster = "log-writes' one",
	.group = 1,
	.member = 1,
	.durability = PAXOS_NL_DURABILITY_SYNC,
};

__attribute__((noreturn))
static void fail(const char *what)
{
	fprintf(stderr, "logwrites: %s\n", what);
	exit(1);
}

/*
 * Record @number, all of which follows from its number: each eighth says that
 * what was accepted in the records before is chosen.
 */
static void make(struct record *record, uint8_t *value, unsigned int number)
{
	unsigned int i;

	memset(record, 0, sizeof(*record));
	record->lsn = number;
	record->slot = number - number / COMMITS;
	if (number % COMMITS == 0) {
		record->type = PAXOS_NL_RECORD_COMMIT;
		return;
	}
	record->ballot = 257;
	record->incarnation = 1;
	record->seq = number;
	record->type = PAXOS_NL_RECORD_ACCEPT;
	record->kind = PAXOS_NL_KIND_DATA;
	record->origin = 1;
	record->length = number * 7919 % LENGTH_MAX;
	record->value = value;
	for (i = 0; i < record->length; i++)
		value[i] = number * 31 + i * 7;
}

static int check_record(void *context, const struct record *record)
{
	static uint8_t value[LENGTH_MAX];
	unsigned int *count = context;
	static uint64_t base;
	struct record expected;

	if (record->type == WAL_SESSION)
		return 0;
	if (record->type == PAXOS_NL_RECORD_TRIM) {
		base = record->slot;
		if (*count || record->ballot != 257 || record->length != 5 ||
		    memcmp(record->value, "what?", 5))
			fail("the base is another one");
		return 0;
	}
	/* Those of slots up to the base do not come. */
	do
		make(&expected, value, ++*count);
	while (expected.slot <= base);
	if (record->lsn != expected.lsn || record->slot != expected.slot ||
	    record->length != expected.length ||
	    memcmp(record->value, value, record->length))
		fail("a record is another one");
	return 0;
}

static void begin(struct wal *wal, const char *path)
{
	const int directory = open(path, O_RDONLY | O_DIRECTORY);

	if (directory < 0)
		fail(strerror(errno));
	wal_init(wal, &identity, path, directory);
	wal->size = 16 * WAL_BLOCK;
}

static void say_acknowledged(const char *command, unsigned int number)
{
	char line[512];

	snprintf(line, sizeof(line), "%s %u", command, number);
	if (system(line))
		fail("the command fails");
}

/* A segment may begin with a checkpoint; now and then the first ones go. */
static void trim(struct wal *wal, unsigned int batch)
{
	const uint64_t chosen = wal_index_chosen(wal->index);
	struct wal_cut cut;

	if (batch % 3 == 2 &&
	    wal_may_cut(wal, chosen, wal_used(wal) / 2, &cut) &&
	    wal_trim(wal, &cut))
		fail(wal->error);
}

static void begin_segment(struct wal *wal)
{
	const uint64_t chosen = wal_index_chosen(wal->index);

	if (chosen && wal_turns(wal) && wal_checkpoint(wal, chosen, "what?", 5))
		fail(wal->error);
}

static void write_log(const char *path, unsigned int count, const char *command,
		      bool trims)
{
	struct wal_index index;
	static uint8_t value[LENGTH_MAX];
	unsigned int number = 0, i, j;
	struct record record;
	struct wal wal;

	begin(&wal, path);
	if (wal_create(&wal))
		fail(wal.error);
	wal_close(&wal);
	begin(&wal, path);
	wal_index_init(&index);
	wal.index = &index;
	if (wal_open(&wal) || wal_confirm(&wal, 0) || wal_session(&wal, 7, 1))
		fail(wal.error);
	say_acknowledged(command, 0);
	for (i = 0; i < count; i++) {
		for (j = 0; j <= i % 3; j++) {
			make(&record, value, ++number);
			if (wal_add(&wal, &record))
				fail(wal.error);
		}
		if (trims)
			begin_segment(&wal);
		if (wal_commit(&wal))
			fail(wal.error);
		say_acknowledged(command, number);
		if (trims)
			trim(&wal, i);
		if (i % 2 && wal_prepare(&wal))
			fail(wal.error);
		if (i % 4 == 3)
			wal_zero(&wal);
	}
	if (trims)
		fprintf(stderr, "logwrites: segments %" PRIu64 " to %" PRIu64
			" are left\n", wal.lowest, wal.end.sequence);
	if (trims && wal.lowest < 3)
		fail("hardly anything went");
	wal_close(&wal);
	wal_index_free(&index);
}

static void check_log(const char *path)
{
	unsigned int count = 0;
	struct wal wal;

	begin(&wal, path);
	switch (wal_open(&wal)) {
	case 0:
		break;
	case -ENOENT:
		puts("-1");
		return;
	default:
		fail(wal.error);
	}
	if (wal_replay(&wal, check_record, &count))
		fail(wal.error);
	/* And it can be gone on with. */
	if (wal_confirm(&wal, 0))
		fail(wal.error);
	printf("%u\n", wal.incarnation ? count : 0);
	wal_close(&wal);
}

/* drivers/md/dm-log-writes.c: on the disk, in units of the sector size. */
#define LOG_MAGIC	0x6a736677736872ULL
#define LOG_DISCARD	(1 << 2)
#define LOG_MARK	(1 << 3)

struct log_super {
	__le64 magic;
	__le64 version;
	__le64 entries;
	__le32 sector_size;
};

struct log_entry {
	__le64 sector;
	__le64 sectors;
	__le64 flags;
	__le64 length;
};

struct replay {
	int log;
	int target;
	uint64_t entries;
	uint32_t size;		/* of a sector */
	uint64_t at;		/* sector of the log */
	char mark[64];
};

static void open_log(struct replay *replay, const char *log, const char *target)
{
	struct log_super super;

	replay->log = open(log, O_RDONLY);
	replay->target = open(target, O_RDWR);
	if (replay->log < 0 || replay->target < 0 ||
	    pread(replay->log, &super, sizeof(super), 0) != sizeof(super))
		fail("cannot open the log or the target");
	if (le64toh(super.magic) != LOG_MAGIC)
		fail("no log of dm-log-writes");
	replay->entries = le64toh(super.entries);
	replay->size = le32toh(super.sector_size);
	replay->at = 1;
	strcpy(replay->mark, "-");
}

static void copy(const struct replay *replay, const struct log_entry *entry)
{
	uint64_t size = le64toh(entry->sectors) * replay->size;
	uint8_t *bytes = malloc(size + 1);

	if (pread(replay->log, bytes, size, (replay->at + 1) * replay->size) !=
		    (ssize_t)size ||
	    pwrite(replay->target, bytes, size,
		   le64toh(entry->sector) * replay->size) != (ssize_t)size)
		fail("cannot copy");
	free(bytes);
}

/* The device itself leaves one at its end, which is no number. */
static void take_mark(struct replay *replay, uint64_t length)
{
	char mark[sizeof(replay->mark)] = "";

	if (length >= sizeof(mark) ||
	    pread(replay->log, mark, length,
		  replay->at * replay->size + sizeof(struct log_entry)) < 0)
		fail("cannot read a mark");
	if (mark[0] >= '0' && mark[0] <= '9')
		memcpy(replay->mark, mark, sizeof(mark));
}

/* The entry at replay->at; @apply: onto the target. Whether it is a mark. */
static bool step(struct replay *replay, bool apply)
{
	struct log_entry entry;
	uint64_t flags;

	if (pread(replay->log, &entry, sizeof(entry),
		  replay->at * replay->size) != sizeof(entry))
		fail("cannot read an entry");
	flags = le64toh(entry.flags);
	if (flags & LOG_MARK) {
		take_mark(replay, le64toh(entry.length));
	} else if (flags & LOG_DISCARD) {
		/* Nobody may rely on what a discarded block holds. */
	} else {
		if (apply)
			copy(replay, &entry);
		replay->at += le64toh(entry.sectors);
	}
	replay->at++;
	return flags & LOG_MARK;
}

static void replay_log(const char *log, const char *target, uint64_t first)
{
	struct replay replay;
	uint64_t number;
	uint64_t at;

	open_log(&replay, log, target);
	for (number = 0; number < replay.entries && number < first; number++)
		step(&replay, false);
	if (number < replay.entries) {
		step(&replay, true);
		number++;
	}
	while (number < replay.entries) {
		at = replay.at;
		if (!step(&replay, false)) {
			replay.at = at;
			break;
		}
		number++;
	}
	if (number < replay.entries)
		printf("%" PRIu64 " %s\n", number, replay.mark);
	else
		printf("end %s\n", replay.mark);
	if (fsync(replay.target))
		fail("cannot write the target");
}

int main(int argc, char **argv)
{
	if (sodium_init() < 0)
		return 1;
	if (argc == 5 && !strcmp(argv[1], "write"))
		write_log(argv[2], strtoul(argv[3], NULL, 10), argv[4], false);
	else if (argc == 5 && !strcmp(argv[1], "trim"))
		write_log(argv[2], strtoul(argv[3], NULL, 10), argv[4], true);
	else if (argc == 3 && !strcmp(argv[1], "check"))
		check_log(argv[2]);
	else if (argc == 5 && !strcmp(argv[1], "replay"))
		replay_log(argv[2], argv[3], strtoull(argv[4], NULL, 10));
	else
		fail("usage: write DIR COUNT COMMAND | trim DIR COUNT COMMAND | check DIR | replay LOG TARGET ENTRY");
	return 0;
}
