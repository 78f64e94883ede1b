#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Run every scenario of selftests/core/golden and compare with its transcript.
# With REWRITE=1 (or --update) rewrite those that differ: read the diff.
#
# usage: selftests/core/golden.sh [--update] [SCENARIO...]

set -euo pipefail

top=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
build=${B:-$top/build}
rewrite=${REWRITE:-}
if [ "${1-}" = --update ]; then
	rewrite=1
	shift
fi
[ $# -gt 0 ] || set -- "$top"/selftests/core/golden/*.txt

fresh=$(mktemp)
trap 'rm -f "$fresh"' EXIT
passed=0 failed=0
for scenario; do
	name=$(basename "$scenario" .txt)
	if ! "$build/core/transcript" "$scenario" >"$fresh"; then
		echo "not ok golden: $name: the scenario does not run"
		failed=$((failed + 1))
	elif cmp -s "$scenario" "$fresh"; then
		echo "ok golden: $name"
		passed=$((passed + 1))
	elif [ -n "$rewrite" ]; then
		cat "$fresh" >"$scenario"
		echo "ok golden: $name # rewritten"
		passed=$((passed + 1))
	else
		echo "not ok golden: $name: the transcript differs"
		diff -u "$scenario" "$fresh" >"$fresh.diff" ||
			sed 1,2d "$fresh.diff"
		failed=$((failed + 1))
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
