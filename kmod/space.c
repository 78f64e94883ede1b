// SPDX-License-Identifier: GPL-2.0
#include <linux/slab.h>
#include <net/genetlink.h>
#include "paths.h"
#include "policy.h"

/*
 * The agent's log: a checkpoint for it to begin with, and what the agent says
 * of the space that it takes.
 */

int paxos_nl_checkpoint_get(struct sk_buff *skb, struct genl_info *info)
{
	struct paxos_group *group = info->user_ptr[0];
	struct sk_buff *answer;
	void *header, *bytes;
	u64 slot = 0;
	u32 len = 0;
	int err = 0;

	/* The disk waits for this. */
	bytes = kmalloc(PAXOS_CHECKPOINT_MAX, GFP_NOIO);
	answer = genlmsg_new(PAXOS_CHECKPOINT_MAX + 128, GFP_NOIO);
	if (!bytes || !answer) {
		err = paxos_no_memory(info);
		goto out;
	}
	header = genlmsg_put_reply(answer, info, &paxos_family, 0,
				   PAXOS_CMD_CHECKPOINT_GET);
	paxos_group_lock(group);
	if (group->dead) {
		GENL_SET_ERR_MSG(info, "the group is being deleted");
		err = -ESHUTDOWN;
	} else if (group->core.state != PAXOS_RUNNING) {
		paxos_refuse_unstarted(group, info);
		err = -EUNATCH;
	} else {
		slot = group->core.commit;
		len = paxos_core_checkpoint(&group->core, bytes);
	}
	paxos_group_unlock(group);
	if (!err &&
	    (nla_put_u64_64bit(answer, PAXOS_A_SLOT, slot, PAXOS_A_PAD) ||
	     nla_put(answer, PAXOS_A_VALUE, len, bytes)))
		err = -EMSGSIZE;
	if (!err) {
		genlmsg_end(answer, header);
		kfree(bytes);
		return genlmsg_reply(answer, info);
	}
out:
	kfree(bytes);
	nlmsg_free(answer);
	return err;
}

static u64 get_u64(const struct genl_info *info, int attr)
{
	return info->attrs[attr] ? nla_get_u64(info->attrs[attr]) : 0;
}

static void take(struct paxos_group *group, const struct genl_info *info)
{
	struct nlattr *held = info->attrs[PAXOS_A_SPACE_HELD];
	struct paxos_space space = {
		.used = get_u64(info, PAXOS_A_SPACE_USED),
		.bound = get_u64(info, PAXOS_A_SPACE),
		.first = get_u64(info, PAXOS_A_SPACE_FIRST),
		.goes = get_u64(info, PAXOS_A_SPACE_GOES),
		.held = held ? nla_get_u8(held) : 0,
		.trimmed = group->space.trimmed,
		.snapshot = group->space.snapshot,
		.unsaved = group->space.unsaved,
	};
	bool news = space.held && (space.held != group->space.held ||
				   space.goes != group->space.goes);

	group->space = space;
	if (news)
		paxos_notify_space(group);
}

int paxos_nl_space_set(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *unsaved = info->attrs[PAXOS_A_UNSAVED];
	struct paxos_group *group = info->user_ptr[0];
	int err;

	if (PAXOS_LACKS(info, PAXOS_A_AGENT, "the agent's port"))
		return -EINVAL;
	paxos_group_lock(group);
	err = paxos_agent_named(group, info);
	if (!err) {
		if (info->attrs[PAXOS_A_SPACE_USED])
			take(group, info);
		if (info->attrs[PAXOS_A_TRIMMED])
			group->space.trimmed = get_u64(info, PAXOS_A_TRIMMED);
		if (info->attrs[PAXOS_A_SNAPSHOT]) {
			group->space.snapshot = get_u64(info, PAXOS_A_SNAPSHOT);
			group->space.unsaved = unsaved &&
					       nla_get_u8(unsaved);
		}
	}
	paxos_group_unlock(group);
	return err;
}

static int put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return value ? nla_put_u64_64bit(skb, attr, value, PAXOS_A_PAD) : 0;
}

/* For GROUP_GET and for the event. */
int paxos_space_put(struct sk_buff *skb, const struct paxos_group *group)
{
	const struct paxos_space *space = &group->space;

	lockdep_assert_held(&group->lock);
	if (!group->agent.portid)
		return 0;
	return put_u64(skb, PAXOS_A_SPACE_USED, space->used) ?:
	       put_u64(skb, PAXOS_A_SPACE, space->bound) ?:
	       put_u64(skb, PAXOS_A_SPACE_FIRST, space->first) ?:
	       put_u64(skb, PAXOS_A_SPACE_GOES, space->goes) ?:
	       (space->held ? nla_put_u8(skb, PAXOS_A_SPACE_HELD,
					 space->held) : 0) ?:
	       put_u64(skb, PAXOS_A_SNAPSHOT, space->snapshot) ?:
	       (space->unsaved ? nla_put_u8(skb, PAXOS_A_UNSAVED, 1) : 0) ?:
	       (space->trimmed > group->core.commit + 1 ?
		put_u64(skb, PAXOS_A_TRIMMED, space->trimmed) : 0);
}
