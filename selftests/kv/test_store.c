// SPDX-License-Identifier: GPL-2.0
/* What the store does, rule by rule. */
#include <errno.h>
#include <stdio.h>
#include "store.h"

#define TEST(rule, function)	{ rule, function, NULL, NULL, NULL }

static void test_revisions(void **state)
{
	struct fixture *f = fixture_new();

	assert_string_equal(get(f, "k", 0), "none");
	assert_int_equal(put(f, "k", "one", 0), KV_OK);
	assert_int_equal(put(f, "other", "", 0), KV_OK);
	assert_int_equal(put(f, "k", "two", 0), KV_OK);
	assert_int_equal(delete(f, "k"), KV_OK);
	assert_int_equal(f->result.deleted, 1);
	assert_int_equal(delete(f, "k"), KV_OK);
	assert_int_equal(f->result.deleted, 0);
	assert_int_equal(put(f, "k", "three", 0), KV_OK);
	assert_string_equal(get(f, "k", 0), "k=three@6/6/1");
	assert_string_equal(get(f, "k", 1), "k=one@1/1/1");
	assert_string_equal(get(f, "k", 2), "k=one@1/1/1");
	assert_string_equal(get(f, "k", 3), "k=two@1/3/2");
	assert_string_equal(get(f, "k", 4), "none");
	assert_string_equal(get(f, "k", 5), "none");
	assert_string_equal(get(f, "k", 7), "future");
	assert_string_equal(get(f, "other", 0), "other=@2/2/1");
	fixture_free(f);
}

static void test_range(void **state)
{
	struct fixture *f = fixture_new();
	bool more;

	put(f, "a/2", "x", 0);
	put(f, "a/1", "y", 0);
	put(f, "b", "z", 0);
	put(f, "a/3", "w", 0);
	put(f, "a", "v", 0);
	delete(f, "a/2");
	assert_string_equal(range(f, "a/", 0, 0, NULL, &more),
			    "a/1=y@2/2/1 a/3=w@4/4/1");
	assert_false(more);
	assert_string_equal(range(f, "a/", 4, 2, NULL, &more),
			    "a/1=y@2/2/1 a/2=x@1/1/1");
	assert_true(more);
	assert_string_equal(range(f, "a/", 4, 2, "a/2", &more), "a/3=w@4/4/1");
	assert_false(more);
	/* the page goes on behind a key that is gone */
	assert_string_equal(range(f, "a/", 0, 1, "a/2", &more), "a/3=w@4/4/1");
	assert_false(more);
	assert_string_equal(range(f, "", 0, 1, NULL, &more), "a=v@5/5/1");
	assert_true(more);
	assert_string_equal(range(f, "", 0, 0, "a/3", &more), "b=z@3/3/1");
	assert_string_equal(range(f, "a/", 0, 0, "b", &more), "invalid");
	assert_string_equal(range(f, "c", 0, 0, NULL, &more), "");
	delete_prefix(f, "a");
	assert_int_equal(f->result.deleted, 3);
	assert_string_equal(range(f, "", 0, 0, NULL, &more), "b=z@3/3/1");
	fixture_free(f);
}

static char found_text[256];

static bool note(void *context, const struct kv_pair *pair)
{
	struct fixture *f = context;

	snprintf(found_text + strlen(found_text),
		 sizeof(found_text) - strlen(found_text), "%u:%.*s=%.*s ",
		 f->result.operation, pair->key_len, pair->key,
		 (int)pair->value_len, pair->value);
	return true;
}

static void test_transaction(void **state)
{
	struct fixture *f = fixture_new();
	struct kv_position from = { 0, 0 };

	f->result.found = note;
	f->result.context = f;
	*found_text = 0;
	watch(f, &from, "", false);

	/* a lock: taken by who creates the key */
	kv_entry_txn(&f->writer);
	compare(f, KV_ON_CREATE, KV_EQUAL, "lock", NULL, 0);
	item(f, KV_THEN, KV_PUT, "lock", "me", 0);
	item(f, KV_THEN, KV_GET, "lock", NULL, 0);
	item(f, KV_ELSE, KV_GET, "lock", NULL, 0);
	assert_int_equal(chosen(f), KV_OK);
	assert_true(f->result.succeeded);
	assert_string_equal(found_text, "1:lock=me ");

	*found_text = 0;
	assert_int_equal(kv_apply(&f->store, f->slot, f->bytes, f->writer.len,
				  &f->result), 0);
	f->slot++;
	assert_false(f->result.succeeded);
	assert_string_equal(found_text, "0:lock=me ");

	/* each sees what those before it did; all in one revision */
	kv_entry_txn(&f->writer);
	compare(f, KV_ON_VALUE, KV_EQUAL, "lock", "me", 0);
	compare(f, KV_ON_VALUE, KV_LESS, "lock", "mf", 0);
	compare(f, KV_ON_VALUE, KV_GREATER, "lock", "m", 0);
	compare(f, KV_ON_MOD, KV_LESS, "lock", NULL, 2);
	compare(f, KV_ON_VERSION, KV_NOT_EQUAL, "lock", NULL, 0);
	item(f, KV_THEN, KV_PUT, "a", "1", 0);
	item(f, KV_THEN, KV_PUT, "a", "2", 0);
	item(f, KV_THEN, KV_DELETE_PREFIX, "", NULL, 0);
	item(f, KV_THEN, KV_PUT, "a", "3", 0);
	assert_int_equal(chosen(f), KV_OK);
	assert_true(f->result.succeeded);
	assert_int_equal(f->result.deleted, 2);
	assert_string_equal(get(f, "a", 0), "a=3@3/3/1");
	assert_string_equal(watch(f, &from, "", false),
			    "lock=me@1 a=1@3 a=2@3 a@3 lock@3 a=3@3");

	/* a value that is not there is neither equal nor unequal */
	kv_entry_txn(&f->writer);
	compare(f, KV_ON_VALUE, KV_NOT_EQUAL, "nothing", "x", 0);
	chosen(f);
	assert_false(f->result.succeeded);
	fixture_free(f);
}

/* Of the whole of it, or nothing. */
static void test_atomic(void **state)
{
	struct fixture *f = fixture_new();
	struct kv_position from = { 0, 0 };
	u64 before;
	int tries;

	put(f, "a", "old", 0);
	numbers(f, KV_GRANT, 1000, 0);
	put(f, "leased", "x", 2);
	watch(f, &from, "", false);
	before = f->store.used;

	kv_entry_txn(&f->writer);
	item(f, KV_THEN, KV_PUT, "a", "new", 0);
	item(f, KV_THEN, KV_DELETE_PREFIX, "", NULL, 0);
	item(f, KV_THEN, KV_PUT, "b", "new", 99);
	assert_int_equal(chosen(f), KV_NO_LEASE);
	assert_int_equal(f->result.deleted, 0);
	assert_int_equal(f->store.used, before);
	assert_string_equal(range(f, "", 0, 0, NULL, NULL),
			    "a=old@1/1/1 leased=x@3/3/1");
	assert_string_equal(watch(f, &from, "", false), "");

	/* no memory, at each allocation in turn: the slot is tried again */
	kv_entry_txn(&f->writer);
	item(f, KV_THEN, KV_PUT, "b", "new", 2);
	item(f, KV_THEN, KV_DELETE, "a", NULL, 0);
	item(f, KV_THEN, KV_PUT, "c", "new", 0);
	for (tries = 1;; tries++) {
		int err;

		memory_left = tries;
		err = kv_apply(&f->store, f->slot, f->bytes, f->writer.len,
			       &f->result);
		if (!err)
			break;
		assert_int_equal(err, -ENOMEM);
		assert_int_equal(f->store.used, before);
		assert_int_equal(f->store.applied, f->slot - 1);
		assert_string_equal(range(f, "", 0, 0, NULL, NULL),
				    "a=old@1/1/1 leased=x@3/3/1");
	}
	memory_left = 0;
	f->slot++;
	assert_int_equal(tries, 6);
	assert_string_equal(range(f, "", 0, 0, NULL, NULL),
			    "b=new@5/5/1 c=new@5/5/1 leased=x@3/3/1");

	/* likewise the end of a lease */
	kv_entry_numbers(&f->writer, KV_REVOKE, 2, 0);
	memory_left = 2;
	assert_int_equal(kv_apply(&f->store, f->slot, f->bytes, f->writer.len,
				  &f->result), -ENOMEM);
	memory_left = 0;
	assert_non_null(kv_lease_find(&f->store, 2));
	assert_string_equal(get(f, "leased", 0), "leased=x@3/3/1");
	assert_int_equal(chosen(f), KV_OK);
	assert_string_equal(range(f, "", 0, 0, NULL, NULL), "c=new@5/5/1");
	fixture_free(f);
}

static void test_lease(void **state)
{
	struct fixture *f = fixture_new();
	struct kv_position from = { 1, 0 };

	assert_int_equal(numbers(f, KV_GRANT, 5000, 0), KV_OK);
	assert_int_equal(f->result.lease, 1);
	put(f, "z", "", 1);
	put(f, "moved", "", 1);
	put(f, "moved", "", 0);
	put(f, "a", "", 1);
	put(f, "gone", "", 1);
	delete(f, "gone");
	assert_int_equal(numbers(f, KV_KEEP, 1, 0), KV_OK);		/* 8 */
	assert_int_equal(numbers(f, KV_KEEP, 2, 0), KV_NO_LEASE);

	/* its time is over, says who did not hear of the renewal */
	assert_int_equal(numbers(f, KV_REVOKE, 1, 1), KV_RENEWED);
	assert_string_equal(get(f, "z", 0), "z=@2/2/1");
	watch(f, &from, "", false);
	assert_int_equal(numbers(f, KV_REVOKE, 1, 8), KV_OK);		/* 11 */
	assert_int_equal(f->result.deleted, 2);
	assert_string_equal(watch(f, &from, "", false), "z@11 a@11");
	assert_string_equal(range(f, "", 0, 0, NULL, NULL), "moved=@3/4/2");
	assert_int_equal(numbers(f, KV_REVOKE, 1, 0), KV_NO_LEASE);
	assert_int_equal(put(f, "late", "", 1), KV_NO_LEASE);
	fixture_free(f);
}

static void test_compact(void **state)
{
	struct fixture *f = fixture_new();
	struct kv_position from;

	put(f, "k", "1", 0);
	put(f, "k", "2", 0);
	put(f, "d", "x", 0);
	delete(f, "d");
	put(f, "k", "5", 0);
	put(f, "k", "6", 0);
	assert_int_equal(numbers(f, KV_COMPACT, 7, 0), KV_FUTURE);
	assert_int_equal(numbers(f, KV_COMPACT, 5, 0), KV_OK);
	assert_int_equal(numbers(f, KV_COMPACT, 5, 0), KV_COMPACTED);
	assert_string_equal(get(f, "k", 4), "compacted");
	assert_string_equal(range(f, "", 4, 0, NULL, NULL), "compacted");
	assert_string_equal(get(f, "k", 5), "k=5@1/5/3");
	assert_string_equal(get(f, "k", 0), "k=6@1/6/4");
	assert_string_equal(get(f, "d", 5), "none");
	from = (struct kv_position){ 5, 0 };
	assert_string_equal(watch(f, &from, "", false), "compacted");
	from = (struct kv_position){ 6, 0 };
	assert_string_equal(watch(f, &from, "", false), "k=6@6");
	/* the fixed formula: a key, and its two versions */
	assert_int_equal(f->store.used, 3 * KV_COST + 1 + 2);
	delete(f, "k");
	numbers(f, KV_COMPACT, 10, 0);
	assert_int_equal(f->store.used, 0);
	fixture_free(f);
}

/* Who follows is never told "compacted"; who waits for one key sees it. */
static void test_watch(void **state)
{
	struct fixture *f = fixture_new();
	struct kv_position key = { 0, 0 }, all = { 1, 0 }, later = { 6, 0 };
	char name[16];
	int i;

	put(f, "k", "1", 0);
	assert_string_equal(watch(f, &key, "k", true), "");
	put(f, "k2", "2", 0);
	put(f, "k", "3", 0);
	assert_string_equal(watch(f, &key, "k", true), "k=3@3");
	assert_string_equal(watch(f, &key, "k", true), "");
	assert_string_equal(watch(f, &all, "k", false), "k=1@1 k2=2@2 k=3@3");
	assert_string_equal(watch(f, &later, "", false), "");
	numbers(f, KV_COMPACT, 3, 0);
	assert_string_equal(watch(f, &all, "k", false), "");
	put(f, "k", "5", 0);
	put(f, "k", "6", 0);
	assert_string_equal(watch(f, &later, "", false), "k=6@6");

	/* whatever it is looking for, it looks at so many versions at once */
	for (i = 0; i < KV_SCAN_MAX + 10; i++) {
		snprintf(name, sizeof(name), "x%d", i);
		put(f, name, "", 0);
	}
	put(f, "k", "late", 0);
	assert_string_equal(watch(f, &later, "k", true), "");
	assert_true(later.revision <= f->store.applied);
	assert_string_equal(watch(f, &later, "k", true), "k=late@1041");
	assert_int_equal(later.revision, f->slot);
	fixture_free(f);
}

static void test_no_space(void **state)
{
	struct fixture *f = fixture_new();
	u64 used;

	numbers(f, KV_LIMIT, 4 * KV_COST + 4, 0);
	assert_int_equal(put(f, "a", "1", 0), KV_OK);
	assert_int_equal(put(f, "b", "2", 0), KV_OK);
	used = f->store.used;
	assert_int_equal(used, 4 * KV_COST + 4);
	assert_int_equal(put(f, "b", "", 0), KV_NO_SPACE);
	assert_int_equal(numbers(f, KV_GRANT, 1000, 0), KV_NO_SPACE);
	assert_int_equal(f->store.used, used);
	assert_string_equal(get(f, "b", 0), "b=2@3/3/1");
	/* but room can be made */
	assert_int_equal(delete(f, "a"), KV_OK);
	assert_int_equal(numbers(f, KV_COMPACT, f->slot - 1, 0), KV_OK);
	assert_int_equal(put(f, "c", "3", 0), KV_OK);
	fixture_free(f);
}

static void test_not_ours(void **state)
{
	struct fixture *f = fixture_new();
	u64 before;

	put(f, "k", "v", 0);
	before = f->store.used;
	assert_int_equal(kv_apply(&f->store, 2, "hello", 5, &f->result), 0);
	assert_int_equal(f->result.status, KV_FOREIGN);
	assert_int_equal(kv_apply(&f->store, 4, "PXKVrubbish", 11, &f->result),
			 0);
	assert_int_equal(f->result.status, KV_MALFORMED);
	assert_int_equal(f->store.applied, 4);
	/* a slot happens once */
	assert_int_equal(kv_apply(&f->store, 4, f->bytes, f->writer.len,
				  &f->result), -ESTALE);
	/* of a later version: nobody may go on as if it were nothing */
	f->bytes[4]++;
	assert_int_equal(kv_apply(&f->store, 5, f->bytes, f->writer.len,
				  &f->result), -EPROTO);
	assert_int_equal(f->store.applied, 4);
	assert_int_equal(f->store.used, before);
	fixture_free(f);
}

/* A view shows its slot, whatever is compacted and deleted meanwhile. */
static void test_view(void **state)
{
	struct fixture *f = fixture_new();
	struct fixture *copy = fixture_new();
	struct saved saved = { 0 };
	struct kv_view *view;
	u64 before;

	numbers(f, KV_GRANT, 1000, 0);
	put(f, "k", "1", 0);
	put(f, "k", "2", 1);
	put(f, "gone", "x", 0);
	numbers(f, KV_COMPACT, 2, 0);
	before = digest(&f->store);
	view = kv_view_pin(&f->store);
	numbers(f, KV_REVOKE, 1, 0);
	delete_prefix(f, "");
	put(f, "new", "", 0);
	numbers(f, KV_COMPACT, f->slot - 1, 0);
	assert_int_equal(f->store.graves, 5);
	assert_string_equal(range(f, "", 0, 0, NULL, NULL), "new=@8/8/1");
	assert_int_equal(f->store.used, 2 * KV_COST + 3);
	saved_rest(&f->store, view, &saved);
	kv_view_unpin(&f->store, view);
	assert_int_equal(f->store.graves, 0);

	assert_int_equal(kv_store_load(&copy->store, saved_read, NULL, &saved),
			 0);
	assert_int_equal(saved.at, saved.len);
	assert_true(digest(&copy->store) == before);
	copy->slot = 6;
	numbers(copy, KV_REVOKE, 1, 0);
	assert_int_equal(copy->result.deleted, 1);
	assert_string_equal(get(copy, "k", 1), "compacted");
	free(saved.bytes);
	fixture_free(copy);
	fixture_free(f);
}

/* There is memory for a key and a version of it. */
static bool memory_again(void *context)
{
	memory_left = 3;
	return true;
}

static void test_loads_without_memory(void **state)
{
	struct fixture *f = fixture_new();
	struct fixture *copy = fixture_new();
	struct saved saved = { 0 };
	struct kv_view *view;

	numbers(f, KV_GRANT, 1000, 0);
	put(f, "k", "1", 1);
	put(f, "k", "2", 1);
	put(f, "other", "x", 0);
	view = kv_view_pin(&f->store);
	saved_rest(&f->store, view, &saved);
	kv_view_unpin(&f->store, view);
	memory_left = 1;
	assert_int_equal(kv_store_load(&copy->store, saved_read, memory_again,
				       &saved), 0);
	memory_left = 0;
	assert_true(digest(&copy->store) == digest(&f->store));
	free(saved.bytes);
	fixture_free(copy);
	fixture_free(f);
}

/* Cut off or damaged anywhere: an error, and no more than that. */
static void test_damaged(void **state)
{
	struct fixture *f = fixture_new();
	struct saved whole = { 0 };
	struct kv_view *view;
	size_t len, i;
	int err;

	numbers(f, KV_GRANT, 1000, 0);
	put(f, "k", "1", 1);
	delete(f, "k");
	view = kv_view_pin(&f->store);
	saved_rest(&f->store, view, &whole);
	kv_view_unpin(&f->store, view);
	for (len = 0; len < whole.len; len++) {
		struct saved part = { whole.bytes, len, 0 };
		struct fixture *copy = fixture_new();

		assert_int_equal(kv_store_load(&copy->store, saved_read, NULL,
					       &part), -EIO);
		fixture_free(copy);
	}
	for (i = 0; i < whole.len * 8; i++) {
		struct fixture *copy = fixture_new();

		whole.bytes[i / 8] ^= 1 << i % 8;
		whole.at = 0;
		err = kv_store_load(&copy->store, saved_read, NULL, &whole);
		whole.bytes[i / 8] ^= 1 << i % 8;
		/* a bit of a value or a number may pass: the file has a sum */
		assert_true(!err || err == -EINVAL || err == -EPROTO ||
			    err == -EIO);
		fixture_free(copy);
	}
	for (i = 1;; i++) {
		struct fixture *copy = fixture_new();

		memory_left = i;
		whole.at = 0;
		err = kv_store_load(&copy->store, saved_read, NULL, &whole);
		memory_left = 0;
		fixture_free(copy);
		if (!err)
			break;
		assert_int_equal(err, -ENOMEM);
	}
	assert_int_equal(i, 6);
	free(whole.bytes);
	fixture_free(f);
}

static void test_entry_limits(void **state)
{
	struct fixture *f = fixture_new();
	u8 key[KV_KEY_MAX + 1] = { 0 };
	static u8 value[KV_ENTRY_MAX];
	struct kv_item big = {
		.what = KV_PUT,
		.key = key,
		.key_len = KV_KEY_MAX,
		.value = value,
		.value_len = KV_ENTRY_MAX - 24 - 8 - 16 - KV_KEY_MAX,
	};
	int i;

	kv_entry_txn(&f->writer);
	kv_entry_item(&f->writer, KV_THEN, &big);
	assert_int_equal(f->writer.len, KV_ENTRY_MAX);
	assert_int_equal(chosen(f), KV_OK);
	big.value_len++;
	kv_entry_txn(&f->writer);
	kv_entry_item(&f->writer, KV_THEN, &big);
	assert_int_equal(f->writer.err, -EMSGSIZE);
	big.value_len = 0;
	big.key_len++;
	kv_entry_txn(&f->writer);
	kv_entry_item(&f->writer, KV_THEN, &big);
	assert_int_equal(f->writer.err, -EINVAL);
	kv_entry_txn(&f->writer);
	item(f, KV_THEN, KV_PUT, "", "an empty key", 0);
	assert_int_equal(f->writer.err, -EINVAL);
	kv_entry_txn(&f->writer);
	item(f, KV_ELSE, KV_GET, "k", NULL, 0);
	item(f, KV_THEN, KV_GET, "k", NULL, 0);
	assert_int_equal(f->writer.err, -EINVAL);
	kv_entry_txn(&f->writer);
	for (i = 0; i < KV_ITEMS_MAX; i++)
		item(f, KV_THEN, KV_GET, "k", NULL, 0);
	assert_int_equal(f->writer.err, 0);
	item(f, KV_THEN, KV_GET, "k", NULL, 0);
	assert_int_equal(f->writer.err, -E2BIG);
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a revision is a slot", test_revisions),
		TEST("ranges go on where they stopped", test_range),
		TEST("compares decide, operations see each other",
		     test_transaction),
		TEST("law 4: nothing is half applied", test_atomic),
		TEST("a lease takes its keys with it, a renewal wins",
		     test_lease),
		TEST("history ends at the compaction", test_compact),
		TEST("a watch has no gaps", test_watch),
		TEST("over the limit nothing is put, all can be deleted",
		     test_no_space),
		TEST("what is not ours changes nothing; a later version stops",
		     test_not_ours),
		TEST("a view shows its slot", test_view),
		TEST("without memory a snapshot is loaded later",
		     test_loads_without_memory),
		TEST("a damaged snapshot is refused", test_damaged),
		TEST("keys, values and entries have limits",
		     test_entry_limits),
	};

	return cmocka_run_group_tests_name(__FILE__, tests, NULL, NULL);
}
