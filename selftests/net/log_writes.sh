#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The power goes at each write that the disk of a write-ahead log saw, as
# dm-log-writes recorded them: whatever was acknowledged up to there is in the
# log that is found then, and what is found is no damage.
#
# Long: each write is replayed, mounted and read.

. "${BASH_SOURCE[0]%/*}/lib.sh"

BATCHES=$(scaled 16 8)
SIZE=32M

attach() {
	undo "detach $1"
	losetup --find --show "$1"
}
detach() { losetup -j "$1" | cut -d: -f1 | xargs -r losetup -d; }

# record VERB BATCHES: logwrites writes a log, and every write is recorded.
record() {
	local disk log
	need losetup mke2fs dmsetup logwrites
	need_module loop
	need_module ext4
	need_module dm-log-writes
	truncate -s "$SIZE" "$work/disk" "$work/target"
	truncate -s 256M "$work/log"
	disk=$(attach "$work/disk")
	log=$(attach "$work/log")
	mke2fs -q -t ext4 -m 0 -J size=1 "$disk"
	# What was there before the first write that is recorded.
	cat "$disk" >"$work/target"
	dmsetup create paxos-writes --table \
		"0 $(blockdev --getsz "$disk") log-writes $disk $log"
	mkdir -p "$work/mount"
	mount /dev/mapper/paxos-writes "$work/mount"
	mkdir "$work/mount/state"
	sync -f "$work/mount"
	logwrites "$1" "$work/mount/state" "$2" \
		'dmsetup message paxos-writes 0 mark'
	umount "$work/mount"
	dmsetup remove paxos-writes
	detach "$work/disk"
	detach "$work/log"
	echo "$2" >"$work/recorded"
}

a_log_is_written_with_every_write_recorded() { record write "$BATCHES"; }
and_one_that_is_trimmed_meanwhile() {
	rm "$work"/disk "$work"/target "$work"/log
	record trim $((2 * BATCHES))
}

# The disk as it is now, after the power has come back: as a file system that
# replays its journal, and a log that is opened: its last record, -1: no log.
look() {
	local found code=0
	cp --sparse=always "$work/target" "$work/copy"
	mount -o loop "$work/copy" "$work/mount"
	if [ -d "$work/mount/state" ]; then
		found=$(logwrites check "$work/mount/state") || code=$?
	else
		found=-1
	fi
	umount "$work/mount"
	echo "$found"
	return "$code"
}

at_each_of_them_what_was_acknowledged_is_there() {
	local next=0 mark acknowledged=-1 found=-1 before looks=0 rises=0 batches
	[ -e "$work/recorded" ] || skip "nothing was recorded"
	batches=$(<"$work/recorded")
	rm "$work/recorded"
	while [ "$next" != end ]; do
		read -r next mark < <(logwrites replay "$work/log" \
			"$work/target" "$next")
		[ "$mark" = - ] || acknowledged=$mark
		before=$found
		found=$(look)
		looks=$((looks + 1))
		[ "$found" -ge "$acknowledged" ] ||
			wrong "write $next: $found, and $acknowledged was acknowledged"
		# A look can tell: records come one batch after the other.
		[ "$found" -le "$before" ] || rises=$((rises + 1))
	done
	say "$looks writes, $found records in the end, in $rises steps"
	[ "$found" = "$acknowledged" ]
	[ "$looks" -gt $((2 * batches)) ] && [ "$rises" -ge "$batches" ]
}
and_there_too() { at_each_of_them_what_was_acknowledged_is_there; }

run_tests \
	a_log_is_written_with_every_write_recorded \
	at_each_of_them_what_was_acknowledged_is_there \
	and_one_that_is_trimmed_meanwhile \
	and_there_too
