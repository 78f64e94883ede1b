#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A bad network: every host's link loses a fifth of what it sends, sends a tenth
# twice and a quarter out of order.

. "${BASH_SOURCE[0]%/*}/lib.sh"

five_hosts_agree_over_a_network_that_loses_doubles_and_reorders() {
	local i n
	n=$(scaled 60 10)
	cluster up 5
	lead 1
	cluster netem all delay 3ms 2ms loss 20% duplicate 10% reorder 25%
	for i in 1 3 5; do
		spawn "$i" burst -n "$n" -o 16 -t 30000 -r 30000 "from-$i" \
			>"$work/acks-$i"
	done
	wait
	for i in 1 3 5; do
		[ "$(wc -l <"$work/acks-$i")" -eq "$n" ]
	done
	cat "$work"/acks-? >"$work/acks"
	# The leader heard a majority all the time, so all of it was chosen.
	all_chosen "$work/acks" $((3 * n))
	same_logs 1 2 3 4 5
	acknowledged "$work/acks" 1 2 3 4 5
}

the_network_was_as_bad_as_that() {
	local i
	for i in 1 2 3 4 5; do
		tc -s -n "paxos-$i" qdisc show dev eth0 >"$work/qdisc"
		grep -q 'netem.*loss 20%.*duplicate 10%.*reorder 25%' \
			"$work/qdisc"
		not grep -q 'dropped 0,' "$work/qdisc"
	done
}

a_leader_changes_in_the_midst_of_it() {
	local i
	for i in 2 4; do
		spawn "$i" burst -n 100000 -o 4 -p 20 -t 30000 -r 60000 \
			"mid-$i" >"$work/mid-$i"
	done
	for i in 5 2 3; do
		await_growth "$i"
		lead "$i"
	done
	await_growth 1
	stop_spawned
	cluster heal
	same_logs 1 2 3 4 5
	cat "$work"/mid-? >"$work/acks"
	acknowledged "$work/acks" 1 2 3 4 5
}

duplicates_are_not_votes() {
	local i before
	before=$(state 1 commit)
	lead 1
	cluster netem all duplicate 100%
	on 1 paxosctl propose 'three of five'
	for i in 3 4 5; do
		cluster kill "$i"
	done
	until_true is 1 up 2
	# Two hosts, each of whose votes arrives twice, are not three.
	refused 2 'no quorum: 2 of 5, 3 needed' \
		on 1 paxosctl propose -t 2s 'two of five'
	sleep 0.5
	[ "$(state 1 commit)" -ge "$before" ]
	log_of 1 | not grep 'two of five'
	log_of 2 | not grep 'two of five'
}

run_tests \
	five_hosts_agree_over_a_network_that_loses_doubles_and_reorders \
	the_network_was_as_bad_as_that \
	a_leader_changes_in_the_midst_of_it \
	duplicates_are_not_votes
