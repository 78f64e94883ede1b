#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# durability=memory: answers at once, needs no disk, survives the loss of a
# minority; who lost its memory does not vote again under its old id (law 3).

. "${BASH_SOURCE[0]%/*}/lib.sh"

three_hosts_decide_without_disk_and_agent() {
	cluster up 3 --durability memory --no-agents
	lead 1
	on 2 burst -n "$(scaled 200 20)" -o 16 -t 60000 -r 60000 memory \
		>"$work/acks"
	all_chosen "$work/acks" "$(scaled 200 20)"
	same_logs 1 2 3
	acknowledged "$work/acks" 1 2 3
	[ "$(counter 1 records)" = 0 ]
	not ls -d "$PAXOS_RUN"/state-*
}

forget() {
	ip -n paxos-net link set "port$1" down
	on "$1" paxosctl group del 1
	ip -n paxos-net link set "port$1" up
	on "$1" paxosctl group add -c "$PAXOS_RUN/$1.conf"
}

the_loss_of_one_host_loses_nothing() {
	forget 3
	on 1 paxosctl propose 'without the third'
	same_logs 1 2
	acknowledged "$work/acks" 1 2
}

the_one_that_lost_its_memory_stays_mute() {
	is 3 state restoring
	is 3 wait start
	on 3 paxosctl status | grep 'waits: not started' >&2
	refused 1 'not started' on 3 paxosctl propose 'by the mute'
	refused 1 'not started' on 3 paxosctl campaign
	refused 1 'not started' on 3 paxosctl read -t 1s
	# It hears, and answers nothing.
	[ "$(drops 3 | awk '$1 == "mute" { print $2 }')" -gt 0 ]
	[ "$(counter 3 accepted-out)" = 0 ]
	[ "$(counter 3 promise-out)" = 0 ]
}

so_a_second_loss_stops_the_group_rather_than_its_agreement() {
	forget 2
	until_true is 1 up 1
	refused 2 'no quorum: 1 of 3, 2 needed' \
		on 1 paxosctl propose -t 1s 'alone'
	# All that was acknowledged is there still.
	acknowledged "$work/acks" 1
}

an_agent_does_not_start_a_member_that_lost_its_memory() {
	cluster down
	cluster up 3 --durability memory
	lead 1
	on 1 paxosctl propose 'with agents'
	# The agent alone may die: the kernel has the memory.
	kill -9 "$(agent_pid 3)"
	cluster start 3
	on 3 paxosctl propose 'after the agent'
	same_logs 1 2 3

	cluster kill 3
	refused 1 'host 3 does not come up' cluster start 3
	agent_log 3 | tail -n 3 | grep 'its votes ended with the kernel' >&2
	is 3 wait memory
	is 3 state stopped
	on 3 paxosctl status | grep 'lost its memory' >&2
	on 1 paxosctl propose 'without the third'
}

and_a_fresh_host_takes_its_place() {
	cluster grow
	on 1 paxosctl member replace 3 4 10.77.0.4:7400
	until_true is 4 epoch 4
	ip -n paxos-net link set port2 down
	until_true is 1 up 2
	on 4 paxosctl propose 'with the fresh one'
	same_logs 1 4
	is 3 wait memory
}

run_tests \
	three_hosts_decide_without_disk_and_agent \
	the_loss_of_one_host_loses_nothing \
	the_one_that_lost_its_memory_stays_mute \
	so_a_second_loss_stops_the_group_rather_than_its_agreement \
	an_agent_does_not_start_a_member_that_lost_its_memory \
	and_a_fresh_host_takes_its_place
