// SPDX-License-Identifier: GPL-2.0
#include "harness.h"

#define STEPS_MAX	1000000	/* of settle(): more is a loop */

static struct host *host_of(struct paxos_core *core)
{
	return (struct host *)core;
}

static struct host *host_up(struct cluster *c, u8 id)
{
	if (id < 1 || id > c->n || !c->hosts[id]->up)
		broken_by("member %u is not up", id);
	return c->hosts[id];
}

struct paxos_core *core_of(struct cluster *c, u8 id)
{
	return &host_up(c, id)->core;
}

/* The laws that can be seen from outside. */

/*
 * Do the disks hold an Accept quorum for @slot? Of the last configuration that
 * was chosen below, or of one before: what that had chosen stays chosen.
 */
static bool disk_quorum(struct cluster *c, u64 slot)
{
	const struct paxos_config *config = &c->config;
	u64 votes = 0;
	u32 i;
	u8 id;

	for (id = 1; id <= c->n; id++)
		if (c->hosts[id]->disk.voted[slot])
			votes |= paxos_member_bit(id);
	for (i = 0; !paxos_quorum_accept(config, votes); i++) {
		if (i == c->n_changes || c->changes[i].slot >= slot)
			return false;
		config = &c->changes[i].config;
	}
	return true;
}

/* A configuration takes effect: the same one behind the same slot anywhere. */
static void check_epoch(struct cluster *c, struct paxos_core *core, u64 slot)
{
	struct change *change;
	u32 i;

	for (i = 0; i < c->n_changes; i++) {
		change = &c->changes[i];
		if (change->config.epoch != core->config.epoch)
			continue;
		if (change->slot != slot ||
		    memcmp(&change->config, &core->config,
			   sizeof(core->config)))
			broken_by("member %u is in another epoch %u than others",
				  core->settings.self, core->config.epoch);
		return;
	}
	if (c->n_changes == CHANGES_MAX)
		broken("the harness holds no more configurations");
	change = &c->changes[c->n_changes++];
	change->slot = slot;
	memset(&change->config, 0, sizeof(change->config));
	change->config = core->config;
}

static void check_host(struct cluster *c, struct host *h)
{
	struct paxos_core *core = &h->core;
	u64 slot;

	if (core->promised < h->promised)
		broken_by("member %u forgot its promise: %s, was %s",
			  core->settings.self, ballot_text(core->promised),
			  ballot_text(h->promised));
	h->promised = core->promised;
	if (core->commit != h->delivered && core->state != PAXOS_STOPPED)
		broken_by("member %u: commit %llu, but delivered up to %llu",
			  core->settings.self, (unsigned long long)core->commit,
			  (unsigned long long)h->delivered);
	if (core->log.first > core->commit + 1)
		broken_by("member %u trimmed slots up to %llu, commit is %llu",
			  core->settings.self,
			  (unsigned long long)core->log.first - 1,
			  (unsigned long long)core->commit);
	if (core->log.last + 1 < core->log.first ||
	    core->log.last - core->log.first + 1 > core->log.size)
		broken_by("member %u: log [%llu, %llu] of %u slots",
			  core->settings.self,
			  (unsigned long long)core->log.first,
			  (unsigned long long)core->log.last, core->log.size);
	if (core->durable > core->lsn)
		broken_by("member %u: more is durable than was recorded",
			  core->settings.self);
	for (slot = core->log.first; slot <= core->log.last; slot++) {
		struct paxos_entry *entry = paxos_log_entry(&core->log, slot);

		/* P1a: to accept in a ballot is to promise it. */
		if (entry->value && !(entry->flags & PAXOS_ENTRY_CHOSEN) &&
		    entry->ballot > core->promised)
			broken_by("member %u accepted slot %llu in %s, promised %s",
				  core->settings.self, (unsigned long long)slot,
				  ballot_text(entry->ballot),
				  ballot_text(core->promised));
		if (!entry->value && slot <= core->commit)
			broken_by("member %u: nothing in the chosen slot %llu",
				  core->settings.self,
				  (unsigned long long)slot);
	}
}

void cluster_check(struct cluster *c)
{
	u8 id;

	for (id = 1; id <= c->n; id++)
		if (c->hosts[id]->up)
			check_host(c, c->hosts[id]);
}

/* Law 2: what is said is on the disk already. */
static void check_said(struct host *h, const struct paxos_message *message)
{
	struct paxos_range range;
	const u8 *at = message->body;
	u32 i, k;

	switch (message->type) {
	case PAXOS_PREPARE:
	case PAXOS_PROMISE:
		if (h->disk.promised < message->ballot)
			broken_by("law 2: member %u says %s of %s, its disk knows %s",
				  message->from, type_name(message->type),
				  ballot_text(message->ballot),
				  ballot_text(h->disk.promised));
		break;
	case PAXOS_ACCEPTED:
		for (i = 0; i < message->count; i++) {
			at = paxos_wire_range(at, &range);
			for (k = 0; k < range.count; k++) {
				u64 slot = range.first + k;
				u64 voted = slot <= SLOTS_MAX ?
					    h->disk.voted[slot] : 0;

				if (voted == message->ballot)
					continue;
				if (voted && paxos_core_chosen(&h->core, slot))
					continue;
				broken_by("law 2: member %u says Accepted %s slot %llu, its disk has %s",
					  message->from,
					  ballot_text(message->ballot),
					  (unsigned long long)slot,
					  ballot_text(voted));
			}
		}
		break;
	}
}

/* What a core asks of its surroundings. */

static struct paxos_value *op_value_alloc(struct paxos_core *core, u32 len)
{
	struct host *h = host_of(core);
	struct paxos_value *value;

	if (h->fail_allocs && h->pass_allocs) {
		h->pass_allocs--;
	} else if (h->fail_allocs) {
		h->fail_allocs--;
		return NULL;
	}
	if (h->most_values && h->values >= h->most_values)
		return NULL;
	value = malloc(sizeof(*value) + len);
	memset(value, 0xa5, sizeof(*value) + len);
	h->values++;
	return value;
}

static void op_value_free(struct paxos_core *core, struct paxos_value *value)
{
	host_of(core)->values--;
	free(value);
}

static void op_send(struct paxos_core *core,
		    const struct paxos_message *message)
{
	struct host *h = host_of(core);
	struct cluster *c = h->cluster;
	struct paxos_message again;
	struct datagram *d;
	enum paxos_drop why;

	if (message->from != core->settings.self)
		broken_by("member %u sends as %u", core->settings.self,
			  message->from);
	if (message->to == core->settings.self ||
	    (!paxos_config_has(&core->config, message->to) &&
	     message->type != PAXOS_CHOSEN && message->type != PAXOS_COMMIT))
		broken_by("member %u sends to %u", message->from, message->to);
	if (message->epoch != core->config.epoch)
		broken_by("member %u sends epoch %u", message->from,
			  message->epoch);
	if (core->state != PAXOS_RUNNING)
		broken_by("member %u is mute and says %s", message->from,
			  type_name(message->type));

	d = malloc(sizeof(*d));
	d->len = paxos_wire_size(message);
	d->bytes = malloc(d->len);
	d->type = message->type;
	d->from = message->from;
	d->to = message->to;
	memset(d->bytes, 0xa5, d->len);
	paxos_wire_encode(message, GROUP, d->bytes);
	why = paxos_wire_decode(d->bytes, d->len, &again);
	if (why)
		broken_by("member %u sends a %s that is dropped: %s",
			  message->from, type_name(message->type),
			  drop_name(why));
	if (d->len > PAXOS_DATAGRAM_MAX ||
	    (d->len > core->settings.payload && message->count > 1))
		broken_by("member %u sends %zu bytes of %s", message->from,
			  d->len, type_name(message->type));
	if (c->settings.durability == PAXOS_SYNC)
		check_said(h, &again);
	c->sent[d->type]++;
	if (c->trace) {
		fputs("  ", c->trace);
		message_print(c->trace, &again);
		fputc('\n', c->trace);
	}
	put(c, d);
}

static void op_records(struct paxos_core *core)
{
	host_of(core)->wants_write = true;
}

static void op_deliver(struct paxos_core *core, u64 slot,
		       const struct paxos_value *value)
{
	struct host *h = host_of(core);
	struct cluster *c = h->cluster;
	struct chosen *chosen;

	if (slot != h->delivered + 1)
		broken_by("member %u delivers slot %llu after %llu",
			  core->settings.self, (unsigned long long)slot,
			  (unsigned long long)h->delivered);
	if (slot > SLOTS_MAX)
		broken("the harness holds no more slots");
	h->delivered = slot;
	if (value && value->kind != PAXOS_DATA)
		broken_by("member %u delivers a no-op", core->settings.self);

	/* Law 1: at most one value is chosen for a slot. */
	chosen = &c->chosen[slot];
	if (!chosen->known) {
		chosen->known = true;
		chosen->data = value;
		if (value) {
			chosen->len = value->len;
			chosen->bytes = malloc(value->len + 1);
			memcpy(chosen->bytes, value->bytes, value->len);
			chosen->bytes[value->len] = 0;
		}
	} else if (chosen->data != (value != NULL) ||
		   (value && (chosen->len != value->len ||
			      memcmp(chosen->bytes, value->bytes,
				     value->len)))) {
		broken_by("law 1: member %u delivers another value in slot %llu",
			  core->settings.self, (unsigned long long)slot);
	}
	if (!chosen->checksum)
		chosen->checksum = paxos_core_checksum(core, slot);
	else if (chosen->checksum != paxos_core_checksum(core, slot))
		broken_by("member %u has another checksum of slot %llu",
			  core->settings.self, (unsigned long long)slot);
	if (c->settings.durability == PAXOS_SYNC && !c->wiped &&
	    !disk_quorum(c, slot))
		broken_by("law 2: member %u delivers slot %llu, on too few disks",
			  core->settings.self, (unsigned long long)slot);
	if (!c->trace)
		return;
	fprintf(c->trace, "  %u delivers %llu", core->settings.self,
		(unsigned long long)slot);
	if (value)
		fprintf(c->trace, " \"%.*s\"", (int)value->len, value->bytes);
	fputc('\n', c->trace);
}

static void end(struct paxos_core *core, void *cookie,
		enum paxos_outcome outcome, u64 slot, bool read)
{
	struct host *h = host_of(core);
	struct ended *e;

	if (h->silent)
		return;
	if (read && outcome == PAXOS_OUTCOME_UNKNOWN)
		broken("a read has no unknown outcome");
	if (!read && (outcome == PAXOS_OUTCOME_CHOSEN) != (slot != 0))
		broken_by("a proposal ends as %s in slot %llu",
			  outcome_name(outcome), (unsigned long long)slot);
	h->ended = realloc(h->ended, (h->n_ended + 1) * sizeof(*h->ended));
	e = &h->ended[h->n_ended++];
	*e = (struct ended){ cookie, outcome, slot, read };
	if (!h->cluster->trace)
		return;
	fprintf(h->cluster->trace, "  %u ends %s: %s", core->settings.self,
		(char *)cookie, outcome_name(outcome));
	if (slot)
		fprintf(h->cluster->trace, read ? " up to %llu" :
			", slot %llu", (unsigned long long)slot);
	fputc('\n', h->cluster->trace);
}

static void op_proposed(struct paxos_core *core, void *cookie,
			enum paxos_outcome outcome, u64 slot)
{
	end(core, cookie, outcome, slot, false);
}

static void op_read_done(struct paxos_core *core, void *cookie,
			 enum paxos_outcome outcome, u64 slot)
{
	if (outcome == PAXOS_OUTCOME_CHOSEN &&
	    host_of(core)->delivered < slot)
		broken("a read ends before its slot was delivered");
	end(core, cookie, outcome, slot, true);
}

static void op_event(struct paxos_core *core, enum paxos_event event,
		     u64 slot, u64 ballot)
{
	struct host *h = host_of(core);

	h->events = realloc(h->events, (h->n_events + 1) * sizeof(*h->events));
	h->events[h->n_events++] = (struct seen_event){ event, slot, ballot };
	if (event == PAXOS_EVENT_EPOCH)
		check_epoch(h->cluster, core, slot);
	if (!h->cluster->trace || h->silent)
		return;
	switch (event) {
	case PAXOS_EVENT_LEADER:
		fprintf(h->cluster->trace, "  %u: leader %s\n",
			core->settings.self, ballot_text(ballot));
		break;
	case PAXOS_EVENT_QUORUM_LOST:
	case PAXOS_EVENT_QUORUM_REGAINED:
		fprintf(h->cluster->trace, "  %u: %s\n", core->settings.self,
			event_name(event));
		break;
	case PAXOS_EVENT_BEHIND:
		fprintf(h->cluster->trace, "  %u: behind, needs slot %llu\n",
			core->settings.self, (unsigned long long)slot);
		break;
	case PAXOS_EVENT_EPOCH:
		fprintf(h->cluster->trace, "  %u: ", core->settings.self);
		config_print(h->cluster->trace, &core->config);
		fprintf(h->cluster->trace, " behind slot %llu\n",
			(unsigned long long)slot);
		break;
	default:
		break;
	}
}

static const struct paxos_ops ops = {
	.value_alloc = op_value_alloc,
	.value_free = op_value_free,
	.send = op_send,
	.records = op_records,
	.deliver = op_deliver,
	.proposed = op_proposed,
	.read_done = op_read_done,
	.event = op_event,
};

/* Disks. */

struct pull {
	struct host *host;
	u32 count;
};

static bool disk_emit(void *context, const struct paxos_record_view *record)
{
	struct pull *pull = context;
	struct disk *disk = &pull->host->disk;
	struct disk_record *r;

	if (record->lsn <= disk->written)
		broken_by("record lsn %llu after %llu",
			  (unsigned long long)record->lsn,
			  (unsigned long long)disk->written);
	disk->written = record->lsn;
	if (disk->count == disk->room) {
		disk->room = disk->room ? 2 * disk->room : 16;
		disk->records = realloc(disk->records,
					disk->room * sizeof(*disk->records));
	}
	r = &disk->records[disk->count++];
	r->view = *record;
	r->synced = false;
	r->bytes = NULL;
	if (record->type == PAXOS_RECORD_ACCEPT ||
	    record->type == PAXOS_RECORD_CONFIG ||
	    record->type == PAXOS_RECORD_TRIM) {
		if (record->item.slot != record->slot ||
		    record->item.ballot != record->ballot)
			broken("an accept record contradicts itself");
		r->bytes = malloc(record->item.len + 1);
		memcpy(r->bytes, record->item.bytes, record->item.len);
		r->view.item.bytes = r->bytes;
	}
	pull->count++;
	return true;
}

/* The agent pulls and writes; nothing is durable yet. */
u32 disk_write(struct cluster *c, u8 id)
{
	struct host *h = host_up(c, id);
	struct pull pull = { h, 0 };
	u64 last;

	h->wants_write = false;
	last = paxos_core_records(&h->core, h->disk.written, disk_emit, &pull);
	if (last != h->disk.written)
		broken("paxos_core_records() returns another lsn than it gave");
	return pull.count;
}

static void disk_learn(struct disk *disk, struct disk_record *r)
{
	r->synced = true;
	if (r->view.type != PAXOS_RECORD_COMMIT &&
	    r->view.ballot > disk->promised)
		disk->promised = r->view.ballot;
	if (r->view.type == PAXOS_RECORD_ACCEPT && r->view.slot <= SLOTS_MAX)
		disk->voted[r->view.slot] = r->view.ballot;
}

/*
 * Records of slots up to the core's commit give way to a Trim. Returns how many
 * are left, and the Trim before them.
 */
u32 disk_trim(struct cluster *c, u8 id)
{
	struct host *h = host_up(c, id);
	struct disk *disk = &h->disk;
	const u64 slot = h->core.commit;
	struct disk_record *kept = malloc((disk->count + 1) * sizeof(*kept));
	struct paxos_record_view *view = &kept[0].view;
	u32 n = 1, i;

	memset(kept, 0, sizeof(*kept));
	for (i = 0; i < disk->count; i++) {
		struct disk_record *r = &disk->records[i];

		if (r->view.type == PAXOS_RECORD_ACCEPT &&
		    r->view.slot > slot) {
			kept[n++] = *r;
			continue;
		}
		if (r->view.type != PAXOS_RECORD_COMMIT &&
		    r->view.ballot > view->ballot)
			view->ballot = r->view.ballot;
		free(r->bytes);
	}
	view->type = PAXOS_RECORD_TRIM;
	view->slot = slot;
	view->lsn = n > 1 ? kept[1].view.lsn - 1 : disk->written;
	kept[0].bytes = malloc(PAXOS_CHECKPOINT_MAX);
	kept[0].synced = true;
	view->item.len = paxos_core_checkpoint(&h->core, kept[0].bytes);
	view->item.bytes = kept[0].bytes;
	free(disk->records);
	disk->records = kept;
	disk->count = n;
	disk->room = n;
	return n;
}

/* fdatasync: what was written is durable, and the core is told. */
void disk_sync(struct cluster *c, u8 id)
{
	struct host *h = host_up(c, id);
	struct disk *disk = &h->disk;
	u32 i;

	for (i = 0; i < disk->count; i++) {
		struct disk_record *r = &disk->records[i];

		if (r->synced)
			continue;
		disk_learn(disk, r);
		if (c->trace && h->slow) {
			fprintf(c->trace, "  %u has on disk: ", id);
			record_print(c->trace, &r->view);
			fputc('\n', c->trace);
		}
	}
	disk->durable = disk->written;
	if (paxos_core_durable(&h->core, disk->durable, c->now))
		broken("paxos_core_durable() refuses what it gave out");
	cluster_check(c);
}

void disk_flush(struct cluster *c, u8 id)
{
	disk_write(c, id);
	disk_sync(c, id);
}

void disk_slow(struct cluster *c, u8 id, bool slow)
{
	c->hosts[id]->slow = slow;
	if (!slow && c->hosts[id]->up)
		disk_flush(c, id);
}

void disk_lose(struct cluster *c, u8 id)
{
	struct disk *disk = &c->hosts[id]->disk;

	while (disk->count && !disk->records[disk->count - 1].synced)
		free(disk->records[--disk->count].bytes);
	disk->written = disk->durable;
}

static void disk_wipe(struct disk *disk)
{
	while (disk->count)
		free(disk->records[--disk->count].bytes);
	disk->written = 0;
	disk->durable = 0;
	disk->promised = 0;
	memset(disk->voted, 0, (SLOTS_MAX + 1) * sizeof(*disk->voted));
}

/* The newest record on the disk, or one not yet synced; 0 matches all. */
const struct disk_record *disk_find(struct cluster *c, u8 id, u8 type,
				    u64 slot, u64 ballot)
{
	struct disk *disk = &c->hosts[id]->disk;
	u32 i;

	for (i = disk->count; i--;) {
		struct disk_record *r = &disk->records[i];

		if (r->view.type == type && (!slot || r->view.slot == slot) &&
		    (!ballot || r->view.ballot == ballot))
			return r;
	}
	return NULL;
}

/* What every call to a core ends with. */
static void after(struct cluster *c, struct host *h)
{
	u32 rounds = 0;

	while (h->up && !h->slow && h->wants_write) {
		if (++rounds > 1000)
			broken("a core records without end");
		disk_flush(c, h->core.settings.self);
	}
	cluster_check(c);
}

/* Hosts. */

void host_boot(struct cluster *c, u8 id)
{
	struct host *h = c->hosts[id];
	struct paxos_settings settings = c->settings;
	u32 size = settings.log_size * sizeof(*h->entries);
	struct paxos_config none;

	if (h->up)
		broken_by("member %u is up", id);
	settings.self = id;
	h->entries = malloc(size);
	memset(h->entries, 0xa5, size);
	memset(&h->core, 0xa5, sizeof(h->core));
	h->silent = false;
	h->delivered = 0;
	h->promised = 0;
	h->wants_write = false;
	if (h->fresh)
		paxos_config_none(&none, (1ULL << c->n) - 1);
	if (paxos_core_init(&h->core, &ops, &settings,
			    h->fresh ? &none : &c->config, h->entries))
		broken("paxos_core_init() failed");
	h->up = true;
}

int host_restore(struct cluster *c, u8 id)
{
	struct host *h = host_up(c, id);
	u32 i;
	int err;

	for (i = 0; i < h->disk.count; i++) {
		err = paxos_core_restore(&h->core, &h->disk.records[i].view);
		if (err)
			return err;
		if (h->disk.records[i].view.type == PAXOS_RECORD_TRIM)
			h->delivered = h->disk.records[i].view.slot;
		cluster_check(c);
	}
	return 0;
}

static int begin_by(struct cluster *c, u8 id, u64 slot, const void *bytes,
		    u32 len,
		    int (*by)(struct paxos_core *core, u64 slot,
			      const void *bytes, u32 len, u64 now))
{
	struct host *h = host_up(c, id);
	const u64 before = h->delivered;
	int err;

	h->delivered = slot;
	err = by(&h->core, slot, bytes, len, c->now);
	if (err)
		h->delivered = before;
	after(c, h);
	return err;
}

int begin(struct cluster *c, u8 id, u64 slot, const void *bytes, u32 len)
{
	return begin_by(c, id, slot, bytes, len, paxos_core_begin);
}

int leap(struct cluster *c, u8 id, u64 slot, const void *bytes, u32 len)
{
	return begin_by(c, id, slot, bytes, len, paxos_core_skip);
}

void host_start(struct cluster *c, u8 id)
{
	struct host *h = host_up(c, id);

	if (paxos_core_start(&h->core, ++h->incarnation, h->disk.durable,
			     c->now))
		broken_by("member %u does not start", id);
	after(c, h);
}

static void host_free(struct host *h)
{
	h->silent = true;
	paxos_core_destroy(&h->core);
	h->up = false;
	free(h->entries);
	h->entries = NULL;
	if (h->values)
		broken_by("%u values leaked", h->values);
}

/* Memory and what was not synced are gone. Datagrams under way are not. */
void host_crash(struct cluster *c, u8 id)
{
	host_free(host_up(c, id));
	disk_lose(c, id);
}

void host_restart(struct cluster *c, u8 id)
{
	int err;

	host_boot(c, id);
	err = host_restore(c, id);
	if (err)
		broken_by("member %u cannot restore its records: %s", id,
			  strerrorname_np(-err));
	host_start(c, id);
}

void host_wipe(struct cluster *c, u8 id)
{
	c->wiped = true;
	disk_wipe(&c->hosts[id]->disk);
}

struct cluster *cluster_make(u32 n)
{
	struct cluster *c = calloc(1, sizeof(*c));
	u8 id;

	c->n = n;
	c->now = 1000 * MS;
	c->settings = (struct paxos_settings){
		.durability = PAXOS_SYNC,
		.window = 16,
		.log_size = 64,
		.payload = PAXOS_PAYLOAD_DEFAULT,
		.bytes = 1 << 20,
	};
	if (paxos_config_init(&c->config, 1, (1ULL << n) - 1, 0, n / 2 + 1,
			      n / 2 + 1))
		broken("paxos_config_init() refuses a majority");
	for (id = 1; id <= n; id++) {
		c->hosts[id] = calloc(1, sizeof(struct host));
		c->hosts[id]->cluster = c;
		c->hosts[id]->disk.voted = calloc(SLOTS_MAX + 1, sizeof(u64));
	}
	return c;
}

/* One more host, which knows of the others and is no member yet: its id. */
u8 cluster_grow(struct cluster *c)
{
	u8 id = ++c->n;

	if (id > HOSTS_MAX)
		broken("the harness holds no more hosts");
	c->hosts[id] = calloc(1, sizeof(struct host));
	c->hosts[id]->cluster = c;
	c->hosts[id]->disk.voted = calloc(SLOTS_MAX + 1, sizeof(u64));
	c->hosts[id]->fresh = true;
	host_boot(c, id);
	host_start(c, id);
	return id;
}

struct cluster *cluster_of(u32 n)
{
	struct cluster *c = cluster_make(n);
	u8 id;

	for (id = 1; id <= n; id++) {
		host_boot(c, id);
		host_start(c, id);
	}
	return c;
}

void cluster_free(struct cluster *c)
{
	u64 slot;
	u8 id;

	c->trace = NULL;
	drop(c, ANY, ANY, ANY);
	for (id = 1; id <= c->n; id++) {
		struct host *h = c->hosts[id];

		if (h->up)
			host_free(h);
		disk_wipe(&h->disk);
		free(h->disk.records);
		free(h->disk.voted);
		free(h->ended);
		free(h->events);
		free(h);
	}
	for (slot = 1; slot <= SLOTS_MAX && c->chosen[slot].known; slot++)
		free(c->chosen[slot].bytes);
	free(c);
}

/* The network. */

static bool matches(const struct datagram *d, u8 type, u8 from, u8 to)
{
	return (type == ANY || d->type == type) &&
	       (from == ANY || d->from == from) && (to == ANY || d->to == to);
}

void put(struct cluster *c, struct datagram *datagram)
{
	struct datagram **at = &c->queue;

	while (*at)
		at = &(*at)->next;
	datagram->next = NULL;
	*at = datagram;
}

struct datagram *take(struct cluster *c, u8 type, u8 from, u8 to)
{
	struct datagram **at, *d;

	for (at = &c->queue; *at; at = &(*at)->next) {
		d = *at;
		if (matches(d, type, from, to)) {
			*at = d->next;
			d->next = NULL;
			return d;
		}
	}
	return NULL;
}

u32 queued(struct cluster *c, u8 type, u8 from, u8 to)
{
	struct datagram *d;
	u32 count = 0;

	for (d = c->queue; d; d = d->next)
		count += matches(d, type, from, to);
	return count;
}

struct datagram *peek(struct cluster *c, u8 type, u8 from, u8 to)
{
	struct datagram *d;

	for (d = c->queue; d; d = d->next)
		if (matches(d, type, from, to))
			return d;
	broken_by("no %s %u->%u was sent", type ? type_name(type) : "message",
		  from, to);
}

void peek_message(struct cluster *c, u8 type, u8 from, u8 to,
		  struct paxos_message *message)
{
	struct datagram *d = peek(c, type, from, to);

	if (paxos_wire_decode(d->bytes, d->len, message))
		broken("what was sent cannot be decoded");
}

static void discard(struct datagram *d)
{
	free(d->bytes);
	free(d);
}

static enum paxos_drop arrive(struct cluster *c, const struct datagram *d)
{
	struct host *h = d->to <= c->n ? c->hosts[d->to] : NULL;
	struct paxos_message message;
	enum paxos_drop why;

	why = paxos_wire_decode(d->bytes, d->len, &message);
	if (c->trace && !why) {
		fputs("  > ", c->trace);
		message_print(c->trace, &message);
		fputs(h && h->up ? "\n" : ": nobody there\n", c->trace);
	}
	if (!h || !h->up)
		return PAXOS_DROP_NONE;
	if (!why)
		why = paxos_core_receive(&h->core, &message, c->now);
	if (c->trace && why)
		fprintf(c->trace, "  %u drops it: %s\n", d->to, drop_name(why));
	after(c, h);
	return why;
}

bool deliver_one(struct cluster *c, u8 type, u8 from, u8 to)
{
	struct datagram *d = take(c, type, from, to);

	if (!d)
		return false;
	arrive(c, d);
	discard(d);
	return true;
}

/* All that match and wait now; not what is sent meanwhile. */
u32 deliver(struct cluster *c, u8 type, u8 from, u8 to)
{
	u32 i, count = queued(c, type, from, to);

	for (i = 0; i < count; i++)
		deliver_one(c, type, from, to);
	return count;
}

/* As deliver(), and they stay under way. */
u32 repeat(struct cluster *c, u8 type, u8 from, u8 to)
{
	u32 i, count = queued(c, type, from, to);

	for (i = 0; i < count; i++) {
		struct datagram *d = take(c, type, from, to);

		arrive(c, d);
		put(c, d);
	}
	return count;
}

u32 drop(struct cluster *c, u8 type, u8 from, u8 to)
{
	struct datagram *d;
	u32 count = 0;

	while ((d = take(c, type, from, to))) {
		discard(d);
		count++;
	}
	return count;
}

enum paxos_drop inject(struct cluster *c, const struct paxos_message *message)
{
	struct datagram d = { .type = message->type, .from = message->from,
			      .to = message->to };
	enum paxos_drop why;

	d.len = paxos_wire_size(message);
	d.bytes = malloc(d.len);
	paxos_wire_encode(message, GROUP, d.bytes);
	why = arrive(c, &d);
	free(d.bytes);
	return why;
}

/* Deliver until nothing is under way. */
void settle(struct cluster *c)
{
	u32 steps = 0;

	while (deliver_one(c, ANY, ANY, ANY))
		if (++steps > STEPS_MAX)
			broken("the members talk without end");
}

/* The clock. */

static void tick(struct cluster *c, struct host *h)
{
	paxos_core_tick(&h->core, c->now);
	if (h->core.wake <= c->now)
		broken_by("member %u asks to be woken in the past",
			  h->core.settings.self);
	after(c, h);
}

static u64 next_wake(struct cluster *c, u64 until)
{
	u8 id;

	for (id = 1; id <= c->n; id++)
		if (c->hosts[id]->up && c->hosts[id]->core.wake < until)
			until = c->hosts[id]->core.wake;
	return until;
}

static void step(struct cluster *c, u64 until)
{
	u64 next = next_wake(c, until);
	u8 id;

	if (next > c->now)
		c->now = next;
	for (id = 1; id <= c->n; id++)
		if (c->hosts[id]->up && c->hosts[id]->core.wake <= c->now)
			tick(c, c->hosts[id]);
}

void advance(struct cluster *c, u64 us)
{
	u64 until = c->now + us;

	do
		step(c, until);
	while (c->now < until);
}

void run(struct cluster *c, u64 us)
{
	u64 until = c->now + us;

	settle(c);
	do {
		step(c, until);
		settle(c);
	} while (c->now < until);
}

/* What people do. */

int campaign(struct cluster *c, u8 id)
{
	struct host *h = host_up(c, id);
	int err = paxos_core_campaign(&h->core, c->now);

	after(c, h);
	return err;
}

/* From another's log, as its agent would bring it. */
int learn(struct cluster *c, u8 id, const struct paxos_item *item)
{
	struct host *h = host_up(c, id);
	int err = paxos_core_learn(&h->core, item, c->now);

	after(c, h);
	return err;
}

void elect(struct cluster *c, u8 id)
{
	int err = campaign(c, id);

	if (err)
		broken_by("member %u cannot campaign: %d", id, err);
	settle(c);
	if (core_of(c, id)->role != PAXOS_LEADER)
		broken_by("member %u was not elected", id);
}

/* What did not end yet ends by its deadline, so the core wakes by then. */
static void check_wake(struct host *h, u32 ended_before, u64 deadline)
{
	if (h->n_ended == ended_before && h->core.wake > deadline)
		broken_by("member %u sleeps longer than a deadline",
			  h->core.settings.self);
}

int propose_until(struct cluster *c, u8 id, const void *bytes, u32 len,
		  u64 deadline, void *cookie)
{
	struct host *h = host_up(c, id);
	u32 before = h->n_ended;
	int err = paxos_core_propose(&h->core, bytes, len, deadline, cookie,
				     c->now);

	if (!err)
		check_wake(h, before, deadline);
	after(c, h);
	return err;
}

/* @text is the cookie. Ten seconds. */
int propose_noop(struct cluster *c, u8 id, const char *text)
{
	struct host *h = host_up(c, id);
	u64 deadline = c->now + 10000 * MS;
	u32 before = h->n_ended;
	int err = paxos_core_propose_noop(&h->core, deadline, (void *)text,
					  c->now);

	if (!err)
		check_wake(h, before, deadline);
	after(c, h);
	return err;
}

/* The text is the value and the cookie. Ten seconds. */
int propose(struct cluster *c, u8 id, const char *text)
{
	return propose_until(c, id, text, strlen(text), c->now + 10000 * MS,
			     (void *)text);
}

/* The bytes of a configuration, in @buffer of PAXOS_CONFIG_MAX: length. */
u32 config_bytes(const struct paxos_config *config, void *buffer)
{
	struct paxos_member members[PAXOS_MEMBERS_MAX];
	u32 n = 0;
	u8 id;

	memset(members, 0, sizeof(members));
	for (id = 1; id <= PAXOS_MEMBERS_MAX; id++) {
		if (!paxos_config_has(config, id))
			continue;
		members[n].id = id;
		members[n].family = 4;
		members[n].port = 7400;
		memcpy(members[n++].address, (u8[]){ 10, 77, 0, id }, 4);
	}
	return paxos_wire_config_encode(config, members, buffer);
}

const char the_change[] = "the change";

/* What follows @config with these sets of members, majorities deciding. */
struct paxos_config config_after(const struct paxos_config *config, u64 voters,
				 u64 learners)
{
	struct paxos_config next = { 0 };

	if (paxos_config_init(&next, config->epoch + 1, voters, learners, 0,
			      0))
		broken("no such configuration");
	next.gone = (config->gone | paxos_config_members(config)) &
		    ~(voters | learners);
	return next;
}

int reconfigure_with(struct cluster *c, u8 id, const struct paxos_config *next,
		     void *cookie)
{
	struct host *h = host_up(c, id);
	u8 bytes[PAXOS_CONFIG_MAX];
	u32 len = config_bytes(next, bytes);
	int err = paxos_core_reconfigure(&h->core, bytes, len,
					 c->now + 10000 * MS, cookie, c->now);

	after(c, h);
	return err;
}

int reconfigure(struct cluster *c, u8 id, u64 voters, u64 learners)
{
	struct paxos_config next =
		config_after(&core_of(c, id)->config, voters, learners);

	return reconfigure_with(c, id, &next, (void *)the_change);
}

int read_until(struct cluster *c, u8 id, u64 deadline, void *cookie)
{
	struct host *h = host_up(c, id);
	u32 before = h->n_ended;
	int err = paxos_core_read(&h->core, deadline, cookie, c->now);

	if (!err)
		check_wake(h, before, deadline);
	after(c, h);
	return err;
}

/* What came of it. */

const struct ended *ended(struct cluster *c, u8 id, const void *cookie)
{
	struct host *h = c->hosts[id];
	u32 i;

	for (i = 0; i < h->n_ended; i++)
		if (h->ended[i].cookie == cookie)
			return &h->ended[i];
	return NULL;
}

u32 times_ended(struct cluster *c, u8 id, const void *cookie)
{
	struct host *h = c->hosts[id];
	u32 i, count = 0;

	for (i = 0; i < h->n_ended; i++)
		count += h->ended[i].cookie == cookie;
	return count;
}

bool happened(struct cluster *c, u8 id, enum paxos_event event)
{
	struct host *h = c->hosts[id];
	u32 i;

	for (i = 0; i < h->n_events; i++)
		if (h->events[i].event == event)
			return true;
	return false;
}

bool decided(struct cluster *c, u8 id, u64 slot, const char *text)
{
	struct chosen *chosen = &c->chosen[slot];

	return c->hosts[id]->delivered >= slot && chosen->known &&
	       chosen->data && chosen->len == strlen(text) &&
	       !memcmp(chosen->bytes, text, chosen->len);
}

/* Or an origin delivered before: neither is handed to anybody. */
bool decided_noop(struct cluster *c, u8 id, u64 slot)
{
	return c->hosts[id]->delivered >= slot && c->chosen[slot].known &&
	       !c->chosen[slot].data;
}

u32 times_decided(struct cluster *c, const char *text)
{
	u32 slot, count = 0;

	for (slot = 1; slot <= SLOTS_MAX && c->chosen[slot].known; slot++)
		count += c->chosen[slot].data &&
			 c->chosen[slot].len == strlen(text) &&
			 !memcmp(c->chosen[slot].bytes, text,
				 c->chosen[slot].len);
	return count;
}

/* Messages by hand. */

struct paxos_message message_make(struct cluster *c, u8 type, u8 from, u8 to,
				  u64 ballot)
{
	return (struct paxos_message){
		.type = type, .from = from, .to = to,
		.epoch = c->config.epoch, .ballot = ballot,
	};
}

struct paxos_item item_make(u64 slot, u64 ballot, u8 member, u64 seq,
			    const char *text)
{
	return (struct paxos_item){
		.slot = slot, .ballot = ballot,
		.origin = { .incarnation = 1, .seq = seq, .member = member },
		.len = strlen(text), .kind = PAXOS_DATA,
		.bytes = (const u8 *)text,
	};
}

struct paxos_item item_noop(u64 slot, u64 ballot)
{
	return (struct paxos_item){ .slot = slot, .ballot = ballot,
				    .kind = PAXOS_NOOP };
}

enum paxos_drop say_prepare(struct cluster *c, u8 from, u8 to, u64 ballot,
			    u64 first)
{
	struct paxos_message m = message_make(c, PAXOS_PREPARE, from, to,
					      ballot);

	m.prepare.first = first;
	return inject(c, &m);
}

/* Its origin is the ballot's owner, its sequence the slot. */
enum paxos_drop say_accept(struct cluster *c, u8 from, u8 to, u64 ballot,
			   u64 slot, const char *text, u64 commit)
{
	struct paxos_message m = message_make(c, PAXOS_ACCEPT, from, to,
					      ballot);
	struct paxos_item item = item_make(slot, ballot, from, slot, text);

	m.commit = commit;
	m.count = 1;
	m.items = &item;
	return inject(c, &m);
}

enum paxos_drop say_accepted(struct cluster *c, u8 from, u8 to, u64 ballot,
			     u64 first, u32 count)
{
	struct paxos_message m = message_make(c, PAXOS_ACCEPTED, from, to,
					      ballot);
	struct paxos_range range = { .first = first, .count = count };

	m.count = 1;
	m.ranges = &range;
	return inject(c, &m);
}

enum paxos_drop say_promise(struct cluster *c, u8 from, u8 to, u64 ballot,
			    u64 first, const struct paxos_item *items,
			    u32 count)
{
	struct paxos_message m = message_make(c, PAXOS_PROMISE, from, to,
					      ballot);

	m.promise.first = first;
	m.promise.held = 1;
	m.count = count;
	m.items = items;
	return inject(c, &m);
}

/* As of a member that still holds slots @held and above. */
enum paxos_drop say_chosen(struct cluster *c, u8 from, u8 to, u64 held,
			   const struct paxos_item *items, u32 count)
{
	struct paxos_message m = message_make(c, PAXOS_CHOSEN, from, to,
					      B(1, from));

	m.chosen.held = held;
	m.count = count;
	m.items = items;
	return inject(c, &m);
}

enum paxos_drop say_commit(struct cluster *c, u8 from, u8 to, u64 ballot,
			   u64 commit)
{
	struct paxos_message m = message_make(c, PAXOS_COMMIT, from, to,
					      ballot);

	m.commit = commit;
	return inject(c, &m);
}
