// SPDX-License-Identifier: GPL-2.0
#include <net/genetlink.h>
#include "core/quorum.h"
#include "handle.h"
#include "policy.h"

/* What GROUP_GET tells. A member takes some 180 bytes, a consumer 52. */
#define STATUS_SIZE	(1024 + PAXOS_MEMBERS_MAX * 224 + \
			 PAXOS_NL_CONSUMERS_MAX * 64)

static int put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, PAXOS_A_PAD);
}

static int member_put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return value ? nla_put_u64_64bit(skb, attr, value,
					 PAXOS_A_MEMBER_PAD) : 0;
}

static int member_put_ago(struct sk_buff *skb, int attr, u64 heard, u64 now)
{
	u64 ago = now > heard ? (now - heard) / USEC_PER_MSEC : 0;

	return heard ? nla_put_u32(skb, attr, min_t(u64, ago, U32_MAX)) : 0;
}

static int member_put_us(struct sk_buff *skb, int attr, u32 smoothed)
{
	return smoothed ? nla_put_u32(skb, attr, smoothed) : 0;
}

static int address_put(struct sk_buff *skb,
		       const struct paxos_endpoint *endpoint)
{
	int err;

	/* Of a member that was just added there may be none yet. */
	if (!endpoint)
		return 0;
	if (endpoint->family == AF_INET)
		err = nla_put_in_addr(skb, PAXOS_A_MEMBER_ADDRESS,
				      endpoint->address.v4);
	else
		err = nla_put_in6_addr(skb, PAXOS_A_MEMBER_ADDRESS,
				       &endpoint->address.v6);
	if (!err)
		err = nla_put_be16(skb, PAXOS_A_MEMBER_PORT, endpoint->port);
	if (!err && endpoint->scope)
		err = nla_put_u32(skb, PAXOS_A_MEMBER_SCOPE, endpoint->scope);
	return err;
}

/* Of this member itself: what it knows, not what it last heard of itself. */
static int self_put(struct sk_buff *skb, const struct paxos_core *core)
{
	return member_put_u64(skb, PAXOS_A_MEMBER_COMMIT, core->commit) ?:
	       member_put_u64(skb, PAXOS_A_MEMBER_DURABLE, core->durable) ?:
	       member_put_u64(skb, PAXOS_A_MEMBER_INCARNATION,
			      core->incarnation);
}

static int peer_put(struct sk_buff *skb, const struct paxos_group *group,
		    u8 id, u64 now)
{
	const struct paxos_peer *peer = &group->core.peers[id];
	const struct paxos_agent_seen *seen = &group->seen[id];

	/* Who is suspected, only an agent that is there can say. */
	if (group->agent.portid && (seen->heard || seen->suspected) &&
	    nla_put_u8(skb, PAXOS_A_MEMBER_SUSPECTED, seen->suspected))
		return -EMSGSIZE;
	return paxos_divergence_put_member(skb, group, id) ?:
	       member_put_ago(skb, PAXOS_A_MEMBER_HEARD,
			      max(peer->heard, group->probes[id].heard),
			      now) ?:
	       member_put_ago(skb, PAXOS_A_MEMBER_AGENT_HEARD, seen->heard,
			      now) ?:
	       member_put_us(skb, PAXOS_A_MEMBER_RTT,
			     peer->network.smoothed) ?:
	       member_put_us(skb, PAXOS_A_MEMBER_RESPONSE,
			     peer->response.smoothed) ?:
	       member_put_u64(skb, PAXOS_A_MEMBER_COMMIT,
			      max(peer->commit, seen->commit)) ?:
	       member_put_u64(skb, PAXOS_A_MEMBER_DURABLE,
			      max(peer->durable, seen->durable)) ?:
	       member_put_u64(skb, PAXOS_A_MEMBER_INCARNATION,
			      seen->incarnation);
}

static int member_put(struct sk_buff *skb, const struct paxos_group *group,
		      u8 id, bool up, u64 now)
{
	const struct paxos_core *core = &group->core;
	struct nlattr *nest = nla_nest_start(skb, PAXOS_A_MEMBER);

	if (!nest || nla_put_u8(skb, PAXOS_A_MEMBER_ID, id) ||
	    nla_put_u8(skb, PAXOS_A_MEMBER_ROLE,
		       paxos_config_votes(&core->config, id) ?
		       PAXOS_NL_ROLE_VOTER : PAXOS_NL_ROLE_LEARNER) ||
	    address_put(skb, rcu_dereference(group->endpoints[id])) ||
	    nla_put_u8(skb, PAXOS_A_MEMBER_UP, up) ||
	    (id == core->settings.self ?
	     self_put(skb, core) :
	     peer_put(skb, group, id, now)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* Why nothing can be decided here, the most basic reason first. */
static u8 waits_for(const struct paxos_group *group, u64 now)
{
	const struct paxos_core *core = &group->core;
	u64 oldest = paxos_persist_oldest(group);

	if (core->state == PAXOS_STOPPED)
		return PAXOS_NL_WAIT_MEMORY;
	if (core->settings.durability == PAXOS_SYNC && !group->agent.portid)
		return PAXOS_NL_WAIT_AGENT;
	if (core->state == PAXOS_RESTORING)
		return PAXOS_NL_WAIT_START;
	if (oldest && now >= oldest + PAXOS_STALL_US)
		return PAXOS_NL_WAIT_DISK;
	if (core->behind > core->commit + 1)
		return PAXOS_NL_WAIT_BEHIND;
	if (!paxos_config_has(&core->config, core->settings.self) ||
	    !core->config.epoch)
		return PAXOS_NL_WAIT_MEMBER;
	if (core->role == PAXOS_CANDIDATE)
		return PAXOS_NL_WAIT_PROMISES;
	if (core->role == PAXOS_LEADER)
		return core->quorum ? PAXOS_NL_WAIT_NONE :
				      PAXOS_NL_WAIT_QUORUM;
	return core->leader ? PAXOS_NL_WAIT_NONE : PAXOS_NL_WAIT_LEADER;
}

/* What GROUP_ADD took, but for the key and the members. */
static int config_put(struct sk_buff *skb, const struct paxos_group *group)
{
	const struct paxos_settings *settings = &group->core.settings;
	const struct paxos_config *config = &group->core.config;

	if (nla_put_u32(skb, PAXOS_A_GROUP, group->id) ||
	    nla_put(skb, PAXOS_A_CLUSTER, PAXOS_CLUSTER_SIZE,
		    group->cluster) ||
	    nla_put_u8(skb, PAXOS_A_SELF, settings->self) ||
	    nla_put_u8(skb, PAXOS_A_DURABILITY, settings->durability) ||
	    nla_put_u32(skb, PAXOS_A_EPOCH, config->epoch) ||
	    nla_put_u8(skb, PAXOS_A_Q1, config->q1) ||
	    nla_put_u8(skb, PAXOS_A_Q2, config->q2) ||
	    nla_put_u32(skb, PAXOS_A_WINDOW, settings->window) ||
	    nla_put_u32(skb, PAXOS_A_LOG_SIZE, settings->log_size) ||
	    nla_put_u32(skb, PAXOS_A_BYTES, settings->bytes))
		return -EMSGSIZE;
	return 0;
}

static u32 pending(const struct paxos_core *core)
{
	u32 count = 0;
	u64 seq;

	for (seq = core->oldest_seq; seq < core->next_seq; seq++)
		count += !!core->pending[seq % PAXOS_PENDING_MAX].value;
	return count;
}

/* What is being transferred to this member, if anything is. */
static int transfer_put(struct sk_buff *skb, const struct paxos_group *group,
			u64 now)
{
	const struct paxos_transfer *transfer = &group->transfer;

	if (!transfer->heard || now >= transfer->heard + PAXOS_TRANSFER_US ||
	    transfer->goal <= group->core.commit)
		return 0;
	return nla_put_u8(skb, PAXOS_A_FROM, transfer->from) ?:
	       put_u64(skb, PAXOS_A_GOAL, transfer->goal);
}

static int state_put(struct sk_buff *skb, const struct paxos_group *group,
		     u64 up, u64 now)
{
	const struct paxos_core *core = &group->core;
	u64 oldest = paxos_persist_oldest(group);

	BUILD_BUG_ON((int)PAXOS_NL_STATE_STOPPED != PAXOS_STOPPED);
	BUILD_BUG_ON((int)PAXOS_NL_PHASE_LEADER != PAXOS_LEADER);
	BUILD_BUG_ON((int)PAXOS_NL_DURABILITY_MEMORY != PAXOS_MEMORY);
	if (put_u64(skb, PAXOS_A_INSTANCE, group->instance) ||
	    nla_put_u8(skb, PAXOS_A_STATE, core->state) ||
	    nla_put_u8(skb, PAXOS_A_PHASE, core->role) ||
	    nla_put_u8(skb, PAXOS_A_WAIT, waits_for(group, now)) ||
	    put_u64(skb, PAXOS_A_BALLOT, core->ballot) ||
	    put_u64(skb, PAXOS_A_PROMISED, core->promised) ||
	    nla_put_u8(skb, PAXOS_A_LEADER, core->leader) ||
	    put_u64(skb, PAXOS_A_SLOT, max(core->log.last, core->commit)) ||
	    put_u64(skb, PAXOS_A_FIRST, core->log.first) ||
	    put_u64(skb, PAXOS_A_COMMIT, core->commit) ||
	    put_u64(skb, PAXOS_A_LSN, core->lsn) ||
	    put_u64(skb, PAXOS_A_DURABLE, core->durable) ||
	    nla_put_u32(skb, PAXOS_A_PENDING, pending(core)) ||
	    nla_put_u32(skb, PAXOS_A_BYTES_USED, core->value_bytes) ||
	    nla_put_u8(skb, PAXOS_A_UP,
		       paxos_quorum_weight(&core->config, up)) ||
	    nla_put_u32(skb, PAXOS_A_AGENT, group->agent.portid))
		return -EMSGSIZE;
	if (core->incarnation &&
	    put_u64(skb, PAXOS_A_INCARNATION, core->incarnation))
		return -EMSGSIZE;
	if (transfer_put(skb, group, now) || paxos_space_put(skb, group) ||
	    paxos_divergence_put(skb, group))
		return -EMSGSIZE;
	return oldest ? nla_put_u32(skb, PAXOS_A_STALLED,
				    (now - oldest) / USEC_PER_MSEC) : 0;
}

static int consumer_put(struct sk_buff *skb, const struct paxos_handle *handle,
			u64 now)
{
	struct nlattr *nest = nla_nest_start(skb, PAXOS_A_CONSUMER);

	if (!nest ||
	    nla_put_string(skb, PAXOS_A_CONSUMER_NAME, handle->ops->name) ||
	    nla_put_u64_64bit(skb, PAXOS_A_CONSUMER_APPLIED, handle->applied,
			      PAXOS_A_CONSUMER_PAD))
		return -EMSGSIZE;
	if (handle->busy && now >= handle->busy + PAXOS_STALL_US &&
	    member_put_ago(skb, PAXOS_A_CONSUMER_STALLED, handle->busy, now))
		return -EMSGSIZE;
	if (handle->stopped &&
	    nla_put_u32(skb, PAXOS_A_CONSUMER_STOPPED, -handle->stopped))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int group_put(struct sk_buff *skb, const struct paxos_group *group)
{
	const struct paxos_handle *handle;
	const struct paxos_config *config = &group->core.config;
	u64 now = paxos_now();
	u64 up = paxos_members_up(group, now);
	u64 rest;
	int err;

	err = config_put(skb, group) ?: state_put(skb, group, up, now);
	for (rest = config->voters | config->learners; rest && !err;
	     rest &= rest - 1)
		err = member_put(skb, group, __ffs64(rest) + 1,
				 up & rest & -rest, now);
	if (!err)
		list_for_each_entry(handle, &group->handles, node) {
			err = consumer_put(skb, handle, now);
			if (err)
				break;
		}
	return err;
}

int paxos_nl_group_get(struct sk_buff *skb, struct genl_info *info)
{
	struct paxos_group *group = info->user_ptr[0];
	struct sk_buff *answer;
	void *header;
	int err = -ENOENT;

	answer = genlmsg_new(STATUS_SIZE, GFP_KERNEL);
	if (!answer)
		return paxos_no_memory(info);
	header = genlmsg_put_reply(answer, info, &paxos_family, 0,
				   PAXOS_CMD_GROUP_GET);
	rcu_read_lock();
	paxos_group_lock(group);
	if (!group->dead)
		err = group_put(answer, group);
	paxos_group_unlock(group);
	rcu_read_unlock();
	if (err) {
		nlmsg_free(answer);
		GENL_SET_ERR_MSG(info, "the group is being deleted");
		return err;
	}
	genlmsg_end(answer, header);
	return genlmsg_reply(answer, info);
}

int paxos_nl_group_start(struct netlink_callback *cb)
{
	cb->min_dump_alloc = STATUS_SIZE;
	return 0;
}

static int group_dump_one(struct sk_buff *skb, struct netlink_callback *cb,
			  struct paxos_group *group)
{
	void *header;
	int err = 0;

	header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
			     cb->nlh->nlmsg_seq, &paxos_family, NLM_F_MULTI,
			     PAXOS_CMD_GROUP_GET);
	if (!header)
		return -EMSGSIZE;
	genl_dump_check_consistent(cb, header);
	paxos_group_lock(group);
	if (group->dead)
		err = -ENOENT;
	else
		err = group_put(skb, group);
	paxos_group_unlock(group);
	if (err)
		genlmsg_cancel(skb, header);
	else
		genlmsg_end(skb, header);
	return err == -ENOENT ? 0 : err;
}

/* By id; resumes at cb->args[0], unless cb->args[1] says that it was all. */
int paxos_nl_group_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct paxos_net *groups = paxos_net(sock_net(skb->sk));
	struct paxos_group *group;
	unsigned long id;
	int err = 0;

	if (paxos_dump_attrs(cb)[PAXOS_A_GROUP]) {
		NL_SET_ERR_MSG(cb->extack, "a dump is of all groups");
		return -EINVAL;
	}
	if (cb->args[1])
		return 0;
	cb->seq = READ_ONCE(groups->generation);
	rcu_read_lock();
	xa_for_each_start(&groups->groups, id, group, cb->args[0]) {
		err = group_dump_one(skb, cb, group);
		if (err)
			break;
	}
	rcu_read_unlock();
	if (err) {
		cb->args[0] = id;
		return skb->len ?: err;
	}
	cb->args[1] = true;
	return skb->len;
}
