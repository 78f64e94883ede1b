// SPDX-License-Identifier: GPL-2.0
/* The proposer: candidate, then leader. Lamport 2001, 2.2 and 3. */
#include <linux/errno.h>
#include "unit.h"

/* Members 2..n are the test's; 1 is a candidate whose Prepares went out. */
static struct cluster *candidate(u32 n)
{
	struct cluster *c = cluster_make(n);

	c->wiped = true;	/* the others vote on no disk */
	host_boot(c, 1);
	host_start(c, 1);
	assert_int_equal(campaign(c, 1), 0);
	assert_int_equal(queued(c, PAXOS_PREPARE, 1, ANY), n - 1);
	drop(c, ANY, ANY, ANY);
	return c;
}

/* The same above what others proposed in rounds 1 and 2. */
static struct cluster *late_candidate(u32 n)
{
	struct cluster *c = candidate(n);

	core_of(c, 1)->seen = B(2, n);
	assert_int_equal(campaign(c, 1), 0);
	drop(c, ANY, ANY, ANY);
	return c;
}

static u8 role(struct cluster *c)
{
	return core_of(c, 1)->role;
}

static u64 ballot(struct cluster *c)
{
	return core_of(c, 1)->ballot;
}

static void test_quorum(void **state)
{
	struct cluster *c = candidate(5);

	assert_int_equal(role(c), PAXOS_CANDIDATE);
	say_promise(c, 2, 1, ballot(c), 1, NULL, 0);
	assert_int_equal(role(c), PAXOS_CANDIDATE);
	say_promise(c, 3, 1, ballot(c), 1, NULL, 0);
	assert_int_equal(role(c), PAXOS_LEADER);
	assert_true(happened(c, 1, PAXOS_EVENT_LEADER));
	cluster_free(c);
}

static void test_duplicate_promise(void **state)
{
	struct cluster *c = candidate(5);

	say_promise(c, 2, 1, ballot(c), 1, NULL, 0);
	say_promise(c, 2, 1, ballot(c), 1, NULL, 0);
	say_promise(c, 2, 1, ballot(c), 1, NULL, 0);
	assert_int_equal(role(c), PAXOS_CANDIDATE);
	cluster_free(c);
}

static void test_stale_promise(void **state)
{
	struct cluster *c = candidate(3);
	u64 old = ballot(c);

	assert_int_equal(campaign(c, 1), 0);
	drop(c, ANY, ANY, ANY);
	assert_true(ballot(c) > old);
	assert_drop(PAXOS_DROP_STALE,
		    say_promise(c, 2, 1, old, 1, NULL, 0));
	assert_int_equal(role(c), PAXOS_CANDIDATE);
	/* Nor one of a ballot that was never asked for. */
	say_promise(c, 3, 1, ballot(c) + 256, 1, NULL, 0);
	assert_int_equal(role(c), PAXOS_CANDIDATE);
	cluster_free(c);
}

static void test_stale_accepted(void **state)
{
	struct cluster *c = candidate(3);
	u64 old = ballot(c);

	say_promise(c, 2, 1, old, 1, NULL, 0);
	propose(c, 1, "x");
	/* The rival's ballot ends this one; then it leads again. */
	say_prepare(c, 3, 1, B(7, 3), 1);
	assert_int_equal(role(c), PAXOS_FOLLOWER);
	campaign(c, 1);
	say_promise(c, 2, 1, ballot(c), 1, NULL, 0);
	assert_int_equal(role(c), PAXOS_LEADER);
	drop(c, ANY, ANY, ANY);
	assert_drop(PAXOS_DROP_STALE, say_accepted(c, 2, 1, old, 1, 1));
	assert_int_equal(core_of(c, 1)->commit, 0);
	say_accepted(c, 2, 1, ballot(c), 1, 1);
	assert_int_equal(core_of(c, 1)->commit, 1);
	cluster_free(c);
}

static void test_duplicate_accepted(void **state)
{
	struct cluster *c = candidate(5);

	say_promise(c, 2, 1, ballot(c), 1, NULL, 0);
	say_promise(c, 3, 1, ballot(c), 1, NULL, 0);
	propose(c, 1, "x");
	say_accepted(c, 2, 1, ballot(c), 1, 1);
	say_accepted(c, 2, 1, ballot(c), 1, 1);
	say_accepted(c, 2, 1, ballot(c), 1, 1);
	assert_int_equal(core_of(c, 1)->commit, 0);
	say_accepted(c, 4, 1, ballot(c), 1, 1);
	assert_int_equal(core_of(c, 1)->commit, 1);
	cluster_free(c);
}

static void test_vote_of_learner(void **state)
{
	struct cluster *c = cluster_make(5);

	c->wiped = true;
	assert_int_equal(paxos_config_init(&c->config, 1, 7, 0x18, 0, 0), 0);
	host_boot(c, 1);
	host_start(c, 1);
	campaign(c, 1);
	assert_drop(PAXOS_DROP_SENDER,
		    say_promise(c, 4, 1, ballot(c), 1, NULL, 0));
	assert_int_equal(role(c), PAXOS_CANDIDATE);
	say_promise(c, 2, 1, ballot(c), 1, NULL, 0);
	propose(c, 1, "x");
	say_accepted(c, 4, 1, ballot(c), 1, 1);
	say_accepted(c, 5, 1, ballot(c), 1, 1);
	assert_int_equal(core_of(c, 1)->commit, 0);
	cluster_free(c);
}

static void test_vote_for_other_slot(void **state)
{
	struct cluster *c = candidate(3);

	say_promise(c, 2, 1, ballot(c), 1, NULL, 0);
	propose(c, 1, "x");
	propose(c, 1, "y");
	say_accepted(c, 2, 1, ballot(c), 2, 1);
	assert_int_equal(core_of(c, 1)->commit, 0);
	assert_true(paxos_core_chosen(core_of(c, 1), 2));
	assert_false(paxos_core_chosen(core_of(c, 1), 1));
	/* Votes for slots that were never proposed are nobody's. */
	say_accepted(c, 3, 1, ballot(c), 1000, 50);
	say_accepted(c, 3, 1, ballot(c), ~0ULL, 1);
	say_accepted(c, 2, 1, ballot(c), 1, 0xffffffff);
	assert_int_equal(core_of(c, 1)->commit, 2);
	propose(c, 1, "z");
	assert_int_equal(core_of(c, 1)->commit, 2);
	cluster_free(c);
}

static void proposed_value(struct cluster *c, u64 slot, struct paxos_item *item)
{
	struct datagram *d;

	for (d = c->queue; d; d = d->next) {
		struct paxos_message m;
		const u8 *at;
		u32 i;

		if (d->type != PAXOS_ACCEPT)
			continue;
		assert_drop(PAXOS_DROP_NONE,
			    paxos_wire_decode(d->bytes, d->len, &m));
		at = m.body;
		for (i = 0; i < m.count; i++) {
			at = paxos_wire_item(at, item);
			if (item->slot == slot)
				return;
		}
	}
	fail_msg("slot %llu was not proposed", (unsigned long long)slot);
}

static void test_highest_value(void **state)
{
	int turn;

	/* In whichever order the promises come. */
	for (turn = 0; turn < 2; turn++) {
		struct cluster *c = cluster_make(5);
		struct paxos_item low = item_make(1, B(2, 3), 3, 1, "low");
		struct paxos_item high = item_make(1, B(5, 2), 2, 1, "high");
		struct paxos_item item;

		c->wiped = true;
		host_boot(c, 1);
		host_start(c, 1);
		say_commit(c, 5, 1, B(8, 5), 0);	/* go above that */
		campaign(c, 1);
		drop(c, ANY, ANY, ANY);
		if (turn)
			say_promise(c, 3, 1, ballot(c), 1, &low, 1);
		say_promise(c, 2, 1, ballot(c), 1, &high, 1);
		if (!turn)
			say_promise(c, 3, 1, ballot(c), 1, &low, 1);
		assert_int_equal(role(c), PAXOS_LEADER);
		proposed_value(c, 1, &item);
		assert_int_equal(item.len, 4);
		assert_memory_equal(item.bytes, "high", 4);
		assert_int_equal(item.ballot, ballot(c));
		assert_int_equal(item.origin.member, 2);
		cluster_free(c);
	}
}

static void test_own_value_counts(void **state)
{
	u64 own;

	/* Above what is found, and below it. */
	for (own = 1; own <= 5; own += 4) {
		struct cluster *c = cluster_make(3);
		struct paxos_item found = item_make(1, B(2, 3), 3, 1, "his");
		struct paxos_item item;

		c->wiped = true;
		host_boot(c, 1);
		host_start(c, 1);
		say_accept(c, 2, 1, B(own, 2), 1, "own", 0);
		say_commit(c, 2, 1, B(5, 2), 0);
		campaign(c, 1);
		drop(c, ANY, ANY, ANY);
		say_promise(c, 3, 1, ballot(c), 1, &found, 1);
		proposed_value(c, 1, &item);
		assert_memory_equal(item.bytes, own > 2 ? "own" : "his", 3);
		cluster_free(c);
	}
}

static void test_noop(void **state)
{
	struct cluster *c = cluster_make(3);
	struct paxos_item found, item;

	c->wiped = true;
	host_boot(c, 1);
	host_start(c, 1);
	say_commit(c, 2, 1, B(3, 2), 0);
	campaign(c, 1);
	drop(c, ANY, ANY, ANY);
	found = item_make(3, B(2, 3), 3, 1, "three");
	say_promise(c, 3, 1, ballot(c), 1, &found, 1);
	proposed_value(c, 1, &item);
	assert_int_equal(item.kind, PAXOS_NOOP);
	proposed_value(c, 2, &item);
	assert_int_equal(item.kind, PAXOS_NOOP);
	proposed_value(c, 3, &item);
	assert_int_equal(item.kind, PAXOS_DATA);
	assert_memory_equal(item.bytes, "three", 5);
	say_accepted(c, 3, 1, ballot(c), 1, 3);
	assert_true(decided_noop(c, 1, 1));
	assert_true(decided_noop(c, 1, 2));
	assert_true(decided(c, 1, 3, "three"));
	/* Its own go behind. */
	propose(c, 1, "four");
	say_accepted(c, 3, 1, ballot(c), 4, 1);
	assert_true(decided(c, 1, 4, "four"));
	cluster_free(c);
}

static void test_above_all_seen(void **state)
{
	static const u8 types[] = { PAXOS_PREPARE, PAXOS_ACCEPT, PAXOS_COMMIT,
				    PAXOS_REJECT };
	u32 i;

	for (i = 0; i < sizeof(types); i++) {
		struct cluster *c = cluster_make(3);
		struct paxos_message m;

		host_boot(c, 1);
		host_start(c, 1);
		switch (types[i]) {
		case PAXOS_PREPARE:
			say_prepare(c, 3, 1, B(1000, 3), 1);
			break;
		case PAXOS_ACCEPT:
			say_accept(c, 3, 1, B(1000, 3), 1, "x", 0);
			break;
		case PAXOS_COMMIT:
			say_commit(c, 3, 1, B(1000, 3), 0);
			break;
		case PAXOS_REJECT:
			campaign(c, 1);
			m = message_make(c, PAXOS_REJECT, 2, 1, ballot(c));
			m.reject.promised = B(1000, 3);
			m.reject.held = 1;
			inject(c, &m);
			assert_int_equal(role(c), PAXOS_FOLLOWER);
			break;
		}
		campaign(c, 1);
		assert_true(ballot(c) > B(1000, 3));
		assert_int_equal(paxos_ballot_member(ballot(c)), 1);
		cluster_free(c);
	}
}

static void test_steps_down(void **state)
{
	struct cluster *c = candidate(3);

	say_promise(c, 2, 1, ballot(c), 1, NULL, 0);
	assert_int_equal(role(c), PAXOS_LEADER);
	say_accept(c, 3, 1, B(9, 3), 1, "x", 0);
	assert_int_equal(role(c), PAXOS_FOLLOWER);
	assert_int_equal(core_of(c, 1)->leader, 3);
	drop(c, ANY, ANY, ANY);
	advance(c, 1000 * MS);
	assert_int_equal(queued(c, PAXOS_COMMIT, 1, ANY), 0);
	assert_int_equal(queued(c, PAXOS_ACCEPT, 1, ANY), 0);
	cluster_free(c);
}

static void test_stale_reject(void **state)
{
	struct cluster *c = candidate(3);
	struct paxos_message m;

	m = message_make(c, PAXOS_REJECT, 2, 1, ballot(c));
	m.reject.promised = B(4, 3);
	m.reject.held = 1;
	assert_int_equal(campaign(c, 1), 0);
	assert_drop(PAXOS_DROP_STALE, inject(c, &m));
	assert_int_equal(role(c), PAXOS_CANDIDATE);
	cluster_free(c);
}

/*
 * Member 4 accepted v in 1.4 and no more; it was chosen in 3.3, and 4 was told.
 * Meanwhile 2 had voted for w, in a ballot between.
 */
static void test_found_over_chosen(void **state)
{
	struct cluster *c = late_candidate(5);
	struct paxos_item v = item_make(2, B(1, 4), 4, 1, "v");
	struct paxos_item w = item_make(2, B(2, 2), 2, 1, "w");
	struct paxos_item u = item_make(1, B(3, 3), 4, 2, "u");

	assert_drop(PAXOS_DROP_NONE, say_chosen(c, 4, 1, 1, &v, 1));
	assert_int_equal(role(c), PAXOS_CANDIDATE);
	say_promise(c, 2, 1, ballot(c), 1, &w, 1);
	say_promise(c, 3, 1, ballot(c), 1, NULL, 0);
	assert_int_equal(role(c), PAXOS_LEADER);
	assert_drop(PAXOS_DROP_NONE, say_chosen(c, 3, 1, 1, &u, 1));
	assert_true(decided(c, 1, 1, "u"));
	assert_true(decided(c, 1, 2, "v"));
	cluster_free(c);
}

/* The same with the Promise first: what is found gives way as well. */
static void test_chosen_over_found(void **state)
{
	struct cluster *c = late_candidate(5);
	struct paxos_item v = item_make(2, B(1, 4), 4, 1, "v");
	struct paxos_item w = item_make(2, B(2, 2), 2, 1, "w");
	struct paxos_item u = item_make(1, B(3, 3), 4, 2, "u");

	say_promise(c, 2, 1, ballot(c), 1, &w, 1);
	assert_drop(PAXOS_DROP_NONE, say_chosen(c, 4, 1, 1, &v, 1));
	say_promise(c, 3, 1, ballot(c), 1, NULL, 0);
	assert_int_equal(role(c), PAXOS_LEADER);
	assert_drop(PAXOS_DROP_NONE, say_chosen(c, 3, 1, 1, &u, 1));
	assert_true(decided(c, 1, 2, "v"));
	cluster_free(c);
}

/*
 * v was chosen in 3.3, which this leader of 3.1 never heard of; who shows it
 * accepted it in 1.4 already. A follower that voted for w in 3.1 must not be
 * told that its value is the chosen one.
 */
static void test_contradicted(void **state)
{
	struct cluster *c = late_candidate(7);
	struct paxos_item v = item_make(1, B(1, 4), 4, 1, "v");

	say_promise(c, 2, 1, ballot(c), 1, NULL, 0);
	say_promise(c, 5, 1, ballot(c), 1, NULL, 0);
	say_promise(c, 6, 1, ballot(c), 1, NULL, 0);
	assert_int_equal(role(c), PAXOS_LEADER);
	propose(c, 1, "w");
	drop(c, ANY, ANY, ANY);
	assert_drop(PAXOS_DROP_NONE, say_chosen(c, 4, 1, 1, &v, 1));
	assert_true(decided(c, 1, 1, "v"));
	assert_int_equal(role(c), PAXOS_FOLLOWER);
	advance(c, 500 * MS);
	assert_int_equal(queued(c, PAXOS_COMMIT, 1, ANY), 0);
	assert_int_equal(queued(c, PAXOS_ACCEPT, 1, ANY), 0);
	cluster_free(c);
}

/* Of what it proposed itself a leader may be told; it leads on. */
static void test_confirmed(void **state)
{
	struct cluster *c = late_candidate(5);
	struct paxos_item v = item_make(1, B(1, 4), 4, 1, "v");

	say_promise(c, 4, 1, ballot(c), 1, &v, 1);
	say_promise(c, 2, 1, ballot(c), 1, NULL, 0);
	assert_int_equal(role(c), PAXOS_LEADER);
	assert_drop(PAXOS_DROP_NONE, say_chosen(c, 4, 1, 1, &v, 1));
	assert_true(decided(c, 1, 1, "v"));
	assert_int_equal(role(c), PAXOS_LEADER);
	cluster_free(c);
}

static void test_campaign_refused(void **state)
{
	struct cluster *c = cluster_make(3);

	assert_int_equal(paxos_config_init(&c->config, 1, 6, 1, 0, 0), 0);
	host_boot(c, 1);
	host_boot(c, 2);
	assert_int_equal(campaign(c, 1), -EUNATCH);
	host_start(c, 1);
	host_start(c, 2);
	assert_int_equal(campaign(c, 1), -EPERM);
	assert_int_equal(campaign(c, 2), 0);
	say_promise(c, 3, 2, core_of(c, 2)->ballot, 1, NULL, 0);
	assert_int_equal(core_of(c, 2)->role, PAXOS_LEADER);
	assert_int_equal(campaign(c, 2), -EALREADY);
	say_commit(c, 3, 2, B(PAXOS_ROUND_MAX, 3), 0);
	assert_int_equal(core_of(c, 2)->role, PAXOS_FOLLOWER);
	assert_int_equal(campaign(c, 2), -EOVERFLOW);
	cluster_free(c);
}

static void test_alone(void **state)
{
	struct cluster *c = cluster_of(1);

	elect(c, 1);
	propose(c, 1, "x");
	assert_true(decided(c, 1, 1, "x"));
	assert_outcome(PAXOS_OUTCOME_CHOSEN, c, 1, "x");
	assert_int_equal(c->sent[PAXOS_PREPARE], 0);
	cluster_free(c);
}

static void test_commit_in_order(void **state)
{
	struct cluster *c = candidate(3);

	say_promise(c, 2, 1, ballot(c), 1, NULL, 0);
	propose(c, 1, "x");
	propose(c, 1, "y");
	propose(c, 1, "z");
	say_accepted(c, 3, 1, ballot(c), 3, 1);
	say_accepted(c, 3, 1, ballot(c), 2, 1);
	assert_int_equal(c->hosts[1]->delivered, 0);
	say_accepted(c, 2, 1, ballot(c), 1, 1);
	assert_int_equal(c->hosts[1]->delivered, 3);
	cluster_free(c);
}

static void test_pipeline(void **state)
{
	struct cluster *c = cluster_of(3);
	static const char *const texts[] = { "a", "b", "c", "d", "e", "f",
					     "g", "h", "i", "j", "k", "l" };
	u32 i;

	elect(c, 1);
	for (i = 0; i < 12; i++)
		assert_int_equal(propose(c, 1, texts[i]), 0);
	/* Idle: at once, one a datagram; then they wait to be a batch. */
	assert_int_equal(queued(c, PAXOS_ACCEPT, 1, 2), PAXOS_PIPELINE);
	settle(c);
	for (i = 0; i < 12; i++)
		assert_true(decided(c, 1, 1 + i, texts[i]));
	assert_true(c->sent[PAXOS_ACCEPT] < 2 * 12);
	cluster_free(c);
}

static void test_window(void **state)
{
	struct cluster *c = candidate(3);
	static char texts[64][16];
	u32 i;

	say_promise(c, 2, 1, ballot(c), 1, NULL, 0);
	for (i = 0; i < 40; i++) {
		snprintf(texts[i], sizeof(texts[i]), "v%u", i);
		assert_int_equal(propose(c, 1, texts[i]), 0);
		assert_true(core_of(c, 1)->log.last <= c->settings.window);
	}
	assert_int_equal(core_of(c, 1)->log.last, c->settings.window);
	/* Room comes with the first that is chosen; nothing was lost. */
	for (i = 1; i <= 40; i++)
		say_accepted(c, 2, 1, ballot(c), i, 1);
	assert_int_equal(c->hosts[1]->delivered, 40);
	for (i = 0; i < 40; i++)
		assert_true(decided(c, 1, 1 + i, texts[i]));
	cluster_free(c);
}

static void test_lost_accept(void **state)
{
	struct cluster *c = cluster_of(3);

	elect(c, 1);
	host_crash(c, 3);
	propose(c, 1, "x");
	assert_true(drop(c, PAXOS_ACCEPT, 1, 2) > 0);
	run(c, 1000 * MS);
	assert_true(decided(c, 1, 1, "x"));
	cluster_free(c);
}

static void test_lost_accept_between(void **state)
{
	struct cluster *c = cluster_of(3);
	struct datagram *first;
	u32 i;

	elect(c, 1);
	run(c, 200 * MS);
	host_crash(c, 3);
	propose(c, 1, "x");
	propose(c, 1, "y");
	first = take(c, PAXOS_ACCEPT, 1, 2);
	free(first->bytes);
	free(first);
	settle(c);
	assert_int_equal(core_of(c, 1)->commit, 0);
	/* The vote for the later slot is no answer for the earlier one. */
	for (i = 0; i < 20; i++)
		run(c, 100 * MS);
	assert_true(decided(c, 1, 2, "y"));
	cluster_free(c);
}

static void test_lost_accepted(void **state)
{
	struct cluster *c = cluster_of(3);

	elect(c, 1);
	host_crash(c, 3);
	propose(c, 1, "x");
	deliver(c, PAXOS_ACCEPT, 1, 2);
	assert_true(drop(c, PAXOS_ACCEPTED, 2, 1) > 0);
	run(c, 1000 * MS);
	assert_true(decided(c, 1, 1, "x"));
	assert_int_equal(times_decided(c, "x"), 1);
	cluster_free(c);
}

static void test_lost_prepare(void **state)
{
	struct cluster *c = cluster_of(3);

	campaign(c, 1);
	drop(c, ANY, ANY, ANY);
	run(c, 1000 * MS);
	assert_int_equal(role(c), PAXOS_LEADER);
	cluster_free(c);
}

static void test_backoff(void **state)
{
	struct cluster *c = cluster_of(3);
	u64 sent;

	elect(c, 1);
	run(c, 500 * MS);
	propose(c, 1, "x");
	host_crash(c, 2);
	host_crash(c, 3);
	drop(c, ANY, ANY, ANY);
	sent = c->sent[PAXOS_ACCEPT];
	run(c, 60000 * MS);
	/* Twice the time each time, up to 2 s: 30 and a few, to each. */
	assert_true(c->sent[PAXOS_ACCEPT] - sent >= 2 * 25);
	assert_true(c->sent[PAXOS_ACCEPT] - sent <= 2 * 45);
	cluster_free(c);
}

static void test_heartbeat(void **state)
{
	struct cluster *c = cluster_of(3);
	u64 sent;

	elect(c, 1);
	run(c, 1000 * MS);
	sent = c->sent[PAXOS_COMMIT];
	run(c, 1000 * MS);
	assert_in_range(c->sent[PAXOS_COMMIT] - sent, 2 * 9, 2 * 11);
	assert_int_equal(core_of(c, 2)->leader, 1);
	assert_int_equal(core_of(c, 3)->leader, 1);
	cluster_free(c);
}

static void test_quorum_lost(void **state)
{
	struct cluster *c = cluster_of(5);

	elect(c, 1);
	run(c, 1500 * MS);
	assert_false(happened(c, 1, PAXOS_EVENT_QUORUM_LOST));
	host_crash(c, 2);
	host_crash(c, 3);
	run(c, 3000 * MS);
	assert_false(happened(c, 1, PAXOS_EVENT_QUORUM_LOST));
	host_crash(c, 4);
	run(c, 3000 * MS);
	assert_true(happened(c, 1, PAXOS_EVENT_QUORUM_LOST));
	assert_int_equal(propose(c, 1, "x"), -ENOLINK);
	assert_int_equal(paxos_quorum_weight(&c->config,
			 paxos_core_up(core_of(c, 1), c->now)), 2);
	host_restart(c, 4);
	run(c, 3000 * MS);
	assert_true(happened(c, 1, PAXOS_EVENT_QUORUM_REGAINED));
	assert_int_equal(propose(c, 1, "x"), 0);
	run(c, 100 * MS);
	assert_outcome(PAXOS_OUTCOME_CHOSEN, c, 1, "x");
	cluster_free(c);
}

static void test_promise_nomem(void **state)
{
	struct cluster *c = candidate(3);
	struct paxos_item items[3];
	u64 i;

	host_crash(c, 1);
	drop(c, ANY, ANY, ANY);
	host_restart(c, 1);
	say_commit(c, 2, 1, B(8, 2), 0);
	campaign(c, 1);
	for (i = 0; i < 3; i++)
		items[i] = item_make(1 + i, B(2, 3), 3, 1 + i, "found");
	c->hosts[1]->pass_allocs = 2;
	c->hosts[1]->fail_allocs = 1;
	assert_drop(PAXOS_DROP_NOMEM,
		    say_promise(c, 3, 1, ballot(c), 1, items, 3));
	assert_int_equal(role(c), PAXOS_CANDIDATE);
	assert_int_equal(c->hosts[1]->values, 0);
	/* It was asked again, and answers. */
	say_promise(c, 3, 1, ballot(c), 1, items, 3);
	assert_int_equal(role(c), PAXOS_LEADER);
	cluster_free(c);
}

static void test_promise_wrong_page(void **state)
{
	struct cluster *c = candidate(3);
	struct paxos_message m;

	m = message_make(c, PAXOS_PROMISE, 2, 1, ballot(c));
	m.promise.first = 5;	/* the last page of another question */
	m.promise.held = 1;
	assert_drop(PAXOS_DROP_STALE, inject(c, &m));
	assert_int_equal(role(c), PAXOS_CANDIDATE);
	/* Not complete before the last page. */
	m.promise.first = 1;
	m.promise.next = 5;
	assert_drop(PAXOS_DROP_NONE, inject(c, &m));
	assert_int_equal(role(c), PAXOS_CANDIDATE);
	peek_message(c, PAXOS_PREPARE, 1, 2, &m);
	assert_int_equal(m.prepare.first, 5);
	/* The first page again does not start over. */
	assert_int_equal(queued(c, PAXOS_PREPARE, 1, 2), 1);
	say_promise(c, 2, 1, ballot(c), 5, NULL, 0);
	assert_int_equal(role(c), PAXOS_LEADER);
	cluster_free(c);
}

static void test_candidate_behind(void **state)
{
	u64 held;

	/* The promise cannot show what its maker has trimmed. */
	for (held = 1; held <= 200; held += held == 2 ? 98 : 1) {
		struct cluster *c = candidate(3);
		struct paxos_message m;

		m = message_make(c, PAXOS_PROMISE, 2, 1, ballot(c));
		m.promise.first = 1;
		m.promise.held = held;
		m.commit = held - 1;
		inject(c, &m);
		assert_int_equal(role(c), held == 1 ? PAXOS_LEADER :
						      PAXOS_FOLLOWER);
		assert_int_equal(happened(c, 1, PAXOS_EVENT_BEHIND), held > 1);
		cluster_free(c);
	}
}

static void test_flexible(void **state)
{
	struct cluster *c = cluster_make(5);

	c->wiped = true;
	assert_int_equal(paxos_config_init(&c->config, 1, 31, 0, 4, 2), 0);
	host_boot(c, 1);
	host_start(c, 1);
	campaign(c, 1);
	say_promise(c, 2, 1, ballot(c), 1, NULL, 0);
	say_promise(c, 3, 1, ballot(c), 1, NULL, 0);
	assert_int_equal(role(c), PAXOS_CANDIDATE);
	say_promise(c, 4, 1, ballot(c), 1, NULL, 0);
	assert_int_equal(role(c), PAXOS_LEADER);
	propose(c, 1, "x");
	assert_int_equal(core_of(c, 1)->commit, 0);
	say_accepted(c, 5, 1, ballot(c), 1, 1);
	assert_int_equal(core_of(c, 1)->commit, 1);
	cluster_free(c);
}

/* Two values of every size: a batch of both must still fit. */
static void test_batch_size(void **state)
{
	static char text[PAXOS_PAYLOAD_DEFAULT];
	u32 len;

	memset(text, 'v', sizeof(text));
	for (len = 0; len < 800; len += 3) {
		struct cluster *c = cluster_of(3);
		u32 i;

		elect(c, 1);
		for (i = 0; i < 8; i++)
			propose_until(c, 1, text, len, c->now + 1000 * MS,
				      NULL);
		settle(c);	/* op_send() checks the size */
		assert_int_equal(c->hosts[1]->delivered, 8);
		cluster_free(c);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST("2.2: a quorum of promises makes a leader, fewer do not",
		     test_quorum),
		TEST("pitfall: duplicates counted as votes: a repeated Promise is one",
		     test_duplicate_promise),
		TEST("pitfall, MyPaxos #18: a stale Promise is not counted",
		     test_stale_promise),
		TEST("pitfall, MyPaxos #18: a stale Accepted is not counted",
		     test_stale_accepted),
		TEST("pitfall: duplicates counted as votes: a repeated Accepted is one",
		     test_duplicate_accepted),
		TEST("a learner's Promise and Accepted count for nothing",
		     test_vote_of_learner),
		TEST("a vote counts for the slot that it names",
		     test_vote_for_other_slot),
		TEST("P2c: the value of the highest ballot in the promises is proposed",
		     test_highest_value),
		TEST("P2c: what the candidate itself accepted counts, too",
		     test_own_value_counts),
		TEST("pitfall: holes that nobody fills: no-ops go into the gaps",
		     test_noop),
		TEST("pitfall, Kernel_Paxos: a new ballot is above all that was seen",
		     test_above_all_seen),
		TEST("a leader that hears a higher ballot is none any more",
		     test_steps_down),
		TEST("a Reject of an older ballot is stale",
		     test_stale_reject),
		TEST("law 1: what is known to be chosen is proposed, whatever is found",
		     test_found_over_chosen),
		TEST("law 1: so it is where it is learnt after that was found",
		     test_chosen_over_found),
		TEST("law 1: a leader that learns another value than its own is over",
		     test_contradicted),
		TEST("a leader that learns its own value leads on",
		     test_confirmed),
		TEST("a campaign is refused by name", test_campaign_refused),
		TEST("a group of one decides alone", test_alone),
		TEST("slots are delivered in their order, chosen in any",
		     test_commit_in_order),
		TEST("one at once when idle, batches when there is more",
		     test_pipeline),
		TEST("no more than the window is undecided, and nothing is lost",
		     test_window),
		TEST("a lost Accept is sent again", test_lost_accept),
		TEST("a lost Accept is sent again, though a later one arrived",
		     test_lost_accept_between),
		TEST("a lost Accepted is asked for again",
		     test_lost_accepted),
		TEST("a lost Prepare is sent again", test_lost_prepare),
		TEST("time-outs double, up to a limit", test_backoff),
		TEST("an idle leader says so", test_heartbeat),
		TEST("pitfall, Consul #3552: a leader without quorum says so and takes nothing",
		     test_quorum_lost),
		TEST("law 4: no memory for a Promise: it is not counted",
		     test_promise_nomem),
		TEST("a Promise counts with its last page, page by page",
		     test_promise_wrong_page),
		TEST("a candidate that others have trimmed past does not lead",
		     test_candidate_behind),
		TEST("Flexible Paxos: q1 promises, q2 votes", test_flexible),
		TEST("a batch fits the payload, whatever its values",
		     test_batch_size),
	};

	return RUN_TESTS(tests);
}
