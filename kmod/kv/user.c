// SPDX-License-Identifier: GPL-2.0
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>
#include "kv.h"

/* linux/paxos_kv.h: what a kernel subsystem asks of a store, but watches. */

/* Why @replica is of no use, in the words of the header; 0: it is. */
int kv_user_error(struct kv_replica *replica)
{
	int err = kv_replica_able(replica);

	return err == -ESTALE ? -ENOTRECOVERABLE : err;
}

void kv_page_clear(struct paxos_kv_page *page)
{
	if (!page)
		return;
	page->used = 0;
	page->count = 0;
	page->more = false;
}

/* False: it has no room, for this one and for those behind it. */
bool kv_page_add(struct paxos_kv_page *page, const struct kv_pair *pair,
		 u16 operation)
{
	struct paxos_kv_pair *copy = page->bytes + page->used;
	size_t len = (size_t)pair->key_len + pair->value_len;
	size_t size = ALIGN(sizeof(*copy) + len, sizeof(u64));
	u8 *bytes = (u8 *)(copy + 1);

	if (page->more || size > page->size - page->used) {
		page->more = true;
		return false;
	}
	memcpy(bytes, pair->key, pair->key_len);
	if (pair->value_len)
		memcpy(bytes + pair->key_len, pair->value, pair->value_len);
	*copy = (struct paxos_kv_pair){
		.key = bytes,
		.value = bytes + pair->key_len,
		.key_len = pair->key_len,
		.operation = operation,
		.value_len = pair->value_len,
		.create = pair->create,
		.mod = pair->mod,
		.version = pair->version,
		.lease = pair->lease,
	};
	page->used += size;
	page->count++;
	return true;
}

static int user_open(struct paxos_kv *kv, struct net *net, u32 group)
{
	int err;

	kv->replica = kv_replica_get(net, group);
	if (IS_ERR(kv->replica))
		return PTR_ERR(kv->replica);
	err = kv_user_error(kv->replica);
	if (err)
		kv_replica_put(kv->replica);
	return err;
}

/**
 * paxos_kv_open() - use the store of a group
 * @net: network namespace of the group; the caller has a reference
 * @group: its id
 * @timeout_ms: wait so long until the group exists and runs; 0: do not wait,
 *              and take it if it is there, whether it runs or not
 *
 * Context: Process context, sleeps.
 * Return: for paxos_kv_close(), or ERR_PTR() of -ENOENT: there is no such
 * group, and @timeout_ms is 0; -ETIMEDOUT: none that runs came in time; -EINTR:
 * a fatal signal ended the wait; -ENOMEM; -ENOSPC: the group has too many
 * consumers; -ENOTRECOVERABLE, -EPROTO, -EBADMSG, -ESHUTDOWN as in
 * linux/paxos_kv.h.
 */
struct paxos_kv *paxos_kv_open(struct net *net, u32 group, u32 timeout_ms)
{
	struct paxos_handle *there = NULL;
	struct paxos_kv *kv;
	int err = -ENOMEM;

	/* a handle that only waits: kv_replica_get() does not */
	if (timeout_ms) {
		there = paxos_open(net, group, 0, NULL, NULL, timeout_ms);
		if (IS_ERR(there))
			return ERR_CAST(there);
	}
	kv = kzalloc(sizeof(*kv), GFP_KERNEL);
	if (!kv)
		goto out;
	INIT_LIST_HEAD(&kv->listeners);
	kv->queue = alloc_workqueue("paxos_kv_user",
				    WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	if (!kv->queue)
		goto out;
	err = user_open(kv, net, group);
	if (!err)
		__module_get(THIS_MODULE);
out:
	if (there)
		paxos_close(there);
	if (!err)
		return kv;
	if (kv && kv->queue)
		destroy_workqueue(kv->queue);
	kfree(kv);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_GPL(paxos_kv_open);

/**
 * paxos_kv_close() - end the use
 * @kv: of paxos_kv_open()
 *
 * Requests that have not ended do so now, as unknown; watches end without their
 * end(). All callbacks of @kv have returned when this does. The caller makes
 * sure that no other call on @kv runs or follows; one that done() makes is
 * refused with -ESHUTDOWN.
 *
 * Context: Process context, sleeps. Not from a callback of @kv.
 */
void paxos_kv_close(struct paxos_kv *kv)
{
	struct kv_replica *replica = kv->replica;

	spin_lock_bh(&replica->lock);
	kv->closing = true;
	spin_unlock_bh(&replica->lock);
	kv_calls_end(replica, kv, NULL);
	wait_var_event(&kv->pending, !atomic_read(&kv->pending));
	kv_listeners_close(kv);
	destroy_workqueue(kv->queue);
	kv_replica_put(replica);
	kfree(kv);
	module_put(THIS_MODULE);
}
EXPORT_SYMBOL_GPL(paxos_kv_close);

static bool read_found(void *context, const struct kv_pair *pair)
{
	return kv_page_add(context, pair, 0);
}

static int read_one(const struct kv_store *store,
		    const struct paxos_kv_query *query,
		    struct paxos_kv_page *page)
{
	struct kv_pair pair;
	int err;

	err = kv_get(store, query->key, query->key_len, query->revision, &pair);
	if (err)
		return err;
	return kv_page_add(page, &pair, 0) ? 0 : -ENOSPC;
}

static int read_range(const struct kv_store *store,
		      const struct paxos_kv_query *query,
		      struct paxos_kv_page *page)
{
	struct kv_range range = {
		.prefix = query->key,
		.after = query->after,
		.prefix_len = query->key_len,
		.after_len = query->after_len,
		.revision = query->revision,
		.limit = query->limit,
	};
	int err;

	err = kv_get_range(store, &range, read_found, page);
	page->more = range.more;
	return err ?: range.more && !range.count ? -ENOSPC : 0;
}

static int read_page(struct kv_replica *replica, struct paxos_kv_query *query,
		     struct paxos_kv_page *page)
{
	const struct kv_store *store = replica->store;
	int err;

	lockdep_assert_held(&replica->mutex);
	err = kv_user_error(replica);
	if (err)
		return err;
	if (!query->revision)
		query->revision = store->applied;
	return query->prefix ? read_range(store, query, page) :
			       read_one(store, query, page);
}

/**
 * paxos_kv_read() - copy pairs into a page
 * @kv: the store
 * @query: which ones; its revision becomes the one that was read
 * @page: emptied, and filled. Behind a prefix, its @more says that there are
 *        more behind the last pair
 * @timeout_ms: of a read that is not serializable
 *
 * A read of a revision that this host has applied costs no round trip. Finding
 * nothing is no error for a prefix.
 *
 * Context: Process context, sleeps; a fatal signal ends it. Not from done().
 * Return: 0; -ENOENT: no such key; -ENOSPC: @page is too small for the first
 * pair; -ESTALE: the revision was compacted; -ERANGE: it is yet to come;
 * -ENOLINK: no quorum answered in time; -ETIMEDOUT: one did, and this host has
 * not applied all of it in time; -EINVAL: a key that is none, or @query->after
 * lacks the prefix; -EAGAIN, -EINTR, -EUNATCH, -ESHUTDOWN, -ENOTRECOVERABLE,
 * -EPROTO, -EBADMSG as in linux/paxos_kv.h.
 */
int paxos_kv_read(struct paxos_kv *kv, struct paxos_kv_query *query,
		  struct paxos_kv_page *page, u32 timeout_ms)
{
	struct kv_replica *replica = kv->replica;
	bool known = query->serializable;
	int err;

	kv_page_clear(page);
	if (query->key_len > KV_KEY_MAX || (!query->prefix && !query->key_len))
		return -EINVAL;
	mutex_lock(&replica->mutex);
	if (query->revision && query->revision <= replica->store->applied)
		known = true;
	mutex_unlock(&replica->mutex);
	if (!known) {
		err = kv_barrier(replica, timeout_ms);
		if (err)
			return kv_user_error(replica) ?: err;
	}
	mutex_lock(&replica->mutex);
	err = read_page(replica, query, page);
	mutex_unlock(&replica->mutex);
	return err;
}
EXPORT_SYMBOL_GPL(paxos_kv_read);

/* Propose what @writer has for @request. */
static int submit(struct paxos_kv *kv, struct paxos_kv_request *request,
		  struct kv_writer *writer, gfp_t gfp, u32 timeout_ms)
{
	struct kv_answer answer = { .user = kv, .request = request };
	int err;

	err = kv_call(kv->replica, &answer, writer, gfp, timeout_ms);
	return err == -ESTALE ? -ENOTRECOVERABLE : err;
}

static u64 size_of(const struct paxos_kv_item *items, unsigned int n_items)
{
	u64 size = sizeof(struct kv_header) + sizeof(struct kv_counts);

	while (n_items--)
		size += sizeof(struct kv_wire_item) + items[n_items].key_len +
			items[n_items].value_len;
	return size;
}

static int write_items(struct kv_writer *writer,
		       const struct paxos_kv_item *items, unsigned int n_items)
{
	unsigned int i;

	kv_entry_txn(writer);
	for (i = 0; i < n_items && !writer->err; i++) {
		const struct kv_item item = {
			.target = items[i].target,
			.what = items[i].what,
			.key_len = items[i].key_len,
			.value_len = items[i].value_len,
			.number = items[i].number,
			.key = items[i].key,
			.value = items[i].value,
		};

		/* both have four bits there */
		if (items[i].section > KV_ELSE || item.target >= KV_TARGETS)
			return -EINVAL;
		kv_entry_item(writer, items[i].section, &item);
	}
	return writer->err;
}

/**
 * paxos_kv_submit() - propose a transaction
 * @kv: the store
 * @request: of the caller, its done() set, and page if it gets something
 * @items: copied before this returns, and so is all they point to
 * @n_items: of @items
 * @gfp: for memory; GFP_ATOMIC where the caller must not sleep
 * @timeout_ms: after which it ends in any case, unless it was chosen and is yet
 *              to be applied here
 *
 * It ends when this host has applied it: a read here, even a serializable one,
 * sees it from then on.
 *
 * Context: Any but hard interrupt, as @gfp allows. Waits for nobody.
 * Return: 0: done() will be called, exactly once, perhaps before this returns.
 * Else nothing was proposed and done() will not be called: -EAGAIN, -ENOMEM,
 * -ENOLINK, -EUNATCH, -ESHUTDOWN, -ENOTRECOVERABLE, -EPROTO, -EBADMSG,
 * -EMSGSIZE, -EINVAL, -E2BIG as in linux/paxos_kv.h.
 */
int paxos_kv_submit(struct paxos_kv *kv, struct paxos_kv_request *request,
		    const struct paxos_kv_item *items, unsigned int n_items,
		    gfp_t gfp, u32 timeout_ms)
{
	u64 size = size_of(items, n_items);
	struct kv_writer writer = { .section = KV_IF };
	int err;

	if (size > KV_ENTRY_MAX)
		return -EMSGSIZE;
	writer.bytes = kmalloc(size, gfp);
	if (!writer.bytes)
		return -ENOMEM;
	err = write_items(&writer, items, n_items);
	if (!err)
		err = submit(kv, request, &writer, gfp, timeout_ms);
	kfree(writer.bytes);
	return err;
}
EXPORT_SYMBOL_GPL(paxos_kv_submit);

struct waiter {
	struct paxos_kv_request request;
	struct completion done;
};

static void waiter_done(struct paxos_kv_request *request)
{
	complete(&container_of(request, struct waiter, request)->done);
}

static int result_of(const struct paxos_kv_request *request)
{
	if (request->outcome != PAXOS_RESULT_CHOSEN)
		return request->outcome == PAXOS_RESULT_NOT_CHOSEN ?
			-ECANCELED : -ETIME;
	switch (request->status) {
	case KV_OK:
		return 0;
	case KV_NO_SPACE:
		return -ENOSPC;
	case KV_NO_LEASE:
		return -EKEYEXPIRED;
	case KV_COMPACTED:
		return -ESTALE;
	case KV_FUTURE:
		return -ERANGE;
	default:
		return -EINVAL;
	}
}

/* @err: of submitting @waiter's request */
static int await(struct paxos_kv *kv, struct waiter *waiter, int err)
{
	if (err)
		return err;
	if (!wait_for_completion_killable(&waiter->done))
		return result_of(&waiter->request);
	kv_calls_end(kv->replica, kv, &waiter->request);
	wait_for_completion(&waiter->done);
	return -EINTR;
}

static void waiter_init(struct waiter *waiter, struct paxos_kv_page *page)
{
	*waiter = (struct waiter){
		.request.done = waiter_done,
		.request.page = page,
	};
	init_completion(&waiter->done);
}

/**
 * paxos_kv_txn() - a transaction, and wait for its end
 * @kv: the store
 * @request: its results, but for done(); page is set by the caller
 * @items: as of paxos_kv_submit()
 * @n_items: of @items
 * @timeout_ms: likewise
 *
 * Context: Process context, sleeps; a fatal signal ends the wait.
 * Return: 0: chosen, and @request->succeeded says whether the compares held; as
 * paxos_kv_submit(); or -EINTR, -ECANCELED, -ETIME, -ENOSPC, -EKEYEXPIRED as in
 * linux/paxos_kv.h.
 */
int paxos_kv_txn(struct paxos_kv *kv, struct paxos_kv_request *request,
		 const struct paxos_kv_item *items, unsigned int n_items,
		 u32 timeout_ms)
{
	struct waiter waiter;
	int err;

	waiter_init(&waiter, request->page);
	err = paxos_kv_submit(kv, &waiter.request, items, n_items, GFP_NOIO,
			      timeout_ms);
	err = await(kv, &waiter, err);
	waiter.request.done = request->done;
	*request = waiter.request;
	return err;
}
EXPORT_SYMBOL_GPL(paxos_kv_txn);

/**
 * paxos_kv_put() - put a key
 * @kv: the store
 * @key: of 1 to 1024 bytes
 * @key_len: of @key
 * @value: of any bytes
 * @value_len: of @value
 * @lease: that deletes it with its end; 0: none
 * @revision: in which it was put; may be NULL
 * @timeout_ms: as of paxos_kv_submit()
 *
 * Context, Return: as paxos_kv_txn().
 */
int paxos_kv_put(struct paxos_kv *kv, const void *key, u16 key_len,
		 const void *value, u32 value_len, u64 lease, u64 *revision,
		 u32 timeout_ms)
{
	const struct paxos_kv_item item = {
		.section = PAXOS_KV_SECTION_THEN,
		.what = PAXOS_KV_OPERATION_PUT,
		.key = key,
		.key_len = key_len,
		.value = value,
		.value_len = value_len,
		.number = lease,
	};
	struct paxos_kv_request request = { .page = NULL };
	int err = paxos_kv_txn(kv, &request, &item, 1, timeout_ms);

	if (revision)
		*revision = request.revision;
	return err;
}
EXPORT_SYMBOL_GPL(paxos_kv_put);

/**
 * paxos_kv_delete() - delete a key
 * @kv: the store
 * @key: of 1 to 1024 bytes
 * @key_len: of @key
 * @deleted: 1, or 0 if there was none; may be NULL
 * @timeout_ms: as of paxos_kv_submit()
 *
 * Context, Return: as paxos_kv_txn().
 */
int paxos_kv_delete(struct paxos_kv *kv, const void *key, u16 key_len,
		    u64 *deleted, u32 timeout_ms)
{
	const struct paxos_kv_item item = {
		.section = PAXOS_KV_SECTION_THEN,
		.what = PAXOS_KV_OPERATION_DELETE,
		.key = key,
		.key_len = key_len,
	};
	struct paxos_kv_request request = { .page = NULL };
	int err = paxos_kv_txn(kv, &request, &item, 1, timeout_ms);

	if (deleted)
		*deleted = request.deleted;
	return err;
}
EXPORT_SYMBOL_GPL(paxos_kv_delete);

/* As paxos_kv_submit(), of an entry that is no transaction. */
int kv_user_submit(struct paxos_kv *kv, struct paxos_kv_request *request,
		   enum kv_type type, u64 number, gfp_t gfp, u32 timeout_ms)
{
	u8 bytes[sizeof(struct kv_header) + sizeof(struct kv_numbers)];
	struct kv_writer writer = { .bytes = bytes };

	kv_entry_numbers(&writer, type, number, 0);
	return submit(kv, request, &writer, gfp, timeout_ms);
}

/* The same, and wait for its end. */
int kv_user_numbers(struct paxos_kv *kv, enum kv_type type, u64 number,
		    u64 *lease, u32 timeout_ms)
{
	struct waiter waiter;
	int err;

	if (!number && type != KV_HISTORY)
		return -EINVAL;
	waiter_init(&waiter, NULL);
	err = kv_user_submit(kv, &waiter.request, type, number, GFP_NOIO,
			     timeout_ms);
	err = await(kv, &waiter, err);
	if (lease)
		*lease = waiter.request.lease;
	return err;
}

/**
 * paxos_kv_grant() - begin a lease
 * @kv: the store
 * @ttl_ms: it ends when it was not kept for so long, as the clock of a host
 *          that holds the store counts from when it applied the grant or keep,
 *          or began to lead: late perhaps, twice that where the leader's host
 *          does not hold the store, but never too early. Its keys are deleted
 *          with it
 * @lease: its id
 * @timeout_ms: as of paxos_kv_submit()
 *
 * Context, Return: as paxos_kv_txn(). After -ETIME or -EINTR there may be a
 * lease that nobody knows, which ends by itself.
 */
int paxos_kv_grant(struct paxos_kv *kv, u64 ttl_ms, u64 *lease, u32 timeout_ms)
{
	return kv_user_numbers(kv, KV_GRANT, ttl_ms, lease, timeout_ms);
}
EXPORT_SYMBOL_GPL(paxos_kv_grant);

/**
 * paxos_kv_keep() - begin the time of a lease anew
 * @kv: the store
 * @lease: its id
 * @timeout_ms: as of paxos_kv_submit()
 *
 * Context, Return: as paxos_kv_txn(); -EKEYEXPIRED: it has ended.
 */
int paxos_kv_keep(struct paxos_kv *kv, u64 lease, u32 timeout_ms)
{
	return kv_user_numbers(kv, KV_KEEP, lease, NULL, timeout_ms);
}
EXPORT_SYMBOL_GPL(paxos_kv_keep);

/**
 * paxos_kv_revoke() - end a lease, and delete its keys
 * @kv: the store
 * @lease: its id
 * @timeout_ms: as of paxos_kv_submit()
 *
 * Context, Return: as paxos_kv_txn(); -EKEYEXPIRED: it has ended already.
 */
int paxos_kv_revoke(struct paxos_kv *kv, u64 lease, u32 timeout_ms)
{
	return kv_user_numbers(kv, KV_REVOKE, lease, NULL, timeout_ms);
}
EXPORT_SYMBOL_GPL(paxos_kv_revoke);

/**
 * paxos_kv_compact() - forget history
 * @kv: the store
 * @revision: what was superseded up to it
 * @timeout_ms: as of paxos_kv_submit()
 *
 * Context, Return: as paxos_kv_txn(); -ESTALE: that far already; -ERANGE: it is
 * yet to come.
 */
int paxos_kv_compact(struct paxos_kv *kv, u64 revision, u32 timeout_ms)
{
	return kv_user_numbers(kv, KV_COMPACT, revision, NULL, timeout_ms);
}
EXPORT_SYMBOL_GPL(paxos_kv_compact);

typedef struct kv_lease *(*kv_lease_of)(const struct kv_store *store, u64 id);

/* What @find makes of @id; @none: it finds none. */
static int tell_lease(struct paxos_kv *kv, kv_lease_of find, u64 id, int none,
		      struct paxos_kv_lease *what)
{
	struct kv_replica *replica = kv->replica;
	const struct kv_lease *lease;
	u64 now = kv_now_ms();
	int err;

	mutex_lock(&replica->mutex);
	err = kv_user_error(replica);
	lease = find(replica->store, id);
	if (!err && !lease)
		err = none;
	if (!err)
		*what = (struct paxos_kv_lease){
			.id = lease->id,
			.ttl_ms = lease->ttl,
			.remaining_ms = lease->deadline > now ?
				lease->deadline - now : 0,
			.renewed = lease->renewed,
		};
	mutex_unlock(&replica->mutex);
	return err;
}

/**
 * paxos_kv_lease() - what this host knows of a lease
 * @kv: the store
 * @lease: its id
 * @what: filled
 *
 * Context: Process context, sleeps. Not from done().
 * Return: 0; -EKEYEXPIRED: none that is known here; -ESHUTDOWN,
 * -ENOTRECOVERABLE, -EPROTO, -EBADMSG as in linux/paxos_kv.h.
 */
int paxos_kv_lease(struct paxos_kv *kv, u64 lease, struct paxos_kv_lease *what)
{
	return tell_lease(kv, kv_lease_find, lease, -EKEYEXPIRED, what);
}
EXPORT_SYMBOL_GPL(paxos_kv_lease);

/**
 * paxos_kv_lease_after() - the next of all leases that this host knows
 * @kv: the store
 * @lease: 0 for the first, or the id of one, that need not be there any more
 * @what: filled with the one of the next higher id
 *
 * Which there are may change between two calls; none that is there all the time
 * is left out.
 *
 * Context: Process context, sleeps. Not from done().
 * Return: 0; -ENOENT: there is none behind it; or as paxos_kv_lease().
 */
int paxos_kv_lease_after(struct paxos_kv *kv, u64 lease,
			 struct paxos_kv_lease *what)
{
	return tell_lease(kv, kv_lease_after, lease, -ENOENT, what);
}
EXPORT_SYMBOL_GPL(paxos_kv_lease_after);
