// SPDX-License-Identifier: GPL-2.0
/*
 * The thread that writes the file of Metrics. It has sockets of its own and asks
 * as paxosctl does, so that nobody waits for it or for that file.
 */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "agent.h"
#include "metrics.h"
#include "say.h"

#define EVERY_MS 5000

/* The answer of the kernel, kept. */
static int keep(void *context, const struct nlmsghdr *message,
		const struct nlattr *const attrs[])
{
	struct nlmsghdr **kept = context;

	(void)attrs;
	free(*kept);
	*kept = malloc(message->nlmsg_len);
	if (!*kept)
		return -ENOMEM;
	memcpy(*kept, message, message->nlmsg_len);
	return 0;
}

static struct nlmsghdr *ask(struct netlink *netlink, uint8_t cmd,
			    uint32_t group)
{
	struct nlmsghdr *message = NULL;

	netlink_begin(netlink, cmd, group);
	if (netlink_ask(netlink, keep, &message)) {
		free(message);
		return NULL;
	}
	return message;
}

/* Who reads it sees the former file or this one. 0 or -1. */
static int replace(const char *path, const char *page, size_t size)
{
	char former[PATH_MAX + 8];
	FILE *file;
	int error;

	snprintf(former, sizeof(former), "%s.new", path);
	unlink(former);
	file = fopen(former, "wxe");
	if (!file)
		return -1;
	/* For the collector, who is another user; status is public, too. */
	if (fwrite(page, 1, size, file) == size &&
	    !fchmod(fileno(file), 0644)) {
		if (!fclose(file) && !rename(former, path))
			return 0;
		error = errno;
	} else {
		error = errno;
		fclose(file);
	}
	unlink(former);
	errno = error;
	return -1;
}

static void renew(struct agent *agent, struct netlink *netlink, bool *failing)
{
	static struct control_detector detector;
	const struct config *config = &agent->config;
	struct nlmsghdr *group = ask(netlink, PAXOS_CMD_GROUP_GET,
				     config->group);
	struct nlmsghdr *stats = ask(netlink, PAXOS_CMD_STATS_GET,
				     config->group);
	struct metrics_sources sources = {
		.id = config->group,
		.group = group,
		.stats = stats,
	};
	char error[256];
	size_t size;
	char *page;

	if (!control_ask(config->group, &detector, error, sizeof(error)))
		sources.detector = &detector;
	if (config->durability == PAXOS_NL_DURABILITY_SYNC)
		sources.disk = &agent->disk;
	page = metrics_page(&sources, &size);
	if (!page || replace(config->metrics, page, size)) {
		if (!*failing)
			say_warning("cannot write %s: %s", config->metrics,
				    strerror(errno));
		*failing = true;
	} else {
		*failing = false;
	}
	free(page);
	free(group);
	free(stats);
}

void *metrics_run(void *context)
{
	struct agent *agent = context;
	struct pollfd stop = { .fd = agent->stop, .events = POLLIN };
	struct netlink netlink;
	bool failing = false;

	agent_lower_priority("metrics");
	if (netlink_open(&netlink)) {
		say_warning("no metrics: %s", netlink.error);
	} else {
		do
			renew(agent, &netlink, &failing);
		while (poll(&stop, 1, EVERY_MS) <= 0);
		/* What is not true any more is worse than nothing. */
		unlink(agent->config.metrics);
	}
	netlink_close(&netlink);
	return NULL;
}
