// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include "log.h"
#include "names.h"
#include "watch.h"

const struct option_spec watch_options[] = {
	{ "group", 'g', "GROUP", "this group only" },
	{ "log", 'l', NULL, "the values that are chosen, too" },
	OPTION_END
};

static unsigned int member_of(struct nlattr *nest)
{
	struct nlattr *attrs[PAXOS_A_MEMBER_MAX + 1];

	if (!nest || kernel_parse_member(nest, attrs))
		return 0;
	return kernel_u8(attrs[PAXOS_A_MEMBER_ID]).value;
}

int event_words(struct nlmsghdr *message, char text[EVENT_SIZE])
{
	struct nlattr *attrs[PAXOS_A_MAX + 1];
	unsigned int leader, member, self, up, needed;
	uint64_t stalled;
	char word[DURATION_SIZE > BALLOT_SIZE ? DURATION_SIZE : BALLOT_SIZE];

	if (kernel_parse(message, attrs) || !attrs[PAXOS_A_EVENT])
		return -1;
	leader = kernel_u8(attrs[PAXOS_A_LEADER]).value;
	member = member_of(attrs[PAXOS_A_MEMBER]);
	up = kernel_u8(attrs[PAXOS_A_UP]).value;
	needed = kernel_u8(attrs[PAXOS_A_NEEDED]).value;
	switch (nla_get_u8(attrs[PAXOS_A_EVENT])) {
	case PAXOS_NL_EVENT_LEADER:
		print_ballot(word, kernel_u64(attrs[PAXOS_A_BALLOT]).value);
		if (leader)
			snprintf(text, EVENT_SIZE, "leader %u, ballot %s",
				 leader, word);
		else
			snprintf(text, EVENT_SIZE, "no leader, ballot %s",
				 word);
		break;
	case PAXOS_NL_EVENT_QUORUM_LOST:
		snprintf(text, EVENT_SIZE, "quorum lost: %u up, %u needed",
			 up, needed);
		break;
	case PAXOS_NL_EVENT_QUORUM_REGAINED:
		snprintf(text, EVENT_SIZE, "quorum regained: %u up, %u needed",
			 up, needed);
		break;
	case PAXOS_NL_EVENT_MEMBER_UP:
		snprintf(text, EVENT_SIZE, "member %u up", member);
		break;
	case PAXOS_NL_EVENT_MEMBER_DOWN:
		snprintf(text, EVENT_SIZE, "member %u down", member);
		break;
	case PAXOS_NL_EVENT_AGENT_ATTACHED:
		snprintf(text, EVENT_SIZE, "the agent attached");
		break;
	case PAXOS_NL_EVENT_AGENT_DETACHED:
		snprintf(text, EVENT_SIZE,
			 "the agent detached; this member is mute");
		break;
	case PAXOS_NL_EVENT_STALLED:
		stalled = kernel_u32(attrs[PAXOS_A_STALLED]).value;
		snprintf(text, EVENT_SIZE,
			 "the disk stalls: the oldest record has waited %s",
			 print_duration(word, stalled * 1000000));
		break;
	case PAXOS_NL_EVENT_RESUMED:
		snprintf(text, EVENT_SIZE, "the disk resumed");
		break;
	case PAXOS_NL_EVENT_BEHIND:
		snprintf(text, EVENT_SIZE,
			 "behind: the others no longer hold slot %" PRIu64,
			 kernel_u64(attrs[PAXOS_A_SLOT]).value);
		break;
	case PAXOS_NL_EVENT_EPOCH:
		snprintf(text, EVENT_SIZE, "epoch %u, behind slot %" PRIu64,
			 (unsigned int)kernel_u32(attrs[PAXOS_A_EPOCH]).value,
			 kernel_u64(attrs[PAXOS_A_SLOT]).value);
		break;
	case PAXOS_NL_EVENT_SPACE:
		snprintf(text, EVENT_SIZE,
			 "the log nears its bound: when it is full, slots up to %" PRIu64
			 " go, and member %" PRIu64 " does not have them",
			 kernel_u64(attrs[PAXOS_A_SPACE_GOES]).value,
			 kernel_u8(attrs[PAXOS_A_SPACE_HELD]).value);
		break;
	case PAXOS_NL_EVENT_DIVERGED:
		self = kernel_u8(attrs[PAXOS_A_SELF]).value;
		snprintf(text, EVENT_SIZE, "divergence at slot %" PRIu64
			 ": members %u and %u differ",
			 kernel_u64(attrs[PAXOS_A_SLOT]).value,
			 self < member ? self : member,
			 self < member ? member : self);
		break;
	case PAXOS_NL_EVENT_HALTED:
		snprintf(text, EVENT_SIZE,
			 kernel_u8(attrs[PAXOS_A_HALTED]).value ?
			 "this log is not that of a majority: nothing is applied here" :
			 "values are applied here again");
		break;
	case PAXOS_NL_EVENT_CONVERGED:
		snprintf(text, EVENT_SIZE, "no member differs any more");
		break;
	case PAXOS_NL_EVENT_GROUP_DELETED:
		snprintf(text, EVENT_SIZE, "deleted");
		break;
	default:
		snprintf(text, EVENT_SIZE, "event %u, unknown to this paxosctl",
			 nla_get_u8(attrs[PAXOS_A_EVENT]));
	}
	return 0;
}

static void json_event(struct nlattr **attrs, const struct timespec *now)
{
	char ballot[BALLOT_SIZE];
	unsigned int member = member_of(attrs[PAXOS_A_MEMBER]);

	json_object(NULL);
	json_number("time_ms", now->tv_sec * 1000ULL + now->tv_nsec / 1000000);
	json_maybe("group", kernel_u32(attrs[PAXOS_A_GROUP]));
	json_string("event", name_event(nla_get_u8(attrs[PAXOS_A_EVENT])));
	if (attrs[PAXOS_A_LEADER])
		json_number("leader", nla_get_u8(attrs[PAXOS_A_LEADER]));
	if (attrs[PAXOS_A_BALLOT])
		json_string("ballot",
			    print_ballot(ballot,
					 nla_get_u64(attrs[PAXOS_A_BALLOT])));
	if (attrs[PAXOS_A_EPOCH])
		json_number("epoch", nla_get_u32(attrs[PAXOS_A_EPOCH]));
	if (attrs[PAXOS_A_SLOT])
		json_number("slot", nla_get_u64(attrs[PAXOS_A_SLOT]));
	if (attrs[PAXOS_A_UP])
		json_number("up", nla_get_u8(attrs[PAXOS_A_UP]));
	if (attrs[PAXOS_A_NEEDED])
		json_number("needed", nla_get_u8(attrs[PAXOS_A_NEEDED]));
	if (attrs[PAXOS_A_STALLED])
		json_number("stalled_ms", nla_get_u32(attrs[PAXOS_A_STALLED]));
	if (member)
		json_number("member", member);
	if (attrs[PAXOS_A_SELF])
		json_number("self", nla_get_u8(attrs[PAXOS_A_SELF]));
	if (attrs[PAXOS_A_HALTED])
		json_bool("halted", nla_get_u8(attrs[PAXOS_A_HALTED]));
	if (attrs[PAXOS_A_SPACE_GOES]) {
		json_maybe("log_bytes", kernel_u64(attrs[PAXOS_A_SPACE_USED]));
		json_maybe("log_space", kernel_u64(attrs[PAXOS_A_SPACE]));
		json_maybe("log_first", kernel_u64(attrs[PAXOS_A_SPACE_FIRST]));
		json_maybe("log_goes", kernel_u64(attrs[PAXOS_A_SPACE_GOES]));
		json_maybe("log_held_by", kernel_u8(attrs[PAXOS_A_SPACE_HELD]));
	}
	json_end();
}

static void print_time(const struct timespec *now)
{
	char text[16];
	struct tm tm;

	localtime_r(&now->tv_sec, &tm);
	strftime(text, sizeof(text), "%T", &tm);
	print("%s.%03ld  ", text, now->tv_nsec / 1000000);
}

static int take_event(struct nlmsghdr *message, void *arg)
{
	struct nlattr *attrs[PAXOS_A_MAX + 1];
	struct genlmsghdr *header = nlmsg_data(message);
	const uint64_t *wanted = arg;
	char text[EVENT_SIZE];
	struct timespec now;
	struct entry entry;
	uint32_t group;

	if (kernel_parse(message, attrs) || !attrs[PAXOS_A_GROUP])
		return 0;
	group = nla_get_u32(attrs[PAXOS_A_GROUP]);
	if (*wanted && *wanted != group)
		return 0;
	clock_gettime(CLOCK_REALTIME, &now);
	if (header->cmd == PAXOS_CMD_CHOSEN && !entry_parse(message, &entry)) {
		if (print_json) {
			entry_print_json(&entry);
		} else {
			print_time(&now);
			print("group %u: slot ", group);
			entry_print(&entry);
		}
	} else if (header->cmd == PAXOS_CMD_EVENT &&
		   !event_words(message, text)) {
		if (print_json) {
			json_event(attrs, &now);
		} else {
			print_time(&now);
			print("group %u: %s\n", group, text);
		}
	}
	return 0;
}

int run_watch(const struct arguments *arguments)
{
	struct kernel *kernel;
	uint64_t group = 0;

	if (argument_number(arguments, "group", 1, UINT32_MAX, &group))
		return EXIT_ERROR;
	kernel = view_connect(arguments);
	if (!kernel)
		return EXIT_ERROR;
	if (kernel_join(kernel, PAXOS_MCGRP_EVENTS) ||
	    (argument(arguments, "log") &&
	     kernel_join(kernel, PAXOS_MCGRP_LOG))) {
		view_complain(arguments, kernel, 0);
		kernel_close(kernel);
		return EXIT_ERROR;
	}
	while (!print_flush()) {
		if (!kernel_listen(kernel, -1, take_event, &group))
			continue;
		if (kernel_failure(kernel)->error != ENOBUFS) {
			view_complain(arguments, kernel, 0);
			break;
		}
		complain("events came faster than they could be read: some are missing here");
	}
	kernel_close(kernel);
	return EXIT_ERROR;
}
