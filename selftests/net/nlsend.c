// SPDX-License-Identifier: GPL-2.0
/*
 * One netlink message, as wrong as its writer wants it, and what the kernel
 * says of it: "ok", or "ERRNO", then "@ATTRIBUTE" that it points at or
 * "-ATTRIBUTE" that it misses, then its sentence.
 *
 * usage: nlsend [-k] [-d|-w] COMMAND [ITEM...]
 *
 *   COMMAND       a number, or a name such as group-add
 *   TYPE=u8:N     an attribute; u16, be16, u32, u64 likewise
 *   TYPE=zero:N   N zero bytes; text:WORD, hex:0a0b
 *   TYPE=u8:N@L   the same, but its header says that it is L bytes long
 *   +TYPE ITEM... -   a nest; ~TYPE ITEM... - one without NLA_F_NESTED
 *   junk:N        N bytes that belong to no attribute
 *   cut:N         the whole message is N bytes shorter than it says
 *   -d            ask for a dump; "interrupted" where the kernel says that it
 *                 may not be of one moment
 *   -w            the same, and wait for a line when the first part is there
 *   -k            the family paxos_kv
 *
 * TYPE is a number, or a name such as group, member, member.id, record.lsn.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/paxos_kv.h>
#include "genl.h"

#define DEPTH_MAX	64
#define ANSWER_MS	5000

struct name {
	const char *name;
	unsigned int number;
};

static const struct name paxos_commands[] = {
	{ "group-add", PAXOS_CMD_GROUP_ADD },
	{ "group-set", PAXOS_CMD_GROUP_SET },
	{ "group-del", PAXOS_CMD_GROUP_DEL },
	{ "group-get", PAXOS_CMD_GROUP_GET },
	{ "propose", PAXOS_CMD_PROPOSE },
	{ "read", PAXOS_CMD_READ },
	{ "log-get", PAXOS_CMD_LOG_GET },
	{ "campaign", PAXOS_CMD_CAMPAIGN },
	{ "stats-get", PAXOS_CMD_STATS_GET },
	{ "attach", PAXOS_CMD_ATTACH },
	{ "restore", PAXOS_CMD_RESTORE },
	{ "start", PAXOS_CMD_START },
	{ "pull", PAXOS_CMD_PULL },
	{ "peer-set", PAXOS_CMD_PEER_SET },
	{ "learn", PAXOS_CMD_LEARN },
	{ "event", PAXOS_CMD_EVENT },
	{ "chosen", PAXOS_CMD_CHOSEN },
	{ "resign", PAXOS_CMD_RESIGN },
	{ "transfer", PAXOS_CMD_TRANSFER },
	{ "reconfigure", PAXOS_CMD_RECONFIGURE },
	{ "checkpoint-get", PAXOS_CMD_CHECKPOINT_GET },
	{ "space-set", PAXOS_CMD_SPACE_SET },
	{ "consumer-get", PAXOS_CMD_CONSUMER_GET },
	{ "consumer-feed", PAXOS_CMD_CONSUMER_FEED },
	{ "snapshot-begin", PAXOS_CMD_SNAPSHOT_BEGIN },
	{ "snapshot-pull", PAXOS_CMD_SNAPSHOT_PULL },
	{ "snapshot-end", PAXOS_CMD_SNAPSHOT_END },
	{ NULL, 0 }
};

static const struct name paxos_attributes[] = {
	{ "group", PAXOS_A_GROUP },
	{ "cluster", PAXOS_A_CLUSTER },
	{ "key", PAXOS_A_KEY },
	{ "self", PAXOS_A_SELF },
	{ "durability", PAXOS_A_DURABILITY },
	{ "epoch", PAXOS_A_EPOCH },
	{ "q1", PAXOS_A_Q1 },
	{ "q2", PAXOS_A_Q2 },
	{ "window", PAXOS_A_WINDOW },
	{ "log-size", PAXOS_A_LOG_SIZE },
	{ "bytes", PAXOS_A_BYTES },
	{ "member", PAXOS_A_MEMBER },
	{ "leader", PAXOS_A_LEADER },
	{ "first", PAXOS_A_FIRST },
	{ "last", PAXOS_A_LAST },
	{ "lsn", PAXOS_A_LSN },
	{ "incarnation", PAXOS_A_INCARNATION },
	{ "value", PAXOS_A_VALUE },
	{ "timeout", PAXOS_A_TIMEOUT },
	{ "record", PAXOS_A_RECORD },
	{ "state", PAXOS_A_STATE },
	{ "agent", PAXOS_A_AGENT },
	{ "slot", PAXOS_A_SLOT },
	{ "which", PAXOS_A_WHICH },
	{ "feed", PAXOS_A_FEED },
	{ "from", PAXOS_A_FROM },
	{ "goal", PAXOS_A_GOAL },
	{ "member.id", PAXOS_A_MEMBER_ID },
	{ "member.role", PAXOS_A_MEMBER_ROLE },
	{ "member.address", PAXOS_A_MEMBER_ADDRESS },
	{ "member.port", PAXOS_A_MEMBER_PORT },
	{ "member.scope", PAXOS_A_MEMBER_SCOPE },
	{ "member.commit", PAXOS_A_MEMBER_COMMIT },
	{ "record.lsn", PAXOS_A_RECORD_LSN },
	{ "record.type", PAXOS_A_RECORD_TYPE },
	{ "record.slot", PAXOS_A_RECORD_SLOT },
	{ "record.ballot", PAXOS_A_RECORD_BALLOT },
	{ "record.kind", PAXOS_A_RECORD_KIND },
	{ "record.origin", PAXOS_A_RECORD_ORIGIN },
	{ "record.incarnation", PAXOS_A_RECORD_INCARNATION },
	{ "record.seq", PAXOS_A_RECORD_SEQ },
	{ "record.value", PAXOS_A_RECORD_VALUE },
	{ NULL, 0 }
};

static const struct name kv_commands[] = {
	{ "txn", PAXOS_KV_CMD_TXN },
	{ "grant", PAXOS_KV_CMD_GRANT },
	{ "keep", PAXOS_KV_CMD_KEEP },
	{ "revoke", PAXOS_KV_CMD_REVOKE },
	{ "compact", PAXOS_KV_CMD_COMPACT },
	{ "limit", PAXOS_KV_CMD_LIMIT },
	{ "barrier", PAXOS_KV_CMD_BARRIER },
	{ "get", PAXOS_KV_CMD_GET },
	{ "watch", PAXOS_KV_CMD_WATCH },
	{ "info", PAXOS_KV_CMD_INFO },
	{ "leases", PAXOS_KV_CMD_LEASES },
	{ "history", PAXOS_KV_CMD_HISTORY },
	{ NULL, 0 }
};

static const struct name kv_attributes[] = {
	{ "group", PAXOS_KV_A_GROUP },
	{ "timeout", PAXOS_KV_A_TIMEOUT },
	{ "revision", PAXOS_KV_A_REVISION },
	{ "lease", PAXOS_KV_A_LEASE },
	{ "ttl", PAXOS_KV_A_TTL },
	{ "limit", PAXOS_KV_A_LIMIT },
	{ "key", PAXOS_KV_A_KEY },
	{ "exact", PAXOS_KV_A_EXACT },
	{ "item", PAXOS_KV_A_ITEM },
	{ "history", PAXOS_KV_A_HISTORY },
	{ "period", PAXOS_KV_A_PERIOD },
	{ "after", PAXOS_KV_A_AFTER },
	{ "item.section", PAXOS_KV_A_ITEM_SECTION },
	{ "item.target", PAXOS_KV_A_ITEM_TARGET },
	{ "item.what", PAXOS_KV_A_ITEM_WHAT },
	{ "item.key", PAXOS_KV_A_ITEM_KEY },
	{ "item.value", PAXOS_KV_A_ITEM_VALUE },
	{ NULL, 0 }
};

static const struct name *commands = paxos_commands;
static const struct name *attributes = paxos_attributes;

static unsigned int number_of(const struct name *names, const char *name)
{
	unsigned long number;
	char *end;

	number = strtoul(name, &end, 0);
	if (end != name && !*end)
		return number;
	for (; names->name; names++)
		if (!strcmp(names->name, name))
			return names->number;
	genl_fail("no command or attribute '%s'", name);
}

/* Attributes of a nest have numbers of their own. */
static const char *name_of(unsigned int type, const char *nest)
{
	const struct name *name;
	size_t length = strlen(nest);
	static char text[16];

	for (name = attributes; name->name; name++)
		if (name->number == type &&
		    !strncmp(name->name, nest, length) &&
		    !strchr(name->name + length, '.'))
			return name->name;
	snprintf(text, sizeof(text), "%u", type);
	return text;
}

static void put_hex(struct nlmsghdr *message, unsigned int type,
		    const char *text)
{
	uint8_t bytes[256];
	unsigned int i, byte;

	for (i = 0; i < sizeof(bytes) && sscanf(text + 2 * i, "%2x", &byte) == 1;
	     i++)
		bytes[i] = byte;
	mnl_attr_put(message, type, i, bytes);
}

static void put_value(struct nlmsghdr *message, unsigned int type,
		      const char *text)
{
	static const uint8_t zeros[PAXOS_NL_VALUE_MAX * 2];
	struct nlattr *attr = mnl_nlmsg_get_payload_tail(message);
	const char *colon = strchr(text, ':'), *at = strchr(text, '@');
	unsigned long long number;

	if (!colon)
		genl_fail("'%s' has no colon", text);
	number = strtoull(colon + 1, NULL, 0);
	if (!strncmp(text, "u8:", 3))
		mnl_attr_put_u8(message, type, number);
	else if (!strncmp(text, "u16:", 4))
		mnl_attr_put_u16(message, type, number);
	else if (!strncmp(text, "be16:", 5))
		mnl_attr_put_u16(message, type, htons(number));
	else if (!strncmp(text, "u32:", 4))
		mnl_attr_put_u32(message, type, number);
	else if (!strncmp(text, "u64:", 4))
		mnl_attr_put_u64(message, type, number);
	else if (!strncmp(text, "hex:", 4))
		put_hex(message, type, colon + 1);
	else if (!strncmp(text, "text:", 5))
		mnl_attr_put(message, type, strlen(colon + 1), colon + 1);
	else if (!strncmp(text, "zero:", 5) && number <= sizeof(zeros))
		mnl_attr_put(message, type, number, zeros);
	else
		genl_fail("'%s' is no value", text);
	if (at)
		attr->nla_len = strtoul(at + 1, NULL, 0);
}

/* libmnl sets the flag in each nest. */
static void build(struct nlmsghdr *message, char **items, size_t *cut)
{
	struct nlattr *nests[DEPTH_MAX];
	bool bare[DEPTH_MAX];
	unsigned int depth = 0;
	char *equals;

	for (; *items; items++) {
		equals = strchr(*items, '=');
		if (!strcmp(*items, "-")) {
			if (!depth--)
				genl_fail("a nest is closed that was not open");
			mnl_attr_nest_end(message, nests[depth]);
			if (bare[depth])
				nests[depth]->nla_type &= NLA_TYPE_MASK;
		} else if (**items == '+' || **items == '~') {
			if (depth == DEPTH_MAX)
				genl_fail("too deep");
			bare[depth] = **items == '~';
			nests[depth++] = mnl_attr_nest_start(message,
				number_of(attributes, *items + 1));
		} else if (!strncmp(*items, "junk:", 5)) {
			memset(mnl_nlmsg_get_payload_tail(message), 0xff,
			       atoi(*items + 5));
			message->nlmsg_len += atoi(*items + 5);
		} else if (!strncmp(*items, "cut:", 4)) {
			*cut = atoi(*items + 4);
		} else if (equals) {
			*equals = '\0';
			put_value(message, number_of(attributes, *items),
				  equals + 1);
		} else {
			genl_fail("'%s' is no item", *items);
		}
	}
	if (depth)
		genl_fail("a nest is not closed");
}

/* The attribute of @message that covers @offset, and the nests around it. */
static void blame(const struct nlmsghdr *message, uint32_t offset)
{
	const struct nlattr *attr;
	size_t start = sizeof(struct genlmsghdr);
	const char *name;
	uint32_t at;

	mnl_attr_for_each(attr, message, start) {
		at = (const char *)attr - (const char *)message;
		if (offset < at || offset >= at + attr->nla_len)
			continue;
		name = name_of(mnl_attr_get_type(attr), "");
		if (offset == at) {
			printf(" @%s", name);
		} else if (!strcmp(name, "member") || !strcmp(name, "record")) {
			attr = (const void *)((const char *)message + offset);
			printf(" @%s", name_of(mnl_attr_get_type(attr),
					       strcmp(name, "member") ?
					       "record." : "member."));
		} else {
			printf(" @%s+%u", name, offset - at);
		}
		return;
	}
	printf(" @?");
}

static void print_error(const struct nlmsghdr *answer,
			const struct nlmsghdr *request)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(answer);
	const char *sentence = genl_sentence(answer);
	const struct nlattr *attr;

	printf("%s", strerrorname_np(-error->error) ?: "unknown errno");
	mnl_attr_for_each(attr, answer, genl_tlvs(answer)) {
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_OFFS)
			blame(request, mnl_attr_get_u32(attr));
		if (mnl_attr_get_type(attr) == 5)	/* MISS_TYPE */
			printf(" -%s", name_of(mnl_attr_get_u32(attr), ""));
	}
	printf(" %s\n", sentence ?: "(no sentence)");
}

/* Returns true once the kernel has said its last word. */
static bool take(const struct nlmsghdr *answer, const struct nlmsghdr *request)
{
	static bool interrupted;

	interrupted |= answer->nlmsg_flags & NLM_F_DUMP_INTR;
	if (answer->nlmsg_type != NLMSG_ERROR &&
	    answer->nlmsg_type != NLMSG_DONE)
		return false;
	if (genl_error(answer))
		print_error(answer, request);
	else
		puts(interrupted ? "interrupted" : "ok");
	return true;
}

int main(int argc, char **argv)
{
	static uint8_t request[GENL_MESSAGE_MAX], buffer[GENL_MESSAGE_MAX];
	struct nlmsghdr *message, *answer;
	struct mnl_socket *socket;
	struct pollfd poll_fd;
	const char *name = PAXOS_GENL_NAME;
	uint16_t family, flags = NLM_F_ACK;
	bool waits = false;
	size_t cut = 0;
	ssize_t length;
	int left;

	if (argc > 1 && !strcmp(argv[1], "-k")) {
		name = PAXOS_KV_GENL_NAME;
		commands = kv_commands;
		attributes = kv_attributes;
		argv++;
		argc--;
	}
	if (argc > 1 && (!strcmp(argv[1], "-d") || !strcmp(argv[1], "-w"))) {
		flags = NLM_F_DUMP;
		waits = argv[1][1] == 'w';
		argv++;
		argc--;
	}
	if (argc < 2)
		genl_fail("usage: nlsend [-k] [-d|-w] COMMAND [ITEM...]");
	socket = genl_open_family(name, &family);
	message = genl_request(request, family, number_of(commands, argv[1]),
			       flags, 1);
	build(message, argv + 2, &cut);
	message->nlmsg_len -= cut;
	if (mnl_socket_sendto(socket, message, message->nlmsg_len) < 0)
		genl_fail("cannot send: %s", strerror(errno));

	poll_fd = (struct pollfd){
		.fd = mnl_socket_get_fd(socket),
		.events = POLLIN,
	};
	while (poll(&poll_fd, 1, ANSWER_MS) > 0) {
		length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
		if (length < 0)
			genl_fail("cannot receive: %s", strerror(errno));
		left = length;
		for (answer = (void *)buffer; mnl_nlmsg_ok(answer, left);
		     answer = mnl_nlmsg_next(answer, &left))
			if (take(answer, message))
				return 0;
		if (waits)
			getchar();
		waits = false;
	}
	puts("no answer");
	return 1;
}
