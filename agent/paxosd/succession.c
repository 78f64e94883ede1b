// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "succession.h"

#define TEXT_SIZE 16

static int print(char text[TEXT_SIZE], const struct succession *succession)
{
	return succession->was ?
	       snprintf(text, TEXT_SIZE, "%u %u %u\n", succession->id,
			succession->leader, succession->was) :
	       snprintf(text, TEXT_SIZE, "%u\n", succession->id);
}

static bool is_member(unsigned int id)
{
	return id >= 1 && id <= PAXOS_NL_MEMBERS_MAX;
}

static bool parse(const char *text, struct succession *succession)
{
	unsigned int id = 0, leader = 0, was = 0;
	char again[TEXT_SIZE];
	int n = sscanf(text, "%2u %2u %2u", &id, &leader, &was);

	*succession = (struct succession){ id, leader, was };
	print(again, succession);
	return is_member(id) && !strcmp(text, again) &&
	       (n == 1 || (is_member(leader) && is_member(was)));
}

int succession_read(const struct state *state, struct succession *succession,
		    char *error, size_t size)
{
	int fd = openat(state->directory, "successor", O_RDONLY | O_CLOEXEC);
	char text[TEXT_SIZE] = "";
	ssize_t n;

	memset(succession, 0, sizeof(*succession));
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
	if (parse(text, succession))
		return 0;
	snprintf(error, size,
		 "successor: holds no member's id: put the file back, or replace this member under a new id");
	return -1;
}

int succession_write(const struct state *state,
		     const struct succession *succession, char *error,
		     size_t size)
{
	char text[TEXT_SIZE];
	const int length = print(text, succession);
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

/* The file may know @to already; it says less than the kernels. */
static void rename_member(struct config *config, uint8_t from, uint8_t to)
{
	struct config_member *member = NULL;
	unsigned int i, n = 0;

	for (i = 0; i < config->n_members; i++) {
		if (config->members[i].id == to)
			continue;
		config->members[n] = config->members[i];
		if (config->members[n].id == from)
			member = &config->members[n];
		n++;
	}
	config->n_members = n;
	if (member)
		member->id = to;
}

void succession_apply(struct config *config,
		      const struct succession *succession)
{
	const size_t length = strlen(config->state_directory);

	if (succession->was)
		rename_member(config, succession->was, succession->leader);
	rename_member(config, config->self, succession->id);
	config->self = succession->id;
	snprintf(config->state_directory + length,
		 sizeof(config->state_directory) - length, "/%u",
		 succession->id);
}
