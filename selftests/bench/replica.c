// SPDX-License-Identifier: GPL-2.0
/*
 * The baseline in user space: the module's core in an ordinary process, as
 * quick as one would make it. One blocking receive and one send a message;
 * the sockets that send are connected, so that their routes are cached; a
 * signal, not a timeout of the receive, looks after the clock.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include "core/core.h"
#include "core/wire.h"
#include "datagram.h"
#include "kernel.h"
#include "replica.h"

#define TICK_US		10000
#define START_S		10	/* patience with elections */

struct replica {
	struct paxos_core core;	/* first: ops find the replica by it */
	struct paxos_entry *entries;
	int in;
	int out[BENCH_MEMBERS + 1];
	uint8_t buffer[PAXOS_DATAGRAM_MAX];
	uint64_t started;	/* the proposal under way, ns */
	uint64_t ended;
	bool busy;
	enum paxos_outcome outcome;
};

static uint64_t now_us(void)
{
	return place_clock() / 1000;
}

static struct paxos_value *value_alloc(struct paxos_core *core, u32 len)
{
	return malloc(sizeof(struct paxos_value) + len);
}

static void value_free(struct paxos_core *core, struct paxos_value *value)
{
	free(value);
}

static void send_message(struct paxos_core *core,
			 const struct paxos_message *message)
{
	static uint8_t buffer[PAXOS_DATAGRAM_MAX];
	struct replica *replica = (struct replica *)core;
	size_t size = paxos_wire_size(message);

	paxos_wire_encode(message, BENCH_GROUP, buffer);
	datagram_tag(buffer, size);
	/* A datagram that is not sent is a lost one. */
	if (send(replica->out[message->to], buffer, size, 0) < 0 &&
	    errno != ECONNREFUSED && errno != EINTR && errno != ENOBUFS)
		fail("send: %s", strerror(errno));
}

static void no_records(struct paxos_core *core)
{
}

static void deliver(struct paxos_core *core, u64 slot,
		    const struct paxos_value *value)
{
}

static void proposed(struct paxos_core *core, void *cookie,
		     enum paxos_outcome outcome, u64 slot)
{
	struct replica *replica = (struct replica *)core;

	replica->ended = place_clock();
	replica->outcome = outcome;
	replica->busy = false;
}

static void read_done(struct paxos_core *core, void *cookie,
		      enum paxos_outcome outcome, u64 slot)
{
}

static void no_event(struct paxos_core *core, enum paxos_event event, u64 slot,
		     u64 ballot)
{
}

static const struct paxos_ops replica_ops = {
	.value_alloc = value_alloc,
	.value_free = value_free,
	.send = send_message,
	.records = no_records,
	.deliver = deliver,
	.proposed = proposed,
	.read_done = read_done,
	.event = no_event,
};

static int socket_bound(int member, uint16_t port)
{
	struct sockaddr_in here = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = place_address(member),
		.sin_port = htons(port),
	};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&here, sizeof(here)))
		fail("member %d: bind: %s", member, strerror(errno));
	return fd;
}

static void socket_connect(int fd, int member, uint16_t port)
{
	struct sockaddr_in there = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = place_address(member),
		.sin_port = htons(port),
	};

	if (connect(fd, (struct sockaddr *)&there, sizeof(there)))
		fail("connect to member %d: %s", member, strerror(errno));
}

static void on_alarm(int number)
{
}

/* A running member, in its namespace. */
static struct replica *replica_new(int self)
{
	struct replica *replica = place_alloc(sizeof(*replica));
	struct paxos_settings settings = {
		.self = self,
		.durability = PAXOS_MEMORY,
		.window = PAXOS_WINDOW_DEFAULT,
		.log_size = PAXOS_LOG_DEFAULT,
		.payload = PAXOS_PAYLOAD_DEFAULT,
		.bytes = PAXOS_BYTES_DEFAULT,
	};
	struct itimerval tick = {
		.it_interval.tv_usec = TICK_US,
		.it_value.tv_usec = TICK_US,
	};
	struct sigaction action = { .sa_handler = on_alarm };
	struct paxos_config config;
	int member;

	place_enter(self);
	replica->entries = place_alloc(PAXOS_LOG_DEFAULT *
				       sizeof(*replica->entries));
	replica->in = socket_bound(self, BENCH_PORT);
	for (member = 1; member <= BENCH_MEMBERS; member++) {
		if (member == self)
			continue;
		replica->out[member] = socket_bound(self, 0);
		socket_connect(replica->out[member], member, BENCH_PORT);
	}
	if (paxos_config_init(&config, 1, (1 << BENCH_MEMBERS) - 1, 0, 0, 0) ||
	    paxos_core_init(&replica->core, &replica_ops, &settings, &config,
			    replica->entries) ||
	    paxos_core_start(&replica->core, 1, 0, now_us()))
		fail("the core of member %d does not start", self);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &tick, NULL);
	return replica;
}

/* Waits for one datagram or one tick of the clock, and deals with it. */
static void replica_step(struct replica *replica)
{
	struct paxos_message message;
	ssize_t len;

	len = recv(replica->in, replica->buffer, sizeof(replica->buffer), 0);
	if (len < 0) {
		if (errno != EINTR && errno != ECONNREFUSED)
			fail("receive: %s", strerror(errno));
		paxos_core_tick(&replica->core, now_us());
		return;
	}
	if (!datagram_authentic(replica->buffer, len) ||
	    paxos_wire_decode(replica->buffer, len, &message))
		return;
	paxos_core_receive(&replica->core, &message, now_us());
}

/* A process that is member @self, ready when this returns. */
static pid_t replica_fork(int self)
{
	int ready[2];
	char byte;
	pid_t pid;

	if (pipe(ready))
		fail("pipe: %s", strerror(errno));
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		fail("fork: %s", strerror(errno));
	if (!pid) {
		struct replica *replica;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		replica = replica_new(self);
		if (write(ready[1], "", 1) != 1)
			fail("member %d has no parent", self);
		close(ready[0]);
		close(ready[1]);
		for (;;)
			replica_step(replica);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		fail("member %d did not start", self);
	close(ready[0]);
	return pid;
}

static void replica_end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

void replica_accept(const char *key, const struct run *run)
{
	pid_t pid = replica_fork(2);

	kernel_accept_run(key, run);
	replica_end(pid);
}

void replica_accept_sockets(const char *key, const struct run *run)
{
	pid_t pid = replica_fork(2);
	uint64_t *samples = place_alloc(run_total(run) * sizeof(*samples));
	uint8_t answer[DATAGRAM_ANSWER_MAX];
	uint8_t *datagrams;
	uint32_t size, i;
	int in, out;

	datagrams = datagram_accepts(run, 2, &size);
	place_enter(1);
	in = socket_bound(1, BENCH_PORT);
	out = socket_bound(1, 0);
	socket_connect(out, 2, BENCH_PORT);
	for (i = 0; i < run_total(run); i++) {
		uint64_t start = place_clock();

		if (send(out, datagrams + (size_t)i * size, size, 0) < 0)
			fail("%s: send: %s", key, strerror(errno));
		do {
			if (recv(in, answer, sizeof(answer), 0) < 0)
				fail("%s: receive: %s", key, strerror(errno));
			samples[i] = place_clock() - start;
		} while (answer[KERNEL_TYPE_AT] != PAXOS_ACCEPTED);
		datagram_check_accepted(answer, i);
	}
	samples_print(key, run, samples);
	free(samples);
	free(datagrams);
	close(in);
	close(out);
	replica_end(pid);
}

static void replica_lead(struct replica *replica)
{
	uint64_t end = place_clock() + START_S * 1000000000ULL;

	if (paxos_core_campaign(&replica->core, now_us()))
		fail("member 1 cannot campaign");
	while (replica->core.role != PAXOS_LEADER) {
		if (place_clock() > end)
			fail("member 1 does not come to lead");
		replica_step(replica);
	}
}

static uint64_t replica_propose(struct replica *replica, const uint8_t *value,
				uint32_t size)
{
	uint64_t start = place_clock();
	int ret;

	replica->busy = true;
	ret = paxos_core_propose(&replica->core, value, size,
				 start / 1000 + 1000000, replica, start / 1000);
	if (ret)
		fail("propose: %s", strerror(-ret));
	while (replica->busy)
		replica_step(replica);
	if (replica->outcome != PAXOS_OUTCOME_CHOSEN)
		fail("a proposal was not chosen");
	return replica->ended - start;
}

void replica_commit(const char *key, const struct run *run)
{
	uint64_t *samples = place_alloc(run_total(run) * sizeof(*samples));
	uint8_t *value = place_alloc(run->size);
	struct replica *replica;
	pid_t pids[2];
	uint32_t i;

	pids[0] = replica_fork(2);
	pids[1] = replica_fork(3);
	replica = replica_new(1);
	replica_lead(replica);
	for (i = 0; i < run_total(run); i++)
		samples[i] = replica_propose(replica, value, run->size);
	samples_print(key, run, samples);
	free(samples);
	free(value);
	replica_end(pids[0]);
	replica_end(pids[1]);
}
