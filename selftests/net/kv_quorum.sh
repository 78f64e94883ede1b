#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# paxosctl kv get --quorum: what each of three hosts' stores holds of a key.
#
# Native: what it tries is the agents and the tool.
# Patient: members that are asked and do not answer.

. "${BASH_SOURCE[0]%/*}/lib.sh"

kv() { on "$1" paxosctl kv "${@:2}"; }
# asked I [KEY]: host I asks all; the table is in $work/table.
asked() {
	local code=0
	on "$1" paxosctl kv get --quorum "${2:-greeting}" \
		>"$work/table" 2>"$work/said" || code=$?
	cat "$work/table" "$work/said" >&2
	return "$code"
}
# row MEMBER PATTERN: of that table.
row() { grep -Eq "^ *$1 +$2" "$work/table"; }

all_have_it() {
	local i
	asked 2 || return
	for i in 1 2 3; do
		row "$i" '[0-9]+ +1 +hello +latest$' || return
	done
	grep -x '3 of 3 voters answered' "$work/table"
}
all_answer_in_JSON() {
	on 3 paxosctl -j kv get -q greeting >"$work/json"
	cat "$work/json" >&2
	grep '"voters":3,"answered":3' "$work/json"
}

all_hold_the_same() {
	cluster up 3
	lead 1
	modprobe paxos_kv
	kv 1 put greeting hello
	# Hosts 2 and 3 hold a store from this question on.
	until_true all_have_it
	until_true all_answer_in_JSON
	[ "$(grep -o '"value":"hello"' "$work/json" | wc -l)" -eq 3 ]
	[ "$(grep -o '"latest":true' "$work/json" | wc -l)" -eq 3 ]
	[ "$(grep -o '"conflict":false' "$work/json" | wc -l)" -eq 3 ]
}

what_makes_no_sense_is_refused() {
	refused 1 'give the key' kv 1 get --quorum
	refused 1 'without --prefix' kv 1 get --quorum --prefix greeting
	refused 1 'without --serializable' kv 1 get -q -s greeting
	refused 1 'no such key' kv 1 get --quorum nothing
	refused 1 'a key has 1024 bytes at most' kv 1 get --quorum \
		"$(head -c 2000 /dev/zero | tr '\0' k)"
	refused 1 'not permitted|hung up' on 1 setpriv --reuid 65534 \
		--clear-groups paxosctl kv get --quorum greeting
}

# Its kernel hears nobody; its agent does.
who_is_behind_has_an_older_value() {
	on 3 nft -f - <<-END
		table inet deaf {
			chain in {
				type filter hook input priority 0;
				udp dport 7400 drop
			}
		}
	END
	kv 1 put greeting 'hello again'
	until_true two_have_the_next
	kv 1 del greeting
	until_true two_have_none
	on 3 nft delete table inet deaf
	kv 1 put greeting 'and again'
	until_true is_even 1 2 3
}

two_have_the_next() {
	asked 1 &&
		row 1 '[0-9]+ +2 +hello again +latest$' &&
		row 2 '[0-9]+ +2 +hello again +latest$' &&
		row 3 '[0-9]+ +1 +hello +older, [0-9]+ slots behind$'
}
two_have_none() {
	refused 1 'no such key' asked 1 &&
		row 1 '[0-9]+ +- +no such key +latest$' &&
		row 3 '[0-9]+ +1 +hello +older'
}

who_is_away_gives_no_answer() {
	cluster kill --agent 3
	until_true the_others_answer
	cluster kill 2
	refused 2 'no quorum' kv 1 get --quorum -t 2s greeting
	cluster start 2
	cluster start 3
}

the_others_answer() {
	asked 1 &&
		row 3 '- +- +no answer: cannot connect to TCP 10.77.0.3:7401' &&
		grep -x '2 of 3 voters answered' "$work/table"
}

# Their keys are what they know each other by.
strangers_learn_nothing() {
	until_true asked 1
	on 2 bash -c 'exec 9<>/dev/tcp/10.77.0.1/7401
		printf "\x08\0\0\0\x0a\0\0\0greeting12345678" >&9
		timeout 30 cat <&9' >"$work/answer"
	[ ! -s "$work/answer" ]
}

run_tests \
	all_hold_the_same \
	what_makes_no_sense_is_refused \
	who_is_behind_has_an_older_value \
	who_is_away_gives_no_answer \
	strangers_learn_nothing
