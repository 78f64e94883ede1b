// SPDX-License-Identifier: GPL-2.0
/*
 * An echo and a client that measures round trips, both in the kernel, both as
 * short as one would write them: the client's part is the same whoever
 * answers, so what differs between two answerers is theirs.
 */
#include <linux/completion.h>
#include <linux/ip.h>
#include <linux/netdevice.h>
#include <linux/sched/signal.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/udp.h>
#include <linux/vmalloc.h>
#include <net/dst_cache.h>
#include <net/ip.h>
#include <net/route.h>
#include <net/sock.h>
#include <net/udp.h>
#include <net/udp_tunnel.h>
#include "bench.h"

#define HEADROOM	(LL_MAX_HEADER + sizeof(struct iphdr) + \
			 sizeof(struct udphdr))
#define DATAGRAM_MAX	65000
#define ANSWER_MAX	2048

struct echo {
	struct socket *sock;
	struct bench_end here;
	struct dst_cache route;
};

struct peer {
	struct bench_end end;
	struct dst_cache route;
};

struct client {
	struct socket *sock;
	struct bench_end here;
	u32 n_peers;
	struct peer peers[BENCH_PEERS_MAX];

	/* Protects the round that runs: all that follows. */
	spinlock_t lock;
	bool running;
	u32 answers;
	u32 match_at;
	s32 match;		/* negative: any datagram is an answer */
	u64 end;		/* when the first answer came */
	u8 answer[ANSWER_MAX];	/* its start */
	struct completion done;	/* every peer answered */
};

static int socket_open(struct net *net, const struct bench_end *here,
		       void *user,
		       int (*receive)(struct sock *sk, struct sk_buff *skb),
		       struct socket **sock)
{
	struct udp_port_cfg port = {
		.family = AF_INET,
		.local_ip.s_addr = here->address,
		.local_udp_port = here->port,
		.use_udp_checksums = true,
	};
	struct udp_tunnel_sock_cfg tunnel = {
		.sk_user_data = user,
		.encap_type = 1,
		.encap_rcv = receive,
	};
	int ret;

	ret = udp_sock_create(net, &port, sock);
	if (ret)
		return ret;
	(*sock)->sk->sk_allocation = GFP_ATOMIC;
	setup_udp_tunnel_sock(net, *sock, &tunnel);
	return 0;
}

static struct rtable *route_find(struct sock *sk, __be32 from, __be32 to)
{
	struct flowi4 flow = {
		.saddr = from,
		.daddr = to,
		.flowi4_proto = IPPROTO_UDP,
	};

	return ip_route_output_key(sock_net(sk), &flow);
}

/* Sends @skb, which it takes over, on the route in @cache if there is one. */
static int send(struct sock *sk, struct sk_buff *skb, struct dst_cache *cache,
		const struct bench_end *from, const struct bench_end *to)
{
	struct rtable *route = NULL;
	__be32 address;

	if (cache)
		route = dst_cache_get_ip4(cache, &address);
	if (!route) {
		route = route_find(sk, from->address, to->address);
		if (IS_ERR(route)) {
			kfree_skb(skb);
			return PTR_ERR(route);
		}
		if (cache)
			dst_cache_set_ip4(cache, &route->dst, from->address);
	}
	udp_tunnel_xmit_skb(route, sk, skb, from->address, to->address, 0,
			    ip4_dst_hoplimit(&route->dst), 0, from->port,
			    to->port, false, false);
	return 0;
}

static struct sk_buff *datagram_make(const void *bytes, u32 size)
{
	struct sk_buff *skb;

	skb = alloc_skb(HEADROOM + size, GFP_ATOMIC);
	if (!skb)
		return NULL;
	skb_reserve(skb, HEADROOM);
	skb_put_data(skb, bytes, size);
	return skb;
}

/* The echo. Softirq. */

static int echo_new(struct sock *sk, struct sk_buff *skb,
		    struct dst_cache *cache)
{
	struct echo *echo = rcu_dereference_sk_user_data(sk);
	struct bench_end to = {
		.address = ip_hdr(skb)->saddr,
		.port = udp_hdr(skb)->source,
	};
	struct sk_buff *answer;

	if (!echo || skb_linearize(skb))
		goto out;
	answer = datagram_make(skb->data + sizeof(struct udphdr),
			       skb->len - sizeof(struct udphdr));
	if (answer)
		send(sk, answer, cache ? &echo->route : NULL, &echo->here, &to);
out:
	consume_skb(skb);
	return 0;
}

static int echo_cached(struct sock *sk, struct sk_buff *skb)
{
	struct echo *echo = rcu_dereference_sk_user_data(sk);

	return echo_new(sk, skb, echo ? &echo->route : NULL);
}

static int echo_lookup(struct sock *sk, struct sk_buff *skb)
{
	return echo_new(sk, skb, NULL);
}

static int echo_inplace(struct sock *sk, struct sk_buff *skb)
{
	struct iphdr *ip = ip_hdr(skb);
	struct udphdr *udp = udp_hdr(skb);
	struct ethhdr *eth = eth_hdr(skb);

	/* The checksums hold: what was swapped is summed alike. */
	swap(ip->saddr, ip->daddr);
	swap(udp->source, udp->dest);
	ether_addr_copy(eth->h_dest, eth->h_source);
	ether_addr_copy(eth->h_source, skb->dev->dev_addr);
	skb_push(skb, skb->data - skb_mac_header(skb));
	skb_dst_drop(skb);
	skb->pkt_type = PACKET_OUTGOING;
	dev_queue_xmit(skb);
	return 0;
}

static int (*const echo_receive[])(struct sock *sk, struct sk_buff *skb) = {
	[BENCH_ECHO_CACHED] = echo_cached,
	[BENCH_ECHO_LOOKUP] = echo_lookup,
	[BENCH_ECHO_INPLACE] = echo_inplace,
};

int bench_echo_open(struct bench *bench, const struct bench_echo *request)
{
	struct echo *echo;
	int ret;

	if (request->kind >= BENCH_ECHO_KINDS)
		return -EINVAL;
	if (bench->echo)
		return -EBUSY;
	echo = kzalloc(sizeof(*echo), GFP_KERNEL);
	if (!echo)
		return -ENOMEM;
	echo->here = request->here;
	ret = dst_cache_init(&echo->route, GFP_KERNEL);
	if (ret)
		goto err_echo;
	ret = socket_open(bench->net, &request->here, echo,
			  echo_receive[request->kind], &echo->sock);
	if (ret)
		goto err_route;
	bench->echo = echo;
	return 0;

err_route:
	dst_cache_destroy(&echo->route);
err_echo:
	kfree(echo);
	return ret;
}

void bench_echo_close(struct bench *bench)
{
	struct echo *echo = bench->echo;

	if (!echo)
		return;
	udp_tunnel_sock_release(echo->sock);
	synchronize_rcu();
	dst_cache_destroy(&echo->route);
	kfree(echo);
	bench->echo = NULL;
}

/* The client. */

/* Softirq. The clock is read first: what follows is nobody's round trip. */
static int client_receive(struct sock *sk, struct sk_buff *skb)
{
	u64 now = ktime_get_ns();
	struct client *client = rcu_dereference_sk_user_data(sk);
	u32 len = skb->len - sizeof(struct udphdr);
	u8 byte;

	bench_trace_off();
	if (!client)
		goto out;
	spin_lock(&client->lock);
	if (!client->running || client->answers == client->n_peers)
		goto unlock;
	if (client->match >= 0 &&
	    (skb_copy_bits(skb, sizeof(struct udphdr) + client->match_at,
			   &byte, 1) || byte != client->match))
		goto unlock;
	if (!client->answers) {
		client->end = now;
		skb_copy_bits(skb, sizeof(struct udphdr), client->answer,
			      min_t(u32, len, ANSWER_MAX));
	}
	if (++client->answers == client->n_peers)
		complete(&client->done);
unlock:
	spin_unlock(&client->lock);
out:
	consume_skb(skb);
	return 0;
}

int bench_client_open(struct bench *bench, const struct bench_client *request)
{
	struct client *client;
	u32 i;
	int ret;

	if (!request->n_peers || request->n_peers > BENCH_PEERS_MAX)
		return -EINVAL;
	if (bench->client)
		return -EBUSY;
	client = kzalloc(sizeof(*client), GFP_KERNEL);
	if (!client)
		return -ENOMEM;
	spin_lock_init(&client->lock);
	init_completion(&client->done);
	client->here = request->here;
	client->n_peers = request->n_peers;
	for (i = 0; i < client->n_peers; i++) {
		client->peers[i].end = request->peers[i];
		ret = dst_cache_init(&client->peers[i].route, GFP_KERNEL);
		if (ret)
			goto err_routes;
	}
	ret = socket_open(bench->net, &request->here, client, client_receive,
			  &client->sock);
	if (ret)
		goto err_routes;
	bench->client = client;
	return 0;

err_routes:
	while (i--)
		dst_cache_destroy(&client->peers[i].route);
	kfree(client);
	return ret;
}

void bench_client_close(struct bench *bench)
{
	struct client *client = bench->client;
	u32 i;

	if (!client)
		return;
	udp_tunnel_sock_release(client->sock);
	synchronize_rcu();
	for (i = 0; i < client->n_peers; i++)
		dst_cache_destroy(&client->peers[i].route);
	kfree(client);
	bench->client = NULL;
}

static int client_send(struct client *client, struct peer *peer,
		       const void *bytes, u32 size)
{
	struct sk_buff *skb;

	skb = datagram_make(bytes, size);
	if (!skb)
		return -ENOMEM;
	return send(client->sock->sk, skb, &peer->route, &client->here,
		    &peer->end);
}

/*
 * With one processor and answerers in the kernel, the whole round runs inside
 * local_bh_enable(): nothing is woken and nobody waits.
 */
static int client_round(struct client *client, const u8 *datagrams, u32 size,
			bool trace, u64 *sample)
{
	u64 start;
	u32 i;
	int ret = 0;

	spin_lock_bh(&client->lock);
	reinit_completion(&client->done);
	client->answers = 0;
	client->running = true;
	spin_unlock_bh(&client->lock);

	local_bh_disable();
	if (trace)
		bench_trace_on();
	start = ktime_get_ns();
	for (i = 0; i < client->n_peers && !ret; i++)
		ret = client_send(client, &client->peers[i],
				  datagrams + i * size, size);
	local_bh_enable();
	bench_trace_off();
	if (!ret && !completion_done(&client->done) &&
	    !wait_for_completion_timeout(&client->done, HZ))
		ret = -ETIMEDOUT;

	spin_lock_bh(&client->lock);
	client->running = false;
	*sample = trace ? 0 : client->end - start;
	spin_unlock_bh(&client->lock);
	return ret;
}

static int client_rounds(struct client *client, struct bench_rounds *request,
			 const u8 *datagrams)
{
	u64 __user *samples = u64_to_user_ptr(request->samples);
	u8 __user *answers = u64_to_user_ptr(request->answers);
	u32 stride = client->n_peers * request->size;
	u64 sample;
	u32 i;
	int ret;

	for (i = 0; i < request->rounds; i++) {
		bool trace = request->rounds - i <= request->trace;

		if (trace)
			bench_trace_round();
		ret = client_round(client, datagrams + i * stride,
				   request->size, trace, &sample);
		if (ret)
			return ret;
		if (put_user(sample, samples + i) ||
		    copy_to_user(answers + (size_t)i * request->answer_size,
				 client->answer, request->answer_size))
			return -EFAULT;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

int bench_client_run(struct bench *bench, struct bench_rounds *request)
{
	struct client *client = bench->client;
	size_t bytes;
	u8 *datagrams;
	int ret, err;

	if (!client)
		return -ENOTCONN;
	if (request->size > DATAGRAM_MAX || request->answer_size > ANSWER_MAX)
		return -EINVAL;
	bytes = (size_t)request->rounds * client->n_peers * request->size;
	datagrams = vmemdup_user(u64_to_user_ptr(request->datagrams), bytes);
	if (IS_ERR(datagrams))
		return PTR_ERR(datagrams);
	client->match = request->match;
	client->match_at = request->match_at;
	if (request->trace) {
		ret = bench_trace_open(request->n_steps);
		if (ret)
			goto out;
	}
	ret = client_rounds(client, request, datagrams);
	if (request->trace) {
		err = bench_trace_close(u64_to_user_ptr(request->steps),
					&request->n_steps);
		if (!ret)
			ret = err;
	}
out:
	kvfree(datagrams);
	return ret;
}
