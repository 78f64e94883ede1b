// SPDX-License-Identifier: GPL-2.0
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "kv.h"

/*
 * Snapshots: a view of the store is pinned, and streamed out piece by piece
 * while applies go on; one that is loaded takes the store's place. A store that
 * was replaced lives until its last view is let go of.
 */
struct pin {
	struct kv_store *store;
	struct kv_view *view;
};

int kv_snapshot_begin(void *context, u64 slot, void **view)
{
	struct kv_replica *replica = context;
	struct pin *pin;
	int err;

	pin = kmalloc(sizeof(*pin), GFP_KERNEL);
	if (!pin)
		return -ENOMEM;
	mutex_lock(&replica->mutex);
	err = replica->error;
	if (!err) {
		pin->store = replica->store;
		pin->view = kv_view_pin(pin->store);
		if (!pin->view)
			err = -ENOMEM;
	}
	mutex_unlock(&replica->mutex);
	if (err)
		kfree(pin);
	else
		*view = pin;
	return err;
}

int kv_snapshot_save(void *context, void *view, struct paxos_snapshot *snapshot)
{
	struct kv_replica *replica = context;
	struct pin *pin = view;
	void *piece;
	int len, err = 0;

	piece = kvmalloc(KV_PIECE_MAX, GFP_KERNEL);
	if (!piece)
		return -ENOMEM;
	do {
		mutex_lock(&replica->mutex);
		len = kv_view_read(pin->store, pin->view, piece, KV_PIECE_MAX);
		mutex_unlock(&replica->mutex);
		err = paxos_snapshot_write(snapshot, piece, len);
	} while (len && !err);
	kvfree(piece);
	return err;
}

void kv_snapshot_end(void *context, void *view)
{
	struct kv_replica *replica = context;
	struct pin *pin = view;
	bool last;

	mutex_lock(&replica->mutex);
	kv_view_unpin(pin->store, pin->view);
	last = pin->store != replica->store && !pin->store->views;
	mutex_unlock(&replica->mutex);
	if (last)
		kv_store_free(pin->store);
	kfree(pin);
}

/* A snapshot on its way to becoming the store. */
struct loading {
	struct kv_replica *replica;
	struct paxos_snapshot *snapshot;
};

static int read_all(void *context, void *bytes, size_t len)
{
	struct loading *loading = context;
	ssize_t got = paxos_snapshot_read(loading->snapshot, bytes, len);

	return got < 0 ? got : got == len ? 0 : -EINVAL;
}

/* Want of memory is no reason to give the store up; apply() waits for it, too. */
static bool load_again(void *context)
{
	struct loading *loading = context;

	msleep(KV_AGAIN_MS);
	return !READ_ONCE(loading->replica->error);
}

/*
 * Watches are answered with what they had, and go on in the history that was
 * loaded, or learn that it was compacted.
 */
int kv_snapshot_load(void *context, u64 slot, struct paxos_snapshot *snapshot)
{
	struct kv_replica *replica = context;
	struct loading loading = { replica, snapshot };
	struct kv_store *store, *old;
	bool last;
	int err;

	do
		store = kv_store_new();
	while (!store && load_again(&loading));
	if (!store)
		return -ENOMEM;
	err = kv_store_load(store, read_all, load_again, &loading);
	if (!err && store->applied > slot)
		err = -EINVAL;
	if (err) {
		kv_store_free(store);
		if (err == -EINVAL || err == -EPROTO)
			pr_err("paxos_kv: group %u: the snapshot of slot %llu does not load: error %d\n",
			       replica->group, slot, err);
		return err;
	}
	mutex_lock(&replica->mutex);
	old = replica->store;
	replica->store = store;
	last = !old->views;
	replica->anew = true;
	kv_calls_loaded(replica, slot);
	kv_watches_tell(replica, true);
	kv_listeners_tell(replica, false);
	mutex_unlock(&replica->mutex);
	if (last)
		kv_store_free(old);
	return 0;
}
