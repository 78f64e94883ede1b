# SPDX-License-Identifier: GPL-2.0
# Unit tests of kmod/core: one program a subject, and the transcripts.
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

$(B)/core/transcript: $(B)/core/transcript.o $(CORE_TEST_OBJECTS)
	$(call say,LD,$@)$(CC) $(CORE_TEST_CFLAGS) -o $@ $^

# A test as the others are: a program in build/ that is run without arguments.
$(B)/core/golden: $(B)/core/transcript selftests/core/golden.sh
	$(call say,GEN,$@)ln -sf $(CURDIR)/selftests/core/golden.sh $@

.SECONDARY: $(CORE_TESTS:=.o) $(CORE_TEST_OBJECTS) $(B)/core/unit.o \
	$(B)/core/transcript.o
UNIT_TESTS += $(CORE_TESTS) $(B)/core/golden

unit-core: $(CORE_TESTS) $(B)/core/golden
	@for test in $^; do $$test || exit; done
.PHONY: unit-core
