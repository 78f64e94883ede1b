/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSD_REPLACEMENT_H
#define _PAXOSD_REPLACEMENT_H

/*
 * What a leader does for a host that has lost its memory (Durability = memory):
 * it removes the member that this host was, adds the host under an id that was
 * never used, tells it that id, and lets it vote once it has caught up. The
 * removal comes first: one that cannot vote is missed by nobody, and of n
 * voters as many may still be lost.
 *
 * Nothing is remembered that a next leader would have to know: each step
 * follows from the configuration in force. No sockets and no clocks here; times
 * are nanoseconds that only grow.
 */

#include "group.h"

#define REPLACEMENT_EVERY	60000000000ULL	/* removals, not more often */
#define REPLACEMENT_RETRY	1000000000ULL
#define REPLACEMENT_FRESH	3000000000ULL	/* what was said longer ago is void */

enum replacement_act {
	REPLACEMENT_NOTHING,
	REPLACEMENT_REMOVE,
	REPLACEMENT_ADD,
	REPLACEMENT_TELL,
	REPLACEMENT_PROMOTE,
	REPLACEMENT_HELD,	/* it is too soon for a removal */
	REPLACEMENT_SPENT,	/* all ids were used */
};

/**
 * struct replacement_step - what is to be done
 * @id: member that it is done to; of TELL: that the host is from now on
 */
struct replacement_step {
	enum replacement_act act;
	uint8_t id;
};

/**
 * struct replacement - as a leader, or who may be one, sees it
 * @lost: the id of a host that said it lost its memory, 0: none
 * @life: of its agent
 * @place: where its kernel's group is to be
 * @heard: when it said so
 * @wants: when each member said that it wants to vote, 0: never
 * @next: an id to try, 0: the first that may be free
 * @removed: when a member was removed, 0: never
 * @retry: nothing is done before
 */
struct replacement {
	uint8_t lost;
	uint64_t life;
	union address place;
	uint64_t heard;
	uint64_t wants[PAXOS_NL_MEMBERS_MAX + 1];
	uint8_t next;
	uint64_t removed;
	uint64_t retry;
};

/* One host after the other: a second one is heard once the first is done. */
void replacement_hear(struct replacement *replacement, uint8_t id,
		      uint64_t life, const union address *place, uint64_t now);
void replacement_wants(struct replacement *replacement, uint8_t id,
		       uint64_t now);
/* What to do, if the kernel says @state. */
struct replacement_step
replacement_next(const struct replacement *replacement,
		 const struct group_state *state, uint64_t now);
/* It was tried; @error: 0, or a negative errno of the kernel. */
void replacement_tried(struct replacement *replacement,
		       struct replacement_step step, int error, uint64_t now);

#endif
