#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What a consumer lacks and its kernel no longer holds is brought by an agent
# that gives up, and taken by a consumer that fails. The agent is stopped, and
# nlsend speaks in its name, or it finds a consumer that refuses.

. "${BASH_SOURCE[0]%/*}/lib.sh"
. "${BASH_SOURCE[0]%/*}/counted.bash"

# feed COMMAND-ITEM...: in the agent's name, to the consumer.
feed() {
	quietly_on 1 nlsend consumer-feed group=u32:1 "agent=u32:$port" \
		"which=u32:$which" "$@"
}
# answers PATTERN ITEM...
answers() {
	local pattern=$1 answer
	shift
	answer=$(feed "$@")
	echo "feed $*: $answer" >&2
	[[ $answer =~ ^$pattern ]] || wrong "it should say '$pattern'"
}
gives() { [[ $(feed "${@:2}") =~ ^$1 ]]; }
load=feed=u8:2 section=feed=u8:3

# The id of the consumer that lacks something, and the agent's port.
find_consumer() {
	port=$(state 1 agent)
	for ((which = 1; which < 5000; which++)); do
		case $(feed "$section" value=zero:1) in
		ECANCELED*) return 0 ;;
		EALREADY*) return 1 ;;	# not yet
		esac
	done
	return 1
}
# It opens anew, and has missed what went from the kernel.
reopen() {
	counted 1 close
	counted 1 open 1
}
has_all() {
	until_true says 1 sum "$(<"$work/sum")"
	says 1 faulty 0
	says 1 stopped 0
}

a_consumer_has_a_snapshot_and_lacks_what_is_behind() {
	need_counted
	cluster up 1 --set LogSize=512 --set Window=128
	lead 1
	counted 1 open 1
	fill 700 before
	on 1 paxosctl snapshot save "$work/backup"
	fill 700 behind
	until_true is_even 1
	until_true says 1 last "$(state 1 commit)"
	tells 1 sum >"$work/sum"
	reopen
	has_all
	says 1 loaded 1
}

what_does_not_fit_is_refused_with_a_sentence() {
	local value
	value="+record record.type=u8:2 record.slot=u64:1 record.ballot=u64:257
		record.kind=u8:1 record.origin=u8:1 record.incarnation=u64:1
		record.seq=u64:1 record.value=zero:1 -"
	kill -STOP "$(agent_pid 1)"
	reopen
	until_true find_consumer
	answers 'ECANCELED nothing was begun' "$section" value=zero:1
	# shellcheck disable=SC2086	# words
	answers 'ECANCELED nothing was begun' feed=u8:4 $value
	answers 'EINVAL no values' feed=u8:4
	answers 'EINVAL .*checkpoint' "$load" slot=u64:5 value=zero:9
	which=4294967295 answers 'ENOENT @which' "$section"
	port=1 answers 'ENOTCONN @agent' "$section"
	kill -CONT "$(agent_pid 1)"
	has_all
}

a_load_that_is_given_up_begins_anew() {
	kill -STOP "$(agent_pid 1)"
	reopen
	until_true find_consumer
	answers ok "$load"
	answers ok "$section" value=zero:32
	until_true gives 'EBUSY .*has not ended' "$load"
	# The former one was ended.
	until_true gives ok "$load"
	until_true says 1 failed 1
	kill -CONT "$(agent_pid 1)"
	has_all
}

a_moment_without_memory_is_not_the_end() {
	counted 1 refuse 12
	reopen
	sleep 3
	says 1 stopped 0
	says 1 loaded 0
	counted 1 refuse 0
	has_all
}

any_other_error_is_told_and_ends_it() {
	local error
	# ENODATA and EXDEV mean something else inside; a positive one nothing.
	for error in 61 18 5; do
		counted 1 refuse "$error"
		reopen
		until_true says 1 stopped "-$error"
	done
	counted 1 refuse 4294967291
	reopen
	until_true says 1 stopped -22
	counted 1 refuse 0
	reopen
	has_all
}

run_tests \
	a_consumer_has_a_snapshot_and_lacks_what_is_behind \
	what_does_not_fit_is_refused_with_a_sentence \
	a_load_that_is_given_up_begins_anew \
	a_moment_without_memory_is_not_the_end \
	any_other_error_is_told_and_ends_it
