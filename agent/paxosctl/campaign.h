/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSCTL_CAMPAIGN_H
#define _PAXOSCTL_CAMPAIGN_H

#include "command.h"

extern const struct option_spec campaign_options[];
int run_campaign(const struct arguments *arguments);

#endif
