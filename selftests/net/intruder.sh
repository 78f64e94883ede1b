#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Nobody gets in: datagrams without the right tag, and datagrams with the right
# tag that are wrong otherwise, change nothing, are not answered and are all
# counted by reason.

. "${BASH_SOURCE[0]%/*}/lib.sh"

# What must not change on host I: all of its status but what only time and
# heartbeats move, its log, and how often it answered any member.
unmoved() {
	local type
	status "$1" | sed -E 's/"([a-z_]*(heard_ms|rtt_us|response_us)|suspected|up)":[^,}]*,?//g'
	log_of "$1"
	for type in promise reject accepted chosen 'done' read-reply; do
		echo "$type $(counter "$1" "$type-out")"
	done
}

# What the stack loses before the module has it would be missing.
deepen_backlog() {
	local sysctl=/proc/sys/net/core/netdev_max_backlog
	undo "echo $(<"$sysctl") >$sysctl"
	echo 100000 >"$sysctl"
}

# flood COUNT outsider|insider: from host 3 to host 1. Each datagram must show
# in the drops of host 1, under the reason that the sender expects.
flood() {
	local count=$1 who=$2
	until_true is_even 1 2 3
	until_true is_idle 1
	unmoved 1 >"$work/before"
	drops 1 >"$work/drops-before"
	logged on 3 flood -k "$(config_of 1 Key)" -c "$(config_of 1 Cluster)" \
		-f 2 -t 1 -n "$count" -s 1 "$who" "$(address_of 1)" 7400 |
		sort >"$work/sent"
	awk '{ sum += $2 } END { exit sum != '"$count"' }' "$work/sent"
	until_true all_are_counted
	until_true nothing_moved
}
# Under these reasons: a late answer of a member that was starved is dropped, too.
all_are_counted() {
	drops 1 >"$work/drops-after"
	awk -v sent="$work/sent" '
	FILENAME ~ /before$/ { drops[$1] -= $2 }
	FILENAME ~ /after$/ { drops[$1] += $2 }
	FILENAME == sent { drops[$1] -= $2; expected[$1]; print }
	END {
		for (reason in expected)
			if (drops[reason]) {
				print reason ": " drops[reason] " too many"
				bad = 1
			}
		exit bad
	}' "$work/drops-before" "$work/drops-after" "$work/sent" >&2
}
nothing_moved() { unmoved 1 | diff "$work/before" - >&2; }

datagrams_of_an_outsider_change_nothing() {
	deepen_backlog
	cluster up 3
	lead 1
	on 2 burst -n 20 -t 60000 -r 60000 real >"$work/acks"
	all_chosen "$work/acks" 20
	flood "$(scaled 100000 5000)" outsider
}

broken_datagrams_with_the_right_tag_change_nothing() {
	flood "$(scaled 10000 1000)" insider
}

and_the_group_still_decides() {
	on 3 paxosctl propose 'after the flood'
	same_logs 1 2 3
}

a_member_with_the_wrong_key_is_not_heard() {
	local tags
	paxosctl genkey >"$work/key"
	tags=$(drops 1 | awk '$1 == "tag" { print $2 }')
	on 3 paxosctl group set 1 -k "$work/key"
	until_true is 1 up 2
	on 1 paxosctl propose 'without the third'
	refused '[12]' . on 3 paxosctl propose -t 1s 'from outside'
	refused '[12]' . on 3 paxosctl read -t 1s
	[ "$(drops 1 | awk '$1 == "tag" { print $2 }')" -gt "$tags" ]
	log_of 1 | not grep 'from outside'

	# With the right one again it takes part, and has missed nothing.
	config_of 3 Key >"$work/key"
	on 3 paxosctl group set 1 -k "$work/key"
	until_true is 1 up 3
	same_logs 1 2 3
	log_of 3 | not grep 'from outside'
}

datagrams_over_IPv6_change_nothing_either() {
	cluster down
	cluster up 3 -6
	lead 1
	flood "$(scaled 10000 1000)" outsider
	flood "$(scaled 10000 1000)" insider
}

run_tests \
	datagrams_of_an_outsider_change_nothing \
	broken_datagrams_with_the_right_tag_change_nothing \
	and_the_group_still_decides \
	a_member_with_the_wrong_key_is_not_heard \
	datagrams_over_IPv6_change_nothing_either
