// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "log.h"
#include "names.h"
#include "propose.h"

#define OPTION_RAW { "raw", 0, NULL, "the bytes of the values and nothing else" }

const struct option_spec log_options[] = {
	OPTION_GROUP,
	{ "from", 0, "SLOT", "the first slot (default: the lowest held)" },
	{ "to", 0, "SLOT", "the last slot (default: the last chosen)" },
	{ "follow", 'f', NULL, "go on with what is chosen from now on" },
	OPTION_RAW,
	OPTION_END
};

const struct option_spec read_options[] = {
	OPTION_GROUP,
	OPTION_TIMEOUT,
	{ "last", 'l', NULL, "print the last value only" },
	OPTION_RAW,
	OPTION_END
};

/**
 * struct reading - a walk along the log
 * @next: slots below it have been printed
 * @last: the last to be printed
 * @exact: of one slot the bytes alone, without a newline behind them
 * @printed: how many were
 * @error: 0 or an exit status
 */
struct reading {
	uint32_t group;
	uint64_t next;
	uint64_t last;
	bool raw;
	bool exact;
	uint64_t printed;
};

int entry_parse(struct nlmsghdr *message, struct entry *entry)
{
	struct nlattr *attrs[PAXOS_A_MAX + 1], *value;

	memset(entry, 0, sizeof(*entry));
	if (kernel_parse(message, attrs) || !attrs[PAXOS_A_GROUP] ||
	    !attrs[PAXOS_A_SLOT])
		return -1;
	entry->group = nla_get_u32(attrs[PAXOS_A_GROUP]);
	entry->slot = nla_get_u64(attrs[PAXOS_A_SLOT]);
	entry->ballot = kernel_u64(attrs[PAXOS_A_BALLOT]).value;
	entry->kind = kernel_u8(attrs[PAXOS_A_KIND]).value;
	entry->origin = kernel_u8(attrs[PAXOS_A_ORIGIN]).value;
	entry->incarnation = kernel_u64(attrs[PAXOS_A_INCARNATION]).value;
	entry->seq = kernel_u64(attrs[PAXOS_A_SEQ]).value;
	value = attrs[PAXOS_A_VALUE];
	entry->value = value ? nla_data(value) : "";
	entry->length = value ? nla_len(value) : 0;
	return 0;
}

/* Its bytes are those of kmod/core/wire.h: behind 8 others, little-endian. */
static unsigned int config_epoch(const struct entry *entry)
{
	uint32_t epoch = 0;

	if (entry->length >= 12)
		memcpy(&epoch, (const char *)entry->value + 8, sizeof(epoch));
	return le32toh(epoch);
}

void entry_print(const struct entry *entry)
{
	print("%" PRIu64 "  ", entry->slot);
	if (entry->kind == PAXOS_NL_KIND_NOOP)
		print("(no-op)");
	else if (entry->kind == PAXOS_NL_KIND_CONFIG)
		print("(configuration, epoch %u)", config_epoch(entry));
	else
		print_escaped(entry->value, entry->length);
	print("\n");
}

void entry_print_json(const struct entry *entry)
{
	char ballot[BALLOT_SIZE];

	json_object(NULL);
	json_number("group", entry->group);
	json_number("slot", entry->slot);
	json_string("ballot", print_ballot(ballot, entry->ballot));
	json_string("kind", name_kind(entry->kind));
	json_number("origin", entry->origin);
	json_number("incarnation", entry->incarnation);
	json_number("seq", entry->seq);
	json_bytes("value", entry->value, entry->length);
	json_end();
}

static int take_entry(struct nlmsghdr *message, void *arg)
{
	struct reading *reading = arg;
	struct genlmsghdr *header = nlmsg_data(message);
	struct entry entry;

	if (header->cmd != PAXOS_CMD_LOG_GET && header->cmd != PAXOS_CMD_CHOSEN)
		return 0;
	if (entry_parse(message, &entry))
		return -1;
	if (entry.group != reading->group || entry.slot < reading->next ||
	    entry.slot > reading->last)
		return 0;
	reading->next = entry.slot + 1;
	reading->printed++;
	if (print_json) {
		entry_print_json(&entry);
	} else if (!reading->raw) {
		entry_print(&entry);
	} else if (entry.kind == PAXOS_NL_KIND_DATA) {
		print_raw(entry.value, entry.length);
		if (!reading->exact)
			print("\n");
	}
	return 0;
}

/* All from reading->next to reading->last that is chosen and held. */
static int dump(struct kernel *kernel, struct reading *reading)
{
	struct nl_msg *request;
	int result;

	/* A dump that was disturbed goes on behind what it brought. */
	do {
		request = kernel_request(kernel, PAXOS_CMD_LOG_GET);
		nla_put_u32(request, PAXOS_A_GROUP, reading->group);
		if (reading->next)
			nla_put_u64(request, PAXOS_A_FIRST, reading->next);
		if (reading->last != UINT64_MAX)
			nla_put_u64(request, PAXOS_A_LAST, reading->last);
		result = kernel_call(kernel, request, REPLY_DUMP, take_entry,
				     reading);
	} while (result && kernel_failure(kernel)->error == EINTR);
	return result;
}

/* Until @to is printed, or for ever. */
static int follow(const struct arguments *arguments, struct kernel *kernel,
		  struct reading *reading)
{
	struct kernel *listener = view_connect(arguments);
	bool lost = true;
	int result = 0;

	if (!listener)
		return EXIT_ERROR;
	/* Before the dump, so that nothing falls between the two. */
	if (kernel_join(listener, PAXOS_MCGRP_LOG)) {
		result = view_complain(arguments, listener, 0);
		kernel_close(listener);
		return result;
	}
	for (;;) {
		if (lost && dump(kernel, reading)) {
			result = view_complain(arguments, kernel,
					       reading->group);
			break;
		}
		lost = false;
		if (print_flush() || reading->next > reading->last)
			break;
		if (!kernel_listen(listener, -1, take_entry, reading))
			continue;
		if (kernel_failure(listener)->error != ENOBUFS) {
			result = view_complain(arguments, listener, 0);
			break;
		}
		lost = true;
	}
	kernel_close(listener);
	return result;
}

int run_log(const struct arguments *arguments)
{
	struct reading reading = {
		.last = UINT64_MAX,
		.raw = argument(arguments, "raw"),
	};
	int result = EXIT_ERROR;
	struct kernel *kernel;

	if (argument_number(arguments, "from", 1, UINT64_MAX - 1,
			    &reading.next) ||
	    argument_number(arguments, "to", 1, UINT64_MAX - 1, &reading.last))
		return EXIT_ERROR;
	kernel = view_connect(arguments);
	if (!kernel)
		return EXIT_ERROR;
	if (!view_choose(arguments, kernel, &reading.group)) {
		if (argument(arguments, "follow"))
			result = follow(arguments, kernel, &reading);
		else
			result = dump(kernel, &reading) ?
				 view_complain(arguments, kernel,
					       reading.group) :
				 EXIT_FINE;
	}
	kernel_close(kernel);
	return result;
}

/* The last slot up to @slot that holds a value rather than a no-op. */
struct last {
	uint64_t slot;
};

static int take_last(struct nlmsghdr *message, void *arg)
{
	struct last *last = arg;
	struct entry entry;

	if (entry_parse(message, &entry))
		return -1;
	if (entry.kind == PAXOS_NL_KIND_DATA)
		last->slot = entry.slot;
	return 0;
}

static int find_last(struct kernel *kernel, uint32_t group, uint64_t *slot)
{
	struct nl_msg *request;
	struct last last = { 0 };
	int result;

	do {
		request = kernel_request(kernel, PAXOS_CMD_LOG_GET);
		nla_put_u32(request, PAXOS_A_GROUP, group);
		nla_put_u64(request, PAXOS_A_LAST, *slot);
		result = kernel_call(kernel, request, REPLY_DUMP, take_last,
				     &last);
	} while (result && kernel_failure(kernel)->error == EINTR);
	*slot = last.slot;
	return result;
}

static int print_read(const struct arguments *arguments, struct kernel *kernel,
		      struct reading *reading, uint64_t slot, uint64_t upto)
{
	int result;

	if (slot > upto)
		return wrong(arguments, "slot %" PRIu64 " is not chosen yet; %" PRIu64
			     " is the last that is", slot, upto);
	reading->next = slot;
	reading->last = slot ? slot : upto;
	if (argument(arguments, "last")) {
		reading->last = upto;
		if (find_last(kernel, reading->group, &reading->last))
			return view_complain(arguments, kernel,
					     reading->group);
		if (!reading->last)
			return wrong(arguments, "no value is chosen yet");
		reading->next = reading->last;
	}
	if (!upto)
		return EXIT_FINE;
	reading->exact = reading->next;
	result = dump(kernel, reading);
	if (result)
		return view_complain(arguments, kernel, reading->group);
	if (slot && !reading->printed)
		return wrong(arguments, "slot %" PRIu64 " is no longer held here",
			     slot);
	return EXIT_FINE;
}

static int read_failed(const struct arguments *arguments,
		       const struct outcome *outcome)
{
	wrong(arguments, "%s", outcome->reason);
	return outcome->no_quorum ? EXIT_NO_QUORUM : EXIT_ERROR;
}

int run_read(const struct arguments *arguments)
{
	struct reading reading = { .raw = argument(arguments, "raw") };
	int result = EXIT_ERROR;
	struct outcome outcome;
	struct nl_msg *request;
	struct kernel *kernel;
	uint64_t slot = 0;
	uint32_t timeout;

	if (arguments->n_operands &&
	    !parse_number(arguments->operands[0], 1, UINT64_MAX - 1, &slot))
		return wrong(arguments, "a slot is a number from 1, not '%s'",
			     arguments->operands[0]);
	if (slot && argument(arguments, "last"))
		return wrong(arguments, "a slot or --last, not both");
	if (argument_timeout(arguments, &timeout))
		return EXIT_ERROR;
	kernel = view_connect(arguments);
	if (!kernel)
		return EXIT_ERROR;
	if (view_choose(arguments, kernel, &reading.group)) {
		kernel_close(kernel);
		return EXIT_ERROR;
	}
	request = kernel_request(kernel, PAXOS_CMD_READ);
	nla_put_u32(request, PAXOS_A_GROUP, reading.group);
	nla_put_u32(request, PAXOS_A_TIMEOUT, timeout);
	if (outcome_get(kernel, request, reading.group, &outcome))
		result = view_complain(arguments, kernel, reading.group);
	else if (outcome.outcome != PAXOS_NL_OUTCOME_CHOSEN)
		result = read_failed(arguments, &outcome);
	else
		result = print_read(arguments, kernel, &reading, slot,
				    outcome.slot.value);
	kernel_close(kernel);
	return result;
}
