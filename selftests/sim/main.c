// SPDX-License-Identifier: GPL-2.0
/* The command line: which seeds, how many steps, and what came of them. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include "sim.h"

#define U(x) ((unsigned long long)(x))
#define SECONDS_A_RUN	300	/* of the processor: then it hangs */

static struct {
	u64 first;
	u64 last;
	u64 steps;
	bool verify;
	bool trace;
	bool quiet;
	const char *set[64];
	u32 n_set;
} options = { .first = 1, .last = 1, .steps = 20000 };

/* What a signal handler may say. */
static char about[512];

static const char *replay(struct sim *sim)
{
	int len = snprintf(about, sizeof(about),
			   "selftests/sim/sim --seed %llu --steps %llu",
			   U(sim->settings.seed), U(options.steps));

	for (u32 i = 0; i < options.n_set; i++)
		len += snprintf(about + len, sizeof(about) - len, " --set %s",
				options.set[i]);
	return about;
}

static struct sim *running;

/* A report ends as a crash does, so that it tells which run it is of. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "abort_on_error=1";
}

const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void)
{
	return "abort_on_error=1:print_stacktrace=1";
}

static void died(int number)
{
	char line[700];
	int len;

	signal(number, SIG_DFL);
	alarm(10);	/* if what follows hangs */
	/* not async-signal-safe, but there is nothing left to lose */
	len = snprintf(line, sizeof(line),
		       "broken: the core %s\nseed %llu step %llu\nreplay: %s\n",
		       number == SIGVTALRM ? "hangs" : "crashes",
		       U(running ? running->settings.seed : 0),
		       U(running ? running->step : 0),
		       running ? replay(running) : "?");
	if (write(STDOUT_FILENO, line, len) < 0)
		_exit(1);
	if (running && !running->settings.trace) {
		printf("the last events:\n");
		trace_last(running, trace_lines);
	}
	fflush(stdout);
	if (number == SIGVTALRM)
		_exit(1);
	raise(number);
}

static u64 run(const struct settings *settings, struct totals *totals)
{
	static const struct itimerval hang = {
		.it_value.tv_sec = SECONDS_A_RUN,
	};
	struct sim *sim = sim_new(settings);
	u64 hash;

	running = sim;
	setitimer(ITIMER_VIRTUAL, &hang, NULL);
	sim_run(sim);
	running = NULL;
	hash = sim->hash;
	*totals = sim->totals;
	for (u32 id = 1; id <= sim->n; id++)
		totals->trimmed += sim->members[id]->core.log.first - 1;
	sim_free(sim);
	return hash;
}

static void add(struct totals *sum, const struct totals *totals)
{
	u64 *to = (u64 *)sum;
	const u64 *from = (const u64 *)totals;

	for (size_t i = 0; i < sizeof(*sum) / sizeof(u64); i++)
		to[i] += from[i];
}

static void print_totals(const struct totals *t, double seconds)
{
	const u64 *outcomes = t->outcomes;
	u32 i;

	printf("  events %llu, %.0f a second; simulated %.0f s\n",
	       U(t->events), t->events / (seconds > 0 ? seconds : 1),
	       (double)t->simulated / SIM_SECOND);
	printf("  slots chosen %llu; no-ops %llu, in several ballots %llu, ",
	       U(t->chosen), U(t->noops), U(t->contested));
	printf("of several values %llu; trimmed %llu\n", U(t->diverged),
	       U(t->trimmed));
	printf("  elections %llu of %llu campaigns, %llu Promise pages behind ",
	       U(t->elections), U(t->campaigns), U(t->pages));
	printf("the first\n");
	printf("  crashes survived %llu, torn %llu; agents died %llu; ",
	       U(t->crashes), U(t->torn), U(t->agent_deaths));
	printf("partitions %llu, masks %llu; allocations failed %llu\n",
	       U(t->partitions), U(t->masks), U(t->nomem));
	printf("  proposals: chosen %llu, not chosen %llu, unknown %llu, ",
	       U(outcomes[PAXOS_OUTCOME_CHOSEN]),
	       U(outcomes[PAXOS_OUTCOME_NOT_CHOSEN]),
	       U(outcomes[PAXOS_OUTCOME_UNKNOWN]));
	printf("refused %llu, lost with their member %llu, given up %llu\n",
	       U(t->refused), U(t->lost), U(t->cancelled));
	printf("  reads %llu, timed out %llu; records %llu; datagrams %llu, ",
	       U(t->reads[PAXOS_OUTCOME_CHOSEN]),
	       U(t->reads[PAXOS_OUTCOME_NOT_CHOSEN]), U(t->records),
	       U(t->datagrams));
	printf("foreign %llu, replayed %llu\n", U(t->foreign),
	       U(t->replayed));
	printf("  changes of the members %llu, not %llu; hosts joined %llu\n",
	       U(t->changes), U(t->unchanged), U(t->joined));
	printf("  behind %llu times, values transferred %llu, runs stuck %llu\n",
	       U(t->behind), U(t->transferred), U(t->stuck));
	printf("  resigned %llu times; Yields sent %llu\n", U(t->resigned),
	       U(t->yields));
	printf("  stores: %llu entries applied, %llu snapshots saved, %llu loaded\n",
	       U(t->kv_applied), U(t->kv_saved), U(t->kv_loaded));
	printf("  logs cut %llu times, by %llu records; snapshots shipped %llu\n",
	       U(t->cuts), U(t->cut_records), U(t->shipped));
	printf("  dropped:");
	for (i = 1; i < PAXOS_CORE_DROPS; i++)
		printf(" %s %llu", trace_drop(i), U(t->drops[i]));
	printf("\n");
}

static double clock_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static void usage(int status)
{
	fprintf(status ? stderr : stdout,
		"usage: sim [--seed N | --seeds A..B | --fresh] [--count K] [--steps M]\n"
		"           [--set NAME=NUMBER]... [--verify] [--trace] [--last N] [--quiet]\n"
		"Runs a simulated cluster over the real core, and checks the laws after every\n"
		"step. The same seed and steps are the same run.\n"
		"  --fresh    take a seed that was never run, and print it\n"
		"  --count K  K seeds from there on\n"
		"  --set      instead of what the seed draws: voters, learners, q1, q2, memory,\n"
		"             window, log, payload, bytes, value, pace, patience, network, disk,\n"
		"             batch, clients, reads, fixed, downtime,\n"
		"             elections; probabilities in a million: loss, duplicate,\n"
		"             delay, foreign, crash, nomem, jitter, disk_slow, torn, partition,\n"
		"             campaign, agent, clock, stop, cancel, burst,\n"
		"             fetch, replay, transfer, member, resign, yield; spare: hosts that may join\n"
		"  --verify   run each seed twice and compare (law 6)\n"
		"  --trace    print every event; --last N: so many after a violation\n");
	exit(status);
}

static u64 fresh(void)
{
	u64 seed;

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		exit(2);
	return seed >> 24;
}

static void parse(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "seed", 1, NULL, 's' }, { "seeds", 1, NULL, 'r' },
		{ "fresh", 0, NULL, 'f' }, { "count", 1, NULL, 'c' },
		{ "steps", 1, NULL, 'm' }, { "set", 1, NULL, 'k' },
		{ "verify", 0, NULL, 'v' }, { "trace", 0, NULL, 't' },
		{ "last", 1, NULL, 'l' }, { "quiet", 0, NULL, 'q' },
		{ "help", 0, NULL, 'h' }, { 0 },
	};
	u64 count = 0;
	char *end;
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 's':
			options.first = strtoull(optarg, NULL, 10);
			options.last = options.first;
			break;
		case 'r':
			options.first = strtoull(optarg, &end, 10);
			options.last = options.first;
			if (!strncmp(end, "..", 2))
				options.last = strtoull(end + 2, NULL, 10);
			break;
		case 'f':
			options.first = fresh();
			options.last = options.first;
			break;
		case 'c':
			count = strtoull(optarg, NULL, 10);
			break;
		case 'm':
			options.steps = strtoull(optarg, NULL, 10);
			break;
		case 'k':
			if (options.n_set == 64)
				usage(2);
			options.set[options.n_set++] = optarg;
			break;
		case 'v':
			options.verify = true;
			break;
		case 't':
			options.trace = true;
			break;
		case 'l':
			trace_lines = strtoul(optarg, NULL, 10);
			break;
		case 'q':
			options.quiet = true;
			break;
		default:
			usage(c == 'h' ? 0 : 2);
		}
	}
	if (optind < argc)
		usage(2);
	if (count)
		options.last = options.first + count - 1;
}

int main(int argc, char **argv)
{
	struct totals sum = { 0 };
	u64 traces = 0;
	double start;

	parse(argc, argv);
	trace_replay = replay;
	signal(SIGSEGV, died);
	signal(SIGBUS, died);
	signal(SIGFPE, died);
	signal(SIGABRT, died);
	signal(SIGVTALRM, died);
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	if (options.last > options.first)
		printf("seeds %llu..%llu, %llu steps each\n", U(options.first),
		       U(options.last), U(options.steps));

	start = clock_seconds();
	for (u64 seed = options.first; seed <= options.last; seed++) {
		struct settings settings = { .seed = seed };
		struct totals totals;
		double began = clock_seconds();
		u64 hash;

		settings_draw(&settings);
		settings.steps = options.steps;
		settings.trace = options.trace;
		for (u32 i = 0; i < options.n_set; i++) {
			if (settings_set(&settings, options.set[i])) {
				fprintf(stderr, "sim: --set %s: no such name\n",
					options.set[i]);
				return 2;
			}
		}
		if (!options.quiet && options.first == options.last)
			settings_print(&settings);
		fflush(stdout);
		hash = run(&settings, &totals);
		if (!options.quiet && options.first == options.last) {
			print_totals(&totals, clock_seconds() - began);
			printf("  trace %016llx\n", U(hash));
		}
		if (options.verify && run(&settings, &totals) != hash) {
			printf("broken: law 6, same input, same output\nseed %llu step 0\n",
			       U(seed));
			return 1;
		}
		add(&sum, &totals);
		traces = traces * 31 + hash;
	}
	if (options.last > options.first) {
		printf("seeds %llu..%llu hold\n", U(options.first),
		       U(options.last));
		print_totals(&sum, clock_seconds() - start);
		printf("  trace %016llx\n", U(traces));
	}
	return 0;
}
