// SPDX-License-Identifier: GPL-2.0
/* The client's side, paxosctl's and the metrics thread's. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>
#include "control.h"

#define PATIENCE_S 5

__attribute__((format(printf, 3, 4)))
static int refuse(char *error, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, size, format, args);
	va_end(args);
	return -1;
}

static int connect_agent(uint32_t group, const char *what, char *error,
			 size_t room)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	struct sockaddr_un address;
	const socklen_t size = control_address(&address, group, what);
	struct ucred peer;
	socklen_t length = sizeof(peer);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	/* An agent that is stopped takes no connection, either. */
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
		       sizeof(patience)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)) ||
	    connect(fd, (struct sockaddr *)&address, size) ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length)) {
		if (errno == ECONNREFUSED)
			refuse(error, room,
			       "no agent of group %u runs in this network namespace; start paxosd",
			       group);
		else
			refuse(error, room, "cannot reach the agent: %s",
			       errno == EAGAIN ? "is it stopped?" :
						 strerror(errno));
	} else if (peer.uid && peer.uid != geteuid()) {
		refuse(error, room,
		       "user %u has taken the name of group %u's agent (process %d)",
		       peer.uid, group, peer.pid);
	} else {
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

static int no_answer(char *error, size_t size, ssize_t n)
{
	return refuse(error, size, "the agent does not answer: %s",
		      errno == EAGAIN ? "is it stopped?" :
		      n > 0 ? "it is of another version" : "it hung up");
}

/* *n: bytes of @answer, as recv() has it. -1: nobody to ask, as *error says. */
static int exchange(uint32_t group, uint32_t what, void *answer, size_t room,
		    ssize_t *n, char *error, size_t size)
{
	const struct control_request request = {
		.version = CONTROL_VERSION,
		.what = what,
	};
	const int fd = connect_agent(group, CONTROL_AGENT, error, size);

	if (fd < 0)
		return -1;
	*n = -1;
	errno = 0;
	if (send(fd, &request, sizeof(request), MSG_NOSIGNAL) ==
	    sizeof(request))
		*n = recv(fd, answer, room, 0);
	close(fd);
	return 0;
}

int control_ask(uint32_t group, struct control_detector *answer, char *error,
		size_t size)
{
	const size_t head = offsetof(struct control_detector, peers);
	ssize_t n;

	if (exchange(group, CONTROL_DETECTOR, answer, sizeof(*answer), &n,
		     error, size))
		return -1;
	if (n < 0 || (size_t)n < head ||
	    answer->version != CONTROL_VERSION ||
	    answer->n > PAXOS_NL_MEMBERS_MAX ||
	    (size_t)n != head + answer->n * sizeof(answer->peers[0]))
		return no_answer(error, size, n);
	return 0;
}

int control_ask_snapshot(uint32_t group, bool take,
			 struct control_snapshot *answer, char *error,
			 size_t size)
{
	ssize_t n;

	if (exchange(group, take ? CONTROL_SNAPSHOT_TAKE : CONTROL_SNAPSHOT,
		     answer, sizeof(*answer), &n, error, size))
		return -1;
	if (n != sizeof(*answer) || answer->version != CONTROL_VERSION)
		return no_answer(error, size, n);
	return 0;
}

/* One member's answer; the last one says that none is left. */
static int take_held(int fd, struct control_held *held, unsigned int *left)
{
	const ssize_t n = recv(fd, held, sizeof(*held), 0);

	if (n != sizeof(*held) || held->version != CONTROL_VERSION ||
	    held->held.length > sizeof(held->held.value))
		return n < 0 ? -1 : 1;
	held->error[sizeof(held->error) - 1] = '\0';
	*left = *left ? *left - 1 : held->of - 1U;
	return 0;
}

int control_ask_key(uint32_t group, const void *key, size_t length,
		    void (*take)(void *context, const struct control_held *held),
		    void *context, char *error, size_t size)
{
	struct control_question question = {
		.version = CONTROL_VERSION,
		.length = length,
	};
	static struct control_held held;	/* too large for a stack */
	unsigned int left = 0;
	int fd, fault;

	if (!length || length > sizeof(question.key))
		return refuse(error, size, "a key has 1 to %zu bytes",
			      sizeof(question.key));
	memcpy(question.key, key, length);
	fd = connect_agent(group, CONTROL_KEYS, error, size);
	if (fd < 0)
		return -1;
	errno = 0;
	fault = send(fd, &question, sizeof(question), MSG_NOSIGNAL) ==
		sizeof(question) ? 0 : -1;
	do {
		if (!fault)
			fault = take_held(fd, &held, &left);
		if (!fault)
			take(context, &held);
	} while (!fault && left);
	close(fd);
	return fault ? no_answer(error, size, fault) : 0;
}
