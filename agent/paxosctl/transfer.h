/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSCTL_TRANSFER_H
#define _PAXOSCTL_TRANSFER_H

#include "command.h"

extern const struct option_spec transfer_options[];
int run_transfer(const struct arguments *arguments);

#endif
