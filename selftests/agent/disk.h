/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SELFTESTS_AGENT_DISK_H
#define _SELFTESTS_AGENT_DISK_H

/*
 * A disk that fails. pwrite(), pread(), fdatasync(), fsync(), fallocate(),
 * renameat2() and unlinkat() go through here. What was written and not synced is
 * lost, sector by sector and at random, when the power goes or an fdatasync
 * fails; renames and removals likewise until the directory was synced.
 */

#include <stdbool.h>
#include <stdint.h>

enum disk_call {
	DISK_PWRITE,
	DISK_FDATASYNC,
	DISK_FSYNC,
	DISK_FALLOCATE,
	DISK_RENAME,
	DISK_UNLINK,
	DISK_WRITES,		/* all of the above */
	DISK_PREAD = DISK_WRITES,
	DISK_CALLS,
};

void disk_reset(uint32_t seed);
/*
 * The @nth call from now of this kind (1: the next) fails with @error; of
 * DISK_PREAD all from there on. 0: a read or write of half of it.
 */
void disk_fail(enum disk_call call, unsigned int nth, int error);
/* The power goes at the @nth call from now: all fail from there on. */
void disk_cut(unsigned int nth);
/* Only the process died: all is there, but what was not synced is not safe. */
void disk_kill(void);
/* The power is back: what was not synced is lost in part. */
void disk_restart(void);
uint32_t disk_random(uint32_t below);

/* A fresh directory, and its end with all that is in it. */
#define DISK_MEMORY	"/dev/shm"	/* fast, and without O_DIRECT */
#define DISK_REAL	"/var/tmp"
char *disk_directory(const char *parent);
void disk_remove(char *path);

#endif
