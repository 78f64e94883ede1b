/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINEARIZABILITY_SEARCH_H
#define _LINEARIZABILITY_SEARCH_H

#include "history.h"

enum verdict {
	LINEARIZABLE,
	NOT_LINEARIZABLE,
	UNDECIDED,		/* more than @limit configurations */
};

/**
 * struct found - what came of a search
 * @verdict: enum verdict
 * @configurations: that were looked at
 * @reached: operations with a known result that were put in order at most
 * @stuck: then this one, by its number in the track, could not follow
 */
struct found {
	enum verdict verdict;
	uint64_t configurations;
	uint32_t reached;
	uint32_t stuck;
};

/* Is there an order of @track's operations that explains all results? */
struct found search(const struct track *track, uint64_t limit);

#endif
