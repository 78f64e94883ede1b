#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# As linearizable.sh, of the store of paxos_kv.ko: registers, a lock under leases
# and a queue. Who reads without asking a quorum must be caught.
#
#	host 1 .. 3    processes I and I + 10 on host I (kv_recorder.c)
#
# Native: its times are those of a machine that is not slow.
# Patient: clients and faults for a minute.
#
# kv_linearizable_long.sh does the same with more faults, for longer.

. "${BASH_SOURCE[0]%/*}/lib.sh"
# shellcheck source=selftests/net/faults.bash
. "${BASH_SOURCE[0]%/*}/faults.bash"

# shellcheck disable=SC2034	# of faults.bash
recorder=kv_recorder module=paxos_kv also='push pop share'

three_hosts_have_a_store() {
	need_module paxos_kv
	cluster up 3 --set Election=yes --set LogSize=65536 --set Memory=128M
	until_true any_leads
	on 1 paxosctl kv put begun yes
}

# A lock is held for longer than the 2 s that its lease lasts, if it is kept.
was_kept() {
	cat "$work"/client-* | awk -F '"(token|call|return)":' '
		/"acquire".*"ok"/ { since[$2 + 0] = $4 + 0 }
		/"release".*"ok"/ && $3 - since[$2 + 0] > 2e9 { kept++ }
		END { exit !kept }'
}

nothing_fails() {
	record
	sleep 5
	until_true was_kept
	recorded
	it_is_linearizable 50
	did push ok 5
	did pop ok 5
}

# What the checker finds where two hold the lock at a time.
a_lock_held_twice_is_found() {
	awk '{ print } /"acquire"/ && /"ok"/ && !n++ {
		sub(/"process":[0-9]*/, "\"process\":77")
		match($0, /"token":[0-9]*/)
		token = substr($0, RSTART + 8, RLENGTH - 8)
		sub(/"token":[0-9]*/, "\"token\":" token + 1)
		print
	}' "$work/history" >"$work/changed"
	not cmp -s "$work/history" "$work/changed"
	refused 1 "lock 'lock' is not linearizable: line" \
		linearizable "$work/changed"
}

queue() { quietly_on "$1" paxosctl queue "${@:2}"; }
# pusher I: one item after the other. What may have been pushed is pushed again.
pusher() {
	local n
	for ((n = 1; ; n++)); do
		[ ! -e "$work/enough" ] || return 0
		until queue "$1" push --id "$1-$n" jobs "$1-$n"; do
			sleep 0.1
		done
		echo "$1-$n" >>"$work/pushed"
		sleep 0.4	# who pops takes longer
	done
}
# consumer I: every fourth item it forgets.
consumer() {
	local id token value n=0
	until [ -e "$work/drained" ]; do
		if ! read -r id token value < <(queue "$1" pop --ttl 2s \
			--wait 2s jobs); then
			sleep 0.1
			continue
		fi
		echo "$value" >>"$work/popped"
		[ $((++n % 4)) -ne 0 ] || continue
		! queue "$1" ack jobs "$id" "$token" ||
			echo "$id" >>"$work/acked"
	done
}
is_drained() { queue 1 len jobs | grep -q '^0 items'; }

# At least once, first in first out, of the tool's queue: by the store's history.
each_item_is_acknowledged_once_while_hosts_fail() {
	local i pushers=()
	for i in 1 2 3; do
		pusher "$i" &
		pushers+=($!)
		consumer "$i" &
	done >"$work/queue" 2>&1
	sleep 1
	kill_leader
	partition_leader
	touch "$work/enough"
	wait "${pushers[@]}"
	until_true is_drained
	touch "$work/drained"
	wait
	on 1 paxosctl kv put queue/jobs/end yes
	spawn 1 paxosctl kv watch --prefix queue/jobs/ --from 1 >"$work/events"
	until_true grep -q 'put  queue/jobs/end' "$work/events"
	stop_spawned
	# Who pushed and popped saw as much as was there.
	sort "$work/pushed" >"$work/ids"
	sort -u "$work/popped" | cmp "$work/ids" - >&2
	[ -z "$(sort "$work/acked" | uniq -d)" ]
	awk '{ split($3, part, "/"); what = $2 " " part[3]; id = part[4] }
		what == "put order" { placed[++n] = id; puts[id]++ }
		what == "put claim" && !claims[id]++ { first[++m] = id }
		what == "put claim" { given++ }
		what == "del order" { ends[id]++ }
		END {
			print n " items, given to somebody " given " times"
			for (i = 1; i <= n; i++)
				if (first[i] != placed[i] ||
				    puts[placed[i]] != 1 || ends[placed[i]] != 1) {
					print placed[i] " is not as it should be"
					exit 1
				}
			exit n != m || given <= n
		}' "$work/events" >&2
	awk '$2 == "put" && $3 ~ /order/ { sub(/.*\//, "", $3); print $3 }' \
		"$work/events" | sort | cmp "$work/ids" - >&2
}

if [ -n "${LONG-}" ]; then
	run_tests \
		three_hosts_have_a_store \
		a_host_gets_a_disk_that_can_stall \
		the_disk_stalls \
		the_agent_pauses \
		the_clock_steps \
		members_change \
		a_host_with_clients_is_replaced \
		modules_restart \
		all_of_it_mixed
else
	run_tests \
		three_hosts_have_a_store \
		nothing_fails \
		a_lock_held_twice_is_found \
		the_leader_is_killed \
		the_agent_is_killed \
		the_leader_is_cut_off \
		links_are_cut_one_way \
		each_item_is_acknowledged_once_while_hosts_fail \
		a_stale_read_is_caught
fi
