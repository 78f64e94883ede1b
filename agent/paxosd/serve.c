// SPDX-License-Identifier: GPL-2.0
/*
 * The thread that gives this member's log to others, which are behind by more
 * than the kernels hold. It reads what the disk thread has finished, at low
 * priority and no faster than TransferRate, and takes no lock but the index's.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "agent.h"
#include "frame.h"
#include "say.h"
#include "snapshot_file.h"
#include "snapshot_store.h"
#include "wal_chosen.h"

#define NS_PER_MS	1000000ULL
#define NS_PER_S	1000000000ULL
#define GUESTS_MAX	8
#define HELLO_NS	(3 * NS_PER_S)	/* to say who it is */
#define IDLE_NS		(30 * NS_PER_S)	/* without a byte in or out */
#define TELL_NS		(60 * NS_PER_S)
#define READS_MAX	64	/* batches in a row for one frame */
#define ASK_SIZE	(FRAME_SIZE_MIN + PAXOS_KV_KEY_MAX)
_Static_assert(PAXOS_KV_KEY_MAX >= sizeof(struct frame_hello), "the longest");

/**
 * struct guest - one connection
 * @fd: -1: this place is free
 * @claims: the member that its HELLO names, 0: there was none
 * @id: the same, once it has shown that it has the key; else 0
 * @moved: when bytes last went in or out, or it came
 * @asks: frames from it
 * @answers: frames to it
 * @wants: it asked, and END was not sent yet
 * @asks_state: for a snapshot, and not for values
 * @state: that, or -1
 * @state_slot, @state_at, @state_size: its slot, how far it went, of how much
 * @in: the frame that is coming in
 * @in_size: bytes of it that are there
 * @out: the frame that is going out, @out_size bytes from @out_at are left
 */
struct guest {
	int fd;
	uint8_t claims;
	uint8_t id;
	uint64_t moved;
	struct frame_way asks;
	struct frame_way answers;
	bool wants;
	bool asks_state;
	int state;
	uint64_t state_slot;
	uint64_t state_at;
	uint64_t state_size;
	struct wal_chosen chosen;
	uint8_t in[FRAME_ROOM + ASK_SIZE];
	size_t in_size;
	uint8_t *out;
	size_t out_at;
	size_t out_size;
};

/**
 * struct server - the thread's own
 * @budget: bytes that may be sent now; below 0 nothing may
 * @refilled: when it last grew
 * @told: when something was last complained about
 */
struct server {
	struct agent *agent;
	struct frame_party party;
	uint8_t key[FRAME_KEY_SIZE];
	int64_t budget;
	uint64_t refilled;
	uint64_t told;
	struct guest guests[GUESTS_MAX];
};

int serve_open(struct agent *agent)
{
	const struct config_member *self = config_member(&agent->config,
							 agent->config.self);
	const int one = 1;
	char name[ADDRESS_NAME_SIZE];
	int fd;

	if (agent->config.durability == PAXOS_NL_DURABILITY_MEMORY)
		return 0;
	fd = socket(self->heartbeat.any.sa_family,
		    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	agent->serve_socket = fd;
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, &self->heartbeat.any, address_size(&self->heartbeat)) ||
	    listen(fd, GUESTS_MAX)) {
		say_error("cannot take TCP %s to give the log to others: %s",
			  address_name(&self->heartbeat, name),
			  strerror(errno));
		return -1;
	}
	return 0;
}

static void dismiss(struct guest *guest)
{
	if (guest->fd >= 0) {
		close(guest->fd);
		if (guest->state >= 0)
			close(guest->state);
	}
	wal_chosen_close(&guest->chosen);
	free(guest->out);
	sodium_memzero(guest, sizeof(*guest));
	guest->fd = -1;
}

/* Complaints come once a minute, however often there is reason. */
static bool tells(struct server *server)
{
	const uint64_t now = agent_now();

	if (server->told && now - server->told < TELL_NS)
		return false;
	server->told = now;
	return true;
}

static void distrust(struct server *server, struct guest *guest,
		     enum frame_fault fault)
{
	if (!tells(server))
		fault = FRAME_FINE;
	if (fault && guest->id)
		say_about(LOG_WARNING, SAY(.peer = guest->id),
			  "what member %u asks over TCP is %s: the connection is closed",
			  guest->id, frame_fault_name(fault));
	else if (fault)
		say_warning("who asks for the log over TCP says something that is %s: the connection is closed",
			    frame_fault_name(fault));
	dismiss(guest);
}

static int new_guest(struct agent *agent, struct guest *guest, int fd)
{
	memset(guest, 0, sizeof(*guest));
	guest->fd = -1;
	guest->out = malloc(FRAME_ROOM + FRAME_SIZE_MAX);
	if (!guest->out ||
	    wal_chosen_open(&guest->chosen, &agent->index, agent->wal.path,
			    agent->state.directory)) {
		dismiss(guest);
		return -1;
	}
	guest->fd = fd;
	guest->state = -1;
	guest->moved = agent_now();
	return 0;
}

/* A free place, or that of the one who has longest not said who it is. */
static struct guest *place_for(struct server *server)
{
	struct guest *oldest = NULL, *guest;
	unsigned int i;

	for (i = 0; i < GUESTS_MAX; i++) {
		guest = &server->guests[i];
		if (guest->fd < 0)
			return guest;
		if (!guest->id && (!oldest || guest->moved < oldest->moved))
			oldest = guest;
	}
	if (oldest)
		dismiss(oldest);
	return oldest;
}

static void welcome(struct server *server)
{
	struct guest *guest;
	int fd;

	fd = accept4(server->agent->serve_socket, NULL, NULL,
		     SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return;
	guest = place_for(server);
	if (!guest || new_guest(server->agent, guest, fd)) {
		close(fd);
		return;
	}
	frame_begin(&guest->asks, &guest->answers, server->key);
}

static void send_frame(struct guest *guest, uint8_t type, uint32_t length)
{
	guest->out_at = FRAME_ROOM;
	guest->out_size = frame_seal(&guest->answers, guest->out, type, length);
}

/* A member that connects anew has given up its former connection. */
static void replace_former(struct server *server, const struct guest *guest)
{
	unsigned int i;

	for (i = 0; i < GUESTS_MAX; i++)
		if (&server->guests[i] != guest && server->guests[i].fd >= 0 &&
		    server->guests[i].id == guest->id)
			dismiss(&server->guests[i]);
}

static enum frame_fault take_hello(struct server *server, struct guest *guest,
				   const struct frame *frame)
{
	uint8_t asker[FRAME_NONCE_SIZE], nonce[FRAME_NONCE_SIZE];
	enum frame_fault fault;

	server->party.members = atomic_load(&server->agent->members);
	fault = frame_get_hello(frame, &server->party, NULL, &guest->claims,
				asker);
	if (fault)
		return fault;
	randombytes_buf(nonce, sizeof(nonce));
	send_frame(guest, FRAME_HELLO,
		   frame_put_hello(frame_payload(guest->out), &server->party,
				   guest->claims, nonce, asker));
	frame_agree(&guest->asks, &guest->answers, server->key, asker, nonce);
	return FRAME_FINE;
}

static void send_trimmed(const struct server *server, struct guest *guest)
{
	const uint64_t first = wal_index_first(&server->agent->index);

	send_frame(guest, FRAME_TRIMMED,
		   frame_put_slot(frame_payload(guest->out), first));
	guest->wants = false;
}

/* What stands for the slots that this log does not hold, if there are any. */
static void send_snapshot(const struct server *server, struct guest *guest)
{
	uint8_t *payload = frame_payload(guest->out);
	uint32_t length = 0;
	uint64_t slot;

	slot = wal_index_begins(&server->agent->index,
				payload + sizeof(struct frame_slot), &length);
	if (slot)
		send_frame(guest, FRAME_SNAPSHOT,
			   frame_put_snapshot(payload, slot, length));
	else
		send_trimmed(server, guest);
}

/* The newest one at @least or later, if there is one. */
static void open_state(const struct server *server, struct guest *guest,
		       uint64_t least)
{
	const int directory = server->agent->state.directory;
	uint64_t slots[SNAPSHOTS_LISTED];
	char name[SNAPSHOT_FILE_SIZE];
	struct stat status;

	if (!snapshot_list(directory, slots) || slots[0] < least)
		return;
	guest->state = openat(directory, snapshot_file_name(name, slots[0]),
			      O_RDONLY | O_CLOEXEC);
	if (guest->state < 0 || fstat(guest->state, &status)) {
		if (guest->state >= 0)
			close(guest->state);
		guest->state = -1;
		return;
	}
	guest->state_slot = slots[0];
	guest->state_at = 0;
	guest->state_size = status.st_size;
}

/* Some of it, or the end where there is none. Its checksums go with it. */
static void send_part(struct server *server, struct guest *guest)
{
	uint8_t *payload = frame_payload(guest->out);
	ssize_t n = 0;

	if (guest->state >= 0)
		n = pread(guest->state, payload + sizeof(struct frame_part),
			  FRAME_PART_MAX, guest->state_at);
	if (n < 0 || (!n && guest->state >= 0)) {
		if (tells(server))
			say_about(LOG_ERR,
				  SAY(.peer = guest->id, .slot = guest->state_slot),
				  "cannot give member %u the snapshot at slot %" PRIu64 ": %s",
				  guest->id, guest->state_slot,
				  n ? strerror(errno) : "the file has become shorter");
		dismiss(guest);
		return;
	}
	if (!n) {
		send_frame(guest, FRAME_END, frame_put_slot(payload, 0));
		guest->wants = false;
		return;
	}
	send_frame(guest, FRAME_PART,
		   frame_put_part(payload, guest->state_slot, guest->state_at,
				  guest->state_size, n));
	server->budget -= guest->out_size;
	guest->state_at += n;
	if (guest->state_at < guest->state_size)
		return;
	posix_fadvise(guest->state, 0, 0, POSIX_FADV_DONTNEED);
	close(guest->state);
	guest->state = -1;
	guest->wants = false;
}

/* What this host's store has of a key. Nobody's transfer ends for it. */
static enum frame_fault take_key(struct server *server, struct guest *guest,
				 const struct frame *frame)
{
	static struct held held;	/* too large for a stack */
	enum frame_fault fault;
	const uint8_t *key;
	uint32_t length;

	if (guest->wants || guest->out_size)
		return FRAME_TYPE;
	fault = frame_get_key(frame, &key, &length);
	if (fault)
		return fault;
	held_get(server->party.group, key, length, &held);
	send_frame(guest, FRAME_HELD,
		   frame_put_held(frame_payload(guest->out), &held));
	return FRAME_FINE;
}

static enum frame_fault take_ask(struct server *server, struct guest *guest,
				 const struct frame *frame)
{
	enum frame_fault fault;
	uint64_t slot;

	/* Not before what it asked for has been answered. */
	if ((frame->type != FRAME_ASK && frame->type != FRAME_BEGIN &&
	     frame->type != FRAME_STATE) || guest->wants || guest->out_size)
		return FRAME_TYPE;
	fault = frame_get_slot(frame, &slot);
	if (fault || !slot)
		return fault ?: FRAME_MALFORMED;
	if (!guest->id) {
		/* Only now is it known that its HELLO was no recording. */
		guest->id = guest->claims;
		replace_former(server, guest);
		say_about(LOG_NOTICE, SAY(.peer = guest->id, .slot = slot),
			  "member %u asks for the log from slot %" PRIu64
			  " on", guest->id, slot);
	}
	if (frame->type == FRAME_BEGIN) {
		send_snapshot(server, guest);
		return FRAME_FINE;
	}
	guest->wants = true;
	guest->asks_state = frame->type == FRAME_STATE;
	if (guest->asks_state)
		open_state(server, guest, slot);
	else
		wal_chosen_seek(&guest->chosen, slot);
	return FRAME_FINE;
}

static enum frame_fault take_frame(struct server *server, struct guest *guest)
{
	enum frame_fault fault;
	struct frame frame;

	fault = frame_open(&guest->asks, guest->in, guest->in_size, &frame);
	guest->in_size = 0;
	if (fault)
		return fault;
	if (!guest->claims)
		return take_hello(server, guest, &frame);
	return frame.type == FRAME_KEY ? take_key(server, guest, &frame) :
					 take_ask(server, guest, &frame);
}

static void hear(struct server *server, struct guest *guest)
{
	const size_t room = sizeof(guest->in) - FRAME_ROOM;
	enum frame_fault fault;
	size_t size;
	ssize_t n;

	size = frame_size(guest->in, guest->in_size, room);
	n = recv(guest->fd, guest->in + FRAME_ROOM + guest->in_size,
		 size - guest->in_size, 0);
	if (n <= 0) {
		if (!n || (errno != EAGAIN && errno != EINTR))
			dismiss(guest);
		return;
	}
	guest->in_size += n;
	size = frame_size(guest->in, guest->in_size, room);
	if (!size) {
		distrust(server, guest, FRAME_LENGTH);
		return;
	}
	if (guest->in_size < size)
		return;
	fault = take_frame(server, guest);
	if (fault)
		distrust(server, guest, fault);
	else
		guest->moved = agent_now();
}

static void flush(struct guest *guest)
{
	ssize_t n = send(guest->fd, guest->out + guest->out_at, guest->out_size,
			 MSG_NOSIGNAL);

	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			dismiss(guest);
		return;
	}
	guest->out_at += n;
	guest->out_size -= n;
	guest->moved = agent_now();
}

static void refill(struct server *server)
{
	const uint64_t rate = atomic_load(&server->agent->transfer_rate);
	const uint64_t now = agent_now();
	const uint64_t ms = (now - server->refilled) / NS_PER_MS;
	const int64_t most = rate / 10;

	if (!ms)
		return;
	server->refilled += ms * NS_PER_MS;
	server->budget += ms < 1000 ? (int64_t)(rate * ms / 1000) : most;
	if (server->budget > most)
		server->budget = most;
}

/* As many values as a frame takes, if some can be had; 0 or -1. */
static int fill_values(struct guest *guest, uint64_t goal)
{
	struct wal_chosen *chosen = &guest->chosen;
	const struct record *record;
	struct frame_batch batch;
	unsigned int reads = 0;
	int result = 0;

	frame_batch_begin(&batch, frame_payload(guest->out), chosen->next);
	while (chosen->next <= goal && reads < READS_MAX) {
		result = wal_chosen_peek(chosen, &record);
		if (result < 0)
			return -1;
		reads += !result;
		if (!result)
			continue;
		if (!frame_batch_add(&batch, record))
			break;
		wal_chosen_take(chosen);
	}
	if (batch.count)
		send_frame(guest, FRAME_VALUES, frame_batch_end(&batch, goal));
	return 0;
}

/* Something for @guest to send, if the rate allows. */
static void prepare(struct server *server, struct guest *guest)
{
	const uint64_t goal = wal_index_chosen(&server->agent->index);
	const uint64_t before = guest->chosen.read;

	if (guest->asks_state) {
		send_part(server, guest);
		return;
	}
	if (wal_chosen_done(&guest->chosen)) {
		send_frame(guest, FRAME_END,
			   frame_put_slot(frame_payload(guest->out), goal));
		guest->wants = false;
		return;
	}
	if (wal_chosen_trimmed(&guest->chosen)) {
		send_trimmed(server, guest);
		return;
	}
	if (fill_values(guest, goal)) {
		if (tells(server))
			say_about(LOG_ERR,
				  SAY(.event = SAY_LOG_DAMAGED, .peer = guest->id),
				  "cannot give the log to member %u: %s. This member goes on, but would not start from this log again: look at the disk, and replace the member under a new id while it still runs",
				  guest->id, guest->chosen.error);
		dismiss(guest);
		return;
	}
	server->budget -= guest->out_size + (guest->chosen.read - before);
}

/* What to wait for, of @guest. */
static short waits_for(const struct guest *guest)
{
	if (guest->out_size)
		return POLLOUT;
	return POLLIN;
}

static void attend(struct server *server, struct guest *guest, short events)
{
	const uint64_t patience = guest->id ? IDLE_NS : HELLO_NS;

	if (events & (POLLERR | POLLNVAL)) {
		dismiss(guest);
		return;
	}
	if (events & (POLLIN | POLLHUP) && !guest->out_size)
		hear(server, guest);
	else if (events & POLLOUT)
		flush(guest);
	if (guest->fd >= 0 && guest->wants && !guest->out_size &&
	    server->budget > 0)
		prepare(server, guest);
	if (guest->fd >= 0 && guest->out_size)
		flush(guest);
	if (guest->fd >= 0 && agent_now() - guest->moved >= patience)
		dismiss(guest);
}

/* ms until something is to be done without an event; -1: nothing is. */
static int time_out(const struct server *server)
{
	bool guests = false;
	unsigned int i;

	for (i = 0; i < GUESTS_MAX; i++) {
		const struct guest *guest = &server->guests[i];

		if (guest->fd < 0)
			continue;
		guests = true;
		if (guest->wants && !guest->out_size)
			return server->budget > 0 ? 0 : 10;
	}
	return guests ? 1000 : -1;
}

/* Of those that want something each gets a frame in turn. */
static void loop(struct server *server)
{
	struct agent *agent = server->agent;
	struct pollfd events[GUESTS_MAX + 2] = {
		{ .fd = agent->stop, .events = POLLIN },
		{ .fd = agent->serve_socket, .events = POLLIN },
	};
	unsigned int i;

	for (;;) {
		for (i = 0; i < GUESTS_MAX; i++) {
			events[i + 2].fd = server->guests[i].fd;
			events[i + 2].events = waits_for(&server->guests[i]);
			events[i + 2].revents = 0;
		}
		if (poll(events, GUESTS_MAX + 2, time_out(server)) < 0) {
			if (errno == EINTR)
				continue;
			agent_fail(agent, "cannot wait: %s", strerror(errno));
			return;
		}
		if (events[0].revents)
			return;
		refill(server);
		for (i = 0; i < GUESTS_MAX; i++)
			if (server->guests[i].fd >= 0)
				attend(server, &server->guests[i],
				       events[i + 2].revents);
		if (events[1].revents)
			welcome(server);
	}
}

void *serve_run(void *context)
{
	struct agent *agent = context;
	const struct config *config = &agent->config;
	struct server server = {
		.agent = agent,
		.party = { .group = config->group, .self = config->self },
		.refilled = agent_now(),
	};
	unsigned int i;

	for (i = 0; i < GUESTS_MAX; i++)
		server.guests[i].fd = -1;
	frame_key(server.key, config->key, config->cluster);
	agent_lower_priority("serve");
	loop(&server);
	for (i = 0; i < GUESTS_MAX; i++)
		dismiss(&server.guests[i]);
	return NULL;
}
