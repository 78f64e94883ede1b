// SPDX-License-Identifier: GPL-2.0
#include <linux/slab.h>
#include <net/genetlink.h>
#include "core/quorum.h"
#include "paths.h"
#include "policy.h"

/*
 * Proposals and reads of this member, from netlink or from a kernel subsystem:
 * the core's cookie for each is a struct paxos_request.
 */

/* @needed: voters without which it could not end better */
static void end(struct paxos_group *group, struct paxos_request *request,
		enum paxos_outcome outcome, u64 slot, u8 needed)
{
	lockdep_assert_held(&group->lock);
	request->result = outcome;
	request->slot = slot;
	if (outcome != PAXOS_OUTCOME_CHOSEN) {
		const struct paxos_config *config = &group->core.config;
		u64 up = paxos_members_up(group, group->core.now);

		request->up = paxos_quorum_weight(config, up);
		request->needed = needed;
	}
	if (static_branch_unlikely(&paxos_stages_timed.key))
		paxos_stages_end(group, request);
	if (request->handle)
		list_del(&request->mine);
	list_add_tail(&request->node, &group->ended);
}

/* ops->proposed */
void paxos_ended(struct paxos_core *core, void *cookie,
		 enum paxos_outcome outcome, u64 slot)
{
	struct paxos_group *group = paxos_core_group(core);
	struct paxos_request *request = cookie;

	BUILD_BUG_ON((int)PAXOS_RESULT_CHOSEN != PAXOS_OUTCOME_CHOSEN);
	BUILD_BUG_ON((int)PAXOS_RESULT_NOT_CHOSEN !=
		     PAXOS_OUTCOME_NOT_CHOSEN);
	BUILD_BUG_ON((int)PAXOS_RESULT_UNKNOWN != PAXOS_OUTCOME_UNKNOWN);
	BUILD_BUG_ON((int)PAXOS_NL_OUTCOME_UNKNOWN != PAXOS_OUTCOME_UNKNOWN);
	if (core->config_slot == slot && slot)
		request->epoch = core->config.epoch;
	if (outcome == PAXOS_OUTCOME_CHOSEN)
		paxos_count_chosen(group->stats, core->now - request->began);
	end(group, request, outcome, slot, core->config.q2);
}

/* ops->read_done */
void paxos_read_ended(struct paxos_core *core, void *cookie,
		      enum paxos_outcome outcome, u64 slot)
{
	end(paxos_core_group(core), cookie, outcome, slot, core->config.q1);
}

/* -EUNATCH: without an agent this member takes no part; -ESHUTDOWN. */
int paxos_group_able(const struct paxos_group *group)
{
	lockdep_assert_held(&group->lock);
	if (group->dead)
		return -ESHUTDOWN;
	if (group->core.settings.durability == PAXOS_SYNC &&
	    !group->agent.portid)
		return -EUNATCH;
	return 0;
}

/* As paxos_propose(). */
int paxos_request_propose(struct paxos_group *group,
			  struct paxos_request *request, const void *bytes,
			  u32 len, u32 timeout_ms)
{
	u64 now = paxos_now();
	int err;

	lockdep_assert_held(&group->lock);
	request->began = now;
	err = paxos_group_able(group);
	if (!err)
		err = paxos_core_propose(&group->core, bytes, len,
					 now + (u64)timeout_ms * USEC_PER_MSEC,
					 request, now);
	if (!err)
		paxos_count(group->stats, PAXOS_COUNT_PROPOSALS);
	return err;
}

/* A linearizable read; ends at @deadline, in our time, at the latest. */
int paxos_request_read(struct paxos_group *group,
		       struct paxos_request *request, u64 deadline)
{
	int err;

	lockdep_assert_held(&group->lock);
	err = paxos_group_able(group);
	/* the log that would be read may not be what was chosen */
	if (!err && group->divergence.halted)
		err = -EBADMSG;
	if (!err)
		err = paxos_core_read(&group->core, deadline, request,
				      paxos_now());
	if (!err)
		paxos_count(group->stats, PAXOS_COUNT_READS);
	return err;
}

/* End @request now; false if it has ended already. */
bool paxos_request_cancel(struct paxos_group *group,
			  struct paxos_request *request)
{
	bool sent;

	lockdep_assert_held(&group->lock);
	if (group->dead || !paxos_core_cancel(&group->core, request, &sent))
		return false;
	end(group, request, sent ? PAXOS_OUTCOME_UNKNOWN :
				   PAXOS_OUTCOME_NOT_CHOSEN, 0,
	    group->core.config.q2);
	return true;
}

/**
 * struct netlink_request - a PROPOSE or READ that waits for its answer
 * @request: the core's cookie
 * @answer: allocated with the request, so that none is lost for want of memory
 * @header: of @answer
 * @net: of the socket; the group, and so the request, ends before it
 * @portid: of the socket; if it is closed meanwhile the answer goes nowhere
 * @started: ns
 * @stages: of a no-op, or NULL
 */
struct netlink_request {
	struct paxos_request request;
	struct sk_buff *answer;
	void *header;
	struct net *net;
	u32 portid;
	u64 started;
	struct paxos_stages *stages;
};

static void netlink_done(struct paxos_request *request)
{
	struct netlink_request *waiting =
		container_of(request, struct netlink_request, request);
	bool chosen = request->result == PAXOS_OUTCOME_CHOSEN;
	struct sk_buff *skb = waiting->answer;
	int err;

	err = nla_put_u8(skb, PAXOS_A_OUTCOME, request->result);
	if (!err && chosen)
		err = nla_put_u64_64bit(skb, PAXOS_A_SLOT, request->slot,
					PAXOS_A_PAD);
	if (!err)
		err = nla_put_u64_64bit(skb, PAXOS_A_ELAPSED,
					ktime_get_ns() - waiting->started,
					PAXOS_A_PAD);
	if (!err && waiting->stages)
		err = paxos_stages_put(skb, waiting->stages);
	if (!err && request->epoch)
		err = nla_put_u32(skb, PAXOS_A_EPOCH, request->epoch);
	if (!err && !chosen)
		err = nla_put_u8(skb, PAXOS_A_UP, request->up) ?:
		      nla_put_u8(skb, PAXOS_A_NEEDED, request->needed);
	if (WARN_ON_ONCE(err)) {
		nlmsg_free(skb);
	} else {
		genlmsg_end(skb, waiting->header);
		genlmsg_unicast(waiting->net, skb, waiting->portid);
	}
	paxos_stages_free(waiting->stages);
	kfree(waiting);
}

static struct netlink_request *netlink_request(struct genl_info *info, u8 cmd)
{
	struct netlink_request *waiting = kzalloc(sizeof(*waiting), GFP_KERNEL);

	if (!waiting)
		goto error;
	waiting->answer = genlmsg_new(NLMSG_ALIGN(256), GFP_KERNEL);
	if (!waiting->answer)
		goto error;
	waiting->header = genlmsg_put_reply(waiting->answer, info,
					    &paxos_family, 0, cmd);
	waiting->request.done = netlink_done;
	waiting->net = genl_info_net(info);
	waiting->portid = info->snd_portid;
	waiting->started = ktime_get_ns();
	return waiting;

error:
	kfree(waiting);
	GENL_SET_ERR_MSG(info, "no memory for the request");
	return NULL;
}

/* -EUNATCH, in a sentence. */
void paxos_refuse_unstarted(const struct paxos_group *group,
			    struct genl_info *info)
{
	if (READ_ONCE(group->core.state) == PAXOS_STOPPED)
		GENL_SET_ERR_MSG(info,
				 "this member has lost its votes, and takes no part any more");
	else
		GENL_SET_ERR_MSG(info,
				 "the group has no agent, or is not started");
}

/* Without a leader, or one without a quorum; or without a member. */
static void refuse_unlinked(struct genl_info *info, struct paxos_group *group)
{
	const struct paxos_config *config = &group->core.config;
	u8 up, leader, voters, needed;
	bool member;

	paxos_group_lock(group);
	member = paxos_config_has(config, group->core.settings.self);
	leader = group->core.leader;
	up = paxos_quorum_weight(config, paxos_members_up(group, paxos_now()));
	voters = hweight64(config->voters);
	needed = config->q2;
	paxos_group_unlock(group);
	if (!member)
		GENL_SET_ERR_MSG(info, "this host is no member of the group");
	else if (leader)
		PAXOS_REFUSE_FMT(info->extack, "no quorum: %u of %u, %u needed",
				 up, voters, needed);
	else
		PAXOS_REFUSE_FMT(info->extack,
				 "no leader is known; up: %u of %u, %u needed",
				 up, voters, needed);
}

/* There was no memory; or it is the group's limit. */
static void refuse_value(struct genl_info *info, struct paxos_group *group)
{
	struct nlattr *value = info->attrs[PAXOS_A_VALUE];
	const struct paxos_core *core = &group->core;
	u32 len = value ? nla_len(value) : 0;
	u32 used, bound;

	paxos_group_lock(group);
	used = core->value_bytes;
	/* The rest is for what others propose. */
	bound = core->settings.bytes - core->settings.bytes / 4;
	paxos_group_unlock(group);
	len += sizeof(struct paxos_value);
	if (used + len > bound)
		PAXOS_REFUSE_FMT(info->extack,
				 "the group holds %u bytes of values, of %u that it may",
				 used, bound);
	else
		GENL_SET_ERR_MSG(info, "no memory for the value");
}

/* Why it was refused, in a sentence. */
static int refuse(struct genl_info *info, struct paxos_group *group, int err)
{
	switch (err) {
	case -EUNATCH:
		paxos_refuse_unstarted(group, info);
		break;
	case -EAGAIN:
		GENL_SET_ERR_MSG(info, "too many requests are under way");
		break;
	case -ENOMEM:
		refuse_value(info, group);
		break;
	case -ESHUTDOWN:
		GENL_SET_ERR_MSG(info, "the group is being deleted");
		break;
	case -EBADMSG:
		GENL_SET_ERR_MSG(info,
				 "this member's log differs from the others'");
		break;
	case -ENOLINK:
		refuse_unlinked(info, group);
		break;
	default:
		GENL_SET_ERR_MSG(info, "the request was refused");
	}
	return err;
}

static void forget(struct netlink_request *waiting)
{
	paxos_stages_free(waiting->stages);
	nlmsg_free(waiting->answer);
	kfree(waiting);
}

/* A no-op takes a slot as a value does, so it tells how long one takes. */
static int propose_noop(struct paxos_group *group, struct genl_info *info)
{
	struct netlink_request *waiting;
	u64 now, timeout;
	int err;

	if (info->attrs[PAXOS_A_VALUE]) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[PAXOS_A_VALUE],
				    "a no-op has no value");
		return -EINVAL;
	}
	waiting = netlink_request(info, PAXOS_CMD_PROPOSE);
	if (!waiting)
		return -ENOMEM;
	waiting->stages = paxos_stages_new(&waiting->request);
	if (!waiting->stages) {
		GENL_SET_ERR_MSG(info, "no memory for the request");
		forget(waiting);
		return -ENOMEM;
	}
	waiting->started = ktime_get_ns();
	timeout = nla_get_u32(info->attrs[PAXOS_A_TIMEOUT]);

	paxos_group_lock(group);
	now = paxos_now();
	waiting->request.began = now;
	err = paxos_group_able(group);
	if (!err) {
		paxos_stages_begin(group, waiting->stages);
		err = paxos_core_propose_noop(&group->core,
					      now + timeout * USEC_PER_MSEC,
					      &waiting->request, now);
		if (err)
			paxos_stages_end(group, &waiting->request);
		else
			paxos_count(group->stats, PAXOS_COUNT_PROPOSALS);
	}
	paxos_group_unlock(group);
	if (!err)
		return 0;
	forget(waiting);
	return refuse(info, group, err);
}

int paxos_nl_propose(struct sk_buff *skb, struct genl_info *info)
{
	struct paxos_group *group = info->user_ptr[0];
	struct nlattr *value = info->attrs[PAXOS_A_VALUE];
	struct nlattr *kind = info->attrs[PAXOS_A_KIND];
	struct netlink_request *waiting;
	void *reserve;
	int err;

	if (PAXOS_LACKS(info, PAXOS_A_TIMEOUT, "a timeout"))
		return -EINVAL;
	if (kind && nla_get_u8(kind) == PAXOS_NL_KIND_NOOP)
		return propose_noop(group, info);
	if (kind && nla_get_u8(kind) == PAXOS_NL_KIND_CONFIG) {
		NL_SET_ERR_MSG_ATTR(info->extack, kind,
				    "a configuration is proposed by RECONFIGURE");
		return -EINVAL;
	}
	if (PAXOS_LACKS(info, PAXOS_A_VALUE, "a value"))
		return -EINVAL;
	if (nla_len(value) > PAXOS_VALUE_MAX) {
		NL_SET_BAD_ATTR(info->extack, value);
		PAXOS_REFUSE_FMT(info->extack,
				 "a value of %u bytes; %u are the limit",
				 nla_len(value), PAXOS_VALUE_MAX);
		return -EMSGSIZE;
	}
	waiting = netlink_request(info, PAXOS_CMD_PROPOSE);
	if (!waiting)
		return -ENOMEM;
	reserve = paxos_group_reserve(group, nla_len(value));

	paxos_group_lock_with(group, reserve, nla_len(value));
	err = paxos_request_propose(group, &waiting->request, nla_data(value),
				    nla_len(value),
				    nla_get_u32(info->attrs[PAXOS_A_TIMEOUT]));
	paxos_group_unlock_with(group);
	if (!err)
		return 0;
	forget(waiting);
	return refuse(info, group, err);
}

int paxos_nl_read(struct sk_buff *skb, struct genl_info *info)
{
	struct paxos_group *group = info->user_ptr[0];
	struct netlink_request *waiting;
	u64 timeout;
	int err;

	if (PAXOS_LACKS(info, PAXOS_A_TIMEOUT, "a timeout"))
		return -EINVAL;
	waiting = netlink_request(info, PAXOS_CMD_READ);
	if (!waiting)
		return -ENOMEM;
	timeout = nla_get_u32(info->attrs[PAXOS_A_TIMEOUT]);

	paxos_group_lock(group);
	err = paxos_request_read(group, &waiting->request,
				 paxos_now() + timeout * USEC_PER_MSEC);
	paxos_group_unlock(group);
	if (!err)
		return 0;
	forget(waiting);
	return refuse(info, group, err);
}

/* As refuse(), of a change of the members. */
static int refuse_change(struct genl_info *info, struct paxos_group *group,
			 int err)
{
	u8 leader;

	if (info->extack->_msg)
		return err;
	switch (err) {
	case -EINPROGRESS:
		GENL_SET_ERR_MSG(info,
				 "another change of the members is in flight, or the lead is being handed over");
		return err;
	case -EAGAIN:
		GENL_SET_ERR_MSG(info, "the window is full; try again");
		return err;
	case -ENOLINK:
		paxos_group_lock(group);
		leader = group->core.leader;
		paxos_group_unlock(group);
		if (!leader || leader == group->core.settings.self)
			break;
		PAXOS_REFUSE_FMT(info->extack,
				 "member %u leads: ask it for the change",
				 leader);
		return err;
	}
	return refuse(info, group, err);
}

int paxos_nl_reconfigure(struct sk_buff *skb, struct genl_info *info)
{
	struct paxos_group *group = info->user_ptr[0];
	struct netlink_request *waiting = NULL;
	struct paxos_change *change;
	u64 now, timeout;
	int err;

	change = kzalloc(sizeof(*change), GFP_KERNEL);
	if (!change)
		return paxos_no_memory(info);
	err = paxos_change_parse(info, change);
	if (err)
		goto out;
	waiting = netlink_request(info, PAXOS_CMD_RECONFIGURE);
	err = -ENOMEM;
	if (!waiting)
		goto out;
	timeout = nla_get_u32(info->attrs[PAXOS_A_TIMEOUT]);

	rcu_read_lock();
	paxos_group_lock(group);
	now = paxos_now();
	waiting->request.began = now;
	err = paxos_group_able(group);
	if (!err && group->core.state != PAXOS_RUNNING)
		err = -EUNATCH;
	if (!err)
		err = paxos_change_make(group, info, change);
	if (!err)
		err = paxos_core_reconfigure(&group->core, change->bytes,
					     change->len,
					     now + timeout * USEC_PER_MSEC,
					     &waiting->request, now);
	paxos_group_unlock(group);
	rcu_read_unlock();
	if (err) {
		forget(waiting);
		err = refuse_change(info, group, err);
	}
out:
	kfree(change);
	return err;
}
