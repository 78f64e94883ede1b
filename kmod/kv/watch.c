// SPDX-License-Identifier: GPL-2.0
#include <linux/jiffies.h>
#include <linux/slab.h>
#include "kv.h"

/*
 * A watch is pulled: each command names the place that the last answer named,
 * so an answer that is lost is asked for again, and a slow reader holds up
 * nobody. What it has not seen when history is compacted it is told of.
 */

/* kv_found: there is something; it is not taken. */
static bool watch_any(void *context, const struct kv_pair *pair)
{
	*(bool *)context = true;
	return false;
}

/* Go on to the next event, or to the end of history. */
static int watch_seek(struct kv_replica *replica, struct kv_watch *watch)
{
	bool any = false;
	int err;

	do {
		err = kv_watch(replica->store, &watch->position,
			       watch->prefix, watch->prefix_len, watch->exact,
			       watch_any, &any);
	} while (!err && !any &&
		 watch->position.revision <= replica->store->applied);
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
 * memory at the next tick. One that waits is at the end of history, which no
 * compaction reaches.
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
		return kv_refuse(info, -ENOMEM);
	watch->portid = info->snd_portid;
	watch->seq = info->snd_seq;
	watch->until = jiffies +
		msecs_to_jiffies(nla_get_u32(attrs[PAXOS_KV_A_TIMEOUT]));
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

	mutex_lock(&replica->mutex);
	err = replica->error;
	if (!err && replica->n_watches == KV_WATCHES_MAX)
		err = -EAGAIN;
	if (err) {
		kv_refuse(info, err);
	} else {
		err = watch_answer(replica, watch, false);
		if (err == -ESTALE)
			PAXOS_REFUSE_FMT(info->extack,
					 "compacted: history begins behind revision %llu",
					 replica->store->compacted);
		else if (err < 0)
			kv_refuse(info, err);
	}
	if (!err) {
		list_add_tail(&watch->node, &replica->watches);
		replica->n_watches++;
		watch = NULL;
	}
	mutex_unlock(&replica->mutex);
	kfree(watch);
	return err < 0 ? err : 0;
}
