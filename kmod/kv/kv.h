/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOS_KV_KV_H
#define _PAXOS_KV_KV_H

/*
 * paxos_kv.ko: a consumer of paxos.ko.
 *
 *	a value was chosen	replica.c	apply(): work of the handle
 *	a proposal has ended	call.c		done(): softirq
 *	time passes		replica.c	tick: work
 *	a netlink command	change.c, read.c, watch.c	process
 *	a kernel subsystem	user.c, listen.c		process; submits
 *							from softirq, too
 *	a lock's time		lock.c		softirq
 *
 * Locks, outermost first: kv_net.mutex; kv_replica.mutex, which the store is
 * under; kv_replica.lock, which the calls are under, with softirqs off.
 */

#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/paxos.h>
#include <linux/paxos_kv.h>
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
#define KV_BARRIERS_MAX	64		/* as many as a group takes */
#define KV_AGES		16
#define KV_AGAIN_MS	100		/* that a slot waits for memory */
#define KV_ANSWER	512		/* bytes of one without pairs */
#define KV_ANSWER_MAX	(48 << 10)	/* holds any pair, and more */

/* Of a network namespace. @mutex protects @replicas, by group. */
struct kv_net {
	struct mutex mutex;	/* who is there */
	struct xarray replicas;
};

/* In time (ms) this was the last revision; 0: none. */
struct kv_age {
	u64 time;
	u64 revision;
};

/**
 * struct kv_replica - the store of a group on this host
 * @refs: one of kv_net, one of each who uses it
 * @net: of the group, while @error is 0 or there are @users
 * @group: its id
 * @handle: on the group; closed when kv_net lets go
 * @users: of @handle and @net, at this moment
 * @barriers: under way
 * @queue: of barriers, which wait
 * @mutex: protects what follows, to @compact_due
 * @store: what was applied; a snapshot that is loaded takes its place
 * @error: why it is of no use any more; set by apply() and stop()
 * @watches: struct kv_watch that wait
 * @listeners: struct kv_listener
 * @n_watches: how many of both
 * @led: this member led when the last tick looked
 * @anew: leases have all of their time again from the next tick on
 * @ages: the newest first
 * @compact_at: not before that time is one proposed
 * @compact_due: since when there is too much history; 0: there is not
 * @lock: protects @calls, @n_calls, @seq, @loaded, and the slots of calls
 * @calls: struct kv_call whose entry was not applied yet
 * @n_calls: how many
 * @seq: of the last one
 * @loaded: entries up to this slot came in a snapshot
 * @instance: random; an entry with it and a seq is one of @calls
 * @tick: time passes
 */
struct kv_replica {
	struct kref refs;
	struct net *net;
	u32 group;
	struct paxos_handle *handle;
	atomic_t users;
	atomic_t barriers;
	struct workqueue_struct *queue;

	struct mutex mutex;	/* the store, and who watches it */
	struct kv_store *store;
	int error;
	struct list_head watches;
	struct list_head listeners;
	u32 n_watches;
	bool led;
	bool anew;
	struct kv_age ages[KV_AGES];
	u64 compact_at;
	u64 compact_due;

	spinlock_t lock;	/* what is under way */
	struct list_head calls;
	u32 n_calls;
	u64 seq;
	u64 loaded;
	u64 instance;

	struct delayed_work tick;
};

/**
 * struct paxos_kv - a kernel subsystem's use of a store
 * @replica: the store, with a reference
 * @queue: of its listeners
 * @listeners: its struct kv_listener; under kv_replica.mutex
 * @pending: requests under way
 * @closing: no more are taken; under kv_replica.lock
 */
struct paxos_kv {
	struct kv_replica *replica;
	struct workqueue_struct *queue;
	struct list_head listeners;
	atomic_t pending;
	bool closing;
};

/**
 * struct kv_answer - what who asked is told, not sent yet
 * @user: a kernel subsystem, or NULL: a netlink message, or nobody
 * @request: of @user
 * @skb: NULL: nobody asked, or it was sent
 * @header: of @skb
 * @net: of who asked
 * @portid: likewise
 * @more: pairs were left out, since there was no room
 */
struct kv_answer {
	struct paxos_kv *user;
	struct paxos_kv_request *request;
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
 * @slot: that it was chosen in; 0: not yet
 * @answer: who asked
 */
struct kv_call {
	struct paxos_request request;
	struct list_head node;
	struct kv_replica *replica;
	refcount_t refs;
	u64 seq;
	u64 slot;
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
u64 kv_now_ms(void);
struct kv_replica *kv_replica_get(struct net *net, u32 group);
void kv_replica_put(struct kv_replica *replica);
void kv_replicas_close(struct kv_net *replicas);
int kv_replica_enter(struct kv_replica *replica);
void kv_replica_leave(struct kv_replica *replica);
int kv_replica_able(struct kv_replica *replica);
struct kv_store *kv_store_new(void);
void kv_store_free(struct kv_store *store);

/* call.c: process context */
int kv_answer_new(struct kv_answer *answer, struct net *net, u32 portid,
		  u32 seq, u8 cmd, size_t size);
int kv_pair_put(struct sk_buff *skb, const struct kv_pair *pair,
		const u16 *operation);
int kv_call(struct kv_replica *replica, struct kv_answer *answer,
	    struct kv_writer *writer, gfp_t gfp, u32 timeout);
void kv_calls_end(struct kv_replica *replica, const struct paxos_kv *user,
		  const struct paxos_kv_request *request);
/* call.c: process context, kv_replica.mutex held */
int kv_call_apply(struct kv_replica *replica, u64 slot, const void *bytes,
		  u32 len, struct kv_result *result);
void kv_calls_loaded(struct kv_replica *replica, u64 slot);

/* snapshot.c: process context; as struct paxos_handle_ops says */
int kv_snapshot_begin(void *context, u64 slot, void **view);
int kv_snapshot_save(void *context, void *view,
		     struct paxos_snapshot *snapshot);
void kv_snapshot_end(void *context, void *view);
int kv_snapshot_load(void *context, u64 slot, struct paxos_snapshot *snapshot);

/* change.c: process context */
int kv_refuse(struct netlink_ext_ack *extack, int err);
int kv_nl_txn(struct sk_buff *skb, struct genl_info *info);
int kv_nl_numbers(struct sk_buff *skb, struct genl_info *info);
int kv_nl_history(struct sk_buff *skb, struct genl_info *info);

/* limit.c: process context */
int kv_info(struct kv_replica *replica, struct paxos_kv_info *info);

/* read.c: process context */
int kv_barrier(struct kv_replica *replica, u32 timeout);
int kv_nl_barrier(struct sk_buff *skb, struct genl_info *info);
int kv_nl_info(struct sk_buff *skb, struct genl_info *info);
int kv_nl_get_start(struct netlink_callback *cb);
int kv_nl_get(struct sk_buff *skb, struct netlink_callback *cb);
int kv_nl_get_done(struct netlink_callback *cb);
int kv_nl_leases(struct sk_buff *skb, struct netlink_callback *cb);

/* user.c: process context */
int kv_user_error(struct kv_replica *replica);
void kv_page_clear(struct paxos_kv_page *page);
bool kv_page_add(struct paxos_kv_page *page, const struct kv_pair *pair,
		 u16 operation);
int kv_user_numbers(struct paxos_kv *kv, enum kv_type type, u64 number,
		    u64 *lease, u32 timeout_ms);
/* user.c: any but hard interrupt */
int kv_user_submit(struct paxos_kv *kv, struct paxos_kv_request *request,
		   enum kv_type type, u64 number, gfp_t gfp, u32 timeout_ms);

/* listen.c: process context */
void kv_listeners_close(struct paxos_kv *kv);
/* listen.c: process context, kv_replica.mutex held */
void kv_listeners_tell(struct kv_replica *replica, bool over);

/* lock.c: any context */
bool kv_name_fits(const void *name, size_t len);

/* history.c: process context, kv_replica.mutex held */
void kv_history_tick(struct kv_replica *replica, bool leads);

/* watch.c: process context */
int kv_nl_watch(struct sk_buff *skb, struct genl_info *info);
/* watch.c: process context, kv_replica.mutex held */
void kv_watches_tell(struct kv_replica *replica, bool over);

#endif
