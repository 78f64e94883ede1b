// SPDX-License-Identifier: GPL-2.0
#include "internal.h"
#include "wire.h"

/*
 * Proposals of this member, from the call to their end, whoever leads; and as
 * leader, those of others. Origins make it safe to hand one over twice.
 */

static struct paxos_pending *pending_at(struct paxos_core *core, u64 seq)
{
	return &core->pending[seq % PAXOS_PENDING_MAX];
}

/* The proposal @seq of this life, if it has not ended. */
static struct paxos_pending *pending_find(struct paxos_core *core,
					  u64 incarnation, u64 seq)
{
	struct paxos_pending *pending = pending_at(core, seq);

	if (incarnation != core->incarnation || !pending->value ||
	    pending->value->origin.seq != seq)
		return NULL;
	return pending;
}

/* Its place is free again. */
static void pending_free(struct paxos_core *core, struct paxos_pending *pending)
{
	paxos_value_put(core, pending->value);
	memset(pending, 0, sizeof(*pending));
	while (core->oldest_seq < core->next_seq &&
	       !pending_at(core, core->oldest_seq)->value)
		core->oldest_seq++;
}

static void pending_end(struct paxos_core *core, struct paxos_pending *pending,
			enum paxos_outcome outcome, u64 slot)
{
	void *cookie = pending->cookie;

	pending_free(core, pending);
	core->ops->proposed(core, cookie, outcome, slot);
}

/* The end of one that got no answer: law 7. */
static void pending_expire(struct paxos_core *core,
			   struct paxos_pending *pending)
{
	pending_end(core, pending, pending->sent ? PAXOS_OUTCOME_UNKNOWN :
						   PAXOS_OUTCOME_NOT_CHOSEN, 0);
}

static void forward_send(struct paxos_core *core, struct paxos_pending *pending)
{
	struct paxos_item item;
	struct paxos_message message = {
		.count = 1,
		.items = &item,
	};

	paxos_value_item(pending->value, 0, 0, &item);
	pending->sent = true;
	pending->retry = core->now +
			 paxos_peer_timeout(&core->peers[core->leader]);
	paxos_wake(core, pending->retry);
	paxos_message_send(core, core->leader, PAXOS_FORWARD, core->ballot,
			   &message);
}

/* Hand over what the leader of today was not given. */
void paxos_forward_pump(struct paxos_core *core)
{
	if (!core->leader)
		return;
	if (core->pump_ballot != core->ballot) {
		core->pump_ballot = core->ballot;
		core->pump_seq = core->oldest_seq;
	}
	core->pump_seq = max(core->pump_seq, core->oldest_seq);
	for (; core->pump_seq < core->next_seq; core->pump_seq++) {
		struct paxos_pending *pending =
			pending_at(core, core->pump_seq);

		if (!pending->value || pending->ballot == core->ballot)
			continue;
		/* It was for the leader that checked it, and for no other. */
		if (pending->value->kind == PAXOS_CONFIG)
			continue;
		if (core->role != PAXOS_LEADER) {
			forward_send(core, pending);
			continue;
		}
		paxos_value_get(pending->value);
		if (!paxos_leader_propose(core, pending->value)) {
			paxos_value_put(core, pending->value);
			break;
		}
	}
}

/* @value stands in this leader's log now, so it may be chosen. */
void paxos_forward_adopt(struct paxos_core *core,
			 const struct paxos_value *value)
{
	struct paxos_pending *pending;

	if (value->origin.member != core->settings.self)
		return;
	pending = pending_find(core, value->origin.incarnation,
			       value->origin.seq);
	if (!pending)
		return;
	pending->ballot = core->ballot;
	pending->sent = true;
}

/* @slot was delivered with @value: who proposed it may know. */
void paxos_forward_delivered(struct paxos_core *core, u64 slot,
			     const struct paxos_value *value)
{
	const struct paxos_origin *origin = &value->origin;
	struct paxos_pending *pending;

	if (origin->member == core->settings.self) {
		pending = pending_find(core, origin->incarnation, origin->seq);
		if (pending)
			pending_end(core, pending, PAXOS_OUTCOME_CHOSEN, slot);
	} else if (core->role == PAXOS_LEADER &&
		   paxos_config_has(&core->config, origin->member)) {
		struct paxos_message message = {
			.done.incarnation = origin->incarnation,
			.done.seq = origin->seq,
			.done.slot = slot,
			.done.outcome = PAXOS_OUTCOME_CHOSEN,
		};

		paxos_message_send(core, origin->member, PAXOS_DONE,
				   core->ballot, &message);
	}
}

/*
 * This member has skipped slots. Proposals of its own that were delivered in
 * them are chosen, and nobody will tell where.
 */
void paxos_forward_skipped(struct paxos_core *core)
{
	const struct paxos_seen *seen = &core->delivered[core->settings.self];
	u64 seq;

	for (seq = core->oldest_seq; seq < core->next_seq; seq++) {
		struct paxos_pending *pending =
			pending_find(core, core->incarnation, seq);

		if (pending && paxos_seen_has(seen, &pending->value->origin))
			pending_end(core, pending, PAXOS_OUTCOME_UNKNOWN, 0);
	}
}

/* @item becomes a proposal of this member, with the next origin. */
int paxos_forward_new(struct paxos_core *core, struct paxos_item *item,
		      u64 deadline, void *cookie, u64 now)
{
	struct paxos_pending *pending;
	struct paxos_value *value;

	if (core->next_seq - core->oldest_seq >= PAXOS_PENDING_MAX)
		return -EAGAIN;
	core->now = max(core->now, now);
	item->origin.incarnation = core->incarnation;
	item->origin.seq = core->next_seq;
	item->origin.member = core->settings.self;
	value = paxos_value_new(core, item, core->settings.bytes / 4);
	if (!value) {
		paxos_call_end(core);
		return -ENOMEM;
	}
	pending = pending_at(core, core->next_seq++);
	pending->value = value;
	pending->cookie = cookie;
	pending->deadline = deadline;
	paxos_wake(core, deadline);
	return 0;
}

static int propose(struct paxos_core *core, struct paxos_item *item,
		   u64 deadline, void *cookie, u64 now)
{
	int err;

	if (core->state != PAXOS_RUNNING)
		return -EUNATCH;
	if (item->len > PAXOS_VALUE_MAX)
		return -EMSGSIZE;
	/* From who is no member the leader takes nothing. */
	if (!paxos_config_has(&core->config, core->settings.self))
		return -ENOLINK;
	if (core->role == PAXOS_LEADER ? !core->quorum :
	    core->role == PAXOS_FOLLOWER && !core->leader)
		return -ENOLINK;
	err = paxos_forward_new(core, item, deadline, cookie, now);
	if (err)
		return err;
	paxos_forward_pump(core);
	paxos_learner_advance(core);
	paxos_leader_send(core);
	paxos_call_end(core);
	return 0;
}

int paxos_core_propose(struct paxos_core *core, const void *bytes, u32 len,
		       u64 deadline, void *cookie, u64 now)
{
	struct paxos_item item = {
		.len = len,
		.kind = PAXOS_DATA,
		.bytes = bytes,
	};

	return propose(core, &item, deadline, cookie, now);
}

int paxos_core_propose_noop(struct paxos_core *core, u64 deadline,
			    void *cookie, u64 now)
{
	struct paxos_item item = { .kind = PAXOS_NOOP };

	return propose(core, &item, deadline, cookie, now);
}

/* Answer a Forward of what the log holds already: its sender missed that. */
static enum paxos_drop forward_again(struct paxos_core *core, u8 from)
{
	struct paxos_message message = { .count = 0 };

	paxos_message_send(core, from, PAXOS_COMMIT, core->ballot, &message);
	return PAXOS_DROP_STALE;
}

enum paxos_drop paxos_forward_receive(struct paxos_core *core,
				      const struct paxos_message *message)
{
	struct paxos_value *value;
	struct paxos_item item;

	paxos_wire_item(message->body, &item);
	if (item.origin.member != message->from)
		return PAXOS_DROP_SENDER;
	if (core->role != PAXOS_LEADER || !core->quorum)
		return PAXOS_DROP_NOT_LEADER;
	if (paxos_seen_has(&core->proposed[message->from], &item.origin) ||
	    paxos_seen_has(&core->delivered[message->from], &item.origin))
		return forward_again(core, message->from);
	value = paxos_value_new(core, &item, core->settings.bytes / 4);
	if (!value)
		return PAXOS_DROP_NOMEM;
	if (!paxos_leader_propose(core, value)) {
		paxos_value_put(core, value);
		return PAXOS_DROP_WINDOW;
	}
	paxos_learner_advance(core);
	paxos_leader_send(core);
	return PAXOS_DROP_NONE;
}

enum paxos_drop paxos_forward_done(struct paxos_core *core,
				   const struct paxos_message *message)
{
	struct paxos_pending *pending =
		pending_find(core, message->done.incarnation,
			     message->done.seq);

	if (!pending)
		return PAXOS_DROP_STALE;
	pending_end(core, pending, PAXOS_OUTCOME_CHOSEN, message->done.slot);
	return PAXOS_DROP_NONE;
}

void paxos_forward_tick(struct paxos_core *core)
{
	u64 last = core->next_seq;
	u64 seq;

	for (seq = core->oldest_seq; seq < last; seq++) {
		struct paxos_pending *pending = pending_at(core, seq);

		if (!pending->value)
			continue;
		if (pending->deadline <= core->now) {
			pending_expire(core, pending);
			continue;
		}
		paxos_wake(core, pending->deadline);
		if (core->role != PAXOS_FOLLOWER || !core->leader ||
		    seq >= core->pump_seq ||
		    pending->value->kind == PAXOS_CONFIG)
			continue;
		if (pending->retry <= core->now)
			forward_send(core, pending);
		paxos_wake(core, pending->retry);
	}
}

/* Nothing more will be heard here of what is under way. */
void paxos_forward_end(struct paxos_core *core)
{
	u64 last = core->next_seq;
	u64 seq;

	for (seq = core->oldest_seq; seq < last; seq++)
		if (pending_at(core, seq)->value)
			pending_expire(core, pending_at(core, seq));
}

bool paxos_core_cancel(struct paxos_core *core, void *cookie, bool *sent)
{
	u64 seq;
	u32 i;

	for (seq = core->oldest_seq; seq < core->next_seq; seq++) {
		struct paxos_pending *pending = pending_at(core, seq);

		if (!pending->value || pending->cookie != cookie)
			continue;
		*sent = pending->sent;
		pending_free(core, pending);
		return true;
	}
	for (i = 0; i < PAXOS_READS_MAX; i++) {
		if (!core->reads[i].id || core->reads[i].cookie != cookie)
			continue;
		*sent = false;
		memset(&core->reads[i], 0, sizeof(core->reads[i]));
		core->n_reads--;
		return true;
	}
	return false;
}
