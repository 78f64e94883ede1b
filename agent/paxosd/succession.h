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

/**
 * struct succession - what it says
 * @id: this host's from now on, 0: the file is not there
 * @leader: who gave it that
 * @was: the member that the configuration has where @leader is; 0: it has
 *	@leader there, or nobody
 *
 * Without @was a host that was replaced after all others would not know one of
 * them, and nobody it would know would be a member.
 */
struct succession {
	uint8_t id;
	uint8_t leader;
	uint8_t was;
};

/* 0, or -1 with a sentence in @error. */
int succession_read(const struct state *state, struct succession *succession,
		    char *error, size_t size);
/* All of it is on the disk when it returns 0; -1 with a sentence in @error. */
int succession_write(const struct state *state,
		     const struct succession *succession, char *error,
		     size_t size);
/* Self becomes @id, where it is, with its state in that directory. */
void succession_apply(struct config *config,
		      const struct succession *succession);

#endif
