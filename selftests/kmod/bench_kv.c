// SPDX-License-Identifier: GPL-2.0
/* How long what a kernel subsystem asks of a store takes. */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/paxos_kv.h>
#include <linux/paxos_lock.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "bench.h"

#define KEY		"bench/key"
#define LOCK		"bench"
#define VALUE_MAX	16384
#define TIMEOUT_MS	1000
#define TTL_MS		10000

/**
 * struct consumer - who asks, once a round
 * @kv: the store
 * @request: what was asked for
 * @value: of every put
 * @page: of every read
 * @put: of BENCH_KV_WATCH
 * @done: @put has ended
 * @watch: on KEY
 * @told: @watch was told of one put
 * @told_at: when
 * @mod: revision that it was told of
 * @lock: of BENCH_KV_LOCK_UNLOCK
 */
struct consumer {
	struct paxos_kv *kv;
	const struct bench_kv *request;
	const void *value;
	struct paxos_kv_page page;
	struct paxos_kv_request put;
	struct completion done;
	struct paxos_kv_watch watch;
	struct completion told;
	u64 told_at;
	u64 mod;
	struct paxos_lock lock;
};

static int round_put(struct consumer *user)
{
	return paxos_kv_put(user->kv, KEY, strlen(KEY), user->value,
			    user->request->size, 0, NULL, TIMEOUT_MS);
}

static int get(struct consumer *user, bool serializable)
{
	const struct paxos_kv_pair *pair = user->page.bytes;
	int err;

	err = paxos_kv_get(user->kv, KEY, strlen(KEY), serializable,
			   &user->page, TIMEOUT_MS);
	if (err)
		return err;
	return pair->value_len == user->request->size ? 0 : -EIO;
}

static int round_get(struct consumer *user)
{
	return get(user, false);
}

static int round_get_serializable(struct consumer *user)
{
	return get(user, true);
}

static int round_lock_unlock(struct consumer *user)
{
	return paxos_lock_acquire(user->kv, &user->lock, LOCK, strlen(LOCK),
				  false, TTL_MS, 0) ?:
	       paxos_lock_release(&user->lock);
}

/* The clock is read first: what follows is nobody's delivery. */
static void watch_events(struct paxos_kv_watch *watch,
			 const struct paxos_kv_page *page, u64 next)
{
	u64 now = ktime_get_ns();
	struct consumer *user = container_of(watch, struct consumer, watch);
	const struct paxos_kv_pair *pair;

	user->told_at = now;
	paxos_kv_for_each_pair(pair, page)
		user->mod = pair->mod;
	complete(&user->told);
}

static void watch_end(struct paxos_kv_watch *watch, int error)
{
}

static void put_done(struct paxos_kv_request *request)
{
	complete(&container_of(request, struct consumer, put)->done);
}

static int round_watch(struct consumer *user)
{
	const struct paxos_kv_item item = {
		.section = PAXOS_KV_SECTION_THEN,
		.what = PAXOS_KV_OPERATION_PUT,
		.key = KEY,
		.key_len = strlen(KEY),
		.value = user->value,
		.value_len = user->request->size,
	};
	int err;

	reinit_completion(&user->told);
	reinit_completion(&user->done);
	user->put.done = put_done;
	err = paxos_kv_submit(user->kv, &user->put, &item, 1, GFP_KERNEL,
			      TIMEOUT_MS);
	if (err)
		return err;
	if (!wait_for_completion_timeout(&user->told,
					 msecs_to_jiffies(TIMEOUT_MS)))
		err = -ETIME;
	/* It ends by its time-out at the latest. */
	wait_for_completion(&user->done);
	return err ?: user->mod == user->put.revision ? 0 : -EIO;
}

static int (*const round_of[BENCH_KV_OPERATIONS])(struct consumer *user) = {
	[BENCH_KV_PUT] = round_put,
	[BENCH_KV_GET] = round_get,
	[BENCH_KV_GET_SERIALIZABLE] = round_get_serializable,
	[BENCH_KV_LOCK_UNLOCK] = round_lock_unlock,
	[BENCH_KV_WATCH] = round_watch,
};

static int compact(struct consumer *user)
{
	struct paxos_kv_query query = {
		.key = KEY,
		.key_len = strlen(KEY),
		.serializable = true,
	};

	return paxos_kv_read(user->kv, &query, &user->page, TIMEOUT_MS) ?:
	       paxos_kv_compact(user->kv, query.revision, TIMEOUT_MS);
}

static int rounds(struct consumer *user)
{
	const struct bench_kv *request = user->request;
	u64 __user *samples = u64_to_user_ptr(request->samples);
	u64 start, end;
	u32 i;
	int err;

	for (i = 0; i < request->rounds; i++) {
		start = ktime_get_ns();
		err = round_of[request->operation](user);
		end = ktime_get_ns();
		if (err)
			return err;
		if (request->operation == BENCH_KV_WATCH)
			end = user->told_at;
		if (put_user(end - start, samples + i))
			return -EFAULT;
		if (i % BENCH_KV_HISTORY == 0)
			err = compact(user);
		if (err || fatal_signal_pending(current))
			return err ?: -EINTR;
		cond_resched();
	}
	return 0;
}

/* There is something to get, and who watches waits for the next. */
static int run(struct consumer *user)
{
	int err;

	err = round_put(user);
	if (err)
		return err;
	if (user->request->operation != BENCH_KV_WATCH)
		return rounds(user);
	err = paxos_kv_watch(user->kv, &user->watch, KEY, strlen(KEY), false,
			     0);
	if (err)
		return err;
	err = rounds(user);
	paxos_kv_unwatch(&user->watch);
	return err;
}

int bench_kv_run(struct bench *bench, const struct bench_kv *request)
{
	struct consumer *user;
	int err = -ENOMEM;
	void *value;

	if (request->size > VALUE_MAX || !request->rounds ||
	    request->rounds > BENCH_ROUNDS_MAX ||
	    request->operation >= BENCH_KV_OPERATIONS)
		return -EINVAL;
	user = kzalloc(sizeof(*user), GFP_KERNEL);
	value = kvzalloc(request->size, GFP_KERNEL);
	if (!user || !value)
		goto out;
	user->request = request;
	user->value = value;
	user->watch.events = watch_events;
	user->watch.end = watch_end;
	init_completion(&user->done);
	init_completion(&user->told);
	user->page.size = PAXOS_KV_PAGE_MIN;
	user->page.bytes = kvmalloc(PAXOS_KV_PAGE_MIN, GFP_KERNEL);
	if (!user->page.bytes)
		goto out;
	user->kv = paxos_kv_open(bench->net, request->group, TIMEOUT_MS);
	err = PTR_ERR_OR_ZERO(user->kv);
	if (err)
		goto out;
	err = run(user);
	paxos_kv_close(user->kv);
out:
	if (user)
		kvfree(user->page.bytes);
	kvfree(value);
	kfree(user);
	return err;
}
