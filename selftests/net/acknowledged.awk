# SPDX-License-Identifier: GPL-2.0
#
# Is the log of a host what its proposers were told? The first file is the log,
# "SLOT VALUE"; the second is what burst printed. -v host=NAME is for complaints.

NR == FNR {
	slot[$2] = $1
	times[$2]++
	next
}
$1 == "chosen" && slot[$3] != $2 {
	print "host " host ": " $3 " acknowledged in slot " $2 ", is in " \
		(slot[$3] ? slot[$3] : "none")
	bad = 1
}
$1 == "chosen" && times[$3] != 1 {
	print "host " host ": " $3 " is there " times[$3] + 0 " times"
	bad = 1
}
$1 != "chosen" && $1 != "unknown" && $2 in slot {
	print "host " host ": " $2 " ended as " $1 ", but is in slot " slot[$2]
	bad = 1
}
$1 == "unknown" && times[$2] > 1 {
	print "host " host ": " $2 " is there " times[$2] " times"
	bad = 1
}
END {
	exit bad
}
