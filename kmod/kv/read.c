// SPDX-License-Identifier: GPL-2.0
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <net/sock.h>
#include "kv.h"

/* Reads: a barrier for those who want all that was chosen, and dumps. */

#define BARRIER_STEP_MS	1000U	/* of the first one */

struct barrier {
	struct work_struct work;
	struct kv_replica *replica;
	struct kv_answer answer;
	u32 seq;
	unsigned long until;	/* jiffies */
};

/* An error message for a command that waited. */
static void answer_error(struct barrier *barrier, int error)
{
	struct nlmsgerr *message;
	struct nlmsghdr *header;
	struct sk_buff *skb;

	skb = nlmsg_new(sizeof(*message), GFP_KERNEL);
	if (!skb)
		return;
	header = nlmsg_put(skb, barrier->answer.portid, barrier->seq,
			   NLMSG_ERROR, sizeof(*message), NLM_F_CAPPED);
	message = nlmsg_data(header);
	memset(message, 0, sizeof(*message));
	message->error = error;
	message->msg.nlmsg_len = NLMSG_HDRLEN;
	message->msg.nlmsg_type = paxos_kv_family.id;
	message->msg.nlmsg_seq = barrier->seq;
	message->msg.nlmsg_pid = barrier->answer.portid;
	nlmsg_end(skb, header);
	genlmsg_unicast(barrier->answer.net, skb, barrier->answer.portid);
}

/*
 * In steps, since who closes the handle waits for one. Each asks a quorum anew
 * how far the log goes, so for a host that is behind they become longer: who
 * closes waits no longer than was waited already. Entered.
 */
static int wait_barrier(struct kv_replica *replica, unsigned long until)
{
	unsigned int step = BARRIER_STEP_MS;
	long left;
	int err;

	do {
		left = max(0L, (long)(until - jiffies));
		err = READ_ONCE(replica->error) ?:
		      paxos_read_barrier(replica->handle,
					 min(jiffies_to_msecs(left), step));
		step *= 2;
	} while ((err == -ENOLINK || err == -ETIMEDOUT) && left);
	return err;
}

static int begin_barrier(struct kv_replica *replica)
{
	int err = kv_replica_enter(replica);

	if (err)
		return err;
	if (atomic_inc_return(&replica->barriers) <= KV_BARRIERS_MAX)
		return 0;
	atomic_dec(&replica->barriers);
	kv_replica_leave(replica);
	return -EAGAIN;
}

static void end_barrier(struct kv_replica *replica)
{
	atomic_dec(&replica->barriers);
	kv_replica_leave(replica);
}

/* Until @replica has all that was chosen before; killable. */
int kv_barrier(struct kv_replica *replica, u32 timeout)
{
	int err = begin_barrier(replica);

	if (err)
		return err;
	err = wait_barrier(replica, jiffies + msecs_to_jiffies(timeout));
	end_barrier(replica);
	return err;
}

static void barrier_work(struct work_struct *work)
{
	struct barrier *barrier = container_of(work, struct barrier, work);
	struct kv_replica *replica = barrier->replica;
	struct kv_answer *answer = &barrier->answer;
	int err;

	err = wait_barrier(replica, barrier->until);
	mutex_lock(&replica->mutex);
	if (!err)
		err = replica->error;
	if (!err)
		err = nla_put_u64_64bit(answer->skb, PAXOS_KV_A_REVISION,
					replica->store->applied, PAXOS_KV_A_PAD);
	mutex_unlock(&replica->mutex);
	if (err) {
		answer_error(barrier, err);
		nlmsg_free(answer->skb);
	} else {
		genlmsg_end(answer->skb, answer->header);
		genlmsg_unicast(answer->net, answer->skb, answer->portid);
	}
	end_barrier(replica);
	kfree(barrier);
}

int kv_nl_barrier(struct sk_buff *skb, struct genl_info *info)
{
	struct kv_replica *replica = info->user_ptr[0];
	struct barrier *barrier;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, PAXOS_KV_A_TIMEOUT))
		return -EINVAL;
	barrier = kzalloc(sizeof(*barrier), GFP_KERNEL);
	if (!barrier)
		return kv_refuse(info->extack, -ENOMEM);
	err = kv_answer_new(&barrier->answer, genl_info_net(info),
			    info->snd_portid, info->snd_seq,
			    PAXOS_KV_CMD_BARRIER, KV_ANSWER);
	if (err)
		goto err_free;
	err = begin_barrier(replica);
	if (err)
		goto err_answer;
	barrier->replica = replica;
	barrier->seq = info->snd_seq;
	barrier->until = jiffies +
		msecs_to_jiffies(nla_get_u32(info->attrs[PAXOS_KV_A_TIMEOUT]));
	INIT_WORK(&barrier->work, barrier_work);
	queue_work(replica->queue, &barrier->work);
	return 0;

err_answer:
	nlmsg_free(barrier->answer.skb);
err_free:
	kfree(barrier);
	return kv_refuse(info->extack, err);
}

int kv_nl_info(struct sk_buff *skb, struct genl_info *info)
{
	struct kv_replica *replica = info->user_ptr[0];
	struct paxos_kv_info is;
	struct kv_answer answer;
	int err;

	err = kv_info(replica, &is);
	if (!err)
		err = kv_answer_new(&answer, genl_info_net(info),
				    info->snd_portid, info->snd_seq,
				    PAXOS_KV_CMD_INFO, KV_ANSWER);
	if (err)
		return kv_refuse(info->extack, err);
	err = nla_put_u32(answer.skb, PAXOS_KV_A_GROUP, replica->group) ?:
	      nla_put_u64_64bit(answer.skb, PAXOS_KV_A_REVISION, is.revision,
				PAXOS_KV_A_PAD) ?:
	      nla_put_u64_64bit(answer.skb, PAXOS_KV_A_COMPACTED, is.compacted,
				PAXOS_KV_A_PAD) ?:
	      nla_put_u64_64bit(answer.skb, PAXOS_KV_A_USED, is.used,
				PAXOS_KV_A_PAD) ?:
	      nla_put_u64_64bit(answer.skb, PAXOS_KV_A_LIMIT, is.limit,
				PAXOS_KV_A_PAD) ?:
	      nla_put_u8(answer.skb, PAXOS_KV_A_SUCCEEDED, is.leads);
	if (!err && is.revisions)
		err = nla_put_u64_64bit(answer.skb, PAXOS_KV_A_HISTORY,
					is.revisions, PAXOS_KV_A_PAD);
	if (!err && is.period_ms)
		err = nla_put_u64_64bit(answer.skb, PAXOS_KV_A_PERIOD,
					is.period_ms, PAXOS_KV_A_PAD);
	if (err) {
		nlmsg_free(answer.skb);
		return err;
	}
	genlmsg_end(answer.skb, answer.header);
	return genlmsg_unicast(answer.net, answer.skb, answer.portid);
}

/*
 * A GET under way, with @replica from its first page on. @range.limit is what is
 * left of it, @after the last key once there was one.
 */
struct get_dump {
	struct kv_replica *replica;
	struct kv_range range;
	bool exact;
	bool over;
	u8 prefix[KV_KEY_MAX];
	u8 after[KV_KEY_MAX];
};

static struct kv_replica *dump_replica(struct netlink_callback *cb)
{
	struct nlattr *attr = paxos_dump_attrs(cb)[PAXOS_KV_A_GROUP];
	struct kv_replica *replica;
	int err;

	if (!attr) {
		NL_SET_ERR_MSG(cb->extack, "a group must be named");
		return ERR_PTR(-EINVAL);
	}
	replica = kv_replica_get(sock_net(cb->skb->sk), nla_get_u32(attr));
	if (IS_ERR(replica)) {
		if (replica == ERR_PTR(-ENOENT))
			PAXOS_KV_REFUSE_GROUP(cb->extack, attr);
		else
			kv_refuse(cb->extack, PTR_ERR(replica));
		return replica;
	}
	err = kv_replica_able(replica);
	if (!err)
		return replica;
	kv_replica_put(replica);
	return ERR_PTR(kv_refuse(cb->extack, err));
}

int kv_nl_get_start(struct netlink_callback *cb)
{
	struct nlattr **attrs = paxos_dump_attrs(cb);
	struct nlattr *after = attrs[PAXOS_KV_A_AFTER];
	struct get_dump *dump;

	dump = kvzalloc(sizeof(*dump), GFP_KERNEL);
	if (!dump)
		return -ENOMEM;
	dump->range.prefix = dump->prefix;
	if (attrs[PAXOS_KV_A_KEY]) {
		dump->range.prefix_len = nla_len(attrs[PAXOS_KV_A_KEY]);
		memcpy(dump->prefix, nla_data(attrs[PAXOS_KV_A_KEY]),
		       dump->range.prefix_len);
	}
	if (attrs[PAXOS_KV_A_EXACT])
		dump->exact = nla_get_u8(attrs[PAXOS_KV_A_EXACT]);
	if (after) {
		dump->range.after = dump->after;
		dump->range.after_len = nla_len(after);
		memcpy(dump->after, nla_data(after), nla_len(after));
	}
	if (attrs[PAXOS_KV_A_REVISION])
		dump->range.revision = nla_get_u64(attrs[PAXOS_KV_A_REVISION]);
	if (attrs[PAXOS_KV_A_COUNT])
		dump->range.limit = nla_get_u64(attrs[PAXOS_KV_A_COUNT]);
	cb->min_dump_alloc = KV_ANSWER_MAX;
	cb->args[0] = (long)dump;
	return 0;
}

int kv_nl_get_done(struct netlink_callback *cb)
{
	struct get_dump *dump = (struct get_dump *)cb->args[0];

	if (dump) {
		if (dump->replica)
			kv_replica_put(dump->replica);
		kvfree(dump);
	}
	return 0;
}

struct get_message {
	struct sk_buff *skb;
	struct netlink_callback *cb;
	struct get_dump *dump;
};

static bool get_found(void *context, const struct kv_pair *pair)
{
	struct get_message *message = context;
	struct get_dump *dump = message->dump;
	void *header;

	header = genlmsg_put(message->skb,
			     NETLINK_CB(message->cb->skb).portid,
			     message->cb->nlh->nlmsg_seq, &paxos_kv_family,
			     NLM_F_MULTI, PAXOS_KV_CMD_GET);
	if (!header)
		return false;
	if (kv_pair_put(message->skb, pair, NULL)) {
		genlmsg_cancel(message->skb, header);
		return false;
	}
	genlmsg_end(message->skb, header);
	memcpy(dump->after, pair->key, pair->key_len);
	dump->range.after = dump->after;
	dump->range.after_len = pair->key_len;
	return true;
}

static int get_exact(struct get_dump *dump, struct get_message *message)
{
	struct kv_pair pair;
	int err;

	err = kv_get(dump->replica->store, dump->prefix,
		     dump->range.prefix_len, dump->range.revision, &pair);
	dump->over = true;
	if (err)
		return err == -ENOENT ? 0 : err;
	return get_found(message, &pair) ? 0 : -EMSGSIZE;
}

static int get_some(struct get_dump *dump, struct get_message *message)
{
	u64 limit = dump->range.limit;
	int err;

	err = kv_get_range(dump->replica->store, &dump->range, get_found,
			   message);
	if (err)
		return err;
	if (!dump->range.more || (limit && dump->range.count == limit))
		dump->over = true;
	else if (!dump->range.count)
		return -EMSGSIZE;
	if (limit)
		dump->range.limit = limit - dump->range.count;
	return 0;
}

/* Why what is asked for cannot be read. */
static int refuse_get(struct netlink_ext_ack *extack,
		      const struct get_dump *dump, int err)
{
	if (err == -ESTALE)
		PAXOS_REFUSE_FMT(extack, "revision %llu was compacted",
				 dump->range.revision);
	else if (err == -ERANGE)
		PAXOS_REFUSE_FMT(extack, "revision %llu is yet to come",
				 dump->range.revision);
	else if (err == -EINVAL)
		NL_SET_ERR_MSG(extack, "'after' does not begin with the key");
	return err;
}

/* What can be refused with a sentence: kv_nl_get_start() has none on 6.1. */
static int get_first(struct get_dump *dump, struct netlink_callback *cb)
{
	struct kv_replica *replica;

	if (dump->exact && dump->range.after) {
		NL_SET_ERR_MSG(cb->extack,
			       "behind a key there are others, not the key");
		return -EINVAL;
	}
	replica = dump_replica(cb);
	if (IS_ERR(replica))
		return PTR_ERR(replica);
	dump->replica = replica;
	return 0;
}

/* All pages are of the revision that the first one was of. */
int kv_nl_get(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct get_dump *dump = (struct get_dump *)cb->args[0];
	struct get_message message = { skb, cb, dump };
	struct kv_replica *replica = dump->replica;
	int err;

	if (dump->over)
		return 0;
	if (!replica) {
		err = get_first(dump, cb);
		if (err)
			return err;
		replica = dump->replica;
	}
	mutex_lock(&replica->mutex);
	err = kv_replica_able(replica);
	if (!dump->range.revision)
		dump->range.revision = replica->store->applied;
	if (err)
		kv_refuse(cb->extack, err);
	else
		err = refuse_get(cb->extack, dump, dump->exact ?
				 get_exact(dump, &message) :
				 get_some(dump, &message));
	mutex_unlock(&replica->mutex);
	/* 0: the message that says so has room behind the last pairs */
	return err ?: dump->over ? 0 : skb->len;
}

/* ctx: the last lease that was told of */
int kv_nl_leases(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct kv_replica *replica = dump_replica(cb);
	u64 *last = (u64 *)cb->ctx;
	const struct kv_lease *lease;
	void *header;

	if (IS_ERR(replica))
		return PTR_ERR(replica);
	mutex_lock(&replica->mutex);
	while ((lease = kv_lease_after(replica->store, *last))) {
		header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
				     cb->nlh->nlmsg_seq, &paxos_kv_family,
				     NLM_F_MULTI, PAXOS_KV_CMD_LEASES);
		if (!header)
			break;
		if (nla_put_u64_64bit(skb, PAXOS_KV_A_LEASE, lease->id,
				      PAXOS_KV_A_PAD) ||
		    nla_put_u64_64bit(skb, PAXOS_KV_A_TTL, lease->ttl,
				      PAXOS_KV_A_PAD) ||
		    nla_put_u64_64bit(skb, PAXOS_KV_A_RENEWED, lease->renewed,
				      PAXOS_KV_A_PAD)) {
			genlmsg_cancel(skb, header);
			break;
		}
		genlmsg_end(skb, header);
		*last = lease->id;
	}
	mutex_unlock(&replica->mutex);
	kv_replica_put(replica);
	return skb->len;
}
