// SPDX-License-Identifier: GPL-2.0
/*
 * One client of a store of paxos_kv.ko: registers, locks and queues, by the
 * keys of kmod/kv/README.md; a lock's lease is kept as agent/paxosctl/lock.c
 * keeps it. What it does and sees it writes as
 * selftests/linearizability/README.md says.
 *
 * usage: kv_recorder [OPTION...] HISTORY PROCESS
 *
 * Options are those of recording.h; there are one lock and one queue.
 *
 * A pop deletes the first item in one transaction, which happens once: there is
 * no claim that could end and deliver it again.
 */

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/paxos_kv.h>
#include "genl.h"
#include "recording.h"

#define TTL_MS		2000
#define LONG_MS		2500	/* a lock is held longer than its lease lasts */
#define NAME_SIZE	64

struct pair {
	char key[2 * NAME_SIZE];
	char value[NAME_SIZE];	/* "": not there */
	uint64_t create;
	uint64_t mod;
};

struct answer {
	int error;
	uint8_t outcome;
	uint8_t status;
	uint8_t succeeded;
	uint64_t revision;
	uint64_t deleted;
	uint64_t lease;
	struct pair first;	/* of those found, the oldest */
};

struct client {
	struct recording is;
	struct mnl_socket *socket;
	uint16_t family;
	uint32_t netlink_seq;
	unsigned int seq;
	struct pair known[KEYS_MAX];	/* what was read last */
	unsigned int locks;
	struct answer answer;
};

/* A lock that is wanted, or held. */
struct lock {
	bool shared;
	uint64_t lease;
	uint64_t token;		/* 0: not known */
	int64_t end;		/* of the lease, at the earliest */
	int64_t keep_at;	/* not before */
	char key[2 * NAME_SIZE];
};

static uint8_t buffer[8192];

/* --- Netlink -------------------------------------------------------------- */

static void take_text(const struct nlattr *attr, char *text, size_t size)
{
	const size_t length = mnl_attr_get_payload_len(attr);

	if (length >= size)
		genl_fail("a key or value that is not ours");
	memcpy(text, mnl_attr_get_payload(attr), length);
	text[length] = '\0';
}

static int take_pair(const struct nlattr *attr, void *data)
{
	struct pair *pair = data;

	switch (mnl_attr_get_type(attr)) {
	case PAXOS_KV_A_PAIR_KEY:
		take_text(attr, pair->key, sizeof(pair->key));
		break;
	case PAXOS_KV_A_PAIR_VALUE:
		take_text(attr, pair->value, sizeof(pair->value));
		break;
	case PAXOS_KV_A_PAIR_CREATE:
		pair->create = mnl_attr_get_u64(attr);
		break;
	case PAXOS_KV_A_PAIR_MOD:
		pair->mod = mnl_attr_get_u64(attr);
		break;
	}
	return MNL_CB_OK;
}

static int take_attr(const struct nlattr *attr, void *data)
{
	struct answer *answer = data;
	struct pair pair = { .key = "" };

	switch (mnl_attr_get_type(attr)) {
	case PAXOS_KV_A_OUTCOME:
		answer->outcome = mnl_attr_get_u8(attr);
		break;
	case PAXOS_KV_A_STATUS:
		answer->status = mnl_attr_get_u8(attr);
		break;
	case PAXOS_KV_A_SUCCEEDED:
		answer->succeeded = mnl_attr_get_u8(attr);
		break;
	case PAXOS_KV_A_REVISION:
		answer->revision = mnl_attr_get_u64(attr);
		break;
	case PAXOS_KV_A_DELETED:
		answer->deleted = mnl_attr_get_u64(attr);
		break;
	case PAXOS_KV_A_LEASE:
		answer->lease = mnl_attr_get_u64(attr);
		break;
	case PAXOS_KV_A_PAIR:
		mnl_attr_parse_nested(attr, take_pair, &pair);
		if (!answer->first.create ||
		    pair.create < answer->first.create)
			answer->first = pair;
		break;
	}
	return MNL_CB_OK;
}

static struct nlmsghdr *request(struct client *client, uint8_t cmd,
				uint16_t flags)
{
	struct nlmsghdr *message = genl_request(buffer, client->family, cmd,
						flags, ++client->netlink_seq);

	mnl_attr_put_u32(message, PAXOS_KV_A_GROUP, client->is.group);
	if (!(flags & NLM_F_DUMP))
		mnl_attr_put_u32(message, PAXOS_KV_A_TIMEOUT, client->is.timeout);
	return message;
}

/* Sends it and takes all of the answer; late ones to others go by. */
static bool ask(struct client *client, const struct nlmsghdr *asked)
{
	static uint8_t reply[GENL_MESSAGE_MAX];
	const int64_t end = now_ns() + (client->is.timeout + GRACE_MS) * MS;
	const bool dump = asked->nlmsg_flags & NLM_F_DUMP;
	struct answer *answer = &client->answer;
	struct pollfd fd = {
		.fd = mnl_socket_get_fd(client->socket), .events = POLLIN,
	};

	memset(answer, 0, sizeof(*answer));
	if (mnl_socket_sendto(client->socket, asked, asked->nlmsg_len) < 0)
		genl_fail("cannot ask: %s", strerror(errno));
	for (;;) {
		const struct nlmsghdr *message = (void *)reply;
		const int64_t left = end - now_ns();
		ssize_t got;
		int length;

		if (left <= 0)
			return false;
		if (poll(&fd, 1, left / MS + 1) <= 0)
			continue;
		got = mnl_socket_recvfrom(client->socket, reply, sizeof(reply));
		length = got < 0 ? 0 : got;
		for (; mnl_nlmsg_ok(message, length);
		     message = mnl_nlmsg_next(message, &length)) {
			if (message->nlmsg_seq != client->netlink_seq)
				continue;
			if (message->nlmsg_type == NLMSG_ERROR ||
			    message->nlmsg_type == NLMSG_DONE) {
				answer->error = genl_error(message);
				return true;
			}
			mnl_attr_parse(message, sizeof(struct genlmsghdr),
				       take_attr, answer);
			if (!dump)
				return true;
		}
	}
}

/* What the kernel refuses with one of these was certainly not proposed. */
static bool was_refused(int error)
{
	return error == -EAGAIN || error == -ENOLINK || error == -EUNATCH ||
	       error == -ENOENT || error == -ESTALE || error == -EMSGSIZE;
}

static enum end change(struct client *client, const struct nlmsghdr *asked)
{
	const struct answer *answer = &client->answer;

	if (!ask(client, asked))
		return UNKNOWN;
	/* Perhaps the module is another one by now. */
	if (answer->error == -ENOENT)
		genl_family(client->socket, PAXOS_KV_GENL_NAME,
			    &client->family);
	if (answer->error)
		return was_refused(answer->error) ? NONE : UNKNOWN;
	if (answer->outcome == PAXOS_NL_OUTCOME_NOT_CHOSEN)
		return NONE;
	if (answer->outcome != PAXOS_NL_OUTCOME_CHOSEN)
		return UNKNOWN;
	return answer->status == PAXOS_KV_STATUS_OK ? CHOSEN : NONE;
}

static void put_item(struct nlmsghdr *message, uint8_t section,
		     uint8_t target, uint8_t what, const char *key,
		     const char *value, uint64_t number)
{
	struct nlattr *nest = mnl_attr_nest_start(message, PAXOS_KV_A_ITEM);

	mnl_attr_put_u8(message, PAXOS_KV_A_ITEM_SECTION, section);
	if (target)
		mnl_attr_put_u8(message, PAXOS_KV_A_ITEM_TARGET, target);
	mnl_attr_put_u8(message, PAXOS_KV_A_ITEM_WHAT, what);
	mnl_attr_put(message, PAXOS_KV_A_ITEM_KEY, strlen(key), key);
	if (value)
		mnl_attr_put(message, PAXOS_KV_A_ITEM_VALUE, strlen(value),
			     value);
	if (number)
		mnl_attr_put_u64(message, PAXOS_KV_A_ITEM_NUMBER, number);
	mnl_attr_nest_end(message, nest);
}

static void then(struct nlmsghdr *message, uint8_t what, const char *key,
		 const char *value, uint64_t number)
{
	put_item(message, PAXOS_KV_SECTION_THEN, 0, what, key, value, number);
}

/* The oldest of the keys; of one that is not there, its create is 0. */
static bool read_first(struct client *client, const char *key, bool exact)
{
	struct nlmsghdr *message;
	uint64_t revision = 0;

	if (!client->is.local) {
		message = request(client, PAXOS_KV_CMD_BARRIER, 0);
		if (!ask(client, message) || client->answer.error)
			return false;
		revision = client->answer.revision;
	}
	message = request(client, PAXOS_KV_CMD_GET, NLM_F_DUMP);
	mnl_attr_put(message, PAXOS_KV_A_KEY, strlen(key), key);
	if (exact)
		mnl_attr_put_u8(message, PAXOS_KV_A_EXACT, 1);
	if (revision)
		mnl_attr_put_u64(message, PAXOS_KV_A_REVISION, revision);
	return ask(client, message) && !client->answer.error;
}

/* --- What it does --------------------------------------------------------- */

static void begin(struct client *client)
{
	client->seq++;
	client->is.call = now_ns();
}

static const char *result_of(enum end end, bool did)
{
	if (end == CHOSEN)
		return did ? "ok" : "failed";
	return end == NONE ? "none" : "unknown";
}

static void get(struct client *client, unsigned int i, const char *name,
		const char *key)
{
	const char *result = "none";

	begin(client);
	if (read_first(client, key, true)) {
		client->known[i] = client->answer.first;
		result = "ok";
	}
	record(&client->is, "get", name, result, ",\"value\":%s",
	       quoted(client->known[i].value));
}

/* Swaps what was read last, by its value or by its revision: all differ. */
static void put(struct client *client, unsigned int i, const char *name,
		const char *key, bool swap)
{
	const struct pair *known = &client->known[i];
	const bool by_value = known->create && random() % 2;
	struct nlmsghdr *message;
	char value[NAME_SIZE];
	const char *result;
	enum end end;

	begin(client);
	snprintf(value, sizeof(value), "%u-%u", client->is.process,
		 client->seq);
	message = request(client, PAXOS_KV_CMD_TXN, 0);
	if (swap)
		put_item(message, PAXOS_KV_SECTION_IF,
			 by_value ? PAXOS_KV_TARGET_VALUE : PAXOS_KV_TARGET_MOD,
			 PAXOS_KV_RELATION_EQUAL, key,
			 by_value ? known->value : NULL,
			 by_value ? 0 : known->mod);
	then(message, PAXOS_KV_OPERATION_PUT, key, value, 0);
	end = change(client, message);
	result = result_of(end, client->answer.succeeded);
	if (swap) {
		record(&client->is, "cas", name, result,
		       ",\"expected\":%s,\"value\":\"%s\"",
		       quoted(known->value), value);
		return;
	}
	record(&client->is, "put", name, result, ",\"value\":\"%s\"", value);
}

static const char *token_of(const struct lock *lock)
{
	static char text[32];

	text[0] = '\0';
	if (lock->token)
		snprintf(text, sizeof(text), ",\"token\":%" PRIu64,
			 lock->token);
	return text;
}

static void acquired(struct client *client, const struct lock *lock,
		     const char *result)
{
	record(&client->is, "acquire", "lock", result, "%s%s",
	       lock->shared ? ",\"shared\":true" : "", token_of(lock));
}

/* Nobody knows whether, or until when: the lease ends it, at @end or later. */
static void lease_ends(struct client *client, const struct lock *lock,
		       int64_t end)
{
	client->is.call = end;
	record(&client->is, "release", "lock", "unknown", "%s",
	       token_of(lock));
}

static enum end let_go(struct client *client, const struct lock *lock)
{
	struct nlmsghdr *message = request(client, PAXOS_KV_CMD_TXN, 0);

	then(message, PAXOS_KV_OPERATION_DELETE, lock->key, NULL, 0);
	return change(client, message);
}

static bool grant(struct client *client, struct lock *lock)
{
	struct nlmsghdr *message = request(client, PAXOS_KV_CMD_GRANT, 0);
	const int64_t sent = now_ns();

	mnl_attr_put_u64(message, PAXOS_KV_A_TTL, TTL_MS);
	if (change(client, message) != CHOSEN)
		return false;
	lock->lease = client->answer.lease;
	lock->end = sent + TTL_MS * MS;
	lock->keep_at = sent + TTL_MS / 4 * MS;
	return true;
}

static void keep(struct client *client, struct lock *lock)
{
	const int64_t sent = now_ns();
	struct nlmsghdr *message;

	if (sent < lock->keep_at)
		return;
	lock->keep_at = sent + TTL_MS / 4 * MS;
	message = request(client, PAXOS_KV_CMD_KEEP, 0);
	mnl_attr_put_u64(message, PAXOS_KV_A_LEASE, lock->lease);
	if (change(client, message) == CHOSEN)
		lock->end = sent + TTL_MS * MS;
}

/* As long as its holder may believe in it: a fifth less. */
static bool is_safe(const struct lock *lock)
{
	return now_ns() < lock->end - TTL_MS / 5 * MS;
}

/* Who is ahead leaves, and nobody comes there any more. */
static bool is_held(struct client *client, const struct lock *lock)
{
	char ahead[2 * NAME_SIZE];
	const struct pair *first = &client->answer.first;

	snprintf(ahead, sizeof(ahead), "lock/%s/%s", client->is.history,
		 lock->shared ? "x" : "");
	if (!read_first(client, ahead, false))
		return false;
	if (!lock->shared)
		return first->create == lock->token;
	if (first->create && first->create < lock->token)
		return false;
	return read_first(client, lock->key, true) &&
	       first->create == lock->token;
}

/* For a moment, or for so long that it must be kept; false: it is lost. */
static bool hold(struct client *client, struct lock *lock)
{
	const bool for_long = client->locks++ % 8 == client->is.process % 8;
	const int64_t until = now_ns() +
		(for_long ? LONG_MS : client->is.pause) * MS;

	while (now_ns() < until && is_safe(lock) && !recording_is_over()) {
		sleep_ms(20);
		keep(client, lock);
	}
	return is_safe(lock);
}

/* Waits a second at most; who holds it gives it back, or lets it end. */
static void lock(struct client *client)
{
	struct lock lock = { .shared = random() % 3 == 0 };
	const int64_t give_up = now_ns() + 1000 * MS;
	struct nlmsghdr *message;
	bool held = false;
	enum end came;

	if (!grant(client, &lock))
		return;
	snprintf(lock.key, sizeof(lock.key), "lock/%s/%c%" PRIu64,
		 client->is.history, lock.shared ? 's' : 'x', lock.lease);
	message = request(client, PAXOS_KV_CMD_TXN, 0);
	then(message, PAXOS_KV_OPERATION_PUT, lock.key, "", lock.lease);
	begin(client);
	came = change(client, message);
	if (came == NONE) {
		acquired(client, &lock, "none");
		return;
	}
	if (came == CHOSEN) {
		lock.token = client->answer.revision;
		held = is_held(client, &lock);
		while (!held && is_safe(&lock) && now_ns() < give_up) {
			sleep_ms(20);
			keep(client, &lock);
			held = is_held(client, &lock);
		}
	}
	if (!held) {
		/* Its turn may come, and go, while it is taken back. */
		acquired(client, &lock, "unknown");
		lease_ends(client, &lock, client->is.call);
		let_go(client, &lock);
		return;
	}
	acquired(client, &lock, "ok");
	if (!hold(client, &lock) || random() % 8 == 0) {
		lease_ends(client, &lock, lock.end);
		return;
	}
	begin(client);
	came = let_go(client, &lock);
	record(&client->is, "release", "lock",
	       result_of(came, client->answer.deleted), "%s", token_of(&lock));
	if (came != CHOSEN || !client->answer.deleted)
		lease_ends(client, &lock, lock.end);
}

static void push(struct client *client)
{
	char order[2 * NAME_SIZE], item[2 * NAME_SIZE], value[NAME_SIZE];
	struct nlmsghdr *message;
	const char *result;

	begin(client);
	snprintf(value, sizeof(value), "%u-%u", client->is.process,
		 client->seq);
	snprintf(order, sizeof(order), "queue/%s/order/%s", client->is.history,
		 value);
	snprintf(item, sizeof(item), "queue/%s/item/%s", client->is.history,
		 value);
	message = request(client, PAXOS_KV_CMD_TXN, 0);
	then(message, PAXOS_KV_OPERATION_PUT, order, "", 0);
	then(message, PAXOS_KV_OPERATION_PUT, item, value, 0);
	result = result_of(change(client, message), true);
	record(&client->is, "push", "queue", result, ",\"value\":\"%s\"", value);
}

/* What was first and is there yet, is the first: others come behind. */
static void pop(struct client *client)
{
	char prefix[NAME_SIZE], item[2 * NAME_SIZE];
	const char *result = "none";
	struct nlmsghdr *message;
	struct pair first;
	enum end end;

	snprintf(prefix, sizeof(prefix), "queue/%s/order/", client->is.history);
	begin(client);
	if (!read_first(client, prefix, false))
		return;
	first = client->answer.first;
	if (!first.create) {
		record(&client->is, "pop", "queue", "ok", ",\"value\":null");
		return;
	}
	snprintf(item, sizeof(item), "queue/%s/item/%s", client->is.history,
		 first.key + strlen(prefix));
	message = request(client, PAXOS_KV_CMD_TXN, 0);
	put_item(message, PAXOS_KV_SECTION_IF, PAXOS_KV_TARGET_CREATE,
		 PAXOS_KV_RELATION_EQUAL, first.key, NULL, first.create);
	then(message, PAXOS_KV_OPERATION_GET, item, NULL, 0);
	then(message, PAXOS_KV_OPERATION_DELETE, first.key, NULL, 0);
	then(message, PAXOS_KV_OPERATION_DELETE, item, NULL, 0);
	end = change(client, message);
	result = result_of(end, client->answer.succeeded);
	if (!strcmp(result, "failed"))
		result = "none";
	/* Who saw no answer took this item or none. */
	record(&client->is, "pop", "queue", result, ",\"value\":%s",
	       quoted(end == CHOSEN ? client->answer.first.value :
	       first.key + strlen(prefix)));
}

static void act(struct client *client)
{
	const unsigned int i = random() % client->is.keys;
	const unsigned int what = random() % 100;
	char name[NAME_SIZE], key[2 * NAME_SIZE];

	snprintf(name, sizeof(name), "r%u", i);
	snprintf(key, sizeof(key), "%s/%s", client->is.history, name);
	if (client->is.reads_only || what < 35)
		get(client, i, name, key);
	else if (what < 70)
		put(client, i, name, key, what >= 55);
	else if (what < 75)
		lock(client);
	else if (what < 87)
		push(client);
	else
		pop(client);
}

int main(int argc, char **argv)
{
	static struct client client;

	recording_begin(&client.is, argc, argv);
	client.socket = genl_open_family(PAXOS_KV_GENL_NAME, &client.family);
	while (recording_goes_on(&client.is))
		act(&client);
	return 0;
}
