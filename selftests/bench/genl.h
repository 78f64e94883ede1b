/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _BENCH_GENL_H
#define _BENCH_GENL_H

#include <libmnl/libmnl.h>
#include "bench.h"

struct genl;

/*
 * A netlink socket for the family @name in the namespace of @member, where the
 * process then is.
 */
struct genl *genl_open(int member, const char *name);
void genl_close(struct genl *genl);

/* The head of a message in @buffer, with a number of its own. */
struct nlmsghdr *genl_request(struct genl *genl, void *buffer, uint8_t command,
			      uint16_t flags);
void genl_send(struct genl *genl, const struct nlmsghdr *message);
/* Waits for what answers @seq (0: anything); 0 or -errno of the kernel's. */
int genl_receive(struct genl *genl, uint32_t seq, mnl_cb_t on_message,
		 void *context);
/* Sends @message and waits for its answer, or acknowledgement. */
int genl_call(struct genl *genl, const struct nlmsghdr *message,
	      mnl_cb_t on_message, void *context);

#endif
