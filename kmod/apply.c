// SPDX-License-Identifier: GPL-2.0
#include <linux/sched/mm.h>
#include "core/quorum.h"
#include "core/wire.h"
#include "handle.h"

/*
 * What consumers are told, in order: each handle has a work item that looks for
 * the next thing to tell, and calls it with the lock dropped.
 */

enum call {
	CALL_NONE,
	CALL_APPLY,
	CALL_VIEW,
	CALL_QUORUM,
	CALL_SNAPSHOT,	/* whatever paxos_consumer_work() has to do */
	CALL_STOP,
};

/**
 * struct told - the arguments of the next callback
 * @slot: of apply() or view()
 * @len: of the handle's bytes
 * @epoch: of view()
 * @voters: of view()
 */
struct told {
	u64 slot;
	u32 len;
	u32 epoch;
	u64 voters;
};

static void handles_queue(struct paxos_group *group)
{
	struct paxos_handle *handle;

	lockdep_assert_held(&group->lock);
	list_for_each_entry(handle, &group->handles, node)
		queue_work(handle->queue, &handle->work);
}

/*
 * ops->deliver. What a consumer is told of has its bit set: values, and
 * configurations that are in force from this slot on.
 */
void paxos_deliver(struct paxos_core *core, u64 slot,
		   const struct paxos_value *value)
{
	struct paxos_group *group = paxos_core_group(core);
	unsigned long bit = slot & (core->settings.log_size - 1);

	if (value || core->config_slot == slot)
		__set_bit(bit, group->deliverable);
	else
		__clear_bit(bit, group->deliverable);
	if (value)
		paxos_count(group->stats, PAXOS_COUNT_DELIVERED);
	if (unlikely(group->divergence.halted))
		return;
	handles_queue(group);
	/* What a replay delivers was told in a former life. */
	if (core->state == PAXOS_RUNNING)
		paxos_notify_chosen(group, slot);
}

/* There may be something to do for the consumers; or the group is deleted. */
void paxos_handles_kick(struct paxos_group *group)
{
	handles_queue(group);
}

/*
 * Whether, as far as this member knows, something can be decided. A leader may
 * not know yet that it has lost its quorum, or be told so and lead on: who
 * follows it looks for itself.
 */
static bool quorum_there(const struct paxos_group *group)
{
	const struct paxos_core *core = &group->core;
	u64 up = group->up | paxos_member_bit(core->settings.self);

	if (core->state != PAXOS_RUNNING || paxos_group_able(group))
		return false;
	if (core->role == PAXOS_LEADER)
		return core->quorum;
	return core->role == PAXOS_FOLLOWER && core->leader &&
	       paxos_quorum_weight(&core->config, up) >= core->config.q2;
}

/* Before the lock of a group that has handles is dropped. */
void paxos_handles_watch(struct paxos_group *group)
{
	bool there;

	lockdep_assert_held(&group->lock);
	there = quorum_there(group);
	if (likely(there == group->quorum))
		return;
	group->quorum = there;
	handles_queue(group);
}

/* A configuration that was not met in the log, as it is before it. */
static bool view_due(const struct paxos_handle *handle)
{
	const struct paxos_core *core = &handle->group->core;

	return core->config.epoch && core->config_slot < handle->next &&
	       (handle->viewed == PAXOS_NOT_VIEWED ||
		handle->viewed < core->config_slot);
}

static enum call take_view(struct paxos_handle *handle, struct told *told,
			   u64 slot, const struct paxos_config *config)
{
	handle->viewed = slot;
	told->slot = slot;
	told->epoch = config->epoch;
	told->voters = config->voters;
	return CALL_VIEW;
}

static enum call take_stop(struct paxos_handle *handle, int error)
{
	handle->stopped = error;
	return CALL_STOP;
}

/* The value at handle->next, which is to be told, is copied. */
static enum call take_value(struct paxos_handle *handle, struct told *told)
{
	struct paxos_core *core = &handle->group->core;
	u64 slot = handle->next++;
	const struct paxos_value *value =
		paxos_log_entry(&core->log, slot)->value;
	struct paxos_config config;

	if (value->kind == PAXOS_CONFIG) {
		if (!handle->ops->view ||
		    paxos_wire_config_decode(value->bytes, value->len, &config))
			return CALL_NONE;
		return take_view(handle, told, slot, &config);
	}
	told->slot = slot;
	told->len = value->len;
	memcpy(handle->bytes, value->bytes, value->len);
	return CALL_APPLY;
}

static enum call take(struct paxos_handle *handle, struct told *told)
{
	struct paxos_group *group = handle->group;
	struct paxos_core *core = &group->core;
	enum call call;
	int err;

	lockdep_assert_held(&group->lock);
	if (!handle->consumer.broken)
		handle->applied = handle->next - 1;
	/* A view is let go of even where nothing else is told any more. */
	if (unlikely(handle->consumer.saving) &&
	    paxos_saving_due(&handle->consumer))
		return CALL_SNAPSHOT;
	if (handle->closing || handle->stopped)
		return CALL_NONE;
	if (group->dead)
		return take_stop(handle, -ESHUTDOWN);
	if (handle->ops->quorum && handle->quorum != group->quorum) {
		handle->quorum = group->quorum;
		return CALL_QUORUM;
	}
	/* What this member holds may not be what was chosen. */
	if (group->divergence.halted || handle->from_now)
		return CALL_NONE;
	if (handle->ops->view && view_due(handle))
		return take_view(handle, told, core->config_slot,
				 &core->config);
	if (unlikely(handle->consumer.failed))
		return take_stop(handle, handle->consumer.failed);
	for (;;) {
		err = paxos_consumer_turn(&handle->consumer);
		if (err)
			return err == -EXDEV ? CALL_SNAPSHOT :
			       err == -ENODATA ? CALL_NONE :
						 take_stop(handle, err);
		if (handle->next > core->commit)
			break;
		if (!test_bit(handle->next & (core->settings.log_size - 1),
			      group->deliverable)) {
			handle->next++;
			continue;
		}
		call = take_value(handle, told);
		if (call != CALL_NONE)
			return call;
	}
	handle->applied = handle->next - 1;
	return CALL_NONE;
}

static void tell(struct paxos_handle *handle, enum call call,
		 const struct told *told)
{
	const struct paxos_handle_ops *ops = handle->ops;
	void *context = handle->context;

	switch (call) {
	case CALL_NONE:
		break;
	case CALL_APPLY:
		ops->apply(context, told->slot, handle->bytes, told->len);
		break;
	case CALL_VIEW:
		ops->view(context, told->epoch, told->slot, told->voters);
		break;
	case CALL_QUORUM:
		ops->quorum(context, handle->quorum);
		break;
	case CALL_SNAPSHOT:
		paxos_consumer_work(&handle->consumer);
		break;
	case CALL_STOP:
		if (ops->stop)
			ops->stop(context, handle->stopped);
		break;
	}
}

void paxos_apply_work(struct work_struct *work)
{
	struct paxos_handle *handle =
		container_of(work, struct paxos_handle, work);
	struct paxos_group *group = handle->group;
	unsigned int noio = memalloc_noio_save();
	struct told told;
	enum call call;

	do {
		paxos_group_lock(group);
		call = take(handle, &told);
		handle->busy = call ? paxos_now() : 0;
		paxos_group_unlock(group);
		if (wq_has_sleeper(&handle->wait))
			wake_up_all(&handle->wait);
		tell(handle, call, &told);
		cond_resched();
	} while (call != CALL_NONE);
	memalloc_noio_restore(noio);
}
