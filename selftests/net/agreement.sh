#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Five hosts agree, over IPv4 and over IPv6: whatever each of them proposes is
# in all logs, once, in the same order.
#
#	paxos-1 ... paxos-5, one bridge: see scripts/cluster

. "${BASH_SOURCE[0]%/*}/lib.sh"

five_hosts_form_a_group() {
	cluster up 5 "$@"
	lead 1
	same_logs 1 2 3 4 5
}
five_hosts_form_a_group_over_IPv4() { five_hosts_form_a_group; }
five_hosts_form_a_group_over_IPv6() {
	cluster down
	five_hosts_form_a_group -6
}

each_host_proposes_and_all_logs_are_the_same() {
	local i
	for i in 1 2 3 4 5; do
		on "$i" paxosctl propose "Hello from $i"
	done
	same_logs 1 2 3 4 5
	for i in 1 2 3 4 5; do
		[ "$(grep -c "^[0-9]*  Hello from $i\$" "$work/log-3")" -eq 1 ]
	done
}

all_propose_at_once_and_each_value_is_chosen_once() {
	local i n
	n=$(scaled 100)
	for i in 1 2 3 4 5; do
		spawn "$i" burst -n "$n" -o 8 -t 60000 -r 60000 "from-$i" >"$work/acks-$i"
	done
	wait
	for i in 1 2 3 4 5; do
		all_chosen "$work/acks-$i" "$n"
	done
	same_logs 1 2 3 4 5
	cat "$work"/acks-? >"$work/acks"
	acknowledged "$work/acks" 1 2 3 4 5
}

a_read_anywhere_sees_the_latest_acknowledged_value() {
	local i
	for i in 1 2 3 4 5; do
		on "$i" paxosctl propose "latest $i"
		[ "$(on $((i % 5 + 1)) paxosctl read --last --raw)" = "latest $i" ]
	done
}

a_follower_takes_over_and_the_log_goes_on() {
	local before
	before=$(state 1 ballot)
	lead 4
	until_true is 1 leader 4
	[ "$(state 4 ballot)" != "$before" ]
	on 2 paxosctl propose 'after the change'
	same_logs 1 2 3 4 5
	grep -q '  after the change$' "$work/log-1"
}

run_tests \
	five_hosts_form_a_group_over_IPv4 \
	each_host_proposes_and_all_logs_are_the_same \
	all_propose_at_once_and_each_value_is_chosen_once \
	a_read_anywhere_sees_the_latest_acknowledged_value \
	a_follower_takes_over_and_the_log_goes_on \
	five_hosts_form_a_group_over_IPv6 \
	each_host_proposes_and_all_logs_are_the_same \
	all_propose_at_once_and_each_value_is_chosen_once \
	a_read_anywhere_sees_the_latest_acknowledged_value \
	a_follower_takes_over_and_the_log_goes_on
