/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSCTL_WATCH_H
#define _PAXOSCTL_WATCH_H

#include "view.h"

extern const struct option_spec watch_options[];
int run_watch(const struct arguments *arguments);

/* One event in words, such as "leader 2, ballot 4.2". */
#define EVENT_SIZE 160
int event_words(struct nlmsghdr *message, char text[EVENT_SIZE]);

#endif
