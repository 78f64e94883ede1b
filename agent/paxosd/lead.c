// SPDX-License-Identifier: GPL-2.0
#include "lead.h"

#define SHORT_LEAD		(5 * SECOND)
#define PENALTY_MAX		5
#define PENALTY_HANDS_OVER	3
#define TRANSFER_TIMEOUT	SECOND
#define TRANSFER_PAUSE		(10 * SECOND)

/*
 * So long another must have reached more. Of who dies one learns by and by, the
 * last one at TimeoutMax: until then that one seems to hear more.
 */
static uint64_t outreach_limit(const struct election *election)
{
	return most(election->settings.timeout_max + intervals(election, 10),
		    3 * SECOND);
}

void lead_blame(struct election *election, uint64_t now)
{
	if (election->penalty < PENALTY_MAX)
		election->penalty++;
	election->penalty_at = now;
}

void lead_watch(struct election *election, uint64_t now)
{
	if (leads(election) == !!election->led)
		return;
	if (leads(election)) {
		election->led = now;
		election->campaigned = 0;
		return;
	}
	if (!election->transferred && now - election->led < SHORT_LEAD)
		lead_blame(election, now);
	election->led = 0;
	election->no_quorum = 0;
	election->outreached = 0;
	election->transferred = 0;
}

/* Of those heard here, who hears member @id? */
static uint64_t heard_by(const struct election *election, uint8_t id)
{
	const uint8_t self = election->settings.self;
	const uint64_t own = election_hears(election);
	uint64_t set = own & bit(id) ? bit(self) : 0;
	uint8_t from;

	for (from = 1; from <= PAXOS_NL_MEMBERS_MAX; from++)
		if (from != self && own & bit(from) &&
		    election->peers[from].word.hears & bit(id))
			set |= bit(from);
	return set;
}

/* Of @set, who takes this member for the leader? */
static uint64_t served(const struct election *election, uint64_t set)
{
	const uint8_t self = election->settings.self;
	uint64_t served = 0;
	uint8_t id;

	for (id = 1; id <= PAXOS_NL_MEMBERS_MAX; id++)
		if (set & bit(id) && election->peers[id].word.leader == self)
			served |= bit(id);
	return served;
}

/*
 * Would member @id serve voters that this one cannot, and all that this one
 * does? It hears more, of whom neither agent nor kernel is heard here: as the
 * middle of a chain hears more than its ends. Or it hears the same, but by more
 * it is heard. Both are orders by inclusion, the same for all members, so a lead
 * that follows them never comes back by itself.
 */
static bool reaches_more(const struct election *election, uint8_t id)
{
	const uint64_t own = election_hears(election);
	const uint64_t other = election->peers[id].word.hears &
			       election->kernel.voters;
	uint64_t by_own, by_other;

	if (own & ~other)
		return false;
	if (own != other)
		return other & ~own & election->silent_hosts;
	by_own = heard_by(election, election->settings.self);
	by_other = heard_by(election, id);
	return !(by_own & ~by_other) &&
	       by_other & ~by_own & ~served(election, by_other);
}

/* Who would lead instead, or 0. @more: only who reaches more. */
static uint8_t successor(const struct election *election, bool more)
{
	const uint64_t limit = stall_limit(election) / MS;
	const uint64_t heard = election_hears(election);
	int hears, most_heard = 0;
	uint8_t id, best = 0;

	for (id = 1; id <= PAXOS_NL_MEMBERS_MAX; id++) {
		const struct election_word *word = &election->peers[id].word;

		if (id == election->settings.self || !(heard & bit(id)) ||
		    election->silent_hosts & bit(id) ||
		    !(word->flags & ELECTION_ABLE) ||
		    word->leader != election->settings.self ||
		    2 * word->writing >= limit ||
		    (more && !reaches_more(election, id)))
			continue;
		hears = __builtin_popcountll(word->hears &
					     election->kernel.voters);
		if (!best || hears > most_heard ||
		    (hears == most_heard &&
		     election_prefers(word, id, &election->peers[best].word,
				      best))) {
			best = id;
			most_heard = hears;
		}
	}
	return best;
}

/* Why somebody else should lead, if there is somebody. */
static bool should_hand_over(const struct election *election)
{
	return election->leaving ||
	       election->penalty >= PENALTY_HANDS_OVER ||
	       (election->settings.sync && election->kernel.stalled >=
		stall_limit(election) / MS);
}

/* Is there somebody who reaches more, and since when? */
static void watch_reach(struct election *election, uint64_t now)
{
	if (now < election->blind_until || !successor(election, true))
		election->outreached = 0;
	else if (!election->outreached)
		election->outreached = now;
}

void lead_step(struct election *election, uint64_t now,
	       struct election_out *out)
{
	if (!leads(election) || !election->settings.enabled)
		return;
	if (!lacks_quorum(election))
		election->no_quorum = 0;
	else if (!election->no_quorum)
		election->no_quorum = now;
	else if (now - election->no_quorum >= stall_limit(election))
		out->resign = true;
	watch_reach(election, now);
	if (election->transferred &&
	    now - election->transferred >= TRANSFER_TIMEOUT)
		election->transferred = 0;
	if (election->transferred || lacks_quorum(election) ||
	    (!election->leaving && now < election->transfer_next))
		return;
	if (should_hand_over(election))
		out->transfer = successor(election, false);
	else if (election->outreached &&
		 now - election->outreached >= outreach_limit(election))
		out->transfer = successor(election, true);
	if (!out->transfer)
		return;
	election->transferred = now;
	election->transfer_next = now + TRANSFER_PAUSE;
	election->handed_over = election->leaving;
}

bool lead_has_left(const struct election *election, uint64_t now)
{
	if (!election->leaving)
		return false;
	if (now - election->leaving_at >= TRANSFER_TIMEOUT)
		return true;
	if (!leads(election))
		return !election->handed_over || election->leader;
	return !election->settings.enabled || lacks_quorum(election) ||
	       !election->transferred;
}
