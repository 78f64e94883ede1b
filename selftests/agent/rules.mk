# SPDX-License-Identifier: GPL-2.0
# Unit tests of agent/paxosd: one program a subject, linked with all of the
# agent but its main(). What a test wants to fail is wrapped by the linker.
AGENT_TESTS := $(patsubst selftests/agent/%.c,$(B)/selftests/agent/%, \
	$(wildcard selftests/agent/test_*.c))
AGENT_TEST_OBJECTS := $(patsubst agent/%.c,$(B)/selftests/agent/%.o, \
	$(filter-out %/main.c,$(wildcard agent/paxosd/*.c)))
AGENT_TEST_OBJECTS += $(PAXOSD_CORE:%=$(B)/selftests/agent/core/%.o)
AGENT_TEST_HEADERS := $(wildcard agent/paxosd/*.h selftests/agent/*.h) \
	uapi/linux/paxos.h
AGENT_TEST_CFLAGS = $(USER_CFLAGS) $(SANITIZE) -Iagent/paxosd
AGENT_TEST_WRAPS := pwrite pread fdatasync fsync fallocate renameat2 unlinkat
AGENT_TEST_WRAP := $(AGENT_TEST_WRAPS:%=-Wl,--wrap=%)

$(B)/selftests/agent/paxosd/%.o: agent/paxosd/%.c $(AGENT_TEST_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(AGENT_TEST_CFLAGS) -c -o $@ $<

$(B)/selftests/agent/paxosd/configuration.o: \
	AGENT_TEST_CFLAGS += $(PAXOSD_CORE_CFLAGS)
$(B)/selftests/agent/core/%.o: kmod/core/%.c $(wildcard kmod/core/*.h)
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(AGENT_TEST_CFLAGS) $(PAXOSD_CORE_CFLAGS) \
		-c -o $@ $<

$(B)/selftests/agent/%.o: selftests/agent/%.c $(AGENT_TEST_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(AGENT_TEST_CFLAGS) -c -o $@ $<

$(B)/selftests/agent/test_%: $(B)/selftests/agent/test_%.o \
		$(B)/selftests/agent/disk.o $(B)/selftests/agent/electorate.o \
		$(AGENT_TEST_OBJECTS)
	$(call say,LD,$@)$(CC) $(AGENT_TEST_CFLAGS) -o $@ $^ \
		$(AGENT_TEST_WRAP) -lcmocka $(PAXOSD_LIBS)

.SECONDARY: $(AGENT_TESTS:=.o)
UNIT_TESTS += $(AGENT_TESTS)

unit-agent: $(AGENT_TESTS)
	@for test in $^; do $$test || exit; done
.PHONY: unit-agent
