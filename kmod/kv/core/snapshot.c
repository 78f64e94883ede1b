// SPDX-License-Identifier: GPL-2.0
#include <asm/byteorder.h>
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/string.h>
#include "internal.h"

/*
 * A snapshot: a head, the leases, the history, an end that counts them. The
 * history in its order is all that there is to know: made again, version by
 * version, it gives every chain, and every lease its keys.
 */
#define KV_SAVED_MAGIC		0x534b5850	/* "PXKS" */
#define KV_SAVED_VERSION	1

enum saved {
	SAVED_HEAD = 1,	/* magic, version, slot, compacted, limit, history */
	SAVED_LEASE,		/* id, ttl, renewed */
	SAVED_VERSION,		/* revision, sub, create, version, lease */
	SAVED_END,		/* leases, versions, used */
};

#define SAVED_NUMBERS	5

/* A record; the key and the value follow. */
struct wire_saved {
	u8 what;
	u8 zero;
	__le16 key_len;
	__le32 value_len;
	__le64 number[SAVED_NUMBERS];
};

static_assert(sizeof(struct wire_saved) == 48, "record");
static_assert(sizeof(struct wire_saved) + KV_KEY_MAX + KV_ENTRY_MAX <=
	      KV_PIECE_MAX, "a piece holds any record");

struct saved_lease {
	u64 id;
	u64 ttl;
	u64 renewed;
};

/**
 * struct kv_view - the store as it was after a slot
 * @slot: that slot
 * @compacted: then; this and the next three are the store's
 * @limit: then
 * @history_kept: then
 * @used: then
 * @next: kind of the record that comes next
 * @at: leases that were read
 * @revision: of the next version to read
 * @sub: its place in there
 * @versions: that were read
 * @count: of @leases
 * @leases: copied, since they change in place
 */
struct kv_view {
	u64 slot;
	u64 compacted;
	u64 limit;
	u64 history_kept;
	u64 used;
	u8 next;
	u64 at;
	u64 revision;
	u32 sub;
	u64 versions;
	u64 count;
	struct saved_lease leases[];
};

/**
 * kv_view_pin() - hold the store as it is now, while it goes on
 * @store: keeps what it would free until kv_view_unpin()
 *
 * Takes as long as there are leases. Return: the view, or NULL: no memory.
 */
struct kv_view *kv_view_pin(struct kv_store *store)
{
	const struct kv_lease *lease;
	struct kv_view *view;
	u64 count = 0;

	for (lease = kv_lease_after(store, 0); lease;
	     lease = kv_lease_next(lease))
		count++;
	view = store->alloc(sizeof(*view) + count * sizeof(*view->leases));
	if (!view)
		return NULL;
	*view = (struct kv_view){
		.slot = store->applied,
		.compacted = store->compacted,
		.limit = store->limit,
		.history_kept = store->history_kept,
		.used = store->used,
		.next = SAVED_HEAD,
		.count = count,
	};
	count = 0;
	for (lease = kv_lease_after(store, 0); lease;
	     lease = kv_lease_next(lease))
		view->leases[count++] = (struct saved_lease){
			.id = lease->id,
			.ttl = lease->ttl,
			.renewed = lease->renewed,
		};
	store->views++;
	return view;
}

void kv_view_unpin(struct kv_store *store, struct kv_view *view)
{
	store->free(view);
	if (!--store->views)
		kv_bury(store);
}

/* Bytes being filled, or found to be too few for another record. */
struct piece {
	u8 *bytes;
	size_t size;
	size_t len;
};

static bool save(struct piece *piece, enum saved what, const u64 *numbers,
		 const struct kv_version *version)
{
	struct wire_saved wire = { .what = what };
	u16 key_len = version ? version->key->node.len : 0;
	u32 value_len = version ? version->value_len : 0;
	int i;

	if (piece->size - piece->len < sizeof(wire) + key_len + value_len)
		return false;
	wire.key_len = cpu_to_le16(key_len);
	wire.value_len = cpu_to_le32(value_len);
	for (i = 0; i < SAVED_NUMBERS; i++)
		wire.number[i] = cpu_to_le64(numbers[i]);
	memcpy(piece->bytes + piece->len, &wire, sizeof(wire));
	piece->len += sizeof(wire);
	if (!version)
		return true;
	memcpy(piece->bytes + piece->len, kv_node_name(&version->key->node),
	       key_len);
	memcpy(piece->bytes + piece->len + key_len, version->value, value_len);
	piece->len += key_len + value_len;
	return true;
}

static bool save_head(struct kv_view *view, struct piece *piece)
{
	const u64 numbers[SAVED_NUMBERS] = {
		(u64)KV_SAVED_MAGIC << 32 | KV_SAVED_VERSION, view->slot,
		view->compacted, view->limit, view->history_kept,
	};

	if (!save(piece, SAVED_HEAD, numbers, NULL))
		return false;
	view->next = SAVED_LEASE;
	return true;
}

static bool save_leases(struct kv_view *view, struct piece *piece)
{
	for (; view->at < view->count; view->at++) {
		const struct saved_lease *lease = &view->leases[view->at];
		const u64 numbers[SAVED_NUMBERS] = {
			lease->id, lease->ttl, lease->renewed,
		};

		if (!save(piece, SAVED_LEASE, numbers, NULL))
			return false;
	}
	view->next = SAVED_VERSION;
	return true;
}

static bool save_versions(const struct kv_store *store, struct kv_view *view,
			  struct piece *piece)
{
	const struct kv_version *version;

	for (version = kv_history_seek(store, view->revision, view->sub);
	     version && version->revision <= view->slot;
	     version = kv_history_next(version)) {
		const u64 numbers[SAVED_NUMBERS] = {
			version->revision, version->sub, version->create,
			version->version, version->lease,
		};

		if (version->died && version->died <= view->slot)
			continue;	/* another view's */
		if (!save(piece, SAVED_VERSION, numbers, version)) {
			view->revision = version->revision;
			view->sub = version->sub;
			return false;
		}
		view->versions++;
	}
	view->next = SAVED_END;
	return true;
}

static bool save_end(struct kv_view *view, struct piece *piece)
{
	const u64 numbers[SAVED_NUMBERS] = {
		view->count, view->versions, view->used,
	};

	if (!save(piece, SAVED_END, numbers, NULL))
		return false;
	view->next = 0;
	return true;
}

/**
 * kv_view_read() - the next piece of a snapshot
 * @store: may have been applied to since the last piece
 * @view: remembers where it is
 * @bytes: to fill
 * @size: of @bytes, at least KV_PIECE_MAX
 *
 * Return: bytes of the piece, 0: that was all.
 */
int kv_view_read(const struct kv_store *store, struct kv_view *view,
		 void *bytes, size_t size)
{
	struct piece piece = { .bytes = bytes, .size = size };

	if (view->next == SAVED_HEAD && !save_head(view, &piece))
		return piece.len;
	if (view->next == SAVED_LEASE && !save_leases(view, &piece))
		return piece.len;
	if (view->next == SAVED_VERSION && !save_versions(store, view, &piece))
		return piece.len;
	if (view->next == SAVED_END)
		save_end(view, &piece);
	return piece.len;
}

/**
 * struct loader - a snapshot being read
 * @store: that it becomes
 * @read: of kv_store_load()
 * @again: likewise
 * @context: likewise
 * @room: for the key and the value of a record
 * @leases: that were read
 * @versions: that were read
 * @revision: of the last one
 * @sub: its place in there
 * @lease: the last one
 */
struct loader {
	struct kv_store *store;
	int (*read)(void *context, void *bytes, size_t len);
	bool (*again)(void *context);
	void *context;
	u8 *room;
	u64 leases;
	u64 versions;
	u64 revision;
	u64 sub;
	u64 lease;
};

static int load_head(struct loader *loader, const u64 *number)
{
	struct kv_store *store = loader->store;

	if (number[0] >> 32 != KV_SAVED_MAGIC)
		return -EINVAL;
	if ((u32)number[0] != KV_SAVED_VERSION)
		return -EPROTO;
	if (number[2] > number[1])
		return -EINVAL;
	store->applied = number[1];
	store->compacted = number[2];
	store->limit = number[3];
	store->history_kept = number[4];
	return 0;
}

static int load_lease(struct loader *loader, const u64 *number)
{
	if (loader->versions || number[0] <= loader->lease ||
	    number[2] < number[0] || number[2] > loader->store->applied)
		return -EINVAL;
	if (!kv_lease_add(loader->store, number[0], number[1], number[2]))
		return -ENOMEM;
	loader->lease = number[0];
	loader->leases++;
	return 0;
}

static int load_version(struct loader *loader, const u64 *number,
			u16 key_len, u32 value_len)
{
	const struct kv_version version = {
		.revision = number[0],
		.sub = number[1],
		.create = number[2],
		.version = number[3],
		.lease = number[4],
		.value_len = value_len,
	};
	bool later = number[0] > loader->revision ||
		     (number[0] == loader->revision && loader->versions &&
		      number[1] > loader->sub);
	int err;

	if (!key_len || !later || number[0] > loader->store->applied ||
	    number[1] > 0xffffffff || number[2] > number[0])
		return -EINVAL;
	err = kv_version_add(loader->store, &version, loader->room, key_len,
			     loader->room + key_len);
	if (err)
		return err;
	loader->revision = number[0];
	loader->sub = number[1];
	loader->versions++;
	return 0;
}

static int load_end(const struct loader *loader, const u64 *number)
{
	return number[0] == loader->leases && number[1] == loader->versions &&
	       number[2] == loader->store->used ? 0 : -EINVAL;
}

static bool again(const struct loader *loader)
{
	return loader->again && loader->again(loader->context);
}

/* 1: that was the last one. */
static int load_record(struct loader *loader, bool first)
{
	u64 number[SAVED_NUMBERS];
	struct wire_saved wire;
	u32 value_len;
	bool head;
	u16 key_len;
	int i, err;

	err = loader->read(loader->context, &wire, sizeof(wire));
	if (err)
		return err;
	key_len = le16_to_cpu(wire.key_len);
	value_len = le32_to_cpu(wire.value_len);
	for (i = 0; i < SAVED_NUMBERS; i++)
		number[i] = le64_to_cpu(wire.number[i]);
	head = wire.what == SAVED_HEAD;
	if (wire.zero || head != first ||
	    key_len > KV_KEY_MAX || value_len > KV_ENTRY_MAX ||
	    (wire.what != SAVED_VERSION && (key_len || value_len)))
		return -EINVAL;
	switch (wire.what) {
	case SAVED_HEAD:
		return load_head(loader, number);
	case SAVED_LEASE:
		do
			err = load_lease(loader, number);
		while (err == -ENOMEM && again(loader));
		return err;
	case SAVED_VERSION:
		err = loader->read(loader->context, loader->room,
				   key_len + value_len);
		if (err)
			return err;
		do
			err = load_version(loader, number, key_len, value_len);
		while (err == -ENOMEM && again(loader));
		return err;
	case SAVED_END:
		return load_end(loader, number) ?: 1;
	}
	return -EINVAL;
}

/**
 * kv_store_load() - make a store of a snapshot
 * @store: of kv_store_init(); if it fails, good for kv_store_clear() only
 * @read: all of @len bytes, or a negative error
 * @again: there was no memory: whether to try again; NULL: no
 * @context: for both
 *
 * Return: 0; -EINVAL: damaged; -EPROTO: of another version; -ENOMEM; or what
 * @read said. The next slot is above @store->applied.
 */
int kv_store_load(struct kv_store *store,
		  int (*read)(void *context, void *bytes, size_t len),
		  bool (*again)(void *context), void *context)
{
	struct loader loader = {
		.store = store,
		.read = read,
		.again = again,
		.context = context,
	};
	bool first = true;
	int err;

	do
		loader.room = store->alloc(KV_KEY_MAX + KV_ENTRY_MAX);
	while (!loader.room && again && again(context));
	if (!loader.room)
		return -ENOMEM;
	do {
		err = load_record(&loader, first);
		first = false;
	} while (!err);
	store->free(loader.room);
	return err == 1 ? 0 : err;
}
