// SPDX-License-Identifier: GPL-2.0
/*
 * When a snapshot is taken: when the log has grown by SnapshotAfter since the
 * last one, when it cannot be trimmed before there is one, or when a person
 * asks. Not while a consumer is missing that the last one has a section of: its
 * state is nowhere else.
 */

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "agent.h"
#include "group.h"
#include "say.h"
#include "snapshot.h"
#include "snapshot_store.h"

#define LOOK_MS		100
#define PULL_MS		2	/* until a consumer has written more */
#define PULL_NS		10000000000ULL	/* that it may take */
#define RETRY_NS	5000000000ULL
#define TELL_NS		60000000000ULL

void snapshots_init(struct snapshots *snapshots)
{
	memset(snapshots, 0, sizeof(*snapshots));
	pthread_mutex_init(&snapshots->lock, NULL);
	/* Nothing goes before it is known who needs it. */
	snapshots->stands = true;
}

uint64_t snapshot_limit(struct agent *agent)
{
	const struct snapshots *snapshots = &agent->snapshots;

	return atomic_load(&snapshots->stands) ? atomic_load(&snapshots->slot) :
						 UINT64_MAX;
}

bool snapshot_pauses(const struct snapshot *snapshot, int ms)
{
	struct pollfd event = { .fd = snapshot->agent->stop,
				.events = POLLIN };

	return poll(&event, 1, ms) > 0;
}

static uint32_t port(const struct snapshot *snapshot)
{
	return netlink_port(&snapshot->agent->attached);
}

/* Of this cluster, or of the one that it was before it was recovered. */
static bool is_ours(const struct snapshot *snapshot,
		    const struct snapshot_about *about)
{
	const struct wal_recovery *recovery = &snapshot->agent->wal.recovery;
	const struct config *config = &snapshot->agent->config;

	return about->group == config->group &&
	       (!memcmp(about->cluster, config->cluster,
			sizeof(config->cluster)) ||
		(recovery->time &&
		 !memcmp(about->cluster, recovery->former,
			 sizeof(recovery->former)) &&
		 about->slot <= le64toh(recovery->commit)));
}

/* Damage is told once; the file stays, for a person to look at. */
static bool verify(struct snapshot *snapshot, uint64_t slot,
		   struct snapshot_content *content)
{
	const struct config *config = &snapshot->agent->config;
	char name[SNAPSHOT_FILE_SIZE], error[WAL_ERROR_SIZE] = "";

	if (!snapshot_verify(snapshot->agent->state.directory,
			     snapshot_file_name(name, slot), content, error,
			     sizeof(error)) &&
	    content->about.slot == slot && is_ours(snapshot, &content->about))
		return true;
	if (slot > snapshot->damaged)
		say_about(LOG_ERR, SAY(.event = SAY_LOG_DAMAGED, .slot = slot),
			  "%s/%s cannot be used: %s", config->state_directory,
			  name, error[0] ? error :
			  "it is of another slot, group or cluster");
	if (slot > snapshot->damaged)
		snapshot->damaged = slot;
	return false;
}

bool snapshot_newest(struct snapshot *snapshot, uint64_t most,
		     struct snapshot_content *content)
{
	const int directory = snapshot->agent->state.directory;
	uint64_t slots[SNAPSHOTS_LISTED];
	const unsigned int n = snapshot_list(directory, slots);
	unsigned int i;

	for (i = 0; i < n; i++)
		if (slots[i] <= most && verify(snapshot, slots[i], content))
			return true;
	memset(content, 0, sizeof(*content));
	return false;
}

__attribute__((format(printf, 2, 3)))
static int fails(struct snapshot *snapshot, const char *format, ...)
{
	const uint64_t now = agent_now();
	va_list args;

	snapshot->failed = now;
	va_start(args, format);
	vsnprintf(snapshot->error, sizeof(snapshot->error), format, args);
	va_end(args);
	if (snapshot->told && now - snapshot->told < TELL_NS)
		return -1;
	snapshot->told = now;
	say_warning("no snapshot: %s", snapshot->error);
	return -1;
}

/* One consumer's section, from the kernel to the disk. */
static int save_section(struct snapshot *snapshot,
			struct snapshot_writer *writer,
			const struct consumer *consumer)
{
	struct agent *agent = snapshot->agent;
	struct netlink *netlink = &agent->consumer;
	uint64_t since = agent_now();
	uint32_t length;
	int error;

	if (snapshot_section_begin(writer, consumer->name))
		return fails(snapshot, "%s", writer->error);
	for (;;) {
		error = consumer_pull(netlink, agent->config.group,
				      port(snapshot), consumer->id,
				      snapshot->buffer, &length);
		if (error == -EAGAIN && agent_now() - since >= PULL_NS)
			return fails(snapshot, "%s gives nothing for %llu s: is its apply() stuck?",
				     consumer->name, PULL_NS / 1000000000);
		if (error == -EAGAIN && !snapshot_pauses(snapshot, PULL_MS))
			continue;
		since = agent_now();
		if (error)
			return fails(snapshot, "%s: %s", consumer->name,
				     netlink->error);
		if (!length)
			break;
		if (snapshot_bytes(writer, snapshot->buffer, length))
			return fails(snapshot, "%s", writer->error);
	}
	if (snapshot_section_end(writer))
		return fails(snapshot, "%s", writer->error);
	return 0;
}

/* Is there a section of each in @consumers? NULL, or whose is missing. */
static const char *missing(const struct snapshot_content *content,
			   const struct consumers *consumers)
{
	unsigned int i, j;

	for (i = 0; i < content->n; i++) {
		for (j = 0; j < consumers->n; j++)
			if (consumers->list[j].saves &&
			    !strcmp(content->sections[i].name,
				    consumers->list[j].name))
				break;
		if (j == consumers->n)
			return content->sections[i].name;
	}
	return NULL;
}

static int save(struct snapshot *snapshot, struct snapshot_writer *writer,
		const struct consumer_snapshot *begun)
{
	const struct config *config = &snapshot->agent->config;
	const struct snapshot_about about = {
		.group = config->group,
		.epoch = begun->epoch,
		.member = config->self,
		.slot = begun->slot,
		.time = time(NULL),
	};
	struct snapshot_about whole = about;
	unsigned int i;

	memcpy(whole.cluster, config->cluster, sizeof(whole.cluster));
	if (snapshot_create(writer, snapshot->agent->state.directory, &whole,
			    begun->checkpoint, begun->length))
		return fails(snapshot, "%s", writer->error);
	for (i = 0; i < begun->consumers.n; i++)
		if (save_section(snapshot, writer, &begun->consumers.list[i]))
			return -1;
	if (snapshot_finish(writer))
		return fails(snapshot, "%s", writer->error);
	return 0;
}

static void publish(struct snapshot *snapshot)
{
	struct snapshots *shared = &snapshot->agent->snapshots;
	const struct consumers *consumers = &snapshot->consumers;
	bool stands = snapshot->content.n;
	unsigned int i;

	for (i = 0; i < consumers->n; i++)
		stands |= consumers->list[i].saves;
	atomic_store(&shared->slot, snapshot->content.about.slot);
	atomic_store(&shared->stands, stands);
}

static int take_begun(struct snapshot *snapshot,
		      const struct consumer_snapshot *begun)
{
	struct agent *agent = snapshot->agent;
	const char *gone = missing(&snapshot->content, &begun->consumers);
	struct snapshot_writer writer = { .fd = -1 };
	const uint64_t began = agent_now();
	int result;

	if (!begun->consumers.n && !gone)
		return fails(snapshot, "no consumer with snapshots has the group open");
	if (gone)
		return fails(snapshot, "'%s' does not have the group open, and the last one has its state: load it, or if it is not needed any more remove that file",
			     gone);
	if (begun->slot == snapshot->content.about.slot &&
	    !memcmp(snapshot->content.about.cluster, agent->config.cluster,
		    PAXOS_CLUSTER_SIZE))
		return 0;
	result = save(snapshot, &writer, begun);
	snapshot_abandon(&writer);
	if (result)
		return result;
	if (!verify(snapshot, begun->slot, &snapshot->content))
		return fails(snapshot, "what was written cannot be read");
	publish(snapshot);
	snapshot_prune(agent->state.directory,
		       atomic_load(&agent->snapshots.kept));
	say_about(LOG_INFO, SAY(.slot = begun->slot),
		  "snapshot at slot %" PRIu64 ": %" PRIu64 " bytes of %u consumers, in %" PRIu64 " ms",
		  begun->slot, snapshot->content.size, begun->consumers.n,
		  (agent_now() - began) / 1000000);
	return 0;
}

static int take(struct snapshot *snapshot)
{
	struct agent *agent = snapshot->agent;
	const uint64_t grown = atomic_load(&agent->snapshots.grown);
	static struct consumer_snapshot begun;	/* too large for a stack */
	int result;

	result = consumer_begin_snapshot(&agent->consumer, agent->config.group,
					 port(snapshot), &begun);
	if (result)
		return fails(snapshot, "%s", agent->consumer.error);
	result = take_begun(snapshot, &begun);
	if (consumer_end_snapshot(&agent->consumer, agent->config.group,
				  port(snapshot)) && !result)
		return fails(snapshot, "%s", agent->consumer.error);
	if (result)
		return result;
	snapshot->grown = grown;
	snapshot->failed = 0;
	snapshot->told = 0;
	atomic_store(&agent->snapshots.wanted, false);
	return 0;
}

bool snapshot_has(const struct snapshot_content *content, const char *name)
{
	unsigned int i;

	for (i = 0; i < content->n; i++)
		if (!strcmp(content->sections[i].name, name))
			return true;
	return false;
}

/* One that is new here gets its first one soon: its state is to stay. */
static bool is_due(const struct snapshot *snapshot)
{
	const struct snapshots *shared = &snapshot->agent->snapshots;
	const struct consumer *consumer;
	bool saves = false, fresh = false;
	unsigned int i;

	/* Nor does one of a former cluster help those that join. */
	fresh = snapshot->content.n &&
		memcmp(snapshot->content.about.cluster,
		       snapshot->agent->config.cluster, PAXOS_CLUSTER_SIZE);
	for (i = 0; i < snapshot->consumers.n; i++) {
		consumer = &snapshot->consumers.list[i];
		saves |= consumer->saves;
		fresh |= consumer->saves &&
			 !snapshot_has(&snapshot->content, consumer->name);
	}
	return snapshot->consumers.commit &&
	       (!snapshot->failed ||
		agent_now() - snapshot->failed >= RETRY_NS) &&
	       (fresh || atomic_load(&shared->wanted) ||
		(saves && atomic_load(&shared->grown) - snapshot->grown >=
			atomic_load(&shared->after)));
}

/* A person waits for an answer. */
static void answer(struct snapshot *snapshot)
{
	struct snapshots *shared = &snapshot->agent->snapshots;
	uint32_t asked;

	pthread_mutex_lock(&shared->lock);
	asked = shared->asked;
	pthread_mutex_unlock(&shared->lock);
	if (asked == shared->done)
		return;
	snapshot->told = agent_now();	/* the answer says it */
	snapshot->error[0] = '\0';
	take(snapshot);
	pthread_mutex_lock(&shared->lock);
	shared->done = asked;
	memcpy(shared->error, snapshot->error, sizeof(shared->error));
	pthread_mutex_unlock(&shared->lock);
}

/* A log that begins later than any snapshot here is of no use to a consumer. */
static void look_for_more(struct snapshot *snapshot)
{
	struct snapshots *shared = &snapshot->agent->snapshots;
	const uint64_t first = wal_index_first(&snapshot->agent->index);
	struct snapshot_content *content = &snapshot->content;

	if (atomic_exchange(&shared->fetched, false)) {
		snapshot_newest(snapshot, UINT64_MAX, content);
		publish(snapshot);
		snapshot_prune(snapshot->agent->state.directory,
			       atomic_load(&shared->kept));
	}
	if (content->about.slot + 1 < first)
		atomic_store(&shared->lacks, first - 1);
	else if (!atomic_load(&shared->urgent))
		atomic_store(&shared->lacks, 0);
}

void snapshot_reject(struct snapshot *snapshot, uint64_t slot)
{
	struct agent *agent = snapshot->agent;
	const char *path = agent->config.state_directory;
	char name[SNAPSHOT_FILE_SIZE];

	snapshot_file_name(name, slot);
	if (snapshot_set_aside(agent->state.directory, slot))
		say_error("%s/%s is of a log that differs from the others', and cannot be set aside: %s. Remove it",
			  path, name, strerror(errno));
	else
		say_warning("%s/%s is of a log that differs from the others': it is %s.diverged now",
			    path, name, name);
	snapshot_newest(snapshot, UINT64_MAX, &snapshot->content);
	publish(snapshot);
}

/*
 * The log here differs from the others': what was made of it behind the last
 * slot that another member had alike must not come back when this one begins
 * anew.
 */
static void look_for_divergence(struct snapshot *snapshot)
{
	struct agent *agent = snapshot->agent;
	const bool was = snapshot->halted;
	uint64_t slots[SNAPSHOTS_LISTED];
	struct group_state state;
	unsigned int i, n;

	if (group_get(&agent->consumer, agent->config.group, &state))
		return;
	snapshot->halted = state.halted;
	if (was || !state.halted)
		return;
	n = snapshot_list(agent->state.directory, slots);
	for (i = 0; i < n && slots[i] > state.agreed; i++)
		snapshot_reject(snapshot, slots[i]);
}

static void report(struct snapshot *snapshot)
{
	struct agent *agent = snapshot->agent;
	const uint64_t slot = snapshot->content.about.slot;
	const bool unsaved = snapshot->failed &&
			     atomic_load(&agent->snapshots.wanted);

	if ((slot == snapshot->shown && unsaved == snapshot->unsaved) ||
	    consumer_report(&agent->consumer, agent->config.group,
			    port(snapshot), slot, unsaved))
		return;
	snapshot->shown = slot;
	snapshot->unsaved = unsaved;
}

static void look(struct snapshot *snapshot)
{
	struct agent *agent = snapshot->agent;
	const struct consumers *consumers = &snapshot->consumers;
	unsigned int i;

	/* The disk thread says what is wrong with the group. */
	if (consumer_list(&agent->consumer, agent->config.group,
			  &snapshot->consumers))
		return;
	publish(snapshot);
	look_for_divergence(snapshot);
	look_for_more(snapshot);
	for (i = 0; i < consumers->n; i++)
		if (consumers->list[i].wants &&
		    (!snapshot->unread ||
		     agent_now() - snapshot->unread >= RETRY_NS))
			snapshot_feed(snapshot, &consumers->list[i]);
	answer(snapshot);
	if (is_due(snapshot))
		take(snapshot);
	report(snapshot);
}

void *snapshot_run(void *context)
{
	static struct snapshot snapshot;	/* too large for a stack */
	struct agent *agent = context;

	snapshot.agent = agent;
	snapshot.buffer = malloc(SNAPSHOT_BYTES_MAX);
	agent_lower_priority("snapshot");
	if (!snapshot.buffer) {
		agent_fail(agent, "out of memory");
		return NULL;
	}
	snapshot_tidy(agent->state.directory);
	snapshot_newest(&snapshot, UINT64_MAX, &snapshot.content);
	while (!snapshot_pauses(&snapshot, LOOK_MS))
		look(&snapshot);
	free(snapshot.buffer);
	return NULL;
}
