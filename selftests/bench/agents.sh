# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What durable.sh and etcd.sh share. Sourced, in the guest: makes the three
# hosts of topology.sh, with one ext4 file system on $PAXOS_DISK at /mnt, and in
# each host an agent with its directory there. The first leads.

at() { local i=$1 && shift && nsenter "--net=/run/netns/bench$i" "$@"; }

# await SECONDS COMMAND...: poll it.
await() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/run/awaited 2>&1; do
		[ $SECONDS -lt $end ] || {
			cat /run/agents /run/awaited >&2
			return 1
		}
		sleep 0.2
	done
}

# Who syncs a file is counted where the file system is asked to.
tracing=/sys/kernel/tracing
syncs() { awk '$1 == "bench_sync" { print $2 }' $tracing/kprobe_profile; }

selftests/bench/topology.sh
mkfs.ext4 -q "$PAXOS_DISK"
mount "$PAXOS_DISK" /mnt
echo 'p:bench_sync ext4_sync_file' >$tracing/kprobe_events
echo 1 >$tracing/events/kprobes/bench_sync/enable

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
await 30 at 1 build/paxosctl campaign -w -g 9
