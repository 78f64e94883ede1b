// SPDX-License-Identifier: GPL-2.0
/* Records, what waits for them, and what a restart makes of them. */
#include <linux/errno.h>
#include "unit.h"

static struct cluster *slow_acceptor(void)
{
	struct cluster *c = cluster_make(3);

	host_boot(c, 1);
	disk_slow(c, 1, true);
	host_start(c, 1);
	return c;
}

static void test_promise_waits(void **state)
{
	struct cluster *c = slow_acceptor();

	say_prepare(c, 2, 1, B(1, 2), 1);
	assert_int_equal(queued(c, ANY, ANY, ANY), 0);
	assert_true(c->hosts[1]->wants_write);
	assert_int_equal(disk_write(c, 1), 1);
	assert_int_equal(queued(c, ANY, ANY, ANY), 0);
	disk_sync(c, 1);
	assert_int_equal(queued(c, PAXOS_PROMISE, 1, 2), 1);
	cluster_free(c);
}

static void test_accepted_waits(void **state)
{
	struct cluster *c = slow_acceptor();

	say_accept(c, 2, 1, B(1, 2), 1, "value", 0);
	assert_int_equal(queued(c, ANY, ANY, ANY), 0);
	assert_true(c->hosts[1]->wants_write);
	/* Not by a repeated Accept either. */
	say_accept(c, 2, 1, B(1, 2), 1, "value", 0);
	assert_int_equal(queued(c, ANY, ANY, ANY), 0);
	disk_flush(c, 1);
	assert_true(queued(c, PAXOS_ACCEPTED, 1, 2) >= 1);
	cluster_free(c);
}

static void test_no_agent(void **state)
{
	struct cluster *c = slow_acceptor();
	u32 i;

	/* No agent, no disk: the acceptor is silent. It never guesses. */
	for (i = 0; i < 20; i++) {
		say_prepare(c, 2, 1, B(1 + i, 2), 1);
		say_accept(c, 2, 1, B(1 + i, 2), 1 + i, "value", 0);
		advance(c, 500 * MS);
		assert_int_equal(queued(c, PAXOS_PROMISE, 1, ANY), 0);
		assert_int_equal(queued(c, PAXOS_ACCEPTED, 1, ANY), 0);
	}
	cluster_free(c);
}

static void test_candidate_waits(void **state)
{
	struct cluster *c = slow_acceptor();
	u64 ballot;

	assert_int_equal(campaign(c, 1), 0);
	ballot = core_of(c, 1)->ballot;
	assert_int_equal(queued(c, PAXOS_PREPARE, 1, ANY), 0);
	advance(c, 3000 * MS);
	assert_int_equal(queued(c, PAXOS_PREPARE, 1, ANY), 0);
	disk_flush(c, 1);
	assert_int_equal(queued(c, PAXOS_PREPARE, 1, ANY), 2);
	drop(c, ANY, ANY, ANY);
	host_crash(c, 1);
	host_restart(c, 1);
	campaign(c, 1);
	assert_true(core_of(c, 1)->ballot > ballot);
	cluster_free(c);
}

static void test_ballot_after_restart(void **state)
{
	struct cluster *c = cluster_of(3);
	u64 used = 0;
	u32 life;

	for (life = 0; life < 4; life++) {
		assert_int_equal(campaign(c, 1), 0);
		assert_true(core_of(c, 1)->ballot > used);
		used = core_of(c, 1)->ballot;
		drop(c, ANY, ANY, ANY);
		host_crash(c, 1);
		host_restart(c, 1);
	}
	cluster_free(c);
}

static void test_own_vote_waits(void **state)
{
	struct cluster *c = cluster_of(3);

	elect(c, 1);
	disk_slow(c, 1, true);
	host_crash(c, 3);
	assert_int_equal(propose(c, 1, "x"), 0);
	settle(c);
	/* Member 2 has voted; the leader's own vote is not on its disk. */
	assert_int_equal(c->hosts[1]->delivered, 0);
	assert_null(ended(c, 1, "x"));
	disk_flush(c, 1);
	assert_true(decided(c, 1, 1, "x"));
	cluster_free(c);
}

static void test_lost_before_sync(void **state)
{
	struct cluster *c = slow_acceptor();

	say_prepare(c, 2, 1, B(9, 2), 1);
	say_accept(c, 2, 1, B(9, 2), 1, "value", 0);
	disk_write(c, 1);
	host_crash(c, 1);
	host_restart(c, 1);
	assert_int_equal(core_of(c, 1)->promised, 0);
	assert_int_equal(core_of(c, 1)->log.last, 0);
	/* Nobody had heard of it, so it may vote otherwise now. */
	say_prepare(c, 3, 1, B(2, 3), 1);
	disk_flush(c, 1);
	assert_int_equal(queued(c, PAXOS_PROMISE, 1, 3), 1);
	cluster_free(c);
}

static void test_superseded_promise(void **state)
{
	struct cluster *c = slow_acceptor();

	say_prepare(c, 2, 1, B(1, 2), 1);
	disk_write(c, 1);
	say_prepare(c, 3, 1, B(2, 3), 1);
	/* What was written is 1.2; 2.3 is not, and 1.2 is over. */
	disk_sync(c, 1);
	assert_int_equal(queued(c, PAXOS_PROMISE, 1, ANY), 0);
	disk_flush(c, 1);
	assert_int_equal(queued(c, PAXOS_PROMISE, 1, 3), 1);
	assert_int_equal(queued(c, PAXOS_PROMISE, 1, 2), 0);
	cluster_free(c);
}

static void test_superseded_accept(void **state)
{
	struct cluster *c = slow_acceptor();
	struct paxos_message m;

	say_accept(c, 2, 1, B(1, 2), 1, "first", 0);
	disk_write(c, 1);
	say_accept(c, 3, 1, B(2, 3), 1, "second", 0);
	disk_sync(c, 1);
	assert_int_equal(queued(c, PAXOS_ACCEPTED, 1, ANY), 0);
	disk_flush(c, 1);
	peek_message(c, PAXOS_ACCEPTED, 1, ANY, &m);
	assert_int_equal(m.to, 3);
	assert_int_equal(m.ballot, B(2, 3));
	assert_int_equal(queued(c, PAXOS_ACCEPTED, 1, 2), 0);
	host_crash(c, 1);
	host_restart(c, 1);
	assert_int_equal(paxos_log_entry(&core_of(c, 1)->log, 1)->ballot,
			 B(2, 3));
	cluster_free(c);
}

static bool emit_one(void *context, const struct paxos_record_view *record)
{
	*(u64 *)context = record->lsn;
	return true;
}

static bool emit_none(void *context, const struct paxos_record_view *record)
{
	*(u64 *)context += 1;
	return false;
}

static void test_pull(void **state)
{
	struct cluster *c = slow_acceptor();
	struct paxos_core *core = core_of(c, 1);
	u64 last = 0, slot, calls = 0;

	for (slot = 1; slot <= 5; slot++)
		say_accept(c, 2, 1, B(1, 2), slot, "value", 0);
	/* Pulling is looking: a pull that is lost is repeated in full. */
	assert_int_equal(paxos_core_records(core, 0, emit_one, &last),
			 core->lsn);
	assert_int_equal(last, core->lsn);
	assert_int_equal(paxos_core_records(core, 0, emit_none, &calls), 0);
	assert_int_equal(calls, 1);
	last = 0;
	assert_int_equal(paxos_core_records(core, core->lsn, emit_one, &last),
			 core->lsn);
	assert_int_equal(last, 0);
	assert_int_equal(disk_write(c, 1), 6);
	assert_int_equal(disk_write(c, 1), 0);
	cluster_free(c);
}

static void test_durable_range(void **state)
{
	struct cluster *c = slow_acceptor();
	struct paxos_core *core = core_of(c, 1);

	say_accept(c, 2, 1, B(1, 2), 1, "value", 0);
	assert_int_equal(paxos_core_durable(core, core->lsn + 1, c->now),
			 -EINVAL);
	assert_int_equal(paxos_core_durable(core, ~0ULL, c->now), -EINVAL);
	assert_int_equal(core->durable, 0);
	assert_int_equal(queued(c, ANY, ANY, ANY), 0);
	disk_flush(c, 1);
	drop(c, ANY, ANY, ANY);
	/* Less than before, and the same again, are no news. */
	assert_int_equal(paxos_core_durable(core, 0, c->now), 0);
	assert_int_equal(paxos_core_durable(core, core->lsn, c->now), 0);
	assert_int_equal(core->durable, core->lsn);
	assert_int_equal(queued(c, ANY, ANY, ANY), 0);
	cluster_free(c);
}

static void test_partial_durable(void **state)
{
	struct cluster *c = slow_acceptor();
	struct paxos_message m;
	struct paxos_range range;
	struct disk *disk = &c->hosts[1]->disk;
	u64 slot, lsn = 0;
	u32 i;

	for (slot = 1; slot <= 4; slot++)
		say_accept(c, 2, 1, B(1, 2), slot, "value", 0);
	disk_write(c, 1);
	/* The test syncs up to slot 2 only. */
	for (i = 0; i < disk->count; i++) {
		struct disk_record *r = &disk->records[i];

		if (r->view.type == PAXOS_RECORD_ACCEPT && r->view.slot > 2)
			break;
		r->synced = true;
		lsn = r->view.lsn;
		if (r->view.slot)
			disk->voted[r->view.slot] = r->view.ballot;
	}
	disk->promised = B(1, 2);
	disk->durable = lsn;
	assert_int_equal(paxos_core_durable(core_of(c, 1), lsn, c->now), 0);
	peek_message(c, PAXOS_ACCEPTED, 1, 2, &m);
	assert_int_equal(m.count, 1);
	paxos_wire_range(m.body, &range);
	assert_int_equal(range.first, 1);
	assert_int_equal(range.count, 2);
	cluster_free(c);
}

static void test_group_commit(void **state)
{
	struct cluster *c = slow_acceptor();
	struct paxos_message m;
	struct paxos_range range;
	u64 slot;

	for (slot = 1; slot <= 10; slot++)
		say_accept(c, 2, 1, B(1, 2), slot, "value", 0);
	disk_flush(c, 1);
	assert_int_equal(queued(c, PAXOS_ACCEPTED, 1, 2), 1);
	peek_message(c, PAXOS_ACCEPTED, 1, 2, &m);
	paxos_wire_range(m.body, &range);
	assert_int_equal(range.first, 1);
	assert_int_equal(range.count, 10);
	cluster_free(c);
}

static void test_lsn_rises(void **state)
{
	struct cluster *c = cluster_of(3);
	u32 life, i;
	u64 lsn = 0;
	char text[32];

	elect(c, 1);
	for (life = 0; life < 3; life++) {
		for (i = 0; i < 5; i++) {
			snprintf(text, sizeof(text), "%u.%u", life, i);
			assert_int_equal(propose_until(c, 1, text,
				strlen(text), c->now + 1000 * MS, NULL), 0);
			settle(c);
		}
		/* disk_emit() has checked that each lsn is above the last. */
		assert_true(core_of(c, 2)->lsn > lsn);
		lsn = core_of(c, 2)->lsn;
		host_crash(c, 2);
		host_restart(c, 2);
		assert_int_equal(core_of(c, 2)->lsn, c->hosts[2]->disk.durable);
	}
	cluster_free(c);
}

static void test_restart_keeps_all(void **state)
{
	struct cluster *c = cluster_of(3);
	u8 id;

	elect(c, 1);
	propose(c, 1, "a");
	propose(c, 1, "b");
	run(c, 500 * MS);
	for (id = 1; id <= 3; id++) {
		assert_true(decided(c, id, 2, "b"));
		host_crash(c, id);
	}
	for (id = 1; id <= 3; id++)
		host_restart(c, id);
	elect(c, 2);
	propose(c, 2, "c");
	run(c, 500 * MS);
	for (id = 1; id <= 3; id++)
		assert_true(c->hosts[id]->delivered >= 3);
	assert_int_equal(times_decided(c, "a"), 1);
	assert_int_equal(times_decided(c, "b"), 1);
	assert_int_equal(times_decided(c, "c"), 1);
	cluster_free(c);
}

static void test_restart_long(void **state)
{
	struct cluster *c = cluster_of(3);
	u32 i, slots = 5 * c->settings.log_size;
	char text[32];
	u8 id;

	/* Much more than the log holds: what is trimmed is replayed, too. */
	elect(c, 1);
	for (i = 0; i < slots; i++) {
		snprintf(text, sizeof(text), "value %u", i);
		assert_int_equal(propose_until(c, 1, text, strlen(text),
					       c->now + 1000 * MS, NULL), 0);
		run(c, 2 * MS);
	}
	for (id = 1; id <= 3; id++) {
		u64 before;

		assert_true(c->hosts[id]->delivered >= slots - 1);
		before = c->hosts[id]->delivered;
		host_crash(c, id);
		host_restart(c, id);
		assert_true(c->hosts[id]->delivered <= before);
	}
	elect(c, 3);
	run(c, 1000 * MS);
	for (id = 1; id <= 3; id++)
		assert_true(c->hosts[id]->delivered >= slots);
	cluster_free(c);
}

static struct paxos_record_view record(u64 lsn, u8 type, u64 slot, u64 ballot)
{
	struct paxos_record_view view = { .lsn = lsn, .type = type,
					  .slot = slot, .ballot = ballot };

	if (type == PAXOS_RECORD_ACCEPT)
		view.item = item_make(slot, ballot, 2, slot, "value");
	return view;
}

static int restore(struct cluster *c, u64 lsn, u8 type, u64 slot, u64 ballot)
{
	struct paxos_record_view view = record(lsn, type, slot, ballot);

	return paxos_core_restore(core_of(c, 1), &view);
}

static void test_restore(void **state)
{
	struct cluster *c = cluster_make(3);

	c->wiped = true;	/* records by hand, on no disk */
	host_boot(c, 1);
	assert_int_equal(restore(c, 3, PAXOS_RECORD_PROMISE, 0, B(1, 2)), 0);
	assert_int_equal(restore(c, 4, PAXOS_RECORD_ACCEPT, 1, B(1, 2)), 0);
	assert_int_equal(restore(c, 9, PAXOS_RECORD_COMMIT, 1, 0), 0);
	assert_int_equal(c->hosts[1]->delivered, 1);
	assert_int_equal(core_of(c, 1)->commit, 1);
	assert_int_equal(paxos_core_start(core_of(c, 1), 1, 8, c->now),
			 -EINVAL);
	assert_int_equal(paxos_core_start(core_of(c, 1), 0, 9, c->now),
			 -EINVAL);
	assert_int_equal(paxos_core_start(core_of(c, 1), 1, 9, c->now), 0);
	assert_int_equal(paxos_core_start(core_of(c, 1), 2, 9, c->now),
			 -EINVAL);
	assert_int_equal(restore(c, 10, PAXOS_RECORD_PROMISE, 0, B(5, 2)),
			 -EINVAL);
	assert_int_equal(core_of(c, 1)->promised, B(1, 2));
	cluster_free(c);
}

static void test_restore_promise_of_accept(void **state)
{
	struct cluster *c = cluster_make(3);

	c->wiped = true;
	host_boot(c, 1);
	assert_int_equal(restore(c, 1, PAXOS_RECORD_ACCEPT, 1, B(4, 2)), 0);
	assert_int_equal(core_of(c, 1)->promised, B(4, 2));
	assert_int_equal(core_of(c, 1)->seen, B(4, 2));
	cluster_free(c);
}

static void test_restore_refused(void **state)
{
	struct cluster *c = cluster_make(3);
	struct paxos_record_view bad;
	u64 lsn = 1;

	c->wiped = true;
	host_boot(c, 1);
	assert_int_equal(restore(c, lsn++, PAXOS_RECORD_PROMISE, 0, B(4, 2)),
			 0);
	/* An lsn twice, an unknown type; a promise does not fall. */
	assert_int_equal(restore(c, 1, PAXOS_RECORD_PROMISE, 0, B(5, 2)),
			 -EINVAL);
	assert_int_equal(restore(c, lsn, 0, 0, 0), -EINVAL);
	assert_int_equal(restore(c, lsn, 99, 0, 0), -EINVAL);
	restore(c, lsn++, PAXOS_RECORD_PROMISE, 0, B(3, 2));
	assert_int_equal(core_of(c, 1)->promised, B(4, 2));
	/* A commit of what is not there. */
	assert_int_equal(restore(c, lsn, PAXOS_RECORD_COMMIT, 1, 0), -EINVAL);
	/* Slot 0, no ballot, too long, of no kind, beyond the log. */
	assert_int_equal(restore(c, lsn, PAXOS_RECORD_ACCEPT, 0, B(4, 2)),
			 -EINVAL);
	assert_int_equal(restore(c, lsn, PAXOS_RECORD_ACCEPT, 1, 0), -EINVAL);
	bad = record(lsn, PAXOS_RECORD_ACCEPT, 1, B(4, 2));
	bad.item.len = PAXOS_VALUE_MAX + 1;
	assert_int_equal(paxos_core_restore(core_of(c, 1), &bad), -EINVAL);
	bad = record(lsn, PAXOS_RECORD_ACCEPT, 1, B(4, 2));
	bad.item.kind = PAXOS_KINDS;
	assert_int_equal(paxos_core_restore(core_of(c, 1), &bad), -EINVAL);
	assert_int_equal(restore(c, lsn, PAXOS_RECORD_ACCEPT,
				 c->settings.log_size + 1, B(4, 2)), -ENOSPC);
	/* Another value in a lower ballot than that which stands there. */
	assert_int_equal(restore(c, lsn++, PAXOS_RECORD_ACCEPT, 1, B(4, 2)),
			 0);
	bad = record(lsn, PAXOS_RECORD_ACCEPT, 1, B(3, 2));
	bad.item = item_make(1, B(3, 2), 2, 9, "other");
	assert_int_equal(paxos_core_restore(core_of(c, 1), &bad), -EINVAL);
	/* A commit that falls. */
	assert_int_equal(restore(c, lsn++, PAXOS_RECORD_COMMIT, 1, 0), 0);
	assert_int_equal(restore(c, lsn, PAXOS_RECORD_COMMIT, 0, 0), -EINVAL);
	assert_int_equal(core_of(c, 1)->promised, B(4, 2));
	cluster_free(c);
}

static void test_restore_nomem(void **state)
{
	struct cluster *c = cluster_make(3);

	c->wiped = true;
	host_boot(c, 1);
	c->hosts[1]->fail_allocs = 1;
	assert_int_equal(restore(c, 1, PAXOS_RECORD_ACCEPT, 1, B(4, 2)),
			 -ENOMEM);
	assert_int_equal(core_of(c, 1)->log.last, 0);
	assert_int_equal(restore(c, 1, PAXOS_RECORD_ACCEPT, 1, B(4, 2)), 0);
	assert_int_equal(core_of(c, 1)->log.last, 1);
	cluster_free(c);
}

/* Every step of a small history, with a crash behind each synced record. */
static void test_every_prefix(void **state)
{
	u32 cut;

	for (cut = 0; cut < 40; cut++) {
		struct cluster *c = cluster_of(3);
		struct disk *disk = &c->hosts[1]->disk;

		elect(c, 2);
		propose(c, 2, "a");
		propose(c, 2, "b");
		run(c, 300 * MS);
		elect(c, 3);
		propose(c, 3, "c");
		run(c, 300 * MS);
		host_crash(c, 1);
		if (cut > disk->count) {
			cluster_free(c);
			break;
		}
		/* As a disk that was behind by some records. */
		while (disk->count > cut)
			free(disk->records[--disk->count].bytes);
		disk->durable = cut ? disk->records[cut - 1].view.lsn : 0;
		disk->written = disk->durable;
		c->wiped = true;
		host_boot(c, 1);
		assert_int_equal(host_restore(c, 1), 0);
		host_start(c, 1);
		run(c, 2000 * MS);
		assert_true(c->hosts[1]->delivered >= 3);
		cluster_free(c);
	}
	assert_true(cut > 4);
}

/* A chosen value that was learnt may be voted on again by an older leader. */
static void test_learnt_then_accepted(void **state)
{
	struct cluster *c = cluster_make(3);
	struct paxos_message m = message_make(c, PAXOS_CHOSEN, 3, 1, B(9, 3));
	struct paxos_item item = item_make(2, B(9, 3), 2, 2, "two");

	c->wiped = true;	/* votes of 2 and 3 are on no disk here */
	host_boot(c, 1);
	host_start(c, 1);
	m.chosen.held = 1;
	m.count = 1;
	m.items = &item;
	inject(c, &m);
	say_accept(c, 2, 1, B(7, 2), 2, "two", 0);
	host_crash(c, 1);
	host_boot(c, 1);
	assert_int_equal(host_restore(c, 1), 0);
	cluster_free(c);
}

/* A commit record behind which an accept record of its slot moved. */
static void test_commit_before_accept(void **state)
{
	struct cluster *c = slow_acceptor();

	c->wiped = true;
	say_accept(c, 2, 1, B(1, 2), 1, "value", 0);
	say_commit(c, 2, 1, B(1, 2), 1);
	assert_int_equal(core_of(c, 1)->commit, 1);
	say_accept(c, 3, 1, B(2, 3), 1, "value", 0);
	say_prepare(c, 3, 1, B(3, 3), 1);
	disk_flush(c, 1);
	host_crash(c, 1);
	host_boot(c, 1);
	assert_int_equal(host_restore(c, 1), 0);
	assert_int_equal(core_of(c, 1)->promised, B(3, 3));
	cluster_free(c);
}

/* However often the commit moves before the disk hears of it. */
static void test_commit_behind_values(void **state)
{
	struct cluster *c = slow_acceptor();
	struct disk *disk = &c->hosts[1]->disk;
	u64 slot, accepted = 0;
	u32 i;

	c->wiped = true;
	for (slot = 1; slot <= 8; slot++)
		say_accept(c, 2, 1, B(1, 2), slot, "value", slot - 1);
	disk_write(c, 1);
	for (i = 0; i < disk->count; i++) {
		const struct paxos_record_view *view = &disk->records[i].view;

		if (view->type == PAXOS_RECORD_ACCEPT)
			accepted = view->slot;
		else if (view->type == PAXOS_RECORD_COMMIT)
			assert_true(view->slot <= accepted);
	}
	assert_non_null(disk_find(c, 1, PAXOS_RECORD_COMMIT, 7, 0));
	cluster_free(c);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST("law 2: a Promise waits for its record",
		     test_promise_waits),
		TEST("pitfall, Aptos #18298: a vote waits for its record, a repeated one too",
		     test_accepted_waits),
		TEST("law 2: without an agent the acceptor is silent",
		     test_no_agent),
		TEST("pitfall: a new round is durable before it is used",
		     test_candidate_waits),
		TEST("pitfall, phxpaxos #145: a proposer that restarts uses no ballot twice",
		     test_ballot_after_restart),
		TEST("law 2: a leader's own vote counts when it is durable",
		     test_own_vote_waits),
		TEST("law 2: what was lost before it was synced, nobody heard",
		     test_lost_before_sync),
		TEST("a superseded promise is never sent",
		     test_superseded_promise),
		TEST("a superseded vote is never sent",
		     test_superseded_accept),
		TEST("records can be pulled twice", test_pull),
		TEST("durable() takes what was given out, and never falls",
		     test_durable_range),
		TEST("a vote is sent for what is durable, not for what follows",
		     test_partial_durable),
		TEST("what one sync made durable is answered in one datagram",
		     test_group_commit),
		TEST("the lsn rises, through restarts", test_lsn_rises),
		TEST("what was chosen before a restart of all is chosen after",
		     test_restart_keeps_all),
		TEST("records of more slots than the log holds are replayed",
		     test_restart_long),
		TEST("restore takes records in order, then start",
		     test_restore),
		TEST("P1a: a restored vote restores its promise",
		     test_restore_promise_of_accept),
		TEST("records that cannot be are refused",
		     test_restore_refused),
		TEST("law 4: restore without memory can be repeated",
		     test_restore_nomem),
		TEST("a member restarts from any prefix of its records",
		     test_every_prefix),
		TEST("a restart after a vote for what was learnt in a higher ballot",
		     test_learnt_then_accepted),
		TEST("a restart after a vote for what was committed",
		     test_commit_before_accept),
		TEST("a commit record stands behind the values that it speaks of",
		     test_commit_behind_values),
	};

	return RUN_TESTS(tests);
}
