/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSD_STATE_H
#define _PAXOSD_STATE_H

/* The state directory: whose it is, and that one agent at a time uses it. */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/**
 * struct state - a state directory that this process has locked
 * @directory: file descriptor of it, or -1
 * @lock: file descriptor of the file "lock" in it, or -1
 * @fleeting: it is on a file system in memory
 */
struct state {
	int directory;
	int lock;
	bool fleeting;
};

/*
 * 0, or -1 with a sentence in @error. state_create() makes the directory, with
 * those above it, unless it is there; it refuses one that holds other things.
 * state_close() must follow in each case.
 */
int state_open(struct state *state, const char *path, char *error, size_t size);
int state_create(struct state *state, const char *path, char *error,
		 size_t size);
bool state_joined(const struct state *state);
int state_join(const struct state *state, char *error, size_t size);
void state_close(struct state *state);

#endif
