// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/genetlink.h>
#include <linux/paxos_kv.h>
#include "netlink.h"

#define SOCKET_BUFFER (4 << 20)

__attribute__((format(printf, 3, 4)))
static int wrong(struct netlink *netlink, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(netlink->error, sizeof(netlink->error), format, args);
	va_end(args);
	return error;
}

int netlink_fd(const struct netlink *netlink)
{
	return mnl_socket_get_fd(netlink->socket);
}

uint32_t netlink_port(const struct netlink *netlink)
{
	return mnl_socket_get_portid(netlink->socket);
}

uint64_t netlink_u64(const struct nlattr *attr)
{
	return attr && mnl_attr_get_payload_len(attr) >= sizeof(uint64_t) ?
		       mnl_attr_get_u64(attr) : 0;
}

uint32_t netlink_u32(const struct nlattr *attr)
{
	return attr && mnl_attr_get_payload_len(attr) >= sizeof(uint32_t) ?
		       mnl_attr_get_u32(attr) : 0;
}

uint8_t netlink_u8(const struct nlattr *attr)
{
	return attr && mnl_attr_get_payload_len(attr) >= sizeof(uint8_t) ?
		       mnl_attr_get_u8(attr) : 0;
}

void netlink_parse_nested(const struct nlattr *nest,
			  const struct nlattr *attrs[], unsigned int max)
{
	const struct nlattr *attr;

	memset(attrs, 0, (max + 1) * sizeof(*attrs));
	mnl_attr_for_each_nested(attr, nest)
		if (mnl_attr_get_type(attr) <= max)
			attrs[mnl_attr_get_type(attr)] = attr;
}

/* What the kernel said with a refusal. */
static int refusal(struct netlink *netlink, const struct nlmsghdr *message)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);
	const struct nlattr *attr;
	size_t offset = sizeof(*error);

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*error))
		return wrong(netlink, -EPROTO, "a short answer of the kernel");
	if (!error->error)
		return 0;
	snprintf(netlink->error, sizeof(netlink->error), "%s",
		 strerror(-error->error));
	if (!(message->nlmsg_flags & NLM_F_ACK_TLVS))
		return error->error;
	if (!(message->nlmsg_flags & NLM_F_CAPPED))
		offset += MNL_ALIGN(mnl_nlmsg_get_payload_len(&error->msg));
	mnl_attr_for_each(attr, message, offset)
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG)
			snprintf(netlink->error, sizeof(netlink->error),
				 "%.*s", mnl_attr_get_payload_len(attr),
				 mnl_attr_get_str(attr));
	return error->error;
}

int netlink_send(struct netlink *netlink)
{
	const struct nlmsghdr *message = netlink->request;

	if (mnl_socket_sendto(netlink->socket, message,
			      message->nlmsg_len) >= 0)
		return 0;
	return wrong(netlink, -errno, "cannot ask the kernel: %s",
		     strerror(errno));
}

/* Of a dump: all of it, or why not. */
static int ending(struct netlink *netlink, const struct nlmsghdr *message)
{
	int error = 0;

	if (mnl_nlmsg_get_payload_len(message) >= sizeof(error))
		memcpy(&error, mnl_nlmsg_get_payload(message), sizeof(error));
	return error < 0 ? wrong(netlink, error, "%s", strerror(-error)) : 0;
}

/* 1: there is more to come. */
static int take_message(struct netlink *netlink, const struct nlmsghdr *message,
			netlink_visit visit, void *context)
{
	const struct nlattr *attrs[PAXOS_A_MAX + 1] = { NULL };
	const struct nlattr *attr;
	int result;

	if (message->nlmsg_seq != netlink->seq)
		return 1;
	if (message->nlmsg_type == NLMSG_ERROR)
		return refusal(netlink, message);
	if (message->nlmsg_type == NLMSG_DONE)
		return ending(netlink, message);
	if (message->nlmsg_type < NLMSG_MIN_TYPE)
		return 1;
	mnl_attr_for_each(attr, message, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) <= PAXOS_A_MAX)
			attrs[mnl_attr_get_type(attr)] = attr;
	result = visit ? visit(context, message, attrs) : 0;
	return result ?: 1;
}

/* 1: there is more to come. */
static int take(struct netlink *netlink, netlink_visit visit, void *context)
{
	const struct nlmsghdr *message = netlink->answer;
	ssize_t n = mnl_socket_recvfrom(netlink->socket, netlink->answer,
					NETLINK_ANSWER_MAX);
	int length = n, result = 1;

	if (n < 0 && errno == EINTR)
		return 1;
	if (n < 0)
		return wrong(netlink, -errno, "no answer of the kernel: %s",
			     strerror(errno));
	for (; mnl_nlmsg_ok(message, length) && result == 1;
	     message = mnl_nlmsg_next(message, &length))
		result = take_message(netlink, message, visit, context);
	return result;
}

int netlink_ask(struct netlink *netlink, netlink_visit visit, void *context)
{
	struct nlmsghdr *message = netlink->request;
	int result;

	message->nlmsg_flags |= NLM_F_ACK;
	result = netlink_send(netlink);
	if (result)
		return result;
	do
		result = take(netlink, visit, context);
	while (result == 1);
	return result;
}

struct heard {
	netlink_visit visit;
	void *context;
	bool any;
};

static int hear(void *context, const struct nlmsghdr *message,
		const struct nlattr *const attrs[])
{
	struct heard *heard = context;

	heard->any = true;
	return heard->visit(heard->context, message, attrs);
}

int netlink_receive(struct netlink *netlink, netlink_visit visit, void *context)
{
	struct heard heard = { .visit = visit, .context = context };
	int result = take(netlink, hear, &heard);

	if (result == 1)
		return heard.any ? 0 : -EAGAIN;
	return result;
}

static struct nlmsghdr *begin(struct netlink *netlink, uint16_t family,
			      uint8_t cmd, uint8_t version)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(netlink->request);
	struct genlmsghdr *header;

	message->nlmsg_type = family;
	message->nlmsg_flags = NLM_F_REQUEST;
	message->nlmsg_seq = ++netlink->seq;
	header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->cmd = cmd;
	header->version = version;
	return message;
}

struct nlmsghdr *netlink_begin(struct netlink *netlink, uint8_t cmd,
			       uint32_t group)
{
	struct nlmsghdr *message = begin(netlink, netlink->family, cmd,
					 PAXOS_GENL_VERSION);

	mnl_attr_put_u32(message, PAXOS_A_GROUP, group);
	return message;
}

static int take_family(void *context, const struct nlmsghdr *message,
		       const struct nlattr *const attrs[])
{
	struct netlink *netlink = context;
	const struct nlattr *attr;

	(void)attrs;	/* another family's numbers */
	mnl_attr_for_each(attr, message, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
			netlink->family = mnl_attr_get_u16(attr);
	return 0;
}

static int find_family(struct netlink *netlink, const char *name)
{
	struct nlmsghdr *message = begin(netlink, GENL_ID_CTRL,
					 CTRL_CMD_GETFAMILY, 1);
	int result;

	mnl_attr_put_strz(message, CTRL_ATTR_FAMILY_NAME, name);
	result = netlink_ask(netlink, take_family, netlink);
	if (result == -ENOENT)
		return wrong(netlink, result,
			     "this kernel has no %s: load the module first (modprobe %s, or insmod %s.ko)",
			     name, name, name);
	if (!result && !netlink->family)
		return wrong(netlink, -EPROTO,
			     "the kernel does not tell the number of family %s",
			     name);
	return result;
}

static void set_buffers(int fd)
{
	const int size = SOCKET_BUFFER;

	/* Beyond the limit takes a right; without it the limit will do. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

static int open_family(struct netlink *netlink, const char *name)
{
	int one = 1, result;

	memset(netlink, 0, sizeof(*netlink));
	netlink->request = malloc(NETLINK_REQUEST_MAX);
	netlink->answer = malloc(NETLINK_ANSWER_MAX);
	if (!netlink->request || !netlink->answer)
		return wrong(netlink, -ENOMEM, "out of memory");
	netlink->socket = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (!netlink->socket ||
	    mnl_socket_bind(netlink->socket, 0, MNL_SOCKET_AUTOPID))
		return wrong(netlink, -errno, "no netlink socket: %s",
			     strerror(errno));
	/* Old kernels have neither; refusals are terser there. */
	mnl_socket_setsockopt(netlink->socket, NETLINK_EXT_ACK, &one,
			      sizeof(one));
	mnl_socket_setsockopt(netlink->socket, NETLINK_CAP_ACK, &one,
			      sizeof(one));
	set_buffers(netlink_fd(netlink));
	result = find_family(netlink, name);
	return result;
}

int netlink_open(struct netlink *netlink)
{
	return open_family(netlink, PAXOS_GENL_NAME);
}

int netlink_open_kv(struct netlink *netlink)
{
	return open_family(netlink, PAXOS_KV_GENL_NAME);
}

void netlink_close(struct netlink *netlink)
{
	if (netlink->socket)
		mnl_socket_close(netlink->socket);
	free(netlink->request);
	free(netlink->answer);
	memset(netlink, 0, sizeof(*netlink));
}
