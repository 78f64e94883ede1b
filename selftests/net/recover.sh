#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Quorum lost for good: one survivor goes on alone, and nothing of the former
# cluster mixes with what becomes of it.
#
# Long: each recovery first listens whether somebody is alive.

. "${BASH_SOURCE[0]%/*}/lib.sh"

recover() { on "$1" paxosctl recover -c "$PAXOS_RUN/$1.conf" "${@:2}"; }

five_hosts_decide_and_three_are_lost() {
	cluster up 5
	lead 1
	on 3 burst -n "$(scaled 200 20)" -o 8 -t 60000 -r 60000 before \
		>"$work/acks"
	all_chosen "$work/acks" "$(scaled 200 20)"
	same_logs 1 2 3 4 5
	cluster kill 1 4 5
	until_true is 2 up 2
	refused '[12]' 'no quorum|no leader' on 2 paxosctl propose -t 1s 'too few'
	log_of 2 >"$work/whole"
	config_of 2 Cluster >"$work/former"
}

it_is_refused_while_an_agent_or_another_member_lives() {
	local former
	former=$(<"$work/former")
	refused 1 "in use by paxosd, pid $(agent_pid 2)" \
		recover 2 --confirm "$former"
	cluster kill --agent 2
	refused 1 'kernels: 3; agents: 3' recover 2 --confirm "$former"
	# Its kernel alone is enough, and so is its agent.
	cluster kill --agent 3
	refused 1 'kernels: 3; agents: none' recover 2 --confirm "$former"
	cluster kill 3
}

a_person_must_name_the_cluster() {
	refused 1 'to do it, give the id of the cluster' recover 2
	grep 'known to be chosen, and stay' "$work/refused"
	grep -E 'member 5 .*last heard [0-9]+ s ago' "$work/refused"
	refused 1 "'6f' is not the id of this cluster" recover 2 --confirm 6f
	refused 1 "'-x' must be|must be a file, not '-x'" \
		on 2 paxosctl recover -c -x
	refused 1 'config is missing' on 2 paxosctl recover
	# All that was asked for so far has changed nothing.
	cluster start 2
	is 2 epoch 1
	log_of 2 | cmp "$work/whole" -
	cluster kill --agent 2
}

# What a SIGKILL left is the former log, or the recovered one.
killed_anywhere_it_is_done_or_is_not() {
	local i copy=$work/copy delay done=0 undone=0 former code
	former=$(<"$work/former")
	sed "s|^StateDirectory = .*|StateDirectory = $copy|" \
		"$PAXOS_RUN/2.conf" >"$work/copy.conf"
	for ((i = 0; i < $(scaled 12 4); i++)); do
		rm -rf "$copy"
		cp -a "$PAXOS_RUN/state-2" "$copy"
		delay=$(awk -v i="$i" 'BEGIN { print 3.28 + i * 0.01 }')
		spawn 2 timeout -s KILL "$delay" paxosd recover --json \
			"$work/copy.conf" "$former" >"$work/first"
		wait $! || true
		code=0
		on 2 paxosd recover --json "$work/copy.conf" "$former" \
			>"$work/again" || code=$?
		[ "$code" -eq 0 ]
		if grep '"done":"before"' "$work/again"; then
			done=$((done + 1))
			# It said so, or died before it could.
			[ ! -s "$work/first" ] || cmp \
				<(sed 's/"now"/"before"/' "$work/first") \
				"$work/again"
		else
			undone=$((undone + 1))
			[ ! -s "$work/first" ]
		fi
	done
	say "$done were done, $undone were not"
	[ "$undone" -gt 0 ]
}

a_survivor_goes_on_alone() {
	local former new
	former=$(<"$work/former")
	recover 2 --confirm "$former" -j >"$work/recovered"
	cat "$work/recovered" >&2
	new=$(field cluster "$(<"$work/recovered")")
	[ "${#new}" = 32 ]
	[ "$new" != "$former" ]
	[ "$(field "done" "$(<"$work/recovered")")" = now ]
	grep -F '"gone":[1,3,4,5]' "$work/recovered"
	echo "$new" >"$work/cluster"
	# With the former name it says where it stands, and does nothing.
	refused 3 "Set Cluster = $new" on 2 paxosd "$PAXOS_RUN/2.conf"
	recover 2 --confirm "$former" -j | grep '"done":"before"'
	recover 2 --confirm "$former" | grep "Cluster = $new"

	sed -i "s/^Cluster = .*/Cluster = $new/" "$PAXOS_RUN/2.conf"
	cluster start 2
	agent_log 2 | grep "goes back to a recovery.*$former" >&2
	lead 2
	is 2 epoch 2
	is 2 voters 1
	on 2 paxosctl propose 'alone'
	# What was chosen is there, in its slots.
	log_of 2 >"$work/log"
	head -n "$(wc -l <"$work/whole")" "$work/log" | cmp "$work/whole" -
	acknowledged "$work/acks" 2
}

the_former_members_do_not_mix_with_it() {
	local before
	before=$(drops 2 | awk '$1 == "tag" { print $2 }')
	# Somebody was wrong about what is off for good.
	cluster start 1 3 4 5
	lead 3
	on 3 paxosctl propose 'the former cluster'
	until_true more_dropped "${before:-0}"
	until_true told_so
	is 2 voters 1
	is 2 leader 2
	on 2 paxosctl propose 'the new cluster'
	not grep 'the former' <(log_of 2)
	not grep 'the new' <(log_of 3)
	cluster kill 1 4 5
}
more_dropped() {
	[ "$(drops 2 | awk '$1 == "tag" { print $2 }')" -gt "$1" ]
}
told_so() { agent_log 2 | grep 'not under the key and Cluster'; }

the_other_survivor_comes_back_as_a_fresh_host() {
	local new
	new=$(<"$work/cluster")
	cluster kill 3
	# Its log, its id: neither is taken.
	sed -i "s/^Cluster = .*/Cluster = $new/" "$PAXOS_RUN/3.conf"
	refused 3 'belongs to member 3' on 3 paxosd "$PAXOS_RUN/3.conf"
	refused 1 'was a member before' \
		on 2 paxosctl member add 3 10.77.0.3:7400
	sed -i -e 's/^Self = .*/Self = 6/' -e 's/^Id = 3$/Id = 6/' \
		-e "s|^StateDirectory = .*|StateDirectory = $PAXOS_RUN/state-6|" \
		"$PAXOS_RUN/3.conf"
	on 3 paxosd join "$PAXOS_RUN/3.conf"
	cluster start 3
	on 2 paxosctl member add 6 10.77.0.3:7400
	until_true is 3 epoch 3
	on 2 paxosctl member promote 6
	until_true is 3 epoch 4
	until_true leads 2
	on 3 paxosctl propose 'from the fresh host'
	same_logs 2 3
	acknowledged "$work/acks" 2 3
	# All of it stands after a restart, too.
	cluster kill 2 3
	cluster start 2 3
	lead 3
	on 2 paxosctl propose 'after all'
	same_logs 2 3
}

run_tests \
	five_hosts_decide_and_three_are_lost \
	it_is_refused_while_an_agent_or_another_member_lives \
	a_person_must_name_the_cluster \
	killed_anywhere_it_is_done_or_is_not \
	a_survivor_goes_on_alone \
	the_former_members_do_not_mix_with_it \
	the_other_survivor_comes_back_as_a_fresh_host
