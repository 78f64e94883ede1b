// SPDX-License-Identifier: GPL-2.0
/* kv watch: asks for what comes next, again and again; and kv status. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "kv.h"
#include "print.h"

#define PAUSE_MS	10000	/* an answer comes after it in any case */

const struct option_spec kv_watch_options[] = {
	OPTION_GROUP,
	OPTION_TIMEOUT,
	{ "prefix", 'p', NULL, "all keys that begin with KEY (default: all)" },
	{ "from", 'r', "REVISION", "from there on (default: what comes)" },
	{ "count", 'n', "N", "end after so many events" },
	OPTION_END
};

const struct option_spec kv_status_options[] = {
	OPTION_GROUP,
	OPTION_TIMEOUT,
	OPTION_END
};

/**
 * struct watching - where a watch is
 * @left: events to print before it ends
 */
struct watching {
	uint64_t revision;
	uint32_t sub;
	uint64_t left;
};

static void print_event(struct nlattr **pair)
{
	struct nlattr *key = pair[PAXOS_KV_A_PAIR_KEY];
	struct nlattr *value = pair[PAXOS_KV_A_PAIR_VALUE];
	bool put = nla_get_u64(pair[PAXOS_KV_A_PAIR_VERSION]);
	uint64_t mod = nla_get_u64(pair[PAXOS_KV_A_PAIR_MOD]);

	if (print_json) {
		json_object(NULL);
		json_string("event", put ? "put" : "del");
		json_number("revision", mod);
		json_bytes("key", nla_data(key), nla_len(key));
		if (put)
			json_bytes("value", nla_data(value), nla_len(value));
		json_end();
		return;
	}
	print("%" PRIu64 "  %s  ", mod, put ? "put" : "del");
	print_escaped(nla_data(key), nla_len(key));
	if (put) {
		print("  ");
		print_escaped(nla_data(value), nla_len(value));
	}
	print("\n");
}

static int take_events(struct nlmsghdr *message, void *arg)
{
	struct nlattr *pair[PAXOS_KV_A_PAIR_MAX + 1];
	struct nlattr *attrs[PAXOS_KV_A_MAX + 1], *attr;
	struct watching *watching = arg;
	int left;

	if (genlmsg_parse(message, 0, attrs, PAXOS_KV_A_MAX, NULL) ||
	    !attrs[PAXOS_KV_A_REVISION] || !attrs[PAXOS_KV_A_SUB])
		return -1;
	watching->revision = nla_get_u64(attrs[PAXOS_KV_A_REVISION]);
	watching->sub = nla_get_u32(attrs[PAXOS_KV_A_SUB]);
	attr = genlmsg_attrdata(nlmsg_data(message), 0);
	left = genlmsg_attrlen(nlmsg_data(message), 0);
	nla_for_each_attr(attr, attr, left, left) {
		if (nla_type(attr) != PAXOS_KV_A_PAIR || !watching->left)
			continue;
		if (nla_parse_nested(pair, PAXOS_KV_A_PAIR_MAX, attr, NULL) ||
		    !pair[PAXOS_KV_A_PAIR_KEY] ||
		    !pair[PAXOS_KV_A_PAIR_VALUE] ||
		    !pair[PAXOS_KV_A_PAIR_VERSION] ||
		    !pair[PAXOS_KV_A_PAIR_MOD])
			return -1;
		print_event(pair);
		watching->left--;
	}
	return 0;
}

/* From --from on, till --count. */
int watch_keys(const struct arguments *arguments, const char *key, bool exact)
{
	struct watching watching = { .left = UINT64_MAX };
	int result = EXIT_FINE;
	struct nl_msg *request;
	struct store store;

	if (argument_number(arguments, "from", 1, UINT64_MAX,
			    &watching.revision) ||
	    argument_number(arguments, "count", 1, UINT64_MAX, &watching.left))
		return EXIT_ERROR;
	if (store_open(arguments, &store))
		return EXIT_ERROR;
	while (!result && watching.left) {
		request = store_request(&store, PAXOS_KV_CMD_WATCH);
		nla_put_u32(request, PAXOS_KV_A_TIMEOUT, PAUSE_MS);
		if (*key)
			nla_put(request, PAXOS_KV_A_KEY, strlen(key), key);
		if (exact)
			nla_put_u8(request, PAXOS_KV_A_EXACT, 1);
		if (watching.revision)
			nla_put_u64(request, PAXOS_KV_A_REVISION,
				    watching.revision);
		nla_put_u32(request, PAXOS_KV_A_SUB, watching.sub);
		if (kernel_call(store.kernel, request, REPLY_ONE, take_events,
				&watching))
			result = store_complain(&store);
		else if (print_flush())
			result = EXIT_ERROR;
	}
	store_close(&store);
	return result;
}

int run_kv_watch(const struct arguments *arguments)
{
	bool prefix = argument(arguments, "prefix");

	if (!prefix && !arguments->n_operands)
		return wrong(arguments, "give the key, or --prefix");
	if (arguments->n_operands &&
	    check_key(arguments, arguments->operands[0]))
		return EXIT_ERROR;
	return watch_keys(arguments,
			  arguments->n_operands ? arguments->operands[0] : "",
			  !prefix);
}

static int take_status(struct nlmsghdr *message, void *arg)
{
	struct nlattr *attrs[PAXOS_KV_A_MAX + 1];
	uint64_t revision, compacted, used, limit, revisions = 0, period = 0;

	(void)arg;
	if (genlmsg_parse(message, 0, attrs, PAXOS_KV_A_MAX, NULL) ||
	    !attrs[PAXOS_KV_A_REVISION] || !attrs[PAXOS_KV_A_COMPACTED] ||
	    !attrs[PAXOS_KV_A_USED] || !attrs[PAXOS_KV_A_LIMIT])
		return -1;
	revision = nla_get_u64(attrs[PAXOS_KV_A_REVISION]);
	compacted = nla_get_u64(attrs[PAXOS_KV_A_COMPACTED]);
	used = nla_get_u64(attrs[PAXOS_KV_A_USED]);
	limit = nla_get_u64(attrs[PAXOS_KV_A_LIMIT]);
	if (attrs[PAXOS_KV_A_HISTORY])
		revisions = nla_get_u64(attrs[PAXOS_KV_A_HISTORY]);
	if (attrs[PAXOS_KV_A_PERIOD])
		period = nla_get_u64(attrs[PAXOS_KV_A_PERIOD]);
	if (print_json) {
		json_object(NULL);
		json_number("revision", revision);
		json_number("compacted", compacted);
		json_number("used", used);
		json_number("limit", limit);
		json_number("history_revisions", revisions);
		json_number("history_ms", period);
		json_end();
	} else {
		print("revision %" PRIu64 ", compacted to %" PRIu64 ", %" PRIu64
		      " of %" PRIu64 " bytes", revision, compacted, used,
		      limit);
		if (revisions)
			print(", keeps %" PRIu64 " revisions", revisions);
		if (period)
			print(", keeps %" PRIu64 " ms", period);
		print("\n");
	}
	return 0;
}

int run_kv_status(const struct arguments *arguments)
{
	struct store store;
	int result = EXIT_FINE;

	if (store_open(arguments, &store))
		return EXIT_ERROR;
	if (kernel_call(store.kernel, store_request(&store, PAXOS_KV_CMD_INFO),
			REPLY_ONE, take_status, NULL))
		result = store_complain(&store);
	store_close(&store);
	return result;
}
