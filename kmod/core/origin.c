// SPDX-License-Identifier: GPL-2.0
#include "internal.h"

/*
 * Which proposals of a member were seen. A member never has a proposal under
 * way that is PAXOS_PENDING_MAX behind its newest, so what is older than that
 * ended long ago, and what belongs to an earlier life ended with it.
 */

static bool bit(const struct paxos_seen *seen, u64 seq)
{
	u32 at = seq % PAXOS_PENDING_MAX;

	return seen->bits[at / 64] >> at % 64 & 1;
}

bool paxos_seen_has(const struct paxos_seen *seen,
		    const struct paxos_origin *origin)
{
	if (origin->incarnation != seen->incarnation)
		return origin->incarnation < seen->incarnation;
	if (origin->seq > seen->highest)
		return false;
	if (seen->highest - origin->seq >= PAXOS_PENDING_MAX)
		return true;
	return bit(seen, origin->seq);
}

/* Returns false if it was there, or is too old to tell. */
bool paxos_seen_add(struct paxos_seen *seen, const struct paxos_origin *origin)
{
	u32 at = origin->seq % PAXOS_PENDING_MAX;

	if (paxos_seen_has(seen, origin))
		return false;
	if (origin->incarnation > seen->incarnation) {
		memset(seen, 0, sizeof(*seen));
		seen->incarnation = origin->incarnation;
	}
	if (origin->seq > seen->highest) {
		if (origin->seq - seen->highest >= PAXOS_PENDING_MAX)
			memset(seen->bits, 0, sizeof(seen->bits));
		else
			while (++seen->highest < origin->seq) {
				u32 gap = seen->highest % PAXOS_PENDING_MAX;

				seen->bits[gap / 64] &= ~(1ULL << gap % 64);
			}
		seen->highest = origin->seq;
	}
	seen->bits[at / 64] |= 1ULL << at % 64;
	return true;
}

bool paxos_origin_first(struct paxos_seen *delivered,
			const struct paxos_origin *origin)
{
	return origin->member &&
	       paxos_seen_add(&delivered[origin->member], origin);
}
