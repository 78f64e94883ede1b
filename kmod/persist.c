// SPDX-License-Identifier: GPL-2.0
#include <net/genetlink.h>
#include "paths.h"
#include "policy.h"
#include "trace.h"

/*
 * The persistence stream. The core keeps every record until it is told that
 * the record is durable; the agent pulls what follows the last one that it has
 * on the disk, which tells just that. Nothing that is lost on the way is lost:
 * the agent asks again.
 */
#define PULL_MAX	(128U << 10)	/* of an answer, from process context */
#define PULL_ATOMIC	(36U << 10)	/* from softirq: the largest record fits */
#define RETRY_US	10000

/* ops->records: a reply waits for what was recorded last. */
void paxos_persist_records(struct paxos_core *core)
{
	struct paxos_group *group = paxos_core_group(core);
	struct paxos_agent *agent = &group->agent;

	agent->urgent = core->lsn;
	if (agent->fresh)
		return;
	agent->fresh = core->now;
	paxos_group_watch(group, core->now + PAXOS_STALL_US);
}

/* Since when the oldest record has waited for the disk; 0: none does. */
u64 paxos_persist_oldest(const struct paxos_group *group)
{
	lockdep_assert_held(&group->lock);
	return group->agent.given ?: group->agent.fresh;
}

static bool has_value(const struct paxos_record_view *record)
{
	return record->type == PAXOS_RECORD_ACCEPT ||
	       record->type == PAXOS_RECORD_CONFIG ||
	       record->type == PAXOS_RECORD_TRIM;
}

static size_t record_size(const struct paxos_record_view *record)
{
	size_t size = nla_total_size_64bit(sizeof(u64)) +
		      nla_total_size(sizeof(u8));

	if (record->type != PAXOS_RECORD_PROMISE)
		size += nla_total_size_64bit(sizeof(u64));
	if (record->type != PAXOS_RECORD_COMMIT)
		size += nla_total_size_64bit(sizeof(u64));
	if (has_value(record))
		size += 2 * nla_total_size(sizeof(u8)) +
			2 * nla_total_size_64bit(sizeof(u64)) +
			nla_total_size(record->item.len);
	return nla_total_size(size);
}

static int record_put(struct sk_buff *skb,
		      const struct paxos_record_view *record)
{
	const struct paxos_item *item = &record->item;

	if (nla_put_u64_64bit(skb, PAXOS_A_RECORD_LSN, record->lsn,
			      PAXOS_A_RECORD_PAD) ||
	    nla_put_u8(skb, PAXOS_A_RECORD_TYPE, record->type))
		return -EMSGSIZE;
	if (record->type != PAXOS_RECORD_PROMISE &&
	    nla_put_u64_64bit(skb, PAXOS_A_RECORD_SLOT, record->slot,
			      PAXOS_A_RECORD_PAD))
		return -EMSGSIZE;
	if (record->type != PAXOS_RECORD_COMMIT &&
	    nla_put_u64_64bit(skb, PAXOS_A_RECORD_BALLOT, record->ballot,
			      PAXOS_A_RECORD_PAD))
		return -EMSGSIZE;
	if (!has_value(record))
		return 0;
	if (nla_put_u8(skb, PAXOS_A_RECORD_KIND, item->kind) ||
	    nla_put_u8(skb, PAXOS_A_RECORD_ORIGIN, item->origin.member) ||
	    nla_put_u64_64bit(skb, PAXOS_A_RECORD_INCARNATION,
			      item->origin.incarnation, PAXOS_A_RECORD_PAD) ||
	    nla_put_u64_64bit(skb, PAXOS_A_RECORD_SEQ, item->origin.seq,
			      PAXOS_A_RECORD_PAD) ||
	    nla_put(skb, PAXOS_A_RECORD_VALUE, item->len, item->bytes))
		return -EMSGSIZE;
	return 0;
}

struct batch {
	struct sk_buff *skb;
	size_t size, limit;
	u32 count;
};

static bool measure_one(void *context, const struct paxos_record_view *record)
{
	struct batch *batch = context;
	size_t size = record_size(record);

	if (batch->size + size > batch->limit)
		return false;
	batch->size += size;
	return true;
}

static bool put_one(void *context, const struct paxos_record_view *record)
{
	struct batch *batch = context;
	struct nlattr *nest;

	if (skb_tailroom(batch->skb) < record_size(record))
		return false;
	nest = nla_nest_start(batch->skb, PAXOS_A_RECORD);
	if (WARN_ON_ONCE(!nest || record_put(batch->skb, record)))
		return false;
	nla_nest_end(batch->skb, nest);
	batch->count++;
	return true;
}

/* How large an answer to the PULL that waits would be, within @limit. */
static size_t measure(struct paxos_group *group, size_t limit)
{
	struct batch batch = { .limit = limit };

	paxos_core_records(&group->core, group->agent.after, measure_one,
			   &batch);
	return batch.size;
}

static bool due(const struct paxos_group *group)
{
	const struct paxos_agent *agent = &group->agent;

	return agent->waiting && agent->urgent > agent->after && !agent->retry;
}

static void postpone(struct paxos_group *group)
{
	group->agent.retry = paxos_now() + RETRY_US;
	paxos_group_watch(group, group->agent.retry);
	paxos_count(group->stats, PAXOS_COUNT_PULL_RETRIES);
}

/* Write the answer to the PULL that waits into @skb; NULL if it is empty. */
static struct sk_buff *fill(struct paxos_group *group, struct sk_buff *skb)
{
	struct paxos_agent *agent = &group->agent;
	struct batch batch = { .skb = skb };
	void *header;
	u64 last;

	lockdep_assert_held(&group->lock);
	header = genlmsg_put(skb, agent->portid, agent->seq, &paxos_family, 0,
			     PAXOS_CMD_PULL);
	if (WARN_ON_ONCE(!header))
		goto empty;
	last = paxos_core_records(&group->core, agent->after, put_one, &batch);
	if (!batch.count)
		goto empty;
	genlmsg_end(skb, header);

	agent->waiting = false;
	agent->last = last;
	if (!agent->given)
		agent->given = agent->fresh ?: paxos_now();
	if (last >= agent->urgent)
		agent->fresh = 0;
	trace_paxos_persist(group, last, batch.count, false);
	paxos_count(group->stats, PAXOS_COUNT_PULLS);
	paxos_count_add(group->stats, PAXOS_COUNT_RECORDS, batch.count);
	return skb;

empty:
	nlmsg_free(skb);
	return NULL;
}

/*
 * paxos_persist_answer - the answer to a PULL, if one waits and it is time
 *
 * To be given to @portid once the lock is dropped.
 */
struct sk_buff *paxos_persist_answer(struct paxos_group *group, u32 *portid)
{
	struct sk_buff *skb;
	size_t size;

	lockdep_assert_held(&group->lock);
	*portid = group->agent.portid;
	if (likely(!due(group)))
		return NULL;
	size = measure(group, PULL_ATOMIC);
	if (!size)
		return NULL;
	skb = genlmsg_new(size, GFP_ATOMIC | __GFP_NOWARN);
	if (!skb) {
		postpone(group);
		return NULL;
	}
	return fill(group, skb);
}

void paxos_persist_give(struct paxos_group *group, struct sk_buff *skb,
			u32 portid)
{
	if (likely(!genlmsg_unicast(group->net, skb, portid)))
		return;
	/* No room in its socket. If it is gone, we shall hear. */
	paxos_group_lock(group);
	if (group->agent.portid == portid && !group->agent.waiting) {
		group->agent.waiting = true;
		postpone(group);
	}
	paxos_group_unlock(group);
}

/* The timer: a PULL to try again? A disk that takes too long? */
void paxos_persist_watch(struct paxos_group *group, u64 now)
{
	struct paxos_agent *agent = &group->agent;
	u64 oldest = paxos_persist_oldest(group);

	lockdep_assert_held(&group->lock);
	if (agent->retry > now)
		paxos_group_watch(group, agent->retry);
	else
		agent->retry = 0;

	if (!oldest || agent->stalled)
		return;
	if (now < oldest + PAXOS_STALL_US) {
		paxos_group_watch(group, oldest + PAXOS_STALL_US);
		return;
	}
	agent->stalled = true;
	paxos_notify_stalled(group, (now - oldest) / USEC_PER_MSEC);
}

/* The group is deleted: the agent is told, and its PULL ends. */
void paxos_persist_end(struct paxos_group *group)
{
	lockdep_assert_held(&group->lock);
	if (group->agent.waiting)
		paxos_notify_error(group, group->agent.portid,
				   group->agent.seq, -ESHUTDOWN);
	group->agent.waiting = false;
	group->agent.portid = 0;
}

/* All up to @lsn is durable; now a PULL of what follows waits. */
static int acknowledge(struct paxos_group *group, struct genl_info *info,
		       u64 lsn)
{
	struct paxos_agent *agent = &group->agent;
	struct paxos_core *core = &group->core;
	u64 now = paxos_now();
	u64 oldest;

	if (core->state != PAXOS_RUNNING) {
		paxos_refuse_unstarted(group, info);
		return -EUNATCH;
	}
	if (lsn < core->durable) {
		NL_SET_BAD_ATTR(info->extack, info->attrs[PAXOS_A_LSN]);
		PAXOS_REFUSE_FMT(info->extack,
				 "all up to %llu was acknowledged before",
				 core->durable);
		return -ERANGE;
	}
	if (paxos_core_durable(core, lsn, now)) {
		NL_SET_BAD_ATTR(info->extack, info->attrs[PAXOS_A_LSN]);
		PAXOS_REFUSE_FMT(info->extack, "the last record is %llu",
				 core->lsn);
		return -ERANGE;
	}
	if (lsn >= agent->last)
		agent->given = 0;
	if (lsn >= agent->urgent)
		agent->fresh = 0;
	oldest = paxos_persist_oldest(group);
	if (agent->stalled && (!oldest || now < oldest + PAXOS_STALL_US)) {
		agent->stalled = false;
		paxos_group_watch(group, now + PAXOS_STALL_US);
		paxos_notify_plain(group, PAXOS_NL_EVENT_RESUMED);
	}
	agent->waiting = true;
	agent->seq = info->snd_seq;
	agent->after = lsn;
	agent->retry = 0;
	return 0;
}

int paxos_nl_pull(struct sk_buff *skb, struct genl_info *info)
{
	struct paxos_group *group = info->user_ptr[0];
	struct sk_buff *answer = NULL;
	size_t size = 0;
	int err;

	if (PAXOS_LACKS(info, PAXOS_A_LSN, "the last durable lsn"))
		return -EINVAL;

	paxos_group_lock(group);
	err = paxos_agent_check(group, info) ?:
	      acknowledge(group, info, nla_get_u64(info->attrs[PAXOS_A_LSN]));
	if (!err && due(group))
		size = measure(group, PULL_MAX);
	if (size > PULL_ATOMIC) {
		/*
		 * Much has piled up: memory for all of it, at leisure; not that
		 * of pages which are written back through this very group.
		 */
		group->agent.retry = paxos_now() + RETRY_US;
		paxos_group_watch(group, group->agent.retry);
		paxos_group_unlock(group);
		answer = genlmsg_new(size, GFP_NOIO | __GFP_NOWARN);
		paxos_group_lock(group);
		if (answer && group->agent.waiting &&
		    group->agent.portid == info->snd_portid) {
			answer = fill(group, answer);
		} else {
			nlmsg_free(answer);
			answer = NULL;
		}
		group->agent.retry = 0;
	}
	paxos_group_unlock(group);

	if (answer) {
		local_bh_disable();
		paxos_persist_give(group, answer, info->snd_portid);
		local_bh_enable();
	}
	return err;
}
