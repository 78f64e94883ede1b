// SPDX-License-Identifier: GPL-2.0
#include <linux/minmax.h>
#include "kv.h"

/*
 * Compaction by itself: the store says how much history it keeps, and a leader
 * that can decide something proposes the end of what is older. Where the
 * leader's host does not hold the store, another that does proposes it later.
 *
 * A time counts from when this member applied a revision, so what is kept may
 * be too much, after a restart or on a new leader, but never too little.
 */
#define AGAIN_MS	1000	/* that a proposal may take, and at most so often */
#define OTHERS_MS	5000	/* that it is due before any other does it */
#define SHARE		3	/* it is done when 1/8 more has come together */
#define AGE_LEAST_MS	100

/* Note how far the store is, and say how far it was @ms ago. */
static u64 revision_before(struct kv_replica *replica, u64 ms, u64 now)
{
	struct kv_age *ages = replica->ages;
	u64 gap = max_t(u64, ms >> SHARE, AGE_LEAST_MS);
	int i;

	if (!ages[0].revision || now - ages[0].time >= gap) {
		memmove(&ages[1], &ages[0], sizeof(replica->ages) -
			sizeof(ages[0]));
		ages[0].time = now;
		ages[0].revision = replica->store->applied;
	}
	for (i = 0; i < KV_AGES; i++)
		if (ages[i].revision && ages[i].time + ms <= now)
			return ages[i].revision;
	return 0;
}

static void propose(struct kv_replica *replica, u64 revision, u64 now)
{
	struct kv_answer nobody = { .skb = NULL };
	u8 bytes[sizeof(struct kv_header) + sizeof(struct kv_numbers)];
	struct kv_writer writer = { .bytes = bytes };

	kv_entry_numbers(&writer, KV_COMPACT, revision, 0);
	if (!kv_call(replica, &nobody, &writer, GFP_NOIO, AGAIN_MS))
		replica->compact_at = now + AGAIN_MS;
}

/*
 * A compaction is a revision of its own, so one revision more than is kept is
 * no reason for another.
 */
void kv_history_tick(struct kv_replica *replica, bool leads)
{
	const struct kv_store *store = replica->store;
	u64 kept = store->history_kept;
	u64 now = kv_now_ms();
	u64 revision, more = 1;

	lockdep_assert_held(&replica->mutex);
	if (!kept)
		return;
	if (kept & KV_HISTORY_MS) {
		revision = revision_before(replica, kept & ~KV_HISTORY_MS, now);
	} else {
		revision = store->applied > kept ? store->applied - kept : 0;
		more = max_t(u64, more, kept >> SHARE);
	}
	if (revision <= store->compacted + more) {
		replica->compact_due = 0;
		return;
	}
	if (!replica->compact_due)
		replica->compact_due = now;
	if (now >= replica->compact_at &&
	    (leads || now - replica->compact_due >= OTHERS_MS))
		propose(replica, revision, now);
}
