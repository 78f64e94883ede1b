// SPDX-License-Identifier: GPL-2.0
/* What must hold whenever a call into a core returns. */
#include <linux/minmax.h>
#include <stdlib.h>
#include "sim.h"

#define U(x) ((unsigned long long)(x))

static u64 soonest(const struct member *member)
{
	u64 soonest = PAXOS_NEVER;
	u32 i;

	for (i = 0; i < member->n_running; i++)
		soonest = min(soonest, member->running[i]->deadline_local);
	for (i = 0; i < member->n_reading; i++)
		soonest = min(soonest, member->reading[i]->deadline_local);
	return soonest;
}

/* What it knows as chosen, and has not delivered yet, is what was. */
static void known_check(struct member *member)
{
	const struct paxos_core *core = &member->core;
	struct sim *sim = member->sim;

	for (u64 slot = core->commit + 1; slot <= core->log.last; slot++) {
		const struct paxos_entry *entry =
			paxos_log_entry(&core->log, slot);
		const struct value *chosen;

		if (!(entry->flags & PAXOS_ENTRY_CHOSEN))
			continue;
		chosen = observer_slot(sim, slot)->chosen;
		if (!chosen || !value_is(chosen, entry->value))
			broken(sim, LAW_AGREEMENT,
			       "member %u takes for chosen in slot %llu what is not",
			       member->id, U(slot));
	}
}

void settle_check(struct member *member)
{
	const struct paxos_core *core = &member->core;
	const struct paxos_log *log = &core->log;
	struct sim *sim = member->sim;

	if (member->status != MEMBER_UP)
		return;
	if (core->commit != member->delivered)
		broken(sim, LAW_LEARNER,
		       "member %u: commit %llu, delivered %llu", member->id,
		       U(core->commit), U(member->delivered));
	if (log->first > member->delivered + 1)
		broken(sim, LAW_WINDOW,
		       "member %u trims below %llu, it delivered up to %llu",
		       member->id, U(log->first), U(member->delivered));
	if (log->last + 1 < log->first || log->last - log->first + 1 > log->size)
		broken(sim, LAW_WINDOW, "member %u holds slots %llu..%llu of %u",
		       member->id, U(log->first), U(log->last), log->size);
	if (core->promised < member->said_promised)
		broken(sim, LAW_AMNESIA, "member %u: promised " BALLOT
		       ", said " BALLOT, member->id,
		       BALLOT_ARGS(core->promised),
		       BALLOT_ARGS(member->said_promised));
	if (core->value_bytes != member->bytes)
		broken(sim, LAW_MEMORY, "member %u counts %llu bytes, has %llu",
		       member->id, U(core->value_bytes), U(member->bytes));
	if (member->bytes > core->settings.bytes)
		broken(sim, LAW_MEMORY, "member %u holds %llu bytes of %u",
		       member->id, U(member->bytes), core->settings.bytes);
	known_check(member);
	epoch_check(member);
	spy_counted(member);
	if (core->wake > soonest(member))
		broken(sim, LAW_TIME,
		       "member %u sleeps until %llu, past a deadline at %llu",
		       member->id, U(core->wake), U(soonest(member)));
}

/* A tick came: what was due is done, and the next one is later. */
void settle_ticked(struct member *member)
{
	const struct paxos_core *core = &member->core;
	struct sim *sim = member->sim;

	if (soonest(member) <= core->now)
		broken(sim, LAW_TIME,
		       "member %u: a deadline at %llu has passed, it is %llu",
		       member->id, U(soonest(member)), U(core->now));
	if (core->yield_to && core->yield_deadline <= core->now)
		broken(sim, LAW_TIME,
		       "member %u hands over for ever: until %llu, it is %llu",
		       member->id, U(core->yield_deadline), U(core->now));
	member->spins = core->wake <= core->now ? member->spins + 1 : 0;
	if (member->spins > 100)
		broken(sim, LAW_TIME, "member %u wants to be woken at %llu, it is %llu",
		       member->id, U(core->wake), U(core->now));
}

/* The state that a dropped message leaves alone; what is trimmed aside. */
struct entry_state {
	const struct paxos_value *value;
	const struct paxos_value *found;
	u64 ballot;
	u64 found_ballot;
	u64 votes;
	u64 lsn;
	u8 flags;
};

static struct {
	u64 first;
	u64 last;
	u64 promised;
	u64 commit;
	u64 lsn;
	u64 durable;
	u64 ballot;
	u64 promises;
	u64 prepared;
	u64 next_slot;
	u64 next_seq;
	u8 role;
	u32 running;
	u32 cap;
	u64 end;		/* of the entries that were looked at */
	struct entry_state *entries;
} before;

static struct entry_state entry_state(const struct paxos_log *log, u64 slot)
{
	const struct paxos_entry *entry = paxos_log_entry(log, slot);

	return (struct entry_state){
		.value = entry->value,
		.found = entry->found,
		.ballot = entry->ballot,
		.found_ballot = entry->found_ballot,
		.votes = entry->votes,
		.lsn = entry->record.lsn,
		.flags = entry->flags,
	};
}

void settle_snapshot(const struct member *member)
{
	const struct paxos_core *core = &member->core;
	const struct paxos_log *log = &core->log;

	if (before.cap < log->size) {
		before.cap = log->size;
		before.entries = realloc(before.entries, before.cap *
					 sizeof(*before.entries));
		if (!before.entries)
			abort();
	}
	before.first = log->first;
	before.last = log->last;
	before.promised = core->promised;
	before.commit = core->commit;
	before.lsn = core->lsn;
	before.durable = core->durable;
	before.ballot = core->ballot;
	before.promises = core->promises;
	before.prepared = core->prepared;
	before.next_slot = core->next_slot;
	before.next_seq = core->next_seq;
	before.role = core->role;
	before.running = member->n_running;
	/* a candidate finds values behind the last of its own */
	before.end = min(max(log->last, core->prepared) + 1,
			 log->first + log->size);
	for (u64 slot = log->first; slot < before.end; slot++)
		before.entries[slot & (log->size - 1)] = entry_state(log, slot);
}

void settle_same(struct member *member, u8 drop)
{
	const struct paxos_core *core = &member->core;
	const struct paxos_log *log = &core->log;
	struct sim *sim = member->sim;

	if (before.first > log->first || before.last != log->last ||
	    before.promised != core->promised ||
	    before.commit != core->commit || before.lsn != core->lsn ||
	    before.durable != core->durable || before.ballot != core->ballot ||
	    before.promises != core->promises ||
	    before.prepared != core->prepared ||
	    before.next_slot != core->next_slot ||
	    before.next_seq != core->next_seq || before.role != core->role ||
	    before.running != member->n_running)
		broken(sim, LAW_WHOLE,
		       "member %u drops a message, reason %u, and has changed",
		       member->id, drop);
	for (u64 slot = log->first; slot < before.end; slot++) {
		const struct entry_state *was =
			&before.entries[slot & (log->size - 1)];
		struct entry_state is = entry_state(log, slot);

		if (was->value != is.value || was->found != is.found ||
		    was->ballot != is.ballot || was->votes != is.votes ||
		    was->found_ballot != is.found_ballot ||
		    was->lsn != is.lsn || was->flags != is.flags)
			broken(sim, LAW_WHOLE,
			       "member %u drops a message, reason %u, and slot %llu has changed",
			       member->id, drop, U(slot));
	}
}
