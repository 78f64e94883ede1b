// SPDX-License-Identifier: GPL-2.0
/* How long a proposal made in the kernel takes until it is chosen. */
#include <linux/completion.h>
#include <linux/mm.h>
#include <linux/paxos.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include "bench.h"

#define VALUE_MAX	32768
#define TIMEOUT_MS	1000

struct commit {
	struct paxos_request request;
	u64 end;
	struct completion done;
};

/* Softirq. The clock is read first: what follows is nobody's commit. */
static void commit_done(struct paxos_request *request)
{
	u64 now = ktime_get_ns();
	struct commit *commit = container_of(request, struct commit, request);

	bench_trace_off();
	commit->end = now;
	complete(&commit->done);
}

static int commit_round(struct paxos_handle *handle, const void *value,
			u32 size, bool trace, u64 *sample)
{
	struct commit commit = { .request.done = commit_done };
	u64 start;
	int ret;

	init_completion(&commit.done);
	if (trace)
		bench_trace_on();
	start = ktime_get_ns();
	ret = paxos_propose(handle, &commit.request, value, size, TIMEOUT_MS);
	bench_trace_off();
	if (ret)
		return ret;
	/* It ends by its time-out at the latest, so it is off the stack then. */
	wait_for_completion(&commit.done);
	*sample = trace ? 0 : commit.end - start;
	return commit.request.result == PAXOS_RESULT_CHOSEN ? 0 : -EIO;
}

static int commit_rounds(struct paxos_handle *handle,
			 struct bench_rounds *request, const void *value)
{
	u64 __user *samples = u64_to_user_ptr(request->samples);
	u64 sample;
	u32 i;
	int ret;

	for (i = 0; i < request->rounds; i++) {
		bool trace = request->rounds - i <= request->trace;

		if (trace)
			bench_trace_round();
		ret = commit_round(handle, value, request->size, trace,
				   &sample);
		if (ret)
			return ret;
		if (put_user(sample, samples + i))
			return -EFAULT;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

int bench_commit_run(struct bench *bench, struct bench_rounds *request)
{
	struct paxos_handle *handle;
	void *value;
	int ret, err;

	if (request->size > VALUE_MAX)
		return -EINVAL;
	value = vmemdup_user(u64_to_user_ptr(request->datagrams),
			     request->size);
	if (IS_ERR(value))
		return PTR_ERR(value);
	handle = paxos_open(bench->net, request->group, 0, NULL, NULL, 0);
	if (IS_ERR(handle)) {
		ret = PTR_ERR(handle);
		goto out_value;
	}
	if (request->trace) {
		ret = bench_trace_open(request->n_steps);
		if (ret)
			goto out_handle;
	}
	ret = commit_rounds(handle, request, value);
	if (request->trace) {
		err = bench_trace_close(u64_to_user_ptr(request->steps),
					&request->n_steps);
		if (!ret)
			ret = err;
	}
out_handle:
	paxos_close(handle);
out_value:
	kvfree(value);
	return ret;
}
