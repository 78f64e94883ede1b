/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSD_CONSUMER_H
#define _PAXOSD_CONSUMER_H

/* Subsystems of this kernel that have the group open: one function a command. */

#include <stdbool.h>
#include "netlink.h"
#include "snapshot_file.h"

/**
 * struct consumer - one of them
 * @next: the slot that it applies next; 0: only a snapshot helps it
 */
struct consumer {
	uint32_t id;
	char name[SNAPSHOT_NAME_MAX + 1];
	uint64_t next;
	bool saves;
	bool loads;
	bool wants;
};

struct consumers {
	uint64_t commit;
	unsigned int n;
	struct consumer list[SNAPSHOT_SECTIONS_MAX];
};

/* What the kernel says of a snapshot that it begins. */
struct consumer_snapshot {
	uint64_t slot;
	uint32_t epoch;
	uint32_t length;
	uint8_t checkpoint[WAL_CHECKPOINT_MAX];
	struct consumers consumers;
};

/*
 * Results are 0 or a negative errno, with netlink->error set; what they mean is
 * in linux/paxos.h. @agent is the port of the socket that is attached.
 */
int consumer_list(struct netlink *netlink, uint32_t group,
		  struct consumers *consumers);
int consumer_begin_snapshot(struct netlink *netlink, uint32_t group,
			    uint32_t agent,
			    struct consumer_snapshot *snapshot);
/* @bytes, of SNAPSHOT_BYTES_MAX; @length 0: that was all. */
int consumer_pull(struct netlink *netlink, uint32_t group, uint32_t agent,
		  uint32_t id, uint8_t *bytes, uint32_t *length);
int consumer_end_snapshot(struct netlink *netlink, uint32_t group,
			  uint32_t agent);
/* @slot 0: from the first slot on, and no checkpoint. */
int consumer_feed(struct netlink *netlink, uint32_t group, uint32_t agent,
		  uint32_t id, bool loads, uint64_t slot, const void *checkpoint,
		  uint32_t length);
/* @length 0: that was all. */
int consumer_section(struct netlink *netlink, uint32_t group, uint32_t agent,
		     uint32_t id, const void *bytes, uint32_t length);
int consumer_refuse(struct netlink *netlink, uint32_t group, uint32_t agent,
		    uint32_t id);
/* For status: the newest is at @slot; @unsaved: the log waits for another. */
int consumer_report(struct netlink *netlink, uint32_t group, uint32_t agent,
		    uint64_t slot, bool unsaved);
/* Then learn_add() for each value, and netlink_ask(). */
void consumer_begin_values(struct netlink *netlink, uint32_t group,
			   uint32_t agent, uint32_t id);

#endif
