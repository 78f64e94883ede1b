// SPDX-License-Identifier: GPL-2.0
/*
 * Random inputs for a fuzz target where libFuzzer is not: some of a fixed
 * seed, some of a fresh one that is printed.
 *
 * usage: TARGET [--runs N] [--seed N]	a run is one input
 *        TARGET FILE...		inputs that libFuzzer found
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "fuzz.h"

#define FIXED	20261122
#define SIZE	4096

static u64 state;

/* splitmix64 (Steele, Lea, Flood 2014) */
static u64 draw(void)
{
	u64 z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* Each run from a seed of its own, so that one can be run again alone. */
static void run(u64 seed)
{
	size_t size, i;
	u8 *bytes;

	state = seed;
	size = draw() % (draw() % 8 ? 512 : SIZE);
	bytes = malloc(size + 1);
	for (i = 0; i < size; i++)
		bytes[i] = draw();
	LLVMFuzzerTestOneInput(bytes, size);
	free(bytes);
}

static void runs(const char *name, u64 seed, u64 count)
{
	u64 i;

	printf("# %s: from seed %llu\n", name, (unsigned long long)seed);
	fflush(stdout);
	for (i = 0; i < count; i++)
		run(seed + i);
	printf("ok %s: %llu inputs from seed %llu\n", name,
	       (unsigned long long)count, (unsigned long long)seed);
}

static int replay(const char *path)
{
	FILE *file = fopen(path, "rb");
	u8 *bytes = malloc(1 << 20);
	size_t size;

	if (!file) {
		perror(path);
		return 1;
	}
	size = fread(bytes, 1, 1 << 20, file);
	fclose(file);
	LLVMFuzzerTestOneInput(bytes, size);
	free(bytes);
	return 0;
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 :
						   argv[0];
	u64 count = 2000, seed = 0;
	bool seeded = false;
	int i, status = 0;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--runs") && i + 1 < argc) {
			count = strtoull(argv[++i], NULL, 0);
		} else if (!strcmp(argv[i], "--seed") && i + 1 < argc) {
			seed = strtoull(argv[++i], NULL, 0);
			seeded = true;
		} else if (argv[i][0] != '-') {
			status |= replay(argv[i]);
			count = 0;
		} else {
			fprintf(stderr, "usage: %s [--runs N] [--seed N] | FILE...\n",
				name);
			return 2;
		}
	}
	if (seeded) {
		runs(name, seed, count);
	} else if (count) {
		runs(name, FIXED, count);
		if (getrandom(&seed, 4, 0) != 4)
			seed = 1;
		runs(name, seed, count);
	}
	return status;
}
