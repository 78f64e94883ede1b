// SPDX-License-Identifier: GPL-2.0
#include <linux/err.h>
#include <linux/module.h>
#include "kv.h"

/*
 * The family's table of commands. uapi/linux/paxos_kv.h says what each does.
 * They run in parallel; each locks what it touches.
 */
#define POLICY_GROUP	NLA_POLICY_MIN(NLA_U32, 1)
#define POLICY_TIMEOUT	NLA_POLICY_MIN(NLA_U32, 1)
#define POLICY_KEY	{ .type = NLA_BINARY, .len = PAXOS_KV_KEY_MAX }

static const struct nla_policy item_policy[PAXOS_KV_A_ITEM_MAX + 1] = {
	[PAXOS_KV_A_ITEM_SECTION] = NLA_POLICY_MAX(NLA_U8,
						   PAXOS_KV_SECTION_ELSE),
	[PAXOS_KV_A_ITEM_TARGET] = NLA_POLICY_MAX(NLA_U8,
						  PAXOS_KV_TARGET_VALUE),
	[PAXOS_KV_A_ITEM_WHAT] = NLA_POLICY_MAX(NLA_U8, 5),
	[PAXOS_KV_A_ITEM_KEY] = POLICY_KEY,
	[PAXOS_KV_A_ITEM_VALUE] = { .type = NLA_BINARY },
	[PAXOS_KV_A_ITEM_NUMBER] = { .type = NLA_U64 },
};

static const struct nla_policy txn_policy[PAXOS_KV_A_MAX + 1] = {
	[PAXOS_KV_A_GROUP] = POLICY_GROUP,
	[PAXOS_KV_A_TIMEOUT] = POLICY_TIMEOUT,
	[PAXOS_KV_A_ITEM] = NLA_POLICY_NESTED(item_policy),
};

static const struct nla_policy grant_policy[PAXOS_KV_A_MAX + 1] = {
	[PAXOS_KV_A_GROUP] = POLICY_GROUP,
	[PAXOS_KV_A_TIMEOUT] = POLICY_TIMEOUT,
	[PAXOS_KV_A_TTL] = { .type = NLA_U64 },
};

static const struct nla_policy lease_policy[PAXOS_KV_A_MAX + 1] = {
	[PAXOS_KV_A_GROUP] = POLICY_GROUP,
	[PAXOS_KV_A_TIMEOUT] = POLICY_TIMEOUT,
	[PAXOS_KV_A_LEASE] = { .type = NLA_U64 },
};

static const struct nla_policy compact_policy[PAXOS_KV_A_MAX + 1] = {
	[PAXOS_KV_A_GROUP] = POLICY_GROUP,
	[PAXOS_KV_A_TIMEOUT] = POLICY_TIMEOUT,
	[PAXOS_KV_A_REVISION] = { .type = NLA_U64 },
};

static const struct nla_policy limit_policy[PAXOS_KV_A_MAX + 1] = {
	[PAXOS_KV_A_GROUP] = POLICY_GROUP,
	[PAXOS_KV_A_TIMEOUT] = POLICY_TIMEOUT,
	[PAXOS_KV_A_LIMIT] = { .type = NLA_U64 },
};

static const struct nla_policy history_policy[PAXOS_KV_A_MAX + 1] = {
	[PAXOS_KV_A_GROUP] = POLICY_GROUP,
	[PAXOS_KV_A_TIMEOUT] = POLICY_TIMEOUT,
	[PAXOS_KV_A_HISTORY] = { .type = NLA_U64 },
	[PAXOS_KV_A_PERIOD] = { .type = NLA_U64 },
};

static const struct nla_policy barrier_policy[PAXOS_KV_A_MAX + 1] = {
	[PAXOS_KV_A_GROUP] = POLICY_GROUP,
	[PAXOS_KV_A_TIMEOUT] = POLICY_TIMEOUT,
};

static const struct nla_policy get_policy[PAXOS_KV_A_MAX + 1] = {
	[PAXOS_KV_A_GROUP] = POLICY_GROUP,
	[PAXOS_KV_A_KEY] = POLICY_KEY,
	[PAXOS_KV_A_EXACT] = NLA_POLICY_MAX(NLA_U8, 1),
	[PAXOS_KV_A_REVISION] = { .type = NLA_U64 },
	[PAXOS_KV_A_COUNT] = { .type = NLA_U64 },
	[PAXOS_KV_A_AFTER] = POLICY_KEY,
};

static const struct nla_policy watch_policy[PAXOS_KV_A_MAX + 1] = {
	[PAXOS_KV_A_GROUP] = POLICY_GROUP,
	[PAXOS_KV_A_TIMEOUT] = POLICY_TIMEOUT,
	[PAXOS_KV_A_KEY] = POLICY_KEY,
	[PAXOS_KV_A_EXACT] = NLA_POLICY_MAX(NLA_U8, 1),
	[PAXOS_KV_A_REVISION] = { .type = NLA_U64 },
	[PAXOS_KV_A_SUB] = { .type = NLA_U32 },
};

static const struct nla_policy group_policy[PAXOS_KV_A_MAX + 1] = {
	[PAXOS_KV_A_GROUP] = POLICY_GROUP,
};

/* info->user_ptr[0] becomes the store, with a reference. */
static int find_replica(paxos_genl_ops *ops, struct sk_buff *skb,
			struct genl_info *info)
{
	struct nlattr *attr = info->attrs[PAXOS_KV_A_GROUP];
	struct kv_replica *replica;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, PAXOS_KV_A_GROUP)) {
		GENL_SET_ERR_MSG(info, "a group must be named");
		return -EINVAL;
	}
	replica = kv_replica_get(genl_info_net(info), nla_get_u32(attr));
	if (IS_ERR(replica)) {
		err = PTR_ERR(replica);
		if (err != -ENOENT)
			return kv_refuse(info->extack, err);
		NL_SET_BAD_ATTR(info->extack, attr);
		PAXOS_KV_REFUSE_GROUP(info->extack, attr);
		return err;
	}
	err = kv_replica_able(replica);
	if (err) {
		kv_replica_put(replica);
		return kv_refuse(info->extack, err);
	}
	info->user_ptr[0] = replica;
	return 0;
}

static void release_replica(paxos_genl_ops *ops, struct sk_buff *skb,
			    struct genl_info *info)
{
	kv_replica_put(info->user_ptr[0]);
}

static const struct genl_ops family_ops[] = {
	{
		.cmd = PAXOS_KV_CMD_TXN,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = txn_policy,
		.maxattr = PAXOS_KV_A_MAX,
		.doit = kv_nl_txn,
	}, {
		.cmd = PAXOS_KV_CMD_GRANT,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = grant_policy,
		.maxattr = PAXOS_KV_A_MAX,
		.doit = kv_nl_numbers,
	}, {
		.cmd = PAXOS_KV_CMD_KEEP,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = lease_policy,
		.maxattr = PAXOS_KV_A_MAX,
		.doit = kv_nl_numbers,
	}, {
		.cmd = PAXOS_KV_CMD_REVOKE,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = lease_policy,
		.maxattr = PAXOS_KV_A_MAX,
		.doit = kv_nl_numbers,
	}, {
		.cmd = PAXOS_KV_CMD_COMPACT,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = compact_policy,
		.maxattr = PAXOS_KV_A_MAX,
		.doit = kv_nl_numbers,
	}, {
		.cmd = PAXOS_KV_CMD_LIMIT,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = limit_policy,
		.maxattr = PAXOS_KV_A_MAX,
		.doit = kv_nl_numbers,
	}, {
		.cmd = PAXOS_KV_CMD_BARRIER,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = barrier_policy,
		.maxattr = PAXOS_KV_A_MAX,
		.doit = kv_nl_barrier,
	}, {
		.cmd = PAXOS_KV_CMD_GET,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = get_policy,
		.maxattr = PAXOS_KV_A_MAX,
		.start = kv_nl_get_start,
		.dumpit = kv_nl_get,
		.done = kv_nl_get_done,
	}, {
		.cmd = PAXOS_KV_CMD_WATCH,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = watch_policy,
		.maxattr = PAXOS_KV_A_MAX,
		.doit = kv_nl_watch,
	}, {
		.cmd = PAXOS_KV_CMD_INFO,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = group_policy,
		.maxattr = PAXOS_KV_A_MAX,
		.doit = kv_nl_info,
	}, {
		.cmd = PAXOS_KV_CMD_LEASES,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = group_policy,
		.maxattr = PAXOS_KV_A_MAX,
		.dumpit = kv_nl_leases,
	}, {
		.cmd = PAXOS_KV_CMD_HISTORY,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = history_policy,
		.maxattr = PAXOS_KV_A_MAX,
		.doit = kv_nl_history,
	},
};

struct genl_family paxos_kv_family __ro_after_init = {
	.name = PAXOS_KV_GENL_NAME,
	.version = PAXOS_KV_GENL_VERSION,
	.netnsok = true,
	.parallel_ops = true,
	.module = THIS_MODULE,
	.pre_doit = find_replica,
	.post_doit = release_replica,
	.ops = family_ops,
	.n_ops = ARRAY_SIZE(family_ops),
};
