#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The module is unloaded and loaded again in the midst of traffic.

. "${BASH_SOURCE[0]%/*}/lib.sh"

load() { [ -d /sys/module/paxos ] || modprobe paxos || insmod "$PAXOS_KO"; }
# A netlink command that runs holds the module for a moment.
unload() { until_true rmmod paxos; }

the_module_is_removed_under_its_agents_and_the_log_is_whole() {
	local i
	cluster up 3
	lead 1
	spawn 2 burst -n 100000 -o 16 -p 10 -t 1000 before >"$work/acks"
	await_growth 1
	unload
	stop_spawned
	for i in 1 2 3; do
		until_true agent_has_ended "$i"
		agent_log "$i" | tail -n 2 >&2
	done
	load
	for i in 1 2 3; do
		cluster start "$i"
	done
	lead 2
	on 3 paxosctl propose 'after the module'
	same_logs 1 2 3
	acknowledged "$work/acks" 1 2 3
	cluster down
}
agent_has_ended() { ! kill -0 "$(agent_pid "$1")"; }

# Two hosts with one veth, and no agents: what can be made and lost quickly.
make_two_hosts() {
	local i
	undo drop_hosts 1 2
	ip netns add paxos-1
	ip netns add paxos-2
	ip link add eth0 netns paxos-1 type veth peer name eth0 netns paxos-2
	paxosctl genkey >"$work/key"
	for i in 1 2; do
		ip -n "paxos-$i" address add "10.77.0.$i/24" dev eth0
		ip -n "paxos-$i" link set eth0 up
	done
}
add() {
	quietly_on "$1" paxosctl group add 1 -k "$work/key" --self "$1" --start \
		--cluster "$(printf %032x "$2")" --durability memory \
		-m 1,10.77.0.1:7400 -m 2,10.77.0.2:7400 --log-size 512 \
		--window 256
}

it_is_loaded_and_unloaded_again_and_again_under_traffic() {
	local round rounds
	rounds=$(scaled 50 10)
	drop_hosts 1 2	# of a test that failed
	unload
	make_two_hosts
	for ((round = 1; round <= rounds; round++)); do
		load
		# A cluster of its own each time: no id votes twice.
		add 1 "$round"
		add 2 "$round"
		until_true campaign 1
		spawn 1 burst -n 1000000 -o 32 -t 2000 "round-$round" \
			>"$work/burst-1" 2>"$work/errors-1"
		spawn 2 burst -n 1000000 -o 32 -t 2000 "round-$round" \
			>"$work/burst-2" 2>"$work/errors-2"
		until_true grep -q '^chosen' "$work/burst-2"
		unload
		stop_spawned
	done 2>"$work/rounds"
	load
}

nothing_of_it_is_left_behind() {
	unload
	not grep -rw paxos /proc/modules
	not grep -i paxos /proc/net/protocols
	modprobe paxos || insmod "$PAXOS_KO"
	on 1 paxosctl status | grep 'no group' >&2
}

run_tests \
	the_module_is_removed_under_its_agents_and_the_log_is_whole \
	it_is_loaded_and_unloaded_again_and_again_under_traffic \
	nothing_of_it_is_left_behind
