// SPDX-License-Identifier: GPL-2.0
/*
 * etcd asked by one process, one request after the other, on one connection:
 * gRPC as etcd's own clients speak it, which is protobuf in HTTP/2. Prints what
 * bench prints.
 *
 * usage: bench-etcd MEMBER put|get BYTES ROUNDS WARM-UP
 */
#include <stdlib.h>
#include <string.h>
#include "http2.h"

#define KEY		"bench/key"
#define VALUE_MAX	4096
#define VARINT_MAX	10

/* etcd's rpc.proto and kv.proto */
#define PUT		"/etcdserverpb.KV/Put"
#define RANGE		"/etcdserverpb.KV/Range"
#define FIELD_KEY	1	/* of both requests */
#define FIELD_VALUE	2	/* of PutRequest */
#define FIELD_KV_VALUE	5	/* of KeyValue */

/* A field of bytes: its number and wire type 2, the length, the bytes. */
static void add_field(struct message *message, uint8_t number,
		      const void *bytes, size_t length)
{
	uint8_t head[1 + VARINT_MAX] = { number << 3 | 2 };
	size_t left, n = 1;

	for (left = length; left > 0x7f; left >>= 7)
		head[n++] = left | 0x80;
	head[n++] = left;
	message_add(message, head, n);
	message_add(message, bytes, length);
}

/* A message of gRPC: not compressed, the length with the highest byte first. */
static void frame(struct message *to, const struct message *request)
{
	const uint8_t head[5] = {
		0, request->length >> 24, request->length >> 16,
		request->length >> 8, request->length,
	};

	to->length = 0;
	message_add(to, head, sizeof(head));
	message_add(to, request->bytes, request->length);
}

static void put_request(struct message *request, const void *value,
			size_t size)
{
	struct message body = { 0 };

	add_field(&body, FIELD_KEY, KEY, strlen(KEY));
	add_field(&body, FIELD_VALUE, value, size);
	frame(request, &body);
}

static void get_request(struct message *request)
{
	struct message body = { 0 };

	add_field(&body, FIELD_KEY, KEY, strlen(KEY));
	frame(request, &body);
}

/* What was put is what a get finds. */
static void check(const struct message *got, const void *value, size_t size)
{
	static struct message field;

	field.length = 0;
	add_field(&field, FIELD_KV_VALUE, value, size);
	if (!memmem(got->bytes, got->length, field.bytes, field.length))
		fail("etcd does not have the value that was put");
}

static void rounds(int member, bool puts, const struct run *run,
		   uint64_t *samples)
{
	static struct message put, get, answer;
	struct http2 *etcd = http2_open(member);
	uint8_t *value = place_alloc(run->size);
	uint32_t i;

	get_request(&get);
	put_request(&put, value, run->size);
	http2_call(etcd, PUT, &put, &answer);
	for (i = 0; i < run_total(run); i++) {
		uint64_t start;

		if (puts) {
			value[i % run->size]++;
			put_request(&put, value, run->size);
		}
		start = place_clock();
		http2_call(etcd, puts ? PUT : RANGE, puts ? &put : &get,
			   &answer);
		samples[i] = place_clock() - start;
		if (!puts)
			check(&answer, value, run->size);
	}
	http2_call(etcd, RANGE, &get, &answer);
	check(&answer, value, run->size);
	http2_close(etcd);
	free(value);
}

int main(int argc, char **argv)
{
	struct run run = { 0 };
	uint64_t *samples;
	int member;

	if (argc != 6)
		fail("usage: bench-etcd MEMBER put|get BYTES ROUNDS WARM-UP");
	member = atoi(argv[1]);
	run.size = atoi(argv[3]);
	run.rounds = atoi(argv[4]);
	run.warmup = atoi(argv[5]);
	if (!run.size || run.size > VALUE_MAX || !run.rounds)
		fail("values have 1 to %d bytes, and rounds are some",
		     VALUE_MAX);
	samples = place_alloc(run_total(&run) * sizeof(*samples));
	place_enter(member);
	rounds(member, !strcmp(argv[2], "put"), &run, samples);
	samples_print(argv[2], &run, samples);
	free(samples);
	return 0;
}
