// SPDX-License-Identifier: GPL-2.0
/*
 * Where the instructions go: the processor's trap flag makes each instruction
 * of the round under measurement a debug exception, and its address is kept.
 * Interrupts clear the flag while they run, so they are not in the trace.
 */
#include <linux/kdebug.h>
#include <linux/mm.h>
#include <linux/notifier.h>
#include <linux/ptrace.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <asm/debugreg.h>
#include "bench.h"

/* One user at a time: who called bench_trace_open() and not yet close(). */
static DEFINE_MUTEX(trace_lock);
static struct bench_step *trace_steps;
static u32 trace_size;
static u32 trace_count;

static int trace_trap(struct notifier_block *block, unsigned long what,
		      void *argument)
{
	const struct die_args *args = argument;
	struct pt_regs *regs = args->regs;
	const unsigned long *dr6;

	/* The trap of the instruction that cleared the flag still comes. */
	if (what != DIE_DEBUG || user_mode(regs))
		return NOTIFY_DONE;
	dr6 = (const unsigned long *)args->err;
	if (!(*dr6 & DR_STEP))
		return NOTIFY_DONE;
	if (trace_count == trace_size) {
		regs->flags &= ~X86_EFLAGS_TF;
		return NOTIFY_STOP;
	}
	trace_steps[trace_count].ip = regs->ip;
	trace_steps[trace_count++].sp = regs->sp;
	return NOTIFY_STOP;
}

static struct notifier_block trace_notifier = {
	.notifier_call = trace_trap,
	.priority = INT_MAX,
};

int bench_trace_open(u32 n_steps)
{
	int ret;

	ret = mutex_lock_interruptible(&trace_lock);
	if (ret)
		return ret;
	trace_steps = vzalloc(array_size(n_steps, sizeof(*trace_steps)));
	if (!trace_steps) {
		mutex_unlock(&trace_lock);
		return -ENOMEM;
	}
	trace_size = n_steps;
	trace_count = 0;
	ret = register_die_notifier(&trace_notifier);
	if (ret) {
		vfree(trace_steps);
		mutex_unlock(&trace_lock);
	}
	return ret;
}

void bench_trace_round(void)
{
	if (trace_count < trace_size)
		trace_steps[trace_count++].ip = 0;
}

int bench_trace_close(void __user *steps, u32 *n_steps)
{
	int ret = 0;

	unregister_die_notifier(&trace_notifier);
	*n_steps = trace_count;
	if (copy_to_user(steps, trace_steps,
			 array_size(trace_count, sizeof(*trace_steps))))
		ret = -EFAULT;
	vfree(trace_steps);
	mutex_unlock(&trace_lock);
	return ret;
}
