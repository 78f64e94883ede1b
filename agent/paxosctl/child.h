/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSCTL_CHILD_H
#define _PAXOSCTL_CHILD_H

/* A command that runs for as long as this process lets it. */

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct child - a command in a process group of its own
 * @group: the process that leads it, and kills it when this one is gone
 * @signals: that child_pause() takes
 * @guard: what @group hears that by
 * @terminal: of the session; -1: none
 * @wants: it stopped, since the terminal is not the group's
 * @lent: it is now
 */
struct child {
	pid_t pid;
	pid_t group;
	sigset_t signals;
	int guard;
	int terminal;
	bool wants;
	bool lent;
};

/*
 * A child that runs @words in a process group of its own, and is killed when
 * this process ends. Returns as fork().
 */
pid_t run_words(char **words);

/*
 * child_block - from now on signals of a terminal are child_pause()'s
 *
 * None of them stops this process, whatever other threads do meanwhile.
 */
void child_block(struct child *child);
/* After child_block(). Returns 0, or -1 with errno. */
int child_start(struct child *child, char **words);
/*
 * child_ended - whether it has: then *status is as of waitpid()
 *
 * If not, it has the terminal where it wanted it and this process could give it;
 * and Ctrl-Z does not stop it.
 */
bool child_ended(struct child *child, int *status);
/*
 * child_pause - for so long, or until there may be news
 *
 * What should end this process goes to the group.
 */
void child_pause(const struct child *child, uint64_t ms);
/* The whole group. */
void child_kill(const struct child *child);
/* It has ended: what of its group is left is left alone. */
void child_release(struct child *child);

#endif
