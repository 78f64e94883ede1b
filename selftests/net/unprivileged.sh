#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Who may what: anybody may look, only CAP_NET_ADMIN in the user namespace that
# owns the network namespace may change or read what was agreed.

. "${BASH_SOURCE[0]%/*}/lib.sh"

as_nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all
	--bounding-set=-all)
nobody() { on 1 "${as_nobody[@]}" "$@"; }

everything_that_must_not_move() {
	status 1 | sed -E 's/"[a-z_]*_(ms|us)":[^,}]*//g'
	on 1 paxosctl group list
	log_of 1
}

anybody_sees_the_status() {
	need setpriv unshare
	cluster up 1
	lead 1
	on 1 paxosctl propose 'a secret'
	config_of 1 Key >"$work/key"
	chmod 755 "$work"
	chmod 644 "$work/key"
	until_true is_even 1
	nobody paxosctl status | grep '^group 1: leader 1' >&2
	nobody paxosctl -j status | grep '"phase":"leader"' >&2
	nobody paxosctl stats | grep 'proposals' >&2
	nobody paxosctl group list | grep '^1 ' >&2
}

the_status_does_not_tell_the_key() {
	local hex
	hex=$(base64 -d <"$work/key" | od -An -tx1 | tr -d ' \n')
	nobody paxosctl -j status | not grep -iF -e "$(<"$work/key")" -e "$hex"
	[ "$(on 1 nlsend group-get group=u32:1)" = ok ]
}

nobody_else_may_change_anything() {
	local refusal='CAP_NET_ADMIN|not permitted'
	until_true is_idle 1
	everything_that_must_not_move >"$work/before"
	refused 1 "$refusal" nobody paxosctl propose 'mine'
	refused 1 "$refusal" nobody paxosctl campaign
	refused 1 "$refusal" nobody paxosctl group del 1
	refused 1 "$refusal" nobody paxosctl group set 1 -k "$work/key"
	refused 1 "$refusal" nobody paxosctl start
	refused 1 "$refusal" nobody paxosctl group add 2 -k "$work/key" \
		--cluster "$(config_of 1 Cluster)" --self 1 \
		--durability memory -m 1,127.0.0.1:7500 --start
	for command in attach restore start pull peer-set resign transfer \
		learn reconfigure checkpoint-get space-set consumer-get \
		consumer-feed snapshot-begin snapshot-pull snapshot-end; do
		nobody nlsend "$command" group=u32:1 | grep '^EPERM' >&2
	done
	everything_that_must_not_move | diff "$work/before" - >&2
}

nobody_else_may_read_what_was_agreed() {
	local refusal='CAP_NET_ADMIN|not permitted'
	refused 1 "$refusal" nobody paxosctl log
	refused 1 "$refusal" nobody paxosctl read
	refused 1 "$refusal" nobody timeout 5 paxosctl watch --log
	not grep 'a secret' "$work/refused"
}

anybody_may_watch_events() {
	spawn 1 "${as_nobody[@]}" paxosctl watch >"$work/events"
	until_true sees_an_agent_go
	stop_spawned
}
# There is no event that it began: one is made until it is seen.
sees_an_agent_go() {
	kill -9 "$(agent_pid 1)"
	cluster start 1
	grep 'the agent detached' "$work/events"
}

root_of_another_user_namespace_is_nobody_here() {
	on 1 unshare --user true || skip "no user namespaces"
	refused 1 'CAP_NET_ADMIN|not permitted' \
		on 1 unshare --user --map-root-user paxosctl propose 'mine'
	refused 1 'CAP_NET_ADMIN|not permitted' \
		on 1 unshare --user --map-root-user paxosctl group del 1
	on 1 unshare --user --map-root-user paxosctl status >&2
}

but_it_is_root_in_a_network_namespace_of_its_own() {
	on 1 unshare --user true || skip "no user namespaces"
	cat >"$work/script" <<-END
		set -e
		ip link set lo up
		paxosctl group add 7 -k "$work/key" --self 1 --start \
			--cluster 00112233445566778899aabbccddeeff \
			--durability memory -m 1,127.0.0.1:7500
		paxosctl campaign --wait
		paxosctl propose 'in a namespace of my own'
		paxosctl group list
	END
	chmod 644 "$work/script"
	nobody unshare --user --map-root-user --net bash "$work/script" \
		>"$work/own"
	cat "$work/own" >&2
	grep '^7 ' "$work/own" >&2
	# Its groups are its own, and ours are ours.
	not grep '^1 ' "$work/own"
	on 1 paxosctl group list | not grep '^7 '
}

run_tests \
	anybody_sees_the_status \
	the_status_does_not_tell_the_key \
	nobody_else_may_change_anything \
	nobody_else_may_read_what_was_agreed \
	anybody_may_watch_events \
	root_of_another_user_namespace_is_nobody_here \
	but_it_is_root_in_a_network_namespace_of_its_own
