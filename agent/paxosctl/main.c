// SPDX-License-Identifier: GPL-2.0
/* paxosctl: shows and steers the groups of this network namespace. */

#include <string.h>
#include "command.h"
#include "print.h"

static void no_command(int argc, char **argv)
{
	const struct command *command;
	char words[256] = "";
	size_t n = 0, length = strlen(argv[0]);

	/* A family, such as group, whose second word is missing or wrong? */
	for (command = commands; command->name; command++)
		if (!strncmp(command->name, argv[0], length) &&
		    command->name[length] == ' ' && n < sizeof(words))
			n += snprintf(words + n, sizeof(words) - n, "%s%s",
				      n ? ", " : "",
				      command->name + length + 1);
	if (!n)
		complain("unknown subcommand '%s'; see paxosctl --help",
			 argv[0]);
	else if (argc > 1 && argv[1][0] != '-')
		complain("unknown subcommand '%s %s'; there are %s", argv[0],
			 argv[1], words);
	else
		complain("%s what? There are %s", argv[0], words);
}

int main(int argc, char **argv)
{
	static struct arguments arguments;
	const struct command *command;
	char *status[] = { "status", NULL };
	int words, result;

	for (argc--, argv++; argc && argv[0][0] == '-'; argc--, argv++) {
		if (!strcmp(argv[0], "--complete")) {
			complete(argc - 1, argv + 1);
			return EXIT_FINE;
		}
		if (!strcmp(argv[0], "-h") || !strcmp(argv[0], "--help")) {
			help_print(NULL);
			return print_flush() ? EXIT_ERROR : EXIT_FINE;
		}
		if (strcmp(argv[0], "-j") && strcmp(argv[0], "--json")) {
			complain("unknown option '%s' before the subcommand; see paxosctl --help",
				 argv[0]);
			return EXIT_ERROR;
		}
		print_json = true;
	}
	if (!argc) {
		argc = 1;
		argv = status;
	}
	command = command_find(argc, argv, &words);
	if (!command) {
		no_command(argc, argv);
		return EXIT_ERROR;
	}
	/* getopt() takes the word before the options for the program's name. */
	if (arguments_parse(&arguments, command, argc - words + 1,
			    argv + words - 1))
		return EXIT_ERROR;
	if (arguments.help) {
		help_print(command);
		result = EXIT_FINE;
	} else {
		result = command->run(&arguments);
	}
	return print_flush() ? EXIT_ERROR : result;
}
