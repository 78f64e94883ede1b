/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINUX_PAXOS_LOCK_H
#define _LINUX_PAXOS_LOCK_H

/*
 * Locks between hosts, elections and services, for kernel subsystems that use a
 * store of paxos_kv.ko. They are those of the tool (`paxosctl lock`, `elect`,
 * `service`) of the same name and group, and its holders and these exclude each
 * other: the keys are the same (kmod/kv/README.md).
 *
 * A lock stands under a lease, which it keeps by itself. What a holder may
 * count on:
 *
 * - A token. Whoever holds the lock later has a higher one. Let what the lock
 *   protects refuse lower tokens than it has seen; that holds whatever clocks
 *   do, and nothing else does.
 * - lost(), before anybody else can hold the lock. A lease ends when it was not
 *   kept for its time, as the host that ends it counts, from when that host saw
 *   it granted or kept. The holder counts from before it sent the grant or
 *   keep, and to four fifths of that time. The last fifth is for clocks that do
 *   not run at the same rate, and for the callback to be late.
 *
 * Both count with CLOCK_BOOTTIME, which goes on while a host is suspended and
 * which nobody sets. After a resume, other code may run before lost() does: ask
 * paxos_lock_held() before what must not be done without the lock. A virtual
 * machine that was stopped, its clocks too, knows nothing of it: only the token
 * helps there. And so it does where a person revokes the lease or deletes the
 * key: the holder learns of the former with the next keep, of the latter never.
 *
 * Keeping a lease allocates a little, atomically, and is applied behind what the
 * store applies before (linux/paxos_kv.h): a host that finds no memory for four
 * fifths of the time loses the lock, in time and with lost().
 *
 * Errors are those of linux/paxos_kv.h.
 */

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/hrtimer.h>
#include <linux/paxos_kv.h>
#include <linux/spinlock.h>

#define PAXOS_LOCK_NAME_MAX	255
#define PAXOS_LOCK_TTL_MIN	1000		/* ms */
#define PAXOS_LOCK_FOREVER	U32_MAX		/* as a timeout_ms */

/**
 * struct paxos_lock - a lock that is wanted or held; a candidacy, a registration
 * @lost: the lock is not held any more, and neither can anybody else hold it
 *        yet. Called at most once, softirqs are off and it must not sleep;
 *        perhaps before paxos_lock_acquire() has returned 0. Not called
 *        once paxos_lock_release() was, but what runs is waited for. May be NULL
 * @token: the fencing token, while it is held
 *
 * The caller embeds it, sets @lost, and keeps it until paxos_lock_release() has
 * returned. The rest is the lock's own.
 */
struct paxos_lock {
	void (*lost)(struct paxos_lock *lock);
	u64 token;

	/* private: kmod/kv/lock.c */
	struct paxos_kv *kv;
	struct paxos_kv_request keep;
	struct paxos_kv_watch watch;
	struct completion woken;
	struct completion kept;
	struct hrtimer timer;
	spinlock_t lock;	/* protects @state; lost() runs without it */
	atomic64_t safe;
	u64 sent;
	u64 keep_at;
	u64 lease;
	u32 ttl;
	u8 state;
	bool shared;
	u16 prefix_len;
	u16 key_len;
	char key[2 * PAXOS_LOCK_NAME_MAX + 32];
};

/* Each one's kernel-doc is where it is: kmod/kv/lock.c. */
int paxos_lock_acquire(struct paxos_kv *kv, struct paxos_lock *lock,
		       const char *name, size_t name_len, bool shared,
		       u32 ttl_ms, u32 timeout_ms);
int paxos_elect(struct paxos_kv *kv, struct paxos_lock *lock, const char *name,
		size_t name_len, const void *value, u32 value_len, u32 ttl_ms,
		u32 timeout_ms);
int paxos_elected(struct paxos_kv *kv, const char *name, size_t name_len,
		  bool serializable, struct paxos_kv_page *page,
		  u32 timeout_ms);
int paxos_service_register(struct paxos_kv *kv, struct paxos_lock *lock,
			   const char *name, size_t name_len, const char *id,
			   size_t id_len, const void *address, u32 address_len,
			   u32 ttl_ms);
bool paxos_lock_held(struct paxos_lock *lock);
int paxos_lock_release(struct paxos_lock *lock);

#endif
