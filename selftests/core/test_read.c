// SPDX-License-Identifier: GPL-2.0
/* Linearizable reads that write nothing. */
#include <linux/errno.h>
#include "unit.h"

static struct cluster *led(u32 n)
{
	struct cluster *c = cluster_of(n);

	elect(c, 1);
	run(c, 10 * MS);
	return c;
}

static int read_for(struct cluster *c, u8 id, const char *cookie, u64 us)
{
	return read_until(c, id, c->now + us, (void *)cookie);
}

static void test_sees_chosen(void **state)
{
	struct cluster *c = led(3);

	/* Chosen by 1 and 2; 3 was told nothing, and reads. */
	propose(c, 1, "x");
	drop(c, ANY, 1, 3);
	settle(c);
	assert_true(decided(c, 1, 1, "x"));
	assert_int_equal(c->hosts[3]->delivered, 0);
	assert_int_equal(read_for(c, 3, "r", 2000 * MS), 0);
	assert_null(ended(c, 3, "r"));
	run(c, 2000 * MS);
	assert_outcome(PAXOS_OUTCOME_CHOSEN, c, 3, "r");
	assert_true(ended(c, 3, "r")->slot >= 1);
	assert_true(decided(c, 3, 1, "x"));
	cluster_free(c);
}

static void test_writes_nothing(void **state)
{
	struct cluster *c = led(3);
	u64 lsn[4];
	u8 id;

	propose(c, 1, "x");
	run(c, 500 * MS);
	for (id = 1; id <= 3; id++)
		lsn[id] = core_of(c, id)->lsn;
	for (id = 1; id <= 3; id++)
		read_for(c, id, "r", 1000 * MS);
	run(c, 1000 * MS);
	for (id = 1; id <= 3; id++) {
		assert_outcome(PAXOS_OUTCOME_CHOSEN, c, id, "r");
		assert_int_equal(core_of(c, id)->lsn, lsn[id]);
	}
	cluster_free(c);
}

static void test_minority(void **state)
{
	struct cluster *c = led(5);

	/* 1 and 2 are cut off with the old leader; the rest goes on. */
	host_crash(c, 3);
	host_crash(c, 4);
	host_crash(c, 5);
	read_for(c, 1, "r", 500 * MS);
	run(c, 1000 * MS);
	assert_outcome(PAXOS_OUTCOME_NOT_CHOSEN, c, 1, "r");
	cluster_free(c);
}

static void test_old_leader(void **state)
{
	struct cluster *c = led(3);

	/* 1 believes that it leads, 3 does, and has decided. */
	campaign(c, 3);
	drop(c, ANY, 3, 1);
	deliver(c, PAXOS_PREPARE, 3, 2);
	deliver(c, PAXOS_PROMISE, 2, 3);
	assert_int_equal(core_of(c, 3)->role, PAXOS_LEADER);
	drop(c, ANY, ANY, 1);
	propose(c, 3, "new");
	drop(c, ANY, ANY, 1);
	deliver(c, PAXOS_ACCEPT, 3, 2);
	deliver(c, PAXOS_ACCEPTED, 2, 3);
	assert_true(decided(c, 3, 1, "new"));
	assert_int_equal(core_of(c, 1)->role, PAXOS_LEADER);
	drop(c, ANY, ANY, ANY);
	read_for(c, 1, "r", 3000 * MS);
	assert_null(ended(c, 1, "r"));
	deliver(c, PAXOS_READ, 1, 2);
	deliver(c, PAXOS_READ_REPLY, 2, 1);
	/* Member 2 named slot 1: no answer before that is here. */
	assert_null(ended(c, 1, "r"));
	run(c, 3000 * MS);
	if (ended(c, 1, "r")->outcome == PAXOS_OUTCOME_CHOSEN)
		assert_true(decided(c, 1, 1, "new"));
	cluster_free(c);
}

static void test_stale_reply(void **state)
{
	struct cluster *c = led(3);
	struct datagram *reply;
	u32 id;

	/* 3 asks, and crashes; the answers stay under way. */
	read_for(c, 3, "before", 1000 * MS);
	deliver(c, PAXOS_READ, 3, ANY);
	assert_int_equal(queued(c, PAXOS_READ_REPLY, ANY, 3), 2);
	host_crash(c, 3);
	propose(c, 1, "x");
	deliver(c, PAXOS_ACCEPT, 1, 2);
	deliver(c, PAXOS_ACCEPTED, 2, 1);
	assert_true(decided(c, 1, 1, "x"));
	host_restart(c, 3);
	assert_int_equal(c->hosts[3]->delivered, 0);
	read_for(c, 3, "after", 10000 * MS);
	for (id = 1; id <= 2; id++) {
		reply = take(c, PAXOS_READ_REPLY, id, 3);
		put(c, reply);
		deliver_one(c, PAXOS_READ_REPLY, id, 3);
	}
	/* They were given before "x" was chosen, so answer nothing now. */
	assert_null(ended(c, 3, "after"));
	run(c, 3000 * MS);
	assert_outcome(PAXOS_OUTCOME_CHOSEN, c, 3, "after");
	assert_true(decided(c, 3, 1, "x"));
	cluster_free(c);
}

static void test_duplicate_reply(void **state)
{
	struct cluster *c = led(5);
	u32 i;

	read_for(c, 5, "r", 1000 * MS);
	deliver(c, PAXOS_READ, 5, 2);
	for (i = 0; i < 4; i++)
		repeat(c, PAXOS_READ_REPLY, 2, 5);
	assert_null(ended(c, 5, "r"));
	deliver(c, PAXOS_READ, 5, 3);
	deliver(c, PAXOS_READ_REPLY, 3, 5);
	assert_outcome(PAXOS_OUTCOME_CHOSEN, c, 5, "r");
	cluster_free(c);
}

static void test_flexible(void **state)
{
	struct cluster *c = cluster_make(5);
	u8 id;

	/* q2 = 2: a read has to ask 4, or it could miss both votes. */
	assert_int_equal(paxos_config_init(&c->config, 1, 31, 0, 4, 2), 0);
	for (id = 1; id <= 5; id++) {
		host_boot(c, id);
		host_start(c, id);
	}
	elect(c, 1);
	read_for(c, 5, "r", 1000 * MS);
	for (id = 2; id <= 3; id++) {
		deliver(c, PAXOS_READ, 5, id);
		deliver(c, PAXOS_READ_REPLY, id, 5);
	}
	assert_null(ended(c, 5, "r"));
	deliver(c, PAXOS_READ, 5, 4);
	deliver(c, PAXOS_READ_REPLY, 4, 5);
	assert_outcome(PAXOS_OUTCOME_CHOSEN, c, 5, "r");
	cluster_free(c);
}

static void test_undecided(void **state)
{
	struct cluster *c = led(3);

	/* A vote that nobody counted: the reader has it decided. */
	propose(c, 1, "x");
	deliver(c, PAXOS_ACCEPT, 1, 2);
	drop(c, ANY, ANY, ANY);
	host_crash(c, 1);
	read_for(c, 3, "r", 20000 * MS);
	settle(c);
	assert_null(ended(c, 3, "r"));
	elect(c, 3);
	run(c, 5000 * MS);
	assert_outcome(PAXOS_OUTCOME_CHOSEN, c, 3, "r");
	cluster_free(c);
}

static void test_vote_elsewhere(void **state)
{
	struct cluster *c = led(3);

	/* 2 voted for slot 2 under 1; 3 leads with the promises of 1 and 3,
	 * which have no slot 2; 2 reads and names it.
	 */
	propose(c, 1, "x");
	settle(c);
	propose(c, 1, "y");
	deliver(c, PAXOS_ACCEPT, 1, 2);
	drop(c, ANY, ANY, ANY);
	host_crash(c, 1);
	/* The leader's own vote is lost with its disk's last record. */
	c->wiped = true;
	campaign(c, 3);
	drop(c, ANY, 3, 2);
	say_promise(c, 1, 3, core_of(c, 3)->ballot, 1, NULL, 0);
	run(c, 100 * MS);
	read_for(c, 2, "r", 10000 * MS);
	run(c, 10000 * MS);
	assert_outcome(PAXOS_OUTCOME_CHOSEN, c, 2, "r");
	cluster_free(c);
}

static void test_lost(void **state)
{
	struct cluster *c = led(3);

	read_for(c, 2, "r", 3000 * MS);
	assert_true(drop(c, PAXOS_READ, 2, ANY) > 0);
	run(c, 1000 * MS);
	assert_outcome(PAXOS_OUTCOME_CHOSEN, c, 2, "r");
	read_for(c, 2, "s", 3000 * MS);
	deliver(c, PAXOS_READ, 2, ANY);
	assert_true(drop(c, PAXOS_READ_REPLY, ANY, 2) > 0);
	run(c, 1000 * MS);
	assert_outcome(PAXOS_OUTCOME_CHOSEN, c, 2, "s");
	cluster_free(c);
}

static void test_limits(void **state)
{
	struct cluster *c = cluster_make(3);
	static char cookies[PAXOS_READS_MAX + 1];
	u32 i;
	bool sent;

	host_boot(c, 1);
	assert_int_equal(read_until(c, 1, c->now + MS, NULL), -EUNATCH);
	host_start(c, 1);
	for (i = 0; i < PAXOS_READS_MAX; i++)
		assert_int_equal(read_until(c, 1, c->now + 1000 * MS,
					    &cookies[i]), 0);
	assert_int_equal(read_until(c, 1, c->now + 1000 * MS, &cookies[i]),
			 -EAGAIN);
	assert_true(paxos_core_cancel(core_of(c, 1), &cookies[5], &sent));
	assert_false(sent);
	assert_int_equal(read_until(c, 1, c->now + 1000 * MS, &cookies[i]), 0);
	advance(c, 1000 * MS);
	for (i = 0; i <= PAXOS_READS_MAX; i++)
		assert_int_equal(times_ended(c, 1, &cookies[i]), i != 5);
	cluster_free(c);
}

static void test_alone(void **state)
{
	struct cluster *c = cluster_of(1);

	elect(c, 1);
	propose(c, 1, "x");
	assert_int_equal(read_for(c, 1, "r", 1000 * MS), 0);
	assert_outcome(PAXOS_OUTCOME_CHOSEN, c, 1, "r");
	assert_int_equal(ended(c, 1, "r")->slot, 1);
	cluster_free(c);
}

static void test_learner(void **state)
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
	settle(c);
	assert_int_equal(read_for(c, 4, "r", 3000 * MS), 0);
	/* Its own answer weighs nothing. */
	deliver(c, PAXOS_READ, 4, 2);
	deliver(c, PAXOS_READ_REPLY, 2, 4);
	assert_null(ended(c, 4, "r"));
	run(c, 3000 * MS);
	assert_outcome(PAXOS_OUTCOME_CHOSEN, c, 4, "r");
	assert_true(decided(c, 4, 1, "x"));
	/* And nobody is answered by it. */
	read_for(c, 2, "s", 1000 * MS);
	assert_int_equal(queued(c, PAXOS_READ, 2, 4), 0);
	cluster_free(c);
}

static void test_liar(void **state)
{
	struct cluster *c = led(3);
	struct paxos_message m = message_make(c, PAXOS_READ_REPLY, 2, 1,
					      core_of(c, 1)->ballot);

	read_for(c, 1, "r", 1000 * MS);
	m.read.incarnation = core_of(c, 1)->incarnation;
	m.read.id = 1;
	m.read.slot = ~0ULL;
	inject(c, &m);
	assert_null(ended(c, 1, "r"));
	drop(c, ANY, ANY, ANY);
	advance(c, 900 * MS);
	assert_int_equal(core_of(c, 1)->next_slot, 1);
	cluster_free(c);
}

static void test_stop(void **state)
{
	struct cluster *c = led(3);

	read_for(c, 2, "r", 1000 * MS);
	paxos_core_stop(core_of(c, 2), c->now);
	assert_outcome(PAXOS_OUTCOME_NOT_CHOSEN, c, 2, "r");
	assert_int_equal(times_ended(c, 2, "r"), 1);
	cluster_free(c);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST("a read at any member sees all that was chosen before",
		     test_sees_chosen),
		TEST("a read writes nothing", test_writes_nothing),
		TEST("a minority answers no read", test_minority),
		TEST("pitfall, Consul, etcd #20418: a leader that was replaced reads nothing old",
		     test_old_leader),
		TEST("pitfall, DISC 2017: an answer from before a crash is not counted",
		     test_stale_reply),
		TEST("pitfall: duplicates: an answer that comes twice is one",
		     test_duplicate_reply),
		TEST("a Read quorum is a Prepare quorum", test_flexible),
		TEST("a read waits for what may have been chosen",
		     test_undecided),
		TEST("a slot that only a lost vote names is filled for the reader",
		     test_vote_elsewhere),
		TEST("lost Reads and answers are made good", test_lost),
		TEST("as many reads as there are places, each ends once",
		     test_limits),
		TEST("a group of one reads alone", test_alone),
		TEST("a learner reads, and is not asked", test_learner),
		TEST("an answer that names what cannot be fills no log",
		     test_liar),
		TEST("stopping ends every read", test_stop),
	};

	return RUN_TESTS(tests);
}
