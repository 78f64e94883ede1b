// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "genl.h"
#include "recording.h"

static volatile sig_atomic_t ends;

static void on_signal(int number)
{
	(void)number;
	ends = 1;
}

int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

void sleep_ms(uint32_t ms)
{
	const struct timespec pause = {
		.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * MS,
	};

	nanosleep(&pause, NULL);
}

void recording_begin(struct recording *recording, int argc, char **argv)
{
	const struct sigaction action = {
		.sa_handler = on_signal, .sa_flags = SA_RESTART,
	};
	uint32_t seconds = 10;
	int option;

	*recording = (struct recording){
		.group = 1, .keys = 4, .timeout = 2000, .pause = 40,
	};
	while ((option = getopt(argc, argv, "g:s:k:t:w:rl")) != -1) {
		switch (option) {
		case 'g':
			recording->group = genl_number(optarg, UINT32_MAX);
			break;
		case 's':
			seconds = genl_number(optarg, 86400);
			break;
		case 'k':
			recording->keys = genl_number(optarg, KEYS_MAX);
			break;
		case 't':
			recording->timeout = genl_number(optarg, 60000);
			break;
		case 'w':
			recording->pause = genl_number(optarg, 60000);
			break;
		case 'r':
			recording->reads_only = true;
			break;
		case 'l':
			recording->local = true;
			break;
		default:
			exit(1);
		}
	}
	if (optind + 2 != argc || !recording->keys ||
	    strlen(argv[optind]) >= HISTORY_MAX ||
	    strcspn(argv[optind], " \n") != strlen(argv[optind]))
		genl_fail("usage: [OPTION...] HISTORY PROCESS");
	recording->history = argv[optind];
	recording->process = genl_number(argv[optind + 1], PROCESSES);
	if (!recording->process)
		genl_fail("processes have numbers from 1 on");
	sigaction(SIGTERM, &action, NULL);
	srandom(recording->process);
	recording->end = now_ns() + seconds * 1000 * MS;
}

bool recording_is_over(void)
{
	return ends;
}

bool recording_goes_on(const struct recording *recording)
{
	sleep_ms(random() % (recording->pause + 1));
	return !ends && now_ns() < recording->end;
}

const char *quoted(const char *value)
{
	static char text[256];

	if (!*value)
		return "null";
	snprintf(text, sizeof(text), "\"%s\"", value);
	return text;
}

void record(const struct recording *recording, const char *operation,
	    const char *key, const char *result, const char *rest,
	    ...)
{
	/* Before anything is written: that would not belong to the operation. */
	const int64_t now = now_ns();
	va_list args;

	printf("{\"process\":%u,\"operation\":\"%s\",\"key\":\"%s\"",
	       recording->process, operation, key);
	va_start(args, rest);
	vprintf(rest, args);
	va_end(args);
	printf(",\"call\":%" PRId64 ",\"return\":", recording->call);
	if (strcmp(result, "unknown"))
		printf("%" PRId64, now);
	else
		printf("null");
	printf(",\"result\":\"%s\"}\n", result);
	fflush(stdout);
}
