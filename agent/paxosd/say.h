/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSD_SAY_H
#define _PAXOSD_SAY_H

/*
 * What the agent tells a person: one sentence a line on standard error. Where
 * that is the journal of systemd, the sentence goes there as an entry with
 * fields of its own, which paxosd.8 lists. Nothing waits for who reads: what
 * cannot be taken at once is not said, and the next that can says how many.
 */

#include <stdint.h>
#include <syslog.h>

/* What a program may wait for in the journal: each has a MESSAGE_ID. */
enum say_event {
	SAY_PLAIN,		/* none of these */
	SAY_READY,
	SAY_STOPPING,
	SAY_RELOADED,
	SAY_NOT_RELOADED,
	SAY_SUSPECTED,
	SAY_HEARD_AGAIN,
	SAY_LEADER,
	SAY_NO_LEADER,
	SAY_MEMBER_ADDED,
	SAY_MEMBER_REMOVED,
	SAY_LOG_DAMAGED,
	SAY_DISK_FAILED,
	SAY_DIVERGED,
	SAY_HALTED,
	SAY_EVENTS
};

/**
 * struct say_about - what a sentence is about
 * @event: or SAY_PLAIN
 * @peer: another member, or 0
 * @slot: or 0
 */
struct say_about {
	enum say_event event;
	uint8_t peer;
	uint64_t slot;
};

/* Whose sentences they are from now on; before any thread is made. */
void say_of(uint32_t group, uint8_t member);

__attribute__((format(printf, 3, 4)))
void say_about(int level, struct say_about about, const char *format, ...);

#define SAY(...)	((struct say_about){ __VA_ARGS__ })
#define say(level, ...)	say_about(level, SAY(.event = SAY_PLAIN), __VA_ARGS__)

#define say_error(...)		say(LOG_ERR, __VA_ARGS__)
#define say_warning(...)	say(LOG_WARNING, __VA_ARGS__)
#define say_notice(...)		say(LOG_NOTICE, __VA_ARGS__)

#endif
