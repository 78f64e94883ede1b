/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOS_BENCH_UAPI_H
#define _PAXOS_BENCH_UAPI_H

#include <linux/ioctl.h>
#include <linux/types.h>

/*
 * /dev/paxos_bench: the kernel's side of the benchmark. What is made through
 * an open file lives in the network namespace that the opener was in, and
 * until the file is closed.
 */
#define BENCH_DEVICE	"/dev/paxos_bench"
#define BENCH_PEERS_MAX	2

/**
 * enum bench_echo_kind - how an echo answers
 * @BENCH_ECHO_CACHED: a new skb on a cached route
 * @BENCH_ECHO_LOOKUP: a new skb and a route look-up
 * @BENCH_ECHO_INPLACE: the frame that came, with its addresses swapped
 */
enum bench_echo_kind {
	BENCH_ECHO_CACHED,
	BENCH_ECHO_LOOKUP,
	BENCH_ECHO_INPLACE,
	BENCH_ECHO_KINDS,
};

struct bench_end {
	__be32 address;
	__be16 port;
	__u16 pad;
};

/* BENCH_ECHO: answer what comes to @here. */
struct bench_echo {
	struct bench_end here;
	__u32 kind;
};

/* BENCH_CLIENT: be ready to send from @here to @peers. */
struct bench_client {
	struct bench_end here;
	__u32 n_peers;
	struct bench_end peers[BENCH_PEERS_MAX];
};

/**
 * struct bench_step - one instruction of a traced round
 * @ip: its address, or 0 where a new round begins
 * @sp: the stack pointer
 */
struct bench_step {
	__u64 ip;
	__u64 sp;
};

/**
 * struct bench_rounds - what happens again and again, and how long it took
 *
 * BENCH_ROUNDS: send a datagram to each peer, wait for their answers.
 * BENCH_COMMITS: propose to a group of this namespace, wait until it is chosen.
 *
 * @datagrams: in: @rounds times n_peers datagrams of @size bytes, in that
 *             order; BENCH_COMMITS: one value of @size bytes
 * @samples: out: u64 for each round: ns from before the first send until the
 *           first answer was received, or the proposal had ended
 * @answers: out: @rounds times @answer_size bytes: the start of that answer
 * @steps: out: up to @n_steps
 * @rounds: how many
 * @size: of a datagram
 * @answer_size: bytes of an answer that are worth keeping
 * @match_at: an answer is what has @match at this offset
 * @match: ... or anything, if this is negative
 * @trace: so many of the last rounds are traced, and their samples are 0
 * @n_steps: in: room for steps; out: steps there are
 * @group: BENCH_COMMITS: its id
 */
struct bench_rounds {
	__u64 datagrams;
	__u64 samples;
	__u64 answers;
	__u64 steps;
	__u32 rounds;
	__u32 size;
	__u32 answer_size;
	__u32 match_at;
	__s32 match;
	__u32 trace;
	__u32 n_steps;
	__u32 group;
};

/**
 * enum bench_kv_operation - what a round asks of a store
 * @BENCH_KV_PUT: to put one key
 * @BENCH_KV_GET: to get it, linearizable
 * @BENCH_KV_GET_SERIALIZABLE: to get it as this host knows it
 * @BENCH_KV_LOCK_UNLOCK: a lease, a key under it, a look at who else wants the
 *			  lock (nobody), and the end of the lease
 * @BENCH_KV_WATCH: to put the key, until a watch on it has been told
 */
enum bench_kv_operation {
	BENCH_KV_PUT,
	BENCH_KV_GET,
	BENCH_KV_GET_SERIALIZABLE,
	BENCH_KV_LOCK_UNLOCK,
	BENCH_KV_WATCH,
	BENCH_KV_OPERATIONS,
};

/* After so many rounds history is forgotten, outside of the measured time. */
#define BENCH_KV_HISTORY	64

/**
 * struct bench_kv - one operation again and again, and how long it took
 * @samples: out: u64 for each round, ns
 * @rounds: how many
 * @size: of a value
 * @group: of this namespace, whose store it is
 * @operation: enum bench_kv_operation
 */
struct bench_kv {
	__u64 samples;
	__u32 rounds;
	__u32 size;
	__u32 group;
	__u32 operation;
};

#define BENCH_ECHO	_IOW('p', 1, struct bench_echo)
#define BENCH_CLIENT	_IOW('p', 2, struct bench_client)
#define BENCH_ROUNDS	_IOWR('p', 3, struct bench_rounds)
#define BENCH_COMMITS	_IOWR('p', 4, struct bench_rounds)
#define BENCH_KV	_IOW('p', 5, struct bench_kv)
#define BENCH_ROUNDS_MAX	1000000
#define BENCH_STEPS_MAX		(16U << 20)

#endif
