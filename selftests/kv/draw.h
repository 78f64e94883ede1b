/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SELFTESTS_KV_DRAW_H
#define _SELFTESTS_KV_DRAW_H

#include "kv/core/store.h"
#include "../sim/random.h"

/* A random entry, of few keys so that they meet; how long it is. */
u32 draw_entry(struct random *random, u64 slot, u8 bytes[KV_ENTRY_MAX]);
u16 draw_key(struct random *random, u8 key[4]);

/* Of the state alone: equal for stores that are. */
u64 digest(struct kv_store *store);

#endif
