// SPDX-License-Identifier: GPL-2.0
/* The round trip to a peer, and how long to wait for it: RFC 6298. */
#include "core/internal.h"
#include "unit.h"

static u32 smoothed(struct cluster *c, u8 id)
{
	return core_of(c, 1)->peers[id].response.smoothed;
}

/* Members 1 and 2 of three decide, @us microseconds after it was asked. */
static void decide(struct cluster *c, u64 us)
{
	propose(c, 1, "x");
	drop(c, PAXOS_ACCEPT, 1, 3);
	advance(c, us);
	/* At first it goes out more than once. */
	assert_true(deliver(c, PAXOS_ACCEPT, 1, 2));
	assert_true(deliver(c, PAXOS_ACCEPTED, 2, 1));
	drop(c, ANY, ANY, ANY);
}

/* How long until an Accept that was lost goes out again. */
static u64 repeated_after(struct cluster *c)
{
	u64 began = c->now;

	propose(c, 1, "lost");
	drop(c, ANY, ANY, ANY);
	while (!queued(c, PAXOS_ACCEPT, 1, 2)) {
		advance(c, 1 * MS);
		assert_true(c->now < began + 10000 * MS);
	}
	return c->now - began;
}

static struct cluster *after_trips(u64 us)
{
	struct cluster *c = cluster_of(3);
	u32 i;

	elect(c, 1);
	drop(c, ANY, ANY, ANY);
	for (i = 0; i < 60; i++)
		decide(c, us);
	return c;
}

static void test_first_sample(void **state)
{
	struct cluster *c = cluster_of(3);
	struct paxos_message m;

	elect(c, 1);
	drop(c, ANY, ANY, ANY);
	core_of(c, 1)->peers[2].response = (struct paxos_rtt){ 0 };
	assert_int_equal(paxos_peer_timeout(&core_of(c, 1)->peers[2]),
			 PAXOS_RTO_INITIAL_US);
	/* 2.2: SRTT <- R, RTTVAR <- R/2, RTO <- SRTT + 4 RTTVAR. */
	m = message_make(c, PAXOS_ACCEPTED, 2, 1, core_of(c, 1)->ballot);
	m.stamp = (u32)core_of(c, 1)->now - 40 * MS;
	paxos_peer_answered(core_of(c, 1), &m,
			    &core_of(c, 1)->peers[2].response);
	assert_int_equal(smoothed(c, 2), 40 * MS);
	assert_int_equal(core_of(c, 1)->peers[2].response.variation, 20 * MS);
	assert_int_equal(paxos_peer_timeout(&core_of(c, 1)->peers[2]),
			 120 * MS);
	/* 2.3: RTTVAR <- 3/4 RTTVAR + 1/4 |SRTT - R|, SRTT <- 7/8 SRTT + R/8. */
	m.stamp = (u32)core_of(c, 1)->now - 80 * MS;
	paxos_peer_answered(core_of(c, 1), &m,
			    &core_of(c, 1)->peers[2].response);
	assert_int_equal(core_of(c, 1)->peers[2].response.variation, 25 * MS);
	assert_int_equal(smoothed(c, 2), 45 * MS);
	cluster_free(c);
}

static void test_near(void **state)
{
	struct cluster *c = after_trips(5 * MS);

	assert_in_range(smoothed(c, 2), 4500, 5500);
	assert_in_range(repeated_after(c), 10 * MS, 20 * MS);
	cluster_free(c);
}

static void test_far(void **state)
{
	struct cluster *c = after_trips(300 * MS);

	assert_in_range(smoothed(c, 2), 290 * MS, 310 * MS);
	assert_in_range(repeated_after(c), 300 * MS, 400 * MS);
	cluster_free(c);
}

static void test_replayed_stamp(void **state)
{
	struct cluster *c = after_trips(5 * MS);
	struct paxos_message m =
		message_make(c, PAXOS_ACCEPTED, 2, 1, core_of(c, 1)->ballot);
	u32 before = smoothed(c, 2);

	m.count = 0;
	m.stamp = (u32)core_of(c, 1)->now - 61000 * MS;
	inject(c, &m);
	m.stamp = (u32)core_of(c, 1)->now + 1 * MS;	/* of the future */
	inject(c, &m);
	m.stamp = 0;
	inject(c, &m);
	assert_int_equal(smoothed(c, 2), before);
	assert_true(core_of(c, 1)->peers[2].network.smoothed < 100 * MS);
	cluster_free(c);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST("RFC 6298: the first round trips", test_first_sample),
		TEST("what is lost on a short way is repeated soon",
		     test_near),
		TEST("what is on a long way is not repeated before its time",
		     test_far),
		TEST("a stamp that cannot be is no sample",
		     test_replayed_stamp),
	};

	return RUN_TESTS(tests);
}
