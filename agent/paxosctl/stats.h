/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSCTL_STATS_H
#define _PAXOSCTL_STATS_H

#include "command.h"

extern const struct option_spec stats_options[];
int run_stats(const struct arguments *arguments);

#endif
