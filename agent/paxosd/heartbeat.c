// SPDX-License-Identifier: GPL-2.0
#include <endian.h>
#include <sodium.h>
#include <string.h>
#include "heartbeat.h"

_Static_assert(crypto_shorthash_KEYBYTES == PAXOS_KEY_SIZE, "SipHash-2-4");
_Static_assert(crypto_shorthash_BYTES == HEARTBEAT_TAG_SIZE, "SipHash-2-4");

#define TAGGED offsetof(struct heartbeat_wire, tag)

/* Purposes of derived keys; 0 and 1 make the kernel's. */
enum {
	PURPOSE_HEARTBEAT_LOW = 2,
	PURPOSE_HEARTBEAT_HIGH = 3,
};

const char *heartbeat_drop_name(enum heartbeat_drop drop)
{
	static const char *const names[HEARTBEAT_DROPS] = {
		[HEARTBEAT_FINE] = "fine",
		[HEARTBEAT_SIZE] = "not of the size of a heartbeat",
		[HEARTBEAT_TAG] = "not under the key and Cluster of this group",
		[HEARTBEAT_VERSIONS] = "of another version",
		[HEARTBEAT_GROUP] = "of another group",
		[HEARTBEAT_MEMBER] = "not from another member to this one",
		[HEARTBEAT_REPLAY] = "repeated or late",
	};

	return names[drop];
}

void heartbeat_key(uint8_t derived[16], const uint8_t key[PAXOS_KEY_SIZE],
		   const uint8_t cluster[PAXOS_CLUSTER_SIZE])
{
	uint8_t input[PAXOS_CLUSTER_SIZE + 1];

	memcpy(input, cluster, PAXOS_CLUSTER_SIZE);
	input[PAXOS_CLUSTER_SIZE] = PURPOSE_HEARTBEAT_LOW;
	crypto_shorthash(derived, input, sizeof(input), key);
	input[PAXOS_CLUSTER_SIZE] = PURPOSE_HEARTBEAT_HIGH;
	crypto_shorthash(derived + 8, input, sizeof(input), key);
}

void heartbeat_encode(struct heartbeat_wire *wire,
		      const struct heartbeat *heartbeat, const uint8_t key[16])
{
	memset(wire, 0, sizeof(*wire));
	wire->version = HEARTBEAT_VERSION;
	wire->from = heartbeat->from;
	wire->to = heartbeat->to;
	wire->group = htole32(heartbeat->group);
	wire->life = htole64(heartbeat->life);
	wire->count = htole64(heartbeat->count);
	wire->incarnation = htole64(heartbeat->incarnation);
	wire->commit = htole64(heartbeat->commit);
	wire->applied = htole64(heartbeat->applied);
	wire->durable = htole64(heartbeat->durable);
	wire->stored = htole64(heartbeat->stored);
	wire->checksum = htole64(heartbeat->checksum);
	wire->mark = htole64(heartbeat->mark);
	wire->epoch = htole32(heartbeat->epoch);
	wire->writing = htole32(heartbeat->writing);
	wire->late = htole32(heartbeat->late);
	wire->kind = heartbeat->word.kind;
	wire->leader = heartbeat->word.leader;
	wire->flags = heartbeat->word.flags;
	wire->priority = heartbeat->word.priority;
	wire->successor = heartbeat->successor;
	wire->ballot = htole64(heartbeat->word.ballot);
	wire->hears = htole64(heartbeat->word.hears);
	wire->round = htole64(heartbeat->word.round);
	crypto_shorthash(wire->tag, (const uint8_t *)wire, TAGGED, key);
}

static void decode(struct heartbeat *heartbeat,
		   const struct heartbeat_wire *wire)
{
	heartbeat->from = wire->from;
	heartbeat->to = wire->to;
	heartbeat->group = le32toh(wire->group);
	heartbeat->life = le64toh(wire->life);
	heartbeat->count = le64toh(wire->count);
	heartbeat->incarnation = le64toh(wire->incarnation);
	heartbeat->commit = le64toh(wire->commit);
	heartbeat->applied = le64toh(wire->applied);
	heartbeat->durable = le64toh(wire->durable);
	heartbeat->stored = le64toh(wire->stored);
	heartbeat->checksum = le64toh(wire->checksum);
	heartbeat->mark = le64toh(wire->mark);
	heartbeat->epoch = le32toh(wire->epoch);
	heartbeat->writing = le32toh(wire->writing);
	heartbeat->late = le32toh(wire->late);
	heartbeat->successor = wire->successor;
	heartbeat->word = (struct election_word) {
		.kind = wire->kind,
		.leader = wire->leader,
		.flags = wire->flags,
		.priority = wire->priority,
		.ballot = le64toh(wire->ballot),
		.hears = le64toh(wire->hears),
		.round = le64toh(wire->round),
		.commit = heartbeat->commit,
		.writing = heartbeat->writing,
	};
}

/* Who lost its memory knows the others by their addresses only. */
static bool is_for(const struct heartbeat_filter *filter,
		   const struct heartbeat *heartbeat)
{
	return heartbeat->to == filter->self ||
	       (!heartbeat->to && heartbeat->word.flags & HEARTBEAT_LOST);
}

/* Who lost its memory says so until it is somebody else. */
static bool is_heard(const struct heartbeat_filter *filter,
		     const struct heartbeat *heartbeat)
{
	const uint8_t id = heartbeat->from;

	return id >= 1 && id <= PAXOS_NL_MEMBERS_MAX &&
	       (filter->members & 1ULL << (id - 1) ||
		heartbeat->word.flags & HEARTBEAT_LOST);
}

enum heartbeat_drop heartbeat_decode(struct heartbeat_filter *filter,
				     struct heartbeat *heartbeat,
				     const void *bytes, size_t size)
{
	uint8_t tag[HEARTBEAT_TAG_SIZE];
	struct heartbeat_wire wire;

	if (size != sizeof(wire))
		return HEARTBEAT_SIZE;
	memcpy(&wire, bytes, sizeof(wire));
	crypto_shorthash(tag, (const uint8_t *)&wire, TAGGED, filter->key);
	if (sodium_memcmp(tag, wire.tag, sizeof(tag)))
		return HEARTBEAT_TAG;
	if (wire.version != HEARTBEAT_VERSION)
		return HEARTBEAT_VERSIONS;
	decode(heartbeat, &wire);
	if (heartbeat->group != filter->group)
		return HEARTBEAT_GROUP;
	if (!is_for(filter, heartbeat) || heartbeat->from == filter->self ||
	    !is_heard(filter, heartbeat))
		return HEARTBEAT_MEMBER;
	if (heartbeat->life < filter->last[heartbeat->from].life ||
	    (heartbeat->life == filter->last[heartbeat->from].life &&
	     heartbeat->count <= filter->last[heartbeat->from].count))
		return HEARTBEAT_REPLAY;
	filter->last[heartbeat->from].life = heartbeat->life;
	filter->last[heartbeat->from].count = heartbeat->count;
	return HEARTBEAT_FINE;
}
