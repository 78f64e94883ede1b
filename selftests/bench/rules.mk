# SPDX-License-Identifier: GPL-2.0
BENCH_SOURCES := $(wildcard selftests/bench/*.c)
BENCH_OBJECTS := $(BENCH_SOURCES:%.c=$(B)/%.o)
PROGRAMS += $(B)/selftests/bench/bench

$(BENCH_OBJECTS): $(B)/%.o: %.c $(wildcard selftests/bench/*.h) \
		selftests/kmod/bench_uapi.h uapi/linux/paxos.h $(CORE_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(CORE_CFLAGS) -Iuapi -c -o $@ $<

$(B)/selftests/bench/bench: $(BENCH_OBJECTS)
	$(call say,LD,$@)$(CC) $(CFLAGS) -o $@ $^
