// SPDX-License-Identifier: GPL-2.0
#include <linux/log2.h>
#include <linux/slab.h>
#include <net/genetlink.h>
#include <net/ipv6.h>
#include "paths.h"
#include "policy.h"

/* From attributes to what GROUP_ADD, GROUP_SET and PEER_SET mean. */

/* Refuse @attr with a sentence. */
#define REFUSE(info, attr, error, sentence) ({			\
	NL_SET_ERR_MSG_ATTR((info)->extack, attr, sentence);	\
	error;							\
})

static int parse_address(struct genl_info *info, struct nlattr *address,
			 u32 scope, struct paxos_endpoint *endpoint)
{
	int type;

	if (nla_len(address) == sizeof(endpoint->address.v4)) {
		endpoint->family = AF_INET;
		endpoint->address.v4 = nla_get_in_addr(address);
		if (ipv4_is_zeronet(endpoint->address.v4) ||
		    ipv4_is_multicast(endpoint->address.v4) ||
		    ipv4_is_lbcast(endpoint->address.v4))
			return REFUSE(info, address, -EINVAL,
				      "not the address of a host");
		return 0;
	}
	if (nla_len(address) != sizeof(endpoint->address.v6))
		return REFUSE(info, address, -EINVAL,
			      "an address has 4 or 16 bytes");
	if (!IS_ENABLED(CONFIG_IPV6))
		return REFUSE(info, address, -EAFNOSUPPORT,
			      "this kernel has no IPv6");
	endpoint->family = AF_INET6;
	endpoint->address.v6 = nla_get_in6_addr(address);
	type = ipv6_addr_type(&endpoint->address.v6);
	if (type == IPV6_ADDR_ANY || type & IPV6_ADDR_MULTICAST)
		return REFUSE(info, address, -EINVAL,
			      "not the address of a host");
	if (type & IPV6_ADDR_MAPPED)
		return REFUSE(info, address, -EINVAL,
			      "give an IPv4 address as 4 bytes");
	if (!(type & IPV6_ADDR_LINKLOCAL))
		return 0;
	if (!scope || scope > INT_MAX)
		return REFUSE(info, address, -EINVAL,
			      "a link-local address needs its interface");
	endpoint->scope = scope;
	return 0;
}

/* The endpoint that the @part of a PAXOS_A_MEMBER, @attr, names. */
int paxos_attr_endpoint(struct genl_info *info, struct nlattr *attr,
			struct nlattr **part, struct paxos_endpoint **out)
{
	struct paxos_endpoint *endpoint;
	int err;

	if (!part[PAXOS_A_MEMBER_ID] || !part[PAXOS_A_MEMBER_ADDRESS] ||
	    !part[PAXOS_A_MEMBER_PORT])
		return REFUSE(info, attr, -EINVAL,
			      "a member needs an id, an address and a port");
	if (!nla_get_be16(part[PAXOS_A_MEMBER_PORT]))
		return REFUSE(info, part[PAXOS_A_MEMBER_PORT], -EINVAL,
			      "port 0 cannot be reached");
	endpoint = paxos_endpoint_new();
	if (!endpoint)
		return paxos_no_memory(info);
	endpoint->port = nla_get_be16(part[PAXOS_A_MEMBER_PORT]);
	err = parse_address(info, part[PAXOS_A_MEMBER_ADDRESS],
			    part[PAXOS_A_MEMBER_SCOPE] ?
			    nla_get_u32(part[PAXOS_A_MEMBER_SCOPE]) : 0,
			    endpoint);
	if (err) {
		paxos_endpoint_free(endpoint);
		return err;
	}
	*out = endpoint;
	return 0;
}

/* One PAXOS_A_MEMBER of GROUP_ADD or GROUP_SET, into @part and an endpoint. */
static int parse_member(struct genl_info *info, struct nlattr *attr,
			const struct nla_policy *policy, struct nlattr **part,
			struct paxos_endpoint **out)
{
	int err = nla_parse_nested(part, PAXOS_A_MEMBER_MAX, attr, policy,
				   info->extack);

	return err ?: paxos_attr_endpoint(info, attr, part, out);
}

/* Is @endpoint fit to stand beside those of the others? */
static int check_beside(struct genl_info *info, struct nlattr *attr,
			const struct paxos_endpoint *endpoint,
			const struct paxos_endpoint *other)
{
	if (!other)
		return 0;
	if (endpoint->family != other->family)
		return REFUSE(info, attr, -EAFNOSUPPORT,
			      "IPv4 and IPv6 do not mix in one group");
	if (paxos_endpoint_same(endpoint, other))
		return REFUSE(info, attr, -EINVAL,
			      "two members with one address and port");
	return 0;
}

static int parse_members(struct genl_info *info,
			 struct paxos_group_config *config, u64 *voters,
			 u64 *learners)
{
	struct nlattr *part[PAXOS_A_MEMBER_MAX + 1];
	struct paxos_endpoint *endpoint;
	struct nlattr *attr;
	int rest, i, err;
	u8 id;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rest) {
		if (nla_type(attr) != PAXOS_A_MEMBER)
			continue;
		err = parse_member(info, attr, paxos_member_add_policy, part,
				   &endpoint);
		if (err)
			return err;
		id = nla_get_u8(part[PAXOS_A_MEMBER_ID]);
		if (part[PAXOS_A_MEMBER_ROLE] &&
		    nla_get_u8(part[PAXOS_A_MEMBER_ROLE]) ==
		    PAXOS_NL_ROLE_NONE)
			err = REFUSE(info, attr, -EINVAL,
				     "a member votes or learns");
		if (config->endpoints[id])
			err = REFUSE(info, attr, -EINVAL,
				     "two members with one id");
		for (i = 1; i <= PAXOS_MEMBERS_MAX && !err; i++)
			err = check_beside(info, attr, endpoint,
					   config->endpoints[i]);
		if (err) {
			paxos_endpoint_free(endpoint);
			return err;
		}
		config->endpoints[id] = endpoint;
		if (part[PAXOS_A_MEMBER_ROLE] &&
		    nla_get_u8(part[PAXOS_A_MEMBER_ROLE]) ==
		    PAXOS_NL_ROLE_LEARNER)
			*learners |= paxos_member_bit(id);
		else
			*voters |= paxos_member_bit(id);
	}
	return 0;
}

static u32 u32_or(struct nlattr *attr, u32 otherwise)
{
	return attr ? nla_get_u32(attr) : otherwise;
}

static u8 u8_or(struct nlattr *attr, u8 otherwise)
{
	return attr ? nla_get_u8(attr) : otherwise;
}

static int parse_settings(struct genl_info *info,
			  struct paxos_settings *settings)
{
	struct nlattr **attrs = info->attrs;
	u32 size;

	settings->self = nla_get_u8(attrs[PAXOS_A_SELF]);
	settings->durability = u8_or(attrs[PAXOS_A_DURABILITY], PAXOS_SYNC);
	settings->window = u32_or(attrs[PAXOS_A_WINDOW], PAXOS_WINDOW_DEFAULT);
	size = max_t(u32, PAXOS_LOG_DEFAULT, 2 * settings->window);
	settings->log_size = u32_or(attrs[PAXOS_A_LOG_SIZE], size);
	settings->bytes = u32_or(attrs[PAXOS_A_BYTES], PAXOS_BYTES_DEFAULT);
	settings->payload = PAXOS_PAYLOAD_DEFAULT;

	if (!is_power_of_2(settings->window))
		return REFUSE(info, attrs[PAXOS_A_WINDOW], -EINVAL,
			      "the window must be a power of two");
	if (!is_power_of_2(settings->log_size))
		return REFUSE(info, attrs[PAXOS_A_LOG_SIZE], -EINVAL,
			      "the log's size must be a power of two");
	if (settings->log_size < 2 * settings->window)
		return REFUSE(info, attrs[PAXOS_A_LOG_SIZE], -EINVAL,
			      "the log must hold two windows");
	return 0;
}

/*
 * paxos_attr_config - what GROUP_ADD asks for, with all defaults
 *
 * @config: zeroed; to be given to paxos_attr_config_free() in any case
 */
int paxos_attr_config(struct genl_info *info,
		      struct paxos_group_config *config)
{
	struct nlattr **attrs = info->attrs;
	u64 voters = 0, learners = 0;
	u8 majority;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, PAXOS_A_GROUP) ||
	    GENL_REQ_ATTR_CHECK(info, PAXOS_A_CLUSTER) ||
	    GENL_REQ_ATTR_CHECK(info, PAXOS_A_KEY) ||
	    GENL_REQ_ATTR_CHECK(info, PAXOS_A_SELF) ||
	    GENL_REQ_ATTR_CHECK(info, PAXOS_A_MEMBER)) {
		GENL_SET_ERR_MSG(info,
				 "a group needs an id, cluster, key, self and members");
		return -EINVAL;
	}
	config->id = nla_get_u32(attrs[PAXOS_A_GROUP]);
	nla_memcpy(config->cluster, attrs[PAXOS_A_CLUSTER],
		   PAXOS_CLUSTER_SIZE);
	err = parse_settings(info, &config->settings);
	if (err)
		return err;
	err = parse_members(info, config, &voters, &learners);
	if (err)
		return err;
	if (!config->endpoints[config->settings.self])
		return REFUSE(info, attrs[PAXOS_A_SELF], -EINVAL,
			      "this host is not one of the members");
	config->key = paxos_key_new(nla_data(attrs[PAXOS_A_KEY]),
				    config->cluster);
	if (!config->key)
		return paxos_no_memory(info);
	if (attrs[PAXOS_A_EPOCH] && !nla_get_u32(attrs[PAXOS_A_EPOCH])) {
		paxos_config_none(&config->config, voters | learners);
		return 0;
	}
	if (!voters)
		return REFUSE(info, attrs[PAXOS_A_MEMBER], -EINVAL,
			      "a group needs a voter");
	majority = hweight64(voters) / 2 + 1;
	err = paxos_config_init(&config->config,
				u32_or(attrs[PAXOS_A_EPOCH], 1), voters,
				learners, u8_or(attrs[PAXOS_A_Q1], majority),
				u8_or(attrs[PAXOS_A_Q2], majority));
	if (err)
		return REFUSE(info, attrs[PAXOS_A_Q1] ?: attrs[PAXOS_A_Q2], err,
			      "q1 and q2 must not exceed the voters, their sum must");
	return 0;
}

void paxos_attr_config_free(struct paxos_group_config *config)
{
	int i;

	paxos_key_free(config->key);
	for (i = 1; i <= PAXOS_MEMBERS_MAX; i++)
		paxos_endpoint_free(config->endpoints[i]);
	kfree(config);
}

/* New endpoints by id, checked against what the group will then consist of. */
static int parse_moves(struct genl_info *info, struct paxos_group *group,
		       struct paxos_endpoint **moved)
{
	struct nlattr *part[PAXOS_A_MEMBER_MAX + 1];
	struct paxos_endpoint *endpoint, *other;
	struct nlattr *attr;
	int rest, i, err;
	u64 members;
	u8 id;

	/* Addresses of former members are still there, and may be taken. */
	paxos_group_lock(group);
	members = paxos_config_members(&group->core.config);
	paxos_group_unlock(group);
	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rest) {
		if (nla_type(attr) != PAXOS_A_MEMBER)
			continue;
		err = parse_member(info, attr, paxos_member_set_policy, part,
				   &endpoint);
		if (err)
			return err;
		id = nla_get_u8(part[PAXOS_A_MEMBER_ID]);
		paxos_endpoint_free(moved[id]);
		moved[id] = endpoint;
		if (id == group->core.settings.self)
			return REFUSE(info, attr, -EINVAL,
				      "this member itself cannot move");
		if (!(members & paxos_member_bit(id)))
			return REFUSE(info, attr, -ENOENT,
				      "no member with this id");
	}
	members |= paxos_member_bit(group->core.settings.self);
	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rest) {
		if (nla_type(attr) != PAXOS_A_MEMBER)
			continue;
		id = nla_get_u8(nla_find_nested(attr, PAXOS_A_MEMBER_ID));
		for (i = 1; i <= PAXOS_MEMBERS_MAX; i++) {
			if (i == id || !(members & paxos_member_bit(i)))
				continue;
			other = moved[i] ?:
				rcu_dereference_raw(group->endpoints[i]);
			err = check_beside(info, attr, moved[id], other);
			if (err)
				return err;
		}
	}
	return 0;
}

/* Readers under RCU see the one or the other. */
#define SWAP(groups, pointer, new)					\
	rcu_replace_pointer(pointer, new,				\
			    lockdep_is_held(&(groups)->mutex))

int paxos_nl_group_set(struct sk_buff *skb, struct genl_info *info)
{
	struct paxos_group *group = info->user_ptr[0];
	struct paxos_endpoint *moved[PAXOS_MEMBERS_MAX + 1] = {};
	struct paxos_net *groups = paxos_net(group->net);
	struct nlattr **attrs = info->attrs;
	struct paxos_key *key = NULL;
	int i, err;

	if (attrs[PAXOS_A_KEY]) {
		key = paxos_key_new(nla_data(attrs[PAXOS_A_KEY]),
				    group->cluster);
		if (!key)
			return paxos_no_memory(info);
	}
	mutex_lock(&groups->mutex);
	if (group->dead) {
		GENL_SET_ERR_MSG(info, "the group is being deleted");
		err = -ESHUTDOWN;
	} else {
		err = parse_moves(info, group, moved);
	}
	if (!err) {
		for (i = 1; i <= PAXOS_MEMBERS_MAX; i++)
			if (moved[i])
				moved[i] = SWAP(groups, group->endpoints[i],
						moved[i]);
		if (key)
			key = SWAP(groups, group->key, key);
		if (attrs[PAXOS_A_BYTES]) {
			paxos_group_lock(group);
			group->core.settings.bytes =
				nla_get_u32(attrs[PAXOS_A_BYTES]);
			paxos_group_unlock(group);
		}
	}
	mutex_unlock(&groups->mutex);

	/* Those that were replaced, or those that came to nothing. */
	for (i = 1; i <= PAXOS_MEMBERS_MAX; i++)
		paxos_endpoint_free(moved[i]);
	paxos_key_free(key);
	return err;
}

static int peer_set(struct paxos_group *group, struct genl_info *info,
		    struct nlattr *attr)
{
	struct nlattr *part[PAXOS_A_MEMBER_MAX + 1];
	struct paxos_agent_seen *seen;
	u64 now, ago;
	int err;
	u8 id;

	err = nla_parse_nested(part, PAXOS_A_MEMBER_MAX, attr,
			       paxos_member_peer_policy, info->extack);
	if (err)
		return err;
	if (!part[PAXOS_A_MEMBER_ID])
		return REFUSE(info, attr, -EINVAL, "a member needs an id");
	id = nla_get_u8(part[PAXOS_A_MEMBER_ID]);

	paxos_group_lock(group);
	if (!paxos_config_has(&group->core.config, id)) {
		paxos_group_unlock(group);
		return REFUSE(info, attr, -ENOENT, "no member with this id");
	}
	now = paxos_now();
	seen = &group->seen[id];
	if (part[PAXOS_A_MEMBER_AGENT_HEARD]) {
		ago = nla_get_u32(part[PAXOS_A_MEMBER_AGENT_HEARD]);
		ago *= USEC_PER_MSEC;
		seen->heard = now > ago ? now - ago : 1;
	}
	if (part[PAXOS_A_MEMBER_COMMIT])
		seen->commit = nla_get_u64(part[PAXOS_A_MEMBER_COMMIT]);
	if (part[PAXOS_A_MEMBER_DURABLE])
		seen->durable = nla_get_u64(part[PAXOS_A_MEMBER_DURABLE]);
	if (part[PAXOS_A_MEMBER_INCARNATION])
		seen->incarnation =
			nla_get_u64(part[PAXOS_A_MEMBER_INCARNATION]);
	if (part[PAXOS_A_MEMBER_SUSPECTED])
		seen->suspected = nla_get_u8(part[PAXOS_A_MEMBER_SUSPECTED]);
	if (!group->dead) {
		paxos_member_heard(group, id, now);
		paxos_divergence_heard(group, id, part, now);
	}
	paxos_group_unlock(group);
	return 0;
}

int paxos_nl_peer_set(struct sk_buff *skb, struct genl_info *info)
{
	struct paxos_group *group = info->user_ptr[0];
	struct nlattr *attr;
	int rest, err;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rest) {
		if (nla_type(attr) != PAXOS_A_MEMBER)
			continue;
		err = peer_set(group, info, attr);
		if (err)
			return err;
	}
	return 0;
}
