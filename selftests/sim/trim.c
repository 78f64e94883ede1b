// SPDX-License-Identifier: GPL-2.0
/*
 * A log that loses its beginning, as paxosd trims it: what the slots up to one
 * left behind stands for them, once the log says that all of them are chosen and
 * a snapshot of the store has them. And what becomes of a member that needs what
 * is in nobody's log any more: it gets a snapshot, and begins behind it.
 *
 * Draws are hashes, so that what is trimmed changes nothing else in a run.
 */
#include <linux/minmax.h>
#include <stdlib.h>
#include <string.h>
#include "sim.h"

#define U(x) ((unsigned long long)(x))

/* Now and then a checkpoint is taken, between two calls into the core. */
void trim_note(struct member *member)
{
	const struct paxos_core *core = &member->core;
	struct checkpoint *noted = &member->noted;

	if (noted->slot || !core->commit || core->commit <= member->cut.slot ||
	    sim_draw(member->sim, member->id + 100, core->commit,
		     SIM_NOTE_EVERY))
		return;
	noted->slot = core->commit;
	noted->len = paxos_core_checkpoint(core, noted->bytes);
}

/* Whether the checkpoint of @slot stands for @record; @last: of its kind. */
static bool stands_for(u64 slot, const struct disk_record *record, bool last)
{
	switch (record->type) {
	case PAXOS_RECORD_ACCEPT:
		return record->slot <= slot;
	case PAXOS_RECORD_COMMIT:
		return record->slot <= slot || !last;
	case PAXOS_RECORD_TRIM:
		return record->slot <= slot;
	default:
		return true;
	}
}

static u32 last_commit(const struct disk *disk)
{
	u32 i = disk->durable;

	while (i && disk->records[i - 1].type != PAXOS_RECORD_COMMIT)
		i--;
	return i ? i - 1 : 0;
}

/* How many of the first records may go. */
static u32 floor_of(const struct disk *disk, u64 slot)
{
	u32 last = last_commit(disk), n = 0;

	/* one is left, as the last segment is */
	while (n + 1 < disk->durable &&
	       stands_for(slot, &disk->records[n], n == last))
		n++;
	return n;
}

/* The log begins with the checkpoint that was noted, where it may. */
void trim_cut(struct member *member)
{
	struct checkpoint *noted = &member->noted, *cut = &member->cut;
	struct disk *disk = &member->disk;
	u32 i, n;

	if (!noted->slot || noted->slot > member->disk_commit ||
	    !member->saved.len || noted->slot > member->saved.slot)
		return;
	n = floor_of(disk, noted->slot);
	/* a Trim of its own may have come in between */
	if (noted->slot < max(cut->slot, member->begun.slot))
		n = 0;
	for (i = 0; i < n; i++) {
		cut->promised = max(cut->promised, disk->records[i].ballot);
		cut->lsn = disk->records[i].lsn;
		free(disk->records[i].bytes);
	}
	if (n) {
		cut->slot = noted->slot;
		cut->len = noted->len;
		memcpy(cut->bytes, noted->bytes, noted->len);
		memmove(disk->records, disk->records + n,
			(disk->count - n) * sizeof(*disk->records));
		disk->count -= n;
		disk->durable -= n;
		member->sim->totals.cuts++;
		member->sim->totals.cut_records += n;
		trace(member->sim, "its log begins behind slot %u, %u records go",
		      member->id, cut->slot, n, 0);
	}
	noted->slot = 0;
}

/* A Trim of the core's is on the platter. */
void trim_begun(struct member *member, const struct disk_record *record)
{
	struct checkpoint *begun = &member->begun;

	begun->slot = record->slot;
	begun->len = record->len;
	memcpy(begun->bytes, record->bytes, record->len);
	member->disk_commit = max(member->disk_commit, record->slot);
}

/* Of the slots up to this one the log of @member knows no values. */
const struct checkpoint *trim_first(const struct member *member)
{
	return member->begun.slot > member->cut.slot ? &member->begun :
						       &member->cut;
}

/*
 * What @member delivers next is behind @slot: it has the store of that slot, or
 * of a later one, and the checksum that others had there.
 */
void trim_behind(struct member *member, u64 slot)
{
	if (member->saved.slot < slot || !member->saved.len)
		broken(member->sim, LAW_STORE,
		       "member %u begins behind slot %llu, its snapshot is of %llu",
		       member->id, U(slot), U(member->saved.slot));
	if (member->store.applied < slot)
		kv_load(member);
	member->delivered = slot;
}

void trim_check(struct member *member, u64 slot)
{
	const struct slot *known = observer_slot(member->sim, slot);

	if (known->delivery && known->checksum !=
			       paxos_core_checksum(&member->core, slot))
		broken(member->sim, LAW_LEARNER,
		       "member %u begins behind slot %llu with another checksum",
		       member->id, U(slot));
}

/* @to needs what @from, and perhaps all, have trimmed: it gets a snapshot. */
void trim_ship(struct member *to, const struct member *from)
{
	const struct checkpoint *first = trim_first(from);
	struct sim *sim = to->sim;

	if (to->saved.slot < from->saved.slot) {
		to->saved.bytes = realloc(to->saved.bytes, from->saved.len);
		if (!to->saved.bytes)
			abort();
		memcpy(to->saved.bytes, from->saved.bytes, from->saved.len);
		to->saved.len = from->saved.len;
		to->saved.slot = from->saved.slot;
	}
	trace(sim, "begins behind slot %u, with a snapshot of member %u",
	      to->id, first->slot, from->id, 0);
	sim->totals.shipped++;
	member_begin(to, first);
}
