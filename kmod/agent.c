// SPDX-License-Identifier: GPL-2.0
#include <linux/notifier.h>
#include <net/genetlink.h>
#include "paths.h"
#include "policy.h"

/*
 * The agent of a group: the netlink socket that attached, restored what its
 * disk holds, and started the group. It is so until it is closed.
 */

static void detach(struct paxos_group *group)
{
	lockdep_assert_held(&group->lock);
	group->agent.portid = 0;
	group->agent.waiting = false;
	group->agent.retry = 0;
	memset(&group->space, 0, sizeof(group->space));
	paxos_consumers_alone(group, -ENOTCONN);
	paxos_notify_plain(group, PAXOS_NL_EVENT_AGENT_DETACHED);
}

/* -ENOTCONN: @info's socket is not the agent of this group. */
int paxos_agent_check(struct paxos_group *group, struct genl_info *info)
{
	lockdep_assert_held(&group->lock);
	if (group->dead) {
		GENL_SET_ERR_MSG(info, "the group is being deleted");
		return -ESHUTDOWN;
	}
	if (group->agent.portid != info->snd_portid) {
		GENL_SET_ERR_MSG(info, "attach to the group first");
		return -ENOTCONN;
	}
	return 0;
}

static int attach(struct paxos_group *group, struct genl_info *info)
{
	struct paxos_agent *agent = &group->agent;

	lockdep_assert_held(&group->lock);
	if (group->dead) {
		GENL_SET_ERR_MSG(info, "the group is being deleted");
		return -ESHUTDOWN;
	}
	if (agent->portid && agent->portid != info->snd_portid) {
		PAXOS_REFUSE_FMT(info->extack,
				 "the agent with netlink port %u is attached",
				 agent->portid);
		return -EBUSY;
	}
	if (group->core.state == PAXOS_RESTORING)
		paxos_group_renew(group);
	if (!agent->portid)
		paxos_notify_agent(group, PAXOS_NL_EVENT_AGENT_ATTACHED,
				   info->snd_portid);
	agent->portid = info->snd_portid;
	agent->waiting = false;
	agent->retry = 0;
	return 0;
}

int paxos_nl_attach(struct sk_buff *skb, struct genl_info *info)
{
	struct paxos_group *group = info->user_ptr[0];
	struct sk_buff *answer;
	void *header;
	int err;

	answer = genlmsg_new(NLMSG_ALIGN(128), GFP_KERNEL);
	if (!answer)
		return paxos_no_memory(info);
	header = genlmsg_put_reply(answer, info, &paxos_family, 0,
				   PAXOS_CMD_ATTACH);

	paxos_group_lock(group);
	err = attach(group, info);
	if (!err &&
	    (nla_put_u64_64bit(answer, PAXOS_A_INSTANCE, group->instance,
			       PAXOS_A_PAD) ||
	     nla_put_u8(answer, PAXOS_A_STATE, group->core.state) ||
	     nla_put_u64_64bit(answer, PAXOS_A_DURABLE, group->core.durable,
			       PAXOS_A_PAD) ||
	     nla_put_u64_64bit(answer, PAXOS_A_LSN, group->core.lsn,
			       PAXOS_A_PAD) ||
	     nla_put_u8(answer, PAXOS_A_DURABILITY,
			group->core.settings.durability)))
		err = -EMSGSIZE;
	paxos_group_unlock(group);

	if (err) {
		nlmsg_free(answer);
		return err;
	}
	genlmsg_end(answer, header);
	return genlmsg_reply(answer, info);
}

static u64 get_u64(struct nlattr *attr)
{
	return attr ? nla_get_u64(attr) : 0;
}

static u8 get_u8(struct nlattr *attr)
{
	return attr ? nla_get_u8(attr) : 0;
}

/*
 * Which attributes a record of each type has, beside lsn and type; @without is
 * what it need not have here.
 */
int paxos_record_parse(struct nlattr *attr, struct paxos_record_view *record,
		       u32 without, struct netlink_ext_ack *extack)
{
	static const u16 wanted[] = {
		PAXOS_A_RECORD_LSN, PAXOS_A_RECORD_TYPE, PAXOS_A_RECORD_SLOT,
		PAXOS_A_RECORD_BALLOT, PAXOS_A_RECORD_KIND,
		PAXOS_A_RECORD_ORIGIN, PAXOS_A_RECORD_INCARNATION,
		PAXOS_A_RECORD_SEQ, PAXOS_A_RECORD_VALUE,
	};
	static const u32 has[] = {
		[PAXOS_RECORD_PROMISE] = BIT(PAXOS_A_RECORD_BALLOT),
		[PAXOS_RECORD_ACCEPT] = ~0U,
		[PAXOS_RECORD_COMMIT] = BIT(PAXOS_A_RECORD_SLOT),
		[PAXOS_RECORD_CONFIG] = ~(u32)BIT(PAXOS_A_RECORD_BALLOT),
		[PAXOS_RECORD_TRIM] = BIT(PAXOS_A_RECORD_SLOT) |
				      BIT(PAXOS_A_RECORD_BALLOT) |
				      BIT(PAXOS_A_RECORD_VALUE),
	};
	struct nlattr *part[PAXOS_A_RECORD_MAX + 1];
	unsigned int i;
	u32 need;
	int err;

	err = nla_parse_nested(part, PAXOS_A_RECORD_MAX, attr,
			       paxos_record_policy, extack);
	if (err)
		return err;
	record->type = get_u8(part[PAXOS_A_RECORD_TYPE]);
	need = record->type < ARRAY_SIZE(has) ? has[record->type] : 0;
	need |= BIT(PAXOS_A_RECORD_LSN) | BIT(PAXOS_A_RECORD_TYPE);
	need &= ~without;
	for (i = 0; i < ARRAY_SIZE(wanted); i++)
		if (need & BIT(wanted[i]) &&
		    NL_REQ_ATTR_CHECK(extack, attr, part, wanted[i])) {
			NL_SET_ERR_MSG_ATTR(extack, attr,
					    "the record is not complete");
			return -EINVAL;
		}
	record->lsn = get_u64(part[PAXOS_A_RECORD_LSN]);
	record->slot = get_u64(part[PAXOS_A_RECORD_SLOT]);
	record->ballot = get_u64(part[PAXOS_A_RECORD_BALLOT]);
	record->item.slot = record->slot;
	record->item.ballot = record->ballot;
	record->item.kind = get_u8(part[PAXOS_A_RECORD_KIND]);
	record->item.origin.member = get_u8(part[PAXOS_A_RECORD_ORIGIN]);
	record->item.origin.incarnation =
		get_u64(part[PAXOS_A_RECORD_INCARNATION]);
	record->item.origin.seq = get_u64(part[PAXOS_A_RECORD_SEQ]);
	if (part[PAXOS_A_RECORD_VALUE]) {
		record->item.bytes = nla_data(part[PAXOS_A_RECORD_VALUE]);
		record->item.len = nla_len(part[PAXOS_A_RECORD_VALUE]);
	}
	return 0;
}

static const char *restore_refusal(const struct paxos_group *group, int err)
{
	if (group->core.state != PAXOS_RESTORING)
		return "comes too late: the group was started";
	switch (err) {
	case -ENOMEM:
		return "finds no memory: the same again";
	case -ENOSPC:
		return "finds no room in the log";
	default:
		return "contradicts those before";
	}
}

static int restore_one(struct paxos_group *group, struct genl_info *info,
		       struct nlattr *attr)
{
	struct paxos_record_view record = {};
	void *reserve;
	int err;

	err = paxos_record_parse(attr, &record, 0, info->extack);
	if (err)
		return err;
	reserve = paxos_group_reserve(group, record.item.len);
	if (!reserve)
		return paxos_no_memory(info);

	paxos_group_lock_with(group, reserve, record.item.len);
	err = paxos_agent_check(group, info);
	if (!err) {
		err = paxos_core_restore(&group->core, &record);
		if (err) {
			NL_SET_BAD_ATTR(info->extack, attr);
			PAXOS_REFUSE_FMT(info->extack, "record %llu %s",
					 record.lsn, restore_refusal(group, err));
		}
	}
	paxos_group_unlock_with(group);
	return err;
}

int paxos_nl_restore(struct sk_buff *skb, struct genl_info *info)
{
	struct paxos_group *group = info->user_ptr[0];
	struct nlattr *attr;
	int rest, err;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rest) {
		if (nla_type(attr) != PAXOS_A_RECORD)
			continue;
		err = restore_one(group, info, attr);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

/* As paxos_agent_check(), of a socket that names the agent's. */
int paxos_agent_named(struct paxos_group *group, struct genl_info *info)
{
	struct nlattr *port = info->attrs[PAXOS_A_AGENT];

	lockdep_assert_held(&group->lock);
	if (group->dead) {
		GENL_SET_ERR_MSG(info, "the group is being deleted");
		return -ESHUTDOWN;
	}
	if (!group->agent.portid ||
	    group->agent.portid != nla_get_u32(port)) {
		NL_SET_ERR_MSG_ATTR(info->extack, port,
				    "this is not the port of the agent");
		return -ENOTCONN;
	}
	return 0;
}

static const char *learn_refusal(int err)
{
	switch (err) {
	case -EUNATCH:
		return "comes too early: the group is not started";
	case -ERANGE:
		return "is not the next one";
	case -EAGAIN:
		return "finds no room until the disk has caught up";
	case -EEXIST:
		return "is chosen here with another value";
	default:
		return "has a senseless value";
	}
}

static int begin(struct paxos_group *group, struct genl_info *info,
		 struct nlattr *attr, const struct paxos_record_view *record)
{
	struct nlattr *feed = info->attrs[PAXOS_A_FEED];
	int err;

	paxos_group_lock(group);
	err = paxos_agent_named(group, info);
	if (!err) {
		/* With a snapshot there is no hole, if all can load it. */
		err = feed && nla_get_u8(feed) == PAXOS_NL_FEED_LOAD &&
		      paxos_consumers_load(group) ?
		      paxos_core_skip(&group->core, record->slot,
				      record->item.bytes, record->item.len,
				      paxos_now()) :
		      paxos_core_begin(&group->core, record->slot,
				       record->item.bytes, record->item.len,
				       paxos_now());
		if (err) {
			NL_SET_BAD_ATTR(info->extack, attr);
			PAXOS_REFUSE_FMT(info->extack, "slot %llu %s",
					 record->slot, err == -ENOTEMPTY ?
					 "would leave a hole behind what was delivered here" :
					 learn_refusal(err));
		}
	}
	paxos_group_unlock(group);
	return err;
}

static int learn_one(struct paxos_group *group, struct genl_info *info,
		     struct nlattr *attr)
{
	struct paxos_core *core = &group->core;
	struct paxos_record_view record = {};
	void *reserve = NULL;
	u64 before;
	int err;

	err = paxos_record_parse(attr, &record, BIT(PAXOS_A_RECORD_LSN),
				 info->extack);
	if (err)
		return err;
	if (record.type == PAXOS_RECORD_TRIM)
		return begin(group, info, attr, &record);
	if (record.type != PAXOS_RECORD_ACCEPT) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "this is no value");
		return -EINVAL;
	}
	/* What is known needs no memory: it is only compared. */
	if (record.slot > READ_ONCE(core->commit)) {
		reserve = paxos_group_reserve(group, record.item.len);
		if (!reserve)
			return paxos_no_memory(info);
	}

	paxos_group_lock_with(group, reserve, record.item.len);
	err = paxos_agent_named(group, info);
	if (!err) {
		before = core->commit;
		err = paxos_core_learn(core, &record.item, paxos_now());
		if (err) {
			NL_SET_BAD_ATTR(info->extack, attr);
			PAXOS_REFUSE_FMT(info->extack, "slot %llu %s",
					 record.slot, learn_refusal(err));
		} else if (core->commit > before) {
			paxos_count(group->stats, PAXOS_COUNT_TRANSFERRED);
		}
	}
	paxos_group_unlock_with(group);
	return err;
}

int paxos_nl_learn(struct sk_buff *skb, struct genl_info *info)
{
	struct paxos_group *group = info->user_ptr[0];
	struct paxos_transfer *transfer = &group->transfer;
	struct nlattr *attr;
	int rest, err;

	if (PAXOS_LACKS(info, PAXOS_A_AGENT, "the agent's port") ||
	    PAXOS_LACKS(info, PAXOS_A_FROM, "the member that gives") ||
	    PAXOS_LACKS(info, PAXOS_A_GOAL, "a goal"))
		return -EINVAL;
	paxos_group_lock(group);
	err = paxos_agent_named(group, info);
	if (!err) {
		transfer->from = nla_get_u8(info->attrs[PAXOS_A_FROM]);
		transfer->goal = nla_get_u64(info->attrs[PAXOS_A_GOAL]);
		transfer->heard = paxos_now();
	}
	paxos_group_unlock(group);
	if (err)
		return err;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rest) {
		if (nla_type(attr) != PAXOS_A_RECORD)
			continue;
		err = learn_one(group, info, attr);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

int paxos_nl_start(struct sk_buff *skb, struct genl_info *info)
{
	struct paxos_group *group = info->user_ptr[0];
	struct paxos_core *core = &group->core;
	u64 incarnation;
	int err = 0;

	if (PAXOS_LACKS(info, PAXOS_A_INCARNATION, "an incarnation") ||
	    PAXOS_LACKS(info, PAXOS_A_LSN, "the last restored lsn"))
		return -EINVAL;
	incarnation = nla_get_u64(info->attrs[PAXOS_A_INCARNATION]);

	paxos_group_lock(group);
	if (core->settings.durability == PAXOS_SYNC || group->agent.portid ||
	    group->dead)
		err = paxos_agent_check(group, info);
	if (!err && core->state != PAXOS_RESTORING) {
		if (core->state == PAXOS_STOPPED)
			paxos_refuse_unstarted(group, info);
		else
			GENL_SET_ERR_MSG(info, "the group was started before");
		err = -EALREADY;
	}
	if (!err && !incarnation) {
		/* Law 3: it has voted, and does not know what. */
		paxos_core_stop(core, paxos_now());
	} else if (!err) {
		err = paxos_core_start(core, incarnation,
				       nla_get_u64(info->attrs[PAXOS_A_LSN]),
				       paxos_now());
		if (err)
			NL_SET_ERR_MSG_ATTR(info->extack,
					    info->attrs[PAXOS_A_LSN],
					    "records beyond this were restored");
		else
			paxos_handles_started(group);
	}
	paxos_group_unlock(group);
	return err;
}

/* A netlink socket is closed: it may be an agent's. */
static int socket_event(struct notifier_block *block, unsigned long state,
			void *context)
{
	struct netlink_notify *closed = context;
	struct paxos_group *group;
	unsigned long id;

	if (state != NETLINK_URELEASE || closed->protocol != NETLINK_GENERIC)
		return NOTIFY_DONE;
	rcu_read_lock();
	xa_for_each(&paxos_net(closed->net)->groups, id, group) {
		if (READ_ONCE(group->agent.portid) != closed->portid)
			continue;
		paxos_group_lock(group);
		if (!group->dead && group->agent.portid == closed->portid)
			detach(group);
		paxos_group_unlock(group);
	}
	rcu_read_unlock();
	return NOTIFY_DONE;
}

static struct notifier_block socket_notifier = {
	.notifier_call = socket_event,
};

int paxos_agent_init(void)
{
	return netlink_register_notifier(&socket_notifier);
}

void paxos_agent_exit(void)
{
	netlink_unregister_notifier(&socket_notifier);
}
