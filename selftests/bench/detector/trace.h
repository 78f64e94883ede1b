/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _BENCH_DETECTOR_TRACE_H
#define _BENCH_DETECTOR_TRACE_H

/* What one agent hears of another, and when it was itself not run. In us. */

#include <stddef.h>
#include <stdint.h>

#define MS		1000ULL
#define HOUR		(3600000 * MS)
#define INTERVAL	(100 * MS)

struct beat {
	uint64_t sent;
	uint64_t arrived;
};

struct stall {
	uint64_t from;
	uint64_t to;
};

/**
 * struct trace - one path
 * @beats: those that arrive, by both times; what is overtaken is a replay, and
 *         left out
 * @stalls: in which the one who hears was not run
 */
struct trace {
	const char *name;
	struct beat *beats;
	size_t n_beats;
	struct stall *stalls;
	size_t n_stalls;
	uint64_t length;
};

/* Of @seed; as many as TRACES, then one for each recorded file. */
#define TRACES 7
void trace_make(struct trace *trace, unsigned int which, uint64_t hours,
		uint64_t seed);
/* Lines of SENT and ARRIVED in us; 0, or -1 and it was told. */
int trace_read(struct trace *trace, const char *path);
void trace_free(struct trace *trace);

/* [0, 1) */
double draw(uint64_t *state);

#endif
