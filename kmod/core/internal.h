/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOS_CORE_INTERNAL_H
#define _PAXOS_CORE_INTERNAL_H

/* What the files of the core call of each other. */

#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include "core.h"

/* value.c */
struct paxos_value *paxos_value_new(struct paxos_core *core,
				    const struct paxos_item *item, u32 spare);
void paxos_value_put(struct paxos_core *core, struct paxos_value *value);
bool paxos_value_is(const struct paxos_value *value,
		    const struct paxos_item *item);
void paxos_value_item(const struct paxos_value *value, u64 slot, u64 ballot,
		      struct paxos_item *item);

static inline struct paxos_value *paxos_value_get(struct paxos_value *value)
{
	value->refs++;
	return value;
}

/*
 * What @slot leaves free: only the next slot to deliver takes the last bytes,
 * for nothing can be trimmed before that one has come.
 */
static inline u32 paxos_value_spare(const struct paxos_core *core, u64 slot)
{
	return slot <= core->commit + 1 ? 0 : core->settings.bytes / 4;
}

/* log.c */
bool paxos_log_room(struct paxos_core *core, u64 slot);
bool paxos_log_trim(struct paxos_core *core);
void paxos_entry_clear(struct paxos_core *core, struct paxos_entry *entry);
void paxos_entry_set(struct paxos_core *core, u64 slot,
		     struct paxos_value *value, u64 ballot);
void paxos_entry_found(struct paxos_core *core, struct paxos_entry *entry,
		       struct paxos_value *value, u64 ballot);

/* record.c */
void paxos_record_init(struct paxos_record *record);
void paxos_record_add(struct paxos_core *core, struct paxos_record *record,
		      bool urgent);

static inline bool paxos_record_durable(const struct paxos_record *record)
{
	return !record->lsn;
}

/* checksum.c */
void paxos_checksum_add(struct paxos_core *core,
			const struct paxos_value *value, bool delivered);
void paxos_checksum_begin(struct paxos_core *core, u64 checksum);

/* origin.c */
bool paxos_seen_has(const struct paxos_seen *seen,
		    const struct paxos_origin *origin);
bool paxos_seen_add(struct paxos_seen *seen, const struct paxos_origin *origin);

/* core.c */
void paxos_call_end(struct paxos_core *core);
void paxos_message_send(struct paxos_core *core, u8 to, u8 type, u64 ballot,
			struct paxos_message *message);
u32 paxos_page(struct paxos_core *core, u64 *slot, u64 last,
	       bool (*take)(const struct paxos_core *core, u64 slot,
			    const struct paxos_entry *entry));
void paxos_observe(struct paxos_core *core, enum paxos_event event, u64 slot,
		   u64 ballot);

/* Something is due at @when: be called by then. */
static inline void paxos_wake(struct paxos_core *core, u64 when)
{
	core->wake = min(core->wake, when);
}

/* peer.c */
u64 paxos_peer_timeout(const struct paxos_peer *peer);
void paxos_peer_answered(struct paxos_core *core,
			 const struct paxos_message *message,
			 struct paxos_rtt *rtt);

/* Every member of @set in turn, as @id; @rest is a u64 to work in. */
#define paxos_for_each_member(id, rest, set)				\
	for (rest = (set); rest && ((id) = __builtin_ctzll(rest) + 1, true); \
	     rest &= rest - 1)

/* acceptor.c */
void paxos_reject_send(struct paxos_core *core,
		       const struct paxos_message *about);
enum paxos_drop paxos_acceptor_prepare(struct paxos_core *core,
				       const struct paxos_message *message);
enum paxos_drop paxos_acceptor_accept(struct paxos_core *core,
				      const struct paxos_message *message);
void paxos_acceptor_promise(struct paxos_core *core, u64 ballot);
void paxos_acceptor_promised(struct paxos_core *core);
void paxos_acceptor_voted(struct paxos_core *core, u64 slot, u64 ballot);
void paxos_acceptor_flush(struct paxos_core *core);

/* candidate.c */
void paxos_candidate_begin(struct paxos_core *core);
void paxos_candidate_start(struct paxos_core *core);
void paxos_candidate_resend(struct paxos_core *core, u8 to);
enum paxos_drop paxos_candidate_promise(struct paxos_core *core,
					const struct paxos_message *message);

/* leader.c */
void paxos_leader_start(struct paxos_core *core);
bool paxos_leader_propose(struct paxos_core *core, struct paxos_value *value);
void paxos_leader_send(struct paxos_core *core);
void paxos_leader_voted(struct paxos_core *core, u8 from, u64 first, u64 last);
void paxos_leader_committed(struct paxos_core *core);
void paxos_leader_fill(struct paxos_core *core, u64 last);
void paxos_leader_resend(struct paxos_core *core, u8 to);
void paxos_leader_tick(struct paxos_core *core);
enum paxos_drop paxos_leader_accepted(struct paxos_core *core,
				      const struct paxos_message *message);
void paxos_step_down(struct paxos_core *core);
enum paxos_drop paxos_reject(struct paxos_core *core,
			     const struct paxos_message *message);

/* yield.c */
void paxos_yield_tick(struct paxos_core *core);
void paxos_yield_answered(struct paxos_core *core, u8 from);
enum paxos_drop paxos_yield_receive(struct paxos_core *core,
				    const struct paxos_message *message);

/* learner.c */
void paxos_learner_chosen(struct paxos_core *core, u64 slot);
void paxos_learner_advance(struct paxos_core *core);
enum paxos_drop paxos_learner_commit(struct paxos_core *core,
				     const struct paxos_message *message);
enum paxos_drop paxos_learner_fetch(struct paxos_core *core,
				    const struct paxos_message *message);
enum paxos_drop paxos_learner_learn(struct paxos_core *core,
				    const struct paxos_message *message);
void paxos_learner_behind(struct paxos_core *core, u64 held);
void paxos_learner_reached(struct paxos_core *core);
void paxos_learner_ask(struct paxos_core *core);
void paxos_learner_show(struct paxos_core *core, u8 to, u64 first, u64 last,
			u32 stamp);
void paxos_learner_tick(struct paxos_core *core);

/* reconfigure.c */
bool paxos_config_next(const struct paxos_core *core,
		       const struct paxos_value *value);
void paxos_config_delivered(struct paxos_core *core, u64 slot,
			    const struct paxos_value *value);
void paxos_config_take(struct paxos_core *core, const struct paxos_item *item);
int paxos_config_restore(struct paxos_core *core,
			 const struct paxos_record_view *record);
enum paxos_drop paxos_epoch_differs(struct paxos_core *core,
				    const struct paxos_message *message);

/* checkpoint.c */
int paxos_checkpoint_restore(struct paxos_core *core,
			     const struct paxos_record_view *record);

/* forward.c */
void paxos_forward_delivered(struct paxos_core *core, u64 slot,
			     const struct paxos_value *value);
void paxos_forward_skipped(struct paxos_core *core);
int paxos_forward_new(struct paxos_core *core, struct paxos_item *item,
		      u64 deadline, void *cookie, u64 now);
void paxos_forward_pump(struct paxos_core *core);
void paxos_forward_adopt(struct paxos_core *core,
			 const struct paxos_value *value);
void paxos_forward_tick(struct paxos_core *core);
void paxos_forward_end(struct paxos_core *core);
enum paxos_drop paxos_forward_receive(struct paxos_core *core,
				      const struct paxos_message *message);
enum paxos_drop paxos_forward_done(struct paxos_core *core,
				   const struct paxos_message *message);

/* read.c */
void paxos_read_delivered(struct paxos_core *core);
void paxos_read_renew(struct paxos_core *core);
void paxos_read_tick(struct paxos_core *core);
void paxos_read_end(struct paxos_core *core);
enum paxos_drop paxos_read_receive(struct paxos_core *core,
				   const struct paxos_message *message);
enum paxos_drop paxos_read_reply(struct paxos_core *core,
				 const struct paxos_message *message);

#endif
