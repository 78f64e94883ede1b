// SPDX-License-Identifier: GPL-2.0
/* What is chosen, and how a member that missed something learns it. */
#include "unit.h"

static struct cluster *follower(void)
{
	struct cluster *c = cluster_make(3);

	c->wiped = true;	/* the other votes are on no disk here */
	host_boot(c, 1);
	host_start(c, 1);
	return c;
}

static void test_commit(void **state)
{
	struct cluster *c = follower();

	say_accept(c, 2, 1, B(1, 2), 1, "x", 0);
	assert_int_equal(c->hosts[1]->delivered, 0);
	say_commit(c, 2, 1, B(1, 2), 1);
	assert_true(decided(c, 1, 1, "x"));
	assert_int_equal(queued(c, PAXOS_FETCH, 1, ANY), 0);
	cluster_free(c);
}

static void test_commit_rides(void **state)
{
	struct cluster *c = follower();

	say_accept(c, 2, 1, B(1, 2), 1, "x", 0);
	say_accept(c, 2, 1, B(1, 2), 2, "y", 1);
	assert_true(decided(c, 1, 1, "x"));
	assert_int_equal(c->hosts[1]->delivered, 1);
	cluster_free(c);
}

static void test_other_ballot(void **state)
{
	struct cluster *c = follower();
	struct paxos_message m;

	/* Accepted in 1.2; 2.3 says that slot 1 is chosen: not this value. */
	say_accept(c, 2, 1, B(1, 2), 1, "mine", 0);
	drop(c, ANY, ANY, ANY);
	say_commit(c, 3, 1, B(2, 3), 1);
	assert_int_equal(c->hosts[1]->delivered, 0);
	peek_message(c, PAXOS_FETCH, 1, 3, &m);
	assert_int_equal(m.fetch.first, 1);
	assert_int_equal(m.fetch.last, 1);
	cluster_free(c);
}

static void test_lower_commit(void **state)
{
	struct cluster *c = follower();

	say_prepare(c, 3, 1, B(2, 3), 1);
	drop(c, ANY, ANY, ANY);
	say_commit(c, 2, 1, B(1, 2), 1);
	assert_int_equal(core_of(c, 1)->leader, 0);
	assert_int_equal(core_of(c, 1)->promised, B(2, 3));
	/* It is told, or would beat on for ever. */
	assert_int_equal(queued(c, PAXOS_REJECT, 1, 2), 1);
	cluster_free(c);
}

static void test_commit_sender(void **state)
{
	struct cluster *c = follower();

	say_accept(c, 2, 1, B(1, 2), 1, "x", 0);
	assert_drop(PAXOS_DROP_SENDER, say_commit(c, 3, 1, B(1, 2), 1));
	assert_int_equal(c->hosts[1]->delivered, 0);
	cluster_free(c);
}

static void test_gap(void **state)
{
	struct cluster *c = follower();
	struct paxos_message m;
	struct paxos_item item = item_make(2, B(1, 2), 2, 2, "two");

	say_accept(c, 2, 1, B(1, 2), 1, "one", 0);
	say_accept(c, 2, 1, B(1, 2), 3, "three", 0);
	say_commit(c, 2, 1, B(1, 2), 3);
	assert_int_equal(c->hosts[1]->delivered, 1);
	peek_message(c, PAXOS_FETCH, 1, 2, &m);
	assert_int_equal(m.fetch.first, 2);
	assert_int_equal(m.fetch.last, 3);
	assert_drop(PAXOS_DROP_NONE, say_chosen(c, 2, 1, 1, &item, 1));
	assert_true(decided(c, 1, 3, "three"));
	cluster_free(c);
}

static void test_fetch_again(void **state)
{
	struct cluster *c = follower();
	u32 sent;

	say_commit(c, 2, 1, B(1, 2), 5);
	sent = c->sent[PAXOS_FETCH];
	assert_true(sent >= 1);
	advance(c, 5000 * MS);
	assert_true(c->sent[PAXOS_FETCH] - sent >= 2);
	/* Not in a storm. */
	assert_true(c->sent[PAXOS_FETCH] - sent <= 60);
	cluster_free(c);
}

static void test_fetched_in_pages(void **state)
{
	struct cluster *c = cluster_of(3);
	static char text[500];
	u32 i;

	memset(text, 'v', sizeof(text));
	elect(c, 1);
	run(c, 10 * MS);
	host_crash(c, 3);
	for (i = 0; i < 40; i++) {
		assert_int_equal(propose_until(c, 1, text, sizeof(text),
					       c->now + 1000 * MS, NULL), 0);
		run(c, 5 * MS);
	}
	drop(c, ANY, ANY, 3);
	host_restart(c, 3);
	run(c, 5000 * MS);
	assert_int_equal(c->hosts[3]->delivered, 40);
	assert_true(c->sent[PAXOS_CHOSEN] >= 40 / 2);
	cluster_free(c);
}

static void test_learn_whole(void **state)
{
	struct cluster *c = follower();
	struct paxos_item items[3] = {
		item_make(1, B(1, 2), 2, 1, "one"),
		item_make(2, B(1, 2), 2, 2, "two"),
		item_make(3, B(1, 2), 2, 3, "three"),
	};
	u32 fail;

	for (fail = 0; fail < 3; fail++) {
		c->hosts[1]->pass_allocs = fail;
		c->hosts[1]->fail_allocs = 1;
		assert_drop(PAXOS_DROP_NOMEM, say_chosen(c, 2, 1, 1, items, 3));
		assert_int_equal(c->hosts[1]->delivered, 0);
		assert_int_equal(c->hosts[1]->values, 0);
		assert_int_equal(core_of(c, 1)->lsn, 0);
		assert_int_equal(core_of(c, 1)->log.last, 0);
	}
	assert_drop(PAXOS_DROP_NONE, say_chosen(c, 2, 1, 1, items, 3));
	assert_true(decided(c, 1, 3, "three"));
	cluster_free(c);
}

static void test_learn_conflict(void **state)
{
	struct cluster *c = follower();
	struct paxos_item one = item_make(2, B(1, 2), 2, 1, "one");
	struct paxos_item other = item_make(2, B(1, 2), 3, 1, "other");

	assert_drop(PAXOS_DROP_NONE, say_chosen(c, 2, 1, 1, &one, 1));
	assert_drop(PAXOS_DROP_CONFLICT, say_chosen(c, 2, 1, 1, &other, 1));
	assert_drop(PAXOS_DROP_CONFLICT,
		    say_accept(c, 3, 1, B(9, 3), 2, "other", 0));
	assert_int_equal(core_of(c, 1)->promised, 0);
	cluster_free(c);
}

static void test_learn_replaces(void **state)
{
	struct cluster *c = follower();
	struct paxos_item item = item_make(1, B(2, 3), 3, 1, "chosen");

	say_accept(c, 2, 1, B(1, 2), 1, "lost", 0);
	assert_drop(PAXOS_DROP_NONE, say_chosen(c, 3, 1, 1, &item, 1));
	assert_true(decided(c, 1, 1, "chosen"));
	/* It has no vote for that: none is sent, no ballot below is made. */
	drop(c, ANY, ANY, ANY);
	disk_flush(c, 1);
	assert_int_equal(queued(c, PAXOS_ACCEPTED, 1, ANY), 0);
	host_crash(c, 1);
	host_restart(c, 1);
	say_chosen(c, 3, 1, 1, &item, 1);
	assert_true(decided(c, 1, 1, "chosen"));
	cluster_free(c);
}

static void test_learn_no_vote(void **state)
{
	struct cluster *c = follower();
	struct paxos_item item = item_make(1, B(2, 3), 3, 1, "chosen");
	u64 promised;

	say_prepare(c, 2, 1, B(1, 2), 1);
	promised = core_of(c, 1)->promised;
	say_chosen(c, 3, 1, 1, &item, 1);
	/* P1a is about votes: to learn is not to promise. */
	assert_int_equal(core_of(c, 1)->promised, promised);
	assert_int_equal(queued(c, PAXOS_ACCEPTED, 1, ANY), 0);
	cluster_free(c);
}

static void test_fetch_answer(void **state)
{
	struct cluster *c = follower();
	struct paxos_message m = message_make(c, PAXOS_FETCH, 3, 1, 0);
	struct paxos_item item;

	say_accept(c, 2, 1, B(1, 2), 1, "one", 0);
	say_accept(c, 2, 1, B(1, 2), 2, "open", 1);
	m.fetch.first = 1;
	m.fetch.last = 9;
	inject(c, &m);
	/* What is only accepted is not shown as chosen. */
	peek_message(c, PAXOS_CHOSEN, 1, 3, &m);
	assert_int_equal(m.count, 1);
	paxos_wire_item(m.body, &item);
	assert_int_equal(item.slot, 1);
	cluster_free(c);
}

static void test_fetch_trimmed(void **state)
{
	struct cluster *c = follower();
	struct paxos_message m = message_make(c, PAXOS_FETCH, 3, 1, 0);
	u64 slot;

	for (slot = 1; slot <= 3 * c->settings.log_size; slot++)
		say_accept(c, 2, 1, B(1, 2), slot, "value", slot - 1);
	m.fetch.first = 1;
	m.fetch.last = 2;
	inject(c, &m);
	peek_message(c, PAXOS_CHOSEN, 1, 3, &m);
	assert_int_equal(m.count, 0);
	assert_int_equal(m.chosen.held, core_of(c, 1)->log.first);
	cluster_free(c);
}

static void test_behind(void **state)
{
	struct cluster *c = follower();

	assert_drop(PAXOS_DROP_NONE, say_chosen(c, 2, 1, 50, NULL, 0));
	assert_true(happened(c, 1, PAXOS_EVENT_BEHIND));
	assert_int_equal(core_of(c, 1)->behind, 50);
	assert_int_equal(c->hosts[1]->delivered, 0);
	cluster_free(c);
}

static void test_learners(void **state)
{
	struct cluster *c = cluster_make(4);
	u8 id;

	assert_int_equal(paxos_config_init(&c->config, 1, 7, 8, 0, 0), 0);
	for (id = 1; id <= 4; id++) {
		host_boot(c, id);
		host_start(c, id);
	}
	elect(c, 1);
	propose(c, 1, "x");
	run(c, 1000 * MS);
	assert_true(decided(c, 4, 1, "x"));
	for (id = 1; id <= 4; id++)
		assert_true(c->hosts[id]->delivered == 1);
	assert_null(disk_find(c, 4, PAXOS_RECORD_PROMISE, 0, 0));
	cluster_free(c);
}

static void test_reordered(void **state)
{
	struct cluster *c = cluster_of(3);
	static const char *const texts[] = { "a", "b", "c", "d" };
	u32 i;

	elect(c, 1);
	run(c, 10 * MS);
	for (i = 0; i < 4; i++)
		propose(c, 1, texts[i]);
	/* The last sent arrives first, everywhere, twice. */
	for (i = 0; i < 200 && c->queue; i++) {
		struct datagram *d, *last = c->queue;

		for (d = c->queue; d; d = d->next)
			last = d;
		if (i % 3)
			repeat(c, last->type, last->from, last->to);
		deliver_one(c, last->type, last->from, last->to);
	}
	run(c, 1000 * MS);
	for (i = 0; i < 4; i++)
		assert_int_equal(times_decided(c, texts[i]), 1);
	assert_int_equal(c->hosts[3]->delivered, 4);
	cluster_free(c);
}

static void test_leader_silent(void **state)
{
	struct cluster *c = cluster_of(3);

	elect(c, 1);
	run(c, 500 * MS);
	assert_int_equal(core_of(c, 2)->leader, 1);
	host_crash(c, 1);
	run(c, 3000 * MS);
	assert_int_equal(core_of(c, 2)->leader, 0);
	assert_int_equal(core_of(c, 3)->leader, 0);
	cluster_free(c);
}

/* An answer is taken whole or not at all: it must fit. */
static void test_small_log(void **state)
{
	struct cluster *c = cluster_make(3);
	struct paxos_message m;

	c->wiped = true;	/* the others vote on no disk */
	c->settings.window = 16;
	c->settings.log_size = 32;
	host_boot(c, 1);
	host_start(c, 1);
	say_commit(c, 2, 1, B(1, 2), 1000);
	peek_message(c, PAXOS_FETCH, 1, 2, &m);
	assert_int_equal(m.fetch.first, 1);
	assert_int_equal(m.fetch.last, 32);
	cluster_free(c);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST("2.3: what the leader says is chosen is delivered",
		     test_commit),
		TEST("commit rides on an Accept", test_commit_rides),
		TEST("chosen is the leader's value: of another ballot it is fetched",
		     test_other_ballot),
		TEST("an old leader's Commit is not followed",
		     test_lower_commit),
		TEST("Commit is said by who owns the ballot",
		     test_commit_sender),
		TEST("a gap is fetched, then delivered in order", test_gap),
		TEST("a Fetch asks for no more than the log holds",
		     test_small_log),
		TEST("a Fetch without an answer is repeated, not stormed",
		     test_fetch_again),
		TEST("who was away fetches page by page",
		     test_fetched_in_pages),
		TEST("law 4: no memory for one chosen value: none is learnt",
		     test_learn_whole),
		TEST("law 1: what contradicts the chosen value is refused",
		     test_learn_conflict),
		TEST("an accepted value gives way to the chosen one",
		     test_learn_replaces),
		TEST("to learn is neither to vote nor to promise",
		     test_learn_no_vote),
		TEST("Fetch is answered with what is chosen, not with what is accepted",
		     test_fetch_answer),
		TEST("Fetch of what is trimmed is told so",
		     test_fetch_trimmed),
		TEST("who lacks what others trimmed says that it is behind",
		     test_behind),
		TEST("a learner learns and does not vote", test_learners),
		TEST("duplicates and reordering are harmless", test_reordered),
		TEST("a leader that falls silent is no leader",
		     test_leader_silent),
	};

	return RUN_TESTS(tests);
}
