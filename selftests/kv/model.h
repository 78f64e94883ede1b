/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SELFTESTS_KV_MODEL_H
#define _SELFTESTS_KV_MODEL_H

#include "kv/core/store.h"

/*
 * The store, as simple as it gets: all that ever happened in one array, and
 * every question answered by looking through it.
 */
#define MODEL_EVENTS	40000
#define MODEL_LEASES	4000

struct model_event {
	u64 revision;
	u64 lease;
	u16 key_len;
	u32 value_len;
	bool deleted;
	u8 key[4];
	u8 value[256];
};

struct model {
	struct model_event events[MODEL_EVENTS];
	u32 n;
	struct {
		u64 id;
		u64 renewed;
	} leases[MODEL_LEASES];
	u32 n_leases;
	u64 compacted;
	u64 limit;
	u64 history_kept;
	u64 deleted;
	bool succeeded;
};

/* Its status. */
int model_apply(struct model *model, u64 slot, const void *bytes, u32 len);
u64 model_used(const struct model *model);

/* False: not there. @pair points into @model. */
bool model_get(const struct model *model, const u8 *key, u16 len, u64 revision,
	       struct kv_pair *pair);

#endif
