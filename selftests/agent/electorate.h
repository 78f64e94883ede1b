/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOS_TEST_ELECTORATE_H
#define _PAXOS_TEST_ELECTORATE_H

/*
 * All members' elections in one program, over a network that loses, delays and
 * cuts. The kernels are played: phase 1, Commit, Reject and the loss of a
 * quorum as kmod/core has them, without values. Time goes in milliseconds.
 */

#include <stdbool.h>
#include <stdint.h>
#include "election.h"

#define HOSTS_MAX 9

struct kernel {
	uint64_t promised;
	uint64_t ballot;
	uint8_t phase;
	uint8_t leader;
	uint64_t leader_heard;
	uint64_t heard[HOSTS_MAX + 1];
	uint64_t promises;
	uint64_t commit;
	uint64_t beat;
	bool quorum;
	uint8_t yields_to;
	uint64_t yields_until;
};

struct host {
	bool dead;		/* all of it */
	bool stopped;		/* the agent, as by SIGSTOP */
	bool mute;		/* the kernel waits for START */
	bool learner;
	bool stalled;		/* its disk */
	bool deaf_kernel;	/* kernels' datagrams do not reach it */
	uint64_t stalled_since;
	unsigned int silence;	/* ms; 0: 7/2 intervals */
	uint64_t beat;		/* when the agent's next heartbeat is due */
	uint64_t wake;
	uint64_t agents[HOSTS_MAX + 1];	/* when heard */
	bool left;
	struct kernel kernel;
	struct election election;
};

/**
 * struct electorate - the world
 * @cut: [from][to]: nothing passes
 * @loss: in 1000
 * @delay, @jitter: ms
 * @fsync: ms
 * @campaigns, @changes, @resigned, @transfers: counted since the last clear
 * @last_leader: who was the last to get a quorum's promises
 */
struct electorate {
	unsigned int n;
	uint64_t now;		/* ms */
	uint64_t random;
	unsigned int interval;	/* ms */
	bool sync;
	bool cut[HOSTS_MAX + 1][HOSTS_MAX + 1];
	unsigned int loss;
	unsigned int delay;
	unsigned int jitter;
	unsigned int fsync;
	struct host hosts[HOSTS_MAX + 1];
	unsigned int campaigns;
	unsigned int changes;
	unsigned int resigned;
	unsigned int transfers;
	uint8_t last_leader;
	struct letter *letters;
};

/* @n voters that agree on nothing yet; host fields may then be changed. */
void electorate_init(struct electorate *electorate, unsigned int n,
		     unsigned int interval, uint64_t seed);
void electorate_free(struct electorate *electorate);
/* Take over @priority, @enabled and the like after they were changed. */
void electorate_set(struct electorate *electorate, uint8_t id,
		    uint8_t priority, bool enabled);
void electorate_run(struct electorate *electorate, unsigned int ms);
/* Until somebody leads with a quorum that follows it; how long, or UINT_MAX. */
unsigned int electorate_await(struct electorate *electorate, unsigned int ms);
/* The leader that a majority follows and that has a quorum, or 0. */
uint8_t electorate_leader(const struct electorate *electorate);
void electorate_clear(struct electorate *electorate);
void electorate_cut(struct electorate *electorate, uint8_t a, uint8_t b);
void electorate_heal(struct electorate *electorate);
void electorate_kill(struct electorate *electorate, uint8_t id);
/* It comes back with its promise and without a leader; its agent is new. */
void electorate_start(struct electorate *electorate, uint8_t id);
/* A person's CAMPAIGN. */
void electorate_campaign(struct electorate *electorate, uint8_t id);
uint64_t electorate_random(struct electorate *electorate, uint64_t below);

#endif
