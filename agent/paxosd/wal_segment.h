/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSD_WAL_SEGMENT_H
#define _PAXOSD_WAL_SEGMENT_H

/* Between wal_segment.c and wal_read.c. Failures are in wal->error. */

#include "wal.h"

/* A segment in memory. */
struct segment {
	uint64_t sequence;
	uint8_t *bytes;
	uint64_t size;
	const struct wal_segment *header;
	uint32_t seed;
};

/* Says so, and that the member must not vote. Returns -1. */
int segment_damaged(struct wal *wal, uint64_t sequence, uint64_t offset,
		    const char *what);
/* It is another member's. Returns -1. */
int segment_of_another(struct wal *wal, const struct wal_segment *header,
		       uint64_t sequence);
/* The highest and the lowest segment, 0: there is none; -1 and errno. */
int segment_ends(int directory, uint64_t *lowest, uint64_t *highest);
/* Down from @highest to the one before which one is missing. */
uint64_t segment_first(const struct wal *wal, uint64_t highest);

/* 0 or -1; segment_unload() follows in each case. */
int segment_load(struct wal *wal, struct segment *segment, uint64_t sequence);
void segment_unload(struct segment *segment);
/* Is what was loaded one of this log? Sets its header. 0 or -1. */
int segment_check(struct wal *wal, struct segment *segment);

#endif
