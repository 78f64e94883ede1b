/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSD_SNAPSHOT_H
#define _PAXOSD_SNAPSHOT_H

/*
 * The thread that takes snapshots, and gives consumers what they lack. Needs
 * Durability = sync.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "consumer.h"

#define SNAPSHOT_ERROR_SIZE 512

struct agent;

/**
 * struct snapshots - what other threads see of it
 * @slot: of the newest that is whole, 0: there is none
 * @stands: the log is not to be trimmed behind @slot: consumers need it
 * @wanted: the log cannot be trimmed before there is a newer one
 * @lacks: consumers lack one at this slot or later, 0: they do not
 * @urgent: one waits for it, and does not only come some day
 * @fetching: the transfer thread gets one
 * @fetched: it got one; the snapshot thread takes that back
 * @grown: bytes that were written to the log in this life
 * @after: SnapshotAfter
 * @kept: SnapshotsKept
 * @lock: protects what follows
 * @asked: times that a person asked for one
 * @done: of these, how many were answered
 * @error: the answer to the last of them, or ""
 */
struct snapshots {
	_Atomic uint64_t slot;
	atomic_bool stands;
	atomic_bool wanted;
	_Atomic uint64_t lacks;
	atomic_bool urgent;
	atomic_bool fetching;
	atomic_bool fetched;
	_Atomic uint64_t grown;
	_Atomic uint64_t after;
	_Atomic uint32_t kept;
	pthread_mutex_t lock;
	uint32_t asked;
	uint32_t done;
	char error[SNAPSHOT_ERROR_SIZE];
};

/**
 * struct snapshot - the thread's own
 * @consumers: at the last look
 * @content: of the newest file; about.slot 0: there is none
 * @damaged: slot of a file that was found damaged and told of
 * @grown: of the log, when the newest was taken
 * @failed: when it last failed
 * @told: when that was last complained about
 * @unread: when the disk last failed to give a consumer what it lacks, or that
 *          one to take it
 * @lacking: looks in a row at which @lacking_id found nothing that it lacks
 * @halted: as the kernel had it at the last look
 * @shown, @unsaved: in the status
 * @error: why the last one failed, or ""
 * @buffer: of a block
 */
struct snapshot {
	struct agent *agent;
	struct consumers consumers;
	struct snapshot_content content;
	uint64_t damaged;
	uint64_t grown;
	uint64_t failed;
	uint64_t told;
	uint64_t unread;
	unsigned int lacking;
	uint32_t lacking_id;
	bool halted;
	uint64_t shown;
	bool unsaved;
	char error[SNAPSHOT_ERROR_SIZE];
	uint8_t *buffer;
};

void snapshots_init(struct snapshots *snapshots);
void *snapshot_run(void *agent);
/* Up to which slot the log may be trimmed, for all that consumers need. */
uint64_t snapshot_limit(struct agent *agent);

/* Between snapshot.c and snapshot_feed.c. true: the agent ends. */
bool snapshot_pauses(const struct snapshot *snapshot, int ms);
/* The newest whole one at or below @most, with its content; false: none is. */
bool snapshot_newest(struct snapshot *snapshot, uint64_t most,
		     struct snapshot_content *content);
/* That of @slot is of a log that others do not have. */
void snapshot_reject(struct snapshot *snapshot, uint64_t slot);
bool snapshot_has(const struct snapshot_content *content, const char *name);
/* @consumer gets what it wants, as far as it is here. */
void snapshot_feed(struct snapshot *snapshot, const struct consumer *consumer);

#endif
