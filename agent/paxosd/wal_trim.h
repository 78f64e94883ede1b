/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSD_WAL_TRIM_H
#define _PAXOSD_WAL_TRIM_H

/*
 * What the log does not need any more.
 *
 * The first batch of a segment may hold a checkpoint: what the slots up to some
 * slot C have left behind. Segments may go where one of those, C not above what
 * the disk knows to be chosen, stands for all that is in them: no record in
 * them accepts a slot above C, or says last that one is chosen. So it is said in a checkpoint again, with the
 * number of the first segment that stays and the highest promise so far. Once
 * that is on the disk they go, the oldest first; the last of them becomes the
 * space for the next segment.
 *
 * A crash between any two of these calls leaves a log without the checkpoint,
 * and all segments; or with it, and any of them.
 */

#include "wal.h"
#include "wal_index.h"

/* The batch that is being filled will begin a segment. */
bool wal_turns(const struct wal *wal);
/* Into that batch: a checkpoint of the slots up to @slot. */
int wal_checkpoint(struct wal *wal, uint64_t slot, const void *bytes,
		   uint32_t length);
/* Bytes that the log takes, its spare included; with many segments, too. */
uint64_t wal_used(const struct wal *wal);
/* Bytes that one of its segments takes, 0: it is not there. */
uint64_t wal_segment_takes(const struct wal *wal, uint64_t sequence);
/* Those of all but the last are looked at once, when it is opened. */
void wal_count(struct wal *wal);
/*
 * What must go to leave no more than @target bytes, of slots up to @limit at
 * most; less, where less can. False: nothing can, or need.
 */
bool wal_may_cut(struct wal *wal, uint64_t limit, uint64_t target,
		 struct wal_cut *cut);
/* It goes. @cut holds for as long as nothing was committed since. */
int wal_trim(struct wal *wal, const struct wal_cut *cut);
/* The segments below the floor, which is on the disk, go. */
int wal_let_go(struct wal *wal);

#endif
