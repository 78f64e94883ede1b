# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# paxos_sample.ko, a counter as a consumer (selftests/kmod): each open file of
# /dev/paxos_sample is one.

# consume FD: a consumer that is not opened yet.
consume() {
	[ -e /dev/paxos_sample ] || mdev_sample
	eval "exec $1<>/dev/paxos_sample"
}
mdev_sample() {
	mknod /dev/paxos_sample c 10 \
		"$(awk '$2 == "paxos_sample" { print $1 }' /proc/misc)"
}
# sample FD WORD...: a command; where it fails, the errno's words.
sample() {
	local fd=$1
	shift
	echo "$*" >&"$fd"
}
# at I FD WORD...: the same, on host I.
at() {
	local fd=$2
	# shellcheck disable=SC2016	# expanded there
	quietly_on "$1" bash -c 'fd=$1; shift; echo "$*" >&"$fd"' - "$fd" "${@:3}"
}
# said FD NAME: a number of it.
said() { cat <&"$1" | awk -v name="$2" '$1 == name { print $2 }'; }
says() { [ "$(said "$@")" = "$3" ]; }
# fails WORDS COMMAND...
fails() {
	local words=$1
	shift
	refused 1 "$words" "$@"
}
