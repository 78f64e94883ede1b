/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOS_CORE_BALLOT_H
#define _PAXOS_CORE_BALLOT_H

#include <linux/types.h>

/*
 * A ballot is one u64: the round in the high 56 bits, the id of the member
 * that owns it in the low 8. Two members never own the same ballot, and
 * ballots are totally ordered, which is all that Lamport 2001 ("Paxos Made
 * Simple", 2.2) asks of a proposal number. 0 is none.
 */
#define PAXOS_BALLOT_NONE	0ULL
#define PAXOS_ROUND_MAX		((1ULL << 56) - 1)

static inline u64 paxos_ballot_make(u64 round, u8 member)
{
	return round << 8 | member;
}

static inline u64 paxos_ballot_round(u64 ballot)
{
	return ballot >> 8;
}

static inline u8 paxos_ballot_member(u64 ballot)
{
	return ballot & 0xff;
}

/*
 * paxos_ballot_above - the lowest ballot of @member above @seen
 *
 * @seen is the highest ballot that the member has met in any message or
 * record, its own or a rival's; going above one's own only is how duelling
 * proposers starve. Returns PAXOS_BALLOT_NONE when the rounds are exhausted.
 */
static inline u64 paxos_ballot_above(u64 seen, u8 member)
{
	u64 round = paxos_ballot_round(seen);

	if (member <= paxos_ballot_member(seen))
		round++;
	if (round == 0)
		round = 1;
	return round > PAXOS_ROUND_MAX ? PAXOS_BALLOT_NONE :
					 paxos_ballot_make(round, member);
}

#endif
