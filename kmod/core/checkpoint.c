// SPDX-License-Identifier: GPL-2.0
#include <asm/byteorder.h>
#include <linux/build_bug.h>
#include "internal.h"
#include "wire.h"

/*
 * What the slots up to one have left behind: which configuration holds, which
 * proposals were delivered, and the checksum of all. A log may begin behind that
 * slot, with a Trim that says so.
 */

static_assert(sizeof(struct paxos_wire_checkpoint) == 40, "checkpoint");
static_assert(sizeof(struct paxos_wire_seen) == 152, "seen");
static_assert(PAXOS_SEEN_WORDS == 16, "window");
static_assert(sizeof(struct paxos_wire_checkpoint) + PAXOS_CONFIG_MAX +
	      (PAXOS_MEMBERS_MAX + 1) * sizeof(struct paxos_wire_seen) ==
	      PAXOS_CHECKPOINT_MAX, "the largest checkpoint");
static_assert(PAXOS_CHECKPOINT_MAX <= PAXOS_VALUE_MAX, "no larger than a value");

static bool seen_any(const struct paxos_seen *seen)
{
	return seen->incarnation || seen->highest;
}

u32 paxos_core_checkpoint(const struct paxos_core *core, void *buffer)
{
	struct paxos_wire_checkpoint head = {
		.checksum = cpu_to_le64(core->checksum),
		.config_slot = cpu_to_le64(core->config_slot),
		.incarnation = cpu_to_le64(core->config_origin.incarnation),
		.seq = cpu_to_le64(core->config_origin.seq),
		.config_len = cpu_to_le32(core->config_len),
		.origin = core->config_origin.member,
	};
	u8 *at = (u8 *)buffer + sizeof(head);
	u32 id, i;

	memcpy(at, core->config_bytes, core->config_len);
	at += core->config_len;
	for (id = 0; id <= PAXOS_MEMBERS_MAX; id++) {
		const struct paxos_seen *seen = &core->delivered[id];
		struct paxos_wire_seen wire = {
			.incarnation = cpu_to_le64(seen->incarnation),
			.highest = cpu_to_le64(seen->highest),
			.member = id,
		};

		if (!seen_any(seen))
			continue;
		for (i = 0; i < PAXOS_SEEN_WORDS; i++)
			wire.bits[i] = cpu_to_le64(seen->bits[i]);
		memcpy(at, &wire, sizeof(wire));
		at += sizeof(wire);
		head.count++;
	}
	memcpy(buffer, &head, sizeof(head));
	return at - (u8 *)buffer;
}

/* Is it whole, and can it be of the slots up to @slot? */
static bool sound(u64 slot, const u8 *bytes, u32 len,
		  struct paxos_wire_checkpoint *head)
{
	static const u8 zero[7];
	const u8 *at = bytes + sizeof(*head);
	struct paxos_wire_seen wire;
	struct paxos_config config;
	u32 config_len, i;
	int before = -1;

	/* Slots are counted up from there, and must not wrap. */
	if (!slot || slot > PAXOS_SLOT_MAX || len < sizeof(*head))
		return false;
	memcpy(head, bytes, sizeof(*head));
	config_len = le32_to_cpu(head->config_len);
	if (head->zero || head->origin > PAXOS_MEMBERS_MAX ||
	    head->count > PAXOS_MEMBERS_MAX + 1 ||
	    config_len > PAXOS_CONFIG_MAX ||
	    len != sizeof(*head) + config_len + head->count * sizeof(wire))
		return false;
	if (!config_len != !head->config_slot ||
	    le64_to_cpu(head->config_slot) > slot ||
	    (config_len && paxos_wire_config_decode(at, config_len, &config)))
		return false;
	at += config_len;
	for (i = 0; i < head->count; i++, at += sizeof(wire)) {
		memcpy(&wire, at, sizeof(wire));
		if (wire.member <= before || wire.member > PAXOS_MEMBERS_MAX ||
		    memcmp(wire.zero, zero, sizeof(zero)))
			return false;
		before = wire.member;
	}
	return true;
}

/* The log begins behind @slot. */
static void forget(struct paxos_core *core, u64 slot)
{
	struct paxos_log *log = &core->log;

	for (; log->first <= slot && log->first <= log->last; log->first++) {
		struct paxos_entry *entry = paxos_log_entry(log, log->first);

		list_del_init(&entry->record.node);
		entry->record.lsn = 0;
		paxos_entry_clear(core, entry);
	}
	log->first = slot + 1;
	log->last = max(log->last, slot);
}

/* @at: as many as @head says. */
static void take_seen(struct paxos_seen *delivered, const u8 *at,
		      const struct paxos_wire_checkpoint *head)
{
	struct paxos_wire_seen wire;
	u32 i, word;

	for (i = 0; i < head->count; i++, at += sizeof(wire)) {
		struct paxos_seen *seen;

		memcpy(&wire, at, sizeof(wire));
		seen = &delivered[wire.member];
		seen->incarnation = le64_to_cpu(wire.incarnation);
		seen->highest = le64_to_cpu(wire.highest);
		for (word = 0; word < PAXOS_SEEN_WORDS; word++)
			seen->bits[word] = le64_to_cpu(wire.bits[word]);
	}
}

int paxos_checkpoint_seen(u64 slot, const void *bytes, u32 len,
			  struct paxos_seen *delivered)
{
	struct paxos_wire_checkpoint head;

	if (!sound(slot, bytes, len, &head))
		return -EINVAL;
	take_seen(delivered, (const u8 *)bytes + sizeof(head) +
		  le32_to_cpu(head.config_len), &head);
	return 0;
}

/* @head and @bytes, which are sound, are what the slots up to @slot left. */
static void take(struct paxos_core *core, u64 slot, const u8 *bytes,
		 const struct paxos_wire_checkpoint *head)
{
	const struct paxos_item config = {
		.slot = le64_to_cpu(head->config_slot),
		.origin.incarnation = le64_to_cpu(head->incarnation),
		.origin.seq = le64_to_cpu(head->seq),
		.origin.member = head->origin,
		.kind = PAXOS_CONFIG,
		.len = le32_to_cpu(head->config_len),
		.bytes = bytes + sizeof(*head),
	};

	forget(core, slot);
	core->commit = slot;
	paxos_checksum_begin(core, le64_to_cpu(head->checksum));
	memset(core->delivered, 0, sizeof(core->delivered));
	take_seen(core->delivered, config.bytes + config.len, head);
	if (config.len)
		paxos_config_take(core, &config);
}

int paxos_checkpoint_restore(struct paxos_core *core,
			     const struct paxos_record_view *record)
{
	struct paxos_wire_checkpoint head;

	if (record->slot < core->commit ||
	    !sound(record->slot, record->item.bytes, record->item.len, &head))
		return -EINVAL;
	core->promised = max(core->promised, record->ballot);
	take(core, record->slot, record->item.bytes, &head);
	core->commit_durable = record->slot;
	return 0;
}

/* From here on @bytes, which are sound, stand for all slots up to @slot. */
static void begin_behind(struct paxos_core *core, u64 slot, const void *bytes,
			 u32 len, const struct paxos_wire_checkpoint *head,
			 u64 now)
{
	core->now = max(core->now, now);
	paxos_step_down(core);
	memcpy(core->trim_bytes, bytes, len);
	core->trim_len = len;
	core->trim_slot = slot;
	take(core, slot, core->trim_bytes, head);
	/* It would tell of a commit that the log before the Trim lacks. */
	list_del_init(&core->commit_record.node);
	core->commit_record.lsn = 0;
	core->commit_flush = PAXOS_NEVER;
	paxos_record_add(core, &core->trim_record, true);
	if (paxos_record_durable(&core->trim_record))
		core->commit_durable = slot;
	if (core->leader && !paxos_config_votes(&core->config, core->leader)) {
		core->leader = 0;
		paxos_observe(core, PAXOS_EVENT_LEADER, 0, 0);
	}
	paxos_forward_skipped(core);
	paxos_read_renew(core);
	paxos_learner_reached(core);
	paxos_learner_advance(core);
	paxos_learner_ask(core);
	paxos_call_end(core);
}

int paxos_core_begin(struct paxos_core *core, u64 slot, const void *bytes,
		     u32 len, u64 now)
{
	/* Between what was delivered and @slot there would be a hole. */
	return core->state == PAXOS_RUNNING && core->commit ?
		       -ENOTEMPTY : paxos_core_skip(core, slot, bytes, len, now);
}

int paxos_core_skip(struct paxos_core *core, u64 slot, const void *bytes,
		    u32 len, u64 now)
{
	struct paxos_wire_checkpoint head;

	if (core->state != PAXOS_RUNNING)
		return -EUNATCH;
	if (slot <= core->commit || !sound(slot, bytes, len, &head))
		return -EINVAL;
	/*
	 * Votes behind an earlier one may be too far from what the log held
	 * before: without its Trim ahead of them nobody could restore them.
	 */
	if (!paxos_record_durable(&core->trim_record))
		return -EAGAIN;
	begin_behind(core, slot, bytes, len, &head, now);
	return 0;
}
