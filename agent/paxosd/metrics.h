/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSD_METRICS_H
#define _PAXOSD_METRICS_H

/*
 * What Prometheus wants to know: a page in its text format, for the textfile
 * collector of node_exporter. Nobody waits for it.
 */

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include "control.h"
#include "netlink.h"

#define METRICS_BOUNDS 10

/* Upper bounds, in us, of how long a batch may take to the disk. */
extern const uint32_t metrics_bounds[METRICS_BOUNDS];

/**
 * struct metrics_disk - what the disk thread has done; others read it
 * @batches: written and synced, by the bound that they stay under, the last
 *           one over all
 * @ns: that they took
 * @bytes: of them
 */
struct metrics_disk {
	_Atomic uint64_t batches[METRICS_BOUNDS + 1];
	_Atomic uint64_t ns;
	_Atomic uint64_t bytes;
};

/* A batch of @bytes took @ns, from write to the end of fdatasync. */
void metrics_batch(struct metrics_disk *disk, uint64_t ns, uint64_t bytes);

/**
 * struct metrics_sources - what a page is made of; NULL: not known now
 * @group: answer to GROUP_GET, a message of generic netlink
 * @stats: answer to STATS_GET
 * @detector: of the agent
 * @disk: NULL with durability in memory
 */
struct metrics_sources {
	uint32_t id;
	const struct nlmsghdr *group;
	const struct nlmsghdr *stats;
	const struct control_detector *detector;
	const struct metrics_disk *disk;
};

/* The page, for free(), with its @size; NULL: out of memory. */
char *metrics_page(const struct metrics_sources *sources, size_t *size);

/* The thread: writes the file of Metrics every few seconds, removes it at end. */
void *metrics_run(void *agent);

#endif
