// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include "model.h"

static bool same_key(const struct model_event *event, const u8 *key, u16 len)
{
	return event->key_len == len && !memcmp(event->key, key, len);
}

bool model_get(const struct model *model, const u8 *key, u16 len, u64 revision,
	       struct kv_pair *pair)
{
	u64 version = 0, create = 0;
	const struct model_event *last = NULL;

	for (u32 i = 0; i < model->n; i++) {
		const struct model_event *event = &model->events[i];

		if (!same_key(event, key, len) ||
		    (revision && event->revision > revision))
			continue;
		last = event;
		version = event->deleted ? 0 : version + 1;
		if (version == 1)
			create = event->revision;
	}
	if (!last || last->deleted)
		return false;
	*pair = (struct kv_pair){
		.key = last->key, .key_len = len,
		.value = last->value, .value_len = last->value_len,
		.create = create, .mod = last->revision, .version = version,
		.lease = last->lease,
	};
	return true;
}

static const struct model_event *next_of(const struct model *model, u32 i)
{
	const struct model_event *event = &model->events[i];

	while (++i < model->n)
		if (same_key(&model->events[i], event->key, event->key_len))
			return &model->events[i];
	return NULL;
}

static bool forgotten(const struct model *model, u32 i)
{
	const struct model_event *event = &model->events[i];
	const struct model_event *next = next_of(model, i);

	return event->revision <= model->compacted &&
	       (event->deleted || (next && next->revision <= model->compacted));
}

/* Every version that is remembered, and each key that has one. */
u64 model_used(const struct model *model)
{
	u64 used = (u64)model->n_leases * KV_COST;

	for (u32 i = 0; i < model->n; i++) {
		const struct model_event *event = &model->events[i];
		bool first = true;

		if (forgotten(model, i))
			continue;
		used += KV_COST + event->value_len;
		for (u32 j = 0; j < i; j++)
			first &= !same_key(&model->events[j], event->key,
					   event->key_len) ||
				 forgotten(model, j);
		if (first)
			used += KV_COST + event->key_len;
	}
	return used;
}

static int lease_at(const struct model *model, u64 id)
{
	for (u32 i = 0; i < model->n_leases; i++)
		if (model->leases[i].id == id)
			return i;
	return -1;
}

static void add(struct model *model, u64 slot, const struct kv_item *item,
		bool deleted)
{
	struct model_event *event = &model->events[model->n++];

	if (model->n > MODEL_EVENTS)
		abort();
	*event = (struct model_event){
		.revision = slot,
		.lease = deleted ? 0 : item->number,
		.key_len = item->key_len,
		.value_len = deleted ? 0 : item->value_len,
		.deleted = deleted,
	};
	memcpy(event->key, item->key, item->key_len);
	memcpy(event->value, item->value, event->value_len);
	model->deleted += deleted;
}

/* The smallest key with @prefix that is there and above @above. */
static bool smallest(const struct model *model, const u8 *prefix, u16 len,
		     struct kv_pair *above)
{
	struct kv_pair best = { 0 }, pair;

	for (u32 i = 0; i < model->n; i++) {
		const struct model_event *event = &model->events[i];
		u8 a[5] = { 0 }, b[5] = { 0 }, c[5] = { 0 };

		if (event->key_len < len || memcmp(event->key, prefix, len) ||
		    !model_get(model, event->key, event->key_len, 0, &pair))
			continue;
		/* keys of letters: padded with 0 they order as they are */
		memcpy(a, event->key, event->key_len);
		if (above->key)
			memcpy(b, above->key, above->key_len);
		if (best.key)
			memcpy(c, best.key, best.key_len);
		if ((!above->key || memcmp(a, b, 5) > 0) &&
		    (!best.key || memcmp(a, c, 5) < 0))
			best = pair;
	}
	*above = best;
	return best.key;
}

static int operate(struct model *model, u64 slot, const struct kv_item *item)
{
	struct kv_pair pair = { 0 };
	struct kv_item mark = { 0 };

	switch (item->what) {
	case KV_PUT:
		add(model, slot, item, false);
		if (model_used(model) > model->limit)
			return KV_NO_SPACE;
		return item->number && lease_at(model, item->number) < 0 ?
		       KV_NO_LEASE : KV_OK;
	case KV_DELETE:
		if (model_get(model, item->key, item->key_len, 0, &pair))
			add(model, slot, item, true);
		return KV_OK;
	case KV_DELETE_PREFIX:
		while (smallest(model, item->key, item->key_len, &pair)) {
			mark.key = pair.key;
			mark.key_len = pair.key_len;
			mark.value = pair.value;
			add(model, slot, &mark, true);
		}
		return KV_OK;
	}
	return KV_OK;
}

static bool holds(const struct model *model, const struct kv_item *item)
{
	struct kv_pair pair = { 0 };
	bool there = model_get(model, item->key, item->key_len, 0, &pair);
	u64 number = 0;
	int sign;

	if (item->target == KV_ON_VALUE) {
		u32 len = pair.value_len < item->value_len ? pair.value_len :
							     item->value_len;

		if (!there)
			return false;
		sign = memcmp(pair.value, item->value, len);
		if (!sign)
			sign = (int)pair.value_len - (int)item->value_len;
	} else {
		if (there)
			number = item->target == KV_ON_VERSION ? pair.version :
				 item->target == KV_ON_CREATE ? pair.create :
				 item->target == KV_ON_MOD ? pair.mod :
				 pair.lease;
		sign = number < item->number ? -1 : number > item->number;
	}
	return item->what == KV_EQUAL ? !sign :
	       item->what == KV_NOT_EQUAL ? sign :
	       item->what == KV_LESS ? sign < 0 : sign > 0;
}

static int transact(struct model *model, u64 slot, const struct kv_entry *entry)
{
	const u8 *at = entry->items;
	struct kv_item item;
	int status = KV_OK;

	model->succeeded = true;
	for (int section = 0; section < KV_SECTIONS; section++) {
		for (int i = 0; i < entry->count[section]; i++) {
			at = kv_entry_next(at, section == KV_IF, &item);
			if (section == KV_IF)
				model->succeeded &= holds(model, &item);
			else if (model->succeeded == (section == KV_THEN) &&
				 !status)
				status = operate(model, slot, &item);
		}
	}
	return status;
}

static int revoke(struct model *model, u64 slot, const struct kv_entry *entry)
{
	int at = lease_at(model, entry->number);
	u32 n = model->n;
	struct kv_pair pair;

	if (at < 0)
		return KV_NO_LEASE;
	if (entry->only && entry->only != model->leases[at].renewed)
		return KV_RENEWED;
	for (u32 i = 0; i < n; i++) {
		struct model_event *event = &model->events[i];
		struct kv_item mark = {
			.key = event->key, .key_len = event->key_len,
			.value = event->value,
		};

		if (event->lease == entry->number && !next_of(model, i) &&
		    model_get(model, event->key, event->key_len, 0, &pair))
			add(model, slot, &mark, true);
	}
	memmove(&model->leases[at], &model->leases[at + 1],
		(--model->n_leases - at) * sizeof(model->leases[0]));
	return KV_OK;
}

static int change(struct model *model, u64 slot, const struct kv_entry *entry)
{
	int at;

	switch (entry->type) {
	case KV_TXN:
		return transact(model, slot, entry);
	case KV_GRANT:
		if (model_used(model) + KV_COST > model->limit)
			return KV_NO_SPACE;
		model->leases[model->n_leases].id = slot;
		model->leases[model->n_leases++].renewed = slot;
		return KV_OK;
	case KV_KEEP:
		at = lease_at(model, entry->number);
		if (at < 0)
			return KV_NO_LEASE;
		model->leases[at].renewed = slot;
		return KV_OK;
	case KV_REVOKE:
		return revoke(model, slot, entry);
	case KV_COMPACT:
		if (entry->number >= slot)
			return KV_FUTURE;
		if (entry->number <= model->compacted)
			return KV_COMPACTED;
		model->compacted = entry->number;
		return KV_OK;
	case KV_LIMIT:
		model->limit = entry->number;
		return KV_OK;
	case KV_HISTORY:
		model->history_kept = entry->number;
		return KV_OK;
	}
	return KV_MALFORMED;
}

int model_apply(struct model *model, u64 slot, const void *bytes, u32 len)
{
	u32 before = model->n;
	struct kv_entry entry;
	int status;

	model->deleted = 0;
	model->succeeded = false;
	if (!kv_entry_ours(bytes, len))
		return KV_FOREIGN;
	if (kv_entry_decode(bytes, len, &entry))
		return KV_MALFORMED;
	status = change(model, slot, &entry);
	if (status) {
		model->n = before;
		model->deleted = 0;
		model->succeeded = false;
	}
	return status;
}
