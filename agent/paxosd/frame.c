// SPDX-License-Identifier: GPL-2.0
#include <endian.h>
#include <sodium.h>
#include <string.h>
#include "frame.h"

_Static_assert(crypto_shorthash_KEYBYTES == FRAME_KEY_SIZE, "SipHash-2-4");
_Static_assert(crypto_shorthash_BYTES == FRAME_TAG_SIZE, "SipHash-2-4");

/* Purposes of keys derived from a group's; heartbeat.c has others. */
enum {
	PURPOSE_TRANSFER_LOW = 16,
	PURPOSE_TRANSFER_HIGH = 17,
};

/* HELLOs of the two sides differ in their count. */
#define ASKS_BEGIN	(1ULL << 62)
#define ANSWERS_BEGIN	(1ULL << 63)

const char *frame_fault_name(enum frame_fault fault)
{
	static const char *const names[FRAME_FAULTS] = {
		[FRAME_FINE] = "fine",
		[FRAME_LENGTH] = "of a length that no frame has",
		[FRAME_TYPE] = "of a type that does not belong there",
		[FRAME_TAG] = "not under this group's key, or not the next of its connection",
		[FRAME_MALFORMED] = "malformed",
		[FRAME_VERSIONS] = "of another version",
		[FRAME_GROUP] = "of another group",
		[FRAME_MEMBER] = "not from another member to this one",
	};

	return names[fault];
}

static void derive(uint8_t derived[FRAME_KEY_SIZE], uint8_t *input, size_t size,
		   const uint8_t *key, uint8_t low, uint8_t high)
{
	input[size - 1] = low;
	crypto_shorthash(derived, input, size, key);
	input[size - 1] = high;
	crypto_shorthash(derived + crypto_shorthash_BYTES, input, size, key);
}

void frame_key(uint8_t derived[FRAME_KEY_SIZE],
	       const uint8_t key[PAXOS_KEY_SIZE],
	       const uint8_t cluster[PAXOS_CLUSTER_SIZE])
{
	uint8_t input[PAXOS_CLUSTER_SIZE + 1];

	memcpy(input, cluster, PAXOS_CLUSTER_SIZE);
	derive(derived, input, sizeof(input), key, PURPOSE_TRANSFER_LOW,
	       PURPOSE_TRANSFER_HIGH);
}

void frame_begin(struct frame_way *asks, struct frame_way *answers,
		 const uint8_t key[FRAME_KEY_SIZE])
{
	memcpy(asks->key, key, FRAME_KEY_SIZE);
	asks->count = ASKS_BEGIN;
	memcpy(answers->key, key, FRAME_KEY_SIZE);
	answers->count = ANSWERS_BEGIN;
}

void frame_agree(struct frame_way *asks, struct frame_way *answers,
		 const uint8_t key[FRAME_KEY_SIZE],
		 const uint8_t asker[FRAME_NONCE_SIZE],
		 const uint8_t answerer[FRAME_NONCE_SIZE])
{
	uint8_t input[2 * FRAME_NONCE_SIZE + 1];

	memcpy(input, asker, FRAME_NONCE_SIZE);
	memcpy(input + FRAME_NONCE_SIZE, answerer, FRAME_NONCE_SIZE);
	derive(asks->key, input, sizeof(input), key, 0, 1);
	asks->count = 1;
	derive(answers->key, input, sizeof(input), key, 2, 3);
	answers->count = 1;
}

/* Of the count, the header and the payload, which lie in a row from @at. */
static void make_tag(const struct frame_way *way, uint8_t *at, uint32_t length,
		     uint8_t tag[FRAME_TAG_SIZE])
{
	const __le64 count = htole64(way->count);

	memcpy(at, &count, sizeof(count));
	crypto_shorthash(tag, at,
			 FRAME_ROOM + sizeof(struct frame_header) + length,
			 way->key);
}

size_t frame_seal(struct frame_way *way, uint8_t *at, uint8_t type,
		  uint32_t length)
{
	const struct frame_header header = {
		.length = htole32(length),
		.type = type,
	};

	memcpy(at + FRAME_ROOM, &header, sizeof(header));
	make_tag(way, at, length, frame_payload(at) + length);
	way->count++;
	return FRAME_SIZE_MIN + length;
}

size_t frame_size(const uint8_t *at, size_t size, size_t max)
{
	struct frame_header header;
	uint32_t length;

	if (size < sizeof(header))
		return sizeof(header);
	memcpy(&header, at + FRAME_ROOM, sizeof(header));
	length = le32toh(header.length);
	if (length > FRAME_PAYLOAD_MAX || FRAME_SIZE_MIN + length > max)
		return 0;
	return FRAME_SIZE_MIN + length;
}

enum frame_fault frame_open(struct frame_way *way, uint8_t *at, size_t size,
			    struct frame *frame)
{
	uint8_t tag[FRAME_TAG_SIZE];
	struct frame_header header;
	uint32_t length;

	if (size < FRAME_SIZE_MIN ||
	    frame_size(at, size, FRAME_SIZE_MAX) != size)
		return FRAME_LENGTH;
	length = size - FRAME_SIZE_MIN;
	make_tag(way, at, length, tag);
	if (sodium_memcmp(tag, frame_payload(at) + length, sizeof(tag)))
		return FRAME_TAG;
	memcpy(&header, at + FRAME_ROOM, sizeof(header));
	if (header.zero[0] || header.zero[1] || header.zero[2])
		return FRAME_MALFORMED;
	if (!header.type || header.type >= FRAME_TYPES)
		return FRAME_TYPE;
	way->count++;
	frame->type = header.type;
	frame->length = length;
	frame->payload = frame_payload(at);
	return FRAME_FINE;
}

uint32_t frame_put_hello(uint8_t *payload, const struct frame_party *party,
			 uint8_t to, const uint8_t nonce[FRAME_NONCE_SIZE],
			 const uint8_t answers[FRAME_NONCE_SIZE])
{
	struct frame_hello hello = {
		.version = FRAME_VERSION,
		.from = party->self,
		.to = to,
		.group = htole32(party->group),
	};

	memcpy(hello.nonce, nonce, FRAME_NONCE_SIZE);
	if (answers)
		memcpy(hello.answers, answers, FRAME_NONCE_SIZE);
	memcpy(payload, &hello, sizeof(hello));
	return sizeof(hello);
}

enum frame_fault frame_get_hello(const struct frame *frame,
				 const struct frame_party *party,
				 const uint8_t *answers, uint8_t *from,
				 uint8_t nonce[FRAME_NONCE_SIZE])
{
	static const uint8_t none[FRAME_NONCE_SIZE];
	struct frame_hello hello;

	if (frame->type != FRAME_HELLO)
		return FRAME_TYPE;
	if (frame->length != sizeof(hello))
		return FRAME_LENGTH;
	memcpy(&hello, frame->payload, sizeof(hello));
	if (hello.version != FRAME_VERSION)
		return FRAME_VERSIONS;
	if (le32toh(hello.group) != party->group)
		return FRAME_GROUP;
	if (hello.to != party->self || hello.from == party->self ||
	    hello.from < 1 || hello.from > PAXOS_NL_MEMBERS_MAX ||
	    !(party->members & 1ULL << (hello.from - 1)))
		return FRAME_MEMBER;
	if (hello.zero ||
	    memcmp(hello.answers, answers ? answers : none, FRAME_NONCE_SIZE))
		return FRAME_MALFORMED;
	*from = hello.from;
	memcpy(nonce, hello.nonce, FRAME_NONCE_SIZE);
	return FRAME_FINE;
}

uint32_t frame_put_slot(uint8_t *payload, uint64_t slot)
{
	const struct frame_slot wire = { .slot = htole64(slot) };

	memcpy(payload, &wire, sizeof(wire));
	return sizeof(wire);
}

enum frame_fault frame_get_slot(const struct frame *frame, uint64_t *slot)
{
	struct frame_slot wire;

	if (frame->length != sizeof(wire))
		return FRAME_LENGTH;
	memcpy(&wire, frame->payload, sizeof(wire));
	*slot = le64toh(wire.slot);
	return FRAME_FINE;
}

uint32_t frame_put_snapshot(uint8_t *payload, uint64_t slot, uint32_t length)
{
	return frame_put_slot(payload, slot) + length;
}

enum frame_fault frame_get_snapshot(const struct frame *frame, uint64_t *slot,
				    const uint8_t **bytes, uint32_t *length)
{
	const struct frame begin = {
		.payload = frame->payload,
		.length = sizeof(struct frame_slot),
	};
	enum frame_fault fault;

	if (frame->length <= begin.length ||
	    frame->length - begin.length > WAL_CHECKPOINT_MAX)
		return FRAME_LENGTH;
	fault = frame_get_slot(&begin, slot);
	if (!fault && !*slot)
		fault = FRAME_MALFORMED;
	*bytes = frame->payload + begin.length;
	*length = frame->length - begin.length;
	return fault;
}

uint32_t frame_put_part(uint8_t *payload, uint64_t slot, uint64_t offset,
			uint64_t size, uint32_t length)
{
	const struct frame_part part = {
		.slot = htole64(slot),
		.offset = htole64(offset),
		.size = htole64(size),
	};

	memcpy(payload, &part, sizeof(part));
	return sizeof(part) + length;
}

enum frame_fault frame_get_part(const struct frame *frame, uint64_t *slot,
				uint64_t *offset, uint64_t *size,
				const uint8_t **bytes, uint32_t *length)
{
	struct frame_part part;

	if (frame->length <= sizeof(part))
		return FRAME_LENGTH;
	memcpy(&part, frame->payload, sizeof(part));
	*slot = le64toh(part.slot);
	*offset = le64toh(part.offset);
	*size = le64toh(part.size);
	*bytes = frame->payload + sizeof(part);
	*length = frame->length - sizeof(part);
	if (!*slot || *offset > *size || *length > *size - *offset)
		return FRAME_MALFORMED;
	return FRAME_FINE;
}

enum frame_fault frame_get_key(const struct frame *frame, const uint8_t **key,
			       uint32_t *length)
{
	if (!frame->length || frame->length > PAXOS_KV_KEY_MAX)
		return FRAME_LENGTH;
	*key = frame->payload;
	*length = frame->length;
	return FRAME_FINE;
}

uint32_t frame_put_held(uint8_t *payload, const struct held *held)
{
	const struct frame_held wire = {
		.applied = htole64(held->applied),
		.create = htole64(held->create),
		.mod = htole64(held->mod),
		.version = htole64(held->version),
		.lease = htole64(held->lease),
		.error = htole32(held->error),
		.found = held->found,
	};

	memcpy(payload, &wire, sizeof(wire));
	memcpy(payload + sizeof(wire), held->value, held->length);
	return sizeof(wire) + held->length;
}

enum frame_fault frame_get_held(const struct frame *frame, struct held *held)
{
	struct frame_held wire;

	if (frame->length < sizeof(wire) ||
	    frame->length - sizeof(wire) > PAXOS_NL_VALUE_MAX)
		return FRAME_LENGTH;
	memcpy(&wire, frame->payload, sizeof(wire));
	held->applied = le64toh(wire.applied);
	held->create = le64toh(wire.create);
	held->mod = le64toh(wire.mod);
	held->version = le64toh(wire.version);
	held->lease = le64toh(wire.lease);
	held->error = le32toh(wire.error);
	held->found = wire.found;
	held->length = frame->length - sizeof(wire);
	memcpy(held->value, frame->payload + sizeof(wire), held->length);
	if (wire.found > 1 || wire.zero[0] || wire.zero[1] || wire.zero[2] ||
	    held->error > HELD_ERROR_MAX || (held->found && held->error) ||
	    (held->length && !held->found))
		return FRAME_MALFORMED;
	return FRAME_FINE;
}

void frame_batch_begin(struct frame_batch *batch, uint8_t *payload,
		       uint64_t first)
{
	batch->payload = payload;
	batch->first = first;
	batch->count = 0;
	batch->length = sizeof(struct frame_values);
}

bool frame_batch_add(struct frame_batch *batch, const struct record *record)
{
	const uint32_t padded = wal_padded(record->length);
	const struct frame_value value = {
		.ballot = htole64(record->ballot),
		.incarnation = htole64(record->incarnation),
		.seq = htole64(record->seq),
		.length = htole32(record->length),
		.kind = record->kind,
		.origin = record->origin,
	};
	uint8_t *at = batch->payload + batch->length;

	if (batch->length + sizeof(value) + padded > FRAME_PAYLOAD_MAX)
		return false;
	memcpy(at, &value, sizeof(value));
	at += sizeof(value);
	if (record->length)
		memcpy(at, record->value, record->length);
	memset(at + record->length, 0, padded - record->length);
	batch->length += sizeof(value) + padded;
	batch->count++;
	return true;
}

uint32_t frame_batch_end(struct frame_batch *batch, uint64_t goal)
{
	const struct frame_values values = {
		.first = htole64(batch->first),
		.goal = htole64(goal),
		.count = htole32(batch->count),
	};

	memcpy(batch->payload, &values, sizeof(values));
	return batch->length;
}

/* The value at @at of @left bytes: its size, or 0 if it is none. */
static size_t value_size(const uint8_t *at, size_t left)
{
	struct frame_value value;
	uint32_t length, i;
	size_t size;

	if (left < sizeof(value))
		return 0;
	memcpy(&value, at, sizeof(value));
	length = le32toh(value.length);
	if (length > PAXOS_NL_VALUE_MAX)
		return 0;
	size = sizeof(value) + wal_padded(length);
	if (left < size || value.zero[0] || value.zero[1] || !value.ballot ||
	    value.origin > PAXOS_NL_MEMBERS_MAX)
		return 0;
	for (i = length; i < wal_padded(length); i++)
		if (at[sizeof(value) + i])
			return 0;
	return size;
}

enum frame_fault frame_get_values(const struct frame *frame, uint64_t *first,
				  uint64_t *goal, uint32_t *count)
{
	const uint8_t *at = frame->payload;
	struct frame_values values;
	size_t left = frame->length, size;
	uint32_t i;

	if (left < sizeof(values))
		return FRAME_LENGTH;
	memcpy(&values, at, sizeof(values));
	*first = le64toh(values.first);
	*goal = le64toh(values.goal);
	*count = le32toh(values.count);
	if (!*first || !*count || values.zero ||
	    *first > UINT64_MAX - *count || *goal < *first + *count - 1)
		return FRAME_MALFORMED;
	at += sizeof(values);
	left -= sizeof(values);
	for (i = 0; i < *count; i++) {
		size = value_size(at, left);
		if (!size)
			return FRAME_MALFORMED;
		at += size;
		left -= size;
	}
	return left ? FRAME_MALFORMED : FRAME_FINE;
}

int frame_visit_values(const struct frame *frame, wal_visit visit,
		       void *context)
{
	const uint8_t *at = frame->payload + sizeof(struct frame_values);
	const uint8_t *end = frame->payload + frame->length;
	struct frame_values values;
	struct frame_value value;
	uint64_t slot;
	int result;

	memcpy(&values, frame->payload, sizeof(values));
	for (slot = le64toh(values.first); at < end; slot++) {
		struct record record = {
			.slot = slot,
			.type = PAXOS_NL_RECORD_ACCEPT,
		};

		memcpy(&value, at, sizeof(value));
		record.ballot = le64toh(value.ballot);
		record.incarnation = le64toh(value.incarnation);
		record.seq = le64toh(value.seq);
		record.length = le32toh(value.length);
		record.kind = value.kind;
		record.origin = value.origin;
		record.value = at + sizeof(value);
		result = visit(context, &record);
		if (result)
			return result;
		at += sizeof(value) + wal_padded(record.length);
	}
	return 0;
}
