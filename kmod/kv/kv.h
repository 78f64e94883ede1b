/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOS_KV_KV_H
#define _PAXOS_KV_KV_H

/*
 * paxos_kv.ko: a consumer of paxos.ko.
 *
 *	a value was chosen	replica.c	apply(): work of the handle
 *	a proposal has ended	call.c		done(): softirq
 *	time passes		replica.c	tick: work
 *	a netlink command	netlink.c, call.c, read.c	process
 *
 * Locks, outermost first: kv_net.mutex; kv_replica.mutex, which the store is
 * under; kv_replica.lock, which the calls are under, with softirqs off.
 */

#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/paxos.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <net/genetlink.h>
#include <uapi/linux/paxos.h>
#include <uapi/linux/paxos_kv.h>
#include "compat.h"
#include "core/store.h"

#define KV_CALLS_MAX	1024
#define KV_WATCHES_MAX	1024
#define KV_ANSWER	512		/* bytes of one without pairs */
#define KV_ANSWER_MAX	(48 << 10)	/* holds any pair, and more */

/* Of a network namespace. @mutex protects @replicas, by group. */
struct kv_net {
	struct mutex mutex;	/* who is there */
	struct xarray replicas;
};

/**
 * struct kv_replica - the store of a group on this host
 * @refs: one of kv_net, one of each who uses it
 * @net: of the group; outlives this
 * @group: its id
 * @handle: on the group; closed when kv_net lets go
 * @users: of @handle, at this moment
 * @mutex: protects what follows, to @led
 * @store: what was applied
 * @error: why it is of no use any more; set by apply() and stop()
 * @watches: struct kv_watch that wait
 * @n_watches: how many
 * @led: this member led when the last tick looked
 * @lock: protects @calls, @n_calls, @seq
 * @calls: struct kv_call whose entry was not applied yet
 * @n_calls: how many
 * @seq: of the last one
 * @instance: random; an entry with it and a seq is one of @calls
 * @tick: time passes
 */
struct kv_replica {
	struct kref refs;
	struct net *net;
	u32 group;
	struct paxos_handle *handle;
	atomic_t users;

	struct mutex mutex;	/* the store, and who watches it */
	struct kv_store store;
	int error;
	struct list_head watches;
	u32 n_watches;
	bool led;

	spinlock_t lock;	/* what is under way */
	struct list_head calls;
	u32 n_calls;
	u64 seq;
	u64 instance;

	struct delayed_work tick;
};

/**
 * struct kv_answer - a message to who asked, not sent yet
 * @skb: NULL: nobody asked, or it was sent
 * @header: of @skb
 * @net: of who asked
 * @portid: likewise
 * @more: pairs were left out, since there was no room
 */
struct kv_answer {
	struct sk_buff *skb;
	void *header;
	struct net *net;
	u32 portid;
	bool more;
};

/**
 * struct kv_call - an entry that was proposed and not applied
 * @request: paxos.ko's, until done()
 * @node: in &kv_replica.calls; who takes it out of there answers
 * @replica: with a reference
 * @refs: one for the list, one for done()
 * @seq: in the entry's header
 * @answer: nobody's if its skb is NULL
 */
struct kv_call {
	struct paxos_request request;
	struct list_head node;
	struct kv_replica *replica;
	refcount_t refs;
	u64 seq;
	struct kv_answer answer;
};

/* Who waits for something to happen, until a time in jiffies. */
struct kv_watch {
	struct list_head node;
	struct kv_position position;
	unsigned long until;
	u32 portid;
	u32 seq;
	bool exact;
	u16 prefix_len;
	u8 prefix[KV_KEY_MAX];
};

#define PAXOS_KV_REFUSE_GROUP(extack, attr)				\
	PAXOS_REFUSE_FMT(extack, "no group %u in this network namespace", \
			 nla_get_u32(attr))

extern struct genl_family paxos_kv_family;
extern struct workqueue_struct *kv_queue;

/* main.c */
struct kv_net *kv_net(const struct net *net);

/* replica.c: process context */
struct kv_replica *kv_replica_get(struct net *net, u32 group);
void kv_replica_put(struct kv_replica *replica);
void kv_replicas_close(struct kv_net *replicas);
int kv_replica_enter(struct kv_replica *replica);
void kv_replica_leave(struct kv_replica *replica);

/* call.c: process context */
int kv_answer_new(struct kv_answer *answer, struct net *net, u32 portid,
		  u32 seq, u8 cmd, size_t size);
int kv_pair_put(struct sk_buff *skb, const struct kv_pair *pair,
		const u16 *operation);
int kv_call(struct kv_replica *replica, struct kv_answer *answer,
	    struct kv_writer *writer, u32 timeout);
int kv_nl_txn(struct sk_buff *skb, struct genl_info *info);
int kv_nl_numbers(struct sk_buff *skb, struct genl_info *info);
int kv_refuse(struct genl_info *info, int err);
/* call.c: process context, kv_replica.mutex held */
int kv_call_apply(struct kv_replica *replica, u64 slot, const void *bytes,
		  u32 len, struct kv_result *result);
void kv_calls_stop(struct kv_replica *replica);

/* read.c: process context */
int kv_nl_barrier(struct sk_buff *skb, struct genl_info *info);
int kv_nl_info(struct sk_buff *skb, struct genl_info *info);
int kv_nl_get_start(struct netlink_callback *cb);
int kv_nl_get(struct sk_buff *skb, struct netlink_callback *cb);
int kv_nl_get_done(struct netlink_callback *cb);
int kv_nl_leases(struct sk_buff *skb, struct netlink_callback *cb);

/* watch.c: process context */
int kv_nl_watch(struct sk_buff *skb, struct genl_info *info);
/* watch.c: process context, kv_replica.mutex held */
void kv_watches_tell(struct kv_replica *replica, bool over);

#endif
