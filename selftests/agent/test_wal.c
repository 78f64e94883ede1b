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
#include "disk.h"
#include "records.h"

#define FILES_MAX 16

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

static struct fixture *fixture_of(void **state)
{
	return *state;
}

static int setup_on(void **state, const char *parent)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	disk_reset(1);
	fixture->path = disk_directory(parent);
	fixture->directory = open(fixture->path, O_RDONLY | O_DIRECTORY);
	*state = fixture;
	return fixture->directory < 0;
}

static int setup(void **state)
{
	return setup_on(state, DISK_MEMORY);
}

static int setup_real(void **state)
{
	return setup_on(state, DISK_REAL);
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	wal_close(&fixture->wal);
	close(fixture->directory);
	disk_remove(fixture->path);
	free(fixture);
	return 0;
}

static void begin(struct fixture *fixture)
{
	wal_init(&fixture->wal, &records_identity, fixture->path,
		 fixture->directory);
	fixture->wal.size = 5 * WAL_BLOCK;
}

static void must(struct fixture *fixture, int result)
{
	if (result)
		fail_msg("%s", fixture->wal.error);
}

static void create(struct fixture *fixture)
{
	begin(fixture);
	must(fixture, wal_create(&fixture->wal));
	wal_close(&fixture->wal);
}

/* A life of the agent, up to where it may write. */
static void live(struct fixture *fixture)
{
	begin(fixture);
	must(fixture, wal_open(&fixture->wal));
	must(fixture, wal_confirm(&fixture->wal, 0));
}

static int add(struct fixture *fixture, unsigned int number, uint32_t length)
{
	const struct record record = records_make(number, length);

	return wal_add(&fixture->wal, &record);
}

static void commit(struct fixture *fixture, unsigned int count, uint32_t length)
{
	unsigned int i;

	for (i = 1; i <= count; i++)
		must(fixture, add(fixture, fixture->written + i, length));
	must(fixture, wal_commit(&fixture->wal));
	fixture->written += count;
}

/* Open, and the replay must show @count records. */
static void expect(struct fixture *fixture, unsigned int count)
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
static void refuse(struct fixture *fixture, const char *what)
{
	begin(fixture);
	assert_int_equal(wal_open(&fixture->wal), -1);
	if (!strstr(fixture->wal.error, what))
		fail_msg("not '%s' but: %s", what, fixture->wal.error);
	assert_non_null(strstr(fixture->wal.error, fixture->path));
	wal_close(&fixture->wal);
}

/* 3 segments with batches in each, the last with 3, written by 2 lives. */
static void sample(struct fixture *fixture)
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

static struct image take(struct fixture *fixture, const char *name)
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

static void put(struct fixture *fixture, const struct image *image)
{
	int fd = openat(fixture->directory, image->name,
			O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, image->bytes, image->size), image->size);
	close(fd);
}

static void drop(struct fixture *fixture, const char *name)
{
	assert_int_equal(unlinkat(fixture->directory, name, 0), 0);
}

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
	struct fixture *fixture = fixture_of(state);

	flip_last(fixture, true);
	refuse(fixture, "0000000002.wal: damaged at offset");
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

/* Whatever fails, it is final, and nothing that was acknowledged is missing. */
static void fault(struct fixture *fixture, enum disk_call call, int error)
{
	unsigned int i, records = 0;

	live(fixture);
	commit(fixture, 1, 20);
	disk_fail(call, 1, error);
	for (i = 0; i < 6; i++) {
		if (add(fixture, fixture->written + 1, 20) ||
		    wal_commit(&fixture->wal))
			break;
		fixture->written++;
		if (call != DISK_FALLOCATE)
			must(fixture, wal_prepare(&fixture->wal));
	}
	assert_true(i < 6);
	assert_non_null(strstr(fixture->wal.error, strerror(error)));
	assert_int_equal(wal_commit(&fixture->wal), -1);
	wal_close(&fixture->wal);
	disk_restart();

	/* The batch that failed may be there whole or not at all. */
	live(fixture);
	for (records = 0; records_lsn(records) < fixture->wal.end.lsn;)
		records++;
	wal_close(&fixture->wal);
	expect(fixture, records);
	assert_in_range(records, fixture->written, fixture->written + 1);
	fixture->written = records;
}

static void test_any_call_fails(void **state)
{
	static const int errors[] = { EIO, ENOSPC };
	struct fixture *fixture = fixture_of(state);
	unsigned int round, i;
	int call;

	create(fixture);
	for (round = 0; round < 5; round++)
		for (call = 0; call < DISK_WRITES; call++)
			for (i = 0; i < 2; i++)
				if (call != DISK_UNLINK)	/* a log that grows */
					fault(fixture, call, errors[i]);
	expect(fixture, fixture->written);
}

/* The rest of it follows. */
static void test_half_a_write(void **state)
{
	struct fixture *fixture = fixture_of(state);
	unsigned int nth;

	create(fixture);
	for (nth = 1; nth < 6; nth++) {
		live(fixture);
		disk_fail(DISK_PWRITE, nth, 0);
		commit(fixture, 2, 5000);
		commit(fixture, 1, 20);
		wal_close(&fixture->wal);
		expect(fixture, fixture->written);
	}
}

/* It may be read another time: nothing says that the log is damaged. */
static void test_a_read_fails(void **state)
{
	struct fixture *fixture = fixture_of(state);
	unsigned int nth, failed = 0;

	sample(fixture);
	/* The first is that of "durable", which would only help. */
	for (nth = 2; nth < 10; nth++) {
		begin(fixture);
		disk_fail(DISK_PREAD, nth, EIO);
		if (wal_open(&fixture->wal)) {
			failed++;
			assert_non_null(strstr(fixture->wal.error,
					       "cannot read at offset 0"));
			assert_false(fixture->wal.damaged);
			assert_false(fixture->wal.foreign);
		}
		wal_close(&fixture->wal);
		disk_reset(1);
	}
	assert_int_equal(failed, 3);
	begin(fixture);
	disk_fail(DISK_PREAD, 4, 0);
	assert_int_equal(wal_open(&fixture->wal), -1);
	assert_non_null(strstr(fixture->wal.error, "in the middle of a block"));
	wal_close(&fixture->wal);
	disk_reset(1);
	expect(fixture, fixture->written);
}

static void test_sync_fails_and_is_not_tried_again(void **state)
{
	struct fixture *fixture = fixture_of(state);
	unsigned int i;

	create(fixture);
	for (i = 0; i < 20; i++)
		fault(fixture, DISK_FDATASYNC, i % 2 ? EIO : ENOSPC);
	expect(fixture, fixture->written);
}

static void test_space_is_missed_before_it_is_needed(void **state)
{
	struct fixture *fixture = fixture_of(state);

	create(fixture);
	live(fixture);
	commit(fixture, 1, 20);
	disk_fail(DISK_FALLOCATE, 1, ENOSPC);
	assert_int_equal(wal_prepare(&fixture->wal), -1);
	assert_non_null(strstr(fixture->wal.error, "No space left"));
	commit(fixture, 1, 20);	/* there is room in this one */
	must(fixture, wal_prepare(&fixture->wal));
	wal_close(&fixture->wal);
	fault(fixture, DISK_FALLOCATE, ENOSPC);
	expect(fixture, fixture->written);
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
		TEST(any_call_fails),
		TEST(half_a_write),
		TEST(a_read_fails),
		TEST(sync_fails_and_is_not_tried_again),
		TEST(space_is_missed_before_it_is_needed),
		TEST(sizes_are_bounded),
		TEST(lsn_must_rise),
		TEST(crc_is_crc32c),
	};

	return cmocka_run_group_tests_name("wal", tests, NULL, NULL);
}
