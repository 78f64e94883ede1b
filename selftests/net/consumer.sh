#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Kernel subsystems consume the log: include/linux/paxos.h, through a counter
# that selftests/kmod/sample_main.c offers as a file. Each open file is one.
#
# Patient: 6.12 and User Mode Linux run it.

. "${BASH_SOURCE[0]%/*}/lib.sh"
. "${BASH_SOURCE[0]%/*}/device.bash"

consumer_field() { status "$1" | grep -o '"consumer":"[^}]*'; }
no_modules() {
	local module
	for module in paxos_optional paxos_sample; do
		[ ! -d "/sys/module/$module" ] || rmmod "$module"
	done
}

# A group of one member, in memory: SLOTS in its log.
alone() {
	quietly_on "$1" paxosctl group add "$2" -k "$work/key" --self 1 \
		--start --cluster "$(printf %032x "$2")" --durability memory \
		-m "1,$(address_of "$1"):$((7400 + $2))" --log-size "$3" \
		--window 256
	quietly_on "$1" paxosctl campaign --wait -g "$2"
}

it_is_there() {
	need_module paxos_sample
	undo no_modules
	paxosctl genkey >"$work/key"
	cluster up 3
	lead 1
}

opening_waits_until_the_group_runs() {
	local pid
	consume 5
	fails 'No such file' at 1 5 open 7 1 0
	fails 'timed out' at 1 5 open 7 1 200
	fails 'Bad file desc' at 1 5 add 1 1000
	at 1 5 open 7 1 60000 &
	pid=$!
	sleep 0.5
	kill -0 "$pid"
	alone 1 7 512
	wait "$pid"
	until_true says 5 quorum 1
	tell 5 add 3 30000
	tell 5 read 30000
	says 5 sum 3
	on 1 paxosctl group del 7
}

a_wait_that_is_killed_ends() {
	local pid
	consume 5
	# shellcheck disable=SC2016	# expanded there
	nsenter --net=/run/netns/paxos-1 bash -c 'echo open 8 1 600000 >&5' &
	pid=$!
	until_true waits "$pid"
	kill -9 "$pid"
	not wait "$pid"
	# Nobody holds it: it can be opened.
	at 1 5 open 1 1 5000
}

what_was_added_before_a_read_is_in_it_wherever() {
	local i round sum=0
	consume 5
	consume 6
	consume 7
	at 1 5 open 1 1 5000
	at 2 6 open 1 1 5000
	at 3 7 open 1 1 5000
	for ((round = 0; round < $(scaled 10 5); round++)); do
		for i in 5 6 7; do
			tell "$i" add 1 30000
			sum=$((sum + 1))
			tell $((5 + (i - 4) % 3)) read 30000
			says $((5 + (i - 4) % 3)) sum "$sum"
		done
	done
	# Who comes later is told all of it.
	consume 8
	at 2 8 open 1 1 0
	tell 8 read 30000
	says 8 sum "$sum"
	# Or only what comes from now on.
	consume 9
	at 3 9 open 1 0 0
	tell 5 add 100 30000
	tell 9 read 30000
	says 9 sum 100
	tell 8 read 30000
	says 8 sum $((sum + 100))
}

# is_written I: its disk knows of all that its kernel does.
is_written() { [ "$(state "$1" lsn)" = "$(state "$1" durable)" ]; }

from_now_on_is_from_when_the_group_starts() {
	consume 5
	until_true is_even 1 3
	until_true is_written 3	# what it learns again behind the start is new
	cluster kill 3
	on 3 paxosctl group add -c "$PAXOS_RUN/3.conf"
	at 3 5 open 1 0 0
	cluster start 3 5>&-
	tell 5 read 30000
	says 5 sum 0
	tell 5 add 7 30000
	tell 5 read 30000
	says 5 sum 7
}

views_come_with_the_configurations() {
	consume 5
	consume 6
	at 1 5 open 1 0 0
	at 3 6 open 1 1 0
	until_true says 5 epoch 1
	says 5 voters 7
	on 1 paxosctl member demote 3
	until_true says 5 epoch 2
	says 5 voters 3
	until_true says 6 epoch 2
	# In the log, and as what precedes it.
	consume 7
	at 2 7 open 1 1 0
	until_true says 7 epoch 2
	consume 8
	at 2 8 open 1 0 0
	until_true says 8 epoch 2
	says 8 voters 3
	on 1 paxosctl member promote 3
	for fd in 5 6 7 8; do
		until_true says "$fd" epoch 3
		says "$fd" voters 7
	done
}

what_finds_no_memory_takes_the_reserve() {
	local count i
	count=$(scaled 200 100)
	modprobe -q paxos_fail || skip "no paxos_fail"
	consume 5
	consume 6
	consume 7
	for i in 1 2 3; do
		at "$i" $((i + 4)) open 1 0 0
	done
	# Through a follower: it, the leader and a quorum need memory for each.
	tell 6 burst "$count" 8 60000
	until_true says 6 chosen "$count"
	says 6 twice 0
	says 6 error 0
	for i in 5 6 7; do
		tell "$i" read 30000
		says "$i" sum "$count"
	done
	[ "$(</sys/module/paxos_fail/parameters/failed)" -gt "$count" ]
	[ "$(counter 2 spares)" -ge "$count" ]
	# It is a reserve: where there is memory, it is not used.
	rmmod paxos_fail
	i=$(counter 2 spares)
	tell 6 add 1 30000
	[ "$(counter 2 spares)" = "$i" ]
}

proposals_from_softirq_end_exactly_once() {
	local count before
	count=$(scaled 2000 300)
	consume 5
	consume 6
	at 1 5 open 1 0 0
	at 2 6 open 1 0 0
	# More at once than a group takes: the rest is refused, and comes later.
	tell 6 burst "$count" 1500 60000
	until_true says 6 left 0
	until_true says 6 chosen "$count"
	says 6 taken "$count"
	says 6 twice 0
	says 6 error 0
	[ "$(said 6 full)" -gt 0 ] || [ -n "$slow" ]
	tell 5 read 30000
	says 5 sum "$count"
	tell 6 read 30000
	says 6 sum "$count"

	# Closed in the midst of it: each has ended, none was lost or told twice.
	consume 7
	at 2 7 open 1 0 0
	tell 7 burst 1000000 "$(scaled 1000 200)" 60000
	until_true has_chosen 7
	tell 7 close
	before=$(cat <&7)
	say "$before"
	awk '{ n[$1] = $2 }
		END { exit n["taken"] != n["chosen"] + n["not-chosen"] + n["unknown"] }' \
		<<<"$before"
	says 7 twice 0
	# No callback came since.
	tell 5 add 1 30000
	sleep 0.3
	[ "$before" = "$(cat <&7)" ]
}
has_chosen() { [ "$(said "$1" chosen)" -gt 0 ]; }

each_error_has_its_number() {
	local pid
	lead 1
	consume 5
	consume 6
	at 1 5 open 1 0 0
	at 2 6 open 1 0 0
	until_true says 5 quorum 1
	until_true says 6 quorum 1
	fails 'Message too long' tell 5 long 32769
	tell 5 long 32768

	ip -n paxos-net link set port2 down
	ip -n paxos-net link set port3 down
	until_true says 5 quorum 0
	until_true says 6 quorum 0
	fails 'Link has been severed' tell 5 add 1 1000
	fails 'Link has been severed' tell 6 read 300
	# A wait that is killed ends.
	# shellcheck disable=SC2016	# expanded there
	bash -c 'echo read 600000 >&5' &
	pid=$!
	until_true waits "$pid"
	kill -9 "$pid"
	not wait "$pid"
	fails 'Link has been severed' tell 5 read 300
	ip -n paxos-net link set port2 up
	ip -n paxos-net link set port3 up
	until_true says 5 quorum 1
	until_true says 6 quorum 1
	tell 6 add 1 30000

	cluster kill --agent 1
	until_true says 5 quorum 0
	fails 'Protocol driver not attached' tell 5 add 1 1000
	fails 'Protocol driver not attached' tell 5 read 1000
	cluster start 1 5>&- 6>&-
	lead 1
	until_true says 5 quorum 1
	tell 5 add 1 30000
	tell 5 read 30000
	says 5 sum 2
}

# No vote comes from the disks of a majority.
more_than_may_be_under_way_is_refused() {
	local i
	lead 1
	consume 5
	consume 6
	at 1 5 open 1 0 0
	at 1 6 open 1 0 0
	for i in 2 3; do
		kill -STOP "$(agent_pid "$i")"
	done
	tell 5 burst 1024 1024 60000
	until_true says 5 taken 1024
	fails 'temporarily unavailable' tell 6 add 1 30000
	for i in 2 3; do
		kill -CONT "$(agent_pid "$i")"
	done
	until_true says 5 chosen 1024
	tell 6 add 1 30000
	tell 6 read 30000
	says 6 sum 1025
}

who_stalls_holds_up_nobody_else_and_is_seen() {
	consume 5
	consume 6
	at 1 5 open 1 0 0
	at 1 6 open 1 0 0
	tell 5 stall "$(term 6000 20000)"
	tell 6 add 1 30000
	tell 6 add 1 30000
	tell 6 read 30000
	says 6 sum 2
	fails 'timed out' tell 5 read 300
	until_true stalls 1
	on 1 paxosctl status | grep -E 'sample +[0-9]+ +[1-9][0-9]* +stalled' >&2
	on 1 paxosctl status | grep -E 'sample +[0-9]+ +0 +fine' >&2
	# The others' agents are told.
	until_true applies_less 2 1
	# The acceptor votes meanwhile: without it there is no quorum.
	ip -n paxos-net link set port3 down
	on 2 paxosctl propose 'while one stalls'
	stalls 1
	ip -n paxos-net link set port3 up
	tell 5 read 30000
	says 5 sum 2
	until_true not stalls 1
}
# applies_less I ID: than is chosen there, as the agent of host I was told.
applies_less() {
	local json
	json=$(quietly_on "$1" paxosctl -j detector -g 1)
	[[ $json =~ (\{\"member\":$2,[^\}]*\}) ]] || return 1
	[ "$(field applied "${BASH_REMATCH[1]}")" -lt "$(state "$2" commit)" ]
}
stalls() { consumer_field "$1" | grep -q '"stalled_ms":[1-9]'; }

who_is_left_behind_by_the_log_is_stopped() {
	consume 5
	consume 6
	alone 1 9 512
	at 1 5 open 9 1 0
	at 1 6 open 9 1 0
	tell 5 stall "$(term 3000 15000)"
	tell 6 drip 2000 10 20000
	until_true says 6 chosen 2000
	tell 6 read 30000
	says 6 sum 2000
	until_true says 5 stopped -116
	[ "$(said 5 sum)" -lt 2000 ]
	fails 'Stale file handle' tell 5 read 1000
	on 1 paxosctl status 9 | grep 'stopped: its log was trimmed' >&2
	# It may propose, and begin anew.
	tell 5 add 1 30000
	on 1 paxosctl group del 9
}

a_group_is_deleted_under_its_consumers() {
	consume 5
	consume 6
	alone 1 9 512
	at 1 5 open 9 1 0
	at 1 6 open 9 1 0
	tell 5 drip 100000000 10 20000
	until_true has_chosen 5
	on 1 paxosctl group del 9
	until_true says 5 stopped -108
	until_true says 6 stopped -108
	fails 'transport endpoint shutdown' tell 6 add 1 1000
	fails 'transport endpoint shutdown' tell 6 read 1000
	until_true says 5 error -108
	tell 5 close
	tell 6 close
	awk '{ n[$1] = $2 }
		END { exit n["taken"] != n["chosen"] + n["not-chosen"] + n["unknown"] }' <&5
	says 5 twice 0
}

# host_apart MEMBER...: host 9, with a group of these in memory.
host_apart() {
	local member members=()
	undo drop_hosts 9
	ip netns add paxos-9
	ip -n paxos-9 link set lo up
	for member; do
		members+=(-m "$member")
	done
	quietly_on 9 paxosctl group add 1 -k "$work/key" --self 1 --start \
		--cluster "$(printf %032x 9)" --durability memory "${members[@]}"
}

a_namespace_is_deleted_under_them() {
	host_apart 1,127.0.0.1:7409
	consume 5
	quietly_on 9 paxosctl campaign --wait
	at 9 5 open 1 1 0
	tell 5 drip 100000000 10 20000
	until_true has_chosen 5
	ip netns del paxos-9
	until_true says 5 stopped -108
	fails 'transport endpoint shutdown' tell 5 read 1000
	tell 5 close
	says 5 twice 0
}

# A handle outlives the namespace, and the route to member 2 must not.
the_routes_of_a_namespace_go_with_it() {
	local i
	host_apart '1,[::1]:7409' '2,[::1]:7410'
	consume 5
	at 9 5 open 1 1 0
	quietly_on 9 paxosctl campaign
	until_true asks_for_votes 9
	ip netns del paxos-9
	until_true says 5 stopped -108
	# Its memory goes with those that come after; only KASAN sees a late use.
	for i in 1 2 3; do
		ip netns add paxos-9
		ip netns del paxos-9
		sleep 0.3
	done
	tell 5 close
	exec 5>&-
	sleep 0.5
}
asks_for_votes() { [ "$(counter "$1" prepare-out)" -gt 0 ]; }

modules_go_in_their_order_only() {
	consume 5
	at 1 5 open 1 0 0
	fails 'in use' rmmod paxos
	fails 'in use' rmmod paxos_sample
	tell 5 burst 100000000 100 20000
	until_true has_chosen 5
	# The consumer goes in the midst of its proposals.
	exec 5>&-
	until_true rmmod paxos_sample
	modprobe paxos_sample
}

a_subsystem_may_do_without_paxos() {
	cluster down
	until_true rmmod paxos_sample
	until_true rmmod paxos
	modprobe paxos_optional
	grep -x N /sys/module/paxos_optional/parameters/there >&2
	not [ -d /sys/module/paxos ]
	rmmod paxos_optional

	modprobe paxos || insmod "$PAXOS_KO"
	cluster up 1
	on 1 modprobe paxos_optional
	grep -x Y /sys/module/paxos_optional/parameters/there >&2
	on 1 paxosctl status | grep -E 'optional +[0-9]+ +0 +fine' >&2
	# No symbol is linked to; the handle it is that keeps it.
	fails 'in use' rmmod paxos
	rmmod paxos_optional
	cluster down
	until_true rmmod paxos
	modprobe paxos || insmod "$PAXOS_KO"
}

run_tests \
	it_is_there \
	opening_waits_until_the_group_runs \
	a_wait_that_is_killed_ends \
	what_was_added_before_a_read_is_in_it_wherever \
	from_now_on_is_from_when_the_group_starts \
	views_come_with_the_configurations \
	what_finds_no_memory_takes_the_reserve \
	proposals_from_softirq_end_exactly_once \
	each_error_has_its_number \
	more_than_may_be_under_way_is_refused \
	who_stalls_holds_up_nobody_else_and_is_seen \
	who_is_left_behind_by_the_log_is_stopped \
	a_group_is_deleted_under_its_consumers \
	a_namespace_is_deleted_under_them \
	the_routes_of_a_namespace_go_with_it \
	modules_go_in_their_order_only \
	a_subsystem_may_do_without_paxos
