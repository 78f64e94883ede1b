/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _BENCH_H
#define _BENCH_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Member i lives in the namespace "bench<i>" at 10.9.0.<i>; topology.sh makes
 * these. Nothing here is released at an error: the process ends.
 */
#define BENCH_MEMBERS	3
#define BENCH_PORT	7777	/* of a member */
#define BENCH_ECHO_PORT	7	/* of an echo */
#define BENCH_GROUP	9

/**
 * struct run - what one call of the program measures
 * @size: bytes of a value
 * @rounds: that count
 * @warmup: rounds before them
 * @trace: rounds after them whose instructions are traced
 * @outstanding: proposals at any time (load)
 * @seconds: to go on for (load, raw)
 * @running: of a group that is there, whose agents this did not start
 * @path: file to write (raw)
 */
struct run {
	uint32_t size;
	uint32_t rounds;
	uint32_t warmup;
	uint32_t trace;
	uint32_t outstanding;
	uint32_t seconds;
	bool running;
	const char *path;
};

static inline uint32_t run_total(const struct run *run)
{
	return run->warmup + run->rounds + run->trace;
}

/* place.c */
void place_enter(int member);
in_addr_t place_address(int member);
uint64_t place_clock(void);	/* ns */
void *place_alloc(size_t size);
void fail(const char *format, ...)
	__attribute__((format(printf, 1, 2), noreturn));

/* samples.c: prints "KEY SIZE MEDIAN P10 P90 ROUNDS" */
void samples_print(const char *key, const struct run *run, uint64_t *samples);

/* trace.c */
struct bench_step;
void trace_print(const struct bench_step *steps, uint32_t n_steps);

#endif
