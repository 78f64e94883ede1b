/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSCTL_KV_H
#define _PAXOSCTL_KV_H

#include <linux/paxos_kv.h>
#include "command.h"
#include "kernel.h"

/* A store of a group: the connection, how long to wait; @quiet: no complaints. */
struct store {
	const struct arguments *arguments;
	struct kernel *kernel;
	uint32_t group;
	uint32_t timeout;
	bool quiet;
};

/* What came of an entry. */
struct changed {
	unsigned int outcome;
	unsigned int status;
	bool succeeded;
	bool more;
	uint64_t revision;
	uint64_t deleted;
	uint64_t lease;
	void (*pair)(struct nlattr **attrs);	/* what a get found, or NULL */
};

/*
 * value_given - operand @i, or standard input where there is none, or "-"
 *
 * Returns EXIT_FINE with *value and *length, which live on; or EXIT_ERROR after
 * a complaint.
 */
int value_given(const struct arguments *arguments, unsigned int i,
		const char **value, size_t *length);
/* Returns 0, or -1 after a complaint. */
int store_open(const struct arguments *arguments, struct store *store);
void store_close(struct store *store);
struct nl_msg *store_request(const struct store *store, uint8_t cmd);
/* Say why the kernel did not. Returns an exit status. */
int store_complain(const struct store *store);
/*
 * store_change - propose what @request has, which it frees
 *
 * What was refused for want of a leader is tried again until the time is over.
 * Returns EXIT_FINE with *changed filled: chosen, and its status is OK; or
 * another exit status after a complaint.
 */
int store_change(const struct store *store, struct nl_msg *request,
		 struct changed *changed);

/* Takes a pair of an answer. */
typedef void (*pair_fn)(struct nlattr **attrs, void *arg);
/*
 * store_each - all keys with @prefix, linearizable; *revision: of what was shown
 *
 * Returns EXIT_FINE, or another exit status after a complaint.
 */
int store_each(const struct store *store, const char *prefix,
	       uint64_t *revision, pair_fn take, void *arg);
/* @key alone, as far as this host knows; as store_each(). */
int store_known(const struct store *store, const char *key, pair_fn take,
		void *arg);
/*
 * Until something happens to @key, or with not @exact to what begins with it, from
 * @revision on, or @timeout ms.
 */
int store_wait(const struct store *store, const char *key, size_t length,
	       bool exact, uint64_t revision, uint32_t timeout);

/* EXIT_FINE, or EXIT_ERROR after a complaint that @key is too long. */
int check_key(const struct arguments *arguments, const char *key);
/*
 * One item of a transaction. @target is 0 but for compares. What no entry can
 * hold is put so that the kernel refuses it. False: @request has no room.
 */
bool item_fits(struct nl_msg *request, unsigned int section,
	       unsigned int target, unsigned int what, const char *key,
	       const void *value, size_t length, uint64_t number);
/* The same, where it is one of a few. */
void item_put(struct nl_msg *request, unsigned int section,
	      unsigned int target, unsigned int what, const char *key,
	      const void *value, size_t length, uint64_t number);
/* A pair, as it is printed in an answer of @cmd. */
void pair_print(struct nlattr **attrs);

/*
 * kv get --quorum: what each member's store has of @key. @slot: up to where a
 * quorum said that the log goes; 0: none did. Returns an exit status.
 */
int quorum_show(const struct arguments *arguments, uint32_t group,
		const char *key, uint64_t slot);

/* kv watch, of one key or of all that begin with it. */
int watch_keys(const struct arguments *arguments, const char *key, bool exact);

extern const struct option_spec kv_get_options[];
extern const struct option_spec kv_put_options[];
extern const struct option_spec kv_del_options[];
extern const struct option_spec kv_txn_options[];
extern const struct option_spec kv_watch_options[];
extern const struct option_spec kv_change_options[];
extern const struct option_spec kv_status_options[];

int run_kv_get(const struct arguments *arguments);
int run_kv_put(const struct arguments *arguments);
int run_kv_del(const struct arguments *arguments);
int run_kv_txn(const struct arguments *arguments);
int run_kv_watch(const struct arguments *arguments);
int run_kv_lease(const struct arguments *arguments);
int run_kv_compact(const struct arguments *arguments);
int run_kv_limit(const struct arguments *arguments);
int run_kv_history(const struct arguments *arguments);
int run_kv_status(const struct arguments *arguments);

#endif
