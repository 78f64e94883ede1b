// SPDX-License-Identifier: GPL-2.0
/* The fields name their place themselves; that of the source helps nobody. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>
#include "say.h"

#define FIELDS_MAX	7

/* Never changed, only added to: they stand in paxosd.8. */
static const char *const message_ids[SAY_EVENTS] = {
	[SAY_READY] = "60121d38495149ed97e636f8613bc3a2",
	[SAY_STOPPING] = "4eeabee84151421d84e36bfed822ce8b",
	[SAY_RELOADED] = "8eb3b491f9714945a3ba6af31b7119c9",
	[SAY_NOT_RELOADED] = "d4f514f9232b4bdba73e859edb86cb33",
	[SAY_SUSPECTED] = "a9a33f61a5ef4092b90acf917e43375a",
	[SAY_HEARD_AGAIN] = "3723a01365cb499a9f7471f7f1cc9d27",
	[SAY_LEADER] = "569ff9c8fe494faf8a237d2be2d6d6ae",
	[SAY_NO_LEADER] = "e4a943c4ffee483b823bd5c72931f3dc",
	[SAY_MEMBER_ADDED] = "e6eee349a62947949dcd8d2864f15f18",
	[SAY_MEMBER_REMOVED] = "e8bead2e81c54383bea41e594946c421",
	[SAY_LOG_DAMAGED] = "1f0f3229948c481c8a708f89d4ed9dd1",
	[SAY_DISK_FAILED] = "f00998d27bb64456885902c617955421",
	[SAY_DIVERGED] = "8b9b9ad7eacc4687b5240be6e07f3ac2",
	[SAY_HALTED] = "0c709e3563c0418c9bd67d8420d717f7",
};

static uint32_t own_group;
static uint8_t own_member;

void say_of(uint32_t group, uint8_t member)
{
	own_group = group;
	own_member = member;
}

/* libsystemd's; where it is not there, it drops what it is given. */
#define JOURNAL_SOCKET	"/run/systemd/journal/socket"

/* systemd says which file the journal is; standard error may be another. */
static bool to_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t device, inode;
	struct stat is;

	return stream &&
	       sscanf(stream, "%" SCNuMAX ":%" SCNuMAX, &device, &inode) == 2 &&
	       !fstat(STDERR_FILENO, &is) && is.st_dev == device &&
	       is.st_ino == inode;
}

/**
 * struct fields - an entry that grows
 * @text: "NAME=value" of each but the message
 */
struct fields {
	struct iovec all[FIELDS_MAX];
	char text[FIELDS_MAX][64];
	int n;
};

__attribute__((format(printf, 2, 3)))
static void add(struct fields *fields, const char *format, ...)
{
	char *text = fields->text[fields->n];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(fields->text[0]), format, args);
	va_end(args);
	fields->all[fields->n++] = (struct iovec){ text, strlen(text) };
}

/* @message begins with MESSAGE= */
static int enter(int level, struct say_about about, char *message)
{
	struct fields fields = { .all = { { message, strlen(message) } },
				 .n = 1 };

	add(&fields, "PRIORITY=%d", level);
	if (own_group)
		add(&fields, "PAXOS_GROUP=%" PRIu32, own_group);
	if (own_member)
		add(&fields, "PAXOS_MEMBER=%u", own_member);
	if (about.peer)
		add(&fields, "PAXOS_PEER=%u", about.peer);
	if (about.slot)
		add(&fields, "PAXOS_SLOT=%" PRIu64, about.slot);
	if (message_ids[about.event])
		add(&fields, "MESSAGE_ID=%s", message_ids[about.event]);
	return sd_journal_sendv(fields.all, fields.n);
}

void say_about(int level, struct say_about about, const char *format, ...)
{
	static const char field[] = "MESSAGE=";
	char line[1024], prefix[16] = "paxosd: ";
	const size_t n = sizeof(field) - 1;
	const bool journal = to_journal();
	va_list args;

	memcpy(line, field, n);
	va_start(args, format);
	vsnprintf(line + n, sizeof(line) - n, format, args);
	va_end(args);
	if (journal && !access(JOURNAL_SOCKET, W_OK) &&
	    !enter(level, about, line))
		return;
	/* Without journald the stream still takes levels: sd-daemon(3). */
	if (journal)
		snprintf(prefix, sizeof(prefix), "<%d>", level);
	/* One call, so lines of two threads do not mix. */
	fprintf(stderr, "%s%s%s\n", prefix,
		level == LOG_WARNING ? "warning: " : "", line + n);
}
