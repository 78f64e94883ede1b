#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Snapshots where the log is trimmed: who is too far behind gets one, whole, and
# what stands in no snapshot stays in the log.
#
# Long: some 60 MiB are decided.

. "${BASH_SOURCE[0]%/*}/lib.sh"
. "${BASH_SOURCE[0]%/*}/counted.bash"

LENGTH=8000
FILL=2200	# values of LENGTH: more than LogSpace

first() { state "$1" log_first; }
begins_behind() { [ "$(first "$1")" -gt "$2" ]; }

three_hosts_trim_behind_snapshots() {
	local i
	need_counted
	cluster up 3 --set LogSpace=16M --set Memory=4M --set SnapshotAfter=4M
	lead 1
	for i in 1 2 3; do
		counted "$i" open 1
		counted "$i" pad 300000
	done
	fill "$FILL" trimmed "$LENGTH"
	for i in 1 2 3; do
		until_true begins_behind "$i" 1
		[ "$(newest "$i")" -ge $(($(first "$i") - 1)) ]
	done
	same_state 1 2 3
}

a_restart_rebuilds_the_state() {
	local sum
	sum=$(tells 2 sum)
	cluster kill 2
	counted 2 close
	cluster start 2
	counted 2 open 1
	until_true says 2 sum "$sum"
	says 2 loaded 1
	same_state 1 2 3
}

who_is_too_far_behind_gets_one() {
	local known
	known=$(state 3 commit)
	cluster kill 3
	fill "$FILL" away "$LENGTH"
	until_true begins_behind 1 $((known + 1))
	until_true begins_behind 2 $((known + 1))
	counted 3 close
	cluster start 3
	counted 3 open 1
	until_true grep -q 'goes on behind the snapshot at slot' \
		"$PAXOS_RUN/3.log"
	same_state 1 2 3
	at_least 3 loaded 1
	# And starts from that again.
	cluster kill 3
	counted 3 close
	cluster start 3
	counted 3 open 1
	same_state 1 2 3
	fill 50 votes "$LENGTH"
	same_state 1 2 3
}

one_whose_agent_was_away_loads_while_it_runs() {
	local known loaded
	known=$(state 3 commit) loaded=$(tells 3 loaded)
	cluster kill --agent 3
	fill "$FILL" asleep "$LENGTH"
	until_true begins_behind 1 $((known + 1))
	until_true begins_behind 2 $((known + 1))
	cluster start 3
	same_state 1 2 3
	at_least 3 loaded $((loaded + 1))
	says 3 stopped 0
}

who_joins_gets_one() {
	cluster grow
	counted 4 open 1
	on 1 paxosctl member add 4 10.77.0.4:7400
	same_state 1 4
	at_least 4 loaded 1
	says 4 failed 0
}

one_that_does_not_end_its_apply_is_given_up() {
	counted 3 slow 15000
	on 1 paxosctl propose stuck
	refused 1 'is its apply\(\) stuck' on 3 paxosctl snapshot save \
		"$work/none"
	# Nobody else minds.
	fill 10 meanwhile
	counted 3 slow 0
	same_state 1 2 3
	until_true says 3 ended "$(tells 3 begun)"
}

what_stands_in_no_snapshot_stays() {
	local first
	on 1 paxosctl member remove 4
	counted 2 close
	first=$(first 2)
	while is 2 log_unsaved false; do
		fill 40 unsaved "$LENGTH"
	done
	on 2 paxosctl status | tee "$work/status" >&2
	grep -q 'it cannot be trimmed: no newer snapshot' "$work/status"
	grep -q "no snapshot: 'counted' does not have the group open" \
		"$PAXOS_RUN/2.log"
	[ "$(first 2)" -le $(($(newest 2) + 1)) ]
	counted 2 open 1
	until_true is 2 log_unsaved false
	fill 100 saved "$LENGTH"
	until_true begins_behind 2 "$first"
	same_state 1 2 3
}

run_tests \
	three_hosts_trim_behind_snapshots \
	a_restart_rebuilds_the_state \
	who_is_too_far_behind_gets_one \
	one_whose_agent_was_away_loads_while_it_runs \
	who_joins_gets_one \
	one_that_does_not_end_its_apply_is_given_up \
	what_stands_in_no_snapshot_stays
