/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSD_HEARTBEAT_H
#define _PAXOSD_HEARTBEAT_H

/*
 * What agents tell each other, and when it is to be believed. No sockets and
 * no clocks here.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/paxos.h>
#include <linux/types.h>
#include "election.h"

#define HEARTBEAT_VERSION	4
#define HEARTBEAT_TAG_SIZE	8

/* Flags beside those of enum election_flag. */
#define HEARTBEAT_LOST		64	/* the sender has lost its memory */
#define HEARTBEAT_WANTS		128	/* it learns, and would vote */

/**
 * struct heartbeat_wire - the datagram, all of it, little-endian
 * @version: HEARTBEAT_VERSION
 * @from: member that sends
 * @to: member that it is for
 * @life: of the agent, higher in each later life
 * @count: of the heartbeats to this member in this life, from 1
 * @writing: ms that the write to the disk that is under way has taken
 * @late: us that this heartbeat's thread ran later than it wanted
 * @kind: enum election_kind; those but the first come out of turn
 * @leader, @flags, @priority, @ballot, @hears, @round: as in election.h
 * @tag: SipHash-2-4 of all before it under the key of heartbeat_key()
 *
 * The rest is as in struct heartbeat.
 */
struct heartbeat_wire {
	__u8 version;
	__u8 kind;
	__u8 from;
	__u8 to;
	__le32 group;
	__le64 life;
	__le64 count;
	__le64 incarnation;
	__le64 commit;
	__le64 applied;
	__le64 durable;
	__le64 stored;
	__le64 checksum;
	__le64 mark;
	__le32 epoch;
	__le32 writing;
	__le32 late;
	__u8 leader;
	__u8 flags;
	__u8 priority;
	__u8 successor;
	__le64 ballot;
	__le64 hears;
	__le64 round;
	__u8 tag[HEARTBEAT_TAG_SIZE];
};
_Static_assert(sizeof(struct heartbeat_wire) == 128, "on the wire");

/**
 * struct heartbeat - one that was received or is to be sent
 * @incarnation: of the member in its kernel
 * @commit: all slots up to here are chosen and known there
 * @applied: up to here all kernel subsystems there have applied; @commit where
 *	there is none
 * @durable: lsn of the last record on the disk
 * @stored: all slots up to here are chosen and on the disk, says that itself
 * @checksum: of all slots up to @commit, as the kernel has it; 0: not known
 * @mark: of those up to the last multiple of PAXOS_NL_MARK_EVERY
 * @successor: of a host that has lost its memory, and of this life of its
 *	agent, named by @incarnation: the id that it is to have; else 0
 * @word: for the election; its commit and writing are those of the heartbeat
 */
struct heartbeat {
	uint8_t from;
	uint8_t to;
	uint32_t group;
	uint64_t life;
	uint64_t count;
	uint64_t incarnation;
	uint64_t commit;
	uint64_t applied;
	uint64_t durable;
	uint64_t stored;
	uint64_t checksum;
	uint64_t mark;
	uint32_t epoch;
	uint32_t writing;
	uint32_t late;
	uint8_t successor;
	struct election_word word;
};

/* Who may be heard, and what was heard last of each. */
struct heartbeat_filter {
	uint32_t group;
	uint8_t self;
	uint64_t members;	/* set, by 1 << (id - 1) */
	uint8_t key[16];
	struct {
		uint64_t life;
		uint64_t count;
	} last[PAXOS_NL_MEMBERS_MAX + 1];
};

/* Why one is not believed. */
enum heartbeat_drop {
	HEARTBEAT_FINE,
	HEARTBEAT_SIZE,
	HEARTBEAT_TAG,
	HEARTBEAT_VERSIONS,
	HEARTBEAT_GROUP,
	HEARTBEAT_MEMBER,
	HEARTBEAT_REPLAY,
	HEARTBEAT_DROPS,
};

/* In words, for a person. */
const char *heartbeat_drop_name(enum heartbeat_drop drop);

/*
 * The heartbeats' key. The kernels' datagrams are under another one derived
 * from the same, so neither is ever taken for the other.
 */
void heartbeat_key(uint8_t derived[16], const uint8_t key[PAXOS_KEY_SIZE],
		   const uint8_t cluster[PAXOS_CLUSTER_SIZE]);
void heartbeat_encode(struct heartbeat_wire *wire,
		      const struct heartbeat *heartbeat, const uint8_t key[16]);
/* Changes nothing unless it is fine; then this one is the latest. */
enum heartbeat_drop heartbeat_decode(struct heartbeat_filter *filter,
				     struct heartbeat *heartbeat,
				     const void *bytes, size_t size);

#endif
