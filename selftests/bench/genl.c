// SPDX-License-Identifier: GPL-2.0
/* A generic netlink family, as paxosctl has it, its socket kept open. */
#include <errno.h>
#include <linux/genetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "genl.h"

#define VERSION	1	/* of both families */

struct genl {
	struct mnl_socket *socket;
	uint32_t port;
	uint32_t seq;
	uint16_t family;
	uint8_t buffer[65536];
};

struct nlmsghdr *genl_request(struct genl *genl, void *buffer, uint8_t command,
			      uint16_t flags)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct genlmsghdr *header;

	message->nlmsg_type = genl->family;
	message->nlmsg_flags = NLM_F_REQUEST | flags;
	message->nlmsg_seq = ++genl->seq;
	header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->cmd = command;
	header->version = VERSION;
	return message;
}

void genl_send(struct genl *genl, const struct nlmsghdr *message)
{
	if (mnl_socket_sendto(genl->socket, message, message->nlmsg_len) < 0)
		fail("netlink: %s", strerror(errno));
}

int genl_receive(struct genl *genl, uint32_t seq, mnl_cb_t on_message,
		 void *context)
{
	ssize_t len;
	int ret;

	do {
		len = mnl_socket_recvfrom(genl->socket, genl->buffer,
					  sizeof(genl->buffer));
		if (len < 0)
			fail("netlink: %s", strerror(errno));
		ret = mnl_cb_run(genl->buffer, len, seq, genl->port,
				 on_message, context);
	} while (ret > MNL_CB_STOP);
	return ret < 0 ? -errno : 0;
}

int genl_call(struct genl *genl, const struct nlmsghdr *message,
	      mnl_cb_t on_message, void *context)
{
	genl_send(genl, message);
	return genl_receive(genl, message->nlmsg_seq, on_message, context);
}

static int on_family(const struct nlmsghdr *message, void *context)
{
	struct nlattr *attribute;
	uint16_t *family = context;

	mnl_attr_for_each(attribute, message, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attribute) == CTRL_ATTR_FAMILY_ID)
			*family = mnl_attr_get_u16(attribute);
	}
	return MNL_CB_OK;
}

struct genl *genl_open(int member, const char *name)
{
	struct genl *genl = place_alloc(sizeof(*genl));
	struct nlmsghdr *message;
	uint8_t buffer[1024];
	uint16_t family = 0;

	place_enter(member);
	genl->socket = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (!genl->socket ||
	    mnl_socket_bind(genl->socket, 0, MNL_SOCKET_AUTOPID))
		fail("netlink: %s", strerror(errno));
	genl->port = mnl_socket_get_portid(genl->socket);
	genl->family = GENL_ID_CTRL;
	message = genl_request(genl, buffer, CTRL_CMD_GETFAMILY, NLM_F_ACK);
	mnl_attr_put_strz(message, CTRL_ATTR_FAMILY_NAME, name);
	if (genl_call(genl, message, on_family, &family) || !family)
		fail("the kernel has no family '%s' (modprobe %s)", name, name);
	genl->family = family;
	return genl;
}

void genl_close(struct genl *genl)
{
	mnl_socket_close(genl->socket);
	free(genl);
}
