/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SELFTESTS_AGENT_WAL_FIXTURE_H
#define _SELFTESTS_AGENT_WAL_FIXTURE_H

/* A log in a directory of its own, on a disk that fails. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "disk.h"
#include "records.h"

/* A file of the log, in memory. */
struct image {
	char name[32];
	uint8_t *bytes;
	size_t size;
};

struct fixture {
	char *path;
	int directory;
	struct wal wal;
	unsigned int written;	/* records acknowledged */
};

static inline struct fixture *fixture_of(void **state)
{
	return *state;
}

static inline int setup_on(void **state, const char *parent)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	disk_reset(1);
	fixture->path = disk_directory(parent);
	fixture->directory = open(fixture->path, O_RDONLY | O_DIRECTORY);
	*state = fixture;
	return fixture->directory < 0;
}

static inline int setup(void **state)
{
	return setup_on(state, DISK_MEMORY);
}

static inline int setup_real(void **state)
{
	return setup_on(state, DISK_REAL);
}

static inline int teardown(void **state)
{
	struct fixture *fixture = *state;

	wal_close(&fixture->wal);
	close(fixture->directory);
	disk_remove(fixture->path);
	free(fixture);
	return 0;
}

static inline void begin(struct fixture *fixture)
{
	wal_init(&fixture->wal, &records_identity, fixture->path,
		 fixture->directory);
	fixture->wal.size = 5 * WAL_BLOCK;
}

static inline void must(struct fixture *fixture, int result)
{
	if (result)
		fail_msg("%s", fixture->wal.error);
}

static inline void create(struct fixture *fixture)
{
	begin(fixture);
	must(fixture, wal_create(&fixture->wal));
	wal_close(&fixture->wal);
}

/* A life of the agent, up to where it may write. */
static inline void live(struct fixture *fixture)
{
	begin(fixture);
	must(fixture, wal_open(&fixture->wal));
	must(fixture, wal_confirm(&fixture->wal, 0));
}

static inline int add(struct fixture *fixture, unsigned int number, uint32_t length)
{
	const struct record record = records_make(number, length);

	return wal_add(&fixture->wal, &record);
}

static inline void commit(struct fixture *fixture, unsigned int count, uint32_t length)
{
	unsigned int i;

	for (i = 1; i <= count; i++)
		must(fixture, add(fixture, fixture->written + i, length));
	must(fixture, wal_commit(&fixture->wal));
	fixture->written += count;
}

/* Open, and the replay must show @count records. */
static inline void expect(struct fixture *fixture, unsigned int count)
{
	struct records_seen seen = { 0 };

	begin(fixture);
	must(fixture, wal_open(&fixture->wal));
	must(fixture, wal_replay(&fixture->wal, records_check, &seen));
	assert_int_equal(seen.count, count);
	assert_int_equal(fixture->wal.end.lsn, records_lsn(count));
	wal_close(&fixture->wal);
}

/* Opening is refused with a sentence that holds @what. */
static inline void refuse(struct fixture *fixture, const char *what)
{
	begin(fixture);
	assert_int_equal(wal_open(&fixture->wal), -1);
	if (!strstr(fixture->wal.error, what))
		fail_msg("not '%s' but: %s", what, fixture->wal.error);
	assert_non_null(strstr(fixture->wal.error, fixture->path));
	wal_close(&fixture->wal);
}

/* 3 segments with batches in each, the last with 3, written by 2 lives. */
static inline void sample(struct fixture *fixture)
{
	create(fixture);
	live(fixture);
	must(fixture, wal_session(&fixture->wal, 1000, 1));
	commit(fixture, 3, 100);
	commit(fixture, 1, 0);
	wal_close(&fixture->wal);
	live(fixture);
	commit(fixture, 2, 64);
	commit(fixture, 1, 5);
	commit(fixture, 2, 30);
	wal_close(&fixture->wal);
}

static inline struct image take(struct fixture *fixture, const char *name)
{
	struct image image = { 0 };
	struct stat status;
	int fd = openat(fixture->directory, name, O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &status), 0);
	snprintf(image.name, sizeof(image.name), "%s", name);
	image.size = status.st_size;
	image.bytes = malloc(image.size);
	assert_int_equal(read(fd, image.bytes, image.size), image.size);
	close(fd);
	return image;
}

static inline void put(struct fixture *fixture, const struct image *image)
{
	int fd = openat(fixture->directory, image->name,
			O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, image->bytes, image->size), image->size);
	close(fd);
}

static inline void drop(struct fixture *fixture, const char *name)
{
	assert_int_equal(unlinkat(fixture->directory, name, 0), 0);
}

#endif
