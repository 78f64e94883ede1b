// SPDX-License-Identifier: GPL-2.0
/*
 * What a seed means: the shape of the cluster and the probability of each
 * fault. Every run leaves some faults out, so that the others have room
 * ("swarm testing", Groce et al. 2012).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "sim.h"

const char *const knob_names[KNOBS] = {
	[KNOB_LOSS] = "loss",
	[KNOB_DUPLICATE] = "duplicate",
	[KNOB_DELAY] = "delay",
	[KNOB_FOREIGN] = "foreign",
	[KNOB_CRASH] = "crash",
	[KNOB_NOMEM] = "nomem",
	[KNOB_JITTER] = "jitter",
	[KNOB_DISK_SLOW] = "disk_slow",
	[KNOB_TORN] = "torn",
	[KNOB_PARTITION] = "partition",
	[KNOB_CAMPAIGN] = "campaign",
	[KNOB_AGENT] = "agent",
	[KNOB_CLOCK] = "clock",
	[KNOB_STOP] = "stop",
	[KNOB_CANCEL] = "cancel",
	[KNOB_BURST] = "burst",
	[KNOB_FETCH] = "fetch",
	[KNOB_REPLAY] = "replay",
	[KNOB_TRANSFER] = "transfer",
	[KNOB_MEMBER] = "member",
	[KNOB_RESIGN] = "resign",
	[KNOB_YIELD] = "yield",
	[KNOB_MASK] = "mask",
};

/* Per million, at most. */
static const u32 knob_highest[KNOBS] = {
	[KNOB_LOSS] = 300000,
	[KNOB_DUPLICATE] = 200000,
	[KNOB_DELAY] = 200000,
	[KNOB_FOREIGN] = 20000,
	[KNOB_CRASH] = 4000,
	[KNOB_NOMEM] = 50000,
	[KNOB_JITTER] = 200000,
	[KNOB_DISK_SLOW] = 100000,
	[KNOB_TORN] = 900000,
	[KNOB_PARTITION] = 20000,
	[KNOB_CAMPAIGN] = 50000,
	[KNOB_AGENT] = 20000,
	[KNOB_CLOCK] = 10000,
	[KNOB_STOP] = 2000,
	[KNOB_CANCEL] = 50000,
	[KNOB_BURST] = 100000,
	[KNOB_FETCH] = 300000,
	[KNOB_REPLAY] = 300000,
	[KNOB_TRANSFER] = 500000,
	[KNOB_MEMBER] = 60000,
	[KNOB_RESIGN] = 20000,
	[KNOB_YIELD] = 100000,
	[KNOB_MASK] = 200000,
};

/* The numbers that --set and the replay know by name. */
static const struct {
	const char *name;
	size_t at;
} numbers[] = {
	{ "voters", offsetof(struct settings, voters) },
	{ "spare", offsetof(struct settings, spare) },
	{ "learners", offsetof(struct settings, learners) },
	{ "q1", offsetof(struct settings, q1) },
	{ "q2", offsetof(struct settings, q2) },
	{ "memory", offsetof(struct settings, durability) },
	{ "window", offsetof(struct settings, window) },
	{ "log", offsetof(struct settings, log_size) },
	{ "payload", offsetof(struct settings, payload) },
	{ "bytes", offsetof(struct settings, bytes) },
	{ "value", offsetof(struct settings, value_max) },
	{ "pace", offsetof(struct settings, pace) },
	{ "patience", offsetof(struct settings, patience) },
	{ "network", offsetof(struct settings, network) },
	{ "disk", offsetof(struct settings, disk) },
	{ "batch", offsetof(struct settings, batch) },
	{ "clients", offsetof(struct settings, clients) },
	{ "reads", offsetof(struct settings, reads) },
	{ "fixed", offsetof(struct settings, fixed) },
	{ "downtime", offsetof(struct settings, downtime) },
	{ "elections", offsetof(struct settings, elections) },
};

#define NUMBERS (sizeof(numbers) / sizeof(*numbers))

static u32 *number(struct settings *settings, u32 i)
{
	return (u32 *)((char *)settings + numbers[i].at);
}

/* A quorum pair; now and then one that does not meet, which is refused. */
static void draw_quorums(struct settings *settings, struct random *random)
{
	u32 n = settings->voters;
	struct paxos_config config;

	settings->q1 = n / 2 + 1;
	settings->q2 = n / 2 + 1;
	if (random_below(random, 3))
		return;
	do {
		settings->q2 = random_between(random, 1, n);
		settings->q1 = random_below(random, 2) ?
			       n - settings->q2 + 1 :
			       random_between(random, 1, n);
	} while (!settings->q1 ||
		 paxos_config_init(&config, 1, (1ULL << n) - 1, 0,
				   settings->q1, settings->q2));
}

/* Proposers duel. */
static void draw_duel(u32 *knobs, struct random *random)
{
	knobs[KNOB_CAMPAIGN] = random_between(random, 50000, 500000);
	knobs[KNOB_LOSS] = random_between(random, 50000, 400000);
}

/* Hosts come and go so fast that their own past catches up with them. */
static void draw_flapping(struct settings *settings, struct random *random)
{
	settings->knobs[KNOB_CRASH] = random_between(random, 5000, 30000);
	settings->knobs[KNOB_DELAY] = random_between(random, 50000, 300000);
	settings->downtime = random_scale(random, 1000, 50000);
	settings->reads = 50;
}

/*
 * Some hear of a new leader what it had chosen, but not from itself, and old
 * leaders speak up again.
 */
static void draw_hearsay(struct settings *settings, struct random *random)
{
	u32 *knobs = settings->knobs;

	knobs[KNOB_PARTITION] = random_between(random, 5000, 20000);
	knobs[KNOB_CAMPAIGN] = random_between(random, 10000, 60000);
	knobs[KNOB_LOSS] = random_between(random, 0, 300000);
	knobs[KNOB_DELAY] = random_between(random, 50000, 200000);
	knobs[KNOB_FETCH] = random_between(random, 100000, 500000);
	knobs[KNOB_REPLAY] = random_between(random, 100000, 500000);
	knobs[KNOB_CRASH] = random_between(random, 500, 2000);
	settings->pace = random_scale(random, 2000, 20000);
	settings->learners = random_between(random, 1, 2);
}

/*
 * Leaders that are heard in part, one upon the other as fast as they can be
 * elected, and members who ask around for what was chosen. Rather among so many
 * that a quorum leaves room beside it for others who know of another leader.
 */
static void draw_masks(struct settings *settings, struct random *random)
{
	u32 *knobs = settings->knobs;

	knobs[KNOB_MASK] = random_between(random, 150000, 350000);
	knobs[KNOB_FETCH] = random_between(random, 300000, 950000);
	knobs[KNOB_LOSS] = random_between(random, 0, 40000);
	knobs[KNOB_CAMPAIGN] = 0;
	knobs[KNOB_PARTITION] /= 8;
	knobs[KNOB_CRASH] /= 8;
	settings->pace = random_scale(random, 5000, 20000);
	settings->network = random_scale(random, 50, 500);
	settings->disk = random_scale(random, 50, 500);
	settings->value_max = settings->value_max % 256 + 8;
	if (random_below(random, 2))
		settings->reads = 3;
	if (random_below(random, 2))
		settings->durability = PAXOS_MEMORY;
	if (!random_below(random, 3))
		return;
	settings->voters = random_between(random, 6, 7);
	settings->q2 = random_between(random, 3, settings->voters - 3);
	settings->q1 = settings->voters - settings->q2 + 1;
}

static void draw_faults(struct settings *settings, struct random *random)
{
	u32 *knobs = settings->knobs;
	u32 kind = random_below(random, 16);
	u32 i;

	memset(knobs, 0, sizeof(settings->knobs));
	knobs[KNOB_TORN] = random_below(random, 1000000);
	for (i = 0; i < KNOB_MEMBER; i++)
		if (kind && i != KNOB_TORN && random_below(random, 2))
			knobs[i] = random_scale(random, knob_highest[i] / 64,
						knob_highest[i]);
	if (kind >= 1 && kind <= 2)
		draw_duel(knobs, random);
	else if (kind == 3)
		draw_flapping(settings, random);
	else if (kind >= 4 && kind <= 8)
		draw_hearsay(settings, random);
	else if (kind >= 9 && kind <= 13)
		draw_masks(settings, random);
	if (!settings->elections && !knobs[KNOB_CAMPAIGN])
		knobs[KNOB_CAMPAIGN] = 10000;
}

/*
 * Members come and go. A host that joins learns from the first slot on, and
 * there is no transfer: half of the time the logs hold all there is.
 */
static void draw_members(struct settings *settings, struct random *random)
{
	u32 held = settings->value_max + sizeof(struct paxos_value);

	if (random_below(random, 2))
		return;
	settings->knobs[KNOB_MEMBER] = random_scale(random, 1000,
						    knob_highest[KNOB_MEMBER]);
	settings->spare = random_between(random, 0, 3);
	settings->bytes += 8 * (PAXOS_CONFIG_SIZE(SIM_MEMBERS_MAX) +
				sizeof(struct paxos_value));
	if (random_below(random, 2))
		return;
	settings->value_max = settings->value_max % 512 + 8;
	settings->log_size = 4096;
	settings->bytes += 4096 * held;
}

/* Leaders that step down, or hand over to another. */
static void draw_leads(struct settings *settings, struct random *random)
{
	u32 i;

	if (random_below(random, 4))
		return;
	for (i = KNOB_RESIGN; i <= KNOB_YIELD; i++)
		settings->knobs[i] = random_scale(random, knob_highest[i] / 64,
						  knob_highest[i]);
}

void settings_draw(struct settings *settings)
{
	static const u8 sizes[] = { 3, 3, 3, 5, 5, 4, 7, 7, 6, 6, 2, 1 };
	struct random random;
	u32 held;

	random_seed(&random, settings->seed ^ 0x5eed);
	settings->voters = sizes[random_below(&random, sizeof(sizes))];
	settings->learners = random_below(&random, 3) ? 0 :
			     random_between(&random, 1, 2);
	draw_quorums(settings, &random);
	settings->durability = random_below(&random, 4) ? PAXOS_SYNC :
							  PAXOS_MEMORY;
	settings->window = 4U << random_below(&random, 5);
	settings->log_size = settings->window << random_between(&random, 1, 3);
	settings->payload = random_below(&random, 2) ?
			    PAXOS_PAYLOAD_DEFAULT :
			    random_scale(&random, 200, 60000);
	settings->value_max = random_scale(&random, 8, PAXOS_VALUE_MAX);
	settings->pace = random_scale(&random, 300, 200000);
	settings->patience = random_scale(&random, 10000, 20 * SIM_SECOND);
	settings->network = random_scale(&random, 50, 5000);
	settings->disk = random_scale(&random, 50, 20000);
	settings->batch = random_scale(&random, 1, 256);
	settings->elections = random_below(&random, 4) != 0;

	settings->downtime = random_scale(&random, 1000, 8 * SIM_SECOND);
	settings->clients = random_scale(&random, 2, 64);
	settings->reads = random_below(&random, 4) ? 15 : 50;
	settings->fixed = !random_below(&random, 3);

	/* what a window takes twice over, and what waits to go in */
	held = settings->value_max + sizeof(struct paxos_value);
	settings->bytes = random_between(&random, 1, 4) *
			  (held * (settings->window + settings->clients) +
			   settings->payload);
	if (random_below(&random, 2))
		settings->bytes += 2 * held * settings->log_size;
	draw_faults(settings, &random);
	draw_members(settings, &random);
	/* Last, and seldom: what the other seeds mean stays as it was. */
	draw_leads(settings, &random);
}

/* NAME=NUMBER; for a probability, in a million. */
int settings_set(struct settings *settings, const char *assignment)
{
	const char *equals = strchr(assignment, '=');
	size_t len;
	u32 value, i;

	if (!equals)
		return -EINVAL;
	len = equals - assignment;
	value = strtoul(equals + 1, NULL, 10);
	for (i = 0; i < NUMBERS; i++) {
		if (strlen(numbers[i].name) == len &&
		    !strncmp(numbers[i].name, assignment, len)) {
			*number(settings, i) = value;
			return 0;
		}
	}
	for (i = 0; i < KNOBS; i++) {
		if (strlen(knob_names[i]) == len &&
		    !strncmp(knob_names[i], assignment, len)) {
			settings->knobs[i] = value;
			return 0;
		}
	}
	return -ENOENT;
}

void settings_print(const struct settings *settings)
{
	u32 i;

	printf("seed %llu: %u voters, %u learners, %u to join, q1 %u, q2 %u, durability %s\n",
	       (unsigned long long)settings->seed, settings->voters,
	       settings->learners, settings->spare, settings->q1, settings->q2,
	       settings->durability == PAXOS_SYNC ? "sync" : "memory");
	printf("  window %u, log %u, %u B of values of up to %u B, payload %u B\n",
	       settings->window, settings->log_size, settings->bytes,
	       settings->value_max, settings->payload);
	printf("  a request every %u us, %u %% reads, patience %u us\n",
	       settings->pace, settings->reads, settings->patience);
	printf("  network %u us, disk %u us, %u records a batch, ",
	       settings->network, settings->disk, settings->batch);
	printf("elections %s, down %u us\n", settings->elections ? "on" : "off",
	       settings->downtime);
	printf("  probabilities:");
	for (i = 0; i < KNOBS; i++)
		printf(" %s %g%%", knob_names[i], settings->knobs[i] / 10000.0);
	printf("\n  a checkpoint noted every %u commits that an agent sees, a snapshot every %u slots\n",
	       SIM_NOTE_EVERY, SIM_SAVE_EVERY);
}
