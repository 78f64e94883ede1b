// SPDX-License-Identifier: GPL-2.0
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "kv.h"

/* linux/paxos_kv.h: watches of kernel subsystems. */

#define PAGE	ALIGN(PAXOS_KV_PAGE_MIN + sizeof(struct paxos_kv_pair), 4096)

/**
 * struct kv_listener - a kernel subsystem's watch
 * @watch: the subsystem's
 * @kv: the subsystem
 * @node: in &kv_replica.listeners until it has ended; this and what follows, to
 *        @position, is under kv_replica.mutex
 * @mine: in &paxos_kv.listeners
 * @position: the next event to look at
 * @work: tells what happened; on the queue of @kv
 * @page: of @work
 * @exact: @key alone, not what begins with it
 * @key_len: of @key
 * @key: of @key_len bytes
 */
struct kv_listener {
	struct paxos_kv_watch *watch;
	struct paxos_kv *kv;
	struct list_head node;
	struct list_head mine;
	struct kv_position position;
	struct work_struct work;
	struct paxos_kv_page page;
	bool exact;
	u16 key_len;
	u8 key[KV_KEY_MAX];
};

static bool listener_found(void *context, const struct kv_pair *pair)
{
	return kv_page_add(context, pair, 0);
}

static void listener_drop(struct kv_listener *listener)
{
	struct kv_replica *replica = listener->kv->replica;

	lockdep_assert_held(&replica->mutex);
	if (list_empty(&listener->node))
		return;
	list_del_init(&listener->node);
	replica->n_watches--;
}

/* 1: there is something, or there may be; 0: there is nothing now; else over. */
static int collect(struct kv_listener *listener)
{
	struct kv_replica *replica = listener->kv->replica;
	int err = kv_user_error(replica);
	int count;

	lockdep_assert_held(&replica->mutex);
	kv_page_clear(&listener->page);
	if (err)
		return err;
	if (listener->position.revision > replica->store->applied)
		return 0;
	count = kv_watch(replica->store, &listener->position, listener->key,
			 listener->key_len, listener->exact, listener_found,
			 &listener->page);
	return count < 0 ? count : 1;
}

/* Some of the history. False: there is nothing to tell now, or will be. */
static bool tell(struct kv_listener *listener)
{
	struct kv_replica *replica = listener->kv->replica;
	struct paxos_kv_watch *watch = listener->watch;
	int there = 0;
	u64 next;

	mutex_lock(&replica->mutex);
	if (!list_empty(&listener->node))
		there = collect(listener);
	if (there < 0)
		listener_drop(listener);
	next = listener->position.revision;
	mutex_unlock(&replica->mutex);
	if (there > 0 && listener->page.count)
		watch->events(watch, &listener->page, next);
	else if (there < 0)
		watch->end(watch, there);
	return there > 0;
}

static void listener_work(struct work_struct *work)
{
	struct kv_listener *listener =
		container_of(work, struct kv_listener, work);
	unsigned int noio = memalloc_noio_save();

	while (tell(listener))
		cond_resched();
	memalloc_noio_restore(noio);
}

/* Have those told for whom there may be something, or for whom it is @over. */
void kv_listeners_tell(struct kv_replica *replica, bool over)
{
	struct kv_listener *listener;

	lockdep_assert_held(&replica->mutex);
	list_for_each_entry(listener, &replica->listeners, node) {
		if (over ||
		    listener->position.revision <= replica->store->applied)
			queue_work(listener->kv->queue, &listener->work);
	}
}

static void listener_free(struct kv_listener *listener)
{
	kvfree(listener->page.bytes);
	kfree(listener);
}

/**
 * paxos_kv_watch() - begin to watch
 * @kv: the store
 * @watch: of the caller, its callbacks set
 * @key: the key, or what the keys begin with; copied
 * @key_len: of @key
 * @prefix: all that begin with @key, which may be empty; else @key alone
 * @revision: what happened from then on; 0: from now on. Behind a read of
 *            revision R, R + 1 leaves nothing out and repeats nothing
 *
 * That @revision was compacted is told by end(). The callbacks may come before
 * this returns.
 *
 * Context: Process context, sleeps. Not from done().
 * Return: 0; -EINVAL: a key that is none; -EAGAIN, -ENOMEM, -ESHUTDOWN,
 * -ENOTRECOVERABLE, -EPROTO, -EBADMSG as in linux/paxos_kv.h.
 */
int paxos_kv_watch(struct paxos_kv *kv, struct paxos_kv_watch *watch,
		   const void *key, u16 key_len, bool prefix, u64 revision)
{
	struct kv_replica *replica = kv->replica;
	struct kv_listener *listener;
	int err;

	if (key_len > KV_KEY_MAX || (!prefix && !key_len))
		return -EINVAL;
	listener = kzalloc(sizeof(*listener), GFP_NOIO);
	if (!listener)
		return -ENOMEM;
	listener->page.size = PAGE;
	listener->page.bytes = kvmalloc(PAGE, GFP_NOIO);
	if (!listener->page.bytes) {
		kfree(listener);
		return -ENOMEM;
	}
	listener->watch = watch;
	listener->kv = kv;
	INIT_WORK(&listener->work, listener_work);
	listener->exact = !prefix;
	listener->key_len = key_len;
	if (key_len)
		memcpy(listener->key, key, key_len);

	mutex_lock(&replica->mutex);
	err = kv_user_error(replica);
	if (!err && replica->n_watches == KV_WATCHES_MAX)
		err = -EAGAIN;
	if (!err) {
		listener->position.revision =
			revision ?: replica->store->applied + 1;
		watch->listener = listener;
		list_add_tail(&listener->node, &replica->listeners);
		list_add_tail(&listener->mine, &kv->listeners);
		replica->n_watches++;
		queue_work(kv->queue, &listener->work);
	}
	mutex_unlock(&replica->mutex);
	if (err)
		listener_free(listener);
	return err;
}
EXPORT_SYMBOL_GPL(paxos_kv_watch);

/**
 * paxos_kv_unwatch() - end to watch
 * @watch: of paxos_kv_watch(), whether it has ended or not
 *
 * When this returns no callback of @watch runs, or will.
 *
 * Context: Process context, sleeps: as long as a callback does that runs. Not
 * from a callback of @watch.
 */
void paxos_kv_unwatch(struct paxos_kv_watch *watch)
{
	struct kv_listener *listener = watch->listener;
	struct kv_replica *replica = listener->kv->replica;

	mutex_lock(&replica->mutex);
	listener_drop(listener);
	list_del(&listener->mine);
	mutex_unlock(&replica->mutex);
	cancel_work_sync(&listener->work);
	listener_free(listener);
}
EXPORT_SYMBOL_GPL(paxos_kv_unwatch);

void kv_listeners_close(struct paxos_kv *kv)
{
	struct kv_listener *listener;

	while ((listener = list_first_entry_or_null(&kv->listeners,
						    struct kv_listener, mine)))
		paxos_kv_unwatch(listener->watch);
}
