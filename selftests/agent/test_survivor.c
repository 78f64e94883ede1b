// SPDX-License-Identifier: GPL-2.0
/* What a survivor makes of its log. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "survivor.h"

#define SELF	2
#define OTHERS	(1ULL << 0 | 1ULL << 2)
#define BALLOT(round, member) ((uint64_t)(round) << 8 | (member))

static const struct configuration three = {
	.epoch = 1, .voters = 7,
};
static union address address;

static void begin(struct survivor *survivor, const struct configuration *first)
{
	address.in.sin_family = AF_INET;
	address.in.sin_addr.s_addr = htonl(0x0a4d0002);
	address_set_port(&address, 7400);
	assert_int_equal(survivor_init(survivor, SELF, first), 0);
}

static void add(struct survivor *survivor, uint8_t type, uint64_t slot,
		uint64_t ballot)
{
	const struct record record = {
		.type = type, .slot = slot, .ballot = ballot,
		.kind = PAXOS_NL_KIND_DATA, .value = "x", .length = 1,
	};

	assert_int_equal(survivor_add(survivor, &record), 0);
}

static void accept_slot(struct survivor *survivor, uint64_t slot)
{
	add(survivor, PAXOS_NL_RECORD_ACCEPT, slot, BALLOT(3, 1));
}

static void commit(struct survivor *survivor, uint64_t slot)
{
	add(survivor, PAXOS_NL_RECORD_COMMIT, slot, 0);
}

/* A configuration of @self alone behind @former, accepted in @slot. */
static void accept_config(struct survivor *survivor, uint64_t slot,
			  const struct configuration *former, uint8_t self)
{
	uint8_t bytes[CONFIGURATION_MAX];
	const struct record record = {
		.type = PAXOS_NL_RECORD_ACCEPT, .slot = slot,
		.ballot = BALLOT(3, 1), .kind = PAXOS_NL_KIND_CONFIG,
		.value = bytes,
		.length = configuration_alone(bytes, former, self, &address),
	};

	assert_int_equal(survivor_add(survivor, &record), 0);
}

static void decide(struct survivor *survivor, struct survivor_records *out)
{
	const char *why = survivor_decide(survivor, &address, 5, out);

	if (why)
		fail_msg("%s", why);
}

static void refuse(struct survivor *survivor, const char *expected)
{
	struct survivor_records out;
	const char *why = survivor_decide(survivor, &address, 5, &out);

	assert_non_null(why);
	assert_non_null(strstr(why, expected));
	survivor_free(survivor);
}

/* The last three: the configuration of SELF alone, and that it is chosen. */
static void check_end(const struct survivor_records *out, uint64_t slot,
		      uint32_t epoch, uint64_t gone)
{
	const struct record *accept = &out->records[out->n - 3];
	struct configuration alone;

	assert_int_equal(out->slot, slot);
	assert_int_equal(accept[0].type, PAXOS_NL_RECORD_ACCEPT);
	assert_int_equal(accept[0].kind, PAXOS_NL_KIND_CONFIG);
	assert_int_equal(accept[0].slot, slot);
	assert_int_equal(accept[0].incarnation, 5);
	assert_int_equal(accept[0].seq, 1);
	assert_int_equal(accept[0].origin, SELF);
	assert_int_equal(accept[2].seq, 1);
	assert_int_equal(accept[1].type, PAXOS_NL_RECORD_COMMIT);
	assert_int_equal(accept[1].slot, slot);
	assert_int_equal(accept[2].type, PAXOS_NL_RECORD_CONFIG);
	assert_int_equal(accept[2].slot, slot);
	assert_int_equal(configuration_decode(&alone, accept->value,
					      accept->length), 0);
	assert_int_equal(alone.epoch, epoch);
	assert_int_equal(alone.voters, 1 << (SELF - 1));
	assert_int_equal(alone.learners, 0);
	assert_int_equal(alone.gone, gone);
}

static void test_all_chosen(void **state)
{
	struct survivor_records out;
	struct survivor survivor;

	(void)state;
	begin(&survivor, &three);
	accept_slot(&survivor, 1);
	accept_slot(&survivor, 2);
	commit(&survivor, 2);
	decide(&survivor, &out);
	assert_int_equal(survivor.commit, 2);
	assert_int_equal(survivor.missing, 0);
	assert_int_equal(out.n, 4);
	assert_int_equal(out.records[0].type, PAXOS_NL_RECORD_PROMISE);
	assert_int_equal(out.records[0].ballot, BALLOT(4, SELF));
	check_end(&out, 3, 2, OTHERS);
	free(out.records);
	survivor_free(&survivor);
}

static void test_empty(void **state)
{
	struct survivor_records out;
	struct survivor survivor;

	(void)state;
	begin(&survivor, &three);
	decide(&survivor, &out);
	check_end(&out, 1, 2, OTHERS);
	free(out.records);
	survivor_free(&survivor);
}

/* What was accepted stays; only what is missing is filled. */
static void test_undecided(void **state)
{
	struct survivor_records out;
	struct survivor survivor;

	(void)state;
	begin(&survivor, &three);
	accept_slot(&survivor, 1);
	commit(&survivor, 1);
	accept_slot(&survivor, 3);
	accept_slot(&survivor, 5);
	add(&survivor, PAXOS_NL_RECORD_PROMISE, 0, BALLOT(9, 3));
	decide(&survivor, &out);
	assert_int_equal(survivor.commit, 1);
	assert_int_equal(survivor.highest, 5);
	assert_int_equal(survivor.missing, 2);
	assert_int_equal(out.n, 7);
	assert_int_equal(out.records[0].ballot, BALLOT(10, SELF));
	assert_int_equal(out.records[1].slot, 2);
	assert_int_equal(out.records[1].kind, PAXOS_NL_KIND_NOOP);
	assert_int_equal(out.records[1].ballot, BALLOT(10, SELF));
	assert_int_equal(out.records[2].slot, 4);
	assert_int_equal(out.records[3].type, PAXOS_NL_RECORD_COMMIT);
	assert_int_equal(out.records[3].slot, 5);
	check_end(&out, 6, 2, OTHERS);
	free(out.records);
	survivor_free(&survivor);
}

/* A change that was in flight is made, and the last one follows it. */
static void test_undecided_change(void **state)
{
	const struct configuration four = { .epoch = 1, .voters = 15 };
	struct survivor_records out;
	struct survivor survivor;

	(void)state;
	begin(&survivor, &four);
	accept_slot(&survivor, 1);
	commit(&survivor, 1);
	accept_config(&survivor, 2, &four, SELF);
	decide(&survivor, &out);
	check_end(&out, 3, 3, 13);
	free(out.records);
	survivor_free(&survivor);
	/* Of two for one epoch only the first counts. */
	begin(&survivor, &four);
	accept_config(&survivor, 1, &four, SELF);
	accept_config(&survivor, 2, &four, 3);
	commit(&survivor, 2);
	decide(&survivor, &out);
	check_end(&out, 3, 3, 13);
	free(out.records);
	survivor_free(&survivor);
}

static void test_who_may_not(void **state)
{
	const struct configuration none = { 0 };
	const struct configuration learner = {
		.epoch = 4, .voters = 1, .learners = 1 << (SELF - 1),
	};
	struct survivor_records out;
	struct survivor survivor;

	(void)state;
	begin(&survivor, &none);
	refuse(&survivor, "not learned yet");
	begin(&survivor, &three);
	accept_config(&survivor, 1, &three, 3);
	commit(&survivor, 1);
	refuse(&survivor, "was removed");
	/* Not chosen as far as is known, but it would be. */
	begin(&survivor, &three);
	accept_config(&survivor, 1, &three, 3);
	refuse(&survivor, "was removed");
	begin(&survivor, &three);
	accept_slot(&survivor, SURVIVOR_MISSING_MAX + 2);
	refuse(&survivor, "too many slots");
	begin(&survivor, &learner);
	decide(&survivor, &out);
	check_end(&out, 1, 5, 1);
	free(out.records);
	survivor_free(&survivor);
}

/* More than is held at once has gone by. */
static void test_long_log(void **state)
{
	struct survivor_records out;
	struct survivor survivor;
	uint64_t slot;

	(void)state;
	begin(&survivor, &three);
	for (slot = 1; slot <= 3 * PAXOS_NL_LOG_SIZE_MAX; slot++) {
		accept_slot(&survivor, slot);
		if (slot % 1000 == 0)
			commit(&survivor, slot - 7);
	}
	decide(&survivor, &out);
	assert_int_equal(survivor.missing, 0);
	check_end(&out, slot, 2, OTHERS);
	free(out.records);
	survivor_free(&survivor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_chosen),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_undecided),
		cmocka_unit_test(test_undecided_change),
		cmocka_unit_test(test_who_may_not),
		cmocka_unit_test(test_long_log),
	};

	return cmocka_run_group_tests_name("survivor", tests, NULL, NULL);
}
