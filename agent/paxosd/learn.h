/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSD_LEARN_H
#define _PAXOSD_LEARN_H

/* What another member's log brings, into the kernel: GROUP_GET and LEARN. */

#include "netlink.h"
#include "wal.h"

/* Another member, as a source of what is lacking here. */
struct learn_source {
	uint8_t id;
	bool heard;		/* its agent was, of late */
	uint64_t commit;
};

/**
 * struct learn_state - how far this member is
 * @behind: the kernels cannot bring it what it lacks
 * @commit: all slots up to here are known here
 * @agent: netlink port of the agent
 */
struct learn_state {
	bool behind;
	uint64_t commit;
	uint32_t agent;
	uint8_t leader;
	unsigned int n;
	struct learn_source sources[PAXOS_NL_MEMBERS_MAX];
};

/* 0 or a negative errno, with netlink->error set. */
int learn_get(struct netlink *netlink, uint32_t group,
	      struct learn_state *state);

/**
 * struct learn - values on their way into the kernel
 * @from: the member that they come from
 * @goal: up to where its log goes
 */
struct learn {
	struct netlink *netlink;
	uint32_t group;
	uint32_t agent;
	uint8_t from;
	uint64_t goal;
};

/*
 * Begin, add values in the order of the slots, send. learn_add() is 1 where one
 * more has no room: send, and begin again with it. learn_send() is -EAGAIN
 * where the kernel has no room until its disk has caught up: it may have taken
 * some; and -EEXIST where it knows another value to be chosen.
 */
void learn_begin(const struct learn *learn);
int learn_add(const struct learn *learn, const struct record *record);
int learn_send(const struct learn *learn);
/*
 * Begin behind @slot, with its checkpoint: -ENOTEMPTY: the kernel has delivered
 * something, and not @loads: there is no snapshot that its consumers go on from.
 */
int learn_snapshot(const struct learn *learn, uint64_t slot, bool loads,
		   const uint8_t *bytes, uint32_t length);
/* No log that can be asked holds a slot below @first; 0: it is not so. */
int learn_trimmed(const struct learn *learn, uint64_t first);

#endif
