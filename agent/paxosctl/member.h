/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSCTL_MEMBER_H
#define _PAXOSCTL_MEMBER_H

/* Changes of who takes part: each is a configuration that has to be chosen. */

#include "command.h"

extern const struct option_spec member_options[];
extern const struct option_spec member_wait_options[];

int run_member_add(const struct arguments *arguments);
int run_member_move(const struct arguments *arguments);
int run_member_remove(const struct arguments *arguments);
int run_member_promote(const struct arguments *arguments);
int run_member_demote(const struct arguments *arguments);
int run_member_replace(const struct arguments *arguments);

#endif
