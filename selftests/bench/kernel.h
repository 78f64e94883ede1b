/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _BENCH_KERNEL_H
#define _BENCH_KERNEL_H

#include "bench.h"

#define KERNEL_TYPE_AT	9	/* offset of the type in a datagram of paxos */
#define KERNEL_ANSWER_SIZE 128	/* enough for the Accepted of one slot */

/* Opens the device in the namespace of @member, where the process then is. */
int kernel_open(int member);
/* An echo at @member, until this process ends. */
void kernel_echo(int member, uint32_t kind);
/*
 * Sends @datagrams, one to each of @n_peers members from 2 on a round, from
 * member 1; prints the times under @key. @match: type of an answer, or -1.
 * Returns the start of each round's answer, KERNEL_ANSWER_SIZE bytes.
 */
uint8_t *kernel_round_trips(const char *key, const struct run *run,
			    uint32_t n_peers, uint16_t port,
			    const uint8_t *datagrams, uint32_t size, int match);
void kernel_echo_run(const char *key, const struct run *run, uint32_t kind,
		     uint32_t n_peers);
/* Accepts to the acceptor that member 2 has at BENCH_PORT, however it is run. */
void kernel_accept_run(const char *key, const struct run *run);
/* Proposals to the bench's group, made for this, from the kernel. */
void kernel_commit_run(const char *key, const struct run *run);

#endif
