// SPDX-License-Identifier: GPL-2.0
/*
 * lock and elect: a command that runs while this process holds a lock, or has
 * won an election, which is a lock whose holder has a value; and not longer.
 *
 * Who wants a lock puts a key of its own below lock/NAME/ (elect/NAME/), under
 * a lease that it keeps. The key's create revision is its place in the queue
 * and, once it holds the lock, the fencing token: the log orders them, so that
 * who holds the lock later has a higher one.
 *
 * The lease cannot end before its time has passed since the last keeping that
 * was chosen, and that is later than when it was sent. So the command is ended,
 * by this host's clock, a fifth of that time before any other can follow.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "print.h"
#include "recipe.h"

#define WATCH_MS	1000
#define LOOK_MS		100	/* whether it is lost by now */
#define PREFIX_SIZE	512

const struct option_spec lock_options[] = {
	OPTION_GROUP,
	{ "timeout", 't', "TIME", "how long to wait for the lock (default: ever)" },
	{ "ttl", 0, "TIME", "how long it outlives this host (default: 10s)" },
	{ "shared", 's', NULL, "together with others that share it" },
	OPTION_END
};

const struct option_spec elect_options[] = {
	OPTION_GROUP,
	{ "timeout", 't', "TIME", "how long to wait to be elected (default: ever)" },
	{ "ttl", 0, "TIME", "how long it outlives this host (default: 10s)" },
	{ "value", 'v', "TEXT", "what others see (default: the host)" },
	{ "show", 0, NULL, "who has won, and nothing else" },
	OPTION_END
};

/**
 * struct lock - a lock that is wanted or held
 * @store: of the main thread
 * @what: "lock" or "election"
 * @value: for others to see
 * @prefix: of the keys of all who want it
 * @key: its own
 * @lease: that it stands under
 * @token: create revision of @key
 * @safe: ms of the monotonic clock until when nobody else can hold it
 * @give_up: when to stop waiting
 */
struct lock {
	struct store store;
	const char *what;
	const char *value;
	char prefix[PREFIX_SIZE];
	char key[PREFIX_SIZE + 32];
	bool shared;
	uint32_t ttl;
	uint64_t lease;
	uint64_t token;
	_Atomic uint64_t safe;
	uint64_t give_up;
};

static uint64_t safe_until(const struct lock *lock, uint64_t sent)
{
	return sent + lock->ttl / 5 * 4;
}

static bool safe(struct lock *lock)
{
	return now_ms() < atomic_load(&lock->safe);
}

/* A thread of its own: it keeps the lease, whatever the command does. */
static void *keep(void *arg)
{
	struct lock *lock = arg;
	struct store store = lock->store;
	const struct timespec pause = {
		.tv_sec = lock->ttl / 4 / 1000,
		.tv_nsec = lock->ttl / 4 % 1000 * 1000000L,
	};
	struct changed changed;
	uint64_t sent;

	store.timeout = lock->ttl / 4;
	store.kernel = kernel_open_family(PAXOS_KV_GENL_NAME);
	while (store.kernel && safe(lock)) {
		nanosleep(&pause, NULL);
		memset(&changed, 0, sizeof(changed));
		sent = now_ms();
		if (!change_lease(&store, PAXOS_KV_CMD_KEEP, lock->lease,
				  &changed))
			atomic_store(&lock->safe, safe_until(lock, sent));
		else if (changed.status == PAXOS_KV_STATUS_NO_LEASE)
			atomic_store(&lock->safe, 0);
	}
	return NULL;
}

/* The lease, and the key that stands in the queue. */
static int enqueue(struct lock *lock)
{
	struct changed granted = { 0 }, put = { 0 };
	uint64_t sent = now_ms();
	struct nl_msg *request;
	int result;

	result = change_lease(&lock->store, PAXOS_KV_CMD_GRANT, lock->ttl,
			      &granted);
	if (result)
		return result;
	lock->lease = granted.lease;
	atomic_store(&lock->safe, safe_until(lock, sent));
	snprintf(lock->key, sizeof(lock->key), "%s%c%" PRIu64, lock->prefix,
		 lock->shared ? 's' : 'x', lock->lease);
	request = store_request(&lock->store, PAXOS_KV_CMD_TXN);
	item_put(request, PAXOS_KV_SECTION_THEN, 0, PAXOS_KV_OPERATION_PUT,
		 lock->key, lock->value, strlen(lock->value), lock->lease);
	result = store_change(&lock->store, request, &put);
	lock->token = put.revision;
	return result;
}

/**
 * struct queue - who is in the way
 * @ahead: so many
 * @here: the lock's own key is still there
 */
struct queue {
	struct lock *lock;
	unsigned int ahead;
	bool here;
};

static void take_place(struct nlattr **pair, void *arg)
{
	struct nlattr *key = pair[PAXOS_KV_A_PAIR_KEY];
	struct queue *queue = arg;
	size_t length = strlen(queue->lock->prefix);
	uint64_t create = nla_get_u64(pair[PAXOS_KV_A_PAIR_CREATE]);
	bool exclusive;

	if ((size_t)nla_len(key) <= length)
		return;
	exclusive = ((const char *)nla_data(key))[length] == 'x';
	if (create == queue->lock->token)
		queue->here = true;
	else if (create < queue->lock->token &&
		 (exclusive || !queue->lock->shared))
		queue->ahead++;
}

/* Until nobody is ahead: EXIT_FINE. */
static int await(struct lock *lock)
{
	int result;

	for (;;) {
		struct queue queue = { .lock = lock };
		uint64_t revision = 0;

		result = store_each(&lock->store, lock->prefix, &revision,
				    take_place, &queue);
		/* a leader may be found in time yet */
		if (result == EXIT_NO_QUORUM && safe(lock) &&
		    now_ms() < lock->give_up)
			continue;
		if (result)
			return result;
		if (!queue.here || !safe(lock))
			return wrong(lock->store.arguments,
				     "the lease ended before the %s was won",
				     lock->what);
		if (!queue.ahead)
			return EXIT_FINE;
		if (now_ms() >= lock->give_up)
			return wrong(lock->store.arguments,
				     "the %s is held by others", lock->what);
		result = store_wait(&lock->store, lock->prefix, revision + 1,
				    WATCH_MS);
		if (result)
			return result;
	}
}

/* The command's exit status; or EXIT_ERROR, and it was killed. */
static int supervise(struct lock *lock, pid_t child, const sigset_t *signals)
{
	siginfo_t info;
	int status;

	for (;;) {
		uint64_t now = now_ms(), until = atomic_load(&lock->safe);
		struct timespec wait = { .tv_sec = 0 };

		if (waitpid(child, &status, WNOHANG) == child)
			return WIFEXITED(status) ? WEXITSTATUS(status) :
						   128 + WTERMSIG(status);
		if (now >= until) {
			kill(-child, SIGKILL);
			kill(child, SIGKILL);
			waitpid(child, &status, 0);
			return wrong(lock->store.arguments,
				     "the %s is lost; the command was killed",
				     lock->what);
		}
		/* It may be taken away before, or the machine sleep. */
		wait.tv_nsec = 1000000L * (until - now < LOOK_MS ?
					   until - now : LOOK_MS);
		if (sigtimedwait(signals, &info, &wait) > 0 &&
		    info.si_signo != SIGCHLD)
			kill(-child, info.si_signo);
	}
}

static int hold(struct lock *lock, char **words)
{
	sigset_t signals;
	char token[32];
	pid_t child;

	snprintf(token, sizeof(token), "%" PRIu64, lock->token);
	setenv("PAXOS_TOKEN", token, 1);
	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	child = run_words(words);
	if (child < 0)
		return wrong(lock->store.arguments, "cannot fork: %s",
			     strerror(errno));
	return supervise(lock, child, &signals);
}

static int take_and_hold(struct lock *lock, char **words)
{
	struct changed changed = { 0 };
	pthread_t keeper;
	int result;

	result = enqueue(lock);
	if (!lock->lease)
		return result;
	if (!result && pthread_create(&keeper, NULL, keep, lock))
		result = wrong(lock->store.arguments, "cannot make a thread");
	if (!result)
		result = await(lock);
	if (!result)
		result = hold(lock, words);
	/* let the next one in at once; where that fails, time does it */
	if (safe(lock))
		(void)change_lease(&lock->store, PAXOS_KV_CMD_REVOKE,
				   lock->lease, &changed);
	return result;
}

/* Opens the store, too. */
static int prepare(const struct arguments *arguments, struct lock *lock)
{
	const char *name = arguments->operands[0];
	uint32_t timeout;

	lock->ttl = TTL_MS;
	lock->give_up = UINT64_MAX;
	if (check_name(arguments, name) ||
	    argument_ttl(arguments, "ttl", &lock->ttl))
		return EXIT_ERROR;
	if (argument(arguments, "timeout")) {
		if (argument_timeout(arguments, &timeout))
			return EXIT_ERROR;
		lock->give_up = now_ms() + timeout;
	}
	snprintf(lock->prefix, sizeof(lock->prefix), "%s/%s/",
		 strcmp(lock->what, "lock") ? "elect" : "lock", name);
	if (store_open(arguments, &lock->store))
		return EXIT_ERROR;
	lock->store.timeout = lock->ttl / 4;
	return EXIT_FINE;
}

/* The other thread may be in a call: it ends with the process. */
static int finish(int result)
{
	if (print_flush())
		result = EXIT_ERROR;
	exit(result);
}

int run_lock(const struct arguments *arguments)
{
	struct lock lock = {
		.what = "lock",
		.value = "",
		.shared = argument(arguments, "shared"),
	};

	if (prepare(arguments, &lock))
		return EXIT_ERROR;
	return finish(take_and_hold(&lock, arguments->operands + 1));
}

/**
 * struct winner - who stands first
 * @token: its fencing token; 0: nobody does
 * @value: what it shows
 */
struct winner {
	uint64_t token;
	size_t length;
	char value[PAXOS_NL_VALUE_MAX];
};

static void take_winner(struct nlattr **pair, void *arg)
{
	struct nlattr *value = pair[PAXOS_KV_A_PAIR_VALUE];
	uint64_t create = nla_get_u64(pair[PAXOS_KV_A_PAIR_CREATE]);
	struct winner *winner = arg;

	if (winner->token && winner->token < create)
		return;
	winner->token = create;
	winner->length = nla_len(value);
	memcpy(winner->value, nla_data(value), winner->length);
}

static int show(const struct lock *lock)
{
	static struct winner winner;
	uint64_t revision = 0;
	int result;

	result = store_each(&lock->store, lock->prefix, &revision, take_winner,
			    &winner);
	if (result)
		return result;
	if (!winner.token)
		return wrong(lock->store.arguments, "nobody was elected");
	if (print_json) {
		json_object(NULL);
		json_bytes("value", winner.value, winner.length);
		json_number("token", winner.token);
		json_end();
	} else {
		print_escaped(winner.value, winner.length);
		print("  token %" PRIu64 "\n", winner.token);
	}
	return EXIT_FINE;
}

int run_elect(const struct arguments *arguments)
{
	const char *value = argument(arguments, "value");
	struct lock lock = { .what = "election" };
	char host[256] = "";
	int result;

	if (!argument(arguments, "show") && arguments->n_operands < 2)
		return wrong(arguments, "give the command behind --, or --show");
	if (!value && gethostname(host, sizeof(host) - 1))
		return wrong(arguments, "this host has no name: give --value");
	lock.value = value ? value : host;
	if (prepare(arguments, &lock))
		return EXIT_ERROR;
	if (!argument(arguments, "show"))
		return finish(take_and_hold(&lock, arguments->operands + 1));
	result = show(&lock);
	store_close(&lock.store);
	return result;
}
