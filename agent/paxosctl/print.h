/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSCTL_PRINT_H
#define _PAXOSCTL_PRINT_H

/*
 * All that goes to standard output passes through here, as text for people or
 * as JSON. JSON is one object a line, so that a stream of them can be read as
 * they come.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A number that the kernel may not have told. */
struct maybe {
	bool known;
	uint64_t value;
};

/* What one asks of this module: JSON instead of text. */
extern bool print_json;
/* Where to; standard output and error unless a test says otherwise. */
extern FILE *print_to;
extern FILE *complain_to;

__attribute__((format(printf, 1, 2)))
void print(const char *format, ...);
/* A sentence to standard error behind "paxosctl: ". */
__attribute__((format(printf, 1, 2)))
void complain(const char *format, ...);
/* Everything out, or a complaint and -1: a full disk is no success. */
int print_flush(void);

/*
 * Bytes in which a person can see every byte: valid UTF-8 that a terminal can
 * show stands as it is, the rest as \n, \t, \r, \\ and \xNN.
 */
void print_escaped(const void *bytes, size_t length);
void print_raw(const void *bytes, size_t length);

#define DURATION_SIZE 32
/* "412 us", "3.21 ms", "1.24 s" */
const char *print_duration(char text[DURATION_SIZE], uint64_t ns);
#define BALLOT_SIZE 32
/* "7.2": round 7 of member 2. "none" for ballot 0. */
const char *print_ballot(char text[BALLOT_SIZE], uint64_t ballot);

/* A name is NULL in an array and for the outermost object. */
void json_object(const char *name);
void json_array(const char *name);
/* Ends the innermost object or array; the outermost ends its line too. */
void json_end(void);
void json_number(const char *name, uint64_t number);
/* To three places; finite. */
void json_decimal(const char *name, double number);
void json_maybe(const char *name, struct maybe number);
void json_bool(const char *name, bool truth);
void json_string(const char *name, const char *text);
void json_null(const char *name);
/* As "name" where the bytes are UTF-8, otherwise as "name_base64". */
void json_bytes(const char *name, const void *bytes, size_t length);

#define TABLE_COLUMNS 12
/**
 * struct table - cells that are printed in columns, the first row a heading
 * @columns: how many
 * @right: bit i: column i is aligned to the right
 * @cells: row by row; grown by table_cell()
 */
struct table {
	unsigned int columns;
	unsigned int right;
	unsigned int n_cells;
	char **cells;
};

__attribute__((format(printf, 2, 3)))
void table_cell(struct table *table, const char *format, ...);
/* A number, or "-" where it is not known. */
void table_maybe(struct table *table, struct maybe number);
/* Print it behind @indent, and free the cells. */
void table_print(struct table *table, const char *indent);

#endif
