/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSD_LEAD_H
#define _PAXOSD_LEAD_H

/*
 * This member's own lead: how it went, whether it should go on, and who would
 * fare better. A part of election.h's machine, and what both parts use.
 */

#include "election.h"

#define MS	1000000ULL
#define SECOND	(1000 * MS)

static inline uint64_t bit(uint8_t id)
{
	return 1ULL << (id - 1);
}

static inline uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static inline uint64_t intervals(const struct election *election,
				 unsigned int n)
{
	return n * election->settings.interval;
}

/* From here on a disk or a missing quorum is no hiccup. */
static inline uint64_t stall_limit(const struct election *election)
{
	return most(intervals(election, 10), SECOND);
}

static inline bool leads(const struct election *election)
{
	return election->kernel.state == PAXOS_NL_STATE_RUNNING &&
	       election->kernel.phase == PAXOS_NL_PHASE_LEADER;
}

static inline bool lacks_quorum(const struct election *election)
{
	return election->kernel.wait == PAXOS_NL_WAIT_QUORUM;
}

/* Voters whose agents are heard, self included. */
uint64_t election_hears(const struct election *election);
/* Is member @a preferred to @b? Each with its word. */
bool election_prefers(const struct election_word *a, uint8_t a_id,
		      const struct election_word *b, uint8_t b_id);

/* It, or its campaign, went wrong: others are preferred for a while. */
void lead_blame(struct election *election, uint64_t now);
/* Has it begun, has it ended? */
void lead_watch(struct election *election, uint64_t now);
/* Resign, or hand it over? */
void lead_step(struct election *election, uint64_t now,
	       struct election_out *out);
/*
 * The agent ends, and there is nothing more to hand over. The next leader may
 * need this member's promise, so it stays until that one is heard.
 */
bool lead_has_left(const struct election *election, uint64_t now);

#endif
