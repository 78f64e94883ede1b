/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINUX_PAXOS_QUEUE_H
#define _LINUX_PAXOS_QUEUE_H

/*
 * Queues for kernel subsystems that use a store of paxos_kv.ko; `paxosctl
 * queue` of the same name and group is the same one (kmod/kv/README.md).
 *
 * First in, first out, and each item is delivered at least once: it is claimed
 * for a time, and comes again where it was not acknowledged in that time. An
 * effect in the store itself happens exactly once where paxos_queue_ack() has it
 * happen in the same transaction.
 *
 * Names and ids have 1 to PAXOS_QUEUE_NAME_MAX bytes, without / and zeros.
 * Errors are those of linux/paxos_kv.h. To wait for an item, watch the prefix
 * queue/NAME/ and pop when something happens.
 */

#include <linux/paxos_kv.h>

#define PAXOS_QUEUE_NAME_MAX	255
#define PAXOS_QUEUE_TTL_MIN	1000		/* ms */

/**
 * struct paxos_queue_claim - an item that was delivered, and to whom
 * @token: the claim's mod revision; who is given the item later has a higher one
 * @lease: that the claim stands under
 * @id_len: of @id
 * @id: the item's
 */
struct paxos_queue_claim {
	u64 token;
	u64 lease;
	u16 id_len;
	char id[PAXOS_QUEUE_NAME_MAX];
};

/* Each one's kernel-doc is where it is: kmod/kv/queue.c. */
int paxos_queue_push(struct paxos_kv *kv, const char *name, size_t name_len,
		     const char *id, size_t id_len, const void *value,
		     u32 value_len, u32 timeout_ms);
int paxos_queue_pop(struct paxos_kv *kv, const char *name, size_t name_len,
		    u32 ttl_ms, struct paxos_queue_claim *claim,
		    struct paxos_kv_page *page, u32 timeout_ms);
int paxos_queue_len(struct paxos_kv *kv, const char *name, size_t name_len,
		    u64 *items, u64 *claimed, u32 timeout_ms);
int paxos_queue_ack(struct paxos_kv *kv, const char *name, size_t name_len,
		    const struct paxos_queue_claim *claim,
		    const struct paxos_kv_item *with, u32 n_with,
		    u32 timeout_ms);

#endif
