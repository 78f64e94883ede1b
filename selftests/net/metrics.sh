#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the agent tells Prometheus: in its format, and true.
#
# Native: what it tries is the agent.
# Patient: a scrape that comes late, for half a minute; 6.12 runs it.

. "${BASH_SOURCE[0]%/*}/lib.sh"

page=/run/paxos-metrics/group-1.prom

# well_formed FILE: the text format, version 0.0.4, and its naming rules: HELP
# and TYPE before the samples of a family, these in a row and each once,
# counters that end in _total, histograms that add up.
well_formed() {
	awk '
	function wrong(why) { print why ": " $0 > "/dev/stderr"; bad = 1 }
	/^# HELP / {
		if (seen[$3]++) wrong("a family begins twice")
		if (NF < 4 || !/\.$/) wrong("no sentence")
		helped = $3
		next
	}
	/^# TYPE / {
		if ($3 != helped || NF != 4) wrong("TYPE without its HELP")
		family = $3
		type = $4
		if (type !~ /^(counter|gauge|histogram)$/) wrong("type")
		if ((type == "counter") != (family ~ /_total$/))
			wrong("counters, and no others, end in _total")
		families++
		next
	}
	{
		if (!match($0, /^paxos_[a-z_]+\{group="[0-9]+"(,[a-z_]+="[^"\\]*")*\} [-+.0-9e]+$/)) {
			wrong("no sample")
			next
		}
		name = $0
		sub(/\{.*/, "", name)
		key = $0
		sub(/ [^ ]*$/, "", key)
		if (sampled[key]++) wrong("twice")
		if (type == "histogram") sub(/_(bucket|sum|count)$/, "", name)
		if (name != family) wrong("not of the family before")
		if (/_bucket/ && $NF < before) wrong("not cumulative")
		before = /_bucket/ ? $NF : 0
		if (/le="\+Inf"/) all = $NF
		if (/_seconds_count/ && $NF != all) wrong("count is not all")
		samples++
	}
	END {
		print families " families, " samples " samples" > "/dev/stderr"
		exit bad || families < 30 || samples < 80
	}' "$1"
}

# sample NAME [LABELS]: its value.
sample() {
	awk -v key="paxos_$1{group=\"1\"${2-}}" '$1 == key { print $2 }' "$page"
}
says() { [ "$(sample "$1" "${3-}")" = "$2" ]; }

the_agent_writes_a_page() {
	undo rm -rf "${page%/*}"
	mkdir -p "${page%/*}"
	cluster up 3
	cluster kill --agent 1
	sed -i "/^\[Group\]/a Metrics = $page" "$PAXOS_RUN/1.conf"
	cluster start 1
	until_true test -s "$page"
	[ "$(stat -c %a "$page")" = 644 ]
	well_formed "$page"
}

it_says_what_the_status_says() {
	lead 1
	on 1 burst -n 50 -t 60000 -r 60000 metrics >"$work/acks"
	all_chosen "$work/acks" 50
	same_logs 1 2 3
	until_true says commit_slot "$(state 1 commit)"
	until_true says durable_lsn "$(state 1 durable)"
	cat "$page" >&2
	well_formed "$page"
	until_true says leads 1
	until_true says leader 1
	until_true says voters_up 3
	until_true says epoch 1
	until_true says proposals_total 50
	until_true says proposal_seconds_count 50
	until_true says waits 0 ',for="quorum"'
	until_true says member_up 1 ',member="3"'
	until_true says member_commit_slot "$(state 1 commit)" ',member="2"'
	until_true detector_says_so
	[ "$(sample messages_sent_total ',type="accept"')" -gt 0 ]
	[ "$(sample wal_written_bytes_total)" -gt 0 ]
	[ "$(sample wal_sync_seconds_count)" -gt 0 ]
}

# A host that was slow is suspected now and then.
detector_says_so() {
	local json
	json=$(quietly_on 1 paxosctl -j detector)
	says detector_mistakes_total "$(field mistakes "${json#*\"member\":2,}")" \
		',member="2"'
}

what_consumers_hold_is_there() {
	modprobe paxos_kv
	on 1 paxosctl kv put key value
	on 1 paxosctl snapshot save "$work/snapshot"
	until_true says consumer_applied_slot "$(state 1 commit)" \
		',consumer="kv",n="1"'
	until_true says snapshot_slot "$(state 1 commit)"
	well_formed "$page"
	[ "$(sample log_bytes)" -gt 0 ]
}

it_says_what_is_wrong() {
	cluster kill 2 3
	until_true says waits 1 ',for="quorum"'
	says voters_up 1
	until_true says member_suspected 1 ',member="3"'
	well_formed "$page"
	cluster start 2 3
	until_true says waits 0 ',for="quorum"'
}

what_cannot_be_written_is_said_once_and_stops_nothing() {
	rm -rf "${page%/*}"
	until_true grep -q "warning: cannot write $page: No such file" \
		"$PAXOS_RUN/1.log"
	on 1 paxosctl propose 'without metrics'
	mkdir "${page%/*}"
	until_true test -s "$page"
	[ "$(grep -c 'cannot write' "$PAXOS_RUN/1.log")" = 1 ]
}

it_goes_with_its_agent() {
	kill "$(agent_pid 1)"
	until_true not test -e "$page"
}

run_tests \
	the_agent_writes_a_page \
	it_says_what_the_status_says \
	what_consumers_hold_is_there \
	it_says_what_is_wrong \
	what_cannot_be_written_is_said_once_and_stops_nothing \
	it_goes_with_its_agent
