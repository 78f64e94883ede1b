/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOS_CORE_CONFIG_H
#define _PAXOS_CORE_CONFIG_H

#include <linux/types.h>

#define PAXOS_MEMBERS_MAX	64
#define PAXOS_CONFIG_MAX	1808	/* bytes of one, encoded */
#define PAXOS_CHECKPOINT_MAX	11728	/* bytes of one, encoded */

/* The bit of member @id (1..64) in a set of members. */
static inline u64 paxos_member_bit(u8 id)
{
	return 1ULL << (id - 1);
}

/**
 * struct paxos_config - who takes part, and how many of them decide
 * @epoch: counts configurations, from 1; a vote of another epoch is no vote.
 *         0: of a host that no configuration it knows of names yet: @voters is
 *         empty, and @learners are whom it may ask, itself included
 * @voters: set of the members that vote
 * @learners: set of the members that only receive
 * @gone: set of former members; their ids are not given away again (law 3)
 * @q1: promises that make a Prepare quorum
 * @q2: votes that make an Accept quorum
 */
struct paxos_config {
	u32 epoch;
	u64 voters;
	u64 learners;
	u64 gone;
	u8 q1;
	u8 q2;
};

/**
 * struct paxos_member - one member, as the value of a configuration names it
 * @id: 1..64
 * @role: enum paxos_member_role
 * @family: 4 or 6, for IPv4 and IPv6; this and what follows is not looked at
 *          by the core
 * @port: UDP
 * @scope: interface of a link-local address, else 0
 * @address: the first 4 bytes or all 16, in network order
 */
struct paxos_member {
	u8 id;
	u8 role;
	u16 family;
	u16 port;
	u32 scope;
	u8 address[16];
};

enum paxos_member_role {
	PAXOS_VOTER = 0,
	PAXOS_LEARNER,
};

static inline u64 paxos_config_members(const struct paxos_config *config)
{
	return config->voters | config->learners;
}

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
void paxos_config_none(struct paxos_config *config, u64 members);
int paxos_config_follows(const struct paxos_config *config,
			 const struct paxos_config *next);

#endif
