// SPDX-License-Identifier: GPL-2.0
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include "paths.h"

/**
 * struct paxos_handle - a kernel subsystem's hold of a group
 * @group: with a reference
 * @ops: the opener's, or NULL
 * @context: the opener's
 * @node: in &paxos_group.handles; protected by the group's lock
 * @requests: under way; protected by the group's lock
 * @closing: no more of them; protected by the group's lock
 * @next: the next slot to apply; @work only
 * @stopped: stop() was called; @work only
 * @bytes: what apply() is shown; @work only. A copy: a reference to the value
 *         would keep it past the group, whose memory it counts against
 * @work: applies what was chosen
 * @refs: one of the opener's, one of each request until done() has returned
 * @idle: no reference is left
 */
struct paxos_handle {
	struct paxos_group *group;
	const struct paxos_handle_ops *ops;
	void *context;
	struct list_head node;
	struct list_head requests;
	bool closing;
	u64 next;
	bool stopped;
	u8 *bytes;
	struct work_struct work;
	refcount_t refs;
	struct completion idle;
};

static struct workqueue_struct *apply_queue;

/* ops->deliver */
void paxos_deliver(struct paxos_core *core, u64 slot,
		   const struct paxos_value *value)
{
	struct paxos_group *group = paxos_core_group(core);
	unsigned long bit = slot & (core->settings.log_size - 1);
	struct paxos_handle *handle;

	if (value) {
		__set_bit(bit, group->deliverable);
		paxos_count(group->stats, PAXOS_COUNT_DELIVERED);
	} else {
		__clear_bit(bit, group->deliverable);
	}
	list_for_each_entry(handle, &group->handles, node)
		queue_work(apply_queue, &handle->work);
	/* What a replay delivers was told in a former life. */
	if (core->state == PAXOS_RUNNING)
		paxos_notify_chosen(group, slot);
}

/* The group is deleted. */
void paxos_handles_stop(struct paxos_group *group)
{
	struct paxos_handle *handle;

	lockdep_assert_held(&group->lock);
	list_for_each_entry(handle, &group->handles, node)
		queue_work(apply_queue, &handle->work);
}

/*
 * Copy the next value to apply. Its length, -ENODATA if there is none yet,
 * -ESTALE if it is gone, -ESHUTDOWN.
 */
static int take(struct paxos_handle *handle, u64 *slot)
{
	struct paxos_group *group = handle->group;
	struct paxos_core *core = &group->core;
	const struct paxos_value *value;

	lockdep_assert_held(&group->lock);
	if (group->dead)
		return -ESHUTDOWN;
	for (; handle->next <= core->commit; handle->next++) {
		if (handle->next < core->log.first)
			return -ESTALE;
		if (!test_bit(handle->next & (core->settings.log_size - 1),
			      group->deliverable))
			continue;
		*slot = handle->next++;
		value = paxos_log_entry(&core->log, *slot)->value;
		memcpy(handle->bytes, value->bytes, value->len);
		return value->len;
	}
	return -ENODATA;
}

static void apply_work(struct work_struct *work)
{
	struct paxos_handle *handle =
		container_of(work, struct paxos_handle, work);
	u64 slot;
	int len;

	while (!handle->stopped) {
		paxos_group_lock(handle->group);
		len = take(handle, &slot);
		paxos_group_unlock(handle->group);
		if (len == -ENODATA)
			return;
		if (len >= 0) {
			handle->ops->apply(handle->context, slot,
					   handle->bytes, len);
			cond_resched();
			continue;
		}
		handle->stopped = true;
		if (handle->ops->stop)
			handle->ops->stop(handle->context, len);
	}
}

/**
 * paxos_open() - take hold of a group, to propose and to see what it chooses
 * @net: network namespace of the group
 * @group: its id
 * @first: the first slot to apply: 1 for the whole log; 0 for what is chosen
 *         from now on
 * @ops: what to call, or NULL for a caller that only proposes
 * @context: for @ops
 *
 * Context: Process context, may sleep.
 * Return: a handle to give to paxos_close(), or ERR_PTR() of -ENOENT: there is
 * no such group, or -ENOMEM.
 */
struct paxos_handle *paxos_open(struct net *net, u32 group, u64 first,
				const struct paxos_handle_ops *ops,
				void *context)
{
	struct paxos_handle *handle = kzalloc(sizeof(*handle), GFP_KERNEL);
	int err = -ENOMEM;

	if (!handle)
		return ERR_PTR(-ENOMEM);
	if (ops) {
		handle->bytes = kvmalloc(PAXOS_VALUE_MAX, GFP_KERNEL);
		if (!handle->bytes)
			goto err_free;
	}
	handle->ops = ops;
	handle->context = context;
	INIT_LIST_HEAD(&handle->node);
	INIT_LIST_HEAD(&handle->requests);
	INIT_WORK(&handle->work, apply_work);
	refcount_set(&handle->refs, 1);
	init_completion(&handle->idle);

	err = -ENOENT;
	handle->group = paxos_group_get(net, group);
	if (!handle->group)
		goto err_free;
	paxos_group_lock(handle->group);
	if (handle->group->dead) {
		paxos_group_unlock(handle->group);
		goto err_put;
	}
	handle->next = first ?: handle->group->core.commit + 1;
	if (ops) {
		list_add_tail(&handle->node, &handle->group->handles);
		queue_work(apply_queue, &handle->work);
	}
	paxos_group_unlock(handle->group);
	return handle;

err_put:
	paxos_group_put(handle->group);
err_free:
	kvfree(handle->bytes);
	kfree(handle);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_GPL(paxos_open);

static void handle_put(struct paxos_handle *handle)
{
	if (refcount_dec_and_test(&handle->refs))
		complete(&handle->idle);
}

/* @request of @handle has ended. */
void paxos_handle_done(struct paxos_handle *handle,
		       struct paxos_request *request)
{
	request->done(request);
	handle_put(handle);
}

/**
 * paxos_close() - let go of a group
 * @handle: of paxos_open()
 *
 * Proposals under way end as unknown, or as not chosen where they never left.
 * When this returns, every done() has returned, and no apply() or stop() runs
 * or will.
 *
 * Context: Process context, may sleep. Not from a callback of @handle.
 */
void paxos_close(struct paxos_handle *handle)
{
	struct paxos_group *group = handle->group;
	struct paxos_request *request, *next;

	paxos_group_lock(group);
	handle->closing = true;
	list_del_init(&handle->node);
	list_for_each_entry_safe(request, next, &handle->requests, mine)
		paxos_request_cancel(group, request);
	paxos_group_unlock(group);

	handle_put(handle);
	wait_for_completion(&handle->idle);
	cancel_work_sync(&handle->work);
	paxos_group_put(group);
	kvfree(handle->bytes);
	kfree(handle);
}
EXPORT_SYMBOL_GPL(paxos_close);

/**
 * paxos_propose() - propose a value
 * @handle: of the group
 * @request: of the caller, its done() set; its own again once done() is called
 * @bytes: the value, copied before this returns
 * @len: of @bytes, at most 32768
 * @timeout_ms: after which the proposal ends in any case
 *
 * Context: Any but hard interrupt; takes spinlocks with softirqs off.
 * Return: 0: done() will be called, exactly once, perhaps before this returns.
 * Else nothing was proposed and done() will not be called: -EMSGSIZE: too
 * long; -EAGAIN: too many under way; -EUNATCH: the group has no agent, or is
 * not started; -ENOLINK: it has no leader, or no quorum; -ENOMEM;
 * -ESHUTDOWN: the group was deleted, or @handle is being closed.
 */
int paxos_propose(struct paxos_handle *handle, struct paxos_request *request,
		  const void *bytes, u32 len, u32 timeout_ms)
{
	struct paxos_group *group = handle->group;
	int err = -ESHUTDOWN;

	request->handle = handle;
	paxos_group_lock(group);
	if (!handle->closing) {
		refcount_inc(&handle->refs);
		list_add_tail(&request->mine, &handle->requests);
		err = paxos_request_propose(group, request, bytes, len,
					    timeout_ms);
		if (err) {
			list_del(&request->mine);
			refcount_dec(&handle->refs);
		}
	}
	paxos_group_unlock(group);
	return err;
}
EXPORT_SYMBOL_GPL(paxos_propose);

struct waiter {
	struct paxos_request request;
	struct completion done;
};

static void waiter_done(struct paxos_request *request)
{
	complete(&container_of(request, struct waiter, request)->done);
}

/**
 * paxos_propose_wait() - propose a value and wait for the end
 * @handle: of the group
 * @bytes: the value
 * @len: of @bytes, at most 32768
 * @timeout_ms: after which the proposal ends in any case
 * @slot: where it was chosen, else 0; may be NULL
 *
 * Context: Process context, sleeps; a fatal signal ends the proposal.
 * Return: enum paxos_result, or, if nothing was proposed, the error of
 * paxos_propose().
 */
int paxos_propose_wait(struct paxos_handle *handle, const void *bytes, u32 len,
		       u32 timeout_ms, u64 *slot)
{
	struct waiter waiter = { .request.done = waiter_done };
	int err;

	if (slot)
		*slot = 0;
	init_completion(&waiter.done);
	err = paxos_propose(handle, &waiter.request, bytes, len, timeout_ms);
	if (err)
		return err;
	if (wait_for_completion_killable(&waiter.done)) {
		paxos_group_lock(handle->group);
		paxos_request_cancel(handle->group, &waiter.request);
		paxos_group_unlock(handle->group);
		wait_for_completion(&waiter.done);
	}
	if (slot)
		*slot = waiter.request.slot;
	return waiter.request.result;
}
EXPORT_SYMBOL_GPL(paxos_propose_wait);

/* Any context; it has returned before the module goes. */
bool paxos_work_queue(struct work_struct *work)
{
	return queue_work(apply_queue, work);
}

int paxos_api_init(void)
{
	apply_queue = alloc_workqueue("paxos_apply",
				      WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	return apply_queue ? 0 : -ENOMEM;
}

void paxos_api_exit(void)
{
	destroy_workqueue(apply_queue);
}
