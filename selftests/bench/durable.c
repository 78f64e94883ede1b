// SPDX-License-Identifier: GPL-2.0
/* Commits that wait for a disk, and what the disk does bare. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "durable.h"
#include "group.h"

#define FILE_SIZE	(16 << 20)	/* as a segment of the agent's log */

void durable_load(const char *key, const struct run *run)
{
	uint64_t start, end, commits = 0;
	uint8_t *value = place_alloc(run->size);
	struct group *group = group_open(1, BENCH_GROUP);
	uint32_t i;

	for (i = 1; i <= run->outstanding; i++)
		group_propose(group, value, run->size, i);
	start = place_clock();
	end = start + run->seconds * 1000000000ULL;
	while (place_clock() < end) {
		group_propose(group, value, run->size, group_answer(group));
		commits++;
	}
	end = place_clock();
	for (i = 0; i < run->outstanding; i++)
		group_answer(group);
	printf("%s %u %llu %llu\n", key, run->outstanding,
	       (unsigned long long)commits, (unsigned long long)(end - start));
	group_close(group);
	free(value);
}

void durable_raw(const char *key, const struct run *run)
{
	uint64_t start, end, offset, writes = 0;
	uint8_t *bytes = place_alloc(FILE_SIZE);
	int fd;

	fd = open(run->path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0 || pwrite(fd, bytes, FILE_SIZE, 0) != FILE_SIZE || fsync(fd))
		fail("%s: '%s': %s", key, run->path, strerror(errno));
	start = place_clock();
	end = start + run->seconds * 1000000000ULL;
	for (offset = 0; place_clock() < end; offset += run->size) {
		if (offset + run->size > FILE_SIZE)
			offset = 0;
		if (pwrite(fd, bytes, run->size, offset) != run->size ||
		    fdatasync(fd))
			fail("%s: '%s': %s", key, run->path, strerror(errno));
		writes++;
	}
	end = place_clock();
	printf("%s %u %llu %llu\n", key, run->size, (unsigned long long)writes,
	       (unsigned long long)(end - start));
	close(fd);
	unlink(run->path);
	free(bytes);
}
