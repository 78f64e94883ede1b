// SPDX-License-Identifier: GPL-2.0
#include <linux/security.h>
#include <linux/slab.h>
#include <net/addrconf.h>
#include <net/ip6_route.h>
#include <net/route.h>
#include <net/udp_tunnel.h>
#include "paths.h"

/* An endpoint with no address yet, or NULL. */
struct paxos_endpoint *paxos_endpoint_new(void)
{
	struct paxos_endpoint *endpoint;

	endpoint = kzalloc(sizeof(*endpoint), GFP_KERNEL_ACCOUNT);
	if (endpoint && dst_cache_init(&endpoint->routes, GFP_KERNEL)) {
		kfree(endpoint);
		endpoint = NULL;
	}
	return endpoint;
}

static void endpoint_free_rcu(struct rcu_head *rcu)
{
	struct paxos_endpoint *endpoint =
		container_of(rcu, struct paxos_endpoint, rcu);

	dst_cache_destroy(&endpoint->routes);
	kfree(endpoint);
}

/* Readers under RCU may hold it still. */
void paxos_endpoint_free(struct paxos_endpoint *endpoint)
{
	if (endpoint)
		call_rcu(&endpoint->rcu, endpoint_free_rcu);
}

bool paxos_endpoint_same(const struct paxos_endpoint *a,
			 const struct paxos_endpoint *b)
{
	if (a->family != b->family || a->port != b->port)
		return false;
	if (a->family == AF_INET)
		return a->address.v4 == b->address.v4;
	return ipv6_addr_equal(&a->address.v6, &b->address.v6) &&
	       a->scope == b->scope;
}

/*
 * paxos_socket_open - listen on this member's own address
 *
 * Datagrams arrive from here on, before the group is in the table.
 */
int paxos_socket_open(struct paxos_group *group,
		      struct netlink_ext_ack *extack)
{
	const struct paxos_endpoint *self =
		rcu_dereference_raw(group->endpoints[group->core.settings.self]);
	struct udp_tunnel_sock_cfg tunnel = {
		.sk_user_data = group,
		.encap_type = 1,
		.encap_rcv = paxos_receive,
	};
	struct udp_port_cfg port = {
		.family = self->family,
		.local_udp_port = self->port,
		.use_udp_checksums = true,
		.bind_ifindex = self->scope,
	};
	int err;

	if (self->family == AF_INET) {
		port.local_ip.s_addr = self->address.v4;
#if IS_ENABLED(CONFIG_IPV6)
	} else {
		port.local_ip6 = self->address.v6;
		port.use_udp6_tx_checksums = true;
		port.use_udp6_rx_checksums = true;
		port.ipv6_v6only = true;
#endif
	}
	err = udp_sock_create(group->net, &port, &group->socket);
	if (err) {
		PAXOS_REFUSE_FMT(extack,
				 "binding to this member's address failed: %pe",
				 ERR_PTR(err));
		return err;
	}
	group->socket->sk->sk_allocation = GFP_ATOMIC;
	rcu_assign_pointer(group->sock, group->socket->sk);
	setup_udp_tunnel_sock(group->net, group->socket, &tunnel);
	return 0;
}

/*
 * What every path takes in one piece (RFC 791: hosts must accept 576 bytes)
 * needs no identification to put it together again, which is dear to draw.
 */
#define SMALL4	(576 - sizeof(struct iphdr) - sizeof(struct udphdr))

static void transmit4_small(struct sock *sk, struct sk_buff *skb,
			    struct rtable *rt, __be32 source,
			    const struct paxos_endpoint *self,
			    const struct paxos_endpoint *to)
{
	struct udphdr *udp;
	struct iphdr *ip;

	udp = __skb_push(skb, sizeof(*udp));
	skb_reset_transport_header(skb);
	udp->source = self->port;
	udp->dest = to->port;
	udp->len = htons(skb->len);
	udp_set_csum(false, skb, source, to->address.v4, skb->len);

	ip = __skb_push(skb, sizeof(*ip));
	skb_reset_network_header(skb);
	*ip = (struct iphdr){
		.version = 4,
		.ihl = sizeof(*ip) >> 2,
		.frag_off = htons(IP_DF),
		.ttl = ip4_dst_hoplimit(&rt->dst),
		.protocol = IPPROTO_UDP,
		.saddr = source,
		.daddr = to->address.v4,
	};
	memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
	skb_dst_set(skb, &rt->dst);
	ip_local_out(sock_net(sk), sk, skb);
}

static int transmit4(struct sock *sk, struct sk_buff *skb,
		     const struct paxos_endpoint *self,
		     struct paxos_endpoint *to)
{
	__be32 source = self->address.v4;
	struct rtable *rt;

	rt = dst_cache_get_ip4(&to->routes, &source);
	if (unlikely(!rt)) {
		struct flowi4 flow = {
			.saddr = source,
			.daddr = to->address.v4,
			.fl4_sport = self->port,
			.fl4_dport = to->port,
			.flowi4_proto = IPPROTO_UDP,
		};

		security_sk_classify_flow(sk, flowi4_to_flowi_common(&flow));
		rt = ip_route_output_flow(sock_net(sk), &flow, sk);
		if (IS_ERR(rt))
			return PTR_ERR(rt);
		dst_cache_set_ip4(&to->routes, &rt->dst, source);
	}
	if (likely(skb->len <= SMALL4 && dst_mtu(&rt->dst) >= 576)) {
		transmit4_small(sk, skb, rt, source, self, to);
		return 0;
	}
	/* Without DF: what is larger than the path is fragmented. */
	udp_tunnel_xmit_skb(rt, sk, skb, source, to->address.v4, 0,
			    ip4_dst_hoplimit(&rt->dst), 0, self->port,
			    to->port, false, false);
	return 0;
}

#if IS_ENABLED(CONFIG_IPV6)
static int transmit6(struct sock *sk, struct sk_buff *skb,
		     const struct paxos_endpoint *self,
		     struct paxos_endpoint *to)
{
	struct in6_addr source = self->address.v6;
	struct in6_addr destination = to->address.v6;
	struct dst_entry *dst;

	dst = dst_cache_get_ip6(&to->routes, &source);
	if (unlikely(!dst)) {
		struct flowi6 flow = {
			.saddr = source,
			.daddr = destination,
			.fl6_sport = self->port,
			.fl6_dport = to->port,
			.flowi6_oif = to->scope,
			.flowi6_proto = IPPROTO_UDP,
		};

		security_sk_classify_flow(sk, flowi6_to_flowi_common(&flow));
		dst = ipv6_stub->ipv6_dst_lookup_flow(sock_net(sk), sk, &flow,
						      NULL);
		if (IS_ERR(dst))
			return PTR_ERR(dst);
		dst_cache_set_ip6(&to->routes, dst, &source);
	}
	skb->ignore_df = 1;
	udp_tunnel6_xmit_skb(dst, sk, skb, NULL, &source, &destination, 0,
			     ip6_dst_hoplimit(dst), 0, self->port, to->port,
			     false);
	return 0;
}
#else
static int transmit6(struct sock *sk, struct sk_buff *skb,
		     const struct paxos_endpoint *self,
		     struct paxos_endpoint *to)
{
	return -EAFNOSUPPORT;
}
#endif

/* Consumes @skb, a datagram for member @to. */
void paxos_socket_transmit(struct paxos_group *group, struct sk_buff *skb,
			   u8 to)
{
	struct paxos_endpoint *endpoint, *self;
	struct sock *sk;
	int err = -ENOENT;

	endpoint = rcu_dereference(group->endpoints[to]);
	self = rcu_dereference(group->endpoints[group->core.settings.self]);
	sk = rcu_dereference(group->sock);
	if (likely(sk && endpoint))
		err = self->family == AF_INET ?
		      transmit4(sk, skb, self, endpoint) :
		      transmit6(sk, skb, self, endpoint);
	if (unlikely(err)) {
		paxos_drop(group, group->stats, PAXOS_DROP_SEND_ROUTE,
			   skb->len);
		kfree_skb(skb);
	}
}
