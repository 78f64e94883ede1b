// SPDX-License-Identifier: GPL-2.0
#include <linux/err.h>
#include <linux/export.h>
#include <linux/paxos_queue.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "kv.h"

/* linux/paxos_queue.h: the transactions of `paxosctl queue`. */

#define ACK_ITEMS	4	/* of its own, of an ack */

struct queue_key {
	u16 len;
	char bytes[2 * PAXOS_QUEUE_NAME_MAX + 16];
};

/* An item's; or, without an id, what those of all items begin with. */
struct keys {
	struct queue_key order;
	struct queue_key item;
	struct queue_key claim;
};

static void key_write(struct queue_key *key, const char *name, size_t name_len,
		      const char *part, const char *id, size_t id_len)
{
	key->len = scnprintf(key->bytes, sizeof(key->bytes),
			     "queue/%.*s/%s/%.*s", (int)name_len, name, part,
			     (int)id_len, id);
}

static void keys_write(struct keys *keys, const char *name, size_t name_len,
		       const char *id, size_t id_len)
{
	key_write(&keys->order, name, name_len, "order", id, id_len);
	key_write(&keys->item, name, name_len, "item", id, id_len);
	key_write(&keys->claim, name, name_len, "claim", id, id_len);
}

/* For kfree(), or ERR_PTR(). */
static struct keys *keys_new(const char *name, size_t name_len, const char *id,
			     size_t id_len)
{
	struct keys *keys;

	if (!kv_name_fits(name, name_len) || !kv_name_fits(id, id_len))
		return ERR_PTR(-EINVAL);
	keys = kmalloc(sizeof(*keys), GFP_NOIO);
	if (!keys)
		return ERR_PTR(-ENOMEM);
	keys_write(keys, name, name_len, id, id_len);
	return keys;
}

static struct paxos_kv_item only_if(u8 target, const struct queue_key *key,
				    u8 relation, u64 number)
{
	return (struct paxos_kv_item){
		.section = PAXOS_KV_SECTION_IF,
		.target = target,
		.what = relation,
		.key_len = key->len,
		.number = number,
		.key = key->bytes,
	};
}

static struct paxos_kv_item then_do(u8 operation, const struct queue_key *key,
				    const void *value, u32 value_len, u64 lease)
{
	return (struct paxos_kv_item){
		.section = PAXOS_KV_SECTION_THEN,
		.what = operation,
		.key_len = key->len,
		.value_len = value_len,
		.number = lease,
		.key = key->bytes,
		.value = value,
	};
}

/**
 * paxos_queue_push() - append an item
 * @kv: the store
 * @name: of the queue
 * @name_len: of @name
 * @id: of the item; pushed twice, it is there once
 * @id_len: of @id
 * @value: of any bytes
 * @value_len: of @value
 * @timeout_ms: as of paxos_kv_submit()
 *
 * After -ETIME or -EINTR push it again, under the same @id.
 *
 * Context: Process context, sleeps; a fatal signal ends the wait.
 * Return: 0: it is there; -EEXIST: it was there before; -EINVAL: a name or id
 * that is none; or as paxos_kv_txn().
 */
int paxos_queue_push(struct paxos_kv *kv, const char *name, size_t name_len,
		     const char *id, size_t id_len, const void *value,
		     u32 value_len, u32 timeout_ms)
{
	struct keys *keys = keys_new(name, name_len, id, id_len);
	struct paxos_kv_request request = { .page = NULL };
	struct paxos_kv_item items[3];
	int err;

	if (IS_ERR(keys))
		return PTR_ERR(keys);
	items[0] = only_if(PAXOS_KV_TARGET_VERSION, &keys->order,
			   PAXOS_KV_RELATION_EQUAL, 0);
	items[1] = then_do(PAXOS_KV_OPERATION_PUT, &keys->order, NULL, 0, 0);
	items[2] = then_do(PAXOS_KV_OPERATION_PUT, &keys->item, value,
			   value_len, 0);
	err = paxos_kv_txn(kv, &request, items, ARRAY_SIZE(items), timeout_ms);
	kfree(keys);
	return err ?: request.succeeded ? 0 : -EEXIST;
}
EXPORT_SYMBOL_GPL(paxos_queue_push);

/**
 * struct choice - the first item that nobody has
 * @store: of the queue
 * @all: what the keys begin with; an id is written behind
 * @create: its place; 0: none was found
 * @id_len: of @id
 * @id: of the item
 */
struct choice {
	const struct kv_store *store;
	struct keys all;
	u64 create;
	u16 id_len;
	char id[PAXOS_QUEUE_NAME_MAX];
};

/* Is there a key of this id, besides that of its order? */
static bool has(const struct kv_store *store, struct queue_key *prefix,
		const void *id, u16 id_len)
{
	struct kv_pair pair;

	memcpy(prefix->bytes + prefix->len, id, id_len);
	return !kv_get(store, prefix->bytes, prefix->len + id_len, 0, &pair);
}

/* The id at the end of an order's key; 0: none that can be named. */
static u16 id_of(const struct keys *all, const struct kv_pair *place)
{
	u16 skip = all->order.len, id_len = place->key_len - skip;

	return kv_name_fits(place->key + skip, id_len) ? id_len : 0;
}

static bool choose(void *context, const struct kv_pair *place)
{
	struct choice *choice = context;
	struct keys *all = &choice->all;
	const u8 *id = place->key + all->order.len;
	u16 id_len = id_of(all, place);

	if (!id_len || (choice->create && place->create > choice->create) ||
	    has(choice->store, &all->claim, id, id_len) ||
	    !has(choice->store, &all->item, id, id_len))
		return true;
	choice->create = place->create;
	choice->id_len = id_len;
	memcpy(choice->id, id, id_len);
	return true;
}

/* All items of @choice's queue, as far as this host knows. */
static int walk(struct kv_replica *replica, struct choice *choice,
		kv_found found, void *context)
{
	struct kv_range range = {
		.prefix = choice->all.order.bytes,
		.prefix_len = choice->all.order.len,
	};
	int err;

	mutex_lock(&replica->mutex);
	err = kv_user_error(replica);
	choice->store = replica->store;
	if (!err)
		err = kv_get_range(replica->store, &range, found, context);
	mutex_unlock(&replica->mutex);
	return err;
}

/* A transaction finds out whether it is so. */
static int look(struct kv_replica *replica, struct choice *choice)
{
	int err;

	choice->create = 0;
	err = walk(replica, choice, choose, choice);
	return err ?: choice->create ? 0 : -ENOENT;
}

/* 1: somebody else was faster. */
static int take(struct paxos_kv *kv, const struct keys *keys,
		struct paxos_queue_claim *claim, struct paxos_kv_page *page,
		u32 timeout_ms)
{
	const struct paxos_kv_item items[] = {
		only_if(PAXOS_KV_TARGET_VERSION, &keys->order,
			PAXOS_KV_RELATION_GREATER, 0),
		only_if(PAXOS_KV_TARGET_VERSION, &keys->item,
			PAXOS_KV_RELATION_GREATER, 0),
		only_if(PAXOS_KV_TARGET_VERSION, &keys->claim,
			PAXOS_KV_RELATION_EQUAL, 0),
		then_do(PAXOS_KV_OPERATION_PUT, &keys->claim, NULL, 0,
			claim->lease),
		then_do(PAXOS_KV_OPERATION_GET, &keys->item, NULL, 0, 0),
	};
	struct paxos_kv_request request = { .page = page };
	int err = paxos_kv_txn(kv, &request, items, ARRAY_SIZE(items),
			       timeout_ms);

	if (err)
		return err;
	if (!request.succeeded)
		return 1;
	claim->token = request.revision;
	return page->count ? 0 : -ENOSPC;
}

/* Claim what was chosen; where that fails, the claim does not stay. */
static int try_pop(struct paxos_kv *kv, const struct keys *keys, u32 ttl_ms,
		   struct paxos_queue_claim *claim, struct paxos_kv_page *page,
		   u32 timeout_ms)
{
	int err = paxos_kv_grant(kv, ttl_ms, &claim->lease, timeout_ms);

	if (err)
		return err;
	err = take(kv, keys, claim, page, timeout_ms);
	if (err)
		paxos_kv_revoke(kv, claim->lease, timeout_ms);
	return err;
}

/**
 * paxos_queue_pop() - be given the first item that nobody else has
 * @kv: the store
 * @name: of the queue
 * @name_len: of @name
 * @ttl_ms: how long it is the caller's, from PAXOS_QUEUE_TTL_MIN on. Who needs
 *          longer keeps @claim's lease: paxos_kv_keep()
 * @claim: filled, for paxos_queue_ack()
 * @page: emptied; its one pair has the item. PAXOS_KV_PAGE_MIN holds any
 * @timeout_ms: of each step, as of paxos_kv_submit()
 *
 * Context: Process context, sleeps; a fatal signal ends it. Not from done().
 * Return: 0; -ENOENT: there is none that nobody has; -ENOSPC: @page is too
 * small, and nothing was claimed, or the store is full; -EINVAL: a name or time
 * that is none; or as paxos_kv_read(), paxos_kv_grant() and paxos_kv_txn():
 * after those the item may come again only after @ttl_ms.
 */
int paxos_queue_pop(struct paxos_kv *kv, const char *name, size_t name_len,
		    u32 ttl_ms, struct paxos_queue_claim *claim,
		    struct paxos_kv_page *page, u32 timeout_ms)
{
	struct kv_replica *replica = kv->replica;
	struct choice *choice;
	struct keys *keys;
	int err;

	if (ttl_ms < PAXOS_QUEUE_TTL_MIN || !kv_name_fits(name, name_len))
		return -EINVAL;
	kv_page_clear(page);
	keys = kmalloc(sizeof(*keys), GFP_NOIO);
	choice = kmalloc(sizeof(*choice), GFP_NOIO);
	err = keys && choice ? 0 : -ENOMEM;
	if (!err) {
		keys_write(&choice->all, name, name_len, "", 0);
		err = kv_barrier(replica, timeout_ms);
		if (err)
			err = kv_user_error(replica) ?: err;
	}
	while (!err) {
		err = look(replica, choice);
		if (err)
			break;
		keys_write(keys, name, name_len, choice->id, choice->id_len);
		err = try_pop(kv, keys, ttl_ms, claim, page, timeout_ms);
		if (!err) {
			claim->id_len = choice->id_len;
			memcpy(claim->id, choice->id, choice->id_len);
			break;
		}
		if (err == 1)
			err = 0;
	}
	kfree(choice);
	kfree(keys);
	return err;
}
EXPORT_SYMBOL_GPL(paxos_queue_pop);

/* So many of a queue's items, and so many that somebody was given. */
struct counting {
	struct choice *choice;
	u64 items;
	u64 claimed;
};

static bool count(void *context, const struct kv_pair *place)
{
	struct counting *counting = context;
	struct choice *choice = counting->choice;
	u16 id_len = id_of(&choice->all, place);

	if (!id_len)
		return true;
	counting->items++;
	counting->claimed += has(choice->store, &choice->all.claim,
				 place->key + choice->all.order.len, id_len);
	return true;
}

/**
 * paxos_queue_len() - how long a queue is
 * @kv: the store
 * @name: of the queue
 * @name_len: of @name
 * @items: that are in it
 * @claimed: how many of them somebody was given; may be NULL
 * @timeout_ms: as of paxos_kv_read()
 *
 * Context: Process context, sleeps; a fatal signal ends it. Not from done().
 * Return: 0; -EINVAL: a name that is none; or as paxos_kv_read().
 */
int paxos_queue_len(struct paxos_kv *kv, const char *name, size_t name_len,
		    u64 *items, u64 *claimed, u32 timeout_ms)
{
	struct counting counting = { .items = 0 };
	struct kv_replica *replica = kv->replica;
	int err;

	if (!kv_name_fits(name, name_len))
		return -EINVAL;
	counting.choice = kmalloc(sizeof(*counting.choice), GFP_NOIO);
	if (!counting.choice)
		return -ENOMEM;
	keys_write(&counting.choice->all, name, name_len, "", 0);
	err = kv_barrier(replica, timeout_ms);
	if (err)
		err = kv_user_error(replica) ?: err;
	else
		err = walk(replica, counting.choice, count, &counting);
	kfree(counting.choice);
	*items = counting.items;
	if (claimed)
		*claimed = counting.claimed;
	return err;
}
EXPORT_SYMBOL_GPL(paxos_queue_len);

/**
 * paxos_queue_ack() - an item has been dealt with
 * @kv: the store
 * @name: of the queue
 * @name_len: of @name
 * @claim: of paxos_queue_pop()
 * @with: what happens along with it, in the same transaction and therefore
 *        exactly once, the item's effect for one; in the order of
 *        paxos_kv_txn(), and its compares must hold, too. May be NULL
 * @n_with: so many
 * @timeout_ms: as of paxos_kv_submit()
 *
 * Context: Process context, sleeps; a fatal signal ends the wait.
 * Return: 0: it does not come again; -EKEYEXPIRED: nothing was done: it is not
 * the caller's any more, since it took too long, and is delivered again, or was
 * acknowledged before; or a compare of @with does not hold; -EINVAL: a name or
 * id that is none; or as paxos_kv_txn(): after -ETIME or -EINTR it may be tried
 * again, and -EKEYEXPIRED then says nothing.
 */
int paxos_queue_ack(struct paxos_kv *kv, const char *name, size_t name_len,
		    const struct paxos_queue_claim *claim,
		    const struct paxos_kv_item *with, u32 n_with, u32 timeout_ms)
{
	struct keys *keys = keys_new(name, name_len, claim->id, claim->id_len);
	struct paxos_kv_request request = { .page = NULL };
	struct paxos_kv_item *items;
	u32 i = 0, n = 0;
	int err;

	if (IS_ERR(keys))
		return PTR_ERR(keys);
	items = kmalloc_array(ACK_ITEMS + (size_t)n_with, sizeof(*items),
			      GFP_NOIO);
	if (!items) {
		kfree(keys);
		return -ENOMEM;
	}
	/* compares come first */
	items[n++] = only_if(PAXOS_KV_TARGET_MOD, &keys->claim,
			     PAXOS_KV_RELATION_EQUAL, claim->token);
	while (i < n_with && with[i].section == PAXOS_KV_SECTION_IF)
		items[n++] = with[i++];
	items[n++] = then_do(PAXOS_KV_OPERATION_DELETE, &keys->claim, NULL, 0, 0);
	items[n++] = then_do(PAXOS_KV_OPERATION_DELETE, &keys->item, NULL, 0, 0);
	items[n++] = then_do(PAXOS_KV_OPERATION_DELETE, &keys->order, NULL, 0, 0);
	while (i < n_with)
		items[n++] = with[i++];
	err = paxos_kv_txn(kv, &request, items, n, timeout_ms);
	kfree(items);
	kfree(keys);
	if (err)
		return err;
	if (!request.succeeded)
		return -EKEYEXPIRED;
	/* it holds nothing any more, and would end by itself */
	paxos_kv_revoke(kv, claim->lease, timeout_ms);
	return 0;
}
EXPORT_SYMBOL_GPL(paxos_queue_ack);
