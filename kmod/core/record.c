// SPDX-License-Identifier: GPL-2.0
#include "internal.h"
#include "wire.h"

/*
 * What must reach the disk. The records are not kept beside the state, they
 * are the state: the list links the promise, the commit and the entries that
 * are not durable, in the order of their lsn.
 */

static struct paxos_entry *record_entry(struct paxos_record *record)
{
	return list_entry(record, struct paxos_entry, record);
}

static u64 entry_slot(const struct paxos_log *log,
		      const struct paxos_entry *entry)
{
	u64 at = entry - log->entries;

	return log->first + ((at - log->first) & (log->size - 1));
}

void paxos_record_init(struct paxos_record *record)
{
	INIT_LIST_HEAD(&record->node);
	record->lsn = 0;
}

/*
 * paxos_record_add - what @record lives in has changed
 *
 * @urgent: a reply waits for it; what is not urgent goes with the next that is.
 */
void paxos_record_add(struct paxos_core *core, struct paxos_record *record,
		      bool urgent)
{
	if (core->settings.durability == PAXOS_MEMORY ||
	    core->state == PAXOS_RESTORING)
		return;
	record->lsn = ++core->lsn;
	list_move_tail(&record->node, &core->records);
	core->urgent |= urgent;
}

static void view(struct paxos_core *core, struct paxos_record *record,
		 struct paxos_record_view *out)
{
	memset(out, 0, sizeof(*out));
	out->lsn = record->lsn;
	if (record == &core->promise_record) {
		out->type = PAXOS_RECORD_PROMISE;
		out->ballot = core->promised;
	} else if (record == &core->commit_record) {
		out->type = PAXOS_RECORD_COMMIT;
		out->slot = core->commit;
	} else if (record == &core->config_record) {
		out->type = PAXOS_RECORD_CONFIG;
		out->slot = core->config_slot;
		out->item.slot = out->slot;
		out->item.origin = core->config_origin;
		out->item.kind = PAXOS_CONFIG;
		out->item.len = core->config_len;
		out->item.bytes = core->config_bytes;
	} else if (record == &core->trim_record) {
		out->type = PAXOS_RECORD_TRIM;
		out->slot = core->trim_slot;
		out->item.slot = out->slot;
		out->item.len = core->trim_len;
		out->item.bytes = core->trim_bytes;
	} else {
		struct paxos_entry *entry = record_entry(record);

		out->type = PAXOS_RECORD_ACCEPT;
		out->slot = entry_slot(&core->log, entry);
		out->ballot = entry->ballot;
		paxos_value_item(entry->value, out->slot, out->ballot,
				 &out->item);
	}
}

u64 paxos_core_records(struct paxos_core *core, u64 after,
		       bool (*emit)(void *context,
				    const struct paxos_record_view *record),
		       void *context)
{
	struct paxos_record *record;

	list_for_each_entry(record, &core->records, node) {
		struct paxos_record_view out;

		if (record->lsn <= after)
			continue;
		view(core, record, &out);
		if (!emit(context, &out))
			break;
		after = record->lsn;
	}
	return after;
}

int paxos_core_durable(struct paxos_core *core, u64 lsn, u64 now)
{
	bool room = false;

	if (lsn > core->lsn)
		return -EINVAL;
	if (lsn <= core->durable)
		return 0;
	core->now = max(core->now, now);
	core->durable = lsn;
	paxos_observe(core, PAXOS_EVENT_DURABLE, lsn, 0);

	while (!list_empty(&core->records)) {
		struct paxos_record *record =
			list_first_entry(&core->records, struct paxos_record,
					 node);

		if (record->lsn > lsn)
			break;
		list_del_init(&record->node);
		record->lsn = 0;
		if (record == &core->promise_record) {
			paxos_acceptor_promised(core);
		} else if (record == &core->commit_record) {
			core->commit_durable = core->commit;
			room = true;
		} else if (record == &core->trim_record) {
			core->commit_durable = max(core->commit_durable,
						   core->trim_slot);
		} else if (record != &core->config_record) {
			struct paxos_entry *entry = record_entry(record);
			u64 slot = entry_slot(&core->log, entry);

			if (entry->flags & PAXOS_ENTRY_VOTED)
				paxos_acceptor_voted(core, slot, entry->ballot);
		}
	}
	paxos_acceptor_flush(core);
	/* What is durably chosen may be trimmed: there may be room again. */
	if (room) {
		paxos_forward_pump(core);
		paxos_leader_send(core);
	}
	paxos_call_end(core);
	return 0;
}

static int restore_accept(struct paxos_core *core,
			  const struct paxos_record_view *record)
{
	struct paxos_entry *entry;
	struct paxos_value *value;

	if (!record->slot || !record->ballot ||
	    !paxos_item_valid(&record->item))
		return -EINVAL;
	if (record->slot <= core->commit)
		return -EINVAL;
	if (!paxos_log_room(core, record->slot))
		return -ENOSPC;
	entry = paxos_log_entry(&core->log, record->slot);
	if (entry->value && entry->ballot > record->ballot)
		return -EINVAL;
	value = paxos_value_new(core, &record->item, 0);
	if (!value)
		return -ENOMEM;
	paxos_entry_set(core, record->slot, value, record->ballot);
	/* Lamport 2001, 2.2: who accepted b has promised b. */
	core->promised = max(core->promised, record->ballot);
	return 0;
}

static int restore_commit(struct paxos_core *core, u64 commit)
{
	u64 slot;

	if (commit < core->commit)
		return -EINVAL;
	for (slot = core->commit + 1; slot <= commit; slot++) {
		struct paxos_entry *entry = paxos_log_entry(&core->log, slot);

		if (!entry || !entry->value)
			return -EINVAL;
	}
	for (slot = core->commit + 1; slot <= commit; slot++)
		paxos_learner_chosen(core, slot);
	paxos_learner_advance(core);
	return 0;
}

int paxos_core_restore(struct paxos_core *core,
		       const struct paxos_record_view *record)
{
	int err = 0;

	if (core->state != PAXOS_RESTORING || record->lsn < core->lsn ||
	    (record->lsn == core->lsn && record->type != PAXOS_RECORD_TRIM))
		return -EINVAL;
	switch (record->type) {
	case PAXOS_RECORD_PROMISE:
		core->promised = max(core->promised, record->ballot);
		break;
	case PAXOS_RECORD_ACCEPT:
		err = restore_accept(core, record);
		break;
	case PAXOS_RECORD_COMMIT:
		err = restore_commit(core, record->slot);
		break;
	case PAXOS_RECORD_CONFIG:
		err = paxos_config_restore(core, record);
		break;
	case PAXOS_RECORD_TRIM:
		err = paxos_checkpoint_restore(core, record);
		break;
	default:
		err = -EINVAL;
	}
	if (err)
		return err;
	core->lsn = record->lsn;
	core->durable = record->lsn;
	core->seen = max(core->seen, core->promised);
	return 0;
}
