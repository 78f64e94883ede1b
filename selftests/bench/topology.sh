#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Three namespaces, each joined to both others by a veth of its own:
#
#	bench1 10.9.0.1 ---v12 v21--- bench2 10.9.0.2
#	   |v13                          |v23
#	   +-----------v31 bench3 v32----+
#	               10.9.0.3
#
# Neighbours are permanent entries, so no address resolution falls into a
# measured round.

set -euo pipefail

for i in 1 2 3; do
	ip netns add "bench$i"
	ip -n "bench$i" link set lo up
done
for pair in '1 2' '1 3' '2 3'; do
	i=${pair% *} j=${pair#* }
	ip link add "v$i$j" netns "bench$i" type veth \
		peer name "v$j$i" netns "bench$j"
	for ends in "$i $j" "$j $i"; do
		here=${ends% *} there=${ends#* }
		mac=$(ip -n "bench$there" -br link show "v$there$here" |
			awk '{ print $3 }')
		ip -n "bench$here" addr add "10.9.0.$here" \
			peer "10.9.0.$there" dev "v$here$there"
		ip -n "bench$here" link set "v$here$there" up
		ip -n "bench$here" neigh replace "10.9.0.$there" \
			lladdr "$mac" dev "v$here$there" nud permanent
	done
done
# A link is up once both of its ends are.
sleep 0.1
