// SPDX-License-Identifier: GPL-2.0
/*
 * A member that lost its memory stays mute (law 3). With AutoReplace = yes its
 * agent says so to the others until the leader's gives it another id.
 */

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include "agent.h"
#include "group.h"
#include "say.h"
#include "succession.h"
#include "supervisor.h"

#define NS_PER_MS 1000000ULL
#define RECEIVE_MAX 256		/* datagrams in a row */

static void announce(struct agent *agent, const uint8_t key[16], uint64_t count)
{
	const struct config *config = &agent->config;
	const struct config_member *member;
	struct heartbeat_wire wire;
	struct heartbeat heartbeat = {
		.from = config->self,
		.group = config->group,
		.life = agent->wal.lives,
		.count = count,
		.word.flags = HEARTBEAT_LOST,
	};
	unsigned int i;

	/* To nobody by name: they may have been replaced since the file. */
	heartbeat_encode(&wire, &heartbeat, key);
	for (i = 0; i < config->n_members; i++) {
		member = &config->members[i];
		if (member->id == config->self)
			continue;
		/* Whether it arrives is seen by what comes back. */
		if (sendto(agent->heart_socket, &wire, sizeof(wire), 0,
			   &member->heartbeat.any,
			   address_size(&member->heartbeat)) < 0)
			errno = 0;
	}
}

/* The member that the file has where @address is, if not @id; else 0. */
static uint8_t was(const struct config *config, uint8_t id,
		   const union address *address)
{
	unsigned int i;

	for (i = 0; i < config->n_members; i++)
		if (address_same(&config->members[i].heartbeat, address))
			return config->members[i].id == id ?
			       0 : config->members[i].id;
	return 0;
}

/* Did a leader give this life of this agent an id? */
static bool hear(struct agent *agent, struct heartbeat_filter *filter,
		 struct succession *succession)
{
	uint8_t bytes[sizeof(struct heartbeat_wire) + 1];
	struct heartbeat heartbeat;
	union address address;
	socklen_t size;
	unsigned int i;
	ssize_t n;

	for (i = 0; i < RECEIVE_MAX; i++) {
		memset(&address, 0, sizeof(address));
		size = sizeof(address);
		n = recvfrom(agent->heart_socket, bytes, sizeof(bytes), 0,
			     &address.any, &size);
		if (n < 0)
			return false;
		if (heartbeat_decode(filter, &heartbeat, bytes, n) !=
			    HEARTBEAT_FINE ||
		    !heartbeat.successor ||
		    heartbeat.successor > PAXOS_NL_MEMBERS_MAX ||
		    heartbeat.incarnation != agent->wal.lives)
			continue;
		*succession = (struct succession) {
			.id = heartbeat.successor,
			.leader = heartbeat.from,
			.was = was(&agent->config, heartbeat.from, &address),
		};
		return true;
	}
	return false;
}

/* False: a signal to end came. */
static bool wait_for_id(struct agent *agent, struct succession *succession)
{
	const struct config *config = &agent->config;
	struct heartbeat_filter filter = {
		.group = config->group,
		.self = config->self,
		.members = ~0ULL,
	};
	struct pollfd events[] = {
		{ .fd = agent->signals, .events = POLLIN },
		{ .fd = agent->heart_socket, .events = POLLIN },
	};
	uint64_t due = agent_now(), count = 0, now;
	struct signalfd_siginfo signal;

	heartbeat_key(filter.key, config->key, config->cluster);
	for (;;) {
		now = agent_now();
		if (now >= due) {
			announce(agent, filter.key, ++count);
			supervisor_waits("has lost its memory, and waits for the leader to give it another id");
			due = now + config->interval * NS_PER_MS;
		}
		poll(events, 2, (due - now) / NS_PER_MS + 1);
		/* There is nothing here that could be read again. */
		if (events[0].revents &&
		    read(agent->signals, &signal, sizeof(signal)) > 0 &&
		    signal.ssi_signo != SIGHUP)
			return false;
		if (hear(agent, &filter, succession))
			return true;
	}
}

static int make_state(struct agent *agent,
		      const struct succession *succession)
{
	struct config config = agent->config;
	const struct wal_identity identity = agent->wal.identity;
	struct wal_identity own = identity;
	char error[WAL_ERROR_SIZE];
	struct state state;
	struct wal wal;
	int result;

	succession_apply(&config, succession);
	own.member = succession->id;
	result = state_create(&state, config.state_directory, error,
			      sizeof(error));
	wal_init(&wal, &own, config.state_directory, state.directory);
	if (!result && !state_joined(&state))
		result = state_join(&state, error, sizeof(error));
	if (result) {
		say_error("%s", error);
	} else if (wal_create(&wal) < 0) {
		say_error("%s", wal.error);
		result = -1;
	}
	wal_close(&wal);
	state_close(&state);
	return result;
}

/*
 * Its kernel's group ends before the new id is written down: nothing is left
 * that would have to be cleaned up, wherever this is cut short.
 */
static int become(struct agent *agent, const struct succession *succession)
{
	const struct config *config = &agent->config;
	char error[WAL_ERROR_SIZE];

	if (make_state(agent, succession))
		return -1;
	if (group_del(&agent->attached, config->group)) {
		say_error("cannot end group %u in the kernel: %s",
			  config->group, agent->attached.error);
		return -1;
	}
	if (succession_write(&agent->state, succession, error, sizeof(error))) {
		say_error("%s/%s", config->state_directory, error);
		return -1;
	}
	say_notice("member %u has lost its memory and is member %u from now on",
		   config->self, succession->id);
	return 0;
}

int amnesia(struct agent *agent, char **argv)
{
	struct succession succession;

	say_notice("AutoReplace = yes: waiting for the leader's agent to replace member %u",
		   agent->config.self);
	if (!wait_for_id(agent, &succession))
		return 0;
	if (become(agent, &succession))
		return -1;
	/* All that is open closes, the kernel's socket and the locks, too. */
	execv("/proc/self/exe", argv);
	say_error("cannot begin anew: %s. Start paxosd again", strerror(errno));
	return -1;
}
