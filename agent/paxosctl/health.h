/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSCTL_HEALTH_H
#define _PAXOSCTL_HEALTH_H

#include "propose.h"

/**
 * struct health - what a commit told
 * @view: the group, after it
 * @outcome: how it ended
 * @netlink: ns from here to the kernel and back, known where it was chosen
 * @total: ns that all of it took, the wait for a leader included
 */
struct health {
	struct group_view view;
	struct outcome outcome;
	struct maybe netlink;
	uint64_t total;
};

extern const struct option_spec health_options[];
int run_health(const struct arguments *arguments);

/* One line, or one object. Returns an exit status. */
int health_print(const struct health *health);

#endif
