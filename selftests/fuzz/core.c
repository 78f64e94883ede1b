// SPDX-License-Identifier: GPL-2.0
/*
 * One core, a hostile world: any decodable messages of members 2 and 3, ticks,
 * proposals, reads, a disk that is slow, crashes, and no memory at times.
 * Nobody lies with a key in hand in real life; it must not crash all the same,
 * and must keep its own promises. The harness checks that after every step.
 * FUZZ_TRACE=1 in the environment tells what happened.
 */
#include <stdlib.h>
#include "../core/harness.h"
#include "fuzz.h"

void broken(const char *what)
{
	fflush(stdout);
	fprintf(stderr, "core: %s\n", what);
	abort();
}

static char cookies[256][2];

static void receive(struct cluster *c, struct input *in)
{
	static struct made made;
	struct paxos_message message;
	size_t len;
	u8 *bytes;

	message_from(in, &made, c->hosts[1]->delivered + 1);
	len = paxos_wire_size(&made.message);
	bytes = malloc(len);
	paxos_wire_encode(&made.message, GROUP, bytes);
	if (!paxos_wire_decode(bytes, len, &message))
		inject(c, &made.message);
	free(bytes);
}

/* What was chosen in a life that lost it may be chosen otherwise by liars. */
static void forget(struct cluster *c)
{
	u64 slot;

	for (slot = 1; slot <= SLOTS_MAX && c->chosen[slot].known; slot++) {
		free(c->chosen[slot].bytes);
		c->chosen[slot] = (struct chosen){ 0 };
	}
}

static void step(struct cluster *c, struct input *in)
{
	struct host *h = c->hosts[1];
	u8 cookie = input_u8(in);
	u8 text[64] = "text";
	bool sent;

	switch (cookie % 32) {
	case 0:
		campaign(c, 1);
		break;
	case 1:
	case 2:
	case 3:
		propose_until(c, 1, text, cookie % 64, c->now +
			      input_u16(in) * MS, cookies[cookie]);
		break;
	case 4:
		read_until(c, 1, c->now + input_u16(in) * MS,
			   cookies[cookie]);
		break;
	case 5:
		paxos_core_cancel(&h->core, cookies[cookie], &sent);
		break;
	case 6:
	case 7:
		advance(c, input_u16(in) * 10);
		break;
	case 8:
		advance(c, (u64)input_u16(in) * MS / 16);
		break;
	case 9:
		disk_slow(c, 1, cookie & 32);
		break;
	case 10:
		disk_write(c, 1);
		break;
	case 11:
		disk_sync(c, 1);
		break;
	case 12:
		if (cookie & 64) {
			host_crash(c, 1);
			forget(c);
			h->fail_allocs = 0;
			host_restart(c, 1);
		}
		break;
	case 13:
		h->pass_allocs = input_u8(in) % 8;
		h->fail_allocs = cookie >> 5;
		break;
	default:
		receive(c, in);
	}
	drop(c, ANY, ANY, ANY);
	/* Each proposal ends once: pending ones and ended ones add up. */
	cluster_check(c);
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
	struct input in = { bytes, bytes + size };
	struct cluster *c = cluster_make(3);
	u8 how = input_u8(&in);

	c->wiped = true;	/* the others' votes are on no disk */
	c->trace = getenv("FUZZ_TRACE") ? stdout : NULL;
	if (how & 1)
		c->settings.bytes = 4096;
	if (how & 2)
		c->settings.payload = 300;
	if (how & 4)
		paxos_config_init(&c->config, 1, 3, 4, 0, 0);
	if (how & 8)
		paxos_config_init(&c->config, 1, 7, 0, 1, 3);
	host_boot(c, 1);
	host_start(c, 1);
	while (in.at < in.end && c->hosts[1]->delivered < SLOTS_MAX - 100)
		step(c, &in);
	cluster_free(c);
	return 0;
}
