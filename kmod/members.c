// SPDX-License-Identifier: GPL-2.0
#include "paths.h"

/*
 * When anything was last heard of a member, from its kernel or its agent. Each
 * kernel answers a leader ten times a second, and only kernels vote: a leader
 * goes by them, or it would lose its quorum and name one that is large enough.
 */
static bool is_up(const struct paxos_group *group, u8 id, u64 now, u64 *until)
{
	bool leads = group->core.role == PAXOS_LEADER;
	const struct paxos_probe_seen *probe = &group->probes[id];
	u64 kernel = group->core.peers[id].heard;
	u64 agent = leads ? 0 : group->seen[id].heard;

	if (!leads && probe->runs)
		kernel = max(kernel, probe->heard);
	*until = max(kernel ? kernel + PAXOS_SILENCE_US : 0,
		     agent ? agent + PAXOS_AGENT_SILENCE_US : 0);
	return *until > now;
}

/* An authentic datagram or our agent spoke of member @id. */
void paxos_member_heard(struct paxos_group *group, u8 id, u64 now)
{
	u64 until;

	lockdep_assert_held(&group->lock);
	if (likely(group->up & paxos_member_bit(id)))
		return;
	if (id == group->core.settings.self ||
	    !paxos_config_has(&group->core.config, id) ||
	    !is_up(group, id, now, &until))
		return;
	group->up |= paxos_member_bit(id);
	paxos_group_watch(group, until);
	paxos_notify_member(group, PAXOS_NL_EVENT_MEMBER_UP, id);
}

/* Who has fallen silent? */
void paxos_members_watch(struct paxos_group *group, u64 now)
{
	u64 rest, until;
	u8 id;

	lockdep_assert_held(&group->lock);
	for (rest = group->up; rest; rest &= rest - 1) {
		id = __ffs64(rest) + 1;
		if (is_up(group, id, now, &until)) {
			paxos_group_watch(group, until);
			continue;
		}
		group->up &= ~paxos_member_bit(id);
		paxos_notify_member(group, PAXOS_NL_EVENT_MEMBER_DOWN, id);
	}
}

/* The set of members that are up, self included while it takes part. */
u64 paxos_members_up(const struct paxos_group *group, u64 now)
{
	const struct paxos_config *config = &group->core.config;
	u64 rest, until, up = 0;

	lockdep_assert_held(&group->lock);
	if (group->core.state == PAXOS_RUNNING)
		up = paxos_member_bit(group->core.settings.self);
	for (rest = config->voters | config->learners; rest; rest &= rest - 1)
		if (is_up(group, __ffs64(rest) + 1, now, &until))
			up |= rest & -rest;
	return up;
}
