// SPDX-License-Identifier: GPL-2.0
/*
 * Runs a scenario and prints it again with what happened: see golden/README.
 *
 * usage: transcript FILE
 */
#include <ctype.h>
#include "harness.h"

static struct cluster *c;
static const char *file;
static unsigned int line_number;

void broken(const char *what)
{
	fflush(stdout);
	fprintf(stderr, "%s:%u: %s\n", file, line_number, what);
	exit(1);
}

static const char *word(char **rest)
{
	char *start;

	while (isspace((unsigned char)**rest))
		(*rest)++;
	start = *rest;
	if (!*start)
		return NULL;
	while (**rest && !isspace((unsigned char)**rest))
		(*rest)++;
	if (**rest)
		*(*rest)++ = 0;
	return start;
}

static u32 number(char **rest, const char *what)
{
	const char *text = word(rest);
	char *end;
	unsigned long value;

	if (!text)
		broken_by("%s is missing", what);
	value = strtoul(text, &end, 10);
	if (*end)
		broken_by("%s is a number, not '%s'", what, text);
	return value;
}

static u8 member(char **rest)
{
	u32 id = number(rest, "the member");

	if (!c)
		broken("first say 'members N'");
	if (id < 1 || id > c->n)
		broken_by("there is no member %u", id);
	return id;
}

static u8 type_of(const char *text)
{
	u8 type;

	for (type = 1; type < PAXOS_TYPES; type++)
		if (!strcmp(text, type_name(type)))
			return type;
	broken_by("there is no message '%s'", text);
}

/* [TYPE] [FROM->TO], either end may be '*'; nothing matches all. */
struct filter {
	u8 type;
	u8 from;
	u8 to;
};

static struct filter filter(char **rest)
{
	struct filter f = { ANY, ANY, ANY };
	const char *text;

	while ((text = word(rest))) {
		const char *arrow = strstr(text, "->");

		if (arrow) {
			f.from = *text == '*' ? ANY : atoi(text);
			f.to = arrow[2] == '*' ? ANY : atoi(arrow + 2);
		} else {
			f.type = type_of(text);
		}
	}
	return f;
}

static void quoted(char **rest, char *text, size_t size)
{
	char *start = strchr(*rest, '"'), *end;

	end = start ? strchr(start + 1, '"') : NULL;
	if (!end || (size_t)(end - start) > size)
		broken("a value stands in double quotes");
	memcpy(text, start + 1, end - start - 1);
	text[end - start - 1] = 0;
	*rest = end + 1;
}

/* Cookies are printed when a proposal ends, so they stay. */
static char *keep(const char *text)
{
	static char kept[64][260];
	static u32 count;

	if (count == 64)
		broken("a scenario has 64 proposals at most");
	snprintf(kept[count], sizeof(kept[count]), "\"%s\"", text);
	return kept[count++];
}

static void refused(int err)
{
	if (err)
		printf("  refused: %s\n", strerrorname_np(-err));
}

static void do_members(char **rest)
{
	u32 n = number(rest, "the number of members");
	u8 id;

	if (c)
		cluster_free(c);
	c = cluster_make(n);
	for (id = 1; id <= n; id++) {
		host_boot(c, id);
		host_start(c, id);
	}
	c->trace = stdout;
}

static void do_payload(char **rest)
{
	u32 payload = number(rest, "the payload");
	u8 id;

	for (id = 1; id <= c->n; id++)
		core_of(c, id)->settings.payload = payload;
	c->settings.payload = payload;
}

static void do_campaign(char **rest)
{
	refused(campaign(c, member(rest)));
}

static void do_propose(char **rest)
{
	u8 id = member(rest);
	char text[256];
	u64 deadline = c->now + 60000 * MS;

	quoted(rest, text, sizeof(text));
	*rest += strspn(*rest, " ");
	if (**rest)
		deadline = c->now + number(rest, "the time in ms") * MS;
	refused(propose_until(c, id, text, strlen(text), deadline,
			      keep(text)));
}

/* 1,2,3 */
static u64 members_of(const char *text)
{
	u64 members = 0;
	char *end;

	for (;; text = end + 1) {
		unsigned long id = strtoul(text, &end, 10);

		if (id < 1 || id > PAXOS_MEMBERS_MAX)
			broken("members are numbers from 1 to 64");
		members |= paxos_member_bit(id);
		if (!*end)
			return members;
		if (*end != ',')
			broken_by("what is '%s'", end);
	}
}

static void do_reconfigure(char **rest)
{
	u8 id = member(rest);
	const char *voters = word(rest);
	const char *learners = word(rest);

	if (!voters)
		broken("the voters are missing");
	refused(reconfigure(c, id, members_of(voters),
			    learners ? members_of(learners) : 0));
}

static void do_grow(char **rest)
{
	printf("  host %u waits\n", cluster_grow(c));
}

static void do_read(char **rest)
{
	u8 id = member(rest);

	refused(read_until(c, id, c->now + 60000 * MS, "the read"));
}

static void do_deliver(char **rest)
{
	struct filter f = filter(rest);

	if (!deliver(c, f.type, f.from, f.to))
		broken("no such message is under way");
}

static void do_repeat(char **rest)
{
	struct filter f = filter(rest);

	if (!repeat(c, f.type, f.from, f.to))
		broken("no such message is under way");
}

static void do_drop(char **rest)
{
	struct filter f = filter(rest);
	u32 count = drop(c, f.type, f.from, f.to);

	if (!count)
		broken("no such message is under way");
	printf("  %u lost\n", count);
}

static void do_settle(char **rest)
{
	settle(c);
}

/* Heartbeats and their answers would drown the rest. */
static void do_wait(char **rest)
{
	u32 ms = number(rest, "the time in ms");

	run(c, ms * MS);
}

static void do_quietly(char **rest)
{
	FILE *trace = c->trace;
	u32 ms = number(rest, "the time in ms");

	c->trace = NULL;
	run(c, ms * MS);
	c->trace = trace;
}

static void do_crash(char **rest)
{
	host_crash(c, member(rest));
}

static void do_restart(char **rest)
{
	u8 id = member(rest);

	host_restart(c, id);
	printf("  %u promised %s\n", id, ballot_text(core_of(c, id)->promised));
}

static void do_slow(char **rest)
{
	disk_slow(c, member(rest), true);
}

static void do_fast(char **rest)
{
	disk_slow(c, member(rest), false);
}

static void do_durable(char **rest)
{
	disk_flush(c, member(rest));
}

static void do_show(char **rest)
{
	static const char *const roles[] = { "follower", "candidate",
					     "leader" };
	u64 slot;
	u8 id;

	for (id = 1; id <= c->n; id++) {
		struct paxos_core *core;

		if (!c->hosts[id]->up) {
			printf("  %u down\n", id);
			continue;
		}
		core = core_of(c, id);
		printf("  %u %s promised %s commit %llu", id,
		       roles[core->role], ballot_text(core->promised),
		       (unsigned long long)core->commit);
		for (slot = core->log.first; slot <= core->log.last; slot++) {
			struct paxos_entry *entry;

			entry = paxos_log_entry(&core->log, slot);
			if (!entry->value)
				printf(" %llu:-", (unsigned long long)slot);
			else if (entry->value->kind == PAXOS_NOOP)
				printf(" %llu:no-op",
				       (unsigned long long)slot);
			else if (entry->value->kind == PAXOS_CONFIG)
				printf(" %llu:epoch",
				       (unsigned long long)slot);
			else
				printf(" %llu:\"%.*s\"",
				       (unsigned long long)slot,
				       (int)entry->value->len,
				       entry->value->bytes);
			if (entry->value)
				printf(entry->flags & PAXOS_ENTRY_CHOSEN ?
				       "" : "@%s", ballot_text(entry->ballot));
		}
		putchar('\n');
	}
}

static void do_waiting(char **rest)
{
	struct datagram *d;

	for (d = c->queue; d; d = d->next) {
		struct paxos_message message;

		if (paxos_wire_decode(d->bytes, d->len, &message))
			broken("what was sent cannot be decoded");
		fputs("  ", stdout);
		message_print(stdout, &message);
		putchar('\n');
	}
}

static const struct {
	const char *name;
	void (*run)(char **rest);
} commands[] = {
	{ "members", do_members },
	{ "payload", do_payload },
	{ "campaign", do_campaign },
	{ "propose", do_propose },
	{ "reconfigure", do_reconfigure },
	{ "grow", do_grow },
	{ "read", do_read },
	{ "deliver", do_deliver },
	{ "repeat", do_repeat },
	{ "drop", do_drop },
	{ "settle", do_settle },
	{ "wait", do_wait },
	{ "quietly", do_quietly },
	{ "crash", do_crash },
	{ "restart", do_restart },
	{ "slow", do_slow },
	{ "fast", do_fast },
	{ "durable", do_durable },
	{ "show", do_show },
	{ "waiting", do_waiting },
};

static void command(char *text)
{
	char *rest = text;
	const char *name = word(&rest);
	size_t i;

	for (i = 0; name && i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(name, commands[i].name))
			continue;
		if (!c && commands[i].run != do_members)
			broken("first say 'members N'");
		commands[i].run(&rest);
		if (word(&rest))
			broken_by("'%s' takes less than that", name);
		return;
	}
	broken_by("there is no command '%s'", name ? name : "");
}

/* A line of the file is prose, empty, "> command", or old output. */
int main(int argc, char **argv)
{
	char line[512];
	bool output = false;
	FILE *in;

	if (argc != 2) {
		fputs("usage: transcript FILE\n", stderr);
		return 2;
	}
	file = argv[1];
	in = fopen(file, "r");
	if (!in) {
		perror(file);
		return 2;
	}
	while (fgets(line, sizeof(line), in)) {
		line_number++;
		if (output && line[0] == ' ')
			continue;
		output = line[0] == '>';
		fputs(line, stdout);
		if (!output)
			continue;
		line[strcspn(line, "\n")] = 0;
		command(line + 1);
	}
	fclose(in);
	if (!c)
		broken("a scenario starts with 'members N'");
	cluster_free(c);
	return 0;
}
