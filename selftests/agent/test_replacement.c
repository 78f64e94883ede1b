// SPDX-License-Identifier: GPL-2.0
/* What a leader does for a host that lost its memory, and what it does not. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "disk.h"
#include "replacement.h"
#include "succession.h"

#define SECOND 1000000000ULL

static union address place(unsigned int host)
{
	union address address = { 0 };

	address.in.sin_family = AF_INET;
	address.in.sin_addr.s_addr = htonl(0x0a4d0000 + host);
	address_set_port(&address, 7400);
	return address;
}

/* Members 1 to 3, of which 1 leads. */
static struct group_state three(void)
{
	struct group_state state = {
		.phase = PAXOS_NL_PHASE_LEADER,
		.voters = 7,
		.n_members = 3,
	};
	unsigned int i;

	for (i = 0; i < 3; i++) {
		state.members[i].id = i + 1;
		state.members[i].address = place(i + 1);
	}
	return state;
}

static void expect(const struct replacement *replacement,
		   const struct group_state *state, uint64_t now,
		   enum replacement_act act, uint8_t id)
{
	const struct replacement_step step =
		replacement_next(replacement, state, now);

	assert_int_equal(step.act, act);
	if (act)
		assert_int_equal(step.id, id);
}

static void tried(struct replacement *replacement, enum replacement_act act,
		  uint8_t id, int error, uint64_t now)
{
	const struct replacement_step step = { .act = act, .id = id };

	replacement_tried(replacement, step, error, now);
}

static void test_from_loss_to_vote(void **state)
{
	struct group_state group = three();
	struct replacement replacement = { 0 };
	const union address third = place(3);
	uint64_t now = 100 * SECOND;

	(void)state;
	expect(&replacement, &group, now, REPLACEMENT_NOTHING, 0);
	replacement_hear(&replacement, 3, 7, &third, now);
	expect(&replacement, &group, now, REPLACEMENT_REMOVE, 3);
	tried(&replacement, REPLACEMENT_REMOVE, 3, 0, now);
	expect(&replacement, &group, now, REPLACEMENT_NOTHING, 0);

	now += SECOND;
	group.n_members = 2;
	group.voters = 3;
	expect(&replacement, &group, now, REPLACEMENT_ADD, 4);
	tried(&replacement, REPLACEMENT_ADD, 4, 0, now);
	now += SECOND;
	replacement_hear(&replacement, 3, 7, &third, now);
	group.members[group.n_members++] =
		(struct group_member) { .id = 4, .address = third };
	expect(&replacement, &group, now, REPLACEMENT_TELL, 4);

	/* It became that, and says so no more. */
	now += 2 * REPLACEMENT_FRESH;
	expect(&replacement, &group, now, REPLACEMENT_NOTHING, 0);
	replacement_wants(&replacement, 4, now);
	expect(&replacement, &group, now, REPLACEMENT_PROMOTE, 4);
	tried(&replacement, REPLACEMENT_PROMOTE, 4, -EAGAIN, now);
	expect(&replacement, &group, now, REPLACEMENT_NOTHING, 0);
	now += SECOND;
	expect(&replacement, &group, now, REPLACEMENT_PROMOTE, 4);
	group.voters |= 8;
	expect(&replacement, &group, now, REPLACEMENT_NOTHING, 0);
}

/* The next leader knows nothing of it, and goes on. */
static void test_another_leader_goes_on(void **state)
{
	struct group_state group = three();
	struct replacement replacement = { 0 };
	const union address third = place(3);

	(void)state;
	group.n_members = 2;
	group.voters = 3;
	replacement_hear(&replacement, 3, 7, &third, SECOND);
	expect(&replacement, &group, SECOND, REPLACEMENT_ADD, 4);
	group.members[group.n_members++] =
		(struct group_member) { .id = 9, .address = third };
	expect(&replacement, &group, SECOND, REPLACEMENT_TELL, 9);
}

static void test_only_who_leads_and_can_commit(void **state)
{
	struct group_state group = three();
	struct replacement replacement = { 0 };
	const union address third = place(3);

	(void)state;
	replacement_hear(&replacement, 3, 7, &third, SECOND);
	group.phase = PAXOS_NL_PHASE_FOLLOWER;
	expect(&replacement, &group, SECOND, REPLACEMENT_NOTHING, 0);
	group.phase = PAXOS_NL_PHASE_LEADER;
	group.wait = PAXOS_NL_WAIT_QUORUM;
	expect(&replacement, &group, SECOND, REPLACEMENT_NOTHING, 0);
	group.wait = PAXOS_NL_WAIT_NONE;
	expect(&replacement, &group, SECOND, REPLACEMENT_REMOVE, 3);
	/* What was said long ago is void. */
	expect(&replacement, &group, SECOND + REPLACEMENT_FRESH,
	       REPLACEMENT_NOTHING, 0);
}

static void test_not_more_than_one_a_minute(void **state)
{
	struct group_state group = three();
	struct replacement replacement = { 0 };
	const union address third = place(3), second = place(2);
	uint64_t now = SECOND;

	(void)state;
	replacement_hear(&replacement, 3, 7, &third, now);
	tried(&replacement, REPLACEMENT_REMOVE, 3, 0, now);
	/* While one is in hand, another has to wait. */
	replacement_hear(&replacement, 2, 7, &second, now);
	assert_int_equal(replacement.lost, 3);
	now += REPLACEMENT_FRESH;
	replacement_hear(&replacement, 2, 7, &second, now);
	assert_int_equal(replacement.lost, 2);
	expect(&replacement, &group, now, REPLACEMENT_HELD, 2);
	now = SECOND + REPLACEMENT_EVERY;
	replacement_hear(&replacement, 2, 7, &second, now);
	expect(&replacement, &group, now, REPLACEMENT_REMOVE, 2);
	/* A removal that failed does not count. */
	tried(&replacement, REPLACEMENT_REMOVE, 2, -EHOSTDOWN, now);
	now += REPLACEMENT_RETRY;
	replacement_hear(&replacement, 2, 7, &second, now);
	expect(&replacement, &group, now, REPLACEMENT_REMOVE, 2);
}

static void test_ids_that_were_used(void **state)
{
	struct group_state group = three();
	struct replacement replacement = { 0 };
	const union address third = place(3);
	uint8_t id;

	(void)state;
	group.n_members = 2;
	replacement_hear(&replacement, 3, 7, &third, SECOND);
	for (id = 4; id <= PAXOS_NL_MEMBERS_MAX; id++) {
		expect(&replacement, &group, SECOND, REPLACEMENT_ADD, id);
		tried(&replacement, REPLACEMENT_ADD, id, -EKEYREVOKED, SECOND);
	}
	expect(&replacement, &group, SECOND, REPLACEMENT_SPENT, 3);
}

/* Nobody is told to be who votes: that one is somebody. */
static void test_a_voter_at_that_place(void **state)
{
	struct group_state group = three();
	struct replacement replacement = { 0 };
	const union address third = place(3);

	(void)state;
	replacement_hear(&replacement, 60, 7, &third, SECOND);
	expect(&replacement, &group, SECOND, REPLACEMENT_NOTHING, 0);
}

static void expect_read(const struct state *directory, struct succession wanted)
{
	struct succession read;
	char error[256];

	assert_int_equal(succession_read(directory, &read, error,
					 sizeof(error)), 0);
	assert_memory_equal(&read, &wanted, sizeof(read));
}

static void expect_refused(const struct state *directory, const char *text)
{
	const int fd = openat(directory->directory, "successor",
			      O_WRONLY | O_CREAT | O_TRUNC, 0600);
	struct succession read;
	char error[256];

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	assert_int_equal(succession_read(directory, &read, error,
					 sizeof(error)), -1);
}

static void test_succession(void **state)
{
	static const struct succession none, fourth = { .id = 4 },
		all = { .id = 64, .leader = 63, .was = 62 };
	char *path = disk_directory(DISK_MEMORY);
	struct state directory = { .lock = -1 };
	char error[256];

	(void)state;
	disk_reset(1);
	directory.directory = open(path, O_RDONLY | O_DIRECTORY);
	expect_read(&directory, none);
	assert_int_equal(succession_write(&directory, &all, error,
					  sizeof(error)), 0);
	expect_read(&directory, all);
	assert_int_equal(succession_write(&directory, &fourth, error,
					  sizeof(error)), 0);
	expect_read(&directory, fourth);
	disk_fail(DISK_FSYNC, 1, EIO);
	assert_int_equal(succession_write(&directory, &all, error,
					  sizeof(error)), -1);
	expect_read(&directory, fourth);
	disk_reset(1);
	expect_refused(&directory, "65\n");
	expect_refused(&directory, "4 5\n");
	expect_refused(&directory, "4 65 5\n");
	expect_refused(&directory, "4 5 6");
	expect_refused(&directory, "");
	close(directory.directory);
	disk_remove(path);
}

static struct config three_in_a_file(void)
{
	return (struct config) {
		.self = 3, .n_members = 3,
		.members = { { .id = 1 }, { .id = 3, .priority = 9 },
			     { .id = 4 } },
		.state_directory = "/some/where",
	};
}

static void test_who_succeeds(void **state)
{
	static const struct succession succession = { .id = 4, .leader = 5 };
	struct config config = three_in_a_file();

	(void)state;
	succession_apply(&config, &succession);
	assert_int_equal(config.self, 4);
	assert_int_equal(config.n_members, 2);
	assert_int_equal(config_member(&config, 4)->priority, 9);
	assert_null(config_member(&config, 3));
	assert_string_equal(config.state_directory, "/some/where/4");
}

/* Where all of the file were replaced, it would know no member. */
static void test_who_succeeds_knows_who_said_so(void **state)
{
	static const struct succession succession = {
		.id = 6, .leader = 5, .was = 1,
	};
	struct config config = three_in_a_file();
	const struct config_member *leader;

	(void)state;
	config.members[0].address = place(1);
	succession_apply(&config, &succession);
	assert_int_equal(config.self, 6);
	assert_int_equal(config.n_members, 3);
	assert_null(config_member(&config, 1));
	leader = config_member(&config, 5);
	assert_non_null(leader);
	assert_true(address_same(&leader->address, &config.members[0].address));
	assert_int_equal(config_member(&config, 6)->priority, 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_loss_to_vote),
		cmocka_unit_test(test_another_leader_goes_on),
		cmocka_unit_test(test_only_who_leads_and_can_commit),
		cmocka_unit_test(test_not_more_than_one_a_minute),
		cmocka_unit_test(test_ids_that_were_used),
		cmocka_unit_test(test_a_voter_at_that_place),
		cmocka_unit_test(test_succession),
		cmocka_unit_test(test_who_succeeds),
		cmocka_unit_test(test_who_succeeds_knows_who_said_so),
	};

	return cmocka_run_group_tests_name("replacement", tests, NULL, NULL);
}
