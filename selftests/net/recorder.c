// SPDX-License-Identifier: GPL-2.0
/*
 * One client of registers and locks that live in a group's log: each change is
 * a proposed value, and the state is what the log up to some slot makes of it.
 * What it does and sees it writes as selftests/linearizability/README.md says.
 *
 * usage: recorder [OPTION...] HISTORY PROCESS
 *
 * Of one HISTORY all begin with nothing, whatever the log holds of another.
 *
 * Options are those of recording.h; there is a lock for every four registers.
 *
 * A read is PAXOS_CMD_READ, then the log up to the slot that it named.
 */

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "genl.h"
#include "recording.h"

#define SEQ_MAX		65536
#define NAME_SIZE	32

struct lock {
	unsigned int holder;	/* process, 0: free */
	uint64_t token;
};

/* What came of the entry that this client waits for. */
struct outcome {
	unsigned int seq;
	bool seen;
	bool ok;
	uint64_t token;
};

struct client {
	struct recording is;
	struct mnl_socket *socket;
	struct mnl_socket *dumps;
	uint16_t family;
	uint32_t netlink_seq;
	unsigned int seq;

	/* the log's slots below @next made this */
	uint64_t next;
	uint64_t wanted;
	char values[KEYS_MAX][NAME_SIZE];	/* "": none */
	struct lock locks[KEYS_MAX];
	uint64_t seen[PROCESSES + 1][SEQ_MAX / 64];
	struct outcome outcome;
};

/* --- What the log makes of the registers and locks ------------------------- */

static bool is_first(struct client *client, unsigned int process,
		     unsigned int seq)
{
	uint64_t *word = &client->seen[process][seq / 64];
	const uint64_t bit = 1ULL << seq % 64;
	const bool first = !(*word & bit);

	*word |= bit;
	return first;
}

static bool apply(struct client *client, const char *kind, unsigned int key,
		  unsigned int process, uint64_t slot, const char *value,
		  const char *expected)
{
	struct lock *lock = &client->locks[key];

	if (!strcmp(kind, "acquire")) {
		if (lock->holder)
			return false;
		*lock = (struct lock){ process, slot };
		return true;
	}
	if (!strcmp(kind, "release")) {
		/* "0" is whatever this process has. */
		if (lock->holder != process ||
		    (strtoull(value, NULL, 10) &&
		     strtoull(value, NULL, 10) != lock->token))
			return false;
		lock->holder = 0;
		return true;
	}
	if (!strcmp(kind, "cas") &&
	    strcmp(client->values[key], strcmp(expected, "-") ? expected : ""))
		return false;
	snprintf(client->values[key], NAME_SIZE, "%s", value);
	return true;
}

/* A retried proposal may be chosen twice; the second one is not delivered. */
static void take_entry(struct client *client, uint64_t slot, const char *text)
{
	char history[NAME_SIZE], kind[NAME_SIZE], value[NAME_SIZE];
	char expected[NAME_SIZE];
	unsigned int process, seq, key;
	bool ok;

	if (sscanf(text, "rec %31s %u %u %31s %u %31s %31s", history, &process,
		   &seq, kind, &key, value, expected) != 7 ||
	    strcmp(history, client->is.history) || process < 1 ||
	    process > PROCESSES || seq >= SEQ_MAX || key >= KEYS_MAX)
		return;
	if (!is_first(client, process, seq))
		return;
	ok = apply(client, kind, key, process, slot, value, expected);
	if (process == client->is.process && seq == client->outcome.seq) {
		client->outcome.seen = true;
		client->outcome.ok = ok;
		client->outcome.token = slot;
	}
}

/* --- Netlink ---------------------------------------------------------------- */

struct answer {
	int error;
	uint8_t outcome;
	uint64_t slot;
};

static int take_attr(const struct nlattr *attr, void *data)
{
	struct answer *answer = data;

	if (mnl_attr_get_type(attr) == PAXOS_A_OUTCOME)
		answer->outcome = mnl_attr_get_u8(attr);
	if (mnl_attr_get_type(attr) == PAXOS_A_SLOT)
		answer->slot = mnl_attr_get_u64(attr);
	return MNL_CB_OK;
}

/* The answer to the request of that number; those before it came too late. */
static bool answer_to(struct client *client, uint32_t seq,
		      struct answer *answer)
{
	static uint8_t buffer[GENL_MESSAGE_MAX];
	const struct nlmsghdr *message = (void *)buffer;
	const int64_t end = now_ns() + (client->is.timeout + GRACE_MS) * MS;
	struct pollfd fd = {
		.fd = mnl_socket_get_fd(client->socket), .events = POLLIN,
	};
	ssize_t length;

	memset(answer, 0, sizeof(*answer));
	for (;;) {
		const int64_t left = end - now_ns();

		if (left <= 0)
			return false;
		if (poll(&fd, 1, left / MS + 1) <= 0)
			continue;
		length = mnl_socket_recvfrom(client->socket, buffer,
					     sizeof(buffer));
		if (length < (ssize_t)sizeof(*message))
			continue;
		if (message->nlmsg_seq == seq)
			break;
	}
	if (message->nlmsg_type == NLMSG_ERROR)
		answer->error = genl_error(message);
	else
		mnl_attr_parse(message, sizeof(struct genlmsghdr), take_attr,
			       answer);
	return true;
}

/* @value: NULL: a READ. What the kernel refuses was certainly not proposed. */
static enum end command(struct client *client, const char *value,
			uint64_t *slot)
{
	static uint8_t buffer[8192];
	struct answer answer;
	struct nlmsghdr *message;

	message = genl_request(buffer, client->family,
			       value ? PAXOS_CMD_PROPOSE : PAXOS_CMD_READ, 0,
			       ++client->netlink_seq);
	mnl_attr_put_u32(message, PAXOS_A_GROUP, client->is.group);
	mnl_attr_put_u32(message, PAXOS_A_TIMEOUT, client->is.timeout);
	if (value)
		mnl_attr_put(message, PAXOS_A_VALUE, strlen(value), value);
	if (mnl_socket_sendto(client->socket, message, message->nlmsg_len) < 0)
		genl_fail("cannot ask: %s", strerror(errno));
	if (!answer_to(client, client->netlink_seq, &answer))
		return UNKNOWN;
	/* Perhaps the module is another one by now. */
	if (answer.error == -ENOENT)
		genl_family(client->socket, PAXOS_GENL_NAME, &client->family);
	if (answer.error)
		return NONE;
	*slot = answer.slot;
	switch (answer.outcome) {
	case PAXOS_NL_OUTCOME_CHOSEN:
		return CHOSEN;
	case PAXOS_NL_OUTCOME_NOT_CHOSEN:
		return NONE;
	default:
		return UNKNOWN;
	}
}

static int take_chosen(const struct nlmsghdr *message, void *data)
{
	struct client *client = data;
	const struct nlattr *attr;
	char text[256] = "";
	uint64_t slot = 0;
	uint16_t length;

	mnl_attr_for_each(attr, message, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) == PAXOS_A_SLOT)
			slot = mnl_attr_get_u64(attr);
		if (mnl_attr_get_type(attr) != PAXOS_A_VALUE)
			continue;
		length = mnl_attr_get_payload_len(attr);
		if (length < sizeof(text))
			memcpy(text, mnl_attr_get_payload(attr), length);
	}
	/* Behind a hole nothing counts yet. */
	if (slot != client->next || slot > client->wanted)
		return MNL_CB_OK;
	take_entry(client, slot, text);
	client->next++;
	return MNL_CB_OK;
}

/* The log that this member knows, as far as @client->wanted. */
static void pull(struct client *client)
{
	static uint8_t buffer[GENL_MESSAGE_MAX];
	struct nlmsghdr *message;
	ssize_t length;
	int result = MNL_CB_OK;

	message = genl_request(buffer, client->family, PAXOS_CMD_LOG_GET,
			       NLM_F_DUMP, ++client->netlink_seq);
	mnl_attr_put_u32(message, PAXOS_A_GROUP, client->is.group);
	mnl_attr_put_u64(message, PAXOS_A_FIRST, client->next);
	if (mnl_socket_sendto(client->dumps, message, message->nlmsg_len) < 0)
		genl_fail("cannot ask for the log: %s", strerror(errno));
	while (result > 0) {
		length = mnl_socket_recvfrom(client->dumps, buffer,
					     sizeof(buffer));
		if (length < 0)
			genl_fail("reading the log: %s", strerror(errno));
		result = mnl_cb_run(buffer, length, client->netlink_seq, 0,
				    take_chosen, client);
		if (result < 0 && errno == ERANGE)
			genl_fail("the log begins behind slot %" PRIu64,
				  client->next);
	}
}

/* Until slot @slot was seen, or the time is up. */
static bool catch_up(struct client *client, uint64_t slot)
{
	const int64_t end = now_ns() + (client->is.timeout + GRACE_MS) * MS;

	client->wanted = slot;
	while (client->next <= slot) {
		pull(client);
		if (client->next > slot)
			break;
		if (now_ns() > end)
			return false;
		sleep_ms(5);
	}
	return true;
}

/* --- What it does ------------------------------------------------------------ */

/* Of the register or lock that it is about. */
static const char *name(const struct client *client, char object)
{
	static char text[NAME_SIZE];

	snprintf(text, sizeof(text), "%c%u", object,
		 client->seq % client->is.keys);
	return text;
}

static void begin(struct client *client)
{
	client->is.call = now_ns();
}

/* Proposes it; for whom the log must tell, waits for that. */
static const char *change(struct client *client, const char *kind,
			  unsigned int key, const char *value,
			  const char *expected, bool waits)
{
	char text[160];
	uint64_t slot = 0;
	enum end end;

	client->outcome = (struct outcome){ .seq = client->seq };
	snprintf(text, sizeof(text), "rec %s %u %u %s %u %s %s",
		 client->is.history, client->is.process, client->seq, kind, key,
		 value, expected);
	begin(client);
	end = command(client, text, &slot);
	if (end == NONE)
		return "none";
	if (end == UNKNOWN)
		return "unknown";
	if (!waits)
		return "ok";
	/* It is chosen, but what it did here nobody can tell. */
	if (!catch_up(client, slot) || !client->outcome.seen)
		return "unknown";
	return client->outcome.ok ? "ok" : "failed";
}

static void put(struct client *client, unsigned int key)
{
	char value[NAME_SIZE];
	const char *result;

	snprintf(value, sizeof(value), "%u-%u", client->is.process,
		 client->seq);
	result = change(client, "put", key, value, "-", false);
	record(&client->is, "put", name(client, 'r'), result,
	       ",\"value\":\"%s\"", value);
}

static void cas(struct client *client, unsigned int key)
{
	char value[NAME_SIZE], expected[NAME_SIZE];
	const char *result;

	snprintf(value, sizeof(value), "%u-%u", client->is.process,
		 client->seq);
	snprintf(expected, sizeof(expected), "%s", client->values[key]);
	result = change(client, "cas", key, value, *expected ? expected : "-",
			true);
	record(&client->is, "cas", name(client, 'r'), result,
	       ",\"expected\":%s,\"value\":\"%s\"", quoted(expected), value);
}

static void get(struct client *client, unsigned int key)
{
	const char *result = "ok";
	uint64_t slot = 0;

	begin(client);
	if (client->is.local) {
		client->wanted = UINT64_MAX;
		pull(client);
	} else if (command(client, NULL, &slot) != CHOSEN ||
		   !catch_up(client, slot)) {
		result = "none";
	}
	record(&client->is, "get", name(client, 'r'), result, ",\"value\":%s",
	       quoted(client->values[key]));
}

/* Holds it for a moment; if nobody knows whether it does, lets go of it. */
static void lock(struct client *client, unsigned int key)
{
	const char *result = change(client, "acquire", key, "-", "-", true);
	char token[NAME_SIZE] = "0";
	bool mine;

	if (!strcmp(result, "ok")) {
		snprintf(token, sizeof(token), "%" PRIu64,
			 client->outcome.token);
		record(&client->is, "acquire", name(client, 'l'), result,
		       ",\"token\":%s", token);
		sleep_ms(client->is.pause);
	} else {
		record(&client->is, "acquire", name(client, 'l'), result, "%s",
		       "");
		mine = client->locks[key].holder == client->is.process;
		if (!mine && strcmp(result, "unknown"))
			return;
	}
	/* The same key, and another number. */
	client->seq += client->is.keys;
	result = change(client, "release", key, token, "-", true);
	if (strcmp(token, "0"))
		record(&client->is, "release", name(client, 'l'), result,
		       ",\"token\":%s", token);
	else
		record(&client->is, "release", name(client, 'l'), result, "%s",
		       "");
}

static void act(struct client *client)
{
	const unsigned int what = random() % 100;
	unsigned int key;

	client->seq += 1 + random() % client->is.keys;
	key = client->seq % client->is.keys;
	if (client->is.reads_only || what < 40)
		get(client, key);
	else if (what < 65)
		put(client, key);
	else if (what < 85)
		cas(client, key);
	else if (key % 4 == 0)
		lock(client, key);
}

int main(int argc, char **argv)
{
	static struct client client = { .next = 1 };

	recording_begin(&client.is, argc, argv);
	client.socket = genl_open(&client.family);
	client.dumps = genl_open(&client.family);
	while (recording_goes_on(&client.is) &&
	       client.seq + 2 * KEYS_MAX < SEQ_MAX)
		act(&client);
	return 0;
}
