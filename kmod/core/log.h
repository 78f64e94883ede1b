/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOS_CORE_LOG_H
#define _PAXOS_CORE_LOG_H

#include <linux/types.h>
#include <linux/list.h>
#include "value.h"

/**
 * struct paxos_record - what must reach the disk, and in which order
 * @node: in the core's list of records that are not durable yet, by @lsn
 * @lsn: log sequence number; 0 when nothing is outstanding
 *
 * It lives inside what it speaks of, so to record something cannot fail.
 * What changes again before it was durable moves to the tail under a new lsn:
 * the older record is superseded, and so is every reply that waited for it.
 */
struct paxos_record {
	struct list_head node;
	u64 lsn;
};

#define PAXOS_ENTRY_CHOSEN	1	/* known to be chosen */
#define PAXOS_ENTRY_VOTED	2	/* accepted, not only learnt, in its ballot */

/**
 * struct paxos_entry - what this member knows of one slot
 * @value: accepted, or known to be chosen; NULL: nothing
 * @ballot: that @value was accepted in
 * @found: as candidate: the value of the highest ballot in the promises
 * @found_ballot: and that ballot
 * @votes: as leader: who accepted @value in @ballot, durably
 * @record: of @value and @ballot
 * @flags: PAXOS_ENTRY_*
 */
struct paxos_entry {
	struct paxos_value *value;
	u64 ballot;
	struct paxos_value *found;
	u64 found_ballot;
	u64 votes;
	struct paxos_record record;
	u8 flags;
};

/**
 * struct paxos_log - the slots [@first, @first + @size)
 * @entries: a ring of @size, a power of two, owned by who made the core
 * @first: the lowest slot held; all below are chosen, delivered and trimmed
 * @last: the highest slot with a value, or @first - 1
 *
 * A slot outside is refused, never wrapped onto another one.
 */
struct paxos_log {
	struct paxos_entry *entries;
	u32 size;
	u64 first;
	u64 last;
};

static inline bool paxos_log_holds(const struct paxos_log *log, u64 slot)
{
	return slot >= log->first && slot - log->first < log->size;
}

/* The entry of @slot, or NULL if the log does not hold that slot. */
static inline struct paxos_entry *paxos_log_entry(const struct paxos_log *log,
						  u64 slot)
{
	return paxos_log_holds(log, slot) ?
	       &log->entries[slot & (log->size - 1)] : NULL;
}

void paxos_log_init(struct paxos_log *log, struct paxos_entry *entries,
		    u32 size);

#endif
