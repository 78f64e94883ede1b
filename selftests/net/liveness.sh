#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A host's kernel and its agent are alive or not each by itself: the agent of a
# follower stands still for 10 s, and the group decides all the while, under the
# same leader. With memory the follower's kernel votes each time that it is asked,
# and is asked once, so no commit waits for it; with sync it is silent, and the
# others are a quorum. How long commits took is shown, too.
#
# Long: agents stand still for 10 s.

. "${BASH_SOURCE[0]%/*}/lib.sh"

LEAST=$(scaled 100)	# commits in 10 s, one after the other

follows_one() {
	leader=$(state 1 leader)
	[[ $leader =~ ^[123]$ ]] && is 2 leader "$leader" && is 3 leader "$leader"
}

ballots() {
	local i
	for i in 1 2 3; do
		state "$i" ballot
	done | sort -u
}

campaigns() { cat "$PAXOS_RUN"/?.log | grep -c ' campaigns$'; }

# commits SECONDS NAME: one after the other, so many at most that the log holds all;
# what burst said of them is in the file acks-NAME, and the us that each took in
# us-NAME.
commits() {
	spawn "$leader" timeout "$1" burst -u -n $(($1 * 4000)) -o 1 -r 60000 "$2" \
		>"$work/burst"
	sleep "$1" &
	wait
	awk '{ print $NF }' "$work/burst" >"$work/us-$2"
	sed 's/ [0-9]*$//' "$work/burst" >"$work/acks-$2"
	all_chosen "$work/acks-$2" "$(wc -l <"$work/acks-$2")"
}
# median NAME...: of all of them.
median() {
	(cd "$work" && sort -n "${@/#/us-}") |
		awk '{ us[NR] = $1 } END { print us[int((NR + 1) / 2)] }'
}

# stop_for_10_s DURABILITY: how much was chosen meanwhile is in $chosen, the
# median us of a commit in $during, how often the others were asked in $asked,
# what the follower answered in $answers (votes, and some words on how far its disk
# is), and what it had on the disk before in $durable.
stop_for_10_s() {
	local ballot before
	[ ! -e "$PAXOS_RUN" ] || cluster down	# of a test that broke off
	cluster up 3 --durability "$1" --set Election=yes --set LogSize=65536
	until_true follows_one
	follower=$((leader % 3 + 1))
	on "$follower" paxosctl propose 'all three'
	until_true is_even 1 2 3
	ballot=$(ballots)
	campaigned=$(campaigns)
	commits 3 before
	before=$(counter "$follower" accepted-out)
	kill -STOP "$(agent_pid "$follower")"
	sleep 1
	durable=$(state "$follower" durable)
	asked=$(counter "$leader" accept-out)
	commits 10 stopped
	asked=$(($(counter "$leader" accept-out) - asked))
	[ "$(ballots)" = "$ballot" ]
	answers=$(($(counter "$follower" accepted-out) - before))
	chosen=$(wc -l <"$work/acks-stopped")
	during=$(median stopped)
	[ "$chosen" -ge "$LEAST" ]
}

# comes_back DURABILITY: the median of before and behind is in $usual, as what
# the machine does besides may rise or fall.
comes_back() {
	kill -CONT "$(agent_pid "$follower")"
	until_true is "$follower" wait none
	until_true is_even 1 2 3
	commits 3 behind
	usual=$(median before behind)
	say "$1: $chosen chosen in 10 s, $answers answers of member $follower," \
		"$asked Accepts; a commit took $during us, before and behind $usual us"
}

# Nobody campaigns because it is back, and it has what it missed.
goes_on() {
	same_logs 1 2 3
	cat "$work"/acks-* >"$work/acks"
	acknowledged "$work/acks" 1 2 3
	[ "$(campaigns)" -eq "$campaigned" ]
	cluster down
}

with_memory_the_kernel_of_a_stopped_agent_votes_on() {
	stop_for_10_s memory
	[ "$answers" -ge $((chosen - 10)) ]
	# And takes proposals.
	on "$follower" paxosctl propose 'its agent sleeps'
	comes_back memory
	# That of no commit was sent again, but for what a busy machine delays.
	[ "$asked" -le $((chosen * 21 / 10)) ]
	goes_on
}

with_sync_it_is_silent_and_the_others_decide() {
	stop_for_10_s sync
	is "$follower" durable "$durable"
	# Most of it would be votes.
	[ "$answers" -lt "$chosen" ]
	is "$follower" leader "$leader"
	comes_back sync
	goes_on
}

run_tests \
	with_memory_the_kernel_of_a_stopped_agent_votes_on \
	with_sync_it_is_silent_and_the_others_decide
