// SPDX-License-Identifier: GPL-2.0
#include "internal.h"
#include "wire.h"

/*
 * The end of a lead before somebody has a higher ballot. Nothing of this is
 * needed for safety: whoever leads next runs phase 1 like everybody.
 *
 * To hand over, a leader proposes nothing new until the other member knows all
 * that is chosen; then it asks it, with Yield, to campaign at once. It goes on
 * as the leader until that campaign has reached it, so that nothing is lost if
 * it never comes.
 */

int paxos_core_resign(struct paxos_core *core, u64 now)
{
	if (core->state != PAXOS_RUNNING)
		return -EUNATCH;
	if (core->role == PAXOS_FOLLOWER)
		return -EALREADY;
	core->now = max(core->now, now);
	paxos_step_down(core);
	paxos_call_end(core);
	return 0;
}

int paxos_core_transfer(struct paxos_core *core, u8 to, u64 deadline, u64 now)
{
	if (core->state != PAXOS_RUNNING)
		return -EUNATCH;
	if (core->role != PAXOS_LEADER)
		return -ENOLINK;
	if (to == core->settings.self)
		return -EALREADY;
	if (!to || to > PAXOS_MEMBERS_MAX ||
	    !paxos_config_votes(&core->config, to))
		return -EINVAL;
	core->now = max(core->now, now);
	core->yield_to = to;
	core->yield_deadline = deadline;
	core->yield_retry = core->now;
	/* A Commit tells it what is chosen, and its answer tells what it has. */
	core->peers[to].told = 0;
	core->flush = core->now;
	paxos_wake(core, core->now);
	return 0;
}

/* Does @core->yield_to know all that this leader has proposed? */
static bool is_even(const struct paxos_core *core)
{
	return core->commit + 1 == core->next_slot &&
	       core->peers[core->yield_to].commit >= core->commit;
}

void paxos_yield_tick(struct paxos_core *core)
{
	struct paxos_peer *peer = &core->peers[core->yield_to];
	struct paxos_message message = { .count = 0 };

	if (!core->yield_to)
		return;
	if (core->yield_deadline <= core->now) {
		/* It did not come to it: lead on. */
		core->yield_to = 0;
		return;
	}
	if (core->yield_retry <= core->now) {
		paxos_message_send(core, core->yield_to,
				   is_even(core) ? PAXOS_YIELD : PAXOS_COMMIT,
				   core->ballot, &message);
		core->yield_retry = core->now + paxos_peer_timeout(peer);
	}
	paxos_wake(core, core->yield_retry);
	paxos_wake(core, core->yield_deadline);
}

/* @from has said what it knows: was that what was waited for? */
void paxos_yield_answered(struct paxos_core *core, u8 from)
{
	if (core->yield_to != from || !is_even(core))
		return;
	core->yield_retry = core->now;
	paxos_yield_tick(core);
}

/* The leader that this member follows asks it to take over. */
enum paxos_drop paxos_yield_receive(struct paxos_core *core,
				    const struct paxos_message *message)
{
	if (core->role != PAXOS_FOLLOWER ||
	    core->leader != message->from || core->ballot != message->ballot ||
	    core->promised > core->ballot)
		return PAXOS_DROP_STALE;
	return paxos_core_campaign(core, core->now) ? PAXOS_DROP_SENDER :
						      PAXOS_DROP_NONE;
}
