// SPDX-License-Identifier: GPL-2.0
/*
 * A snapshot's file: what is written is read; what was torn anywhere, or has
 * any byte changed, is refused with the file and the offset; and so is one of
 * another version, cluster or group.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "disk.h"
#include "snapshot_file.h"
#include "snapshot_store.h"

#define SLOT 4711

static const struct snapshot_about about = {
	.cluster = "a cluster's id!",
	.group = 7,
	.epoch = 3,
	.member = 2,
	.slot = SLOT,
	.time = 1700000000,
};

struct place {
	char *path;
	int directory;
};

static int setup(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	disk_reset(1);
	place->path = disk_directory(DISK_MEMORY);
	place->directory = open(place->path, O_RDONLY | O_DIRECTORY);
	*state = place;
	return 0;
}

static int teardown(void **state)
{
	struct place *place = *state;

	disk_remove(place->path);
	close(place->directory);
	free(place);
	return 0;
}

/* Two sections, one of more than a block, and one that is empty. */
static void write_parts(struct snapshot_writer *writer, int directory,
			const struct snapshot_about *what)
{
	static uint8_t bytes[SNAPSHOT_BYTES_MAX];
	unsigned int i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = i * 31 + i / 256;
	assert_int_equal(snapshot_create(writer, directory, what, "checkpoint",
					 10), 0);
	assert_int_equal(snapshot_section_begin(writer, "kv"), 0);
	assert_int_equal(snapshot_bytes(writer, bytes, 3000), 0);
	assert_int_equal(snapshot_bytes(writer, bytes + 1, 500), 0);
	assert_int_equal(snapshot_section_end(writer), 0);
	assert_int_equal(snapshot_section_begin(writer, "123456789012345"), 0);
	assert_int_equal(snapshot_section_end(writer), 0);
}

static char *write_one(int directory, uint64_t slot)
{
	static char name[SNAPSHOT_FILE_SIZE];
	struct snapshot_about what = about;
	struct snapshot_writer writer;

	what.slot = slot;
	write_parts(&writer, directory, &what);
	assert_int_equal(snapshot_finish(&writer), 0);
	snapshot_abandon(&writer);
	return snapshot_file_name(name, slot);
}

static size_t load(int directory, const char *name, uint8_t **bytes)
{
	int fd = openat(directory, name, O_RDONLY);
	struct stat status;

	assert_true(fd >= 0 && !fstat(fd, &status));
	*bytes = malloc(status.st_size + 1);
	assert_int_equal(read(fd, *bytes, status.st_size), status.st_size);
	close(fd);
	return status.st_size;
}

static void store(int directory, const char *name, const uint8_t *bytes,
		  size_t size)
{
	int fd = openat(directory, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	close(fd);
}

static void what_was_written_is_read(void **state)
{
	struct place *place = *state;
	struct snapshot_content content;
	char error[WAL_ERROR_SIZE] = "";
	char *name = write_one(place->directory, SLOT);

	assert_int_equal(snapshot_verify(place->directory, name, &content,
					 error, sizeof(error)), 0);
	assert_memory_equal(&content.about, &about, sizeof(about));
	assert_int_equal(content.n, 2);
	assert_string_equal(content.sections[0].name, "kv");
	assert_int_equal(content.sections[0].length, 3500);
	assert_string_equal(content.sections[1].name, "123456789012345");
	assert_int_equal(content.sections[1].length, 0);
	assert_int_equal(content.checkpoint_length, 10);
	assert_memory_equal(content.checkpoint, "checkpoint", 10);
	assert_int_equal(snapshot_file_slot(name), SLOT);
	assert_int_equal(snapshot_file_slot("4711.snapshot"), 0);
	assert_int_equal(snapshot_file_slot("0000000001.wal"), 0);
}

/* @size of @bytes must be refused, for a reason that names an offset. */
static void refused(struct place *place, const uint8_t *bytes, size_t size,
		    const char *reason)
{
	struct snapshot_content content;
	char error[WAL_ERROR_SIZE] = "";

	store(place->directory, "bad", bytes, size);
	if (!snapshot_verify(place->directory, "bad", &content, error,
			     sizeof(error)))
		fail_msg("%zu bytes of it are taken for whole", size);
	if (!strstr(error, "bad, offset ") || !strstr(error, reason))
		fail_msg("not '%s': %s", reason, error);
}

static void torn_anywhere_it_is_refused(void **state)
{
	struct place *place = *state;
	uint8_t *bytes;
	size_t size = load(place->directory, write_one(place->directory, SLOT),
			   &bytes), n;

	for (n = 0; n < size; n++)
		refused(place, bytes, n, "ends in the middle");
	bytes[size] = 0;
	refused(place, bytes, size + 1, "behind the end");
	free(bytes);
}

static void with_any_bit_changed_it_is_refused(void **state)
{
	struct place *place = *state;
	uint8_t *bytes;
	size_t size = load(place->directory, write_one(place->directory, SLOT),
			   &bytes), n;

	for (n = 0; n < size; n++) {
		bytes[n] ^= 1 << n % 8;
		refused(place, bytes, size, "");
		bytes[n] ^= 1 << n % 8;
	}
	free(bytes);
}

/* Each part by itself is whole. */
static void blocks_of_another_file_or_order_are_refused(void **state)
{
	struct place *place = *state;
	const size_t section = sizeof(struct snapshot_header) +
			       sizeof(struct snapshot_block) + 10;
	const size_t data = section + sizeof(struct snapshot_block) +
			    sizeof(struct snapshot_section);
	const size_t second = data + sizeof(struct snapshot_block) + 3000;
	uint8_t *bytes, *other, *mixed;
	size_t size, n;

	size = load(place->directory, write_one(place->directory, SLOT),
		    &bytes);
	n = load(place->directory, write_one(place->directory, SLOT + 1),
		 &other);
	assert_int_equal(n, size);
	mixed = malloc(2 * size);
	/* Another's block in the place of ours. */
	memcpy(mixed, bytes, size);
	memcpy(mixed + data, other + data, second - data);
	refused(place, mixed, size, "a block is damaged");
	/* A block left out: its section's sum tells. */
	memcpy(mixed, bytes, data);
	memcpy(mixed + data, bytes + second, size - second);
	refused(place, mixed, size - (second - data), "its sum says");
	/* A section within a section. */
	memcpy(mixed, bytes, data);
	memcpy(mixed + data, bytes + section, size - section);
	refused(place, mixed, size + data - section, "out of place");
	/* Data before any section. */
	memcpy(mixed, bytes, section);
	memcpy(mixed + section, bytes + data, size - data);
	refused(place, mixed, size - (data - section), "out of place");
	free(bytes);
	free(other);
	free(mixed);
}

static void another_version_cluster_or_group_is_refused(void **state)
{
	struct place *place = *state;
	struct snapshot_reader reader;
	struct snapshot_header *header;
	uint8_t *bytes, cluster[PAXOS_CLUSTER_SIZE] = "another";
	char *name = write_one(place->directory, SLOT);
	size_t size = load(place->directory, name, &bytes);

	header = (void *)bytes;
	header->version = htole32(SNAPSHOT_VERSION + 1);
	header->crc = htole32(wal_crc(~0U, header,
				      offsetof(struct snapshot_header, crc)));
	refused(place, bytes, size, "version 2, and this program reads 1");
	free(bytes);

	assert_int_equal(snapshot_open(&reader, place->directory, name), 0);
	assert_int_equal(snapshot_check(&reader, about.cluster, 7), 0);
	assert_int_equal(snapshot_check(&reader, cluster, 7), -1);
	assert_non_null(strstr(reader.error, "it is of cluster "));
	assert_int_equal(snapshot_check(&reader, about.cluster, 8), -1);
	assert_non_null(strstr(reader.error, "it is of group 7"));
	snapshot_close(&reader);
}

/* The name stands for a file that is on the disk as a whole. */
static void without_its_end_it_has_no_name(void **state)
{
	struct place *place = *state;
	struct snapshot_writer writer;
	char name[SNAPSHOT_FILE_SIZE];

	write_parts(&writer, place->directory, &about);
	snapshot_file_name(name, SLOT);
	assert_int_equal(faccessat(place->directory, name, F_OK, 0), -1);
	assert_int_equal(faccessat(place->directory, SNAPSHOT_NEW, F_OK, 0), 0);
	snapshot_abandon(&writer);
	assert_int_equal(faccessat(place->directory, SNAPSHOT_NEW, F_OK, 0),
			 -1);
}

/* 0, or -1 where the disk fails. */
static int try_one(int directory)
{
	struct snapshot_writer writer;
	int result;

	result = snapshot_create(&writer, directory, &about, "c", 1) ||
		 snapshot_section_begin(&writer, "kv") ||
		 snapshot_bytes(&writer, "some bytes", 10) ||
		 snapshot_section_end(&writer) || snapshot_finish(&writer);
	snapshot_abandon(&writer);
	return result ? -1 : 0;
}

static void the_power_cut_at_any_call_leaves_none_or_all_of_it(void **state)
{
	struct place *place = *state;
	struct snapshot_content content;
	unsigned int call, seed, there = 0, absent = 0;
	char name[SNAPSHOT_FILE_SIZE], error[WAL_ERROR_SIZE];
	bool done = false;
	int result;

	snapshot_file_name(name, SLOT);
	for (seed = 1; seed <= 50; seed++)
		for (call = 1; call <= 20; call++) {
			disk_reset(seed * 100 + call);
			disk_cut(call);
			result = try_one(place->directory);
			done |= !result;
			disk_restart();
			if (faccessat(place->directory, name, F_OK, 0)) {
				assert_int_equal(result, -1);
				absent++;
				continue;
			}
			there++;
			if (snapshot_verify(place->directory, name, &content,
					    error, sizeof(error)))
				fail_msg("call %u: %s", call, error);
			unlinkat(place->directory, name, 0);
		}
	assert_true(done && there && absent);
}

static void whatever_fails_the_next_one_is_whole(void **state)
{
	static const int errors[] = { EIO, ENOSPC };
	struct place *place = *state;
	struct snapshot_content content;
	char name[SNAPSHOT_FILE_SIZE], error[WAL_ERROR_SIZE];
	unsigned int i, nth, failed = 0;
	int call;

	snapshot_file_name(name, SLOT);
	for (call = 0; call < DISK_WRITES; call++)
		for (i = 0; i < 2; i++)
			for (nth = 1; nth < 10; nth++) {
				disk_reset(nth);
				disk_fail(call, nth, errors[i]);
				if (!try_one(place->directory))
					break;
				failed++;
				disk_reset(nth);
				assert_int_equal(try_one(place->directory), 0);
				assert_int_equal(snapshot_verify(place->directory,
								 name, &content,
								 error,
								 sizeof(error)),
						 0);
				unlinkat(place->directory, name, 0);
			}
	assert_in_range(failed, 8, 100);
}

static void old_ones_go_by_count(void **state)
{
	struct place *place = *state;
	uint64_t slots[SNAPSHOTS_LISTED];
	unsigned int i;

	for (i = 1; i <= 6; i++)
		write_one(place->directory, i * 1000);
	store(place->directory, SNAPSHOT_NEW, NULL, 0);
	assert_int_equal(snapshot_list(place->directory, slots), 6);
	assert_int_equal(slots[0], 6000);
	assert_int_equal(slots[5], 1000);
	snapshot_prune(place->directory, 2);
	assert_int_equal(snapshot_list(place->directory, slots), 2);
	assert_int_equal(slots[0], 6000);
	assert_int_equal(slots[1], 5000);
	snapshot_tidy(place->directory);
	assert_int_equal(faccessat(place->directory, SNAPSHOT_NEW, F_OK, 0),
			 -1);
}

/* However many there are: the newest ones are in the list. */
static void of_too_many_the_newest_are_listed(void **state)
{
	struct place *place = *state;
	uint64_t slots[SNAPSHOTS_LISTED];
	char name[SNAPSHOT_FILE_SIZE];
	unsigned int i;

	for (i = 1; i <= 2 * SNAPSHOTS_LISTED; i++)
		store(place->directory,
		      snapshot_file_name(name, i * 37 % 257), NULL, 0);
	assert_int_equal(snapshot_list(place->directory, slots),
			 SNAPSHOTS_LISTED);
	for (i = 0; i < SNAPSHOTS_LISTED; i++)
		assert_int_equal(slots[i], 256 - i);
	assert_int_equal(snapshot_set_aside(place->directory, 256), 0);
	snapshot_list(place->directory, slots);
	assert_int_equal(slots[0], 255);
	snapshot_prune(place->directory, 1);
	assert_int_equal(faccessat(place->directory,
				   "00000000000000000256.snapshot.diverged",
				   F_OK, 0), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_written_is_read,
						setup, teardown),
		cmocka_unit_test_setup_teardown(torn_anywhere_it_is_refused,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			with_any_bit_changed_it_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			blocks_of_another_file_or_order_are_refused, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			another_version_cluster_or_group_is_refused, setup,
			teardown),
		cmocka_unit_test_setup_teardown(without_its_end_it_has_no_name,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_power_cut_at_any_call_leaves_none_or_all_of_it,
			setup, teardown),
		cmocka_unit_test_setup_teardown(
			whatever_fails_the_next_one_is_whole,
			setup, teardown),
		cmocka_unit_test_setup_teardown(old_ones_go_by_count, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			of_too_many_the_newest_are_listed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
