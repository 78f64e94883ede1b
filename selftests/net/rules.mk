# SPDX-License-Identifier: GPL-2.0
# What the namespace tests need beside the tools.
NET_HELPERS := $(addprefix $(B)/net/,burst failover flood nlsend nlfuzz logwrites notified journaled recorder kv_recorder)
TEST_PROGRAMS += $(NET_HELPERS)

$(B)/net/flood: selftests/net/flood.c $(CORE_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(CORE_CFLAGS) -o $@ $< -lsodium

# With the agent's own log.
NET_WAL := $(patsubst %,$(B)/agent/paxosd/%.o,wal wal_segment wal_read wal_format wal_index wal_trim)
$(B)/net/logwrites: selftests/net/logwrites.c $(NET_WAL) agent/paxosd/wal.h
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(USER_CFLAGS) -Iagent/paxosd -o $@ \
		$(filter %.c %.o,$^) -lsodium -lisal

$(B)/net/recorder $(B)/net/kv_recorder: selftests/net/recording.c \
		selftests/net/recording.h
$(B)/net/%: selftests/net/%.c selftests/net/genl.c selftests/net/genl.h \
		uapi/linux/paxos.h uapi/linux/paxos_kv.h
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(USER_CFLAGS) -o $@ $(filter %.c,$^) -lmnl
