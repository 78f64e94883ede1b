# SPDX-License-Identifier: GPL-2.0
#
# The table, from what instructions.sh (KEY SIZE MEDIAN P10 P90 ROUNDS),
# durable.sh (OUTSTANDING COMMITS/S COMMITS/FDATASYNC RAW/S) and etcd.sh
# (OPERATION NS ETCD-NS SYNCS ETCD-SYNCS) printed, and the same as JSON in the
# file that the variable json names. judge: say whether the targets are met.

# kernel.KEY, netlink.KEY: what a store costs
NF == 6 && $1 ~ /\./ {
	split($1, part, ".")
	if (!(part[2] in store_seen))
		store_keys[++stores] = part[2]
	store_seen[part[2]] = 1
	store[part[2], part[1], $2] = $3
	next
}

NF == 6 {
	if (!($1 in seen))
		keys[++n] = $1
	seen[$1] = 1
	median[$1, $2] = $3
	next
}

NF == 5 {
	ours[$1] = $2
	etcd[$1] = $3
	our_syncs[$1] = $4
	etcd_syncs[$1] = $5
	next
}

{
	load[++loads] = $1
	commits[loads] = $2
	batch[loads] = $3
	raw[loads] = $4
}

function verdict(met) {
	return judge ? met ? ": met" : ": MISSED" : ""
}

function target(key, ratio, what, limit, most) {
	return sprintf("%.2f x %s (at %s %.2f)%s", ratio, what,
		most ? "most" : "least", limit,
		verdict(most ? ratio <= limit : ratio >= limit))
}

# A lock has no value, of no size.
function large(key, who) {
	return (key, who, 1024) in store ? store[key, who, 1024] : ""
}

# The member of the JSON that has what a store's operation costs.
function store_json(key, text) {
	text = sprintf("\"kernel\": %d, \"netlink\": %d",
		store[key, "kernel", 64], store[key, "netlink", 64])
	if ((key, "kernel", 1024) in store)
		text = text sprintf(", \"kernel_1024\": %d, \"netlink_1024\": %d",
			store[key, "kernel", 1024], store[key, "netlink", 1024])
	return sprintf("  \"%s\": {%s},\n", key, text)
}

function compared(operation) {
	printf "%-26s %9.2f %9.2f %9.1f %9.1f  %.1f x\n",
		operation ", wall clock", ours[operation] / 1e6,
		etcd[operation] / 1e6, our_syncs[operation],
		etcd_syncs[operation], etcd[operation] / ours[operation]
}

function pair_json(name, put, get) {
	return sprintf("  \"%s\": {\"put\": %.2f, \"get\": %.2f},\n", name,
		put, get)
}

function note(key) {
	if (key == "accept")
		return target(key, median[key, 64] / median["echo", 64],
			"echo", 1.35, 1)
	if (key == "commit")
		return target(key, median[key, 64] / median["echo_fanout", 64],
			"echo_fanout", 1.5, 1)
	if (key == "userspace_accept")
		return target(key, median[key, 64] / median["accept", 64],
			"accept", 1.5, 0)
	if (key == "userspace_commit")
		return target(key, median[key, 64] / median["commit", 64],
			"commit", 2, 0)
	return ""
}

END {
	printf "%-26s %9s %9s  %s\n", "guest instructions, median", "64 B",
		"1024 B", "target at 64 B"
	for (i = 1; i <= n; i++)
		printf "%-26s %9d %9d  %s\n", keys[i], median[keys[i], 64],
			median[keys[i], 1024], note(keys[i])
	print "Instructions leave out what a context switch costs in caches and in"
	print "the TLB, so these figures flatter user space. A copy counts one for"
	print "each byte in the kernel (rep movsb), so they overrate long values."
	print ""
	printf "%-26s %9s %9s %9s %9s\n", "store, instructions", "kernel",
		"netlink", "1024 B", "1024 B"
	for (i = 1; i <= stores; i++)
		printf "%-26s %9d %9d %9s %9s\n", store_keys[i],
			store[store_keys[i], "kernel", 64],
			store[store_keys[i], "netlink", 64],
			large(store_keys[i], "kernel"),
			large(store_keys[i], "netlink")
	print ""
	printf "%-26s %9s %9s %9s\n", "durable, outstanding", "commits/s",
		"per sync", "raw/s"
	for (i = 1; i <= loads; i++)
		printf "%-26s %9.0f %9.1f %9.0f  %s\n", load[i], commits[i],
			batch[i], raw[i], load[i] == 64 ? \
			sprintf("%.1f commits per fdatasync (at least 16)%s",
				batch[i], verdict(batch[i] >= 16)) : ""
	print ""
	printf "%-26s %9s %9s %9s %9s\n", "store against etcd", "ms",
		"etcd ms", "syncs", "etcd's"
	compared("put")
	compared("get")

	if (!json)
		exit
	print "{" >json
	for (i = 1; i <= n; i++)
		printf "  \"%s\": {\"64\": %d, \"1024\": %d},\n", keys[i],
			median[keys[i], 64], median[keys[i], 1024] >json
	for (i = 1; i <= stores; i++)
		printf "%s", store_json(store_keys[i]) >json
	printf "%s", pair_json("etcd_ratio", etcd["put"] / ours["put"],
		etcd["get"] / ours["get"]) >json
	printf "%s", pair_json("etcd_us", etcd["put"] / 1e3,
		etcd["get"] / 1e3) >json
	printf "%s", pair_json("paxos_us", ours["put"] / 1e3,
		ours["get"] / 1e3) >json
	print "  \"durable\": [" >json
	for (i = 1; i <= loads; i++)
		printf "    {\"outstanding\": %d, \"commits_per_s\": %.1f, \"commits_per_fdatasync\": %.2f, \"raw_per_s\": %.1f}%s\n", \
			load[i], commits[i], batch[i], raw[i],
			i < loads ? "," : "" >json
	print "  ]\n}" >json
}
