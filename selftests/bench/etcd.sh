#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# In the guest, on $PAXOS_DISK: a put and a linearizable get of 64 bytes, one
# after the other from one process on the leader's host, of our store and of
# etcd's: three members in the same three namespaces on the same file system.
# They take turns, BLOCKS times with ROUNDS each.
#
# usage: selftests/bench/etcd.sh BLOCKS ROUNDS
#
# Prints for put and get the median over the blocks of their medians, and how
# often a file was synced for a request:
#	OPERATION NS ETCD-NS SYNCS ETCD-SYNCS

set -euo pipefail
blocks=$1 rounds=$2
size=64
modprobe -a veth paxos_kv
# shellcheck source-path=SCRIPTDIR source=agents.sh
. selftests/bench/agents.sh

members=n1=http://10.9.0.1:2380,n2=http://10.9.0.2:2380,n3=http://10.9.0.3:2380
for i in 1 2 3; do
	at $i etcd --name "n$i" --data-dir "/mnt/etcd$i" \
		--initial-cluster $members --initial-cluster-state new \
		--initial-advertise-peer-urls "http://10.9.0.$i:2380" \
		--listen-peer-urls "http://10.9.0.$i:2380" \
		--advertise-client-urls "http://10.9.0.$i:2379" \
		--listen-client-urls "http://10.9.0.$i:2379" \
		--log-level warn >>/run/agents 2>&1 &
	agents+=($!)
done

# The client asks the member that leads: a namespace of its own host's.
leads() { at "$1" wget -qO- "http://10.9.0.$1:2379/metrics" |
	grep -x 'etcd_server_is_leader 1'; }
someone_leads() {
	for leader in 1 2 3; do
		! leads $leader || return 0
	done
	return 1
}
await 120 someone_leads

bench=build/selftests/bench/bench
ours() { $bench -g -s $size -r "$rounds" -w 20 "netlink.kv_$1"; }
theirs() { bench-etcd "$leader" "$1" $size "$rounds" 20; }

# measure WHO OPERATION: "MEDIAN SYNCS" to its file; a block syncs for its
# warm-up, too.
measure() {
	local before median
	before=$(syncs)
	read -r _ _ median _ < <("$1" "$2")
	awk -v median="$median" -v syncs=$(($(syncs) - before)) \
		-v requests=$((rounds + 20)) \
		'BEGIN { print median, syncs / requests }' >>"/run/$1-$2"
}
for ((block = 0; block < blocks; block++)); do
	for operation in put get; do
		measure ours $operation
		measure theirs $operation
	done
done

# median WHO OPERATION FIELD
median() {
	awk -v n="$3" '{ print $n }' "/run/$1-$2" | sort -g |
		sed -n "$((blocks / 2 + 1))p"
}
for who in ours theirs; do
	awk -v syncs="$(median $who put 2)" 'BEGIN { exit syncs < 2.5 }' || {
		echo "etcd.sh: $who: not every member syncs a put" >&2
		exit 1
	}
done
for operation in put get; do
	echo "$operation $(median ours $operation 1)" \
		"$(median theirs $operation 1) $(median ours $operation 2)" \
		"$(median theirs $operation 2)"
done
