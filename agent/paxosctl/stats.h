/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSCTL_STATS_H
#define _PAXOSCTL_STATS_H

#include "command.h"
#include "kernel.h"

enum stats_count {
	STATS_CHOSEN,
	STATS_DELIVERED,
	STATS_PROPOSALS,
	STATS_RECORDS,
	STATS_MESSAGES_IN,
	STATS_MESSAGES_OUT,
	STATS_BYTES_IN,
	STATS_BYTES_OUT,
	STATS_DROPS,
	STATS_COUNTS,
};

/**
 * struct stats_view - counters of a group, added up
 * @latencies: own proposals that were chosen, by time: PAXOS_A_LATENCY
 */
struct stats_view {
	uint64_t counts[STATS_COUNTS];
	uint64_t latencies[PAXOS_NL_LATENCIES];
};

/* Returns 0, or -1 with kernel_failure() set. */
int stats_get(struct kernel *kernel, uint32_t group, struct stats_view *view);

extern const struct option_spec stats_options[];
int run_stats(const struct arguments *arguments);

#endif
