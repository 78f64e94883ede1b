// SPDX-License-Identifier: GPL-2.0
#include <linux/udp.h>
#include <net/sock.h>
#include "core/wire.h"
#include "paths.h"
#include "trace.h"

/* paxos_drop - the one place where a drop is counted and traced */
void paxos_drop(struct paxos_group *group, struct paxos_stats __percpu *stats,
		unsigned int reason, unsigned int len)
{
	paxos_count(stats, PAXOS_COUNT_DROP + reason);
	trace_paxos_drop(group, reason, len);
}

/*
 * A datagram to this group's address. UDP has verified its checksum; the tag
 * says whether a member sent it, and until then nothing of it is believed.
 */
static unsigned int receive(struct paxos_group *group, struct sk_buff *skb)
{
	const struct paxos_wire_header *header;
	struct paxos_message message;
	unsigned int reason, len;

	len = skb->len - sizeof(struct udphdr);
	if (unlikely(!pskb_may_pull(skb, sizeof(struct udphdr) +
					 sizeof(*header))))
		return PAXOS_DROP_SHORT;
	header = (void *)(skb->data + sizeof(struct udphdr));
	if (unlikely(header->version != PAXOS_WIRE_VERSION))
		return PAXOS_DROP_VERSION;
	if (unlikely(get_unaligned_le32(&header->group) != group->id))
		return PAXOS_DROP_GROUP;
	if (unlikely(len > PAXOS_DATAGRAM_MAX))
		return PAXOS_DROP_LONG;
	if (unlikely(skb_linearize(skb)))
		return PAXOS_DROP_LINEARIZE;
	header = (void *)(skb->data + sizeof(struct udphdr));
	if (unlikely(!paxos_tag_valid(rcu_dereference(group->key), header,
				      len)))
		return PAXOS_DROP_TAG;
	reason = paxos_wire_decode(header, len, &message);
	if (unlikely(reason))
		return reason;

	trace_paxos_message_in(group, &message, len);
	paxos_count(group->stats, PAXOS_COUNT_IN + message.type);
	paxos_count_add(group->stats, PAXOS_COUNT_BYTES_IN, len);

	paxos_group_lock(group);
	reason = PAXOS_DROP_MUTE;
	if (likely(!group->dead)) {
		u64 now = paxos_now();

		if (unlikely(message.type == PAXOS_PROBE ||
			     message.type == PAXOS_PROBE_REPLY)) {
			reason = paxos_probe_receive(group, &message, now);
		} else {
			reason = paxos_core_receive(&group->core, &message,
						    now);
			paxos_member_heard(group, message.from, now);
		}
	}
	paxos_group_unlock(group);
	return reason;
}

/*
 * paxos_receive - encap_rcv of a group's socket
 *
 * Softirq, under RCU. Always 0: every datagram is ours to free.
 */
int paxos_receive(struct sock *sk, struct sk_buff *skb)
{
	struct paxos_group *group = rcu_dereference_sk_user_data(sk);
	struct paxos_stats __percpu *stats;
	unsigned int reason, len = skb->len;

	reason = group ? receive(group, skb) : PAXOS_DROP_GROUP;
	if (likely(!reason)) {
		napi_consume_skb(skb, 1);
		return 0;
	}
	stats = reason == PAXOS_DROP_GROUP ? paxos_net(sock_net(sk))->stats :
					     group->stats;
	paxos_drop(group, stats, reason, len - sizeof(struct udphdr));
	kfree_skb(skb);
	return 0;
}
