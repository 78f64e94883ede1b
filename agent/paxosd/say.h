/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSD_SAY_H
#define _PAXOSD_SAY_H

/*
 * What the agent tells a person, on standard error: one sentence a line. To the
 * journal each line starts with its level, as sd-daemon(3) has it.
 */

#include <syslog.h>

__attribute__((format(printf, 2, 3)))
void say(int level, const char *format, ...);

#define say_error(...)		say(LOG_ERR, __VA_ARGS__)
#define say_warning(...)	say(LOG_WARNING, __VA_ARGS__)
#define say_notice(...)		say(LOG_NOTICE, __VA_ARGS__)

#endif
