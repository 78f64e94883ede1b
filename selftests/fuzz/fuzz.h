/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SELFTESTS_FUZZ_FUZZ_H
#define _SELFTESTS_FUZZ_FUZZ_H

#include "core/core.h"
#include "core/wire.h"

/* The bytes that steer a run; behind their end all is 0. */
struct input {
	const u8 *at;
	const u8 *end;
};

static inline u8 input_u8(struct input *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

static inline u16 input_u16(struct input *in)
{
	u16 low = input_u8(in);

	return low | input_u8(in) << 8;
}

/* Mostly small, at times anything. */
u64 input_u64(struct input *in);

/* A message with room for what it points to, made of @in; near @slot. */
struct made {
	struct paxos_message message;
	struct paxos_item items[PAXOS_ITEMS_MAX];
	struct paxos_range ranges[PAXOS_RANGES_MAX];
};

void message_from(struct input *in, struct made *made, u64 slot);

/* The target: what libFuzzer calls, and the driver where there is none. */
int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size);

#endif
