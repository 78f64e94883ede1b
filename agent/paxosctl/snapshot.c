// SPDX-License-Identifier: GPL-2.0
/*
 * Snapshots of what kernel subsystems hold. The agent takes them; what is in
 * such a file is paxosd's to know, so two of these become `paxosd snapshot`.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "../paxosd/control.h"
#include "print.h"
#include "snapshot.h"
#include "view.h"

#define LOOK_EVERY_MS	50
#define WAIT_DEFAULT_MS	60000

const struct option_spec snapshot_save_options[] = {
	OPTION_GROUP,
	{ "wait", 'w', "TIME", "how long it may take (default: 60s)" },
	OPTION_END
};

const struct option_spec snapshot_restore_options[] = {
	{ "config", 'c', "FILE",
	  "the configuration of the new cluster's member" },
	OPTION_END
};

/* The agent takes one, or says why not. */
static int await(const struct arguments *arguments, uint32_t group,
		 uint32_t wait, struct control_snapshot *answer)
{
	const struct timespec nap = { .tv_nsec = LOOK_EVERY_MS * 1000000 };
	char error[512];
	uint32_t ticket;

	if (control_ask_snapshot(group, true, answer, error, sizeof(error)))
		return wrong(arguments, "%s", error);
	if (answer->refused)
		return wrong(arguments,
			     "this takes root, or the user that paxosd runs as");
	for (ticket = answer->asked; (int32_t)(answer->done - ticket) < 0;) {
		if (wait < LOOK_EVERY_MS)
			return wrong(arguments, "the agent is not done in time");
		wait -= LOOK_EVERY_MS;
		nanosleep(&nap, NULL);
		if (control_ask_snapshot(group, false, answer, error,
					 sizeof(error)))
			return wrong(arguments, "%s", error);
	}
	if (answer->error[0])
		return wrong(arguments, "no snapshot was taken: %s",
			     answer->error);
	return EXIT_FINE;
}

static int copy_bytes(int from, int to)
{
	static char bytes[1 << 16];
	ssize_t n, written;

	while ((n = read(from, bytes, sizeof(bytes))) > 0) {
		written = write(to, bytes, n);
		if (written != n) {
			if (written >= 0)
				errno = ENOSPC;
			return -1;
		}
	}
	return n || fsync(to) ? -1 : 0;
}

/* To @path, as a whole or not at all. */
static int copy(const struct arguments *arguments, const char *source,
		const char *path, uint64_t *size)
{
	char temporary[4200];
	struct stat status;
	int from, to, result;

	if ((size_t)snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >=
	    sizeof(temporary))
		return wrong(arguments, "%s: too long a name", path);
	from = open(source, O_RDONLY | O_CLOEXEC);
	if (from < 0 || fstat(from, &status))
		return wrong(arguments, "%s: %s", source, strerror(errno));
	to = mkostemp(temporary, O_CLOEXEC);
	if (to < 0) {
		close(from);
		return wrong(arguments, "%s: %s", path, strerror(errno));
	}
	*size = status.st_size;
	result = copy_bytes(from, to) || rename(temporary, path);
	if (result) {
		wrong(arguments, "%s: %s", path, strerror(errno));
		unlink(temporary);
	}
	close(to);
	close(from);
	return result ? EXIT_ERROR : EXIT_FINE;
}

static int save(const struct arguments *arguments, uint32_t group,
		uint32_t wait)
{
	static struct control_snapshot answer;
	const char *path = arguments->operands[0];
	char source[sizeof(answer.directory) + 64];
	uint64_t size = 0;

	if (await(arguments, group, wait, &answer))
		return EXIT_ERROR;
	answer.directory[sizeof(answer.directory) - 1] = '\0';
	snprintf(source, sizeof(source), "%s/%020" PRIu64 ".snapshot",
		 answer.directory, answer.slot);
	if (copy(arguments, source, path, &size))
		return EXIT_ERROR;
	if (print_json) {
		json_object(NULL);
		json_number("group", group);
		json_number("slot", answer.slot);
		json_number("size", size);
		json_string("file", path);
		json_end();
	} else {
		print("slot %" PRIu64 ", %" PRIu64 " bytes, in %s\n",
		      answer.slot, size, path);
	}
	return EXIT_FINE;
}

int run_snapshot_save(const struct arguments *arguments)
{
	const char *text = argument(arguments, "wait");
	uint32_t group, wait = WAIT_DEFAULT_MS;
	struct kernel *kernel;
	int result;

	if (text && !parse_time(text, &wait))
		return wrong(arguments, "--wait must be a time such as 60s, not '%s'",
			     text);
	kernel = view_connect(arguments);
	if (!kernel)
		return EXIT_ERROR;
	result = view_choose(arguments, kernel, &group);
	kernel_close(kernel);
	return result ? EXIT_ERROR : save(arguments, group, wait);
}

/* This becomes `paxosd snapshot`. */
static int become(const struct arguments *arguments, const char *verb,
		  const char *config)
{
	const char *words[7] = { "paxosd", "snapshot", verb };
	const char *path = arguments->operands[0];
	char *here = NULL;
	unsigned int n = 3;

	/* A file, whatever its name begins with. */
	if (path[0] == '-' && asprintf(&here, "./%s", path) < 0)
		return wrong(arguments, "out of memory");
	if (print_json)
		words[n++] = "--json";
	if (config)
		words[n++] = config;
	words[n] = here ?: path;
	execvp(words[0], (char *const *)words);
	free(here);
	return wrong(arguments, "cannot run paxosd: %s", strerror(errno));
}

int run_snapshot_show(const struct arguments *arguments)
{
	return become(arguments, "show", NULL);
}

int run_snapshot_restore(const struct arguments *arguments)
{
	const char *config = argument(arguments, "config");

	if (!config)
		return wrong(arguments, "--config is missing: the file that paxosd is to be run with");
	if (config[0] == '-')
		return wrong(arguments, "--config must be a file, not '%s'",
			     config);
	return become(arguments, "restore", config);
}
