/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOS_CORE_WIRE_H
#define _PAXOS_CORE_WIRE_H

#include <linux/types.h>
#include "config.h"
#include "message.h"

/*
 * The wire, whole. Integers are little-endian. A datagram is
 *
 *	header | what its type adds | count items or count ranges
 *
 * and nothing behind. The tag is SipHash-2-4 over everything that follows it;
 * who holds the key is not the core's affair, so encode leaves it 0 and
 * decode does not look at it.
 */
#define PAXOS_WIRE_VERSION	1
#define PAXOS_DATAGRAM_MAX	65000	/* bytes, fits UDP over IPv4 and IPv6 */

struct paxos_wire_header {
	__le64 tag;
	__u8 version;
	__u8 type;
	__u8 from;
	__u8 to;
	__le32 group;
	__le32 epoch;
	__le32 stamp;
	__le64 ballot;
	__le64 commit;
	__le32 count;
	__le32 zero;
};

struct paxos_wire_item {
	__le64 slot;
	__le64 ballot;
	__le64 incarnation;
	__le64 seq;
	__le32 len;
	__u8 kind;
	__u8 member;
	__le16 zero;
	__u8 bytes[];		/* len, then zeros up to a multiple of 8 */
};

struct paxos_wire_range {
	__le64 first;
	__le32 count;
	__le32 zero;
};

struct paxos_wire_prepare {
	__le64 first;
};

struct paxos_wire_promise {
	__le64 first;
	__le64 next;
	__le64 held;
};

struct paxos_wire_reject {
	__le64 promised;
	__le64 held;
};

struct paxos_wire_accepted {
	__le64 durable;
};

struct paxos_wire_fetch {
	__le64 first;
	__le64 last;
};

struct paxos_wire_chosen {
	__le64 held;
};

struct paxos_wire_done {
	__le64 incarnation;
	__le64 seq;
	__le64 slot;
	__le64 outcome;
};

struct paxos_wire_read {
	__le64 incarnation;
	__le64 id;
	__le64 slot;
};

struct paxos_wire_probe {
	__le64 incarnation;
};

/*
 * The bytes of a value of kind PAXOS_CONFIG: this, then @count members by
 * rising id. They are the same on the wire, on the disk and over netlink.
 */
struct paxos_wire_config {
	__le64 gone;
	__le32 epoch;
	__u8 q1;
	__u8 q2;
	__u8 count;
	__u8 zero;
};

struct paxos_wire_member {
	__u8 id;
	__u8 role;
	__le16 family;
	__le16 port;
	__le16 zero;
	__le32 scope;
	__u8 address[16];
};

/*
 * A checkpoint: this, the bytes of the configuration in force (none: the
 * first), then @count origins by rising member, of which proposals were
 * delivered. On the disk, over netlink and between agents.
 */
struct paxos_wire_checkpoint {
	__le64 checksum;	/* of all slots up to this one */
	__le64 config_slot;
	__le64 incarnation;	/* of the configuration's origin, */
	__le64 seq;
	__le32 config_len;
	__u8 origin;		/* and its member */
	__u8 count;
	__le16 zero;
};

struct paxos_wire_seen {
	__le64 incarnation;
	__le64 highest;
	__le64 bits[16];
	__u8 member;
	__u8 zero[7];
};

#define PAXOS_CONFIG_SIZE(count)				\
	(sizeof(struct paxos_wire_config) +			\
	 (count) * sizeof(struct paxos_wire_member))

/* Bytes that a value of @len takes in an item. */
static inline u32 paxos_wire_item_size(u32 len)
{
	return sizeof(struct paxos_wire_item) + ((len + 7) & ~7U);
}

size_t paxos_wire_size(const struct paxos_message *message);
void paxos_wire_encode(const struct paxos_message *message, u32 group,
		       void *buffer);
enum paxos_drop paxos_wire_decode(const void *buffer, size_t len,
				  struct paxos_message *message);
bool paxos_item_valid(const struct paxos_item *item);
const u8 *paxos_wire_item(const u8 *at, struct paxos_item *item);
const u8 *paxos_wire_range(const u8 *at, struct paxos_range *range);

/* wire_config.c */
u32 paxos_wire_config_encode(const struct paxos_config *config,
			     const struct paxos_member *members, void *buffer);
int paxos_wire_config_decode(const void *bytes, u32 len,
			     struct paxos_config *config);
void paxos_wire_config_member(const void *bytes, u32 index,
			      struct paxos_member *member);

#endif
