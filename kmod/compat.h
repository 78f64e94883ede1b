/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOS_COMPAT_H
#define _PAXOS_COMPAT_H

/* Every difference between the kernels that this is built for. */

#include <linux/netlink.h>
#include <linux/version.h>
#include <net/genetlink.h>
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#include <asm/unaligned.h>
#else
#include <linux/unaligned.h>
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)

#define paxos_genl_ops const struct genl_ops

/*
 * An extack's sentence is a pointer that must outlive the request, with no room
 * of its own. Take one of a few buffers in turn: who is overtaken by four other
 * refusals before its own is copied reads another's sentence. That has the same
 * length: a buffer is for one length only, as netlink_ack() counts it, makes
 * room, and then relies on it.
 */
#define PAXOS_SENTENCES
__printf(1, 2) const char *paxos_sentence(const char *format, ...);

#define PAXOS_REFUSE_FMT(extack, format, ...) do {			\
	struct netlink_ext_ack *__extack = (extack);			\
									\
	if (__extack)							\
		__extack->_msg = paxos_sentence(format, ##__VA_ARGS__);	\
} while (0)

#else

#define paxos_genl_ops const struct genl_split_ops

#define PAXOS_REFUSE_FMT(extack, format, ...)				\
	NL_SET_ERR_MSG_FMT(extack, format, ##__VA_ARGS__)

#endif

static inline struct nlattr **paxos_dump_attrs(struct netlink_callback *cb)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
	return genl_dumpit_info(cb)->attrs;
#else
	return genl_info_dump(cb)->attrs;
#endif
}

#endif
