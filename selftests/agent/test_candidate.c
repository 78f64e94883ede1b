// SPDX-License-Identifier: GPL-2.0
/* One member's election, rule by rule: what it asks, grants and refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "election.h"

#define MS	1000000ULL
#define ALL	0x1fULL		/* members 1 to 5 */

static struct election election;
static struct election_kernel kernel;
static struct election_out out;
static uint64_t now;

/* Member 1 of five, whose leader, member 5, has just fallen silent. */
static int setup(void **state)
{
	const struct election_settings settings = {
		.self = 1, .priority = 100, .enabled = true, .sync = true,
		.interval = 100 * MS, .silence = 350 * MS,
	};

	(void)state;
	now = 1000000 * MS;
	election_init(&election, &settings, 1, now);
	kernel = (struct election_kernel) {
		.state = PAXOS_NL_STATE_RUNNING, .leader = 5, .q1 = 3,
		.ballot = 0x105, .promised = 0x105, .commit = 9, .first = 1,
		.voters = ALL,
	};
	return 0;
}

static void step(unsigned int ms)
{
	now += ms * MS;
	election_kernel(&election, &kernel);
	election_step(&election, now, 0, &out);
}

static void hear(uint8_t from, uint8_t kind, uint64_t round)
{
	const struct election_word word = {
		.kind = kind, .round = round, .priority = 100, .commit = 9,
		.hears = ALL, .flags = ELECTION_ABLE, .ballot = 0x105,
	};

	election_hear(&election, from, &word, now);
}

/* All others are heard, steps are regular, member 5 is gone at the end. */
static void lose_leader(void)
{
	unsigned int i;
	uint8_t id;

	for (i = 0; i < 5; i++) {
		for (id = 2; id <= 5; id++)
			hear(id, ELECTION_BEAT, 0);
		step(100);
		assert_int_equal(out.ask, 0);
	}
	election_suspect(&election, 0x10, 0x10);
	kernel.leader = 0;
}

static void test_asks_all_and_campaigns_with_a_quorum(void **state)
{
	(void)state;
	lose_leader();
	step(1);
	assert_true(out.tell);
	assert_int_equal(out.ask, ALL & ~1ULL);
	hear(2, ELECTION_GRANT, election.round);
	step(1);
	assert_false(out.campaign);
	/* One grant is one, of this round only. */
	hear(2, ELECTION_GRANT, election.round);
	hear(3, ELECTION_GRANT, election.round - 1);
	hear(4, ELECTION_REFUSE, election.round);
	step(1);
	assert_false(out.campaign);
	hear(3, ELECTION_GRANT, election.round);
	step(1);
	assert_true(out.campaign);
	step(1);
	assert_false(out.campaign);
}

static void test_who_hears_no_quorum_does_not_ask(void **state)
{
	(void)state;
	lose_leader();
	election_suspect(&election, 0x1c, 0x1c);
	step(1);
	step(300);
	assert_int_equal(out.ask, 0);
	election_suspect(&election, 0x18, 0x18);
	step(1);
	assert_int_equal(out.ask, ALL & ~1ULL);
}

static void test_who_hears_a_leader_refuses_until_it_does_not(void **state)
{
	(void)state;
	lose_leader();
	kernel.leader = 5;
	election_suspect(&election, 0, 0);
	hear(2, ELECTION_ASK, 7);
	step(1);
	assert_int_equal(out.refuse, 0x2);
	assert_int_equal(out.grant, 0);
	/* It remembers who asked. */
	election_suspect(&election, 0x10, 0x10);
	kernel.leader = 0;
	step(10);
	assert_int_equal(out.grant, 0x2);
	assert_int_equal(out.ask, 0);
}

static void test_who_slept_refuses(void **state)
{
	(void)state;
	lose_leader();
	step(10000);
	assert_int_equal(out.ask, 0);
	hear(2, ELECTION_ASK, 7);
	step(1);
	assert_int_equal(out.grant, 0);
	assert_int_equal(out.refuse, 0x2);
	step(300);
	assert_int_equal(out.grant | out.ask, 0);
	step(60);
	assert_int_equal(out.grant, 0x2);
}

static void test_one_at_a_time_and_the_better_of_two(void **state)
{
	struct election_word word = {
		.kind = ELECTION_ASK, .round = 3, .priority = 100,
		.commit = 10, .hears = ALL,
	};

	(void)state;
	lose_leader();
	step(1);
	assert_int_not_equal(out.ask, 0);
	/* As good but for its id: this member goes on. */
	hear(3, ELECTION_ASK, 7);
	step(1);
	assert_int_equal(out.refuse, 0x4);
	/* One with a longer log: this member gives way. */
	election_hear(&election, 2, &word, now);
	step(1);
	assert_int_equal(out.grant, 0x2);
	hear(3, ELECTION_GRANT, election.round);
	hear(4, ELECTION_GRANT, election.round);
	step(1);
	assert_false(out.campaign);
	hear(4, ELECTION_ASK, 7);
	step(1);
	assert_int_equal(out.refuse, 0x8);
}

static void test_an_answer_that_cannot_arrive_is_not_given(void **state)
{
	struct election_word word = {
		.kind = ELECTION_ASK, .round = 3, .priority = 255,
		.commit = 10, .hears = ALL & ~1ULL,
	};

	(void)state;
	lose_leader();
	election_hear(&election, 2, &word, now);
	step(1);
	assert_int_equal(out.grant, 0);
	word.hears = ALL;
	/* Nor to one that would end up behind what is held here. */
	word.commit = 3;
	kernel.first = 5;
	election_hear(&election, 2, &word, now);
	step(1);
	assert_int_equal(out.grant, 0);
	word.commit = 4;
	election_hear(&election, 2, &word, now);
	step(1);
	assert_int_equal(out.grant, 0x2);
}

static void test_who_cannot_promise_grants_nothing(void **state)
{
	(void)state;
	lose_leader();
	kernel.wait = PAXOS_NL_WAIT_DISK;
	hear(2, ELECTION_ASK, 7);
	step(1);
	assert_int_equal(out.grant | out.ask, 0);
	kernel.wait = PAXOS_NL_WAIT_NONE;
	kernel.state = PAXOS_NL_STATE_RESTORING;
	step(1);
	assert_int_equal(out.grant | out.ask, 0);
	kernel.state = PAXOS_NL_STATE_RUNNING;
	kernel.voters = ALL & ~1ULL;
	step(1);
	assert_int_equal(out.grant | out.ask, 0);
	kernel.voters = ALL;
	step(1);
	assert_int_equal(out.grant, 0x2);
}

static void test_a_running_phase_1_is_let_pass(void **state)
{
	(void)state;
	lose_leader();
	kernel.promised = 0x203;
	step(1);
	assert_int_equal(out.ask, 0);
	hear(2, ELECTION_ASK, 7);
	step(1);
	assert_int_equal(out.grant, 0);
	step(300);
	assert_int_equal(out.grant | out.ask, 0);
	hear(2, ELECTION_ASK, 7);
	/* It came to nothing. */
	step(300);
	assert_int_equal(out.grant, 0x2);
}

/* The former leader has told its kernel to begin, not its agent. */
static void test_its_own_phase_1_lets_nobody_pass_and_is_not_begun_anew(void **state)
{
	(void)state;
	lose_leader();
	kernel.phase = PAXOS_NL_PHASE_CANDIDATE;
	kernel.promised = 0x201;
	kernel.ballot = 0x201;
	hear(2, ELECTION_ASK, 7);
	step(1);
	assert_int_equal(out.refuse, 0x2);
	assert_int_equal(out.grant | out.ask, 0);
	step(300);
	assert_int_equal(out.grant | out.ask, 0);
	hear(2, ELECTION_ASK, 7);
	/* It came to nothing. */
	step(300);
	assert_int_equal(out.grant, 0x2);
}

static void test_a_lost_campaign_lowers_the_priority_for_a_while(void **state)
{
	struct election_word word;
	unsigned int i;

	(void)state;
	lose_leader();
	step(1);
	hear(2, ELECTION_GRANT, election.round);
	hear(3, ELECTION_GRANT, election.round);
	step(1);
	assert_true(out.campaign);
	election_word(&election, 2, ELECTION_BEAT, &word);
	assert_int_equal(word.priority, 100);
	for (i = 0; i < 6; i++)
		step(100);
	election_word(&election, 2, ELECTION_BEAT, &word);
	assert_true(word.priority < 100);
	kernel.leader = 5;
	election_suspect(&election, 0, 0);
	for (i = 0; i < 110; i++)
		step(100);
	election_word(&election, 2, ELECTION_BEAT, &word);
	assert_int_equal(word.priority, 100);
}

#define TEST(name) cmocka_unit_test_setup(test_##name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(asks_all_and_campaigns_with_a_quorum),
		TEST(who_hears_no_quorum_does_not_ask),
		TEST(who_hears_a_leader_refuses_until_it_does_not),
		TEST(who_slept_refuses),
		TEST(one_at_a_time_and_the_better_of_two),
		TEST(an_answer_that_cannot_arrive_is_not_given),
		TEST(who_cannot_promise_grants_nothing),
		TEST(a_running_phase_1_is_let_pass),
		TEST(its_own_phase_1_lets_nobody_pass_and_is_not_begun_anew),
		TEST(a_lost_campaign_lowers_the_priority_for_a_while),
	};

	return cmocka_run_group_tests_name("candidate", tests, NULL, NULL);
}
