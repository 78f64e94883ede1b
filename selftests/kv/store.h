/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SELFTESTS_KV_STORE_H
#define _SELFTESTS_KV_STORE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "draw.h"

/* A store, the next slot, and what the last entry did. */
struct fixture {
	struct kv_store store;
	u64 slot;
	struct kv_writer writer;
	u8 bytes[KV_ENTRY_MAX];
	struct kv_result result;
};

/* Allocations before one fails; 0: none will. */
extern u32 memory_left;
void *memory_get(size_t size);

struct fixture *fixture_new(void);
void fixture_free(struct fixture *fixture);

/* The entry in the making is chosen in the next slot; its status. */
int chosen(struct fixture *fixture);
void item(struct fixture *fixture, enum kv_section section, u8 what,
	  const char *key, const char *value, u64 number);
void compare(struct fixture *fixture, u8 target, u8 relation, const char *key,
	     const char *value, u64 number);
int put(struct fixture *fixture, const char *key, const char *value, u64 lease);
int delete(struct fixture *fixture, const char *key);
int delete_prefix(struct fixture *fixture, const char *prefix);
int numbers(struct fixture *fixture, enum kv_type type, u64 number, u64 only);

/* "key=value@create/mod/version ...", or the error. */
const char *range(struct fixture *fixture, const char *prefix, u64 revision,
		  u64 limit, const char *after, bool *more);
const char *get(struct fixture *fixture, const char *key, u64 revision);
/* "key=value@mod ...", "key@mod" of a deletion; "compacted". */
const char *watch(struct fixture *fixture, struct kv_position *position,
		  const char *prefix, bool exact);

/* A snapshot in memory. */
struct saved {
	u8 *bytes;
	size_t len;
	size_t at;
};

void saved_rest(struct kv_store *store, struct kv_view *view,
		struct saved *saved);
int saved_read(void *context, void *bytes, size_t len);

#endif
