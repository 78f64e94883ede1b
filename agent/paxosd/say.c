// SPDX-License-Identifier: GPL-2.0
/*
 * The thread that beats has sentences, too, and journald may wait for the disk:
 * nothing here waits for who reads. What they do not take is counted.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "say.h"

#define SENTENCE_MAX	3072
#define LOST_MAX	64	/* of what tells of those that were lost */

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

static _Atomic unsigned int lost;

/* Its protocol is systemd's, "Native Journal Protocol". */
static const struct sockaddr_un journald = {
	.sun_family = AF_UNIX,
	.sun_path = "/run/systemd/journal/socket",
};

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

/* An entry, a field a line. */
struct entry {
	char text[SENTENCE_MAX + LOST_MAX + 512];
	size_t length;
};

__attribute__((format(printf, 2, 3)))
static void add(struct entry *entry, const char *format, ...)
{
	char *at = entry->text + entry->length;
	const size_t room = sizeof(entry->text) - entry->length - 1;
	va_list args;

	va_start(args, format);
	vsnprintf(at, room, format, args);
	va_end(args);
	/* A value with more lines than one has another form. */
	for (; *at; at++)
		if (*at == '\n')
			*at = ' ';
	*at++ = '\n';
	entry->length = at - entry->text;
}

enum taken {
	TAKEN,
	LATER,		/* not now: it does not read */
	NOBODY,		/* there is no journal */
};

static enum taken send_entry(const struct entry *entry)
{
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	enum taken taken = TAKEN;

	if (fd < 0)
		return NOBODY;
	if (sendto(fd, entry->text, entry->length, MSG_DONTWAIT | MSG_NOSIGNAL,
		   (const struct sockaddr *)&journald, sizeof(journald)) < 0)
		taken = errno == EAGAIN || errno == ENOBUFS ? LATER : NOBODY;
	close(fd);
	return taken;
}

static enum taken enter(int level, struct say_about about,
			const char *sentence, const char *also)
{
	struct entry entry = { .length = 0 };

	add(&entry, "MESSAGE=%s%s", sentence, also);
	add(&entry, "PRIORITY=%d", level);
	add(&entry, "SYSLOG_IDENTIFIER=paxosd");
	if (own_group)
		add(&entry, "PAXOS_GROUP=%" PRIu32, own_group);
	if (own_member)
		add(&entry, "PAXOS_MEMBER=%u", own_member);
	if (about.peer)
		add(&entry, "PAXOS_PEER=%u", about.peer);
	if (about.slot)
		add(&entry, "PAXOS_SLOT=%" PRIu64, about.slot);
	if (message_ids[about.event])
		add(&entry, "MESSAGE_ID=%s", message_ids[about.event]);
	return send_entry(&entry);
}

/* One call, so lines of two threads do not mix. */
static bool print(const char *line)
{
	struct pollfd stream = { .fd = STDERR_FILENO, .events = POLLOUT };
	const ssize_t length = strlen(line);

	return poll(&stream, 1, 0) == 1 &&
	       write(STDERR_FILENO, line, length) == length;
}

void say_about(int level, struct say_about about, const char *format, ...)
{
	const unsigned int before = atomic_exchange(&lost, 0);
	const bool journal = to_journal();
	char sentence[SENTENCE_MAX], also[LOST_MAX] = "", prefix[16] = "paxosd: ";
	char line[SENTENCE_MAX + 2 * LOST_MAX];
	enum taken taken = NOBODY;
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	if (before)
		snprintf(also, sizeof(also), " (%u before it were not taken)",
			 before);
	if (journal)
		taken = enter(level, about, sentence, also);
	/* Without journald the stream still takes levels: sd-daemon(3). */
	if (journal)
		snprintf(prefix, sizeof(prefix), "<%d>", level);
	snprintf(line, sizeof(line), "%s%s%s%s\n", prefix,
		 level == LOG_WARNING ? "warning: " : "", sentence, also);
	if (taken == NOBODY)
		taken = print(line) ? TAKEN : LATER;
	if (taken != TAKEN)
		atomic_fetch_add(&lost, before + 1);
}
