/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSD_FRAME_H
#define _PAXOSD_FRAME_H

/*
 * What two agents say over TCP when one brings its log to the other. No sockets
 * and no clocks here.
 *
 *	who asks	who has the log
 *	HELLO	->			a nonce
 *		<-	HELLO		its own nonce, and that one again
 *	ASK	->			"what is chosen, from this slot on"
 *		<-	VALUES ...	slot by slot
 *		<-	END		"that is all I know of, for now"
 *	ASK	->			and so on, until one of the two closes
 *
 * or, where the log does not begin early enough, TRIMMED and the slot that it
 * begins with. Who never had anything, and hears that of all, says BEGIN, and
 * gets a SNAPSHOT: the kernel's checkpoint of the slots before that one. What
 * the kernel's consumers hold comes for the asking: STATE, of some slot or a
 * later one, is answered with all of the newest such file in PARTs, from the
 * first byte to the last, or with END: there is none. A copy that broke off
 * begins anew; the file itself says whether it is whole.
 *
 * KEY asks what the other host's store has of a key, and HELD is the answer.
 *
 * The network belongs to an enemy. Each frame ends with a SipHash-2-4 tag over
 * the count of the frame, its header and its payload. A HELLO's is under a key
 * that is derived from the group's; all others' under one key for each
 * direction, derived from that and the two nonces. So what was recorded,
 * reordered, left out or sent back does not pass, and a connection that one
 * such frame arrived on is closed. It is authenticated and not encrypted, as
 * all that members say.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/paxos.h>
#include <linux/types.h>
#include "held.h"
#include "wal.h"

#define FRAME_VERSION		1
#define FRAME_KEY_SIZE		16
#define FRAME_NONCE_SIZE	16
#define FRAME_TAG_SIZE		8
#define FRAME_PAYLOAD_MAX	(64 << 10)
/* Ahead of a frame in memory, for its count. */
#define FRAME_ROOM		8

enum frame_type {
	FRAME_HELLO = 1,
	FRAME_ASK,
	FRAME_VALUES,
	FRAME_END,
	FRAME_TRIMMED,
	FRAME_SNAPSHOT,
	FRAME_BEGIN,
	FRAME_STATE,
	FRAME_PART,
	FRAME_KEY,
	FRAME_HELD,
	FRAME_TYPES,
};

/* At the start of each frame: header, payload, tag. */
struct frame_header {
	__le32 length;		/* of the payload */
	__u8 type;
	__u8 zero[3];
};
_Static_assert(sizeof(struct frame_header) == 8, "on the wire");

#define FRAME_SIZE_MIN (sizeof(struct frame_header) + FRAME_TAG_SIZE)
#define FRAME_SIZE_MAX (FRAME_SIZE_MIN + FRAME_PAYLOAD_MAX)

struct frame_hello {
	__u8 version;
	__u8 from;
	__u8 to;
	__u8 zero;
	__le32 group;
	__u8 nonce[FRAME_NONCE_SIZE];
	__u8 answers[FRAME_NONCE_SIZE];	/* the nonce of who asked, or 0 */
};
_Static_assert(sizeof(struct frame_hello) == 40, "on the wire");

/* ASK, STATE, END and TRIMMED: a slot. SNAPSHOT: one, then the checkpoint's bytes. */
struct frame_slot {
	__le64 slot;
};

/* PART: of the snapshot at @slot, a file of @size, the bytes from @offset on. */
struct frame_part {
	__le64 slot;
	__le64 offset;
	__le64 size;
};
_Static_assert(sizeof(struct frame_part) == 24, "on the wire");
#define FRAME_PART_MAX (FRAME_PAYLOAD_MAX - sizeof(struct frame_part))

/* HELD: as struct held (held.h), then the value. KEY: the key, and nothing else. */
struct frame_held {
	__le64 applied;
	__le64 create;
	__le64 mod;
	__le64 version;
	__le64 lease;
	__le32 error;
	__u8 found;
	__u8 zero[3];
};
_Static_assert(sizeof(struct frame_held) == 48, "on the wire");

/* VALUES: slots @first to @first + @count - 1; the log goes up to @goal. */
struct frame_values {
	__le64 first;
	__le64 goal;
	__le32 count;
	__le32 zero;
};
_Static_assert(sizeof(struct frame_values) == 24, "on the wire");

/* One of them, and its value, padded to 8 bytes with zeros. */
struct frame_value {
	__le64 ballot;
	__le64 incarnation;
	__le64 seq;
	__le32 length;
	__u8 kind;
	__u8 origin;
	__u8 zero[2];
};
_Static_assert(sizeof(struct frame_value) == 32, "on the wire");

/**
 * struct frame_way - one direction of a connection
 * @key: of the tags
 * @count: of the next frame
 */
struct frame_way {
	uint8_t key[FRAME_KEY_SIZE];
	uint64_t count;
};

/**
 * struct frame - one that has arrived, its tag verified
 * @payload: points into the buffer that it came in
 */
struct frame {
	uint8_t type;
	uint32_t length;
	const uint8_t *payload;
};

/* Why one is not believed; the connection ends. */
enum frame_fault {
	FRAME_FINE,
	FRAME_LENGTH,
	FRAME_TYPE,
	FRAME_TAG,
	FRAME_MALFORMED,
	FRAME_VERSIONS,
	FRAME_GROUP,
	FRAME_MEMBER,
	FRAME_FAULTS,
};

/* In words, for a person. */
const char *frame_fault_name(enum frame_fault fault);

/* The key of HELLOs; of no use for datagrams and heartbeats, nor theirs here. */
void frame_key(uint8_t derived[FRAME_KEY_SIZE],
	       const uint8_t key[PAXOS_KEY_SIZE],
	       const uint8_t cluster[PAXOS_CLUSTER_SIZE]);
/* Before the HELLOs, and once both are there. */
void frame_begin(struct frame_way *asks, struct frame_way *answers,
		 const uint8_t key[FRAME_KEY_SIZE]);
void frame_agree(struct frame_way *asks, struct frame_way *answers,
		 const uint8_t key[FRAME_KEY_SIZE],
		 const uint8_t asker[FRAME_NONCE_SIZE],
		 const uint8_t answerer[FRAME_NONCE_SIZE]);

/*
 * @at: FRAME_ROOM bytes, room for a header, then @length bytes of payload and
 * room for a tag. The frame is behind the FRAME_ROOM; its size is returned.
 */
size_t frame_seal(struct frame_way *way, uint8_t *at, uint8_t type,
		  uint32_t length);
static inline uint8_t *frame_payload(uint8_t *at)
{
	return at + FRAME_ROOM + sizeof(struct frame_header);
}

/*
 * How many bytes the frame has whose first @size bytes are behind FRAME_ROOM at
 * @at: at least a header's, and 0 if it cannot be one of up to @max.
 */
size_t frame_size(const uint8_t *at, size_t size, size_t max);
/* Whole at @at, and the next one of this way? Only then is it counted. */
enum frame_fault frame_open(struct frame_way *way, uint8_t *at, size_t size,
			    struct frame *frame);

/* HELLOs are checked against who should say them. */
struct frame_party {
	uint32_t group;
	uint8_t self;
	uint64_t members;	/* set, by 1 << (id - 1) */
};

uint32_t frame_put_hello(uint8_t *payload, const struct frame_party *party,
			 uint8_t to, const uint8_t nonce[FRAME_NONCE_SIZE],
			 const uint8_t answers[FRAME_NONCE_SIZE]);
/* @answers: the nonce that it must answer, or NULL: it asks. */
enum frame_fault frame_get_hello(const struct frame *frame,
				 const struct frame_party *party,
				 const uint8_t *answers, uint8_t *from,
				 uint8_t nonce[FRAME_NONCE_SIZE]);
uint32_t frame_put_slot(uint8_t *payload, uint64_t slot);
enum frame_fault frame_get_slot(const struct frame *frame, uint64_t *slot);
/* The bytes are behind the slot in the payload already. */
uint32_t frame_put_snapshot(uint8_t *payload, uint64_t slot, uint32_t length);
enum frame_fault frame_get_snapshot(const struct frame *frame, uint64_t *slot,
				    const uint8_t **bytes, uint32_t *length);

/* The bytes are behind room for a struct frame_part in the payload already. */
uint32_t frame_put_part(uint8_t *payload, uint64_t slot, uint64_t offset,
			uint64_t size, uint32_t length);
/* Within the file, and not empty. */
enum frame_fault frame_get_part(const struct frame *frame, uint64_t *slot,
				uint64_t *offset, uint64_t *size,
				const uint8_t **bytes, uint32_t *length);

enum frame_fault frame_get_key(const struct frame *frame, const uint8_t **key,
			       uint32_t *length);
uint32_t frame_put_held(uint8_t *payload, const struct held *held);
/* A value comes with what was found, and with nothing else. */
enum frame_fault frame_get_held(const struct frame *frame, struct held *held);

/* The payload of VALUES that is being filled. */
struct frame_batch {
	uint8_t *payload;
	uint64_t first;
	uint32_t count;
	uint32_t length;
};

void frame_batch_begin(struct frame_batch *batch, uint8_t *payload,
		       uint64_t first);
/* The next slot's; false: no room, and it is of the next frame. */
bool frame_batch_add(struct frame_batch *batch, const struct record *record);
/* The length of the payload. */
uint32_t frame_batch_end(struct frame_batch *batch, uint64_t goal);

/*
 * All of a VALUES is checked first: lengths, padding, kinds, slots. Then @visit
 * gets them in order; what it returned, if that was not 0, is returned.
 */
enum frame_fault frame_get_values(const struct frame *frame, uint64_t *first,
				  uint64_t *goal, uint32_t *count);
int frame_visit_values(const struct frame *frame, wal_visit visit,
		       void *context);

#endif
