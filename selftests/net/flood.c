// SPDX-License-Identifier: GPL-2.0
/*
 * Datagrams that must change nothing. Prints, as "REASON COUNT" lines, how
 * many of them the receiver has to have dropped for which reason.
 *
 * usage: flood [OPTION...] outsider|insider|recorded ADDRESS PORT
 *
 *   -k KEY      the group's key in base64    -c CLUSTER  its cluster id in hex
 *   -g GROUP    its id                       -n COUNT    datagrams to send
 *   -f FROM     who the datagrams say sent them, -t TO: and to whom
 *   -s SEED     the same seed sends the same datagrams
 *
 * An outsider has heard the group's datagrams but has no key: random bytes,
 * genuine datagrams cut, lengthened or with a bit flipped, whole ones under
 * another key, and some as large as UDP carries. An insider has the key and is
 * broken: the tag is right, one other thing is not. The Accept that all of them
 * start from has so high a ballot that its acceptance would show. Recorded are
 * right answers to Probes of long ago.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <asm/byteorder.h>
#include "core/config.h"
#include "core/wire.h"

#define KEY_SIZE	16	/* of the group's key, and of the cluster id */
#define VALUE_SIZE	600	/* of the largest value that is in an Accept */
#define RANDOM_MAX	1500
#define HUGE_EVERY	500	/* such a datagram is some 45 fragments */
#define UDP_MAX		65507
#define BALLOT		(1000000ULL << 8)

enum reason { SHORT, LONG, VERSION, TYPE, MALFORMED, SENDER, ADDRESSEE, EPOCH,
	      GROUP, TAG, STALE, REASONS };
#define INSIDERS STALE	/* reasons that one who has the key may give */

static const char * const names[REASONS] = {
	"short", "long", "version", "type", "malformed", "sender",
	"addressee", "epoch", "group", "tag", "stale",
};

struct flood {
	uint8_t key[KEY_SIZE];
	uint8_t cluster[KEY_SIZE];
	uint32_t group;
	uint8_t from;
	uint8_t to;
	uint64_t random;
	uint8_t datagram[UDP_MAX];
	size_t len;
};

__attribute__((format(printf, 1, 2), noreturn))
static void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("flood: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

/* Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014 */
static uint64_t draw(struct flood *flood, uint64_t below)
{
	uint64_t z = flood->random += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return (z ^ z >> 31) % below;
}

static void scribble(struct flood *flood, size_t from, size_t to)
{
	for (; from < to; from++)
		flood->datagram[from] = draw(flood, 256);
}

static struct paxos_wire_header *header(struct flood *flood)
{
	return (struct paxos_wire_header *)flood->datagram;
}

/* As the kernel derives the key of datagrams from the group's: kmod/auth.c */
static void sign(struct flood *flood)
{
	uint8_t derived[KEY_SIZE], text[KEY_SIZE + 1];
	unsigned int half;

	memcpy(text, flood->cluster, KEY_SIZE);
	for (half = 0; half < 2; half++) {
		text[KEY_SIZE] = half;
		crypto_shorthash(derived + 8 * half, text, sizeof(text),
				 flood->key);
	}
	crypto_shorthash(flood->datagram, flood->datagram + 8, flood->len - 8,
			 derived);
}

/* A genuine Accept for the first slot, of a value with a length of its own. */
static void genuine(struct flood *flood)
{
	uint32_t value = draw(flood, VALUE_SIZE);
	struct paxos_wire_item *item =
		(struct paxos_wire_item *)(header(flood) + 1);

	flood->len = sizeof(*header(flood)) + paxos_wire_item_size(value);
	memset(flood->datagram, 0, flood->len);
	*header(flood) = (struct paxos_wire_header){
		.version = PAXOS_WIRE_VERSION,
		.type = PAXOS_ACCEPT,
		.from = flood->from,
		.to = flood->to,
		.group = cpu_to_le32(flood->group),
		.epoch = cpu_to_le32(1),
		.ballot = cpu_to_le64(BALLOT | flood->from),
		.count = cpu_to_le32(1),
	};
	item->slot = cpu_to_le64(1);
	item->ballot = cpu_to_le64(BALLOT | flood->from);
	item->incarnation = cpu_to_le64(1);
	item->seq = cpu_to_le64(1);
	item->len = cpu_to_le32(value);
	item->kind = PAXOS_DATA;
	item->member = flood->from;
	memset(item->bytes, 'x', value);
	sign(flood);
}

/* What is wrong with a datagram that has no right tag, in the order of looks. */
static enum reason look(struct flood *flood)
{
	if (flood->len < sizeof(*header(flood)))
		return SHORT;
	if (header(flood)->version != PAXOS_WIRE_VERSION)
		return VERSION;
	if (header(flood)->group != cpu_to_le32(flood->group))
		return GROUP;
	if (flood->len > PAXOS_DATAGRAM_MAX)
		return LONG;
	return TAG;
}

static enum reason outsider(struct flood *flood, uint64_t number)
{
	uint64_t bit;
	size_t more;

	if (number % HUGE_EVERY == HUGE_EVERY - 1) {
		genuine(flood);
		more = flood->len;
		flood->len = PAXOS_DATAGRAM_MAX + 1 +
			     draw(flood, UDP_MAX - PAXOS_DATAGRAM_MAX);
		memset(flood->datagram + more, 'x', flood->len - more);
		return look(flood);
	}
	switch (number % 6) {
	case 0:
		flood->len = draw(flood, RANDOM_MAX);
		scribble(flood, 0, flood->len);
		break;
	case 1:
		flood->len = draw(flood, RANDOM_MAX);
		scribble(flood, 0, flood->len);
		header(flood)->version = PAXOS_WIRE_VERSION;
		header(flood)->group = cpu_to_le32(flood->group);
		break;
	case 2:
		genuine(flood);
		flood->len = draw(flood, flood->len);
		break;
	case 3:
		genuine(flood);
		more = 1 + draw(flood, 64);
		scribble(flood, flood->len, flood->len + more);
		flood->len += more;
		break;
	case 4:
		flood->key[0] ^= 1;
		genuine(flood);
		flood->key[0] ^= 1;
		break;
	case 5:
		genuine(flood);
		bit = draw(flood, 8 * flood->len);
		flood->datagram[bit / 8] ^= 1 << bit % 8;
		break;
	}
	return look(flood);
}

static enum reason insider(struct flood *flood, uint64_t number)
{
	enum reason reason;
	size_t more;

	genuine(flood);
	reason = number % INSIDERS;
	switch (reason) {
	case SHORT:
		flood->len = sizeof(*header(flood)) +
			     draw(flood, flood->len - sizeof(*header(flood)));
		break;
	case LONG:
		more = 1 + draw(flood, 64);
		scribble(flood, flood->len, flood->len + more);
		flood->len += more;
		break;
	case VERSION:
		header(flood)->version = PAXOS_WIRE_VERSION + 1;
		break;
	case TYPE:
		header(flood)->type = draw(flood, 2) ? 0 : PAXOS_TYPES;
		break;
	case MALFORMED:
		if (draw(flood, 2))
			header(flood)->zero = cpu_to_le32(1);
		else
			header(flood)->count = cpu_to_le32(1 << 30);
		break;
	case SENDER:
		header(flood)->from = PAXOS_MEMBERS_MAX;
		break;
	case ADDRESSEE:
		header(flood)->to = PAXOS_MEMBERS_MAX;
		break;
	case EPOCH:
		header(flood)->epoch = cpu_to_le32(2);
		break;
	case GROUP:
		header(flood)->group = cpu_to_le32(flood->group + 1);
		break;
	default:
		/* The tag itself, the right one but for its last bit. */
		header(flood)->tag ^= cpu_to_le64(1ULL << 63);
		return TAG;
	}
	sign(flood);
	return reason;
}

static enum reason recorded(struct flood *flood, uint64_t number)
{
	struct paxos_wire_probe *probe =
		(struct paxos_wire_probe *)(header(flood) + 1);

	flood->len = sizeof(*header(flood)) + sizeof(*probe);
	memset(flood->datagram, 0, flood->len);
	*header(flood) = (struct paxos_wire_header){
		.version = PAXOS_WIRE_VERSION,
		.type = PAXOS_PROBE_REPLY,
		.from = flood->from,
		.to = flood->to,
		.group = cpu_to_le32(flood->group),
		.epoch = cpu_to_le32(1),
		.stamp = cpu_to_le32(1 + number),
	};
	probe->incarnation = cpu_to_le64(1);
	sign(flood);
	return STALE;
}

static int connected(const char *address, const char *port)
{
	struct addrinfo hints = {
		.ai_socktype = SOCK_DGRAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
	};
	struct addrinfo *found;
	int error, fd;

	error = getaddrinfo(address, port, &hints, &found);
	if (error)
		fail("%s port %s: %s", address, port, gai_strerror(error));
	fd = socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen))
		fail("%s port %s: %s", address, port, strerror(errno));
	freeaddrinfo(found);
	return fd;
}

int main(int argc, char **argv)
{
	static struct flood flood = { .group = 1, .from = 2, .to = 1 };
	uint64_t sent[REASONS] = { 0 }, count = 1000, number;
	enum reason (*next)(struct flood *flood, uint64_t number) = NULL;
	enum reason reason;
	size_t length;
	int option, fd;

	while ((option = getopt(argc, argv, "k:c:g:n:f:t:s:")) != -1) {
		switch (option) {
		case 'k':
			if (sodium_base642bin(flood.key, KEY_SIZE, optarg,
					      strlen(optarg), NULL, &length,
					      NULL,
					      sodium_base64_VARIANT_ORIGINAL) ||
			    length != KEY_SIZE)
				fail("-k takes 16 bytes in base64");
			break;
		case 'c':
			if (sodium_hex2bin(flood.cluster, KEY_SIZE, optarg,
					   strlen(optarg), NULL, &length,
					   NULL) ||
			    length != KEY_SIZE)
				fail("-c takes 16 bytes in hex");
			break;
		case 'g':
			flood.group = strtoul(optarg, NULL, 10);
			break;
		case 'n':
			count = strtoull(optarg, NULL, 10);
			break;
		case 'f':
			flood.from = atoi(optarg);
			break;
		case 't':
			flood.to = atoi(optarg);
			break;
		case 's':
			flood.random = strtoull(optarg, NULL, 10);
			break;
		default:
			return 1;
		}
	}
	if (argc - optind == 3 && !strcmp(argv[optind], "outsider"))
		next = outsider;
	if (argc - optind == 3 && !strcmp(argv[optind], "insider"))
		next = insider;
	if (argc - optind == 3 && !strcmp(argv[optind], "recorded"))
		next = recorded;
	if (!next)
		fail("usage: flood [OPTION...] outsider|insider|recorded ADDRESS PORT");

	fd = connected(argv[optind + 1], argv[optind + 2]);
	for (number = 0; number < count; number++) {
		reason = next(&flood, number);
		if (send(fd, flood.datagram, flood.len, 0) !=
		    (ssize_t)flood.len)
			fail("datagram %llu of %zu bytes: %s",
			     (unsigned long long)number, flood.len,
			     strerror(errno));
		sent[reason]++;
	}
	for (reason = 0; reason < REASONS; reason++)
		if (sent[reason])
			printf("%s %llu\n", names[reason],
			       (unsigned long long)sent[reason]);
	return 0;
}
