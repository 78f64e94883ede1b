// SPDX-License-Identifier: GPL-2.0
#include "unit.h"

void broken(const char *what)
{
	fail_msg("%s", what);
	abort();
}
