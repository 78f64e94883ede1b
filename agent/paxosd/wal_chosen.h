/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSD_WAL_CHOSEN_H
#define _PAXOSD_WAL_CHOSEN_H

/*
 * What the log says is chosen, slot by slot, read beside the thread that writes
 * it. A slot's value is the last one accepted before a commit covers the slot.
 *
 * Only what the index says is on the disk is read, a batch at a time, through
 * the page cache: of a file that was written and synced in this life, or
 * verified past the cache at its start. The checksums are looked at again.
 */

#include "wal.h"
#include "wal_index.h"

/* Slots that may be accepted and not yet chosen: what a kernel may hold. */
#define WAL_CHOSEN_AHEAD	PAXOS_NL_LOG_SIZE_MAX

/**
 * struct wal_chosen - a walk over the chosen slots
 * @directory: the caller's
 * @fd: segment @sequence, or -1
 * @offset: of the next batch in it
 * @next: the slot to give out next
 * @commit: up to here values are complete in @held
 * @held: of slots from @next on, by slot modulo WAL_CHOSEN_AHEAD
 * @batch: of WAL_BATCH_MAX bytes
 * @read: bytes that were read, ever
 * @error: why wal_chosen_peek() returned -1
 */
struct wal_chosen {
	struct wal_index *index;
	const char *path;
	int directory;
	int fd;
	uint64_t sequence;
	uint64_t offset;
	uint32_t seed;
	uint64_t next;
	uint64_t commit;
	struct record **held;
	uint8_t *batch;
	uint64_t read;
	char error[WAL_ERROR_SIZE];
};

/* 0, or -1 when there is no memory. wal_chosen_close() must follow. */
int wal_chosen_open(struct wal_chosen *chosen, struct wal_index *index,
		    const char *path, int directory);
void wal_chosen_close(struct wal_chosen *chosen);
/* Go on from @slot. */
void wal_chosen_seek(struct wal_chosen *chosen, uint64_t slot);
/*
 * The next slot's value, valid until wal_chosen_take() goes on behind it. Reads
 * at most one batch a call. 1: it is there; 0: look again, if
 * wal_chosen_done() does not say that there is nothing more for now; -1.
 */
int wal_chosen_peek(struct wal_chosen *chosen, const struct record **record);
void wal_chosen_take(struct wal_chosen *chosen);
bool wal_chosen_done(const struct wal_chosen *chosen);
/* The next slot's value is not in the log any more. */
bool wal_chosen_trimmed(const struct wal_chosen *chosen);

#endif
