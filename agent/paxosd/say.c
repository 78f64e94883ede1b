// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "say.h"

void say(int level, const char *format, ...)
{
	char line[1024], prefix[16] = "paxosd: ";
	va_list args;

	if (getenv("JOURNAL_STREAM"))
		snprintf(prefix, sizeof(prefix), "<%d>", level);
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	/* One call, so lines of two threads do not mix. */
	fprintf(stderr, "%s%s%s\n", prefix,
		level == LOG_WARNING ? "warning: " : "", line);
}
