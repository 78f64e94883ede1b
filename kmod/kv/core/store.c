// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/string.h>
#include "internal.h"

/**
 * kv_store_init() - an empty store, before the first slot
 * @store: to fill
 * @alloc: see struct kv_store
 * @free: likewise
 * @seed: anything that who chooses the keys cannot guess
 */
void kv_store_init(struct kv_store *store, void *(*alloc)(size_t size),
		   void (*free)(void *memory), u64 seed)
{
	memset(store, 0, sizeof(*store));
	store->alloc = alloc;
	store->free = free;
	store->limit = KV_LIMIT_DEFAULT;
	kv_index_init(&store->keys, seed);
	kv_index_init(&store->history, seed + 1);
	kv_index_init(&store->leases, seed + 2);
}

/* Free all that is in @store, which no view may hold. */
void kv_store_clear(struct kv_store *store)
{
	struct kv_node *node, *next;

	for (node = store->history.head[0]; node; node = next) {
		next = node->next[0];
		store->free(node_version(node));
	}
	for (node = store->keys.head[0]; node; node = next) {
		next = node->next[0];
		store->free(node_key(node));
	}
	for (node = store->leases.head[0]; node; node = next) {
		next = node->next[0];
		store->free(node_lease(node));
	}
}

bool kv_key_has_prefix(const struct kv_key *key, const void *prefix, u16 len)
{
	return key->node.len >= len &&
	       !memcmp(kv_node_name(&key->node), prefix, len);
}

void kv_version_pair(const struct kv_version *version, struct kv_pair *pair)
{
	*pair = (struct kv_pair){
		.key = kv_node_name(&version->key->node),
		.key_len = version->key->node.len,
		.value = version->value,
		.value_len = version->value_len,
		.create = version->create,
		.mod = version->revision,
		.version = version->version,
		.lease = version->lease,
	};
}

static struct kv_key *key_add(struct kv_store *store, const void *name, u16 len)
{
	u8 height = kv_index_height(&store->keys);
	struct kv_key *key;

	key = store->alloc(offsetof(struct kv_key, node) +
			   kv_node_size(height, len));
	if (!key)
		return NULL;
	key->newest = NULL;
	key->versions = 0;
	kv_node_init(&key->node, height, name, len);
	kv_index_insert(&store->keys, &key->node);
	return key;
}

static void key_drop(struct kv_store *store, struct kv_key *key)
{
	kv_index_remove(&store->keys, &key->node);
	store->free(key);
}

static u64 key_cost(const struct kv_key *key)
{
	return KV_COST + key->node.len;
}

/**
 * kv_version_add() - a new version, the last of the history
 * @store: with room for it; nothing here looks at the limit
 * @like: its revision, sub, create, version, lease and value_len
 * @name: the key
 * @len: of it
 * @value: of @like->value_len bytes
 *
 * Return: 0, or -ENOMEM and nothing is changed.
 */
int kv_version_add(struct kv_store *store, const struct kv_version *like,
		   const void *name, u16 len, const void *value)
{
	u8 height = kv_index_height(&store->history);
	size_t size = offsetof(struct kv_version, node) +
		      kv_node_size(height, KV_PLACE_LEN);
	struct kv_key *key = kv_key_find(store, name, len);
	struct kv_version *version;
	struct kv_lease *lease;
	u8 place[KV_PLACE_LEN];

	version = store->alloc(size + like->value_len);
	if (!version)
		return -ENOMEM;
	if (!key)
		key = key_add(store, name, len);
	if (!key) {
		store->free(version);
		return -ENOMEM;
	}
	*version = *like;
	version->died = 0;
	kv_place(place, like->revision, like->sub);
	kv_node_init(&version->node, height, place, sizeof(place));
	version->value = (u8 *)version + size;
	if (like->value_len)
		memcpy(version->value, value, like->value_len);
	kv_index_insert(&store->history, &version->node);

	version->key = key;
	version->newer = NULL;
	version->older = key->newest;
	if (key->newest)
		key->newest->newer = version;
	else
		store->used += key_cost(key);
	key->newest = version;
	key->versions++;
	store->used += KV_COST + version->value_len;

	INIT_LIST_HEAD(&version->leased);
	lease = version->lease ? kv_lease_find(store, version->lease) : NULL;
	if (lease)
		list_add_tail(&version->leased, &lease->versions);
	return 0;
}

/* @version is no part of the state any more; it is an end of its chain. */
void kv_version_unlink(struct kv_store *store, struct kv_version *version)
{
	struct kv_key *key = version->key;

	if (version->newer)
		version->newer->older = version->older;
	else
		key->newest = version->older;
	if (version->older)
		version->older->newer = version->newer;
	version->newer = NULL;
	version->older = NULL;
	store->used -= KV_COST + version->value_len;
	if (!key->newest)
		store->used -= key_cost(key);
	list_del_init(&version->leased);
}

/* And nobody sees @version any more. */
void kv_version_free(struct kv_store *store, struct kv_version *version)
{
	struct kv_key *key = version->key;

	kv_index_remove(&store->history, &version->node);
	store->free(version);
	if (!--key->versions)
		key_drop(store, key);
}

/* A new lease, or NULL: no memory. */
struct kv_lease *kv_lease_add(struct kv_store *store, u64 id, u64 ttl,
			      u64 renewed)
{
	u8 height = kv_index_height(&store->leases);
	struct kv_lease *lease;
	u8 name[8];

	lease = store->alloc(offsetof(struct kv_lease, node) +
			     kv_node_size(height, sizeof(name)));
	if (!lease)
		return NULL;
	lease->id = id;
	lease->ttl = ttl;
	lease->renewed = renewed;
	lease->deadline = 0;
	INIT_LIST_HEAD(&lease->versions);
	kv_name_u64(name, id);
	kv_node_init(&lease->node, height, name, sizeof(name));
	kv_index_insert(&store->leases, &lease->node);
	store->used += KV_COST;
	return lease;
}

/* Versions that were made under it stay, as long as they do. */
void kv_lease_drop(struct kv_store *store, struct kv_lease *lease)
{
	while (!list_empty(&lease->versions))
		list_del_init(lease->versions.next);
	kv_index_remove(&store->leases, &lease->node);
	store->free(lease);
	store->used -= KV_COST;
}

/* The lease, or NULL: there never was, or is no more. */
struct kv_lease *kv_lease_find(const struct kv_store *store, u64 id)
{
	struct kv_node *node;
	u8 name[8];

	kv_name_u64(name, id);
	node = kv_index_find(&store->leases, name, sizeof(name));
	return node ? node_lease(node) : NULL;
}

/* The lease with the lowest id above @id, or NULL. */
struct kv_lease *kv_lease_after(const struct kv_store *store, u64 id)
{
	struct kv_node *node;
	u8 name[8];

	if (id == ~0ULL)
		return NULL;
	kv_name_u64(name, id + 1);
	node = kv_index_seek(&store->leases, name, sizeof(name));
	return node ? node_lease(node) : NULL;
}

/* The one behind @lease, without a search; or NULL. */
struct kv_lease *kv_lease_next(const struct kv_lease *lease)
{
	struct kv_node *next = lease->node.next[0];

	return next ? node_lease(next) : NULL;
}

/* Show the keys of @lease, in the order in which they were put; how many. */
int kv_lease_keys(const struct kv_lease *lease, kv_found found, void *context)
{
	const struct kv_version *version;
	struct kv_pair pair;
	int count = 0;

	list_for_each_entry(version, &lease->versions, leased) {
		if (version->newer)
			continue;
		kv_version_pair(version, &pair);
		if (!found(context, &pair))
			break;
		count++;
	}
	return count;
}
