// SPDX-License-Identifier: GPL-2.0
/* What happens next: a binary heap by time, and by order where that is equal. */
#include <stdlib.h>
#include "sim.h"

static bool before(const struct event *a, const struct event *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

void schedule_add(struct sim *sim, u64 at, enum event_kind kind, u8 member,
		  u32 generation, struct packet *packet)
{
	struct schedule *schedule = &sim->schedule;
	struct event event = {
		.at = at < sim->now ? sim->now : at,
		.order = schedule->order++,
		.packet = packet,
		.generation = generation,
		.kind = kind,
		.member = member,
	};
	u32 i;

	if (schedule->count == schedule->cap) {
		schedule->cap = schedule->cap ? schedule->cap * 2 : 256;
		schedule->heap = realloc(schedule->heap, schedule->cap *
					 sizeof(*schedule->heap));
		if (!schedule->heap)
			abort();
	}
	for (i = schedule->count++; i; i = (i - 1) / 2) {
		if (!before(&event, &schedule->heap[(i - 1) / 2]))
			break;
		schedule->heap[i] = schedule->heap[(i - 1) / 2];
	}
	schedule->heap[i] = event;
}

bool schedule_next(struct sim *sim, struct event *event)
{
	struct schedule *schedule = &sim->schedule;
	struct event last;
	u32 i = 0, child;

	if (!schedule->count)
		return false;
	*event = schedule->heap[0];
	last = schedule->heap[--schedule->count];
	for (;;) {
		child = 2 * i + 1;
		if (child >= schedule->count)
			break;
		if (child + 1 < schedule->count &&
		    before(&schedule->heap[child + 1], &schedule->heap[child]))
			child++;
		if (!before(&schedule->heap[child], &last))
			break;
		schedule->heap[i] = schedule->heap[child];
		i = child;
	}
	schedule->heap[i] = last;
	return true;
}

void schedule_free(struct schedule *schedule)
{
	while (schedule->count)
		free(schedule->heap[--schedule->count].packet);
	free(schedule->heap);
}
