// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "agent.h"

_Static_assert(sizeof(((struct control_snapshot *)NULL)->error) ==
	       SNAPSHOT_ERROR_SIZE, "copied");

#define CLIENT_NS	1000000000ULL	/* that a client may take */

int control_open(struct control *control, uint32_t group)
{
	struct sockaddr_un address;
	const socklen_t size = control_address(&address, group,
					       CONTROL_AGENT);

	control->client = -1;
	control->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC |
				   SOCK_NONBLOCK, 0);
	if (control->listener < 0)
		return -1;
	if (bind(control->listener, (struct sockaddr *)&address, size) ||
	    listen(control->listener, 8)) {
		const int error = errno;

		control_close(control);
		errno = error;
		return -1;
	}
	return 0;
}

static void end_client(struct control *control)
{
	if (control->client >= 0)
		close(control->client);
	control->client = -1;
}

void control_close(struct control *control)
{
	end_client(control);
	if (control->listener >= 0)
		close(control->listener);
	control->listener = -1;
}

int control_wait(struct control *control, uint64_t now)
{
	if (control->client >= 0 && now - control->since > CLIENT_NS)
		end_client(control);
	return control->client >= 0 ? control->client : control->listener;
}

static void copy_peer(struct control_peer *to, const struct agent *agent,
		      uint8_t id, uint64_t now)
{
	const struct detector *detector = &agent->detector;
	const struct detector_peer *peer = &detector->peers[id];
	const struct heartbeat *said = &agent->said[id];
	const uint64_t since = peer->life ? peer->heard : peer->since;
	const uint32_t gaps = peer->n < CONTROL_GAPS ? peer->n : CONTROL_GAPS;
	uint32_t i;

	*to = (struct control_peer) {
		.id = id,
		.suspected = detector_suspects(detector, id, now),
		.heard = !!peer->life,
		.timeout = detector_timeout(detector, id),
		.n = peer->n,
		.silence = now > since ? now - since : 0,
		.arrivals = peer->arrivals,
		.mistakes = peer->mistakes,
		.failures = peer->failures,
		.late = peer->late,
		.phi = detector_phi(detector, id, now),
		.threshold = peer->threshold,
		.mean = peer->mean,
		.deviation = peer->deviation,
		.applied = said->applied,
		.epoch = said->epoch,
		.agent_late = said->late,
	};
	for (i = 0; i < gaps; i++)
		to->gaps[i] = peer->gaps[(peer->next + DETECTOR_WINDOW - gaps +
					  i) % DETECTOR_WINDOW];
}

static void answer(struct agent *agent, uint64_t now)
{
	static struct control_detector packet;	/* too large for a stack */
	const uint64_t members = atomic_load(&agent->members);
	const struct detector *detector = &agent->detector;
	uint8_t id;

	packet.version = CONTROL_VERSION;
	packet.n = 0;
	packet.health = detector->health;
	packet.late = detector->late;
	packet.kernel_silence = heart_kernel_silence(&agent->config) / 1000;
	packet.penalty = agent->penalty;
	packet.settings = detector->settings;
	for (id = 1; id <= PAXOS_NL_MEMBERS_MAX; id++)
		if (id != agent->config.self && members >> (id - 1) & 1)
			copy_peer(&packet.peers[packet.n++], agent, id,
				  now / 1000);
	/* Who does not take it does not get it. */
	send(agent->control.client, &packet,
	     offsetof(struct control_detector, peers) +
	     packet.n * sizeof(packet.peers[0]), MSG_DONTWAIT | MSG_NOSIGNAL);
}

bool control_trusts(int client)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	return !getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &length) &&
	       (!peer.uid || peer.uid == geteuid());
}

static void answer_snapshot(struct agent *agent, bool take)
{
	static struct control_snapshot packet;	/* too large for a stack */
	struct snapshots *snapshots = &agent->snapshots;
	const int client = agent->control.client;

	memset(&packet, 0, sizeof(packet));
	packet.version = CONTROL_VERSION;
	packet.slot = atomic_load(&snapshots->slot);
	packet.kept = atomic_load(&snapshots->kept);
	snprintf(packet.directory, sizeof(packet.directory), "%s",
		 agent->config.state_directory);
	pthread_mutex_lock(&snapshots->lock);
	if (take && agent->config.durability == PAXOS_NL_DURABILITY_MEMORY)
		snprintf(packet.error, sizeof(packet.error),
			 "Durability = memory: there are no snapshots");
	else if (take && control_trusts(client))
		snapshots->asked++;
	else
		packet.refused = take;
	packet.asked = snapshots->asked;
	packet.done = snapshots->done;
	if (!packet.error[0])
		memcpy(packet.error, snapshots->error, sizeof(packet.error));
	pthread_mutex_unlock(&snapshots->lock);
	send(client, &packet, sizeof(packet), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void control_serve(struct agent *agent, uint64_t now)
{
	struct control *control = &agent->control;
	struct control_request request;

	if (control->client < 0) {
		control->client = accept4(control->listener, NULL, NULL,
					  SOCK_CLOEXEC | SOCK_NONBLOCK);
		control->since = now;
		return;
	}
	if (recv(control->client, &request, sizeof(request), MSG_DONTWAIT) ==
		    sizeof(request) &&
	    request.version == CONTROL_VERSION) {
		if (request.what == CONTROL_DETECTOR)
			answer(agent, now);
		if (request.what == CONTROL_SNAPSHOT ||
		    request.what == CONTROL_SNAPSHOT_TAKE)
			answer_snapshot(agent,
					request.what == CONTROL_SNAPSHOT_TAKE);
	}
	end_client(control);
}
