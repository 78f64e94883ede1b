/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSD_WAL_INDEX_H
#define _PAXOSD_WAL_INDEX_H

/*
 * Where the log holds the values of which slots, and up to where they are on
 * the disk: for who reads the log while another thread writes it. Made while
 * the log is read at the start, kept while it is written. 24 bytes a stretch.
 */

#include <pthread.h>
#include "wal.h"

#define WAL_STRETCH	(256 << 10)	/* bytes; it ends with a batch */

/**
 * struct wal_stretch - some batches of a segment, one after the other
 * @sequence: of the segment
 * @offset: of the first one
 * @highest: slot whose value is in it or anywhere before it
 */
struct wal_stretch {
	uint64_t sequence;
	uint64_t offset;
	uint64_t highest;
};

/**
 * struct wal_part - a segment
 * @end: what is before is on the disk
 * @highest: slot whose value is in it or anywhere before it
 * @commit: of all commits in it or before it
 * @slot: of the checkpoint in it, 0: it has none
 * @length: of that one's bytes
 */
struct wal_part {
	uint64_t end;
	uint64_t highest;
	uint64_t commit;
	uint64_t slot;
	uint32_t length;
	uint8_t *bytes;
};

/**
 * struct wal_cut - segments that may go
 * @floor: those below
 * @slot: the log begins behind it then
 * @bytes: the checkpoint that says so, the index's own, of @length
 */
struct wal_cut {
	uint64_t floor;
	uint64_t slot;
	const uint8_t *bytes;
	uint32_t length;
};

/**
 * struct wal_index - of the log
 * @lock: protects what follows; held for moments
 * @stretches: @n of them, in order
 * @parts: @n_parts segments, the first one is @begin
 * @commit: slots up to here are chosen, says the log
 * @first: slot from which on it has all values that are chosen
 * @base: @base_length bytes of the checkpoint behind which it begins
 * @highest: slot whose value was added; the writer's
 * @added: the highest commit that was added; the writer's
 * @begun: the slot of a trim that was added, with @trim_length bytes at @trim;
 *         the writer's
 * @head: a checkpoint that was added, or no bytes; the writer's
 */
struct wal_index {
	pthread_mutex_t lock;
	struct wal_stretch *stretches;
	size_t n;
	uint64_t begin;
	struct wal_part *parts;
	size_t n_parts;
	uint64_t commit;
	uint64_t first;
	uint8_t *base;
	uint32_t base_length;

	uint64_t highest;
	uint64_t added;
	uint64_t begun;
	uint8_t *trim;
	uint32_t trim_length;
	struct wal_part head;
};

void wal_index_init(struct wal_index *index);
void wal_index_free(struct wal_index *index);

/*
 * The writer's; @index may be NULL. Records are added; then they are on the
 * disk as the batch from @offset to @end, or were found there. What was said
 * before changes nothing. A failed allocation ends the process.
 */
void wal_index_add(struct wal_index *index, const struct record *record);
void wal_index_batch(struct wal_index *index, uint64_t sequence,
		     uint64_t offset, uint64_t end);
/* The segment ends at @end after all. */
void wal_index_cut(struct wal_index *index, uint64_t sequence, uint64_t end);
/* The log begins behind this. */
void wal_index_base(struct wal_index *index, const struct wal_base *base);
/* The segments below @floor go, and it begins behind this. */
void wal_index_drop(struct wal_index *index, uint64_t floor,
		    const struct wal_base *base);
/*
 * What must go so that those below @floor do, with a checkpoint of slots up to
 * @limit and what is known to be chosen: no more than that, or where that much
 * cannot, as much as can. False: nothing can.
 */
bool wal_index_plan(struct wal_index *index, uint64_t limit, uint64_t floor,
		    struct wal_cut *cut);

/*
 * The readers'. wal_index_find(): where to begin to look for the values of
 * @slot and all above; false: there are none. wal_index_limit(): up to where a
 * segment may be read; false: there is no such segment, any more or yet.
 */
bool wal_index_find(struct wal_index *index, uint64_t slot, uint64_t *sequence,
		    uint64_t *offset);
bool wal_index_limit(struct wal_index *index, uint64_t sequence, uint64_t *end,
		     bool *last);
uint64_t wal_index_chosen(struct wal_index *index);
uint64_t wal_index_first(struct wal_index *index);
/*
 * The checkpoint behind which the log begins, in @bytes, which has
 * WAL_CHECKPOINT_MAX: its slot, or 0: the log begins with slot 1.
 */
uint64_t wal_index_begins(struct wal_index *index, uint8_t *bytes,
			  uint32_t *length);

#endif
