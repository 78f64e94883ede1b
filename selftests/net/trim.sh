#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The write-ahead log with LogSpace: it stays within that, what goes is needed
# by nobody or was announced, and a log that begins later is as good as another.
#
# Host 3 is the one that is away.
#
# Long: some 200 MiB are decided.

. "${BASH_SOURCE[0]%/*}/lib.sh"

SPACE=$((16 << 20))
LENGTH=8000
FILL=$(scaled 3000 2200)	# values of LENGTH: more than LogSpace
KILLS=$(scaled 12 4)

three_hosts_form_a_group() {
	cluster up 3 --set LogSpace=16M --set Memory=4M
	lead 1
	on 1 paxosctl propose 'the first'
}

# fill COUNT NAME [I]: decide so much, from host I.
fill() {
	on "${3:-1}" burst -n "$1" -o 64 -l "$LENGTH" -t 60000 -r 60000 "$2" \
		>>"$work/acks"
}
directory() { config_of "$1" StateDirectory; }
# used I: bytes that its segments and its spare take. One may go meanwhile.
used() {
	{
		stat -c '%b %B' "$(directory "$1")"/* 2>"$work/stat" ||
			cat "$work/stat" >&2
	} |
		awk '{ sum += $1 * $2 } END { printf "%d\n", sum }'
}
segments() { find "$(directory "$1")" -name '*.wal' | wc -l; }
# The rest of the directory is a block each.
within() { [ "$(used "$1")" -le $((SPACE + (64 << 10))) ]; }
first() { state "$1" log_first; }
begins_behind() { [ "$(first "$1")" -gt "$2" ]; }
level() {
	local commit
	commit=$(state 1 commit)
	[ "$(state "$1" commit)" -ge "$commit" ]
}

# agree I...: where their kernels hold the same slot, it has the same value; and
# what was acknowledged is there, in its slot.
agree() {
	local i
	for i; do
		log_of "$i" | tr -s . | sed 's/\.$//' >"$work/log-$i"
		awk -v host="$i" '
		NR == FNR { if ($1 == "chosen") slot[$3] = $2; next }
		FNR > 1 && $1 != before + 1 {
			print "host " host ": slot " $1 " behind " before
			bad = 1
		}
		{ before = $1 }
		FNR == 1 { first = $1 }
		$2 in slot { seen[$2]++ }
		$2 in slot && slot[$2] != $1 {
			print "host " host ": " $2 " acknowledged in slot " \
				slot[$2] ", is in " $1
			bad = 1
		}
		END {
			for (value in slot)
				if (slot[value] >= first && seen[value] != 1) {
					print "host " host ": " value " is there " \
						seen[value] + 0 " times"
					bad = 1
				}
			exit bad
		}' "$work/acks" "$work/log-$i" >&2
	done
	for i in "${@:2}"; do
		awk 'NR == FNR { slot[$1] = $2; next }
			$1 in slot && slot[$1] != $2 {
				print "slot " $1 " differs"
				bad = 1
			}
			$1 in slot { common++ }
			END { exit bad || !common }' \
			"$work/log-$1" "$work/log-$i" >&2
	done
}

a_burst_of_more_than_it_stays_within_it() {
	local i most=0
	spawn 1 burst -n $((2 * FILL)) -o 64 -l "$LENGTH" -t 60000 -r 60000 a \
		>>"$work/acks"
	while [ -n "$(jobs -pr)" ]; do
		for i in 1 2 3; do
			i=$(used "$i")
			most=$((i > most ? i : most))
		done
		sleep 0.2
	done
	say "at most $most of $SPACE bytes"
	[ "$most" -le $((SPACE + (64 << 10))) ]
	[ "$most" -gt $((SPACE / 2)) ]
	all_chosen "$work/acks" $((2 * FILL))
	for i in 1 2 3; do
		until_true begins_behind "$i" $((FILL / 2))
		within "$i"
	done
	until_true level 2
	until_true level 3
	agree 1 2 3
	on 1 paxosctl status >"$work/status"
	cat "$work/status" >&2
	grep -Eq '^  log: [0-9.]+ MiB of 16.0 MiB, from slot [0-9]+ on$' \
		"$work/status"
	not grep -q 'have to be replaced' "$work/status"
}

what_is_left_restores_all_of_it() {
	local i commit promised json
	commit=$(state 1 commit)
	promised=$(state 2 promised)
	cluster kill 2
	cluster start 2
	until_true level 2
	[ "$(state 2 promised)" = "$promised" ]
	for i in 1 2 3; do
		cluster kill "$i"
	done
	for i in 1 2 3; do
		cluster start "$i"
	done
	lead 1
	for i in 1 2 3; do
		[ "$(state "$i" commit)" -ge "$commit" ] ||
			until_true level "$i"
	done
	json=$(quietly_on 2 paxosctl -j propose 'after all of them')
	[ "$(field slot "$json")" -gt "$commit" ]
	until_true is_even 1 2 3
	agree 1 2 3
}

who_joins_begins_where_the_others_do() {
	local begins
	cluster grow
	on 1 paxosctl member add 4 10.77.0.4:7400
	until_true level 4
	until_true grep -q 'will never know those before' "$PAXOS_RUN/4.log"
	begins=$(first 4)
	[ "$begins" -gt 1 ]
	until_true is 4 wait none
	agree 1 4
	# So it is after a restart, and it is as good a member as another.
	cluster kill 4
	cluster start 4
	until_true level 4
	[ "$(first 4)" -ge "$begins" ]
	on 1 paxosctl member promote 4
	cluster kill 2
	cluster kill 3
	cluster start 2
	fill 50 joined
	cluster start 3
	until_true level 3
	on 1 paxosctl member remove 4
}

notices() { grep -c "at 100 % slots" "$PAXOS_RUN/1.log" || true; }

what_a_member_lacks_is_announced_before_it_goes() {
	local known went=0 events=$work/events
	until_true is_even 1 2 3
	known=$(state 3 commit)
	spawn 1 paxosctl -j watch >"$events"
	cluster kill 3
	# A little at a time: nothing goes that was not said to.
	while [ "$(first 1)" -le "$known" ]; do
		within 1
		[ "$(state 1 log_held_by)" != 3 ] ||
			went=$(state 1 log_goes)
		fill 40 away
	done
	[ "$went" -gt "$known" ] || wrong "it was not announced in the status"
	[ "$(notices)" -ge 1 ] || wrong "it was not announced in the log"
	grep '"event":"space"' "$events" >&2
	grep '"event":"space"' "$events" | grep -q '"log_held_by":3'
	# The first that went is what was announced first.
	grep -o 'at 100 % slots [0-9]* to [0-9]* go; member 3, at slot [0-9]*' \
		"$PAXOS_RUN/1.log" >&2
	until_true grep -q 'replace it: paxosctl member replace 3' \
		"$PAXOS_RUN/1.log"
	within 1
	within 2
}

who_comes_back_too_late_says_so_and_is_replaced() {
	local commit
	fill "$FILL" later
	cluster start 3
	commit=$(state 3 commit)
	until_true is 3 wait behind
	until_true is_not 3 log_lacks_below null
	until_true grep -q 'Replace it: paxosctl member replace' \
		"$PAXOS_RUN/3.log"
	on 3 paxosctl status >"$work/status"
	cat "$work/status" >&2
	grep -q 'paxosctl member replace 3' "$work/status"
	# No hole: it stays where it is, and the others go on.
	[ "$(state 3 commit)" = "$commit" ]
	fill 20 without
	[ "$(state 3 commit)" = "$commit" ]
	on 1 paxosctl member remove 3
	cluster kill 3
	cluster grow
	on 1 paxosctl member add 5 10.77.0.5:7400
	until_true level 5
	on 1 paxosctl member promote 5
	agree 1 2 5
}

killed_at_any_time_nothing_is_lost() {
	local i before
	before=$(first 2)
	spawn 1 burst -n 1000000 -o 64 -l "$LENGTH" -t 60000 -r 60000 kills \
		>>"$work/acks"
	for ((i = 0; i < KILLS; i++)); do
		await_growth 2
		sleep "0.$((RANDOM % 10))"
		cluster kill --agent 2
		within 2
		cluster start 2
		until_true is 2 wait none
	done
	await_growth 2
	stop_spawned
	until_true is_even 1 2 5
	# All that it knows is from its disk now.
	cluster kill 2
	cluster start 2
	until_true is_even 1 2 5
	agree 1 2 5
	begins_behind 2 "$before"
	say "killed $KILLS times, from slot $before to $(first 2) went meanwhile"
}

run_tests \
	three_hosts_form_a_group \
	a_burst_of_more_than_it_stays_within_it \
	what_is_left_restores_all_of_it \
	who_joins_begins_where_the_others_do \
	what_a_member_lacks_is_announced_before_it_goes \
	who_comes_back_too_late_says_so_and_is_replaced \
	killed_at_any_time_nothing_is_lost
