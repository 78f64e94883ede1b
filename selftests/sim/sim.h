/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SIM_H
#define _SIM_H

/*
 * One run: members over the real core, the network, the disks and the clocks
 * that it believes in, and an observer who sees all of it at once.
 *
 * Times are in microseconds of simulated time unless a name says local.
 * Probabilities are in millionths.
 */
#include <core/core.h>
#include <core/wire.h>
#include <kv/core/store.h>
#include "random.h"

#define SIM_MEMBERS_MAX	12
#define SIM_GROUP	7
#define SIM_KEPT	64
#define SIM_LAST	512		/* events kept for the transcript */
#define SIM_SECOND	1000000ULL
#define SIM_FAR		(3600 * SIM_SECOND)	/* a deadline nobody waits for */

/* What is broken; trace.c has the sentence of each. */
enum law {
	LAW_AGREEMENT = 1,
	LAW_DURABLE,
	LAW_AMNESIA,
	LAW_WHOLE,
	LAW_NOBODY,
	LAW_SAME,
	LAW_OUTCOME,
	LAW_ACCEPTOR,
	LAW_PROPOSER,
	LAW_LEARNER,
	LAW_READ,
	LAW_RECORDS,
	LAW_WINDOW,
	LAW_TIME,
	LAW_MEMORY,
	LAW_LIVENESS,
	LAW_EPOCH,
	LAW_STORE,
	LAWS,
};

/* Probabilities of faults, drawn from the seed; draw.c names them. */
enum knob {
	KNOB_LOSS,		/* each a datagram */
	KNOB_DUPLICATE,
	KNOB_DELAY,
	KNOB_FOREIGN,
	KNOB_CRASH,		/* each a call into a core */
	KNOB_NOMEM,
	KNOB_JITTER,
	KNOB_DISK_SLOW,		/* each a batch */
	KNOB_TORN,		/* each a crash */
	KNOB_PARTITION,		/* each a beat of SIM_BEAT */
	KNOB_CAMPAIGN,
	KNOB_AGENT,
	KNOB_CLOCK,
	KNOB_STOP,
	KNOB_CANCEL,
	KNOB_BURST,
	KNOB_FETCH,
	KNOB_REPLAY,
	KNOB_TRANSFER,
	KNOB_MEMBER,
	KNOB_RESIGN,
	KNOB_YIELD,
	KNOB_MASK,
	KNOBS,
};

#define SIM_BEAT	(10 * 1000ULL)
#define SIM_NOTE_EVERY	8	/* commits that an agent sees, to a checkpoint */
#define SIM_SAVE_EVERY	64	/* slots to a snapshot */

/* A value as the observer knows it: what was proposed, once and for all. */
struct value {
	struct paxos_origin origin;
	u32 len;
	u8 kind;
	u8 *bytes;
	u64 chosen_slot;	/* first slot that it was chosen in, 0: none */
	bool denied;		/* somebody was told that it is not chosen */
};

enum ending {
	RUNNING = 0,
	ENDED,			/* an outcome came */
	CANCELLED,
	LOST,			/* its member died with it */
};

struct proposal {
	struct value value;
	u8 ending;
	u8 outcome;
	u8 member;
	u32 life;
	u64 slot;
	u64 deadline_local;
};

struct read {
	u8 ending;
	u8 outcome;
	u8 member;
	u32 life;
	u64 floor;		/* chosen when it began: the least it may see */
	u64 deadline_local;
};

/* What was proposed in a slot in one ballot, and who voted for it. */
struct vote {
	u64 ballot;
	struct value *value;
	u64 voters;
	u32 epoch;		/* that the ballot belongs to */
};

/* A configuration, and the slot behind which it holds. */
struct epoch {
	u64 slot;
	struct paxos_config config;
};

/* Who leads in a ballot does so in one epoch, and up to a barrier. */
struct reign {
	u64 ballot;
	u32 epoch;
	u64 barrier;		/* slot of the configuration proposed, 0: none */
	u64 highest;		/* slot proposed */
};

struct slot {
	struct value *chosen;
	u64 chosen_ballot;
	struct vote *votes;
	u32 n_votes;
	u32 cap_votes;
	u8 delivery;		/* enum delivery: the same at every member */
	u64 checksum;		/* likewise, of all up to here */
	bool diverged;		/* more than one value was proposed */
	u64 store;		/* what it did to a member's store, 0: none */
};

enum delivery { DELIVERY_UNKNOWN = 0, DELIVERY_BYTES, DELIVERY_NOTHING };

/* A record on a simulated disk. */
struct disk_record {
	u64 lsn;
	u64 slot;
	u64 ballot;
	struct value *value;
	u8 *bytes;		/* of a Trim */
	u32 len;
	u8 type;
	bool vote;		/* not what it was told is chosen */
};

/* What the slots up to one left behind. */
struct checkpoint {
	u64 slot;		/* 0: there is none */
	u64 promised;		/* in the records that it stands for */
	u64 lsn;		/* of the last of these */
	u32 len;
	u8 bytes[PAXOS_CHECKPOINT_MAX];
};

struct disk {
	struct disk_record *records;
	u32 count;		/* written, perhaps not durable */
	u32 durable;		/* of them, what a crash leaves */
	u32 cap;
};

enum agent_state { AGENT_DEAD, AGENT_IDLE, AGENT_WOKEN, AGENT_WRITING };

struct agent {
	u8 state;
	u32 generation;
	u32 batch;		/* records that one pull takes */
};

/* What a Promise told of one slot. */
struct report {
	u64 slot;
	u64 ballot;
	struct value *value;
	u8 from;
};

/* What stands in one slot of a member's disk (or memory, without a disk). */
struct held {
	u64 ballot;
	struct value *value;
	/* the ballot in which it knows it as chosen, in that life of its own */
	u64 known;
	u32 known_life;
	/* what it accepted last, and in which ballot, likewise */
	u32 accepted_life;
	u64 accepted;
	struct value *accepted_value;
};

struct clock {
	u64 since;		/* simulated time at which it showed base */
	u64 base;
	s64 ppm;		/* how much faster it runs */
};

/* A snapshot of a member's store; it is durable. */
struct saved {
	u64 slot;
	u8 *bytes;
	size_t len;
	size_t at;
};

enum member_status {
	MEMBER_DOWN,		/* will come back */
	MEMBER_UP,
	MEMBER_MUTE,		/* came back without its memory (law 3) */
};

struct member {
	struct sim *sim;
	struct paxos_core core;
	struct paxos_entry *entries;
	u8 grown;		/* its log and memory, so often twofold */
	u8 id;
	u8 status;
	u64 asks;		/* not 0: begins in epoch 0, and knows these */
	bool restoring;
	u32 life;
	u64 incarnation;
	struct clock clock;

	struct agent agent;
	struct disk disk;

	/* of the call into the core that is running */
	bool in_call;
	bool doomed;		/* it dies with this call */
	u32 sends_left;		/* before it does */
	u32 sends;
	bool doorbell;
	u32 nomem;		/* allocations before one fails, 0: none will */
	bool failed;		/* one did */

	/* timers */
	u64 tick_at;
	u32 tick_generation;
	bool epoch_new;		/* in this call */
	u32 spins;
	u32 campaigns;		/* in a row, in vain */

	/* what the outside was told, over all its lives */
	u64 said_promised;
	u64 said_prepared;	/* the highest ballot of its own in a Prepare */
	u64 campaign_first;	/* that Prepare asked from here on */
	u32 campaign_epoch;	/* and was of this configuration */
	u64 promises;		/* voters who answered that one to its end */
	u64 covered[SIM_MEMBERS_MAX + 1];	/* next slot to be told of */
	struct report *reports;	/* what they told */
	u32 n_reports;
	u32 cap_reports;

	/* what its disk holds, over all its lives */
	u64 disk_promised;	/* by a promise or a vote */
	u64 disk_restores;	/* what a restart would make of it */
	u64 disk_commit;
	struct held *held;	/* by slot */
	u64 held_cap;
	u64 held_last;

	/* learner */
	u64 delivered;
	struct kv_store store;
	struct kv_view *view;	/* to be saved, of view_slot */
	u64 view_slot;
	struct saved saved;

	/* the beginning of its log */
	struct checkpoint noted;	/* to be cut to */
	struct checkpoint cut;		/* what its disk begins with */
	struct checkpoint begun;	/* by a Trim of the core's */

	/* values */
	u64 values;		/* allocated and not freed */
	u64 bytes;

	struct proposal *running[PAXOS_PENDING_MAX];
	u32 n_running;
	struct read *reading[PAXOS_READS_MAX];
	u32 n_reading;
};

enum event_kind {
	EVENT_ARRIVE,
	EVENT_TICK,
	EVENT_PULL,
	EVENT_WRITTEN,
	EVENT_ATTACH,
	EVENT_RESTART,
	EVENT_CLIENT,
	EVENT_BEAT,
	EVENT_ELECTION,
};

struct packet {
	u8 from;
	u8 to;
	u8 tampered;		/* enum paxos_drop that must be the answer */
	u32 len;
	u8 bytes[];
};

struct event {
	u64 at;
	u64 order;
	struct packet *packet;
	u32 generation;
	u8 kind;
	u8 member;
};

struct schedule {
	struct event *heap;
	u32 count;
	u32 cap;
	u64 order;
};

/* One line of the transcript, kept as numbers until somebody must read it. */
struct line {
	u64 step;
	u64 now;
	const char *what;	/* a literal; its address is never looked at */
	u8 member;
	u8 peer;
	u8 type;
	u8 law;
	u64 a, b, c, d;
};

struct settings {
	u64 seed;
	u64 steps;
	u32 voters;
	u32 learners;
	u32 q1;
	u32 q2;
	u32 durability;
	u32 window;
	u32 log_size;
	u32 payload;
	u32 bytes;
	u32 value_max;
	u32 pace;		/* mean time between two requests of a client */
	u32 patience;		/* longest deadline of an impatient one */
	u32 network;		/* usual delay of a datagram */
	u32 disk;		/* usual time of a write and its fsync */
	u32 batch;		/* records in a batch at most */
	u32 clients;		/* proposals of a member under way at most */
	u32 reads;		/* so many requests of a hundred are reads */
	u32 downtime;		/* longest time that a host is down */
	u32 spare;		/* hosts that may join */
	u32 fixed;		/* all values are of the same size */
	u32 knobs[KNOBS];
	u32 elections;		/* members campaign when they see no leader */
	bool trace;
};

struct totals {
	u64 chosen;
	u64 noops;
	u64 elections;		/* ballots in which something was proposed */
	u64 campaigns;
	u64 resigned;
	u64 yields;		/* Yields that were sent */
	u64 crashes;
	u64 agent_deaths;
	u64 torn;
	u64 outcomes[4];
	u64 refused;
	u64 lost;
	u64 cancelled;
	u64 reads[4];
	u64 trimmed;
	u64 behind;
	u64 transferred;
	u64 datagrams;
	u64 drops[PAXOS_CORE_DROPS];
	u64 nomem;
	u64 pages;		/* of Promise that were not the last */
	u64 contested;		/* slots proposed in more than one ballot */
	u64 diverged;		/* and with more than one value */
	u64 foreign;
	u64 replayed;
	u64 changes;		/* of the configuration that took effect */
	u64 unchanged;		/* that were refused */
	u64 joined;
	u64 partitions;
	u64 masks;
	u64 records;
	u64 kv_applied;
	u64 kv_saved;
	u64 kv_loaded;
	u64 cuts;
	u64 cut_records;
	u64 shipped;
	u64 stuck;		/* runs in which too few can vote: no transfer */
	u64 events;
	u64 simulated;
};

struct sim {
	struct settings settings;
	struct paxos_settings core_settings;
	struct epoch *epochs;	/* the first, then as chosen */
	u32 n_epochs;
	struct reign *reigns;
	u32 n_reigns;
	u32 cap_reigns;
	struct random random;
	u64 now;
	u64 step;
	bool healing;
	bool quiet;		/* nobody asks for anything any more */

	struct schedule schedule;
	struct member *members[SIM_MEMBERS_MAX + 1];
	u32 n;

	/* network */
	bool cut[SIM_MEMBERS_MAX + 1][SIM_MEMBERS_MAX + 1];
	/* types of messages, as bits, that a link loses, and that it keeps long */
	u32 lost[SIM_MEMBERS_MAX + 1][SIM_MEMBERS_MAX + 1];
	u32 late[SIM_MEMBERS_MAX + 1][SIM_MEMBERS_MAX + 1];
	u64 heal_at;
	struct packet *kept[SIM_KEPT];	/* to come again, long after */

	/* observer */
	struct slot *slots;
	u64 slots_cap;
	u64 chosen_prefix;	/* all up to here are chosen */
	u64 chosen_max;
	struct value noop;
	struct value **values;	/* hash table by origin */
	u64 n_values;
	u64 values_cap;
	struct proposal **proposals;
	u64 n_proposals;
	u64 proposals_cap;
	struct read **reads;
	u64 n_reads;
	u64 reads_cap;

	/* transcript */
	struct line lines[SIM_LAST];
	u64 n_lines;
	u64 hash;

	struct totals totals;
};

static inline u64 member_bit(const struct member *member)
{
	return paxos_member_bit(member->id);
}

static inline bool sim_sync(const struct sim *sim)
{
	return sim->settings.durability == PAXOS_SYNC;
}

static inline bool sim_chance(struct sim *sim, enum knob knob)
{
	return !sim->healing &&
	       random_chance(&sim->random, sim->settings.knobs[knob]);
}

/* The configuration that was chosen last. */
static inline const struct paxos_config *sim_config(const struct sim *sim)
{
	return &sim->epochs[sim->n_epochs - 1].config;
}

/* sim.c: the loop */
struct sim *sim_new(const struct settings *settings);
void sim_run(struct sim *sim);
void sim_free(struct sim *sim);
void sim_step(struct sim *sim);

/* draw.c: what a seed means */
void settings_draw(struct settings *settings);
void settings_print(const struct settings *settings);
int settings_set(struct settings *settings, const char *assignment);
extern const char *const knob_names[KNOBS];

/* schedule.c */
void schedule_add(struct sim *sim, u64 at, enum event_kind kind, u8 member,
		  u32 generation, struct packet *packet);
bool schedule_next(struct sim *sim, struct event *event);
void schedule_free(struct schedule *schedule);

/* network.c */
void network_send(struct member *member, const struct paxos_message *message);
void network_arrive(struct sim *sim, struct packet *packet);
void network_partition(struct sim *sim);
void network_mask(struct sim *sim, u8 one);
void network_unmask(struct sim *sim);
void network_replay(struct sim *sim);
void network_heal(struct sim *sim);

/* member.c: calls into the core */
void member_init(struct sim *sim, u8 id, u64 asks);
int member_reconfigure(struct member *member, const void *bytes, u32 len,
		       u64 timeout);
void member_free(struct member *member);
void member_boot(struct member *member);
void member_crash(struct member *member);
void member_stop(struct member *member);
u64 member_local(const struct member *member);
void member_receive(struct member *member, const struct paxos_message *message,
		    u8 expected);
void member_tick(struct member *member);
void member_durable(struct member *member, u64 lsn);
int member_campaign(struct member *member);
void member_resign(struct member *member);
void member_yield(struct member *member, u8 to, u64 timeout);
int member_learn(struct member *member, const struct disk_record *record);
void member_begin(struct member *member, const struct checkpoint *first);
bool member_propose(struct member *member, u8 kind, u32 len, u64 timeout);
bool member_read(struct member *member, u64 timeout);
void member_cancel(struct member *member, struct proposal *proposal);
void member_cancel_read(struct member *member, struct read *read);
bool member_fit(const struct member *member);
void member_clock(struct member *member, u64 base, s64 ppm);
void member_tick_schedule(struct member *member);
extern const struct paxos_ops member_ops;

/* ops.c */
void ops_lose(struct member *member);

/* disk.c: the disk and the agent that writes it */
void agent_attach(struct member *member);
void agent_kill(struct member *member);
void agent_pull(struct member *member);
void agent_written(struct member *member);
void agent_doorbell(struct member *member);
void disk_crash(struct member *member);
int disk_restore(struct member *member);
u64 disk_lsn(const struct member *member);

/* membership.c: configurations, as the observer knows them; their changes */
#define SIM_EPOCHS_MAX	256
void epochs_begin(struct sim *sim, const struct paxos_config *config);
const struct paxos_config *epoch_config(const struct sim *sim, u32 epoch);
const struct epoch *epoch_at(const struct sim *sim, u64 slot);
void epoch_chosen(struct sim *sim, u64 slot, const struct value *value);
void epoch_check(struct member *member);
void reign_began(struct member *member, u64 ballot);
u32 reign_epoch(struct sim *sim, u64 ballot);
void reign_proposed(struct sim *sim, u64 slot, u64 ballot,
		    const struct value *value);
bool epoch_drop(const struct sim *sim, const struct paxos_message *message,
		u32 epoch, u8 drop);
void membership_fault(struct sim *sim);

/* faults.c */
void faults_beat(struct sim *sim);
void faults_client(struct sim *sim);
void faults_reconnect(struct member *member);
void faults_election(struct member *member);

/* transfer.c */
void transfer_beat(struct sim *sim);

/* heal.c */
void heal(struct sim *sim);

/* values.c: what was proposed */
struct proposal *value_propose(struct sim *sim, struct member *member, u32 len,
			       u64 seq);
void value_forget(struct sim *sim, struct proposal *proposal);
struct value *value_of(struct sim *sim, const struct paxos_origin *origin,
		       u8 kind, const void *bytes, u32 len);
bool value_is(const struct value *value, const struct paxos_value *held);

/* observer.c: what is chosen, from what the disks hold */
struct slot *observer_slot(struct sim *sim, u64 slot);
void observer_promised(struct member *member, u64 ballot);
void observer_voted(struct member *member, u64 slot, u64 ballot,
		    struct value *value);
void observer_learnt(struct member *member, u64 slot, u64 ballot,
		     struct value *value);
struct vote *observer_proposed(struct sim *sim, u64 slot, u64 ballot,
			       struct value *value);
void observer_delivered(struct member *member, u64 slot,
			const struct paxos_value *value);
struct held *observer_held(struct member *member, u64 slot);
void observer_restarted(struct member *member);
struct vote *observer_vote(struct sim *sim, u64 slot, u64 ballot);

/* spy.c: what leaves a member */
void spy_counted(struct member *member);
void spy_said(struct member *member, const struct paxos_message *message);

/* settle.c: what must hold when a call into a core returns */
void settle_snapshot(const struct member *member);
void settle_same(struct member *member, u8 drop);
void settle_ticked(struct member *member);
void settle_check(struct member *member);

/* trim.c */
void trim_note(struct member *member);
void trim_cut(struct member *member);
void trim_begun(struct member *member, const struct disk_record *record);
const struct checkpoint *trim_first(const struct member *member);
void trim_behind(struct member *member, u64 slot);
void trim_check(struct member *member, u64 slot);
void trim_ship(struct member *to, const struct member *from);

/* kv.c */
u64 sim_draw(const struct sim *sim, u64 a, u64 b, u64 bound);
void kv_load(struct member *member);
void kv_propose(struct sim *sim, struct proposal *proposal);
void kv_delivered(struct member *member, u64 number,
		  const struct paxos_value *value);
void kv_boot(struct member *member);
void kv_gone(struct member *member);
void kv_replay(struct sim *sim);

/* trace.c */
void trace(struct sim *sim, const char *what, u8 member, u64 a, u64 b, u64 c);
void trace_message(struct sim *sim, const char *what,
		   const struct paxos_message *message, u8 drop);
__attribute__((noreturn, format(printf, 3, 4)))
void broken(struct sim *sim, enum law law, const char *format, ...);
void trace_last(struct sim *sim, u32 count);
extern const char *(*trace_replay)(struct sim *sim);
extern u32 trace_lines;
const char *trace_drop(u8 drop);
#define BALLOT		"%llu.%u"
#define BALLOT_ARGS(b)	(unsigned long long)paxos_ballot_round(b), \
			paxos_ballot_member(b)

#endif
