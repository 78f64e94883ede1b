// SPDX-License-Identifier: GPL-2.0
/*
 * The files of the log: which are there, one of them in memory, and whether it
 * is of this member at all.
 *
 * Reads go past the page cache: after a failed fdatasync the cache may hold,
 * clean, what never reached the disk (Rebello et al., "Can Applications
 * Recover from fsync Failures?", ATC 2020).
 */

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "wal.h"
#include "wal_segment.h"

int segment_damaged(struct wal *wal, uint64_t sequence, uint64_t offset,
		    const char *what)
{
	char name[WAL_NAME_SIZE];

	wal->damaged = true;
	wal_wrong(wal,
		  "%s/%s: damaged at offset %" PRIu64
		  ": %s. Member %u may have given votes that are no longer here, so it must not vote again. Put the undamaged file back (never an older copy of it), or replace the member under a new id",
		  wal->path, wal_segment_name(name, sequence), offset, what,
		  wal->identity.member);
	return -1;
}

static bool parse_segment_name(const char *name, uint64_t *sequence)
{
	char again[WAL_NAME_SIZE];

	*sequence = strtoull(name, NULL, 10);
	return !strcmp(name, wal_segment_name(again, *sequence)) && *sequence;
}

/* The highest and the lowest segment, 0: there is none; -1 and errno. */
int segment_ends(int directory, uint64_t *lowest, uint64_t *highest)
{
	const int fd = openat(directory, ".",
			      O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	uint64_t sequence;
	int error;

	*lowest = 0;
	*highest = 0;
	if (!list) {
		error = errno;
		if (fd >= 0)
			close(fd);
		errno = error;
		return -1;
	}
	errno = 0;
	while ((entry = readdir(list))) {
		if (!parse_segment_name(entry->d_name, &sequence))
			continue;
		if (sequence > *highest)
			*highest = sequence;
		if (!*lowest || sequence < *lowest)
			*lowest = sequence;
	}
	error = errno;
	closedir(list);
	errno = error;
	return error ? -1 : 0;
}

bool wal_found(int directory)
{
	uint64_t lowest, highest;

	return !segment_ends(directory, &lowest, &highest) && highest;
}

/* Down from @highest to the one before which one is missing. */
uint64_t segment_first(const struct wal *wal, uint64_t highest)
{
	char name[WAL_NAME_SIZE];
	uint64_t first = highest;

	while (first > 1 &&
	       !faccessat(wal->directory, wal_segment_name(name, first - 1),
			  F_OK, 0))
		first--;
	return first;
}

/* A disk that fails a read once may do the next; the CRC has the last word. */
static ssize_t read_twice(int fd, void *bytes, size_t size, off_t offset)
{
	ssize_t n = pread(fd, bytes, size, offset);

	return n < 0 ? pread(fd, bytes, size, offset) : n;
}

static int load_bytes(struct wal *wal, struct segment *segment, int fd,
		      const char *name)
{
	uint64_t offset = 0;
	ssize_t n;

	segment->bytes = aligned_alloc(WAL_BLOCK, wal_blocks(segment->size) +
						  WAL_BLOCK);
	if (!segment->bytes)
		return wal_wrong(wal, "out of memory");
	while (offset < segment->size) {
		n = read_twice(fd, segment->bytes + offset,
			       wal_blocks(segment->size - offset), offset);
		if (n < 0)
			return wal_wrong(wal,
					 "%s/%s: cannot read at offset %" PRIu64
					 ": %s. Without it member %u cannot know its votes, so it does not vote. If the disk is lost, replace the member under a new id",
					 wal->path, name, offset,
					 strerror(errno), wal->identity.member);
		if (!n)
			return segment_damaged(wal, segment->sequence, offset,
					       "the file ends here");
		offset += n;
		/* The rest would be taken for a torn tail, and cut off. */
		if (n % WAL_BLOCK && offset < segment->size)
			return wal_wrong(wal,
					 "%s/%s: a read ends at offset %" PRIu64
					 ", in the middle of a block and of the file: the file system cannot hold a log",
					 wal->path, name, offset);
	}
	return 0;
}

int segment_load(struct wal *wal, struct segment *segment, uint64_t sequence)
{
	struct stat status;
	char name[WAL_NAME_SIZE];
	int fd, result;

	memset(segment, 0, sizeof(*segment));
	segment->sequence = sequence;
	wal_segment_name(name, sequence);
	fd = openat(wal->directory, name, O_RDONLY | O_CLOEXEC | O_DIRECT);
	if (fd < 0 && errno == EINVAL) {
		/* tmpfs and the like */
		fd = openat(wal->directory, name, O_RDONLY | O_CLOEXEC);
		if (fd >= 0)
			posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	}
	if (fd < 0 || fstat(fd, &status)) {
		wal_wrong(wal, "%s/%s: cannot open: %s", wal->path, name,
			  strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	segment->size = status.st_size;
	if (segment->size < WAL_BLOCK)
		result = segment_damaged(wal, sequence, segment->size,
					 "the file is too short for a segment");
	else if (segment->size > WAL_SEGMENT_MAX)
		result = segment_damaged(wal, sequence, WAL_SEGMENT_MAX,
					 "the file is too long for a segment");
	else
		result = load_bytes(wal, segment, fd, name);
	close(fd);
	return result;
}

void segment_unload(struct segment *segment)
{
	free(segment->bytes);
	segment->bytes = NULL;
}

char *wal_cluster_name(char name[WAL_CLUSTER_NAME_SIZE],
		       const uint8_t cluster[PAXOS_CLUSTER_SIZE])
{
	unsigned int i;

	for (i = 0; i < PAXOS_CLUSTER_SIZE; i++)
		sprintf(name + 2 * i, "%02x", cluster[i]);
	return name;
}

int segment_of_another(struct wal *wal, const struct wal_segment *header,
		       uint64_t sequence)
{
	const struct wal_identity *identity = &wal->identity;
	char cluster[WAL_CLUSTER_NAME_SIZE], name[WAL_NAME_SIZE];

	wal->foreign = true;
	return wal_wrong(wal,
			 "%s/%s belongs to member %u of group %u of cluster %s, not to member %u of group %u as configured: set StateDirectory, Self, Id and Cluster right",
			 wal->path, wal_segment_name(name, sequence),
			 header->member, le32toh(header->group),
			 wal_cluster_name(cluster, header->cluster),
			 identity->member, identity->group);
}

static const char *durability_name(uint8_t durability)
{
	return durability == PAXOS_NL_DURABILITY_SYNC ? "sync" : "memory";
}

static int check_identity(struct wal *wal, const struct segment *segment)
{
	const struct wal_identity *identity = &wal->identity;
	const struct wal_segment *header = segment->header;
	char name[WAL_NAME_SIZE];

	wal_segment_name(name, segment->sequence);
	wal->foreign = le32toh(header->version) != WAL_VERSION ||
		       header->durability != identity->durability;
	if (le32toh(header->version) != WAL_VERSION)
		return wal_wrong(wal,
				 "%s/%s is of format %u and this agent knows %u: run the version that wrote it",
				 wal->path, name, le32toh(header->version),
				 WAL_VERSION);
	if (le32toh(header->group) != identity->group ||
	    header->member != identity->member)
		return segment_of_another(wal, header, segment->sequence);
	if (header->durability != identity->durability)
		return wal_wrong(wal,
				 "%s was made for Durability = %s and now it is %s: a member keeps the one it has voted under. Set it back, or replace the member under a new id",
				 wal->path, durability_name(header->durability),
				 durability_name(identity->durability));
	return 0;
}

int segment_check(struct wal *wal, struct segment *segment)
{
	const struct wal_segment *header = (const void *)segment->bytes;

	segment->header = header;
	segment->seed = wal_salt_seed(header->salt);
	if (memcmp(header->magic, WAL_MAGIC, sizeof(header->magic)) ||
	    le32toh(header->crc) !=
	    wal_crc(~0U, header, offsetof(struct wal_segment, crc)))
		return segment_damaged(wal, segment->sequence, 0,
				       "no valid segment header");
	if (check_identity(wal, segment))
		return -1;
	if (le64toh(header->sequence) != segment->sequence)
		return segment_damaged(wal, segment->sequence, 0,
				       "the header is of another segment");
	return 0;
}
