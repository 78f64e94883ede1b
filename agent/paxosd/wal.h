/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSD_WAL_H
#define _PAXOSD_WAL_H

/*
 * The write-ahead log: what this member has promised and accepted, on disk.
 *
 * The state directory holds
 *	0000000001.wal ...	segments, numbered without a gap, from 1 or, where
 *				the log was trimmed, from its floor
 *	spare			space for the next segment
 *	durable			up to where the log was known to be on the disk
 *	lock			flock()ed by the agent that runs, its pid inside
 *
 * A segment is a struct wal_segment in a block of its own, then batches, each
 * from a block's start: a struct wal_batch and its records, each a struct
 * wal_record and its value, padded to 8 bytes. All integers are little-endian.
 * A batch is what one PULL brought: one write and one fdatasync. No batch
 * shares a block with another, so a write that power cut short harms nothing
 * that was acknowledged before.
 *
 * Every CRC32C but the header's starts from the segment's random salt: what an
 * earlier life of the same blocks left there does not pass.
 *
 * What the reader may conclude (wal_read.c does):
 * - A process writes only segments that it created, one after the other, and a
 *   batch only once the batch before is on the disk. So all batches but the
 *   last are known to be durable, and only the last can be torn.
 * - A segment gets its name once its header and first batch are on the disk
 *   (the first segment has no batch), and its header says where the segment
 *   before ends. So both are exact, and what is missing or wrong there is
 *   damage.
 * - In the last segment the log ends at the first batch that is not whole. If
 *   a batch with a valid header stands anywhere behind, or if "durable" names
 *   a later end, then this is damage and no torn tail.
 * - A checkpoint with a floor says that the segments below are not needed any
 *   more. It is on the disk before the first of them goes, so what lacks from
 *   there on is damage, and what is still there below is of no interest.
 * Damage means that votes were lost: the member must not vote (law 3).
 *
 * The cluster changes from one segment to the next only where that one begins
 * with a WAL_RECOVERY which says so: what precedes it is the legacy of a
 * cluster that lost its quorum for good.
 */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/paxos.h>
#include <linux/types.h>

#define WAL_MAGIC		"paxoswal"
#define WAL_VERSION		1
#define WAL_BLOCK		4096
#define WAL_SEGMENT_SIZE	(16 << 20)	/* of a new one */
#define WAL_SEGMENT_MAX		(64 << 20)	/* that is read */
#define WAL_ZERO_SIZE		(256 << 10)	/* of a step of wal_zero() */
#define WAL_BATCH_MAX		(1 << 20)	/* with its header and padding */
#define WAL_BATCH_MAGIC		0x48435442	/* "BTCH" */
#define WAL_NAME_SIZE		32
#define WAL_ERROR_SIZE		(PATH_MAX + 512)

/* A life of the group in a kernel, started from this log; has no lsn. */
#define WAL_SESSION		128
/* What the slots up to its own have left behind; has no lsn. See wal_trim.h. */
#define WAL_CHECKPOINT		129
/* The member is a cluster of its own from here on; has no lsn. */
#define WAL_RECOVERY		130
_Static_assert(WAL_SESSION > PAXOS_NL_RECORD_TRIM, "not the kernel's");

/**
 * struct wal_segment - at the start of the file
 * @previous_crc: of the last header before @previous_end in the segment before
 * @sequence: the number in the file's name
 * @previous_end: where the segment before ends; what follows there is void
 * @lsn: the last one in the segments before
 * @salt: random
 * @crc: of all the above
 */
struct wal_segment {
	__u8 magic[8];
	__le32 version;
	__le32 group;
	__u8 cluster[PAXOS_CLUSTER_SIZE];
	__u8 member;
	__u8 durability;
	__u8 zero[2];
	__le32 previous_crc;
	__le64 sequence;
	__le64 previous_end;
	__le64 lsn;
	__le64 salt;
	__le32 zero2;
	__le32 crc;
};
_Static_assert(sizeof(struct wal_segment) == 80, "on disk");

/**
 * struct wal_batch - before the records of one fdatasync
 * @crc: of what follows in this header
 * @length: bytes of the records
 * @count: of the records
 * @sequence: of the segment
 * @offset: of this header in it
 * @lsn: the last one before this batch
 * @previous_crc: of the batch before, or of the segment's header
 */
struct wal_batch {
	__le32 magic;
	__le32 crc;
	__le32 length;
	__le32 count;
	__le64 sequence;
	__le64 offset;
	__le64 lsn;
	__le32 previous_crc;
	__le32 zero;
};
_Static_assert(sizeof(struct wal_batch) == 48, "on disk");

/**
 * struct wal_record - one record
 * @crc: of the rest, the value and its padding
 * @length: of the value
 * @lsn: rises from record to record, with gaps; 0 in what is not the kernel's
 * @type: enum paxos_nl_record, WAL_SESSION or WAL_CHECKPOINT
 */
struct wal_record {
	__le32 crc;
	__le32 length;
	__le64 lsn;
	__le64 slot;
	__le64 ballot;
	__le64 incarnation;
	__le64 seq;
	__u8 type;
	__u8 kind;
	__u8 origin;
	__u8 zero[5];
};
_Static_assert(sizeof(struct wal_record) == 56, "on disk");

/* The value of a WAL_SESSION. */
struct wal_session {
	__le64 instance;
	__le64 incarnation;
};
_Static_assert(sizeof(struct wal_session) == 16, "on disk");

/**
 * struct wal_checkpoint - the value of a WAL_CHECKPOINT, then the kernel's bytes
 * @floor: the segments below are not needed any more; 0: it does not say that
 * @instance, @incarnation: of the last session so far
 *
 * The record's slot is the checkpoint's, its ballot the highest that any record
 * so far promised or accepted.
 */
struct wal_checkpoint {
	__le64 floor;
	__le64 instance;
	__le64 incarnation;
};
_Static_assert(sizeof(struct wal_checkpoint) == 24, "on disk");
#define WAL_CHECKPOINT_MAX \
	(PAXOS_NL_VALUE_MAX - sizeof(struct wal_checkpoint))

/**
 * struct wal_recovery - the value of a WAL_RECOVERY: what was done, for people
 * @former: the cluster that had lost its quorum
 * @cluster: the one that this member is from here on
 * @time: seconds since 1970
 * @members: of the former cluster, by 1 << (id - 1)
 * @commit: slots up to here were known to be chosen in it
 * @decided: slots up to here are chosen now
 * @missing: of those between, without a value here: no-ops now
 */
struct wal_recovery {
	__u8 former[PAXOS_CLUSTER_SIZE];
	__u8 cluster[PAXOS_CLUSTER_SIZE];
	__le64 time;
	__le64 members;
	__le64 commit;
	__le64 decided;
	__le64 missing;
};
_Static_assert(sizeof(struct wal_recovery) == 72, "on disk");

/**
 * struct wal_durable - the file "durable"
 * @sequence: of a segment
 * @end: up to here it was on the disk
 * @lives: rises whenever an agent begins to run here
 *
 * Rewritten in place after each fdatasync of the log, itself without one until
 * there is time for it: an old state of it is true as well, and a torn one fails
 * its CRC. But after a loss of power what it does not tell of any more is told by
 * nothing: a last batch that rots as well is then taken for one that was torn.
 */
struct wal_durable {
	__u8 magic[8];
	__le64 sequence;
	__le64 end;
	__le64 lives;
	__le32 zero;
	__le32 crc;
};
_Static_assert(sizeof(struct wal_durable) == 40, "on disk");

/* Whose log it is. */
struct wal_identity {
	uint8_t cluster[PAXOS_CLUSTER_SIZE];
	uint32_t group;
	uint8_t member;
	uint8_t durability;	/* enum paxos_nl_durability */
};

/* A record in memory; @value is not the record's own. */
struct record {
	uint64_t lsn;
	uint64_t slot;
	uint64_t ballot;
	uint64_t incarnation;
	uint64_t seq;
	uint8_t type;
	uint8_t kind;
	uint8_t origin;
	uint32_t length;
	const void *value;
};

/* A place between two batches. */
struct wal_place {
	uint64_t sequence;
	uint64_t offset;
	uint32_t crc;		/* of the header before it */
	uint64_t lsn;		/* the last one before it */
};

/* What a log that was trimmed begins with; slot 0: it was not. */
struct wal_base {
	uint64_t slot;
	uint64_t promised;
	uint32_t length;
	uint8_t bytes[WAL_CHECKPOINT_MAX];
};

struct wal_index;

/**
 * struct wal - a log that is open
 * @path: of the state directory, for errors
 * @directory: file descriptor of it
 * @end: of the log
 * @last: where the last batch begins; equals @end when there is none
 * @confirmed: the last batch is known to be on the disk
 * @instance: of the last session
 * @incarnation: of the last session, 0: there was none
 * @lives: from "durable"
 * @lowest: segment that is there
 * @floor: segment that is needed
 * @base: what stands for the slots that are in none
 * @promised: highest ballot that a record promised or accepted
 * @replays: these four are known
 * @recovery: the last one, its time 0: there was none
 * @fd: the segment at @end.sequence, if this process created it, or -1
 * @closed: bytes on the disk that the segments before that take
 * @spare: space for the next, or -1
 * @zeroed: bytes of @spare that are written, with zeros
 * @plain: to write zeros failed; it is not tried again
 * @durable: the file "durable", or -1
 * @unmarked: what is in it may be in the cache only
 * @index: where slots are, for who reads beside the writer, or NULL
 * @seed: CRC of the salt of @fd
 * @size: of a new segment
 * @batch: the batch that is being filled, a block ahead of it for a header
 * @filled: bytes in it, its header included; 0: no batch has begun
 * @count: records in it
 * @born: the first segment that this process created, 0: none yet
 * @full: no space may be taken for a further segment
 * @failed: a write or fdatasync failed; nothing is written any more
 * @damaged: what was acknowledged is not there any more, or is not whole
 * @foreign: it is not this member's, or not for this agent
 * @error: why the last call returned -1, a sentence
 */
struct wal {
	struct wal_identity identity;
	char path[PATH_MAX];
	int directory;

	struct wal_place end;
	struct wal_place last;
	bool confirmed;
	uint64_t instance;
	uint64_t incarnation;
	uint64_t lives;
	uint64_t lowest;
	uint64_t floor;
	uint64_t promised;
	bool replays;
	struct wal_base base;
	struct wal_recovery recovery;

	int fd;
	uint64_t closed;
	int spare;
	uint64_t zeroed;
	bool plain;
	int durable;
	bool unmarked;
	struct wal_index *index;
	uint32_t seed;
	uint64_t size;
	uint8_t *batch;
	uint32_t filled;
	uint32_t count;
	uint64_t lsn;
	uint64_t born;
	bool full;
	bool failed;
	bool damaged;
	bool foreign;
	char error[WAL_ERROR_SIZE];
};

/* Called for each record in order; anything but 0 ends the walk. */
typedef int (*wal_visit)(void *context, const struct record *record);

/*
 * Everything that returns int gives 0, or -1 with a sentence in wal->error.
 * @directory is the state directory, locked; it stays the caller's. wal_close()
 * must follow in each case.
 */
void wal_init(struct wal *wal, const struct wal_identity *identity,
	      const char *path, int directory);
/* An empty log. 1: there is one of this identity already. */
int wal_create(struct wal *wal);
/*
 * Read and verify all. Writes nothing. -ENOENT: there is no log; -ESTALE: it
 * was recovered, and is of @recovery.cluster now.
 */
int wal_open(struct wal *wal);
/* Is there any segment in @directory? */
bool wal_found(int directory);
/*
 * Read all again. What @visit returned, if that was not 0. The base of a log
 * that was trimmed comes first, as a trim; what it stands for does not come.
 */
int wal_replay(struct wal *wal, wal_visit visit, void *context);
void wal_close(struct wal *wal);

/*
 * Make sure that all of the log is on the disk, not only in a cache that a
 * failed fdatasync left behind: see wal.c. Counts a life: wal->lives becomes
 * more than it was, and @now (seconds) if that is more still, so a lost count
 * and a clock that was set back mend each other.
 */
int wal_confirm(struct wal *wal, uint64_t now);
/* Put records into a batch, and that onto the disk. Final once it failed. */
int wal_add(struct wal *wal, const struct record *record);
int wal_commit(struct wal *wal);
/* The group of @instance starts as @incarnation: on the disk on return. */
int wal_session(struct wal *wal, uint64_t instance, uint64_t incarnation);
/*
 * All at once: the log is of @recovery->cluster, and @n records of the kernel's
 * kinds follow, whose lsn are given here, in an incarnation of their own. After
 * wal_confirm(), and with no batch begun.
 */
int wal_recover(struct wal *wal, const struct wal_recovery *recovery,
		struct record *records, size_t n);
/* Allot the space for the next segment, if that is not done. */
int wal_prepare(struct wal *wal);
/*
 * Write zeros into some of that space. Blocks that were allotted and never
 * written cost a commit of the file system's journal when they first are, so a
 * batch that finds them written is on the disk in a fraction of the time. For
 * when there is nothing else to do; a step takes as long as a large batch. 1:
 * there is more of it; 0: there is not. Space of which it fails (-1) is given up,
 * and from then on space is only allotted.
 */
int wal_zero(struct wal *wal);
/*
 * What "durable" says shall outlive a loss of power. For when there has been
 * nothing else to do for a while; -1: it may not, and nothing is worse.
 */
int wal_mark(struct wal *wal);

#define WAL_CLUSTER_NAME_SIZE (2 * PAXOS_CLUSTER_SIZE + 1)
/* 32 digits. */
char *wal_cluster_name(char name[WAL_CLUSTER_NAME_SIZE],
		       const uint8_t cluster[PAXOS_CLUSTER_SIZE]);

/* Between wal.c, wal_read.c and wal_trim.c. */
__attribute__((format(printf, 2, 3)))
int wal_wrong(struct wal *wal, const char *format, ...);
int wal_failed(struct wal *wal, const char *what);
void wal_promises(struct wal *wal, const struct record *record);
uint32_t wal_crc(uint32_t seed, const void *bytes, size_t length);
uint32_t wal_salt_seed(__le64 salt);
char *wal_segment_name(char name[WAL_NAME_SIZE], uint64_t sequence);
uint32_t wal_durable_crc(const struct wal *wal,
			 const struct wal_durable *durable);
/* The batch at @place; -1, or what @visit returned. */
int wal_read_batch(struct wal *wal, const struct wal_place *place,
		   wal_visit visit, void *context);
int wal_read_durable(struct wal *wal, struct wal_durable *durable);

/* wal_format.c: what is at @at if it is whole, checked, or NULL. */
const struct wal_batch *wal_batch_at(const uint8_t *at, size_t size,
				     uint32_t seed, uint64_t sequence,
				     uint64_t offset);
const struct wal_record *wal_record_at(const uint8_t *at, const uint8_t *end,
				       uint32_t seed);
void wal_decode(struct record *record, const struct wal_record *disk);

static inline uint64_t wal_blocks(uint64_t bytes)
{
	return (bytes + WAL_BLOCK - 1) & ~(uint64_t)(WAL_BLOCK - 1);
}

static inline uint32_t wal_padded(uint32_t length)
{
	return (length + 7) & ~7U;
}

#endif
