// SPDX-License-Identifier: GPL-2.0
/*
 * The thread that touches the disk: what the kernel gives goes into one batch,
 * and the next PULL says that it is on the disk.
 */

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include "agent.h"
#include "group.h"
#include "say.h"
#include "space.h"
#include "wal_trim.h"

#define IDLE_MS		1000	/* until the end of the log is marked */
#define FULL_MS		50	/* until the log, or memory, is looked at again */

static int add_record(void *context, const struct record *record)
{
	struct wal *wal = context;

	return wal_add(wal, record) ? -EIO : 0;
}

/* Why the kernel does not answer a PULL any more. */
static void fail_pull(struct agent *agent, int error)
{
	const uint32_t group = agent->config.group;

	switch (error) {
	case -ESHUTDOWN:
	case -ENOENT:
		agent_fail(agent,
			   "group %u was deleted, or the module is being removed: the agent ends",
			   group);
		break;
	case -ERANGE:
		agent_fail(agent,
			   "the kernel does not accept record %" PRIu64
			   " as the last on the disk: %s. Nothing more is acknowledged",
			   agent->wal.end.lsn, agent->attached.error);
		break;
	default:
		agent_fail(agent, "cannot pull records of group %u: %s", group,
			   agent->attached.error);
	}
}

static int pull(struct agent *agent)
{
	struct pollfd stop = { .fd = agent->stop, .events = POLLIN };
	int error;

	do
		error = group_pull(&agent->attached, agent->config.group,
				   agent->wal.end.lsn);
	while ((error == -ENOBUFS || error == -ENOMEM) &&
	       !poll(&stop, 1, FULL_MS));
	if (error)
		fail_pull(agent, error);
	return error;
}

/* The kernel has answered: records, or an error. */
static int serve(struct agent *agent)
{
	struct wal *wal = &agent->wal;
	uint64_t began;
	size_t bytes;
	int error;

	wal->error[0] = '\0';
	error = group_records(&agent->attached, add_record, wal);
	if (error == -EAGAIN)
		return 0;
	if (error == -ENOBUFS)
		return pull(agent);
	if (error && wal->error[0]) {
		agent_fail_as(agent, agent_wal_fault(agent), "%s", wal->error);
		return error;
	}
	if (error) {
		fail_pull(agent, error);
		return error;
	}
	began = agent_now();
	bytes = wal->filled;
	atomic_store(&agent->writing_since, began);
	error = space_begin(agent) ?: wal_commit(wal);
	atomic_store(&agent->writing_since, 0);
	if (error) {
		agent_fail_as(agent, agent_wal_fault(agent), "%s", wal->error);
		return error;
	}
	metrics_batch(&agent->disk, agent_now() - began, bytes);
	atomic_fetch_add(&agent->snapshots.grown, bytes);
	return pull(agent);
}

/* Space for the next segment, while this one has some left. */
static void look_ahead(struct agent *agent, bool *warned)
{
	const bool full = agent->wal.full;
	const bool short_of = full || wal_prepare(&agent->wal);

	if (full && !*warned && atomic_load(&agent->snapshots.wanted))
		say_warning("the log takes all of LogSpace, and no snapshot stands for what is in it: member %u is silent until one does",
			    agent->config.self);
	else if (full && !*warned)
		say_warning("the log takes all of LogSpace, and what is not chosen yet cannot go. When the segment in use is full, member %u falls silent",
			    agent->config.self);
	else if (short_of && !*warned)
		say_warning("%s. When the segment in use is full, member %u falls silent",
			    agent->wal.error, agent->config.self);
	*warned = short_of;
}

/* Nothing is to be written: some of the space for it is. */
static bool write_ahead(struct agent *agent)
{
	int more;

	atomic_store(&agent->writing_since, agent_now());
	more = wal_zero(&agent->wal);
	atomic_store(&agent->writing_since, 0);
	if (more < 0)
		say_warning("%s. The log goes on in another file",
			    agent->wal.error);
	return more > 0;
}

/* Nor was for a while: how far the log goes is put down for good. */
static void mark(struct agent *agent)
{
	int result;

	atomic_store(&agent->writing_since, agent_now());
	result = wal_mark(&agent->wal);
	atomic_store(&agent->writing_since, 0);
	if (result)
		say_warning("%s. If the power goes, damage to the last records is not known from records that never were whole",
			    agent->wal.error);
}

/* ms until there is something to do beside what the kernel gives. */
static int patience(const struct agent *agent, const struct space *space)
{
	return agent->wal.unmarked ? IDLE_MS : space_wait(agent, space);
}

void *disk_run(void *context)
{
	struct agent *agent = context;
	struct pollfd events[] = {
		{ .fd = agent->stop, .events = POLLIN },
		{ .fd = netlink_fd(&agent->attached), .events = POLLIN },
	};
	struct space space = { 0 };
	bool warned = false, more;
	int n;

	if (pull(agent))
		return NULL;
	for (;;) {
		/* What goes may become the space for the next segment. */
		if (space_keep(agent, &space))
			return NULL;
		look_ahead(agent, &warned);
		/* Silent for now; a snapshot makes room. */
		if (space_waits(agent)) {
			if (poll(events, 1, FULL_MS) > 0)
				return NULL;
			continue;
		}
		n = poll(events, 2, 0);
		if (!n) {
			more = write_ahead(agent);
			n = poll(events, 2,
				 more ? 0 : patience(agent, &space));
			if (!n && !more)
				mark(agent);
		}
		if (!n)
			continue;
		if (n < 0) {
			if (errno == EINTR)
				continue;
			agent_fail(agent, "cannot wait: %s", strerror(errno));
			return NULL;
		}
		if (events[0].revents)
			return NULL;
		if (events[1].revents && serve(agent))
			return NULL;
	}
}
