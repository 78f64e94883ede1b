/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSD_RESTORE_H
#define _PAXOSD_RESTORE_H

/* Snapshots in files: `paxosd snapshot`, which `paxosctl snapshot` becomes. */

#include <stdbool.h>

struct agent;

/* Verify @path and say what is in it. 0, or -1 and it was told. */
int restore_show(const char *path, bool json);
/*
 * The snapshot in @path becomes the beginning of the log of agent->config's
 * member, the first one of a new cluster. 0, or -1 and it was told.
 */
int restore_member(struct agent *agent, const char *path, bool json);

#endif
