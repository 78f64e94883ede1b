// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "address.h"

#define FORM "an address and port, such as 10.0.0.1:7400 or [fd00::1]:7400"
#define UNICAST "an address of that host alone, at which others reach it"

static bool parse_port(const char *text, uint16_t *port)
{
	unsigned long number;
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	number = strtoul(text, &end, 10);
	if (errno || *end || !number || number > UINT16_MAX)
		return false;
	*port = number;
	return true;
}

static const char *parse_ipv4(union address *address, const char *host)
{
	uint32_t ip;

	if (inet_pton(AF_INET, host, &address->in.sin_addr) != 1)
		return FORM;
	address->any.sa_family = AF_INET;
	ip = ntohl(address->in.sin_addr.s_addr);
	if (ip == INADDR_ANY || ip == INADDR_BROADCAST || IN_MULTICAST(ip))
		return UNICAST;
	return NULL;
}

static const char *parse_ipv6(union address *address, const char *host,
			      const char *scope)
{
	const struct in6_addr *ip = &address->in6.sin6_addr;

	if (inet_pton(AF_INET6, host, &address->in6.sin6_addr) != 1)
		return FORM;
	address->any.sa_family = AF_INET6;
	if (IN6_IS_ADDR_UNSPECIFIED(ip) || IN6_IS_ADDR_MULTICAST(ip))
		return UNICAST;
	if (IN6_IS_ADDR_V4MAPPED(ip))
		return "written as the IPv4 address that it is";
	if (IN6_IS_ADDR_LINKLOCAL(ip) && !scope)
		return "link-local with its interface, such as [fe80::1%eth0]:7400";
	if (!IN6_IS_ADDR_LINKLOCAL(ip) && scope)
		return "without an interface, as it is not link-local";
	if (!scope)
		return NULL;
	address->in6.sin6_scope_id = if_nametoindex(scope);
	if (!address->in6.sin6_scope_id)
		return "link-local with an interface that this host has";
	return NULL;
}

const char *address_parse(union address *address, const char *text)
{
	bool ipv6 = text[0] == '[';
	char copy[ADDRESS_NAME_SIZE], *host, *scope, *end;
	uint16_t port;

	memset(address, 0, sizeof(*address));
	if (strlen(text) >= sizeof(copy))
		return FORM;
	strcpy(copy, text);
	host = copy + ipv6;
	end = strchr(host, ipv6 ? ']' : ':');
	if (!end || (ipv6 && end[1] != ':') ||
	    !parse_port(end + 1 + ipv6, &port))
		return FORM;
	*end = '\0';
	address_set_port(address, port);
	if (!ipv6)
		return parse_ipv4(address, host);
	scope = strchr(host, '%');
	if (scope)
		*scope++ = '\0';
	return parse_ipv6(address, host, scope);
}

const char *address_name(const union address *address, char *name)
{
	char host[INET6_ADDRSTRLEN], scope[IF_NAMESIZE + 1] = "";
	unsigned int port = address_port(address);

	if (address->any.sa_family == AF_INET) {
		inet_ntop(AF_INET, &address->in.sin_addr, host, sizeof(host));
		snprintf(name, ADDRESS_NAME_SIZE, "%s:%u", host, port);
		return name;
	}
	inet_ntop(AF_INET6, &address->in6.sin6_addr, host, sizeof(host));
	if (address->in6.sin6_scope_id) {
		scope[0] = '%';
		if (!if_indextoname(address->in6.sin6_scope_id, scope + 1))
			snprintf(scope, sizeof(scope), "%%%u",
				 address->in6.sin6_scope_id);
	}
	snprintf(name, ADDRESS_NAME_SIZE, "[%s%s]:%u", host, scope, port);
	return name;
}

_Static_assert(offsetof(struct sockaddr_in, sin_port) ==
	       offsetof(struct sockaddr_in6, sin6_port), "one port for both");

uint16_t address_port(const union address *address)
{
	return ntohs(address->in.sin_port);
}

void address_set_port(union address *address, uint16_t port)
{
	address->in.sin_port = htons(port);
}

socklen_t address_size(const union address *address)
{
	return address->any.sa_family == AF_INET ? sizeof(address->in) :
						   sizeof(address->in6);
}

bool address_same(const union address *a, const union address *b)
{
	if (a->any.sa_family != b->any.sa_family ||
	    a->in.sin_port != b->in.sin_port)
		return false;
	if (a->any.sa_family == AF_INET)
		return a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	return a->in6.sin6_scope_id == b->in6.sin6_scope_id &&
	       IN6_ARE_ADDR_EQUAL(&a->in6.sin6_addr, &b->in6.sin6_addr);
}
