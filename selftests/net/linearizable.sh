#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Clients on all hosts write, read, compare and swap, and lock, while hosts fail;
# what they did and saw must be linearizable. Who reads without asking a quorum
# must be caught.
#
#	host 1 .. 3    processes I and I + 10 on host I (recorder.c); the log that
#	               decides is the group's
#
# Native: its times are those of a machine that is not slow.
# Patient: clients and faults for a minute.
#
# linearizable_long.sh does the same with more faults, for longer.

. "${BASH_SOURCE[0]%/*}/lib.sh"
# shellcheck source=selftests/net/faults.bash
. "${BASH_SOURCE[0]%/*}/faults.bash"

# shellcheck disable=SC2034	# of faults.bash
recorder=recorder module=paxos also=

three_hosts_that_elect() {
	cluster up 3 --set Election=yes --set LogSize=65536 --set Memory=128M
	until_true any_leads
}

nothing_fails() {
	record
	sleep 4
	recorded
	it_is_linearizable 50
}

# What the checker finds in a history where one read is not what was read.
a_changed_result_is_found() {
	awk '/"operation":"get"/ && /"value":"/ && ++n == 20 {
		sub(/"value":"[^"]*"/, "\"value\":\"1-1x\"")
	} { print }' "$work/history" >"$work/changed"
	not cmp -s "$work/history" "$work/changed"
	refused 1 "register 'r[0-9]*' is not linearizable: line" \
		linearizable "$work/changed"
}

if [ -n "${LONG-}" ]; then
	run_tests \
		three_hosts_that_elect \
		a_host_gets_a_disk_that_can_stall \
		the_disk_stalls \
		the_agent_pauses \
		the_clock_steps \
		members_change \
		a_host_with_clients_is_replaced \
		modules_restart \
		all_of_it_mixed
else
	run_tests \
		three_hosts_that_elect \
		nothing_fails \
		a_changed_result_is_found \
		the_leader_is_killed \
		the_agent_is_killed \
		the_leader_is_cut_off \
		links_are_cut_one_way \
		a_stale_read_is_caught
fi
