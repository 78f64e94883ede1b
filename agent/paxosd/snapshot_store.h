/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSD_SNAPSHOT_STORE_H
#define _PAXOSD_SNAPSHOT_STORE_H

/* The snapshots in a state directory. */

#include <stdint.h>

#define SNAPSHOTS_LISTED 128	/* more than can be kept */

/* Slots of those that are there, the newest first; how many. */
unsigned int snapshot_list(int directory, uint64_t slots[SNAPSHOTS_LISTED]);
/* All but the newest @kept go. */
void snapshot_prune(int directory, unsigned int kept);
/* It is not in the list any more, but there for a person. 0, or -1 and errno. */
int snapshot_set_aside(int directory, uint64_t slot);
/* What was begun and not finished goes. */
void snapshot_tidy(int directory);

#endif
