#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# In the guest: five hosts in namespaces that elect by themselves. Their logs are
# in memory, or with DISK=1 on one ext4 on $PAXOS_DISK.
#
# usage: selftests/bench/failover.sh kill INTERVAL RUNS
#        selftests/bench/failover.sh jitter SECONDS
#
# kill: agent and link of the host that leads die at once; prints for each run
# the microseconds until the next value was chosen. jitter: 50 ms of jitter and
# 5 % loss on every host; prints how often the leader changed.

set -euo pipefail
PATH=$PWD/build:$PWD/build/net:$PATH
export PAXOS_RUN=/mnt/cluster
disk=${DISK-}
cluster=scripts/cluster
at() { nsenter "--net=/run/netns/paxos-$1" "${@:2}"; }

field() {
	local json
	# Without a quorum it returns 2, and prints all the same.
	json=$(at "$1" paxosctl -j status 1) || [ $? -eq 2 ] || return
	[[ $json =~ \"$2\":\"?([^\",}]*) ]] || return 1
	echo "${BASH_REMATCH[1]}"
}

# All five follow one leader, in $leader and $ballot.
is_settled() {
	local i
	leader=$(field 1 leader) || return 1
	ballot=$(field 1 ballot)
	[[ $leader =~ ^[1-5]$ ]] || return 1
	for i in 2 3 4 5; do
		[ "$(field "$i" ballot)" = "$ballot" ] &&
			[ "$(field "$i" leader)" = "$leader" ] || return 1
	done
}
settle() {
	local end=$((SECONDS + 30))
	until is_settled; do
		if [ $SECONDS -ge $end ]; then
			$cluster status >&2
			tail -n 20 "$PAXOS_RUN"/*.log >&2
			exit 1
		fi
		sleep 0.1
	done
}

setup() {
	if [ -n "$disk" ]; then
		mkfs.ext4 -q "$PAXOS_DISK"
		mount "$PAXOS_DISK" /mnt
	else
		mount -t tmpfs failover /mnt
	fi
	$cluster up 5 --interval "$1" --set Election=yes >&2
	settle
}

kill_leaders() {
	local run survivor
	setup "$1"
	for ((run = 0; run < $2; run++)); do
		settle
		survivor=$((leader % 5 + 1))
		# So that the beats of no two runs are in step; and the peers
		# have been heard long enough to know their rhythm.
		sleep "1.$((RANDOM % 1000 + 1000))"
		at "$survivor" failover /run/netns/paxos-net "port$leader" \
			"$(<"$PAXOS_RUN/$leader.pid")"
		$cluster start "$leader" >&2
	done
}

jitter() {
	local end first
	setup 100ms
	$cluster netem all delay 50ms 50ms loss 5%
	sleep 3
	settle
	first=$ballot
	end=$((SECONDS + $1))
	while [ $SECONDS -lt $end ]; do
		sleep 5
		at $((RANDOM % 5 + 1)) paxosctl propose -t 10s 'under jitter' \
			>&2 || true
	done
	settle
	# Each campaign takes a round of its own.
	echo $((${ballot%.*} - ${first%.*}))
}

modprobe -a veth paxos
case $1 in
kill) kill_leaders "$2" "$3" ;;
jitter) jitter "$2" ;;
esac
