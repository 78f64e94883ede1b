/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSCTL_LOCK_H
#define _PAXOSCTL_LOCK_H

#include "kv.h"

extern const struct option_spec lock_options[];

int run_lock(const struct arguments *arguments);

#endif
