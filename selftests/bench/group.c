// SPDX-License-Identifier: GPL-2.0
/* A group over netlink, as paxosctl has it, with its socket kept open. */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/paxos.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include "datagram.h"
#include "group.h"

#define TIMEOUT_MS	10000
#define LEADER_TRIES	100

struct group {
	struct mnl_socket *socket;
	uint32_t id;
	uint32_t port;
	uint32_t seq;
	uint16_t family;
	uint8_t buffer[65536];
};

static struct nlmsghdr *request(struct group *group, uint8_t *buffer,
				uint16_t family, uint8_t command,
				uint16_t flags, uint32_t seq)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct genlmsghdr *header;

	message->nlmsg_type = family;
	message->nlmsg_flags = NLM_F_REQUEST | flags;
	message->nlmsg_seq = seq;
	header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->cmd = command;
	header->version = PAXOS_GENL_VERSION;
	if (family != GENL_ID_CTRL)
		mnl_attr_put_u32(message, PAXOS_A_GROUP, group->id);
	return message;
}

static void send_request(struct group *group, const struct nlmsghdr *message)
{
	if (mnl_socket_sendto(group->socket, message, message->nlmsg_len) < 0)
		fail("netlink: %s", strerror(errno));
}

/* Waits for what answers @seq; 0 or what the kernel refused it with. */
static int receive(struct group *group, uint32_t seq, mnl_cb_t on_message,
		   void *context)
{
	ssize_t len;
	int ret;

	do {
		len = mnl_socket_recvfrom(group->socket, group->buffer,
					  sizeof(group->buffer));
		if (len < 0)
			fail("netlink: %s", strerror(errno));
		ret = mnl_cb_run(group->buffer, len, seq, group->port,
				 on_message, context);
	} while (ret > MNL_CB_STOP);
	return ret < 0 ? -errno : 0;
}

static int command(struct group *group, const struct nlmsghdr *message)
{
	send_request(group, message);
	return receive(group, message->nlmsg_seq, NULL, NULL);
}

static int on_family(const struct nlmsghdr *message, void *context)
{
	struct group *group = context;
	struct nlattr *attribute;

	mnl_attr_for_each(attribute, message, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attribute) == CTRL_ATTR_FAMILY_ID)
			group->family = mnl_attr_get_u16(attribute);
	}
	return MNL_CB_OK;
}

struct group *group_open(int member, uint32_t id)
{
	uint8_t buffer[1024];
	struct group *group = place_alloc(sizeof(*group));
	struct nlmsghdr *message;

	place_enter(member);
	group->id = id;
	group->socket = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (!group->socket ||
	    mnl_socket_bind(group->socket, 0, MNL_SOCKET_AUTOPID))
		fail("netlink: %s", strerror(errno));
	group->port = mnl_socket_get_portid(group->socket);
	message = request(group, buffer, GENL_ID_CTRL, CTRL_CMD_GETFAMILY,
			  NLM_F_ACK, ++group->seq);
	mnl_attr_put_strz(message, CTRL_ATTR_FAMILY_NAME, PAXOS_GENL_NAME);
	send_request(group, message);
	if (receive(group, group->seq, on_family, group) || !group->family)
		fail("the kernel has no family '%s' (modprobe paxos)",
		     PAXOS_GENL_NAME);
	return group;
}

void group_close(struct group *group)
{
	mnl_socket_close(group->socket);
	free(group);
}

static void put_member(struct nlmsghdr *message, int id)
{
	struct nlattr *nest = mnl_attr_nest_start(message, PAXOS_A_MEMBER);
	in_addr_t address = place_address(id);

	mnl_attr_put_u8(message, PAXOS_A_MEMBER_ID, id);
	mnl_attr_put(message, PAXOS_A_MEMBER_ADDRESS, sizeof(address),
		     &address);
	mnl_attr_put_u16(message, PAXOS_A_MEMBER_PORT, htons(BENCH_PORT));
	mnl_attr_nest_end(message, nest);
}

void group_memory(int self)
{
	uint8_t buffer[4096];
	struct group *group = group_open(self, BENCH_GROUP);
	struct nlmsghdr *message;
	int id, ret;

	message = request(group, buffer, group->family, PAXOS_CMD_GROUP_ADD,
			  NLM_F_ACK, ++group->seq);
	mnl_attr_put(message, PAXOS_A_CLUSTER, PAXOS_CLUSTER_SIZE,
		     bench_cluster);
	mnl_attr_put(message, PAXOS_A_KEY, PAXOS_KEY_SIZE, bench_secret);
	mnl_attr_put_u8(message, PAXOS_A_SELF, self);
	mnl_attr_put_u8(message, PAXOS_A_DURABILITY,
			PAXOS_NL_DURABILITY_MEMORY);
	for (id = 1; id <= BENCH_MEMBERS; id++)
		put_member(message, id);
	ret = command(group, message);
	if (ret)
		fail("group add at member %d: %s", self, strerror(-ret));

	message = request(group, buffer, group->family, PAXOS_CMD_START,
			  NLM_F_ACK, ++group->seq);
	mnl_attr_put_u64(message, PAXOS_A_INCARNATION, 1);
	mnl_attr_put_u64(message, PAXOS_A_LSN, 0);
	ret = command(group, message);
	if (ret)
		fail("start of member %d: %s", self, strerror(-ret));
	group_close(group);
}

void group_delete(int self)
{
	uint8_t buffer[256];
	struct group *group = group_open(self, BENCH_GROUP);
	int ret;

	ret = command(group, request(group, buffer, group->family,
				     PAXOS_CMD_GROUP_DEL, NLM_F_ACK,
				     ++group->seq));
	if (ret)
		fail("group del at member %d: %s", self, strerror(-ret));
	group_close(group);
}

void group_propose(struct group *group, const void *value, uint32_t size,
		   uint32_t seq)
{
	static uint8_t buffer[65536];
	struct nlmsghdr *message;

	message = request(group, buffer, group->family, PAXOS_CMD_PROPOSE, 0,
			  seq);
	mnl_attr_put_u32(message, PAXOS_A_TIMEOUT, TIMEOUT_MS);
	mnl_attr_put(message, PAXOS_A_VALUE, size, value);
	send_request(group, message);
}

static int on_answer(const struct nlmsghdr *message, void *context)
{
	struct nlattr *attribute;
	uint32_t *seq = context;

	mnl_attr_for_each(attribute, message, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attribute) == PAXOS_A_OUTCOME &&
		    mnl_attr_get_u8(attribute) != PAXOS_NL_OUTCOME_CHOSEN)
			fail("a proposal was not chosen");
	}
	*seq = message->nlmsg_seq;
	return MNL_CB_STOP;
}

uint32_t group_answer(struct group *group)
{
	uint32_t seq = 0;
	int ret;

	ret = receive(group, 0, on_answer, &seq);
	if (ret)
		fail("a proposal was refused: %s", strerror(-ret));
	return seq;
}

/* Proposes until the group has a leader that has a quorum. */
static void wait_leader(void)
{
	const struct timespec pause = { .tv_nsec = 50000000 };
	struct group *group = group_open(1, BENCH_GROUP);
	uint8_t buffer[256];
	struct nlmsghdr *message;
	uint32_t seq;
	int i, ret = 0;

	for (i = 0; i < LEADER_TRIES; i++) {
		message = request(group, buffer, group->family,
				  PAXOS_CMD_PROPOSE, 0, ++group->seq);
		mnl_attr_put_u32(message, PAXOS_A_TIMEOUT, TIMEOUT_MS);
		mnl_attr_put(message, PAXOS_A_VALUE, 1, "");
		send_request(group, message);
		ret = receive(group, 0, on_answer, &seq);
		if (!ret) {
			group_close(group);
			return;
		}
		nanosleep(&pause, NULL);
	}
	fail("the group has no leader: %s", strerror(-ret));
}

void group_memory_all(void)
{
	struct group *group;
	uint8_t buffer[256];
	int id, ret;

	for (id = 1; id <= BENCH_MEMBERS; id++)
		group_memory(id);
	group = group_open(1, BENCH_GROUP);
	ret = command(group, request(group, buffer, group->family,
				     PAXOS_CMD_CAMPAIGN, NLM_F_ACK,
				     ++group->seq));
	if (ret)
		fail("campaign: %s", strerror(-ret));
	group_close(group);
	wait_leader();
}

void group_delete_all(void)
{
	int id;

	for (id = 1; id <= BENCH_MEMBERS; id++)
		group_delete(id);
}

void group_commit_user(const char *key, const struct run *run)
{
	uint64_t *samples = place_alloc(run_total(run) * sizeof(*samples));
	uint8_t *value = place_alloc(run->size);
	struct group *group;
	uint32_t i;

	group_memory_all();
	group = group_open(1, BENCH_GROUP);
	for (i = 0; i < run_total(run); i++) {
		uint64_t start = place_clock();

		group_propose(group, value, run->size, i + 1);
		if (group_answer(group) != i + 1)
			fail("%s: a stranger's answer", key);
		samples[i] = place_clock() - start;
	}
	samples_print(key, run, samples);
	group_close(group);
	group_delete_all();
	free(value);
	free(samples);
}
