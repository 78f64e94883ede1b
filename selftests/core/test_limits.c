// SPDX-License-Identifier: GPL-2.0
/* Over a limit there is a clear answer, and nothing is lost. */
#include <linux/errno.h>
#include "unit.h"

static void test_value(void **state)
{
	struct cluster *c = cluster_of(3);
	u8 *bytes = malloc(PAXOS_VALUE_MAX + 1);
	char cookies[3];
	u8 id;

	memset(bytes, 'v', PAXOS_VALUE_MAX + 1);
	elect(c, 1);
	assert_int_equal(propose_until(c, 1, bytes, PAXOS_VALUE_MAX + 1,
				       c->now + 1000 * MS, &cookies[0]),
			 -EMSGSIZE);
	assert_int_equal(propose_until(c, 1, bytes, ~0U, c->now + 1000 * MS,
				       &cookies[0]), -EMSGSIZE);
	assert_int_equal(core_of(c, 1)->log.last, 0);
	assert_int_equal(propose_until(c, 1, bytes, PAXOS_VALUE_MAX,
				       c->now + 1000 * MS, &cookies[1]), 0);
	assert_int_equal(propose_until(c, 2, bytes, 0, c->now + 1000 * MS,
				       &cookies[2]), -ENOLINK);
	run(c, 1000 * MS);
	assert_int_equal(propose_until(c, 2, bytes, 0, c->now + 1000 * MS,
				       &cookies[2]), 0);
	run(c, 1000 * MS);
	assert_null(ended(c, 1, &cookies[0]));
	assert_outcome(PAXOS_OUTCOME_CHOSEN, c, 1, &cookies[1]);
	assert_outcome(PAXOS_OUTCOME_CHOSEN, c, 2, &cookies[2]);
	for (id = 1; id <= 3; id++)
		assert_true(decided(c, id, 2, ""));
	assert_int_equal(c->chosen[1].len, PAXOS_VALUE_MAX);
	free(bytes);
	cluster_free(c);
}

static void test_pending(void **state)
{
	struct cluster *c = cluster_of(3);
	static char cookies[PAXOS_PENDING_MAX + 2];
	u32 i;

	elect(c, 1);
	run(c, 10 * MS);
	disk_slow(c, 2, true);
	disk_slow(c, 3, true);
	for (i = 0; i < PAXOS_PENDING_MAX; i++)
		assert_int_equal(propose_until(c, 1, "x", 1, c->now +
					       60000 * MS, &cookies[i]), 0);
	assert_int_equal(propose_until(c, 1, "x", 1, c->now + 60000 * MS,
				       &cookies[i]), -EAGAIN);
	assert_null(ended(c, 1, &cookies[i]));
	disk_slow(c, 2, false);
	disk_slow(c, 3, false);
	run(c, 30000 * MS);
	for (i = 0; i < PAXOS_PENDING_MAX; i++) {
		assert_outcome(PAXOS_OUTCOME_CHOSEN, c, 1, &cookies[i]);
		assert_int_equal(times_ended(c, 1, &cookies[i]), 1);
	}
	assert_int_equal(propose_until(c, 1, "x", 1, c->now + 60000 * MS,
				       &cookies[i]), 0);
	settle(c);
	assert_outcome(PAXOS_OUTCOME_CHOSEN, c, 1, &cookies[i]);
	cluster_free(c);
}

static void test_bytes(void **state)
{
	struct cluster *c = cluster_make(3);
	static char text[1000];
	u32 i, refused = 0;
	u8 id;

	memset(text, 'v', sizeof(text));
	c->settings.bytes = 20 * 1000;
	for (id = 1; id <= 3; id++) {
		host_boot(c, id);
		host_start(c, id);
	}
	elect(c, 1);
	run(c, 10 * MS);
	/* Undecided ones fill it up: the next is refused, none is lost. */
	disk_slow(c, 2, true);
	disk_slow(c, 3, true);
	for (i = 0; i < 40; i++) {
		int err = propose_until(c, 1, text, sizeof(text),
					c->now + 60000 * MS, NULL);

		assert_true(!err || err == -ENOMEM);
		refused += err != 0;
		assert_true(core_of(c, 1)->value_bytes <= c->settings.bytes);
	}
	assert_in_range(refused, 1, 39);
	disk_slow(c, 2, false);
	disk_slow(c, 3, false);
	run(c, 20000 * MS);
	assert_int_equal(c->hosts[1]->delivered, 40 - refused);
	/* Chosen ones make room, for as many as may come. */
	for (i = 0; i < 200; i++) {
		int err = propose_until(c, 1, text, sizeof(text),
					c->now + 60000 * MS, NULL);

		if (err) {
			assert_int_equal(err, -ENOMEM);
			i--;
		}
		run(c, 20 * MS);
		for (id = 1; id <= 3; id++)
			assert_true(core_of(c, id)->value_bytes <=
				    c->settings.bytes);
	}
	run(c, 5000 * MS);
	assert_int_equal(c->hosts[3]->delivered, 240 - refused);
	cluster_free(c);
}

static void test_nomem(void **state)
{
	struct cluster *c = cluster_of(3);

	elect(c, 1);
	run(c, 10 * MS);
	c->hosts[1]->fail_allocs = 1;
	assert_int_equal(propose(c, 1, "x"), -ENOMEM);
	assert_null(ended(c, 1, "x"));
	assert_int_equal(propose(c, 1, "y"), 0);
	/* A follower without memory is a lost datagram. */
	c->hosts[2]->fail_allocs = 1;
	c->hosts[3]->fail_allocs = 1;
	run(c, 3000 * MS);
	assert_outcome(PAXOS_OUTCOME_CHOSEN, c, 1, "y");
	/* So is a leader that cannot take a Forward. */
	propose(c, 2, "z");
	c->hosts[1]->fail_allocs = 1;
	run(c, 3000 * MS);
	assert_outcome(PAXOS_OUTCOME_CHOSEN, c, 2, "z");
	assert_int_equal(times_decided(c, "z"), 1);
	cluster_free(c);
}

static void test_reserve(void **state)
{
	struct cluster *c = cluster_of(3);
	u32 i, tries, refused = 0;
	char text[8];
	u8 id;

	elect(c, 1);
	run(c, 10 * MS);
	for (id = 1; id <= 3; id++)
		c->hosts[id]->most_values = 4;
	/* Undecided ones keep theirs: the next is refused. */
	disk_slow(c, 2, true);
	disk_slow(c, 3, true);
	for (i = 0; i < 8; i++) {
		snprintf(text, sizeof(text), "open%u", i);
		refused += propose(c, 1, text) == -ENOMEM;
	}
	assert_int_equal(refused, 4);
	disk_slow(c, 2, false);
	disk_slow(c, 3, false);
	run(c, 5000 * MS);
	for (i = 0; i < 4; i++) {
		snprintf(text, sizeof(text), "open%u", i);
		assert_int_equal(times_decided(c, text), 1);
	}
	/* Chosen ones make room, through whomever, for as many as may come. */
	for (i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "v%u", i);
		for (tries = 0; tries < 200; tries++) {
			if (propose(c, 1 + i % 3, text) != -ENOMEM)
				break;
			run(c, 20 * MS);
		}
		assert_in_range(tries, 0, 199);
		run(c, 20 * MS);
	}
	run(c, 5000 * MS);
	for (i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "v%u", i);
		assert_outcome(PAXOS_OUTCOME_CHOSEN, c, 1 + i % 3, text);
	}
	assert_int_equal(c->hosts[3]->delivered, 104);
	cluster_free(c);
}

static void test_settings(void **state)
{
	static const struct { u32 window, log_size; bool fits; } tries[] = {
		{ 16, 32, true }, { 16, 64, true }, { 1024, 2048, true },
		{ 16, 16, false }, { 0, 64, false }, { 16, 0, false },
		{ 15, 64, false }, { 16, 63, false }, { 64, 64, false },
		{ 0x80000000, 0x80000000, false },
	};
	struct paxos_core *core = malloc(sizeof(*core));
	struct paxos_entry *entries = malloc(2048 * sizeof(*entries));
	struct paxos_config config;
	struct paxos_ops none = { 0 };
	u32 i;

	assert_int_equal(paxos_config_init(&config, 1, 7, 0, 0, 0), 0);
	for (i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		struct paxos_settings settings = {
			.self = 1, .payload = PAXOS_PAYLOAD_DEFAULT,
			.bytes = 1 << 20, .window = tries[i].window,
			.log_size = tries[i].log_size,
		};

		assert_int_equal(paxos_core_init(core, &none, &settings,
						 &config, entries),
				 tries[i].fits ? 0 : -EINVAL);
		settings.window = 16;
		settings.log_size = 64;
		settings.self = 4;
		assert_int_equal(paxos_core_init(core, &none, &settings,
						 &config, entries), -EINVAL);
		settings.self = 0;
		assert_int_equal(paxos_core_init(core, &none, &settings,
						 &config, entries), -EINVAL);
		settings.self = 1;
		settings.durability = PAXOS_MEMORY + 1;
		assert_int_equal(paxos_core_init(core, &none, &settings,
						 &config, entries), -EINVAL);
	}
	free(entries);
	free(core);
}

static void test_members(void **state)
{
	struct cluster *c = cluster_make(3);

	/* The last id there is leads, votes and is voted for. */
	assert_int_equal(paxos_config_init(&c->config, 1, 1ULL << 63 | 6, 0, 0,
					   0), 0);
	c->wiped = true;
	host_boot(c, 2);
	host_start(c, 2);
	campaign(c, 2);
	assert_int_equal(queued(c, PAXOS_PREPARE, 2, 64), 1);
	say_promise(c, 64, 2, core_of(c, 2)->ballot, 1, NULL, 0);
	assert_int_equal(core_of(c, 2)->role, PAXOS_LEADER);
	propose(c, 2, "x");
	say_accepted(c, 64, 2, core_of(c, 2)->ballot, 1, 1);
	assert_true(decided(c, 2, 1, "x"));
	say_accept(c, 64, 2, B(9, 64), 2, "y", 0);
	assert_int_equal(core_of(c, 2)->leader, 64);
	drop(c, ANY, ANY, ANY);
	cluster_free(c);
}

static void test_clock(void **state)
{
	struct cluster *c = cluster_of(3);
	u64 now;

	/* A clock that is set back neither stops nor hurries anything. */
	elect(c, 1);
	run(c, 500 * MS);
	now = c->now;
	c->now = 1;
	assert_int_equal(propose_until(c, 1, "x", 1, now + 1000 * MS, "x"), 0);
	settle(c);
	assert_outcome(PAXOS_OUTCOME_CHOSEN, c, 1, "x");
	c->now = now;
	run(c, 1000 * MS);
	assert_true(decided(c, 3, 1, "x"));
	cluster_free(c);
}

/*
 * A candidate holds all that it is shown, in a lower ballot, and has no memory
 * for a second copy. Nothing can be trimmed before there is a leader.
 */
static void test_promise_of_held(void **state)
{
	struct cluster *c = cluster_make(3);
	struct paxos_item items[4];
	u64 ballot;
	u32 i;

	c->wiped = true;
	host_boot(c, 1);
	host_start(c, 1);
	for (i = 0; i < 4; i++) {
		char text[2] = { 'a' + i };

		say_accept(c, 2, 1, B(1, 2), i + 1, text, 0);
	}
	c->hosts[1]->most_values = c->hosts[1]->values;
	assert_int_equal(campaign(c, 1), 0);
	ballot = core_of(c, 1)->ballot;
	for (i = 0; i < 4; i++) {
		const struct paxos_value *held =
			paxos_log_entry(&core_of(c, 1)->log, i + 1)->value;

		items[i] = (struct paxos_item){
			.slot = i + 1,
			.ballot = B(1, 3),
			.origin = held->origin,
			.len = held->len,
			.kind = held->kind,
			.bytes = held->bytes,
		};
	}
	assert_drop(PAXOS_DROP_NONE, say_promise(c, 3, 1, ballot, 1, items, 4));
	assert_int_equal(core_of(c, 1)->role, PAXOS_LEADER);
	cluster_free(c);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST("a value has 0 to 32768 bytes", test_value),
		TEST("so many proposals under way, then -EAGAIN",
		     test_pending),
		TEST("values take no more bytes than they may", test_bytes),
		TEST("law 4: no memory is -ENOMEM or a lost datagram",
		     test_nomem),
		TEST("where there is no memory, chosen values make room",
		     test_reserve),
		TEST("what a candidate is shown and holds takes no memory",
		     test_promise_of_held),
		TEST("settings that cannot be are refused", test_settings),
		TEST("members are numbered up to 64", test_members),
		TEST("law 6: time is an argument, a clock set back is harmless",
		     test_clock),
	};

	return RUN_TESTS(tests);
}
