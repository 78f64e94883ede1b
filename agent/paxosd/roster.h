/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSD_ROSTER_H
#define _PAXOSD_ROSTER_H

/* Who the members are, and where their agents are heard. */

#include "group.h"

/**
 * struct roster - as the file says, then as was chosen
 * @epoch: of the configuration, 0: it is the file's
 * @set: of the members, by 1 << (id - 1)
 */
struct roster {
	uint32_t epoch;
	uint64_t set;
	unsigned int n;
	struct config_member members[PAXOS_NL_MEMBERS_MAX];
};

void roster_open(struct roster *roster, const struct config *config);
/*
 * What was chosen wins over the file, which only tells of other ports. Is it
 * another one than before?
 */
bool roster_follow(struct roster *roster, const struct config *config,
		   const struct group_state *state);
/* Between a member's address and that of its agent, in ports. */
int roster_distance(const struct config *config);

#endif
