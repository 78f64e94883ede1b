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
#include "kv.h"
#include "status.h"
#include "test.h"

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

int setup(void **state)
{
	(void)state;
	print_json = false;
	if (capture_open(&printed) || capture_open(&complained))
		return -1;
	print_to = printed.stream;
	complain_to = complained.stream;
	return 0;
}

int teardown(void **state)
{
	(void)state;
	fclose(printed.stream);
	fclose(complained.stream);
	free(printed.text);
	free(complained.text);
	return 0;
}

const char *output(void)
{
	return capture_next(&printed);
}

const char *complaint(void)
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
	assert_string_equal(output(), "status\nsnapshot\nstats\nstart\nservice\n");
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

/* libnl drops a nest of more than 64 KiB, and the kernel would not see it. */
static void what_no_entry_holds_is_for_the_kernel_to_refuse(void **state)
{
	static char big[66000];
	struct nlattr *part[PAXOS_KV_A_ITEM_MAX + 1], *item;
	struct nl_msg *request = nlmsg_alloc_size(128 << 10);
	int i;

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	genlmsg_put(request, 1, 1, 30, 0, 0, PAXOS_KV_CMD_TXN, 1);
	item_put(request, PAXOS_KV_SECTION_IF, PAXOS_KV_TARGET_VALUE,
		 PAXOS_KV_RELATION_EQUAL, big, big, strlen(big), 7);
	item = nlmsg_find_attr(nlmsg_hdr(request), GENL_HDRLEN,
			       PAXOS_KV_A_ITEM);
	assert_non_null(item);
	assert_int_equal(nla_parse_nested(part, PAXOS_KV_A_ITEM_MAX, item,
					  NULL), 0);
	assert_int_equal(nla_len(part[PAXOS_KV_A_ITEM_KEY]),
			 PAXOS_KV_KEY_MAX + 1);
	assert_in_range(nla_len(part[PAXOS_KV_A_ITEM_VALUE]),
			PAXOS_NL_VALUE_MAX + 1, 65000);
	assert_int_equal(nla_get_u64(part[PAXOS_KV_A_ITEM_NUMBER]), 7);
	for (i = 0; item_fits(request, PAXOS_KV_SECTION_THEN, 0,
			      PAXOS_KV_OPERATION_PUT, "k", big, strlen(big),
			      0); i++)
		assert_in_range(i, 0, 3);
	nlmsg_free(request);
}

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
		TEST(what_no_entry_holds_is_for_the_kernel_to_refuse),
	};
	int failed;

	failed = cmocka_run_group_tests_name("paxosctl: words", tests, NULL,
					     NULL);
	return failed + test_messages() + test_quorum() + test_child();
}
