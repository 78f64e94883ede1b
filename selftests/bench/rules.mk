# SPDX-License-Identifier: GPL-2.0
BENCH_SOURCES := $(wildcard selftests/bench/*.c)
BENCH_OBJECTS := $(BENCH_SOURCES:%.c=$(B)/%.o)
BENCH_OBJECTS += $(CORE_SOURCES:%.c=$(B)/selftests/bench/%.o)
PROGRAMS += $(B)/selftests/bench/bench

$(B)/selftests/bench/%.o: selftests/bench/%.c $(wildcard selftests/bench/*.h) \
		selftests/kmod/bench_uapi.h uapi/linux/paxos.h $(CORE_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(CORE_CFLAGS) -Iuapi -c -o $@ $<

# The core as the module has it, optimised alike.
$(B)/selftests/bench/kmod/%.o: kmod/%.c $(CORE_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(CORE_CFLAGS) -c -o $@ $<

$(B)/selftests/bench/bench: $(BENCH_OBJECTS)
	$(call say,LD,$@)$(CC) $(CFLAGS) -o $@ $^ -lsodium -lmnl
