/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSCTL_TOP_H
#define _PAXOSCTL_TOP_H

#include "command.h"
#include "stats.h"
#include "view.h"

/**
 * struct top_sample - a group at a moment
 * @at: ns that only grow
 */
struct top_sample {
	uint64_t at;
	struct group_view view;
	struct stats_view stats;
};

extern const struct option_spec top_options[];
int run_top(const struct arguments *arguments);
/*
 * Print what a screen shows, as text, or as a line of JSON: the status, the rates
 * since @before, and the latencies since @first.
 */
void top_print(const struct top_sample *first, const struct top_sample *before,
	       const struct top_sample *now);

#endif
