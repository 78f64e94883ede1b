/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOS_CORE_QUORUM_H
#define _PAXOS_CORE_QUORUM_H

#include <linux/bitops.h>
#include "config.h"

/*
 * Votes are a set of members, never a count, so a datagram that arrives
 * twice is one vote. Only voters of the configuration weigh.
 */
static inline u8 paxos_quorum_weight(const struct paxos_config *config,
				     u64 members)
{
	return hweight64(members & config->voters);
}

/* Enough promises to propose: a Prepare quorum. */
static inline bool paxos_quorum_prepare(const struct paxos_config *config,
					u64 promises)
{
	return paxos_quorum_weight(config, promises) >= config->q1;
}

/* Enough votes to choose: an Accept quorum. */
static inline bool paxos_quorum_accept(const struct paxos_config *config,
				       u64 votes)
{
	return paxos_quorum_weight(config, votes) >= config->q2;
}

/*
 * Enough answers to a Read: as many as to a Prepare, and for the same reason.
 * n - q2 + 1 meet every Accept quorum of this configuration, but what the one
 * before chose behind the change is found by a Prepare quorum only: see
 * paxos_config_follows().
 */
static inline bool paxos_quorum_read(const struct paxos_config *config,
				     u64 answers)
{
	/* Without voters, in epoch 0, nothing can be known. */
	return config->voters && paxos_quorum_prepare(config, answers);
}

#endif
