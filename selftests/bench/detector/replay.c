// SPDX-License-Identifier: GPL-2.0
/*
 * Arrivals of heartbeats through a fixed time-out, phi-accrual with a fixed
 * threshold, and paxosd's adaptive detector (the real detector.c), and how good
 * each is: Chen, Toueg, Aguilera, "On the quality of service of failure
 * detectors", 2002. README.md of the room says what is counted.
 *
 * usage: replay [--hours N] [--seed N] DIRECTORY [TRACE...]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "detector.h"
#include "trace.h"

#define PEER		2
#define TIMEOUT_MIN	(2 * INTERVAL)
#define TIMEOUT_MAX	(20 * INTERVAL)
#define CRASHES		2000
#define SETTINGS_MAX	24

enum kind { FIXED, PHI, ADAPTIVE };
static const char *const kinds[] = { "fixed", "phi", "adaptive" };

struct setting {
	enum kind kind;
	uint32_t number;	/* ms of a fixed time-out, or phi */
};

/* The first of each kind is the usual one, and in the table. */
static const struct setting settings[] = {
	{ FIXED, 500 }, { FIXED, 220 }, { FIXED, 260 }, { FIXED, 300 },
	{ FIXED, 350 }, { FIXED, 400 }, { FIXED, 600 }, { FIXED, 800 },
	{ FIXED, 1000 }, { FIXED, 1400 }, { FIXED, 1900 },
	{ PHI, 8 }, { PHI, 4 }, { PHI, 12 }, { PHI, 16 }, { PHI, 24 },
	{ PHI, 32 }, { PHI, 48 }, { PHI, 64 }, { PHI, 128 },
	{ ADAPTIVE, 8 },
};
#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

struct quality {
	double p50, p99;	/* ms of detection */
	double mistakes;	/* an hour */
	double duration;	/* ms of a mistake, mean */
	double accuracy;	/* probability that a query is answered rightly */
};

/* One detector and what it has made of the trace so far. */
struct subject {
	const struct setting *setting;
	struct detector detector;
	uint64_t heard;
	bool suspected;
	uint64_t since;
	uint64_t mistakes;
	uint64_t mistaken;	/* us in all */
};

static void begin(struct subject *subject, const struct setting *setting)
{
	const struct detector_settings with = {
		.interval = INTERVAL,
		.timeout_min = TIMEOUT_MIN,
		.timeout_max = TIMEOUT_MAX,
		.threshold = setting->kind == FIXED ? DETECTOR_THRESHOLD :
						      setting->number,
		.adaptive = setting->kind == ADAPTIVE,
	};

	memset(subject, 0, sizeof(*subject));
	subject->setting = setting;
	detector_init(&subject->detector, &with, 0);
}

static uint64_t deadline(const struct subject *subject)
{
	if (subject->setting->kind == FIXED)
		return subject->heard + subject->setting->number * MS;
	return detector_deadline(&subject->detector, PEER);
}

/* Only the adaptive one knows of local health. */
static void awake(struct subject *subject, uint64_t due, uint64_t now)
{
	if (subject->setting->kind == ADAPTIVE)
		detector_awake(&subject->detector, due, now);
}

/* It is run at @now, and was not since @before. */
static void look(struct subject *subject, uint64_t before, uint64_t now)
{
	const uint64_t when = deadline(subject);

	if (subject->suspected || when > now)
		return;
	subject->suspected = true;
	subject->since = when > before ? when : before;
}

static void hear(struct subject *subject, uint64_t now)
{
	if (subject->suspected) {
		subject->mistakes++;
		subject->mistaken += now - subject->since;
		subject->suspected = false;
	}
	subject->heard = now;
	if (subject->setting->kind != FIXED)
		detector_heard(&subject->detector, PEER, 1, now);
}

/* Where a subject stands in a trace. */
struct place {
	uint64_t now;
	uint64_t tick;
	size_t stall;
};

/* Run it until @until, or, where nothing stops it, until it suspects. */
static void run(struct subject *subject, const struct trace *trace,
		struct place *place, uint64_t until)
{
	while (!(until == UINT64_MAX && subject->suspected)) {
		const struct stall *stall = place->stall < trace->n_stalls ?
					    &trace->stalls[place->stall] : NULL;
		uint64_t due = place->tick;

		if (stall && stall->from <= due) {
			/* The tick in the stall comes late. */
			if (stall->to > until)
				break;
			look(subject, place->now, stall->from);
			if (due < stall->to)
				awake(subject, due, stall->to);
			look(subject, stall->to, stall->to);
			place->now = stall->to;
			place->stall++;
			while (place->tick <= stall->to)
				place->tick += INTERVAL;
			continue;
		}
		if (due > until)
			break;
		look(subject, place->now, due);
		awake(subject, due, due);
		place->now = due;
		place->tick += INTERVAL;
	}
	if (until != UINT64_MAX && until > place->now) {
		look(subject, place->now, until);
		place->now = until;
	}
}

/* The peer's host died at @crash; nothing more comes. */
static double detection_ms(const struct subject *subject,
			   const struct trace *trace, struct place place,
			   uint64_t crash)
{
	static struct subject copy;

	copy = *subject;
	run(&copy, trace, &place, UINT64_MAX);
	return copy.since > crash ? (copy.since - crash) / 1000.0 : 0;
}

static int by_number(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* When it is read: in a stall, at its end. */
static uint64_t read_at(const struct trace *trace, size_t *stall,
			uint64_t arrived)
{
	while (*stall < trace->n_stalls && trace->stalls[*stall].to < arrived)
		(*stall)++;
	if (*stall < trace->n_stalls && trace->stalls[*stall].from <= arrived)
		return trace->stalls[*stall].to;
	return arrived;
}

static struct quality replay(const struct setting *setting,
			     const struct trace *trace, uint64_t seed)
{
	static struct subject subject;
	static double times[CRASHES];
	struct place place = { .tick = INTERVAL };
	const uint64_t step = trace->length / (CRASHES + CRASHES / 20);
	uint64_t crash = trace->length / 20;
	struct quality quality;
	size_t i, stall = 0, n = 0;

	begin(&subject, setting);
	for (i = 0; i < trace->n_beats; i++) {
		const uint64_t now = read_at(trace, &stall,
					     trace->beats[i].arrived);

		run(&subject, trace, &place, now);
		hear(&subject, now);
		/* Crashes after this one was sent and before the next is. */
		while (n < CRASHES && i + 1 < trace->n_beats &&
		       crash < trace->beats[i + 1].sent) {
			if (crash >= trace->beats[i].sent)
				times[n++] = detection_ms(&subject, trace,
							  place, crash);
			crash += step / 2 + draw(&seed) * step;
		}
	}
	qsort(times, n, sizeof(times[0]), by_number);
	quality.p50 = times[n / 2];
	quality.p99 = times[n * 99 / 100];
	quality.mistakes = subject.mistakes * (double)HOUR / trace->length;
	quality.duration = subject.mistakes ? subject.mistaken / 1000.0 /
					      subject.mistakes : 0;
	quality.accuracy = 1 - (double)subject.mistaken / trace->length;
	return quality;
}

/* Lower in both, or in one and no higher in the other. */
static bool is_better(const struct quality *a, const struct quality *b)
{
	return a->p99 <= b->p99 && a->mistakes <= b->mistakes &&
	       (a->p99 < 0.99 * b->p99 || a->mistakes < 0.99 * b->mistakes);
}

static void print_row(const struct trace *trace, const struct setting *setting,
		      const struct quality *quality)
{
	char name[32];

	snprintf(name, sizeof(name), "%s %u%s", kinds[setting->kind],
		 setting->number, setting->kind == FIXED ? " ms" : "");
	printf("%-16s %-13s %8.0f %8.0f %11.2f %12.1f %12.7f\n", trace->name,
	       setting->kind == ADAPTIVE ? "adaptive" : name, quality->p50,
	       quality->p99, quality->mistakes, quality->duration,
	       quality->accuracy);
}

/* What gnuplot reads: the name, then a block a kind. */
static void write_plot(const char *directory, unsigned int number,
		       const char *name, const struct quality *qualities)
{
	char path[4096];
	FILE *file;
	size_t i;

	snprintf(path, sizeof(path), "%s/%u.dat", directory, number);
	file = fopen(path, "w");
	if (!file) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	fprintf(file, "# %s\n", name);
	for (i = 0; i < SETTINGS; i++) {
		if (i && settings[i].kind != settings[i - 1].kind)
			fputs("\n\n", file);
		fprintf(file, "%u %.3f %.4f\n", settings[i].number,
			qualities[i].p99, qualities[i].mistakes);
	}
	if (fclose(file)) {
		perror(path);
		exit(EXIT_FAILURE);
	}
}

static void compare(const char *name, const struct quality *qualities)
{
	const struct quality *adaptive = &qualities[SETTINGS - 1];
	size_t i;

	printf("%-16s better on both axes than:", name);
	for (i = 0; i < SETTINGS - 1; i++)
		if (is_better(adaptive, &qualities[i]))
			printf(" %s-%u", kinds[settings[i].kind],
			       settings[i].number);
	printf("; worse on both than:");
	for (i = 0; i < SETTINGS - 1; i++)
		if (is_better(&qualities[i], adaptive))
			printf(" %s-%u", kinds[settings[i].kind],
			       settings[i].number);
	putchar('\n');
}

int main(int argc, char **argv)
{
	static struct quality qualities[32][SETTINGS], sum[SETTINGS];
	static struct quality run[SETTINGS];
	static char names[32][32];
	uint64_t hours = 6, seed = 1;
	const char *directory;
	unsigned int t, traces;
	size_t i;

	for (; argc > 2 && argv[1][0] == '-'; argc -= 2, argv += 2) {
		if (!strcmp(argv[1], "--hours"))
			hours = strtoull(argv[2], NULL, 10);
		else if (!strcmp(argv[1], "--seed"))
			seed = strtoull(argv[2], NULL, 10);
		else
			break;
	}
	if (argc < 2 || argv[1][0] == '-' || !hours || argc - 2 + TRACES > 32) {
		fprintf(stderr, "usage: replay [--hours N] [--seed N] DIRECTORY [TRACE...]\n");
		return EXIT_FAILURE;
	}
	directory = argv[1];
	traces = TRACES + argc - 2;

	printf("heartbeat every 100 ms, %" PRIu64 " hours a synthetic trace, seed %" PRIu64 "\n\n",
	       hours, seed);
	printf("%-16s %-13s %17s %11s %12s %12s\n", "", "", "detection (ms)",
	       "mistakes", "mistake (ms)", "accuracy");
	printf("%-16s %-13s %8s %8s %11s %12s %12s\n", "trace", "detector",
	       "p50", "p99", "an hour", "mean", "probability");
	for (t = 0; t < traces; t++) {
		struct trace trace;

		if (t < TRACES)
			trace_make(&trace, t, hours, seed);
		else if (trace_read(&trace, argv[t - TRACES + 2]))
			return EXIT_FAILURE;
		snprintf(names[t], sizeof(names[t]), "%s", trace.name);
		for (i = 0; i < SETTINGS; i++) {
			struct quality *quality = &qualities[t][i];

			*quality = replay(&settings[i], &trace, seed);
			sum[i].p99 += quality->p99 / traces;
			sum[i].mistakes += quality->mistakes / traces;
			if (!trace.n_stalls) {
				run[i].p99 += quality->p99 / (traces - 1);
				run[i].mistakes += quality->mistakes /
						   (traces - 1);
			}
			if (!i || settings[i].kind != settings[i - 1].kind)
				print_row(&trace, &settings[i], quality);
		}
		write_plot(directory, t + 1, trace.name, qualities[t]);
		trace_free(&trace);
	}
	write_plot(directory, 0, "mean of all", sum);
	printf("\nAxes: p99 of detection, mistakes an hour. \"all\": their means; \"well\": without\nthe starved host, for local health is worth most there.\n");
	for (t = 0; t < traces; t++)
		compare(names[t], qualities[t]);
	compare("all", sum);
	compare("well", run);
	return EXIT_SUCCESS;
}
