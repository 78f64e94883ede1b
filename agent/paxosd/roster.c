// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include "roster.h"
#include "say.h"

void roster_open(struct roster *roster, const struct config *config)
{
	unsigned int i;

	memset(roster, 0, sizeof(*roster));
	roster->n = config->n_members;
	for (i = 0; i < config->n_members; i++) {
		roster->members[i] = config->members[i];
		roster->set |= 1ULL << (config->members[i].id - 1);
	}
}

int roster_distance(const struct config *config)
{
	const struct config_member *self = config_member(config, config->self);

	return address_port(&self->heartbeat) - address_port(&self->address);
}

/* The kernel has addresses a moment after the epoch that they are of. */
static bool is_followed(const struct roster *roster,
			const struct group_state *state)
{
	unsigned int i;

	if (state->epoch != roster->epoch || state->n_members != roster->n)
		return false;
	for (i = 0; i < state->n_members; i++)
		if (roster->members[i].id != state->members[i].id ||
		    !address_same(&roster->members[i].address,
				  &state->members[i].address))
			return false;
	return true;
}

/* Which members the configuration of another epoch added, or removed. */
static void tell_members(const struct roster *roster,
			 const struct roster *next)
{
	uint64_t bit;
	uint8_t id;

	/* What the file says is older, and need not be a configuration. */
	if (!roster->epoch)
		return;
	for (id = 1; id <= PAXOS_NL_MEMBERS_MAX; id++) {
		bit = 1ULL << (id - 1);
		if (next->set & ~roster->set & bit)
			say_about(LOG_NOTICE,
				  SAY(.event = SAY_MEMBER_ADDED, .peer = id),
				  "member %u was added: epoch %u", id,
				  next->epoch);
		else if (roster->set & ~next->set & bit)
			say_about(LOG_NOTICE,
				  SAY(.event = SAY_MEMBER_REMOVED, .peer = id),
				  "member %u was removed: epoch %u", id,
				  next->epoch);
	}
}

bool roster_follow(struct roster *roster, const struct config *config,
		   const struct group_state *state)
{
	const int distance = roster_distance(config);
	struct roster next = {
		.epoch = state->epoch,
		.n = state->n_members,
	};
	const struct config_member *known;
	struct config_member *member;
	unsigned int i;

	if (!state->epoch || is_followed(roster, state))
		return false;
	for (i = 0; i < state->n_members; i++) {
		/* Its address comes a moment later: see the next beat. */
		if (!state->members[i].address.any.sa_family)
			return false;
		known = config_member(config, state->members[i].id);
		member = &next.members[i];
		member->id = state->members[i].id;
		member->address = state->members[i].address;
		member->heartbeat = member->address;
		address_set_port(&member->heartbeat,
				 address_port(&member->address) + distance);
		if (known && address_same(&known->address, &member->address))
			member->heartbeat = known->heartbeat;
		next.set |= 1ULL << (member->id - 1);
	}
	tell_members(roster, &next);
	*roster = next;
	return true;
}
