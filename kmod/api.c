// SPDX-License-Identifier: GPL-2.0
#include <linux/export.h>
#include "handle.h"

/* What a kernel subsystem asks of a group: proposals and reads. */

/* @request of @handle has ended. */
void paxos_handle_done(struct paxos_handle *handle,
		       struct paxos_request *request)
{
	request->done(request);
	paxos_handle_put(handle);
}

/* Of a group that is deleted that is all there is to say. */
static bool halted(const struct paxos_group *group)
{
	return group->divergence.halted && !group->dead;
}

static int propose(struct paxos_handle *handle, struct paxos_request *request,
		   const void *bytes, u32 len, u32 timeout_ms)
{
	struct paxos_group *group = handle->group;
	int err;

	lockdep_assert_held(&group->lock);
	request->handle = handle;
	request->epoch = 0;
	err = paxos_handle_begin(handle);
	if (err)
		return err;
	/* it would not see what becomes of it */
	if (handle->ops && unlikely(halted(group))) {
		paxos_handle_put(handle);
		return -EBADMSG;
	}
	list_add_tail(&request->mine, &handle->requests);
	err = paxos_request_propose(group, request, bytes, len, timeout_ms);
	if (err) {
		list_del(&request->mine);
		paxos_handle_put(handle);
	}
	return err;
}

/**
 * paxos_propose() - propose a value
 * @handle: of the group
 * @request: of the caller, its done() set; its own again once done() is called
 * @bytes: the value, copied before this returns
 * @len: of @bytes, at most PAXOS_VALUE_MAX
 * @timeout_ms: after which the proposal ends in any case
 *
 * That done() says chosen does not mean that this host has applied it: see
 * paxos_read_barrier().
 *
 * Context: Any but hard interrupt, interrupts on; takes spinlocks with softirqs
 * off, and calls done() of requests of the group that have ended, also those of
 * other handles: not under a lock that a done() takes. Never waits.
 * Return: 0: done() will be called, exactly once, perhaps before this returns.
 * Else nothing was proposed and done() will not be called: -EMSGSIZE: too
 * long; -EAGAIN: too many under way; -EUNATCH: the group has no agent, or is
 * not started; -ENOLINK: it has no leader, or no quorum, or this host is no
 * member of it; -ENOMEM: or the group holds as many bytes as it may;
 * -EBADMSG: @handle applies, and this member's log differs from the others',
 * see paxos_halted(); -ESHUTDOWN: the group was deleted, or @handle is being
 * closed.
 */
int paxos_propose(struct paxos_handle *handle, struct paxos_request *request,
		  const void *bytes, u32 len, u32 timeout_ms)
{
	struct paxos_group *group = handle->group;
	int err;

	if (len > PAXOS_VALUE_MAX)
		return -EMSGSIZE;
	paxos_group_lock(group);
	err = propose(handle, request, bytes, len, timeout_ms);
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

/*
 * Until it has ended, which a fatal signal brings about: its end is due by its
 * time-out anyway.
 */
static void waiter_wait(struct paxos_group *group, struct waiter *waiter)
{
	if (!wait_for_completion_killable(&waiter->done))
		return;
	paxos_group_lock(group);
	paxos_request_cancel(group, &waiter->request);
	paxos_group_unlock(group);
	wait_for_completion(&waiter->done);
}

/**
 * paxos_propose_wait() - propose a value and wait for the end
 * @handle: of the group
 * @bytes: the value
 * @len: of @bytes, at most PAXOS_VALUE_MAX
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
	struct paxos_group *group = handle->group;
	int err;

	if (slot)
		*slot = 0;
	if (len > PAXOS_VALUE_MAX)
		return -EMSGSIZE;
	init_completion(&waiter.done);
	paxos_group_lock(group);
	err = paxos_handle_begin(handle);
	if (!err) {
		err = propose(handle, &waiter.request, bytes, len, timeout_ms);
		if (err)
			paxos_handle_put(handle);
	}
	paxos_group_unlock(group);
	if (err)
		return err;
	waiter_wait(group, &waiter);
	paxos_handle_put(handle);
	if (slot)
		*slot = waiter.request.slot;
	return waiter.request.result;
}
EXPORT_SYMBOL_GPL(paxos_propose_wait);

/* 1: all up to @slot is applied, 0: not yet, or why it will not be. */
static int applied(struct paxos_handle *handle, u64 slot)
{
	struct paxos_group *group = handle->group;
	int ret;

	paxos_group_lock(group);
	if (halted(group))
		ret = -EBADMSG;
	else if (!handle->ops || handle->applied >= slot)
		ret = 1;
	else if (handle->closing)
		ret = -ESHUTDOWN;
	else
		ret = handle->stopped;
	paxos_group_unlock(group);
	return ret;
}

static int await_applied(struct paxos_handle *handle, u64 slot, u64 deadline)
{
	u64 now = paxos_now();
	u32 left = deadline > now ? div_u64(deadline - now, USEC_PER_MSEC) : 0;
	int ret;
	long err;

	err = wait_event_killable_timeout(handle->wait,
					  (ret = applied(handle, slot)),
					  1 + msecs_to_jiffies(left));
	if (err < 0)
		return -EINTR;
	if (!ret)
		return -ETIMEDOUT;
	return min(ret, 0);
}

/* Ask a quorum how far the log goes, and have this member know it all. */
static int read_quorum(struct paxos_handle *handle, u64 deadline, u64 *slot)
{
	struct waiter waiter = {
		.request.done = waiter_done,
		.request.handle = handle,
	};
	struct paxos_group *group = handle->group;
	int err;

	init_completion(&waiter.done);
	paxos_group_lock(group);
	err = paxos_handle_begin(handle);
	if (!err) {
		list_add_tail(&waiter.request.mine, &handle->requests);
		err = paxos_request_read(group, &waiter.request, deadline);
		if (err) {
			list_del(&waiter.request.mine);
			paxos_handle_put(handle);
		}
	}
	paxos_group_unlock(group);
	if (err)
		return err;
	waiter_wait(group, &waiter);
	*slot = waiter.request.slot;
	if (waiter.request.result == PAXOS_RESULT_CHOSEN)
		return 0;
	if (READ_ONCE(group->dead) || READ_ONCE(handle->closing))
		return -ESHUTDOWN;
	return fatal_signal_pending(current) ? -EINTR : -ENOLINK;
}

/**
 * paxos_read_barrier() - catch up with what was chosen before this call
 * @handle: of the group
 * @timeout_ms: at most so long
 *
 * When it returns 0, @handle has applied every slot that was chosen, on
 * whatever member, before it was called: what the consumer reads of its state
 * from then on is linearizable. A handle without ops applies nothing: for it,
 * this member knows those slots. Costs one round trip to a quorum, and no slot.
 *
 * Context: Process context, sleeps; a fatal signal ends it. Not from a callback
 * of @handle.
 * Return: 0, or
 * -ENOLINK: no quorum answered in time; -ETIMEDOUT: one did, and this handle
 * has not applied all of it in time; -EINTR: a fatal signal; -EAGAIN: too many
 * reads are under way; -EUNATCH: the group has no agent, or is not started;
 * -ESHUTDOWN: the group was deleted, or @handle is being closed; -EBADMSG: as
 * paxos_halted(); or, where @handle was stopped, what ops->stop was told, such
 * as -ESTALE.
 */
int paxos_read_barrier(struct paxos_handle *handle, u32 timeout_ms)
{
	struct paxos_group *group = handle->group;
	u64 deadline = paxos_now() + (u64)timeout_ms * USEC_PER_MSEC;
	u64 slot;
	int err;

	paxos_group_lock(group);
	err = paxos_handle_begin(handle);
	paxos_group_unlock(group);
	if (err)
		return err;
	err = read_quorum(handle, deadline, &slot);
	if (!err)
		err = await_applied(handle, slot, deadline);
	paxos_handle_put(handle);
	return err;
}
EXPORT_SYMBOL_GPL(paxos_read_barrier);

/**
 * paxos_leads() - whether this member leads, and can decide something
 * @handle: of the group
 *
 * A hint: it may be past when this returns. For work that one member is to do,
 * and that does no harm where two do it.
 *
 * Not where it is halted: its consumers do not see what is chosen.
 *
 * Context: As paxos_propose(), also in that done() may be called.
 * Return: whether it was so.
 */
bool paxos_leads(struct paxos_handle *handle)
{
	struct paxos_group *group = handle->group;
	bool leads;

	paxos_group_lock(group);
	leads = !paxos_group_able(group) && !group->divergence.halted &&
		group->core.role == PAXOS_LEADER && group->core.quorum;
	paxos_group_unlock(group);
	return leads;
}
EXPORT_SYMBOL_GPL(paxos_leads);

/**
 * paxos_halted() - whether this member's log differs from the others'
 * @handle: of the group
 *
 * What was applied here may not be what was chosen, from some slot on, so
 * nothing more is until a person has looked (paxosctl(8), DIVERGENCE): a
 * consumer tells nobody of its state meanwhile. Barriers, and proposals of
 * those that apply, fail with -EBADMSG. It may end again: members that were
 * not heard yet agree with this one; it does not when the group is deleted, of
 * which other calls tell.
 *
 * Context: Any; takes no lock, so what it returns may be over by then.
 * Return: whether it was so.
 */
bool paxos_halted(struct paxos_handle *handle)
{
	return READ_ONCE(handle->group->divergence.halted);
}
EXPORT_SYMBOL_GPL(paxos_halted);

/**
 * paxos_gone() - whether the group was deleted
 * @handle: of the group
 *
 * It does not come back: one that is added under its id is another, for
 * paxos_open(). Also where @handle was stopped before, and is told no more.
 *
 * Context: Any; takes no lock.
 */
bool paxos_gone(struct paxos_handle *handle)
{
	return READ_ONCE(handle->group->dead);
}
EXPORT_SYMBOL_GPL(paxos_gone);
