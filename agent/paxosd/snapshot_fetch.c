// SPDX-License-Identifier: GPL-2.0
/*
 * Snapshots from another member: for consumers here that lack what is not on
 * this disk, and for a member that lacks what is in nobody's log any more. A
 * copy gets its name once all of it was verified here; what was broken off
 * begins anew.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>
#include "agent.h"
#include "say.h"
#include "transfer.h"

#define URGENT_NS	2000000000ULL	/* until another one is asked */
#define LEISURE_NS	60000000000ULL

/* What came so far of the copy. */
struct copy {
	int fd;
	uint64_t slot;
	uint64_t size;
	uint64_t at;
};

static enum end put(struct transfer *transfer, struct copy *copy,
		    const struct frame *frame)
{
	uint64_t slot, offset, size;
	const uint8_t *bytes;
	uint32_t length;

	if (frame_get_part(frame, &slot, &offset, &size, &bytes, &length) ||
	    offset != copy->at ||
	    (copy->at && (slot != copy->slot || size != copy->size)))
		return transfer_fails(transfer, "what comes is %s",
				      frame_fault_name(FRAME_MALFORMED));
	if (pwrite(copy->fd, bytes, length, offset) != length)
		return transfer_fails(transfer, "cannot write the snapshot: %s",
				      strerror(errno));
	copy->slot = slot;
	copy->size = size;
	copy->at += length;
	return END_DONE;
}

/* All of it has come: is it what it should be? */
static enum end take(struct transfer *transfer, const struct copy *copy)
{
	static struct snapshot_content content;	/* too large for a stack */
	struct agent *agent = transfer->agent;
	const struct config *config = &agent->config;
	char error[WAL_ERROR_SIZE];

	if (snapshot_verify(agent->state.directory, SNAPSHOT_FETCHED, &content,
			    error, sizeof(error)))
		return transfer_fails(transfer, "%s", error);
	if (content.about.slot != copy->slot ||
	    content.about.group != config->group ||
	    memcmp(content.about.cluster, config->cluster,
		   sizeof(config->cluster)))
		return transfer_fails(transfer, "its snapshot is of another slot, group or cluster");
	if (snapshot_name_durably(agent->state.directory, SNAPSHOT_FETCHED,
				  copy->fd, copy->slot))
		return transfer_fails(transfer, "cannot put the snapshot on the disk: %s",
				      strerror(errno));
	say_about(LOG_NOTICE, SAY(.peer = transfer->learn.from,
				  .slot = copy->slot),
		  "member %u brought its snapshot at slot %" PRIu64 ", %" PRIu64 " bytes",
		  transfer->learn.from, copy->slot, copy->size);
	atomic_store(&agent->snapshots.fetched, true);
	return END_DONE;
}

static enum end get(struct transfer *transfer, struct copy *copy)
{
	struct frame frame;
	enum end end;

	do {
		end = transfer_receive(transfer, &frame);
		if (!end && frame.type == FRAME_END && !copy->at)
			return END_DONE;
		if (!end)
			end = frame.type == FRAME_PART ?
				      put(transfer, copy, &frame) :
				      transfer_fails(transfer, "what comes is %s",
						     frame_fault_name(FRAME_TYPE));
	} while (!end && copy->at < copy->size);
	return end ?: take(transfer, copy);
}

enum end snapshot_fetch(struct transfer *transfer, uint64_t least,
			uint64_t *slot)
{
	struct agent *agent = transfer->agent;
	struct copy copy = { 0 };
	enum end end;

	*slot = 0;
	copy.fd = openat(agent->state.directory, SNAPSHOT_FETCHED,
			 O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (copy.fd < 0)
		return transfer_fails(transfer, "cannot make %s: %s",
				      SNAPSHOT_FETCHED, strerror(errno));
	atomic_store(&agent->snapshots.fetching, true);
	end = transfer_send(transfer, FRAME_STATE,
			    frame_put_slot(frame_payload(transfer->buffer),
					   least));
	if (!end)
		end = get(transfer, &copy);
	atomic_store(&agent->snapshots.fetching, false);
	close(copy.fd);
	if (!end)
		*slot = copy.slot;
	/* Where it got its name there is none left. */
	if (unlinkat(agent->state.directory, SNAPSHOT_FETCHED, 0))
		errno = 0;
	return end;
}

/* The next one in turn whose agent is heard, 0: nobody is. */
static uint8_t next_source(const struct transfer *transfer,
			   const struct learn_state *state)
{
	uint8_t first = 0, id;
	unsigned int i;

	for (i = 0; i < state->n; i++) {
		id = state->sources[i].id;
		if (id == transfer->party.self || !state->sources[i].heard)
			continue;
		if (id > transfer->state_from)
			return id;
		first = first ?: id;
	}
	return first;
}

enum end snapshot_look(struct transfer *transfer,
		       const struct learn_state *state)
{
	struct snapshots *snapshots = &transfer->agent->snapshots;
	const uint64_t least = atomic_load(&snapshots->lacks);
	const uint64_t now = agent_now();
	uint64_t slot;
	enum end end;

	if (!least || atomic_load(&snapshots->fetched) ||
	    (transfer->state_asked && now - transfer->state_asked <
	     (atomic_load(&snapshots->urgent) ? URGENT_NS : LEISURE_NS)))
		return END_DONE;
	transfer->learn.from = next_source(transfer, state);
	if (!transfer->learn.from)
		return END_DONE;
	transfer->state_from = transfer->learn.from;
	transfer->state_asked = now;
	end = transfer_call(transfer) ?: transfer_greet(transfer) ?:
	      snapshot_fetch(transfer, least, &slot);
	transfer_hang_up(transfer);
	return end;
}

enum end snapshot_leap(struct transfer *transfer,
		       const struct learn_state *state, uint64_t first)
{
	static struct snapshot_content content;	/* too large for a stack */
	struct agent *agent = transfer->agent;
	const uint64_t now = agent_now();
	char name[SNAPSHOT_FILE_SIZE], error[WAL_ERROR_SIZE];
	uint64_t slot;
	enum end end;
	int refused;

	if (transfer->state_asked && now - transfer->state_asked < URGENT_NS)
		return END_DONE;
	transfer->state_asked = now;
	end = transfer_call(transfer) ?: transfer_greet(transfer) ?:
	      snapshot_fetch(transfer, first - 1, &slot);
	transfer_hang_up(transfer);
	if (end || slot <= state->commit)
		return end;
	if (snapshot_verify(agent->state.directory,
			    snapshot_file_name(name, slot), &content, error,
			    sizeof(error)))
		return transfer_fails(transfer, "%s", error);
	transfer->learn.agent = state->agent;
	refused = learn_snapshot(&transfer->learn, slot, true,
				 content.checkpoint,
				 content.checkpoint_length);
	/* Not before the last one is on this disk: it asks again. */
	if (refused && refused != -EAGAIN) {
		say_warning("cannot go on behind the snapshot at slot %" PRIu64 ": %s",
			    slot, agent->learn.error);
		return END_KERNEL;
	}
	if (!refused)
		say_warning("no log that could be asked holds slot %" PRIu64
			    ": member %u goes on behind the snapshot at slot %" PRIu64,
			    state->commit + 1, agent->config.self, slot);
	memset(transfer->first, 0, sizeof(transfer->first));
	return END_DONE;
}
