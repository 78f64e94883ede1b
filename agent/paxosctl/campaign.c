// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include "campaign.h"
#include "names.h"
#include "view.h"

#define LOOK_EVERY 100	/* ms, where no event says more */

const struct option_spec campaign_options[] = {
	OPTION_GROUP,
	{ "wait", 'w', NULL, "until this member leads, or say why not" },
	{ "timeout", 't', "TIME", "how long --wait waits (default: 5s)" },
	OPTION_END
};

static bool leads(const struct group_view *view)
{
	return view->phase == PAXOS_NL_PHASE_LEADER &&
	       view->leader == view->self;
}

/* Returns 0 with what the group looked like in the end, or -1. */
static int await(struct kernel *kernel, struct kernel *listener,
		 uint32_t group, uint32_t timeout, struct group_view *view)
{
	uint64_t end = now_ms() + timeout;

	do {
		if (view_get(kernel, group, view))
			return -1;
		if (leads(view))
			return 0;
		/* An event only wakes: what counts is the state. */
		kernel_listen(listener, LOOK_EVERY, NULL, NULL);
	} while (now_ms() < end);
	return 0;
}

static int report(const struct arguments *arguments,
		  const struct group_view *view)
{
	char ballot[BALLOT_SIZE], reason[VIEW_REASON_SIZE];

	print_ballot(ballot, view->ballot.value);
	view_reason(view, reason);
	if (print_json) {
		json_object(NULL);
		json_number("group", view->id);
		json_bool("leads", leads(view));
		json_string("ballot", ballot);
		if (leads(view) || !*reason)
			json_null("reason");
		else
			json_string("reason", reason);
		json_end();
	} else if (leads(view)) {
		print("member %u leads, ballot %s\n", view->self, ballot);
	} else if (view->leader) {
		wrong(arguments, "member %u leads, ballot %s: it was faster or has the higher ballot",
		      view->leader, ballot);
	} else {
		wrong(arguments, "not elected: %s",
		      *reason ? reason : name_phase(view->phase));
	}
	if (leads(view))
		return EXIT_FINE;
	return view_no_quorum(view) ? EXIT_NO_QUORUM : EXIT_ERROR;
}

static int campaign(const struct arguments *arguments, struct kernel *kernel,
		    struct kernel *listener, uint32_t timeout)
{
	struct group_view view;
	struct nl_msg *request;
	uint32_t group;

	if (view_choose(arguments, kernel, &group))
		return EXIT_ERROR;
	request = kernel_request(kernel, PAXOS_CMD_CAMPAIGN);
	nla_put_u32(request, PAXOS_A_GROUP, group);
	if (kernel_call(kernel, request, REPLY_ACK, NULL, NULL)) {
		/* Leading already is what was asked for. */
		if (kernel_failure(kernel)->error != EALREADY)
			return view_complain(arguments, kernel, group);
		timeout = 0;
	} else if (!listener) {
		if (print_json) {
			json_object(NULL);
			json_number("group", group);
			json_string("done", "campaigns");
			json_end();
		}
		return EXIT_FINE;
	}
	if (await(kernel, listener ? listener : kernel, group, timeout, &view))
		return view_complain(arguments, kernel, group);
	return report(arguments, &view);
}

int run_campaign(const struct arguments *arguments)
{
	struct kernel *kernel, *listener = NULL;
	int result = EXIT_ERROR;
	uint32_t timeout;

	if (argument_timeout(arguments, &timeout))
		return EXIT_ERROR;
	kernel = view_connect(arguments);
	if (!kernel)
		return EXIT_ERROR;
	if (argument(arguments, "wait")) {
		listener = view_connect(arguments);
		if (!listener ||
		    kernel_join(listener, PAXOS_MCGRP_EVENTS)) {
			if (listener)
				view_complain(arguments, listener, 0);
			goto out;
		}
	}
	result = campaign(arguments, kernel, listener, timeout);
out:
	kernel_close(listener);
	kernel_close(kernel);
	return result;
}
