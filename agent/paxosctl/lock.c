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
#include "child.h"
#include "print.h"
#include "recipe.h"

#define WATCH_MS	1000
#define LOOK_MS		100	/* whether it is lost by now, or works again */
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

static void pause_for(uint32_t ms)
{
	const struct timespec pause = {
		.tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000L,
	};

	nanosleep(&pause, NULL);
}

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
	interrupted = signal;
}

/*
 * Who does not want to wait any more leaves the queue first. The second time
 * it ends where it is.
 */
static void heed_interrupts(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	const struct sigaction action = {
		.sa_handler = interrupt,
		.sa_flags = SA_RESETHAND,
	};
	struct sigaction before;
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		if (!sigaction(signals[i], NULL, &before) &&
		    before.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
}

static int ended_before(const struct lock *lock)
{
	return wrong(lock->store.arguments,
		     "the lease ended before the %s was won", lock->what);
}

/* A thread of its own: it keeps the lease, whatever the command does. */
static void *keep(void *arg)
{
	struct lock *lock = arg;
	struct store store = lock->store;
	struct changed changed;
	uint64_t sent;

	store.timeout = lock->ttl / 4;
	/* it tries again, and if that is in vain the main thread says so */
	store.quiet = true;
	store.kernel = kernel_open_family(PAXOS_KV_GENL_NAME);
	pause_for(lock->ttl / 4);
	while (store.kernel && safe(lock)) {
		memset(&changed, 0, sizeof(changed));
		sent = now_ms();
		if (!change_lease(&store, PAXOS_KV_CMD_KEEP, lock->lease,
				  &changed)) {
			atomic_store(&lock->safe, safe_until(lock, sent));
			pause_for(lock->ttl / 4);
			continue;
		}
		if (changed.status == PAXOS_KV_STATUS_NO_LEASE)
			atomic_store(&lock->safe, 0);
		pause_for(lock->ttl / 16);
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
 * @here: the lock's own key is still there
 * @ahead: create revision of the last one that must go first; 0: none
 * @length: of @key
 * @key: of @ahead
 */
struct queue {
	struct lock *lock;
	bool here;
	uint64_t ahead;
	size_t length;
	char key[PAXOS_KV_KEY_MAX];
};

static void take_place(struct nlattr **pair, void *arg)
{
	struct nlattr *key = pair[PAXOS_KV_A_PAIR_KEY];
	struct queue *queue = arg;
	const struct lock *lock = queue->lock;
	size_t prefix = strlen(lock->prefix), length = nla_len(key);
	uint64_t create = nla_get_u64(pair[PAXOS_KV_A_PAIR_CREATE]);
	bool exclusive;

	if (length <= prefix || length > sizeof(queue->key))
		return;
	exclusive = ((const char *)nla_data(key))[prefix] == 'x';
	if (create == lock->token) {
		queue->here = true;
	} else if (create < lock->token && create > queue->ahead &&
		   (exclusive || !lock->shared)) {
		queue->ahead = create;
		queue->length = length;
		memcpy(queue->key, nla_data(key), length);
	}
}

/*
 * Until nobody is ahead: EXIT_FINE. What fails meanwhile may pass, as an agent
 * that is started anew, or others that wait: it is the lease that counts.
 */
static int await(struct lock *lock)
{
	struct store *store = &lock->store;

	for (;;) {
		struct queue queue = { .lock = lock };
		uint64_t revision = 0;
		int result;

		if (interrupted)
			return EXIT_ERROR;
		store->quiet = true;
		result = store_each(store, lock->prefix, &revision, take_place,
				    &queue);
		if (result && safe(lock) && now_ms() < lock->give_up) {
			pause_for(LOOK_MS);
			continue;
		}
		store->quiet = false;
		if (result)
			return store_complain(store);
		if (!queue.here || !safe(lock))
			return ended_before(lock);
		if (!queue.ahead)
			return EXIT_FINE;
		if (now_ms() >= lock->give_up)
			return wrong(store->arguments,
				     "the %s is held by others", lock->what);
		store->quiet = true;
		if (store_wait(store, queue.key, queue.length, true,
			       revision + 1, WATCH_MS))
			pause_for(LOOK_MS);
	}
}

/* The command's exit status; or EXIT_ERROR, and it was killed. */
static int supervise(struct lock *lock, struct child *child)
{
	int status;

	for (;;) {
		uint64_t now = now_ms(), until = atomic_load(&lock->safe);

		if (child_ended(child, &status))
			return WIFEXITED(status) ? WEXITSTATUS(status) :
						   128 + WTERMSIG(status);
		if (now >= until) {
			child_kill(child);
			return wrong(lock->store.arguments,
				     "the %s is lost; the command was killed",
				     lock->what);
		}
		/* It may be taken away before, or the machine sleep. */
		child_pause(child, until - now < LOOK_MS ? until - now :
							   LOOK_MS);
	}
}

static int hold(struct lock *lock, char **words)
{
	struct child child;
	char token[32];
	int result;

	snprintf(token, sizeof(token), "%" PRIu64, lock->token);
	setenv("PAXOS_TOKEN", token, 1);
	child_block(&child);
	if (interrupted)
		return EXIT_ERROR;
	/* this process may have been stopped meanwhile */
	if (!safe(lock))
		return ended_before(lock);
	if (child_start(&child, words))
		return wrong(lock->store.arguments, "cannot fork: %s",
			     strerror(errno));
	result = supervise(lock, &child);
	child_release(&child);
	return result;
}

/* No signal is for that thread: it does what the command relies on. */
static int begin_keeping(struct lock *lock)
{
	sigset_t all, before;
	pthread_t keeper;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&keeper, NULL, keep, lock);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error ? wrong(lock->store.arguments, "cannot make a thread") :
		       EXIT_FINE;
}

static int take_and_hold(struct lock *lock, char **words)
{
	struct changed changed = { 0 };
	int result;

	heed_interrupts();
	result = enqueue(lock);
	if (!lock->lease)
		return result;
	if (!result)
		result = begin_keeping(lock);
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
	sigset_t signal;

	if (interrupted) {
		sigemptyset(&signal);
		sigaddset(&signal, interrupted);
		raise(interrupted);
		sigprocmask(SIG_UNBLOCK, &signal, NULL);
	}
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
