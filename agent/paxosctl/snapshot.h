/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSCTL_SNAPSHOT_H
#define _PAXOSCTL_SNAPSHOT_H

#include "command.h"

extern const struct option_spec snapshot_save_options[];
extern const struct option_spec snapshot_restore_options[];
int run_snapshot_save(const struct arguments *arguments);
int run_snapshot_show(const struct arguments *arguments);
int run_snapshot_restore(const struct arguments *arguments);

#endif
