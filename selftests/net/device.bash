# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Consumers in the kernel: each open file of a device is one (selftests/kmod).

# device FD NAME: one of /dev/NAME.
device() {
	[ -e "/dev/$2" ] || mknod "/dev/$2" c 10 \
		"$(awk -v name="$2" '$2 == name { print $1 }' /proc/misc)"
	eval "exec $1<>/dev/$2"
}
# consume FD: a counter, of paxos_sample.ko, that is not opened yet.
consume() { device "$1" paxos_sample; }
# tell FD WORD...: a command; where it fails, the errno's words.
tell() {
	local fd=$1
	shift
	echo "$*" >&"$fd"
}
# at I FD WORD...: the same, on host I.
at() {
	# shellcheck disable=SC2016	# expanded there
	quietly_on "$1" bash -c 'fd=$1; shift; echo "$*" >&"$fd"' - "${@:2}"
}
# waits PID: a shell that told it something does, in the kernel.
waits() { [[ $(<"/proc/$1/stat") =~ ^[0-9]+\ \(bash\)\ [SD] ]]; }
# said FD NAME: what stands there.
said() { cat <&"$1" | awk -v name="$2" '$1 == name { print $2 }'; }
says() { [ "$(said "$1" "$2")" = "$3" ]; }
# fails WORDS COMMAND...
fails() {
	local words=$1
	shift
	refused 1 "$words" "$@"
}
