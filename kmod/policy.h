/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOS_POLICY_H
#define _PAXOS_POLICY_H

#include <net/genetlink.h>
#include <uapi/linux/paxos.h>

/* Is @attr missing? Then that is said of @what, a string. */
#define PAXOS_LACKS(info, attr, what) ({				\
	bool __lacks = GENL_REQ_ATTR_CHECK(info, attr);			\
									\
	if (__lacks)							\
		GENL_SET_ERR_MSG(info, what " must be given");		\
	__lacks;							\
})

static inline int paxos_no_memory(struct genl_info *info)
{
	GENL_SET_ERR_MSG(info, "no memory");
	return -ENOMEM;
}

/* What each command takes; uapi/paxos.yaml says the same. */
extern const struct nla_policy paxos_group_policy[PAXOS_A_MAX + 1];
extern const struct nla_policy paxos_group_add_policy[PAXOS_A_MAX + 1];
extern const struct nla_policy paxos_group_set_policy[PAXOS_A_MAX + 1];
extern const struct nla_policy paxos_propose_policy[PAXOS_A_MAX + 1];
extern const struct nla_policy paxos_read_policy[PAXOS_A_MAX + 1];
extern const struct nla_policy paxos_log_policy[PAXOS_A_MAX + 1];
extern const struct nla_policy paxos_restore_policy[PAXOS_A_MAX + 1];
extern const struct nla_policy paxos_start_policy[PAXOS_A_MAX + 1];
extern const struct nla_policy paxos_pull_policy[PAXOS_A_MAX + 1];
extern const struct nla_policy paxos_learn_policy[PAXOS_A_MAX + 1];
extern const struct nla_policy paxos_space_set_policy[PAXOS_A_MAX + 1];
extern const struct nla_policy paxos_feed_policy[PAXOS_A_MAX + 1];
extern const struct nla_policy paxos_snapshot_policy[PAXOS_A_MAX + 1];
extern const struct nla_policy paxos_snapshot_pull_policy[PAXOS_A_MAX + 1];
extern const struct nla_policy paxos_peer_set_policy[PAXOS_A_MAX + 1];
extern const struct nla_policy paxos_transfer_policy[PAXOS_A_MAX + 1];
extern const struct nla_policy paxos_reconfigure_policy[PAXOS_A_MAX + 1];

extern const struct nla_policy
	paxos_member_add_policy[PAXOS_A_MEMBER_MAX + 1];
extern const struct nla_policy
	paxos_member_set_policy[PAXOS_A_MEMBER_MAX + 1];
extern const struct nla_policy
	paxos_member_peer_policy[PAXOS_A_MEMBER_MAX + 1];
extern const struct nla_policy
	paxos_member_change_policy[PAXOS_A_MEMBER_MAX + 1];
extern const struct nla_policy paxos_record_policy[PAXOS_A_RECORD_MAX + 1];

#endif
