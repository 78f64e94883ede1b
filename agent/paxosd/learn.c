// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include <linux/genetlink.h>
#include "learn.h"

#define HEARD_MS	3000
#define LEARN_MAX	(96 << 10)	/* and one value more has room */

static void take_source(struct learn_state *state, const struct nlattr *nest)
{
	const struct nlattr *attr[PAXOS_A_MEMBER_MAX + 1];
	struct learn_source *source = &state->sources[state->n++];
	const struct nlattr *heard;

	netlink_parse_nested(nest, attr, PAXOS_A_MEMBER_MAX);
	heard = attr[PAXOS_A_MEMBER_AGENT_HEARD];
	source->id = netlink_u8(attr[PAXOS_A_MEMBER_ID]);
	source->commit = netlink_u64(attr[PAXOS_A_MEMBER_COMMIT]);
	source->heard = heard && netlink_u32(heard) < HEARD_MS;
}

static int take_state(void *context, const struct nlmsghdr *message,
		      const struct nlattr *const attrs[])
{
	struct learn_state *state = context;
	const struct nlattr *attr;

	state->behind = netlink_u8(attrs[PAXOS_A_WAIT]) ==
			PAXOS_NL_WAIT_BEHIND;
	state->commit = netlink_u64(attrs[PAXOS_A_COMMIT]);
	state->agent = netlink_u32(attrs[PAXOS_A_AGENT]);
	state->leader = netlink_u8(attrs[PAXOS_A_LEADER]);
	mnl_attr_for_each(attr, message, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) == PAXOS_A_MEMBER &&
		    state->n < PAXOS_NL_MEMBERS_MAX)
			take_source(state, attr);
	return 0;
}

int learn_get(struct netlink *netlink, uint32_t group,
	      struct learn_state *state)
{
	memset(state, 0, sizeof(*state));
	netlink_begin(netlink, PAXOS_CMD_GROUP_GET, group);
	return netlink_ask(netlink, take_state, state);
}

void learn_begin(const struct learn *learn)
{
	struct nlmsghdr *message = netlink_begin(learn->netlink,
						 PAXOS_CMD_LEARN,
						 learn->group);

	mnl_attr_put_u32(message, PAXOS_A_AGENT, learn->agent);
	mnl_attr_put_u8(message, PAXOS_A_FROM, learn->from);
	mnl_attr_put_u64(message, PAXOS_A_GOAL, learn->goal);
}

int learn_add(const struct learn *learn, const struct record *record)
{
	struct nlmsghdr *message = learn->netlink->request;
	struct nlattr *nest;

	_Static_assert(LEARN_MAX + PAXOS_NL_VALUE_MAX <= NETLINK_REQUEST_MAX,
		       "a value has room");
	if (message->nlmsg_len + record->length > LEARN_MAX)
		return 1;
	nest = mnl_attr_nest_start(message, PAXOS_A_RECORD);
	mnl_attr_put_u8(message, PAXOS_A_RECORD_TYPE, PAXOS_NL_RECORD_ACCEPT);
	mnl_attr_put_u64(message, PAXOS_A_RECORD_SLOT, record->slot);
	mnl_attr_put_u64(message, PAXOS_A_RECORD_BALLOT, record->ballot);
	mnl_attr_put_u8(message, PAXOS_A_RECORD_KIND, record->kind);
	mnl_attr_put_u8(message, PAXOS_A_RECORD_ORIGIN, record->origin);
	mnl_attr_put_u64(message, PAXOS_A_RECORD_INCARNATION,
			 record->incarnation);
	mnl_attr_put_u64(message, PAXOS_A_RECORD_SEQ, record->seq);
	mnl_attr_put(message, PAXOS_A_RECORD_VALUE, record->length,
		     record->value);
	mnl_attr_nest_end(message, nest);
	return 0;
}

int learn_snapshot(const struct learn *learn, uint64_t slot, bool loads,
		   const uint8_t *bytes, uint32_t length)
{
	struct nlmsghdr *message = learn->netlink->request;
	struct nlattr *nest;

	learn_begin(learn);
	if (loads)
		mnl_attr_put_u8(message, PAXOS_A_FEED, PAXOS_NL_FEED_LOAD);
	nest = mnl_attr_nest_start(message, PAXOS_A_RECORD);
	mnl_attr_put_u8(message, PAXOS_A_RECORD_TYPE, PAXOS_NL_RECORD_TRIM);
	mnl_attr_put_u64(message, PAXOS_A_RECORD_SLOT, slot);
	mnl_attr_put_u64(message, PAXOS_A_RECORD_BALLOT, 0);
	mnl_attr_put(message, PAXOS_A_RECORD_VALUE, length, bytes);
	mnl_attr_nest_end(message, nest);
	return learn_send(learn);
}

int learn_trimmed(const struct learn *learn, uint64_t first)
{
	struct nlmsghdr *message = netlink_begin(learn->netlink,
						 PAXOS_CMD_SPACE_SET,
						 learn->group);

	mnl_attr_put_u32(message, PAXOS_A_AGENT, learn->agent);
	mnl_attr_put_u64(message, PAXOS_A_TRIMMED, first);
	return netlink_ask(learn->netlink, NULL, NULL);
}

int learn_send(const struct learn *learn)
{
	return netlink_ask(learn->netlink, NULL, NULL);
}
