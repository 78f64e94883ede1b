// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include "wal_index.h"

void wal_index_init(struct wal_index *index)
{
	memset(index, 0, sizeof(*index));
	pthread_mutex_init(&index->lock, NULL);
}

void wal_index_free(struct wal_index *index)
{
	free(index->stretches);
	free(index->ends);
	pthread_mutex_destroy(&index->lock);
	memset(index, 0, sizeof(*index));
}

static void lift(uint64_t *highest, uint64_t to)
{
	if (*highest < to)
		*highest = to;
}

void wal_index_add(struct wal_index *index, const struct record *record)
{
	if (!index)
		return;
	if (record->type == PAXOS_NL_RECORD_ACCEPT)
		lift(&index->highest, record->slot);
	if (record->type == PAXOS_NL_RECORD_COMMIT)
		lift(&index->added, record->slot);
}

/* Room for one more in powers of two. */
static void *grow(void *array, size_t n, size_t size)
{
	if (n & (n - 1))
		return array;
	array = reallocarray(array, n ? 2 * n : 1, size);
	if (!array)
		abort();
	return array;
}

static void add_segments(struct wal_index *index, uint64_t sequence)
{
	while (index->segments < sequence) {
		index->ends = grow(index->ends, index->segments,
				   sizeof(*index->ends));
		index->ends[index->segments++] = WAL_BLOCK;
	}
}

static void add_batch(struct wal_index *index, uint64_t sequence,
		      uint64_t offset)
{
	struct wal_stretch *last = NULL;

	if (index->n)
		last = &index->stretches[index->n - 1];
	if (!last || last->sequence != sequence ||
	    offset - last->offset >= WAL_STRETCH) {
		index->stretches = grow(index->stretches, index->n,
					sizeof(*index->stretches));
		last = &index->stretches[index->n++];
		last->sequence = sequence;
		last->offset = offset;
	}
	last->highest = index->highest;
}

void wal_index_batch(struct wal_index *index, uint64_t sequence,
		     uint64_t offset, uint64_t end)
{
	if (!index)
		return;
	pthread_mutex_lock(&index->lock);
	if (sequence > index->segments ||
	    (sequence == index->segments && end > index->ends[sequence - 1])) {
		add_segments(index, sequence);
		add_batch(index, sequence, offset);
		index->ends[sequence - 1] = end;
		index->commit = index->added;
	}
	pthread_mutex_unlock(&index->lock);
}

void wal_index_cut(struct wal_index *index, uint64_t sequence, uint64_t end)
{
	if (!index)
		return;
	pthread_mutex_lock(&index->lock);
	if (sequence <= index->segments)
		index->ends[sequence - 1] = end;
	pthread_mutex_unlock(&index->lock);
}

bool wal_index_find(struct wal_index *index, uint64_t slot, uint64_t *sequence,
		    uint64_t *offset)
{
	size_t low = 0, high, middle;
	bool found;

	pthread_mutex_lock(&index->lock);
	/* The first whose highest is not below; it only rises. */
	for (high = index->n; low < high;) {
		middle = low + (high - low) / 2;
		if (index->stretches[middle].highest < slot)
			low = middle + 1;
		else
			high = middle;
	}
	found = low < index->n;
	if (found) {
		*sequence = index->stretches[low].sequence;
		*offset = index->stretches[low].offset;
	}
	pthread_mutex_unlock(&index->lock);
	return found;
}

bool wal_index_limit(struct wal_index *index, uint64_t sequence, uint64_t *end,
		     bool *last)
{
	bool known;

	pthread_mutex_lock(&index->lock);
	known = sequence && sequence <= index->segments;
	if (known) {
		*end = index->ends[sequence - 1];
		*last = sequence == index->segments;
	}
	pthread_mutex_unlock(&index->lock);
	return known;
}

uint64_t wal_index_chosen(struct wal_index *index)
{
	uint64_t commit;

	pthread_mutex_lock(&index->lock);
	commit = index->commit;
	pthread_mutex_unlock(&index->lock);
	return commit;
}
