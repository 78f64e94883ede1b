// SPDX-License-Identifier: GPL-2.0
/* Whose checksums differ, and who halts for that. */
#include <core/divergence.h>
#include "unit.h"

#define SECOND (1000 * MS)

static struct paxos_core core;
static struct paxos_divergence divergence;
static struct paxos_config config;

/* What a member with that fault says of @slot: none is what all say. */
static u64 sum(u64 slot, u64 fault)
{
	return slot ? slot * 1000 + fault : 0;
}

/* This member has delivered @commit slots, of which it keeps what it keeps. */
static void reach(u64 commit, u64 fault)
{
	u64 slot;

	memset(&core, 0, sizeof(core));
	core.commit = commit;
	for (slot = 1; slot <= commit; slot++) {
		core.recent[slot % PAXOS_CHECKSUMS_RECENT] = sum(slot, fault);
		if (slot % PAXOS_CHECKSUM_EVERY == 0)
			core.marks[slot / PAXOS_CHECKSUM_EVERY %
				   PAXOS_CHECKSUM_MARKS] = sum(slot, fault);
	}
}

/* Member 1 of so many voters, and a learner behind them. */
static void begin_as(u32 voters)
{
	const u64 set = (1ULL << voters) - 1;

	memset(&divergence, 0, sizeof(divergence));
	assert_int_equal(paxos_config_init(&config, 1, set, set + 1,
					   voters / 2 + 1, voters / 2 + 1), 0);
}

/* @fault from slot @from on. */
static void hear(u8 id, u64 commit, u64 from, u64 fault)
{
	u64 mark = commit - commit % PAXOS_CHECKSUM_EVERY;

	paxos_divergence_hear(&divergence, &core, id, commit,
			      sum(commit, commit >= from ? fault : 0),
			      sum(mark, mark >= from ? fault : 0));
}

static bool halts(u64 now)
{
	paxos_divergence_judge(&divergence, &config, 1, now);
	return divergence.halted;
}

static void test_all_agree(void **state)
{
	u64 commit;

	begin_as(3);
	for (commit = 1; commit < 400; commit++) {
		reach(commit, 0);
		hear(2, commit, 0, 0);
		hear(3, commit > 50 ? commit - 50 : 1, 0, 0);
		hear(4, commit + 50, 0, 0);
		assert_false(halts(commit * SECOND));
		assert_int_equal(divergence.differ, 0);
	}
	assert_int_equal(divergence.members[2].same, 399);
	assert_true(divergence.members[4].same >= 320);
}

static void test_minority(void **state)
{
	/* Of three, this one: two differ from it. */
	begin_as(3);
	reach(130, 1);
	hear(2, 130, 0, 0);
	assert_false(halts(SECOND));
	assert_int_equal(divergence.differ, 2);
	assert_int_equal(divergence.slot, 128);
	hear(3, 130, 0, 0);
	assert_true(halts(SECOND));
	/* Another one: this one is not alone. */
	begin_as(3);
	reach(130, 0);
	hear(2, 130, 100, 7);
	hear(3, 130, 0, 0);
	assert_false(halts(SECOND));
	assert_false(halts(100 * SECOND));
	assert_int_equal(divergence.differ, 2);
}

static void test_others_may_be_heard(void **state)
{
	begin_as(3);
	reach(130, 0);
	hear(3, 120, 0, 0);	/* the same, but before that one differed */
	hear(2, 130, 125, 7);
	assert_false(halts(SECOND));
	assert_false(halts(SECOND + PAXOS_DIVERGENCE_US - 1));
	assert_true(halts(SECOND + PAXOS_DIVERGENCE_US));
	/* Too late, but in time to go on. */
	hear(3, 130, 0, 0);
	assert_false(halts(SECOND + PAXOS_DIVERGENCE_US));
	assert_int_equal(divergence.differ, 2);
}

static void test_no_majority(void **state)
{
	/* One against one: at once, for there is nobody else. */
	begin_as(2);
	reach(130, 0);
	hear(2, 130, 1, 7);
	assert_true(halts(SECOND));
	/* Two against two. */
	begin_as(4);
	hear(2, 130, 0, 0);
	hear(3, 130, 1, 7);
	assert_false(halts(SECOND));
	hear(4, 130, 1, 7);
	assert_true(halts(SECOND));
	/* Of five each has his own. */
	begin_as(5);
	hear(2, 130, 1, 7);
	hear(3, 130, 1, 8);
	assert_false(halts(SECOND));
	hear(4, 130, 1, 9);
	assert_true(halts(SECOND));
}

/* A learner with another log is shown, and halts; it is no voice. */
static void test_learner(void **state)
{
	begin_as(2);
	reach(130, 0);
	hear(2, 130, 0, 0);
	hear(3, 130, 1, 7);
	assert_false(halts(100 * SECOND));
	assert_false(halts(200 * SECOND));
	assert_int_equal(divergence.differ, 4);
	/* Seen from the learner. */
	begin_as(2);
	reach(130, 7);
	hear(1, 130, 0, 0);
	hear(2, 130, 0, 0);
	paxos_divergence_judge(&divergence, &config, 3, SECOND);
	assert_true(divergence.halted);
}

static void test_same_again(void **state)
{
	begin_as(3);
	reach(200, 1);
	hear(2, 200, 0, 0);
	hear(3, 200, 0, 0);
	assert_true(halts(SECOND));
	/* This one was restarted, and its disk was right. */
	memset(&divergence, 0, sizeof(divergence));
	reach(200, 0);
	hear(2, 200, 0, 0);
	hear(3, 200, 0, 0);
	assert_false(halts(SECOND));
	assert_int_equal(divergence.differ, 0);
	/* Another was: it replays, and is believed once it is past the slot. */
	hear(2, 200, 199, 7);
	halts(SECOND);
	assert_int_equal(divergence.differ, 2);
	assert_int_equal(divergence.slot, 200);
	hear(2, 195, 0, 0);
	halts(SECOND);
	assert_int_equal(divergence.differ, 2);
	hear(2, 200, 0, 0);
	halts(SECOND);
	assert_int_equal(divergence.differ, 0);
	assert_int_equal(divergence.slot, 0);
}

/* Its mark is older than where it began to differ, and says nothing new. */
static void test_older_mark(void **state)
{
	begin_as(3);
	reach(135, 0);
	hear(2, 130, 129, 7);
	halts(SECOND);
	assert_int_equal(divergence.differ, 2);
	hear(2, 140, 129, 7);	/* ahead: only the mark of 128 is comparable */
	halts(SECOND);
	assert_int_equal(divergence.differ, 2);
	assert_int_equal(divergence.slot, 130);
}

/* Who is behind always hears of slots that it has not reached yet. */
static void test_behind(void **state)
{
	u64 commit;

	begin_as(3);
	/* It holds on to 448, and to 896 when it gets there. */
	for (commit = 1; commit <= 1000; commit++) {
		reach(commit, 0);
		hear(2, commit + 500, 600, 7);
		halts(commit * SECOND);
		assert_int_equal(divergence.members[2].same,
				 commit >= 448 ? 448 : 0);
		assert_int_equal(divergence.slot, commit >= 896 ? 896 : 0);
	}
	assert_int_equal(divergence.differ, 2);
}

static void test_unknown(void **state)
{
	begin_as(3);
	reach(100, 0);
	/* An agent that does not say, and slots that are not kept. */
	paxos_divergence_hear(&divergence, &core, 2, 100, 0, 0);
	hear(3, 30, 1, 7);
	assert_false(halts(SECOND));
	assert_int_equal(divergence.differ, 0);
	reach(64 * (PAXOS_CHECKSUM_MARKS + 2ULL), 0);
	hear(2, 64, 1, 7);
	assert_false(halts(SECOND));
	assert_int_equal(divergence.differ, 0);
}

static void test_removed(void **state)
{
	begin_as(3);
	reach(130, 0);
	hear(2, 130, 1, 7);
	halts(SECOND);
	assert_true(halts(SECOND + PAXOS_DIVERGENCE_US));
	config.voters &= ~2ULL;
	config.gone = 2;
	assert_false(halts(SECOND + PAXOS_DIVERGENCE_US));
	assert_int_equal(divergence.differ, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST("the same log, whoever is ahead: nobody differs",
		     test_all_agree),
		TEST("who differs from a majority halts, at once",
		     test_minority),
		TEST("where too few were compared, others may be heard first",
		     test_others_may_be_heard),
		TEST("without a majority all halt that differ",
		     test_no_majority),
		TEST("a learner halts, and is no voice", test_learner),
		TEST("who replays the right log is the same again",
		     test_same_again),
		TEST("an older mark that is the same takes nothing back",
		     test_older_mark),
		TEST("who is always behind compares, too", test_behind),
		TEST("what is not known is not compared", test_unknown),
		TEST("who was removed does not count", test_removed),
	};

	return RUN_TESTS(tests);
}
