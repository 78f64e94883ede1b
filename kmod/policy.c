// SPDX-License-Identifier: GPL-2.0
#include "policy.h"

/* Not const: 6.1 has no such member in its policies. */
static struct netlink_range_validation window_range = {
	.min = PAXOS_NL_WINDOW_MIN,
	.max = PAXOS_NL_WINDOW_MAX,
};

static struct netlink_range_validation log_size_range = {
	.min = 2 * PAXOS_NL_WINDOW_MIN,
	.max = PAXOS_NL_LOG_SIZE_MAX,
};

static struct netlink_range_validation bytes_range = {
	.min = PAXOS_NL_BYTES_MIN,
	.max = PAXOS_NL_BYTES_MAX,
};

#define POLICY_GROUP	NLA_POLICY_MIN(NLA_U32, 1)
#define POLICY_ID	NLA_POLICY_RANGE(NLA_U8, 1, PAXOS_NL_MEMBERS_MAX)

#define POLICY_FEED	NLA_POLICY_RANGE(NLA_U8, 1, PAXOS_NL_FEED_NOTHING)

/* 4 or 16 bytes; the lengths between are refused with the other checks. */
#define POLICY_ADDRESS	NLA_POLICY_RANGE(NLA_BINARY, 4, 16)

const struct nla_policy paxos_member_add_policy[PAXOS_A_MEMBER_MAX + 1] = {
	[PAXOS_A_MEMBER_ID] = POLICY_ID,
	[PAXOS_A_MEMBER_ROLE] = NLA_POLICY_MAX(NLA_U8, PAXOS_NL_ROLE_NONE),
	[PAXOS_A_MEMBER_ADDRESS] = POLICY_ADDRESS,
	[PAXOS_A_MEMBER_PORT] = { .type = NLA_U16 },
	[PAXOS_A_MEMBER_SCOPE] = { .type = NLA_U32 },
};

const struct nla_policy paxos_member_set_policy[PAXOS_A_MEMBER_MAX + 1] = {
	[PAXOS_A_MEMBER_ID] = POLICY_ID,
	[PAXOS_A_MEMBER_ADDRESS] = POLICY_ADDRESS,
	[PAXOS_A_MEMBER_PORT] = { .type = NLA_U16 },
	[PAXOS_A_MEMBER_SCOPE] = { .type = NLA_U32 },
};

const struct nla_policy paxos_member_peer_policy[PAXOS_A_MEMBER_MAX + 1] = {
	[PAXOS_A_MEMBER_ID] = POLICY_ID,
	[PAXOS_A_MEMBER_AGENT_HEARD] = { .type = NLA_U32 },
	[PAXOS_A_MEMBER_COMMIT] = { .type = NLA_U64 },
	[PAXOS_A_MEMBER_DURABLE] = { .type = NLA_U64 },
	[PAXOS_A_MEMBER_INCARNATION] = { .type = NLA_U64 },
	[PAXOS_A_MEMBER_SUSPECTED] = NLA_POLICY_MAX(NLA_U8, 1),
	[PAXOS_A_MEMBER_CHECKSUM] = { .type = NLA_U64 },
	[PAXOS_A_MEMBER_MARK] = { .type = NLA_U64 },
};

const struct nla_policy paxos_member_change_policy[PAXOS_A_MEMBER_MAX + 1] = {
	[PAXOS_A_MEMBER_ID] = POLICY_ID,
	[PAXOS_A_MEMBER_ROLE] = NLA_POLICY_MAX(NLA_U8, PAXOS_NL_ROLE_NONE),
	[PAXOS_A_MEMBER_ADDRESS] = POLICY_ADDRESS,
	[PAXOS_A_MEMBER_PORT] = { .type = NLA_U16 },
	[PAXOS_A_MEMBER_SCOPE] = { .type = NLA_U32 },
};

const struct nla_policy paxos_record_policy[PAXOS_A_RECORD_MAX + 1] = {
	[PAXOS_A_RECORD_LSN] = { .type = NLA_U64 },
	[PAXOS_A_RECORD_TYPE] = NLA_POLICY_RANGE(NLA_U8,
						 PAXOS_NL_RECORD_PROMISE,
						 PAXOS_NL_RECORD_TRIM),
	[PAXOS_A_RECORD_SLOT] = { .type = NLA_U64 },
	[PAXOS_A_RECORD_BALLOT] = { .type = NLA_U64 },
	[PAXOS_A_RECORD_KIND] = NLA_POLICY_MAX(NLA_U8, PAXOS_NL_KIND_CONFIG),
	[PAXOS_A_RECORD_ORIGIN] = NLA_POLICY_MAX(NLA_U8, PAXOS_NL_MEMBERS_MAX),
	[PAXOS_A_RECORD_INCARNATION] = { .type = NLA_U64 },
	[PAXOS_A_RECORD_SEQ] = { .type = NLA_U64 },
	[PAXOS_A_RECORD_VALUE] = {
		.type = NLA_BINARY,
		.len = PAXOS_NL_VALUE_MAX,
	},
};

const struct nla_policy paxos_group_policy[PAXOS_A_MAX + 1] = {
	[PAXOS_A_GROUP] = POLICY_GROUP,
};

const struct nla_policy paxos_group_add_policy[PAXOS_A_MAX + 1] = {
	[PAXOS_A_GROUP] = POLICY_GROUP,
	[PAXOS_A_CLUSTER] = NLA_POLICY_EXACT_LEN(PAXOS_CLUSTER_SIZE),
	[PAXOS_A_KEY] = NLA_POLICY_EXACT_LEN(PAXOS_KEY_SIZE),
	[PAXOS_A_SELF] = NLA_POLICY_RANGE(NLA_U8, 1, PAXOS_NL_MEMBERS_MAX),
	[PAXOS_A_DURABILITY] = NLA_POLICY_MAX(NLA_U8,
					      PAXOS_NL_DURABILITY_MEMORY),
	[PAXOS_A_EPOCH] = { .type = NLA_U32 },
	[PAXOS_A_Q1] = NLA_POLICY_RANGE(NLA_U8, 1, PAXOS_NL_MEMBERS_MAX),
	[PAXOS_A_Q2] = NLA_POLICY_RANGE(NLA_U8, 1, PAXOS_NL_MEMBERS_MAX),
	[PAXOS_A_WINDOW] = NLA_POLICY_FULL_RANGE(NLA_U32, &window_range),
	[PAXOS_A_LOG_SIZE] = NLA_POLICY_FULL_RANGE(NLA_U32, &log_size_range),
	[PAXOS_A_BYTES] = NLA_POLICY_FULL_RANGE(NLA_U32, &bytes_range),
	[PAXOS_A_MEMBER] = NLA_POLICY_NESTED(paxos_member_add_policy),
};

const struct nla_policy paxos_group_set_policy[PAXOS_A_MAX + 1] = {
	[PAXOS_A_GROUP] = POLICY_GROUP,
	[PAXOS_A_KEY] = NLA_POLICY_EXACT_LEN(PAXOS_KEY_SIZE),
	[PAXOS_A_BYTES] = NLA_POLICY_FULL_RANGE(NLA_U32, &bytes_range),
	[PAXOS_A_MEMBER] = NLA_POLICY_NESTED(paxos_member_set_policy),
};

/* Without a limit to the value: that one has an errno of its own. */
const struct nla_policy paxos_propose_policy[PAXOS_A_MAX + 1] = {
	[PAXOS_A_GROUP] = POLICY_GROUP,
	[PAXOS_A_VALUE] = { .type = NLA_BINARY },
	[PAXOS_A_TIMEOUT] = NLA_POLICY_MIN(NLA_U32, 1),
	[PAXOS_A_KIND] = NLA_POLICY_MAX(NLA_U8, PAXOS_NL_KIND_CONFIG),
};

const struct nla_policy paxos_read_policy[PAXOS_A_MAX + 1] = {
	[PAXOS_A_GROUP] = POLICY_GROUP,
	[PAXOS_A_TIMEOUT] = NLA_POLICY_MIN(NLA_U32, 1),
};

const struct nla_policy paxos_log_policy[PAXOS_A_MAX + 1] = {
	[PAXOS_A_GROUP] = POLICY_GROUP,
	[PAXOS_A_FIRST] = { .type = NLA_U64 },
	[PAXOS_A_LAST] = { .type = NLA_U64 },
};

const struct nla_policy paxos_restore_policy[PAXOS_A_MAX + 1] = {
	[PAXOS_A_GROUP] = POLICY_GROUP,
	[PAXOS_A_RECORD] = NLA_POLICY_NESTED(paxos_record_policy),
};

const struct nla_policy paxos_start_policy[PAXOS_A_MAX + 1] = {
	[PAXOS_A_GROUP] = POLICY_GROUP,
	[PAXOS_A_INCARNATION] = { .type = NLA_U64 },
	[PAXOS_A_LSN] = { .type = NLA_U64 },
};

const struct nla_policy paxos_pull_policy[PAXOS_A_MAX + 1] = {
	[PAXOS_A_GROUP] = POLICY_GROUP,
	[PAXOS_A_LSN] = { .type = NLA_U64 },
};

const struct nla_policy paxos_learn_policy[PAXOS_A_MAX + 1] = {
	[PAXOS_A_GROUP] = POLICY_GROUP,
	[PAXOS_A_AGENT] = { .type = NLA_U32 },
	[PAXOS_A_FROM] = POLICY_ID,
	[PAXOS_A_GOAL] = { .type = NLA_U64 },
	[PAXOS_A_FEED] = POLICY_FEED,
	[PAXOS_A_RECORD] = NLA_POLICY_NESTED(paxos_record_policy),
};

const struct nla_policy paxos_space_set_policy[PAXOS_A_MAX + 1] = {
	[PAXOS_A_GROUP] = POLICY_GROUP,
	[PAXOS_A_AGENT] = { .type = NLA_U32 },
	[PAXOS_A_SPACE_USED] = { .type = NLA_U64 },
	[PAXOS_A_SPACE] = { .type = NLA_U64 },
	[PAXOS_A_SPACE_FIRST] = { .type = NLA_U64 },
	[PAXOS_A_SPACE_GOES] = { .type = NLA_U64 },
	[PAXOS_A_SPACE_HELD] = POLICY_ID,
	[PAXOS_A_TRIMMED] = { .type = NLA_U64 },
	[PAXOS_A_SNAPSHOT] = { .type = NLA_U64 },
	[PAXOS_A_UNSAVED] = NLA_POLICY_MAX(NLA_U8, 1),
};

/* The value is of netlink's own limits: a section in pieces, or a checkpoint. */
const struct nla_policy paxos_feed_policy[PAXOS_A_MAX + 1] = {
	[PAXOS_A_GROUP] = POLICY_GROUP,
	[PAXOS_A_AGENT] = { .type = NLA_U32 },
	[PAXOS_A_WHICH] = { .type = NLA_U32 },
	[PAXOS_A_FEED] = POLICY_FEED,
	[PAXOS_A_SLOT] = { .type = NLA_U64 },
	[PAXOS_A_VALUE] = { .type = NLA_BINARY },
	[PAXOS_A_RECORD] = NLA_POLICY_NESTED(paxos_record_policy),
};

const struct nla_policy paxos_snapshot_policy[PAXOS_A_MAX + 1] = {
	[PAXOS_A_GROUP] = POLICY_GROUP,
	[PAXOS_A_AGENT] = { .type = NLA_U32 },
};

const struct nla_policy paxos_snapshot_pull_policy[PAXOS_A_MAX + 1] = {
	[PAXOS_A_GROUP] = POLICY_GROUP,
	[PAXOS_A_AGENT] = { .type = NLA_U32 },
	[PAXOS_A_WHICH] = { .type = NLA_U32 },
};

const struct nla_policy paxos_peer_set_policy[PAXOS_A_MAX + 1] = {
	[PAXOS_A_GROUP] = POLICY_GROUP,
	[PAXOS_A_MEMBER] = NLA_POLICY_NESTED(paxos_member_peer_policy),
};

const struct nla_policy paxos_transfer_policy[PAXOS_A_MAX + 1] = {
	[PAXOS_A_GROUP] = POLICY_GROUP,
	[PAXOS_A_LEADER] = { .type = NLA_U8 },
	[PAXOS_A_TIMEOUT] = NLA_POLICY_MIN(NLA_U32, 1),
};

const struct nla_policy paxos_reconfigure_policy[PAXOS_A_MAX + 1] = {
	[PAXOS_A_GROUP] = POLICY_GROUP,
	[PAXOS_A_TIMEOUT] = NLA_POLICY_MIN(NLA_U32, 1),
	[PAXOS_A_MEMBER] = NLA_POLICY_NESTED(paxos_member_change_policy),
	[PAXOS_A_Q1] = NLA_POLICY_RANGE(NLA_U8, 1, PAXOS_NL_MEMBERS_MAX),
	[PAXOS_A_Q2] = NLA_POLICY_RANGE(NLA_U8, 1, PAXOS_NL_MEMBERS_MAX),
};
