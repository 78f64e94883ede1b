/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSD_HELD_H
#define _PAXOSD_HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/paxos.h>
#include <linux/paxos_kv.h>

#define HELD_ERROR_MAX	4095

/**
 * struct held - what a host's store has of a key
 * @applied: slot up to which it has applied the log
 * @create, @mod, @version, @lease: of the pair, if it was @found
 * @error: errno: why it has no answer; 0: it has
 * @found: there is such a key
 * @length: of @value
 */
struct held {
	uint64_t applied;
	uint64_t create;
	uint64_t mod;
	uint64_t version;
	uint64_t lease;
	uint32_t error;
	bool found;
	uint32_t length;
	uint8_t value[PAXOS_NL_VALUE_MAX];
};

/* Of the store in this kernel, which holds it from then on. */
void held_get(uint32_t group, const void *key, size_t length,
	      struct held *held);

#endif
