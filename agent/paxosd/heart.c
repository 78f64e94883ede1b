// SPDX-License-Identifier: GPL-2.0
/*
 * The thread that beats: each interval a heartbeat to every other member, and
 * what the others' say, to the kernel, which shows it.
 */

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include "agent.h"
#include "group.h"
#include "say.h"

#define NS_PER_US	1000ULL
#define NS_PER_MS	1000000ULL
#define REPORT_NS	(250 * NS_PER_MS)	/* to the kernel, not more often */
#define SAY_AGAIN_NS	(60000 * NS_PER_MS)	/* the same complaint */
#define RECEIVE_MAX	256			/* datagrams in a row */

/* A complaint that may come often is made now and then, with how often. */
struct complaint {
	uint64_t last;
	uint64_t count;
};

/**
 * struct heart - the thread's own
 * @filter: whom to believe
 * @peers: what was heard, by member id; id 0: nothing yet
 * @heard: when
 * @sent: heartbeats to each
 * @next: when the next heartbeat is due
 * @late: ns that the last one came late
 * @reported: when the kernel was told
 * @news: something was heard since
 * @epoch: of the configuration that @members are of
 * @members: as the file says, then as was chosen
 */
struct heart {
	struct agent *agent;
	struct heartbeat_filter filter;
	struct group_peer peers[PAXOS_NL_MEMBERS_MAX + 1];
	uint64_t heard[PAXOS_NL_MEMBERS_MAX + 1];
	uint64_t sent[PAXOS_NL_MEMBERS_MAX + 1];
	uint64_t next;
	uint64_t late;
	uint64_t reported;
	bool news;
	uint32_t epoch;
	unsigned int n_members;
	struct config_member members[PAXOS_NL_MEMBERS_MAX];
	int timer;
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
		say_warning("cannot send heartbeats to member %u at %s: %s (%" PRIu64
			    " of them)",
			    member->id, address_name(&member->heartbeat, name),
			    strerror(errno), count);
}

static bool is_member(const struct heart *heart, uint8_t id)
{
	return heart->filter.members >> (id - 1) & 1;
}

/* What was chosen wins over the file, which only tells of other ports. */
static void follow(struct heart *heart, const struct group_state *state)
{
	const struct config *config = &heart->agent->config;
	const struct config_member *self = config_member(config, config->self);
	const int distance = address_port(&self->heartbeat) -
			     address_port(&self->address);
	const struct config_member *known;
	struct config_member *member;
	unsigned int i;

	if (!state->epoch || state->epoch == heart->epoch)
		return;
	heart->n_members = 0;
	heart->filter.members = 0;
	for (i = 0; i < state->n_members; i++) {
		/* Its address comes a moment later: see the next beat. */
		if (!state->members[i].address.any.sa_family)
			return;
		known = config_member(config, state->members[i].id);
		member = &heart->members[heart->n_members++];
		member->id = state->members[i].id;
		member->address = state->members[i].address;
		member->heartbeat = member->address;
		address_set_port(&member->heartbeat,
				 address_port(&member->address) + distance);
		if (known && address_same(&known->address, &member->address))
			member->heartbeat = known->heartbeat;
		heart->filter.members |= 1ULL << (member->id - 1);
	}
	heart->epoch = state->epoch;
}

static int beat(struct heart *heart)
{
	struct agent *agent = heart->agent;
	const struct config *config = &agent->config;
	const uint64_t since = atomic_load(&agent->writing_since);
	const uint64_t now = agent_now();
	struct heartbeat heartbeat;
	struct group_state state;
	unsigned int i;
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
	heartbeat = (struct heartbeat) {
		.from = config->self,
		.group = config->group,
		.life = agent->wal.lives,
		.incarnation = state.incarnation,
		.commit = state.commit,
		/* The kernel delivers as it commits. */
		.applied = state.commit,
		.durable = state.durable,
		.epoch = state.epoch,
		.writing = since && now > since ? (now - since) / NS_PER_MS : 0,
		.late = heart->late / NS_PER_US,
	};
	follow(heart, &state);
	/* Nobody knows a host yet that waits to be added. */
	if (!state.epoch)
		return 0;
	for (i = 0; i < heart->n_members; i++)
		if (heart->members[i].id != config->self)
			send_one(heart, &heart->members[i], &heartbeat);
	return 0;
}

static void note(struct heart *heart, const struct heartbeat *heartbeat)
{
	struct group_peer *peer = &heart->peers[heartbeat->from];

	peer->id = heartbeat->from;
	peer->commit = heartbeat->commit;
	peer->durable = heartbeat->durable;
	peer->incarnation = heartbeat->incarnation;
	heart->heard[peer->id] = agent_now();
	heart->news = true;
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
		if (reason == HEARTBEAT_FINE)
			note(heart, &heartbeat);
		else
			drop(heart, reason, &address);
	}
}

static void report(struct heart *heart)
{
	struct agent *agent = heart->agent;
	struct group_peer peers[PAXOS_NL_MEMBERS_MAX];
	const uint64_t now = agent_now();
	unsigned int id, n = 0;

	if (!heart->news || now - heart->reported < REPORT_NS)
		return;
	for (id = 1; id <= PAXOS_NL_MEMBERS_MAX; id++) {
		/* Only what is new: the kernel counts on from the old. */
		if (heart->heard[id] <= heart->reported || !is_member(heart, id))
			continue;
		peers[n] = heart->peers[id];
		peers[n++].heard = (now - heart->heard[id]) / NS_PER_MS;
	}
	heart->news = false;
	heart->reported = now;
	/* If the group is gone, the next beat notices. */
	if (n && group_peers(&agent->heart, agent->config.group, peers, n))
		heart->news = true;
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

static int prepare(struct heart *heart)
{
	const struct config *config = &heart->agent->config;
	unsigned int i;

	heart->filter.group = config->group;
	heart->filter.self = config->self;
	heart->n_members = config->n_members;
	for (i = 0; i < config->n_members; i++) {
		heart->members[i] = config->members[i];
		heart->filter.members |= 1ULL << (config->members[i].id - 1);
	}
	heartbeat_key(heart->filter.key, config->key, config->cluster);
	heart->timer = timerfd_create(CLOCK_MONOTONIC,
				      TFD_CLOEXEC | TFD_NONBLOCK);
	if (heart->timer < 0) {
		agent_fail(heart->agent, "no timer: %s", strerror(errno));
		return -1;
	}
	heart->next = agent_now();
	set_timer(heart);
	return 0;
}

static void loop(struct heart *heart)
{
	struct pollfd events[] = {
		{ .fd = heart->agent->stop, .events = POLLIN },
		{ .fd = heart->timer, .events = POLLIN },
		{ .fd = heart->agent->heart_socket, .events = POLLIN },
	};

	for (;;) {
		if (poll(events, 3, -1) < 0) {
			if (errno == EINTR)
				continue;
			agent_fail(heart->agent, "cannot wait: %s",
				   strerror(errno));
			return;
		}
		if (events[0].revents)
			return;
		if (events[1].revents && due(heart))
			return;
		if (events[2].revents)
			receive(heart);
		report(heart);
	}
}

void *heart_run(void *context)
{
	struct heart heart = { .agent = context };

	if (prepare(&heart))
		return NULL;
	loop(&heart);
	close(heart.timer);
	return NULL;
}
