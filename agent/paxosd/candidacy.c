// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include "candidacy.h"
#include "say.h"

#define NS_PER_MS	1000000ULL
#define TRANSFER_MS	1000

static struct election_settings settings_of(const struct config *config)
{
	const struct config_member *self = config_member(config, config->self);

	return (struct election_settings){
		.self = config->self,
		.priority = self->priority,
		.enabled = config->election,
		.sync = config->durability == PAXOS_NL_DURABILITY_SYNC,
		.interval = config->interval * NS_PER_MS,
		.silence = config->interval * NS_PER_MS * 7 / 2,
		.timeout_max = config->timeout_max * NS_PER_MS,
	};
}

int candidacy_open(struct candidacy *candidacy, struct agent *agent)
{
	const struct election_settings settings = settings_of(&agent->config);

	candidacy->agent = agent;
	candidacy->timer = timerfd_create(CLOCK_MONOTONIC,
					  TFD_CLOEXEC | TFD_NONBLOCK);
	if (candidacy->timer < 0) {
		agent_fail(agent, "no timer: %s", strerror(errno));
		return -1;
	}
	/* Above the rounds of every former life. */
	election_init(&candidacy->election, &settings, agent->wal.lives << 32,
		      agent_now());
	return 0;
}

void candidacy_configure(struct candidacy *candidacy)
{
	const struct election_settings settings =
		settings_of(&candidacy->agent->config);

	election_configure(&candidacy->election, &settings);
}

void candidacy_close(struct candidacy *candidacy)
{
	close(candidacy->timer);
}

static void tell_leader(const struct candidacy *candidacy,
			const struct group_state *state)
{
	const uint32_t group = candidacy->agent->config.group;
	const uint8_t was = candidacy->state.leader;

	if (state->leader == was)
		return;
	if (state->leader)
		say_about(LOG_NOTICE,
			  SAY(.event = SAY_LEADER, .peer = state->leader),
			  "group %u: member %u leads, ballot %" PRIu64 ".%u",
			  group, state->leader, state->ballot >> 8,
			  (unsigned int)(state->ballot & 0xff));
	else
		say_about(LOG_NOTICE,
			  SAY(.event = SAY_NO_LEADER, .peer = was),
			  "group %u: no leader is known; member %u led", group,
			  was);
}

/* The kernel found it; here it is said to whom it concerns: a person. */
static void tell_divergence(const struct candidacy *candidacy,
			    const struct group_state *state)
{
	const uint32_t group = candidacy->agent->config.group;
	const uint8_t self = candidacy->agent->config.self;
	const struct group_state *was = &candidacy->state;
	const uint64_t fresh = state->differ & ~was->differ;
	uint8_t id;

	for (id = 1; id <= PAXOS_NL_MEMBERS_MAX; id++)
		if (fresh & 1ULL << (id - 1))
			say_about(LOG_CRIT,
				  SAY(.event = SAY_DIVERGED, .peer = id,
				      .slot = state->diverged),
				  "group %u: divergence at slot %" PRIu64
				  ": members %u and %u differ", group,
				  state->diverged, self < id ? self : id,
				  self < id ? id : self);
	if (was->differ && !state->differ)
		say_notice("group %u: no member holds another log any more",
			   group);
	if (state->halted && !was->halted)
		say_about(LOG_CRIT, SAY(.event = SAY_HALTED),
			  "group %u: this member's log is not that of a majority: nothing is applied here any more; see paxosctl(8), DIVERGENCE",
			  group);
	else if (was->halted && !state->halted)
		say_notice("group %u: values are applied here again", group);
}

void candidacy_look(struct candidacy *candidacy,
		    const struct group_state *state)
{
	const struct election_kernel kernel = {
		.state = state->state,
		.phase = state->phase,
		.wait = state->wait,
		.leader = state->leader,
		.q1 = state->q1,
		.stalled = state->stalled,
		.ballot = state->ballot,
		.promised = state->promised,
		.commit = state->commit,
		.first = state->first,
		.voters = state->voters,
	};

	tell_leader(candidacy, state);
	tell_divergence(candidacy, state);
	election_kernel(&candidacy->election, &kernel);
	candidacy->state = *state;
	candidacy->looked = agent_now();
	candidacy->urgent = false;
}

void candidacy_hear(struct candidacy *candidacy,
		    const struct heartbeat *heartbeat)
{
	candidacy->urgent |= heartbeat->word.kind != ELECTION_BEAT;
	election_hear(&candidacy->election, heartbeat->from, &heartbeat->word,
		      agent_now());
}

void candidacy_fill(const struct candidacy *candidacy, uint8_t kind,
		    struct heartbeat *heartbeat)
{
	heartbeat->checksum = candidacy->state.checksum;
	heartbeat->mark = candidacy->state.mark;
	election_word(&candidacy->election, heartbeat->to, kind,
		      &heartbeat->word);
}

/* Failures are the kernel's to explain; the next step sees how things are. */
static void act(struct candidacy *candidacy, const struct election_out *out)
{
	struct agent *agent = candidacy->agent;
	const uint32_t group = agent->config.group;

	if (out->resign) {
		say_notice("group %u: member %u led and has had no quorum for a while: it resigns",
			   group, agent->config.self);
		group_resign(&agent->heart, group);
	}
	if (out->transfer) {
		say_about(LOG_NOTICE, SAY(.peer = out->transfer),
			  "group %u: member %u hands the lead over to member %u",
			  group, agent->config.self, out->transfer);
		group_transfer(&agent->heart, group, out->transfer,
			       TRANSFER_MS);
	}
	if (out->campaign) {
		say_notice("group %u: no leader that can commit is heard by a quorum: member %u campaigns",
			   group, agent->config.self);
		group_campaign(&agent->heart, group);
	}
}

static void look_again(struct candidacy *candidacy)
{
	struct agent *agent = candidacy->agent;
	struct group_state state;

	/* If the group is gone, the next beat notices. */
	if (!group_get(&agent->heart, agent->config.group, &state))
		candidacy_look(candidacy, &state);
}

void candidacy_refresh(struct candidacy *candidacy)
{
	uint64_t times;

	if (read(candidacy->timer, &times, sizeof(times)) < 0)
		times = 0;	/* it was something else that came */
	if (candidacy->urgent ||
	    (times && agent_now() - candidacy->looked > NS_PER_MS))
		look_again(candidacy);
}

static void set_timer(const struct candidacy *candidacy, uint64_t when)
{
	const struct itimerspec at = {
		.it_value.tv_sec = when / 1000000000,
		.it_value.tv_nsec = when % 1000000000,
	};
	const struct itimerspec never = { 0 };

	timerfd_settime(candidacy->timer, TFD_TIMER_ABSTIME,
			when == UINT64_MAX ? &never : &at, NULL);
}

static void tell_left(struct candidacy *candidacy)
{
	const uint64_t one = 1;

	candidacy->told = true;
	if (write(candidacy->agent->left, &one, sizeof(one)) < 0)
		abort();
}

void candidacy_step(struct candidacy *candidacy, uint64_t agents,
		    uint64_t hosts, uint64_t next, struct election_out *out)
{
	struct election *election = &candidacy->election;
	uint64_t random;

	randombytes_buf(&random, sizeof(random));
	election_suspect(election, agents, hosts);
	election_step(election, agent_now(), random, out);
	candidacy->agent->penalty = election->penalty;
	if (out->resign || out->transfer || out->campaign) {
		act(candidacy, out);
		look_again(candidacy);
	}
	if (out->left && !candidacy->told)
		tell_left(candidacy);
	set_timer(candidacy, out->wake < next ? out->wake : next);
}

void candidacy_leave(struct candidacy *candidacy)
{
	look_again(candidacy);
	election_leave(&candidacy->election, agent_now());
}
