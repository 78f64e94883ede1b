// SPDX-License-Identifier: GPL-2.0
#include <asm/byteorder.h>
#include <linux/bitops.h>
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/string.h>
#include "wire.h"

static_assert(sizeof(struct paxos_wire_config) == 16, "configuration");
static_assert(sizeof(struct paxos_wire_member) == 28, "member");
static_assert(PAXOS_CONFIG_SIZE(PAXOS_MEMBERS_MAX) == PAXOS_CONFIG_MAX,
	      "the largest configuration");

/*
 * paxos_wire_config_encode - the bytes of a configuration
 *
 * @members: one for each of @config, by rising id; their roles are taken from
 * @config. @buffer holds PAXOS_CONFIG_MAX bytes. Returns how many it took.
 */
u32 paxos_wire_config_encode(const struct paxos_config *config,
			     const struct paxos_member *members, void *buffer)
{
	u32 count = hweight64(paxos_config_members(config));
	struct paxos_wire_config head = {
		.gone = cpu_to_le64(config->gone),
		.epoch = cpu_to_le32(config->epoch),
		.q1 = config->q1,
		.q2 = config->q2,
		.count = count,
	};
	u8 *at = buffer;
	u32 i;

	memcpy(at, &head, sizeof(head));
	at += sizeof(head);
	for (i = 0; i < count; i++) {
		const struct paxos_member *member = &members[i];
		struct paxos_wire_member wire = {
			.id = member->id,
			.role = paxos_config_votes(config, member->id) ?
				PAXOS_VOTER : PAXOS_LEARNER,
			.family = cpu_to_le16(member->family),
			.port = cpu_to_le16(member->port),
			.scope = cpu_to_le32(member->scope),
		};

		memcpy(wire.address, member->address, sizeof(wire.address));
		memcpy(at, &wire, sizeof(wire));
		at += sizeof(wire);
	}
	return at - (u8 *)buffer;
}

/*
 * paxos_wire_config_decode - check the bytes of a configuration whole
 *
 * Returns 0, or -EINVAL with @config undefined. After 0
 * paxos_wire_config_member() takes every index below the number of members.
 */
int paxos_wire_config_decode(const void *bytes, u32 len,
			     struct paxos_config *config)
{
	u64 voters = 0, learners = 0;
	struct paxos_wire_config head;
	struct paxos_wire_member wire;
	const u8 *at = bytes;
	u8 before = 0;
	u32 i;

	if (len < sizeof(head))
		return -EINVAL;
	memcpy(&head, at, sizeof(head));
	if (head.zero || len != PAXOS_CONFIG_SIZE(head.count))
		return -EINVAL;
	at += sizeof(head);
	for (i = 0; i < head.count; i++, at += sizeof(wire)) {
		memcpy(&wire, at, sizeof(wire));
		if (wire.id <= before || wire.id > PAXOS_MEMBERS_MAX ||
		    wire.role > PAXOS_LEARNER || wire.zero)
			return -EINVAL;
		before = wire.id;
		if (wire.role == PAXOS_VOTER)
			voters |= paxos_member_bit(wire.id);
		else
			learners |= paxos_member_bit(wire.id);
	}
	if (!head.q1 || !head.q2 ||
	    le64_to_cpu(head.gone) & (voters | learners) ||
	    paxos_config_init(config, le32_to_cpu(head.epoch), voters,
			      learners, head.q1, head.q2))
		return -EINVAL;
	config->gone = le64_to_cpu(head.gone);
	return 0;
}

/* The member at @index of a configuration that decode has checked. */
void paxos_wire_config_member(const void *bytes, u32 index,
			      struct paxos_member *member)
{
	struct paxos_wire_member wire;

	memcpy(&wire, (const u8 *)bytes + PAXOS_CONFIG_SIZE(index),
	       sizeof(wire));
	member->id = wire.id;
	member->role = wire.role;
	member->family = le16_to_cpu(wire.family);
	member->port = le16_to_cpu(wire.port);
	member->scope = le32_to_cpu(wire.scope);
	memcpy(member->address, wire.address, sizeof(member->address));
}
