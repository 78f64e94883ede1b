// SPDX-License-Identifier: GPL-2.0
/*
 * Quorum lost for good: what a survivor holds becomes the log of a cluster of
 * its own. A person decides that, types the id of the cluster that ends, and
 * gives a new one to whoever joins; nothing calls this by itself.
 *
 * The order makes it safe to die anywhere: the kernel's group ends first, and
 * nobody speaks for the former cluster here any more; then one rename makes the
 * log that of the new cluster, or has not yet. Called again it begins anew, or
 * says that it was done.
 */

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>
#include "agent.h"
#include "group.h"
#include "learn.h"
#include "say.h"
#include "survivor.h"

#define LISTEN_MS	3000	/* and three intervals more */
#define LOOK_MS		100
#define DRAIN_MS	5000
#define NS_PER_MS	1000000ULL

/**
 * struct recovery - one of them
 * @state: of the kernel's group
 * @known: what the others last said
 * @agents: who was heard beating, by 1 << (id - 1)
 * @begun: when listening began
 * @restored: the kernel has the group from this process, and needs it no more
 */
struct recovery {
	struct agent *agent;
	struct group_state state;
	struct learn_state known;
	uint64_t agents;
	uint64_t begun;
	bool restored;
	struct survivor survivor;
	struct survivor_records records;
};

static uint64_t member_bit(uint8_t id)
{
	return 1ULL << (id - 1);
}

/* "1, 3 and 4" is not worth it: "1 3 4". */
static const char *name_members(uint64_t set, char text[256])
{
	size_t n = 0;
	uint8_t id;

	text[0] = '\0';
	for (id = 1; id <= PAXOS_NL_MEMBERS_MAX; id++)
		if (set & member_bit(id))
			n += snprintf(text + n, 256 - n, "%s%u", n ? " " : "",
				      id);
	return text;
}

static void hear(struct recovery *recovery, struct heartbeat_filter *filter)
{
	uint8_t bytes[sizeof(struct heartbeat_wire) + 1];
	struct heartbeat heartbeat;
	ssize_t n;

	for (;;) {
		n = recv(recovery->agent->heart_socket, bytes, sizeof(bytes),
			 0);
		if (n < 0)
			return;
		if (heartbeat_decode(filter, &heartbeat, bytes, n) ==
		    HEARTBEAT_FINE)
			recovery->agents |= member_bit(heartbeat.from);
	}
}

/* The kernel probes the others' meanwhile. */
static int listen_for_others(struct recovery *recovery)
{
	struct agent *agent = recovery->agent;
	const struct config *config = &agent->config;
	const uint64_t time = (LISTEN_MS + 3 * config->interval) * NS_PER_MS;
	struct heartbeat_filter filter = {
		.group = config->group,
		.self = config->self,
		.members = ~0ULL,
	};
	struct pollfd event = { .fd = agent->heart_socket, .events = POLLIN };

	heartbeat_key(filter.key, config->key, config->cluster);
	recovery->begun = agent_now();
	while (agent_now() - recovery->begun < time) {
		poll(&event, 1, LOOK_MS);
		hear(recovery, &filter);
	}
	if (!group_get(&agent->attached, config->group, &recovery->state) &&
	    !learn_get(&agent->attached, config->group, &recovery->known))
		return 0;
	say_error("cannot look at group %u: %s", config->group,
		  agent->attached.error);
	return -1;
}

/* Nobody may be heard, whatever a person says of the hosts. */
static int check_silence(const struct recovery *recovery)
{
	const struct config *config = &recovery->agent->config;
	const uint64_t listened = (agent_now() - recovery->begun) / NS_PER_MS;
	const struct group_state *state = &recovery->state;
	uint64_t kernels = 0, agents = 0;
	char first[256], second[256];
	unsigned int i;
	uint8_t id;

	for (i = 0; i < state->n_members; i++) {
		id = state->members[i].id;
		if (id == config->self)
			continue;
		if (state->heard[id] < listened)
			kernels |= member_bit(id);
		agents |= recovery->agents & member_bit(id);
	}
	if (!kernels && !agents)
		return 0;
	say_error("members are heard (kernels: %s; agents: %s): while another one lives the cluster is not lost, and two would go on from one log. Have the quorum come back; or switch these hosts off for good, or there: stop paxosd, disable it, and paxosctl group del %u. Nothing was changed",
		  kernels ? name_members(kernels, first) : "none",
		  agents ? name_members(agents, second) : "none",
		  config->group);
	return -1;
}

static int add_record(void *context, const struct record *record)
{
	return wal_add(context, record) ? -EIO : 0;
}

/* What the kernel has and no agent has written yet. */
static int drain(struct recovery *recovery)
{
	struct agent *agent = recovery->agent;
	const uint64_t end = agent_now() + DRAIN_MS * NS_PER_MS;
	struct pollfd event = { .fd = netlink_fd(&agent->attached),
				.events = POLLIN };
	struct wal *wal = &agent->wal;
	int error = 0;

	while (wal->end.lsn < recovery->state.lsn && agent_now() < end) {
		error = group_pull(&agent->attached, agent->config.group,
				   wal->end.lsn);
		if (error || poll(&event, 1, DRAIN_MS) <= 0)
			break;
		error = group_records(&agent->attached, add_record, wal);
		if (error && error != -EAGAIN && error != -ENOBUFS)
			break;
		if (wal_commit(wal)) {
			say_error("%s", wal->error);
			return -1;
		}
	}
	if (wal->end.lsn >= recovery->state.lsn)
		return 0;
	say_error("the kernel does not give records %" PRIu64 " to %" PRIu64
		  ", which are not on the disk: %s", wal->end.lsn + 1,
		  recovery->state.lsn,
		  wal->error[0] ? wal->error : agent->attached.error);
	return -1;
}

static void first_configuration(const struct agent *agent,
				struct configuration *first)
{
	const struct config *config = &agent->config;
	unsigned int i;

	memset(first, 0, sizeof(*first));
	if (state_joined(&agent->state))
		return;
	first->epoch = 1;
	for (i = 0; i < config->n_members; i++)
		if (config->members[i].role == PAXOS_NL_ROLE_VOTER)
			first->voters |= member_bit(config->members[i].id);
		else
			first->learners |= member_bit(config->members[i].id);
}

/* What is here, and what becomes of it. */
static int examine(struct recovery *recovery)
{
	struct agent *agent = recovery->agent;
	const struct config *config = &agent->config;
	struct configuration first;
	const char *why;

	first_configuration(agent, &first);
	if (survivor_init(&recovery->survivor, config->self, &first)) {
		say_error("out of memory");
		return -1;
	}
	if (wal_replay(&agent->wal, survivor_add, &recovery->survivor)) {
		say_error("%s", agent->wal.error[0] ? agent->wal.error :
						      "out of memory");
		return -1;
	}
	why = survivor_decide(&recovery->survivor,
			      &config_member(config, config->self)->address,
			      agent->wal.incarnation + 1, &recovery->records);
	if (!why)
		return 0;
	say_error("member %u of group %u cannot be recovered: %s",
		  config->self, config->group, why);
	return -1;
}

static uint64_t former_members(const struct recovery *recovery)
{
	return recovery->survivor.configuration.voters |
	       recovery->survivor.configuration.learners;
}

static const struct group_member *
member_of(const struct recovery *recovery, uint8_t id)
{
	unsigned int i;

	for (i = 0; i < recovery->state.n_members; i++)
		if (recovery->state.members[i].id == id)
			return &recovery->state.members[i];
	return NULL;
}

static void report_member(const struct recovery *recovery, uint8_t id)
{
	const struct group_member *member = member_of(recovery, id);
	const uint32_t heard = recovery->state.heard[id];
	char name[ADDRESS_NAME_SIZE] = "-";
	unsigned int i;

	if (member && member->address.any.sa_family)
		address_name(&member->address, name);
	printf("  member %-2u  %-22s", id, name);
	if (heard == UINT32_MAX)
		printf("  not heard since this kernel has the group");
	else
		printf("  last heard %" PRIu32 " s ago", heard / 1000);
	for (i = 0; i < recovery->known.n; i++)
		if (recovery->known.sources[i].id == id &&
		    recovery->known.sources[i].commit)
			printf(", knew slots to %" PRIu64,
			       recovery->known.sources[i].commit);
	printf("\n");
}

/* The highest slot that another member is known to have known. */
static uint64_t known_elsewhere(const struct recovery *recovery)
{
	uint64_t highest = 0;
	unsigned int i;

	for (i = 0; i < recovery->known.n; i++)
		if (recovery->known.sources[i].id !=
			    recovery->agent->config.self &&
		    recovery->known.sources[i].commit > highest)
			highest = recovery->known.sources[i].commit;
	return highest;
}

static void report_log(const struct recovery *recovery)
{
	const struct survivor *survivor = &recovery->survivor;
	const uint64_t elsewhere = known_elsewhere(recovery);

	printf("\nIts log:\n");
	if (survivor->commit)
		printf("  slots 1 to %" PRIu64
		       " are known to be chosen, and stay\n",
		       survivor->commit);
	if (survivor->highest > survivor->commit)
		printf("  slots %" PRIu64 " to %" PRIu64
		       " are not: %" PRIu64
		       " values that were accepted here become chosen\n",
		       survivor->commit + 1, survivor->highest,
		       survivor->highest - survivor->commit -
			       survivor->missing);
	if (survivor->missing)
		printf("  %" PRIu64
		       " of them have no value here and become no-ops: what was chosen there is lost\n",
		       survivor->missing);
	if (elsewhere > survivor->highest)
		printf("  slots %" PRIu64 " to %" PRIu64
		       " were chosen, another member knew, and are lost\n",
		       survivor->highest + 1, elsewhere);
	printf("  what was chosen behind slot %" PRIu64
	       " is lost, with every acknowledgement of it\n",
	       survivor->highest > elsewhere ? survivor->highest : elsewhere);
}

static void report(const struct recovery *recovery)
{
	const struct config *config = &recovery->agent->config;
	const uint64_t others = former_members(recovery) &
				~member_bit(config->self);
	char name[WAL_CLUSTER_NAME_SIZE];
	uint8_t id;

	printf("Member %u of group %u is to leave cluster %s and go on alone.\n",
	       config->self, config->group,
	       wal_cluster_name(name, config->cluster));
	printf("\nThese hosts must be off for good, or come back under new ids only. Silence does\nnot show that they are: look.\n");
	for (id = 1; id <= PAXOS_NL_MEMBERS_MAX; id++)
		if (others & member_bit(id))
			report_member(recovery, id);
	if (!others)
		printf("  none: it is alone already\n");
	report_log(recovery);
	printf("\n");
	fflush(stdout);
}

/* The right name, from the command line or from a person. */
static int check_name(const struct recovery *recovery, const char *name,
		      bool json)
{
	const struct config *config = &recovery->agent->config;
	char should[WAL_CLUSTER_NAME_SIZE], line[80];

	wal_cluster_name(should, config->cluster);
	if (!name && (json || !isatty(STDIN_FILENO))) {
		say_error("to do it, give the id of the cluster that ends: paxosctl recover --confirm CLUSTER. Nothing was changed");
		return -1;
	}
	if (!name) {
		fprintf(stderr, "Type the id of the cluster that ends: ");
		if (!fgets(line, sizeof(line), stdin))
			line[0] = '\0';
		line[strcspn(line, " \t\n")] = '\0';
		name = line;
	}
	if (!strcasecmp(name, should))
		return 0;
	say_error("'%s' is not the id of this cluster: nothing was changed",
		  name);
	return -1;
}

static void json_text(const struct agent *agent,
		      const struct wal_recovery *done, bool before)
{
	char former[WAL_CLUSTER_NAME_SIZE], cluster[WAL_CLUSTER_NAME_SIZE];
	const uint64_t gone = le64toh(done->members) &
			      ~member_bit(agent->config.self);
	const char *comma = "";
	uint8_t id;

	printf("{\"group\":%u,\"member\":%u,\"done\":\"%s\",\"time\":%" PRIu64
	       ",\"former_cluster\":\"%s\",\"cluster\":\"%s\",\"commit\":%" PRIu64
	       ",\"decided\":%" PRIu64 ",\"missing\":%" PRIu64 ",\"gone\":[",
	       agent->config.group, agent->config.self,
	       before ? "before" : "now", (uint64_t)le64toh(done->time),
	       wal_cluster_name(former, done->former),
	       wal_cluster_name(cluster, done->cluster),
	       (uint64_t)le64toh(done->commit),
	       (uint64_t)le64toh(done->decided),
	       (uint64_t)le64toh(done->missing));
	for (id = 1; id <= PAXOS_NL_MEMBERS_MAX; id++)
		if (gone & member_bit(id)) {
			printf("%s%u", comma, id);
			comma = ",";
		}
	printf("]}\n");
}

static void tell_done(const struct agent *agent, const char *path,
		      const struct wal_recovery *done, bool before, bool json)
{
	char cluster[WAL_CLUSTER_NAME_SIZE];

	if (json) {
		json_text(agent, done, before);
		return;
	}
	wal_cluster_name(cluster, done->cluster);
	printf("Member %u %s a cluster of its own: %s\n\n"
	       "  1. in %s set\n         Cluster = %s\n"
	       "  2. start paxosd, and look at paxosctl status and log\n"
	       "  3. let fresh hosts join, with that Cluster and ids that were never used:\n"
	       "     paxosd join there, paxosctl member add and promote here\n",
	       agent->config.self, before ? "already is" : "is", cluster, path,
	       cluster);
}

static void write_down(const struct recovery *recovery,
		       const struct wal_recovery *done)
{
	const struct config *config = &recovery->agent->config;
	char former[WAL_CLUSTER_NAME_SIZE], cluster[WAL_CLUSTER_NAME_SIZE];
	char text[768], members[256];

	snprintf(text, sizeof(text),
		 "RECOVERED: group %u, member %u: cluster %s, of members %s, has ended; cluster %s, epoch %u, is of this member alone. Chosen before: to slot %" PRIu64
		 "; decided now: to slot %" PRIu64 ", %" PRIu64
		 " of them no-ops for values that are not here",
		 config->group, config->self,
		 wal_cluster_name(former, done->former),
		 name_members(former_members(recovery), members),
		 wal_cluster_name(cluster, done->cluster),
		 recovery->survivor.configuration.epoch + 1,
		 recovery->survivor.commit, recovery->records.slot,
		 recovery->survivor.missing);
	say_warning("%s", text);
	/* To the journal as well, whoever called. */
	openlog("paxosd", LOG_PID, LOG_DAEMON);
	syslog(LOG_WARNING, "%s", text);
	closelog();
}

static int carry_out(struct recovery *recovery, struct wal_recovery *done)
{
	struct agent *agent = recovery->agent;
	const struct config *config = &agent->config;
	struct survivor *survivor = &recovery->survivor;
	struct wal *wal = &agent->wal;

	memset(done, 0, sizeof(*done));
	memcpy(done->former, config->cluster, sizeof(done->former));
	randombytes_buf(done->cluster, sizeof(done->cluster));
	done->time = htole64(time(NULL));
	done->members = htole64(former_members(recovery));
	done->commit = htole64(survivor->commit);
	done->decided = htole64(recovery->records.slot);
	done->missing = htole64(survivor->missing);
	if (group_del(&agent->attached, config->group)) {
		say_error("cannot end group %u in the kernel: %s. Nothing was changed",
			  config->group, agent->attached.error);
		return -1;
	}
	recovery->restored = false;
	if (wal_recover(wal, done, recovery->records.records,
			recovery->records.n)) {
		say_error("%s. The log is as it was, unless paxosctl recover says otherwise when called again",
			  wal->error);
		return -1;
	}
	write_down(recovery, done);
	return 0;
}

static int run(struct recovery *recovery, const char *path, const char *name,
	       bool json)
{
	struct agent *agent = recovery->agent;
	struct wal_recovery done;

	if (start_examined(agent, &recovery->state))
		return -1;
	recovery->restored = recovery->state.state ==
			     PAXOS_NL_STATE_RESTORING;
	if (listen_for_others(recovery) || check_silence(recovery) ||
	    (!recovery->restored && drain(recovery)) || examine(recovery))
		return -1;
	if (!json)
		report(recovery);
	/* A person may take an hour to answer. */
	if (check_name(recovery, name, json) ||
	    (!name && (listen_for_others(recovery) ||
		       check_silence(recovery))) ||
	    carry_out(recovery, &done))
		return -1;
	tell_done(agent, path, &done, false, json);
	return 0;
}

int recover(struct agent *agent, const char *path, const char *name, bool json)
{
	struct recovery recovery = { .agent = agent };
	int result;

	if (agent->wal.recovery.time &&
	    memcmp(agent->wal.recovery.cluster, agent->config.cluster,
		   PAXOS_CLUSTER_SIZE)) {
		tell_done(agent, path, &agent->wal.recovery, true, json);
		return 0;
	}
	result = run(&recovery, path, name, json);
	/* Else it would answer the others' probes, and they could not recover. */
	if (recovery.restored)
		group_del(&agent->attached, agent->config.group);
	free(recovery.records.records);
	survivor_free(&recovery.survivor);
	return result;
}
