#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Over a limit there is a clear errno and a sentence, and nothing is lost.

. "${BASH_SOURCE[0]%/*}/lib.sh"

one_host_in_memory() {
	cluster up 1 --no-agents
	config_of 1 Key >"$work/key"
}

# add ID OPTION...: a group in memory, of one member if none is named.
add() {
	local id=$1
	shift
	[[ " $* " == *' -m '* ]] || set -- -m "1,127.0.0.1:$((8000 + id))" "$@"
	quietly_on 1 paxosctl group add "$id" -k "$work/key" --self 1 \
		--cluster 00112233445566778899aabbccddeeff \
		--durability memory --window 16 --log-size 32 --memory 1M "$@"
}

sixty_four_members_fit_and_one_more_is_refused() {
	local i members=()
	for ((i = 1; i <= 64; i++)); do
		members+=(-m "$i,10.0.0.$i:7400")
	done
	members[1]=1,127.0.0.1:7400
	on 1 paxosctl group add 64 -k "$work/key" --self 1 "${members[@]}" \
		--cluster 00112233445566778899aabbccddeeff
	on 1 paxosctl status 64 | grep ' 64  10.0.0.64:7400' >&2
	on 1 paxosctl group del 64
	refused 1 '65,|64 members' on 1 paxosctl group add 65 -k "$work/key" \
		--self 1 "${members[@]}" -m 65,10.0.0.65:7400 \
		--cluster 00112233445566778899aabbccddeeff
	{
		cat "$PAXOS_RUN/1.conf"
		for ((i = 2; i <= 65; i++)); do
			printf '[Member]\nId = %d\nAddress = 10.0.0.%d:7400\n' \
				"$i" "$i"
		done
	} >"$work/many.conf"
	chmod 600 "$work/many.conf"
	refused 3 'many.conf:[0-9]*: .*64' on 1 paxosd "$work/many.conf"
	on 1 nlsend group-add group=u32:65 cluster=zero:16 key=zero:16 \
		self=u8:1 +member member.id=u8:65 member.address=hex:7f000001 \
		member.port=be16:1 - | grep '^ERANGE @member.id' >&2
}

windows_logs_and_memory_out_of_range_are_refused() {
	refused 1 'window' add 1 --window 8
	refused 1 'window' add 1 --window 8192 --log-size 65536
	refused 1 'window.*power of two' add 1 --window 100 --log-size 1024
	refused 1 'log' add 1 --log-size 131072
	refused 1 'log.*power of two' add 1 --log-size 1000
	refused 1 'two windows' add 1 --window 1024 --log-size 1024
	refused 1 'memory' add 1 --memory 64K
	refused 1 'memory' add 1 --memory 2G
	[ -z "$(on 1 paxosctl group list)" ]
}

a_group_that_exists_is_not_replaced() {
	local instance
	add 1 --start
	instance=$(state 1 instance)
	refused 1 'group 1 exists' add 1
	[ "$(state 1 instance)" = "$instance" ]
}

a_port_in_use_is_refused() {
	refused 1 'address.*in use|EADDRINUSE|-98' add 2 -m 1,127.0.0.1:8001
	on 1 paxosctl group list | not grep '^2 '
}

an_address_of_another_host_is_refused() {
	refused 1 'on one of its interfaces' add 3 -m 1,10.0.0.1:7400
	on 1 paxosctl group list | not grep '^3 '
}

addresses_that_no_host_has_are_refused() {
	local address
	for address in 0.0.0.0:7400 224.0.0.1:7400 255.255.255.255:7400 \
		'[::]:7400' '[ff02::1]:7400'; do
		refused 1 'address of that host alone' add 4 -m "1,$address"
	done
	refused 1 'must be an address and port' add 4 -m 1,127.0.0.1:0
	refused 1 'do not mix' add 4 -m 1,127.0.0.1:7400 -m '2,[fd77::2]:7400'
	refused 1 'one address and port' \
		add 4 -m 1,127.0.0.1:7400 -m 2,127.0.0.1:7400
	refused 1 'one id' add 4 -m 1,127.0.0.1:7400 -m 1,127.0.0.1:7401
	refused 1 'not one of the members' add 4 -m 2,127.0.0.1:7400
	on 1 paxosctl group list | not grep '^4 '
}

an_IPv4_mapped_address_is_refused() {
	refused 1 'as the IPv4 address that it is' add 5 -m '1,[::ffff:127.0.0.1]:7400'
}

a_link_local_address_without_its_interface_is_refused() {
	refused 1 'link-local with its interface' add 6 -m '1,[fe80::1]:7400'
}

the_257th_group_is_refused() {
	local i
	[ -z "$slow" ] || skip "takes too long here"
	# The first is there.
	for ((i = 2; i <= 256; i++)); do
		add "$i"
	done
	[ "$(on 1 paxosctl group list | wc -l)" -eq 256 ]
	refused 1 '256 groups, the limit' add 257
	# One less, and there is room.
	on 1 paxosctl group del 100
	add 257
}

# interrupted COMMAND ITEM...: a dump is begun, and goes on when there was a
# line in $work/go.
interrupted() {
	rm -f "$work/go"
	mkfifo "$work/go"
	exec 8<>"$work/go"
	quietly_on 1 nlsend -w "$@" <&8 >"$work/dump" &
	sleep 0.5
	logged "${change[@]}"
	echo >&8
	wait
	exec 8>&-
	grep -x interrupted "$work/dump" >&2
}

a_dump_says_that_it_was_interrupted() {
	local change
	[ -z "$slow" ] || skip "there are too few groups here"
	[ "$(on 1 nlsend -d group-get)" = ok ]
	change=(on 1 paxosctl group del 257)
	interrupted group-get
}

so_does_one_of_a_log_that_was_trimmed() {
	local change
	campaign 1
	on 1 burst -n 24 -l 30000 -o 1 first >"$work/acks"
	[ "$(on 1 nlsend -d log-get group=u32:1)" = ok ]
	change=(on 1 burst -n 40 -o 1 second)
	interrupted log-get group=u32:1
}

a_thousand_proposals_wait_and_more_are_refused() {
	# A host whose agent is stopped decides nothing, and takes what fits.
	cluster down
	cluster up 1
	lead 1
	until_true is_even 1
	kill -STOP "$(agent_pid 1)"
	spawn 1 burst -n 1100 -o 1100 -t 60000 queue >"$work/acks"
	until_true is 1 pending 1024
	until_true grep -q '^EAGAIN' "$work/acks"
	sleep 0.3
	kill -CONT "$(agent_pid 1)"
	wait
	awk '{ print $1 }' "$work/acks" | sort | uniq -c >&2
	[ "$(grep -c '^chosen' "$work/acks")" -eq 1024 ]
	[ "$(grep -c '^EAGAIN' "$work/acks")" -eq 76 ]
	acknowledged "$work/acks" 1
}

who_listens_is_told_where_too_much_came_at_once() {
	local follow
	spawn 1 paxosctl log --follow --raw >"$work/follow"
	follow=$!
	on 1 paxosctl propose 'do you follow'
	until_true grep -q 'do you follow' "$work/follow"
	kill -STOP "$(agent_pid 1)"
	spawn 1 burst -n 1000 -o 1000 -t 60000 many >"$work/acks"
	until_true is 1 pending 1000
	kill -CONT "$(agent_pid 1)"
	wait $!
	on 1 paxosctl propose 'and so it goes'
	until_true grep -q 'and so it goes' "$work/follow"
	kill "$follow"
	wait
	[ "$(counter 1 notice-no-memory)" -gt 0 ]
	log_of 1 | sed 's/^[0-9]*  //' | grep -v '(no-op)' |
		diff - "$work/follow" >&2
}

values_beyond_the_memory_are_refused() {
	cluster down
	cluster up 1 --set Memory=1M
	lead 1
	until_true is_even 1
	kill -STOP "$(agent_pid 1)"
	spawn 1 burst -n 40 -o 40 -l 30000 -t 60000 large >"$work/acks"
	until_true grep -q '^ENOMEM' "$work/acks"
	on 1 nlsend propose group=u32:1 value=zero:30000 timeout=u32:1000 |
		grep '^ENOMEM the group holds [0-9]* bytes of values, of 786432' >&2
	kill -CONT "$(agent_pid 1)"
	wait
	[ "$(grep -c '^chosen' "$work/acks")" -ge 20 ]
	# Those that are chosen make room.
	on 1 burst -n 40 -l 30000 -o 4 -t 60000 -r 60000 more >"$work/more"
	all_chosen "$work/more" 40
}

run_tests \
	one_host_in_memory \
	sixty_four_members_fit_and_one_more_is_refused \
	windows_logs_and_memory_out_of_range_are_refused \
	a_group_that_exists_is_not_replaced \
	a_port_in_use_is_refused \
	an_address_of_another_host_is_refused \
	addresses_that_no_host_has_are_refused \
	an_IPv4_mapped_address_is_refused \
	a_link_local_address_without_its_interface_is_refused \
	the_257th_group_is_refused \
	a_dump_says_that_it_was_interrupted \
	so_does_one_of_a_log_that_was_trimmed \
	a_thousand_proposals_wait_and_more_are_refused \
	who_listens_is_told_where_too_much_came_at_once \
	values_beyond_the_memory_are_refused
