// SPDX-License-Identifier: GPL-2.0
#include "names.h"
#include "transfer.h"
#include "view.h"

#define LOOK_EVERY 100	/* ms, where no event says more */

const struct option_spec transfer_options[] = {
	{ "to", 0, "ID", "the member that is to lead" },
	OPTION_GROUP,
	{ "timeout", 't', "TIME", "lead on if it takes longer (default: 5s)" },
	OPTION_END
};

static int report(const struct arguments *arguments,
		  const struct group_view *view, uint8_t to)
{
	char ballot[BALLOT_SIZE];

	print_ballot(ballot, view->ballot.value);
	if (print_json) {
		json_object(NULL);
		json_number("group", view->id);
		json_number("leader", view->leader);
		json_bool("transferred", view->leader == to);
		json_string("ballot", ballot);
		json_end();
	} else if (view->leader == to) {
		print("member %u leads, ballot %s\n", to, ballot);
	} else if (view->leader) {
		wrong(arguments, "member %u has not taken over in time: member %u leads, ballot %s",
		      to, view->leader, ballot);
	} else {
		wrong(arguments, "member %u has not taken over in time, and no leader is known",
		      to);
	}
	return view->leader == to ? EXIT_FINE : EXIT_ERROR;
}

/* Whom to ask instead, where this member does not lead. */
static int refuse(const struct arguments *arguments, struct kernel *kernel,
		  const struct group_view *view, uint8_t to)
{
	if (view->leader == to)
		return report(arguments, view, to);
	if (view->leader && view->leader != view->self)
		return wrong(arguments, "member %u leads: run this on its host",
			     view->leader);
	return view_complain(arguments, kernel, view->id);
}

static int transfer(const struct arguments *arguments, struct kernel *kernel,
		    struct kernel *listener, uint8_t to, uint32_t timeout)
{
	const uint64_t end = now_ms() + timeout;
	struct group_view view;
	struct nl_msg *request;
	uint32_t group;

	if (view_choose(arguments, kernel, &group))
		return EXIT_ERROR;
	if (view_get(kernel, group, &view))
		return view_complain(arguments, kernel, group);
	request = kernel_request(kernel, PAXOS_CMD_TRANSFER);
	nla_put_u32(request, PAXOS_A_GROUP, group);
	nla_put_u8(request, PAXOS_A_LEADER, to);
	nla_put_u32(request, PAXOS_A_TIMEOUT, timeout);
	if (kernel_call(kernel, request, REPLY_ACK, NULL, NULL))
		return refuse(arguments, kernel, &view, to);
	do {
		/* An event only wakes: what counts is the state. */
		kernel_listen(listener, LOOK_EVERY, NULL, NULL);
		if (view_get(kernel, group, &view))
			return view_complain(arguments, kernel, group);
	} while (view.leader != to && now_ms() < end);
	return report(arguments, &view, to);
}

int run_transfer(const struct arguments *arguments)
{
	struct kernel *kernel, *listener;
	int result = EXIT_ERROR;
	uint32_t timeout;
	uint64_t to = 0;

	if (argument_timeout(arguments, &timeout) ||
	    argument_number(arguments, "to", 1, PAXOS_NL_MEMBERS_MAX, &to))
		return EXIT_ERROR;
	if (!to)
		return wrong(arguments, "to whom? --to ID names a member");
	kernel = view_connect(arguments);
	if (!kernel)
		return EXIT_ERROR;
	listener = view_connect(arguments);
	if (!listener)
		goto out;
	if (kernel_join(listener, PAXOS_MCGRP_EVENTS))
		view_complain(arguments, listener, 0);
	else
		result = transfer(arguments, kernel, listener, to, timeout);
	kernel_close(listener);
out:
	kernel_close(kernel);
	return result;
}
