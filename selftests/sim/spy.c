// SPDX-License-Identifier: GPL-2.0
/*
 * Every message that leaves a member is held against what the observer knows:
 * nothing may be said that is not so, or not yet durable.
 */
#include <linux/minmax.h>
#include <stdlib.h>
#include "sim.h"

#define U(x) ((unsigned long long)(x))

static struct value *item_value(struct sim *sim, const struct paxos_item *item)
{
	return value_of(sim, &item->origin, item->kind, item->bytes, item->len);
}

/* A Prepare, or what stands for it, in @epoch: of a voter of that one. */
static void campaigns_in(struct member *member, u32 epoch)
{
	const struct paxos_config *config = epoch_config(member->sim, epoch);

	if (!config || !paxos_config_votes(config, member->id))
		broken(member->sim, LAW_EPOCH,
		       "member %u campaigns in epoch %u and is no voter there",
		       member->id, epoch);
	member->campaign_epoch = epoch;
}

static void said_prepare(struct member *member,
			 const struct paxos_message *message)
{
	struct sim *sim = member->sim;

	if (member->disk_restores < message->ballot)
		broken(sim, LAW_DURABLE, "member %u says Prepare " BALLOT
		       ", it holds " BALLOT, member->id,
		       BALLOT_ARGS(message->ballot),
		       BALLOT_ARGS(member->disk_restores));
	if (message->ballot < member->said_prepared)
		broken(sim, LAW_AMNESIA, "member %u says Prepare " BALLOT
		       " after " BALLOT, member->id,
		       BALLOT_ARGS(message->ballot),
		       BALLOT_ARGS(member->said_prepared));
	if (message->ballot == member->said_prepared)
		return;
	campaigns_in(member, message->epoch);
	if (message->prepare.first > member->delivered + 1)
		broken(sim, LAW_PROPOSER,
		       "member %u prepares from slot %llu, it knows up to %llu",
		       member->id, U(message->prepare.first),
		       U(member->delivered));
	member->said_prepared = message->ballot;
	member->campaign_first = message->prepare.first;
	member->promises = 0;
	member->n_reports = 0;
	for (u8 id = 1; id <= sim->n; id++)
		member->covered[id] = member->campaign_first;
	sim->totals.campaigns++;
}

/* It has learnt that not what its disk holds of @number is chosen. */
static bool outvoted(struct member *member, u64 number)
{
	struct value *chosen = observer_slot(member->sim, number)->chosen;

	return chosen && paxos_core_chosen(&member->core, number) &&
	       observer_held(member, number)->value != chosen;
}

/* The votes of @member that this page must tell of, and no others. */
static void promise_page(struct member *member,
			 const struct paxos_message *message)
{
	struct sim *sim = member->sim;
	u64 first = message->promise.first;
	u64 end = message->promise.next ? message->promise.next :
					  member->held_last + 1;
	const u8 *at = message->body;
	struct paxos_item item = { 0 };
	u32 i = 0;

	if (first < message->promise.held)
		first = message->promise.held;
	for (u64 number = first; number < end || i < message->count; number++) {
		struct held *held = observer_held(member, number);
		struct value *value;

		if (i < message->count && item.slot < number)
			at = paxos_wire_item(at, &item);
		if (i == message->count || item.slot != number) {
			/* proposed in this ballot: the candidate leads; or
			 * it knows by now that another value is chosen
			 */
			if (held->value && held->ballot < message->ballot &&
			    !outvoted(member, number) &&
			    !observer_vote(sim, number, message->ballot))
				broken(sim, LAW_ACCEPTOR,
				       "member %u promises " BALLOT
				       " and keeps back its vote in slot %llu",
				       member->id, BALLOT_ARGS(message->ballot),
				       U(number));
			continue;
		}
		i++;
		value = item_value(sim, &item);
		if (held->value && item.ballot < held->ballot)
			broken(sim, LAW_ACCEPTOR, "member %u promises " BALLOT
			       " and tells of an old vote in slot %llu",
			       member->id, BALLOT_ARGS(message->ballot),
			       U(number));
		if (observer_slot(sim, number)->chosen == value)
			continue;
		if (held->ballot != item.ballot || held->value != value)
			broken(sim, LAW_DURABLE,
			       "member %u tells of a vote in slot %llu, ballot "
			       BALLOT ", that it does not hold", member->id,
			       U(number), BALLOT_ARGS(item.ballot));
	}
}

/* Keep what @member tells the candidate @to. */
static void report(struct member *member, struct member *to,
		   const struct paxos_message *message)
{
	const u8 *at = message->body;
	struct paxos_item item;

	for (u32 i = 0; i < message->count; i++) {
		if (to->n_reports == to->cap_reports) {
			to->cap_reports = to->cap_reports ?
					  to->cap_reports * 2 : 64;
			to->reports = realloc(to->reports, to->cap_reports *
					      sizeof(*to->reports));
			if (!to->reports)
				abort();
		}
		at = paxos_wire_item(at, &item);
		to->reports[to->n_reports++] = (struct report){
			.slot = item.slot,
			.ballot = item.ballot,
			.value = item_value(member->sim, &item),
			.from = member->id,
		};
	}
}

/*
 * P2c: there is a Prepare quorum of which the highest-numbered proposal for
 * @number, if there is any, has @value.
 */
static bool allowed(struct member *member, u64 number, u64 ballot,
		    const struct value *value)
{
	struct sim *sim = member->sim;
	struct held *own = observer_held(member, number);
	u64 told[SIM_MEMBERS_MAX + 1] = { 0 };
	u64 best = 0, quorum = 0;
	u32 i;

	for (i = 0; i < member->n_reports; i++) {
		const struct report *report = &member->reports[i];

		if (report->slot != number)
			continue;
		if (!told[report->from] ||
		    report->ballot < told[report->from])
			told[report->from] = report->ballot;
		if (report->value == value)
			best = max(best, report->ballot);
	}
	if (own->value && own->ballot < ballot) {
		told[member->id] = own->ballot;
		if (own->value == value)
			best = max(best, own->ballot);
	}
	for (i = 1; i <= sim->n; i++)
		if (member->promises & paxos_member_bit(i) && told[i] <= best)
			quorum |= paxos_member_bit(i);
	return paxos_quorum_prepare(epoch_config(sim, member->campaign_epoch),
				    quorum);
}

static void said_promise(struct member *member,
			 const struct paxos_message *message)
{
	struct sim *sim = member->sim;
	struct member *to = sim->members[message->to];

	if (member->disk_restores < message->ballot)
		broken(sim, LAW_DURABLE, "member %u says Promise " BALLOT
		       ", it holds " BALLOT, member->id,
		       BALLOT_ARGS(message->ballot),
		       BALLOT_ARGS(member->disk_restores));
	if (message->ballot < member->said_promised)
		broken(sim, LAW_ACCEPTOR, "member %u says Promise " BALLOT
		       " after " BALLOT, member->id,
		       BALLOT_ARGS(message->ballot),
		       BALLOT_ARGS(member->said_promised));
	member->said_promised = message->ballot;
	if (message->promise.held > member->delivered + 1)
		broken(sim, LAW_WINDOW, "member %u says it trimmed below %llu",
		       member->id, U(message->promise.held));
	promise_page(member, message);
	sim->totals.pages += message->promise.next != 0;

	if (to->said_prepared != message->ballot ||
	    to->campaign_epoch != message->epoch)
		return;
	report(member, to, message);
	if (message->promise.first > to->covered[member->id])
		return;
	if (message->promise.next > to->covered[member->id])
		to->covered[member->id] = message->promise.next;
	else if (!message->promise.next &&
		 paxos_config_votes(epoch_config(sim, message->epoch),
				    member->id))
		to->promises |= member_bit(member);
}

static void said_accept(struct member *member,
			const struct paxos_message *message)
{
	struct sim *sim = member->sim;
	const struct paxos_config *config;
	const u8 *at = message->body;
	struct paxos_item item;

	if (paxos_ballot_member(message->ballot) != member->id)
		broken(sim, LAW_PROPOSER, "member %u proposes in ballot "
		       BALLOT, member->id, BALLOT_ARGS(message->ballot));
	if (message->ballot > member->said_prepared) {
		/* a Prepare quorum of one: itself */
		member->said_prepared = message->ballot;
		member->promises = 0;
		member->n_reports = 0;
		sim->totals.campaigns++;
		campaigns_in(member, message->epoch);
	}
	if (message->epoch != member->campaign_epoch)
		broken(sim, LAW_EPOCH, "member %u proposes in epoch %u in "
		       BALLOT ", which it prepared in %u", member->id,
		       message->epoch, BALLOT_ARGS(message->ballot),
		       member->campaign_epoch);
	if (message->ballot < member->said_prepared)
		broken(sim, LAW_PROPOSER, "member %u proposes in " BALLOT
		       " after Prepare " BALLOT, member->id,
		       BALLOT_ARGS(message->ballot),
		       BALLOT_ARGS(member->said_prepared));
	if (member->disk_restores < message->ballot)
		broken(sim, LAW_DURABLE, "member %u proposes in " BALLOT
		       ", it holds " BALLOT, member->id,
		       BALLOT_ARGS(message->ballot),
		       BALLOT_ARGS(member->disk_restores));
	if (!(member->promises & member_bit(member))) {
		member->promises |= member_bit(member);
		sim->totals.elections++;
	}
	config = epoch_config(sim, member->campaign_epoch);
	if (!paxos_quorum_prepare(config, member->promises))
		broken(sim, LAW_PROPOSER, "member %u proposes in " BALLOT
		       " with %u whole promises of %u", member->id,
		       BALLOT_ARGS(message->ballot),
		       paxos_quorum_weight(config, member->promises),
		       config->q1);
	for (u32 i = 0; i < message->count; i++) {
		struct value *value;
		struct slot *slot;

		at = paxos_wire_item(at, &item);
		value = item_value(sim, &item);
		slot = observer_slot(sim, item.slot);
		if (slot->chosen != value &&
		    !observer_vote(sim, item.slot, message->ballot) &&
		    !allowed(member, item.slot, message->ballot, value))
			broken(sim, LAW_PROPOSER, "member %u proposes in slot %llu, "
			       BALLOT ", what no quorum's promises allow",
			       member->id, U(item.slot),
			       BALLOT_ARGS(message->ballot));
		observer_proposed(sim, item.slot, message->ballot, value);
	}
}

static void said_accepted(struct member *member,
			  const struct paxos_message *message)
{
	struct sim *sim = member->sim;
	const u8 *at = message->body;
	struct paxos_range range;

	if (!message->count)
		return;
	for (u32 i = 0; i < message->count; i++) {
		at = paxos_wire_range(at, &range);
		for (u64 number = range.first;
		     number < range.first + range.count; number++) {
			struct vote *vote = observer_vote(sim, number,
							  message->ballot);

			if (vote && vote->voters & member_bit(member))
				continue;
			broken(sim, LAW_DURABLE,
			       "member %u says it accepted slot %llu in " BALLOT
			       ", it does not hold that", member->id, U(number),
			       BALLOT_ARGS(message->ballot));
		}
	}
	if (message->ballot > member->said_promised)
		member->said_promised = message->ballot;
}

static void said_chosen(struct member *member,
			const struct paxos_message *message)
{
	struct sim *sim = member->sim;
	const u8 *at = message->body;
	struct paxos_item item;

	for (u32 i = 0; i < message->count; i++) {
		struct value *value;

		at = paxos_wire_item(at, &item);
		value = item_value(sim, &item);
		if (observer_slot(sim, item.slot)->chosen != value)
			broken(sim, LAW_AGREEMENT,
			       "member %u says a value is chosen in slot %llu, it is not",
			       member->id, U(item.slot));
	}
	if (message->chosen.held > member->delivered + 1)
		broken(sim, LAW_WINDOW, "member %u says it trimmed below %llu",
		       member->id, U(message->chosen.held));
}

static void said_done(struct member *member,
		      const struct paxos_message *message)
{
	struct sim *sim = member->sim;
	struct value *value = observer_slot(sim, message->done.slot)->chosen;

	if (!value || value->origin.seq != message->done.seq ||
	    value->origin.incarnation != message->done.incarnation ||
	    value->origin.member != message->to)
		broken(sim, LAW_OUTCOME,
		       "member %u says %u/%llu/%llu is chosen in slot %llu, it is not",
		       member->id, message->to, U(message->done.incarnation),
		       U(message->done.seq), U(message->done.slot));
}

static void said_read_reply(struct member *member,
			    const struct paxos_message *message)
{
	if (paxos_config_votes(&member->core.config, member->id) &&
	    message->read.slot < member->held_last)
		broken(member->sim, LAW_READ,
		       "member %u answers a read with slot %llu, it accepted %llu",
		       member->id, U(message->read.slot), U(member->held_last));
}

/* What @member believes to have heard as candidate or leader was said. */
void spy_counted(struct member *member)
{
	const struct paxos_core *core = &member->core;
	struct sim *sim = member->sim;

	if (core->role == PAXOS_CANDIDATE &&
	    core->promises & ~member->promises & ~member_bit(member))
		broken(sim, LAW_PROPOSER, "member %u counts promises 0x%llx for "
		       BALLOT ", whole ones came from 0x%llx", member->id,
		       U(core->promises), BALLOT_ARGS(core->ballot),
		       U(member->promises));
	if (core->role != PAXOS_LEADER)
		return;
	for (u64 number = core->commit + 1; number < core->next_slot; number++) {
		struct paxos_entry *entry = paxos_log_entry(&core->log, number);
		struct vote *vote = observer_vote(sim, number, core->ballot);

		if (entry->votes & ~(vote ? vote->voters : 0))
			broken(sim, LAW_PROPOSER,
			       "member %u counts votes 0x%llx in slot %llu, "
			       BALLOT ", given were 0x%llx", member->id,
			       U(entry->votes), U(number),
			       BALLOT_ARGS(core->ballot),
			       U(vote ? vote->voters : 0));
	}
}

/* Hand over: nothing is open, and who is asked may lead. */
static void said_yield(struct member *member,
		       const struct paxos_message *message)
{
	const struct paxos_core *core = &member->core;
	struct sim *sim = member->sim;

	if (core->role != PAXOS_LEADER || core->yield_to != message->to ||
	    !paxos_config_votes(&core->config, message->to))
		broken(sim, LAW_PROPOSER, "member %u hands a lead to %u that it may not",
		       member->id, message->to);
	if (core->commit + 1 != core->next_slot)
		broken(sim, LAW_PROPOSER,
		       "member %u hands over at slot %llu, and has proposed up to %llu",
		       member->id, U(core->commit), U(core->next_slot - 1));
	sim->totals.yields++;
}

void spy_said(struct member *member, const struct paxos_message *message)
{
	struct sim *sim = member->sim;

	if (message->from != member->id || message->to == member->id)
		broken(sim, LAW_WHOLE, "member %u sends from %u to %u",
		       member->id, message->from, message->to);
	if (message->to > sim->n || !message->to)
		broken(sim, LAW_WHOLE, "member %u sends to %u", member->id,
		       message->to);
	if (member->status != MEMBER_UP ||
	    member->core.state != PAXOS_RUNNING)
		broken(sim, LAW_AMNESIA, "member %u speaks and must be mute",
		       member->id);
	if (message->epoch != member->core.config.epoch)
		broken(sim, LAW_EPOCH, "member %u in epoch %u speaks in %u",
		       member->id, member->core.config.epoch, message->epoch);
	if (message->commit > sim->chosen_prefix)
		broken(sim, LAW_AGREEMENT,
		       "member %u says all to %llu is chosen, it is so to %llu",
		       member->id, U(message->commit), U(sim->chosen_prefix));

	switch (message->type) {
	case PAXOS_PREPARE:
		said_prepare(member, message);
		break;
	case PAXOS_PROMISE:
		said_promise(member, message);
		break;
	case PAXOS_ACCEPT:
		said_accept(member, message);
		break;
	case PAXOS_ACCEPTED:
		said_accepted(member, message);
		break;
	case PAXOS_COMMIT:
		if (paxos_ballot_member(message->ballot) != member->id)
			broken(sim, LAW_PROPOSER,
			       "member %u commits in ballot " BALLOT,
			       member->id, BALLOT_ARGS(message->ballot));
		break;
	case PAXOS_YIELD:
		said_yield(member, message);
		break;
	case PAXOS_CHOSEN:
		said_chosen(member, message);
		break;
	case PAXOS_DONE:
		said_done(member, message);
		break;
	case PAXOS_READ_REPLY:
		said_read_reply(member, message);
		break;
	}
}
