#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A host's kernel and its agent are alive or not each by itself: the agent of a
# follower stands still for 10 s, and the group decides all the while, under the
# same leader. With memory the follower's kernel votes on; with sync it is
# silent, and the others are a quorum.
#
# Long: agents stand still for 10 s.

. "${BASH_SOURCE[0]%/*}/lib.sh"

LEAST=$(scaled 100)	# commits in 10 s, one after the other

follows_one() {
	leader=$(state 1 leader)
	[[ $leader =~ ^[123]$ ]] && is 2 leader "$leader" && is 3 leader "$leader"
}

ballots() {
	local i
	for i in 1 2 3; do
		state "$i" ballot
	done | sort -u
}

campaigns() { cat "$PAXOS_RUN"/?.log | grep -c ' campaigns$'; }

# stop_for_10_s DURABILITY: how much was chosen meanwhile is in $chosen, what the
# follower answered in $answers (votes, and some words on how far its disk is),
# and what it had on the disk before in $durable.
stop_for_10_s() {
	local ballot before
	cluster up 3 --durability "$1" --set Election=yes --set LogSize=65536
	until_true follows_one
	follower=$((leader % 3 + 1))
	on "$follower" paxosctl propose 'all three'
	until_true is_even 1 2 3
	ballot=$(ballots)
	campaigned=$(campaigns)
	before=$(counter "$follower" accepted-out)
	kill -STOP "$(agent_pid "$follower")"
	sleep 1
	durable=$(state "$follower" durable)
	spawn "$leader" timeout 10 burst -n 1000000 -o 1 -r 60000 stopped >"$work/acks"
	wait
	[ "$(ballots)" = "$ballot" ]
	answers=$(($(counter "$follower" accepted-out) - before))
	chosen=$(wc -l <"$work/acks")
	all_chosen "$work/acks" "$chosen"
	say "$1: $chosen chosen in 10 s, $answers answers of member $follower"
	[ "$chosen" -ge "$LEAST" ]
}

# Nobody campaigns because it is back, and it has what it missed.
goes_on() {
	kill -CONT "$(agent_pid "$follower")"
	until_true is "$follower" wait none
	same_logs 1 2 3
	acknowledged "$work/acks" 1 2 3
	[ "$(campaigns)" -eq "$campaigned" ]
	cluster down
}

with_memory_the_kernel_of_a_stopped_agent_votes_on() {
	stop_for_10_s memory
	[ "$answers" -ge $((chosen - 10)) ]
	# And takes proposals.
	on "$follower" paxosctl propose 'its agent sleeps'
	goes_on
}

with_sync_it_is_silent_and_the_others_decide() {
	stop_for_10_s sync
	is "$follower" durable "$durable"
	# Most of it would be votes.
	[ "$answers" -lt "$chosen" ]
	is "$follower" leader "$leader"
	goes_on
}

run_tests \
	with_memory_the_kernel_of_a_stopped_agent_votes_on \
	with_sync_it_is_silent_and_the_others_decide
