// SPDX-License-Identifier: GPL-2.0
/*
 * service: who offers what, and where, for as long as it is well.
 *
 *	service/NAME/ID		the address, under a lease
 *
 * register keeps the lease for as long as it runs and its check succeeds. Where
 * it does not, the lease ends and the key with it; when it does again, there is
 * a new one.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "child.h"
#include "print.h"
#include "recipe.h"

const struct option_spec service_register_options[] = {
	OPTION_GROUP,
	OPTION_TIMEOUT,
	{ "id", 0, "ID", "which one (default: the host)" },
	{ "ttl", 0, "TIME", "how long it outlives this host (default: 10s)" },
	OPTION_END
};

const struct option_spec service_options[] = {
	OPTION_GROUP,
	OPTION_TIMEOUT,
	OPTION_END
};

const struct option_spec service_watch_options[] = {
	OPTION_GROUP,
	OPTION_TIMEOUT,
	{ "from", 'r', "REVISION", "from there on (default: what comes)" },
	{ "count", 'n', "N", "end after so many events" },
	OPTION_END
};

/**
 * struct service - what is registered by this process
 * @check: a command that says by its exit status whether it is well, or NULL
 * @lease: that @key stands under; 0: it is not there
 * @safe: ms until when the lease cannot have ended
 * @signals: that end it
 */
struct service {
	struct store store;
	const char *address;
	char **check;
	char key[RECIPE_KEY];
	uint32_t ttl;
	uint64_t lease;
	uint64_t safe;
	sigset_t signals;
};

/* One of @signals, or 0 after @ms. */
static int pause_for(const sigset_t *signals, uint64_t ms)
{
	const struct timespec left = {
		.tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000L,
	};
	int signal = sigtimedwait(signals, NULL, &left);

	return signal > 0 ? signal : 0;
}

/*
 * Does the check succeed within a third of the lease? *ended: a signal came that
 * ends the service.
 */
static bool is_well(const struct service *service, bool *ended)
{
	uint64_t end = now_ms() + service->ttl / 3, now;
	int status = -1, signal;
	pid_t child;

	if (!service->check)
		return true;
	child = run_words(service->check);
	if (child < 0)
		return false;
	while (waitpid(child, &status, WNOHANG) != child) {
		now = now_ms();
		signal = now < end ? pause_for(&service->signals, end - now) : 0;
		*ended = signal && signal != SIGCHLD;
		if (now < end && !*ended)
			continue;
		kill(-child, SIGKILL);
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
		return false;
	}
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

static int enter(struct service *service)
{
	struct changed granted = { 0 }, put = { 0 };
	uint64_t sent = now_ms();
	struct nl_msg *request;
	int result;

	result = change_lease(&service->store, PAXOS_KV_CMD_GRANT, service->ttl,
			      &granted);
	if (result)
		return result;
	request = store_request(&service->store, PAXOS_KV_CMD_TXN);
	item_put(request, PAXOS_KV_SECTION_THEN, 0, PAXOS_KV_OPERATION_PUT,
		 service->key, service->address, strlen(service->address),
		 granted.lease);
	result = store_change(&service->store, request, &put);
	if (result)
		return result;
	service->lease = granted.lease;
	service->safe = sent + service->ttl;
	return EXIT_FINE;
}

static void take_there(struct nlattr **pair, void *arg)
{
	(void)pair;
	*(bool *)arg = true;
}

/* Who registered the same ID later took the key, and perhaps left with it. */
static void list_again(const struct service *service)
{
	struct changed changed = { 0 };
	struct nl_msg *request;
	bool there = false;

	if (store_known(&service->store, service->key, take_there, &there) ||
	    there)
		return;
	request = store_request(&service->store, PAXOS_KV_CMD_TXN);
	item_put(request, PAXOS_KV_SECTION_IF, PAXOS_KV_TARGET_VERSION,
		 PAXOS_KV_RELATION_EQUAL, service->key, NULL, 0, 0);
	item_put(request, PAXOS_KV_SECTION_THEN, 0, PAXOS_KV_OPERATION_PUT,
		 service->key, service->address, strlen(service->address),
		 service->lease);
	(void)store_change(&service->store, request, &changed);
}

/* Another try follows in any case. */
static void renew(struct service *service)
{
	struct changed kept = { 0 };
	uint64_t sent = now_ms();

	if (!service->lease) {
		if (!enter(service))
			complain("service: registered again");
		return;
	}
	if (!change_lease(&service->store, PAXOS_KV_CMD_KEEP, service->lease,
			  &kept)) {
		service->safe = sent + service->ttl;
		list_again(service);
	} else if (kept.status == PAXOS_KV_STATUS_NO_LEASE) {
		service->lease = 0;
	}
}

static void leave(struct service *service)
{
	struct changed revoked = { 0 };

	if (service->lease)
		(void)change_lease(&service->store, PAXOS_KV_CMD_REVOKE,
				   service->lease, &revoked);
	service->lease = 0;
}

/* Until a signal ends it. */
static int serve(struct service *service)
{
	bool ended = false, was = true, well;
	int signal, result;

	while (!is_well(service, &ended) && !ended) {
		if (was)
			complain("service: its check fails; it is not registered yet");
		was = false;
		signal = pause_for(&service->signals, service->ttl / 3);
		ended = signal && signal != SIGCHLD;
	}
	result = ended ? EXIT_FINE : enter(service);
	if (result || ended)
		return result;
	service->store.timeout = service->ttl / 3;
	print("registered\n");
	if (print_flush())
		return EXIT_ERROR;
	for (was = true; !ended; was = well) {
		uint64_t end = now_ms() + service->ttl / 3, now;

		while (!ended && (now = now_ms()) < end) {
			signal = pause_for(&service->signals, end - now);
			ended = signal && signal != SIGCHLD;
		}
		well = !ended && is_well(service, &ended);
		if (ended)
			break;
		if (well)
			renew(service);
		else if (was)
			complain("service: its check fails; its lease is not kept");
	}
	leave(service);
	return EXIT_FINE;
}

int run_service_register(const struct arguments *arguments)
{
	const char *id = argument(arguments, "id");
	struct service service = {
		.address = arguments->operands[1],
		.check = arguments->n_operands > 2 ? arguments->operands + 2 :
						     NULL,
		.ttl = TTL_MS,
	};
	char host[NAME_LENGTH + 1] = "";
	int result;

	if (!id && gethostname(host, sizeof(host) - 1))
		return wrong(arguments, "this host has no name: give --id");
	if (!id)
		id = host;
	if (check_name(arguments, arguments->operands[0]) ||
	    check_name(arguments, id) ||
	    argument_ttl(arguments, "ttl", &service.ttl))
		return EXIT_ERROR;
	snprintf(service.key, sizeof(service.key), "service/%s/%s",
		 arguments->operands[0], id);
	if (store_open(arguments, &service.store))
		return EXIT_ERROR;
	sigemptyset(&service.signals);
	sigaddset(&service.signals, SIGCHLD);
	sigaddset(&service.signals, SIGINT);
	sigaddset(&service.signals, SIGTERM);
	sigaddset(&service.signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &service.signals, NULL);
	result = serve(&service);
	store_close(&service.store);
	return result;
}

/* The prefix of the services that are asked for. */
static int prefix_of(const struct arguments *arguments, char key[RECIPE_KEY])
{
	const char *name = arguments->n_operands ? arguments->operands[0] : "";

	if (*name && check_name(arguments, name))
		return EXIT_ERROR;
	snprintf(key, RECIPE_KEY, "service/%s%s", name, *name ? "/" : "");
	return EXIT_FINE;
}

#define PREFIX	(sizeof("service/") - 1)

static void take_service(struct nlattr **pair, void *arg)
{
	struct nlattr *value = pair[PAXOS_KV_A_PAIR_VALUE];
	struct nlattr *attr = pair[PAXOS_KV_A_PAIR_KEY];
	const char *key = nla_data(attr), *slash;
	size_t length = nla_len(attr);

	(void)arg;
	if (length <= PREFIX)
		return;
	key += PREFIX;
	length -= PREFIX;
	slash = memchr(key, '/', length);
	if (!slash)
		return;
	if (print_json) {
		json_object(NULL);
		json_bytes("name", key, slash - key);
		json_bytes("id", slash + 1, key + length - slash - 1);
		json_bytes("address", nla_data(value), nla_len(value));
		json_number("revision",
			    nla_get_u64(pair[PAXOS_KV_A_PAIR_CREATE]));
		json_end();
		return;
	}
	print_escaped(key, slash - key);
	print("  ");
	print_escaped(slash + 1, key + length - slash - 1);
	print("  ");
	print_escaped(nla_data(value), nla_len(value));
	print("\n");
}

int run_service_list(const struct arguments *arguments)
{
	char key[RECIPE_KEY];
	uint64_t revision = 0;
	struct store store;
	int result;

	if (prefix_of(arguments, key) || store_open(arguments, &store))
		return EXIT_ERROR;
	result = store_each(&store, key, &revision, take_service, NULL);
	store_close(&store);
	return result;
}

int run_service_watch(const struct arguments *arguments)
{
	char key[RECIPE_KEY];

	return prefix_of(arguments, key) ? EXIT_ERROR :
					   watch_keys(arguments, key, false);
}
