// SPDX-License-Identifier: GPL-2.0
/*
 * A member whose memory fails: flips one bit of a value that is chosen and not
 * delivered yet.
 *
 *	modprobe paxos_corrupt member=3
 *
 * does so once, in the next value of member 3 of any group; loading it again
 * does so once more.
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/ptrace.h>
#include "core/core.h"

static unsigned int member;
module_param(member, uint, 0444);
MODULE_PARM_DESC(member, "whose memory fails");

static atomic_t left = ATOMIC_INIT(1);

/* paxos_learner_chosen(core, slot); its caller holds the group's lock. */
static int chosen(struct kprobe *probe, struct pt_regs *regs)
{
	struct paxos_core *core = (void *)regs_get_kernel_argument(regs, 0);
	u64 slot = regs_get_kernel_argument(regs, 1);
	struct paxos_entry *entry = paxos_log_entry(&core->log, slot);

	if (core->settings.self != member || core->state != PAXOS_RUNNING ||
	    entry->value->kind != PAXOS_DATA || !entry->value->len ||
	    atomic_dec_if_positive(&left) < 0)
		return 0;
	entry->value->bytes[entry->value->len / 2] ^= 1;
	pr_info("paxos_corrupt: member %u, slot %llu\n", member, slot);
	return 0;
}

static struct kprobe probe = {
	.symbol_name = "paxos_learner_chosen",
	.pre_handler = chosen,
};

static int __init corrupt_init(void)
{
	if (!member || member > PAXOS_MEMBERS_MAX)
		return -EINVAL;
	return register_kprobe(&probe);
}

static void __exit corrupt_exit(void)
{
	unregister_kprobe(&probe);
}

module_init(corrupt_init);
module_exit(corrupt_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Breaks a member of a paxos group, for tests");
