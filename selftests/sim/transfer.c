// SPDX-License-Identifier: GPL-2.0
/*
 * A member that is behind what others trimmed: its agent brings what is chosen
 * from the disk of another, in the order of the slots, as far as it gets.
 */
#include <errno.h>
#include <linux/minmax.h>
#include <string.h>
#include "sim.h"

#define U(x) ((unsigned long long)(x))

#define VALUES_MAX	64	/* in one go */

/*
 * What the disk of @from says is chosen, from slot @first on: the last value
 * accepted before a commit covers the slot. Returns how many.
 */
static u32 read_chosen(const struct member *from, u64 first,
		       const struct disk_record *values[VALUES_MAX])
{
	const struct disk *disk = &from->disk;
	u64 commit = trim_first(from)->slot;
	u32 i;

	memset(values, 0, VALUES_MAX * sizeof(*values));
	for (i = 0; i < disk->durable; i++) {
		const struct disk_record *record = &disk->records[i];

		if (record->type == PAXOS_RECORD_ACCEPT &&
		    record->slot >= first && record->slot - first < VALUES_MAX)
			values[record->slot - first] = record;
		if (record->type == PAXOS_RECORD_COMMIT)
			commit = record->slot;
	}
	if (commit < first)
		return 0;
	return commit - first < VALUES_MAX ? commit - first + 1 : VALUES_MAX;
}

static void transfer(struct member *to, const struct member *from)
{
	const struct disk_record *values[VALUES_MAX];
	struct sim *sim = to->sim;
	u64 first = to->core.commit + 1;
	u32 count, i;
	int err = 0;

	/* Some of it is known: a transfer that is taken up again. */
	if (first > 2)
		first -= random_below(&sim->random, 3);
	if (to->core.commit < trim_first(from)->slot) {
		trim_ship(to, from);
		return;
	}
	first = max(first, trim_first(from)->slot + 1);
	count = read_chosen(from, first, values);
	if (!count)
		return;
	count = random_between(&sim->random, 1, count);
	trace(sim, "%u values of member %u's log, from slot %u", to->id, count,
	      from->id, first);
	for (i = 0; i < count && !err && to->status == MEMBER_UP; i++) {
		const struct disk_record *record = values[i];

		if (!record)
			broken(sim, LAW_RECORDS,
			       "member %u: its log says that slot %llu is chosen, and has no value",
			       from->id, U(first + i));
		err = member_learn(to, record);
		if (!err)
			sim->totals.transferred++;
	}
}

/* Whoever is behind, and has an agent, may hear from another that has one. */
void transfer_beat(struct sim *sim)
{
	u32 from = random_below(&sim->random, sim->n) + 1;
	u32 id;

	if (!sim_sync(sim))
		return;
	for (id = 1; id <= sim->n; id++) {
		struct member *to = sim->members[id];
		struct member *other = sim->members[from];

		if (id != from && to->status == MEMBER_UP &&
		    other->status == MEMBER_UP &&
		    (to->core.behind || sim_chance(sim, KNOB_FETCH)) &&
		    to->agent.state != AGENT_DEAD &&
		    other->agent.state != AGENT_DEAD &&
		    (sim->healing || sim_chance(sim, KNOB_TRANSFER)))
			transfer(to, other);
	}
}
