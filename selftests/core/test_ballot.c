// SPDX-License-Identifier: GPL-2.0
#include "unit.h"

static void test_unique(void **state)
{
	u64 round;
	u8 a, b;

	for (round = 0; round < 4; round++)
		for (a = 1; a <= PAXOS_MEMBERS_MAX; a++)
			for (b = 1; b <= PAXOS_MEMBERS_MAX; b++)
				assert_int_equal(B(round, a) == B(round, b),
						 a == b);
}

static void test_parts(void **state)
{
	u64 ballot = B(PAXOS_ROUND_MAX, 64);

	assert_int_equal(paxos_ballot_round(ballot), PAXOS_ROUND_MAX);
	assert_int_equal(paxos_ballot_member(ballot), 64);
	assert_int_equal(paxos_ballot_round(B(1, 1)), 1);
}

static void test_order(void **state)
{
	assert_true(B(2, 1) > B(1, 64));
	assert_true(B(1, 2) > B(1, 1));
	assert_true(B(1, 1) > PAXOS_BALLOT_NONE);
}

static void test_above(void **state)
{
	u64 seen, above, round;
	u8 owner, member;

	for (round = 0; round < 5; round++)
		for (owner = 0; owner <= PAXOS_MEMBERS_MAX; owner++)
			for (member = 1; member <= PAXOS_MEMBERS_MAX;
			     member++) {
				seen = B(round, owner);
				above = paxos_ballot_above(seen, member);
				assert_true(above > seen);
				assert_int_equal(paxos_ballot_member(above),
						 member);
				assert_true(paxos_ballot_round(above) >= 1);
			}
}

static void test_lowest(void **state)
{
	/* A higher id need not burn a round, a lower one has to. */
	assert_int_equal(paxos_ballot_above(B(3, 2), 5), B(3, 5));
	assert_int_equal(paxos_ballot_above(B(3, 2), 2), B(4, 2));
	assert_int_equal(paxos_ballot_above(B(3, 2), 1), B(4, 1));
	assert_int_equal(paxos_ballot_above(PAXOS_BALLOT_NONE, 9), B(1, 9));
}

static void test_exhausted(void **state)
{
	u64 top = B(PAXOS_ROUND_MAX, 5);

	assert_int_equal(paxos_ballot_above(top, 5), PAXOS_BALLOT_NONE);
	assert_int_equal(paxos_ballot_above(top, 4), PAXOS_BALLOT_NONE);
	assert_int_equal(paxos_ballot_above(top, 6), B(PAXOS_ROUND_MAX, 6));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST("Lamport 2001, 2.2: different proposals have different numbers",
		     test_unique),
		TEST("a ballot is its round and its member", test_parts),
		TEST("ballots are ordered by round, then by member",
		     test_order),
		TEST("pitfall, Kernel_Paxos: to take over is to go above all that was seen",
		     test_above),
		TEST("the lowest ballot above is taken", test_lowest),
		TEST("the last round is the last: no wrap to a low ballot",
		     test_exhausted),
	};

	return RUN_TESTS(tests);
}
