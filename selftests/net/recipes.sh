#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What is made of the store, from the shell: elections, queues, services.
#
# Native: it is the tool that is tried, and its times are those of leases.
# Patient: two minutes of leases that end.

. "${BASH_SOURCE[0]%/*}/lib.sh"

TTL=$(term 6 20)	# seconds
COUNT=$(scaled 40 20)

queue() { quietly_on "$1" paxosctl queue "${@:2}"; }
service() { on "$1" paxosctl service "${@:2}"; }
lists() {
	local all
	all=$(quietly_on "$1" paxosctl service list "$2") && [ "$all" = "$3" ]
}
shows() {
	quietly_on "$1" paxosctl elect --show "$2" >"$work/shown" &&
		grep -q "^$3  token" "$work/shown"
}
token_of() { awk '{ print $NF }' "$work/shown"; }

three_hosts_have_a_store() {
	need_module paxos_kv
	undo rmmod paxos_kv
	cluster up 3
	lead 1
	refused 1 'nobody was elected' on 1 paxosctl elect --show office
	refused 1 'give the command' on 1 paxosctl elect office
	refused 1 'no /' on 1 paxosctl elect a/b -- true
	refused 1 'from 1s on' on 1 paxosctl elect --ttl 1ms a -- true
}

the_next_is_elected_when_the_winner_dies() {
	local first
	# shellcheck disable=SC2016	# there
	spawn 2 paxosctl elect --ttl "${TTL}s" -v two office -- \
		sh -c 'echo $PAXOS_TOKEN; exec sleep 600' >"$work/two"
	until_true shows 1 office two
	first=$(token_of)
	[ "$(<"$work/two")" = "$first" ]
	# shellcheck disable=SC2016
	spawn 3 paxosctl elect --ttl "${TTL}s" -v three office -- \
		sh -c 'echo $PAXOS_TOKEN; exec sleep 600' >"$work/three"
	sleep 1
	until_true shows 1 office two
	cluster kill 2
	until_true shows 1 office three
	[ "$(token_of)" -gt "$first" ]
	until_true test -s "$work/three"
	[ "$(<"$work/three")" = "$(token_of)" ]
	cluster start 2
	stop_spawned
}

a_queue_is_first_in_first_out() {
	local i id token
	for ((i = 1; i <= 5; i++)); do
		queue $((i % 3 + 1)) push jobs "job $i" >/dev/null
	done
	on 2 paxosctl queue len jobs | grep -x '5 items, 0 of them being worked on' >&2
	for ((i = 1; i <= 5; i++)); do
		read -r id token value < <(queue $((i % 3 + 1)) pop jobs)
		[ "$value" = "job $i" ]
		on 3 paxosctl queue ack jobs "$id" "$token"
		refused 1 'not yours any more' \
			on 3 paxosctl queue ack jobs "$id" "$token"
	done
	refused 1 'nothing is in the queue' on 1 paxosctl queue pop jobs
	on 2 paxosctl -j queue len jobs | grep -x '{"items":0,"claimed":0}' >&2
	# Any bytes, and no key is left behind.
	head -c 30000 /dev/urandom >"$work/item"
	queue 1 push jobs - <"$work/item" >&2
	queue 2 pop --raw jobs >"$work/popped" 2>"$work/claim"
	cmp "$work/item" "$work/popped" >&2
	read -r id token <"$work/claim"
	on 3 paxosctl queue ack jobs "$id" "$token"
	quietly_on 1 paxosctl kv get --prefix queue/ >"$work/left"
	quietly_on 1 paxosctl kv lease list >>"$work/left"
	[ ! -s "$work/left" ]
}

pushed_twice_it_is_there_once() {
	queue 1 push --id one twice first
	on 2 paxosctl queue push --id one twice second | grep 'was there' >&2
	on 3 paxosctl queue len twice | grep '^1 items' >&2
	on 3 paxosctl queue pop twice | grep 'first$' >&2
}

what_is_not_acknowledged_comes_again() {
	local id token again value
	queue 1 push slow first >&2
	queue 1 push slow second >&2
	read -r id token value < <(queue 2 pop --ttl "${TTL}s" slow)
	[ "$value" = first ]
	read -r _ _ value < <(queue 3 pop --ttl 600s slow)
	[ "$value" = second ]
	refused 1 'that nobody was given' on 1 paxosctl queue pop slow
	read -r _ again value < <(queue 1 pop --wait 60s slow)
	[ "$value" = first ]
	[ "$again" -gt "$token" ]
	refused 1 'not yours any more' on 2 paxosctl queue ack slow "$id" "$token"
	on 1 paxosctl queue ack slow "$id" "$again"
}

# The effect of an item, and its end, in one transaction: whoever was given it
# later has another token, so only one of them has an effect.
worked() {
	local key=queue/once
	quietly_on "$1" paxosctl kv txn if mod "$key/claim/$2" = "$3" 'then' \
		put "effect/$3" made del "$key/claim/$2" del "$key/item/$2" \
		del "$key/order/$2" | grep -q '^then'
}
exactly_once_is_what_a_transaction_does() {
	local id first second
	queue 1 push once work >&2
	read -r id first _ < <(queue 2 pop --ttl "${TTL}s" once)
	read -r _ second _ < <(queue 3 pop --wait 60s once)
	not worked 2 "$id" "$first"
	worked 3 "$id" "$second"
	not worked 3 "$id" "$second"
	[ "$(quietly_on 1 paxosctl kv get --prefix effect/)" = \
		"effect/$second  made" ]
	on 1 paxosctl queue len once | grep '^0 items' >&2
}

# consumer I: until the queue is empty; every third item it forgets.
consumer() {
	local id token value n=0
	while read -r id token value < <(quietly_on "$1" \
		paxosctl queue pop --ttl "${TTL}s" --wait "$((3 * TTL))s" many)
	do
		echo "$token $value" >>"$work/popped-$1"
		[ $((++n % 3)) -ne 0 ] || continue
		quietly_on "$1" paxosctl queue ack many "$id" "$token" &&
			echo "$value" >>"$work/acked-$1"
	done
}

all_are_delivered_at_least_once_and_acknowledged_once() {
	local i
	for ((i = 1; i <= COUNT; i++)); do
		queue 1 push many "item-$i" >/dev/null
	done
	for i in 1 2 3; do
		consumer "$i" 2>"$work/consumer-$i" &
	done
	wait
	cat "$work"/acked-? | sort >"$work/acked"
	for ((i = 1; i <= COUNT; i++)); do echo "item-$i"; done | sort |
		diff - "$work/acked" >&2
	# Some were forgotten: they came again, with a higher token.
	[ "$(cat "$work"/popped-? | wc -l)" -gt "$COUNT" ]
	# What came first, went first: first deliveries are in order.
	sort -n "$work"/popped-? | awk '!seen[$2]++ { print $2 }' >"$work/order"
	for ((i = 1; i <= COUNT; i++)); do echo "item-$i"; done |
		diff - "$work/order" >&2
}

a_service_is_listed_while_it_is_well() {
	local pid
	spawn 1 paxosctl service register --id one --ttl "${TTL}s" web 10.0.0.1:80
	pid=$!
	touch "$work/well"
	spawn 2 paxosctl service register --id two --ttl "${TTL}s" web \
		10.0.0.2:80 -- test -e "$work/well"
	until_true lists 3 web 'web  one  10.0.0.1:80
web  two  10.0.0.2:80'
	rm "$work/well"
	until_true lists 3 web 'web  one  10.0.0.1:80'
	touch "$work/well"
	until_true lists 3 web 'web  one  10.0.0.1:80
web  two  10.0.0.2:80'
	# It outlives its time by far while it is kept.
	sleep $((TTL + 1))
	lists 3 web 'web  one  10.0.0.1:80
web  two  10.0.0.2:80'
	on 3 paxosctl -j service list |
		grep '"name":"web","id":"one","address":"10.0.0.1:80"' >&2
	kill -TERM "$pid"
	wait "$pid"
	lists 3 '' 'web  two  10.0.0.2:80'
	stop_spawned
}

# Two of one ID: the later one takes the place, and leaves with it.
it_is_listed_again_when_another_of_its_id_leaves() {
	local pid
	spawn 1 paxosctl service register --id same --ttl "${TTL}s" two first
	until_true lists 3 two 'two  same  first'
	spawn 2 paxosctl service register --id same --ttl "${TTL}s" two second
	pid=$!
	until_true lists 3 two 'two  same  second'
	kill -TERM "$pid"
	wait "$pid"
	until_true lists 3 two 'two  same  first'
	stop_spawned
}

a_watch_sees_them_come_and_go() {
	local revision
	revision=$(quietly_on 1 paxosctl -j kv put mark x |
		sed -n 's/.*"revision":\([0-9]*\).*/\1/p')
	spawn 2 paxosctl service register --id three --ttl "${TTL}s" db here
	until_true lists 1 db 'db  three  here'
	# It dies without a word.
	kill -KILL $!
	on 3 timeout $((4 * PATIENCE)) paxosctl service watch -r "$revision" -n 2 db |
		awk '{ print $2, $3 }' >"$work/events"
	diff - "$work/events" >&2 <<-'EOF'
		put service/db/three
		del service/db/three
	EOF
}

run_tests three_hosts_have_a_store the_next_is_elected_when_the_winner_dies \
	a_queue_is_first_in_first_out pushed_twice_it_is_there_once \
	what_is_not_acknowledged_comes_again \
	exactly_once_is_what_a_transaction_does \
	all_are_delivered_at_least_once_and_acknowledged_once \
	a_service_is_listed_while_it_is_well \
	it_is_listed_again_when_another_of_its_id_leaves a_watch_sees_them_come_and_go
