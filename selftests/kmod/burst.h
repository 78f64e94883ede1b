/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOS_TEST_BURST_H
#define _PAXOS_TEST_BURST_H

/*
 * Many changes from softirqs, by a timer and by the end of others: how many were
 * taken, and how each of them ended.
 */

#include <linux/kernel.h>
#include <linux/paxos.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

struct burst {
	struct timer_list timer;
	spinlock_t lock;	/* protects what follows, and each under_way */
	u64 left;
	u64 taken;
	u64 results[PAXOS_RESULT_UNKNOWN + 1];
	u64 twice;		/* done() of what was not under way */
	u64 full;		/* -EAGAIN, -ENOMEM, -ENOLINK: to be tried again */
	int error;		/* any other */
};

static inline void burst_init(struct burst *burst,
			      void (*timer)(struct timer_list *timer))
{
	spin_lock_init(&burst->lock);
	timer_setup(&burst->timer, timer, 0);
}

/* One more may begin; burst_begun() says what came of it. */
static inline bool burst_takes(struct burst *burst, bool *under_way)
{
	bool takes;

	spin_lock_bh(&burst->lock);
	takes = burst->left && !burst->error && !*under_way;
	if (takes) {
		burst->left--;
		*under_way = true;
	}
	spin_unlock_bh(&burst->lock);
	return takes;
}

static inline void burst_begun(struct burst *burst, bool *under_way, int err)
{
	spin_lock_bh(&burst->lock);
	if (!err) {
		burst->taken++;
	} else {
		*under_way = false;
		burst->left++;
		if (err == -EAGAIN || err == -ENOMEM || err == -ENOLINK)
			burst->full++;
		else
			burst->error = err;
	}
	spin_unlock_bh(&burst->lock);
}

static inline void burst_ended(struct burst *burst, bool *under_way, u8 result)
{
	spin_lock_bh(&burst->lock);
	if (!*under_way)
		burst->twice++;
	*under_way = false;
	burst->results[result]++;
	spin_unlock_bh(&burst->lock);
}

/* The timer comes again as long as some are left. */
static inline void burst_again(struct burst *burst)
{
	bool more;

	spin_lock_bh(&burst->lock);
	more = burst->left && !burst->error;
	spin_unlock_bh(&burst->lock);
	if (more)
		mod_timer(&burst->timer, jiffies + 1);
}

/* No more begin. */
static inline void burst_stop(struct burst *burst)
{
	spin_lock_bh(&burst->lock);
	burst->left = 0;
	spin_unlock_bh(&burst->lock);
	del_timer_sync(&burst->timer);
}

static inline int burst_say(struct burst *burst, char *text, int room)
{
	int n;

	spin_lock_bh(&burst->lock);
	n = scnprintf(text, room,
		      "taken %llu\nchosen %llu\nnot-chosen %llu\nunknown %llu\ntwice %llu\nfull %llu\nleft %llu\nerror %d\n",
		      burst->taken, burst->results[PAXOS_RESULT_CHOSEN],
		      burst->results[PAXOS_RESULT_NOT_CHOSEN],
		      burst->results[PAXOS_RESULT_UNKNOWN], burst->twice,
		      burst->full, burst->left, burst->error);
	spin_unlock_bh(&burst->lock);
	return n;
}

#endif
