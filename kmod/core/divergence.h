/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOS_CORE_DIVERGENCE_H
#define _PAXOS_CORE_DIVERGENCE_H

#include <linux/types.h>
#include "config.h"

struct paxos_core;

/* Where too few were compared, others may be heard for so long. */
#define PAXOS_DIVERGENCE_US	3000000

/**
 * struct paxos_compared - a member's checksums beside this one's
 * @same: the highest slot at which it had the same, 0: none
 * @differs: the lowest since at which it had another, 0: none
 * @ahead: a slot that is not delivered here yet, 0: none
 * @ahead_checksum: and what it said of that
 */
struct paxos_compared {
	u64 same;
	u64 differs;
	u64 ahead;
	u64 ahead_checksum;
};

/**
 * struct paxos_divergence - members that hold another log than this one
 * @members: by id
 * @differ: set of those that do
 * @slot: the lowest one at which one of them does, 0: none
 * @since: when the first of them was found
 * @halted: this member is not with the majority: what it applies may be wrong
 */
struct paxos_divergence {
	struct paxos_compared members[PAXOS_MEMBERS_MAX + 1];
	u64 differ;
	u64 slot;
	u64 since;
	bool halted;
};

void paxos_divergence_hear(struct paxos_divergence *divergence,
			   const struct paxos_core *core, u8 id, u64 commit,
			   u64 checksum, u64 mark);
void paxos_divergence_judge(struct paxos_divergence *divergence,
			    const struct paxos_config *config, u8 self,
			    u64 now);

#endif
