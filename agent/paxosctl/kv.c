// SPDX-License-Identifier: GPL-2.0
/* What all kv subcommands share: the store, entries and pairs. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "kv.h"
#include "names.h"
#include "view.h"

#define LEADER_PAUSE_MS	20
#define VALUE_ROOM	32769	/* one more than any entry holds */

int store_open(const struct arguments *arguments, struct store *store)
{
	struct kernel *kernel = view_connect(arguments);
	int result;

	store->arguments = arguments;
	store->kernel = NULL;
	store->quiet = false;
	if (!kernel)
		return -1;
	result = argument_timeout(arguments, &store->timeout) ? -1 :
		 view_choose(arguments, kernel, &store->group);
	kernel_close(kernel);
	if (result)
		return -1;
	store->kernel = kernel_open_family(PAXOS_KV_GENL_NAME);
	if (store->kernel)
		return 0;
	wrong(arguments, "%s", kernel_failure(NULL)->sentence);
	return -1;
}

void store_close(struct store *store)
{
	kernel_close(store->kernel);
}

struct nl_msg *store_request(const struct store *store, uint8_t cmd)
{
	struct nl_msg *request = kernel_request(store->kernel, cmd);

	nla_put_u32(request, PAXOS_KV_A_GROUP, store->group);
	return request;
}

int store_complain(const struct store *store)
{
	const struct failure *failure = kernel_failure(store->kernel);

	if (store->quiet)
		;
	else if (failure->error == EPERM && !*failure->sentence)
		wrong(store->arguments, "not permitted: it needs CAP_NET_ADMIN");
	else if (failure->error == EBADMSG)
		wrong(store->arguments,
		      "group %u: this member's log differs from the others'; ask another host, and see paxosctl(8), DIVERGENCE",
		      store->group);
	else
		wrong(store->arguments, "group %u: %s", store->group,
		      *failure->sentence ? failure->sentence :
					   strerror(failure->error));
	return failure->error == ENOLINK ? EXIT_NO_QUORUM : EXIT_ERROR;
}

static const char *name_status(unsigned int status)
{
	static const char *const names[] = {
		[PAXOS_KV_STATUS_OK] = "done",
		[PAXOS_KV_STATUS_FOREIGN] = "not understood",
		[PAXOS_KV_STATUS_MALFORMED] = "malformed",
		[PAXOS_KV_STATUS_NO_SPACE] =
			"no space: delete and compact, or set a higher limit",
		[PAXOS_KV_STATUS_NO_LEASE] = "there is no such lease",
		[PAXOS_KV_STATUS_RENEWED] = "the lease was kept meanwhile",
		[PAXOS_KV_STATUS_COMPACTED] = "that far it is compacted already",
		[PAXOS_KV_STATUS_FUTURE] = "that revision is yet to come",
	};

	return status < sizeof(names) / sizeof(*names) ? names[status] :
							 "unknown";
}

static uint64_t number_of(struct nlattr *attr)
{
	return attr ? nla_get_u64(attr) : 0;
}

static int take_changed(struct nlmsghdr *message, void *arg)
{
	struct nlattr *attrs[PAXOS_KV_A_MAX + 1];
	struct nlattr *pair[PAXOS_KV_A_PAIR_MAX + 1];
	struct changed *changed = arg;
	struct nlattr *attr;
	int left;

	if (genlmsg_parse(message, 0, attrs, PAXOS_KV_A_MAX, NULL) ||
	    !attrs[PAXOS_KV_A_OUTCOME])
		return -1;
	changed->outcome = nla_get_u8(attrs[PAXOS_KV_A_OUTCOME]);
	if (attrs[PAXOS_KV_A_STATUS])
		changed->status = nla_get_u8(attrs[PAXOS_KV_A_STATUS]);
	if (attrs[PAXOS_KV_A_SUCCEEDED])
		changed->succeeded = nla_get_u8(attrs[PAXOS_KV_A_SUCCEEDED]);
	changed->more = attrs[PAXOS_KV_A_MORE];
	changed->revision = number_of(attrs[PAXOS_KV_A_REVISION]);
	changed->deleted = number_of(attrs[PAXOS_KV_A_DELETED]);
	changed->lease = number_of(attrs[PAXOS_KV_A_LEASE]);
	attr = genlmsg_attrdata(nlmsg_data(message), 0);
	left = genlmsg_attrlen(nlmsg_data(message), 0);
	nla_for_each_attr(attr, attr, left, left) {
		if (nla_type(attr) != PAXOS_KV_A_PAIR || !changed->pair)
			continue;
		if (nla_parse_nested(pair, PAXOS_KV_A_PAIR_MAX, attr, NULL))
			return -1;
		changed->pair(pair);
	}
	return 0;
}

int value_given(const struct arguments *arguments, unsigned int i,
		const char **value, size_t *length)
{
	static char standard_input[VALUE_ROOM];

	*value = arguments->n_operands > i ? arguments->operands[i] : "-";
	*length = strlen(*value);
	if (!strcmp(*value, "-")) {
		*length = fread(standard_input, 1, VALUE_ROOM, stdin);
		if (ferror(stdin))
			return wrong(arguments, "cannot read standard input: %s",
				     strerror(errno));
		*value = standard_input;
	}
	if (*length < VALUE_ROOM)
		return EXIT_FINE;
	return wrong(arguments,
		     "a value and its keys may have 32768 bytes, less a few");
}

/* As kernel_call(), again and again while no leader is known. */
static int call_in_time(const struct store *store, struct nl_msg *request,
			answer_fn answer, void *arg)
{
	const struct timespec pause = { .tv_nsec = LEADER_PAUSE_MS * 1000000L };
	uint64_t end = now_ms() + store->timeout;
	int result;

	nla_put_u32(request, PAXOS_KV_A_TIMEOUT, store->timeout);
	for (;;) {
		nlmsg_get(request);
		result = kernel_call(store->kernel, request, REPLY_ONE, answer,
				     arg);
		if (!result || kernel_failure(store->kernel)->error != ENOLINK ||
		    now_ms() + LEADER_PAUSE_MS >= end)
			break;
		nanosleep(&pause, NULL);
	}
	nlmsg_free(request);
	return result;
}

static int refused(const struct store *store, int status, const char *why)
{
	if (!store->quiet)
		wrong(store->arguments, "%s", why);
	return status;
}

int store_change(const struct store *store, struct nl_msg *request,
		 struct changed *changed)
{
	if (call_in_time(store, request, take_changed, changed))
		return store_complain(store);
	switch (changed->outcome) {
	case PAXOS_NL_OUTCOME_CHOSEN:
		if (changed->status == PAXOS_KV_STATUS_OK)
			return EXIT_FINE;
		return refused(store, EXIT_ERROR, name_status(changed->status));
	case PAXOS_NL_OUTCOME_NOT_CHOSEN:
		return refused(store, EXIT_NO_QUORUM,
			       "not chosen, and never will be: no quorum in time");
	default:
		return refused(store, EXIT_ERROR,
			       "unknown: no answer in time; it may still be chosen");
	}
}

int check_key(const struct arguments *arguments, const char *key)
{
	if (strlen(key) <= PAXOS_KV_KEY_MAX)
		return EXIT_FINE;
	return wrong(arguments, "'%.32s...': a key has %d bytes at most", key,
		     PAXOS_KV_KEY_MAX);
}

/* An attribute has 64 KiB at most, and a nest that grows beyond it is dropped. */
bool item_fits(struct nl_msg *request, unsigned int section,
	       unsigned int target, unsigned int what, const char *key,
	       const void *value, size_t length, uint64_t number)
{
	struct nlattr *nest = nla_nest_start(request, PAXOS_KV_A_ITEM);
	size_t key_length = strnlen(key, PAXOS_KV_KEY_MAX + 1);

	if (length > VALUE_ROOM)
		length = VALUE_ROOM;
	return nest &&
	       !nla_put_u8(request, PAXOS_KV_A_ITEM_SECTION, section) &&
	       (!target ||
		!nla_put_u8(request, PAXOS_KV_A_ITEM_TARGET, target)) &&
	       !nla_put_u8(request, PAXOS_KV_A_ITEM_WHAT, what) &&
	       !nla_put(request, PAXOS_KV_A_ITEM_KEY, key_length, key) &&
	       (!value ||
		!nla_put(request, PAXOS_KV_A_ITEM_VALUE, length, value)) &&
	       (!number ||
		!nla_put_u64(request, PAXOS_KV_A_ITEM_NUMBER, number)) &&
	       !nla_nest_end(request, nest);
}

void item_put(struct nl_msg *request, unsigned int section,
	      unsigned int target, unsigned int what, const char *key,
	      const void *value, size_t length, uint64_t number)
{
	if (!item_fits(request, section, target, what, key, value, length,
		       number))
		abort();
}

void pair_print(struct nlattr **attrs)
{
	struct nlattr *key = attrs[PAXOS_KV_A_PAIR_KEY];
	struct nlattr *value = attrs[PAXOS_KV_A_PAIR_VALUE];

	if (!key || !value)
		return;
	if (print_json) {
		json_object(NULL);
		json_bytes("key", nla_data(key), nla_len(key));
		json_bytes("value", nla_data(value), nla_len(value));
		json_number("create", number_of(attrs[PAXOS_KV_A_PAIR_CREATE]));
		json_number("mod", number_of(attrs[PAXOS_KV_A_PAIR_MOD]));
		json_number("version",
			    number_of(attrs[PAXOS_KV_A_PAIR_VERSION]));
		json_number("lease", number_of(attrs[PAXOS_KV_A_PAIR_LEASE]));
		json_end();
		return;
	}
	print_escaped(nla_data(key), nla_len(key));
	print("  ");
	print_escaped(nla_data(value), nla_len(value));
	print("\n");
}

static int take_revision(struct nlmsghdr *message, void *arg)
{
	struct nlattr *attrs[PAXOS_KV_A_MAX + 1];

	if (genlmsg_parse(message, 0, attrs, PAXOS_KV_A_MAX, NULL) ||
	    !attrs[PAXOS_KV_A_REVISION])
		return -1;
	*(uint64_t *)arg = nla_get_u64(attrs[PAXOS_KV_A_REVISION]);
	return 0;
}

struct each {
	pair_fn take;
	void *arg;
	bool taken;
};

static int take_each(struct nlmsghdr *message, void *arg)
{
	struct nlattr *attrs[PAXOS_KV_A_MAX + 1];
	struct nlattr *pair[PAXOS_KV_A_PAIR_MAX + 1];
	struct each *each = arg;

	if (genlmsg_parse(message, 0, attrs, PAXOS_KV_A_MAX, NULL) ||
	    !attrs[PAXOS_KV_A_PAIR] ||
	    nla_parse_nested(pair, PAXOS_KV_A_PAIR_MAX, attrs[PAXOS_KV_A_PAIR],
			     NULL) ||
	    !pair[PAXOS_KV_A_PAIR_KEY] || !pair[PAXOS_KV_A_PAIR_VALUE] ||
	    !pair[PAXOS_KV_A_PAIR_CREATE])
		return -1;
	each->taken = true;
	each->take(pair, each->arg);
	return 0;
}

int store_each(const struct store *store, const char *prefix,
	       uint64_t *revision, pair_fn take, void *arg)
{
	struct each each = { .take = take, .arg = arg };
	struct nl_msg *request;
	unsigned int tries = 3;

	do {
		request = store_request(store, PAXOS_KV_CMD_BARRIER);
		if (call_in_time(store, request, take_revision, revision))
			return store_complain(store);
		request = store_request(store, PAXOS_KV_CMD_GET);
		nla_put(request, PAXOS_KV_A_KEY, strlen(prefix), prefix);
		nla_put_u64(request, PAXOS_KV_A_REVISION, *revision);
		if (!kernel_call(store->kernel, request, REPLY_DUMP, take_each,
				 &each))
			return EXIT_FINE;
		/* compacted in between, where little history is kept */
	} while (kernel_failure(store->kernel)->error == ESTALE &&
		 !each.taken && --tries);
	return store_complain(store);
}

int store_known(const struct store *store, const char *key, pair_fn take,
		void *arg)
{
	struct each each = { .take = take, .arg = arg };
	struct nl_msg *request = store_request(store, PAXOS_KV_CMD_GET);

	nla_put(request, PAXOS_KV_A_KEY, strlen(key), key);
	nla_put_u8(request, PAXOS_KV_A_EXACT, 1);
	if (kernel_call(store->kernel, request, REPLY_DUMP, take_each, &each))
		return store_complain(store);
	return EXIT_FINE;
}

int store_wait(const struct store *store, const char *key, size_t length,
	       bool exact, uint64_t revision, uint32_t timeout)
{
	struct nl_msg *request = store_request(store, PAXOS_KV_CMD_WATCH);
	uint64_t next;

	nla_put_u32(request, PAXOS_KV_A_TIMEOUT, timeout);
	nla_put(request, PAXOS_KV_A_KEY, length, key);
	if (exact)
		nla_put_u8(request, PAXOS_KV_A_EXACT, 1);
	nla_put_u64(request, PAXOS_KV_A_REVISION, revision);
	if (kernel_call(store->kernel, request, REPLY_ONE, take_revision,
			&next) &&
	    kernel_failure(store->kernel)->error != ESTALE)
		return store_complain(store);
	return EXIT_FINE;
}

const struct option_spec kv_get_options[] = {
	OPTION_GROUP,
	OPTION_TIMEOUT,
	{ "prefix", 'p', NULL, "all keys that begin with KEY (default: all)" },
	{ "revision", 'r', "REVISION", "as it was then" },
	{ "count", 'n', "N", "at most so many" },
	{ "after", 0, "KEY", "only those behind this key" },
	{ "serializable", 's', NULL, "what this host knows, asking nobody" },
	{ "quorum", 'q', NULL, "ask all members what each of them holds" },
	{ "raw", 0, NULL, "the bytes of the value, and nothing else" },
	OPTION_END
};

struct getting {
	bool raw;
	unsigned int found;
};

static void take_pair(struct nlattr **pair, void *arg)
{
	struct getting *getting = arg;

	getting->found++;
	if (getting->raw)
		print_raw(nla_data(pair[PAXOS_KV_A_PAIR_VALUE]),
			  nla_len(pair[PAXOS_KV_A_PAIR_VALUE]));
	else
		pair_print(pair);
}

/* Without a quorum it is shown what there is. */
static int get_quorum(const struct arguments *arguments, struct store *store)
{
	static const char *const others[] = {
		"prefix", "revision", "count", "after", "serializable", "raw",
	};
	struct nl_msg *request = store_request(store, PAXOS_KV_CMD_BARRIER);
	uint64_t slot = 0;
	unsigned int i;

	for (i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (argument(arguments, others[i]))
			return wrong(arguments,
				     "--quorum asks for one key as it is, without --%s",
				     others[i]);
	if (call_in_time(store, request, take_revision, &slot) &&
	    kernel_failure(store->kernel)->error != ENOLINK &&
	    kernel_failure(store->kernel)->error != ETIMEDOUT &&
	    kernel_failure(store->kernel)->error != EBADMSG)
		return store_complain(store);
	return quorum_show(arguments, store->group, arguments->operands[0],
			   slot);
}

static int get(const struct arguments *arguments, struct store *store)
{
	bool prefix = argument(arguments, "prefix");
	const char *after = argument(arguments, "after");
	struct getting getting = { argument(arguments, "raw"), 0 };
	struct each each = { .take = take_pair, .arg = &getting };
	uint64_t revision = 0, count = 0, latest = 0;
	struct nl_msg *request;

	if (argument_number(arguments, "revision", 1, UINT64_MAX, &revision) ||
	    argument_number(arguments, "count", 1, UINT64_MAX, &count))
		return EXIT_ERROR;
	if (!prefix && !arguments->n_operands)
		return wrong(arguments, "give the key, or --prefix");
	if (arguments->n_operands &&
	    check_key(arguments, arguments->operands[0]))
		return EXIT_ERROR;
	if (after && !prefix)
		return wrong(arguments, "--after goes with --prefix");
	if (after && check_key(arguments, after))
		return EXIT_ERROR;
	if (argument(arguments, "quorum"))
		return get_quorum(arguments, store);
	if (!argument(arguments, "serializable")) {
		if (call_in_time(store, store_request(store,
						      PAXOS_KV_CMD_BARRIER),
				 take_revision, &latest))
			return store_complain(store);
		revision = revision ? revision : latest;
	}
	request = store_request(store, PAXOS_KV_CMD_GET);
	if (arguments->n_operands)
		nla_put(request, PAXOS_KV_A_KEY,
			strlen(arguments->operands[0]), arguments->operands[0]);
	if (!prefix)
		nla_put_u8(request, PAXOS_KV_A_EXACT, 1);
	if (revision)
		nla_put_u64(request, PAXOS_KV_A_REVISION, revision);
	if (count)
		nla_put_u64(request, PAXOS_KV_A_COUNT, count);
	if (after)
		nla_put(request, PAXOS_KV_A_AFTER, strlen(after), after);
	if (!kernel_call(store->kernel, request, REPLY_DUMP, take_each,
			 &each))
		return getting.found || prefix ? EXIT_FINE :
		       wrong(arguments, "no such key");
	return store_complain(store);
}

int run_kv_get(const struct arguments *arguments)
{
	struct store store;
	int result;

	if (store_open(arguments, &store))
		return EXIT_ERROR;
	result = get(arguments, &store);
	store_close(&store);
	return result;
}
