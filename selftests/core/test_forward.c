// SPDX-License-Identifier: GPL-2.0
/* Proposals at any member, their ends, and each delivered once. */
#include <linux/errno.h>
#include "unit.h"

static struct cluster *led(u32 n)
{
	struct cluster *c = cluster_of(n);

	elect(c, 1);
	run(c, 10 * MS);
	return c;
}

static void test_forward(void **state)
{
	struct cluster *c = led(3);

	assert_int_equal(propose(c, 2, "x"), 0);
	assert_int_equal(queued(c, PAXOS_FORWARD, 2, 1), 1);
	settle(c);
	assert_outcome(PAXOS_OUTCOME_CHOSEN, c, 2, "x");
	assert_int_equal(ended(c, 2, "x")->slot, 1);
	run(c, 500 * MS);
	assert_true(decided(c, 3, 1, "x"));
	cluster_free(c);
}

/* A commit that changes nothing: what health is told by. */
static void test_noop(void **state)
{
	struct cluster *c = led(3);
	u32 i;

	assert_int_equal(propose(c, 1, "x"), 0);
	assert_int_equal(propose_noop(c, 1, "of the leader"), 0);
	assert_int_equal(propose_noop(c, 2, "of another"), 0);
	for (i = 0; i < 3; i++)
		repeat(c, PAXOS_FORWARD, 2, 1);
	settle(c);
	assert_outcome(PAXOS_OUTCOME_CHOSEN, c, 1, "of the leader");
	assert_outcome(PAXOS_OUTCOME_CHOSEN, c, 2, "of another");
	assert_int_equal(ended(c, 1, "of the leader")->slot, 2);
	assert_int_equal(ended(c, 2, "of another")->slot, 3);
	run(c, 2000 * MS);
	/* Slots like others, once each, and delivered to nobody. */
	for (i = 1; i <= 3; i++) {
		assert_true(decided(c, i, 1, "x"));
		assert_true(decided_noop(c, i, 2));
		assert_true(decided_noop(c, i, 3));
		assert_int_equal(c->hosts[i]->delivered, 3);
	}
	/* And after a restart, as the records tell. */
	host_crash(c, 3);
	host_restart(c, 3);
	run(c, 2000 * MS);
	assert_true(decided_noop(c, 3, 3));
	assert_int_equal(propose_noop(c, 3, "of one back"), 0);
	settle(c);
	assert_outcome(PAXOS_OUTCOME_CHOSEN, c, 3, "of one back");
	assert_int_equal(ended(c, 3, "of one back")->slot, 4);
	cluster_free(c);
}

/* Handed to two leaders it may be in the log twice, and ends once. */
static void test_noop_two_leaders(void **state)
{
	struct cluster *c = led(3);

	propose_noop(c, 2, "x");
	deliver(c, PAXOS_FORWARD, 2, 1);
	deliver(c, PAXOS_ACCEPT, 1, 3);
	drop(c, ANY, ANY, ANY);
	host_crash(c, 1);
	assert_int_equal(times_ended(c, 2, "x"), 0);
	elect(c, 3);
	run(c, 5000 * MS);
	assert_outcome(PAXOS_OUTCOME_CHOSEN, c, 2, "x");
	assert_int_equal(times_ended(c, 2, "x"), 1);
	cluster_free(c);
}

static void test_lost_forward(void **state)
{
	struct cluster *c = led(3);

	propose(c, 2, "x");
	assert_int_equal(drop(c, PAXOS_FORWARD, 2, 1), 1);
	run(c, 2000 * MS);
	assert_outcome(PAXOS_OUTCOME_CHOSEN, c, 2, "x");
	assert_int_equal(times_decided(c, "x"), 1);
	cluster_free(c);
}

static void test_lost_done(void **state)
{
	struct cluster *c = led(3);

	propose(c, 2, "x");
	deliver(c, PAXOS_FORWARD, 2, 1);
	deliver(c, PAXOS_ACCEPT, 1, 3);
	deliver(c, PAXOS_ACCEPTED, 3, 1);
	assert_int_equal(drop(c, PAXOS_DONE, 1, 2), 1);
	run(c, 3000 * MS);
	assert_outcome(PAXOS_OUTCOME_CHOSEN, c, 2, "x");
	assert_int_equal(times_decided(c, "x"), 1);
	assert_int_equal(times_ended(c, 2, "x"), 1);
	cluster_free(c);
}

static void test_duplicate_forward(void **state)
{
	struct cluster *c = led(3);
	u32 i;

	propose(c, 2, "x");
	for (i = 0; i < 3; i++)
		repeat(c, PAXOS_FORWARD, 2, 1);
	run(c, 2000 * MS);
	assert_int_equal(times_decided(c, "x"), 1);
	assert_int_equal(times_ended(c, 2, "x"), 1);
	assert_int_equal(c->hosts[1]->delivered, 1);
	cluster_free(c);
}

static void test_two_leaders(void **state)
{
	struct cluster *c = led(3);

	/* Forwarded to 1, proposed there, seen by 3; then 3 leads, and is
	 * given the same again: twice in the log, delivered once.
	 */
	propose(c, 2, "x");
	deliver(c, PAXOS_FORWARD, 2, 1);
	deliver(c, PAXOS_ACCEPT, 1, 3);
	drop(c, ANY, ANY, ANY);
	host_crash(c, 1);
	elect(c, 3);
	run(c, 5000 * MS);
	assert_outcome(PAXOS_OUTCOME_CHOSEN, c, 2, "x");
	assert_int_equal(times_decided(c, "x"), 1);
	assert_int_equal(times_ended(c, 2, "x"), 1);
	cluster_free(c);
}

static void test_twice_in_the_log(void **state)
{
	struct cluster *c = cluster_make(3);
	struct paxos_message m = message_make(c, PAXOS_CHOSEN, 2, 1, B(1, 2));
	struct paxos_item items[3] = {
		item_make(1, B(1, 2), 3, 7, "x"),
		item_make(2, B(1, 2), 3, 7, "x"),
		item_make(3, B(1, 2), 3, 8, "y"),
	};

	c->wiped = true;
	host_boot(c, 1);
	host_start(c, 1);
	m.chosen.held = 1;
	m.count = 3;
	m.items = items;
	inject(c, &m);
	assert_true(decided(c, 1, 1, "x"));
	assert_true(decided_noop(c, 1, 2));
	assert_true(decided(c, 1, 3, "y"));
	/* And after a restart, as the records tell. */
	host_crash(c, 1);
	host_restart(c, 1);
	inject(c, &m);
	assert_true(decided_noop(c, 1, 2));
	cluster_free(c);
}

static void test_out_of_order(void **state)
{
	struct cluster *c = cluster_make(3);
	struct paxos_message m = message_make(c, PAXOS_CHOSEN, 2, 1, B(1, 2));
	struct paxos_item items[6] = {
		item_make(1, B(1, 2), 3, 9, "nine"),
		item_make(2, B(1, 2), 3, 7, "seven"),
		item_make(3, B(1, 2), 3, 8, "eight"),
		item_make(4, B(1, 2), 3, 7, "seven"),
		item_make(5, B(1, 2), 3, 1030, "far"),
		item_make(6, B(1, 2), 3, 9, "nine"),
	};

	c->wiped = true;
	host_boot(c, 1);
	host_start(c, 1);
	m.chosen.held = 1;
	m.count = 6;
	m.items = items;
	inject(c, &m);
	assert_true(decided(c, 1, 2, "seven"));
	assert_true(decided(c, 1, 3, "eight"));
	assert_true(decided_noop(c, 1, 4));
	assert_true(decided(c, 1, 5, "far"));
	assert_true(decided_noop(c, 1, 6));
	cluster_free(c);
}

static void test_old_life(void **state)
{
	struct cluster *c = cluster_make(3);
	struct paxos_message m = message_make(c, PAXOS_CHOSEN, 2, 1, B(1, 2));
	struct paxos_item items[3] = {
		item_make(1, B(1, 2), 3, 1, "first life"),
		item_make(2, B(1, 2), 3, 1, "second life"),
		item_make(3, B(1, 2), 3, 2, "first life, late"),
	};

	c->wiped = true;
	host_boot(c, 1);
	host_start(c, 1);
	items[1].origin.incarnation = 2;
	m.chosen.held = 1;
	m.count = 3;
	m.items = items;
	inject(c, &m);
	assert_true(decided(c, 1, 1, "first life"));
	assert_true(decided(c, 1, 2, "second life"));
	assert_true(decided_noop(c, 1, 3));
	cluster_free(c);
}

static void test_unknown(void **state)
{
	struct cluster *c = led(3);

	propose_until(c, 1, "x", 1, c->now + 500 * MS, "x");
	drop(c, ANY, ANY, ANY);
	host_crash(c, 2);
	host_crash(c, 3);
	run(c, 600 * MS);
	/* It left: nobody can tell. Never "not chosen". */
	assert_outcome(PAXOS_OUTCOME_UNKNOWN, c, 1, "x");
	assert_int_equal(times_ended(c, 1, "x"), 1);
	host_restart(c, 2);
	run(c, 5000 * MS);
	assert_true(decided(c, 1, 1, "x"));
	assert_int_equal(times_ended(c, 1, "x"), 1);
	cluster_free(c);
}

static void test_unknown_forwarded(void **state)
{
	struct cluster *c = led(3);

	propose_until(c, 2, "x", 1, c->now + 500 * MS, "x");
	drop(c, ANY, ANY, ANY);
	host_crash(c, 1);
	run(c, 600 * MS);
	assert_outcome(PAXOS_OUTCOME_UNKNOWN, c, 2, "x");
	cluster_free(c);
}

static void test_not_chosen(void **state)
{
	struct cluster *c = cluster_of(3);

	/* Proposed while a candidate: it never leaves. */
	campaign(c, 1);
	drop(c, ANY, ANY, ANY);
	host_crash(c, 2);
	host_crash(c, 3);
	assert_int_equal(propose_until(c, 1, "x", 1, c->now + 500 * MS, "x"),
			 0);
	run(c, 600 * MS);
	assert_outcome(PAXOS_OUTCOME_NOT_CHOSEN, c, 1, "x");
	host_restart(c, 2);
	host_restart(c, 3);
	run(c, 3000 * MS);
	assert_int_equal(times_decided(c, "x"), 0);
	cluster_free(c);
}

static void test_candidate_wins(void **state)
{
	struct cluster *c = cluster_of(3);

	campaign(c, 1);
	assert_int_equal(propose(c, 1, "x"), 0);
	run(c, 100 * MS);
	assert_outcome(PAXOS_OUTCOME_CHOSEN, c, 1, "x");
	cluster_free(c);
}

static void test_deadline(void **state)
{
	struct cluster *c = led(3);

	/* As leader, as follower, as candidate: by then, not a beat later. */
	disk_slow(c, 1, true);
	propose_until(c, 1, "x", 1, c->now + 1 * MS, "x");
	propose_until(c, 2, "y", 1, c->now + 1 * MS, "y");
	campaign(c, 3);
	propose_until(c, 3, "z", 1, c->now + 1 * MS, "z");
	drop(c, ANY, ANY, ANY);
	advance(c, 1 * MS);
	assert_outcome(PAXOS_OUTCOME_UNKNOWN, c, 1, "x");
	assert_outcome(PAXOS_OUTCOME_UNKNOWN, c, 2, "y");
	assert_outcome(PAXOS_OUTCOME_NOT_CHOSEN, c, 3, "z");
	cluster_free(c);
}

static void test_no_leader(void **state)
{
	struct cluster *c = cluster_make(3);

	host_boot(c, 1);
	assert_int_equal(propose(c, 1, "x"), -EUNATCH);
	host_start(c, 1);
	assert_int_equal(propose(c, 1, "x"), -ENOLINK);
	assert_null(ended(c, 1, "x"));
	assert_int_equal(c->hosts[1]->values, 0);
	cluster_free(c);
}

static void test_stop(void **state)
{
	struct cluster *c = led(3);

	propose(c, 1, "left");
	propose(c, 2, "forwarded");
	drop(c, ANY, ANY, ANY);
	paxos_core_stop(core_of(c, 1), c->now);
	paxos_core_stop(core_of(c, 2), c->now);
	assert_outcome(PAXOS_OUTCOME_UNKNOWN, c, 1, "left");
	assert_outcome(PAXOS_OUTCOME_UNKNOWN, c, 2, "forwarded");
	assert_int_equal(propose(c, 1, "after"), -EUNATCH);
	assert_int_equal(times_ended(c, 1, "left"), 1);
	cluster_free(c);
}

static void test_cancel(void **state)
{
	struct cluster *c = led(3);
	bool sent = false;

	propose(c, 2, "x");
	assert_true(paxos_core_cancel(core_of(c, 2), "x", &sent));
	assert_true(sent);
	assert_false(paxos_core_cancel(core_of(c, 2), "x", &sent));
	run(c, 1000 * MS);
	/* It may be chosen all the same, and nobody is told twice. */
	assert_null(ended(c, 2, "x"));
	cluster_free(c);
}

static void test_cancel_unsent(void **state)
{
	struct cluster *c = cluster_of(3);
	bool sent = true;

	campaign(c, 1);
	drop(c, ANY, ANY, ANY);
	propose(c, 1, "x");
	assert_true(paxos_core_cancel(core_of(c, 1), "x", &sent));
	assert_false(sent);
	run(c, 2000 * MS);
	assert_int_equal(times_decided(c, "x"), 0);
	cluster_free(c);
}

static void test_sender(void **state)
{
	struct cluster *c = led(3);
	struct paxos_message m = message_make(c, PAXOS_FORWARD, 3, 1, 0);
	struct paxos_item item = item_make(0, 0, 2, 1, "not mine");

	m.count = 1;
	m.items = &item;
	assert_drop(PAXOS_DROP_SENDER, inject(c, &m));
	m.to = 2;
	item.origin.member = 3;
	assert_drop(PAXOS_DROP_NOT_LEADER, inject(c, &m));
	assert_int_equal(core_of(c, 1)->log.last, 0);
	cluster_free(c);
}

static void test_stale_done(void **state)
{
	struct cluster *c = led(3);
	struct paxos_message m = message_make(c, PAXOS_DONE, 1, 2, B(1, 1));

	m.done.incarnation = c->hosts[2]->incarnation - 1;
	m.done.seq = 1;
	m.done.slot = 9;
	m.done.outcome = PAXOS_OUTCOME_CHOSEN;
	/* Of a life before: not the proposal that has its number now. */
	host_crash(c, 2);
	host_restart(c, 2);
	m.done.incarnation = 1;
	run(c, 300 * MS);
	assert_int_equal(propose(c, 2, "x"), 0);
	drop(c, PAXOS_FORWARD, ANY, ANY);
	assert_drop(PAXOS_DROP_STALE, inject(c, &m));
	assert_null(ended(c, 2, "x"));
	cluster_free(c);
}

static void test_leader_full(void **state)
{
	struct cluster *c = led(3);
	static char texts[64][16];
	u32 i;

	disk_slow(c, 2, true);
	disk_slow(c, 3, true);
	for (i = 0; i < 40; i++) {
		snprintf(texts[i], sizeof(texts[i]), "%u", i);
		assert_int_equal(propose(c, 2, texts[i]), 0);
	}
	settle(c);
	assert_true(core_of(c, 1)->log.last <= c->settings.window);
	disk_slow(c, 2, false);
	disk_slow(c, 3, false);
	run(c, 5000 * MS);
	for (i = 0; i < 40; i++) {
		assert_outcome(PAXOS_OUTCOME_CHOSEN, c, 2, texts[i]);
		assert_int_equal(times_decided(c, texts[i]), 1);
	}
	cluster_free(c);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST("any member takes a proposal and is told its end",
		     test_forward),
		TEST("a no-op that is proposed takes a slot and reaches nobody",
		     test_noop),
		TEST("a no-op given to two leaders ends once",
		     test_noop_two_leaders),
		TEST("a lost Forward is sent again", test_lost_forward),
		TEST("a lost Done is made good", test_lost_done),
		TEST("pitfall: duplicates: a Forward that comes twice is proposed once",
		     test_duplicate_forward),
		TEST("a proposal given to two leaders is delivered once",
		     test_two_leaders),
		TEST("an origin that is twice in the log is delivered once",
		     test_twice_in_the_log),
		TEST("origins are told apart in any order",
		     test_out_of_order),
		TEST("a late proposal of an earlier life is not delivered",
		     test_old_life),
		TEST("law 7: what left and got no answer is unknown",
		     test_unknown),
		TEST("law 7: what was forwarded and got no answer is unknown",
		     test_unknown_forwarded),
		TEST("law 7: what never left was certainly not chosen",
		     test_not_chosen),
		TEST("what waits for an election is proposed after it",
		     test_candidate_wins),
		TEST("a proposal ends by its deadline", test_deadline),
		TEST("without a leader nothing is taken", test_no_leader),
		TEST("stopping ends every proposal, once", test_stop),
		TEST("a cancelled proposal is not told of", test_cancel),
		TEST("a cancelled proposal that never left is never proposed",
		     test_cancel_unsent),
		TEST("a Forward is of its sender and goes to the leader",
		     test_sender),
		TEST("a Done of an earlier life ends nothing",
		     test_stale_done),
		TEST("a leader whose window is full loses no proposal",
		     test_leader_full),
	};

	return RUN_TESTS(tests);
}
