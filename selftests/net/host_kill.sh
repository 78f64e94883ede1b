#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Whole hosts die, memory and all, and come back from their disks.
#
# Native: what it tries is the agents and their disks.

. "${BASH_SOURCE[0]%/*}/lib.sh"

five_hosts_form_a_group() {
	cluster up 5 --set LogSize=65536
	lead 1
}

nothing_acknowledged_is_missing_after_leaders_died_with_their_hosts() {
	local leader next n
	for leader in 1 2 3; do
		next=$((leader + 1))
		for n in 4 5; do
			spawn "$n" burst -n 100000 -o 16 -p 10 -t 3000 -r 60000 \
				"from-$n-$leader" >>"$work/acks-$n"
		done
		await_growth 5
		cluster kill "$leader"
		lead "$next"
		await_growth 5
		stop_spawned
		cluster start "$leader"
	done
	same_logs 1 2 3 4 5
	cat "$work"/acks-? >"$work/acks"
	say "$(grep -c '^chosen ' "$work/acks") acknowledged"
	acknowledged "$work/acks" 1 2 3 4 5
}

two_of_five_dead_cost_nothing() {
	lead 1
	cluster kill 4
	cluster kill 5
	on 2 paxosctl propose 'three of five'
	cluster start 4
	cluster start 5
	same_logs 1 2 3 4 5
	grep -q '  three of five$' "$work/log-5"
}

all_five_die_at_once_and_restore_the_log_from_their_disks() {
	local i incarnation
	spawn 2 burst -n 100000 -o 32 -p 10 -t 2000 before >"$work/acks"
	await_growth 2
	incarnation=$(state 2 incarnation)
	for i in 1 2 3 4 5; do
		kill -9 "$(agent_pid "$i")"
		cluster kill "$i"
	done
	stop_spawned
	for i in 1 2 3 4 5; do
		cluster start "$i"
	done
	[ "$(state 2 incarnation)" -gt "$incarnation" ]
	lead 3
	on 1 paxosctl propose 'after the end of the world'
	same_logs 1 2 3 4 5
	acknowledged "$work/acks" 1 2 3 4 5
}

a_restarted_proposer_does_not_use_its_ballot_again() {
	local ballot round
	lead 2
	ballot=$(state 2 ballot)
	cluster kill 2
	cluster start 2
	lead 2
	round=$(state 2 ballot)
	[ "${round%.*}" -gt "${ballot%.*}" ]
	same_logs 1 2 3 4 5
}

run_tests \
	five_hosts_form_a_group \
	nothing_acknowledged_is_missing_after_leaders_died_with_their_hosts \
	two_of_five_dead_cost_nothing \
	all_five_die_at_once_and_restore_the_log_from_their_disks \
	a_restarted_proposer_does_not_use_its_ballot_again
