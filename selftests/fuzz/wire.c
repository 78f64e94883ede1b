// SPDX-License-Identifier: GPL-2.0
/*
 * Whatever the bytes: decode neither reads beyond them nor lets anything pass
 * that would not encode to the same bytes again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fuzz.h"

static void broken(const char *what)
{
	fprintf(stderr, "wire: %s\n", what);
	abort();
}

static void check(const u8 *bytes, size_t len)
{
	static struct paxos_item items[PAXOS_ITEMS_MAX];
	static struct paxos_range ranges[PAXOS_RANGES_MAX];
	struct paxos_wire_header header;
	struct paxos_message message;
	const u8 *at;
	u8 *again;
	u32 i;

	memset(&message, 0xa5, sizeof(message));
	if (paxos_wire_decode(bytes, len, &message))
		return;
	if (message.count > PAXOS_ITEMS_MAX)
		broken("more items than a message may have");
	at = message.body;
	for (i = 0; i < message.count; i++) {
		if (message.type == PAXOS_ACCEPTED) {
			at = paxos_wire_range(at, &ranges[i]);
			continue;
		}
		at = paxos_wire_item(at, &items[i]);
		if (items[i].len > PAXOS_VALUE_MAX)
			broken("a value is too long");
	}
	if (at != bytes + len)
		broken("the items do not end where the datagram does");
	if (message.type == PAXOS_ACCEPTED)
		message.ranges = ranges;
	else
		message.items = items;
	if (paxos_wire_size(&message) != len)
		broken("its size is another one");

	memcpy(&header, bytes, sizeof(header));
	again = malloc(len);
	paxos_wire_encode(&message, le32_to_cpu(header.group), again);
	/* But for the tag, which is the caller's. */
	if (memcmp(again + 8, bytes + 8, len - 8))
		broken("it encodes to other bytes");
	free(again);
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
	struct input in = { bytes, bytes + size };
	static struct made made;
	u8 *datagram;
	size_t len;
	u32 flips;

	check(bytes, size);	/* as it is */

	message_from(&in, &made, 1 + input_u8(&in));
	made.message.from = input_u8(&in);
	made.message.to = input_u8(&in);
	made.message.epoch = input_u64(&in);
	len = paxos_wire_size(&made.message);
	datagram = malloc(len + 8);
	paxos_wire_encode(&made.message, input_u64(&in), datagram);
	check(datagram, len);
	for (flips = input_u8(&in) % 4; flips; flips--)
		datagram[input_u16(&in) % len] ^= input_u8(&in);
	check(datagram, len);
	if (input_u8(&in) % 2) {
		memset(datagram + len, input_u8(&in), 8);
		len += input_u8(&in) % 9;
	} else {
		len -= input_u16(&in) % len;
	}
	datagram = realloc(datagram, len ? len : 1);
	check(datagram, len);
	free(datagram);
	return 0;
}
