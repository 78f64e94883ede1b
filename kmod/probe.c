// SPDX-License-Identifier: GPL-2.0
#include "paths.h"

/*
 * Is a member's kernel there? It answers a Probe where the datagram arrives,
 * whether its group was started or not, in whatever epoch, with or without an
 * agent. So this is known apart from what agents say of each other, and without
 * a leader. No vote rests on it.
 */
static void send(struct paxos_group *group, u8 type, u8 to, u32 stamp)
{
	struct paxos_core *core = &group->core;
	struct paxos_message message = {
		.type = type,
		.from = core->settings.self,
		.to = to,
		.epoch = core->config.epoch,
		.commit = core->commit,
		.stamp = stamp,
	};

	if (core->state == PAXOS_RUNNING)
		message.probe.incarnation = core->incarnation;
	paxos_send(core, &message);
}

/* Probe those of whom nothing was heard for a while, and be called again. */
void paxos_probe_watch(struct paxos_group *group, u64 now)
{
	const struct paxos_config *config = &group->core.config;
	u64 rest = (config->voters | config->learners) &
		   ~paxos_member_bit(group->core.settings.self);

	lockdep_assert_held(&group->lock);
	if (group->probe_due <= now) {
		for (; rest; rest &= rest - 1) {
			u8 id = __ffs64(rest) + 1;
			struct paxos_probe_seen *probe = &group->probes[id];
			u64 heard = max(probe->heard,
					group->core.peers[id].heard);

			if (heard && now < heard + PAXOS_PROBE_US)
				continue;
			/* The answer may take longer than until the next. */
			if (!probe->stamp || (u32)now - probe->stamp >
					     PAXOS_AGENT_SILENCE_US)
				probe->stamp = (u32)now | 1;	/* 0 is none */
			send(group, PAXOS_PROBE, id, probe->stamp);
		}
		group->probe_due = now + PAXOS_PROBE_US;
	}
	paxos_group_watch(group, group->probe_due);
}

static enum paxos_drop reply(struct paxos_group *group,
			     const struct paxos_message *message, u64 now)
{
	struct paxos_probe_seen *probe = &group->probes[message->from];

	/* To a Probe of late, once: a recorded answer tells of no life. */
	if (message->stamp != probe->stamp)
		return PAXOS_DROP_STALE;
	probe->stamp = 0;
	probe->heard = now;
	probe->runs = message->probe.incarnation;
	if (probe->runs)
		paxos_member_heard(group, message->from, now);
	return PAXOS_DROP_NONE;
}

enum paxos_drop paxos_probe_receive(struct paxos_group *group,
				    const struct paxos_message *message,
				    u64 now)
{
	struct paxos_core *core = &group->core;
	enum paxos_drop drop = PAXOS_DROP_NONE;

	lockdep_assert_held(&group->lock);
	if (message->to != core->settings.self)
		return PAXOS_DROP_ADDRESSEE;
	/*
	 * One of the two has missed a configuration, and may hear nothing else
	 * that tells: it was away, or the last Commit of the old epoch was lost.
	 */
	if (message->epoch != core->config.epoch)
		drop = paxos_core_receive(core, message, now);
	if (message->from == core->settings.self ||
	    !paxos_config_has(&core->config, message->from))
		return drop ?: PAXOS_DROP_SENDER;
	if (message->type == PAXOS_PROBE_REPLY)
		return reply(group, message, now);
	send(group, PAXOS_PROBE_REPLY, message->from, message->stamp);
	return PAXOS_DROP_NONE;
}
