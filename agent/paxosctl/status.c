// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "names.h"
#include "status.h"

#define MIB (1024.0 * 1024)
#define KERNEL_SILENT 1000	/* ms; probed four times a second */

const struct option_spec status_options[] = {
	{ "group", 'g', "GROUP", "this group only" },
	OPTION_END
};

/* How many slots that were chosen it has not applied. */
static struct maybe consumer_lag(const struct group_view *view,
				 const struct consumer_view *consumer)
{
	uint64_t commit = view->commit.value;
	uint64_t applied = consumer->applied.value;

	return (struct maybe){
		consumer->applied.known && view->commit.known,
		commit > applied ? commit - applied : 0,
	};
}

static void print_head(const struct group_view *view)
{
	char ballot[BALLOT_SIZE], leader[16] = "none";
	unsigned int voters = view_voters(view);
	unsigned int majority = voters / 2 + 1;
	unsigned int q1 = view->q1.value ? view->q1.value : majority;
	unsigned int q2 = view->q2.value ? view->q2.value : majority;

	if (view->leader)
		snprintf(leader, sizeof(leader), "%u", view->leader);
	print("group %u: leader %s, ballot %s, commit %" PRIu64, view->id,
	      leader, print_ballot(ballot, view->ballot.value),
	      view->commit.value);
	if (q1 == q2)
		print(", quorum %u of %u", q1, voters);
	else
		print(", quorum %u (Prepare), %u (Accept) of %u", q1, q2,
		      voters);
	print(", %s", name_durability(view->durability));
	if (view->epoch.value > 1)
		print(", epoch %" PRIu64, view->epoch.value);
	if (view->pending.value)
		print(", %" PRIu64 " pending", view->pending.value);
	if (view->state == PAXOS_NL_STATE_STOPPED)
		print(", stopped");
	print("\n");
}

static void cell_silence(struct table *table, const char *word,
			 struct maybe heard)
{
	char ago[DURATION_SIZE];

	if (heard.known)
		table_cell(table, "%s %s", word,
			   print_duration(ago, heard.value * 1000000));
	else
		table_cell(table, "%s", word);
}

/* That kernel, as this one hears it: it probes. */
static void cell_kernel(struct table *table, const struct group_view *view,
			const struct member_view *member)
{
	if (member->id == view->self)
		table_cell(table, "here");
	else if (!member->heard.known)
		table_cell(table, "-");
	else if (member->heard.value < KERNEL_SILENT)
		table_cell(table, "up");
	else
		cell_silence(table, "down", member->heard);
}

/* That agent, as this one hears it; without one nobody does. */
static void cell_agent(struct table *table, const struct group_view *view,
		       const struct member_view *member)
{
	if (member->id == view->self)
		table_cell(table, view->agent.value ? "here" : "none");
	else if (!view->agent.value || !member->suspected.known)
		table_cell(table, "-");
	else if (member->suspected.value)
		cell_silence(table, "silent", member->agent_heard);
	else
		table_cell(table, "up");
}

static void cell_microseconds(struct table *table, struct maybe us)
{
	char text[DURATION_SIZE];

	if (us.known)
		table_cell(table, "%s", print_duration(text, us.value * 1000));
	else
		table_cell(table, "-");
}

static const char *role(const struct group_view *view,
			const struct member_view *member)
{
	if (member->id == view->leader)
		return "leader";
	if (member->id == view->self &&
	    view->phase == PAXOS_NL_PHASE_CANDIDATE)
		return "candidate";
	return name_role(member->role);
}

static void print_members(const struct group_view *view)
{
	static const char *const heads[] = {
		"MEMBER", "ADDRESS", "KERNEL", "AGENT", "ROLE", "COMMIT",
		"LAG", "RTT", "DURABLE",
	};
	struct table table = { .columns = 9, .right = 0x1e1 };
	const struct member_view *member;
	unsigned int i;
	bool self;

	/* In memory there is no disk to be behind. */
	if (view->durability == PAXOS_NL_DURABILITY_MEMORY)
		table.columns--;
	for (i = 0; i < table.columns; i++)
		table_cell(&table, "%s", heads[i]);
	for (i = 0; i < view->n_members; i++) {
		member = &view->members[i];
		self = member->id == view->self;
		table_cell(&table, "%u", member->id);
		table_cell(&table, "%s", member->address);
		cell_kernel(&table, view, member);
		cell_agent(&table, view, member);
		table_cell(&table, "%s", role(view, member));
		table_maybe(&table, self ? view->commit : member->commit);
		table_maybe(&table, view_lag(view, member));
		cell_microseconds(&table, member->rtt);
		if (table.columns == 9)
			table_maybe(&table,
				    self ? view->durable : member->durable);
	}
	table_print(&table, "  ");
}

/* Of this host's kernel; there need not be any. */
static void print_consumers(const struct group_view *view)
{
	static const char *const heads[] = {
		"CONSUMER", "APPLIED", "LAG", "STATE",
	};
	struct table table = { .columns = 4, .right = 0x6 };
	const struct consumer_view *consumer;
	char ago[DURATION_SIZE];
	unsigned int i;

	if (!view->n_consumers)
		return;
	for (i = 0; i < table.columns; i++)
		table_cell(&table, "%s", heads[i]);
	for (i = 0; i < view->n_consumers; i++) {
		consumer = &view->consumers[i];
		table_cell(&table, "%s", consumer->name);
		table_maybe(&table, consumer->applied);
		table_maybe(&table, consumer_lag(view, consumer));
		if (consumer->stopped.known)
			table_cell(&table, "stopped: %s",
				   consumer->stopped.value == ESTALE ?
				   "its log was trimmed" :
				   strerror(consumer->stopped.value));
		else if (consumer->stalled.known)
			table_cell(&table, "stalled %s",
				   print_duration(ago, consumer->stalled.value *
						       1000000));
		else
			table_cell(&table, "fine");
	}
	table_print(&table, "  ");
}

/* The agent's log; what it does not hold, and what will go from it. */
static void print_space(const struct group_view *view)
{
	if (!view->space_used.known)
		return;
	print("  log: %.1f MiB", view->space_used.value / MIB);
	if (view->space.known)
		print(" of %.1f MiB", view->space.value / MIB);
	print(", from slot %" PRIu64 " on", view->space_first.value);
	if (view->snapshot.known)
		print("; snapshot at slot %" PRIu64, view->snapshot.value);
	print("\n");
	if (view->unsaved.known)
		print("  it cannot be trimmed: no newer snapshot of what kernel subsystems hold can be taken, see the agent's log\n");
	if (view->space_held.known)
		print("  log: when it is full, slots up to %" PRIu64
		      " go: member %" PRIu64
		      " lacks some of them, and would have to be replaced\n",
		      view->space_goes.value, view->space_held.value);
}

/* Who holds another log, by the checksums that the agents exchange. */
static void print_divergence(const struct group_view *view)
{
	const struct member_view *member;
	unsigned int i, n = 0;

	if (!view->diverged.known)
		return;
	print("  divergence at slot %" PRIu64 ": members", view->diverged.value);
	for (i = 0; i < view->n_members; i++) {
		member = &view->members[i];
		if (!member->differs.value)
			continue;
		print("%s %u and %u", n++ ? "," : "",
		      member->id < view->self ? member->id : view->self,
		      member->id < view->self ? view->self : member->id);
	}
	print(" differ%s: see paxosctl(8), DIVERGENCE\n", view->halted ?
	      "; this one is not with a majority, and applies nothing" : "");
}

void status_print(const struct group_view *view)
{
	char reason[VIEW_REASON_SIZE];

	print_head(view);
	if (*view_reason(view, reason))
		print("  waits: %s\n", reason);
	if (view->from.known)
		print("  transfers from member %" PRIu64 ": slot %" PRIu64
		      " of %" PRIu64 "\n", view->from.value,
		      view->commit.value, view->goal.value);
	print_space(view);
	print_divergence(view);
	print_members(view);
	print_consumers(view);
}

static void json_ballot(const char *name, struct maybe ballot)
{
	char text[BALLOT_SIZE];

	if (ballot.value)
		json_string(name, print_ballot(text, ballot.value));
	else
		json_null(name);
}

static void json_member(const struct group_view *view,
			const struct member_view *member)
{
	bool self = member->id == view->self;

	json_object(NULL);
	json_number("member", member->id);
	json_string("address", member->address);
	json_string("role", name_role(member->role));
	if (self)
		json_bool("up", true);
	else if (member->up.known)
		json_bool("up", member->up.value);
	else
		json_null("up");
	json_maybe("heard_ms", member->heard);
	json_maybe("agent_heard_ms", member->agent_heard);
	if (member->suspected.known)
		json_bool("suspected", member->suspected.value);
	else
		json_null("suspected");
	json_maybe("same_slot", member->same);
	if (member->differs.value)
		json_number("diverged_slot", member->differs.value);
	else
		json_null("diverged_slot");
	json_maybe("rtt_us", member->rtt);
	json_maybe("response_us", member->response);
	json_maybe("commit", self ? view->commit : member->commit);
	json_maybe("lag", view_lag(view, member));
	json_maybe("durable", self ? view->durable : member->durable);
	json_maybe("incarnation",
		   self ? view->incarnation : member->incarnation);
	json_end();
}

static void json_consumer(const struct group_view *view,
			  const struct consumer_view *consumer)
{
	json_object(NULL);
	json_string("consumer", consumer->name);
	json_maybe("applied", consumer->applied);
	json_maybe("lag", consumer_lag(view, consumer));
	json_maybe("stalled_ms", consumer->stalled);
	json_maybe("stopped_errno", consumer->stopped);
	json_end();
}

void status_print_json(const struct group_view *view)
{
	char reason[VIEW_REASON_SIZE], instance[20], checksum[20];
	unsigned int i;

	json_object(NULL);
	json_number("group", view->id);
	json_string("cluster", view->cluster);
	json_number("self", view->self);
	json_string("durability", name_durability(view->durability));
	json_string("state", name_state(view->state));
	json_string("phase", name_phase(view->phase));
	json_string("wait", name_wait(view->wait));
	if (*view_reason(view, reason))
		json_string("reason", reason);
	else
		json_null("reason");
	if (view->leader)
		json_number("leader", view->leader);
	else
		json_null("leader");
	json_ballot("ballot", view->ballot);
	json_ballot("promised", view->promised);
	json_maybe("epoch", view->epoch);
	json_number("voters", view_voters(view));
	json_maybe("up", view->up);
	json_number("needed", view_needed(view));
	json_maybe("q1", view->q1);
	json_maybe("q2", view->q2);
	json_maybe("first", view->first);
	json_maybe("commit", view->commit);
	json_maybe("slot", view->slot);
	json_maybe("lsn", view->lsn);
	json_maybe("durable", view->durable);
	json_maybe("stalled_ms", view->stalled);
	json_maybe("transfer_from", view->from);
	json_maybe("transfer_goal", view->goal);
	json_maybe("log_bytes", view->space_used);
	json_maybe("log_space", view->space);
	json_maybe("log_first", view->space_first);
	json_maybe("log_goes", view->space_goes);
	json_maybe("log_held_by", view->space_held);
	json_maybe("snapshot", view->snapshot);
	json_bool("log_unsaved", view->unsaved.known);
	json_maybe("log_lacks_below", view->trimmed);
	if (view->checksum.value) {
		snprintf(checksum, sizeof(checksum), "%016" PRIx64,
			 view->checksum.value);
		json_string("checksum", checksum);
	} else {
		json_null("checksum");
	}
	json_maybe("diverged_slot", view->diverged);
	json_bool("halted", view->halted);
	json_maybe("pending", view->pending);
	json_maybe("window", view->window);
	json_maybe("log_size", view->log_size);
	json_maybe("bytes", view->bytes);
	json_maybe("bytes_used", view->bytes_used);
	json_maybe("agent", view->agent);
	snprintf(instance, sizeof(instance), "%016" PRIx64,
		 view->instance.value);
	json_string("instance", instance);
	json_maybe("incarnation", view->incarnation);
	json_array("members");
	for (i = 0; i < view->n_members; i++)
		json_member(view, &view->members[i]);
	json_end();
	json_array("consumers");
	for (i = 0; i < view->n_consumers; i++)
		json_consumer(view, &view->consumers[i]);
	json_end();
	json_end();
}

static int print_views(const struct views *views)
{
	int result = EXIT_FINE;
	unsigned int i;

	if (print_json) {
		json_object(NULL);
		json_array("groups");
	} else if (!views->n) {
		print("no group in this network namespace: start paxosd, or see paxosctl group add --help\n");
	}
	for (i = 0; i < views->n; i++) {
		if (print_json) {
			status_print_json(&views->views[i]);
		} else {
			print("%s", i ? "\n" : "");
			status_print(&views->views[i]);
		}
		if (view_no_quorum(&views->views[i]))
			result = EXIT_NO_QUORUM;
	}
	if (print_json) {
		json_end();
		json_end();
	}
	return result;
}

int run_status(const struct arguments *arguments)
{
	const char *value = argument(arguments, "group");
	struct views views = { 0 };
	struct group_view view;
	struct kernel *kernel;
	uint64_t group = 0;
	int result;

	if (arguments->n_operands)
		value = arguments->operands[0];
	if (value && !parse_number(value, 1, UINT32_MAX, &group))
		return wrong(arguments, "a group is a number from 1 to 4294967295, not '%s'",
			     value);
	kernel = view_connect(arguments);
	if (!kernel)
		return EXIT_ERROR;
	if (group) {
		result = view_get(kernel, group, &view);
		views = (struct views){ .n = 1, .views = &view };
	} else {
		result = views_get(kernel, &views);
	}
	result = result ? view_complain(arguments, kernel, group) :
			  print_views(&views);
	if (!group)
		views_free(&views);
	kernel_close(kernel);
	return result;
}
