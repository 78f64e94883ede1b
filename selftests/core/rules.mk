# SPDX-License-Identifier: GPL-2.0
# Unit tests of kmod/core: one program a subject.
CORE_TESTS := $(patsubst selftests/core/%.c,$(B)/core/%, \
	$(wildcard selftests/core/test_*.c))
CORE_TEST_OBJECTS := $(patsubst kmod/core/%.c,$(B)/core/core-%.o, \
	$(CORE_SOURCES)) $(B)/core/harness.o $(B)/core/describe.o
CORE_TEST_HEADERS := $(CORE_HEADERS) $(wildcard selftests/core/*.h)
CORE_TEST_CFLAGS = $(CORE_CFLAGS) $(SANITIZE)

$(B)/core/core-%.o: kmod/core/%.c $(CORE_TEST_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(CORE_TEST_CFLAGS) -c -o $@ $<

$(B)/core/%.o: selftests/core/%.c $(CORE_TEST_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(CORE_TEST_CFLAGS) -c -o $@ $<

$(B)/core/test_%: $(B)/core/test_%.o $(B)/core/unit.o $(CORE_TEST_OBJECTS)
	$(call say,LD,$@)$(CC) $(CORE_TEST_CFLAGS) -o $@ $^ -lcmocka

.SECONDARY: $(CORE_TESTS:=.o) $(CORE_TEST_OBJECTS) $(B)/core/unit.o
UNIT_TESTS += $(CORE_TESTS)

unit-core: $(CORE_TESTS)
	@for test in $^; do $$test || exit; done
.PHONY: unit-core
