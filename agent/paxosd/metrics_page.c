// SPDX-License-Identifier: GPL-2.0
/*
 * The page for Prometheus, in its text format 0.0.4: base units, and all
 * samples of a family in a row. No sockets, no files.
 */

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/genetlink.h>
#include "metrics.h"

#define ONE 0	/* a whole number */
#define US 1e-6
#define MS 1e-3

const uint32_t metrics_bounds[METRICS_BOUNDS] = {
	100, 300, 1000, 3000, 10000, 30000, 100000, 300000, 1000000, 3000000,
};

void metrics_batch(struct metrics_disk *disk, uint64_t ns, uint64_t bytes)
{
	unsigned int i;

	for (i = 0; i < METRICS_BOUNDS; i++)
		if (ns <= metrics_bounds[i] * 1000ULL)
			break;
	atomic_fetch_add(&disk->batches[i], 1);
	atomic_fetch_add(&disk->ns, ns);
	atomic_fetch_add(&disk->bytes, bytes);
}

struct page {
	FILE *out;
	uint32_t group;
};

/* One number of the kernel's, of the group or of a member. */
struct gauge {
	uint16_t attr;
	double unit;
	const char *name;
	const char *help;
};

static const struct gauge group_gauges[] = {
	{ PAXOS_A_COMMIT, ONE, "commit_slot",
	  "All slots up to this one are chosen, and known here." },
	{ PAXOS_A_SLOT, ONE, "last_slot", "Highest slot with a value." },
	{ PAXOS_A_FIRST, ONE, "first_slot",
	  "Lowest slot that the kernel holds." },
	{ PAXOS_A_LSN, ONE, "record_lsn", "Last record of the kernel." },
	{ PAXOS_A_DURABLE, ONE, "durable_lsn", "Last record on stable storage." },
	{ PAXOS_A_PENDING, ONE, "pending_proposals",
	  "Proposals of this host that are under way." },
	{ PAXOS_A_BYTES_USED, ONE, "values_bytes", "Memory that values take." },
	{ PAXOS_A_BYTES, ONE, "values_limit_bytes",
	  "Memory that values may take." },
	{ PAXOS_A_EPOCH, ONE, "epoch",
	  "Number of the configuration; 0: none yet." },
	{ PAXOS_A_UP, ONE, "voters_up",
	  "Voters heard of late, this one included." },
	{ PAXOS_A_Q2, ONE, "accept_quorum", "Voters that choose a value." },
	{ PAXOS_A_LEADER, ONE, "leader", "Id of the leader; 0: none is known." },
	{ PAXOS_A_STALLED, MS, "record_wait_seconds",
	  "How long the oldest record has waited for the disk." },
	{ PAXOS_A_SPACE_USED, ONE, "log_bytes", "What the log takes on the disk." },
	{ PAXOS_A_SPACE, ONE, "log_limit_bytes", "What it may take there." },
	{ PAXOS_A_SPACE_FIRST, ONE, "log_first_slot", "Lowest slot that it holds." },
	{ PAXOS_A_SNAPSHOT, ONE, "snapshot_slot",
	  "Of the newest snapshot beside the log; 0: there is none." },
	{ PAXOS_A_UNSAVED, ONE, "snapshot_failing",
	  "Whether the log waits for a snapshot that cannot be taken." },
	{ PAXOS_A_HALTED, ONE, "halted",
	  "Whether nothing is applied here, since this log is not a majority's." },
};

static const struct gauge member_gauges[] = {
	{ PAXOS_A_MEMBER_UP, ONE, "member_up",
	  "Whether the member takes part, as far as is known here." },
	{ PAXOS_A_MEMBER_HEARD, MS, "member_kernel_silence_seconds",
	  "Since the member's kernel was heard." },
	{ PAXOS_A_MEMBER_AGENT_HEARD, MS, "member_agent_silence_seconds",
	  "Since the member's agent was heard." },
	{ PAXOS_A_MEMBER_SUSPECTED, ONE, "member_suspected",
	  "Whether the member's agent is suspected to have failed." },
	{ PAXOS_A_MEMBER_RTT, US, "member_round_trip_seconds",
	  "Smoothed, of the network." },
	{ PAXOS_A_MEMBER_RESPONSE, US, "member_response_seconds",
	  "Smoothed, from Accept to Accepted." },
	{ PAXOS_A_MEMBER_COMMIT, ONE, "member_commit_slot",
	  "The member's commit, as it last said." },
	{ PAXOS_A_MEMBER_SAME, ONE, "member_same_slot",
	  "Highest slot of which the member had the same checksum." },
	{ PAXOS_A_MEMBER_DIFFERS, ONE, "member_diverged_slot",
	  "Lowest slot of which the member has another checksum; 0: none." },
};

#define ENTRIES(array) (sizeof(array) / sizeof((array)[0]))

static void family(const struct page *page, const char *name, const char *type,
		   const char *help)
{
	fprintf(page->out, "# HELP paxos_%s %s\n# TYPE paxos_%s %s\n", name,
		help, name, type);
}

static void integer(const struct page *page, const char *name,
		    const char *labels, uint64_t value)
{
	fprintf(page->out, "paxos_%s{group=\"%" PRIu32 "\"%s} %" PRIu64 "\n",
		name, page->group, labels, value);
}

static void number(const struct page *page, const char *name,
		   const char *labels, double value)
{
	fprintf(page->out, "paxos_%s{group=\"%" PRIu32 "\"%s} %.9g\n", name,
		page->group, labels, value);
}

static void gauge_sample(const struct page *page, const struct gauge *gauge,
			 const char *labels, const struct nlattr *attr)
{
	uint64_t value = netlink_u64(attr);

	if (mnl_attr_get_payload_len(attr) == sizeof(uint8_t))
		value = netlink_u8(attr);
	else if (mnl_attr_get_payload_len(attr) == sizeof(uint32_t))
		value = netlink_u32(attr);
	if (gauge->unit != 0)
		number(page, gauge->name, labels, value * gauge->unit);
	else
		integer(page, gauge->name, labels, value);
}

static const struct nlattr *find(const struct nlmsghdr *message, uint16_t type)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, message, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) == type)
			return attr;
	return NULL;
}

/* Why nothing is decided: one sample for each reason, 1 where it is so. */
static void put_wait(const struct page *page, uint8_t wait)
{
	static const char *const reasons[] = {
		[PAXOS_NL_WAIT_AGENT] = "agent",
		[PAXOS_NL_WAIT_START] = "start",
		[PAXOS_NL_WAIT_LEADER] = "leader",
		[PAXOS_NL_WAIT_QUORUM] = "quorum",
		[PAXOS_NL_WAIT_PROMISES] = "promises",
		[PAXOS_NL_WAIT_DISK] = "disk",
		[PAXOS_NL_WAIT_BEHIND] = "behind",
		[PAXOS_NL_WAIT_MEMBER] = "member",
		[PAXOS_NL_WAIT_MEMORY] = "memory",
	};
	char labels[32];
	unsigned int i;

	family(page, "waits", "gauge", "What this member waits for.");
	for (i = 1; i < ENTRIES(reasons); i++) {
		snprintf(labels, sizeof(labels), ",for=\"%s\"", reasons[i]);
		integer(page, "waits", labels, wait == i);
	}
}

static void put_member_gauge(const struct page *page, const struct gauge *gauge,
			     const struct nlmsghdr *group)
{
	const struct nlattr *attr, *member[PAXOS_A_MEMBER_MAX + 1];
	char labels[32];

	family(page, gauge->name, "gauge", gauge->help);
	mnl_attr_for_each(attr, group, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) != PAXOS_A_MEMBER)
			continue;
		netlink_parse_nested(attr, member, PAXOS_A_MEMBER_MAX);
		if (!member[gauge->attr])
			continue;
		snprintf(labels, sizeof(labels), ",member=\"%u\"",
			 netlink_u8(member[PAXOS_A_MEMBER_ID]));
		gauge_sample(page, gauge, labels, member[gauge->attr]);
	}
}

static const struct gauge consumer_gauges[] = {
	{ PAXOS_A_CONSUMER_APPLIED, ONE, "consumer_applied_slot",
	  "Slots up to this one are applied by the kernel subsystem." },
	{ PAXOS_A_CONSUMER_STALLED, MS, "consumer_stalled_seconds",
	  "How long it has not returned from applying one." },
	{ PAXOS_A_CONSUMER_STOPPED, ONE, "consumer_stopped",
	  "Why it is told nothing more, an errno; absent: it is." },
};

/* Several may have one name: they are counted. */
static void put_consumer_gauge(const struct page *page,
			       const struct gauge *gauge,
			       const struct nlmsghdr *group)
{
	const struct nlattr *attr, *consumer[PAXOS_A_CONSUMER_MAX + 1];
	const struct nlattr *name;
	char labels[80], text[32];
	unsigned int i, n = 0;

	family(page, gauge->name, "gauge", gauge->help);
	mnl_attr_for_each(attr, group, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) != PAXOS_A_CONSUMER)
			continue;
		netlink_parse_nested(attr, consumer, PAXOS_A_CONSUMER_MAX);
		name = consumer[PAXOS_A_CONSUMER_NAME];
		n++;
		if (!consumer[gauge->attr] || !name)
			continue;
		snprintf(text, sizeof(text), "%.*s",
			 mnl_attr_get_payload_len(name), mnl_attr_get_str(name));
		for (i = 0; text[i]; i++)
			if (!isalnum((unsigned char)text[i]))
				text[i] = '_';
		snprintf(labels, sizeof(labels), ",consumer=\"%s\",n=\"%u\"",
			 text, n);
		gauge_sample(page, gauge, labels, consumer[gauge->attr]);
	}
}

static void put_group(const struct page *page, const struct nlmsghdr *group)
{
	const struct nlattr *attr;
	unsigned int i;

	for (i = 0; i < ENTRIES(group_gauges); i++) {
		attr = find(group, group_gauges[i].attr);
		if (!attr)
			continue;
		family(page, group_gauges[i].name, "gauge",
		       group_gauges[i].help);
		gauge_sample(page, &group_gauges[i], "", attr);
	}
	family(page, "leads", "gauge", "Whether this member is the leader.");
	integer(page, "leads", "", netlink_u8(find(group, PAXOS_A_PHASE)) ==
				   PAXOS_NL_PHASE_LEADER);
	family(page, "ballot_round", "gauge",
	       "Round of the ballot that is followed; grows with each election.");
	integer(page, "ballot_round", "",
		netlink_u64(find(group, PAXOS_A_BALLOT)) >> 8);
	put_wait(page, netlink_u8(find(group, PAXOS_A_WAIT)));
	for (i = 0; i < ENTRIES(member_gauges); i++)
		put_member_gauge(page, &member_gauges[i], group);
	for (i = 0; i < ENTRIES(consumer_gauges); i++)
		put_consumer_gauge(page, &consumer_gauges[i], group);
}

/* One of the kernel's counters. */
struct counter {
	const char *name;
	uint64_t value;
};

static bool take_counter(const struct nlattr *nest, struct counter *counter)
{
	const struct nlattr *attr[PAXOS_A_COUNTER_MAX + 1];

	netlink_parse_nested(nest, attr, PAXOS_A_COUNTER_MAX);
	if (!attr[PAXOS_A_COUNTER_NAME] || !attr[PAXOS_A_COUNTER_VALUE] ||
	    mnl_attr_validate(attr[PAXOS_A_COUNTER_NAME], MNL_TYPE_NUL_STRING) <
		    0)
		return false;
	counter->name = mnl_attr_get_str(attr[PAXOS_A_COUNTER_NAME]);
	counter->value = netlink_u64(attr[PAXOS_A_COUNTER_VALUE]);
	return true;
}

/* "prepare-in" is of messages received; NULL where @name has another end. */
static const char *without_end(char *text, size_t size, const char *name,
			       const char *end)
{
	const size_t length = strlen(name), tail = strlen(end);

	if (length <= tail || strcmp(name + length - tail, end) ||
	    !strncmp(name, "bytes-", strlen("bytes-")))
		return NULL;
	snprintf(text, size, "%.*s", (int)(length - tail), name);
	return text;
}

static void put_messages(const struct page *page, const struct nlmsghdr *stats,
			 const char *end, const char *name, const char *help)
{
	const struct nlattr *attr;
	struct counter counter;
	char type[32], labels[64];

	family(page, name, "counter", help);
	mnl_attr_for_each(attr, stats, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) != PAXOS_A_COUNTER ||
		    !take_counter(attr, &counter) ||
		    !without_end(type, sizeof(type), counter.name, end))
			continue;
		snprintf(labels, sizeof(labels), ",type=\"%s\"", type);
		integer(page, name, labels, counter.value);
	}
}

/* The others have a family each: "slots-chosen" is slots_chosen_total. */
static void put_counter(const struct page *page, const struct counter *counter)
{
	static const struct {
		const char *name, *family, *help;
	} known[] = {
		{ "bytes-in", "received_bytes", "Of datagrams." },
		{ "bytes-out", "sent_bytes", "Of datagrams." },
		{ "proposals", NULL, "Proposals made on this host." },
		{ "reads", NULL, "Linearizable reads asked for on this host." },
		{ "slots-chosen", NULL, "Slots that this host saw chosen." },
		{ "values-delivered", NULL, "Values delivered on this host." },
		{ "records", NULL, "Records for the disk." },
		{ "pulls", NULL, "Times that the agent asked for records." },
		{ "pull-retries", NULL, "Of these, for the same ones again." },
		{ "transferred", "transferred_slots",
		  "Slots learnt from another member's log." },
	};
	const char *help = "See paxosctl(8), stats.", *base = counter->name;
	char name[64];
	unsigned int i;

	for (i = 0; i < ENTRIES(known); i++)
		if (!strcmp(known[i].name, counter->name)) {
			base = known[i].family ?: counter->name;
			help = known[i].help;
		}
	snprintf(name, sizeof(name), "%s_total", base);
	for (i = 0; name[i]; i++)
		if (!isalnum((unsigned char)name[i]))
			name[i] = '_';
	family(page, name, "counter", help);
	integer(page, name, "", counter->value);
}

/* Bucket i of the kernel holds what took less than 2^i us. */
static void put_latency(const struct page *page, const struct nlattr *attr,
			uint64_t us)
{
	uint64_t buckets[PAXOS_NL_LATENCIES], count = 0;
	char labels[32];
	unsigned int i;

	if (!attr || mnl_attr_get_payload_len(attr) != sizeof(buckets))
		return;
	memcpy(buckets, mnl_attr_get_payload(attr), sizeof(buckets));
	family(page, "proposal_seconds", "histogram",
	       "From a proposal of this host until it was chosen.");
	for (i = 0; i < PAXOS_NL_LATENCIES - 1; i++) {
		count += buckets[i];
		snprintf(labels, sizeof(labels), ",le=\"%.9g\"",
			 (1U << i) * US);
		integer(page, "proposal_seconds_bucket", labels, count);
	}
	count += buckets[i];
	integer(page, "proposal_seconds_bucket", ",le=\"+Inf\"", count);
	number(page, "proposal_seconds_sum", "", us * US);
	integer(page, "proposal_seconds_count", "", count);
}

static void put_stats(const struct page *page, const struct nlmsghdr *stats)
{
	const struct nlattr *attr;
	struct counter counter;
	char text[64];
	uint64_t us = 0;

	put_messages(page, stats, "-in", "messages_received_total",
		     "Messages that were taken, by type.");
	put_messages(page, stats, "-out", "messages_sent_total",
		     "Messages sent, by type.");
	mnl_attr_for_each(attr, stats, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) != PAXOS_A_COUNTER ||
		    !take_counter(attr, &counter) ||
		    without_end(text, sizeof(text), counter.name, "-in") ||
		    without_end(text, sizeof(text), counter.name, "-out"))
			continue;
		if (!strcmp(counter.name, "proposals-us"))
			us = counter.value;
		else
			put_counter(page, &counter);
	}
	put_latency(page, find(stats, PAXOS_A_LATENCY), us);
	family(page, "dropped_total", "counter",
	       "Datagrams dropped, and what else was given up, by reason.");
	mnl_attr_for_each(attr, stats, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) != PAXOS_A_DROP ||
		    !take_counter(attr, &counter))
			continue;
		snprintf(text, sizeof(text), ",reason=\"%s\"", counter.name);
		integer(page, "dropped_total", text, counter.value);
	}
}

static void put_peers(const struct page *page,
		      const struct control_detector *detector, const char *name,
		      const char *type, const char *help, size_t offset,
		      double unit)
{
	char labels[32];
	unsigned int i;

	family(page, name, type, help);
	for (i = 0; i < detector->n; i++) {
		const struct control_peer *peer = &detector->peers[i];
		const void *at = (const char *)peer + offset;

		snprintf(labels, sizeof(labels), ",member=\"%u\"", peer->id);
		if (unit != 0)
			number(page, name, labels,
			       *(const uint32_t *)at * unit);
		else
			integer(page, name, labels, *(const uint64_t *)at);
	}
}

static void put_detector(const struct page *page,
			 const struct control_detector *detector)
{
	put_peers(page, detector, "detector_timeout_seconds", "gauge",
		  "Silence of the member's agent that is suspected.",
		  offsetof(struct control_peer, timeout), US);
	put_peers(page, detector, "detector_heartbeats_total", "counter",
		  "Heartbeats heard.", offsetof(struct control_peer, arrivals),
		  0);
	put_peers(page, detector, "detector_mistakes_total", "counter",
		  "Suspicions that were wrong.",
		  offsetof(struct control_peer, mistakes), 0);
	put_peers(page, detector, "detector_failures_total", "counter",
		  "Silences that were failures.",
		  offsetof(struct control_peer, failures), 0);
	family(page, "detector_local_health", "gauge",
	       "0 is well; so many intervals are added to time-outs.");
	integer(page, "detector_local_health", "", detector->health);
}

static void put_disk(const struct page *page, const struct metrics_disk *disk)
{
	uint64_t count = 0;
	char labels[32];
	unsigned int i;

	family(page, "wal_sync_seconds", "histogram",
	       "From the write of a batch to the end of its fdatasync.");
	for (i = 0; i < METRICS_BOUNDS; i++) {
		count += atomic_load(&disk->batches[i]);
		snprintf(labels, sizeof(labels), ",le=\"%g\"",
			 metrics_bounds[i] * US);
		integer(page, "wal_sync_seconds_bucket", labels, count);
	}
	count += atomic_load(&disk->batches[METRICS_BOUNDS]);
	integer(page, "wal_sync_seconds_bucket", ",le=\"+Inf\"", count);
	number(page, "wal_sync_seconds_sum", "", atomic_load(&disk->ns) * 1e-9);
	integer(page, "wal_sync_seconds_count", "", count);
	family(page, "wal_written_bytes_total", "counter",
	       "Bytes of batches written to the log.");
	integer(page, "wal_written_bytes_total", "",
		atomic_load(&disk->bytes));
}

char *metrics_page(const struct metrics_sources *sources, size_t *size)
{
	struct page page = { .group = sources->id };
	char *text = NULL;

	page.out = open_memstream(&text, size);
	if (!page.out)
		return NULL;
	if (sources->group)
		put_group(&page, sources->group);
	if (sources->stats)
		put_stats(&page, sources->stats);
	if (sources->detector)
		put_detector(&page, sources->detector);
	if (sources->disk)
		put_disk(&page, sources->disk);
	if (fclose(page.out)) {
		free(text);
		return NULL;
	}
	return text;
}
