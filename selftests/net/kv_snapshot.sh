#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Snapshots of paxos_kv.ko's store: whoever lacks the log behind it has the same
# keys, history, leases and locks as the others.
#
# Patient: 6.12 and User Mode Linux run it.

. "${BASH_SOURCE[0]%/*}/lib.sh"
. "${BASH_SOURCE[0]%/*}/counted.bash"

FILL=$(scaled 1500 600)	# more than the kernel holds

# A store that was just opened has a snapshot to load.
kv() { on "$1" paxosctl kv "$2" -t 60s "${@:3}"; }
kvj() { on "$1" paxosctl -j kv "${@:2}"; }
TTL=$(term 3s 20s)
number() { sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p"; }

# all_of I: what host I holds, after all that was chosen.
all_of() {
	local json
	kv "$1" get --prefix ''
	json=$(kvj "$1" status)
	echo "compacted $(number compacted <<<"$json")"
	echo "used $(number used <<<"$json")"
	kvj "$1" lease list
	kv "$1" get --prefix history/ -r "$revision"
}
same_stores() {
	local i
	all_of "$1" >"$work/all-$1"
	for i in "${@:2}"; do
		all_of "$i" >"$work/all-$i"
		cmp "$work/all-$1" "$work/all-$i" >&2
	done
}

three_hosts_have_a_store() {
	local i old
	need_module paxos_kv
	cluster up 3 --set LogSize=512 --set Window=128 --set SnapshotAfter=1M
	lead 1
	old=$(kvj 1 put gone before | number revision)
	kv 1 del gone
	kv 1 compact "$((old + 1))"
	for ((i = 0; i < 20; i++)); do
		kv 1 put "history/$i" "first $i"
	done
	kvj 1 put history/0 second | number revision >"$work/revision"
	revision=$(<"$work/revision")
	kv 1 del --prefix history/1
	kv 1 lease grant 600s | sed -n 's/^lease //p' >"$work/lease"
	kv 1 put leased value -l "$(<"$work/lease")"
	# The others hold it, too.
	for i in 2 3; do
		kv "$i" get leased
	done
	same_stores 1 2 3
}

one_comes_back_with_a_snapshot() {
	revision=$(<"$work/revision")
	fill "$FILL" filler 1000
	until_true behind 2 "$revision"
	cluster kill 2
	kv 1 put while 'it is away'
	cluster start 2
	[ "$(kv 2 get while)" = 'while  it is away' ]
	agent_log 2 | grep -i 'snapshot' >&2
	same_stores 1 2 3
}

one_that_lost_its_module_has_all_again() {
	revision=$(<"$work/revision")
	fill "$FILL" more 1000
	until_true rmmod paxos_kv
	modprobe paxos_kv
	same_stores 1 2 3
}

leases_go_on_behind_it() {
	local lease
	lease=$(<"$work/lease")
	kv 3 lease keep "$lease"
	kv 2 lease revoke "$lease"
	refused 1 'no such key' kv 3 get leased
	lease=$(kv 2 lease grant "$TTL" | sed -n 's/^lease //p')
	kv 3 put short lived -l "$lease"
	until_true gone 2 short
}
gone() { refused 1 'no such key' kv "$1" get "$2"; }

a_watch_goes_on_or_is_told_that_it_cannot() {
	revision=$(<"$work/revision")
	quietly_on 3 timeout $((4 * PATIENCE)) paxosctl kv watch --prefix history/ \
		-r "$revision" -n 2 >"$work/watched"
	[ "$(wc -l <"$work/watched")" -eq 2 ]
	refused 1 'compacted' on 2 timeout $((4 * PATIENCE)) paxosctl kv watch gone -r 1
}

# The whole cluster is lost; the backup is not.
a_new_cluster_begins_with_a_backup() {
	local file=$work/backup lease new
	lease=$(kv 1 lease grant 5s | sed -n 's/^lease //p')
	kv 1 put short lived -l "$lease"
	revision=$(<"$work/revision")
	kv 1 get --prefix '' >"$work/kept"
	kv 1 get --prefix history/ -r "$revision" >>"$work/kept"
	on 1 paxosctl snapshot save "$file"
	cluster kill 1 2 3
	rm -rf "$(directory 1)"
	new=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
	one_member 1
	sed -i "s/^Cluster = .*/Cluster = $new/" "$PAXOS_RUN/1.conf"
	on 1 paxosctl snapshot restore -c "$PAXOS_RUN/1.conf" "$file"
	cluster start 1
	lead 1
	kv 1 lease keep "$lease"
	kv 1 get --prefix '' >"$work/restored"
	kv 1 get --prefix history/ -r "$revision" >>"$work/restored"
	cmp "$work/kept" "$work/restored" >&2
	# Its lease has all of its time again, and then ends.
	until_true gone 1 short
	kv 1 put gone 'and back'
	[ "$(kv 1 get gone)" = 'gone  and back' ]
}

run_tests three_hosts_have_a_store one_comes_back_with_a_snapshot \
	one_that_lost_its_module_has_all_again leases_go_on_behind_it \
	a_watch_goes_on_or_is_told_that_it_cannot \
	a_new_cluster_begins_with_a_backup
