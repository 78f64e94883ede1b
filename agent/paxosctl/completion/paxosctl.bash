# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Completion of paxosctl, which knows itself what may stand where.

_paxosctl()
{
	local current=${COMP_WORDS[COMP_CWORD]}

	mapfile -t COMPREPLY < <("${COMP_WORDS[0]}" --complete \
		"${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
	if [ "${COMPREPLY[0]-}" = :file ]; then
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
	fi
}
complete -F _paxosctl paxosctl
