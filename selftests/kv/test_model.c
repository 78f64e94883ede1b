// SPDX-License-Identifier: GPL-2.0
/*
 * Random logs: the store is what a naive model of it is, at every member, and
 * a snapshot at any slot and the rest of the log make the same store.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/random.h>
#include "model.h"
#include "store.h"

#define FIXED	20261123
#define RUNS	12
#define SLOTS	1500

struct entry {
	u32 len;
	u8 *bytes;
};

static struct entry entries[SLOTS + 1];
static struct model model;
static u64 statuses[KV_STATUSES];

static void same(const struct kv_pair *a, const struct kv_pair *b)
{
	assert_int_equal(a->key_len, b->key_len);
	assert_memory_equal(a->key, b->key, a->key_len);
	assert_int_equal(a->value_len, b->value_len);
	if (a->value_len)
		assert_memory_equal(a->value, b->value, a->value_len);
	assert_int_equal(a->create, b->create);
	assert_int_equal(a->mod, b->mod);
	assert_int_equal(a->version, b->version);
	assert_int_equal(a->lease, b->lease);
}

/* A revision of the past, or now. */
static u64 draw_revision(struct random *random, const struct kv_store *store)
{
	return random_below(random, 2) ? 0 :
	       random_between(random, 1, store->applied + 1);
}

static void check_get(struct random *random, const struct kv_store *store)
{
	u64 revision = draw_revision(random, store);
	struct kv_pair got, is;
	u8 key[4];
	u16 len = draw_key(random, key);
	int err = kv_get(store, key, len, revision, &got);

	if (revision > store->applied)
		assert_int_equal(err, -ERANGE);
	else if (revision && revision < model.compacted)
		assert_int_equal(err, -ESTALE);
	else if (!model_get(&model, key, len, revision, &is))
		assert_int_equal(err, -ENOENT);
	else
		same(&got, &is);
}

struct walk {
	u8 last[4];
	u16 last_len;
	u64 revision;
	u32 count;
	u32 at;
	u32 room;
	u16 prefix_len;
	u8 prefix[4];
};

static bool walk_pair(void *context, const struct kv_pair *pair)
{
	struct walk *walk = context;
	struct kv_pair is;

	if (!walk->room)
		return false;
	walk->room--;
	/* in order */
	if (walk->last_len)
		assert_true(strcmp((char *)walk->last,
				   strndupa((char *)pair->key,
					    pair->key_len)) < 0);
	assert_true(model_get(&model, pair->key, pair->key_len, walk->revision,
			      &is));
	same(pair, &is);
	memcpy(walk->last, pair->key, pair->key_len);
	walk->last[pair->key_len] = 0;
	walk->last_len = pair->key_len;
	walk->count++;
	return true;
}

/* All keys of a prefix, page by page, each page of another size. */
static void check_range(struct random *random, const struct kv_store *store)
{
	struct walk walk = { .revision = draw_revision(random, store) };
	struct kv_range range = { .revision = walk.revision };
	struct kv_pair pair;
	u8 prefix[4], key[4] = { 0 };
	u32 count = 0;

	if ((walk.revision && walk.revision < model.compacted) ||
	    walk.revision > store->applied)
		return;
	range.prefix = prefix;
	range.prefix_len = draw_key(random, prefix) % 3;
	do {
		range.after = walk.last_len ? walk.last : NULL;
		range.after_len = walk.last_len;
		range.limit = random_below(random, 4);
		walk.room = random_between(random, 1, 5);
		assert_int_equal(kv_get_range(store, &range, walk_pair, &walk),
				 0);
	} while (range.more);
	/* every key that there may be, of up to three letters of a, b, c */
	for (int i = 1; i < 64; i++) {
		u16 len = i < 4 ? 1 : i < 16 ? 2 : 3;
		bool fine = true;

		for (int j = 0; j < len; j++) {
			key[j] = 'a' - 1 + (i >> 2 * (len - 1 - j) & 3);
			fine &= key[j] >= 'a';
		}
		count += fine && len >= range.prefix_len &&
			 !memcmp(key, prefix, range.prefix_len) &&
			 model_get(&model, key, len, walk.revision, &pair);
	}
	assert_int_equal(walk.count, count);
}

static bool walk_event(void *context, const struct kv_pair *pair)
{
	struct walk *walk = context;
	const struct model_event *is;

	if (!walk->room)
		return false;
	walk->room--;
	do {
		assert_true(walk->at < model.n);
		is = &model.events[walk->at++];
	} while (is->revision < walk->revision ||
		 is->key_len < walk->prefix_len ||
		 memcmp(is->key, walk->prefix, walk->prefix_len));
	assert_int_equal(pair->mod, is->revision);
	assert_int_equal(!pair->version, is->deleted);
	assert_int_equal(pair->key_len, is->key_len);
	assert_memory_equal(pair->key, is->key, is->key_len);
	assert_int_equal(pair->value_len, is->value_len);
	if (is->value_len)
		assert_memory_equal(pair->value, is->value, is->value_len);
	walk->count++;
	return true;
}

static void check_watch(struct random *random, const struct kv_store *store)
{
	struct walk walk = {
		.revision = random_between(random, 1, store->applied + 1),
	};
	struct kv_position position = { .revision = walk.revision };
	u32 count = 0;
	int taken;

	walk.prefix_len = draw_key(random, walk.prefix) % 3;
	for (u32 i = 0; i < model.n; i++)
		count += model.events[i].revision >= walk.revision &&
			 model.events[i].key_len >= walk.prefix_len &&
			 !memcmp(model.events[i].key, walk.prefix,
				 walk.prefix_len);
	do {
		walk.room = random_between(random, 1, 20);
		taken = kv_watch(store, &position, walk.prefix, walk.prefix_len,
				 false, walk_event, &walk);
		if (walk.revision <= model.compacted) {
			assert_int_equal(taken, -ESTALE);
			return;
		}
		assert_true(taken >= 0);
	} while (position.revision <= store->applied);
	assert_int_equal(walk.count, count);
}

/* A member that is short of memory at times: it tries again. */
static void apply_poor(struct random *random, struct kv_store *store, u64 slot)
{
	struct kv_result result = { 0 };
	int err;

	do {
		memory_left = random_below(random, 4);
		err = kv_apply(store, slot, entries[slot].bytes,
			       entries[slot].len, &result);
		memory_left = 0;
	} while (err == -ENOMEM);
	assert_int_equal(err, 0);
}

/* Whatever comes between the pieces. */
static void restore(struct saved *saved, u64 slot, u64 expected)
{
	struct kv_store copy;
	struct kv_result result = { 0 };

	kv_store_init(&copy, memory_get, free, slot);
	assert_int_equal(kv_store_load(&copy, saved_read, NULL, saved), 0);
	assert_int_equal(copy.applied, slot);
	while (++slot <= SLOTS)
		assert_int_equal(kv_apply(&copy, slot, entries[slot].bytes,
					  entries[slot].len, &result), 0);
	assert_true(digest(&copy) == expected);
	kv_store_clear(&copy);
}

#define VIEWS	4

static void run(u64 seed)
{
	struct kv_view *views[VIEWS] = { NULL };
	struct saved saved[VIEWS] = { { 0 } };
	u64 pinned[VIEWS];
	static u8 bytes[KV_ENTRY_MAX];
	struct kv_store store, poor;
	struct kv_result result = { 0 };
	struct random random;
	int status, i;

	random_seed(&random, seed);
	memset(&model, 0, sizeof(model));
	model.limit = KV_LIMIT_DEFAULT;
	kv_store_init(&store, memory_get, free, seed);
	kv_store_init(&poor, memory_get, free, seed + 1);
	for (i = 0; i < VIEWS; i++)
		pinned[i] = random_between(&random, 1, SLOTS - 100);
	for (u64 slot = 1; slot <= SLOTS; slot++) {
		struct entry *entry = &entries[slot];

		entry->len = draw_entry(&random, slot, bytes);
		entry->bytes = malloc(entry->len + 1);
		memcpy(entry->bytes, bytes, entry->len);
		assert_int_equal(kv_apply(&store, slot, entry->bytes,
					  entry->len, &result), 0);
		status = model_apply(&model, slot, entry->bytes, entry->len);
		assert_int_equal(result.status, status);
		assert_int_equal(result.deleted, model.deleted);
		assert_int_equal(result.succeeded, model.succeeded);
		statuses[status]++;
		apply_poor(&random, &poor, slot);
		assert_int_equal(poor.used, store.used);
		assert_int_equal(store.history_kept, model.history_kept);
		check_get(&random, &store);
		if (slot % 16 == 0) {
			check_range(&random, &store);
			check_watch(&random, &store);
			assert_int_equal(store.used, model_used(&model));
			assert_true(digest(&store) == digest(&poor));
		}
		for (i = 0; i < VIEWS; i++) {
			if (slot == pinned[i])
				views[i] = kv_view_pin(&store);
			if (slot == pinned[i] + 25 * (i + 1)) {
				saved_rest(&store, views[i], &saved[i]);
				kv_view_unpin(&store, views[i]);
			}
		}
	}
	assert_int_equal(store.graves, 0);
	for (i = 0; i < VIEWS; i++) {
		restore(&saved[i], pinned[i], digest(&store));
		free(saved[i].bytes);
	}
	kv_store_clear(&store);
	kv_store_clear(&poor);
	for (u64 slot = 1; slot <= SLOTS; slot++)
		free(entries[slot].bytes);
}

static void test_fixed(void **state)
{
	for (u64 seed = FIXED; seed < FIXED + RUNS; seed++)
		run(seed);
	/* what never happened was not tested */
	for (int i = 0; i < KV_STATUSES; i++)
		assert_true(statuses[i] > 0);
}

static void test_fresh(void **state)
{
	const char *asked = getenv("SEED");
	u64 seed = 0;

	if (asked)
		seed = strtoull(asked, NULL, 0);
	else if (getrandom(&seed, 4, 0) != 4)
		seed = 1;
	printf("# SEED=%llu\n", (unsigned long long)seed);
	fflush(stdout);
	run(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fixed),
		cmocka_unit_test(test_fresh),
	};

	return cmocka_run_group_tests_name(__FILE__, tests, NULL, NULL);
}
