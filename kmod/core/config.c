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
	config->gone = 0;
	config->q1 = prepare;
	config->q2 = accept;
	return 0;
}

/* Of a host that waits for a configuration to name it, and asks @members. */
void paxos_config_none(struct paxos_config *config, u64 members)
{
	*config = (struct paxos_config){
		.learners = members,
		.q1 = 1,
		.q2 = 1,
	};
}

/*
 * paxos_config_follows - whether @next may be proposed while @config holds
 *
 * -ESTALE: not the next epoch. -EKEYREVOKED: a former member's id is used
 * again. -EINVAL: somebody who leaves is not noted as gone. -EDOM: a Prepare
 * quorum of @next might miss an Accept quorum of @config, so that it would not
 * find what was chosen behind @next's slot before @next was chosen there.
 */
int paxos_config_follows(const struct paxos_config *config,
			 const struct paxos_config *next)
{
	u64 left = paxos_config_members(config) & ~paxos_config_members(next);

	if (!config->epoch || next->epoch != config->epoch + 1)
		return -ESTALE;
	if (paxos_config_members(next) & config->gone)
		return -EKEYREVOKED;
	if (next->gone != (config->gone | left))
		return -EINVAL;
	if (next->q1 + config->q2 <=
	    (int)hweight64(config->voters | next->voters))
		return -EDOM;
	return 0;
}
