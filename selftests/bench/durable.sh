#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# In the guest, on $PAXOS_DISK: three members with their agents, each with its
# directory on one ext4 file system, and so many proposals at any time.
#
# usage: selftests/bench/durable.sh SECONDS OUTSTANDING...
#
# Prints for each: OUTSTANDING COMMITS/S COMMITS/FDATASYNC RAW/S

set -euo pipefail
seconds=$1
shift
bench=build/selftests/bench/bench
tracing=/sys/kernel/tracing
at() { local i=$1 && shift && nsenter "--net=/run/netns/bench$i" "$@"; }

modprobe -a veth paxos
selftests/bench/topology.sh
mkfs.ext4 -q "$PAXOS_DISK"
mount "$PAXOS_DISK" /mnt

# Who syncs a file is counted where the file system is asked to.
echo 'p:bench_sync ext4_sync_file' >$tracing/kprobe_events
echo 1 >$tracing/events/kprobes/bench_sync/enable
syncs() { awk '$1 == "bench_sync" { print $2 }' $tracing/kprobe_profile; }

agents=()
for i in 1 2 3; do
	mkdir -m 700 "/mnt/$i"
	{
		cat <<-END
			[Group]
			Id = 9
			Cluster = 7468652062656e63682773206f776e00
			Key = dGhlIGJlbmNoJ3Mga2V5AA==
			Self = $i
			StateDirectory = /mnt/$i
		END
		for j in 1 2 3; do
			printf '[Member]\nId = %s\nAddress = 10.9.0.%s:7777\n' \
				$j $j
		done
	} >"/run/bench$i.conf"
	chmod 600 "/run/bench$i.conf"
	{
		at $i build/paxosd init "/run/bench$i.conf"
		exec nsenter "--net=/run/netns/bench$i" \
			build/paxosd "/run/bench$i.conf"
	} >>/run/agents 2>&1 &
	agents+=($!)
done
trap 'kill "${agents[@]}"; wait' EXIT

tries=0
until at 1 build/paxosctl campaign -w -g 9 >/run/campaign 2>&1; do
	sleep 0.2
	[ $((tries += 1)) -lt 50 ] || { cat /run/agents /run/campaign >&2 && exit 1; }
done
$bench -n 16 -d 1 load >/run/warmup

for outstanding; do
	before=$(syncs)
	read -r _ _ commits ns < <($bench -n "$outstanding" -d "$seconds" load)
	after=$(syncs)
	read -r bytes rate batch < <(awk -v commits="$commits" -v ns="$ns" \
		-v syncs=$((after - before)) 'BEGIN {
			batch = 3 * commits / syncs
			bytes = 48 + batch * (56 + 64)
			print int((bytes + 4095) / 4096) * 4096,
				commits / ns * 1e9, batch
		}')
	read -r _ _ writes ns < <($bench -s "$bytes" -d "$seconds" \
		-f /mnt/raw raw)
	awk -v outstanding="$outstanding" -v rate="$rate" -v batch="$batch" \
		-v writes="$writes" -v ns="$ns" 'BEGIN {
			printf "%d %.1f %.2f %.1f\n", outstanding, rate, batch,
				writes / ns * 1e9
		}'
done
