/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SELFTESTS_AGENT_RECORDS_H
#define _SELFTESTS_AGENT_RECORDS_H

/* Records that follow from their number, so that a reader can check them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "wal.h"

static const struct wal_identity records_identity = {
	.cluster = "a cluster of 16",
	.group = 7,
	.member = 3,
	.durability = PAXOS_NL_DURABILITY_SYNC,
};

static uint8_t records_value[PAXOS_NL_VALUE_MAX];

/* The lsn has gaps, as where records were superseded. */
static inline uint64_t records_lsn(unsigned int number)
{
	return number + number / 3;
}

static inline struct record records_make(unsigned int number, uint32_t length)
{
	struct record record = {
		.lsn = records_lsn(number),
		.slot = number * 11ULL,
		.ballot = number * 256ULL + 3,
		.incarnation = number % 5,
		.seq = number * 7ULL,
		.type = PAXOS_NL_RECORD_ACCEPT,
		.kind = PAXOS_NL_KIND_DATA,
		.origin = number % 64 + 1,
		.length = length,
		.value = records_value,
	};
	uint32_t i;

	for (i = 0; i < length; i++)
		records_value[i] = number * 31 + i * 7 + i / 256;
	if (!length && number % 2) {
		record.type = PAXOS_NL_RECORD_PROMISE;
		record.slot = 0;
	}
	return record;
}

/* What a replay saw: records 1 to @count, and sessions between them. */
struct records_seen {
	unsigned int count;
	unsigned int sessions;
};

static inline int records_check(void *context, const struct record *record)
{
	struct records_seen *seen = context;
	uint8_t copy[PAXOS_NL_VALUE_MAX];
	struct record expected;

	if (record->type == WAL_SESSION) {
		seen->sessions++;
		return 0;
	}
	memcpy(copy, record->value, record->length);
	expected = records_make(++seen->count, record->length);
	assert_int_equal(record->lsn, expected.lsn);
	assert_int_equal(record->type, expected.type);
	assert_int_equal(record->slot, expected.slot);
	assert_int_equal(record->ballot, expected.ballot);
	assert_int_equal(record->incarnation, expected.incarnation);
	assert_int_equal(record->seq, expected.seq);
	assert_int_equal(record->kind, expected.kind);
	assert_int_equal(record->origin, expected.origin);
	assert_memory_equal(copy, records_value, record->length);
	return 0;
}

#endif
