/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSD_DETECTOR_H
#define _PAXOSD_DETECTOR_H

/*
 * Who of the others is suspected to have failed. No sockets, clocks or threads
 * here: time comes in as microseconds that only grow. Safety rests on none of
 * it.
 *
 * Per peer a window of the gaps between its heartbeats, taken for normal:
 * phi = -log10(P(a gap is longer than this silence)) (Hayashibara et al. 2004).
 * A peer is suspected once phi reaches its threshold, never before
 * @timeout_min, and always from @timeout_max on. Gaps are not normal, lost
 * heartbeats see to that; hence the threshold is learned, peer by peer:
 *
 * - A silence that was suspected and that ended before @timeout_max, in the
 *   same life of the peer's agent, was a mistake: the threshold rises above
 *   the phi of that silence, by half at least.
 * - In the course of time without mistakes it sinks, by that half in
 *   DETECTOR_RECUR_US. So mistakes recur less often than that in the long run,
 *   whatever the gaps' distribution (Robbins and Monro 1951; the recurrence
 *   time of mistakes is Chen's, Toueg's and Aguilera's QoS target, 2002).
 * - A failure (a longer silence, or another life) that was noticed later than
 *   the longest gap of the window called for brings the threshold half the way
 *   down to there.
 *
 * Local health (Lifeguard, Dadgar et al. 2017): an agent that was itself run
 * late adds an interval to its time-outs, two, three ..., within @timeout_max,
 * and does not count the time in which it could not hear as anybody's silence.
 * It adds where Lifeguard multiplies: how late it runs has nothing to do with
 * how irregularly it hears a peer.
 */

#include <stdbool.h>
#include <stdint.h>
#include <linux/paxos.h>

#define DETECTOR_WINDOW		1024
#define DETECTOR_HEALTH_MAX	8
#define DETECTOR_THRESHOLD	8	/* the default */
#define DETECTOR_THRESHOLD_MIN	1
#define DETECTOR_THRESHOLD_MAX	200000
#define DETECTOR_RECUR_US	3600000000ULL

/**
 * struct detector_settings - what is configured; all times in us
 * @interval: of the heartbeats
 * @timeout_min: a shorter silence is never suspected
 * @timeout_max: a longer one is a failure, whatever the reason
 * @threshold: of phi, to begin with; where not @adaptive, for good
 * @adaptive: learn the threshold
 */
struct detector_settings {
	uint32_t interval;
	uint32_t timeout_min;
	uint32_t timeout_max;
	uint32_t threshold;
	bool adaptive;
};

/**
 * struct detector_peer - what is known of one member
 * @life: of its agent; 0: never heard
 * @heard: when the last heartbeat came
 * @since: from when on silence counts; not @heard where this agent was late
 * @gaps: the last @n gaps in us, a ring that goes on at @next
 * @sum, @squares: of them
 * @mean, @deviation: likewise
 * @threshold: of phi
 * @timeout: the silence in us that reaches the threshold, within the bounds,
 *           local health left out
 * @arrivals: heartbeats heard
 * @mistakes: suspicions that were wrong
 * @failures: silences that were not
 * @late: failures that could have been noticed earlier
 */
struct detector_peer {
	uint64_t life;
	uint64_t heard;
	uint64_t since;
	uint32_t gaps[DETECTOR_WINDOW];
	uint32_t n;
	uint32_t next;
	uint64_t sum;
	unsigned __int128 squares;
	double mean;
	double deviation;
	double threshold;
	uint32_t timeout;
	uint64_t arrivals;
	uint64_t mistakes;
	uint64_t failures;
	uint64_t late;
};

/**
 * struct detector - one for all peers
 * @health: 0 is well; so many intervals are added to time-outs
 * @late: us that this agent was late last
 */
struct detector {
	struct detector_settings settings;
	uint32_t health;
	uint32_t late;
	struct detector_peer peers[PAXOS_NL_MEMBERS_MAX + 1];
};

/* Nobody was heard; who is not until @timeout_max is suspected. */
void detector_init(struct detector *detector,
		   const struct detector_settings *settings, uint64_t now);
/*
 * What is configured changes. What was learned stays; but where @threshold or
 * @adaptive is another, learning begins anew from there.
 */
void detector_configure(struct detector *detector,
			const struct detector_settings *settings);
/* As detector_init(), of one that has become a member only now. */
void detector_admit(struct detector *detector, uint8_t member, uint64_t now);
/*
 * The thread that hears runs, and wanted to at @due or before. To be called
 * whenever it wakes, before it reads what has come meanwhile.
 */
void detector_awake(struct detector *detector, uint64_t due, uint64_t now);
/* A heartbeat of @member, from the @life of its agent. */
void detector_heard(struct detector *detector, uint8_t member, uint64_t life,
		    uint64_t now);

bool detector_suspects(const struct detector *detector, uint8_t member,
		       uint64_t now);
/* When @member will be suspected if it stays silent. */
uint64_t detector_deadline(const struct detector *detector, uint8_t member);
/* The silence in us at which @member is suspected, as things stand. */
uint64_t detector_timeout(const struct detector *detector, uint8_t member);
double detector_phi(const struct detector *detector, uint8_t member,
		    uint64_t now);

#endif
