/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _BENCH_STORE_H
#define _BENCH_STORE_H

#include "bench.h"

/*
 * What @key names ("kernel.kv_put" ...) again and again, of the store of the
 * bench's group, at member 1; all members hold the store. The group is made
 * for this, in memory, unless run->running.
 */
void store_kernel(const char *key, const struct run *run);
void store_netlink(const char *key, const struct run *run);

#endif
