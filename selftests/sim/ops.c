// SPDX-License-Identifier: GPL-2.0
/* What the core asks of its surroundings, and what it tells its callers. */
#include <stdlib.h>
#include "sim.h"

#define U(x) ((unsigned long long)(x))

static struct member *member_of(struct paxos_core *core)
{
	return list_entry(core, struct member, core);
}

/* Whether the crash that this call ends in has come: nobody sees the rest. */
static bool gone(const struct member *member)
{
	return member->doomed && member->sends >= member->sends_left;
}

static void expect_call(struct member *member)
{
	if (!member->in_call)
		broken(member->sim, LAW_WHOLE,
		       "member %u: an op outside of a call", member->id);
}

static struct paxos_value *op_value_alloc(struct paxos_core *core, u32 len)
{
	struct member *member = member_of(core);
	struct paxos_value *value;

	expect_call(member);
	if (member->nomem && !--member->nomem) {
		member->failed = true;
		member->sim->totals.nomem++;
		return NULL;
	}
	value = malloc(sizeof(*value) + len);
	if (!value)
		abort();
	member->values++;
	member->bytes += sizeof(*value) + len;
	return value;
}

static void op_value_free(struct paxos_core *core, struct paxos_value *value)
{
	struct member *member = member_of(core);

	if (!member->values)
		broken(member->sim, LAW_MEMORY,
		       "member %u frees more than it has", member->id);
	member->values--;
	member->bytes -= sizeof(*value) + value->len;
	free(value);
}

static void op_send(struct paxos_core *core,
		    const struct paxos_message *message)
{
	struct member *member = member_of(core);

	expect_call(member);
	if (gone(member))
		return;
	network_send(member, message);
	member->sends++;
}

static void op_records(struct paxos_core *core)
{
	struct member *member = member_of(core);

	expect_call(member);
	if (!sim_sync(member->sim))
		broken(member->sim, LAW_RECORDS,
		       "member %u has records, but no disk", member->id);
	member->doorbell = true;
}

static void op_deliver(struct paxos_core *core, u64 slot,
		       const struct paxos_value *value)
{
	struct member *member = member_of(core);

	if (gone(member))
		return;
	if (!member->restoring)
		trace(member->sim, value ? "delivers slot %u" :
					   "delivers nothing for slot %u",
		      member->id, slot, 0, 0);
	observer_delivered(member, slot, value);
	kv_delivered(member, slot, value);
}

static void forget(void **list, u32 *n, void *what)
{
	u32 i;

	for (i = 0; i < *n; i++)
		if (list[i] == what)
			break;
	if (i < *n)
		list[i] = list[--*n];
}

static void op_proposed(struct paxos_core *core, void *cookie,
			enum paxos_outcome outcome, u64 slot)
{
	struct member *member = member_of(core);
	struct proposal *proposal = cookie;
	struct value *value = &proposal->value;
	struct sim *sim = member->sim;

	if (gone(member))
		return;
	trace(sim, "proposal %u ends, outcome %u, slot %u", member->id,
	      value->origin.seq, outcome, slot);
	if (proposal->ending != RUNNING || proposal->member != member->id ||
	    proposal->life != member->life)
		broken(sim, LAW_OUTCOME, "member %u ends proposal %llu/%llu again",
		       member->id, U(value->origin.incarnation),
		       U(value->origin.seq));
	proposal->ending = ENDED;
	proposal->outcome = outcome;
	proposal->slot = slot;
	forget((void **)member->running, &member->n_running, proposal);
	if (outcome < PAXOS_OUTCOME_CHOSEN || outcome > PAXOS_OUTCOME_UNKNOWN ||
	    (outcome == PAXOS_OUTCOME_CHOSEN) != !!slot)
		broken(sim, LAW_OUTCOME, "outcome %u with slot %llu", outcome,
		       U(slot));
	sim->totals.outcomes[outcome]++;
	if (outcome == PAXOS_OUTCOME_CHOSEN &&
	    observer_slot(sim, slot)->chosen != value)
		broken(sim, LAW_OUTCOME,
		       "member %u: %llu/%llu is said to be chosen in slot %llu, it is not",
		       member->id, U(value->origin.incarnation),
		       U(value->origin.seq), U(slot));
	if (outcome != PAXOS_OUTCOME_NOT_CHOSEN)
		return;
	value->denied = true;
	if (value->chosen_slot)
		broken(sim, LAW_OUTCOME,
		       "member %u: %llu/%llu is said not to be chosen, it is in slot %llu",
		       member->id, U(value->origin.incarnation),
		       U(value->origin.seq), U(value->chosen_slot));
}

static void op_read_done(struct paxos_core *core, void *cookie,
			 enum paxos_outcome outcome, u64 slot)
{
	struct member *member = member_of(core);
	struct read *read = cookie;
	struct sim *sim = member->sim;

	if (gone(member))
		return;
	trace(sim, "a read ends, outcome %u, slot %u", member->id, outcome,
	      slot, 0);
	if (read->ending != RUNNING || read->member != member->id ||
	    read->life != member->life)
		broken(sim, LAW_READ, "member %u ends a read again",
		       member->id);
	read->ending = ENDED;
	read->outcome = outcome;
	forget((void **)member->reading, &member->n_reading, read);
	if (outcome != PAXOS_OUTCOME_CHOSEN &&
	    outcome != PAXOS_OUTCOME_NOT_CHOSEN)
		broken(sim, LAW_READ, "outcome %u of a read", outcome);
	sim->totals.reads[outcome]++;
	if (outcome == PAXOS_OUTCOME_NOT_CHOSEN) {
		if (core->now < read->deadline_local &&
		    core->state == PAXOS_RUNNING)
			broken(sim, LAW_READ,
			       "member %u gives a read up before its time",
			       member->id);
		return;
	}
	if (slot < read->floor)
		broken(sim, LAW_READ,
		       "member %u reads up to slot %llu, slot %llu was chosen before it began",
		       member->id, U(slot), U(read->floor));
	if (member->delivered < slot)
		broken(sim, LAW_READ,
		       "member %u reads up to slot %llu, it delivered up to %llu",
		       member->id, U(slot), U(member->delivered));
}

/* What is known to be chosen is accepted in no lower ballot any more. */
static void known_stays(struct member *member, enum paxos_event event,
			u64 slot, u64 ballot)
{
	struct held *held = observer_held(member, slot);

	if (event == PAXOS_EVENT_CHOSEN) {
		held->known = ballot;
		held->known_life = member->life;
	} else if (held->known > ballot && held->known_life == member->life) {
		broken(member->sim, LAW_ACCEPTOR, "member %u accepts slot %llu in "
		       BALLOT " and knows it as chosen in " BALLOT, member->id,
		       U(slot), BALLOT_ARGS(ballot), BALLOT_ARGS(held->known));
	}
}

static void accepted(struct member *member, u64 slot, u64 ballot)
{
	struct paxos_entry *entry = paxos_log_entry(&member->core.log, slot);
	struct held *held = observer_held(member, slot);
	const struct paxos_value *value;

	if (!entry || !entry->value || entry->ballot != ballot)
		broken(member->sim, LAW_WHOLE,
		       "member %u accepts slot %llu, and holds nothing",
		       member->id, U(slot));
	value = entry->value;
	held->accepted = ballot;
	held->accepted_life = member->life;
	held->accepted_value = value_of(member->sim, &value->origin,
					value->kind, value->bytes, value->len);
	/* without a disk, what is in memory counts */
	if (!sim_sync(member->sim))
		observer_voted(member, slot, ballot, held->accepted_value);
}

static void op_event(struct paxos_core *core, enum paxos_event event, u64 slot,
		     u64 ballot)
{
	static const char *const names[] = {
		[PAXOS_EVENT_PROMISED] = "promises %b",
		[PAXOS_EVENT_ACCEPTED] = "accepts in %b slot %u",
		[PAXOS_EVENT_CHOSEN] = "knows as chosen, in %b, slot %u",
		[PAXOS_EVENT_LEADER] = "follows %b",
		[PAXOS_EVENT_QUORUM_LOST] = "leads %b, too few are heard",
		[PAXOS_EVENT_QUORUM_REGAINED] = "leads %b, enough are heard",
		[PAXOS_EVENT_BEHIND] = "%b: is behind, others trimmed below %u",
	};
	struct member *member = member_of(core);
	struct sim *sim = member->sim;

	if (gone(member) || event == PAXOS_EVENT_DURABLE)
		return;
	if (member->restoring)
		return;
	if (event == PAXOS_EVENT_EPOCH) {
		trace(sim, "is in epoch %u, behind slot %u", member->id,
		      core->config.epoch, slot, 0);
		member->epoch_new = true;
	}
	if (event == PAXOS_EVENT_LEADER && ballot)
		reign_began(member, ballot);
	if (event < sizeof(names) / sizeof(*names) && names[event])
		trace(sim, names[event], member->id, ballot, slot, 0);
	if (event == PAXOS_EVENT_BEHIND)
		sim->totals.behind++;
	if (event == PAXOS_EVENT_ACCEPTED || event == PAXOS_EVENT_CHOSEN)
		known_stays(member, event, slot, ballot);
	if (event == PAXOS_EVENT_ACCEPTED)
		accepted(member, slot, ballot);
	if (event == PAXOS_EVENT_PROMISED && !sim_sync(sim))
		observer_promised(member, ballot);
}

const struct paxos_ops member_ops = {
	.value_alloc = op_value_alloc,
	.value_free = op_value_free,
	.send = op_send,
	.records = op_records,
	.deliver = op_deliver,
	.proposed = op_proposed,
	.read_done = op_read_done,
	.event = op_event,
};

/* @member is gone, and who waited for it waits no more. */
void ops_lose(struct member *member)
{
	struct sim *sim = member->sim;

	while (member->n_running) {
		member->running[--member->n_running]->ending = LOST;
		sim->totals.lost++;
	}
	while (member->n_reading)
		member->reading[--member->n_reading]->ending = LOST;
}
