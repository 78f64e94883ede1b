// SPDX-License-Identifier: GPL-2.0
/*
 * A heartbeat is believed when it is under the group's key, for this member,
 * and newer than all before; nothing else changes anything.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <sodium.h>
#include "heartbeat.h"

static const uint8_t key[16] = "0123456789abcde";
static const uint8_t cluster[16] = "a cluster of 16";

static struct heartbeat_filter filter;
static struct heartbeat_wire wire;

static struct heartbeat sample(uint64_t life, uint64_t count)
{
	return (struct heartbeat) {
		.from = 2, .to = 1, .group = 7, .life = life, .count = count,
		.incarnation = 3, .commit = 1ULL << 40, .applied = 5, .stored = 77,
		.checksum = 1ULL << 63 | 15, .mark = 1ULL << 62 | 16,
		.durable = 6, .epoch = 8, .writing = 9, .late = 10,
		.word = {
			.kind = ELECTION_REFUSE, .leader = 11, .flags = 12,
			.priority = 13, .ballot = 1ULL << 41, .hears = 14,
			.round = 1ULL << 42,
		},
	};
}

static int setup(void **state)
{
	(void)state;
	memset(&filter, 0, sizeof(filter));
	filter.group = 7;
	filter.self = 1;
	filter.members = 0x7;
	heartbeat_key(filter.key, key, cluster);
	return 0;
}

static enum heartbeat_drop hear(const struct heartbeat *heartbeat)
{
	struct heartbeat heard;

	heartbeat_encode(&wire, heartbeat, filter.key);
	return heartbeat_decode(&filter, &heard, &wire, sizeof(wire));
}

static void test_round_trip(void **state)
{
	const struct heartbeat sent = sample(4, 1);
	struct heartbeat heard;

	(void)state;
	memset(&heard, 0xff, sizeof(heard));
	heartbeat_encode(&wire, &sent, filter.key);
	assert_int_equal(heartbeat_decode(&filter, &heard, &wire, sizeof(wire)),
			 HEARTBEAT_FINE);
	assert_int_equal(heard.from, sent.from);
	assert_int_equal(heard.to, sent.to);
	assert_int_equal(heard.group, sent.group);
	assert_int_equal(heard.life, sent.life);
	assert_int_equal(heard.count, sent.count);
	assert_int_equal(heard.incarnation, sent.incarnation);
	assert_int_equal(heard.commit, sent.commit);
	assert_int_equal(heard.applied, sent.applied);
	assert_int_equal(heard.durable, sent.durable);
	assert_int_equal(heard.stored, sent.stored);
	assert_int_equal(heard.checksum, sent.checksum);
	assert_int_equal(heard.mark, sent.mark);
	assert_int_equal(heard.epoch, sent.epoch);
	assert_int_equal(heard.writing, sent.writing);
	assert_int_equal(heard.late, sent.late);
	assert_int_equal(heard.word.kind, sent.word.kind);
	assert_int_equal(heard.word.leader, sent.word.leader);
	assert_int_equal(heard.word.flags, sent.word.flags);
	assert_int_equal(heard.word.priority, sent.word.priority);
	assert_int_equal(heard.word.ballot, sent.word.ballot);
	assert_int_equal(heard.word.hears, sent.word.hears);
	assert_int_equal(heard.word.round, sent.word.round);
	assert_int_equal(heard.word.commit, sent.commit);
	assert_int_equal(heard.word.writing, sent.writing);
}

/* From a heap block of that very size, so that ASan sees a read beyond. */
static void test_short_and_long(void **state)
{
	const struct heartbeat sent = sample(1, 1);
	struct heartbeat heard;
	uint8_t *bytes;
	size_t size;

	(void)state;
	heartbeat_encode(&wire, &sent, filter.key);
	for (size = 0; size <= 2 * sizeof(wire); size++) {
		if (size == sizeof(wire))
			continue;
		bytes = calloc(1, size ?: 1);
		memcpy(bytes, &wire, size < sizeof(wire) ? size : sizeof(wire));
		assert_int_equal(heartbeat_decode(&filter, &heard, bytes, size),
				 HEARTBEAT_SIZE);
		free(bytes);
	}
	assert_int_equal(filter.last[2].count, 0);
}

static void test_every_flipped_bit(void **state)
{
	const struct heartbeat sent = sample(1, 1);
	struct heartbeat heard;
	unsigned int bit;

	(void)state;
	heartbeat_encode(&wire, &sent, filter.key);
	for (bit = 0; bit < 8 * sizeof(wire); bit++) {
		((uint8_t *)&wire)[bit / 8] ^= 1 << bit % 8;
		assert_int_equal(heartbeat_decode(&filter, &heard, &wire,
						  sizeof(wire)), HEARTBEAT_TAG);
		((uint8_t *)&wire)[bit / 8] ^= 1 << bit % 8;
	}
	assert_int_equal(filter.last[2].count, 0);
	assert_int_equal(hear(&sent), HEARTBEAT_FINE);
}

static void test_other_key_or_cluster(void **state)
{
	const struct heartbeat sent = sample(1, 1);
	uint8_t other[16], derived[16];
	struct heartbeat heard;

	(void)state;
	memcpy(other, key, sizeof(other));
	other[0] ^= 1;
	heartbeat_key(derived, other, cluster);
	heartbeat_encode(&wire, &sent, derived);
	assert_int_equal(heartbeat_decode(&filter, &heard, &wire, sizeof(wire)),
			 HEARTBEAT_TAG);
	memcpy(other, cluster, sizeof(other));
	other[15] ^= 1;
	heartbeat_key(derived, key, other);
	heartbeat_encode(&wire, &sent, derived);
	assert_int_equal(heartbeat_decode(&filter, &heard, &wire, sizeof(wire)),
			 HEARTBEAT_TAG);
	/* Nor the group's key itself. */
	heartbeat_encode(&wire, &sent, key);
	assert_int_equal(heartbeat_decode(&filter, &heard, &wire, sizeof(wire)),
			 HEARTBEAT_TAG);
}

/* The two halves are SipHash-2-4 of the cluster id and 2 or 3. */
static void test_key_is_derived_as_said(void **state)
{
	uint8_t input[17], expected[16];

	(void)state;
	memcpy(input, cluster, 16);
	input[16] = 2;
	crypto_shorthash(expected, input, sizeof(input), key);
	input[16] = 3;
	crypto_shorthash(expected + 8, input, sizeof(input), key);
	assert_memory_equal(filter.key, expected, 16);
}

static void test_version_group_member(void **state)
{
	struct heartbeat sent = sample(1, 1), heard;

	(void)state;
	heartbeat_encode(&wire, &sent, filter.key);
	wire.version++;
	crypto_shorthash(wire.tag, (uint8_t *)&wire,
			 offsetof(struct heartbeat_wire, tag), filter.key);
	assert_int_equal(heartbeat_decode(&filter, &heard, &wire, sizeof(wire)),
			 HEARTBEAT_VERSIONS);
	sent.group = 8;
	assert_int_equal(hear(&sent), HEARTBEAT_GROUP);
	sent = sample(1, 1);
	sent.to = 3;
	assert_int_equal(hear(&sent), HEARTBEAT_MEMBER);
	sent = sample(1, 1);
	sent.from = 1;		/* its own, sent back */
	assert_int_equal(hear(&sent), HEARTBEAT_MEMBER);
	sent.from = 4;
	assert_int_equal(hear(&sent), HEARTBEAT_MEMBER);
	sent.from = 0;
	assert_int_equal(hear(&sent), HEARTBEAT_MEMBER);
	sent.from = 255;
	assert_int_equal(hear(&sent), HEARTBEAT_MEMBER);
}

static void test_replay(void **state)
{
	struct heartbeat sent = sample(5, 10);

	(void)state;
	assert_int_equal(hear(&sent), HEARTBEAT_FINE);
	assert_int_equal(hear(&sent), HEARTBEAT_REPLAY);
	sent = sample(5, 9);
	assert_int_equal(hear(&sent), HEARTBEAT_REPLAY);
	sent = sample(4, 11);	/* of an earlier life */
	assert_int_equal(hear(&sent), HEARTBEAT_REPLAY);
	sent = sample(5, 12);	/* one was lost */
	assert_int_equal(hear(&sent), HEARTBEAT_FINE);
	sent = sample(6, 1);	/* the agent started again */
	assert_int_equal(hear(&sent), HEARTBEAT_FINE);
	sent = sample(5, 13);
	assert_int_equal(hear(&sent), HEARTBEAT_REPLAY);
	/* Members do not disturb each other. */
	sent = sample(1, 1);
	sent.from = 3;
	assert_int_equal(hear(&sent), HEARTBEAT_FINE);
}

/* By an id of the file it would not be heard by who has another since. */
static void test_lost_memory_is_told_to_all(void **state)
{
	struct heartbeat sent = sample(1, 1);

	(void)state;
	sent.to = 0;
	assert_int_equal(hear(&sent), HEARTBEAT_MEMBER);
	sent.word.flags |= HEARTBEAT_LOST;
	assert_int_equal(hear(&sent), HEARTBEAT_FINE);
	sent.from = 4;		/* replaced, and not told yet */
	assert_int_equal(hear(&sent), HEARTBEAT_FINE);
}

#define TEST(name) cmocka_unit_test_setup(test_##name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(round_trip),
		TEST(short_and_long),
		TEST(every_flipped_bit),
		TEST(other_key_or_cluster),
		TEST(key_is_derived_as_said),
		TEST(version_group_member),
		TEST(replay),
		TEST(lost_memory_is_told_to_all),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("heartbeat", tests, NULL, NULL);
}
