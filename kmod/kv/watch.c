// SPDX-License-Identifier: GPL-2.0
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include "kv.h"

/*
 * A watch is pulled: each command names the place that the last answer named,
 * so an answer that is lost is asked for again, and a slow reader holds up
 * nobody. What it has not seen when history is compacted it is told of.
 */
#define WATCH_MAX_MS	60000U

/* kv_found: there is something; it is not taken. */
static bool watch_any(void *context, const struct kv_pair *pair)
{
	*(bool *)context = true;
	return false;
}

/* Go on to the next event, through some of the history: 1: it is there. */
static int watch_seek(struct kv_replica *replica, struct kv_watch *watch)
{
	bool any = false;
	int err;

	err = kv_watch(replica->store, &watch->position, watch->prefix,
		       watch->prefix_len, watch->exact, watch_any, &any);
	return err ?: any;
}

static bool watch_found(void *context, const struct kv_pair *pair)
{
	struct sk_buff *skb = context;
	size_t need = pair->key_len + (size_t)pair->value_len + 128;

	/* room for where to go on */
	return skb_tailroom(skb) >= need + 64 && !kv_pair_put(skb, pair, NULL);
}

/* 1: answered; 0: there is nothing yet; or an error. */
static int watch_answer(struct kv_replica *replica, struct kv_watch *watch,
			bool over)
{
	struct kv_answer answer;
	int there, err;

	there = watch_seek(replica, watch);
	/* whose time is over learns of an error when he asks again */
	if (there <= 0 && !over)
		return there;
	err = kv_answer_new(&answer, replica->net, watch->portid, watch->seq,
			    PAXOS_KV_CMD_WATCH, KV_ANSWER_MAX);
	if (err)
		return err;
	if (there > 0)
		kv_watch(replica->store, &watch->position, watch->prefix,
			 watch->prefix_len, watch->exact, watch_found,
			 answer.skb);
	err = nla_put_u64_64bit(answer.skb, PAXOS_KV_A_REVISION,
				watch->position.revision, PAXOS_KV_A_PAD) ?:
	      nla_put_u32(answer.skb, PAXOS_KV_A_SUB, watch->position.sub);
	if (WARN_ON_ONCE(err)) {
		nlmsg_free(answer.skb);
		return err;
	}
	genlmsg_end(answer.skb, answer.header);
	genlmsg_unicast(answer.net, answer.skb, answer.portid);
	return 1;
}

static void watch_drop(struct kv_replica *replica, struct kv_watch *watch)
{
	list_del(&watch->node);
	replica->n_watches--;
	kfree(watch);
}

/*
 * Answer those for whom there is something, or whose time is over; without
 * memory at the next tick. One that waits is near the end of history: where a
 * compaction reaches it, it is told when it asks again.
 */
void kv_watches_tell(struct kv_replica *replica, bool over)
{
	struct kv_watch *watch, *next;
	bool late;
	int err;

	lockdep_assert_held(&replica->mutex);
	list_for_each_entry_safe(watch, next, &replica->watches, node) {
		late = over || time_after_eq(jiffies, watch->until);
		if (!late &&
		    watch->position.revision > replica->store->applied)
			continue;
		err = watch_answer(replica, watch, late);
		if (err == 1 || over)
			watch_drop(replica, watch);
	}
}

/* The first look at it: 0: it waits, 1: it was answered; or an error. */
static int watch_begin(struct kv_replica *replica, struct kv_watch *watch,
		       struct netlink_ext_ack *extack)
{
	u64 compacted;
	bool more;
	int err, over;

	do {
		/* all of the history at once would hold up what is applied */
		mutex_lock(&replica->mutex);
		over = replica->error;
		if (!over && replica->n_watches == KV_WATCHES_MAX)
			over = -EAGAIN;
		err = over ?: watch_answer(replica, watch, false);
		compacted = replica->store->compacted;
		more = !err &&
		       watch->position.revision <= replica->store->applied;
		if (!err && !more) {
			list_add_tail(&watch->node, &replica->watches);
			replica->n_watches++;
		}
		mutex_unlock(&replica->mutex);
		cond_resched();
	} while (more);
	if (err == -ESTALE && !over)
		PAXOS_REFUSE_FMT(extack,
				 "compacted: history begins behind revision %llu",
				 compacted);
	else if (err < 0)
		kv_refuse(extack, err);
	return err;
}

int kv_nl_watch(struct sk_buff *skb, struct genl_info *info)
{
	struct kv_replica *replica = info->user_ptr[0];
	struct nlattr **attrs = info->attrs;
	struct kv_watch *watch;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, PAXOS_KV_A_TIMEOUT))
		return -EINVAL;
	watch = kzalloc(sizeof(*watch), GFP_KERNEL);
	if (!watch)
		return kv_refuse(info->extack, -ENOMEM);
	watch->portid = info->snd_portid;
	watch->seq = info->snd_seq;
	/* his socket may close meanwhile */
	watch->until = jiffies +
		msecs_to_jiffies(min(nla_get_u32(attrs[PAXOS_KV_A_TIMEOUT]),
				     WATCH_MAX_MS));
	if (attrs[PAXOS_KV_A_KEY]) {
		watch->prefix_len = nla_len(attrs[PAXOS_KV_A_KEY]);
		memcpy(watch->prefix, nla_data(attrs[PAXOS_KV_A_KEY]),
		       watch->prefix_len);
	}
	if (attrs[PAXOS_KV_A_EXACT])
		watch->exact = nla_get_u8(attrs[PAXOS_KV_A_EXACT]);
	if (attrs[PAXOS_KV_A_REVISION])
		watch->position.revision =
			nla_get_u64(attrs[PAXOS_KV_A_REVISION]);
	if (attrs[PAXOS_KV_A_SUB])
		watch->position.sub = nla_get_u32(attrs[PAXOS_KV_A_SUB]);

	err = watch_begin(replica, watch, info->extack);
	if (err)
		kfree(watch);
	return min(err, 0);
}
