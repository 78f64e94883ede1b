// SPDX-License-Identifier: GPL-2.0
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/nsproxy.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "bench.h"

static int bench_open(struct inode *inode, struct file *file)
{
	struct bench *bench;

	bench = kzalloc(sizeof(*bench), GFP_KERNEL);
	if (!bench)
		return -ENOMEM;
	mutex_init(&bench->lock);
	bench->net = get_net(current->nsproxy->net_ns);
	file->private_data = bench;
	return 0;
}

static int bench_release(struct inode *inode, struct file *file)
{
	struct bench *bench = file->private_data;

	bench_echo_close(bench);
	bench_client_close(bench);
	put_net(bench->net);
	kfree(bench);
	return 0;
}

static int bench_command(struct bench *bench, unsigned int command,
			 void __user *at)
{
	union {
		struct bench_echo echo;
		struct bench_client client;
		struct bench_rounds rounds;
		struct bench_kv kv;
	} request;
	int ret;

	if (_IOC_SIZE(command) > sizeof(request))
		return -ENOTTY;
	if (copy_from_user(&request, at, _IOC_SIZE(command)))
		return -EFAULT;
	switch (command) {
	case BENCH_ECHO:
		return bench_echo_open(bench, &request.echo);
	case BENCH_CLIENT:
		return bench_client_open(bench, &request.client);
	case BENCH_KV:
		return bench_kv_run(bench, &request.kv);
	case BENCH_ROUNDS:
	case BENCH_COMMITS:
		if (!request.rounds.rounds ||
		    request.rounds.rounds > BENCH_ROUNDS_MAX ||
		    request.rounds.trace > request.rounds.rounds ||
		    request.rounds.n_steps > BENCH_STEPS_MAX)
			return -EINVAL;
		ret = command == BENCH_ROUNDS ?
		      bench_client_run(bench, &request.rounds) :
		      bench_commit_run(bench, &request.rounds);
		break;
	default:
		return -ENOTTY;
	}
	if (!ret && copy_to_user(at, &request, _IOC_SIZE(command)))
		ret = -EFAULT;
	return ret;
}

static long bench_ioctl(struct file *file, unsigned int command,
			unsigned long argument)
{
	struct bench *bench = file->private_data;
	int ret;

	ret = mutex_lock_interruptible(&bench->lock);
	if (ret)
		return ret;
	ret = bench_command(bench, command, (void __user *)argument);
	mutex_unlock(&bench->lock);
	return ret;
}

static const struct file_operations bench_files = {
	.owner = THIS_MODULE,
	.open = bench_open,
	.release = bench_release,
	.unlocked_ioctl = bench_ioctl,
};

static struct miscdevice bench_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "paxos_bench",
	.fops = &bench_files,
	.mode = 0600,
};
module_misc_device(bench_device);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Kernel side of the paxos benchmark");
