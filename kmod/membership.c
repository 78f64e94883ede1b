// SPDX-License-Identifier: GPL-2.0
#include <linux/delay.h>
#include <linux/slab.h>
#include <net/genetlink.h>
#include <net/ipv6.h>
#include "core/quorum.h"
#include "core/wire.h"
#include "paths.h"
#include "policy.h"

/*
 * Configurations that are chosen: from a wish over netlink to one, and from one
 * to the addresses that datagrams are sent to.
 */

static struct workqueue_struct *queue;

static void member_of(const struct paxos_endpoint *endpoint, u8 id,
		      struct paxos_member *member)
{
	*member = (struct paxos_member){
		.id = id,
		.family = endpoint->family == AF_INET ? 4 : 6,
		.port = ntohs(endpoint->port),
		.scope = endpoint->scope,
	};
	if (endpoint->family == AF_INET)
		memcpy(member->address, &endpoint->address.v4, 4);
	else
		memcpy(member->address, &endpoint->address.v6, 16);
}

static void endpoint_of(const struct paxos_member *member,
			struct paxos_endpoint *endpoint)
{
	endpoint->family = member->family == 4 ? AF_INET : AF_INET6;
	endpoint->port = htons(member->port);
	endpoint->scope = member->scope;
	if (member->family == 4)
		memcpy(&endpoint->address.v4, member->address, 4);
	else
		memcpy(&endpoint->address.v6, member->address, 16);
}

/* Member @id as the configuration in force has it. */
static bool member_find(const struct paxos_group *group, u8 id,
			struct paxos_member *member)
{
	const struct paxos_core *core = &group->core;
	u32 i, count = hweight64(paxos_config_members(&core->config));
	const struct paxos_endpoint *endpoint;

	lockdep_assert_held(&group->lock);
	if (!paxos_config_has(&core->config, id))
		return false;
	for (i = 0; core->config_len && i < count; i++) {
		paxos_wire_config_member(core->config_bytes, i, member);
		if (member->id == id)
			return true;
	}
	/* The first one came with the group, and so did its addresses. */
	endpoint = rcu_dereference(group->endpoints[id]);
	if (!endpoint)
		return false;
	member_of(endpoint, id, member);
	return true;
}

/* Scopes are not compared: each host has interfaces of its own. */
static bool member_same_place(const struct paxos_member *a,
			      const struct paxos_member *b)
{
	return a->family == b->family && a->port == b->port &&
	       !memcmp(a->address, b->address, sizeof(a->address));
}

/* What a RECONFIGURE asks for: process context. */
int paxos_change_parse(struct genl_info *info, struct paxos_change *change)
{
	struct nlattr *attr = info->attrs[PAXOS_A_MEMBER];
	struct nlattr *part[PAXOS_A_MEMBER_MAX + 1];
	struct paxos_endpoint *endpoint;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, PAXOS_A_MEMBER) ||
	    GENL_REQ_ATTR_CHECK(info, PAXOS_A_TIMEOUT)) {
		GENL_SET_ERR_MSG(info, "a change needs a member and a timeout");
		return -EINVAL;
	}
	err = nla_parse_nested(part, PAXOS_A_MEMBER_MAX, attr,
			       paxos_member_change_policy, info->extack);
	if (err)
		return err;
	if (!part[PAXOS_A_MEMBER_ID] || !part[PAXOS_A_MEMBER_ROLE]) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "a change needs an id and a role");
		return -EINVAL;
	}
	change->role = nla_get_u8(part[PAXOS_A_MEMBER_ROLE]);
	change->wanted.id = nla_get_u8(part[PAXOS_A_MEMBER_ID]);
	if (!part[PAXOS_A_MEMBER_ADDRESS])
		return 0;
	err = paxos_attr_endpoint(info, attr, part, &endpoint);
	if (err)
		return err;
	member_of(endpoint, change->wanted.id, &change->wanted);
	change->addressed = true;
	paxos_endpoint_free(endpoint);
	return 0;
}

#define REFUSE(info, error, format, ...) ({				\
	NL_SET_BAD_ATTR((info)->extack, (info)->attrs[PAXOS_A_MEMBER]);	\
	PAXOS_REFUSE_FMT((info)->extack, format, ##__VA_ARGS__);	\
	error;								\
})

/* Whether @wanted may be at its address, beside those who are there. */
static int check_place(struct paxos_group *group, struct genl_info *info,
		       const struct paxos_member *wanted)
{
	struct paxos_member other;
	u8 id;

	for (id = 1; id <= PAXOS_MEMBERS_MAX; id++) {
		if (id == wanted->id || !member_find(group, id, &other))
			continue;
		if (other.family != wanted->family)
			return REFUSE(info, -EAFNOSUPPORT,
				      "IPv4 and IPv6 do not mix in one group");
		if (member_same_place(&other, wanted))
			return REFUSE(info, -ENOTUNIQ,
				      "member %u has that address", id);
	}
	return 0;
}

/* Member @id, of that role, is to be somewhere else. */
static int check_move(struct paxos_group *group, struct genl_info *info,
		      const struct paxos_change *change)
{
	if (change->wanted.id == group->core.settings.self)
		return REFUSE(info, -EBUSY,
			      "member %u leads from where it is: hand the lead over first",
			      change->wanted.id);
	return check_place(group, info, &change->wanted);
}

/* Whether the member that is to be may be, beside those that are. */
static int check_wanted(struct paxos_group *group, struct genl_info *info,
			struct paxos_change *change)
{
	const struct paxos_core *core = &group->core;
	const struct paxos_config *config = &core->config;
	struct paxos_member *wanted = &change->wanted;
	struct paxos_member other;
	u8 id = wanted->id;
	bool is;

	if (!paxos_config_has(config, id)) {
		if (change->role == PAXOS_NL_ROLE_NONE)
			return REFUSE(info, -ENOENT, "there is no member %u",
				      id);
		if (!change->addressed)
			return REFUSE(info, -ENOENT,
				      "there is no member %u; a new one needs an address",
				      id);
		if (config->gone & paxos_member_bit(id))
			return REFUSE(info, -EKEYREVOKED,
				      "%u was a member before, and an id is not used again: take another",
				      id);
		return check_place(group, info, wanted);
	}
	if (!member_find(group, id, &other))
		return -EINVAL;
	is = change->role == (paxos_config_votes(config, id) ?
			      PAXOS_NL_ROLE_VOTER : PAXOS_NL_ROLE_LEARNER);
	if (change->addressed && !member_same_place(&other, wanted))
		return is ? check_move(group, info, change) :
			    REFUSE(info, -ENOTUNIQ,
				   "member %u is there, under another address",
				   id);
	if (is)
		return REFUSE(info, -EALREADY, "member %u is just that", id);
	/* One that does not know yet that it is a member would not answer. */
	if (change->role == PAXOS_NL_ROLE_VOTER &&
	    (core->peers[id].commit < core->config_slot ||
	     core->peers[id].commit + core->settings.window < core->commit))
		return REFUSE(info, -EAGAIN,
			      "member %u has %llu of %llu slots: let it catch up",
			      id, core->peers[id].commit, core->commit);
	return 0;
}

static bool is_majority(u8 quorum, u64 voters)
{
	return quorum == hweight64(voters) / 2 + 1;
}

static int check_next(struct paxos_group *group, struct genl_info *info,
		      const struct paxos_config *next)
{
	u64 up = paxos_members_up(group, paxos_now());
	u8 need = max(next->q1, next->q2);

	switch (paxos_config_follows(&group->core.config, next)) {
	case 0:
		break;
	case -EDOM:
		return REFUSE(info, -EDOM,
			      "Prepare quorums of %u might miss old Accept quorums of %u: change less",
			      next->q1, group->core.config.q2);
	default:
		return REFUSE(info, -EINVAL, "no configuration follows so");
	}
	if (paxos_quorum_weight(next, up) < need)
		return REFUSE(info, -EHOSTDOWN,
			      "the quorum would be lost: up: %u of %u voters, %u needed",
			      paxos_quorum_weight(next, up),
			      (u8)hweight64(next->voters), need);
	return 0;
}

/* paxos_change_make - the next configuration, encoded; group locked, RCU */
int paxos_change_make(struct paxos_group *group, struct genl_info *info,
		      struct paxos_change *change)
{
	const struct paxos_config *now = &group->core.config;
	struct paxos_member *wanted = &change->wanted;
	u64 bit = paxos_member_bit(wanted->id);
	u64 voters = now->voters & ~bit;
	u64 learners = now->learners & ~bit;
	struct paxos_config next;
	u8 q1 = now->q1, q2 = now->q2;
	u32 n = 0;
	u8 id;
	int err;

	lockdep_assert_held(&group->lock);
	if (group->core.role != PAXOS_LEADER)
		return -ENOLINK;
	if (group->core.barrier)
		return -EINPROGRESS;
	err = check_wanted(group, info, change);
	if (err)
		return err;
	if (change->role == PAXOS_NL_ROLE_VOTER)
		voters |= bit;
	else if (change->role == PAXOS_NL_ROLE_LEARNER)
		learners |= bit;
	if (!voters)
		return REFUSE(info, -EINVAL, "no voter would be left");
	if (is_majority(q1, now->voters) && is_majority(q2, now->voters)) {
		q1 = hweight64(voters) / 2 + 1;
		q2 = q1;
	}
	if (info->attrs[PAXOS_A_Q1])
		q1 = nla_get_u8(info->attrs[PAXOS_A_Q1]);
	if (info->attrs[PAXOS_A_Q2])
		q2 = nla_get_u8(info->attrs[PAXOS_A_Q2]);
	if (paxos_config_init(&next, now->epoch + 1, voters, learners, q1, q2))
		return REFUSE(info, -EINVAL,
			      "quorums of %u and %u do not fit %u voters", q1,
			      q2, (u8)hweight64(voters));
	next.gone = (now->gone | paxos_config_members(now)) &
		    ~(voters | learners);
	err = check_next(group, info, &next);
	if (err)
		return err;
	for (id = 1; id <= PAXOS_MEMBERS_MAX; id++) {
		if (!paxos_config_has(&next, id))
			continue;
		if ((id == wanted->id && change->addressed) ||
		    !member_find(group, id, &change->members[n]))
			change->members[n] = *wanted;
		n++;
	}
	change->len = paxos_wire_config_encode(&next, change->members,
					       change->bytes);
	return 0;
}

/*
 * The interface to a link-local @to, which whoever made the configuration named
 * as it is there: as it was here, or where this member listens.
 */
static int scope_here(const struct paxos_endpoint *self,
		      const struct paxos_endpoint *old,
		      const struct paxos_endpoint *to)
{
	if (old && old->scope &&
	    ipv6_addr_equal(&old->address.v6, &to->address.v6))
		return old->scope;
	return self->scope ?: to->scope;
}

/* One endpoint of @member, if it is not there just so. */
static int endpoint_set(struct paxos_group *group,
			const struct paxos_member *member)
{
	struct paxos_net *groups = paxos_net(group->net);
	struct paxos_endpoint *old, *new, *self;

	lockdep_assert_held(&groups->mutex);
	new = paxos_endpoint_new();
	if (!new)
		return -ENOMEM;
	endpoint_of(member, new);
	old = rcu_dereference_protected(group->endpoints[member->id],
					lockdep_is_held(&groups->mutex));
	self = rcu_dereference_protected(group->endpoints[group->core.settings.self],
					 lockdep_is_held(&groups->mutex));
	if (new->scope)
		new->scope = scope_here(self, old, new);
	if (old && paxos_endpoint_same(old, new)) {
		paxos_endpoint_free(new);
		return 0;
	}
	rcu_assign_pointer(group->endpoints[member->id], new);
	paxos_endpoint_free(old);
	return 0;
}

static int endpoints_take(struct paxos_group *group, u8 *bytes)
{
	struct paxos_net *groups = paxos_net(group->net);
	struct paxos_config config;
	struct paxos_member member;
	u32 len, i;
	int err = 0;

	/* Who reaps the group waits for this, perhaps with the mutex. */
	while (!mutex_trylock(&groups->mutex)) {
		if (READ_ONCE(group->dead))
			return 0;
		msleep(20);
	}
	paxos_group_lock(group);
	len = group->dead ? 0 : group->core.config_len;
	memcpy(bytes, group->core.config_bytes, len);
	paxos_group_unlock(group);
	if (len && !paxos_wire_config_decode(bytes, len, &config))
		for (i = 0; i < hweight64(paxos_config_members(&config)) &&
		     !err; i++) {
			paxos_wire_config_member(bytes, i, &member);
			/* Itself it listens where it was told to. */
			if (member.id != group->core.settings.self)
				err = endpoint_set(group, &member);
		}
	mutex_unlock(&groups->mutex);
	return err;
}

/*
 * Addresses of the configuration in force. Those of former members stay: they
 * may have to be told what they are.
 */
void paxos_membership_work(struct work_struct *work)
{
	struct paxos_group *group =
		container_of(work, struct paxos_group, membership);
	u8 *bytes;
	int err;

	do {
		bytes = kmalloc(PAXOS_CONFIG_MAX, GFP_KERNEL);
		err = bytes ? endpoints_take(group, bytes) : -ENOMEM;
		kfree(bytes);
		if (err == -ENOMEM)
			msleep(100);
	} while (err == -ENOMEM && !READ_ONCE(group->dead));
	paxos_group_put(group);
}

/* A configuration is in force: ops->event. */
void paxos_membership_changed(struct paxos_group *group, u64 slot)
{
	lockdep_assert_held(&group->lock);
	group->up &= paxos_config_members(&group->core.config);
	refcount_inc(&group->refs);
	if (!queue_work(queue, &group->membership))
		refcount_dec(&group->refs);
	/* What a replay tells was told in a former life. */
	if (group->core.state == PAXOS_RUNNING)
		paxos_notify_epoch(group, slot);
}

int paxos_membership_init(void)
{
	queue = alloc_workqueue("paxos_membership",
				WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	return queue ? 0 : -ENOMEM;
}

void paxos_membership_exit(void)
{
	destroy_workqueue(queue);
}
