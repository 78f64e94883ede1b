/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSD_NETLINK_H
#define _PAXOSD_NETLINK_H

/* A generic netlink socket to a family of ours: requests and answers. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <libmnl/libmnl.h>
#include <linux/paxos.h>

#define NETLINK_ANSWER_MAX	(512 << 10)	/* a PULL's is up to 160 KiB */
#define NETLINK_REQUEST_MAX	(128 << 10)

/**
 * struct netlink - one socket, for one thread
 * @socket: libmnl's
 * @family: number of the family
 * @seq: of the last request
 * @request: being built, of NETLINK_REQUEST_MAX bytes
 * @answer: of NETLINK_ANSWER_MAX bytes
 * @error: after a failure, why, in the kernel's words if it had some
 */
struct netlink {
	struct mnl_socket *socket;
	uint16_t family;
	uint32_t seq;
	void *request;
	void *answer;
	char error[256];
};

/* One message of an answer: attributes of the top level by type, or NULL. */
typedef int (*netlink_visit)(void *context, const struct nlmsghdr *message,
			     const struct nlattr *const attrs[]);

/* Results are 0 or a negative errno, with netlink->error set. */
int netlink_open(struct netlink *netlink);
/* To the family "paxos_kv"; -ENOENT: that module is not there. */
int netlink_open_kv(struct netlink *netlink);
void netlink_close(struct netlink *netlink);
int netlink_fd(const struct netlink *netlink);
uint32_t netlink_port(const struct netlink *netlink);

/* Begin a request of @cmd; attributes follow with mnl_attr_put_*(). */
struct nlmsghdr *netlink_begin(struct netlink *netlink, uint8_t cmd,
			       uint32_t group);
/* Send it and take the answer until the kernel says that this was all. */
int netlink_ask(struct netlink *netlink, netlink_visit visit, void *context);
/*
 * Send it; the answer comes when it comes, by netlink_receive(), which is
 * -EAGAIN when only a stale message was there, and -ENOBUFS when one was lost.
 */
int netlink_send(struct netlink *netlink);
int netlink_receive(struct netlink *netlink, netlink_visit visit,
		    void *context);

/* Attributes of @nest by type, unknown ones left out. */
void netlink_parse_nested(const struct nlattr *nest,
			  const struct nlattr *attrs[], unsigned int max);

/* 0 when it is absent or too short. */
uint64_t netlink_u64(const struct nlattr *attr);
uint32_t netlink_u32(const struct nlattr *attr);
uint8_t netlink_u8(const struct nlattr *attr);

#endif
