#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Minutes at full rate, with two consumers on each host, snapshots, and a log that
# is trimmed behind them: memory and disk end flat. Prints the series. One counts;
# the other is a store, whose history is kept for 5 s, with a watch and a lock.
#
# Long: ten minutes; PAXOS_SOAK is another number of seconds.

. "${BASH_SOURCE[0]%/*}/lib.sh"
. "${BASH_SOURCE[0]%/*}/counted.bash"

TIME=${PAXOS_SOAK:-600}
STEP=10		# seconds between two looks
SPACE=$((16 << 20))
# On the scratch disk: what is in memory is no disk.
export PAXOS_RUN=$work/disk/run

three_hosts_and_a_consumer_on_each() {
	local i
	need_counted
	need mke2fs
	[ -n "${PAXOS_DISK-}" ] || skip "no scratch disk (PAXOS_DISK)"
	mke2fs -q -t ext4 -m 0 -J size=8 "$PAXOS_DISK"
	mkdir "$work/disk"
	mount "$PAXOS_DISK" "$work/disk"
	undo umount "$work/disk"
	cluster up 3 --set LogSpace=16M --set Memory=4M --set SnapshotAfter=4M
	lead 1
	need_module paxos_kv
	for i in 1 2 3; do
		counted "$i" open 1
		counted "$i" pad 200000
		on "$i" paxosctl kv get --prefix ''
	done
	on 1 paxosctl kv history 5s
}

# writer I: a hundred keys anew, again and again.
writer() {
	local i n words
	for ((n = 1; ; n++)); do
		words=()
		for ((i = 0; i < 100; i++)); do
			words+=(put "soak/$i" "$n of these")
		done
		quietly_on "$1" paxosctl kv txn 'then' "${words[@]}" >/dev/null
	done
}
# Its store: KiB.
stored() {
	local json
	json=$(quietly_on "$1" paxosctl -j kv status)
	echo $(($(field used "$json") / 1024))
}

# used I: KiB that its directory takes; files come and go meanwhile.
used() {
	{
		du -sk "$(directory "$1")" 2>"$work/du" || cat "$work/du" >&2
	} | cut -f 1
}
# Of the machine, without what can be dropped and the free pages that each processor
# keeps for itself: KiB.
memory() {
	awk '/^Mem(Total|Free):/ { sum += $1 == "MemTotal:" ? $2 : -$2 }
		/^(Buffers|Cached|SReclaimable):/ { sum -= $2 }
		/^Shmem:/ { sum += $2 }
		$1 == "count:" { sum -= 4 * $2 }
		END { print sum }' /proc/meminfo /proc/zoneinfo
}
agents() {
	local i
	for i in 1 2 3; do
		sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' \
			"/proc/$(agent_pid "$i")/status"
	done | awk '{ sum += $1 } END { print sum }'
}

# flat COLUMN NAME SLACK: its mean over the last third is not more than SLACK
# KiB above that of the third before.
flat() {
	awk -v column="$1" -v name="$2" -v slack="$3" '
		{ value[NR] = $column }
		END {
			third = int(NR / 3)
			for (i = 1; i <= third; i++) {
				last += value[NR + 1 - i] / third
				before += value[NR + 1 - third - i] / third
			}
			printf "%s: %.0f KiB, then %.0f KiB\n", name, before, last
			exit third < 2 || last > before + slack
		}' "$work/series" >&2 || wrong "$2 is not flat"
}

memory_and_disk_end_flat() {
	local i end=$((SECONDS + TIME)) began=$SECONDS most=0 used pids=()
	spawn 1 burst -n 100000000 -o 64 -l 200 -t 60000 -r 60000 soak \
		>/dev/null
	writer 2 &
	pids+=($!)
	spawn 3 paxosctl kv watch --prefix soak/ >/dev/null
	pids+=($!)
	spawn 2 paxosctl lock soak -- sleep 86400
	pids+=($!)
	say "seconds slots disk_KiB snapshots memory_KiB agents_KiB store_KiB"
	while ((SECONDS < end)); do
		sleep "$STEP"
		used=0
		for i in 1 2 3; do
			used=$((used + $(used "$i")))
		done
		most=$((used > most ? used : most))
		echo "$((SECONDS - began)) $(state 1 commit) $used" \
			"$(newest 1) $(memory) $(agents) $(stored 1)" \
			>>"$work/series"
		say "$(tail -n 1 "$work/series")"
	done
	# None of them has come to an end.
	for i in "${pids[@]}"; do
		kill -0 "$i"
	done
	stop_spawned
	same_state 1 2 3
	for i in 1 2 3; do
		on "$i" paxosctl kv get --prefix soak/ >"$work/store-$i"
		[ "$(wc -l <"$work/store-$i")" -eq 100 ]
		cmp "$work/store-1" "$work/store-$i" >&2
	done
	for i in 1 2 3; do
		says "$i" stopped 0
		[ "$(snapshots "$i" | wc -l)" -le 2 ]
	done
	[ -z "${PAXOS_SHARE-}" ] || cp "$work/series" "$PAXOS_SHARE/soak.series"
	[ "$(awk 'END { print $2 }' "$work/series")" -gt \
		"$(awk 'NR == 1 { print 2 * $2 }' "$work/series")" ]
	# Three logs, three snapshots each at most, and a file system's own.
	[ "$most" -le $((3 * (SPACE / 1024 + 4096))) ]
	flat 3 disk 4096
	flat 5 memory 4096
	flat 6 "the agents' memory" 1024
	# Its history is as long as the machine is quick.
	flat 7 "the store" 1024
}

run_tests \
	three_hosts_and_a_consumer_on_each \
	memory_and_disk_end_flat
