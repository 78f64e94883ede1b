// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include "held.h"
#include "netlink.h"

/* Requests are begun as those of the other family are. */
_Static_assert((int)PAXOS_KV_A_GROUP == (int)PAXOS_A_GROUP &&
	       PAXOS_KV_GENL_VERSION == PAXOS_GENL_VERSION &&
	       (int)PAXOS_KV_A_MAX <= (int)PAXOS_A_MAX, "as netlink.c has it");

#define TRIES	3

static int take_applied(void *context, const struct nlmsghdr *message,
			const struct nlattr *const attrs[])
{
	struct held *held = context;

	(void)message;
	held->applied = netlink_u64(attrs[PAXOS_KV_A_REVISION]);
	return 0;
}

static int take_pair(void *context, const struct nlmsghdr *message,
		     const struct nlattr *const attrs[])
{
	const struct nlattr *pair[PAXOS_KV_A_PAIR_MAX + 1];
	struct held *held = context;
	const struct nlattr *value;

	(void)message;
	if (!attrs[PAXOS_KV_A_PAIR])
		return -EPROTO;
	netlink_parse_nested(attrs[PAXOS_KV_A_PAIR], pair, PAXOS_KV_A_PAIR_MAX);
	value = pair[PAXOS_KV_A_PAIR_VALUE];
	if (!value || mnl_attr_get_payload_len(value) > sizeof(held->value))
		return -EPROTO;
	held->found = true;
	held->length = mnl_attr_get_payload_len(value);
	memcpy(held->value, mnl_attr_get_payload(value), held->length);
	held->create = netlink_u64(pair[PAXOS_KV_A_PAIR_CREATE]);
	held->mod = netlink_u64(pair[PAXOS_KV_A_PAIR_MOD]);
	held->version = netlink_u64(pair[PAXOS_KV_A_PAIR_VERSION]);
	held->lease = netlink_u64(pair[PAXOS_KV_A_PAIR_LEASE]);
	return 0;
}

/* The pair as it was when all up to @applied was. */
static int ask(struct netlink *netlink, uint32_t group, const void *key,
	       size_t length, struct held *held)
{
	struct nlmsghdr *message;
	int error;

	netlink_begin(netlink, PAXOS_KV_CMD_INFO, group);
	error = netlink_ask(netlink, take_applied, held);
	if (error || !held->applied)
		return error;
	message = netlink_begin(netlink, PAXOS_KV_CMD_GET, group);
	message->nlmsg_flags |= NLM_F_DUMP;
	mnl_attr_put(message, PAXOS_KV_A_KEY, length, key);
	mnl_attr_put_u8(message, PAXOS_KV_A_EXACT, 1);
	mnl_attr_put_u64(message, PAXOS_KV_A_REVISION, held->applied);
	return netlink_ask(netlink, take_pair, held);
}

void held_get(uint32_t group, const void *key, size_t length,
	      struct held *held)
{
	struct netlink netlink;
	int error, tries = 0;

	memset(held, 0, sizeof(*held));
	error = netlink_open_kv(&netlink);
	/* What was just asked for may be compacted by now. */
	if (!error)
		do
			error = ask(&netlink, group, key, length, held);
		while (error == -ESTALE && ++tries < TRIES);
	netlink_close(&netlink);
	if (error) {
		held->error = -error;
		held->found = false;
		held->length = 0;
	}
}
