// SPDX-License-Identifier: GPL-2.0
#include <asm/byteorder.h>
#include "internal.h"

/*
 * A running checksum of the log: of all that was chosen and delivered from slot
 * 1 on, in one number, so that two members that are at the same slot can tell
 * whether they hold the same.
 *
 * It is there against memory and disks that fail and against mistakes in this
 * code, not against people; those the tags keep out. A step is one-to-one in the
 * sum so far: two sums that differ never meet again over equal values. It is also
 * one-to-one in each of its words, so no change within eight bytes goes unseen.
 *
 * All members compute the same, whatever their processor: who changes this
 * function must change the version of the agents' heartbeats.
 */

static u64 turn(u64 sum)
{
	return sum << 29 | sum >> 35;
}

/* Two words for one multiplication: this is run for every byte of the log. */
static u64 step(u64 sum, u64 a, u64 b)
{
	return turn(turn(sum ^ a) ^ b) * 0x9e3779b97f4a7c15ULL;
}

static u64 word_at(const u8 *bytes)
{
	__le64 word;

	memcpy(&word, bytes, sizeof(word));
	return le64_to_cpu(word);
}

static u64 add(u64 sum, const struct paxos_value *value, bool delivered)
{
	const u8 *at = value->bytes;
	u32 rest = value->len;
	u8 last[16] = {};

	sum = step(sum, value->origin.incarnation, value->origin.seq);
	sum = step(sum, value->len, (u64)value->kind << 16 |
				    (u64)value->origin.member << 8 | delivered);
	for (; rest >= 64; rest -= 64, at += 64) {
		sum = step(sum, word_at(at), word_at(at + 8));
		sum = step(sum, word_at(at + 16), word_at(at + 24));
		sum = step(sum, word_at(at + 32), word_at(at + 40));
		sum = step(sum, word_at(at + 48), word_at(at + 56));
	}
	for (; rest >= 16; rest -= 16, at += 16)
		sum = step(sum, word_at(at), word_at(at + 8));
	if (!rest)
		return sum;
	memcpy(last, at, rest);
	return step(sum, word_at(last), word_at(last + 8));
}

static void keep(struct paxos_core *core)
{
	core->recent[core->commit % PAXOS_CHECKSUMS_RECENT] = core->checksum;
	if (core->commit % PAXOS_CHECKSUM_EVERY == 0)
		core->marks[core->commit / PAXOS_CHECKSUM_EVERY %
			    PAXOS_CHECKSUM_MARKS] = core->checksum;
}

/*
 * paxos_checksum_add - @value was chosen in slot core->commit
 *
 * @delivered: not so a no-op, a configuration, and an origin that was delivered
 * before; they count all the same, for which slots these are must be the same,
 * too.
 */
void paxos_checksum_add(struct paxos_core *core,
			const struct paxos_value *value, bool delivered)
{
	core->checksum = add(core->checksum, value, delivered);
	keep(core);
}

/* That of all slots up to core->commit is @checksum; of others none is known. */
void paxos_checksum_begin(struct paxos_core *core, u64 checksum)
{
	memset(core->recent, 0, sizeof(core->recent));
	memset(core->marks, 0, sizeof(core->marks));
	core->checksum = checksum;
	keep(core);
}

u64 paxos_core_checksum(const struct paxos_core *core, u64 slot)
{
	const u64 ago = core->commit - slot;
	const u64 mark = slot / PAXOS_CHECKSUM_EVERY;

	if (!slot || slot > core->commit)
		return 0;
	if (ago < PAXOS_CHECKSUMS_RECENT)
		return core->recent[slot % PAXOS_CHECKSUMS_RECENT];
	if (slot % PAXOS_CHECKSUM_EVERY ||
	    core->commit / PAXOS_CHECKSUM_EVERY - mark >= PAXOS_CHECKSUM_MARKS)
		return 0;
	return core->marks[mark % PAXOS_CHECKSUM_MARKS];
}
