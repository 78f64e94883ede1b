#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Agents elect by themselves: a leader that can commit comes soon, without
# anybody's hand, and one that can is left alone.
#
# Long: its failures last as long as failures do.

. "${BASH_SOURCE[0]%/*}/lib.sh"

# leader_among I...: one of these leads, has a quorum, and all of them follow
# it; it is then in $leader.
leader_among() {
	local i found=''
	for i; do
		! is "$i" phase leader || found=$i
	done
	[ -n "$found" ] && is "$found" wait none || return 1
	for i; do
		is "$i" leader "$found" || return 1
	done
	echo "$found" >"$work/leader"
}
await_leader() {
	until_true leader_among "$@"
	leader=$(<"$work/leader")
	say "member $leader leads"
}
# campaigns I...: how often these were told to by their agents.
campaigns() {
	local i
	for i; do
		cat "$PAXOS_RUN/$i.log"
	done | awk '/ campaigns$/ { n++ } END { print n + 0 }'
}
ballots() {
	local i
	for i; do
		state "$i" ballot
	done
}
others() {
	local i
	for i in 1 2 3 4 5; do
		[ "$i" = "$1" ] || echo "$i"
	done
}

a_group_finds_its_first_leader() {
	cluster up 5 --set Election=yes
	await_leader 1 2 3 4 5
	on 3 paxosctl propose 'nobody campaigned by hand'
	[ "$(campaigns 1 2 3 4 5)" -le 2 ]
}

a_dead_leader_is_replaced() {
	local -a rest
	await_leader 1 2 3 4 5
	mapfile -t rest < <(others "$leader")
	cluster kill "$leader"
	until_true leader_among "${rest[@]}"
	on "${rest[0]}" paxosctl propose 'the next one leads'
	cluster start "$leader"
	await_leader 1 2 3 4 5
	same_logs 1 2 3 4 5
}

a_stopped_agent_of_a_follower_costs_no_leader() {
	local ballot follower
	await_leader 1 2 3 4 5
	ballot=$(state "$leader" ballot)
	follower=$(others "$leader" | tail -n 1)
	kill -STOP "$(agent_pid "$follower")"
	for _ in 1 2 3 4 5; do
		on "$leader" paxosctl propose 'while an agent sleeps'
		sleep 2
	done
	kill -CONT "$(agent_pid "$follower")"
	sleep 2
	[ "$(ballots 1 2 3 4 5 | sort -u)" = "$ballot" ]
}

a_stopped_agent_of_the_leader_costs_one_change() {
	local ballot old
	local -a rest
	await_leader 1 2 3 4 5
	old=$leader
	mapfile -t rest < <(others "$old")
	kill -STOP "$(agent_pid "$old")"
	until_true leader_among "${rest[@]}"
	ballot=$(state "${rest[0]}" ballot)
	# Commits go on, whoever leads.
	on "${rest[0]}" paxosctl propose 'while the old leader sleeps'
	sleep 7
	kill -CONT "$(agent_pid "$old")"
	sleep 2
	await_leader 1 2 3 4 5
	[ "$leader" != "$old" ]
	[ "$(ballots 1 2 3 4 5 | sort -u)" = "$ballot" ]
	same_logs 1 2 3 4 5
}

a_lead_is_handed_over() {
	local old target
	await_leader 1 2 3 4 5
	old=$leader
	target=$(others "$old" | head -n 1)
	spawn "$old" burst -n "$(scaled 200 40)" -o 8 -t 30000 -r 60000 given \
		>"$work/acks"
	on "$old" paxosctl transfer --to "$target" |
		grep "^member $target leads" >&2
	wait
	all_chosen "$work/acks" "$(scaled 200 40)"
	await_leader 1 2 3 4 5
	[ "$leader" = "$target" ]
	same_logs 1 2 3 4 5
	acknowledged "$work/acks" 1 2 3 4 5
}

a_lead_goes_to_another_voter_only() {
	local other
	await_leader 1 2 3 4 5
	other=$(others "$leader" | head -n 1)
	refused 1 "member $leader leads" on "$other" paxosctl transfer \
		--to "$other" -t 1s
	refused 1 'not a voter' on "$leader" paxosctl transfer --to 9
	refused 1 'to whom' on "$leader" paxosctl transfer
	on "$leader" paxosctl transfer --to "$leader" |
		grep "^member $leader leads" >&2
	[ "$(on "$other" nlsend transfer group=u32:1 leader=u8:"$other" \
		timeout=u32:100)" = 'ENOLINK this member does not lead' ]
	[ "$(on "$other" nlsend resign group=u32:1)" = \
		'EALREADY this member neither leads nor campaigns' ]
}

who_resigned_is_replaced() {
	local ballot
	await_leader 1 2 3 4 5
	ballot=$(state "$leader" ballot)
	[ "$(on "$leader" nlsend resign group=u32:1)" = ok ]
	await_leader 1 2 3 4 5
	[ "$(state "$leader" ballot)" != "$ballot" ]
}

# end_leader [SIGNAL]: it hands its lead over first, even if SIGNAL follows.
end_leader() {
	local old
	local -a rest
	await_leader 1 2 3 4 5
	old=$leader
	mapfile -t rest < <(others "$old")
	: >"$PAXOS_RUN/$old.log"
	kill -TERM "$(agent_pid "$old")"
	if [ $# -gt 0 ]; then
		until_true grep -q 'the agent ends' "$PAXOS_RUN/$old.log"
		kill "-$1" "$(agent_pid "$old")"
	fi
	until_true agent_ended "$old"
	grep 'hands the lead over to member' "$PAXOS_RUN/$old.log" >&2
	# It was over before the agent ended: nobody had to notice.
	leader_among "${rest[@]}"
	on "${rest[0]}" paxosctl propose -t 1s 'handed over'
	cluster start "$old"
	await_leader 1 2 3 4 5
}
sigterm_hands_the_lead_over() { end_leader; }
a_reload_does_not_cut_that_short() {
	cluster netem all delay 100ms
	end_leader HUP
	cluster heal
}
agent_ended() { ! kill -0 "$(agent_pid "$1")" 2>/dev/null; }

a_leader_without_a_quorum_resigns() {
	local -a rest
	await_leader 1 2 3 4 5
	mapfile -t rest < <(others "$leader")
	cluster kill "${rest[@]:0:3}"
	until_true is "$leader" phase follower
	until_true is "$leader" up 2
	refused 2 '' on "$leader" paxosctl propose -t 1s 'too few'
	cluster start "${rest[@]:0:3}"
	await_leader 1 2 3 4 5
	on "${rest[0]}" paxosctl propose 'enough again'
	same_logs 1 2 3 4 5
}

# Who hears all, and is heard by all, leads.
a_one_way_link_moves_the_lead_away_from_it() {
	local from middle to
	cluster down
	cluster up 3 --set Election=yes
	await_leader 1 2 3
	from=$leader
	to=$((leader % 3 + 1))
	middle=$((to % 3 + 1))
	cluster cut --one-way "$from" "$to"
	on "$middle" paxosctl propose 'one of us hears nothing of it'
	until_true leads "$middle"
	on "$to" paxosctl propose 'I heard nothing of the former one'
	cluster heal
	await_leader 1 2 3
	cluster cut --one-way "$from" "$middle"
	until_true leads "$to"
	on "$from" paxosctl propose 'the former one heard nothing of me'
	cluster heal
	await_leader 1 2 3
	[ "$leader" = "$to" ]
	same_logs 1 2 3
}

in_a_chain_the_middle_leads() {
	local ballot
	cluster down
	cluster up 3 --set Election=yes
	await_leader 1 2 3
	on "$leader" paxosctl transfer --to 1
	await_leader 1 2 3
	# 1 - 2 - 3: the leader is at an end.
	cluster cut 1 3
	on 2 paxosctl propose 'in the middle'
	until_true leads 2
	on 3 paxosctl propose 'at an end'
	await_leader 1 2 3
	ballot=$(state 2 ballot)
	sleep 15
	[ "$(ballots 1 2 3 | sort -u)" = "$ballot" ]
	on 1 paxosctl propose 'at the other'
	same_logs 1 2 3
	# Healed, there is no reason to move.
	cluster heal
	sleep 5
	[ "$(ballots 1 2 3 | sort -u)" = "$ballot" ]
	same_logs 1 2 3
}

run_tests \
	a_group_finds_its_first_leader \
	a_dead_leader_is_replaced \
	a_stopped_agent_of_a_follower_costs_no_leader \
	a_stopped_agent_of_the_leader_costs_one_change \
	a_lead_is_handed_over \
	a_lead_goes_to_another_voter_only \
	who_resigned_is_replaced \
	sigterm_hands_the_lead_over \
	a_reload_does_not_cut_that_short \
	a_leader_without_a_quorum_resigns \
	a_one_way_link_moves_the_lead_away_from_it \
	in_a_chain_the_middle_leads
