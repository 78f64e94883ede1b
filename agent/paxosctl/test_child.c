// SPDX-License-Identifier: GPL-2.0
/* Commands that run under a process: its end, its signals, its terminal. */
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "child.h"
#include "test.h"

#define PATIENCE_MS	20000
#define LOOK_MS		20

/* Until it ends: its exit status, 128 and more for a signal; -1: it does not. */
static int run(struct child *child)
{
	int i, status;

	for (i = 0; i < PATIENCE_MS / LOOK_MS; i++) {
		if (child_ended(child, &status)) {
			child_release(child);
			return WIFEXITED(status) ? WEXITSTATUS(status) :
						   128 + WTERMSIG(status);
		}
		child_pause(child, LOOK_MS);
	}
	child_kill(child);
	return -1;
}

static int shell(const char *script)
{
	char *words[] = { "sh", "-c", (char *)script, NULL };
	struct child child;

	child_block(&child);
	return child_start(&child, words) ? -1 : run(&child);
}

static void its_end_is_seen(void **state)
{
	(void)state;
	assert_int_equal(shell("exit 7"), 7);
	signal(SIGCHLD, SIG_IGN);
	assert_int_equal(shell("exit 7"), 7);
}

static void what_ends_this_process_goes_to_the_command(void **state)
{
	static const int signals[] = {
		SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2,
	};
	char *words[] = { "sleep", "600", NULL };
	struct child child;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		child_block(&child);
		assert_int_equal(child_start(&child, words), 0);
		raise(SIGTSTP);		/* and nothing comes of this */
		raise(signals[i]);
		assert_int_equal(run(&child), 128 + signals[i]);
	}
}

/* True: all that held the other end of it have ended. */
static bool ends(int pipe)
{
	struct pollfd poller = { .fd = pipe, .events = POLLIN };
	char byte;

	return poll(&poller, 1, PATIENCE_MS) == 1 && !read(pipe, &byte, 1);
}

static void all_of_it_ends_with_this_process(void **state)
{
	int pipes[2], ready[2];
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		char *words[] = { "sh", "-c", "sleep 600 & sleep 1; echo; wait", NULL };
		struct child child;

		dup2(ready[1], STDOUT_FILENO);
		child_block(&child);
		if (child_start(&child, words))
			_exit(1);
		run(&child);
		_exit(1);
	}
	close(pipes[1]);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_true(ends(pipes[0]));
	close(pipes[0]);
	close(ready[0]);
}

/* What is left of the group when it has ended is nobody's business. */
static void what_it_leaves_behind_is_left_alone(void **state)
{
	int pipes[2];
	char byte;

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	dup2(pipes[1], 9);
	close(pipes[1]);
	assert_int_equal(shell("{ sleep 0.5; echo >&9; } &"), 0);
	close(9);
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	close(pipes[0]);
}

/* What a shell does with a job in the foreground; 99: that stopped. */
static int job(const char *script)
{
	pid_t pid = fork();
	int status;

	/* Both do it, for either may be the first. */
	signal(SIGTTOU, SIG_IGN);
	if (!pid) {
		setpgid(0, 0);
		tcsetpgrp(STDIN_FILENO, getpid());
		signal(SIGTTOU, SIG_DFL);
		_exit(shell(script));
	}
	setpgid(pid, pid);
	tcsetpgrp(STDIN_FILENO, pid);
	waitpid(pid, &status, WUNTRACED);
	if (!WIFSTOPPED(status))
		return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
	kill(-pid, SIGKILL);
	return 99;
}

/* What became of @script, to which @typed was typed when it said something. */
static int at_a_terminal(const char *script, const char *typed)
{
	char shown[4096];
	int terminal, status;
	pid_t pid;

	pid = forkpty(&terminal, NULL, NULL, NULL);
	if (!pid)
		_exit(job(script));
	assert_true(read(terminal, shown, sizeof(shown)) > 0);
	assert_int_equal(write(terminal, typed, strlen(typed)), strlen(typed));
	while (read(terminal, shown, sizeof(shown)) > 0)
		;
	waitpid(pid, &status, 0);
	close(terminal);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void it_has_the_terminal_when_it_wants_it(void **state)
{
	(void)state;
	assert_int_equal(at_a_terminal("echo; read a; test \"$a\" = hello",
				       "hello\n"), 0);
	assert_int_equal(at_a_terminal("stty -echo; echo; read a; test \"$a\" = hello",
				       "hello\n"), 0);
}

static void ctrl_z_stops_nothing(void **state)
{
	(void)state;
	/* before it has the terminal, and while it has it */
	assert_int_equal(at_a_terminal("echo; sleep 1; exit 7", "\x1a"), 7);
	assert_int_equal(at_a_terminal("echo; read a; kill -TSTP 0; exit 7",
				       "a\n"), 7);
}

static void ctrl_c_ends_it(void **state)
{
	(void)state;
	assert_int_equal(at_a_terminal("echo; exec sleep 600", "\x03"), 128 + SIGINT);
}

int test_child(void)
{
	const struct CMUnitTest tests[] = {
		TEST(its_end_is_seen),
		TEST(what_ends_this_process_goes_to_the_command),
		TEST(all_of_it_ends_with_this_process),
		TEST(what_it_leaves_behind_is_left_alone),
		TEST(it_has_the_terminal_when_it_wants_it),
		TEST(ctrl_z_stops_nothing),
		TEST(ctrl_c_ends_it),
	};

	/* Shells have what they run in the background ignore these. */
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	return cmocka_run_group_tests_name("paxosctl: commands", tests, NULL,
					   NULL);
}
