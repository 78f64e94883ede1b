// SPDX-License-Identifier: GPL-2.0
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "config.h"
#include "electorate.h"

#define NS		1000000ULL
#define KERNEL_BEAT	100
#define KERNEL_SILENCE	1000
#define HOST_SILENCE	250
#define SHORT_INTERVAL	50	/* from here on as heart.c has it */

enum letter_type {
	HEARTBEAT,
	PREPARE,
	PROMISE,
	REJECT,
	COMMIT,
	ACCEPTED,
	YIELD,
};

struct letter {
	struct letter *next;
	uint64_t at;
	uint8_t type;
	uint8_t from;
	uint8_t to;
	uint64_t ballot;
	uint64_t number;	/* commit, or promised */
	struct election_word word;
};

/* xorshift64* (Vigna 2016). */
static uint64_t draw(struct electorate *electorate)
{
	uint64_t x = electorate->random;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	electorate->random = x;
	return x * 0x2545f4914f6cdd1dULL;
}

uint64_t electorate_random(struct electorate *electorate, uint64_t below)
{
	return (draw(electorate) >> 11) % below;
}

static uint64_t bit(uint8_t id)
{
	return 1ULL << (id - 1);
}

static uint64_t voters(const struct electorate *electorate)
{
	uint64_t set = 0;
	uint8_t id;

	for (id = 1; id <= electorate->n; id++)
		if (!electorate->hosts[id].learner)
			set |= bit(id);
	return set;
}

static unsigned int majority(const struct electorate *electorate)
{
	return __builtin_popcountll(voters(electorate)) / 2 + 1;
}

static void post(struct electorate *electorate, const struct letter *letter,
		 unsigned int after)
{
	struct letter **at = &electorate->letters, *copy;

	if (electorate->cut[letter->from][letter->to] ||
	    electorate_random(electorate, 1000) < electorate->loss)
		return;
	copy = malloc(sizeof(*copy));
	*copy = *letter;
	copy->at = electorate->now + after + electorate->delay +
		   electorate_random(electorate, electorate->jitter + 1);
	if (copy->at == electorate->now)
		copy->at++;
	while (*at && (*at)->at <= copy->at)
		at = &(*at)->next;
	copy->next = *at;
	*at = copy;
}

static void say(struct electorate *electorate, uint8_t type, uint8_t from,
		uint8_t to, uint64_t ballot, uint64_t number,
		unsigned int after)
{
	const struct letter letter = {
		.type = type, .from = from, .to = to, .ballot = ballot,
		.number = number,
	};

	post(electorate, &letter, after);
}

/* --- The kernel -------------------------------------------------------- */

static bool runs(const struct host *host)
{
	return !host->dead && !host->mute;
}

static void step_down(struct kernel *kernel, uint8_t self)
{
	if (kernel->leader == self)
		kernel->leader = 0;
	kernel->phase = PAXOS_NL_PHASE_FOLLOWER;
	kernel->yields_to = 0;
}

static void promise(struct host *host, uint64_t ballot, uint8_t self)
{
	struct kernel *kernel = &host->kernel;

	kernel->promised = ballot;
	if (kernel->phase != PAXOS_NL_PHASE_FOLLOWER &&
	    kernel->ballot < ballot)
		step_down(kernel, self);
}

static unsigned int disk(const struct electorate *electorate)
{
	return electorate->sync ? electorate->fsync : 0;
}

static void count_promises(struct electorate *electorate, uint8_t id)
{
	struct kernel *kernel = &electorate->hosts[id].kernel;

	if (__builtin_popcountll(kernel->promises) <
	    (int)majority(electorate))
		return;
	kernel->phase = PAXOS_NL_PHASE_LEADER;
	kernel->leader = id;
	kernel->quorum = true;
	kernel->beat = electorate->now;
	electorate->changes++;
	electorate->last_leader = id;
}

void electorate_campaign(struct electorate *electorate, uint8_t id)
{
	struct host *host = &electorate->hosts[id];
	struct kernel *kernel = &host->kernel;
	uint8_t to;

	if (!runs(host) || host->learner ||
	    kernel->phase == PAXOS_NL_PHASE_LEADER)
		return;
	electorate->campaigns++;
	kernel->ballot = (((kernel->promised >> 8) + 1) << 8) | id;
	promise(host, kernel->ballot, id);
	kernel->phase = PAXOS_NL_PHASE_CANDIDATE;
	kernel->leader = 0;
	kernel->promises = bit(id);
	if (host->stalled)
		return;
	count_promises(electorate, id);
	for (to = 1; to <= electorate->n; to++)
		if (to != id && !electorate->hosts[to].learner)
			say(electorate, PREPARE, id, to, kernel->ballot, 0,
			    disk(electorate));
}

static unsigned int kernels_up(const struct electorate *electorate, uint8_t id)
{
	const struct kernel *kernel = &electorate->hosts[id].kernel;
	unsigned int n = 1;
	uint8_t peer;

	for (peer = 1; peer <= electorate->n; peer++)
		if (peer != id && !electorate->hosts[peer].learner &&
		    kernel->heard[peer] &&
		    kernel->heard[peer] + KERNEL_SILENCE > electorate->now)
			n++;
	return n;
}

static void kernel_tick(struct electorate *electorate, uint8_t id)
{
	struct host *host = &electorate->hosts[id];
	struct kernel *kernel = &host->kernel;
	uint8_t to;

	if (kernel->leader && kernel->leader != id &&
	    kernel->leader_heard + KERNEL_SILENCE <= electorate->now)
		kernel->leader = 0;
	if (kernel->phase != PAXOS_NL_PHASE_LEADER ||
	    electorate->now < kernel->beat)
		return;
	kernel->quorum = kernels_up(electorate, id) >= majority(electorate);
	if (kernel->quorum && !kernel->yields_to)
		kernel->commit++;
	kernel->beat = electorate->now + KERNEL_BEAT;
	for (to = 1; to <= electorate->n; to++)
		if (to != id)
			say(electorate, COMMIT, id, to, kernel->ballot,
			    kernel->commit, 0);
	if (kernel->yields_to)
		say(electorate, YIELD, id, kernel->yields_to, kernel->ballot,
		    0, 0);
	if (kernel->yields_until <= electorate->now)
		kernel->yields_to = 0;
}

static void prepared(struct electorate *electorate, struct host *host,
		     const struct letter *letter)
{
	if (host->learner)
		return;
	if (letter->ballot < host->kernel.promised) {
		say(electorate, REJECT, letter->to, letter->from,
		    letter->ballot, host->kernel.promised, 0);
		return;
	}
	promise(host, letter->ballot, letter->to);
	if (!host->stalled && !host->stopped)
		say(electorate, PROMISE, letter->to, letter->from,
		    letter->ballot, 0, disk(electorate));
	else if (!electorate->sync)
		say(electorate, PROMISE, letter->to, letter->from,
		    letter->ballot, 0, 0);
}

static void promised(struct electorate *electorate, struct host *host,
		     const struct letter *letter)
{
	struct kernel *kernel = &host->kernel;

	if (kernel->phase != PAXOS_NL_PHASE_CANDIDATE ||
	    letter->ballot != kernel->ballot)
		return;
	kernel->promises |= bit(letter->from);
	count_promises(electorate, letter->to);
}

static void committed(struct electorate *electorate, struct host *host,
		      const struct letter *letter)
{
	struct kernel *kernel = &host->kernel;

	if (letter->ballot < kernel->promised) {
		say(electorate, REJECT, letter->to, letter->from,
		    letter->ballot, kernel->promised, 0);
		return;
	}
	if (kernel->ballot != letter->ballot ||
	    kernel->leader != letter->from) {
		step_down(kernel, letter->to);
		kernel->ballot = letter->ballot;
		kernel->leader = letter->from;
	}
	kernel->promised = letter->ballot;
	kernel->leader_heard = electorate->now;
	if (letter->number > kernel->commit)
		kernel->commit = letter->number;
	say(electorate, ACCEPTED, letter->to, letter->from, letter->ballot, 0,
	    0);
}

static void kernel_receive(struct electorate *electorate, struct host *host,
			   const struct letter *letter)
{
	struct kernel *kernel = &host->kernel;

	if (!runs(host) || host->deaf_kernel)
		return;
	kernel->heard[letter->from] = electorate->now;
	switch (letter->type) {
	case PREPARE:
		prepared(electorate, host, letter);
		break;
	case PROMISE:
		promised(electorate, host, letter);
		break;
	case REJECT:
		if (kernel->phase != PAXOS_NL_PHASE_FOLLOWER &&
		    letter->ballot == kernel->ballot)
			step_down(kernel, letter->to);
		if (letter->number > kernel->promised)
			kernel->promised = letter->number;
		break;
	case COMMIT:
		committed(electorate, host, letter);
		break;
	case YIELD:
		if (letter->ballot == kernel->ballot &&
		    letter->from == kernel->leader)
			electorate_campaign(electorate, letter->to);
		break;
	}
}

/* --- The agent ---------------------------------------------------------- */

static void beat(struct electorate *electorate, uint8_t from, uint64_t set,
		 uint8_t kind)
{
	const struct host *host = &electorate->hosts[from];
	uint8_t to;

	for (to = 1; to <= electorate->n; to++) {
		struct letter letter = {
			.type = HEARTBEAT, .from = from, .to = to,
		};

		if (to == from || !(set & bit(to)))
			continue;
		election_word(&host->election, to, kind, &letter.word);
		if (host->stalled)
			letter.word.writing = electorate->now -
					      host->stalled_since;
		post(electorate, &letter, 0);
	}
}

static uint8_t waits(const struct electorate *electorate,
		     const struct host *host)
{
	const struct kernel *kernel = &host->kernel;

	if (host->mute)
		return PAXOS_NL_WAIT_START;
	if (host->stalled && electorate->now >= host->stalled_since + 1000)
		return PAXOS_NL_WAIT_DISK;
	if (kernel->phase == PAXOS_NL_PHASE_CANDIDATE)
		return PAXOS_NL_WAIT_PROMISES;
	if (kernel->phase == PAXOS_NL_PHASE_LEADER)
		return kernel->quorum ? PAXOS_NL_WAIT_NONE :
					PAXOS_NL_WAIT_QUORUM;
	return kernel->leader ? PAXOS_NL_WAIT_NONE : PAXOS_NL_WAIT_LEADER;
}

static void look(struct electorate *electorate, uint8_t id)
{
	struct host *host = &electorate->hosts[id];
	const struct kernel *kernel = &host->kernel;
	const struct election_kernel seen = {
		.state = host->mute ? PAXOS_NL_STATE_RESTORING :
				      PAXOS_NL_STATE_RUNNING,
		.phase = kernel->phase,
		.wait = waits(electorate, host),
		.leader = kernel->leader,
		.q1 = majority(electorate),
		.stalled = host->stalled && electorate->sync ?
			   electorate->now - host->stalled_since : 0,
		.ballot = kernel->ballot,
		.promised = kernel->promised,
		.commit = kernel->commit,
		.first = 1,
		.voters = voters(electorate),
	};
	const uint64_t silence = host->silence ? host->silence :
				 host->election.settings.silence / NS;
	const uint64_t kernels = electorate->interval < SHORT_INTERVAL ?
				 0 : HOST_SILENCE;
	uint64_t agents = 0, hosts = 0;
	uint8_t peer;

	for (peer = 1; peer <= electorate->n; peer++) {
		if (peer == id ||
		    electorate->now < host->agents[peer] + silence)
			continue;
		agents |= bit(peer);
		if (electorate->now >= kernel->heard[peer] + kernels)
			hosts |= bit(peer);
	}
	election_kernel(&host->election, &seen);
	election_suspect(&host->election, agents, hosts);
}

static void step(struct electorate *electorate, uint8_t id)
{
	struct host *host = &electorate->hosts[id];
	struct kernel *kernel = &host->kernel;
	const uint64_t all = (1ULL << electorate->n) - 1;
	struct election_out out;

	look(electorate, id);
	election_step(&host->election, electorate->now * NS, draw(electorate),
		      &out);
	host->wake = out.wake / NS;
	if (out.resign) {
		electorate->resigned++;
		step_down(kernel, id);
	}
	if (out.transfer && kernel->phase == PAXOS_NL_PHASE_LEADER) {
		electorate->transfers++;
		kernel->yields_to = out.transfer;
		kernel->yields_until = electorate->now + 1000;
		kernel->beat = electorate->now;
	}
	if (out.campaign)
		electorate_campaign(electorate, id);
	if (out.resign || out.transfer || out.campaign)
		look(electorate, id);
	beat(electorate, id, out.ask, ELECTION_ASK);
	beat(electorate, id, out.grant, ELECTION_GRANT);
	beat(electorate, id, out.refuse, ELECTION_REFUSE);
	if (out.tell)
		beat(electorate, id, all, ELECTION_BEAT);
	host->left = out.left;
}

static void agent_receive(struct electorate *electorate, struct host *host,
			  const struct letter *letter)
{
	/* Datagrams that wait for a stopped agent are not modelled. */
	if (host->dead || host->stopped)
		return;
	host->agents[letter->from] = electorate->now;
	election_hear(&host->election, letter->from, &letter->word,
		      electorate->now * NS);
	step(electorate, letter->to);
}

static void agent_tick(struct electorate *electorate, uint8_t id)
{
	struct host *host = &electorate->hosts[id];

	if (host->dead || host->stopped)
		return;
	if (electorate->now >= host->beat) {
		look(electorate, id);
		beat(electorate, id, ~0ULL, ELECTION_BEAT);
		host->beat = electorate->now + electorate->interval;
		step(electorate, id);
	} else if (electorate->now >= host->wake) {
		step(electorate, id);
	}
}

/* --- The world ---------------------------------------------------------- */

static void new_agent(struct electorate *electorate, uint8_t id,
		      uint8_t priority, bool enabled)
{
	struct host *host = &electorate->hosts[id];
	const struct election_settings settings = {
		.self = id,
		.priority = priority,
		.enabled = enabled,
		.sync = electorate->sync,
		.interval = electorate->interval * NS,
		.silence = electorate->interval * NS * 7 / 2,
		.timeout_max = electorate->interval * NS * CONFIG_TIMEOUT_MAX,
	};
	uint8_t peer;

	election_init(&host->election, &settings,
		      host->election.round + 1000, electorate->now * NS);
	for (peer = 1; peer <= electorate->n; peer++)
		host->agents[peer] = electorate->now;
	host->beat = electorate->now +
		     electorate_random(electorate, electorate->interval);
}

void electorate_init(struct electorate *electorate, unsigned int n,
		     unsigned int interval, uint64_t seed)
{
	uint8_t id;

	memset(electorate, 0, sizeof(*electorate));
	electorate->n = n;
	electorate->interval = interval;
	electorate->random = seed * 0x9e3779b97f4a7c15ULL + 1;
	electorate->now = 1000000;
	electorate->sync = true;
	electorate->delay = 1;
	electorate->jitter = 2;
	electorate->fsync = 10;
	for (id = 1; id <= n; id++)
		new_agent(electorate, id, CONFIG_PRIORITY_DEFAULT, true);
}

void electorate_free(struct electorate *electorate)
{
	while (electorate->letters) {
		struct letter *letter = electorate->letters;

		electorate->letters = letter->next;
		free(letter);
	}
}

void electorate_set(struct electorate *electorate, uint8_t id,
		    uint8_t priority, bool enabled)
{
	new_agent(electorate, id, priority, enabled);
}

void electorate_run(struct electorate *electorate, unsigned int ms)
{
	const uint64_t end = electorate->now + ms;
	uint8_t id;

	while (electorate->now < end) {
		electorate->now++;
		while (electorate->letters &&
		       electorate->letters->at <= electorate->now) {
			struct letter *letter = electorate->letters;
			struct host *host = &electorate->hosts[letter->to];

			electorate->letters = letter->next;
			if (letter->type == HEARTBEAT)
				agent_receive(electorate, host, letter);
			else
				kernel_receive(electorate, host, letter);
			free(letter);
		}
		for (id = 1; id <= electorate->n; id++) {
			if (runs(&electorate->hosts[id]))
				kernel_tick(electorate, id);
			agent_tick(electorate, id);
		}
	}
}

uint8_t electorate_leader(const struct electorate *electorate)
{
	uint8_t id, peer;

	for (id = 1; id <= electorate->n; id++) {
		const struct kernel *kernel = &electorate->hosts[id].kernel;
		unsigned int n = 0;

		if (!runs(&electorate->hosts[id]) || !kernel->quorum ||
		    kernel->phase != PAXOS_NL_PHASE_LEADER)
			continue;
		for (peer = 1; peer <= electorate->n; peer++)
			if (runs(&electorate->hosts[peer]) &&
			    !electorate->hosts[peer].learner &&
			    electorate->hosts[peer].kernel.leader == id &&
			    electorate->hosts[peer].kernel.ballot ==
				    kernel->ballot)
				n++;
		if (n >= majority(electorate))
			return id;
	}
	return 0;
}

unsigned int electorate_await(struct electorate *electorate, unsigned int ms)
{
	unsigned int spent;

	for (spent = 0; spent < ms; spent++) {
		if (electorate_leader(electorate))
			return spent;
		electorate_run(electorate, 1);
	}
	return UINT_MAX;
}

void electorate_clear(struct electorate *electorate)
{
	electorate->campaigns = 0;
	electorate->changes = 0;
	electorate->resigned = 0;
	electorate->transfers = 0;
}

void electorate_cut(struct electorate *electorate, uint8_t a, uint8_t b)
{
	electorate->cut[a][b] = true;
	electorate->cut[b][a] = true;
}

void electorate_heal(struct electorate *electorate)
{
	memset(electorate->cut, 0, sizeof(electorate->cut));
}

void electorate_kill(struct electorate *electorate, uint8_t id)
{
	electorate->hosts[id].dead = true;
}

void electorate_start(struct electorate *electorate, uint8_t id)
{
	struct host *host = &electorate->hosts[id];
	const uint64_t promised = host->kernel.promised;
	const uint64_t commit = host->kernel.commit;

	memset(&host->kernel, 0, sizeof(host->kernel));
	host->kernel.promised = promised;
	host->kernel.commit = commit;
	host->dead = false;
	host->stopped = false;
	host->stalled = false;
	new_agent(electorate, id, host->election.settings.priority,
		  host->election.settings.enabled);
}
