// SPDX-License-Identifier: GPL-2.0
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>
#include "kv.h"

/*
 * The store of a group on this host: it applies what the group chooses, and
 * where this member leads it proposes the end of leases whose time is over.
 */
#define TICK_MS		100
#define EXPIRE_MS	5000	/* that the end of a lease may take */

static void *store_alloc(size_t size)
{
	return kvmalloc(size, GFP_KERNEL | __GFP_NOWARN);
}

static void store_free(void *memory)
{
	kvfree(memory);
}

u64 kv_now_ms(void)
{
	return ktime_to_ms(ktime_get_boottime());
}

struct kv_store *kv_store_new(void)
{
	struct kv_store *store = kmalloc(sizeof(*store), GFP_KERNEL);

	if (store)
		kv_store_init(store, store_alloc, store_free,
			      get_random_u64());
	return store;
}

void kv_store_free(struct kv_store *store)
{
	kv_store_clear(store);
	kfree(store);
}

/* The time of a lease begins when it is applied here, so never too early. */
static void lease_begin(struct kv_lease *lease)
{
	if (lease)
		lease->deadline = kv_now_ms() + min_t(u64, lease->ttl, S64_MAX);
}

/* Who waits for what will not be applied here hears so. */
static void give_up(struct kv_replica *replica)
{
	lockdep_assert_held(&replica->mutex);
	kv_calls_end(replica, NULL, NULL);
	kv_watches_tell(replica, true);
	kv_listeners_tell(replica, true);
}

/* Nothing of the group's is of use to this host any more. */
static void replica_stop(struct kv_replica *replica, int error)
{
	lockdep_assert_held(&replica->mutex);
	if (replica->error)
		return;
	WRITE_ONCE(replica->error, error);
	give_up(replica);
}

/* A slot is never passed over; without memory it is tried again. */
static void replica_apply(void *context, u64 slot, const void *bytes, u32 len)
{
	struct kv_replica *replica = context;
	struct kv_result result = { .status = KV_OK };
	int err = 0;

	mutex_lock(&replica->mutex);
	while (!replica->error) {
		err = kv_call_apply(replica, slot, bytes, len, &result);
		if (err != -ENOMEM)
			break;
		mutex_unlock(&replica->mutex);
		msleep(KV_AGAIN_MS);
		mutex_lock(&replica->mutex);
	}
	if (replica->error)
		goto out;
	if (err == -EPROTO) {
		pr_err("paxos_kv: group %u: slot %llu is of a later version of the store: upgrade this host\n",
		       replica->group, slot);
		replica_stop(replica, err);
		goto out;
	}
	if (!err && !result.status &&
	    (result.type == KV_GRANT || result.type == KV_KEEP))
		lease_begin(kv_lease_find(replica->store, result.lease));
	kv_watches_tell(replica, false);
	kv_listeners_tell(replica, false);
out:
	mutex_unlock(&replica->mutex);
}

static void replica_stopped(void *context, int error)
{
	struct kv_replica *replica = context;

	mutex_lock(&replica->mutex);
	replica_stop(replica, error);
	mutex_unlock(&replica->mutex);
}

/* While the group could decide nothing, nobody could keep a lease. */
static void replica_quorum(void *context, bool there)
{
	struct kv_replica *replica = context;

	mutex_lock(&replica->mutex);
	replica->anew = there;
	mutex_unlock(&replica->mutex);
}

static const struct paxos_handle_ops replica_ops = {
	.name = "kv",
	.apply = replica_apply,
	.quorum = replica_quorum,
	.stop = replica_stopped,
	.snapshot_begin = kv_snapshot_begin,
	.snapshot_save = kv_snapshot_save,
	.snapshot_end = kv_snapshot_end,
	.snapshot_load = kv_snapshot_load,
};

/* May @replica->handle be used? 0 until kv_replica_leave(), or the error. */
int kv_replica_enter(struct kv_replica *replica)
{
	int err;

	/* fully ordered: either we see the error, or who set it sees us */
	atomic_inc_return(&replica->users);
	err = READ_ONCE(replica->error);
	if (err)
		kv_replica_leave(replica);
	return err;
}

void kv_replica_leave(struct kv_replica *replica)
{
	if (atomic_dec_and_test(&replica->users))
		wake_up_var(&replica->users);
}

/* 0: what @replica holds may be told and changed; or why not. */
int kv_replica_able(struct kv_replica *replica)
{
	int err = kv_replica_enter(replica);

	if (err)
		return err;
	if (paxos_halted(replica->handle))
		err = -EBADMSG;
	kv_replica_leave(replica);
	return err;
}

/*
 * Propose the end of a lease. It counts only if the lease was not kept since;
 * should the proposal be lost, the next tick behind @deadline makes another.
 * However many end at once, half of the calls are left for who asks.
 */
static int expire(struct kv_replica *replica, struct kv_lease *lease)
{
	struct kv_answer nobody = { .skb = NULL };
	u8 bytes[sizeof(struct kv_header) + sizeof(struct kv_numbers)];
	struct kv_writer writer = { .bytes = bytes };
	int err;

	if (READ_ONCE(replica->n_calls) >= KV_CALLS_MAX / 2)
		return -EAGAIN;
	kv_entry_numbers(&writer, KV_REVOKE, lease->id, lease->renewed);
	err = kv_call(replica, &nobody, &writer, GFP_NOIO, EXPIRE_MS);
	if (!err)
		lease->deadline = kv_now_ms() + EXPIRE_MS;
	return err;
}

/*
 * A new leader cannot know how long the others have waited, so each lease has
 * all of its time again; and so it has when the group can decide again. Where
 * the leader's host does not hold the store, the others propose, after as long
 * again, and the leader takes it from there.
 */
static void watch_leases(struct kv_replica *replica, bool leads)
{
	bool anew = replica->anew || (leads && !replica->led);
	struct kv_lease *lease;
	u64 now = kv_now_ms();

	replica->anew = false;
	for (lease = kv_lease_after(replica->store, 0); lease;
	     lease = kv_lease_next(lease)) {
		if (!lease->deadline || anew)
			lease_begin(lease);
		else if (lease->deadline <= now &&
			 (leads || now - lease->deadline >= lease->ttl) &&
			 expire(replica, lease))
			break;
	}
}

static void tick(struct work_struct *work)
{
	struct kv_replica *replica =
		container_of(to_delayed_work(work), struct kv_replica, tick);
	bool leads = paxos_leads(replica->handle);
	bool halted = paxos_halted(replica->handle);

	mutex_lock(&replica->mutex);
	if (!replica->error) {
		if (halted)
			give_up(replica);
		else
			watch_leases(replica, leads);
		kv_history_tick(replica, leads);
		replica->led = leads;
		kv_watches_tell(replica, false);
		queue_delayed_work(kv_queue, &replica->tick,
				   msecs_to_jiffies(TICK_MS));
	}
	mutex_unlock(&replica->mutex);
}

static void replica_free(struct kref *refs)
{
	struct kv_replica *replica =
		container_of(refs, struct kv_replica, refs);

	if (replica->store)
		kv_store_free(replica->store);
	kfree(replica);
}

void kv_replica_put(struct kv_replica *replica)
{
	kref_put(&replica->refs, replica_free);
}

static struct kv_replica *replica_open(struct net *net, u32 group)
{
	struct kv_replica *replica = kzalloc(sizeof(*replica), GFP_KERNEL);
	struct paxos_handle *handle;

	if (!replica)
		return ERR_PTR(-ENOMEM);
	kref_init(&replica->refs);
	replica->net = net;
	replica->group = group;
	mutex_init(&replica->mutex);
	spin_lock_init(&replica->lock);
	INIT_LIST_HEAD(&replica->watches);
	INIT_LIST_HEAD(&replica->listeners);
	INIT_LIST_HEAD(&replica->calls);
	INIT_DELAYED_WORK(&replica->tick, tick);
	replica->instance = get_random_u64();
	replica->store = kv_store_new();
	replica->queue = alloc_workqueue("paxos_kv_%u",
					 WQ_MEM_RECLAIM | WQ_UNBOUND, 0, group);
	handle = replica->store && replica->queue ?
		paxos_open(net, group, 1, &replica_ops, replica, 0) :
		ERR_PTR(-ENOMEM);
	if (IS_ERR(handle)) {
		if (replica->queue)
			destroy_workqueue(replica->queue);
		kv_replica_put(replica);
		return ERR_CAST(handle);
	}
	replica->handle = handle;
	queue_delayed_work(kv_queue, &replica->tick, 0);
	return replica;
}

/* Nothing calls in any more when this returns. */
static void replica_close(struct kv_replica *replica)
{
	mutex_lock(&replica->mutex);
	replica_stop(replica, -ESHUTDOWN);
	mutex_unlock(&replica->mutex);
	cancel_delayed_work_sync(&replica->tick);
	/* pairs with kv_replica_enter() */
	smp_mb();
	wait_var_event(&replica->users, !atomic_read(&replica->users));
	destroy_workqueue(replica->queue);
	paxos_close(replica->handle);
	kv_replica_put(replica);
}

/**
 * kv_replica_get() - the store of a group on this host
 * @net: of the group
 * @group: its id; who asks first makes this host hold the store
 *
 * The store of a group that was deleted gives way to a new one, also where it
 * was stopped for another reason before.
 *
 * Return: with a reference, for kv_replica_put(); or ERR_PTR() of -ENOENT: no
 * such group; -ENOMEM.
 */
struct kv_replica *kv_replica_get(struct net *net, u32 group)
{
	struct kv_net *replicas = kv_net(net);
	struct kv_replica *replica, *gone = NULL;
	int err = 0;

	mutex_lock(&replicas->mutex);
	replica = xa_load(&replicas->replicas, group);
	if (replica && paxos_gone(replica->handle)) {
		gone = xa_erase(&replicas->replicas, group);
		replica = NULL;
	}
	if (!replica) {
		replica = replica_open(net, group);
		if (IS_ERR(replica))
			err = PTR_ERR(replica);
		else
			err = xa_err(xa_store(&replicas->replicas, group,
					      replica, GFP_KERNEL));
	}
	if (!err)
		kref_get(&replica->refs);
	mutex_unlock(&replicas->mutex);
	if (gone)
		replica_close(gone);
	if (!err)
		return replica;
	if (!IS_ERR(replica))
		replica_close(replica);
	return ERR_PTR(err);
}

void kv_replicas_close(struct kv_net *replicas)
{
	struct kv_replica *replica;
	unsigned long group;

	/* nobody is there to add one */
	xa_for_each(&replicas->replicas, group, replica) {
		xa_erase(&replicas->replicas, group);
		replica_close(replica);
	}
}
