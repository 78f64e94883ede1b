// SPDX-License-Identifier: GPL-2.0
/*
 * The store of kmod/kv on top: half of the values are entries, each member
 * applies what it delivers, saves snapshots and comes back from them. After a
 * slot the stores of all members are the same, and what a full replay makes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "../kv/draw.h"
#include "sim.h"

#define U(x) ((unsigned long long)(x))

#define DIGEST_EVERY	16	/* slots; in between only what entries did */

/* Draws of its own: what the store does changes nothing else in a run. */
u64 sim_draw(const struct sim *sim, u64 a, u64 b, u64 bound)
{
	u64 state = sim->settings.seed * 0x9e3779b97f4a7c15 + (a << 32) + b;

	return random_mix(&state) % bound;
}

static u32 memory_left;

static void *memory_get(size_t size)
{
	return memory_left && !--memory_left ? NULL : malloc(size);
}

/* Make an entry of @proposal, if there is one for it that is short enough. */
void kv_propose(struct sim *sim, struct proposal *proposal)
{
	static u8 bytes[KV_ENTRY_MAX];
	struct random random;
	u32 len;

	if (sim->settings.fixed || sim_draw(sim, 1, sim->n_proposals, 2))
		return;
	random_seed(&random, sim_draw(sim, 2, sim->n_proposals, ~0ULL));
	len = draw_entry(&random, sim->chosen_max + 1, bytes);
	if (len > sim->settings.value_max)
		return;
	if (len > proposal->value.len)
		proposal->value.bytes = realloc(proposal->value.bytes, len);
	if (!proposal->value.bytes)
		abort();
	memcpy(proposal->value.bytes, bytes, len);
	proposal->value.len = len;
}

static u64 mix(u64 hash, u64 number)
{
	return random_rotate(hash ^ number, 29) * 0x9e3779b97f4a7c15;
}

/* Apply to @store; a hash of what that did, and at times of all that it is. */
static u64 apply(struct member *member, struct kv_store *store, u64 slot,
		 const void *bytes, u32 len)
{
	struct sim *sim = member->sim;
	struct kv_result result = { 0 };
	u64 hash = 1;
	int err;

	memory_left = sim_draw(sim, member->id + 10 * member->life, slot, 8);
	do {
		err = kv_apply(store, slot, bytes, len, &result);
	} while (err == -ENOMEM);
	memory_left = 0;
	if (err)
		broken(sim, LAW_STORE, "member %u cannot apply slot %llu: %d",
		       member->id, U(slot), err);
	sim->totals.kv_applied += result.type && !result.status;
	hash = mix(hash, result.status);
	hash = mix(hash, result.succeeded);
	hash = mix(hash, result.deleted);
	hash = mix(hash, store->used);
	if (slot % DIGEST_EVERY == 0)
		hash = mix(hash, digest(store));
	return hash;
}

/* Begin a snapshot now and then; it is written out some slots later. */
static void save(struct member *member, u64 slot)
{
	struct kv_store *store = &member->store;
	struct saved *saved = &member->saved;
	int len;

	if (!member->view) {
		if (sim_draw(member->sim, member->id, slot, SIM_SAVE_EVERY))
			return;
		member->view = kv_view_pin(store);
		member->view_slot = slot;
		return;
	}
	if (sim_draw(member->sim, member->id, slot, 8))
		return;
	/* another member's may have come meanwhile */
	if (member->view_slot <= saved->slot) {
		kv_view_unpin(store, member->view);
		member->view = NULL;
		return;
	}
	saved->len = 0;
	saved->slot = member->view_slot;
	do {
		saved->bytes = realloc(saved->bytes, saved->len + KV_PIECE_MAX);
		if (!saved->bytes)
			abort();
		len = kv_view_read(store, member->view,
				   saved->bytes + saved->len, KV_PIECE_MAX);
		saved->len += len;
	} while (len);
	kv_view_unpin(store, member->view);
	member->view = NULL;
	member->sim->totals.kv_saved++;
}

void kv_delivered(struct member *member, u64 number,
		  const struct paxos_value *value)
{
	struct sim *sim = member->sim;
	struct slot *slot = observer_slot(sim, number);
	u64 hash;

	/* what the log behind a snapshot repeats of it */
	if (!value || number <= member->store.applied)
		return;
	hash = apply(member, &member->store, number, value->bytes, value->len);
	if (slot->store && slot->store != hash)
		broken(sim, LAW_STORE,
		       "member %u: its store after slot %llu is not that of another",
		       member->id, U(number));
	slot->store = hash;
	save(member, number);
}

static int take(void *context, void *bytes, size_t len)
{
	struct saved *saved = context;

	if (len > saved->len - saved->at)
		return -EIO;
	memcpy(bytes, saved->bytes + saved->at, len);
	saved->at += len;
	return 0;
}

/* From its last snapshot. */
void kv_load(struct member *member)
{
	struct sim *sim = member->sim;
	int err;

	if (member->view)
		kv_view_unpin(&member->store, member->view);
	member->view = NULL;
	kv_store_clear(&member->store);
	kv_store_init(&member->store, memory_get, free,
		      sim_draw(sim, member->id, member->life, ~0ULL));
	member->saved.at = 0;
	err = kv_store_load(&member->store, take, NULL, &member->saved);
	if (err || member->store.applied != member->saved.slot)
		broken(sim, LAW_STORE,
		       "member %u: its snapshot of slot %llu: %d", member->id,
		       U(member->saved.slot), err);
	sim->totals.kv_loaded++;
}

/* A member begins a life: empty, or from its last snapshot. */
void kv_boot(struct member *member)
{
	struct sim *sim = member->sim;

	kv_store_init(&member->store, memory_get, free,
		      sim_draw(sim, member->id, member->life, ~0ULL));
	if (member->saved.len && sim_draw(sim, member->id, member->life, 4))
		kv_load(member);
}

void kv_gone(struct member *member)
{
	if (member->view)
		kv_view_unpin(&member->store, member->view);
	member->view = NULL;
	if (member->store.graves)
		broken(member->sim, LAW_MEMORY,
		       "member %u keeps what no view sees", member->id);
	kv_store_clear(&member->store);
}

/* At the end: what all of the log makes, from the first slot on. */
void kv_replay(struct sim *sim)
{
	struct kv_store store;
	u64 last = 0, hash;

	kv_store_init(&store, memory_get, free, sim->settings.seed);
	for (u64 number = 1; number <= sim->chosen_prefix; number++) {
		struct slot *slot = observer_slot(sim, number);

		if (slot->delivery != DELIVERY_BYTES)
			continue;
		hash = apply(sim->members[1], &store, number,
			     slot->chosen->bytes, slot->chosen->len);
		if (slot->store && slot->store != hash)
			broken(sim, LAW_STORE,
			       "a full replay differs after slot %llu",
			       U(number));
		last = number;
	}
	hash = digest(&store);
	for (u32 id = 1; id <= sim->n; id++) {
		struct member *member = sim->members[id];

		if (member->status == MEMBER_UP &&
		    member->store.applied == last &&
		    digest(&member->store) != hash)
			broken(sim, LAW_STORE,
			       "member %u: a full replay makes another store",
			       id);
	}
	kv_store_clear(&store);
}
