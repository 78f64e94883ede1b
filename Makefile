# SPDX-License-Identifier: GPL-2.0
# The module, the agent, the tool and their tests. `make help` lists what there
# is to make. Everything that is built lands in build/.
B ?= build
V ?= 0
CC ?= gcc
PREFIX ?= /usr
SYSCONFDIR ?= /etc
DESTDIR ?=
KDIR ?= /lib/modules/$(shell uname -r)/build

ifeq ($(V),0)
say = @printf '  %-8s %s\n' "$(1)" "$(2)";
else
say =
endif

WARN := -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes
CFLAGS ?= -O2 -g
USER_CFLAGS = $(CFLAGS) -std=gnu11 -D_GNU_SOURCE $(WARN) -Iuapi
# The core outside the kernel: shim headers stand in for linux/*.h. Callbacks, and
# cmocka's tests, need not use all that they are given; the kernel is built so, too.
CORE_CFLAGS = $(CFLAGS) -std=gnu11 -D_GNU_SOURCE $(WARN) -Wno-unused-parameter \
	-Iselftests/shim -Ikmod
CORE_SOURCES := $(wildcard kmod/core/*.c)
CORE_HEADERS := $(wildcard kmod/core/*.h selftests/shim/linux/*.h)
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer

help:
	@sed -n 's/^## //p' Makefile
## all               paxosd and paxosctl (the default)
## programs          these, and what tests them
## module            paxos.ko for the running kernel (KDIR)
## install           these, man pages, unit (DESTDIR, PREFIX); uninstall
## module_install    paxos.ko
## demo              five hosts agree, die and come back, in a virtual machine
## check             the tests, in 10 minutes; `scripts/check STAGE` for some
## check-612         those with the kernel, on the backports' 6.12
## check-long        those that take minutes each
## soak              ten minutes at full rate: memory and disk end flat
## check-kasan       in User Mode Linux with KASAN, lockdep and kmemleak
## check-crash       three virtual machines whose power is cut
## mutants           the core with one rule broken, again and again
## unit, fuzz        unit tests; the fuzzers
## bench             instructions and commits a second; bench-detector,
##                   bench-failover: how fast and how wrong failures are noticed

# What hosts get is PROGRAMS. Rooms add what tests run beside it to
# TEST_PROGRAMS, and what is a test to UNIT_TESTS.
PROGRAMS := $(B)/paxosd $(B)/paxosctl
TEST_PROGRAMS :=
UNIT_TESTS :=
include $(sort $(wildcard agent/*/rules.mk selftests/*/rules.mk))

all: $(PROGRAMS)

programs: all $(TEST_PROGRAMS)

module:
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

unit: $(UNIT_TESTS)
	@scripts/unit $^

check:
	@scripts/check
check-612:
	@scripts/check --kernel 6.12 vm
check-long:
	@scripts/check long
soak:
	@scripts/check soak
check-kasan:
	@scripts/check kasan
check-crash:
	@scripts/check crash
demo:
	@scripts/demo
bench:
	@scripts/bench
bench-failover:
	@scripts/bench-failover

install: all
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/share/man/man5 \
		$(DESTDIR)$(PREFIX)/share/man/man8 \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions \
		$(DESTDIR)$(PREFIX)/share/doc/paxos \
		$(DESTDIR)$(PREFIX)/lib/systemd/system \
		$(DESTDIR)$(PREFIX)/lib/modules-load.d
	install -d -m 700 $(DESTDIR)$(SYSCONFDIR)/paxos
	install -m 755 $(B)/paxosd $(B)/paxosctl $(DESTDIR)$(PREFIX)/sbin
	install -m 644 agent/paxosd/*.5 $(DESTDIR)$(PREFIX)/share/man/man5
	install -m 644 agent/*/*.8 $(DESTDIR)$(PREFIX)/share/man/man8
	install -m 644 agent/paxosctl/completion/paxosctl.bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/paxosctl
	install -m 644 agent/paxosd/paxosd.conf $(DESTDIR)$(PREFIX)/share/doc/paxos
	sed 's|/usr/sbin|$(PREFIX)/sbin|; s|/etc/paxos|$(SYSCONFDIR)/paxos|' \
		agent/paxosd/paxosd@.service \
		>$(DESTDIR)$(PREFIX)/lib/systemd/system/paxosd@.service
	echo paxos >$(DESTDIR)$(PREFIX)/lib/modules-load.d/paxos.conf

# The configuration and the state stay: they are not ours to lose.
uninstall:
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/,sbin/paxosd sbin/paxosctl \
		$(addprefix share/man/man5/,$(notdir $(wildcard agent/paxosd/*.5))) \
		$(addprefix share/man/man8/,$(notdir $(wildcard agent/*/*.8))) \
		share/bash-completion/completions/paxosctl \
		share/doc/paxos/paxosd.conf \
		lib/systemd/system/paxosd@.service lib/modules-load.d/paxos.conf)
	! [ -d $(DESTDIR)$(PREFIX)/share/doc/paxos ] || \
		rmdir --ignore-fail-on-non-empty $(DESTDIR)$(PREFIX)/share/doc/paxos

# Of the running kernel, or of the one that KDIR names.
module_install: module
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules_install

clean:
	rm -rf $(B)

.DEFAULT_GOAL := all
.PHONY: all help programs module install uninstall module_install unit check check-612 check-long soak check-kasan check-crash demo bench bench-failover clean
