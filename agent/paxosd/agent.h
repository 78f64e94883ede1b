/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSD_AGENT_H
#define _PAXOSD_AGENT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include "config.h"
#include "control.h"
#include "detector.h"
#include "heartbeat.h"
#include "metrics.h"
#include "netlink.h"
#include "say.h"
#include "snapshot.h"
#include "state.h"
#include "wal.h"
#include "wal_index.h"

/*
 * One agent, up to seven threads:
 *
 *	main	starts all, then waits for a signal or for a thread that failed
 *	disk	PULL, write, fdatasync, PULL; with Durability = sync only
 *	heart	heartbeats to and from the other agents
 *	serve	gives the log to members that are behind; with sync only
 *	question	asks their stores; with sync only
 *	transfer	gets it when this one is; with sync only
 *	snapshot	takes snapshots of what consumers hold, and gives them
 *		back; with sync only
 *	metrics	writes the file of Metrics; where there is one only
 *
 * so that a disk which takes long does not make this member look dead.
 */

/**
 * struct agent - all that the threads share
 * @config: does not change but for what config_take() takes: that is the heart
 *          thread's, once it runs
 * @path: of the file that @config is from
 * @filed: what the file said, where this host has another id by now
 * @fresh: what was read again, main's until it is in @reload
 * @state: main's
 * @wal: main's, while the disk thread runs that one's
 * @index: of @wal, with a lock of its own
 * @attached: the socket that holds the group, the disk thread's like @wal
 * @space: another, the disk thread's
 * @heart: another, the heart thread's
 * @learn: another, the transfer thread's
 * @consumer: another, the snapshot thread's
 * @heart_socket: UDP, the heart thread's
 * @control: where paxosctl asks; the heart thread's
 * @detector: who of the others is suspected; the heart thread's
 * @said: the last heartbeat of each, from 0: none; the heart thread's
 * @penalty: of this member in elections; the heart thread's
 * @serve_socket: TCP, the serve thread's, or -1
 * @signals: a signalfd, main's
 * @leave: an eventfd; readable: the heart hands the lead over, then says so
 * @left: an eventfd; readable: it has, or cannot
 * @reload: an eventfd; readable: the heart takes @fresh, then says so
 * @reloaded: an eventfd; readable: it has
 * @stop: an eventfd; readable: threads end
 * @failed: an eventfd; readable: a thread has failed
 * @has_failed: the same for threads
 * @writing_since: when the write that is under way began, 0: none is
 * @disk: what the disk thread has done
 * @stored: slots up to here are chosen and on the disk of each, and one more;
 *          0: it was not heard so far
 * @wants: this member came in place of one that lost its memory
 * @transfer_rate: TransferRate
 * @snapshots: what the snapshot thread has, and is asked for
 * @members: who takes part, by 1 << (id - 1): as the file says, then as chosen
 */
struct agent {
	struct config config;
	const char *path;
	struct config filed;
	struct config fresh;
	struct state state;
	struct wal wal;
	struct wal_index index;
	struct netlink attached;
	struct netlink space;
	struct netlink heart;
	struct netlink learn;
	struct netlink consumer;
	int heart_socket;
	struct control control;
	struct detector detector;
	struct heartbeat said[PAXOS_NL_MEMBERS_MAX + 1];
	unsigned int penalty;
	int serve_socket;
	int signals;
	int leave;
	int left;
	int reload;
	int reloaded;
	int stop;
	int failed;
	bool wants;
	atomic_bool has_failed;
	_Atomic uint64_t writing_since;
	struct metrics_disk disk;
	_Atomic uint32_t transfer_rate;
	struct snapshots snapshots;
	_Atomic uint64_t members;
	_Atomic uint64_t stored[PAXOS_NL_MEMBERS_MAX + 1];
	pthread_t disk_thread;
	pthread_t heart_thread;
	pthread_t serve_thread;
	pthread_t question_thread;
	pthread_t transfer_thread;
	pthread_t snapshot_thread;
	pthread_t metrics_thread;
};

/* Nanoseconds that only grow. */
uint64_t agent_now(void);
/* The agent ends, with a sentence why; only the first one is told. */
__attribute__((format(printf, 3, 4)))
void agent_fail_as(struct agent *agent, struct say_about about,
		   const char *format, ...);
#define agent_fail(agent, ...) \
	agent_fail_as(agent, SAY(.event = SAY_PLAIN), __VA_ARGS__)
/* What the sentence in agent->wal.error is about. */
struct say_about agent_wal_fault(const struct agent *agent);

/* SnapshotAfter and SnapshotsKept, to the thread that goes by them. */
void agent_take_snapshots(struct agent *agent);
/* This thread, called @name, goes behind who votes, writes and beats. */
void agent_lower_priority(const char *name);

/* Take signals; before any thread is made. 0, or -1 and it was told. */
int agent_open(struct agent *agent);
/* Until a signal (0) or until a thread has failed (-1). */
int agent_run(struct agent *agent);

#define START_LOST 1
/*
 * Attach to the kernel's group, bring it to where the log is, and take the
 * heartbeats' port. 0, or -1 and it was told, or START_LOST: so it was, this
 * member has lost its memory.
 */
int start_group(struct agent *agent);

struct group_state;

/*
 * For who only looks: the same but for the start. What restores stays mute;
 * what runs does so for as long as nothing is pulled.
 */
int start_examined(struct agent *agent, struct group_state *state);

/*
 * What START_LOST is followed by with AutoReplace: until a signal (0), or until
 * this host is another member, when paxosd begins anew with @argv; or -1.
 */
int amnesia(struct agent *agent, char **argv);

/*
 * `paxosd recover`: the survivor of a cluster that lost its quorum for good
 * becomes a cluster of its own. @name: the id of that cluster as a person typed
 * it, or NULL: ask. 0, or -1 and it was told.
 */
int recover(struct agent *agent, const char *path, const char *name, bool json);

int heart_open(struct agent *agent);
void *heart_run(void *agent);
/* ns of silence that a host's kernel is suspected after, beside its agent. */
uint64_t heart_kernel_silence(const struct config *config);
void *disk_run(void *agent);
int serve_open(struct agent *agent);
void *serve_run(void *agent);
void *question_run(void *agent);
void *transfer_run(void *agent);

#endif
