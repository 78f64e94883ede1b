// SPDX-License-Identifier: GPL-2.0
/*
 * `paxosctl --complete WORD...` prints what may stand where the last WORD
 * stands. The shell's part is completion/paxosctl.bash; what there is to
 * complete is known here alone.
 */
#include <string.h>
#include "view.h"

static void offer(const char *candidate, size_t length, const char *start)
{
	if (length && !strncmp(candidate, start, strlen(start)) &&
	    strlen(start) <= length)
		print("%.*s\n", (int)length, candidate);
}

static void offer_groups(const char *start)
{
	struct kernel *kernel = kernel_open();
	struct views views;
	char id[16];
	unsigned int i;

	if (kernel && !views_get(kernel, &views)) {
		for (i = 0; i < views.n; i++) {
			snprintf(id, sizeof(id), "%u", views.views[i].id);
			offer(id, strlen(id), start);
		}
		views_free(&views);
	}
	kernel_close(kernel);
}

/* What @value, as --help names it, can be. */
static void offer_value(const char *value, const char *start)
{
	size_t length;

	value += *value == '[';
	if (!strncmp(value, "GROUP", 5))
		offer_groups(start);
	else if (!strncmp(value, "FILE", 4))
		print(":file\n");
	else if (strchr(value, '|') && *value >= 'a')
		for (; *value; value += length + (value[length] == '|')) {
			length = strcspn(value, "|");
			offer(value, length, start);
		}
}

/* First or second words of the subcommands. */
static void offer_commands(const char *first, const char *start)
{
	const struct command *command;
	const char *name, *last = "";
	size_t length, last_length = 0;

	for (command = commands; command->name; command++) {
		name = command->name;
		length = strcspn(name, " ");
		if (first) {
			if (strlen(first) != length || !name[length] ||
			    strncmp(name, first, length))
				continue;
			name += length + 1;
			length = strlen(name);
		}
		/* The words of a family stand together in the table. */
		if (length == last_length && !strncmp(name, last, length))
			continue;
		last = name;
		last_length = length;
		offer(name, length, start);
	}
}

static const struct option_spec *find_option(const struct command *command,
					     const char *word)
{
	const struct option_spec *spec;

	if (word[0] != '-')
		return NULL;
	for (spec = command->options; spec->name; spec++)
		if (word[1] == '-' ? !strcmp(word + 2, spec->name) :
		    spec->letter && word[1] == spec->letter && !word[2])
			return spec;
	return NULL;
}

static void offer_options(const struct command *command, const char *start)
{
	const struct option_spec *spec;
	char name[64];

	for (spec = command->options; spec->name; spec++) {
		snprintf(name, sizeof(name), "--%s", spec->name);
		offer(name, strlen(name), start);
	}
	offer("--json", 6, start);
	offer("--help", 6, start);
}

void complete(int n_words, char **words)
{
	const struct option_spec *spec = NULL;
	const struct command *command;
	const char *start;
	int named, i, operands = 0;

	while (n_words > 1 && words[0][0] == '-') {
		words++;
		n_words--;
	}
	start = n_words ? words[n_words - 1] : "";
	if (n_words < 2) {
		offer_commands(NULL, start);
		if (*start == '-') {
			offer("--json", 6, start);
			offer("--help", 6, start);
		}
		return;
	}
	command = command_find(n_words - 1, words, &named);
	if (!command) {
		if (n_words == 2)
			offer_commands(words[0], start);
		return;
	}
	for (i = named; i < n_words - 1; i++) {
		spec = find_option(command, words[i]);
		if (spec && spec->value && i + 1 < n_words - 1)
			i++;
		else if (words[i][0] != '-')
			operands++;
	}
	spec = find_option(command, words[n_words - 2]);
	if (spec && spec->value)
		offer_value(spec->value, start);
	else if (*start == '-')
		offer_options(command, start);
	else if (!operands)
		offer_value(command->operands, start);
}
