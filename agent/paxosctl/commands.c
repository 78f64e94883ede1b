// SPDX-License-Identifier: GPL-2.0
/* The table of subcommands. What each does is in the file of its family. */
#include "campaign.h"
#include "detector.h"
#include "group.h"
#include "health.h"
#include "key.h"
#include "kv.h"
#include "log.h"
#include "member.h"
#include "propose.h"
#include "recipe.h"
#include "recover.h"
#include "snapshot.h"
#include "stats.h"
#include "status.h"
#include "top.h"
#include "transfer.h"
#include "watch.h"

static const struct option_spec no_options[] = { OPTION_END };

const struct command commands[] = {
	{
		.name = "status",
		.operands = "[GROUP]",
		.most = 1,
		.summary = "Show members, leader, progress, and what it waits for",
		.about = "COMMIT: chosen up to this slot. DURABLE: its last record on stable storage.\n"
			 "LAG: slots behind the highest commit known here. RTT: of the network.\n"
			 "Exit status 2 when a group has no quorum.",
		.options = status_options,
		.run = run_status,
	},
	{
		.name = "health",
		.operands = "",
		.summary = "Commit a no-op, and say how long each stage of it took",
		.about = "One line. The no-op takes a slot and is delivered to nobody. Times count from\n"
			 "the command: ACCEPTED by this member, PERSISTED here, CHOSEN, DELIVERED: with\n"
			 "all before it known here, TOLD: the answer came. What had not happened here by\n"
			 "then is left out. Exit status 1 when it was not chosen, 2 for want of a quorum.",
		.options = health_options,
		.run = run_health,
	},
	{
		.name = "propose",
		.operands = "[VALUE|-]",
		.most = 1,
		.summary = "Propose a value; print its slot and the time taken",
		.about = "The value is the argument, what standard input holds (-), or what FILE holds,\n"
			 "byte for byte, 32768 at most. It ends as chosen, as not chosen (it never will\n"
			 "be), or as unknown: then it may still be chosen, so look before trying again.\n"
			 "Exit status 2 for want of a quorum.",
		.options = propose_options,
		.run = run_propose,
	},
	{
		.name = "read",
		.operands = "[SLOT]",
		.most = 1,
		.summary = "Print all that was chosen before, wherever (linearizable)",
		.about = "Asks a quorum how far the log goes, waits until this member knows it all, then\n"
			 "prints the log, one slot of it, or the last value.\n"
			 "Exit status 2 for want of a quorum.",
		.options = read_options,
		.run = run_read,
	},
	{
		.name = "log",
		.operands = "",
		.summary = "Print the log as far as this member knows it",
		.about = "Needs no quorum, and may lack what others know already: see read.",
		.options = log_options,
		.run = run_log,
	},
	{
		.name = "watch",
		.operands = "",
		.summary = "Print events as they happen: leader, quorum, members, disk",
		.options = watch_options,
		.run = run_watch,
	},
	{
		.name = "top",
		.operands = "",
		.summary = "Show the status, rates and latencies, again and again",
		.about = "Latencies are those of proposals of this host since the command began, by\n"
			 "powers of two. Where there is no terminal it prints one look and ends.\n"
			 "Exit status 2 when the group had no quorum at the last look.",
		.options = top_options,
		.run = run_top,
	},
	{
		.name = "detector",
		.operands = "",
		.summary = "Print whom this host's agent suspects, and by what it goes",
		.about = "Asks paxosd, not the kernel. PHI: how improbable the silence is; from THRESHOLD\n"
			 "on, which is at TIMEOUT, the agent is suspected to have failed. MEAN, DEVIATION:\n"
			 "of the last GAPS between heartbeats. MISTAKES: suspicions that were wrong.\n"
			 "FAILURES: those that were not. LATE: failures noticed later than need be.",
		.options = detector_options,
		.run = run_detector,
	},
	{
		.name = "campaign",
		.operands = "",
		.summary = "Let this member try to become the leader",
		.options = campaign_options,
		.run = run_campaign,
	},
	{
		.name = "transfer",
		.operands = "",
		.summary = "Hand the lead over to another member",
		.about = "Run on the leader's host. It proposes nothing more until the other knows all\n"
			 "that is chosen, then that one campaigns; proposals that come meanwhile wait.",
		.options = transfer_options,
		.run = run_transfer,
	},
	{
		.name = "member add",
		.operands = "ID ADDRESS",
		.least = 2,
		.most = 2,
		.summary = "Add a host to the group, as a learner",
		.about = "On the leader's host, as all of these. The new host runs paxosd join first, or\n"
			 "later: it learns from when both are done. Make it a voter with promote.\n"
			 "An id that was a member's before is refused: take one that was never used.",
		.options = member_options,
		.run = run_member_add,
	},
	{
		.name = "member promote",
		.operands = "ID",
		.least = 1,
		.most = 1,
		.summary = "Let a learner vote, once it has caught up",
		.options = member_wait_options,
		.run = run_member_promote,
	},
	{
		.name = "member demote",
		.operands = "ID",
		.least = 1,
		.most = 1,
		.summary = "Let a voter only learn",
		.options = member_options,
		.run = run_member_demote,
	},
	{
		.name = "member move",
		.operands = "ID ADDRESS",
		.least = 2,
		.most = 2,
		.summary = "Let a member have another address",
		.about = "Stop its agent, end its group there (group del) and give its host and its\n"
			 "configuration the new address; then this on the leader's host; then start its\n"
			 "agent. The others' kernels and agents follow by themselves.",
		.options = member_options,
		.run = run_member_move,
	},
	{
		.name = "member remove",
		.operands = "ID",
		.least = 1,
		.most = 1,
		.summary = "Remove a host from the group",
		.about = "Refused where too few voters would be up. A leader may remove its own host: it\n"
			 "steps down. Leave the agent of a removed host running until the others lead in\n"
			 "the new epoch.",
		.options = member_options,
		.run = run_member_remove,
	},
	{
		.name = "member replace",
		.operands = "OLD NEW ADDRESS",
		.least = 3,
		.most = 3,
		.summary = "Put a fresh host in the place of another",
		.about = "Adds NEW, waits until it has caught up, lets it vote if OLD did, removes OLD.\n"
			 "What was interrupted goes on when it is called again.",
		.options = member_wait_options,
		.run = run_member_replace,
	},
	{
		.name = "snapshot save",
		.operands = "FILE",
		.least = 1,
		.most = 1,
		.summary = "Take a snapshot of what kernel subsystems hold, to FILE",
		.about = "Of those that have the group open on this host and have snapshots; a backup of\n"
			 "what they made of the log up to a slot. They go on meanwhile. The agent keeps\n"
			 "its own copy beside its log.",
		.options = snapshot_save_options,
		.run = run_snapshot_save,
	},
	{
		.name = "snapshot show",
		.operands = "FILE",
		.least = 1,
		.most = 1,
		.summary = "Verify a snapshot, and say what is in it",
		.options = no_options,
		.run = run_snapshot_show,
	},
	{
		.name = "snapshot restore",
		.operands = "FILE",
		.least = 1,
		.most = 1,
		.summary = "Begin a new cluster with a snapshot",
		.about = "Makes the StateDirectory of the configuration, which must not be there, or be\n"
			 "empty: a log that begins behind the snapshot's slot. The configuration names one\n"
			 "member, this host, and a Cluster of its own; other hosts join later. What was\n"
			 "chosen behind that slot is not in it.",
		.options = snapshot_restore_options,
		.run = run_snapshot_restore,
	},
	{
		.name = "recover",
		.operands = "",
		.summary = "Quorum lost for good: let this host go on alone",
		.about = "The last resort, on one survivor whose agent is stopped. All other members must\n"
			 "be off for good: it refuses while one is heard, shows what is known of them and\n"
			 "what may be lost, and asks for the id of the cluster that ends. The survivor\n"
			 "gets a new cluster id and is its only member; fresh hosts join it.",
		.options = recover_options,
		.run = run_recover,
	},
	{
		.name = "stats",
		.operands = "",
		.summary = "Print counters, and why datagrams were dropped",
		.options = stats_options,
		.run = run_stats,
	},
	{
		.name = "group list",
		.operands = "",
		.summary = "List the groups of this network namespace",
		.options = no_options,
		.run = run_group_list,
	},
	{
		.name = "group add",
		.operands = "[GROUP]",
		.most = 1,
		.summary = "Start a member of a group (paxosd does this by itself)",
		.about = "With --config the rest is taken from there; options override it. A group with\n"
			 "durability sync is mute until paxosd runs; one in memory until it is started.\n"
			 "--start vouches that this member id has never voted: a member that lost its\n"
			 "memory must come back under a new id.",
		.options = group_add_options,
		.run = run_group_add,
	},
	{
		.name = "group set",
		.operands = "[GROUP]",
		.most = 1,
		.summary = "Change the key, the memory, or addresses of other members",
		.options = group_set_options,
		.run = run_group_set,
	},
	{
		.name = "group del",
		.operands = "GROUP",
		.least = 1,
		.most = 1,
		.summary = "End a member of a group; its disk stays as it is",
		.options = no_options,
		.run = run_group_del,
	},
	{
		.name = "start",
		.operands = "",
		.summary = "Start a group in memory whose member id has never voted",
		.about = "For groups without an agent; paxosd starts its own. A member that lost its\n"
			 "memory must come back under a new id.",
		.options = start_options,
		.run = run_start,
	},
	{
		.name = "kv get",
		.operands = "KEY",
		.most = 1,
		.summary = "Print the value of a key, or all keys of a prefix",
		.about = "Linearizable: it shows all that was chosen before, on whatever host, unless\n"
			 "--serializable takes what this host knows. Exit status 1 if there is none.\n"
			 "--quorum shows what each member's store holds, and which is the latest.",
		.options = kv_get_options,
		.run = run_kv_get,
	},
	{
		.name = "kv put",
		.operands = "KEY [VALUE|-]",
		.least = 1,
		.most = 2,
		.summary = "Give a key a value; print the revision",
		.options = kv_put_options,
		.run = run_kv_put,
	},
	{
		.name = "kv del",
		.operands = "KEY",
		.most = 1,
		.summary = "Delete a key, or all keys of a prefix",
		.options = kv_del_options,
		.run = run_kv_del,
	},
	{
		.name = "kv txn",
		.operands = "[if|then|else]...",
		.least = 2,
		.most = 1000,
		.summary = "Compare, and do one thing or another, in one revision",
		.about = "[if TARGET KEY RELATION VALUE]... [then OPERATION...] [else OPERATION...]\n"
			 "TARGET: version, create, mod, lease (numbers, 0 if there is no such key) or\n"
			 "value. RELATION: = != < >. OPERATION: put KEY VALUE [lease ID], del KEY,\n"
			 "del-prefix PREFIX, get KEY, get-prefix PREFIX.\n"
			 "  kv txn if version lock = 0 then put lock me else get lock",
		.options = kv_txn_options,
		.run = run_kv_txn,
	},
	{
		.name = "kv watch",
		.operands = "KEY",
		.most = 1,
		.summary = "Print what happens to a key or a prefix, without gaps",
		.about = "Exit status 1 when history that was not seen yet has been compacted.",
		.options = kv_watch_options,
		.run = run_kv_watch,
	},
	{
		.name = "kv lease",
		.operands = "grant|keep|revoke|list",
		.least = 1,
		.most = 2,
		.summary = "grant TTL, keep ID, revoke ID, or list leases",
		.about = "A lease that is not kept for TTL ends, and its keys are deleted.",
		.options = kv_change_options,
		.run = run_kv_lease,
	},
	{
		.name = "kv compact",
		.operands = "REVISION",
		.least = 1,
		.most = 1,
		.summary = "Forget the history up to a revision",
		.options = kv_change_options,
		.run = run_kv_compact,
	},
	{
		.name = "kv limit",
		.operands = "SIZE",
		.least = 1,
		.most = 1,
		.summary = "How many bytes the store may have, on all hosts",
		.options = kv_change_options,
		.run = run_kv_limit,
	},
	{
		.name = "kv history",
		.operands = "REVISIONS|TIME|all",
		.least = 1,
		.most = 1,
		.summary = "How much history is kept, on all hosts",
		.about = "What is older is compacted by whoever leads. All is kept at first.",
		.options = kv_change_options,
		.run = run_kv_history,
	},
	{
		.name = "kv status",
		.operands = "",
		.summary = "The store as this host knows it",
		.options = kv_status_options,
		.run = run_kv_status,
	},
	{
		.name = "lock",
		.operands = "NAME -- COMMAND...",
		.least = 2,
		.most = 1000,
		.summary = "Run a command while holding a lock of the group",
		.about = "The command finds its fencing token in PAXOS_TOKEN: who holds the lock later\n"
			 "has a higher one. It is killed when the lock is lost, before another can hold\n"
			 "it. Exit status: that of the command.",
		.options = lock_options,
		.run = run_lock,
	},
	{
		.name = "elect",
		.operands = "NAME -- COMMAND...",
		.least = 1,
		.most = 1000,
		.summary = "Run a command on one host at a time",
		.about = "As lock, and others can see who has won: elect NAME --show.",
		.options = elect_options,
		.run = run_elect,
	},
	{
		.name = "queue push",
		.operands = "NAME [VALUE]",
		.least = 1,
		.most = 2,
		.summary = "Put an item at the end of a queue",
		.about = "Without VALUE, or with -, it is read from standard input. Prints the item's ID.",
		.options = queue_push_options,
		.run = run_queue_push,
	},
	{
		.name = "queue pop",
		.operands = "NAME",
		.least = 1,
		.most = 1,
		.summary = "Take the first item that nobody was given",
		.about = "Prints ID, token and item. What is not acknowledged in time is delivered again.",
		.options = queue_pop_options,
		.run = run_queue_pop,
	},
	{
		.name = "queue ack",
		.operands = "NAME ID TOKEN",
		.least = 3,
		.most = 3,
		.summary = "Say that an item is done with",
		.options = queue_options,
		.run = run_queue_ack,
	},
	{
		.name = "queue len",
		.operands = "NAME",
		.least = 1,
		.most = 1,
		.summary = "How many items a queue has",
		.options = queue_options,
		.run = run_queue_len,
	},
	{
		.name = "service register",
		.operands = "NAME ADDRESS [-- CHECK...]",
		.least = 2,
		.most = 1000,
		.summary = "List a service while this runs",
		.about = "With a CHECK, only while that succeeds: it is run three times in a TTL.",
		.options = service_register_options,
		.run = run_service_register,
	},
	{
		.name = "service list",
		.operands = "[NAME]",
		.most = 1,
		.summary = "Who offers what, and where",
		.options = service_options,
		.run = run_service_list,
	},
	{
		.name = "service watch",
		.operands = "[NAME]",
		.most = 1,
		.summary = "Print services as they come and go",
		.options = service_watch_options,
		.run = run_service_watch,
	},
	{
		.name = "genkey",
		.operands = "",
		.summary = "Print a new key for a group",
		.options = no_options,
		.run = run_genkey,
	},
	{ .name = NULL }
};
