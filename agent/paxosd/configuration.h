/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSD_CONFIGURATION_H
#define _PAXOSD_CONFIGURATION_H

/*
 * A configuration as the log holds it: who the members are. Read and written by
 * the core's own code, which no other file of the agent sees.
 */

#include <stddef.h>
#include <stdint.h>
#include "address.h"

#define CONFIGURATION_MAX 1808	/* bytes of one, encoded */

/* Members are sets, by 1 << (id - 1). */
struct configuration {
	uint32_t epoch;
	uint64_t voters;
	uint64_t learners;
	uint64_t gone;		/* former members */
};

/* 0, or -1: these bytes are none. */
int configuration_decode(struct configuration *configuration,
			 const void *bytes, size_t length);
/* Likewise that of a checkpoint; -1 also where it is the first one. */
int configuration_of_checkpoint(struct configuration *configuration,
				const void *bytes, size_t length);
/*
 * The one that follows @former with @self as its only member, and voter, and
 * all the others gone. Returns its length.
 */
size_t configuration_alone(uint8_t bytes[CONFIGURATION_MAX],
			   const struct configuration *former, uint8_t self,
			   const union address *address);

#endif
