#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# AutoReplace: a host that lost its memory comes back under another id, by
# itself, while a majority stands, and not faster than one a minute.
#
# Long: a minute passes between two of them.

. "${BASH_SOURCE[0]%/*}/lib.sh"

voters() {
	quietly_on "$1" paxosctl -j status 1 |
		grep -o '"member":[0-9]*,"address":"[^"]*","role":"voter"' |
		sed 's/"member":\([0-9]*\),.*/\1/' | tr '\n' ' ' | sed 's/ $//'
}
votes() { [ "$(voters "$1")" = "$2" ]; }

# A host that ends and begins again: its kernel has forgotten the group.
reboot() {
	cluster kill "$1"
	ip -n paxos-net link set "port$1" up
	setsid ip netns exec "paxos-$1" paxosd "$PAXOS_RUN/$1.conf" \
		>>"$PAXOS_RUN/$1.log" 2>&1 </dev/null &
	echo $! >"$PAXOS_RUN/$1.pid"
	disown
}

three_hosts_in_memory_decide() {
	cluster up 3 --durability memory --set AutoReplace=yes \
		--set Election=yes
	on 2 burst -n "$(scaled 100 20)" -o 8 -t 60000 -r 60000 before \
		>"$work/acks"
	all_chosen "$work/acks" "$(scaled 100 20)"
	same_logs 1 2 3
}

# Who follows, so that the lead is none of the matter here.
a_follower() {
	local leader
	until_true knows_leader 1
	echo $((leader % 3 + 1))
}

one_that_lost_its_memory_gets_another_id_and_votes() {
	local lost other others
	lost=$(a_follower)
	other=$((lost % 3 + 1))
	echo "$lost" >"$work/lost"
	others=$(seq 3 | grep -vx "$lost" | tr '\n' ' ')
	reboot "$lost"
	until_true votes "${others%% *}" "${others}4"
	until_true is "$lost" self 4
	until_true is "$lost" wait none
	agent_log "$lost" | grep 'lost its memory and is member 4 from now on'
	on "$lost" paxosctl propose 'by who forgot'
	same_logs 1 2 3
	acknowledged "$work/acks" 1 2 3
	# Its vote counts: without one of the others it is the majority.
	ip -n paxos-net link set "port$other" down
	on "$lost" paxosctl propose -t 60s 'with its vote'
	ip -n paxos-net link set "port$other" up
	until_true knows_leader "$lost"
	same_logs 1 2 3
}

the_agent_of_the_new_member_may_die() {
	local lost
	lost=$(<"$work/lost")
	kill -9 "$(agent_pid "$lost")"
	cluster start "$lost"
	is "$lost" self 4
	on "$lost" paxosctl propose 'after its agent died'
}

a_second_loss_within_a_minute_waits_its_turn() {
	local lost
	lost=$(seq 3 |
		grep -vx -e "$(<"$work/lost")" -e "$(state 1 leader)" |
		head -n 1)
	echo "$lost" >"$work/second"
	reboot "$lost"
	until_true one_log_says 'one host a minute is replaced'
	until_true is "$lost" wait memory
	on "$lost" paxosctl status | grep 'lost its memory' >&2
	until_true votes_anywhere 5
	until_true is "$lost" self 5
	on "$lost" paxosctl propose 'twice'
	same_logs 1 2 3
	acknowledged "$work/acks" 1 2 3
}
one_log_says() { cat "$PAXOS_RUN"/?.log | grep "$1"; }
votes_anywhere() {
	local i
	for i in 1 2 3; do
		! voters "$i" | grep -w "$1" || return 0
	done
	return 1
}

# To the last of the three nobody has an id any more that is in its file.
so_all_hosts_are_replaced_one_after_the_other() {
	local lost
	lost=$(seq 3 | grep -vx -f "$work/lost" -f "$work/second")
	reboot "$lost"
	until_true votes_anywhere 6
	until_true is "$lost" self 6
	on "$lost" paxosctl propose 'all of them'
	same_logs 1 2 3
	acknowledged "$work/acks" 1 2 3
}

without_a_majority_nobody_is_replaced() {
	local lost i
	lost=$(<"$work/lost")
	for i in 1 2 3; do
		[ "$i" = "$lost" ] || reboot "$i"
	done
	sleep 8
	for i in 1 2 3; do
		[ "$i" = "$lost" ] || is "$i" wait memory
	done
	is "$lost" self 4
	refused '[12]' 'unknown|no quorum|no leader' \
		on "$lost" paxosctl propose -t 1s 'alone'
	acknowledged "$work/acks" "$lost"
}

where_it_is_not_asked_for_nothing_is_done() {
	cluster down
	cluster up 3 --durability memory
	lead 1
	cluster kill 3
	refused 1 'host 3 does not come up' cluster start 3
	is 3 wait memory
	sleep 3
	votes 1 '1 2 3'
}

run_tests \
	three_hosts_in_memory_decide \
	one_that_lost_its_memory_gets_another_id_and_votes \
	the_agent_of_the_new_member_may_die \
	a_second_loss_within_a_minute_waits_its_turn \
	so_all_hosts_are_replaced_one_after_the_other \
	without_a_majority_nobody_is_replaced \
	where_it_is_not_asked_for_nothing_is_done
