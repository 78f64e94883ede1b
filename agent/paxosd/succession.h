/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSD_SUCCESSION_H
#define _PAXOSD_SUCCESSION_H

/*
 * A host that lost its memory goes on under another id (AutoReplace). The file
 * "successor" in its state directory names it, and the directory of that name
 * beside it is that member's state directory; it may have a successor in turn.
 */

#include "config.h"
#include "state.h"

/* The id in it; 0: there is none; -1 with a sentence in @error. */
int succession_read(const struct state *state, char *error, size_t size);
/* All of it is on the disk when it returns 0; -1 with a sentence in @error. */
int succession_write(const struct state *state, uint8_t id, char *error,
		     size_t size);
/* Self becomes @id, where it is, with its state in that directory. */
void succession_apply(struct config *config, uint8_t id);

#endif
