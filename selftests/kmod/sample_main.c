// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/paxos_sample: a consumer an open file. One word and its numbers written
 * to it are a command, whose error is write()'s; what is read are its words and
 * their numbers, a line each.
 *
 *	open GROUP FIRST TIMEOUT_MS	in the writer's network namespace
 *	close
 *	add NUMBER TIMEOUT_MS
 *	read TIMEOUT_MS			a barrier: "sum" is right afterwards
 *	long BYTES			propose zeros
 *	stall MS			apply() has to wait so long, from now on
 *	burst COUNT AT_ONCE TIMEOUT_MS	add 1 COUNT times, from softirqs: where one
 *					ends, the next begins
 *	drip COUNT AT_ONCE TIMEOUT_MS	the same, AT_ONCE at most a jiffy
 */
#include <linux/delay.h>
#include <linux/nsproxy.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include "device.h"
#include "sample.h"

#define AT_ONCE_MAX	4096

struct burst;

struct adding {
	struct paxos_request request;
	struct burst *burst;
	bool under_way;
};

/* Proposals made by a timer and by the end of others. */
struct burst {
	struct sample *sample;
	struct adding *adding;
	struct timer_list timer;
	spinlock_t lock;	/* protects what follows */
	u32 at_once;
	u32 timeout_ms;
	bool drips;
	u64 left;
	u64 taken;
	u64 results[PAXOS_RESULT_UNKNOWN + 1];
	u64 twice;		/* done() of what was not under way */
	u64 full;		/* -EAGAIN, -ENOMEM: to be tried again */
	int error;		/* any other */
};

struct instance {
	struct mutex lock;	/* one command at a time */
	struct sample sample;
	struct burst burst;
	struct work_struct stall;
	struct completion stalled;
	u32 stall_ms;
};

/* Any softirq. */
static void burst_next(struct adding *adding)
{
	struct burst *burst = adding->burst;
	struct sample_value value;
	int err;

	spin_lock_bh(&burst->lock);
	if (!burst->left || burst->error || adding->under_way) {
		spin_unlock_bh(&burst->lock);
		return;
	}
	burst->left--;
	adding->under_way = true;
	spin_unlock_bh(&burst->lock);

	sample_value(&value, 1);
	err = paxos_propose(burst->sample->handle, &adding->request, &value,
			    sizeof(value), burst->timeout_ms);

	spin_lock_bh(&burst->lock);
	if (!err) {
		burst->taken++;
	} else {
		adding->under_way = false;
		burst->left++;
		if (err == -EAGAIN || err == -ENOMEM)
			burst->full++;
		else
			burst->error = err;
	}
	spin_unlock_bh(&burst->lock);
}

static void burst_done(struct paxos_request *request)
{
	struct adding *adding = container_of(request, struct adding, request);
	struct burst *burst = adding->burst;

	spin_lock_bh(&burst->lock);
	if (!adding->under_way)
		burst->twice++;
	adding->under_way = false;
	burst->results[request->result]++;
	spin_unlock_bh(&burst->lock);
	if (!burst->drips)
		burst_next(adding);
}

static void burst_timer(struct timer_list *timer)
{
	struct burst *burst = container_of(timer, struct burst, timer);
	bool more;
	u32 i;

	for (i = 0; i < burst->at_once; i++)
		burst_next(&burst->adding[i]);
	spin_lock_bh(&burst->lock);
	more = burst->left && !burst->error;
	spin_unlock_bh(&burst->lock);
	if (more)
		mod_timer(&burst->timer, jiffies + 1);
}

static int burst_begin(struct burst *burst, u64 count, u32 at_once,
		       u32 timeout_ms)
{
	u32 i;

	if (burst->adding || !at_once || at_once > AT_ONCE_MAX)
		return -EINVAL;
	burst->adding = kvcalloc(at_once, sizeof(*burst->adding), GFP_KERNEL);
	if (!burst->adding)
		return -ENOMEM;
	for (i = 0; i < at_once; i++) {
		burst->adding[i].burst = burst;
		burst->adding[i].request.done = burst_done;
	}
	burst->left = count;
	burst->at_once = at_once;
	burst->timeout_ms = timeout_ms;
	mod_timer(&burst->timer, jiffies);
	return 0;
}

static void stall_work(struct work_struct *work)
{
	struct instance *instance =
		container_of(work, struct instance, stall);

	mutex_lock(&instance->sample.lock);
	complete(&instance->stalled);
	msleep(instance->stall_ms);
	mutex_unlock(&instance->sample.lock);
}

static int stall(struct instance *instance, u32 ms)
{
	flush_work(&instance->stall);
	instance->stall_ms = ms;
	reinit_completion(&instance->stalled);
	queue_work(system_unbound_wq, &instance->stall);
	wait_for_completion(&instance->stalled);
	return 0;
}

static void instance_close(struct instance *instance)
{
	struct burst *burst = &instance->burst;

	spin_lock_bh(&burst->lock);
	burst->left = 0;
	spin_unlock_bh(&burst->lock);
	del_timer_sync(&burst->timer);
	sample_close(&instance->sample);
}

static int propose_long(struct sample *sample, u32 len)
{
	void *bytes = kvzalloc(len, GFP_KERNEL);
	int ret;

	if (!bytes)
		return -ENOMEM;
	ret = paxos_propose_wait(sample->handle, bytes, len, 1000, NULL);
	kvfree(bytes);
	return ret > 0 ? 0 : ret;
}

static int open_here(struct sample *sample, u32 group, u64 first,
		     u32 timeout_ms)
{
	struct net *net = get_net(current->nsproxy->net_ns);
	int err = sample_open(sample, net, group, first, timeout_ms);

	put_net(net);
	return err;
}

static int command(struct instance *instance, const char *word, const s64 *n)
{
	struct sample *sample = &instance->sample;
	s64 sum;

	if (!strcmp(word, "open"))
		return sample->handle ? -EBUSY :
		       open_here(sample, n[0], n[1], n[2]);
	if (!sample->handle)
		return -EBADF;
	if (!strcmp(word, "close")) {
		instance_close(instance);
		return 0;
	}
	if (!strcmp(word, "add"))
		return sample_add(sample, n[0], n[1]);
	if (!strcmp(word, "read"))
		return sample_read(sample, &sum, n[0]);
	if (!strcmp(word, "long"))
		return propose_long(sample, n[0]);
	if (!strcmp(word, "stall"))
		return stall(instance, n[0]);
	if (!strcmp(word, "burst"))
		return burst_begin(&instance->burst, n[0], n[1], n[2]);
	if (!strcmp(word, "drip")) {
		instance->burst.drips = true;
		return burst_begin(&instance->burst, n[0], n[1], n[2]);
	}
	return -EINVAL;
}

static ssize_t sample_dev_write(struct file *file, const char __user *from,
				size_t size, loff_t *at)
{
	struct instance *instance = file->private_data;
	char text[64], word[16];
	s64 n[3] = { };
	int err;

	err = device_take(text, sizeof(text), from, size);
	if (err)
		return err;
	if (sscanf(text, "%15s %lld %lld %lld", word, &n[0], &n[1], &n[2]) < 1)
		return -EINVAL;
	err = mutex_lock_killable(&instance->lock);
	if (err)
		return err;
	err = command(instance, word, n);
	mutex_unlock(&instance->lock);
	return err ?: size;
}

static ssize_t sample_dev_read(struct file *file, char __user *to, size_t size,
			       loff_t *at)
{
	struct instance *instance = file->private_data;
	struct sample *sample = &instance->sample;
	struct burst *burst = &instance->burst;
	char text[512];
	int n;

	mutex_lock(&sample->lock);
	n = scnprintf(text, sizeof(text),
		      "sum %lld\napplied %llu\nslot %llu\nepoch %u\nvoters %llx\nquorum %d\nstopped %d\n",
		      sample->sum, sample->applied, sample->slot,
		      sample->epoch, sample->voters, sample->quorum,
		      sample->stopped);
	mutex_unlock(&sample->lock);
	spin_lock_bh(&burst->lock);
	n += scnprintf(text + n, sizeof(text) - n,
		       "taken %llu\nchosen %llu\nnot-chosen %llu\nunknown %llu\ntwice %llu\nfull %llu\nleft %llu\nerror %d\n",
		       burst->taken, burst->results[PAXOS_RESULT_CHOSEN],
		       burst->results[PAXOS_RESULT_NOT_CHOSEN],
		       burst->results[PAXOS_RESULT_UNKNOWN], burst->twice,
		       burst->full, burst->left, burst->error);
	spin_unlock_bh(&burst->lock);
	return device_tell(to, size, at, text, n);
}

static int sample_dev_open(struct inode *inode, struct file *file)
{
	struct instance *instance = kzalloc(sizeof(*instance), GFP_KERNEL);

	if (!instance)
		return -ENOMEM;
	mutex_init(&instance->lock);
	mutex_init(&instance->sample.lock);
	spin_lock_init(&instance->burst.lock);
	instance->burst.sample = &instance->sample;
	timer_setup(&instance->burst.timer, burst_timer, 0);
	init_completion(&instance->stalled);
	INIT_WORK(&instance->stall, stall_work);
	file->private_data = instance;
	return 0;
}

static int sample_dev_release(struct inode *inode, struct file *file)
{
	struct instance *instance = file->private_data;

	if (instance->sample.handle)
		instance_close(instance);
	flush_work(&instance->stall);
	kvfree(instance->burst.adding);
	kfree(instance);
	return 0;
}

TEST_DEVICE("paxos_sample", sample_dev_open, sample_dev_release, sample_dev_read, sample_dev_write);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A consumer of paxos, to show and to test");
