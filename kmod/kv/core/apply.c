// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include "internal.h"

/*
 * An entry happens whole or not at all. Operations take effect one by one, so
 * that a later one sees what an earlier one did; when one fails, undo() takes
 * the versions of this slot back.
 */

/* An entry that is being applied; @sub: versions that it has made. */
struct change {
	struct kv_store *store;
	struct kv_result *result;
	u64 slot;
	u32 sub;
};

static void undo(struct change *change)
{
	struct kv_version *version;

	while (change->sub) {
		version = kv_history_seek(change->store, change->slot,
					  --change->sub);
		kv_version_unlink(change->store, version);
		kv_version_free(change->store, version);
	}
}

/* Errors are of this member; what is of the entry goes to the status. */
static int refuse(struct change *change, enum kv_status status)
{
	change->result->status = status;
	return 0;
}

static int put(struct change *change, const struct kv_item *item)
{
	struct kv_store *store = change->store;
	struct kv_key *key = kv_key_find(store, item->key, item->key_len);
	const struct kv_version *old = kv_key_current(key);
	const struct kv_version new = {
		.revision = change->slot,
		.sub = change->sub,
		.create = old ? old->create : change->slot,
		.version = old ? old->version + 1 : 1,
		.lease = item->number,
		.value_len = item->value_len,
	};
	u64 cost = KV_COST + item->value_len;
	int err;

	if (!key || !key->newest)
		cost += KV_COST + item->key_len;
	if (store->used + cost > store->limit)
		return refuse(change, KV_NO_SPACE);
	if (new.lease && !kv_lease_find(store, new.lease))
		return refuse(change, KV_NO_LEASE);
	err = kv_version_add(store, &new, item->key, item->key_len,
			     item->value);
	if (!err)
		change->sub++;
	return err;
}

/*
 * What marks a deletion may go beyond the limit: there is one for a put at
 * most, and who has no space must be able to make some.
 */
static int delete(struct change *change, struct kv_key *key)
{
	const struct kv_version mark = {
		.revision = change->slot,
		.sub = change->sub,
	};
	int err;

	if (!kv_key_current(key))
		return 0;
	err = kv_version_add(change->store, &mark, kv_node_name(&key->node),
			     key->node.len, NULL);
	if (err)
		return err;
	change->sub++;
	change->result->deleted++;
	return 0;
}

static int delete_prefix(struct change *change, const struct kv_item *item)
{
	struct kv_key *key;
	int err = 0;

	for (key = kv_key_seek(change->store, item->key, item->key_len);
	     !err && key && kv_key_has_prefix(key, item->key, item->key_len);
	     key = kv_key_next(key))
		err = delete(change, key);
	return err;
}

static void get(struct change *change, const struct kv_item *item)
{
	struct kv_result *result = change->result;
	const struct kv_version *version;
	struct kv_pair pair;

	version = kv_key_current(kv_key_find(change->store, item->key,
					     item->key_len));
	if (!version || !result->found)
		return;
	kv_version_pair(version, &pair);
	result->found(result->context, &pair);
}

static void get_prefix(struct change *change, const struct kv_item *item)
{
	struct kv_range range = {
		.prefix = item->key,
		.prefix_len = item->key_len,
		.limit = item->number,
	};

	if (change->result->found)
		kv_get_range(change->store, &range, change->result->found,
			     change->result->context);
}

static int operate(struct change *change, const struct kv_item *item)
{
	switch (item->what) {
	case KV_PUT:
		return put(change, item);
	case KV_DELETE:
		return delete(change, kv_key_find(change->store, item->key,
						  item->key_len));
	case KV_DELETE_PREFIX:
		return delete_prefix(change, item);
	case KV_GET:
		get(change, item);
		return 0;
	case KV_GET_PREFIX:
		get_prefix(change, item);
		return 0;
	}
	return 0;
}

static int order(u64 a, u64 b)
{
	return a < b ? -1 : a > b;
}

static int order_bytes(const u8 *a, u32 a_len, const u8 *b, u32 b_len)
{
	int first = memcmp(a, b, min(a_len, b_len));

	return first ?: order(a_len, b_len);
}

static bool holds(const struct kv_store *store, const struct kv_item *item)
{
	const struct kv_version *version;
	int sign = 0;

	version = kv_key_current(kv_key_find(store, item->key, item->key_len));
	switch (item->target) {
	case KV_ON_VERSION:
		sign = order(version ? version->version : 0, item->number);
		break;
	case KV_ON_CREATE:
		sign = order(version ? version->create : 0, item->number);
		break;
	case KV_ON_MOD:
		sign = order(version ? version->revision : 0, item->number);
		break;
	case KV_ON_LEASE:
		sign = order(version ? version->lease : 0, item->number);
		break;
	case KV_ON_VALUE:
		if (!version)
			return false;
		sign = order_bytes(version->value, version->value_len,
				   item->value, item->value_len);
		break;
	}
	switch (item->what) {
	case KV_EQUAL:
		return !sign;
	case KV_NOT_EQUAL:
		return sign;
	case KV_LESS:
		return sign < 0;
	default:
		return sign > 0;
	}
}

static int transact(struct change *change, const struct kv_entry *entry)
{
	struct kv_result *result = change->result;
	const u8 *at = entry->items;
	struct kv_item item;
	int section, i, err;
	bool taken;

	result->succeeded = true;
	for (i = 0; i < entry->count[KV_IF]; i++) {
		at = kv_entry_next(at, true, &item);
		result->succeeded &= holds(change->store, &item);
	}
	for (section = KV_THEN; section < KV_SECTIONS; section++) {
		taken = section == KV_THEN ? result->succeeded :
					     !result->succeeded;
		for (i = 0; i < entry->count[section]; i++) {
			at = kv_entry_next(at, false, &item);
			if (!taken)
				continue;
			result->operation = i;
			err = operate(change, &item);
			if (err || result->status)
				return err;
		}
	}
	return 0;
}

static int grant(struct change *change, u64 ttl)
{
	struct kv_store *store = change->store;

	if (store->used + KV_COST > store->limit)
		return refuse(change, KV_NO_SPACE);
	if (!kv_lease_add(store, change->slot, ttl, change->slot))
		return -ENOMEM;
	change->result->lease = change->slot;
	return 0;
}

static int keep(struct change *change, u64 id)
{
	struct kv_lease *lease = kv_lease_find(change->store, id);

	if (!lease)
		return refuse(change, KV_NO_LEASE);
	lease->renewed = change->slot;
	change->result->lease = id;
	return 0;
}

/*
 * The end of a lease, by its holder, or since its time is over. The latter says
 * which renewal it knew as the last: one that came in between wins.
 */
static int revoke(struct change *change, u64 id, u64 only)
{
	struct kv_lease *lease = kv_lease_find(change->store, id);
	struct kv_version *version;
	int err;

	if (!lease)
		return refuse(change, KV_NO_LEASE);
	if (only && lease->renewed != only)
		return refuse(change, KV_RENEWED);
	list_for_each_entry(version, &lease->versions, leased) {
		if (version->newer)
			continue;
		err = delete(change, version->key);
		if (err)
			return err;
	}
	kv_lease_drop(change->store, lease);
	change->result->lease = id;
	return 0;
}

static int compact(struct change *change, u64 revision)
{
	struct kv_store *store = change->store;

	if (revision >= change->slot)
		return refuse(change, KV_FUTURE);
	if (revision <= store->compacted)
		return refuse(change, KV_COMPACTED);
	kv_compact(store, change->slot, revision);
	return 0;
}

static int change_by(struct change *change, const struct kv_entry *entry)
{
	switch (entry->type) {
	case KV_TXN:
		return transact(change, entry);
	case KV_GRANT:
		return grant(change, entry->number);
	case KV_KEEP:
		return keep(change, entry->number);
	case KV_REVOKE:
		return revoke(change, entry->number, entry->only);
	case KV_COMPACT:
		return compact(change, entry->number);
	case KV_LIMIT:
		change->store->limit = entry->number;
		return 0;
	case KV_HISTORY:
		change->store->history_kept = entry->number;
		return 0;
	}
	return 0;
}

/**
 * kv_apply() - the next value of the log
 * @store: becomes what it is after @slot
 * @slot: of the value; above the last one
 * @bytes: the value, whoever's it is
 * @len: of @bytes
 * @result: filled; @found and @context are the caller's
 *
 * Return: 0: applied, and @result says what it did. Otherwise nothing is
 * changed: -ENOMEM: try again, the slot must not be passed over; -ESTALE: @slot
 * was applied before; -EPROTO: the entry is of a later version than this
 * program knows, so the store must stop here.
 */
int kv_apply(struct kv_store *store, u64 slot, const void *bytes, u32 len,
	     struct kv_result *result)
{
	struct change change = {
		.store = store,
		.result = result,
		.slot = slot,
	};
	struct kv_entry entry;
	int err;

	*result = (struct kv_result){
		.found = result->found,
		.context = result->context,
	};
	if (slot <= store->applied)
		return -ESTALE;
	if (!kv_entry_ours(bytes, len)) {
		result->status = KV_FOREIGN;
		store->applied = slot;
		return 0;
	}
	err = kv_entry_decode(bytes, len, &entry);
	if (err == -EPROTO)
		return err;
	result->type = entry.type;
	result->instance = entry.instance;
	result->seq = entry.seq;
	if (err) {
		result->status = KV_MALFORMED;
	} else {
		err = change_by(&change, &entry);
		if (err || result->status) {
			undo(&change);
			result->succeeded = false;
			result->deleted = 0;
		}
		if (err)
			return err;
	}
	store->applied = slot;
	return 0;
}
