// SPDX-License-Identifier: GPL-2.0
#include <asm/byteorder.h>
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/string.h>
#include "entry.h"

static_assert(sizeof(struct kv_header) == 24, "header");
static_assert(sizeof(struct kv_numbers) == 16, "numbers");
static_assert(sizeof(struct kv_counts) == 8, "counts");
static_assert(sizeof(struct kv_wire_item) == 16, "item");

/* Whether it claims to be an entry, of whatever version. */
bool kv_entry_ours(const void *bytes, u32 len)
{
	__le32 magic;

	if (len < sizeof(magic))
		return false;
	memcpy(&magic, bytes, sizeof(magic));
	return le32_to_cpu(magic) == KV_MAGIC;
}

/* Read the item at @at, which was checked; where the next one is. */
const u8 *kv_entry_next(const u8 *at, bool compare, struct kv_item *item)
{
	struct kv_wire_item wire;

	memcpy(&wire, at, sizeof(wire));
	item->target = compare ? wire.what >> 4 : 0;
	item->what = compare ? wire.what & 15 : wire.what;
	item->key_len = le16_to_cpu(wire.key_len);
	item->value_len = le32_to_cpu(wire.value_len);
	item->number = le64_to_cpu(wire.number);
	item->key = at + sizeof(wire);
	item->value = item->key + item->key_len;
	return item->value + item->value_len;
}

/* What has no meaning must be 0, so that an entry has one form only. */
static bool compare_fine(const struct kv_item *item)
{
	if (!item->target || item->target >= KV_TARGETS || !item->what ||
	    item->what >= KV_RELATIONS || !item->key_len)
		return false;
	return item->target == KV_ON_VALUE ? !item->number : !item->value_len;
}

static bool operation_fine(const struct kv_item *item)
{
	switch (item->what) {
	case KV_PUT:
		return item->key_len;
	case KV_DELETE:
	case KV_GET:
		return item->key_len && !item->value_len && !item->number;
	case KV_DELETE_PREFIX:
		return !item->value_len && !item->number;
	case KV_GET_PREFIX:
		return !item->value_len;
	}
	return false;
}

static bool item_fine(const u8 *at, const u8 *end, enum kv_section section,
		      const u8 **next)
{
	struct kv_wire_item wire;
	struct kv_item item;
	u64 need;

	if (end - at < (long)sizeof(wire))
		return false;
	memcpy(&wire, at, sizeof(wire));
	need = sizeof(wire) + (u64)le16_to_cpu(wire.key_len) +
	       le32_to_cpu(wire.value_len);
	if (need > (u64)(end - at) || wire.zero ||
	    le16_to_cpu(wire.key_len) > KV_KEY_MAX)
		return false;
	*next = kv_entry_next(at, section == KV_IF, &item);
	return section == KV_IF ? compare_fine(&item) : operation_fine(&item);
}

static int decode_txn(const u8 *at, const u8 *end, struct kv_entry *entry)
{
	struct kv_counts counts;
	int section, i;

	if (end - at < (long)sizeof(counts))
		return -EINVAL;
	memcpy(&counts, at, sizeof(counts));
	at += sizeof(counts);
	if (counts.zero)
		return -EINVAL;
	entry->items = at;
	for (section = 0; section < KV_SECTIONS; section++) {
		entry->count[section] = le16_to_cpu(counts.items[section]);
		if (entry->count[section] > KV_ITEMS_MAX)
			return -EINVAL;
		for (i = 0; i < entry->count[section]; i++)
			if (!item_fine(at, end, section, &at))
				return -EINVAL;
	}
	return at == end ? 0 : -EINVAL;
}

static int decode_numbers(const u8 *at, const u8 *end, struct kv_entry *entry)
{
	struct kv_numbers numbers;

	if (end - at != sizeof(numbers))
		return -EINVAL;
	memcpy(&numbers, at, sizeof(numbers));
	entry->number = le64_to_cpu(numbers.number);
	entry->only = le64_to_cpu(numbers.only);
	if (!entry->number && entry->type != KV_HISTORY)
		return -EINVAL;
	if (entry->only && entry->type != KV_REVOKE)
		return -EINVAL;
	return 0;
}

/**
 * kv_entry_decode() - check the whole of an entry
 * @bytes: kv_entry_ours() said yes to them; @entry points into them
 * @len: of @bytes
 * @entry: filled
 *
 * Return: 0; -EPROTO: of a later version; -EINVAL: malformed. @entry's type,
 * instance and seq are set even then, as far as there is a header, else 0.
 */
int kv_entry_decode(const void *bytes, u32 len, struct kv_entry *entry)
{
	const u8 *at = bytes, *end = at + len;
	struct kv_header header;

	memset(entry, 0, sizeof(*entry));
	if (len < sizeof(header) || len > KV_ENTRY_MAX)
		return -EINVAL;
	memcpy(&header, at, sizeof(header));
	at += sizeof(header);
	entry->type = header.type;
	entry->instance = le64_to_cpu(header.instance);
	entry->seq = le64_to_cpu(header.seq);
	if (header.version > KV_VERSION)
		return -EPROTO;
	if (header.version != KV_VERSION || header.zero || !header.type ||
	    header.type >= KV_TYPES)
		return -EINVAL;
	return header.type == KV_TXN ? decode_txn(at, end, entry) :
				       decode_numbers(at, end, entry);
}

static void write_bytes(struct kv_writer *writer, const void *bytes, u32 len)
{
	if (!writer->err && len > KV_ENTRY_MAX - writer->len)
		writer->err = -EMSGSIZE;
	if (writer->err)
		return;
	if (len)
		memcpy(writer->bytes + writer->len, bytes, len);
	writer->len += len;
}

static void write_header(struct kv_writer *writer, enum kv_type type)
{
	const struct kv_header header = {
		.magic = cpu_to_le32(KV_MAGIC),
		.version = KV_VERSION,
		.type = type,
	};

	writer->len = 0;
	writer->section = KV_IF;
	writer->err = 0;
	write_bytes(writer, &header, sizeof(header));
}

/* Begin and end an entry that is no transaction. */
void kv_entry_numbers(struct kv_writer *writer, enum kv_type type, u64 number,
		      u64 only)
{
	const struct kv_numbers numbers = {
		.number = cpu_to_le64(number),
		.only = cpu_to_le64(only),
	};

	write_header(writer, type);
	write_bytes(writer, &numbers, sizeof(numbers));
}

/* Begin a transaction; items follow, section by section. */
void kv_entry_txn(struct kv_writer *writer)
{
	const struct kv_counts counts = { .zero = 0 };

	write_header(writer, KV_TXN);
	write_bytes(writer, &counts, sizeof(counts));
}

/**
 * kv_entry_item() - add to a transaction
 * @writer: of kv_entry_txn()
 * @section: not before that of the last item
 * @item: all of it is checked; -EINVAL, -E2BIG or -EMSGSIZE goes to @writer
 */
void kv_entry_item(struct kv_writer *writer, enum kv_section section,
		   const struct kv_item *item)
{
	u8 *counts = writer->bytes + sizeof(struct kv_header);
	const struct kv_wire_item wire = {
		.what = section == KV_IF ? item->target << 4 | item->what :
					   item->what,
		.key_len = cpu_to_le16(item->key_len),
		.value_len = cpu_to_le32(item->value_len),
		.number = cpu_to_le64(item->number),
	};
	__le16 count;

	if (writer->err)
		return;
	if (section < writer->section || item->key_len > KV_KEY_MAX ||
	    !(section == KV_IF ? compare_fine(item) : operation_fine(item))) {
		writer->err = -EINVAL;
		return;
	}
	writer->section = section;
	memcpy(&count, counts + section * sizeof(count), sizeof(count));
	if (le16_to_cpu(count) == KV_ITEMS_MAX) {
		writer->err = -E2BIG;
		return;
	}
	write_bytes(writer, &wire, sizeof(wire));
	write_bytes(writer, item->key, item->key_len);
	write_bytes(writer, item->value, item->value_len);
	if (writer->err)
		return;
	count = cpu_to_le16(le16_to_cpu(count) + 1);
	memcpy(counts + section * sizeof(count), &count, sizeof(count));
}

/* Say whose it is, before it is proposed. */
void kv_entry_sign(struct kv_writer *writer, u64 instance, u64 seq)
{
	struct kv_header header;

	memcpy(&header, writer->bytes, sizeof(header));
	header.instance = cpu_to_le64(instance);
	header.seq = cpu_to_le64(seq);
	memcpy(writer->bytes, &header, sizeof(header));
}
