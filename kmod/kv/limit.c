// SPDX-License-Identifier: GPL-2.0
#include <linux/export.h>
#include "kv.h"

/* linux/paxos_kv.h: how much a store may hold, and how full it is. */

/* As the store is here; or why it is of no use. */
int kv_info(struct kv_replica *replica, struct paxos_kv_info *info)
{
	const struct kv_store *store;
	u64 kept;
	int err;

	mutex_lock(&replica->mutex);
	err = kv_replica_able(replica);
	store = replica->store;
	kept = store->history_kept;
	*info = (struct paxos_kv_info){
		.revision = store->applied,
		.compacted = store->compacted,
		.used = store->used,
		.limit = store->limit,
		.revisions = kept & KV_HISTORY_MS ? 0 : kept,
		.period_ms = kept & KV_HISTORY_MS ? kept & ~KV_HISTORY_MS : 0,
		.leads = replica->led,
	};
	mutex_unlock(&replica->mutex);
	return err;
}

/**
 * paxos_kv_info() - how full a store is, as far as this host knows
 * @kv: the store
 * @info: filled
 *
 * Context: Process context, sleeps. Not from done().
 * Return: 0; -ESHUTDOWN, -ENOTRECOVERABLE, -EPROTO, -EBADMSG as in
 * linux/paxos_kv.h.
 */
int paxos_kv_info(struct paxos_kv *kv, struct paxos_kv_info *info)
{
	int err = kv_info(kv->replica, info);

	return err == -ESTALE ? -ENOTRECOVERABLE : err;
}
EXPORT_SYMBOL_GPL(paxos_kv_info);

/**
 * paxos_kv_limit() - the most that a store may hold, on all hosts
 * @kv: the store
 * @bytes: history included; a version, a key and a lease count 128 besides their
 *         own. Beyond it nothing is put; all can be deleted and compacted
 * @timeout_ms: as of paxos_kv_submit()
 *
 * Context, Return: as paxos_kv_txn(); -EINVAL: @bytes is 0.
 */
int paxos_kv_limit(struct paxos_kv *kv, u64 bytes, u32 timeout_ms)
{
	return kv_user_numbers(kv, KV_LIMIT, bytes, NULL, timeout_ms);
}
EXPORT_SYMBOL_GPL(paxos_kv_limit);

/**
 * paxos_kv_history() - how much history is kept, on all hosts
 * @kv: the store
 * @revisions: so many; or
 * @period_ms: what is younger. Both 0: all. What is older is compacted, an eighth
 *             of it at a time
 * @timeout_ms: as of paxos_kv_submit()
 *
 * Context, Return: as paxos_kv_txn(); -EINVAL: both were given, or more than
 * S64_MAX.
 */
int paxos_kv_history(struct paxos_kv *kv, u64 revisions, u64 period_ms,
		     u32 timeout_ms)
{
	u64 kept = revisions ?: period_ms;

	if ((revisions && period_ms) || kept & KV_HISTORY_MS)
		return -EINVAL;
	if (period_ms)
		kept |= KV_HISTORY_MS;
	return kv_user_numbers(kv, KV_HISTORY, kept, NULL, timeout_ms);
}
EXPORT_SYMBOL_GPL(paxos_kv_history);
