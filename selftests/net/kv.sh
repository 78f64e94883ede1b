#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The store of paxos_kv.ko on three hosts: what one puts the others see, and
# what holds of transactions, leases, history and watches.

. "${BASH_SOURCE[0]%/*}/lib.sh"

kv() { on "$1" paxosctl kv "${@:2}"; }
kvj() { on "$1" paxosctl -j kv "${@:2}"; }

# What a few commands take, one after the other, is less.
TTL=$(term 4s 20s)

# number FIELD: of the JSON on standard input
number() { sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p"; }

what_one_host_puts_the_others_get() {
	cluster up 3
	lead 1
	modprobe paxos_kv
	kv 1 put greeting hello
	[ "$(kv 2 get greeting)" = 'greeting  hello' ]
	kv 3 put greeting 'hello, world'
	[ "$(kv 1 get --raw greeting)" = 'hello, world' ]
	kvj 2 get greeting | grep '"version":2' >&2
	refused 1 'no such key' kv 1 get nothing
	kv 2 del greeting
	refused 1 'no such key' kv 3 get greeting
	refused 1 'no such key' kv 3 del greeting
}

bytes_of_all_kinds() {
	head -c 31000 /dev/urandom >"$work/value"
	kv 1 put blob - <"$work/value"
	kv 3 get --raw blob >"$work/read"
	cmp "$work/value" "$work/read" >&2
	head -c 32760 /dev/zero >"$work/value"
	refused 1 '32768 bytes' kv 1 put blob - <"$work/value"
	kv 1 put empty ''
	[ "$(kv 2 get empty)" = 'empty  ' ]
}

# Not a guard that is gone, nor a put that says that it was done.
what_is_too_large_is_refused() {
	local big
	big=$(head -c 66000 /dev/zero | tr '\0' x)
	kv 1 put guarded old
	refused 1 '32768 bytes' kv 1 txn if value guarded = "$big" \
		'then' put guarded new
	refused 1 '32768 bytes' kv 1 txn 'then' put guarded "$big"
	refused 1 '32768 bytes' kv 1 txn 'then' put a "$big" put b "$big" \
		put c "$big" put d "$big"
	refused 1 '1024 bytes at most' kv 1 put "$big" x
	refused 1 '1024 bytes at most' kv 1 get "$big"
	refused 1 '1024 bytes at most' kv 1 txn 'then' del "$big"
	[ "$(kv 2 get --raw guarded)" = old ]
	kv 1 del guarded
}

ranges_are_of_one_revision() {
	local i revision
	for i in 1 2 3 4 5; do
		kv $((i % 3 + 1)) put "dir/$i" "value $i"
	done
	revision=$(kvj 1 put dir/6 last | number revision)
	kv 2 del --prefix dir/
	kv 3 get --prefix dir/ >"$work/none"
	[ ! -s "$work/none" ]
	[ "$(kv 3 get --prefix dir/ -r "$revision" | wc -l)" -eq 6 ]
	[ "$(kv 3 get --prefix dir/ -r "$revision" -n 2 | tail -n 1)" = \
		'dir/2  value 2' ]
	[ "$(kv 3 get --prefix dir/ -r "$revision" -n 2 --after dir/2 |
		xargs)" = 'dir/3 value 3 dir/4 value 4' ]
	[ -z "$(kv 3 get --prefix dir/ -r "$revision" --after dir/6)" ]
	refused 1 'does not begin with' kv 3 get --prefix dir/ --after blob
	refused 1 'goes with --prefix' kv 3 get --after blob blob
	refused 1 'yet to come' kv 1 get blob -r 1000000
}

many_large_values_come_in_pages() {
	local i
	head -c 20000 /dev/zero | tr '\0' x >"$work/value"
	for i in 1 2 3 4 5 6 7 8; do
		kv 1 put "page/$i" - <"$work/value"
	done
	[ "$(kv 2 get --prefix page/ | wc -lc | xargs)" = "8 $((8 * 20009))" ]
	kv 1 del --prefix page/
}

a_transaction_takes_a_lock_once() {
	local i
	for i in 1 2 3; do
		kv "$i" txn if version lock = 0 'then' put lock "$i" \
			else get lock >"$work/lock-$i" &
	done
	wait
	cat "$work"/lock-? >&2
	[ "$(cat "$work"/lock-? | grep -c '^then')" -eq 1 ]
	[ "$(cat "$work"/lock-? | grep -c '^lock  ')" -eq 2 ]
	kv 1 txn if value lock = nobody if mod lock '>' 0 'then' del lock |
		grep '^else' >&2
	refused 1 'is no number' kv 1 txn if mod lock = x 'then' del lock
	refused 1 'if, then or else' kv 1 txn del lock
	refused 1 'give the key' kv 1 txn 'then' put lock
}

a_lease_that_is_not_kept_takes_its_keys_with_it() {
	local lease other
	lease=$(kv 2 lease grant "$TTL" | sed -n 's/^lease //p')
	other=$(kv 3 lease grant 600s | sed -n 's/^lease //p')
	kv 2 put mortal x -l "$lease"
	kv 2 put other x -l "$other"
	for _ in 1 2 3 4 5; do
		sleep 1.2
		kv 3 lease keep "$lease"
	done
	kv 1 get mortal
	until_true gone mortal
	kv 1 get other
	kv 1 lease list | grep -q "^$other " >&2
	refused 1 'no such lease' kv 1 lease keep "$lease"
	refused 1 'no such lease' kv 1 put late x -l "$lease"
	kv 1 lease revoke "$other"
	gone other
}

gone() { refused 1 'no such key' kv 1 get "$1"; }

a_lease_ends_under_a_new_leader() {
	local lease
	lease=$(kv 2 lease grant "$TTL" | sed -n 's/^lease //p')
	kv 2 put mortal y -l "$lease"
	lead 3
	kv 1 get mortal
	until_true gone mortal
}

# Which holds it from the first command on.
a_lease_ends_where_the_leader_does_not_hold_the_store() {
	local lease
	until_true rmmod paxos_kv
	modprobe paxos_kv
	lead 3
	lease=$(kv 1 lease grant "$TTL" | sed -n 's/^lease //p')
	kv 1 put mortal z -l "$lease"
	until_true gone mortal
	on 3 paxosctl status | tee "$work/status" >&2
	not grep -q '^  *kv ' "$work/status"
}

history_goes_where_the_leader_does_not_hold_the_store() {
	local revision
	kv 1 history 10
	revision=$(kvj 1 put aging 0 | number revision)
	for _ in {1..15}; do kv 1 put aging more; done
	until_true compacted 1 "$revision"
	on 3 paxosctl status | tee "$work/status" >&2
	not grep -q '^  *kv ' "$work/status"
	kv 1 history all
}

a_watch_misses_nothing() {
	local revision i
	revision=$(kvj 1 put w/0 zero | number revision)
	timeout $((4 * PATIENCE)) nsenter --net=/run/netns/paxos-2 paxosctl kv watch \
		--prefix w/ -r "$revision" -n 22 >"$work/events" &
	for i in {1..20}; do
		kv $((i % 3 + 1)) put "w/$i" "$i"
		kv $((i % 3 + 1)) put other "$i"
	done
	kv 3 del --prefix w/1 >"$work/del"
	wait $!
	cat "$work/events" >&2
	{
		echo put w/0 zero
		for i in {1..20}; do echo put "w/$i" "$i"; done
		echo del w/1
	} >"$work/expected"
	awk '{ print $2, $3 (NF > 3 ? " " $4 : "") }' "$work/events" |
		diff "$work/expected" - >&2
}

compacted_history_is_said_to_be() {
	local revision
	revision=$(kvj 1 put w/0 again | number revision)
	kv 2 put w/0 'and again'
	kv 1 compact "$revision"
	[ "$(kv 3 get --raw w/0 -r "$revision")" = again ]
	refused 1 'was compacted' kv 3 get w/0 -r $((revision - 1))
	refused 1 'compacted: history begins' kv 3 watch w/0 -r "$revision"
	refused 1 'compacted already' kv 3 compact "$revision"
	refused 1 'yet to come' kv 3 compact 1000000
}

# The kernel holds one event for it; it comes back for what is gone.
a_watch_that_lags_behind_compaction_is_told() {
	local revision pid
	spawn 2 paxosctl kv watch w/0 >"$work/lags" 2>&1
	pid=$!
	until_true has_seen "$work/lags"
	kill -STOP "$pid"
	kv 1 put w/0 'the one'
	kv 1 put w/0 unseen
	revision=$(kvj 1 put w/0 last | number revision)
	kv 1 compact "$revision"
	kill -CONT "$pid"
	not wait "$pid"
	cat "$work/lags" >&2
	grep 'compacted: history begins' "$work/lags"
	not grep 'last' "$work/lags"
}
has_seen() {
	kv 1 put w/0 seen
	grep seen "$1"
}

# compacted I REVISION: further than to it, which is there still, on host I
compacted() { [ "$(kvj "$1" status | number compacted)" -gt "$2" ]; }

history_goes_by_itself_if_it_is_told_to() {
	local revision age
	age=$(term 2 20)
	revision=$(kvj 1 put aging 0 | number revision)
	kv 2 history 20
	kv 3 status | grep 'keeps 20 revisions' >&2
	for _ in {1..40}; do kv 1 put aging more; done
	until_true compacted 2 "$revision"
	refused 1 'was compacted' kv 2 get aging -r "$revision"
	revision=$(kvj 1 status | number compacted)
	[ "$(kvj 1 status | number revision)" -ge $((revision + 20)) ]
	kv 1 history "${age}s"
	kv 2 status | grep "keeps ${age}000 ms" >&2
	revision=$(kvj 1 put aging last | number revision)
	kv 1 put aging 'the very last'
	kv 1 put aging 'no, that'
	kv 1 get aging -r "$revision"
	until_true compacted 1 "$revision"
	until_true is_quiet
	kv 3 history all
	kv 3 status >"$work/status"
	not grep keeps "$work/status" >&2
	refused 1 'number of revisions' kv 1 history some
}

# No revision comes of itself, once all is compacted.
is_quiet() {
	local revision
	revision=$(kvj 1 status | number revision)
	sleep 1.5
	[ "$(kvj 1 status | number revision)" = "$revision" ]
}

over_the_limit_nothing_is_put() {
	kv 1 limit 40000
	refused 1 'no space' kv 2 put more "$(head -c 20000 /dev/zero | tr '\0' x)"
	kv 3 del blob
	kv 3 compact "$(kvj 3 status | number revision)"
	kv 2 put more "$(head -c 20000 /dev/zero | tr '\0' x)"
	kv 2 del more
	kv 1 limit 64M
}

without_a_quorum_nothing_is_linearizable() {
	kv 1 put last here
	cluster kill 2 3
	refused 2 'quorum|severed' kv 1 get -t 2s last
	refused '[12]' 'quorum|severed|unknown' kv 1 put -t 2s last there
	[ "$(kv 1 get -s --raw last)" = here ]
	cluster start 2 3
	lead 1
	kv 1 get last
}

# Every host comes to the same, the one that joined later, too.
all_stores_are_the_same() { until_true same_stores; }
# A lease that ends between two looks is a slot.
same_stores() {
	local i
	for i in 1 2 3; do
		kv "$i" get --prefix '' >"$work/all-$i" || return
		kvj "$i" status >>"$work/all-$i" || return
	done
	cmp "$work/all-1" "$work/all-2" >&2 &&
		cmp "$work/all-1" "$work/all-3" >&2
}

# worker I COUNT: takes the lock so often, and says when it begins and ends.
worker() {
	local i
	for ((i = 0; i < $2; i++)); do
		# shellcheck disable=SC2016
		on "$1" paxosctl lock --ttl 20s door -- sh -c \
			'echo begin $PAXOS_TOKEN; sleep 0.05; echo end $PAXOS_TOKEN' \
			>>"$work/held"
	done
}

# What follows tries the tool, which starts slowly in User Mode Linux.
locks() { [ "${PAXOS_GUEST-}" != uml ] || skip 'it is the tool that is tried'; }

one_holds_a_lock_and_its_token_is_the_highest_so_far() {
	locks
	local i
	: >"$work/held"
	for i in 1 2 3; do worker "$i" 5 & done
	wait
	cat "$work/held" >&2
	awk 'NR % 2 { if ($1 != "begin" || $2 <= last) exit 1; last = $2 }
		NR % 2 == 0 && ($1 != "end" || $2 != last) { exit 1 }
		END { exit NR != 30 }' "$work/held"
	[ "$(on 1 paxosctl lock door -- sh -c 'exit 7' || echo $?)" = 7 ]
}

its_end_is_seen_where_signals_of_children_are_ignored() {
	locks
	on 1 sh -c 'trap "" CHLD; exec timeout 60 paxosctl lock deaf -- true'
}

who_waits_for_a_lock_does_not_need_the_agent_all_the_time() {
	locks
	spawn 1 paxosctl lock patience -- sleep 600
	until_true wanted patience 1
	spawn 2 paxosctl lock --ttl 16s patience -- touch "$work/patient"
	until_true wanted patience 2
	cluster kill --agent 2
	sleep 1
	cluster start 2
	stop_spawned_first
	until_true test -e "$work/patient"
	wait
}
wanted() { [ "$(quietly_on 1 paxosctl kv get --prefix "lock/$1/" | wc -l)" -eq "$2" ]; }
stop_spawned_first() {
	local -a pids
	mapfile -t pids < <(jobs -pr)
	kill "${pids[0]}"
}

# Not only when the lease ends, which is after this test gives up.
who_is_interrupted_leaves_the_queue_at_once() {
	locks
	local code=0 waiter
	spawn 1 paxosctl lock impatience -- sleep 600
	until_true wanted impatience 1
	spawn 2 paxosctl lock --ttl 600s impatience -- touch "$work/impatient"
	waiter=$!
	until_true wanted impatience 2
	kill "$waiter"
	wait "$waiter" || code=$?
	[ "$code" -eq 143 ]
	wanted impatience 1
	stop_spawned
	[ ! -e "$work/impatient" ]
}

a_shared_lock_is_shared() {
	locks
	spawn 1 paxosctl lock -s room -- sleep 600
	until_true holds room
	on 2 paxosctl lock -s -t 60s room -- true
	refused 1 'held by others' on 3 paxosctl lock -t 1s room -- true
	stop_spawned
	on 3 paxosctl lock -t 60s room -- true
}

holds() { [ -n "$(kv 1 get --prefix "lock/$1/")" ]; }

a_lock_moves_from_a_dying_host_after_its_command_was_killed() {
	locks
	lead 1
	# shellcheck disable=SC2016
	spawn 2 paxosctl lock --ttl "$TTL" moves -- sh -c \
		'echo $PAXOS_TOKEN >'"$work/first"'; while :; do
			read -r t _ </proc/uptime; echo $t >>'"$work/beat"'; sleep 0.05
		done'
	until_true test -s "$work/beat"
	cluster kill 2
	# shellcheck disable=SC2016
	on 3 paxosctl lock --ttl "$TTL" -t 120s moves -- sh -c \
		'cut -d" " -f1 /proc/uptime; echo $PAXOS_TOKEN' >"$work/second"
	tail -n 1 "$work/first" "$work/beat" "$work/second" >&2
	[ "$(tail -n 1 "$work/second")" -gt "$(cat "$work/first")" ]
	awk 'NR == FNR { beat = $1; next }
		FNR == 1 { exit !($1 > beat) }' "$work/beat" "$work/second"
	stop_spawned
	cluster start 2
}

# As soon as its holder hears of it, and not only when the lease would have ended.
who_loses_a_lease_by_force_loses_the_command_at_once() {
	locks
	local lease before
	# shellcheck disable=SC2016
	spawn 2 paxosctl lock --ttl 60s taken -- sh -c 'while :; do
			read -r t _ </proc/uptime; echo $t >>'"$work/taken"'; sleep 0.05
		done'
	until_true test -s "$work/taken"
	before=$(tail -n 1 "$work/taken")
	lease=$(kv 1 get --prefix lock/taken/ | grep -o 'x[0-9]*')
	kv 1 lease revoke "${lease#x}"
	until_true is_still "$work/taken"
	awk -v before="$before" '{ last = $1 } END { exit !(last < before + 30) }' \
		"$work/taken"
	stop_spawned
}
# is_still FILE: nobody writes to it.
is_still() {
	local before
	before=$(wc -l <"$1")
	sleep 0.5
	[ "$(wc -l <"$1")" = "$before" ]
}

# answers PATTERN [-d] COMMAND ITEM...: what the kernel says.
answers() {
	local pattern=$1 answer
	shift
	answer=$(quietly_on 1 nlsend -k "$@")
	echo "$*: $answer" >&2
	[[ $answer =~ ^$pattern ]] || wrong "it should say '$pattern'"
}

every_refusal_says_why() {
	local command
	while read -ra command; do
		answers 'EINVAL (-group|a) .*group' "${command[@]}"
		answers 'ENOENT .*no group 99' "${command[@]}" group=u32:99
		answers 'ERANGE @group' "${command[@]}" group=u32:0
		answers 'EINVAL @group' "${command[@]}" group=u16:1
	done <<-END
		txn timeout=u32:100
		grant timeout=u32:100 ttl=u64:1000
		keep timeout=u32:100 lease=u64:1
		revoke timeout=u32:100 lease=u64:1
		compact timeout=u32:100 revision=u64:1
		limit timeout=u32:100 limit=u64:1
		history timeout=u32:100
		barrier timeout=u32:100
		watch timeout=u32:100
		info
		-d get
		-d leases
	END
	answers 'EINVAL -timeout' txn group=u32:1
	answers 'EINVAL -ttl' grant group=u32:1 timeout=u32:100
	answers 'ERANGE @timeout' barrier group=u32:1 timeout=u32:0
	answers 'EINVAL @lease 0 is none' keep group=u32:1 timeout=u32:100 \
		lease=u64:0
	answers 'EINVAL @history so long' history group=u32:1 timeout=u32:100 \
		history=u64:9223372036854775808
	answers 'EINVAL @period .*or of a period' history group=u32:1 \
		timeout=u32:100 history=u64:1 period=u64:1
	answers 'EINVAL @item an item needs' txn group=u32:1 timeout=u32:100 \
		+item item.key=text:k -
	answers 'EINVAL @item the item makes no sense' txn group=u32:1 \
		timeout=u32:100 +item item.section=u8:1 item.what=u8:1 -
	answers 'ERANGE @item' txn group=u32:1 timeout=u32:100 \
		+item item.section=u8:3 item.what=u8:1 item.key=text:k -
	answers 'ERANGE @key' -d get group=u32:1 key=zero:1025
	answers 'ERANGE .*yet to come' -d get group=u32:1 revision=u64:1000000
	answers 'ESTALE .*compacted' -d get group=u32:1 revision=u64:1
	answers 'ESTALE .*history begins' watch group=u32:1 timeout=u32:100 \
		revision=u64:1
	answers 'EINVAL .*does not begin' -d get group=u32:1 key=text:b \
		after=text:a
	answers 'EINVAL .*behind a key' -d get group=u32:1 key=text:b exact=u8:1 \
		after=text:b
}

random_commands_hurt_nobody() {
	local n seed
	n=$(scaled 5000 1000)
	for seed in 1 "$RANDOM"; do
		say "seed $seed"
		on 1 nlfuzz -f paxos_kv -g 1 -n "$n" -s "$seed" >"$work/fuzz"
		cat "$work/fuzz" >&2
		grep -q '^answers [1-9]' "$work/fuzz"
		grep -q '^EINVAL [0-9]' "$work/fuzz"
		grep -q '^ENOENT [0-9]' "$work/fuzz"
	done
	kv 2 limit 64M
	kv 2 put after random
	[ "$(kv 1 get --raw after)" = random ]
}

nobody_else_may() {
	refused 1 'CAP_NET_ADMIN' on 1 setpriv --reuid 65534 --regid 65534 \
		--clear-groups paxosctl kv get -g 1 last
	refused 1 'no group 7' kv 1 get -g 7 last
}

the_module_goes_when_nobody_needs_it() {
	cluster down
	until_true rmmod paxos_kv
	[ ! -e /sys/module/paxos_kv ]
}

run_tests what_one_host_puts_the_others_get bytes_of_all_kinds \
	what_is_too_large_is_refused \
	ranges_are_of_one_revision many_large_values_come_in_pages \
	a_transaction_takes_a_lock_once \
	a_lease_that_is_not_kept_takes_its_keys_with_it \
	a_lease_ends_under_a_new_leader \
	a_lease_ends_where_the_leader_does_not_hold_the_store \
	history_goes_where_the_leader_does_not_hold_the_store \
	a_watch_misses_nothing \
	compacted_history_is_said_to_be \
	a_watch_that_lags_behind_compaction_is_told \
	history_goes_by_itself_if_it_is_told_to over_the_limit_nothing_is_put \
	one_holds_a_lock_and_its_token_is_the_highest_so_far \
	its_end_is_seen_where_signals_of_children_are_ignored \
	who_waits_for_a_lock_does_not_need_the_agent_all_the_time \
	who_is_interrupted_leaves_the_queue_at_once \
	a_shared_lock_is_shared \
	a_lock_moves_from_a_dying_host_after_its_command_was_killed \
	who_loses_a_lease_by_force_loses_the_command_at_once \
	without_a_quorum_nothing_is_linearizable all_stores_are_the_same \
	every_refusal_says_why random_commands_hurt_nobody \
	nobody_else_may the_module_goes_when_nobody_needs_it
