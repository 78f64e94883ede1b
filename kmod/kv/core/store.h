/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOS_KV_STORE_H
#define _PAXOS_KV_STORE_H

/*
 * The store as a state machine: chosen values in, slot by slot; what they did
 * out. It has no clock, lock, thread or random number, so after a slot it is
 * the same at every member.
 *
 * A revision is a slot. Each key has a chain of versions, the newest first; all
 * versions, in the order in which they were made, are the history, which is
 * what a watch reads and what a snapshot is made of. A compaction to revision C
 * removes the versions that had a newer one at C, and deletions up to C; what
 * stands at C and all that came later stays.
 *
 * The caller serialises all calls on one store. Time is his: a lease has a time
 * to live, but nothing here ends it, other than an entry that says so.
 */

#include <linux/list.h>
#include <linux/types.h>
#include "entry.h"
#include "index.h"

#define KV_LIMIT_DEFAULT	(64U << 20)
#define KV_COST			128	/* of a version, a key, a lease */
#define KV_SCAN_MAX		1024	/* versions that a watch passes at once */

/* What an entry did. But for KV_OK it changed nothing. */
enum kv_status {
	KV_OK = 0,
	KV_FOREIGN,		/* it was not for the store */
	KV_MALFORMED,
	KV_NO_SPACE,
	KV_NO_LEASE,
	KV_RENEWED,		/* the lease was, since that slot */
	KV_COMPACTED,		/* that is past already */
	KV_FUTURE,		/* that revision is yet to come */
	KV_STATUSES,
};

/**
 * struct kv_pair - a key and what it was at a revision; or an event
 * @create: revision in which it came to be
 * @mod: of this version
 * @version: counts from 1 at @create; 0: @mod deleted it
 * @lease: 0: none
 *
 * It points into the store: not to be kept beyond the call.
 */
struct kv_pair {
	const u8 *key;
	const u8 *value;
	u16 key_len;
	u32 value_len;
	u64 create;
	u64 mod;
	u64 version;
	u64 lease;
};

/* False: it was not taken, and no more is wanted now. */
typedef bool (*kv_found)(void *context, const struct kv_pair *pair);

/**
 * struct kv_result - what came of an entry
 * @status: enum kv_status
 * @type: enum kv_type, 0 if it is not for the store
 * @succeeded: a transaction did its KV_THEN operations
 * @deleted: keys
 * @lease: that was granted, kept or revoked
 * @instance: of the entry's header, to tell whose it is
 * @seq: likewise
 * @operation: which one of its section runs, for @found
 * @found: set by the caller, or NULL: takes what gets find. What it was given
 *         is void if @status is not KV_OK, or if kv_apply() fails
 * @context: set by the caller
 */
struct kv_result {
	u8 status;
	u8 type;
	bool succeeded;
	u64 deleted;
	u64 lease;
	u64 instance;
	u64 seq;
	u16 operation;
	kv_found found;
	void *context;
};

/**
 * struct kv_lease - keys that are deleted with it
 * @id: slot that granted it
 * @ttl: ms
 * @renewed: slot that granted or kept it last
 * @deadline: the caller's, who has a clock; no part of the state
 * @versions: made under it, in order; those that are current are its keys
 */
struct kv_lease {
	u64 id;
	u64 ttl;
	u64 renewed;
	u64 deadline;
	struct list_head versions;
	struct kv_node node;	/* named by @id; last */
};

/**
 * struct kv_store - all of the state
 * @alloc: memory, not cleared, or NULL
 * @free: gives it back
 * @keys: struct kv_key, by key
 * @history: struct kv_version, by revision and place in it
 * @leases: struct kv_lease, by id
 * @applied: slot of the last value
 * @compacted: 0, or the first revision that can still be read
 * @used: bytes, by the formula of KV_COST, not by what malloc makes of it
 * @limit: of @used; beyond it nothing is put, but all can be deleted
 * @history_kept: what KV_HISTORY said last; who has a clock proposes compactions
 * @views: that are pinned; while there are, nothing of the history is freed
 * @graves: versions that wait for that
 */
struct kv_store {
	void *(*alloc)(size_t size);
	void (*free)(void *memory);
	struct kv_index keys;
	struct kv_index history;
	struct kv_index leases;
	u64 applied;
	u64 compacted;
	u64 used;
	u64 limit;
	u64 history_kept;
	u32 views;
	u64 graves;
};

/* store.c */
void kv_store_init(struct kv_store *store, void *(*alloc)(size_t size),
		   void (*free)(void *memory), u64 seed);
void kv_store_clear(struct kv_store *store);
struct kv_lease *kv_lease_find(const struct kv_store *store, u64 id);
struct kv_lease *kv_lease_after(const struct kv_store *store, u64 id);
struct kv_lease *kv_lease_next(const struct kv_lease *lease);
int kv_lease_keys(const struct kv_lease *lease, kv_found found, void *context);

/* apply.c */
int kv_apply(struct kv_store *store, u64 slot, const void *bytes, u32 len,
	     struct kv_result *result);

/**
 * struct kv_range - which keys, and where to go on
 * @prefix: of the keys; an empty one is that of all
 * @after: only keys behind this one; NULL: all
 * @revision: as they were then; 0: now
 * @limit: at most so many; 0: all
 * @count: out: that were found
 * @more: out: there are more
 */
struct kv_range {
	const void *prefix;
	const void *after;
	u16 prefix_len;
	u16 after_len;
	u64 revision;
	u64 limit;
	u64 count;
	bool more;
};

/* read.c */
int kv_get(const struct kv_store *store, const void *key, u16 len, u64 revision,
	   struct kv_pair *pair);
int kv_get_range(const struct kv_store *store, struct kv_range *range,
		 kv_found found, void *context);

/* Where a watch is: the next event that it has not looked at. */
struct kv_position {
	u64 revision;
	u32 sub;		/* place within the revision */
};

int kv_watch(const struct kv_store *store, struct kv_position *position,
	     const void *prefix, u16 prefix_len, bool exact, kv_found found,
	     void *context);

/* snapshot.c */
#define KV_PIECE_MAX	40960	/* bytes of a piece of a snapshot */

struct kv_view;

struct kv_view *kv_view_pin(struct kv_store *store);
int kv_view_read(const struct kv_store *store, struct kv_view *view,
		 void *bytes, size_t size);
void kv_view_unpin(struct kv_store *store, struct kv_view *view);
int kv_store_load(struct kv_store *store,
		  int (*read)(void *context, void *bytes, size_t len),
		  bool (*again)(void *context), void *context);

#endif
