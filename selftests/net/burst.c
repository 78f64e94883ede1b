// SPDX-License-Identifier: GPL-2.0
/*
 * Many proposals on one socket, and how each of them ended, a line each:
 *
 *	chosen SLOT VALUE | not-chosen VALUE | unknown VALUE | ERRNO VALUE
 *
 * usage: burst [OPTION...] NAME
 *
 *   -g GROUP        the group (1)
 *   -n COUNT        proposals, of the values NAME-1 to NAME-COUNT (100)
 *   -o OUTSTANDING  under way at once (16)
 *   -l LENGTH       of each value, filled up with dots
 *   -p MS           pause between two: what is decided while a host is away
 *                   must find room in the logs of the others
 *   -t MS           time-out of each (10000)
 *   -r MS           propose again, for so long, what is certainly not proposed
 *   -u              with -o 1: how many microseconds each took, behind its line
 *
 * A value that ended unknown is never proposed again: it may be chosen. Status 0:
 * every proposal ended, whichever way.
 */

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "genl.h"

#define OUTSTANDING_MAX	4096
#define GRACE_MS	20000	/* beyond its time-out, a proposal hangs */
#define PAUSE_MS	20	/* before proposing again */
#define BUFFER		(8 << 20)

struct burst {
	struct mnl_socket *socket;
	uint16_t family;
	uint32_t group;
	uint32_t count;
	uint32_t outstanding;
	uint32_t length;
	uint32_t timeout;
	uint32_t pause;
	const char *name;
	uint64_t retry_until;
	bool times;
	uint64_t sent_us;

	uint32_t next;		/* 1..count */
	uint64_t next_at;	/* not before then */
	uint64_t answered_at;	/* the last answer came */
	uint32_t under_way;
	uint32_t again[OUTSTANDING_MAX];	/* refused ones */
	uint32_t n_again;
};

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000ULL + now.tv_nsec / 1000;
}

static uint64_t now_ms(void)
{
	return now_us() / 1000;
}

static void propose(struct burst *burst, uint32_t number)
{
	static uint8_t buffer[GENL_MESSAGE_MAX];
	static char value[PAXOS_NL_VALUE_MAX + 1];
	struct nlmsghdr *message;
	uint32_t length;

	length = snprintf(value, sizeof(value), "%s-%u", burst->name, number);
	if (length < burst->length) {
		memset(value + length, '.', burst->length - length);
		length = burst->length;
	}
	message = genl_request(buffer, burst->family, PAXOS_CMD_PROPOSE, 0,
			       number);
	mnl_attr_put_u32(message, PAXOS_A_GROUP, burst->group);
	mnl_attr_put_u32(message, PAXOS_A_TIMEOUT, burst->timeout);
	mnl_attr_put(message, PAXOS_A_VALUE, length, value);
	burst->sent_us = now_us();
	if (mnl_socket_sendto(burst->socket, message, message->nlmsg_len) < 0)
		genl_fail("proposal %u: %s", number, strerror(errno));
	burst->under_way++;
}

struct ended {
	uint8_t outcome;
	uint64_t slot;
};

static int take_attr(const struct nlattr *attr, void *data)
{
	struct ended *ended = data;

	if (mnl_attr_get_type(attr) == PAXOS_A_OUTCOME)
		ended->outcome = mnl_attr_get_u8(attr);
	if (mnl_attr_get_type(attr) == PAXOS_A_SLOT)
		ended->slot = mnl_attr_get_u64(attr);
	return MNL_CB_OK;
}

static void ended(struct burst *burst, const struct nlmsghdr *message)
{
	struct ended ended = { 0 };
	uint32_t number = message->nlmsg_seq;
	char line[64];

	if (!number || number > burst->count)
		genl_fail("an answer to nothing: sequence number %u", number);
	burst->under_way--;
	if (message->nlmsg_type == NLMSG_ERROR) {
		snprintf(line, sizeof(line), "%s",
			 strerrorname_np(-genl_error(message)));
	} else {
		mnl_attr_parse(message, sizeof(struct genlmsghdr), take_attr,
			       &ended);
		switch (ended.outcome) {
		case PAXOS_NL_OUTCOME_CHOSEN:
			snprintf(line, sizeof(line), "chosen %llu",
				 (unsigned long long)ended.slot);
			break;
		case PAXOS_NL_OUTCOME_NOT_CHOSEN:
			snprintf(line, sizeof(line), "not-chosen");
			break;
		case PAXOS_NL_OUTCOME_UNKNOWN:
			snprintf(line, sizeof(line), "unknown");
			break;
		default:
			genl_fail("proposal %u: no outcome", number);
		}
	}
	if ((message->nlmsg_type == NLMSG_ERROR ||
	     ended.outcome == PAXOS_NL_OUTCOME_NOT_CHOSEN) &&
	    now_ms() < burst->retry_until) {
		burst->again[burst->n_again++] = number;
		return;
	}
	printf("%s %s-%u", line, burst->name, number);
	if (burst->times)
		printf(" %llu", (unsigned long long)(now_us() - burst->sent_us));
	putchar('\n');
	fflush(stdout);
}

static void take(struct burst *burst)
{
	static uint8_t buffer[GENL_MESSAGE_MAX];
	const struct nlmsghdr *message = (void *)buffer;
	ssize_t length;
	int left;

	length = mnl_socket_recvfrom(burst->socket, buffer, sizeof(buffer));
	if (length < 0)
		genl_fail("reading answers: %s", strerror(errno));
	left = length;
	while (mnl_nlmsg_ok(message, left)) {
		ended(burst, message);
		message = mnl_nlmsg_next(message, &left);
	}
}

static bool wants_more(const struct burst *burst)
{
	return burst->next <= burst->count &&
	       burst->under_way + burst->n_again < burst->outstanding;
}

/* ms until there is something to do, unless an answer comes before. */
static int wait_ms(const struct burst *burst, uint64_t now)
{
	uint64_t wait = burst->timeout + GRACE_MS;

	if (burst->n_again)
		wait = PAUSE_MS;
	if (wants_more(burst) && burst->next_at - now < wait)
		wait = burst->next_at - now;
	return wait;
}

static void run(struct burst *burst)
{
	struct pollfd poll_fd = {
		.fd = mnl_socket_get_fd(burst->socket),
		.events = POLLIN,
	};
	uint64_t now;
	uint32_t n;

	burst->next = 1;
	burst->answered_at = now_ms();
	while (burst->next <= burst->count || burst->under_way ||
	       burst->n_again) {
		now = now_ms();
		while (wants_more(burst) && now >= burst->next_at) {
			propose(burst, burst->next++);
			burst->next_at = now + burst->pause;
		}
		if (poll(&poll_fd, 1, wait_ms(burst, now)) > 0) {
			take(burst);
			burst->answered_at = now_ms();
			continue;
		}
		n = burst->n_again;
		burst->n_again = 0;
		while (n)
			propose(burst, burst->again[--n]);
		if (burst->under_way && now_ms() - burst->answered_at >
					burst->timeout + GRACE_MS)
			genl_fail("%u proposals hang", burst->under_way);
	}
}

int main(int argc, char **argv)
{
	static struct burst burst = {
		.group = 1,
		.count = 100,
		.outstanding = 16,
		.timeout = 10000,
	};
	int option, size = BUFFER;

	while ((option = getopt(argc, argv, "g:n:o:l:p:t:r:u")) != -1) {
		switch (option) {
		case 'g':
			burst.group = genl_number(optarg, UINT32_MAX);
			break;
		case 'n':
			burst.count = genl_number(optarg, UINT32_MAX - 1);
			break;
		case 'o':
			burst.outstanding = genl_number(optarg, OUTSTANDING_MAX);
			break;
		case 'l':
			burst.length = genl_number(optarg, PAXOS_NL_VALUE_MAX);
			break;
		case 'p':
			burst.pause = genl_number(optarg, INT32_MAX);
			break;
		case 't':
			burst.timeout = genl_number(optarg, UINT32_MAX / 2);
			break;
		case 'r':
			burst.retry_until = now_ms() +
					    genl_number(optarg, UINT32_MAX);
			break;
		case 'u':
			burst.times = true;
			break;
		default:
			return 1;
		}
	}
	if (optind + 1 != argc || !burst.outstanding ||
	    (burst.times && burst.outstanding != 1))
		genl_fail("usage: burst [OPTION...] NAME");
	burst.name = argv[optind];
	burst.socket = genl_open(&burst.family);
	if (setsockopt(mnl_socket_get_fd(burst.socket), SOL_SOCKET,
		       SO_RCVBUFFORCE, &size, sizeof(size)))
		genl_fail("SO_RCVBUFFORCE: %s", strerror(errno));
	run(&burst);
	return 0;
}
