#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# linearizable.sh with agents that pause, clocks that step, disks that stall,
# members that come and go, a host that is replaced, modules that are loaded again,
# and all faults mixed, some at once.
#
# Long: its clients work for two minutes.
# Native: counts and times are those of a machine that is not slow.

LONG=1 exec "${BASH_SOURCE[0]%/*}/linearizable.sh"
