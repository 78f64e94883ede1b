/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOS_CONSUMER_H
#define _PAXOS_CONSUMER_H

/*
 * What a handle with callbacks has beside its turn to apply(): a view of its
 * state on the way to the agent (snapshot.c), and what it lacks on the way back
 * (feed.c). All of it is protected by the group's lock; callbacks run without.
 */

#include <linux/list.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/paxos.h>
#include "core/value.h"

struct genl_info;
struct paxos_group;
struct paxos_seen;
struct sk_buff;

/* Beyond this many bytes who writes into a stream waits. */
#define PAXOS_STREAM_MAX	(256U << 10)
/* That an agent takes nothing of a snapshot for so long ends it. */
#define PAXOS_SNAPSHOT_US	10000000

/**
 * struct paxos_chunk - some bytes of a section, or a value
 * @slot: of the value
 */
struct paxos_chunk {
	struct list_head node;
	u64 slot;
	struct paxos_origin origin;
	u8 kind;
	u32 len;
	u8 bytes[];
};

/**
 * struct paxos_snapshot - bytes between a consumer and the agent
 * @chunks: not taken yet
 * @held: bytes in them
 * @ended: none will follow
 * @error: of the side that is gone; 0: neither is
 * @part: the consumer's side only: what it is filling, or reading
 * @offset: in @part, what was read
 */
struct paxos_snapshot {
	struct paxos_group *group;
	wait_queue_head_t wait;
	struct list_head chunks;
	u32 held;
	bool ended;
	int error;
	struct paxos_chunk *part;
	u32 offset;
};

enum paxos_saving {
	PAXOS_SAVING_NONE = 0,
	PAXOS_SAVING_WANTED,	/* once all to the slot is applied */
	PAXOS_SAVING_BEGINS,	/* snapshot_begin() runs */
	PAXOS_SAVING_PINNED,
	PAXOS_SAVING_RUNS,	/* snapshot_save() runs, or will */
	PAXOS_SAVING_SAVED,	/* it has returned */
	PAXOS_SAVING_ENDS,	/* snapshot_end() runs */
	PAXOS_SAVING_FAILED,	/* snapshot_begin() did: nothing is pinned */
};

enum paxos_feeding {
	PAXOS_FEEDING_NONE = 0,
	PAXOS_FEEDING_LOADS,	/* a section comes, for snapshot_load() */
	PAXOS_FEEDING_VALUES,
};

/**
 * struct paxos_consumer - in a handle that has ops
 * @node: in &paxos_group.consumers
 * @next: the handle's: the next slot to apply
 * @queue: the handle's, of @work
 * @work: the handle's: all callbacks but snapshot_save()
 * @id: no other consumer's of this kernel
 * @off: no callback follows, but for snapshot_end()
 * @saving: enum paxos_saving
 * @ending: nobody wants the view any more
 * @slot: that is saved
 * @save: runs snapshot_save()
 * @error: of snapshot_begin() or snapshot_save()
 * @wants: slots that this kernel does not hold any more
 * @refused: the agent does not have them either
 * @failed: the error of snapshot_load(), 0: it did not fail by itself
 * @broken: a load broke off: its state is of no use before the next
 * @loading: snapshot_load() runs
 * @feeding: enum paxos_feeding
 * @base: what comes begins behind this slot
 * @at: the next slot to come
 * @seen: proposals delivered before @at, by member
 */
struct paxos_consumer {
	struct list_head node;
	struct paxos_group *group;
	const struct paxos_handle_ops *ops;
	void *context;
	u64 *next;
	struct workqueue_struct *queue;
	struct work_struct *work;
	u32 id;
	bool off;

	u8 saving;
	bool ending;
	u64 slot;
	void *view;
	int error;
	struct work_struct save;
	struct paxos_snapshot out;

	bool wants;
	bool refused;
	int failed;
	bool broken;
	bool loading;
	u8 feeding;
	u64 base;
	u64 at;
	struct paxos_seen *seen;
	struct paxos_snapshot in;
};

/* Of one in a netlink message, at most. */
#define PAXOS_CONSUMER_SIZE	128

/* consumer.c, for handle.c and apply.c: before anybody knows it */
void paxos_consumer_init(struct paxos_consumer *consumer,
			 const struct paxos_handle_ops *ops, void *context,
			 u64 *next, struct workqueue_struct *queue,
			 struct work_struct *work);
/* consumer.c, for handle.c and apply.c: group locked */
void paxos_consumer_enter(struct paxos_consumer *consumer,
			  struct paxos_group *group);
int paxos_consumer_turn(struct paxos_consumer *consumer);
void paxos_consumer_leave(struct paxos_consumer *consumer);
/* consumer.c, for handle.c and apply.c: process context */
void paxos_consumer_work(struct paxos_consumer *consumer);
void paxos_consumer_quiet(struct paxos_consumer *consumer);
void paxos_consumer_close(struct paxos_consumer *consumer);

/* consumer.c: any context */
void paxos_consumer_wake(struct paxos_consumer *consumer);

/* snapshot.c: group locked */
void paxos_stream_fail(struct paxos_snapshot *stream, int error);
void paxos_stream_take(struct paxos_snapshot *stream, struct list_head *out);
bool paxos_saving_due(const struct paxos_consumer *consumer);
void paxos_saving_leave(struct paxos_consumer *consumer);
void paxos_snapshot_end(struct paxos_group *group, int error);
/* snapshot.c: process context */
void paxos_stream_init(struct paxos_snapshot *stream);
struct paxos_chunk *paxos_chunk_new(const void *bytes, u32 len);
void paxos_chunks_free(struct list_head *chunks);
void paxos_saving_init(struct paxos_consumer *consumer);
void paxos_saving_work(struct paxos_consumer *consumer);
void paxos_saving_cancel(struct paxos_consumer *consumer);
void paxos_saving_close(struct paxos_consumer *consumer);

/* feed.c: group locked */
int paxos_feed_turn(struct paxos_consumer *consumer);
void paxos_feed_end(struct paxos_group *group, int error);
struct paxos_consumer *paxos_consumer_find(struct paxos_group *group,
					   struct genl_info *info);
int paxos_consumer_put(struct sk_buff *skb,
		       const struct paxos_consumer *consumer);
/* feed.c: process context */
void paxos_feed_work(struct paxos_consumer *consumer);

#endif
