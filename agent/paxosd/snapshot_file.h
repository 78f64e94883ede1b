/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSD_SNAPSHOT_FILE_H
#define _PAXOSD_SNAPSHOT_FILE_H

/*
 * A snapshot in a file: what the consumers of a group hold after a slot, and
 * what the kernel needs to go on behind it.
 *
 *	struct snapshot_header
 *	blocks: a struct snapshot_block, and its bytes, unpadded
 *		CHECKPOINT	what the slots up to that one left in the kernel
 *		SECTION		a struct snapshot_section: of one consumer
 *		DATA ...	its bytes
 *		SECTION_END	a struct snapshot_sum of those
 *		...		other sections
 *		END		a struct snapshot_sum of the file so far
 *
 * in just this order, and nothing behind. All integers are little-endian. The
 * CRC32C of a block starts from that of the header, so no block of another file
 * passes. A file has its name once all of it is on the disk; so what is not
 * whole is damage, and is told with the offset.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "wal.h"

#define SNAPSHOT_MAGIC		"paxossnp"
#define SNAPSHOT_VERSION	1
#define SNAPSHOT_BYTES_MAX	PAXOS_NL_VALUE_MAX	/* of a block */
#define SNAPSHOT_NAME_MAX	15
#define SNAPSHOT_SECTIONS_MAX	64
#define SNAPSHOT_FILE_SIZE	40	/* of a file's name */
#define SNAPSHOT_SUFFIX		".snapshot"
#define SNAPSHOT_NEW		"snapshot.new"		/* being taken */
#define SNAPSHOT_FETCHED	"snapshot.fetched"	/* being got */

/**
 * struct snapshot_header - at the start
 * @slot: all sections are of the state after it
 * @time: when it was taken, seconds since 1970
 * @epoch: of the configuration that held then
 * @member: who took it
 */
struct snapshot_header {
	__u8 magic[8];
	__le32 version;
	__le32 group;
	__u8 cluster[PAXOS_CLUSTER_SIZE];
	__le64 slot;
	__le64 time;
	__le32 epoch;
	__u8 member;
	__u8 zero[3];
	__le32 zero2;
	__le32 crc;
};
_Static_assert(sizeof(struct snapshot_header) == 64, "on disk");

enum snapshot_type {
	SNAPSHOT_CHECKPOINT = 1,
	SNAPSHOT_SECTION,
	SNAPSHOT_DATA,
	SNAPSHOT_SECTION_END,
	SNAPSHOT_END,
};

struct snapshot_block {
	__le32 crc;		/* of what follows, and the bytes */
	__le32 length;		/* of the bytes */
	__u8 type;
	__u8 zero[7];
};
_Static_assert(sizeof(struct snapshot_block) == 16, "on disk");

struct snapshot_section {
	char name[SNAPSHOT_NAME_MAX + 1];
	__le64 slot;
};
_Static_assert(sizeof(struct snapshot_section) == 24, "on disk");

/* SECTION_END: of the bytes of the section. END: of all before it. */
struct snapshot_sum {
	__le64 length;
	__le32 crc;
	__le32 count;		/* of the blocks of DATA; of the sections */
};
_Static_assert(sizeof(struct snapshot_sum) == 16, "on disk");

/* What a snapshot is, in memory. */
struct snapshot_about {
	uint8_t cluster[PAXOS_CLUSTER_SIZE];
	uint32_t group;
	uint32_t epoch;
	uint8_t member;
	uint64_t slot;
	uint64_t time;
};

/**
 * struct snapshot_writer - one that is being written, as SNAPSHOT_NEW
 * @directory: the caller's
 * @seed: of the blocks' CRCs
 * @at: bytes written
 * @total: CRC of all of them
 * @section: of the section that is being written
 * @error: why the last call returned -1, a sentence
 */
struct snapshot_writer {
	int directory;
	int fd;
	uint32_t seed;
	uint64_t at;
	uint32_t total;
	uint64_t section_length;
	uint32_t section_crc;
	uint32_t section_blocks;
	uint32_t sections;
	struct snapshot_about about;
	char error[WAL_ERROR_SIZE];
};

/*
 * 0, or -1 with a sentence. Sections one after the other: begin, bytes in any
 * number of calls of up to SNAPSHOT_BYTES_MAX, end; then finish, which returns
 * once the file has its name, @name, and is on the disk. snapshot_abandon()
 * must follow in each case, and removes what was not finished.
 */
int snapshot_create(struct snapshot_writer *writer, int directory,
		    const struct snapshot_about *about, const void *checkpoint,
		    uint32_t length);
int snapshot_section_begin(struct snapshot_writer *writer, const char *name);
int snapshot_bytes(struct snapshot_writer *writer, const void *bytes,
		   uint32_t length);
int snapshot_section_end(struct snapshot_writer *writer);
int snapshot_finish(struct snapshot_writer *writer);
void snapshot_abandon(struct snapshot_writer *writer);
/* What has the name @from gets its own, durably. -1 and errno. */
int snapshot_name_durably(int directory, const char *from, int fd,
			  uint64_t slot);

/**
 * struct snapshot_reader - one that is being read, block by block
 * @path: for errors
 * @type: of the last block
 * @bytes: of it, @length of them
 * @name: of the section that is being read
 * @sections: so far
 */
struct snapshot_reader {
	int fd;
	const char *path;
	uint32_t seed;
	uint64_t at;
	uint32_t total;
	uint64_t section_length;
	uint32_t section_crc;
	uint32_t section_blocks;
	uint32_t sections;
	bool inside;
	bool ended;
	struct snapshot_about about;
	char name[SNAPSHOT_NAME_MAX + 1];
	uint8_t type;
	uint32_t length;
	uint8_t *bytes;
	char error[WAL_ERROR_SIZE];
};

/*
 * 0, or -1 with a sentence that names file and offset. open() checks the
 * header; read() gives one whole block after the other in their only order: 1:
 * one is there, 0: END was, and nothing is behind it. close() must follow in
 * each case.
 */
int snapshot_open(struct snapshot_reader *reader, int directory,
		  const char *path);
int snapshot_read(struct snapshot_reader *reader);
void snapshot_close(struct snapshot_reader *reader);
/* Is it of that cluster and group? 0, or -1 with the sentence. */
int snapshot_check(struct snapshot_reader *reader,
		   const uint8_t cluster[PAXOS_CLUSTER_SIZE], uint32_t group);

/* What a whole file holds. */
struct snapshot_content {
	struct snapshot_about about;
	uint64_t size;
	unsigned int n;
	struct {
		char name[SNAPSHOT_NAME_MAX + 1];
		uint64_t length;
		uint32_t crc;
	} sections[SNAPSHOT_SECTIONS_MAX];
	uint32_t checkpoint_length;
	uint8_t checkpoint[WAL_CHECKPOINT_MAX];
};

/* Read and verify all. 0, or -1 with a sentence in @error. */
int snapshot_verify(int directory, const char *path,
		    struct snapshot_content *content, char *error,
		    size_t size);

char *snapshot_file_name(char name[SNAPSHOT_FILE_SIZE], uint64_t slot);
/* The slot of a file of that name; 0: it is no snapshot's. */
uint64_t snapshot_file_slot(const char *name);

#endif
