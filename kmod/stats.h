/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOS_STATS_H
#define _PAXOS_STATS_H

#include <linux/percpu.h>
#include <linux/u64_stats_sync.h>
#include <uapi/linux/paxos.h>
#include "core/message.h"

/* Why this side of the core dropped something; goes on where the core ends. */
enum {
	PAXOS_DROP_GROUP = PAXOS_CORE_DROPS,	/* another group, or none */
	PAXOS_DROP_TAG,			/* not made with this group's key */
	PAXOS_DROP_LINEARIZE,		/* no memory to put it in one piece */
	PAXOS_DROP_SEND_NOMEM,		/* no memory for a datagram */
	PAXOS_DROP_SEND_ROUTE,		/* no route to the member */
	PAXOS_DROP_NOTICE_NOMEM,	/* no memory for a multicast */
	PAXOS_DROPS,
};

/*
 * One array a CPU: messages in by type, messages out by type, the counters
 * below, then drops by reason.
 */
enum {
	PAXOS_COUNT_IN = 0,
	PAXOS_COUNT_OUT = PAXOS_COUNT_IN + PAXOS_TYPES,
	PAXOS_COUNT_BYTES_IN = PAXOS_COUNT_OUT + PAXOS_TYPES,
	PAXOS_COUNT_BYTES_OUT,
	PAXOS_COUNT_PROPOSALS,
	PAXOS_COUNT_READS,
	PAXOS_COUNT_CHOSEN,
	PAXOS_COUNT_DELIVERED,
	PAXOS_COUNT_RECORDS,		/* given to the agent */
	PAXOS_COUNT_PULLS,		/* answered */
	PAXOS_COUNT_PULL_RETRIES,	/* that could not be answered at once */
	PAXOS_COUNT_TRANSFERRED,	/* values learnt from another's log */
	PAXOS_COUNT_SPARES,		/* values from spare memory */
	PAXOS_COUNT_CHOSEN_US,		/* that own proposals took */
	PAXOS_COUNT_LATENCY,		/* of them, by their bit length */
	PAXOS_COUNT_DROP = PAXOS_COUNT_LATENCY + PAXOS_NL_LATENCIES,
	PAXOS_COUNTS = PAXOS_COUNT_DROP + PAXOS_DROPS,
};

struct paxos_stats {
	u64_stats_t counts[PAXOS_COUNTS];
	struct u64_stats_sync syncp;
};

struct sk_buff;

struct paxos_stats __percpu *paxos_stats_new(void);
int paxos_stats_put(struct sk_buff *skb,
		    const struct paxos_stats __percpu *stats);
int paxos_stats_put_net(struct sk_buff *skb,
			const struct paxos_stats __percpu *stats);

/* Softirq context, or softirqs disabled. */
static inline void paxos_count_add(struct paxos_stats __percpu *stats,
				   unsigned int which, u64 n)
{
	struct paxos_stats *mine = this_cpu_ptr(stats);

	u64_stats_update_begin(&mine->syncp);
	u64_stats_add(&mine->counts[which], n);
	u64_stats_update_end(&mine->syncp);
}

/* A proposal of this host was chosen, @us after it was made. */
static inline void paxos_count_chosen(struct paxos_stats __percpu *stats,
				      u64 us)
{
	unsigned int bits = min_t(unsigned int, fls64(us),
				  PAXOS_NL_LATENCIES - 1);
	struct paxos_stats *mine = this_cpu_ptr(stats);

	u64_stats_update_begin(&mine->syncp);
	u64_stats_add(&mine->counts[PAXOS_COUNT_CHOSEN_US], us);
	u64_stats_inc(&mine->counts[PAXOS_COUNT_LATENCY + bits]);
	u64_stats_update_end(&mine->syncp);
}

static inline void paxos_count(struct paxos_stats __percpu *stats,
			       unsigned int which)
{
	paxos_count_add(stats, which, 1);
}

#endif
