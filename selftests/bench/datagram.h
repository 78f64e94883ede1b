/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _BENCH_DATAGRAM_H
#define _BENCH_DATAGRAM_H

#include <linux/types.h>
#include "bench.h"
#include "core/wire.h"

#define DATAGRAM_ANSWER_MAX	2048
#define DATAGRAM_BALLOT		((1ULL << 8) | 1)	/* round 1, member 1 */

extern const uint8_t bench_secret[16];
extern const uint8_t bench_cluster[16];

/* Fills in the tag that covers the rest. */
void datagram_tag(uint8_t *datagram, size_t len);
bool datagram_authentic(const uint8_t *datagram, size_t len);

/*
 * An Accept of member 1 to member @to for each round, ready to send: slot 1,
 * 2, 3 ... of a value of run->size bytes each, all below it chosen. *@size is
 * that of each. The caller frees them.
 */
uint8_t *datagram_accepts(const struct run *run, uint8_t to, uint32_t *size);
/* Ends the program unless @answer accepts the value of round @round. */
void datagram_check_accepted(const uint8_t *answer, uint32_t round);

#endif
