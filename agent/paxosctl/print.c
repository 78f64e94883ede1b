// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include "print.h"

#define JSON_DEPTH 8

bool print_json;
FILE *print_to;
FILE *complain_to;

/* Depth of the JSON that is open, what closes each level, and whether it has
 * a first element yet.
 */
static unsigned int depth;
static char closers[JSON_DEPTH];
static bool filled[JSON_DEPTH];

static FILE *out(void)
{
	return print_to ? print_to : stdout;
}

void print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(out(), format, args);
	va_end(args);
}

void complain(const char *format, ...)
{
	FILE *to = complain_to ? complain_to : stderr;
	va_list args;

	/* In the order in which a person would expect to see them. */
	fflush(out());
	va_start(args, format);
	fputs("paxosctl: ", to);
	vfprintf(to, format, args);
	fputc('\n', to);
	va_end(args);
}

int print_flush(void)
{
	if (!fflush(out()) && !ferror(out()))
		return 0;
	complain("cannot write the output: %s", strerror(errno));
	return -1;
}

/* The length of the character that starts here, 0 where it is not UTF-8. */
static size_t utf8_length(const uint8_t *at, size_t left)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t code;
	size_t n, i;

	if (at[0] < 0x80)
		return 1;
	if (at[0] >= 0xc2 && at[0] < 0xe0)
		n = 2;
	else if (at[0] >= 0xe0 && at[0] < 0xf0)
		n = 3;
	else if (at[0] >= 0xf0 && at[0] < 0xf5)
		n = 4;
	else
		return 0;
	if (left < n)
		return 0;
	code = at[0] & (0xff >> (n + 1));
	for (i = 1; i < n; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (at[i] & 0x3f);
	}
	if (code < least[n] || code > 0x10ffff ||
	    (code >= 0xd800 && code < 0xe000))
		return 0;
	return n;
}

static bool is_utf8(const uint8_t *at, size_t left)
{
	size_t n;

	for (; left; at += n, left -= n) {
		n = utf8_length(at, left);
		if (!n)
			return false;
	}
	return true;
}

/* Would a terminal take it for a command? */
static bool is_control(const uint8_t *at, size_t n)
{
	if (n == 1)
		return at[0] < 0x20 || at[0] == 0x7f;
	return n == 2 && at[0] == 0xc2 && at[1] < 0xa0;
}

/* How many bytes from @at on stand for themselves. */
static size_t plain_length(const uint8_t *at, size_t length)
{
	size_t n;

	for (n = 0; n < length; n++)
		if (at[n] < 0x20 || at[n] > 0x7e || at[n] == '\\')
			break;
	return n;
}

void print_escaped(const void *bytes, size_t length)
{
	static const char letters[] = "\nn\tt\rr\\\\";
	const uint8_t *at = bytes;
	const char *letter;
	size_t n;

	for (; length; at += n, length -= n) {
		n = plain_length(at, length);
		if (n) {
			print_raw(at, n);
			continue;
		}
		n = utf8_length(at, length);
		letter = *at ? strchr(letters, *at) : NULL;
		if (n == 1 && letter && (letter - letters) % 2 == 0) {
			print("\\%c", letter[1]);
		} else if (!n || is_control(at, n)) {
			n = 1;
			print("\\x%02x", *at);
		} else {
			print_raw(at, n);
		}
	}
}

void print_raw(const void *bytes, size_t length)
{
	fwrite(bytes, 1, length, out());
}

const char *print_duration(char text[DURATION_SIZE], uint64_t ns)
{
	if (ns < 1000000)
		snprintf(text, DURATION_SIZE, "%" PRIu64 " us", ns / 1000);
	else if (ns < 99950000)
		snprintf(text, DURATION_SIZE, "%.3g ms", ns / 1e6);
	else if (ns < 999500000)
		snprintf(text, DURATION_SIZE, "%.0f ms", ns / 1e6);
	else
		snprintf(text, DURATION_SIZE, "%.1f s", ns / 1e9);
	return text;
}

const char *print_ballot(char text[BALLOT_SIZE], uint64_t ballot)
{
	if (ballot)
		snprintf(text, BALLOT_SIZE, "%" PRIu64 ".%u", ballot >> 8,
			 (unsigned int)(ballot & 0xff));
	else
		snprintf(text, BALLOT_SIZE, "none");
	return text;
}

static void json_escaped(const uint8_t *at, size_t length)
{
	fputc('"', out());
	for (; length; at++, length--) {
		if (*at == '"' || *at == '\\')
			print("\\%c", *at);
		else if (*at < 0x20 || *at == 0x7f)
			print("\\u%04x", *at);
		else
			fputc(*at, out());
	}
	fputc('"', out());
}

static void json_name(const char *name)
{
	if (depth) {
		if (filled[depth - 1])
			fputc(',', out());
		filled[depth - 1] = true;
	}
	if (name)
		print("\"%s\":", name);
}

static void json_open(const char *name, char opener, char closer)
{
	if (depth == JSON_DEPTH)
		abort();
	json_name(name);
	fputc(opener, out());
	closers[depth] = closer;
	filled[depth] = false;
	depth++;
}

void json_object(const char *name)
{
	json_open(name, '{', '}');
}

void json_array(const char *name)
{
	json_open(name, '[', ']');
}

void json_end(void)
{
	if (!depth)
		abort();
	fputc(closers[--depth], out());
	if (!depth)
		fputc('\n', out());
}

void json_number(const char *name, uint64_t number)
{
	json_name(name);
	print("%" PRIu64, number);
}

void json_decimal(const char *name, double number)
{
	json_name(name);
	print("%.3f", number);
}

void json_maybe(const char *name, struct maybe number)
{
	if (number.known)
		json_number(name, number.value);
	else
		json_null(name);
}

void json_bool(const char *name, bool truth)
{
	json_name(name);
	print("%s", truth ? "true" : "false");
}

void json_string(const char *name, const char *text)
{
	json_bytes(name, text, strlen(text));
}

void json_null(const char *name)
{
	json_name(name);
	print("null");
}

void json_bytes(const char *name, const void *bytes, size_t length)
{
	size_t size = sodium_base64_ENCODED_LEN(length,
						sodium_base64_VARIANT_ORIGINAL);
	char base64[64], *text;

	if (is_utf8(bytes, length)) {
		json_name(name);
		json_escaped(bytes, length);
		return;
	}
	text = malloc(size);
	if (!text)
		abort();
	sodium_bin2base64(text, size, bytes, length,
			  sodium_base64_VARIANT_ORIGINAL);
	snprintf(base64, sizeof(base64), "%s_base64", name);
	json_name(base64);
	print("\"%s\"", text);
	free(text);
}

void table_cell(struct table *table, const char *format, ...)
{
	va_list args;

	if (table->n_cells % 64 == 0) {
		table->cells = reallocarray(table->cells, table->n_cells + 64,
					    sizeof(*table->cells));
		if (!table->cells)
			abort();
	}
	va_start(args, format);
	if (vasprintf(&table->cells[table->n_cells++], format, args) < 0)
		abort();
	va_end(args);
}

void table_maybe(struct table *table, struct maybe number)
{
	if (number.known)
		table_cell(table, "%" PRIu64, number.value);
	else
		table_cell(table, "-");
}

void table_print(struct table *table, const char *indent)
{
	unsigned int last = table->columns - 1, column, i;
	int width[TABLE_COLUMNS] = { 0 }, length;

	if (table->columns > TABLE_COLUMNS)
		abort();
	for (i = 0; i < table->n_cells; i++) {
		length = strlen(table->cells[i]);
		column = i % table->columns;
		if (width[column] < length)
			width[column] = length;
	}
	for (i = 0; i < table->n_cells; i++) {
		column = i % table->columns;
		print("%s", column ? "  " : indent);
		if (table->right & 1U << column)
			print("%*s", width[column], table->cells[i]);
		else if (column < last)
			print("%-*s", width[column], table->cells[i]);
		else
			print("%s", table->cells[i]);
		if (column == last)
			print("\n");
		free(table->cells[i]);
	}
	free(table->cells);
	table->cells = NULL;
	table->n_cells = 0;
}
