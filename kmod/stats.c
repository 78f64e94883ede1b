// SPDX-License-Identifier: GPL-2.0
#include <linux/string.h>
#include <linux/netdevice.h>
#include <net/netlink.h>
#include <uapi/linux/paxos.h>
#include "stats.h"

static const char * const type_names[PAXOS_TYPES] = {
	[PAXOS_PREPARE] = "prepare",
	[PAXOS_PROMISE] = "promise",
	[PAXOS_REJECT] = "reject",
	[PAXOS_ACCEPT] = "accept",
	[PAXOS_ACCEPTED] = "accepted",
	[PAXOS_COMMIT] = "commit",
	[PAXOS_FETCH] = "fetch",
	[PAXOS_CHOSEN] = "chosen",
	[PAXOS_FORWARD] = "forward",
	[PAXOS_DONE] = "done",
	[PAXOS_READ] = "read",
	[PAXOS_READ_REPLY] = "read-reply",
	[PAXOS_PROBE] = "probe",
	[PAXOS_PROBE_REPLY] = "probe-reply",
	[PAXOS_YIELD] = "yield",
};

static const char * const count_names[] = {
	[PAXOS_COUNT_BYTES_IN] = "bytes-in",
	[PAXOS_COUNT_BYTES_OUT] = "bytes-out",
	[PAXOS_COUNT_PROPOSALS] = "proposals",
	[PAXOS_COUNT_READS] = "reads",
	[PAXOS_COUNT_CHOSEN] = "slots-chosen",
	[PAXOS_COUNT_DELIVERED] = "values-delivered",
	[PAXOS_COUNT_RECORDS] = "records",
	[PAXOS_COUNT_PULLS] = "pulls",
	[PAXOS_COUNT_PULL_RETRIES] = "pull-retries",
	[PAXOS_COUNT_TRANSFERRED] = "transferred",
	[PAXOS_COUNT_SPARES] = "spares",
	[PAXOS_COUNT_CHOSEN_US] = "proposals-us",
};

static const char * const drop_names[PAXOS_DROPS] = {
	[PAXOS_DROP_SHORT] = "short",
	[PAXOS_DROP_LONG] = "long",
	[PAXOS_DROP_VERSION] = "version",
	[PAXOS_DROP_TYPE] = "type",
	[PAXOS_DROP_MALFORMED] = "malformed",
	[PAXOS_DROP_SENDER] = "sender",
	[PAXOS_DROP_ADDRESSEE] = "addressee",
	[PAXOS_DROP_EPOCH] = "epoch",
	[PAXOS_DROP_MUTE] = "mute",
	[PAXOS_DROP_STALE] = "stale",
	[PAXOS_DROP_WINDOW] = "window",
	[PAXOS_DROP_NOMEM] = "no-memory",
	[PAXOS_DROP_NOT_LEADER] = "not-leader",
	[PAXOS_DROP_CONFLICT] = "conflict",
	[PAXOS_DROP_GROUP] = "group",
	[PAXOS_DROP_TAG] = "tag",
	[PAXOS_DROP_LINEARIZE] = "linearize",
	[PAXOS_DROP_SEND_NOMEM] = "send-no-memory",
	[PAXOS_DROP_SEND_ROUTE] = "send-no-route",
	[PAXOS_DROP_NOTICE_NOMEM] = "notice-no-memory",
};

/* NULL if there is no memory. */
struct paxos_stats __percpu *paxos_stats_new(void)
{
	return netdev_alloc_pcpu_stats(struct paxos_stats);
}

static u64 total(const struct paxos_stats __percpu *stats, unsigned int which)
{
	unsigned int start;
	u64 sum = 0, one;
	int cpu;

	for_each_possible_cpu(cpu) {
		const struct paxos_stats *its = per_cpu_ptr(stats, cpu);

		do {
			start = u64_stats_fetch_begin(&its->syncp);
			one = u64_stats_read(&its->counts[which]);
		} while (u64_stats_fetch_retry(&its->syncp, start));
		sum += one;
	}
	return sum;
}

static int put(struct sk_buff *skb, int attr, const char *name,
	       const char *suffix, u64 value)
{
	struct nlattr *nest = nla_nest_start(skb, attr);
	char full[32];

	scnprintf(full, sizeof(full), "%s%s", name, suffix);
	if (!nest || nla_put_string(skb, PAXOS_A_COUNTER_NAME, full) ||
	    nla_put_u64_64bit(skb, PAXOS_A_COUNTER_VALUE, value,
			      PAXOS_A_COUNTER_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* Every counter of a group, and every reason to drop, with its name. */
int paxos_stats_put(struct sk_buff *skb,
		    const struct paxos_stats __percpu *stats)
{
	u64 latencies[PAXOS_NL_LATENCIES];
	unsigned int i;
	int err = 0;

	for (i = 1; i < PAXOS_TYPES && !err; i++) {
		err = put(skb, PAXOS_A_COUNTER, type_names[i], "-in",
			  total(stats, PAXOS_COUNT_IN + i));
		if (!err)
			err = put(skb, PAXOS_A_COUNTER, type_names[i], "-out",
				  total(stats, PAXOS_COUNT_OUT + i));
	}
	for (i = PAXOS_COUNT_BYTES_IN; i < PAXOS_COUNT_LATENCY && !err; i++)
		err = put(skb, PAXOS_A_COUNTER, count_names[i], "",
			  total(stats, i));
	for (i = 1; i < PAXOS_DROPS && !err; i++)
		err = put(skb, PAXOS_A_DROP, drop_names[i], "",
			  total(stats, PAXOS_COUNT_DROP + i));
	for (i = 0; i < PAXOS_NL_LATENCIES; i++)
		latencies[i] = total(stats, PAXOS_COUNT_LATENCY + i);
	return err ?: nla_put(skb, PAXOS_A_LATENCY, sizeof(latencies),
			      latencies);
}

/* Of a namespace: datagrams that belong to no group. */
int paxos_stats_put_net(struct sk_buff *skb,
			const struct paxos_stats __percpu *stats)
{
	return put(skb, PAXOS_A_DROP, drop_names[PAXOS_DROP_GROUP], "",
		   total(stats, PAXOS_COUNT_DROP + PAXOS_DROP_GROUP));
}
