/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOS_SAMPLE_H
#define _PAXOS_SAMPLE_H

#include <linux/mutex.h>
#include <linux/paxos.h>
#include <linux/types.h>

/* A counter that is the same on every host of a group. */
struct sample {
	struct paxos_handle *handle;
	struct mutex lock;	/* protects what follows; the owner initializes it */
	s64 sum;
	u64 applied;		/* values of ours */
	u64 slot;		/* of the last one */
	u32 epoch;
	u64 voters;
	bool quorum;
	int stopped;
};

/* sample.c: process context */
int sample_open(struct sample *sample, struct net *net, u32 group, u64 first,
		u32 timeout_ms);
void sample_close(struct sample *sample);
int sample_add(struct sample *sample, s64 add, u32 timeout_ms);
int sample_read(struct sample *sample, s64 *sum, u32 timeout_ms);

/* sample.c: the value that adds @add */
struct sample_value {
	__le32 magic;
	__le32 pad;
	__le64 add;
};

void sample_value(struct sample_value *value, s64 add);

#endif
