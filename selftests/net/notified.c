// SPDX-License-Identifier: GPL-2.0
/*
 * Stand in for systemd: run a command as a service of Type=notify, and print
 * what it says of itself.
 *
 * usage: notified WATCHDOG-US COMMAND...
 *
 * Lines of sd_notify(3), with "exit STATUS" at the end. SIGTERM and SIGHUP go on
 * to the command.
 */

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t child;

static void pass_on(int signal)
{
	kill(child, signal);
}

static int fail(const char *what)
{
	fprintf(stderr, "notified: %s: %s\n", what, strerror(errno));
	return 1;
}

int main(int argc, char **argv)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct sigaction action = { .sa_handler = pass_on };
	char text[4096];
	int fd, status;
	ssize_t n;

	if (argc < 3) {
		fputs("usage: notified WATCHDOG-US COMMAND...\n", stderr);
		return 1;
	}
	/* Abstract: it goes away with this process. */
	snprintf(address.sun_path, sizeof(address.sun_path), "@notified-%d",
		 getpid());
	setenv("NOTIFY_SOCKET", address.sun_path, 1);
	setenv("WATCHDOG_USEC", argv[1], 1);
	n = strlen(address.sun_path);
	address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address,
			   offsetof(struct sockaddr_un, sun_path) + n))
		return fail("no socket");

	child = fork();
	if (child < 0)
		return fail("no process");
	if (!child) {
		/* Nobody would end it. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execvp(argv[2], argv + 2);
		_exit(fail(argv[2]));
	}
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (;;) {
		struct timeval wait = { .tv_usec = 100000 };

		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
		n = recv(fd, text, sizeof(text) - 1, 0);
		if (n > 0) {
			text[n] = '\0';
			puts(text);
		} else if (waitpid(child, &status, WNOHANG) == child) {
			break;
		}
	}
	printf("exit %d\n", WIFEXITED(status) ? WEXITSTATUS(status) :
						128 + WTERMSIG(status));
	return 0;
}
