/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINEARIZABILITY_MODEL_H
#define _LINEARIZABILITY_MODEL_H

/* What registers, locks and queues do, one operation after the other. */

#include <stdbool.h>
#include "history.h"

#define MODEL_NONE UINT32_MAX

/* The states that were met so far, each once, by number. */
struct model {
	enum object object;
	uint64_t *words;	/* of all states, one after the other */
	uint64_t n_words, room_words;
	struct {
		uint64_t at;	/* in @words */
		uint32_t n;
	} *states;
	uint32_t n, room;
	uint32_t *table;	/* by hash; MODEL_NONE: free */
	uint32_t size;
};

/* State 0 is that of an object that nobody has touched. */
void model_begin(struct model *model, enum object object);
void model_end(struct model *model);

/*
 * The state that @operation leaves, or MODEL_NONE where it cannot have had that
 * result in @state. One whose result is unknown can always be; it leaves what it
 * would have left.
 */
uint32_t model_step(struct model *model, uint32_t state,
		    const struct operation *operation);

/*
 * May @waiting, of unknown result, have to come right before @next in @state?
 * False is certain: @next can be without it, or not even with it.
 */
bool model_may_need(const struct model *model, uint32_t state,
		    const struct operation *waiting,
		    const struct operation *next);

/*
 * May @next have its result because @waiting, of unknown result, took effect at
 * any time before? False is certain.
 */
bool model_may_explain(enum object object, const struct operation *waiting,
		       const struct operation *next);

#endif
