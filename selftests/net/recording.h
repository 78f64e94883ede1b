/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOS_NET_RECORDING_H
#define _PAXOS_NET_RECORDING_H

/*
 * What the clients of linearizable.sh and kv_linearizable.sh share: options, a
 * loop, and lines as selftests/linearizability/README.md has them.
 *
 *   -g GROUP   the group (1)
 *   -s SECONDS how long (10)
 *   -k KEYS    registers (4)
 *   -t MS      time-out of an operation (2000)
 *   -w MS      pause between two, at most (40)
 *   -r         nothing but reads of registers
 *   -l         reads of what this host knows, without asking a quorum: they
 *              are serializable and no more
 */

#include <stdbool.h>
#include <stdint.h>

#define KEYS_MAX	16
#define PROCESSES	64
#define HISTORY_MAX	32	/* bytes of a history's name */
#define GRACE_MS	5000	/* for an answer, beyond the time-out */
#define MS		1000000LL

/* How a command ended. NONE: it certainly changed nothing. */
enum end { CHOSEN, NONE, UNKNOWN };

/**
 * struct recording - one client's part of a history
 * @history: its name; what is in the group of another one is not seen
 * @process: 1..PROCESSES
 * @pause: between two operations at most, in ms
 * @timeout: of an operation, in ms
 * @end: when all ends, as now_ns() has it
 * @call: when the operation that is under way was called
 */
struct recording {
	uint32_t group;
	const char *history;
	unsigned int process;
	unsigned int keys;
	uint32_t timeout;
	uint32_t pause;
	bool reads_only;
	bool local;
	int64_t end;
	int64_t call;
};

int64_t now_ns(void);
void sleep_ms(uint32_t ms);

/* From "[OPTION...] HISTORY PROCESS"; what is senseless ends the program. */
void recording_begin(struct recording *recording, int argc, char **argv);

/*
 * False when the time is up, or at SIGTERM: that comes after the operation that
 * is under way, for one without a line would be a write that nobody made. Pauses
 * first.
 */
bool recording_goes_on(const struct recording *recording);

/* SIGTERM came. */
bool recording_is_over(void);

/* "null" where @value is empty. Good until the next one. */
const char *quoted(const char *value);

/* @rest: members of the line, with a comma before each. */
__attribute__((format(printf, 5, 6)))
void record(const struct recording *recording, const char *operation,
	    const char *key, const char *result, const char *rest,
	    ...);

#endif
