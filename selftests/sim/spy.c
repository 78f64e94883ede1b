// SPDX-License-Identifier: GPL-2.0
/*
 * Every message that leaves a member is held against what the observer knows:
 * nothing may be said that is not so, or not yet durable.
 */
#include "sim.h"

#define U(x) ((unsigned long long)(x))

static struct value *item_value(struct sim *sim, const struct paxos_item *item)
{
	return value_of(sim, &item->origin, item->kind, item->bytes, item->len);
}

static void said_prepare(struct member *member,
			 const struct paxos_message *message)
{
	struct sim *sim = member->sim;

	if (member->disk_promised < message->ballot)
		broken(sim, LAW_DURABLE, "member %u says Prepare " BALLOT
		       ", it holds " BALLOT, member->id,
		       BALLOT_ARGS(message->ballot),
		       BALLOT_ARGS(member->disk_promised));
	if (message->ballot < member->said_prepared)
		broken(sim, LAW_AMNESIA, "member %u says Prepare " BALLOT
		       " after " BALLOT, member->id,
		       BALLOT_ARGS(message->ballot),
		       BALLOT_ARGS(member->said_prepared));
	if (message->ballot == member->said_prepared)
		return;
	if (message->prepare.first > member->delivered + 1)
		broken(sim, LAW_PROPOSER,
		       "member %u prepares from slot %llu, it knows up to %llu",
		       member->id, U(message->prepare.first),
		       U(member->delivered));
	member->said_prepared = message->ballot;
	member->campaign_first = message->prepare.first;
	member->promises = 0;
	for (u8 id = 1; id <= sim->n; id++)
		member->covered[id] = member->campaign_first;
	sim->totals.campaigns++;
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
			struct slot *slot = observer_slot(sim, number);
			u32 j;

			/* proposed in this ballot: the candidate leads */
			for (j = 0; j < slot->n_votes; j++)
				if (slot->votes[j].ballot == message->ballot)
					break;
			if (held->value && held->ballot < message->ballot &&
			    j == slot->n_votes)
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

static void said_promise(struct member *member,
			 const struct paxos_message *message)
{
	struct sim *sim = member->sim;
	struct member *to = sim->members[message->to];

	if (member->disk_promised < message->ballot)
		broken(sim, LAW_DURABLE, "member %u says Promise " BALLOT
		       ", it holds " BALLOT, member->id,
		       BALLOT_ARGS(message->ballot),
		       BALLOT_ARGS(member->disk_promised));
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

	if (to->said_prepared != message->ballot ||
	    message->promise.first > to->covered[member->id])
		return;
	if (message->promise.next > to->covered[member->id])
		to->covered[member->id] = message->promise.next;
	else if (!message->promise.next && member->voter)
		to->promises |= member_bit(member);
}

static void said_accept(struct member *member,
			const struct paxos_message *message)
{
	struct sim *sim = member->sim;
	const u8 *at = message->body;
	struct paxos_item item;

	if (paxos_ballot_member(message->ballot) != member->id)
		broken(sim, LAW_PROPOSER, "member %u proposes in ballot "
		       BALLOT, member->id, BALLOT_ARGS(message->ballot));
	if (message->ballot > member->said_prepared) {
		/* a Prepare quorum of one: itself */
		member->said_prepared = message->ballot;
		member->promises = 0;
		sim->totals.campaigns++;
	}
	if (message->ballot < member->said_prepared)
		broken(sim, LAW_PROPOSER, "member %u proposes in " BALLOT
		       " after Prepare " BALLOT, member->id,
		       BALLOT_ARGS(message->ballot),
		       BALLOT_ARGS(member->said_prepared));
	if (member->disk_promised < message->ballot)
		broken(sim, LAW_DURABLE, "member %u proposes in " BALLOT
		       ", it holds " BALLOT, member->id,
		       BALLOT_ARGS(message->ballot),
		       BALLOT_ARGS(member->disk_promised));
	if (!(member->promises & member_bit(member))) {
		member->promises |= member_bit(member);
		sim->totals.elections++;
	}
	if (paxos_quorum_weight(&sim->config, member->promises) <
	    sim->config.q1)
		broken(sim, LAW_PROPOSER, "member %u proposes in " BALLOT
		       " with %u whole promises of %u", member->id,
		       BALLOT_ARGS(message->ballot),
		       paxos_quorum_weight(&sim->config, member->promises),
		       sim->config.q1);
	for (u32 i = 0; i < message->count; i++) {
		at = paxos_wire_item(at, &item);
		observer_proposed(sim, item.slot, message->ballot,
				  item_value(sim, &item));
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
			struct slot *slot = observer_slot(sim, number);
			u32 j;

			for (j = 0; j < slot->n_votes; j++)
				if (slot->votes[j].ballot == message->ballot)
					break;
			if (j < slot->n_votes &&
			    slot->votes[j].voters & member_bit(member))
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
		broken(sim, LAW_OUTCOME, "member %u says %u/%llu/%llu is chosen in slot %llu, it is not",
		       member->id, message->to, U(message->done.incarnation),
		       U(message->done.seq), U(message->done.slot));
}

static void said_read_reply(struct member *member,
			    const struct paxos_message *message)
{
	if (member->voter && message->read.slot < member->held_last)
		broken(member->sim, LAW_READ,
		       "member %u answers a read with slot %llu, it accepted %llu",
		       member->id, U(message->read.slot), U(member->held_last));
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
