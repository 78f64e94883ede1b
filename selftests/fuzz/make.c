// SPDX-License-Identifier: GPL-2.0
/* Messages that get past the decoder, made of arbitrary bytes. */
#include <string.h>
#include "fuzz.h"

u64 input_u64(struct input *in)
{
	u8 how = input_u8(in);
	u64 value = 0;
	int i;

	if (how < 224)
		return how % 32;
	if (how < 232)
		return ~0ULL - how % 8;
	for (i = 0; i < 8; i++)
		value = value << 8 | input_u8(in);
	return value;
}

/* Of a few rounds, so that they meet; at times of any. */
static u64 ballot_from(struct input *in, u8 owner)
{
	u8 how = input_u8(in);

	if (how == 255)
		return input_u64(in) | 1;
	if (how >= 250)
		owner = how % 5 + 1;
	return paxos_ballot_make(1 + how % 6, owner);
}

static u64 slot_from(struct input *in, u64 near)
{
	u8 how = input_u8(in);

	if (how == 255)
		return input_u64(in);
	if (how >= 240)
		return near + 4 * (how - 240);
	return near + how % 10 > 4 ? near + how % 10 - 4 : 1;
}

static void item_from(struct input *in, struct paxos_item *item, u64 slot,
		      u64 ballot)
{
	static const u8 text[64] = "The quick brown fox jumps over";
	u8 how = input_u8(in);

	memset(item, 0, sizeof(*item));
	item->slot = slot;
	item->ballot = ballot;
	item->kind = how % 8 ? PAXOS_DATA : PAXOS_NOOP;
	if (item->kind == PAXOS_NOOP)
		return;
	/* Few origins, so that they come twice. */
	item->origin.member = 1 + how % 3;
	item->origin.incarnation = 1 + (how >> 6 & 1);
	item->origin.seq = how == 255 ? input_u64(in) : 1ULL + how % 16;
	item->len = how % 5 * 7;
	item->bytes = text;
}

void message_from(struct input *in, struct made *made, u64 near)
{
	struct paxos_message *m = &made->message;
	u64 slot;
	u32 i;

	memset(m, 0, sizeof(*m));
	m->type = 1 + input_u8(in) % (PAXOS_TYPES - 1);
	m->from = 2 + input_u8(in) % 2;
	m->to = 1;
	m->epoch = 1;
	m->stamp = input_u16(in);
	m->ballot = ballot_from(in, m->from);
	m->commit = slot_from(in, near);
	m->items = made->items;
	slot = slot_from(in, near);
	switch (m->type) {
	case PAXOS_PREPARE:
		m->prepare.first = slot;
		break;
	case PAXOS_PROMISE:
		m->promise.first = slot;
		m->promise.next = input_u8(in) % 4 ? 0 : slot_from(in, slot);
		m->promise.held = input_u8(in) % 8 ? 1 : slot_from(in, near);
		m->count = input_u8(in) % 6;
		for (i = 0; i < m->count; i++, slot += 1 + input_u8(in) % 2)
			item_from(in, &made->items[i], slot,
				  ballot_from(in, 1 + input_u8(in) % 3));
		break;
	case PAXOS_REJECT:
		m->reject.promised = ballot_from(in, 1 + input_u8(in) % 3);
		m->reject.held = slot;
		break;
	case PAXOS_ACCEPT:
		m->count = 1 + input_u8(in) % 6;
		for (i = 0; i < m->count; i++)
			item_from(in, &made->items[i], slot + i, m->ballot);
		break;
	case PAXOS_ACCEPTED:
		m->accepted.durable = input_u64(in);
		m->ranges = made->ranges;
		m->count = input_u8(in) % 4;
		for (i = 0; i < m->count; i++) {
			made->ranges[i].first = slot_from(in, near);
			made->ranges[i].count = 1 + input_u64(in);
		}
		break;
	case PAXOS_FETCH:
		m->fetch.first = slot;
		m->fetch.last = slot_from(in, slot);
		break;
	case PAXOS_CHOSEN:
		m->chosen.held = input_u8(in) % 8 ? 1 : slot_from(in, near);
		m->count = input_u8(in) % 6;
		for (i = 0; i < m->count; i++, slot += 1 + input_u8(in) % 2)
			item_from(in, &made->items[i], slot,
				  ballot_from(in, 1 + input_u8(in) % 3));
		break;
	case PAXOS_FORWARD:
		m->count = 1;
		item_from(in, &made->items[0], 0, 0);
		break;
	case PAXOS_DONE:
		m->done.incarnation = 1 + input_u8(in) % 3;
		m->done.seq = 1 + input_u8(in) % 16;
		m->done.slot = slot;
		m->done.outcome = PAXOS_OUTCOME_CHOSEN;
		break;
	case PAXOS_READ:
	case PAXOS_READ_REPLY:
		m->read.incarnation = 1 + input_u8(in) % 3;
		m->read.id = 1 + input_u8(in) % 4;
		m->read.slot = slot;
		break;
	case PAXOS_PROBE:
	case PAXOS_PROBE_REPLY:
		m->stamp |= 1;
		m->probe.incarnation = input_u8(in) % 3;
		break;
	}
}
