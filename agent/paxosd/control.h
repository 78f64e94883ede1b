/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSD_CONTROL_H
#define _PAXOSD_CONTROL_H

/*
 * What paxosctl asks of the agent: over a unix socket of sequenced packets
 * whose name is abstract, and so lives and ends with the agent in its network
 * namespace, as the group does. A client sends one struct control_request and
 * gets one packet. All of it may be seen by anybody; to have a snapshot taken is
 * for root, and the user that the agent runs as.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "detector.h"
#include "held.h"

#define CONTROL_VERSION		2
#define CONTROL_PACKET_MAX	65536
#define CONTROL_GAPS		128

enum {
	CONTROL_DETECTOR = 1,
	CONTROL_SNAPSHOT,
	CONTROL_SNAPSHOT_TAKE,	/* now; the answer is the same */
};

struct control_request {
	uint32_t version;
	uint32_t what;
};

/**
 * struct control_peer - a peer as the detector sees it
 * @heard: it ever was
 * @silence: us since then; of a peer never heard, since the agent began
 * @timeout: us of silence that are suspected, local health included
 * @n: gaps in the window
 * @gaps: us, the last ones of them, CONTROL_GAPS at most, the oldest first
 * @agent_late, @applied, @epoch: as it last said: struct heartbeat's
 *
 * The rest is as in struct detector_peer.
 */
struct control_peer {
	uint8_t id;
	uint8_t suspected;
	uint8_t heard;
	uint32_t timeout;
	uint32_t n;
	uint64_t silence;
	uint64_t arrivals;
	uint64_t mistakes;
	uint64_t failures;
	uint64_t late;
	double phi;
	double threshold;
	double mean;
	double deviation;
	uint64_t applied;
	uint32_t epoch;
	uint32_t agent_late;
	uint32_t gaps[CONTROL_GAPS];
};

/**
 * struct control_detector - the answer to CONTROL_DETECTOR, as long as @n peers
 * @kernel_silence: us without its kernel, beside its agent, that a host is lost
 *	after
 * @penalty: for lost campaigns, short leads and stalls while it led
 *
 * The rest is as in struct detector.
 */
struct control_detector {
	uint32_t version;
	uint32_t n;
	uint32_t health;
	uint32_t late;
	uint32_t kernel_silence;
	uint32_t penalty;
	struct detector_settings settings;
	struct control_peer peers[PAXOS_NL_MEMBERS_MAX];
};
_Static_assert(sizeof(struct control_detector) <= CONTROL_PACKET_MAX, "packet");

/**
 * struct control_snapshot - the answer to CONTROL_SNAPSHOT
 * @asked: times that one was asked for; to TAKE: this time included
 * @done: of these, how many have an answer
 * @refused: TAKE is not for this user
 * @kept: SnapshotsKept
 * @slot: of the newest, 0: there is none
 * @directory: that it is in
 * @error: why there is none for the last time one was asked for, or ""
 */
struct control_snapshot {
	uint32_t version;
	uint32_t asked;
	uint32_t done;
	uint8_t refused;
	uint8_t kept;
	uint64_t slot;
	char directory[4096];
	char error[512];
};

/*
 * What question.c is asked, on a socket of its own, by root or the user that the
 * agent runs as: who holds what of a key. A packet for each member comes back.
 */
struct control_question {
	uint32_t version;
	uint32_t length;
	uint8_t key[PAXOS_KV_KEY_MAX];
};

/**
 * struct control_held - what one member's store has of the key
 * @of: members, each of which has such an answer
 * @voter: it is one
 * @error: why there is none, or ""
 */
struct control_held {
	uint32_t version;
	uint8_t of;
	uint8_t member;
	uint8_t voter;
	uint8_t zero;
	char error[256];
	struct held held;
};

/* The socket's address; returns its length. */
static inline socklen_t control_address(struct sockaddr_un *address,
					uint32_t group, const char *what)
{
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	/* Abstract: the name begins with a 0. */
	return offsetof(struct sockaddr_un, sun_path) + 1 +
	       snprintf(address->sun_path + 1, sizeof(address->sun_path) - 1,
			"paxosd/%u%s", group, what);
}

#define CONTROL_AGENT	""
#define CONTROL_KEYS	"/keys"

/*
 * Ask the agent of @group. 0, or -1 with a sentence in @error. Waits for some
 * seconds at most. Not for the heart thread of that very agent.
 */
int control_ask(uint32_t group, struct control_detector *answer, char *error,
		size_t size);

/* The same of the snapshots; @take: and one shall be taken. */
int control_ask_snapshot(uint32_t group, bool take,
			 struct control_snapshot *answer, char *error,
			 size_t size);

/* Of all members, one by one; the rest is as above. */
int control_ask_key(uint32_t group, const void *key, size_t length,
		    void (*take)(void *context, const struct control_held *held),
		    void *context, char *error, size_t size);

struct agent;

/* The peer is root, or who this process runs as. */
bool control_trusts(int client);

/*
 * The agent's side, the heart thread's. One client at a time, and none for
 * more than a second; whatever it does, nobody waits for it.
 */
struct control {
	int listener;
	int client;
	uint64_t since;
};

/* 0, or -1 and errno. control_close() may follow in each case. */
int control_open(struct control *control, uint32_t group);
void control_close(struct control *control);
/* What to poll for POLLIN; -1 for nothing. */
int control_wait(struct control *control, uint64_t now);
/* It is readable. */
void control_serve(struct agent *agent, uint64_t now);

#endif
