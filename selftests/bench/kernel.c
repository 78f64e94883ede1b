// SPDX-License-Identifier: GPL-2.0
/* Round trips that a client in the kernel makes: echo, fan-out, Accept. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "../kmod/bench_uapi.h"
#include "datagram.h"
#include "group.h"
#include "datagram.h"
#include "group.h"
#include "kernel.h"

#define STEPS_A_ROUND	60000

int kernel_open(int member)
{
	int fd;

	place_enter(member);
	fd = open(BENCH_DEVICE, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		fail("cannot open %s: %s (modprobe paxos_bench makes it)",
		     BENCH_DEVICE, strerror(errno));
	return fd;
}

static struct bench_end end(int member, uint16_t port)
{
	return (struct bench_end){
		.address = place_address(member),
		.port = htons(port),
	};
}

void kernel_echo(int member, uint32_t kind)
{
	struct bench_echo echo = {
		.here = end(member, BENCH_ECHO_PORT),
		.kind = kind,
	};

	/* It answers until this process ends. */
	if (ioctl(kernel_open(member), BENCH_ECHO, &echo))
		fail("echo at member %d: %s", member, strerror(errno));
}

uint8_t *kernel_round_trips(const char *key, const struct run *run,
			    uint32_t n_peers, uint16_t port,
			    const uint8_t *datagrams, uint32_t size, int match)
{
	struct bench_client client = {
		.here = end(1, BENCH_PORT),
		.n_peers = n_peers,
	};
	uint64_t *samples = place_alloc(run_total(run) * sizeof(*samples));
	uint8_t *answers = place_alloc(run_total(run) * KERNEL_ANSWER_SIZE);
	struct bench_step *steps;
	struct bench_rounds rounds = {
		.datagrams = (uintptr_t)datagrams,
		.samples = (uintptr_t)samples,
		.answers = (uintptr_t)answers,
		.rounds = run_total(run),
		.size = size,
		.answer_size = KERNEL_ANSWER_SIZE,
		.match_at = KERNEL_TYPE_AT,
		.match = match,
		.trace = run->trace,
		.n_steps = run->trace * STEPS_A_ROUND,
	};
	uint32_t i;
	int fd;

	for (i = 0; i < n_peers; i++)
		client.peers[i] = end(2 + i, port);
	fd = kernel_open(1);
	if (ioctl(fd, BENCH_CLIENT, &client))
		fail("%s: the client's socket: %s", key, strerror(errno));
	steps = place_alloc(rounds.n_steps * sizeof(*steps));
	rounds.steps = (uintptr_t)steps;
	if (ioctl(fd, BENCH_ROUNDS, &rounds))
		fail("%s: %s", key, strerror(errno));
	close(fd);
	samples_print(key, run, samples);
	if (run->trace)
		trace_print(steps, rounds.n_steps);
	free(steps);
	free(samples);
	return answers;
}

void kernel_echo_run(const char *key, const struct run *run, uint32_t kind,
		     uint32_t n_peers)
{
	uint8_t *datagrams = place_alloc((size_t)run_total(run) * n_peers *
					 run->size);
	uint32_t i;

	for (i = 0; i < n_peers; i++)
		kernel_echo(2 + i, kind);
	free(kernel_round_trips(key, run, n_peers, BENCH_ECHO_PORT, datagrams,
				run->size, -1));
	free(datagrams);
}

void kernel_commit_run(const char *key, const struct run *run)
{
	uint64_t *samples = place_alloc(run_total(run) * sizeof(*samples));
	uint8_t *value = place_alloc(run->size);
	struct bench_step *steps;
	struct bench_rounds rounds = {
		.datagrams = (uintptr_t)value,
		.samples = (uintptr_t)samples,
		.rounds = run_total(run),
		.size = run->size,
		.trace = run->trace,
		.n_steps = run->trace * STEPS_A_ROUND,
		.group = BENCH_GROUP,
	};
	int fd;

	group_memory_all();
	fd = kernel_open(1);
	steps = place_alloc(rounds.n_steps * sizeof(*steps));
	rounds.steps = (uintptr_t)steps;
	if (ioctl(fd, BENCH_COMMITS, &rounds))
		fail("%s: %s", key, strerror(errno));
	close(fd);
	group_delete_all();
	samples_print(key, run, samples);
	if (run->trace)
		trace_print(steps, rounds.n_steps);
	free(steps);
	free(value);
	free(samples);
}

void kernel_accept_run(const char *key, const struct run *run)
{
	uint8_t *datagrams, *answers;
	uint32_t size, i;

	datagrams = datagram_accepts(run, 2, &size);
	answers = kernel_round_trips(key, run, 1, BENCH_PORT, datagrams, size,
				     PAXOS_ACCEPTED);
	for (i = 0; i < run_total(run); i++)
		datagram_check_accepted(answers +
					(size_t)i * KERNEL_ANSWER_SIZE, i);
	free(answers);
	free(datagrams);
}
