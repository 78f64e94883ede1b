// SPDX-License-Identifier: GPL-2.0
/*
 * From a log and a kernel to a member that runs, or to a sentence why not.
 *
 * A session is recorded on the disk before START. So the kernel's group, known
 * by its instance, is one of three: restoring, and may be started from this
 * log; running from this log, whose last session names it; or running from
 * something else, and to be left alone (law 3).
 */

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include "agent.h"
#include "group.h"
#include "say.h"

static int add_group(struct agent *agent)
{
	struct netlink *netlink = &agent->attached;
	const struct config *config = &agent->config;
	char difference[256];
	int result;

	result = group_add(netlink, config, state_joined(&agent->state));
	if (!result) {
		say_notice("group %u added to the kernel", config->group);
		return 0;
	}
	if (result != -EEXIST) {
		say_error("cannot add group %u: %s", config->group,
			  netlink->error);
		return -1;
	}
	result = group_compare(netlink, config, difference,
			       sizeof(difference));
	if (result < 0)
		say_error("group %u exists but cannot be looked at: %s",
			  config->group, netlink->error);
	if (result <= 0)
		return result;
	say_error("group %u exists and is not as configured: %s. Mend the file, or end that group: paxosctl group del %u",
		  config->group, difference, config->group);
	return agent_refuse(agent);
}

static int attach_group(struct agent *agent, struct group_state *state)
{
	struct netlink *netlink = &agent->attached;

	if (!group_attach(netlink, agent->config.group, state))
		return 0;
	say_error("cannot attach to group %u: %s", agent->config.group,
		  netlink->error);
	return -1;
}

struct restore {
	struct agent *agent;
	uint64_t records;
	int result;
};

static int restore_record(void *context, const struct record *record)
{
	struct restore *restore = context;
	struct agent *agent = restore->agent;

	if (record->type >= WAL_SESSION)
		return 0;
	restore->records++;
	restore->result = group_restore(&agent->attached, agent->config.group,
					record);
	return restore->result;
}

static int restore_records(struct agent *agent, uint64_t *records)
{
	struct restore restore = { .agent = agent };
	int result;

	group_restore_begin(&agent->attached, agent->config.group);
	result = wal_replay(&agent->wal, restore_record, &restore);
	if (result && !restore.result) {
		say_about(LOG_ERR, agent_wal_fault(agent), "%s",
			  agent->wal.error);
		return -1;
	}
	if (!result)
		result = group_restore_end(&agent->attached);
	if (result) {
		say_error("the kernel does not take the log in %s: %s. Member %u does not vote. LogSize and Memory must not be less than when the log was written",
			  agent->wal.path, agent->attached.error,
			  agent->config.self);
		return -1;
	}
	*records = restore.records;
	return 0;
}

static int confirm(struct agent *agent)
{
	if (!wal_confirm(&agent->wal, time(NULL)))
		return 0;
	say_about(LOG_ERR, agent_wal_fault(agent), "%s", agent->wal.error);
	return -1;
}

static void tell_lost(struct agent *agent)
{
	const struct config *config = &agent->config;

	agent->refuses = true;
	say_error("member %u has voted, and with Durability = memory its votes ended with the kernel or the group that held them: it stays mute. Replace it under a new id: paxosctl member replace %u NEW ADDRESS, on the leader's host",
		  config->self, config->self);
}

static void tell_recovered(const struct wal *wal)
{
	const struct wal_recovery *recovery = &wal->recovery;
	const time_t when = le64toh(recovery->time);
	char former[WAL_CLUSTER_NAME_SIZE], date[32] = "";
	struct tm tm;

	if (!recovery->time)
		return;
	if (gmtime_r(&when, &tm))
		strftime(date, sizeof(date), "%F %T UTC", &tm);
	say_notice("this cluster goes back to a recovery, %s: cluster %s had lost its quorum, and what it decided behind slot %" PRIu64
		   " is known here to slot %" PRIu64 " at most",
		   date, wal_cluster_name(former, recovery->former),
		   (uint64_t)le64toh(recovery->commit),
		   (uint64_t)le64toh(recovery->decided));
}

static int start_restored(struct agent *agent, const struct group_state *state)
{
	const struct config *config = &agent->config;
	struct wal *wal = &agent->wal;
	const uint64_t incarnation = wal->incarnation + 1;
	uint64_t records = 0;

	if (config->durability == PAXOS_NL_DURABILITY_MEMORY &&
	    wal->incarnation && wal->instance != state->instance) {
		/* Law 3; the status says so, too. */
		group_start(&agent->attached, config->group, 0, wal->end.lsn);
		tell_lost(agent);
		/* Another life of it, for who hears it say so. */
		return confirm(agent) ? -1 : START_LOST;
	}
	if (restore_records(agent, &records) || confirm(agent))
		return -1;
	if (wal_session(wal, state->instance, incarnation)) {
		say_about(LOG_ERR, agent_wal_fault(agent), "%s", wal->error);
		return -1;
	}
	if (group_start(&agent->attached, config->group, incarnation,
			wal->end.lsn)) {
		say_error("cannot start group %u: %s", config->group,
			  agent->attached.error);
		return -1;
	}
	tell_recovered(wal);
	say_about(LOG_NOTICE, SAY(.event = SAY_READY),
		  "member %u of group %u runs: incarnation %" PRIu64
		  ", %" PRIu64 " records restored, the last is %" PRIu64,
		  config->self, config->group, incarnation, records,
		  wal->end.lsn);
	return 0;
}

/* Is what runs in the kernel what is in the log? */
static int check_running(struct agent *agent, const struct group_state *state)
{
	const struct config *config = &agent->config;
	const struct wal *wal = &agent->wal;

	if (!wal->incarnation || wal->instance != state->instance) {
		say_error("group %u runs in this kernel, but was not started from the log in %s: this agent leaves it alone. Is there another StateDirectory that it was started from? If not, its votes are in no log, and member %u must be replaced under a new id",
			  config->group, wal->path, config->self);
		return agent_refuse(agent);
	}
	if (config->durability == PAXOS_NL_DURABILITY_SYNC &&
	    wal->end.lsn < state->durable) {
		say_about(LOG_ERR, SAY(.event = SAY_LOG_DAMAGED),
			  "the log in %s ends with record %" PRIu64
			  ", but all up to %" PRIu64
			  " was on the disk once: records are lost, and member %u must not vote. Put the lost files back, or replace the member under a new id",
			  wal->path, wal->end.lsn, state->durable,
			  config->self);
		return agent_refuse(agent);
	}
	return confirm(agent);
}

static int go_on(struct agent *agent, const struct group_state *state)
{
	const struct config *config = &agent->config;
	const struct wal *wal = &agent->wal;

	if (check_running(agent, state))
		return -1;
	say_about(LOG_NOTICE, SAY(.event = SAY_READY),
		  "member %u of group %u runs on: incarnation %" PRIu64
		  ", the last record on the disk is %" PRIu64,
		  config->self, config->group, wal->incarnation,
		  wal->end.lsn);
	return 0;
}

static int tell_stopped(struct agent *agent)
{
	say_error("group %u is stopped for good in this kernel: see the kernel's log. To begin anew from the disk: paxosctl group del %u, then start paxosd",
		  agent->config.group, agent->config.group);
	return agent_refuse(agent);
}

int start_group(struct agent *agent)
{
	struct group_state state;

	/* Last of the three: of two agents, the kernel names the other best. */
	if (add_group(agent) || attach_group(agent, &state) ||
	    heart_open(agent) || serve_open(agent))
		return -1;
	switch (state.state) {
	case PAXOS_NL_STATE_RESTORING:
		return start_restored(agent, &state);
	case PAXOS_NL_STATE_RUNNING:
		return go_on(agent, &state);
	}
	if (agent->config.durability == PAXOS_NL_DURABILITY_MEMORY) {
		tell_lost(agent);
		return confirm(agent) ? -1 : START_LOST;
	}
	return tell_stopped(agent);
}

int start_examined(struct agent *agent, struct group_state *state)
{
	uint64_t records;

	if (add_group(agent) || attach_group(agent, state) || heart_open(agent))
		return -1;
	switch (state->state) {
	case PAXOS_NL_STATE_RESTORING:
		return restore_records(agent, &records) || confirm(agent) ?
		       -1 : 0;
	case PAXOS_NL_STATE_RUNNING:
		return check_running(agent, state);
	}
	return tell_stopped(agent);
}
