// SPDX-License-Identifier: GPL-2.0
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "snapshot_file.h"

char *snapshot_file_name(char name[SNAPSHOT_FILE_SIZE], uint64_t slot)
{
	snprintf(name, SNAPSHOT_FILE_SIZE, "%020" PRIu64 SNAPSHOT_SUFFIX,
		 slot);
	return name;
}

uint64_t snapshot_file_slot(const char *name)
{
	char same[SNAPSHOT_FILE_SIZE];
	const uint64_t slot = strtoull(name, NULL, 10);

	return strcmp(name, snapshot_file_name(same, slot)) ? 0 : slot;
}

__attribute__((format(printf, 2, 3)))
static int cannot(struct snapshot_writer *writer, const char *format, ...)
{
	va_list args;
	int n;

	n = snprintf(writer->error, sizeof(writer->error),
		     "the snapshot at slot %" PRIu64 ": ", writer->about.slot);
	va_start(args, format);
	vsnprintf(writer->error + n, sizeof(writer->error) - n, format, args);
	va_end(args);
	return -1;
}

static int write_all(struct snapshot_writer *writer, const void *bytes,
		     size_t length)
{
	const uint8_t *at = bytes;
	ssize_t n;

	writer->total = wal_crc(writer->total, bytes, length);
	for (; length; at += n, length -= n) {
		n = pwrite(writer->fd, at, length, writer->at);
		if (n < 0 && errno == EINTR) {
			n = 0;
			continue;
		}
		if (n <= 0)
			return cannot(writer, "cannot write: %s",
				      n ? strerror(errno) : "no room");
		writer->at += n;
	}
	return 0;
}

static uint32_t block_crc(uint32_t seed, const struct snapshot_block *block,
			  const void *bytes)
{
	const size_t start = offsetof(struct snapshot_block, length);
	uint32_t crc;

	crc = wal_crc(seed, (const uint8_t *)block + start,
		      sizeof(*block) - start);
	return wal_crc(crc, bytes, le32toh(block->length));
}

static int put_block(struct snapshot_writer *writer, uint8_t type,
		     const void *bytes, uint32_t length)
{
	struct snapshot_block block = {
		.length = htole32(length),
		.type = type,
	};

	block.crc = htole32(block_crc(writer->seed, &block, bytes));
	return write_all(writer, &block, sizeof(block)) ?:
	       write_all(writer, bytes, length);
}

int snapshot_create(struct snapshot_writer *writer, int directory,
		    const struct snapshot_about *about, const void *checkpoint,
		    uint32_t length)
{
	struct snapshot_header header = {
		.magic = SNAPSHOT_MAGIC,
		.version = htole32(SNAPSHOT_VERSION),
		.group = htole32(about->group),
		.slot = htole64(about->slot),
		.time = htole64(about->time),
		.epoch = htole32(about->epoch),
		.member = about->member,
	};

	memset(writer, 0, sizeof(*writer));
	writer->directory = directory;
	writer->about = *about;
	writer->total = ~0U;
	memcpy(header.cluster, about->cluster, sizeof(header.cluster));
	writer->seed = wal_crc(~0U, &header,
			       offsetof(struct snapshot_header, crc));
	header.crc = htole32(writer->seed);
	writer->fd = openat(directory, SNAPSHOT_NEW,
			    O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (writer->fd < 0)
		return cannot(writer, "cannot make %s: %s", SNAPSHOT_NEW,
			      strerror(errno));
	if (length > WAL_CHECKPOINT_MAX)
		return cannot(writer, "its checkpoint is too large");
	return write_all(writer, &header, sizeof(header)) ?:
	       put_block(writer, SNAPSHOT_CHECKPOINT, checkpoint, length);
}

int snapshot_section_begin(struct snapshot_writer *writer, const char *name)
{
	struct snapshot_section section = {
		.slot = htole64(writer->about.slot),
	};

	if (!name[0] || strlen(name) > SNAPSHOT_NAME_MAX)
		return cannot(writer, "'%s' is no name for a section", name);
	strcpy(section.name, name);
	writer->section_length = 0;
	writer->section_crc = ~0U;
	writer->section_blocks = 0;
	if (writer->sections++ == SNAPSHOT_SECTIONS_MAX)
		return cannot(writer, "too many sections");
	return put_block(writer, SNAPSHOT_SECTION, &section, sizeof(section));
}

int snapshot_bytes(struct snapshot_writer *writer, const void *bytes,
		   uint32_t length)
{
	if (!length)
		return 0;
	writer->section_length += length;
	writer->section_crc = wal_crc(writer->section_crc, bytes, length);
	writer->section_blocks++;
	return put_block(writer, SNAPSHOT_DATA, bytes, length);
}

int snapshot_section_end(struct snapshot_writer *writer)
{
	const struct snapshot_sum sum = {
		.length = htole64(writer->section_length),
		.crc = htole32(writer->section_crc),
		.count = htole32(writer->section_blocks),
	};

	return put_block(writer, SNAPSHOT_SECTION_END, &sum, sizeof(sum));
}

int snapshot_name_durably(int directory, const char *from, int fd,
			  uint64_t slot)
{
	char name[SNAPSHOT_FILE_SIZE];

	return fdatasync(fd) ||
	       renameat2(directory, from, directory,
			 snapshot_file_name(name, slot), 0) ||
	       fsync(directory) ? -1 : 0;
}

int snapshot_finish(struct snapshot_writer *writer)
{
	const struct snapshot_sum sum = {
		.length = htole64(writer->at),
		.crc = htole32(writer->total),
		.count = htole32(writer->sections),
	};

	if (put_block(writer, SNAPSHOT_END, &sum, sizeof(sum)))
		return -1;
	if (snapshot_name_durably(writer->directory, SNAPSHOT_NEW, writer->fd,
				  writer->about.slot))
		return cannot(writer, "cannot be put on the disk: %s",
			      strerror(errno));
	/* It is not soon read again. */
	posix_fadvise(writer->fd, 0, 0, POSIX_FADV_DONTNEED);
	close(writer->fd);
	writer->fd = -1;
	return 0;
}

void snapshot_abandon(struct snapshot_writer *writer)
{
	if (writer->fd < 0)
		return;
	close(writer->fd);
	writer->fd = -1;
	if (unlinkat(writer->directory, SNAPSHOT_NEW, 0))
		errno = 0;	/* the next one begins in it */
}

__attribute__((format(printf, 3, 4)))
static int wrong(struct snapshot_reader *reader, uint64_t at,
		 const char *format, ...)
{
	va_list args;
	int n;

	n = snprintf(reader->error, sizeof(reader->error),
		     "%s, offset %" PRIu64 ": ", reader->path, at);
	va_start(args, format);
	vsnprintf(reader->error + n, sizeof(reader->error) - n, format, args);
	va_end(args);
	return -1;
}

static int read_all(struct snapshot_reader *reader, void *bytes, size_t length)
{
	uint8_t *to = bytes;
	size_t left = length;
	ssize_t n;

	while (left) {
		n = pread(reader->fd, to, left, reader->at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return wrong(reader, reader->at, "cannot read: %s",
				     strerror(errno));
		if (!n)
			return wrong(reader, reader->at,
				     "the file ends in the middle");
		to += n;
		left -= n;
		reader->at += n;
	}
	return 0;
}

static int read_header(struct snapshot_reader *reader)
{
	struct snapshot_about *about = &reader->about;
	struct snapshot_header header;

	if (read_all(reader, &header, sizeof(header)))
		return -1;
	if (memcmp(header.magic, SNAPSHOT_MAGIC, sizeof(header.magic)))
		return wrong(reader, 0, "this is no snapshot of paxos");
	if (le32toh(header.version) != SNAPSHOT_VERSION)
		return wrong(reader, offsetof(struct snapshot_header, version),
			     "version %u, and this program reads %u",
			     le32toh(header.version), SNAPSHOT_VERSION);
	reader->seed = wal_crc(~0U, &header,
			       offsetof(struct snapshot_header, crc));
	if (le32toh(header.crc) != reader->seed)
		return wrong(reader, 0, "the header is damaged");
	reader->total = wal_crc(~0U, &header, sizeof(header));
	memcpy(about->cluster, header.cluster, sizeof(about->cluster));
	about->group = le32toh(header.group);
	about->slot = le64toh(header.slot);
	about->time = le64toh(header.time);
	about->epoch = le32toh(header.epoch);
	about->member = header.member;
	return 0;
}

int snapshot_open(struct snapshot_reader *reader, int directory,
		  const char *path)
{
	memset(reader, 0, sizeof(*reader));
	reader->path = path;
	reader->bytes = malloc(SNAPSHOT_BYTES_MAX);
	reader->fd = openat(directory, path, O_RDONLY | O_CLOEXEC);
	if (!reader->bytes || reader->fd < 0)
		return wrong(reader, 0, "cannot open: %s", strerror(errno));
	return read_header(reader);
}

void snapshot_close(struct snapshot_reader *reader)
{
	if (reader->fd >= 0)
		close(reader->fd);
	free(reader->bytes);
	reader->fd = -1;
	reader->bytes = NULL;
}

int snapshot_check(struct snapshot_reader *reader,
		   const uint8_t cluster[PAXOS_CLUSTER_SIZE], uint32_t group)
{
	char theirs[WAL_CLUSTER_NAME_SIZE];

	if (memcmp(reader->about.cluster, cluster, PAXOS_CLUSTER_SIZE))
		return wrong(reader, offsetof(struct snapshot_header, cluster),
			     "it is of cluster %s",
			     wal_cluster_name(theirs, reader->about.cluster));
	if (reader->about.group != group)
		return wrong(reader, offsetof(struct snapshot_header, group),
			     "it is of group %u", reader->about.group);
	return 0;
}

/* May a block of that type and length come now? */
static bool in_order(const struct snapshot_reader *reader, uint8_t type,
		     uint32_t length)
{
	switch (type) {
	case SNAPSHOT_CHECKPOINT:
		return !reader->type && length <= WAL_CHECKPOINT_MAX;
	case SNAPSHOT_SECTION:
		return reader->type && !reader->inside &&
		       reader->sections < SNAPSHOT_SECTIONS_MAX &&
		       length == sizeof(struct snapshot_section);
	case SNAPSHOT_DATA:
		return reader->inside && length;
	case SNAPSHOT_SECTION_END:
		return reader->inside && length == sizeof(struct snapshot_sum);
	case SNAPSHOT_END:
		return reader->type && !reader->inside &&
		       length == sizeof(struct snapshot_sum);
	default:
		return false;
	}
}

static int begin_section(struct snapshot_reader *reader, uint64_t start)
{
	const struct snapshot_section *section = (const void *)reader->bytes;

	if (!section->name[0] ||
	    !memchr(section->name, 0, sizeof(section->name)) ||
	    le64toh(section->slot) != reader->about.slot)
		return wrong(reader, start, "the section has no name, or another slot");
	strcpy(reader->name, section->name);
	reader->sections++;
	reader->inside = true;
	reader->section_length = 0;
	reader->section_crc = ~0U;
	reader->section_blocks = 0;
	return 1;
}

static int end_section(struct snapshot_reader *reader, uint64_t start)
{
	const struct snapshot_sum *sum = (const void *)reader->bytes;

	reader->inside = false;
	if (le64toh(sum->length) != reader->section_length ||
	    le32toh(sum->crc) != reader->section_crc ||
	    le32toh(sum->count) != reader->section_blocks)
		return wrong(reader, start,
			     "section '%s' is not what its sum says",
			     reader->name);
	return 1;
}

static int end_all(struct snapshot_reader *reader, uint64_t start,
		   uint32_t total)
{
	const struct snapshot_sum *sum = (const void *)reader->bytes;
	char byte;

	if (le64toh(sum->length) != start || le32toh(sum->crc) != total ||
	    le32toh(sum->count) != reader->sections)
		return wrong(reader, start, "the file is not what its sum says");
	if (pread(reader->fd, &byte, 1, reader->at))
		return wrong(reader, reader->at, "there is something behind the end");
	reader->ended = true;
	return 0;
}

int snapshot_read(struct snapshot_reader *reader)
{
	const uint64_t start = reader->at;
	const uint32_t total = reader->total;
	struct snapshot_block block;
	uint32_t length;

	if (reader->ended)
		return 0;
	if (read_all(reader, &block, sizeof(block)))
		return -1;
	length = le32toh(block.length);
	if (length > SNAPSHOT_BYTES_MAX)
		return wrong(reader, start, "a block is damaged");
	if (read_all(reader, reader->bytes, length))
		return -1;
	if (le32toh(block.crc) != block_crc(reader->seed, &block,
					    reader->bytes))
		return wrong(reader, start, "a block is damaged");
	if (!in_order(reader, block.type, length))
		return wrong(reader, start, "a block is out of place");
	reader->total = wal_crc(wal_crc(total, &block, sizeof(block)),
				reader->bytes, length);
	reader->type = block.type;
	reader->length = length;
	switch (block.type) {
	case SNAPSHOT_SECTION:
		return begin_section(reader, start);
	case SNAPSHOT_DATA:
		reader->section_length += length;
		reader->section_crc = wal_crc(reader->section_crc,
					      reader->bytes, length);
		reader->section_blocks++;
		return 1;
	case SNAPSHOT_SECTION_END:
		return end_section(reader, start);
	case SNAPSHOT_END:
		return end_all(reader, start, total);
	}
	return 1;
}

static void note(struct snapshot_content *content,
		 const struct snapshot_reader *reader)
{
	if (reader->type == SNAPSHOT_CHECKPOINT) {
		content->checkpoint_length = reader->length;
		memcpy(content->checkpoint, reader->bytes, reader->length);
	}
	if (reader->type != SNAPSHOT_SECTION_END)
		return;
	strcpy(content->sections[content->n].name, reader->name);
	content->sections[content->n].length = reader->section_length;
	content->sections[content->n].crc = ~reader->section_crc;
	content->n++;
}

int snapshot_verify(int directory, const char *path,
		    struct snapshot_content *content, char *error, size_t size)
{
	struct snapshot_reader reader;
	int result;

	memset(content, 0, sizeof(*content));
	result = snapshot_open(&reader, directory, path);
	content->about = reader.about;
	while (!result) {
		result = snapshot_read(&reader);
		if (result <= 0)
			break;
		note(content, &reader);
		result = 0;
	}
	content->size = reader.at;
	if (result)
		snprintf(error, size, "%s", reader.error);
	if (reader.fd >= 0)
		posix_fadvise(reader.fd, 0, 0, POSIX_FADV_DONTNEED);
	snapshot_close(&reader);
	return result;
}
