// SPDX-License-Identifier: GPL-2.0
/*
 * The smallest consumer of a group: a counter. kmod/api.md quotes this file.
 */
#include <linux/err.h>
#include <linux/errno.h>
#include "sample.h"

#define SAMPLE_MAGIC	0x4d535850	/* "PXSM": a group may have others */

void sample_value(struct sample_value *value, s64 add)
{
	*value = (struct sample_value){
		.magic = cpu_to_le32(SAMPLE_MAGIC),
		.add = cpu_to_le64(add),
	};
}

/* Every host sees the same values in the same order, so the same sum. */
static void sample_apply(void *context, u64 slot, const void *bytes, u32 len)
{
	const struct sample_value *value = bytes;
	struct sample *sample = context;

	if (len != sizeof(*value) || value->magic != cpu_to_le32(SAMPLE_MAGIC))
		return;
	mutex_lock(&sample->lock);
	sample->sum += (s64)le64_to_cpu(value->add);
	sample->slot = slot;
	sample->applied++;
	mutex_unlock(&sample->lock);
}

static void sample_view(void *context, u32 epoch, u64 slot, u64 voters)
{
	struct sample *sample = context;

	mutex_lock(&sample->lock);
	sample->epoch = epoch;
	sample->voters = voters;
	mutex_unlock(&sample->lock);
}

static void sample_quorum(void *context, bool there)
{
	struct sample *sample = context;

	mutex_lock(&sample->lock);
	sample->quorum = there;
	mutex_unlock(&sample->lock);
}

/* What was applied is right, but there will be no more of it. */
static void sample_stop(void *context, int error)
{
	struct sample *sample = context;

	mutex_lock(&sample->lock);
	sample->stopped = error;
	mutex_unlock(&sample->lock);
}

static const struct paxos_handle_ops sample_ops = {
	.name = "sample",
	.apply = sample_apply,
	.view = sample_view,
	.quorum = sample_quorum,
	.stop = sample_stop,
};

int sample_open(struct sample *sample, struct net *net, u32 group, u64 first,
		u32 timeout_ms)
{
	struct paxos_handle *handle;

	handle = paxos_open(net, group, first, &sample_ops, sample, timeout_ms);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	sample->handle = handle;
	return 0;
}

void sample_close(struct sample *sample)
{
	paxos_close(sample->handle);
	sample->handle = NULL;
}

/* 0: added; -ECANCELED: not added; -ETIME: unknown, it may be, or be later. */
int sample_add(struct sample *sample, s64 add, u32 timeout_ms)
{
	struct sample_value value;
	int ret;

	sample_value(&value, add);
	ret = paxos_propose_wait(sample->handle, &value, sizeof(value),
				 timeout_ms, NULL);
	switch (ret) {
	case PAXOS_RESULT_CHOSEN:
		return 0;
	case PAXOS_RESULT_NOT_CHOSEN:
		return -ECANCELED;
	case PAXOS_RESULT_UNKNOWN:
		return -ETIME;
	default:
		return ret;
	}
}

/* The sum of all that was added, on whatever host, before this was called. */
int sample_read(struct sample *sample, s64 *sum, u32 timeout_ms)
{
	int err = paxos_read_barrier(sample->handle, timeout_ms);

	if (err)
		return err;
	mutex_lock(&sample->lock);
	*sum = sample->sum;
	mutex_unlock(&sample->lock);
	return 0;
}
