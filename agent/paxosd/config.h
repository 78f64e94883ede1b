/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSD_CONFIG_H
#define _PAXOSD_CONFIG_H

/*
 * The configuration of one member of one group: an INI file in the manner of
 * wg-quick. paxosd runs a member from it, `paxosctl group add -c` starts one
 * without an agent. Needs config.c, address.c and -lsodium, and nothing else of
 * paxosd.
 */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/paxos.h>
#include "address.h"

#define CONFIG_INTERVAL_MIN	5	/* ms */
#define CONFIG_INTERVAL_MAX	10000
#define CONFIG_INTERVAL_DEFAULT	100
/* Of silence, in intervals. */
#define CONFIG_TIMEOUT_MIN	2
#define CONFIG_TIMEOUT_MAX	20
#define CONFIG_TIMEOUT_LIMIT	600000	/* ms */
#define CONFIG_THRESHOLD_DEFAULT 8
#define CONFIG_THRESHOLD_LIMIT	1000
#define CONFIG_PRIORITY_DEFAULT	100
#define CONFIG_TRANSFER_RATE_MIN	(1U << 20)	/* bytes a second */
#define CONFIG_TRANSFER_RATE_MAX	(1U << 30)
#define CONFIG_TRANSFER_RATE_DEFAULT	(8U << 20)

#define CONFIG_LOG_SPACE_MIN	(16U << 20)	/* bytes */
#define CONFIG_LOG_SPACE_MAX	(1ULL << 40)
#define CONFIG_SNAPSHOT_AFTER_MIN	(1U << 20)	/* bytes */
#define CONFIG_SNAPSHOT_AFTER_MAX	(1ULL << 40)
#define CONFIG_SNAPSHOT_AFTER_DEFAULT	(64U << 20)
#define CONFIG_SNAPSHOTS_KEPT_MAX	100
#define CONFIG_SNAPSHOTS_KEPT_DEFAULT	2
#define CONFIG_MEMORY_DEFAULT	(64U << 20)	/* the kernel's */

struct config_member {
	uint8_t id;			/* 1..64 */
	uint8_t role;			/* enum paxos_nl_role */
	uint8_t priority;		/* to lead; 0: not by itself */
	union address address;	/* the kernel's */
	union address heartbeat;	/* the agent's */
};

/**
 * struct config - what the file says, checked
 * @group: Id
 * @cluster: Cluster
 * @key: Key, or what KeyFile holds
 * @self: Self, always one of @members
 * @durability: enum paxos_nl_durability
 * @q1: PrepareQuorum, 0: a majority
 * @q2: AcceptQuorum, 0: a majority
 * @window: Window, 0: the kernel's default
 * @log_size: LogSize, 0: the kernel's default
 * @bytes: Memory, 0: the kernel's default
 * @interval: Interval, in ms
 * @adaptive: Adaptive: learn how long a silence is suspicious
 * @threshold: Threshold, of phi
 * @timeout_min: TimeoutMin, in ms, never 0
 * @timeout_max: TimeoutMax, in ms, above that
 * @election: Election: the agents elect a leader by themselves
 * @transfer_rate: TransferRate, in bytes a second
 * @metrics: Metrics, an absolute path that ends in .prom, or ""
 * @log_space: LogSpace, in bytes, 0: any number
 * @snapshot_after: SnapshotAfter, in bytes
 * @snapshots_kept: SnapshotsKept
 * @auto_replace: AutoReplace: a host that lost its memory gets another id
 * @state_directory: StateDirectory, an absolute path
 * @n_members: of @members, in the order of the file
 * @warning: a sentence for the person, or "": a key that others can read
 */
struct config {
	uint32_t group;
	uint8_t cluster[PAXOS_CLUSTER_SIZE];
	uint8_t key[PAXOS_KEY_SIZE];
	uint8_t self;
	uint8_t durability;
	uint8_t q1;
	uint8_t q2;
	uint32_t window;
	uint32_t log_size;
	uint32_t bytes;
	uint32_t interval;
	bool adaptive;
	uint32_t threshold;
	uint32_t timeout_min;
	uint32_t timeout_max;
	bool election;
	uint32_t transfer_rate;
	char metrics[PATH_MAX];
	uint64_t log_space;
	uint64_t snapshot_after;
	uint32_t snapshots_kept;
	bool auto_replace;
	char state_directory[PATH_MAX];
	unsigned int n_members;
	struct config_member members[PAXOS_NL_MEMBERS_MAX];
	char warning[PATH_MAX + 128];
};

/**
 * config_read - read and check a configuration file
 * @config: filled, all of it, when 0 is returned
 * @path: the file
 * @error: gets a sentence without a newline when -1 is returned. It names
 *         file and line, and quotes the line
 * @size: of @error, 512 is plenty
 */
int config_read(struct config *config, const char *path, char *error,
		size_t size);

/*
 * The same for a member that runs with @running: what cannot change meanwhile
 * is as it is there, or -1 is returned.
 */
int config_read_again(struct config *config, const struct config *running,
		      const char *path, char *error, size_t size);

/*
 * What can change, from @config into @running: Interval, Adaptive, Threshold,
 * TimeoutMin, TimeoutMax, Election, TransferRate, SnapshotAfter, SnapshotsKept
 * and Priority.
 */
void config_take(struct config *running, const struct config *config);

/* The member with @id, or NULL. */
const struct config_member *config_member(const struct config *config,
					  uint8_t id);

#endif
