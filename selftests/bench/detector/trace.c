// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "trace.h"

/* splitmix64 (Steele, Lea, Flood 2014) */
static uint64_t next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

double draw(uint64_t *state)
{
	return (next(state) >> 11) * 0x1p-53;
}

static double exponential(uint64_t *state, double mean)
{
	return -mean * log(1 - draw(state));
}

static double normal(uint64_t *state)
{
	const double radius = sqrt(-2 * log(1 - draw(state)));

	return radius * cos(2 * M_PI * draw(state));
}

static void *grow(void *array, size_t n, size_t size)
{
	/* Doubled whenever it is full. */
	if (n & (n - 1))
		return array;
	array = reallocarray(array, n ? 2 * n : 1, size);
	if (!array)
		abort();
	return array;
}

static void add_beat(struct trace *trace, uint64_t sent, uint64_t arrived)
{
	while (trace->n_beats &&
	       trace->beats[trace->n_beats - 1].arrived >= arrived)
		trace->n_beats--;
	trace->beats = grow(trace->beats, trace->n_beats,
			    sizeof(*trace->beats));
	trace->beats[trace->n_beats++] = (struct beat){ sent, arrived };
}

static void add_stall(struct trace *trace, uint64_t from, uint64_t to)
{
	trace->stalls = grow(trace->stalls, trace->n_stalls,
			     sizeof(*trace->stalls));
	trace->stalls[trace->n_stalls++] = (struct stall){ from, to };
}

enum { LAN, JITTER, LOSS, BURSTS, STARVED, WAN, DRIFT };

static const char *const names[TRACES] = {
	[LAN] = "steady LAN",
	[JITTER] = "jitter 0-50 ms",
	[LOSS] = "5 % loss",
	[BURSTS] = "bursts",
	[STARVED] = "starved host",
	[WAN] = "WAN",
	[DRIFT] = "slow drift",
};

/* Time on the way in us, or below 0 where it is lost. */
static double delay(unsigned int which, uint64_t sent, uint64_t *state)
{
	const double wire = 200 + exponential(state, 50);

	switch (which) {
	case JITTER:
		return wire + draw(state) * 50 * MS;
	case LOSS:
		return draw(state) < 0.05 ? -1 : wire;
	case WAN:
		if (draw(state) < 0.005)
			return -1;
		return 80 * MS + 10 * MS * exp(0.8 * normal(state));
	case DRIFT:
		/* Queues fill and empty in the course of two hours. */
		return wire + exponential(state, 1 + 15 * MS *
			(1 - cos(2 * M_PI * sent / (2.0 * HOUR))));
	default:
		return draw(state) < 1e-5 ? -1 : wire;
	}
}

/* An overloaded sender beats more slowly, too. */
static uint64_t interval(unsigned int which, uint64_t sent, uint64_t *state)
{
	double us = INTERVAL + exponential(state, 100);

	if (which == DRIFT)
		us *= 1.25 - 0.25 * cos(2 * M_PI * sent / (2.0 * HOUR));
	return us;
}

void trace_make(struct trace *trace, unsigned int which, uint64_t hours,
		uint64_t seed)
{
	uint64_t state = seed + which, sent, held = 0, free = 0, from;
	double on_the_way;

	memset(trace, 0, sizeof(*trace));
	trace->name = names[which];
	trace->length = hours * HOUR;
	for (sent = 0; sent < trace->length;
	     sent += interval(which, sent, &state)) {
		/* Once a minute a queue stands still, and then empties. */
		if (which == BURSTS && sent >= free) {
			held = sent + exponential(&state, 250 * MS);
			free = held + exponential(&state, 60000 * MS);
		}
		on_the_way = delay(which, sent, &state);
		if (on_the_way < 0)
			continue;
		if (sent < held)
			on_the_way += held - sent;
		add_beat(trace, sent, sent + on_the_way);
	}
	if (which != STARVED)
		return;
	for (from = exponential(&state, 30000 * MS); from < trace->length;
	     from += exponential(&state, 30000 * MS)) {
		sent = from + exponential(&state, 400 * MS);
		add_stall(trace, from, sent);
		from = sent + 2 * INTERVAL;
	}
}

int trace_read(struct trace *trace, const char *path)
{
	uint64_t sent, arrived, first = 0;
	char line[128];
	FILE *file = fopen(path, "r");

	memset(trace, 0, sizeof(*trace));
	trace->name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	if (!file) {
		perror(path);
		return -1;
	}
	while (fgets(line, sizeof(line), file)) {
		if (line[0] == '#')
			continue;
		if (sscanf(line, "%" SCNu64 " %" SCNu64, &sent, &arrived) != 2 ||
		    arrived < sent || sent < first) {
			fprintf(stderr, "%s: not a trace: %s", path, line);
			fclose(file);
			return -1;
		}
		if (!trace->n_beats)
			first = sent;
		add_beat(trace, sent - first, arrived - first);
		trace->length = arrived - first;
	}
	fclose(file);
	return trace->n_beats ? 0 : -1;
}

void trace_free(struct trace *trace)
{
	free(trace->beats);
	free(trace->stalls);
}
