// SPDX-License-Identifier: GPL-2.0
#include <linux/build_bug.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "kv.h"

/* The netlink commands that change the store: each becomes an entry. */

/* Why, in a sentence. */
int kv_refuse(struct netlink_ext_ack *extack, int err)
{
	switch (err) {
	case -EUNATCH:
		NL_SET_ERR_MSG(extack,
			       "the group has no agent, or is not started");
		break;
	case -EAGAIN:
		NL_SET_ERR_MSG(extack, "too many requests are under way");
		break;
	case -ENOMEM:
		NL_SET_ERR_MSG(extack, "no memory");
		break;
	case -ENOLINK:
		NL_SET_ERR_MSG(extack, "no leader is known, or no quorum");
		break;
	case -ESTALE:
		NL_SET_ERR_MSG(extack,
			       "the log begins later by now than this host's store would have to");
		break;
	case -EPROTO:
		NL_SET_ERR_MSG(extack,
			       "the store has entries of a later version: upgrade this host");
		break;
	case -ESHUTDOWN:
		NL_SET_ERR_MSG(extack, "the group is being deleted");
		break;
	case -EBADMSG:
		NL_SET_ERR_MSG(extack,
			       "this member's log differs from the others'");
		break;
	default:
		NL_SET_ERR_MSG(extack, "the request was refused");
	}
	return err;
}

/* @gets becomes true if it is one: its answer takes room. */
static int parse_item(struct genl_info *info, struct nlattr *attr,
		      struct kv_writer *writer, bool *gets)
{
	struct nlattr *part[PAXOS_KV_A_ITEM_MAX + 1];
	struct kv_item item = { .number = 0 };
	u8 section;

	/* the policy has checked it */
	nla_parse_nested_deprecated(part, PAXOS_KV_A_ITEM_MAX, attr, NULL,
				    NULL);
	if (!part[PAXOS_KV_A_ITEM_SECTION] || !part[PAXOS_KV_A_ITEM_WHAT]) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "an item needs a section, and what it does");
		return -EINVAL;
	}
	section = nla_get_u8(part[PAXOS_KV_A_ITEM_SECTION]);
	item.what = nla_get_u8(part[PAXOS_KV_A_ITEM_WHAT]);
	if (part[PAXOS_KV_A_ITEM_TARGET])
		item.target = nla_get_u8(part[PAXOS_KV_A_ITEM_TARGET]);
	if (part[PAXOS_KV_A_ITEM_NUMBER])
		item.number = nla_get_u64(part[PAXOS_KV_A_ITEM_NUMBER]);
	if (part[PAXOS_KV_A_ITEM_KEY]) {
		item.key = nla_data(part[PAXOS_KV_A_ITEM_KEY]);
		item.key_len = nla_len(part[PAXOS_KV_A_ITEM_KEY]);
	}
	if (part[PAXOS_KV_A_ITEM_VALUE]) {
		item.value = nla_data(part[PAXOS_KV_A_ITEM_VALUE]);
		item.value_len = nla_len(part[PAXOS_KV_A_ITEM_VALUE]);
	}
	if (section != KV_IF &&
	    (item.what == KV_GET || item.what == KV_GET_PREFIX))
		*gets = true;
	kv_entry_item(writer, section, &item);
	if (writer->err == -EMSGSIZE)
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "a transaction may have 32768 bytes");
	else if (writer->err == -E2BIG)
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "a section may have 512 items");
	else if (writer->err)
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "the item makes no sense, or is out of order");
	return writer->err;
}

/* Propose what @writer has; answered later. */
static int propose(struct genl_info *info, struct kv_writer *writer,
		   size_t size)
{
	struct kv_replica *replica = info->user_ptr[0];
	struct kv_answer answer;
	int err;

	err = kv_answer_new(&answer, genl_info_net(info), info->snd_portid,
			    info->snd_seq, info->genlhdr->cmd, size);
	if (!err)
		err = kv_call(replica, &answer, writer, GFP_KERNEL,
			      nla_get_u32(info->attrs[PAXOS_KV_A_TIMEOUT]));
	return err ? kv_refuse(info->extack, err) : 0;
}

int kv_nl_txn(struct sk_buff *skb, struct genl_info *info)
{
	struct kv_writer writer = { .section = KV_IF };
	struct nlattr *attr;
	bool gets = false;
	int rest, err = 0;

	BUILD_BUG_ON((int)PAXOS_KV_STATUS_FUTURE != KV_FUTURE);
	BUILD_BUG_ON((int)PAXOS_KV_SECTION_ELSE != KV_ELSE);
	BUILD_BUG_ON((int)PAXOS_KV_TARGET_VALUE != KV_ON_VALUE);
	BUILD_BUG_ON((int)PAXOS_KV_RELATION_GREATER != KV_GREATER);
	BUILD_BUG_ON((int)PAXOS_KV_OPERATION_GET_PREFIX != KV_GET_PREFIX);
	BUILD_BUG_ON(PAXOS_KV_KEY_MAX != KV_KEY_MAX);
	BUILD_BUG_ON(KV_ENTRY_MAX != PAXOS_VALUE_MAX);

	if (GENL_REQ_ATTR_CHECK(info, PAXOS_KV_A_TIMEOUT))
		return -EINVAL;
	writer.bytes = kvmalloc(KV_ENTRY_MAX, GFP_KERNEL);
	if (!writer.bytes)
		return kv_refuse(info->extack, -ENOMEM);
	kv_entry_txn(&writer);
	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rest) {
		if (nla_type(attr) != PAXOS_KV_A_ITEM)
			continue;
		err = parse_item(info, attr, &writer, &gets);
		if (err)
			break;
	}
	if (!err)
		err = propose(info, &writer, gets ? KV_ANSWER_MAX : KV_ANSWER);
	kvfree(writer.bytes);
	return err;
}

static const struct {
	u8 type;
	u16 attr;
} numbers_of[] = {
	[PAXOS_KV_CMD_GRANT] = { KV_GRANT, PAXOS_KV_A_TTL },
	[PAXOS_KV_CMD_KEEP] = { KV_KEEP, PAXOS_KV_A_LEASE },
	[PAXOS_KV_CMD_REVOKE] = { KV_REVOKE, PAXOS_KV_A_LEASE },
	[PAXOS_KV_CMD_COMPACT] = { KV_COMPACT, PAXOS_KV_A_REVISION },
	[PAXOS_KV_CMD_LIMIT] = { KV_LIMIT, PAXOS_KV_A_LIMIT },
};

/* GRANT, KEEP, REVOKE, COMPACT, LIMIT */
int kv_nl_numbers(struct sk_buff *skb, struct genl_info *info)
{
	u8 bytes[sizeof(struct kv_header) + sizeof(struct kv_numbers)];
	struct kv_writer writer = { .bytes = bytes };
	u8 type = numbers_of[info->genlhdr->cmd].type;
	u16 attr = numbers_of[info->genlhdr->cmd].attr;
	u64 number;

	if (GENL_REQ_ATTR_CHECK(info, PAXOS_KV_A_TIMEOUT) ||
	    GENL_REQ_ATTR_CHECK(info, attr))
		return -EINVAL;
	number = nla_get_u64(info->attrs[attr]);
	if (!number) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[attr],
				    "0 is none");
		return -EINVAL;
	}
	kv_entry_numbers(&writer, type, number, 0);
	return propose(info, &writer, KV_ANSWER);
}

int kv_nl_history(struct sk_buff *skb, struct genl_info *info)
{
	u8 bytes[sizeof(struct kv_header) + sizeof(struct kv_numbers)];
	struct nlattr *revisions = info->attrs[PAXOS_KV_A_HISTORY];
	struct nlattr *period = info->attrs[PAXOS_KV_A_PERIOD];
	struct kv_writer writer = { .bytes = bytes };
	u64 number = 0;

	if (GENL_REQ_ATTR_CHECK(info, PAXOS_KV_A_TIMEOUT))
		return -EINVAL;
	if (revisions && period) {
		NL_SET_ERR_MSG_ATTR(info->extack, period,
				    "a history is of revisions, or of a period");
		return -EINVAL;
	}
	if (revisions || period)
		number = nla_get_u64(revisions ?: period);
	if (number & KV_HISTORY_MS) {
		NL_SET_ERR_MSG_ATTR(info->extack, revisions ?: period,
				    "so long a history is all of it");
		return -EINVAL;
	}
	if (period && number)
		number |= KV_HISTORY_MS;
	kv_entry_numbers(&writer, KV_HISTORY, number, 0);
	return propose(info, &writer, KV_ANSWER);
}
