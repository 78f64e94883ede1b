# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154	# lib.sh's, and those of its user
#
# Histories that clients record, the faults under which they do, and the tests
# of that: for linearizable.sh and kv_linearizable.sh, behind lib.sh. $recorder is
# the client, $module what it speaks to; $also are operations of which histories
# have some, beside those of registers and locks.

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
	local operation
	did get ok "$1"
	did put ok "$1"
	for operation in cas acquire release $also; do
		did "$operation" ok 1
	done
	linearizable "$work/history" >&2
}

# Of the clock that histories are written by.
clock_ns() { awk '{ printf "%.0f\n", $1 * 1e9 }' /proc/uptime; }
# put_since TIME LEAST: so many were called and done after that.
put_since() {
	local n
	n=$(grep '"put".*"ok"' "$work/history" |
		awk -F'"call":' -v since="$1" '$2 + 0 > since { n++ }
			END { print n + 0 }')
	[ "$n" -ge "$2" ] || wrong "fewer than $2 puts after $1: $n"
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

# All hosts' kernels forget at once, and clients meet a module that is new.
restart_modules() {
	local modprobe
	modprobe=$(</proc/sys/kernel/modprobe)
	cluster kill 1 2 3
	# or clients that ask for the family have it loaded again
	undo "echo $modprobe >/proc/sys/kernel/modprobe"
	echo >/proc/sys/kernel/modprobe
	until_true let_go paxos
	echo "$modprobe" >/proc/sys/kernel/modprobe
	cluster start 1 2 3
	modprobe "$module"
	until_true any_leads
}

# --- Tests --------------------------------------------------------------------

the_leader_is_killed() {
	record 8 1 2 3
	sleep 1
	kill_leader
	recorded
	it_is_linearizable 30
}

links_are_cut() {
	record 12 1 2 3
	sleep 1
	partition_leader
	one_way_cuts
	recorded
	it_is_linearizable 30
}

# Host 3 is cut off; its client asks nobody, and reads what was.
a_stale_read_is_caught() {
	local i pids
	until_true any_leads
	[ "$leader" != 3 ] || on 3 paxosctl transfer --to 1
	until_true any_leads
	rm -f "$work"/client-*
	spawn 3 "$recorder" -s 7 -r -l stale 3 >"$work/client-3"
	pids=$!
	sleep 0.5
	cluster cut 3 1
	cluster cut 3 2
	for i in 1 2; do
		spawn "$i" "$recorder" -s 6 stale "$i" >"$work/client-$i"
		pids+=" $!"
	done
	recorders=$pids
	recorded
	cluster heal
	did put ok 10
	refused 1 "register 'r[0-9]*' is not linearizable: line" \
		linearizable "$work/history"
	# And it was the reads of host 3: the others' are fine.
	cat "$work"/client-[12] >"$work/history"
	linearizable "$work/history" >&2
	until_true is_even 1 2 3
}

disks_stall_and_agents_pause() {
	give_disk
	record 16 1 2 3
	sleep 1
	stall_disk
	pause_agent
	kill_agent
	step_clock
	recorded
	it_is_linearizable 30
}

members_change() {
	record 20 1 2 3
	change_members 4
	change_members 5
	recorded
	it_is_linearizable 30
}

modules_restart() {
	local restarted
	record 25 1 2 3
	sleep 2
	restart_modules
	restarted=$(clock_ns)
	recorded
	it_is_linearizable 30
	put_since "$restarted" 10
}

all_of_it_mixed() {
	local end=$((SECONDS + 90)) id=6 faults fault
	faults=(kill_leader kill_agent partition_leader one_way_cuts pause_agent
		step_clock lossy_links stall_disk change_members
		restart_modules)
	record 100 1 2 3
	RANDOM=1
	while ((SECONDS < end)); do
		fault=${faults[RANDOM % ${#faults[@]}]}
		echo "+ $fault" >&2
		if [ "$fault" = change_members ]; then
			change_members $((id++))
		else
			"$fault"
		fi
		sleep 1
	done
	recorded
	it_is_linearizable 200
	until_true is_even 1 2 3
	# leases end meanwhile, and that is in the log
	until_true same_logs 1 2 3
}
