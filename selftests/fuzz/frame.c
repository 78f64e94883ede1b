// SPDX-License-Identifier: GPL-2.0
/*
 * Whatever the bytes: a frame that nobody sealed does not open; and of one that
 * a liar with the key sealed, nothing is read beyond it, nothing passes that is
 * out of its range, and values that pass are the same bytes when encoded again.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const uint8_t key[FRAME_KEY_SIZE] = "the fuzzer's key";

static void broken(const char *what)
{
	fprintf(stderr, "frame: %s\n", what);
	abort();
}

/* Bytes as a network brings them: none is of this connection. */
static void check_foreign(const uint8_t *bytes, size_t size)
{
	struct frame_way asks, answers;
	struct frame frame;
	size_t wanted;
	uint8_t *at;

	frame_begin(&asks, &answers, key);
	at = malloc(FRAME_ROOM + size);
	if (size)
		memcpy(at + FRAME_ROOM, bytes, size);
	wanted = frame_size(at, size, FRAME_SIZE_MAX);
	if (wanted > FRAME_SIZE_MAX)
		broken("wants more than a frame may have");
	if (wanted == size &&
	    frame_open(&asks, at, size, &frame) == FRAME_FINE)
		broken("opens what nobody sealed");
	free(at);
}

struct again {
	struct frame_batch batch;
	uint64_t next;
};

static int add_again(void *context, const struct record *record)
{
	struct again *again = context;

	if (record->slot != again->next++)
		broken("slots are not in a row");
	if (record->length > PAXOS_NL_VALUE_MAX)
		broken("a value is too long");
	if (record->origin > PAXOS_NL_MEMBERS_MAX)
		broken("nobody's proposal");
	if (!frame_batch_add(&again->batch, record))
		broken("what came in a frame has no room in one");
	return 0;
}

static void check_values(const struct frame *frame)
{
	struct again again;
	uint64_t first, goal;
	uint32_t count;
	uint8_t *copy;

	if (frame_get_values(frame, &first, &goal, &count))
		return;
	copy = malloc(FRAME_PAYLOAD_MAX);
	again.next = first;
	frame_batch_begin(&again.batch, copy, first);
	if (frame_visit_values(frame, add_again, &again))
		broken("the walk ends early");
	if (again.batch.count != count)
		broken("there are more or less than it says");
	if (frame_batch_end(&again.batch, goal) != frame->length ||
	    memcmp(copy, frame->payload, frame->length))
		broken("it encodes to other bytes");
	free(copy);
}

static void check_part(const struct frame *frame)
{
	uint64_t slot, offset, size;
	const uint8_t *bytes;
	uint32_t length;

	if (frame_get_part(frame, &slot, &offset, &size, &bytes, &length))
		return;
	if (!slot || !length || offset + length < offset ||
	    offset + length > size ||
	    bytes + length != frame->payload + frame->length)
		broken("a part that is not within its file");
}

static void check_held(const struct frame *frame)
{
	static struct held held;
	static uint8_t again[FRAME_PAYLOAD_MAX];

	if (frame_get_held(frame, &held))
		return;
	if (frame_put_held(again, &held) != frame->length ||
	    memcmp(again, frame->payload, frame->length))
		broken("what is held encodes to other bytes");
}

static void check_payload(const struct frame *frame)
{
	static const struct frame_party party = {
		.group = 1, .self = 2, .members = ~0ULL,
	};
	uint8_t nonce[FRAME_NONCE_SIZE], from;
	uint64_t slot;

	if (frame_get_hello(frame, &party, NULL, &from, nonce) == FRAME_FINE &&
	    (frame->length != sizeof(struct frame_hello) || !from ||
	     from > PAXOS_NL_MEMBERS_MAX || from == party.self))
		broken("a greeting of nobody");
	if (frame_get_slot(frame, &slot) == FRAME_FINE &&
	    frame->length != sizeof(struct frame_slot))
		broken("a slot of another size");
	check_values(frame);
	check_part(frame);
	check_held(frame);
}

/* Sealed under the key, in memory of its exact size. */
static void check_sealed(const uint8_t *bytes, size_t size, uint8_t type)
{
	struct frame_way asks, answers;
	enum frame_fault fault;
	struct frame frame;
	uint8_t *at;

	frame_begin(&asks, &answers, key);
	at = malloc(FRAME_ROOM + FRAME_SIZE_MIN + size);
	if (size)
		memcpy(frame_payload(at), bytes, size);
	frame_seal(&asks, at, type, size);
	frame_begin(&asks, &answers, key);
	fault = frame_open(&asks, at, FRAME_SIZE_MIN + size, &frame);
	if ((fault == FRAME_FINE) != (type && type < FRAME_TYPES))
		broken("opens or refuses the wrong types");
	if (fault == FRAME_FINE)
		check_payload(&frame);
	free(at);
}

/* A VALUES that is nearly right: @bytes say how long its values are. */
static void check_nearly(const uint8_t *bytes, size_t size)
{
	static uint8_t payload[FRAME_PAYLOAD_MAX], value[PAXOS_NL_VALUE_MAX];
	struct frame_batch batch;
	uint32_t length;
	size_t i;

	frame_batch_begin(&batch, payload, 1 + size);
	for (i = 0; i < size && i < 64; i++) {
		const struct record record = {
			.ballot = 1 + bytes[i], .kind = bytes[i] & 1,
			.origin = bytes[i] % 65, .length = bytes[i] * 3,
			.value = value,
		};

		if (!frame_batch_add(&batch, &record))
			break;
	}
	length = frame_batch_end(&batch, 1000000);
	check_sealed(payload, length, FRAME_VALUES);
	for (i = 0; i + 1 < size && i < 8; i += 2)
		payload[(bytes[i] * 257U + i) % length] ^= bytes[i + 1];
	check_sealed(payload, length, FRAME_VALUES);
	if (size)
		check_sealed(payload, length - bytes[0] % length, FRAME_VALUES);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	uint8_t type;

	if (size > FRAME_PAYLOAD_MAX)
		return 0;
	check_foreign(bytes, size);
	for (type = 0; type <= FRAME_TYPES; type++)
		check_sealed(bytes, size, type);
	check_nearly(bytes, size);
	return 0;
}
