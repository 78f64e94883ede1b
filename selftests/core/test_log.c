// SPDX-License-Identifier: GPL-2.0
/* The ring of slots: what it holds, refuses and forgets. */
#include "unit.h"

static void test_ring(void **state)
{
	struct paxos_entry entries[8];
	struct paxos_log log;
	u64 slot;

	memset(entries, 0xa5, sizeof(entries));
	paxos_log_init(&log, entries, 8);
	assert_int_equal(log.first, 1);
	assert_int_equal(log.last, 0);
	for (slot = 0; slot < 40; slot++) {
		struct paxos_entry *entry = paxos_log_entry(&log, slot);

		if (slot < 1 || slot > 8) {
			assert_null(entry);
			continue;
		}
		assert_non_null(entry);
		assert_null(entry->value);
		assert_null(entry->found);
		assert_int_equal(entry->ballot, 0);
		assert_int_equal(entry->votes, 0);
		assert_int_equal(entry->flags, 0);
	}
}

static void test_no_wrap(void **state)
{
	struct paxos_entry entries[8];
	struct paxos_log log;

	paxos_log_init(&log, entries, 8);
	log.first = ~0ULL - 3;
	log.last = log.first - 1;
	assert_non_null(paxos_log_entry(&log, ~0ULL));
	assert_non_null(paxos_log_entry(&log, ~0ULL - 3));
	assert_null(paxos_log_entry(&log, ~0ULL - 4));
	assert_null(paxos_log_entry(&log, 0));
	assert_null(paxos_log_entry(&log, 1));
}

static struct cluster *voter(void)
{
	struct cluster *c = cluster_make(3);

	c->wiped = true;	/* the other votes are on no disk here */
	host_boot(c, 1);
	host_start(c, 1);
	return c;
}

static void test_undecided_stays(void **state)
{
	struct cluster *c = voter();
	u32 size = c->settings.log_size;
	u64 slot;

	for (slot = 1; slot <= size; slot++)
		say_accept(c, 2, 1, B(1, 2), slot, "open", 0);
	assert_drop(PAXOS_DROP_WINDOW,
		    say_accept(c, 2, 1, B(1, 2), size + 1, "more", 0));
	for (slot = 1; slot <= size; slot++)
		assert_non_null(paxos_log_entry(&core_of(c, 1)->log,
						slot)->value);
	cluster_free(c);
}

static void test_not_durable_stays(void **state)
{
	struct cluster *c = voter();
	u32 size = c->settings.log_size;
	u64 slot;

	/* Chosen and delivered, but the disk does not know: a replay would
	 * not find the room.
	 */
	disk_slow(c, 1, true);
	for (slot = 1; slot <= size; slot++)
		say_accept(c, 2, 1, B(1, 2), slot, "value", slot - 1);
	assert_int_equal(core_of(c, 1)->commit, size - 1);
	assert_drop(PAXOS_DROP_WINDOW,
		    say_accept(c, 2, 1, B(1, 2), size + 1, "more", size));
	assert_int_equal(core_of(c, 1)->log.first, 1);
	/* It asks for a write, and then has the room. */
	assert_true(c->hosts[1]->wants_write);
	disk_flush(c, 1);
	assert_drop(PAXOS_DROP_NONE,
		    say_accept(c, 2, 1, B(1, 2), size + 1, "more", size));
	assert_true(core_of(c, 1)->log.first > 1);
	cluster_free(c);
}

static void test_trimmed_is_chosen(void **state)
{
	struct cluster *c = voter();
	u32 size = c->settings.log_size;
	u64 slot;

	for (slot = 1; slot <= 2 * size; slot++)
		say_accept(c, 2, 1, B(1, 2), slot, "value", slot - 1);
	assert_true(core_of(c, 1)->log.first > 1);
	assert_true(paxos_core_chosen(core_of(c, 1), 1));
	assert_true(paxos_core_chosen(core_of(c, 1), size));
	assert_false(paxos_core_chosen(core_of(c, 1), 2 * size));
	assert_false(paxos_core_chosen(core_of(c, 1), 2 * size + 1));
	assert_false(paxos_core_chosen(core_of(c, 1), ~0ULL));
	/* Values of what was trimmed were given back. */
	assert_true(c->hosts[1]->values <= size);
	cluster_free(c);
}

static void test_wraps_clean(void **state)
{
	struct cluster *c = voter();
	u32 size = c->settings.log_size;
	struct paxos_entry *entry;
	u64 slot;

	/* A place in the ring serves its next slot with nothing left of the
	 * last: no votes, no flags, no value found.
	 */
	for (slot = 1; slot <= size; slot++)
		say_accept(c, 2, 1, B(1, 2), slot, "value", slot - 1);
	say_commit(c, 2, 1, B(1, 2), size);
	advance(c, 5000 * MS);
	say_accept(c, 2, 1, B(1, 2), size + 8, "far", size);
	for (slot = size + 1; slot < size + 8; slot++) {
		entry = paxos_log_entry(&core_of(c, 1)->log, slot);
		assert_non_null(entry);
		assert_null(entry->value);
		assert_null(entry->found);
		assert_int_equal(entry->ballot, 0);
		assert_int_equal(entry->votes, 0);
		assert_int_equal(entry->flags, 0);
	}
	assert_int_equal(core_of(c, 1)->log.last, size + 8);
	cluster_free(c);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST("the log holds [first, first + size), and starts empty",
		     test_ring),
		TEST("the last slots there are do not wrap to the first",
		     test_no_wrap),
		TEST("pitfall: a ring that overwrites: an undecided slot stays",
		     test_undecided_stays),
		TEST("a chosen slot stays until the disk knows that it is",
		     test_not_durable_stays),
		TEST("what is trimmed was chosen, and gives its memory back",
		     test_trimmed_is_chosen),
		TEST("a place in the ring is clean for its next slot",
		     test_wraps_clean),
	};

	return RUN_TESTS(tests);
}
