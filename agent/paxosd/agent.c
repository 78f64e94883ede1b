// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/ioprio.h>
#include <linux/prctl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "agent.h"
#include "say.h"
#include "supervisor.h"

#define HAND_OVER_MS 2000
#define NICE 10

uint64_t agent_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

struct say_about agent_wal_fault(const struct agent *agent)
{
	return SAY(.event = agent->wal.damaged ? SAY_LOG_DAMAGED :
		   agent->wal.failed ? SAY_DISK_FAILED : SAY_PLAIN);
}

void agent_fail_as(struct agent *agent, struct say_about about,
		   const char *format, ...)
{
	const uint64_t one = 1;
	char text[WAL_ERROR_SIZE];
	va_list args;

	if (atomic_exchange(&agent->has_failed, true))
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	say_about(LOG_ERR, about, "%s", text);
	if (write(agent->failed, &one, sizeof(one)) < 0)
		abort();
}

void agent_lower_priority(const char *name)
{
	const pid_t thread = syscall(SYS_gettid);

	/* A failure costs some of the others' time and nothing else. */
	if (setpriority(PRIO_PROCESS, thread, NICE) ||
	    syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, thread,
		    IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, IOPRIO_NR_LEVELS - 1)) ||
	    pthread_setname_np(pthread_self(), name))
		errno = 0;
}

int agent_open(struct agent *agent)
{
	sigset_t set;

	/* Who reads what is said may end. */
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	agent->signals = signalfd(-1, &set, SFD_CLOEXEC);
	agent->leave = eventfd(0, EFD_CLOEXEC);
	agent->left = eventfd(0, EFD_CLOEXEC);
	agent->reload = eventfd(0, EFD_CLOEXEC);
	agent->reloaded = eventfd(0, EFD_CLOEXEC);
	agent->stop = eventfd(0, EFD_CLOEXEC);
	agent->failed = eventfd(0, EFD_CLOEXEC);
	if (agent->signals >= 0 && agent->leave >= 0 && agent->left >= 0 &&
	    agent->reload >= 0 && agent->reloaded >= 0 && agent->stop >= 0 &&
	    agent->failed >= 0)
		return 0;
	say_error("no file descriptors: %s", strerror(errno));
	return -1;
}

/*
 * The heart takes what was read, between two beats, as it is the one that goes
 * by it. All of it or, where something cannot change, none.
 */
static void reload(struct agent *agent)
{
	const uint64_t one = 1;
	char error[WAL_ERROR_SIZE];
	struct pollfd events[] = {
		{ .fd = agent->reloaded, .events = POLLIN },
		{ .fd = agent->failed, .events = POLLIN },
	};
	uint64_t count;

	supervisor_reloading();
	if (config_read_again(&agent->fresh, &agent->filed, agent->path,
			      error, sizeof(error))) {
		say_about(LOG_ERR, SAY(.event = SAY_NOT_RELOADED),
			  "%s. All stays as it was", error);
		supervisor_ready(&agent->config);
		return;
	}
	if (agent->fresh.warning[0])
		say_warning("%s", agent->fresh.warning);
	if (write(agent->reload, &one, sizeof(one)) < 0)
		abort();
	while (poll(events, 2, -1) < 0)
		;
	if (!events[0].revents ||
	    read(agent->reloaded, &count, sizeof(count)) < 0)
		return;
	say_about(LOG_NOTICE, SAY(.event = SAY_RELOADED),
		  "%s was read again and holds from now on", agent->path);
	supervisor_ready(&agent->config);
}

/* A signal that ends the agent, or a thread that has failed. */
static void wait_for_end(struct agent *agent)
{
	struct signalfd_siginfo signal;
	struct pollfd events[] = {
		{ .fd = agent->signals, .events = POLLIN },
		{ .fd = agent->failed, .events = POLLIN },
	};

	for (;;) {
		while (poll(events, 2, -1) < 0)
			;
		if (events[1].revents ||
		    read(agent->signals, &signal, sizeof(signal)) < 0)
			return;
		if (signal.ssi_signo != SIGHUP)
			break;
		reload(agent);
	}
	say_about(LOG_NOTICE, SAY(.event = SAY_STOPPING),
		  "%s: the agent ends; group %u stays in the kernel, silent until an agent attaches",
		  signal.ssi_signo == SIGINT ? "SIGINT" : "SIGTERM",
		  agent->config.group);
}

/*
 * Who leads hands that over before it falls silent; the disk thread goes on
 * meanwhile. Not for longer than a moment, and not after a second signal to end.
 */
static void hand_over(struct agent *agent)
{
	const uint64_t one = 1;
	sigset_t ends;
	struct pollfd events[] = {
		{ .fd = agent->left, .events = POLLIN },
		{ .fd = agent->signals, .events = POLLIN },
		{ .fd = agent->failed, .events = POLLIN },
	};

	/* SIGHUP stays blocked, and unread. */
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	if (signalfd(agent->signals, &ends, 0) < 0 ||
	    write(agent->leave, &one, sizeof(one)) < 0)
		abort();
	poll(events, 3, HAND_OVER_MS);
}

void agent_take_snapshots(struct agent *agent)
{
	atomic_store(&agent->snapshots.after, agent->config.snapshot_after);
	atomic_store(&agent->snapshots.kept, agent->config.snapshots_kept);
}

static int start_thread(struct agent *agent, pthread_t *thread, bool *started,
			void *(*run)(void *))
{
	const int error = pthread_create(thread, NULL, run, agent);

	*started = !error;
	if (error)
		agent_fail(agent, "no thread: %s", strerror(error));
	return error;
}

/*
 * No vote leaves before the disk thread has written it. Where pages are written
 * back to what a kernel subsystem makes of this group, that must not wait for
 * memory that only they would free. What is touched later stays, too, but is not
 * taken before: stacks are larger than what is used of them. Under a limit that
 * would be no thread at all.
 */
static void stay_in_memory(void)
{
	const struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };

	if (setrlimit(RLIMIT_MEMLOCK, &none) || mlockall(MCL_CURRENT) ||
	    mlockall(MCL_FUTURE | MCL_ONFAULT) ||
	    prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0))
		say_warning("cannot keep to memory of its own: %s. A kernel subsystem that pages are written back to may wait for itself: CAP_SYS_RESOURCE allows it",
			    strerror(errno));
}

int agent_run(struct agent *agent)
{
	const uint64_t one = 1;
	bool disk = false, heart = false, serve = false, transfer = false;
	bool metrics = false, snapshot = false, question = false;
	unsigned int i;

	for (i = 0; i < agent->config.n_members; i++)
		agent->members |= 1ULL << (agent->config.members[i].id - 1);
	atomic_store(&agent->transfer_rate, agent->config.transfer_rate);
	agent_take_snapshots(agent);
	if (agent->config.durability == PAXOS_NL_DURABILITY_SYNC)
		stay_in_memory();
	if (agent->config.durability == PAXOS_NL_DURABILITY_MEMORY ||
	    (!start_thread(agent, &agent->disk_thread, &disk, disk_run) &&
	     !start_thread(agent, &agent->serve_thread, &serve, serve_run) &&
	     !start_thread(agent, &agent->transfer_thread, &transfer,
			   transfer_run) &&
	     !start_thread(agent, &agent->snapshot_thread, &snapshot,
			   snapshot_run) &&
	     !start_thread(agent, &agent->question_thread, &question,
			   question_run)))
		start_thread(agent, &agent->heart_thread, &heart, heart_run);
	if (heart && agent->config.metrics[0])
		start_thread(agent, &agent->metrics_thread, &metrics,
			     metrics_run);
	if (!atomic_load(&agent->has_failed))
		supervisor_ready(&agent->config);
	wait_for_end(agent);
	supervisor_stopping();
	if (heart && !atomic_load(&agent->has_failed))
		hand_over(agent);
	if (write(agent->stop, &one, sizeof(one)) < 0)
		abort();
	if (heart)
		pthread_join(agent->heart_thread, NULL);
	if (metrics)
		pthread_join(agent->metrics_thread, NULL);
	if (question)
		pthread_join(agent->question_thread, NULL);
	if (snapshot)
		pthread_join(agent->snapshot_thread, NULL);
	if (transfer)
		pthread_join(agent->transfer_thread, NULL);
	if (serve)
		pthread_join(agent->serve_thread, NULL);
	if (disk)
		pthread_join(agent->disk_thread, NULL);
	return atomic_load(&agent->has_failed) ? -1 : 0;
}
