// SPDX-License-Identifier: GPL-2.0
/*
 * The disk of a member, and the agent that moves records onto it as paxosd
 * does: one pull says what is durable and takes what follows, one write and
 * one fsync a batch. Of a batch that was not synced a crash leaves a prefix.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "sim.h"

#define U(x) ((unsigned long long)(x))

u64 disk_lsn(const struct member *member)
{
	const struct disk *disk = &member->disk;

	return disk->durable ? disk->records[disk->durable - 1].lsn :
			       member->cut.lsn;
}

/* A commit record may not stand before the values that it speaks of. */
static void check_commit(struct member *member, u64 commit)
{
	struct sim *sim = member->sim;

	if (commit < member->disk_commit)
		broken(sim, LAW_RECORDS, "member %u: commit %llu after %llu",
		       member->id, U(commit), U(member->disk_commit));
	for (u64 number = member->disk_commit + 1; number <= commit; number++) {
		struct value *value = observer_slot(sim, number)->chosen;

		if (!value || observer_held(member, number)->value != value)
			broken(sim, LAW_RECORDS,
			       "member %u: a record says commit %llu, slot %llu is not on its disk",
			       member->id, U(commit), U(number));
	}
	member->disk_commit = commit;
}

/* The first @count records are on the platter. */
static void settle(struct member *member, u32 count)
{
	struct disk *disk = &member->disk;

	for (; disk->durable < count; disk->durable++) {
		const struct disk_record *record =
			&disk->records[disk->durable];

		switch (record->type) {
		case PAXOS_RECORD_PROMISE:
			observer_promised(member, record->ballot);
			break;
		case PAXOS_RECORD_ACCEPT:
			if (record->vote)
				observer_voted(member, record->slot,
					       record->ballot, record->value);
			else
				observer_learnt(member, record->slot,
						record->ballot, record->value);
			break;
		case PAXOS_RECORD_COMMIT:
			check_commit(member, record->slot);
			break;
		case PAXOS_RECORD_CONFIG:
			if (observer_slot(member->sim, record->slot)->chosen !=
			    record->value)
				broken(member->sim, LAW_RECORDS,
				       "member %u records a configuration in slot %llu that is not chosen",
				       member->id, U(record->slot));
			break;
		case PAXOS_RECORD_TRIM:
			trim_begun(member, record);
			break;
		}
	}
}

/* Only the first @count records are there. */
static void cut_off(struct disk *disk, u32 count)
{
	while (disk->count > count)
		free(disk->records[--disk->count].bytes);
}

/* Power is gone, or the kernel: what was not synced is there in part. */
void disk_crash(struct member *member)
{
	struct sim *sim = member->sim;
	struct disk *disk = &member->disk;
	u32 left = disk->count - disk->durable;

	if (left && sim_chance(sim, KNOB_TORN)) {
		left = random_below(&sim->random, left + 1);
		sim->totals.torn++;
	} else {
		left = 0;
	}
	cut_off(disk, disk->durable + left);
	settle(member, disk->count);
	member->agent.state = AGENT_DEAD;
	member->agent.generation++;
}

static void restore(struct member *member, const struct paxos_record_view *view)
{
	int err;

	if (view->type == PAXOS_RECORD_TRIM)
		trim_behind(member, view->slot);
	do {
		err = paxos_core_restore(&member->core, view);
	} while (err == -ENOMEM && member->failed && !(member->failed = false));
	if (err)
		broken(member->sim, LAW_RECORDS,
		       "member %u refuses a record of its own disk: lsn %llu type %u slot %llu ballot "
		       BALLOT ": error %d", member->id, U(view->lsn),
		       view->type, U(view->slot), BALLOT_ARGS(view->ballot),
		       err);
	if (view->type == PAXOS_RECORD_TRIM)
		trim_check(member, view->slot);
}

/* What the log begins with, if its beginning was cut off. */
static void restore_cut(struct member *member)
{
	const struct checkpoint *cut = &member->cut;
	const struct paxos_record_view view = {
		.lsn = cut->lsn,
		.type = PAXOS_RECORD_TRIM,
		.slot = cut->slot,
		.ballot = cut->promised,
		.item.len = cut->len,
		.item.bytes = cut->bytes,
	};

	if (cut->slot)
		restore(member, &view);
}

/* What the beginning stands for does not come again. */
static bool is_cut(const struct member *member, const struct disk_record *record)
{
	return record->slot <= member->cut.slot &&
	       (record->type == PAXOS_RECORD_ACCEPT ||
		record->type == PAXOS_RECORD_COMMIT ||
		record->type == PAXOS_RECORD_TRIM);
}

/* Hand the records of the disk to a fresh core. */
int disk_restore(struct member *member)
{
	struct disk *disk = &member->disk;

	restore_cut(member);
	for (u32 i = 0; i < disk->durable; i++) {
		const struct disk_record *record = &disk->records[i];
		struct paxos_record_view view = {
			.lsn = record->lsn,
			.type = record->type,
			.slot = record->slot,
			.ballot = record->ballot,
			.item.len = record->len,
			.item.bytes = record->bytes,
		};

		if (is_cut(member, record))
			continue;
		if (record->value) {
			view.item.slot = record->slot;
			view.item.ballot = record->ballot;
			view.item.origin = record->value->origin;
			view.item.len = record->value->len;
			view.item.kind = record->value->kind;
			view.item.bytes = record->value->bytes;
		}
		restore(member, &view);
	}
	return 0;
}

struct pull {
	struct member *member;
	u32 left;
};

/* Whether @record, which is new, is of a vote: no flag of the core's says so. */
static bool accepted(struct member *member, const struct disk_record *record)
{
	const struct held *held = observer_held(member, record->slot);

	return held->accepted_life == member->life &&
	       held->accepted == record->ballot &&
	       held->accepted_value == record->value;
}

static bool take(void *context, const struct paxos_record_view *view)
{
	struct pull *pull = context;
	struct member *member = pull->member;
	struct sim *sim = member->sim;
	struct disk *disk = &member->disk;
	struct disk_record *record;

	if (!pull->left--)
		return false;
	if (disk->count && view->lsn <= disk->records[disk->count - 1].lsn)
		broken(sim, LAW_RECORDS, "member %u: lsn %llu after %llu",
		       member->id, U(view->lsn),
		       U(disk->records[disk->count - 1].lsn));
	if (disk->count == disk->cap) {
		disk->cap = disk->cap ? disk->cap * 2 : 256;
		disk->records = realloc(disk->records, disk->cap *
					sizeof(*disk->records));
		if (!disk->records)
			abort();
	}
	record = &disk->records[disk->count++];
	*record = (struct disk_record){
		.lsn = view->lsn,
		.slot = view->slot,
		.ballot = view->ballot,
		.type = view->type,
	};
	if (view->type == PAXOS_RECORD_ACCEPT ||
	    view->type == PAXOS_RECORD_CONFIG) {
		if (view->item.slot != view->slot ||
		    view->item.ballot != view->ballot)
			broken(sim, LAW_RECORDS,
			       "member %u: item and record disagree",
			       member->id);
		record->value = value_of(sim, &view->item.origin,
					 view->item.kind, view->item.bytes,
					 view->item.len);
		record->vote = accepted(member, record);
	}
	if (view->type == PAXOS_RECORD_TRIM) {
		record->len = view->item.len;
		record->bytes = malloc(record->len);
		if (!record->bytes)
			abort();
		memcpy(record->bytes, view->item.bytes, record->len);
	}
	sim->totals.records++;
	return true;
}

static u64 disk_time(struct sim *sim)
{
	u64 usual = sim->settings.disk;

	if (sim_chance(sim, KNOB_DISK_SLOW))
		return random_scale(&sim->random, usual, 5 * SIM_SECOND);
	return random_between(&sim->random, usual / 2, usual * 3 / 2);
}

/* One PULL: everything on the disk is durable; what is next? */
void agent_pull(struct member *member)
{
	struct sim *sim = member->sim;
	struct agent *agent = &member->agent;
	struct disk *disk = &member->disk;
	struct pull pull = { .member = member };
	u32 generation = agent->generation;
	u32 before;

	agent->state = AGENT_WRITING;
	member_durable(member, disk_lsn(member));
	/* it may have died of that call */
	if (member->status != MEMBER_UP || agent->generation != generation)
		return;
	trim_note(member);
	pull.left = random_between(&sim->random, 1, agent->batch);
	before = disk->count;
	paxos_core_records(&member->core, disk_lsn(member), take, &pull);
	if (disk->count == before) {
		agent->state = AGENT_IDLE;
		return;
	}
	trace(sim, "the agent writes %u records up to lsn %u", member->id,
	      disk->count - before, disk->records[disk->count - 1].lsn, 0);
	schedule_add(sim, sim->now + disk_time(sim), EVENT_WRITTEN, member->id,
		     agent->generation, NULL);
}

/* The write and its fsync are done. */
void agent_written(struct member *member)
{
	struct sim *sim = member->sim;

	settle(member, member->disk.count);
	trim_cut(member);
	trace(sim, "durable up to lsn %u", member->id, disk_lsn(member), 0, 0);
	member->agent.state = AGENT_WOKEN;
	schedule_add(sim, sim->now + random_between(&sim->random, 1, 50),
		     EVENT_PULL, member->id, member->agent.generation, NULL);
}

/* The kernel has records. */
void agent_doorbell(struct member *member)
{
	struct sim *sim = member->sim;

	if (member->agent.state != AGENT_IDLE)
		return;
	member->agent.state = AGENT_WOKEN;
	schedule_add(sim, sim->now + random_between(&sim->random, 1, 50),
		     EVENT_PULL, member->id, member->agent.generation, NULL);
}

/*
 * The agent dies, the kernel stays. What it had written is in the page cache
 * and not lost, but perhaps it had not written all of it.
 */
void agent_kill(struct member *member)
{
	struct sim *sim = member->sim;
	struct disk *disk = &member->disk;
	u32 left = disk->count - disk->durable;

	if (left)
		left = random_below(&sim->random, left + 1);
	cut_off(disk, disk->durable + left);
	member->agent.state = AGENT_DEAD;
	member->agent.generation++;
	sim->totals.agent_deaths++;
	trace(sim, "the agent dies", member->id, 0, 0, 0);
}

/* An agent attaches: it syncs what it finds, and pulls from there. */
void agent_attach(struct member *member)
{
	struct sim *sim = member->sim;

	if (member->agent.state != AGENT_DEAD)
		return;
	member->agent.state = AGENT_WRITING;
	member->agent.generation++;
	trace(sim, "an agent attaches", member->id, 0, 0, 0);
	schedule_add(sim, sim->now + disk_time(sim), EVENT_WRITTEN, member->id,
		     member->agent.generation, NULL);
}
