#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Addresses of another kind, and members that move.
#
#	paxos-1 fe80::1%eth0 ---- eth0%fe80::2 paxos-2
#
# Their interfaces have other numbers, as on real hosts.

. "${BASH_SOURCE[0]%/*}/lib.sh"

two_hosts_with_one_wire() {
	local i
	undo drop_hosts 1 2
	ip netns add paxos-1
	ip netns add paxos-2
	ip link add eth0 index 41 netns paxos-1 type veth \
		peer name eth0 index 42 netns paxos-2
	paxosctl genkey >"$work/key"
	for i in 1 2; do
		ip -n "paxos-$i" address add "fe80::$i/64" dev eth0 nodad
		ip -n "paxos-$i" link set eth0 up
	done
}

# add I ADDRESS-OF-2
add() {
	on "$1" paxosctl group add 1 -k "$work/key" --self "$1" --start \
		--cluster 00112233445566778899aabbccddeeff \
		--durability memory -m '1,[fe80::1%eth0]:7400' -m "2,$2"
}

an_address_that_is_wrong_can_be_set_right() {
	add 1 '[fe80::99%eth0]:7400'
	add 2 '[fe80::2%eth0]:7400'
	refused 2 'no quorum: 1 of 2, 2 needed' \
		on 1 paxosctl campaign --wait -t 1s
	on 1 paxosctl group set 1 -m '2,[fe80::2%eth0]:7400'
	# Nobody leads, perhaps: then the tool says so with status 2.
	on 1 paxosctl status >"$work/status" || [ $? -eq 2 ]
	grep '\[fe80::2%eth0\]:7400' "$work/status" >&2
}

link_local_addresses_with_their_interface() {
	lead 1
	on 2 paxosctl propose 'over a link'
	on 2 paxosctl status | grep '\[fe80::1%eth0\]:7400' >&2
	same_logs 1 2
}

moves_that_cannot_be_are_refused() {
	refused 1 'itself cannot move' \
		on 1 paxosctl group set 1 -m '1,[fe80::9%eth0]:7400'
	refused 1 'no member' \
		on 1 paxosctl group set 1 -m '3,[fe80::9%eth0]:7400'
	refused 1 'do not mix' on 1 paxosctl group set 1 -m 2,10.0.0.2:7400
	refused 1 'one address and port' \
		on 1 paxosctl group set 1 -m '2,[fe80::1%eth0]:7400'
	on 1 paxosctl propose 'unmoved'
}

a_change_of_the_members_keeps_their_interfaces() {
	local role
	for role in demote promote; do
		on 1 paxosctl member "$role" 2
		on 2 paxosctl propose "$role"
		on 2 paxosctl status | grep '\[fe80::1%eth0\]:7400' >&2
	done
	same_logs 1 2
	refused 1 'member 1 has that address' \
		on 1 paxosctl member add 3 '[fe80::1%eth0]:7400'
}

run_tests \
	two_hosts_with_one_wire \
	an_address_that_is_wrong_can_be_set_right \
	link_local_addresses_with_their_interface \
	moves_that_cannot_be_are_refused \
	a_change_of_the_members_keeps_their_interfaces
