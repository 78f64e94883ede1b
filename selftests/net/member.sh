#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Members that come and go, while values are proposed.

. "${BASH_SOURCE[0]%/*}/lib.sh"

has_epoch() { is "$1" epoch "$2"; }
voters() {
	quietly_on "$1" paxosctl -j status 1 |
		grep -o '"member":[0-9]*,"address":"[^"]*","role":"voter"' |
		sed 's/"member":\([0-9]*\),.*/\1/' | tr '\n' ' ' | sed 's/ $//'
}
votes() { [ "$(voters "$1")" = "$2" ]; }

# load I...: proposals on these hosts, until end_load.
load() {
	local i
	rm -f "$work"/load-?
	for i; do
		spawn "$i" burst -n 100000 -o 4 -p 10 -t 20000 -r 20000 \
			"load-$i-$SECONDS" >"$work/load-$i"
	done
}

end_load() {
	stop_spawned
	cat "$work"/load-? >"$work/acks"
	grep -c '^chosen ' "$work/acks" >&2
}

three_grow_to_five_under_load() {
	cluster up 3 --set LogSize=65536
	lead 1
	on 1 paxosctl propose 'of three'
	cluster grow 2
	until_true is 4 wait member
	on 4 paxosctl status >&2
	load 1 2 3
	on 1 paxosctl member add -t 60s 4 10.77.0.4:7400
	on 1 paxosctl member add -t 60s 5 10.77.0.5:7400
	until_true has_epoch 4 3
	on 1 paxosctl member promote -t 60s 4
	on 1 paxosctl member promote -t 60s 5
	await_growth 4
	end_load
	until_true votes 5 '1 2 3 4 5'
	until_true votes 2 '1 2 3 4 5'
	same_logs 1 2 3 4 5
	acknowledged "$work/acks" 1 2 3 4 5
	on 5 paxosctl propose 'of five'
	[ "$(state 5 needed)" = 3 ]
}

new_voters_make_the_quorum() {
	cluster kill 2 3
	on 1 paxosctl propose 'with the new ones'
	same_logs 1 4 5
	cluster start 2 3
	same_logs 1 2 3 4 5
}

what_may_not_be_is_refused_with_a_reason() {
	refused 1 'member 1 leads: ask it' on 2 paxosctl member demote 3
	refused 1 'there is no member 9' on 1 paxosctl member remove 9
	refused 1 'member 3 is just that' on 1 paxosctl member promote 3
	refused 1 'member 4 is there, under another address' \
		on 1 paxosctl member add 4 10.77.0.44:7400
	refused 1 'member 2 has that address' \
		on 1 paxosctl member add 6 10.77.0.2:7400
	refused 1 'do not mix' on 1 paxosctl member add 6 '[fd77::6]:7400'
	refused 1 "not '65'" on 1 paxosctl member add 65 10.77.0.6:7400
	# Of 5, 2 down, one of the others may not go.
	cluster kill 4 5
	until_true is 1 up 3
	refused 2 'the quorum would be lost: up: 2 of 4 voters, 3 needed' \
		on 1 paxosctl member remove 2
	# One of those that are down may.
	on 1 paxosctl member remove 5
	cluster start 4 5
	# It was down, and does not know; whoever it asks for votes tells it.
	not on 5 paxosctl campaign --wait -t 2s
	until_true is 5 wait member
	refused 1 'was a member before' on 1 paxosctl member add 5 10.77.0.5:7400
	on 1 paxosctl propose 'goes on'
	same_logs 1 2 3 4
}

five_shrink_to_three_under_load() {
	local ballot
	load 1 2 3
	on 1 paxosctl member demote -t 60s 4
	on 1 paxosctl member remove -t 60s 4
	await_growth 3
	end_load
	until_true votes 3 '1 2 3'
	same_logs 1 2 3
	acknowledged "$work/acks" 1 2 3
	[ "$(state 1 needed)" = 2 ]
	# Who is no member proposes nothing, and disturbs nobody.
	until_true is 4 wait member
	ballot=$(state 1 ballot)
	refused 1 'not chosen: this host was removed from the group' \
		on 4 paxosctl propose 'from outside'
	until_true leads 1
	is 1 ballot "$ballot"
}

a_dead_host_is_replaced_by_a_fresh_one() {
	cluster kill 3
	cluster grow
	on 1 paxosctl member replace 3 6 10.77.0.6:7400
	until_true votes 6 '1 2 6'
	same_logs 1 2 6
	# It votes: one of the others may die now.
	cluster kill 2
	on 6 paxosctl propose 'with the fresh one'
	same_logs 1 6
	cluster start 2
	# Again, and nothing is left to do.
	on 1 paxosctl member replace 3 6 10.77.0.6:7400
}

the_leader_removes_itself() {
	until_true is 1 up 3	# member 2 was started a moment ago
	on 1 paxosctl member remove 1
	until_true is 1 wait member
	until_true is 2 leader null
	lead 2
	until_true votes 6 '2 6'
	on 6 paxosctl propose 'without the first'
	same_logs 2 6
	refused '[12]' 'learner cannot lead' on 1 paxosctl campaign --wait -t 1s
}

all_come_back_in_their_epoch() {
	local epoch
	epoch=$(state 2 epoch)
	cluster kill 2 6
	cluster start 2 6
	until_true has_epoch 2 "$epoch"
	until_true has_epoch 6 "$epoch"
	until_true votes 6 '2 6'
	lead 6
	on 2 paxosctl propose 'after all'
	same_logs 2 6
	on 6 paxosctl log >&2
}

run_tests \
	three_grow_to_five_under_load \
	new_voters_make_the_quorum \
	what_may_not_be_is_refused_with_a_reason \
	five_shrink_to_three_under_load \
	a_dead_host_is_replaced_by_a_fresh_one \
	the_leader_removes_itself \
	all_come_back_in_their_epoch
