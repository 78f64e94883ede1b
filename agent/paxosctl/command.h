/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSCTL_COMMAND_H
#define _PAXOSCTL_COMMAND_H

/* A subcommand is a line in the table of main.c: what this header describes. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Exit statuses, the same for every subcommand. */
enum {
	EXIT_FINE,
	EXIT_ERROR,
	EXIT_NO_QUORUM,
};

/**
 * struct option_spec - an option of a subcommand
 * @name: "timeout" for --timeout
 * @letter: 't' for -t, or 0
 * @value: "TIME" where it takes one, as --help has it; completion goes by it
 * @help: what it does, for --help
 */
struct option_spec {
	const char *name;
	char letter;
	const char *value;
	const char *help;
};

#define OPTION_GROUP { "group", 'g', "GROUP", \
	"the group; may be left out where there is one" }
#define OPTION_TIMEOUT { "timeout", 't', "TIME", \
	"how long to wait: 2s, 500ms (default: 5s)" }
#define OPTION_END { NULL, 0, NULL, NULL }

struct arguments;

/**
 * struct command - a subcommand
 * @name: "propose", "group add"
 * @operands: "[SLOT]"; completion goes by the first word
 * @least, @most: how many operands
 * @summary: a line for the tool's --help
 * @about: more of it for its own --help, or NULL
 * @options: ended by OPTION_END; all have --json and --help besides
 * @run: do it; returns an exit status
 */
struct command {
	const char *name;
	const char *operands;
	unsigned int least;
	unsigned int most;
	const char *summary;
	const char *about;
	const struct option_spec *options;
	int (*run)(const struct arguments *arguments);
};

struct argument {
	const struct option_spec *option;
	const char *value;
};

#define ARGUMENTS_MAX 128
/**
 * struct arguments - what a subcommand was called with
 * @given: the options, in their order
 * @operands: the rest
 */
struct arguments {
	const struct command *command;
	struct argument given[ARGUMENTS_MAX];
	unsigned int n_given;
	char **operands;
	unsigned int n_operands;
	bool help;
};

/* The table, ended by a command without a name. */
extern const struct command commands[];

/*
 * arguments_parse - @argv behind the name of the subcommand
 *
 * Returns 0, or -1 after a complaint that quotes what was wrong.
 */
int arguments_parse(struct arguments *arguments, const struct command *command,
		    int argc, char **argv);
/* The value of an option, "" for one that takes none, NULL if not given. */
const char *argument(const struct arguments *arguments, const char *name);
/*
 * argument_number - the number that an option gives, if it is given
 *
 * Returns 0, or -1 after a complaint. *number stays where it is not given.
 */
int argument_number(const struct arguments *arguments, const char *name,
		    uint64_t least, uint64_t most, uint64_t *number);
/* --timeout in ms, or the default. */
int argument_timeout(const struct arguments *arguments, uint32_t *ms);
/* As complain(), behind the name of the subcommand. Returns EXIT_ERROR. */
__attribute__((format(printf, 2, 3)))
int wrong(const struct arguments *arguments, const char *format, ...);

bool parse_number(const char *text, uint64_t least, uint64_t most,
		  uint64_t *number);
/* "1.5s", "200ms", "2" (seconds) */
bool parse_time(const char *text, uint32_t *ms);
/* "64M", "4096K", "1G", "1048576" */
bool parse_size(const char *text, uint32_t *bytes);

/* ms of a clock that goes on while the host is suspended, as leases do. */
uint64_t now_ms(void);

/* What --help prints: of the tool where @command is NULL. */
void help_print(const struct command *command);
/* The command that argv starts with; *words: how many of argv name it. */
const struct command *command_find(int argc, char **argv, int *words);
/* Print what may stand where the last of @words stands, one a line. */
void complete(int n_words, char **words);

#endif
