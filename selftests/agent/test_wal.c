// SPDX-License-Identifier: GPL-2.0
/*
 * The log is read as it was written, or refused; a tail that was never
 * acknowledged is told from damage, at every byte.
 */
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "wal_fixture.h"

#define FILES_MAX 16

static void test_reads_what_it_wrote(void **state)
{
	static const uint32_t lengths[] = { 0, 1, 7, 8, 9, 100, 4000, 4096,
					    32767, 32768 };
	struct fixture *fixture = fixture_of(state);
	unsigned int life, i;

	create(fixture);
	for (life = 0; life < 3; life++) {
		live(fixture);
		fixture->wal.size = 40 * WAL_BLOCK;
		must(fixture, wal_session(&fixture->wal, 50 + life, 1 + life));
		for (i = 0; i < 10; i++)
			commit(fixture, 1 + i % 4, lengths[i]);
		wal_close(&fixture->wal);
	}
	expect(fixture, fixture->written);
	assert_int_equal(fixture->wal.instance, 52);
	assert_int_equal(fixture->wal.incarnation, 3);
	assert_true(fixture->wal.end.sequence > 4);
}

static void test_one_write_and_one_sync_a_batch(void **state)
{
	struct fixture *fixture = fixture_of(state);

	create(fixture);
	live(fixture);
	commit(fixture, 1, 10);
	must(fixture, wal_prepare(&fixture->wal));
	disk_fail(DISK_PWRITE, 3, EIO);	/* the log, "durable", and no more */
	disk_fail(DISK_FDATASYNC, 2, EIO);
	disk_fail(DISK_FSYNC, 1, EIO);
	commit(fixture, 20, 10);
	disk_reset(1);
}

static void test_create_twice_changes_nothing(void **state)
{
	struct fixture *fixture = fixture_of(state);

	sample(fixture);
	begin(fixture);
	assert_int_equal(wal_create(&fixture->wal), 1);
	wal_close(&fixture->wal);
	expect(fixture, fixture->written);
}

static void test_no_log_is_not_an_empty_log(void **state)
{
	struct fixture *fixture = fixture_of(state);

	begin(fixture);
	assert_int_equal(wal_open(&fixture->wal), -ENOENT);
	wal_close(&fixture->wal);
}

static void test_lost_log_is_not_made_anew(void **state)
{
	struct fixture *fixture = fixture_of(state);

	create(fixture);
	drop(fixture, "0000000001.wal");
	refuse(fixture, "the file is missing");
	begin(fixture);
	assert_int_equal(wal_create(&fixture->wal), -1);
}

static void test_restart_does_not_litter(void **state)
{
	struct fixture *fixture = fixture_of(state);
	struct stat status;
	unsigned int i;

	create(fixture);
	for (i = 0; i < 5; i++) {
		live(fixture);
		wal_close(&fixture->wal);
	}
	assert_int_equal(fixture->wal.end.sequence, 1);
	for (i = 0; i < 2; i++) {
		live(fixture);
		commit(fixture, 1, 10);
		wal_close(&fixture->wal);
	}
	assert_int_equal(fstatat(fixture->directory, "0000000002.wal", &status,
				 0), 0);
	assert_int_equal(status.st_size, 2 * WAL_BLOCK);
}

static void test_lives_rise(void **state)
{
	struct fixture *fixture = fixture_of(state);

	create(fixture);
	live(fixture);
	assert_int_equal(fixture->wal.lives, 1);
	wal_close(&fixture->wal);
	begin(fixture);
	must(fixture, wal_open(&fixture->wal));
	must(fixture, wal_confirm(&fixture->wal, 1000));
	assert_int_equal(fixture->wal.lives, 1000);
	wal_close(&fixture->wal);
	live(fixture);	/* the clock went back */
	assert_int_equal(fixture->wal.lives, 1001);
	wal_close(&fixture->wal);
	drop(fixture, "durable");
	begin(fixture);
	must(fixture, wal_open(&fixture->wal));
	must(fixture, wal_confirm(&fixture->wal, 2000));
	assert_int_equal(fixture->wal.lives, 2000);
}

/* Where the records of the last batch of @image end. */
static size_t last_batch(const struct image *image, size_t *start)
{
	const struct wal_batch *batch;
	size_t at, end = 0;

	for (at = WAL_BLOCK; at + WAL_BLOCK <= image->size; at += WAL_BLOCK) {
		batch = (const void *)(image->bytes + at);
		if (le32toh(batch->magic) != WAL_BATCH_MAGIC)
			break;
		*start = at;
		end = at + sizeof(*batch) + le32toh(batch->length);
	}
	return end;
}

/* Never acknowledged, so without "durable": cut off. */
static void test_torn_tail_at_every_byte(void **state)
{
	struct fixture *fixture = fixture_of(state);
	struct image image, torn;
	size_t cut, start, end;
	bool whole;

	sample(fixture);
	image = take(fixture, "0000000003.wal");
	drop(fixture, "durable");
	torn = image;
	torn.bytes = malloc(image.size);
	end = last_batch(&image, &start);
	for (cut = start; cut <= start + WAL_BLOCK; cut++) {
		/* The rest of the batch never came, or came as rubbish. */
		memcpy(torn.bytes, image.bytes, image.size);
		memset(torn.bytes + cut, cut % 2 ? 0 : 0xa5,
		       start + WAL_BLOCK - cut);
		whole = !memcmp(torn.bytes + start, image.bytes + start,
				end - start);
		assert_true(whole || cut < end);
		put(fixture, &torn);
		expect(fixture, fixture->written - (whole ? 0 : 2));
	}
	/* The first part of it never came. */
	for (cut = start; cut < end; cut += 8) {
		memcpy(torn.bytes, image.bytes, image.size);
		memset(torn.bytes + start, 0, cut + 1 - start);
		put(fixture, &torn);
		expect(fixture, fixture->written - 2);
	}
	free(torn.bytes);
	free(image.bytes);
}

static void test_writes_on_behind_a_torn_tail(void **state)
{
	struct fixture *fixture = fixture_of(state);
	struct image image;
	size_t start, end;

	sample(fixture);
	drop(fixture, "durable");
	image = take(fixture, "0000000003.wal");
	end = last_batch(&image, &start);
	image.bytes[end - 1] ^= 1;
	put(fixture, &image);
	free(image.bytes);
	fixture->written -= 2;
	expect(fixture, fixture->written);
	live(fixture);
	commit(fixture, 4, 17);
	wal_close(&fixture->wal);
	expect(fixture, fixture->written);
}

static void test_acknowledged_tail_is_no_torn_tail(void **state)
{
	struct fixture *fixture = fixture_of(state);
	struct image image;
	size_t at, start, end;

	sample(fixture);
	image = take(fixture, "0000000003.wal");
	end = last_batch(&image, &start);
	for (at = start; at < end; at++) {
		image.bytes[at] ^= 1 << at % 8;
		put(fixture, &image);
		refuse(fixture, "0000000003.wal: damaged at offset");
		image.bytes[at] ^= 1 << at % 8;
	}
	free(image.bytes);
}

/* The last batch of a log that ends without wal_close(), with a bit flipped. */
static void flip_last(struct fixture *fixture, bool marks)
{
	struct image image;
	size_t start, end;

	create(fixture);
	live(fixture);
	commit(fixture, 1, 20);
	commit(fixture, 1, 20);
	if (marks)
		must(fixture, wal_mark(&fixture->wal));
	disk_cut(1);
	wal_close(&fixture->wal);
	disk_restart();
	image = take(fixture, "0000000002.wal");
	end = last_batch(&image, &start);
	image.bytes[end - 1] ^= 1;
	put(fixture, &image);
	free(image.bytes);
}

static void test_a_mark_outlives_the_power(void **state)
{
	struct fixture *fixture;
	uint32_t seed;

	(void)state;
	for (seed = 1; seed <= 20; seed++) {
		setup((void **)&fixture);
		disk_reset(seed);
		flip_last(fixture, true);
		refuse(fixture, "0000000002.wal: damaged at offset");
		teardown((void **)&fixture);
	}
}

/* The limit that README.md and paxosd.8 tell of: two faults at once. */
static void test_without_a_mark_a_rotten_tail_looks_torn(void **state)
{
	struct fixture *fixture = fixture_of(state);

	flip_last(fixture, false);
	drop(fixture, "durable");
	expect(fixture, fixture->written - 1);
}

/* What lies between the batches is nobody's. */
static bool is_padding(const struct image *image, size_t at)
{
	const size_t block = at / WAL_BLOCK * WAL_BLOCK;
	const struct wal_batch *batch = (const void *)(image->bytes + block);

	if (!block)
		return at >= sizeof(struct wal_segment);
	return at >= block + sizeof(*batch) + le32toh(batch->length);
}

/* Without "durable", which would only help. */
static void test_flipped_bit_in_the_middle_at_every_byte(void **state)
{
	static const char *const names[] = {
		"0000000001.wal", "0000000002.wal", "0000000003.wal" };
	struct fixture *fixture = fixture_of(state);
	struct image image;
	size_t at, start, end;
	unsigned int i;
	bool padding;

	sample(fixture);
	drop(fixture, "durable");
	for (i = 0; i < 3; i++) {
		image = take(fixture, names[i]);
		end = image.size;
		if (i == 2)
			last_batch(&image, &end);
		for (start = 0; start < end; start += WAL_BLOCK) {
			for (at = start; at < start + 600; at++) {
				padding = is_padding(&image, at);
				image.bytes[at] ^= 1 << at % 8;
				put(fixture, &image);
				if (padding)
					expect(fixture, fixture->written);
				else
					refuse(fixture, names[i]);
				image.bytes[at] ^= 1 << at % 8;
			}
		}
		put(fixture, &image);
		free(image.bytes);
	}
	expect(fixture, fixture->written);
}

static void test_segment_missing(void **state)
{
	static const char *const names[] = {
		"0000000001.wal", "0000000002.wal", "0000000003.wal" };
	struct fixture *fixture = fixture_of(state);
	struct image image;
	unsigned int i;

	sample(fixture);
	for (i = 0; i < 3; i++) {
		image = take(fixture, names[i]);
		drop(fixture, names[i]);
		refuse(fixture, names[i]);
		refuse(fixture, "the file is missing");
		put(fixture, &image);
		free(image.bytes);
	}
}

static void test_segment_cut_short(void **state)
{
	struct fixture *fixture = fixture_of(state);
	struct image image;
	size_t start, end;

	sample(fixture);
	image = take(fixture, "0000000002.wal");
	end = last_batch(&image, &start);
	for (image.size = 0; image.size < end; image.size += 511) {
		put(fixture, &image);
		refuse(fixture, "0000000002.wal");
	}
	free(image.bytes);
}

static void test_segment_swapped(void **state)
{
	struct fixture *fixture = fixture_of(state);
	struct image image;

	sample(fixture);
	image = take(fixture, "0000000002.wal");
	strcpy(image.name, "0000000003.wal");
	put(fixture, &image);
	refuse(fixture, "the header is of another segment");
	free(image.bytes);
}

static void test_older_copy_of_a_segment(void **state)
{
	struct fixture *fixture = fixture_of(state);
	struct image image;

	create(fixture);
	live(fixture);
	commit(fixture, 1, 10);
	image = take(fixture, "0000000002.wal");
	commit(fixture, 1, 10);
	wal_close(&fixture->wal);
	put(fixture, &image);
	refuse(fixture, "the records are not whole, and were");
	free(image.bytes);
}

static void test_of_somebody_else(void **state)
{
	struct fixture *fixture = fixture_of(state);
	struct wal_identity other;
	unsigned int i;

	sample(fixture);
	for (i = 0; i < 4; i++) {
		other = records_identity;
		other.cluster[3] ^= i == 0;
		other.group ^= i == 1;
		other.member ^= i == 2;
		other.durability ^= i == 3;
		wal_init(&fixture->wal, &other, fixture->path,
			 fixture->directory);
		assert_int_equal(wal_open(&fixture->wal), -1);
		assert_non_null(strstr(fixture->wal.error,
				       i == 3 ? "made for Durability" :
						"belongs to member 3 of group 7"));
		wal_close(&fixture->wal);
		assert_int_equal(wal_create(&fixture->wal), -1);
		wal_close(&fixture->wal);
	}
}

static void test_of_another_version(void **state)
{
	struct fixture *fixture = fixture_of(state);
	struct wal_segment *header;
	struct image image;

	sample(fixture);
	image = take(fixture, "0000000001.wal");
	header = (void *)image.bytes;
	header->version = htole32(WAL_VERSION + 1);
	header->crc = htole32(wal_crc(~0U, header,
				      offsetof(struct wal_segment, crc)));
	put(fixture, &image);
	refuse(fixture, "is of format 2 and this agent knows 1");
	free(image.bytes);
}

static void test_sizes_are_bounded(void **state)
{
	struct fixture *fixture = fixture_of(state);
	struct record record;
	unsigned int i;

	create(fixture);
	live(fixture);
	record = records_make(1, PAXOS_NL_VALUE_MAX);
	record.length++;
	assert_int_equal(wal_add(&fixture->wal, &record), -1);
	for (i = 1; !add(fixture, i, PAXOS_NL_VALUE_MAX); i++)
		assert_true(i < 64);
	assert_non_null(strstr(fixture->wal.error, "too large"));
}

static void test_lsn_must_rise(void **state)
{
	struct fixture *fixture = fixture_of(state);

	create(fixture);
	live(fixture);
	commit(fixture, 2, 8);
	assert_int_equal(add(fixture, 2, 8), -1);
	assert_non_null(strstr(fixture->wal.error, "gave record 2 after"));
}

/* The polynomial is Castagnoli's: RFC 3720, B.4. */
static void test_crc_is_crc32c(void **state)
{
	static const uint8_t zeros[32];

	(void)state;
	assert_int_equal(~wal_crc(~0U, "123456789", 9), 0xe3069283);
	assert_int_equal(~wal_crc(~0U, zeros, 32), 0x8a9136aa);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_what_it_wrote),
		cmocka_unit_test_setup_teardown(test_reads_what_it_wrote,
						setup_real, teardown),
		TEST(one_write_and_one_sync_a_batch),
		TEST(create_twice_changes_nothing),
		TEST(no_log_is_not_an_empty_log),
		TEST(lost_log_is_not_made_anew),
		TEST(restart_does_not_litter),
		TEST(lives_rise),
		TEST(torn_tail_at_every_byte),
		TEST(writes_on_behind_a_torn_tail),
		TEST(acknowledged_tail_is_no_torn_tail),
		TEST(a_mark_outlives_the_power),
		TEST(without_a_mark_a_rotten_tail_looks_torn),
		TEST(flipped_bit_in_the_middle_at_every_byte),
		TEST(segment_missing),
		TEST(segment_cut_short),
		TEST(segment_swapped),
		TEST(older_copy_of_a_segment),
		TEST(of_somebody_else),
		TEST(of_another_version),
		TEST(sizes_are_bounded),
		TEST(lsn_must_rise),
		TEST(crc_is_crc32c),
	};

	return cmocka_run_group_tests_name("wal", tests, NULL, NULL);
}
