/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINUX_PAXOS_H
#define _LINUX_PAXOS_H

/*
 * What kernel subsystems call: propose values to a group of this host, and
 * see, in order, what the group chose.
 */

#include <linux/list.h>
#include <linux/types.h>

struct net;
struct paxos_handle;

/* How a proposal ended. Unknown is neither: it may be, or become, chosen. */
enum paxos_result {
	PAXOS_RESULT_CHOSEN = 1,	/* in the slot that is named */
	PAXOS_RESULT_NOT_CHOSEN,	/* and never will be */
	PAXOS_RESULT_UNKNOWN,
};

/**
 * struct paxos_request - a proposal under way
 * @done: called once, when it has ended, in softirq context or with softirqs
 *        disabled, with no lock of paxos held; it may propose again. The
 *        request is the caller's again from the moment that it is called
 * @result: enum paxos_result
 * @slot: 0 unless the value was chosen
 *
 * The caller embeds it in an object of its own, sets @done, and keeps it until
 * then. The fields below @slot belong to paxos.
 */
struct paxos_request {
	void (*done)(struct paxos_request *request);
	u8 result;
	u64 slot;

	u8 up;
	u8 needed;
	u32 epoch;
	u64 began;
	struct list_head node;
	struct list_head mine;
	struct paxos_handle *handle;
};

/**
 * struct paxos_handle_ops - what a consumer of a group is told
 * @apply: @slot was chosen. In the order of the slots, each once, one at a
 *         time, in process context; may sleep. No-ops and repetitions of a
 *         value are left out, so slots have gaps. @bytes is valid only during
 *         the call
 * @stop: no more calls of @apply will follow: -ESHUTDOWN, the group was
 *        deleted; -ESTALE, the log was trimmed before it was applied. Process
 *        context, at most once
 */
struct paxos_handle_ops {
	void (*apply)(void *context, u64 slot, const void *bytes, u32 len);
	void (*stop)(void *context, int error);
};

struct paxos_handle *paxos_open(struct net *net, u32 group, u64 first,
				const struct paxos_handle_ops *ops,
				void *context);
void paxos_close(struct paxos_handle *handle);
int paxos_propose(struct paxos_handle *handle, struct paxos_request *request,
		  const void *bytes, u32 len, u32 timeout_ms);
int paxos_propose_wait(struct paxos_handle *handle, const void *bytes, u32 len,
		       u32 timeout_ms, u64 *slot);

#endif
