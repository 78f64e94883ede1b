// SPDX-License-Identifier: GPL-2.0
/*
 * A host: a core, its clock, and the calls into it. Each call may be its last:
 * the host dies in it, after some of what the call sends has left.
 */
#include <errno.h>
#include <linux/minmax.h>
#include <stdlib.h>
#include <string.h>
#include "sim.h"

#define U(x) ((unsigned long long)(x))

u64 member_local(const struct member *member)
{
	const struct clock *clock = &member->clock;

	return clock->base + (__int128)(member->sim->now - clock->since) *
	       (1000000 + clock->ppm) / 1000000;
}

/* When this member's clock will show @local. */
static u64 simulated(const struct member *member, u64 local)
{
	const struct clock *clock = &member->clock;
	u64 rate = 1000000 + clock->ppm;

	if (local <= clock->base)
		return clock->since;
	return clock->since +
	       ((unsigned __int128)(local - clock->base) * 1000000 + rate - 1) /
	       rate;
}

/* The clock jumps to @base and runs @ppm faster from now on. */
void member_clock(struct member *member, u64 base, s64 ppm)
{
	member->clock.since = member->sim->now;
	member->clock.base = base ? base : 1;
	member->clock.ppm = ppm;
	member->tick_at = PAXOS_NEVER;
	member->tick_generation++;
	member_tick_schedule(member);
}

/* What the caller of this call reads off its clock. */
static u64 now(struct member *member)
{
	u64 local = member_local(member);

	if (sim_chance(member->sim, KNOB_JITTER)) {
		u64 back = random_below(&member->sim->random, 1000);

		local = local > back ? local - back : 1;
	}
	return local;
}

void member_tick_schedule(struct member *member)
{
	struct sim *sim = member->sim;
	u64 at;

	if (member->status != MEMBER_UP || member->core.wake == PAXOS_NEVER)
		return;
	at = simulated(member, member->core.wake);
	if (at <= sim->now)
		at = sim->now + 1;
	if (at >= member->tick_at)
		return;
	member->tick_at = at;
	member->tick_generation++;
	schedule_add(sim, at, EVENT_TICK, member->id, member->tick_generation,
		     NULL);
}

/* Whether @member's memory may be lost: a quorum must be left. */
static bool may_lose(struct sim *sim, const struct member *member)
{
	const struct paxos_config *config = sim_config(sim);
	u64 left = 0;

	if (sim_sync(sim))
		return true;
	for (u32 id = 1; id <= sim->n; id++)
		if (sim->members[id] && id != member->id &&
		    sim->members[id]->status == MEMBER_UP)
			left |= paxos_member_bit(id);
	return paxos_quorum_prepare(config, left) &&
	       paxos_quorum_accept(config, left);
}

static void call_begin(struct member *member)
{
	struct sim *sim = member->sim;

	member->in_call = true;
	member->doorbell = false;
	member->failed = false;
	member->epoch_new = false;
	member->sends = 0;
	member->nomem = sim_chance(sim, KNOB_NOMEM) ?
			random_between(&sim->random, 1, 4) : 0;
	member->doomed = member->status == MEMBER_UP &&
			 sim_chance(sim, KNOB_CRASH) && may_lose(sim, member);
	if (member->doomed)
		member->sends_left = random_below(&sim->random, 6);
}

static void call_end(struct member *member)
{
	member->in_call = false;
	member->nomem = 0;
	if (member->doomed) {
		member->doomed = false;
		member_crash(member);
		return;
	}
	settle_check(member);
	if (member->doorbell)
		agent_doorbell(member);
	member_tick_schedule(member);
	if (member->epoch_new)
		faults_reconnect(member);
}

/* Memory is gone: nothing in it may have been lost before. */
static void discard(struct member *member)
{
	member->in_call = true;
	member->doomed = true;
	member->sends_left = 0;
	member->sends = 0;
	paxos_core_destroy(&member->core);
	member->in_call = false;
	member->doomed = false;
	if (member->values || member->core.value_bytes)
		broken(member->sim, LAW_MEMORY,
		       "member %u leaks %llu values, counts %llu bytes",
		       member->id, U(member->values),
		       U(member->core.value_bytes));
	ops_lose(member);
	kv_gone(member);
}

void member_crash(struct member *member)
{
	struct sim *sim = member->sim;

	if (member->status == MEMBER_DOWN || !may_lose(sim, member))
		return;
	trace(sim, "crashes", member->id, 0, 0, 0);
	sim->totals.crashes += member->status == MEMBER_UP;
	discard(member);
	if (sim_sync(sim))
		disk_crash(member);
	member->status = MEMBER_DOWN;
	member->tick_at = PAXOS_NEVER;
	member->tick_generation++;
	schedule_add(sim, sim->now + random_scale(&sim->random, 100,
						  sim->settings.downtime),
		     EVENT_RESTART, member->id, member->life, NULL);
}

/* The group is deleted under traffic, in good order. */
void member_stop(struct member *member)
{
	struct sim *sim = member->sim;

	if (member->status != MEMBER_UP || !may_lose(sim, member))
		return;
	trace(sim, "stops", member->id, 0, 0, 0);
	member->in_call = true;
	paxos_core_stop(&member->core, now(member));
	member->in_call = false;
	if (member->n_running || member->n_reading)
		broken(sim, LAW_OUTCOME,
		       "member %u stops, and %u proposals and %u reads do not end",
		       member->id, member->n_running, member->n_reading);
	if (random_below(&sim->random, 2)) {
		/* mute for good: nothing may wake it */
		member->in_call = true;
		paxos_core_tick(&member->core, now(member));
		member->in_call = false;
	}
	member_crash(member);
}

/*
 * In some groups a member is not set as another is, nor as in its last life. Of
 * one that comes back the log and the memory are not less than before.
 */
static struct paxos_settings settings_of(struct member *member)
{
	struct sim *sim = member->sim;
	struct paxos_settings settings = sim->core_settings;
	u32 id = member->id, life = member->life;

	settings.self = id;
	if (sim_draw(sim, 200, 0, 4))
		return settings;
	/* what one shows in a page another takes whole, or not at all */
	if (settings.log_size >= 2 * PAXOS_ITEMS_MAX &&
	    settings.log_size < 1024)
		member->grown = max_t(u32, member->grown,
				      sim_draw(sim, 200 + id, life, 3));
	settings.log_size <<= member->grown;
	settings.bytes <<= member->grown;
	settings.window >>= sim_draw(sim, 300 + id, life, 2);
	settings.payload = max_t(u32, 200, settings.payload >>
					   sim_draw(sim, 400 + id, life, 2));
	return settings;
}

static void boot_core(struct member *member)
{
	struct sim *sim = member->sim;
	struct paxos_settings settings = settings_of(member);
	struct paxos_config config = sim->epochs[0].config;
	size_t size = settings.log_size * sizeof(*member->entries);
	int err;

	/* neither has to be zero before */
	memset(&member->core, 0xa5, sizeof(member->core));
	member->entries = realloc(member->entries, size);
	if (!member->entries)
		abort();
	memset(member->entries, 0xa5, size);
	if (member->asks)
		paxos_config_none(&config, member->asks);
	err = paxos_core_init(&member->core, &member_ops, &settings, &config,
			      member->entries);
	if (err)
		broken(sim, LAW_WHOLE, "init: %d", err);
	member->values = 0;
	member->bytes = 0;
	member->delivered = 0;
	kv_boot(member);
	member->tick_at = PAXOS_NEVER;
	member->tick_generation++;
	member->spins = 0;
}

/* What a clock shows when its host is up: stamps of 32 bits may wrap soon. */
static u64 clock_base(struct sim *sim)
{
	u64 base = random_between(&sim->random, 1, SIM_SECOND);

	if (random_below(&sim->random, 4))
		return base;
	return base + (1ULL << 32) - random_below(&sim->random, 20 * SIM_SECOND);
}

void member_boot(struct member *member)
{
	struct sim *sim = member->sim;
	bool first = !member->life;
	int err;

	boot_core(member);
	member->life++;
	if (!first && !sim_sync(sim)) {
		/* law 3: it may have voted, and does not know */
		member->status = MEMBER_MUTE;
		trace(sim, "is back without its memory", member->id, 0, 0, 0);
		return;
	}
	member->clock = (struct clock){
		.since = sim->now,
		.base = clock_base(sim),
		.ppm = member->clock.ppm,
	};
	member->incarnation += random_scale(&sim->random, 1, 1000);
	member->in_call = true;
	member->restoring = true;
	member->nomem = sim_chance(sim, KNOB_NOMEM) ?
			random_between(&sim->random, 1, 4) : 0;
	disk_restore(member);
	member->nomem = 0;
	member->restoring = false;
	err = paxos_core_start(&member->core, member->incarnation,
			       disk_lsn(member), now(member));
	if (err)
		broken(sim, LAW_RECORDS, "member %u does not start: %d",
		       member->id, err);
	member->in_call = false;
	member->status = MEMBER_UP;
	trace(sim, "is up, promised %b, commit %u", member->id,
	      member->core.promised, member->core.commit, 0);
	observer_restarted(member);
	settle_check(member);
	if (sim_sync(sim)) {
		member->agent.state = AGENT_WOKEN;
		member->agent.generation++;
		schedule_add(sim, sim->now + 1, EVENT_PULL, member->id,
			     member->agent.generation, NULL);
	}
	member_tick_schedule(member);
	schedule_add(sim, sim->now + random_between(&sim->random, 1000,
						    SIM_SECOND),
		     EVENT_ELECTION, member->id, member->life, NULL);
}

void member_receive(struct member *member, const struct paxos_message *message,
		    u8 expected)
{
	struct sim *sim = member->sim;
	u32 epoch = member->core.config.epoch;
	enum paxos_drop drop;

	trace_message(sim, "heard", message, 0);
	if (member->status == MEMBER_MUTE && !expected)
		expected = PAXOS_DROP_MUTE;
	settle_snapshot(member);
	call_begin(member);
	drop = paxos_core_receive(&member->core, message, now(member));
	if (drop)
		trace_message(sim, "heard", message, drop);
	if (drop < PAXOS_CORE_DROPS)
		sim->totals.drops[drop]++;
	/* who is mute knows no other configuration than the first */
	if (member->status == MEMBER_MUTE && drop == PAXOS_DROP_SENDER)
		expected = drop;
	if (expected ? drop != expected && drop != PAXOS_DROP_MUTE :
	    drop == PAXOS_DROP_ADDRESSEE || drop == PAXOS_DROP_MUTE)
		broken(sim, LAW_NOBODY, "member %u: dropped as %u, not as %u",
		       member->id, drop, expected);
	if (!expected && !epoch_drop(sim, message, epoch, drop))
		broken(sim, LAW_EPOCH,
		       "member %u in epoch %u, type %u of epoch %u from %u: drop %u",
		       member->id, epoch, message->type, message->epoch,
		       message->from, drop);
	if (member->failed && member->core.state == PAXOS_RUNNING && !drop)
		trace(sim, "goes on without memory", member->id, 0, 0, 0);
	if (drop)
		settle_same(member, drop);
	call_end(member);
}

void member_tick(struct member *member)
{
	u64 local = now(member);

	member->tick_at = PAXOS_NEVER;
	call_begin(member);
	paxos_core_tick(&member->core, local);
	if (!member->doomed)
		settle_ticked(member);
	call_end(member);
}

void member_durable(struct member *member, u64 lsn)
{
	int err;

	call_begin(member);
	err = paxos_core_durable(&member->core, lsn, now(member));
	if (err)
		broken(member->sim, LAW_RECORDS,
		       "member %u: lsn %llu is durable, and refused: %d",
		       member->id, U(lsn), err);
	call_end(member);
}

int member_campaign(struct member *member)
{
	int err;

	trace(member->sim, "campaigns", member->id, 0, 0, 0);
	call_begin(member);
	err = paxos_core_campaign(&member->core, now(member));
	call_end(member);
	return err;
}

void member_resign(struct member *member)
{
	int err;

	trace(member->sim, "resigns", member->id, 0, 0, 0);
	call_begin(member);
	err = paxos_core_resign(&member->core, now(member));
	if (!err && !member->doomed && member->core.role != PAXOS_FOLLOWER)
		broken(member->sim, LAW_PROPOSER,
		       "member %u has resigned, and leads on", member->id);
	call_end(member);
	member->sim->totals.resigned += !err;
}

void member_yield(struct member *member, u8 to, u64 timeout)
{
	const u64 local = now(member);

	trace(member->sim, "hands over to member %u", member->id, to, 0, 0);
	call_begin(member);
	paxos_core_transfer(&member->core, to, local + timeout, local);
	call_end(member);
}

/* A value of another's disk, which is chosen. */
int member_learn(struct member *member, const struct disk_record *record)
{
	const struct value *value = record->value;
	const struct paxos_item item = {
		.slot = record->slot,
		.ballot = record->ballot,
		.origin = value->origin,
		.len = value->len,
		.kind = value->kind,
		.bytes = value->bytes,
	};
	u64 before = member->core.commit;
	int err;

	call_begin(member);
	err = paxos_core_learn(&member->core, &item, now(member));
	if (err && err != -EAGAIN)
		broken(member->sim, LAW_AGREEMENT,
		       "member %u refuses slot %llu of another's log: %d",
		       member->id, U(record->slot), err);
	if (err == -EAGAIN && member->core.commit != before)
		broken(member->sim, LAW_WHOLE,
		       "member %u has no room for slot %llu and takes it",
		       member->id, U(record->slot));
	call_end(member);
	return err;
}

/* Others' logs do not reach back so far: it has their snapshot. */
void member_begin(struct member *member, const struct checkpoint *first)
{
	u64 slot = first->slot;
	int err;

	/* It comes again when what it began with last is on its disk. */
	if (member->core.commit && member->core.trim_record.lsn) {
		err = paxos_core_skip(&member->core, slot, first->bytes,
				      first->len, now(member));
		if (err != -EAGAIN)
			broken(member->sim, LAW_RECORDS,
			       "member %u begins twice before it is durable: %d",
			       member->id, err);
		return;
	}
	trim_behind(member, slot);
	call_begin(member);
	err = member->core.commit ?
		      paxos_core_skip(&member->core, slot, first->bytes,
				      first->len, now(member)) :
		      paxos_core_begin(&member->core, slot, first->bytes,
				       first->len, now(member));
	if (err)
		broken(member->sim, LAW_RECORDS,
		       "member %u cannot begin behind slot %llu: %d",
		       member->id, U(slot), err);
	if (member->core.commit == slot)
		trim_check(member, slot);
	call_end(member);
}

bool member_propose(struct member *member, u8 kind, u32 len, u64 timeout)
{
	struct sim *sim = member->sim;
	struct proposal *proposal;
	u64 local = now(member);
	int err;

	if (member->n_running == PAXOS_PENDING_MAX)
		return false;
	proposal = value_propose(sim, member, len, member->core.next_seq);
	proposal->value.kind = kind;
	if (kind == PAXOS_DATA)
		kv_propose(sim, proposal);
	len = proposal->value.len;
	proposal->deadline_local = local + timeout;
	member->running[member->n_running++] = proposal;
	trace(sim, "proposes %u, %u bytes", member->id,
	      proposal->value.origin.seq, len, 0);
	call_begin(member);
	if (kind == PAXOS_NOOP)
		err = paxos_core_propose_noop(&member->core, local + timeout,
					      proposal, local);
	else
		err = paxos_core_propose(&member->core, proposal->value.bytes,
					 len, local + timeout, proposal, local);
	if (err) {
		if (proposal->ending != RUNNING)
			broken(sim, LAW_OUTCOME,
			       "member %u refuses a proposal that has ended",
			       member->id);
		member->n_running--;
		value_forget(sim, proposal);
		sim->totals.refused++;
	}
	call_end(member);
	return !err;
}

/* As leader, propose a configuration. */
int member_reconfigure(struct member *member, const void *bytes, u32 len,
		       u64 timeout)
{
	struct sim *sim = member->sim;
	struct proposal *proposal;
	u64 local = now(member);
	int err;

	if (member->n_running == PAXOS_PENDING_MAX)
		return -EAGAIN;
	proposal = value_propose(sim, member, len, member->core.next_seq);
	proposal->value.kind = PAXOS_CONFIG;
	memcpy(proposal->value.bytes, bytes, len);
	proposal->deadline_local = local + timeout;
	member->running[member->n_running++] = proposal;
	trace(sim, "wants another configuration, proposal %u", member->id,
	      proposal->value.origin.seq, 0, 0);
	call_begin(member);
	err = paxos_core_reconfigure(&member->core, bytes, len, local + timeout,
				     proposal, local);
	if (err) {
		member->n_running--;
		value_forget(sim, proposal);
	}
	call_end(member);
	return err;
}

bool member_read(struct member *member, u64 timeout)
{
	struct sim *sim = member->sim;
	struct read *read;
	u64 local = now(member);
	int err;

	if (member->n_reading == PAXOS_READS_MAX)
		return false;
	read = calloc(1, sizeof(*read));
	if (sim->n_reads == sim->reads_cap) {
		sim->reads_cap = sim->reads_cap ? sim->reads_cap * 2 : 256;
		sim->reads = realloc(sim->reads,
				     sim->reads_cap * sizeof(*sim->reads));
	}
	if (!read || !sim->reads)
		abort();
	sim->reads[sim->n_reads++] = read;
	read->member = member->id;
	read->life = member->life;
	read->floor = sim->chosen_max;
	read->deadline_local = local + timeout;
	member->reading[member->n_reading++] = read;
	trace(sim, "reads, slot %u is chosen", member->id, read->floor, 0, 0);
	call_begin(member);
	err = paxos_core_read(&member->core, local + timeout, read, local);
	if (err) {
		read->ending = CANCELLED;
		member->n_reading--;
	}
	call_end(member);
	return !err;
}

/* Whoever asked goes away. */
void member_cancel(struct member *member, struct proposal *proposal)
{
	struct sim *sim = member->sim;
	bool sent = false;

	call_begin(member);
	member->doomed = false;
	if (!paxos_core_cancel(&member->core, proposal, &sent))
		broken(sim, LAW_OUTCOME,
		       "member %u does not know proposal %llu/%llu", member->id,
		       U(proposal->value.origin.incarnation),
		       U(proposal->value.origin.seq));
	trace(sim, "gives proposal %u up, sent: %u", member->id,
	      proposal->value.origin.seq, sent, 0);
	proposal->ending = CANCELLED;
	for (u32 i = 0; i < member->n_running; i++)
		if (member->running[i] == proposal)
			member->running[i] = member->running[--member->n_running];
	sim->totals.cancelled++;
	if (!sent) {
		proposal->value.denied = true;
		if (proposal->value.chosen_slot)
			broken(sim, LAW_OUTCOME,
			       "a proposal that is chosen was never sent");
	}
	call_end(member);
}

void member_cancel_read(struct member *member, struct read *read)
{
	bool sent;

	call_begin(member);
	member->doomed = false;
	if (!paxos_core_cancel(&member->core, read, &sent))
		broken(member->sim, LAW_READ, "member %u does not know a read",
		       member->id);
	trace(member->sim, "gives a read up", member->id, 0, 0, 0);
	read->ending = CANCELLED;
	for (u32 i = 0; i < member->n_reading; i++)
		if (member->reading[i] == read)
			member->reading[i] = member->reading[--member->n_reading];
	call_end(member);
}

void member_init(struct sim *sim, u8 id, u64 asks)
{
	struct member *member = calloc(1, sizeof(*member));

	if (!member)
		abort();
	member->sim = sim;
	member->id = id;
	member->asks = asks;
	member->agent.batch = sim->settings.batch;
	if (sim->settings.knobs[KNOB_CLOCK])
		member->clock.ppm =
			(s64)random_between(&sim->random, 0, 40000) - 20000;
	sim->members[id] = member;
	member_boot(member);
}

void member_free(struct member *member)
{
	if (member->status != MEMBER_DOWN)
		discard(member);
	while (member->disk.count)
		free(member->disk.records[--member->disk.count].bytes);
	free(member->disk.records);
	free(member->held);
	free(member->reports);
	free(member->saved.bytes);
	free(member->entries);
	free(member);
}
