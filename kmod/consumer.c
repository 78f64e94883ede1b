// SPDX-License-Identifier: GPL-2.0
#include <linux/mm.h>
#include <linux/slab.h>
#include "consumer.h"
#include "paths.h"

/* Between a handle and the two ways of a snapshot, snapshot.c and feed.c. */

static atomic_t next_id;

void paxos_consumer_init(struct paxos_consumer *consumer,
			 const struct paxos_handle_ops *ops, void *context,
			 u64 *next, struct workqueue_struct *queue,
			 struct work_struct *work)
{
	INIT_LIST_HEAD(&consumer->node);
	consumer->ops = ops;
	consumer->context = context;
	consumer->next = next;
	consumer->queue = queue;
	consumer->work = work;
	consumer->id = atomic_inc_return(&next_id);
	paxos_stream_init(&consumer->in);
	paxos_stream_init(&consumer->out);
	paxos_saving_init(consumer);
}

/* Its handle has something to do. Any context. */
void paxos_consumer_wake(struct paxos_consumer *consumer)
{
	queue_work(consumer->queue, consumer->work);
}

/* Its handle sees what is chosen from here on. */
void paxos_consumer_enter(struct paxos_consumer *consumer,
			  struct paxos_group *group)
{
	lockdep_assert_held(&group->lock);
	consumer->group = group;
	consumer->in.group = group;
	consumer->out.group = group;
	list_add_tail(&consumer->node, &group->consumers);
}

/*
 * What comes before the next slot is applied. 0: that; -EXDEV:
 * paxos_consumer_work(); -ENODATA: the agent will bring it, and queue the work;
 * -ESTALE: nobody will.
 */
int paxos_consumer_turn(struct paxos_consumer *consumer)
{
	const struct paxos_core *core = &consumer->group->core;
	u64 next = *consumer->next;

	lockdep_assert_held(&consumer->group->lock);
	if (unlikely(consumer->saving) && paxos_saving_due(consumer))
		return -EXDEV;
	if (unlikely(consumer->wants ||
		     (next <= core->commit && next < core->log.first)))
		return paxos_feed_turn(consumer);
	return 0;
}

/* Process context, from the handle's work. */
void paxos_consumer_work(struct paxos_consumer *consumer)
{
	paxos_saving_work(consumer);
	paxos_feed_work(consumer);
}

/* The handle closes: who waits for the agent does not any more. */
void paxos_consumer_leave(struct paxos_consumer *consumer)
{
	lockdep_assert_held(&consumer->group->lock);
	consumer->off = true;
	paxos_saving_leave(consumer);
	list_del_init(&consumer->node);
	paxos_stream_fail(&consumer->in, -ESHUTDOWN);
	paxos_stream_fail(&consumer->out, -ESHUTDOWN);
}

/* Process context, behind that: snapshot_save() has returned, or never will. */
void paxos_consumer_quiet(struct paxos_consumer *consumer)
{
	paxos_saving_cancel(consumer);
}

/* And no work of the handle's runs any more. */
void paxos_consumer_close(struct paxos_consumer *consumer)
{
	LIST_HEAD(garbage);

	paxos_saving_close(consumer);
	paxos_stream_take(&consumer->in, &garbage);
	paxos_stream_take(&consumer->out, &garbage);
	paxos_chunks_free(&garbage);
	kvfree(consumer->seen);
}

/* The agent has let go of the group, or the group ends. */
void paxos_consumers_alone(struct paxos_group *group, int error)
{
	paxos_snapshot_end(group, error);
	paxos_feed_end(group, error);
}

/* Can all of them go on from a snapshot? */
bool paxos_consumers_load(struct paxos_group *group)
{
	struct paxos_consumer *consumer;

	lockdep_assert_held(&group->lock);
	list_for_each_entry(consumer, &group->consumers, node) {
		if (!consumer->off && !consumer->ops->snapshot_load)
			return false;
		paxos_consumer_wake(consumer);
	}
	return true;
}
