// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include "unit.h"

#define ALL(n)	((n) == 64 ? ~0ULL : (1ULL << (n)) - 1)

static void test_majority(void **state)
{
	struct paxos_config config;
	u32 n;

	for (n = 1; n <= PAXOS_MEMBERS_MAX; n++) {
		assert_int_equal(paxos_config_init(&config, 1, ALL(n), 0, 0,
						   0), 0);
		assert_int_equal(config.q1, n / 2 + 1);
		assert_int_equal(config.q2, n / 2 + 1);
		assert_false(paxos_quorum_accept(&config, ALL(n / 2)));
		assert_true(paxos_quorum_accept(&config, ALL(n / 2 + 1)));
		assert_false(paxos_quorum_prepare(&config, ALL(n / 2)));
		assert_true(paxos_quorum_prepare(&config, ALL(n / 2 + 1)));
	}
}

/* Whether some set that passes as q1 misses some set that passes as q2. */
static bool disjoint(const struct paxos_config *config, u64 all)
{
	u64 a, b;

	for (a = 0; a <= all; a++) {
		if (!paxos_quorum_prepare(config, a))
			continue;
		/* Every subset of what is left. */
		for (b = all & ~a;; b = (b - 1) & all & ~a) {
			if (paxos_quorum_accept(config, b))
				return true;
			if (!b)
				break;
		}
	}
	return false;
}

/*
 * Howard, Malkhi, Spiegelman 2016, "Flexible Paxos": exactly the sizes where
 * each Prepare quorum meets each Accept quorum are taken.
 */
static void test_intersection(void **state)
{
	u32 n, q1, q2;

	for (n = 1; n <= 9; n++)
		for (q1 = 1; q1 <= n + 1; q1++)
			for (q2 = 1; q2 <= n + 1; q2++) {
				struct paxos_config config;
				bool taken, possible = q1 <= n && q2 <= n;

				taken = !paxos_config_init(&config, 1, ALL(n),
							   0, q1, q2);
				config = (struct paxos_config){
					.epoch = 1, .voters = ALL(n),
					.q1 = q1, .q2 = q2,
				};
				assert_int_equal(taken, possible &&
						 !disjoint(&config, ALL(n)));
			}
}

static void test_read_intersection(void **state)
{
	u32 n, q1, q2;
	u64 a, b;

	for (n = 1; n <= 7; n++)
		for (q1 = 1; q1 <= n; q1++)
			for (q2 = n - q1 + 1; q2 <= n; q2++) {
				struct paxos_config config;

				assert_int_equal(paxos_config_init(&config, 1,
					ALL(n), 0, q1, q2), 0);
				for (a = 0; a <= ALL(n); a++)
					for (b = 0; b <= ALL(n); b++) {
						if (paxos_quorum_read(&config,
								      a) &&
						    paxos_quorum_accept(
							&config, b))
							assert_true(a & b);
					}
				assert_true(paxos_quorum_read(&config,
							      ALL(n)));
			}
}

static void test_set(void **state)
{
	struct paxos_config config;
	u64 votes = 0;
	int i;

	assert_int_equal(paxos_config_init(&config, 1, ALL(3), 0, 0, 0), 0);
	for (i = 0; i < 10; i++)
		votes |= paxos_member_bit(2);
	assert_int_equal(paxos_quorum_weight(&config, votes), 1);
	assert_false(paxos_quorum_accept(&config, votes));
	assert_false(paxos_quorum_prepare(&config, votes));
}

static void test_learners(void **state)
{
	struct paxos_config config;

	assert_int_equal(paxos_config_init(&config, 1, ALL(3), 0x38, 0, 0), 0);
	assert_int_equal(paxos_quorum_weight(&config, 0x39), 1);
	assert_false(paxos_quorum_accept(&config, 0x39));
	assert_false(paxos_quorum_prepare(&config, 0x39));
	assert_false(paxos_quorum_read(&config, 0x39));
	assert_true(paxos_config_has(&config, 4));
	assert_false(paxos_config_votes(&config, 4));
	assert_true(paxos_config_votes(&config, 3));
}

static void test_ids(void **state)
{
	struct paxos_config config;
	u32 id;

	assert_int_equal(paxos_config_init(&config, 1, ~0ULL, 0, 0, 0), 0);
	for (id = 0; id <= 255; id++) {
		bool possible = id >= 1 && id <= 64;

		assert_int_equal(paxos_config_has(&config, id), possible);
		assert_int_equal(paxos_config_votes(&config, id), possible);
	}
	assert_int_equal(config.q1, 33);
}

static void test_refused(void **state)
{
	struct paxos_config config, before;

	memset(&config, 0x5a, sizeof(config));
	before = config;
	/* No epoch, nobody, both roles, more than there are, no meeting. */
	assert_int_equal(paxos_config_init(&config, 0, ALL(3), 0, 2, 2),
			 -EINVAL);
	assert_int_equal(paxos_config_init(&config, 1, 0, 0, 0, 0), -EINVAL);
	assert_int_equal(paxos_config_init(&config, 1, 0, ALL(3), 1, 1),
			 -EINVAL);
	assert_int_equal(paxos_config_init(&config, 1, ALL(3), 4, 2, 2),
			 -EINVAL);
	assert_int_equal(paxos_config_init(&config, 1, ALL(3), 0, 4, 2),
			 -EINVAL);
	assert_int_equal(paxos_config_init(&config, 1, ALL(3), 0, 2, 4),
			 -EINVAL);
	assert_int_equal(paxos_config_init(&config, 1, ALL(4), 0, 2, 2),
			 -EINVAL);
	assert_int_equal(paxos_config_init(&config, 1, ALL(5), 0, 1, 4),
			 -EINVAL);
	assert_memory_equal(&config, &before, sizeof(config));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST("a majority of voters is a quorum, half is not",
		     test_majority),
		TEST("Flexible Paxos: every q1 meets every q2, exactly then taken (n <= 9)",
		     test_intersection),
		TEST("a Read quorum meets every Accept quorum",
		     test_read_intersection),
		TEST("pitfall: duplicates are not votes, a set counts members",
		     test_set),
		TEST("a learner's vote weighs nothing", test_learners),
		TEST("member ids are 1..64", test_ids),
		TEST("a configuration that cannot decide safely is refused whole",
		     test_refused),
	};

	return RUN_TESTS(tests);
}
