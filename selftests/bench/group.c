// SPDX-License-Identifier: GPL-2.0
/* A group over netlink. */
#include <arpa/inet.h>
#include <linux/genetlink.h>
#include <linux/paxos.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "datagram.h"
#include "genl.h"
#include "group.h"

#define TIMEOUT_MS	10000
#define LEADER_TRIES	100

struct group {
	struct genl *genl;
	uint32_t id;
};

static struct nlmsghdr *request(struct group *group, void *buffer,
				uint8_t command, uint16_t flags)
{
	struct nlmsghdr *message;

	message = genl_request(group->genl, buffer, command, flags);
	mnl_attr_put_u32(message, PAXOS_A_GROUP, group->id);
	return message;
}

static int command(struct group *group, const struct nlmsghdr *message)
{
	return genl_call(group->genl, message, NULL, NULL);
}

struct group *group_open(int member, uint32_t id)
{
	struct group *group = place_alloc(sizeof(*group));

	group->id = id;
	group->genl = genl_open(member, PAXOS_GENL_NAME);
	return group;
}

void group_close(struct group *group)
{
	genl_close(group->genl);
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

	message = request(group, buffer, PAXOS_CMD_GROUP_ADD, NLM_F_ACK);
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

	message = request(group, buffer, PAXOS_CMD_START, NLM_F_ACK);
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

	ret = command(group, request(group, buffer, PAXOS_CMD_GROUP_DEL,
				     NLM_F_ACK));
	if (ret)
		fail("group del at member %d: %s", self, strerror(-ret));
	group_close(group);
}

void group_propose(struct group *group, const void *value, uint32_t size,
		   uint32_t seq)
{
	static uint8_t buffer[65536];
	struct nlmsghdr *message;

	message = request(group, buffer, PAXOS_CMD_PROPOSE, 0);
	message->nlmsg_seq = seq;
	mnl_attr_put_u32(message, PAXOS_A_TIMEOUT, TIMEOUT_MS);
	mnl_attr_put(message, PAXOS_A_VALUE, size, value);
	genl_send(group->genl, message);
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

	ret = genl_receive(group->genl, 0, on_answer, &seq);
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
		message = request(group, buffer, PAXOS_CMD_PROPOSE, 0);
		mnl_attr_put_u32(message, PAXOS_A_TIMEOUT, TIMEOUT_MS);
		mnl_attr_put(message, PAXOS_A_VALUE, 1, "");
		ret = genl_call(group->genl, message, on_answer, &seq);
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
	ret = command(group, request(group, buffer, PAXOS_CMD_CAMPAIGN,
				     NLM_F_ACK));
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
