/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSCTL_PROPOSE_H
#define _PAXOSCTL_PROPOSE_H

#include "view.h"

/* How a proposal or a read ended. */
struct outcome {
	uint8_t outcome;	/* enum paxos_nl_outcome */
	struct maybe slot;
	struct maybe elapsed;	/* ns */
	struct maybe up;
	struct maybe needed;
};

extern const struct option_spec propose_options[];
int run_propose(const struct arguments *arguments);

/*
 * outcome_get - send @request, which it frees, and wait for how it ends
 *
 * That the kernel could not even begin for want of a leader or a quorum is an
 * outcome, too. Returns 0, or -1 with kernel_failure() set.
 */
int outcome_get(struct kernel *kernel, struct nl_msg *request, uint32_t group,
		struct outcome *outcome);
/* "no quorum: 2 of 5, 3 needed", or what else is the matter. */
const char *outcome_reason(struct kernel *kernel, uint32_t group,
			   const struct outcome *outcome,
			   char reason[VIEW_REASON_SIZE]);
bool outcome_no_quorum(const struct outcome *outcome);

#endif
