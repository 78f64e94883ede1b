/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _BENCH_HTTP2_H
#define _BENCH_HTTP2_H

#include "../bench.h"

#define MESSAGE_ROOM	8192

struct message {
	size_t length;
	uint8_t bytes[MESSAGE_ROOM];
};

void message_add(struct message *message, const void *bytes, size_t length);

/* A connection to etcd's port at @member, whose namespace the process is in. */
struct http2;
struct http2 *http2_open(int member);
void http2_close(struct http2 *http2);
/*
 * Posts @request to @path, and waits for @answer, whose trailer says that the
 * status of gRPC is 0.
 */
void http2_call(struct http2 *http2, const char *path,
		const struct message *request, struct message *answer);

#endif
