// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <linux/genetlink.h>
#include "consumer.h"

static void take_consumer(struct consumers *consumers,
			  const struct nlattr *nest)
{
	const struct nlattr *attr[PAXOS_A_CONSUMER_MAX + 1];
	struct consumer *consumer;

	if (consumers->n == SNAPSHOT_SECTIONS_MAX)
		return;
	consumer = &consumers->list[consumers->n++];
	netlink_parse_nested(nest, attr, PAXOS_A_CONSUMER_MAX);
	consumer->id = netlink_u32(attr[PAXOS_A_CONSUMER_ID]);
	consumer->next = netlink_u64(attr[PAXOS_A_CONSUMER_NEXT]);
	consumer->saves = netlink_u8(attr[PAXOS_A_CONSUMER_SAVES]);
	consumer->loads = netlink_u8(attr[PAXOS_A_CONSUMER_LOADS]);
	consumer->wants = netlink_u8(attr[PAXOS_A_CONSUMER_WANTS]);
	if (attr[PAXOS_A_CONSUMER_NAME])
		snprintf(consumer->name, sizeof(consumer->name), "%.*s",
			 mnl_attr_get_payload_len(attr[PAXOS_A_CONSUMER_NAME]),
			 mnl_attr_get_str(attr[PAXOS_A_CONSUMER_NAME]));
}

static int take_list(void *context, const struct nlmsghdr *message,
		     const struct nlattr *const attrs[])
{
	struct consumers *consumers = context;
	const struct nlattr *attr;

	consumers->commit = netlink_u64(attrs[PAXOS_A_COMMIT]);
	mnl_attr_for_each(attr, message, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) == PAXOS_A_CONSUMER)
			take_consumer(consumers, attr);
	return 0;
}

int consumer_list(struct netlink *netlink, uint32_t group,
		  struct consumers *consumers)
{
	memset(consumers, 0, sizeof(*consumers));
	netlink_begin(netlink, PAXOS_CMD_CONSUMER_GET, group);
	return netlink_ask(netlink, take_list, consumers);
}

static int take_begun(void *context, const struct nlmsghdr *message,
		      const struct nlattr *const attrs[])
{
	const struct nlattr *value = attrs[PAXOS_A_VALUE];
	struct consumer_snapshot *snapshot = context;

	snapshot->slot = netlink_u64(attrs[PAXOS_A_SLOT]);
	snapshot->epoch = netlink_u32(attrs[PAXOS_A_EPOCH]);
	if (!value || mnl_attr_get_payload_len(value) > WAL_CHECKPOINT_MAX)
		return -EMSGSIZE;
	snapshot->length = mnl_attr_get_payload_len(value);
	memcpy(snapshot->checkpoint, mnl_attr_get_payload(value),
	       snapshot->length);
	return take_list(&snapshot->consumers, message, attrs);
}

int consumer_begin_snapshot(struct netlink *netlink, uint32_t group,
			    uint32_t agent, struct consumer_snapshot *snapshot)
{
	struct nlmsghdr *message = netlink_begin(netlink,
						 PAXOS_CMD_SNAPSHOT_BEGIN,
						 group);

	memset(snapshot, 0, sizeof(*snapshot));
	mnl_attr_put_u32(message, PAXOS_A_AGENT, agent);
	return netlink_ask(netlink, take_begun, snapshot);
}

struct pull {
	uint8_t *bytes;
	uint32_t *length;
};

static int take_bytes(void *context, const struct nlmsghdr *message,
		      const struct nlattr *const attrs[])
{
	const struct nlattr *value = attrs[PAXOS_A_VALUE];
	const struct pull *pull = context;

	(void)message;
	*pull->length = value ? mnl_attr_get_payload_len(value) : 0;
	if (*pull->length > SNAPSHOT_BYTES_MAX)
		return -EMSGSIZE;
	if (value)
		memcpy(pull->bytes, mnl_attr_get_payload(value),
		       *pull->length);
	return 0;
}

int consumer_pull(struct netlink *netlink, uint32_t group, uint32_t agent,
		  uint32_t id, uint8_t *bytes, uint32_t *length)
{
	struct nlmsghdr *message = netlink_begin(netlink,
						 PAXOS_CMD_SNAPSHOT_PULL,
						 group);
	struct pull pull = { bytes, length };

	mnl_attr_put_u32(message, PAXOS_A_AGENT, agent);
	mnl_attr_put_u32(message, PAXOS_A_WHICH, id);
	return netlink_ask(netlink, take_bytes, &pull);
}

int consumer_end_snapshot(struct netlink *netlink, uint32_t group,
			  uint32_t agent)
{
	struct nlmsghdr *message = netlink_begin(netlink,
						 PAXOS_CMD_SNAPSHOT_END, group);

	mnl_attr_put_u32(message, PAXOS_A_AGENT, agent);
	return netlink_ask(netlink, NULL, NULL);
}

static struct nlmsghdr *begin_feed(struct netlink *netlink, uint32_t group,
				   uint32_t agent, uint32_t id, uint8_t what)
{
	struct nlmsghdr *message = netlink_begin(netlink,
						 PAXOS_CMD_CONSUMER_FEED,
						 group);

	mnl_attr_put_u32(message, PAXOS_A_AGENT, agent);
	mnl_attr_put_u32(message, PAXOS_A_WHICH, id);
	mnl_attr_put_u8(message, PAXOS_A_FEED, what);
	return message;
}

int consumer_feed(struct netlink *netlink, uint32_t group, uint32_t agent,
		  uint32_t id, bool loads, uint64_t slot, const void *checkpoint,
		  uint32_t length)
{
	struct nlmsghdr *message = begin_feed(netlink, group, agent, id,
					      loads ? PAXOS_NL_FEED_LOAD :
						      PAXOS_NL_FEED_BEGIN);

	mnl_attr_put_u64(message, PAXOS_A_SLOT, slot);
	if (slot)
		mnl_attr_put(message, PAXOS_A_VALUE, length, checkpoint);
	return netlink_ask(netlink, NULL, NULL);
}

int consumer_section(struct netlink *netlink, uint32_t group, uint32_t agent,
		     uint32_t id, const void *bytes, uint32_t length)
{
	struct nlmsghdr *message = begin_feed(netlink, group, agent, id,
					      PAXOS_NL_FEED_SECTION);

	if (length)
		mnl_attr_put(message, PAXOS_A_VALUE, length, bytes);
	return netlink_ask(netlink, NULL, NULL);
}

int consumer_refuse(struct netlink *netlink, uint32_t group, uint32_t agent,
		    uint32_t id)
{
	begin_feed(netlink, group, agent, id, PAXOS_NL_FEED_NOTHING);
	return netlink_ask(netlink, NULL, NULL);
}

void consumer_begin_values(struct netlink *netlink, uint32_t group,
			   uint32_t agent, uint32_t id)
{
	begin_feed(netlink, group, agent, id, PAXOS_NL_FEED_VALUES);
}

int consumer_report(struct netlink *netlink, uint32_t group, uint32_t agent,
		    uint64_t slot, bool unsaved)
{
	struct nlmsghdr *message = netlink_begin(netlink,
						 PAXOS_CMD_SPACE_SET, group);

	mnl_attr_put_u32(message, PAXOS_A_AGENT, agent);
	mnl_attr_put_u64(message, PAXOS_A_SNAPSHOT, slot);
	mnl_attr_put_u8(message, PAXOS_A_UNSAVED, unsaved);
	return netlink_ask(netlink, NULL, NULL);
}
