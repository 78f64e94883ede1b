// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include "wire.h"	/* kmod/core's */
#include "configuration.h"

_Static_assert(CONFIGURATION_MAX == PAXOS_CONFIG_MAX, "the core's");

int configuration_decode(struct configuration *configuration,
			 const void *bytes, size_t length)
{
	struct paxos_config config;

	if (length > PAXOS_CONFIG_MAX ||
	    paxos_wire_config_decode(bytes, length, &config))
		return -1;
	*configuration = (struct configuration) {
		.epoch = config.epoch,
		.voters = config.voters,
		.learners = config.learners,
		.gone = config.gone,
	};
	return 0;
}

int configuration_of_checkpoint(struct configuration *configuration,
				const void *bytes, size_t length)
{
	struct paxos_wire_checkpoint head;
	size_t size;

	if (length < sizeof(head))
		return -1;
	memcpy(&head, bytes, sizeof(head));
	size = le32_to_cpu(head.config_len);
	if (size > length - sizeof(head))
		return -1;
	return configuration_decode(configuration,
				    (const uint8_t *)bytes + sizeof(head), size);
}

size_t configuration_alone(uint8_t bytes[CONFIGURATION_MAX],
			   const struct configuration *former, uint8_t self,
			   const union address *address)
{
	const uint64_t bit = paxos_member_bit(self);
	const struct paxos_config config = {
		.epoch = former->epoch + 1,
		.voters = bit,
		.gone = (former->gone | former->voters | former->learners) &
			~bit,
		.q1 = 1,
		.q2 = 1,
	};
	struct paxos_member member = {
		.id = self,
		.role = PAXOS_VOTER,
		.port = address_port(address),
	};

	if (address->any.sa_family == AF_INET) {
		member.family = 4;
		memcpy(member.address, &address->in.sin_addr, 4);
	} else {
		member.family = 6;
		member.scope = address->in6.sin6_scope_id;
		memcpy(member.address, &address->in6.sin6_addr, 16);
	}
	return paxos_wire_config_encode(&config, &member, bytes);
}
