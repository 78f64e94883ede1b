/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOS_AUTH_H
#define _PAXOS_AUTH_H

#include <linux/rcupdate.h>
#include <linux/siphash.h>

/* What a group's key and cluster id make; replaced as a whole. */
struct paxos_key {
	siphash_key_t derived;
	struct rcu_head rcu;
};

struct paxos_key *paxos_key_new(const u8 *secret, const u8 *cluster);
void paxos_key_free(struct paxos_key *key);
void paxos_tag(const struct paxos_key *key, void *datagram, size_t len);
bool paxos_tag_valid(const struct paxos_key *key, const void *datagram,
		     size_t len);

#endif
