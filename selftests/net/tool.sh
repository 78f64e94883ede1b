#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# paxosctl by hand, in JSON: what adds, starts, changes and ends a group says
# so in one object a line, and it is so.
#
# Native: what it tries is the tool.

. "${BASH_SOURCE[0]%/*}/lib.sh"

# says JSON-LINE COMMAND...: the command prints that line and nothing else.
says() {
	local line=$1
	shift
	"$@" >"$work/line"
	cat "$work/line" >&2
	[ "$(<"$work/line")" = "$line" ] || wrong "it should say $line"
}
group_state() { on 1 paxosctl -j group list; }

# shellcheck disable=SC2120	# says() calls it with some
add() {
	on 1 paxosctl -j group add 7 -k "$work/key" --self 1 \
		--cluster 00112233445566778899aabbccddeeff \
		--durability memory -m 1,127.0.0.1:7407 -m 2,127.0.0.1:7408 "$@"
}

a_group_is_added_then_started() {
	undo drop_hosts 1
	ip netns add paxos-1
	ip -n paxos-1 link set lo up
	paxosctl genkey >"$work/key"
	says '{"group":7,"done":"added"}' add
	[[ $(group_state) == *'"group":7,'*'"state":"restoring"'* ]]
	says '{"group":7,"done":"started"}' on 1 paxosctl -j start -g 7
	[[ $(group_state) == *'"group":7,'*'"state":"running"'* ]]
}

it_is_changed() {
	paxosctl genkey >"$work/other"
	says '{"group":7,"done":"changed"}' \
		on 1 paxosctl -j group set 7 -k "$work/other" --memory 2M \
		-m 2,127.0.0.1:7409
	[[ $(on 1 paxosctl -j status 7) == *'"bytes":2097152,'* ]]
	[[ $(on 1 paxosctl -j status 7) == *'"address":"127.0.0.1:7409"'* ]]
}

it_is_deleted() {
	says '{"group":7,"done":"deleted"}' on 1 paxosctl -j group del 7
	[ "$(group_state)" = '{"groups":[]}' ]
}

added_and_started_at_once() {
	says '{"group":7,"done":"started"}' add --start
	[[ $(group_state) == *'"state":"running"'* ]]
}

errors_are_text_and_print_no_object() {
	local code=0
	add --start 2>"$work/error" >"$work/line" || code=$?
	[ "$code" -eq 1 ]
	[ ! -s "$work/line" ]
	grep -E '^paxosctl: group add: group 7: ' "$work/error" >&2
	on 1 paxosctl -j group del 8 2>"$work/error" >"$work/line" || code=$?
	[ ! -s "$work/line" ]
	grep -E '^paxosctl: group del: group 8: ' "$work/error" >&2
	on 1 paxosctl -j group del 7
	drop_hosts 1
}

run_tests \
	a_group_is_added_then_started \
	it_is_changed \
	it_is_deleted \
	added_and_started_at_once \
	errors_are_text_and_print_no_object
