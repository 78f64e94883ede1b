// SPDX-License-Identifier: GPL-2.0
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "wal_chosen.h"

__attribute__((format(printf, 2, 3)))
static int wrong(struct wal_chosen *chosen, const char *format, ...)
{
	char name[WAL_NAME_SIZE];
	va_list args;
	int n;

	n = snprintf(chosen->error, sizeof(chosen->error),
		     "%s/%s, offset %" PRIu64 ": ", chosen->path,
		     wal_segment_name(name, chosen->sequence), chosen->offset);
	va_start(args, format);
	vsnprintf(chosen->error + n, sizeof(chosen->error) - n, format, args);
	va_end(args);
	return -1;
}

int wal_chosen_open(struct wal_chosen *chosen, struct wal_index *index,
		    const char *path, int directory)
{
	memset(chosen, 0, sizeof(*chosen));
	chosen->index = index;
	chosen->path = path;
	chosen->directory = directory;
	chosen->fd = -1;
	chosen->held = calloc(WAL_CHOSEN_AHEAD, sizeof(*chosen->held));
	chosen->batch = aligned_alloc(WAL_BLOCK, WAL_BATCH_MAX);
	return chosen->held && chosen->batch ? 0 : -1;
}

static void leave_segment(struct wal_chosen *chosen)
{
	if (chosen->fd < 0)
		return;
	/* What was sent once is not soon asked for again. */
	posix_fadvise(chosen->fd, 0, 0, POSIX_FADV_DONTNEED);
	close(chosen->fd);
	chosen->fd = -1;
}

static void forget(struct wal_chosen *chosen)
{
	size_t i;

	for (i = 0; chosen->held && i < WAL_CHOSEN_AHEAD; i++) {
		free(chosen->held[i]);
		chosen->held[i] = NULL;
	}
}

void wal_chosen_close(struct wal_chosen *chosen)
{
	leave_segment(chosen);
	forget(chosen);
	free(chosen->held);
	free(chosen->batch);
	memset(chosen, 0, sizeof(*chosen));
	chosen->fd = -1;
}

void wal_chosen_seek(struct wal_chosen *chosen, uint64_t slot)
{
	if (chosen->next == slot)
		return;
	leave_segment(chosen);
	forget(chosen);
	chosen->next = slot;
	chosen->commit = 0;
	chosen->sequence = 0;
}

static struct record **place_of(const struct wal_chosen *chosen, uint64_t slot)
{
	return &chosen->held[slot % WAL_CHOSEN_AHEAD];
}

static int keep(struct wal_chosen *chosen, const struct record *record)
{
	struct record **place = place_of(chosen, record->slot), *copy;

	if (record->slot < chosen->next)
		return 0;
	if (record->slot - chosen->next >= WAL_CHOSEN_AHEAD)
		return wrong(chosen, "slot %" PRIu64 " is too far ahead",
			     record->slot);
	copy = malloc(sizeof(*copy) + record->length);
	if (!copy)
		return wrong(chosen, "out of memory");
	*copy = *record;
	copy->value = copy + 1;
	if (record->length)
		memcpy(copy + 1, record->value, record->length);
	free(*place);
	*place = copy;
	return 0;
}

static int read_all(struct wal_chosen *chosen, void *bytes, size_t size,
		    uint64_t offset)
{
	const ssize_t n = pread(chosen->fd, bytes, size, offset);

	chosen->read += size;
	if (n == (ssize_t)size)
		return 0;
	return wrong(chosen, "cannot read: %s",
		     n < 0 ? strerror(errno) : "the file ends here");
}

static int enter_segment(struct wal_chosen *chosen, uint64_t sequence,
			 uint64_t offset)
{
	struct wal_segment header;
	char name[WAL_NAME_SIZE];

	leave_segment(chosen);
	chosen->sequence = sequence;
	chosen->offset = 0;
	chosen->fd = openat(chosen->directory,
			    wal_segment_name(name, sequence),
			    O_RDONLY | O_CLOEXEC);
	if (chosen->fd < 0)
		return wrong(chosen, "cannot open: %s", strerror(errno));
	if (read_all(chosen, &header, sizeof(header), 0))
		return -1;
	if (memcmp(header.magic, WAL_MAGIC, sizeof(header.magic)) ||
	    le64toh(header.sequence) != sequence ||
	    le32toh(header.crc) !=
	    wal_crc(~0U, &header, offsetof(struct wal_segment, crc)))
		return wrong(chosen, "no valid segment header any more");
	chosen->seed = wal_salt_seed(header.salt);
	chosen->offset = offset;
	return 0;
}

static int take_records(struct wal_chosen *chosen,
			const struct wal_batch *batch)
{
	const uint8_t *at = (const uint8_t *)(batch + 1);
	const uint8_t *end = at + le32toh(batch->length);
	const struct wal_record *disk;
	struct record record;

	while (at < end) {
		disk = wal_record_at(at, end, chosen->seed);
		if (!disk)
			return wrong(chosen, "a record is not whole any more");
		wal_decode(&record, disk);
		if (record.type == PAXOS_NL_RECORD_ACCEPT &&
		    keep(chosen, &record))
			return -1;
		if (record.type == PAXOS_NL_RECORD_COMMIT &&
		    record.slot > chosen->commit)
			chosen->commit = record.slot;
		at += sizeof(*disk) + wal_padded(record.length);
	}
	return 0;
}

static int read_batch(struct wal_chosen *chosen)
{
	const struct wal_batch *batch = (const void *)chosen->batch;
	size_t size;

	if (read_all(chosen, chosen->batch, WAL_BLOCK, chosen->offset))
		return -1;
	batch = wal_batch_at(chosen->batch, WAL_BLOCK, chosen->seed,
			     chosen->sequence, chosen->offset);
	if (!batch)
		return wrong(chosen, "the records are not whole any more");
	size = wal_blocks(sizeof(*batch) + le32toh(batch->length));
	if (size > WAL_BATCH_MAX)
		return wrong(chosen, "the records are too many");
	if (size > WAL_BLOCK &&
	    read_all(chosen, chosen->batch + WAL_BLOCK, size - WAL_BLOCK,
		     chosen->offset + WAL_BLOCK))
		return -1;
	if (take_records(chosen, batch))
		return -1;
	chosen->offset += size;
	return 0;
}

/* The segment that is being read was let go of. */
static bool is_gone(const struct wal_chosen *chosen)
{
	uint64_t end;
	bool last;

	return chosen->sequence &&
	       !wal_index_limit(chosen->index, chosen->sequence, &end, &last);
}

/* What is lacking is in those that are left, or nowhere. */
static void start_again(struct wal_chosen *chosen)
{
	leave_segment(chosen);
	forget(chosen);
	chosen->commit = 0;
	chosen->sequence = 0;
}

bool wal_chosen_trimmed(const struct wal_chosen *chosen)
{
	return chosen->next < wal_index_first(chosen->index);
}

/* 1: more was read; 0: there is no more, for now. */
static int read_on(struct wal_chosen *chosen)
{
	uint64_t sequence, offset, end = 0;
	bool last = true;

	if (is_gone(chosen))
		start_again(chosen);
	if (!chosen->sequence) {
		if (!wal_index_find(chosen->index, chosen->next, &sequence,
				    &offset))
			return 0;
		if (enter_segment(chosen, sequence, offset))
			return -1;
	}
	if (!wal_index_limit(chosen->index, chosen->sequence, &end, &last))
		return wrong(chosen, "the segment is gone");
	if (chosen->offset < end)
		return read_batch(chosen) ? -1 : 1;
	if (last)
		return 0;
	return enter_segment(chosen, chosen->sequence + 1, WAL_BLOCK) ? -1 : 1;
}

bool wal_chosen_done(const struct wal_chosen *chosen)
{
	return chosen->next > wal_index_chosen(chosen->index);
}

int wal_chosen_peek(struct wal_chosen *chosen, const struct record **record)
{
	int result;

	if (chosen->next > chosen->commit) {
		result = wal_chosen_done(chosen) ||
			 wal_chosen_trimmed(chosen) ? 0 : read_on(chosen);
		/* It may have become the space for another meanwhile. */
		if (result < 0 && is_gone(chosen)) {
			start_again(chosen);
			result = 0;
		}
		if (result < 0 || chosen->next > chosen->commit)
			return result < 0 ? -1 : 0;
	}
	*record = *place_of(chosen, chosen->next);
	if (!*record || (*record)->slot != chosen->next)
		return wrong(chosen, "slot %" PRIu64
			     " is chosen, and its value is not in the log",
			     chosen->next);
	return 1;
}

void wal_chosen_take(struct wal_chosen *chosen)
{
	struct record **place = place_of(chosen, chosen->next);

	free(*place);
	*place = NULL;
	chosen->next++;
}
