// SPDX-License-Identifier: GPL-2.0
/*
 * Random netlink messages that are nearly right: each starts as a whole command
 * and then loses, gains or mixes up a little. Prints what the kernel answered,
 * as "ANSWER COUNT" lines.
 *
 * usage: nlfuzz [-f paxos|paxos_kv] [-n COUNT] [-s SEED] [-g GROUPS]
 *
 * It names groups 1 to GROUPS, and may make, start, change and delete them, or
 * what their stores hold: use it in a namespace, or a cluster, of its own.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/paxos_kv.h>
#include "genl.h"

#define ERRNO_MAX	4096
#define ROOM		4096	/* for what mutations add */
#define DEEP		24

/* What an attribute should hold: a number of so many bytes, or BYTES of it. */
enum { NEST = 100, BYTES16, BYTES4, PORT, TEXT };

static const uint8_t kinds[PAXOS_A_MAX + 1] = {
	[PAXOS_A_GROUP] = 4, [PAXOS_A_CLUSTER] = BYTES16,
	[PAXOS_A_KEY] = BYTES16, [PAXOS_A_SELF] = 1, [PAXOS_A_DURABILITY] = 1,
	[PAXOS_A_EPOCH] = 4, [PAXOS_A_Q1] = 1, [PAXOS_A_Q2] = 1,
	[PAXOS_A_WINDOW] = 4, [PAXOS_A_LOG_SIZE] = 4, [PAXOS_A_BYTES] = 4,
	[PAXOS_A_MEMBER] = NEST, [PAXOS_A_FIRST] = 8, [PAXOS_A_LAST] = 8,
	[PAXOS_A_LSN] = 8, [PAXOS_A_INCARNATION] = 8, [PAXOS_A_VALUE] = TEXT,
	[PAXOS_A_TIMEOUT] = 4, [PAXOS_A_RECORD] = NEST, [PAXOS_A_AGENT] = 4,
	[PAXOS_A_FROM] = 1, [PAXOS_A_GOAL] = 8, [PAXOS_A_SLOT] = 8,
	[PAXOS_A_WHICH] = 4, [PAXOS_A_FEED] = 1,
};

static const uint8_t member_kinds[PAXOS_A_MEMBER_MAX + 1] = {
	[PAXOS_A_MEMBER_ID] = 1, [PAXOS_A_MEMBER_ROLE] = 1,
	[PAXOS_A_MEMBER_ADDRESS] = BYTES4, [PAXOS_A_MEMBER_PORT] = PORT,
	[PAXOS_A_MEMBER_SCOPE] = 4, [PAXOS_A_MEMBER_AGENT_HEARD] = 4,
	[PAXOS_A_MEMBER_COMMIT] = 8, [PAXOS_A_MEMBER_DURABLE] = 8,
	[PAXOS_A_MEMBER_INCARNATION] = 8,
	[PAXOS_A_MEMBER_SUSPECTED] = 1,
	[PAXOS_A_MEMBER_CHECKSUM] = 8, [PAXOS_A_MEMBER_MARK] = 8,
};

static const uint8_t record_kinds[PAXOS_A_RECORD_MAX + 1] = {
	[PAXOS_A_RECORD_LSN] = 8, [PAXOS_A_RECORD_TYPE] = 1,
	[PAXOS_A_RECORD_SLOT] = 8, [PAXOS_A_RECORD_BALLOT] = 8,
	[PAXOS_A_RECORD_KIND] = 1, [PAXOS_A_RECORD_ORIGIN] = 1,
	[PAXOS_A_RECORD_INCARNATION] = 8, [PAXOS_A_RECORD_SEQ] = 8,
	[PAXOS_A_RECORD_VALUE] = TEXT,
};

static const uint8_t kv_kinds[PAXOS_KV_A_MAX + 1] = {
	[PAXOS_KV_A_GROUP] = 4, [PAXOS_KV_A_TIMEOUT] = 4,
	[PAXOS_KV_A_REVISION] = 8, [PAXOS_KV_A_SUB] = 4,
	[PAXOS_KV_A_LEASE] = 8, [PAXOS_KV_A_TTL] = 8, [PAXOS_KV_A_LIMIT] = 8,
	[PAXOS_KV_A_KEY] = TEXT, [PAXOS_KV_A_EXACT] = 1,
	[PAXOS_KV_A_COUNT] = 8, [PAXOS_KV_A_ITEM] = NEST,
	[PAXOS_KV_A_HISTORY] = 8, [PAXOS_KV_A_PERIOD] = 8,
	[PAXOS_KV_A_AFTER] = TEXT,
};

static const uint8_t item_kinds[PAXOS_KV_A_ITEM_MAX + 1] = {
	[PAXOS_KV_A_ITEM_SECTION] = 1, [PAXOS_KV_A_ITEM_TARGET] = 1,
	[PAXOS_KV_A_ITEM_WHAT] = 1, [PAXOS_KV_A_ITEM_KEY] = TEXT,
	[PAXOS_KV_A_ITEM_VALUE] = TEXT, [PAXOS_KV_A_ITEM_NUMBER] = 8,
};

#define ATTRS_MAX 12
struct command {
	uint8_t cmd;
	uint8_t attrs[ATTRS_MAX];
};

static const struct command kv_commands[] = {
	{ PAXOS_KV_CMD_TXN, {
		PAXOS_KV_A_GROUP, PAXOS_KV_A_TIMEOUT, PAXOS_KV_A_ITEM,
		PAXOS_KV_A_ITEM, PAXOS_KV_A_ITEM } },
	{ PAXOS_KV_CMD_GRANT, {
		PAXOS_KV_A_GROUP, PAXOS_KV_A_TIMEOUT, PAXOS_KV_A_TTL } },
	{ PAXOS_KV_CMD_KEEP, {
		PAXOS_KV_A_GROUP, PAXOS_KV_A_TIMEOUT, PAXOS_KV_A_LEASE } },
	{ PAXOS_KV_CMD_REVOKE, {
		PAXOS_KV_A_GROUP, PAXOS_KV_A_TIMEOUT, PAXOS_KV_A_LEASE } },
	{ PAXOS_KV_CMD_COMPACT, {
		PAXOS_KV_A_GROUP, PAXOS_KV_A_TIMEOUT, PAXOS_KV_A_REVISION } },
	{ PAXOS_KV_CMD_BARRIER, { PAXOS_KV_A_GROUP, PAXOS_KV_A_TIMEOUT } },
	{ PAXOS_KV_CMD_GET, {
		PAXOS_KV_A_GROUP, PAXOS_KV_A_KEY, PAXOS_KV_A_COUNT } },
	{ PAXOS_KV_CMD_GET, {
		PAXOS_KV_A_GROUP, PAXOS_KV_A_KEY, PAXOS_KV_A_EXACT,
		PAXOS_KV_A_REVISION, PAXOS_KV_A_COUNT, PAXOS_KV_A_AFTER } },
	{ PAXOS_KV_CMD_WATCH, {
		PAXOS_KV_A_GROUP, PAXOS_KV_A_TIMEOUT, PAXOS_KV_A_KEY,
		PAXOS_KV_A_EXACT, PAXOS_KV_A_REVISION, PAXOS_KV_A_SUB } },
	{ PAXOS_KV_CMD_INFO, { PAXOS_KV_A_GROUP } },
	{ PAXOS_KV_CMD_LEASES, { PAXOS_KV_A_GROUP } },
	{ PAXOS_KV_CMD_HISTORY, {
		PAXOS_KV_A_GROUP, PAXOS_KV_A_TIMEOUT, PAXOS_KV_A_HISTORY } },
};

static const struct command commands[] = {
	{ PAXOS_CMD_GROUP_ADD, {
		PAXOS_A_GROUP, PAXOS_A_CLUSTER, PAXOS_A_KEY, PAXOS_A_SELF,
		PAXOS_A_DURABILITY, PAXOS_A_WINDOW, PAXOS_A_LOG_SIZE,
		PAXOS_A_BYTES, PAXOS_A_MEMBER, PAXOS_A_MEMBER,
		PAXOS_A_MEMBER } },
	{ PAXOS_CMD_GROUP_SET, {
		PAXOS_A_GROUP, PAXOS_A_KEY, PAXOS_A_BYTES, PAXOS_A_MEMBER } },
	{ PAXOS_CMD_GROUP_DEL, { PAXOS_A_GROUP } },
	{ PAXOS_CMD_GROUP_GET, { PAXOS_A_GROUP } },
	{ PAXOS_CMD_PROPOSE, {
		PAXOS_A_GROUP, PAXOS_A_VALUE, PAXOS_A_TIMEOUT } },
	{ PAXOS_CMD_READ, { PAXOS_A_GROUP, PAXOS_A_TIMEOUT } },
	{ PAXOS_CMD_LOG_GET, {
		PAXOS_A_GROUP, PAXOS_A_FIRST, PAXOS_A_LAST } },
	{ PAXOS_CMD_CAMPAIGN, { PAXOS_A_GROUP } },
	{ PAXOS_CMD_STATS_GET, { PAXOS_A_GROUP } },
	{ PAXOS_CMD_ATTACH, { PAXOS_A_GROUP } },
	{ PAXOS_CMD_RESTORE, {
		PAXOS_A_GROUP, PAXOS_A_RECORD, PAXOS_A_RECORD,
		PAXOS_A_RECORD } },
	{ PAXOS_CMD_START, {
		PAXOS_A_GROUP, PAXOS_A_INCARNATION, PAXOS_A_LSN } },
	{ PAXOS_CMD_PULL, { PAXOS_A_GROUP, PAXOS_A_LSN } },
	{ PAXOS_CMD_PEER_SET, { PAXOS_A_GROUP, PAXOS_A_MEMBER } },
	{ PAXOS_CMD_RESIGN, { PAXOS_A_GROUP } },
	{ PAXOS_CMD_TRANSFER, {
		PAXOS_A_GROUP, PAXOS_A_LEADER, PAXOS_A_TIMEOUT } },
	{ PAXOS_CMD_LEARN, {
		PAXOS_A_GROUP, PAXOS_A_AGENT, PAXOS_A_FROM, PAXOS_A_GOAL,
		PAXOS_A_RECORD, PAXOS_A_RECORD } },
	{ PAXOS_CMD_RECONFIGURE, {
		PAXOS_A_GROUP, PAXOS_A_TIMEOUT, PAXOS_A_MEMBER } },
	{ PAXOS_CMD_CHECKPOINT_GET, { PAXOS_A_GROUP } },
	{ PAXOS_CMD_SPACE_SET, { PAXOS_A_GROUP, PAXOS_A_AGENT } },
	{ PAXOS_CMD_CONSUMER_GET, { PAXOS_A_GROUP } },
	{ PAXOS_CMD_CONSUMER_FEED, {
		PAXOS_A_GROUP, PAXOS_A_AGENT, PAXOS_A_WHICH, PAXOS_A_FEED,
		PAXOS_A_SLOT, PAXOS_A_VALUE } },
	{ PAXOS_CMD_SNAPSHOT_BEGIN, { PAXOS_A_GROUP, PAXOS_A_AGENT } },
	{ PAXOS_CMD_SNAPSHOT_PULL, {
		PAXOS_A_GROUP, PAXOS_A_AGENT, PAXOS_A_WHICH } },
	{ PAXOS_CMD_SNAPSHOT_END, { PAXOS_A_GROUP, PAXOS_A_AGENT } },
};
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

struct fuzz {
	struct mnl_socket *socket;
	uint16_t family;
	bool kv;		/* the family is paxos_kv */
	uint32_t groups;
	uint8_t cmd;		/* that is being built */
	uint32_t member;	/* the id that the next member takes */
	uint64_t lsn;		/* of the next record */
	uint64_t random;
	uint8_t buffer[GENL_MESSAGE_MAX];
	struct nlmsghdr *message;
	uint64_t errors[ERRNO_MAX];
	uint64_t answers;
};

/* Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014 */
static uint64_t draw(struct fuzz *fuzz, uint64_t below)
{
	uint64_t z = fuzz->random += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return (z ^ z >> 31) % below;
}

static bool one_in(struct fuzz *fuzz, unsigned int n)
{
	return !draw(fuzz, n);
}

/* A number that somebody may have forgotten to think of. */
static uint64_t odd(struct fuzz *fuzz)
{
	static const uint64_t odds[] = {
		0, 1, 2, 3, 63, 64, 65, 255, 256, 1023, 4096, 32768, 65535,
		1 << 20, UINT32_MAX, 1ULL << 32, 1ULL << 56, INT64_MAX,
		UINT64_MAX - 1, UINT64_MAX,
	};
	uint64_t number = odds[draw(fuzz, sizeof(odds) / sizeof(odds[0]))];

	return one_in(fuzz, 8) ? draw(fuzz, UINT64_MAX) : number;
}

static bool room(struct fuzz *fuzz, size_t size)
{
	return fuzz->message->nlmsg_len + size + ROOM < GENL_MESSAGE_MAX;
}

static void put(struct fuzz *fuzz, unsigned int type, const void *bytes,
		size_t size)
{
	if (room(fuzz, size))
		mnl_attr_put(fuzz->message, type, size, bytes);
}

static void put_bytes(struct fuzz *fuzz, unsigned int type, size_t size)
{
	static uint8_t bytes[2 * PAXOS_NL_VALUE_MAX];
	size_t i;

	for (i = 0; i < size && i < 64; i++)
		bytes[i] = draw(fuzz, 256);
	put(fuzz, type, bytes, size);
}

static uint64_t kv_number(struct fuzz *fuzz, unsigned int nest,
			  unsigned int type)
{
	if (nest && type == PAXOS_KV_A_ITEM_SECTION)
		return draw(fuzz, 8) ? PAXOS_KV_SECTION_THEN : draw(fuzz, 3);
	if (nest && type == PAXOS_KV_A_ITEM_TARGET)
		return draw(fuzz, 8) ? 0 : draw(fuzz, 6);
	if (nest && type == PAXOS_KV_A_ITEM_NUMBER)
		return draw(fuzz, 8) ? 0 : draw(fuzz, 3000);
	switch (type) {
	case PAXOS_KV_A_GROUP:
		return 1 + draw(fuzz, fuzz->groups);
	case PAXOS_KV_A_TIMEOUT:
		return 1 + draw(fuzz, 100);
	case PAXOS_KV_A_EXACT:
		return draw(fuzz, 2);
	default:
		return nest ? 1 + draw(fuzz, 5) : draw(fuzz, 3000);
	}
}

static uint64_t right_number(struct fuzz *fuzz, unsigned int nest,
			     unsigned int type)
{
	if (fuzz->kv)
		return kv_number(fuzz, nest, type);
	if (nest == PAXOS_A_MEMBER)
		return type == PAXOS_A_MEMBER_ID ? ++fuzz->member :
		       type == PAXOS_A_MEMBER_ROLE ? 0 : draw(fuzz, 1000);
	if (nest == PAXOS_A_RECORD)
		switch (type) {
		case PAXOS_A_RECORD_LSN:
			return ++fuzz->lsn;
		case PAXOS_A_RECORD_TYPE:
			return 1 + draw(fuzz, 3);
		case PAXOS_A_RECORD_BALLOT:
			return (fuzz->lsn << 8) + 1 + draw(fuzz, 3);
		case PAXOS_A_RECORD_KIND:
		case PAXOS_A_RECORD_ORIGIN:
			return 1;
		default:
			return 1 + draw(fuzz, 8);
		}
	switch (type) {
	case PAXOS_A_GROUP:
		return 1 + draw(fuzz, fuzz->groups);
	case PAXOS_A_SELF:
		return 1 + draw(fuzz, 3);
	case PAXOS_A_DURABILITY:
		return draw(fuzz, 2);
	case PAXOS_A_WINDOW:
		return 16 << draw(fuzz, 4);
	case PAXOS_A_LOG_SIZE:
		return 512 << draw(fuzz, 4);
	case PAXOS_A_BYTES:
		return 1 << (20 + draw(fuzz, 4));
	case PAXOS_A_TIMEOUT:
		return draw(fuzz, 100);
	case PAXOS_A_LSN:
		return draw(fuzz, fuzz->lsn + 1);
	default:
		return draw(fuzz, 16);
	}
}

static void attribute(struct fuzz *fuzz, unsigned int nest, unsigned int type,
		      unsigned int depth);

/* What a member has depends on the command. */
static bool fits(const struct fuzz *fuzz, unsigned int nest, unsigned int type)
{
	if (fuzz->kv || nest != PAXOS_A_MEMBER || type == PAXOS_A_MEMBER_ID)
		return true;
	if (fuzz->cmd == PAXOS_CMD_PEER_SET)
		return type >= PAXOS_A_MEMBER_AGENT_HEARD;
	/* A scope only fits IPv6, a role only a new member. */
	return type == PAXOS_A_MEMBER_ADDRESS ||
	       type == PAXOS_A_MEMBER_PORT ||
	       (type == PAXOS_A_MEMBER_ROLE &&
		fuzz->cmd == PAXOS_CMD_GROUP_ADD);
}

/* What a nest holds, or a message, which is none: 0. */
static const uint8_t *kinds_of(const struct fuzz *fuzz, unsigned int nest,
			       unsigned int *max)
{
	if (fuzz->kv) {
		*max = nest ? PAXOS_KV_A_ITEM_MAX : PAXOS_KV_A_MAX;
		return nest ? item_kinds : kv_kinds;
	}
	switch (nest) {
	case PAXOS_A_MEMBER:
		*max = PAXOS_A_MEMBER_MAX;
		return member_kinds;
	case PAXOS_A_RECORD:
		*max = PAXOS_A_RECORD_MAX;
		return record_kinds;
	default:
		*max = PAXOS_A_MAX;
		return kinds;
	}
}

static void nested(struct fuzz *fuzz, unsigned int type, unsigned int depth)
{
	unsigned int max;
	const uint8_t *wanted = kinds_of(fuzz, type, &max);
	struct nlattr *nest;
	unsigned int i;

	if (!room(fuzz, 64))
		return;
	nest = mnl_attr_nest_start(fuzz->message, type);
	for (i = 0; i <= max; i++)
		if (wanted[i] && fits(fuzz, type, i) != one_in(fuzz, 100))
			attribute(fuzz, type, i, depth);
	if (one_in(fuzz, 40) && depth < DEEP)
		nested(fuzz, type, depth + 1);
	mnl_attr_nest_end(fuzz->message, nest);
	if (one_in(fuzz, 60))
		nest->nla_type &= NLA_TYPE_MASK;
}

static void attribute(struct fuzz *fuzz, unsigned int nest, unsigned int type,
		      unsigned int depth)
{
	unsigned int max;
	unsigned int kind = kinds_of(fuzz, nest, &max)[type];
	uint64_t number;

	if (one_in(fuzz, 60))
		kind = 1 + draw(fuzz, 8);
	switch (kind) {
	case NEST:
		nested(fuzz, type, depth);
		return;
	case BYTES16:
		put_bytes(fuzz, type, one_in(fuzz, 40) ? draw(fuzz, 40) : 16);
		return;
	case BYTES4:
		number = htonl(one_in(fuzz, 20) ? odd(fuzz) : INADDR_LOOPBACK);
		put(fuzz, type, &number, one_in(fuzz, 20) ? 16 : 4);
		return;
	case PORT:
		number = htons(7000 + draw(fuzz, 1000));
		put(fuzz, type, &number, 2);
		return;
	case TEXT:
		put_bytes(fuzz, type, one_in(fuzz, 30) ?
			  draw(fuzz, 2 * PAXOS_NL_VALUE_MAX - 64) :
			  draw(fuzz, 100));
		return;
	default:
		number = one_in(fuzz, 30) ? odd(fuzz) :
					    right_number(fuzz, nest, type);
		put(fuzz, type, &number, kind ?: draw(fuzz, 9));
	}
}

/* A header that lies, bytes that were flipped, an end that is too early. */
static void damage(struct fuzz *fuzz)
{
	struct nlmsghdr *message = fuzz->message;
	size_t head = sizeof(*message) + sizeof(struct genlmsghdr);
	unsigned int i;

	if (one_in(fuzz, 20) && message->nlmsg_len > head)
		for (i = draw(fuzz, 8); i; i--)
			fuzz->buffer[head + draw(fuzz, message->nlmsg_len -
						       head)] = draw(fuzz, 256);
	if (one_in(fuzz, 40))
		message->nlmsg_len -= draw(fuzz, message->nlmsg_len -
						 sizeof(*message));
	if (one_in(fuzz, 40))
		message->nlmsg_len += draw(fuzz, 16);
}

static void build(struct fuzz *fuzz, uint32_t seq)
{
	const struct command *all = fuzz->kv ? kv_commands : commands;
	size_t count = fuzz->kv ? COUNT(kv_commands) : COUNT(commands);
	unsigned int which = one_in(fuzz, 8) ? 0 : draw(fuzz, count), i, max;
	uint8_t cmd = all[which].cmd;
	uint16_t flags = NLM_F_ACK;
	bool dumps = fuzz->kv ? cmd == PAXOS_KV_CMD_GET ||
				cmd == PAXOS_KV_CMD_LEASES :
				cmd == PAXOS_CMD_LOG_GET;

	/* Rarely, or nothing would live long enough to be asked. */
	if (!fuzz->kv && cmd == PAXOS_CMD_GROUP_DEL && !one_in(fuzz, 8))
		cmd = PAXOS_CMD_GROUP_GET;
	fuzz->cmd = cmd;
	if (one_in(fuzz, 50))
		cmd = draw(fuzz, 256);
	if (one_in(fuzz, 10) || dumps)
		flags |= NLM_F_DUMP;
	fuzz->member = 0;
	if (one_in(fuzz, 4))
		fuzz->lsn = 0;
	memset(fuzz->buffer, 0, 4096);
	fuzz->message = genl_request(fuzz->buffer, fuzz->family, cmd, flags,
				     seq);
	for (i = 0; i < ATTRS_MAX && all[which].attrs[i]; i++)
		if (!one_in(fuzz, 60))
			attribute(fuzz, 0, all[which].attrs[i], 0);
	kinds_of(fuzz, 0, &max);
	while (one_in(fuzz, 15))
		attribute(fuzz, 0, draw(fuzz, max + 1), 0);
	damage(fuzz);
}

static void take_all(struct fuzz *fuzz)
{
	static uint8_t buffer[GENL_MESSAGE_MAX];
	const struct nlmsghdr *answer;
	ssize_t length;
	int left, error;

	for (;;) {
		length = recv(mnl_socket_get_fd(fuzz->socket), buffer,
			      sizeof(buffer), MSG_DONTWAIT);
		if (length < 0 && errno == EAGAIN)
			return;
		if (length < 0 && errno != ENOBUFS)
			genl_fail("cannot receive: %s", strerror(errno));
		left = length;
		for (answer = (void *)buffer; mnl_nlmsg_ok(answer, left);
		     answer = mnl_nlmsg_next(answer, &left)) {
			if (answer->nlmsg_type != NLMSG_ERROR) {
				fuzz->answers++;
				continue;
			}
			error = -genl_error(answer);
			if (error < 0 || error >= ERRNO_MAX)
				genl_fail("errno %d", error);
			fuzz->errors[error]++;
		}
	}
}

int main(int argc, char **argv)
{
	static struct fuzz fuzz = { .groups = 3 };
	const char *family = PAXOS_GENL_NAME;
	uint64_t count = 1000, number;
	int option;

	while ((option = getopt(argc, argv, "f:n:s:g:")) != -1) {
		switch (option) {
		case 'f':
			family = optarg;
			fuzz.kv = !strcmp(family, PAXOS_KV_GENL_NAME);
			break;
		case 'n':
			count = strtoull(optarg, NULL, 10);
			break;
		case 's':
			fuzz.random = strtoull(optarg, NULL, 10);
			break;
		case 'g':
			fuzz.groups = atoi(optarg);
			break;
		default:
			return 1;
		}
	}
	fuzz.socket = genl_open_family(family, &fuzz.family);
	for (number = 1; number <= count; number++) {
		build(&fuzz, number);
		/* One that is shorter than its header says is dropped here. */
		if (mnl_socket_sendto(fuzz.socket, fuzz.message,
				      fuzz.message->nlmsg_len) < 0 &&
		    errno != EINVAL)
			genl_fail("cannot send: %s", strerror(errno));
		take_all(&fuzz);
	}
	for (number = 0; number < ERRNO_MAX; number++)
		if (fuzz.errors[number])
			printf("%s %llu\n",
			       number ? strerrorname_np(number) ?: "?" : "ok",
			       (unsigned long long)fuzz.errors[number]);
	printf("answers %llu\n", (unsigned long long)fuzz.answers);
	return 0;
}
