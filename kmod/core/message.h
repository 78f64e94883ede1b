/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOS_CORE_MESSAGE_H
#define _PAXOS_CORE_MESSAGE_H

#include "value.h"

#define PAXOS_RANGES_MAX	64	/* in one Accepted */
#define PAXOS_ITEMS_MAX		64	/* in one Promise, Accept or Chosen */

enum paxos_type {
	PAXOS_PREPARE = 1,	/* phase 1a: candidate to voters */
	PAXOS_PROMISE,		/* phase 1b, one page of what was accepted */
	PAXOS_REJECT,		/* to a lower ballot: the ballot to beat */
	PAXOS_ACCEPT,		/* phase 2a: leader to voters */
	PAXOS_ACCEPTED,		/* phase 2b; without ranges: "I hear you" */
	PAXOS_COMMIT,		/* leader to all: chosen up to here */
	PAXOS_FETCH,		/* "send me what was chosen" */
	PAXOS_CHOSEN,		/* chosen values, the answer to Fetch */
	PAXOS_FORWARD,		/* a proposal on its way to the leader */
	PAXOS_DONE,		/* its end */
	PAXOS_READ,		/* "what is the highest slot you accepted?" */
	PAXOS_READ_REPLY,
	PAXOS_PROBE,		/* "is your kernel there?": not for the core */
	PAXOS_PROBE_REPLY,
	PAXOS_YIELD,		/* leader to its successor: campaign now */
	PAXOS_TYPES,
};

/* How a proposal or a read ended (law 7: unknown is a result of its own). */
enum paxos_outcome {
	PAXOS_OUTCOME_CHOSEN = 1,	/* chosen in the slot that is named */
	PAXOS_OUTCOME_NOT_CHOSEN,	/* it never left, or the leader refused */
	PAXOS_OUTCOME_UNKNOWN,		/* it left, and no answer came in time */
};

/* Why a message was dropped whole, with no state changed. */
enum paxos_drop {
	PAXOS_DROP_NONE = 0,
	PAXOS_DROP_SHORT,	/* shorter than its type or its counts say */
	PAXOS_DROP_LONG,	/* bytes behind the end */
	PAXOS_DROP_VERSION,
	PAXOS_DROP_TYPE,
	PAXOS_DROP_MALFORMED,	/* a field out of its range */
	PAXOS_DROP_SENDER,	/* not a member, or not one that may say this */
	PAXOS_DROP_ADDRESSEE,	/* meant for another member */
	PAXOS_DROP_EPOCH,
	PAXOS_DROP_MUTE,	/* restoring, or stopped */
	PAXOS_DROP_STALE,	/* of a ballot that is over, or a duplicate */
	PAXOS_DROP_WINDOW,	/* a slot that the log has no room for */
	PAXOS_DROP_NOMEM,	/* no memory for a value */
	PAXOS_DROP_NOT_LEADER,
	PAXOS_DROP_CONFLICT,	/* contradicts what is known to be chosen */
	PAXOS_CORE_DROPS,
};

/**
 * struct paxos_item - one slot in a Promise, Accept, Chosen or Forward
 * @slot: 0 in Forward
 * @ballot: that it was accepted (Promise, Chosen) or is proposed in (Accept)
 * @origin: see struct paxos_origin
 * @len: bytes of the value
 * @kind: enum paxos_kind
 * @bytes: the value; in a decoded message it points into the datagram
 */
struct paxos_item {
	u64 slot;
	u64 ballot;
	struct paxos_origin origin;
	u32 len;
	u8 kind;
	const u8 *bytes;
};

/* Slots @first .. @first + @count - 1, in Accepted. */
struct paxos_range {
	u64 first;
	u32 count;
};

/**
 * struct paxos_message - a message, decoded or about to be encoded
 * @type: enum paxos_type
 * @from: sender
 * @to: addressee
 * @epoch: configuration that the sender is in
 * @stamp: sender's clock in microseconds, truncated; an answer carries that
 *         of the question, so a round trip is measured without ambiguity
 * @ballot: the ballot that the message speaks of
 * @commit: every slot up to here is chosen, the sender knows
 * @count: items or ranges
 * @items: to encode: @count items
 * @ranges: to encode: @count ranges
 * @body: decoded: where the items or ranges start; walk them with
 *        paxos_wire_item() and paxos_wire_range()
 */
struct paxos_message {
	u8 type;
	u8 from;
	u8 to;
	u32 epoch;
	u32 stamp;
	u64 ballot;
	u64 commit;
	union {
		struct {
			u64 first;	/* of the page that is asked for */
		} prepare;
		struct {
			u64 first;	/* of this page, as asked */
			u64 next;	/* of the next page, 0 if this is the last */
			u64 held;	/* slots below are chosen and trimmed */
		} promise;
		struct {
			u64 promised;	/* the ballot to beat */
			u64 held;
		} reject;
		struct {
			u64 durable;	/* sender's last durable lsn, to show */
		} accepted;
		struct {
			u64 first;
			u64 last;
		} fetch;
		struct {
			u64 held;	/* slots below are trimmed here */
		} chosen;
		struct {
			u64 incarnation;
			u64 seq;
			u64 slot;
			u8 outcome;	/* enum paxos_outcome */
		} done;
		struct {
			u64 incarnation;	/* of the reader */
			u64 id;
			u64 slot;	/* Read_reply: the highest accepted */
		} read;
		struct {
			u64 incarnation;	/* of the sender, 0: not started */
		} probe;
	};
	u32 count;
	union {
		const struct paxos_item *items;
		const struct paxos_range *ranges;
		const u8 *body;
	};
};

#endif
