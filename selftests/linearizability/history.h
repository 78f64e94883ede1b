/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINEARIZABILITY_HISTORY_H
#define _LINEARIZABILITY_HISTORY_H

/* What clients did and saw, by key. README.md has the form of the lines. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum kind {
	PUT, GET, CAS,		/* of a register */
	ACQUIRE, RELEASE,	/* of a lock */
	PUSH, POP,		/* of a queue */
	KINDS,
};

enum object { REGISTER, LOCK, QUEUE };

enum result { OK, FAILED, UNKNOWN };

#define NEVER INT64_MAX

/**
 * struct operation - one call, from the moment it began
 * @line: of the history
 * @process: who called; a lock is held by a process
 * @kind: enum kind
 * @result: enum result. UNKNOWN: it may take effect at any time after @call, or
 *          never
 * @value: put, push: written; cas: the new one; get, pop: what was there. 0: no
 *         value
 * @expected: cas: what it replaces, 0: nothing
 * @shared: acquire: together with others that share it
 * @token: acquire: that it got; release: that it gave back; 0: not known
 * @call, @end: when it began and ended; @end of an unknown one is NEVER
 */
struct operation {
	uint32_t line;
	int64_t process;
	uint8_t kind;
	uint8_t result;
	bool shared;
	uint64_t value;
	uint64_t expected;
	uint64_t token;
	int64_t call;
	int64_t end;
};

/* All that was done to one register, lock or queue. */
struct track {
	char *key;
	enum object object;
	struct operation *operations;
	uint32_t n;
	uint32_t room;
};

struct history {
	struct track *tracks;
	uint32_t n;
	uint32_t operations;	/* in all, but for those without effect */
};

const char *kind_name(uint8_t kind);
enum object kind_object(uint8_t kind);

/* Reads all lines of @in. 0, or -1 with a sentence in @error. */
int history_read(struct history *history, FILE *in, char *error, size_t size);
void history_free(struct history *history);

#endif
