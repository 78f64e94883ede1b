/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOS_GROUP_H
#define _PAXOS_GROUP_H

#include <linux/in6.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/mempool.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <net/dst_cache.h>
#include "auth.h"
#include "core/core.h"
#include "core/divergence.h"
#include "stats.h"
#include <uapi/linux/paxos.h>

struct paxos_request;

/* A network namespace's groups. */
struct paxos_net {
	struct mutex mutex;	/* serialises adding, setting and deleting */
	struct xarray groups;	/* by id; writers: @mutex, readers: RCU */
	u32 count;		/* of groups; @mutex */
	u32 generation;		/* of the set of groups; @mutex to change it */
	struct list_head doomed;	/* killed, not reaped; @mutex */
	struct paxos_stats __percpu *stats;	/* datagrams of no group */
};

/**
 * struct paxos_endpoint - where a member is reached; replaced as a whole
 * @family: AF_INET or AF_INET6, the same in all of a group
 * @scope: interface of a link-local IPv6 address, or 0
 * @routes: to @address, one a CPU
 */
struct paxos_endpoint {
	sa_family_t family;
	__be16 port;
	int scope;
	union {
		__be32 v4;
		struct in6_addr v6;
	} address;
	struct dst_cache routes;
	struct rcu_head rcu;
};

/* What a member's agent says in its heartbeats, as our agent tells us. */
struct paxos_agent_seen {
	u64 heard;		/* our time; 0: never */
	u64 commit;
	u64 durable;
	u64 incarnation;
	bool suspected;		/* of having failed, by our agent */
};

/* What a member's kernel says to a Probe, started there or not. */
struct paxos_probe_seen {
	u64 heard;		/* our time; 0: never */
	u32 stamp;		/* of Probes that no answer came to, or 0 */
	bool runs;		/* restored and started, so it takes part */
};

/**
 * struct paxos_agent - who writes this group's records
 * @portid: of its netlink socket, 0: nobody
 * @seq: of the PULL that waits
 * @waiting: a PULL waits
 * @after: and wants the records after this
 * @urgent: replies wait for records up to this one
 * @given: when the oldest record that was given out and is not durable was
 * @fresh: since when a reply has waited for a record not given out; 0: none
 * @last: the last record given out
 * @retry: a PULL could not be answered; not before then, 0: at once
 * @stalled: so was said
 */
struct paxos_agent {
	u32 portid;
	u32 seq;
	bool waiting;
	bool stalled;
	u64 after;
	u64 urgent;
	u64 given;
	u64 fresh;
	u64 last;
	u64 retry;
};

/**
 * struct paxos_transfer - what LEARN brings from another member's log
 * @from: that member
 * @goal: up to which slot it goes
 * @heard: when something last came, 0: never
 */
struct paxos_transfer {
	u8 from;
	u64 goal;
	u64 heard;
};

/**
 * struct paxos_space - what the agent says of its log
 * @used: bytes on the disk, 0: it said nothing
 * @bound: that they may be, 0: any number
 * @first: slot that its log holds
 * @goes: slots up to here will go when the log is full
 * @held: this member does not have them yet, 0: nobody holds them back
 * @trimmed: no member's log that could be asked holds a slot below; 0: unknown
 * @snapshot: slot of the newest one beside it, 0: there is none
 * @unsaved: it waits for a newer one, which cannot be taken
 */
struct paxos_space {
	u64 used;
	u64 bound;
	u64 first;
	u64 goes;
	u8 held;
	u64 trimmed;
	u64 snapshot;
	bool unsaved;
};

/**
 * struct paxos_snapshot_taken - the snapshot that the agent takes
 * @slot: at which, 0: none
 * @heard: when the agent last asked for more of it
 */
struct paxos_snapshot_taken {
	u64 slot;
	u64 heard;
};

/**
 * struct paxos_group - one member of one group, on this host
 *
 * Written before anybody sees it, constant since: @net to @stats. Readers of
 * the RCU pointers hold rcu_read_lock(); their writers &paxos_net.mutex.
 */
struct paxos_group {
	struct net *net;
	u32 id;
	u64 instance;
	u8 cluster[PAXOS_CLUSTER_SIZE];
	struct socket *socket;
	struct paxos_entry *entries;
	u8 *scratch;			/* what it points to: @lock */
	struct paxos_stats __percpu *stats;

	struct sock __rcu *sock;	/* NULL: no sending any more */
	struct paxos_key __rcu *key;
	struct paxos_endpoint __rcu *endpoints[PAXOS_MEMBERS_MAX + 1];

	spinlock_t lock;	/* protects the fields from here to @core */
	bool dead;			/* deleted: no call into the core */
	bool completing;		/* someone is running @ended */
	bool quorum;			/* there, as handles are to be told */
	u64 armed;			/* when @timer will fire, or PAXOS_NEVER */
	u64 watch;			/* when this side of the core needs it */
	u64 up;				/* members said to be up */
	void *reserve;			/* memory for the next value, or NULL */
	u32 reserve_len;
	mempool_t *spare;		/* of spare.c; NULL: no handle yet */
	unsigned long *deliverable;	/* by slot modulo log size */
	struct paxos_agent agent;
	struct paxos_transfer transfer;
	struct paxos_space space;
	struct paxos_agent_seen seen[PAXOS_MEMBERS_MAX + 1];
	struct paxos_divergence divergence;
	struct paxos_probe_seen probes[PAXOS_MEMBERS_MAX + 1];
	u64 probe_due;			/* when to probe again */
	struct list_head handles;	/* struct paxos_handle */
	struct list_head consumers;	/* struct paxos_consumer */
	struct paxos_snapshot_taken snapshot;
	struct list_head ended;		/* requests whose done() is due */
	struct list_head timed;		/* struct paxos_stages */
	struct sk_buff_head out;	/* datagrams to send, after the lock */
	struct paxos_core core;

	struct timer_list timer;

	/* Notices in order; its own lock nests inside @lock. */
	struct sk_buff_head notices;

	refcount_t refs;
	struct list_head node;		/* in paxos_net.doomed */
	struct work_struct membership;	/* holds a reference while queued */
};

/* What GROUP_ADD asks for. */
struct paxos_group_config {
	u32 id;
	u8 cluster[PAXOS_CLUSTER_SIZE];
	struct paxos_settings settings;
	struct paxos_config config;
	struct paxos_key *key;
	struct paxos_endpoint *endpoints[PAXOS_MEMBERS_MAX + 1];
};

/**
 * struct paxos_change - what a RECONFIGURE asks for, and what comes of it
 * @wanted: the member that is different
 * @role: enum paxos_nl_role that it gets
 * @addressed: and @wanted has its address
 * @members: of the next configuration, to encode
 * @len: of @bytes
 * @bytes: the next configuration
 */
struct paxos_change {
	struct paxos_member wanted;
	u8 role;
	bool addressed;
	struct paxos_member members[PAXOS_MEMBERS_MAX];
	u32 len;
	u8 bytes[PAXOS_CONFIG_MAX];
};

/* Beyond this a member's agent counts as unheard. */
#define PAXOS_AGENT_SILENCE_US	3000000
/* A member of whose kernel nothing was heard for so long is probed. */
#define PAXOS_PROBE_US		250000
/* A transfer that brings nothing for so long is none. */
#define PAXOS_TRANSFER_US	3000000
/* Beyond this the disk counts as stalled. */
#define PAXOS_STALL_US		1000000

static inline struct paxos_group *paxos_core_group(struct paxos_core *core)
{
	struct paxos_group *group = container_of(core, struct paxos_group, core);

	lockdep_assert_held(&group->lock);
	return group;
}

static inline u64 paxos_now(void)
{
	return ktime_to_us(ktime_get());
}

/* The timer shall look at this group's own deadlines by @when. */
static inline void paxos_group_watch(struct paxos_group *group, u64 when)
{
	lockdep_assert_held(&group->lock);
	if (when < group->watch)
		group->watch = when;
}

#endif
