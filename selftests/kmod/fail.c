// SPDX-License-Identifier: GPL-2.0
/*
 * There is no memory for values, as the network stack's context sees it; or
 * @every so often there is none where @symbol allocates. What the kernel's fault
 * injection would do, had Debian's kernel been built with it.
 */
#include <linux/gfp.h>
#include <linux/kprobes.h>
#include <linux/linkage.h>
#include <linux/module.h>
#include <asm/ibt.h>

static char *symbol = "paxos_value_memory";
module_param(symbol, charp, 0444);
MODULE_PARM_DESC(symbol, "that returns NULL");

static uint every;
module_param(every, uint, 0444);
MODULE_PARM_DESC(every, "time it is called; 0: unless it may sleep");

static atomic_t calls;
static atomic_t count;
static int failed_get(char *text, const struct kernel_param *param)
{
	return sysfs_emit(text, "%d\n", atomic_read(&count));
}

static const struct kernel_param_ops failed_ops = { .get = failed_get };

module_param_cb(failed, &failed_ops, NULL, 0444);
MODULE_PARM_DESC(failed, "how many allocations did");

void fail_return(void);
asm(".pushsection .text\n"
	".type fail_return, @function\n"
	"fail_return:\n\t"
	ASM_ENDBR
	ASM_RET
	".size fail_return, . - fail_return\n"
	".popsection\n");

/* Without @every it is paxos_value_memory(len, gfp). */
static int fail_entry(struct kprobe *probe, struct pt_regs *regs)
{
	if (every) {
		if (atomic_inc_return(&calls) % every)
			return 0;
	} else if ((__force gfp_t)regs->si & __GFP_DIRECT_RECLAIM) {
		return 0;
	}
	atomic_inc(&count);
	regs->ax = 0;
	regs->ip = (unsigned long)fail_return;
	return 1;
}

static struct kprobe fail_probe = {
	.pre_handler = fail_entry,
};

static int __init fail_init(void)
{
	fail_probe.symbol_name = symbol;
	return register_kprobe(&fail_probe);
}

static void __exit fail_exit(void)
{
	unregister_kprobe(&fail_probe);
}

module_init(fail_init);
module_exit(fail_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Makes allocations of paxos fail");
