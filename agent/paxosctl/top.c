// SPDX-License-Identifier: GPL-2.0
/* A group, again and again: members, rates, and how long proposals take. */
#include <curses.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "status.h"
#include "top.h"

#define INTERVAL_MS	1000
#define INTERVAL_MIN_MS	100
#define BAR		40

const struct option_spec top_options[] = {
	OPTION_GROUP,
	{ "interval", 'i', "TIME", "between two looks (1s), 100ms at least" },
	{ "count", 'n', "N", "print so many looks, as text" },
	OPTION_END
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static int look(struct kernel *kernel, uint32_t group,
		struct top_sample *sample)
{
	sample->at = now_ns();
	if (view_get(kernel, group, &sample->view))
		return -1;
	return stats_get(kernel, group, &sample->stats);
}

/* A second's worth of what grew since @before; 0 where it began anew. */
static double rate(const struct top_sample *before,
		   const struct top_sample *now, enum stats_count which)
{
	const uint64_t then = before->stats.counts[which];
	const uint64_t count = now->stats.counts[which];

	if (count <= then || now->at <= before->at)
		return 0;
	return (count - then) * 1e9 / (now->at - before->at);
}

static const struct {
	enum stats_count which;
	const char *words;	/* behind the number of a second */
	const char *key;
} rates[] = {
	{ STATS_CHOSEN, "slots chosen", "slots_chosen" },
	{ STATS_DELIVERED, "values delivered", "values_delivered" },
	{ STATS_PROPOSALS, "proposals here", "proposals" },
	{ STATS_RECORDS, "records", "records" },
	{ STATS_MESSAGES_IN, "messages in", "messages_in" },
	{ STATS_MESSAGES_OUT, "out", "messages_out" },
	{ STATS_BYTES_IN, "bytes in", "bytes_in" },
	{ STATS_BYTES_OUT, "out", "bytes_out" },
	{ STATS_DROPS, "dropped", "dropped" },
};
#define RATES (sizeof(rates) / sizeof(rates[0]))

static void print_rates(const struct top_sample *before,
			const struct top_sample *now)
{
	unsigned int i;

	for (i = 0; i < RATES; i++)
		print("%s%.0f %s", !i ? "  a second: " : i == 4 ?
		      ",\n            " : ", ",
		      rate(before, now, rates[i].which), rates[i].words);
	print("\n");
}

/* How many proposals since @first were in bucket @i. */
static uint64_t bucket(const struct top_sample *first,
		       const struct top_sample *now, unsigned int i)
{
	const uint64_t then = first->stats.latencies[i];
	const uint64_t count = now->stats.latencies[i];

	return count > then ? count - then : 0;
}

static void print_latencies(const struct top_sample *first,
			    const struct top_sample *now)
{
	char bound[DURATION_SIZE];
	unsigned int i, low = PAXOS_NL_LATENCIES, high = 0;
	uint64_t most = 0, count;

	for (i = 0; i < PAXOS_NL_LATENCIES; i++) {
		count = bucket(first, now, i);
		if (!count)
			continue;
		if (low > i)
			low = i;
		high = i;
		if (most < count)
			most = count;
	}
	if (!most) {
		print("  no proposal of this host was chosen meanwhile\n");
		return;
	}
	print("  proposals of this host, by how long they took:\n");
	for (i = low; i <= high; i++) {
		const bool last = i == PAXOS_NL_LATENCIES - 1;

		count = bucket(first, now, i);
		print_duration(bound, 1000ULL << (last ? i - 1 : i));
		print("  %s %9s %9" PRIu64 " %.*s\n", last ? "over " : "under",
		      bound, count, (int)((count * BAR + most - 1) / most),
		      "########################################");
	}
}

static void print_look_json(const struct top_sample *first,
			    const struct top_sample *before,
			    const struct top_sample *now)
{
	unsigned int i;

	json_object(NULL);
	json_number("group", now->view.id);
	json_number("interval_ms", (now->at - before->at) / 1000000);
	json_object("per_second");
	for (i = 0; i < RATES; i++)
		json_decimal(rates[i].key, rate(before, now, rates[i].which));
	json_end();
	/* Entry i: less than 2^i us. */
	json_array("latencies");
	for (i = 0; i < PAXOS_NL_LATENCIES; i++)
		json_number(NULL, bucket(first, now, i));
	json_end();
	json_array("groups");
	status_print_json(&now->view);
	json_end();
	json_end();
}

void top_print(const struct top_sample *first, const struct top_sample *before,
	       const struct top_sample *now)
{
	if (print_json) {
		print_look_json(first, before, now);
		return;
	}
	status_print(&now->view);
	print_rates(before, now);
	print_latencies(first, now);
}

/* The same text, as much as there is room for. Returns -1: out of memory. */
static int draw(const struct top_sample *first, const struct top_sample *before,
		const struct top_sample *now)
{
	FILE *to = print_to;
	char *text = NULL, *line, *next;
	size_t size;
	int row = 0;

	print_to = open_memstream(&text, &size);
	if (print_to) {
		top_print(first, before, now);
		fclose(print_to);
	}
	print_to = to;
	if (!text)
		return -1;
	erase();
	for (line = text; *line && row < LINES - 1; line = next) {
		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = '\0';
		if (!row)
			attron(A_BOLD);
		else if (!strncmp(line, "  waits: ", 9))
			attron(A_REVERSE);
		mvaddnstr(row++, 0, line, COLS);
		attrset(A_NORMAL);
	}
	mvaddnstr(LINES - 1, 0, "q quits", COLS);
	refresh();
	free(text);
	return 0;
}

struct top {
	const struct arguments *arguments;
	struct kernel *kernel;
	uint32_t group;
	uint32_t interval;
	uint64_t count;
	struct top_sample first, before, now;
};

/* As text: @count looks, the first of them after an interval. */
static int print_looks(struct top *top)
{
	const struct timespec interval = {
		.tv_sec = top->interval / 1000,
		.tv_nsec = top->interval % 1000 * 1000000L,
	};

	while (top->count--) {
		nanosleep(&interval, NULL);
		top->before = top->now;
		if (look(top->kernel, top->group, &top->now))
			return -1;
		top_print(&top->first, &top->before, &top->now);
		if (print_flush())
			return 0;
		if (top->count && !print_json)
			print("\n");
	}
	return 0;
}

/* On the whole terminal, until q. */
static int show_looks(struct top *top)
{
	uint64_t due = now_ns(), now;
	int result = 0, key;

	for (;;) {
		now = now_ns();
		if (now >= due) {
			top->before = top->now;
			result = look(top->kernel, top->group, &top->now);
			due = now + top->interval * 1000000ULL;
		}
		if (result || draw(&top->first, &top->before, &top->now))
			break;
		now = now_ns();
		timeout(due > now ? (int)((due - now) / 1000000) + 1 : 0);
		key = getch();
		if (key == 'q' || key == 'Q' || key == 3)
			break;
	}
	return result;
}

static int on_terminal(struct top *top)
{
	SCREEN *screen = newterm(NULL, stdout, stdin);
	int result;

	if (!screen)
		return wrong(top->arguments,
			     "this terminal is not known (TERM=%s): set TERM, or print text with -n",
			     getenv("TERM") ? getenv("TERM") : "");
	raw();
	noecho();
	curs_set(0);
	result = show_looks(top);
	endwin();
	delscreen(screen);
	return result;
}

int run_top(const struct arguments *arguments)
{
	const char *interval = argument(arguments, "interval");
	static struct top top;
	bool terminal;
	int result;

	top.arguments = arguments;
	top.interval = INTERVAL_MS;
	if (interval && (!parse_time(interval, &top.interval) ||
			 top.interval < INTERVAL_MIN_MS))
		return wrong(arguments,
			     "--interval takes a time of 100ms at least, such as 2s, not '%s'",
			     interval);
	if (argument_number(arguments, "count", 1, UINT32_MAX, &top.count))
		return EXIT_ERROR;
	terminal = !top.count && !print_json && isatty(STDIN_FILENO) &&
		   isatty(STDOUT_FILENO);
	if (!top.count)
		top.count = 1;
	top.kernel = view_connect(arguments);
	if (!top.kernel)
		return EXIT_ERROR;
	if (view_choose(arguments, top.kernel, &top.group)) {
		kernel_close(top.kernel);
		return EXIT_ERROR;
	}
	result = look(top.kernel, top.group, &top.first);
	top.now = top.first;
	if (!result)
		result = terminal ? on_terminal(&top) : print_looks(&top);
	if (result < 0)
		result = view_complain(arguments, top.kernel, top.group);
	else if (!result && view_no_quorum(&top.now.view))
		result = EXIT_NO_QUORUM;
	kernel_close(top.kernel);
	return result;
}
