// SPDX-License-Identifier: GPL-2.0
/*
 * The log's space. Without LogSpace nothing goes. With it, what all members
 * have on their disks goes from three quarters of it on, the oldest first; and
 * once the next segment had no room, what is chosen and known here, even if a
 * member that is away lacks it. That is said beforehand. What is not chosen
 * never goes: where that fills all of it, the member falls silent. Nor does
 * what consumers need behind their newest snapshot; a newer one is asked for.
 */

#include <inttypes.h>
#include <stdio.h>
#include "agent.h"
#include "group.h"
#include "say.h"
#include "space.h"
#include "wal_trim.h"

#define LOOK_NS		1000000000ULL
#define LOOK_MS		1000
#define FULL_NS		50000000ULL	/* the same, where nothing is written */
#define EARLY_NS	(3 * LOOK_NS)	/* after the start: who is not heard may yet be */
#define SEGMENT_MIN	(1 << 20)

uint64_t space_segment(uint64_t bound)
{
	uint64_t size = bound / SPACE_SEGMENTS / WAL_BLOCK * WAL_BLOCK;

	if (!bound || size > WAL_SEGMENT_SIZE)
		return WAL_SEGMENT_SIZE;
	return size < SEGMENT_MIN ? SEGMENT_MIN : size;
}

int space_begin(struct agent *agent)
{
	uint8_t bytes[WAL_CHECKPOINT_MAX];
	uint32_t length;
	uint64_t slot;

	if (!agent->config.log_space || !wal_turns(&agent->wal))
		return 0;
	/* Without one the segment is kept until the next that has one. */
	if (group_checkpoint(&agent->space, agent->config.group, &slot, bytes,
			     &length) || !slot)
		return 0;
	return wal_checkpoint(&agent->wal, slot, bytes, length);
}

/* What @id has on its disk; false: it was not heard so far. */
static bool stored(const struct agent *agent, uint8_t id, uint64_t *slot)
{
	const uint64_t said = atomic_load(&agent->stored[id]);

	*slot = said ? said - 1 : 0;
	return said;
}

/*
 * Up to where all members have it, but for those that lack already what is not
 * here any more; and who has least.
 */
static uint64_t all_have(struct agent *agent, uint8_t *least)
{
	const uint64_t members = atomic_load(&agent->members);
	const uint64_t first = wal_index_first(&agent->index);
	uint64_t limit = UINT64_MAX, slot;
	bool heard;
	uint8_t id;

	*least = 0;
	for (id = 1; id <= PAXOS_NL_MEMBERS_MAX; id++) {
		if (id == agent->config.self || !(members >> (id - 1) & 1))
			continue;
		heard = stored(agent, id, &slot);
		if ((heard && slot + 1 < first) || slot >= limit)
			continue;
		limit = slot;
		*least = id;
	}
	return limit;
}

static int trim(struct agent *agent, const struct wal_cut *cut)
{
	int result;

	atomic_store(&agent->writing_since, agent_now());
	result = wal_trim(&agent->wal, cut);
	atomic_store(&agent->writing_since, 0);
	if (result)
		agent_fail(agent, "%s", agent->wal.error);
	return result;
}

/* These members lack now what went: they are not brought up to date again. */
static void tell_lost(struct agent *agent, struct space *space)
{
	const uint64_t members = atomic_load(&agent->members);
	const uint64_t first = wal_index_first(&agent->index);
	uint64_t slot;
	bool heard;
	uint8_t id;

	for (id = 1; id <= PAXOS_NL_MEMBERS_MAX; id++) {
		const uint64_t bit = 1ULL << (id - 1);

		if (id == agent->config.self || !(members & bit))
			continue;
		heard = stored(agent, id, &slot);
		if (slot + 1 >= first)
			space->lost &= ~bit;
		/* Who has nothing yet begins where this log does. */
		if (slot + 1 >= first || space->lost & bit ||
		    (heard ? !slot : !space->forced))
			continue;
		space->lost |= bit;
		say_warning("the log has reached LogSpace: slots up to %" PRIu64
			    " are gone from it. Member %u has them up to %" PRIu64
			    " as far as is known here; if no other member's log reaches back so far, replace it: paxosctl member replace %u NEW ADDRESS, on the leader's host",
			    first - 1, id, slot, id);
	}
}

/* What would go next if a member did not hold it back. */
static void look_ahead(struct agent *agent, struct space *space, uint8_t least,
		       uint64_t limit)
{
	struct wal *wal = &agent->wal;
	const uint64_t used = wal_used(wal);
	struct wal_cut cut;
	char at[64];

	space->held = 0;
	space->goes = 0;
	if (!least || used <= SPACE_SOFT(agent->config.log_space) ||
	    !wal_may_cut(wal, UINT64_MAX, used - 1, &cut) || cut.slot <= limit)
		return;
	space->held = least;
	space->goes = cut.slot;
	if (space->told == space->goes)
		return;
	space->told = space->goes;
	snprintf(at, sizeof(at), "at slot %" PRIu64, limit);
	say_warning("the log takes %" PRIu64 " %% of LogSpace: at 100 %% slots %" PRIu64
		    " to %" PRIu64
		    " go; member %u, %s, will then have to be replaced",
		    used * 100 / agent->config.log_space,
		    wal_index_first(&agent->index), space->goes, least,
		    stored(agent, least, &limit) ? at :
		    "not heard since this agent began");
}

static void report(struct agent *agent, const struct space *space)
{
	const struct group_space state = {
		.agent = netlink_port(&agent->attached),
		.used = wal_used(&agent->wal),
		.bound = agent->config.log_space,
		.first = wal_index_first(&agent->index),
		.goes = space->goes,
		.held = space->held,
	};

	/* It is said again before long. */
	group_space(&agent->space, agent->config.group, &state);
}

/* Could more go if consumers had a newer snapshot? Then there shall be one. */
static void ask_for_snapshot(struct agent *agent, uint64_t needed,
			     uint64_t target)
{
	struct wal_cut cut;

	if (needed != UINT64_MAX && wal_used(&agent->wal) > target &&
	    wal_may_cut(&agent->wal, UINT64_MAX, target, &cut) &&
	    cut.slot > needed)
		atomic_store(&agent->snapshots.wanted, true);
}

static int make_room(struct agent *agent, struct space *space)
{
	const uint64_t needed = snapshot_limit(agent);
	const uint64_t bound = agent->config.log_space;
	struct wal *wal = &agent->wal;
	uint64_t next = wal->spare < 0 ? wal->size : 0, limit;
	struct wal_cut cut;
	uint8_t least;

	limit = all_have(agent, &least);
	if (limit > needed)
		limit = needed;
	if (wal_used(wal) + next > SPACE_SOFT(bound) &&
	    wal_may_cut(wal, limit, SPACE_SOFT(bound) - next, &cut) &&
	    trim(agent, &cut))
		return -1;
	/* What went may be its space already. */
	next = wal->spare < 0 ? wal->size : 0;
	ask_for_snapshot(agent, needed, SPACE_SOFT(bound) - next);
	if (wal_used(wal) + next > bound &&
	    wal_may_cut(wal, needed, bound - next, &cut)) {
		space->forced = true;
		if (trim(agent, &cut))
			return -1;
	}
	wal->full = wal->spare < 0 && wal_used(wal) + wal->size > bound;
	if (space->early)
		return 0;
	tell_lost(agent, space);
	limit = all_have(agent, &least);
	look_ahead(agent, space, least, limit);
	return 0;
}

/* Full, and not waiting: what is written may need the room at once. */
static uint64_t look_after(const struct agent *agent)
{
	if (space_waits(agent))
		return FULL_NS;
	return agent->wal.full ? 0 : LOOK_NS;
}

int space_keep(struct agent *agent, struct space *space)
{
	const uint64_t sequence = agent->wal.end.sequence;
	const uint64_t now = agent_now();

	if (!space->since)
		space->since = now;
	if (sequence == space->sequence &&
	    ((!space->held && !space->early &&
	      !atomic_load(&agent->snapshots.wanted) && !agent->wal.full) ||
	     now - space->looked < look_after(agent)))
		return 0;
	space->early = now - space->since < EARLY_NS;
	if (agent->config.log_space && make_room(agent, space))
		return -1;
	space->sequence = agent->wal.end.sequence;
	space->looked = now;
	report(agent, space);
	return 0;
}

bool space_waits(const struct agent *agent)
{
	return agent->wal.full && atomic_load(&agent->snapshots.wanted);
}

int space_wait(const struct agent *agent, const struct space *space)
{
	return agent->config.log_space &&
	       (space->held || space->early || agent->wal.full ||
		atomic_load(&agent->snapshots.wanted)) ? LOOK_MS : -1;
}
