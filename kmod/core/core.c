// SPDX-License-Identifier: GPL-2.0
#include "internal.h"
#include "wire.h"

int paxos_core_init(struct paxos_core *core, const struct paxos_ops *ops,
		    const struct paxos_settings *settings,
		    const struct paxos_config *config,
		    struct paxos_entry *entries)
{
	u32 window = settings->window;
	u32 size = settings->log_size;
	u8 id;

	if (!paxos_config_has(config, settings->self) ||
	    settings->durability > PAXOS_MEMORY ||
	    !window || window & (window - 1) || size & (size - 1) ||
	    size < 2ULL * window)
		return -EINVAL;

	memset(core, 0, sizeof(*core));
	core->ops = ops;
	core->settings = *settings;
	core->config = *config;
	core->first = *config;
	core->wake = PAXOS_NEVER;
	core->flush = PAXOS_NEVER;
	core->commit_flush = PAXOS_NEVER;
	core->noop.refs = 1;
	core->noop.kind = PAXOS_NOOP;
	core->oldest_seq = 1;
	core->next_seq = 1;
	core->pump_seq = 1;
	INIT_LIST_HEAD(&core->records);
	paxos_record_init(&core->promise_record);
	paxos_record_init(&core->commit_record);
	paxos_record_init(&core->config_record);
	paxos_record_init(&core->trim_record);
	for (id = 0; id <= PAXOS_MEMBERS_MAX; id++)
		core->peers[id].deadline = PAXOS_NEVER;
	paxos_log_init(&core->log, entries, size);
	return 0;
}

void paxos_core_destroy(struct paxos_core *core)
{
	struct paxos_log *log = &core->log;
	u32 i;

	paxos_core_stop(core, core->now);
	for (i = 0; i < log->size; i++) {
		struct paxos_entry *entry = &log->entries[i];

		paxos_entry_found(core, entry, NULL, 0);
		if (entry->value)
			paxos_value_put(core, entry->value);
		entry->value = NULL;
	}
}

int paxos_core_start(struct paxos_core *core, u64 incarnation, u64 lsn, u64 now)
{
	if (core->state != PAXOS_RESTORING || !incarnation || lsn < core->lsn)
		return -EINVAL;
	core->now = max(core->now, now);
	core->state = PAXOS_RUNNING;
	core->incarnation = incarnation;
	core->lsn = lsn;
	core->durable = lsn;
	return 0;
}

void paxos_core_stop(struct paxos_core *core, u64 now)
{
	core->now = max(core->now, now);
	paxos_step_down(core);
	core->renew = false;
	core->state = PAXOS_STOPPED;
	paxos_forward_end(core);
	paxos_read_end(core);
	core->wake = PAXOS_NEVER;
}

/* What every call that may have changed something ends with. */
void paxos_call_end(struct paxos_core *core)
{
	/* The barrier's other side: phase 1 under the new configuration. */
	if (core->renew) {
		core->renew = false;
		if (core->role == PAXOS_FOLLOWER)
			paxos_candidate_begin(core);
	}
	if (!core->urgent)
		return;
	core->urgent = false;
	core->ops->records(core);
}

void paxos_observe(struct paxos_core *core, enum paxos_event event, u64 slot,
		   u64 ballot)
{
	core->ops->event(core, event, slot, ballot);
}

/* What is asked carries the time; what answers, that of the question. */
static bool asks(u8 type)
{
	return type == PAXOS_PREPARE || type == PAXOS_ACCEPT ||
	       type == PAXOS_COMMIT || type == PAXOS_FETCH ||
	       type == PAXOS_FORWARD || type == PAXOS_READ;
}

/* Fill in what every message says, and send it. */
void paxos_message_send(struct paxos_core *core, u8 to, u8 type, u64 ballot,
			struct paxos_message *message)
{
	message->type = type;
	message->from = core->settings.self;
	message->to = to;
	message->epoch = core->config.epoch;
	message->ballot = ballot;
	message->commit = core->commit;
	if (asks(type))
		message->stamp = (u32)core->now | 1;	/* 0 is none */
	core->ops->send(core, message);
}

/*
 * paxos_page - collect entries into core->items for one message
 *
 * From *@slot to @last those that @take() wants, until a datagram is full; at
 * least one whatever its size. *@slot is then the first not looked at. Returns
 * how many were collected.
 */
u32 paxos_page(struct paxos_core *core, u64 *slot, u64 last,
	       bool (*take)(const struct paxos_core *core, u64 slot,
			    const struct paxos_entry *entry))
{
	u32 bytes = sizeof(struct paxos_wire_header) +
		    sizeof(struct paxos_wire_promise);
	u32 count = 0;

	for (; *slot <= last && count < PAXOS_ITEMS_MAX; (*slot)++) {
		struct paxos_entry *entry = paxos_log_entry(&core->log, *slot);

		if (!entry)
			break;
		if (!entry->value || !take(core, *slot, entry))
			continue;
		bytes += paxos_wire_item_size(entry->value->len);
		if (count && bytes > core->settings.payload)
			break;
		paxos_value_item(entry->value, *slot, entry->ballot,
				 &core->items[count++]);
	}
	return count;
}

static enum paxos_drop dispatch(struct paxos_core *core,
				const struct paxos_message *message)
{
	switch (message->type) {
	case PAXOS_PREPARE:
		return paxos_acceptor_prepare(core, message);
	case PAXOS_PROMISE:
		return paxos_candidate_promise(core, message);
	case PAXOS_REJECT:
		return paxos_reject(core, message);
	case PAXOS_ACCEPT:
		return paxos_acceptor_accept(core, message);
	case PAXOS_ACCEPTED:
		return paxos_leader_accepted(core, message);
	case PAXOS_COMMIT:
		return paxos_learner_commit(core, message);
	case PAXOS_FETCH:
		return paxos_learner_fetch(core, message);
	case PAXOS_CHOSEN:
		return paxos_learner_learn(core, message);
	case PAXOS_FORWARD:
		return paxos_forward_receive(core, message);
	case PAXOS_DONE:
		return paxos_forward_done(core, message);
	case PAXOS_READ:
		return paxos_read_receive(core, message);
	case PAXOS_READ_REPLY:
		return paxos_read_reply(core, message);
	case PAXOS_YIELD:
		return paxos_yield_receive(core, message);
	default:
		return PAXOS_DROP_TYPE;
	}
}

/*
 * Who may be heard: in this epoch its members; of an older one those who are or
 * were members; of a newer one, which is not known here, whoever has the key.
 */
static bool may_speak(const struct paxos_core *core,
		      const struct paxos_message *message)
{
	const struct paxos_config *config = &core->config;

	if (message->from == core->settings.self)
		return false;
	return paxos_config_has(config, message->from) ||
	       message->epoch > config->epoch ||
	       (message->epoch < config->epoch &&
		config->gone & paxos_member_bit(message->from));
}

/* What is chosen is chosen, in whatever configuration one is. */
static bool any_epoch(u8 type)
{
	return type == PAXOS_FETCH || type == PAXOS_CHOSEN ||
	       type == PAXOS_DONE;
}

enum paxos_drop paxos_core_receive(struct paxos_core *core,
				   const struct paxos_message *message,
				   u64 now)
{
	struct paxos_peer *peer;
	enum paxos_drop drop;

	if (message->to != core->settings.self)
		return PAXOS_DROP_ADDRESSEE;
	if (!may_speak(core, message))
		return PAXOS_DROP_SENDER;
	if (core->state != PAXOS_RUNNING)
		return PAXOS_DROP_MUTE;

	core->now = max(core->now, now);
	if (paxos_config_has(&core->config, message->from)) {
		peer = &core->peers[message->from];
		peer->heard = core->now;
		peer->commit = max(peer->commit, message->commit);
	}
	/* Who was removed and does not know shall not drive ballots up. */
	if (message->epoch >= core->config.epoch)
		core->seen = max(core->seen, message->ballot);

	if (message->epoch == core->config.epoch || any_epoch(message->type))
		drop = dispatch(core, message);
	else
		drop = paxos_epoch_differs(core, message);
	paxos_call_end(core);
	return drop;
}

void paxos_core_tick(struct paxos_core *core, u64 now)
{
	u64 others = (core->config.voters | core->config.learners) &
		     ~paxos_member_bit(core->settings.self);
	u64 rest;
	u8 id;

	core->now = max(core->now, now);
	core->wake = PAXOS_NEVER;
	if (core->state != PAXOS_RUNNING)
		return;

	paxos_for_each_member(id, rest, others) {
		struct paxos_peer *peer = &core->peers[id];

		if (peer->deadline <= core->now) {
			peer->deadline = PAXOS_NEVER;
			if (core->role == PAXOS_CANDIDATE)
				paxos_candidate_resend(core, id);
			else if (core->role == PAXOS_LEADER)
				paxos_leader_resend(core, id);
		}
		paxos_wake(core, peer->deadline);
	}
	if (core->role == PAXOS_LEADER)
		paxos_leader_tick(core);
	paxos_learner_tick(core);
	paxos_forward_tick(core);
	paxos_read_tick(core);
	paxos_call_end(core);
}

u64 paxos_core_up(const struct paxos_core *core, u64 now)
{
	u64 up = paxos_member_bit(core->settings.self);
	u64 rest;
	u8 id;

	paxos_for_each_member(id, rest, core->config.voters) {
		const struct paxos_peer *peer = &core->peers[id];

		if (peer->heard && peer->heard + PAXOS_SILENCE_US > now)
			up |= paxos_member_bit(id);
	}
	return up & core->config.voters;
}
