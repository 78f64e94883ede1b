// SPDX-License-Identifier: GPL-2.0
/*
 * One core, a hostile world: any decodable messages of members 2 and 3, in any
 * epoch, with configurations in them, what their agents bring of logs and
 * snapshots, ticks, proposals, reads, a disk that is slow, crashes, and no
 * memory at times. Nobody lies with a key in hand in real life; it must not
 * crash all the same, and must keep its own promises. The harness checks that
 * after every step. FUZZ_TRACE=1 in the environment tells what happened.
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

/* Some values are configurations, which name both liars: often the next one. */
static void configs(struct input *in, struct made *made, u32 epoch)
{
	static u8 bytes[PAXOS_ITEMS_MAX][PAXOS_CONFIG_SIZE(4)];
	struct paxos_message *m = &made->message;
	u32 i;

	if (m->type != PAXOS_PROMISE && m->type != PAXOS_ACCEPT &&
	    m->type != PAXOS_CHOSEN && m->type != PAXOS_FORWARD)
		return;
	for (i = 0; i < m->count; i++) {
		struct paxos_item *item = &made->items[i];
		struct paxos_member members[4] = { 0 };
		u8 how = input_u8(in), voters = input_u8(in) & 15;
		struct paxos_config config;
		u32 n = 0;
		u8 id;

		if (how & 1 || item->kind == PAXOS_NOOP ||
		    paxos_config_init(&config, epoch + (how & 6 ? 1 : how >> 6),
				      voters, (how >> 4 | 6) & ~voters, 0, 0))
			continue;
		for (id = 1; id <= 4; id++)
			if (paxos_config_has(&config, id))
				members[n++].id = id;
		item->kind = PAXOS_CONFIG;
		item->bytes = bytes[i];
		item->len = paxos_wire_config_encode(&config, members,
						     bytes[i]);
	}
}

static void receive(struct cluster *c, struct input *in)
{
	struct paxos_core *core = core_of(c, 1);
	u8 how = input_u8(in);
	static struct made made;
	struct paxos_message message;
	size_t len;
	u8 *bytes;

	message_from(in, &made, c->hosts[1]->delivered + 1);
	if (how % 8 == 0)
		configs(in, &made, core->config.epoch);
	made.message.epoch = how % 16 == 15 ? how >> 4 : core->config.epoch;
	/* what an agent read in a log comes one by one */
	if (made.message.type == PAXOS_CHOSEN && how & 64) {
		made.items[0].slot = core->commit + (how & 1 ? 1 : how >> 5);
		if (made.message.count)
			learn(c, 1, &made.items[0]);
		return;
	}
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

	for (slot = 1; slot <= SLOTS_MAX; slot++) {
		free(c->chosen[slot].bytes);
		c->chosen[slot] = (struct chosen){ 0 };
	}
	c->n_changes = 0;
}

/*
 * An agent brings a snapshot, with a checkpoint that is its own word against
 * nobody's: of slots near and far.
 */
static void snapshot(struct cluster *c, struct input *in)
{
	struct host *h = c->hosts[1];
	u8 bytes[PAXOS_CHECKPOINT_MAX];
	const u32 len = paxos_core_checkpoint(&h->core, bytes);
	const u32 config = sizeof(struct paxos_wire_checkpoint) +
			   h->core.config_len;
	u8 how = input_u8(in), changes = input_u8(in) % 4;
	u64 slot = h->delivered + how % 16;

	if (how >= 240)
		slot = ~0ULL - how % 4;
	else if (how >= 224)
		slot = input_u64(in);
	/* its configuration aside: of one epoch the harness knows but one */
	while (changes-- && len > config)
		bytes[config + input_u16(in) % (len - config)] ^= input_u8(in);
	bytes[input_u8(in) % 8] ^= input_u8(in);	/* the checksum */
	forget(c);
	if (input_u8(in) & 1)
		begin(c, 1, slot, bytes, len);
	else
		leap(c, 1, slot, bytes, len);
}

/* What would count on from there, where the harness counts no more. */
static void beyond(struct cluster *c, struct input *in)
{
	struct host *h = c->hosts[1];

	say_commit(c, 2, 1, paxos_ballot_above(h->promised, 2),
		   h->delivered + input_u16(in));
	campaign(c, 1);
	host_crash(c, 1);
	forget(c);
	h->fail_allocs = 0;
	host_restart(c, 1);
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
			forget(c);
			host_crash(c, 1);
			h->fail_allocs = 0;
			host_restart(c, 1);
		}
		break;
	case 13:
		h->pass_allocs = input_u8(in) % 8;
		h->fail_allocs = cookie >> 5;
		break;
	case 14:
		if (cookie & 32)
			snapshot(c, in);
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
	while (in.at < in.end && c->hosts[1]->delivered < SLOTS_MAX - 100 &&
	       c->n_changes < CHANGES_MAX - 2)
		step(c, &in);
	if (c->hosts[1]->delivered > SLOTS_MAX)
		beyond(c, &in);
	forget(c);
	cluster_free(c);
	return 0;
}
