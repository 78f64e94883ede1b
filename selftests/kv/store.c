// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include "store.h"

#define U(x) ((unsigned long long)(x))

u32 memory_left;

void *memory_get(size_t size)
{
	return memory_left && !--memory_left ? NULL : malloc(size);
}

struct fixture *fixture_new(void)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	kv_store_init(&fixture->store, memory_get, free, 1);
	fixture->slot = 1;
	fixture->writer.bytes = fixture->bytes;
	return fixture;
}

void fixture_free(struct fixture *fixture)
{
	assert_int_equal(fixture->store.views, 0);
	assert_int_equal(fixture->store.graves, 0);
	kv_store_clear(&fixture->store);
	free(fixture);
}

int chosen(struct fixture *fixture)
{
	assert_int_equal(fixture->writer.err, 0);
	kv_entry_sign(&fixture->writer, 7, fixture->slot);
	assert_int_equal(kv_apply(&fixture->store, fixture->slot,
				  fixture->bytes, fixture->writer.len,
				  &fixture->result), 0);
	assert_int_equal(fixture->store.applied, fixture->slot);
	fixture->slot++;
	return fixture->result.status;
}

void item(struct fixture *fixture, enum kv_section section, u8 what,
	  const char *key, const char *value, u64 number)
{
	const struct kv_item item = {
		.what = what,
		.key = (const u8 *)key,
		.key_len = strlen(key),
		.value = (const u8 *)value,
		.value_len = value ? strlen(value) : 0,
		.number = number,
	};

	kv_entry_item(&fixture->writer, section, &item);
}

void compare(struct fixture *fixture, u8 target, u8 relation, const char *key,
	     const char *value, u64 number)
{
	const struct kv_item item = {
		.target = target,
		.what = relation,
		.key = (const u8 *)key,
		.key_len = strlen(key),
		.value = (const u8 *)value,
		.value_len = value ? strlen(value) : 0,
		.number = number,
	};

	kv_entry_item(&fixture->writer, KV_IF, &item);
}

int put(struct fixture *fixture, const char *key, const char *value, u64 lease)
{
	kv_entry_txn(&fixture->writer);
	item(fixture, KV_THEN, KV_PUT, key, value, lease);
	return chosen(fixture);
}

int delete(struct fixture *fixture, const char *key)
{
	kv_entry_txn(&fixture->writer);
	item(fixture, KV_THEN, KV_DELETE, key, NULL, 0);
	return chosen(fixture);
}

int delete_prefix(struct fixture *fixture, const char *prefix)
{
	kv_entry_txn(&fixture->writer);
	item(fixture, KV_THEN, KV_DELETE_PREFIX, prefix, NULL, 0);
	return chosen(fixture);
}

int numbers(struct fixture *fixture, enum kv_type type, u64 number, u64 only)
{
	kv_entry_numbers(&fixture->writer, type, number, only);
	return chosen(fixture);
}

/* Texts of the last few calls, so that some can be compared. */
static char texts[4][4096];
static char *text, *end;

static void text_begin(void)
{
	static unsigned int last;

	text = texts[last++ % 4];
	*text = 0;
	end = text;
}

static bool add_pair(void *context, const struct kv_pair *pair)
{
	end += sprintf(end, "%s%.*s=%.*s@%llu/%llu/%llu", end > text ? " " : "",
		       pair->key_len, pair->key, (int)pair->value_len,
		       pair->value, U(pair->create), U(pair->mod),
		       U(pair->version));
	return true;
}

static bool add_event(void *context, const struct kv_pair *pair)
{
	end += sprintf(end, "%s%.*s", end > text ? " " : "", pair->key_len,
		       pair->key);
	if (pair->version)
		end += sprintf(end, "=%.*s", (int)pair->value_len, pair->value);
	end += sprintf(end, "@%llu", U(pair->mod));
	return true;
}

static const char *error(int err)
{
	return err == -ENOENT ? "none" : err == -ESTALE ? "compacted" :
	       err == -ERANGE ? "future" : err == -EINVAL ? "invalid" : "?";
}

const char *range(struct fixture *fixture, const char *prefix, u64 revision,
		  u64 limit, const char *after, bool *more)
{
	struct kv_range range = {
		.prefix = prefix,
		.prefix_len = strlen(prefix),
		.after = after,
		.after_len = after ? strlen(after) : 0,
		.revision = revision,
		.limit = limit,
	};
	int err;

	text_begin();
	err = kv_get_range(&fixture->store, &range, add_pair, NULL);
	if (more)
		*more = range.more;
	return err ? error(err) : text;
}

const char *get(struct fixture *fixture, const char *key, u64 revision)
{
	struct kv_pair pair;
	int err = kv_get(&fixture->store, key, strlen(key), revision, &pair);

	text_begin();
	if (err)
		return error(err);
	add_pair(NULL, &pair);
	return text;
}

const char *watch(struct fixture *fixture, struct kv_position *position,
		  const char *prefix, bool exact)
{
	int count;

	text_begin();
	count = kv_watch(&fixture->store, position, prefix, strlen(prefix),
			 exact, add_event, NULL);
	return count < 0 ? error(count) : text;
}

/* Append what is left of @view to @saved. */
void saved_rest(struct kv_store *store, struct kv_view *view,
		struct saved *saved)
{
	int len;

	do {
		saved->bytes = realloc(saved->bytes, saved->len + KV_PIECE_MAX);
		len = kv_view_read(store, view, saved->bytes + saved->len,
				   KV_PIECE_MAX);
		assert_true(len >= 0 && len <= KV_PIECE_MAX);
		saved->len += len;
	} while (len);
}

int saved_read(void *context, void *bytes, size_t len)
{
	struct saved *saved = context;

	if (len > saved->len - saved->at)
		return -EIO;
	memcpy(bytes, saved->bytes + saved->at, len);
	saved->at += len;
	return 0;
}
