#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Without a quorum nothing is decided, everybody who asks is told so, and
# nothing is lost. With the sets of voters that were asked for, it is decided.

. "${BASH_SOURCE[0]%/*}/lib.sh"

SENTENCE='no quorum: 2 of 5, 3 needed'

three_of_five_dead_and_the_proposer_is_told() {
	local i
	cluster up 5
	lead 1
	on 1 paxosctl propose 'before'
	for i in 3 4 5; do
		cluster kill "$i"
	done
	until_true is 1 up 2
	until_true is 2 up 2
	refused 2 "$SENTENCE" on 1 paxosctl propose -t 2s 'at the leader'
	refused 2 "$SENTENCE" on 2 paxosctl propose -t 2s 'at a follower'
}

the_status_says_why_it_waits() {
	refused 2 "waits: $SENTENCE" on 1 paxosctl status
	is 1 wait quorum
	refused 2 "\"reason\":\"$SENTENCE" on 1 paxosctl -j status
}

a_read_is_told_so_too() {
	refused 2 "$SENTENCE" on 1 paxosctl read -t 2s
	refused 2 "$SENTENCE" on 2 paxosctl read -t 2s
	# What this member knows it may show without asking anybody.
	on 1 paxosctl log | grep '  before$' >&2
}

unknown_is_not_called_failure() {
	# The two that live may carry it over: whoever says "not chosen" of a
	# value that turns up later has lied.
	cluster start 3
	lead 1
	spawn 1 burst -n 100000 -o 8 -p 10 -t 1000 limbo >"$work/limbo"
	until_true grep -q '^chosen ' "$work/limbo"
	cluster kill 3
	until_true grep -q '^unknown ' "$work/limbo"
	stop_spawned
	until_true is 1 up 2
	log_of 1 >"$work/before"
	on 1 burst -n 5 -t 1000 late >"$work/late"
	cat "$work/late" >&2
	[ "$(wc -l <"$work/late")" -eq 5 ]
	not grep '^chosen ' "$work/late"
	log_of 1 | diff "$work/before" - >&2
	cat "$work/late" >>"$work/limbo"
}

they_come_back_and_nothing_is_lost() {
	local i
	# Until its time is up the tool proposes again what was not proposed.
	spawn 1 paxosctl propose -t 600s 'waits for them' >"$work/waits"
	for i in 3 4 5; do
		cluster start "$i"
	done
	lead 1
	wait $!
	on 4 paxosctl propose 'after'
	same_logs 1 2 3 4 5
	for i in before 'waits for them' after; do
		[ "$(grep -c "  $i\$" "$work/log-3")" -eq 1 ]
	done
	acknowledged "$work/limbo" 1 2 3 4 5
	on 1 paxosctl status
}

flexible_quorums_of_4_and_2_decide_with_two_hosts() {
	cluster down
	cluster up 5 --set PrepareQuorum=4 --set AcceptQuorum=2
	lead 1
	for i in 3 4 5; do
		cluster kill "$i"
	done
	on 1 paxosctl propose 'two of five'
	# Nobody can become leader with them, though.
	until_true is 2 up 2
	refused 2 '' on 2 paxosctl campaign --wait -t 1s
	cluster start 3
	cluster start 4
	lead 3
	same_logs 1 2 3 4
	grep -q '  two of five$' "$work/log-4"
}

quorums_that_need_not_meet_are_refused() {
	sed -e '/^PrepareQuorum/d; /^AcceptQuorum/d; s/^\[Group\]$/&\nPrepareQuorum = 3\nAcceptQuorum = 2/' \
		"$PAXOS_RUN/1.conf" >"$work/conf"
	refused 1 'Quorum.*need not meet' on 5 paxosctl group add -c "$work/conf"
	config_of 1 Key >"$work/key"
	refused 1 'q1|quorum' on 5 paxosctl group add 9 -k "$work/key" \
		--cluster "$(config_of 1 Cluster)" --self 1 --q1 1 --q2 1 \
		-m 1,127.0.0.1:7401 -m 2,127.0.0.1:7402
	[ "$(on 5 nlsend group-add group=u32:9 cluster=zero:16 key=zero:16 \
		self=u8:1 q1=u8:1 q2=u8:1 \
		+member member.id=u8:1 member.address=hex:7f000001 \
			member.port=be16:7401 - \
		+member member.id=u8:2 member.address=hex:7f000001 \
			member.port=be16:7402 - | cut -d' ' -f1)" = EINVAL ]
	on 5 paxosctl group list | not grep '^9 '
}

run_tests \
	three_of_five_dead_and_the_proposer_is_told \
	the_status_says_why_it_waits \
	a_read_is_told_so_too \
	unknown_is_not_called_failure \
	they_come_back_and_nothing_is_lost \
	flexible_quorums_of_4_and_2_decide_with_two_hosts \
	quorums_that_need_not_meet_are_refused
