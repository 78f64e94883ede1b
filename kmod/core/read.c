// SPDX-License-Identifier: GPL-2.0
#include "internal.h"

/*
 * Quorum read. Whatever was chosen before the read began was accepted by an
 * Accept quorum, of this configuration or the one before; a Prepare quorum meets
 * each of those, so one of its members names a slot at least as high. Once that
 * slot is delivered here, so is all of it.
 */

/* The highest slot that this member may have voted for, or knows chosen. */
static u64 highest(const struct paxos_core *core)
{
	return max(core->log.last, core->commit);
}

static void read_finish(struct paxos_core *core, struct paxos_read *read,
			enum paxos_outcome outcome)
{
	void *cookie = read->cookie;

	memset(read, 0, sizeof(*read));
	core->n_reads--;
	core->ops->read_done(core, cookie, outcome, core->commit);
}

static void read_ask(struct paxos_core *core, struct paxos_read *read)
{
	u64 silent = core->config.voters & ~read->answers;
	u64 rest;
	u8 id;

	paxos_for_each_member(id, rest, silent) {
		struct paxos_message message = {
			.read.incarnation = core->incarnation,
			.read.id = read->id,
		};

		paxos_message_send(core, id, PAXOS_READ, core->ballot,
				   &message);
	}
}

/* A quorum has answered: have what it named delivered here. */
static void read_settle(struct paxos_core *core, struct paxos_read *read)
{
	struct paxos_message message = {
		.fetch.first = core->commit + 1,
		.fetch.last = read->slot,
	};

	if (core->commit >= read->slot)
		read_finish(core, read, PAXOS_OUTCOME_CHOSEN);
	else if (core->role == PAXOS_LEADER)
		paxos_leader_fill(core, read->slot);
	else if (core->leader)
		paxos_message_send(core, core->leader, PAXOS_FETCH,
				   core->ballot, &message);
}

static void read_progress(struct paxos_core *core, struct paxos_read *read)
{
	read->retry = core->now + PAXOS_RTO_INITIAL_US;
	paxos_wake(core, read->retry);
	if (!read->answered)
		read->answered = paxos_quorum_read(&core->config,
						   read->answers);
	if (read->answered)
		read_settle(core, read);
}

int paxos_core_read(struct paxos_core *core, u64 deadline, void *cookie,
		    u64 now)
{
	struct paxos_read *read = core->reads;

	if (core->state != PAXOS_RUNNING)
		return -EUNATCH;
	if (core->n_reads == PAXOS_READS_MAX)
		return -EAGAIN;
	core->now = max(core->now, now);
	while (read->id)
		read++;
	core->n_reads++;
	read->id = ++core->next_read;
	read->cookie = cookie;
	read->deadline = deadline;
	read->slot = highest(core);
	read->answers = paxos_member_bit(core->settings.self) &
			core->config.voters;
	paxos_wake(core, deadline);
	read_ask(core, read);
	read_progress(core, read);
	paxos_call_end(core);
	return 0;
}

enum paxos_drop paxos_read_receive(struct paxos_core *core,
				   const struct paxos_message *message)
{
	struct paxos_message answer = {
		.stamp = message->stamp,
		.read.incarnation = message->read.incarnation,
		.read.id = message->read.id,
		.read.slot = highest(core),
	};

	if (!paxos_config_votes(&core->config, core->settings.self))
		return PAXOS_DROP_SENDER;
	paxos_message_send(core, message->from, PAXOS_READ_REPLY, core->ballot,
			   &answer);
	return PAXOS_DROP_NONE;
}

enum paxos_drop paxos_read_reply(struct paxos_core *core,
				 const struct paxos_message *message)
{
	struct paxos_read *read = core->reads;
	u32 i;

	if (!paxos_config_votes(&core->config, message->from))
		return PAXOS_DROP_SENDER;
	/* An answer to a read of a former life says nothing of this one. */
	if (message->read.incarnation != core->incarnation)
		return PAXOS_DROP_STALE;
	paxos_peer_answered(core, message, &core->peers[message->from].network);
	for (i = 0; i < PAXOS_READS_MAX; i++, read++) {
		if (read->id != message->read.id)
			continue;
		if (read->answered)
			break;
		read->answers |= paxos_member_bit(message->from);
		read->slot = max(read->slot, message->read.slot);
		read_progress(core, read);
		return PAXOS_DROP_NONE;
	}
	return PAXOS_DROP_STALE;
}

/* The commit has moved. */
void paxos_read_delivered(struct paxos_core *core)
{
	struct paxos_read *read = core->reads;
	u32 i;

	if (!core->n_reads)
		return;
	for (i = 0; i < PAXOS_READS_MAX; i++, read++)
		if (read->id && read->answered && core->commit >= read->slot)
			read_finish(core, read, PAXOS_OUTCOME_CHOSEN);
}

/*
 * The configuration has changed: what the voters of the former one answered
 * says nothing of what the new ones may have chosen before the read began.
 */
void paxos_read_renew(struct paxos_core *core)
{
	struct paxos_read *read = core->reads;
	u32 i;

	for (i = 0; i < PAXOS_READS_MAX; i++, read++) {
		if (!read->id)
			continue;
		read->answered = false;
		read->answers = paxos_member_bit(core->settings.self) &
				core->config.voters;
		read->slot = max(read->slot, highest(core));
		read->retry = core->now;
		paxos_wake(core, core->now);
	}
}

void paxos_read_tick(struct paxos_core *core)
{
	struct paxos_read *read = core->reads;
	u32 i;

	if (!core->n_reads)
		return;
	for (i = 0; i < PAXOS_READS_MAX; i++, read++) {
		if (!read->id)
			continue;
		if (read->deadline <= core->now) {
			read_finish(core, read, PAXOS_OUTCOME_NOT_CHOSEN);
			continue;
		}
		paxos_wake(core, read->deadline);
		if (read->retry <= core->now) {
			if (!read->answered)
				read_ask(core, read);
			read_progress(core, read);
			continue;
		}
		paxos_wake(core, read->retry);
	}
}

void paxos_read_end(struct paxos_core *core)
{
	struct paxos_read *read = core->reads;
	u32 i;

	for (i = 0; i < PAXOS_READS_MAX; i++, read++)
		if (read->id)
			read_finish(core, read, PAXOS_OUTCOME_NOT_CHOSEN);
}
