/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Generic netlink family "paxos_kv": a replicated store of keys upon a group
 * of the family "paxos".
 *
 * uapi/paxos_kv.yaml is the same thing for machines; a test holds the two and
 * the kernel's policies together. Integers are in host order. "admin" means
 * CAP_NET_ADMIN in the user namespace that owns the network namespace. Every
 * refusal carries an extack sentence and, where one attribute is to blame,
 * points at it; an error that a command waited for (BARRIER) is bare.
 *
 * A revision is a slot of the group's log. Every command names PAXOS_KV_A_GROUP:
 * u32; the first one makes this host hold the store, from the first slot of the
 * log on, or from a snapshot where the log begins later by now. -ENOENT: no such
 * group; -ESTALE: there is no such snapshot either; -EBADMSG: this member's log
 * differs from the others'; -EPROTO: the store has entries of a later version;
 * -ESHUTDOWN: the group is being deleted; -ENOMEM.
 *
 * What changes the store is chosen by the group: PAXOS_KV_A_TIMEOUT: u32, ms.
 * The answer has
 *
 *	PAXOS_KV_A_OUTCOME: u8, enum paxos_nl_outcome. If it was chosen:
 *	PAXOS_KV_A_REVISION: u64
 *	PAXOS_KV_A_STATUS: u8, enum paxos_kv_status; but for OK nothing changed
 *	PAXOS_KV_A_SUCCEEDED: u8, the compares of a transaction held
 *	PAXOS_KV_A_DELETED: u64, keys
 *	PAXOS_KV_A_LEASE: u64, the lease that was granted, kept or revoked
 *	PAXOS_KV_A_PAIR, repeated, each nested: what gets found
 *	PAXOS_KV_A_MORE: u8, 1: that they found more than fits
 *
 * -EAGAIN: too many under way; -ENOLINK: no leader or no quorum, or this host is
 * no member; -EUNATCH: no agent; -EMSGSIZE: over 32 KiB in all.
 *
 * PAXOS_KV_CMD_TXN (admin): PAXOS_KV_A_ITEM, repeated, each nested: if all
 *	compares (section IF) hold the operations of THEN are done, else those
 *	of ELSE, one after the other, all in one revision:
 *
 *	PAXOS_KV_A_ITEM_SECTION: u8, enum paxos_kv_section, in ascending order
 *	PAXOS_KV_A_ITEM_TARGET: u8, enum paxos_kv_target: what a compare looks at
 *	PAXOS_KV_A_ITEM_WHAT: u8, enum paxos_kv_relation of a compare, else
 *		enum paxos_kv_operation
 *	PAXOS_KV_A_ITEM_KEY: binary, 1..1024 bytes; a prefix may be empty
 *	PAXOS_KV_A_ITEM_VALUE: binary
 *	PAXOS_KV_A_ITEM_NUMBER: u64, of a compare; a PUT's lease; the most that
 *		GET_PREFIX finds
 *
 * PAXOS_KV_CMD_GRANT (admin): PAXOS_KV_A_TTL: u64, ms; a lease, which ends
 *	when it was not kept for so long: its keys are deleted
 * PAXOS_KV_CMD_KEEP (admin): PAXOS_KV_A_LEASE begins its time anew
 * PAXOS_KV_CMD_REVOKE (admin): PAXOS_KV_A_LEASE ends
 * PAXOS_KV_CMD_COMPACT (admin): up to PAXOS_KV_A_REVISION history is forgotten
 * PAXOS_KV_CMD_LIMIT (admin): PAXOS_KV_A_LIMIT: u64, bytes of the store
 *
 * PAXOS_KV_CMD_HISTORY (admin): how much history is kept; what is older is
 *	compacted: PAXOS_KV_A_HISTORY: u64, revisions, or PAXOS_KV_A_PERIOD: u64,
 *	ms; neither: all
 *
 * PAXOS_KV_CMD_BARRIER (admin): answers, within PAXOS_KV_A_TIMEOUT, with a
 *	PAXOS_KV_A_REVISION that holds all that was chosen before the command. A
 *	GET of that revision is linearizable. Costs a round trip to a quorum.
 *
 * PAXOS_KV_CMD_GET (admin): dumps PAXOS_KV_A_PAIR, one a message, of the keys
 *	that begin with PAXOS_KV_A_KEY: binary (default: all); with
 *	PAXOS_KV_A_EXACT: u8, 1: of that key. PAXOS_KV_A_REVISION: as they were
 *	then (default: now, as far as this host knows); PAXOS_KV_A_COUNT: u64, at
 *	most so many; PAXOS_KV_A_AFTER: binary, only those behind this key, as to
 *	go on behind the last one. All messages are of one revision.
 *	-ESTALE: it was compacted; -ERANGE: it is yet to come; -EINVAL:
 *	PAXOS_KV_A_AFTER does not begin with the key, or that is EXACT.
 *
 *	PAXOS_KV_A_PAIR_KEY: binary, PAXOS_KV_A_PAIR_VALUE: binary,
 *	PAXOS_KV_A_PAIR_CREATE: u64, PAXOS_KV_A_PAIR_MOD: u64, revisions;
 *	PAXOS_KV_A_PAIR_VERSION: u64, 0: a deletion;
 *	PAXOS_KV_A_PAIR_LEASE: u64;
 *	PAXOS_KV_A_PAIR_OPERATION: u32, which one of a transaction's found it
 *
 * PAXOS_KV_CMD_WATCH (admin): what happened to keys as of GET, from
 *	PAXOS_KV_A_REVISION (default: from now on) and PAXOS_KV_A_SUB: u32, the
 *	place within it (default: 0). Answers as soon as there is something,
 *	or when PAXOS_KV_A_TIMEOUT (of a minute at most) is over, with
 *	PAXOS_KV_A_PAIR, repeated, and the REVISION and SUB to ask for next: thus
 *	nothing is missed.
 *	-ESTALE: some of it was compacted; -EAGAIN: too many watches wait.
 *
 * PAXOS_KV_CMD_INFO (admin): PAXOS_KV_A_REVISION, the last one applied here;
 *	PAXOS_KV_A_COMPACTED: u64; PAXOS_KV_A_USED: u64, bytes of
 *	PAXOS_KV_A_LIMIT; PAXOS_KV_A_SUCCEEDED: u8, this member leads;
 *	PAXOS_KV_A_HISTORY or PAXOS_KV_A_PERIOD, if not all of it is kept
 *
 * PAXOS_KV_CMD_LEASES (admin): dumps the leases: PAXOS_KV_A_LEASE,
 *	PAXOS_KV_A_TTL, and PAXOS_KV_A_RENEWED: u64, revision
 */
#ifndef _UAPI_LINUX_PAXOS_KV_H
#define _UAPI_LINUX_PAXOS_KV_H

#define PAXOS_KV_GENL_NAME	"paxos_kv"
#define PAXOS_KV_GENL_VERSION	1

#define PAXOS_KV_KEY_MAX	1024

enum paxos_kv_status {
	PAXOS_KV_STATUS_OK,
	PAXOS_KV_STATUS_FOREIGN,
	PAXOS_KV_STATUS_MALFORMED,
	PAXOS_KV_STATUS_NO_SPACE,	/* the store's limit is reached */
	PAXOS_KV_STATUS_NO_LEASE,	/* it never was, or is no more */
	PAXOS_KV_STATUS_RENEWED,	/* the lease was kept meanwhile */
	PAXOS_KV_STATUS_COMPACTED,	/* that far already */
	PAXOS_KV_STATUS_FUTURE,		/* that revision is yet to come */
};

enum paxos_kv_section {
	PAXOS_KV_SECTION_IF,
	PAXOS_KV_SECTION_THEN,
	PAXOS_KV_SECTION_ELSE,
};

/* A key that is not there has 0 for each number, and no value. */
enum paxos_kv_target {
	PAXOS_KV_TARGET_UNSPEC,
	PAXOS_KV_TARGET_VERSION,
	PAXOS_KV_TARGET_CREATE,
	PAXOS_KV_TARGET_MOD,
	PAXOS_KV_TARGET_LEASE,
	PAXOS_KV_TARGET_VALUE,
};

enum paxos_kv_relation {
	PAXOS_KV_RELATION_UNSPEC,
	PAXOS_KV_RELATION_EQUAL,
	PAXOS_KV_RELATION_NOT_EQUAL,
	PAXOS_KV_RELATION_LESS,
	PAXOS_KV_RELATION_GREATER,
};

enum paxos_kv_operation {
	PAXOS_KV_OPERATION_UNSPEC,
	PAXOS_KV_OPERATION_PUT,
	PAXOS_KV_OPERATION_DELETE,
	PAXOS_KV_OPERATION_DELETE_PREFIX,
	PAXOS_KV_OPERATION_GET,
	PAXOS_KV_OPERATION_GET_PREFIX,
};

enum paxos_kv_attr {
	PAXOS_KV_A_UNSPEC,
	PAXOS_KV_A_PAD,
	PAXOS_KV_A_GROUP,
	PAXOS_KV_A_TIMEOUT,
	PAXOS_KV_A_OUTCOME,
	PAXOS_KV_A_STATUS,
	PAXOS_KV_A_REVISION,
	PAXOS_KV_A_SUB,
	PAXOS_KV_A_SUCCEEDED,
	PAXOS_KV_A_DELETED,
	PAXOS_KV_A_LEASE,
	PAXOS_KV_A_TTL,
	PAXOS_KV_A_RENEWED,
	PAXOS_KV_A_LIMIT,
	PAXOS_KV_A_USED,
	PAXOS_KV_A_COMPACTED,
	PAXOS_KV_A_KEY,
	PAXOS_KV_A_EXACT,
	PAXOS_KV_A_COUNT,
	PAXOS_KV_A_ITEM,
	PAXOS_KV_A_PAIR,
	PAXOS_KV_A_MORE,
	PAXOS_KV_A_HISTORY,
	PAXOS_KV_A_PERIOD,
	PAXOS_KV_A_AFTER,
	__PAXOS_KV_A_MAX
};

#define PAXOS_KV_A_MAX (__PAXOS_KV_A_MAX - 1)

enum paxos_kv_item_attr {
	PAXOS_KV_A_ITEM_UNSPEC,
	PAXOS_KV_A_ITEM_PAD,
	PAXOS_KV_A_ITEM_SECTION,
	PAXOS_KV_A_ITEM_TARGET,
	PAXOS_KV_A_ITEM_WHAT,
	PAXOS_KV_A_ITEM_KEY,
	PAXOS_KV_A_ITEM_VALUE,
	PAXOS_KV_A_ITEM_NUMBER,
	__PAXOS_KV_A_ITEM_MAX
};

#define PAXOS_KV_A_ITEM_MAX (__PAXOS_KV_A_ITEM_MAX - 1)

enum paxos_kv_pair_attr {
	PAXOS_KV_A_PAIR_UNSPEC,
	PAXOS_KV_A_PAIR_PAD,
	PAXOS_KV_A_PAIR_KEY,
	PAXOS_KV_A_PAIR_VALUE,
	PAXOS_KV_A_PAIR_CREATE,
	PAXOS_KV_A_PAIR_MOD,
	PAXOS_KV_A_PAIR_VERSION,
	PAXOS_KV_A_PAIR_LEASE,
	PAXOS_KV_A_PAIR_OPERATION,
	__PAXOS_KV_A_PAIR_MAX
};

#define PAXOS_KV_A_PAIR_MAX (__PAXOS_KV_A_PAIR_MAX - 1)

enum paxos_kv_cmd {
	PAXOS_KV_CMD_UNSPEC,
	PAXOS_KV_CMD_TXN,
	PAXOS_KV_CMD_GRANT,
	PAXOS_KV_CMD_KEEP,
	PAXOS_KV_CMD_REVOKE,
	PAXOS_KV_CMD_COMPACT,
	PAXOS_KV_CMD_LIMIT,
	PAXOS_KV_CMD_BARRIER,
	PAXOS_KV_CMD_GET,
	PAXOS_KV_CMD_WATCH,
	PAXOS_KV_CMD_INFO,
	PAXOS_KV_CMD_LEASES,
	PAXOS_KV_CMD_HISTORY,
	__PAXOS_KV_CMD_MAX
};

#define PAXOS_KV_CMD_MAX (__PAXOS_KV_CMD_MAX - 1)

#endif
