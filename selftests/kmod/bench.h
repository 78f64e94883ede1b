/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOS_BENCH_H
#define _PAXOS_BENCH_H

#include <linux/ktime.h>
#include <linux/mutex.h>
#include <net/net_namespace.h>
#include "bench_uapi.h"

struct echo;
struct client;

/* An open file. */
struct bench {
	struct net *net;	/* of the opener */
	struct mutex lock;	/* one ioctl at a time: the next 2 fields */
	struct echo *echo;
	struct client *client;
};

/* bench_udp.c: process context, with the lock held */
int bench_echo_open(struct bench *bench, const struct bench_echo *request);
void bench_echo_close(struct bench *bench);
int bench_client_open(struct bench *bench, const struct bench_client *request);
void bench_client_close(struct bench *bench);
int bench_client_run(struct bench *bench, struct bench_rounds *request);

/* bench_commit.c: as above */
int bench_commit_run(struct bench *bench, struct bench_rounds *request);

/* bench_kv.c: as above */
int bench_kv_run(struct bench *bench, const struct bench_kv *request);

/* bench_trace.c */
int bench_trace_open(u32 n_steps);
void bench_trace_round(void);
int bench_trace_close(void __user *steps, u32 *n_steps);

/*
 * Between these two, in one context with bottom halves off, every instruction
 * traps and is recorded. Inline, so that nothing but the flag is in between.
 */
static __always_inline void bench_trace_on(void)
{
	asm volatile("pushfq; orq %0, (%%rsp); popfq"
		     : : "i" (X86_EFLAGS_TF) : "memory", "cc");
}

static __always_inline void bench_trace_off(void)
{
	asm volatile("pushfq; andq %0, (%%rsp); popfq"
		     : : "i" (~X86_EFLAGS_TF) : "memory", "cc");
}

#endif
