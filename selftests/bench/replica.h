/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _BENCH_REPLICA_H
#define _BENCH_REPLICA_H

#include "bench.h"

/*
 * userspace_accept: the client in the kernel, and member 2 in a process.
 * userspace_accept_sockets: the client is a process too.
 * userspace_commit: three members, each in a process.
 */
void replica_accept(const char *key, const struct run *run);
void replica_accept_sockets(const char *key, const struct run *run);
void replica_commit(const char *key, const struct run *run);

#endif
