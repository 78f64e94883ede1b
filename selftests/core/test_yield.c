// SPDX-License-Identifier: GPL-2.0
/* The end of a lead: resigning, and handing it over. */
#include <linux/errno.h>
#include "unit.h"

static int resign(struct cluster *c, u8 id)
{
	return paxos_core_resign(core_of(c, id), c->now);
}

static int transfer(struct cluster *c, u8 from, u8 to, u64 us)
{
	return paxos_core_transfer(core_of(c, from), to, c->now + us, c->now);
}

static struct cluster *led_by_1(u32 n)
{
	struct cluster *c = cluster_of(n);

	elect(c, 1);
	assert_int_equal(propose(c, 1, "first"), 0);
	run(c, 1000 * MS);
	return c;
}

static void test_resigned(void **state)
{
	struct cluster *c = led_by_1(3);

	assert_int_equal(resign(c, 1), 0);
	assert_int_equal(core_of(c, 1)->role, PAXOS_FOLLOWER);
	assert_int_equal(core_of(c, 1)->leader, 0);
	assert_int_equal(propose(c, 1, "to nobody"), -ENOLINK);
	assert_int_equal(resign(c, 1), -EALREADY);
	assert_int_equal(resign(c, 2), -EALREADY);
	cluster_free(c);
}

static void test_resigned_candidate(void **state)
{
	struct cluster *c = cluster_of(3);

	assert_int_equal(campaign(c, 2), 0);
	assert_int_equal(resign(c, 2), 0);
	settle(c);
	assert_int_equal(core_of(c, 2)->role, PAXOS_FOLLOWER);
	elect(c, 2);
	cluster_free(c);
}

static void test_resigned_with_open_slots(void **state)
{
	struct cluster *c = led_by_1(3);
	int cookie;

	assert_int_equal(propose_until(c, 1, "open", 4, c->now + 9000 * MS,
				       &cookie), 0);
	deliver_one(c, PAXOS_ACCEPT, 1, 2);
	drop(c, ANY, ANY, ANY);
	assert_int_equal(resign(c, 1), 0);
	elect(c, 3);
	run(c, 2000 * MS);
	assert_true(decided(c, 3, 2, "open"));
	assert_outcome(PAXOS_OUTCOME_CHOSEN, c, 1, &cookie);
	assert_int_equal(times_decided(c, "open"), 1);
	cluster_free(c);
}

static void test_handed_over(void **state)
{
	struct cluster *c = led_by_1(5);

	assert_int_equal(transfer(c, 1, 4, 1000 * MS), 0);
	run(c, 1000 * MS);
	assert_int_equal(core_of(c, 4)->role, PAXOS_LEADER);
	assert_int_equal(core_of(c, 1)->leader, 4);
	assert_int_equal(core_of(c, 1)->yield_to, 0);
	assert_int_equal(propose(c, 1, "second"), 0);
	run(c, 1000 * MS);
	assert_true(decided(c, 1, 2, "second"));
	cluster_free(c);
}

static void test_not_before_all_is_known(void **state)
{
	struct cluster *c = led_by_1(3);

	assert_int_equal(propose(c, 1, "second"), 0);
	drop(c, PAXOS_ACCEPT, 1, 3);
	assert_int_equal(transfer(c, 1, 3, 1000 * MS), 0);
	advance(c, 1);
	assert_int_equal(queued(c, PAXOS_YIELD, ANY, ANY), 0);
	deliver(c, PAXOS_ACCEPT, 1, 2);
	deliver(c, PAXOS_ACCEPTED, 2, 1);
	/* It is chosen, but not known at 3. */
	deliver(c, PAXOS_COMMIT, 1, 3);
	deliver(c, PAXOS_ACCEPTED, 3, 1);
	assert_int_equal(queued(c, PAXOS_YIELD, ANY, ANY), 0);
	assert_int_equal(core_of(c, 3)->commit, 1);
	run(c, 1000 * MS);
	assert_int_equal(core_of(c, 3)->role, PAXOS_LEADER);
	assert_true(decided(c, 3, 2, "second"));
	cluster_free(c);
}

static void test_proposals_wait_for_the_next(void **state)
{
	struct cluster *c = led_by_1(3);
	int mine, theirs;

	assert_int_equal(transfer(c, 1, 2, 1000 * MS), 0);
	assert_int_equal(propose_until(c, 1, "mine", 4, c->now + 9000 * MS,
				       &mine), 0);
	assert_int_equal(propose_until(c, 3, "theirs", 6, c->now + 9000 * MS,
				       &theirs), 0);
	deliver(c, PAXOS_FORWARD, 3, 1);
	assert_int_equal(core_of(c, 1)->next_slot, 2);
	run(c, 3000 * MS);
	assert_int_equal(core_of(c, 2)->role, PAXOS_LEADER);
	assert_outcome(PAXOS_OUTCOME_CHOSEN, c, 1, &mine);
	assert_outcome(PAXOS_OUTCOME_CHOSEN, c, 3, &theirs);
	assert_int_equal(times_decided(c, "mine"), 1);
	assert_int_equal(times_decided(c, "theirs"), 1);
	cluster_free(c);
}

static void test_nobody_there(void **state)
{
	struct cluster *c = led_by_1(3);
	u64 ballot = core_of(c, 1)->ballot;
	int cookie;

	host_crash(c, 2);
	assert_int_equal(transfer(c, 1, 2, 500 * MS), 0);
	assert_int_equal(propose_until(c, 1, "after", 5, c->now + 9000 * MS,
				       &cookie), 0);
	run(c, 400 * MS);
	assert_null(ended(c, 1, &cookie));
	run(c, 1000 * MS);
	assert_int_equal(core_of(c, 1)->role, PAXOS_LEADER);
	assert_int_equal(core_of(c, 1)->ballot, ballot);
	assert_outcome(PAXOS_OUTCOME_CHOSEN, c, 1, &cookie);
	cluster_free(c);
}

static void test_lost_yield(void **state)
{
	struct cluster *c = led_by_1(3);

	assert_int_equal(transfer(c, 1, 2, 2000 * MS), 0);
	advance(c, 1);
	assert_int_equal(drop(c, PAXOS_YIELD, 1, 2), 1);
	run(c, 1500 * MS);
	assert_int_equal(core_of(c, 2)->role, PAXOS_LEADER);
	cluster_free(c);
}

static void test_stale_yield(void **state)
{
	struct cluster *c = led_by_1(3);
	struct paxos_message yield = message_make(c, PAXOS_YIELD, 1, 2,
						  core_of(c, 1)->ballot);

	/* Not the leader that it follows, not in this ballot. */
	yield.from = 3;
	assert_drop(PAXOS_DROP_STALE, inject(c, &yield));
	yield.from = 1;
	yield.ballot += 256;
	assert_drop(PAXOS_DROP_STALE, inject(c, &yield));
	yield.ballot -= 256;
	/* Somebody else's phase 1 has begun. */
	say_prepare(c, 3, 2, B(9, 3), 2);
	drop(c, ANY, ANY, ANY);
	assert_drop(PAXOS_DROP_STALE, inject(c, &yield));
	elect(c, 2);
	assert_drop(PAXOS_DROP_STALE, inject(c, &yield));
	assert_int_equal(core_of(c, 2)->role, PAXOS_LEADER);
	cluster_free(c);
}

static void test_not_to_these(void **state)
{
	struct cluster *c = cluster_make(3);

	c->config.voters = 0x3;
	c->config.learners = 0x4;
	c->config.q1 = 2;
	c->config.q2 = 2;
	host_boot(c, 1);
	assert_int_equal(resign(c, 1), -EUNATCH);
	assert_int_equal(transfer(c, 1, 2, MS), -EUNATCH);
	host_start(c, 1);
	host_boot(c, 2);
	host_start(c, 2);
	host_boot(c, 3);
	host_start(c, 3);
	assert_int_equal(transfer(c, 1, 2, MS), -ENOLINK);
	elect(c, 1);
	assert_int_equal(transfer(c, 1, 1, MS), -EALREADY);
	assert_int_equal(transfer(c, 1, 3, MS), -EINVAL);
	assert_int_equal(transfer(c, 1, 4, MS), -EINVAL);
	assert_int_equal(core_of(c, 1)->yield_to, 0);
	cluster_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("who resigned proposes nothing", test_resigned),
		TEST("a candidate may resign, and try again",
		     test_resigned_candidate),
		TEST("P2c: what a leader left open ends under the next one",
		     test_resigned_with_open_slots),
		TEST("a lead is handed over, and nothing is lost",
		     test_handed_over),
		TEST("not before the next one knows all that is chosen",
		     test_not_before_all_is_known),
		TEST("proposals that come meanwhile wait for the next leader",
		     test_proposals_wait_for_the_next),
		TEST("if nobody takes over, the leader leads on",
		     test_nobody_there),
		TEST("a Yield that was lost is sent again", test_lost_yield),
		TEST("a Yield of anybody but the leader followed is stale",
		     test_stale_yield),
		TEST("a lead goes to another voter only", test_not_to_these),
	};

	return RUN_TESTS(tests);
}
