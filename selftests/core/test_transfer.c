// SPDX-License-Identifier: GPL-2.0
/* A member that was away for longer than others' logs learns from their disks. */
#include <errno.h>
#include <stdio.h>
#include "unit.h"

static struct cluster *follower(void)
{
	struct cluster *c = cluster_make(3);

	c->wiped = true;	/* the other votes are on no disk here */
	host_boot(c, 1);
	host_start(c, 1);
	return c;
}

/* What is known of @slot in a log that others keep. */
static struct paxos_item logged(u64 slot, u64 ballot)
{
	static char text[16];

	snprintf(text, sizeof(text), "v%u", (unsigned int)slot);
	return item_make(slot, ballot, 2, slot, text);
}

static int learn_logged(struct cluster *c, u8 id, u64 slot)
{
	const struct paxos_item item = logged(slot, B(1, 2));

	return learn(c, id, &item);
}

static void test_far_behind(void **state)
{
	struct cluster *c = follower();
	const u64 last = 5 * c->settings.log_size;
	u64 slot;

	say_commit(c, 2, 1, B(1, 2), last);
	drop(c, ANY, ANY, ANY);
	for (slot = 1; slot <= last; slot++)
		assert_int_equal(learn_logged(c, 1, slot), 0);
	assert_int_equal(c->hosts[1]->delivered, last);
	assert_true(decided(c, 1, last, "v320"));
	/* All of it went through the records: a crash loses none of it. */
	disk_flush(c, 1);
	host_crash(c, 1);
	host_restart(c, 1);
	assert_int_equal(core_of(c, 1)->commit, last);
	cluster_free(c);
}

static void test_order(void **state)
{
	struct cluster *c = follower();

	assert_int_equal(learn_logged(c, 1, 2), -ERANGE);
	assert_int_equal(learn_logged(c, 1, 1), 0);
	assert_int_equal(learn_logged(c, 1, 3), -ERANGE);
	assert_int_equal(core_of(c, 1)->log.last, 1);
	/* A transfer that is taken up again begins a little early. */
	assert_int_equal(learn_logged(c, 1, 1), 0);
	assert_int_equal(learn_logged(c, 1, 2), 0);
	assert_int_equal(c->hosts[1]->delivered, 2);
	cluster_free(c);
}

static void test_conflict(void **state)
{
	struct cluster *c = follower();
	struct paxos_item other = item_make(1, B(2, 3), 3, 1, "other");
	u64 lsn;

	assert_int_equal(learn_logged(c, 1, 1), 0);
	lsn = core_of(c, 1)->lsn;
	assert_int_equal(learn(c, 1, &other), -EEXIST);
	/* Known and not delivered yet: slot 3 is, slot 2 lacks. */
	other = logged(3, B(1, 2));
	drop(c, ANY, ANY, ANY);
	say_accept(c, 2, 1, B(1, 2), 3, "three", 0);
	say_commit(c, 2, 1, B(1, 2), 3);
	assert_int_equal(learn_logged(c, 1, 2), 0);
	assert_true(decided(c, 1, 3, "three"));
	assert_int_equal(learn(c, 1, &other), -EEXIST);
	assert_true(core_of(c, 1)->lsn > lsn);
	cluster_free(c);
}

static void test_senseless(void **state)
{
	struct cluster *c = follower();
	struct paxos_item item;

	item = item_noop(1, 0);
	assert_int_equal(learn(c, 1, &item), -EINVAL);
	item = item_noop(0, B(1, 2));
	assert_int_equal(learn(c, 1, &item), -EINVAL);
	item = logged(1, B(1, 2));
	item.origin.member = 65;
	assert_int_equal(learn(c, 1, &item), -EINVAL);
	item = logged(1, B(1, 2));
	item.kind = PAXOS_KINDS;
	assert_int_equal(learn(c, 1, &item), -EINVAL);
	item = logged(1, B(1, 2));
	item.len = PAXOS_VALUE_MAX + 1;
	assert_int_equal(learn(c, 1, &item), -EINVAL);
	item = item_noop(1, B(1, 2));
	item.len = 1;
	assert_int_equal(learn(c, 1, &item), -EINVAL);
	assert_int_equal(core_of(c, 1)->lsn, 0);
	assert_int_equal(core_of(c, 1)->commit, 0);
	cluster_free(c);
}

static void test_mute(void **state)
{
	struct cluster *c = cluster_make(3);

	host_boot(c, 1);
	assert_int_equal(learn_logged(c, 1, 1), -EUNATCH);
	cluster_free(c);
}

static void test_slow_disk(void **state)
{
	struct cluster *c = follower();
	u64 slot = 1, before;

	disk_slow(c, 1, true);
	while (!learn_logged(c, 1, slot))
		slot++;
	/* A full log waits for the disk and asks for it. */
	assert_int_equal(slot, c->settings.log_size + 1);
	assert_int_equal(learn_logged(c, 1, slot), -EAGAIN);
	assert_true(c->hosts[1]->wants_write);
	before = core_of(c, 1)->log.first;
	disk_flush(c, 1);
	assert_int_equal(learn_logged(c, 1, slot), 0);
	assert_true(core_of(c, 1)->log.first > before);
	cluster_free(c);
}

static void test_no_memory(void **state)
{
	struct cluster *c = follower();
	u64 lsn = core_of(c, 1)->lsn;

	c->hosts[1]->fail_allocs = 1;
	assert_int_equal(learn_logged(c, 1, 1), -EAGAIN);
	assert_int_equal(core_of(c, 1)->lsn, lsn);
	assert_int_equal(core_of(c, 1)->log.last, 0);
	assert_int_equal(learn_logged(c, 1, 1), 0);
	cluster_free(c);
}

static void test_origin_once(void **state)
{
	struct cluster *c = follower();
	struct paxos_item again = item_make(2, B(1, 2), 2, 1, "v1");

	assert_int_equal(learn_logged(c, 1, 1), 0);
	assert_int_equal(learn(c, 1, &again), 0);
	assert_true(decided(c, 1, 1, "v1"));
	/* A proposal that was retried is chosen twice and delivered once. */
	assert_int_equal(times_decided(c, "v1"), 1);
	assert_int_equal(c->hosts[1]->delivered, 2);
	cluster_free(c);
}

static void test_no_vote(void **state)
{
	struct cluster *c = follower();

	assert_int_equal(learn_logged(c, 1, 1), 0);
	assert_int_equal(core_of(c, 1)->promised, 0);
	assert_int_equal(queued(c, PAXOS_ACCEPTED, 1, ANY), 0);
	cluster_free(c);
}

static void test_own_lost(void **state)
{
	struct cluster *c = follower();
	struct paxos_item item = item_make(1, B(2, 3), 3, 1, "chosen");

	say_accept(c, 2, 1, B(1, 2), 1, "lost", 0);
	drop(c, ANY, ANY, ANY);
	assert_int_equal(learn(c, 1, &item), 0);
	assert_true(decided(c, 1, 1, "chosen"));
	disk_flush(c, 1);
	assert_int_equal(queued(c, PAXOS_ACCEPTED, 1, ANY), 0);
	host_crash(c, 1);
	host_restart(c, 1);
	assert_int_equal(core_of(c, 1)->commit, 1);
	assert_true(decided(c, 1, 1, "chosen"));
	cluster_free(c);
}

static void test_goes_on(void **state)
{
	struct cluster *c = cluster_of(3);
	struct paxos_item item;
	static char text[200];
	u64 slot, last;
	u32 i;

	memset(text, 'v', sizeof(text));
	elect(c, 1);
	run(c, 10 * MS);
	host_crash(c, 3);
	last = 3 * c->settings.log_size;
	for (i = 0; i < last; i++) {
		assert_int_equal(propose_until(c, 1, text, sizeof(text),
					       c->now + 1000 * MS, NULL), 0);
		run(c, 2 * MS);
	}
	drop(c, ANY, ANY, 3);
	host_restart(c, 3);
	run(c, 3000 * MS);
	assert_true(core_of(c, 3)->behind);
	/* Member 2's log brings it to where the kernels reach. */
	for (slot = core_of(c, 3)->commit + 1; core_of(c, 3)->behind; slot++) {
		const struct disk_record *r =
			disk_find(c, 2, PAXOS_RECORD_ACCEPT, slot, 0);

		assert_non_null(r);
		item = r->view.item;
		item.bytes = r->bytes;
		assert_int_equal(learn(c, 3, &item), 0);
	}
	assert_true(core_of(c, 3)->commit < last);
	run(c, 5000 * MS);
	assert_int_equal(core_of(c, 3)->commit, core_of(c, 1)->commit);
	/* And it votes again. */
	host_crash(c, 2);
	assert_int_equal(propose(c, 1, "with the third"), 0);
	run(c, 1000 * MS);
	assert_int_equal(times_decided(c, "with the third"), 1);
	cluster_free(c);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST("who is far behind learns from another's log, durably",
		     test_far_behind),
		TEST("what is transferred comes in the order of the slots",
		     test_order),
		TEST("law 1: a log that contradicts what is chosen is refused",
		     test_conflict),
		TEST("law 4: what cannot be a value changes nothing",
		     test_senseless),
		TEST("law 2: a member that is not started learns nothing",
		     test_mute),
		TEST("a transfer waits for the disk of its receiver",
		     test_slow_disk),
		TEST("law 4: without memory nothing changes", test_no_memory),
		TEST("a proposal that was chosen twice is delivered once",
		     test_origin_once),
		TEST("to learn is neither to vote nor to promise",
		     test_no_vote),
		TEST("an accepted value gives way to the chosen one",
		     test_own_lost),
		TEST("once the kernels' logs reach, they bring the rest",
		     test_goes_on),
	};

	return RUN_TESTS(tests);
}
