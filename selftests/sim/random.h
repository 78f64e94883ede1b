/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SIM_RANDOM_H
#define _SIM_RANDOM_H

#include <linux/types.h>

/*
 * xoshiro256** (Blackman, Vigna 2018), seeded by splitmix64. Integers only,
 * so that a seed means the same run on every machine.
 */
struct random {
	u64 s[4];
};

static inline u64 random_mix(u64 *state)
{
	u64 z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static inline void random_seed(struct random *random, u64 seed)
{
	for (int i = 0; i < 4; i++)
		random->s[i] = random_mix(&seed);
}

static inline u64 random_rotate(u64 x, int k)
{
	return x << k | x >> (64 - k);
}

static inline u64 random_u64(struct random *random)
{
	u64 *s = random->s;
	u64 result = random_rotate(s[1] * 5, 7) * 9;
	u64 t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = random_rotate(s[3], 45);
	return result;
}

/* 0 .. @bound - 1 */
static inline u64 random_below(struct random *random, u64 bound)
{
	return (u64)(((unsigned __int128)random_u64(random) * bound) >> 64);
}

/* @low .. @high */
static inline u64 random_between(struct random *random, u64 low, u64 high)
{
	return low + random_below(random, high - low + 1);
}

/* @low .. @high, each doubling as likely as the next. @low is not 0. */
static inline u64 random_scale(struct random *random, u64 low, u64 high)
{
	u64 doublings = 0;
	u64 top;

	while (low << (doublings + 1) <= high)
		doublings++;
	top = low << random_below(random, doublings + 1);
	return random_between(random, top, top * 2 < high ? top * 2 : high);
}

/* True @per_million times in a million. */
static inline bool random_chance(struct random *random, u32 per_million)
{
	return per_million && random_below(random, 1000000) < per_million;
}

#endif
