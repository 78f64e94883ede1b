#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the agent tells the journal: entries with fields, and events that a
# program can wait for.
#
# Native: agents and what they say.
# Long: hosts come and go to have something to say.

. "${BASH_SOURCE[0]%/*}/lib.sh"

SUSPECTED=a9a33f61a5ef4092b90acf917e43375a
HEARD_AGAIN=3723a01365cb499a9f7471f7f1cc9d27
LEADER=569ff9c8fe494faf8a237d2be2d6d6ae
NO_LEADER=e4a943c4ffee483b823bd5c72931f3dc
READY=60121d38495149ed97e636f8613bc3a2
STOPPING=4eeabee84151421d84e36bfed822ce8b
ADDED=e6eee349a62947949dcd8d2864f15f18
REMOVED=e8bead2e81c54383bea41e594946c421
DAMAGED=1f0f3229948c481c8a708f89d4ed9dd1

# entry PATTERN...: an entry has them all, each a whole line.
entry() {
	awk -v RS= -v patterns="$(printf '%s\n' "$@")" '
	BEGIN { n = split(patterns, wanted, "\n") }
	{
		fine = 1
		for (i = 1; i <= n; i++)
			if ("\n" $0 "\n" !~ "\n" wanted[i] "\n")
				fine = 0
		if (fine) { print; found = 1 }
	}
	END { exit !found }' "$work/journal" >&2
}
await_entry() { until_true entry "$@"; }

# journal I: the agent of host I runs under it, what it says is in the file.
journal() {
	: >"$work/journal"
	spawn "$1" journaled paxosd "$PAXOS_RUN/$1.conf" >"$work/journal"
	journal_pid=$!
}
end_journal() {
	kill -TERM "$journal_pid"
	wait
	tail -n 1 "$work/journal" >&2
}

the_member_and_the_leader_have_fields() {
	[ ! -e /run/systemd/journal/socket ] || skip "there is a journal"
	cluster up 4
	lead 1
	cluster kill --agent 3
	journal 3
	await_entry 'MESSAGE=member 3 of group 1 runs on: .*' PRIORITY=5 \
		PAXOS_GROUP=1 PAXOS_MEMBER=3 "MESSAGE_ID=$READY"
	await_entry 'MESSAGE=group 1: member 1 leads, ballot [0-9]+\.1' \
		PAXOS_PEER=1 "MESSAGE_ID=$LEADER" PAXOS_MEMBER=3
	not entry "MESSAGE_ID=$STOPPING"
	end_journal
	entry 'MESSAGE=SIGTERM: the agent ends; .*' "MESSAGE_ID=$STOPPING" \
		PAXOS_GROUP=1 PAXOS_MEMBER=3
	# Nothing twice, nothing beside it.
	not grep '^stream: ' "$work/journal"
}

a_suspicion_and_its_end() {
	journal 3
	await_entry "MESSAGE_ID=$READY"
	cluster kill --agent 2
	await_entry 'MESSAGE=member 2: its agent is suspected .*' \
		PAXOS_PEER=2 "MESSAGE_ID=$SUSPECTED" PRIORITY=5
	cluster start 2
	await_entry 'MESSAGE=member 2: its agent is heard again' \
		PAXOS_PEER=2 "MESSAGE_ID=$HEARD_AGAIN"
	end_journal
}

another_leader_and_none() {
	journal 3
	await_entry "MESSAGE_ID=$LEADER" PAXOS_PEER=1
	lead 2
	await_entry 'MESSAGE=group 1: member 2 leads, .*' \
		"MESSAGE_ID=$LEADER" PAXOS_PEER=2
	cluster cut 3 1
	cluster cut 3 2
	cluster cut 3 4
	# Its own campaign ends the lead that it knew of.
	until_true is 3 up 1
	on 3 paxosctl campaign
	await_entry 'MESSAGE=group 1: no leader is known; member 2 led' \
		"MESSAGE_ID=$NO_LEADER" PAXOS_PEER=2
	cluster heal
	lead 1
	end_journal
}

members_come_and_go() {
	local host
	journal 3
	await_entry "MESSAGE_ID=$LEADER" PAXOS_PEER=1
	on 1 paxosctl member demote 4
	on 1 paxosctl member remove 4
	await_entry 'MESSAGE=member 4 was removed: epoch 3' PAXOS_PEER=4 \
		"MESSAGE_ID=$REMOVED"
	cluster grow
	host=$(address_of 1)
	on 1 paxosctl member add 5 "${host%.*}.5:7400"
	await_entry 'MESSAGE=member 5 was added: epoch 4' PAXOS_PEER=5 \
		"MESSAGE_ID=$ADDED"
	end_journal
}

# One that waits for the disk must not stop who beats, nor who is to end.
a_journal_that_does_not_read_stops_nothing() {
	local agent i
	lead 1
	journal 3
	await_entry "MESSAGE_ID=$LEADER" PAXOS_PEER=1
	agent=$(cat "/proc/$journal_pid/task/$journal_pid/children")
	kill -STOP "$journal_pid"
	for ((i = 0; i < 2 * $(</proc/sys/net/unix/max_dgram_qlen); i++)); do
		kill -HUP "${agent% }"
		sleep 0.02
	done
	lead 2
	lead 1
	sleep 3
	on 1 paxosctl status | grep '^ *3 .* up ' >&2
	kill -CONT "$journal_pid"
	lead 2
	await_entry 'MESSAGE=.* [(][0-9]+ before it were not taken[)]'
	lead 1
	end_journal
}

damage_to_the_log() {
	cluster kill 3
	cp -a "$PAXOS_RUN/state-3" "$work/state"
	# The first batch of its first life.
	printf 'spoilt' | dd of="$PAXOS_RUN/state-3/0000000002.wal" bs=1 \
		seek=4110 conv=notrunc 2>"$work/dd"
	journal 3
	until_true grep -q '^exit' "$work/journal"
	entry 'MESSAGE=.*damaged at offset.*' PRIORITY=3 PAXOS_GROUP=1 \
		PAXOS_MEMBER=3 "MESSAGE_ID=$DAMAGED"
	[ "$(tail -n 1 "$work/journal")" = 'exit 3' ]
	rm -r "$PAXOS_RUN/state-3"
	mv "$work/state" "$PAXOS_RUN/state-3"
}

# A journal that is not there any more, and a stream that is not the journal.
without_journald_it_is_lines_as_ever() {
	# shellcheck disable=SC2016	# for that shell
	spawn 3 sh -c '
		exec 2>"$1"
		JOURNAL_STREAM=$(stat -Lc %d:%i /dev/stderr)
		export JOURNAL_STREAM
		exec paxosd "$2"
	' sh "$work/lines" "$PAXOS_RUN/3.conf"
	until_true grep -q '^<5>member 3 of group 1 runs' "$work/lines"
	kill -TERM $!
	wait
	JOURNAL_STREAM=1:1 spawn 3 paxosd "$PAXOS_RUN/3.conf" 2>"$work/lines"
	until_true grep -q '^paxosd: member 3 of group 1 runs' "$work/lines"
	kill -TERM $!
	wait
}

run_tests \
	the_member_and_the_leader_have_fields \
	a_suspicion_and_its_end \
	another_leader_and_none \
	members_come_and_go \
	a_journal_that_does_not_read_stops_nothing \
	damage_to_the_log \
	without_journald_it_is_lines_as_ever
