// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "succession.h"

int succession_read(const struct state *state, char *error, size_t size)
{
	char text[8] = "", again[16];
	int fd = openat(state->directory, "successor", O_RDONLY | O_CLOEXEC);
	ssize_t n;
	int id;

	if (fd < 0 && errno == ENOENT)
		return 0;
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n < 0)
		snprintf(error, size, "successor: cannot read: %s",
			 strerror(errno));
	if (fd >= 0)
		close(fd);
	if (n < 0)
		return -1;
	id = atoi(text);
	snprintf(again, sizeof(again), "%d\n", id);
	if (id >= 1 && id <= PAXOS_NL_MEMBERS_MAX && !strcmp(text, again))
		return id;
	snprintf(error, size,
		 "successor: holds no member's id: put the file back, or replace this member under a new id");
	return -1;
}

int succession_write(const struct state *state, uint8_t id, char *error,
		     size_t size)
{
	char text[8];
	const int length = snprintf(text, sizeof(text), "%u\n", id);
	int fd = openat(state->directory, "successor.new",
			O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool fine;

	fine = fd >= 0 && write(fd, text, length) == length && !fsync(fd);
	if (fd >= 0 && close(fd))
		fine = false;
	if (fine && !renameat(state->directory, "successor.new",
			      state->directory, "successor") &&
	    !fsync(state->directory))
		return 0;
	snprintf(error, size, "successor: cannot write: %s", strerror(errno));
	return -1;
}

void succession_apply(struct config *config, uint8_t id)
{
	struct config_member *self = NULL;
	unsigned int i, n = 0;
	size_t length;

	/* The file may know @id already; it says less than the kernels. */
	for (i = 0; i < config->n_members; i++) {
		if (config->members[i].id == id)
			continue;
		config->members[n] = config->members[i];
		if (config->members[n].id == config->self)
			self = &config->members[n];
		n++;
	}
	config->n_members = n;
	if (self)
		self->id = id;
	config->self = id;
	length = strlen(config->state_directory);
	snprintf(config->state_directory + length,
		 sizeof(config->state_directory) - length, "/%u", id);
}
