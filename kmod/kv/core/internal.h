/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOS_KV_INTERNAL_H
#define _PAXOS_KV_INTERNAL_H

#include "store.h"

/**
 * struct kv_key - a key that some version speaks of
 * @newest: first of its chain; NULL if all were compacted away, and only a view
 *          still sees them
 * @versions: of it in the history
 */
struct kv_key {
	struct kv_version *newest;
	u64 versions;
	struct kv_node node;	/* named by the key; last */
};

/**
 * struct kv_version - a key from one revision to the next, or its deletion
 * @died: slot of the compaction that removed it; a view from before sees it
 * @leased: in &kv_lease.versions
 * @value: behind @node's name
 */
struct kv_version {
	struct kv_key *key;
	struct kv_version *newer;
	struct kv_version *older;
	u64 revision;
	u64 create;
	u64 version;
	u64 lease;
	u64 died;
	u32 sub;
	u32 value_len;
	struct list_head leased;
	u8 *value;
	struct kv_node node;	/* named by @revision and @sub; last */
};

#define KV_PLACE_LEN	12

#define node_key(at)		list_entry(at, struct kv_key, node)
#define node_version(at)	list_entry(at, struct kv_version, node)
#define node_lease(at)		list_entry(at, struct kv_lease, node)

static inline void kv_place(u8 *name, u64 revision, u32 sub)
{
	u8 low[8];
	int i;

	kv_name_u64(name, revision);
	kv_name_u64(low, sub);
	for (i = 0; i < 4; i++)
		name[8 + i] = low[4 + i];
}

/* The first version of the history that is not before. */
static inline struct kv_version *kv_history_seek(const struct kv_store *store,
						 u64 revision, u32 sub)
{
	u8 name[KV_PLACE_LEN];
	struct kv_node *node;

	kv_place(name, revision, sub);
	node = kv_index_seek(&store->history, name, sizeof(name));
	return node ? node_version(node) : NULL;
}

static inline struct kv_version *kv_history_next(const struct kv_version *at)
{
	return at->node.next[0] ? node_version(at->node.next[0]) : NULL;
}

static inline struct kv_key *kv_key_find(const struct kv_store *store,
					 const void *key, u16 len)
{
	struct kv_node *node = kv_index_find(&store->keys, key, len);

	return node ? node_key(node) : NULL;
}

/* The first key that is not below, and has @prefix. */
static inline struct kv_key *kv_key_seek(const struct kv_store *store,
					 const void *prefix, u16 len)
{
	struct kv_node *node = kv_index_seek(&store->keys, prefix, len);

	return node ? node_key(node) : NULL;
}

static inline struct kv_key *kv_key_next(const struct kv_key *at)
{
	return at->node.next[0] ? node_key(at->node.next[0]) : NULL;
}

/* The version that counts now, or NULL. */
static inline struct kv_version *kv_key_current(const struct kv_key *key)
{
	return key && key->newest && key->newest->version ? key->newest : NULL;
}

/* store.c */
bool kv_key_has_prefix(const struct kv_key *key, const void *prefix, u16 len);
void kv_version_pair(const struct kv_version *version, struct kv_pair *pair);
int kv_version_add(struct kv_store *store, const struct kv_version *like,
		   const void *key, u16 key_len, const void *value);
void kv_version_unlink(struct kv_store *store, struct kv_version *version);
void kv_version_free(struct kv_store *store, struct kv_version *version);
struct kv_lease *kv_lease_add(struct kv_store *store, u64 id, u64 ttl,
			      u64 renewed);
void kv_lease_drop(struct kv_store *store, struct kv_lease *lease);

/* compact.c */
void kv_compact(struct kv_store *store, u64 slot, u64 revision);
void kv_bury(struct kv_store *store);

#endif
