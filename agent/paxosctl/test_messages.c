// SPDX-License-Identifier: GPL-2.0
/* Unit tests: what the kernel says, and what is printed of it. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <cmocka.h>
#include "group.h"
#include "health.h"
#include "log.h"
#include "names.h"
#include "propose.h"
#include "status.h"
#include "test.h"
#include "watch.h"

#define GROUP 7

static struct nl_msg *new_message(uint8_t cmd)
{
	struct nl_msg *message = nlmsg_alloc_size(16384);

	assert_non_null(message);
	assert_non_null(genlmsg_put(message, 0, 0, 30, 0, 0, cmd, 1));
	return message;
}

static void put_member(struct nl_msg *message, uint8_t id, uint8_t role,
		       uint8_t up, uint64_t commit, uint32_t rtt)
{
	struct nlattr *nest = nla_nest_start(message, PAXOS_A_MEMBER);
	uint8_t ip[4] = { 10, 77, 0, id };

	nla_put_u8(message, PAXOS_A_MEMBER_ID, id);
	nla_put_u8(message, PAXOS_A_MEMBER_ROLE, role);
	nla_put(message, PAXOS_A_MEMBER_ADDRESS, 4, ip);
	nla_put_u16(message, PAXOS_A_MEMBER_PORT, htons(7400));
	if (commit) {
		nla_put_u8(message, PAXOS_A_MEMBER_UP, up);
		nla_put_u32(message, PAXOS_A_MEMBER_HEARD, up ? 12 : 3210);
		nla_put_u32(message, PAXOS_A_MEMBER_RTT, rtt);
		nla_put_u64(message, PAXOS_A_MEMBER_COMMIT, commit);
		nla_put_u64(message, PAXOS_A_MEMBER_DURABLE, 2 * commit);
		nla_put_u32(message, PAXOS_A_MEMBER_AGENT_HEARD,
			    up ? 34 : 4010);
		nla_put_u8(message, PAXOS_A_MEMBER_SUSPECTED, !up);
	}
	nla_nest_end(message, nest);
}

static struct nl_msg *group_message(uint8_t wait, uint8_t up, uint8_t leader)
{
	struct nl_msg *message = new_message(PAXOS_CMD_GROUP_GET);
	uint8_t cluster[PAXOS_CLUSTER_SIZE] = { 0xab, 0xcd };

	nla_put_u32(message, PAXOS_A_GROUP, GROUP);
	nla_put(message, PAXOS_A_CLUSTER, sizeof(cluster), cluster);
	nla_put_u8(message, PAXOS_A_SELF, 2);
	nla_put_u8(message, PAXOS_A_DURABILITY, PAXOS_NL_DURABILITY_SYNC);
	nla_put_u8(message, PAXOS_A_STATE, PAXOS_NL_STATE_RUNNING);
	nla_put_u8(message, PAXOS_A_PHASE, PAXOS_NL_PHASE_FOLLOWER);
	nla_put_u8(message, PAXOS_A_WAIT, wait);
	nla_put_u8(message, PAXOS_A_LEADER, leader);
	nla_put_u64(message, PAXOS_A_BALLOT, leader ? 3 << 8 | leader : 0);
	nla_put_u8(message, PAXOS_A_Q1, 2);
	nla_put_u8(message, PAXOS_A_Q2, 2);
	nla_put_u64(message, PAXOS_A_COMMIT, 42);
	nla_put_u64(message, PAXOS_A_DURABLE, 88);
	nla_put_u8(message, PAXOS_A_UP, up);
	nla_put_u32(message, PAXOS_A_STALLED, 1500);
	nla_put_u32(message, PAXOS_A_AGENT, 4711);
	put_member(message, 1, PAXOS_NL_ROLE_VOTER, 1, 42, 212);
	put_member(message, 2, PAXOS_NL_ROLE_VOTER, 0, 0, 0);
	put_member(message, 3, PAXOS_NL_ROLE_VOTER, 0, 40, 1450);
	put_member(message, 4, PAXOS_NL_ROLE_LEARNER, 0, 0, 0);
	return message;
}

static void status_is_a_table(void **state)
{
	struct nl_msg *message = group_message(PAXOS_NL_WAIT_NONE, 2, 1);
	struct group_view view;

	(void)state;
	assert_int_equal(view_parse(nlmsg_hdr(message), &view), 0);
	status_print(&view);
	assert_string_equal(output(),
"group 7: leader 1, ballot 3.1, commit 42, quorum 2 of 3, sync\n"
"  MEMBER  ADDRESS         KERNEL      AGENT         ROLE     COMMIT  LAG      RTT  DURABLE\n"
"       1  10.77.0.1:7400  up          up            leader       42    0   212 us       84\n"
"       2  10.77.0.2:7400  here        here          voter        42    0        -       88\n"
"       3  10.77.0.3:7400  down 3.2 s  silent 4.0 s  voter        40    2  1.45 ms       80\n"
"       4  10.77.0.4:7400  -           -             learner       -    -        -        -\n");
	nlmsg_free(message);
}

static void status_says_why_it_waits(void **state)
{
	static const struct {
		uint8_t wait, up, leader;
		const char *reason;
	} cases[] = {
		{ PAXOS_NL_WAIT_NONE, 2, 1, "" },
		{ PAXOS_NL_WAIT_NONE, 1, 1, "" },
		{ PAXOS_NL_WAIT_NONE, 2, 3,
		  "leader 3 is not heard: the agents elect one once a quorum" },
		{ PAXOS_NL_WAIT_NONE, 1, 3, "no quorum: 1 of 3, 2 needed" },
		{ PAXOS_NL_WAIT_AGENT, 2, 1, "no agent is attached" },
		{ PAXOS_NL_WAIT_START, 2, 1, "the agent has not restored" },
		{ PAXOS_NL_WAIT_LEADER, 2, 0,
		  "no leader is known here: the agents elect one once a" },
		{ PAXOS_NL_WAIT_LEADER, 1, 0,
		  "no quorum: 1 of 3, 2 needed; no leader is known" },
		{ PAXOS_NL_WAIT_QUORUM, 1, 1, "no quorum: 1 of 3, 2 needed" },
		{ PAXOS_NL_WAIT_QUORUM, 2, 1, "no quorum answers, though 2" },
		{ PAXOS_NL_WAIT_PROMISES, 2, 0, "promises" },
		{ PAXOS_NL_WAIT_PROMISES, 1, 0, "no quorum: 1 of 3" },
		{ PAXOS_NL_WAIT_DISK, 2, 1,
		  "the disk: the oldest record has waited 1.5 s" },
		{ PAXOS_NL_WAIT_BEHIND, 2, 1, "behind" },
		{ 99, 2, 1, "a reason that this paxosctl does not know: 99" },
	};
	char reason[VIEW_REASON_SIZE];
	struct group_view view;
	struct nl_msg *message;
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		message = group_message(cases[i].wait, cases[i].up,
					cases[i].leader);
		assert_int_equal(view_parse(nlmsg_hdr(message), &view), 0);
		view_reason(&view, reason);
		assert_int_equal(!*reason, !*cases[i].reason);
		assert_memory_equal(reason, cases[i].reason,
				    strlen(cases[i].reason));
		nlmsg_free(message);
	}
}

static void status_shows_a_transfer(void **state)
{
	struct nl_msg *message = group_message(PAXOS_NL_WAIT_BEHIND, 2, 1);
	struct group_view view;
	const char *text;

	(void)state;
	nla_put_u8(message, PAXOS_A_FROM, 3);
	nla_put_u64(message, PAXOS_A_GOAL, 40000);
	assert_int_equal(view_parse(nlmsg_hdr(message), &view), 0);
	status_print(&view);
	text = output();
	assert_non_null(strstr(text, "  waits: behind: "));
	assert_non_null(strstr(text,
		"\n  transfers from member 3: slot 42 of 40000\n"));
	view.durability = PAXOS_NL_DURABILITY_MEMORY;
	view.from.known = false;
	status_print(&view);
	text = output();
	assert_null(strstr(text, "transfers"));
	assert_non_null(strstr(text, "replace it under a new id"));
	nlmsg_free(message);
}

static void put_consumer(struct nl_msg *message, const char *name,
			 uint64_t applied, int type, uint32_t number)
{
	struct nlattr *nest = nla_nest_start(message, PAXOS_A_CONSUMER);

	nla_put_string(message, PAXOS_A_CONSUMER_NAME, name);
	nla_put_u64(message, PAXOS_A_CONSUMER_APPLIED, applied);
	if (type)
		nla_put_u32(message, type, number);
	nla_nest_end(message, nest);
}

static void status_shows_who_applies(void **state)
{
	struct nl_msg *message = group_message(PAXOS_NL_WAIT_NONE, 2, 1);
	struct group_view view;
	const char *text;

	(void)state;
	put_consumer(message, "kv", 42, 0, 0);
	put_consumer(message, "fifteen-letters", 12, PAXOS_A_CONSUMER_STALLED,
		     4200);
	put_consumer(message, "late", 3, PAXOS_A_CONSUMER_STOPPED, ESTALE);
	assert_int_equal(view_parse(nlmsg_hdr(message), &view), 0);
	status_print(&view);
	text = output();
	assert_non_null(strstr(text, "\n"
"  CONSUMER         APPLIED  LAG  STATE\n"
"  kv                    42    0  fine\n"
"  fifteen-letters       12   30  stalled 4.2 s\n"
"  late                   3   39  stopped: its log was trimmed\n"));
	print_json = true;
	status_print_json(&view);
	print_json = false;
	assert_non_null(strstr(output(), "{\"consumer\":\"fifteen-letters\","
		"\"applied\":12,\"lag\":30,\"stalled_ms\":4200,"
		"\"stopped_errno\":null}"));
	nlmsg_free(message);

	message = group_message(PAXOS_NL_WAIT_NONE, 2, 1);
	nla_put(message, PAXOS_A_CONSUMER, 0, NULL);
	assert_int_equal(view_parse(nlmsg_hdr(message), &view), -1);
	nlmsg_free(message);
}

static void status_shows_the_log(void **state)
{
	struct nl_msg *message = group_message(PAXOS_NL_WAIT_NONE, 2, 1);
	struct group_view view;
	const char *text;

	(void)state;
	nla_put_u64(message, PAXOS_A_SPACE_USED, 13 << 20);
	nla_put_u64(message, PAXOS_A_SPACE, 16 << 20);
	nla_put_u64(message, PAXOS_A_SPACE_FIRST, 7);
	assert_int_equal(view_parse(nlmsg_hdr(message), &view), 0);
	status_print(&view);
	text = output();
	assert_non_null(strstr(text,
		"\n  log: 13.0 MiB of 16.0 MiB, from slot 7 on\n"));
	assert_null(strstr(text, "go:"));
	nla_put_u64(message, PAXOS_A_SPACE_GOES, 20);
	nla_put_u8(message, PAXOS_A_SPACE_HELD, 3);
	assert_int_equal(view_parse(nlmsg_hdr(message), &view), 0);
	view.space.known = false;
	status_print(&view);
	text = output();
	assert_non_null(strstr(text, "\n  log: 13.0 MiB, from slot 7 on\n"));
	assert_non_null(strstr(text, "slots up to 20 go: member 3 lacks"));
	assert_null(strstr(text, "snapshot"));
	nla_put_u64(message, PAXOS_A_SNAPSHOT, 19);
	nla_put_u8(message, PAXOS_A_UNSAVED, 1);
	assert_int_equal(view_parse(nlmsg_hdr(message), &view), 0);
	status_print(&view);
	text = output();
	assert_non_null(strstr(text, "from slot 7 on; snapshot at slot 19\n"));
	assert_non_null(strstr(text, "it cannot be trimmed: no newer snapshot"));
	nlmsg_free(message);

	message = group_message(PAXOS_NL_WAIT_BEHIND, 2, 1);
	nla_put_u64(message, PAXOS_A_TRIMMED, 100);
	assert_int_equal(view_parse(nlmsg_hdr(message), &view), 0);
	status_print(&view);
	text = output();
	assert_non_null(strstr(text, "lacks slot 43, and the others' logs begin at slot 100"));
	assert_non_null(strstr(text, "member replace"));
	nlmsg_free(message);
}

/* As put_member(), and how its checksums compare to those of this member. */
static void put_compared(struct nl_msg *message, uint8_t id, uint64_t differs)
{
	struct nlattr *nest = nla_nest_start(message, PAXOS_A_MEMBER);

	nla_put_u8(message, PAXOS_A_MEMBER_ID, id);
	nla_put_u8(message, PAXOS_A_MEMBER_ROLE, PAXOS_NL_ROLE_VOTER);
	nla_put_u64(message, PAXOS_A_MEMBER_SAME, 30);
	nla_put_u64(message, PAXOS_A_MEMBER_DIFFERS, differs);
	nla_nest_end(message, nest);
}

static void status_shows_a_divergence(void **state)
{
	struct nl_msg *message = group_message(PAXOS_NL_WAIT_NONE, 2, 1);
	struct group_view view;
	const char *text;

	(void)state;
	put_compared(message, 5, 0);
	assert_int_equal(view_parse(nlmsg_hdr(message), &view), 0);
	status_print(&view);
	assert_null(strstr(output(), "divergence"));
	put_compared(message, 6, 41);
	nla_put_u64(message, PAXOS_A_DIVERGED, 40);
	nla_put_u64(message, PAXOS_A_CHECKSUM, 0xabc);
	assert_int_equal(view_parse(nlmsg_hdr(message), &view), 0);
	status_print(&view);
	assert_non_null(strstr(output(),
		"  divergence at slot 40: members 2 and 6 differ: see"));
	put_compared(message, 1, 40);
	nla_put_u8(message, PAXOS_A_HALTED, 1);
	assert_int_equal(view_parse(nlmsg_hdr(message), &view), 0);
	status_print(&view);
	assert_non_null(strstr(output(),
		"slot 40: members 2 and 6, 1 and 2 differ; this one is not with a majority, and applies nothing: see"));
	status_print_json(&view);
	text = output();
	assert_non_null(strstr(text,
		"\"checksum\":\"0000000000000abc\",\"diverged_slot\":40,\"halted\":true"));
	assert_non_null(strstr(text, "\"same_slot\":30,\"diverged_slot\":41"));
	assert_non_null(strstr(text, "\"same_slot\":30,\"diverged_slot\":null"));
	nlmsg_free(message);
}

static void status_as_json_has_what_is_not_known_as_null(void **state)
{
	struct nl_msg *message = group_message(PAXOS_NL_WAIT_NONE, 2, 1);
	struct group_view view;
	const char *json;

	(void)state;
	assert_int_equal(view_parse(nlmsg_hdr(message), &view), 0);
	status_print_json(&view);
	json = output();
	assert_non_null(strstr(json,
			       "{\"group\":7,\"cluster\":\"abcd0000"));
	assert_non_null(strstr(json, "\"ballot\":\"3.1\""));
	assert_non_null(strstr(json, "\"promised\":null"));
	assert_non_null(strstr(json, "\"rtt_us\":1450"));
	assert_non_null(strstr(json, "\"rtt_us\":null"));
	assert_non_null(strstr(json, "}],\"consumers\":[]}\n"));
	nlmsg_free(message);
}

static void a_short_attribute_is_refused(void **state)
{
	struct nl_msg *message = new_message(PAXOS_CMD_GROUP_GET);
	struct group_view view;

	(void)state;
	nla_put_u32(message, PAXOS_A_GROUP, GROUP);
	nla_put_u8(message, PAXOS_A_BALLOT, 1);
	assert_int_equal(view_parse(nlmsg_hdr(message), &view), -1);
	nlmsg_free(message);
}

/* An answer of the kernel to @request that refuses it with -EINVAL. */
static struct nl_msg *refusal(const struct nlmsghdr *request, bool capped,
			      uint32_t offset)
{
	struct nl_msg *message = nlmsg_alloc_size(16384);
	struct nlmsgerr error = { .error = -EINVAL, .msg = *request };
	struct nlmsghdr *header;

	header = nlmsg_put(message, 0, 0, NLMSG_ERROR, 0,
			   NLM_F_ACK_TLVS | (capped ? NLM_F_CAPPED : 0));
	nlmsg_append(message, &error, sizeof(error), 0);
	if (!capped)
		nlmsg_append(message, (void *)(request + 1),
			     request->nlmsg_len - sizeof(*request),
			     NLMSG_ALIGNTO);
	nla_put_string(message, NLMSGERR_ATTR_MSG, "must meet");
	if (offset)
		nla_put_u32(message, NLMSGERR_ATTR_OFFS, offset);
	else
		nla_put_u32(message, NLMSGERR_ATTR_MISS_TYPE, PAXOS_A_KEY);
	assert_ptr_equal(header, nlmsg_hdr(message));
	return message;
}

static void expect_blame(const struct nlmsghdr *request, uint32_t offset,
			 const char *blame)
{
	struct failure failure;
	struct nl_msg *message;
	int capped;

	for (capped = 0; capped < 2; capped++) {
		message = refusal(request, capped, offset);
		kernel_parse_failure(nlmsg_hdr(message), request, &failure);
		assert_int_equal(failure.error, EINVAL);
		assert_string_equal(failure.sentence, "must meet");
		assert_string_equal(failure.blame, blame);
		nlmsg_free(message);
	}
}

static void a_refusal_names_the_attribute(void **state)
{
	struct nl_msg *message = new_message(PAXOS_CMD_GROUP_ADD);
	const struct nlmsghdr *request = nlmsg_hdr(message);
	uint32_t q2, member, address;

	(void)state;
	nla_put_u32(message, PAXOS_A_GROUP, GROUP);
	q2 = request->nlmsg_len;
	nla_put_u8(message, PAXOS_A_Q2, 1);
	member = request->nlmsg_len;
	put_member(message, 3, PAXOS_NL_ROLE_VOTER, 0, 0, 0);
	/* Behind the nest's head, the id and the role. */
	address = member + NLA_HDRLEN + 2 * NLA_ALIGN(NLA_HDRLEN + 1);

	expect_blame(request, q2, "the Accept quorum (--q2): 1");
	expect_blame(request, member, "member 3");
	expect_blame(request, address, "the address of member 3: 10.77.0.3");
	expect_blame(request, 4096, "");
	expect_blame(request, 0, "the key (--key-file) is missing");
	nlmsg_free(message);
}

static void a_truncated_refusal_is_survived(void **state)
{
	struct nl_msg *request = new_message(PAXOS_CMD_GROUP_ADD);
	struct nl_msg *message = refusal(nlmsg_hdr(request), false, 0);
	struct nlmsghdr *header = nlmsg_hdr(message);
	struct failure failure;
	uint32_t length;

	(void)state;
	for (length = header->nlmsg_len; length >= NLMSG_HDRLEN; length--) {
		header->nlmsg_len = length;
		kernel_parse_failure(header, nlmsg_hdr(request), &failure);
		assert_int_not_equal(failure.error, 0);
	}
	nlmsg_free(message);
	nlmsg_free(request);
}

static void entries_are_printed(void **state)
{
	struct nl_msg *message = new_message(PAXOS_CMD_LOG_GET);
	struct entry entry;

	(void)state;
	nla_put_u32(message, PAXOS_A_GROUP, GROUP);
	nla_put_u64(message, PAXOS_A_SLOT, 9);
	nla_put_u64(message, PAXOS_A_BALLOT, 3 << 8 | 1);
	nla_put_u8(message, PAXOS_A_KIND, PAXOS_NL_KIND_DATA);
	nla_put_u8(message, PAXOS_A_ORIGIN, 2);
	nla_put_u64(message, PAXOS_A_SEQ, 5);
	nla_put(message, PAXOS_A_VALUE, 4, "a\n\"b");
	assert_int_equal(entry_parse(nlmsg_hdr(message), &entry), 0);
	entry_print(&entry);
	assert_string_equal(output(), "9  a\\n\"b\n");
	entry_print_json(&entry);
	assert_string_equal(output(),
			    "{\"group\":7,\"slot\":9,\"ballot\":\"3.1\","
			    "\"kind\":\"data\",\"origin\":2,"
			    "\"incarnation\":0,\"seq\":5,"
			    "\"value\":\"a\\u000a\\\"b\"}\n");
	entry.kind = PAXOS_NL_KIND_NOOP;
	entry_print(&entry);
	assert_string_equal(output(), "9  (no-op)\n");
	nlmsg_free(message);
}

static void a_proposal_that_fails_is_explained(void **state)
{
	static const struct {
		uint8_t wait, leader;
		uint32_t epoch;
		struct outcome outcome;	/* counts of when it ended, if known */
		bool no_quorum, removed;
		const char *reason;
	} cases[] = {
		{ PAXOS_NL_WAIT_NONE, 1, 1, { .needed = { true, 2 } },
		  false, false, "no answer in time" },
		{ PAXOS_NL_WAIT_QUORUM, 2, 1, { .needed = { true, 2 } },
		  true, false, "no quorum" },
		/* By now there is a quorum, then there was none. */
		{ PAXOS_NL_WAIT_NONE, 1, 1,
		  { .up = { true, 1 }, .needed = { true, 2 } },
		  true, false, "no quorum: 1 of 3, 2 needed" },
		/* Nobody is heard by who is no member, and that says nothing. */
		{ PAXOS_NL_WAIT_MEMBER, 1, 8,
		  { .up = { true, 0 }, .needed = { true, 2 } },
		  false, true, "this host was removed from the group" },
		{ PAXOS_NL_WAIT_MEMBER, 0, 0,
		  { .up = { true, 0 }, .needed = { true, 2 } },
		  false, false, "waiting to be added" },
	};
	struct group_view view;
	struct nl_msg *message;
	struct outcome outcome;
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		message = group_message(cases[i].wait, 2, cases[i].leader);
		nla_put_u32(message, PAXOS_A_EPOCH, cases[i].epoch);
		assert_int_equal(view_parse(nlmsg_hdr(message), &view), 0);
		outcome = cases[i].outcome;
		outcome_explain(&outcome, &view);
		assert_int_equal(outcome.no_quorum, cases[i].no_quorum);
		assert_int_equal(outcome.removed, cases[i].removed);
		assert_memory_equal(outcome.reason, cases[i].reason,
				    strlen(cases[i].reason));
		nlmsg_free(message);
	}
}

static void health_is_a_line(void **state)
{
	struct health health = {
		.view = { .id = 7, .leader = 2, .up = { true, 3 } },
		.outcome = {
			.outcome = PAXOS_NL_OUTCOME_CHOSEN,
			.slot = { true, 12 },
			.accepted = { true, 210000 },
			.elapsed = { true, 2000000 },
		},
		.netlink = { true, 31000 },
		.total = 2310000,
	};

	(void)state;
	assert_int_equal(health_print(&health), EXIT_FINE);
	assert_string_equal(output(),
			    "group 7: fine: slot 12 in 2.31 ms, netlink 31 us, "
			    "accepted 210 us, told 2 ms; leader 2, 3 of 0 up\n");
	health.outcome.outcome = PAXOS_NL_OUTCOME_NOT_CHOSEN;
	snprintf(health.outcome.reason, sizeof(health.outcome.reason), "why");
	assert_int_equal(health_print(&health), EXIT_ERROR);
	assert_string_equal(output(),
			    "group 7: not-chosen: why, after 2.31 ms\n");
	health.outcome.no_quorum = true;
	assert_int_equal(health_print(&health), EXIT_NO_QUORUM);
	output();
}

static void events_in_words(void **state)
{
	struct nl_msg *message = new_message(PAXOS_CMD_EVENT);
	char text[EVENT_SIZE];

	(void)state;
	nla_put_u32(message, PAXOS_A_GROUP, GROUP);
	nla_put_u8(message, PAXOS_A_EVENT, PAXOS_NL_EVENT_LEADER);
	nla_put_u8(message, PAXOS_A_LEADER, 2);
	nla_put_u64(message, PAXOS_A_BALLOT, 4 << 8 | 2);
	assert_int_equal(event_words(nlmsg_hdr(message), text), 0);
	assert_string_equal(text, "leader 2, ballot 4.2");
	nlmsg_free(message);

	message = new_message(PAXOS_CMD_EVENT);
	nla_put_u8(message, PAXOS_A_EVENT, PAXOS_NL_EVENT_MEMBER_DOWN);
	put_member(message, 5, PAXOS_NL_ROLE_VOTER, 0, 0, 0);
	assert_int_equal(event_words(nlmsg_hdr(message), text), 0);
	assert_string_equal(text, "member 5 down");
	nlmsg_free(message);

	message = new_message(PAXOS_CMD_EVENT);
	nla_put_u8(message, PAXOS_A_EVENT, PAXOS_NL_EVENT_DIVERGED);
	nla_put_u8(message, PAXOS_A_SELF, 5);
	nla_put_u64(message, PAXOS_A_SLOT, 128);
	put_member(message, 4, PAXOS_NL_ROLE_VOTER, 0, 0, 0);
	assert_int_equal(event_words(nlmsg_hdr(message), text), 0);
	assert_string_equal(text, "divergence at slot 128: members 4 and 5 differ");
	nlmsg_free(message);
}

static void every_number_has_a_word(void **state)
{
	unsigned int i;

	(void)state;
	for (i = PAXOS_NL_WAIT_NONE; i <= PAXOS_NL_WAIT_MEMORY; i++)
		assert_string_not_equal(name_wait(i), "unknown");
	for (i = PAXOS_NL_EVENT_LEADER; i <= PAXOS_NL_EVENT_CONVERGED; i++)
		assert_string_not_equal(name_event(i), "unknown");
	assert_string_equal(name_event(99), "unknown");
	assert_string_equal(name_state(PAXOS_NL_STATE_STOPPED), "stopped");
	assert_string_equal(name_state(PAXOS_NL_STATE_STOPPED + 1), "unknown");
}

int test_messages(void)
{
	const struct CMUnitTest tests[] = {
		TEST(status_is_a_table),
		TEST(status_says_why_it_waits),
		TEST(status_shows_a_transfer),
		TEST(status_shows_who_applies),
		TEST(status_shows_the_log),
		TEST(status_shows_a_divergence),
		TEST(status_as_json_has_what_is_not_known_as_null),
		TEST(a_short_attribute_is_refused),
		TEST(a_refusal_names_the_attribute),
		TEST(a_truncated_refusal_is_survived),
		TEST(entries_are_printed),
		TEST(a_proposal_that_fails_is_explained),
		TEST(health_is_a_line),
		TEST(events_in_words),
		TEST(every_number_has_a_word),
	};

	return cmocka_run_group_tests_name("paxosctl: messages", tests, NULL,
					   NULL);
}
