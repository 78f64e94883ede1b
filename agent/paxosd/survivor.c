// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include "survivor.h"

/* More than a kernel holds between the commit and the highest slot. */
#define SLOTS PAXOS_NL_LOG_SIZE_MAX

/* @slot: of what is here; @config: its bytes, if it is one. */
struct survivor_slot {
	uint64_t slot;
	void *config;
	uint32_t length;
};

static struct survivor_slot *slot_at(const struct survivor *survivor,
				     uint64_t slot)
{
	return &survivor->slots[slot % SLOTS];
}

int survivor_init(struct survivor *survivor, uint8_t self,
		  const struct configuration *first)
{
	memset(survivor, 0, sizeof(*survivor));
	survivor->self = self;
	survivor->configuration = *first;
	survivor->slots = calloc(SLOTS, sizeof(*survivor->slots));
	return survivor->slots ? 0 : -1;
}

void survivor_free(struct survivor *survivor)
{
	size_t i;

	for (i = 0; survivor->slots && i < SLOTS; i++)
		free(survivor->slots[i].config);
	free(survivor->slots);
	survivor->slots = NULL;
}

static int take_value(struct survivor *survivor, const struct record *record)
{
	struct survivor_slot *at = slot_at(survivor, record->slot);

	free(at->config);
	*at = (struct survivor_slot) { .slot = record->slot };
	if (record->slot > survivor->highest)
		survivor->highest = record->slot;
	if (record->kind != PAXOS_NL_KIND_CONFIG)
		return 0;
	at->length = record->length;
	at->config = malloc(record->length + 1);
	if (!at->config)
		return -1;
	memcpy(at->config, record->value, record->length);
	return 0;
}

/* As kmod/core/reconfigure.c has it: paxos_config_next(). */
static void deliver(struct survivor *survivor, uint64_t slot)
{
	struct survivor_slot *at = slot_at(survivor, slot);
	struct configuration *now = &survivor->configuration;
	struct configuration next;

	if (at->slot == slot && at->config &&
	    !configuration_decode(&next, at->config, at->length) &&
	    (!now->epoch || next.epoch == now->epoch + 1))
		*now = next;
}

static void commit(struct survivor *survivor, uint64_t to)
{
	if (to > survivor->highest)
		survivor->highest = to;
	/* Before what a log may hold undecided there is nothing to look at. */
	if (to - survivor->commit > SLOTS)
		survivor->commit = to - SLOTS;
	while (survivor->commit < to)
		deliver(survivor, ++survivor->commit);
}

int survivor_add(void *context, const struct record *record)
{
	struct survivor *survivor = context;
	struct configuration next;

	if (record->type >= WAL_SESSION)
		return 0;
	if (record->ballot > survivor->ballot)
		survivor->ballot = record->ballot;
	switch (record->type) {
	case PAXOS_NL_RECORD_ACCEPT:
		return take_value(survivor, record);
	case PAXOS_NL_RECORD_COMMIT:
		if (record->slot > survivor->commit)
			commit(survivor, record->slot);
		break;
	case PAXOS_NL_RECORD_TRIM:
		/* Its log begins behind that slot. */
		if (record->slot > survivor->highest)
			survivor->highest = record->slot;
		if (record->slot > survivor->commit)
			survivor->commit = record->slot;
		if (!configuration_of_checkpoint(&next, record->value,
						 record->length) &&
		    next.epoch > survivor->configuration.epoch)
			survivor->configuration = next;
		break;
	case PAXOS_NL_RECORD_CONFIG:
		if (!configuration_decode(&next, record->value,
					  record->length) &&
		    next.epoch > survivor->configuration.epoch)
			survivor->configuration = next;
		break;
	}
	return 0;
}

static const char *refusal(const struct survivor *survivor)
{
	const struct configuration *now = &survivor->configuration;
	const uint64_t bit = 1ULL << (survivor->self - 1);

	if (!now->epoch)
		return "this host has not learned yet that it is a member: it holds nothing to go on from";
	if (now->gone & bit)
		return "this host was removed from the group: what was chosen later it does not know. Recover another one";
	if (!((now->voters | now->learners) & bit))
		return "this host is no member of the group";
	if (survivor->missing > SURVIVOR_MISSING_MAX)
		return "too many slots are missing here: recover another member";
	return NULL;
}

static struct record *append(struct survivor_records *out, uint8_t type,
			     uint64_t slot)
{
	struct record *record = &out->records[out->n++];

	*record = (struct record) { .type = type, .slot = slot };
	return record;
}

static void append_config(struct survivor_records *out, uint8_t type,
			  uint64_t ballot, const struct record *like)
{
	struct record *record = append(out, type, out->slot);

	record->ballot = ballot;
	record->kind = PAXOS_NL_KIND_CONFIG;
	record->origin = like->origin;
	record->incarnation = like->incarnation;
	record->seq = like->seq;
	record->length = like->length;
	record->value = like->value;
}

static void fill(const struct survivor *survivor, uint64_t ballot,
		 uint64_t incarnation, uint32_t length,
		 struct survivor_records *out)
{
	const struct record config = {
		.origin = survivor->self,
		.incarnation = incarnation,
		.seq = 1,	/* without one no other member would take it */
		.length = length,
		.value = out->config,
	};
	uint64_t slot;

	append(out, PAXOS_NL_RECORD_PROMISE, 0)->ballot = ballot;
	for (slot = survivor->commit + 1; slot <= survivor->highest; slot++)
		if (slot_at(survivor, slot)->slot != slot)
			append(out, PAXOS_NL_RECORD_ACCEPT, slot)->ballot =
				ballot;
	if (survivor->highest > survivor->commit)
		append(out, PAXOS_NL_RECORD_COMMIT, survivor->highest);
	append_config(out, PAXOS_NL_RECORD_ACCEPT, ballot, &config);
	append(out, PAXOS_NL_RECORD_COMMIT, out->slot);
	append_config(out, PAXOS_NL_RECORD_CONFIG, 0, &config);
}

const char *survivor_decide(struct survivor *survivor,
			    const union address *address, uint64_t incarnation,
			    struct survivor_records *out)
{
	const uint64_t ballot = ((survivor->ballot >> 8) + 1) << 8 |
				survivor->self;
	const char *why;
	uint64_t slot;
	uint32_t length;

	survivor->missing = 0;
	for (slot = survivor->commit + 1; slot <= survivor->highest; slot++) {
		if (slot_at(survivor, slot)->slot != slot)
			survivor->missing++;
		deliver(survivor, slot);
	}
	why = refusal(survivor);
	if (why)
		return why;
	memset(out, 0, sizeof(*out));
	/* A promise, two commits and the configuration twice. */
	out->records = calloc(survivor->missing + 5, sizeof(*out->records));
	if (!out->records)
		return "out of memory";
	length = configuration_alone(out->config, &survivor->configuration,
				     survivor->self, address);
	out->slot = survivor->highest + 1;
	fill(survivor, ballot, incarnation, length, out);
	return NULL;
}
