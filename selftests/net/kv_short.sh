#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What kernel subsystems have of the store, each of it once: for kernels that are
# slow, where kv_kernel.sh and kv_lock.sh do not run, and look more closely.

. "${BASH_SOURCE[0]%/*}/lib.sh"
. "${BASH_SOURCE[0]%/*}/device.bash"

TTL=$(term 4000 12000)	# ms

# use FD DEVICE I: a subsystem of host I.
use() {
	device "$1" "$2"
	at "$3" "$1" open 1 10000
}
has() { not says "$1" got 0; }

two_hosts_have_a_store() {
	need_module paxos_kv_user
	need_module paxos_kv_lock
	cluster up 2
	lead 1
}

a_watch_leaves_nothing_out() {
	local i
	use 5 paxos_kv_user 1
	use 6 paxos_kv_user 2
	tell 5 put dir/0 zero
	tell 6 watch dir/ "$(said 5 revision)"
	for i in {1..9}; do
		tell 5 put "dir/$i" "$i"
	done
	tell 5 del dir/1
	until_true says 6 events 11
	says 6 deletions 1
	says 6 disorder 0
	tell 6 range dir/ 512
	says 6 pairs 9
	tell 5 cas dir/2 1 never
	says 5 succeeded 0
	says 5 value 2
	tell 5 compact "$(said 5 revision)"
	tell 6 unwatch
	tell 6 range dir/ 512	# behind a barrier: it has compacted, too
	tell 6 watch dir/ 1
	until_true says 6 ends 1
	says 6 end -116
}

limits_are_set_and_seen() {
	use 5 paxos_kv_user 1
	tell 5 limit 100
	fails 'No space' tell 5 put more x
	tell 5 limit $((64 << 20))
	tell 5 history 0 60000
	tell 5 info
	says 5 keeps-ms 60000
	tell 5 history 0 0
	tell 5 put more x
}

closing_ends_what_is_under_way() {
	use 5 paxos_kv_user 2
	tell 5 watch '' 1
	tell 5 burst 100000 16
	until_true not says 5 chosen 0
	tell 5 close
	says 5 twice 0
}

a_lock_is_handed_on() {
	local token
	use 5 paxos_kv_lock 1
	use 6 paxos_kv_lock 2
	tell 5 lock door "$TTL" 0
	token=$(said 5 token)
	fails 'timed out' tell 6 lock door "$TTL" 0
	tell 6 lock door 60000 -1 &
	sleep 1
	says 6 got 0
	tell 5 release
	until_true has 6
	wait
	[ "$(said 6 token)" -gt "$token" ]
	says 6 held 1
	tell 6 release
	says 6 held 0
	tell 5 elect office one "$TTL" 0
	tell 6 elected office
	says 6 value one
	tell 5 release
	tell 5 register web one here "$TTL"
	tell 5 release
}

# It is kept by its timer; and it is lost with the keep that finds it gone.
a_lock_is_kept_and_lost() {
	local lease
	use 5 paxos_kv_lock 2
	use 6 paxos_kv_user 2
	tell 5 lock torn "$TTL" 0
	lease=$(quietly_on 1 paxosctl kv get --prefix lock/torn/ |
		sed -n 's,lock/torn/x\([0-9]*\).*,\1,p')
	sleep $((TTL * 5 / 4000))
	says 5 held 1
	says 5 lost 0
	tell 6 revoke "$lease"
	until_true says 5 lost 1
	says 5 held 0
	fails 'Key has expired' tell 5 release
	says 5 late 0
}

a_queue_gives_each_item_to_one() {
	use 5 paxos_kv_lock 1
	use 6 paxos_kv_lock 2
	tell 5 push jobs a first
	tell 5 push jobs b second
	fails 'File exists' tell 6 push jobs a again
	tell 6 pop jobs 60000
	says 6 value first
	tell 5 pop jobs 60000
	says 5 value second
	fails 'No such file' tell 6 pop jobs 60000
	tell 5 len jobs
	says 5 items 2
	says 5 claimed 2
	tell 5 ack jobs
	fails 'Key has expired' tell 5 ack jobs
}

# Its store had stopped before, since the log in memory began later by then.
a_group_that_is_added_again_has_a_new_store() {
	use 5 paxos_kv_lock 2
	tell 5 close
	paxosctl genkey >"$work/key"
	add_alone
	on 2 burst -g 7 -n 700 -o 32 -t 60000 -r 60000 early >"$work/early"
	until_true refused 1 'begins later' on 2 paxosctl kv get -g 7 -s x
	on 2 paxosctl group del 7
	refused 1 'no group' on 2 paxosctl kv get -g 7 -s x
	add_alone
	on 2 paxosctl kv put -g 7 x y
	[ "$(on 2 paxosctl kv get -g 7 --raw x)" = y ]
	on 2 paxosctl group del 7
	add_alone
	refused 1 'no such key' on 2 paxosctl kv get -g 7 x
	on 2 paxosctl group del 7
}
add_alone() {
	on 2 paxosctl group add 7 -k "$work/key" --self 1 --start \
		--cluster "$(printf %032x 7)" --durability memory \
		-m 1,127.0.0.1:7407 --log-size 512 --window 64
	until_true quietly_on 2 paxosctl campaign --wait -g 7
}

all_ends_where_the_group_goes() {
	use 5 paxos_kv_lock 2
	use 6 paxos_kv_user 2
	tell 5 lock dies "$TTL" 0
	tell 6 watch '' 0
	cluster kill --agent 2
	on 2 paxosctl group del 1
	until_true says 6 ends 1
	says 6 end -108
	fails 'transport endpoint shutdown' tell 6 put a b
	until_true says 5 lost 1
	fails 'transport endpoint shutdown' tell 5 release
	exec 5>&- 6>&-
	rmmod paxos_kv_user
	rmmod paxos_kv_lock
	rmmod paxos_kv
}

run_tests two_hosts_have_a_store a_watch_leaves_nothing_out \
	limits_are_set_and_seen closing_ends_what_is_under_way \
	a_lock_is_handed_on a_lock_is_kept_and_lost \
	a_queue_gives_each_item_to_one \
	a_group_that_is_added_again_has_a_new_store \
	all_ends_where_the_group_goes
