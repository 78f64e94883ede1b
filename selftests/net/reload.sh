#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# SIGHUP: the agent reads its configuration again. What can change does, while
# it runs; where something cannot, nothing does, and the line is named.
#
# Native: agents and their time-outs.
# Long: each change waits until its effect is seen.

. "${BASH_SOURCE[0]%/*}/lib.sh"

# set_key I KEY VALUE: in [Group] of the file of host I.
set_key() {
	sed -i -e "/^$2 = /d" -e "s/^\[Group\]\$/&\n$2 = $3/" \
		"$PAXOS_RUN/$1.conf"
}
hangup() { kill -HUP "$(agent_pid "$1")"; }
log_lines() { agent_log "$1" | grep -c -- "$2" || true; }
said_more() { [ "$(log_lines "$1" "$2")" -gt "$3" ]; }

# reload I: it takes the file. refuses I: it does not.
reload() {
	local before
	before=$(log_lines "$1" 'was read again')
	hangup "$1"
	until_true said_more "$1" 'was read again' "$before"
}
refuses() {
	local before
	before=$(log_lines "$1" 'All stays as it was')
	hangup "$1"
	until_true said_more "$1" 'All stays as it was' "$before"
}

detector_field() { field "$2" "$(quietly_on "$1" paxosctl -j detector)"; }

three_hosts_take_other_time_outs() {
	local i
	cluster up 3
	lead 1
	[ "$(detector_field 2 interval_us)" = 100000 ]
	for i in 1 2 3; do
		set_key "$i" Interval 50ms
		set_key "$i" TimeoutMax 3s
		set_key "$i" Threshold 12
		reload "$i"
	done
	for i in 1 2 3; do
		[ "$(detector_field "$i" interval_us)" = 50000 ]
		[ "$(detector_field "$i" timeout_min_us)" = 100000 ]
		[ "$(detector_field "$i" timeout_max_us)" = 3000000 ]
		[ "$(detector_field "$i" adaptive)" = true ]
	done
}

# They beat twice as often: of the last gaps, the mean nears 50 ms.
the_beat_is_the_new_one() {
	until_true beats_faster
	on 2 paxosctl propose 'the same member, the same leader'
	is 1 phase leader
}
beats_faster() {
	local json arrivals before
	json=$(quietly_on 2 paxosctl -j detector)
	before=$(field arrivals "$json")
	sleep 2
	json=$(quietly_on 2 paxosctl -j detector)
	arrivals=$(field arrivals "$json")
	echo "$((arrivals - before)) in 2 s" >&2
	[ $((arrivals - before)) -ge 30 ]
}

what_cannot_change_is_refused_and_nothing_changes() {
	set_key 3 Window 64
	set_key 3 Interval 20ms
	refuses 3
	agent_log 3 | grep -E "3\.conf:[0-9]+: 'Window = 64': Window cannot change while the agent runs: " >&2
	[ "$(detector_field 3 interval_us)" = 50000 ]
	sed -i '/^Window/d' "$PAXOS_RUN/3.conf"
	set_key 3 Nonsense 1
	refuses 3
	[ "$(detector_field 3 interval_us)" = 50000 ]
	sed -i '/^Nonsense/d' "$PAXOS_RUN/3.conf"
	mv "$PAXOS_RUN/3.conf" "$work/conf"
	refuses 3
	mv "$work/conf" "$PAXOS_RUN/3.conf"
	set_key 3 Interval 50ms
	reload 3
	on 3 paxosctl propose 'goes on'
}

# Election = no, as the harness has it, until now.
elections_begin_and_end() {
	local i
	for i in 2 3; do
		set_key "$i" Election yes
		reload "$i"
	done
	cluster kill 1
	until_true one_of_two_leads
	for i in 2 3; do
		set_key "$i" Election no
		reload "$i"
	done
	cluster start 1
}
one_of_two_leads() { leads 2 || leads 3; }

what_systemd_is_told() {
	cluster kill --agent 3
	spawn 3 notified 300000 paxosd "$PAXOS_RUN/3.conf" >"$work/said" \
		2>"$work/lines"
	until_true grep -q '^READY=1$' "$work/said"
	kill -HUP $!
	until_true readies 2
	grep -A 1 '^RELOADING=1$' "$work/said" |
		grep -Ex 'MONOTONIC_USEC=[1-9][0-9]+' >&2
	# It is ready again also where it refused.
	set_key 3 Self 2
	kill -HUP $!
	until_true readies 3
	grep 'All stays as it was' "$work/lines" >&2
	set_key 3 Self 3
	kill -TERM $!
	wait
	[ "$(tail -n 1 "$work/said")" = 'exit 0' ]
	cluster start 3
}
readies() { [ "$(grep -c '^READY=1$' "$work/said")" -eq "$1" ]; }

many_in_a_row_harm_nobody() {
	local i
	for ((i = 0; i < 200; i++)); do
		hangup 2
	done
	reload 2
	on 2 paxosctl propose 'after them'
	same_logs 1 2 3
}

run_tests \
	three_hosts_take_other_time_outs \
	the_beat_is_the_new_one \
	what_cannot_change_is_refused_and_nothing_changes \
	elections_begin_and_end \
	what_systemd_is_told \
	many_in_a_row_harm_nobody
