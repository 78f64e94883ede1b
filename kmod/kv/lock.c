// SPDX-License-Identifier: GPL-2.0
#include <linux/export.h>
#include <linux/string.h>
#include "kv.h"
#include <linux/paxos_lock.h>

/*
 * linux/paxos_lock.h. What stands in the store is what README.md says, and what
 * `paxosctl lock` makes of it.
 *
 * One timer keeps the lease and ends the lock: it proposes from softirq, so
 * that no worker, no write-back and no sleep is between a holder and its lease.
 * It runs from the grant until the lock is lost or let go.
 */

/* Under paxos_lock.lock. */
enum {
	WAITING,
	HELD,
	LOST,		/* its lease may end, or has ended */
	RELEASED,
};

static u64 safe_until(const struct paxos_lock *lock, u64 sent)
{
	return sent + lock->ttl / 5 * 4;
}

static bool is_safe(const struct paxos_lock *lock)
{
	return kv_now_ms() < atomic64_read(&lock->safe);
}

/* Softirq. Its user is told once, and only if it had the lock. */
static void lose(struct paxos_lock *lock)
{
	bool held;

	spin_lock_bh(&lock->lock);
	held = lock->state == HELD;
	if (held || lock->state == WAITING)
		lock->state = LOST;
	spin_unlock_bh(&lock->lock);
	complete(&lock->woken);
	if (held && lock->lost)
		lock->lost(lock);
}

static void keep_done(struct paxos_kv_request *request)
{
	struct paxos_lock *lock =
		container_of(request, struct paxos_lock, keep);

	if (request->outcome == PAXOS_RESULT_CHOSEN) {
		if (request->status == KV_OK)
			atomic64_set(&lock->safe, safe_until(lock, lock->sent));
		else if (request->status == KV_NO_LEASE)
			lose(lock);
	}
	complete_all(&lock->kept);	/* it may be gone from here on */
}

/* False: nothing was sent, or the one before has not ended. */
static bool keep(struct paxos_lock *lock, u64 now)
{
	if (!completion_done(&lock->kept))
		return false;
	reinit_completion(&lock->kept);
	lock->sent = now;
	if (!kv_user_submit(lock->kv, &lock->keep, KV_KEEP, lock->lease,
			    GFP_ATOMIC | __GFP_NOWARN, lock->ttl / 4))
		return true;
	complete_all(&lock->kept);
	return false;
}

static enum hrtimer_restart lock_timer(struct hrtimer *timer)
{
	struct paxos_lock *lock = container_of(timer, struct paxos_lock, timer);
	u64 now = kv_now_ms(), safe = atomic64_read(&lock->safe);

	if (now >= safe) {
		lose(lock);
		return HRTIMER_NORESTART;
	}
	if (now >= lock->keep_at)
		lock->keep_at = now + lock->ttl / (keep(lock, now) ? 4 : 16);
	/* a keep that succeeded meanwhile has put it off: then it is early */
	hrtimer_set_expires(timer, ms_to_ktime(min(lock->keep_at, safe)));
	return HRTIMER_RESTART;
}

/* The lease, kept from now on. */
static int begin(struct paxos_lock *lock)
{
	u64 sent = kv_now_ms();
	int err;

	err = paxos_kv_grant(lock->kv, lock->ttl, &lock->lease, lock->ttl / 4);
	if (err)
		return err;
	atomic64_set(&lock->safe, safe_until(lock, sent));
	lock->keep_at = sent + lock->ttl / 4;
	hrtimer_start(&lock->timer, ms_to_ktime(lock->keep_at),
		      HRTIMER_MODE_ABS_SOFT);
	return 0;
}

/* The key that stands under it. */
static int put(struct paxos_lock *lock, const void *value, u32 value_len)
{
	return paxos_kv_put(lock->kv, lock->key, lock->key_len, value,
			    value_len, lock->lease, &lock->token,
			    lock->ttl / 4);
}

/**
 * struct queue - who is in the way
 * @lock: the one that waits
 * @here: its own key is still there
 * @revision: of the store
 * @ahead: create revision of the last one that must go first; 0: none
 * @key_len: of @key
 * @key: of @ahead
 */
struct queue {
	struct paxos_lock *lock;
	bool here;
	u64 revision;
	u64 ahead;
	u16 key_len;
	u8 key[KV_KEY_MAX];
};

static bool take_place(void *context, const struct kv_pair *pair)
{
	struct queue *queue = context;
	const struct paxos_lock *lock = queue->lock;
	bool exclusive;

	if (pair->key_len <= lock->prefix_len)
		return true;
	exclusive = pair->key[lock->prefix_len] == 'x';
	if (pair->create == lock->token) {
		queue->here = true;
	} else if (pair->create < lock->token && pair->create > queue->ahead &&
		   (exclusive || !lock->shared)) {
		queue->ahead = pair->create;
		queue->key_len = pair->key_len;
		memcpy(queue->key, pair->key, pair->key_len);
	}
	return true;
}

/*
 * What this host has applied is enough: it has applied the lock's own key, and
 * who was in front of that and is gone never comes back there.
 */
static int look(struct queue *queue)
{
	struct paxos_lock *lock = queue->lock;
	struct kv_replica *replica = lock->kv->replica;
	struct kv_range range = {
		.prefix = lock->key,
		.prefix_len = lock->prefix_len,
	};
	int err;

	queue->here = false;
	queue->ahead = 0;
	mutex_lock(&replica->mutex);
	err = kv_user_error(replica);
	if (!err)
		err = kv_get_range(replica->store, &range, take_place, queue);
	queue->revision = replica->store->applied;
	mutex_unlock(&replica->mutex);
	return err;
}

static void ahead_events(struct paxos_kv_watch *watch,
			 const struct paxos_kv_page *page, u64 next)
{
	complete(&container_of(watch, struct paxos_lock, watch)->woken);
}

static void ahead_end(struct paxos_kv_watch *watch, int error)
{
	complete(&container_of(watch, struct paxos_lock, watch)->woken);
}

static long patience(u64 give_up)
{
	u64 now = kv_now_ms();

	if (give_up == U64_MAX)
		return MAX_SCHEDULE_TIMEOUT;
	return now < give_up ? msecs_to_jiffies(give_up - now) : 0;
}

/* Until the one that is last of those ahead has gone, or the lease has. */
static int await_one(struct queue *queue, u64 give_up)
{
	struct paxos_lock *lock = queue->lock;
	long left = patience(give_up);
	int err;

	if (!left)
		return -ETIMEDOUT;
	lock->watch.events = ahead_events;
	lock->watch.end = ahead_end;
	err = paxos_kv_watch(lock->kv, &lock->watch, queue->key, queue->key_len,
			     false, queue->revision + 1);
	if (err)
		return err;
	left = wait_for_completion_killable_timeout(&lock->woken, left);
	paxos_kv_unwatch(&lock->watch);
	return left > 0 ? 0 : left ? -EINTR : -ETIMEDOUT;
}

/* Its lease is sure to be there now, and nobody is ahead. */
static int take(struct paxos_lock *lock)
{
	int err = -EKEYEXPIRED;

	spin_lock_bh(&lock->lock);
	if (lock->state == WAITING && is_safe(lock)) {
		lock->state = HELD;
		err = 0;
	}
	spin_unlock_bh(&lock->lock);
	return err;
}

static int await_all(struct paxos_lock *lock, u64 give_up)
{
	struct queue *queue = kmalloc(sizeof(*queue), GFP_NOIO);
	int err;

	if (!queue)
		return -ENOMEM;
	queue->lock = lock;
	do {
		err = look(queue);
		if (!err && (!queue->here || !is_safe(lock)))
			err = -EKEYEXPIRED;
		if (err || !queue->ahead)
			break;
		err = await_one(queue, give_up);
	} while (!err);
	kfree(queue);
	return err ?: take(lock);
}

/* Can it be a part of a key? */
bool kv_name_fits(const void *name, size_t len)
{
	return len && len <= PAXOS_LOCK_NAME_MAX && !memchr(name, '/', len) &&
	       !memchr(name, 0, len);
}

/* "KIND/NAME/" */
static int prefix_of(char *prefix, size_t size, const char *kind,
		     const char *name, size_t name_len)
{
	if (!kv_name_fits(name, name_len))
		return -EINVAL;
	return scnprintf(prefix, size, "%s/%.*s/", kind, (int)name_len, name);
}

/* Nothing is under way yet. */
static int prepare(struct paxos_kv *kv, struct paxos_lock *lock,
		   const char *kind, const char *name, size_t name_len,
		   u32 ttl_ms)
{
	int err = prefix_of(lock->key, sizeof(lock->key), kind, name, name_len);

	if (err < 0 || ttl_ms < PAXOS_LOCK_TTL_MIN)
		return -EINVAL;
	lock->prefix_len = err;
	lock->kv = kv;
	lock->ttl = ttl_ms;
	lock->token = 0;
	lock->lease = 0;
	lock->state = WAITING;
	lock->keep.done = keep_done;
	lock->keep.page = NULL;
	atomic64_set(&lock->safe, 0);
	spin_lock_init(&lock->lock);
	init_completion(&lock->woken);
	init_completion(&lock->kept);
	complete_all(&lock->kept);
	hrtimer_init(&lock->timer, CLOCK_BOOTTIME, HRTIMER_MODE_ABS_SOFT);
	lock->timer.function = lock_timer;
	return 0;
}

/* @lock's key so far is the prefix of all who want it. */
static int acquire(struct paxos_lock *lock, const void *value, u32 value_len,
		   u32 timeout_ms)
{
	u64 give_up = timeout_ms == PAXOS_LOCK_FOREVER ? U64_MAX :
		      kv_now_ms() + timeout_ms;
	int err = begin(lock);

	if (err)
		return err;
	lock->key_len = lock->prefix_len +
		scnprintf(lock->key + lock->prefix_len,
			  sizeof(lock->key) - lock->prefix_len, "%c%llu",
			  lock->shared ? 's' : 'x', lock->lease);
	err = put(lock, value, value_len) ?: await_all(lock, give_up);
	if (err)
		paxos_lock_release(lock);
	return err;
}

/**
 * paxos_lock_acquire() - wait for a lock, and hold it
 * @kv: the store; not closed before the lock is released
 * @lock: of the caller, its lost() set, and not held
 * @name: of 1 to PAXOS_LOCK_NAME_MAX bytes, without / and zeros
 * @name_len: of @name
 * @shared: together with others that share it
 * @ttl_ms: how long it outlives its host at most, from PAXOS_LOCK_TTL_MIN on,
 *          where the leader's host holds the store; see paxos_kv_grant(). It is
 *          kept every quarter of that, and lost after four fifths without
 * @timeout_ms: how long to wait for others to let go; 0: not at all;
 *              PAXOS_LOCK_FOREVER: until it is free
 *
 * They get it in the order in which they came. Nothing polls: who waits is woken
 * by the end of the one in front, and keeps a lease of its own meanwhile.
 *
 * Context: Process context, sleeps; a fatal signal ends the wait. Not from a
 * callback of @kv.
 * Return: 0: it is held, for paxos_lock_release(), even if lost() comes. Else
 * nothing is held, nothing is due, and others can have it at once or, where this
 * host cannot tell them, after @ttl_ms: -ETIMEDOUT: others hold it; -EKEYEXPIRED:
 * there was no quorum for too long while it waited; -EINVAL: a name or time that
 * is none; or as paxos_kv_grant(), paxos_kv_put() and paxos_kv_watch().
 */
int paxos_lock_acquire(struct paxos_kv *kv, struct paxos_lock *lock,
		       const char *name, size_t name_len, bool shared,
		       u32 ttl_ms, u32 timeout_ms)
{
	int err = prepare(kv, lock, "lock", name, name_len, ttl_ms);

	lock->shared = shared;
	return err ?: acquire(lock, NULL, 0, timeout_ms);
}
EXPORT_SYMBOL_GPL(paxos_lock_acquire);

/**
 * paxos_elect() - stand for election, and wait to be elected
 * @kv: the store
 * @lock: the candidacy, as of paxos_lock_acquire()
 * @name: of the election
 * @name_len: of @name
 * @value: of any bytes, which others see
 * @value_len: of @value
 * @ttl_ms: as of paxos_lock_acquire()
 * @timeout_ms: likewise
 *
 * A lock that is not shared and shows who holds it: elected is whoever stood
 * first. paxos_lock_release() resigns.
 *
 * Context, Return: as paxos_lock_acquire().
 */
int paxos_elect(struct paxos_kv *kv, struct paxos_lock *lock, const char *name,
		size_t name_len, const void *value, u32 value_len, u32 ttl_ms,
		u32 timeout_ms)
{
	int err = prepare(kv, lock, "elect", name, name_len, ttl_ms);

	lock->shared = false;
	return err ?: acquire(lock, value, value_len, timeout_ms);
}
EXPORT_SYMBOL_GPL(paxos_elect);

static bool take_first(void *context, const struct kv_pair *pair)
{
	struct kv_pair *first = context;

	if (!first->create || pair->create < first->create)
		*first = *pair;
	return true;
}

/**
 * paxos_elected() - who is elected
 * @kv: the store
 * @name: of the election
 * @name_len: of @name
 * @serializable: as far as this host knows, at once; else as of paxos_kv_read()
 * @page: emptied; its one pair has the value, and as create revision the token
 * @timeout_ms: of a read that is not serializable
 *
 * Context: Process context, sleeps; a fatal signal ends it. Not from done().
 * Return: 0; -ENOENT: nobody is; -ENOSPC: @page is too small; -EINVAL: a name
 * that is none; or as paxos_kv_read().
 */
int paxos_elected(struct paxos_kv *kv, const char *name, size_t name_len,
		  bool serializable, struct paxos_kv_page *page, u32 timeout_ms)
{
	struct kv_replica *replica = kv->replica;
	char prefix[PAXOS_LOCK_NAME_MAX + 32];
	struct kv_range range = { .prefix = prefix };
	struct kv_pair first = { .create = 0 };
	int err;

	kv_page_clear(page);
	err = prefix_of(prefix, sizeof(prefix), "elect", name, name_len);
	if (err < 0)
		return err;
	range.prefix_len = err;
	err = serializable ? 0 : kv_barrier(replica, timeout_ms);
	if (err)
		return kv_user_error(replica) ?: err;
	mutex_lock(&replica->mutex);
	err = kv_user_error(replica);
	if (!err)
		err = kv_get_range(replica->store, &range, take_first, &first);
	if (!err && !first.create)
		err = -ENOENT;
	if (!err && !kv_page_add(page, &first, 0))
		err = -ENOSPC;
	mutex_unlock(&replica->mutex);
	return err;
}
EXPORT_SYMBOL_GPL(paxos_elected);

/**
 * paxos_service_register() - say what is offered, for as long as it is kept
 * @kv: the store
 * @lock: the registration, as of paxos_lock_acquire(). Its lost(): the lease may
 *        end, and the service is not listed then; release it, and register again
 * @name: of the service
 * @name_len: of @name
 * @id: which one; whoever registers the same one later takes its place
 * @id_len: of @id
 * @address: of any bytes, which others see
 * @address_len: of @address
 * @ttl_ms: as of paxos_lock_acquire()
 *
 * To list, or see them come and go: read, or watch, the prefix service/NAME/.
 *
 * Context: Process context, sleeps; a fatal signal ends the wait. Not from a
 * callback of @kv.
 * Return: 0, for paxos_lock_release(); else nothing is due: -EINVAL: a name, id
 * or time that is none; or as paxos_lock_acquire().
 */
int paxos_service_register(struct paxos_kv *kv, struct paxos_lock *lock,
			   const char *name, size_t name_len, const char *id,
			   size_t id_len, const void *address, u32 address_len,
			   u32 ttl_ms)
{
	int err = prepare(kv, lock, "service", name, name_len, ttl_ms);

	if (!err && !kv_name_fits(id, id_len))
		err = -EINVAL;
	if (!err)
		err = begin(lock);
	if (err)
		return err;
	lock->key_len = lock->prefix_len + id_len;
	memcpy(lock->key + lock->prefix_len, id, id_len);
	err = put(lock, address, address_len) ?: take(lock);
	if (err)
		paxos_lock_release(lock);
	return err;
}
EXPORT_SYMBOL_GPL(paxos_service_register);

/**
 * paxos_lock_held() - nobody else can hold it at this moment
 * @lock: of paxos_lock_acquire(), not released
 *
 * Other than lost(), which may be late after the host was suspended, it looks at
 * the clock.
 *
 * Context: Any but hard interrupt.
 */
bool paxos_lock_held(struct paxos_lock *lock)
{
	return READ_ONCE(lock->state) == HELD && is_safe(lock);
}
EXPORT_SYMBOL_GPL(paxos_lock_held);

/**
 * paxos_lock_release() - let others have it
 * @lock: that was acquired, elected or registered, lost or not
 *
 * The caller has ended what it does under the lock. When this returns lost()
 * does not run, nor will it, and @lock is the caller's again.
 *
 * Context: Process context, sleeps, a quarter of the lease's time at most unless
 * this host lags behind; a fatal signal ends the wait. Not from a callback of
 * @lock or of its store.
 * Return: 0: others can have it; else others can have it in time, at the latest
 * when the lease ends: -EKEYEXPIRED: it has ended already; or as
 * paxos_kv_revoke().
 */
int paxos_lock_release(struct paxos_lock *lock)
{
	spin_lock_bh(&lock->lock);
	lock->state = RELEASED;
	spin_unlock_bh(&lock->lock);
	hrtimer_cancel(&lock->timer);
	/* a keep that is under way may be chosen yet: then the lease has ended */
	kv_calls_end(lock->kv->replica, lock->kv, &lock->keep);
	wait_for_completion(&lock->kept);
	return paxos_kv_revoke(lock->kv, lock->lease, lock->ttl / 4);
}
EXPORT_SYMBOL_GPL(paxos_lock_release);
