#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# As linearizable.sh, of the store of paxos_kv.ko: registers, a lock under leases
# and a queue. Who reads without asking a quorum must be caught.
#
#	host 1 .. 3    processes I and I + 10 on host I (kv_recorder.c)
#
# Native: its times are those of a machine that is not slow.
# Patient: clients and faults for a minute.
#
# kv_linearizable_long.sh does the same with more faults, for longer.

. "${BASH_SOURCE[0]%/*}/lib.sh"
# shellcheck source=selftests/net/faults.bash
. "${BASH_SOURCE[0]%/*}/faults.bash"

# shellcheck disable=SC2034	# of faults.bash
recorder=kv_recorder module=paxos_kv also='push pop share'

three_hosts_have_a_store() {
	need_module paxos_kv
	cluster up 3 --set Election=yes --set LogSize=65536 --set Memory=128M
	until_true any_leads
	on 1 paxosctl kv put begun yes
}

# A lock is held for longer than the 2 s that its lease lasts, if it is kept.
was_kept() {
	cat "$work"/client-* | awk -F '"(token|call|return)":' '
		/"acquire".*"ok"/ { since[$2 + 0] = $4 + 0 }
		/"release".*"ok"/ && $3 - since[$2 + 0] > 2e9 { kept++ }
		END { exit !kept }'
}

nothing_fails() {
	record
	sleep 5
	until_true was_kept
	recorded
	it_is_linearizable 50
	did push ok 5
	did pop ok 5
}

# What the checker finds where two hold the lock at a time.
a_lock_held_twice_is_found() {
	awk '{ print } /"acquire"/ && /"ok"/ && !n++ {
		sub(/"process":[0-9]*/, "\"process\":77")
		match($0, /"token":[0-9]*/)
		token = substr($0, RSTART + 8, RLENGTH - 8)
		sub(/"token":[0-9]*/, "\"token\":" token + 1)
		print
	}' "$work/history" >"$work/changed"
	not cmp -s "$work/history" "$work/changed"
	refused 1 "lock 'lock' is not linearizable: line" \
		linearizable "$work/changed"
}

if [ -n "${LONG-}" ]; then
	run_tests \
		three_hosts_have_a_store \
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
		three_hosts_have_a_store \
		nothing_fails \
		a_lock_held_twice_is_found \
		the_leader_is_killed \
		the_agent_is_killed \
		the_leader_is_cut_off \
		links_are_cut_one_way \
		a_stale_read_is_caught
fi
