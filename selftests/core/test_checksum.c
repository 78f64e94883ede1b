// SPDX-License-Identifier: GPL-2.0
/* One number for all that was delivered: the same where the log is the same. */
#include "unit.h"

static struct cluster *with_slots(u32 slots)
{
	struct cluster *c = cluster_of(3);
	u32 i;

	elect(c, 1);
	for (i = 0; i < slots; i++) {
		assert_int_equal(propose(c, 1 + i % 3, "value"), 0);
		run(c, 5 * MS);
	}
	run(c, 1000 * MS);
	return c;
}

/* What a lone core makes of these values. */
static u64 sum_of(const struct paxos_item *items, u32 count)
{
	struct cluster *c = cluster_make(3);
	u64 sum;
	u32 i;

	c->wiped = true;
	host_boot(c, 1);
	host_start(c, 1);
	for (i = 0; i < count; i++)
		assert_int_equal(learn(c, 1, &items[i]), 0);
	assert_int_equal(core_of(c, 1)->commit, count);
	sum = paxos_core_checksum(core_of(c, 1), count);
	assert_true(sum != 0);
	cluster_free(c);
	return sum;
}

/* A value that is chosen twice, at a member that has forgotten the first. */
static void test_delivered(void **state)
{
	struct paxos_item item = item_make(1, B(1, 2), 2, 1, "once");
	struct cluster *c = cluster_make(3), *d = cluster_make(3);

	c->wiped = true;
	d->wiped = true;
	host_boot(c, 1);
	host_start(c, 1);
	host_boot(d, 1);
	host_start(d, 1);
	assert_int_equal(learn(c, 1, &item), 0);
	assert_int_equal(learn(d, 1, &item), 0);
	assert_int_equal(core_of(c, 1)->checksum, core_of(d, 1)->checksum);
	memset(core_of(d, 1)->delivered, 0, sizeof(core_of(d, 1)->delivered));
	item.slot = 2;
	assert_int_equal(learn(c, 1, &item), 0);
	assert_int_equal(learn(d, 1, &item), 0);
	assert_true(paxos_core_checksum(core_of(c, 1), 2) !=
		    paxos_core_checksum(core_of(d, 1), 2));
	cluster_free(c);
	cluster_free(d);
}

static void test_same(void **state)
{
	struct cluster *c = with_slots(200);
	const u64 commit = core_of(c, 1)->commit;
	u64 slot;
	u32 id;

	assert_true(commit >= 200);
	for (id = 2; id <= 3; id++)
		for (slot = 1; slot <= commit; slot++)
			assert_int_equal(
				paxos_core_checksum(core_of(c, id), slot),
				paxos_core_checksum(core_of(c, 1), slot));
	assert_true(paxos_core_checksum(core_of(c, 1), commit) != 0);
	assert_true(paxos_core_checksum(core_of(c, 1), 64) != 0);
	cluster_free(c);
}

static void test_kept(void **state)
{
	struct cluster *c = with_slots(200);
	const struct paxos_core *core = core_of(c, 1);
	const u64 commit = core->commit;
	u64 slot;

	for (slot = 1; slot <= commit + 1; slot++) {
		const bool kept = slot <= commit &&
			(slot + PAXOS_CHECKSUMS_RECENT > commit ||
			 slot % PAXOS_CHECKSUM_EVERY == 0);

		assert_int_equal(paxos_core_checksum(core, slot) != 0, kept);
	}
	assert_int_equal(paxos_core_checksum(core, 0), 0);
	assert_int_equal(paxos_core_checksum(core, ~0ULL), 0);
	cluster_free(c);
}

static void test_rings(void **state)
{
	const u64 first = PAXOS_CHECKSUM_EVERY * (PAXOS_CHECKSUM_MARKS + 1ULL);
	struct paxos_core core = { .commit = first - 1 };

	/* No more than the keeping of it: the marks' ring comes round. */
	core.marks[1] = 7;
	assert_int_equal(paxos_core_checksum(&core, PAXOS_CHECKSUM_EVERY), 7);
	core.commit = first;
	assert_int_equal(paxos_core_checksum(&core, PAXOS_CHECKSUM_EVERY), 0);
	core.recent[first % PAXOS_CHECKSUMS_RECENT] = 9;
	assert_int_equal(paxos_core_checksum(&core, first), 9);
}

static void test_any_change(void **state)
{
	const char text[] = "forty-three bytes, so that no word is left out";
	struct paxos_item item = item_make(1, B(1, 2), 2, 1, text);
	const u64 sum = sum_of(&item, 1);
	u8 bytes[sizeof(text)];
	u32 bit;

	item.bytes = bytes;
	for (bit = 0; bit < item.len * 8; bit++) {
		memcpy(bytes, text, sizeof(text));
		bytes[bit / 8] ^= 1 << bit % 8;
		assert_true(sum_of(&item, 1) != sum);
	}
	item.bytes = (const u8 *)text;
	assert_true(sum_of(&item, 1) == sum);
	item.len--;
	assert_true(sum_of(&item, 1) != sum);
	item.len++;
	item.origin.seq++;
	assert_true(sum_of(&item, 1) != sum);
	item.origin.seq--;
	item.origin.incarnation++;
	assert_true(sum_of(&item, 1) != sum);
	item.origin.incarnation--;
	item.origin.member++;
	assert_true(sum_of(&item, 1) != sum);
	/* In which ballot a member learnt it is another matter. */
	item.origin.member--;
	item.ballot = B(9, 3);
	assert_true(sum_of(&item, 1) == sum);
}

/* Zeros at the end of a value, and values that change places. */
static void test_order(void **state)
{
	struct paxos_item items[3] = {
		item_make(1, B(1, 2), 2, 1, "a"),
		item_make(2, B(1, 2), 2, 2, "b"),
		item_make(3, B(1, 2), 2, 3, "c"),
	};
	const u64 sum = sum_of(items, 3);

	items[0].origin.seq = 2;
	items[1].origin.seq = 1;
	assert_true(sum_of(items, 3) != sum);
	items[0].origin.seq = 1;
	items[1].origin.seq = 2;
	assert_true(sum_of(items, 3) == sum);
	/* A value that was delivered before, and a no-op in its place. */
	items[2] = item_make(3, B(1, 2), 2, 2, "b");
	assert_true(sum_of(items, 3) != sum);
	items[2] = item_noop(3, B(1, 2));
	assert_true(sum_of(items, 3) != sum);
}

/* Two that differ in one slot stay different over a hundred equal ones. */
static void test_for_good(void **state)
{
	struct paxos_item one[100], other[100];
	u32 i;

	for (i = 0; i < 100; i++)
		one[i] = other[i] = item_make(i + 1, B(1, 2), 2, i + 1, "x");
	other[0] = item_make(1, B(1, 2), 2, 1, "y");
	for (i = 1; i <= 100; i++)
		assert_true(sum_of(one, i) != sum_of(other, i));
}

static void test_restart(void **state)
{
	struct cluster *c = with_slots(150);
	const u64 commit = core_of(c, 2)->commit;
	const u64 sum = paxos_core_checksum(core_of(c, 2), commit);

	host_crash(c, 2);
	host_restart(c, 2);
	run(c, 2000 * MS);
	assert_true(core_of(c, 2)->commit >= commit);
	assert_int_equal(paxos_core_checksum(core_of(c, 2), commit), sum);
	assert_int_equal(paxos_core_checksum(core_of(c, 2), 64),
			 paxos_core_checksum(core_of(c, 1), 64));
	cluster_free(c);
}

/* Who begins behind a slot has its checksum from the checkpoint, no others. */
static void test_begins_later(void **state)
{
	struct cluster *c = with_slots(150);
	const u64 slot = core_of(c, 1)->commit;
	u8 bytes[PAXOS_CHECKPOINT_MAX];
	const u32 len = paxos_core_checkpoint(core_of(c, 1), bytes);
	const u64 sum = paxos_core_checksum(core_of(c, 1), slot);
	struct paxos_item next = item_make(slot + 1, B(9, 1), 9, 1, "next");
	u8 id = cluster_grow(c);

	c->wiped = true;
	assert_int_equal(begin(c, id, slot, bytes, len), 0);
	assert_int_equal(paxos_core_checksum(core_of(c, id), slot), sum);
	assert_int_equal(paxos_core_checksum(core_of(c, id), slot - 1), 0);
	assert_int_equal(paxos_core_checksum(core_of(c, id), 64), 0);
	assert_int_equal(learn(c, id, &next), 0);
	assert_int_equal(learn(c, 1, &next), 0);
	assert_int_equal(paxos_core_checksum(core_of(c, id), slot + 1),
			 paxos_core_checksum(core_of(c, 1), slot + 1));
	host_crash(c, id);
	host_restart(c, id);
	assert_int_equal(paxos_core_checksum(core_of(c, id), slot), sum);
	cluster_free(c);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST("all members have the same checksum of each slot",
		     test_same),
		TEST("kept are the last slots, and each 64th", test_kept),
		TEST("what the rings have lost is not known", test_rings),
		TEST("any bit of a value changes the checksum, its ballot does not",
		     test_any_change),
		TEST("what one member delivers and another does not, differs",
		     test_delivered),
		TEST("so do places, repetitions and no-ops", test_order),
		TEST("checksums that differ once differ for good",
		     test_for_good),
		TEST("a replay comes to the same checksum", test_restart),
		TEST("who begins behind a slot goes on from its checksum",
		     test_begins_later),
	};

	return RUN_TESTS(tests);
}
