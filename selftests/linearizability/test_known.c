// SPDX-License-Identifier: GPL-2.0
/* Histories whose verdict a person can see. Times are in the lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "search.h"

#define LIMIT 1000000

/* What the lines say, single quotes for double ones; -1: they are refused. */
static int verdict_of(const char *lines, struct found *found, char *error)
{
	char *text = strdup(lines), *at;
	struct history history;
	FILE *in;
	int result;

	for (at = text; *at; at++)
		if (*at == '\'')
			*at = '"';
	in = fmemopen(text, strlen(text), "r");
	assert_non_null(in);
	result = history_read(&history, in, error, 256);
	fclose(in);
	free(text);
	if (result)
		return -1;
	assert_int_equal(history.n, 1);
	*found = search(&history.tracks[0], LIMIT);
	history_free(&history);
	return found->verdict;
}

static void expect(const char *lines, enum verdict verdict)
{
	struct found found;
	char error[256] = "";
	int result = verdict_of(lines, &found, error);

	if (result != (int)verdict)
		fail_msg("verdict %d, expected %d: %s\n%s", result, verdict,
			 error, lines);
}

static void refused(const char *lines, const char *sentence)
{
	struct found found;
	char error[256] = "";

	assert_int_equal(verdict_of(lines, &found, error), -1);
	if (!strstr(error, sentence))
		fail_msg("'%s' should say '%s'", error, sentence);
}

#define L(process, operation, call, end, rest)				\
	"{'process':" #process ",'operation':'" #operation "','key':'k',"	\
	"'call':" #call ",'return':" #end "," rest "}\n"
#define VALUE(value)	"'value':'" #value "','result':'ok'"
#define NOTHING		"'value':null,'result':'ok'"
#define MAYBE(value)	"'value':'" #value "','result':'unknown'"
#define CHANGE(from, to, result) \
	"'expected':'" #from "','value':'" #to "','result':'" #result "'"
#define TOKEN(token, result)	"'token':" #token ",'result':'" #result "'"
#define SHARED(token, result)	"'shared':true," TOKEN(token, result)
#define HELD		"'result':'failed'"
#define LOST		"'result':'unknown'"

static void test_register(void **state)
{
	(void)state;
	expect(L(1, get, 0, 1, NOTHING) L(1, put, 2, 3, VALUE(a))
	       L(2, get, 4, 5, VALUE(a)), LINEARIZABLE);
	/* Side by side either order will do. */
	expect(L(1, put, 0, 10, VALUE(a)) L(2, put, 0, 10, VALUE(b))
	       L(3, get, 11, 12, VALUE(a)), LINEARIZABLE);
	expect(L(1, put, 0, 10, VALUE(a)) L(2, get, 1, 2, VALUE(a))
	       L(2, get, 3, 4, VALUE(a)), LINEARIZABLE);
	/* Numbers are values as well, and 5 is not "five". */
	expect("{'process':1,'operation':'put','key':'k','call':0,'return':1,"
	       "'value':5,'result':'ok'}\n" L(1, get, 2, 3, VALUE(5)),
	       LINEARIZABLE);
	expect("{'process':1,'operation':'put','key':'k','call':0,'return':1,"
	       "'value':5,'result':'ok'}\n" L(1, get, 2, 3, VALUE(five)),
	       NOT_LINEARIZABLE);
}

static void test_stale_read(void **state)
{
	(void)state;
	expect(L(1, put, 0, 1, VALUE(a)) L(1, put, 2, 3, VALUE(b))
	       L(2, get, 4, 5, VALUE(a)), NOT_LINEARIZABLE);
	expect(L(1, put, 0, 1, VALUE(a)) L(2, get, 2, 3, NOTHING),
	       NOT_LINEARIZABLE);
	/* The second read goes back behind the first. */
	expect(L(1, put, 0, 10, VALUE(a)) L(2, get, 1, 2, VALUE(a))
	       L(2, get, 3, 4, NOTHING), NOT_LINEARIZABLE);
	/* Nobody wrote that. */
	expect(L(1, put, 0, 1, VALUE(a)) L(2, get, 0, 1, VALUE(c)),
	       NOT_LINEARIZABLE);
	/* It returned the moment the other was called: that is no order. */
	expect(L(1, put, 0, 1, VALUE(a)) L(1, put, 2, 3, VALUE(b))
	       L(2, get, 3, 5, VALUE(a)), LINEARIZABLE);
}

static void test_lost_update(void **state)
{
	(void)state;
	expect(L(1, put, 0, 1, VALUE(a)) L(1, cas, 2, 9, CHANGE(a, b, ok))
	       L(2, cas, 2, 9, CHANGE(a, c, failed)), LINEARIZABLE);
	/* Both changed the same value. */
	expect(L(1, put, 0, 1, VALUE(a)) L(1, cas, 2, 9, CHANGE(a, b, ok))
	       L(2, cas, 2, 9, CHANGE(a, c, ok)), NOT_LINEARIZABLE);
	/* It failed, and nothing stood in its way. */
	expect(L(1, put, 0, 1, VALUE(a)) L(2, cas, 2, 9, CHANGE(a, c, failed)),
	       NOT_LINEARIZABLE);
	/* An acknowledged write is nowhere. */
	expect(L(1, put, 0, 1, VALUE(a)) L(1, put, 2, 3, VALUE(b))
	       L(2, get, 4, 5, VALUE(b)) L(1, get, 6, 7, VALUE(a)),
	       NOT_LINEARIZABLE);
}

static void test_unknown(void **state)
{
	(void)state;
	/* Much later, at once, or never. */
	expect(L(1, put, 0, 1, VALUE(a)) L(2, put, 2, null, MAYBE(b))
	       L(3, get, 10, 11, VALUE(a)) L(3, get, 12, 13, VALUE(b)),
	       LINEARIZABLE);
	expect(L(1, put, 0, 1, VALUE(a)) L(2, put, 2, null, MAYBE(b))
	       L(3, get, 3, 4, VALUE(b)), LINEARIZABLE);
	expect(L(1, put, 0, 1, VALUE(a)) L(2, put, 2, null, MAYBE(b))
	       L(3, get, 3, 4, VALUE(a)), LINEARIZABLE);
	/* But not before it was called, nor twice. */
	expect(L(1, put, 0, 1, VALUE(a)) L(2, put, 5, null, MAYBE(b))
	       L(3, get, 3, 4, VALUE(b)), NOT_LINEARIZABLE);
	expect(L(2, put, 0, null, MAYBE(b)) L(3, get, 1, 2, VALUE(b))
	       L(1, put, 3, 4, VALUE(a)) L(3, get, 5, 6, VALUE(b)),
	       NOT_LINEARIZABLE);
	/* Two of them, one upon the other. */
	expect(L(1, put, 0, 1, VALUE(a))
	       L(2, cas, 2, null, CHANGE(a, b, unknown))
	       L(3, cas, 3, null, CHANGE(b, c, unknown))
	       L(1, get, 9, 10, VALUE(c)), LINEARIZABLE);
	expect(L(1, put, 0, 1, VALUE(a))
	       L(3, cas, 3, null, CHANGE(b, c, unknown))
	       L(1, get, 9, 10, VALUE(c)), NOT_LINEARIZABLE);
	/* Either may have made the cas fail, but b is needed afterwards. */
	expect(L(1, put, 0, 1, VALUE(x)) L(2, put, 2, null, MAYBE(b))
	       L(3, put, 3, null, MAYBE(a))
	       L(1, cas, 4, 5, CHANGE(x, y, failed)) L(1, put, 6, 7, VALUE(c))
	       L(1, get, 8, 9, VALUE(b)), LINEARIZABLE);
	/* What had no effect cannot be read; a read that was lost is nothing. */
	expect("{'process':1,'operation':'put','key':'k','call':0,'return':1,"
	       "'value':'a','result':'none'}\n" L(1, get, 2, 3, VALUE(a)),
	       NOT_LINEARIZABLE);
	expect(L(1, get, 0, null, "'result':'unknown'")
	       L(1, put, 0, 1, VALUE(a)), LINEARIZABLE);
}

static void test_lock(void **state)
{
	(void)state;
	expect(L(1, acquire, 0, 1, TOKEN(5, ok)) L(2, acquire, 2, 3, HELD)
	       L(1, release, 4, 5, TOKEN(5, ok))
	       L(2, acquire, 6, 7, TOKEN(9, ok)), LINEARIZABLE);
	/* Two holders. */
	expect(L(1, acquire, 0, 1, TOKEN(5, ok))
	       L(2, acquire, 2, 3, TOKEN(6, ok)), NOT_LINEARIZABLE);
	/* A token that goes back, or stands. */
	expect(L(1, acquire, 0, 1, TOKEN(5, ok))
	       L(1, release, 2, 3, TOKEN(5, ok))
	       L(2, acquire, 4, 5, TOKEN(4, ok)), NOT_LINEARIZABLE);
	expect(L(1, acquire, 0, 1, TOKEN(5, ok))
	       L(1, release, 2, 3, TOKEN(5, ok))
	       L(2, acquire, 4, 5, TOKEN(5, ok)), NOT_LINEARIZABLE);
	/* It was free, and yet refused. */
	expect(L(1, acquire, 0, 1, HELD), NOT_LINEARIZABLE);
	/* Given back by somebody else, or with another token. */
	expect(L(1, acquire, 0, 1, TOKEN(5, ok))
	       L(2, release, 2, 3, TOKEN(5, ok)), NOT_LINEARIZABLE);
	expect(L(1, acquire, 0, 1, TOKEN(5, ok))
	       L(1, release, 2, 3, TOKEN(4, ok)), NOT_LINEARIZABLE);
	expect(L(1, acquire, 0, 1, TOKEN(5, ok))
	       L(1, release, 2, 3, TOKEN(4, failed))
	       L(2, acquire, 4, 5, HELD), LINEARIZABLE);
	/* A lease that ended is a release that nobody saw. */
	expect(L(1, acquire, 0, 1, TOKEN(5, ok)) L(1, release, 2, null, LOST)
	       L(2, acquire, 4, 5, HELD) L(2, acquire, 6, 7, TOKEN(9, ok)),
	       LINEARIZABLE);
	/* An acquire that nobody saw stands in the way, and was fenced. */
	expect(L(1, acquire, 0, null, LOST) L(2, acquire, 4, 5, HELD)
	       L(1, release, 6, 7, TOKEN(5, ok))
	       L(2, acquire, 8, 9, TOKEN(6, ok)), LINEARIZABLE);
	expect(L(1, acquire, 0, null, LOST) L(2, acquire, 4, 5, HELD)
	       L(1, release, 6, 7, TOKEN(5, ok))
	       L(2, acquire, 8, 9, TOKEN(4, ok)), NOT_LINEARIZABLE);
}

static void test_shared_lock(void **state)
{
	(void)state;
	/* Together, and then somebody alone. */
	expect(L(1, acquire, 0, 1, SHARED(5, ok))
	       L(2, acquire, 2, 3, SHARED(6, ok)) L(3, acquire, 4, 5, HELD)
	       L(1, release, 6, 7, TOKEN(5, ok)) L(3, acquire, 8, 9, HELD)
	       L(2, release, 10, 11, TOKEN(6, ok))
	       L(3, acquire, 12, 13, TOKEN(8, ok)), LINEARIZABLE);
	/* One of two has gone, and somebody has it alone. */
	expect(L(1, acquire, 0, 1, SHARED(5, ok))
	       L(2, acquire, 2, 3, SHARED(6, ok))
	       L(1, release, 4, 5, TOKEN(5, ok))
	       L(3, acquire, 6, 7, TOKEN(8, ok)), NOT_LINEARIZABLE);
	/* Nobody shares what is held alone. */
	expect(L(1, acquire, 0, 1, TOKEN(5, ok))
	       L(2, acquire, 2, 3, SHARED(6, ok)), NOT_LINEARIZABLE);
	expect(L(1, acquire, 0, 1, TOKEN(5, ok))
	       L(2, acquire, 2, 3, "'shared':true," HELD), LINEARIZABLE);
	/* Shared, it was refused to who would share it. */
	expect(L(1, acquire, 0, 1, SHARED(5, ok))
	       L(2, acquire, 2, 3, "'shared':true," HELD), NOT_LINEARIZABLE);
	/* It went by one that waited for it alone, and had the lower token. */
	expect(L(1, acquire, 0, 1, SHARED(5, ok))
	       L(2, acquire, 2, 3, SHARED(7, ok))
	       L(1, release, 4, 5, TOKEN(5, ok))
	       L(2, release, 4, 5, TOKEN(7, ok))
	       L(3, acquire, 2, 9, TOKEN(6, ok)), NOT_LINEARIZABLE);
	/* A token that goes back. */
	expect(L(1, acquire, 0, 1, SHARED(5, ok))
	       L(2, acquire, 2, 3, SHARED(4, ok)), NOT_LINEARIZABLE);
	/* A lease that ended lets go of its own part only. */
	expect(L(1, acquire, 0, 1, SHARED(5, ok))
	       L(2, acquire, 2, 3, SHARED(6, ok)) L(1, release, 4, null, LOST)
	       L(2, release, 5, 6, TOKEN(6, ok))
	       L(3, acquire, 7, 8, TOKEN(8, ok)), LINEARIZABLE);
	expect(L(1, acquire, 0, 1, SHARED(5, ok))
	       L(2, acquire, 2, 3, SHARED(6, ok)) L(1, release, 4, null, LOST)
	       L(3, acquire, 7, 8, TOKEN(8, ok)), NOT_LINEARIZABLE);
	/* One nobody saw begin, and one with a token, of the same process. */
	expect(L(1, acquire, 0, null, "'shared':true," LOST)
	       L(1, release, 1, null, LOST) L(1, acquire, 2, 3, SHARED(5, ok))
	       L(3, acquire, 4, 5, HELD) L(1, release, 6, 7, TOKEN(5, ok))
	       L(3, acquire, 8, 9, TOKEN(6, ok)), LINEARIZABLE);
}

/*
 * Most who want it give up, and nobody knows whether they had it: none of that
 * explains anything, and 2^200 histories are decided in a few configurations.
 */
static void test_lock_that_many_gave_up(void **state)
{
	struct found found;
	char *text = NULL, error[256] = "";
	size_t size;
	FILE *lines = open_memstream(&text, &size);
	const char *shared;
	int i, at;

	(void)state;
	assert_non_null(lines);
	for (i = 0; i < 100; i++) {
		at = 100 * i;
		shared = i % 3 ? "false" : "true";
		fprintf(lines, L(%d, acquire, %d, null, "'shared':%s," LOST)
			L(%d, release, %d, null, LOST), i % 6, at, shared,
			i % 6, at);
		fprintf(lines, L(%d, acquire, %d, %d,
				 "'shared':%s,'token':%d,'result':'ok'"),
			6 + i % 2, at + 10, at + 20, shared, i + 1);
		/* every fifth lets its lease end */
		if (i % 5)
			fprintf(lines, L(%d, release, %d, %d,
					 "'token':%d,'result':'ok'"),
				6 + i % 2, at + 50, at + 60, i + 1);
		else
			fprintf(lines, L(%d, release, %d, null, "'token':%d," LOST),
				6 + i % 2, at + 50, i + 1);
	}
	fflush(lines);
	assert_int_equal(verdict_of(text, &found, error), LINEARIZABLE);
	assert_in_range(found.configurations, 200, 2000);
	/* two hold it */
	fprintf(lines, L(8, acquire, 10000, 10001, "'token':1000,'result':'ok'")
		L(9, acquire, 10002, 10003, "'token':1001,'result':'ok'"));
	fclose(lines);
	assert_int_equal(verdict_of(text, &found, error), NOT_LINEARIZABLE);
	assert_in_range(found.configurations, 200, 2000);
	free(text);
}

static void test_queue(void **state)
{
	(void)state;
	expect(L(1, push, 0, 1, VALUE(a)) L(1, push, 2, 3, VALUE(b))
	       L(2, pop, 4, 5, VALUE(a)) L(2, pop, 6, 7, VALUE(b))
	       L(2, pop, 8, 9, NOTHING), LINEARIZABLE);
	/* Out of order, twice, lost. */
	expect(L(1, push, 0, 1, VALUE(a)) L(1, push, 2, 3, VALUE(b))
	       L(2, pop, 4, 5, VALUE(b)), NOT_LINEARIZABLE);
	expect(L(1, push, 0, 1, VALUE(a)) L(2, pop, 2, 3, VALUE(a))
	       L(3, pop, 2, 3, VALUE(a)), NOT_LINEARIZABLE);
	expect(L(1, push, 0, 1, VALUE(a)) L(2, pop, 2, 3, NOTHING),
	       NOT_LINEARIZABLE);
	expect(L(1, push, 0, null, MAYBE(a)) L(2, pop, 2, 3, NOTHING)
	       L(2, pop, 4, 5, VALUE(a)), LINEARIZABLE);
	/* Somebody took it, and died. */
	expect(L(1, push, 0, 1, VALUE(a)) L(2, pop, 2, null, LOST)
	       L(3, pop, 4, 5, NOTHING), LINEARIZABLE);
}

/* It would have taken a. That b went by it is no excuse. */
static void test_unknown_pop_of_known_item(void **state)
{
	(void)state;
	expect(L(1, push, 0, 1, VALUE(a)) L(1, push, 2, 3, VALUE(b))
	       L(2, pop, 4, null, MAYBE(a)) L(3, pop, 5, 6, VALUE(b))
	       L(3, pop, 7, 8, NOTHING), LINEARIZABLE);
	expect(L(1, push, 0, 1, VALUE(a)) L(1, push, 2, 3, VALUE(b))
	       L(2, pop, 4, null, MAYBE(a)) L(3, pop, 5, 6, VALUE(a))
	       L(3, pop, 7, 8, VALUE(b)), LINEARIZABLE);
	expect(L(1, push, 0, 1, VALUE(a)) L(1, push, 2, 3, VALUE(b))
	       L(2, pop, 4, null, MAYBE(a)) L(3, pop, 5, 6, VALUE(a))
	       L(3, pop, 7, 8, NOTHING), NOT_LINEARIZABLE);
}

/* The one that is named is the one at fault. */
static void test_stuck(void **state)
{
	struct found found;
	char error[256];

	(void)state;
	assert_int_equal(verdict_of(L(1, put, 0, 1, VALUE(a))
				    L(1, put, 2, 3, VALUE(b))
				    L(2, get, 4, 5, VALUE(a))
				    L(1, put, 6, 7, VALUE(c)),
				    &found, error), NOT_LINEARIZABLE);
	assert_int_equal(found.stuck, 2);
	assert_int_equal(found.reached, 2);
}

static void test_refused(void **state)
{
	(void)state;
	refused("{'process':1\n", "line 1: no JSON");
	refused("[]\n", "no object");
	refused(L(1, jump, 0, 1, VALUE(a)), "\"operation\" is none of");
	refused(L(1, get, 0, 1, "'result':'fine'"), "\"result\" is none of");
	refused(L(1, get, 0, 1, "'result':'failed'"), "a get does not fail");
	refused(L(1, put, 0, null, VALUE(a)), "no \"return\"");
	refused(L(1, put, 5, 4, VALUE(a)), "before it was called");
	refused(L(1, put, null, 4, VALUE(a)), "no \"call\"");
	refused(L(1, put, 1.5, 4, VALUE(a)), "no whole number");
	refused(L(1, acquire, 0, 1, "'shared':1,'token':5,'result':'ok'"),
		"neither true nor false");
	refused(L(1, put, 1, 4, "'value':[],'result':'ok'"), "no string");
	refused(L(1, acquire, 0, 1, "'result':'ok'"), "has a \"token\"");
	refused(L(1, put, 0, 1, VALUE(a)) "\n"
		L(1, pop, 2, 3, NOTHING), "line 3: pop of 'k'");
	refused("{'process':1,'process':2}\n", "no JSON");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_register),
		cmocka_unit_test(test_stale_read),
		cmocka_unit_test(test_lost_update),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_lock),
		cmocka_unit_test(test_shared_lock),
		cmocka_unit_test(test_lock_that_many_gave_up),
		cmocka_unit_test(test_queue),
		cmocka_unit_test(test_unknown_pop_of_known_item),
		cmocka_unit_test(test_stuck),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests_name("linearizability: known histories",
					   tests, NULL, NULL);
}
