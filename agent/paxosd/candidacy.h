/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSD_CANDIDACY_H
#define _PAXOSD_CANDIDACY_H

/*
 * Between election.h and the world: what the kernel says goes in, what is to be
 * done in the kernel is done. The heart thread's.
 */

#include "agent.h"
#include "election.h"
#include "group.h"

/**
 * struct candidacy - the heart thread's part in elections
 * @state: what the kernel said last
 * @looked: when that was
 * @timer: a timerfd: time for candidacy_step()
 * @urgent: a word came that wants a fresh look
 * @told: that the agent may end
 */
struct candidacy {
	struct agent *agent;
	struct election election;
	struct group_state state;
	uint64_t looked;
	int timer;
	bool urgent;
	bool told;
};

/* 0, or -1 and the agent has failed. */
int candidacy_open(struct candidacy *candidacy, struct agent *agent);
void candidacy_close(struct candidacy *candidacy);
/* The agent's configuration is another one. */
void candidacy_configure(struct candidacy *candidacy);
/* What the kernel has just said. */
void candidacy_look(struct candidacy *candidacy,
		    const struct group_state *state);
void candidacy_hear(struct candidacy *candidacy,
		    const struct heartbeat *heartbeat);
/* The election's part of a heartbeat to @heartbeat->to. */
void candidacy_fill(const struct candidacy *candidacy, uint8_t kind,
		    struct heartbeat *heartbeat);
/* Ask the kernel, if there is a reason to. */
void candidacy_refresh(struct candidacy *candidacy);
/*
 * Whoever is silent: the agent only, or the whole host. Does what is to be
 * done in the kernel; the caller sends the words that @out asks for. @next:
 * when somebody more will be silent.
 */
void candidacy_step(struct candidacy *candidacy, uint64_t agents,
		    uint64_t hosts, uint64_t next, struct election_out *out);
/* The agent is told to end: hand over first; then agent->left is readable. */
void candidacy_leave(struct candidacy *candidacy);

#endif
