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
#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include "burst.h"
#include "device.h"
#include "sample.h"

#define AT_ONCE_MAX	4096

struct adding {
	struct paxos_request request;
	struct instance *instance;
	bool under_way;
};

struct instance {
	struct mutex lock;	/* one command at a time */
	struct sample sample;
	struct burst burst;
	struct adding *adding;
	u32 at_once;
	u32 timeout_ms;
	bool drips;
	struct work_struct stall;
	struct completion stalled;
	u32 stall_ms;
};

/* Any softirq. */
static void add_next(struct adding *adding)
{
	struct instance *instance = adding->instance;
	struct sample_value value;

	if (!burst_takes(&instance->burst, &adding->under_way))
		return;
	sample_value(&value, 1);
	burst_begun(&instance->burst, &adding->under_way,
		    paxos_propose(instance->sample.handle, &adding->request,
				  &value, sizeof(value), instance->timeout_ms));
}

static void add_done(struct paxos_request *request)
{
	struct adding *adding = container_of(request, struct adding, request);

	burst_ended(&adding->instance->burst, &adding->under_way,
		    request->result);
	if (!adding->instance->drips)
		add_next(adding);
}

static void add_tick(struct timer_list *timer)
{
	struct instance *instance = container_of(timer, struct instance,
						 burst.timer);
	u32 i;

	for (i = 0; i < instance->at_once; i++)
		add_next(&instance->adding[i]);
	burst_again(&instance->burst);
}

static int add_many(struct instance *instance, u64 count, u32 at_once,
		    u32 timeout_ms)
{
	u32 i;

	if (instance->adding || !at_once || at_once > AT_ONCE_MAX)
		return -EINVAL;
	instance->adding = kvcalloc(at_once, sizeof(*instance->adding),
				    GFP_KERNEL);
	if (!instance->adding)
		return -ENOMEM;
	for (i = 0; i < at_once; i++) {
		instance->adding[i].instance = instance;
		instance->adding[i].request.done = add_done;
	}
	instance->burst.left = count;
	instance->at_once = at_once;
	instance->timeout_ms = timeout_ms;
	mod_timer(&instance->burst.timer, jiffies);
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
	burst_stop(&instance->burst);
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
		return add_many(instance, n[0], n[1], n[2]);
	if (!strcmp(word, "drip")) {
		instance->drips = true;
		return add_many(instance, n[0], n[1], n[2]);
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
	char text[512];
	int n;

	mutex_lock(&sample->lock);
	n = scnprintf(text, sizeof(text),
		      "sum %lld\napplied %llu\nslot %llu\nepoch %u\nvoters %llx\nquorum %d\nstopped %d\n",
		      sample->sum, sample->applied, sample->slot,
		      sample->epoch, sample->voters, sample->quorum,
		      sample->stopped);
	mutex_unlock(&sample->lock);
	n += burst_say(&instance->burst, text + n, sizeof(text) - n);
	return device_tell(to, size, at, text, n);
}

static int sample_dev_open(struct inode *inode, struct file *file)
{
	struct instance *instance = kzalloc(sizeof(*instance), GFP_KERNEL);

	if (!instance)
		return -ENOMEM;
	mutex_init(&instance->lock);
	mutex_init(&instance->sample.lock);
	burst_init(&instance->burst, add_tick);
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
	kvfree(instance->adding);
	kfree(instance);
	return 0;
}

TEST_DEVICE("paxos_sample", sample_dev_open, sample_dev_release, sample_dev_read, sample_dev_write);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A consumer of paxos, to show and to test");
