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
modprobe -a veth paxos
# shellcheck source-path=SCRIPTDIR source=agents.sh
. selftests/bench/agents.sh
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
