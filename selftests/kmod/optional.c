// SPDX-License-Identifier: GPL-2.0
/*
 * A subsystem that makes use of paxos where it is there, and goes on without
 * it where it is not: no symbol of it is linked to.
 */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/nsproxy.h>
#include <linux/paxos.h>
#include <linux/sched.h>

static uint group = 1;
module_param(group, uint, 0444);
MODULE_PARM_DESC(group, "to open, in the network namespace of who loads this");

static bool there;
module_param(there, bool, 0444);
MODULE_PARM_DESC(there, "it was opened");

static struct paxos_handle *handle;

static void optional_apply(void *context, u64 slot, const void *bytes, u32 len)
{
}

static const struct paxos_handle_ops optional_ops = {
	.name = "optional",
	.apply = optional_apply,
};

static int __init optional_init(void)
{
	typeof(&paxos_open) open = symbol_get(paxos_open);

	there = false;
	if (!open)
		return 0;
	handle = open(current->nsproxy->net_ns, group, 0, &optional_ops, NULL,
		      1000);
	/* The handle keeps paxos.ko from here on. */
	symbol_put(paxos_open);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	there = true;
	return 0;
}

static void __exit optional_exit(void)
{
	typeof(&paxos_close) close;

	if (!there)
		return;
	close = symbol_get(paxos_close);
	close(handle);
	symbol_put(paxos_close);
}

module_init(optional_init);
module_exit(optional_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("An optional user of paxos");
