#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Three hosts: who is suspected, by whom, and what was learned from it.
#
# Long: silences last as long as silences do.

# shellcheck source=selftests/net/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

# member I ID NAME: what the status of host I says of another member.
member() {
	local json
	json=$(status "$1")
	[[ $json =~ (\{\"member\":$2,[^\}]*\}) ]] || return 1
	field "$3" "${BASH_REMATCH[1]}"
}
member_is() { [ "$(member "$1" "$2" "$3")" = "$4" ]; }

# peer I ID NAME: what the detector of host I says of another member.
peer() {
	local json
	json=$(quietly_on "$1" paxosctl -j detector)
	[[ $json =~ (\{\"member\":$2,[^\}]*\}) ]] || return 1
	field "$3" "${BASH_REMATCH[1]}"
}
peer_is() { [ "$(peer "$1" "$2" "$3")" = "$4" ]; }
# peer_above I ID NAME NUMBER
peer_above() {
	awk -v a="$(peer "$1" "$2" "$3")" -v b="$4" 'BEGIN { exit !(a > b) }'
}

all_trust() {
	local i j
	for i in 1 2 3; do
		for j in 1 2 3; do
			[ "$i" -eq "$j" ] || member_is "$i" "$j" suspected false ||
				return
		done
	done
}

kernel_answers() { [ "$(member "$1" "$2" heard_ms)" -lt 1000 ]; }
kernel_is_silent() { not kernel_answers "$1" "$2"; }

three_agents_and_no_leader() {
	cluster up 3
	until_true all_trust
	until_true kernel_answers 1 3
	is 1 leader null
	# What another agent says of itself.
	until_true peer_is 1 2 epoch 1
	peer_is 1 2 applied "$(state 2 commit)"
	[[ $(peer 1 2 late_us) =~ ^[0-9]+$ ]]
	# The windows fill.
	until_true peer_above 1 2 arrivals 40
	until_true peer_above 1 3 arrivals 40
}

a_stopped_agent_is_suspected_and_its_kernel_is_not() {
	local failures
	failures=$(peer 1 3 failures)
	kill -STOP "$(agent_pid 3)"
	until_true member_is 1 3 suspected true
	until_true member_is 2 3 suspected true
	on 1 paxosctl status
	on 1 paxosctl detector
	# Beyond TimeoutMax: this silence is a failure, however it ends.
	sleep 3
	kernel_answers 1 3
	kernel_answers 2 3
	on 1 paxosctl status >"$work/status"
	grep -E ' 3  10.77.0.3:7400 +up +silent [0-9.]+ s ' "$work/status"
	kill -CONT "$(agent_pid 3)"
	until_true all_trust
	peer_is 1 3 failures $((failures + 1))
}

the_one_that_was_stopped_accuses_nobody() {
	peer_is 3 1 failures 0
	peer_is 3 2 failures 0
	peer_is 3 1 mistakes 0
	peer_is 3 2 mistakes 0
}

stale() { drops 1 | sed -n 's/^stale //p'; }

# Whoever heard what the kernel of host 3 once answered has nothing of it.
recorded_answers_make_nobody_alive() {
	local before
	before=$(stale)
	logged on 2 flood -k "$(config_of 1 Key)" -c "$(config_of 1 Cluster)" \
		-f 3 -t 1 -n 500 recorded "$(address_of 1)" 7400
	[ "$(stale)" -ge $((before + 500)) ]
	kernel_is_silent 1 3
	member_is 1 3 up false
}

of_a_host_that_is_gone_both_are() {
	cluster kill 3
	until_true member_is 1 3 suspected true
	until_true kernel_is_silent 1 3
	until_true member_is 1 3 up false
	recorded_answers_make_nobody_alive
	cluster start 3
	until_true all_trust
	until_true kernel_answers 1 3
}

mistakes() {
	local i j sum=0
	for i in 1 2 3; do
		for j in 1 2 3; do
			[ "$i" -eq "$j" ] || sum=$((sum + $(peer "$i" "$j" mistakes)))
		done
	done
	echo "$sum"
}

jitter_makes_no_suspicion() {
	local before
	cluster netem all delay 50ms 25ms
	sleep 3
	before=$(mistakes)
	sleep 20
	[ "$(mistakes)" -eq "$before" ]
	all_trust
	peer_above 1 2 deviation_us 15000
	cluster heal
}

what_is_lost_is_learned_from() {
	local before
	before=$(peer 2 1 timeout_us)
	cluster netem 1 loss 40%
	until_true peer_above 2 1 mistakes 0
	until_true peer_above 2 1 threshold 12
	until_true peer_above 2 1 timeout_us $((before + before / 4))
	on 2 paxosctl detector
	# The path from 3 is another one.
	peer_is 2 3 suspected false
	cluster heal
	until_true all_trust
}

without_an_agent_nobody_answers() {
	cluster kill --agent 1
	refused 1 'no agent of group 1 runs' on 1 paxosctl detector
	# And what the last agent thought is no longer told.
	until_true member_is 1 2 suspected null
	kernel_answers 2 1
	cluster start 1
	until_true all_trust
}

what_is_fixed_stays() {
	cluster down
	cluster up 3 --interval 20ms --set Adaptive=no --set Threshold=5 \
		--set TimeoutMin=30ms --set TimeoutMax=5s
	until_true all_trust
	cluster netem 1 loss 40%
	until_true peer_above 2 1 mistakes 3
	peer_is 2 1 threshold 5.000
	[ "$(field adaptive "$(quietly_on 2 paxosctl -j detector)")" = false ]
}

run_tests three_agents_and_no_leader \
	a_stopped_agent_is_suspected_and_its_kernel_is_not \
	the_one_that_was_stopped_accuses_nobody \
	of_a_host_that_is_gone_both_are \
	jitter_makes_no_suspicion \
	what_is_lost_is_learned_from \
	without_an_agent_nobody_answers \
	what_is_fixed_stays
