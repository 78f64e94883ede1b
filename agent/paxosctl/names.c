// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "names.h"

/* Smallest sizes; an attribute without a line may have any. */
struct nla_policy name_policy[PAXOS_A_MAX + 1] = {
	[PAXOS_A_GROUP] = { .type = NLA_U32 },
	[PAXOS_A_CLUSTER] = { .minlen = PAXOS_CLUSTER_SIZE },
	[PAXOS_A_SELF] = { .type = NLA_U8 },
	[PAXOS_A_DURABILITY] = { .type = NLA_U8 },
	[PAXOS_A_EPOCH] = { .type = NLA_U32 },
	[PAXOS_A_Q1] = { .type = NLA_U8 },
	[PAXOS_A_Q2] = { .type = NLA_U8 },
	[PAXOS_A_WINDOW] = { .type = NLA_U32 },
	[PAXOS_A_LOG_SIZE] = { .type = NLA_U32 },
	[PAXOS_A_BYTES] = { .type = NLA_U32 },
	[PAXOS_A_INSTANCE] = { .type = NLA_U64 },
	[PAXOS_A_STATE] = { .type = NLA_U8 },
	[PAXOS_A_PHASE] = { .type = NLA_U8 },
	[PAXOS_A_WAIT] = { .type = NLA_U8 },
	[PAXOS_A_BALLOT] = { .type = NLA_U64 },
	[PAXOS_A_PROMISED] = { .type = NLA_U64 },
	[PAXOS_A_LEADER] = { .type = NLA_U8 },
	[PAXOS_A_SLOT] = { .type = NLA_U64 },
	[PAXOS_A_FIRST] = { .type = NLA_U64 },
	[PAXOS_A_LAST] = { .type = NLA_U64 },
	[PAXOS_A_COMMIT] = { .type = NLA_U64 },
	[PAXOS_A_LSN] = { .type = NLA_U64 },
	[PAXOS_A_DURABLE] = { .type = NLA_U64 },
	[PAXOS_A_INCARNATION] = { .type = NLA_U64 },
	[PAXOS_A_PENDING] = { .type = NLA_U32 },
	[PAXOS_A_BYTES_USED] = { .type = NLA_U32 },
	[PAXOS_A_UP] = { .type = NLA_U8 },
	[PAXOS_A_NEEDED] = { .type = NLA_U8 },
	[PAXOS_A_AGENT] = { .type = NLA_U32 },
	[PAXOS_A_STALLED] = { .type = NLA_U32 },
	[PAXOS_A_TIMEOUT] = { .type = NLA_U32 },
	[PAXOS_A_OUTCOME] = { .type = NLA_U8 },
	[PAXOS_A_ELAPSED] = { .type = NLA_U64 },
	[PAXOS_A_KIND] = { .type = NLA_U8 },
	[PAXOS_A_ORIGIN] = { .type = NLA_U8 },
	[PAXOS_A_SEQ] = { .type = NLA_U64 },
	[PAXOS_A_EVENT] = { .type = NLA_U8 },
	[PAXOS_A_FROM] = { .type = NLA_U8 },
	[PAXOS_A_GOAL] = { .type = NLA_U64 },
	[PAXOS_A_LATENCY] = { .minlen = PAXOS_NL_LATENCIES * sizeof(uint64_t) },
	[PAXOS_A_ACCEPTED] = { .type = NLA_U64 },
	[PAXOS_A_PERSISTED] = { .type = NLA_U64 },
	[PAXOS_A_CHOSEN] = { .type = NLA_U64 },
	[PAXOS_A_DELIVERED] = { .type = NLA_U64 },
	[PAXOS_A_CHECKSUM] = { .type = NLA_U64 },
	[PAXOS_A_MARK] = { .type = NLA_U64 },
	[PAXOS_A_DIVERGED] = { .type = NLA_U64 },
	[PAXOS_A_HALTED] = { .type = NLA_U8 },
	[PAXOS_A_SNAPSHOT] = { .type = NLA_U64 },
	[PAXOS_A_UNSAVED] = { .type = NLA_U8 },
};

struct nla_policy name_member_policy[PAXOS_A_MEMBER_MAX + 1] = {
	[PAXOS_A_MEMBER_ID] = { .type = NLA_U8 },
	[PAXOS_A_MEMBER_ROLE] = { .type = NLA_U8 },
	[PAXOS_A_MEMBER_ADDRESS] = { .minlen = 4, .maxlen = 16 },
	[PAXOS_A_MEMBER_PORT] = { .type = NLA_U16 },
	[PAXOS_A_MEMBER_SCOPE] = { .type = NLA_U32 },
	[PAXOS_A_MEMBER_UP] = { .type = NLA_U8 },
	[PAXOS_A_MEMBER_HEARD] = { .type = NLA_U32 },
	[PAXOS_A_MEMBER_AGENT_HEARD] = { .type = NLA_U32 },
	[PAXOS_A_MEMBER_RTT] = { .type = NLA_U32 },
	[PAXOS_A_MEMBER_RESPONSE] = { .type = NLA_U32 },
	[PAXOS_A_MEMBER_COMMIT] = { .type = NLA_U64 },
	[PAXOS_A_MEMBER_DURABLE] = { .type = NLA_U64 },
	[PAXOS_A_MEMBER_INCARNATION] = { .type = NLA_U64 },
	[PAXOS_A_MEMBER_SUSPECTED] = { .type = NLA_U8 },
	[PAXOS_A_MEMBER_CHECKSUM] = { .type = NLA_U64 },
	[PAXOS_A_MEMBER_MARK] = { .type = NLA_U64 },
	[PAXOS_A_MEMBER_SAME] = { .type = NLA_U64 },
	[PAXOS_A_MEMBER_DIFFERS] = { .type = NLA_U64 },
};

struct nla_policy name_consumer_policy[PAXOS_A_CONSUMER_MAX + 1] = {
	[PAXOS_A_CONSUMER_NAME] = { .type = NLA_STRING },
	[PAXOS_A_CONSUMER_APPLIED] = { .type = NLA_U64 },
	[PAXOS_A_CONSUMER_STALLED] = { .type = NLA_U32 },
	[PAXOS_A_CONSUMER_STOPPED] = { .type = NLA_U32 },
};

/* What this tool sends, with the option that gives it. */
static const char *const attributes[PAXOS_A_MAX + 1] = {
	[PAXOS_A_GROUP] = "the group",
	[PAXOS_A_CLUSTER] = "the cluster (--cluster)",
	[PAXOS_A_KEY] = "the key (--key-file)",
	[PAXOS_A_SELF] = "this host's member (--self)",
	[PAXOS_A_DURABILITY] = "the durability (--durability)",
	[PAXOS_A_Q1] = "the Prepare quorum (--q1)",
	[PAXOS_A_Q2] = "the Accept quorum (--q2)",
	[PAXOS_A_WINDOW] = "the window (--window)",
	[PAXOS_A_LOG_SIZE] = "the size of the log (--log-size)",
	[PAXOS_A_BYTES] = "the memory for values (--memory)",
	[PAXOS_A_MEMBER] = "a member (--member)",
	[PAXOS_A_FIRST] = "the first slot (--from)",
	[PAXOS_A_LAST] = "the last slot (--to)",
	[PAXOS_A_LSN] = "the last record",
	[PAXOS_A_INCARNATION] = "the incarnation",
	[PAXOS_A_VALUE] = "the value",
	[PAXOS_A_TIMEOUT] = "the timeout (--timeout)",
};

static const char *const member_attributes[PAXOS_A_MEMBER_MAX + 1] = {
	[PAXOS_A_MEMBER_ID] = "the id",
	[PAXOS_A_MEMBER_ROLE] = "the role",
	[PAXOS_A_MEMBER_ADDRESS] = "the address",
	[PAXOS_A_MEMBER_PORT] = "the port",
	[PAXOS_A_MEMBER_SCOPE] = "the interface",
};

const char *name_attribute(unsigned int type)
{
	return type <= PAXOS_A_MAX ? attributes[type] : NULL;
}

const char *name_member_attribute(unsigned int type)
{
	return type <= PAXOS_A_MEMBER_MAX ? member_attributes[type] : NULL;
}

static uint64_t number_of(struct nlattr *attr)
{
	switch (nla_len(attr)) {
	case 1:
		return nla_get_u8(attr);
	case 2:
		return nla_get_u16(attr);
	case 4:
		return nla_get_u32(attr);
	default:
		return nla_get_u64(attr);
	}
}

static void name_member_value(char *text, size_t size, struct nlattr *attr,
			      struct nlattr *member)
{
	struct nlattr *attrs[PAXOS_A_MEMBER_MAX + 1], *id;
	char host[INET6_ADDRSTRLEN] = "?";
	unsigned int type = nla_type(attr);
	int n;

	if (nla_parse_nested(attrs, PAXOS_A_MEMBER_MAX, member, NULL) ||
	    !name_member_attribute(type))
		return;
	id = attrs[PAXOS_A_MEMBER_ID];
	n = snprintf(text, size, "%s of member %" PRIu64,
		     member_attributes[type], id ? number_of(id) : 0);
	if (type == PAXOS_A_MEMBER_ID || n < 0 || (size_t)n >= size)
		return;
	text += n;
	size -= n;
	if (type == PAXOS_A_MEMBER_ADDRESS) {
		inet_ntop(nla_len(attr) == 4 ? AF_INET : AF_INET6,
			  nla_data(attr), host, sizeof(host));
		snprintf(text, size, ": %s", host);
	} else if (type == PAXOS_A_MEMBER_PORT) {
		snprintf(text, size, ": %u", ntohs(nla_get_u16(attr)));
	} else if (type == PAXOS_A_MEMBER_ROLE) {
		snprintf(text, size, ": %s", name_role(number_of(attr)));
	} else {
		snprintf(text, size, ": %" PRIu64, number_of(attr));
	}
}

void name_value(char *text, size_t size, struct nlattr *attr,
		struct nlattr *member)
{
	unsigned int type = nla_type(attr);
	struct nlattr *attrs[PAXOS_A_MEMBER_MAX + 1];
	const char *words;

	text[0] = '\0';
	if (member) {
		name_member_value(text, size, attr, member);
		return;
	}
	words = name_attribute(type);
	if (!words)
		return;
	switch (type) {
	case PAXOS_A_CLUSTER:
	case PAXOS_A_KEY:
	case PAXOS_A_VALUE:
		snprintf(text, size, "%s", words);
		return;
	case PAXOS_A_GROUP:
		/* Every message begins with it. */
		return;
	case PAXOS_A_MEMBER:
		if (nla_parse_nested(attrs, PAXOS_A_MEMBER_MAX, attr, NULL) ||
		    !attrs[PAXOS_A_MEMBER_ID])
			snprintf(text, size, "%s", words);
		else
			snprintf(text, size, "member %" PRIu64,
				 number_of(attrs[PAXOS_A_MEMBER_ID]));
		return;
	case PAXOS_A_DURABILITY:
		snprintf(text, size, "%s: %s", words,
			 name_durability(number_of(attr)));
		return;
	case PAXOS_A_TIMEOUT:
		snprintf(text, size, "%s: %" PRIu64 " ms", words,
			 number_of(attr));
		return;
	}
	snprintf(text, size, "%s: %" PRIu64, words, number_of(attr));
}

#define LOOK_UP(table, number) \
	((number) < sizeof(table) / sizeof((table)[0]) && (table)[number] ? \
	 (table)[number] : "unknown")

const char *name_durability(unsigned int durability)
{
	static const char *const names[] = {
		[PAXOS_NL_DURABILITY_SYNC] = "sync",
		[PAXOS_NL_DURABILITY_MEMORY] = "memory",
	};

	return LOOK_UP(names, durability);
}

const char *name_role(unsigned int role)
{
	static const char *const names[] = {
		[PAXOS_NL_ROLE_VOTER] = "voter",
		[PAXOS_NL_ROLE_LEARNER] = "learner",
		[PAXOS_NL_ROLE_NONE] = "none",
	};

	return LOOK_UP(names, role);
}

const char *name_state(unsigned int state)
{
	static const char *const names[] = {
		[PAXOS_NL_STATE_RESTORING] = "restoring",
		[PAXOS_NL_STATE_RUNNING] = "running",
		[PAXOS_NL_STATE_STOPPED] = "stopped",
	};

	return LOOK_UP(names, state);
}

const char *name_phase(unsigned int phase)
{
	static const char *const names[] = {
		[PAXOS_NL_PHASE_FOLLOWER] = "follower",
		[PAXOS_NL_PHASE_CANDIDATE] = "candidate",
		[PAXOS_NL_PHASE_LEADER] = "leader",
	};

	return LOOK_UP(names, phase);
}

const char *name_wait(unsigned int wait)
{
	static const char *const names[] = {
		[PAXOS_NL_WAIT_NONE] = "none",
		[PAXOS_NL_WAIT_AGENT] = "agent",
		[PAXOS_NL_WAIT_START] = "start",
		[PAXOS_NL_WAIT_LEADER] = "leader",
		[PAXOS_NL_WAIT_QUORUM] = "quorum",
		[PAXOS_NL_WAIT_PROMISES] = "promises",
		[PAXOS_NL_WAIT_DISK] = "disk",
		[PAXOS_NL_WAIT_BEHIND] = "behind",
		[PAXOS_NL_WAIT_MEMBER] = "member",
		[PAXOS_NL_WAIT_MEMORY] = "memory",
	};

	return LOOK_UP(names, wait);
}

const char *name_outcome(unsigned int outcome)
{
	static const char *const names[] = {
		[PAXOS_NL_OUTCOME_CHOSEN] = "chosen",
		[PAXOS_NL_OUTCOME_NOT_CHOSEN] = "not-chosen",
		[PAXOS_NL_OUTCOME_UNKNOWN] = "unknown",
	};

	return LOOK_UP(names, outcome);
}

const char *name_kind(unsigned int kind)
{
	static const char *const names[] = {
		[PAXOS_NL_KIND_NOOP] = "noop",
		[PAXOS_NL_KIND_DATA] = "data",
		[PAXOS_NL_KIND_CONFIG] = "config",
	};

	return LOOK_UP(names, kind);
}

const char *name_event(unsigned int event)
{
	static const char *const names[] = {
		[PAXOS_NL_EVENT_LEADER] = "leader",
		[PAXOS_NL_EVENT_QUORUM_LOST] = "quorum-lost",
		[PAXOS_NL_EVENT_QUORUM_REGAINED] = "quorum-regained",
		[PAXOS_NL_EVENT_MEMBER_UP] = "member-up",
		[PAXOS_NL_EVENT_MEMBER_DOWN] = "member-down",
		[PAXOS_NL_EVENT_AGENT_ATTACHED] = "agent-attached",
		[PAXOS_NL_EVENT_AGENT_DETACHED] = "agent-detached",
		[PAXOS_NL_EVENT_STALLED] = "stalled",
		[PAXOS_NL_EVENT_RESUMED] = "resumed",
		[PAXOS_NL_EVENT_BEHIND] = "behind",
		[PAXOS_NL_EVENT_GROUP_DELETED] = "group-deleted",
		[PAXOS_NL_EVENT_EPOCH] = "epoch",
		[PAXOS_NL_EVENT_SPACE] = "space",
		[PAXOS_NL_EVENT_DIVERGED] = "diverged",
		[PAXOS_NL_EVENT_HALTED] = "halted",
		[PAXOS_NL_EVENT_CONVERGED] = "converged",
	};

	return LOOK_UP(names, event);
}
