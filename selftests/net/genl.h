/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOS_NET_GENL_H
#define _PAXOS_NET_GENL_H

/* A socket that speaks to a generic netlink family of the modules. */

#include <stdint.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/paxos.h>

#define GENL_MESSAGE_MAX	(128 << 10)

/* Prints "PROGRAM: ..." and ends the program with status 1. */
__attribute__((format(printf, 1, 2), noreturn))
void genl_fail(const char *format, ...);

/* What @text is; if that is no number up to @most, genl_fail(). */
uint32_t genl_number(const char *text, uint32_t most);

/* Opens one and finds the family's number. */
struct mnl_socket *genl_open(uint16_t *family);
struct mnl_socket *genl_open_family(const char *name, uint16_t *family);

/*
 * The family's number, which a module that was loaded again has changed. What
 * else comes on the socket before the answer is lost. -ENOENT: none has that name.
 */
int genl_family(struct mnl_socket *socket, const char *name, uint16_t *family);

/* Starts a request in @buffer. */
struct nlmsghdr *genl_request(void *buffer, uint16_t family, uint8_t cmd,
			      uint16_t flags, uint32_t seq);

/* "-EINVAL" and the like from an error message or the end of a dump; 0: ok. */
int genl_error(const struct nlmsghdr *message);

/* Where the kernel's attributes about its answer begin in the payload. */
size_t genl_tlvs(const struct nlmsghdr *message);

/* The kernel's sentence in an error message, or NULL. */
const char *genl_sentence(const struct nlmsghdr *message);

#endif
