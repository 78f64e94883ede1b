/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSD_TRANSFER_H
#define _PAXOSD_TRANSFER_H

/*
 * Between transfer.c, transfer_link.c and snapshot_fetch.c: the one thread; and
 * question.c, whose thread has one of its own.
 */

#include <stdbool.h>
#include <stdint.h>
#include "frame.h"
#include "learn.h"

/* Why a transfer ends, beside a stop. */
enum end {
	END_DONE,
	END_STOP,	/* the agent ends */
	END_SOURCE,	/* the other one: try another */
	END_KERNEL,	/* this kernel: look again later */
	END_TRIMMED,	/* its log does not reach back so far */
};

#define TRANSFER_ERROR_SIZE	256

/**
 * struct transfer - the thread's own
 * @failures: of each member since it last brought something
 * @tells: when a transfer from each was last complained about
 * @first: slot that each one's log begins with, as it said when it was asked
 *         for one below; 0: it was not, or long ago
 * @trimmed: when that was said last
 * @stuck: times in a row that nobody was left to ask
 * @told: when that was last complained about
 * @state_from: member that was asked for a snapshot last
 * @state_asked: when that was
 * @values: taken in this transfer
 * @patience: ms to wait for a connection, or for bytes
 * @deadline: when all of it must be over, 0: it need not
 * @error: why it failed goes here, of TRANSFER_ERROR_SIZE bytes; NULL: it is told
 * @buffer: of one frame, either way
 */
struct transfer {
	struct agent *agent;
	struct frame_party party;
	uint8_t key[FRAME_KEY_SIZE];
	unsigned int failures[PAXOS_NL_MEMBERS_MAX + 1];
	uint64_t tells[PAXOS_NL_MEMBERS_MAX + 1];
	uint64_t first[PAXOS_NL_MEMBERS_MAX + 1];
	uint64_t trimmed;
	unsigned int stuck;
	uint64_t told;
	struct learn learn;
	struct frame_way asks;
	struct frame_way answers;
	int fd;
	uint8_t state_from;
	uint64_t state_asked;
	uint64_t values;
	int patience;
	uint64_t deadline;
	char *error;
	uint8_t *buffer;
};

/* transfer_link.c. @ms pass, or the agent ends (true). */
bool transfer_stops(struct transfer *transfer, int ms);
/* It is the other side's fault; told once a minute. Returns END_SOURCE. */
__attribute__((format(printf, 2, 3)))
enum end transfer_fails(struct transfer *transfer, const char *format, ...);
/* Connect to learn.from, and greet it; transfer_hang_up() follows in each case. */
enum end transfer_call(struct transfer *transfer);
enum end transfer_greet(struct transfer *transfer);
void transfer_hang_up(struct transfer *transfer);
/* What is in the buffer goes; what comes is in it. */
enum end transfer_send(struct transfer *transfer, uint8_t type,
		       uint32_t length);
enum end transfer_receive(struct transfer *transfer, struct frame *frame);

/*
 * snapshot_fetch.c. From learn.from, which has been greeted: its newest snapshot
 * at @least or later, into the state directory; @slot: of it, 0: it has none.
 */
enum end snapshot_fetch(struct transfer *transfer, uint64_t least,
			uint64_t *slot);
/* A consumer here lacks what is not here: ask somebody who is heard. */
enum end snapshot_look(struct transfer *transfer,
		       const struct learn_state *state);
/* Snapshots serve a member that nobody's log helps: begin behind one. */
enum end snapshot_leap(struct transfer *transfer,
		       const struct learn_state *state, uint64_t first);

#endif
