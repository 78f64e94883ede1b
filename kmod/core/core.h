/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOS_CORE_H
#define _PAXOS_CORE_H

/*
 * The protocol as a state machine: messages, ticks and proposals in; messages,
 * records to persist and values to deliver out, through struct paxos_ops.
 *
 * The caller serialises all calls on one core (the module: the group's
 * spinlock) and passes the time in. Nothing here sleeps, looks at a clock or
 * draws a random number. Ops run inside the call, so they must not call back
 * into the core; what wants to (a completion that proposes again) is queued by
 * the caller and run when the call has returned.
 */

#include <linux/types.h>
#include "ballot.h"
#include "config.h"
#include "log.h"
#include "message.h"
#include "quorum.h"
#include "value.h"

#define PAXOS_SLOT_MAX		(~0ULL >> 2)	/* that a log may begin behind */
#define PAXOS_PENDING_MAX	1024	/* proposals of this member under way */
#define PAXOS_READS_MAX		64	/* quorum reads under way */
#define PAXOS_WINDOW_DEFAULT	1024	/* undecided slots */
#define PAXOS_WINDOW_MAX	4096	/* of any member */
#define PAXOS_LOG_DEFAULT	4096	/* slots held, undecided and chosen */
#define PAXOS_PAYLOAD_DEFAULT	1432	/* bytes a batch fills: fits 1500 MTU */
#define PAXOS_BYTES_DEFAULT	(64U << 20)	/* of values held */
#define PAXOS_CHECKSUMS_RECENT	64	/* the last slots whose checksum is kept */
#define PAXOS_CHECKSUM_EVERY	64	/* and so that of each such slot */
#define PAXOS_CHECKSUM_MARKS	256	/* of which there are so many */
#define PAXOS_PIPELINE		4	/* slots under way to a peer before batching */

/* Times are in microseconds. */
#define PAXOS_HEARTBEAT_US	100000	/* lone Commit of an idle leader */
#define PAXOS_COMMIT_DELAY_US	1000	/* a Commit waits so long for an Accept */
#define PAXOS_COMMIT_FLUSH_US	1000000	/* a commit record waits so long for others */
#define PAXOS_SILENCE_US	1000000	/* unheard so long: not up */
#define PAXOS_RTO_INITIAL_US	200000
#define PAXOS_RTO_MIN_US	10000
#define PAXOS_RTO_MAX_US	2000000
#define PAXOS_NEVER		(~0ULL)

enum paxos_state {
	PAXOS_RESTORING = 0,	/* takes records, mute */
	PAXOS_RUNNING,
	PAXOS_STOPPED,		/* mute for good */
};

enum paxos_role {
	PAXOS_FOLLOWER = 0,
	PAXOS_CANDIDATE,	/* in phase 1 */
	PAXOS_LEADER,
};

enum paxos_durability {
	PAXOS_SYNC = 0,		/* a reply waits for its record */
	PAXOS_MEMORY,		/* no records, replies at once */
};

enum paxos_event {
	PAXOS_EVENT_PROMISED = 1,	/* ballot */
	PAXOS_EVENT_ACCEPTED,		/* slot, ballot */
	PAXOS_EVENT_CHOSEN,		/* slot, ballot: known here, any order */
	PAXOS_EVENT_DURABLE,		/* slot = lsn */
	PAXOS_EVENT_LEADER,		/* ballot: of the leader, 0: none */
	PAXOS_EVENT_QUORUM_LOST,	/* as leader: too few voters heard */
	PAXOS_EVENT_QUORUM_REGAINED,
	PAXOS_EVENT_BEHIND,		/* slot: others trimmed those below */
	PAXOS_EVENT_EPOCH,		/* slot: core->config holds behind it */
};

enum paxos_record_type {
	PAXOS_RECORD_PROMISE = 1,	/* ballot */
	PAXOS_RECORD_ACCEPT,		/* slot, ballot, value */
	PAXOS_RECORD_COMMIT,		/* slot */
	PAXOS_RECORD_CONFIG,		/* slot, value: holds behind slot */
	PAXOS_RECORD_TRIM,		/* slot, ballot, value: a checkpoint */
};

/**
 * struct paxos_record_view - a record on its way to or from the disk
 * @lsn: rises from record to record, with gaps where one was superseded
 * @type: enum paxos_record_type
 * @slot: Accept: of the value; Commit: every slot up to here is chosen; Config:
 *        where it was chosen; Trim: the last one that the log does not hold
 * @ballot: promised, or accepted in
 * @item: Accept, Config: the value; @item.slot and @item.ballot repeat @slot,
 *        @ballot. Trim: its bytes are those of paxos_core_checkpoint()
 *
 * A Config repeats what an Accept and a Commit have said. It is for who keeps
 * the records: before the records of its slot are thrown away, the last Config
 * must be kept behind them. One whose slot no Commit before it covers says
 * nothing yet, and restoring passes over it.
 *
 * A Trim stands for all records of the slots up to its own, and for the promise
 * that it names: who keeps the records puts one before those that are left,
 * with the lsn of the last one that is not. The core makes one where it began
 * behind slot 1 (paxos_core_begin()).
 */
struct paxos_record_view {
	u64 lsn;
	u8 type;
	u64 slot;
	u64 ballot;
	struct paxos_item item;
};

struct paxos_core;

/**
 * struct paxos_ops - what the core asks of its surroundings
 * @value_alloc: memory for a value of @len bytes, uninitialised, or NULL;
 *               called with nothing changed yet, so NULL costs a message
 * @value_free: the last reference is gone
 * @send: encode and send; a failure is a lost datagram. Never to self
 * @records: records appeared that are worth a write now
 * @deliver: @slot is chosen and all below were delivered. @value is NULL for
 *           a no-op, a configuration, and an origin delivered before
 * @proposed: a proposal ended; @slot is 0 unless it was chosen
 * @read_done: a read ended: CHOSEN: all that was chosen before the read began
 *             has been delivered, up to @slot; else NOT_CHOSEN: no quorum
 *             answered in time
 * @event: for tracing and for events to people
 */
struct paxos_ops {
	struct paxos_value *(*value_alloc)(struct paxos_core *core, u32 len);
	void (*value_free)(struct paxos_core *core, struct paxos_value *value);
	void (*send)(struct paxos_core *core,
		     const struct paxos_message *message);
	void (*records)(struct paxos_core *core);
	void (*deliver)(struct paxos_core *core, u64 slot,
			const struct paxos_value *value);
	void (*proposed)(struct paxos_core *core, void *cookie,
			 enum paxos_outcome outcome, u64 slot);
	void (*read_done)(struct paxos_core *core, void *cookie,
			  enum paxos_outcome outcome, u64 slot);
	void (*event)(struct paxos_core *core, enum paxos_event event,
		      u64 slot, u64 ballot);
};

/* Jacobson's estimator (1988), in microseconds; 0: no sample yet. */
struct paxos_rtt {
	u32 smoothed;
	u32 variation;
};

/**
 * struct paxos_peer - what is known of another member
 * @network: round trip of a message that waits for no disk
 * @response: round trip of Accept to Accepted, the disk included
 * @heard: when an authentic message last came, 0: never
 * @commit: as the peer last said
 * @durable: as the peer last said
 * @next: leader: the next slot to send; candidate: the next page to ask for
 * @acked: leader: the highest slot that the peer voted for in this ballot
 * @told: leader: the highest commit that was sent to it
 * @due: leader: slots up to here should be answered by @deadline
 * @deadline: when to send again, PAXOS_NEVER: nothing is under way
 * @retries: in a row without an answer, doubles the time-out
 */
struct paxos_peer {
	struct paxos_rtt network;
	struct paxos_rtt response;
	u64 heard;
	u64 commit;
	u64 durable;
	u64 next;
	u64 acked;
	u64 told;
	u64 due;
	u64 deadline;
	u8 retries;
};

#define PAXOS_SEEN_WORDS	(PAXOS_PENDING_MAX / 64)

/* Which proposals of a member were seen: a window below the highest. */
struct paxos_seen {
	u64 incarnation;
	u64 highest;
	u64 bits[PAXOS_SEEN_WORDS];
};

/* A proposal of this member that has not ended. */
struct paxos_pending {
	struct paxos_value *value;	/* NULL: this place is free */
	void *cookie;
	u64 deadline;
	u64 retry;		/* when to forward again */
	u64 ballot;		/* it stands in this member's log under */
	bool sent;		/* it may be chosen now */
};

struct paxos_read {
	void *cookie;
	u64 id;			/* 0: this place is free */
	u64 answers;		/* set of members */
	u64 slot;		/* highest accepted that was named */
	u64 deadline;
	u64 retry;
	bool answered;		/* a quorum has; waits for delivery of slot */
};

/**
 * struct paxos_settings - what a core is made of
 * @self: id of this member
 * @durability: enum paxos_durability
 * @window: undecided slots that a leader allows, a power of two
 * @log_size: slots held, a power of two, at least twice @window
 * @payload: bytes that a batch or page may fill; a larger value goes alone
 * @bytes: of all values held; over it, chosen ones are trimmed, then new ones
 *         dropped; the last quarter is for the next slot to deliver
 */
struct paxos_settings {
	u8 self;
	u8 durability;
	u32 window;
	u32 log_size;
	u32 payload;
	u32 bytes;
};

struct paxos_core {
	const struct paxos_ops *ops;
	struct paxos_settings settings;
	struct paxos_config config;	/* of all slots behind commit */
	struct paxos_config first;	/* what the core was made with */
	u64 config_slot;		/* that it was chosen in, 0: first */
	struct paxos_origin config_origin;
	u32 config_len;			/* of its bytes; 0: first */
	u8 config_bytes[PAXOS_CONFIG_MAX];	/* they outlive the slot */
	struct paxos_record config_record;
	u64 trim_slot;			/* the log began behind it, 0: at 1 */
	u32 trim_len;
	u8 trim_bytes[PAXOS_CHECKPOINT_MAX];
	struct paxos_record trim_record;
	u8 state;			/* enum paxos_state */
	u64 now;			/* of the call that is running */
	u64 wake;			/* call paxos_core_tick() by then */

	/* acceptor: Lamport 2001, 2.2; promised and accepted are two things */
	u64 promised;
	struct paxos_record promise_record;
	u64 prepare_ballot;		/* a Prepare that waits for its record */
	u64 prepare_first;
	u32 prepare_stamp;
	u8 prepare_from;
	struct paxos_log log;
	u32 accept_stamp;		/* of the Accept last answered late */

	/* persistence */
	struct list_head records;	/* not durable, by lsn */
	u64 lsn;			/* last given out */
	bool urgent;			/* a reply waits for a new record */
	u64 durable;			/* all up to here is on the disk */

	/* learner */
	u64 commit;			/* all up to here is chosen, delivered */
	struct paxos_record commit_record;
	u64 commit_durable;		/* of the durable commit record */
	u64 commit_flush;		/* when to write it if nothing else is */
	u64 commit_known;		/* the leader says; more than commit: fetch */
	u64 fetch_retry;
	u64 behind;			/* 0, or: others trimmed below this slot */
	u8 fetch_from;
	u64 checksum;			/* of all up to commit */
	u64 recent[PAXOS_CHECKSUMS_RECENT];	/* by slot; 0: not known */
	u64 marks[PAXOS_CHECKSUM_MARKS];

	/* proposer */
	u8 role;			/* enum paxos_role */
	u64 seen;			/* highest ballot in any message or record */
	u64 ballot;			/* of the leader followed, or one's own; 0 */
	u8 leader;			/* member that owns ballot once it leads, 0 */
	u64 leader_heard;
	u64 campaign_first;			/* candidate: the first slot asked for */
	u64 promises;			/* candidate: who promised, to the last page */
	u64 prepared;			/* candidate: the highest slot found */
	u64 next_slot;			/* leader */
	u64 barrier;			/* leader: of a configuration, or 0 */
	bool renew;			/* led the former epoch: Prepare again */
	u64 flush;			/* leader: when to tell of a new commit */
	u64 beat;			/* leader: when to say that it leads */
	bool quorum;			/* leader: enough voters are heard */
	u8 yield_to;			/* leader: hands over to this member, 0 */
	u64 yield_deadline;		/* gives that up */
	u64 yield_retry;		/* says so again */
	struct paxos_peer peers[PAXOS_MEMBERS_MAX + 1];

	/* proposals and reads of this member */
	u64 incarnation;
	u64 next_seq;
	u64 oldest_seq;			/* none below is under way */
	u64 pump_seq;			/* all below were handed to the leader */
	u64 pump_ballot;		/* of which leader */
	struct paxos_pending pending[PAXOS_PENDING_MAX];
	u64 next_read;
	u32 n_reads;
	struct paxos_read reads[PAXOS_READS_MAX];

	/* origins: delivered ever, and proposed in this leader's ballot */
	struct paxos_seen delivered[PAXOS_MEMBERS_MAX + 1];
	struct paxos_seen proposed[PAXOS_MEMBERS_MAX + 1];

	/* values */
	u64 value_bytes;
	struct paxos_value noop;

	/* scratch of the call that is running */
	struct paxos_item items[PAXOS_ITEMS_MAX];
	struct paxos_value *values[PAXOS_ITEMS_MAX];
	struct paxos_range ranges[PAXOS_RANGES_MAX];
	u32 n_ranges;
	u64 ranges_ballot;
};

/*
 * Making one. All memory is the caller's: the core (about 90 KiB) and
 * settings->log_size entries; neither need be zeroed. 0 or -EINVAL.
 */
int paxos_core_init(struct paxos_core *core, const struct paxos_ops *ops,
		    const struct paxos_settings *settings,
		    const struct paxos_config *config,
		    struct paxos_entry *entries);
/* Drops every value; pending proposals and reads end. */
void paxos_core_destroy(struct paxos_core *core);

/*
 * Restoring: records in the order of their lsn, then start. A record that
 * cannot be (-EINVAL) means that the log is damaged, one without room (-ENOSPC)
 * that log_size is smaller than it was when they were made: the core must not be
 * started. -ENOMEM: try the same record again.
 * Replays deliver(). start() wants an incarnation above every former one and
 * the last lsn on the disk.
 */
int paxos_core_restore(struct paxos_core *core,
		       const struct paxos_record_view *record);
int paxos_core_start(struct paxos_core *core, u64 incarnation, u64 lsn,
		     u64 now);
void paxos_core_stop(struct paxos_core *core, u64 now);

/* A decoded, authentic message for this group. Why it was dropped, or 0. */
enum paxos_drop paxos_core_receive(struct paxos_core *core,
				   const struct paxos_message *message,
				   u64 now);
/* To be called when core->wake has come; early and often is harmless. */
void paxos_core_tick(struct paxos_core *core, u64 now);

/*
 * Persistence. Walk the records after @after in order until emit() says false;
 * returns the lsn of the last one emitted, or @after. durable(): all up to
 * @lsn is on stable storage: sends what waited for it. -EINVAL: more than was
 * ever recorded.
 */
u64 paxos_core_records(struct paxos_core *core, u64 after,
		       bool (*emit)(void *context,
				    const struct paxos_record_view *record),
		       void *context);
int paxos_core_durable(struct paxos_core *core, u64 lsn, u64 now);

/*
 * @item, of another member's log, is chosen: as if a Chosen had brought it,
 * but at any distance. In the order of the slots: from the one behind commit;
 * what is known already is compared, if it is held. 0, -EUNATCH: not running,
 * -EINVAL: no such value, -ERANGE: not the next slot, -EAGAIN: no room until
 * the disk has caught up, -EEXIST: contradicts what is known to be chosen.
 */
int paxos_core_learn(struct paxos_core *core, const struct paxos_item *item,
		     u64 now);

/*
 * What the slots up to core->commit have left behind, in @buffer, which has
 * PAXOS_CHECKPOINT_MAX bytes; how many it took. Of all members that is the same
 * for the same slot.
 */
u32 paxos_core_checkpoint(const struct paxos_core *core, void *buffer);

/*
 * Which proposals the slots up to @slot, whose checkpoint these bytes are, have
 * delivered, into @delivered, which is zeroed and has a place for each member
 * id. -EINVAL: no such checkpoint. And whether @origin is none of them; then it is.
 */
int paxos_checkpoint_seen(u64 slot, const void *bytes, u32 len,
			  struct paxos_seen *delivered);
bool paxos_origin_first(struct paxos_seen *delivered,
			const struct paxos_origin *origin);

/*
 * Begin behind @slot, whose checkpoint these bytes are, because nobody holds
 * the slots up to it any more. Those will never be delivered here. 0,
 * -EUNATCH: not running, -EINVAL: no such checkpoint, -ENOTEMPTY: some slot was
 * delivered here.
 */
int paxos_core_begin(struct paxos_core *core, u64 slot, const void *bytes,
		     u32 len, u64 now);
/*
 * The same where some were, as a caller wants that has what those between made
 * from elsewhere. -EINVAL also: @slot is known to be chosen here already. -EAGAIN:
 * not before the last one is durable.
 */
int paxos_core_skip(struct paxos_core *core, u64 slot, const void *bytes,
		    u32 len, u64 now);

/*
 * Run phase 1 with a ballot above every one seen. 0, -EUNATCH: not running,
 * -EPERM: not a voter, -EALREADY: leads already, -EOVERFLOW: no rounds left.
 */
int paxos_core_campaign(struct paxos_core *core, u64 now);

/*
 * Lead, or try to, no more. -EUNATCH; -EALREADY: it does neither.
 */
int paxos_core_resign(struct paxos_core *core, u64 now);

/*
 * Hand the lead over to voter @to: propose nothing more until it knows all that
 * is chosen, then have it campaign. If nobody has taken over by @deadline, lead
 * on. -EUNATCH, -ENOLINK: does not lead, -EALREADY: @to is self, -EINVAL: @to
 * is not a voter.
 */
int paxos_core_transfer(struct paxos_core *core, u8 to, u64 deadline, u64 now);

/*
 * Propose. 0: it will end with ops->proposed(), by @deadline at the latest,
 * exactly once. Else nothing was proposed: -EMSGSIZE, -ENOMEM, -EUNATCH: not
 * running, -EAGAIN: too many under way, -ENOLINK: no leader known, leads without
 * a quorum, or is no member.
 */
int paxos_core_propose(struct paxos_core *core, const void *bytes, u32 len,
		       u64 deadline, void *cookie, u64 now);

/*
 * The same of a no-op: it takes a slot as a value does, and is delivered to
 * nobody.
 */
int paxos_core_propose_noop(struct paxos_core *core, u64 deadline,
			    void *cookie, u64 now);

/*
 * Propose the configuration that @bytes encode (wire_config.c); it ends as
 * any proposal. Chosen does not mean in force: that is so where
 * core->config_slot is its slot. -EUNATCH: not running; -ENOLINK: does not
 * lead, or without a quorum; -EINPROGRESS: another change is in flight, or the
 * lead is being handed over; -EINVAL: malformed; -ESTALE, -EKEYREVOKED, -EDOM:
 * paxos_config_follows(); -ENOMEM; -EAGAIN: too many under way, or the window is full.
 */
int paxos_core_reconfigure(struct paxos_core *core, const void *bytes, u32 len,
			   u64 deadline, void *cookie, u64 now);

/* Linearizable read: 0: ends with ops->read_done(). -EUNATCH, -EAGAIN. */
int paxos_core_read(struct paxos_core *core, u64 deadline, void *cookie,
		    u64 now);

/*
 * The proposal or read of @cookie ends now, without ops being called; true
 * if there was one. A proposal that was sent is unknown from then on.
 */
bool paxos_core_cancel(struct paxos_core *core, void *cookie, bool *sent);

/* Voters heard within PAXOS_SILENCE_US, self included. */
u64 paxos_core_up(const struct paxos_core *core, u64 now);

/*
 * The running checksum of all slots up to @slot (checksum.c), which is the same
 * at all members that are not broken. 0: not kept, or not delivered yet.
 */
u64 paxos_core_checksum(const struct paxos_core *core, u64 slot);

static inline bool paxos_core_chosen(const struct paxos_core *core, u64 slot)
{
	const struct paxos_entry *entry = paxos_log_entry(&core->log, slot);

	return slot < core->log.first ||
	       (entry && entry->flags & PAXOS_ENTRY_CHOSEN);
}

#endif
