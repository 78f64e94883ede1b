// SPDX-License-Identifier: GPL-2.0
/*
 * Is a recorded history linearizable, key by key? (They compose: Herlihy and
 * Wing 1990.)
 *
 * usage: linearizable [-l CONFIGURATIONS] [FILE]
 *
 * Status 0: it is; 1: it is not, and the operation is named that fits nowhere; 2:
 * it cannot be read; 3: undecided after so many configurations of a key (10
 * million).
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "search.h"

#define LIMIT 10000000

static const char *const objects[] = {
	[REGISTER] = "register", [LOCK] = "lock", [QUEUE] = "queue",
};

/* Returns the status for one key. */
static int check(const struct track *track, uint64_t limit)
{
	const struct found found = search(track, limit);
	const struct operation *stuck = &track->operations[found.stuck];

	switch (found.verdict) {
	case LINEARIZABLE:
		return 0;
	case NOT_LINEARIZABLE:
		printf("%s '%s' is not linearizable: line %" PRIu32
		       " (%s of process %" PRId64
		       ") fits nowhere; no order has more than %" PRIu32
		       " of %" PRIu32 " operations\n",
		       objects[track->object], track->key, stuck->line,
		       kind_name(stuck->kind), stuck->process, found.reached,
		       track->n);
		return 1;
	default:
		printf("%s '%s' is undecided after %" PRIu64
		       " configurations\n", objects[track->object], track->key,
		       found.configurations);
		return 3;
	}
}

int main(int argc, char **argv)
{
	uint64_t limit = LIMIT;
	struct history history;
	char error[256];
	FILE *in = stdin;
	int option, status = 0, one;
	uint32_t i;

	while ((option = getopt(argc, argv, "l:")) != -1) {
		if (option != 'l')
			return 2;
		limit = strtoull(optarg, NULL, 10);
	}
	if (argc > optind + 1) {
		fprintf(stderr, "usage: linearizable [-l CONFIGURATIONS] [FILE]\n");
		return 2;
	}
	if (argc > optind)
		in = fopen(argv[optind], "r");
	if (!in || history_read(&history, in, error, sizeof(error))) {
		if (in)
			fprintf(stderr, "linearizable: %s\n", error);
		else
			perror(argv[optind]);
		return 2;
	}
	/* An empty one shows nothing. */
	if (!history.operations) {
		fprintf(stderr, "linearizable: there are no operations\n");
		return 2;
	}
	for (i = 0; i < history.n; i++) {
		one = check(&history.tracks[i], limit);
		if (one && status != 1)
			status = one;
	}
	if (!status)
		printf("linearizable: %" PRIu32 " operations on %" PRIu32
		       " keys\n", history.operations, history.n);
	history_free(&history);
	if (in != stdin)
		fclose(in);
	return status;
}
