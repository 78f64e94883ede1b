// SPDX-License-Identifier: GPL-2.0
#include <math.h>
#include <string.h>
#include "detector.h"

#define RAISE		1.5	/* of the threshold, at a mistake */
#define MARGIN		1.25	/* above what would just have been enough */
#define DEVIATIONS_MAX	1000	/* phi of 217,000 */

/* -log10 of the upper tail of the normal distribution. */
static double tail(double deviations)
{
	const double x = deviations / M_SQRT2;

	if (x < 5)
		return -log10(0.5 * erfc(x));
	/* erfc() would vanish: its asymptotic series, the first term. */
	return x * x / M_LN10 + log10(2 * x * sqrt(M_PI));
}

/* Its inverse. */
static double deviations(double phi)
{
	double low = -8, high = DEVIATIONS_MAX, middle;
	unsigned int i;

	for (i = 0; i < 48; i++) {
		middle = (low + high) / 2;
		if (tail(middle) < phi)
			low = middle;
		else
			high = middle;
	}
	return high;
}

static double phi_of(const struct detector_peer *peer, double silence)
{
	return tail(fmin((silence - peer->mean) / peer->deviation,
			 DEVIATIONS_MAX));
}

static void set_timeout(const struct detector_settings *settings,
			struct detector_peer *peer)
{
	double timeout = peer->mean +
			 deviations(peer->threshold) * peer->deviation;

	timeout = fmax(timeout, settings->timeout_min);
	peer->timeout = fmin(timeout, settings->timeout_max);
}

/*
 * The deviation has a floor: a network that delivered the last thousand
 * heartbeats to the microsecond will not do so for ever.
 */
static void measure(const struct detector_settings *settings,
		    struct detector_peer *peer)
{
	const double n = peer->n;
	const unsigned __int128 sum = peer->sum;

	peer->mean = peer->sum / n;
	peer->deviation = fmax(sqrt(peer->n * peer->squares - sum * sum) / n,
			       settings->interval / 4.0);
}

static void add_gap(struct detector_peer *peer, uint64_t gap)
{
	const uint64_t old = peer->gaps[peer->next];

	if (peer->n < DETECTOR_WINDOW) {
		peer->n++;
	} else {
		peer->sum -= old;
		peer->squares -= (unsigned __int128)old * old;
	}
	peer->sum += gap;
	peer->squares += (unsigned __int128)gap * gap;
	peer->gaps[peer->next] = gap;
	peer->next = (peer->next + 1) % DETECTOR_WINDOW;
}

void detector_init(struct detector *detector,
		   const struct detector_settings *settings, uint64_t now)
{
	uint8_t id;

	memset(detector, 0, sizeof(*detector));
	detector->settings = *settings;
	for (id = 0; id <= PAXOS_NL_MEMBERS_MAX; id++)
		detector_admit(detector, id, now);
}

void detector_admit(struct detector *detector, uint8_t member, uint64_t now)
{
	const struct detector_settings *settings = &detector->settings;

	detector->peers[member] = (struct detector_peer) {
		.since = now,
		.threshold = settings->threshold,
		.mean = settings->interval,
		.deviation = settings->interval / 4.0,
		.timeout = settings->timeout_max,
	};
}

void detector_configure(struct detector *detector,
			const struct detector_settings *settings)
{
	const struct detector_settings was = detector->settings;
	uint8_t id;

	detector->settings = *settings;
	for (id = 0; id <= PAXOS_NL_MEMBERS_MAX; id++) {
		struct detector_peer *peer = &detector->peers[id];

		if (settings->threshold != was.threshold ||
		    settings->adaptive != was.adaptive)
			peer->threshold = settings->threshold;
		if (peer->n) {
			measure(settings, peer);
		} else {
			peer->mean = settings->interval;
			peer->deviation = settings->interval / 4.0;
		}
		if (peer->arrivals)
			set_timeout(settings, peer);
		else
			peer->timeout = settings->timeout_max;
	}
}

/* Half an interval is late; less is no more than jitter. */
void detector_awake(struct detector *detector, uint64_t due, uint64_t now)
{
	const uint32_t interval = detector->settings.interval;
	uint64_t late, health;
	uint8_t id;

	if (now < due)
		return;
	late = now - due;
	detector->late = late < UINT32_MAX ? late : UINT32_MAX;
	if (late <= interval / 2) {
		if (detector->health)
			detector->health--;
		return;
	}
	health = detector->health + 1 + late / interval;
	detector->health = health < DETECTOR_HEALTH_MAX ? health :
							  DETECTOR_HEALTH_MAX;
	for (id = 1; id <= PAXOS_NL_MEMBERS_MAX; id++) {
		struct detector_peer *peer = &detector->peers[id];

		peer->since = peer->since < due ? peer->since + late : now;
	}
}

/* The longest gap of late, which the time-out should have been just above. */
static uint32_t longest(const struct detector_peer *peer)
{
	uint32_t gap = 0, i;

	for (i = 0; i < peer->n; i++)
		if (peer->gaps[i] > gap)
			gap = peer->gaps[i];
	return gap;
}

static void learn_failure(const struct detector *detector,
			  struct detector_peer *peer)
{
	double enough;

	peer->failures++;
	if (!detector->settings.adaptive || !peer->n)
		return;
	enough = fmax(phi_of(peer, longest(peer)) * MARGIN,
		      detector->settings.threshold);
	if (peer->threshold <= enough)
		return;
	peer->late++;
	peer->threshold = (peer->threshold + enough) / 2;
}

static void learn_mistake(const struct detector *detector,
			  struct detector_peer *peer, uint64_t silence)
{
	peer->mistakes++;
	if (!detector->settings.adaptive)
		return;
	peer->threshold = fmax(peer->threshold * RAISE,
			       phi_of(peer, silence) * MARGIN);
	peer->threshold = fmin(peer->threshold, DETECTOR_THRESHOLD_MAX);
}

/* Where the bound holds the time-out up, sinking would only be forgetting. */
static void learn_time(const struct detector *detector,
		       struct detector_peer *peer, uint64_t time)
{
	if (!detector->settings.adaptive ||
	    peer->timeout <= detector->settings.timeout_min)
		return;
	peer->threshold *= exp(-log(RAISE) * time / DETECTOR_RECUR_US);
	peer->threshold = fmax(peer->threshold, DETECTOR_THRESHOLD_MIN);
}

void detector_heard(struct detector *detector, uint8_t member, uint64_t life,
		    uint64_t now)
{
	const struct detector_settings *settings = &detector->settings;
	struct detector_peer *peer = &detector->peers[member];
	const uint64_t silence = now - peer->since;
	const bool suspected = detector_suspects(detector, member, now);
	const bool known = peer->life == life;

	if (silence > settings->timeout_max || !known) {
		if (suspected && peer->life)
			learn_failure(detector, peer);
	} else {
		if (suspected)
			learn_mistake(detector, peer, silence);
		else
			learn_time(detector, peer, silence);
		/* What this agent did not hear in time says nothing. */
		if (peer->since == peer->heard)
			add_gap(peer, silence);
	}
	if (peer->n)
		measure(settings, peer);
	peer->life = life;
	peer->heard = now;
	peer->since = now;
	peer->arrivals++;
	set_timeout(settings, peer);
}

uint64_t detector_timeout(const struct detector *detector, uint8_t member)
{
	const struct detector_settings *settings = &detector->settings;
	const uint64_t timeout = detector->peers[member].timeout +
			(uint64_t)detector->health * settings->interval;

	return timeout < settings->timeout_max ? timeout :
						 settings->timeout_max;
}

uint64_t detector_deadline(const struct detector *detector, uint8_t member)
{
	return detector->peers[member].since +
	       detector_timeout(detector, member);
}

bool detector_suspects(const struct detector *detector, uint8_t member,
		       uint64_t now)
{
	return now >= detector_deadline(detector, member);
}

double detector_phi(const struct detector *detector, uint8_t member,
		    uint64_t now)
{
	const struct detector_peer *peer = &detector->peers[member];

	return phi_of(peer, now > peer->since ? now - peer->since : 0);
}
