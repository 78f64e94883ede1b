// SPDX-License-Identifier: GPL-2.0
#include <linux/mm.h>
#include <linux/slab.h>
#include <net/genetlink.h>
#include "consumer.h"
#include "core/wire.h"
#include "paths.h"
#include "policy.h"

/*
 * What a consumer lacks and this kernel no longer holds, from the agent's disk:
 * its section of a snapshot, if it has snapshot_load(), and then the values
 * behind that, until the slots that the kernel does hold are reached. Those go
 * on as ever. Nobody but the consumer waits meanwhile.
 *
 * Values come as they were chosen, so repetitions are told from the first time
 * here, as the core does: from a checkpoint on.
 */

/* @consumer begins anew behind @base, or is past all that. */
static void reset(struct paxos_consumer *consumer, struct list_head *garbage)
{
	paxos_stream_take(&consumer->in, garbage);
	consumer->in.ended = false;
	consumer->in.error = 0;
	consumer->feeding = PAXOS_FEEDING_NONE;
}

/* As paxos_consumer_turn(), of a consumer that wants what is gone from here. */
int paxos_feed_turn(struct paxos_consumer *consumer)
{
	struct paxos_group *group = consumer->group;
	struct paxos_core *core = &group->core;

	lockdep_assert_held(&group->lock);
	if (consumer->refused || core->settings.durability != PAXOS_SYNC) {
		consumer->off = true;
		paxos_saving_leave(consumer);
		return -ESTALE;
	}
	consumer->wants = true;
	if (consumer->feeding == PAXOS_FEEDING_LOADS ||
	    !list_empty(&consumer->in.chunks))
		return -EXDEV;
	if (consumer->broken || *consumer->next < core->log.first)
		return -ENODATA;
	consumer->wants = false;
	consumer->feeding = PAXOS_FEEDING_NONE;
	return 0;
}

/* The section goes to the consumer, as it comes. */
static void load(struct paxos_consumer *consumer)
	__must_hold(&consumer->group->lock)
{
	struct paxos_snapshot *in = &consumer->in;
	struct paxos_group *group = consumer->group;
	u64 slot = consumer->base;
	LIST_HEAD(garbage);
	int err;

	consumer->broken = true;
	consumer->loading = true;
	paxos_group_unlock(group);
	err = consumer->ops->snapshot_load(consumer->context, slot, in);
	kvfree(in->part);
	in->part = NULL;
	paxos_group_lock(group);
	consumer->loading = false;
	if (in->error || err == -ENOMEM) {
		/* Not the consumer's fault: once more, when someone brings it. */
		reset(consumer, &garbage);
	} else if (err) {
		consumer->off = true;
		consumer->failed = err < 0 ? err : -EINVAL;
		paxos_saving_leave(consumer);
	} else {
		reset(consumer, &garbage);
		consumer->broken = false;
		consumer->feeding = PAXOS_FEEDING_VALUES;
		*consumer->next = slot + 1;
	}
	paxos_group_unlock(group);
	paxos_chunks_free(&garbage);
	paxos_group_lock(group);
}

static void apply(struct paxos_consumer *consumer)
	__must_hold(&consumer->group->lock)
{
	struct paxos_group *group = consumer->group;
	struct paxos_chunk *chunk;
	bool fresh;

	chunk = list_first_entry(&consumer->in.chunks, struct paxos_chunk,
				 node);
	list_del(&chunk->node);
	consumer->in.held -= chunk->len;
	fresh = chunk->kind != PAXOS_CONFIG &&
		paxos_origin_first(consumer->seen, &chunk->origin) &&
		chunk->kind == PAXOS_DATA && chunk->slot >= *consumer->next;
	if (chunk->slot >= *consumer->next)
		*consumer->next = chunk->slot + 1;
	paxos_group_unlock(group);
	if (fresh)
		consumer->ops->apply(consumer->context, chunk->slot,
				     chunk->bytes, chunk->len);
	kvfree(chunk);
	paxos_group_lock(group);
}

void paxos_feed_work(struct paxos_consumer *consumer)
{
	struct paxos_group *group = consumer->group;

	paxos_group_lock(group);
	if (consumer->off || group->dead)
		goto out;
	if (consumer->feeding == PAXOS_FEEDING_LOADS)
		load(consumer);
	else if (!list_empty(&consumer->in.chunks))
		apply(consumer);
out:
	paxos_group_unlock(group);
}

/* The agent is gone, or the group: what it did not finish is void. */
void paxos_feed_end(struct paxos_group *group, int error)
{
	struct paxos_consumer *consumer;

	lockdep_assert_held(&group->lock);
	list_for_each_entry(consumer, &group->consumers, node)
		if (consumer->feeding == PAXOS_FEEDING_LOADS)
			paxos_stream_fail(&consumer->in, error);
}

struct paxos_consumer *paxos_consumer_find(struct paxos_group *group,
					   struct genl_info *info)
{
	u32 id = nla_get_u32(info->attrs[PAXOS_A_WHICH]);
	struct paxos_consumer *consumer;

	lockdep_assert_held(&group->lock);
	list_for_each_entry(consumer, &group->consumers, node)
		if (consumer->id == id)
			return consumer;
	return NULL;
}

/* One that wants something; else -ENOENT, or -EALREADY: it has all. */
static int find_hungry(struct paxos_group *group, struct genl_info *info,
		       struct paxos_consumer **consumer)
{
	int err = paxos_agent_named(group, info);

	if (err)
		return err;
	*consumer = paxos_consumer_find(group, info);
	if (!*consumer || (*consumer)->off) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[PAXOS_A_WHICH],
				    "that consumer is gone");
		return -ENOENT;
	}
	if (!(*consumer)->wants) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[PAXOS_A_WHICH],
				    "that consumer lacks nothing");
		return -EALREADY;
	}
	return 0;
}

/* Is it known that the slots up to @base are not those of @checkpoint? */
static bool differs(const struct paxos_group *group, u64 base,
		    const struct nlattr *checkpoint)
{
	u64 here = paxos_core_checksum(&group->core, base);
	const struct paxos_wire_checkpoint *head;
	u64 there;

	if (!here)
		return false;
	head = nla_data(checkpoint);
	there = get_unaligned_le64(&head->checksum);
	return there && there != here;
}

static int check_base(struct paxos_consumer *consumer, u64 base, bool loads,
		      struct genl_info *info)
{
	struct nlattr *slot = info->attrs[PAXOS_A_SLOT];

	if (consumer->loading) {
		/* Who brought it has given it up. */
		if (!consumer->in.ended)
			paxos_stream_fail(&consumer->in, -ECANCELED);
		GENL_SET_ERR_MSG(info, "a former load has not ended yet");
		return -EBUSY;
	}
	if (loads && !consumer->ops->snapshot_load) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[PAXOS_A_WHICH],
				    "that consumer loads no snapshots");
		return -EOPNOTSUPP;
	}
	if (base > consumer->group->core.commit) {
		NL_SET_ERR_MSG_ATTR(info->extack, slot,
				    "that slot is not known to be chosen here");
		return -ERANGE;
	}
	if (differs(consumer->group, base, info->attrs[PAXOS_A_VALUE])) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[PAXOS_A_VALUE],
				    "that checkpoint is of another log");
		return -EBADMSG;
	}
	/* What it has applied it is not to see again, nor a hole. */
	if (loads ? base + 1 < *consumer->next :
		    consumer->broken || base + 1 > *consumer->next) {
		NL_SET_ERR_MSG_ATTR(info->extack, slot,
				    "that consumer is at another slot");
		return -ERANGE;
	}
	return 0;
}

static int feed_begin(struct paxos_group *group, struct genl_info *info,
		      bool loads)
{
	struct nlattr *value = info->attrs[PAXOS_A_VALUE];
	struct paxos_consumer *consumer;
	struct paxos_seen *seen;
	LIST_HEAD(garbage);
	u64 base = 0;
	int err = 0;

	if (info->attrs[PAXOS_A_SLOT])
		base = nla_get_u64(info->attrs[PAXOS_A_SLOT]);
	seen = kvcalloc(PAXOS_MEMBERS_MAX + 1, sizeof(*seen), GFP_KERNEL);
	if (!seen)
		return paxos_no_memory(info);
	if (base && (!value ||
		     paxos_checkpoint_seen(base, nla_data(value),
					   nla_len(value), seen))) {
		GENL_SET_ERR_MSG(info, "that is no checkpoint");
		err = -EINVAL;
	}
	paxos_group_lock(group);
	err = err ?: find_hungry(group, info, &consumer) ?:
	      check_base(consumer, base, loads, info);
	if (!err) {
		reset(consumer, &garbage);
		consumer->base = base;
		consumer->at = base + 1;
		swap(consumer->seen, seen);
		consumer->feeding = loads ? PAXOS_FEEDING_LOADS :
					    PAXOS_FEEDING_VALUES;
		paxos_consumer_wake(consumer);
	}
	paxos_group_unlock(group);
	kvfree(seen);
	paxos_chunks_free(&garbage);
	return err;
}

/* More of a section; without bytes: that was all of it. */
static int feed_section(struct paxos_group *group, struct genl_info *info)
{
	struct nlattr *value = info->attrs[PAXOS_A_VALUE];
	struct paxos_consumer *consumer;
	struct paxos_chunk *chunk = NULL;
	struct paxos_snapshot *in;
	int err;

	if (value && nla_len(value)) {
		chunk = paxos_chunk_new(nla_data(value), nla_len(value));
		if (!chunk)
			return paxos_no_memory(info);
	}
	paxos_group_lock(group);
	err = find_hungry(group, info, &consumer);
	in = err ? NULL : &consumer->in;
	if (!err && consumer->feeding == PAXOS_FEEDING_NONE)
		err = -ECANCELED;
	else if (!err && consumer->feeding != PAXOS_FEEDING_LOADS)
		err = 0;	/* it had enough before the end */
	else if (!err && in->error)
		err = -ECANCELED;
	else if (!err && in->ended)
		err = chunk ? -EINVAL : 0;
	else if (!err && in->held >= PAXOS_STREAM_MAX)
		err = -EAGAIN;
	else if (!err) {
		if (chunk) {
			list_add_tail(&chunk->node, &in->chunks);
			in->held += chunk->len;
			chunk = NULL;
		} else {
			in->ended = true;
		}
		wake_up_all(&in->wait);
	}
	paxos_group_unlock(group);
	kvfree(chunk);
	return err;
}

static int parse_values(struct genl_info *info, struct list_head *values,
			u64 *first, u64 *next)
{
	struct paxos_record_view record;
	struct paxos_chunk *chunk;
	struct nlattr *attr;
	int rest, err;

	*first = 0;
	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rest) {
		if (nla_type(attr) != PAXOS_A_RECORD)
			continue;
		memset(&record, 0, sizeof(record));
		err = paxos_record_parse(attr, &record,
					 BIT(PAXOS_A_RECORD_LSN),
					 info->extack);
		if (err)
			return err;
		if (record.type != PAXOS_RECORD_ACCEPT ||
		    !paxos_item_valid(&record.item) ||
		    (*first && record.slot != *next)) {
			NL_SET_ERR_MSG_ATTR(info->extack, attr,
					    "this is no value, or not the next one");
			return -EINVAL;
		}
		if (!*first)
			*first = record.slot;
		*next = record.slot + 1;
		chunk = paxos_chunk_new(record.item.bytes, record.item.len);
		if (!chunk)
			return paxos_no_memory(info);
		chunk->slot = record.slot;
		chunk->kind = record.item.kind;
		chunk->origin = record.item.origin;
		list_add_tail(&chunk->node, values);
	}
	return *first ? 0 : -EINVAL;
}

static int feed_values(struct paxos_group *group, struct genl_info *info)
{
	struct paxos_consumer *consumer;
	struct paxos_chunk *chunk;
	LIST_HEAD(values);
	u64 first, next = 0;
	int err;

	err = parse_values(info, &values, &first, &next);
	if (err)
		goto out;
	paxos_group_lock(group);
	err = find_hungry(group, info, &consumer);
	if (!err) {
		if (consumer->feeding == PAXOS_FEEDING_NONE)
			err = -ECANCELED;
		else if (consumer->feeding == PAXOS_FEEDING_LOADS ||
			 consumer->in.held >= PAXOS_STREAM_MAX)
			err = -EAGAIN;
		else if (first != consumer->at ||
			 next > group->core.commit + 1)
			err = -ERANGE;
	}
	if (!err) {
		list_for_each_entry(chunk, &values, node)
			consumer->in.held += chunk->len;
		list_splice_tail_init(&values, &consumer->in.chunks);
		consumer->at = next;
		paxos_consumer_wake(consumer);
	}
	paxos_group_unlock(group);
out:
	paxos_chunks_free(&values);
	return err;
}

/* The agent has nothing for it: it stops. */
static int feed_nothing(struct paxos_group *group, struct genl_info *info)
{
	struct paxos_consumer *consumer;
	int err;

	paxos_group_lock(group);
	err = find_hungry(group, info, &consumer);
	if (!err) {
		consumer->refused = true;
		paxos_stream_fail(&consumer->in, -ESTALE);
		paxos_consumer_wake(consumer);
	}
	paxos_group_unlock(group);
	return err;
}

/* What has no sentence yet. */
static int refuse(struct genl_info *info, int err)
{
	if (info->extack->_msg)
		return err;
	switch (err) {
	case -ECANCELED:
		GENL_SET_ERR_MSG(info, "nothing was begun, or it has ended");
		break;
	case -EAGAIN:
		GENL_SET_ERR_MSG(info,
				 "no room until the consumer has taken some");
		break;
	case -ERANGE:
		GENL_SET_ERR_MSG(info,
				 "these are not the next slots, or not all are chosen here");
		break;
	case -EINVAL:
		GENL_SET_ERR_MSG(info,
				 "no values, or more of a section that has ended");
		break;
	}
	return err;
}

int paxos_nl_consumer_feed(struct sk_buff *skb, struct genl_info *info)
{
	struct paxos_group *group = info->user_ptr[0];

	if (PAXOS_LACKS(info, PAXOS_A_AGENT, "the agent's port") ||
	    PAXOS_LACKS(info, PAXOS_A_WHICH, "a consumer's id") ||
	    PAXOS_LACKS(info, PAXOS_A_FEED, "what comes"))
		return -EINVAL;
	switch (nla_get_u8(info->attrs[PAXOS_A_FEED])) {
	case PAXOS_NL_FEED_BEGIN:
		return feed_begin(group, info, false);
	case PAXOS_NL_FEED_LOAD:
		return feed_begin(group, info, true);
	case PAXOS_NL_FEED_SECTION:
		return refuse(info, feed_section(group, info));
	case PAXOS_NL_FEED_VALUES:
		return refuse(info, feed_values(group, info));
	default:
		return feed_nothing(group, info);
	}
}

int paxos_consumer_put(struct sk_buff *skb,
		       const struct paxos_consumer *consumer)
{
	const struct paxos_handle_ops *ops = consumer->ops;
	struct nlattr *nest = nla_nest_start(skb, PAXOS_A_CONSUMER);
	u64 next = consumer->broken ? 0 : *consumer->next;

	if (!nest ||
	    nla_put_u32(skb, PAXOS_A_CONSUMER_ID, consumer->id) ||
	    nla_put_string(skb, PAXOS_A_CONSUMER_NAME, ops->name) ||
	    nla_put_u64_64bit(skb, PAXOS_A_CONSUMER_NEXT, next,
			      PAXOS_A_CONSUMER_PAD) ||
	    nla_put_u8(skb, PAXOS_A_CONSUMER_SAVES, !!ops->snapshot_begin) ||
	    nla_put_u8(skb, PAXOS_A_CONSUMER_LOADS, !!ops->snapshot_load) ||
	    nla_put_u8(skb, PAXOS_A_CONSUMER_WANTS, consumer->wants))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* Those that have nothing to do with snapshots and lack nothing are left out. */
int paxos_nl_consumer_get(struct sk_buff *skb, struct genl_info *info)
{
	struct paxos_group *group = info->user_ptr[0];
	struct paxos_consumer *consumer;
	struct sk_buff *answer;
	void *header;
	u32 n = 0;
	int err;

	answer = genlmsg_new(128 + PAXOS_NL_CONSUMERS_MAX * PAXOS_CONSUMER_SIZE,
			     GFP_KERNEL);
	if (!answer)
		return paxos_no_memory(info);
	header = genlmsg_put_reply(answer, info, &paxos_family, 0,
				   PAXOS_CMD_CONSUMER_GET);
	paxos_group_lock(group);
	err = nla_put_u64_64bit(answer, PAXOS_A_COMMIT, group->core.commit,
				PAXOS_A_PAD);
	list_for_each_entry(consumer, &group->consumers, node) {
		if (err || consumer->off || n == PAXOS_NL_CONSUMERS_MAX ||
		    (!consumer->ops->snapshot_begin && !consumer->wants))
			continue;
		err = paxos_consumer_put(answer, consumer);
		n++;
	}
	paxos_group_unlock(group);
	if (WARN_ON_ONCE(err)) {
		nlmsg_free(answer);
		return err;
	}
	genlmsg_end(answer, header);
	return genlmsg_reply(answer, info);
}
