// SPDX-License-Identifier: GPL-2.0
/*
 * The thread that brings this member up to date when it is behind by more than
 * the others' kernels hold: it asks another agent for its log, from the slot
 * behind commit on, and gives that to the kernel, which records and delivers it
 * as it does what it learns by itself. Whatever ends a transfer, the next one
 * goes on where the kernel is.
 */

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "agent.h"
#include "frame.h"
#include "group.h"
#include "learn.h"
#include "say.h"

#define NS_PER_S	1000000000ULL
#define LOOK_MS		1000	/* is this member behind? */
#define PATIENCE_MS	10000	/* for a connection, or for bytes */
#define PATIENT_LOOKS	5	/* before one gives up */
#define ROOM_MS		20	/* until the kernel has room again */
#define TELL_NS		(60 * NS_PER_S)

/* Why a transfer ends, beside a stop. */
enum end {
	END_DONE,
	END_STOP,	/* the agent ends */
	END_SOURCE,	/* the other one: try another */
	END_KERNEL,	/* this kernel: look again later */
	END_TRIMMED,	/* its log does not reach back so far */
};

/**
 * struct transfer - the thread's own
 * @failures: of each member since it last brought something
 * @tells: when a transfer from each was last complained about
 * @first: slot that each one's log begins with, as it said when it was asked
 *         for one below; 0: it was not, or long ago
 * @trimmed: when that was said last
 * @stuck: times in a row that nobody was left to ask
 * @told: when that was last complained about
 * @values: taken in this transfer
 * @buffer: of one frame, either way
 */
struct transfer {
	struct agent *agent;
	struct frame_party party;
	uint8_t key[FRAME_KEY_SIZE];
	unsigned int failures[PAXOS_NL_MEMBERS_MAX + 1];
	uint64_t tells[PAXOS_NL_MEMBERS_MAX + 1];
	uint64_t first[PAXOS_NL_MEMBERS_MAX + 1];
	uint64_t trimmed;
	unsigned int stuck;
	uint64_t told;
	struct learn learn;
	struct frame_way asks;
	struct frame_way answers;
	int fd;
	uint64_t values;
	uint8_t *buffer;
};

/* @ms pass, or the agent ends (true). */
static bool stops(struct transfer *transfer, int ms)
{
	struct pollfd event = { .fd = transfer->agent->stop, .events = POLLIN };

	return poll(&event, 1, ms) > 0;
}

__attribute__((format(printf, 2, 3)))
static enum end source_fails(struct transfer *transfer, const char *format, ...)
{
	const uint8_t id = transfer->learn.from;
	const uint64_t now = agent_now();
	char text[256];
	va_list args;

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

	do
		n = poll(fds, 2, PATIENCE_MS);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return source_fails(transfer, "cannot wait: %s",
				    strerror(errno));
	if (fds[0].revents)
		return END_STOP;
	if (!n)
		return source_fails(transfer, "nothing comes any more");
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

	if (group_get(&agent->learn, config->group, &state))
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

static enum end call(struct transfer *transfer)
{
	union address where, *address = &where;
	char name[ADDRESS_NAME_SIZE];
	socklen_t size = sizeof(int);
	int error = 0;
	enum end end;

	if (!locate(transfer, address))
		return source_fails(transfer, "its address is not known");
	address_name(address, name);
	transfer->fd = socket(address->any.sa_family,
			      SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (transfer->fd < 0)
		return source_fails(transfer, "no socket: %s", strerror(errno));
	if (!connect(transfer->fd, &address->any, address_size(address)))
		return END_DONE;
	if (errno != EINPROGRESS)
		return source_fails(transfer, "cannot connect to TCP %s: %s",
				    name, strerror(errno));
	end = await(transfer, POLLOUT);
	if (end)
		return end;
	if (getsockopt(transfer->fd, SOL_SOCKET, SO_ERROR, &error, &size) ||
	    error)
		return source_fails(transfer, "cannot connect to TCP %s: %s",
				    name, strerror(error));
	return END_DONE;
}

static enum end send_frame(struct transfer *transfer, uint8_t type,
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
			return source_fails(transfer, "cannot send: %s",
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

static enum end receive_frame(struct transfer *transfer, struct frame *frame)
{
	size_t size = 0, wanted = frame_size(transfer->buffer, 0, FRAME_SIZE_MAX);
	enum frame_fault fault;
	enum end end;
	ssize_t n;

	while (size < wanted) {
		n = recv(transfer->fd, transfer->buffer + FRAME_ROOM + size,
			 wanted - size, 0);
		if (!n)
			return source_fails(transfer, "it closed the connection");
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return source_fails(transfer, "cannot receive: %s",
					    strerror(errno));
		if (n < 0) {
			end = await(transfer, POLLIN);
			if (end)
				return end;
			continue;
		}
		size += n;
		wanted = frame_size(transfer->buffer, size, FRAME_SIZE_MAX);
		if (!wanted)
			return source_fails(transfer, "what comes is %s",
					    frame_fault_name(FRAME_LENGTH));
	}
	fault = frame_open(&transfer->answers, transfer->buffer, size, frame);
	if (fault)
		return source_fails(transfer, "what comes is %s",
				    frame_fault_name(fault));
	return END_DONE;
}

static enum end greet(struct transfer *transfer)
{
	uint8_t *payload = frame_payload(transfer->buffer);
	uint8_t nonce[FRAME_NONCE_SIZE], other[FRAME_NONCE_SIZE], id;
	enum frame_fault fault;
	struct frame frame;
	enum end end;

	frame_begin(&transfer->asks, &transfer->answers, transfer->key);
	randombytes_buf(nonce, sizeof(nonce));
	end = send_frame(transfer, FRAME_HELLO,
			 frame_put_hello(payload, &transfer->party,
					 transfer->learn.from, nonce, NULL));
	if (!end)
		end = receive_frame(transfer, &frame);
	if (end)
		return end;
	fault = frame_get_hello(&frame, &transfer->party, nonce, &id, other);
	if (!fault && id != transfer->learn.from)
		fault = FRAME_MEMBER;
	if (fault)
		return source_fails(transfer, "its greeting is %s",
				    frame_fault_name(fault));
	frame_agree(&transfer->asks, &transfer->answers, transfer->key, nonce,
		    other);
	return END_DONE;
}

/* To the kernel, as often as it takes. */
static enum end hand_over(struct transfer *transfer)
{
	struct netlink *netlink = transfer->learn.netlink;
	int error;

	for (;;) {
		error = learn_send(&transfer->learn);
		if (!error)
			return END_DONE;
		if (error == -EEXIST) {
			say_about(LOG_ERR,
				  SAY(.event = SAY_LOG_DAMAGED,
				      .peer = transfer->learn.from),
				  "the log of member %u contradicts this one: %s. One of the two is wrong, and what both have must not be trusted: compare the logs of all members",
				  transfer->learn.from, netlink->error);
			return source_fails(transfer, "it contradicts");
		}
		if (error == -ERANGE || error == -EINVAL)
			return source_fails(transfer, "%s", netlink->error);
		if (error != -EAGAIN && error != -ENOMEM && error != -ENOBUFS)
			return END_KERNEL;
		if (stops(transfer, ROOM_MS))
			return END_STOP;
	}
}

struct handing {
	struct transfer *transfer;
	enum end end;
};

static int hand_one(void *context, const struct record *record)
{
	struct handing *handing = context;
	struct transfer *transfer = handing->transfer;

	while (learn_add(&transfer->learn, record)) {
		handing->end = hand_over(transfer);
		if (handing->end)
			return -1;
		learn_begin(&transfer->learn);
	}
	transfer->values++;
	return 0;
}

static enum end take_values(struct transfer *transfer,
			    const struct frame *frame, uint64_t *next)
{
	struct handing handing = { .transfer = transfer };
	enum frame_fault fault;
	uint64_t first;
	uint32_t count;

	fault = frame_get_values(frame, &first, &transfer->learn.goal, &count);
	if (!fault && first != *next)
		fault = FRAME_MALFORMED;
	if (fault)
		return source_fails(transfer, "what comes is %s",
				    frame_fault_name(fault));
	learn_begin(&transfer->learn);
	if (frame_visit_values(frame, hand_one, &handing))
		return handing.end;
	handing.end = hand_over(transfer);
	if (handing.end)
		return handing.end;
	transfer->failures[transfer->learn.from] = 0;
	*next += count;
	return END_DONE;
}

static enum end take_trimmed(struct transfer *transfer,
			     const struct frame *frame)
{
	const uint8_t id = transfer->learn.from;
	enum frame_fault fault;
	uint64_t first;

	fault = frame_get_slot(frame, &first);
	if (fault || !first)
		return source_fails(transfer, "what comes is %s",
				    frame_fault_name(fault ?: FRAME_MALFORMED));
	transfer->first[id] = first;
	transfer->trimmed = agent_now();
	say_notice("the log of member %u begins with slot %" PRIu64
		   ": slots below are trimmed there", id, first);
	return END_TRIMMED;
}

/* Nobody has the first slots: begin where @transfer->learn.from does. */
static enum end take_snapshot(struct transfer *transfer)
{
	const struct config *config = &transfer->agent->config;
	const uint8_t *bytes;
	struct frame frame;
	uint32_t length;
	uint64_t slot;
	enum end end;
	int error;

	end = send_frame(transfer, FRAME_BEGIN,
			 frame_put_slot(frame_payload(transfer->buffer), 1));
	if (!end)
		end = receive_frame(transfer, &frame);
	if (end)
		return end;
	if (frame.type != FRAME_SNAPSHOT ||
	    frame_get_snapshot(&frame, &slot, &bytes, &length))
		return source_fails(transfer, "what comes is %s",
				    frame_fault_name(FRAME_TYPE));
	error = learn_snapshot(&transfer->learn, slot, bytes, length);
	if (error == -ENOTEMPTY || error == -EINVAL)
		return source_fails(transfer, "%s",
				    transfer->learn.netlink->error);
	if (error)
		return END_KERNEL;
	say_warning("no log that could be asked holds slot 1: member %u begins with slot %" PRIu64
		    ", and will never know those before", config->self,
		    slot + 1);
	memset(transfer->first, 0, sizeof(transfer->first));
	return END_DONE;
}

/* One question and what answers it, up to the end of the other's log. */
static enum end ask(struct transfer *transfer, uint64_t next)
{
	struct frame frame;
	enum end end;

	end = send_frame(transfer, FRAME_ASK,
			 frame_put_slot(frame_payload(transfer->buffer), next));
	while (!end) {
		end = receive_frame(transfer, &frame);
		if (end || frame.type == FRAME_END)
			break;
		if (frame.type == FRAME_VALUES)
			end = take_values(transfer, &frame, &next);
		else if (frame.type == FRAME_TRIMMED)
			end = take_trimmed(transfer, &frame);
		else
			end = source_fails(transfer, "what comes is %s",
					   frame_fault_name(FRAME_TYPE));
	}
	return end;
}

static bool is_source(const struct transfer *transfer,
		      const struct learn_state *state,
		      const struct learn_source *source)
{
	return source->id != transfer->party.self && source->heard &&
	       source->commit > state->commit;
}

/* Of those that said that their logs begin too late, whose begins first? */
static uint8_t choose_first(const struct transfer *transfer,
			    const struct learn_state *state)
{
	const struct learn_source *source;
	uint8_t best = 0;
	unsigned int i;

	for (i = 0; i < state->n; i++) {
		source = &state->sources[i];
		if (is_source(transfer, state, source) &&
		    transfer->first[source->id] &&
		    (!best || transfer->first[source->id] <
				      transfer->first[best]))
			best = source->id;
	}
	return best;
}

/*
 * Who is asked: of those that are heard and know more, the one that failed
 * least, rather not the leader, which has most to do; 0: nobody.
 */
static uint8_t choose(const struct transfer *transfer,
		      const struct learn_state *state)
{
	const struct learn_source *source, *best = NULL;
	unsigned int i;

	for (i = 0; i < state->n; i++) {
		source = &state->sources[i];
		if (!is_source(transfer, state, source) ||
		    transfer->first[source->id] > state->commit + 1)
			continue;
		if (!best || transfer->failures[source->id] <
				     transfer->failures[best->id] ||
		    (transfer->failures[source->id] ==
			     transfer->failures[best->id] &&
		     best->id == state->leader))
			best = source;
	}
	return best ? best->id : 0;
}

/* From one member, for as long as it helps. */
static enum end transfer_from(struct transfer *transfer,
			      struct learn_state *state, bool begins)
{
	struct agent *agent = transfer->agent;
	enum end end;

	transfer->learn.agent = state->agent;
	transfer->values = 0;
	end = call(transfer);
	if (!end)
		end = greet(transfer);
	if (!end)
		say_about(LOG_NOTICE, SAY(.peer = transfer->learn.from,
					  .slot = state->commit),
			  "member %u is behind at slot %" PRIu64
			  ": member %u brings what its kernel no longer holds",
			  agent->config.self, state->commit,
			  transfer->learn.from);
	if (!end && begins) {
		end = take_snapshot(transfer);
		state->behind = false;
	}
	while (!end && state->behind) {
		end = ask(transfer, state->commit + 1);
		if (end || learn_get(&agent->learn, agent->config.group, state))
			break;
		/* What is on its disk has come; the rest is too new. */
		if (state->behind && stops(transfer, LOOK_MS))
			end = END_STOP;
	}
	if (transfer->fd >= 0)
		close(transfer->fd);
	transfer->fd = -1;
	if (transfer->values)
		say_about(LOG_NOTICE, SAY(.peer = transfer->learn.from),
			  "member %u brought %" PRIu64 " values%s",
			  transfer->learn.from, transfer->values,
			  end ? "" : ": the kernels do the rest");
	return end;
}

/*
 * Nobody is left to ask. True: this member has nothing that what it will never
 * have could leave a hole in, and shall begin where learn.from does.
 */
static bool is_stuck(struct transfer *transfer, const struct learn_state *state)
{
	const uint64_t now = agent_now();
	const uint8_t id = choose_first(transfer, state);

	/* Others may be heard in a moment. */
	if (!id || ++transfer->stuck < PATIENT_LOOKS)
		return false;
	if (!state->commit) {
		transfer->learn.from = id;
		return true;
	}
	transfer->learn.agent = state->agent;
	learn_trimmed(&transfer->learn, transfer->first[id]);
	if (transfer->told && now - transfer->told < TELL_NS)
		return false;
	transfer->told = now;
	say_error("member %u lacks slot %" PRIu64
		  ", and the logs of all that could be asked begin later, that of member %u with slot %" PRIu64
		  ". Replace it: paxosctl member replace %u NEW ADDRESS, on the leader's host",
		  transfer->party.self, state->commit + 1, id,
		  transfer->first[id], transfer->party.self);
	return false;
}

static void loop(struct transfer *transfer)
{
	struct agent *agent = transfer->agent;
	struct learn_state state;
	bool begins;

	while (!stops(transfer, LOOK_MS)) {
		if (learn_get(&agent->learn, agent->config.group, &state))
			continue;
		if (!state.behind) {
			transfer->stuck = 0;
			continue;
		}
		/* A log that comes back with an old disk may reach further. */
		if (agent_now() - transfer->trimmed > TELL_NS)
			memset(transfer->first, 0, sizeof(transfer->first));
		transfer->learn.from = choose(transfer, &state);
		begins = !transfer->learn.from && is_stuck(transfer, &state);
		if (transfer->learn.from &&
		    transfer_from(transfer, &state, begins) == END_STOP)
			return;
	}
}

void *transfer_run(void *context)
{
	struct agent *agent = context;
	const struct config *config = &agent->config;
	struct transfer transfer = {
		.agent = agent,
		.party = { .group = config->group, .self = config->self },
		.learn = { .netlink = &agent->learn, .group = config->group },
		.fd = -1,
		.buffer = malloc(FRAME_ROOM + FRAME_SIZE_MAX),
	};
	unsigned int i;

	for (i = 0; i < config->n_members; i++)
		transfer.party.members |= 1ULL << (config->members[i].id - 1);
	frame_key(transfer.key, config->key, config->cluster);
	agent_lower_priority("transfer");
	if (transfer.buffer)
		loop(&transfer);
	else
		agent_fail(agent, "out of memory");
	free(transfer.buffer);
	sodium_memzero(transfer.key, sizeof(transfer.key));
	return NULL;
}
