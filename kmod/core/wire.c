// SPDX-License-Identifier: GPL-2.0
#include <asm/byteorder.h>
#include <linux/build_bug.h>
#include <linux/string.h>
#include "config.h"
#include "wire.h"

static_assert(sizeof(struct paxos_wire_header) == 48, "header");
static_assert(sizeof(struct paxos_wire_item) == 40, "item");
static_assert(sizeof(struct paxos_wire_range) == 16, "range");
static_assert(sizeof(struct paxos_wire_prepare) == 8, "prepare");
static_assert(sizeof(struct paxos_wire_promise) == 24, "promise");
static_assert(sizeof(struct paxos_wire_reject) == 16, "reject");
static_assert(sizeof(struct paxos_wire_accepted) == 8, "accepted");
static_assert(sizeof(struct paxos_wire_fetch) == 16, "fetch");
static_assert(sizeof(struct paxos_wire_chosen) == 8, "chosen");
static_assert(sizeof(struct paxos_wire_done) == 32, "done");
static_assert(sizeof(struct paxos_wire_read) == 24, "read");
static_assert(sizeof(struct paxos_wire_probe) == 8, "probe");
static_assert(sizeof(struct paxos_wire_header) +
	      sizeof(struct paxos_wire_promise) +
	      sizeof(struct paxos_wire_item) + PAXOS_VALUE_MAX <=
	      PAXOS_DATAGRAM_MAX, "the largest value fits a datagram");

/* What a type adds to the header, and what may follow it. */
static const struct {
	u8 body;
	u8 items_min;
	u8 items_max;
	u8 ranges_max;
} types[PAXOS_TYPES] = {
	[PAXOS_PREPARE]    = { sizeof(struct paxos_wire_prepare), 0, 0, 0 },
	[PAXOS_PROMISE]    = { sizeof(struct paxos_wire_promise), 0,
			       PAXOS_ITEMS_MAX, 0 },
	[PAXOS_REJECT]     = { sizeof(struct paxos_wire_reject), 0, 0, 0 },
	[PAXOS_ACCEPT]     = { 0, 1, PAXOS_ITEMS_MAX, 0 },
	[PAXOS_ACCEPTED]   = { sizeof(struct paxos_wire_accepted), 0, 0,
			       PAXOS_RANGES_MAX },
	[PAXOS_COMMIT]     = { 0, 0, 0, 0 },
	[PAXOS_FETCH]      = { sizeof(struct paxos_wire_fetch), 0, 0, 0 },
	[PAXOS_CHOSEN]     = { sizeof(struct paxos_wire_chosen), 0,
			       PAXOS_ITEMS_MAX, 0 },
	[PAXOS_FORWARD]    = { 0, 1, 1, 0 },
	[PAXOS_DONE]       = { sizeof(struct paxos_wire_done), 0, 0, 0 },
	[PAXOS_READ]       = { sizeof(struct paxos_wire_read), 0, 0, 0 },
	[PAXOS_READ_REPLY] = { sizeof(struct paxos_wire_read), 0, 0, 0 },
	[PAXOS_PROBE]      = { sizeof(struct paxos_wire_probe), 0, 0, 0 },
	[PAXOS_PROBE_REPLY] = { sizeof(struct paxos_wire_probe), 0, 0, 0 },
	[PAXOS_YIELD]      = { 0, 0, 0, 0 },
};

/* Bytes that @message takes, encoded. */
size_t paxos_wire_size(const struct paxos_message *message)
{
	size_t size = sizeof(struct paxos_wire_header) +
		      types[message->type].body;
	u32 i;

	if (types[message->type].ranges_max)
		return size + message->count * sizeof(struct paxos_wire_range);
	for (i = 0; i < message->count; i++)
		size += paxos_wire_item_size(message->items[i].len);
	return size;
}

static u8 *put(u8 *at, const void *from, size_t size)
{
	memcpy(at, from, size);
	return at + size;
}

static u8 *encode_body(const struct paxos_message *message, u8 *at)
{
	switch (message->type) {
	case PAXOS_PREPARE: {
		struct paxos_wire_prepare body = {
			.first = cpu_to_le64(message->prepare.first),
		};
		return put(at, &body, sizeof(body));
	}
	case PAXOS_PROMISE: {
		struct paxos_wire_promise body = {
			.first = cpu_to_le64(message->promise.first),
			.next = cpu_to_le64(message->promise.next),
			.held = cpu_to_le64(message->promise.held),
		};
		return put(at, &body, sizeof(body));
	}
	case PAXOS_REJECT: {
		struct paxos_wire_reject body = {
			.promised = cpu_to_le64(message->reject.promised),
			.held = cpu_to_le64(message->reject.held),
		};
		return put(at, &body, sizeof(body));
	}
	case PAXOS_ACCEPTED: {
		struct paxos_wire_accepted body = {
			.durable = cpu_to_le64(message->accepted.durable),
		};
		return put(at, &body, sizeof(body));
	}
	case PAXOS_FETCH: {
		struct paxos_wire_fetch body = {
			.first = cpu_to_le64(message->fetch.first),
			.last = cpu_to_le64(message->fetch.last),
		};
		return put(at, &body, sizeof(body));
	}
	case PAXOS_CHOSEN: {
		struct paxos_wire_chosen body = {
			.held = cpu_to_le64(message->chosen.held),
		};
		return put(at, &body, sizeof(body));
	}
	case PAXOS_DONE: {
		struct paxos_wire_done body = {
			.incarnation = cpu_to_le64(message->done.incarnation),
			.seq = cpu_to_le64(message->done.seq),
			.slot = cpu_to_le64(message->done.slot),
			.outcome = cpu_to_le64(message->done.outcome),
		};
		return put(at, &body, sizeof(body));
	}
	case PAXOS_READ:
	case PAXOS_READ_REPLY: {
		struct paxos_wire_read body = {
			.incarnation = cpu_to_le64(message->read.incarnation),
			.id = cpu_to_le64(message->read.id),
			.slot = cpu_to_le64(message->read.slot),
		};
		return put(at, &body, sizeof(body));
	}
	case PAXOS_PROBE:
	case PAXOS_PROBE_REPLY: {
		struct paxos_wire_probe body = {
			.incarnation = cpu_to_le64(message->probe.incarnation),
		};
		return put(at, &body, sizeof(body));
	}
	default:
		return at;
	}
}

static u8 *encode_item(const struct paxos_item *item, u8 *at)
{
	struct paxos_wire_item head = {
		.slot = cpu_to_le64(item->slot),
		.ballot = cpu_to_le64(item->ballot),
		.incarnation = cpu_to_le64(item->origin.incarnation),
		.seq = cpu_to_le64(item->origin.seq),
		.len = cpu_to_le32(item->len),
		.kind = item->kind,
		.member = item->origin.member,
	};
	u32 padding = -item->len & 7;

	at = put(at, &head, sizeof(head));
	if (item->len)
		at = put(at, item->bytes, item->len);
	memset(at, 0, padding);
	return at + padding;
}

/*
 * paxos_wire_encode - @message as a datagram of @group, its tag still 0
 *
 * @buffer holds paxos_wire_size() bytes.
 */
void paxos_wire_encode(const struct paxos_message *message, u32 group,
		       void *buffer)
{
	struct paxos_wire_header header = {
		.version = PAXOS_WIRE_VERSION,
		.type = message->type,
		.from = message->from,
		.to = message->to,
		.group = cpu_to_le32(group),
		.epoch = cpu_to_le32(message->epoch),
		.stamp = cpu_to_le32(message->stamp),
		.ballot = cpu_to_le64(message->ballot),
		.commit = cpu_to_le64(message->commit),
		.count = cpu_to_le32(message->count),
	};
	u8 *at = put(buffer, &header, sizeof(header));
	u32 i;

	at = encode_body(message, at);
	if (types[message->type].ranges_max) {
		for (i = 0; i < message->count; i++) {
			struct paxos_wire_range range = {
				.first = cpu_to_le64(message->ranges[i].first),
				.count = cpu_to_le32(message->ranges[i].count),
			};

			at = put(at, &range, sizeof(range));
		}
		return;
	}
	for (i = 0; i < message->count; i++)
		at = encode_item(&message->items[i], at);
}

/*
 * paxos_wire_item - the item at @at, which decode has checked
 *
 * Returns where the next one starts.
 */
const u8 *paxos_wire_item(const u8 *at, struct paxos_item *item)
{
	struct paxos_wire_item head;

	memcpy(&head, at, sizeof(head));
	item->slot = le64_to_cpu(head.slot);
	item->ballot = le64_to_cpu(head.ballot);
	item->origin.incarnation = le64_to_cpu(head.incarnation);
	item->origin.seq = le64_to_cpu(head.seq);
	item->origin.member = head.member;
	item->len = le32_to_cpu(head.len);
	item->kind = head.kind;
	item->bytes = at + sizeof(head);
	return at + paxos_wire_item_size(item->len);
}

/* Likewise for a range. */
const u8 *paxos_wire_range(const u8 *at, struct paxos_range *range)
{
	struct paxos_wire_range wire;

	memcpy(&wire, at, sizeof(wire));
	range->first = le64_to_cpu(wire.first);
	range->count = le32_to_cpu(wire.count);
	return at + sizeof(wire);
}

static void decode_body(const u8 *at, struct paxos_message *message)
{
	union {
		struct paxos_wire_prepare prepare;
		struct paxos_wire_promise promise;
		struct paxos_wire_reject reject;
		struct paxos_wire_accepted accepted;
		struct paxos_wire_fetch fetch;
		struct paxos_wire_chosen chosen;
		struct paxos_wire_done done;
		struct paxos_wire_read read;
		struct paxos_wire_probe probe;
	} wire;

	memcpy(&wire, at, types[message->type].body);
	switch (message->type) {
	case PAXOS_PREPARE:
		message->prepare.first = le64_to_cpu(wire.prepare.first);
		break;
	case PAXOS_PROMISE:
		message->promise.first = le64_to_cpu(wire.promise.first);
		message->promise.next = le64_to_cpu(wire.promise.next);
		message->promise.held = le64_to_cpu(wire.promise.held);
		break;
	case PAXOS_REJECT:
		message->reject.promised = le64_to_cpu(wire.reject.promised);
		message->reject.held = le64_to_cpu(wire.reject.held);
		break;
	case PAXOS_ACCEPTED:
		message->accepted.durable = le64_to_cpu(wire.accepted.durable);
		break;
	case PAXOS_FETCH:
		message->fetch.first = le64_to_cpu(wire.fetch.first);
		message->fetch.last = le64_to_cpu(wire.fetch.last);
		break;
	case PAXOS_CHOSEN:
		message->chosen.held = le64_to_cpu(wire.chosen.held);
		break;
	case PAXOS_DONE:
		message->done.incarnation = le64_to_cpu(wire.done.incarnation);
		message->done.seq = le64_to_cpu(wire.done.seq);
		message->done.slot = le64_to_cpu(wire.done.slot);
		if (le64_to_cpu(wire.done.outcome) == PAXOS_OUTCOME_CHOSEN)
			message->done.outcome = PAXOS_OUTCOME_CHOSEN;
		else
			message->done.outcome = 0;
		break;
	case PAXOS_READ:
	case PAXOS_READ_REPLY:
		message->read.incarnation = le64_to_cpu(wire.read.incarnation);
		message->read.id = le64_to_cpu(wire.read.id);
		message->read.slot = le64_to_cpu(wire.read.slot);
		break;
	case PAXOS_PROBE:
	case PAXOS_PROBE_REPLY:
		message->probe.incarnation = le64_to_cpu(wire.probe.incarnation);
		break;
	}
}

/* Whether the fields that @message's type adds are in their range. */
static bool check_body(const struct paxos_message *message)
{
	switch (message->type) {
	case PAXOS_PREPARE:
		return message->ballot && message->prepare.first;
	case PAXOS_PROMISE:
		return message->ballot && message->promise.first &&
		       message->promise.held &&
		       (!message->promise.next ||
			message->promise.next > message->promise.first);
	case PAXOS_REJECT:
		return message->reject.promised > message->ballot &&
		       message->reject.held;
	case PAXOS_ACCEPT:
	case PAXOS_ACCEPTED:
	case PAXOS_COMMIT:
	case PAXOS_YIELD:
		return message->ballot;
	case PAXOS_FETCH:
		return message->fetch.first &&
		       message->fetch.last >= message->fetch.first;
	case PAXOS_CHOSEN:
		return message->chosen.held;
	case PAXOS_DONE:
		return message->done.incarnation && message->done.seq &&
		       message->done.slot &&
		       message->done.outcome == PAXOS_OUTCOME_CHOSEN;
	case PAXOS_READ:
	case PAXOS_READ_REPLY:
		return message->read.incarnation && message->read.id;
	case PAXOS_PROBE:
	case PAXOS_PROBE_REPLY:
		return message->stamp;
	default:
		return true;
	}
}

/* Whether @item can be a value at all, wherever it comes from. */
bool paxos_item_valid(const struct paxos_item *item)
{
	const struct paxos_origin *origin = &item->origin;
	struct paxos_config config;

	if (item->len > PAXOS_VALUE_MAX || item->kind >= PAXOS_KINDS)
		return false;
	if (item->kind == PAXOS_NOOP && item->len)
		return false;
	/* From nobody comes what fills a gap. */
	if (item->kind == PAXOS_NOOP && !origin->member)
		return !origin->incarnation && !origin->seq;
	if (item->kind == PAXOS_CONFIG &&
	    paxos_wire_config_decode(item->bytes, item->len, &config))
		return false;
	return origin->member >= 1 && origin->member <= PAXOS_MEMBERS_MAX &&
	       origin->incarnation && origin->seq;
}

/* Whether @item may stand in @message behind an item of slot @before. */
static bool check_item(const struct paxos_message *message,
		       const struct paxos_item *item, u64 before)
{
	const struct paxos_origin *origin = &item->origin;

	if (!paxos_item_valid(item))
		return false;
	switch (message->type) {
	case PAXOS_PROMISE:
		return item->slot > before &&
		       item->slot >= message->promise.first &&
		       (!message->promise.next ||
			item->slot < message->promise.next) &&
		       item->ballot && item->ballot <= message->ballot;
	case PAXOS_ACCEPT:
		return item->slot && (!before || item->slot == before + 1) &&
		       item->ballot == message->ballot;
	case PAXOS_CHOSEN:
		return item->slot > before && item->ballot;
	default:	/* Forward */
		return !item->slot && !item->ballot && origin->member &&
		       item->kind != PAXOS_CONFIG;
	}
}

static enum paxos_drop check_items(const struct paxos_message *message,
				   size_t left)
{
	const u8 *at = message->body;
	struct paxos_item item;
	u64 before = 0;
	u32 i;

	for (i = 0; i < message->count; i++) {
		struct paxos_wire_item head;
		u32 len;

		if (left < sizeof(head))
			return PAXOS_DROP_SHORT;
		memcpy(&head, at, sizeof(head));
		len = le32_to_cpu(head.len);
		if (len > PAXOS_VALUE_MAX || head.kind >= PAXOS_KINDS ||
		    head.zero)
			return PAXOS_DROP_MALFORMED;
		if (left < paxos_wire_item_size(len))
			return PAXOS_DROP_SHORT;
		left -= paxos_wire_item_size(len);
		at = paxos_wire_item(at, &item);
		for (; len % 8; len++)
			if (item.bytes[len])
				return PAXOS_DROP_MALFORMED;
		if (!check_item(message, &item, before))
			return PAXOS_DROP_MALFORMED;
		before = item.slot;
	}
	return left ? PAXOS_DROP_LONG : PAXOS_DROP_NONE;
}

static enum paxos_drop check_ranges(const struct paxos_message *message,
				    size_t left)
{
	const u8 *at = message->body;
	struct paxos_range range;
	u32 i;

	if (left < message->count * sizeof(struct paxos_wire_range))
		return PAXOS_DROP_SHORT;
	if (left > message->count * sizeof(struct paxos_wire_range))
		return PAXOS_DROP_LONG;
	for (i = 0; i < message->count; i++) {
		struct paxos_wire_range wire;

		memcpy(&wire, at, sizeof(wire));
		at = paxos_wire_range(at, &range);
		if (wire.zero || !range.first || !range.count ||
		    range.first + range.count < range.first)
			return PAXOS_DROP_MALFORMED;
	}
	return PAXOS_DROP_NONE;
}

/*
 * paxos_wire_decode - check a datagram whole, and look into it
 *
 * Whatever the @len bytes at @buffer are: after PAXOS_DROP_NONE every field of
 * @message is in its range, and its items or ranges can be walked without
 * another check for as long as the buffer stays. The tag is the caller's.
 */
enum paxos_drop paxos_wire_decode(const void *buffer, size_t len,
				  struct paxos_message *message)
{
	struct paxos_wire_header header;
	const u8 *at = buffer;
	size_t left = len;

	if (left < sizeof(header))
		return PAXOS_DROP_SHORT;
	memcpy(&header, at, sizeof(header));
	at += sizeof(header);
	left -= sizeof(header);
	if (header.version != PAXOS_WIRE_VERSION)
		return PAXOS_DROP_VERSION;
	if (!header.type || header.type >= PAXOS_TYPES)
		return PAXOS_DROP_TYPE;

	message->type = header.type;
	message->from = header.from;
	message->to = header.to;
	message->epoch = le32_to_cpu(header.epoch);
	message->stamp = le32_to_cpu(header.stamp);
	message->ballot = le64_to_cpu(header.ballot);
	message->commit = le64_to_cpu(header.commit);
	message->count = le32_to_cpu(header.count);
	if (header.zero ||
	    message->from < 1 || message->from > PAXOS_MEMBERS_MAX ||
	    message->to < 1 || message->to > PAXOS_MEMBERS_MAX ||
	    message->count < types[header.type].items_min ||
	    message->count > types[header.type].items_max +
			     types[header.type].ranges_max)
		return PAXOS_DROP_MALFORMED;

	if (left < types[header.type].body)
		return PAXOS_DROP_SHORT;
	decode_body(at, message);
	if (!check_body(message))
		return PAXOS_DROP_MALFORMED;
	message->body = at + types[header.type].body;
	left -= types[header.type].body;

	return types[header.type].ranges_max ? check_ranges(message, left) :
					       check_items(message, left);
}
