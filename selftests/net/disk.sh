#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Disks that are full, stall or fail. Their member falls silent, not wrong, and
# says so; the others go on; what was acknowledged is there when it is back.
#
# The state of host 3 moves to a file system of its own: tmpfs for one that is
# full, ext4 on dm-flakey on a loop device for one that fails.
#
# Native: what it tries is the agents and their disks.
# Patient: it fills a disk.

. "${BASH_SOURCE[0]%/*}/lib.sh"

three_hosts_form_a_group() {
	cluster up 3 --set LogSize=65536 --set Memory=128M
	lead 1
}

# move_state COMMAND...: host 3 is dead; COMMAND mounts what takes its state.
move_state() {
	local state=$PAXOS_RUN/state-3
	mv "$state" "$PAXOS_RUN/moved"
	mkdir "$state"
	logged "$@" "$state"
	cp -a "$PAXOS_RUN/moved/." "$state/"
	rm -r "$PAXOS_RUN/moved"
}

move_state_back() {
	local state=$PAXOS_RUN/state-3
	mkdir "$PAXOS_RUN/moved"
	cp -a "$state/." "$PAXOS_RUN/moved/"
	umount "$state"
	rmdir "$state"
	mv "$PAXOS_RUN/moved" "$state"
	rm -rf "$state/lost+found"
}

is_silent() { is_not "$1" wait none; }

# says PATTERN: the agent of host 3 did.
says() { agent_log 3 | grep -Ei "$1"; }

# flakey TABLE...: what the disk does from now on.
flakey() {
	local sectors
	sectors=$(blockdev --getsz "$loop")
	logged dmsetup reload paxos-flakey --table \
		"0 $sectors flakey $loop 0 $*"
	dmsetup suspend --noflush --nolockfs paxos-flakey
	dmsetup resume paxos-flakey
}
GOOD='1000000 0'
BAD_WRITES='0 1000000 1 error_writes'
ALL_BAD='0 1000000'

make_flakey() {
	need losetup mke2fs dmsetup
	need_module loop
	need_module ext4
	need_module dm-flakey
	truncate -s 200M "$work/disk"
	loop=$(losetup --find --show "$work/disk")
	undo "losetup -d $loop"
	echo "$loop" >"$work/loop"
	dmsetup create paxos-flakey --table \
		"0 $(blockdev --getsz "$loop") flakey $loop 0 $GOOD"
	undo "dmsetup remove paxos-flakey"
	mke2fs -q -t ext4 -m 0 -O ^has_journal /dev/mapper/paxos-flakey
}
use_flakey() {
	[ -e "$work/loop" ] || skip "no dm-flakey"
	loop=$(<"$work/loop")
}

a_failed_fsync_silences_its_member_and_it_says_so() {
	local durable
	make_flakey
	cluster kill 3
	move_state mount /dev/mapper/paxos-flakey
	undo "umount -l $PAXOS_RUN/state-3 2>/dev/null"
	cluster start 3
	on 3 paxosctl propose 'on the disk that fails'
	until_true is_even 1 2 3
	spawn 2 burst -n 100000 -o 8 -p 10 fsync >"$work/acks"
	await_growth 3
	flakey "$BAD_WRITES"
	until_true is_silent 3
	until_true says 'input/output error|EIO'
	durable=$(state 3 durable)
	await_growth 1
	# Nothing is said to be durable that came later, and nothing is retried.
	flakey "$GOOD"
	sleep 1
	is 3 durable "$durable"
	stop_spawned
	cp "$work/acks" "$work/fsync-acks"
	acknowledged "$work/fsync-acks" 1 2
}

started_again_it_lacks_nothing_that_it_acknowledged() {
	use_flakey
	cluster kill 3
	# As after a crash of the host: what never was written is gone.
	umount "$PAXOS_RUN/state-3"
	mount /dev/mapper/paxos-flakey "$PAXOS_RUN/state-3"
	cluster start 3
	on 3 paxosctl propose 'the disk is good again'
	same_logs 1 2 3
	acknowledged "$work/fsync-acks" 3
}

a_stalled_disk_is_told_and_costs_the_others_nothing() {
	use_flakey
	spawn 3 paxosctl watch >"$work/events"
	dmsetup suspend --noflush --nolockfs paxos-flakey
	undo "dmsetup resume paxos-flakey"
	on 1 paxosctl propose 'while the disk stalls'
	until_true is 3 wait disk
	on 3 paxosctl status | grep 'waits: the disk' >&2
	until_true grep 'the disk stalls' "$work/events"
	# It still beats: who looks from outside sees a member that is up.
	sleep 2
	on 1 paxosctl status | grep '^ *3 .* up ' >&2
	dmsetup resume paxos-flakey
	until_true is 3 wait none
	until_true grep 'the disk resumed' "$work/events"
	same_logs 1 2 3
}

a_disk_that_cannot_be_read_at_the_start_keeps_its_member_mute() {
	use_flakey
	cluster kill 3
	sync
	flakey "$ALL_BAD"
	echo 3 >/proc/sys/vm/drop_caches
	not cluster start 3
	agent_log 3 | tail -n 3 | grep -Ei 'input/output error|EIO' >&2
	on 1 paxosctl propose 'without the third'
	flakey "$GOOD"
	cluster start 3
	on 3 paxosctl propose 'readable again'
	same_logs 1 2 3
}

# ended_for_space N: the agent of host 3, so often at least.
ended_for_space() {
	[ "$(agent_log 3 | grep -c 'the next segment: No space left')" -ge "$1" ]
}

a_full_disk_silences_its_member_and_it_says_so() {
	cluster kill 3
	[ ! -e "$work/loop" ] || move_state_back
	# Room for the two segments of 16M that are there, and for no third.
	move_state mount -t tmpfs -o size=40M state
	undo "umount -l $PAXOS_RUN/state-3 2>/dev/null"
	cluster start 3
	on 3 paxosctl propose 'on the new disk'
	spawn 1 burst -n 1400 -o 4 -l 32768 -t 30000 large >"$work/acks"
	until_true is 3 wait agent
	stop_spawned
	until_true ended_for_space 1
	on 1 paxosctl propose 'two of three'
	same_logs 1 2
	acknowledged "$work/acks" 1 2
}

# begins_anew I: as the unit has it, whenever the agent of host I has ended.
begins_anew() {
	until [ -e "$work/enough" ]; do
		cluster start "$1" || sleep 0.5
	done
}

with_room_again_it_comes_back_and_lacks_nothing() {
	begins_anew 3 &
	until_true ended_for_space 3
	mount -o remount,size=400M "$PAXOS_RUN/state-3"
	until_true on 3 paxosctl propose -t 1s 'room again'
	same_logs 1 2 3
	touch "$work/enough"
	wait
	cluster kill 3
	move_state_back
	cluster start 3
}

run_tests \
	three_hosts_form_a_group \
	a_failed_fsync_silences_its_member_and_it_says_so \
	started_again_it_lacks_nothing_that_it_acknowledged \
	a_stalled_disk_is_told_and_costs_the_others_nothing \
	a_disk_that_cannot_be_read_at_the_start_keeps_its_member_mute \
	a_full_disk_silences_its_member_and_it_says_so \
	with_room_again_it_comes_back_and_lacks_nothing
