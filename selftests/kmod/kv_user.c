// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/paxos_kv_user: a kernel subsystem that uses a store, an open file. One
 * command is written to it, whose error is write()'s; what is read are words
 * and what they stand at, a line each.
 *
 *	open GROUP TIMEOUT_MS		in the writer's network namespace
 *	close
 *	put KEY VALUE LEASE		all that wait: WAIT_MS
 *	large KEY BYTES			put zeros
 *	get KEY | known KEY		linearizable | serializable
 *	at KEY REVISION
 *	range PREFIX SIZE		by pages of so many bytes
 *	del KEY
 *	cas KEY MOD VALUE		if mod KEY = MOD, put it; else get it
 *	items COUNT			a transaction of so many deletions
 *	backwards			one whose items are out of order
 *	grant TTL_MS | keep ID | revoke ID | lease ID
 *	lease-after ID			of the next one, "found"
 *	compact REVISION
 *	limit BYTES | history REVISIONS PERIOD_MS | info
 *	wait MS				WAIT_MS from now on
 *	watch PREFIX REVISION | unwatch
 *	slow MS				each call of the watch takes so long
 *	burst COUNT AT_ONCE		put "burst/N" COUNT times, from softirqs: where
 *					one ends, the next begins
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/nsproxy.h>
#include <linux/paxos_kv.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <net/net_namespace.h>
#include "burst.h"
#include "device.h"

#define AT_ONCE_MAX	2048
#define WORD		32
#define PAGE_ROOM	(2 * PAXOS_KV_PAGE_MIN)

struct consumer;

struct putting {
	struct paxos_kv_request request;
	struct consumer *user;
	char key[16];
	bool under_way;
};

/* What a watch told; under @lock. */
struct told {
	struct paxos_kv_watch watch;
	bool watches;
	u32 slow;
	spinlock_t lock;	/* protects what follows */
	u64 events;
	u64 deletions;
	u64 disorder;		/* a revision below the one before */
	u64 last;
	u64 next;
	u64 ends;
	int end;
};

struct consumer {
	struct mutex lock;	/* one command at a time, and its results */
	struct paxos_kv *kv;
	u32 wait;
	struct paxos_kv_request request;
	struct paxos_kv_page page;
	struct paxos_kv_lease lease;
	struct paxos_kv_info info;
	u64 pairs;
	u64 pages;
	u64 revision;
	struct burst burst;
	struct putting *putting;
	u32 at_once;
	struct told told;
};

static void put_next(struct putting *putting)
{
	struct consumer *user = putting->user;
	const struct paxos_kv_item item = {
		.section = PAXOS_KV_SECTION_THEN,
		.what = PAXOS_KV_OPERATION_PUT,
		.key = putting->key,
		.key_len = strlen(putting->key),
		.value = "x",
		.value_len = 1,
	};

	if (burst_takes(&user->burst, &putting->under_way))
		burst_begun(&user->burst, &putting->under_way,
			    paxos_kv_submit(user->kv, &putting->request, &item,
					    1, GFP_ATOMIC, user->wait));
}

static void put_done(struct paxos_kv_request *request)
{
	struct putting *putting =
		container_of(request, struct putting, request);

	burst_ended(&putting->user->burst, &putting->under_way,
		    request->outcome);
	put_next(putting);
}

static void put_tick(struct timer_list *timer)
{
	struct consumer *user = container_of(timer, struct consumer,
					     burst.timer);
	u32 i;

	for (i = 0; i < user->at_once; i++)
		put_next(&user->putting[i]);
	burst_again(&user->burst);
}

static int put_many(struct consumer *user, u64 count, u32 at_once)
{
	u32 i;

	if (user->putting || !at_once || at_once > AT_ONCE_MAX)
		return -EINVAL;
	user->putting = kvcalloc(at_once, sizeof(*user->putting), GFP_KERNEL);
	if (!user->putting)
		return -ENOMEM;
	for (i = 0; i < at_once; i++) {
		user->putting[i].user = user;
		user->putting[i].request.done = put_done;
		snprintf(user->putting[i].key, sizeof(user->putting[i].key),
			 "burst/%u", i);
	}
	user->burst.left = count;
	user->at_once = at_once;
	mod_timer(&user->burst.timer, jiffies);
	return 0;
}

static void told_events(struct paxos_kv_watch *watch,
			const struct paxos_kv_page *page, u64 next)
{
	struct told *told = container_of(watch, struct told, watch);
	const struct paxos_kv_pair *pair;

	spin_lock(&told->lock);
	paxos_kv_for_each_pair(pair, page) {
		told->events++;
		told->deletions += !pair->version;
		told->disorder += pair->mod < told->last;
		told->last = pair->mod;
	}
	told->disorder += !page->count || next < told->last || told->ends;
	told->next = next;
	spin_unlock(&told->lock);
	if (READ_ONCE(told->slow))
		msleep(READ_ONCE(told->slow));
}

static void told_end(struct paxos_kv_watch *watch, int error)
{
	struct told *told = container_of(watch, struct told, watch);

	spin_lock(&told->lock);
	told->ends++;
	told->end = error;
	spin_unlock(&told->lock);
}

static int watch(struct consumer *user, const char *prefix, u64 revision)
{
	struct told *told = &user->told;
	int err;

	if (told->watches)
		return -EBUSY;
	told->events = 0;
	told->deletions = 0;
	told->last = 0;
	told->ends = 0;
	told->end = 0;
	told->watch.events = told_events;
	told->watch.end = told_end;
	err = paxos_kv_watch(user->kv, &told->watch, prefix, strlen(prefix),
			     true, revision);
	told->watches = !err;
	return err;
}

static int unwatch(struct consumer *user)
{
	if (!user->told.watches)
		return -EINVAL;
	paxos_kv_unwatch(&user->told.watch);
	user->told.watches = false;
	return 0;
}

static int put_zeros(struct consumer *user, const char *key, u32 len)
{
	void *bytes = kvzalloc(len, GFP_KERNEL);
	int err;

	if (!bytes)
		return -ENOMEM;
	err = paxos_kv_put(user->kv, key, strlen(key), bytes, len, 0,
			   &user->revision, user->wait);
	kvfree(bytes);
	return err;
}

static int read_at(struct consumer *user, const char *key, u64 revision)
{
	struct paxos_kv_query query = {
		.key = key,
		.key_len = strlen(key),
		.revision = revision,
	};

	return paxos_kv_read(user->kv, &query, &user->page, user->wait);
}

static int range(struct consumer *user, const char *prefix, u32 size)
{
	struct paxos_kv_page *page = &user->page;
	struct paxos_kv_query query = {
		.key = prefix,
		.key_len = strlen(prefix),
		.prefix = true,
	};
	const struct paxos_kv_pair *pair;
	char after[WORD];
	int err;

	user->pairs = 0;
	user->pages = 0;
	page->size = min_t(u32, size, PAGE_ROOM);
	do {
		err = paxos_kv_read(user->kv, &query, page, user->wait);
		if (err)
			break;
		user->pages++;
		user->pairs += page->count;
		paxos_kv_for_each_pair(pair, page) {
			if (pair->key_len > sizeof(after))
				continue;
			memcpy(after, pair->key, pair->key_len);
			query.after = after;
			query.after_len = pair->key_len;
		}
	} while (page->more);
	user->revision = query.revision;
	page->size = PAGE_ROOM;
	return err;
}

static int cas(struct consumer *user, const char *key, u64 mod,
	       const char *value)
{
	const u16 len = strlen(key);
	const struct paxos_kv_item items[] = {
		{
			.section = PAXOS_KV_SECTION_IF,
			.target = PAXOS_KV_TARGET_MOD,
			.what = PAXOS_KV_RELATION_EQUAL,
			.key = key,
			.key_len = len,
			.number = mod,
		}, {
			.section = PAXOS_KV_SECTION_THEN,
			.what = PAXOS_KV_OPERATION_PUT,
			.key = key,
			.key_len = len,
			.value = value,
			.value_len = strlen(value),
		}, {
			.section = PAXOS_KV_SECTION_ELSE,
			.what = PAXOS_KV_OPERATION_GET,
			.key = key,
			.key_len = len,
		},
	};

	user->request.page = &user->page;
	return paxos_kv_txn(user->kv, &user->request, items, ARRAY_SIZE(items),
			    user->wait);
}

static int many(struct consumer *user, u32 count, bool backwards)
{
	struct paxos_kv_item *items;
	int err;
	u32 i;

	items = kvcalloc(count, sizeof(*items), GFP_KERNEL);
	if (!items)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		items[i].section = PAXOS_KV_SECTION_THEN + (backwards && !i);
		items[i].what = PAXOS_KV_OPERATION_DELETE;
		items[i].key = "none";
		items[i].key_len = 4;
	}
	user->request.page = NULL;
	err = paxos_kv_txn(user->kv, &user->request, items, count, user->wait);
	kvfree(items);
	return err;
}

static void user_close(struct consumer *user)
{
	del_timer_sync(&user->burst.timer);
	paxos_kv_close(user->kv);
	user->kv = NULL;
	user->told.watches = false;
}

static int user_open(struct consumer *user, u32 group, u32 timeout)
{
	struct net *net = get_net(current->nsproxy->net_ns);
	struct paxos_kv *kv = paxos_kv_open(net, group, timeout);

	put_net(net);
	if (IS_ERR(kv))
		return PTR_ERR(kv);
	user->kv = kv;
	return 0;
}

static int command(struct consumer *user, const char *word, const char *key,
		   const char *second, const char *third)
{
	struct paxos_kv *kv = user->kv;
	u16 len = strlen(key);
	u64 n = 0, m = 0;

	if (kstrtou64(key, 0, &n))
		n = 0;
	if (kstrtou64(second, 0, &m))
		m = 0;
	if (!strcmp(word, "open"))
		return kv ? -EBUSY : user_open(user, n, m);
	if (!kv)
		return -EBADF;
	if (!strcmp(word, "close")) {
		user_close(user);
		return 0;
	}
	if (!strcmp(word, "put")) {
		u64 lease = 0;

		if (*third && kstrtou64(third, 0, &lease))
			return -EINVAL;
		return paxos_kv_put(kv, key, len, second, strlen(second), lease,
				    &user->revision, user->wait);
	}
	if (!strcmp(word, "large"))
		return put_zeros(user, key, m);
	if (!strcmp(word, "get") || !strcmp(word, "known"))
		return paxos_kv_get(kv, key, len, !strcmp(word, "known"),
				    &user->page, user->wait);
	if (!strcmp(word, "at"))
		return read_at(user, key, m);
	if (!strcmp(word, "range"))
		return range(user, key, m);
	if (!strcmp(word, "del"))
		return paxos_kv_delete(kv, key, len, &user->request.deleted,
				       user->wait);
	if (!strcmp(word, "cas"))
		return cas(user, key, m, third);
	if (!strcmp(word, "items"))
		return many(user, n, false);
	if (!strcmp(word, "backwards"))
		return many(user, 2, true);
	if (!strcmp(word, "grant"))
		return paxos_kv_grant(kv, n, &user->request.lease, user->wait);
	if (!strcmp(word, "keep"))
		return paxos_kv_keep(kv, n, user->wait);
	if (!strcmp(word, "revoke"))
		return paxos_kv_revoke(kv, n, user->wait);
	if (!strcmp(word, "lease"))
		return paxos_kv_lease(kv, n, &user->lease);
	if (!strcmp(word, "lease-after"))
		return paxos_kv_lease_after(kv, n, &user->lease);
	if (!strcmp(word, "compact"))
		return paxos_kv_compact(kv, n, user->wait);
	if (!strcmp(word, "limit"))
		return paxos_kv_limit(kv, n, user->wait);
	if (!strcmp(word, "history"))
		return paxos_kv_history(kv, n, m, user->wait);
	if (!strcmp(word, "info"))
		return paxos_kv_info(kv, &user->info);
	if (!strcmp(word, "wait")) {
		user->wait = n;
		return 0;
	}
	if (!strcmp(word, "watch"))
		return watch(user, key, m);
	if (!strcmp(word, "unwatch"))
		return unwatch(user);
	if (!strcmp(word, "slow")) {
		WRITE_ONCE(user->told.slow, n);
		return 0;
	}
	if (!strcmp(word, "burst"))
		return put_many(user, n, m);
	return -EINVAL;
}

static ssize_t user_write(struct file *file, const char __user *from,
			  size_t size, loff_t *at)
{
	struct consumer *user = file->private_data;
	char text[4 * WORD], word[WORD] = "", a[WORD] = "", b[WORD] = "",
	     c[WORD] = "";
	int err;

	err = device_take(text, sizeof(text), from, size);
	if (err)
		return err;
	if (sscanf(text, "%31s %31s %31s %31s", word, a, b, c) < 1)
		return -EINVAL;
	err = mutex_lock_killable(&user->lock);
	if (err)
		return err;
	err = command(user, word, a, b, c);
	mutex_unlock(&user->lock);
	return err ?: size;
}

static int say_results(struct consumer *user, char *text, int room)
{
	const struct paxos_kv_request *request = &user->request;
	const struct paxos_kv_pair *pair = user->page.bytes;
	static const struct paxos_kv_pair none = { .value = "" };

	if (!user->page.count)
		pair = &none;
	return scnprintf(text, room,
			 "value %.*s\nbytes %u\nversion %llu\ncreate %llu\nmod %llu\npair-lease %llu\npairs %llu\npages %llu\nrevision %llu\nsucceeded %d\ndeleted %llu\nlease %llu\nfound %llu\nttl %llu\nremaining %llu\n",
			 min_t(int, pair->value_len, WORD), pair->value,
			 pair->value_len, pair->version, pair->create,
			 pair->mod, pair->lease, user->pairs, user->pages,
			 user->revision, request->succeeded, request->deleted,
			 request->lease, user->lease.id, user->lease.ttl_ms,
			 user->lease.remaining_ms);
}

static int say_info(const struct paxos_kv_info *info, char *text, int room)
{
	return scnprintf(text, room,
			 "applied %llu\ncompacted %llu\nused %llu\nlimit %llu\nkeeps %llu\nkeeps-ms %llu\n",
			 info->revision, info->compacted, info->used,
			 info->limit, info->revisions, info->period_ms);
}

static int say_told(struct told *told, char *text, int room)
{
	int n;

	spin_lock(&told->lock);
	n = scnprintf(text, room,
		      "events %llu\ndeletions %llu\ndisorder %llu\nlast %llu\nnext %llu\nends %llu\nend %d\n",
		      told->events, told->deletions, told->disorder, told->last,
		      told->next, told->ends, told->end);
	spin_unlock(&told->lock);
	return n;
}

static ssize_t user_read(struct file *file, char __user *to, size_t size,
			 loff_t *at)
{
	struct consumer *user = file->private_data;
	char text[1024];
	int n;

	mutex_lock(&user->lock);
	n = say_results(user, text, sizeof(text));
	n += say_info(&user->info, text + n, sizeof(text) - n);
	mutex_unlock(&user->lock);
	n += say_told(&user->told, text + n, sizeof(text) - n);
	n += burst_say(&user->burst, text + n, sizeof(text) - n);
	return device_tell(to, size, at, text, n);
}

static int user_file_open(struct inode *inode, struct file *file)
{
	struct consumer *user = kzalloc(sizeof(*user), GFP_KERNEL);

	if (!user)
		return -ENOMEM;
	user->page.bytes = kvmalloc(PAGE_ROOM, GFP_KERNEL);
	if (!user->page.bytes) {
		kfree(user);
		return -ENOMEM;
	}
	user->page.size = PAGE_ROOM;
	user->wait = 30000;
	mutex_init(&user->lock);
	spin_lock_init(&user->told.lock);
	burst_init(&user->burst, put_tick);
	file->private_data = user;
	return 0;
}

static int user_release(struct inode *inode, struct file *file)
{
	struct consumer *user = file->private_data;

	if (user->kv)
		user_close(user);
	kvfree(user->putting);
	kvfree(user->page.bytes);
	kfree(user);
	return 0;
}

TEST_DEVICE("paxos_kv_user", user_file_open, user_release, user_read, user_write);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A user of paxos_kv, to test it");
