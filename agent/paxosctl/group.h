/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSCTL_GROUP_H
#define _PAXOSCTL_GROUP_H

#include "../paxosd/config.h"
#include "command.h"

extern const struct option_spec group_add_options[];
extern const struct option_spec group_set_options[];
extern const struct option_spec start_options[];

int run_group_add(const struct arguments *arguments);
int run_group_set(const struct arguments *arguments);
int run_group_del(const struct arguments *arguments);
int run_group_list(const struct arguments *arguments);
int run_start(const struct arguments *arguments);

/*
 * "3,10.0.0.3:7400" or "3,[fd00::3]:7400,learner". Returns NULL, or what it
 * must be.
 */
const char *parse_member(const char *text, struct config_member *member);

#endif
