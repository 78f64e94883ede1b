// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "history.h"

static const struct {
	const char *name;
	enum object object;
} kinds[KINDS] = {
	[PUT] = { "put", REGISTER },
	[GET] = { "get", REGISTER },
	[CAS] = { "cas", REGISTER },
	[ACQUIRE] = { "acquire", LOCK },
	[RELEASE] = { "release", LOCK },
	[PUSH] = { "push", QUEUE },
	[POP] = { "pop", QUEUE },
};

const char *kind_name(uint8_t kind)
{
	return kinds[kind].name;
}

enum object kind_object(uint8_t kind)
{
	return kinds[kind].object;
}

/* The keys by their track and the values by their number, from 1. */
struct reader {
	struct history *history;
	json_t *keys;
	json_t *values;
	uint32_t line;
	char *error;
	size_t size;
};

__attribute__((format(printf, 2, 3)))
static int wrong(struct reader *reader, const char *format, ...)
{
	int n = snprintf(reader->error, reader->size, "line %" PRIu32 ": ",
			 reader->line);
	va_list args;

	va_start(args, format);
	vsnprintf(reader->error + n, reader->size - n, format, args);
	va_end(args);
	return -1;
}

/* Room for one more of @n, in powers of two. */
static void *grow(void *array, uint32_t n, uint32_t *room, size_t each)
{
	if (n < *room)
		return array;
	*room = *room ? 2 * *room : 16;
	array = reallocarray(array, *room, each);
	if (!array)
		abort();
	return array;
}

static struct track *find_track(struct reader *reader, const char *key,
				enum object object)
{
	struct history *history = reader->history;
	const json_t *known = json_object_get(reader->keys, key);
	struct track *track;

	if (known)
		return &history->tracks[json_integer_value(known)];
	history->tracks = reallocarray(history->tracks, history->n + 1,
				       sizeof(*track));
	if (!history->tracks)
		abort();
	json_object_set_new(reader->keys, key, json_integer(history->n));
	track = &history->tracks[history->n++];
	*track = (struct track){ .key = strdup(key), .object = object };
	return track;
}

/* Strings and numbers are values; null, and what is not there, is none. */
static int take_value(struct reader *reader, const json_t *line,
		      const char *name, uint64_t *value)
{
	json_t *found = json_object_get(line, name);
	char number[24];
	const char *text = json_string_value(found);
	const json_t *known;

	*value = 0;
	if (!found || json_is_null(found))
		return 0;
	if (json_is_integer(found)) {
		snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
			 json_integer_value(found));
		text = number;
	}
	if (!text)
		return wrong(reader, "\"%s\" is no string, number or null",
			     name);
	known = json_object_get(reader->values, text);
	if (!known) {
		*value = json_object_size(reader->values) + 1;
		json_object_set_new(reader->values, text, json_integer(*value));
		return 0;
	}
	*value = json_integer_value(known);
	return 0;
}

#define REQUIRED (-1)

static int take_number(struct reader *reader, const json_t *line,
		       const char *name, int64_t otherwise, int64_t *number)
{
	const json_t *found = json_object_get(line, name);

	*number = otherwise;
	if (!found || json_is_null(found))
		return otherwise != REQUIRED ? 0 :
		       wrong(reader, "no \"%s\"", name);
	if (!json_is_integer(found))
		return wrong(reader, "\"%s\" is no whole number", name);
	*number = json_integer_value(found);
	return 0;
}

static int take_bool(struct reader *reader, const json_t *line,
		     const char *name, bool *value)
{
	const json_t *found = json_object_get(line, name);

	*value = json_is_true(found);
	if (found && !json_is_boolean(found))
		return wrong(reader, "\"%s\" is neither true nor false", name);
	return 0;
}

static int take_kind(struct reader *reader, const json_t *line, uint8_t *kind)
{
	const char *name = json_string_value(json_object_get(line,
							     "operation"));

	for (*kind = 0; name && *kind < KINDS; ++*kind)
		if (!strcmp(name, kinds[*kind].name))
			return 0;
	return wrong(reader, "\"operation\" is none of put, get, cas, acquire, release, push, pop");
}

/* 1: it certainly had no effect and saw nothing, so it is left out. */
static int take_result(struct reader *reader, const json_t *line,
		       struct operation *operation)
{
	static const char *const names[] = { "ok", "failed", "unknown" };
	const char *name = json_string_value(json_object_get(line, "result"));
	unsigned int i;

	if (name && !strcmp(name, "none"))
		return 1;
	for (i = 0; name && i < 3; i++)
		if (!strcmp(name, names[i]))
			break;
	if (!name || i == 3)
		return wrong(reader, "\"result\" is none of ok, failed, unknown, none");
	operation->result = i;
	if (i == FAILED && operation->kind != CAS &&
	    operation->kind != ACQUIRE && operation->kind != RELEASE)
		return wrong(reader, "a %s does not fail: what had no effect is none",
			     kind_name(operation->kind));
	/* What nobody has seen, and what changes nothing, says nothing. */
	return i == UNKNOWN && operation->kind == GET;
}

static int take_operation(struct reader *reader, const json_t *line,
			  struct operation *operation)
{
	int64_t token;
	int left_out;

	*operation = (struct operation){ .line = reader->line };
	if (take_kind(reader, line, &operation->kind))
		return -1;
	left_out = take_result(reader, line, operation);
	if (left_out)
		return left_out;
	if (take_number(reader, line, "process", REQUIRED,
			&operation->process) ||
	    take_number(reader, line, "call", REQUIRED, &operation->call) ||
	    take_number(reader, line, "return", NEVER, &operation->end) ||
	    take_number(reader, line, "token", 0, &token) ||
	    take_bool(reader, line, "shared", &operation->shared) ||
	    take_value(reader, line, "value", &operation->value) ||
	    take_value(reader, line, "expected", &operation->expected))
		return -1;
	operation->token = token;
	if (operation->result == UNKNOWN) {
		operation->end = NEVER;
		return 0;
	}
	if (operation->end == NEVER)
		return wrong(reader, "no \"return\": then the result is unknown");
	if (operation->end < operation->call)
		return wrong(reader, "it returned before it was called");
	if (operation->kind == ACQUIRE && operation->result == OK && token <= 0)
		return wrong(reader, "who acquires a lock has a \"token\" above 0");
	if (operation->kind == PUSH && !operation->value)
		return wrong(reader, "nothing is pushed");
	return 0;
}

static int take_line(struct reader *reader, const json_t *line)
{
	const char *key = json_string_value(json_object_get(line, "key"));
	struct operation operation;
	struct track *track;
	int left_out;

	if (!json_is_object(line))
		return wrong(reader, "no object");
	if (!key)
		return wrong(reader, "no \"key\"");
	left_out = take_operation(reader, line, &operation);
	if (left_out)
		return left_out < 0 ? -1 : 0;
	track = find_track(reader, key, kind_object(operation.kind));
	if (track->object != kind_object(operation.kind))
		return wrong(reader, "%s of '%s', which is another object",
			     kind_name(operation.kind), key);
	track->operations = grow(track->operations, track->n, &track->room,
				 sizeof(operation));
	track->operations[track->n++] = operation;
	reader->history->operations++;
	return 0;
}

int history_read(struct history *history, FILE *in, char *error, size_t size)
{
	struct reader reader = {
		.history = history,
		.keys = json_object(),
		.values = json_object(),
		.error = error,
		.size = size,
	};
	json_error_t why;
	size_t room = 0;
	char *text = NULL;
	ssize_t length;
	json_t *line;
	int result = 0;

	*history = (struct history){ 0 };
	while (!result && (length = getline(&text, &room, in)) >= 0) {
		reader.line++;
		if (text[strspn(text, " \t\r\n")] == '\0')
			continue;
		line = json_loadb(text, length, JSON_REJECT_DUPLICATES, &why);
		result = line ? take_line(&reader, line) :
				wrong(&reader, "no JSON: %s", why.text);
		json_decref(line);
	}
	if (!result && ferror(in)) {
		snprintf(error, size, "cannot be read");
		result = -1;
	}
	free(text);
	json_decref(reader.keys);
	json_decref(reader.values);
	if (result)
		history_free(history);
	return result;
}

void history_free(struct history *history)
{
	uint32_t i;

	for (i = 0; i < history->n; i++) {
		free(history->tracks[i].key);
		free(history->tracks[i].operations);
	}
	free(history->tracks);
	*history = (struct history){ 0 };
}
