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
 * struct wal_index - of the log
 * @lock: protects what follows; held for moments
 * @stretches: @n of them, in order
 * @ends: of each segment, the first one at 0: what is before is on the disk
 * @commit: slots up to here are chosen, says the log
 * @highest: slot whose value was added; the writer's
 * @added: the highest commit that was added; the writer's
 */
struct wal_index {
	pthread_mutex_t lock;
	struct wal_stretch *stretches;
	size_t n;
	uint64_t *ends;
	size_t segments;
	uint64_t commit;

	uint64_t highest;
	uint64_t added;
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

/*
 * The readers'. wal_index_find(): where to begin to look for the values of
 * @slot and all above; false: there are none. wal_index_limit(): up to where a
 * segment may be read; false: there is no such segment.
 */
bool wal_index_find(struct wal_index *index, uint64_t slot, uint64_t *sequence,
		    uint64_t *offset);
bool wal_index_limit(struct wal_index *index, uint64_t sequence, uint64_t *end,
		     bool *last);
uint64_t wal_index_chosen(struct wal_index *index);

#endif
