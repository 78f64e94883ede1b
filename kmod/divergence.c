// SPDX-License-Identifier: GPL-2.0
#include <net/netlink.h>
#include "consumer.h"
#include "paths.h"
#include "policy.h"

/* What core/divergence.c finds out, and what comes of it. */

static void judge(struct paxos_group *group, u64 now)
{
	struct paxos_divergence *divergence = &group->divergence;
	u64 before = divergence->differ;
	bool halted = divergence->halted;
	u64 rest;

	paxos_divergence_judge(divergence, &group->core.config,
			       group->core.settings.self, now);
	for (rest = divergence->differ & ~before; rest; rest &= rest - 1)
		paxos_notify_diverged(group, __ffs64(rest) + 1);
	if (divergence->halted != halted) {
		paxos_notify_halted(group);
		/*
		 * Who waits for something to be applied has waited for it; or
		 * what was held back comes, from the log, but to listeners.
		 */
		paxos_handles_kick(group);
		if (halted)
			paxos_notify_missed(group);
		else
			paxos_snapshot_end(group, -EBADMSG);
	}
	if (before && !divergence->differ)
		paxos_notify_plain(group, PAXOS_NL_EVENT_CONVERGED);
	if (divergence->differ)
		paxos_group_watch(group, now + USEC_PER_SEC);
}

/* Time has passed, or members have come and gone. */
void paxos_divergence_watch(struct paxos_group *group, u64 now)
{
	lockdep_assert_held(&group->lock);
	if (group->divergence.differ)
		judge(group, now);
}

/* @part: what a PEER_SET says of member @id. */
void paxos_divergence_heard(struct paxos_group *group, u8 id,
			    struct nlattr **part, u64 now)
{
	lockdep_assert_held(&group->lock);
	if (!part[PAXOS_A_MEMBER_COMMIT] || !part[PAXOS_A_MEMBER_CHECKSUM] ||
	    !part[PAXOS_A_MEMBER_MARK] || id == group->core.settings.self)
		return;
	paxos_divergence_hear(&group->divergence, &group->core, id,
			      nla_get_u64(part[PAXOS_A_MEMBER_COMMIT]),
			      nla_get_u64(part[PAXOS_A_MEMBER_CHECKSUM]),
			      nla_get_u64(part[PAXOS_A_MEMBER_MARK]));
	judge(group, now);
}

static int put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, PAXOS_A_PAD);
}

/* Of this member; a heartbeat takes it from here. */
int paxos_divergence_put(struct sk_buff *skb, const struct paxos_group *group)
{
	const struct paxos_core *core = &group->core;
	u64 mark = core->commit - core->commit % PAXOS_CHECKSUM_EVERY;

	if (put_u64(skb, PAXOS_A_CHECKSUM,
		    paxos_core_checksum(core, core->commit)) ||
	    put_u64(skb, PAXOS_A_MARK, paxos_core_checksum(core, mark)) ||
	    nla_put_u8(skb, PAXOS_A_HALTED, group->divergence.halted))
		return -EMSGSIZE;
	return group->divergence.slot ?
	       put_u64(skb, PAXOS_A_DIVERGED, group->divergence.slot) : 0;
}

/* Of member @id beside this one. */
int paxos_divergence_put_member(struct sk_buff *skb,
				const struct paxos_group *group, u8 id)
{
	const struct paxos_compared *member = &group->divergence.members[id];

	if (!member->same && !member->differs)
		return 0;
	return nla_put_u64_64bit(skb, PAXOS_A_MEMBER_SAME, member->same,
				 PAXOS_A_MEMBER_PAD) ?:
	       nla_put_u64_64bit(skb, PAXOS_A_MEMBER_DIFFERS, member->differs,
				 PAXOS_A_MEMBER_PAD);
}
