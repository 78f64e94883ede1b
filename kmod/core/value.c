// SPDX-License-Identifier: GPL-2.0
#include "internal.h"

#define TRIM_TRIES	64	/* values that make room for one */

/*
 * paxos_value_new - a copy of @item's value, one reference the caller's
 *
 * @spare bytes stay free. Over the limit, or where no memory is to be had, the
 * oldest chosen values make room. NULL when there is none all the same; nothing
 * has changed then but what was trimmed.
 */
struct paxos_value *paxos_value_new(struct paxos_core *core,
				    const struct paxos_item *item, u32 spare)
{
	struct paxos_value *value;
	u32 tries = TRIM_TRIES;

	if (!item->origin.member)
		return paxos_value_get(&core->noop);
	while (core->value_bytes + sizeof(*value) + item->len + spare >
	       core->settings.bytes)
		if (!paxos_log_trim(core)) {
			/* A replay meets values whose successors made room. */
			if (core->state == PAXOS_RESTORING)
				break;
			return NULL;
		}

	do {
		value = core->ops->value_alloc(core, item->len);
	} while (!value && tries-- && paxos_log_trim(core));
	if (!value)
		return NULL;
	value->refs = 1;
	value->len = item->len;
	value->kind = item->kind;
	value->origin = item->origin;
	if (item->len)
		memcpy(value->bytes, item->bytes, item->len);
	core->value_bytes += sizeof(*value) + item->len;
	return value;
}

void paxos_value_put(struct paxos_core *core, struct paxos_value *value)
{
	if (--value->refs || value == &core->noop)
		return;
	core->value_bytes -= sizeof(*value) + value->len;
	core->ops->value_free(core, value);
}

/* Whether @item is a copy of @value. */
bool paxos_value_is(const struct paxos_value *value,
		    const struct paxos_item *item)
{
	return value->kind == item->kind && value->len == item->len &&
	       value->origin.member == item->origin.member &&
	       value->origin.incarnation == item->origin.incarnation &&
	       value->origin.seq == item->origin.seq &&
	       (!item->len || !memcmp(value->bytes, item->bytes, item->len));
}

/* Fill in @item; its bytes are @value's own. */
void paxos_value_item(const struct paxos_value *value, u64 slot, u64 ballot,
		      struct paxos_item *item)
{
	item->slot = slot;
	item->ballot = ballot;
	item->origin = value->origin;
	item->len = value->len;
	item->kind = value->kind;
	item->bytes = value->bytes;
}
