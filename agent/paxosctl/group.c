// SPDX-License-Identifier: GPL-2.0
#include <sodium.h>
#include <string.h>
#include <time.h>
#include "group.h"
#include "key.h"
#include "names.h"
#include "view.h"

#define OPTION_CONFIG { "config", 'c', "FILE", \
	"take all of it from a configuration of paxosd" }
#define OPTION_KEY_FILE { "key-file", 'k', "FILE", \
	"the key, as genkey prints it" }
#define OPTION_MEMORY { "memory", 0, "SIZE", \
	"memory for values: 64M" }
#define OPTION_MEMBER { "member", 'm', "MEMBER", \
	"ID,ADDRESS:PORT[,learner]; once for each" }

const struct option_spec group_add_options[] = {
	OPTION_CONFIG,
	{ "cluster", 0, "HEX", "id of the cluster, 32 digits" },
	OPTION_KEY_FILE,
	{ "self", 's', "ID", "the member that this host is" },
	{ "durability", 'd', "sync|memory", "where a vote must be (sync)" },
	OPTION_MEMBER,
	{ "q1", 0, "N", "voters that a Prepare needs (majority)" },
	{ "q2", 0, "N", "voters that an Accept needs (majority)" },
	{ "window", 0, "SLOTS", "undecided slots (1024)" },
	{ "log-size", 0, "SLOTS", "slots held" },
	OPTION_MEMORY,
	{ "start", 0, NULL, "without an agent: this id has never voted" },
	OPTION_END
};

const struct option_spec group_set_options[] = {
	OPTION_CONFIG,
	OPTION_KEY_FILE,
	OPTION_MEMORY,
	OPTION_MEMBER,
	OPTION_END
};

const struct option_spec start_options[] = {
	OPTION_GROUP,
	OPTION_END
};

const char *parse_member(const char *text, struct config_member *member)
{
	static const char form[] =
		"like 1,10.0.0.1:7400 or 2,[fd00::2]:7400,learner";
	char copy[128], *address, *role;
	uint64_t number;

	if (snprintf(copy, sizeof(copy), "%s", text) >= (int)sizeof(copy))
		return form;
	address = strchr(copy, ',');
	if (!address)
		return form;
	*address++ = '\0';
	role = strchr(address, ',');
	if (role)
		*role++ = '\0';
	memset(member, 0, sizeof(*member));
	if (!parse_number(copy, 1, PAXOS_NL_MEMBERS_MAX, &number))
		return "an id from 1 to 64 and an address";
	member->id = number;
	if (role && !strcmp(role, "learner"))
		member->role = PAXOS_NL_ROLE_LEARNER;
	else if (role && strcmp(role, "voter"))
		return form;
	return address_parse(&member->address, address);
}

/* The members on the command line take the place of those in the file. */
static int read_members(const struct arguments *arguments,
			struct config *config)
{
	const char *should;
	unsigned int i, n = 0;

	for (i = 0; i < arguments->n_given; i++) {
		if (strcmp(arguments->given[i].option->name, "member"))
			continue;
		if (n == PAXOS_NL_MEMBERS_MAX) {
			wrong(arguments, "more than %u members",
			      PAXOS_NL_MEMBERS_MAX);
			return -1;
		}
		should = parse_member(arguments->given[i].value,
				      &config->members[n++]);
		if (should) {
			wrong(arguments, "--member '%s' must be %s",
			      arguments->given[i].value, should);
			return -1;
		}
	}
	if (n)
		config->n_members = n;
	return 0;
}

/* What add and set have in common; --config first, so that the rest wins. */
static int read_common(const struct arguments *arguments,
		       struct config *config, bool *has_key)
{
	const char *path = argument(arguments, "config"), *value;
	uint64_t group = config->group;
	char error[512];

	*has_key = path;
	if (path && config_read(config, path, error, sizeof(error))) {
		wrong(arguments, "%s", error);
		return -1;
	}
	if (path && config->warning[0])
		complain("%s", config->warning);
	if (arguments->n_operands) {
		value = arguments->operands[0];
		if (!parse_number(value, 1, UINT32_MAX, &group)) {
			wrong(arguments, "a group is a number from 1 to 4294967295, not '%s'",
			      value);
			return -1;
		}
		config->group = group;
	}
	if (!config->group) {
		wrong(arguments, "which group? Give its number, or --config");
		return -1;
	}
	value = argument(arguments, "key-file");
	if (value && key_read(arguments, value, config->key))
		return -1;
	*has_key |= !!value;
	value = argument(arguments, "memory");
	if (value && !parse_size(value, &config->bytes)) {
		wrong(arguments, "--memory must be a size such as 64M, not '%s'",
		      value);
		return -1;
	}
	return read_members(arguments, config);
}

static int read_numbers(const struct arguments *arguments,
			struct config *config)
{
	uint64_t self = config->self, q1 = config->q1, q2 = config->q2;
	uint64_t window = config->window, log_size = config->log_size;

	if (argument_number(arguments, "self", 1, PAXOS_NL_MEMBERS_MAX,
			    &self) ||
	    argument_number(arguments, "q1", 1, PAXOS_NL_MEMBERS_MAX, &q1) ||
	    argument_number(arguments, "q2", 1, PAXOS_NL_MEMBERS_MAX, &q2) ||
	    argument_number(arguments, "window", 1, UINT32_MAX, &window) ||
	    argument_number(arguments, "log-size", 1, UINT32_MAX, &log_size))
		return -1;
	config->self = self;
	config->q1 = q1;
	config->q2 = q2;
	config->window = window;
	config->log_size = log_size;
	return 0;
}

static int read_cluster(const struct arguments *arguments,
			struct config *config)
{
	const char *value = argument(arguments, "cluster");
	size_t length;

	if (!value)
		return 0;
	if (!sodium_hex2bin(config->cluster, PAXOS_CLUSTER_SIZE, value,
			    strlen(value), "-", &length, NULL) &&
	    length == PAXOS_CLUSTER_SIZE)
		return 0;
	wrong(arguments, "--cluster must be 32 hexadecimal digits, not '%s'",
	      value);
	return -1;
}

static int read_durability(const struct arguments *arguments,
			   struct config *config)
{
	const char *value = argument(arguments, "durability");

	if (!value)
		return 0;
	if (!strcmp(value, "sync")) {
		config->durability = PAXOS_NL_DURABILITY_SYNC;
	} else if (!strcmp(value, "memory")) {
		config->durability = PAXOS_NL_DURABILITY_MEMORY;
	} else {
		wrong(arguments, "--durability must be sync or memory, not '%s'",
		      value);
		return -1;
	}
	return 0;
}

static int require(const struct arguments *arguments, const char *option)
{
	if (argument(arguments, "config") || argument(arguments, option))
		return 0;
	wrong(arguments, "needs --%s, or --config; see paxosctl group add --help",
	      option);
	return -1;
}

/* A role is for ever, and so not part of a change. */
static void put_member(struct nl_msg *request,
		       const struct config_member *member, bool role)
{
	const union address *address = &member->address;
	struct nlattr *nest;

	nest = nla_nest_start(request, PAXOS_A_MEMBER);
	nla_put_u8(request, PAXOS_A_MEMBER_ID, member->id);
	if (role)
		nla_put_u8(request, PAXOS_A_MEMBER_ROLE, member->role);
	if (address->any.sa_family == AF_INET) {
		nla_put(request, PAXOS_A_MEMBER_ADDRESS, 4,
			&address->in.sin_addr);
	} else {
		nla_put(request, PAXOS_A_MEMBER_ADDRESS, 16,
			&address->in6.sin6_addr);
		if (address->in6.sin6_scope_id)
			nla_put_u32(request, PAXOS_A_MEMBER_SCOPE,
				    address->in6.sin6_scope_id);
	}
	nla_put_u16(request, PAXOS_A_MEMBER_PORT,
		    htons(address_port(address)));
	nla_nest_end(request, nest);
}

static struct nl_msg *add_request(struct kernel *kernel,
				  const struct config *config)
{
	struct nl_msg *request = kernel_request(kernel, PAXOS_CMD_GROUP_ADD);
	unsigned int i;

	nla_put_u32(request, PAXOS_A_GROUP, config->group);
	nla_put(request, PAXOS_A_CLUSTER, PAXOS_CLUSTER_SIZE, config->cluster);
	nla_put(request, PAXOS_A_KEY, PAXOS_KEY_SIZE, config->key);
	nla_put_u8(request, PAXOS_A_SELF, config->self);
	nla_put_u8(request, PAXOS_A_DURABILITY, config->durability);
	if (config->q1)
		nla_put_u8(request, PAXOS_A_Q1, config->q1);
	if (config->q2)
		nla_put_u8(request, PAXOS_A_Q2, config->q2);
	if (config->window)
		nla_put_u32(request, PAXOS_A_WINDOW, config->window);
	if (config->log_size)
		nla_put_u32(request, PAXOS_A_LOG_SIZE, config->log_size);
	if (config->bytes)
		nla_put_u32(request, PAXOS_A_BYTES, config->bytes);
	for (i = 0; i < config->n_members; i++)
		put_member(request, &config->members[i], true);
	return request;
}

/*
 * For an id that has never voted any incarnation will do; this one is above
 * those of an id that was started this way by mistake before.
 */
static struct nl_msg *start_request(struct kernel *kernel, uint32_t group)
{
	struct nl_msg *request = kernel_request(kernel, PAXOS_CMD_START);
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	nla_put_u32(request, PAXOS_A_GROUP, group);
	nla_put_u64(request, PAXOS_A_INCARNATION,
		    now.tv_sec * 1000ULL + now.tv_nsec / 1000000);
	nla_put_u64(request, PAXOS_A_LSN, 0);
	return request;
}

static int report(uint32_t group, const char *what)
{
	if (print_json) {
		json_object(NULL);
		json_number("group", group);
		json_string("done", what);
		json_end();
	}
	return EXIT_FINE;
}

int run_group_add(const struct arguments *arguments)
{
	bool start = argument(arguments, "start"), has_key;
	struct config config = { 0 };
	struct kernel *kernel;
	int result;

	if (read_common(arguments, &config, &has_key) ||
	    read_numbers(arguments, &config) ||
	    read_cluster(arguments, &config) ||
	    read_durability(arguments, &config) ||
	    require(arguments, "cluster") || require(arguments, "key-file") ||
	    require(arguments, "self") || require(arguments, "member"))
		return EXIT_ERROR;
	if (start && config.durability != PAXOS_NL_DURABILITY_MEMORY)
		return wrong(arguments, "--start goes with --durability memory; with sync it is paxosd that starts the group");
	kernel = view_connect(arguments);
	if (!kernel)
		return EXIT_ERROR;
	result = kernel_call(kernel, add_request(kernel, &config), REPLY_ACK,
			     NULL, NULL);
	sodium_memzero(config.key, sizeof(config.key));
	if (!result && start)
		result = kernel_call(kernel,
				     start_request(kernel, config.group),
				     REPLY_ACK, NULL, NULL);
	result = result ? view_complain(arguments, kernel, config.group) :
			  report(config.group, start ? "started" : "added");
	kernel_close(kernel);
	return result;
}

int run_group_set(const struct arguments *arguments)
{
	struct config config = { 0 };
	struct nl_msg *request;
	struct kernel *kernel;
	unsigned int i;
	bool has_key;
	int result;

	if (read_common(arguments, &config, &has_key))
		return EXIT_ERROR;
	if (!has_key && !config.bytes && !config.n_members)
		return wrong(arguments, "nothing to change: give --config, --key-file, --memory or --member");
	kernel = view_connect(arguments);
	if (!kernel)
		return EXIT_ERROR;
	request = kernel_request(kernel, PAXOS_CMD_GROUP_SET);
	nla_put_u32(request, PAXOS_A_GROUP, config.group);
	if (has_key)
		nla_put(request, PAXOS_A_KEY, PAXOS_KEY_SIZE, config.key);
	if (config.bytes)
		nla_put_u32(request, PAXOS_A_BYTES, config.bytes);
	for (i = 0; i < config.n_members; i++)
		if (config.members[i].id != config.self)
			put_member(request, &config.members[i], false);
	result = kernel_call(kernel, request, REPLY_ACK, NULL, NULL);
	result = result ? view_complain(arguments, kernel, config.group) :
			  report(config.group, "changed");
	kernel_close(kernel);
	return result;
}

int run_group_del(const struct arguments *arguments)
{
	const char *value = arguments->operands[0];
	struct nl_msg *request;
	struct kernel *kernel;
	uint64_t group;
	int result;

	if (!parse_number(value, 1, UINT32_MAX, &group))
		return wrong(arguments, "a group is a number from 1 to 4294967295, not '%s'",
			     value);
	kernel = view_connect(arguments);
	if (!kernel)
		return EXIT_ERROR;
	request = kernel_request(kernel, PAXOS_CMD_GROUP_DEL);
	nla_put_u32(request, PAXOS_A_GROUP, group);
	result = kernel_call(kernel, request, REPLY_ACK, NULL, NULL);
	result = result ? view_complain(arguments, kernel, group) :
			  report(group, "deleted");
	kernel_close(kernel);
	return result;
}

int run_group_list(const struct arguments *arguments)
{
	struct kernel *kernel = view_connect(arguments);
	const struct group_view *view;
	struct views views;
	unsigned int i;

	if (!kernel)
		return EXIT_ERROR;
	if (views_get(kernel, &views)) {
		view_complain(arguments, kernel, 0);
		kernel_close(kernel);
		return EXIT_ERROR;
	}
	kernel_close(kernel);
	if (print_json) {
		json_object(NULL);
		json_array("groups");
	}
	for (i = 0; i < views.n; i++) {
		view = &views.views[i];
		if (print_json) {
			json_object(NULL);
			json_number("group", view->id);
			json_string("cluster", view->cluster);
			json_number("self", view->self);
			json_number("members", view->n_members);
			json_string("durability",
				    name_durability(view->durability));
			json_string("state", name_state(view->state));
			json_end();
		} else {
			print("%u  cluster %s  member %u of %u  %s  %s\n",
			      view->id, view->cluster, view->self,
			      view->n_members,
			      name_durability(view->durability),
			      name_state(view->state));
		}
	}
	if (print_json) {
		json_end();
		json_end();
	}
	views_free(&views);
	return EXIT_FINE;
}

int run_start(const struct arguments *arguments)
{
	struct kernel *kernel = view_connect(arguments);
	int result = EXIT_ERROR;
	uint32_t group;

	if (!kernel)
		return EXIT_ERROR;
	if (!view_choose(arguments, kernel, &group))
		result = kernel_call(kernel, start_request(kernel, group),
				     REPLY_ACK, NULL, NULL) ?
			 view_complain(arguments, kernel, group) :
			 report(group, "started");
	kernel_close(kernel);
	return result;
}
