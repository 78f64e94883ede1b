// SPDX-License-Identifier: GPL-2.0
/* Logs that begin behind slot 1: what a Trim stands for, and who may begin so. */
#include <errno.h>
#include "unit.h"

#define SET(...) set_of((u8[]){ __VA_ARGS__, 0 })

static u64 set_of(const u8 *ids)
{
	u64 set = 0;

	for (; *ids; ids++)
		set |= paxos_member_bit(*ids);
	return set;
}

static u32 checkpoint(struct cluster *c, u8 id, u8 *bytes)
{
	return paxos_core_checkpoint(core_of(c, id), bytes);
}

/* Two changes, more slots than a log holds, and a proposal retried. */
static struct cluster *eventful(u32 slots)
{
	struct cluster *c = cluster_of(3);
	u32 i;

	elect(c, 1);
	cluster_grow(c);
	assert_int_equal(reconfigure(c, 1, SET(1, 2, 3), SET(4)), 0);
	run(c, 1000 * MS);
	for (i = 0; i < slots; i++) {
		assert_int_equal(propose(c, 1 + i % 3, "x"), 0);
		run(c, 5 * MS);
	}
	assert_int_equal(reconfigure(c, 1, SET(1, 2), SET(4)), 0);
	run(c, 3000 * MS);
	assert_int_equal(core_of(c, 1)->config.epoch, 3);
	return c;
}

static void assert_same(const struct paxos_core *a, const struct paxos_core *b)
{
	u8 left[PAXOS_CHECKPOINT_MAX], right[PAXOS_CHECKPOINT_MAX];
	u32 len = paxos_core_checkpoint(a, left);
	u64 slot;

	assert_int_equal(paxos_core_checkpoint(b, right), len);
	assert_memory_equal(left, right, len);
	assert_memory_equal(&a->config, &b->config, sizeof(a->config));
	assert_int_equal(a->promised, b->promised);
	assert_int_equal(a->seen, b->seen);
	assert_int_equal(a->commit, b->commit);
	assert_int_equal(a->checksum, b->checksum);
	assert_int_equal(a->commit_durable, b->commit_durable);
	assert_int_equal(a->log.last, b->log.last);
	for (slot = a->commit + 1; slot <= a->log.last; slot++) {
		const struct paxos_entry *x = paxos_log_entry(&a->log, slot);
		const struct paxos_entry *y = paxos_log_entry(&b->log, slot);

		assert_int_equal(x->ballot, y->ballot);
		assert_int_equal(!x->value, !y->value);
		if (x->value)
			assert_memory_equal(x->value->bytes, y->value->bytes,
					    x->value->len);
	}
}

/* Member 2 votes in @open slots behind a hole, and the leader ends. */
static void leave_open(struct cluster *c, u32 open)
{
	const u64 ballot = core_of(c, 2)->promised;
	u64 slot = core_of(c, 2)->commit + 2;

	c->config = core_of(c, 2)->config;	/* messages are of its epoch */
	while (open--)
		say_accept(c, 1, 2, ballot, slot++, "open", 0);
	say_prepare(c, 1, 2, B(99, 1), slot);
	drop(c, ANY, ANY, ANY);
}

static void test_equal(void **state)
{
	u32 slots;

	for (slots = 0; slots < 200; slots += 33) {
		struct cluster *c = eventful(slots);
		struct host *h = c->hosts[2];
		struct host full;

		c->wiped = true;
		leave_open(c, slots % 4);
		/* As it is restored from all of its records, */
		host_crash(c, 2);
		host_boot(c, 2);
		assert_int_equal(host_restore(c, 2), 0);
		full = *h;
		/* and as it is from those behind its commit. */
		assert_true(disk_trim(c, 2) <= 1 + slots % 4);
		h->up = false;
		h->values = 0;
		host_boot(c, 2);
		assert_int_equal(host_restore(c, 2), 0);
		assert_same(&full.core, &h->core);
		assert_int_equal(h->core.promised, B(99, 1));
		assert_int_equal(h->core.log.first, h->core.commit + 1);
		assert_int_equal(h->core.log.last > h->core.commit,
				 slots % 4 != 0);
		full.silent = true;
		paxos_core_destroy(&full.core);
		assert_int_equal(full.values, 0);
		free(full.entries);
		cluster_free(c);
	}
}

static void test_takes_part(void **state)
{
	struct cluster *c = eventful(100);
	u64 commit;

	disk_trim(c, 2);
	host_crash(c, 2);
	host_restart(c, 2);
	assert_int_equal(propose(c, 1, "with it"), 0);
	run(c, 2000 * MS);
	assert_int_equal(times_decided(c, "with it"), 1);
	assert_int_equal(core_of(c, 2)->commit, core_of(c, 1)->commit);
	/* It leads, and the other one follows: nothing is lost. */
	commit = core_of(c, 2)->commit;
	elect(c, 2);
	assert_int_equal(propose(c, 2, "led by it"), 0);
	run(c, 2000 * MS);
	assert_true(core_of(c, 1)->commit > commit);
	assert_int_equal(times_decided(c, "led by it"), 1);
	/* What it knew before it is not delivered again. */
	cluster_free(c);
}

static void test_vote_kept(void **state)
{
	struct cluster *c = cluster_of(3);

	c->wiped = true;
	elect(c, 1);
	assert_int_equal(propose(c, 1, "one"), 0);
	run(c, 2000 * MS);
	say_accept(c, 1, 2, core_of(c, 1)->ballot, 3, "three", 1);
	drop(c, ANY, ANY, ANY);
	disk_trim(c, 2);
	host_crash(c, 2);
	host_restart(c, 2);
	/* Law 3: who asks hears of the vote. */
	say_prepare(c, 3, 2, B(50, 3), 2);
	assert_int_equal(queued(c, PAXOS_PROMISE, 2, 3), 1);
	{
		struct paxos_message m;
		struct paxos_item item;

		peek_message(c, PAXOS_PROMISE, 2, 3, &m);
		assert_int_equal(m.count, 1);
		paxos_wire_item(m.body, &item);
		assert_int_equal(item.slot, 3);
		assert_int_equal(m.promise.held, 2);
	}
	/* And a lower ballot is refused, as before. */
	drop(c, ANY, ANY, ANY);
	disk_trim(c, 2);
	host_crash(c, 2);
	host_restart(c, 2);
	say_prepare(c, 1, 2, B(49, 1), 2);
	assert_int_equal(queued(c, PAXOS_REJECT, 2, 1), 1);
	cluster_free(c);
}

static void test_answers_trimmed(void **state)
{
	struct cluster *c = cluster_of(3);
	struct paxos_message m;

	elect(c, 1);
	assert_int_equal(propose(c, 1, "one"), 0);
	run(c, 2000 * MS);
	disk_trim(c, 2);
	host_crash(c, 2);
	host_restart(c, 2);
	drop(c, ANY, ANY, ANY);
	m = message_make(c, PAXOS_FETCH, 3, 2, 0);
	m.fetch.first = 1;
	m.fetch.last = 1;
	inject(c, &m);
	assert_int_equal(queued(c, PAXOS_CHOSEN, 2, 3), 1);
	peek_message(c, PAXOS_CHOSEN, 2, 3, &m);
	assert_int_equal(m.count, 0);
	assert_int_equal(m.chosen.held, core_of(c, 2)->commit + 1);
	cluster_free(c);
}

static void test_fresh(void **state)
{
	struct cluster *c = eventful(30);
	u8 bytes[PAXOS_CHECKPOINT_MAX];
	const u32 len = checkpoint(c, 1, bytes);
	const u64 slot = core_of(c, 1)->commit;
	struct paxos_item again;
	u8 id = cluster_grow(c);

	c->wiped = true;
	assert_int_equal(core_of(c, id)->config.epoch, 0);
	disk_slow(c, id, true);
	assert_int_equal(begin(c, id, slot, bytes, len), 0);
	assert_true(c->hosts[id]->wants_write);
	assert_int_equal(core_of(c, id)->commit, slot);
	assert_int_equal(core_of(c, id)->config.epoch, 3);
	assert_int_equal(core_of(c, id)->log.first, slot + 1);
	assert_int_equal(core_of(c, id)->commit_durable, 0);
	disk_flush(c, id);
	assert_int_equal(core_of(c, id)->commit_durable, slot);
	host_crash(c, id);
	host_restart(c, id);
	disk_slow(c, id, false);
	assert_int_equal(core_of(c, id)->commit, slot);
	assert_int_equal(core_of(c, id)->config.epoch, 3);
	/* What was delivered before it began is not delivered again. */
	again = item_make(slot + 1, B(9, 1), 1, 1, "again");
	again.origin.incarnation = core_of(c, 1)->incarnation;
	again.origin.seq = core_of(c, 1)->next_seq - 2;
	assert_int_equal(learn(c, id, &again), 0);
	assert_true(decided_noop(c, id, slot + 1));
	cluster_free(c);
}

static void test_not_fresh(void **state)
{
	struct cluster *c = eventful(30);
	u8 bytes[PAXOS_CHECKPOINT_MAX];
	const u32 len = checkpoint(c, 1, bytes);
	const u64 slot = core_of(c, 1)->commit;
	u64 lsn;

	lsn = core_of(c, 2)->lsn;
	assert_int_equal(begin(c, 2, slot + 50, bytes, len), -ENOTEMPTY);
	assert_int_equal(core_of(c, 2)->lsn, lsn);
	assert_int_equal(core_of(c, 2)->commit, slot);
	host_crash(c, 2);
	host_boot(c, 2);
	c->hosts[2]->delivered = 0;
	assert_int_equal(paxos_core_begin(core_of(c, 2), slot, bytes, len,
					  c->now), -EUNATCH);
	cluster_free(c);
}

/* A voter that was away from the first slot on has votes, and keeps them. */
static void test_with_votes(void **state)
{
	struct cluster *c = eventful(5);
	u8 bytes[PAXOS_CHECKPOINT_MAX];
	const u32 len = checkpoint(c, 1, bytes);
	const u64 slot = core_of(c, 1)->commit;
	struct cluster *d = cluster_make(3);
	u32 i;

	d->wiped = true;
	host_boot(d, 1);
	host_start(d, 1);
	disk_slow(d, 1, true);
	for (i = 1; i <= d->settings.window; i++)
		say_accept(d, 2, 1, B(7, 2), i, "v", 0);
	assert_true(slot + 2 < d->settings.window);
	assert_int_equal(begin(d, 1, slot, bytes, len), 0);
	disk_flush(d, 1);
	host_crash(d, 1);
	host_restart(d, 1);
	assert_int_equal(core_of(d, 1)->promised, B(7, 2));
	assert_int_equal(core_of(d, 1)->log.first, slot + 1);
	assert_int_equal(core_of(d, 1)->log.last, d->settings.window);
	assert_int_equal(paxos_log_entry(&core_of(d, 1)->log,
					 slot + 1)->ballot, B(7, 2));
	/* Records of slots that are gone went with them. */
	assert_null(disk_find(d, 1, PAXOS_RECORD_ACCEPT, slot, 0));
	cluster_free(d);
	cluster_free(c);
}

/* It knew some slots, and goes on behind others that were never here. */
static void test_skip(void **state)
{
	struct cluster *c = eventful(30);
	u8 bytes[PAXOS_CHECKPOINT_MAX];
	const u32 len = checkpoint(c, 1, bytes);
	const u64 slot = core_of(c, 1)->commit;
	struct cluster *d = cluster_make(3);
	struct paxos_core *core;
	struct paxos_item item;
	u32 i;

	d->wiped = true;
	host_boot(d, 1);
	host_start(d, 1);
	core = core_of(d, 1);
	disk_slow(d, 1, true);
	/* Known, and the record that says so not written yet. */
	for (i = 1; i <= 5; i++) {
		item = item_make(i, B(7, 2), 2, i, "v");
		assert_int_equal(learn(d, 1, &item), 0);
	}
	say_accept(d, 2, 1, B(7, 2), slot + 2, "vote", 0);
	assert_int_equal(core->commit, 5);
	assert_int_equal(leap(d, 1, 5, bytes, len), -EINVAL);
	assert_int_equal(leap(d, 1, slot, bytes, len - 1), -EINVAL);
	assert_int_equal(core->commit, 5);
	assert_int_equal(leap(d, 1, slot, bytes, len), 0);
	assert_int_equal(core->commit, slot);
	assert_int_equal(core->log.first, slot + 1);
	assert_int_equal(core->commit_durable, 0);
	disk_flush(d, 1);
	assert_int_equal(core_of(d, 1)->commit_durable, slot);
	host_crash(d, 1);
	host_restart(d, 1);
	core = core_of(d, 1);
	assert_int_equal(core->commit, slot);
	assert_int_equal(core->log.first, slot + 1);
	assert_int_equal(core->config.epoch, 3);
	/* Law 3: the vote above is there still. */
	assert_int_equal(core->promised, B(7, 2));
	assert_int_equal(paxos_log_entry(&core->log, slot + 2)->ballot,
			 B(7, 2));
	cluster_free(d);
	cluster_free(c);
}

/* What was accepted behind the first one is too far from what it knew before. */
static void test_skip_twice(void **state)
{
	struct cluster *c = eventful(100);
	u8 bytes[PAXOS_CHECKPOINT_MAX];
	const u32 len = checkpoint(c, 1, bytes);
	const u64 slot = core_of(c, 1)->commit;
	struct cluster *d = cluster_make(3);
	struct paxos_core *core;
	u64 vote;

	d->wiped = true;
	host_boot(d, 1);
	host_start(d, 1);
	disk_slow(d, 1, true);
	vote = slot + d->settings.window;
	assert_int_equal(leap(d, 1, slot, bytes, len), 0);
	/* It is said in the epoch that it came to by that. */
	d->config.epoch = core_of(d, 1)->config.epoch;
	say_accept(d, 2, 1, B(7, 2), vote, "vote", 0);
	d->config.epoch = 1;
	assert_int_equal(core_of(d, 1)->log.last, vote);
	assert_int_equal(leap(d, 1, slot + 5, bytes, len), -EAGAIN);
	assert_int_equal(core_of(d, 1)->commit, slot);
	disk_flush(d, 1);
	assert_int_equal(leap(d, 1, slot + 5, bytes, len), 0);
	disk_flush(d, 1);
	host_crash(d, 1);
	host_restart(d, 1);
	core = core_of(d, 1);
	assert_int_equal(core->commit, slot + 5);
	assert_int_equal(core->promised, B(7, 2));
	assert_int_equal(paxos_log_entry(&core->log, vote)->ballot, B(7, 2));
	cluster_free(d);
	cluster_free(c);
}

/* Nobody will say in which slot: it ends all the same, and not by its time. */
static void test_skipped_proposal(void **state)
{
	static const char text[] = "chosen in what is skipped";
	struct cluster *c = cluster_of(3);
	u8 bytes[PAXOS_CHECKPOINT_MAX];
	u64 slot;
	u32 len, i;

	elect(c, 1);
	propose(c, 1, "before");
	run(c, 300 * MS);
	assert_int_equal(propose(c, 3, text), 0);
	assert_int_equal(deliver(c, PAXOS_FORWARD, 3, 1), 1);
	for (i = 0; i < 5; i++) {
		drop(c, ANY, ANY, 3);
		deliver(c, ANY, 1, 2);
		deliver(c, ANY, 2, 1);
	}
	slot = core_of(c, 1)->commit;
	assert_true(decided(c, 1, slot, text));
	assert_true(core_of(c, 3)->commit < slot);
	assert_int_equal(times_ended(c, 3, text), 0);
	len = checkpoint(c, 1, bytes);
	assert_int_equal(leap(c, 3, slot, bytes, len), 0);
	assert_int_equal(times_ended(c, 3, text), 1);
	assert_int_equal(ended(c, 3, text)->outcome, PAXOS_OUTCOME_UNKNOWN);
	cluster_free(c);
}

static void test_senseless(void **state)
{
	struct cluster *c = eventful(10);
	u8 bytes[PAXOS_CHECKPOINT_MAX + 1], wrong[PAXOS_CHECKPOINT_MAX + 1];
	const u32 len = checkpoint(c, 1, bytes);
	const u64 slot = core_of(c, 1)->commit;
	struct paxos_record_view view = {
		.type = PAXOS_RECORD_TRIM,
		.lsn = 5,
		.slot = slot,
		.item = { .bytes = wrong, .len = len },
	};
	struct cluster *d = cluster_make(3);
	u32 i;

	host_boot(d, 1);
	for (i = 0; i < len; i++) {
		u8 *exact = malloc(i + 1);	/* redzones find overreads */

		memcpy(exact, bytes, i);
		view.item.bytes = exact;
		view.item.len = i;
		assert_int_equal(paxos_core_restore(core_of(d, 1), &view),
				 -EINVAL);
		free(exact);
	}
	view.item.bytes = wrong;
	view.item.len = len + 1;
	memcpy(wrong, bytes, len);
	wrong[len] = 0;
	assert_int_equal(paxos_core_restore(core_of(d, 1), &view), -EINVAL);
	/* Counts, lengths and members that cannot be. */
	view.item.len = len;
	for (i = 32; i < 40; i++) {
		memcpy(wrong, bytes, len);
		wrong[i] = ~wrong[i];
		assert_int_equal(paxos_core_restore(core_of(d, 1), &view),
				 -EINVAL);
	}
	/* Slots that would wrap. */
	memcpy(wrong, bytes, len);
	view.slot = PAXOS_SLOT_MAX + 1;
	assert_int_equal(paxos_core_restore(core_of(d, 1), &view), -EINVAL);
	view.slot = ~0ULL;
	assert_int_equal(paxos_core_restore(core_of(d, 1), &view), -EINVAL);
	view.slot = core_of(c, 1)->config_slot - 1;
	assert_int_equal(paxos_core_restore(core_of(d, 1), &view), -EINVAL);
	assert_int_equal(core_of(d, 1)->commit, 0);
	assert_int_equal(core_of(d, 1)->config.epoch, 1);
	view.slot = slot;
	assert_int_equal(paxos_core_restore(core_of(d, 1), &view), 0);
	c->wiped = true;
	d->hosts[1]->delivered = slot;
	/* And not back again. */
	view.slot--;
	view.lsn++;
	assert_int_equal(paxos_core_restore(core_of(d, 1), &view), -EINVAL);
	cluster_free(d);
	cluster_free(c);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST("law 3: a trimmed log restores all that the whole one does",
		     test_equal),
		TEST("who restored from a trimmed log votes and leads",
		     test_takes_part),
		TEST("law 3: votes and promises outlive what was trimmed",
		     test_vote_kept),
		TEST("trimmed slots answer \"trimmed\"", test_answers_trimmed),
		TEST("who delivered nothing may begin behind a slot, durably",
		     test_fresh),
		TEST("who delivered something gets no hole in it",
		     test_not_fresh),
		TEST("law 3: who begins behind a slot keeps its votes above",
		     test_with_votes),
		TEST("who has a snapshot may skip slots, durably, and keeps its votes",
		     test_skip),
		TEST("who skips slots twice comes back from its disk",
		     test_skip_twice),
		TEST("a proposal that was chosen in what is skipped ends",
		     test_skipped_proposal),
		TEST("law 4: what is no checkpoint changes nothing",
		     test_senseless),
	};

	return RUN_TESTS(tests);
}
