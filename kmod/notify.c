// SPDX-License-Identifier: GPL-2.0
#include <net/genetlink.h>
#include "core/quorum.h"
#include "paths.h"
#include "trace.h"

/*
 * Notices are made with the group locked and appended to a queue in the order
 * in which things happened. Who sends them holds the queue's lock, so two CPUs
 * that leave the group one after the other cannot swap them.
 */
#define NOTICES_MAX	256
#define NOTICE_SIZE	NLMSG_ALIGN(256)

enum {
	NOTICE_EVENTS = 0,	/* index in the family's multicast groups */
	NOTICE_LOG,
	NOTICE_UNICAST,
};

struct notice_cb {
	u32 portid;
	u8 to;
};

static struct notice_cb *notice_cb(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct netlink_skb_parms) +
		     sizeof(struct notice_cb) > sizeof(skb->cb));
	return (void *)skb->cb + sizeof(struct netlink_skb_parms);
}

/* Listeners see ENOBUFS, as they do when their own buffer overflows. */
static void lose(struct paxos_group *group, u8 to)
{
	paxos_drop(group, group->stats, PAXOS_DROP_NOTICE_NOMEM, 0);
	genl_set_err(&paxos_family, group->net, 0, to, -ENOBUFS);
}

static void queue(struct paxos_group *group, struct sk_buff *skb, u8 to,
		  u32 portid)
{
	struct notice_cb *cb = notice_cb(skb);

	lockdep_assert_held(&group->lock);
	cb->to = to;
	cb->portid = portid;
	skb_queue_tail(&group->notices, skb);
}

/* Nothing to listen to, or too much at once: NULL, and it was dealt with. */
static struct sk_buff *begin(struct paxos_group *group, u8 to, size_t size)
{
	struct sk_buff *skb = NULL;

	lockdep_assert_held(&group->lock);
	if (!genl_has_listeners(&paxos_family, group->net, to))
		return NULL;
	if (skb_queue_len(&group->notices) < NOTICES_MAX)
		skb = genlmsg_new(size, GFP_ATOMIC | __GFP_NOWARN);
	if (!skb)
		lose(group, to);
	return skb;
}

static struct sk_buff *event_begin(struct paxos_group *group, u8 event,
				   void **header)
{
	struct sk_buff *skb = begin(group, NOTICE_EVENTS, NOTICE_SIZE);

	if (!skb)
		return NULL;
	*header = genlmsg_put(skb, 0, 0, &paxos_family, 0, PAXOS_CMD_EVENT);
	if (!*header || nla_put_u32(skb, PAXOS_A_GROUP, group->id) ||
	    nla_put_u8(skb, PAXOS_A_EVENT, event)) {
		nlmsg_free(skb);
		return NULL;
	}
	return skb;
}

/* @err: whether an attribute had no room, which NOTICE_SIZE rules out. */
static void event_end(struct paxos_group *group, struct sk_buff *skb,
		      void *header, int err)
{
	if (WARN_ON_ONCE(err)) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_end(skb, header);
	queue(group, skb, NOTICE_EVENTS, 0);
}

void paxos_notify_plain(struct paxos_group *group, u8 event)
{
	void *header;
	struct sk_buff *skb = event_begin(group, event, &header);

	if (skb)
		event_end(group, skb, header, 0);
}

void paxos_notify_member(struct paxos_group *group, u8 event, u8 member)
{
	struct nlattr *nest;
	void *header;
	struct sk_buff *skb = event_begin(group, event, &header);
	int err;

	if (!skb)
		return;
	nest = nla_nest_start(skb, PAXOS_A_MEMBER);
	err = !nest || nla_put_u8(skb, PAXOS_A_MEMBER_ID, member);
	if (!err)
		nla_nest_end(skb, nest);
	event_end(group, skb, header, err);
}

void paxos_notify_agent(struct paxos_group *group, u8 event, u32 portid)
{
	void *header;
	struct sk_buff *skb = event_begin(group, event, &header);

	if (skb)
		event_end(group, skb, header,
			  nla_put_u32(skb, PAXOS_A_AGENT, portid));
}

/* @stalled: ms that the oldest record has waited for the disk */
void paxos_notify_stalled(struct paxos_group *group, u32 stalled)
{
	void *header;
	struct sk_buff *skb = event_begin(group, PAXOS_NL_EVENT_STALLED,
					  &header);

	if (skb)
		event_end(group, skb, header,
			  nla_put_u32(skb, PAXOS_A_STALLED, stalled));
}

static void notify_leader(struct paxos_group *group, u64 ballot)
{
	void *header;
	struct sk_buff *skb = event_begin(group, PAXOS_NL_EVENT_LEADER,
					  &header);

	if (skb)
		event_end(group, skb, header,
			  nla_put_u64_64bit(skb, PAXOS_A_BALLOT, ballot,
					    PAXOS_A_PAD) ||
			  nla_put_u8(skb, PAXOS_A_LEADER,
				     paxos_ballot_member(ballot)));
}

static void notify_quorum(struct paxos_group *group, u8 event)
{
	const struct paxos_config *config = &group->core.config;
	u64 up = paxos_members_up(group, group->core.now);
	void *header;
	struct sk_buff *skb = event_begin(group, event, &header);

	if (skb)
		event_end(group, skb, header,
			  nla_put_u8(skb, PAXOS_A_UP,
				     paxos_quorum_weight(config, up)) ||
			  nla_put_u8(skb, PAXOS_A_NEEDED, config->q2));
}

static void notify_behind(struct paxos_group *group, u64 slot)
{
	void *header;
	struct sk_buff *skb = event_begin(group, PAXOS_NL_EVENT_BEHIND,
					  &header);

	if (skb)
		event_end(group, skb, header,
			  nla_put_u64_64bit(skb, PAXOS_A_SLOT, slot,
					    PAXOS_A_PAD));
}

/* @member holds another log than this one: so their checksums say. */
void paxos_notify_diverged(struct paxos_group *group, u8 member)
{
	struct nlattr *nest;
	void *header;
	struct sk_buff *skb = event_begin(group, PAXOS_NL_EVENT_DIVERGED,
					  &header);
	int err;

	if (!skb)
		return;
	err = nla_put_u64_64bit(skb, PAXOS_A_SLOT, group->divergence.slot,
				PAXOS_A_PAD) ||
	      nla_put_u8(skb, PAXOS_A_SELF, group->core.settings.self);
	nest = nla_nest_start(skb, PAXOS_A_MEMBER);
	err = err || !nest || nla_put_u8(skb, PAXOS_A_MEMBER_ID, member);
	if (!err)
		nla_nest_end(skb, nest);
	event_end(group, skb, header, err);
}

void paxos_notify_halted(struct paxos_group *group)
{
	void *header;
	struct sk_buff *skb = event_begin(group, PAXOS_NL_EVENT_HALTED,
					  &header);

	if (skb)
		event_end(group, skb, header,
			  nla_put_u8(skb, PAXOS_A_HALTED,
				     group->divergence.halted));
}

/* Listeners to the log were not told of some slots. */
void paxos_notify_missed(struct paxos_group *group)
{
	if (genl_has_listeners(&paxos_family, group->net, NOTICE_LOG))
		genl_set_err(&paxos_family, group->net, 0, NOTICE_LOG,
			     -ENOBUFS);
}

/* What the agent says of its log: something in it will go. */
void paxos_notify_space(struct paxos_group *group)
{
	void *header;
	struct sk_buff *skb = event_begin(group, PAXOS_NL_EVENT_SPACE,
					  &header);

	if (skb)
		event_end(group, skb, header, paxos_space_put(skb, group));
}

/* The configuration in force, from behind @slot on. */
void paxos_notify_epoch(struct paxos_group *group, u64 slot)
{
	void *header;
	struct sk_buff *skb = event_begin(group, PAXOS_NL_EVENT_EPOCH,
					  &header);

	if (skb)
		event_end(group, skb, header,
			  nla_put_u32(skb, PAXOS_A_EPOCH,
				      group->core.config.epoch) ||
			  nla_put_u64_64bit(skb, PAXOS_A_SLOT, slot,
					    PAXOS_A_PAD));
}

/* ops->event */
void paxos_event(struct paxos_core *core, enum paxos_event event, u64 slot,
		 u64 ballot)
{
	struct paxos_group *group = paxos_core_group(core);

	switch (event) {
	case PAXOS_EVENT_PROMISED:
		trace_paxos_promise(group, 0, ballot);
		break;
	case PAXOS_EVENT_ACCEPTED:
		trace_paxos_accept(group, slot, ballot);
		if (static_branch_unlikely(&paxos_stages_timed.key))
			paxos_stages_see(group, event, slot);
		break;
	case PAXOS_EVENT_CHOSEN:
		trace_paxos_chosen(group, slot, ballot);
		paxos_count(group->stats, PAXOS_COUNT_CHOSEN);
		if (static_branch_unlikely(&paxos_stages_timed.key))
			paxos_stages_see(group, event, slot);
		break;
	case PAXOS_EVENT_DURABLE:
		trace_paxos_persist(group, slot, 0, true);
		if (static_branch_unlikely(&paxos_stages_timed.key))
			paxos_stages_see(group, event, slot);
		break;
	case PAXOS_EVENT_LEADER:
		notify_leader(group, ballot);
		break;
	case PAXOS_EVENT_QUORUM_LOST:
		notify_quorum(group, PAXOS_NL_EVENT_QUORUM_LOST);
		break;
	case PAXOS_EVENT_QUORUM_REGAINED:
		notify_quorum(group, PAXOS_NL_EVENT_QUORUM_REGAINED);
		break;
	case PAXOS_EVENT_BEHIND:
		notify_behind(group, slot);
		break;
	case PAXOS_EVENT_EPOCH:
		paxos_membership_changed(group, slot);
		break;
	}
}

/* Slot @slot was delivered: as LOG_GET would tell it. */
void paxos_notify_chosen(struct paxos_group *group, u64 slot)
{
	struct sk_buff *skb;
	void *header;

	skb = begin(group, NOTICE_LOG, paxos_chosen_size(group, slot));
	if (!skb)
		return;
	header = genlmsg_put(skb, 0, 0, &paxos_family, 0, PAXOS_CMD_CHOSEN);
	if (WARN_ON_ONCE(!header || paxos_chosen_put(skb, group, slot))) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_end(skb, header);
	queue(group, skb, NOTICE_LOG, 0);
}

/* The command @cmd of @portid, number @seq, that waits, fails after all. */
void paxos_notify_error(struct paxos_group *group, u32 portid, u32 seq, int err)
{
	struct nlmsgerr *message;
	struct nlmsghdr *header;
	struct sk_buff *skb;

	skb = nlmsg_new(sizeof(*message), GFP_ATOMIC | __GFP_NOWARN);
	if (!skb) {
		paxos_drop(group, group->stats, PAXOS_DROP_NOTICE_NOMEM, 0);
		return;
	}
	header = nlmsg_put(skb, portid, seq, NLMSG_ERROR, sizeof(*message),
			   NLM_F_CAPPED);
	message = nlmsg_data(header);
	memset(message, 0, sizeof(*message));
	message->error = err;
	message->msg.nlmsg_len = NLMSG_HDRLEN;
	message->msg.nlmsg_type = paxos_family.id;
	message->msg.nlmsg_seq = seq;
	message->msg.nlmsg_pid = portid;
	nlmsg_end(skb, header);
	queue(group, skb, NOTICE_UNICAST, portid);
}

void paxos_notify_queued(struct paxos_group *group)
{
	struct sk_buff *skb;

	spin_lock(&group->notices.lock);
	while ((skb = __skb_dequeue(&group->notices))) {
		struct notice_cb cb = *notice_cb(skb);

		if (cb.to == NOTICE_UNICAST)
			genlmsg_unicast(group->net, skb, cb.portid);
		else
			genlmsg_multicast_netns(&paxos_family, group->net, skb,
						0, cb.to, GFP_ATOMIC);
	}
	spin_unlock(&group->notices.lock);
}
