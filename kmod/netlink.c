// SPDX-License-Identifier: GPL-2.0
#include <linux/slab.h>
#include <net/genetlink.h>
#include "paths.h"
#include "policy.h"

/*
 * The family's table of commands. uapi/linux/paxos.h says what each does;
 * paxos_family runs them in parallel, so what a command touches is guarded by
 * paxos_net.mutex or the group's lock.
 */

enum {
	NEEDS_GROUP = BIT(0),	/* that PAXOS_A_GROUP names */
	TAKES_GROUP = BIT(1),	/* if it is named */
};

/* info->user_ptr[0] becomes the group, with a reference. */
static int find_group(paxos_genl_ops *ops, struct sk_buff *skb,
		      struct genl_info *info)
{
	struct nlattr *attr = info->attrs[PAXOS_A_GROUP];

	info->user_ptr[0] = NULL;
	if (!(ops->internal_flags & (NEEDS_GROUP | TAKES_GROUP)))
		return 0;
	if (!attr && ops->internal_flags & TAKES_GROUP)
		return 0;
	if (GENL_REQ_ATTR_CHECK(info, PAXOS_A_GROUP)) {
		GENL_SET_ERR_MSG(info, "a group must be named");
		return -EINVAL;
	}
	info->user_ptr[0] = paxos_group_get(genl_info_net(info),
					    nla_get_u32(attr));
	if (!info->user_ptr[0]) {
		NL_SET_BAD_ATTR(info->extack, attr);
		PAXOS_REFUSE_FMT(info->extack,
				 "no group %u in this network namespace",
				 nla_get_u32(attr));
		return -ENOENT;
	}
	return 0;
}

static void release_group(paxos_genl_ops *ops, struct sk_buff *skb,
			  struct genl_info *info)
{
	if (info->user_ptr[0])
		paxos_group_put(info->user_ptr[0]);
}

static int group_add(struct sk_buff *skb, struct genl_info *info)
{
	struct net *net = genl_info_net(info);
	struct paxos_group_config *config;
	int err;

	config = kzalloc(sizeof(*config), GFP_KERNEL);
	if (!config)
		return paxos_no_memory(info);
	err = paxos_attr_config(info, config);
	if (!err) {
		mutex_lock(&paxos_net(net)->mutex);
		err = paxos_group_add(net, config, info->extack);
		mutex_unlock(&paxos_net(net)->mutex);
	}
	if (err == -EEXIST)
		NL_SET_BAD_ATTR(info->extack, info->attrs[PAXOS_A_GROUP]);
	else if (err == -EADDRINUSE || err == -EADDRNOTAVAIL)
		NL_SET_BAD_ATTR(info->extack, info->attrs[PAXOS_A_SELF]);
	paxos_attr_config_free(config);
	return err;
}

static int group_del(struct sk_buff *skb, struct genl_info *info)
{
	int err = paxos_group_del(info->user_ptr[0]);

	if (err)
		GENL_SET_ERR_MSG(info, "the group is being deleted");
	return err;
}

static int campaign(struct sk_buff *skb, struct genl_info *info)
{
	struct paxos_group *group = info->user_ptr[0];
	int err;

	paxos_group_lock(group);
	err = paxos_group_able(group);
	if (!err)
		err = paxos_core_campaign(&group->core, paxos_now());
	paxos_group_unlock(group);

	switch (err) {
	case -ESHUTDOWN:
		GENL_SET_ERR_MSG(info, "the group is being deleted");
		break;
	case -EUNATCH:
		paxos_refuse_unstarted(group, info);
		break;
	case -EPERM:
		GENL_SET_ERR_MSG(info, "a learner cannot lead");
		break;
	case -EALREADY:
		GENL_SET_ERR_MSG(info, "this member leads already");
		break;
	case -EOVERFLOW:
		GENL_SET_ERR_MSG(info, "no higher ballot is left");
		break;
	}
	return err;
}

/* 0, -ESHUTDOWN, or what @end returns, with a sentence. */
static int end_lead(struct genl_info *info,
		    int (*end)(struct paxos_core *core, struct genl_info *info))
{
	struct paxos_group *group = info->user_ptr[0];
	int err = -ESHUTDOWN;

	paxos_group_lock(group);
	if (!group->dead)
		err = end(&group->core, info);
	paxos_group_unlock(group);
	if (err == -ESHUTDOWN)
		GENL_SET_ERR_MSG(info, "the group is being deleted");
	else if (err == -EUNATCH)
		paxos_refuse_unstarted(group, info);
	return err;
}

static int core_resign(struct paxos_core *core, struct genl_info *info)
{
	return paxos_core_resign(core, paxos_now());
}

static int resign(struct sk_buff *skb, struct genl_info *info)
{
	int err = end_lead(info, core_resign);

	if (err == -EALREADY)
		GENL_SET_ERR_MSG(info,
				 "this member neither leads nor campaigns");
	return err;
}

static int core_transfer(struct paxos_core *core, struct genl_info *info)
{
	u64 timeout = nla_get_u32(info->attrs[PAXOS_A_TIMEOUT]);
	u64 now = paxos_now();

	return paxos_core_transfer(core,
				   nla_get_u8(info->attrs[PAXOS_A_LEADER]),
				   now + timeout * USEC_PER_MSEC, now);
}

static int transfer(struct sk_buff *skb, struct genl_info *info)
{
	int err;

	if (PAXOS_LACKS(info, PAXOS_A_LEADER, "a leader") ||
	    PAXOS_LACKS(info, PAXOS_A_TIMEOUT, "a timeout"))
		return -EINVAL;
	err = end_lead(info, core_transfer);
	switch (err) {
	case -ENOLINK:
		GENL_SET_ERR_MSG(info, "this member does not lead");
		break;
	case -EALREADY:
		GENL_SET_ERR_MSG(info, "this member leads already");
		break;
	case -EINVAL:
		NL_SET_BAD_ATTR(info->extack, info->attrs[PAXOS_A_LEADER]);
		PAXOS_REFUSE_FMT(info->extack, "member %u is not a voter",
				 nla_get_u8(info->attrs[PAXOS_A_LEADER]));
		break;
	}
	return err;
}

static int stats_get(struct sk_buff *skb, struct genl_info *info)
{
	struct paxos_group *group = info->user_ptr[0];
	struct sk_buff *answer;
	void *header;
	int err;

	/* A nest, a name of up to 20 bytes and a number each. */
	answer = genlmsg_new(PAXOS_COUNTS * 64, GFP_KERNEL);
	if (!answer)
		return paxos_no_memory(info);
	header = genlmsg_put_reply(answer, info, &paxos_family, 0,
				   PAXOS_CMD_STATS_GET);
	if (group)
		err = nla_put_u32(answer, PAXOS_A_GROUP, group->id) ?:
		      paxos_stats_put(answer, group->stats);
	else
		err = paxos_stats_put_net(answer,
					  paxos_net(genl_info_net(info))->stats);
	if (WARN_ON_ONCE(err)) {
		nlmsg_free(answer);
		return err;
	}
	genlmsg_end(answer, header);
	return genlmsg_reply(answer, info);
}

static const struct genl_ops family_ops[] = {
	{
		.cmd = PAXOS_CMD_GROUP_ADD,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = paxos_group_add_policy,
		.maxattr = PAXOS_A_MAX,
		.doit = group_add,
	}, {
		.cmd = PAXOS_CMD_GROUP_SET,
		.flags = GENL_UNS_ADMIN_PERM,
		.internal_flags = NEEDS_GROUP,
		.policy = paxos_group_set_policy,
		.maxattr = PAXOS_A_MAX,
		.doit = paxos_nl_group_set,
	}, {
		.cmd = PAXOS_CMD_GROUP_DEL,
		.flags = GENL_UNS_ADMIN_PERM,
		.internal_flags = NEEDS_GROUP,
		.policy = paxos_group_policy,
		.maxattr = PAXOS_A_MAX,
		.doit = group_del,
	}, {
		.cmd = PAXOS_CMD_GROUP_GET,
		.internal_flags = NEEDS_GROUP,
		.policy = paxos_group_policy,
		.maxattr = PAXOS_A_MAX,
		.doit = paxos_nl_group_get,
		.start = paxos_nl_group_start,
		.dumpit = paxos_nl_group_dump,
	}, {
		.cmd = PAXOS_CMD_PROPOSE,
		.flags = GENL_UNS_ADMIN_PERM,
		.internal_flags = NEEDS_GROUP,
		.policy = paxos_propose_policy,
		.maxattr = PAXOS_A_MAX,
		.doit = paxos_nl_propose,
	}, {
		.cmd = PAXOS_CMD_READ,
		.flags = GENL_UNS_ADMIN_PERM,
		.internal_flags = NEEDS_GROUP,
		.policy = paxos_read_policy,
		.maxattr = PAXOS_A_MAX,
		.doit = paxos_nl_read,
	}, {
		.cmd = PAXOS_CMD_LOG_GET,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = paxos_log_policy,
		.maxattr = PAXOS_A_MAX,
		.start = paxos_nl_log_start,
		.dumpit = paxos_nl_log_dump,
	}, {
		.cmd = PAXOS_CMD_CAMPAIGN,
		.flags = GENL_UNS_ADMIN_PERM,
		.internal_flags = NEEDS_GROUP,
		.policy = paxos_group_policy,
		.maxattr = PAXOS_A_MAX,
		.doit = campaign,
	}, {
		.cmd = PAXOS_CMD_STATS_GET,
		.internal_flags = TAKES_GROUP,
		.policy = paxos_group_policy,
		.maxattr = PAXOS_A_MAX,
		.doit = stats_get,
	}, {
		.cmd = PAXOS_CMD_ATTACH,
		.flags = GENL_UNS_ADMIN_PERM,
		.internal_flags = NEEDS_GROUP,
		.policy = paxos_group_policy,
		.maxattr = PAXOS_A_MAX,
		.doit = paxos_nl_attach,
	}, {
		.cmd = PAXOS_CMD_RESTORE,
		.flags = GENL_UNS_ADMIN_PERM,
		.internal_flags = NEEDS_GROUP,
		.policy = paxos_restore_policy,
		.maxattr = PAXOS_A_MAX,
		.doit = paxos_nl_restore,
	}, {
		.cmd = PAXOS_CMD_START,
		.flags = GENL_UNS_ADMIN_PERM,
		.internal_flags = NEEDS_GROUP,
		.policy = paxos_start_policy,
		.maxattr = PAXOS_A_MAX,
		.doit = paxos_nl_start,
	}, {
		.cmd = PAXOS_CMD_PULL,
		.flags = GENL_UNS_ADMIN_PERM,
		.internal_flags = NEEDS_GROUP,
		.policy = paxos_pull_policy,
		.maxattr = PAXOS_A_MAX,
		.doit = paxos_nl_pull,
	}, {
		.cmd = PAXOS_CMD_PEER_SET,
		.flags = GENL_UNS_ADMIN_PERM,
		.internal_flags = NEEDS_GROUP,
		.policy = paxos_peer_set_policy,
		.maxattr = PAXOS_A_MAX,
		.doit = paxos_nl_peer_set,
	}, {
		.cmd = PAXOS_CMD_RESIGN,
		.flags = GENL_UNS_ADMIN_PERM,
		.internal_flags = NEEDS_GROUP,
		.policy = paxos_group_policy,
		.maxattr = PAXOS_A_MAX,
		.doit = resign,
	}, {
		.cmd = PAXOS_CMD_TRANSFER,
		.flags = GENL_UNS_ADMIN_PERM,
		.internal_flags = NEEDS_GROUP,
		.policy = paxos_transfer_policy,
		.maxattr = PAXOS_A_MAX,
		.doit = transfer,
	}, {
		.cmd = PAXOS_CMD_LEARN,
		.flags = GENL_UNS_ADMIN_PERM,
		.internal_flags = NEEDS_GROUP,
		.policy = paxos_learn_policy,
		.maxattr = PAXOS_A_MAX,
		.doit = paxos_nl_learn,
	}, {
		.cmd = PAXOS_CMD_RECONFIGURE,
		.flags = GENL_UNS_ADMIN_PERM,
		.internal_flags = NEEDS_GROUP,
		.policy = paxos_reconfigure_policy,
		.maxattr = PAXOS_A_MAX,
		.doit = paxos_nl_reconfigure,
	}, {
		.cmd = PAXOS_CMD_CHECKPOINT_GET,
		.flags = GENL_UNS_ADMIN_PERM,
		.internal_flags = NEEDS_GROUP,
		.policy = paxos_group_policy,
		.maxattr = PAXOS_A_MAX,
		.doit = paxos_nl_checkpoint_get,
	}, {
		.cmd = PAXOS_CMD_SPACE_SET,
		.flags = GENL_UNS_ADMIN_PERM,
		.internal_flags = NEEDS_GROUP,
		.policy = paxos_space_set_policy,
		.maxattr = PAXOS_A_MAX,
		.doit = paxos_nl_space_set,
	}, {
		.cmd = PAXOS_CMD_CONSUMER_GET,
		.flags = GENL_UNS_ADMIN_PERM,
		.internal_flags = NEEDS_GROUP,
		.policy = paxos_group_policy,
		.maxattr = PAXOS_A_MAX,
		.doit = paxos_nl_consumer_get,
	}, {
		.cmd = PAXOS_CMD_CONSUMER_FEED,
		.flags = GENL_UNS_ADMIN_PERM,
		.internal_flags = NEEDS_GROUP,
		.policy = paxos_feed_policy,
		.maxattr = PAXOS_A_MAX,
		.doit = paxos_nl_consumer_feed,
	}, {
		.cmd = PAXOS_CMD_SNAPSHOT_BEGIN,
		.flags = GENL_UNS_ADMIN_PERM,
		.internal_flags = NEEDS_GROUP,
		.policy = paxos_snapshot_policy,
		.maxattr = PAXOS_A_MAX,
		.doit = paxos_nl_snapshot_begin,
	}, {
		.cmd = PAXOS_CMD_SNAPSHOT_PULL,
		.flags = GENL_UNS_ADMIN_PERM,
		.internal_flags = NEEDS_GROUP,
		.policy = paxos_snapshot_pull_policy,
		.maxattr = PAXOS_A_MAX,
		.doit = paxos_nl_snapshot_pull,
	}, {
		.cmd = PAXOS_CMD_SNAPSHOT_END,
		.flags = GENL_UNS_ADMIN_PERM,
		.internal_flags = NEEDS_GROUP,
		.policy = paxos_snapshot_policy,
		.maxattr = PAXOS_A_MAX,
		.doit = paxos_nl_snapshot_end,
	},
};

/* In the order of notify.c. */
static const struct genl_multicast_group family_groups[] = {
	{ .name = PAXOS_MCGRP_EVENTS },
	{ .name = PAXOS_MCGRP_LOG, .flags = GENL_MCAST_CAP_NET_ADMIN },
};

struct genl_family paxos_family __ro_after_init = {
	.name = PAXOS_GENL_NAME,
	.version = PAXOS_GENL_VERSION,
	.netnsok = true,
	.parallel_ops = true,
	.module = THIS_MODULE,
	.pre_doit = find_group,
	.post_doit = release_group,
	.ops = family_ops,
	.n_ops = ARRAY_SIZE(family_ops),
	.mcgrps = family_groups,
	.n_mcgrps = ARRAY_SIZE(family_groups),
};

int __init paxos_netlink_init(void)
{
	return genl_register_family(&paxos_family);
}

void paxos_netlink_exit(void)
{
	genl_unregister_family(&paxos_family);
}

#ifdef PAXOS_SENTENCES
#define SENTENCE_MAX	80

const char *paxos_sentence(const char *format, ...)
{
	static char sentences[SENTENCE_MAX][4][SENTENCE_MAX];
	static atomic_t next;
	char text[SENTENCE_MAX];
	va_list args;
	char *mine;
	int length;

	va_start(args, format);
	length = vscnprintf(text, sizeof(text), format, args);
	va_end(args);
	mine = sentences[length][(unsigned int)atomic_inc_return(&next) %
				 ARRAY_SIZE(sentences[0])];
	memcpy(mine, text, length);
	return mine;
}
EXPORT_SYMBOL_GPL(paxos_sentence);
#endif
