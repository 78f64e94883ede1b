#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Several hosts want to lead at once, again and again.
#
# Native: there it takes two minutes.
# Patient: 6.12 runs it.

. "${BASH_SOURCE[0]%/*}/lib.sh"

five_hosts_form_a_group() {
	cluster up 5
	lead 1
}

duelling_campaigns_lose_and_double_nothing() {
	local i n rounds duels=()
	n=$(scaled 100 20)
	rounds=$(scaled 20 5)
	for i in 2 4; do
		spawn "$i" burst -n "$n" -o 8 -t 30000 -r 60000 "from-$i" \
			>"$work/acks-$i"
	done
	for i in 1 3 5; do
		duel "$i" "$rounds" &
		duels+=($!)
	done
	for i in "${duels[@]}"; do
		wait "$i"
	done
	wait
	cat "$work"/acks-? >"$work/acks"
	[ "$(wc -l <"$work/acks")" -eq $((2 * n)) ]
	lead 5
	same_logs 1 2 3 4 5
	acknowledged "$work/acks" 1 2 3 4 5
}
duel() {
	local round
	for ((round = 0; round < $2; round++)); do
		# It leads already, or another is faster.
		quietly_on "$1" paxosctl campaign || [ $? -le 2 ]
		sleep 0.0$((RANDOM % 10))
	done
}

in_the_end_all_follow_one_leader() {
	local i
	for i in 1 2 3 4 5; do
		until_true is "$i" leader 5
		is "$i" ballot "$(state 5 ballot)"
	done
}

a_proposal_survives_the_loss_of_its_leader() {
	spawn 2 burst -n 50 -o 50 -t 30000 survivor >"$work/acks"
	lead 3
	wait
	[ "$(wc -l <"$work/acks")" -eq 50 ]
	same_logs 1 2 3 4 5
	acknowledged "$work/acks" 1 2 3 4 5
}

one_who_leads_already_is_told_so() {
	local ballot
	ballot=$(state 3 ballot)
	on 3 paxosctl campaign | grep 'member 3 leads' >&2
	[ "$(on 3 nlsend campaign group=u32:1)" = \
		'EALREADY this member leads already' ]
	is 3 ballot "$ballot"
}

a_learner_may_not_lead() {
	local i
	cluster down
	cluster up 3
	for i in 1 2 3; do
		cluster kill "$i"
		rm -r "$PAXOS_RUN/state-$i"
		printf 'Role = learner\n' >>"$PAXOS_RUN/$i.conf"
		cluster start "$i"
	done
	lead 1
	refused 1 'learner' on 3 paxosctl campaign
	# But it learns, and proposes.
	on 3 paxosctl propose 'by a learner'
	same_logs 1 2 3
	until_true shows_learner
	# Its vote does not count: with the other voter dead there is no quorum.
	cluster kill 2
	until_true is 1 up 1
	refused 2 'no quorum: 1 of 2, 2 needed' \
		on 1 paxosctl propose -t 1s 'without the other voter'
}

shows_learner() {
	on 1 paxosctl status >"$work/status" || return
	grep '^ *3 .* up *learner ' "$work/status"
}

run_tests \
	five_hosts_form_a_group \
	duelling_campaigns_lose_and_double_nothing \
	in_the_end_all_follow_one_leader \
	a_proposal_survives_the_loss_of_its_leader \
	one_who_leads_already_is_told_so \
	a_learner_may_not_lead
