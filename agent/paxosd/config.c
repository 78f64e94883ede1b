// SPDX-License-Identifier: GPL-2.0
/*
 * INI in the manner of wg-quick, parsed by hand: the libraries for it hand over
 * keys and values but not the line, and each error here must quote the line.
 */

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include "config_keys.h"

#define FILE_MAX       (256 << 10)
#define WINDOW_DEFAULT 1024 /* the kernel's */
#define LOG_DEFAULT    4096
#define KEY_RUN	       22

char *config_trim(char *text)
{
	char *end;

	text += strspn(text, " \t\r");
	end = text + strlen(text);
	while (end > text && strchr(" \t\r", end[-1]))
		end--;
	*end = '\0';
	return text;
}

static bool is_named(const char *text, const char *name)
{
	text += strspn(text, " \t");
	if (strncasecmp(text, name, strlen(name)))
		return false;
	text += strlen(name);
	return text[strspn(text, " \t")] == '=';
}

/*
 * Errors go to logs, and keys must not: nor those that stand under another
 * name, or under none. 16 bytes take 22 digits and two "=".
 */
static bool is_key(const char *text)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const bool cluster = is_named(text, "Cluster");
	size_t run;

	if (is_named(text, "Key"))
		return true;
	for (; *text; text += run + !run) {
		run = strspn(text, digits);
		if (run >= KEY_RUN && (text[run] == '=' ||
				       (*text != '/' && !cluster)))
			return true;
	}
	return false;
}

int config_wrong(struct parser *parser, unsigned int line, const char *format,
		 ...)
{
	char quote[200] = "Key = (not shown)";
	va_list args;
	int n;

	if (!line) {
		n = snprintf(parser->error, parser->size, "%s: ", parser->path);
	} else {
		if (!is_key(parser->lines[line]))
			snprintf(quote, sizeof(quote), "%s",
				 parser->lines[line]);
		n = snprintf(parser->error, parser->size, "%s:%u: '%s': ",
			     parser->path, line, config_trim(quote));
	}
	if (n < 0 || (size_t)n >= parser->size)
		return -1;
	va_start(args, format);
	vsnprintf(parser->error + n, parser->size - n, format, args);
	va_end(args);
	return -1;
}

void config_warn_readable(struct config *config, int fd, const char *path)
{
	struct stat status;

	if (!fstat(fd, &status) && status.st_mode & S_IRWXO)
		snprintf(config->warning, sizeof(config->warning),
			 "%s holds the key and others can read it: chmod o= %s",
			 path, path);
}

static int key_index(enum section section, const char *name)
{
	unsigned int i;

	for (i = 0; config_keys[i].name; i++)
		if (config_keys[i].section == section &&
		    !strcasecmp(config_keys[i].name, name))
			return i;
	return -1;
}

static unsigned int group_line(const struct parser *parser, const char *name)
{
	return parser->group_at[key_index(GROUP, name)];
}

/* What a section must have, once it is over. */
static int close_section(struct parser *parser)
{
	static const char *const musts[] = { "Id", "Address" };
	unsigned int i;

	if (parser->section == GROUP)
		memcpy(parser->group_at, parser->at, sizeof(parser->at));
	if (parser->section != MEMBER)
		return 0;
	for (i = 0; i < 2; i++)
		if (!parser->at[key_index(MEMBER, musts[i])])
			return config_wrong(
				parser, parser->section_at,
				"this member has no %s = ", musts[i]);
	parser->member_at[parser->config->n_members] =
		parser->at[key_index(MEMBER, "Address")];
	parser->config->n_members++;
	return 0;
}

static int open_section(struct parser *parser, const char *name)
{
	struct config *config = parser->config;

	if (close_section(parser))
		return -1;
	memset(parser->at, 0, sizeof(parser->at));
	parser->section_at = parser->line;
	if (!strcasecmp(name, "[Group]")) {
		if (parser->group_section)
			return config_wrong(
				parser, parser->line,
				"a second [Group]; the first is on line %u",
				parser->group_section);
		parser->section = GROUP;
		parser->group_section = parser->line;
	} else if (!strcasecmp(name, "[Member]")) {
		if (config->n_members == PAXOS_NL_MEMBERS_MAX)
			return config_wrong(parser, parser->line,
					    "more than %u members",
					    PAXOS_NL_MEMBERS_MAX);
		parser->section = MEMBER;
		parser->member = &config->members[config->n_members];
		memset(parser->member, 0, sizeof(*parser->member));
		parser->member->priority = CONFIG_PRIORITY_DEFAULT;
	} else {
		return config_wrong(
			parser, parser->line,
			"unknown section; there are [Group] and [Member]");
	}
	return 0;
}

static int unknown_key(struct parser *parser, const char *name)
{
	const bool hides = is_key(parser->lines[parser->line]);
	char known[384] = "";
	unsigned int i;

	for (i = 0; config_keys[i].name; i++)
		if (config_keys[i].section == parser->section)
			snprintf(known + strlen(known),
				 sizeof(known) - strlen(known), "%s%s",
				 *known ? ", " : "", config_keys[i].name);
	return config_wrong(parser, parser->line,
			    "unknown key '%s'; [%s] takes %s",
			    hides ? "(not shown)" : name,
			    parser->section == GROUP ? "Group" : "Member",
			    known);
}

static int read_line(struct parser *parser, char *text)
{
	char *name, *value;
	int i;

	text[strcspn(text, "#")] = '\0';
	text = config_trim(text);
	if (!*text)
		return 0;
	if (*text == '[')
		return open_section(parser, text);
	value = strchr(text, '=');
	if (!value)
		return config_wrong(parser, parser->line,
				    "neither a [Section] nor 'Key = value'");
	*value++ = '\0';
	name = config_trim(text);
	value = config_trim(value);
	if (parser->section == NOWHERE)
		return config_wrong(
			parser, parser->line,
			"this stands before any section; start with [Group]");
	i = key_index(parser->section, name);
	if (i < 0)
		return unknown_key(parser, name);
	if (parser->at[i])
		return config_wrong(parser, parser->line,
				    "a second %s; the first is on line %u",
				    config_keys[i].name, parser->at[i]);
	parser->at[i] = parser->line;
	parser->error[0] = '\0';
	if (*value && !config_keys[i].set(parser, value))
		return 0;
	if (parser->error[0])
		return -1;
	return config_wrong(parser, parser->line, "%s must be %s",
			    config_keys[i].name, config_keys[i].should);
}

/* What is not chosen yet is held by the kernel, and cannot go from the log. */
static int check_space(struct parser *parser)
{
	struct config *config = parser->config;
	const uint64_t memory = config->bytes ?: CONFIG_MEMORY_DEFAULT;
	const unsigned int line = group_line(parser, "LogSpace");

	if (!line)
		return 0;
	if (config->durability == PAXOS_NL_DURABILITY_MEMORY)
		return config_wrong(parser, line,
				    "LogSpace: with Durability = memory there is no log");
	if (config->log_space < 2 * memory)
		return config_wrong(
			parser, line,
			"LogSpace must be at least twice Memory (%u MiB)",
			(unsigned int)(memory >> 20));
	return 0;
}

static int check_group(struct parser *parser)
{
	struct config *config = parser->config;
	unsigned int key = group_line(parser, "Key");
	unsigned int key_file = group_line(parser, "KeyFile");
	uint32_t window = config->window ?: WINDOW_DEFAULT;
	uint32_t log_size = config->log_size ?: LOG_DEFAULT;

	if (!parser->group_section)
		return config_wrong(parser, 0, "there is no [Group] section");
	if (!config->group)
		return config_wrong(parser, parser->group_section,
				    "[Group] has no Id = ");
	if (!group_line(parser, "Cluster"))
		return config_wrong(parser, parser->group_section,
				    "[Group] has no Cluster = ");
	if (!key && !key_file)
		return config_wrong(parser, parser->group_section,
				    "[Group] has no Key = or KeyFile = ");
	if (key && key_file)
		return config_wrong(parser, key > key_file ? key : key_file,
				    "Key and KeyFile: only one of them");
	if (!config->self)
		return config_wrong(parser, parser->group_section,
				    "[Group] has no Self = ");
	if (log_size < 2 * window)
		return config_wrong(
			parser,
			group_line(parser, "LogSize") ?:
				group_line(parser, "Window"),
			"LogSize (%u) must be at least twice Window (%u)",
			log_size, window);
	return check_space(parser);
}

/* The bounds of a silence that is suspected, by default by the interval. */
static int check_timeouts(struct parser *parser)
{
	struct config *config = parser->config;
	unsigned int line = group_line(parser, "TimeoutMin") ?:
			    group_line(parser, "TimeoutMax");

	if (!config->timeout_min)
		config->timeout_min = CONFIG_TIMEOUT_MIN * config->interval;
	if (!config->timeout_max)
		config->timeout_max = CONFIG_TIMEOUT_MAX * config->interval;
	if (config->timeout_min <= config->interval)
		return config_wrong(
			parser, line,
			"TimeoutMin (%u ms) must be above Interval (%u ms)",
			config->timeout_min, config->interval);
	if (config->timeout_max <= config->timeout_min)
		return config_wrong(
			parser, group_line(parser, "TimeoutMax") ?: line,
			"TimeoutMax (%u ms) must be above TimeoutMin (%u ms)",
			config->timeout_max, config->timeout_min);
	return 0;
}

static int check_quorums(struct parser *parser, unsigned int voters)
{
	struct config *config = parser->config;
	unsigned int q1 = config->q1 ?: voters / 2 + 1;
	unsigned int q2 = config->q2 ?: voters / 2 + 1;
	unsigned int line1 = group_line(parser, "PrepareQuorum");
	unsigned int line2 = group_line(parser, "AcceptQuorum");

	if (q1 > voters)
		return config_wrong(parser, line1, "there are only %u voters",
				    voters);
	if (q2 > voters)
		return config_wrong(parser, line2, "there are only %u voters",
				    voters);
	if (q1 + q2 <= voters)
		return config_wrong(
			parser, line2 ?: line1,
			"a Prepare quorum of %u and an Accept quorum of %u of %u voters need not meet: their sum must be above %u",
			q1, q2, voters, voters);
	return 0;
}

static int check_addresses(struct parser *parser)
{
	struct config *config = parser->config;
	struct config_member *member, *other;
	unsigned int i, j, line;
	uint16_t port;

	for (i = 0; i < config->n_members; i++) {
		member = &config->members[i];
		port = address_port(&member->address);
		if (!parser->heartbeat_port && port == UINT16_MAX)
			return config_wrong(
				parser, parser->member_at[i],
				"heartbeats go to the next port, and there is none: choose a lower one or set HeartbeatPort");
		member->heartbeat = member->address;
		address_set_port(&member->heartbeat,
				 parser->heartbeat_port ?: port + 1);
	}
	for (i = 0; i < config->n_members; i++) {
		member = &config->members[i];
		line = parser->member_at[i];
		if (member->address.any.sa_family !=
		    config->members[0].address.any.sa_family)
			return config_wrong(
				parser, line,
				"all members must be IPv4, or all IPv6");
		if (address_same(&member->heartbeat, &member->address))
			return config_wrong(parser, line,
					    "HeartbeatPort is the same");
		for (j = 0; j < i; j++) {
			other = &config->members[j];
			if (address_same(&member->address, &other->address))
				return config_wrong(
					parser, line,
					"member %u has that address",
					other->id);
			if (address_same(&member->heartbeat, &other->address) ||
			    address_same(&member->address, &other->heartbeat) ||
			    address_same(&member->heartbeat,
					 &other->heartbeat))
				return config_wrong(
					parser, line,
					"the heartbeats of this member (port %u) clash with member %u: set HeartbeatPort, or leave a port between the two",
					address_port(&member->heartbeat),
					other->id);
		}
	}
	return 0;
}

static int check(struct parser *parser)
{
	struct config *config = parser->config;
	unsigned int i, voters = 0;

	if (close_section(parser) || check_group(parser))
		return -1;
	if (!config->n_members)
		return config_wrong(parser, 0, "there is no [Member] section");
	if (!config_member(config, config->self))
		return config_wrong(parser, group_line(parser, "Self"),
				    "no [Member] has that Id");
	for (i = 0; i < config->n_members; i++)
		voters += config->members[i].role == PAXOS_NL_ROLE_VOTER;
	if (!voters)
		return config_wrong(parser, 0,
				    "all members are learners: nobody votes");
	if (check_timeouts(parser) || check_quorums(parser, voters) ||
	    check_addresses(parser))
		return -1;
	if (!config->state_directory[0])
		snprintf(config->state_directory,
			 sizeof(config->state_directory), "/var/lib/paxos/%u",
			 config->group);
	return 0;
}

static int load(struct parser *parser)
{
	unsigned int lines = 2, i;
	ssize_t length;
	char *at;
	int fd;

	fd = open(parser->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return config_wrong(parser, 0, "cannot open: %s",
				    strerror(errno));
	parser->text = calloc(1, FILE_MAX + 1);
	if (!parser->text) {
		close(fd);
		return config_wrong(parser, 0, "out of memory");
	}
	length = read(fd, parser->text, FILE_MAX);
	if (length < 0) {
		config_wrong(parser, 0, "cannot read: %s", strerror(errno));
		close(fd);
		return -1;
	}
	config_warn_readable(parser->config, fd, parser->path);
	close(fd);
	if (length == FILE_MAX)
		return config_wrong(parser, 0,
				    "over %u KiB: not a configuration",
				    FILE_MAX >> 10);
	if (memchr(parser->text, '\0', length))
		return config_wrong(parser, 0,
				    "holds zero bytes: not a text file");
	for (at = parser->text; *at; at++)
		lines += *at == '\n';
	parser->lines = calloc(lines, sizeof(*parser->lines));
	if (!parser->lines)
		return config_wrong(parser, 0, "out of memory");
	at = parser->text;
	for (i = 1; i < lines; i++)
		parser->lines[i] = strsep(&at, "\n");
	parser->n_lines = lines - 1;
	return 0;
}

static int parse(struct parser *parser)
{
	char readable[sizeof(parser->config->warning)];
	char *copy;
	int result;

	if (load(parser))
		return -1;
	/* Matters only if this file turns out to hold the key. */
	strcpy(readable, parser->config->warning);
	parser->config->warning[0] = '\0';
	for (parser->line = 1; parser->line <= parser->n_lines;
	     parser->line++) {
		copy = strdup(parser->lines[parser->line]);
		if (!copy)
			return config_wrong(parser, 0, "out of memory");
		result = read_line(parser, copy);
		sodium_memzero(copy, strlen(parser->lines[parser->line]));
		free(copy);
		if (result)
			return result;
	}
	if (parser->private)
		strcpy(parser->config->warning, readable);
	return check(parser);
}

/* @running: what may not change, or NULL */
static int read_file(struct config *config, const struct config *running,
		     const char *path, char *error, size_t size)
{
	struct parser parser = {
		.config = config,
		.path = path,
		.error = error,
		.size = size,
	};
	int result;

	memset(config, 0, sizeof(*config));
	config->interval = CONFIG_INTERVAL_DEFAULT;
	config->adaptive = true;
	config->threshold = CONFIG_THRESHOLD_DEFAULT;
	config->election = true;
	config->transfer_rate = CONFIG_TRANSFER_RATE_DEFAULT;
	config->snapshot_after = CONFIG_SNAPSHOT_AFTER_DEFAULT;
	config->snapshots_kept = CONFIG_SNAPSHOTS_KEPT_DEFAULT;
	error[0] = '\0';
	result = parse(&parser);
	if (!result && running)
		result = config_keep(&parser, running);
	if (parser.text)
		sodium_memzero(parser.text, FILE_MAX);
	free(parser.text);
	free(parser.lines);
	return result;
}

int config_read(struct config *config, const char *path, char *error,
		size_t size)
{
	return read_file(config, NULL, path, error, size);
}

int config_read_again(struct config *config, const struct config *running,
		      const char *path, char *error, size_t size)
{
	return read_file(config, running, path, error, size);
}

void config_take(struct config *running, const struct config *config)
{
	const struct config_member *member;
	unsigned int i;
	uint8_t id;

	running->interval = config->interval;
	running->adaptive = config->adaptive;
	running->threshold = config->threshold;
	running->timeout_min = config->timeout_min;
	running->timeout_max = config->timeout_max;
	running->election = config->election;
	running->transfer_rate = config->transfer_rate;
	running->snapshot_after = config->snapshot_after;
	running->snapshots_kept = config->snapshots_kept;
	for (i = 0; i < running->n_members; i++) {
		id = running->members[i].id;
		/* This host may have another id than in the file by now. */
		member = config_member(config, id == running->self ?
						       config->self : id);
		if (member)
			running->members[i].priority = member->priority;
	}
}

const struct config_member *config_member(const struct config *config,
					  uint8_t id)
{
	unsigned int i;

	for (i = 0; i < config->n_members; i++)
		if (config->members[i].id == id)
			return &config->members[i];
	return NULL;
}
