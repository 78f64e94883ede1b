// SPDX-License-Identifier: GPL-2.0
/* Messages, records and the core's enums in the words of DESIGN.md. */
#include <stdarg.h>
#include "harness.h"

#define NAME(array, index) \
	((size_t)(index) < sizeof(array) / sizeof((array)[0]) && \
	 (array)[index] ? (array)[index] : "?")

static const char *const types[PAXOS_TYPES] = {
	[PAXOS_PREPARE] = "Prepare", [PAXOS_PROMISE] = "Promise",
	[PAXOS_REJECT] = "Reject", [PAXOS_ACCEPT] = "Accept",
	[PAXOS_ACCEPTED] = "Accepted", [PAXOS_COMMIT] = "Commit",
	[PAXOS_FETCH] = "Fetch", [PAXOS_CHOSEN] = "Chosen",
	[PAXOS_FORWARD] = "Forward", [PAXOS_DONE] = "Done",
	[PAXOS_READ] = "Read", [PAXOS_READ_REPLY] = "Read_reply",
	[PAXOS_PROBE] = "Probe", [PAXOS_PROBE_REPLY] = "Probe_reply",
	[PAXOS_YIELD] = "Yield",
};

static const char *const drops[PAXOS_CORE_DROPS] = {
	[PAXOS_DROP_NONE] = "none", [PAXOS_DROP_SHORT] = "short",
	[PAXOS_DROP_LONG] = "long", [PAXOS_DROP_VERSION] = "version",
	[PAXOS_DROP_TYPE] = "type", [PAXOS_DROP_MALFORMED] = "malformed",
	[PAXOS_DROP_SENDER] = "sender", [PAXOS_DROP_ADDRESSEE] = "addressee",
	[PAXOS_DROP_EPOCH] = "epoch", [PAXOS_DROP_MUTE] = "mute",
	[PAXOS_DROP_STALE] = "stale", [PAXOS_DROP_WINDOW] = "window",
	[PAXOS_DROP_NOMEM] = "nomem", [PAXOS_DROP_NOT_LEADER] = "not leader",
	[PAXOS_DROP_CONFLICT] = "conflict",
};

static const char *const outcomes[] = {
	[PAXOS_OUTCOME_CHOSEN] = "chosen",
	[PAXOS_OUTCOME_NOT_CHOSEN] = "not chosen",
	[PAXOS_OUTCOME_UNKNOWN] = "unknown",
};

static const char *const events[] = {
	[PAXOS_EVENT_PROMISED] = "promised",
	[PAXOS_EVENT_ACCEPTED] = "accepted",
	[PAXOS_EVENT_CHOSEN] = "chosen",
	[PAXOS_EVENT_DURABLE] = "durable",
	[PAXOS_EVENT_LEADER] = "leader",
	[PAXOS_EVENT_QUORUM_LOST] = "quorum lost",
	[PAXOS_EVENT_QUORUM_REGAINED] = "quorum regained",
	[PAXOS_EVENT_BEHIND] = "behind",
	[PAXOS_EVENT_EPOCH] = "epoch",
};

const char *type_name(u8 type)
{
	return NAME(types, type);
}

const char *drop_name(enum paxos_drop drop)
{
	return NAME(drops, drop);
}

const char *outcome_name(enum paxos_outcome outcome)
{
	return NAME(outcomes, outcome);
}

const char *event_name(enum paxos_event event)
{
	return NAME(events, event);
}

/* ROUND.MEMBER, in one of four buffers in turn. */
const char *ballot_text(u64 ballot)
{
	static char text[4][32];
	static int turn;

	turn = (turn + 1) % 4;
	if (!ballot)
		return "none";
	snprintf(text[turn], sizeof(text[turn]), "%llu.%u",
		 (unsigned long long)paxos_ballot_round(ballot),
		 paxos_ballot_member(ballot));
	return text[turn];
}

static void set_print(FILE *to, u64 members)
{
	const char *before = "";
	u8 id;

	for (id = 1; id <= PAXOS_MEMBERS_MAX; id++) {
		if (!(members & paxos_member_bit(id)))
			continue;
		fprintf(to, "%s%u", before, id);
		before = ",";
	}
}

/* epoch 2 {1,2,3 learning 4} */
void config_print(FILE *to, const struct paxos_config *config)
{
	fprintf(to, "epoch %u {", config->epoch);
	set_print(to, config->voters);
	if (config->learners)
		fputs(" learning ", to);
	set_print(to, config->learners);
	fputc('}', to);
}

static void value_print(FILE *to, u8 kind, const u8 *bytes, u32 len)
{
	u32 i, shown = len > 24 ? 24 : len;
	struct paxos_config config;

	if (kind == PAXOS_CONFIG) {
		if (!paxos_wire_config_decode(bytes, len, &config))
			config_print(to, &config);
		return;
	}

	if (kind == PAXOS_NOOP) {
		fputs("no-op", to);
		return;
	}
	fputc('"', to);
	for (i = 0; i < shown; i++)
		fputc(bytes[i] >= ' ' && bytes[i] < 127 ? bytes[i] : '?', to);
	fputs(len > shown ? "...\"" : "\"", to);
	if (len > shown)
		fprintf(to, " (%u bytes)", len);
}

static void items_print(FILE *to, const struct paxos_message *message)
{
	const u8 *at = message->body;
	struct paxos_item item;
	u32 i;

	for (i = 0; i < message->count; i++) {
		at = paxos_wire_item(at, &item);
		fputc(' ', to);
		if (item.slot)
			fprintf(to, "%llu:", (unsigned long long)item.slot);
		value_print(to, item.kind, item.bytes, item.len);
		if (item.ballot && item.ballot != message->ballot)
			fprintf(to, "@%s", ballot_text(item.ballot));
	}
}

static void field(FILE *to, const char *name, u64 number)
{
	if (number)
		fprintf(to, " %s %llu", name, (unsigned long long)number);
}

static void ballot_field(FILE *to, u64 ballot)
{
	if (ballot)
		fprintf(to, " %s", ballot_text(ballot));
}

/* A decoded message, without its stamp: that is only a clock. */
void message_print(FILE *to, const struct paxos_message *message)
{
	struct paxos_range range;
	const u8 *at;
	u32 i;

	fprintf(to, "%u->%u %s", message->from, message->to,
		type_name(message->type));
	ballot_field(to, message->ballot);
	switch (message->type) {
	case PAXOS_PREPARE:
		field(to, "from slot", message->prepare.first);
		break;
	case PAXOS_PROMISE:
		field(to, "from slot", message->promise.first);
		items_print(to, message);
		field(to, "next", message->promise.next);
		if (message->promise.held > 1)
			field(to, "held from", message->promise.held);
		break;
	case PAXOS_REJECT:
		fputs(" promised", to);
		ballot_field(to, message->reject.promised);
		break;
	case PAXOS_ACCEPT:
		items_print(to, message);
		break;
	case PAXOS_CHOSEN:
		items_print(to, message);
		if (message->chosen.held > 1)
			field(to, "held from", message->chosen.held);
		break;
	case PAXOS_FORWARD:
		items_print(to, message);
		break;
	case PAXOS_ACCEPTED:
		at = message->body;
		for (i = 0; i < message->count; i++) {
			at = paxos_wire_range(at, &range);
			fprintf(to, " %llu", (unsigned long long)range.first);
			if (range.count > 1)
				fprintf(to, "-%llu", (unsigned long long)
					range.first + range.count - 1);
		}
		break;
	case PAXOS_FETCH:
		fprintf(to, " %llu-%llu",
			(unsigned long long)message->fetch.first,
			(unsigned long long)message->fetch.last);
		break;
	case PAXOS_DONE:
		fprintf(to, " #%llu %s", (unsigned long long)message->done.seq,
			outcome_name(message->done.outcome));
		field(to, "slot", message->done.slot);
		break;
	case PAXOS_READ:
		fprintf(to, " #%llu", (unsigned long long)message->read.id);
		break;
	case PAXOS_READ_REPLY:
		fprintf(to, " #%llu accepted up to %llu",
			(unsigned long long)message->read.id,
			(unsigned long long)message->read.slot);
		break;
	}
	field(to, "commit", message->commit);
}

void record_print(FILE *to, const struct paxos_record_view *record)
{
	switch (record->type) {
	case PAXOS_RECORD_PROMISE:
		fprintf(to, "promise %s", ballot_text(record->ballot));
		break;
	case PAXOS_RECORD_ACCEPT:
		fprintf(to, "accept %llu:", (unsigned long long)record->slot);
		value_print(to, record->item.kind, record->item.bytes,
			    record->item.len);
		fprintf(to, "@%s", ballot_text(record->ballot));
		break;
	case PAXOS_RECORD_COMMIT:
		fprintf(to, "commit %llu", (unsigned long long)record->slot);
		break;
	case PAXOS_RECORD_CONFIG:
		fprintf(to, "config %llu:", (unsigned long long)record->slot);
		value_print(to, record->item.kind, record->item.bytes,
			    record->item.len);
		break;
	case PAXOS_RECORD_TRIM:
		fprintf(to, "trim %llu", (unsigned long long)record->slot);
		break;
	default:
		fprintf(to, "record of type %u", record->type);
	}
}

void broken_by(const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	broken(text);
}
