// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include "command.h"
#include "print.h"

#define OPTIONS_MAX	24
#define TIMEOUT_DEFAULT	5000
#define LETTER_NONE	256	/* plus its index: an option without one */

static const struct option_spec common_options[] = {
	{ "json", 'j', NULL, "print JSON" },
	{ "help", 'h', NULL, "print this help" },
	OPTION_END
};

int wrong(const struct arguments *arguments, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	complain("%s: %s", arguments->command->name, text);
	return EXIT_ERROR;
}

/* All options of a command; getopt_long() wants them in its own form, too. */
static unsigned int gather(const struct command *command,
			   const struct option_spec **specs,
			   struct option *longs, char *letters)
{
	const struct option_spec *spec = command->options;
	unsigned int n = 0;

	*letters++ = ':';
	for (; ; spec++) {
		if (!spec->name && spec == &common_options[2])
			break;
		if (!spec->name)
			spec = common_options;
		if (n == OPTIONS_MAX)
			abort();
		specs[n] = spec;
		longs[n] = (struct option){
			.name = spec->name,
			.has_arg = spec->value ? required_argument :
						 no_argument,
			.val = spec->letter ? spec->letter :
					      LETTER_NONE + (int)n,
		};
		if (spec->letter)
			*letters++ = spec->letter;
		if (spec->letter && spec->value)
			*letters++ = ':';
		n++;
	}
	memset(&longs[n], 0, sizeof(longs[n]));
	*letters = '\0';
	return n;
}

static int no_option(const struct arguments *arguments, int found, char **argv)
{
	const char *name = arguments->command->name;
	const char *quoted = argv[optind - 1];
	char letter[3] = { '-', optopt, '\0' };

	/* Of letters that stand together, the one that is meant. */
	if (optopt && optopt < LETTER_NONE && strncmp(quoted, "--", 2))
		quoted = letter;
	if (found == ':')
		complain("%s: option '%s' needs a value; see paxosctl %s --help",
			 name, quoted, name);
	else
		complain("%s: unknown option '%s'; see paxosctl %s --help",
			 name, quoted, name);
	return -1;
}

int arguments_parse(struct arguments *arguments, const struct command *command,
		    int argc, char **argv)
{
	const struct option_spec *specs[OPTIONS_MAX + 1];
	struct option longs[OPTIONS_MAX + 1];
	char letters[2 * OPTIONS_MAX + 2];
	unsigned int n, i;
	int found;

	memset(arguments, 0, sizeof(*arguments));
	arguments->command = command;
	n = gather(command, specs, longs, letters);
	opterr = 0;
	optind = 0;
	while ((found = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		if (found == '?' || found == ':')
			return no_option(arguments, found, argv);
		for (i = 0; i < n && longs[i].val != found; i++)
			;
		if (i == n || arguments->n_given == ARGUMENTS_MAX)
			return no_option(arguments, '?', argv);
		if (specs[i] == &common_options[0])
			print_json = true;
		if (specs[i] == &common_options[1])
			arguments->help = true;
		arguments->given[arguments->n_given++] = (struct argument){
			.option = specs[i],
			.value = optarg ? optarg : "",
		};
	}
	arguments->operands = argv + optind;
	arguments->n_operands = argc - optind;
	if (arguments->help)
		return 0;
	if (arguments->n_operands < command->least) {
		complain("%s: needs %s; see paxosctl %s --help", command->name,
			 command->operands, command->name);
		return -1;
	}
	if (arguments->n_operands > command->most) {
		complain("%s: '%s' is one word too many; see paxosctl %s --help",
			 command->name, arguments->operands[command->most],
			 command->name);
		return -1;
	}
	return 0;
}

const char *argument(const struct arguments *arguments, const char *name)
{
	const struct option_spec *spec = arguments->command->options;
	const char *value = NULL;
	unsigned int i;

	/* A name that the table does not have is a mistake in this program. */
	while (spec->name && strcmp(spec->name, name))
		spec++;
	if (!spec->name)
		abort();
	for (i = 0; i < arguments->n_given; i++)
		if (arguments->given[i].option == spec)
			value = arguments->given[i].value;
	return value;
}

uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

bool parse_number(const char *text, uint64_t least, uint64_t most,
		  uint64_t *number)
{
	uint64_t parsed;
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	parsed = strtoull(text, &end, 10);
	if (errno || *end || parsed < least || parsed > most)
		return false;
	*number = parsed;
	return true;
}

int argument_number(const struct arguments *arguments, const char *name,
		    uint64_t least, uint64_t most, uint64_t *number)
{
	const char *value = argument(arguments, name);

	if (!value || parse_number(value, least, most, number))
		return 0;
	wrong(arguments, "--%s must be a number from %" PRIu64 " to %" PRIu64
	      ", not '%s'", name, least, most, value);
	return -1;
}

bool parse_time(const char *text, uint32_t *ms)
{
	double factor = 1000, number;
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	number = strtod(text, &end);
	if (!strcmp(end, "ms"))
		factor = 1;
	else if (*end && strcmp(end, "s"))
		return false;
	if (number * factor < 1 || number * factor > 24 * 3600 * 1000)
		return false;
	*ms = number * factor;
	return true;
}

int argument_timeout(const struct arguments *arguments, uint32_t *ms)
{
	const char *value = argument(arguments, "timeout");

	*ms = TIMEOUT_DEFAULT;
	if (!value || parse_time(value, ms))
		return 0;
	wrong(arguments, "--timeout must be a time from 1ms to a day, such as 2s or 500ms, not '%s'",
	      value);
	return -1;
}

bool parse_size(const char *text, uint32_t *bytes)
{
	static const char units[] = "KMG";
	uint64_t number;
	const char *unit;
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno || number > UINT32_MAX)
		return false;
	if (*end) {
		unit = strchr(units, *end);
		if (!unit || end[1])
			return false;
		number <<= 10 * (unit - units + 1);
	}
	if (number > UINT32_MAX)
		return false;
	*bytes = number;
	return true;
}

static const struct command *command_named(const char *first,
					   const char *second)
{
	const struct command *command;
	char name[64];

	snprintf(name, sizeof(name), second ? "%s %s" : "%s", first, second);
	for (command = commands; command->name; command++)
		if (!strcmp(command->name, name))
			return command;
	return NULL;
}

const struct command *command_find(int argc, char **argv, int *words)
{
	const struct command *command = NULL;

	*words = 1;
	if (argc > 0)
		command = command_named(argv[0], NULL);
	if (!command && argc > 1) {
		*words = 2;
		command = command_named(argv[0], argv[1]);
	}
	return command;
}

static void help_options(const struct option_spec *spec)
{
	char name[64];

	for (; spec->name; spec++) {
		snprintf(name, sizeof(name), "--%s%s%s", spec->name,
			 spec->value ? " " : "",
			 spec->value ? spec->value : "");
		if (spec->letter)
			print("  -%c, %-26s %s\n", spec->letter, name,
			      spec->help);
		else
			print("      %-26s %s\n", name, spec->help);
	}
}

void help_print(const struct command *command)
{
	char usage[80];

	if (command) {
		print("usage: paxosctl %s%s%s%s\n\n%s.\n", command->name,
		      command->options->name ? " [OPTION...]" : "",
		      *command->operands ? " " : "", command->operands,
		      command->summary);
		if (command->about)
			print("\n%s\n", command->about);
		print("\n");
		help_options(command->options);
		help_options(common_options);
		return;
	}
	print("usage: paxosctl [-j] [SUBCOMMAND [OPTION...]]\n\n"
	      "Shows and steers groups of hosts that agree on a log.\n"
	      "Without a subcommand: the status of all groups of this network namespace.\n\n");
	for (command = commands; command->name; command++) {
		snprintf(usage, sizeof(usage), "%s %s", command->name,
			 command->operands);
		print("  %-19s %s\n", usage, command->summary);
	}
	print("\n"
	      "  -j, --json   print JSON\n"
	      "  -h, --help   print this help; SUBCOMMAND --help prints its own\n\n"
	      "Exit status: 0 fine, 1 error, 2 no quorum. More: man 8 paxosctl\n");
}
