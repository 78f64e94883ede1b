# SPDX-License-Identifier: GPL-2.0
# What the namespace tests need beside the tools.
NET_HELPERS := $(addprefix $(B)/net/,burst failover flood nlsend nlfuzz)
PROGRAMS += $(NET_HELPERS)

$(B)/net/flood: selftests/net/flood.c $(CORE_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(CORE_CFLAGS) -o $@ $< -lsodium

$(B)/net/%: selftests/net/%.c selftests/net/genl.c selftests/net/genl.h \
		uapi/linux/paxos.h
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(USER_CFLAGS) -o $@ $(filter %.c,$^) -lmnl
