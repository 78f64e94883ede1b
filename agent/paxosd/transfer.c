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
#include "transfer.h"

#define PATIENCE_MS	10000
#define NS_PER_S	1000000000ULL
#define LOOK_MS		1000	/* is this member behind? */
#define PATIENT_LOOKS	5	/* before one gives up */
#define ROOM_MS		20	/* until the kernel has room again */
#define TELL_NS		(60 * NS_PER_S)

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
			return transfer_fails(transfer, "it contradicts");
		}
		if (error == -ERANGE || error == -EINVAL)
			return transfer_fails(transfer, "%s", netlink->error);
		if (error != -EAGAIN && error != -ENOMEM && error != -ENOBUFS)
			return END_KERNEL;
		if (transfer_stops(transfer, ROOM_MS))
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
		return transfer_fails(transfer, "what comes is %s",
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
		return transfer_fails(transfer, "what comes is %s",
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

	end = transfer_send(transfer, FRAME_BEGIN,
			 frame_put_slot(frame_payload(transfer->buffer), 1));
	if (!end)
		end = transfer_receive(transfer, &frame);
	if (end)
		return end;
	if (frame.type != FRAME_SNAPSHOT ||
	    frame_get_snapshot(&frame, &slot, &bytes, &length))
		return transfer_fails(transfer, "what comes is %s",
				    frame_fault_name(FRAME_TYPE));
	error = learn_snapshot(&transfer->learn, slot, false, bytes,
			       length);
	if (error == -ENOTEMPTY || error == -EINVAL)
		return transfer_fails(transfer, "%s",
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

	end = transfer_send(transfer, FRAME_ASK,
			 frame_put_slot(frame_payload(transfer->buffer), next));
	while (!end) {
		end = transfer_receive(transfer, &frame);
		if (end || frame.type == FRAME_END)
			break;
		if (frame.type == FRAME_VALUES)
			end = take_values(transfer, &frame, &next);
		else if (frame.type == FRAME_TRIMMED)
			end = take_trimmed(transfer, &frame);
		else
			end = transfer_fails(transfer, "what comes is %s",
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
	const uint8_t from = transfer->learn.from;
	uint64_t had;
	enum end end;

	transfer->learn.agent = state->agent;
	transfer->values = 0;
	end = transfer_call(transfer);
	if (!end)
		end = transfer_greet(transfer);
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
		had = transfer->values;
		end = ask(transfer, state->commit + 1);
		if (end || learn_get(&agent->learn, agent->config.group, state))
			break;
		/* Its kernel may know what its disk never gets. */
		if (state->behind && transfer->values == had) {
			transfer->failures[from]++;
			if (choose(transfer, state) != from)
				break;
		}
		/* What is on its disk has come; the rest is too new. */
		if (state->behind && transfer_stops(transfer, LOOK_MS))
			end = END_STOP;
	}
	transfer_hang_up(transfer);
	if (transfer->values)
		say_about(LOG_NOTICE, SAY(.peer = transfer->learn.from),
			  "member %u brought %" PRIu64 " values%s",
			  transfer->learn.from, transfer->values,
			  end || state->behind ? "" : ": the kernels do the rest");
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
	uint64_t first;

	/* Others may be heard in a moment. */
	if (!id || ++transfer->stuck < PATIENT_LOOKS)
		return false;
	if (!state->commit) {
		transfer->learn.from = id;
		return true;
	}
	transfer->learn.from = id;
	first = transfer->first[id];
	if (snapshot_leap(transfer, state, first) == END_STOP ||
	    !transfer->first[id])
		return false;
	transfer->learn.from = 0;
	transfer->learn.agent = state->agent;
	learn_trimmed(&transfer->learn, first);
	if (transfer->told && now - transfer->told < TELL_NS)
		return false;
	transfer->told = now;
	say_error("member %u lacks slot %" PRIu64
		  ", and the logs of all that could be asked begin later, that of member %u with slot %" PRIu64
		  ". Replace it: paxosctl member replace %u NEW ADDRESS, on the leader's host",
		  transfer->party.self, state->commit + 1, id, first,
		  transfer->party.self);
	return false;
}

static void loop(struct transfer *transfer)
{
	struct agent *agent = transfer->agent;
	struct learn_state state;
	bool begins;
	uint8_t from;

	while (!transfer_stops(transfer, LOOK_MS)) {
		if (learn_get(&agent->learn, agent->config.group, &state))
			continue;
		if (snapshot_look(transfer, &state) == END_STOP)
			return;
		if (!state.behind) {
			transfer->stuck = 0;
			continue;
		}
		/* A log that comes back with an old disk may reach further. */
		if (agent_now() - transfer->trimmed > TELL_NS)
			memset(transfer->first, 0, sizeof(transfer->first));
		from = choose(transfer, &state);
		transfer->learn.from = from;
		begins = !from && is_stuck(transfer, &state);
		if ((begins || from) &&
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
		.patience = PATIENCE_MS,
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
