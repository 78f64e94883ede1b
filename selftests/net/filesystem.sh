#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# File systems that freeze, stall for long or turn read-only under a member. It
# falls silent and says so, the others go on, and what was acknowledged is there
# when it is back. disk.sh has disks that fail.
#
# The state of host 3 is on an ext4 of its own, on device-mapper over a loop.
#
# Long: a disk stalls for half a minute.

. "${BASH_SOURCE[0]%/*}/lib.sh"

DM=/dev/mapper/paxos-fs

make_file_system() {
	local loop
	need losetup mke2fs e2fsck dmsetup fsfreeze
	need_module loop
	need_module ext4
	need_module dm-mod
	truncate -s 100M "$work/disk"
	loop=$(losetup --find --show "$work/disk")
	undo "losetup -d $loop"
	dmsetup create paxos-fs --table \
		"0 $(blockdev --getsz "$loop") linear $loop 0"
	undo "dmsetup remove paxos-fs"
	mke2fs -q -t ext4 -m 0 -J size=4 "$DM"
}

three_hosts_form_a_group() {
	local state=$PAXOS_RUN/state-3
	make_file_system
	cluster up 3 --set LogSize=65536
	cluster kill 3
	mv "$state" "$PAXOS_RUN/moved"
	mkdir "$state"
	logged mount -o errors=remount-ro "$DM" "$state"
	undo "umount -l $state 2>/dev/null"
	cp -a "$PAXOS_RUN/moved/." "$state/"
	cluster start 3
	lead 1
	until_true is 3 leader 1
	on 3 paxosctl propose 'on a file system of its own'
}

# Host 3's disk takes nothing: nothing more is durable there, the others decide,
# and from outside it is up.
is_silent_and_costs_nothing() {
	local durable i
	until_true is 3 wait disk
	on 3 paxosctl status | grep 'waits: the disk: the oldest record' >&2
	durable=$(state 3 durable)
	for i in 1 2 3; do
		on 1 paxosctl propose "while it takes nothing, $i"
	done
	on 1 paxosctl status | grep '^ *3 .* up ' >&2
	is 3 durable "$durable"
}

a_frozen_file_system_is_told_and_thawed_all_goes_on() {
	spawn 3 paxosctl watch >"$work/events"
	spawn 2 burst -n 100000 -o 4 -p 20 frozen >"$work/acks"
	await_growth 3
	logged fsfreeze -f "$PAXOS_RUN/state-3"
	is_silent_and_costs_nothing
	until_true grep 'the disk stalls' "$work/events"
	logged fsfreeze -u "$PAXOS_RUN/state-3"
	until_true is 3 wait none
	until_true grep 'the disk resumed' "$work/events"
	stop_spawned
	same_logs 1 2 3
	acknowledged "$work/acks" 1 2 3
}

is_gone() { [ ! -e "/proc/$1/fd" ] || [ -z "$(ls "/proc/$1/fd")" ]; }

its_agent_killed_while_it_is_frozen_no_other_gets_in() {
	local pid
	pid=$(agent_pid 3)
	logged fsfreeze -f "$PAXOS_RUN/state-3"
	on 1 paxosctl propose 'for the frozen one'
	until_true is 3 wait disk
	kill -9 "$pid"
	on 1 paxosctl propose 'and another'
	# It cannot end before the write ends, and holds the lock so long.
	refused 1 "in use by paxosd, pid $pid" on 3 paxosd "$PAXOS_RUN/3.conf"
	logged fsfreeze -u "$PAXOS_RUN/state-3"
	until_true is_gone "$pid"
	cluster start 3
	on 3 paxosctl propose 'thawed'
	same_logs 1 2 3
}

a_long_stall_costs_nothing_that_was_acknowledged() {
	spawn 2 burst -n 100000 -o 4 -p 20 stalled >"$work/acks"
	await_growth 3
	dmsetup suspend --noflush --nolockfs paxos-fs
	undo "dmsetup resume paxos-fs"
	is_silent_and_costs_nothing
	let_tasks_hang
	sleep "$(scaled 30 5)"
	until_true is 3 wait disk
	await_growth 1
	dmsetup resume paxos-fs
	until_true is 3 wait none
	stop_spawned
	same_logs 1 2 3
	acknowledged "$work/acks" 1 2 3
}

# On a slow host it comes to more than the minute that a guest gives them.
let_tasks_hang() {
	local sysctl=/proc/sys/kernel/hung_task_timeout_secs
	undo "echo $(<"$sysctl") >$sysctl"
	echo 600 >"$sysctl"
}

turned_read_only_its_member_is_mute_and_says_so() {
	local durable device
	device=$(dmsetup info -c --noheadings --separator : -o major,minor \
		paxos-fs)
	device=$(readlink -f "/sys/dev/block/$device")
	spawn 2 burst -n 100000 -o 4 -p 20 read-only >"$work/acks"
	await_growth 3
	# What ext4 does when it finds itself wrong.
	echo 1 >"/sys/fs/ext4/${device##*/}/trigger_fs_error"
	until_true is 3 wait agent
	durable=$(state 3 durable)
	await_growth 1
	agent_log 3 | grep -iE 'read-only file system|input/output error' >&2
	is 3 durable "$durable"
	# Nor does it start there.
	cluster kill 3
	not cluster start 3
	agent_log 3 | tail -n 2 | grep -i 'read-only file system' >&2
	stop_spawned
	cp "$work/acks" "$work/read-only-acks"
	acknowledged "$work/acks" 1 2
}

checked_and_mounted_again_it_comes_back_with_all_of_it() {
	local code=0
	cluster kill 3
	umount "$PAXOS_RUN/state-3"
	# 1: it mended something, which is that it is marked as wrong.
	e2fsck -fp "$DM" >&2 || code=$?
	[ "$code" -le 1 ]
	mount -o errors=remount-ro "$DM" "$PAXOS_RUN/state-3"
	cluster start 3
	on 3 paxosctl propose 'writable again'
	same_logs 1 2 3
	acknowledged "$work/read-only-acks" 3
}

takes_part() { agent_log "$1" | grep 'was read again'; }
follow_one() {
	[ "$(state 1 leader)" = "$(state 2 leader)" ] &&
		[ "$(state 2 leader)" = "$(state 3 leader)" ]
}
# changes: of the leader, as host 1 saw them.
changes() { agent_log 1 | grep -c ' leads, ballot '; }

# The last test, as from here on the agents elect.
a_leader_whose_disk_stalls_costs_one_change() {
	local before i since
	for i in 1 2 3; do
		sed -i 's/^Election = .*/Election = yes/' "$PAXOS_RUN/$i.conf"
		kill -HUP "$(agent_pid "$i")"
		until_true takes_part "$i"
	done
	on "$(state 1 leader)" paxosctl transfer --to 3
	until_true is 1 leader 3
	until_true follow_one
	sleep 1
	before=$(changes)
	spawn 2 burst -n 100000 -o 4 -p 20 -t 60000 leader >"$work/acks"
	await_growth 3
	dmsetup suspend --noflush --nolockfs paxos-fs
	undo "dmsetup resume paxos-fs"
	since=$SECONDS
	until_true is_not 1 leader 3
	say "another led within $((SECONDS - since)) s"
	is_silent_and_costs_nothing
	sleep 5
	dmsetup resume paxos-fs
	until_true is 3 wait none
	# It would get it back after a pause, if anybody thought so.
	sleep 12
	stop_spawned
	until_true follow_one
	[ "$(changes)" -eq $((before + 1)) ]
	same_logs 1 2 3
	acknowledged "$work/acks" 1 2 3
}

run_tests \
	three_hosts_form_a_group \
	a_frozen_file_system_is_told_and_thawed_all_goes_on \
	its_agent_killed_while_it_is_frozen_no_other_gets_in \
	a_long_stall_costs_nothing_that_was_acknowledged \
	turned_read_only_its_member_is_mute_and_says_so \
	checked_and_mounted_again_it_comes_back_with_all_of_it \
	a_leader_whose_disk_stalls_costs_one_change
