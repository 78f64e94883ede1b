# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154	# lib.sh's, and those of its user
#
# Histories that clients record, the faults under which they do, and the tests
# of that: for linearizable.sh and kv_linearizable.sh, behind lib.sh. $recorder is
# the client, $module what it speaks to; $also are operations of which histories
# have some, beside those of registers and locks. PAXOS_SEED is another order of
# mixed faults. Where PAXOS_SHARE is set, histories are kept there.

# record: two clients on each host, in the background, until recorded. Each
# history begins with nothing.
record() {
	local host history=history-$SECONDS
	rm -f "$work"/client-*
	for host in 1 2 3; do
		spawn "$host" "$recorder" -s 3600 "$history" "$host" \
			>"$work/client-$host"
		spawn "$host" "$recorder" -s 3600 "$history" $((host + 10)) \
			>"$work/client-$host-too"
	done
	recorders=$(jobs -pr)
}

# The clients end, each behind what it does just now. $name is the test's.
recorded() {
	local pid file=${0##*/}
	# shellcheck disable=SC2086	# words
	kill $recorders
	for pid in $recorders; do
		wait "$pid"
	done
	cat "$work"/client-* >"$work/history"
	[ -z "${PAXOS_SHARE-}" ] ||
		cp "$work/history" "$PAXOS_SHARE/${file%.sh}-$name.jsonl"
	awk '{
		match($0, /"operation":"[a-z]*"/)
		operation = substr($0, RSTART + 13, RLENGTH - 14)
		if (/"shared":true/) operation = "share"
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
cut_one_way() {
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

# What else happens meanwhile may end it.
pause_agent() {
	local pid
	until_true any_leads
	pid=$(agent_pid "$leader")
	kill -STOP "$pid"
	sleep 2
	kill -CONT "$pid" || say "it is gone"
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

# Host 3's state is on a disk of its own: see below.
stall_disk() {
	dmsetup suspend --noflush --nolockfs paxos-stall
	sleep 3
	dmsetup resume paxos-stall
}

a_host_gets_a_disk_that_can_stall() {
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

# member CHANGE...: of whoever leads, until it is made: of one whose end nobody
# saw the next try says so.
member() { until_true changed "$@"; }
changed() {
	any_leads || return
	quietly_on "$leader" paxosctl member "$@" 2>"$work/change" ||
		grep -E 'is just that|there is no member' "$work/change"
}

# A member joins, votes, leads or not, and is removed.
change_members() {
	local confs id
	cluster grow
	confs=("$PAXOS_RUN"/*.conf)
	id=${#confs[@]}
	member add "$id" "10.77.0.$id:7400"
	member promote "$id"
	sleep 1
	member remove "$id"
	cluster kill "$id"
}

# Host 3 is given up, and comes back as a member that knows nothing; its clients
# stay.
replace_host() {
	local conf=$PAXOS_RUN/3.conf old new
	old=$(config_of 3 Self)
	new=$((old + 20))
	cluster kill 3
	member remove "$old"
	sed -i -e "s/^Self = .*/Self = $new/" -e "s/^Id = $old$/Id = $new/" \
		-e "s|^StateDirectory = .*|StateDirectory = $PAXOS_RUN/state-3/$new|" \
		"$conf"
	on 3 paxosd join "$conf"
	cluster start 3
	member add "$new" 10.77.0.3:7400
	member promote "$new"
}

# All hosts' kernels forget at once, and clients meet a module that is new, since
# $restarted.
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
	restarted=$(clock_ns)
	until_true any_leads
}

# --- Tests --------------------------------------------------------------------

# history_of FAULT [SECONDS]: a history of its own, in which that happens.
history_of() {
	record
	sleep 1
	"$1"
	sleep "${2:-2}"
	recorded
	it_is_linearizable 30
}

the_leader_is_killed() { history_of kill_leader; }
the_agent_is_killed() { history_of kill_agent; }
the_agent_pauses() { history_of pause_agent; }
the_leader_is_cut_off() { history_of partition_leader; }
links_are_cut_one_way() { history_of cut_one_way; }
the_clock_steps() { history_of step_clock; }
the_disk_stalls() { history_of stall_disk; }
members_change() { history_of change_members; }
a_host_with_clients_is_replaced() { history_of replace_host; }

modules_restart() {
	# Clients whose answers went with the module wait for them.
	history_of restart_modules 10
	put_since "$restarted" 10
}

# Host 3 is cut off; its client asks nobody, and reads what was.
a_stale_read_is_caught() {
	local i pids
	until_true any_leads
	[ "$leader" != 3 ] || on 3 paxosctl transfer --to 1
	until_true any_leads
	rm -f "$work"/client-*
	spawn 3 "$recorder" -s 3600 -r -l stale 3 >"$work/client-3"
	pids=$!
	sleep 0.5
	cluster cut 3 1
	cluster cut 3 2
	for i in 1 2; do
		spawn "$i" "$recorder" -s 3600 stale "$i" >"$work/client-$i"
		pids+=" $!"
	done
	recorders=$pids
	sleep 6
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

# shuffle ARRAY: in the order of RANDOM.
shuffle() {
	local -n list=$1
	local i j other
	for ((i = ${#list[@]} - 1; i > 0; i--)); do
		j=$((RANDOM % (i + 1))) other=${list[i]}
		list[i]=${list[j]}
		list[j]=$other
	done
}

# Each of them once, and three beside others.
all_of_it_mixed() {
	local seed=${PAXOS_SEED:-$RANDOM} pid i
	local beside=(stall_disk pause_agent step_clock)
	local faults=(kill_leader kill_agent partition_leader cut_one_way
		lossy_links change_members replace_host restart_modules)
	say "PAXOS_SEED=$seed"
	RANDOM=$seed
	shuffle faults
	shuffle beside
	record
	for i in "${!faults[@]}"; do
		until_true any_leads
		echo "+ ${faults[i]} ${beside[i]-}" >&2
		pid=
		if [ -n "${beside[i]-}" ]; then
			"${beside[i]}" &
			pid=$!
			sleep 0.5
		fi
		"${faults[i]}"
		[ -z "$pid" ] || wait "$pid"
		sleep 2
	done
	recorded
	it_is_linearizable 200
	until_true is_even 1 2 3
	# leases end meanwhile, and that is in the log
	until_true same_logs 1 2 3
}
