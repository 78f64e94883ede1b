/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _BENCH_GROUP_H
#define _BENCH_GROUP_H

#include "bench.h"

struct group;

/* A netlink socket in the namespace of @member, where the process then is. */
struct group *group_open(int member, uint32_t id);
void group_close(struct group *group);

/* Makes member @self of the bench's group, durability in memory, started. */
void group_memory(int self);
void group_delete(int self);
/* All three members in memory, and the first leads. */
void group_memory_all(void);
void group_delete_all(void);

/* A proposal goes out; its answer comes by itself. */
void group_propose(struct group *group, const void *value, uint32_t size,
		   uint32_t seq);
/* Waits for the answer of some proposal and returns its seq: it was chosen. */
uint32_t group_answer(struct group *group);

/* commit_user: one proposal at a time. */
void group_commit_user(const char *key, const struct run *run);

#endif
