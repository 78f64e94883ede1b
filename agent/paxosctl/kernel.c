// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <netlink/genl/ctrl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include "kernel.h"
#include "names.h"

#define MESSAGE_SIZE	(128 << 10)	/* the largest attribute, and more */

struct kernel {
	struct nl_sock *sock;
	const char *name;	/* of the family */
	int family;
	struct failure failure;
};

static struct failure no_connection;

static void fail(struct failure *failure, int error, const char *sentence)
{
	memset(failure, 0, sizeof(*failure));
	failure->error = error;
	snprintf(failure->sentence, sizeof(failure->sentence), "%s", sentence);
}

static int connect_to(struct kernel *kernel)
{
	int fd, on = 1, error;

	error = genl_connect(kernel->sock);
	if (error) {
		fail(&no_connection, EPROTONOSUPPORT, nl_geterror(error));
		return -1;
	}
	fd = nl_socket_get_fd(kernel->sock);
	/* A kernel without them says less, and that is all. */
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	nl_socket_enable_msg_peek(kernel->sock);
	kernel->family = genl_ctrl_resolve(kernel->sock, kernel->name);
	if (kernel->family >= 0)
		return 0;
	if (kernel->family == -NLE_OBJ_NOTFOUND)
		fail(&no_connection, ENOPROTOOPT,
		     strcmp(kernel->name, PAXOS_GENL_NAME) ?
		     "the module paxos_kv is not loaded" :
		     "the module paxos is not loaded");
	else
		fail(&no_connection, EPROTO, nl_geterror(kernel->family));
	return -1;
}

struct kernel *kernel_open_family(const char *name)
{
	struct kernel *kernel = calloc(1, sizeof(*kernel));

	if (!kernel)
		abort();
	kernel->name = name;
	kernel->sock = nl_socket_alloc();
	if (!kernel->sock)
		abort();
	/* kernel_call() asks for what it needs and looks at the numbers. */
	nl_socket_disable_auto_ack(kernel->sock);
	nl_socket_disable_seq_check(kernel->sock);
	if (connect_to(kernel)) {
		kernel_close(kernel);
		return NULL;
	}
	return kernel;
}

struct kernel *kernel_open(void)
{
	return kernel_open_family(PAXOS_GENL_NAME);
}

void kernel_close(struct kernel *kernel)
{
	if (!kernel)
		return;
	nl_socket_free(kernel->sock);
	free(kernel);
}

const struct failure *kernel_failure(const struct kernel *kernel)
{
	return kernel ? &kernel->failure : &no_connection;
}

struct nl_msg *kernel_request(const struct kernel *kernel, uint8_t cmd)
{
	struct nl_msg *request = nlmsg_alloc_size(MESSAGE_SIZE);

	if (!request || !genlmsg_put(request, NL_AUTO_PORT, NL_AUTO_SEQ,
				     kernel->family, 0, NLM_F_REQUEST, cmd,
				     PAXOS_GENL_VERSION))
		abort();
	return request;
}

/*
 * The attribute that starts @offset bytes into the request, if one does. Its
 * parent is the MEMBER that it stands in, if it stands in one.
 */
static struct nlattr *attribute_at(const struct nlmsghdr *request,
				   uint32_t offset, struct nlattr **parent)
{
	struct nlattr *attr = genlmsg_attrdata(nlmsg_data(request), 0), *inner;
	int left = genlmsg_attrlen(nlmsg_data(request), 0), inner_left;
	const char *wanted = (const char *)request + offset;

	*parent = NULL;
	nla_for_each_attr(attr, attr, left, left) {
		if ((const char *)attr == wanted)
			return attr;
		if (nla_type(attr) != PAXOS_A_MEMBER)
			continue;
		nla_for_each_nested(inner, attr, inner_left) {
			if ((const char *)inner == wanted) {
				*parent = attr;
				return inner;
			}
		}
	}
	return NULL;
}

static void blame_missing(struct failure *failure, uint32_t type, bool nested)
{
	const char *words = nested ? name_member_attribute(type) :
				     name_attribute(type);

	if (words && nested)
		snprintf(failure->blame, sizeof(failure->blame),
			 "%s of a member is missing", words);
	else if (words)
		snprintf(failure->blame, sizeof(failure->blame),
			 "%s is missing", words);
}

void kernel_parse_failure(const struct nlmsghdr *message,
			  const struct nlmsghdr *request,
			  struct failure *failure)
{
	const struct nlmsgerr *error = nlmsg_data(message);
	struct nlattr *tlvs[NLMSGERR_ATTR_MAX + 1] = { NULL }, *attr, *parent;
	int left = nlmsg_datalen(message), skip = sizeof(*error);

	memset(failure, 0, sizeof(*failure));
	/* A dump says how it ended in its last message, without the request. */
	if (message->nlmsg_type == NLMSG_DONE)
		skip = sizeof(int);
	if (left < skip) {
		fail(failure, EPROTO, "an error message that is too short");
		return;
	}
	failure->error = -error->error;
	if (!(message->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (message->nlmsg_type != NLMSG_DONE &&
	    !(message->nlmsg_flags & NLM_F_CAPPED))
		skip += error->msg.nlmsg_len - sizeof(error->msg);
	skip = NLMSG_ALIGN(skip);
	if (left < skip ||
	    nla_parse(tlvs, NLMSGERR_ATTR_MAX,
		      (struct nlattr *)((char *)nlmsg_data(message) + skip),
		      left - skip, NULL))
		return;
	attr = tlvs[NLMSGERR_ATTR_MSG];
	if (attr)
		nla_strlcpy(failure->sentence, attr,
			    sizeof(failure->sentence));
	attr = tlvs[NLMSGERR_ATTR_OFFS];
	if (attr && request && nla_len(attr) >= 4) {
		attr = attribute_at(request, nla_get_u32(attr), &parent);
		if (attr)
			name_value(failure->blame, sizeof(failure->blame),
				   attr, parent);
		return;
	}
	attr = tlvs[NLMSGERR_ATTR_MISS_TYPE];
	if (attr && nla_len(attr) >= 4)
		blame_missing(failure, nla_get_u32(attr),
			      tlvs[NLMSGERR_ATTR_MISS_NEST]);
}

/* Returns the number of bytes in *buffer, or -1. */
static int receive(struct kernel *kernel, unsigned char **buffer)
{
	struct sockaddr_nl from;
	int length;

	*buffer = NULL;
	errno = 0;
	length = nl_recv(kernel->sock, &from, buffer, NULL);
	if (length > 0)
		return length;
	fail(&kernel->failure,
	     length == -NLE_NOMEM ? ENOBUFS : errno ? errno : EIO,
	     nl_geterror(length));
	free(*buffer);
	return -1;
}

/*
 * One message of those that answer @request. Sets *more to false with the
 * last.
 */
static int take(struct kernel *kernel, struct nlmsghdr *message,
		const struct nlmsghdr *request, enum reply reply,
		answer_fn answer, void *arg, bool *more)
{
	switch (message->nlmsg_type) {
	case NLMSG_NOOP:
		return 0;
	case NLMSG_DONE:
	case NLMSG_ERROR:
		*more = false;
		/* which attribute is meant is known of the first family only */
		if (strcmp(kernel->name, PAXOS_GENL_NAME))
			request = NULL;
		kernel_parse_failure(message, request, &kernel->failure);
		return kernel->failure.error ? -1 : 0;
	case NLMSG_OVERRUN:
		fail(&kernel->failure, ENOBUFS, "messages were lost");
		return -1;
	}
	if (message->nlmsg_flags & NLM_F_DUMP_INTR) {
		fail(&kernel->failure, EINTR, "it changed while it was read");
		return -1;
	}
	*more = reply != REPLY_ONE;
	return answer ? answer(message, arg) : 0;
}

int kernel_call(struct kernel *kernel, struct nl_msg *request,
		enum reply reply, answer_fn answer, void *arg)
{
	struct nlmsghdr *sent = nlmsg_hdr(request), *message;
	unsigned char *buffer;
	bool more = true;
	int left, result;

	fail(&kernel->failure, 0, "");
	if (reply == REPLY_ACK)
		sent->nlmsg_flags |= NLM_F_ACK;
	if (reply == REPLY_DUMP)
		sent->nlmsg_flags |= NLM_F_DUMP;
	result = nl_send_auto(kernel->sock, request);
	if (result < 0) {
		fail(&kernel->failure, EIO, nl_geterror(result));
		more = false;
		result = -1;
	} else {
		result = 0;
	}
	while (more && !result) {
		left = receive(kernel, &buffer);
		if (left < 0) {
			result = -1;
			break;
		}
		message = (struct nlmsghdr *)buffer;
		for (; more && !result && nlmsg_ok(message, left);
		     message = nlmsg_next(message, &left))
			if (message->nlmsg_seq == sent->nlmsg_seq)
				result = take(kernel, message, sent, reply,
					      answer, arg, &more);
		free(buffer);
	}
	nlmsg_free(request);
	return result;
}

int kernel_join(struct kernel *kernel, const char *group)
{
	struct nl_sock *sock = nl_socket_alloc();
	int id, error;

	if (!sock)
		abort();
	/* On a socket of its own: this one may hear of other things already. */
	id = genl_connect(sock);
	if (!id)
		id = genl_ctrl_resolve_grp(sock, PAXOS_GENL_NAME, group);
	nl_socket_free(sock);
	if (id < 0) {
		fail(&kernel->failure, ENOENT, nl_geterror(id));
		return -1;
	}
	/* A burst of events must not overrun the default 32 KiB. */
	nl_socket_set_buffer_size(kernel->sock, 4 << 20, 0);
	error = nl_socket_add_membership(kernel->sock, id);
	if (!error)
		return 0;
	if (error == -NLE_PERM)
		fail(&kernel->failure, EPERM, "");
	else
		fail(&kernel->failure, EIO, nl_geterror(error));
	return -1;
}

int kernel_listen(struct kernel *kernel, int timeout, answer_fn answer,
		  void *arg)
{
	struct pollfd poller = {
		.fd = nl_socket_get_fd(kernel->sock),
		.events = POLLIN,
	};
	struct nlmsghdr *message;
	unsigned char *buffer;
	int left, result = 0;
	bool more;

	fail(&kernel->failure, 0, "");
	if (poll(&poller, 1, timeout) <= 0)
		return 0;
	left = receive(kernel, &buffer);
	if (left < 0)
		return -1;
	message = (struct nlmsghdr *)buffer;
	for (; !result && nlmsg_ok(message, left);
	     message = nlmsg_next(message, &left))
		if (message->nlmsg_type == kernel->family)
			result = take(kernel, message, NULL, REPLY_DUMP,
				      answer, arg, &more);
	free(buffer);
	return result;
}

int kernel_parse(struct nlmsghdr *message, struct nlattr **attrs)
{
	return genlmsg_parse(message, 0, attrs, PAXOS_A_MAX, name_policy) ?
	       -1 : 0;
}

int kernel_parse_member(struct nlattr *nest, struct nlattr **attrs)
{
	return nla_parse_nested(attrs, PAXOS_A_MEMBER_MAX, nest,
				name_member_policy) ? -1 : 0;
}

int kernel_parse_consumer(struct nlattr *nest, struct nlattr **attrs)
{
	return nla_parse_nested(attrs, PAXOS_A_CONSUMER_MAX, nest,
				name_consumer_policy) ? -1 : 0;
}

struct maybe kernel_u8(struct nlattr *attr)
{
	struct maybe number = { false, 0 };

	if (attr)
		number = (struct maybe){ true, nla_get_u8(attr) };
	return number;
}

struct maybe kernel_u32(struct nlattr *attr)
{
	struct maybe number = { false, 0 };

	if (attr)
		number = (struct maybe){ true, nla_get_u32(attr) };
	return number;
}

struct maybe kernel_u64(struct nlattr *attr)
{
	struct maybe number = { false, 0 };

	if (attr)
		number = (struct maybe){ true, nla_get_u64(attr) };
	return number;
}
