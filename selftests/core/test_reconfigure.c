// SPDX-License-Identifier: GPL-2.0
/* Membership: configurations as values, and what an epoch lets count. */
#include <errno.h>
#include "unit.h"

#define SET(...)	set_of((u8[]){ __VA_ARGS__, 0 })

static u64 set_of(const u8 *ids)
{
	u64 set = 0;

	while (*ids)
		set |= paxos_member_bit(*ids++);
	return set;
}

static struct cluster *led(u32 n)
{
	struct cluster *c = cluster_of(n);

	elect(c, 1);
	return c;
}

/* A change from here to there, with all that follows from it. */
static void changed(struct cluster *c, u8 id, u64 voters, u64 learners)
{
	assert_int_equal(reconfigure(c, id, voters, learners), 0);
	run(c, 300 * MS);
}

static void assert_epoch(struct cluster *c, u8 id, u32 epoch)
{
	assert_int_equal(core_of(c, id)->config.epoch, epoch);
}

static void test_takes_effect(void **state)
{
	struct cluster *c = led(3);
	u64 ballot = core_of(c, 1)->ballot;
	u8 id;

	assert_int_equal(propose(c, 1, "before"), 0);
	settle(c);
	changed(c, 1, SET(1, 2, 3), SET(4));
	for (id = 1; id <= 3; id++) {
		assert_epoch(c, id, 2);
		assert_int_equal(core_of(c, id)->config.learners, SET(4));
		assert_int_equal(core_of(c, id)->config_slot, 2);
		assert_true(happened(c, id, PAXOS_EVENT_EPOCH));
	}
	assert_outcome(PAXOS_OUTCOME_CHOSEN, c, 1, the_change);
	assert_true(decided_noop(c, 1, 2));	/* nobody is handed one */
	assert_int_equal(core_of(c, 1)->role, PAXOS_LEADER);
	assert_true(core_of(c, 1)->ballot > ballot);
	assert_int_equal(propose(c, 2, "after"), 0);
	settle(c);
	assert_true(decided(c, 1, 3, "after"));
	cluster_free(c);
}

static void test_barrier(void **state)
{
	struct cluster *c = led(3);
	struct paxos_message m;

	assert_int_equal(reconfigure(c, 1, SET(1, 2, 3), SET(4)), 0);
	assert_int_equal(propose(c, 1, "behind"), 0);
	assert_int_equal(core_of(c, 1)->next_slot, 2);
	assert_int_equal(queued(c, PAXOS_ACCEPT, 1, 2), 1);
	/* A read may not have its no-op there either. */
	m = message_make(c, PAXOS_FETCH, 2, 1, core_of(c, 1)->ballot);
	m.fetch.first = 2;
	m.fetch.last = 3;
	assert_drop(PAXOS_DROP_NONE, inject(c, &m));
	assert_int_equal(core_of(c, 1)->next_slot, 2);

	deliver(c, PAXOS_ACCEPT, 1, 2);
	deliver(c, PAXOS_ACCEPTED, 2, 1);
	/* Chosen: Commit in the old epoch, and phase 1 in the new one. */
	peek_message(c, PAXOS_COMMIT, 1, 2, &m);
	assert_int_equal(m.epoch, 1);
	assert_int_equal(m.commit, 1);
	peek_message(c, PAXOS_COMMIT, 1, 4, &m);
	peek_message(c, PAXOS_PREPARE, 1, 2, &m);
	assert_int_equal(m.epoch, 2);
	assert_int_equal(m.prepare.first, 2);
	assert_int_equal(queued(c, PAXOS_ACCEPT, 1, 2), 0);
	run(c, 300 * MS);
	assert_true(decided(c, 1, 2, "behind"));
	cluster_free(c);
}

static void test_one_in_flight(void **state)
{
	struct cluster *c = led(3);

	assert_int_equal(reconfigure(c, 1, SET(1, 2, 3), SET(4)), 0);
	assert_int_equal(reconfigure(c, 1, SET(1, 2, 3), SET(5)),
			 -EINPROGRESS);
	run(c, 300 * MS);
	assert_int_equal(reconfigure(c, 1, SET(1, 2, 3), SET(4, 5)), 0);
	run(c, 300 * MS);
	assert_epoch(c, 2, 3);
	cluster_free(c);
}

static void test_refused(void **state)
{
	struct cluster *c = led(4);
	const struct paxos_config *config = &core_of(c, 1)->config;
	struct paxos_config next = config_after(config, SET(1, 2, 3), 0);
	u8 bytes[PAXOS_CONFIG_MAX];
	u32 len;

	assert_int_equal(reconfigure_with(c, 2, &next, "x"), -ENOLINK);
	next.epoch++;
	assert_int_equal(reconfigure_with(c, 1, &next, "x"), -ESTALE);
	next.epoch -= 2;
	assert_int_equal(reconfigure_with(c, 1, &next, "x"), -ESTALE);
	next.epoch = 2;
	next.gone = 0;
	assert_int_equal(reconfigure_with(c, 1, &next, "x"), -EINVAL);
	/* Two for two: 3 of {3,4,5,6} may miss 3 of {1,2,3,4}. */
	next = config_after(config, SET(3, 4, 5, 6), 0);
	assert_int_equal(reconfigure_with(c, 1, &next, "x"), -EDOM);
	next = config_after(config, SET(1, 2, 3), 0);
	len = config_bytes(&next, bytes);
	assert_int_equal(paxos_core_reconfigure(core_of(c, 1), bytes, len - 1,
						c->now + MS, "x", c->now),
			 -EINVAL);
	assert_int_equal(core_of(c, 1)->next_slot, 1);
	assert_null(ended(c, 1, "x"));

	/* Law 3: an id that was given back is not given away again. */
	changed(c, 1, SET(1, 2, 3), 0);
	assert_int_equal(config->gone, SET(4));
	assert_int_equal(reconfigure(c, 1, SET(1, 2, 3), SET(4)),
			 -EKEYREVOKED);
	paxos_core_stop(core_of(c, 1), c->now);
	assert_int_equal(reconfigure(c, 1, SET(1, 2), 0), -EUNATCH);
	cluster_free(c);
}

static void test_quorums_meet(void **state)
{
	struct paxos_config now, next;
	u32 n;

	/* One voter more or less, majorities: they always meet. */
	for (n = 1; n < PAXOS_MEMBERS_MAX; n++) {
		u64 all = ~0ULL >> (64 - n), more = all << 1 | 1;

		assert_int_equal(paxos_config_init(&now, 1, all, 0, 0, 0), 0);
		assert_int_equal(paxos_config_init(&next, 2, more, 0, 0, 0),
				 0);
		assert_int_equal(paxos_config_follows(&now, &next), 0);
		now.epoch = 3;
		now.gone = more & ~all;
		assert_int_equal(paxos_config_follows(&next, &now), 0);
	}
	/* One for another is two changes. */
	assert_int_equal(paxos_config_init(&now, 1, SET(1, 2, 3), 0, 0, 0), 0);
	assert_int_equal(paxos_config_init(&next, 2, SET(1, 2, 4), 0, 0, 0),
			 0);
	next.gone = SET(3);
	assert_int_equal(paxos_config_follows(&now, &next), -EDOM);
	paxos_config_none(&now, SET(1, 2));
	assert_int_equal(paxos_config_follows(&now, &next), -ESTALE);
}

static void test_old_vote(void **state)
{
	struct cluster *c = led(3);
	struct paxos_range range = { .first = 2, .count = 1 };
	struct paxos_message m;

	c->wiped = true;	/* the vote by hand is on no disk */
	changed(c, 1, SET(1, 2, 3), SET(4));
	assert_int_equal(propose(c, 1, "value"), 0);
	m = message_make(c, PAXOS_ACCEPTED, 2, 1, core_of(c, 1)->ballot);
	m.count = 1;
	m.ranges = &range;
	m.epoch = 1;
	assert_drop(PAXOS_DROP_EPOCH, inject(c, &m));
	m.epoch = 3;
	assert_drop(PAXOS_DROP_EPOCH, inject(c, &m));
	assert_int_equal(core_of(c, 1)->commit, 1);
	m.epoch = 2;
	assert_drop(PAXOS_DROP_NONE, inject(c, &m));
	assert_int_equal(core_of(c, 1)->commit, 2);
	cluster_free(c);
}

static void test_old_promise(void **state)
{
	struct cluster *c = led(3);
	struct paxos_message m;

	changed(c, 1, SET(1, 2, 3), SET(4));
	assert_int_equal(campaign(c, 2), 0);
	m = message_make(c, PAXOS_PROMISE, 3, 2, core_of(c, 2)->ballot);
	m.promise.first = core_of(c, 2)->campaign_first;
	m.promise.held = 1;
	assert_drop(PAXOS_DROP_EPOCH, inject(c, &m));
	assert_int_equal(core_of(c, 2)->role, PAXOS_CANDIDATE);
	m.epoch = 2;
	assert_drop(PAXOS_DROP_NONE, inject(c, &m));
	assert_int_equal(core_of(c, 2)->role, PAXOS_LEADER);
	cluster_free(c);
}

static void test_old_prepare(void **state)
{
	struct cluster *c = led(4);
	struct paxos_message m;
	u64 promised;

	/* 4 is removed, and hears nothing of it. */
	assert_int_equal(reconfigure(c, 1, SET(1, 2, 3), 0), 0);
	deliver(c, PAXOS_ACCEPT, 1, 2);
	deliver(c, PAXOS_ACCEPT, 1, 3);
	deliver(c, PAXOS_ACCEPTED, ANY, 1);
	drop(c, ANY, 1, 4);
	run(c, 300 * MS);
	assert_epoch(c, 1, 2);
	assert_epoch(c, 4, 1);
	promised = core_of(c, 2)->promised;
	core_of(c, 4)->seen = B(9, 4);
	assert_int_equal(campaign(c, 4), 0);
	assert_int_equal(deliver(c, PAXOS_PREPARE, 4, 2), 1);
	assert_int_equal(core_of(c, 2)->promised, promised);
	assert_true(core_of(c, 2)->seen < core_of(c, 4)->ballot);
	peek_message(c, PAXOS_CHOSEN, 2, 4, &m);
	assert_int_equal(m.epoch, 2);
	drop(c, PAXOS_PREPARE, 4, ANY);
	settle(c);
	assert_epoch(c, 4, 2);
	assert_int_equal(core_of(c, 4)->role, PAXOS_FOLLOWER);
	assert_int_equal(campaign(c, 4), -EPERM);
	assert_int_equal(core_of(c, 1)->role, PAXOS_LEADER);
	cluster_free(c);
}

static void test_newer_epoch(void **state)
{
	struct cluster *c = led(3);

	/* 3 misses the change, then hears a candidate of the new epoch. */
	assert_int_equal(reconfigure(c, 1, SET(1, 2, 3), SET(4)), 0);
	deliver(c, PAXOS_ACCEPT, 1, 2);
	drop(c, ANY, 1, 3);
	deliver(c, PAXOS_ACCEPTED, 2, 1);
	drop(c, PAXOS_COMMIT, 1, 3);
	assert_int_equal(deliver(c, PAXOS_PREPARE, 1, 3), 1);
	assert_epoch(c, 3, 1);
	assert_int_equal(queued(c, PAXOS_PROMISE, 3, 1), 0);
	assert_int_equal(queued(c, PAXOS_FETCH, 3, 1), 1);
	deliver(c, PAXOS_FETCH, 3, 1);
	deliver(c, PAXOS_CHOSEN, 1, 3);
	assert_epoch(c, 3, 2);
	cluster_free(c);
}

static void test_removed_leader(void **state)
{
	struct cluster *c = led(4);
	struct paxos_message m;

	assert_int_equal(reconfigure(c, 1, SET(2, 3, 4), 0), 0);
	deliver(c, PAXOS_ACCEPT, 1, ANY);
	deliver(c, PAXOS_ACCEPTED, ANY, 1);
	assert_epoch(c, 1, 2);
	assert_int_equal(core_of(c, 1)->role, PAXOS_FOLLOWER);
	assert_int_equal(queued(c, PAXOS_PREPARE, 1, ANY), 0);
	peek_message(c, PAXOS_COMMIT, 1, 3, &m);
	assert_int_equal(m.commit, 1);
	settle(c);
	assert_epoch(c, 3, 2);
	assert_int_equal(core_of(c, 3)->leader, 0);
	assert_int_equal(campaign(c, 1), -EPERM);
	elect(c, 3);
	run(c, 200 * MS);
	assert_int_equal(propose(c, 4, "without it"), 0);
	run(c, 200 * MS);
	assert_true(decided(c, 2, 2, "without it"));
	assert_int_equal(core_of(c, 1)->commit, 1);
	cluster_free(c);
}

/* Of two, one is removed, and only that one knows: it has to say so. */
static void test_last_words_lost(void **state)
{
	struct cluster *c = led(2);

	assert_int_equal(reconfigure(c, 1, SET(2), 0), 0);
	deliver(c, PAXOS_ACCEPT, 1, 2);
	deliver(c, PAXOS_ACCEPTED, 2, 1);
	assert_epoch(c, 1, 2);
	drop(c, ANY, 1, 2);
	assert_epoch(c, 2, 1);
	assert_int_equal(campaign(c, 2), 0);
	settle(c);
	assert_epoch(c, 2, 2);
	elect(c, 2);
	assert_int_equal(propose(c, 2, "alone"), 0);
	settle(c);
	assert_true(decided(c, 2, 2, "alone"));
	cluster_free(c);
}

static void test_removed_vote(void **state)
{
	struct cluster *c = led(4);

	changed(c, 1, SET(1, 2, 3), 0);
	assert_int_equal(propose(c, 1, "value"), 0);
	c->config.epoch = 2;	/* of the messages by hand */
	assert_drop(PAXOS_DROP_SENDER,
		    say_accepted(c, 4, 1, core_of(c, 1)->ballot, 2, 1));
	assert_int_equal(core_of(c, 1)->commit, 1);
	assert_int_equal(queued(c, PAXOS_ACCEPT, 1, 4), 0);
	run(c, 300 * MS);
	assert_true(decided(c, 2, 2, "value"));
	cluster_free(c);
}

/* It hears its leader's last words, and forwards it nothing more. */
static void test_removed_proposes(void **state)
{
	struct cluster *c = led(4);

	changed(c, 1, SET(1, 2, 3), 0);
	assert_epoch(c, 4, 2);
	assert_int_equal(core_of(c, 4)->leader, 1);
	assert_int_equal(propose(c, 4, "from outside"), -ENOLINK);
	assert_null(ended(c, 4, "from outside"));
	assert_int_equal(queued(c, PAXOS_FORWARD, 4, ANY), 0);
	cluster_free(c);
}

static void test_learner_vote(void **state)
{
	struct cluster *c = led(3);

	changed(c, 1, SET(1, 2), SET(3));
	assert_int_equal(propose(c, 1, "value"), 0);
	c->config.epoch = 2;
	assert_drop(PAXOS_DROP_SENDER,
		    say_accepted(c, 3, 1, core_of(c, 1)->ballot, 2, 1));
	assert_int_equal(core_of(c, 1)->commit, 1);
	assert_int_equal(campaign(c, 3), -EPERM);
	settle(c);
	/* And back: it votes again, with what it knew. */
	changed(c, 1, SET(1, 2, 3), 0);
	host_crash(c, 2);
	assert_int_equal(propose(c, 1, "with 3"), 0);
	run(c, 300 * MS);
	assert_true(decided(c, 3, 4, "with 3"));
	cluster_free(c);
}

static void test_joins(void **state)
{
	struct cluster *c = led(3);
	u8 id;

	assert_int_equal(propose(c, 1, "old"), 0);
	settle(c);
	id = cluster_grow(c);
	assert_epoch(c, id, 0);
	assert_int_equal(campaign(c, id), -EPERM);
	assert_drop(PAXOS_DROP_EPOCH, say_prepare(c, 1, id, B(9, 1), 1));
	assert_int_equal(core_of(c, id)->promised, 0);
	assert_int_equal(read_until(c, id, c->now + 500 * MS, "a read"), 0);
	drop(c, ANY, id, ANY);

	changed(c, 1, SET(1, 2, 3), SET(id));
	assert_epoch(c, id, 2);
	assert_true(decided(c, id, 1, "old"));
	/* A read of before knew no voters: it asked them when it did. */
	assert_outcome(PAXOS_OUTCOME_CHOSEN, c, id, "a read");
	changed(c, 1, SET(1, 2, 3, id), 0);
	assert_epoch(c, id, 3);
	host_crash(c, 2);
	assert_int_equal(propose(c, id, "of four three"), 0);
	run(c, 300 * MS);
	assert_true(decided(c, id, 4, "of four three"));
	/* From its disk it comes back as what it became. */
	host_crash(c, id);
	host_restart(c, id);
	assert_epoch(c, id, 3);
	assert_true(paxos_config_votes(&core_of(c, id)->config, id));
	cluster_free(c);
}

static void test_found(void **state)
{
	struct cluster *c = led(3);
	struct paxos_message m;

	/* Proposed by 1, accepted by 2: member 3 finds it, with a barrier. */
	assert_int_equal(reconfigure(c, 1, SET(1, 2, 3), SET(4)), 0);
	deliver(c, PAXOS_ACCEPT, 1, 2);
	host_crash(c, 1);
	drop(c, ANY, ANY, ANY);
	assert_int_equal(campaign(c, 3), 0);
	deliver(c, PAXOS_PREPARE, 3, 2);
	deliver(c, PAXOS_PROMISE, 2, 3);
	assert_int_equal(core_of(c, 3)->role, PAXOS_LEADER);
	assert_int_equal(core_of(c, 3)->barrier, 1);
	assert_int_equal(propose(c, 3, "behind"), 0);
	peek_message(c, PAXOS_ACCEPT, 3, 2, &m);
	assert_int_equal(m.count, 1);
	assert_int_equal(queued(c, PAXOS_ACCEPT, 3, 2), 1);
	assert_int_equal(reconfigure(c, 3, SET(1, 2, 3), SET(5)),
			 -EINPROGRESS);
	run(c, 300 * MS);
	assert_epoch(c, 3, 2);
	assert_true(decided(c, 2, 2, "behind"));
	cluster_free(c);
}

/* 1 has a change in slot 1, and 2 and 3 have chosen y in slot 2 without it. */
static struct cluster *hole(void)
{
	struct cluster *c = led(3);

	assert_int_equal(reconfigure(c, 1, SET(1, 2, 3, 4), 0), 0);
	drop(c, ANY, ANY, ANY);
	cluster_grow(c);
	assert_int_equal(campaign(c, 3), 0);
	drop(c, PAXOS_PREPARE, 3, 1);
	deliver(c, PAXOS_PREPARE, 3, 2);
	deliver(c, PAXOS_PROMISE, 2, 3);
	assert_int_equal(propose(c, 3, "x"), 0);
	drop(c, PAXOS_ACCEPT, 3, ANY);
	assert_int_equal(propose(c, 3, "y"), 0);
	assert_int_equal(deliver(c, PAXOS_ACCEPT, 3, 2), 1);
	return c;
}

/*
 * What was chosen behind the slot of a configuration before that was chosen:
 * 1 proposes the change in slot 1 and is not heard; 3 proposes "x" there, not
 * heard either, and "y" behind, which is chosen; 1 finds its own change again.
 */
static void test_hole(void **state)
{
	struct cluster *c = hole();

	host_crash(c, 3);
	drop(c, ANY, ANY, ANY);

	/* The old leader is deposed by what it sees, and begins again. */
	paxos_core_tick(core_of(c, 1), c->now);
	core_of(c, 1)->seen = B(9, 3);
	host_crash(c, 1);
	host_restart(c, 1);
	core_of(c, 1)->seen = B(9, 3);
	assert_int_equal(campaign(c, 1), 0);
	run(c, 1000 * MS);
	assert_epoch(c, 1, 2);
	assert_true(decided_noop(c, 1, 1));
	assert_true(decided(c, 1, 2, "y"));
	cluster_free(c);
}

/* Slot 1: epoch 2 without 3. Slot 2: epoch 2 with 4. The first one holds. */
/*
 * The same, but 3 lives and knows that y is chosen in slot 2: it tells who
 * proposed it. A read of the new configuration must not miss that, though
 * n - q2 + 1 of four voters are two, and 1 and 4 never saw y.
 */
static void test_read_hole(void **state)
{
	struct cluster *c = hole();

	deliver(c, PAXOS_ACCEPTED, 2, 3);
	assert_true(paxos_core_chosen(core_of(c, 3), 2));
	drop(c, ANY, ANY, ANY);

	/* 1 has the change chosen by itself and 2. */
	host_crash(c, 1);
	host_restart(c, 1);
	core_of(c, 1)->seen = B(9, 3);
	assert_int_equal(campaign(c, 1), 0);
	deliver(c, PAXOS_PREPARE, 1, 2);
	deliver(c, PAXOS_PROMISE, 2, 1);
	deliver(c, PAXOS_ACCEPT, 1, 2);
	deliver(c, PAXOS_ACCEPTED, 2, 1);
	assert_epoch(c, 1, 2);
	/* Its phase 1 of epoch 2 is under way, and hears nothing yet. */
	drop(c, PAXOS_PREPARE, 1, ANY);

	/* 3 and 4 learn the change; behind it, 3 has delivered y. */
	deliver(c, PAXOS_COMMIT, 1, ANY);
	drop(c, PAXOS_ACCEPTED, ANY, ANY);
	deliver(c, PAXOS_FETCH, 3, 1);
	deliver(c, PAXOS_FETCH, 4, 1);
	deliver(c, PAXOS_CHOSEN, 1, ANY);
	assert_true(decided(c, 3, 2, "y"));
	assert_epoch(c, 4, 2);
	drop(c, ANY, ANY, ANY);

	assert_int_equal(read_until(c, 4, c->now + 900 * MS, "a read"), 0);
	deliver(c, PAXOS_READ, 4, 1);
	deliver(c, PAXOS_READ_REPLY, 1, 4);
	assert_null(ended(c, 4, "a read"));
	run(c, 900 * MS);
	assert_outcome(PAXOS_OUTCOME_CHOSEN, c, 4, "a read");
	assert_true(decided(c, 4, 2, "y"));
	cluster_free(c);
}

static void test_first_of_epoch(void **state)
{
	struct cluster *c = cluster_of(3);
	struct paxos_config one = config_after(&c->config, SET(1, 2), 0);
	struct paxos_config two = config_after(&c->config, SET(1, 2, 3),
					       SET(4));
	u8 bytes[2][PAXOS_CONFIG_MAX];
	struct paxos_item items[2];
	struct paxos_message m;
	u32 i;

	c->wiped = true;
	for (i = 0; i < 2; i++) {
		items[i] = item_make(i + 1, B(1, 1), 1, i + 1, "");
		items[i].kind = PAXOS_CONFIG;
		items[i].bytes = bytes[i];
		items[i].len = config_bytes(i ? &two : &one, bytes[i]);
	}
	m = message_make(c, PAXOS_CHOSEN, 1, 2, B(1, 1));
	m.chosen.held = 1;
	m.items = items;
	m.count = 2;
	assert_drop(PAXOS_DROP_NONE, inject(c, &m));
	assert_epoch(c, 2, 2);
	assert_int_equal(core_of(c, 2)->config.voters, SET(1, 2));
	assert_int_equal(core_of(c, 2)->config_slot, 1);
	assert_int_equal(core_of(c, 2)->commit, 2);
	cluster_free(c);
}

static void test_restart(void **state)
{
	struct cluster *c = led(3);
	const struct disk_record *r;
	struct paxos_record_view view;

	changed(c, 1, SET(1, 2, 3), SET(4));
	host_crash(c, 2);
	host_restart(c, 2);
	assert_epoch(c, 2, 2);
	assert_int_equal(core_of(c, 2)->config_slot, 1);

	/* The records of the slot may be gone, if the last Config is kept. */
	r = disk_find(c, 1, PAXOS_RECORD_CONFIG, 1, 0);
	assert_non_null(r);
	view = r->view;
	host_crash(c, 3);
	host_boot(c, 3);
	core_of(c, 3)->commit = 0;
	view.lsn = 1;
	assert_int_equal(paxos_core_restore(core_of(c, 3), &view), 0);
	assert_epoch(c, 3, 1);		/* no Commit said so yet */
	core_of(c, 3)->commit = c->hosts[3]->delivered = 1;
	core_of(c, 3)->log.first = 2;
	core_of(c, 3)->log.last = 1;
	view.lsn = 2;
	assert_int_equal(paxos_core_restore(core_of(c, 3), &view), 0);
	assert_epoch(c, 3, 2);
	view.lsn = 3;
	view.item.len--;
	assert_int_equal(paxos_core_restore(core_of(c, 3), &view), -EINVAL);
	cluster_free(c);
}

/* It outlives its slot: what is in force is held as long as it is. */
static void test_survives_trimming(void **state)
{
	struct cluster *c = led(3);
	u32 i;

	changed(c, 1, SET(1, 2, 3), SET(4));
	for (i = 0; i < 3 * c->settings.log_size; i++) {
		assert_int_equal(propose(c, 1, "x"), 0);
		settle(c);
		advance(c, PAXOS_COMMIT_FLUSH_US / 8);
	}
	settle(c);
	assert_true(core_of(c, 1)->log.first > 1);
	assert_int_equal(core_of(c, 1)->config_len, PAXOS_CONFIG_SIZE(4));
	assert_epoch(c, 1, 2);
	cluster_free(c);
}

static void test_read(void **state)
{
	struct cluster *c = led(3);

	/* 3 reads: its quorum of epoch 1 names slot 1, not chosen here yet. */
	assert_int_equal(reconfigure(c, 1, SET(1, 2, 3, 4), 0), 0);
	deliver(c, PAXOS_ACCEPT, 1, 2);
	drop(c, ANY, 1, 3);
	assert_int_equal(read_until(c, 3, c->now + 900 * MS, "a read"), 0);
	deliver(c, PAXOS_READ, 3, 2);
	deliver(c, PAXOS_READ_REPLY, 2, 3);
	assert_null(ended(c, 3, "a read"));
	/* What it waits for is the configuration: behind it others decide. */
	deliver(c, PAXOS_ACCEPTED, 2, 1);
	deliver(c, PAXOS_COMMIT, 1, 3);
	drop(c, PAXOS_READ, 3, ANY);
	deliver(c, PAXOS_FETCH, 3, 1);
	deliver(c, PAXOS_CHOSEN, 1, 3);
	assert_epoch(c, 3, 2);
	assert_null(ended(c, 3, "a read"));
	run(c, 500 * MS);
	assert_outcome(PAXOS_OUTCOME_CHOSEN, c, 3, "a read");
	cluster_free(c);
}

/* The end of a change that the next leader overrode is not known here. */
static void test_unknown(void **state)
{
	struct cluster *c = led(3);

	assert_int_equal(reconfigure(c, 1, SET(1, 2, 3), SET(4)), 0);
	drop(c, ANY, ANY, ANY);
	assert_int_equal(campaign(c, 2), 0);
	drop(c, PAXOS_PREPARE, 2, 1);
	settle(c);
	assert_int_equal(propose(c, 2, "instead"), 0);
	run(c, 1000 * MS);
	assert_true(decided(c, 1, 1, "instead"));
	assert_epoch(c, 1, 1);
	assert_null(ended(c, 1, the_change));	/* nor is it forwarded */
	run(c, 10000 * MS);
	assert_outcome(PAXOS_OUTCOME_UNKNOWN, c, 1, the_change);
	cluster_free(c);
}

static void test_layout(void **state)
{
	static const u8 bytes[] = {
		0x10, 0, 0, 0, 0, 0, 0, 0,		/* gone: 5 */
		7, 0, 0, 0, 2, 1, 2, 0,			/* epoch, q1, q2, n */
		1, 0, 4, 0, 0xe8, 0x1c, 0, 0, 0, 0, 0, 0,
		10, 77, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		9, 0, 4, 0, 0xe8, 0x1c, 0, 0, 0, 0, 0, 0,
		10, 77, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	};
	u8 copy[sizeof(bytes) + 1], out[PAXOS_CONFIG_MAX];
	struct paxos_config config;
	struct paxos_member member;
	static const struct {
		u8 at, value;
	} wrong[] = {
		{ 15, 1 }, { 14, 1 }, { 14, 3 }, { 12, 0 }, { 13, 0 },
		{ 12, 3 }, { 12, 1 }, { 8, 0 }, { 16, 0 }, { 16, 9 },
		{ 16, 10 }, { 44, 65 }, { 17, 2 }, { 22, 1 }, { 0, 0x11 },
	};
	u32 i;

	assert_int_equal(paxos_wire_config_decode(bytes, sizeof(bytes),
						  &config), 0);
	assert_int_equal(config.epoch, 7);
	assert_int_equal(config.voters, SET(1, 9));
	assert_int_equal(config.gone, SET(5));
	assert_int_equal(config.q1, 2);
	paxos_wire_config_member(bytes, 1, &member);
	assert_int_equal(member.id, 9);
	assert_int_equal(member.port, 7400);
	assert_int_equal(member.address[3], 9);
	assert_int_equal(config_bytes(&config, out), sizeof(bytes));
	assert_memory_equal(out, bytes, sizeof(bytes));

	memcpy(copy, bytes, sizeof(bytes));
	copy[sizeof(bytes)] = 0;
	for (i = 0; i < sizeof(bytes); i++)
		assert_int_equal(paxos_wire_config_decode(copy, i, &config),
				 -EINVAL);
	assert_int_equal(paxos_wire_config_decode(copy, sizeof(copy), &config),
			 -EINVAL);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		memcpy(copy, bytes, sizeof(bytes));
		copy[wrong[i].at] = wrong[i].value;
		assert_int_equal(paxos_wire_config_decode(copy, sizeof(bytes),
							  &config), -EINVAL);
	}
}

/* One on the wire is checked with its datagram; and it is never forwarded. */
static void test_on_the_wire(void **state)
{
	struct cluster *c = led(3);
	struct paxos_config next = config_after(&c->config, SET(1, 2), 0);
	u8 bytes[PAXOS_CONFIG_MAX];
	struct paxos_message m = message_make(c, PAXOS_ACCEPT, 2, 3, B(9, 2));
	struct paxos_item item = item_make(1, B(9, 2), 2, 1, "");

	item.kind = PAXOS_CONFIG;
	item.bytes = bytes;
	item.len = config_bytes(&next, bytes);
	m.items = &item;
	m.count = 1;
	assert_drop(PAXOS_DROP_NONE, inject(c, &m));
	bytes[12] = 9;		/* q1 */
	assert_drop(PAXOS_DROP_MALFORMED, inject(c, &m));
	bytes[12] = next.q1;
	m = message_make(c, PAXOS_FORWARD, 2, 1, 0);
	item.slot = item.ballot = 0;
	m.items = &item;
	m.count = 1;
	assert_drop(PAXOS_DROP_MALFORMED, inject(c, &m));
	cluster_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a configuration chosen in slot s holds behind s",
		     test_takes_effect),
		TEST("barrier: nothing behind a change until it is chosen, then phase 1",
		     test_barrier),
		TEST("one change in flight", test_one_in_flight),
		TEST("a change that may not be is refused, each with its reason",
		     test_refused),
		TEST("new Prepare quorums meet old Accept quorums",
		     test_quorums_meet),
		TEST("a vote of another epoch is no vote", test_old_vote),
		TEST("a promise of another epoch is no promise",
		     test_old_promise),
		TEST("who was removed and does not know is told, and disturbs nobody",
		     test_old_prepare),
		TEST("who hears of a newer epoch fetches it", test_newer_epoch),
		TEST("a leader that is removed tells the others and steps down",
		     test_removed_leader),
		TEST("a removed member still shows what was chosen",
		     test_last_words_lost),
		TEST("the vote of a removed member does not count",
		     test_removed_vote),
		TEST("a removed member forwards nothing to the leader it heard",
		     test_removed_proposes),
		TEST("the vote of a learner does not count until it is promoted",
		     test_learner_vote),
		TEST("a new host waits for its configuration, learns, then votes",
		     test_joins),
		TEST("a change found in phase 1 is a barrier, too", test_found),
		TEST("what was chosen behind a change before it was stays chosen",
		     test_hole),
		TEST("new Read quorums meet old Accept quorums",
		     test_read_hole),
		TEST("of two changes of one epoch the first holds",
		     test_first_of_epoch),
		TEST("a restart comes back in its epoch", test_restart),
		TEST("a configuration outlives its slot",
		     test_survives_trimming),
		TEST("a read over a change asks the new voters", test_read),
		TEST("law 7: a change that was overridden ends as unknown",
		     test_unknown),
		TEST("the bytes of a configuration", test_layout),
		TEST("a configuration in a datagram is checked",
		     test_on_the_wire),
	};

	return RUN_TESTS(tests);
}
