# SPDX-License-Identifier: GPL-2.0
PAXOSD_SOURCES := $(wildcard agent/paxosd/*.c)
PAXOSD_HEADERS := $(wildcard agent/paxosd/*.h) uapi/linux/paxos.h
PAXOSD_LIBS := -lmnl -lsodium -lisal -lsystemd -lm -lpthread

PROGRAMS += $(B)/paxosd

$(B)/agent/paxosd/%.o: agent/paxosd/%.c $(PAXOSD_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(USER_CFLAGS) -c -o $@ $<

$(B)/paxosd: $(PAXOSD_SOURCES:%.c=$(B)/%.o)
	$(call say,LD,$@)$(CC) $(CFLAGS) -o $@ $^ $(PAXOSD_LIBS)
