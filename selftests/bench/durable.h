/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _BENCH_DURABLE_H
#define _BENCH_DURABLE_H

#include "bench.h"

/*
 * load: run->outstanding proposals to member 1 at any time, for run->seconds.
 * raw: write() of run->size bytes and fdatasync() again and again, in a file
 * run->path whose blocks are allotted and written before.
 * Both print "KEY OUTSTANDING|SIZE COUNT NANOSECONDS".
 */
void durable_load(const char *key, const struct run *run);
void durable_raw(const char *key, const struct run *run);

#endif
