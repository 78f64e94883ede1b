// SPDX-License-Identifier: GPL-2.0
#include "internal.h"

/*
 * The oldest version of a chain that is left has no use at or behind @revision
 * if the next one was there by then, or if it says that the key was not.
 */
static bool useless(const struct kv_version *version, u64 revision)
{
	return !version->version ||
	       (version->newer && version->newer->revision <= revision);
}

/* From the oldest on, so that each version is the last of its chain. */
void kv_compact(struct kv_store *store, u64 slot, u64 revision)
{
	struct kv_version *version, *next;

	for (version = kv_history_seek(store, 0, 0);
	     version && version->revision <= revision; version = next) {
		next = kv_history_next(version);
		if (version->died || !useless(version, revision))
			continue;
		kv_version_unlink(store, version);
		if (store->views) {
			version->died = slot;
			store->graves++;
		} else {
			kv_version_free(store, version);
		}
	}
	store->compacted = revision;
}

/* The last view is gone: free what only they saw. */
void kv_bury(struct kv_store *store)
{
	struct kv_version *version, *next;

	for (version = kv_history_seek(store, 0, 0); version && store->graves;
	     version = next) {
		next = kv_history_next(version);
		if (!version->died)
			continue;
		kv_version_free(store, version);
		store->graves--;
	}
}
