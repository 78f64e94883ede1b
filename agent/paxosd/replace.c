// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include "replace.h"
#include "say.h"

#define CHANGE_MS	5000
#define SAY_AGAIN_NS	60000000000ULL

int replace_open(struct replace *replace, struct agent *agent)
{
	replace->agent = agent;
	replace->enabled = agent->config.auto_replace;
	if (!replace->enabled || !netlink_open(&replace->netlink))
		return 0;
	agent_fail(agent, "%s", replace->netlink.error);
	return -1;
}

void replace_close(struct replace *replace)
{
	if (replace->enabled)
		netlink_close(&replace->netlink);
}

int replace_fd(const struct replace *replace)
{
	return replace->asked.act ? netlink_fd(&replace->netlink) : -1;
}

/* The same thing once a minute. */
static bool is_news(struct replace *replace, struct replacement_step step,
		    int error)
{
	const uint64_t now = agent_now();

	if (replace->said.act == step.act && replace->said.id == step.id &&
	    replace->said_error == error && now - replace->when < SAY_AGAIN_NS)
		return false;
	replace->said = step;
	replace->said_error = error;
	replace->when = now;
	return true;
}

static void tell_done(struct replace *replace, struct replacement_step step)
{
	const struct replacement *replacement = &replace->replacement;
	char name[ADDRESS_NAME_SIZE];

	switch (step.act) {
	case REPLACEMENT_REMOVE:
		say_notice("member %u has lost its memory: it is removed", step.id);
		break;
	case REPLACEMENT_ADD:
		say_notice("the host at %s, which was member %u, is member %u from now on",
			   address_name(&replacement->place, name),
			   replacement->lost, step.id);
		break;
	case REPLACEMENT_PROMOTE:
		say_notice("member %u, which came in place of another, votes",
			   step.id);
		break;
	default:
		break;
	}
}

void replace_answer(struct replace *replace)
{
	const struct replacement_step step = replace->asked;
	bool made = false;
	int error;

	error = group_changed(&replace->netlink, &made);
	if (error == -EAGAIN && !replace->netlink.error[0])
		return;
	replace->asked.act = REPLACEMENT_NOTHING;
	/* Unknown or not chosen: the next look at the members says which. */
	if (!error && !made)
		error = -ETIMEDOUT;
	replacement_tried(&replace->replacement, step, error, agent_now());
	if (!error)
		tell_done(replace, step);
	else if (error != -EKEYREVOKED && error != -EINPROGRESS &&
		 is_news(replace, step, error))
		say_warning("member %u cannot be %s yet: %s", step.id,
			    step.act == REPLACEMENT_REMOVE ? "removed" :
			    step.act == REPLACEMENT_ADD ? "added" : "promoted",
			    error == -ETIMEDOUT ? "no answer in time" :
						  replace->netlink.error);
}

static void ask(struct replace *replace, struct replacement_step step,
		uint8_t role)
{
	const union address *place = step.act == REPLACEMENT_ADD ?
				     &replace->replacement.place : NULL;

	replace->netlink.error[0] = '\0';
	if (!group_change(&replace->netlink, replace->agent->config.group,
			  step.id, role, place, CHANGE_MS))
		replace->asked = step;
}

uint8_t replace_step(struct replace *replace, const struct group_state *state)
{
	struct replacement_step step;

	if (!replace->enabled || replace->asked.act)
		return 0;
	step = replacement_next(&replace->replacement, state, agent_now());
	switch (step.act) {
	case REPLACEMENT_REMOVE:
		ask(replace, step, PAXOS_NL_ROLE_NONE);
		break;
	case REPLACEMENT_ADD:
		ask(replace, step, PAXOS_NL_ROLE_LEARNER);
		break;
	case REPLACEMENT_PROMOTE:
		ask(replace, step, PAXOS_NL_ROLE_VOTER);
		break;
	case REPLACEMENT_TELL:
		return step.id;
	case REPLACEMENT_HELD:
		if (is_news(replace, step, 0))
			say_warning("member %u has lost its memory, too: one host a minute is replaced",
				    step.id);
		break;
	case REPLACEMENT_SPENT:
		if (is_news(replace, step, 0))
			say_warning("member %u has lost its memory, and no id is left for it: all of 1 to %u were used",
				    step.id, PAXOS_NL_MEMBERS_MAX);
		break;
	case REPLACEMENT_NOTHING:
		break;
	}
	return 0;
}
