/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSD_CONFIG_KEYS_H
#define _PAXOSD_CONFIG_KEYS_H

/* Between config.c, which reads lines, and config_keys.c, what they set. */

#include <stdbool.h>
#include "config.h"

enum section {
	NOWHERE,
	GROUP,
	MEMBER,
};

struct parser;
struct key {
	enum section section;
	const char *name;
	int (*set)(struct parser *parser, const char *value);
	const char *should;
};

#define KEYS_MAX 32
extern const struct key config_keys[KEYS_MAX];	/* ends with a NULL name */

/**
 * struct parser - one reading of one file
 * @lines: of the file, 1-based, as written
 * @line: number of the one that is being read
 * @at: line on which each key of keys[] was set in this section, 0: was not
 * @group_at: the same for [Group], kept
 * @section_at: line of the section that is being read
 * @group_section: line of [Group], 0: none so far
 * @member_at: lines of the addresses, by index of the member
 * @private: the file itself holds a key
 */
struct parser {
	struct config *config;
	const char *path;
	char *error;
	size_t size;

	char *text;
	char **lines;
	unsigned int n_lines;
	unsigned int line;

	enum section section;
	unsigned int section_at;
	unsigned int group_section;
	unsigned int at[KEYS_MAX];
	unsigned int group_at[KEYS_MAX];
	unsigned int member_at[PAXOS_NL_MEMBERS_MAX];
	struct config_member *member;
	uint16_t heartbeat_port;
	bool private;
};

/* Fills the error for a @line of the file, or 0 for the file; returns -1. */
__attribute__((format(printf, 3, 4)))
int config_wrong(struct parser *parser, unsigned int line, const char *format,
		 ...);
/* Is all of it as in @running that cannot change? 0, or -1 with the error. */
int config_keep(struct parser *parser, const struct config *running);
char *config_trim(char *text);
void config_warn_readable(struct config *config, int fd, const char *path);

#endif
