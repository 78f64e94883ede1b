// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "bench.h"

void fail(const char *format, ...)
{
	va_list arguments;

	fputs("bench: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	_exit(1);
}

void *place_alloc(size_t size)
{
	void *memory = calloc(1, size ? size : 1);

	if (!memory)
		fail("no memory for %zu bytes", size);
	return memory;
}

/* Moves this process into the member's namespace. */
void place_enter(int member)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/bench%d", member);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		fail("cannot enter %s: %s (topology.sh makes it)", path,
		     strerror(errno));
	close(fd);
}

in_addr_t place_address(int member)
{
	return htonl(0x0a090000 | member);
}

uint64_t place_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
