// SPDX-License-Identifier: GPL-2.0
#include "unit.h"

/* One of each type, with whatever its type adds. */
static u8 long_value[PAXOS_VALUE_MAX];

#define SAMPLES	20

static u32 samples(struct paxos_message *m, struct paxos_item items[][3],
		   struct paxos_range *ranges)
{
	u32 n = 0, i;

	memset(m, 0, SAMPLES * sizeof(*m));
	for (i = 0; i < SAMPLES; i++) {
		m[i].from = 3;
		m[i].to = 64;
		m[i].epoch = 0x01020304;
		m[i].stamp = 0xa1b2c3d4;
		m[i].ballot = B(0x1122334455667, 3);
		m[i].commit = 0x8877665544332211;
	}
	m[n].type = PAXOS_PREPARE;
	m[n++].prepare.first = 0x0102030405060708;

	m[n].type = PAXOS_PROMISE;		/* empty, the last page */
	m[n].promise.first = 1;
	m[n++].promise.held = 1;

	m[n].type = PAXOS_PROMISE;		/* a page with a gap */
	m[n].promise.first = 4;
	m[n].promise.next = 9;
	m[n].promise.held = 2;
	m[n].count = 3;
	m[n].items = items[n];
	items[n][0] = item_make(4, B(1, 1), 1, 1, "");
	items[n][1] = item_make(6, B(2, 2), 64, 1ULL << 60, "seven b");
	items[n][2] = item_noop(8, B(2, 3));
	n++;

	m[n].type = PAXOS_REJECT;
	m[n].reject.promised = B(PAXOS_ROUND_MAX, 9);
	m[n++].reject.held = 5;

	for (i = 0; i < 3; i++) {		/* a batch of 1, 2, 3 */
		u32 k;

		m[n].type = PAXOS_ACCEPT;
		m[n].count = i + 1;
		m[n].items = items[n];
		for (k = 0; k <= i; k++)
			items[n][k] = item_make(10 + k, m[n].ballot, 2, 5 + k,
						k == 1 ? "eight by" : "x");
		n++;
	}
	m[n].type = PAXOS_ACCEPT;		/* the largest value */
	m[n].count = 1;
	m[n].items = items[n];
	items[n][0] = item_make(~0ULL, m[n].ballot, 2, 5, "");
	items[n][0].len = PAXOS_VALUE_MAX;
	items[n][0].bytes = long_value;
	n++;

	m[n].type = PAXOS_ACCEPTED;		/* "I hear you" */
	m[n++].accepted.durable = 77;

	m[n].type = PAXOS_ACCEPTED;
	m[n].accepted.durable = ~0ULL;
	m[n].count = 2;
	m[n++].ranges = ranges;
	ranges[0] = (struct paxos_range){ .first = 5, .count = 1 };
	ranges[1] = (struct paxos_range){ .first = 9, .count = 0xffff };

	m[n++].type = PAXOS_COMMIT;

	m[n].type = PAXOS_FETCH;
	m[n].fetch.first = 3;
	m[n++].fetch.last = 3;

	m[n].type = PAXOS_CHOSEN;
	m[n].chosen.held = 3;
	m[n].count = 2;
	m[n].items = items[n];
	items[n][0] = item_make(3, B(9, 9), 9, 9, "chosen");
	items[n][1] = item_noop(5, B(1, 9));
	n++;

	m[n].type = PAXOS_FORWARD;
	m[n].count = 1;
	m[n].items = items[n];
	items[n][0] = item_make(0, 0, 3, 1, "please");
	n++;

	m[n].type = PAXOS_DONE;
	m[n].done.incarnation = 4;
	m[n].done.seq = 5;
	m[n].done.slot = 6;
	m[n++].done.outcome = PAXOS_OUTCOME_CHOSEN;

	m[n].type = PAXOS_READ;
	m[n].read.incarnation = 3;
	m[n++].read.id = 9;

	m[n].type = PAXOS_READ_REPLY;
	m[n].read.incarnation = 3;
	m[n].read.id = 9;
	m[n++].read.slot = 10;

	m[n++].type = PAXOS_PROBE;

	m[n].type = PAXOS_PROBE_REPLY;
	m[n++].probe.incarnation = 0x0102030405060708;
	m[n++].type = PAXOS_YIELD;
	assert_true(n <= SAMPLES);
	return n;
}

static struct paxos_message messages[SAMPLES];
static struct paxos_item items[SAMPLES][3];
static struct paxos_range ranges[2];

/* A copy of exactly @len bytes, so that ASan sees one byte too many. */
static enum paxos_drop decode(const u8 *bytes, size_t len,
			      struct paxos_message *m)
{
	u8 *copy = malloc(len ? len : 1);
	enum paxos_drop why;

	memcpy(copy, bytes, len);
	memset(m, 0xa5, sizeof(*m));
	why = paxos_wire_decode(len ? copy : copy + 1, len, m);
	free(copy);
	return why;
}

static u8 *encode(const struct paxos_message *m, size_t *len)
{
	u8 *bytes;

	*len = paxos_wire_size(m);
	bytes = malloc(*len);
	memset(bytes, 0xa5, *len);
	paxos_wire_encode(m, GROUP, bytes);
	return bytes;
}

static void same_body(const struct paxos_message *in,
		      const struct paxos_message *out)
{
	const u8 *at = out->body;
	u32 i;

	switch (in->type) {
	case PAXOS_PREPARE:
		assert_int_equal(in->prepare.first, out->prepare.first);
		break;
	case PAXOS_PROMISE:
		assert_int_equal(in->promise.first, out->promise.first);
		assert_int_equal(in->promise.next, out->promise.next);
		assert_int_equal(in->promise.held, out->promise.held);
		break;
	case PAXOS_REJECT:
		assert_int_equal(in->reject.promised, out->reject.promised);
		assert_int_equal(in->reject.held, out->reject.held);
		break;
	case PAXOS_ACCEPTED:
		assert_int_equal(in->accepted.durable, out->accepted.durable);
		for (i = 0; i < in->count; i++) {
			struct paxos_range range;

			at = paxos_wire_range(at, &range);
			assert_int_equal(in->ranges[i].first, range.first);
			assert_int_equal(in->ranges[i].count, range.count);
		}
		return;
	case PAXOS_FETCH:
		assert_int_equal(in->fetch.first, out->fetch.first);
		assert_int_equal(in->fetch.last, out->fetch.last);
		break;
	case PAXOS_CHOSEN:
		assert_int_equal(in->chosen.held, out->chosen.held);
		break;
	case PAXOS_DONE:
		assert_int_equal(in->done.incarnation, out->done.incarnation);
		assert_int_equal(in->done.seq, out->done.seq);
		assert_int_equal(in->done.slot, out->done.slot);
		assert_int_equal(in->done.outcome, out->done.outcome);
		break;
	case PAXOS_READ:
	case PAXOS_READ_REPLY:
		assert_int_equal(in->read.incarnation, out->read.incarnation);
		assert_int_equal(in->read.incarnation, out->read.incarnation);
		assert_int_equal(in->read.id, out->read.id);
		assert_int_equal(in->read.slot, out->read.slot);
		break;
	case PAXOS_PROBE:
	case PAXOS_PROBE_REPLY:
		assert_int_equal(in->probe.incarnation,
				 out->probe.incarnation);
		break;
	}
	for (i = 0; i < in->count; i++) {
		struct paxos_item item;

		at = paxos_wire_item(at, &item);
		assert_int_equal(in->items[i].slot, item.slot);
		assert_int_equal(in->items[i].ballot, item.ballot);
		assert_int_equal(in->items[i].origin.incarnation,
				 item.origin.incarnation);
		assert_int_equal(in->items[i].origin.seq, item.origin.seq);
		assert_int_equal(in->items[i].origin.member,
				 item.origin.member);
		assert_int_equal(in->items[i].kind, item.kind);
		assert_int_equal(in->items[i].len, item.len);
		if (item.len)
			assert_memory_equal(in->items[i].bytes, item.bytes,
					    item.len);
	}
}

static void test_round_trip(void **state)
{
	u32 n = samples(messages, items, ranges), i, types = 0;

	for (i = 0; i < n; i++) {
		const struct paxos_message *in = &messages[i];
		struct paxos_message out;
		size_t len;
		u8 *bytes = encode(in, &len);

		memset(&out, 0xa5, sizeof(out));
		assert_drop(PAXOS_DROP_NONE,
			    paxos_wire_decode(bytes, len, &out));
		assert_int_equal(in->type, out.type);
		assert_int_equal(in->from, out.from);
		assert_int_equal(in->to, out.to);
		assert_int_equal(in->epoch, out.epoch);
		assert_int_equal(in->stamp, out.stamp);
		assert_int_equal(in->ballot, out.ballot);
		assert_int_equal(in->commit, out.commit);
		assert_int_equal(in->count, out.count);
		same_body(in, &out);
		types |= 1 << in->type;
		free(bytes);
	}
	/* No type was forgotten. */
	assert_int_equal(types, (1 << PAXOS_TYPES) - 2);
}

static void test_size(void **state)
{
	u32 n = samples(messages, items, ranges), i;

	for (i = 0; i < n; i++) {
		size_t len = paxos_wire_size(&messages[i]), written;
		u8 *a = malloc(len + 64), *b = malloc(len + 64);

		/* What differs under two fillings was not written. */
		memset(a, 0x00, len + 64);
		memset(b, 0xff, len + 64);
		paxos_wire_encode(&messages[i], GROUP, a);
		paxos_wire_encode(&messages[i], GROUP, b);
		for (written = 0; written < len + 64; written++)
			if (a[written] != b[written])
				break;
		assert_int_equal(written, len);
		assert_int_equal(len % 8, 0);
		free(a);
		free(b);
	}
}

static void test_layout(void **state)
{
	static const u8 expected[] = {
		0, 0, 0, 0, 0, 0, 0, 0,			/* tag */
		1, PAXOS_PREPARE, 2, 3,
		7, 0, 0, 0,				/* group */
		5, 0, 0, 0,				/* epoch */
		0x44, 0x33, 0x22, 0x11,			/* stamp */
		2, 6, 0, 0, 0, 0, 0, 0,			/* ballot 6.2 */
		0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,
		0, 0, 0, 0, 0, 0, 0, 0,			/* count, zero */
		9, 0, 0, 0, 0, 0, 0, 0,			/* first */
	};
	struct paxos_message m = {
		.type = PAXOS_PREPARE, .from = 2, .to = 3, .epoch = 5,
		.stamp = 0x11223344, .ballot = B(6, 2),
		.commit = 0x1122334455667788, .prepare.first = 9,
	};
	u8 bytes[sizeof(expected)];

	assert_int_equal(paxos_wire_size(&m), sizeof(expected));
	paxos_wire_encode(&m, GROUP, bytes);
	assert_memory_equal(bytes, expected, sizeof(expected));
}

/* What each type adds to the header, as words of 8 bytes. */
static void test_layout_of_each_type(void **state)
{
	/* A value of 3 bytes in slot 21, and slots 31 and 32. */
	static const struct paxos_item item = {
		.slot = 21, .ballot = 22, .origin = { 23, 24, 25 },
		.len = 3, .kind = PAXOS_DATA, .bytes = (const u8 *)"abc",
	};
	static const struct paxos_range range = { .first = 31, .count = 2 };
#define ITEM	21, 22, 23, 24, 25ULL << 40 | 1ULL << 32 | 3, 0x636261
	static const struct {
		struct paxos_message message;
		u64 words[9];
		u32 n;
	} types[] = {
		{ { .type = PAXOS_PREPARE, .prepare = { 1 } }, { 1 }, 1 },
		{ { .type = PAXOS_PROMISE, .promise = { 1, 2, 3 }, .count = 1,
		    .items = &item }, { 1, 2, 3, ITEM }, 9 },
		{ { .type = PAXOS_REJECT, .reject = { 1, 2 } }, { 1, 2 }, 2 },
		{ { .type = PAXOS_ACCEPT, .count = 1, .items = &item },
		  { ITEM }, 6 },
		{ { .type = PAXOS_ACCEPTED, .accepted = { 1 }, .count = 1,
		    .ranges = &range }, { 1, 31, 2 }, 3 },
		{ { .type = PAXOS_COMMIT }, { 0 }, 0 },
		{ { .type = PAXOS_FETCH, .fetch = { 1, 2 } }, { 1, 2 }, 2 },
		{ { .type = PAXOS_CHOSEN, .chosen = { 1 }, .count = 1,
		    .items = &item }, { 1, ITEM }, 7 },
		{ { .type = PAXOS_FORWARD, .count = 1, .items = &item },
		  { ITEM }, 6 },
		{ { .type = PAXOS_DONE, .done = { 1, 2, 3, 1 } },
		  { 1, 2, 3, 1 }, 4 },
		{ { .type = PAXOS_READ, .read = { 1, 2, 3 } }, { 1, 2, 3 }, 3 },
		{ { .type = PAXOS_READ_REPLY, .read = { 1, 2, 3 } },
		  { 1, 2, 3 }, 3 },
		{ { .type = PAXOS_PROBE, .probe = { 1 } }, { 1 }, 1 },
		{ { .type = PAXOS_PROBE_REPLY, .probe = { 1 } }, { 1 }, 1 },
		{ { .type = PAXOS_YIELD }, { 0 }, 0 },
	};
#undef ITEM
	const size_t head = sizeof(struct paxos_wire_header);
	const u32 n = sizeof(types) / sizeof(types[0]);
	u32 i, k;

	/* None is left out, and each is known by its number. */
	assert_int_equal(n, PAXOS_TYPES - 1);
	for (i = 0; i < n; i++) {
		size_t len;
		u8 *bytes = encode(&types[i].message, &len);

		assert_int_equal(bytes[9], i + 1);
		assert_int_equal(len, head + 8 * types[i].n);
		for (k = 0; k < 8 * types[i].n; k++)
			assert_int_equal(bytes[head + k], (u8)
					 (types[i].words[k / 8] >> 8 * (k % 8)));
		free(bytes);
	}
}

static void test_truncated(void **state)
{
	u32 n = samples(messages, items, ranges), i;

	for (i = 0; i < n; i++) {
		struct paxos_message out;
		size_t len, cut;
		u8 *bytes = encode(&messages[i], &len);

		/* A long value is cut near both ends, the rest everywhere. */
		for (cut = 0; cut < len; cut++) {
			if (len > 4096 && cut == 512)
				cut = len - 512;
			assert_drop(PAXOS_DROP_SHORT,
				    decode(bytes, cut, &out));
		}
		free(bytes);
	}
}

static void test_extended(void **state)
{
	u32 n = samples(messages, items, ranges), i, more;

	for (i = 0; i < n; i++) {
		struct paxos_message out;
		size_t len;
		u8 *bytes = encode(&messages[i], &len);

		bytes = realloc(bytes, len + 64);
		for (more = 1; more <= 64; more++) {
			memset(bytes + len, more % 2 ? 0 : 0xff, more);
			assert_drop(PAXOS_DROP_LONG,
				    decode(bytes, len + more, &out));
		}
		free(bytes);
	}
}

#define OFFSET(field)	offsetof(struct paxos_wire_header, field)

/* Decode sample @i with @size bytes at @offset replaced. */
static enum paxos_drop decode_with(u32 i, size_t offset, const void *with,
				   size_t size)
{
	struct paxos_message out;
	enum paxos_drop why;
	size_t len;
	u8 *bytes = encode(&messages[i], &len);

	assert_true(offset + size <= len);
	memcpy(bytes + offset, with, size);
	why = decode(bytes, len, &out);
	free(bytes);
	return why;
}

static void test_count(void **state)
{
	static const u32 counts[] = {
		65, 128, 0x10000, 0x0fffffff, 0x10000000, 0x10000001,
		0x33333334, 0x66666667, 0x7fffffff, 0x80000000, 0xffffffff,
	};
	u32 n = samples(messages, items, ranges), i, k;

	for (i = 0; i < n; i++) {
		__le32 count = cpu_to_le32(messages[i].count + 1);

		/* One more than there are. */
		assert_drop(messages[i].type == PAXOS_FORWARD ||
			    !(messages[i].type == PAXOS_PROMISE ||
			      messages[i].type == PAXOS_ACCEPT ||
			      messages[i].type == PAXOS_ACCEPTED ||
			      messages[i].type == PAXOS_CHOSEN) ?
			    PAXOS_DROP_MALFORMED : PAXOS_DROP_SHORT,
			    decode_with(i, OFFSET(count), &count, 4));
		/* One less leaves bytes behind, or too few. */
		if (messages[i].count) {
			count = cpu_to_le32(messages[i].count - 1);
			assert_drop(messages[i].count == 1 &&
				    (messages[i].type == PAXOS_ACCEPT ||
				     messages[i].type == PAXOS_FORWARD) ?
				    PAXOS_DROP_MALFORMED : PAXOS_DROP_LONG,
				    decode_with(i, OFFSET(count), &count, 4));
		}
		/* Products of it with a size wrap, in 32 bits. */
		for (k = 0; k < sizeof(counts) / sizeof(counts[0]); k++) {
			count = cpu_to_le32(counts[k]);
			assert_drop(PAXOS_DROP_MALFORMED,
				    decode_with(i, OFFSET(count), &count, 4));
		}
	}
}

static void test_len(void **state)
{
	static const u32 lens[] = {
		PAXOS_VALUE_MAX + 1, 0x7fffffff, 0x80000000, 0xffffffc0,
		0xffffffd7, 0xffffffd8, 0xffffffd9, 0xfffffff8, 0xfffffff9,
		0xffffffff,
	};
	u32 n = samples(messages, items, ranges), i, k;

	for (i = 0; i < n; i++) {
		size_t at;
		__le32 len;

		if (messages[i].type != PAXOS_ACCEPT)
			continue;
		at = sizeof(struct paxos_wire_header) +
		     offsetof(struct paxos_wire_item, len);
		for (k = 0; k < sizeof(lens) / sizeof(lens[0]); k++) {
			len = cpu_to_le32(lens[k]);
			assert_drop(PAXOS_DROP_MALFORMED,
				    decode_with(i, at, &len, 4));
		}
		/* In its range, and more than arrived. */
		if (messages[i].items[0].len < PAXOS_VALUE_MAX) {
			len = cpu_to_le32(PAXOS_VALUE_MAX);
			assert_drop(PAXOS_DROP_SHORT,
				    decode_with(i, at, &len, 4));
		}
	}
}

static void test_version(void **state)
{
	u32 n = samples(messages, items, ranges), i, version;

	for (i = 0; i < n; i++)
		for (version = 0; version < 256; version++) {
			u8 byte = version;

			if (version == PAXOS_WIRE_VERSION)
				continue;
			assert_drop(PAXOS_DROP_VERSION,
				    decode_with(i, OFFSET(version), &byte, 1));
		}
}

static void test_type(void **state)
{
	u32 type;

	samples(messages, items, ranges);
	for (type = 0; type < 256; type++) {
		u8 byte = type;

		if (!type || type >= PAXOS_TYPES)
			assert_drop(PAXOS_DROP_TYPE,
				    decode_with(0, OFFSET(type), &byte, 1));
	}
}

static void test_reserved(void **state)
{
	u32 n = samples(messages, items, ranges), i, bit;
	size_t at;

	for (i = 0; i < n; i++) {
		for (bit = 0; bit < 32; bit++) {
			__le32 word = cpu_to_le32(1U << bit);

			assert_drop(PAXOS_DROP_MALFORMED,
				    decode_with(i, OFFSET(zero), &word, 4));
		}
		if (messages[i].type == PAXOS_ACCEPT) {
			__le16 word = cpu_to_le16(0x0100);

			at = sizeof(struct paxos_wire_header) +
			     offsetof(struct paxos_wire_item, zero);
			assert_drop(PAXOS_DROP_MALFORMED,
				    decode_with(i, at, &word, 2));
		}
		if (messages[i].type == PAXOS_ACCEPTED && messages[i].count) {
			__le32 word = cpu_to_le32(1);

			at = sizeof(struct paxos_wire_header) +
			     sizeof(struct paxos_wire_accepted) +
			     offsetof(struct paxos_wire_range, zero);
			assert_drop(PAXOS_DROP_MALFORMED,
				    decode_with(i, at, &word, 4));
		}
	}
}

static void test_padding(void **state)
{
	u32 n = samples(messages, items, ranges), i, k;

	for (i = 0; i < n; i++) {
		u32 len;

		if (messages[i].type != PAXOS_ACCEPT || messages[i].count != 1)
			continue;
		len = messages[i].items[0].len;
		for (k = len; k % 8; k++) {
			u8 byte = 0x80;

			assert_drop(PAXOS_DROP_MALFORMED,
				    decode_with(i, sizeof(struct
					paxos_wire_header) + sizeof(struct
					paxos_wire_item) + k, &byte, 1));
		}
	}
}

static void test_members(void **state)
{
	u32 id;

	samples(messages, items, ranges);
	for (id = 0; id < 256; id++) {
		enum paxos_drop expected = id >= 1 && id <= 64 ?
			PAXOS_DROP_NONE : PAXOS_DROP_MALFORMED;
		u8 byte = id;

		assert_drop(expected, decode_with(0, OFFSET(from), &byte, 1));
		assert_drop(expected, decode_with(0, OFFSET(to), &byte, 1));
	}
}

static enum paxos_drop decode_of(const struct paxos_message *m)
{
	struct paxos_message out;
	enum paxos_drop why;
	size_t len;
	u8 *bytes = encode(m, &len);

	why = decode(bytes, len, &out);
	free(bytes);
	return why;
}

static struct paxos_message header(u8 type)
{
	return (struct paxos_message){ .type = type, .from = 1, .to = 2,
				       .epoch = 1, .ballot = B(3, 1) };
}

static void test_fields(void **state)
{
	struct paxos_message m;

	m = header(PAXOS_PREPARE);
	assert_drop(PAXOS_DROP_MALFORMED, decode_of(&m));	/* slot 0 */
	m.prepare.first = 1;
	assert_drop(PAXOS_DROP_NONE, decode_of(&m));
	m.epoch = 0;		/* of a host that no configuration names */
	assert_drop(PAXOS_DROP_NONE, decode_of(&m));
	m.epoch = 1;
	m.ballot = 0;
	assert_drop(PAXOS_DROP_MALFORMED, decode_of(&m));

	m = header(PAXOS_REJECT);
	m.reject.held = 1;
	m.reject.promised = m.ballot;	/* does not beat it */
	assert_drop(PAXOS_DROP_MALFORMED, decode_of(&m));
	m.reject.promised = m.ballot + 1;
	assert_drop(PAXOS_DROP_NONE, decode_of(&m));

	m = header(PAXOS_FETCH);
	m.fetch.first = 5;
	m.fetch.last = 4;
	assert_drop(PAXOS_DROP_MALFORMED, decode_of(&m));
	m.fetch.last = 5;
	assert_drop(PAXOS_DROP_NONE, decode_of(&m));

	m = header(PAXOS_PROMISE);
	m.promise.first = 5;
	m.promise.held = 1;
	m.promise.next = 5;		/* pages that lead nowhere */
	assert_drop(PAXOS_DROP_MALFORMED, decode_of(&m));
	m.promise.next = 6;
	assert_drop(PAXOS_DROP_NONE, decode_of(&m));
}

static void test_range_fields(void **state)
{
	struct paxos_message m = header(PAXOS_ACCEPTED);
	struct paxos_range range = { .first = 0, .count = 1 };

	m.count = 1;
	m.ranges = &range;
	assert_drop(PAXOS_DROP_MALFORMED, decode_of(&m));
	range = (struct paxos_range){ .first = 1, .count = 0 };
	assert_drop(PAXOS_DROP_MALFORMED, decode_of(&m));
	range = (struct paxos_range){ .first = ~0ULL, .count = 2 };
	assert_drop(PAXOS_DROP_MALFORMED, decode_of(&m));
	range = (struct paxos_range){ .first = 1, .count = 1 };
	assert_drop(PAXOS_DROP_NONE, decode_of(&m));
}

static enum paxos_drop decode_items(u8 type, struct paxos_item *a,
				    struct paxos_item *b)
{
	struct paxos_message m = header(type);
	struct paxos_item pair[2];

	if (type == PAXOS_PROMISE) {
		m.promise.first = 5;
		m.promise.next = 10;
		m.promise.held = 1;
	}
	if (type == PAXOS_CHOSEN)
		m.chosen.held = 1;
	pair[0] = *a;
	if (b)
		pair[1] = *b;
	m.count = b ? 2 : 1;
	m.items = pair;
	return decode_of(&m);
}

static void test_item_fields(void **state)
{
	struct paxos_item a, b;
	u8 types[] = { PAXOS_PROMISE, PAXOS_ACCEPT, PAXOS_CHOSEN };
	u32 i;

	for (i = 0; i < 3; i++) {
		u8 type = types[i];

		/* Slots rise; in an Accept without a gap. */
		a = item_make(5, B(3, 1), 1, 1, "a");
		b = item_make(6, B(3, 1), 1, 2, "b");
		assert_drop(PAXOS_DROP_NONE, decode_items(type, &a, &b));
		assert_drop(PAXOS_DROP_MALFORMED, decode_items(type, &b, &a));
		assert_drop(PAXOS_DROP_MALFORMED, decode_items(type, &a, &a));
		b.slot = 7;
		assert_drop(type == PAXOS_ACCEPT ? PAXOS_DROP_MALFORMED :
			    PAXOS_DROP_NONE, decode_items(type, &a, &b));

		/* No slot, no ballot, no owner, no life, no number. */
		a.slot = 0;
		assert_drop(PAXOS_DROP_MALFORMED, decode_items(type, &a, NULL));
		a = item_make(5, 0, 1, 1, "a");
		assert_drop(PAXOS_DROP_MALFORMED, decode_items(type, &a, NULL));
		a = item_make(5, B(3, 1), 0, 1, "a");
		assert_drop(PAXOS_DROP_MALFORMED, decode_items(type, &a, NULL));
		a = item_make(5, B(3, 1), 65, 1, "a");
		assert_drop(PAXOS_DROP_MALFORMED, decode_items(type, &a, NULL));
		a = item_make(5, B(3, 1), 1, 0, "a");
		assert_drop(PAXOS_DROP_MALFORMED, decode_items(type, &a, NULL));
		a = item_make(5, B(3, 1), 1, 1, "a");
		a.origin.incarnation = 0;
		assert_drop(PAXOS_DROP_MALFORMED, decode_items(type, &a, NULL));
		a = item_make(5, B(3, 1), 1, 1, "a");
		a.kind = PAXOS_KINDS;
		assert_drop(PAXOS_DROP_MALFORMED, decode_items(type, &a, NULL));

		/* A no-op is empty, and of a whole origin or of none. */
		a = item_noop(5, B(3, 1));
		assert_drop(PAXOS_DROP_NONE, decode_items(type, &a, NULL));
		a.origin.member = 1;
		assert_drop(PAXOS_DROP_MALFORMED, decode_items(type, &a, NULL));
		a.origin.incarnation = 1;
		assert_drop(PAXOS_DROP_MALFORMED, decode_items(type, &a, NULL));
		a.origin.seq = 1;
		assert_drop(PAXOS_DROP_NONE, decode_items(type, &a, NULL));
		a.len = 1;
		a.bytes = (const u8 *)"a";
		assert_drop(PAXOS_DROP_MALFORMED, decode_items(type, &a, NULL));
		a = item_noop(5, B(3, 1));
		a.len = 1;
		a.bytes = (const u8 *)"a";
		assert_drop(PAXOS_DROP_MALFORMED, decode_items(type, &a, NULL));
	}

	/* P2c: a promise tells of ballots below it, of the slots asked for. */
	a = item_make(5, B(4, 1), 1, 1, "a");
	assert_drop(PAXOS_DROP_MALFORMED, decode_items(PAXOS_PROMISE, &a,
						       NULL));
	a = item_make(4, B(1, 1), 1, 1, "a");
	assert_drop(PAXOS_DROP_MALFORMED, decode_items(PAXOS_PROMISE, &a,
						       NULL));
	a = item_make(10, B(1, 1), 1, 1, "a");
	assert_drop(PAXOS_DROP_MALFORMED, decode_items(PAXOS_PROMISE, &a,
						       NULL));
	/* P2a: what is proposed in a ballot stands in that ballot. */
	a = item_make(5, B(2, 1), 1, 1, "a");
	assert_drop(PAXOS_DROP_MALFORMED, decode_items(PAXOS_ACCEPT, &a, NULL));
}

/* From an skb a datagram starts where it starts. */
static void test_unaligned(void **state)
{
	u32 n = samples(messages, items, ranges), i, offset;

	for (i = 0; i < n; i++)
		for (offset = 1; offset < 8; offset++) {
			struct paxos_message out;
			size_t len = paxos_wire_size(&messages[i]);
			u8 *bytes = malloc(len + offset);

			paxos_wire_encode(&messages[i], GROUP, bytes + offset);
			assert_drop(PAXOS_DROP_NONE,
				    paxos_wire_decode(bytes + offset, len,
						      &out));
			same_body(&messages[i], &out);
			free(bytes);
		}
}

/* Each byte is checked or carried: what decodes encodes to the same bytes. */
static void test_flipped(void **state)
{
	u32 n = samples(messages, items, ranges), i;
	struct paxos_item list[PAXOS_ITEMS_MAX];
	struct paxos_range spans[PAXOS_RANGES_MAX];

	for (i = 0; i < n; i++) {
		size_t len, at, k;
		u8 *bytes = encode(&messages[i], &len), *again;

		for (at = 8; at < (len > 512 ? 512 : len) * 8; at++) {
			struct paxos_message out;
			const u8 *walk;

			if (at / 8 < 8)		/* the tag is the caller's */
				continue;
			bytes[at / 8] ^= 1 << at % 8;
			if (!paxos_wire_decode(bytes, len, &out)) {
				walk = out.body;
				for (k = 0; k < out.count; k++)
					walk = out.type == PAXOS_ACCEPTED ?
						paxos_wire_range(walk,
								 &spans[k]) :
						paxos_wire_item(walk, &list[k]);
				assert_ptr_equal(walk, bytes + len);
				if (out.type == PAXOS_ACCEPTED)
					out.ranges = spans;
				else
					out.items = list;
				assert_int_equal(paxos_wire_size(&out), len);
				again = malloc(len);
				paxos_wire_encode(&out, le32_to_cpu(
					((struct paxos_wire_header *)bytes)
					->group), again);
				assert_memory_equal(again + 8, bytes + 8,
						    len - 8);
				free(again);
			}
			bytes[at / 8] ^= 1 << at % 8;
		}
		free(bytes);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST("every type survives the round trip", test_round_trip),
		TEST("size is what encode writes, no more and no less",
		     test_size),
		TEST("the layout is little-endian and stays as it is",
		     test_layout),
		TEST("the layout of each type stays as it is",
		     test_layout_of_each_type),
		TEST("a datagram cut at any byte is short", test_truncated),
		TEST("a datagram with bytes behind is long", test_extended),
		TEST("a count that lies is refused, and does not wrap",
		     test_count),
		TEST("a length that lies is refused, and does not wrap",
		     test_len),
		TEST("another version is dropped", test_version),
		TEST("an unknown type is dropped", test_type),
		TEST("reserved fields are zero", test_reserved),
		TEST("padding is zero", test_padding),
		TEST("members are 1..64", test_members),
		TEST("fields of each type are in their range", test_fields),
		TEST("ranges of Accepted are in their range",
		     test_range_fields),
		TEST("P2a, P2c: items are in order and of the right ballots",
		     test_item_fields),
		TEST("a datagram may start at any address", test_unaligned),
		TEST("any flipped bit is refused or carried through",
		     test_flipped),
	};

	return RUN_TESTS(tests);
}
