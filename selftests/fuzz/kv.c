// SPDX-License-Identifier: GPL-2.0
/*
 * Whatever the bytes: what decodes as an entry encodes to the same bytes again,
 * applying it leaves the store whole, and so does what loads as a snapshot.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../kv/draw.h"
#include "fuzz.h"

static void broken(const char *what)
{
	fprintf(stderr, "kv: %s\n", what);
	abort();
}

static void check(struct kv_store *store, u64 slot, const u8 *bytes, u32 len)
{
	static u8 again[KV_ENTRY_MAX];
	struct kv_writer writer = { .bytes = again };
	struct kv_result result = { 0 };
	struct kv_entry entry;
	struct kv_item item;
	const u8 *at;
	int err;

	if (kv_entry_ours(bytes, len) && !kv_entry_decode(bytes, len, &entry)) {
		at = entry.items;
		if (entry.type == KV_TXN)
			kv_entry_txn(&writer);
		else
			kv_entry_numbers(&writer, entry.type, entry.number,
					 entry.only);
		for (int section = 0; section < KV_SECTIONS; section++) {
			for (int i = 0; i < entry.count[section]; i++) {
				at = kv_entry_next(at, section == KV_IF, &item);
				kv_entry_item(&writer, section, &item);
			}
		}
		kv_entry_sign(&writer, entry.instance, entry.seq);
		if (writer.err || writer.len != len ||
		    memcmp(again, bytes, len))
			broken("it encodes to other bytes");
	}
	err = kv_apply(store, slot, bytes, len, &result);
	if (err && err != -EPROTO)
		broken("it cannot be applied");
	if (!err && store->applied != slot)
		broken("a slot was passed over");
}

struct file {
	const u8 *at;
	const u8 *end;
};

static int take(void *context, void *bytes, size_t len)
{
	struct file *file = context;

	if (len > (size_t)(file->end - file->at))
		return -EIO;
	memcpy(bytes, file->at, len);
	file->at += len;
	return 0;
}

static void load(const u8 *bytes, size_t len)
{
	struct file file = { bytes, bytes + len };
	struct kv_store store;

	kv_store_init(&store, malloc, free, len);
	if (!kv_store_load(&store, take, NULL, &file))
		digest(&store);
	kv_store_clear(&store);
}

/* A few entries as they may be, then with some bytes changed. */
int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
	static u8 entry[KV_ENTRY_MAX], piece[KV_PIECE_MAX];
	struct input in = { bytes, bytes + size };
	struct random random;
	struct kv_store store;
	struct kv_view *view;
	u64 slot = 1;
	u8 *copy;
	int len;

	kv_store_init(&store, malloc, free, size);
	check(&store, slot++, bytes, size);
	random_seed(&random, input_u16(&in));
	while (in.at < in.end && slot < 64) {
		len = draw_entry(&random, slot, entry);
		for (u32 flips = input_u8(&in) % 4; len && flips; flips--)
			entry[input_u16(&in) % len] ^= input_u8(&in);
		if (len && input_u8(&in) % 8 == 0)
			len -= input_u8(&in) % len;
		copy = malloc(len ? len : 1);	/* to its last byte */
		memcpy(copy, entry, len);
		check(&store, slot++, copy, len);
		free(copy);
	}
	view = kv_view_pin(&store);
	len = kv_view_read(&store, view, piece, sizeof(piece));
	kv_view_unpin(&store, view);
	kv_store_clear(&store);
	for (u32 flips = input_u8(&in) % 4; flips; flips--)
		piece[input_u16(&in) % len] ^= input_u8(&in);
	load(piece, len);
	return 0;
}
