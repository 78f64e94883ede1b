// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "agent.h"
#include "restore.h"
#include "say.h"
#include "space.h"
#include "succession.h"

#define EXIT_REFUSES 3	/* paxosd.8 and the unit have it, too */

static const char usage[] =
	"usage: paxosd init CONFIG     make an empty log for a first member, that never voted\n"
	"       paxosd join CONFIG     the same for a host that joins a group that is there\n"
	"       paxosd CONFIG          run that member, in the foreground\n"
	"       paxosd recover [--json] CONFIG [CLUSTER]\n"
	"                              quorum lost for good: paxosctl recover\n"
	"       paxosd snapshot show [--json] FILE\n"
	"       paxosd snapshot restore [--json] CONFIG FILE\n"
	"                              paxosctl snapshot\n"
	"       paxosd --check CONFIG  only read the configuration\n";

static int read_config(struct config *config, const char *path)
{
	char error[WAL_ERROR_SIZE];

	if (config_read(config, path, error, sizeof(error))) {
		say_error("%s", error);
		return -1;
	}
	say_of(config->group, config->self);
	if (config->warning[0])
		say_warning("%s", config->warning);
	return 0;
}

static void init_wal(struct agent *agent)
{
	const struct config *config = &agent->config;
	struct wal_identity identity = {
		.group = config->group,
		.member = config->self,
		.durability = config->durability,
	};

	memcpy(identity.cluster, config->cluster, sizeof(identity.cluster));
	wal_init(&agent->wal, &identity, config->state_directory,
		 agent->state.directory);
	wal_index_init(&agent->index);
	agent->wal.index = &agent->index;
	agent->wal.size = space_segment(config->log_space);
}

static int run_check(struct agent *agent, const char *path)
{
	const struct config *config = &agent->config;

	printf("%s: fine: member %u of group %u, %u members, state in %s\n",
	       path, config->self, config->group, config->n_members,
	       config->state_directory);
	return 0;
}

/*
 * A log that is there stays, as what it is: to join with a member's log, or to
 * begin anew with a guest's, is refused.
 */
static int run_init(struct agent *agent, bool join)
{
	const struct config *config = &agent->config;
	char error[WAL_ERROR_SIZE];
	int result;

	if (state_create(&agent->state, config->state_directory, error,
			 sizeof(error))) {
		say_error("%s", error);
		return -1;
	}
	init_wal(agent);
	if (join && !state_joined(&agent->state) && !wal_found(agent->state.directory) &&
	    state_join(&agent->state, error, sizeof(error))) {
		say_error("%s/%s", config->state_directory, error);
		return -1;
	}
	if (join != state_joined(&agent->state)) {
		say_error(join ? "%s holds the log of a first member of the group: it cannot join" :
				 "%s is of a host that joined: run paxosd join, or name another StateDirectory",
			  config->state_directory);
		return -1;
	}
	result = wal_create(&agent->wal);
	if (result < 0)
		say_error("%s", agent->wal.error);
	else if (result > 0)
		say_notice("%s holds the log of member %u of group %u already",
			   config->state_directory, config->self,
			   config->group);
	else
		say_notice(join ? "%s is ready; member %u waits until group %u adds it: paxosctl member add" :
				  "%s is ready for member %u of group %u",
			   config->state_directory, config->self,
			   config->group);
	return result < 0 ? -1 : 0;
}

static void tell_no_log(const struct agent *agent, const char *path)
{
	say_error("%s: no log here. If member %u has never voted, run: paxosd init %s. If its disk was lost, it must be replaced under a new id",
		  agent->config.state_directory, agent->config.self, path);
}

/* Of the member that this host is by now. */
static int open_state(struct agent *agent, char *error, size_t size)
{
	struct config *config = &agent->config;
	struct succession succession;

	agent->filed = *config;
	for (;;) {
		if (state_open(&agent->state, config->state_directory, error,
			       size))
			return -1;
		if (succession_read(&agent->state, &succession, error, size))
			return -1;
		if (!succession.id)
			return 0;
		/* Its lock is held on to, for as long as this process lives. */
		succession_apply(config, &succession);
		agent->wants = config_member(config, config->self)->role ==
			       PAXOS_NL_ROLE_VOTER;
		say_notice("this host is member %u now, in place of the one that lost its memory",
			   config->self);
	}
}

static int open_log(struct agent *agent, const char *path)
{
	const char *directory = agent->config.state_directory;
	char error[WAL_ERROR_SIZE];
	int result;

	if (access(directory, F_OK) && errno == ENOENT) {
		tell_no_log(agent, path);
		return agent_refuse(agent);
	}
	if (open_state(agent, error, sizeof(error))) {
		say_error("%s", error);
		return -1;
	}
	init_wal(agent);
	result = wal_open(&agent->wal);
	if (result == -ENOENT)
		tell_no_log(agent, path);
	else if (result)
		say_about(LOG_ERR, agent_wal_fault(agent), "%s",
			  agent->wal.error);
	agent->refuses = result == -ENOENT || result == -ESTALE ||
			 agent->wal.damaged || agent->wal.foreign;
	if (result)
		return result;
	if (agent->state.fleeting &&
	    agent->config.durability == PAXOS_NL_DURABILITY_SYNC)
		say_warning("%s is in memory: what it holds does not survive this host",
			    directory);
	return 0;
}

static int open_kernel(struct agent *agent)
{
	if (netlink_open(&agent->attached)) {
		say_error("%s", agent->attached.error);
		return -1;
	}
	if (netlink_open(&agent->space)) {
		say_error("%s", agent->space.error);
		return -1;
	}
	if (netlink_open(&agent->heart)) {
		say_error("%s", agent->heart.error);
		return -1;
	}
	if (netlink_open(&agent->learn)) {
		say_error("%s", agent->learn.error);
		return -1;
	}
	if (netlink_open(&agent->consumer)) {
		say_error("%s", agent->consumer.error);
		return -1;
	}
	snapshots_init(&agent->snapshots);
	return 0;
}

static int run_agent(struct agent *agent, const char *path, char **argv)
{
	int result;

	if (open_log(agent, path) || open_kernel(agent) || agent_open(agent))
		return -1;
	agent->path = path;
	result = start_group(agent);
	if (result == START_LOST && agent->config.auto_replace)
		return amnesia(agent, argv);
	return result ? -1 : agent_run(agent);
}

/* recover [--json] CONFIG [CLUSTER] */
static int run_recover(struct agent *agent, int argc, char **argv)
{
	const bool json = argc && !strcmp(argv[0], "--json");
	const char *path, *name = NULL;
	int result;

	argc -= json;
	argv += json;
	if (argc < 1 || argc > 2 || argv[0][0] == '-') {
		fputs(usage, stderr);
		return -1;
	}
	path = argv[0];
	if (argc == 2)
		name = argv[1];
	if (read_config(&agent->config, path))
		return -1;
	if (agent->config.durability == PAXOS_NL_DURABILITY_MEMORY) {
		say_error("Durability = memory: there is no log to go on from. Begin anew: paxosd init, with another Cluster");
		return -1;
	}
	result = open_log(agent, path);
	if (result && result != -ESTALE)
		return -1;
	if (!result && open_kernel(agent))
		return -1;
	return recover(agent, path, name, json);
}

/* show [--json] FILE, restore [--json] CONFIG FILE */
static int run_snapshot(struct agent *agent, int argc, char **argv)
{
	const char *verb = argc ? argv[0] : "";
	const bool json = argc > 1 && !strcmp(argv[1], "--json");

	argc -= 1 + json;
	argv += 1 + json;
	if (argc == 1 && !strcmp(verb, "show"))
		return restore_show(argv[0], json);
	if (argc == 2 && !strcmp(verb, "restore") && argv[0][0] != '-')
		return read_config(&agent->config, argv[0]) ?:
		       restore_member(agent, argv[1], json);
	fputs(usage, stderr);
	return -1;
}

int main(int argc, char **argv)
{
	static struct agent agent = {
		.state = { .directory = -1, .lock = -1 },
		.wal = { .fd = -1, .spare = -1, .durable = -1 },
		.heart_socket = -1,
		.control = { .listener = -1, .client = -1 },
		.serve_socket = -1,
	};
	const char *verb = argc == 3 ? argv[1] : "run";
	const char *path = argv[argc - 1];
	int result, failure = EXIT_FAILURE;

	if (argc == 2 && !strcmp(path, "--help")) {
		fputs(usage, stdout);
		return EXIT_SUCCESS;
	}
	if (argc >= 2 && !strcmp(argv[1], "snapshot")) {
		if (sodium_init() < 0)
			return EXIT_FAILURE;
		result = run_snapshot(&agent, argc - 2, argv + 2);
		goto end;
	}
	if (argc >= 2 && !strcmp(argv[1], "recover")) {
		if (sodium_init() < 0)
			return EXIT_FAILURE;
		result = run_recover(&agent, argc - 2, argv + 2);
		goto end;
	}
	if (argc < 2 || argc > 3 || path[0] == '-' ||
	    (argc == 3 && strcmp(verb, "init") && strcmp(verb, "join") &&
	     strcmp(verb, "--check"))) {
		fputs(usage, stderr);
		return EXIT_FAILURE;
	}
	if (sodium_init() < 0) {
		say_error("libsodium does not start");
		return EXIT_FAILURE;
	}
	if (read_config(&agent.config, path))
		return strcmp(verb, "run") ? EXIT_FAILURE : EXIT_REFUSES;
	if (!strcmp(verb, "init") || !strcmp(verb, "join"))
		result = run_init(&agent, !strcmp(verb, "join"));
	else if (!strcmp(verb, "--check"))
		result = run_check(&agent, path);
	else
		result = run_agent(&agent, path, argv);
	if (result && agent.refuses)
		failure = EXIT_REFUSES;
end:
	/* The kernel lets go of the group when its socket closes. */
	netlink_close(&agent.attached);
	netlink_close(&agent.space);
	netlink_close(&agent.heart);
	control_close(&agent.control);
	netlink_close(&agent.learn);
	netlink_close(&agent.consumer);
	wal_close(&agent.wal);
	state_close(&agent.state);
	return result ? failure : EXIT_SUCCESS;
}
