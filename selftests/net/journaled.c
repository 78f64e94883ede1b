// SPDX-License-Identifier: GPL-2.0
/*
 * Stand in for systemd-journald: run a command whose standard error is the
 * journal, and print what goes there.
 *
 * usage: journaled COMMAND...
 *
 * The fields of each entry, one a line, then an empty line; "stream: LINE" for
 * what came by standard error itself; "exit STATUS" at the end. SIGTERM and
 * SIGHUP go on to the command. Refuses where there is a journal.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* The place is libsystemd's. */
static const struct sockaddr_un address = {
	.sun_family = AF_UNIX,
	.sun_path = "/run/systemd/journal/socket",
};

static pid_t child;

static void pass_on(int signal)
{
	kill(child, signal);
}

static int fail(const char *what)
{
	fprintf(stderr, "journaled: %s: %s\n", what, strerror(errno));
	return 1;
}

static int open_journal(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	mkdir("/run/systemd", 0755);
	mkdir("/run/systemd/journal", 0755);
	if (fd >= 0 && bind(fd, (const struct sockaddr *)&address,
			    sizeof(address))) {
		close(fd);
		return -1;
	}
	return fd;
}

static void run(char **argv, int stream)
{
	struct stat is;
	char name[64];

	/* Nobody would end it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(stream, STDERR_FILENO) < 0 || fstat(STDERR_FILENO, &is))
		_exit(fail("no stream"));
	snprintf(name, sizeof(name), "%ju:%ju", (uintmax_t)is.st_dev,
		 (uintmax_t)is.st_ino);
	setenv("JOURNAL_STREAM", name, 1);
	execvp(argv[0], argv);
	_exit(fail(argv[0]));
}

/* Values without newlines are text; the agent has no others. */
static void take_entries(int journal)
{
	char text[8192];
	ssize_t n;

	while ((n = recv(journal, text, sizeof(text) - 1, 0)) > 0) {
		text[n] = '\0';
		puts(text);
	}
}

static void take_stream(int stream)
{
	static char line[4096];
	static size_t filled;
	ssize_t n;

	while ((n = read(stream, line + filled, 1)) == 1) {
		if (line[filled] != '\n' && filled < sizeof(line) - 1) {
			filled++;
			continue;
		}
		line[filled] = '\0';
		printf("stream: %s\n", line);
		filled = 0;
	}
}

int main(int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = pass_on };
	int journal, stream[2], status;
	bool ended = false;

	if (argc < 2) {
		fputs("usage: journaled COMMAND...\n", stderr);
		return 1;
	}
	journal = open_journal();
	if (journal < 0)
		return fail(address.sun_path);
	if (pipe2(stream, O_CLOEXEC | O_NONBLOCK)) {
		unlink(address.sun_path);
		return fail("no pipe");
	}
	child = fork();
	if (!child)
		run(argv + 1, stream[1]);
	close(stream[1]);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (child > 0 && !ended) {
		struct pollfd events[] = {
			{ .fd = journal, .events = POLLIN },
			{ .fd = stream[0], .events = POLLIN },
		};

		poll(events, 2, 100);
		/* Before the last look, so that nothing is missed. */
		ended = waitpid(child, &status, WNOHANG) == child;
		take_entries(journal);
		take_stream(stream[0]);
	}
	unlink(address.sun_path);
	if (!ended)
		return fail("no process");
	printf("exit %d\n", WIFEXITED(status) ? WEXITSTATUS(status) :
						128 + WTERMSIG(status));
	return 0;
}
