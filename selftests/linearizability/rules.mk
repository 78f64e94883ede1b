# SPDX-License-Identifier: GPL-2.0
# The checker of recorded histories, and its tests.
LINEAR := selftests/linearizability
LINEAR_SOURCES := $(addprefix $(LINEAR)/,history.c model.c search.c)
LINEAR_HEADERS := $(wildcard $(LINEAR)/*.h)

TEST_PROGRAMS += $(B)/net/linearizable
$(B)/net/linearizable: $(LINEAR)/main.c $(LINEAR_SOURCES) $(LINEAR_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(USER_CFLAGS) -o $@ $(filter %.c,$^) -ljansson

LINEAR_TESTS := $(addprefix $(B)/linearizability/,test_known test_random)
$(B)/linearizability/%: $(LINEAR)/%.c $(LINEAR_SOURCES) $(LINEAR_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(USER_CFLAGS) $(SANITIZE) -o $@ \
		$(filter %.c,$^) -lcmocka -ljansson

UNIT_TESTS += $(LINEAR_TESTS)
unit-linearizability: $(LINEAR_TESTS)
	@for test in $^; do $$test || exit; done
.PHONY: unit-linearizability
