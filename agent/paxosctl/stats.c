// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <string.h>
#include "stats.h"
#include "view.h"

const struct option_spec stats_options[] = {
	{ "group", 'g', "GROUP", "this group only" },
	{ "all", 'a', NULL, "what never happened, too" },
	OPTION_END
};

struct statistics {
	uint32_t group;		/* 0: what belongs to none */
	bool all;
};

static bool parse_counter(struct nlattr *nest, const char **name,
			  uint64_t *value)
{
	static struct nla_policy policy[PAXOS_A_COUNTER_MAX + 1] = {
		[PAXOS_A_COUNTER_NAME] = { .type = NLA_STRING },
		[PAXOS_A_COUNTER_VALUE] = { .type = NLA_U64 },
	};
	struct nlattr *attrs[PAXOS_A_COUNTER_MAX + 1];

	if (nla_parse_nested(attrs, PAXOS_A_COUNTER_MAX, nest, policy) ||
	    !attrs[PAXOS_A_COUNTER_NAME] || !attrs[PAXOS_A_COUNTER_VALUE])
		return false;
	*name = nla_get_string(attrs[PAXOS_A_COUNTER_NAME]);
	*value = nla_get_u64(attrs[PAXOS_A_COUNTER_VALUE]);
	return true;
}

static enum stats_count count_of(const char *name)
{
	static const struct {
		const char *name;
		enum stats_count count;
	} names[] = {
		{ "slots-chosen", STATS_CHOSEN },
		{ "values-delivered", STATS_DELIVERED },
		{ "proposals", STATS_PROPOSALS },
		{ "records", STATS_RECORDS },
		{ "bytes-in", STATS_BYTES_IN },
		{ "bytes-out", STATS_BYTES_OUT },
	};
	const char *end = strrchr(name, '-');
	unsigned int i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i].name))
			return names[i].count;
	if (end && !strcmp(end, "-in"))
		return STATS_MESSAGES_IN;
	if (end && !strcmp(end, "-out"))
		return STATS_MESSAGES_OUT;
	return STATS_COUNTS;
}

static int take_view(struct nlmsghdr *message, void *arg)
{
	struct genlmsghdr *header = nlmsg_data(message);
	struct nlattr *attr = genlmsg_attrdata(header, 0);
	int left = genlmsg_attrlen(header, 0);
	struct stats_view *view = arg;
	enum stats_count count;
	const char *name;
	uint64_t value;

	memset(view, 0, sizeof(*view));
	nla_for_each_attr(attr, attr, left, left) {
		if (nla_type(attr) == PAXOS_A_LATENCY)
			nla_memcpy(view->latencies, attr,
				   sizeof(view->latencies));
		if ((nla_type(attr) != PAXOS_A_COUNTER &&
		     nla_type(attr) != PAXOS_A_DROP) ||
		    !parse_counter(attr, &name, &value))
			continue;
		count = nla_type(attr) == PAXOS_A_DROP ? STATS_DROPS :
							 count_of(name);
		if (count < STATS_COUNTS)
			view->counts[count] += value;
	}
	return 0;
}

int stats_get(struct kernel *kernel, uint32_t group, struct stats_view *view)
{
	struct nl_msg *request = kernel_request(kernel, PAXOS_CMD_STATS_GET);

	nla_put_u32(request, PAXOS_A_GROUP, group);
	return kernel_call(kernel, request, REPLY_ONE, take_view, view);
}

/* Returns how many there were to print. */
static unsigned int print_counters(struct nlmsghdr *message, int type,
				   bool zeroes, struct table *table)
{
	struct genlmsghdr *header = nlmsg_data(message);
	struct nlattr *attr = genlmsg_attrdata(header, 0);
	int left = genlmsg_attrlen(header, 0);
	unsigned int n = 0;
	const char *name;
	uint64_t value;

	nla_for_each_attr(attr, attr, left, left) {
		if (nla_type(attr) != type ||
		    !parse_counter(attr, &name, &value) || !(value || zeroes))
			continue;
		n++;
		if (print_json) {
			json_number(name, value);
		} else {
			table_cell(table, "%s%s",
				   type == PAXOS_A_DROP ? "dropped: " : "",
				   name);
			table_cell(table, "%" PRIu64, value);
		}
	}
	return n;
}

static int take_statistics(struct nlmsghdr *message, void *arg)
{
	const struct statistics *statistics = arg;
	struct table table = { .columns = 2, .right = 2 };
	unsigned int n;

	if (print_json) {
		json_object(NULL);
		if (statistics->group)
			json_number("group", statistics->group);
		else
			json_null("group");
		json_object("counters");
		print_counters(message, PAXOS_A_COUNTER, true, &table);
		json_end();
		json_object("drops");
		/* Keys that come and go are no help to a program. */
		print_counters(message, PAXOS_A_DROP, true, &table);
		json_end();
		json_end();
		return 0;
	}
	/* Outside of the groups there is nothing where all is well. */
	n = print_counters(message, PAXOS_A_COUNTER,
			   statistics->group || statistics->all, &table);
	n += print_counters(message, PAXOS_A_DROP, statistics->all, &table);
	if (!n && !statistics->group)
		return 0;
	if (statistics->group)
		print("group %u:\n", statistics->group);
	else
		print("of no group:\n");
	if (n)
		table_print(&table, "  ");
	return 0;
}

static int print_group(struct kernel *kernel, struct statistics *statistics,
		       uint32_t group)
{
	struct nl_msg *request = kernel_request(kernel, PAXOS_CMD_STATS_GET);

	statistics->group = group;
	if (group)
		nla_put_u32(request, PAXOS_A_GROUP, group);
	return kernel_call(kernel, request, REPLY_ONE, take_statistics,
			   statistics);
}

static int print_all(struct kernel *kernel, struct statistics *statistics)
{
	struct views views;
	unsigned int i;
	int result;

	result = views_get(kernel, &views);
	if (result)
		return result;
	for (i = 0; i < views.n && !result; i++)
		result = print_group(kernel, statistics, views.views[i].id);
	views_free(&views);
	return result ? result : print_group(kernel, statistics, 0);
}

int run_stats(const struct arguments *arguments)
{
	struct statistics statistics = { .all = argument(arguments, "all") };
	struct kernel *kernel;
	uint64_t group = 0;
	int result;

	if (argument_number(arguments, "group", 1, UINT32_MAX, &group))
		return EXIT_ERROR;
	kernel = view_connect(arguments);
	if (!kernel)
		return EXIT_ERROR;
	if (print_json) {
		json_object(NULL);
		json_array("groups");
	}
	result = group ? print_group(kernel, &statistics, group) :
			 print_all(kernel, &statistics);
	if (print_json) {
		json_end();
		json_end();
	}
	if (result)
		result = view_complain(arguments, kernel, statistics.group);
	kernel_close(kernel);
	return result;
}
