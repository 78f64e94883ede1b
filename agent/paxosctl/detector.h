/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSCTL_DETECTOR_H
#define _PAXOSCTL_DETECTOR_H

#include "../paxosd/control.h"
#include "command.h"

extern const struct option_spec detector_options[];
int run_detector(const struct arguments *arguments);
/* As text, or where JSON is wanted as that. */
void detector_print(uint32_t group, const struct control_detector *answer);

#endif
