# SPDX-License-Identifier: GPL-2.0
# Fuzz targets over kmod/core: as unit tests with random inputs, and for
# FUZZ_SECONDS each with libFuzzer where clang has it.
FUZZ_SECONDS ?= 60
FUZZ_CORE_TARGETS := $(B)/fuzz/fuzz-wire $(B)/fuzz/fuzz-core
FUZZ_TARGETS := $(FUZZ_CORE_TARGETS) $(B)/fuzz/fuzz-frame $(B)/fuzz/fuzz-kv
FUZZ_SOURCES = selftests/fuzz/make.c $(CORE_SOURCES)
FUZZ_HARNESS = selftests/core/harness.c selftests/core/describe.c
FUZZ_HEADERS = $(CORE_HEADERS) $(wildcard selftests/fuzz/*.h selftests/core/*.h)
CLANG ?= clang

$(B)/fuzz/fuzz-wire: selftests/fuzz/wire.c
$(B)/fuzz/fuzz-core: selftests/fuzz/core.c $(FUZZ_HARNESS)
$(FUZZ_CORE_TARGETS): selftests/fuzz/driver.c $(FUZZ_SOURCES) $(FUZZ_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(CORE_CFLAGS) $(SANITIZE) -o $@ \
		$(filter %.c,$^)

# What agents say over TCP: with the agent's headers, not the core's.
FUZZ_FRAME = agent/paxosd/frame.c
FUZZ_FRAME_CFLAGS = $(USER_CFLAGS) -Iagent/paxosd
$(B)/fuzz/driver.o: selftests/fuzz/driver.c $(FUZZ_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(CORE_CFLAGS) $(SANITIZE) -c -o $@ $<

$(B)/fuzz/fuzz-frame: selftests/fuzz/frame.c $(FUZZ_FRAME) $(B)/fuzz/driver.o \
		agent/paxosd/frame.h agent/paxosd/wal.h
	$(call say,CC,$@)$(CC) $(FUZZ_FRAME_CFLAGS) $(SANITIZE) -o $@ \
		$(filter %.c %.o,$^) -lsodium

$(B)/fuzz/clang-frame: selftests/fuzz/frame.c $(FUZZ_FRAME) \
		agent/paxosd/frame.h agent/paxosd/wal.h
	@mkdir -p $(@D)
	$(call say,CLANG,$@)$(CLANG) $(FUZZ_FRAME_CFLAGS) $(FUZZ_CLANG) -o $@ \
		$(filter %.c,$^) -lsodium

# The store of kmod/kv: entries and snapshots.
FUZZ_KV = selftests/fuzz/kv.c selftests/kv/draw.c $(wildcard kmod/kv/core/*.c)
FUZZ_KV_HEADERS = $(wildcard kmod/kv/core/*.h selftests/kv/*.h)
$(B)/fuzz/fuzz-kv: $(FUZZ_KV) $(B)/fuzz/driver.o $(FUZZ_KV_HEADERS)
	$(call say,CC,$@)$(CC) $(CORE_CFLAGS) $(SANITIZE) -o $@ \
		$(filter %.c %.o,$^)

$(B)/fuzz/clang-kv: $(FUZZ_KV) $(FUZZ_KV_HEADERS)
	@mkdir -p $(@D)
	$(call say,CLANG,$@)$(CLANG) $(CORE_CFLAGS) $(FUZZ_CLANG) -o $@ \
		$(filter %.c,$^)

$(B)/fuzz/clang-wire: selftests/fuzz/wire.c
$(B)/fuzz/clang-core: selftests/fuzz/core.c $(FUZZ_HARNESS)
$(B)/fuzz/clang-wire $(B)/fuzz/clang-core: $(FUZZ_SOURCES) $(FUZZ_HEADERS)
	@mkdir -p $(@D)
	$(call say,CLANG,$@)$(CLANG) $(CORE_CFLAGS) $(FUZZ_CLANG) -o $@ \
		$(filter %.c,$^)

FUZZ_CLANG = -Wno-gnu-variable-sized-type-not-at-end \
	-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
FUZZ_PROBE = int LLVMFuzzerTestOneInput(void *b, long n) { return !b * n; }

# What libFuzzer finds stays in build/fuzz; give it to the target as argument.
fuzz: $(FUZZ_TARGETS)
	@mkdir -p $(B)/fuzz/corpus-wire $(B)/fuzz/corpus-core \
		$(B)/fuzz/corpus-frame $(B)/fuzz/corpus-kv
	@if echo '$(FUZZ_PROBE)' | $(CLANG) -fsanitize=fuzzer -xc -o $(B)/fuzz/probe - \
			2>$(B)/fuzz/probe.log; then \
		$(MAKE) --no-print-directory fuzz-clang; \
	else \
		echo "clang has no libFuzzer (scripts/deps test): random inputs"; \
		for target in $(FUZZ_TARGETS); do \
			$$target --runs 20000 || exit 1; \
		done; \
	fi

fuzz-clang: $(B)/fuzz/clang-wire $(B)/fuzz/clang-core $(B)/fuzz/clang-frame \
		$(B)/fuzz/clang-kv
	@for target in wire core frame kv; do \
		$(B)/fuzz/clang-$$target -max_total_time=$(FUZZ_SECONDS) \
			-max_len=4096 -print_final_stats=1 -verbosity=0 \
			-artifact_prefix=$(B)/fuzz/$$target- \
			$(B)/fuzz/corpus-$$target || exit 1; \
	done

UNIT_TESTS += $(FUZZ_TARGETS)
.PHONY: fuzz fuzz-clang
