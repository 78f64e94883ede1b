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
# Patient: clients and faults for 40 s.
#
# linearizable_long.sh does the same with more faults, for longer.

. "${BASH_SOURCE[0]%/*}/lib.sh"

# shellcheck source=selftests/net/faults.bash
. "${BASH_SOURCE[0]%/*}/faults.bash"

recorder=recorder

# --- Tests --------------------------------------------------------------------

three_hosts_that_elect() {
	cluster up 3 --set Election=yes --set LogSize=65536 --set Memory=128M
	until_true any_leads
}

nothing_fails() {
	record 4 1 2 3
	recorded
	it_is_linearizable 50
	did acquire ok 1
	did release ok 1
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

# Host 3 is cut off; its clients ask nobody, and read what was.
a_stale_read_is_caught() {
	local i pids
	until_true any_leads
	[ "$leader" != 3 ] || on 3 paxosctl transfer --to 1
	until_true any_leads
	rm -f "$work"/client-*
	spawn 3 recorder -s 7 -r -l stale 3 >"$work/client-3"
	pids=$!
	sleep 0.5
	cluster cut 3 1
	cluster cut 3 2
	for i in 1 2; do
		spawn "$i" recorder -s 6 stale "$i" >"$work/client-$i"
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

disks_stall_and_agents_pause() {
	give_disk
	record 16 1 2 3
	sleep 1
	stall_disk
	pause_agent
	kill_agent
	step_clock
	recorded
	it_is_linearizable 30
}

members_change() {
	record 20 1 2 3
	change_members 4
	change_members 5
	recorded
	it_is_linearizable 30
}

all_of_it_mixed() {
	local end=$((SECONDS + 90)) id=6 faults fault
	faults=(kill_leader kill_agent partition_leader one_way_cuts pause_agent
		step_clock lossy_links stall_disk change_members)
	record 100 1 2 3
	RANDOM=1
	while ((SECONDS < end)); do
		fault=${faults[RANDOM % ${#faults[@]}]}
		echo "+ $fault" >&2
		if [ "$fault" = change_members ]; then
			change_members $((id++))
		else
			"$fault"
		fi
		sleep 1
	done
	recorded
	it_is_linearizable 200
	until_true is_even 1 2 3
	same_logs 1 2 3
}

if [ -n "${LONG-}" ]; then
	run_tests \
		three_hosts_that_elect \
		disks_stall_and_agents_pause \
		members_change \
		all_of_it_mixed
else
	run_tests \
		three_hosts_that_elect \
		nothing_fails \
		a_changed_result_is_found \
		the_leader_is_killed \
		links_are_cut \
		a_stale_read_is_caught
fi
