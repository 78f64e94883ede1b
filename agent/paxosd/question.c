// SPDX-License-Identifier: GPL-2.0
/*
 * The thread that asks all members' agents what their stores have of a key, one
 * after the other, for `paxosctl kv get --quorum`.
 */

#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include "agent.h"
#include "group.h"
#include "say.h"
#include "transfer.h"

#define PATIENCE_MS	1000	/* without a byte of a member */
#define DEADLINE_NS	3000000000ULL	/* for each */
#define CLIENT_S	1	/* for the question, or to take an answer */
#define BEGINS_NS	1500000000ULL	/* until a store has its first slot */
#define BEGINS_MS	50	/* until it is asked again */

/* -1: nobody can ask, which is no reason to end. */
static int open_socket(uint32_t group)
{
	struct sockaddr_un address;
	const socklen_t size = control_address(&address, group, CONTROL_KEYS);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
			0);

	if (fd >= 0 && !bind(fd, (struct sockaddr *)&address, size) &&
	    !listen(fd, 8))
		return fd;
	say_warning("paxosctl cannot ask who holds what of a key: %s",
		    strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* END_DONE: @held is what learn.from answered. */
static enum end ask_member(struct transfer *transfer,
			   const struct control_question *question,
			   struct held *held)
{
	struct frame frame;
	enum frame_fault fault;
	enum end end;

	end = transfer_call(transfer);
	if (!end)
		end = transfer_greet(transfer);
	if (end)
		return end;
	memcpy(frame_payload(transfer->buffer), question->key,
	       question->length);
	end = transfer_send(transfer, FRAME_KEY, question->length);
	if (!end)
		end = transfer_receive(transfer, &frame);
	if (end)
		return end;
	fault = frame.type == FRAME_HELD ? frame_get_held(&frame, held) :
					   FRAME_TYPE;
	return fault ? transfer_fails(transfer, "what comes is %s",
				      frame_fault_name(fault)) : END_DONE;
}

/* A store is held from the first question on, and needs a moment to catch up. */
static bool is_beginning(const struct held *held)
{
	return !held->error && !held->applied;
}

/* False: the agent ends, or the client is gone. */
static bool answer(struct transfer *transfer, int client,
		   const struct control_question *question,
		   struct control_held *packet)
{
	const uint64_t begins = agent_now() + BEGINS_NS;
	enum end end = END_DONE;

	memset(packet->error, 0, sizeof(packet->error));
	transfer->error = packet->error;
	transfer->deadline = agent_now() + DEADLINE_NS;
	transfer->learn.from = packet->member;
	do {
		memset(&packet->held, 0, sizeof(packet->held));
		if (packet->member == transfer->party.self) {
			held_get(transfer->party.group, question->key,
				 question->length, &packet->held);
		} else {
			end = ask_member(transfer, question, &packet->held);
			transfer_hang_up(transfer);
		}
	} while (!end && is_beginning(&packet->held) && agent_now() < begins &&
		 !transfer_stops(transfer, BEGINS_MS));
	return end != END_STOP &&
	       send(client, packet, sizeof(*packet), MSG_NOSIGNAL) ==
		       sizeof(*packet);
}

static void serve_client(struct transfer *transfer, int client)
{
	static struct control_held packet;	/* too large for a stack */
	const struct timeval patience = { .tv_sec = CLIENT_S };
	struct control_question question;
	struct group_state state;
	unsigned int i;

	if (setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)) ||
	    setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &patience,
		       sizeof(patience)) ||
	    recv(client, &question, sizeof(question), 0) != sizeof(question) ||
	    question.version != CONTROL_VERSION || !question.length ||
	    question.length > sizeof(question.key) || !control_trusts(client) ||
	    group_get(transfer->learn.netlink, transfer->party.group, &state))
		return;
	packet.version = CONTROL_VERSION;
	packet.of = state.n_members;
	for (i = 0; i < state.n_members; i++) {
		packet.member = state.members[i].id;
		packet.voter = state.voters >> (packet.member - 1) & 1;
		if (!answer(transfer, client, &question, &packet))
			return;
	}
}

static void loop(struct transfer *transfer)
{
	struct agent *agent = transfer->agent;
	struct pollfd events[] = {
		{ .fd = agent->stop, .events = POLLIN },
		{ .fd = open_socket(agent->config.group), .events = POLLIN },
	};
	int client;

	for (;;) {
		if (poll(events, 2, -1) < 0 && errno != EINTR) {
			agent_fail(agent, "cannot wait: %s", strerror(errno));
			break;
		}
		if (events[0].revents)
			break;
		client = accept4(events[1].fd, NULL, NULL, SOCK_CLOEXEC);
		if (client < 0)
			continue;
		serve_client(transfer, client);
		close(client);
	}
	if (events[1].fd >= 0)
		close(events[1].fd);
}

void *question_run(void *context)
{
	struct agent *agent = context;
	const struct config *config = &agent->config;
	struct netlink netlink = { 0 };
	struct transfer transfer = {
		.agent = agent,
		.party = { .group = config->group, .self = config->self },
		.learn = { .netlink = &netlink, .group = config->group },
		.fd = -1,
		.patience = PATIENCE_MS,
		.buffer = malloc(FRAME_ROOM + FRAME_SIZE_MAX),
	};

	frame_key(transfer.key, config->key, config->cluster);
	agent_lower_priority("question");
	if (!transfer.buffer)
		agent_fail(agent, "out of memory");
	else if (netlink_open(&netlink))
		agent_fail(agent, "%s", netlink.error);
	else
		loop(&transfer);
	netlink_close(&netlink);
	free(transfer.buffer);
	sodium_memzero(transfer.key, sizeof(transfer.key));
	return NULL;
}
