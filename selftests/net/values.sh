#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Values of every size that matters come out as they went in, on every host.

. "${BASH_SOURCE[0]%/*}/lib.sh"

MAX=32768
# Around the padding, a page of the wire, an Ethernet frame, a page, the most.
sizes=(0 1 7 8 9 1343 1344 1345 1400 1432 1472 1473 4095 4096 4097
	16384 32767 "$MAX")

# propose_and_read_back SIZE: from host 1, by host 2 and host 3.
propose_and_read_back() {
	local slot host
	head -c "$1" /dev/urandom >"$work/value"
	slot=$(on 1 paxosctl -j propose -f "$work/value" |
		sed -n 's/.*"outcome":"chosen","slot":\([0-9]*\),.*/\1/p')
	[ -n "$slot" ]
	for host in 2 3; do
		on "$host" paxosctl read --raw "$slot" >"$work/read"
		cmp "$work/value" "$work/read" >&2
	done
}

values_of_0_bytes_to_32_KiB_come_out_as_they_went_in() {
	local size
	cluster up 3
	lead 1
	for size in "${sizes[@]}"; do
		propose_and_read_back "$size"
	done
	same_logs 1 2 3
}

one_byte_more_is_refused_and_not_proposed() {
	local before
	before=$(status 1 | sed 's/"[a-z_]*_[mu]s":[^,]*,//g')
	head -c $((MAX + 1)) /dev/zero >"$work/value"
	refused 1 '3276[89]' on 1 paxosctl propose -f "$work/value"
	refused 1 '3276[89]' on 2 paxosctl propose -f "$work/value"
	on 1 nlsend propose group=u32:1 timeout=u32:1000 \
		value=zero:$((MAX + 1)) | grep '^EMSGSIZE @value .*32768' >&2
	[ "$(status 1 | sed 's/"[a-z_]*_[mu]s":[^,]*,//g')" = "$before" ]
}

a_path_with_an_MTU_smaller_than_the_value() {
	local i
	for i in 1 2 3; do
		ip -n "paxos-$i" link set eth0 mtu 576
	done
	for i in 600 5000 $MAX; do
		propose_and_read_back "$i"
	done
}

one_link_with_a_smaller_MTU_than_the_others() {
	local i
	for i in 1 3; do
		ip -n "paxos-$i" link set eth0 mtu 1500
	done
	for i in 600 5000 $MAX; do
		propose_and_read_back "$i"
	done
	same_logs 1 2 3
}

large_values_over_IPv6_and_its_smallest_MTU() {
	local i
	cluster down
	cluster up 3 -6
	lead 1
	for i in 1400 1500 $MAX; do
		propose_and_read_back "$i"
	done
	for i in 1 2 3; do
		ip -n "paxos-$i" link set eth0 mtu 1280
	done
	for i in 1300 $MAX; do
		propose_and_read_back "$i"
	done
}

many_large_values_fit_where_few_are_held() {
	local n
	n=$(scaled 100 40)
	cluster down
	cluster up 3 --set Memory=1M
	lead 1
	# Three times what the memory holds: chosen values make room.
	spawn 2 burst -n "$n" -o 4 -l "$MAX" -r 60000 large >"$work/acks"
	wait
	all_chosen "$work/acks" "$n"
	[ "$(state 1 bytes_used)" -le $((1 << 20)) ]
	until_true is_even 1 2 3
}

run_tests \
	values_of_0_bytes_to_32_KiB_come_out_as_they_went_in \
	one_byte_more_is_refused_and_not_proposed \
	a_path_with_an_MTU_smaller_than_the_value \
	one_link_with_a_smaller_MTU_than_the_others \
	large_values_over_IPv6_and_its_smallest_MTU \
	many_large_values_fit_where_few_are_held
