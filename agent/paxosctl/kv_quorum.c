// SPDX-License-Identifier: GPL-2.0
/* kv get --quorum: who answered what, and which is the latest. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "../paxosd/control.h"
#include "kv.h"
#include "print.h"
#include "view.h"

#define VALUE_SHOWN	48	/* bytes in the table; JSON has all of it */

struct answers {
	unsigned int n;
	unsigned int voters;
	unsigned int heard;	/* voters that answered */
	const struct control_held *latest;
	struct control_held *of[PAXOS_NL_MEMBERS_MAX];
};

static bool is_answer(const struct control_held *held)
{
	return !held->error[0] && !held->held.error && held->held.applied;
}

static void take(void *context, const struct control_held *held)
{
	struct answers *answers = context;
	struct control_held *copy = malloc(sizeof(*copy));

	if (!copy || answers->n == PAXOS_NL_MEMBERS_MAX)
		abort();
	*copy = *held;
	answers->of[answers->n++] = copy;
	answers->voters += copy->voter;
	if (!is_answer(copy))
		return;
	answers->heard += copy->voter;
	if (!answers->latest ||
	    copy->held.applied > answers->latest->held.applied)
		answers->latest = copy;
}

/* Of the same log, so far as both have it? */
static bool same(const struct held *one, const struct held *other)
{
	return one->found == other->found && one->mod == other->mod &&
	       one->version == other->version && one->length == other->length &&
	       !memcmp(one->value, other->value, one->length);
}

/*
 * A member that has applied less may have an older answer. One that has what
 * the latest one's key came from has the same, or one of the two is wrong.
 */
static bool conflicts(const struct answers *answers,
		      const struct control_held *held)
{
	const struct held *latest = &answers->latest->held;

	if (!is_answer(held) || same(&held->held, latest))
		return false;
	return held->held.applied == latest->applied ||
	       held->held.mod > latest->applied ||
	       (latest->found && held->held.applied >= latest->mod);
}

static const char *why(const struct control_held *held)
{
	if (held->error[0])
		return held->error;
	switch (held->held.error) {
	case 0:
		return "its store has applied nothing yet";
	case ENOENT:
		return "it has no such group, or paxos_kv is not loaded there";
	case EBADMSG:
		return "its log differs from the others'";
	case ESTALE:
		return "its log begins later than its store would have to";
	default:
		return strerror(held->held.error);
	}
}

static void json_answer(const struct answers *answers,
			const struct control_held *held)
{
	json_object(NULL);
	json_number("member", held->member);
	json_bool("voter", held->voter);
	if (!is_answer(held)) {
		json_string("error", why(held));
		json_end();
		return;
	}
	json_number("applied", held->held.applied);
	json_bool("found", held->held.found);
	if (held->held.found) {
		json_bytes("value", held->held.value, held->held.length);
		json_number("create", held->held.create);
		json_number("mod", held->held.mod);
		json_number("version", held->held.version);
		json_number("lease", held->held.lease);
	}
	json_bool("latest", same(&held->held, &answers->latest->held));
	json_bool("conflict", conflicts(answers, held));
	json_end();
}

static void json_answers(const struct answers *answers, const char *key,
			 uint64_t slot)
{
	unsigned int i;

	json_object(NULL);
	json_bytes("key", key, strlen(key));
	json_maybe("slot", (struct maybe){ slot, slot });
	json_number("voters", answers->voters);
	json_number("answered", answers->heard);
	json_array("answers");
	for (i = 0; i < answers->n; i++)
		json_answer(answers, answers->of[i]);
	json_end();
	json_end();
}

static void cell_value(struct table *table, const struct held *held)
{
	char *text = NULL;
	size_t size;
	FILE *to = print_to;

	if (!held->found) {
		table_cell(table, "no such key");
		return;
	}
	print_to = open_memstream(&text, &size);
	if (!print_to)
		abort();
	print_escaped(held->value, held->length < VALUE_SHOWN ? held->length :
							       VALUE_SHOWN);
	if (held->length > VALUE_SHOWN)
		print("...");
	fclose(print_to);
	print_to = to;
	table_cell(table, "%s", text);
	free(text);
}

static void row(struct table *table, const struct answers *answers,
		const struct control_held *held, uint64_t slot)
{
	const struct held *answer = &held->held;
	const char *state = "";

	table_cell(table, "%u", held->member);
	if (!is_answer(held)) {
		table_cell(table, "-");
		table_cell(table, "-");
		table_cell(table, "no answer: %s", why(held));
		table_cell(table, "%s", "");
		return;
	}
	table_cell(table, "%" PRIu64, answer->applied);
	table_maybe(table, (struct maybe){ answer->found, answer->mod });
	cell_value(table, answer);
	if (conflicts(answers, held))
		state = "CONFLICT";
	else if (same(answer, &answers->latest->held))
		state = "latest";
	else
		state = "older";
	if (slot && answer->applied < slot && *state != 'C')
		table_cell(table, "%s, %" PRIu64 " slots behind", state,
			   slot - answer->applied);
	else
		table_cell(table, "%s", state);
}

static void table_answers(const struct answers *answers, uint64_t slot)
{
	struct table table = { .columns = 5, .right = 7 };
	unsigned int i;

	table_cell(&table, "MEMBER");
	table_cell(&table, "APPLIED");
	table_cell(&table, "REVISION");
	table_cell(&table, "VALUE");
	table_cell(&table, "%s", "");
	for (i = 0; i < answers->n; i++)
		row(&table, answers, answers->of[i], slot);
	table_print(&table, "");
	print("%u of %u voters answered\n", answers->heard, answers->voters);
}

/* What it comes to, as an exit status. */
static int judge(const struct arguments *arguments,
		 const struct answers *answers, uint64_t slot)
{
	unsigned int i;

	for (i = 0; answers->latest && i < answers->n; i++)
		if (conflicts(answers, answers->of[i]))
			return wrong(arguments,
				     "conflict: members %u and %u cannot both be right; see paxosctl(8), DIVERGENCE",
				     answers->of[i]->member,
				     answers->latest->member);
	if (slot && answers->heard > answers->voters / 2 &&
	    answers->latest->held.applied >= slot)
		return answers->latest->held.found ? EXIT_FINE :
		       wrong(arguments, "no such key");
	wrong(arguments,
	      "no quorum: there may be later values than these");
	return EXIT_NO_QUORUM;
}

int quorum_show(const struct arguments *arguments, uint32_t group,
		const char *key, uint64_t slot)
{
	struct answers answers = { 0 };
	char error[512];
	int result;

	if (control_ask_key(group, key, strlen(key), take, &answers, error,
			    sizeof(error)))
		return wrong(arguments, "%s", error);
	if (print_json)
		json_answers(&answers, key, slot);
	else
		table_answers(&answers, slot);
	result = judge(arguments, &answers, slot);
	while (answers.n)
		free(answers.of[--answers.n]);
	return result;
}
