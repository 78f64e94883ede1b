// SPDX-License-Identifier: GPL-2.0
/*
 * The transcript: what happened, kept as numbers in a ring and hashed, and
 * written out only when a law is broken or somebody asked to see it all.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "sim.h"

const char *(*trace_replay)(struct sim *sim);
u32 trace_lines = 60;

static const char *const laws[LAWS] = {
	[LAW_AGREEMENT] =
		"law 1, agreement: at most one value is ever chosen for a slot",
	[LAW_DURABLE] =
		"law 2, durable before said: nothing leaves a member before the record it speaks of is on stable storage",
	[LAW_AMNESIA] =
		"law 3, no amnesia: a member that no longer holds a vote or promise does not act as if it had never given it",
	[LAW_WHOLE] =
		"law 4, nothing is half applied: what drops a message changes no state",
	[LAW_NOBODY] =
		"law 5, nobody gets in: what is not a message for this member of this group changes nothing",
	[LAW_SAME] =
		"law 6, same input, same output",
	[LAW_OUTCOME] =
		"law 7, a proposal ends once: chosen (in its slot), certainly not chosen, or unknown",
	[LAW_ACCEPTOR] =
		"Lamport 2001, 2.2 P1a: an acceptor accepts no ballot below one that it has promised",
	[LAW_PROPOSER] =
		"Lamport 2001, 2.2 P2c: a proposer proposes one value in a ballot and slot, the one that a Prepare quorum allows",
	[LAW_LEARNER] =
		"a learner delivers the chosen values, each slot once and in order, each origin once",
	[LAW_READ] =
		"linearizable reads: a read sees all that was chosen before it began",
	[LAW_RECORDS] =
		"records come in the order of their lsn, a commit behind the values it speaks of",
	[LAW_WINDOW] =
		"a slot outside the window is refused, and no slot is trimmed before it is chosen and delivered",
	[LAW_TIME] =
		"what has a deadline ends by it, and wake says when",
	[LAW_MEMORY] =
		"every value is given back, and all that are held are counted",
	[LAW_LIVENESS] =
		"when faults stop, every accepted proposal ends, new ones are chosen and all members learn them",
	[LAW_EPOCH] =
		"membership: a configuration chosen in slot s holds behind s and only there; what is of another epoch counts for nothing",
	[LAW_STORE] =
		"a store is the same after a slot at every member, and is what a snapshot or nothing and the log behind it make",
};

static const char *const types[PAXOS_TYPES] = {
	[PAXOS_PREPARE] = "Prepare",
	[PAXOS_PROMISE] = "Promise",
	[PAXOS_REJECT] = "Reject",
	[PAXOS_ACCEPT] = "Accept",
	[PAXOS_ACCEPTED] = "Accepted",
	[PAXOS_COMMIT] = "Commit",
	[PAXOS_FETCH] = "Fetch",
	[PAXOS_CHOSEN] = "Chosen",
	[PAXOS_FORWARD] = "Forward",
	[PAXOS_DONE] = "Done",
	[PAXOS_READ] = "Read",
	[PAXOS_READ_REPLY] = "Read_reply",
	[PAXOS_PROBE] = "Probe",
	[PAXOS_PROBE_REPLY] = "Probe_reply",
	[PAXOS_YIELD] = "Yield",
};

static const char *const drops[PAXOS_CORE_DROPS] = {
	[PAXOS_DROP_SHORT] = "short",
	[PAXOS_DROP_LONG] = "long",
	[PAXOS_DROP_VERSION] = "version",
	[PAXOS_DROP_TYPE] = "type",
	[PAXOS_DROP_MALFORMED] = "malformed",
	[PAXOS_DROP_SENDER] = "sender",
	[PAXOS_DROP_ADDRESSEE] = "addressee",
	[PAXOS_DROP_EPOCH] = "epoch",
	[PAXOS_DROP_MUTE] = "mute",
	[PAXOS_DROP_STALE] = "stale",
	[PAXOS_DROP_WINDOW] = "window",
	[PAXOS_DROP_NOMEM] = "nomem",
	[PAXOS_DROP_NOT_LEADER] = "not leader",
	[PAXOS_DROP_CONFLICT] = "conflict",
};

const char *trace_drop(u8 drop)
{
	return drop < PAXOS_CORE_DROPS && drops[drop] ? drops[drop] : "?";
}

static void print_ballot(u64 ballot)
{
	if (ballot)
		printf(BALLOT, BALLOT_ARGS(ballot));
	else
		printf("none");
}

/* %u: a number, %b: a ballot; they take a, b, c in turn. */
static void print_what(const struct line *line)
{
	const u64 values[] = { line->a, line->b, line->c, line->d };
	const char *at;
	u32 i = 0;

	for (at = line->what; *at; at++) {
		if (*at != '%') {
			putchar(*at);
			continue;
		}
		at++;
		if (*at == 'b')
			print_ballot(values[i++]);
		else
			printf("%llu", (unsigned long long)values[i++]);
	}
}

static void print_line(const struct line *line)
{
	printf("%8llu %10.6f  ", (unsigned long long)line->step,
	       (double)line->now / SIM_SECOND);
	if (!line->type) {
		if (line->member)
			printf("%u: ", line->member);
		print_what(line);
		putchar('\n');
		return;
	}
	printf("%u -> %u %s %s ", line->member, line->peer, line->what,
	       types[line->type]);
	print_ballot(line->a);
	switch (line->type) {
	case PAXOS_PREPARE:
		printf(" from slot %llu", (unsigned long long)line->c);
		break;
	case PAXOS_PROMISE:
		printf(" slots %llu.. of them %llu, next %llu",
		       (unsigned long long)line->c,
		       (unsigned long long)(line->d >> 32),
		       (unsigned long long)(line->d & 0xffffffff));
		break;
	case PAXOS_REJECT:
		printf(" promised ");
		print_ballot(line->c);
		break;
	case PAXOS_FETCH:
		printf(" slots %llu..%llu", (unsigned long long)line->c,
		       (unsigned long long)line->d);
		break;
	case PAXOS_ACCEPT:
	case PAXOS_ACCEPTED:
	case PAXOS_CHOSEN:
		printf(" slots %llu..%llu", (unsigned long long)line->c,
		       (unsigned long long)line->d);
		break;
	case PAXOS_FORWARD:
	case PAXOS_DONE:
		printf(" origin %llu/%llu", (unsigned long long)line->c,
		       (unsigned long long)line->d);
		break;
	case PAXOS_READ:
	case PAXOS_READ_REPLY:
		printf(" id %llu slot %llu", (unsigned long long)line->c,
		       (unsigned long long)line->d);
		break;
	}
	printf(" commit %llu", (unsigned long long)line->b);
	if (line->law)
		printf(": dropped, %s", trace_drop(line->law));
	putchar('\n');
}

static void mix(struct sim *sim, u64 x)
{
	sim->hash = (sim->hash ^ x) * 0x9e3779b97f4a7c15;
	sim->hash ^= sim->hash >> 29;
}

static void add(struct sim *sim, struct line line)
{
	line.step = sim->step;
	line.now = sim->now;
	mix(sim, line.now);
	mix(sim, (u64)line.member << 24 | line.peer << 16 | line.type << 8 |
		 line.law);
	mix(sim, line.a);
	mix(sim, line.b);
	mix(sim, line.c);
	mix(sim, line.d);
	sim->lines[sim->n_lines++ % SIM_LAST] = line;
	if (sim->settings.trace)
		print_line(&line);
}

/* @what may name up to three numbers: %u, or %b for a ballot. */
void trace(struct sim *sim, const char *what, u8 member, u64 a, u64 b, u64 c)
{
	add(sim, (struct line){ .what = what, .member = member, .a = a,
				.b = b, .c = c });
}

/* @message as it came off the wire. */
void trace_message(struct sim *sim, const char *what,
		   const struct paxos_message *message, u8 drop)
{
	struct line line = {
		.what = what,
		.member = message->from,
		.peer = message->to,
		.type = message->type,
		.law = drop,
		.a = message->ballot,
		.b = message->commit,
	};
	const u8 *at = message->body;
	struct paxos_range range;
	struct paxos_item item;
	u32 i;

	switch (message->type) {
	case PAXOS_PREPARE:
		line.c = message->prepare.first;
		break;
	case PAXOS_PROMISE:
		line.c = message->promise.first;
		line.d = (u64)message->count << 32 |
			 (message->promise.next & 0xffffffff);
		break;
	case PAXOS_REJECT:
		line.c = message->reject.promised;
		line.d = message->reject.held;
		break;
	case PAXOS_FETCH:
		line.c = message->fetch.first;
		line.d = message->fetch.last;
		break;
	case PAXOS_DONE:
		line.c = message->done.incarnation;
		line.d = message->done.seq;
		break;
	case PAXOS_READ:
	case PAXOS_READ_REPLY:
		line.c = message->read.id;
		line.d = message->read.slot;
		break;
	case PAXOS_ACCEPTED:
		for (i = 0; i < message->count; i++) {
			at = paxos_wire_range(at, &range);
			if (!i)
				line.c = range.first;
			line.d = range.first + range.count - 1;
		}
		break;
	case PAXOS_FORWARD:
		paxos_wire_item(at, &item);
		line.c = item.origin.incarnation;
		line.d = item.origin.seq;
		break;
	case PAXOS_ACCEPT:
	case PAXOS_CHOSEN:
		for (i = 0; i < message->count; i++) {
			at = paxos_wire_item(at, &item);
			if (!i)
				line.c = item.slot;
			line.d = item.slot;
		}
		break;
	}
	add(sim, line);
}

/* The last @count lines. */
void trace_last(struct sim *sim, u32 count)
{
	u64 kept = sim->n_lines < SIM_LAST ? sim->n_lines : SIM_LAST;
	u64 i;

	if (count > kept)
		count = kept;
	for (i = sim->n_lines - count; i < sim->n_lines; i++)
		print_line(&sim->lines[i % SIM_LAST]);
}

/* A law is broken: say what was going on, which one, and how to see it again. */
void broken(struct sim *sim, enum law law, const char *format, ...)
{
	va_list args;

	if (!sim->settings.trace) {
		printf("the last events of seed %llu:\n",
		       (unsigned long long)sim->settings.seed);
		trace_last(sim, trace_lines);
	}
	printf("broken: %s\n", laws[law]);
	va_start(args, format);
	printf("  here: ");
	vprintf(format, args);
	va_end(args);
	printf("\nseed %llu step %llu\nreplay: %s\n",
	       (unsigned long long)sim->settings.seed,
	       (unsigned long long)sim->step, trace_replay(sim));
	fflush(stdout);
	exit(1);
}
