// SPDX-License-Identifier: GPL-2.0
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "wal_trim.h"

#define BLOCK_UNIT 512		/* of st_blocks */

/* @floor: 0, or that of the segments. */
static int add_checkpoint(struct wal *wal, uint64_t floor, uint64_t slot,
			  const void *bytes, uint32_t length)
{
	uint8_t value[PAXOS_NL_VALUE_MAX];
	const struct wal_checkpoint checkpoint = {
		.floor = htole64(floor),
		.instance = htole64(wal->instance),
		.incarnation = htole64(wal->incarnation),
	};
	const struct record record = {
		.type = WAL_CHECKPOINT,
		.slot = slot,
		.ballot = wal->promised,
		.length = sizeof(checkpoint) + length,
		.value = value,
	};

	if (length > WAL_CHECKPOINT_MAX)
		return wal_wrong(wal, "%s: a checkpoint is too large",
				 wal->path);
	memcpy(value, &checkpoint, sizeof(checkpoint));
	memcpy(value + sizeof(checkpoint), bytes, length);
	return wal_add(wal, &record);
}

int wal_checkpoint(struct wal *wal, uint64_t slot, const void *bytes,
		   uint32_t length)
{
	return add_checkpoint(wal, 0, slot, bytes, length);
}

uint64_t wal_segment_takes(const struct wal *wal, uint64_t sequence)
{
	struct stat status;
	char name[WAL_NAME_SIZE];

	return fstatat(wal->directory, wal_segment_name(name, sequence),
		       &status, 0) ? 0 : status.st_blocks * BLOCK_UNIT;
}

void wal_count(struct wal *wal)
{
	uint64_t sequence;

	wal->closed = 0;
	for (sequence = wal->lowest; sequence < wal->end.sequence; sequence++)
		wal->closed += wal_segment_takes(wal, sequence);
}

uint64_t wal_used(const struct wal *wal)
{
	uint64_t used = wal->closed + wal_segment_takes(wal, wal->end.sequence);
	struct stat status;

	if (wal->spare >= 0 && !fstat(wal->spare, &status))
		used += status.st_blocks * BLOCK_UNIT;
	return used;
}

bool wal_may_cut(struct wal *wal, uint64_t limit, uint64_t target,
		 struct wal_cut *cut)
{
	uint64_t used = wal_used(wal), floor = wal->lowest;

	while (floor < wal->end.sequence && used > target)
		used -= wal_segment_takes(wal, floor++);
	return floor > wal->lowest &&
	       wal_index_plan(wal->index, limit, floor, cut) &&
	       cut->floor > wal->lowest;
}

static int open_segment(const struct wal *wal, uint64_t sequence)
{
	struct stat status;
	char name[WAL_NAME_SIZE];
	int fd;

	fd = openat(wal->directory, wal_segment_name(name, sequence),
		    O_RDWR | O_CLOEXEC);
	if (fd >= 0 && (fstat(fd, &status) ||
			(uint64_t)status.st_size != wal->size)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/*
 * @sequence becomes the spare, if it is of this life and none is there: what
 * was written once is written faster again. Its old content has another salt.
 */
static bool recycle(struct wal *wal, uint64_t sequence)
{
	char name[WAL_NAME_SIZE];
	int fd;

	if (wal->spare >= 0 || !wal->born || sequence < wal->born ||
	    (unlinkat(wal->directory, "spare", 0) && errno != ENOENT))
		return false;
	fd = open_segment(wal, sequence);
	if (fd < 0)
		return false;
	if (renameat2(wal->directory, wal_segment_name(name, sequence),
		      wal->directory, "spare", 0)) {
		close(fd);
		return false;
	}
	wal->spare = fd;
	wal->zeroed = wal->size;
	return true;
}

int wal_let_go(struct wal *wal)
{
	char name[WAL_NAME_SIZE];
	uint64_t takes;

	if (wal->lowest >= wal->floor)
		return 0;
	/* Who reads shall know before it finds nothing. */
	wal_index_drop(wal->index, wal->floor, &wal->base);
	for (; wal->lowest < wal->floor; wal->lowest++) {
		takes = wal_segment_takes(wal, wal->lowest);
		wal->closed -= takes < wal->closed ? takes : wal->closed;
		if (wal->lowest == wal->floor - 1 && recycle(wal, wal->lowest))
			continue;
		if (unlinkat(wal->directory,
			     wal_segment_name(name, wal->lowest), 0) &&
		    errno != ENOENT)
			return wal_failed(wal,
					  "cannot remove a segment");
	}
	/* Nothing is written to the spare while it may have its old name. */
	if (fsync(wal->directory))
		return wal_failed(wal, "fsync of the directory failed");
	return 0;
}

int wal_trim(struct wal *wal, const struct wal_cut *cut)
{
	struct wal_base *base = &wal->base;

	if (wal->failed)
		return wal_wrong(wal, "%s: the log failed before", wal->path);
	if (add_checkpoint(wal, cut->floor, cut->slot, cut->bytes,
			   cut->length) ||
	    wal_commit(wal))
		return -1;
	wal->floor = cut->floor;
	base->slot = cut->slot;
	base->promised = wal->promised;
	base->length = cut->length;
	memcpy(base->bytes, cut->bytes, cut->length);
	return wal_let_go(wal);
}
