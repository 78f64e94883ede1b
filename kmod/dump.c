// SPDX-License-Identifier: GPL-2.0
#include <net/genetlink.h>
#include "paths.h"

/* Chosen slots: LOG_GET, and the multicast group "log". */

/* Bytes that paxos_chosen_put() needs at most. */
size_t paxos_chosen_size(const struct paxos_group *group, u64 slot)
{
	const struct paxos_entry *entry =
		paxos_log_entry(&group->core.log, slot);

	return nla_total_size(sizeof(u32)) +
	       4 * nla_total_size_64bit(sizeof(u64)) +
	       2 * nla_total_size(sizeof(u8)) +
	       nla_total_size(entry->value->len);
}

/* @slot is chosen, and the log holds it. */
int paxos_chosen_put(struct sk_buff *skb, struct paxos_group *group, u64 slot)
{
	const struct paxos_entry *entry =
		paxos_log_entry(&group->core.log, slot);
	const struct paxos_value *value = entry->value;

	lockdep_assert_held(&group->lock);
	BUILD_BUG_ON((int)PAXOS_NL_KIND_DATA != PAXOS_DATA);
	BUILD_BUG_ON((int)PAXOS_NL_KIND_CONFIG != PAXOS_CONFIG);
	if (nla_put_u32(skb, PAXOS_A_GROUP, group->id) ||
	    nla_put_u64_64bit(skb, PAXOS_A_SLOT, slot, PAXOS_A_PAD) ||
	    nla_put_u64_64bit(skb, PAXOS_A_BALLOT, entry->ballot,
			      PAXOS_A_PAD) ||
	    nla_put_u8(skb, PAXOS_A_KIND, value->kind) ||
	    nla_put_u8(skb, PAXOS_A_ORIGIN, value->origin.member) ||
	    nla_put_u64_64bit(skb, PAXOS_A_INCARNATION,
			      value->origin.incarnation, PAXOS_A_PAD) ||
	    nla_put_u64_64bit(skb, PAXOS_A_SEQ, value->origin.seq,
			      PAXOS_A_PAD) ||
	    nla_put(skb, PAXOS_A_VALUE, value->len, value->bytes))
		return -EMSGSIZE;
	return 0;
}

/* Where a dump stands between its calls. */
struct log_dump {
	u64 instance;	/* of the group; 0: not begun */
	u64 next;
	u64 last;
};

static struct log_dump *log_dump(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(struct log_dump) > sizeof(cb->ctx));
	return (struct log_dump *)cb->ctx;
}

int paxos_nl_log_start(struct netlink_callback *cb)
{
	cb->min_dump_alloc = PAXOS_VALUE_MAX + 512;
	return 0;
}

static int log_begin(struct paxos_group *group, struct netlink_callback *cb)
{
	struct nlattr **attrs = paxos_dump_attrs(cb);
	struct log_dump *dump = log_dump(cb);

	dump->instance = group->instance;
	dump->next = group->core.log.first;
	dump->last = U64_MAX;
	cb->seq = 1;
	if (attrs[PAXOS_A_LAST])
		dump->last = nla_get_u64(attrs[PAXOS_A_LAST]);
	if (!attrs[PAXOS_A_FIRST])
		return 0;
	dump->next = nla_get_u64(attrs[PAXOS_A_FIRST]);
	if (dump->next < group->core.log.first) {
		NL_SET_BAD_ATTR(cb->extack, attrs[PAXOS_A_FIRST]);
		PAXOS_REFUSE_FMT(cb->extack,
				 "slots below %llu were trimmed",
				 group->core.log.first);
		return -ERANGE;
	}
	return 0;
}

static int log_dump_one(struct sk_buff *skb, struct netlink_callback *cb,
			struct paxos_group *group, u64 slot)
{
	void *header;
	int err;

	header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
			     cb->nlh->nlmsg_seq, &paxos_family, NLM_F_MULTI,
			     PAXOS_CMD_LOG_GET);
	if (!header)
		return -EMSGSIZE;
	genl_dump_check_consistent(cb, header);
	err = paxos_chosen_put(skb, group, slot);
	if (err)
		genlmsg_cancel(skb, header);
	else
		genlmsg_end(skb, header);
	return err;
}

static int log_dump_some(struct sk_buff *skb, struct netlink_callback *cb,
			 struct paxos_group *group)
{
	struct log_dump *dump = log_dump(cb);
	struct paxos_core *core = &group->core;
	int err = 0;

	if (!dump->instance)
		err = log_begin(group, cb);
	else if (dump->instance != group->instance)
		err = -ESHUTDOWN;
	if (!err && dump->next < core->log.first) {
		/* Trimmed since the last call: NLM_F_DUMP_INTR says so. */
		dump->next = core->log.first;
		cb->seq++;
	}
	for (; !err && dump->next <= min(dump->last, core->log.last);
	     dump->next++) {
		if (!paxos_core_chosen(core, dump->next))
			continue;
		err = log_dump_one(skb, cb, group, dump->next);
		if (err)
			break;
	}
	return err == -EMSGSIZE && skb->len ? 0 : err;
}

int paxos_nl_log_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nlattr *attr = paxos_dump_attrs(cb)[PAXOS_A_GROUP];
	struct paxos_group *group;
	int err = -ESHUTDOWN;

	if (!attr) {
		NL_SET_ERR_MSG(cb->extack, "a group must be named");
		return -EINVAL;
	}
	group = paxos_group_get(sock_net(skb->sk), nla_get_u32(attr));
	if (!group) {
		NL_SET_BAD_ATTR(cb->extack, attr);
		PAXOS_REFUSE_FMT(cb->extack,
				 "no group %u in this network namespace",
				 nla_get_u32(attr));
		return -ENOENT;
	}
	paxos_group_lock(group);
	if (!group->dead)
		err = log_dump_some(skb, cb, group);
	paxos_group_unlock(group);
	paxos_group_put(group);
	if (err == -ESHUTDOWN)
		NL_SET_ERR_MSG(cb->extack, "the group was deleted");
	return err ?: skb->len;
}
