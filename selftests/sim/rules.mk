# SPDX-License-Identifier: GPL-2.0
# The simulator, twice: for speed, and under ASan and UBSan; and its mutants.
SIM_SOURCES := $(wildcard selftests/sim/*.c)
SIM_KV := $(wildcard kmod/kv/core/*.c)
SIM_HEADERS := $(CORE_HEADERS) $(wildcard selftests/sim/*.h) \
	$(wildcard kmod/kv/core/*.h) selftests/kv/draw.h
SIM_NAMES := $(patsubst selftests/sim/%.c,sim-%.o,$(SIM_SOURCES)) \
	$(patsubst kmod/core/%.c,core-%.o,$(CORE_SOURCES)) \
	$(patsubst kmod/kv/core/%.c,kv-%.o,$(SIM_KV)) kv-draw.o
SIM_OWN := $(patsubst selftests/sim/%.c,$(B)/sim/fast/sim-%.o,$(SIM_SOURCES)) \
	$(B)/sim/fast/kv-draw.o
SIM_MUTANTS := $(patsubst selftests/sim/mutants/%.patch,%, \
	$(wildcard selftests/sim/mutants/*.patch))
# Those that are caught soonest, of different laws.
SIM_SAMPLE := vote-before-durable duplicate-vote commit-of-another-ballot \
	restart-forgets-promise noop-over-found window-wraps alloc-half-applied \
	read-names-commit kv-half-applied trim-forgets-config stale-promise \
	stale-vote restart-accepts-below-vote ballot-above-own-only \
	accepts-lower-ballot promises-lower-ballot quorums-do-not-meet \
	no-barrier phase-1-skipped-after-change removed-member-counted \
	waiting-host-votes mute-member-speaks resigned-leads-on yield-for-ever

$(B)/sim/fast/sim-%.o: selftests/sim/%.c $(SIM_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(CORE_CFLAGS) -c -o $@ $<
$(B)/sim/fast/kv-draw.o: selftests/kv/draw.c $(SIM_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(CORE_CFLAGS) -c -o $@ $<
$(B)/sim/fast/kv-%.o: kmod/kv/core/%.c $(SIM_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(CORE_CFLAGS) -c -o $@ $<
$(B)/sim/fast/core-%.o: kmod/core/%.c $(SIM_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(CORE_CFLAGS) -c -o $@ $<
$(B)/sim/safe/sim-%.o: selftests/sim/%.c $(SIM_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(CORE_CFLAGS) $(SANITIZE) -c -o $@ $<
$(B)/sim/safe/kv-draw.o: selftests/kv/draw.c $(SIM_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(CORE_CFLAGS) $(SANITIZE) -c -o $@ $<
$(B)/sim/safe/kv-%.o: kmod/kv/core/%.c $(SIM_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(CORE_CFLAGS) $(SANITIZE) -c -o $@ $<
$(B)/sim/safe/core-%.o: kmod/core/%.c $(SIM_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(CORE_CFLAGS) $(SANITIZE) -c -o $@ $<

$(B)/sim/sim: $(addprefix $(B)/sim/fast/,$(SIM_NAMES))
	$(call say,LD,$@)$(CC) $(CORE_CFLAGS) -o $@ $^
$(B)/sim/sim-safe: $(addprefix $(B)/sim/safe/,$(SIM_NAMES))
	$(call say,LD,$@)$(CC) $(CORE_CFLAGS) $(SANITIZE) -o $@ $^

sim: $(B)/sim/sim $(B)/sim/sim-safe
check-sim: sim
	@B=$(B) selftests/sim/check
mutants: $(SIM_OWN) $(B)/sim/sim
	@B=$(B) CC="$(CC)" CORE_CFLAGS="$(CORE_CFLAGS)" selftests/sim/mutate \
		$(SIM_MUTANTS)
mutants-sample: $(SIM_OWN) $(B)/sim/sim
	@B=$(B) CC="$(CC)" CORE_CFLAGS="$(CORE_CFLAGS)" selftests/sim/mutate \
		$(SIM_SAMPLE)
.PHONY: sim check-sim mutants mutants-sample
