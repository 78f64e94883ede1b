// SPDX-License-Identifier: GPL-2.0
/* What a store costs: asked by the kernel, and over netlink. */
#include <errno.h>
#include <inttypes.h>
#include <linux/genetlink.h>
#include <linux/paxos.h>
#include <linux/paxos_kv.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "../kmod/bench_uapi.h"
#include "genl.h"
#include "group.h"
#include "kernel.h"
#include "store.h"

#define KEY		"bench/key"
#define LOCK		"lock/bench/"
#define TIMEOUT_MS	10000
#define TTL_MS		10000

/**
 * struct store - who asks
 * @genl: his socket
 * @watcher: the watch's
 * @value: of @size bytes
 * @size: likewise
 * @next: revision to watch from
 * @ended: when a round had, if it was before it returned
 */
struct store {
	struct genl *genl;
	struct genl *watcher;
	const uint8_t *value;
	uint32_t size;
	uint64_t next;
	uint64_t ended;
};

static const char *const operations[] = {
	[BENCH_KV_PUT] = "kv_put",
	[BENCH_KV_GET] = "kv_get",
	[BENCH_KV_GET_SERIALIZABLE] = "kv_get_serializable",
	[BENCH_KV_LOCK_UNLOCK] = "lock_unlock",
	[BENCH_KV_WATCH] = "watch",
};

static uint32_t operation_of(const char *key)
{
	const char *name = strchr(key, '.') + 1;
	uint32_t i;

	for (i = 0; i < BENCH_KV_OPERATIONS; i++)
		if (!strcmp(name, operations[i]))
			return i;
	fail("'%s' is no operation of a store", name);
}

static struct nlmsghdr *request(struct genl *genl, void *buffer,
				uint8_t command, uint16_t flags)
{
	struct nlmsghdr *message = genl_request(genl, buffer, command, flags);

	mnl_attr_put_u32(message, PAXOS_KV_A_GROUP, BENCH_GROUP);
	return message;
}

/* Of what waits. */
static struct nlmsghdr *timed(struct genl *genl, void *buffer, uint8_t command)
{
	struct nlmsghdr *message = request(genl, buffer, command, 0);

	mnl_attr_put_u32(message, PAXOS_KV_A_TIMEOUT, TIMEOUT_MS);
	return message;
}

/* What an answer says, as far as it matters here. */
struct answer {
	uint64_t revision;
	uint64_t lease;
};

static int on_answer(const struct nlmsghdr *message, void *context)
{
	struct answer *answer = context;
	struct nlattr *attribute;

	mnl_attr_for_each(attribute, message, sizeof(struct genlmsghdr)) {
		switch (mnl_attr_get_type(attribute)) {
		case PAXOS_KV_A_OUTCOME:
			if (mnl_attr_get_u8(attribute) !=
			    PAXOS_NL_OUTCOME_CHOSEN)
				fail("a change was not chosen");
			break;
		case PAXOS_KV_A_STATUS:
			if (mnl_attr_get_u8(attribute) != PAXOS_KV_STATUS_OK)
				fail("a change did not take effect: status %u",
				     mnl_attr_get_u8(attribute));
			break;
		case PAXOS_KV_A_REVISION:
			answer->revision = mnl_attr_get_u64(attribute);
			break;
		case PAXOS_KV_A_LEASE:
			answer->lease = mnl_attr_get_u64(attribute);
			break;
		}
	}
	return MNL_CB_STOP;
}

static struct answer call(struct genl *genl, const struct nlmsghdr *message)
{
	struct answer answer = { 0 };
	int ret = genl_call(genl, message, on_answer, &answer);

	if (ret)
		fail("the store refused: %s", strerror(-ret));
	return answer;
}

static struct nlmsghdr *put_request(struct store *store, const char *key,
				    uint64_t lease)
{
	static uint8_t buffer[65536];
	struct nlmsghdr *message;
	struct nlattr *nest;

	message = timed(store->genl, buffer, PAXOS_KV_CMD_TXN);
	nest = mnl_attr_nest_start(message, PAXOS_KV_A_ITEM);
	mnl_attr_put_u8(message, PAXOS_KV_A_ITEM_SECTION,
			PAXOS_KV_SECTION_THEN);
	mnl_attr_put_u8(message, PAXOS_KV_A_ITEM_WHAT, PAXOS_KV_OPERATION_PUT);
	mnl_attr_put(message, PAXOS_KV_A_ITEM_KEY, strlen(key), key);
	mnl_attr_put(message, PAXOS_KV_A_ITEM_VALUE, lease ? 0 : store->size,
		     store->value);
	if (lease)
		mnl_attr_put_u64(message, PAXOS_KV_A_ITEM_NUMBER, lease);
	mnl_attr_nest_end(message, nest);
	return message;
}

static void round_put(struct store *store)
{
	call(store->genl, put_request(store, KEY, 0));
}

/* The create revisions that a dump found, and the size of a value. */
struct found {
	uint32_t count;
	uint32_t size;
	uint64_t least;
};

static int on_pair(const struct nlmsghdr *message, void *context)
{
	struct nlattr *pair, *attribute;
	struct found *found = context;

	mnl_attr_for_each(pair, message, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(pair) != PAXOS_KV_A_PAIR)
			continue;
		found->count++;
		mnl_attr_for_each_nested(attribute, pair) {
			uint16_t type = mnl_attr_get_type(attribute);

			if (type == PAXOS_KV_A_PAIR_VALUE)
				found->size =
					mnl_attr_get_payload_len(attribute);
			if (type == PAXOS_KV_A_PAIR_CREATE &&
			    mnl_attr_get_u64(attribute) < found->least)
				found->least = mnl_attr_get_u64(attribute);
		}
	}
	return MNL_CB_OK;
}

/* Linearizable: behind a barrier, and of its revision. */
static struct found get(struct store *store, const char *key, bool exact,
			bool linearizable)
{
	struct found found = { .least = UINT64_MAX };
	struct answer barrier = { 0 };
	struct nlmsghdr *message;
	uint8_t buffer[512];
	int ret;

	if (linearizable)
		barrier = call(store->genl,
			       timed(store->genl, buffer,
				     PAXOS_KV_CMD_BARRIER));
	message = request(store->genl, buffer, PAXOS_KV_CMD_GET, NLM_F_DUMP);
	mnl_attr_put(message, PAXOS_KV_A_KEY, strlen(key), key);
	if (exact)
		mnl_attr_put_u8(message, PAXOS_KV_A_EXACT, 1);
	if (linearizable)
		mnl_attr_put_u64(message, PAXOS_KV_A_REVISION,
				 barrier.revision);
	ret = genl_call(store->genl, message, on_pair, &found);
	if (ret)
		fail("the store refused to be read: %s", strerror(-ret));
	return found;
}

static void get_key(struct store *store, bool linearizable)
{
	struct found found = get(store, KEY, true, linearizable);

	if (found.count != 1 || found.size != store->size)
		fail("a get found %u keys, %u bytes", found.count, found.size);
}

static void round_get(struct store *store)
{
	get_key(store, true);
}

static void round_get_serializable(struct store *store)
{
	get_key(store, false);
}

/* As `paxosctl lock` does it. */
static void round_lock_unlock(struct store *store)
{
	struct nlmsghdr *message;
	struct answer granted, put;
	uint8_t buffer[512];
	struct found found;
	char key[64];

	message = timed(store->genl, buffer, PAXOS_KV_CMD_GRANT);
	mnl_attr_put_u64(message, PAXOS_KV_A_TTL, TTL_MS);
	granted = call(store->genl, message);
	snprintf(key, sizeof(key), LOCK "x%" PRIu64, granted.lease);
	put = call(store->genl, put_request(store, key, granted.lease));
	found = get(store, LOCK, false, true);
	if (!found.count || found.least != put.revision)
		fail("the lock is another's");
	message = timed(store->genl, buffer, PAXOS_KV_CMD_REVOKE);
	mnl_attr_put_u64(message, PAXOS_KV_A_LEASE, granted.lease);
	call(store->genl, message);
}

/* A watch is pulled: each delivery has its command. */
static void round_watch(struct store *store)
{
	struct answer told = { 0 }, put = { 0 };
	struct nlmsghdr *message;
	uint8_t buffer[512];
	uint32_t seq;
	int ret;

	message = timed(store->watcher, buffer, PAXOS_KV_CMD_WATCH);
	mnl_attr_put(message, PAXOS_KV_A_KEY, strlen(KEY), KEY);
	mnl_attr_put_u8(message, PAXOS_KV_A_EXACT, 1);
	mnl_attr_put_u64(message, PAXOS_KV_A_REVISION, store->next);
	seq = message->nlmsg_seq;
	genl_send(store->watcher, message);
	message = put_request(store, KEY, 0);
	genl_send(store->genl, message);
	ret = genl_receive(store->watcher, seq, on_answer, &told);
	store->ended = place_clock();
	if (ret)
		fail("the watch was refused: %s", strerror(-ret));
	ret = genl_receive(store->genl, message->nlmsg_seq, on_answer, &put);
	if (ret || told.revision <= put.revision)
		fail("the watch told of revision %" PRIu64 ", not %" PRIu64,
		     told.revision, put.revision);
	store->next = told.revision;
}

static void (*const round_of[])(struct store *store) = {
	[BENCH_KV_PUT] = round_put,
	[BENCH_KV_GET] = round_get,
	[BENCH_KV_GET_SERIALIZABLE] = round_get_serializable,
	[BENCH_KV_LOCK_UNLOCK] = round_lock_unlock,
	[BENCH_KV_WATCH] = round_watch,
};

static void compact(struct store *store)
{
	struct nlmsghdr *message;
	struct answer info;
	uint8_t buffer[256];

	info = call(store->genl, request(store->genl, buffer,
					 PAXOS_KV_CMD_INFO, 0));
	message = timed(store->genl, buffer, PAXOS_KV_CMD_COMPACT);
	mnl_attr_put_u64(message, PAXOS_KV_A_REVISION, info.revision);
	call(store->genl, message);
}

/* The first command of a host makes it hold the store. */
static void begin(const struct run *run)
{
	uint8_t buffer[256];
	struct genl *genl;
	int id;

	if (!run->running)
		group_memory_all();
	for (id = 1; id <= BENCH_MEMBERS; id++) {
		genl = genl_open(id, PAXOS_KV_GENL_NAME);
		call(genl, request(genl, buffer, PAXOS_KV_CMD_INFO, 0));
		genl_close(genl);
	}
}

static void end(const struct run *run)
{
	if (!run->running)
		group_delete_all();
}

void store_kernel(const char *key, const struct run *run)
{
	uint64_t *samples = place_alloc(run_total(run) * sizeof(*samples));
	const struct bench_kv kv = {
		.samples = (uintptr_t)samples,
		.rounds = run_total(run),
		.size = run->size,
		.group = BENCH_GROUP,
		.operation = operation_of(key),
	};
	int fd;

	begin(run);
	fd = kernel_open(1);
	if (ioctl(fd, BENCH_KV, &kv))
		fail("%s: %s", key, strerror(errno));
	close(fd);
	end(run);
	samples_print(key, run, samples);
	free(samples);
}

void store_netlink(const char *key, const struct run *run)
{
	uint64_t *samples = place_alloc(run_total(run) * sizeof(*samples));
	uint8_t *value = place_alloc(run->size);
	struct store store = { .value = value, .size = run->size };
	uint32_t i, operation = operation_of(key);
	uint8_t buffer[256];

	begin(run);
	store.genl = genl_open(1, PAXOS_KV_GENL_NAME);
	store.watcher = genl_open(1, PAXOS_KV_GENL_NAME);
	round_put(&store);
	store.next = call(store.genl, request(store.genl, buffer,
					      PAXOS_KV_CMD_INFO, 0)).revision + 1;
	for (i = 0; i < run_total(run); i++) {
		uint64_t start = place_clock();

		store.ended = 0;
		round_of[operation](&store);
		samples[i] = (store.ended ? store.ended : place_clock()) - start;
		if (!run->running && i % BENCH_KV_HISTORY == 0)
			compact(&store);
	}
	genl_close(store.watcher);
	genl_close(store.genl);
	end(run);
	samples_print(key, run, samples);
	free(value);
	free(samples);
}
