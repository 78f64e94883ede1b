// SPDX-License-Identifier: GPL-2.0
#include <linux/build_bug.h>
#include "internal.h"

static_assert(!(PAXOS_LOG_DEFAULT & (PAXOS_LOG_DEFAULT - 1)),
	      "a ring's size is a power of two");

void paxos_log_init(struct paxos_log *log, struct paxos_entry *entries,
		    u32 size)
{
	u32 i;

	memset(entries, 0, size * sizeof(*entries));
	for (i = 0; i < size; i++)
		paxos_record_init(&entries[i].record);
	log->entries = entries;
	log->size = size;
	log->first = 1;
	log->last = 0;
}

/* Drop what the log holds of @entry; it may serve another slot. */
void paxos_entry_clear(struct paxos_core *core, struct paxos_entry *entry)
{
	paxos_entry_found(core, entry, NULL, 0);
	if (entry->value)
		paxos_value_put(core, entry->value);
	entry->value = NULL;
	entry->ballot = 0;
	entry->votes = 0;
	entry->flags = 0;
}

/*
 * paxos_log_trim - forget the lowest slot
 *
 * Only what is chosen and delivered here, and of which the disk knows that:
 * a replay of the records must find the same room. Returns false if the lowest
 * slot has to stay.
 */
bool paxos_log_trim(struct paxos_core *core)
{
	struct paxos_log *log = &core->log;
	struct paxos_entry *entry = &log->entries[log->first & (log->size - 1)];

	if (log->first > core->commit)
		return false;
	if (log->first > core->commit_durable) {
		core->urgent = true;
		return false;
	}
	paxos_entry_clear(core, entry);
	log->first++;
	return true;
}

/*
 * paxos_log_room - make the log hold @slot
 *
 * False if it is trimmed already, or if slots that must stay are in the way.
 */
bool paxos_log_room(struct paxos_core *core, u64 slot)
{
	struct paxos_log *log = &core->log;

	if (slot < log->first || slot - log->first >= 2ULL * log->size)
		return false;
	while (slot - log->first >= log->size)
		if (!paxos_log_trim(core))
			return false;
	return true;
}

/*
 * paxos_entry_set - @slot now has @value, accepted in @ballot, to be recorded
 *
 * Takes over the caller's reference. The log holds @slot.
 */
void paxos_entry_set(struct paxos_core *core, u64 slot,
		     struct paxos_value *value, u64 ballot)
{
	struct paxos_entry *entry = paxos_log_entry(&core->log, slot);

	if (entry->value)
		paxos_value_put(core, entry->value);
	entry->value = value;
	entry->ballot = ballot;
	entry->votes = 0;
	core->log.last = max(core->log.last, slot);
}

/* Likewise what a candidate found for a slot; NULL forgets it. */
void paxos_entry_found(struct paxos_core *core, struct paxos_entry *entry,
		       struct paxos_value *value, u64 ballot)
{
	if (entry->found)
		paxos_value_put(core, entry->found);
	entry->found = value;
	entry->found_ballot = ballot;
}
