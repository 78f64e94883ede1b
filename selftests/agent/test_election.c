// SPDX-License-Identifier: GPL-2.0
/*
 * Many members' elections over a network that fails: a leader that can commit
 * comes soon, and one that can is left alone.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "electorate.h"

#define SEEDS	100

static struct electorate world;

static int setup(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	electorate_free(&world);
	return 0;
}

/* A group of @n that has had a leader for a while; who it is. */
static uint8_t settled(unsigned int n, unsigned int interval, uint64_t seed)
{
	electorate_free(&world);
	electorate_init(&world, n, interval, seed);
	assert_true(electorate_await(&world, 5000) < 5000);
	electorate_run(&world, 3000);
	electorate_clear(&world);
	assert_int_not_equal(electorate_leader(&world), 0);
	return electorate_leader(&world);
}

/* The same, with @id as the leader. */
static void settled_with(unsigned int n, uint64_t seed, uint8_t id)
{
	settled(n, 100, seed);
	electorate_campaign(&world, id);
	electorate_run(&world, 12000);
	assert_int_equal(electorate_leader(&world), id);
	electorate_clear(&world);
}

static uint64_t commit_of(uint8_t id)
{
	return world.hosts[id].kernel.commit;
}

/* No member's word makes the group commit less: some leader goes on. */
static void assert_commits(unsigned int ms)
{
	uint64_t before = 0, after = 0;
	uint8_t id;

	for (id = 1; id <= world.n; id++)
		if (commit_of(id) > before)
			before = commit_of(id);
	electorate_run(&world, ms);
	for (id = 1; id <= world.n; id++)
		if (commit_of(id) > after)
			after = commit_of(id);
	assert_true(after >= before + ms / 200);
}

static int compare(const void *a, const void *b)
{
	const unsigned int *left = a, *right = b;

	return *left < *right ? -1 : *left > *right;
}

static void test_a_first_leader_comes_with_few_campaigns(void **state)
{
	unsigned int seed, n, campaigns = 0;

	(void)state;
	for (n = 1; n <= 7; n++) {
		for (seed = 1; seed <= SEEDS; seed++) {
			electorate_free(&world);
			electorate_init(&world, n, 100, seed);
			assert_true(electorate_await(&world, 2000) < 2000);
			electorate_run(&world, 5000);
			assert_int_equal(world.changes, 1);
			campaigns += world.campaigns;
		}
	}
	assert_in_range(campaigns, 7 * SEEDS, 7 * SEEDS * 11 / 10);
}

/* Of the host, agent and links at once; returns the time at @percent. */
static unsigned int kill_many(unsigned int interval, unsigned int loss,
			      unsigned int percent)
{
	static unsigned int times[SEEDS];
	unsigned int seed, campaigns = 0;

	for (seed = 1; seed <= SEEDS; seed++) {
		const uint8_t old = settled(5, interval, seed);

		world.loss = loss;
		electorate_run(&world, seed % 100);
		electorate_kill(&world, old);
		times[seed - 1] = electorate_await(&world, 10000);
		assert_true(times[seed - 1] < 10000);
		campaigns += world.campaigns;
	}
	assert_true(campaigns <= SEEDS * 3 / 2);
	qsort(times, SEEDS, sizeof(times[0]), compare);
	return times[SEEDS * percent / 100 - 1];
}

static void test_a_dead_leader_is_replaced_soon(void **state)
{
	(void)state;
	assert_in_range(kill_many(100, 0, 50), 250, 450);
	assert_in_range(kill_many(100, 0, 99), 250, 700);
	assert_true(kill_many(100, 50, 50) < 500);
	assert_true(kill_many(100, 50, 99) < 1500);
}

/*
 * Each has learned another time-out. Three of the four that are left must have
 * lost the leader; what it takes beyond the third's silence, at @percent.
 */
static unsigned int kill_patient(unsigned int interval, unsigned int percent)
{
	static unsigned int times[SEEDS];
	unsigned int seed, i, n, silences[HOSTS_MAX];
	uint8_t id;

	for (seed = 1; seed <= SEEDS; seed++) {
		const uint8_t old = settled(5, interval, seed);

		for (id = 1, n = 0; id <= 5; id++) {
			struct host *host = &world.hosts[id];

			host->silence = 7 * interval / 2 +
				electorate_random(&world, 16 * interval);
			if (id != old)
				silences[n++] = host->silence;
		}
		qsort(silences, n, sizeof(silences[0]), compare);
		electorate_run(&world, seed % 100);
		electorate_kill(&world, old);
		i = electorate_await(&world, 10000);
		assert_true(i < 10000);
		times[seed - 1] = i > silences[2] ? i - silences[2] : 0;
	}
	qsort(times, SEEDS, sizeof(times[0]), compare);
	return times[SEEDS * percent / 100 - 1];
}

static void test_time_outs_that_differ_cost_little(void **state)
{
	(void)state;
	assert_true(kill_patient(10, 50) < 40);
	assert_true(kill_patient(10, 99) < 60);
	assert_true(kill_patient(100, 50) < 50);
	assert_true(kill_patient(100, 99) < 150);
}

static void test_jitter_and_loss_cost_no_leader(void **state)
{
	unsigned int seed;

	(void)state;
	for (seed = 1; seed <= 5; seed++) {
		settled(5, 100, seed);
		world.loss = 50;
		world.delay = 50;
		world.jitter = 50;
		electorate_run(&world, 600000);
		assert_int_equal(world.campaigns, 0);
		assert_int_equal(world.changes, 0);
	}
}

/* Every one of them follows the leader, and it hears them all. */
static void assert_serves_all(void)
{
	const uint8_t leader = electorate_leader(&world);
	uint8_t id;

	assert_int_not_equal(leader, 0);
	for (id = 1; id <= world.n; id++) {
		assert_int_equal(world.hosts[id].kernel.leader, leader);
		assert_false(world.cut[id][leader]);
	}
}

/* It hears all that an end hears and one more: at an end it stays for seconds. */
static void test_in_a_chain_the_middle_leads(void **state)
{
	static const uint8_t leaders[] = { 1, 2, 3 };
	unsigned int i, seed;

	(void)state;
	for (seed = 1; seed <= 10; seed++) {
		for (i = 0; i < 3; i++) {
			settled_with(3, seed, leaders[i]);
			electorate_cut(&world, 1, 3);
			electorate_run(&world, 3000);
			assert_int_equal(electorate_leader(&world), leaders[i]);
			electorate_run(&world, 2000);
			assert_int_equal(electorate_leader(&world), 2);
			assert_serves_all();
			assert_commits(60000);
			electorate_heal(&world);
			electorate_run(&world, 20000);
			assert_int_equal(world.changes, leaders[i] != 2);
			assert_int_equal(world.transfers, leaders[i] != 2);
			assert_int_equal(electorate_leader(&world), 2);
		}
	}
}

/* A link that comes and goes moves the lead away from it, once. */
static void test_a_link_that_comes_and_goes_costs_one_change(void **state)
{
	unsigned int seed, i;

	(void)state;
	for (seed = 1; seed <= 10; seed++) {
		settled_with(5, seed, 1);
		for (i = 0; i < 10; i++) {
			/* Not for long enough. */
			electorate_cut(&world, 1, 3);
			electorate_run(&world, 2000);
			electorate_heal(&world);
			electorate_run(&world, 2000);
		}
		assert_int_equal(world.campaigns, 0);
		for (i = 0; i < 10; i++) {
			electorate_cut(&world, 1, 3);
			electorate_run(&world, 8000);
			electorate_heal(&world);
			electorate_run(&world, 8000);
		}
		assert_int_equal(world.changes, 1);
		assert_serves_all();
	}
}

/* Each of them hears one that another does not: nobody hears more. */
static void test_in_a_ring_the_leader_stays(void **state)
{
	uint8_t leader, id;

	(void)state;
	for (leader = 1; leader <= 5; leader++) {
		settled_with(5, leader, leader);
		for (id = 1; id <= 5; id++)
			electorate_cut(&world, id, id % 5 + 1);
		electorate_run(&world, 60000);
		assert_int_equal(world.campaigns, 0);
		assert_int_equal(electorate_leader(&world), leader);
	}
}

/* Some learn of its death two seconds after the leader does. */
static void test_a_dead_host_moves_no_lead(void **state)
{
	unsigned int seed;
	uint8_t leader, id;

	(void)state;
	for (seed = 1; seed <= 20; seed++) {
		leader = settled(5, 100, seed);
		for (id = 1; id <= 5; id++)
			if (id != leader)
				world.hosts[id].silence = 2000;
		electorate_kill(&world, leader % 5 + 1);
		electorate_run(&world, 20000);
		electorate_start(&world, leader % 5 + 1);
		electorate_run(&world, 20000);
		assert_int_equal(world.campaigns, 0);
	}
}

static void test_a_chain_without_its_middle_has_no_campaigns(void **state)
{
	(void)state;
	settled_with(3, 1, 2);
	electorate_cut(&world, 1, 3);
	electorate_kill(&world, 2);
	electorate_run(&world, 60000);
	assert_int_equal(world.campaigns, 0);
	electorate_start(&world, 2);
	assert_true(electorate_await(&world, 3000) < 3000);
}

/* Every link in one direction, and every leader: who hears all, and is heard
 * by all, leads.
 */
static void test_a_one_way_link_costs_at_most_one_change(void **state)
{
	unsigned int n;
	uint8_t from, to, leader;

	(void)state;
	for (n = 3; n <= 5; n += 2) {
		for (leader = 1; leader <= n; leader++) {
			for (from = 1; from <= n; from++) {
				for (to = 1; to <= n; to++) {
					if (from == to)
						continue;
					settled_with(n, leader, leader);
					world.cut[from][to] = true;
					electorate_run(&world, 5000);
					assert_commits(25000);
					assert_int_equal(world.changes,
							 from == leader ||
							 to == leader);
					assert_int_equal(world.campaigns,
							 world.transfers);
					assert_serves_all();
				}
			}
		}
	}
}

static void set_deaf(uint8_t id)
{
	uint8_t from;

	for (from = 1; from <= world.n; from++)
		if (from != id)
			world.cut[from][id] = true;
}

static void test_a_member_that_hears_nobody_disturbs_nobody(void **state)
{
	unsigned int seed;
	uint8_t deaf, leader;

	(void)state;
	for (seed = 1; seed <= 20; seed++) {
		leader = settled(5, 100, seed);
		deaf = leader % 5 + 1;
		set_deaf(deaf);
		electorate_run(&world, 10000);
		assert_int_equal(world.campaigns, 0);
		electorate_kill(&world, leader);
		assert_true(electorate_await(&world, 2000) < 2000);
		electorate_run(&world, 10000);
		assert_int_equal(world.changes, 1);
	}
}

static void test_a_leader_that_hears_nobody_is_replaced(void **state)
{
	unsigned int seed;
	uint8_t leader;

	(void)state;
	for (seed = 1; seed <= 20; seed++) {
		leader = settled(5, 100, seed);
		set_deaf(leader);
		electorate_run(&world, 5000);
		assert_int_not_equal(electorate_leader(&world), leader);
		assert_commits(5000);
		assert_int_equal(world.changes, 1);
	}
}

/* It hears all, who do not hear it. */
static void test_a_leader_that_nobody_hears_is_replaced(void **state)
{
	unsigned int seed;
	uint8_t leader, to;

	(void)state;
	for (seed = 1; seed <= 20; seed++) {
		leader = settled(5, 100, seed);
		for (to = 1; to <= 5; to++)
			world.cut[leader][to] = to != leader;
		electorate_run(&world, 5000);
		assert_int_not_equal(electorate_leader(&world), leader);
		assert_commits(5000);
		assert_int_equal(world.changes, 1);
		electorate_clear(&world);
		electorate_heal(&world);
		electorate_run(&world, 20000);
		assert_int_equal(world.campaigns, 0);
	}
}

static void test_a_smaller_side_waits_and_comes_back_quietly(void **state)
{
	unsigned int seed;
	uint8_t leader, a, b, other;

	(void)state;
	for (seed = 1; seed <= 20; seed++) {
		leader = settled(5, 100, seed);
		other = leader % 5 + 1;
		for (a = 1; a <= 5; a++)
			for (b = 1; b <= 5; b++)
				if ((a == leader || a == other) !=
				    (b == leader || b == other))
					electorate_cut(&world, a, b);
		assert_true(electorate_await(&world, 100) < 100);
		electorate_run(&world, 10000);
		assert_int_equal(world.changes, 1);
		assert_int_equal(world.resigned, 1);
		assert_int_not_equal(electorate_leader(&world), leader);
		electorate_clear(&world);
		electorate_heal(&world);
		electorate_run(&world, 10000);
		assert_int_equal(world.campaigns, 0);
	}
}

static void stop(uint8_t id, unsigned int ms)
{
	world.hosts[id].stopped = true;
	electorate_run(&world, ms);
	world.hosts[id].stopped = false;
}

static void test_a_stopped_agent_of_a_follower_costs_nothing(void **state)
{
	unsigned int seed;
	uint8_t leader;

	(void)state;
	for (seed = 1; seed <= 20; seed++) {
		leader = settled(5, 100, seed);
		stop(leader % 5 + 1, 10000);
		electorate_run(&world, 10000);
		assert_int_equal(world.campaigns, 0);
	}
}

static void test_a_stopped_agent_of_a_leader_costs_one_change(void **state)
{
	unsigned int seed;
	uint8_t leader;

	(void)state;
	for (seed = 1; seed <= 20; seed++) {
		leader = settled(5, 100, seed);
		/* A short sleep is forgiven: its kernel goes on. */
		stop(leader, 2000);
		electorate_run(&world, 10000);
		assert_int_equal(world.campaigns, 0);
		stop(leader, 10000);
		assert_int_not_equal(electorate_leader(&world), leader);
		electorate_run(&world, 10000);
		assert_int_equal(world.changes, 1);
		assert_commits(1000);
	}
}

/* Each stall is forgiven; that there are several within seconds is not. */
static void test_a_leader_that_stalls_again_and_again_gives_way(void **state)
{
	unsigned int seed, i;
	uint8_t leader;

	(void)state;
	for (seed = 1; seed <= 20; seed++) {
		leader = settled(5, 100, seed);
		for (i = 0; i < 3; i++) {
			assert_int_equal(world.transfers, 0);
			stop(leader, 1500);
			electorate_run(&world, 3000);
		}
		assert_int_equal(world.transfers, 1);
		assert_int_equal(world.changes, 1);
		assert_int_not_equal(electorate_leader(&world), leader);
		electorate_run(&world, 60000);
		assert_int_equal(world.changes, 1);
		/* Far enough apart, they are. */
		leader = electorate_leader(&world);
		for (i = 0; i < 5; i++) {
			stop(leader, 1500);
			electorate_run(&world, 12000);
		}
		assert_int_equal(world.changes, 1);
	}
}

static void test_in_memory_a_leader_needs_no_agent(void **state)
{
	uint8_t leader, id;

	(void)state;
	electorate_init(&world, 5, 100, 1);
	world.sync = false;
	for (id = 1; id <= 5; id++)
		electorate_set(&world, id, 100, true);
	electorate_run(&world, 3000);
	leader = electorate_leader(&world);
	electorate_clear(&world);
	stop(leader, 60000);
	electorate_run(&world, 5000);
	assert_int_equal(world.campaigns, 0);
	assert_int_equal(electorate_leader(&world), leader);
}

static void test_all_agents_asleep_wake_without_a_change(void **state)
{
	unsigned int seed;
	uint8_t id;

	(void)state;
	for (seed = 1; seed <= 20; seed++) {
		settled(5, 100, seed);
		for (id = 1; id <= 5; id++)
			world.hosts[id].stopped = true;
		electorate_run(&world, 10000);
		for (id = 1; id <= 5; id++)
			world.hosts[id].stopped = false;
		electorate_run(&world, 5000);
		assert_int_equal(world.campaigns, 0);
	}
}

static void test_priority_orders_and_zero_never_stands(void **state)
{
	unsigned int seed, wins = 0;
	uint8_t id;

	(void)state;
	for (seed = 1; seed <= SEEDS; seed++) {
		electorate_free(&world);
		electorate_init(&world, 5, 100, seed);
		for (id = 1; id <= 5; id++)
			electorate_set(&world, id, id == 4 ? 200 : 100, true);
		electorate_run(&world, 3000);
		wins += electorate_leader(&world) == 4;
	}
	assert_true(wins >= SEEDS * 9 / 10);

	electorate_free(&world);
	electorate_init(&world, 3, 100, 1);
	electorate_set(&world, 1, 0, true);
	electorate_set(&world, 2, 0, true);
	electorate_run(&world, 3000);
	assert_int_equal(electorate_leader(&world), 3);
	electorate_kill(&world, 3);
	electorate_run(&world, 30000);
	assert_int_equal(world.campaigns, 1);
}

static void test_left_to_a_person_it_does_nothing(void **state)
{
	uint8_t id;

	(void)state;
	electorate_init(&world, 3, 100, 1);
	for (id = 1; id <= 3; id++)
		electorate_set(&world, id, 100, false);
	electorate_run(&world, 30000);
	assert_int_equal(world.campaigns, 0);
	electorate_campaign(&world, 2);
	electorate_run(&world, 1000);
	assert_int_equal(electorate_leader(&world), 2);
	electorate_kill(&world, 1);
	electorate_kill(&world, 3);
	electorate_run(&world, 30000);
	assert_int_equal(world.campaigns, 1);
	assert_int_equal(world.resigned, 0);
}

static void test_learner_mute_and_stalled_do_not_campaign(void **state)
{
	unsigned int seed;

	(void)state;
	for (seed = 1; seed <= 20; seed++) {
		electorate_free(&world);
		electorate_init(&world, 5, 100, seed);
		world.hosts[1].learner = true;
		world.hosts[2].mute = true;
		electorate_run(&world, 3000);
		assert_in_range(electorate_leader(&world), 3, 5);
		electorate_kill(&world, electorate_leader(&world));
		electorate_run(&world, 30000);
		/* Two voters of four are left, and one that is mute. */
		assert_int_equal(world.changes, 1);
		assert_int_equal(world.campaigns, 1);
	}
}

static void test_a_stalled_disk_hands_the_lead_over(void **state)
{
	unsigned int seed;
	uint8_t leader;

	(void)state;
	for (seed = 1; seed <= 20; seed++) {
		leader = settled(5, 100, seed);
		world.hosts[leader].stalled = true;
		world.hosts[leader].stalled_since = world.now;
		electorate_run(&world, 3000);
		assert_int_not_equal(electorate_leader(&world), leader);
		assert_int_equal(world.transfers, 1);
		assert_int_equal(world.changes, 1);
		electorate_run(&world, 30000);
		assert_int_equal(world.changes, 1);
	}
}

static void test_stalled_everywhere_nobody_is_better(void **state)
{
	uint8_t id;

	(void)state;
	settled(5, 100, 1);
	for (id = 1; id <= 5; id++) {
		world.hosts[id].stalled = true;
		world.hosts[id].stalled_since = world.now;
	}
	electorate_run(&world, 30000);
	assert_int_equal(world.transfers, 0);
	assert_int_equal(world.campaigns, 0);
}

static void test_who_leaves_hands_the_lead_over(void **state)
{
	unsigned int seed, ms;
	uint8_t leader;

	(void)state;
	for (seed = 1; seed <= 20; seed++) {
		leader = settled(5, 100, seed);
		election_leave(&world.hosts[leader].election,
			       world.now * 1000000);
		for (ms = 0; !world.hosts[leader].left; ms++) {
			assert_true(ms < 1000);
			electorate_run(&world, 1);
		}
		assert_int_not_equal(world.last_leader, leader);
		electorate_run(&world, 5000);
		assert_int_not_equal(electorate_leader(&world), leader);
		assert_int_equal(world.changes, 1);
	}
	/* Alone, there is nobody to hand it to, and no reason to wait. */
	leader = settled(3, 100, 1);
	electorate_kill(&world, leader % 3 + 1);
	electorate_kill(&world, (leader + 1) % 3 + 1);
	electorate_run(&world, 500);
	election_leave(&world.hosts[leader].election, world.now * 1000000);
	electorate_run(&world, 101);
	assert_true(world.hosts[leader].left);
}

/* Its agent is heard, but no kernel's datagram comes in: it can never win. */
static void test_who_keeps_losing_gives_way(void **state)
{
	unsigned int seed;
	uint8_t leader;

	(void)state;
	for (seed = 1; seed <= 20; seed++) {
		leader = settled(5, 100, seed);
		world.hosts[leader % 5 + 1].deaf_kernel = true;
		electorate_kill(&world, leader);
		assert_true(electorate_await(&world, 5000) < 5000);
		electorate_clear(&world);
		electorate_run(&world, 120000);
		assert_int_equal(world.changes, 0);
		assert_int_equal(world.campaigns, 0);
	}
}

static void draw_faults(void)
{
	uint8_t a, b;

	electorate_heal(&world);
	for (a = 1; a <= world.n; a++)
		for (b = 1; b <= world.n; b++)
			if (electorate_random(&world, 4) == 0)
				world.cut[a][b] = true;
	world.loss = electorate_random(&world, 200);
	world.jitter = electorate_random(&world, 100);
	a = 1 + electorate_random(&world, world.n);
	if (world.hosts[a].dead)
		electorate_start(&world, a);
	else if (electorate_random(&world, 2))
		electorate_kill(&world, a);
	a = 1 + electorate_random(&world, world.n);
	world.hosts[a].stopped = !world.hosts[a].stopped;
}

/* Whatever happened, once the faults end a leader is there, and stays. */
static void test_after_any_faults_a_leader_comes_and_stays(void **state)
{
	unsigned int seed, round;
	uint8_t id;

	(void)state;
	for (seed = 1; seed <= 2 * SEEDS; seed++) {
		electorate_free(&world);
		electorate_init(&world, 3 + seed % 3, 100, seed);
		for (round = 0; round < 20; round++) {
			draw_faults();
			electorate_run(&world, 100 +
				       electorate_random(&world, 3000));
		}
		/* Few fights: each round of faults may end the one before. */
		assert_true(world.campaigns <= 4 * round);
		electorate_heal(&world);
		world.loss = 0;
		world.jitter = 2;
		for (id = 1; id <= world.n; id++) {
			world.hosts[id].stopped = false;
			if (world.hosts[id].dead)
				electorate_start(&world, id);
		}
		electorate_run(&world, 300);
		assert_true(electorate_await(&world, 5000) < 5000);
		electorate_run(&world, 12000);
		electorate_clear(&world);
		assert_commits(20000);
		assert_int_equal(world.changes, 0);
	}
}

static void test_short_intervals_are_fast(void **state)
{
	(void)state;
	assert_in_range(kill_many(10, 0, 50), 20, 80);
	assert_true(kill_many(10, 0, 99) < 120);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_first_leader_comes_with_few_campaigns),
		TEST(a_dead_leader_is_replaced_soon),
		TEST(time_outs_that_differ_cost_little),
		TEST(jitter_and_loss_cost_no_leader),
		TEST(in_a_chain_the_middle_leads),
		TEST(a_link_that_comes_and_goes_costs_one_change),
		TEST(in_a_ring_the_leader_stays),
		TEST(a_dead_host_moves_no_lead),
		TEST(a_chain_without_its_middle_has_no_campaigns),
		TEST(a_one_way_link_costs_at_most_one_change),
		TEST(a_member_that_hears_nobody_disturbs_nobody),
		TEST(a_leader_that_hears_nobody_is_replaced),
		TEST(a_leader_that_nobody_hears_is_replaced),
		TEST(a_smaller_side_waits_and_comes_back_quietly),
		TEST(a_stopped_agent_of_a_follower_costs_nothing),
		TEST(a_stopped_agent_of_a_leader_costs_one_change),
		TEST(a_leader_that_stalls_again_and_again_gives_way),
		TEST(in_memory_a_leader_needs_no_agent),
		TEST(all_agents_asleep_wake_without_a_change),
		TEST(priority_orders_and_zero_never_stands),
		TEST(left_to_a_person_it_does_nothing),
		TEST(learner_mute_and_stalled_do_not_campaign),
		TEST(a_stalled_disk_hands_the_lead_over),
		TEST(stalled_everywhere_nobody_is_better),
		TEST(who_leaves_hands_the_lead_over),
		TEST(who_keeps_losing_gives_way),
		TEST(after_any_faults_a_leader_comes_and_stays),
		TEST(short_intervals_are_fast),
	};

	return cmocka_run_group_tests_name("election", tests, NULL, NULL);
}
