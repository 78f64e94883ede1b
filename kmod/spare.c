// SPDX-License-Identifier: GPL-2.0
#include <linux/mempool.h>
#include "paths.h"

/*
 * Memory for values that is there when there is no other, for groups that kernel
 * subsystems have hold of. What they propose may be what the machine waits for
 * to have memory again, so it must not wait for memory, and must not fail for
 * ever for want of it either. Values that are chosen make room for new ones
 * (paxos_value_new()), so a few are enough.
 */
#define SPARE_VALUES	64

/* So that a slab's object has no more than a page. */
static_assert(PAXOS_VALUE_SPARE + sizeof(struct paxos_value) <= 4096);

static void *spare_alloc(gfp_t gfp, void *unused)
{
	return paxos_value_memory(PAXOS_VALUE_SPARE, gfp);
}

static void spare_free(void *value, void *unused)
{
	paxos_value_release(value, PAXOS_VALUE_SPARE);
}

/* -ENOMEM; it stays until the group goes. */
int paxos_spare_make(struct paxos_group *group)
{
	mempool_t *pool = mempool_create(SPARE_VALUES, spare_alloc, spare_free,
					 NULL);

	if (!pool)
		return -ENOMEM;
	paxos_group_lock(group);
	if (!group->spare)
		swap(group->spare, pool);
	paxos_group_unlock(group);
	mempool_destroy(pool);
	return 0;
}

struct paxos_value *paxos_spare_alloc(struct paxos_group *group, u32 len)
{
	struct paxos_value *value;

	lockdep_assert_held(&group->lock);
	if (!group->spare || len > PAXOS_VALUE_SPARE)
		return NULL;
	value = mempool_alloc(group->spare, GFP_NOWAIT | __GFP_NOWARN);
	if (!value)
		return NULL;
	paxos_count(group->stats, PAXOS_COUNT_SPARES);
	value->spare = true;
	return value;
}

void paxos_spare_free(struct paxos_group *group, struct paxos_value *value)
{
	lockdep_assert_held(&group->lock);
	mempool_free(value, group->spare);
}
