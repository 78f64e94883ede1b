// SPDX-License-Identifier: GPL-2.0
/* Unit tests of paxosctl: what it parses and what it prints, no kernel. */

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
#include "status.h"
#include "watch.h"

#define GROUP 7

/* A stream into memory, and how much of it was looked at. */
struct capture {
	FILE *stream;
	char *text;
	size_t size;
	size_t seen;
};

static struct capture printed, complained;

static int capture_open(struct capture *capture)
{
	capture->seen = 0;
	capture->stream = open_memstream(&capture->text, &capture->size);
	return capture->stream ? 0 : -1;
}

/* What came since the last call. */
static const char *capture_next(struct capture *capture)
{
	size_t seen = capture->seen;

	fflush(capture->stream);
	capture->seen = capture->size;
	return capture->text + seen;
}

static int setup(void **state)
{
	(void)state;
	print_json = false;
	if (capture_open(&printed) || capture_open(&complained))
		return -1;
	print_to = printed.stream;
	complain_to = complained.stream;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fclose(printed.stream);
	fclose(complained.stream);
	free(printed.text);
	free(complained.text);
	return 0;
}

static const char *output(void)
{
	return capture_next(&printed);
}

static const char *complaint(void)
{
	return capture_next(&complained);
}

static void escapes_what_a_terminal_would_obey(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
		const char *text;
	} cases[] = {
		{ "Hello World", 11, "Hello World" },
		{ "a\nb\tc\rd\\e", 9, "a\\nb\\tc\\rd\\\\e" },
		{ "\0\x1b[2J", 5, "\\x00\\x1b[2J" },
		{ "gr\xc3\xbc\xc3\x9f", 6, "gr\xc3\xbc\xc3\x9f" },
		{ "\xff\xc3", 2, "\\xff\\xc3" },
		{ "\xc0\xaf", 2, "\\xc0\\xaf" },		/* overlong */
		{ "\xed\xa0\x80", 3, "\\xed\\xa0\\x80" },	/* surrogate */
		{ "\xc2\x9b", 2, "\\xc2\\x9b" },		/* C1 control */
		{ "\xf0\x9f\x90\xa7", 4, "\xf0\x9f\x90\xa7" },
		{ "", 0, "" },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_escaped(cases[i].bytes, cases[i].length);
		assert_string_equal(output(), cases[i].text);
	}
}

static void json_is_json(void **state)
{
	(void)state;
	json_object(NULL);
	json_string("a", "q\"b\\n\n\x7f");
	json_bytes("value", "\xff\x00", 2);
	json_array("list");
	json_number(NULL, UINT64_MAX);
	json_object(NULL);
	json_end();
	json_end();
	json_maybe("no", (struct maybe){ false, 3 });
	json_bool("yes", true);
	json_end();
	assert_string_equal(output(),
			    "{\"a\":\"q\\\"b\\\\n\\u000a\\u007f\","
			    "\"value_base64\":\"/wA=\","
			    "\"list\":[18446744073709551615,{}],"
			    "\"no\":null,\"yes\":true}\n");
}

static void numbers_in_words(void **state)
{
	char text[DURATION_SIZE], ballot[BALLOT_SIZE];

	(void)state;
	assert_string_equal(print_duration(text, 412345), "412 us");
	assert_string_equal(print_duration(text, 3214567), "3.21 ms");
	assert_string_equal(print_duration(text, 999600000), "1.0 s");
	assert_string_equal(print_duration(text, 1240000000), "1.2 s");
	assert_string_equal(print_ballot(ballot, 7 << 8 | 2), "7.2");
	assert_string_equal(print_ballot(ballot, 0), "none");
}

static void parses_numbers_times_sizes(void **state)
{
	uint64_t number;
	uint32_t ms, bytes;

	(void)state;
	assert_true(parse_number("64", 1, 64, &number) && number == 64);
	assert_false(parse_number("65", 1, 64, &number));
	assert_false(parse_number("-1", 0, UINT64_MAX, &number));
	assert_false(parse_number(" 1", 0, 64, &number));
	assert_false(parse_number("1x", 0, 64, &number));
	assert_false(parse_number("", 0, 64, &number));
	assert_false(parse_number("18446744073709551616", 0, UINT64_MAX,
				  &number));
	assert_true(parse_time("2", &ms) && ms == 2000);
	assert_true(parse_time("1.5s", &ms) && ms == 1500);
	assert_true(parse_time("200ms", &ms) && ms == 200);
	assert_false(parse_time("0", &ms));
	assert_false(parse_time("2m", &ms));
	assert_false(parse_time("nan", &ms));
	assert_false(parse_time("1e99", &ms));
	assert_true(parse_size("64M", &bytes) && bytes == 64 << 20);
	assert_true(parse_size("1048576", &bytes) && bytes == 1 << 20);
	assert_false(parse_size("4G", &bytes));
	assert_false(parse_size("64MB", &bytes));
	assert_false(parse_size("18446744073709551615K", &bytes));
}

static void parses_members(void **state)
{
	struct config_member member;
	char name[ADDRESS_NAME_SIZE];

	(void)state;
	assert_null(parse_member("3,10.0.0.3:7400", &member));
	assert_int_equal(member.id, 3);
	assert_int_equal(member.role, PAXOS_NL_ROLE_VOTER);
	assert_string_equal(address_name(&member.address, name),
			    "10.0.0.3:7400");
	assert_null(parse_member("64,[fd00::3]:7400,learner", &member));
	assert_int_equal(member.role, PAXOS_NL_ROLE_LEARNER);
	assert_string_equal(address_name(&member.address, name),
			    "[fd00::3]:7400");
	assert_non_null(parse_member("65,10.0.0.3:7400", &member));
	assert_non_null(parse_member("3", &member));
	assert_non_null(parse_member("3,10.0.0.3", &member));
	assert_non_null(parse_member("3,10.0.0.3:7400,boss", &member));
}

/* Parse as main() does; returns what arguments_parse() did. */
static int parse(struct arguments *arguments, int argc, char **argv)
{
	const struct command *command;
	int words;

	command = command_find(argc, argv, &words);
	assert_non_null(command);
	return arguments_parse(arguments, command, argc - words + 1,
			       argv + words - 1);
}

#define PARSE(arguments, ...) \
	parse(arguments, sizeof((char *[]){ __VA_ARGS__ }) / sizeof(char *), \
	      (char *[]){ __VA_ARGS__, NULL })

static void parses_options(void **state)
{
	struct arguments arguments;
	uint64_t number = 0;
	uint32_t ms;

	(void)state;
	assert_int_equal(PARSE(&arguments, "propose", "-g", "7", "value",
			       "--timeout=200ms", "-j"), 0);
	assert_string_equal(argument(&arguments, "group"), "7");
	assert_int_equal(argument_number(&arguments, "group", 1, 9, &number),
			 0);
	assert_int_equal(number, 7);
	assert_int_equal(argument_timeout(&arguments, &ms), 0);
	assert_int_equal(ms, 200);
	assert_null(argument(&arguments, "file"));
	assert_int_equal(arguments.n_operands, 1);
	assert_string_equal(arguments.operands[0], "value");
	assert_true(print_json);

	assert_int_equal(PARSE(&arguments, "propose", "--", "-x"), 0);
	assert_string_equal(arguments.operands[0], "-x");
	assert_int_equal(PARSE(&arguments, "propose", "-"), 0);
	assert_string_equal(arguments.operands[0], "-");
	assert_int_equal(PARSE(&arguments, "group", "del", "--help"), 0);
	assert_true(arguments.help);
}

static void quotes_what_is_wrong(void **state)
{
	struct arguments arguments;
	uint64_t number;

	(void)state;
	assert_int_equal(PARSE(&arguments, "propose", "--foo"), -1);
	assert_non_null(strstr(complaint(), "unknown option '--foo'"));
	assert_int_equal(PARSE(&arguments, "campaign", "-wx"), -1);
	assert_non_null(strstr(complaint(), "unknown option '-x'"));
	assert_int_equal(PARSE(&arguments, "read", "--timeout"), -1);
	assert_non_null(strstr(complaint(), "'--timeout' needs a value"));
	assert_int_equal(PARSE(&arguments, "group", "del"), -1);
	assert_non_null(strstr(complaint(), "group del: needs GROUP"));
	assert_int_equal(PARSE(&arguments, "log", "7"), -1);
	assert_non_null(strstr(complaint(), "'7' is one word too many"));
	assert_int_equal(PARSE(&arguments, "log", "--from", "x"), 0);
	assert_int_equal(argument_number(&arguments, "from", 1, 9, &number),
			 -1);
	assert_non_null(strstr(complaint(),
			       "--from must be a number from 1 to 9, not 'x'"));
}

static void help_fits_a_terminal(void **state)
{
	const struct command *command;
	const char *line;
	size_t length;

	(void)state;
	help_print(NULL);
	for (command = commands; command->name; command++) {
		assert_non_null(command->run);
		assert_non_null(command->operands);
		help_print(command);
	}
	for (line = output(); *line; line += length + 1) {
		length = strcspn(line, "\n");
		assert_in_range(length, 0, 80);
	}
}

#define COMPLETE(...) \
	complete(sizeof((char *[]){ __VA_ARGS__ }) / sizeof(char *), \
		 (char *[]){ __VA_ARGS__ })

static void completes(void **state)
{
	(void)state;
	COMPLETE("s");
	assert_string_equal(output(), "status\nstats\nstart\n");
	COMPLETE("gr");
	assert_string_equal(output(), "group\n");
	COMPLETE("-j", "group", "");
	assert_string_equal(output(), "list\nadd\nset\ndel\n");
	COMPLETE("group", "add", "--durability", "m");
	assert_string_equal(output(), "memory\n");
	COMPLETE("group", "add", "-c", "");
	assert_string_equal(output(), ":file\n");
	COMPLETE("campaign", "--w");
	assert_string_equal(output(), "--wait\n");
	COMPLETE("nonsense", "", "");
	assert_string_equal(output(), "");
}

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
		  "leader 3 is not heard: an election is under way" },
		{ PAXOS_NL_WAIT_NONE, 1, 3, "no quorum: 1 of 3, 2 needed" },
		{ PAXOS_NL_WAIT_AGENT, 2, 1, "no agent is attached" },
		{ PAXOS_NL_WAIT_START, 2, 1, "the agent has not restored" },
		{ PAXOS_NL_WAIT_LEADER, 2, 0,
		  "no leader is known: an election is under way" },
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
	assert_non_null(strstr(json, "}]}\n"));
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
}

static void every_number_has_a_word(void **state)
{
	unsigned int i;

	(void)state;
	for (i = PAXOS_NL_WAIT_NONE; i <= PAXOS_NL_WAIT_MEMORY; i++)
		assert_string_not_equal(name_wait(i), "unknown");
	for (i = PAXOS_NL_EVENT_LEADER; i <= PAXOS_NL_EVENT_SPACE; i++)
		assert_string_not_equal(name_event(i), "unknown");
	assert_string_equal(name_event(99), "unknown");
	assert_string_equal(name_state(PAXOS_NL_STATE_STOPPED), "stopped");
	assert_string_equal(name_state(PAXOS_NL_STATE_STOPPED + 1), "unknown");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(escapes_what_a_terminal_would_obey),
		TEST(json_is_json),
		TEST(numbers_in_words),
		TEST(parses_numbers_times_sizes),
		TEST(parses_members),
		TEST(parses_options),
		TEST(quotes_what_is_wrong),
		TEST(help_fits_a_terminal),
		TEST(completes),
		TEST(status_is_a_table),
		TEST(status_says_why_it_waits),
		TEST(status_shows_a_transfer),
		TEST(status_shows_the_log),
		TEST(status_as_json_has_what_is_not_known_as_null),
		TEST(a_short_attribute_is_refused),
		TEST(a_refusal_names_the_attribute),
		TEST(a_truncated_refusal_is_survived),
		TEST(entries_are_printed),
		TEST(health_is_a_line),
		TEST(events_in_words),
		TEST(every_number_has_a_word),
	};

	return cmocka_run_group_tests_name("paxosctl", tests, NULL, NULL);
}
