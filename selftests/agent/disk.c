// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "disk.h"

#define SECTOR 512

ssize_t __real_pwrite(int fd, const void *bytes, size_t size, off_t offset);
int __real_fdatasync(int fd);
int __real_fsync(int fd);
int __real_fallocate(int fd, int mode, off_t offset, off_t size);
int __real_renameat2(int from, const char *name, int to, const char *new_name,
		     unsigned int flags);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t size, off_t offset);
int __wrap_fdatasync(int fd);
int __wrap_fsync(int fd);
int __wrap_fallocate(int fd, int mode, off_t offset, off_t size);
int __wrap_renameat2(int from, const char *name, int to, const char *new_name,
		     unsigned int flags);
ssize_t __real_pread(int fd, void *bytes, size_t size, off_t offset);
ssize_t __wrap_pread(int fd, void *bytes, size_t size, off_t offset);
int __real_unlinkat(int directory, const char *name, int flags);
int __wrap_unlinkat(int directory, const char *name, int flags);

/* What a sector held before a write that was not synced. */
struct before {
	struct before *next;	/* later first */
	ino_t inode;
	int fd;
	off_t offset;
	uint8_t bytes[SECTOR];
};

/* Names that changed since the directory was synced, the last one first. */
struct renamed {
	struct renamed *next;
	int directory;
	char from[64], to[64];
	bool gone;		/* it was removed; @to is where it hides */
};

static struct before *befores;
static struct renamed *renames;
static unsigned int hidden;
static unsigned int countdown[DISK_CALLS], cut_countdown;
static int errors[DISK_CALLS];
static bool is_cut;
static uint32_t state = 1;

uint32_t disk_random(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state % below;
}

static ino_t inode_of(int fd)
{
	struct stat status;

	return fstat(fd, &status) ? 0 : status.st_ino;
}

static void forget(ino_t inode, bool undo)
{
	struct before **at = &befores, *before;

	while ((before = *at)) {
		if (inode && before->inode != inode) {
			at = &before->next;
			continue;
		}
		if (undo && disk_random(2) &&
		    __real_pwrite(before->fd, before->bytes, SECTOR,
				  before->offset) != SECTOR)
			abort();
		*at = before->next;
		close(before->fd);
		free(before);
	}
}

static void note(int directory, const char *from, const char *to, bool gone)
{
	struct renamed *renamed = calloc(1, sizeof(*renamed));

	if (!renamed)
		abort();
	renamed->next = renames;
	renamed->directory = directory;
	renamed->gone = gone;
	snprintf(renamed->from, sizeof(renamed->from), "%s", from);
	snprintf(renamed->to, sizeof(renamed->to), "%s", to);
	renames = renamed;
}

/* The directory was synced; or the power went, and some names are as before. */
static void settle(bool undo)
{
	struct renamed *renamed;

	while ((renamed = renames)) {
		renames = renamed->next;
		if (undo && disk_random(2))
			/* What took the place meanwhile was not synced either. */
			__real_renameat2(renamed->directory, renamed->to,
					 renamed->directory, renamed->from, 0);
		else if (renamed->gone)
			__real_unlinkat(renamed->directory, renamed->to, 0);
		free(renamed);
	}
}

void disk_reset(uint32_t seed)
{
	forget(0, false);
	settle(false);
	memset(countdown, 0, sizeof(countdown));
	cut_countdown = 0;
	is_cut = false;
	state = seed * 2654435761U ?: 1;
}

void disk_fail(enum disk_call call, unsigned int nth, int error)
{
	countdown[call] = nth;
	errors[call] = error;
}

void disk_cut(unsigned int nth)
{
	cut_countdown = nth;
}

void disk_kill(void)
{
	memset(countdown, 0, sizeof(countdown));
	cut_countdown = 0;
	is_cut = false;
}

void disk_restart(void)
{
	settle(true);
	forget(0, true);
	disk_kill();
}

/* 0: go on, 1: do it, and all after it fail, 2: do half of it, -1: fail. */
static int gate(enum disk_call call)
{
	if (is_cut) {
		errno = EIO;
		return -1;
	}
	if (countdown[call] && !--countdown[call]) {
		errno = errors[call];
		return errno ? -1 : 2;
	}
	if (cut_countdown && !--cut_countdown) {
		is_cut = true;
		return 1;
	}
	return 0;
}

static void remember(int fd, off_t offset, size_t size)
{
	const off_t first = offset / SECTOR * SECTOR;
	const ino_t inode = inode_of(fd);
	struct before *before;
	off_t at;
	int copy;

	for (at = first; at < (off_t)(offset + size); at += SECTOR) {
		for (before = befores; before; before = before->next)
			if (before->inode == inode && before->offset == at)
				break;
		/* Of several states, the older or the younger may be left. */
		if (before && disk_random(2))
			continue;
		if (before) {
			if (__real_pread(fd, before->bytes, SECTOR, at) < 0)
				abort();
			continue;
		}
		before = calloc(1, sizeof(*before));
		copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (!before || copy < 0)
			abort();
		before->inode = inode;
		before->fd = copy;
		before->offset = at;
		if (__real_pread(fd, before->bytes, SECTOR, at) < 0)
			memset(before->bytes, 0, SECTOR);
		before->next = befores;
		befores = before;
	}
}

ssize_t __wrap_pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
	switch (gate(DISK_PWRITE)) {
	case -1:
		return -1;
	case 2:
		size = (size + 1) / 2;
	}
	remember(fd, offset, size);
	return __real_pwrite(fd, bytes, size, offset);
}

/* A read that failed does so until the disk is another: it is tried twice. */
ssize_t __wrap_pread(int fd, void *bytes, size_t size, off_t offset)
{
	if (countdown[DISK_PREAD] == 1) {
		errno = errors[DISK_PREAD];
		return errno ? -1 : __real_pread(fd, bytes, size / 2 | 1, offset);
	}
	countdown[DISK_PREAD] -= !!countdown[DISK_PREAD];
	return __real_pread(fd, bytes, size, offset);
}

int __wrap_fdatasync(int fd)
{
	switch (gate(DISK_FDATASYNC)) {
	case 1:
		errno = EIO;
		return -1;
	case -1:
		if (!is_cut)
			forget(inode_of(fd), true);
		return -1;
	}
	forget(inode_of(fd), false);
	return 0;
}

int __wrap_fsync(int fd)
{
	struct stat status;

	switch (gate(DISK_FSYNC)) {
	case 1:
		errno = EIO;
		return -1;
	case -1:
		return -1;
	}
	if (!fstat(fd, &status) && S_ISDIR(status.st_mode))
		settle(false);
	else
		forget(inode_of(fd), false);
	return 0;
}

int __wrap_fallocate(int fd, int mode, off_t offset, off_t size)
{
	return gate(DISK_FALLOCATE) < 0 ?
		       -1 :
		       __real_fallocate(fd, mode, offset, size);
}

int __wrap_renameat2(int from, const char *name, int to, const char *new_name,
		     unsigned int flags)
{
	if (gate(DISK_RENAME) < 0)
		return -1;
	if (__real_renameat2(from, name, to, new_name, flags))
		return -1;
	note(from, name, new_name, false);
	return 0;
}

int __wrap_unlinkat(int directory, const char *name, int flags)
{
	char place[64];

	if (faccessat(directory, name, F_OK, 0))
		return __real_unlinkat(directory, name, flags);
	if (gate(DISK_UNLINK) < 0)
		return -1;
	snprintf(place, sizeof(place), ".gone-%u", ++hidden);
	if (__real_renameat2(directory, name, directory, place, 0))
		abort();
	note(directory, name, place, true);
	return 0;
}

char *disk_directory(const char *parent)
{
	char *path;

	if (asprintf(&path, "%s/paxosd-test.XXXXXX", parent) < 0 ||
	    !mkdtemp(path)) {
		perror(parent);
		exit(1);
	}
	return path;
}

void disk_remove(char *path)
{
	struct dirent *entry;
	char name[512];
	DIR *list;

	disk_reset(0);
	list = opendir(path);
	while (list && (entry = readdir(list))) {
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		if (entry->d_name[0] != '.')
			unlink(name);
	}
	if (list)
		closedir(list);
	rmdir(path);
	free(path);
}
