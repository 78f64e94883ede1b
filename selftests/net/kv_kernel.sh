#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Kernel subsystems use the store: include/linux/paxos_kv.h, through
# selftests/kmod/kv_user.c. Each open file is one of them.
#
# Native: nine minutes there; kv_short has some of each.
# Patient: without smaller counts it takes minutes.

. "${BASH_SOURCE[0]%/*}/lib.sh"
. "${BASH_SOURCE[0]%/*}/device.bash"

# use FD: a user that has opened no store yet.
use() { device "$1" paxos_kv_user; }
# tool I WORD...: what the tool makes of it
tool() { on "$1" paxosctl kv "${@:2}"; }

it_is_there() {
	need_module paxos_kv_user
	cluster up 3
	lead 1
}

opening_waits_until_the_group_runs() {
	local pid
	use 5
	fails 'No such file' at 1 5 open 7 0
	fails 'timed out' at 1 5 open 7 200
	fails 'Bad file desc' tell 5 put a b
	# shellcheck disable=SC2016	# expanded there
	nsenter --net=/run/netns/paxos-1 bash -c 'echo open 7 600000 >&5' &
	pid=$!
	until_true waits "$pid"
	kill -9 "$pid"
	not wait "$pid"
	at 1 5 open 1 5000
	tell 5 put a b
}

what_one_puts_all_see() {
	local revision
	use 5
	use 6
	at 1 5 open 1 5000
	at 2 6 open 1 5000
	tell 5 put greeting hello
	tell 6 get greeting
	says 6 value hello
	says 6 version 1
	says 6 mod "$(said 5 revision)"
	[ "$(tool 3 get --raw greeting)" = hello ]
	revision=$(said 5 revision)
	tool 3 put greeting again
	tell 5 get greeting
	says 5 value again
	says 5 version 2
	says 5 create "$revision"
	tell 6 at greeting "$revision"
	says 6 value hello
	tell 6 del greeting
	says 6 deleted 1
	fails 'No such file' tell 6 known nothing
	fails 'No such file' tell 5 get greeting
	tell 5 del greeting
	says 5 deleted 0
	tell 5 large zeros 32000
	tell 6 get zeros
	says 6 bytes 32000
}

a_range_comes_in_pages_of_one_revision() {
	local i
	use 5
	at 3 5 open 1 5000
	for i in {10..29}; do
		tell 5 put "dir/$i" "$i"
	done
	tell 5 range dir/ 512
	says 5 pairs 20
	[ "$(said 5 pages)" -eq 3 ]
	tell 5 range none/ 512
	says 5 pairs 0
	fails 'No space' tell 5 range dir/ 40
}

one_of_three_swaps() {
	local i mod won=0
	for i in 5 6 7; do
		use "$i"
		at $((i - 4)) "$i" open 1 5000
	done
	tell 5 put slot free
	mod=$(said 5 revision)
	for i in 5 6 7; do
		tell "$i" cas slot "$mod" "$i" &
	done
	wait
	for i in 5 6 7; do
		won=$((won + $(said "$i" succeeded)))
	done
	[ "$won" -eq 1 ]
	tell 5 get slot
	for i in 5 6 7; do
		if says "$i" succeeded 1; then
			says 5 value "$i"
		else
			says "$i" mod "$(said 5 mod)"
		fi
	done
}

what_makes_no_sense_is_refused() {
	use 5
	at 1 5 open 1 5000
	tell 5 items 512
	fails 'list too long' tell 5 items 513
	fails 'Invalid' tell 5 backwards
	fails 'Message too long' tell 5 large a 32768
	fails 'Message too long' tell 5 items 2000
	fails 'Invalid' tell 5 keep 0
	fails 'Numerical result out of range' tell 5 at a 1000000
	fails 'Numerical result out of range' tell 5 compact 1000000
	fails 'Key has expired' tell 5 keep 3
	fails 'Key has expired' tell 5 lease 3
	fails 'Key has expired' tell 5 put a b 3
}

a_lease_takes_its_keys_with_it() {
	local lease
	use 5
	at 2 5 open 1 5000
	tell 5 grant 3000
	lease=$(said 5 lease)
	tell 5 put mortal x "$lease"
	tell 5 lease "$lease"
	says 5 ttl 3000
	[ "$(said 5 remaining)" -le 3000 ]
	sleep 1
	tell 5 keep "$lease"
	tell 5 get mortal
	says 5 pair-lease "$lease"
	until_true fails 'No such file' tell 5 get mortal
	fails 'Key has expired' tell 5 keep "$lease"
	tell 5 grant 60000
	lease=$(said 5 lease)
	tell 5 put mortal x "$lease"
	tell 5 revoke "$lease"
	fails 'No such file' tell 5 get mortal
}

all_leases_are_found() {
	local id known=0 found=0
	use 5
	at 2 5 open 1 5000
	for id in 1 2 3; do
		tell 5 grant 60000
	done
	id=0
	while tell 5 lease-after "$id"; do
		[ "$(said 5 found)" -gt "$id" ]
		id=$(said 5 found)
		says 5 ttl 60000
		found=$((found + 1))
	done
	fails 'No such file' tell 5 lease-after "$id"
	known=$(quietly_on 2 paxosctl kv lease list | wc -l)
	[ "$found" -eq 3 ]
	[ "$known" -eq 3 ]
	for id in $(quietly_on 2 paxosctl -j kv lease list |
		grep -o '"lease":[0-9]*'); do
		tell 5 revoke "${id#*:}"
	done
	fails 'No such file' tell 5 lease-after 0
}

a_watch_leaves_nothing_out() {
	local i revision
	use 5
	use 6
	at 1 5 open 1 5000
	at 3 6 open 1 5000
	tell 5 put w/0 first
	revision=$(said 5 revision)
	tell 6 watch w/ "$revision"
	tell 6 slow 20
	for i in {1..30}; do
		tell 5 put "w/$i" "$i"
		tell 5 put other "$i"
	done
	tell 5 del w/1
	until_true says 6 events 32
	says 6 deletions 1
	says 6 disorder 0
	says 6 ends 0
	tell 6 unwatch
	tell 5 put w/0 unseen
	tell 6 get w/0
	says 6 events 32
}

a_watch_of_compacted_history_ends() {
	local revision
	use 5
	at 1 5 open 1 5000
	tell 5 put c/0 old
	revision=$(said 5 revision)
	tell 5 put c/0 new
	tell 5 compact "$(said 5 revision)"
	fails 'Stale file handle' tell 5 at c/0 "$revision"
	fails 'Stale file handle' tell 5 compact "$revision"
	tell 5 watch c/ "$revision"
	until_true says 5 ends 1
	says 5 end -116
	says 5 events 0
	tell 5 unwatch
	# Or of what it has not seen yet, since it lags.
	use 6
	at 3 6 open 1 5000
	tell 6 slow 3000
	tell 6 watch c/ 0
	tell 5 put c/0 seen
	until_true says 6 events 1
	tell 5 put c/0 unseen
	tell 5 put c/0 last
	tell 5 compact "$(said 5 revision)"
	until_true says 6 ends 1
	says 6 end -116
	says 6 events 1
	tell 6 unwatch
}

full_is_full() {
	use 5
	at 1 5 open 1 5000
	tell 5 limit 1000
	tell 5 info
	says 5 limit 1000
	[ "$(said 5 used)" -gt 1000 ]
	fails 'No space' tell 5 large a 20000
	fails 'Invalid' tell 5 limit 0
	tell 5 limit $((64 << 20))
	tell 5 large a 20000
}

history_is_kept_as_it_is_told_to() {
	use 5
	at 2 5 open 1 5000
	tell 5 info
	says 5 keeps 0
	tell 5 history 10 0
	tool 1 status | grep 'keeps 10 revisions' >&2
	until_true compacted_to_ten
	fails 'Invalid' tell 5 history 10 1000
	tell 5 history 0 60000
	tell 5 info
	says 5 keeps 0
	says 5 keeps-ms 60000
	tell 5 history 0 0
	tell 5 info
	says 5 keeps-ms 0
}
compacted_to_ten() {
	tell 5 info
	[ "$(said 5 compacted)" -gt $(($(said 5 applied) - 20)) ]
}

# ended FD COUNT: each ended once, and what was taken is accounted for.
ended() {
	says "$1" twice 0 &&
		[ "$(said "$1" taken)" -eq $(($(said "$1" chosen) + \
			$(said "$1" not-chosen) + $(said "$1" unknown))) ]
}
# over FD: no more come, and all have ended
over() {
	{ says "$1" left 0 || not says "$1" error 0; } && ended "$1"
}

many_from_softirqs_end_once_each() {
	local count
	count=$(scaled 300 100)
	use 5
	use 6
	at 1 5 open 1 5000
	at 2 6 open 1 5000
	tell 5 wait 60000
	tell 6 wait 60000
	tell 5 burst "$count" 32
	# more than may be under way
	tell 6 burst 1500 1500
	until_true over 5
	until_true over 6
	says 5 chosen "$count"
	says 6 chosen 1500
	[ "$(said 6 full)" -gt 0 ]
}

# Every third allocation of a store fails: a transaction needs several.
a_slot_without_memory_is_tried_again() {
	local i mod
	use 5
	use 6
	at 1 5 open 1 5000
	at 2 6 open 1 5000
	tell 5 put poor 0
	modprobe -q paxos_fail symbol=store_alloc every=3 ||
		skip 'no paxos_fail'
	tell 6 watch poor "$(said 5 revision)"
	for i in {1..20}; do
		mod=$(said 5 revision)
		tell 5 cas poor "$mod" "$i"
		says 5 succeeded 1
		# which finds the value, and that once
		tell 5 cas poor "$mod" never
		says 5 succeeded 0
		tell 5 get poor
		says 5 value "$i"
		tell 5 put poor "$i"
	done
	[ "$(</sys/module/paxos_fail/parameters/failed)" -gt 20 ]
	rmmod paxos_fail
	until_true says 6 events 41
	says 6 disorder 0
	for i in 1 2 3; do
		tool "$i" get --prefix '' >"$work/all-$i"
	done
	cmp "$work/all-1" "$work/all-2" >&2
	cmp "$work/all-1" "$work/all-3" >&2
}

closing_ends_what_is_under_way() {
	use 5
	at 3 5 open 1 5000
	tell 5 watch '' 1
	tell 5 burst 1000000 16
	until_true has_some 5
	tell 5 close
	ended 5
	# refused, since it is being closed, or none was left to ask
	[[ "$(said 5 error)" =~ ^(0|-108)$ ]]
	fails 'Bad file desc' tell 5 get a
	at 3 5 open 1 5000
	tell 5 get w/0
}
has_some() { [ "$(said "$1" chosen)" -gt 0 ]; }

without_a_quorum() {
	use 5
	at 1 5 open 1 5000
	tell 5 wait 2000
	cluster kill 2 3
	fails 'Link has been severed|Timer expired|canceled' tell 5 put a b
	fails 'Link has been severed' tell 5 get w/0
	tell 5 known w/0
	cluster start 2 3 5>&-
	lead 1
	tell 5 wait 30000
	tell 5 get w/0
}

a_group_that_goes_ends_it_all() {
	use 5
	at 2 5 open 1 5000
	tell 5 watch '' 0
	tell 5 burst 1000000 16
	until_true has_some 5
	cluster kill --agent 2
	on 2 paxosctl group del 1
	until_true says 5 ends 1
	says 5 end -108
	until_true ended 5
	# no agent, and then no group
	until_true not says 5 error 0
	fails 'transport endpoint shutdown' tell 5 get a
	fails 'transport endpoint shutdown' tell 5 known a
	fails 'transport endpoint shutdown' tell 5 put a b
	fails 'transport endpoint shutdown' tell 5 lease 1
	tell 5 unwatch
	fails 'transport endpoint shutdown' tell 5 watch '' 0
	tell 5 close
	cluster start 2 5>&-
	at 2 5 open 1 30000
	tell 5 get w/0
}

modules_go_in_order_only() {
	use 5
	at 1 5 open 1 5000
	fails 'in use' rmmod paxos_kv
	fails 'in use' rmmod paxos_kv_user
	exec 5>&-
	fails 'in use' rmmod paxos_kv
	until_true rmmod paxos_kv_user
	until_true rmmod paxos_kv
	modprobe paxos_kv_user
	use 5
	at 1 5 open 1 5000
	tell 5 get w/0
}

# The user outlives the namespace of its group.
a_namespace_that_goes_ends_it_all() {
	use 5
	at 1 5 open 1 5000
	tell 5 watch '' 0
	tell 5 burst 1000000 16
	until_true has_some 5
	cluster down
	until_true says 5 ends 1
	says 5 end -108
	until_true ended 5
	fails 'transport endpoint shutdown' tell 5 put a b
	exec 5>&-
	until_true rmmod paxos_kv_user
	until_true rmmod paxos_kv
	modprobe paxos_kv_user
}

run_tests it_is_there opening_waits_until_the_group_runs what_one_puts_all_see \
	a_range_comes_in_pages_of_one_revision one_of_three_swaps \
	what_makes_no_sense_is_refused a_lease_takes_its_keys_with_it \
	all_leases_are_found \
	a_watch_leaves_nothing_out a_watch_of_compacted_history_ends \
	full_is_full history_is_kept_as_it_is_told_to many_from_softirqs_end_once_each \
	a_slot_without_memory_is_tried_again \
	closing_ends_what_is_under_way without_a_quorum \
	a_group_that_goes_ends_it_all modules_go_in_order_only \
	a_namespace_that_goes_ends_it_all
