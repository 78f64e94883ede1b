/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSD_ELECTION_H
#define _PAXOSD_ELECTION_H

/*
 * When this member should campaign, and when it should not lead any more.
 *
 * A state machine without sockets, clocks and random numbers: all of these are
 * brought by the caller. It decides nothing that agreement depends on. Phase 1
 * in the kernels is safe whoever runs it; this keeps needless ones away and
 * starts the needed one soon.
 *
 * A member that hears no leader which can commit asks all voters whether they
 * hear one (a vote before the vote: Ongaro 2014, 9.6). When as many as a
 * Prepare quorum do not, no leader can reach an Accept quorum, and it campaigns.
 * Who is asked lets one member at a time pass.
 *
 * Times are nanoseconds that only grow. A set of members has bit id - 1.
 */

#include <stdbool.h>
#include <stdint.h>
#include <linux/paxos.h>


/* What a heartbeat is beside a sign of life. */
enum election_kind {
	ELECTION_BEAT,		/* nothing */
	ELECTION_ASK,		/* may I campaign? */
	ELECTION_GRANT,		/* I hear no leader: go on */
	ELECTION_REFUSE,	/* I hear one, or let another pass */
	ELECTION_KINDS,
};

enum election_flag {
	ELECTION_LEADS = 1,	/* leads, and can commit */
	ELECTION_STUCK = 2,	/* leads, and cannot commit */
	ELECTION_RESIGNED = 4,	/* led last, and does not any more */
	ELECTION_ABLE = 8,	/* would lead if asked to */
};

/**
 * struct election_word - what agents tell each other, in every heartbeat
 * @kind: enum election_kind
 * @leader: that the sender hears, and that can commit; 0: none
 * @flags: of enum election_flag
 * @priority: higher is preferred; 0: does not stand by itself
 * @round: Ask: a number of the asker's; Grant, Refuse: of the Ask
 * @ballot: of the leader that the sender's kernel follows, or its own
 * @hears: the agents that it hears, a set
 * @commit: as in the heartbeat
 * @writing: ms that the sender's disk has been busy with one write
 */
struct election_word {
	uint8_t kind;
	uint8_t leader;
	uint8_t flags;
	uint8_t priority;
	uint64_t round;
	uint64_t ballot;
	uint64_t hears;
	uint64_t commit;
	uint32_t writing;
};

/**
 * struct election_settings - what is configured
 * @self: this member
 * @priority: its own
 * @enabled: Election = yes; else it only answers
 * @sync: Durability = sync: who leads needs its agent
 * @interval: of the heartbeats
 * @silence: so long it only listens at the start, and after a sleep as long
 * @timeout_max: TimeoutMax
 */
struct election_settings {
	uint8_t self;
	uint8_t priority;
	bool enabled;
	bool sync;
	uint64_t interval;
	uint64_t silence;
	uint64_t timeout_max;
};

/**
 * struct election_kernel - what the kernel says of this member
 * @state: enum paxos_nl_state
 * @phase: enum paxos_nl_phase
 * @wait: enum paxos_nl_wait
 * @leader: that it follows, 0: none
 * @q1: promises that make a leader
 * @stalled: ms that the oldest record has waited for the disk
 * @ballot: of @leader, or its own
 * @promised: the highest that it promised
 * @commit: all up to here is chosen, and known here
 * @first: the lowest slot held
 * @voters: set
 */
struct election_kernel {
	uint8_t state;
	uint8_t phase;
	uint8_t wait;
	uint8_t leader;
	uint8_t q1;
	uint32_t stalled;
	uint64_t ballot;
	uint64_t promised;
	uint64_t commit;
	uint64_t first;
	uint64_t voters;
};

/**
 * struct election_peer - another member's agent
 * @word: its last
 * @heard: when that came, 0: never
 * @round: of its last Ask
 * @asked: when that came, 0: none, or it was granted
 * @due: it has no answer yet
 */
struct election_peer {
	struct election_word word;
	uint64_t heard;
	uint64_t round;
	uint64_t asked;
	bool due;
};

/**
 * struct election_out - what the caller is to do, in this order
 * @resign: RESIGN in the kernel
 * @transfer: TRANSFER in the kernel, to this member; 0: none
 * @campaign: CAMPAIGN in the kernel
 * @ask, @grant, @refuse: send these words now, to these sets
 * @tell: send a plain heartbeat to all others now: @leader has changed
 * @left: with election_leave(): this member does not lead, or cannot hand over
 * @wake: call election_step() by then
 */
struct election_out {
	bool resign;
	uint8_t transfer;
	bool campaign;
	uint64_t ask;
	uint64_t grant;
	uint64_t refuse;
	bool tell;
	bool left;
	uint64_t wake;
};

/**
 * struct election - all of its state
 * @silent_agents: members whose agent is suspected
 * @silent_hosts: members of which neither agent nor kernel is heard
 * @stepped: when election_step() last ran
 * @blind_until: this agent slept, and does not know yet who lives
 * @leader: that was heard and could commit, at the last step
 * @lost: since when there is none, 0: there is one
 * @stand: when to ask
 * @round: of the Ask that is under way, or the last
 * @asked: when it began, 0: none is under way
 * @asked_again: when it was sent last
 * @grants, @refusals: its answers, sets
 * @campaigned: when CAMPAIGN was called, 0: that is over
 * @failures: rounds and campaigns in a row that came to nothing
 * @penalty: for lost campaigns and short leads; lowers the priority
 * @penalty_at: when it last rose or fell
 * @held_for: who may pass, 0: nobody in particular
 * @held_until: when that ends
 * @promised: the kernel's, at the last step
 * @promised_at: when that rose
 * @led: since when this member leads, 0: it does not
 * @no_quorum: since when it leads without a quorum, 0: it has one
 * @outreached: since when there is who serves more as a leader, 0: nobody does
 * @transferred: when TRANSFER was called, 0: none is under way
 * @transfer_next: not before
 * @leaving: the agent ends
 * @leaving_at: since when
 * @handed_over: TRANSFER was called for that
 */
struct election {
	struct election_settings settings;
	struct election_kernel kernel;
	struct election_peer peers[PAXOS_NL_MEMBERS_MAX + 1];
	uint64_t silent_agents;
	uint64_t silent_hosts;
	uint64_t stepped;
	uint64_t blind_until;
	uint8_t leader;
	uint64_t lost;
	uint64_t stand;
	uint64_t round;
	uint64_t asked;
	uint64_t asked_again;
	uint64_t grants;
	uint64_t refusals;
	uint64_t campaigned;
	unsigned int failures;
	unsigned int penalty;
	uint64_t penalty_at;
	uint8_t held_for;
	uint64_t held_until;
	uint64_t promised;
	uint64_t promised_at;
	uint64_t led;
	uint64_t no_quorum;
	uint64_t outreached;
	uint64_t transferred;
	uint64_t transfer_next;
	bool leaving;
	uint64_t leaving_at;
	bool handed_over;
};

/* @round: any number that grows from life to life of this agent. */
void election_init(struct election *election,
		   const struct election_settings *settings, uint64_t round,
		   uint64_t now);

/* Inputs; call election_step() after them. */
void election_configure(struct election *election,
			const struct election_settings *settings);
void election_kernel(struct election *election,
		     const struct election_kernel *kernel);
void election_suspect(struct election *election, uint64_t agents,
		      uint64_t hosts);
void election_hear(struct election *election, uint8_t from,
		   const struct election_word *word, uint64_t now);
/* The agent is told to end: hand the lead over, and stand no more. */
void election_leave(struct election *election, uint64_t now);

/* What is to be done at @now. @random: 64 fresh bits. */
void election_step(struct election *election, uint64_t now, uint64_t random,
		   struct election_out *out);

/* The word of @kind for member @to; @commit and @writing are the caller's. */
void election_word(const struct election *election, uint8_t to, uint8_t kind,
		   struct election_word *word);

#endif
