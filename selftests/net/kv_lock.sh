#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Kernel subsystems hold locks, are elected, offer services and share queues:
# include/linux/paxos_lock.h and paxos_queue.h, through selftests/kmod/kv_lock.c.
# Each open file is one of them. What the tool has of those is the same. All hosts
# share a clock, so that the order of what happens on several can be told.
#
# Native: its times are those of leases, and the tool takes part; kv_short has some
# of each.
# Patient: leases that end.

. "${BASH_SOURCE[0]%/*}/lib.sh"
. "${BASH_SOURCE[0]%/*}/device.bash"

TTL=$(term 6000 20000)	# ms
EVER=-1

# use FD I: a subsystem of host I.
use() {
	device "$1" paxos_kv_lock
	at "$2" "$1" open 1 5000
}
has() { not says "$1" got 0; }
# wanted NAME COUNT: so many hold it or wait.
wanted() {
	count_is "$2" "lock/$1/"
}
# count_is COUNT PREFIX: so many keys are there; who is not told does not know.
count_is() {
	local all
	all=$(quietly_on 1 paxosctl kv get --prefix "$2") || return
	[ "$(grep -c . <<<"$all")" -eq "$1" ]
}
no_lease() {
	local all
	all=$(quietly_on 1 paxosctl kv lease list) && [ -z "$all" ]
}
# before A B: nanoseconds, neither of them 0
before() { [ "$1" -gt 0 ] && [ "$1" -lt "$2" ]; }

it_is_there() {
	need_module paxos_kv_lock
	cluster up 3
	lead 1
}

what_makes_no_sense_is_refused() {
	use 5 1
	fails 'Invalid' tell 5 lock a/b "$TTL" 0
	fails 'Invalid' tell 5 lock a 999 0
	fails 'Invalid' tell 5 release
	fails 'No such file' tell 5 elected nothing
	wanted a 0
}

one_holds_it_and_its_token_is_the_highest_so_far() {
	local fd i last=0
	for fd in 5 6 7; do
		use "$fd" $((fd - 4))
	done
	tell 5 lock door "$TTL" 0
	says 5 held 1
	fails 'timed out' tell 6 lock door "$TTL" 0
	fails 'timed out' tell 7 lock door "$TTL" 300
	wanted door 1
	for i in {1..4}; do
		for fd in 6 7 5; do
			tell "$fd" lock door "$TTL" "$EVER" &
			until_true wanted door 2
			says "$fd" got 0 || [ "$i" -gt 1 ]
			tell $((fd == 5 ? 7 : fd == 6 ? 5 : 6)) release
			wait
			says "$fd" held 1
			[ "$(said "$fd" token)" -gt "$last" ]
			last=$(said "$fd" token)
		done
	done
	tell 5 release
	says 5 held 0
	wanted door 0
	no_lease
	for fd in 5 6 7; do
		says "$fd" lost 0
	done
}

it_outlives_its_time_while_it_is_kept() {
	use 5 3
	tell 5 lock long "$TTL" 0
	sleep $((TTL * 2 / 1000))
	says 5 held 1
	says 5 lost 0
	wanted long 1
	tell 5 release
	# nothing is kept, and nothing lost, when it was let go
	sleep $((TTL / 1000))
	says 5 lost 0
}

they_get_it_in_the_order_in_which_they_came() {
	local fd
	local -A pids
	for fd in 5 6 7 8; do
		use "$fd" $((fd % 3 + 1))
		tell "$fd" lock row "$TTL" "$EVER" &
		pids[$fd]=$!
		until_true wanted row $((fd - 4))
	done
	# one in the middle gives up: those behind it do not pass the first
	kill -9 "${pids[6]}"
	until_true wanted row 3
	sleep 0.3
	says 7 got 0
	tell 5 release
	until_true has 7
	says 8 got 0
	tell 7 release
	until_true has 8
	tell 8 release
	says 6 got 0
	wanted row 0
}

those_who_share_wait_for_nobody_but_one_alone() {
	local fd
	for fd in 5 6 7 8; do
		use "$fd" $((fd % 3 + 1))
	done
	tell 5 share room "$TTL" 0
	tell 6 share room "$TTL" 0
	says 5 held 1
	says 6 held 1
	tell 7 lock room "$TTL" "$EVER" &
	until_true wanted room 3
	# behind the one that wants it alone
	tell 8 share room "$TTL" "$EVER" &
	until_true wanted room 4
	tell 5 release
	sleep 0.3
	says 7 got 0
	says 8 got 0
	tell 6 release
	until_true has 7
	says 8 got 0
	tell 7 release
	until_true has 8
	before "$(said 7 got)" "$(said 8 got)"
	tell 8 release
}

kernel_and_tool_exclude_each_other() {
	local token tool
	use 5 2
	tell 5 lock both "$TTL" 0
	refused 1 'held by others' on 3 paxosctl lock -t 1s both -- true
	# shellcheck disable=SC2016	# expanded there
	spawn 3 paxosctl lock --ttl "${TTL}ms" both -- \
		sh -c 'echo $PAXOS_TOKEN; exec sleep 600' >"$work/token"
	tool=$!
	until_true wanted both 2
	[ ! -s "$work/token" ]
	token=$(said 5 token)
	tell 5 release
	until_true test -s "$work/token"
	[ "$(<"$work/token")" -gt "$token" ]
	token=$(<"$work/token")
	fails 'timed out' tell 5 lock both "$TTL" 300
	fails 'timed out' tell 5 share both "$TTL" 0
	tell 5 lock both "$TTL" "$EVER" &
	until_true wanted both 2
	says 5 got 0
	kill "$tool"
	until_true has 5
	[ "$(said 5 token)" -gt "$token" ]
	tell 5 release
	# and they share
	tell 5 share both "$TTL" 0
	on 3 paxosctl lock -s -t 3s both -- true
	refused 1 'held by others' on 3 paxosctl lock -t 1s both -- true
	tell 5 release
	on 3 paxosctl lock -t 3s both -- true
}

# The host with the lock sees nobody, and nobody sees it.
it_is_lost_before_another_gets_it() {
	local token
	use 5 3
	use 6 2
	tell 5 lock moves "$TTL" 0
	token=$(said 5 token)
	tell 6 lock moves "$TTL" "$EVER" &
	until_true wanted moves 2
	cluster cut 3 1
	cluster cut 3 2
	until_true has 6
	says 5 lost 1
	says 5 held 0
	says 5 lost-held 0
	before "$(said 5 lost-at)" "$(said 6 got)"
	[ "$(said 6 token)" -gt "$token" ]
	cluster heal
	until_true grows_from_there 3
	fails 'Key has expired' tell 5 release
	says 5 lost 1
	says 5 late 0
	says 6 held 1
	tell 6 release
	says 6 lost 0
}
# host I has heard of what was chosen meanwhile
grows_from_there() { [ "$(state "$1" commit)" -ge "$(state 1 commit)" ]; }

nor_does_the_tool_get_it_before() {
	use 5 3
	tell 5 lock tool "$TTL" 0
	spawn 2 paxosctl lock --ttl "${TTL}ms" tool -- cat /proc/uptime \
		>"$work/uptime"
	until_true wanted tool 2
	cluster cut 3 1
	cluster cut 3 2
	until_true test -s "$work/uptime"
	cluster heal
	says 5 lost 1
	before "$(said 5 lost-at)" "$(awk '{ printf "%d", $1 * 1e9 }' "$work/uptime")"
	until_true grows_from_there 3
	fails 'Key has expired' tell 5 release
}

# Who is elected dies with its host: its namespace and group go under it.
it_is_lost_where_the_group_goes() {
	use 5 3
	use 6 2
	use 7 3
	tell 5 lock dies "$TTL" 0
	tell 6 lock dies "$TTL" "$EVER" &
	until_true wanted dies 2
	fails 'transport endpoint shutdown' tell 7 lock dies "$TTL" "$EVER" &
	until_true wanted dies 3
	cluster kill 3
	# the one that waited there knows at once
	wait $!
	until_true has 6
	says 5 lost 1
	before "$(said 5 lost-at)" "$(said 6 got)"
	fails 'transport endpoint shutdown' tell 5 release
	says 5 late 0
	tell 6 release
	cluster start 3 5>&- 6>&- 7>&-
	lead 1
}

who_waits_too_long_without_a_quorum_is_told() {
	use 5 1
	use 6 2
	tell 5 lock alone "$TTL" 0
	fails 'Key has expired' tell 6 lock alone "$TTL" "$EVER" &
	until_true wanted alone 2
	cluster cut 1 2
	cluster cut 1 3
	cluster cut 2 3
	wait $!
	until_true says 5 lost 1
	cluster heal
	lead 1
	until_true wanted alone 0
}

a_lease_that_a_person_ends_is_lost_with_the_next_keep() {
	local lease
	use 5 2
	tell 5 lock torn 60000 0
	lease=$(quietly_on 1 paxosctl kv get --prefix lock/torn/ |
		sed -n 's,lock/torn/x\([0-9]*\).*,\1,p')
	on 1 paxosctl kv lease revoke "$lease"
	until_true says 5 lost 1
	fails 'Key has expired' tell 5 release
}

the_next_is_elected_when_the_winner_resigns() {
	use 5 1
	use 6 2
	tell 5 elect office one "$TTL" 0
	tell 6 elect office two "$TTL" "$EVER" &
	until_true stand office 2
	use 7 3
	tell 7 elected office
	says 7 value one
	says 7 create "$(said 5 token)"
	on 3 paxosctl elect --show office |
		grep -x "one  token $(said 5 token)" >&2
	tell 5 release
	until_true has 6
	tell 7 elected office
	says 7 value two
	says 7 create "$(said 6 token)"
	tell 6 known office
	says 6 value two
	# the tool stands, too
	spawn 1 paxosctl elect --ttl "${TTL}ms" -v tool office -- sleep 600
	until_true stand office 2
	tell 6 release
	until_true elected 7 office tool
	stop_spawned
	until_true fails 'No such file' tell 7 elected office
}
stand() {
	count_is "$2" "elect/$1/"
}
elected() { tell "$1" elected "$2" && says "$1" value "$3"; }

a_service_is_listed_while_it_is_kept() {
	use 5 3
	tell 5 register web one 10.0.0.3:80 "$TTL"
	lists 'web  one  10.0.0.3:80'
	sleep $((TTL * 3 / 2000))
	lists 'web  one  10.0.0.3:80'
	cluster cut 3 1
	cluster cut 3 2
	until_true lists ''
	says 5 lost 1
	cluster heal
	until_true grows_from_there 3
	fails 'Key has expired' tell 5 release
	tell 5 register web one here "$TTL"
	lists 'web  one  here'
	tell 5 release
	lists ''
	fails 'Invalid' tell 5 register web a/b here "$TTL"
	says 5 lost 0
}
lists() {
	local all
	all=$(quietly_on 1 paxosctl service list web) && [ "$all" = "$1" ]
}

a_queue_is_the_one_of_the_tool() {
	local id token first value
	use 5 2
	use 6 3
	fails 'No such file' tell 5 pop jobs "$TTL"
	tell 5 push jobs z first
	fails 'File exists' tell 6 push jobs z again
	on 1 paxosctl queue push --id y jobs second >&2
	tell 6 push jobs x third
	tell 6 pop jobs 60000
	says 6 value first
	tell 5 len jobs
	says 5 items 3
	says 5 claimed 1
	read -r id token value < <(quietly_on 1 paxosctl queue pop jobs)
	[ "$id $value" = 'y second' ]
	tell 5 pop jobs 60000
	says 5 value third
	tell 6 ack jobs
	fails 'Key has expired' tell 6 ack jobs
	tell 5 ack jobs
	fails 'No such file' tell 5 pop jobs "$TTL"
	on 1 paxosctl queue ack jobs "$id" "$token"
	count_is 0 queue/
	no_lease
	# what is not acknowledged comes again, and then it is another's
	tell 5 push slow a again
	tell 5 pop slow "$TTL"
	first=$(said 5 claim)
	until_true tell 6 pop slow 60000
	says 6 value again
	[ "$(said 6 claim)" -gt "$first" ]
	fails 'Key has expired' tell 5 ack slow
	tell 6 ack slow
}

what_is_done_with_an_acknowledgement_is_done_once() {
	use 5 1
	use 6 2
	tell 5 push once a item
	tell 5 pop once "$TTL"
	until_true tell 6 pop once 60000
	# the first one's claim is gone, and so is what it would do
	fails 'Key has expired' tell 5 ack once done/a
	count_is 0 done/
	tell 6 ack once done/a
	count_is 1 done/
	fails 'Key has expired' tell 6 ack once done/a
	# what must hold does not: the item stays
	tell 6 push once b item
	tell 6 pop once 60000
	fails 'Key has expired' tell 6 ack once done/a
	count_is 3 queue/once/
	tell 6 ack once done/b
	count_is 0 queue/once/
	count_is 2 done/
}

# Keys that are below a queue's and no item of it.
what_is_no_item_is_passed_over() {
	use 5 1
	on 1 paxosctl kv put queue/odd/order/a/b ''
	on 1 paxosctl kv put queue/odd/item/a/b unnamable
	on 1 paxosctl kv put queue/odd/order/hollow ''
	fails 'No such file' tell 5 pop odd "$TTL"
	refused 1 'nothing is in the queue' on 1 paxosctl queue pop odd
	tell 5 push odd c item
	tell 5 pop odd "$TTL"
	says 5 value item
	tell 5 ack odd
	tell 5 push odd d another
	on 1 paxosctl queue pop odd | grep '^d .* another$' >&2
	fails 'Invalid' tell 5 push odd a/b unnamable
	refused 1 'no /' on 1 paxosctl queue push --id a/b odd unnamable
	refused 1 'no /' on 1 paxosctl queue ack odd a/b 7
}

no_item_is_given_to_two() {
	local fd i
	for fd in 5 6 7; do
		use "$fd" $((fd - 4))
	done
	for i in {1..12}; do
		tell 5 push many "$i" "item-$i"
	done
	for fd in 5 6 7; do
		for i in {1..4}; do
			tell "$fd" pop many 60000
			said "$fd" value >>"$work/popped-$fd"
			tell "$fd" ack many
		done &
	done
	wait
	fails 'No such file' tell 5 pop many "$TTL"
	cat "$work"/popped-? | sort >"$work/popped"
	for i in {1..12}; do echo "item-$i"; done | sort |
		diff - "$work/popped" >&2
}

a_fatal_signal_ends_the_wait() {
	local pid
	use 5 1
	use 6 2
	tell 5 lock fatal 60000 0
	tell 6 lock fatal 60000 "$EVER" &
	pid=$!
	until_true wanted fatal 2
	kill -9 "$pid"
	not wait "$pid"
	# not by the end of its lease
	until_true wanted fatal 1
	says 6 got 0
	tell 5 release
	tell 6 lock fatal "$TTL" 0
	tell 6 release
}

modules_go_when_it_was_let_go() {
	local pid
	use 5 1
	use 6 2
	tell 5 lock gone "$TTL" 0
	tell 6 lock gone "$TTL" "$EVER" 5>&- &
	pid=$!
	until_true wanted gone 2
	fails 'in use' rmmod paxos_kv_lock
	fails 'in use' rmmod paxos_kv
	# whose file is closed while it waits
	exec 6>&-
	kill -9 "$pid"
	not wait "$pid"
	until_true wanted gone 1
	# and while it holds the lock
	exec 5>&-
	wanted gone 0
	until_true rmmod paxos_kv_lock
	until_true rmmod paxos_kv
	modprobe paxos_kv_lock
	use 5 1
	tell 5 lock gone "$TTL" 0
}

# Which it held until it was killed, with its file.
who_dies_lets_go() {
	use 5 1
	tell 5 lock gone "$TTL" 10000
	tell 5 release
}

a_namespace_that_goes_takes_it_along() {
	use 5 1
	use 6 2
	tell 5 lock last "$TTL" 0
	fails 'transport endpoint shutdown' tell 6 lock last "$TTL" "$EVER" &
	until_true wanted last 2
	cluster down
	wait $!
	until_true says 5 lost 1
	fails 'transport endpoint shutdown' tell 5 release
	exec 5>&- 6>&-
	until_true rmmod paxos_kv_lock
	until_true rmmod paxos_kv
	modprobe paxos_kv_lock
}

run_tests it_is_there what_makes_no_sense_is_refused \
	one_holds_it_and_its_token_is_the_highest_so_far \
	it_outlives_its_time_while_it_is_kept \
	they_get_it_in_the_order_in_which_they_came \
	those_who_share_wait_for_nobody_but_one_alone \
	kernel_and_tool_exclude_each_other \
	it_is_lost_before_another_gets_it nor_does_the_tool_get_it_before \
	it_is_lost_where_the_group_goes \
	who_waits_too_long_without_a_quorum_is_told \
	a_lease_that_a_person_ends_is_lost_with_the_next_keep \
	the_next_is_elected_when_the_winner_resigns \
	a_service_is_listed_while_it_is_kept a_queue_is_the_one_of_the_tool \
	what_is_done_with_an_acknowledgement_is_done_once \
	what_is_no_item_is_passed_over no_item_is_given_to_two \
	a_fatal_signal_ends_the_wait modules_go_when_it_was_let_go \
	who_dies_lets_go a_namespace_that_goes_takes_it_along
