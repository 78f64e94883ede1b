/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSD_SPACE_H
#define _PAXOSD_SPACE_H

/*
 * How large the log may become, and what goes for that: LogSpace. The disk
 * thread's.
 */

#include <stdbool.h>
#include <stdint.h>

struct agent;

/* Of LogSpace: from there on goes what all members have. */
#define SPACE_SOFT(bound)	((bound) / 4 * 3)
#define SPACE_SEGMENTS		16	/* that it has room for, at least */

/**
 * struct space - the thread's own
 * @sequence: of the last segment when it was last looked at
 * @looked: when that was
 * @since: when it was first
 * @early: too early to speak of others: they were not heard yet
 * @forced: something went that a member may lack
 * @held: a member holds back what would go, 0: none
 * @goes: slots up to here go when the log is full
 * @told: @goes of the last warning
 * @lost: members that were told to lack what went, by 1 << (id - 1)
 */
struct space {
	uint64_t sequence;
	uint64_t looked;
	uint64_t since;
	bool early;
	bool forced;
	uint8_t held;
	uint64_t goes;
	uint64_t told;
	uint64_t lost;
};

/* Of a segment, where the log may take @bound bytes; 0: any number. */
uint64_t space_segment(uint64_t bound);
/* A checkpoint into the batch that is being filled, if it needs one. */
int space_begin(struct agent *agent);
/*
 * Look after the log, between two batches: what may go goes, and what will is
 * announced. 0, or -1 and the agent has failed.
 */
int space_keep(struct agent *agent, struct space *space);
/*
 * It is full, and can be trimmed once there is a newer snapshot: nothing is
 * written before.
 */
bool space_waits(const struct agent *agent);
/* ms until there is something to look at, -1: not before the next batch. */
int space_wait(const struct agent *agent, const struct space *space);

#endif
