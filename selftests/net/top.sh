#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What paxosctl top shows, on a terminal and as text.
#
# Native: what it tries is the tool.
# Patient: it waits for a screen to change; 6.12 runs it.

. "${BASH_SOURCE[0]%/*}/lib.sh"

# on_terminal KEYS [ROWS COLUMNS]: what top draws until these are typed.
on_terminal() {
	local keys=$1 rows=${2:-24} columns=${3:-80}
	rm -f "$work/typescript"
	{
		until_true grep -qs 'q quits' "$work/typescript"
		printf '%s' "$keys"
		sleep 1
	} | on 1 env TERM=vt100 timeout "$PATIENCE" script -qfec \
			"stty rows $rows columns $columns; paxosctl top" \
			"$work/typescript" >"$work/drawn"
	# A person reads no escapes.
	sed -E 's/\x1b[[(][0-9;?]*[A-Za-z]?//g; s/\x1b[=>]//g' \
		"$work/typescript" | tr '\r' '\n' >"$work/screen"
	cat "$work/screen" >&2
}

text_shows_members_rates_and_latencies() {
	cluster up 3
	lead 1
	spawn 1 burst -n 100000 -o 1 -p 20 load >"$work/acks"
	on 1 paxosctl top -n 2 -i 500ms >"$work/text"
	stop_spawned
	cat "$work/text" >&2
	[ "$(grep -c '^group 1: leader 1' "$work/text")" = 2 ]
	grep -Eq '^ +a second: [1-9][0-9]* slots chosen' "$work/text"
	grep -Eq '^  under +[0-9.]+ (us|ms) +[1-9][0-9]* #+$' "$work/text"
	# Each chosen one is in some row; top began after some of them.
	awk '/^group/ { sum = 0 } /^  (under|over)/ { sum += $(NF - 1) }
		END { exit sum < 5 || sum > 200 }' "$work/text"
}

json_has_the_same() {
	on 1 paxosctl propose one
	on 1 paxosctl -j top -n 1 -i 200ms >"$work/json"
	cat "$work/json" >&2
	[ "$(wc -l <"$work/json")" = 1 ]
	[ "$(field group "$(<"$work/json")")" = 1 ]
	[ "$(field commit "$(<"$work/json")")" = "$(state 1 commit)" ]
	grep -Eq '"per_second":\{"slots_chosen":0' "$work/json"
	[ "$(sed 's/.*"latencies":\[\([^]]*\).*/\1/' "$work/json" | tr , '\n' |
		wc -l)" = 24 ]
}

a_terminal_shows_it_until_q() {
	on_terminal q
	grep -q 'group 1: leader 1' "$work/screen"
	grep -q 'a second:' "$work/screen"
	grep -q 'q quits' "$work/screen"
}

a_small_terminal_shows_what_fits() {
	on_terminal q 5 40
	grep -q 'group 1: leader 1' "$work/screen"
	grep -q 'q quits' "$work/screen"
	not grep -q 'a second:' "$work/screen"
}

without_a_quorum_it_says_so() {
	cluster kill 2 3
	until_true is 1 wait quorum
	refused 2 'no quorum' on 1 paxosctl top -n 1 -i 100ms
}

wrong_words_are_refused() {
	refused 1 'time of 100ms at least' on 1 paxosctl top -i 10ms
	refused 1 'count' on 1 paxosctl top -n 0
	refused 1 'no group 9|there is 1|no such group' on 1 paxosctl top -g 9 -n 1
}

run_tests \
	text_shows_members_rates_and_latencies \
	json_has_the_same \
	a_terminal_shows_it_until_q \
	a_small_terminal_shows_what_fits \
	without_a_quorum_it_says_so \
	wrong_words_are_refused
