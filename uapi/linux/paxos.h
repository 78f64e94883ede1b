/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Generic netlink family "paxos": groups of members that agree on a log.
 *
 * uapi/paxos.yaml is the same thing for machines; a test holds the two and the
 * kernel's policies together. Integers are in host order unless they say be16.
 * "admin" means CAP_NET_ADMIN in the user namespace that owns the network
 * namespace. Every refusal carries an extack sentence and, where one attribute
 * is to blame, points at it.
 *
 * PAXOS_CMD_GROUP_ADD (admin): start a member of a group. A group with
 *	synchronous durability is mute until an agent attached, restored and
 *	started it; one with durability in memory until it is started.
 *
 *	PAXOS_A_GROUP: u32, 1..2^32-1
 *	PAXOS_A_CLUSTER: binary, 16 bytes: hosts of other clusters never mix
 *	PAXOS_A_KEY: binary, 16 bytes
 *	PAXOS_A_SELF: u8, id of the member that this host is
 *	PAXOS_A_DURABILITY: u8, enum paxos_nl_durability (default: sync)
 *	PAXOS_A_EPOCH: u32 (default: 1). 0: this host waits for a configuration
 *		to name it; the members are whom it may ask, itself included
 *	PAXOS_A_Q1, PAXOS_A_Q2: u8, quorums (default: majority). Refused
 *		where q1 + q2 <= n
 *	PAXOS_A_WINDOW: u32, undecided slots, a power of two
 *	PAXOS_A_LOG_SIZE: u32, slots held, a power of two, >= 2 * window
 *	PAXOS_A_BYTES: u32, of values held
 *	PAXOS_A_MEMBER: nested, once for each member:
 *		PAXOS_A_MEMBER_ID: u8, 1..64
 *		PAXOS_A_MEMBER_ROLE: u8, enum paxos_nl_role (default: voter)
 *		PAXOS_A_MEMBER_ADDRESS: binary, 4 or 16 bytes, network order
 *		PAXOS_A_MEMBER_PORT: be16
 *		PAXOS_A_MEMBER_SCOPE: u32, interface, for link-local IPv6
 *
 *	The member listens on its own address and port.
 *	-EEXIST: there is such a group; -ENOSPC: too many groups;
 *	-EADDRINUSE, -EADDRNOTAVAIL: from binding the socket.
 *
 * PAXOS_CMD_GROUP_SET (admin): change PAXOS_A_KEY, PAXOS_A_BYTES, or addresses
 *	and ports of members other than self, in PAXOS_A_MEMBER.
 *
 * PAXOS_CMD_GROUP_DEL (admin): PAXOS_A_GROUP. What is under way ends.
 *
 * PAXOS_CMD_GROUP_GET: with PAXOS_A_GROUP one group, as a dump all of this
 *	namespace. Answers with what GROUP_ADD took, without the key, and
 *
 *	PAXOS_A_INSTANCE: u64, random, of this group in this kernel
 *	PAXOS_A_STATE: u8, enum paxos_nl_state
 *	PAXOS_A_PHASE: u8, enum paxos_nl_phase
 *	PAXOS_A_WAIT: u8, enum paxos_nl_wait: why nothing can be decided
 *	PAXOS_A_BALLOT: u64, of the leader followed, or own
 *	PAXOS_A_PROMISED: u64
 *	PAXOS_A_LEADER: u8, member id, 0: none known
 *	PAXOS_A_SLOT: u64, highest slot with a value
 *	PAXOS_A_FIRST: u64, lowest slot held
 *	PAXOS_A_COMMIT: u64, all slots up to here are chosen, and known here
 *	PAXOS_A_LSN: u64, last record
 *	PAXOS_A_DURABLE: u64, last record on stable storage
 *	PAXOS_A_INCARNATION: u64
 *	PAXOS_A_PENDING: u32, proposals under way
 *	PAXOS_A_BYTES_USED: u32
 *	PAXOS_A_UP: u8, voters heard of late, self included
 *	PAXOS_A_AGENT: u32, netlink port of the agent, 0: none
 *	PAXOS_A_STALLED: u32, ms that the oldest record has waited for the disk
 *	PAXOS_A_FROM: u8, member whose log is being transferred (LEARN)
 *	PAXOS_A_GOAL: u64, up to which slot it goes
 *	PAXOS_A_SPACE_USED, PAXOS_A_SPACE, PAXOS_A_SPACE_FIRST,
 *	PAXOS_A_SPACE_GOES, PAXOS_A_SPACE_HELD, PAXOS_A_TRIMMED,
 *	PAXOS_A_SNAPSHOT, PAXOS_A_UNSAVED: of the
 *		agent's log, as SPACE_SET said
 *	PAXOS_A_CHECKSUM: u64, of all slots up to COMMIT; the same at all
 *		members, 0: not known
 *	PAXOS_A_MARK: u64, of those up to the last multiple of
 *		PAXOS_NL_MARK_EVERY
 *	PAXOS_A_DIVERGED: u64, the lowest slot of which a member is known to
 *		hold another checksum than this one
 *	PAXOS_A_HALTED: u8, therefore nothing is applied here
 *	PAXOS_A_MEMBER with, in addition:
 *		PAXOS_A_MEMBER_UP: u8, its kernel was heard of late and the
 *			group is started there, or (learnt from PEER_SET, and
 *			where this one does not lead) its agent was heard
 *		PAXOS_A_MEMBER_HEARD: u32, ms since its kernel was heard; it
 *			answers probes whatever state its group is in
 *		PAXOS_A_MEMBER_AGENT_HEARD: u32, ms since its agent was
 *		PAXOS_A_MEMBER_RTT: u32, us, smoothed, of the network
 *		PAXOS_A_MEMBER_RESPONSE: u32, us, smoothed, Accept to Accepted
 *		PAXOS_A_MEMBER_COMMIT: u64, as it last said
 *		PAXOS_A_MEMBER_DURABLE: u64, as it last said
 *		PAXOS_A_MEMBER_INCARNATION: u64
 *		PAXOS_A_MEMBER_SUSPECTED: u8, our agent suspects that its agent
 *			has failed
 *		PAXOS_A_MEMBER_SAME: u64, the highest slot of which it was
 *			known to have the same checksum
 *		PAXOS_A_MEMBER_DIFFERS: u64, the lowest at which it has had
 *			another since, 0: none
 *	PAXOS_A_CONSUMER, nested, once for each kernel subsystem that applies
 *		what the group chooses:
 *		PAXOS_A_CONSUMER_NAME: string, at most 15 bytes
 *		PAXOS_A_CONSUMER_APPLIED: u64, it has all slots up to here
 *		PAXOS_A_CONSUMER_STALLED: u32, ms that it has not returned from
 *			what it was told last, where that is over 1 s
 *		PAXOS_A_CONSUMER_STOPPED: u32, errno: it is told nothing more
 *	An absent attribute is not known.
 *
 * PAXOS_CMD_PROPOSE (admin): PAXOS_A_GROUP, PAXOS_A_VALUE, PAXOS_A_TIMEOUT
 *	(u32, ms). The answer comes when the proposal has ended:
 *	PAXOS_A_OUTCOME: u8, enum paxos_nl_outcome
 *	PAXOS_A_SLOT: u64, when chosen
 *	PAXOS_A_ELAPSED: u64, ns, from the command to the end
 *	PAXOS_A_UP, PAXOS_A_NEEDED: u8, voters heard and needed, when not chosen
 *	-EMSGSIZE, -EAGAIN: too many under way, -EUNATCH: no agent or not
 *	started, -ENOLINK: no leader, or no quorum, or this host is no member,
 *	-ENOMEM: or the group holds as many bytes as it may: certainly not
 *	proposed.
 *	With PAXOS_A_KIND (u8, enum paxos_nl_kind) noop, and no value: a no-op,
 *	that takes a slot and is delivered to nobody. The answer has besides, as
 *	far as this member has got when it ends, ns from the command until
 *	PAXOS_A_ACCEPTED: u64, this member accepted it
 *	PAXOS_A_PERSISTED: u64, and had that on stable storage
 *	PAXOS_A_CHOSEN: u64, knew that it is chosen
 *	PAXOS_A_DELIVERED: u64, and all before it
 *
 * PAXOS_CMD_READ (admin): PAXOS_A_GROUP, PAXOS_A_TIMEOUT. Linearizable: the
 *	answer comes when all that was chosen before is known here:
 *	PAXOS_A_OUTCOME (chosen, or not-chosen when no quorum answered),
 *	PAXOS_A_SLOT: up to where; PAXOS_A_ELAPSED; PAXOS_A_UP, PAXOS_A_NEEDED.
 *	-EBADMSG: what this member holds may not be what was chosen; -EAGAIN,
 *	-EUNATCH, -ENOLINK, -ENOMEM as PROPOSE.
 *
 * PAXOS_CMD_LOG_GET (admin, dump): PAXOS_A_GROUP, PAXOS_A_FIRST (default: the
 *	lowest held), PAXOS_A_LAST (default: all). One message a chosen slot:
 *	PAXOS_A_GROUP, PAXOS_A_SLOT, PAXOS_A_BALLOT, PAXOS_A_KIND: u8,
 *	PAXOS_A_ORIGIN: u8, PAXOS_A_INCARNATION, PAXOS_A_SEQ, PAXOS_A_VALUE.
 *
 * PAXOS_CMD_CAMPAIGN (admin): PAXOS_A_GROUP. Run phase 1 with a ballot above
 *	every one seen. Returns at once. -EALREADY: leads; -EPERM: a learner.
 *
 * PAXOS_CMD_RESIGN (admin): PAXOS_A_GROUP. Lead no more, or stop campaigning;
 *	what was proposed ends under the next leader. -EALREADY: neither.
 *
 * PAXOS_CMD_TRANSFER (admin): PAXOS_A_GROUP, PAXOS_A_LEADER: a voter, 1..64,
 *	PAXOS_A_TIMEOUT (u32, ms). Hand the lead over: propose nothing more
 *	until that member knows all that is chosen, then have it campaign.
 *	Returns at once; where nobody has taken over when the time is up, this
 *	member leads on. -ENOLINK: it does not lead; -EALREADY: to itself;
 *	-EINVAL: not to a voter.
 *
 * PAXOS_CMD_RECONFIGURE (admin): PAXOS_A_GROUP, PAXOS_A_TIMEOUT, and one
 *	PAXOS_A_MEMBER that is to be different: its id; its role from then
 *	on (none: it is removed); address, port and scope if it is a new
 *	one, or if it is to have others and keeps its role. Only the leader
 *	takes it. PAXOS_A_Q1, PAXOS_A_Q2 (default: majorities if they were
 *	so, else as they were). Answers as PROPOSE does, and with
 *	PAXOS_A_EPOCH: u32, of the configuration, if it is in force.
 *	-ENOLINK: does not lead, or has no quorum; -EINPROGRESS: another
 *	change is in flight, or the lead is being handed over; -EALREADY:
 *	nothing would change; -ENOENT: no such member; -EBUSY: the leader
 *	itself is to have another address; -ENOTUNIQ: id or address is
 *	another's; -EKEYREVOKED: the id was a member's before, and is not
 *	used again; -EDOM: quorums of the former and the new configuration
 *	might not meet; -EHOSTDOWN: too few voters would be up; -EAGAIN: the
 *	member is too far behind to be promoted; -EINVAL; else as PROPOSE.
 *
 * PAXOS_CMD_STATS_GET: PAXOS_A_GROUP. Repeated PAXOS_A_COUNTER and
 *	PAXOS_A_DROP, each nested:
 *		PAXOS_A_COUNTER_NAME: string
 *		PAXOS_A_COUNTER_VALUE: u64
 *	PAXOS_A_LATENCY: binary, PAXOS_NL_LATENCIES u64: how many proposals of
 *		this host were chosen in less than 2^i us, and not in less than
 *		half of that, i from 0; the last one has all that took longer.
 *		What they took together is the counter "proposals-us".
 *	Without PAXOS_A_GROUP: datagrams that belong to no group.
 *
 * The agent's part (admin). One socket serves one group; closing it detaches.
 *
 * PAXOS_CMD_ATTACH: PAXOS_A_GROUP. -EBUSY: another agent is attached, its port
 *	in the sentence. Answers PAXOS_A_INSTANCE, PAXOS_A_STATE,
 *	PAXOS_A_DURABLE, PAXOS_A_LSN, PAXOS_A_DURABILITY.
 *	State restoring: send RESTORE with all records, then START. State
 *	running: the records are of this instance or not: if not, stay away;
 *	if so, PULL from the last lsn on the disk.
 *
 * PAXOS_CMD_RESTORE: PAXOS_A_GROUP, PAXOS_A_RECORD, repeated, each nested:
 *		PAXOS_A_RECORD_LSN: u64
 *		PAXOS_A_RECORD_TYPE: u8, enum paxos_nl_record
 *		PAXOS_A_RECORD_SLOT: u64 (accept, commit, config, trim)
 *		PAXOS_A_RECORD_BALLOT: u64 (promise, accept, trim)
 *		PAXOS_A_RECORD_KIND: u8 (accept, config)
 *		PAXOS_A_RECORD_ORIGIN: u8 (accept, config)
 *		PAXOS_A_RECORD_INCARNATION: u64 (accept, config)
 *		PAXOS_A_RECORD_SEQ: u64 (accept, config)
 *		PAXOS_A_RECORD_VALUE: binary (accept, config, trim)
 *	A config says what an accept and a commit before it have said: which
 *	configuration holds behind its slot. Who throws records away keeps the
 *	last one. A trim stands for all records of the slots up to its own: its
 *	value is a checkpoint, its ballot the highest promise or vote among
 *	them. It may have the lsn of the last of them.
 *	-EINVAL: the records contradict themselves, or the group is started;
 *	-ENOSPC: they do not fit its log; -ENOMEM: the same again.
 *
 * PAXOS_CMD_START: PAXOS_A_GROUP, PAXOS_A_INCARNATION (above every former
 *	one), PAXOS_A_LSN: the last on the disk. For a group in memory, without
 *	an agent too: the caller vouches that this member id never voted.
 *	PAXOS_A_INCARNATION 0 says the contrary: this id has voted, and its votes
 *	are lost. The member stays mute for good, and says so.
 *	-EALREADY: it runs.
 *
 * PAXOS_CMD_PULL: PAXOS_A_GROUP, PAXOS_A_LSN: all up to here is on stable
 *	storage. Answers PAXOS_A_RECORD, repeated, with what follows; if there
 *	is none yet, when there is. A second PULL replaces one that waits.
 *	-ERANGE: LSN was never given out, or is below what was acknowledged.
 *
 * PAXOS_CMD_LEARN: PAXOS_A_GROUP, PAXOS_A_AGENT: port of the socket that is
 *	attached, so that only who has it does this, from any socket;
 *	PAXOS_A_FROM: u8, the member whose log it is; PAXOS_A_GOAL: u64, up to
 *	which slot that one goes, to show; PAXOS_A_RECORD, repeated, of type
 *	accept and without lsn: values that are chosen, in the order of the
 *	slots, from the one behind PAXOS_A_COMMIT. What is known here already
 *	is compared, if it is held. Records before the refused one are taken.
 *	-EAGAIN: no room until the disk has caught up: PULL, then the same
 *	again; -ERANGE: not the next slot; -EEXIST: contradicts what is known
 *	to be chosen; -EUNATCH: not started; -ENOTCONN: not the agent's port.
 *	One record of type trim instead: begin behind its slot, because nobody
 *	holds what is below. -ENOTEMPTY: some slot was delivered here;
 *	not so with PAXOS_A_FEED load, where the agent has a snapshot of that
 *	slot and every consumer takes it.
 *
 * PAXOS_CMD_CHECKPOINT_GET: PAXOS_A_GROUP. Answers PAXOS_A_SLOT: all up to here
 *	is chosen, and PAXOS_A_VALUE, a checkpoint: what those slots have left
 *	behind, for a trim. -EUNATCH: not started.
 *
 * PAXOS_CMD_SPACE_SET: PAXOS_A_GROUP, PAXOS_A_AGENT as in LEARN; what the agent
 *	says of its log, to show:
 *	PAXOS_A_SPACE_USED: u64, bytes on the disk
 *	PAXOS_A_SPACE: u64, bytes that it may take (absent: any number)
 *	PAXOS_A_SPACE_FIRST: u64, the first slot that it holds
 *	PAXOS_A_SPACE_GOES: u64, slots up to here go when it is full
 *	PAXOS_A_SPACE_HELD: u8, a member, 1..64, that does not have them yet
 *	PAXOS_A_TRIMMED: u64, the first slot that any other log holds, where
 *		this member lacks some below; 0: not so
 *	Of the former five those that are absent are not so any more.
 *	PAXOS_A_SNAPSHOT: u64, the slot of the newest snapshot beside the log;
 *	PAXOS_A_UNSAVED: u8, 1: the log cannot be trimmed before there is a
 *		newer one, and to take it has failed; goes with the former
 *
 * PAXOS_CMD_CONSUMER_GET: PAXOS_A_GROUP. Answers PAXOS_A_COMMIT; and of the
 *	subsystems of this kernel that have the group open those that have
 *	snapshots, or lack something: PAXOS_A_CONSUMER, repeated, each nested:
 *		PAXOS_A_CONSUMER_ID: u32
 *		PAXOS_A_CONSUMER_NAME: string
 *		PAXOS_A_CONSUMER_NEXT: u64, the next slot to apply; 0: its state
 *			is of no use until a snapshot was loaded
 *		PAXOS_A_CONSUMER_SAVES: u8, 1: it has snapshots
 *		PAXOS_A_CONSUMER_LOADS: u8, 1: it takes them
 *		PAXOS_A_CONSUMER_WANTS: u8, 1: slots from NEXT on that this
 *			kernel does not hold any more
 *
 * PAXOS_CMD_CONSUMER_FEED: PAXOS_A_GROUP, PAXOS_A_AGENT as in LEARN,
 *	PAXOS_A_WHICH: u32, the id of a consumer that wants something;
 *	PAXOS_A_FEED: u8, enum paxos_nl_feed:
 *	begin: values come, from behind PAXOS_A_SLOT, below NEXT, on, whose
 *		checkpoint is PAXOS_A_VALUE (0 or absent: from slot 1 on);
 *	load: its section of the snapshot at PAXOS_A_SLOT, not below NEXT - 1,
 *		comes, and values behind that; PAXOS_A_VALUE as above;
 *	section: PAXOS_A_VALUE: some bytes of it; without: that was all;
 *	values: PAXOS_A_RECORD, repeated, as in LEARN, slot by slot; all of
 *		them are taken or none;
 *	nothing: they are nowhere: the consumer stops.
 *	-EAGAIN: no room, or the load has not ended yet: the same again in a
 *	moment; -EALREADY: it lacks nothing any more; -ENOENT: it is gone;
 *	-ECANCELED: begin anew; -ERANGE: another slot than is expected;
 *	-EBUSY: a former load has not ended yet, and is ended if something is
 *	missing: the same again in a moment; -EBADMSG: the checkpoint is of
 *	another log; -EOPNOTSUPP: LOADS is 0; -EINVAL: no checkpoint, or no
 *	values.
 *
 * PAXOS_CMD_SNAPSHOT_BEGIN: PAXOS_A_GROUP, PAXOS_A_AGENT as in LEARN: all
 *	consumers that have snapshots pin a view of their state at
 *	PAXOS_A_SLOT, which is answered, with PAXOS_A_VALUE, the checkpoint of
 *	that slot, PAXOS_A_EPOCH, and PAXOS_A_CONSUMER, each. Views are let go
 *	of when END comes, the agent goes, or asks for nothing for 10 s.
 *	-EAGAIN: one of them is behind; -EBUSY: another snapshot has not ended;
 *	-EUNATCH: not started, or nothing is chosen; -EBADMSG: what this member
 *	holds may not be what was chosen.
 *
 * PAXOS_CMD_SNAPSHOT_PULL: PAXOS_A_GROUP, PAXOS_A_AGENT, PAXOS_A_WHICH: one of
 *	those. Answers PAXOS_A_VALUE, the next bytes of its state, up to 32 KiB;
 *	without: that was all. -EAGAIN: not yet; -ESRCH: the snapshot has ended;
 *	-ENOMEM: now it has, as a part was lost; -EIO: the consumer failed.
 *
 * PAXOS_CMD_SNAPSHOT_END: PAXOS_A_GROUP, PAXOS_A_AGENT: that is all, or it is
 *	given up.
 *
 * PAXOS_CMD_PEER_SET: PAXOS_A_GROUP, PAXOS_A_MEMBER, repeated: what the
 *	agents' heartbeats say: PAXOS_A_MEMBER_ID, _AGENT_HEARD, _COMMIT,
 *	_DURABLE, _INCARNATION, _SUSPECTED,
 *	_CHECKSUM (u64, of all slots up to its _COMMIT) and _MARK (u64, as
 *	PAXOS_A_MARK).
 *
 * Multicast group "events" (anybody): PAXOS_CMD_EVENT: PAXOS_A_GROUP,
 *	PAXOS_A_EVENT: u8, enum paxos_nl_event, and what belongs to it:
 *	PAXOS_A_BALLOT, PAXOS_A_LEADER, PAXOS_A_SLOT, PAXOS_A_UP,
 *	PAXOS_A_NEEDED, PAXOS_A_MEMBER, PAXOS_A_EPOCH, PAXOS_A_SPACE_USED,
 *	PAXOS_A_SPACE, PAXOS_A_SPACE_FIRST, PAXOS_A_SPACE_GOES,
 *	PAXOS_A_SPACE_HELD, PAXOS_A_SELF, PAXOS_A_HALTED, PAXOS_A_AGENT,
 *	PAXOS_A_STALLED.
 * Multicast group "log" (admin): PAXOS_CMD_CHOSEN: as an answer of LOG_GET,
 *	in the order of the slots.
 */
#ifndef _UAPI_LINUX_PAXOS_H
#define _UAPI_LINUX_PAXOS_H

#define PAXOS_GENL_NAME		"paxos"
#define PAXOS_GENL_VERSION	1
#define PAXOS_MCGRP_EVENTS	"events"
#define PAXOS_MCGRP_LOG		"log"

#define PAXOS_KEY_SIZE		16
#define PAXOS_CLUSTER_SIZE	16
#define PAXOS_NL_MEMBERS_MAX	64
#define PAXOS_NL_VALUE_MAX	32768
#define PAXOS_NL_GROUPS_MAX	256	/* in a network namespace */
#define PAXOS_NL_CONSUMERS_MAX	64	/* of a group on this host */
#define PAXOS_NL_WINDOW_MIN	16
#define PAXOS_NL_WINDOW_MAX	4096
#define PAXOS_NL_LOG_SIZE_MAX	65536
#define PAXOS_NL_LATENCIES	24
#define PAXOS_NL_MARK_EVERY	64	/* slots */
#define PAXOS_NL_BYTES_MIN	(1U << 20)
#define PAXOS_NL_BYTES_MAX	(1U << 30)

enum paxos_nl_cmd {
	PAXOS_CMD_UNSPEC,
	PAXOS_CMD_GROUP_ADD,
	PAXOS_CMD_GROUP_SET,
	PAXOS_CMD_GROUP_DEL,
	PAXOS_CMD_GROUP_GET,
	PAXOS_CMD_PROPOSE,
	PAXOS_CMD_READ,
	PAXOS_CMD_LOG_GET,
	PAXOS_CMD_CAMPAIGN,
	PAXOS_CMD_STATS_GET,
	PAXOS_CMD_ATTACH,
	PAXOS_CMD_RESTORE,
	PAXOS_CMD_START,
	PAXOS_CMD_PULL,
	PAXOS_CMD_PEER_SET,
	PAXOS_CMD_EVENT,
	PAXOS_CMD_CHOSEN,
	PAXOS_CMD_RESIGN,
	PAXOS_CMD_TRANSFER,
	PAXOS_CMD_LEARN,
	PAXOS_CMD_RECONFIGURE,
	PAXOS_CMD_CHECKPOINT_GET,
	PAXOS_CMD_SPACE_SET,
	PAXOS_CMD_CONSUMER_GET,
	PAXOS_CMD_CONSUMER_FEED,
	PAXOS_CMD_SNAPSHOT_BEGIN,
	PAXOS_CMD_SNAPSHOT_PULL,
	PAXOS_CMD_SNAPSHOT_END,
	__PAXOS_CMD_MAX
};
#define PAXOS_CMD_MAX (__PAXOS_CMD_MAX - 1)

enum paxos_nl_attr {
	PAXOS_A_UNSPEC,
	PAXOS_A_PAD,
	PAXOS_A_GROUP,
	PAXOS_A_CLUSTER,
	PAXOS_A_KEY,
	PAXOS_A_SELF,
	PAXOS_A_DURABILITY,
	PAXOS_A_EPOCH,
	PAXOS_A_Q1,
	PAXOS_A_Q2,
	PAXOS_A_WINDOW,
	PAXOS_A_LOG_SIZE,
	PAXOS_A_BYTES,
	PAXOS_A_MEMBER,
	PAXOS_A_INSTANCE,
	PAXOS_A_STATE,
	PAXOS_A_PHASE,
	PAXOS_A_WAIT,
	PAXOS_A_BALLOT,
	PAXOS_A_PROMISED,
	PAXOS_A_LEADER,
	PAXOS_A_SLOT,
	PAXOS_A_FIRST,
	PAXOS_A_LAST,
	PAXOS_A_COMMIT,
	PAXOS_A_LSN,
	PAXOS_A_DURABLE,
	PAXOS_A_INCARNATION,
	PAXOS_A_PENDING,
	PAXOS_A_BYTES_USED,
	PAXOS_A_UP,
	PAXOS_A_NEEDED,
	PAXOS_A_AGENT,
	PAXOS_A_STALLED,
	PAXOS_A_VALUE,
	PAXOS_A_TIMEOUT,
	PAXOS_A_OUTCOME,
	PAXOS_A_ELAPSED,
	PAXOS_A_KIND,
	PAXOS_A_ORIGIN,
	PAXOS_A_SEQ,
	PAXOS_A_COUNTER,
	PAXOS_A_DROP,
	PAXOS_A_RECORD,
	PAXOS_A_EVENT,
	PAXOS_A_FROM,
	PAXOS_A_GOAL,
	PAXOS_A_LATENCY,
	PAXOS_A_SPACE_USED,
	PAXOS_A_SPACE,
	PAXOS_A_SPACE_FIRST,
	PAXOS_A_SPACE_GOES,
	PAXOS_A_SPACE_HELD,
	PAXOS_A_TRIMMED,
	PAXOS_A_ACCEPTED,
	PAXOS_A_PERSISTED,
	PAXOS_A_CHOSEN,
	PAXOS_A_DELIVERED,
	PAXOS_A_CHECKSUM,
	PAXOS_A_MARK,
	PAXOS_A_DIVERGED,
	PAXOS_A_HALTED,
	PAXOS_A_CONSUMER,
	PAXOS_A_WHICH,
	PAXOS_A_FEED,
	PAXOS_A_SNAPSHOT,
	PAXOS_A_UNSAVED,
	__PAXOS_A_MAX
};
#define PAXOS_A_MAX (__PAXOS_A_MAX - 1)

enum paxos_nl_member_attr {
	PAXOS_A_MEMBER_UNSPEC,
	PAXOS_A_MEMBER_PAD,
	PAXOS_A_MEMBER_ID,
	PAXOS_A_MEMBER_ROLE,
	PAXOS_A_MEMBER_ADDRESS,
	PAXOS_A_MEMBER_PORT,
	PAXOS_A_MEMBER_SCOPE,
	PAXOS_A_MEMBER_UP,
	PAXOS_A_MEMBER_HEARD,
	PAXOS_A_MEMBER_AGENT_HEARD,
	PAXOS_A_MEMBER_RTT,
	PAXOS_A_MEMBER_RESPONSE,
	PAXOS_A_MEMBER_COMMIT,
	PAXOS_A_MEMBER_DURABLE,
	PAXOS_A_MEMBER_INCARNATION,
	PAXOS_A_MEMBER_SUSPECTED,
	PAXOS_A_MEMBER_CHECKSUM,
	PAXOS_A_MEMBER_MARK,
	PAXOS_A_MEMBER_SAME,
	PAXOS_A_MEMBER_DIFFERS,
	__PAXOS_A_MEMBER_MAX
};
#define PAXOS_A_MEMBER_MAX (__PAXOS_A_MEMBER_MAX - 1)

enum paxos_nl_record_attr {
	PAXOS_A_RECORD_UNSPEC,
	PAXOS_A_RECORD_PAD,
	PAXOS_A_RECORD_LSN,
	PAXOS_A_RECORD_TYPE,
	PAXOS_A_RECORD_SLOT,
	PAXOS_A_RECORD_BALLOT,
	PAXOS_A_RECORD_KIND,
	PAXOS_A_RECORD_ORIGIN,
	PAXOS_A_RECORD_INCARNATION,
	PAXOS_A_RECORD_SEQ,
	PAXOS_A_RECORD_VALUE,
	__PAXOS_A_RECORD_MAX
};
#define PAXOS_A_RECORD_MAX (__PAXOS_A_RECORD_MAX - 1)

enum paxos_nl_counter_attr {
	PAXOS_A_COUNTER_UNSPEC,
	PAXOS_A_COUNTER_PAD,
	PAXOS_A_COUNTER_NAME,
	PAXOS_A_COUNTER_VALUE,
	__PAXOS_A_COUNTER_MAX
};
#define PAXOS_A_COUNTER_MAX (__PAXOS_A_COUNTER_MAX - 1)

enum paxos_nl_consumer_attr {
	PAXOS_A_CONSUMER_UNSPEC,
	PAXOS_A_CONSUMER_PAD,
	PAXOS_A_CONSUMER_NAME,
	PAXOS_A_CONSUMER_APPLIED,
	PAXOS_A_CONSUMER_STALLED,
	PAXOS_A_CONSUMER_STOPPED,
	PAXOS_A_CONSUMER_ID,
	PAXOS_A_CONSUMER_NEXT,
	PAXOS_A_CONSUMER_SAVES,
	PAXOS_A_CONSUMER_LOADS,
	PAXOS_A_CONSUMER_WANTS,
	__PAXOS_A_CONSUMER_MAX
};
#define PAXOS_A_CONSUMER_MAX (__PAXOS_A_CONSUMER_MAX - 1)

enum paxos_nl_durability {
	PAXOS_NL_DURABILITY_SYNC,
	PAXOS_NL_DURABILITY_MEMORY,
};

enum paxos_nl_role {
	PAXOS_NL_ROLE_VOTER,
	PAXOS_NL_ROLE_LEARNER,
	PAXOS_NL_ROLE_NONE,		/* no member any more */
};

enum paxos_nl_state {
	PAXOS_NL_STATE_RESTORING,
	PAXOS_NL_STATE_RUNNING,
	PAXOS_NL_STATE_STOPPED,
};

enum paxos_nl_phase {
	PAXOS_NL_PHASE_FOLLOWER,
	PAXOS_NL_PHASE_CANDIDATE,
	PAXOS_NL_PHASE_LEADER,
};

enum paxos_nl_wait {
	PAXOS_NL_WAIT_NONE,
	PAXOS_NL_WAIT_AGENT,	/* no agent is attached */
	PAXOS_NL_WAIT_START,	/* not restored and started */
	PAXOS_NL_WAIT_LEADER,	/* no leader is known */
	PAXOS_NL_WAIT_QUORUM,	/* leads, too few voters are heard */
	PAXOS_NL_WAIT_PROMISES,	/* a candidate waits for promises */
	PAXOS_NL_WAIT_DISK,	/* the oldest record waits over 1 s */
	PAXOS_NL_WAIT_BEHIND,	/* others trimmed what this member needs */
	PAXOS_NL_WAIT_MEMBER,	/* no configuration names this host */
	PAXOS_NL_WAIT_MEMORY,	/* it has voted, and lost what it voted */
};

enum paxos_nl_outcome {
	PAXOS_NL_OUTCOME_UNSPEC,
	PAXOS_NL_OUTCOME_CHOSEN,
	PAXOS_NL_OUTCOME_NOT_CHOSEN,
	PAXOS_NL_OUTCOME_UNKNOWN,
};

enum paxos_nl_record {
	PAXOS_NL_RECORD_UNSPEC,
	PAXOS_NL_RECORD_PROMISE,
	PAXOS_NL_RECORD_ACCEPT,
	PAXOS_NL_RECORD_COMMIT,
	PAXOS_NL_RECORD_CONFIG,
	PAXOS_NL_RECORD_TRIM,
};

enum paxos_nl_kind {
	PAXOS_NL_KIND_NOOP,
	PAXOS_NL_KIND_DATA,
	PAXOS_NL_KIND_CONFIG,
};

enum paxos_nl_feed {
	PAXOS_NL_FEED_UNSPEC,
	PAXOS_NL_FEED_BEGIN,
	PAXOS_NL_FEED_LOAD,
	PAXOS_NL_FEED_SECTION,
	PAXOS_NL_FEED_VALUES,
	PAXOS_NL_FEED_NOTHING,
};

enum paxos_nl_event {
	PAXOS_NL_EVENT_UNSPEC,
	PAXOS_NL_EVENT_LEADER,		/* BALLOT, LEADER (0: none) */
	PAXOS_NL_EVENT_QUORUM_LOST,	/* UP, NEEDED */
	PAXOS_NL_EVENT_QUORUM_REGAINED,	/* UP, NEEDED */
	PAXOS_NL_EVENT_MEMBER_UP,	/* MEMBER: ID */
	PAXOS_NL_EVENT_MEMBER_DOWN,	/* MEMBER: ID */
	PAXOS_NL_EVENT_AGENT_ATTACHED,	/* AGENT */
	PAXOS_NL_EVENT_AGENT_DETACHED,
	PAXOS_NL_EVENT_STALLED,		/* STALLED */
	PAXOS_NL_EVENT_RESUMED,
	PAXOS_NL_EVENT_BEHIND,		/* SLOT */
	PAXOS_NL_EVENT_GROUP_DELETED,
	PAXOS_NL_EVENT_EPOCH,		/* EPOCH, SLOT: it holds behind that */
	PAXOS_NL_EVENT_SPACE,		/* SPACE_*: slots will go */
	PAXOS_NL_EVENT_DIVERGED,	/* SLOT, SELF and MEMBER: ID differ */
	PAXOS_NL_EVENT_HALTED,		/* HALTED: nothing is applied, or again */
	PAXOS_NL_EVENT_CONVERGED,	/* no member differs any more */
};

#endif /* _UAPI_LINUX_PAXOS_H */
