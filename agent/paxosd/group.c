// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <linux/genetlink.h>
#include "group.h"

#define RESTORE_BATCH (64 << 10)

static void put_address(struct nlmsghdr *message, const union address *address)
{
	if (address->any.sa_family == AF_INET)
		mnl_attr_put(message, PAXOS_A_MEMBER_ADDRESS,
			     sizeof(address->in.sin_addr),
			     &address->in.sin_addr);
	else
		mnl_attr_put(message, PAXOS_A_MEMBER_ADDRESS,
			     sizeof(address->in6.sin6_addr),
			     &address->in6.sin6_addr);
	mnl_attr_put_u16(message, PAXOS_A_MEMBER_PORT,
			 htons(address_port(address)));
	if (address->any.sa_family == AF_INET6 && address->in6.sin6_scope_id)
		mnl_attr_put_u32(message, PAXOS_A_MEMBER_SCOPE,
				 address->in6.sin6_scope_id);
}

/* @address: NULL: it stays. */
static void put_member(struct nlmsghdr *message, uint8_t id, uint8_t role,
		       const union address *address)
{
	struct nlattr *nest = mnl_attr_nest_start(message, PAXOS_A_MEMBER);

	mnl_attr_put_u8(message, PAXOS_A_MEMBER_ID, id);
	mnl_attr_put_u8(message, PAXOS_A_MEMBER_ROLE, role);
	if (address)
		put_address(message, address);
	mnl_attr_nest_end(message, nest);
}

int group_add(struct netlink *netlink, const struct config *config, bool joins)
{
	struct nlmsghdr *message = netlink_begin(netlink, PAXOS_CMD_GROUP_ADD,
						 config->group);
	unsigned int i;
	int result;

	mnl_attr_put(message, PAXOS_A_CLUSTER, PAXOS_CLUSTER_SIZE,
		     config->cluster);
	mnl_attr_put(message, PAXOS_A_KEY, PAXOS_KEY_SIZE, config->key);
	mnl_attr_put_u8(message, PAXOS_A_SELF, config->self);
	mnl_attr_put_u8(message, PAXOS_A_DURABILITY, config->durability);
	if (joins)
		mnl_attr_put_u32(message, PAXOS_A_EPOCH, 0);
	if (config->q1)
		mnl_attr_put_u8(message, PAXOS_A_Q1, config->q1);
	if (config->q2)
		mnl_attr_put_u8(message, PAXOS_A_Q2, config->q2);
	if (config->window)
		mnl_attr_put_u32(message, PAXOS_A_WINDOW, config->window);
	if (config->log_size)
		mnl_attr_put_u32(message, PAXOS_A_LOG_SIZE, config->log_size);
	if (config->bytes)
		mnl_attr_put_u32(message, PAXOS_A_BYTES, config->bytes);
	for (i = 0; i < config->n_members; i++)
		put_member(message, config->members[i].id,
			   config->members[i].role,
			   &config->members[i].address);
	result = netlink_ask(netlink, NULL, NULL);
	/* It held the key. */
	explicit_bzero(netlink->request, message->nlmsg_len);
	return result;
}

static void take_address(union address *address, const struct nlattr *attr[])
{
	const struct nlattr *bytes = attr[PAXOS_A_MEMBER_ADDRESS];
	const struct nlattr *port = attr[PAXOS_A_MEMBER_PORT];

	memset(address, 0, sizeof(*address));
	if (!bytes || !port || mnl_attr_get_payload_len(port) < 2)
		return;
	if (mnl_attr_get_payload_len(bytes) == 4) {
		address->any.sa_family = AF_INET;
		memcpy(&address->in.sin_addr, mnl_attr_get_payload(bytes), 4);
	} else if (mnl_attr_get_payload_len(bytes) == 16) {
		address->any.sa_family = AF_INET6;
		memcpy(&address->in6.sin6_addr, mnl_attr_get_payload(bytes),
		       16);
		address->in6.sin6_scope_id =
			netlink_u32(attr[PAXOS_A_MEMBER_SCOPE]);
	}
	address_set_port(address, ntohs(mnl_attr_get_u16(port)));
}

static void take_member(struct group_state *state, const struct nlattr *nest)
{
	const struct nlattr *attr[PAXOS_A_MEMBER_MAX + 1];
	struct group_member *member;
	uint8_t id;

	netlink_parse_nested(nest, attr, PAXOS_A_MEMBER_MAX);
	id = netlink_u8(attr[PAXOS_A_MEMBER_ID]);
	if (id < 1 || id > PAXOS_NL_MEMBERS_MAX ||
	    state->n_members == PAXOS_NL_MEMBERS_MAX)
		return;
	member = &state->members[state->n_members++];
	member->id = id;
	take_address(&member->address, attr);
	if (netlink_u8(attr[PAXOS_A_MEMBER_ROLE]) == PAXOS_NL_ROLE_VOTER)
		state->voters |= 1ULL << (id - 1);
	if (netlink_u64(attr[PAXOS_A_MEMBER_DIFFERS]))
		state->differ |= 1ULL << (id - 1);
	if (attr[PAXOS_A_MEMBER_HEARD])
		state->heard[id] = netlink_u32(attr[PAXOS_A_MEMBER_HEARD]);
}

/* The one that is behind the others tells. */
static void take_consumer(struct group_state *state, const struct nlattr *nest)
{
	const struct nlattr *attr[PAXOS_A_CONSUMER_MAX + 1];
	uint64_t applied;

	netlink_parse_nested(nest, attr, PAXOS_A_CONSUMER_MAX);
	applied = netlink_u64(attr[PAXOS_A_CONSUMER_APPLIED]);
	if (applied < state->applied)
		state->applied = applied;
}

static int take_state(void *context, const struct nlmsghdr *message,
		      const struct nlattr *const attrs[])
{
	struct group_state *state = context;
	const struct nlattr *attr;

	state->n_members = 0;
	memset(state->heard, 0xff, sizeof(state->heard));
	state->commit = netlink_u64(attrs[PAXOS_A_COMMIT]);
	state->applied = state->commit;
	mnl_attr_for_each(attr, message, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) == PAXOS_A_MEMBER)
			take_member(state, attr);
		if (mnl_attr_get_type(attr) == PAXOS_A_CONSUMER)
			take_consumer(state, attr);
	}
	state->instance = netlink_u64(attrs[PAXOS_A_INSTANCE]);
	state->incarnation = netlink_u64(attrs[PAXOS_A_INCARNATION]);
	state->lsn = netlink_u64(attrs[PAXOS_A_LSN]);
	state->durable = netlink_u64(attrs[PAXOS_A_DURABLE]);
	state->epoch = netlink_u32(attrs[PAXOS_A_EPOCH]);
	state->state = netlink_u8(attrs[PAXOS_A_STATE]);
	state->phase = netlink_u8(attrs[PAXOS_A_PHASE]);
	state->wait = netlink_u8(attrs[PAXOS_A_WAIT]);
	state->leader = netlink_u8(attrs[PAXOS_A_LEADER]);
	state->q1 = netlink_u8(attrs[PAXOS_A_Q1]);
	state->stalled = netlink_u32(attrs[PAXOS_A_STALLED]);
	state->ballot = netlink_u64(attrs[PAXOS_A_BALLOT]);
	state->promised = netlink_u64(attrs[PAXOS_A_PROMISED]);
	state->first = netlink_u64(attrs[PAXOS_A_FIRST]);
	state->checksum = netlink_u64(attrs[PAXOS_A_CHECKSUM]);
	state->mark = netlink_u64(attrs[PAXOS_A_MARK]);
	state->diverged = netlink_u64(attrs[PAXOS_A_DIVERGED]);
	state->halted = netlink_u8(attrs[PAXOS_A_HALTED]);
	return 0;
}

int group_get(struct netlink *netlink, uint32_t group,
	      struct group_state *state)
{
	memset(state, 0, sizeof(*state));
	netlink_begin(netlink, PAXOS_CMD_GROUP_GET, group);
	return netlink_ask(netlink, take_state, state);
}

int group_del(struct netlink *netlink, uint32_t group)
{
	netlink_begin(netlink, PAXOS_CMD_GROUP_DEL, group);
	return netlink_ask(netlink, NULL, NULL);
}

int group_attach(struct netlink *netlink, uint32_t group,
		 struct group_state *state)
{
	memset(state, 0, sizeof(*state));
	netlink_begin(netlink, PAXOS_CMD_ATTACH, group);
	return netlink_ask(netlink, take_state, state);
}

struct comparison {
	const struct config *config;
	uint64_t members;	/* that both have */
	char *difference;
	size_t size;
};

__attribute__((format(printf, 2, 3)))
static void differs(struct comparison *comparison, const char *format, ...)
{
	va_list args;

	if (comparison->difference[0])
		return;
	va_start(args, format);
	vsnprintf(comparison->difference, comparison->size, format, args);
	va_end(args);
}

static void compare_number(struct comparison *comparison, const char *name,
			   uint64_t kernel, uint64_t file)
{
	if (kernel != file)
		differs(comparison, "%s is %llu there and %llu in the file",
			name, (unsigned long long)kernel,
			(unsigned long long)file);
}

/* What the file leaves to the kernel does not differ. */
static void compare_default(struct comparison *comparison, const char *name,
			    uint64_t kernel, uint64_t file)
{
	if (file)
		compare_number(comparison, name, kernel, file);
}

static void compare_member(struct comparison *comparison,
			   const struct nlattr *nest)
{
	static const char *const roles[] = { "voter", "learner" };
	const struct nlattr *attr[PAXOS_A_MEMBER_MAX + 1];
	char there[ADDRESS_NAME_SIZE], here[ADDRESS_NAME_SIZE];
	const struct config_member *member;
	union address address;
	uint8_t id, role;

	netlink_parse_nested(nest, attr, PAXOS_A_MEMBER_MAX);
	id = netlink_u8(attr[PAXOS_A_MEMBER_ID]);
	role = netlink_u8(attr[PAXOS_A_MEMBER_ROLE]);
	take_address(&address, attr);
	member = config_member(comparison->config, id);
	if (!member) {
		differs(comparison, "member %u is not in the file", id);
		return;
	}
	comparison->members |= 1ULL << (id - 1);
	if (role != member->role)
		differs(comparison, "member %u is a %s there and a %s in the file",
			id, roles[role & 1], roles[member->role]);
	if (!address_same(&address, &member->address))
		differs(comparison, "member %u has address %s there and %s in the file",
			id, address_name(&address, there),
			address_name(&member->address, here));
}

/* Whatever the others know, it listens where it was told to. */
static void compare_self(struct comparison *comparison,
			 const struct nlmsghdr *message)
{
	const uint8_t self = comparison->config->self;
	char there[ADDRESS_NAME_SIZE], here[ADDRESS_NAME_SIZE];
	const struct config_member *member =
		config_member(comparison->config, self);
	const struct nlattr *attr[PAXOS_A_MEMBER_MAX + 1], *nest;
	union address address;

	mnl_attr_for_each(nest, message, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(nest) != PAXOS_A_MEMBER)
			continue;
		netlink_parse_nested(nest, attr, PAXOS_A_MEMBER_MAX);
		take_address(&address, attr);
		if (netlink_u8(attr[PAXOS_A_MEMBER_ID]) == self &&
		    !address_same(&address, &member->address))
			differs(comparison, "it listens on %s, and in the file member %u has %s",
				address_name(&address, there), self,
				address_name(&member->address, here));
	}
}

static void compare_members(struct comparison *comparison,
			    const struct nlmsghdr *message,
			    const struct nlattr *const attrs[])
{
	const struct config *config = comparison->config;
	const struct nlattr *attr;
	unsigned int majority = 0, i;

	for (i = 0; i < config->n_members; i++)
		majority += config->members[i].role == PAXOS_NL_ROLE_VOTER;
	majority = majority / 2 + 1;
	mnl_attr_for_each(attr, message, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) == PAXOS_A_MEMBER)
			compare_member(comparison, attr);
	for (i = 0; i < config->n_members; i++)
		if (!(comparison->members &
		      1ULL << (config->members[i].id - 1)))
			differs(comparison, "it has no member %u",
				config->members[i].id);
	compare_number(comparison, "PrepareQuorum",
		       netlink_u8(attrs[PAXOS_A_Q1]), config->q1 ?: majority);
	compare_number(comparison, "AcceptQuorum",
		       netlink_u8(attrs[PAXOS_A_Q2]), config->q2 ?: majority);
}

static int compare(void *context, const struct nlmsghdr *message,
		   const struct nlattr *const attrs[])
{
	struct comparison *comparison = context;
	const struct config *config = comparison->config;
	const struct nlattr *cluster = attrs[PAXOS_A_CLUSTER];

	if (!cluster ||
	    mnl_attr_get_payload_len(cluster) != PAXOS_CLUSTER_SIZE ||
	    memcmp(mnl_attr_get_payload(cluster), config->cluster,
		   PAXOS_CLUSTER_SIZE))
		differs(comparison, "it is of another Cluster");
	compare_number(comparison, "Self", netlink_u8(attrs[PAXOS_A_SELF]),
		       config->self);
	if (netlink_u8(attrs[PAXOS_A_DURABILITY]) != config->durability)
		differs(comparison, "Durability is not that of the file");
	/* The file is the first configuration: what was chosen since wins. */
	if (netlink_u32(attrs[PAXOS_A_EPOCH]) == 1)
		compare_members(comparison, message, attrs);
	else
		compare_self(comparison, message);
	compare_default(comparison, "Window",
			netlink_u32(attrs[PAXOS_A_WINDOW]), config->window);
	compare_default(comparison, "LogSize",
			netlink_u32(attrs[PAXOS_A_LOG_SIZE]),
			config->log_size);
	compare_default(comparison, "Memory",
			netlink_u32(attrs[PAXOS_A_BYTES]), config->bytes);
	return 0;
}

int group_compare(struct netlink *netlink, const struct config *config,
		  char *difference, size_t size)
{
	struct comparison comparison = {
		.config = config,
		.difference = difference,
		.size = size,
	};
	int result;

	difference[0] = '\0';
	netlink_begin(netlink, PAXOS_CMD_GROUP_GET, config->group);
	result = netlink_ask(netlink, compare, &comparison);
	return result ?: difference[0] != '\0';
}

void group_restore_begin(struct netlink *netlink, uint32_t group)
{
	netlink_begin(netlink, PAXOS_CMD_RESTORE, group);
}

int group_restore(struct netlink *netlink, uint32_t group,
		  const struct record *record)
{
	struct nlmsghdr *message = netlink->request;
	struct nlattr *nest;
	int result;

	nest = mnl_attr_nest_start(message, PAXOS_A_RECORD);
	mnl_attr_put_u64(message, PAXOS_A_RECORD_LSN, record->lsn);
	mnl_attr_put_u8(message, PAXOS_A_RECORD_TYPE, record->type);
	if (record->type != PAXOS_NL_RECORD_PROMISE)
		mnl_attr_put_u64(message, PAXOS_A_RECORD_SLOT, record->slot);
	if (record->type != PAXOS_NL_RECORD_COMMIT)
		mnl_attr_put_u64(message, PAXOS_A_RECORD_BALLOT,
				 record->ballot);
	if (record->type == PAXOS_NL_RECORD_ACCEPT ||
	    record->type == PAXOS_NL_RECORD_CONFIG ||
	    record->type == PAXOS_NL_RECORD_TRIM) {
		mnl_attr_put_u8(message, PAXOS_A_RECORD_KIND, record->kind);
		mnl_attr_put_u8(message, PAXOS_A_RECORD_ORIGIN,
				record->origin);
		mnl_attr_put_u64(message, PAXOS_A_RECORD_INCARNATION,
				 record->incarnation);
		mnl_attr_put_u64(message, PAXOS_A_RECORD_SEQ, record->seq);
		mnl_attr_put(message, PAXOS_A_RECORD_VALUE, record->length,
			     record->value);
	}
	mnl_attr_nest_end(message, nest);
	if (message->nlmsg_len < RESTORE_BATCH)
		return 0;
	result = netlink_ask(netlink, NULL, NULL);
	group_restore_begin(netlink, group);
	return result;
}

int group_restore_end(struct netlink *netlink)
{
	/* One without records is fine as well. */
	return netlink_ask(netlink, NULL, NULL);
}

int group_start(struct netlink *netlink, uint32_t group, uint64_t incarnation,
		uint64_t lsn)
{
	struct nlmsghdr *message = netlink_begin(netlink, PAXOS_CMD_START,
						 group);

	mnl_attr_put_u64(message, PAXOS_A_INCARNATION, incarnation);
	mnl_attr_put_u64(message, PAXOS_A_LSN, lsn);
	return netlink_ask(netlink, NULL, NULL);
}

static void put_heard(struct nlmsghdr *message, const struct group_peer *peer)
{
	mnl_attr_put_u32(message, PAXOS_A_MEMBER_AGENT_HEARD, peer->heard);
	mnl_attr_put_u64(message, PAXOS_A_MEMBER_COMMIT, peer->commit);
	mnl_attr_put_u64(message, PAXOS_A_MEMBER_DURABLE, peer->durable);
	mnl_attr_put_u64(message, PAXOS_A_MEMBER_INCARNATION,
			 peer->incarnation);
	mnl_attr_put_u64(message, PAXOS_A_MEMBER_CHECKSUM, peer->checksum);
	mnl_attr_put_u64(message, PAXOS_A_MEMBER_MARK, peer->mark);
}

int group_peers(struct netlink *netlink, uint32_t group,
		const struct group_peer *peers, unsigned int n)
{
	struct nlmsghdr *message = netlink_begin(netlink, PAXOS_CMD_PEER_SET,
						 group);
	struct nlattr *nest;
	unsigned int i;

	for (i = 0; i < n; i++) {
		nest = mnl_attr_nest_start(message, PAXOS_A_MEMBER);
		mnl_attr_put_u8(message, PAXOS_A_MEMBER_ID, peers[i].id);
		mnl_attr_put_u8(message, PAXOS_A_MEMBER_SUSPECTED,
				peers[i].suspected);
		if (peers[i].known)
			put_heard(message, &peers[i]);
		mnl_attr_nest_end(message, nest);
	}
	return netlink_ask(netlink, NULL, NULL);
}

struct checkpoint {
	uint64_t *slot;
	uint8_t *bytes;
	uint32_t *length;
};

static int take_checkpoint(void *context, const struct nlmsghdr *message,
			   const struct nlattr *const attrs[])
{
	const struct nlattr *value = attrs[PAXOS_A_VALUE];
	struct checkpoint *checkpoint = context;

	(void)message;
	*checkpoint->slot = netlink_u64(attrs[PAXOS_A_SLOT]);
	*checkpoint->length = value ? mnl_attr_get_payload_len(value) : 0;
	if (*checkpoint->length > WAL_CHECKPOINT_MAX)
		return -EMSGSIZE;
	if (value)
		memcpy(checkpoint->bytes, mnl_attr_get_payload(value),
		       *checkpoint->length);
	return 0;
}

int group_checkpoint(struct netlink *netlink, uint32_t group, uint64_t *slot,
		     uint8_t *bytes, uint32_t *length)
{
	struct checkpoint checkpoint = { slot, bytes, length };

	*slot = 0;
	netlink_begin(netlink, PAXOS_CMD_CHECKPOINT_GET, group);
	return netlink_ask(netlink, take_checkpoint, &checkpoint);
}

int group_space(struct netlink *netlink, uint32_t group,
		const struct group_space *space)
{
	struct nlmsghdr *message = netlink_begin(netlink, PAXOS_CMD_SPACE_SET,
						 group);

	mnl_attr_put_u32(message, PAXOS_A_AGENT, space->agent);
	mnl_attr_put_u64(message, PAXOS_A_SPACE_USED, space->used);
	mnl_attr_put_u64(message, PAXOS_A_SPACE, space->bound);
	mnl_attr_put_u64(message, PAXOS_A_SPACE_FIRST, space->first);
	if (space->held) {
		mnl_attr_put_u8(message, PAXOS_A_SPACE_HELD, space->held);
		mnl_attr_put_u64(message, PAXOS_A_SPACE_GOES, space->goes);
	}
	return netlink_ask(netlink, NULL, NULL);
}

int group_campaign(struct netlink *netlink, uint32_t group)
{
	netlink_begin(netlink, PAXOS_CMD_CAMPAIGN, group);
	return netlink_ask(netlink, NULL, NULL);
}

int group_resign(struct netlink *netlink, uint32_t group)
{
	netlink_begin(netlink, PAXOS_CMD_RESIGN, group);
	return netlink_ask(netlink, NULL, NULL);
}

int group_transfer(struct netlink *netlink, uint32_t group, uint8_t to,
		   uint32_t timeout)
{
	struct nlmsghdr *message = netlink_begin(netlink, PAXOS_CMD_TRANSFER,
						 group);

	mnl_attr_put_u8(message, PAXOS_A_LEADER, to);
	mnl_attr_put_u32(message, PAXOS_A_TIMEOUT, timeout);
	return netlink_ask(netlink, NULL, NULL);
}

int group_change(struct netlink *netlink, uint32_t group, uint8_t id,
		 uint8_t role, const union address *address, uint32_t timeout)
{
	struct nlmsghdr *message = netlink_begin(netlink, PAXOS_CMD_RECONFIGURE,
						 group);

	mnl_attr_put_u32(message, PAXOS_A_TIMEOUT, timeout);
	put_member(message, id, role, address);
	return netlink_send(netlink);
}

static int take_change(void *context, const struct nlmsghdr *message,
		       const struct nlattr *const attrs[])
{
	bool *made = context;

	(void)message;
	*made = attrs[PAXOS_A_EPOCH];
	return 0;
}

int group_changed(struct netlink *netlink, bool *made)
{
	return netlink_receive(netlink, take_change, made);
}

int group_pull(struct netlink *netlink, uint32_t group, uint64_t lsn)
{
	struct nlmsghdr *message = netlink_begin(netlink, PAXOS_CMD_PULL,
						 group);

	mnl_attr_put_u64(message, PAXOS_A_LSN, lsn);
	return netlink_send(netlink);
}

struct pulled {
	wal_visit visit;
	void *context;
};

static int take_record(const struct pulled *pulled, const struct nlattr *nest)
{
	const struct nlattr *attr[PAXOS_A_RECORD_MAX + 1];
	const struct nlattr *value;
	struct record record = { 0 };

	netlink_parse_nested(nest, attr, PAXOS_A_RECORD_MAX);
	record.lsn = netlink_u64(attr[PAXOS_A_RECORD_LSN]);
	record.slot = netlink_u64(attr[PAXOS_A_RECORD_SLOT]);
	record.ballot = netlink_u64(attr[PAXOS_A_RECORD_BALLOT]);
	record.incarnation = netlink_u64(attr[PAXOS_A_RECORD_INCARNATION]);
	record.seq = netlink_u64(attr[PAXOS_A_RECORD_SEQ]);
	record.type = netlink_u8(attr[PAXOS_A_RECORD_TYPE]);
	record.kind = netlink_u8(attr[PAXOS_A_RECORD_KIND]);
	record.origin = netlink_u8(attr[PAXOS_A_RECORD_ORIGIN]);
	value = attr[PAXOS_A_RECORD_VALUE];
	if (value) {
		record.length = mnl_attr_get_payload_len(value);
		record.value = mnl_attr_get_payload(value);
	}
	return pulled->visit(pulled->context, &record);
}

static int take_records(void *context, const struct nlmsghdr *message,
			const struct nlattr *const attrs[])
{
	const struct nlattr *attr;
	int result;

	(void)attrs;	/* there are many of one type */
	mnl_attr_for_each(attr, message, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) != PAXOS_A_RECORD)
			continue;
		result = take_record(context, attr);
		if (result)
			return result;
	}
	return 0;
}

int group_records(struct netlink *netlink, wal_visit visit, void *context)
{
	struct pulled pulled = { .visit = visit, .context = context };

	return netlink_receive(netlink, take_records, &pulled);
}
