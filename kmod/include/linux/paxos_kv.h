/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINUX_PAXOS_KV_H
#define _LINUX_PAXOS_KV_H

/*
 * What kernel subsystems call to use the store of paxos_kv.ko: the same engine
 * as the netlink family "paxos_kv", whose words (section, target, relation,
 * operation, status) uapi/linux/paxos_kv.h has. A revision is a slot.
 *
 * What holds for all of it:
 *
 * - Users of one group share one store on a host. Whoever opens it first makes
 *   the host hold it; it is held until the group or its namespace goes.
 * - A request that was taken ends exactly once. No callback of a user runs, or
 *   will, once paxos_kv_close() has returned; none of a watch, once
 *   paxos_kv_unwatch() has.
 * - A user keeps paxos_kv.ko loaded, but not its own module, which closes
 *   before it goes. It keeps neither the group nor the namespace: where they
 *   go, all calls return -ESHUTDOWN, and paxos_kv_close() is still due.
 * - An outcome may be unknown: neither done nor not done, as far as can be told
 *   here. A transaction that compares can be tried again without harm.
 *
 * - Where a host finds no memory for what a slot puts, its store waits, and what
 *   is behind that slot with it; a put and a transaction allocate up to 32 KiB
 *   with GFP_NOIO. So nothing here is on the way to memory that must be written
 *   back first.
 *
 * Errors, of all calls that can have them:
 *
 *	-EAGAIN		too many under way: requests, reads, watches
 *	-ENOMEM		nothing was done; try again
 *	-ENOLINK	no leader is known, or no quorum, or this host is no
 *			member
 *	-EUNATCH	the group has no agent, or is not started
 *	-ESHUTDOWN	the group or its namespace is gone
 *	-ENOTRECOVERABLE  the log was trimmed before this host had applied it
 *	-EPROTO		the store has entries of a later version: upgrade this host
 *	-EBADMSG	this host's log differs from the others', as paxos_halted()
 *			says: its store can be neither told nor changed
 *	-EMSGSIZE	over PAXOS_VALUE_MAX bytes in all
 *	-EINVAL		an item makes no sense, or is out of order
 *	-E2BIG		over 512 items in a section
 *	-EINTR		a fatal signal; what was asked may be done nevertheless
 *
 * and, of those that wait for a change to be chosen:
 *
 *	-ECANCELED	certainly not chosen
 *	-ETIME		unknown: it may be chosen, or may be later
 *	-ENOSPC		chosen, but the store's limit is reached: nothing changed
 *	-EKEYEXPIRED	chosen, but there is no such lease (any more): likewise
 *	-ESTALE		chosen, but compacted up to there already: likewise
 *	-ERANGE		chosen, but that revision is yet to come: likewise
 *
 * Limits: keys of 1024 bytes; an entry (all items, keys and values) of
 * PAXOS_VALUE_MAX; for each group on a host 1024 requests, 64 linearizable
 * reads and 1024 watches under way, netlink's included.
 */

#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/paxos.h>
#include <linux/types.h>
#include <uapi/linux/paxos_kv.h>

struct kv_listener;
struct net;
struct paxos_kv;

/**
 * struct paxos_kv_pair - a key and what it was at a revision; or an event
 * @key: @key_len bytes
 * @value: @value_len bytes
 * @key_len: of @key
 * @value_len: of @value
 * @create: revision in which it came to be
 * @mod: revision of this version
 * @version: counts from 1 at @create; 0: an event that deleted it
 * @lease: 0: none
 * @operation: which one of a transaction's section found it, from 0
 */
struct paxos_kv_pair {
	const u8 *key;
	const u8 *value;
	u16 key_len;
	u16 operation;
	u32 value_len;
	u64 create;
	u64 mod;
	u64 version;
	u64 lease;
};

/**
 * struct paxos_kv_page - memory of the caller's, and the pairs copied there
 * @bytes: aligned as a pointer
 * @size: of @bytes. PAXOS_KV_PAGE_MIN holds any pair
 * @used: of @size
 * @count: pairs
 * @more: there are more than fit
 */
struct paxos_kv_page {
	void *bytes;
	size_t size;
	size_t used;
	u32 count;
	bool more;
};

#define PAXOS_KV_PAGE_MIN	(PAXOS_VALUE_MAX + 128)

static inline size_t paxos_kv_pair_size(const struct paxos_kv_pair *pair)
{
	return ALIGN(sizeof(*pair) + pair->key_len + pair->value_len,
		     sizeof(u64));
}

#define paxos_kv_for_each_pair(pair, page)				\
	for ((pair) = (page)->bytes;					\
	     (void *)(pair) < (page)->bytes + (page)->used;		\
	     (pair) = (void *)(pair) + paxos_kv_pair_size(pair))

/**
 * struct paxos_kv_query - what to read
 * @key: a key, or, with @prefix, what the keys begin with (may be empty)
 * @key_len: of @key
 * @prefix: all keys that begin with @key
 * @serializable: what this host knows, at once; else all that was chosen, on
 *                whatever host, before the call: a round trip to a quorum
 * @revision: as it was then; 0: now. The revision that was read, afterwards:
 *            leave it there and the next page is of the same one
 * @limit: at most so many pairs; 0: all that fit
 * @after: only keys behind this one: the last of the page before. NULL: all
 * @after_len: of @after
 *
 * The page's @more after a read: there are more behind the last pair.
 */
struct paxos_kv_query {
	const void *key;
	const void *after;
	u16 key_len;
	u16 after_len;
	bool prefix;
	bool serializable;
	u64 revision;
	u64 limit;
};

/**
 * struct paxos_kv_item - a compare or an operation of a transaction
 * @section: enum paxos_kv_section; items are in ascending order of it
 * @target: enum paxos_kv_target, of a compare (PAXOS_KV_SECTION_IF)
 * @what: enum paxos_kv_relation of a compare, else enum paxos_kv_operation
 * @key: @key_len bytes
 * @value: @value_len bytes, to put or to compare with
 * @number: to compare with; a PUT's lease; the most that GET_PREFIX finds
 */
struct paxos_kv_item {
	u8 section;
	u8 target;
	u8 what;
	u16 key_len;
	u32 value_len;
	u64 number;
	const void *key;
	const void *value;
};

/**
 * struct paxos_kv_request - a change under way
 * @done: called once, when it has ended; softirqs are off and it must not
 *        sleep. The request is the caller's again from then on; it may submit
 *        again
 * @page: where a transaction's GET and GET_PREFIX find room; may be NULL. The
 *        caller's again when done() is called, void unless @outcome is chosen
 *        and @status is OK
 * @outcome: enum paxos_result; what follows counts only if it was chosen
 * @status: enum paxos_kv_status; but for OK nothing has changed
 * @succeeded: the compares held
 * @deleted: keys
 * @lease: that was granted, kept or revoked
 * @revision: in which it happened
 */
struct paxos_kv_request {
	void (*done)(struct paxos_kv_request *request);
	struct paxos_kv_page *page;

	u8 outcome;
	u8 status;
	bool succeeded;
	u64 deleted;
	u64 lease;
	u64 revision;
};

/**
 * struct paxos_kv_info - how full a store is, as this host knows it
 * @revision: the last one that was applied
 * @compacted: 0, or the first revision that can still be read
 * @used: bytes, of
 * @limit: likewise
 * @revisions: of history that are kept; 0: no such bound
 * @period_ms: of history that is kept; 0: likewise
 * @leads: this member did lately
 */
struct paxos_kv_info {
	u64 revision;
	u64 compacted;
	u64 used;
	u64 limit;
	u64 revisions;
	u64 period_ms;
	bool leads;
};

/**
 * struct paxos_kv_lease - a lease, as this host knows it
 * @id: under which it was granted
 * @ttl_ms: as granted
 * @remaining_ms: since this host applied the last grant or keep; 0: the leader
 *                may end it at any time. For people: an owner counts from
 *                before his own last grant or keep that succeeded
 * @renewed: revision of that
 */
struct paxos_kv_lease {
	u64 id;
	u64 ttl_ms;
	u64 remaining_ms;
	u64 renewed;
};

/**
 * struct paxos_kv_watch - what happens to a key, or to all with a prefix
 * @events: @page holds what happened, in order, at least one; all that happened
 *          before revision @next is told then, and of @next itself perhaps a
 *          part. Nothing is left out or told twice. Process context, one call
 *          at a time, where no allocation starts I/O; may sleep, and may call
 *          anything here but paxos_kv_unwatch() of this watch and
 *          paxos_kv_close()
 * @end: nothing more will come: -ESTALE: what it had to tell next was compacted
 *       (read, and watch from behind what was read); -ESHUTDOWN,
 *       -ENOTRECOVERABLE, -EPROTO, -EBADMSG: as above. Called as @events, at most once;
 *       paxos_kv_unwatch() is still due
 * @listener: the store's
 *
 * The caller embeds it, sets the first two, and keeps it until
 * paxos_kv_unwatch() or paxos_kv_close() has returned.
 */
struct paxos_kv_watch {
	void (*events)(struct paxos_kv_watch *watch,
		       const struct paxos_kv_page *page, u64 next);
	void (*end)(struct paxos_kv_watch *watch, int error);

	struct kv_listener *listener;
};

/* Each one's kernel-doc is where it is: kmod/kv/user.c, listen.c, limit.c. */
struct paxos_kv *paxos_kv_open(struct net *net, u32 group, u32 timeout_ms);
void paxos_kv_close(struct paxos_kv *kv);
int paxos_kv_read(struct paxos_kv *kv, struct paxos_kv_query *query,
		  struct paxos_kv_page *page, u32 timeout_ms);
int paxos_kv_submit(struct paxos_kv *kv, struct paxos_kv_request *request,
		    const struct paxos_kv_item *items, unsigned int n_items,
		    gfp_t gfp, u32 timeout_ms);
int paxos_kv_txn(struct paxos_kv *kv, struct paxos_kv_request *request,
		 const struct paxos_kv_item *items, unsigned int n_items,
		 u32 timeout_ms);
int paxos_kv_put(struct paxos_kv *kv, const void *key, u16 key_len,
		 const void *value, u32 value_len, u64 lease, u64 *revision,
		 u32 timeout_ms);
int paxos_kv_delete(struct paxos_kv *kv, const void *key, u16 key_len,
		    u64 *deleted, u32 timeout_ms);
int paxos_kv_grant(struct paxos_kv *kv, u64 ttl_ms, u64 *lease, u32 timeout_ms);
int paxos_kv_keep(struct paxos_kv *kv, u64 lease, u32 timeout_ms);
int paxos_kv_revoke(struct paxos_kv *kv, u64 lease, u32 timeout_ms);
int paxos_kv_lease(struct paxos_kv *kv, u64 lease, struct paxos_kv_lease *what);
int paxos_kv_lease_after(struct paxos_kv *kv, u64 lease,
			 struct paxos_kv_lease *what);
int paxos_kv_compact(struct paxos_kv *kv, u64 revision, u32 timeout_ms);
int paxos_kv_history(struct paxos_kv *kv, u64 revisions, u64 period_ms,
		     u32 timeout_ms);
int paxos_kv_limit(struct paxos_kv *kv, u64 bytes, u32 timeout_ms);
int paxos_kv_info(struct paxos_kv *kv, struct paxos_kv_info *info);
int paxos_kv_watch(struct paxos_kv *kv, struct paxos_kv_watch *watch,
		   const void *key, u16 key_len, bool prefix, u64 revision);
void paxos_kv_unwatch(struct paxos_kv_watch *watch);

/* One key: the first pair of @page. */
static inline int paxos_kv_get(struct paxos_kv *kv, const void *key,
			       u16 key_len, bool serializable,
			       struct paxos_kv_page *page, u32 timeout_ms)
{
	struct paxos_kv_query query = {
		.key = key,
		.key_len = key_len,
		.serializable = serializable,
	};

	return paxos_kv_read(kv, &query, page, timeout_ms);
}

#endif
