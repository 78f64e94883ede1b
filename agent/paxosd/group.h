/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSD_GROUP_H
#define _PAXOSD_GROUP_H

/* The group in the kernel: one function a netlink command. */

#include "config.h"
#include "netlink.h"
#include "wal.h"

/* A member of the configuration in force; family 0: no address yet. */
struct group_member {
	uint8_t id;
	union address address;
};

/**
 * struct group_state - what the kernel says of the group
 * @instance: random, of this group in this kernel
 * @applied: up to here the kernel's subsystems have applied, or where there is
 *	none, @commit
 * @state, @phase, @wait: enum paxos_nl_state, _phase, _wait
 * @stalled: ms that the oldest record has waited for the disk
 * @voters: set, by 1 << (id - 1)
 * @checksum, @mark: of its log, as PAXOS_A_CHECKSUM and PAXOS_A_MARK
 * @diverged: the lowest slot of which a member holds another one, 0: none
 * @differ: set of those that do
 * @halted: this member applies nothing therefore
 * @heard: ms since each member's kernel was heard, UINT32_MAX: never
 *
 * ATTACH tells @instance, @state, @durable and @lsn only.
 */
struct group_state {
	uint64_t instance;
	uint64_t incarnation;
	uint64_t commit;
	uint64_t applied;
	uint64_t lsn;
	uint64_t durable;
	uint32_t epoch;
	uint8_t state;
	uint8_t phase;
	uint8_t wait;
	uint8_t leader;
	uint8_t q1;
	uint32_t stalled;
	uint64_t ballot;
	uint64_t promised;
	uint64_t first;
	uint64_t voters;
	uint64_t checksum;
	uint64_t mark;
	uint64_t diverged;
	uint64_t differ;
	bool halted;
	uint32_t heard[PAXOS_NL_MEMBERS_MAX + 1];
	unsigned int n_members;
	struct group_member members[PAXOS_NL_MEMBERS_MAX];
};

/* What the agents' heartbeats say of another member. */
struct group_peer {
	uint8_t id;
	bool suspected;
	bool known;		/* all that follows is */
	uint32_t heard;		/* ms ago */
	uint64_t commit;
	uint64_t durable;
	uint64_t incarnation;
	uint64_t checksum;
	uint64_t mark;
};

/* Results are 0 or a negative errno, with netlink->error set. */
/* @joins: no configuration names this host yet. */
int group_add(struct netlink *netlink, const struct config *config, bool joins);
int group_get(struct netlink *netlink, uint32_t group,
	      struct group_state *state);
int group_del(struct netlink *netlink, uint32_t group);
/*
 * Does the group that exists differ from the configuration? 1: yes, and
 * @difference says what.
 */
int group_compare(struct netlink *netlink, const struct config *config,
		  char *difference, size_t size);
int group_attach(struct netlink *netlink, uint32_t group,
		 struct group_state *state);
/* Records go in batches; nothing else may be asked between begin and end. */
void group_restore_begin(struct netlink *netlink, uint32_t group);
int group_restore(struct netlink *netlink, uint32_t group,
		  const struct record *record);
int group_restore_end(struct netlink *netlink);
int group_start(struct netlink *netlink, uint32_t group, uint64_t incarnation,
		uint64_t lsn);
int group_peers(struct netlink *netlink, uint32_t group,
		const struct group_peer *peers, unsigned int n);

/* What the slots up to @slot have left behind; of WAL_CHECKPOINT_MAX bytes. */
int group_checkpoint(struct netlink *netlink, uint32_t group, uint64_t *slot,
		     uint8_t *bytes, uint32_t *length);

/* What status shows of the log; @agent: port of the socket that is attached. */
struct group_space {
	uint32_t agent;
	uint64_t used;
	uint64_t bound;
	uint64_t first;
	uint64_t goes;
	uint8_t held;
};

int group_space(struct netlink *netlink, uint32_t group,
		const struct group_space *space);

int group_campaign(struct netlink *netlink, uint32_t group);
int group_resign(struct netlink *netlink, uint32_t group);
int group_transfer(struct netlink *netlink, uint32_t group, uint8_t to,
		   uint32_t timeout);

/*
 * Member @id is to have @role; a new one has @address. The answer comes by
 * group_changed(), which says whether a configuration of that kind is in force.
 */
int group_change(struct netlink *netlink, uint32_t group, uint8_t id,
		 uint8_t role, const union address *address, uint32_t timeout);
int group_changed(struct netlink *netlink, bool *made);

/* All to @lsn is on the disk; the answer comes by group_records(). */
int group_pull(struct netlink *netlink, uint32_t group, uint64_t lsn);
int group_records(struct netlink *netlink, wal_visit visit, void *context);

#endif
