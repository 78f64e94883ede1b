// SPDX-License-Identifier: GPL-2.0
#include <linux/bottom_half.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>
#include "kv.h"

/*
 * Entries of this host on their way into the log and back: who asked is
 * answered when the entry was applied, or when nobody here will know.
 */

/* What an answer needs behind its pairs. */
#define ANSWER_REST	128

int kv_answer_new(struct kv_answer *answer, struct net *net, u32 portid,
		  u32 seq, u8 cmd, size_t size)
{
	/* some are made with the store locked, which apply() waits for */
	*answer = (struct kv_answer){ .net = net, .portid = portid };
	answer->skb = genlmsg_new(size, GFP_NOIO);
	if (!answer->skb)
		return -ENOMEM;
	answer->header = genlmsg_put(answer->skb, portid, seq,
				     &paxos_kv_family, 0, cmd);
	return 0;
}

/* -EMSGSIZE: @skb is as it was. */
int kv_pair_put(struct sk_buff *skb, const struct kv_pair *pair,
		const u16 *operation)
{
	struct nlattr *nest = nla_nest_start(skb, PAXOS_KV_A_PAIR);

	if (!nest)
		return -EMSGSIZE;
	if (nla_put(skb, PAXOS_KV_A_PAIR_KEY, pair->key_len, pair->key) ||
	    nla_put(skb, PAXOS_KV_A_PAIR_VALUE, pair->value_len,
		    pair->value) ||
	    nla_put_u64_64bit(skb, PAXOS_KV_A_PAIR_CREATE, pair->create,
			      PAXOS_KV_A_PAIR_PAD) ||
	    nla_put_u64_64bit(skb, PAXOS_KV_A_PAIR_MOD, pair->mod,
			      PAXOS_KV_A_PAIR_PAD) ||
	    nla_put_u64_64bit(skb, PAXOS_KV_A_PAIR_VERSION, pair->version,
			      PAXOS_KV_A_PAIR_PAD) ||
	    nla_put_u64_64bit(skb, PAXOS_KV_A_PAIR_LEASE, pair->lease,
			      PAXOS_KV_A_PAIR_PAD) ||
	    (operation &&
	     nla_put_u32(skb, PAXOS_KV_A_PAIR_OPERATION, *operation))) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

static void call_put(struct kv_call *call)
{
	if (!refcount_dec_and_test(&call->refs))
		return;
	nlmsg_free(call->answer.skb);
	kv_replica_put(call->replica);
	kfree(call);
}

/* One request less; @user may be gone when this returns. */
static void user_done(struct paxos_kv *user)
{
	if (user && atomic_dec_and_test(&user->pending))
		wake_up_var(&user->pending);
}

static void answer_user(struct paxos_kv *user, struct paxos_kv_request *request,
			u8 outcome, u64 slot, const struct kv_result *result)
{
	request->outcome = outcome;
	request->status = result ? result->status : 0;
	request->succeeded = result && result->succeeded;
	request->deleted = result ? result->deleted : 0;
	request->lease = result ? result->lease : 0;
	request->revision = slot;
	local_bh_disable();
	request->done(request);
	local_bh_enable();
	user_done(user);
}

/* @result: of an entry that was applied in @slot, or NULL */
static void call_answer(struct kv_call *call, u8 outcome, u64 slot,
			const struct kv_result *result)
{
	struct kv_answer *answer = &call->answer;
	struct sk_buff *skb = answer->skb;
	int err;

	if (answer->user)
		answer_user(answer->user, answer->request, outcome, slot,
			    result);
	if (!skb)
		return;
	err = nla_put_u8(skb, PAXOS_KV_A_OUTCOME, outcome);
	if (!err && result)
		err = nla_put_u8(skb, PAXOS_KV_A_STATUS, result->status) ?:
		      nla_put_u64_64bit(skb, PAXOS_KV_A_REVISION, slot,
					PAXOS_KV_A_PAD) ?:
		      nla_put_u8(skb, PAXOS_KV_A_SUCCEEDED,
				 result->succeeded) ?:
		      nla_put_u64_64bit(skb, PAXOS_KV_A_DELETED,
					result->deleted, PAXOS_KV_A_PAD) ?:
		      nla_put_u64_64bit(skb, PAXOS_KV_A_LEASE, result->lease,
					PAXOS_KV_A_PAD);
	if (!err && answer->more)
		err = nla_put_u8(skb, PAXOS_KV_A_MORE, 1);
	if (WARN_ON_ONCE(err))
		return;
	genlmsg_end(skb, answer->header);
	genlmsg_unicast(answer->net, skb, answer->portid);
	answer->skb = NULL;
}

static void call_list(struct kv_replica *replica, struct kv_call *call)
{
	lockdep_assert_held(&replica->lock);
	if (call->answer.user)
		atomic_inc(&call->answer.user->pending);
	refcount_inc(&call->refs);
	call->seq = ++replica->seq;
	list_add_tail(&call->node, &replica->calls);
	replica->n_calls++;
}

/* The list's reference is the caller's, and so is the answer. */
static void call_unlist(struct kv_replica *replica, struct kv_call *call)
{
	lockdep_assert_held(&replica->lock);
	list_del_init(&call->node);
	replica->n_calls--;
}

/* False: somebody else answers. The caller has another reference. */
static bool call_take(struct kv_replica *replica, struct kv_call *call)
{
	bool mine;

	spin_lock_bh(&replica->lock);
	mine = !list_empty(&call->node);
	if (mine)
		call_unlist(replica, call);
	spin_unlock_bh(&replica->lock);
	return mine;
}

/*
 * What was chosen is applied here, too, and answered then; but if it came in a
 * snapshot, what it did is not known here.
 */
static void call_done(struct paxos_request *request)
{
	struct kv_call *call = container_of(request, struct kv_call, request);
	bool chosen = request->result == PAXOS_RESULT_CHOSEN, mine;
	struct kv_replica *replica = call->replica;

	spin_lock_bh(&replica->lock);
	if (chosen)
		call->slot = request->slot;
	mine = !list_empty(&call->node) &&
	       (!chosen || call->slot <= replica->loaded);
	if (mine)
		call_unlist(replica, call);
	spin_unlock_bh(&replica->lock);
	if (mine) {
		call_answer(call, chosen ? PAXOS_RESULT_UNKNOWN :
				  request->result, 0, NULL);
		call_put(call);
	}
	call_put(call);
}

/**
 * kv_call() - propose an entry
 * @replica: whose group
 * @answer: to be sent when it was applied, or is lost; taken in any case
 * @writer: the entry; signed here
 * @gfp: for a little memory
 * @timeout: in ms
 *
 * Return: 0: @answer is sent, once; or what paxos_propose() says, and it is
 * freed.
 */
int kv_call(struct kv_replica *replica, struct kv_answer *answer,
	    struct kv_writer *writer, gfp_t gfp, u32 timeout)
{
	struct kv_call *call = kzalloc(sizeof(*call), gfp);
	int err = 0;

	if (!call) {
		nlmsg_free(answer->skb);
		return -ENOMEM;
	}
	call->request.done = call_done;
	call->replica = replica;
	kref_get(&replica->refs);
	refcount_set(&call->refs, 1);
	call->answer = *answer;
	spin_lock_bh(&replica->lock);
	if (replica->n_calls >= KV_CALLS_MAX)
		err = -EAGAIN;
	else if (answer->user && answer->user->closing)
		err = -ESHUTDOWN;
	else
		call_list(replica, call);
	spin_unlock_bh(&replica->lock);
	if (err) {
		call_put(call);
		return err;
	}

	kv_entry_sign(writer, replica->instance, call->seq);
	err = kv_replica_enter(replica);
	if (!err) {
		err = paxos_propose(replica->handle, &call->request,
				    writer->bytes, writer->len, timeout);
		kv_replica_leave(replica);
	}
	if (err) {
		/* who took it out of the list has answered */
		if (call_take(replica, call)) {
			user_done(answer->user);
			call_put(call);
		} else {
			err = 0;
		}
		call_put(call);
	}
	return err;
}

/* Who waits for this entry, out of the list; NULL: nobody does here. */
static struct kv_call *call_of(struct kv_replica *replica, const void *bytes,
			       u32 len)
{
	struct kv_call *call;
	struct kv_header header;

	if (len < sizeof(header) || !kv_entry_ours(bytes, len))
		return NULL;
	memcpy(&header, bytes, sizeof(header));
	if (le64_to_cpu(header.instance) != replica->instance)
		return NULL;
	spin_lock_bh(&replica->lock);
	list_for_each_entry(call, &replica->calls, node) {
		if (call->seq != le64_to_cpu(header.seq))
			continue;
		call_unlist(replica, call);
		spin_unlock_bh(&replica->lock);
		return call;
	}
	spin_unlock_bh(&replica->lock);
	return NULL;
}

/* False: its user did not wait for it to come back. */
static bool call_relist(struct kv_replica *replica, struct kv_call *call)
{
	bool wanted;

	spin_lock_bh(&replica->lock);
	wanted = !call->answer.user || !call->answer.user->closing;
	if (wanted) {
		list_add_tail(&call->node, &replica->calls);
		replica->n_calls++;
	}
	spin_unlock_bh(&replica->lock);
	return wanted;
}

struct finding {
	struct kv_call *call;
	struct kv_result *result;
};

/* kv_found: what a transaction's get found goes into the answer. */
static bool call_found(void *context, const struct kv_pair *pair)
{
	struct finding *finding = context;
	struct kv_answer *answer = &finding->call->answer;
	struct sk_buff *skb = answer->skb;
	size_t need = pair->key_len + (size_t)pair->value_len + ANSWER_REST;

	if (answer->user) {
		struct paxos_kv_page *page = answer->request->page;

		return kv_page_add(page, pair, finding->result->operation);
	}
	if (answer->more || skb_tailroom(skb) < need + ANSWER_REST ||
	    kv_pair_put(skb, pair, &finding->result->operation)) {
		answer->more = true;
		return false;
	}
	return true;
}

/**
 * kv_call_apply() - apply a value, and answer if it was asked for here
 * @replica: locked
 * @slot: of the value
 * @bytes: the value
 * @len: of @bytes
 * @result: filled
 *
 * Return: as kv_apply(). After -ENOMEM the same value must come again.
 */
int kv_call_apply(struct kv_replica *replica, u64 slot, const void *bytes,
		  u32 len, struct kv_result *result)
{
	struct kv_call *call = call_of(replica, bytes, len);
	struct finding finding = { call, result };
	struct sk_buff *skb = call ? call->answer.skb : NULL;
	struct paxos_kv_page *page = NULL;
	unsigned int before = skb ? skb->len : 0;
	int err;

	if (call && call->answer.user)
		page = call->answer.request->page;
	kv_page_clear(page);
	result->found = skb || page ? call_found : NULL;
	result->context = &finding;
	err = kv_apply(replica->store, slot, bytes, len, result);
	if (!call)
		return err;
	if (skb && (err || result->status)) {
		skb_trim(skb, before);
		call->answer.more = false;
	}
	if (err == -ENOMEM && call_relist(replica, call))
		return err;
	call_answer(call, err ? PAXOS_RESULT_UNKNOWN : PAXOS_RESULT_CHOSEN,
		    slot, err ? NULL : result);
	call_put(call);
	return err;
}

static struct kv_call *first_call(struct kv_replica *replica,
				  const struct paxos_kv *user,
				  const struct paxos_kv_request *request)
{
	struct kv_call *call;

	lockdep_assert_held(&replica->lock);
	list_for_each_entry(call, &replica->calls, node) {
		if ((!user || call->answer.user == user) &&
		    (!request || call->answer.request == request))
			return call;
	}
	return NULL;
}

/**
 * kv_calls_end() - nobody waits any longer: their outcome is unknown
 * @replica: whose calls
 * @user: of this one only; NULL: all
 * @request: this one only; NULL: all
 *
 * One that was just taken out of the list is answered by who took it.
 */
void kv_calls_end(struct kv_replica *replica, const struct paxos_kv *user,
		  const struct paxos_kv_request *request)
{
	struct kv_call *call;

	for (;;) {
		spin_lock_bh(&replica->lock);
		call = first_call(replica, user, request);
		if (call)
			call_unlist(replica, call);
		spin_unlock_bh(&replica->lock);
		if (!call)
			return;
		call_answer(call, PAXOS_RESULT_UNKNOWN, 0, NULL);
		call_put(call);
	}
}

static struct kv_call *passed_call(struct kv_replica *replica)
{
	struct kv_call *call;

	lockdep_assert_held(&replica->lock);
	list_for_each_entry(call, &replica->calls, node) {
		if (call->slot && call->slot <= replica->loaded)
			return call;
	}
	return NULL;
}

/* What the entries up to @slot did came in a snapshot: nobody knows of each. */
void kv_calls_loaded(struct kv_replica *replica, u64 slot)
{
	struct kv_call *call;

	do {
		spin_lock_bh(&replica->lock);
		replica->loaded = slot;
		call = passed_call(replica);
		if (call)
			call_unlist(replica, call);
		spin_unlock_bh(&replica->lock);
		if (call) {
			call_answer(call, PAXOS_RESULT_UNKNOWN, 0, NULL);
			call_put(call);
		}
	} while (call);
}
