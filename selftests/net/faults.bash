# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154	# lib.sh's, and $recorder its user's
#
# Histories that clients record, and the faults under which they do: for
# linearizable.sh and kv_linearizable.sh, behind lib.sh. $recorder: the client.

# record SECONDS HOST...: two clients on each, in the background. Each history
# begins with nothing.
record() {
	local seconds=$1 host history=history-$SECONDS
	rm -f "$work"/client-*
	shift
	for host; do
		spawn "$host" "$recorder" -s "$seconds" "$history" "$host" \
			>"$work/client-$host"
		spawn "$host" "$recorder" -s "$seconds" "$history" $((host + 10)) \
			>"$work/client-$host-too"
	done
	recorders=$(jobs -pr)
}

# The clients have come to their end, by themselves.
recorded() {
	local pid
	for pid in $recorders; do
		wait "$pid"
	done
	cat "$work"/client-* >"$work/history"
	awk '{
		match($0, /"operation":"[a-z]*"/)
		operation = substr($0, RSTART + 13, RLENGTH - 14)
		match($0, /"result":"[a-z]*"/)
		count[operation " " substr($0, RSTART + 10, RLENGTH - 11)]++
	} END { for (kind in count) print kind, count[kind] }' \
		"$work/history" | sort >"$work/kinds"
	tr '\n' ',' <"$work/kinds" >&2
	echo >&2
}

# did OPERATION RESULT LEAST: so many are in the history.
did() {
	awk -v kind="$1 $2" -v least="$3" '
		$1 " " $2 == kind { n = $3 }
		END { exit n < least }' "$work/kinds" ||
		wrong "fewer than $3 '$1 $2'"
}

# it_is_linearizable LEAST: and not for want of operations.
it_is_linearizable() {
	did get ok "$1"
	did put ok "$1"
	did cas ok 1
	linearizable "$work/history" >&2
}

leader_of() {
	local host
	for host; do
		if leads "$host"; then
			echo "$host"
			return
		fi
	done
	return 1
}
# Host 1, 2 or 3 leads and is heard.
any_leads() { leader=$(leader_of 1 2 3); }

# --- Faults, each of them over when it returns -------------------------------

kill_leader() {
	until_true any_leads
	cluster kill "$leader"
	sleep 2
	cluster start "$leader"
}

kill_agent() {
	until_true any_leads
	cluster kill --agent "$leader"
	sleep 1
	cluster start "$leader"
}

partition_leader() {
	local i
	until_true any_leads
	for i in 1 2 3; do
		[ "$i" = "$leader" ] || cluster cut "$i" "$leader"
	done
	sleep 2
	cluster heal
}

# It sends, and hears nobody; then it hears, and nobody hears it.
one_way_cuts() {
	local i
	until_true any_leads
	for i in 1 2 3; do
		[ "$i" = "$leader" ] || cluster cut --one-way "$i" "$leader"
	done
	sleep 2
	cluster heal
	for i in 1 2 3; do
		[ "$i" = "$leader" ] || cluster cut --one-way "$leader" "$i"
	done
	sleep 2
	cluster heal
}

pause_agent() {
	until_true any_leads
	kill -STOP "$(agent_pid "$leader")"
	sleep 2
	kill -CONT "$(agent_pid "$leader")"
}

step_clock() {
	date -s "@$(($(date +%s) + 3600))" >&2
	sleep 1
	date -s "@$(($(date +%s) - 7200))" >&2
	sleep 1
	date -s "@$(($(date +%s) + 3600))" >&2
}

lossy_links() {
	cluster netem all delay 5ms 5ms loss 10% duplicate 5%
	sleep 3
	cluster heal
}

# Host 3's state is on a disk of its own: see give_disk.
stall_disk() {
	dmsetup suspend --noflush --nolockfs paxos-stall
	sleep 3
	dmsetup resume paxos-stall
}

give_disk() {
	local state=$PAXOS_RUN/state-3 loop
	need losetup mke2fs dmsetup
	need_module loop
	need_module ext4
	need_module dm-mod
	truncate -s 200M "$work/disk"
	loop=$(losetup --find --show "$work/disk")
	undo "losetup -d $loop"
	dmsetup create paxos-stall --table \
		"0 $(blockdev --getsz "$loop") linear $loop 0"
	undo "dmsetup remove paxos-stall"
	mke2fs -q -t ext4 -m 0 /dev/mapper/paxos-stall
	cluster kill 3
	mv "$state" "$PAXOS_RUN/moved"
	mkdir "$state"
	mount /dev/mapper/paxos-stall "$state"
	undo "umount -l $state 2>/dev/null"
	cp -a "$PAXOS_RUN/moved/." "$state/"
	rm -r "$PAXOS_RUN/moved"
	cluster start 3
}

# A member joins, votes, leads or not, and is removed.
change_members() {
	local id=$1
	cluster grow
	until_true any_leads
	until_true on "$leader" paxosctl member add "$id" "10.77.0.$id:7400"
	sleep 1
	until_true any_leads
	until_true on "$leader" paxosctl member remove "$id"
	cluster kill "$id"
}
