#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Values of every size that matters come out as they went in, on every host.
#
# Patient: 6.12 and User Mode Linux run it.

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
	log_of 1 >"$work/before"
	head -c $((MAX + 1)) /dev/zero >"$work/value"
	refused 1 '3276[89]' on 1 paxosctl propose -f "$work/value"
	refused 1 '3276[89]' on 2 paxosctl propose -f "$work/value"
	on 1 nlsend propose group=u32:1 timeout=u32:1000 \
		value=zero:$((MAX + 1)) | grep '^EMSGSIZE @value .*32768' >&2
	is 1 pending 0
	is 2 pending 0
	# A slot more would be there, too.
	same_logs 1 2 3
	diff "$work/before" "$work/log-1" >&2
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

# Two hosts with a router between them, whose second link takes less.
#
#	paxos-1 eth0 ---- port1 paxos-net port2 --(MTU 1280)-- eth0 paxos-2
make_router() {
	local i
	undo drop_hosts 1 2 net
	for i in 1 2 net; do
		ip netns add "paxos-$i"
	done
	for i in 1 2; do
		ip -n paxos-net link add "port$i" type veth \
			peer name eth0 netns "paxos-$i"
		ip -n paxos-net address add "10.77.$i.254/24" dev "port$i"
		ip -n paxos-net address add "fd77:$i::fe/64" dev "port$i" nodad
		ip -n paxos-net link set "port$i" up
		ip -n "paxos-$i" address add "10.77.$i.1/24" dev eth0
		ip -n "paxos-$i" address add "fd77:$i::1/64" dev eth0 nodad
		ip -n "paxos-$i" link set eth0 up
		ip -n "paxos-$i" route add default via "10.77.$i.254"
		ip -n "paxos-$i" route add default via "fd77:$i::fe"
	done
	ip -n paxos-net link set port2 mtu 1280
	ip -n paxos-2 link set eth0 mtu 1280
	on net sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward
		echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
}

# through_router ADDRESS-1 ADDRESS-2
through_router() {
	local i
	for i in 1 2; do
		on "$i" paxosctl group add 1 -k "$work/key" --self "$i" \
			--start --cluster 00112233445566778899aabbccddeeff \
			--durability memory -m "1,$1:7400" -m "2,$2:7400"
	done
	lead 1
	for i in 1200 1400 5000 $MAX; do
		head -c "$i" /dev/urandom >"$work/value"
		on 1 paxosctl propose -f "$work/value"
		on 2 paxosctl read --last --raw >"$work/read"
		cmp "$work/value" "$work/read" >&2
		# And the other way.
		head -c "$i" /dev/urandom >"$work/value"
		on 2 paxosctl propose -f "$work/value"
		on 1 paxosctl read --last --raw >"$work/read"
		cmp "$work/value" "$work/read" >&2
	done
	for i in 1 2; do
		on "$i" paxosctl group del 1
	done
}

a_router_on_the_way_with_a_smaller_MTU_over_IPv4() {
	cluster down
	make_router
	paxosctl genkey >"$work/key"
	through_router 10.77.1.1 10.77.2.1
}

a_router_on_the_way_with_a_smaller_MTU_over_IPv6() {
	through_router '[fd77:1::1]' '[fd77:2::1]'
	drop_hosts 1 2 net
}

many_large_values_fit_where_few_are_held() {
	local n
	n=$(scaled 100 40)
	cluster up 3 --set Memory=1M
	lead 1
	# Three times what the memory holds: chosen values make room.
	spawn 2 burst -n "$n" -o 4 -l "$MAX" -t 60000 -r 60000 large >"$work/acks"
	wait
	all_chosen "$work/acks" "$n"
	[ "$(state 1 bytes_used)" -le $((1 << 20)) ]
	until_true is_even 1 2 3
}

run_tests \
	values_of_0_bytes_to_32_KiB_come_out_as_they_went_in \
	one_byte_more_is_refused_and_not_proposed \
	a_path_with_an_MTU_smaller_than_the_value \
	large_values_over_IPv6_and_its_smallest_MTU \
	a_router_on_the_way_with_a_smaller_MTU_over_IPv4 \
	a_router_on_the_way_with_a_smaller_MTU_over_IPv6 \
	many_large_values_fit_where_few_are_held
