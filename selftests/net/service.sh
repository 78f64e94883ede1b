#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The agent as a service: what it tells systemd, and when.
#
# Native: what it tries is the agent.

. "${BASH_SOURCE[0]%/*}/lib.sh"

two_hosts_of_three_are_up() {
	cluster up 3
	lead 1
	cluster kill --agent 3
}

# Said too early, what waits for it would find a member that does not vote.
ready_is_said_once_the_member_takes_part() {
	spawn 3 notified 300000 paxosd "$PAXOS_RUN/3.conf" >"$work/said"
	until_true grep -q '^READY=1$' "$work/said"
	until_true is 3 wait none
	grep '^STATUS=member 3 of group 1 takes part$' "$work/said" >&2
	waits_for_no_memory "$(cat "/proc/$!/task/$!/children")"

	# Three times as often as it is asked for, also while nothing happens.
	until_true signs 10
	on 1 paxosctl propose 'all three'
	kill -TERM $!
	wait
	[ "$(grep -c '^STOPPING=1$' "$work/said")" -eq 1 ]
	[ "$(grep -n '^STOPPING' "$work/said" | cut -d: -f1)" -gt 10 ]
	[ "$(tail -n 1 "$work/said")" = 'exit 0' ]
}
# Pages may be written back to what the group is for. Flags: see proc(5).
waits_for_no_memory() {
	local pid=${1% } noio=$((0x80000)) threads
	grep '^VmLck:' "/proc/$pid/status" >&2
	[ "$(awk '/^VmLck:/ { print $2 }' "/proc/$pid/status")" -gt 500 ]
	threads=("/proc/$pid/task"/*/stat)
	[ ${#threads[@]} -gt 5 ]
	awk -v noio="$noio" '!(int($9 / noio) % 2) { print; found = 1 }
		END { exit found }' "${threads[@]}" >&2
}
signs() { [ "$(grep -c '^WATCHDOG=1$' "$work/said")" -ge "$1" ]; }

who_cannot_take_part_never_says_that_it_is_ready() {
	sed 's/^Self = .*/Self = 9/' "$PAXOS_RUN/3.conf" >"$work/conf"
	chmod 600 "$work/conf"
	on 3 notified 300000 paxosd "$work/conf" >"$work/said"
	cat "$work/said" >&2
	not grep READY "$work/said"
	[ "$(tail -n 1 "$work/said")" = 'exit 3' ]
}

# ended FILE: how `paxosd FILE` ends on host 3, where it cannot run.
ended() {
	local code=0
	on 3 paxosd "$1" || code=$?
	echo "$code"
}

# Status 3 is what the unit does not begin anew after.
what_only_a_person_mends_ends_with_another_status_than_what_may_go_by() {
	local state=$PAXOS_RUN/state-3 conf=$PAXOS_RUN/3.conf
	mv "$state" "$work/state"
	[ "$(ended "$conf")" = 3 ]
	cp -a "$work/state" "$state"
	printf X | dd of="$state/0000000001.wal" bs=1 seek=8 conv=notrunc
	[ "$(ended "$conf")" = 3 ]
	rm -r "$state"
	mv "$work/state" "$state"
	mount -o bind "$state" "$state"
	mount -o remount,bind,ro "$state"
	[ "$(ended "$conf")" = 1 ]
	umount "$state"
	cluster start 3
	on 3 paxosctl propose 'mended'
}

run_tests \
	two_hosts_of_three_are_up \
	ready_is_said_once_the_member_takes_part \
	who_cannot_take_part_never_says_that_it_is_ready \
	what_only_a_person_mends_ends_with_another_status_than_what_may_go_by
