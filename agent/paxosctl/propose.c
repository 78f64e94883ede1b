// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "names.h"
#include "propose.h"

/* What an attribute can hold; the kernel refuses a good deal less. */
#define VALUE_ROOM	65000
/* How long it waits before it proposes again. */
#define PAUSE_MS	20

const struct option_spec propose_options[] = {
	OPTION_GROUP,
	OPTION_TIMEOUT,
	{ "file", 'f', "FILE", "the value is what this file holds" },
	OPTION_END
};

static int take_outcome(struct nlmsghdr *message, void *arg)
{
	struct nlattr *attrs[PAXOS_A_MAX + 1];
	struct outcome *outcome = arg;

	if (kernel_parse(message, attrs) || !attrs[PAXOS_A_OUTCOME])
		return -1;
	outcome->outcome = nla_get_u8(attrs[PAXOS_A_OUTCOME]);
	outcome->slot = kernel_u64(attrs[PAXOS_A_SLOT]);
	outcome->elapsed = kernel_u64(attrs[PAXOS_A_ELAPSED]);
	outcome->accepted = kernel_u64(attrs[PAXOS_A_ACCEPTED]);
	outcome->persisted = kernel_u64(attrs[PAXOS_A_PERSISTED]);
	outcome->chosen = kernel_u64(attrs[PAXOS_A_CHOSEN]);
	outcome->delivered = kernel_u64(attrs[PAXOS_A_DELIVERED]);
	outcome->up = kernel_u8(attrs[PAXOS_A_UP]);
	outcome->needed = kernel_u8(attrs[PAXOS_A_NEEDED]);
	return 0;
}

void outcome_explain(struct outcome *outcome, const struct group_view *view)
{
	bool too_few;

	if (!outcome->up.known) {
		outcome->up = view->up;
		outcome->needed = (struct maybe){ true, view_needed(view) };
	}
	view_reason(view, outcome->reason);
	/* Who is no member counts nobody. */
	if (view->wait == PAXOS_NL_WAIT_MEMBER) {
		outcome->removed = view->epoch.value;
		return;
	}
	too_few = outcome->up.value < outcome->needed.value;
	outcome->no_quorum = too_few || view_no_quorum(view);
	/* Where the group lacks a quorum now, its reason says more. */
	if (too_few && !view_no_quorum(view))
		snprintf(outcome->reason, sizeof(outcome->reason),
			 "no quorum: %" PRIu64 " of %u, %" PRIu64 " needed",
			 outcome->up.value, view_voters(view),
			 outcome->needed.value);
	else if (!*outcome->reason)
		snprintf(outcome->reason, sizeof(outcome->reason),
			 "no answer in time");
}

int outcome_get(struct kernel *kernel, struct nl_msg *request, uint32_t group,
		struct outcome *outcome)
{
	struct group_view view;

	memset(outcome, 0, sizeof(*outcome));
	if (kernel_call(kernel, request, REPLY_ONE, take_outcome, outcome)) {
		if (kernel_failure(kernel)->error != ENOLINK)
			return -1;
		outcome->outcome = PAXOS_NL_OUTCOME_NOT_CHOSEN;
	}
	if (outcome->outcome == PAXOS_NL_OUTCOME_CHOSEN)
		return 0;
	/* What the group looks like says more than that it did not come about. */
	if (!view_get(kernel, group, &view))
		outcome_explain(outcome, &view);
	else	/* it was deleted meanwhile */
		snprintf(outcome->reason, sizeof(outcome->reason), "%s",
			 kernel_failure(kernel)->sentence);
	return 0;
}

static int print_outcome(uint32_t group, const struct outcome *outcome)
{
	bool chosen = outcome->outcome == PAXOS_NL_OUTCOME_CHOSEN;
	char text[DURATION_SIZE];

	if (print_json) {
		json_object(NULL);
		json_number("group", group);
		json_string("outcome", name_outcome(outcome->outcome));
		json_maybe("slot", outcome->slot);
		json_maybe("elapsed_ns", outcome->elapsed);
		json_maybe("up", outcome->up);
		json_maybe("needed", outcome->needed);
		if (chosen)
			json_null("reason");
		else
			json_string("reason", outcome->reason);
		json_end();
	} else if (chosen) {
		print("slot %" PRIu64 ", %s\n", outcome->slot.value,
		      print_duration(text, outcome->elapsed.value));
	} else if (outcome->outcome == PAXOS_NL_OUTCOME_NOT_CHOSEN) {
		complain("not chosen: %s", outcome->reason);
		complain("the value was not proposed and never will be; what was chosen before stands");
	} else {
		complain("unknown: %s", outcome->reason);
		complain("the value may still be chosen; nothing that was chosen is lost");
	}
	if (chosen)
		return EXIT_FINE;
	return outcome->no_quorum ? EXIT_NO_QUORUM : EXIT_ERROR;
}

/* Returns the number of bytes read, or -1 after a complaint. */
static ssize_t read_value(const struct arguments *arguments, const char *path,
			  uint8_t *value)
{
	bool standard_input = !strcmp(path, "-");
	size_t length = 0;
	ssize_t n = 0;
	int fd = STDIN_FILENO;

	if (!standard_input) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			wrong(arguments, "cannot open '%s': %s", path,
			      strerror(errno));
			return -1;
		}
	}
	while (length < VALUE_ROOM) {
		n = read(fd, value + length, VALUE_ROOM - length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		length += n;
	}
	if (n < 0)
		wrong(arguments, "cannot read '%s': %s", path,
		      strerror(errno));
	else if (length == VALUE_ROOM)
		wrong(arguments, "'%s' holds more than %u bytes, the most that a value may have",
		      path, PAXOS_NL_VALUE_MAX);
	if (!standard_input)
		close(fd);
	return n < 0 || length == VALUE_ROOM ? -1 : (ssize_t)length;
}

static int find_value(const struct arguments *arguments, const uint8_t **value,
		      size_t *length)
{
	static uint8_t buffer[VALUE_ROOM];
	const char *path = argument(arguments, "file");
	ssize_t n;

	if (!path == !arguments->n_operands) {
		wrong(arguments, "give the value, or - for standard input, or -f FILE");
		return -1;
	}
	if (!path && strcmp(arguments->operands[0], "-")) {
		*value = (const uint8_t *)arguments->operands[0];
		*length = strlen(arguments->operands[0]);
		if (*length < VALUE_ROOM)
			return 0;
		wrong(arguments, "a value may have %u bytes at most",
		      PAXOS_NL_VALUE_MAX);
		return -1;
	}
	n = read_value(arguments, path ? path : "-", buffer);
	*value = buffer;
	*length = n;
	return n < 0 ? -1 : 0;
}

static struct nl_msg *propose_request(struct kernel *kernel, uint32_t group,
				      uint32_t timeout, const uint8_t *value,
				      size_t length)
{
	struct nl_msg *request = kernel_request(kernel, PAXOS_CMD_PROPOSE);

	nla_put_u32(request, PAXOS_A_GROUP, group);
	nla_put_u32(request, PAXOS_A_TIMEOUT, timeout);
	if (value)
		nla_put(request, PAXOS_A_VALUE, length, value);
	else
		nla_put_u8(request, PAXOS_A_KIND, PAXOS_NL_KIND_NOOP);
	return request;
}

/*
 * A member that was just started, whose leader just died, or that did not run
 * for a second, knows of a leader and of a quorum soon. What was refused for
 * want of them was not proposed, so it may be again.
 */
int propose_in_time(struct kernel *kernel, uint32_t group, uint32_t timeout,
		    const uint8_t *value, size_t length,
		    struct outcome *outcome)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };
	uint64_t end = now_ms() + timeout, now = end - timeout;

	for (;;) {
		if (outcome_get(kernel, propose_request(kernel, group,
							end - now, value,
							length),
				group, outcome))
			return -1;
		now = now_ms();
		if (outcome->outcome != PAXOS_NL_OUTCOME_NOT_CHOSEN ||
		    outcome->removed || now + PAUSE_MS >= end)
			return 0;
		nanosleep(&pause, NULL);
	}
}

int run_propose(const struct arguments *arguments)
{
	struct outcome outcome;
	struct kernel *kernel;
	uint32_t group, timeout;
	const uint8_t *value;
	size_t length;
	int result;

	if (argument_timeout(arguments, &timeout) ||
	    find_value(arguments, &value, &length))
		return EXIT_ERROR;
	kernel = view_connect(arguments);
	if (!kernel)
		return EXIT_ERROR;
	if (view_choose(arguments, kernel, &group)) {
		kernel_close(kernel);
		return EXIT_ERROR;
	}
	result = propose_in_time(kernel, group, timeout, value, length,
				 &outcome) ?
		 view_complain(arguments, kernel, group) :
		 print_outcome(group, &outcome);
	kernel_close(kernel);
	return result;
}
