// SPDX-License-Identifier: GPL-2.0
/* kv put, del, txn, lease, compact, limit, history: what becomes an entry. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "kv.h"
#include "print.h"

const struct option_spec kv_put_options[] = {
	OPTION_GROUP,
	OPTION_TIMEOUT,
	{ "lease", 'l', "ID", "delete the key when this lease ends" },
	OPTION_END
};

const struct option_spec kv_del_options[] = {
	OPTION_GROUP,
	OPTION_TIMEOUT,
	{ "prefix", 'p', NULL, "all keys that begin with KEY (default: all)" },
	OPTION_END
};

const struct option_spec kv_txn_options[] = {
	OPTION_GROUP,
	OPTION_TIMEOUT,
	OPTION_END
};

const struct option_spec kv_change_options[] = {
	OPTION_GROUP,
	OPTION_TIMEOUT,
	OPTION_END
};

static void print_changed(const struct changed *changed, bool txn)
{
	if (print_json) {
		json_object(NULL);
		json_number("revision", changed->revision);
		if (txn)
			json_bool("succeeded", changed->succeeded);
		json_number("deleted", changed->deleted);
		if (changed->lease)
			json_number("lease", changed->lease);
		json_end();
		return;
	}
	if (txn)
		print("%s, ", changed->succeeded ? "then" : "else");
	if (changed->deleted)
		print("%" PRIu64 " deleted, ", changed->deleted);
	print("revision %" PRIu64 "\n", changed->revision);
}

int run_kv_put(const struct arguments *arguments)
{
	struct changed changed = { 0 };
	struct nl_msg *request;
	uint64_t lease = 0;
	struct store store;
	const char *value;
	size_t length;
	int result;

	if (argument_number(arguments, "lease", 1, UINT64_MAX, &lease) ||
	    check_key(arguments, arguments->operands[0]) ||
	    value_given(arguments, 1, &value, &length))
		return EXIT_ERROR;
	if (store_open(arguments, &store))
		return EXIT_ERROR;
	request = store_request(&store, PAXOS_KV_CMD_TXN);
	item_put(request, PAXOS_KV_SECTION_THEN, 0, PAXOS_KV_OPERATION_PUT,
		 arguments->operands[0], value, length, lease);
	result = store_change(&store, request, &changed);
	if (!result)
		print_changed(&changed, false);
	store_close(&store);
	return result;
}

int run_kv_del(const struct arguments *arguments)
{
	bool prefix = argument(arguments, "prefix");
	struct changed changed = { 0 };
	struct nl_msg *request;
	struct store store;
	int result;

	if (!prefix && !arguments->n_operands)
		return wrong(arguments, "give the key, or --prefix");
	if (arguments->n_operands &&
	    check_key(arguments, arguments->operands[0]))
		return EXIT_ERROR;
	if (store_open(arguments, &store))
		return EXIT_ERROR;
	request = store_request(&store, PAXOS_KV_CMD_TXN);
	item_put(request, PAXOS_KV_SECTION_THEN, 0,
		 prefix ? PAXOS_KV_OPERATION_DELETE_PREFIX :
			  PAXOS_KV_OPERATION_DELETE,
		 arguments->n_operands ? arguments->operands[0] : "", NULL, 0,
		 0);
	result = store_change(&store, request, &changed);
	if (!result)
		print_changed(&changed, false);
	store_close(&store);
	if (!result && !prefix && !changed.deleted)
		return wrong(arguments, "no such key");
	return result;
}

/**
 * struct words - the operands of txn, from the next one on
 * @section: of the transaction
 */
struct words {
	const struct arguments *arguments;
	unsigned int next;
	unsigned int section;
};

static const char *word(struct words *words)
{
	if (words->next == words->arguments->n_operands)
		return NULL;
	return words->arguments->operands[words->next++];
}

/* The place of @text in @names from 1 on, or 0. */
static unsigned int place(const char *text, const char *const *names)
{
	unsigned int i;

	for (i = 0; text && names[i]; i++)
		if (!strcmp(text, names[i]))
			return i + 1;
	return 0;
}

static int too_large(const struct words *words)
{
	return wrong(words->arguments,
		     "a transaction may have 32768 bytes, less a few");
}

static int parse_compare(struct words *words, struct nl_msg *request)
{
	/* in the order of enum paxos_kv_target and paxos_kv_relation */
	static const char *const targets[] = {
		"version", "create", "mod", "lease", "value", NULL,
	};
	static const char *const relations[] = { "=", "!=", "<", ">", NULL };
	const char *target = word(words), *key = word(words);
	const char *relation = word(words), *text = word(words);
	uint64_t number = 0;

	if (!text)
		return wrong(words->arguments,
			     "if: give TARGET KEY RELATION VALUE");
	if (!place(target, targets))
		return wrong(words->arguments,
			     "if '%s': version, create, mod, lease or value",
			     target);
	if (!place(relation, relations))
		return wrong(words->arguments, "'%s': = != < or >", relation);
	if (place(target, targets) != PAXOS_KV_TARGET_VALUE &&
	    !parse_number(text, 0, UINT64_MAX, &number))
		return wrong(words->arguments, "'%s' is no number", text);
	if (check_key(words->arguments, key))
		return EXIT_ERROR;
	if (item_fits(request, PAXOS_KV_SECTION_IF, place(target, targets),
		      place(relation, relations), key,
		      place(target, targets) == PAXOS_KV_TARGET_VALUE ? text :
									NULL,
		      strlen(text), number))
		return EXIT_FINE;
	return too_large(words);
}

static int parse_operation(struct words *words, struct nl_msg *request,
			   const char *name)
{
	/* in the order of enum paxos_kv_operation */
	static const char *const names[] = {
		"put", "del", "del-prefix", "get", "get-prefix", NULL,
	};
	unsigned int what = place(name, names);
	const char *key = word(words), *value = NULL;
	uint64_t lease = 0;

	if (!what)
		return wrong(words->arguments,
			     "'%s': put, del, del-prefix, get or get-prefix",
			     name);
	if (what == PAXOS_KV_OPERATION_PUT)
		value = word(words);
	if (!key || (what == PAXOS_KV_OPERATION_PUT && !value))
		return wrong(words->arguments, "%s: give the key%s", name,
			     what == PAXOS_KV_OPERATION_PUT ?
			     " and its value" : "");
	if (value && words->next < words->arguments->n_operands &&
	    !strcmp(words->arguments->operands[words->next], "lease")) {
		words->next++;
		if (words->next == words->arguments->n_operands ||
		    !parse_number(word(words), 1, UINT64_MAX, &lease))
			return wrong(words->arguments, "lease: give its id");
	}
	if (check_key(words->arguments, key))
		return EXIT_ERROR;
	if (item_fits(request, words->section, 0, what, key, value,
		      value ? strlen(value) : 0, lease))
		return EXIT_FINE;
	return too_large(words);
}

static int parse_txn(const struct arguments *arguments, struct nl_msg *request)
{
	struct words words = { arguments, 0, PAXOS_KV_SECTION_IF };
	const char *name;
	int result = 0;

	while (!result && (name = word(&words))) {
		if (!strcmp(name, "if") && words.section == PAXOS_KV_SECTION_IF)
			result = parse_compare(&words, request);
		else if (!strcmp(name, "then") &&
			 words.section == PAXOS_KV_SECTION_IF)
			words.section = PAXOS_KV_SECTION_THEN;
		else if (!strcmp(name, "else") &&
			 words.section != PAXOS_KV_SECTION_ELSE)
			words.section = PAXOS_KV_SECTION_ELSE;
		else if (words.section == PAXOS_KV_SECTION_IF)
			result = wrong(arguments, "'%s': if, then or else",
				       name);
		else
			result = parse_operation(&words, request, name);
	}
	return result;
}

int run_kv_txn(const struct arguments *arguments)
{
	struct changed changed = { .pair = pair_print };
	struct nl_msg *request;
	struct store store;
	int result;

	if (store_open(arguments, &store))
		return EXIT_ERROR;
	request = store_request(&store, PAXOS_KV_CMD_TXN);
	result = parse_txn(arguments, request);
	if (result)
		nlmsg_free(request);
	else
		result = store_change(&store, request, &changed);
	if (!result)
		print_changed(&changed, true);
	if (!result && changed.more)
		result = wrong(arguments,
			       "it found more than an answer holds");
	store_close(&store);
	return result;
}

/* @attr 0: without a number */
static int change_number(const struct arguments *arguments, uint8_t cmd,
			 int attr, uint64_t number)
{
	struct changed changed = { 0 };
	struct nl_msg *request;
	struct store store;
	int result;

	if (store_open(arguments, &store))
		return EXIT_ERROR;
	request = store_request(&store, cmd);
	if (attr)
		nla_put_u64(request, attr, number);
	result = store_change(&store, request, &changed);
	if (!result && cmd == PAXOS_KV_CMD_GRANT && !print_json)
		print("lease %" PRIu64 "\n", changed.lease);
	else if (!result)
		print_changed(&changed, false);
	store_close(&store);
	return result;
}

int run_kv_compact(const struct arguments *arguments)
{
	uint64_t revision;

	if (!parse_number(arguments->operands[0], 1, UINT64_MAX, &revision))
		return wrong(arguments, "'%s' is no revision",
			     arguments->operands[0]);
	return change_number(arguments, PAXOS_KV_CMD_COMPACT,
			     PAXOS_KV_A_REVISION, revision);
}

int run_kv_limit(const struct arguments *arguments)
{
	uint32_t bytes;

	if (!parse_size(arguments->operands[0], &bytes) || !bytes)
		return wrong(arguments, "'%s' is no size, such as 64M",
			     arguments->operands[0]);
	return change_number(arguments, PAXOS_KV_CMD_LIMIT, PAXOS_KV_A_LIMIT,
			     bytes);
}

int run_kv_history(const struct arguments *arguments)
{
	const char *kept = arguments->operands[0];
	uint64_t revisions;
	uint32_t ms;

	if (!strcmp(kept, "all"))
		return change_number(arguments, PAXOS_KV_CMD_HISTORY, 0, 0);
	if (parse_number(kept, 1, INT64_MAX, &revisions))
		return change_number(arguments, PAXOS_KV_CMD_HISTORY,
				     PAXOS_KV_A_HISTORY, revisions);
	if (parse_time(kept, &ms))
		return change_number(arguments, PAXOS_KV_CMD_HISTORY,
				     PAXOS_KV_A_PERIOD, ms);
	return wrong(arguments, "'%s': give a number of revisions, such as 10000, a time of up to a day, such as 3600s, or all",
		     kept);
}

static int take_lease(struct nlmsghdr *message, void *arg)
{
	struct nlattr *attrs[PAXOS_KV_A_MAX + 1];
	uint64_t lease, ttl, renewed;

	(void)arg;
	if (genlmsg_parse(message, 0, attrs, PAXOS_KV_A_MAX, NULL) ||
	    !attrs[PAXOS_KV_A_LEASE] || !attrs[PAXOS_KV_A_TTL] ||
	    !attrs[PAXOS_KV_A_RENEWED])
		return -1;
	lease = nla_get_u64(attrs[PAXOS_KV_A_LEASE]);
	ttl = nla_get_u64(attrs[PAXOS_KV_A_TTL]);
	renewed = nla_get_u64(attrs[PAXOS_KV_A_RENEWED]);
	if (print_json) {
		json_object(NULL);
		json_number("lease", lease);
		json_number("ttl_ms", ttl);
		json_number("renewed", renewed);
		json_end();
	} else {
		print("%" PRIu64 "  %" PRIu64 " ms, kept in revision %" PRIu64
		      "\n", lease, ttl, renewed);
	}
	return 0;
}

static int list_leases(const struct arguments *arguments)
{
	struct store store;
	int result = EXIT_FINE;

	if (store_open(arguments, &store))
		return EXIT_ERROR;
	if (kernel_call(store.kernel,
			store_request(&store, PAXOS_KV_CMD_LEASES), REPLY_DUMP,
			take_lease, NULL))
		result = store_complain(&store);
	store_close(&store);
	return result;
}

int run_kv_lease(const struct arguments *arguments)
{
	const char *what = arguments->operands[0];
	const char *operand = arguments->n_operands > 1 ?
			      arguments->operands[1] : "";
	uint64_t id;
	uint32_t ttl;

	if (!strcmp(what, "list") && !*operand)
		return list_leases(arguments);
	if (!strcmp(what, "grant")) {
		if (!parse_time(operand, &ttl) || !ttl)
			return wrong(arguments, "grant '%s': give a time, such as 10s",
				     operand);
		return change_number(arguments, PAXOS_KV_CMD_GRANT,
				     PAXOS_KV_A_TTL, ttl);
	}
	if (strcmp(what, "keep") && strcmp(what, "revoke"))
		return wrong(arguments, "'%s': grant TTL, keep ID, revoke ID or list",
			     what);
	if (!parse_number(operand, 1, UINT64_MAX, &id))
		return wrong(arguments, "%s '%s': give the lease's id", what,
			     operand);
	return change_number(arguments, *what == 'k' ? PAXOS_KV_CMD_KEEP :
						       PAXOS_KV_CMD_REVOKE,
			     PAXOS_KV_A_LEASE, id);
}
