#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Snapshots of what a kernel subsystem holds: taken while values flow, loaded
# where the kernel no longer has the slots, shipped, restored.
#
# Native: several minutes there; kv_snapshot takes and loads them, too.
# Patient: a minute and a half; the other kernels run it.
#
# The subsystem is paxos_counted.ko (selftests/kmod): it counts what it applies,
# and sums it up in order.

. "${BASH_SOURCE[0]%/*}/lib.sh"
. "${BASH_SOURCE[0]%/*}/counted.bash"

FILL=$(scaled 1500 600)	# more than the kernel holds

three_hosts_have_a_consumer() {
	need_counted
	cluster up 3 --set LogSize=512 --set Window=128 --set SnapshotAfter=1M
	lead 1
	for i in 1 2 3; do
		counted "$i" open 1
		counted "$i" pad 300000
	done
	on 1 paxosctl propose first
	until_true says 3 count 1
	# One that is new has a snapshot soon.
	for i in 1 2 3; do
		until_true behind "$i" 0
	done
	same_state 1 2 3
}

it_is_taken_while_values_flow() {
	local before i
	before=$(newest 1)
	fill "$FILL" flow 1000
	for i in 1 2 3; do
		until_true behind "$i" "$before"
		at_least "$i" begun 2
		until_true says "$i" ended "$(tells "$i" begun)"
		say "host $i: $(tells "$i" saved) saved, apply() $(tells "$i" beside) times meanwhile, at most $(tells "$i" gap_us) us apart; snapshot_begin() took $(tells "$i" held_us) us at most"
		# It is not held up by a snapshot: this machine is slow, no more.
		at_least "$i" beside 1
		not at_least "$i" gap_us 10000000
		not at_least "$i" held_us 1000000
	done
	same_state 1 2 3
}

a_restart_loads_it_and_what_follows() {
	local count sum
	fill 600 more
	same_state 1 2 3
	count=$(tells 2 count) sum=$(tells 2 sum)
	cluster kill 2
	until_true says 2 stopped -108
	counted 2 close
	cluster start 2
	counted 2 open 1
	until_true says 2 sum "$sum"
	[ "$(tells 2 count)" = "$count" ]
	says 2 loaded 1
	says 2 failed 0
	fill 100 after
	same_state 1 2 3
}

a_consumer_that_comes_late_gets_all() {
	counted 3 close
	fill 600 away
	counted 3 open 1
	same_state 1 2 3
	says 3 loaded 1
}

one_that_falls_behind_loads_it() {
	counted 3 slow 20
	fill "$FILL" behind 1000
	counted 3 slow 0
	same_state 1 2 3
	says 3 stopped 0
	at_least 3 loaded 1
}

a_saved_one_is_shown_and_damage_told() {
	local json slot file=$work/backup
	json=$(quietly_on 2 paxosctl -j snapshot save "$file")
	slot=$(field slot "$json")
	[ "$slot" = "$(newest 2)" ]
	cmp "$file" "$(snapshots 2 | tail -n 1)"
	json=$(on 2 paxosctl -j snapshot show "$file")
	[ "$(field slot "$json")" = "$slot" ]
	[ "$(field name "$json")" = counted ]
	[ "$(field cluster "$json")" = "$(config_of 2 Cluster)" ]
	on 2 paxosctl snapshot show "$file" | tee "$work/shown" >&2
	grep -q "slot $slot, of group 1" "$work/shown"
	cp "$file" "$work/bad"
	printf x | dd of="$work/bad" bs=1 seek=50000 conv=notrunc status=none
	refused 1 'bad, offset [0-9]+: a block is damaged' \
		on 2 paxosctl snapshot show "$work/bad"
	head -c 70000 "$file" >"$work/bad"
	refused 1 'bad, offset 70000: the file ends in the middle' \
		on 2 paxosctl snapshot show "$work/bad"
	refused 1 'takes root' on 2 setpriv --reuid 1000 --clear-groups \
		paxosctl snapshot save "$work/none" -g 1
}

old_ones_are_deleted() {
	local i
	for i in 1 2 3; do
		fill 20 "old$i"
		quietly_on 2 paxosctl snapshot save "$work/backup"
	done
	[ "$(snapshots 2 | wc -l)" -eq 2 ]
	[ "$(snapshots 2 | tail -n 1)" -nt "$(snapshots 2 | head -n 1)" ]
}

an_agent_killed_while_it_takes_one_loses_nothing() {
	local i before pid saver
	counted 2 pad 2000000
	for i in 1 3 5; do
		fill 5 "kill$i"
		before=$(snapshots 2)
		pid=$(agent_pid 2)
		spawn 2 paxosctl snapshot save "$work/none"
		saver=$!
		until_true sh -c "! [ -d /proc/$saver ] ||
			[ -s '$(directory 2)/snapshot.new' ]"
		sleep "0.0$i"
		cluster kill --agent 2
		not [ -d "/proc/$pid" ]
		wait "$saver" || say "it was cut off"
		until_true says 2 ended "$(tells 2 begun)"
		for file in $(snapshots 2); do
			on 2 paxosctl snapshot show "$file"
		done
		cluster start 2
	done
	until_true not [ -e "$(directory 2)/snapshot.new" ]
	same_state 1 2 3
}

busy_saving() { [ "$(tells "$1" begun)" -gt "$(tells "$1" ended)" ]; }

a_consumer_that_leaves_meanwhile_lets_go_once() {
	local sum
	counted 3 pad 30000000
	# Else the newest one would do.
	fill 5 leaves
	same_state 1 2 3
	sum=$(tells 3 sum)
	spawn 3 paxosctl snapshot save "$work/none"
	until_true busy_saving 3
	counted 3 close
	[ "$(tells 3 begun)" = "$(tells 3 ended)" ]
	not wait $!
	counted 3 open 1
	until_true says 3 sum "$sum"
	same_state 1 2 3
}

# The whole cluster is lost; the backup is not.
a_new_cluster_begins_with_it() {
	local i new sum count slot file=$work/backup
	# Whatever proposes waits; the backup is of all that was chosen.
	same_state 1 2 3
	slot=$(field slot "$(quietly_on 1 paxosctl -j snapshot save "$file")")
	sum=$(tells 1 sum) count=$(tells 1 count)
	for i in 1 2 3; do
		counted "$i" close
	done
	cluster kill 1 2 3
	refused 1 'must have one \[Member\]' on 1 paxosctl snapshot restore \
		-c "$PAXOS_RUN/1.conf" "$file"
	rm -rf "$(directory 1)" "$(directory 2)"
	new=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
	one_member 1
	refused 1 'is of that very Cluster' on 1 paxosctl snapshot restore \
		-c "$PAXOS_RUN/1.conf" "$file"
	sed -i "s/^Cluster = .*/Cluster = $new/" "$PAXOS_RUN/1.conf"
	refused 1 'a block is damaged|in the middle' on 1 paxosctl snapshot \
		restore -c "$PAXOS_RUN/1.conf" "$work/bad"
	not [ -e "$(directory 1)" ]
	on 1 paxosctl -j snapshot restore -c "$PAXOS_RUN/1.conf" "$file" \
		>"$work/restored"
	[ "$(field slot "$(<"$work/restored")")" = "$slot" ]
	refused 1 'not empty' on 1 paxosctl snapshot restore \
		-c "$PAXOS_RUN/1.conf" "$file"
	cluster start 1
	counted 1 open 1
	until_true says 1 sum "$sum"
	says 1 count "$count"
	says 1 loaded 1
	lead 1
	on 1 paxosctl propose 'in the new one'
	until_true says 1 count $((count + 1))
	# A fresh host gets all of it.
	sed "s/^Self = .*/Self = 2/; s|state-1\$|state-2|" \
		"$PAXOS_RUN/1.conf" >"$PAXOS_RUN/2.conf"
	printf '%s\n' '' '[Member]' 'Id = 2' "Address = 10.77.0.2:7400" \
		>>"$PAXOS_RUN/2.conf"
	on 2 paxosd join "$PAXOS_RUN/2.conf"
	cluster start 2
	on 1 paxosctl member add 2 10.77.0.2:7400
	counted 2 open 1
	until_true says 2 sum "$(tells 1 sum)"
	says 2 loaded 1
	until_true behind 2 1
	on 1 paxosctl propose 'to both'
	until_true says 2 sum "$(tells 1 sum)"
	# So it is after a restart of both.
	sum=$(tells 1 sum)
	counted 1 close
	counted 2 close
	cluster kill 1 2
	cluster start 1 2
	lead 1
	for i in 1 2; do
		counted "$i" open 1
		until_true says "$i" sum "$sum"
	done
}

run_tests \
	three_hosts_have_a_consumer \
	it_is_taken_while_values_flow \
	a_restart_loads_it_and_what_follows \
	a_consumer_that_comes_late_gets_all \
	one_that_falls_behind_loads_it \
	a_saved_one_is_shown_and_damage_told \
	old_ones_are_deleted \
	an_agent_killed_while_it_takes_one_loses_nothing \
	a_consumer_that_leaves_meanwhile_lets_go_once \
	a_new_cluster_begins_with_it
