#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# In the guest, under --icount: measure each key at each size.
#
# usage: selftests/bench/instructions.sh ROUNDS WARM-UP
#        selftests/bench/instructions.sh --profile KEY...

set -euo pipefail
bench=build/selftests/bench/bench
modprobe -a veth paxos_bench
selftests/bench/topology.sh

if [ "$1" = --profile ]; then
	shift
	for key; do
		echo "## $key, 64 B"
		$bench -r 500 -w 5000 -t 8 "$key"
	done
	exit
fi

for size in 64 1024; do
	for key in echo echo_lookup echo_inplace echo_fanout \
		accept commit commit_user \
		userspace_accept userspace_accept_sockets userspace_commit; do
		$bench -s $size -r "$1" -w "$2" $key
	done
	for key in kv_put kv_get kv_get_serializable watch lock_unlock; do
		[ $key$size != lock_unlock1024 ] || continue	# has no value
		$bench -s $size -r "$1" -w "$2" kernel.$key
		$bench -s $size -r "$1" -w "$2" netlink.$key
	done
done
