// SPDX-License-Identifier: GPL-2.0
/* Reading and verifying the log. What may be concluded is in wal.h. */

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "wal.h"
#include "wal_index.h"
#include "wal_segment.h"
#include "wal_trim.h"

enum batch {
	BATCH_NONE,	/* not whole, or none at all */
	BATCH_WHOLE,
	BATCH_WRONG,	/* wal->error is set */
	BATCH_ENOUGH,	/* the visitor ends it */
};

static const struct wal_batch *batch_at(const struct segment *segment,
					uint64_t offset)
{
	return offset >= segment->size ? NULL :
	       wal_batch_at(segment->bytes + offset, segment->size - offset,
			    segment->seed, segment->sequence, offset);
}

static bool sound_checkpoint(struct wal *wal, const struct record *record,
			     uint64_t sequence)
{
	const struct wal_checkpoint *checkpoint = record->value;
	struct wal_base *base = &wal->base;
	uint64_t floor;

	if (record->length < sizeof(*checkpoint) || !record->slot ||
	    le64toh(checkpoint->incarnation) < wal->incarnation)
		return false;
	floor = le64toh(checkpoint->floor);
	if (floor > sequence || (floor && floor < wal->floor && !wal->replays))
		return false;
	wal->instance = le64toh(checkpoint->instance);
	wal->incarnation = le64toh(checkpoint->incarnation);
	if (!floor || wal->replays)
		return true;
	wal->floor = floor;
	base->slot = record->slot;
	base->promised = record->ballot;
	base->length = record->length - sizeof(*checkpoint);
	memcpy(base->bytes, checkpoint + 1, base->length);
	return true;
}

/*
 * Whole and meaningful; what it says of the session, and of where the log
 * begins, is noted.
 */
static bool sound(struct wal *wal, const struct record *record,
		  uint64_t sequence, uint64_t *lsn)
{
	const struct wal_session *session = record->value;

	if (!wal->replays)
		wal_promises(wal, record);
	switch (record->type) {
	case WAL_SESSION:
		if (record->length != sizeof(*session) ||
		    le64toh(session->incarnation) <= wal->incarnation)
			return false;
		wal->instance = le64toh(session->instance);
		wal->incarnation = le64toh(session->incarnation);
		return true;
	case WAL_CHECKPOINT:
		return sound_checkpoint(wal, record, sequence);
	case WAL_RECOVERY:
		if (record->length != sizeof(wal->recovery))
			return false;
		memcpy(&wal->recovery, record->value, sizeof(wal->recovery));
		return true;
	case PAXOS_NL_RECORD_PROMISE:
	case PAXOS_NL_RECORD_ACCEPT:
	case PAXOS_NL_RECORD_COMMIT:
	case PAXOS_NL_RECORD_CONFIG:
	case PAXOS_NL_RECORD_TRIM:
		if (record->lsn <= *lsn)
			return false;
		*lsn = record->lsn;
		return true;
	}
	return false;
}

static enum batch read_batch(struct wal *wal, const struct segment *segment,
			     struct wal_place *place, wal_visit visit,
			     void *context, int *result)
{
	const uint64_t offset = place->offset;
	const struct wal_batch *batch = batch_at(segment, offset);
	const struct wal_record *disk;
	const uint8_t *at, *start, *end;
	struct record record;
	uint64_t lsn = place->lsn;
	uint32_t i;

	if (!batch)
		return BATCH_NONE;
	if (le32toh(batch->previous_crc) != place->crc ||
	    le64toh(batch->lsn) != lsn) {
		segment_damaged(wal, segment->sequence, offset,
				"the records do not follow those before");
		*result = -1;
		return BATCH_WRONG;
	}
	start = (const uint8_t *)(batch + 1);
	if (offset + sizeof(*batch) + le32toh(batch->length) > segment->size)
		return BATCH_NONE;
	end = start + le32toh(batch->length);
	for (at = start, i = 0; i < le32toh(batch->count); i++) {
		disk = wal_record_at(at, end, segment->seed);
		if (!disk)
			return BATCH_NONE;
		at += sizeof(*disk) + wal_padded(le32toh(disk->length));
	}
	if (at != end)
		return BATCH_NONE;
	for (at = start; at < end;) {
		disk = (const void *)at;
		wal_decode(&record, disk);
		if (!sound(wal, &record, segment->sequence, &lsn)) {
			segment_damaged(wal, segment->sequence,
					at - segment->bytes, "a senseless record");
			*result = -1;
			return BATCH_WRONG;
		}
		wal_index_add(wal->index, &record);
		*result = visit ? visit(context, &record) : 0;
		if (*result)
			return BATCH_ENOUGH;
		at += sizeof(*disk) + wal_padded(record.length);
	}
	wal->last = *place;
	place->offset = wal_blocks(end - segment->bytes);
	place->crc = le32toh(batch->crc);
	place->lsn = lsn;
	wal_index_batch(wal->index, segment->sequence, offset, place->offset);
	return BATCH_WHOLE;
}

/* The last segment ended at @offset: has it been longer? */
static int check_tail(struct wal *wal, const struct segment *segment,
		      uint64_t offset)
{
	uint64_t at;

	if (offset == WAL_BLOCK && segment->sequence > 1)
		return segment_damaged(wal, segment->sequence, offset,
				       "the records are not whole");
	for (at = offset + WAL_BLOCK; at < segment->size; at += WAL_BLOCK)
		if (batch_at(segment, at))
			return segment_damaged(wal, segment->sequence, offset,
					       "the records are not whole, and others follow");
	return 0;
}

/*
 * From @place, the start of @segment, to its end, which the header of the
 * segment after it tells unless this is the last one.
 */
static int read_segment(struct wal *wal, const struct segment *segment,
			const struct wal_segment *next, struct wal_place *place,
			wal_visit visit, void *context)
{
	int result = 0;

	while (!next || place->offset < le64toh(next->previous_end)) {
		switch (read_batch(wal, segment, place, visit, context,
				   &result)) {
		case BATCH_WHOLE:
			continue;
		case BATCH_ENOUGH:
		case BATCH_WRONG:
			return result;
		case BATCH_NONE:
			break;
		}
		if (!next)
			return check_tail(wal, segment, place->offset);
		return segment_damaged(wal, segment->sequence, place->offset,
				       "the records are not whole");
	}
	if (next && (place->offset != le64toh(next->previous_end) ||
		     place->crc != le32toh(next->previous_crc) ||
		     place->lsn != le64toh(next->lsn)))
		return segment_damaged(wal, segment->sequence, place->offset,
				       "the next segment does not follow this one");
	return 0;
}

static bool same_cluster(const uint8_t *a, const uint8_t *b)
{
	return !memcmp(a, b, PAXOS_CLUSTER_SIZE);
}

/* Is @next of the same cluster as @before, or of the one that it became? */
static int check_cluster(struct wal *wal, const struct segment *before,
			 const struct segment *next)
{
	const struct wal_batch *batch = batch_at(next, WAL_BLOCK);
	const struct wal_record *disk = NULL;
	const struct wal_recovery *recovery;

	if (same_cluster(before->header->cluster, next->header->cluster))
		return 0;
	if (batch)
		disk = wal_record_at((const uint8_t *)(batch + 1),
				     next->bytes + next->size, next->seed);
	if (disk && disk->type == WAL_RECOVERY &&
	    le32toh(disk->length) == sizeof(*recovery)) {
		recovery = (const void *)(disk + 1);
		if (same_cluster(recovery->former, before->header->cluster) &&
		    same_cluster(recovery->cluster, next->header->cluster))
			return 0;
	}
	return segment_damaged(wal, next->sequence, 0,
			       "the segment is of another cluster");
}

/* Is the log, whose last segment this is, of the cluster that it should be? */
static int check_end(struct wal *wal, const struct segment *segment)
{
	const struct wal_recovery *recovery = &wal->recovery;
	char former[WAL_CLUSTER_NAME_SIZE], cluster[WAL_CLUSTER_NAME_SIZE];

	if (same_cluster(segment->header->cluster, wal->identity.cluster))
		return 0;
	if (!recovery->time ||
	    !same_cluster(recovery->former, wal->identity.cluster))
		return segment_of_another(wal, segment->header, segment->sequence);
	wal_wrong(wal,
		  "%s was recovered from cluster %s: it is of cluster %s now. Set Cluster = %s in the configuration",
		  wal->path, wal_cluster_name(former, recovery->former),
		  wal_cluster_name(cluster, recovery->cluster), cluster);
	return -ESTALE;
}

static int walk_segments(struct wal *wal, uint64_t lowest, uint64_t highest,
			 wal_visit visit, void *context)
{
	struct wal_place place = { 0 };
	struct segment segment, next;
	int result;

	result = segment_load(wal, &segment, lowest) || segment_check(wal, &segment);
	result = result ? -1 : 0;
	if (!result && lowest == 1 &&
	    (segment.header->previous_end || segment.header->lsn))
		result = segment_damaged(wal, 1, 0, "not the first segment of a log");
	if (!result)
		place.lsn = le64toh(segment.header->lsn);
	while (!result) {
		place.sequence = segment.sequence;
		place.offset = WAL_BLOCK;
		place.crc = le32toh(segment.header->crc);
		wal->last = place;
		memset(&next, 0, sizeof(next));
		if (segment.sequence < highest &&
		    (segment_load(wal, &next, segment.sequence + 1) ||
		     segment_check(wal, &next) ||
		     check_cluster(wal, &segment, &next)))
			result = -1;
		else
			result = read_segment(wal, &segment, next.header,
					      &place, visit, context);
		if (!result && !next.bytes)
			result = check_end(wal, &segment);
		segment_unload(&segment);
		segment = next;
		if (result || !segment.bytes)
			break;
	}
	segment_unload(&segment);
	wal->end = place;
	if (wal->last.offset == place.offset)
		wal->last = place;
	return result;
}

/* @lacks: the highest segment that is missing. */
static int walk(struct wal *wal, uint64_t *lacks)
{
	uint64_t first, highest;
	int result;

	wal->instance = 0;
	wal->incarnation = 0;
	memset(&wal->recovery, 0, sizeof(wal->recovery));
	wal->promised = 0;
	wal->base.slot = 0;
	wal->floor = 1;
	if (segment_ends(wal->directory, &wal->lowest, &highest))
		return wal_wrong(wal, "%s: cannot list: %s", wal->path,
				 strerror(errno));
	if (!highest) {
		wal_wrong(wal, "%s: no log here", wal->path);
		return -ENOENT;
	}
	first = segment_first(wal, highest);
	*lacks = first - 1;
	result = walk_segments(wal, first, highest, NULL, NULL);
	if (!result && wal->base.slot)
		wal_index_base(wal->index, &wal->base);
	return result;
}

int wal_read_durable(struct wal *wal, struct wal_durable *durable)
{
	ssize_t n;
	int fd;

	memset(durable, 0, sizeof(*durable));
	fd = openat(wal->directory, "durable", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = pread(fd, durable, sizeof(*durable), 0);
	close(fd);
	if (n == sizeof(*durable) &&
	    le32toh(durable->crc) ==
	    wal_durable_crc(wal, durable))
		return 0;
	memset(durable, 0, sizeof(*durable));
	return -1;
}

int wal_open(struct wal *wal)
{
	struct wal_durable durable;
	uint64_t sequence, end, lacks = 0;
	int result;

	wal_read_durable(wal, &durable);
	sequence = le64toh(durable.sequence);
	end = le64toh(durable.end);
	wal->lives = le64toh(durable.lives);
	result = walk(wal, &lacks);
	if (result == -ENOENT && sequence)
		return segment_damaged(wal, sequence, 0, "the file is missing");
	if (result)
		return result;
	if (sequence > wal->end.sequence)
		return segment_damaged(wal, sequence, 0, "the file is missing");
	if (sequence == wal->end.sequence && end > wal->end.offset)
		return segment_damaged(wal, sequence, wal->end.offset,
				       "the records are not whole, and were");
	if (lacks >= wal->floor)
		return segment_damaged(wal, lacks, 0, "the file is missing");
	wal_count(wal);
	/* A segment is named once its first batch is on the disk. */
	wal->confirmed = wal->last.offset == wal->end.offset ||
			 (wal->last.offset == WAL_BLOCK &&
			  wal->last.sequence > 1) ||
			 (sequence == wal->end.sequence &&
			  end == wal->end.offset);
	return 0;
}

int wal_read_batch(struct wal *wal, const struct wal_place *place,
		   wal_visit visit, void *context)
{
	const struct wal_place last = wal->last;
	const uint64_t instance = wal->instance;
	const uint64_t incarnation = wal->incarnation;
	struct wal_place at = *place;
	struct segment segment;
	int result = 0;

	wal->incarnation = 0;
	if (segment_load(wal, &segment, at.sequence) || segment_check(wal, &segment))
		result = -1;
	else if (read_batch(wal, &segment, &at, visit, context, &result) ==
		 BATCH_NONE)
		result = segment_damaged(wal, at.sequence, at.offset,
					 "the records are not whole, and just were");
	segment_unload(&segment);
	wal->last = last;
	wal->instance = instance;
	wal->incarnation = incarnation;
	return result;
}

struct replay {
	uint64_t base;
	wal_visit visit;
	void *context;
};

/* What the base stands for does not come again. */
static int replay_one(void *context, const struct record *record)
{
	const struct replay *replay = context;

	switch (record->type) {
	case WAL_CHECKPOINT:
		return 0;
	case PAXOS_NL_RECORD_ACCEPT:
	case PAXOS_NL_RECORD_COMMIT:
	case PAXOS_NL_RECORD_TRIM:
		if (record->slot <= replay->base)
			return 0;
		break;
	}
	return replay->visit ? replay->visit(replay->context, record) : 0;
}

/* The base, with the lsn of the last record before the first that is left. */
static int replay_base(struct wal *wal, wal_visit visit, void *context)
{
	const struct wal_base *base = &wal->base;
	struct record record = {
		.type = PAXOS_NL_RECORD_TRIM,
		.slot = base->slot,
		.ballot = base->promised,
		.length = base->length,
		.value = base->bytes,
	};
	struct segment segment;
	int result = -1;

	if (!base->slot || !visit)
		return 0;
	if (!segment_load(wal, &segment, wal->floor) &&
	    !segment_check(wal, &segment)) {
		record.lsn = le64toh(segment.header->lsn);
		result = visit(context, &record);
	}
	segment_unload(&segment);
	return result;
}

int wal_replay(struct wal *wal, wal_visit visit, void *context)
{
	struct replay replay = { wal->base.slot, visit, context };
	const struct wal_place end = wal->end, last = wal->last;
	const uint64_t instance = wal->instance;
	const uint64_t incarnation = wal->incarnation;
	int result;

	wal->replays = true;
	wal->instance = 0;
	wal->incarnation = 0;
	result = replay_base(wal, visit, context);
	if (!result)
		result = walk_segments(wal, wal->floor, end.sequence,
				       replay_one, &replay);
	wal->replays = false;
	wal->end = end;
	wal->last = last;
	wal->instance = instance;
	wal->incarnation = incarnation;
	return result;
}
