#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# paxosctl health: a commit that changes nothing, stage by stage, and what it
# says where there is none.
#
# Native: what it tries is the tool.

. "${BASH_SOURCE[0]%/*}/lib.sh"

# health HOST: the object, in "$work/health"; the exit status is the tool's
health() { on "$1" paxosctl -j health -t 2s >"$work/health"; }
stage() { field "$1" "$(<"$work/health")"; }
# in_order STAGE...: each is known, and none before the one that it follows
in_order() {
	local name last=0 now
	for name; do
		now=$(stage "$name")
		[ "$now" -ge "$last" ]
		last=$now
	done
}

the_leader_tells_each_stage() {
	cluster up 3
	lead 1
	on 1 paxosctl propose 'a value'
	health 1
	cat "$work/health" >&2
	[ "$(stage healthy)" = true ]
	in_order accepted_ns chosen_ns delivered_ns elapsed_ns total_ns
	[ "$(stage netlink_ns)" -gt 0 ]
	[ "$(stage leader)" -eq 1 ]
	until_true all_are_up
	[ "$(wc -l <"$work/line")" -eq 1 ]
}

all_are_up() {
	on 1 paxosctl health >"$work/line" || return
	grep -E '^group 1: fine: slot [0-9]+ in .* netlink .*, accepted .*, chosen .*; leader 1, 3 of 3 up$' \
		"$work/line"
}

with_two_of_three_its_own_disk_is_waited_for() {
	cluster kill 3
	until_true is 1 up 2
	health 1
	cat "$work/health" >&2
	in_order accepted_ns persisted_ns chosen_ns delivered_ns elapsed_ns
	cluster start 3
	until_true is 3 wait none
	same_logs 1 2 3
}

a_follower_tells_what_it_saw() {
	health 2
	cat "$work/health" >&2
	[ "$(stage healthy)" = true ]
	# Through the leader and back, on a link of these namespaces.
	in_order accepted_ns elapsed_ns total_ns
}

nobody_is_handed_anything() {
	local before
	before=$(counter 1 values-delivered)
	on 1 paxosctl propose 'another value'
	health 1
	health 3
	same_logs 1 2 3
	[ "$(counter 1 values-delivered)" -eq "$((before + 1))" ]
	[ "$(log_of 1 | grep -vc '(no-op)')" -eq 2 ]
	on 1 paxosctl read --last | tee "$work/last" >&2
	grep -q 'another value' "$work/last"
}

it_survives_the_restart_of_who_proposed_it() {
	cluster kill 3
	cluster start 3
	until_true is 3 wait none
	until_true health 3
	same_logs 1 2 3
}

without_a_quorum_it_says_so() {
	cluster kill 2
	cluster kill 3
	until_true is 1 up 1
	refused 2 'group 1: (not-chosen|unknown): no quorum: 1 of 3, 2 needed' \
		on 1 paxosctl health -t 1s
	refused 2 '"healthy":false' on 1 paxosctl -j health -t 1s
}

a_mute_member_says_so() {
	cluster kill --agent 1
	until_true is 1 wait agent
	refused 1 'group 1: not-chosen: no agent is attached' \
		on 1 paxosctl health -t 1s
}

run_tests \
	the_leader_tells_each_stage \
	with_two_of_three_its_own_disk_is_waited_for \
	a_follower_tells_what_it_saw \
	nobody_is_handed_anything \
	it_survives_the_restart_of_who_proposed_it \
	without_a_quorum_it_says_so \
	a_mute_member_says_so
