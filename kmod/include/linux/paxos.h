/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINUX_PAXOS_H
#define _LINUX_PAXOS_H

/*
 * What kernel subsystems call: propose values to a group of this host, and
 * see, in order, what the group chose. kmod/api.md shows one that does.
 *
 * What holds for all of it:
 *
 * - A proposal that was taken ends exactly once: done() is called, or
 *   paxos_propose_wait() returns.
 * - No callback of a handle runs, or will, once paxos_close() has returned.
 * - Nothing here waits for memory that must be written back first. Proposing
 *   and voting never wait for memory: a request is its owner's, and for values
 *   of up to PAXOS_VALUE_SPARE bytes there is a reserve, on every host where
 *   the group has a handle. A datagram that finds no memory is lost, and sent
 *   again, as on the network. Callbacks run where no allocation starts I/O
 *   (memalloc_noio_save()), on a queue of the handle that has a thread of its
 *   own for when there is no memory for another (WQ_MEM_RECLAIM). So a consumer
 *   may be what storage is written back to, as long as the agents' disks are
 *   not. With durability sync no vote leaves before the agent has written it:
 *   paxosd, where it may, locks its memory and starts no I/O to get some.
 * - A handle keeps paxos.ko loaded, but not its consumer: the consumer's module
 *   closes its handles before it goes, in its exit at the latest.
 * - A group may be deleted under a handle, alone or with its namespace: stop()
 *   is called, every call returns -ESHUTDOWN, paxos_close() is still due. A
 *   handle does not keep the namespace.
 *
 * Limits: PAXOS_VALUE_MAX bytes a value; for a group on this host 1024
 * proposals, and 64 reads, under way. What a consumer is behind by, beyond what
 * the group holds in memory (GROUP_ADD: log size and bytes), the agent brings
 * from its disk; where that has it not, or there is none (durability memory),
 * the consumer is stopped with -ESTALE.
 */

#include <linux/list.h>
#include <linux/types.h>

struct net;
struct paxos_handle;
struct paxos_snapshot;

#define PAXOS_VALUE_MAX		32768	/* bytes of one value */
#define PAXOS_VALUE_SPARE	4000	/* bytes of one that finds memory always */
#define PAXOS_NAME_MAX		15	/* bytes of a consumer's name */

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
 * @name: of the consumer, 1 to PAXOS_NAME_MAX bytes, the same on all hosts: for
 *        people, and for its section of a snapshot
 * @apply: @slot was chosen. In the order of the slots, each once. No-ops and
 *         repetitions of a value are left out, so slots have gaps. @bytes is
 *         valid only during the call
 * @view: the configuration @epoch was chosen in @slot, and holds behind it;
 *        @voters is the set of its voters, member 1 in the lowest bit. In order
 *        with @apply. Where the group has one already that precedes the first
 *        slot to apply, that is told first; @slot is 0 if it was never chosen,
 *        but is the one that the group began with
 * @quorum: as far as this member knows, the group can decide something (@there)
 *          or can not: it knows no leader, or hears too few voters, or its
 *          agent is gone, or it does not run (yet). Told once at first, then
 *          when it changes; where it has changed twice meanwhile, nothing is
 *          told, so the last call tells the truth
 * @stop: no more calls will follow, but for @snapshot_end: -ESHUTDOWN, the group
 *        was deleted; -ESTALE, the next slot to apply is gone from this kernel
 *        and the agent has nothing to go on from: neither the values in its log
 *        nor, for who has @snapshot_load, a snapshot; or the error of
 *        @snapshot_load. At most once
 * @snapshot_begin: all to @slot is applied, and nothing above: pin a view of
 *        that in *@view, quickly, as apply() waits. 0, or an error: there is
 *        no snapshot of any consumer then
 * @snapshot_save: stream @view out with paxos_snapshot_write(), in as many
 *        calls as it likes; apply() goes on meanwhile. 0, or an error. May
 *        not be called at all
 * @snapshot_end: let go of @view: once for each that was pinned, after
 *        snapshot_save() has returned
 * @snapshot_load: replace the state by what paxos_snapshot_read() gives, which
 *        is what snapshot_save() wrote at @slot, on this host or another. The
 *        next apply() has a slot above @slot. 0, or an error: that of
 *        paxos_snapshot_read(), or -ENOMEM, and it is called again, when the
 *        agent brings it once more; of another one stop() follows
 *
 * All but @name and @apply may be NULL. They are called in process context, one
 * at a time, and may sleep. One that does not return holds up the others of its
 * handle, and nobody else: paxosctl status tells of it. None may wait for
 * paxos_read_barrier() or paxos_close() of its own handle.
 *
 * Only @snapshot_save runs beside the others. A consumer has the first three
 * snapshot operations or none; @snapshot_load is called where the slots that it
 * lacks are gone from this kernel: at the first one to apply, or whenever it
 * fell behind that far. Groups with durability sync only.
 */
struct paxos_handle_ops {
	const char *name;
	void (*apply)(void *context, u64 slot, const void *bytes, u32 len);
	void (*view)(void *context, u32 epoch, u64 slot, u64 voters);
	void (*quorum)(void *context, bool there);
	void (*stop)(void *context, int error);
	int (*snapshot_begin)(void *context, u64 slot, void **view);
	int (*snapshot_save)(void *context, void *view,
			     struct paxos_snapshot *snapshot);
	void (*snapshot_end)(void *context, void *view);
	int (*snapshot_load)(void *context, u64 slot,
			     struct paxos_snapshot *snapshot);
};

struct paxos_handle *paxos_open(struct net *net, u32 group, u64 first,
				const struct paxos_handle_ops *ops,
				void *context, u32 timeout_ms);
void paxos_close(struct paxos_handle *handle);
int paxos_propose(struct paxos_handle *handle, struct paxos_request *request,
		  const void *bytes, u32 len, u32 timeout_ms);
int paxos_propose_wait(struct paxos_handle *handle, const void *bytes, u32 len,
		       u32 timeout_ms, u64 *slot);
int paxos_read_barrier(struct paxos_handle *handle, u32 timeout_ms);
bool paxos_leads(struct paxos_handle *handle);
bool paxos_halted(struct paxos_handle *handle);
bool paxos_gone(struct paxos_handle *handle);
int paxos_snapshot_write(struct paxos_snapshot *snapshot, const void *bytes,
			 size_t len);
ssize_t paxos_snapshot_read(struct paxos_snapshot *snapshot, void *bytes,
			    size_t len);

#endif
