/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSCTL_STATUS_H
#define _PAXOSCTL_STATUS_H

#include "view.h"

extern const struct option_spec status_options[];
int run_status(const struct arguments *arguments);

void status_print(const struct group_view *view);
void status_print_json(const struct group_view *view);

#endif
