/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SELFTESTS_CORE_HARNESS_H
#define _SELFTESTS_CORE_HARNESS_H

/*
 * Several cores in one process. The test is the network (what a core sends
 * waits in one queue until the test delivers, repeats or drops it), the disk
 * (what was not synced is gone after a crash) and the clock. Every datagram
 * goes through the wire codec. After every step the laws are checked: one
 * value a slot, in order, the same at every member, and no acceptor forgets.
 */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/core.h"
#include "core/wire.h"

#define ANY		0	/* a type or a member in a filter */
#define HOSTS_MAX	9
#define SLOTS_MAX	20000	/* that the harness remembers */
#define CHANGES_MAX	32
#define GROUP		7	/* id in every datagram */

#define MS		1000ULL	/* the core counts microseconds */

struct disk_record {
	struct paxos_record_view view;
	u8 *bytes;
	bool synced;
};

struct disk {
	struct disk_record *records;
	u32 count;
	u32 room;
	u64 written;		/* lsn of the last record pulled */
	u64 durable;		/* and of the last one synced */
	u64 promised;		/* highest ballot synced, of any record */
	u64 *voted;		/* ballot synced for each slot */
};

struct ended {
	void *cookie;
	enum paxos_outcome outcome;
	u64 slot;
	bool read;
};

struct seen_event {
	enum paxos_event event;
	u64 slot;
	u64 ballot;
};

struct cluster;

struct host {
	struct paxos_core core;	/* first: ops get from it to the host */
	struct cluster *cluster;
	struct paxos_entry *entries;
	struct disk disk;
	bool up;		/* the core is initialised */
	bool slow;		/* the test syncs this disk by hand */
	bool wants_write;	/* ops->records() was called */
	bool silent;		/* crashing: callbacks reach nobody */
	bool fresh;		/* begins in epoch 0 */
	u64 incarnation;
	u64 delivered;		/* slots delivered in this life */
	u64 promised;		/* highest seen in this life, never falls */
	u32 values;		/* alive */
	u64 value_bytes;
	u32 pass_allocs;	/* let that many pass, */
	u32 fail_allocs;	/* then refuse so many */
	u32 most_values;	/* memory for so many, 0: any number */
	struct ended *ended;
	u32 n_ended;
	struct seen_event *events;
	u32 n_events;
};

struct datagram {
	struct datagram *next;
	u8 type;
	u8 from;
	u8 to;
	size_t len;
	u8 *bytes;		/* malloc: redzones find overreads */
};

struct chosen {
	bool known;
	bool data;
	u32 len;
	u64 checksum;		/* of all up to here, 0: unknown */
	u8 *bytes;
};

/* A configuration that took effect, and behind which slot. */
struct change {
	u64 slot;
	struct paxos_config config;
};

struct cluster {
	u32 n;			/* hosts 1..n */
	u64 now;
	struct paxos_settings settings;
	struct paxos_config config;
	struct host *hosts[HOSTS_MAX + 1];
	struct datagram *queue;
	struct chosen chosen[SLOTS_MAX + 1];
	u64 sent[PAXOS_TYPES];	/* ever, by type */
	bool wiped;		/* some votes are on no disk: not counted */
	struct change changes[CHANGES_MAX];
	u32 n_changes;
	FILE *trace;		/* NULL, or where steps are told */
};

/* Making and ending. cluster_of() starts every host; others do not. */
struct cluster *cluster_make(u32 n);
struct cluster *cluster_of(u32 n);
u8 cluster_grow(struct cluster *c);
void cluster_free(struct cluster *c);
void cluster_check(struct cluster *c);
struct paxos_core *core_of(struct cluster *c, u8 id);
void host_start(struct cluster *c, u8 id);
void host_boot(struct cluster *c, u8 id);	/* init, not started */
int host_restore(struct cluster *c, u8 id);
int begin(struct cluster *c, u8 id, u64 slot, const void *bytes, u32 len);
int leap(struct cluster *c, u8 id, u64 slot, const void *bytes, u32 len);
void host_crash(struct cluster *c, u8 id);
void host_restart(struct cluster *c, u8 id);
void host_wipe(struct cluster *c, u8 id);

/* Disks. A slow one is the test's, any other is synced in host_settle(). */
u32 disk_write(struct cluster *c, u8 id);
void disk_sync(struct cluster *c, u8 id);
void disk_flush(struct cluster *c, u8 id);
void disk_slow(struct cluster *c, u8 id, bool slow);
const struct disk_record *disk_find(struct cluster *c, u8 id, u8 type,
				    u64 slot, u64 ballot);

void disk_lose(struct cluster *c, u8 id);	/* what was not synced */
u32 disk_trim(struct cluster *c, u8 id);

/* The network. Filters match type, sender, addressee; ANY is all. */
u32 queued(struct cluster *c, u8 type, u8 from, u8 to);
struct datagram *peek(struct cluster *c, u8 type, u8 from, u8 to);
void peek_message(struct cluster *c, u8 type, u8 from, u8 to,
		  struct paxos_message *message);
u32 deliver(struct cluster *c, u8 type, u8 from, u8 to);
bool deliver_one(struct cluster *c, u8 type, u8 from, u8 to);
u32 repeat(struct cluster *c, u8 type, u8 from, u8 to);
u32 drop(struct cluster *c, u8 type, u8 from, u8 to);
struct datagram *take(struct cluster *c, u8 type, u8 from, u8 to);
void put(struct cluster *c, struct datagram *datagram);
enum paxos_drop inject(struct cluster *c, const struct paxos_message *message);
void settle(struct cluster *c);

/* The clock. Ticks every core whose time has come, delivers nothing. */
void advance(struct cluster *c, u64 us);
/* Both, until nothing more than heartbeats happens or @us are over. */
void run(struct cluster *c, u64 us);

/* What people do. */
int campaign(struct cluster *c, u8 id);
void elect(struct cluster *c, u8 id);
int learn(struct cluster *c, u8 id, const struct paxos_item *item);
int propose(struct cluster *c, u8 id, const char *text);
int propose_noop(struct cluster *c, u8 id, const char *text);
int propose_until(struct cluster *c, u8 id, const void *bytes, u32 len,
		  u64 deadline, void *cookie);
extern const char the_change[];
int reconfigure(struct cluster *c, u8 id, u64 voters, u64 learners);
int reconfigure_with(struct cluster *c, u8 id, const struct paxos_config *next,
		     void *cookie);
struct paxos_config config_after(const struct paxos_config *config, u64 voters,
				 u64 learners);
u32 config_bytes(const struct paxos_config *config, void *buffer);
int read_until(struct cluster *c, u8 id, u64 deadline, void *cookie);

/* What came of it. */
const struct ended *ended(struct cluster *c, u8 id, const void *cookie);
u32 times_ended(struct cluster *c, u8 id, const void *cookie);
bool happened(struct cluster *c, u8 id, enum paxos_event event);
bool decided(struct cluster *c, u8 id, u64 slot, const char *text);
bool decided_noop(struct cluster *c, u8 id, u64 slot);
u32 times_decided(struct cluster *c, const char *text);

/* Messages by hand, of the epoch of the cluster. */
struct paxos_message message_make(struct cluster *c, u8 type, u8 from, u8 to,
				  u64 ballot);
struct paxos_item item_make(u64 slot, u64 ballot, u8 member, u64 seq,
			    const char *text);
struct paxos_item item_noop(u64 slot, u64 ballot);
enum paxos_drop say_prepare(struct cluster *c, u8 from, u8 to, u64 ballot,
			    u64 first);
enum paxos_drop say_accept(struct cluster *c, u8 from, u8 to, u64 ballot,
			   u64 slot, const char *text, u64 commit);
enum paxos_drop say_accepted(struct cluster *c, u8 from, u8 to, u64 ballot,
			     u64 first, u32 count);
enum paxos_drop say_promise(struct cluster *c, u8 from, u8 to, u64 ballot,
			    u64 first, const struct paxos_item *items,
			    u32 count);
enum paxos_drop say_chosen(struct cluster *c, u8 from, u8 to, u64 held,
			   const struct paxos_item *items, u32 count);
enum paxos_drop say_commit(struct cluster *c, u8 from, u8 to, u64 ballot,
			   u64 commit);

/* Words for people. */
const char *type_name(u8 type);
const char *drop_name(enum paxos_drop drop);
const char *outcome_name(enum paxos_outcome outcome);
const char *event_name(enum paxos_event event);
const char *ballot_text(u64 ballot);
void config_print(FILE *to, const struct paxos_config *config);
void message_print(FILE *to, const struct paxos_message *message);
void record_print(FILE *to, const struct paxos_record_view *record);

#define B(round, member)	paxos_ballot_make(round, member)

/*
 * A law is broken, or the test asked for nonsense. Defined by the program:
 * unit tests fail, the transcript runner and the fuzzer abort.
 */
void __attribute__((noreturn)) broken(const char *what);
void __attribute__((noreturn, format(printf, 1, 2)))
broken_by(const char *format, ...);

#endif
