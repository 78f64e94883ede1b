// SPDX-License-Identifier: GPL-2.0
/*
 * Datagrams as bytes: lost, repeated, late, out of order, cut off one way or
 * both, and now and then one that is not meant for whom it reaches.
 */
#include <linux/minmax.h>
#include <stdlib.h>
#include <string.h>
#include "sim.h"

static struct packet *packet_new(u8 from, u8 to, u32 len)
{
	struct packet *packet = malloc(sizeof(*packet) + len);

	if (!packet)
		abort();
	packet->from = from;
	packet->to = to;
	packet->tampered = 0;
	packet->len = len;
	return packet;
}

static struct packet *packet_copy(const struct packet *packet)
{
	struct packet *copy = packet_new(packet->from, packet->to, packet->len);

	memcpy(copy->bytes, packet->bytes, packet->len);
	return copy;
}

static u64 transit(struct sim *sim)
{
	u64 usual = sim->settings.network;

	if (sim_chance(sim, KNOB_DELAY))
		return random_scale(&sim->random, usual, 4 * SIM_SECOND);
	return random_between(&sim->random, usual / 2, usual * 3 / 2);
}

static void put_u32(u8 *at, u32 value)
{
	for (int i = 0; i < 4; i++)
		at[i] = value >> 8 * i;
}

/*
 * What a datagram would be that came from another configuration, another
 * version, a stranger, or was cut short: @packet is changed into it, and
 * remembers as what it must be dropped.
 */
static bool tamper(struct sim *sim, struct packet *packet)
{
	struct random *random = &sim->random;
	u8 type = packet->bytes[offsetof(struct paxos_wire_header, type)];

	switch (random_below(random, 6)) {
	case 0:
		if (type == PAXOS_FETCH || type == PAXOS_CHOSEN ||
		    type == PAXOS_DONE)
			return false;	/* good in any epoch */
		put_u32(packet->bytes + offsetof(struct paxos_wire_header,
						 epoch), 1000);
		packet->tampered = PAXOS_DROP_EPOCH;
		break;
	case 1:
		put_u32(packet->bytes + offsetof(struct paxos_wire_header,
						 epoch), 0);
		packet->bytes[offsetof(struct paxos_wire_header, from)] =
			random_below(random, 2) ? packet->to :
			PAXOS_MEMBERS_MAX - random_below(random, 8);
		packet->tampered = PAXOS_DROP_SENDER;
		break;
	case 2:
		packet->bytes[offsetof(struct paxos_wire_header, to)] =
			PAXOS_MEMBERS_MAX - random_below(random, 8);
		packet->tampered = PAXOS_DROP_ADDRESSEE;
		break;
	case 3:
		packet->bytes[offsetof(struct paxos_wire_header, version)]++;
		packet->tampered = PAXOS_DROP_VERSION;
		break;
	case 4:
		packet->len -= random_between(random, 1,
					      packet->len < 8 ? packet->len :
								8);
		packet->tampered = PAXOS_DROP_SHORT;
		break;
	default:
		packet->bytes[offsetof(struct paxos_wire_header, type)] =
			random_between(random, PAXOS_TYPES, 255);
		packet->tampered = PAXOS_DROP_TYPE;
		break;
	}
	sim->totals.foreign++;
	return true;
}

/* Accepts whose first slot is odd are a type of their own. */
#define ACCEPT_ODD	31
/* What makes others follow, or know of a higher ballot. */
#define LEADS		(1U << PAXOS_PREPARE | 1U << PAXOS_ACCEPT | \
			 1U << ACCEPT_ODD | 1U << PAXOS_COMMIT)

static u32 type_bit(const struct paxos_message *message)
{
	struct paxos_item item;

	if (message->type == PAXOS_ACCEPT) {
		paxos_wire_item(message->body, &item);
		if (item.slot & 1)
			return 1U << ACCEPT_ODD;
	}
	return 1U << message->type;
}

void network_send(struct member *member, const struct paxos_message *message)
{
	struct sim *sim = member->sim;
	size_t size = paxos_wire_size(message);
	struct paxos_message decoded;
	struct packet *packet;
	enum paxos_drop drop;
	u64 late;

	if (size > PAXOS_DATAGRAM_MAX)
		broken(sim, LAW_WINDOW, "member %u sends a datagram of %zu bytes",
		       member->id, size);
	if (message->count > 1 && message->type != PAXOS_ACCEPTED &&
	    size > member->core.settings.payload)
		broken(sim, LAW_WINDOW,
		       "member %u packs %u items into %zu bytes, over %u",
		       member->id, message->count, size,
		       member->core.settings.payload);
	packet = packet_new(message->from, message->to, size);
	paxos_wire_encode(message, SIM_GROUP, packet->bytes);
	drop = paxos_wire_decode(packet->bytes, size, &decoded);
	if (drop)
		broken(sim, LAW_WHOLE,
		       "member %u sends type %u, which does not decode: %u",
		       member->id, message->type, drop);
	trace_message(sim, "said", &decoded, 0);
	spy_said(member, &decoded);
	sim->totals.datagrams++;

	if (sim_chance(sim, KNOB_FOREIGN)) {
		struct packet *foreign = packet_copy(packet);

		if (tamper(sim, foreign))
			schedule_add(sim, sim->now + transit(sim),
				     EVENT_ARRIVE, foreign->to, 0, foreign);
		else
			free(foreign);
	}
	if (sim->settings.knobs[KNOB_REPLAY] &&
	    !random_below(&sim->random, message->type == PAXOS_ACCEPT ? 2 : 16)) {
		u32 i = random_below(&sim->random, SIM_KEPT);

		free(sim->kept[i]);
		sim->kept[i] = packet_copy(packet);
	}
	if (sim->cut[message->from][message->to] ||
	    sim->lost[message->from][message->to] & type_bit(&decoded) ||
	    sim_chance(sim, KNOB_LOSS)) {
		free(packet);
		return;
	}
	while (sim_chance(sim, KNOB_DUPLICATE))
		schedule_add(sim, sim->now + transit(sim), EVENT_ARRIVE,
			     packet->to, 0, packet_copy(packet));
	late = sim->late[message->from][message->to] & type_bit(&decoded) ?
	       random_scale(&sim->random, SIM_BEAT, SIM_SECOND) : 0;
	schedule_add(sim, sim->now + late + transit(sim), EVENT_ARRIVE,
		     packet->to, 0, packet);
}

/* A tag says who sent a datagram, not when: an old one comes again. */
void network_replay(struct sim *sim)
{
	struct packet *packet =
		sim->kept[random_below(&sim->random, SIM_KEPT)];

	if (!packet)
		return;
	sim->totals.replayed++;
	schedule_add(sim, sim->now + transit(sim), EVENT_ARRIVE, packet->to, 0,
		     packet_copy(packet));
}

/* What the module does with a datagram, its tag aside. */
void network_arrive(struct sim *sim, struct packet *packet)
{
	struct member *member = sim->members[packet->to];
	struct paxos_message message;
	enum paxos_drop drop;
	u32 skew = sim->totals.datagrams % 8;
	u8 *memory, *bytes;

	if (member->status == MEMBER_DOWN) {
		free(packet);
		return;
	}
	/* not aligned, and nothing behind it, so that a sanitizer sees it */
	memory = malloc(packet->len + skew + 1);
	if (!memory)
		abort();
	bytes = memory + skew + 1;
	memcpy(bytes, packet->bytes, packet->len);
	drop = paxos_wire_decode(bytes, packet->len, &message);
	if (!drop)
		member_receive(member, &message, packet->tampered);
	else if (drop != packet->tampered)
		broken(sim, LAW_NOBODY, "decode says %u, not %u", drop,
		       packet->tampered);
	else
		sim->totals.drops[drop]++;
	free(memory);
	free(packet);
}

static void cut(struct sim *sim, u8 a, u8 b)
{
	sim->cut[a][b] = true;
	sim->cut[b][a] = true;
}

void network_heal(struct sim *sim)
{
	memset(sim->cut, 0, sizeof(sim->cut));
	sim->heal_at = 0;
}

void network_unmask(struct sim *sim)
{
	memset(sim->lost, 0, sizeof(sim->lost));
	memset(sim->late, 0, sizeof(sim->late));
}

/* Lose what @one says of @types to each with a chance of @share in 4. */
static void lose(struct sim *sim, u8 one, u32 types, u32 share)
{
	for (u8 to = 1; to <= sim->n; to++)
		if (random_below(&sim->random, 4) < share)
			sim->lost[one][to] |= types;
}

/* The highest ballot in which @member voted and does not know what was chosen. */
static u64 open_vote(const struct member *member)
{
	const struct paxos_core *core = &member->core;
	u64 highest = 0;

	for (u64 slot = core->commit + 1; slot <= core->log.last; slot++) {
		const struct paxos_entry *entry =
			paxos_log_entry(&core->log, slot);

		if (!(entry->flags & PAXOS_ENTRY_CHOSEN))
			highest = max(highest, entry->ballot);
	}
	return highest;
}

/*
 * Those whose vote is the newest of all hear nothing of @one, or who has any
 * no @types, so that what @one proposes again stays as old as it was with them.
 */
static void lose_voters(struct sim *sim, u8 one, u32 types, bool any)
{
	u64 newest = 1;
	u8 to;

	for (to = 1; to <= sim->n; to++)
		newest = max(newest, open_vote(sim->members[to]));
	for (to = 1; to <= sim->n; to++)
		if (open_vote(sim->members[to]) >= (any ? 1 : newest))
			sim->lost[one][to] |= types;
}

/*
 * Until @one campaigns again some do not hear its Prepare, others not its
 * Accepts, or every other one, or its Commits, and the Promises to it may take
 * long. Who leads or would lead rather hears nothing of it, nor who has just
 * voted, so that what is older is found. What ten datagrams
 * bring about, of which five must be lost and five arrive, is never seen where
 * each of them is lost for itself.
 */
void network_mask(struct sim *sim, u8 one)
{
	static const u32 accepts[] = {
		1U << PAXOS_ACCEPT, 1U << ACCEPT_ODD,
		1U << PAXOS_ACCEPT | 1U << ACCEPT_ODD,
	};
	struct random *random = &sim->random;
	u32 late = random_below(random, 2) << PAXOS_PROMISE;
	u32 accept = accepts[random_below(random, 3)];

	for (u8 to = 1; to <= sim->n; to++) {
		sim->lost[one][to] = 0;
		sim->late[to][one] = late;
		if (sim->members[to]->core.role != PAXOS_FOLLOWER &&
		    random_below(random, 2))
			sim->lost[one][to] = LEADS;
	}
	if (random_below(random, 3))
		lose_voters(sim, one, LEADS, false);
	else
		lose(sim, one, LEADS, random_below(random, 2));
	lose(sim, one, 1U << PAXOS_PREPARE, random_below(random, 2));
	if (random_below(random, 2))
		lose(sim, one, accept, 2 * random_below(random, 3));
	else
		lose_voters(sim, one, accept, true);
	lose(sim, one, 1U << PAXOS_COMMIT, random_below(random, 5));
	lose(sim, one, 1U << PAXOS_READ, random_below(random, 4));
	sim->totals.masks++;
	trace(sim, "is heard in part", one, 0, 0, 0);
}

/* Members in a random order, in @order[0] .. @order[n - 1]. */
static void shuffle(struct sim *sim, u8 *order)
{
	for (u32 i = 0; i < sim->n; i++) {
		u32 j = random_below(&sim->random, i + 1);

		order[i] = order[j];
		order[j] = i + 1;
	}
}

void network_partition(struct sim *sim)
{
	struct random *random = &sim->random;
	u8 order[SIM_MEMBERS_MAX];
	u32 n = sim->n, kind = random_below(random, 9), side, i, j;

	network_heal(sim);
	shuffle(sim, order);
	switch (kind) {
	case 0:		/* one is alone */
		for (i = 1; i < n; i++)
			cut(sim, order[0], order[i]);
		break;
	case 1:		/* one hears nobody */
		for (i = 1; i < n; i++)
			sim->cut[order[i]][order[0]] = true;
		break;
	case 2:		/* nobody hears one */
		for (i = 1; i < n; i++)
			sim->cut[order[0]][order[i]] = true;
		break;
	case 3:		/* two sides */
	case 7:		/* with one in the middle that hears both */
	case 8:		/* with the learners in the middle */
		side = random_between(random, 1, n - 1);
		for (i = 0; i < side; i++)
			for (j = side; j < n; j++)
				if (kind == 3 ||
				    (kind == 7 && j != n - 1) ||
				    (kind == 8 &&
				     paxos_config_votes(sim_config(sim),
							order[i]) &&
				     paxos_config_votes(sim_config(sim),
							order[j])))
					cut(sim, order[i], order[j]);
		break;
	case 4:		/* a chain: each hears its neighbours only */
	case 5:		/* a ring */
		for (i = 0; i < n; i++)
			for (j = i + 2; j < n; j++)
				if (kind == 4 || i || j != n - 1)
					cut(sim, order[i], order[j]);
		break;
	default:	/* links fail, each direction for itself */
		side = random_between(random, 1, 3);
		for (i = 0; i < n; i++)
			for (j = 0; j < n; j++)
				if (random_below(random, 4) < side)
					sim->cut[order[i]][order[j]] = true;
		break;
	}
	sim->heal_at = sim->now +
		       random_scale(random, 20000, 8 * SIM_SECOND);
	sim->totals.partitions++;
	trace(sim, "the network is cut, kind %u", 0, kind, 0, 0);
}
