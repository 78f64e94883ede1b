// SPDX-License-Identifier: GPL-2.0
#include <linux/err.h>
#include <linux/export.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include "handle.h"

/*
 * Taking hold of a group, and letting go.
 *
 * A handle has a queue of its own: one whose consumer does not return, or waits
 * for memory, takes no worker from another's.
 */

static DECLARE_WAIT_QUEUE_HEAD(started);

/* @group has been started: who waits to open one looks again. */
void paxos_handles_started(struct paxos_group *group)
{
	struct paxos_handle *handle;

	lockdep_assert_held(&group->lock);
	list_for_each_entry(handle, &group->handles, node) {
		if (!handle->from_now)
			continue;
		handle->from_now = false;
		handle->next = group->core.commit + 1;
		handle->applied = group->core.commit;
		queue_work(handle->queue, &handle->work);
	}
	wake_up_all(&started);
}

static bool runs(struct net *net, u32 id)
{
	struct paxos_group *group;
	bool is = false;

	rcu_read_lock();
	group = xa_load(&paxos_net(net)->groups, id);
	if (group) {
		paxos_group_lock(group);
		is = !group->dead && group->core.state == PAXOS_RUNNING;
		paxos_group_unlock(group);
	}
	rcu_read_unlock();
	return is;
}

static int await(struct net *net, u32 id, u32 timeout_ms)
{
	long left;

	if (!timeout_ms)
		return 0;
	left = wait_event_killable_timeout(started, runs(net, id),
					   msecs_to_jiffies(timeout_ms));
	if (left < 0)
		return -EINTR;
	return left ? 0 : -ETIMEDOUT;
}

static void handle_free(struct paxos_handle *handle)
{
	if (handle->queue)
		destroy_workqueue(handle->queue);
	kvfree(handle->bytes);
	kfree(handle);
}

static struct paxos_handle *handle_new(const struct paxos_handle_ops *ops,
				       void *context)
{
	struct paxos_handle *handle = kzalloc(sizeof(*handle), GFP_KERNEL);

	if (!handle)
		return NULL;
	handle->ops = ops;
	handle->context = context;
	handle->viewed = PAXOS_NOT_VIEWED;
	handle->quorum = -1;
	INIT_LIST_HEAD(&handle->node);
	INIT_LIST_HEAD(&handle->requests);
	INIT_WORK(&handle->work, paxos_apply_work);
	init_waitqueue_head(&handle->wait);
	refcount_set(&handle->refs, 1);
	init_completion(&handle->idle);
	if (!ops)
		return handle;
	handle->bytes = kvmalloc(PAXOS_VALUE_MAX, GFP_KERNEL);
	handle->queue = alloc_workqueue("paxos_%s",
					WQ_MEM_RECLAIM | WQ_UNBOUND, 0,
					ops->name);
	paxos_consumer_init(&handle->consumer, ops, context, &handle->next,
			    handle->queue, &handle->work);
	if (handle->bytes && handle->queue)
		return handle;
	handle_free(handle);
	return NULL;
}

static bool has_room(const struct paxos_group *group)
{
	const struct list_head *node;
	unsigned int count = 0;

	list_for_each(node, &group->handles)
		count++;
	return count < PAXOS_NL_CONSUMERS_MAX;
}

/* In the group's list, if it is alive: it is told of what comes. */
static int join(struct paxos_handle *handle, u64 first)
{
	struct paxos_group *group = handle->group;
	int err = 0;

	paxos_group_lock(group);
	if (group->dead) {
		err = -ENOENT;
	} else if (handle->ops && !has_room(group)) {
		err = -ENOSPC;
	} else {
		/* What is being restored was chosen before. */
		handle->from_now = !first && group->core.state ==
				   PAXOS_RESTORING;
		handle->next = first ?: group->core.commit + 1;
		handle->applied = handle->next - 1;
		if (handle->ops) {
			list_add_tail(&handle->node, &group->handles);
			paxos_consumer_enter(&handle->consumer, group);
			queue_work(handle->queue, &handle->work);
		}
	}
	paxos_group_unlock(group);
	return err;
}

static bool ops_valid(const struct paxos_handle_ops *ops)
{
	return ops->apply && ops->name && *ops->name &&
	       !ops->snapshot_begin == !ops->snapshot_save &&
	       !ops->snapshot_begin == !ops->snapshot_end &&
	       strnlen(ops->name, PAXOS_NAME_MAX + 1) <= PAXOS_NAME_MAX;
}

/**
 * paxos_open() - take hold of a group, to propose and to see what it chooses
 * @net: network namespace of the group; the caller has a reference
 * @group: its id
 * @first: the first slot to apply: 1 for the whole log; 0 for what is chosen
 *         from now on, or from when the group is started
 * @ops: what to call, or NULL for a caller that only proposes; kept until
 *       paxos_close()
 * @context: for @ops
 * @timeout_ms: wait so long until there is such a group, and it runs; 0: do
 *              not wait, and take it if it is there, whether it runs or not
 *
 * Callbacks may come before this returns.
 *
 * Context: Process context, sleeps. As of paxos_propose(), done() of others may
 * be called.
 * Return: a handle to give to paxos_close(), or ERR_PTR() of
 * -ENOENT: there is no such group, and @timeout_ms is 0; or it was deleted just
 * now; -ETIMEDOUT: none that runs came in time; -EINTR: a fatal signal ended
 * the wait; -EINVAL: @ops lacks apply() or a name, or that is too long, or has
 * some of the operations to take a snapshot, but not all; -ENOSPC: the group
 * has PAXOS_NL_CONSUMERS_MAX of them; -ENOMEM.
 */
struct paxos_handle *paxos_open(struct net *net, u32 group, u64 first,
				const struct paxos_handle_ops *ops,
				void *context, u32 timeout_ms)
{
	struct paxos_handle *handle;
	int err;

	if (ops && !ops_valid(ops))
		return ERR_PTR(-EINVAL);
	err = await(net, group, timeout_ms);
	if (err)
		return ERR_PTR(err);
	handle = handle_new(ops, context);
	if (!handle)
		return ERR_PTR(-ENOMEM);
	err = -ENOENT;
	handle->group = paxos_group_get(net, group);
	if (!handle->group)
		goto err_free;
	err = paxos_spare_make(handle->group) ?: join(handle, first);
	if (err)
		goto err_put;
	__module_get(THIS_MODULE);
	return handle;

err_put:
	paxos_group_put(handle->group);
err_free:
	handle_free(handle);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_GPL(paxos_open);

/*
 * Keep @handle until paxos_handle_put(), though it be closed meanwhile;
 * -ESHUTDOWN if it is being closed. Group locked.
 */
int paxos_handle_begin(struct paxos_handle *handle)
{
	lockdep_assert_held(&handle->group->lock);
	if (handle->closing)
		return -ESHUTDOWN;
	refcount_inc(&handle->refs);
	return 0;
}

void paxos_handle_put(struct paxos_handle *handle)
{
	if (refcount_dec_and_test(&handle->refs))
		complete(&handle->idle);
}

/**
 * paxos_close() - let go of a group
 * @handle: of paxos_open()
 *
 * Proposals under way end as unknown, or as not chosen where they never left.
 * When this returns, every done() has returned, and no callback runs or will.
 *
 * Context: Process context, may sleep: as long as a callback does that runs.
 * Not from a callback of @handle.
 */
void paxos_close(struct paxos_handle *handle)
{
	struct paxos_group *group = handle->group;
	struct paxos_request *request, *next;

	paxos_group_lock(group);
	handle->closing = true;
	list_del_init(&handle->node);
	if (handle->ops)
		paxos_consumer_leave(&handle->consumer);
	list_for_each_entry_safe(request, next, &handle->requests, mine)
		paxos_request_cancel(group, request);
	paxos_group_unlock(group);

	wake_up_all(&handle->wait);
	paxos_handle_put(handle);
	wait_for_completion(&handle->idle);
	if (handle->ops)
		paxos_consumer_quiet(&handle->consumer);
	cancel_work_sync(&handle->work);
	if (handle->ops)
		paxos_consumer_close(&handle->consumer);
	paxos_group_put(group);
	handle_free(handle);
	module_put(THIS_MODULE);
}
EXPORT_SYMBOL_GPL(paxos_close);
