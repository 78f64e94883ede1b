// SPDX-License-Identifier: GPL-2.0
/*
 * What a consumer lacks and the kernel no longer holds, from this disk: its
 * section of the newest snapshot, where that is further than it is, then the
 * values behind, until it has reached those that the kernel holds. What is not
 * on this disk another member may have (snapshot_fetch.c).
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include "agent.h"
#include "learn.h"
#include "say.h"
#include "snapshot.h"
#include "wal_chosen.h"

#define ROOM_MS		5	/* until the consumer has taken some */
#define MORE_MS		20	/* until more is on the disk */
#define LACKS_MS	1000	/* until it is looked at again */
#define STUCK_S		30	/* that it may take to take some */
#define PATIENT_LOOKS	20	/* before a consumer hears that there is nothing */

/**
 * struct feed - of one consumer
 * @slot: the values behind it come; the checkpoint below is of it
 * @loads: its section at @slot comes before
 * @name: of the file that it is from, or ""
 */
struct feed {
	struct snapshot *snapshot;
	const struct consumer *consumer;
	uint32_t port;
	uint64_t slot;
	bool loads;
	const uint8_t *checkpoint;
	uint32_t length;
	char name[SNAPSHOT_FILE_SIZE];
};

static struct netlink *netlink_of(const struct feed *feed)
{
	return &feed->snapshot->agent->consumer;
}

static uint32_t group_of(const struct feed *feed)
{
	return feed->snapshot->agent->config.group;
}

/* Where to begin; false: nothing here helps. */
static bool choose(struct feed *feed)
{
	static struct snapshot_content content;	/* too large for a stack */
	static uint8_t base[WAL_CHECKPOINT_MAX];
	struct snapshot *snapshot = feed->snapshot;
	struct wal_index *index = &snapshot->agent->index;
	const struct consumer *consumer = feed->consumer;
	const uint64_t first = wal_index_first(index);
	uint64_t most = snapshot->consumers.commit;

	for (; snapshot_newest(snapshot, most, &content);
	     most = content.about.slot - 1) {
		feed->slot = content.about.slot;
		feed->checkpoint = content.checkpoint;
		feed->length = content.checkpoint_length;
		snapshot_file_name(feed->name, feed->slot);
		if (feed->slot + 1 < first)
			break;
		feed->loads = feed->slot >= consumer->next;
		if (feed->loads ? consumer->loads &&
				  snapshot_has(&content, consumer->name) :
				  consumer->next)
			return true;
	}
	feed->loads = false;
	feed->name[0] = '\0';
	feed->slot = first > 1 ? wal_index_begins(index, base, &feed->length) :
				 0;
	feed->checkpoint = base;
	return consumer->next && feed->slot < consumer->next;
}

/*
 * It has no room: 0, try again; 1: the agent ends; or it has had none for so
 * long that others come first.
 */
static int await_room(struct feed *feed, uint64_t since)
{
	if (agent_now() - since < STUCK_S * 1000000000ULL)
		return snapshot_pauses(feed->snapshot, ROOM_MS);
	say_warning("'%s' takes nothing of what it lacks for %d s: is its apply() stuck?",
		    feed->consumer->name, STUCK_S);
	return -ETIMEDOUT;
}

static int send_section(struct feed *feed, const void *bytes, uint32_t length)
{
	const uint64_t since = agent_now();
	int error, result = 0;

	do {
		error = consumer_section(netlink_of(feed), group_of(feed),
					 feed->port, feed->consumer->id, bytes,
					 length);
		if (error == -EAGAIN)
			result = await_room(feed, since);
	} while (error == -EAGAIN && !result);
	return result ?: error;
}

static int send_sections(struct feed *feed, struct snapshot_reader *reader)
{
	int result, error;

	while ((result = snapshot_read(reader)) > 0) {
		if (strcmp(reader->name, feed->consumer->name))
			continue;
		if (reader->type == SNAPSHOT_SECTION_END)
			return send_section(feed, NULL, 0);
		if (reader->type != SNAPSHOT_DATA)
			continue;
		error = send_section(feed, reader->bytes, reader->length);
		if (error)
			return error;
	}
	/* It was whole a moment ago. */
	say_about(LOG_ERR, SAY(.event = SAY_LOG_DAMAGED), "%s",
		  result ? reader->error : "a section is gone");
	return -EIO;
}

static int load(struct feed *feed)
{
	const struct agent *agent = feed->snapshot->agent;
	struct snapshot_reader reader;
	int result;

	result = snapshot_open(&reader, agent->state.directory, feed->name);
	if (result) {
		say_warning("%s", reader.error);
		result = -EIO;
	} else {
		result = send_sections(feed, &reader);
	}
	if (reader.fd >= 0)
		posix_fadvise(reader.fd, 0, 0, POSIX_FADV_DONTNEED);
	snapshot_close(&reader);
	return result;
}

/* What is in the request goes, as often as it takes. */
static int send_values(struct feed *feed)
{
	const uint64_t since = agent_now();
	int error, result = 0;

	do {
		error = netlink_ask(netlink_of(feed), NULL, NULL);
		if (error == -EAGAIN)
			result = await_room(feed, since);
	} while (error == -EAGAIN && !result);
	return result ?: error;
}

/* Is there more to come for it, after what is on the disk has gone? */
static bool still_wants(struct feed *feed)
{
	struct consumers consumers;
	unsigned int i;

	if (snapshot_pauses(feed->snapshot, MORE_MS) ||
	    consumer_list(netlink_of(feed), group_of(feed), &consumers))
		return false;
	for (i = 0; i < consumers.n; i++)
		if (consumers.list[i].id == feed->consumer->id)
			return consumers.list[i].wants;
	return false;
}

static int walk(struct feed *feed, struct wal_chosen *chosen)
{
	const struct learn learn = { .netlink = netlink_of(feed) };
	const struct record *record;
	unsigned int n;
	int result = 0;

	while (!result) {
		consumer_begin_values(netlink_of(feed), group_of(feed),
				      feed->port, feed->consumer->id);
		for (n = 0; !wal_chosen_done(chosen) &&
			    !wal_chosen_trimmed(chosen); ) {
			result = wal_chosen_peek(chosen, &record);
			if (result < 0)
				return -EIO;
			if (!result)
				continue;
			if (learn_add(&learn, record))
				break;
			wal_chosen_take(chosen);
			n++;
		}
		result = n ? send_values(feed) : 0;
		/* A newer snapshot stands for what went. */
		if (!result && wal_chosen_trimmed(chosen))
			return -ESTALE;
		if (!result && wal_chosen_done(chosen) && !still_wants(feed))
			return 0;
	}
	return result;
}

static int replay(struct feed *feed)
{
	struct agent *agent = feed->snapshot->agent;
	struct wal_chosen chosen;
	int result = -ENOMEM;

	if (!wal_chosen_open(&chosen, &agent->index, agent->wal.path,
			     agent->state.directory)) {
		wal_chosen_seek(&chosen, feed->slot + 1);
		result = walk(feed, &chosen);
		if (result == -EIO)
			say_about(LOG_ERR, SAY(.event = SAY_LOG_DAMAGED),
				  "cannot bring %s what it lacks: %s",
				  feed->consumer->name, chosen.error);
	}
	wal_chosen_close(&chosen);
	return result;
}

/* Nothing is here. Others may be heard in a moment, and have it. */
static void lacks(struct feed *feed)
{
	struct snapshot *snapshot = feed->snapshot;
	struct snapshots *shared = &snapshot->agent->snapshots;
	const struct consumer *consumer = feed->consumer;
	uint64_t least = wal_index_first(&snapshot->agent->index) - 1;

	/* Or it is here, and this member has yet to learn so far. */
	if (snapshot->content.about.slot > snapshot->consumers.commit)
		return;
	if (least + 1 < consumer->next)
		least = consumer->next - 1;
	atomic_store(&shared->lacks, least ?: 1);
	atomic_store(&shared->urgent, consumer->loads);
	if (atomic_load(&shared->fetching) || atomic_load(&shared->fetched))
		return;
	if (snapshot->lacking_id != consumer->id)
		snapshot->lacking = 0;
	snapshot->lacking_id = consumer->id;
	if (++snapshot->lacking < PATIENT_LOOKS) {
		snapshot_pauses(snapshot, LACKS_MS);
		return;
	}
	snapshot->lacking = 0;
	atomic_store(&shared->urgent, false);
	say_error("'%s' lacks slots from %" PRIu64 " on: the log here begins with %" PRIu64
		  ", and there is no snapshot that helps: it stops",
		  consumer->name, consumer->next,
		  wal_index_first(&snapshot->agent->index));
	consumer_refuse(netlink_of(feed), group_of(feed), feed->port,
			consumer->id);
}

void snapshot_feed(struct snapshot *snapshot, const struct consumer *consumer)
{
	struct feed feed = {
		.snapshot = snapshot,
		.consumer = consumer,
		.port = netlink_port(&snapshot->agent->attached),
	};
	int result;

	if (!choose(&feed)) {
		lacks(&feed);
		return;
	}
	snapshot->lacking = 0;
	atomic_store(&snapshot->agent->snapshots.urgent, false);
	result = consumer_feed(netlink_of(&feed), group_of(&feed), feed.port,
			       consumer->id, feed.loads, feed.slot,
			       feed.checkpoint, feed.length);
	/* The kernel knows another checksum of that slot: the next older one. */
	if (result == -EBADMSG && feed.name[0])
		snapshot_reject(snapshot, feed.slot);
	/* It has enough by now, or is gone; else the next look tries again. */
	if (result)
		return;
	say_notice("%s lacks slots from %" PRIu64 " on: %s slot %" PRIu64,
		   consumer->name[0] ? consumer->name : "a consumer",
		   consumer->next,
		   feed.loads ? "it gets the snapshot at, and values behind," :
				"it gets the values behind", feed.slot);
	if (feed.loads)
		result = load(&feed);
	if (!result)
		result = replay(&feed);
	if (result == -EIO || result == -ETIMEDOUT)
		snapshot->unread = agent_now();
}
