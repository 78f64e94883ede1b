// SPDX-License-Identifier: GPL-2.0
/* A connection to another member's agent. */

#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "agent.h"
#include "group.h"
#include "say.h"
#include "transfer.h"

#define TELL_NS		60000000000ULL
#define FRAME_NS	30000000000ULL	/* for all of one, however it trickles */

/* @ms pass, or the agent ends (true). */
bool transfer_stops(struct transfer *transfer, int ms)
{
	struct pollfd event = { .fd = transfer->agent->stop, .events = POLLIN };

	return poll(&event, 1, ms) > 0;
}

__attribute__((format(printf, 2, 3)))
enum end transfer_fails(struct transfer *transfer, const char *format, ...)
{
	const uint8_t id = transfer->learn.from;
	const uint64_t now = agent_now();
	char text[TRANSFER_ERROR_SIZE];
	va_list args;

	if (transfer->error) {
		va_start(args, format);
		vsnprintf(transfer->error, TRANSFER_ERROR_SIZE, format, args);
		va_end(args);
		return END_SOURCE;
	}
	transfer->failures[id]++;
	if (transfer->tells[id] && now - transfer->tells[id] < TELL_NS)
		return END_SOURCE;
	transfer->tells[id] = now;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	say_about(LOG_WARNING, SAY(.peer = id),
		  "the transfer from member %u ends: %s", id, text);
	return END_SOURCE;
}

/* The socket is ready for @events, or why not. */
static enum end await(struct transfer *transfer, short events)
{
	struct pollfd fds[] = {
		{ .fd = transfer->agent->stop, .events = POLLIN },
		{ .fd = transfer->fd, .events = events },
	};
	int n;

	if (transfer->deadline && agent_now() >= transfer->deadline)
		return transfer_fails(transfer, "it is too slow");
	do
		n = poll(fds, 2, transfer->patience);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return transfer_fails(transfer, "cannot wait: %s",
				    strerror(errno));
	if (fds[0].revents)
		return END_STOP;
	if (!n)
		return transfer_fails(transfer, "nothing comes any more");
	return END_DONE;
}

/* Where the member's agent is now, as the kernel knows it, not the file. */
static bool locate(struct transfer *transfer, union address *address)
{
	struct agent *agent = transfer->agent;
	const struct config *config = &agent->config;
	const struct config_member *self = config_member(config, config->self);
	const struct config_member *known;
	const uint8_t id = transfer->learn.from;
	struct group_state state;
	bool found = false;
	unsigned int i;

	if (group_get(transfer->learn.netlink, config->group, &state))
		return false;
	for (i = 0; i < state.n_members; i++) {
		transfer->party.members |= 1ULL << (state.members[i].id - 1);
		if (state.members[i].id != id ||
		    !state.members[i].address.any.sa_family)
			continue;
		found = true;
		*address = state.members[i].address;
		address_set_port(address, address_port(address) +
				 address_port(&self->heartbeat) -
				 address_port(&self->address));
		known = config_member(config, id);
		if (known && address_same(&known->address,
					  &state.members[i].address))
			*address = known->heartbeat;
	}
	return found;
}

enum end transfer_call(struct transfer *transfer)
{
	union address where, *address = &where;
	char name[ADDRESS_NAME_SIZE];
	socklen_t size = sizeof(int);
	int error = 0;
	enum end end;

	if (!locate(transfer, address))
		return transfer_fails(transfer, "its address is not known");
	address_name(address, name);
	transfer->fd = socket(address->any.sa_family,
			      SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (transfer->fd < 0)
		return transfer_fails(transfer, "no socket: %s", strerror(errno));
	if (!connect(transfer->fd, &address->any, address_size(address)))
		return END_DONE;
	if (errno != EINPROGRESS)
		return transfer_fails(transfer, "cannot connect to TCP %s: %s",
				    name, strerror(errno));
	end = await(transfer, POLLOUT);
	if (end)
		return end;
	if (getsockopt(transfer->fd, SOL_SOCKET, SO_ERROR, &error, &size) ||
	    error)
		return transfer_fails(transfer, "cannot connect to TCP %s: %s",
				    name, strerror(error));
	return END_DONE;
}

enum end transfer_send(struct transfer *transfer, uint8_t type,
			   uint32_t length)
{
	const uint8_t *at = transfer->buffer + FRAME_ROOM;
	size_t left = frame_seal(&transfer->asks, transfer->buffer, type,
				 length);
	enum end end;
	ssize_t n;

	while (left) {
		n = send(transfer->fd, at, left, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return transfer_fails(transfer, "cannot send: %s",
					    strerror(errno));
		if (n > 0) {
			at += n;
			left -= n;
			continue;
		}
		end = await(transfer, POLLOUT);
		if (end)
			return end;
	}
	return END_DONE;
}

enum end transfer_receive(struct transfer *transfer, struct frame *frame)
{
	size_t size = 0, wanted = frame_size(transfer->buffer, 0, FRAME_SIZE_MAX);
	const uint64_t since = agent_now();
	enum frame_fault fault;
	enum end end;
	ssize_t n;

	while (size < wanted) {
		n = recv(transfer->fd, transfer->buffer + FRAME_ROOM + size,
			 wanted - size, 0);
		if (!n)
			return transfer_fails(transfer, "it closed the connection");
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return transfer_fails(transfer, "cannot receive: %s",
					    strerror(errno));
		if (n < 0) {
			end = await(transfer, POLLIN);
			if (end)
				return end;
			continue;
		}
		size += n;
		if (agent_now() - since >= FRAME_NS)
			return transfer_fails(transfer, "it is too slow");
		wanted = frame_size(transfer->buffer, size, FRAME_SIZE_MAX);
		if (!wanted)
			return transfer_fails(transfer, "what comes is %s",
					    frame_fault_name(FRAME_LENGTH));
	}
	fault = frame_open(&transfer->answers, transfer->buffer, size, frame);
	if (fault)
		return transfer_fails(transfer, "what comes is %s",
				    frame_fault_name(fault));
	return END_DONE;
}

enum end transfer_greet(struct transfer *transfer)
{
	uint8_t *payload = frame_payload(transfer->buffer);
	uint8_t nonce[FRAME_NONCE_SIZE], other[FRAME_NONCE_SIZE], id;
	enum frame_fault fault;
	struct frame frame;
	enum end end;

	frame_begin(&transfer->asks, &transfer->answers, transfer->key);
	randombytes_buf(nonce, sizeof(nonce));
	end = transfer_send(transfer, FRAME_HELLO,
			 frame_put_hello(payload, &transfer->party,
					 transfer->learn.from, nonce, NULL));
	if (!end)
		end = transfer_receive(transfer, &frame);
	if (end)
		return end;
	fault = frame_get_hello(&frame, &transfer->party, nonce, &id, other);
	if (!fault && id != transfer->learn.from)
		fault = FRAME_MEMBER;
	if (fault)
		return transfer_fails(transfer, "its greeting is %s",
				    frame_fault_name(fault));
	frame_agree(&transfer->asks, &transfer->answers, transfer->key, nonce,
		    other);
	return END_DONE;
}

void transfer_hang_up(struct transfer *transfer)
{
	if (transfer->fd >= 0)
		close(transfer->fd);
	transfer->fd = -1;
}
