// SPDX-License-Identifier: GPL-2.0
/*
 * A command and its process group: who started it ends it, or is ended before.
 *
 * The group is in the background of a terminal. What the keyboard sends comes to
 * this process, which passes on what ends the command and drops what would stop
 * it. A command that needs the terminal itself stops, and is lent it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "child.h"
#include "print.h"

static const int passed_on[] = {
	SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2,
};

static const int dropped[] = { SIGCHLD, SIGTSTP, SIGTTIN, SIGTTOU };

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* @group: whose it is to be of; 0: one of its own. */
static pid_t start(char **words, pid_t group)
{
	const pid_t parent = getpid();
	sigset_t none;
	pid_t child;

	/* who ignores it, as it may be inherited, waits for no child */
	signal(SIGCHLD, SIG_DFL);
	child = fork();
	if (child) {
		if (child > 0)
			setpgid(child, group ? group : child);
		return child;
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpgid(0, group);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == parent)
		execvp(words[0], words);
	complain("cannot run '%s': %s", words[0], strerror(errno));
	_exit(127);
}

pid_t run_words(char **words)
{
	return start(words, 0);
}

void child_block(struct child *child)
{
	size_t i;

	sigemptyset(&child->signals);
	for (i = 0; i < COUNT(passed_on); i++)
		sigaddset(&child->signals, passed_on[i]);
	for (i = 0; i < COUNT(dropped); i++)
		sigaddset(&child->signals, dropped[i]);
	sigprocmask(SIG_BLOCK, &child->signals, NULL);
}

/*
 * PR_SET_PDEATHSIG reaches one process; this one leads the group, so that the
 * group's number is no other's, and hears when the other end is gone.
 */
static void guard(int end)
{
	sigset_t all;
	char byte;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	if (!setpgid(0, 0) && !read(end, &byte, 1))
		kill(0, SIGKILL);
	_exit(0);
}

/* It is there before the command is, so that nothing is without it. */
static int start_guard(struct child *child)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return -1;
	child->group = fork();
	if (!child->group) {
		close(ends[1]);
		guard(ends[0]);
	}
	close(ends[0]);
	child->guard = ends[1];
	if (child->group > 0)
		return setpgid(child->group, child->group);
	close(child->guard);
	return -1;
}

int child_start(struct child *child, char **words)
{
	child->wants = false;
	child->lent = false;
	if (start_guard(child))
		return -1;
	child->pid = start(words, child->group);
	if (child->pid < 0) {
		close(child->guard);
		return -1;
	}
	child->terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);
	return 0;
}

static void lend_terminal(struct child *child)
{
	if (tcgetpgrp(child->terminal) != getpgrp() ||
	    tcsetpgrp(child->terminal, child->group))
		return;
	child->wants = false;
	child->lent = true;
	kill(-child->group, SIGCONT);
}

bool child_ended(struct child *child, int *status)
{
	if (waitpid(child->pid, status, WNOHANG | WUNTRACED) == child->pid) {
		if (!WIFSTOPPED(*status))
			return true;
		if (WSTOPSIG(*status) == SIGTSTP)
			kill(-child->group, SIGCONT);
		if (WSTOPSIG(*status) == SIGTTIN ||
		    WSTOPSIG(*status) == SIGTTOU)
			child->wants = true;
	}
	if (child->wants)
		lend_terminal(child);
	return false;
}

void child_pause(const struct child *child, uint64_t ms)
{
	const struct timespec wait = {
		.tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000L,
	};
	int signal = sigtimedwait(&child->signals, NULL, &wait);
	size_t i;

	for (i = 0; i < COUNT(passed_on); i++)
		if (signal == passed_on[i])
			kill(-child->group, signal);
}

void child_kill(const struct child *child)
{
	kill(-child->group, SIGKILL);
	kill(child->pid, SIGKILL);
	waitpid(child->pid, NULL, 0);
}

void child_release(struct child *child)
{
	if (child->lent)
		tcsetpgrp(child->terminal, getpgrp());
	if (child->terminal >= 0)
		close(child->terminal);
	send(child->guard, "", 1, MSG_NOSIGNAL);
	close(child->guard);
}
