// SPDX-License-Identifier: GPL-2.0
/* The loop: one event at a time, and after each of them the laws hold. */
#include <stdlib.h>
#include "sim.h"

struct sim *sim_new(const struct settings *settings)
{
	struct sim *sim = calloc(1, sizeof(*sim));
	u64 voters = (1ULL << settings->voters) - 1;
	u64 learners = ((1ULL << settings->learners) - 1) << settings->voters;
	struct paxos_config config;
	u32 id;

	if (!sim)
		abort();
	sim->settings = *settings;
	random_seed(&sim->random, settings->seed);
	sim->n = settings->voters + settings->learners;
	sim->now = 1;
	sim->noop.kind = PAXOS_NOOP;
	if (paxos_config_init(&config, random_between(&sim->random, 2, 9),
			      voters, learners, settings->q1, settings->q2))
		broken(sim, LAW_WHOLE, "no such configuration");
	epochs_begin(sim, &config);
	sim->core_settings = (struct paxos_settings){
		.durability = settings->durability,
		.window = settings->window,
		.log_size = settings->log_size,
		.payload = settings->payload,
		.bytes = settings->bytes,
	};
	for (id = 1; id <= sim->n; id++)
		member_init(sim, id, 0);
	schedule_add(sim, sim->now, EVENT_CLIENT, 0, 0, NULL);
	schedule_add(sim, sim->now, EVENT_BEAT, 0, 0, NULL);
	return sim;
}

void sim_free(struct sim *sim)
{
	u64 i;

	for (i = 1; i <= sim->n; i++)
		member_free(sim->members[i]);
	schedule_free(&sim->schedule);
	for (i = 0; i < SIM_KEPT; i++)
		free(sim->kept[i]);
	for (i = 0; i < sim->slots_cap; i++)
		free(sim->slots[i].votes);
	for (i = 0; i < sim->n_proposals; i++) {
		free(sim->proposals[i]->value.bytes);
		free(sim->proposals[i]);
	}
	for (i = 0; i < sim->n_reads; i++)
		free(sim->reads[i]);
	free(sim->epochs);
	free(sim->reigns);
	free(sim->slots);
	free(sim->values);
	free(sim->proposals);
	free(sim->reads);
	free(sim);
}

/* False if the event was about something that is no more. */
static bool happen(struct sim *sim, const struct event *event)
{
	struct member *member = sim->members[event->member];

	switch (event->kind) {
	case EVENT_ARRIVE:
		network_arrive(sim, event->packet);
		return true;
	case EVENT_TICK:
		if (event->generation != member->tick_generation ||
		    member->status != MEMBER_UP)
			return false;
		member_tick(member);
		return true;
	case EVENT_PULL:
	case EVENT_WRITTEN:
		if (event->generation != member->agent.generation ||
		    member->status != MEMBER_UP)
			return false;
		if (event->kind == EVENT_PULL)
			agent_pull(member);
		else
			agent_written(member);
		return true;
	case EVENT_ATTACH:
		if (event->generation != member->agent.generation ||
		    member->status != MEMBER_UP)
			return false;
		agent_attach(member);
		return true;
	case EVENT_RESTART:
		if (event->generation != member->life ||
		    member->status != MEMBER_DOWN)
			return false;
		member_boot(member);
		faults_reconnect(member);
		return true;
	case EVENT_ELECTION:
		if (event->generation != member->life)
			return false;
		faults_election(member);
		return true;
	case EVENT_CLIENT:
		if (sim->healing)
			return false;
		faults_client(sim);
		schedule_add(sim, sim->now +
			     random_between(&sim->random, 1,
					    2 * sim->settings.pace),
			     EVENT_CLIENT, 0, 0, NULL);
		return true;
	case EVENT_BEAT:
		faults_beat(sim);
		transfer_beat(sim);
		schedule_add(sim, sim->now + SIM_BEAT, EVENT_BEAT, 0, 0, NULL);
		return true;
	}
	return false;
}

void sim_step(struct sim *sim)
{
	struct event event;

	do {
		if (!schedule_next(sim, &event))
			abort();	/* the beat never ends */
		sim->now = event.at;
	} while (!happen(sim, &event));
	sim->step++;
}

void sim_run(struct sim *sim)
{
	while (sim->step < sim->settings.steps)
		sim_step(sim);
	heal(sim);
	sim->totals.events = sim->step;
	sim->totals.simulated = sim->now;
}
