// SPDX-License-Identifier: GPL-2.0
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include "core/ballot.h"
#include "datagram.h"

const uint8_t bench_secret[16] = "the bench's key";
const uint8_t bench_cluster[16] = "the bench's own";

/* The key of datagrams between members: kmod/auth.c derives it alike. */
static const uint8_t *key(void)
{
	static uint8_t derived[16];
	static bool made;
	uint8_t text[17];
	int half;

	if (made)
		return derived;
	memcpy(text, bench_cluster, 16);
	for (half = 0; half < 2; half++) {
		text[16] = half;
		crypto_shorthash(derived + 8 * half, text, sizeof(text),
				 bench_secret);
	}
	made = true;
	return derived;
}

void datagram_tag(uint8_t *datagram, size_t len)
{
	crypto_shorthash(datagram, datagram + sizeof(__le64),
			 len - sizeof(__le64), key());
}

bool datagram_authentic(const uint8_t *datagram, size_t len)
{
	uint8_t tag[sizeof(__le64)];

	if (len < sizeof(struct paxos_wire_header))
		return false;
	crypto_shorthash(tag, datagram + sizeof(tag), len - sizeof(tag), key());
	return !memcmp(tag, datagram, sizeof(tag));
}

uint8_t *datagram_accepts(const struct run *run, uint8_t to, uint32_t *size)
{
	uint32_t n = run_total(run), i;
	uint8_t *value = place_alloc(run->size), *datagrams;
	struct paxos_item item = {
		.ballot = DATAGRAM_BALLOT,
		.origin = { .incarnation = 1, .member = 1 },
		.len = run->size,
		.kind = PAXOS_DATA,
		.bytes = value,
	};
	struct paxos_message message = {
		.type = PAXOS_ACCEPT,
		.from = 1,
		.to = to,
		.epoch = 1,
		.stamp = 1,
		.ballot = DATAGRAM_BALLOT,
		.count = 1,
		.items = &item,
	};

	*size = paxos_wire_size(&message);
	datagrams = place_alloc((size_t)n * *size);
	for (i = 0; i < n; i++) {
		item.slot = i + 1;
		item.origin.seq = i + 1;
		message.commit = i;
		paxos_wire_encode(&message, BENCH_GROUP,
				  datagrams + (size_t)i * *size);
		datagram_tag(datagrams + (size_t)i * *size, *size);
	}
	free(value);
	return datagrams;
}

void datagram_check_accepted(const uint8_t *answer, uint32_t round)
{
	const size_t len = sizeof(struct paxos_wire_header) +
			   sizeof(struct paxos_wire_accepted) +
			   sizeof(struct paxos_wire_range);
	struct paxos_message message;
	struct paxos_range range;

	if (!datagram_authentic(answer, len) ||
	    paxos_wire_decode(answer, len, &message) != PAXOS_DROP_NONE ||
	    message.type != PAXOS_ACCEPTED ||
	    message.ballot != DATAGRAM_BALLOT || message.count != 1)
		fail("round %u was not answered with an Accepted", round);
	paxos_wire_range(message.body, &range);
	if (range.first != round + 1 || range.count != 1)
		fail("round %u: Accepted for slot %llu and %u in all", round,
		     (unsigned long long)range.first, range.count);
}
