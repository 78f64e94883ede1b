// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/string.h>
#include "internal.h"

/* What a read at @revision may see: -ESTALE, -ERANGE: yet to come, or 0. */
static int readable(const struct kv_store *store, u64 revision)
{
	if (revision && revision < store->compacted)
		return -ESTALE;
	return revision > store->applied ? -ERANGE : 0;
}

static const struct kv_version *version_at(const struct kv_key *key,
					   u64 revision)
{
	const struct kv_version *version = key ? key->newest : NULL;

	while (revision && version && version->revision > revision)
		version = version->older;
	return version && version->version ? version : NULL;
}

/**
 * kv_get() - one key
 * @store: to look into
 * @key: of @len bytes
 * @len: of @key
 * @revision: as it was then; 0: now
 * @pair: filled
 *
 * Return: 0; -ENOENT: there is, or was, no such key; -ESTALE: compacted;
 * -ERANGE: @revision is yet to come.
 */
int kv_get(const struct kv_store *store, const void *key, u16 len, u64 revision,
	   struct kv_pair *pair)
{
	const struct kv_version *version;
	int err = readable(store, revision);

	if (err)
		return err;
	version = version_at(kv_key_find(store, key, len), revision);
	if (!version)
		return -ENOENT;
	kv_version_pair(version, pair);
	return 0;
}

/**
 * kv_get_range() - keys with a prefix, in their order
 * @store: to look into
 * @range: which ones; to go on where @range->more says that there are more,
 *         call again with the last key as @after, and the same revision
 * @found: takes each
 * @context: for @found
 *
 * Return: 0; -ESTALE, -ERANGE as kv_get(); -EINVAL: @after lacks the prefix.
 */
int kv_get_range(const struct kv_store *store, struct kv_range *range,
		 kv_found found, void *context)
{
	const struct kv_version *version;
	const struct kv_key *key;
	struct kv_pair pair;
	int err = readable(store, range->revision);

	range->count = 0;
	range->more = false;
	if (err)
		return err;
	if (!range->after) {
		key = kv_key_seek(store, range->prefix, range->prefix_len);
	} else {
		if (range->after_len < range->prefix_len ||
		    memcmp(range->after, range->prefix, range->prefix_len))
			return -EINVAL;
		key = kv_key_seek(store, range->after, range->after_len);
		if (key && key->node.len == range->after_len &&
		    kv_key_has_prefix(key, range->after, range->after_len))
			key = kv_key_next(key);
	}
	for (; key && kv_key_has_prefix(key, range->prefix, range->prefix_len);
	     key = kv_key_next(key)) {
		version = version_at(key, range->revision);
		if (!version)
			continue;
		kv_version_pair(version, &pair);
		range->more = (range->limit && range->count == range->limit) ||
			      !found(context, &pair);
		if (range->more)
			break;
		range->count++;
	}
	return 0;
}

/**
 * kv_watch() - what happened since, in order and without gaps
 * @store: to look into
 * @position: where to begin, and where to go on; revision 0 becomes the next
 *            one to come
 * @prefix: of the keys to tell of
 * @prefix_len: of @prefix
 * @exact: only the one key that is @prefix
 * @found: takes each event; a deletion has version 0
 * @context: for @found
 *
 * It looks at KV_SCAN_MAX versions at most; there may be more while
 * @position->revision is not above @store->applied.
 *
 * Return: how many events were taken; -ESTALE: some of them are compacted away.
 */
int kv_watch(const struct kv_store *store, struct kv_position *position,
	     const void *prefix, u16 prefix_len, bool exact, kv_found found,
	     void *context)
{
	const struct kv_version *version;
	struct kv_pair pair;
	int count = 0, seen;

	if (!position->revision)
		position->revision = store->applied + 1;
	if (position->revision <= store->compacted)
		return -ESTALE;
	version = kv_history_seek(store, position->revision, position->sub);
	for (seen = 0; version && seen < KV_SCAN_MAX; seen++) {
		if (kv_key_has_prefix(version->key, prefix, prefix_len) &&
		    (!exact || version->key->node.len == prefix_len)) {
			kv_version_pair(version, &pair);
			if (!found(context, &pair))
				break;
			count++;
		}
		version = kv_history_next(version);
	}
	if (version) {
		position->revision = version->revision;
		position->sub = version->sub;
	} else if (position->revision <= store->applied) {
		position->revision = store->applied + 1;
		position->sub = 0;
	}
	return count;
}
