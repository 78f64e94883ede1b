// SPDX-License-Identifier: GPL-2.0
#include <linux/slab.h>
#include <net/netlink.h>
#include "paths.h"

/*
 * When a proposal reached each stage here. Only no-ops that are proposed are
 * timed, by who wants to know how long a commit takes; while there are none,
 * this costs the others a nop an event.
 */
DEFINE_STATIC_KEY_DEFERRED_FALSE(paxos_stages_timed, HZ);

/**
 * struct paxos_stages - one proposal that is timed; times in ns, 0: not yet
 * @node: in &paxos_group.timed; the rest is protected by the group's lock
 * @request: the proposal, until it has ended
 * @seq: of its origin
 * @lsn: of the record that its value was accepted with, 0: in memory
 * @started: the command came
 * @accepted: this member's acceptor took it
 * @persisted: and that is on stable storage
 * @chosen: this member knows that it is chosen
 * @delivered: and all before it
 */
struct paxos_stages {
	struct list_head node;
	struct paxos_request *request;
	u64 seq;
	u64 lsn;
	u64 started;
	u64 accepted;
	u64 persisted;
	u64 chosen;
	u64 delivered;
};

/* Process context. NULL: no memory. */
struct paxos_stages *paxos_stages_new(struct paxos_request *request)
{
	struct paxos_stages *stages = kzalloc(sizeof(*stages), GFP_KERNEL);

	if (!stages)
		return NULL;
	INIT_LIST_HEAD(&stages->node);
	stages->request = request;
	static_branch_inc(&paxos_stages_timed.key);
	/* Behind that, which patches the kernel's text and takes its time. */
	stages->started = ktime_get_ns();
	return stages;
}

/* The request has ended, or was refused; softirqs too. */
void paxos_stages_free(struct paxos_stages *stages)
{
	if (!stages)
		return;
	static_branch_slow_dec_deferred(&paxos_stages_timed);
	kfree(stages);
}

/* The next proposal of this member is the one that is timed. */
void paxos_stages_begin(struct paxos_group *group, struct paxos_stages *stages)
{
	lockdep_assert_held(&group->lock);
	stages->seq = group->core.next_seq;
	list_add_tail(&stages->node, &group->timed);
}

/* How it ended is known, or it was not taken. */
void paxos_stages_end(struct paxos_group *group, struct paxos_request *request)
{
	struct paxos_stages *stages;

	lockdep_assert_held(&group->lock);
	list_for_each_entry(stages, &group->timed, node) {
		if (stages->request != request)
			continue;
		if (request->slot && group->core.commit >= request->slot)
			stages->delivered = ktime_get_ns();
		list_del_init(&stages->node);
		return;
	}
}

static struct paxos_stages *find(struct paxos_group *group,
				 const struct paxos_origin *origin)
{
	struct paxos_stages *stages;

	if (origin->member != group->core.settings.self ||
	    origin->incarnation != group->core.incarnation)
		return NULL;
	list_for_each_entry(stages, &group->timed, node)
		if (stages->seq == origin->seq)
			return stages;
	return NULL;
}

static void durable(struct paxos_group *group, u64 lsn)
{
	struct paxos_stages *stages;

	list_for_each_entry(stages, &group->timed, node)
		if (stages->lsn && stages->lsn <= lsn && !stages->persisted)
			stages->persisted = ktime_get_ns();
}

/* As ops->event. */
void paxos_stages_see(struct paxos_group *group, enum paxos_event event,
		      u64 slot)
{
	const struct paxos_entry *entry;
	struct paxos_stages *stages;

	lockdep_assert_held(&group->lock);
	if (event == PAXOS_EVENT_DURABLE) {
		durable(group, slot);
		return;
	}
	entry = paxos_log_entry(&group->core.log, slot);
	stages = find(group, &entry->value->origin);
	if (!stages)
		return;
	if (event == PAXOS_EVENT_ACCEPTED && !stages->accepted) {
		stages->accepted = ktime_get_ns();
		stages->lsn = entry->record.lsn;
	} else if (event == PAXOS_EVENT_CHOSEN && !stages->chosen) {
		stages->chosen = ktime_get_ns();
	}
}

static int put(struct sk_buff *skb, int attr, const struct paxos_stages *stages,
	       u64 when)
{
	return when ? nla_put_u64_64bit(skb, attr, when - stages->started,
					PAXOS_A_PAD) : 0;
}

int paxos_stages_put(struct sk_buff *skb, const struct paxos_stages *stages)
{
	return put(skb, PAXOS_A_ACCEPTED, stages, stages->accepted) ?:
	       put(skb, PAXOS_A_PERSISTED, stages, stages->persisted) ?:
	       put(skb, PAXOS_A_CHOSEN, stages, stages->chosen) ?:
	       put(skb, PAXOS_A_DELIVERED, stages, stages->delivered);
}
