# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the tests of this directory share. A test file is
#
#	. "${BASH_SOURCE[0]%/*}/lib.sh"
#	first_thing() { on 1 paxosctl propose x; }
#	run_tests first_thing ...
#
# Each test is a function, run in a shell of its own with `set -e`: the first
# command that fails, fails it. Its name is what it shows. skip() ends it as
# skipped. What it printed is shown only where it failed, or with V=1.

set -u
umask 077	# keys
here=$(cd "${BASH_SOURCE[1]%/*}" && pwd -P)
top=$(cd "$here/../.." && pwd -P)
PATH=$top/build:$top/build/net:$here:$PATH:/usr/sbin:/sbin
cluster=$top/scripts/cluster
# Beside the tests where the kernel's runner installed them.
[ -x "$cluster" ] || cluster=$here/cluster
export PAXOS_RUN=${PAXOS_RUN:-/run/paxos-cluster}

SKIP=4		# the kernel's number for it
PATIENCE=180	# seconds that a condition may take; only failures take so long
export PAXOS_PATIENCE=$PATIENCE
slow=${PAXOS_SLOW:-}
[ "${PAXOS_GUEST-}" != uml ] || slow=1

# term TIME LONG: what some commands have to fit into; LONG where each takes a
# second.
term() { [ "${PAXOS_GUEST-}" = uml ] && echo "$2" || echo "$1"; }

# scaled N [M]: N, or where it is slow a tenth of it, M at least. The verdict says
# which, so names of tests are true of any.
scaled() {
	local least=${2:-1} count=$1
	[ -z "$slow" ] || count=$((count / 10))
	count=$((count > least ? count : least))
	echo "$count"
	[ "$count" -eq "$1" ] || count="$count of $1"
	grep -qxF "$count" "$work/counts" || echo "$count" >>"$work/counts"
}

say() { echo "# $*" >&2; }
# not COMMAND...: `!` would keep a failure from ending the test.
not() { ! "$@"; }
skip() { say "SKIP: $*"; echo "$*" >"$work/skip"; exit $SKIP; }
wrong() { say "$*"; return 1; }

# need PROGRAM...: or the test is skipped.
need() {
	local program
	for program; do
		type -P "$program" >/dev/null || skip "no $program"
	done
}

need_module() {
	modprobe -q "$1" || [ -d "/sys/module/$1" ] ||
		grep -qw "${1//_/-}\|$1" "/lib/modules/$(uname -r)/modules.builtin" ||
		skip "no module $1"
}

# --- Hosts ------------------------------------------------------------------

# Log a command and run it.
logged() { echo "+ $*" >&2; "$@"; }

# What its agents said goes with it.
cluster() {
	[ "$1" != down ] || no_divergence || return
	logged "$cluster" "$@"
}

# on I COMMAND...: on host I. A little faster than `cluster exec`.
on() { echo "+ $*" >&2; quietly_on "$@"; }
quietly_on() { nsenter "--net=/run/netns/paxos-$1" "${@:2}"; }
# spawn I COMMAND...: the same in the background; $! is COMMAND's own.
spawn() {
	echo "+ $* &" >&2
	nsenter "--net=/run/netns/paxos-$1" "${@:2}" &
}
# All that was spawned; some of it may have ended by itself.
stop_spawned() {
	local -a pids
	mapfile -t pids < <(jobs -pr)
	[ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" || true
	wait
}

# drop_hosts I...: the namespaces that a test made by itself.
drop_hosts() {
	local i
	for i; do
		[ ! -e "/run/netns/paxos-$i" ] || ip netns del "paxos-$i"
	done
}

agent_pid() { echo "$(<"$PAXOS_RUN/$1.pid")"; }
agent_log() { cat "$PAXOS_RUN/$1.log"; }
config_of() { sed -n "s/^$2 = //p" "$PAXOS_RUN/$1.conf"; }
address_of() {
	sed -n "s/^Address = \[*\([^]]*\)\]*:7400/\1/p" "$PAXOS_RUN/1.conf" |
		sed -n "$1p"
}

# --- What the tool says -----------------------------------------------------

# field NAME JSON: the first NAME in it, without quotes.
field() {
	local json=$2
	[[ $json =~ \"$1\":(\"([^\"]*)\"|[^],}]*) ]] || return 1
	echo "${BASH_REMATCH[2]:-${BASH_REMATCH[1]//\"/}}"
}

# status I: JSON. Without a quorum the tool returns 2, and prints all the same.
status() {
	local code=0
	quietly_on "$1" paxosctl -j status 1 || code=$?
	[ $code -eq 0 ] || [ $code -eq 2 ]
}

# state I NAME: one field of the status.
state() {
	local json
	json=$(status "$1")
	field "$2" "$json"
}

# drops I: "REASON COUNT" of all datagrams dropped on host I, of no group too.
drops() {
	quietly_on "$1" paxosctl -j stats |
		grep -o '"drops":{[^}]*}' | tr -d '{}"' | sed 's/^drops://' |
		tr ',:' '\n ' | awk 'NF == 2 { sum[$1] += $2 }
			END { for (name in sum) print name, sum[name] }' | sort
}

# counter I NAME: a counter of the group.
counter() {
	local json
	json=$(quietly_on "$1" paxosctl -j stats -g 1)
	field "$2" "$json"
}

# log_of I: "SLOT  VALUE" lines.
log_of() { quietly_on "$1" paxosctl log -g 1; }

# --- Waiting ----------------------------------------------------------------

# until_true COMMAND...: poll it; PATIENCE is the bound.
until_true() {
	local end=$((SECONDS + PATIENCE))
	echo "+ until_true $*" >&2
	until "$@" 2>"$work/poll"; do
		if [ $SECONDS -ge $end ]; then
			cat "$work/poll" >&2
			wrong "not within $PATIENCE s: $*"
			return
		fi
		sleep 0.05
	done
}

# is I NAME VALUE: so says the status of host I.
is() { [ "$(state "$1" "$2")" = "$3" ]; }
is_not() { ! is "$@"; }
# knows_leader I: host I does, and it is $leader.
knows_leader() {
	leader=$(state "$1" leader)
	[ "$leader" != null ]
}
leads() { is "$1" phase leader; }

# lead I: host I becomes the leader, and has a quorum.
lead() {
	until_true campaign "$1"
}
campaign() { quietly_on "$1" paxosctl campaign --wait -t 2s -g 1; }

# Has every host the same commit, with nothing open behind it?
is_even() {
	local i json commit seen=''
	for i; do
		json=$(status "$i") || return
		commit=$(field commit "$json")
		[ "$commit" = "$(field slot "$json")" ] || return 1
		[ "$commit" = "${seen:=$commit}" ] || return 1
	done
}

# is_idle I: nothing is left to write there, nothing under way, and so it stays.
is_idle() {
	local json lsn
	lsn=$(state "$1" lsn)
	sleep 1.5	# a lone commit record waits a second
	json=$(status "$1")
	[ "$(field lsn "$json")" = "$lsn" ] &&
		[ "$(field durable "$json")" = "$lsn" ] &&
		[ "$(field pending "$json")" = 0 ]
}

# await_growth I: something is chosen that host I did not know.
await_growth() { until_true grows_from "$1" "$(state "$1" commit)"; }
grows_from() { [ "$(state "$1" commit)" -gt "$2" ]; }

# --- Agreement --------------------------------------------------------------

# same_logs I...: all know the same, and it is in order without a gap.
same_logs() {
	local i
	until_true is_even "$@"
	log_of "$1" >"$work/log-$1"
	awk '$1 != NR { print "slot " $1 " in line " NR; exit 1 }' \
		"$work/log-$1" >&2 || return
	for i in "${@:2}"; do
		log_of "$i" >"$work/log-$i"
		cmp "$work/log-$1" "$work/log-$i" >&2 || return
	done
}

# acknowledged FILE I...: each proposal that burst says was chosen is in the
# log of each host, in the slot that was named; no value of a burst is there
# twice, and none that was certainly not chosen. Burst fills values up with dots.
acknowledged() {
	local file=$1 i
	shift
	[ -s "$file" ] || wrong "nobody proposed anything"
	for i; do
		log_of "$i" | tr -s . | sed 's/\.$//' >"$work/log-$i"
		awk -v host="$i" -f "$here/acknowledged.awk" \
			"$work/log-$i" "$file" >&2
	done
}

# all_chosen FILE COUNT: every proposal of it was, and there are COUNT.
all_chosen() {
	local count
	count=$(grep -c '^chosen ' "$1" || true)
	awk '{ times[$1]++ } END { for (end in times) print end, times[end] }' \
		"$1" >&2
	if [ "$count" -ne "$2" ] || [ "$(wc -l <"$1")" -ne "$2" ]; then
		wrong "$count of $2 proposals chosen"
	fi
}

# refused STATUS PATTERN COMMAND...: it returns STATUS, for example 1 or [12],
# and its complaint matches PATTERN.
refused() {
	local expected=$1 pattern=$2 code=0
	shift 2
	"$@" >"$work/refused" 2>&1 || code=$?
	cat "$work/refused" >&2
	# shellcheck disable=SC2053	# a pattern
	[[ $code == $expected ]] ||
		wrong "status $code, expected $expected: $*" || return
	grep -Eq -- "$pattern" "$work/refused" ||
		wrong "it should say '$pattern': $*"
}

# --- Running ----------------------------------------------------------------

work=$(mktemp -d "${TMPDIR:-/tmp}/paxos-net.XXXXXX")
: >"$work/counts"
# undo COMMAND: at the end of the file, the last one first.
undo() { echo "$*" >>"$work/undo"; }

# Whatever else a file is about, its members must hold the same log. One that
# breaks a memory sets DIVERGES.
no_divergence() {
	local file
	[ -z "${DIVERGES-}" ] || return 0
	for file in "$PAXOS_RUN"/*.log; do
		[ -e "$file" ] || continue
		not grep 'divergence at slot' "$file" >&2 || return 1
	done
}

# What makes a kernel fail is of one test.
mend() {
	local module
	for module in paxos_fail paxos_corrupt; do
		[ ! -d "/sys/module/$module" ] || rmmod "$module"
	done
}

# let_go MODULE: of what needs it, too.
let_go() {
	let_go_of_users "$1"
	rmmod "$1"
}
let_go_of_users() {
	local user
	for user in "/sys/module/$1/holders"/*; do
		[ ! -e "$user" ] || let_go "${user##*/}"
	done
}

end_file() {
	local code=$?
	trap - EXIT INT TERM HUP
	if ! no_divergence; then
		say 'members hold different logs'
		code=1
	fi
	if [ -e "$PAXOS_RUN/hosts" ]; then
		"$cluster" down >&2
	fi
	if [ -e "$work/undo" ]; then
		tac "$work/undo" >"$work/undo-now"
		# shellcheck source=/dev/null
		. "$work/undo-now"
	fi
	let_go_of_users paxos || say "a module stays"
	rm -rf "$work"
	exit $code
}

end_test() {
	local -a pids
	mapfile -t pids < <(jobs -p)
	[ ${#pids[@]} -eq 0 ] || kill -9 "${pids[@]}" 2>"$work/kill" || true
	wait
	mend
}

fault() {
	local code=$? i
	say "status $code: $BASH_COMMAND"
	for ((i = 1; i < ${#FUNCNAME[@]} - 3; i++)); do
		say "  ${BASH_SOURCE[i]##*/}:${BASH_LINENO[i - 1]} ${FUNCNAME[i]}"
	done
}

show() { sed 's/^\([^#]\)/# \1/' "$1"; }

# What a person would look at next.
autopsy() {
	local file
	[ -e "$PAXOS_RUN/hosts" ] || return 0
	"$cluster" status 2>&1
	for file in "$PAXOS_RUN"/*.log; do
		[ ! -s "$file" ] || tail -n 5 "$file" | sed "s/^/${file##*/}: /"
	done
} >"$work/autopsy" 2>&1

# What scaled() said since the last time, as a comment.
counts() {
	[ ! -s "$work/counts" ] || echo "# $(paste -sd , "$work/counts" | sed 's/,/, /g')"
	: >"$work/counts"
}

run_one() {
	local name=$1 number=$2 code counts
	rm -f "$work/skip"
	(
		set -eE -o pipefail
		trap fault ERR
		trap end_test EXIT
		"$name"
	) >"$work/out" 2>&1
	code=$?
	name=${name//_/ }
	counts=$(counts)
	case $code in
	0) echo "ok $number $name${counts:+ $counts}" ;;
	"$SKIP")
		echo "ok $number $name # SKIP $(cat "$work/skip")"
		;;
	*)
		autopsy
		show "$work/autopsy"
		# The command at fault comes last, where a cut log still has it.
		tail -n 60 "$work/out" | show /dev/stdin
		echo "not ok $number $name${counts:+ $counts}"
		failed=$((failed + 1))
		return
		;;
	esac
	[ -z "${V-}" ] || show "$work/out"
}

must_fail() { false; true; }

# run_tests FUNCTION...: each a test, in this order.
run_tests() {
	local name number=0 failed=0
	trap end_file EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	echo "TAP version 13"
	if [ "$(id -u)" -ne 0 ]; then
		echo "1..0 # SKIP needs root"
		exit $SKIP
	fi
	if ! [ -d /sys/module/paxos ] && ! modprobe -q paxos &&
		! [ -e "${PAXOS_KO-}" ]; then
		echo "1..0 # SKIP no paxos.ko"
		exit $SKIP
	fi
	need_programs || exit
	counts	# of the whole file
	run_one must_fail 0 >"$work/failure"
	if [ $failed -ne 1 ]; then
		echo "Bail out! Tests cannot fail here"
		exit 1
	fi
	failed=0
	echo "1..$#"
	for name; do
		number=$((number + 1))
		# Not in a condition: that would take effect from `set -e`.
		run_one "$name" $number
	done
	[ $failed -eq 0 ]
	exit
}

need_programs() {
	local program
	for program in paxosctl paxosd burst nsenter ip awk; do
		type -P "$program" >/dev/null && continue
		echo "1..0 # SKIP no $program"
		return $SKIP
	done
}
