#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# As linearizable.sh, of the store of paxos_kv.ko: registers, a lock under leases
# and a queue. Who reads without asking a quorum must be caught.
#
#	host 1 .. 3    processes I and I + 10 on host I (kv_recorder.c)
#
# Native: its times are those of a machine that is not slow.
# Patient: clients and faults for 40 s.

. "${BASH_SOURCE[0]%/*}/lib.sh"
# shellcheck source=selftests/net/faults.bash
. "${BASH_SOURCE[0]%/*}/faults.bash"

# shellcheck disable=SC2034	# of faults.bash
recorder=kv_recorder

three_hosts_have_a_store() {
	need_module paxos_kv
	undo rmmod paxos_kv
	cluster up 3 --set Election=yes --set LogSize=65536 --set Memory=128M
	until_true any_leads
	on 1 paxosctl kv put begun yes
}

nothing_fails() {
	record 5 1 2 3
	recorded
	it_is_linearizable 50
	did acquire ok 2
	did release ok 2
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

the_leader_is_killed() {
	record 8 1 2 3
	sleep 1
	kill_leader
	recorded
	it_is_linearizable 30
}

links_are_cut() {
	record 12 1 2 3
	sleep 1
	partition_leader
	one_way_cuts
	recorded
	it_is_linearizable 30
}

# Host 3 is cut off; its client asks nobody, and reads what was.
a_stale_read_is_caught() {
	local i pids
	until_true any_leads
	[ "$leader" != 3 ] || on 3 paxosctl transfer --to 1
	until_true any_leads
	rm -f "$work"/client-*
	spawn 3 kv_recorder -s 7 -r -l stale 3 >"$work/client-3"
	pids=$!
	sleep 0.5
	cluster cut 3 1
	cluster cut 3 2
	for i in 1 2; do
		spawn "$i" kv_recorder -s 6 stale "$i" >"$work/client-$i"
		pids+=" $!"
	done
	recorders=$pids
	recorded
	cluster heal
	did put ok 10
	refused 1 "register 'r[0-9]*' is not linearizable: line" \
		linearizable "$work/history"
	# And it was the reads of host 3: the others' are fine.
	cat "$work"/client-[12] >"$work/history"
	linearizable "$work/history" >&2
	until_true is_even 1 2 3
}

run_tests \
	three_hosts_have_a_store \
	nothing_fails \
	a_lock_held_twice_is_found \
	the_leader_is_killed \
	links_are_cut \
	a_stale_read_is_caught
