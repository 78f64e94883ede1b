#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What happens is told to those who watch, and counted.

. "${BASH_SOURCE[0]%/*}/lib.sh"

shows() { grep -Eq -- "$1" "$work/events"; }

three_hosts_of_which_one_is_watched() {
	cluster up 3
	nsenter --net=/run/netns/paxos-1 setsid paxosctl watch --log \
		>"$work/events" 2>&1 &
	undo "kill $!"
	disown
	# There is no event that it began: one is made until it is seen.
	until_true an_event_shows
}
an_event_shows() {
	quietly_on 1 paxosctl campaign
	quietly_on 1 paxosctl propose 'are you watching' || return
	shows 'are you watching'
}

a_leader_is_told() {
	lead 2
	until_true shows 'leader 2, ballot [0-9]*\.2'
	lead 1
	until_true shows 'leader 1, ballot [0-9]*\.1'
}

a_chosen_value_is_told_with_its_slot() {
	local slot
	slot=$(on 3 paxosctl propose 'tell me' |
		sed -n 's/^slot \([0-9]*\),.*/\1/p')
	until_true shows "slot $slot  tell me"
}

a_member_that_goes_and_comes_is_told() {
	cluster kill 3
	until_true shows 'member 3 down'
	cluster start 3
	until_true shows 'member 3 up'
}

a_quorum_lost_and_regained_is_told() {
	cluster kill 3
	cluster kill 2
	until_true shows 'quorum lost: 1 up, 2 needed'
	cluster start 2
	cluster start 3
	until_true shows 'quorum regained: [23] up, 2 needed'
}

an_agent_that_goes_and_comes_is_told() {
	kill -9 "$(agent_pid 1)"
	until_true shows 'the agent detached'
	cluster start 1
	until_true shows 'the agent attached'
}

a_disk_that_stalls_is_told() {
	# A stopped agent looks the same to the kernel.
	lead 1
	kill -STOP "$(agent_pid 1)"
	spawn 2 paxosctl propose -t 60s 'slowly' >"$work/slowly"
	until_true shows 'the disk stalls'
	until_true is 1 wait disk
	kill -CONT "$(agent_pid 1)"
	until_true shows 'the disk resumed'
	wait $!
	grep '^slot ' "$work/slowly" >&2
}

the_log_can_be_followed() {
	spawn 2 paxosctl log --follow --raw >"$work/follow"
	until_true grep -q 'tell me' "$work/follow"
	on 3 paxosctl propose 'follow me'
	until_true grep -q 'follow me' "$work/follow"
	kill %%
	wait
	log_of 2 | sed 's/^[0-9]*  //' | grep -v '(no-op)' |
		diff - "$work/follow" >&2
}

events_are_JSON_where_it_is_asked_for() {
	spawn 1 paxosctl -j watch >"$work/json"
	until_true an_event_is_JSON
}
an_event_is_JSON() {
	local other=1
	! leads 1 || other=2
	campaign "$other"
	grep -Eq "^\{\"time_ms\":[0-9]+,\"group\":1,\"event\":\"leader\",\"leader\":[12],\"ballot\":\"[0-9]+\.[12]\"\}" \
		"$work/json"
}

what_is_done_is_counted() {
	local n i slots proposals
	lead 1
	until_true is_even 1 2 3
	n=$(scaled 50 10)
	slots=$(counter 3 slots-chosen)
	proposals=$(counter 2 proposals)
	on 2 burst -n "$n" -t 60000 -r 60000 counted >"$work/acks"
	all_chosen "$work/acks" "$n"
	until_true is_even 1 2 3
	[ "$(counter 2 proposals)" -eq $((proposals + n)) ]
	[ "$(counter 3 slots-chosen)" -eq $((slots + n)) ]
	for i in 1 2 3; do
		[ "$(counter "$i" records)" -gt 0 ]
		[ "$(counter "$i" bytes-in)" -gt 0 ]
		[ "$(counter "$i" bytes-out)" -gt 0 ]
	done
	[ "$(counter 1 accepted-in)" -gt 0 ]
	[ "$(counter 2 accept-in)" -gt 0 ]
	[ "$(counter 2 forward-out)" -ge "$n" ]
}

tracing=/sys/kernel/tracing
each_step_can_be_traced() {
	local event
	[ -w "$tracing/events/paxos/enable" ] || skip 'no tracepoints'
	echo 1 >"$tracing/events/paxos/enable"
	echo >"$tracing/trace"
	lead 2
	lead 1
	on 2 paxosctl propose 'traced'
	on 2 bash -c 'echo nonsense >/dev/udp/10.77.0.1/7400'
	until_true traced paxos_drop 'group=1 short len=9'
	for event in message_in message_out promise accept chosen persist; do
		until_true traced "paxos_$event" 'group=1 '
	done
	traced paxos_message_in 'group=1 accept 1>2 '
	until_true traced paxos_persist '.*count=0 durable=1'
	echo 0 >"$tracing/events/paxos/enable"
}
traced() { grep -Eq -- " $1: $2" "$tracing/trace"; }

a_deleted_group_is_told() {
	on 1 paxosctl group del 1
	until_true shows 'deleted'
}

run_tests \
	three_hosts_of_which_one_is_watched \
	a_leader_is_told \
	a_chosen_value_is_told_with_its_slot \
	a_member_that_goes_and_comes_is_told \
	a_quorum_lost_and_regained_is_told \
	an_agent_that_goes_and_comes_is_told \
	a_disk_that_stalls_is_told \
	the_log_can_be_followed \
	events_are_JSON_where_it_is_asked_for \
	what_is_done_is_counted \
	each_step_can_be_traced \
	a_deleted_group_is_told
