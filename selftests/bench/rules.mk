# SPDX-License-Identifier: GPL-2.0
BENCH_SOURCES := $(wildcard selftests/bench/*.c)
BENCH_OBJECTS := $(BENCH_SOURCES:%.c=$(B)/%.o)
BENCH_OBJECTS += $(CORE_SOURCES:%.c=$(B)/selftests/bench/%.o)
TEST_PROGRAMS += $(B)/selftests/bench/bench

$(B)/selftests/bench/%.o: selftests/bench/%.c $(wildcard selftests/bench/*.h) \
		selftests/kmod/bench_uapi.h uapi/linux/paxos.h $(CORE_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(CORE_CFLAGS) -Iuapi -c -o $@ $<

# The core as the module has it, optimised alike.
$(B)/selftests/bench/kmod/%.o: kmod/%.c $(CORE_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(CORE_CFLAGS) -c -o $@ $<

# The client of etcd, which only scripts/bench makes: it needs nghttp2.
$(B)/bench-etcd: $(wildcard selftests/bench/etcd/*.[ch]) \
		selftests/bench/place.c selftests/bench/samples.c \
		selftests/bench/bench.h
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(USER_CFLAGS) -o $@ $(filter %.c,$^) -lnghttp2

# Traces of heartbeats through paxosd's own failure detector.
DETECTOR_BENCH := $(B)/selftests/bench/detector/replay
TEST_PROGRAMS += $(DETECTOR_BENCH)

$(DETECTOR_BENCH): $(wildcard selftests/bench/detector/*.c) \
		selftests/bench/detector/trace.h agent/paxosd/detector.c \
		agent/paxosd/detector.h
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(USER_CFLAGS) -Iagent/paxosd -o $@ \
		$(filter %.c,$^) -lm

bench-detector: $(DETECTOR_BENCH)
	@scripts/deps bench
	@$< $(<D) $(wildcard selftests/bench/detector/*.trace)
	@gnuplot -e "from='$(<D)'" selftests/bench/detector/plot.gp \
		>$(B)/detector.svg && echo "plot: $(B)/detector.svg"
.PHONY: bench-detector

$(B)/selftests/bench/bench: $(BENCH_OBJECTS)
	$(call say,LD,$@)$(CC) $(CFLAGS) -o $@ $^ -lsodium -lmnl
