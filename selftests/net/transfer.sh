#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A host that was away for more than the others' kernels hold is brought up to
# date by their agents, from their logs, over TCP.
#
# Host 3 is the one that is away. Its own kernel holds all slots, so that its
# whole log can be looked at. The others give their logs at 1 MiB a second, until
# the last test, so that a transfer lasts long enough to be cut.
#
# Long: some 60,000 slots are decided and transferred slowly.

. "${BASH_SOURCE[0]%/*}/lib.sh"

AWAY=$(scaled 20000 12000)
AGAIN=$((AWAY * 3 / 4))	# in all of them together there is room on host 3
RATE=$((1 << 20))
LENGTH=200

more_room_on_host_3() {
	cluster kill 3
	sed -i 's/^Self = 3/&\nLogSize = 65536\nMemory = 256M/' \
		"$PAXOS_RUN/3.conf"
	cluster start 3
	lead 1
	until_true is 3 leader 1
	on 3 paxosctl propose 'all three'
}

three_hosts_form_a_group() {
	cluster up 3 --set TransferRate=1M
	more_room_on_host_3
}

# decide COUNT NAME: while host 3 is away.
decide() {
	on 1 burst -n "$1" -o 256 -l "$LENGTH" -t 60000 -r 60000 "$2" \
		>>"$work/acks"
}
# In hundredths of a second.
uptime() { tr -d . </proc/uptime | cut -d' ' -f1; }
transfers() { [ "$(state 3 transfer_from)" != null ]; }
# $from gives.
gives() {
	from=$(state 3 transfer_from)
	[ "$from" != null ]
}
# A transfer that has gone on for some slots.
await_transfer() {
	until_true transfers
	until_true grows_from 3 "$(($(state 3 commit) + 200))"
}
# is_level [I]: host 3, or I, knows all that host 1 does, give or take what is
# under way.
is_level() {
	local first
	first=$(state 1 commit)
	[ "$(state "${1:-3}" commit)" -ge "$first" ] && is_not "${1:-3}" wait behind
}
# Nothing is missing on host 3, from slot 1 on.
whole_log() {
	until_true is_level
	log_of 3 >"$work/log"
	awk '$1 != NR { print "slot " $1 " in line " NR; exit 1 }' \
		"$work/log" >&2
	all_chosen "$work/acks" "$1"
	acknowledged "$work/acks" 3
}

# What the tool says while it goes on.
says_so() {
	on 3 paxosctl status >"$work/status"
	cat "$work/status" >&2
	grep -Eq '^  transfers from member [12]: slot [0-9]+ of [0-9]+$' \
		"$work/status"
}

a_host_that_missed_thousands_of_slots_comes_back_by_itself() {
	local goal
	cluster kill 3
	decide "$AWAY" first
	cluster start 3
	until_true transfers
	until_true says_so
	goal=$(state 3 transfer_goal)
	[ "$goal" -gt "$(state 3 commit)" ]
	until_true is_level
	whole_log "$AWAY"
	until_true grep -q "kernels do the rest" "$PAXOS_RUN/3.log"
	# And it takes part: with another away it is needed.
	cluster kill 2
	on 3 paxosctl propose 'the third is back'
	cluster start 2
}

no_faster_than_it_may() {
	local before after start end
	cluster kill 3
	decide "$AGAIN" second
	cluster start 3
	await_transfer
	before=$(state 3 commit) start=$(uptime)
	until_true grows_from 3 $((before + AGAIN / 8))
	after=$(state 3 commit) end=$(uptime)
	say "$((after - before)) slots of $LENGTH bytes in $((end - start))0 ms"
	# Time only makes it less; a tenth of a second's worth may come at once.
	[ $(((after - before) * LENGTH)) -le \
		$((RATE * (end - start + 20) / 100)) ]
}

cut_in_the_middle_it_goes_on_where_it_was() {
	local from commit
	await_transfer
	logged ip -n paxos-net link set port3 down
	commit=$(state 3 commit)
	until_true is 3 transfer_from null
	logged ip -n paxos-net link set port3 up
	await_transfer
	[ "$(state 3 commit)" -gt "$commit" ]
	# The agent that gives dies: the other one does.
	until_true gives
	cluster kill --agent "$from"
	until_true is 3 transfer_from $((3 - from))
	await_transfer
	cluster start "$from"
	lead 1
	until_true is_level
	whole_log $((AWAY + AGAIN))
}

its_own_agent_killed_it_goes_on_from_its_disk() {
	cluster kill 3
	decide "$AGAIN" third
	cluster start 3
	await_transfer
	kill -9 "$(agent_pid 3)"
	until_true is 3 wait agent
	cluster start 3
	await_transfer
	# And with its kernel's memory gone.
	cluster kill 3
	cluster start 3
	whole_log $((AWAY + 2 * AGAIN))
}

# say_to I TEXT: over TCP; what comes back.
say_to() {
	local port
	port=$((7400 + 1))
	# shellcheck disable=SC2016 # the inner shell's
	quietly_on 3 timeout 30 bash -c '
		exec 9<>"/dev/tcp/$0/$1"
		printf "$2" >&9
		cat <&9' "$(address_of "$1")" "$port" "$2"
}

who_has_not_the_key_gets_nothing() {
	local before code=0 i
	before=$(state 1 commit)
	# Closed at once: no frame is so long.
	say_to 1 '\xff\xff\xff\xff\x01\0\0\0' >"$work/answer" || code=$?
	[ "$code" -ne 124 ] && [ ! -s "$work/answer" ]
	# A greeting of the right form under no key.
	say_to 1 "\x28\0\0\0\x01\0\0\0\x01\x03\x01\0\x01\0\0\0$(
		printf '\\x11%.0s' {1..44})" >"$work/answer" || code=$?
	[ "$code" -ne 124 ] && [ ! -s "$work/answer" ]
	agent_log 1 | grep 'TCP says something that is' >&2
	# Who says nothing is shown out, and takes nobody's place.
	for ((i = 0; i < 20; i++)); do
		# shellcheck disable=SC2016 # the inner shell's
		spawn 3 bash -c 'exec 9<>"/dev/tcp/$0/7401"; sleep 60' \
			"$(address_of 1)"
	done
	say_to 1 '' >"$work/answer" || code=$?
	[ "$code" -ne 124 ] && [ ! -s "$work/answer" ]
	[ "$(state 1 commit)" -ge "$before" ]
}

# rate FROM SINCE: slots a second that the leader decided since it was at slot
# FROM, which was at uptime SINCE.
rate() {
	local now
	now=$(uptime)
	echo $((($(state 1 commit) - $1) * 100 / (now - $2)))
}

# In clock ticks: what the thread NAME of agent I has used so far.
used_by() {
	local file
	file=$(grep -l "($2)" "/proc/$(agent_pid "$1")/task"/*/stat)
	awk '{ print $14 + $15 }' "$file"
}

under_load_it_catches_up_and_costs_the_others_little() {
	local alone during at since from ticks
	cluster down
	cluster up 3
	more_room_on_host_3
	cluster kill 3
	rm "$work/acks"
	decide "$AWAY" fourth
	spawn 2 burst -n 1000000 -o 1 -l "$LENGTH" -t 60000 -r 60000 load \
		>"$work/load"
	await_growth 1
	at=$(state 1 commit) since=$(uptime)
	sleep 4
	alone=$(rate "$at" "$since")
	cluster start 3
	until_true transfers
	from=$(state 3 transfer_from)
	at=$(state 1 commit) since=$(uptime)
	until_true is_level
	during=$(rate "$at" "$since")
	ticks=$(used_by "$from" serve)
	say "the leader decides $alone slots/s alone," \
		"$during while $AWAY are brought in $(($(uptime) - since))0 ms;" \
		"member $from gave its log in" \
		"$((ticks * 10)) ms of processor time"
	# The leader is left in peace where another can do it.
	[ "$from" = 2 ]
	stop_spawned
	whole_log "$AWAY"
	acknowledged "$work/load" 3
}

# Whoever gives it finds it among the members that were chosen, in no file.
a_host_that_joins_gets_what_no_kernel_holds() {
	cluster grow
	on 1 paxosctl member add 4 10.77.0.4:7400
	until_true is_level 4
	log_of 4 >"$work/log"
	awk '$1 != NR { print "slot " $1 " in line " NR; exit 1 }' \
		"$work/log" >&2
	acknowledged "$work/acks" 4
}

run_tests \
	three_hosts_form_a_group \
	a_host_that_missed_thousands_of_slots_comes_back_by_itself \
	no_faster_than_it_may \
	cut_in_the_middle_it_goes_on_where_it_was \
	its_own_agent_killed_it_goes_on_from_its_disk \
	who_has_not_the_key_gets_nothing \
	under_load_it_catches_up_and_costs_the_others_little \
	a_host_that_joins_gets_what_no_kernel_holds
