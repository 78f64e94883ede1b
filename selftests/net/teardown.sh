#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Groups and namespaces go away in the midst of traffic: nothing hangs, leaks or
# is used after it was freed. What is under way ends, whichever way.
#
# The kernel's log is the oracle here, most of all under KASAN.

. "${BASH_SOURCE[0]%/*}/lib.sh"

# traffic I...: proposals from these hosts, in the background.
traffic() {
	local i
	for i; do
		spawn "$i" burst -n 1000000 -o 32 -p 1 -t 500 "from-$i" \
			>>"$work/acks-$i"
	done
}

a_group_is_deleted_under_traffic_again_and_again() {
	local round
	# Logs that hold all of it, to look for each value afterwards.
	cluster up 3 --durability memory --no-agents --set LogSize=65536
	lead 1
	traffic 1 2
	for ((round = 0; round < $(scaled 10 5); round++)); do
		await_growth 1
		on 3 paxosctl group del 1
		# Without its memory it is mute, and in the way of traffic still.
		on 3 paxosctl group add -c "$PAXOS_RUN/3.conf"
	done
	await_growth 1
	stop_spawned
	cat "$work"/acks-? >"$work/acks"
	same_logs 1 2
	acknowledged "$work/acks" 1 2
}

what_is_under_way_ends_when_its_group_is_deleted() {
	local pending
	spawn 1 burst -n 100000 -o 200 -p 5 -t 600000 waiting >"$work/ended"
	await_growth 1
	# Alone it cannot decide: what it proposed until it knew that waits.
	forget 2
	until_true is 1 wait quorum
	pending=$(state 1 pending)
	[ "$pending" -gt 0 ]
	not grep '^unknown' "$work/ended"
	on 1 paxosctl group del 1
	until_true have_ended "$pending"
	stop_spawned
}
have_ended() { [ "$(grep -c '^unknown' "$work/ended")" = "$1" ]; }
forget() { on "$1" paxosctl group del 1; }

dumps_race_with_deletion() {
	local round what
	for ((round = 0; round < $(scaled 20 5); round++)); do
		on 2 paxosctl group add -c "$PAXOS_RUN/2.conf" --start
		on 2 paxosctl group del 1
	done &
	while kill -0 $! 2>"$work/kill"; do
		for what in status stats 'log -g 1'; do
			# It may find the group, or not.
			# shellcheck disable=SC2086
			quietly_on 2 paxosctl $what || [ $? -le 2 ]
		done
	done >"$work/dumps" 2>&1
	wait $!
	not grep -Ev '^(paxosctl: .*(no group|being deleted|it changed while|Transport endpoint)|group|of no|  |no group|\{|$)' \
		"$work/dumps"
}

namespaces_are_deleted_under_traffic_again_and_again() {
	local round
	for ((round = 0; round < $(scaled 5 2); round++)); do
		cluster down
		rm -f "$work"/acks-?
		cluster up 3 --durability memory --no-agents
		lead 1
		traffic 1 2
		await_growth 1
		logged ip netns del paxos-3
		await_growth 1
		# These two go with the last process that is in them.
		logged ip netns del paxos-2
		logged ip netns del paxos-1
		sleep 0.0$((RANDOM % 10))
		stop_spawned
	done
	cluster down
}

an_agent_outlives_its_group_and_says_so() {
	cluster up 1
	lead 1
	on 1 paxosctl group del 1
	until_true agent_has_ended 1
	agent_log 1 >&2
	agent_log 1 | tail -n 3 | grep -Ei 'delete|gone' >&2
	cluster start 1
	lead 1
	on 1 paxosctl propose 'from the disk'
}
agent_has_ended() { ! kill -0 "$(agent_pid "$1")"; }

all_at_once_with_agents() {
	cluster down
	cluster up 3
	lead 1
	traffic 1 2 3
	await_growth 1
	stop_spawned
	# The namespaces go while agents beat and write in them.
	for i in 1 2 3; do
		logged ip netns del "paxos-$i"
		kill -9 "$(agent_pid "$i")"
	done
	cluster down
	until_true no_namespace_is_left
}
no_namespace_is_left() { ! ip netns list | grep paxos; }

run_tests \
	a_group_is_deleted_under_traffic_again_and_again \
	what_is_under_way_ends_when_its_group_is_deleted \
	dumps_race_with_deletion \
	namespaces_are_deleted_under_traffic_again_and_again \
	an_agent_outlives_its_group_and_says_so \
	all_at_once_with_agents
