// SPDX-License-Identifier: GPL-2.0
/*
 * One request after the other on one connection. Not libcurl: that of Debian 12
 * fails at the second one (curl issue 10634).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "http2.h"

#define PORT	2379

/**
 * struct http2 - a connection, and the request under way
 * @request: to be sent; @sent of it were
 * @answer: what came
 * @fine: so says the trailer
 * @over: the answer is all there
 */
struct http2 {
	nghttp2_session *session;
	int fd;
	char authority[32];
	const struct message *request;
	size_t sent;
	struct message *answer;
	bool fine;
	bool over;
};

void message_add(struct message *message, const void *bytes, size_t length)
{
	if (length > MESSAGE_ROOM - message->length)
		fail("a message is over %d bytes", MESSAGE_ROOM);
	memcpy(message->bytes + message->length, bytes, length);
	message->length += length;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream,
		   const uint8_t *bytes, size_t length, void *context)
{
	struct http2 *http2 = context;

	(void)session, (void)flags, (void)stream;
	message_add(http2->answer, bytes, length);
	return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame,
		     const uint8_t *name, size_t name_length,
		     const uint8_t *value, size_t value_length, uint8_t flags,
		     void *context)
{
	struct http2 *http2 = context;

	(void)session, (void)frame, (void)flags;
	if (name_length == strlen("grpc-status") &&
	    !memcmp(name, "grpc-status", name_length))
		http2->fine = value_length == 1 && *value == '0';
	return 0;
}

static int on_close(nghttp2_session *session, int32_t stream, uint32_t error,
		    void *context)
{
	struct http2 *http2 = context;

	(void)session, (void)stream, (void)error;
	http2->over = true;
	return 0;
}

static ssize_t read_request(nghttp2_session *session, int32_t stream,
			    uint8_t *bytes, size_t length, uint32_t *flags,
			    nghttp2_data_source *source, void *context)
{
	struct http2 *http2 = context;
	size_t left = http2->request->length - http2->sent;

	(void)session, (void)stream, (void)source;
	if (length > left)
		length = left;
	memcpy(bytes, http2->request->bytes + http2->sent, length);
	http2->sent += length;
	if (length == left)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return length;
}

/* All that is to be said, at once. */
static void flush(struct http2 *http2)
{
	static struct message out;
	const uint8_t *bytes;
	ssize_t length;

	out.length = 0;
	while ((length = nghttp2_session_mem_send(http2->session, &bytes)) > 0)
		message_add(&out, bytes, length);
	if (length < 0)
		fail("HTTP/2: %s", nghttp2_strerror(length));
	if (out.length && send(http2->fd, out.bytes, out.length, 0) !=
	    (ssize_t)out.length)
		fail("cannot send to etcd: %s", strerror(errno));
}

static void hear(struct http2 *http2)
{
	uint8_t bytes[MESSAGE_ROOM];
	ssize_t length = recv(http2->fd, bytes, sizeof(bytes), 0);

	if (length <= 0)
		fail("etcd does not answer: %s",
		     length ? strerror(errno) : "it closed the connection");
	length = nghttp2_session_mem_recv(http2->session, bytes, length);
	if (length < 0)
		fail("HTTP/2: %s", nghttp2_strerror(length));
}

#define HEADER(key, text) {						\
	.name = (uint8_t *)(key), .namelen = strlen(key),		\
	.value = (uint8_t *)(text), .valuelen = strlen(text),		\
}

void http2_call(struct http2 *http2, const char *path,
		const struct message *request, struct message *answer)
{
	const nghttp2_data_provider body = { .read_callback = read_request };
	const nghttp2_nv headers[] = {
		HEADER(":method", "POST"),
		HEADER(":scheme", "http"),
		HEADER(":path", path),
		HEADER(":authority", http2->authority),
		HEADER("content-type", "application/grpc"),
		HEADER("te", "trailers"),
	};
	int32_t stream;

	http2->request = request;
	http2->sent = 0;
	http2->answer = answer;
	http2->fine = false;
	http2->over = false;
	answer->length = 0;
	stream = nghttp2_submit_request(http2->session, NULL, headers,
					sizeof(headers) / sizeof(headers[0]),
					&body, NULL);
	if (stream < 0)
		fail("HTTP/2: %s", nghttp2_strerror(stream));
	flush(http2);
	while (!http2->over) {
		hear(http2);
		flush(http2);
	}
	if (!http2->fine)
		fail("etcd refused a request");
}

static void begin_session(struct http2 *http2)
{
	nghttp2_session_callbacks *callbacks;

	if (nghttp2_session_callbacks_new(&callbacks))
		fail("no memory for HTTP/2");
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks,
								  on_data);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks,
							       on_close);
	if (nghttp2_session_client_new(&http2->session, callbacks, http2) ||
	    nghttp2_submit_settings(http2->session, NGHTTP2_FLAG_NONE, NULL, 0))
		fail("no memory for HTTP/2");
	nghttp2_session_callbacks_del(callbacks);
}

struct http2 *http2_open(int member)
{
	const struct sockaddr_in peer = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = place_address(member),
		.sin_port = htons(PORT),
	};
	struct http2 *http2 = place_alloc(sizeof(*http2));
	const int on = 1;

	http2->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (http2->fd < 0 ||
	    setsockopt(http2->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) ||
	    connect(http2->fd, (const struct sockaddr *)&peer, sizeof(peer)))
		fail("cannot connect to etcd: %s", strerror(errno));
	snprintf(http2->authority, sizeof(http2->authority), "10.9.0.%d:%d",
		 member, PORT);
	begin_session(http2);
	return http2;
}

void http2_close(struct http2 *http2)
{
	nghttp2_session_del(http2->session);
	close(http2->fd);
	free(http2);
}
