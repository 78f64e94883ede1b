#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kv_linearizable.sh with disks that stall, members that come and go, modules that
# are loaded again, and all faults mixed.
#
# Long: its clients work for three minutes.
# Native: counts and times are those of a machine that is not slow.

LONG=1 exec "${BASH_SOURCE[0]%/*}/kv_linearizable.sh"
