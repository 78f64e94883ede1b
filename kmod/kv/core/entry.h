/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOS_KV_ENTRY_H
#define _PAXOS_KV_ENTRY_H

/*
 * Entries: what the store is told through the log of the group, each one value
 * of at most KV_ENTRY_MAX bytes. All integers are little-endian.
 *
 *	entry	= header, numbers		grant, keep, revoke, compact,
 *						limit, history
 *		| header, counts, items		transaction: compares, then
 *						operations, else operations
 *	item	= fixed part, key, value
 *
 * A value without the magic belongs to somebody else. A later version is not
 * to be passed over: who does not know it stops. What is malformed in this
 * version is so for everybody, and changes nothing.
 */

#include <linux/types.h>

#define KV_MAGIC	0x564b5850	/* "PXKV" */
#define KV_VERSION	1
#define KV_ENTRY_MAX	32768		/* PAXOS_VALUE_MAX */
#define KV_KEY_MAX	1024
#define KV_ITEMS_MAX	512		/* of one section of a transaction */
#define KV_HISTORY_MS	0x8000000000000000ULL	/* a history in ms */

enum kv_type {
	KV_TXN = 1,
	KV_GRANT,	/* number: ttl in ms. The lease's id is the slot */
	KV_KEEP,	/* number: lease */
	KV_REVOKE,	/* number: lease; only: if last renewed in that slot */
	KV_COMPACT,	/* number: forget what was superseded up to it */
	KV_LIMIT,	/* number: bytes */
	KV_HISTORY,	/* number: revisions to keep, or ms; 0: all */
	KV_TYPES,
};

enum kv_section {
	KV_IF = 0,	/* all compares must hold for the second section */
	KV_THEN,
	KV_ELSE,
	KV_SECTIONS,
};

/* What a compare looks at; a key that is not there has 0 for each number. */
enum kv_target {
	KV_ON_VERSION = 1,
	KV_ON_CREATE,
	KV_ON_MOD,
	KV_ON_LEASE,
	KV_ON_VALUE,	/* never holds of a key that is not there */
	KV_TARGETS,
};

enum kv_relation {
	KV_EQUAL = 1,
	KV_NOT_EQUAL,
	KV_LESS,
	KV_GREATER,
	KV_RELATIONS,
};

enum kv_operation {
	KV_PUT = 1,		/* key, value; number: lease, 0: none */
	KV_DELETE,		/* key */
	KV_DELETE_PREFIX,	/* key: the prefix, may be empty */
	KV_GET,			/* key */
	KV_GET_PREFIX,		/* prefix; number: at most so many, 0: all */
	KV_OPERATIONS,
};

/**
 * struct kv_header - begins every entry
 * @instance: of the module at the member that proposed it; with
 * @seq: tells that member which of its proposals this is. The store itself
 *       looks at neither
 */
struct kv_header {
	__le32 magic;
	u8 version;
	u8 type;
	__le16 zero;
	__le64 instance;
	__le64 seq;
};

struct kv_numbers {
	__le64 number;
	__le64 only;
};

struct kv_counts {
	__le16 items[KV_SECTIONS];
	__le16 zero;
};

/* @what: of a compare, target << 4 | relation; else enum kv_operation */
struct kv_wire_item {
	u8 what;
	u8 zero;
	__le16 key_len;
	__le32 value_len;
	__le64 number;
};

/**
 * struct kv_item - a compare or an operation
 * @target: compares only
 * @what: enum kv_relation or enum kv_operation
 */
struct kv_item {
	u8 target;
	u8 what;
	u16 key_len;
	u32 value_len;
	u64 number;
	const u8 *key;
	const u8 *value;
};

/**
 * struct kv_entry - an entry that was found to be well formed
 * @count: items of each section of a transaction
 * @items: the first of them, for kv_entry_next()
 */
struct kv_entry {
	u8 type;
	u64 instance;
	u64 seq;
	u64 number;
	u64 only;
	u16 count[KV_SECTIONS];
	const u8 *items;
};

bool kv_entry_ours(const void *bytes, u32 len);
int kv_entry_decode(const void *bytes, u32 len, struct kv_entry *entry);
const u8 *kv_entry_next(const u8 *at, bool compare, struct kv_item *item);

/**
 * struct kv_writer - an entry in the making
 * @bytes: the caller's, KV_ENTRY_MAX of them
 * @section: of the last item
 * @err: the first thing that did not fit; the entry is not to be used
 */
struct kv_writer {
	u8 *bytes;
	u32 len;
	u8 section;
	int err;
};

void kv_entry_numbers(struct kv_writer *writer, enum kv_type type, u64 number,
		      u64 only);
void kv_entry_txn(struct kv_writer *writer);
void kv_entry_item(struct kv_writer *writer, enum kv_section section,
		   const struct kv_item *item);
void kv_entry_sign(struct kv_writer *writer, u64 instance, u64 seq);

#endif
