// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include "wal_index.h"

void wal_index_init(struct wal_index *index)
{
	memset(index, 0, sizeof(*index));
	index->first = 1;
	pthread_mutex_init(&index->lock, NULL);
}

void wal_index_free(struct wal_index *index)
{
	size_t i;

	for (i = 0; i < index->n_parts; i++)
		free(index->parts[i].bytes);
	free(index->stretches);
	free(index->parts);
	free(index->base);
	free(index->head.bytes);
	free(index->trim);
	pthread_mutex_destroy(&index->lock);
	memset(index, 0, sizeof(*index));
}

static void lift(uint64_t *highest, uint64_t to)
{
	if (*highest < to)
		*highest = to;
}

static uint8_t *copy_of(const void *bytes, uint32_t length)
{
	uint8_t *copy = malloc(length + 1);

	if (!copy)
		abort();
	memcpy(copy, bytes, length);
	return copy;
}

static void add_checkpoint(struct wal_index *index, const struct record *record)
{
	const struct wal_checkpoint *checkpoint = record->value;
	struct wal_part *head = &index->head;

	/* What is said again, with a floor, is of an earlier slot. */
	if (checkpoint->floor)
		return;
	free(head->bytes);
	head->slot = record->slot;
	head->length = record->length - sizeof(*checkpoint);
	head->bytes = copy_of(checkpoint + 1, head->length);
}

void wal_index_add(struct wal_index *index, const struct record *record)
{
	if (!index)
		return;
	if (record->type == PAXOS_NL_RECORD_ACCEPT)
		lift(&index->highest, record->slot);
	if (record->type == PAXOS_NL_RECORD_COMMIT ||
	    record->type == PAXOS_NL_RECORD_TRIM)
		lift(&index->added, record->slot);
	if (record->type == WAL_CHECKPOINT)
		add_checkpoint(index, record);
	if (record->type != PAXOS_NL_RECORD_TRIM)
		return;
	/* The kernel began behind this slot: it holds none below. */
	lift(&index->begun, record->slot);
	free(index->trim);
	index->trim_length = record->length;
	index->trim = copy_of(record->value, record->length);
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

/* Again as grow() wants it: room for the next power of two. */
static void *shrunk(void *array, size_t n, size_t size)
{
	size_t room = 1;

	while (room < n)
		room *= 2;
	array = reallocarray(array, room, size);
	if (!array)
		abort();
	return array;
}

static struct wal_part *last_part(struct wal_index *index)
{
	return &index->parts[index->n_parts - 1];
}

/* The last one is @sequence, or is now. */
static struct wal_part *add_part(struct wal_index *index, uint64_t sequence)
{
	if (!index->n_parts)
		index->begin = sequence;
	if (index->n_parts < sequence - index->begin + 1) {
		index->parts = grow(index->parts, index->n_parts,
				    sizeof(*index->parts));
		index->n_parts++;
		*last_part(index) = (struct wal_part){ .end = WAL_BLOCK };
	}
	return last_part(index);
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

static bool is_new(const struct wal_index *index, uint64_t sequence,
		   uint64_t end)
{
	const uint64_t next = index->begin + index->n_parts;

	return !index->n_parts || sequence >= next ||
	       (sequence + 1 == next &&
		end > index->parts[index->n_parts - 1].end);
}

static void set_base(struct wal_index *index, uint64_t slot, uint8_t *bytes,
		     uint32_t length)
{
	free(index->base);
	index->base = bytes;
	index->base_length = length;
	index->first = slot + 1;
}

void wal_index_batch(struct wal_index *index, uint64_t sequence,
		     uint64_t offset, uint64_t end)
{
	struct wal_part *part;

	if (!index)
		return;
	pthread_mutex_lock(&index->lock);
	if (is_new(index, sequence, end)) {
		part = add_part(index, sequence);
		add_batch(index, sequence, offset);
		part->end = end;
		part->highest = index->highest;
		index->commit = index->added;
		part->commit = index->commit;
		if (index->head.bytes && !part->bytes) {
			part->slot = index->head.slot;
			part->length = index->head.length;
			part->bytes = index->head.bytes;
			index->head.bytes = NULL;
		}
		if (index->trim && index->begun >= index->first) {
			set_base(index, index->begun, index->trim,
				 index->trim_length);
			index->trim = NULL;
		}
	}
	pthread_mutex_unlock(&index->lock);
}

static struct wal_part *part_of(struct wal_index *index, uint64_t sequence)
{
	return sequence >= index->begin &&
	       sequence - index->begin < index->n_parts ?
	       &index->parts[sequence - index->begin] : NULL;
}

void wal_index_cut(struct wal_index *index, uint64_t sequence, uint64_t end)
{
	struct wal_part *part;

	if (!index)
		return;
	pthread_mutex_lock(&index->lock);
	part = part_of(index, sequence);
	if (part)
		part->end = end;
	pthread_mutex_unlock(&index->lock);
}

void wal_index_base(struct wal_index *index, const struct wal_base *base)
{
	if (!index)
		return;
	pthread_mutex_lock(&index->lock);
	if (base->slot >= index->first)
		set_base(index, base->slot,
			 copy_of(base->bytes, base->length), base->length);
	/* The commit that it rests on may have been said in what is gone. */
	lift(&index->added, base->slot);
	lift(&index->commit, base->slot);
	pthread_mutex_unlock(&index->lock);
}

static void drop_parts(struct wal_index *index, uint64_t floor)
{
	size_t n = 0, i;

	while (n < index->n_parts && index->begin + n < floor)
		free(index->parts[n++].bytes);
	/* In place: what has room for a power of two keeps it. */
	for (i = n; i < index->n_parts; i++)
		index->parts[i - n] = index->parts[i];
	index->n_parts -= n;
	index->begin += n;
	index->parts = shrunk(index->parts, index->n_parts,
			      sizeof(*index->parts));
	for (n = 0; n < index->n && index->stretches[n].sequence < floor;)
		n++;
	for (i = n; i < index->n; i++)
		index->stretches[i - n] = index->stretches[i];
	index->n -= n;
	index->stretches = shrunk(index->stretches, index->n,
				  sizeof(*index->stretches));
}

void wal_index_drop(struct wal_index *index, uint64_t floor,
		    const struct wal_base *base)
{
	if (!index)
		return;
	wal_index_base(index, base);
	pthread_mutex_lock(&index->lock);
	drop_parts(index, floor);
	pthread_mutex_unlock(&index->lock);
}

/*
 * Where a checkpoint of @slot stands for all that is in the part, and in those
 * before: no vote above it, and no commit that a later part does not repeat.
 * That one is no vote, but others let go of what this member says it knows.
 */
static bool stands_for(const struct wal_index *index, uint64_t slot,
		       const struct wal_part *part)
{
	return part->highest <= slot &&
	       (part->commit <= slot || part->commit < index->commit);
}

/* The segments below this, never the last one, may go with it. */
static uint64_t floor_of(const struct wal_index *index, uint64_t slot)
{
	size_t n = 0;

	while (n + 1 < index->n_parts &&
	       stands_for(index, slot, &index->parts[n]))
		n++;
	return index->begin + n;
}

bool wal_index_plan(struct wal_index *index, uint64_t limit, uint64_t floor,
		    struct wal_cut *cut)
{
	const struct wal_part *part;
	size_t i;

	if (!index)
		return false;
	cut->floor = 0;
	pthread_mutex_lock(&index->lock);
	if (limit > index->commit)
		limit = index->commit;
	/* A checkpoint before the first slot may lack what is gone already. */
	for (i = 0; i < index->n_parts && cut->floor < floor; i++) {
		part = &index->parts[i];
		if (!part->bytes || part->slot < index->first)
			continue;
		if (part->slot > limit)
			break;
		cut->floor = floor_of(index, part->slot);
		cut->slot = part->slot;
		cut->bytes = part->bytes;
		cut->length = part->length;
	}
	/* No further than was asked for. */
	if (cut->floor > floor)
		cut->floor = floor;
	pthread_mutex_unlock(&index->lock);
	return cut->floor;
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
	struct wal_part *part;

	pthread_mutex_lock(&index->lock);
	part = part_of(index, sequence);
	if (part) {
		*end = part->end;
		*last = part == last_part(index);
	}
	pthread_mutex_unlock(&index->lock);
	return part;
}

uint64_t wal_index_chosen(struct wal_index *index)
{
	uint64_t commit;

	pthread_mutex_lock(&index->lock);
	commit = index->commit;
	pthread_mutex_unlock(&index->lock);
	return commit;
}

uint64_t wal_index_first(struct wal_index *index)
{
	uint64_t first;

	pthread_mutex_lock(&index->lock);
	first = index->first;
	pthread_mutex_unlock(&index->lock);
	return first;
}

uint64_t wal_index_begins(struct wal_index *index, uint8_t *bytes,
			  uint32_t *length)
{
	uint64_t slot = 0;

	pthread_mutex_lock(&index->lock);
	if (index->base) {
		slot = index->first - 1;
		*length = index->base_length;
		memcpy(bytes, index->base, index->base_length);
	}
	pthread_mutex_unlock(&index->lock);
	return slot;
}
