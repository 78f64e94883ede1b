// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include "bench.h"

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

void samples_print(const char *key, const struct run *run, uint64_t *samples)
{
	uint32_t n = run->rounds;

	samples += run->warmup;
	qsort(samples, n, sizeof(*samples), compare);
	printf("%s %u %llu %llu %llu %u\n", key, run->size,
	       (unsigned long long)samples[n / 2],
	       (unsigned long long)samples[n / 10],
	       (unsigned long long)samples[n - 1 - n / 10], n);
	fflush(stdout);
}
