// SPDX-License-Identifier: GPL-2.0
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <net/genetlink.h>
#include "consumer.h"
#include "paths.h"
#include "policy.h"

/*
 * Snapshots: at one slot each consumer of the group pins a view of its state,
 * and goes on; then the agent pulls the views, one after the other. Who pins
 * and lets go is the work item that applies, so neither meets an apply();
 * snapshot_save() has one of its own. Whatever ends a snapshot (END, silence,
 * the agent's death, a consumer or the group that leaves), each view that was
 * pinned is let go of once.
 */

static struct workqueue_struct *save_queue;

static struct paxos_chunk *chunk_alloc(u32 len)
{
	return kvmalloc(struct_size((struct paxos_chunk *)NULL, bytes, len),
			GFP_KERNEL);
}

struct paxos_chunk *paxos_chunk_new(const void *bytes, u32 len)
{
	struct paxos_chunk *chunk = chunk_alloc(len);

	if (!chunk)
		return NULL;
	memset(chunk, 0, sizeof(*chunk));
	INIT_LIST_HEAD(&chunk->node);
	chunk->len = len;
	memcpy(chunk->bytes, bytes, len);
	return chunk;
}

void paxos_chunks_free(struct list_head *chunks)
{
	struct paxos_chunk *chunk, *next;

	list_for_each_entry_safe(chunk, next, chunks, node)
		kvfree(chunk);
	INIT_LIST_HEAD(chunks);
}

void paxos_stream_init(struct paxos_snapshot *stream)
{
	init_waitqueue_head(&stream->wait);
	INIT_LIST_HEAD(&stream->chunks);
}

/* One side is gone: the other waits no longer. */
void paxos_stream_fail(struct paxos_snapshot *stream, int error)
{
	if (!stream->error)
		stream->error = error;
	wake_up_all(&stream->wait);
}

/* Empty it, into @out, to be freed without the lock. */
void paxos_stream_take(struct paxos_snapshot *stream, struct list_head *out)
{
	list_splice_tail_init(&stream->chunks, out);
	stream->held = 0;
}

/* The consumer's part is full, or the last one: to the agent. */
static bool room(struct paxos_snapshot *stream)
{
	struct paxos_group *group = stream->group;
	bool done = true;

	paxos_group_lock(group);
	if (!stream->error && stream->held >= PAXOS_STREAM_MAX) {
		done = false;
	} else if (!stream->error) {
		list_add_tail(&stream->part->node, &stream->chunks);
		stream->held += stream->part->len;
		stream->part = NULL;
	}
	paxos_group_unlock(group);
	return done;
}

static int push(struct paxos_snapshot *stream)
{
	wait_event_idle(stream->wait, room(stream));
	return READ_ONCE(stream->error);
}

/**
 * paxos_snapshot_write() - more of what a consumer's view consists of
 * @snapshot: that snapshot_save() was given
 * @bytes: any number of them; how they are cut into calls is of no account
 * @len: of @bytes
 *
 * Context: snapshot_save() only; sleeps until the agent took what was written
 * before.
 * Return: 0; -ENOMEM; or why nobody wants it any more: -ECANCELED: the agent
 * ended it, -ETIMEDOUT: it took nothing for long, -ENOTCONN: it is gone,
 * -EBADMSG: this member's log differs from the others', -ESHUTDOWN: the group
 * was deleted, or the handle is being closed.
 */
int paxos_snapshot_write(struct paxos_snapshot *snapshot, const void *bytes,
			 size_t len)
{
	struct paxos_chunk *part;
	u32 n;
	int err;

	while (len) {
		err = READ_ONCE(snapshot->error);
		if (err)
			return err;
		part = snapshot->part;
		if (!part) {
			part = chunk_alloc(PAXOS_NL_VALUE_MAX);
			if (!part)
				return -ENOMEM;
			part->len = 0;
			snapshot->part = part;
		}
		n = min_t(size_t, len, PAXOS_NL_VALUE_MAX - part->len);
		memcpy(part->bytes + part->len, bytes, n);
		part->len += n;
		bytes += n;
		len -= n;
		if (part->len == PAXOS_NL_VALUE_MAX) {
			err = push(snapshot);
			if (err)
				return err;
		}
	}
	return 0;
}
EXPORT_SYMBOL_GPL(paxos_snapshot_write);

/* The next part is there, or none will be. */
static bool readable(struct paxos_snapshot *stream)
{
	struct paxos_group *group = stream->group;
	bool done = true;

	paxos_group_lock(group);
	if (stream->error)
		goto out;
	stream->part = list_first_entry_or_null(&stream->chunks,
						struct paxos_chunk, node);
	if (stream->part) {
		list_del(&stream->part->node);
		stream->held -= stream->part->len;
		stream->offset = 0;
	} else {
		done = stream->ended;
	}
out:
	paxos_group_unlock(group);
	return done;
}

/**
 * paxos_snapshot_read() - more of what snapshot_save() wrote, here or elsewhere
 * @snapshot: that snapshot_load() was given
 * @bytes: where to
 * @len: how many at most
 *
 * Context: snapshot_load() only; sleeps until the agent brings more.
 * Return: how many; 0: that was all; -ENOTCONN: the agent is gone, and another
 * will bring all of it once more, -ECANCELED: it begins again, -ESTALE: it has
 * nothing more, -ESHUTDOWN: the group was deleted, or the handle is being
 * closed. Of an error the state is of no use; snapshot_load() returns it, and
 * is called again, or stop() is.
 */
ssize_t paxos_snapshot_read(struct paxos_snapshot *snapshot, void *bytes,
			    size_t len)
{
	struct paxos_chunk *part = snapshot->part;
	size_t done = 0;
	u32 n;

	while (done < len) {
		if (part && snapshot->offset == part->len) {
			kvfree(part);
			part = NULL;
			snapshot->part = NULL;
		}
		if (!part) {
			wait_event_idle(snapshot->wait, readable(snapshot));
			if (READ_ONCE(snapshot->error))
				return READ_ONCE(snapshot->error);
			part = snapshot->part;
			if (!part)
				break;
			continue;
		}
		n = min_t(size_t, len - done, part->len - snapshot->offset);
		memcpy(bytes + done, part->bytes + snapshot->offset, n);
		snapshot->offset += n;
		done += n;
	}
	return done;
}
EXPORT_SYMBOL_GPL(paxos_snapshot_read);

/* The view is pinned. Runs beside apply(). */
static void save_work(struct work_struct *work)
{
	struct paxos_consumer *consumer =
		container_of(work, struct paxos_consumer, save);
	struct paxos_snapshot *out = &consumer->out;
	struct paxos_group *group = consumer->group;
	unsigned int noio = memalloc_noio_save();
	int err;

	err = consumer->ops->snapshot_save(consumer->context, consumer->view,
					   out);
	if (!err && out->part)
		err = push(out);
	kvfree(out->part);
	out->part = NULL;

	paxos_group_lock(group);
	out->ended = true;
	consumer->error = err ?: out->error;
	consumer->saving = PAXOS_SAVING_SAVED;
	if (consumer->ending)
		paxos_consumer_wake(consumer);
	paxos_group_unlock(group);
	memalloc_noio_restore(noio);
}

void paxos_saving_init(struct paxos_consumer *consumer)
{
	INIT_WORK(&consumer->save, save_work);
}

/* Has the work that applies something to do for a snapshot? */
bool paxos_saving_due(const struct paxos_consumer *consumer)
{
	switch (consumer->saving) {
	case PAXOS_SAVING_WANTED:
		return *consumer->next > consumer->slot;
	case PAXOS_SAVING_PINNED:
	case PAXOS_SAVING_SAVED:
	case PAXOS_SAVING_FAILED:
		return consumer->ending;
	default:
		return false;
	}
}

static void begin_view(struct paxos_consumer *consumer)
	__must_hold(&consumer->group->lock)
{
	struct paxos_group *group = consumer->group;
	int err;

	consumer->saving = PAXOS_SAVING_BEGINS;
	paxos_group_unlock(group);
	err = consumer->ops->snapshot_begin(consumer->context, consumer->slot,
					    &consumer->view);
	paxos_group_lock(group);
	consumer->error = err;
	consumer->saving = err ? PAXOS_SAVING_FAILED : PAXOS_SAVING_PINNED;
}

static void end_view(struct paxos_consumer *consumer)
	__must_hold(&consumer->group->lock)
{
	struct paxos_group *group = consumer->group;
	LIST_HEAD(chunks);

	if (consumer->saving != PAXOS_SAVING_FAILED) {
		consumer->saving = PAXOS_SAVING_ENDS;
		paxos_group_unlock(group);
		consumer->ops->snapshot_end(consumer->context, consumer->view);
		paxos_group_lock(group);
	}
	paxos_stream_take(&consumer->out, &chunks);
	consumer->saving = PAXOS_SAVING_NONE;
	consumer->ending = false;
	consumer->view = NULL;
	paxos_group_unlock(group);
	paxos_chunks_free(&chunks);
	paxos_group_lock(group);
}

/* What paxos_saving_due() says. The handle's work, or its end. */
void paxos_saving_work(struct paxos_consumer *consumer)
{
	struct paxos_group *group = consumer->group;

	paxos_group_lock(group);
	if (paxos_saving_due(consumer)) {
		if (consumer->saving == PAXOS_SAVING_WANTED)
			begin_view(consumer);
		else
			end_view(consumer);
	}
	paxos_group_unlock(group);
}

/* Whatever it has come to, nobody wants it any more. */
static void cancel(struct paxos_consumer *consumer, int error)
{
	if (consumer->saving == PAXOS_SAVING_NONE)
		return;
	if (consumer->saving == PAXOS_SAVING_WANTED) {
		consumer->saving = PAXOS_SAVING_NONE;
		return;
	}
	consumer->ending = true;
	paxos_stream_fail(&consumer->out, error);
	paxos_consumer_wake(consumer);
}

/* The snapshot under way, if there is one, ends; group locked. */
void paxos_snapshot_end(struct paxos_group *group, int error)
{
	struct paxos_consumer *consumer;

	lockdep_assert_held(&group->lock);
	if (!group->snapshot.slot)
		return;
	group->snapshot.slot = 0;
	list_for_each_entry(consumer, &group->consumers, node)
		cancel(consumer, error);
}

/* The timer: an agent that takes nothing any more? */
void paxos_snapshot_watch(struct paxos_group *group, u64 now)
{
	u64 end = group->snapshot.heard + PAXOS_SNAPSHOT_US;

	lockdep_assert_held(&group->lock);
	if (!group->snapshot.slot)
		return;
	if (now < end)
		paxos_group_watch(group, end);
	else
		paxos_snapshot_end(group, -ETIMEDOUT);
}

/* The handle leaves, or has nothing more to expect. */
void paxos_saving_leave(struct paxos_consumer *consumer)
{
	if (consumer->saving == PAXOS_SAVING_NONE)
		return;
	paxos_snapshot_end(consumer->group, -ECANCELED);
	cancel(consumer, -ESHUTDOWN);
}

/* No work of the handle runs any more: what is pinned goes. */
void paxos_saving_close(struct paxos_consumer *consumer)
{
	/* snapshot_save() never began. */
	if (consumer->saving == PAXOS_SAVING_RUNS)
		consumer->saving = PAXOS_SAVING_SAVED;
	paxos_saving_work(consumer);
}

/* After paxos_saving_leave(); it is woken, and over on return. */
void paxos_saving_cancel(struct paxos_consumer *consumer)
{
	cancel_work_sync(&consumer->save);
}

/* Each consumer that has snapshots pins a view, once all to @slot is there. */
static int begin(struct paxos_group *group, struct genl_info *info)
{
	struct paxos_core *core = &group->core;
	struct paxos_consumer *consumer;

	if (core->state != PAXOS_RUNNING || !core->commit) {
		GENL_SET_ERR_MSG(info,
				 "the group is not started, or has chosen nothing");
		return -EUNATCH;
	}
	if (group->divergence.halted) {
		GENL_SET_ERR_MSG(info,
				 "this member's log differs from the others'");
		return -EBADMSG;
	}
	if (group->snapshot.slot) {
		GENL_SET_ERR_MSG(info, "a snapshot is being taken");
		return -EBUSY;
	}
	list_for_each_entry(consumer, &group->consumers, node) {
		if (consumer->off || !consumer->ops->snapshot_begin)
			continue;
		if (consumer->saving != PAXOS_SAVING_NONE) {
			PAXOS_REFUSE_FMT(info->extack,
					 "%s has the last one still",
					 consumer->ops->name);
			return -EBUSY;
		}
		if (consumer->wants || *consumer->next < core->log.first) {
			PAXOS_REFUSE_FMT(info->extack, "%s is behind",
					 consumer->ops->name);
			return -EAGAIN;
		}
	}
	group->snapshot.slot = core->commit;
	group->snapshot.heard = paxos_now();
	paxos_snapshot_watch(group, group->snapshot.heard);
	list_for_each_entry(consumer, &group->consumers, node) {
		if (consumer->off || !consumer->ops->snapshot_begin)
			continue;
		consumer->saving = PAXOS_SAVING_WANTED;
		consumer->slot = core->commit;
		consumer->ending = false;
		consumer->error = 0;
		consumer->out.error = 0;
		consumer->out.ended = false;
		paxos_consumer_wake(consumer);
	}
	return 0;
}

static int put_begun(struct sk_buff *answer, struct paxos_group *group,
		     void *bytes)
{
	struct paxos_consumer *consumer;
	u32 len = paxos_core_checkpoint(&group->core, bytes);

	if (nla_put_u64_64bit(answer, PAXOS_A_SLOT, group->snapshot.slot,
			      PAXOS_A_PAD) ||
	    nla_put_u32(answer, PAXOS_A_EPOCH, group->core.config.epoch) ||
	    nla_put(answer, PAXOS_A_VALUE, len, bytes))
		return -EMSGSIZE;
	list_for_each_entry(consumer, &group->consumers, node)
		if (consumer->saving == PAXOS_SAVING_WANTED &&
		    paxos_consumer_put(answer, consumer))
			return -EMSGSIZE;
	return 0;
}

int paxos_nl_snapshot_begin(struct sk_buff *skb, struct genl_info *info)
{
	struct paxos_group *group = info->user_ptr[0];
	struct sk_buff *answer;
	void *header, *bytes;
	int err;

	if (PAXOS_LACKS(info, PAXOS_A_AGENT, "the agent's port"))
		return -EINVAL;
	bytes = kmalloc(PAXOS_CHECKPOINT_MAX, GFP_KERNEL);
	answer = genlmsg_new(PAXOS_CHECKPOINT_MAX + 128 +
			     PAXOS_NL_CONSUMERS_MAX * PAXOS_CONSUMER_SIZE,
			     GFP_KERNEL);
	if (!bytes || !answer) {
		err = paxos_no_memory(info);
		goto out;
	}
	header = genlmsg_put_reply(answer, info, &paxos_family, 0,
				   PAXOS_CMD_SNAPSHOT_BEGIN);
	paxos_group_lock(group);
	err = paxos_agent_named(group, info) ?: begin(group, info);
	if (!err) {
		err = put_begun(answer, group, bytes);
		if (WARN_ON_ONCE(err))
			paxos_snapshot_end(group, err);
	}
	paxos_group_unlock(group);
out:
	kfree(bytes);
	if (err) {
		nlmsg_free(answer);
		return err;
	}
	genlmsg_end(answer, header);
	return genlmsg_reply(answer, info);
}

/*
 * The next chunk of the view of one consumer, or NULL: that was all. -EAGAIN:
 * not yet.
 */
static int pull(struct paxos_group *group, struct genl_info *info,
		struct paxos_chunk **chunk)
{
	struct paxos_consumer *consumer = paxos_consumer_find(group, info);
	struct paxos_snapshot *out;

	if (!consumer || !group->snapshot.slot ||
	    consumer->saving == PAXOS_SAVING_NONE) {
		GENL_SET_ERR_MSG(info, "that snapshot has ended");
		return -ESRCH;
	}
	group->snapshot.heard = paxos_now();
	out = &consumer->out;
	if (consumer->saving == PAXOS_SAVING_PINNED) {
		consumer->saving = PAXOS_SAVING_RUNS;
		queue_work(save_queue, &consumer->save);
	}
	*chunk = list_first_entry_or_null(&out->chunks, struct paxos_chunk,
					  node);
	if (*chunk) {
		list_del(&(*chunk)->node);
		out->held -= (*chunk)->len;
		wake_up_all(&out->wait);
		return 0;
	}
	if (consumer->saving == PAXOS_SAVING_FAILED ||
	    (consumer->saving == PAXOS_SAVING_SAVED && consumer->error)) {
		PAXOS_REFUSE_FMT(info->extack, "%s gives error %d",
				 consumer->ops->name,
				 consumer->error);
		return -EIO;
	}
	if (consumer->saving == PAXOS_SAVING_SAVED)
		return 0;
	GENL_SET_ERR_MSG(info, "nothing more is there yet");
	return -EAGAIN;
}

int paxos_nl_snapshot_pull(struct sk_buff *skb, struct genl_info *info)
{
	struct paxos_group *group = info->user_ptr[0];
	struct paxos_chunk *chunk = NULL;
	struct sk_buff *answer;
	void *header;
	int err;

	if (PAXOS_LACKS(info, PAXOS_A_AGENT, "the agent's port") ||
	    PAXOS_LACKS(info, PAXOS_A_WHICH, "a consumer's id"))
		return -EINVAL;
	paxos_group_lock(group);
	err = paxos_agent_named(group, info) ?: pull(group, info, &chunk);
	paxos_group_unlock(group);
	if (err)
		return err;

	answer = genlmsg_new((chunk ? chunk->len : 0) + 128, GFP_KERNEL);
	if (!answer)
		goto lost;
	header = genlmsg_put_reply(answer, info, &paxos_family, 0,
				   PAXOS_CMD_SNAPSHOT_PULL);
	if (nla_put_u32(answer, PAXOS_A_WHICH,
			nla_get_u32(info->attrs[PAXOS_A_WHICH])) ||
	    (chunk && nla_put(answer, PAXOS_A_VALUE, chunk->len,
			      chunk->bytes)))
		goto lost;
	genlmsg_end(answer, header);
	err = genlmsg_reply(answer, info);
	answer = NULL;
	if (err)
		goto lost;
	kvfree(chunk);
	return 0;

lost:
	/* It would lack in the middle. */
	nlmsg_free(answer);
	kvfree(chunk);
	paxos_group_lock(group);
	paxos_snapshot_end(group, -ENOMEM);
	paxos_group_unlock(group);
	return paxos_no_memory(info);
}

int paxos_nl_snapshot_end(struct sk_buff *skb, struct genl_info *info)
{
	struct paxos_group *group = info->user_ptr[0];
	int err;

	if (PAXOS_LACKS(info, PAXOS_A_AGENT, "the agent's port"))
		return -EINVAL;
	paxos_group_lock(group);
	err = paxos_agent_named(group, info);
	if (!err)
		paxos_snapshot_end(group, -ECANCELED);
	paxos_group_unlock(group);
	return err;
}

int paxos_snapshot_init(void)
{
	save_queue = alloc_workqueue("paxos_snapshot",
				     WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	return save_queue ? 0 : -ENOMEM;
}

void paxos_snapshot_exit(void)
{
	destroy_workqueue(save_queue);
}
