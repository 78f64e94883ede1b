// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "state.h"

__attribute__((format(printf, 3, 4)))
static int wrong(char *error, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, size, format, args);
	va_end(args);
	return -1;
}

static int take_lock(struct state *state, const char *path, char *error,
		     size_t size)
{
	char pid[24] = "";
	ssize_t n;

	/* One that is there opens on a frozen file system, too. */
	state->lock = openat(state->directory, "lock", O_RDWR | O_CLOEXEC);
	if (state->lock < 0 && errno == ENOENT)
		state->lock = openat(state->directory, "lock",
				     O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (state->lock < 0)
		return wrong(error, size, "%s/lock: cannot open: %s", path,
			     strerror(errno));
	if (flock(state->lock, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK)
			return wrong(error, size, "%s/lock: cannot lock: %s",
				     path, strerror(errno));
		n = pread(state->lock, pid, sizeof(pid) - 1, 0);
		pid[n > 0 ? n : 0] = '\0';
		return wrong(error, size, "%s is in use by paxosd, pid %d",
			     path, atoi(pid));
	}
	n = snprintf(pid, sizeof(pid), "%d\n", getpid());
	/* For people only, so a failure is none. */
	if (ftruncate(state->lock, 0) || pwrite(state->lock, pid, n, 0) < 0)
		errno = 0;
	return 0;
}

int state_open(struct state *state, const char *path, char *error, size_t size)
{
	struct statfs system;

	state->lock = -1;
	state->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (state->directory < 0 && errno == ENOENT)
		return wrong(error, size, "%s: no such directory", path);
	if (state->directory < 0)
		return wrong(error, size, "%s: cannot open: %s", path,
			     strerror(errno));
	state->fleeting = !fstatfs(state->directory, &system) &&
			  (system.f_type == TMPFS_MAGIC ||
			   system.f_type == RAMFS_MAGIC);
	return take_lock(state, path, error, size);
}

/*
 * Whether the host of this log joined a group that was there: it began without
 * a configuration, and does so whenever the log is replayed.
 */
bool state_joined(const struct state *state)
{
	return !faccessat(state->directory, "joined", F_OK, 0);
}

/* Note that. Before there is a log, and 0 only once it is on the disk. */
int state_join(const struct state *state, char *error, size_t size)
{
	int fd = openat(state->directory, "joined",
			O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd >= 0 && !fsync(fd) && !close(fd) && !fsync(state->directory))
		return 0;
	return wrong(error, size, "joined: cannot write: %s", strerror(errno));
}

void state_close(struct state *state)
{
	if (state->lock >= 0)
		close(state->lock);
	if (state->directory >= 0)
		close(state->directory);
	state->lock = -1;
	state->directory = -1;
}

/* @path and those above it that are missing, each safe in the one above. */
static int make_directories(char *path, char *error, size_t size)
{
	char *slash = strrchr(path, '/');
	int parent, result;

	if (slash == path || !access(path, F_OK))
		return 0;
	*slash = '\0';
	result = make_directories(path, error, size);
	if (result)
		return result;
	parent = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*slash = '/';
	if (parent < 0 || mkdir(path, 0700) || fsync(parent))
		result = wrong(error, size, "%s: cannot make: %s", path,
			       strerror(errno));
	if (parent >= 0)
		close(parent);
	return result;
}

static bool is_ours(const char *name)
{
	static const char *const names[] = { ".",     "..",   "lost+found",
					     "spare", "lock", "durable",
					     "joined", "successor",
					     "successor.new",
					     "snapshot.new",
					     "snapshot.fetched" };
	const char *dot = strrchr(name, '.');
	unsigned int i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i]))
			return true;
	/* Of a successor: see succession.h. */
	if (strlen(name) <= 2 && strspn(name, "0123456789") == strlen(name))
		return true;
	return dot && (!strcmp(dot, ".wal") || !strcmp(dot, ".snapshot") ||
		       !strcmp(dot, ".diverged"));
}

static int check_content(const char *path, char *error, size_t size)
{
	struct dirent *entry;
	DIR *list = opendir(path);
	int result = 0;

	if (!list)
		return wrong(error, size, "%s: cannot list: %s", path,
			     strerror(errno));
	while (!result && (entry = readdir(list)))
		if (!is_ours(entry->d_name))
			result = wrong(error, size,
				       "%s is not empty, and '%s' in it is not of paxosd: name an empty or a new directory as StateDirectory",
				       path, entry->d_name);
	closedir(list);
	return result;
}

int state_create(struct state *state, const char *path, char *error,
		 size_t size)
{
	char copy[PATH_MAX];
	size_t length;

	state->directory = -1;
	state->lock = -1;
	snprintf(copy, sizeof(copy), "%s", path);
	for (length = strlen(copy); length > 1 && copy[length - 1] == '/';)
		copy[--length] = '\0';
	if (make_directories(copy, error, size) ||
	    check_content(path, error, size))
		return -1;
	return state_open(state, path, error, size);
}
