# SPDX-License-Identifier: GPL-2.0
PAXOSD_SOURCES := $(wildcard agent/paxosd/*.c)
PAXOSD_HEADERS := $(wildcard agent/paxosd/*.h) uapi/linux/paxos.h
PAXOSD_LIBS := -lmnl -lsodium -lisal -lsystemd -lm -lpthread

$(B)/agent/paxosd/%.o: agent/paxosd/%.c $(PAXOSD_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(USER_CFLAGS) -c -o $@ $<

# What the agent knows of configurations is the core's.
PAXOSD_CORE := config wire_config
PAXOSD_CORE_CFLAGS := -Iselftests/shim -Ikmod/core
$(B)/agent/paxosd/configuration.o: USER_CFLAGS += $(PAXOSD_CORE_CFLAGS)
$(B)/agent/core/%.o: kmod/core/%.c $(wildcard kmod/core/*.h)
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(USER_CFLAGS) $(PAXOSD_CORE_CFLAGS) -c -o $@ $<

$(B)/paxosd: $(PAXOSD_SOURCES:%.c=$(B)/%.o) $(PAXOSD_CORE:%=$(B)/agent/core/%.o)
	$(call say,LD,$@)$(CC) $(CFLAGS) -o $@ $^ $(PAXOSD_LIBS)
