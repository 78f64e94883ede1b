/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOS_CORE_CONFIG_H
#define _PAXOS_CORE_CONFIG_H

#include <linux/types.h>

#define PAXOS_MEMBERS_MAX	64

/* The bit of member @id (1..64) in a set of members. */
static inline u64 paxos_member_bit(u8 id)
{
	return 1ULL << (id - 1);
}

/**
 * struct paxos_config - who takes part, and how many of them decide
 * @epoch: counts configurations, from 1; a vote of another epoch is no vote
 * @voters: set of the members that vote
 * @learners: set of the members that only receive
 * @q1: promises that make a Prepare quorum
 * @q2: votes that make an Accept quorum
 */
struct paxos_config {
	u32 epoch;
	u64 voters;
	u64 learners;
	u8 q1;
	u8 q2;
};

static inline bool paxos_config_has(const struct paxos_config *config, u8 id)
{
	return id >= 1 && id <= PAXOS_MEMBERS_MAX &&
	       (config->voters | config->learners) & paxos_member_bit(id);
}

static inline bool paxos_config_votes(const struct paxos_config *config, u8 id)
{
	return id >= 1 && id <= PAXOS_MEMBERS_MAX &&
	       config->voters & paxos_member_bit(id);
}

int paxos_config_init(struct paxos_config *config, u32 epoch, u64 voters,
		      u64 learners, u8 q1, u8 q2);

#endif
