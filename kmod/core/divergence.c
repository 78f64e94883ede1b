// SPDX-License-Identifier: GPL-2.0
#include <linux/minmax.h>
#include "core.h"
#include "divergence.h"

/*
 * Do all members hold the same log? Their checksums tell, at slots that two of
 * them know. A sum that differs once differs for good (checksum.c), so only a
 * member that was given another memory, by a replay from its disk or as another
 * host, is ever the same again.
 *
 * Who differs from a majority halts: it applies nothing more. Without a majority
 * nobody can tell who is right, and all halt that differ from somebody: two
 * halves that go on with different states are worse than none. Learners are
 * compared, and halt, but do not count.
 */

/* Returns false where this member cannot tell. */
static bool compare(struct paxos_compared *member,
		    const struct paxos_core *core, u64 slot, u64 checksum)
{
	u64 own = paxos_core_checksum(core, slot);

	if (!own || !checksum)
		return false;
	if (own != checksum) {
		member->differs = min(member->differs ?: slot, slot);
		return true;
	}
	member->same = max(member->same, slot);
	/* Before it began to differ it was the same, of course. */
	if (slot >= member->differs)
		member->differs = 0;
	return true;
}

/*
 * paxos_divergence_hear - what member @id says
 *
 * @commit: up to here it has delivered
 * @checksum: of these slots, 0: it did not say
 * @mark: of those up to the last multiple of PAXOS_CHECKSUM_EVERY
 */
void paxos_divergence_hear(struct paxos_divergence *divergence,
			   const struct paxos_core *core, u8 id, u64 commit,
			   u64 checksum, u64 mark)
{
	struct paxos_compared *member = &divergence->members[id];
	u64 slot = commit - commit % PAXOS_CHECKSUM_EVERY;

	/* Who is behind would else see ever newer ones, and compare none. */
	if (member->ahead && member->ahead <= core->commit) {
		compare(member, core, member->ahead, member->ahead_checksum);
		member->ahead = 0;
	}
	if (!member->ahead && slot > core->commit && mark) {
		member->ahead = slot;
		member->ahead_checksum = mark;
	}
	compare(member, core, slot, mark);
	compare(member, core, commit, checksum);
}

/* Is what @self holds that of a majority? Where it is too early: @halted. */
static bool is_minority(const struct paxos_divergence *divergence,
			const struct paxos_config *config, u8 self, u64 now)
{
	u32 voters = hweight64(config->voters);
	u32 other = hweight64(divergence->differ & config->voters);
	u64 with = paxos_member_bit(self);
	u8 id;

	for (id = 1; id <= PAXOS_MEMBERS_MAX; id++)
		if (!divergence->members[id].differs &&
		    divergence->members[id].same >= divergence->slot)
			with |= paxos_member_bit(id);
	with &= config->voters;

	/* Whoever else is heard, it will be no majority. */
	if (2 * (voters - other) <= voters)
		return true;
	if (hweight64(with) > other)
		return false;
	return divergence->halted ||
	       now >= divergence->since + PAXOS_DIVERGENCE_US;
}

/*
 * paxos_divergence_judge - who differs, and whether @self shall halt
 *
 * To be called when something was heard, and now and then while @differ.
 */
void paxos_divergence_judge(struct paxos_divergence *divergence,
			    const struct paxos_config *config, u8 self, u64 now)
{
	u64 before = divergence->differ;
	u8 id;

	divergence->differ = 0;
	divergence->slot = 0;
	for (id = 1; id <= PAXOS_MEMBERS_MAX; id++) {
		u64 differs = divergence->members[id].differs;

		if (!differs || !paxos_config_has(config, id))
			continue;
		divergence->differ |= paxos_member_bit(id);
		divergence->slot = min(divergence->slot ?: differs, differs);
	}
	if (!before)
		divergence->since = now;
	divergence->halted = divergence->differ &&
			     is_minority(divergence, config, self, now);
}
