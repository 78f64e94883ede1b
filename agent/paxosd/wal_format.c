// SPDX-License-Identifier: GPL-2.0
/* Batches and records as they are on the disk; their format is in wal.h. */

#include <endian.h>
#include "wal.h"

const struct wal_batch *wal_batch_at(const uint8_t *at, size_t size,
				     uint32_t seed, uint64_t sequence,
				     uint64_t offset)
{
	const struct wal_batch *batch = (const void *)at;
	const size_t start = offsetof(struct wal_batch, length);

	if (size < sizeof(*batch) ||
	    le32toh(batch->magic) != WAL_BATCH_MAGIC ||
	    le64toh(batch->sequence) != sequence ||
	    le64toh(batch->offset) != offset ||
	    le32toh(batch->crc) !=
	    wal_crc(seed, at + start, sizeof(*batch) - start))
		return NULL;
	return batch;
}

const struct wal_record *wal_record_at(const uint8_t *at, const uint8_t *end,
				       uint32_t seed)
{
	const struct wal_record *record = (const void *)at;
	const size_t start = offsetof(struct wal_record, length);
	size_t size;

	if ((size_t)(end - at) < sizeof(*record) ||
	    le32toh(record->length) > PAXOS_NL_VALUE_MAX)
		return NULL;
	size = sizeof(*record) + wal_padded(le32toh(record->length));
	if ((size_t)(end - at) < size ||
	    le32toh(record->crc) != wal_crc(seed, at + start, size - start))
		return NULL;
	return record;
}

void wal_decode(struct record *record, const struct wal_record *disk)
{
	record->lsn = le64toh(disk->lsn);
	record->slot = le64toh(disk->slot);
	record->ballot = le64toh(disk->ballot);
	record->incarnation = le64toh(disk->incarnation);
	record->seq = le64toh(disk->seq);
	record->type = disk->type;
	record->kind = disk->kind;
	record->origin = disk->origin;
	record->length = le32toh(disk->length);
	record->value = disk + 1;
}
