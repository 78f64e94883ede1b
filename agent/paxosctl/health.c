// SPDX-License-Identifier: GPL-2.0
/* Is the group well? A no-op that is committed tells, and how long it takes. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include "health.h"
#include "names.h"

const struct option_spec health_options[] = {
	OPTION_GROUP,
	OPTION_TIMEOUT,
	OPTION_END
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static void json_health(const struct health *health, bool well)
{
	const struct group_view *view = &health->view;
	const struct outcome *outcome = &health->outcome;

	json_object(NULL);
	json_number("group", view->id);
	json_bool("healthy", well);
	json_string("outcome", name_outcome(outcome->outcome));
	if (well)
		json_null("reason");
	else
		json_string("reason", outcome->reason);
	if (view->leader)
		json_number("leader", view->leader);
	else
		json_null("leader");
	json_number("voters", view_voters(view));
	json_maybe("up", view->up);
	json_number("needed", view_needed(view));
	json_maybe("slot", outcome->slot);
	json_number("total_ns", health->total);
	json_maybe("netlink_ns", health->netlink);
	json_maybe("accepted_ns", outcome->accepted);
	json_maybe("persisted_ns", outcome->persisted);
	json_maybe("chosen_ns", outcome->chosen);
	json_maybe("delivered_ns", outcome->delivered);
	json_maybe("elapsed_ns", outcome->elapsed);
	json_end();
}

static void print_stage(const char *name, struct maybe ns)
{
	char text[DURATION_SIZE];

	if (ns.known)
		print(", %s %s", name, print_duration(text, ns.value));
}

int health_print(const struct health *health)
{
	const struct group_view *view = &health->view;
	const struct outcome *outcome = &health->outcome;
	bool well = outcome->outcome == PAXOS_NL_OUTCOME_CHOSEN;
	char text[DURATION_SIZE];

	if (print_json) {
		json_health(health, well);
	} else if (well) {
		print("group %u: fine: slot %" PRIu64 " in %s", view->id,
		      outcome->slot.value,
		      print_duration(text, health->total));
		print_stage("netlink", health->netlink);
		print_stage("accepted", outcome->accepted);
		print_stage("persisted", outcome->persisted);
		print_stage("chosen", outcome->chosen);
		print_stage("delivered", outcome->delivered);
		print_stage("told", outcome->elapsed);
		print("; leader %u, %" PRIu64 " of %u up\n", view->leader,
		      view->up.value, view_voters(view));
	} else {
		print("group %u: %s: %s, after %s\n", view->id,
		      name_outcome(outcome->outcome), outcome->reason,
		      print_duration(text, health->total));
	}
	if (well)
		return EXIT_FINE;
	return outcome->no_quorum ? EXIT_NO_QUORUM : EXIT_ERROR;
}

/* From here to the kernel and back; of a few the one that nothing disturbed. */
static int measure_netlink(struct kernel *kernel, uint32_t group,
			   struct health *health)
{
	uint64_t began, took;
	int i;

	for (i = 0; i < 3; i++) {
		began = now_ns();
		if (view_get(kernel, group, &health->view))
			return -1;
		took = now_ns() - began;
		if (!health->netlink.known || took < health->netlink.value)
			health->netlink = (struct maybe){ true, took };
	}
	return 0;
}

/* A member that is mute is an answer, too. Returns 0, or -1. */
static int mute(struct kernel *kernel, struct health *health)
{
	struct outcome *outcome = &health->outcome;
	const struct failure failure = *kernel_failure(kernel);

	if (failure.error != EUNATCH ||
	    view_get(kernel, health->view.id, &health->view))
		return -1;
	outcome->outcome = PAXOS_NL_OUTCOME_NOT_CHOSEN;
	if (!*view_reason(&health->view, outcome->reason))
		snprintf(outcome->reason, sizeof(outcome->reason), "%s",
			 failure.sentence);
	return 0;
}

static int examine(struct kernel *kernel, uint32_t group, uint32_t timeout,
		   struct health *health)
{
	uint64_t began;
	int refused;

	if (measure_netlink(kernel, group, health))
		return -1;
	began = now_ns();
	refused = propose_in_time(kernel, group, timeout, NULL, 0,
				  &health->outcome);
	health->total = now_ns() - began;
	if (refused)
		return mute(kernel, health);
	return view_get(kernel, group, &health->view);
}

int run_health(const struct arguments *arguments)
{
	struct health health = { 0 };
	struct kernel *kernel;
	uint32_t group, timeout;
	int result;

	if (argument_timeout(arguments, &timeout))
		return EXIT_ERROR;
	kernel = view_connect(arguments);
	if (!kernel)
		return EXIT_ERROR;
	if (view_choose(arguments, kernel, &group))
		result = EXIT_ERROR;
	else if (examine(kernel, group, timeout, &health))
		result = view_complain(arguments, kernel, group);
	else
		result = health_print(&health);
	kernel_close(kernel);
	return result;
}
