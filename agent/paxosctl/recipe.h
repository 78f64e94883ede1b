/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSCTL_RECIPE_H
#define _PAXOSCTL_RECIPE_H

/* What locks, elections, queues and services have in common: names and leases. */

#include "kv.h"

#define NAME_LENGTH	255
#define RECIPE_KEY	1024
#define TTL_MS		10000
#define TTL_MIN_MS	1000

extern const struct option_spec lock_options[];
extern const struct option_spec elect_options[];
extern const struct option_spec queue_push_options[];
extern const struct option_spec queue_pop_options[];
extern const struct option_spec queue_options[];
extern const struct option_spec service_register_options[];
extern const struct option_spec service_options[];
extern const struct option_spec service_watch_options[];

int run_lock(const struct arguments *arguments);
int run_elect(const struct arguments *arguments);
int run_queue_push(const struct arguments *arguments);
int run_queue_pop(const struct arguments *arguments);
int run_queue_ack(const struct arguments *arguments);
int run_queue_len(const struct arguments *arguments);
int run_service_register(const struct arguments *arguments);
int run_service_list(const struct arguments *arguments);
int run_service_watch(const struct arguments *arguments);

/* Part of a key. Returns EXIT_FINE, or EXIT_ERROR after a complaint. */
int check_name(const struct arguments *arguments, const char *name);
/* --@option, *ms as it is where that was not given; likewise. */
int argument_ttl(const struct arguments *arguments, const char *option,
		 uint32_t *ms);
/* GRANT, KEEP or REVOKE; as store_change(). */
int change_lease(const struct store *store, uint8_t cmd, uint64_t number,
		 struct changed *changed);

#endif
