#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Three hosts, and the memory of one of them fails: it is found out, says so and
# stops; who restarts, joins or begins behind a slot is no divergence.
#
# Native: it needs kprobes.
# Patient: hosts that start and join, for a minute; 6.12 runs it.

. "${BASH_SOURCE[0]%/*}/lib.sh"
. "${BASH_SOURCE[0]%/*}/device.bash"
DIVERGES=1

# fill N: so many more slots.
fill() {
	on 1 burst -n "$1" -o 8 -t 60000 -r 60000 filler >"$work/acks"
	all_chosen "$work/acks" "$1"
}

# member_says I J NAME: what host I's status has of member J.
member_says() {
	local json
	json=$(status "$1")
	json=${json#*\"member\":"$2",}
	field "$3" "$json"
}
# compared I J SLOT: host I had J's checksum of a slot from there on.
compared() {
	local slot
	slot=$(member_says "$1" "$2" same_slot)
	[ "$slot" != null ] && [ "$slot" -ge "$3" ]
}
# all_compared I...: with each other, at the last slot of all.
all_compared() {
	local i j commit
	until_true is_even "$@"
	commit=$(state "$1" commit)
	for i; do
		for j; do
			[ "$i" = "$j" ] ||
				until_true compared "$i" "$j" "$commit"
		done
		is "$i" diverged_slot null
		is "$i" halted false
	done
}
checksum_same() {
	local i
	for i in "${@:2}"; do
		[ "$(state "$1" checksum)" = "$(state "$i" checksum)" ]
	done
}

# watched FILE: the watch that writes there runs: it sees a change of the lead.
watched() {
	campaign 2
	campaign 1
	grep -q leader "$1"
}

# meter I: its agent writes metrics when it starts the next time.
meter() {
	sed -i "/^\[Group\]/a Metrics = $work/metrics-$1.prom" \
		"$PAXOS_RUN/$1.conf"
}
# metric I NAME LABELS VALUE
metric() {
	grep -Fqx "paxos_$2{group=\"1\"$3} $4" "$work/metrics-$1.prom"
}

three_hosts_compare_their_logs() {
	[ -e /sys/kernel/debug/kprobes ] ||
		grep -qw register_kprobe /proc/kallsyms || skip "no kprobes"
	cluster up 3
	lead 1
	on 1 paxosctl propose one
	all_compared 1 2 3
	fill 300
	all_compared 1 2 3
	checksum_same 1 2 3
	[ "$(state 1 checksum)" != null ]
}

a_restart_is_no_divergence() {
	local before
	cluster kill --agent 2
	meter 2
	fill 100
	cluster start 2
	all_compared 1 2 3
	cluster kill 3
	meter 3
	fill 100
	before=$(state 1 commit)
	cluster start 3
	until_true is 3 commit "$before"
	all_compared 1 2 3
	checksum_same 1 2 3
}

who_joins_compares_too() {
	cluster grow
	on 1 paxosctl member add 4 10.77.0.4:7400
	fill 70
	all_compared 1 2 3 4
	checksum_same 1 4
}

# Open files end with the test.
consumers_on_two_hosts() {
	need_module paxos_sample
	modprobe paxos_kv
	consume 5
	consume 6
	at 2 5 open 1 1 30000
	at 3 6 open 1 1 30000
	at 2 5 add 40 30000
	on 2 paxosctl kv put key value
	on 3 paxosctl kv get key
	on 1 paxosctl kv get key
	until_true says 5 sum 40
	until_true says 6 sum 40
	on 3 paxosctl snapshot save "$work/saved"
	snapshots >"$work/snapshots"
	[ -s "$work/snapshots" ]
	# As if one had been taken between a wrong slot and its discovery.
	cp "$PAXOS_RUN/state-3/$(head -n 1 "$work/snapshots")" \
		"$PAXOS_RUN/state-3/$LATER"
}
LATER=00000000000000100000.snapshot
snapshots() { (cd "$PAXOS_RUN/state-3" && printf '%s\n' *.snapshot); }

one_of_them_is_found_out() {
	local slot
	spawn 3 paxosctl kv watch key >"$work/kv-3" 2>&1
	spawn 2 paxosctl watch -g 1 >"$work/watch-2"
	spawn 3 paxosctl watch -g 1 >"$work/watch-3"
	until_true watched "$work/watch-2"
	until_true watched "$work/watch-3"
	until_true is_even 1 2 3 4
	logged modprobe paxos_corrupt member=3
	at 2 5 add 2 30000	# whose bit flips
	slot=$(state 1 commit)
	until_true is 3 halted true
	until_true says 5 sum 42
	not says 6 sum 42
	is 3 diverged_slot "$slot"
	until_true is 2 diverged_slot "$slot"
	until_true is 1 diverged_slot "$slot"
	is 1 halted false
	is 2 halted false
	until_true tells 2 "divergence at slot $slot: members 2 and 3 differ:"
	until_true tells 3 \
		"slot $slot: members 1 and 3, 2 and 3, 3 and 4 differ; this one"
	until_true grep -q \
		"divergence at slot $slot: members 2 and 3 differ" "$work/watch-2"
	until_true grep -q 'nothing is applied here' "$work/watch-3"
	until_true grep -q 'nothing is applied here any more' "$PAXOS_RUN/3.log"
	# What was made of it is not loaded when it begins anew, nor given.
	until_true [ -e "$PAXOS_RUN/state-3/$LATER.diverged" ]
	snapshots | cmp - "$work/snapshots" >&2
	until_true metric 3 halted '' 1
	until_true metric 3 member_diverged_slot ',member="2"' "$slot"
	until_true metric 2 member_diverged_slot ',member="3"' "$slot"
	metric 2 halted '' 0
	metric 2 member_diverged_slot ',member="1"' 0
	rmmod paxos_corrupt
}

# tells I SENTENCE: its status does.
tells() {
	on "$1" paxosctl status >"$work/status" || return
	grep "$2" "$work/status"
}

# differs COMMAND...: is refused since this member's log does.
differs() { refused 1 "this member's log differs from the others'" "$@"; }

what_it_holds_it_tells_nobody() {
	fails 'Bad message' at 3 6 read 30000
	fails 'Bad message' at 3 6 add 1 30000
	differs on 3 paxosctl read
	differs on 3 paxosctl kv get key
	differs on 3 paxosctl kv get -s key
	differs on 3 paxosctl kv put key other
	differs on 3 paxosctl kv lease list
	differs on 3 paxosctl kv watch key
	until_true grep "this member's log differs" "$work/kv-3"
	until_true the_others_answer
	at 2 5 read 30000
}

the_others_answer() {
	on 2 paxosctl kv get --quorum key >"$work/table" || return
	grep "no answer: its log differs from the others'" "$work/table" &&
		grep -x '2 of 3 voters answered' "$work/table"
}

it_applies_nothing_more_and_the_others_go_on() {
	local applied
	applied=$(said 6 applied)
	spawn 3 paxosctl watch --log -g 1 >"$work/log-3"
	until_true watched "$work/log-3"
	spawn 2 paxosctl watch --log -g 1 >"$work/log-2"
	until_true shows_log 'after the divergence' "$work/log-2"
	at 2 5 add 8 30000
	until_true is_even 1 2 3 4
	until_true says 5 sum 50
	says 6 applied "$applied"
	not grep 'after the divergence' "$work/log-3"
	is 3 halted true
	is 1 halted false
}

# shows_log VALUE FILE: the watch that writes there does, once it runs.
shows_log() {
	quietly_on 1 paxosctl propose "$1" || return
	grep -q "$1" "$2"
}

a_member_whose_memory_fails_is_found_out_and_stops() {
	consumers_on_two_hosts
	one_of_them_is_found_out
	what_it_holds_it_tells_nobody
	it_applies_nothing_more_and_the_others_go_on
	cluster kill 3
	until_true says 6 stopped -108
	fails 'transport endpoint shutdown' tell 6 add 1 1000
	fails 'transport endpoint shutdown' tell 6 read 1000
	exec 5>&- 6>&-
}

a_replay_from_its_disk_heals_it() {
	spawn 2 paxosctl watch -g 1 >"$work/watch-2"
	cluster kill 3	# if it is not yet
	cluster start 3
	until_true is 2 diverged_slot null
	all_compared 1 2 3 4
	checksum_same 1 2 3 4
	consume 6
	at 3 6 open 1 1 30000
	at 3 6 read 30000
	says 6 sum 50
	[ "$(on 3 paxosctl kv get key)" = 'key  value' ]
	exec 6>&-
	until_true rmmod paxos_sample
	until_true rmmod paxos_kv
	on 1 paxosctl propose 'and back'
	all_compared 1 2 3 4
	until_true grep -q 'no member differs any more' "$work/watch-2"
	until_true metric 2 member_diverged_slot ',member="3"' 0
	until_true metric 3 halted '' 0
}

# Its log is as good as before, and what it decides; not what it has applied.
a_leader_that_halts_leads_on_and_others_end_leases() {
	local lease
	# Voters only: a learner would get what it holds from this leader.
	cluster down
	cluster up 3
	lead 1
	modprobe paxos_kv
	on 1 paxosctl kv put there yes
	logged modprobe paxos_corrupt member=1
	on 2 paxosctl propose 'whose bit flips'
	until_true is 1 halted true
	rmmod paxos_corrupt
	leads 1
	differs on 1 paxosctl kv get there
	lease=$(field lease "$(on 2 paxosctl -j kv lease grant 2s)")
	on 2 paxosctl kv put mortal value -l "$lease"
	[ "$(on 3 paxosctl kv get mortal)" = 'mortal  value' ]
	until_true refused 1 'no such key' on 2 paxosctl kv get mortal
	leads 1
	on 1 paxosctl transfer --to 2
	until_true leads 2
	on 1 paxosctl propose 'by a halted one'
	cluster kill 1
	cluster start 1
	all_compared 1 2 3
	rmmod paxos_kv
}

of_two_hosts_that_differ_both_stop() {
	local slot
	cluster down
	cluster up 2
	lead 1
	on 1 paxosctl propose one
	all_compared 1 2
	logged modprobe paxos_corrupt member=2
	on 1 paxosctl propose 'whose bit flips'
	slot=$(state 1 commit)
	until_true is 1 halted true
	until_true is 2 halted true
	is 1 diverged_slot "$slot"
	# What is chosen is chosen all the same.
	on 1 paxosctl propose 'into the log'
	rmmod paxos_corrupt
	cluster kill 2
	cluster start 2
	until_true is 1 halted false
	all_compared 1 2
}

run_tests \
	three_hosts_compare_their_logs \
	a_restart_is_no_divergence \
	who_joins_compares_too \
	a_member_whose_memory_fails_is_found_out_and_stops \
	a_replay_from_its_disk_heals_it \
	a_leader_that_halts_leads_on_and_others_end_leases \
	of_two_hosts_that_differ_both_stop
