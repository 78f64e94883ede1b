/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSCTL_PROPOSE_H
#define _PAXOSCTL_PROPOSE_H

#include "view.h"

/**
 * struct outcome - how a proposal or a read ended
 * @no_quorum: for want of a quorum
 * @removed: this host was removed from the group; its id does not come back
 * @reason: "no quorum: 2 of 5, 3 needed", or what else was the matter
 */
struct outcome {
	uint8_t outcome;		/* enum paxos_nl_outcome */
	struct maybe slot;
	struct maybe elapsed;		/* ns */
	struct maybe accepted;		/* ns, as those below: of a no-op */
	struct maybe persisted;
	struct maybe chosen;
	struct maybe delivered;
	struct maybe up;
	struct maybe needed;
	bool no_quorum;
	bool removed;
	char reason[VIEW_REASON_SIZE];	/* unless it was chosen */
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

/* outcome_explain - say in @outcome why it was not chosen, as @view shows it */
void outcome_explain(struct outcome *outcome, const struct group_view *view);

/*
 * propose_in_time - propose @value, or a no-op where that is NULL, and wait
 *
 * What is certainly not proposed is proposed again, until the time is up, or
 * this host is no member any more.
 * Returns as outcome_get().
 */
int propose_in_time(struct kernel *kernel, uint32_t group, uint32_t timeout,
		    const uint8_t *value, size_t length,
		    struct outcome *outcome);

#endif
