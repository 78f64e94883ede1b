/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM paxos

#if !defined(_PAXOS_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _PAXOS_TRACE_H

#include <linux/tracepoint.h>
#include "group.h"

#define paxos_show_type(type)				\
	__print_symbolic(type,				\
			 { PAXOS_PREPARE, "prepare" },	\
			 { PAXOS_PROMISE, "promise" },	\
			 { PAXOS_REJECT, "reject" },	\
			 { PAXOS_ACCEPT, "accept" },	\
			 { PAXOS_ACCEPTED, "accepted" },	\
			 { PAXOS_COMMIT, "commit" },	\
			 { PAXOS_FETCH, "fetch" },	\
			 { PAXOS_CHOSEN, "chosen" },	\
			 { PAXOS_FORWARD, "forward" },	\
			 { PAXOS_DONE, "done" },	\
			 { PAXOS_READ, "read" },	\
			 { PAXOS_READ_REPLY, "read-reply" },	\
			 { PAXOS_PROBE, "probe" },		\
			 { PAXOS_PROBE_REPLY, "probe-reply" },	\
			 { PAXOS_YIELD, "yield" })

#define paxos_show_drop(reason)				\
	__print_symbolic(reason,			\
			 { PAXOS_DROP_SHORT, "short" }, \
			 { PAXOS_DROP_LONG, "long" }, \
			 { PAXOS_DROP_VERSION, "version" }, \
			 { PAXOS_DROP_TYPE, "type" }, \
			 { PAXOS_DROP_MALFORMED, "malformed" }, \
			 { PAXOS_DROP_SENDER, "sender" }, \
			 { PAXOS_DROP_ADDRESSEE, "addressee" }, \
			 { PAXOS_DROP_EPOCH, "epoch" }, \
			 { PAXOS_DROP_MUTE, "mute" }, \
			 { PAXOS_DROP_STALE, "stale" }, \
			 { PAXOS_DROP_WINDOW, "window" }, \
			 { PAXOS_DROP_NOMEM, "no-memory" }, \
			 { PAXOS_DROP_NOT_LEADER, "not-leader" }, \
			 { PAXOS_DROP_CONFLICT, "conflict" }, \
			 { PAXOS_DROP_GROUP, "group" }, \
			 { PAXOS_DROP_TAG, "tag" }, \
			 { PAXOS_DROP_LINEARIZE, "linearize" }, \
			 { PAXOS_DROP_SEND_NOMEM, "send-no-memory" }, \
			 { PAXOS_DROP_SEND_ROUTE, "send-no-route" }, \
			 { PAXOS_DROP_NOTICE_NOMEM, "notice-no-memory" })

DECLARE_EVENT_CLASS(paxos_message,
	TP_PROTO(const struct paxos_group *group,
		 const struct paxos_message *message, unsigned int len),
	TP_ARGS(group, message, len),
	TP_STRUCT__entry(
		__field(u32, group)
		__field(u8, type)
		__field(u8, from)
		__field(u8, to)
		__field(u32, epoch)
		__field(u32, count)
		__field(u32, len)
		__field(u64, ballot)
		__field(u64, commit)
	),
	TP_fast_assign(
		__entry->group = group->id;
		__entry->type = message->type;
		__entry->from = message->from;
		__entry->to = message->to;
		__entry->epoch = message->epoch;
		__entry->count = message->count;
		__entry->len = len;
		__entry->ballot = message->ballot;
		__entry->commit = message->commit;
	),
	TP_printk("group=%u %s %u>%u epoch=%u ballot=%llu.%u commit=%llu count=%u len=%u",
		  __entry->group, paxos_show_type(__entry->type),
		  __entry->from, __entry->to, __entry->epoch,
		  paxos_ballot_round(__entry->ballot),
		  paxos_ballot_member(__entry->ballot), __entry->commit,
		  __entry->count, __entry->len)
);

/* An authentic datagram, before the core has looked at it. */
DEFINE_EVENT(paxos_message, paxos_message_in,
	TP_PROTO(const struct paxos_group *group,
		 const struct paxos_message *message, unsigned int len),
	TP_ARGS(group, message, len)
);

DEFINE_EVENT(paxos_message, paxos_message_out,
	TP_PROTO(const struct paxos_group *group,
		 const struct paxos_message *message, unsigned int len),
	TP_ARGS(group, message, len)
);

DECLARE_EVENT_CLASS(paxos_step,
	TP_PROTO(const struct paxos_group *group, u64 slot, u64 ballot),
	TP_ARGS(group, slot, ballot),
	TP_STRUCT__entry(
		__field(u32, group)
		__field(u8, self)
		__field(u64, slot)
		__field(u64, ballot)
	),
	TP_fast_assign(
		__entry->group = group->id;
		__entry->self = group->core.settings.self;
		__entry->slot = slot;
		__entry->ballot = ballot;
	),
	TP_printk("group=%u self=%u slot=%llu ballot=%llu.%u",
		  __entry->group, __entry->self, __entry->slot,
		  paxos_ballot_round(__entry->ballot),
		  paxos_ballot_member(__entry->ballot))
);

/* This member's acceptor promised a ballot; slot is 0. */
DEFINE_EVENT(paxos_step, paxos_promise,
	TP_PROTO(const struct paxos_group *group, u64 slot, u64 ballot),
	TP_ARGS(group, slot, ballot)
);

/* It accepted a value. */
DEFINE_EVENT(paxos_step, paxos_accept,
	TP_PROTO(const struct paxos_group *group, u64 slot, u64 ballot),
	TP_ARGS(group, slot, ballot)
);

/* It is known here that the slot is decided. */
DEFINE_EVENT(paxos_step, paxos_chosen,
	TP_PROTO(const struct paxos_group *group, u64 slot, u64 ballot),
	TP_ARGS(group, slot, ballot)
);

/* Records given to the agent (durable=0), or reported durable (count=0). */
TRACE_EVENT(paxos_persist,
	TP_PROTO(const struct paxos_group *group, u64 lsn, u32 count,
		 bool durable),
	TP_ARGS(group, lsn, count, durable),
	TP_STRUCT__entry(
		__field(u32, group)
		__field(u8, self)
		__field(bool, durable)
		__field(u32, count)
		__field(u64, lsn)
	),
	TP_fast_assign(
		__entry->group = group->id;
		__entry->self = group->core.settings.self;
		__entry->durable = durable;
		__entry->count = count;
		__entry->lsn = lsn;
	),
	TP_printk("group=%u self=%u lsn=%llu count=%u durable=%u",
		  __entry->group, __entry->self, __entry->lsn, __entry->count,
		  __entry->durable)
);

/* Reasons are named as in the statistics. */
TRACE_EVENT(paxos_drop,
	TP_PROTO(const struct paxos_group *group, unsigned int reason,
		 unsigned int len),
	TP_ARGS(group, reason, len),
	TP_STRUCT__entry(
		__field(u32, group)
		__field(u32, reason)
		__field(u32, len)
	),
	TP_fast_assign(
		__entry->group = group ? group->id : 0;
		__entry->reason = reason;
		__entry->len = len;
	),
	TP_printk("group=%u %s len=%u", __entry->group,
		  paxos_show_drop(__entry->reason), __entry->len)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
