// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "genl.h"

void genl_fail(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	va_start(args, format);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

uint32_t genl_number(const char *text, uint32_t most)
{
	unsigned long number;
	char *end;

	number = strtoul(text, &end, 10);
	if (*end || end == text || number > most)
		genl_fail("'%s' is not a number up to %u", text, most);
	return number;
}

struct nlmsghdr *genl_request(void *buffer, uint16_t family, uint8_t cmd,
			      uint16_t flags, uint32_t seq)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct genlmsghdr *genl;

	message->nlmsg_type = family;
	message->nlmsg_flags = NLM_F_REQUEST | flags;
	message->nlmsg_seq = seq;
	genl = mnl_nlmsg_put_extra_header(message, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = PAXOS_GENL_VERSION;
	return message;
}

int genl_error(const struct nlmsghdr *message)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);

	/* Both carry an errno first. */
	return error->error;
}

size_t genl_tlvs(const struct nlmsghdr *message)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);

	if (!(message->nlmsg_flags & NLM_F_ACK_TLVS))
		return mnl_nlmsg_get_payload_len(message);
	/* The end of a dump has nothing but an errno before them. */
	if (message->nlmsg_type == NLMSG_DONE)
		return sizeof(int);
	if (message->nlmsg_flags & NLM_F_CAPPED)
		return sizeof(*error);
	return sizeof(*error) + mnl_nlmsg_get_payload_len(&error->msg);
}

const char *genl_sentence(const struct nlmsghdr *message)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, message, genl_tlvs(message))
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG)
			return mnl_attr_get_str(attr);
	return NULL;
}

static int take_family(const struct nlattr *attr, void *data)
{
	uint16_t *family = data;

	if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
		*family = mnl_attr_get_u16(attr);
	return MNL_CB_OK;
}

struct mnl_socket *genl_open(uint16_t *family)
{
	return genl_open_family(PAXOS_GENL_NAME, family);
}

int genl_family(struct mnl_socket *socket, const char *name, uint16_t *family)
{
	uint8_t buffer[GENL_MESSAGE_MAX];
	struct nlmsghdr *message;
	ssize_t length;

	message = genl_request(buffer, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0, 0);
	mnl_attr_put_strz(message, CTRL_ATTR_FAMILY_NAME, name);
	if (mnl_socket_sendto(socket, message, message->nlmsg_len) < 0)
		genl_fail("cannot ask for the family: %s", strerror(errno));
	message = (struct nlmsghdr *)buffer;
	/* Answers to what was asked before may come first. */
	do {
		length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
		if (length < 0)
			genl_fail("no answer about the family: %s",
				  strerror(errno));
	} while (message->nlmsg_seq);
	if (message->nlmsg_type == NLMSG_ERROR)
		return genl_error(message);
	*family = 0;
	mnl_attr_parse(message, sizeof(struct genlmsghdr), take_family, family);
	return 0;
}

struct mnl_socket *genl_open_family(const char *name, uint16_t *family)
{
	struct mnl_socket *socket = mnl_socket_open(NETLINK_GENERIC);
	int on = 1, error;

	if (!socket || mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID))
		genl_fail("cannot open a netlink socket: %s", strerror(errno));
	mnl_socket_setsockopt(socket, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(socket, NETLINK_CAP_ACK, &on, sizeof(on));
	error = genl_family(socket, name, family);
	if (error)
		genl_fail("no family '%s': %s", name, strerror(-error));
	return socket;
}
