/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSCTL_NAMES_H
#define _PAXOSCTL_NAMES_H

/* Words for the numbers of the netlink family: for people and for JSON. */

#include <netlink/attr.h>
#include <linux/paxos.h>

extern struct nla_policy name_policy[PAXOS_A_MAX + 1];
extern struct nla_policy name_member_policy[PAXOS_A_MEMBER_MAX + 1];
extern struct nla_policy name_consumer_policy[PAXOS_A_CONSUMER_MAX + 1];

/* "the Accept quorum (--q2)", or NULL for an attribute that nobody sends. */
const char *name_attribute(unsigned int type);
/* "the address" of a member */
const char *name_member_attribute(unsigned int type);
/* "the Accept quorum (--q2): 1", "the address of member 3: 10.0.0.3" */
void name_value(char *text, size_t size, struct nlattr *attr,
		struct nlattr *member);

/* For a number that this version does not know: "unknown". */
const char *name_durability(unsigned int durability);
const char *name_role(unsigned int role);
const char *name_state(unsigned int state);
const char *name_phase(unsigned int phase);
const char *name_wait(unsigned int wait);
const char *name_outcome(unsigned int outcome);
const char *name_kind(unsigned int kind);
const char *name_event(unsigned int event);

#endif
