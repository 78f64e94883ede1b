// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "snapshot_file.h"
#include "snapshot_store.h"

static int newest_first(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? 1 : x > y ? -1 : 0;
}

unsigned int snapshot_list(int directory, uint64_t slots[SNAPSHOTS_LISTED])
{
	/* One of its own: the offset is the description's. */
	const int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY |
			      O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	unsigned int n = 0;
	struct dirent *entry;
	uint64_t slot;

	while (list && (entry = readdir(list))) {
		slot = snapshot_file_slot(entry->d_name);
		if (!slot || (n == SNAPSHOTS_LISTED && slot <= slots[n - 1]))
			continue;
		/* Of more than have room the oldest goes. */
		n -= n == SNAPSHOTS_LISTED;
		slots[n++] = slot;
		qsort(slots, n, sizeof(*slots), newest_first);
	}
	if (list)
		closedir(list);
	else if (fd >= 0)
		close(fd);
	return n;
}

void snapshot_prune(int directory, unsigned int kept)
{
	uint64_t slots[SNAPSHOTS_LISTED];
	const unsigned int n = snapshot_list(directory, slots);
	char name[SNAPSHOT_FILE_SIZE];

	for (; kept < n; kept++)
		/* One that stays takes some space, and goes the next time. */
		if (unlinkat(directory,
			     snapshot_file_name(name, slots[kept]), 0))
			errno = 0;
}

int snapshot_set_aside(int directory, uint64_t slot)
{
	char name[SNAPSHOT_FILE_SIZE], aside[SNAPSHOT_FILE_SIZE + 16];

	snapshot_file_name(name, slot);
	snprintf(aside, sizeof(aside), "%s.diverged", name);
	return renameat(directory, name, directory, aside) ||
	       fsync(directory) ? -1 : 0;
}

void snapshot_tidy(int directory)
{
	if (unlinkat(directory, SNAPSHOT_NEW, 0))
		errno = 0;
	if (unlinkat(directory, SNAPSHOT_FETCHED, 0))
		errno = 0;
}
