/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOS_HANDLE_H
#define _PAXOS_HANDLE_H

#include <linux/completion.h>
#include <linux/wait.h>
#include "consumer.h"
#include "paths.h"

#define PAXOS_NOT_VIEWED	(~0ULL)

/**
 * struct paxos_handle - a kernel subsystem's hold of a group
 * @group: with a reference
 * @ops: the opener's, or NULL
 * @context: the opener's
 * @queue: of @work; NULL without @ops
 * @work: calls what is to be told (apply.c)
 * @bytes: what apply() is shown; @work only. A copy: a reference to the value
 *         would keep it past the group, whose memory it counts against
 * @node: in &paxos_group.handles, with @ops only; this and what follows, to
 *        @stopped, is protected by the group's lock
 * @requests: under way
 * @closing: nothing new is begun
 * @from_now: it begins where the log ends when the group is started
 * @next: the next slot to look at
 * @applied: all up to here has been applied
 * @viewed: slot of the configuration last told, or PAXOS_NOT_VIEWED
 * @quorum: as last told, negative: never
 * @busy: since when a callback has been running, in us; 0: none is
 * @stopped: what stop() was told
 * @consumer: its snapshots, with @ops only
 * @wait: for @applied, @stopped or @closing to change
 * @refs: one of the opener's, one of each call and request under way
 * @idle: no reference is left
 */
struct paxos_handle {
	struct paxos_group *group;
	const struct paxos_handle_ops *ops;
	void *context;
	struct workqueue_struct *queue;
	struct work_struct work;
	u8 *bytes;

	struct list_head node;
	struct list_head requests;
	bool closing;
	bool from_now;
	u64 next;
	u64 applied;
	u64 viewed;
	s8 quorum;
	u64 busy;
	int stopped;
	struct paxos_consumer consumer;

	wait_queue_head_t wait;
	refcount_t refs;
	struct completion idle;
};

/* handle.c: the caller's handle, locked or not */
int paxos_handle_begin(struct paxos_handle *handle);
void paxos_handle_put(struct paxos_handle *handle);

/* apply.c */
void paxos_apply_work(struct work_struct *work);

#endif
