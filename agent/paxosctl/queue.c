// SPDX-License-Identifier: GPL-2.0
/*
 * queue: first in, first out; each item is delivered at least once.
 *
 *	queue/NAME/order/ID	the item's place: in the order of create revisions
 *	queue/NAME/item/ID	what was pushed
 *	queue/NAME/claim/ID	who was given it, under a lease
 *
 * All three change in transactions. While there is a claim, nobody else is given
 * the item; an acknowledgement takes all three away, if the claim is still the
 * one that it names. A claim ends with its lease, and the item is the next again.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "print.h"
#include "recipe.h"

#define VISIBLE_MS	30000
#define WATCH_MS	1000

const struct option_spec queue_push_options[] = {
	OPTION_GROUP,
	OPTION_TIMEOUT,
	{ "id", 0, "ID", "its name: pushed twice, it is there once" },
	OPTION_END
};

const struct option_spec queue_pop_options[] = {
	OPTION_GROUP,
	OPTION_TIMEOUT,
	{ "ttl", 0, "TIME", "how long it is yours (default: 30s)" },
	{ "wait", 'w', "TIME", "for an item (default: none)" },
	{ "raw", 0, NULL, "its bytes; the rest on stderr" },
	OPTION_END
};

const struct option_spec queue_options[] = {
	OPTION_GROUP,
	OPTION_TIMEOUT,
	OPTION_END
};

/* An item's place; @claimed: somebody was given it. */
struct place {
	uint64_t create;
	bool claimed;
	char id[NAME_LENGTH + 1];
};

/**
 * struct listing - what is in a queue
 * @skip: bytes of a key before the id
 * @n_claims: items that somebody was given
 * @full: no memory for all
 */
struct listing {
	struct place *places;
	size_t n_places;
	size_t n_claims;
	size_t skip;
	bool full;
};

static void key_of(char key[RECIPE_KEY], const char *name, const char *part,
		   const char *id)
{
	snprintf(key, RECIPE_KEY, "queue/%s/%s/%s", name, part, id);
}

/* The id at the end of a key, or false: it is none of ours. */
static bool id_of(struct nlattr **pair, const struct listing *listing,
		  char id[NAME_LENGTH + 1])
{
	struct nlattr *attr = pair[PAXOS_KV_A_PAIR_KEY];
	const char *key = nla_data(attr);
	size_t length = nla_len(attr);

	if (length <= listing->skip || length - listing->skip > NAME_LENGTH)
		return false;
	key += listing->skip;
	length -= listing->skip;
	if (memchr(key, '/', length) || memchr(key, '\0', length))
		return false;
	memcpy(id, key, length);
	id[length] = '\0';
	return true;
}

static void take_place(struct nlattr **pair, void *arg)
{
	struct listing *listing = arg;
	struct place *grown, place = {
		.create = nla_get_u64(pair[PAXOS_KV_A_PAIR_CREATE]),
	};

	if (!id_of(pair, listing, place.id))
		return;
	/* a power of two: full */
	if (!(listing->n_places & (listing->n_places - 1))) {
		grown = realloc(listing->places,
				(listing->n_places ? listing->n_places * 2 : 1) *
					sizeof(place));
		if (!grown) {
			listing->full = true;
			return;
		}
		listing->places = grown;
	}
	listing->places[listing->n_places++] = place;
}

static int by_id(const void *a, const void *b)
{
	const struct place *left = a, *right = b;

	return strcmp(left->id, right->id);
}

static int by_create(const void *a, const void *b)
{
	const struct place *left = a, *right = b;

	return (left->create > right->create) - (left->create < right->create);
}

static void take_claim(struct nlattr **pair, void *arg)
{
	struct listing *listing = arg;
	struct place *place, wanted = { .create = 0 };

	if (!listing->n_places || !id_of(pair, listing, wanted.id))
		return;
	place = bsearch(&wanted, listing->places, listing->n_places,
			sizeof(wanted), by_id);
	if (place && !place->claimed) {
		place->claimed = true;
		listing->n_claims++;
	}
}

/*
 * All items, in their order, and who has one. *revision: behind it, what is
 * listed may have changed. @listing->places is the caller's to free.
 */
static int list(const struct store *store, const char *name,
		struct listing *listing, uint64_t *revision)
{
	char key[RECIPE_KEY];
	uint64_t later;
	int result;

	memset(listing, 0, sizeof(*listing));
	key_of(key, name, "order", "");
	listing->skip = strlen(key);
	result = store_each(store, key, revision, take_place, listing);
	if (result)
		return result;
	if (listing->full)
		return wrong(store->arguments, "no memory for so many items");
	if (listing->n_places)
		qsort(listing->places, listing->n_places,
		      sizeof(*listing->places), by_id);
	key_of(key, name, "claim", "");
	listing->skip = strlen(key);
	result = store_each(store, key, &later, take_claim, listing);
	if (listing->n_places)
		qsort(listing->places, listing->n_places,
		      sizeof(*listing->places), by_create);
	return result;
}

static int draw_id(const struct arguments *arguments, char id[NAME_LENGTH + 1])
{
	unsigned char bytes[8];
	size_t i;

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return wrong(arguments, "no random bytes: %s", strerror(errno));
	for (i = 0; i < sizeof(bytes); i++)
		sprintf(id + 2 * i, "%02x", bytes[i]);
	return EXIT_FINE;
}

static int push(const struct store *store, const char *name, const char *id,
		const void *value, size_t length)
{
	char order[RECIPE_KEY], item[RECIPE_KEY];
	struct changed changed = { 0 };
	struct nl_msg *request;
	int result;

	key_of(order, name, "order", id);
	key_of(item, name, "item", id);
	request = store_request(store, PAXOS_KV_CMD_TXN);
	item_put(request, PAXOS_KV_SECTION_IF, PAXOS_KV_TARGET_VERSION,
		 PAXOS_KV_RELATION_EQUAL, order, NULL, 0, 0);
	item_put(request, PAXOS_KV_SECTION_THEN, 0, PAXOS_KV_OPERATION_PUT,
		 order, "", 0, 0);
	item_put(request, PAXOS_KV_SECTION_THEN, 0, PAXOS_KV_OPERATION_PUT,
		 item, value, length, 0);
	result = store_change(store, request, &changed);
	if (result) {
		if (changed.outcome == PAXOS_NL_OUTCOME_UNKNOWN)
			complain("push it again with --id %s: it will be there once",
				 id);
		return result;
	}
	if (print_json) {
		json_object(NULL);
		json_string("id", id);
		json_bool("new", changed.succeeded);
		json_number("revision", changed.revision);
		json_end();
	} else {
		print("%s%s\n", id, changed.succeeded ? "" : "  was there");
	}
	return EXIT_FINE;
}

int run_queue_push(const struct arguments *arguments)
{
	const char *given = argument(arguments, "id");
	char id[NAME_LENGTH + 1];
	struct store store;
	const char *value;
	size_t length;
	int result;

	if (check_name(arguments, arguments->operands[0]) ||
	    (given && check_name(arguments, given)) ||
	    draw_id(arguments, id) ||
	    value_given(arguments, 1, &value, &length))
		return EXIT_ERROR;
	if (store_open(arguments, &store))
		return EXIT_ERROR;
	result = push(&store, arguments->operands[0], given ? given : id, value,
		      length);
	store_close(&store);
	return result;
}

/* What was popped, or the claim that was acknowledged; take_found() fills it. */
static struct {
	bool there;
	size_t length;
	uint64_t lease;
	char value[PAXOS_NL_VALUE_MAX];
} found;

static void take_found(struct nlattr **pair)
{
	struct nlattr *value = pair[PAXOS_KV_A_PAIR_VALUE];
	struct nlattr *lease = pair[PAXOS_KV_A_PAIR_LEASE];

	if (!value || (size_t)nla_len(value) > sizeof(found.value))
		return;
	found.there = true;
	found.length = nla_len(value);
	memcpy(found.value, nla_data(value), found.length);
	found.lease = lease ? nla_get_u64(lease) : 0;
}

/* A place without an item is nobody's: it would stand first for ever. */
static int forget(const struct store *store, const char *order,
		  const char *item)
{
	struct nl_msg *request = store_request(store, PAXOS_KV_CMD_TXN);
	struct changed changed = { 0 };

	item_put(request, PAXOS_KV_SECTION_IF, PAXOS_KV_TARGET_VERSION,
		 PAXOS_KV_RELATION_EQUAL, item, NULL, 0, 0);
	item_put(request, PAXOS_KV_SECTION_THEN, 0, PAXOS_KV_OPERATION_DELETE,
		 order, NULL, 0, 0);
	return store_change(store, request, &changed);
}

/* EXIT_FINE, with *token 0 where somebody else was faster. */
static int claim(const struct store *store, const char *name, const char *id,
		 uint64_t lease, uint64_t *token)
{
	char order[RECIPE_KEY], item[RECIPE_KEY], mine[RECIPE_KEY];
	struct changed changed = { .pair = take_found };
	struct nl_msg *request;
	int result;

	key_of(order, name, "order", id);
	key_of(item, name, "item", id);
	key_of(mine, name, "claim", id);
	found.there = false;
	request = store_request(store, PAXOS_KV_CMD_TXN);
	item_put(request, PAXOS_KV_SECTION_IF, PAXOS_KV_TARGET_VERSION,
		 PAXOS_KV_RELATION_GREATER, order, NULL, 0, 0);
	item_put(request, PAXOS_KV_SECTION_IF, PAXOS_KV_TARGET_VERSION,
		 PAXOS_KV_RELATION_GREATER, item, NULL, 0, 0);
	item_put(request, PAXOS_KV_SECTION_IF, PAXOS_KV_TARGET_VERSION,
		 PAXOS_KV_RELATION_EQUAL, mine, NULL, 0, 0);
	item_put(request, PAXOS_KV_SECTION_THEN, 0, PAXOS_KV_OPERATION_PUT,
		 mine, "", 0, lease);
	item_put(request, PAXOS_KV_SECTION_THEN, 0, PAXOS_KV_OPERATION_GET,
		 item, NULL, 0, 0);
	item_put(request, PAXOS_KV_SECTION_ELSE, 0, PAXOS_KV_OPERATION_GET,
		 item, NULL, 0, 0);
	result = store_change(store, request, &changed);
	*token = !result && changed.succeeded ? changed.revision : 0;
	if (!result && !*token && !found.there)
		result = forget(store, order, item);
	return result;
}

/* The first that nobody has; false: none. */
static bool choose(const struct listing *listing, char id[NAME_LENGTH + 1])
{
	size_t i;

	for (i = 0; i < listing->n_places; i++) {
		if (listing->places[i].claimed)
			continue;
		strcpy(id, listing->places[i].id);
		return true;
	}
	return false;
}

/**
 * struct popping - on the way to an item
 * @ttl: of the claim, in ms
 * @lease: of the claim; 0: none yet
 * @token: of the claim
 * @give_up: when to stop waiting for one
 */
struct popping {
	const struct store *store;
	const char *name;
	uint32_t ttl;
	uint64_t lease;
	uint64_t token;
	uint64_t give_up;
	char id[NAME_LENGTH + 1];
};

/* The claim ends, or was never made. */
static int drop(struct popping *popping)
{
	struct changed revoked = { 0 };
	uint64_t lease = popping->lease;

	popping->lease = 0;
	return change_lease(popping->store, PAXOS_KV_CMD_REVOKE, lease,
			    &revoked);
}

/* EXIT_FINE: @popping->token is set, or it is to be tried again. */
static int try_pop(struct popping *popping)
{
	const struct store *store = popping->store;
	struct changed granted = { 0 };
	struct listing listing;
	uint64_t revision = 0;
	char key[RECIPE_KEY];
	bool there;
	int result;

	result = list(store, popping->name, &listing, &revision);
	there = !result && choose(&listing, popping->id);
	free(listing.places);
	if (result)
		return result;
	if (there) {
		if (!popping->lease) {
			result = change_lease(store, PAXOS_KV_CMD_GRANT,
					      popping->ttl, &granted);
			popping->lease = granted.lease;
		}
		if (!result)
			result = claim(store, popping->name, popping->id,
				       popping->lease, &popping->token);
		if (!result && !popping->token)
			result = drop(popping);
		return result;
	}
	if (now_ms() >= popping->give_up)
		return wrong(store->arguments, "nothing is in the queue%s",
			     listing.n_places ? " that nobody was given" : "");
	snprintf(key, sizeof(key), "queue/%s/", popping->name);
	return store_wait(store, key, strlen(key), false, revision + 1,
			  WATCH_MS);
}

static void print_popped(const struct popping *popping, bool raw)
{
	if (print_json) {
		json_object(NULL);
		json_string("id", popping->id);
		json_number("token", popping->token);
		json_bytes("value", found.value, found.length);
		json_end();
	} else if (raw) {
		print_raw(found.value, found.length);
		fprintf(stderr, "%s %" PRIu64 "\n", popping->id,
			popping->token);
	} else {
		print("%s  %" PRIu64 "  ", popping->id, popping->token);
		print_escaped(found.value, found.length);
		print("\n");
	}
}

int run_queue_pop(const struct arguments *arguments)
{
	struct popping popping = {
		.name = arguments->operands[0],
		.ttl = VISIBLE_MS,
	};
	const char *wait = argument(arguments, "wait");
	uint32_t patience = 0;
	struct store store;
	int result;

	if (check_name(arguments, popping.name) ||
	    argument_ttl(arguments, "ttl", &popping.ttl))
		return EXIT_ERROR;
	if (wait && !parse_time(wait, &patience))
		return wrong(arguments, "--wait '%s': a time, such as 10s", wait);
	if (store_open(arguments, &store))
		return EXIT_ERROR;
	popping.store = &store;
	popping.give_up = now_ms() + patience;
	do
		result = try_pop(&popping);
	while (!result && !popping.token);
	if (!result)
		print_popped(&popping, argument(arguments, "raw"));
	else if (popping.lease)
		(void)drop(&popping);
	store_close(&store);
	return result;
}

static int acknowledge(const struct store *store, const char *name,
		       const char *id, uint64_t token)
{
	struct changed changed = { .pair = take_found };
	struct changed revoked = { 0 };
	char key[RECIPE_KEY];
	struct nl_msg *request;
	int result;

	request = store_request(store, PAXOS_KV_CMD_TXN);
	key_of(key, name, "claim", id);
	item_put(request, PAXOS_KV_SECTION_IF, PAXOS_KV_TARGET_MOD,
		 PAXOS_KV_RELATION_EQUAL, key, NULL, 0, token);
	item_put(request, PAXOS_KV_SECTION_THEN, 0, PAXOS_KV_OPERATION_GET,
		 key, NULL, 0, 0);
	item_put(request, PAXOS_KV_SECTION_THEN, 0, PAXOS_KV_OPERATION_DELETE,
		 key, NULL, 0, 0);
	key_of(key, name, "item", id);
	item_put(request, PAXOS_KV_SECTION_THEN, 0, PAXOS_KV_OPERATION_DELETE,
		 key, NULL, 0, 0);
	key_of(key, name, "order", id);
	item_put(request, PAXOS_KV_SECTION_THEN, 0, PAXOS_KV_OPERATION_DELETE,
		 key, NULL, 0, 0);
	result = store_change(store, request, &changed);
	if (result)
		return result;
	if (!changed.succeeded)
		return wrong(store->arguments, "'%s' is not yours any more: it was acknowledged, or took too long and is delivered again",
			     id);
	if (found.lease)
		(void)change_lease(store, PAXOS_KV_CMD_REVOKE, found.lease,
				   &revoked);
	if (print_json) {
		json_object(NULL);
		json_string("id", id);
		json_number("revision", changed.revision);
		json_end();
	}
	return EXIT_FINE;
}

int run_queue_ack(const struct arguments *arguments)
{
	char **words = arguments->operands;
	struct store store;
	uint64_t token;
	int result;

	if (check_name(arguments, words[0]) || check_name(arguments, words[1]))
		return EXIT_ERROR;
	if (!parse_number(words[2], 1, UINT64_MAX, &token))
		return wrong(arguments, "'%s' is no token: it comes with the item",
			     words[2]);
	if (store_open(arguments, &store))
		return EXIT_ERROR;
	result = acknowledge(&store, words[0], words[1], token);
	store_close(&store);
	return result;
}

int run_queue_len(const struct arguments *arguments)
{
	const char *name = arguments->operands[0];
	struct listing listing;
	uint64_t revision = 0;
	struct store store;
	int result;

	if (check_name(arguments, name) || store_open(arguments, &store))
		return EXIT_ERROR;
	result = list(&store, name, &listing, &revision);
	free(listing.places);
	store_close(&store);
	if (result)
		return result;
	if (print_json) {
		json_object(NULL);
		json_number("items", listing.n_places);
		json_number("claimed", listing.n_claims);
		json_end();
	} else {
		print("%zu items, %zu of them being worked on\n",
		      listing.n_places, listing.n_claims);
	}
	return EXIT_FINE;
}
