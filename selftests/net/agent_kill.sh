#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Agents die, stop and find other agents, in the midst of proposals. What the
# cluster acknowledged is there afterwards, on every host.
#
# Native: what it tries is the agents and their disks.

. "${BASH_SOURCE[0]%/*}/lib.sh"

three_hosts_form_a_group() {
	cluster up 3 --set LogSize=65536
	lead 1
	lives >"$work/lives"
}
# Which life of the group in its kernel each host is in.
lives() {
	local i
	for i in 1 2 3; do
		echo "$i $(state "$i" instance) $(state "$i" incarnation)"
	done
}

nothing_acknowledged_is_missing_after_agents_were_killed() {
	local i kills victim
	kills=$(scaled 20 5)
	for i in 1 2 3; do
		spawn "$i" burst -n 100000 -o 16 -p 10 -t 20000 "from-$i" \
			>"$work/acks-$i"
	done
	for ((i = 0; i < kills; i++)); do
		victim=$((i % 3 + 1))
		await_growth 1
		kill -9 "$(agent_pid "$victim")"
		cluster start "$victim"
	done
	await_growth 1
	stop_spawned
	lead 1
	same_logs 1 2 3
	cat "$work"/acks-? >"$work/acks"
	say "$(grep -c '^chosen ' "$work/acks") acknowledged, $kills agents killed"
	acknowledged "$work/acks" 1 2 3
}

the_kernels_kept_what_the_agents_had_not_written() {
	# No agent took a record with it, so no member had to begin anew.
	lives | diff "$work/lives" - >&2
}

members_whose_agents_died_are_mute_until_they_are_back() {
	local i before
	lead 1
	until_true is_even 1 2 3
	kill -9 "$(agent_pid 2)"
	until_true is 2 wait agent
	on 3 paxosctl propose 'two of three'
	refused 1 'agent|paxosd' on 2 paxosctl propose 'from the mute'

	# Two kernels that hear, but may not vote, are no majority with the third.
	kill -9 "$(agent_pid 3)"
	until_true is 3 wait agent
	before=$(state 1 commit)
	on 1 burst -n 1 -t 1500 -r 20000 limbo >"$work/limbo"
	grep '^unknown ' "$work/limbo" >&2
	is 1 commit "$before"

	cluster start 2
	cluster start 3
	until_true is 2 wait none
	same_logs 1 2 3
	acknowledged "$work/limbo" 1 2 3
}

a_second_agent_is_refused_and_told_who_holds_the_group() {
	local pid
	pid=$(agent_pid 2)
	sed "s|^StateDirectory = .*|StateDirectory = $work/other|" \
		"$PAXOS_RUN/2.conf" >"$work/other.conf"
	chmod 600 "$work/other.conf"
	# The kernel's part: the same group, another state directory.
	on 2 paxosd init "$work/other.conf"
	refused 1 "attached.*$(state 2 agent)|$(state 2 agent).*attached" \
		on 2 timeout 20 paxosd "$work/other.conf"
	# The directory's part: the lock.
	refused 1 "$pid" on 2 timeout 20 paxosd "$PAXOS_RUN/2.conf"
	[ "$(agent_pid 2)" = "$pid" ]
	until_true is 2 wait none
	on 2 paxosctl propose 'with the first agent'
}

of_two_agents_that_attach_at_once_one_is_refused() {
	local i pids=()
	kill -9 "$(agent_pid 3)"
	until_true is 3 wait agent
	for i in 1 2; do
		spawn 3 paxosd "$PAXOS_RUN/3.conf" 2>"$work/agent-$i"
		pids+=($!)
	done
	until_true is 3 wait none
	until_true one_of_them_ended
	kill "${pids[@]}" 2>"$work/kill" || true
	wait
	cat "$work"/agent-? >&2
	[ "$(cat "$work"/agent-? | grep -Ec 'another|lock|holds|runs')" -ge 1 ]
	cluster start 3
	until_true is 3 wait none
	on 3 paxosctl propose 'with one agent'
}
one_of_them_ended() { [ "$(jobs -pr | wc -l)" -eq 1 ]; }

a_stopped_agent_of_a_follower_costs_nobody_a_leader() {
	local ballot
	lead 1
	ballot=$(state 1 ballot)
	kill -STOP "$(agent_pid 3)"
	on 1 burst -n "$(scaled 200 20)" -o 4 stopped >"$work/acks"
	sleep 4		# longer than an agent may be silent
	on 2 paxosctl propose 'still the same'
	is 1 ballot "$ballot"
	until_true is 2 leader 1
	kill -CONT "$(agent_pid 3)"
	until_true is 3 wait none
	same_logs 1 2 3
	acknowledged "$work/acks" 1 2 3
	is 3 ballot "$ballot"
}

a_clock_that_is_set_back_and_forth_changes_nothing() {
	local ballot
	[ -n "${PAXOS_GUEST-}" ] || skip "would set this machine's clock"
	ballot=$(state 1 ballot)
	spawn 2 burst -n "$(scaled 300 30)" -o 2 -t 60000 -r 60000 clock \
		>"$work/acks"
	date -s '+1 day' >&2
	sleep 0.3
	date -s '-2 days' >&2
	sleep 0.3
	kill -9 "$(agent_pid 3)"
	cluster start 3
	date -s '+1 day' >&2
	wait
	all_chosen "$work/acks" "$(scaled 300 30)"
	is 1 ballot "$ballot"
	same_logs 1 2 3
	acknowledged "$work/acks" 1 2 3
}

run_tests \
	three_hosts_form_a_group \
	nothing_acknowledged_is_missing_after_agents_were_killed \
	the_kernels_kept_what_the_agents_had_not_written \
	members_whose_agents_died_are_mute_until_they_are_back \
	a_second_agent_is_refused_and_told_who_holds_the_group \
	of_two_agents_that_attach_at_once_one_is_refused \
	a_stopped_agent_of_a_follower_costs_nobody_a_leader \
	a_clock_that_is_set_back_and_forth_changes_nothing
