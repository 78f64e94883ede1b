// SPDX-License-Identifier: GPL-2.0
/*
 * Who is silent is suspected, in time and seldom wrongly; who was late himself
 * accuses nobody; the threshold is learned from what turned out.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "detector.h"

#define MS 1000ULL
#define HOUR (3600000 * MS)
#define INTERVAL (100 * MS)

static struct detector detector;
static uint64_t now;

static struct detector_settings settings(bool adaptive)
{
	return (struct detector_settings) {
		.interval = INTERVAL, .timeout_min = 2 * INTERVAL,
		.timeout_max = 20 * INTERVAL, .threshold = DETECTOR_THRESHOLD,
		.adaptive = adaptive,
	};
}

static void begin(bool adaptive)
{
	const struct detector_settings with = settings(adaptive);

	now = 1000 * MS;
	detector_init(&detector, &with, now);
}

static int setup(void **state)
{
	(void)state;
	begin(true);
	return 0;
}

static void hear(uint8_t member, uint64_t gap)
{
	now += gap;
	detector_heard(&detector, member, 1, now);
}

static void hear_steadily(uint8_t member, unsigned int times)
{
	while (times--)
		hear(member, INTERVAL);
}

static struct detector_peer *peer(uint8_t member)
{
	return &detector.peers[member];
}

static void test_silence_is_suspected_at_the_deadline(void **state)
{
	uint64_t deadline;

	(void)state;
	hear_steadily(2, 200);
	deadline = detector_deadline(&detector, 2);
	assert_in_range(deadline - now, 2 * INTERVAL, 3 * INTERVAL);
	assert_false(detector_suspects(&detector, 2, now));
	assert_false(detector_suspects(&detector, 2, deadline - 1));
	assert_true(detector_suspects(&detector, 2, deadline));
	assert_true(detector_suspects(&detector, 2, deadline + HOUR));
}

static void test_one_that_was_never_heard(void **state)
{
	(void)state;
	assert_false(detector_suspects(&detector, 3, now + 19 * INTERVAL));
	assert_true(detector_suspects(&detector, 3, now + 20 * INTERVAL));
	/* It comes late: that was no mistake and no failure. */
	hear(3, 30 * INTERVAL);
	assert_false(detector_suspects(&detector, 3, now));
	assert_int_equal(peer(3)->mistakes, 0);
	assert_int_equal(peer(3)->failures, 0);
}

/* Hayashibara's definition, with figures of the normal distribution. */
static void test_phi(void **state)
{
	const double of[][2] = {
		{ 0, 0.30103 }, { 1, 0.79955 }, { 3, 2.86970 },
		{ 6, 9.00586 }, { 7.03, 11.98604 }, { 7.08, 12.14220 },
		{ 10, 23.11805 }, { 20, 88.56010 }, { 35, 267.94875 },
	};
	unsigned int i;

	(void)state;
	begin(false);
	hear_steadily(2, 200);	/* mean 100 ms, deviation at its floor, 25 */
	for (i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		const double phi = detector_phi(&detector, 2, now + INTERVAL +
						of[i][0] * 25 * MS);

		assert_true(fabs(phi - of[i][1]) < 0.001 * of[i][1]);
	}
}

static void test_phi_grows_with_silence(void **state)
{
	double last = -1, phi;
	uint64_t silence;

	(void)state;
	hear_steadily(2, 200);
	for (silence = 0; silence < 10 * INTERVAL; silence += MS) {
		phi = detector_phi(&detector, 2, now + silence);
		assert_true(phi > last);
		last = phi;
	}
	phi = detector_phi(&detector, 2, now + 1000 * HOUR);
	assert_true(isfinite(phi) && phi >= last);
}

static void test_the_deadline_is_where_phi_reaches_the_threshold(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 300; i++)
		hear(2, INTERVAL / 2 + i * 7919 % 100 * MS);
	assert_true(detector_deadline(&detector, 2) > now + 2 * INTERVAL);
	assert_true(fabs(detector_phi(&detector, 2,
				      detector_deadline(&detector, 2)) -
			 peer(2)->threshold) < 0.01);
}

static void test_jitter_widens_the_timeout(void **state)
{
	uint32_t steady;
	unsigned int i;

	(void)state;
	hear_steadily(2, 200);
	steady = detector_timeout(&detector, 2);
	for (i = 0; i < DETECTOR_WINDOW; i++)
		hear(2, i % 2 ? INTERVAL / 2 : 3 * INTERVAL / 2);
	assert_int_equal(peer(2)->mistakes, 0);
	assert_true(detector_timeout(&detector, 2) > steady + INTERVAL);
}

static void test_the_window_forgets(void **state)
{
	uint32_t steady;
	unsigned int i;

	(void)state;
	begin(false);
	hear_steadily(2, 200);
	steady = detector_timeout(&detector, 2);
	for (i = 0; i < 200; i++)
		hear(2, i % 2 ? INTERVAL / 2 : 3 * INTERVAL / 2);
	hear_steadily(2, DETECTOR_WINDOW);
	assert_int_equal(detector_timeout(&detector, 2), steady);
	assert_int_equal(peer(2)->n, DETECTOR_WINDOW);
}

static void test_bounds_hold(void **state)
{
	struct detector_settings with = settings(true);
	unsigned int i;

	(void)state;
	with.threshold = DETECTOR_THRESHOLD_MIN;
	detector_init(&detector, &with, now);
	hear_steadily(2, 200);
	assert_int_equal(detector_timeout(&detector, 2), 2 * INTERVAL);
	for (i = 0; i < 200; i++)
		hear(2, i % 4 ? MS : 19 * INTERVAL);
	assert_int_equal(detector_timeout(&detector, 2), 20 * INTERVAL);
	assert_true(peer(2)->threshold <= DETECTOR_THRESHOLD_MAX);
}

static void test_a_mistake_is_not_made_twice(void **state)
{
	double threshold;

	(void)state;
	hear_steadily(2, 200);
	threshold = peer(2)->threshold;
	hear(2, 4 * INTERVAL);
	assert_int_equal(peer(2)->mistakes, 1);
	assert_true(peer(2)->threshold >= 1.5 * threshold);
	hear_steadily(2, 10);
	hear(2, 4 * INTERVAL);
	/* Nor when the window has forgotten it. */
	hear_steadily(2, 2 * DETECTOR_WINDOW);
	hear(2, 4 * INTERVAL);
	assert_int_equal(peer(2)->mistakes, 1);
}

static void test_fixed_stays_fixed(void **state)
{
	unsigned int i;

	(void)state;
	begin(false);
	for (i = 0; i < 5; i++) {
		hear_steadily(2, 2 * DETECTOR_WINDOW);
		hear(2, 4 * INTERVAL);
		hear_steadily(2, 2 * DETECTOR_WINDOW);
		hear(2, 40 * INTERVAL);
	}
	assert_int_equal(peer(2)->mistakes, 5);
	assert_int_equal(peer(2)->failures, 5);
	assert_true(peer(2)->threshold == DETECTOR_THRESHOLD);
}

static void test_time_without_mistakes_brings_it_down(void **state)
{
	double threshold;

	(void)state;
	hear_steadily(2, 200);
	hear(2, 4 * INTERVAL);
	threshold = peer(2)->threshold;
	hear_steadily(2, HOUR / INTERVAL);
	assert_true(fabs(peer(2)->threshold * 1.5 / threshold - 1) < 0.01);
	assert_int_equal(peer(2)->mistakes, 1);
}

/* The law that the header claims, with gaps that are as unfair as can be. */
static void test_mistakes_recur_no_more_often_than_said(void **state)
{
	const uint64_t hours = 20, begun = now;
	uint64_t most;

	(void)state;
	while (now - begun < hours * HOUR) {
		hear_steadily(2, 50);
		/* Just beyond, whenever that may be. */
		if (detector_timeout(&detector, 2) < 19 * INTERVAL)
			hear(2, detector_timeout(&detector, 2));
	}
	most = hours + log(DETECTOR_THRESHOLD_MAX / DETECTOR_THRESHOLD_MIN) /
		       log(1.5) + 1;
	assert_in_range(peer(2)->mistakes, 3, most);
}

static void test_a_failure_noticed_late_brings_it_down(void **state)
{
	double threshold;

	(void)state;
	hear_steadily(2, 200);
	hear(2, 10 * INTERVAL);
	hear_steadily(2, 2 * DETECTOR_WINDOW);
	threshold = peer(2)->threshold;
	hear(2, 100 * INTERVAL);
	assert_int_equal(peer(2)->failures, 1);
	assert_int_equal(peer(2)->late, 1);
	assert_true(peer(2)->threshold < 0.6 * threshold);
	/* Never below where it began: one failure is no reason for haste. */
	while (peer(2)->failures < 20) {
		hear_steadily(2, 2);
		hear(2, 100 * INTERVAL);
	}
	assert_true(peer(2)->threshold > DETECTOR_THRESHOLD - 0.1);
}

static void test_a_failure_is_no_gap(void **state)
{
	uint32_t timeout;

	(void)state;
	hear_steadily(2, 200);
	timeout = detector_timeout(&detector, 2);
	hear(2, 50 * INTERVAL);
	assert_int_equal(peer(2)->failures, 1);
	assert_int_equal(peer(2)->mistakes, 0);
	assert_in_range(detector_timeout(&detector, 2), timeout - MS, timeout);
}

static void test_an_agent_that_began_again_had_failed(void **state)
{
	(void)state;
	hear_steadily(2, 200);
	now += 5 * INTERVAL;
	detector_heard(&detector, 2, 2, now);
	assert_int_equal(peer(2)->failures, 1);
	assert_int_equal(peer(2)->mistakes, 0);
	/* So quickly that nobody noticed: neither. */
	now += INTERVAL;
	detector_heard(&detector, 2, 3, now);
	assert_int_equal(peer(2)->failures, 1);
	assert_false(detector_suspects(&detector, 2, now));
}

static void test_peers_do_not_disturb_each_other(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 200; i++) {
		hear(2, INTERVAL);
		detector_heard(&detector, 64, 1, now);
	}
	for (i = 0; i < 4; i++)
		hear(64, INTERVAL);
	assert_true(detector_suspects(&detector, 2, now));
	assert_false(detector_suspects(&detector, 64, now));
	hear(2, 0);
	assert_int_equal(peer(2)->mistakes, 1);
	assert_int_equal(peer(64)->mistakes, 0);
}

/* Stopped for 10 s, then woken: what is in the socket was not read yet. */
static void test_an_agent_that_was_stopped_accuses_nobody(void **state)
{
	uint64_t due;
	uint32_t timeout;

	(void)state;
	hear_steadily(2, 200);
	timeout = detector_timeout(&detector, 2);
	due = now + INTERVAL;
	now += 100 * INTERVAL;
	assert_true(detector_suspects(&detector, 2, now));
	detector_awake(&detector, due, now);
	assert_false(detector_suspects(&detector, 2, now));
	assert_int_equal(detector.late, 99 * INTERVAL);
	detector_heard(&detector, 2, 1, now);
	assert_int_equal(peer(2)->mistakes, 0);
	assert_int_equal(peer(2)->failures, 0);
	/* What it heard late says nothing of the peer. */
	assert_int_equal(peer(2)->n, 199);
	assert_true(peer(2)->mean == INTERVAL);
	assert_true(detector_timeout(&detector, 2) > timeout);
}

static void test_who_fell_silent_meanwhile_is_suspected_later(void **state)
{
	uint64_t due;

	(void)state;
	hear_steadily(2, 200);
	due = now + INTERVAL;
	now += 100 * INTERVAL;
	detector_awake(&detector, due, now);
	assert_false(detector_suspects(&detector, 2, now + 8 * INTERVAL));
	assert_true(detector_suspects(&detector, 2, now + 20 * INTERVAL));
}

static void test_local_health_comes_and_goes(void **state)
{
	struct detector_settings bounded = settings(true);
	uint32_t timeout, i;

	(void)state;
	hear_steadily(2, 200);
	timeout = detector_timeout(&detector, 2);
	detector_awake(&detector, now + INTERVAL, now);
	detector_awake(&detector, now, now + INTERVAL / 2);
	assert_int_equal(detector.health, 0);
	detector_awake(&detector, now, now + INTERVAL / 2 + 1);
	assert_int_equal(detector.health, 1);
	assert_int_equal(detector_timeout(&detector, 2), timeout + INTERVAL);
	for (i = 0; i < 100; i++)
		detector_awake(&detector, now, now + INTERVAL);
	assert_int_equal(detector.health, DETECTOR_HEALTH_MAX);
	assert_int_equal(detector_timeout(&detector, 2),
			 timeout + DETECTOR_HEALTH_MAX * INTERVAL);
	/* However ill: an operator's bound is a bound. */
	bounded.timeout_max = 5 * INTERVAL;
	detector_configure(&detector, &bounded);
	assert_int_equal(detector_timeout(&detector, 2), 5 * INTERVAL);
	for (i = 0; i < DETECTOR_HEALTH_MAX; i++)
		detector_awake(&detector, now, now);
	assert_int_equal(detector.health, 0);
}

static void test_being_early_is_not_being_well(void **state)
{
	(void)state;
	detector_awake(&detector, now, now + INTERVAL);
	assert_int_equal(detector.health, 2);
	detector_awake(&detector, now + 1, now);
	assert_int_equal(detector.health, 2);
}

static void test_five_milliseconds_and_ten_seconds(void **state)
{
	const uint32_t intervals[] = { 5 * MS, 10000 * MS };
	struct detector_settings with;
	unsigned int i, j;

	(void)state;
	for (i = 0; i < 2; i++) {
		with = settings(true);
		with.interval = intervals[i];
		with.timeout_min = 2 * intervals[i];
		with.timeout_max = 20 * intervals[i];
		detector_init(&detector, &with, now);
		for (j = 0; j < 300; j++)
			hear(2, intervals[i]);
		assert_in_range(detector_timeout(&detector, 2),
				2 * intervals[i], 3 * intervals[i]);
		hear(2, 5 * intervals[i]);
		assert_int_equal(peer(2)->mistakes, 1);
		hear(2, 5 * intervals[i]);
		assert_int_equal(peer(2)->mistakes, 1);
	}
}

#define TEST(name) cmocka_unit_test_setup(test_##name, setup)

static void test_a_member_that_is_added_is_given_time(void **state)
{
	(void)state;
	hear_steadily(4, 100);
	now += HOUR;
	assert_true(detector_suspects(&detector, 4, now));
	detector_admit(&detector, 4, now);
	assert_int_equal(peer(4)->n, 0);
	assert_false(detector_suspects(&detector, 4, now + 19 * INTERVAL));
	assert_true(detector_suspects(&detector, 4, now + 20 * INTERVAL));
}

static void test_what_is_configured_changes_but_not_what_was_learned(void **state)
{
	struct detector_settings with = settings(true);
	double learned;

	(void)state;
	hear_steadily(1, 100);
	peer(1)->threshold = learned = 20;
	with.timeout_min = 5 * INTERVAL;
	detector_configure(&detector, &with);
	assert_int_equal(peer(1)->n, 99);
	assert_true(peer(1)->threshold == learned);
	assert_true(detector_timeout(&detector, 1) >= 5 * INTERVAL);
	/* Who was never heard has all the time there is, as before. */
	with.timeout_max = 10 * INTERVAL;
	detector_configure(&detector, &with);
	assert_int_equal(detector_timeout(&detector, 2), 10 * INTERVAL);
	assert_true(detector_timeout(&detector, 1) < 10 * INTERVAL);
	/* Where learning begins is another place. */
	with.threshold = 3;
	detector_configure(&detector, &with);
	assert_true(peer(1)->threshold == 3);
	with.adaptive = false;
	peer(1)->threshold = 50;
	detector_configure(&detector, &with);
	assert_true(peer(1)->threshold == 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(silence_is_suspected_at_the_deadline),
		TEST(one_that_was_never_heard),
		TEST(a_member_that_is_added_is_given_time),
		TEST(phi),
		TEST(phi_grows_with_silence),
		TEST(the_deadline_is_where_phi_reaches_the_threshold),
		TEST(jitter_widens_the_timeout),
		TEST(the_window_forgets),
		TEST(bounds_hold),
		TEST(a_mistake_is_not_made_twice),
		TEST(fixed_stays_fixed),
		TEST(time_without_mistakes_brings_it_down),
		TEST(mistakes_recur_no_more_often_than_said),
		TEST(a_failure_noticed_late_brings_it_down),
		TEST(a_failure_is_no_gap),
		TEST(an_agent_that_began_again_had_failed),
		TEST(peers_do_not_disturb_each_other),
		TEST(an_agent_that_was_stopped_accuses_nobody),
		TEST(who_fell_silent_meanwhile_is_suspected_later),
		TEST(local_health_comes_and_goes),
		TEST(being_early_is_not_being_well),
		TEST(five_milliseconds_and_ten_seconds),
		TEST(what_is_configured_changes_but_not_what_was_learned),
	};

	return cmocka_run_group_tests_name("detector", tests, NULL, NULL);
}
