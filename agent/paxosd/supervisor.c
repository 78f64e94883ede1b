// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include "supervisor.h"

void supervisor_ready(const struct config *config)
{
	sd_notifyf(0, "READY=1\nSTATUS=member %u of group %u takes part",
		   config->self, config->group);
}

void supervisor_waits(const char *waits)
{
	sd_notifyf(0, "STATUS=This member %s\nEXTEND_TIMEOUT_USEC=30000000\nWATCHDOG=1",
		   waits);
}

void supervisor_reloading(void)
{
	struct timespec now;

	/* systemd tells by it which reload this one answers. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		   now.tv_sec * (uint64_t)1000000 + now.tv_nsec / 1000);
}

void supervisor_stopping(void)
{
	sd_notify(0, "STOPPING=1");
}

void supervisor_watch(struct supervisor *supervisor, uint64_t now)
{
	uint64_t limit = 0;

	/* Two may come late before the third is missed. */
	if (sd_watchdog_enabled(0, &limit) > 0)
		supervisor->period = limit * 1000 / 3;
	supervisor->due = now;
}

uint64_t supervisor_beat(struct supervisor *supervisor, uint64_t now)
{
	if (!supervisor->period)
		return UINT64_MAX;
	if (now >= supervisor->due) {
		sd_notify(0, "WATCHDOG=1");
		supervisor->due = now + supervisor->period;
	}
	return supervisor->due - now;
}
