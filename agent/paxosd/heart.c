// SPDX-License-Identifier: GPL-2.0
/*
 * The thread that beats: each interval a heartbeat to every other member. What
 * the others' say, and who is suspected for want of them, goes to the kernel,
 * which shows it.
 */

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include "agent.h"
#include "candidacy.h"
#include "group.h"
#include "replace.h"
#include "roster.h"
#include "say.h"
#include "supervisor.h"

#define NS_PER_US	1000ULL
#define NS_PER_MS	1000000ULL
#define REPORT_NS	(250 * NS_PER_MS)	/* to the kernel, not more often */
#define SAY_AGAIN_NS	(60000 * NS_PER_MS)	/* the same complaint */
#define KERNEL_SILENCE	(250 * NS_PER_MS)	/* of one that leads */
#define SHORT_INTERVAL	50			/* ms */
#define RECEIVE_MAX	256			/* datagrams in a row */

/* A complaint that may come often is made now and then, with how often. */
struct complaint {
	uint64_t last;
	uint64_t count;
};

/**
 * struct heart - the thread's own
 * @filter: whom to believe
 * @heard: when each was heard last
 * @sent: heartbeats to each
 * @next: when the next heartbeat is due
 * @late: ns that the last one came late
 * @reported: when the kernel was told
 * @news: something was heard since
 * @turned: of these members, by 1 << (id - 1), it is not told yet that the
 *          suspicion began or ended
 * @suspected: who is, alike
 * @candidacy: this member's part in elections
 * @replace: its part in what becomes of hosts that lost their memory
 * @roster: who the members are
 */
struct heart {
	struct agent *agent;
	struct heartbeat_filter filter;
	uint64_t heard[PAXOS_NL_MEMBERS_MAX + 1];
	uint64_t sent[PAXOS_NL_MEMBERS_MAX + 1];
	uint64_t next;
	uint64_t late;
	uint64_t reported;
	bool news;
	uint64_t turned;
	uint64_t suspected;
	struct roster roster;
	int timer;
	struct candidacy candidacy;
	struct replace replace;
	struct complaint drops[HEARTBEAT_DROPS];
	struct complaint unsent[PAXOS_NL_MEMBERS_MAX + 1];
};

int heart_open(struct agent *agent)
{
	const struct config_member *self = config_member(&agent->config,
							 agent->config.self);
	char name[ADDRESS_NAME_SIZE];

	agent->heart_socket = socket(self->heartbeat.any.sa_family,
				     SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
				     0);
	if (agent->heart_socket < 0 ||
	    bind(agent->heart_socket, &self->heartbeat.any,
		 address_size(&self->heartbeat))) {
		say_error("cannot take %s for heartbeats: %s",
			  address_name(&self->heartbeat, name),
			  strerror(errno));
		return -1;
	}
	/* A name taken by another is no reason to stay mute. */
	if (control_open(&agent->control, agent->config.group))
		say_warning("paxosctl cannot ask this agent: %s",
			    strerror(errno));
	return 0;
}

static bool complain(struct complaint *complaint, uint64_t *count)
{
	const uint64_t now = agent_now();

	complaint->count++;
	if (complaint->last && now - complaint->last < SAY_AGAIN_NS)
		return false;
	*count = complaint->count;
	complaint->last = now;
	complaint->count = 0;
	return true;
}

static void send_one(struct heart *heart, const struct config_member *member,
		     struct heartbeat *heartbeat)
{
	struct heartbeat_wire wire;
	char name[ADDRESS_NAME_SIZE];
	uint64_t count;

	heartbeat->to = member->id;
	heartbeat->count = ++heart->sent[member->id];
	heartbeat_encode(&wire, heartbeat, heart->filter.key);
	if (sendto(heart->agent->heart_socket, &wire, sizeof(wire), 0,
		   &member->heartbeat.any,
		   address_size(&member->heartbeat)) >= 0)
		return;
	/* The answer of a host without an agent is no fault of this one. */
	if (errno == ECONNREFUSED || errno == EAGAIN || errno == EINTR)
		return;
	if (complain(&heart->unsent[member->id], &count))
		say_about(LOG_WARNING, SAY(.peer = member->id),
			  "cannot send heartbeats to member %u at %s: %s (%" PRIu64
			  " of them)",
			  member->id, address_name(&member->heartbeat, name),
			  strerror(errno), count);
}

/* A heartbeat of @kind to the members of @set. */
static void tell(struct heart *heart, uint64_t set, uint8_t kind)
{
	struct agent *agent = heart->agent;
	const struct config *config = &agent->config;
	const struct group_state *state = &heart->candidacy.state;
	const uint64_t since = atomic_load(&agent->writing_since);
	const uint64_t now = agent_now();
	struct heartbeat heartbeat = {
		.from = config->self,
		.group = config->group,
		.life = agent->wal.lives,
		.incarnation = state->incarnation,
		.commit = state->commit,
		.applied = state->applied,
		.durable = state->durable,
		.stored = wal_index_chosen(&agent->index),
		.epoch = state->epoch,
		.writing = since && now > since ? (now - since) / NS_PER_MS : 0,
		.late = heart->late / NS_PER_US,
	};
	unsigned int i;

	/* Nobody knows a host yet that waits to be added. */
	if (!state->epoch)
		return;
	for (i = 0; i < heart->roster.n; i++) {
		const struct config_member *member = &heart->roster.members[i];

		if (member->id == config->self ||
		    !(set & 1ULL << (member->id - 1)))
			continue;
		heartbeat.to = member->id;
		candidacy_fill(&heart->candidacy, kind, &heartbeat);
		if (agent->wants &&
		    !(state->voters & 1ULL << (config->self - 1)))
			heartbeat.word.flags |= HEARTBEAT_WANTS;
		send_one(heart, member, &heartbeat);
	}
}

static bool is_member(const struct heart *heart, uint8_t id)
{
	return heart->filter.members >> (id - 1) & 1;
}

/* Whoever takes part now is to be heard. */
static void follow(struct heart *heart, const struct group_state *state)
{
	struct agent *agent = heart->agent;
	const uint64_t was = heart->filter.members;
	uint8_t id;

	if (!roster_follow(&heart->roster, &agent->config, state))
		return;
	heart->filter.members = heart->roster.set;
	for (id = 1; id <= PAXOS_NL_MEMBERS_MAX; id++)
		if (is_member(heart, id) && !(was >> (id - 1) & 1))
			detector_admit(&agent->detector, id,
				       agent_now() / NS_PER_US);
	atomic_store(&agent->members, heart->roster.set);
}

static int beat(struct heart *heart)
{
	struct agent *agent = heart->agent;
	const struct config *config = &agent->config;
	struct group_state state;
	int error;

	error = group_get(&agent->heart, config->group, &state);
	if (error == -ENOBUFS || error == -ENOMEM)
		return 0;	/* this beat is missed, as if lost on the way */
	if (error) {
		agent_fail(agent,
			   "group %u is gone from the kernel (%s): the agent ends",
			   config->group, agent->heart.error);
		return error;
	}
	candidacy_look(&heart->candidacy, &state);
	follow(heart, &state);
	tell(heart, ~0ULL, ELECTION_BEAT);
	return 0;
}

/*
 * Kernels that lead are heard ten times a second. With intervals far below that
 * there is no time to wait for them: an agent that is silent is all one knows.
 */
uint64_t heart_kernel_silence(const struct config *config)
{
	return config->interval < SHORT_INTERVAL ? 0 : KERNEL_SILENCE;
}

/* Who is silent: agents, and hosts of which the kernel is not heard either. */
static void suspect(const struct heart *heart, uint64_t now, uint64_t *agents,
		    uint64_t *hosts, uint64_t *next)
{
	const struct config *config = &heart->agent->config;
	const uint64_t kernels = heart_kernel_silence(config);
	const uint64_t looked = heart->candidacy.looked;
	unsigned int i;

	*agents = 0;
	*hosts = 0;
	*next = UINT64_MAX;
	for (i = 0; i < heart->roster.n; i++) {
		const uint8_t id = heart->roster.members[i].id;
		const uint32_t kernel = heart->candidacy.state.heard[id];
		uint64_t until = NS_PER_US *
			detector_deadline(&heart->agent->detector, id);

		if (id == config->self)
			continue;
		if (now >= until) {
			*agents |= 1ULL << (id - 1);
			until = kernel == UINT32_MAX ? 0 :
				looked - kernel * NS_PER_MS + kernels;
		}
		if (now >= until)
			*hosts |= 1ULL << (id - 1);
		else if (until < *next)
			*next = until;
	}
}

/* @id has lost its memory, says its agent at @address. */
static void hear_lost(struct heart *heart, const struct heartbeat *heartbeat,
		      const union address *address)
{
	union address place = *address;

	address_set_port(&place, address_port(address) -
				 roster_distance(&heart->agent->config));
	replacement_hear(&heart->replace.replacement, heartbeat->from,
			 heartbeat->life, &place, agent_now());
}

/* What is to be done for a host that has lost its memory. */
static void replace(struct heart *heart)
{
	const struct config *config = &heart->agent->config;
	const struct replacement *lost = &heart->replace.replacement;
	struct config_member host = { .id = lost->lost };
	struct heartbeat heartbeat = {
		.from = config->self,
		.to = lost->lost,
		.group = config->group,
		.life = heart->agent->wal.lives,
		.incarnation = lost->life,
	};

	heartbeat.successor = replace_step(&heart->replace,
					   &heart->candidacy.state);
	if (!heartbeat.successor)
		return;
	host.heartbeat = lost->place;
	address_set_port(&host.heartbeat,
			 address_port(&lost->place) + roster_distance(config));
	send_one(heart, &host, &heartbeat);
	replacement_tried(&heart->replace.replacement,
			  (struct replacement_step) {
				  .act = REPLACEMENT_TELL,
			  }, 0, agent_now());
}

static void elect(struct heart *heart)
{
	uint64_t agents, hosts, next;
	struct election_out out;

	candidacy_refresh(&heart->candidacy);
	suspect(heart, agent_now(), &agents, &hosts, &next);
	candidacy_step(&heart->candidacy, agents, hosts, next, &out);
	tell(heart, out.ask, ELECTION_ASK);
	tell(heart, out.grant, ELECTION_GRANT);
	tell(heart, out.refuse, ELECTION_REFUSE);
	if (out.tell || out.left)
		tell(heart, ~0ULL, ELECTION_BEAT);
}

static void note(struct heart *heart, const struct heartbeat *heartbeat)
{
	struct agent *agent = heart->agent;
	const uint8_t id = heartbeat->from;

	agent->said[id] = *heartbeat;
	heart->heard[id] = agent_now();
	atomic_store(&agent->stored[id], heartbeat->stored + 1);
	/* The others come out of turn, and would look like jitter. */
	if (heartbeat->word.kind == ELECTION_BEAT)
		detector_heard(&agent->detector, id, heartbeat->life,
			       heart->heard[id] / NS_PER_US);
	heart->news = true;
	if (heartbeat->word.flags & HEARTBEAT_WANTS)
		replacement_wants(&heart->replace.replacement, id,
				  heart->heard[id]);
	candidacy_hear(&heart->candidacy, heartbeat);
}

static void drop(struct heart *heart, enum heartbeat_drop reason,
		 const union address *address)
{
	char name[ADDRESS_NAME_SIZE];
	uint64_t count;

	/* Networks repeat and reorder. */
	if (reason == HEARTBEAT_REPLAY)
		return;
	if (complain(&heart->drops[reason], &count))
		say_warning("a datagram from %s is no heartbeat for this member: %s (%" PRIu64
			    " of these)",
			    address_name(address, name),
			    heartbeat_drop_name(reason), count);
}

static void receive(struct heart *heart)
{
	uint8_t bytes[sizeof(struct heartbeat_wire) + 1];
	struct heartbeat heartbeat;
	enum heartbeat_drop reason;
	union address address;
	socklen_t size;
	unsigned int i;
	ssize_t n;

	for (i = 0; i < RECEIVE_MAX; i++) {
		size = sizeof(address);
		memset(&address, 0, sizeof(address));
		n = recvfrom(heart->agent->heart_socket, bytes, sizeof(bytes),
			     0, &address.any, &size);
		if (n < 0)
			return;
		reason = heartbeat_decode(&heart->filter, &heartbeat, bytes, n);
		if (reason == HEARTBEAT_FINE &&
		    heartbeat.word.flags & HEARTBEAT_LOST)
			hear_lost(heart, &heartbeat, &address);
		else if (reason == HEARTBEAT_FINE)
			note(heart, &heartbeat);
		else
			drop(heart, reason, &address);
	}
}

static void report(struct heart *heart)
{
	struct agent *agent = heart->agent;
	struct group_peer peers[PAXOS_NL_MEMBERS_MAX];
	const struct heartbeat *said;
	const uint64_t now = agent_now();
	unsigned int id, n = 0;

	if (!heart->turned &&
	    (!heart->news || now - heart->reported < REPORT_NS))
		return;
	for (id = 1; id <= PAXOS_NL_MEMBERS_MAX; id++) {
		/* Only what is new: the kernel counts on from the old. */
		if ((heart->heard[id] <= heart->reported &&
		     !(heart->turned & 1ULL << (id - 1))) ||
		    !is_member(heart, id))
			continue;
		said = &agent->said[id];
		peers[n++] = (struct group_peer) {
			.id = id,
			.suspected = heart->suspected & 1ULL << (id - 1),
			.known = said->from,
			.heard = (now - heart->heard[id]) / NS_PER_MS,
			.commit = said->commit,
			.durable = said->durable,
			.incarnation = said->incarnation,
			.checksum = said->checksum,
			.mark = said->mark,
		};
	}
	/* All of it once more; if the group is gone, the next beat notices. */
	if (n && group_peers(&agent->heart, agent->config.group, peers, n))
		return;
	heart->news = false;
	heart->turned = 0;
	heart->reported = now;
}

static void tell_suspicion(const struct heart *heart, uint8_t id, uint64_t now)
{
	const struct detector *detector = &heart->agent->detector;
	const struct detector_peer *peer = &detector->peers[id];

	if (!(heart->suspected & 1ULL << (id - 1)))
		say_about(LOG_NOTICE,
			  SAY(.event = SAY_HEARD_AGAIN, .peer = id),
			  "member %u: its agent is heard again", id);
	else if (heart->heard[id])
		say_about(LOG_NOTICE,
			  SAY(.event = SAY_SUSPECTED, .peer = id),
			  "member %u: its agent is suspected to have failed: silent for %" PRIu64
			  " ms, phi %.1f of %.1f",
			  id, (now - peer->heard) / 1000,
			  detector_phi(detector, id, now), peer->threshold);
	else
		say_about(LOG_NOTICE,
			  SAY(.event = SAY_SUSPECTED, .peer = id),
			  "member %u: its agent was not heard so far", id);
}

/* Has a suspicion begun or ended? Returns us until the next one may begin. */
static uint64_t watch(struct heart *heart)
{
	const struct config *config = &heart->agent->config;
	const struct detector *detector = &heart->agent->detector;
	const uint64_t now = agent_now() / NS_PER_US;
	uint64_t next = UINT64_MAX, deadline, bit;
	unsigned int i;
	uint8_t id;

	for (i = 0; i < heart->roster.n; i++) {
		id = heart->roster.members[i].id;
		if (id == config->self)
			continue;
		bit = 1ULL << (id - 1);
		deadline = detector_deadline(detector, id);
		if (deadline > now && deadline - now < next)
			next = deadline - now;
		if ((deadline <= now) == !!(heart->suspected & bit))
			continue;
		heart->suspected ^= bit;
		heart->turned |= bit;
		tell_suspicion(heart, id, now);
	}
	return next;
}

static void set_timer(struct heart *heart)
{
	const struct itimerspec when = {
		.it_value.tv_sec = heart->next / 1000000000,
		.it_value.tv_nsec = heart->next % 1000000000,
	};

	timerfd_settime(heart->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

/* The timer has run out. */
static int due(struct heart *heart)
{
	const uint64_t interval = heart->agent->config.interval * NS_PER_MS;
	const uint64_t now = agent_now();
	uint64_t times;

	if (read(heart->timer, &times, sizeof(times)) < 0)
		return 0;
	heart->late = now > heart->next ? now - heart->next : 0;
	heart->next += interval;
	if (heart->next <= now)
		heart->next = now + interval;
	set_timer(heart);
	return beat(heart);
}

static struct detector_settings settings_of(const struct config *config)
{
	return (struct detector_settings){
		.interval = config->interval * 1000,
		.timeout_min = config->timeout_min * 1000,
		.timeout_max = config->timeout_max * 1000,
		.threshold = config->threshold,
		.adaptive = config->adaptive,
	};
}

static int prepare(struct heart *heart)
{
	const struct config *config = &heart->agent->config;
	const struct detector_settings settings = settings_of(config);

	heart->filter.group = config->group;
	heart->filter.self = config->self;
	roster_open(&heart->roster, config);
	heart->filter.members = heart->roster.set;
	heartbeat_key(heart->filter.key, config->key, config->cluster);
	heart->timer = timerfd_create(CLOCK_MONOTONIC,
				      TFD_CLOEXEC | TFD_NONBLOCK);
	if (heart->timer < 0) {
		agent_fail(heart->agent, "no timer: %s", strerror(errno));
		return -1;
	}
	if (candidacy_open(&heart->candidacy, heart->agent) ||
	    replace_open(&heart->replace, heart->agent))
		return -1;
	heart->next = agent_now();
	detector_init(&heart->agent->detector, &settings,
		      heart->next / NS_PER_US);
	set_timer(heart);
	return 0;
}

/* What main read again; from the next beat on, which is now. */
static void reload(struct heart *heart)
{
	struct agent *agent = heart->agent;
	const uint64_t one = 1;
	struct detector_settings settings;
	uint64_t count;

	if (read(agent->reload, &count, sizeof(count)) < 0)
		return;
	config_take(&agent->config, &agent->fresh);
	atomic_store(&agent->transfer_rate, agent->config.transfer_rate);
	agent_take_snapshots(agent);
	settings = settings_of(&agent->config);
	detector_configure(&agent->detector, &settings);
	candidacy_configure(&heart->candidacy);
	heart->next = agent_now();
	set_timer(heart);
	if (write(agent->reloaded, &one, sizeof(one)) < 0)
		abort();
}

static void loop(struct heart *heart)
{
	struct pollfd events[] = {
		{ .fd = heart->agent->stop, .events = POLLIN },
		{ .fd = heart->timer, .events = POLLIN },
		{ .fd = heart->agent->heart_socket, .events = POLLIN },
		{ .fd = heart->candidacy.timer, .events = POLLIN },
		{ .fd = heart->agent->leave, .events = POLLIN },
		{ .events = POLLIN },	/* struct control's */
		{ .events = POLLIN },	/* struct replace's */
		{ .fd = heart->agent->reload, .events = POLLIN },
	};
	struct supervisor supervisor = { 0 };
	uint64_t wait, sign;
	int ms;

	supervisor_watch(&supervisor, agent_now());
	for (;;) {
		wait = watch(heart);
		sign = supervisor_beat(&supervisor, agent_now()) / NS_PER_US;
		/* Rounded up, or the last millisecond would be spent spinning. */
		wait = (wait < sign ? wait : sign) / 1000 + 1;
		ms = wait < INT_MAX ? (int)wait : -1;
		report(heart);
		events[5].fd = control_wait(&heart->agent->control, agent_now());
		events[6].fd = replace_fd(&heart->replace);
		if (poll(events, 8, ms) < 0) {
			if (errno == EINTR)
				continue;
			agent_fail(heart->agent, "cannot wait: %s",
				   strerror(errno));
			return;
		}
		if (events[0].revents)
			return;
		detector_awake(&heart->agent->detector, heart->next / NS_PER_US,
			       agent_now() / NS_PER_US);
		if (events[1].revents && due(heart))
			return;
		if (events[2].revents)
			receive(heart);
		if (events[4].revents) {
			candidacy_leave(&heart->candidacy);
			events[4].fd = -1;
		}
		if (events[5].revents)
			control_serve(heart->agent, agent_now());
		if (events[6].revents)
			replace_answer(&heart->replace);
		if (events[7].revents)
			reload(heart);
		elect(heart);
		replace(heart);
	}
}

void *heart_run(void *context)
{
	struct heart heart = { .agent = context };

	if (prepare(&heart))
		return NULL;
	loop(&heart);
	replace_close(&heart.replace);
	candidacy_close(&heart.candidacy);
	close(heart.timer);
	return NULL;
}
