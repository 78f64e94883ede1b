// SPDX-License-Identifier: GPL-2.0
#include <linux/bitops.h>
#include <linux/errno.h>
#include "config.h"

/*
 * paxos_config_init - check and fill in a configuration
 *
 * @q1 and @q2 of 0 mean a majority. Every Prepare quorum must meet every
 * Accept quorum (Howard, Malkhi, Spiegelman 2016, "Flexible Paxos"), which for
 * quorums by size is q1 + q2 > n. Returns 0, or -EINVAL with @config untouched.
 */
int paxos_config_init(struct paxos_config *config, u32 epoch, u64 voters,
		      u64 learners, u8 q1, u8 q2)
{
	u32 n = hweight64(voters);
	u32 prepare = q1 ? q1 : n / 2 + 1;
	u32 accept = q2 ? q2 : n / 2 + 1;

	if (!epoch || !n || voters & learners)
		return -EINVAL;
	if (prepare > n || accept > n || prepare + accept <= n)
		return -EINVAL;

	config->epoch = epoch;
	config->voters = voters;
	config->learners = learners;
	config->q1 = prepare;
	config->q2 = accept;
	return 0;
}
