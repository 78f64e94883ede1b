#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Networks that are split, in part or in one direction only.

. "${BASH_SOURCE[0]%/*}/lib.sh"

the_smaller_side_decides_nothing_and_reads_nothing() {
	local i j
	cluster up 5
	lead 1
	on 1 paxosctl propose 'before the split'
	same_logs 1 2 3 4 5
	# 1 and 2, the leader among them, on one side; 3, 4 and 5 on the other.
	for i in 1 2; do
		for j in 3 4 5; do
			cluster cut "$i" "$j"
		done
	done
	until_true is 1 up 2
	lead 3
	on 5 paxosctl propose 'the larger side'
	refused 2 'no quorum: 2 of 5, 3 needed' \
		on 1 paxosctl propose -t 1s 'the smaller side'
	# It does not know of the new leader, and must not answer from memory.
	refused 2 'no quorum: 2 of 5, 3 needed' on 1 paxosctl read -t 1s
	until_true is 2 up 2
	refused 2 'no quorum: 2 of 5, 3 needed' on 2 paxosctl read --last -t 1s
	is 1 ballot "$(state 2 ballot)"
}

healed_it_learns_what_it_missed() {
	cluster heal
	same_logs 1 2 3 4 5
	on 1 paxosctl read --raw --last >"$work/last"
	[ "$(cat "$work/last")" = 'the larger side' ]
	until_true is 1 leader 3
	log_of 1 | not grep 'the smaller side'
}

a_chain_of_three_decides_with_its_middle() {
	local n
	n=$(scaled 50 10)
	cluster down
	cluster up 3
	# 1 - 2 - 3: the ends do not hear each other.
	cluster cut 1 3
	lead 2
	for i in 1 2 3; do
		spawn "$i" burst -n "$n" -o 4 -t 60000 -r 60000 "chain-$i" \
			>"$work/acks-$i"
	done
	wait
	cat "$work"/acks-? >"$work/acks"
	all_chosen "$work/acks" $((3 * n))
	is 2 leader 2
	same_logs 1 2 3
	acknowledged "$work/acks" 1 2 3
}

an_end_of_the_chain_may_lead() {
	local ballot
	lead 1
	ballot=$(state 1 ballot)
	on 1 paxosctl propose 'from the end'
	on 2 paxosctl propose 'from the middle'
	# The other end does not depose it.
	sleep 1
	is 1 ballot "$ballot"
	is 1 phase leader
	cluster heal
	on 3 paxosctl propose 'from the other end'
	same_logs 1 2 3
}

a_leader_that_is_not_heard_by_one_still_decides() {
	lead 1
	cluster cut --one-way 1 3
	on 1 paxosctl propose 'not heard by all'
	on 2 paxosctl propose 'not heard by all either'
	same_logs 1 2
	cluster heal
	same_logs 1 2 3
}

a_leader_that_does_not_hear_one_still_decides() {
	cluster cut --one-way 3 1
	on 1 paxosctl propose 'does not hear all'
	same_logs 1 2 3
	cluster heal
}

a_leader_that_hears_nobody_decides_nothing() {
	cluster cut --one-way 2 1
	cluster cut --one-way 3 1
	until_true is 1 up 1
	refused 2 'no quorum: 1 of 3, 2 needed' \
		on 1 paxosctl propose -t 1s 'deaf'
	# The others go on without it.
	lead 2
	on 3 paxosctl propose 'without the deaf'
	cluster heal
	until_true is 1 leader 2
	same_logs 1 2 3
	on 1 paxosctl log >&2
	[ "$(log_of 1 | grep -c '  deaf$')" -le 1 ]
}

run_tests \
	the_smaller_side_decides_nothing_and_reads_nothing \
	healed_it_learns_what_it_missed \
	a_chain_of_three_decides_with_its_middle \
	an_end_of_the_chain_may_lead \
	a_leader_that_is_not_heard_by_one_still_decides \
	a_leader_that_does_not_hear_one_still_decides \
	a_leader_that_hears_nobody_decides_nothing
