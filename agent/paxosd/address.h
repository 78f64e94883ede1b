/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSD_ADDRESS_H
#define _PAXOSD_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADDRESS_NAME_SIZE 80

/* An IPv4 or IPv6 address with port, and scope where it is link-local. */
union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/**
 * address_parse - "10.0.0.1:7400", "[fd00::1]:7400", "[fe80::1%eth0]:7400"
 *
 * Returns NULL, or what the text should have been, as the end of a sentence
 * that begins with "must be". Only unicast addresses pass.
 */
const char *address_parse(union address *address, const char *text);
/* Back again, into @name of ADDRESS_NAME_SIZE bytes. */
const char *address_name(const union address *address, char *name);

/* The port, in host order. */
uint16_t address_port(const union address *address);
void address_set_port(union address *address, uint16_t port);
socklen_t address_size(const union address *address);
bool address_same(const union address *a, const union address *b);

#endif
