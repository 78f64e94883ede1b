# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# shellcheck disable=SC2154	# work: lib.sh's
#
# paxos_counted.ko, the consumer that counts (selftests/kmod), and snapshots.

need_counted() {
	need_module paxos_counted
}

# counted I COMMAND...: on host I.
counted() {
	echo "+ counted $*" >&2
	# shellcheck disable=SC2016	# there
	quietly_on "$1" sh -c 'echo "$*" >/proc/net/paxos_counted' sh "${@:2}"
}
# tells I NAME: what its consumer says.
tells() {
	quietly_on "$1" sed -n "s/^$2 //p" /proc/net/paxos_counted
}
says() { [ "$(tells "$1" "$2")" = "$3" ]; }
at_least() { [ "$(tells "$1" "$2")" -ge "$3" ]; }
# fill COUNT NAME [LENGTH]
fill() {
	on 1 burst -n "$1" -o 64 -l "${3:-100}" -t 60000 -r 60000 "$2" \
		>>"$work/acks"
}
directory() { config_of "$1" StateDirectory; }
snapshots() { find "$(directory "$1")" -name '*.snapshot' | sort; }
newest() { snapshots "$1" | tail -n 1 | sed 's|.*/0*||; s|\..*||'; }
behind() { [ "$(newest "$1")" -gt "$2" ]; }
# one_member I: of its configuration only the first one stays.
one_member() {
	awk '/^\[Member\]/ && n++ { exit } { print }' "$PAXOS_RUN/$1.conf" \
		>"$work/conf"
	cp "$work/conf" "$PAXOS_RUN/$1.conf"
}
# The state of all is the same, as soon as what a store does by itself has ended.
same_state() {
	local i
	until_true is_even "$@"
	until_true is_same_state "$@"
	for i; do
		says "$i" faulty 0
	done
}
is_same_state() {
	local i sum count
	sum=$(tells "$1" sum)
	count=$(tells "$1" count)
	for i in "${@:2}"; do
		[ "$(tells "$i" sum) $(tells "$i" count)" = "$sum $count" ] || return
	done
}
