/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSD_SUPERVISOR_H
#define _PAXOSD_SUPERVISOR_H

#include <stdint.h>
#include "config.h"

/*
 * What systemd is told, as sd_notify(3) has it. Where nothing supervises the
 * agent, nothing is said.
 */

/* The member takes part: it is restored, attached and started. */
void supervisor_ready(const struct config *config);
/* It reads its configuration again; supervisor_ready() says that it has. */
void supervisor_reloading(void);
/* It is about to end. */
/* Not ready, and not to be given up: it @waits, a sentence about this member. */
void supervisor_waits(const char *waits);
void supervisor_stopping(void);

/**
 * struct supervisor - the watchdog
 * @period: ns between two signs of life, 0: none is asked for
 * @due: when the next one is
 */
struct supervisor {
	uint64_t period;
	uint64_t due;
};

void supervisor_watch(struct supervisor *supervisor, uint64_t now);
/* A sign of life, if it is due. Returns ns until the next, or UINT64_MAX. */
uint64_t supervisor_beat(struct supervisor *supervisor, uint64_t now);

#endif
