// SPDX-License-Identifier: GPL-2.0
/*
 * Writing the log, whose format is in wal.h.
 *
 * A failed write or fdatasync is final: the kernel marks pages that it could
 * not write as clean, so a second fdatasync says "done" of what is nowhere
 * ("fsyncgate", 2018). The agent stops, the kernel keeps every record that was
 * not acknowledged, and the next life of the agent
 *  - reads the log past the page cache, so it sees what the disk has;
 *  - writes the last batch, the only one that may not be on the disk for good,
 *    once more, into a new segment (wal_confirm());
 *  - never writes into, nor syncs, a file of an earlier life.
 * So each acknowledgement rests on an fdatasync that was the first on its file
 * ever to follow that write. The same covers ENOSPC, a torn write and SIGKILL
 * at any point.
 */

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <isa-l/crc.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "wal.h"
#include "wal_index.h"
#include "wal_trim.h"

#define DURABLE_MAGIC "paxosdur"

int wal_wrong(struct wal *wal, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(wal->error, sizeof(wal->error), format, args);
	va_end(args);
	return -1;
}

/* CRC32C without the inversion at the end; start with ~0 or a seed. */
uint32_t wal_crc(uint32_t seed, const void *bytes, size_t length)
{
	return crc32_iscsi((unsigned char *)(uintptr_t)bytes, length, seed);
}

uint32_t wal_salt_seed(__le64 salt)
{
	return wal_crc(~0U, &salt, sizeof(salt));
}

char *wal_segment_name(char name[WAL_NAME_SIZE], uint64_t sequence)
{
	snprintf(name, WAL_NAME_SIZE, "%010" PRIu64 ".wal", sequence);
	return name;
}

uint32_t wal_durable_crc(const struct wal *wal,
			 const struct wal_durable *durable)
{
	const __le32 group = htole32(wal->identity.group);
	uint32_t crc;

	crc = wal_crc(~0U, wal->identity.cluster, PAXOS_CLUSTER_SIZE);
	crc = wal_crc(crc, &group, sizeof(group));
	crc = wal_crc(crc, &wal->identity.member, 1);
	return wal_crc(crc, durable, offsetof(struct wal_durable, crc));
}

void wal_init(struct wal *wal, const struct wal_identity *identity,
	      const char *path, int directory)
{
	memset(wal, 0, sizeof(*wal));
	wal->identity = *identity;
	snprintf(wal->path, sizeof(wal->path), "%s", path);
	wal->directory = directory;
	wal->fd = -1;
	wal->spare = -1;
	wal->durable = -1;
	wal->size = WAL_SEGMENT_SIZE;
	wal->lowest = 1;
	wal->floor = 1;
}

int wal_failed(struct wal *wal, const char *what)
{
	wal->failed = true;
	return wal_wrong(wal,
			 "%s: %s: %s. Nothing is acknowledged from here on; the kernel keeps the records, and the agent goes on from them when it is started again",
			 wal->path, what, strerror(errno));
}

/* All of it, or -1. */
static int write_all(int fd, const uint8_t *bytes, size_t size, off_t offset)
{
	ssize_t n;

	while (size) {
		n = pwrite(fd, bytes, size, offset);
		if (n < 0)
			return -1;
		if (!n) {
			errno = ENOSPC;
			return -1;
		}
		bytes += n;
		size -= n;
		offset += n;
	}
	return 0;
}

static int close_file(int *fd)
{
	int result = 0;

	if (*fd >= 0)
		result = close(*fd);
	*fd = -1;
	return result;
}

static int write_zeros(int fd, uint64_t from, uint64_t to)
{
	static const uint8_t zeros[1 << 16];
	size_t size;

	for (; from < to; from += size) {
		size = to - from < sizeof(zeros) ? to - from : sizeof(zeros);
		if (write_all(fd, zeros, size, from))
			return -1;
	}
	return 0;
}

/* File systems without fallocate() get zeros. */
static int allot(struct wal *wal, uint64_t size)
{
	wal->zeroed = 0;
	if (!fallocate(wal->spare, 0, 0, size))
		return 0;
	if (errno != EOPNOTSUPP || write_zeros(wal->spare, 0, size))
		return -1;
	wal->zeroed = size;
	return 0;
}

static int make_spare(struct wal *wal, uint64_t size)
{
	int saved;

	if (unlinkat(wal->directory, "spare", 0) && errno != ENOENT)
		return -1;
	wal->spare = openat(wal->directory, "spare",
			    O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	if (wal->spare < 0)
		return -1;
	if (!allot(wal, size))
		return 0;
	saved = errno;
	close_file(&wal->spare);
	unlinkat(wal->directory, "spare", 0);
	errno = saved;
	return -1;
}

int wal_prepare(struct wal *wal)
{
	if (wal->spare >= 0 || wal->full || !make_spare(wal, wal->size))
		return 0;
	return wal_wrong(wal,
			 "%s: no space for the next segment of %" PRIu64 " MiB: %s",
			 wal->path, wal->size >> 20, strerror(errno));
}

int wal_zero(struct wal *wal)
{
	uint64_t to = wal->zeroed + WAL_ZERO_SIZE;

	if (wal->spare < 0 || wal->plain || wal->failed ||
	    wal->zeroed >= wal->size)
		return 0;
	if (to > wal->size)
		to = wal->size;
	if (write_zeros(wal->spare, wal->zeroed, to) || fdatasync(wal->spare)) {
		/* No file is used any more that a write or sync failed on. */
		wal_wrong(wal, "%s/spare: cannot fill it with zeros: %s",
			  wal->path, strerror(errno));
		wal->plain = true;
		close_file(&wal->spare);
		return -1;
	}
	wal->zeroed = to;
	return to < wal->size;
}

static void fill_segment(struct wal *wal, struct wal_segment *header)
{
	memset(header, 0, WAL_BLOCK);
	memcpy(header->magic, WAL_MAGIC, sizeof(header->magic));
	header->version = htole32(WAL_VERSION);
	header->group = htole32(wal->identity.group);
	memcpy(header->cluster, wal->identity.cluster, PAXOS_CLUSTER_SIZE);
	header->member = wal->identity.member;
	header->durability = wal->identity.durability;
	header->previous_crc = htole32(wal->end.crc);
	header->sequence = htole64(wal->end.sequence + 1);
	header->previous_end = htole64(wal->end.offset);
	header->lsn = htole64(wal->end.lsn);
	randombytes_buf(&header->salt, sizeof(header->salt));
	header->crc = htole32(wal_crc(~0U, header,
				      offsetof(struct wal_segment, crc)));
}

/*
 * The spare, with @size bytes from its start, becomes the next segment. It gets
 * the name when these bytes are on the disk.
 */
static int name_segment(struct wal *wal, const uint8_t *bytes, size_t size)
{
	char name[WAL_NAME_SIZE];

	wal_segment_name(name, wal->end.sequence + 1);
	if (write_all(wal->spare, bytes, size, 0))
		return wal_failed(wal, "cannot write the log");
	if (fdatasync(wal->spare))
		return wal_failed(wal, "fdatasync of the log failed");
	if (renameat2(wal->directory, "spare", wal->directory, name,
		      RENAME_NOREPLACE))
		return wal_failed(wal, "cannot name the next segment");
	if (fsync(wal->directory))
		return wal_failed(wal, "fsync of the directory failed");
	return 0;
}

/* Give back what an earlier life allotted to its last segment. */
static void shorten(struct wal *wal)
{
	struct stat status;
	char name[WAL_NAME_SIZE];
	int fd;

	fd = openat(wal->directory, wal_segment_name(name, wal->end.sequence),
		    O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	/* A failure costs space and nothing else: what follows is void. */
	if (!fstat(fd, &status) &&
	    (uint64_t)status.st_size > wal->end.offset &&
	    ftruncate(fd, wal->end.offset))
		errno = 0;
	close(fd);
}

static int put_durable(struct wal *wal)
{
	struct wal_durable durable = {
		.magic = DURABLE_MAGIC,
		.sequence = htole64(wal->end.sequence),
		.end = htole64(wal->end.offset),
		.lives = htole64(wal->lives),
	};

	durable.crc = htole32(wal_durable_crc(wal, &durable));
	return write_all(wal->durable, (const uint8_t *)&durable,
			 sizeof(durable), 0);
}

/* A failure costs certainty about a torn tail and nothing else. */
static void write_durable(struct wal *wal)
{
	wal->unmarked = true;
	if (put_durable(wal))
		errno = 0;
}

int wal_mark(struct wal *wal)
{
	if (!wal->unmarked || wal->failed)
		return 0;
	wal->unmarked = false;
	if (!put_durable(wal) && !fdatasync(wal->durable))
		return 0;
	return wal_wrong(wal, "%s/durable: cannot write: %s", wal->path,
			 strerror(errno));
}

static int open_durable(struct wal *wal)
{
	wal->durable = openat(wal->directory, "durable",
			      O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	if (wal->durable < 0)
		return wal_wrong(wal, "%s/durable: cannot open: %s", wal->path,
				 strerror(errno));
	return 0;
}

int wal_create(struct wal *wal)
{
	uint8_t *block;
	int result;

	result = wal_open(wal);
	if (!result)
		return 1;
	if (result != -ENOENT)
		return -1;
	block = calloc(1, WAL_BLOCK);
	if (!block)
		return wal_wrong(wal, "out of memory");
	fill_segment(wal, (struct wal_segment *)block);
	if (make_spare(wal, WAL_BLOCK))
		result = wal_wrong(wal, "%s/spare: cannot make: %s", wal->path,
				   strerror(errno));
	else
		result = name_segment(wal, block, WAL_BLOCK);
	free(block);
	if (result || open_durable(wal))
		return -1;
	wal->end.sequence = 1;
	wal->end.offset = WAL_BLOCK;
	wal->lowest = 1;
	wal->floor = 1;
	write_durable(wal);
	if (fdatasync(wal->durable) || fsync(wal->directory))
		return wal_failed(wal, "fsync failed");
	return 0;
}

static int start_batch(struct wal *wal)
{
	if (!wal->batch)
		wal->batch = aligned_alloc(WAL_BLOCK, WAL_BLOCK +
						      WAL_BATCH_MAX);
	if (!wal->batch)
		return wal_wrong(wal, "out of memory");
	wal->filled = sizeof(struct wal_batch);
	wal->count = 0;
	wal->lsn = wal->end.lsn;
	return 0;
}

void wal_promises(struct wal *wal, const struct record *record)
{
	/* Lamport 2001, 2.2: who accepted b has promised b. */
	if (record->type != PAXOS_NL_RECORD_COMMIT &&
	    record->type != PAXOS_NL_RECORD_CONFIG &&
	    record->ballot > wal->promised)
		wal->promised = record->ballot;
}

int wal_add(struct wal *wal, const struct record *record)
{
	const uint32_t padded = wal_padded(record->length);
	struct wal_record *disk;

	if (!wal->filled && start_batch(wal))
		return -1;
	if (record->length > PAXOS_NL_VALUE_MAX ||
	    wal->filled + sizeof(*disk) + padded > WAL_BATCH_MAX)
		return wal_wrong(wal, "%s: a batch is too large", wal->path);
	if (record->type < WAL_SESSION) {
		if (!record->type || record->type > PAXOS_NL_RECORD_TRIM)
			return wal_wrong(wal,
					 "%s: the kernel gave a record of type %u, which this agent does not know: run the version that belongs to the module",
					 wal->path, record->type);
		if (record->lsn <= wal->lsn)
			return wal_wrong(wal,
					 "%s: the kernel gave record %" PRIu64
					 " after record %" PRIu64,
					 wal->path, record->lsn, wal->lsn);
		wal->lsn = record->lsn;
	}
	disk = (void *)(wal->batch + WAL_BLOCK + wal->filled);
	memset(disk, 0, sizeof(*disk));
	disk->length = htole32(record->length);
	disk->lsn = htole64(record->lsn);
	disk->slot = htole64(record->slot);
	disk->ballot = htole64(record->ballot);
	disk->incarnation = htole64(record->incarnation);
	disk->seq = htole64(record->seq);
	disk->type = record->type;
	disk->kind = record->kind;
	disk->origin = record->origin;
	wal_promises(wal, record);
	wal_index_add(wal->index, record);
	if (record->length)
		memcpy(disk + 1, record->value, record->length);
	memset((uint8_t *)(disk + 1) + record->length, 0,
	       padded - record->length);
	wal->filled += sizeof(*disk) + padded;
	wal->count++;
	return 0;
}

/* The CRCs need the salt, so they wait until the segment is known. */
static void seal_batch(struct wal *wal, uint64_t sequence, uint64_t offset,
		       uint32_t previous_crc)
{
	uint8_t *at = wal->batch + WAL_BLOCK;
	struct wal_batch *batch = (void *)at;
	uint8_t *end = at + wal->filled;
	size_t start = offsetof(struct wal_record, length), size;
	struct wal_record *record;

	for (at += sizeof(*batch); at < end; at += size) {
		record = (void *)at;
		size = sizeof(*record) + wal_padded(le32toh(record->length));
		record->crc = htole32(wal_crc(wal->seed, at + start,
					      size - start));
	}
	memset(end, 0, wal_blocks(wal->filled) - wal->filled);
	memset(batch, 0, sizeof(*batch));
	batch->magic = htole32(WAL_BATCH_MAGIC);
	batch->length = htole32(wal->filled - sizeof(*batch));
	batch->count = htole32(wal->count);
	batch->sequence = htole64(sequence);
	batch->offset = htole64(offset);
	batch->lsn = htole64(wal->end.lsn);
	batch->previous_crc = htole32(previous_crc);
	start = offsetof(struct wal_batch, length);
	batch->crc = htole32(wal_crc(wal->seed, (uint8_t *)batch + start,
				     sizeof(*batch) - start));
}

static int commit_here(struct wal *wal)
{
	uint8_t *batch = wal->batch + WAL_BLOCK;

	seal_batch(wal, wal->end.sequence, wal->end.offset, wal->end.crc);
	if (write_all(wal->fd, batch, wal_blocks(wal->filled),
		      wal->end.offset))
		return wal_failed(wal, "cannot write the log");
	if (fdatasync(wal->fd))
		return wal_failed(wal, "fdatasync of the log failed");
	wal->last = wal->end;
	return 0;
}

static int commit_next(struct wal *wal)
{
	struct wal_segment *header = (void *)wal->batch;
	const uint64_t sequence = wal->end.sequence + 1;

	if (wal->spare < 0 && wal->full) {
		wal->failed = true;
		return wal_wrong(wal,
				 "%s: the log takes all of LogSpace, and nothing in it can go: what is not chosen yet is needed. Nothing is acknowledged from here on; the kernel keeps the records. Make LogSpace larger, and start the agent again",
				 wal->path);
	}
	if (wal->spare < 0 && make_spare(wal, wal->size))
		return wal_failed(wal, "no space for the next segment");
	fill_segment(wal, header);
	wal->seed = wal_salt_seed(header->salt);
	seal_batch(wal, sequence, WAL_BLOCK, le32toh(header->crc));
	if (name_segment(wal, wal->batch, WAL_BLOCK + wal_blocks(wal->filled)))
		return -1;
	if (wal->fd < 0)
		shorten(wal);
	wal->closed += wal_segment_takes(wal, wal->end.sequence);
	close_file(&wal->fd);
	wal->fd = wal->spare;
	wal->spare = -1;
	if (!wal->born)
		wal->born = sequence;
	wal->end.sequence = sequence;
	wal->end.offset = WAL_BLOCK;
	wal->last = wal->end;
	wal->last.crc = le32toh(header->crc);
	return 0;
}

int wal_commit(struct wal *wal)
{
	const struct wal_batch *batch;
	int result;

	if (wal->failed)
		return wal_wrong(wal, "%s: the log failed before", wal->path);
	if (!wal->filled)
		return 0;
	result = wal_turns(wal) ? commit_next(wal) : commit_here(wal);
	if (result)
		return result;
	batch = (const void *)(wal->batch + WAL_BLOCK);
	wal_index_batch(wal->index, wal->end.sequence, wal->end.offset,
			wal->end.offset + wal_blocks(wal->filled));
	wal->end.offset += wal_blocks(wal->filled);
	wal->end.crc = le32toh(batch->crc);
	wal->end.lsn = wal->lsn;
	wal->filled = 0;
	wal->confirmed = true;
	write_durable(wal);
	return 0;
}

bool wal_turns(const struct wal *wal)
{
	return wal->fd < 0 ||
	       wal->end.offset + wal_blocks(wal->filled) > wal->size;
}

static int add_again(void *context, const struct record *record)
{
	struct wal *wal = context;

	return wal_add(wal, record);
}

int wal_confirm(struct wal *wal, uint64_t now)
{
	const struct wal_place last = wal->last;

	/* Names of segments may be in the cache only. */
	if (fsync(wal->directory))
		return wal_failed(wal, "fsync of the directory failed");
	if (open_durable(wal))
		return -1;
	if (!wal->confirmed) {
		wal->end = last;
		if (wal_read_batch(wal, &last, add_again, wal) ||
		    wal_commit(wal))
			return -1;
		wal_index_cut(wal->index, last.sequence, last.offset);
	}
	/* A former life may have ended while it let go of some. */
	if (wal_let_go(wal))
		return -1;
	wal->lives = now > wal->lives ? now : wal->lives + 1;
	write_durable(wal);
	if (fdatasync(wal->durable))
		return wal_failed(wal, "fdatasync of the file durable failed");
	return 0;
}

int wal_session(struct wal *wal, uint64_t instance, uint64_t incarnation)
{
	const struct wal_session session = {
		.instance = htole64(instance),
		.incarnation = htole64(incarnation),
	};
	const struct record record = {
		.type = WAL_SESSION,
		.length = sizeof(session),
		.value = &session,
	};

	if (wal_add(wal, &record) || wal_commit(wal))
		return -1;
	wal->instance = instance;
	wal->incarnation = incarnation;
	return 0;
}

/*
 * One segment, which gets its name when all of it is on the disk: before that
 * the log is what it was, and after it the recovery is whole.
 */
int wal_recover(struct wal *wal, const struct wal_recovery *recovery,
		struct record *records, size_t n)
{
	const struct record first = {
		.type = WAL_RECOVERY,
		.length = sizeof(*recovery),
		.value = recovery,
	};
	/* The incarnation of what follows; no kernel ran it. */
	const struct wal_session session = {
		.incarnation = htole64(wal->incarnation + 1),
	};
	const struct record second = {
		.type = WAL_SESSION,
		.length = sizeof(session),
		.value = &session,
	};
	size_t i;

	if (wal_add(wal, &first) || wal_add(wal, &second))
		return -1;
	for (i = 0; i < n; i++) {
		records[i].lsn = wal->lsn + 1;
		if (wal_add(wal, &records[i]))
			return -1;
	}
	memcpy(wal->identity.cluster, recovery->cluster, PAXOS_CLUSTER_SIZE);
	close_file(&wal->fd);
	if (wal_commit(wal))
		return -1;
	wal->recovery = *recovery;
	wal->instance = 0;
	wal->incarnation++;
	return 0;
}

void wal_close(struct wal *wal)
{
	if (wal->durable >= 0 && !wal->failed && fdatasync(wal->durable))
		wal->failed = true;
	close_file(&wal->durable);
	close_file(&wal->fd);
	close_file(&wal->spare);
	free(wal->batch);
	wal->batch = NULL;
}
