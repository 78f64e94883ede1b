// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include "lead.h"

#define NEVER			UINT64_MAX
#define PENALTY_STEP		16	/* of priority, for each */
#define PENALTY_FADES		(10 * SECOND)

/* How long a round of questions may take. */
static uint64_t ask_timeout(const struct election *election)
{
	return most(intervals(election, 4), 100 * MS);
}

/* How long phase 1 may take, disks included; who may pass has so long. */
static uint64_t campaign_timeout(const struct election *election)
{
	return most(intervals(election, 5), 300 * MS);
}

/* So long a leader's kernel may do without its agent, with Durability sync. */
static uint64_t agent_grace(const struct election *election)
{
	return most(intervals(election, 30), SECOND);
}

/* Askers that lose the leader at the same time should not collide. */
static uint64_t slice(const struct election *election)
{
	const uint64_t quarter = election->settings.interval / 4;

	return quarter < 50 * MS ? quarter : 50 * MS;
}

void election_init(struct election *election,
		   const struct election_settings *settings, uint64_t round,
		   uint64_t now)
{
	memset(election, 0, sizeof(*election));
	election->settings = *settings;
	election->round = round;
	election->stepped = now;
	election->blind_until = now + settings->silence;
}

void election_configure(struct election *election,
			const struct election_settings *settings)
{
	election->settings = *settings;
}

void election_kernel(struct election *election,
		     const struct election_kernel *kernel)
{
	election->kernel = *kernel;
}

void election_suspect(struct election *election, uint64_t agents,
		      uint64_t hosts)
{
	election->silent_agents = agents;
	election->silent_hosts = hosts;
}

void election_leave(struct election *election, uint64_t now)
{
	if (election->leaving)
		return;
	election->leaving = true;
	election->leaving_at = now;
}

static bool votes(const struct election *election, uint8_t id)
{
	return election->kernel.voters & bit(id);
}

/* Could this member lead? */
static bool is_able(const struct election *election)
{
	const struct election_kernel *kernel = &election->kernel;

	if (!election->settings.enabled || !election->settings.priority ||
	    election->leaving || kernel->state != PAXOS_NL_STATE_RUNNING ||
	    !votes(election, election->settings.self))
		return false;
	switch (kernel->wait) {
	case PAXOS_NL_WAIT_AGENT:
	case PAXOS_NL_WAIT_START:
	case PAXOS_NL_WAIT_DISK:
	case PAXOS_NL_WAIT_BEHIND:
		return false;
	}
	return true;
}

/* Can it promise anything? Else its grant is worth nothing. */
static bool can_promise(const struct election *election)
{
	const struct election_kernel *kernel = &election->kernel;

	return kernel->state == PAXOS_NL_STATE_RUNNING &&
	       kernel->wait != PAXOS_NL_WAIT_AGENT &&
	       kernel->wait != PAXOS_NL_WAIT_DISK &&
	       votes(election, election->settings.self);
}

uint64_t election_hears(const struct election *election)
{
	uint64_t set = bit(election->settings.self);
	uint8_t id;

	for (id = 1; id <= PAXOS_NL_MEMBERS_MAX; id++)
		if (election->peers[id].heard)
			set |= bit(id);
	return set & ~election->silent_agents & election->kernel.voters;
}

static uint8_t own_priority(const struct election *election)
{
	const unsigned int less = election->penalty * PENALTY_STEP;
	const uint8_t priority = election->settings.priority;

	return !priority ? 0 : less < priority ? priority - less : 1;
}

bool election_prefers(const struct election_word *a, uint8_t a_id,
		      const struct election_word *b, uint8_t b_id)
{
	if (a->priority != b->priority)
		return a->priority > b->priority;
	if (a->commit != b->commit)
		return a->commit > b->commit;
	return a_id < b_id;
}

static struct election_word own_word(const struct election *election)
{
	return (struct election_word) {
		.priority = own_priority(election),
		.commit = election->kernel.commit,
	};
}

/* How many others that could lead are preferred to this member. */
static unsigned int rank(const struct election *election)
{
	const struct election_word own = own_word(election);
	const uint64_t heard = election_hears(election);
	unsigned int n = 0;
	uint8_t id;

	for (id = 1; id <= PAXOS_NL_MEMBERS_MAX; id++) {
		const struct election_word *word = &election->peers[id].word;

		if (id != election->settings.self && heard & bit(id) &&
		    word->flags & ELECTION_ABLE &&
		    election_prefers(word, id, &own, election->settings.self))
			n++;
	}
	return n;
}

/* The leader @id that the kernel follows: can it commit, as far as is known? */
static bool is_fine(const struct election *election, uint8_t id, uint64_t now)
{
	const struct election_peer *peer = &election->peers[id];

	if (election->silent_hosts & bit(id))
		return false;
	if (election->silent_agents & bit(id))
		/* Its kernel goes on; but with sync nothing of its own is
		 * written.
		 */
		return !election->settings.sync ||
		       now < most(peer->heard, election->blind_until) +
			     agent_grace(election);
	return !(peer->word.flags & (ELECTION_STUCK | ELECTION_RESIGNED)) ||
	       peer->word.ballot < election->kernel.ballot;
}

/* The leader that is heard and can commit, or 0. */
static uint8_t hears_leader(const struct election *election, uint64_t now)
{
	const struct election_kernel *kernel = &election->kernel;
	uint64_t heard;
	uint8_t id;

	if (kernel->state != PAXOS_NL_STATE_RUNNING)
		return 0;
	if (leads(election))
		return lacks_quorum(election) ? 0 : election->settings.self;
	if (kernel->leader && kernel->leader != election->settings.self &&
	    is_fine(election, kernel->leader, now))
		return kernel->leader;
	/* One that the kernel does not follow yet, or is kept from hearing. */
	heard = election_hears(election);
	for (id = 1; id <= PAXOS_NL_MEMBERS_MAX; id++)
		if (id != election->settings.self && heard & bit(id) &&
		    election->peers[id].word.flags & ELECTION_LEADS &&
		    election->peers[id].word.ballot >= kernel->ballot)
			return id;
	return 0;
}

static uint64_t stand_delay(const struct election *election, uint64_t random)
{
	return rank(election) * slice(election) +
	       random % (slice(election) + 1);
}

/* After a round that came to nothing. */
static uint64_t back_off(const struct election *election, uint64_t random)
{
	const unsigned int failures = election->failures < 5 ?
				      election->failures : 5;
	const uint64_t half = election->settings.interval / 2;

	return half + random % ((half << failures) + 1);
}

void election_hear(struct election *election, uint8_t from,
		   const struct election_word *word, uint64_t now)
{
	struct election_peer *peer = &election->peers[from];
	const bool lost_too = peer->word.leader && !word->leader;

	peer->word = *word;
	peer->heard = now;
	switch (word->kind) {
	case ELECTION_ASK:
		peer->round = word->round;
		peer->asked = now;
		peer->due = true;
		break;
	case ELECTION_GRANT:
		if (!election->asked || word->round != election->round)
			break;
		election->grants |= bit(from);
		election->refusals &= ~bit(from);
		break;
	case ELECTION_REFUSE:
		if (!election->asked || word->round != election->round)
			break;
		election->refusals |= bit(from);
		election->grants &= ~bit(from);
		break;
	}
	/* There is news: no reason to wait for long any more. */
	if (lost_too && election->lost && !election->asked)
		election->stand = election->stand < now + slice(election) ?
				  election->stand : now + slice(election);
}

/*
 * Somebody's phase 1 is under way: this member has just promised. It may be its
 * own, that the former leader has told its kernel to begin.
 */
static uint8_t candidate(const struct election *election, uint64_t now)
{
	const struct election_kernel *kernel = &election->kernel;

	if (kernel->promised <= kernel->ballot &&
	    kernel->phase != PAXOS_NL_PHASE_CANDIDATE)
		return 0;
	if (!election->promised_at ||
	    now - election->promised_at >= campaign_timeout(election))
		return 0;
	return kernel->promised & 0xff;
}

/* Is it somebody else's turn, not @id's? */
static bool is_held(const struct election *election, uint8_t id, uint64_t now)
{
	const uint8_t running = candidate(election, now);

	if (running && running != id)
		return true;
	return election->held_for && election->held_for != id &&
	       now < election->held_until;
}

/* Would this member have @id campaign? */
static bool lets_pass(const struct election *election, uint8_t id,
		      uint64_t now)
{
	const struct election_word *word = &election->peers[id].word;
	const uint8_t self = election->settings.self;
	const struct election_word own = own_word(election);

	if (election->leader || now < election->blind_until ||
	    !can_promise(election) || !votes(election, id))
		return false;
	/* It would not hear the answer, or end up behind. */
	if (!(word->hears & bit(self)) ||
	    word->commit + 1 < election->kernel.first)
		return false;
	if (!is_held(election, id, now))
		return true;
	if (election->campaigned || candidate(election, now))
		return false;
	/* Two asked at the same time: all take the same one of them. */
	return election_prefers(word, id, election->held_for == self ? &own :
				&election->peers[election->held_for].word,
				election->held_for);
}

static void grant(struct election *election, uint8_t id, uint64_t now,
		  struct election_out *out)
{
	out->grant |= bit(id);
	out->refuse &= ~bit(id);
	election->peers[id].asked = 0;
	election->held_for = id;
	election->held_until = now + campaign_timeout(election);
	election->asked = 0;
	election->stand = most(election->stand, election->held_until);
}

/* Answer those who asked; whom it cannot let pass yet is kept in mind. */
static void answer(struct election *election, uint64_t now,
		   struct election_out *out)
{
	uint8_t id, best = 0;

	for (id = 1; id <= PAXOS_NL_MEMBERS_MAX; id++) {
		struct election_peer *peer = &election->peers[id];

		if (peer->asked && now - peer->asked >= ask_timeout(election))
			peer->asked = 0;
		if (peer->due)
			out->refuse |= bit(id);
		peer->due = false;
		if (peer->asked && lets_pass(election, id, now) &&
		    (!best ||
		     election_prefers(&peer->word, id,
				      &election->peers[best].word, best)))
			best = id;
	}
	if (best)
		grant(election, best, now, out);
}

static void forget_lost(struct election *election)
{
	election->lost = 0;
	election->stand = 0;
	election->asked = 0;
	election->failures = 0;
	election->held_for = 0;
}

/* Is there a leader, and since when not? */
static void look(struct election *election, uint64_t now, uint64_t random,
		 struct election_out *out)
{
	const uint8_t leader = hears_leader(election, now);

	out->tell = leader != election->leader;
	election->leader = leader;
	if (leader || now < election->blind_until) {
		forget_lost(election);
	} else if (!election->lost) {
		election->lost = now;
		election->stand = now + stand_delay(election, random);
	}
}

static void watch_promise(struct election *election, uint64_t now)
{
	if (election->kernel.promised == election->promised)
		return;
	/* What it promised before this agent came is of no interest. */
	if (election->promised)
		election->promised_at = now;
	election->promised = election->kernel.promised;
}

/* Ask, count the answers, campaign. */
static void stand(struct election *election, uint64_t now, uint64_t random,
		  struct election_out *out)
{
	const uint8_t self = election->settings.self;
	const uint8_t q1 = election->kernel.q1;
	const uint64_t voters = election->kernel.voters;

	if (election->campaigned) {
		if (now - election->campaigned < campaign_timeout(election))
			return;
		election->campaigned = 0;
		if (!election->lost)
			return;
		election->failures++;
		lead_blame(election, now);
		election->stand = now + back_off(election, random);
	}
	if (!election->lost || leads(election) || !is_able(election) ||
	    candidate(election, now) == self)
		return;
	if (election->asked &&
	    now - election->asked >= ask_timeout(election)) {
		election->asked = 0;
		election->held_for = 0;
		election->failures++;
		election->stand = now + back_off(election, random);
	}
	if (!election->asked) {
		if (now < election->stand || is_held(election, self, now) ||
		    __builtin_popcountll(election_hears(election)) < q1)
			return;
		election->round++;
		election->asked = now;
		election->asked_again = now;
		election->grants = bit(self);
		election->refusals = 0;
		election->held_for = self;
		election->held_until = now + ask_timeout(election);
		out->ask = voters & ~bit(self);
	} else if (now - election->asked_again >=
		   election->settings.interval) {
		election->asked_again = now;
		out->ask = voters & ~election->grants;
	}
	if (__builtin_popcountll(election->grants & voters) >= q1) {
		election->asked = 0;
		election->campaigned = now;
		election->held_until = now + campaign_timeout(election);
		out->ask = 0;
		out->campaign = true;
	}
}

static void wake(struct election_out *out, uint64_t since, uint64_t after)
{
	if (since && since + after < out->wake)
		out->wake = since + after;
}

/* An agent that slept knows nothing: it listens for a while. */
static void notice_sleep(struct election *election, uint64_t now)
{
	const uint64_t slept = now - election->stepped;

	election->stepped = now;
	if (slept < election->settings.silence)
		return;
	election->blind_until = now + election->settings.silence;
	if (election->led && slept >= stall_limit(election))
		lead_blame(election, now);
}

void election_step(struct election *election, uint64_t now, uint64_t random,
		   struct election_out *out)
{
	memset(out, 0, sizeof(*out));
	out->wake = NEVER;
	notice_sleep(election, now);
	if (election->penalty && now - election->penalty_at >= PENALTY_FADES) {
		election->penalty--;
		election->penalty_at = now;
	}
	watch_promise(election, now);
	lead_watch(election, now);
	look(election, now, random, out);
	answer(election, now, out);
	stand(election, now, random >> 32, out);
	lead_step(election, now, out);
	out->left = lead_has_left(election, now);

	wake(out, election->campaigned, campaign_timeout(election));
	if (now < election->blind_until)
		wake(out, election->blind_until, 0);
	if (!election->lost || !is_able(election) || election->campaigned ||
	    __builtin_popcountll(election_hears(election)) <
		    election->kernel.q1)
		return;
	wake(out, election->asked, ask_timeout(election));
	if (election->asked)
		wake(out, election->asked_again, election->settings.interval);
	else
		wake(out, is_held(election, election->settings.self, now) ?
			  most(election->held_until, election->stand) :
			  election->stand, 0);
	/* Nothing to do yet is nothing to be woken for at once, again. */
	if (out->wake <= now)
		out->wake = now + slice(election);
}

void election_word(const struct election *election, uint8_t to, uint8_t kind,
		   struct election_word *word)
{
	const struct election_kernel *kernel = &election->kernel;
	const uint8_t self = election->settings.self;

	*word = own_word(election);
	word->kind = kind;
	word->leader = election->leader;
	word->ballot = kernel->ballot;
	word->hears = election_hears(election);
	word->round = kind == ELECTION_ASK ? election->round :
		      kind == ELECTION_BEAT ? 0 : election->peers[to].round;
	if (leads(election))
		word->flags |= lacks_quorum(election) ? ELECTION_STUCK :
							ELECTION_LEADS;
	else if (kernel->phase == PAXOS_NL_PHASE_FOLLOWER &&
		 (kernel->ballot & 0xff) == self &&
		 kernel->promised <= kernel->ballot)
		word->flags |= ELECTION_RESIGNED;
	if (is_able(election))
		word->flags |= ELECTION_ABLE;
}
