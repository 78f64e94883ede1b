/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOS_CORE_VALUE_H
#define _PAXOS_CORE_VALUE_H

#include <linux/types.h>

#define PAXOS_VALUE_MAX		32768	/* bytes of one value */

enum paxos_kind {
	PAXOS_NOOP = 0,		/* fills a slot, is empty, never delivered */
	PAXOS_DATA = 1,		/* bytes that a proposer asked for */
	PAXOS_CONFIG = 2,	/* a configuration, as wire.h lays it out */
	PAXOS_KINDS,
};

/**
 * struct paxos_origin - which proposal a value is
 * @incarnation: counts the lives of the member; a later life has a higher one
 * @seq: counts the proposals of that life, from 1
 * @member: who proposed it, 1..64; 0 for a no-op that only fills a gap
 *
 * The learner delivers each origin once, so a proposal may be retried.
 */
struct paxos_origin {
	u64 incarnation;
	u64 seq;
	u8 member;
};

/**
 * struct paxos_value - bytes that may be chosen, and where they came from
 * @refs: references, changed only by the core, so under its caller's lock
 * @len: bytes that follow, at most PAXOS_VALUE_MAX
 * @kind: enum paxos_kind
 * @spare: for who allocated it
 * @origin: the proposal
 * @bytes: never changed after the value was filled
 */
struct paxos_value {
	u32 refs;
	u32 len;
	u8 kind;
	u8 spare;
	struct paxos_origin origin;
	u8 bytes[];
};

#endif
