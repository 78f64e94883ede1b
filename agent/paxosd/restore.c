// SPDX-License-Identifier: GPL-2.0
/*
 * A snapshot outside of a state directory: what is in it, and how a new cluster
 * begins with it.
 *
 * That one has a member, whose log begins behind the snapshot's slot. All of
 * its directory is made under another name and gets its own last, so it is
 * there as a whole, or not.
 */

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "agent.h"
#include "restore.h"
#include "say.h"
#include "space.h"

/*
 * No configuration but the first, no proposal was ever seen, and the checksum
 * is not known: a struct paxos_wire_checkpoint of zeros.
 */
#define CHECKPOINT_EMPTY 40

static void show_text(const char *path, const struct snapshot_content *content)
{
	const struct snapshot_about *about = &content->about;
	const time_t when = about->time;
	char cluster[WAL_CLUSTER_NAME_SIZE], date[32] = "-";
	struct tm tm;
	unsigned int i;

	if (gmtime_r(&when, &tm))
		strftime(date, sizeof(date), "%F %T UTC", &tm);
	printf("%s: whole, %" PRIu64 " bytes\n"
	       "  slot %" PRIu64 ", of group %u, cluster %s\n"
	       "  taken %s by member %u in epoch %u\n",
	       path, content->size, about->slot, about->group,
	       wal_cluster_name(cluster, about->cluster), date, about->member,
	       about->epoch);
	for (i = 0; i < content->n; i++)
		printf("  %-15s %" PRIu64 " bytes, CRC32C %08x\n",
		       content->sections[i].name, content->sections[i].length,
		       content->sections[i].crc);
}

/* Names of consumers are those of kernel code, and yet. */
static void json_name(const char *name)
{
	for (; *name; name++)
		if (*name < ' ' || *name == '"' || *name == '\\' ||
		    *name == 127)
			printf("\\u%04x", (unsigned char)*name);
		else
			putchar(*name);
}

static void show_json(const struct snapshot_content *content)
{
	const struct snapshot_about *about = &content->about;
	char cluster[WAL_CLUSTER_NAME_SIZE];
	unsigned int i;

	printf("{\"slot\":%" PRIu64 ",\"group\":%u,\"cluster\":\"%s\",\"time\":%" PRIu64
	       ",\"member\":%u,\"epoch\":%u,\"size\":%" PRIu64 ",\"sections\":[",
	       about->slot, about->group,
	       wal_cluster_name(cluster, about->cluster), about->time,
	       about->member, about->epoch, content->size);
	for (i = 0; i < content->n; i++) {
		printf("%s{\"name\":\"", i ? "," : "");
		json_name(content->sections[i].name);
		printf("\",\"size\":%" PRIu64 ",\"crc32c\":\"%08x\"}",
		       content->sections[i].length, content->sections[i].crc);
	}
	printf("]}\n");
}

int restore_show(const char *path, bool json)
{
	static struct snapshot_content content;	/* too large for a stack */
	char error[WAL_ERROR_SIZE];

	if (snapshot_verify(AT_FDCWD, path, &content, error, sizeof(error))) {
		say_error("%s", error);
		return -1;
	}
	if (json)
		show_json(&content);
	else
		show_text(path, &content);
	return 0;
}

static int check_config(const struct config *config,
			const struct snapshot_content *content)
{
	if (config->durability == PAXOS_NL_DURABILITY_MEMORY)
		say_error("Durability = memory: there is no log to begin with a snapshot");
	else if (config->n_members != 1 ||
		 config->members[0].role != PAXOS_NL_ROLE_VOTER)
		say_error("the configuration must have one [Member], this host, and it a voter: what others would choose without the snapshot is of another log. They join later");
	else if (!memcmp(config->cluster, content->about.cluster,
			 sizeof(config->cluster)))
		say_error("the snapshot is of that very Cluster: give the new one an id of its own, or its members could be taken for those of the old one");
	else
		return 0;
	return -1;
}

static int copy_sections(struct snapshot_writer *writer,
			 struct snapshot_reader *reader)
{
	int result;

	while ((result = snapshot_read(reader)) > 0) {
		if (reader->type == SNAPSHOT_SECTION)
			result = snapshot_section_begin(writer, reader->name);
		else if (reader->type == SNAPSHOT_DATA)
			result = snapshot_bytes(writer, reader->bytes,
						reader->length);
		else if (reader->type == SNAPSHOT_SECTION_END)
			result = snapshot_section_end(writer);
		else
			result = 0;
		if (result) {
			say_error("%s", writer->error);
			return -1;
		}
	}
	if (result)
		say_error("%s", reader->error);
	return result;
}

/* The same sections, as the new cluster's. */
static int copy(struct agent *agent, const char *path, uint64_t slot)
{
	static const uint8_t checkpoint[CHECKPOINT_EMPTY];
	const struct config *config = &agent->config;
	struct snapshot_writer writer = { .fd = -1 };
	struct snapshot_reader reader;
	struct snapshot_about about = {
		.group = config->group,
		.epoch = 1,
		.member = config->self,
		.slot = slot,
		.time = time(NULL),
	};
	int result;

	memcpy(about.cluster, config->cluster, sizeof(about.cluster));
	result = snapshot_open(&reader, AT_FDCWD, path);
	if (result)
		say_error("%s", reader.error);
	if (!result &&
	    snapshot_create(&writer, agent->state.directory, &about, checkpoint,
			    sizeof(checkpoint))) {
		say_error("%s", writer.error);
		result = -1;
	}
	result = result ?: copy_sections(&writer, &reader);
	if (!result && snapshot_finish(&writer)) {
		say_error("%s", writer.error);
		result = -1;
	}
	snapshot_abandon(&writer);
	snapshot_close(&reader);
	return result;
}

/* A log that begins behind @slot. */
static int make_log(struct agent *agent, const char *directory, uint64_t slot)
{
	static const uint8_t checkpoint[CHECKPOINT_EMPTY];
	const struct config *config = &agent->config;
	struct wal_identity identity = {
		.group = config->group,
		.member = config->self,
		.durability = config->durability,
	};
	const struct record trim = {
		.type = PAXOS_NL_RECORD_TRIM,
		.lsn = 1,
		.slot = slot,
		.value = checkpoint,
		.length = sizeof(checkpoint),
	};
	struct wal *wal = &agent->wal;
	int result;

	memcpy(identity.cluster, config->cluster, sizeof(identity.cluster));
	wal_init(wal, &identity, directory, agent->state.directory);
	wal->size = space_segment(config->log_space);
	result = wal_create(wal);
	if (!result) {
		wal_close(wal);
		wal_init(wal, &identity, directory, agent->state.directory);
		wal->size = space_segment(config->log_space);
		result = wal_open(wal);
	}
	if (!result)
		result = wal_confirm(wal, time(NULL));
	if (!result)
		result = wal_add(wal, &trim) ?: wal_commit(wal);
	if (result)
		say_error("%s", wal->error[0] ? wal->error :
						"there is a log already");
	return result ? -1 : 0;
}

static int take_name(const char *from, const char *to)
{
	char parent[PATH_MAX], *slash;
	int fd, result;

	snprintf(parent, sizeof(parent), "%s", to);
	slash = strrchr(parent, '/');
	slash[slash == parent] = '\0';
	fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	result = fd < 0 || rename(from, to) || fsync(fd);
	if (result)
		say_error("%s: cannot get its name: %s", to, strerror(errno));
	if (fd >= 0)
		close(fd);
	return result ? -1 : 0;
}

static int make_state(struct agent *agent, const char *path, uint64_t slot)
{
	const char *to = agent->config.state_directory;
	char from[PATH_MAX + 8], error[WAL_ERROR_SIZE];

	snprintf(from, sizeof(from), "%s.new", to);
	if (!access(from, F_OK)) {
		say_error("%s is in the way: if it is left from a restore that broke off, remove it",
			  from);
		return -1;
	}
	/* An empty directory may have been made beforehand. */
	if (rmdir(to) && errno != ENOENT) {
		say_error("%s: %s", to, errno == ENOTEMPTY ?
			  "not empty: name another StateDirectory" :
			  strerror(errno));
		return -1;
	}
	if (state_create(&agent->state, from, error, sizeof(error))) {
		say_error("%s", error);
		return -1;
	}
	return copy(agent, path, slot) ?: make_log(agent, from, slot) ?:
	       take_name(from, to);
}

int restore_member(struct agent *agent, const char *path, bool json)
{
	static struct snapshot_content content;	/* too large for a stack */
	const struct config *config = &agent->config;
	char cluster[WAL_CLUSTER_NAME_SIZE], error[WAL_ERROR_SIZE];

	if (snapshot_verify(AT_FDCWD, path, &content, error, sizeof(error))) {
		say_error("%s", error);
		return -1;
	}
	if (check_config(config, &content) ||
	    make_state(agent, path, content.about.slot))
		return -1;
	wal_cluster_name(cluster, config->cluster);
	if (json)
		printf("{\"group\":%u,\"member\":%u,\"cluster\":\"%s\",\"slot\":%" PRIu64
		       "}\n", config->group, config->self, cluster,
		       content.about.slot);
	else
		printf("%s is ready: member %u of group %u, the first of cluster %s, goes on behind slot %" PRIu64
		       "\n\n  1. start paxosd\n"
		       "  2. load what uses the group, and look at it\n"
		       "  3. let fresh hosts join: paxosd join there, paxosctl member add here\n",
		       config->state_directory, config->self, config->group,
		       cluster, content.about.slot);
	return 0;
}
