/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSCTL_RECOVER_H
#define _PAXOSCTL_RECOVER_H

#include "command.h"

extern const struct option_spec recover_options[];
int run_recover(const struct arguments *arguments);

#endif
