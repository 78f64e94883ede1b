#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# paxosd init and paxosd join: a log where there is none, once. Whatever is there
# already stays what it is.

. "${BASH_SOURCE[0]%/*}/lib.sh"

# config NAME [SELF [GROUP]]: with a state directory of that name, in $work.
config() {
	cat >"$work/$1.conf" <<-END
		[Group]
		Id = ${3:-1}
		Cluster = 000102030405060708090a0b0c0d0e0f
		Key = AAECAwQFBgcICQoLDA0ODw==
		Self = ${2:-2}
		StateDirectory = $work/state-$1
		[Member]
		Id = 1
		Address = 10.77.0.1:7400
		[Member]
		Id = 2
		Address = 10.77.0.2:7400
	END
	chmod 600 "$work/$1.conf"
}
# directory NAME: all of it, and what is in it.
directory() { (cd "$work/state-$1" && sha256sum -- * | grep -v ' lock$'); }
# again NAME init|join: a second time all stays, and it is fine.
again() {
	directory "$1" >"$work/before"
	logged paxosd "$2" "$work/$1.conf" 2>"$work/again"
	grep 'holds the log of member 2 of group 1 already' "$work/again" >&2
	directory "$1" | diff "$work/before" - >&2
}
# stays NAME PATTERN COMMAND...: it is refused, and nothing changes.
stays() {
	directory "$1" >"$work/before"
	refused 1 "$2" "${@:3}"
	directory "$1" | diff "$work/before" - >&2
}

init_makes_a_log_once() {
	config first
	logged paxosd init "$work/first.conf"
	[ ! -e "$work/state-first/joined" ]
	again first init
	again first init
}

join_makes_a_log_once() {
	config guest
	logged paxosd join "$work/guest.conf"
	[ -e "$work/state-guest/joined" ]
	again guest join
}

a_join_that_was_cut_short_is_finished() {
	config short
	mkdir "$work/state-short"
	touch "$work/state-short/joined"
	refused 1 'of a host that joined: run paxosd join' \
		paxosd init "$work/short.conf"
	logged paxosd join "$work/short.conf"
	again short join
}

a_members_log_does_not_join_and_a_guests_is_no_first_members() {
	stays first 'the log of a first member of the group: it cannot join' \
		paxosd join "$work/first.conf"
	stays guest 'of a host that joined: run paxosd join' \
		paxosd init "$work/guest.conf"
}

another_members_log_is_refused() {
	local what
	for what in 'Self = 1' 'Id = 7' 'Cluster = ff0102030405060708090a0b0c0d0e0f'; do
		sed "0,/^${what%% *} = .*/s//$what/" "$work/first.conf" \
			>"$work/other.conf"
		chmod 600 "$work/other.conf"
		stays first 'belongs to member 2 of group 1 of' paxosd init "$work/other.conf"
	done
}

a_directory_that_holds_other_things_is_refused() {
	config strange
	mkdir "$work/state-strange"
	echo mine >"$work/state-strange/letter"
	stays strange "'letter' in it is not of paxosd" \
		paxosd init "$work/strange.conf"
	stays strange "'letter' in it is not of paxosd" \
		paxosd join "$work/strange.conf"
}

run_tests \
	init_makes_a_log_once \
	join_makes_a_log_once \
	a_join_that_was_cut_short_is_finished \
	a_members_log_does_not_join_and_a_guests_is_no_first_members \
	another_members_log_is_refused \
	a_directory_that_holds_other_things_is_refused
