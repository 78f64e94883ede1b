/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSD_SURVIVOR_H
#define _PAXOSD_SURVIVOR_H

/*
 * What the log of a member holds whose cluster lost its quorum for good, and
 * the records that make a cluster of this member alone. No files here.
 */

#include "configuration.h"
#include "wal.h"

/* Missing slots that one recovery fills: they go into one batch. */
#define SURVIVOR_MISSING_MAX	16384

struct survivor_slot;

/**
 * struct survivor - what was found
 * @self: the member
 * @commit: slots up to here are known to be chosen
 * @highest: the highest slot with a value
 * @missing: slots between the two without one
 * @ballot: the highest one in any record
 * @configuration: in force behind @commit, then, after survivor_decide(), once
 *                 all that is held is chosen
 */
struct survivor {
	uint8_t self;
	uint64_t commit;
	uint64_t highest;
	uint64_t missing;
	uint64_t ballot;
	struct configuration configuration;
	struct survivor_slot *slots;
};

/* @first: what the log begins with; epoch 0 of a host that joined. */
int survivor_init(struct survivor *survivor, uint8_t self,
		  const struct configuration *first);
void survivor_free(struct survivor *survivor);
/* A record of the log, in its order: a wal_visit. */
int survivor_add(void *survivor, const struct record *record);

/**
 * struct survivor_records - what is appended to the log
 * @records: @n of them, their lsn not given yet; to be freed
 * @config: the configuration of the survivor alone, in them
 * @slot: its slot, the last one
 */
struct survivor_records {
	struct record *records;
	size_t n;
	uint64_t slot;
	uint8_t config[CONFIGURATION_MAX];
};

/*
 * All that was accepted is chosen as it is, what is missing between becomes
 * no-ops, and behind it stands the configuration of @self alone, which listens
 * at @address. NULL, or a sentence why that cannot be.
 */
const char *survivor_decide(struct survivor *survivor,
			    const union address *address, uint64_t incarnation,
			    struct survivor_records *records);

#endif
