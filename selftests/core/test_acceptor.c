// SPDX-License-Identifier: GPL-2.0
/* Member 1 of three is real; the test speaks for 2 and 3. */
#include "unit.h"

static struct cluster *acceptor(void)
{
	struct cluster *c = cluster_make(3);

	host_boot(c, 1);
	host_start(c, 1);
	return c;
}

static struct paxos_message answer(struct cluster *c, u8 type, u8 to)
{
	struct paxos_message m;

	peek_message(c, type, 1, to, &m);
	return m;
}

static void test_promise(void **state)
{
	struct cluster *c = acceptor();
	struct paxos_message m;

	assert_drop(PAXOS_DROP_NONE, say_prepare(c, 2, 1, B(1, 2), 1));
	m = answer(c, PAXOS_PROMISE, 2);
	assert_int_equal(m.ballot, B(1, 2));
	assert_int_equal(m.count, 0);
	assert_int_equal(m.promise.next, 0);
	assert_int_equal(core_of(c, 1)->promised, B(1, 2));
	cluster_free(c);
}

static void test_lower_prepare(void **state)
{
	struct cluster *c = acceptor();
	struct paxos_message m;

	say_prepare(c, 3, 1, B(2, 3), 1);
	drop(c, ANY, ANY, ANY);
	say_prepare(c, 2, 1, B(2, 2), 1);
	assert_int_equal(queued(c, PAXOS_PROMISE, 1, ANY), 0);
	m = answer(c, PAXOS_REJECT, 2);
	assert_int_equal(m.reject.promised, B(2, 3));
	assert_int_equal(m.ballot, B(2, 2));
	assert_int_equal(core_of(c, 1)->promised, B(2, 3));
	cluster_free(c);
}

static void test_lower_accept(void **state)
{
	struct cluster *c = acceptor();
	struct paxos_message m;

	say_prepare(c, 3, 1, B(2, 3), 1);
	drop(c, ANY, ANY, ANY);
	say_accept(c, 2, 1, B(1, 2), 1, "late", 0);
	assert_int_equal(queued(c, PAXOS_ACCEPTED, 1, ANY), 0);
	m = answer(c, PAXOS_REJECT, 2);
	assert_int_equal(m.reject.promised, B(2, 3));
	assert_int_equal(core_of(c, 1)->log.last, 0);
	assert_null(disk_find(c, 1, PAXOS_RECORD_ACCEPT, 1, 0));
	cluster_free(c);
}

static void test_accept(void **state)
{
	struct cluster *c = acceptor();
	struct paxos_message m;
	struct paxos_range range;

	say_prepare(c, 2, 1, B(1, 2), 1);
	say_accept(c, 2, 1, B(1, 2), 1, "value", 0);
	m = answer(c, PAXOS_ACCEPTED, 2);
	assert_int_equal(m.ballot, B(1, 2));
	assert_int_equal(m.count, 1);
	paxos_wire_range(m.body, &range);
	assert_int_equal(range.first, 1);
	assert_int_equal(range.count, 1);
	cluster_free(c);
}

static void test_accept_unasked(void **state)
{
	struct cluster *c = acceptor();

	/* P1a: "iff it has not responded to a prepare numbered greater". */
	assert_drop(PAXOS_DROP_NONE,
		    say_accept(c, 2, 1, B(5, 2), 3, "value", 0));
	assert_int_equal(queued(c, PAXOS_ACCEPTED, 1, 2), 1);
	cluster_free(c);
}

static void test_accept_raises(void **state)
{
	struct cluster *c = acceptor();
	struct paxos_message m;

	say_accept(c, 3, 1, B(5, 3), 1, "value", 0);
	drop(c, ANY, ANY, ANY);
	say_prepare(c, 2, 1, B(4, 2), 1);
	assert_int_equal(queued(c, PAXOS_PROMISE, 1, ANY), 0);
	m = answer(c, PAXOS_REJECT, 2);
	assert_int_equal(m.reject.promised, B(5, 3));
	cluster_free(c);
}

static void test_accept_raises_durably(void **state)
{
	struct cluster *c = acceptor();

	say_accept(c, 3, 1, B(5, 3), 1, "value", 0);
	drop(c, ANY, ANY, ANY);
	host_crash(c, 1);
	host_restart(c, 1);
	say_prepare(c, 2, 1, B(4, 2), 1);
	assert_int_equal(queued(c, PAXOS_PROMISE, 1, ANY), 0);
	assert_int_equal(queued(c, PAXOS_REJECT, 1, 2), 1);
	cluster_free(c);
}

static void test_two_variables(void **state)
{
	struct cluster *c = acceptor();
	struct paxos_message m;
	struct paxos_item item;
	int life;

	/* Accepted in 1.2, promised 7.3: a Promise names 1.2, not 7.3. */
	say_accept(c, 2, 1, B(1, 2), 1, "old", 0);
	say_prepare(c, 3, 1, B(7, 3), 1);
	for (life = 0; life < 2; life++) {
		drop(c, ANY, ANY, ANY);
		assert_int_equal(core_of(c, 1)->promised, B(7, 3));
		say_prepare(c, 2, 1, B(6, 2), 1);
		assert_int_equal(queued(c, PAXOS_REJECT, 1, 2), 1);
		say_prepare(c, 3, 1, B(7, 3), 1);
		m = answer(c, PAXOS_PROMISE, 3);
		assert_int_equal(m.count, 1);
		paxos_wire_item(m.body, &item);
		assert_int_equal(item.ballot, B(1, 2));
		assert_int_equal(item.slot, 1);
		assert_memory_equal(item.bytes, "old", 3);
		host_crash(c, 1);
		host_restart(c, 1);
	}
	cluster_free(c);
}

static void test_highest_accepted(void **state)
{
	struct cluster *c = acceptor();
	struct paxos_message m;
	struct paxos_item item;

	say_accept(c, 2, 1, B(1, 2), 1, "first", 0);
	say_accept(c, 3, 1, B(2, 3), 1, "second", 0);
	drop(c, ANY, ANY, ANY);
	say_prepare(c, 2, 1, B(3, 2), 1);
	m = answer(c, PAXOS_PROMISE, 2);
	assert_int_equal(m.count, 1);
	paxos_wire_item(m.body, &item);
	assert_int_equal(item.ballot, B(2, 3));
	assert_memory_equal(item.bytes, "second", 6);
	cluster_free(c);
}

static void test_all_slots(void **state)
{
	struct cluster *c = acceptor();
	struct paxos_message m;
	struct paxos_item item;
	const u8 *at;

	say_accept(c, 2, 1, B(1, 2), 2, "two", 0);
	say_accept(c, 2, 1, B(1, 2), 5, "five", 0);
	say_accept(c, 2, 1, B(1, 2), 9, "nine", 0);
	drop(c, ANY, ANY, ANY);
	say_prepare(c, 3, 1, B(2, 3), 3);
	m = answer(c, PAXOS_PROMISE, 3);
	assert_int_equal(m.count, 2);
	at = paxos_wire_item(m.body, &item);
	assert_int_equal(item.slot, 5);
	paxos_wire_item(at, &item);
	assert_int_equal(item.slot, 9);
	cluster_free(c);
}

static void test_pages(void **state)
{
	struct cluster *c = acceptor();
	char text[301];
	u64 slot, first = 1, next = 1;
	u32 pages = 0;

	memset(text, 'v', 300);
	text[300] = 0;
	for (slot = 1; slot <= 12; slot++)
		say_accept(c, 2, 1, B(1, 2), slot, text, 0);
	slot = 1;
	while (next) {
		struct paxos_message m;
		struct paxos_item item;
		const u8 *at;
		u32 i;

		drop(c, ANY, ANY, ANY);
		say_prepare(c, 3, 1, B(2, 3), first);
		m = answer(c, PAXOS_PROMISE, 3);
		assert_int_equal(m.promise.first, first);
		assert_true(peek(c, PAXOS_PROMISE, 1, 3)->len <=
			    PAXOS_PAYLOAD_DEFAULT);
		at = m.body;
		for (i = 0; i < m.count; i++) {
			at = paxos_wire_item(at, &item);
			assert_int_equal(item.slot, slot++);
		}
		next = m.promise.next;
		assert_true(!next || next > first);
		first = next;
		pages++;
	}
	assert_int_equal(slot, 13);
	assert_true(pages >= 3);
	cluster_free(c);
}

static void test_large_page(void **state)
{
	struct cluster *c = acceptor();
	char *text = malloc(PAXOS_VALUE_MAX + 1);
	struct paxos_message m;

	memset(text, 'v', PAXOS_VALUE_MAX);
	text[PAXOS_VALUE_MAX] = 0;
	say_accept(c, 2, 1, B(1, 2), 1, text, 0);
	say_accept(c, 2, 1, B(1, 2), 2, "small", 0);
	drop(c, ANY, ANY, ANY);
	say_prepare(c, 3, 1, B(2, 3), 1);
	m = answer(c, PAXOS_PROMISE, 3);
	assert_int_equal(m.count, 1);
	assert_int_equal(m.promise.next, 2);
	free(text);
	cluster_free(c);
}

static void test_promise_again(void **state)
{
	struct cluster *c = acceptor();
	u64 lsn;

	say_prepare(c, 2, 1, B(1, 2), 1);
	lsn = core_of(c, 1)->lsn;
	say_prepare(c, 2, 1, B(1, 2), 1);
	assert_int_equal(queued(c, PAXOS_PROMISE, 1, 2), 2);
	assert_int_equal(core_of(c, 1)->lsn, lsn);
	cluster_free(c);
}

static void test_accept_again(void **state)
{
	struct cluster *c = acceptor();
	u64 lsn;

	say_accept(c, 2, 1, B(1, 2), 1, "value", 0);
	lsn = core_of(c, 1)->lsn;
	say_accept(c, 2, 1, B(1, 2), 1, "value", 0);
	/* The first answer may be lost: it is repeated, nothing is written. */
	assert_int_equal(queued(c, PAXOS_ACCEPTED, 1, 2), 2);
	assert_int_equal(core_of(c, 1)->lsn, lsn);
	cluster_free(c);
}

static void test_one_value_a_ballot(void **state)
{
	struct cluster *c = acceptor();

	say_accept(c, 2, 1, B(1, 2), 1, "value", 0);
	drop(c, ANY, ANY, ANY);
	assert_drop(PAXOS_DROP_CONFLICT,
		    say_accept(c, 2, 1, B(1, 2), 1, "other", 0));
	assert_int_equal(queued(c, ANY, 1, ANY), 0);
	cluster_free(c);
}

static void test_owner(void **state)
{
	struct cluster *c = acceptor();

	assert_drop(PAXOS_DROP_SENDER, say_prepare(c, 2, 1, B(1, 3), 1));
	assert_drop(PAXOS_DROP_SENDER,
		    say_accept(c, 2, 1, B(1, 3), 1, "value", 0));
	assert_drop(PAXOS_DROP_SENDER, say_prepare(c, 2, 1, B(1, 1), 1));
	assert_int_equal(core_of(c, 1)->promised, 0);
	assert_int_equal(queued(c, ANY, ANY, ANY), 0);
	cluster_free(c);
}

static void test_strangers(void **state)
{
	struct cluster *c = acceptor();
	struct host *host = c->hosts[3];
	struct paxos_message m;

	/* Not a member, the member itself, another's mail, another epoch. */
	assert_drop(PAXOS_DROP_SENDER, say_prepare(c, 9, 1, B(1, 9), 1));
	assert_drop(PAXOS_DROP_SENDER, say_prepare(c, 1, 1, B(1, 1), 1));
	m = message_make(c, PAXOS_PREPARE, 2, 3, B(1, 2));
	m.prepare.first = 1;
	c->hosts[3] = c->hosts[1];	/* the network delivers it wrongly */
	assert_drop(PAXOS_DROP_ADDRESSEE, inject(c, &m));
	c->hosts[3] = host;
	m = message_make(c, PAXOS_PREPARE, 2, 1, B(1, 2));
	m.prepare.first = 1;
	m.epoch--;
	assert_drop(PAXOS_DROP_EPOCH, inject(c, &m));
	assert_int_equal(core_of(c, 1)->seen, 0);
	m.epoch += 2;
	assert_drop(PAXOS_DROP_EPOCH, inject(c, &m));
	assert_int_equal(core_of(c, 1)->promised, 0);
	assert_int_equal(queued(c, ANY, ANY, ANY), 0);
	cluster_free(c);
}

static void test_learner_is_no_acceptor(void **state)
{
	struct cluster *c = cluster_make(3);

	assert_int_equal(paxos_config_init(&c->config, 1, 6, 1, 0, 0), 0);
	host_boot(c, 1);
	host_start(c, 1);
	assert_drop(PAXOS_DROP_SENDER, say_prepare(c, 2, 1, B(1, 2), 1));
	assert_drop(PAXOS_DROP_SENDER,
		    say_accept(c, 2, 1, B(1, 2), 1, "value", 0));
	assert_int_equal(queued(c, ANY, ANY, ANY), 0);
	assert_int_equal(core_of(c, 1)->promised, 0);
	cluster_free(c);
}

static void test_window(void **state)
{
	struct cluster *c = acceptor();
	u32 size = c->settings.log_size;

	/* The slot that shares its place in the ring is refused. */
	say_accept(c, 2, 1, B(1, 2), 1, "one", 0);
	drop(c, ANY, ANY, ANY);
	assert_drop(PAXOS_DROP_WINDOW,
		    say_accept(c, 2, 1, B(1, 2), 1 + size, "far", 0));
	assert_drop(PAXOS_DROP_WINDOW,
		    say_accept(c, 2, 1, B(1, 2), 1 + 3ULL * size, "far", 0));
	assert_drop(PAXOS_DROP_WINDOW,
		    say_accept(c, 2, 1, B(1, 2), ~0ULL, "far", 0));
	assert_int_equal(queued(c, PAXOS_ACCEPTED, 1, ANY), 0);
	assert_int_equal(core_of(c, 1)->log.last, 1);
	/* And the last that fits is taken. */
	assert_drop(PAXOS_DROP_NONE,
		    say_accept(c, 2, 1, B(1, 2), size, "fits", 0));
	cluster_free(c);
}

static void test_late_prepare(void **state)
{
	struct cluster *c = acceptor();
	struct paxos_message m;
	u32 size = c->settings.log_size, i;
	u64 slot;

	c->wiped = true;	/* the other votes are on no disk here */
	for (slot = 1; slot <= 3 * size; slot++) {
		say_accept(c, 2, 1, B(1, 2), slot, "value", slot - 1);
		drop(c, ANY, ANY, ANY);
	}
	assert_true(core_of(c, 1)->log.first > 1);
	/* Asked for slots that are trimmed it says so, and shows no other. */
	say_prepare(c, 3, 1, B(2, 3), 1);
	m = answer(c, PAXOS_PROMISE, 3);
	assert_int_equal(m.promise.held, core_of(c, 1)->log.first);
	for (i = 0; i < m.count; i++) {
		struct paxos_item item;

		m.body = paxos_wire_item(m.body, &item);
		assert_true(item.slot >= m.promise.held);
	}
	/* A late Accept of a trimmed slot changes nothing. */
	drop(c, ANY, ANY, ANY);
	say_accept(c, 3, 1, B(2, 3), 1, "rewritten", 0);
	assert_int_equal(queued(c, PAXOS_ACCEPTED, 1, ANY), 0);
	cluster_free(c);
}

static void test_whole_or_not(void **state)
{
	struct cluster *c = acceptor();
	struct paxos_message m = message_make(c, PAXOS_ACCEPT, 2, 1, B(4, 2));
	struct paxos_item items[4];
	u32 fail, values;
	u64 lsn, i;

	say_accept(c, 3, 1, B(1, 3), 1, "before", 0);
	drop(c, ANY, ANY, ANY);
	values = c->hosts[1]->values;
	lsn = core_of(c, 1)->lsn;
	for (i = 0; i < 4; i++)
		items[i] = item_make(1 + i, B(4, 2), 2, 1 + i, "batch");
	m.count = 4;
	m.items = items;

	/* No memory for any one of them: none is accepted, no promise made. */
	for (fail = 1; fail <= 4; fail++) {
		c->hosts[1]->pass_allocs = fail - 1;
		c->hosts[1]->fail_allocs = 1;
		assert_drop(PAXOS_DROP_NOMEM, inject(c, &m));
		assert_int_equal(c->hosts[1]->fail_allocs, 0);
		assert_int_equal(c->hosts[1]->values, values);
		assert_int_equal(core_of(c, 1)->lsn, lsn);
		assert_int_equal(core_of(c, 1)->promised, B(1, 3));
		assert_int_equal(core_of(c, 1)->log.last, 1);
		assert_int_equal(queued(c, ANY, ANY, ANY), 0);
	}
	assert_drop(PAXOS_DROP_NONE, inject(c, &m));
	assert_int_equal(queued(c, PAXOS_ACCEPTED, 1, 2), 1);
	cluster_free(c);
}

static void test_batch_at_the_edge(void **state)
{
	struct cluster *c = acceptor();
	struct paxos_message m = message_make(c, PAXOS_ACCEPT, 2, 1, B(4, 2));
	u32 size = c->settings.log_size;
	struct paxos_item items[2] = {
		item_make(size, B(4, 2), 2, 1, "in"),
		item_make(size + 1, B(4, 2), 2, 2, "out"),
	};

	m.count = 2;
	m.items = items;
	assert_drop(PAXOS_DROP_WINDOW, inject(c, &m));
	assert_int_equal(c->hosts[1]->values, 0);
	assert_int_equal(core_of(c, 1)->promised, 0);
	assert_int_equal(core_of(c, 1)->log.last, 0);
	assert_int_equal(core_of(c, 1)->lsn, 0);
	cluster_free(c);
}

static void test_mute(void **state)
{
	struct cluster *c = cluster_make(3);

	host_boot(c, 1);
	assert_drop(PAXOS_DROP_MUTE, say_prepare(c, 2, 1, B(1, 2), 1));
	assert_drop(PAXOS_DROP_MUTE,
		    say_accept(c, 2, 1, B(1, 2), 1, "value", 0));
	assert_int_equal(core_of(c, 1)->promised, 0);
	host_start(c, 1);
	assert_drop(PAXOS_DROP_NONE, say_prepare(c, 2, 1, B(1, 2), 1));
	paxos_core_stop(core_of(c, 1), c->now);
	drop(c, ANY, ANY, ANY);
	assert_drop(PAXOS_DROP_MUTE, say_prepare(c, 2, 1, B(2, 2), 1));
	assert_int_equal(core_of(c, 1)->promised, B(1, 2));
	assert_int_equal(queued(c, ANY, ANY, ANY), 0);
	cluster_free(c);
}

static void test_memory(void **state)
{
	struct cluster *c = cluster_make(3);

	c->settings.durability = PAXOS_MEMORY;
	host_boot(c, 1);
	host_start(c, 1);
	disk_slow(c, 1, true);
	say_prepare(c, 2, 1, B(1, 2), 1);
	say_accept(c, 2, 1, B(1, 2), 1, "value", 0);
	assert_int_equal(queued(c, PAXOS_PROMISE, 1, 2), 1);
	assert_int_equal(queued(c, PAXOS_ACCEPTED, 1, 2), 1);
	assert_int_equal(disk_write(c, 1), 0);
	assert_int_equal(core_of(c, 1)->lsn, 0);
	cluster_free(c);
}

/*
 * An Accept of nothing but what is known to be chosen earns no vote. The next
 * one's vote must not carry the old stamp: the leader would take it for a slow
 * answer.
 */
static void test_stamp_without_vote(void **state)
{
	struct cluster *c = acceptor();
	struct paxos_item x = item_make(1, B(2, 3), 2, 1, "x");
	struct paxos_item y = item_make(2, B(2, 3), 2, 2, "y");
	struct paxos_message m;

	c->wiped = true;	/* the others vote on no disk */
	say_accept(c, 2, 1, B(1, 2), 1, "x", 1);
	assert_true(decided(c, 1, 1, "x"));
	m = message_make(c, PAXOS_ACCEPT, 3, 1, B(2, 3));
	m.count = 1;
	m.items = &x;
	m.stamp = 100;
	assert_drop(PAXOS_DROP_NONE, inject(c, &m));
	drop(c, ANY, ANY, ANY);
	advance(c, 10000 * MS);
	m.items = &y;
	m.stamp = 777;
	assert_drop(PAXOS_DROP_NONE, inject(c, &m));
	peek_message(c, PAXOS_ACCEPTED, 1, 3, &m);
	assert_int_equal(m.stamp, 777);
	cluster_free(c);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST("P1a: the first Prepare is promised", test_promise),
		TEST("P1a: a lower Prepare is rejected with the ballot to beat",
		     test_lower_prepare),
		TEST("P1a: a lower Accept is rejected, nothing is accepted",
		     test_lower_accept),
		TEST("P1: an Accept of the promised ballot is accepted",
		     test_accept),
		TEST("P1a: an Accept without a Prepare seen is accepted",
		     test_accept_unasked),
		TEST("pitfall: an Accept raises the promise",
		     test_accept_raises),
		TEST("pitfall: an Accept raises the promise, through a restart",
		     test_accept_raises_durably),
		TEST("pitfall, EPaxos: promised and accepted are two variables, through a restart",
		     test_two_variables),
		TEST("2.2: a Promise names the highest accepted proposal",
		     test_highest_accepted),
		TEST("3: one Prepare covers every slot from its first on",
		     test_all_slots),
		TEST("a Promise comes in pages that fit a datagram",
		     test_pages),
		TEST("a value larger than a page goes alone", test_large_page),
		TEST("a repeated Prepare is promised again, nothing is written",
		     test_promise_again),
		TEST("a repeated Accept is answered again, nothing is written",
		     test_accept_again),
		TEST("2.2: one value a ballot and slot", test_one_value_a_ballot),
		TEST("a ballot is spoken for by its owner only", test_owner),
		TEST("strangers, echoes, others' mail and other epochs are dropped",
		     test_strangers),
		TEST("a learner does not vote", test_learner_is_no_acceptor),
		TEST("pitfall, Kernel_Paxos: slot i + size does not overwrite slot i",
		     test_window),
		TEST("pitfall, Kernel_Paxos: a late Prepare of trimmed slots is told so",
		     test_late_prepare),
		TEST("law 4: no memory for one value of a batch: none is accepted",
		     test_whole_or_not),
		TEST("law 4: a batch over the edge of the log is refused whole",
		     test_batch_at_the_edge),
		TEST("law 3: who is restoring or stopped is mute", test_mute),
		TEST("an Accept without a vote leaves no stamp behind",
		     test_stamp_without_vote),
		TEST("durability in memory answers at once, records nothing",
		     test_memory),
	};

	return RUN_TESTS(tests);
}
