#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What a commit takes while a host that was away has the log brought to it, at
# each of these rates:
#
#	scripts/vm --icount --mem 2048 -- selftests/bench/transfer.sh RATE...
#
# Three hosts, each with a disk of its own whose writes take 0.5 ms, in memory;
# the clock counts instructions, a nanosecond each, of the one processor that all
# three share. A proposal every 20 ms on the leader's host, while host 3 is away,
# while some 80 MB of log are brought to it, and when it is level. Prints a line
# for each rate and phase: RATE PHASE COUNT MEAN MEDIAN P99, in microseconds.

set -euo pipefail
cluster=scripts/cluster
run=${PAXOS_RUN:-/run/paxos-cluster}
PATH=$PWD/build:$PWD/build/net:$PATH

on() { $cluster exec "$@"; }
state() { on "$1" paxosctl -j status -g 1 | grep -o "\"$2\":[^,}]*" | head -n 1; }
await() {
	local end=$((SECONDS + 300))
	until "$@"; do
		[ $SECONDS -lt $end ] || { echo "transfer: $* never" >&2 && exit 1; }
		sleep 0.2
	done
}
leads() { [ "$(state 3 leader)" = '"leader":1' ]; }
is_away() { [ "$(state 3 transfer_from)" = '"transfer_from":null' ]; }
brings() { ! is_away; }
is_level() {
	local commit
	commit=$(state 1 commit)
	[ "$(state 3 commit)" = "$commit" ]
}

# Disks: one for each host, under its state.
disks() {
	local i disk
	for i in 1 2 3; do
		disk=/sys/kernel/config/nullb/nullb$i
		mkdir "$disk"
		echo 1 >"$disk/memory_backed"
		echo 320 >"$disk/size"
		echo 2 >"$disk/irqmode"
		echo 500000 >"$disk/completion_nsec"
		echo 1 >"$disk/power"
		disk=/dev/nullb$(<"$disk/index")
		mkfs.ext4 -q -m 0 "$disk"
		mv "$run/state-$i" "$run/moved"
		mkdir "$run/state-$i"
		mount "$disk" "$run/state-$i"
		cp -a "$run/moved/." "$run/state-$i/"
		rm -r "$run/moved"
	done
}
# `cluster down` took them off.
no_disks() {
	local i
	for i in 1 2 3; do
		echo 0 >"/sys/kernel/config/nullb/nullb$i/power"
		rmdir "/sys/kernel/config/nullb/nullb$i"
	done
}

# proposals COUNT: microseconds of each
proposals() {
	on 1 burst -u -o 1 -p 20 -n "$1" "paced-$RANDOM" | awk '
		$1 != "chosen" { exit 1 } { print $NF }'
}
# A log that outran the zeroing of its next segment pays for the file system's
# journal in each commit, until the segment is full: that is no transfer's doing.
is_quick() {
	[ "$(proposals 21 | sort -n | sed -n 11p)" -lt 1000 ] && return
	on 1 burst -n 4000 -o 64 -l 2000 -t 60000 -r 60000 more >/run/more
	sleep 5
	return 1
}
# phase RATE NAME <MICROSECONDS
phase() {
	sort -n | awk -v name="$1 $2" '{ sum += $1; at[NR] = $1 }
		END { print name, NR, sum / NR, at[int((NR + 1) / 2)],
			at[int((NR * 99 + 99) / 100)] }'
}

modprobe -a null_blk ext4
mount -t configfs configfs /sys/kernel/config 2>/run/mounted || true
for rate; do
	$cluster up 3 --set TransferRate="$rate" --set LogSize=2048 >&2
	$cluster kill 1 2 3
	disks
	$cluster start 1 2 3
	on 1 paxosctl campaign -w >&2
	await leads
	$cluster kill 3
	on 1 burst -n 40000 -o 64 -l 2000 -t 60000 -r 60000 away | grep -c chosen >&2
	await is_quick
	proposals 250 | phase "$rate" away
	$cluster start 3
	await brings
	while brings; do
		proposals 20 >>"/run/during-$rate"
	done
	# The last of them may have been when all was over.
	head -n -20 "/run/during-$rate" | phase "$rate" during
	await is_level
	sleep 2
	proposals 250 | phase "$rate" level
	$cluster down >&2
	no_disks
done
