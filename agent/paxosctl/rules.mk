# SPDX-License-Identifier: GPL-2.0
UNIT_TESTS += $(B)/paxosctl-test

paxosctl-dir := agent/paxosctl
# The parser of paxosd's configuration, which `group add -c` reads, and the way
# to ask it.
paxosctl-sources := $(filter-out %/main.c %/test.c %/test_messages.c %/test_quorum.c \
	%/test_child.c, \
	$(wildcard $(paxosctl-dir)/*.c)) \
	$(addprefix agent/paxosd/,address.c config.c config_keys.c control_ask.c)
paxosctl-headers := $(wildcard $(paxosctl-dir)/*.h) agent/paxosd/address.h \
	agent/paxosd/control.h agent/paxosd/detector.h \
	$(wildcard agent/paxosd/config*.h) $(wildcard uapi/linux/*.h)
paxosctl-packages := libnl-3.0 libnl-genl-3.0 libsodium ncursesw
paxosctl-cflags = $(shell pkg-config --cflags $(paxosctl-packages))
paxosctl-libs = $(shell pkg-config --libs $(paxosctl-packages))

$(B)/paxosctl: $(paxosctl-dir)/main.c $(paxosctl-sources) $(paxosctl-headers)
	$(call say,CC,$@)mkdir -p $(@D) && $(CC) $(USER_CFLAGS) \
		$(paxosctl-cflags) -o $@ $(filter %.c,$^) $(paxosctl-libs)

$(B)/paxosctl-test: $(paxosctl-dir)/test.c \
		$(paxosctl-dir)/test_messages.c $(paxosctl-dir)/test_quorum.c \
		$(paxosctl-dir)/test_child.c \
		$(paxosctl-sources) $(paxosctl-headers)
	$(call say,CC,$@)mkdir -p $(@D) && $(CC) $(USER_CFLAGS) $(SANITIZE) \
		$(paxosctl-cflags) -o $@ $(filter %.c,$^) $(paxosctl-libs) \
		-Wl,--wrap=control_ask_key -lcmocka
