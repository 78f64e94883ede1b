/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSD_REPLACE_H
#define _PAXOSD_REPLACE_H

/* Between replacement.h and the kernel; the heart thread's. */

#include "agent.h"
#include "replacement.h"

/**
 * struct replace - the heart thread's part in it
 * @enabled: AutoReplace = yes
 * @netlink: a socket of its own, as an answer may take seconds
 * @asked: what the kernel was asked for and has not answered
 * @said: what was last complained of, and @when
 */
struct replace {
	struct agent *agent;
	struct replacement replacement;
	struct netlink netlink;
	bool enabled;
	struct replacement_step asked;
	struct replacement_step said;
	int said_error;
	uint64_t when;
};

/* 0, or -1 and the agent has failed. */
int replace_open(struct replace *replace, struct agent *agent);
void replace_close(struct replace *replace);
/* What to poll for POLLIN, or -1; then replace_answer(). */
int replace_fd(const struct replace *replace);
void replace_answer(struct replace *replace);
/*
 * Do what is to be done. Returns an id that the host which has lost its memory
 * is to be told, or 0.
 */
uint8_t replace_step(struct replace *replace, const struct group_state *state);

#endif
