// SPDX-License-Identifier: GPL-2.0
#include "internal.h"

#define RTT_SANE_US	60000000U	/* an older stamp is a replay */

/* RFC 6298, 2.2 and 2.3: Jacobson's estimator in integers. */
static void rtt_sample(struct paxos_rtt *rtt, u32 sample)
{
	u32 error;

	sample = max(sample, 1U);
	if (!rtt->smoothed) {
		rtt->smoothed = sample;
		rtt->variation = sample / 2;
		return;
	}
	error = sample > rtt->smoothed ? sample - rtt->smoothed :
					 rtt->smoothed - sample;
	rtt->variation = rtt->variation - rtt->variation / 4 + error / 4;
	rtt->smoothed = max(rtt->smoothed - rtt->smoothed / 8 + sample / 8, 1U);
}

/* How long to wait for an answer, in microseconds, doubled a retry. */
u64 paxos_peer_timeout(const struct paxos_peer *peer)
{
	const struct paxos_rtt *rtt = &peer->response;
	u64 timeout = PAXOS_RTO_INITIAL_US;

	if (rtt->smoothed)
		timeout = max_t(u64, rtt->smoothed + 4ULL * rtt->variation,
				PAXOS_RTO_MIN_US);
	return min_t(u64, timeout << min_t(u8, peer->retries, 8),
		     PAXOS_RTO_MAX_US);
}

/* @message answers something that carried its stamp. */
void paxos_peer_answered(struct paxos_core *core,
			 const struct paxos_message *message,
			 struct paxos_rtt *rtt)
{
	u32 sample = (u32)core->now - message->stamp;

	if (message->stamp && sample < RTT_SANE_US)
		rtt_sample(rtt, sample);
}
