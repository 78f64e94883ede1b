#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A member gets another address: through the log, and everybody follows.
#
# Long: hosts are renumbered one after the other.

. "${BASH_SOURCE[0]%/*}/lib.sh"

three_hosts_decide() {
	cluster up 3
	lead 1
	on 1 burst -n "$(scaled 50 20)" -o 8 -t 60000 -r 60000 before \
		>"$work/acks"
	same_logs 1 2 3
}

what_may_not_be_is_refused_with_a_reason() {
	refused 1 'leads from where it is' \
		on 1 paxosctl member move 1 10.77.0.11:7400
	refused 1 'member 2 has that address' \
		on 1 paxosctl member move 3 10.77.0.2:7400
	refused 1 'do not mix' on 1 paxosctl member move 3 '[fd77::3]:7400'
	refused 1 'there is no member 9' \
		on 1 paxosctl member move 9 10.77.0.9:7400
	refused 1 'member 3 is just that' \
		on 1 paxosctl member move 3 10.77.0.3:7400
	refused 1 'member 1 leads: ask it' \
		on 2 paxosctl member move 3 10.77.0.33:7400
	is 1 epoch 1
}

# Another address for host $1; its agent and its group there have ended.
renumber() {
	cluster kill --agent "$1"
	on "$1" paxosctl group del 1
	# In that order: the end of a first address is that of all beside it.
	ip -n "paxos-$1" addr del "$3/24" dev eth0
	ip -n "paxos-$1" addr add "$2/24" dev eth0
	sed -i "s/^Address = $3:/Address = $2:/" "$PAXOS_RUN/$1.conf"
}

a_member_moves_and_the_others_follow() {
	renumber 3 10.77.0.33 10.77.0.3
	on 1 paxosctl member move 3 10.77.0.33:7400
	cluster start 3
	until_true is 3 epoch 2
	until_true knows 1 10.77.0.33
	until_true knows 2 10.77.0.33
	# Agents as well, each in both directions.
	until_true hears_agent 1 3
	until_true hears_agent 2 3
	until_true hears_agent 3 1
	until_true hears_agent 3 2
	# Its vote counts.
	cluster kill 2
	on 3 paxosctl propose 'from the new address'
	same_logs 1 3
	acknowledged "$work/acks" 1 3
	cluster start 2
	same_logs 1 2 3
}
knows() { quietly_on "$1" paxosctl status | grep -F " $2:7400 "; }
hears_agent() {
	quietly_on "$1" paxosctl status |
		awk -v id="$2" '$1 == id && $4 == "up" { found = 1 }
			END { exit !found }'
}

who_forgot_learns_it_from_the_log() {
	cluster kill 1 2 3
	# The files of 1 and 2 have the old one.
	grep -F 10.77.0.3: "$PAXOS_RUN/1.conf"
	cluster start 1 2 3
	lead 3
	knows 1 10.77.0.33
	on 1 paxosctl propose 'after all began anew'
	same_logs 1 2 3
}

an_agent_whose_group_listens_elsewhere_says_so() {
	cluster kill --agent 3
	sed "s/10.77.0.33:/10.77.0.44:/" "$PAXOS_RUN/3.conf" >"$work/3.conf"
	chmod 600 "$work/3.conf"
	refused 3 'it listens on 10.77.0.33:7400, and in the file member 3 has 10.77.0.44:7400' \
		on 3 timeout 20 paxosd "$work/3.conf"
	cluster start 3
}

it_moves_back_under_load() {
	lead 1
	spawn 2 burst -n 100000 -o 4 -p 10 -t 20000 -r 20000 load \
		>"$work/acks-2"
	renumber 3 10.77.0.3 10.77.0.33
	on 1 paxosctl member move 3 10.77.0.3:7400
	cluster start 3
	until_true is 3 epoch 3
	await_growth 3
	stop_spawned
	same_logs 1 2 3
	acknowledged "$work/acks-2" 1 2 3
}

run_tests \
	three_hosts_decide \
	what_may_not_be_is_refused_with_a_reason \
	a_member_moves_and_the_others_follow \
	who_forgot_learns_it_from_the_log \
	an_agent_whose_group_listens_elsewhere_says_so \
	it_moves_back_under_load
