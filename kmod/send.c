// SPDX-License-Identifier: GPL-2.0
#include <linux/skbuff.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/udp.h>
#include "core/wire.h"
#include "paths.h"
#include "trace.h"

#define HEADROOM	(LL_MAX_HEADER + sizeof(struct ipv6hdr) + \
			 sizeof(struct udphdr))

struct send_cb {
	u8 to;
};

static struct send_cb *send_cb(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct send_cb) > sizeof(skb->cb));
	return (struct send_cb *)skb->cb;
}

/*
 * A page fragment and an skb from the caches of the receive path: taken and
 * given back without the slab, and without zeroing what is overwritten at once.
 * Softirqs are off.
 */
static struct sk_buff *skb_small(size_t size)
{
	unsigned int room = SKB_DATA_ALIGN(HEADROOM + size) +
			    SKB_DATA_ALIGN(sizeof(struct skb_shared_info));
	struct sk_buff *skb;
	void *bytes;

	bytes = napi_alloc_frag(room);
	if (unlikely(!bytes))
		return NULL;
	skb = napi_build_skb(bytes, room);
	if (unlikely(!skb)) {
		skb_free_frag(bytes);
		return NULL;
	}
	skb_reserve(skb, HEADROOM);
	return skb;
}

static struct sk_buff *encode(struct paxos_group *group,
			      const struct paxos_message *message, size_t size)
{
	struct paxos_key *key =
		rcu_dereference_check(group->key,
				      lockdep_is_held(&group->lock));
	struct sk_buff *skb;
	void *datagram;
	int err;

	if (likely(size <= SKB_MAX_HEAD(HEADROOM))) {
		skb = skb_small(size);
		if (unlikely(!skb))
			return NULL;
		datagram = skb_put(skb, size);
		paxos_wire_encode(message, group->id, datagram);
		paxos_tag(key, datagram, size);
		return skb;
	}

	/*
	 * A large one goes through a buffer of the group's into single pages:
	 * softirq context cannot count on finding many that adjoin.
	 */
	skb = alloc_skb_with_frags(HEADROOM, size, 0, &err,
				   GFP_ATOMIC | __GFP_NOWARN);
	if (!skb)
		return NULL;
	skb_reserve(skb, HEADROOM);
	skb->len = size;
	skb->data_len = size;
	paxos_wire_encode(message, group->id, group->scratch);
	paxos_tag(key, group->scratch, size);
	if (skb_store_bits(skb, 0, group->scratch, size)) {
		kfree_skb(skb);
		return NULL;
	}
	return skb;
}

/*
 * paxos_send - encode now, for items point into the core; send after the lock
 */
void paxos_send(struct paxos_core *core, const struct paxos_message *message)
{
	struct paxos_group *group = paxos_core_group(core);
	size_t size = paxos_wire_size(message);
	struct sk_buff *skb;

	skb = encode(group, message, size);
	if (unlikely(!skb)) {
		paxos_drop(group, group->stats, PAXOS_DROP_SEND_NOMEM, size);
		return;
	}
	send_cb(skb)->to = message->to;
	__skb_queue_tail(&group->out, skb);

	trace_paxos_message_out(group, message, size);
	paxos_count(group->stats, PAXOS_COUNT_OUT + message->type);
	paxos_count_add(group->stats, PAXOS_COUNT_BYTES_OUT, size);
}

/* What paxos_send() has queued, to the IP output path. */
void paxos_send_queued(struct paxos_group *group, struct sk_buff_head *queue)
{
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(queue)))
		paxos_socket_transmit(group, skb, send_cb(skb)->to);
}
