// SPDX-License-Identifier: GPL-2.0
/*
 * From the death of the leader's host to the next chosen value.
 *
 * usage: failover NAMESPACE PORT PID
 *
 * Run on a host that lives on. Kills PID, the agent of the host that leads,
 * and takes down PORT, the other end of its link, in NAMESPACE; then proposes
 * until a value is chosen. Prints how many microseconds that took.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <linux/rtnetlink.h>
#include "genl.h"

#define GROUP		1
#define TIMEOUT_MS	10000
#define AGAIN_US	500	/* where no leader is known */

static struct mnl_socket *genl;
static uint16_t family;

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000ULL + now.tv_nsec / 1000;
}

/* A socket in the namespace at @path; this process stays where it is. */
static struct mnl_socket *link_socket(const char *path)
{
	int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int there = open(path, O_RDONLY | O_CLOEXEC);
	struct mnl_socket *socket;

	if (here < 0 || there < 0 || setns(there, CLONE_NEWNET))
		genl_fail("%s: %s", path, strerror(errno));
	socket = mnl_socket_open(NETLINK_ROUTE);
	if (!socket || mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) ||
	    setns(here, CLONE_NEWNET))
		genl_fail("no socket in %s: %s", path, strerror(errno));
	close(here);
	close(there);
	return socket;
}

static void link_down(struct mnl_socket *socket, const char *port)
{
	char buffer[1024];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *info;
	int error;

	message->nlmsg_type = RTM_NEWLINK;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
	info->ifi_change = IFF_UP;
	mnl_attr_put_strz(message, IFLA_IFNAME, port);
	if (mnl_socket_sendto(socket, message, message->nlmsg_len) < 0 ||
	    mnl_socket_recvfrom(socket, buffer, sizeof(buffer)) < 0)
		genl_fail("%s: %s", port, strerror(errno));
	error = genl_error((struct nlmsghdr *)buffer);
	if (error)
		genl_fail("%s: %s", port, strerror(-error));
}

/* Propose once; how it ended, or a negative errno. */
static int propose(uint32_t seq)
{
	char buffer[8192];
	struct nlmsghdr *message = genl_request(buffer, family,
						PAXOS_CMD_PROPOSE, 0, seq);
	const struct nlattr *attr;

	mnl_attr_put_u32(message, PAXOS_A_GROUP, GROUP);
	mnl_attr_put_strz(message, PAXOS_A_VALUE, "after the leader's death");
	mnl_attr_put_u32(message, PAXOS_A_TIMEOUT, TIMEOUT_MS);
	if (mnl_socket_sendto(genl, message, message->nlmsg_len) < 0 ||
	    mnl_socket_recvfrom(genl, buffer, sizeof(buffer)) < 0)
		genl_fail("propose: %s", strerror(errno));
	if (message->nlmsg_type == NLMSG_ERROR)
		return genl_error(message);
	mnl_attr_for_each(attr, message, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) == PAXOS_A_OUTCOME)
			return mnl_attr_get_u8(attr);
	return -EBADMSG;
}

int main(int argc, char **argv)
{
	struct mnl_socket *links;
	uint32_t seq = 0;
	uint64_t began;
	int outcome;

	if (argc != 4)
		genl_fail("usage: failover NAMESPACE PORT PID");
	genl = genl_open(&family);
	links = link_socket(argv[1]);
	outcome = propose(++seq);
	if (outcome != PAXOS_NL_OUTCOME_CHOSEN)
		genl_fail("nothing is chosen even now: %d", outcome);

	began = now_us();
	if (kill(atoi(argv[3]), SIGKILL))
		genl_fail("%s: %s", argv[3], strerror(errno));
	link_down(links, argv[2]);
	for (;;) {
		outcome = propose(++seq);
		if (outcome == PAXOS_NL_OUTCOME_CHOSEN)
			break;
		if (outcome != -ENOLINK && outcome != -EAGAIN)
			genl_fail("it ended as %d", outcome);
		if (now_us() - began > 1000ULL * TIMEOUT_MS)
			genl_fail("nobody leads");
		usleep(AGAIN_US);
	}
	printf("%llu\n", (unsigned long long)(now_us() - began));
	return 0;
}
