#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Netlink messages that are wrong in every way: a clear errno, a sentence, the
# attribute that is to blame, and nothing changed.

. "${BASH_SOURCE[0]%/*}/lib.sh"

one_host_with_a_group() {
	cluster up 1
	lead 1
	on 1 paxosctl propose 'before'
	until_true is_idle 1
	snapshot >"$work/before"
}
snapshot() {
	until_true is_even 1
	status 1 | sed -E 's/"[a-z_]*_(ms|us)":[^,}]*//g'
	on 1 paxosctl group list
	log_of 1
}
unchanged() { snapshot | diff "$work/before" - >&2; }

# says PATTERN COMMAND ITEM...: what the kernel answers.
says() {
	local pattern=$1 answer
	shift
	answer=$(quietly_on 1 nlsend "$@")
	echo "$*: $answer" >&2
	[[ $answer =~ ^$pattern ]] || wrong "it should say '$pattern'"
	[[ $answer != *'(no sentence)' || $answer == EOPNOTSUPP* ]] ||
		wrong "it should have a sentence"
}

every_command_wants_its_group() {
	local command
	while read -ra command; do
		says 'EINVAL -group .*group' "${command[@]}"
		says 'ENOENT @group no group 99' "${command[@]}" group=u32:99
	done <<-END
		group-set key=zero:16
		group-del
		group-get
		propose value=zero:1 timeout=u32:1000
		read timeout=u32:1000
		campaign
		attach
		restore
		start incarnation=u64:1 lsn=u64:0
		pull lsn=u64:0
		peer-set
		resign
		transfer leader=u8:2 timeout=u32:1000
		learn agent=u32:1 from=u8:2 goal=u64:9
		reconfigure timeout=u32:1000 +member member.id=u8:2 member.role=u8:2 -
		checkpoint-get
		space-set agent=u32:1
		consumer-get
		consumer-feed agent=u32:1 which=u32:1 feed=u8:5
		snapshot-begin agent=u32:1
		snapshot-pull agent=u32:1 which=u32:1
		snapshot-end agent=u32:1
	END
	says 'EINVAL .*needs an id, cluster, key, self and members' group-add
	says 'EINVAL .*group' -d log-get
	says 'ENOENT' -d log-get group=u32:99
	unchanged
}

attributes_that_are_short_or_long_are_refused() {
	local command
	for command in group-get propose campaign attach; do
		says 'E(INVAL|RANGE) @group' "$command" group=u8:1
		says 'E(INVAL|RANGE) @group' "$command" group=u64:1
		says 'E(INVAL|RANGE) @group' "$command" group=zero:0
		says 'E(INVAL|RANGE) @group' "$command" group=u32:0
	done
	says 'E(INVAL|RANGE) @key' group-set group=u32:1 key=zero:15
	says 'E(INVAL|RANGE) @key' group-set group=u32:1 key=zero:17
	says 'E(INVAL|RANGE) @timeout' read group=u32:1 timeout=u64:1000
	says 'E(INVAL|RANGE) @timeout' read group=u32:1 timeout=u32:0
	says 'E(INVAL|RANGE) @lsn' pull group=u32:1 lsn=u32:0
	says 'E(INVAL|RANGE) @first' -d log-get group=u32:1 first=u8:1
	says 'E(INVAL|RANGE) @bytes' group-set group=u32:1 bytes=u32:1
	unchanged
}

required_attributes_that_are_missing_are_named() {
	says 'EINVAL -value' propose group=u32:1 timeout=u32:1000
	says 'EINVAL -timeout' propose group=u32:1 value=zero:1
	says 'EINVAL -timeout' read group=u32:1
	says 'EINVAL -incarnation' start group=u32:1 lsn=u64:0
	says 'EINVAL -lsn' start group=u32:1 incarnation=u64:1
	says 'EINVAL -lsn' pull group=u32:1
	says 'EINVAL -leader' transfer group=u32:1 timeout=u32:1000
	says 'EINVAL -timeout' transfer group=u32:1 leader=u8:2
	says 'EINVAL -agent' learn group=u32:1 from=u8:2 goal=u64:9
	says 'EINVAL -from' learn group=u32:1 agent=u32:1 goal=u64:9
	says 'EINVAL -goal' learn group=u32:1 agent=u32:1 from=u8:2
	says 'EINVAL -member' reconfigure group=u32:1 timeout=u32:1000
	says 'EINVAL -agent' space-set group=u32:1
	says 'EINVAL -agent' consumer-feed group=u32:1 which=u32:1 feed=u8:5
	says 'EINVAL -which' consumer-feed group=u32:1 agent=u32:1 feed=u8:5
	says 'EINVAL -feed' consumer-feed group=u32:1 agent=u32:1 which=u32:1
	says 'EINVAL -agent' snapshot-begin group=u32:1
	says 'EINVAL -which' snapshot-pull group=u32:1 agent=u32:1
	says 'EINVAL -agent' snapshot-end group=u32:1
	unchanged
}

unknown_attributes_are_refused() {
	says 'EINVAL @200' group-get group=u32:1 200=u32:1
	says 'EINVAL @state' group-set group=u32:1 state=u8:1
	says 'EINVAL @value' campaign group=u32:1 value=zero:4
	says 'EINVAL @99' group-set group=u32:1 +member 99=u8:1 -
	says 'EINVAL' group-get 0=u32:1 group=u32:1
	unchanged
}

nests_that_are_none_or_too_deep_are_refused() {
	local deep=() i
	says 'EINVAL @member.*NLA_F_NESTED' group-set group=u32:1 \
		~member member.id=u8:1 -
	says 'E(INVAL|RANGE) @member' group-set group=u32:1 member=u32:1
	says 'EINVAL @member' group-set group=u32:1 +member -
	for ((i = 0; i < 60; i++)); do
		deep=(+member "${deep[@]}" -)
	done
	says 'EINVAL @' group-set group=u32:1 "${deep[@]}"
	says 'EINVAL @' group-add group=u32:2 cluster=zero:16 key=zero:16 \
		self=u8:1 "${deep[@]}"
	unchanged
}

lengths_that_lie_are_refused() {
	says 'E(INVAL|RANGE)' group-get group=u32:1@7
	says 'E(INVAL|RANGE)' group-get group=u32:1@0
	says 'E(INVAL|RANGE)' group-get group=u32:1@3
	says 'E(INVAL|RANGE)' group-get group=u32:1@200
	says 'E(INVAL|RANGE)' group-get group=u32:1@65535
	says 'EINVAL' group-get group=u32:1 junk:3
	# There the kernel's netlink finds no command yet, nor a sentence.
	quietly_on 1 nlsend group-get cut:4 | grep '^EINVAL' >&2
	says 'EINVAL' group-set group=u32:1 +member member.id=u8:1@60 -
	unchanged
}

unknown_commands_and_answers_sent_as_commands_are_refused() {
	says EOPNOTSUPP 0 group=u32:1
	says EOPNOTSUPP 99 group=u32:1
	says EOPNOTSUPP 255
	says EOPNOTSUPP event group=u32:1
	says EOPNOTSUPP chosen group=u32:1
	says EOPNOTSUPP -d propose group=u32:1
	unchanged
}

only_the_agent_may_do_what_agents_do() {
	says "EBUSY .*port $(state 1 agent) is attached" attach group=u32:1
	says 'ENOTCONN' pull group=u32:1 lsn=u64:0
	says 'ENOTCONN' restore group=u32:1 +record record.lsn=u64:1 \
		record.type=u8:1 record.ballot=u64:65281 -
	says '(ENOTCONN|EALREADY)' start group=u32:1 lsn=u64:0 \
		incarnation=u64:9
	says 'ENOTCONN @agent' learn group=u32:1 agent=u32:1 from=u8:2 \
		goal=u64:9
	says EINVAL learn group=u32:1 from=u8:2 goal=u64:9
	says 'ENOTCONN @agent' space-set group=u32:1 agent=u32:1
	says 'ENOTCONN @agent' consumer-feed group=u32:1 agent=u32:1 \
		which=u32:1 feed=u8:5
	says 'ENOTCONN @agent' snapshot-begin group=u32:1 agent=u32:1
	says 'ENOTCONN @agent' snapshot-pull group=u32:1 agent=u32:1 which=u32:1
	says 'ENOTCONN @agent' snapshot-end group=u32:1 agent=u32:1
	says '(ENOTCONN|ok)' peer-set group=u32:1 +member member.id=u8:1 -
	unchanged
}

records_that_cannot_be_are_refused() {
	local key
	key="cluster=zero:16 key=zero:16"
	# shellcheck disable=SC2086 # two words
	set -- $key self=u8:1 +member member.id=u8:1 \
		member.address=hex:7f000001 member.port=be16:7402 -
	says ok group-add group=u32:2 "$@"
	says 'EEXIST @group' group-add group=u32:2 "$@"
	says 'EADDRINUSE @self' group-add group=u32:3 "$@"
	says 'ENOTCONN' restore group=u32:2 +record record.lsn=u64:1 \
		record.type=u8:1 record.ballot=u64:257 -
	says 'EINVAL @record.*not complete' restore group=u32:2 \
		+record record.lsn=u64:1 record.type=u8:1 -
	says 'EINVAL @record.*not complete' restore group=u32:2 \
		+record record.type=u8:1 record.ballot=u64:257 -
	says 'E(INVAL|RANGE) @record.type' restore group=u32:2 \
		+record record.lsn=u64:1 record.type=u8:9 -
	says 'ok' group-del group=u32:2
	unchanged
}

# refused_address PATTERN HEX [PORT]: of the only member.
refused_address() {
	says "EINVAL $1" group-add group=u32:3 cluster=zero:16 key=zero:16 \
		self=u8:1 +member member.id=u8:1 "member.address=hex:$2" \
		"member.port=be16:${3-7403}" -
}

addresses_that_no_host_has_are_refused() {
	refused_address '@member.address not the' 00000000
	refused_address '@member.address not the' e0000001
	refused_address '@member.address not the' ffffffff
	refused_address '@member.address not the' \
		00000000000000000000000000000000
	refused_address '@member.address not the' \
		ff020000000000000000000000000001
	refused_address '@member.address .*4 or 16' 7f00000100
	refused_address '@member.address .*IPv4' \
		00000000000000000000ffff7f000001
	refused_address '@member.address .*interface' \
		fe800000000000000000000000000001
	refused_address '@member.port' 7f000001 0
	says 'EINVAL @member .*an address' group-add group=u32:3 \
		cluster=zero:16 key=zero:16 self=u8:1 \
		+member member.id=u8:1 member.port=be16:7403 -
	unchanged
}

# In a namespace of its own: random commands that are nearly right.
random_commands_hurt_nobody() {
	local n seed
	n=$(scaled 20000 2000)
	ip netns add paxos-fuzz
	undo 'ip netns del paxos-fuzz'
	ip -n paxos-fuzz link set lo up
	for seed in 1 "$RANDOM"; do
		say "seed $seed"
		logged nsenter --net=/run/netns/paxos-fuzz \
			nlfuzz -n "$n" -s "$seed" >"$work/fuzz"
		cat "$work/fuzz" >&2
		# It got past the looks at attributes, and was stopped there too.
		grep -q '^ok [0-9]' "$work/fuzz"
		grep -q '^EINVAL [0-9]' "$work/fuzz"
		grep -q '^EBUSY\|^ENOTCONN\|^EUNATCH' "$work/fuzz"
	done
	unchanged
	on 1 paxosctl propose 'after'
}

run_tests \
	one_host_with_a_group \
	every_command_wants_its_group \
	attributes_that_are_short_or_long_are_refused \
	required_attributes_that_are_missing_are_named \
	unknown_attributes_are_refused \
	nests_that_are_none_or_too_deep_are_refused \
	lengths_that_lie_are_refused \
	unknown_commands_and_answers_sent_as_commands_are_refused \
	only_the_agent_may_do_what_agents_do \
	records_that_cannot_be_are_refused \
	addresses_that_no_host_has_are_refused \
	random_commands_hurt_nobody
