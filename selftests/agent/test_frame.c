// SPDX-License-Identifier: GPL-2.0
/* What agents say over TCP is believed only if it is the next true word. */
#include <endian.h>
#include <errno.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "frame.h"

static const uint8_t group_key[PAXOS_KEY_SIZE] = "0123456789abcdef";
static const uint8_t cluster[PAXOS_CLUSTER_SIZE] = "a cluster of 16";

static const struct frame_party asker_party = {
	.group = 7, .self = 3, .members = 7,
};
static const struct frame_party server_party = {
	.group = 7, .self = 1, .members = 7,
};

/* The two ends of a connection, as each sees the ways. */
struct pair {
	uint8_t key[FRAME_KEY_SIZE];
	struct frame_way asks[2];	/* the asker's, the server's */
	struct frame_way answers[2];
	uint8_t nonce[2][FRAME_NONCE_SIZE];
	uint8_t *at;
};

static void begin(struct pair *pair)
{
	memset(pair, 0, sizeof(*pair));
	frame_key(pair->key, group_key, cluster);
	frame_begin(&pair->asks[0], &pair->answers[0], pair->key);
	frame_begin(&pair->asks[1], &pair->answers[1], pair->key);
	randombytes_buf(pair->nonce, sizeof(pair->nonce));
	pair->at = malloc(FRAME_ROOM + FRAME_SIZE_MAX);
}

static void agree(struct pair *pair)
{
	int side;

	for (side = 0; side < 2; side++)
		frame_agree(&pair->asks[side], &pair->answers[side], pair->key,
			    pair->nonce[0], pair->nonce[1]);
}

static size_t seal_slot(struct pair *pair, struct frame_way *way, uint8_t type,
			uint64_t slot)
{
	return frame_seal(way, pair->at, type,
			  frame_put_slot(frame_payload(pair->at), slot));
}

static void test_greeting(void **state)
{
	uint8_t nonce[FRAME_NONCE_SIZE], from;
	struct frame frame;
	struct pair pair;
	size_t size;

	(void)state;
	begin(&pair);
	size = frame_seal(&pair.asks[0], pair.at, FRAME_HELLO,
			  frame_put_hello(frame_payload(pair.at), &asker_party,
					  1, pair.nonce[0], NULL));
	assert_int_equal(frame_open(&pair.asks[1], pair.at, size, &frame),
			 FRAME_FINE);
	assert_int_equal(frame_get_hello(&frame, &server_party, NULL, &from,
					 nonce), FRAME_FINE);
	assert_int_equal(from, 3);
	assert_memory_equal(nonce, pair.nonce[0], sizeof(nonce));
	size = frame_seal(&pair.answers[1], pair.at, FRAME_HELLO,
			  frame_put_hello(frame_payload(pair.at), &server_party,
					  3, pair.nonce[1], nonce));
	assert_int_equal(frame_open(&pair.answers[0], pair.at, size, &frame),
			 FRAME_FINE);
	assert_int_equal(frame_get_hello(&frame, &asker_party, pair.nonce[0],
					 &from, nonce), FRAME_FINE);
	assert_int_equal(from, 1);
	/* The answer to another's greeting is none to this one. */
	assert_int_equal(frame_get_hello(&frame, &asker_party, pair.nonce[1],
					 &from, nonce), FRAME_MALFORMED);
	free(pair.at);
}

static enum frame_fault greet_as(struct frame_hello *hello)
{
	uint8_t nonce[FRAME_NONCE_SIZE], from;
	enum frame_fault fault;
	struct frame frame;
	struct pair pair;
	size_t size;

	begin(&pair);
	memcpy(frame_payload(pair.at), hello, sizeof(*hello));
	size = frame_seal(&pair.asks[0], pair.at, FRAME_HELLO, sizeof(*hello));
	assert_int_equal(frame_open(&pair.asks[1], pair.at, size, &frame),
			 FRAME_FINE);
	fault = frame_get_hello(&frame, &server_party, NULL, &from, nonce);
	free(pair.at);
	return fault;
}

static void test_strangers(void **state)
{
	const struct frame_hello good = {
		.version = FRAME_VERSION, .from = 3, .to = 1,
		.group = htole32(7),
	};
	struct frame_hello hello = good;

	(void)state;
	assert_int_equal(greet_as(&hello), FRAME_FINE);
	hello.version++;
	assert_int_equal(greet_as(&hello), FRAME_VERSIONS);
	hello = good;
	hello.group = htole32(8);
	assert_int_equal(greet_as(&hello), FRAME_GROUP);
	hello = good;
	hello.to = 2;
	assert_int_equal(greet_as(&hello), FRAME_MEMBER);
	hello = good;
	hello.from = 1;
	assert_int_equal(greet_as(&hello), FRAME_MEMBER);
	hello.from = 0;
	assert_int_equal(greet_as(&hello), FRAME_MEMBER);
	hello.from = 4;
	assert_int_equal(greet_as(&hello), FRAME_MEMBER);
	hello.from = 65;
	assert_int_equal(greet_as(&hello), FRAME_MEMBER);
	hello = good;
	hello.answers[5] = 1;
	assert_int_equal(greet_as(&hello), FRAME_MALFORMED);
}

static void test_another_key(void **state)
{
	uint8_t other[PAXOS_KEY_SIZE] = "0123456789abcdeX";
	struct frame frame;
	struct pair pair;
	size_t size;

	(void)state;
	begin(&pair);
	frame_key(pair.key, other, cluster);
	frame_begin(&pair.asks[0], &pair.answers[0], pair.key);
	size = frame_seal(&pair.asks[0], pair.at, FRAME_HELLO,
			  frame_put_hello(frame_payload(pair.at), &asker_party,
					  1, pair.nonce[0], NULL));
	assert_int_equal(frame_open(&pair.asks[1], pair.at, size, &frame),
			 FRAME_TAG);
	free(pair.at);
}

static void test_every_bit(void **state)
{
	struct frame_way way;
	uint8_t copy[FRAME_ROOM + 64];
	struct frame frame;
	struct pair pair;
	size_t size, bit;

	(void)state;
	begin(&pair);
	agree(&pair);
	size = seal_slot(&pair, &pair.asks[0], FRAME_ASK, 12345);
	for (bit = 0; bit < size * 8; bit++) {
		memcpy(copy, pair.at, FRAME_ROOM + size);
		copy[FRAME_ROOM + bit / 8] ^= 1 << bit % 8;
		way = pair.asks[1];
		assert_int_not_equal(frame_open(&way, copy, size, &frame),
				     FRAME_FINE);
		assert_int_equal(way.count, pair.asks[1].count);
	}
	assert_int_equal(frame_open(&pair.asks[1], pair.at, size, &frame),
			 FRAME_FINE);
	free(pair.at);
}

static void test_order(void **state)
{
	uint8_t first[FRAME_ROOM + 64], second[FRAME_ROOM + 64];
	struct frame frame;
	struct pair pair;
	size_t size;

	(void)state;
	begin(&pair);
	agree(&pair);
	size = seal_slot(&pair, &pair.answers[1], FRAME_END, 1);
	memcpy(first, pair.at, FRAME_ROOM + size);
	size = seal_slot(&pair, &pair.answers[1], FRAME_END, 2);
	memcpy(second, pair.at, FRAME_ROOM + size);
	/* Left out, then in order, then again. */
	assert_int_equal(frame_open(&pair.answers[0], second, size, &frame),
			 FRAME_TAG);
	assert_int_equal(frame_open(&pair.answers[0], first, size, &frame),
			 FRAME_FINE);
	assert_int_equal(frame_open(&pair.answers[0], first, size, &frame),
			 FRAME_TAG);
	assert_int_equal(frame_open(&pair.answers[0], second, size, &frame),
			 FRAME_FINE);
	/* Sent back to who said it. */
	seal_slot(&pair, &pair.asks[0], FRAME_ASK, 3);
	assert_int_equal(frame_open(&pair.answers[0], pair.at, size, &frame),
			 FRAME_TAG);
	free(pair.at);
}

static void test_another_connection(void **state)
{
	struct pair one, other;
	struct frame frame;
	size_t size;

	(void)state;
	begin(&one);
	agree(&one);
	begin(&other);
	/* The enemy plays a recorded greeting, and gets a new nonce. */
	memcpy(other.nonce[0], one.nonce[0], FRAME_NONCE_SIZE);
	agree(&other);
	size = seal_slot(&one, &one.asks[0], FRAME_ASK, 1);
	assert_int_equal(frame_open(&other.asks[1], one.at, size, &frame),
			 FRAME_TAG);
	free(one.at);
	free(other.at);
}

static void test_lengths(void **state)
{
	struct frame_header header = { .length = htole32(FRAME_PAYLOAD_MAX) };
	struct frame frame;
	struct pair pair;

	(void)state;
	begin(&pair);
	memset(pair.at, 0, FRAME_ROOM + FRAME_SIZE_MAX);
	assert_int_equal(frame_size(pair.at, 0, FRAME_SIZE_MAX),
			 sizeof(header));
	assert_int_equal(frame_size(pair.at, 7, FRAME_SIZE_MAX),
			 sizeof(header));
	memcpy(pair.at + FRAME_ROOM, &header, sizeof(header));
	assert_int_equal(frame_size(pair.at, 8, FRAME_SIZE_MAX),
			 FRAME_SIZE_MAX);
	assert_int_equal(frame_size(pair.at, 8, FRAME_SIZE_MAX - 1), 0);
	header.length = htole32(FRAME_PAYLOAD_MAX + 1);
	memcpy(pair.at + FRAME_ROOM, &header, sizeof(header));
	assert_int_equal(frame_size(pair.at, 8, SIZE_MAX), 0);
	header.length = htole32(UINT32_MAX);
	memcpy(pair.at + FRAME_ROOM, &header, sizeof(header));
	assert_int_equal(frame_size(pair.at, 8, SIZE_MAX), 0);
	assert_int_equal(frame_open(&pair.asks[0], pair.at, 15, &frame),
			 FRAME_LENGTH);
	assert_int_equal(frame_open(&pair.asks[0], pair.at, FRAME_SIZE_MIN,
				    &frame), FRAME_LENGTH);
	free(pair.at);
}

struct seen {
	uint64_t next;
	unsigned int count;
};

static int see(void *context, const struct record *record)
{
	struct seen *seen = context;

	assert_int_equal(record->slot, seen->next++);
	assert_int_equal(record->ballot, record->slot * 256 + 1);
	assert_int_equal(record->length, record->slot % 50);
	assert_int_equal(record->incarnation, 4);
	assert_int_equal(record->seq, record->slot * 3);
	assert_int_equal(record->kind, PAXOS_NL_KIND_DATA);
	assert_int_equal(record->origin, 2);
	if (record->length)
		assert_int_equal(((const uint8_t *)record->value)[0],
				 (uint8_t)record->slot);
	seen->count++;
	return 0;
}

static size_t fill(struct pair *pair, uint64_t first, unsigned int *count)
{
	struct frame_batch batch;
	uint8_t bytes[50];
	uint64_t slot;

	frame_batch_begin(&batch, frame_payload(pair->at), first);
	for (slot = first;; slot++) {
		const struct record record = {
			.slot = slot, .ballot = slot * 256 + 1,
			.incarnation = 4, .seq = slot * 3, .origin = 2,
			.kind = PAXOS_NL_KIND_DATA, .length = slot % 50,
			.value = bytes,
		};

		memset(bytes, slot, sizeof(bytes));
		if (*count == batch.count || !frame_batch_add(&batch, &record))
			break;
	}
	*count = batch.count;
	return frame_batch_end(&batch, first + 100000);
}

static void test_values(void **state)
{
	unsigned int count = ~0U;
	struct seen seen = { .next = 11 };
	uint64_t first, goal;
	uint32_t n;
	struct frame frame;
	struct pair pair;
	size_t size;

	(void)state;
	begin(&pair);
	size = fill(&pair, 11, &count);
	assert_true(count > 500);
	assert_in_range(size, FRAME_PAYLOAD_MAX - 128, FRAME_PAYLOAD_MAX);
	size = frame_seal(&pair.answers[1], pair.at, FRAME_VALUES, size);
	assert_int_equal(frame_open(&pair.answers[0], pair.at, size, &frame),
			 FRAME_FINE);
	assert_int_equal(frame_get_values(&frame, &first, &goal, &n),
			 FRAME_FINE);
	assert_int_equal(first, 11);
	assert_int_equal(n, count);
	assert_int_equal(goal, 100011);
	assert_int_equal(frame_visit_values(&frame, see, &seen), 0);
	assert_int_equal(seen.count, count);
	free(pair.at);
}

/* Even of a member with the key no length is believed. */
static void test_values_malformed(void **state)
{
	unsigned int count = 40;
	uint64_t first, goal;
	uint32_t n, cut;
	uint8_t *exact;
	struct frame frame = { .type = FRAME_VALUES };
	struct frame_values *head;
	struct frame_value *value;
	struct pair pair;
	size_t size;

	(void)state;
	begin(&pair);
	size = fill(&pair, 5, &count);
	/* On the heap, in its exact size, so that reading on is noticed. */
	for (cut = 0; cut <= size + 8; cut++) {
		exact = malloc(cut ? cut : 1);
		memset(exact, 0, cut);
		memcpy(exact, frame_payload(pair.at), cut < size ? cut : size);
		frame.payload = exact;
		frame.length = cut;
		assert_int_equal(frame_get_values(&frame, &first, &goal, &n) ==
				 FRAME_FINE, cut == size);
		free(exact);
	}
	frame.payload = frame_payload(pair.at);
	frame.length = size;
	head = (void *)frame_payload(pair.at);
	value = (void *)(head + 1);
#define REFUSED(field, wrong) do {					\
	const __typeof__(field) right = field;				\
									\
	field = wrong;							\
	assert_int_equal(frame_get_values(&frame, &first, &goal, &n),	\
			 FRAME_MALFORMED);				\
	field = right;							\
} while (0)
	REFUSED(head->first, 0);
	REFUSED(head->first, htole64(UINT64_MAX - 3));
	REFUSED(head->count, 0);
	REFUSED(head->count, htole32(count + 1));
	REFUSED(head->count, htole32(count - 1));
	REFUSED(head->goal, htole64(5 + count - 2));
	REFUSED(head->zero, htole32(1));
	REFUSED(value->length, htole32(UINT32_MAX));
	REFUSED(value->length, htole32(PAXOS_NL_VALUE_MAX + 1));
	REFUSED(value->ballot, 0);
	REFUSED(value->origin, 65);
	REFUSED(value->zero[1], 1);
	/* Its value has 5 bytes, so 3 of padding. */
	REFUSED(((uint8_t *)(value + 1))[6], 1);
	assert_int_equal(frame_get_values(&frame, &first, &goal, &n),
			 FRAME_FINE);
	free(pair.at);
}

static void test_snapshot(void **state)
{
	static const uint8_t bytes[] = "what slots have left behind";
	struct frame frame = { .type = FRAME_SNAPSHOT };
	const uint8_t *got;
	struct pair pair;
	uint32_t length;
	uint8_t *exact;
	uint64_t slot;
	size_t size;

	(void)state;
	begin(&pair);
	memcpy(frame_payload(pair.at) + sizeof(struct frame_slot), bytes,
	       sizeof(bytes));
	size = frame_put_snapshot(frame_payload(pair.at), 4711, sizeof(bytes));
	assert_int_equal(size, sizeof(struct frame_slot) + sizeof(bytes));
	for (frame.length = 0; frame.length <= size; frame.length++) {
		exact = malloc(frame.length ?: 1);
		memcpy(exact, frame_payload(pair.at), frame.length);
		frame.payload = exact;
		if (frame.length <= sizeof(struct frame_slot)) {
			assert_int_equal(frame_get_snapshot(&frame, &slot, &got,
							    &length),
					 FRAME_LENGTH);
		} else {
			assert_int_equal(frame_get_snapshot(&frame, &slot, &got,
							    &length),
					 FRAME_FINE);
			assert_int_equal(slot, 4711);
			assert_int_equal(length, frame.length -
						 sizeof(struct frame_slot));
			assert_memory_equal(got, bytes, length);
		}
		free(exact);
	}
	frame.payload = frame_payload(pair.at);
	frame.length = sizeof(struct frame_slot) + WAL_CHECKPOINT_MAX + 1;
	assert_int_equal(frame_get_snapshot(&frame, &slot, &got, &length),
			 FRAME_LENGTH);
	frame.length = size;
	frame_put_slot(frame_payload(pair.at), 0);
	assert_int_equal(frame_get_snapshot(&frame, &slot, &got, &length),
			 FRAME_MALFORMED);
	free(pair.at);
}

static void test_part(void **state)
{
	static const uint8_t bytes[] = "of a snapshot";
	struct frame frame = { .type = FRAME_PART };
	uint64_t slot, offset, file;
	const uint8_t *got;
	struct pair pair;
	uint32_t length;
	uint8_t *exact;
	size_t size;

	(void)state;
	begin(&pair);
	memcpy(frame_payload(pair.at) + sizeof(struct frame_part), bytes,
	       sizeof(bytes));
	size = frame_put_part(frame_payload(pair.at), 4711, 100,
			      100 + sizeof(bytes), sizeof(bytes));
	assert_int_equal(size, sizeof(struct frame_part) + sizeof(bytes));
	for (frame.length = 0; frame.length <= size; frame.length++) {
		exact = malloc(frame.length ?: 1);
		memcpy(exact, frame_payload(pair.at), frame.length);
		frame.payload = exact;
		if (frame.length <= sizeof(struct frame_part)) {
			assert_int_equal(frame_get_part(&frame, &slot, &offset,
							&file, &got, &length),
					 FRAME_LENGTH);
		} else {
			assert_int_equal(frame_get_part(&frame, &slot, &offset,
							&file, &got, &length),
					 FRAME_FINE);
			assert_int_equal(slot, 4711);
			assert_int_equal(offset, 100);
			assert_int_equal(file, 100 + sizeof(bytes));
			assert_memory_equal(got, bytes, length);
		}
		free(exact);
	}
	frame.length = size;
	frame.payload = frame_payload(pair.at);
	/* Beyond the end of the file, and of no slot. */
	frame_put_part(frame_payload(pair.at), 4711, 101, 100 + sizeof(bytes),
		       sizeof(bytes));
	assert_int_equal(frame_get_part(&frame, &slot, &offset, &file, &got,
					&length), FRAME_MALFORMED);
	frame_put_part(frame_payload(pair.at), 4711, UINT64_MAX, 10,
		       sizeof(bytes));
	assert_int_equal(frame_get_part(&frame, &slot, &offset, &file, &got,
					&length), FRAME_MALFORMED);
	frame_put_part(frame_payload(pair.at), 0, 0, 100, sizeof(bytes));
	assert_int_equal(frame_get_part(&frame, &slot, &offset, &file, &got,
					&length), FRAME_MALFORMED);
	free(pair.at);
}

static void test_held(void **state)
{
	static struct held held = {
		.applied = 4711, .create = 5, .mod = 4000, .version = 9,
		.lease = 7, .found = true, .length = 3, .value = "abc",
	}, got;
	struct frame frame = { .type = FRAME_HELD };
	const size_t head = sizeof(struct frame_held);
	struct pair pair;
	uint8_t *exact;
	size_t size;

	(void)state;
	begin(&pair);
	size = frame_put_held(frame_payload(pair.at), &held);
	assert_int_equal(size, head + 3);
	for (frame.length = 0; frame.length <= size; frame.length++) {
		exact = malloc(frame.length ?: 1);
		memcpy(exact, frame_payload(pair.at), frame.length);
		frame.payload = exact;
		assert_int_equal(frame_get_held(&frame, &got),
				 frame.length < head ? FRAME_LENGTH :
						       FRAME_FINE);
		free(exact);
	}
	assert_memory_equal(&got, &held, sizeof(got));
	frame.payload = frame_payload(pair.at);
	frame.length = head + PAXOS_NL_VALUE_MAX + 1;
	assert_int_equal(frame_get_held(&frame, &got), FRAME_LENGTH);
	/* A value of nothing, a find that failed, an error that is none. */
	held.found = false;
	frame.length = frame_put_held(frame_payload(pair.at), &held);
	assert_int_equal(frame_get_held(&frame, &got), FRAME_MALFORMED);
	held.found = true;
	held.error = EBADMSG;
	frame_put_held(frame_payload(pair.at), &held);
	assert_int_equal(frame_get_held(&frame, &got), FRAME_MALFORMED);
	held.found = false;
	held.length = 0;
	held.error = HELD_ERROR_MAX + 1;
	frame.length = frame_put_held(frame_payload(pair.at), &held);
	assert_int_equal(frame_get_held(&frame, &got), FRAME_MALFORMED);
	held.error = EBADMSG;
	frame_put_held(frame_payload(pair.at), &held);
	assert_int_equal(frame_get_held(&frame, &got), FRAME_FINE);
	free(pair.at);
}

static void test_key(void **state)
{
	static uint8_t bytes[PAXOS_KV_KEY_MAX + 1];
	struct frame frame = { .type = FRAME_KEY, .payload = bytes };
	const uint8_t *key;
	uint32_t length;

	(void)state;
	assert_int_equal(frame_get_key(&frame, &key, &length), FRAME_LENGTH);
	frame.length = PAXOS_KV_KEY_MAX;
	assert_int_equal(frame_get_key(&frame, &key, &length), FRAME_FINE);
	assert_ptr_equal(key, bytes);
	assert_int_equal(length, PAXOS_KV_KEY_MAX);
	frame.length++;
	assert_int_equal(frame_get_key(&frame, &key, &length), FRAME_LENGTH);
}

static void test_types(void **state)
{
	struct frame frame;
	struct pair pair;
	size_t size;
	uint64_t slot;

	(void)state;
	begin(&pair);
	agree(&pair);
	size = seal_slot(&pair, &pair.asks[0], FRAME_TYPES, 1);
	assert_int_equal(frame_open(&pair.asks[1], pair.at, size, &frame),
			 FRAME_TYPE);
	pair.asks[0].count--;
	size = seal_slot(&pair, &pair.asks[0], 0, 1);
	assert_int_equal(frame_open(&pair.asks[1], pair.at, size, &frame),
			 FRAME_TYPE);
	pair.asks[0].count--;
	size = frame_seal(&pair.asks[0], pair.at, FRAME_ASK, 7);
	assert_int_equal(frame_open(&pair.asks[1], pair.at, size, &frame),
			 FRAME_FINE);
	assert_int_equal(frame_get_slot(&frame, &slot), FRAME_LENGTH);
	free(pair.at);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		{ "two members greet and agree on keys", test_greeting,
		  NULL, NULL, NULL },
		{ "strangers and members of other groups are told apart",
		  test_strangers, NULL, NULL, NULL },
		{ "another group's key opens nothing", test_another_key,
		  NULL, NULL, NULL },
		{ "no bit of a frame can be changed", test_every_bit,
		  NULL, NULL, NULL },
		{ "frames left out, repeated or sent back do not pass",
		  test_order, NULL, NULL, NULL },
		{ "a recorded connection is of no use in another",
		  test_another_connection, NULL, NULL, NULL },
		{ "lengths are checked before anything is read",
		  test_lengths, NULL, NULL, NULL },
		{ "values arrive as they were sent", test_values,
		  NULL, NULL, NULL },
		{ "values that are cut, padded or counted wrongly are refused",
		  test_values_malformed, NULL, NULL, NULL },
		{ "a snapshot of any wrong length is refused", test_snapshot,
		  NULL, NULL, NULL },
		{ "a part of a snapshot is within the file", test_part,
		  NULL, NULL, NULL },
		{ "what a store holds makes sense, or is refused", test_held,
		  NULL, NULL, NULL },
		{ "a key has a length", test_key, NULL, NULL, NULL },
		{ "unknown types are refused", test_types, NULL, NULL, NULL },
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
