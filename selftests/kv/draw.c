// SPDX-License-Identifier: GPL-2.0
/* What clients might propose at random, and what a store comes to. */
#include <stdlib.h>
#include "draw.h"

/* a, b, c, or one of these and another: some are prefixes of others. */
u16 draw_key(struct random *random, u8 key[4])
{
	u16 len = random_between(random, 1, 3);

	for (int i = 0; i < len; i++)
		key[i] = 'a' + random_below(random, 3);
	return len;
}

/* A slot of the past; the leases among them exist, with some luck. */
static u64 draw_slot(struct random *random, u64 slot)
{
	u64 back = random_scale(random, 1, 64);

	return back < slot ? slot - back : slot;
}

static void draw_compare(struct random *random, u64 slot, struct kv_item *item)
{
	item->target = random_between(random, 1, KV_TARGETS - 1);
	item->what = random_between(random, 1, KV_RELATIONS - 1);
	if (item->target == KV_ON_VALUE)
		item->value_len = random_below(random, 3);
	else if (item->target == KV_ON_VERSION)
		item->number = random_below(random, 3);
	else if (random_below(random, 2))
		item->number = draw_slot(random, slot);
}

static void draw_operation(struct random *random, u64 slot,
			   struct kv_item *item)
{
	u64 how = random_below(random, 10);

	item->what = how < 5 ? KV_PUT : how < 7 ? KV_DELETE :
		     how < 8 ? KV_DELETE_PREFIX : how < 9 ? KV_GET :
		     KV_GET_PREFIX;
	if (item->what == KV_PUT) {
		item->value_len = random_below(random, 3) ?
				  random_below(random, 3) :
				  random_below(random, 200);
		if (!random_below(random, 4))
			item->number = draw_slot(random, slot);
	} else if (item->what == KV_GET_PREFIX) {
		item->number = random_below(random, 4);
	}
}

static void draw_txn(struct random *random, u64 slot, struct kv_writer *writer)
{
	static u8 value[256];
	bool plain = random_below(random, 2);

	kv_entry_txn(writer);
	for (int section = plain; section < KV_SECTIONS - plain; section++) {
		u64 n = plain ? 1 : random_below(random, section ? 4 : 3);

		while (n--) {
			struct kv_item item = { 0 };
			u8 key[4];

			if (section == KV_IF)
				draw_compare(random, slot, &item);
			else
				draw_operation(random, slot, &item);
			item.key = key;
			item.key_len = draw_key(random, key);
			if (item.value_len)
				value[0] = random_below(random, 3);
			item.value = value;
			kv_entry_item(writer, section, &item);
		}
	}
}

u32 draw_entry(struct random *random, u64 slot, u8 bytes[KV_ENTRY_MAX])
{
	struct kv_writer writer = { .bytes = bytes };
	u64 how = random_below(random, 100);
	u64 past = draw_slot(random, slot);

	if (how < 75)
		draw_txn(random, slot, &writer);
	else if (how < 81)
		kv_entry_numbers(&writer, KV_GRANT,
				 random_between(random, 1, 9000), 0);
	else if (how < 87)
		kv_entry_numbers(&writer, KV_KEEP, past, 0);
	else if (how < 92)
		kv_entry_numbers(&writer, KV_REVOKE, past,
				 random_below(random, 3) ? past : 0);
	else if (how < 95)
		kv_entry_numbers(&writer, KV_COMPACT, past, 0);
	else if (how < 96)
		kv_entry_numbers(&writer, KV_HISTORY,
				 random_below(random, 3) * 50, 0);
	else if (how < 97)
		kv_entry_numbers(&writer, KV_LIMIT,
				 random_between(random, 4000, 20000), 0);
	else if (how < 98)
		kv_entry_numbers(&writer, KV_GRANT, 0, 0);
	else
		writer.len = random_below(random, 8);
	if (writer.err)
		abort();
	if (writer.len > 23)
		kv_entry_sign(&writer, 7, slot);
	return writer.len;
}

/* FNV-1a, of the snapshot. */
u64 digest(struct kv_store *store)
{
	static u8 piece[KV_PIECE_MAX];
	struct kv_view *view = kv_view_pin(store);
	u64 hash = 0xcbf29ce484222325;
	int len;

	if (!view)
		abort();
	while ((len = kv_view_read(store, view, piece, sizeof(piece))) > 0)
		for (int i = 0; i < len; i++)
			hash = (hash ^ piece[i]) * 0x100000001b3;
	kv_view_unpin(store, view);
	return hash;
}
