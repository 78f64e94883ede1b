# SPDX-License-Identifier: GPL-2.0
# Unit tests of the store of kmod/kv, and its model.
KV_SOURCES := $(wildcard kmod/kv/core/*.c)
KV_HEADERS := $(wildcard kmod/kv/core/*.h selftests/shim/linux/*.h \
	selftests/kv/*.h) selftests/sim/random.h
KV_TESTS := $(patsubst selftests/kv/%.c,$(B)/kv/%, \
	$(wildcard selftests/kv/test_*.c))
KV_TEST_SOURCES := selftests/kv/store.c selftests/kv/draw.c \
	selftests/kv/model.c

$(B)/kv/test_%: selftests/kv/test_%.c $(KV_TEST_SOURCES) $(KV_SOURCES) \
		$(KV_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(CORE_CFLAGS) $(SANITIZE) -o $@ \
		$(filter %.c,$^) -lcmocka

UNIT_TESTS += $(KV_TESTS)
unit-kv: $(KV_TESTS)
	@for test in $^; do $$test || exit; done
.PHONY: unit-kv
