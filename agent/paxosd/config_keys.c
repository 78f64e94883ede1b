// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include "config_keys.h"

static bool parse_number(const char *text, uint64_t max, uint64_t *number)
{
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*number = strtoull(text, &end, 10);
	return !errno && !*end && *number <= max;
}

/* A number directly followed by one of the units. */
static bool parse_unit(const char *text, const char *const units[],
		       const uint64_t factors[], uint64_t max, uint64_t *number)
{
	size_t digits = strspn(text, "0123456789");
	char copy[24];
	int i;

	if (!digits || digits >= sizeof(copy))
		return false;
	memcpy(copy, text, digits);
	copy[digits] = '\0';
	if (!parse_number(copy, max, number))
		return false;
	text += digits;
	text += strspn(text, " ");
	for (i = 0; units[i]; i++) {
		if (strcasecmp(text, units[i]))
			continue;
		if (*number > max / factors[i])
			return false;
		*number *= factors[i];
		return true;
	}
	return false;
}

static int set_id(struct parser *parser, const char *value)
{
	uint64_t number;

	if (!parse_number(value, UINT32_MAX, &number) || !number)
		return -1;
	parser->config->group = number;
	return 0;
}

static int set_cluster(struct parser *parser, const char *value)
{
	size_t length;

	if (strlen(value) != 2 * PAXOS_CLUSTER_SIZE ||
	    sodium_hex2bin(parser->config->cluster, PAXOS_CLUSTER_SIZE, value,
			   strlen(value), NULL, &length, NULL) ||
	    length != PAXOS_CLUSTER_SIZE)
		return -1;
	return 0;
}

static int parse_key(uint8_t key[PAXOS_KEY_SIZE], const char *value)
{
	size_t length;

	if (sodium_base642bin(key, PAXOS_KEY_SIZE, value, strlen(value), NULL,
			      &length, NULL, sodium_base64_VARIANT_ORIGINAL) ||
	    length != PAXOS_KEY_SIZE)
		return -1;
	return 0;
}

static int set_key(struct parser *parser, const char *value)
{
	parser->private = true;
	return parse_key(parser->config->key, value);
}

static int set_key_file(struct parser *parser, const char *value)
{
	char text[128];
	ssize_t length;
	char *key;
	int fd;

	if (value[0] != '/')
		return -1;
	fd = open(value, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return config_wrong(parser, parser->line,
				    "cannot open the key: %s", strerror(errno));
	length = read(fd, text, sizeof(text) - 1);
	config_warn_readable(parser->config, fd, value);
	if (length < 0) {
		config_wrong(parser, parser->line, "cannot read the key: %s",
			     strerror(errno));
		close(fd);
		return -1;
	}
	close(fd);
	text[length] = '\0';
	key = text;
	key[strcspn(key, "\n")] = '\0';
	if (parse_key(parser->config->key, config_trim(key)))
		config_wrong(
			parser, parser->line,
			"%s must hold 16 bytes in base64, as `paxosctl genkey` prints them",
			value);
	else
		value = NULL;
	sodium_memzero(text, sizeof(text));
	return value ? -1 : 0;
}

static bool parse_member_id(const char *value, uint8_t *id)
{
	uint64_t number;

	if (!parse_number(value, PAXOS_NL_MEMBERS_MAX, &number) || !number)
		return false;
	*id = number;
	return true;
}

static int set_self(struct parser *parser, const char *value)
{
	return parse_member_id(value, &parser->config->self) ? 0 : -1;
}

static int set_state_directory(struct parser *parser, const char *value)
{
	struct config *config = parser->config;
	size_t length = strlen(value);

	if (value[0] != '/' || length >= sizeof(config->state_directory))
		return -1;
	while (length > 1 && value[length - 1] == '/')
		length--;
	memcpy(config->state_directory, value, length);
	config->state_directory[length] = '\0';
	return 0;
}

/* The collector reads no others. */
static int set_metrics(struct parser *parser, const char *value)
{
	static const char end[] = ".prom";
	struct config *config = parser->config;
	const size_t length = strlen(value);

	if (value[0] != '/' || length >= sizeof(config->metrics) ||
	    length <= strlen(end) || strcmp(value + length - strlen(end), end))
		return -1;
	strcpy(config->metrics, value);
	return 0;
}

static int set_durability(struct parser *parser, const char *value)
{
	if (!strcasecmp(value, "sync"))
		parser->config->durability = PAXOS_NL_DURABILITY_SYNC;
	else if (!strcasecmp(value, "memory"))
		parser->config->durability = PAXOS_NL_DURABILITY_MEMORY;
	else
		return -1;
	return 0;
}

static int parse_time(const char *value, uint32_t min, uint32_t max,
		      uint32_t *ms)
{
	static const char *const units[] = { "ms", "s", NULL };
	static const uint64_t factors[] = { 1, 1000 };
	uint64_t number;

	if (!parse_unit(value, units, factors, max, &number) || number < min)
		return -1;
	*ms = number;
	return 0;
}

static int set_interval(struct parser *parser, const char *value)
{
	return parse_time(value, CONFIG_INTERVAL_MIN, CONFIG_INTERVAL_MAX,
			  &parser->config->interval);
}

static int parse_yes(const char *value, bool *yes)
{
	*yes = !strcasecmp(value, "yes");
	return *yes || !strcasecmp(value, "no") ? 0 : -1;
}

static int set_adaptive(struct parser *parser, const char *value)
{
	return parse_yes(value, &parser->config->adaptive);
}

static int set_threshold(struct parser *parser, const char *value)
{
	uint64_t number;

	if (!parse_number(value, CONFIG_THRESHOLD_LIMIT, &number) || !number)
		return -1;
	parser->config->threshold = number;
	return 0;
}

static int set_timeout_min(struct parser *parser, const char *value)
{
	return parse_time(value, CONFIG_INTERVAL_MIN, CONFIG_TIMEOUT_LIMIT,
			  &parser->config->timeout_min);
}

static int set_timeout_max(struct parser *parser, const char *value)
{
	return parse_time(value, CONFIG_INTERVAL_MIN, CONFIG_TIMEOUT_LIMIT,
			  &parser->config->timeout_max);
}

static int set_election(struct parser *parser, const char *value)
{
	return parse_yes(value, &parser->config->election);
}

static int set_auto_replace(struct parser *parser, const char *value)
{
	return parse_yes(value, &parser->config->auto_replace);
}

static int set_heartbeat_port(struct parser *parser, const char *value)
{
	uint64_t number;

	if (!parse_number(value, UINT16_MAX, &number) || !number)
		return -1;
	parser->heartbeat_port = number;
	return 0;
}

static int parse_power(const char *value, uint32_t min, uint32_t max,
		       uint32_t *power)
{
	uint64_t number;

	if (!parse_number(value, max, &number) || number < min ||
	    number & (number - 1))
		return -1;
	*power = number;
	return 0;
}

static int set_window(struct parser *parser, const char *value)
{
	return parse_power(value, PAXOS_NL_WINDOW_MIN, PAXOS_NL_WINDOW_MAX,
			   &parser->config->window);
}

static int set_log_size(struct parser *parser, const char *value)
{
	return parse_power(value, 2 * PAXOS_NL_WINDOW_MIN,
			   PAXOS_NL_LOG_SIZE_MAX, &parser->config->log_size);
}

static int set_memory(struct parser *parser, const char *value)
{
	static const char *const units[] = { "K", "M", "G", NULL };
	static const uint64_t factors[] = { 1 << 10, 1 << 20, 1 << 30 };
	uint64_t number;

	if (!parse_unit(value, units, factors, PAXOS_NL_BYTES_MAX, &number) ||
	    number < PAXOS_NL_BYTES_MIN)
		return -1;
	parser->config->bytes = number;
	return 0;
}

static int set_transfer_rate(struct parser *parser, const char *value)
{
	static const char *const units[] = { "K", "M", "G", NULL };
	static const uint64_t factors[] = { 1 << 10, 1 << 20, 1 << 30 };
	uint64_t number;

	if (!parse_unit(value, units, factors, CONFIG_TRANSFER_RATE_MAX,
			&number) ||
	    number < CONFIG_TRANSFER_RATE_MIN)
		return -1;
	parser->config->transfer_rate = number;
	return 0;
}

static int set_log_space(struct parser *parser, const char *value)
{
	static const char *const units[] = { "M", "G", "T", NULL };
	static const uint64_t factors[] = { 1 << 20, 1 << 30, 1ULL << 40 };
	uint64_t number;

	if (!parse_unit(value, units, factors, CONFIG_LOG_SPACE_MAX, &number) ||
	    number < CONFIG_LOG_SPACE_MIN)
		return -1;
	parser->config->log_space = number;
	return 0;
}

static int set_snapshot_after(struct parser *parser, const char *value)
{
	static const char *const units[] = { "M", "G", "T", NULL };
	static const uint64_t factors[] = { 1 << 20, 1 << 30, 1ULL << 40 };
	uint64_t number;

	if (!parse_unit(value, units, factors, CONFIG_SNAPSHOT_AFTER_MAX,
			&number) ||
	    number < CONFIG_SNAPSHOT_AFTER_MIN)
		return -1;
	parser->config->snapshot_after = number;
	return 0;
}

static int set_snapshots_kept(struct parser *parser, const char *value)
{
	uint64_t number;

	if (!parse_number(value, CONFIG_SNAPSHOTS_KEPT_MAX, &number) || !number)
		return -1;
	parser->config->snapshots_kept = number;
	return 0;
}

static int set_q1(struct parser *parser, const char *value)
{
	return parse_member_id(value, &parser->config->q1) ? 0 : -1;
}

static int set_q2(struct parser *parser, const char *value)
{
	return parse_member_id(value, &parser->config->q2) ? 0 : -1;
}

static int set_member_id(struct parser *parser, const char *value)
{
	uint8_t id;

	if (!parse_member_id(value, &id))
		return -1;
	if (config_member(parser->config, id))
		return config_wrong(parser, parser->line,
				    "there is a member %u already", id);
	parser->member->id = id;
	return 0;
}

static int set_member_role(struct parser *parser, const char *value)
{
	if (!strcasecmp(value, "voter"))
		parser->member->role = PAXOS_NL_ROLE_VOTER;
	else if (!strcasecmp(value, "learner"))
		parser->member->role = PAXOS_NL_ROLE_LEARNER;
	else
		return -1;
	return 0;
}

static int set_member_priority(struct parser *parser, const char *value)
{
	uint64_t number;

	if (!parse_number(value, UINT8_MAX, &number))
		return -1;
	parser->member->priority = number;
	return 0;
}

static int set_member_address(struct parser *parser, const char *value)
{
	const char *should = address_parse(&parser->member->address, value);

	if (!should)
		return 0;
	return config_wrong(parser, parser->line, "Address must be %s", should);
}

const struct key config_keys[KEYS_MAX] = {
	{ GROUP, "Id", set_id, "a number from 1 to 4294967295" },
	{ GROUP, "Cluster", set_cluster,
	  "32 hexadecimal digits, the same on all hosts" },
	{ GROUP, "Key", set_key,
	  "16 bytes in base64, as `paxosctl genkey` prints them" },
	{ GROUP, "KeyFile", set_key_file, "an absolute path" },
	{ GROUP, "Self", set_self, "the Id of the member that this host is" },
	{ GROUP, "StateDirectory", set_state_directory, "an absolute path" },
	{ GROUP, "Metrics", set_metrics,
	  "an absolute path that ends in .prom" },
	{ GROUP, "Durability", set_durability, "sync or memory" },
	{ GROUP, "Interval", set_interval,
	  "from 5ms to 10s with its unit, such as 100ms" },
	{ GROUP, "Adaptive", set_adaptive, "yes or no" },
	{ GROUP, "Threshold", set_threshold, "a number from 1 to 1000" },
	{ GROUP, "TimeoutMin", set_timeout_min,
	  "from 5ms to 600s with its unit, such as 200ms" },
	{ GROUP, "TimeoutMax", set_timeout_max,
	  "from 5ms to 600s with its unit, such as 2s" },
	{ GROUP, "Election", set_election, "yes or no" },
	{ GROUP, "AutoReplace", set_auto_replace, "yes or no" },
	{ GROUP, "HeartbeatPort", set_heartbeat_port,
	  "a port from 1 to 65535" },
	{ GROUP, "Window", set_window, "a power of two from 16 to 4096" },
	{ GROUP, "LogSize", set_log_size, "a power of two from 32 to 65536" },
	{ GROUP, "Memory", set_memory,
	  "from 1M to 1G with its unit, such as 64M" },
	{ GROUP, "TransferRate", set_transfer_rate,
	  "from 1M to 1G a second with its unit, such as 32M" },
	{ GROUP, "LogSpace", set_log_space,
	  "from 16M to 1T with its unit, such as 4G" },
	{ GROUP, "SnapshotAfter", set_snapshot_after,
	  "from 1M to 1T with its unit, such as 64M" },
	{ GROUP, "SnapshotsKept", set_snapshots_kept,
	  "a number from 1 to 100" },
	{ GROUP, "PrepareQuorum", set_q1, "a number of voters" },
	{ GROUP, "AcceptQuorum", set_q2, "a number of voters" },
	{ MEMBER, "Id", set_member_id, "a number from 1 to 64" },
	{ MEMBER, "Address", set_member_address,
	  "an address and port, such as 10.0.0.1:7400 or [fd00::1]:7400" },
	{ MEMBER, "Role", set_member_role, "voter or learner" },
	{ MEMBER, "Priority", set_member_priority, "a number from 0 to 255" },
};

#define FIELD(field) offsetof(struct config, field), \
	sizeof(((struct config *)NULL)->field)
#define OTHER "it names another member, which has an agent of its own"
#define ADDED "the kernel takes it when the group is added"

/* What config_take() leaves, and why. */
static const struct {
	const char *name;
	size_t at;
	size_t size;
	const char *why;
} fixed[] = {
	{ "Id", FIELD(group), OTHER },
	{ "Cluster", FIELD(cluster), OTHER },
	{ "Key", FIELD(key), "the others would not believe this agent" },
	{ "Self", FIELD(self), OTHER },
	{ "StateDirectory", FIELD(state_directory), "the log is in use" },
	{ "Durability", FIELD(durability),
	  "votes were given under the one that it had" },
	{ "Window", FIELD(window), ADDED },
	{ "LogSize", FIELD(log_size), ADDED },
	{ "Memory", FIELD(bytes), ADDED },
	{ "PrepareQuorum", FIELD(q1), ADDED },
	{ "AcceptQuorum", FIELD(q2), ADDED },
	{ "Metrics", FIELD(metrics), "the file is being written" },
	{ "LogSpace", FIELD(log_space), "the log's segments have a size by it" },
	{ "AutoReplace", FIELD(auto_replace),
	  "the agent goes by it from its start on" },
};

/* The line of [Group] that sets it, 0: none. A key may be in a file, too. */
static unsigned int line_of(const struct parser *parser, const char *name)
{
	unsigned int i, line = 0;

	for (i = 0; config_keys[i].name; i++)
		if (config_keys[i].section == GROUP &&
		    !strncmp(config_keys[i].name, name, strlen(name)) &&
		    parser->group_at[i])
			line = parser->group_at[i];
	return line;
}

static int keep_members(struct parser *parser, const struct config *running)
{
	const struct config *config = parser->config;
	unsigned int i;

	for (i = 0; i < config->n_members; i++) {
		struct config_member member = config->members[i];
		const struct config_member *was = &running->members[i];

		member.priority = was->priority;
		if (i < running->n_members &&
		    !memcmp(&member, was, sizeof(member)))
			continue;
		return config_wrong(parser, parser->member_at[i],
				    "member %u is not as it was when the agent began: the group's members change by paxosctl member",
				    member.id);
	}
	if (config->n_members == running->n_members)
		return 0;
	return config_wrong(parser, 0,
			    "member %u is missing: the group's members change by paxosctl member",
			    running->members[config->n_members].id);
}

int config_keep(struct parser *parser, const struct config *running)
{
	const char *new = (const char *)parser->config;
	const char *old = (const char *)running;
	struct config same;
	unsigned int i;

	for (i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (memcmp(new + fixed[i].at, old + fixed[i].at,
			   fixed[i].size))
			return config_wrong(parser,
					    line_of(parser, fixed[i].name),
					    "%s cannot change while the agent runs: %s",
					    fixed[i].name, fixed[i].why);
	if (keep_members(parser, running))
		return -1;
	/* A key that is in neither list does not change either. */
	same = *running;
	config_take(&same, parser->config);
	memcpy(same.warning, parser->config->warning, sizeof(same.warning));
	if (!memcmp(&same, parser->config, sizeof(same)))
		return 0;
	return config_wrong(parser, 0,
			    "a key was changed that cannot change while the agent runs");
}
