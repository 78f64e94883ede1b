/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSCTL_KERNEL_H
#define _PAXOSCTL_KERNEL_H

/* Requests to paxos.ko over generic netlink, and what it answers. */

#include <netlink/genl/genl.h>
#include <linux/paxos.h>
#include "print.h"

/**
 * struct failure - why the kernel did not do what it was asked
 * @error: an errno, 0: it did
 * @sentence: the kernel's own words, "" where it gave none
 * @blame: the attribute that is wrong, in plain words, "" where none is
 */
struct failure {
	int error;
	char sentence[256];
	char blame[256];
};

struct kernel;

/* Takes one message; anything but 0 ends the call and is what it returns. */
typedef int (*answer_fn)(struct nlmsghdr *message, void *arg);

enum reply {
	REPLY_ACK,	/* done or not */
	REPLY_ONE,	/* one message, whenever it comes */
	REPLY_DUMP,	/* any number of messages */
};

/*
 * kernel_open - a connection, or NULL where the module is not there
 *
 * failure of a NULL connection is in kernel_failure(NULL).
 */
struct kernel *kernel_open(void);
/* Likewise, to another family: PAXOS_KV_GENL_NAME. */
struct kernel *kernel_open_family(const char *name);
void kernel_close(struct kernel *kernel);
const struct failure *kernel_failure(const struct kernel *kernel);

/* A message with room for a value, to be filled and passed to kernel_call(). */
struct nl_msg *kernel_request(const struct kernel *kernel, uint8_t cmd);
/*
 * kernel_call - send @request, which it frees, and take what comes back
 *
 * Returns 0, what @answer returned, or -1 with kernel_failure() set. A dump
 * that something changed under fails with EINTR.
 */
int kernel_call(struct kernel *kernel, struct nl_msg *request,
		enum reply reply, answer_fn answer, void *arg);

/* Join a multicast group of the family. */
int kernel_join(struct kernel *kernel, const char *group);
/*
 * kernel_listen - take the messages that come within @timeout ms (-1: ever)
 *
 * Returns after the first of them, or 0 when there were none. Fails with
 * ENOBUFS when messages were lost.
 */
int kernel_listen(struct kernel *kernel, int timeout, answer_fn answer,
		  void *arg);

/* What an error message says of @request. */
void kernel_parse_failure(const struct nlmsghdr *message,
			  const struct nlmsghdr *request,
			  struct failure *failure);

/* Attributes of a message, checked for their size, indexed by type. */
int kernel_parse(struct nlmsghdr *message, struct nlattr **attrs);
int kernel_parse_member(struct nlattr *nest, struct nlattr **attrs);
int kernel_parse_consumer(struct nlattr *nest, struct nlattr **attrs);
struct maybe kernel_u8(struct nlattr *attr);
struct maybe kernel_u32(struct nlattr *attr);
struct maybe kernel_u64(struct nlattr *attr);

#endif
