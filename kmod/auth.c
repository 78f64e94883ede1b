// SPDX-License-Identifier: GPL-2.0
#include <linux/slab.h>
#include "auth.h"
#include "compat.h"
#include "core/wire.h"
#include <uapi/linux/paxos.h>

/*
 * Half of the derived key: SipHash-2-4 under the group's key of the cluster id
 * and one byte that says what the half is for. 0 and 1 are the two halves for
 * datagrams of the kernels; 2 and 3 are those of the agents' heartbeats, so
 * that neither can be passed off as the other.
 */
static u64 derive(const siphash_key_t *secret, const u8 *cluster, u8 use)
{
	u8 text[PAXOS_CLUSTER_SIZE + 1];

	memcpy(text, cluster, PAXOS_CLUSTER_SIZE);
	text[PAXOS_CLUSTER_SIZE] = use;
	return siphash(text, sizeof(text), secret);
}

/*
 * paxos_key_new - the key of datagrams between kernels
 *
 * @secret: PAXOS_KEY_SIZE bytes
 * @cluster: PAXOS_CLUSTER_SIZE bytes
 *
 * May sleep. NULL if there is no memory.
 */
struct paxos_key *paxos_key_new(const u8 *secret, const u8 *cluster)
{
	struct paxos_key *key = kmalloc(sizeof(*key), GFP_KERNEL);
	siphash_key_t bare;

	if (!key)
		return NULL;
	bare.key[0] = get_unaligned_le64(secret);
	bare.key[1] = get_unaligned_le64(secret + sizeof(u64));
	key->derived.key[0] = derive(&bare, cluster, 0);
	key->derived.key[1] = derive(&bare, cluster, 1);
	memzero_explicit(&bare, sizeof(bare));
	return key;
}

static void key_free_rcu(struct rcu_head *rcu)
{
	kfree_sensitive(container_of(rcu, struct paxos_key, rcu));
}

/* Readers under RCU may hold it still. */
void paxos_key_free(struct paxos_key *key)
{
	if (key)
		call_rcu(&key->rcu, key_free_rcu);
}

/* The tag is the datagram's first field and covers all that follows it. */
static __le64 tag_of(const struct paxos_key *key, const void *datagram,
		     size_t len)
{
	BUILD_BUG_ON(offsetof(struct paxos_wire_header, tag));
	return cpu_to_le64(siphash(datagram + sizeof(__le64),
				   len - sizeof(__le64), &key->derived));
}

void paxos_tag(const struct paxos_key *key, void *datagram, size_t len)
{
	__le64 tag = tag_of(key, datagram, len);

	memcpy(datagram, &tag, sizeof(tag));
}

/* One comparison of 64 bits: its time says nothing of where they differ. */
bool paxos_tag_valid(const struct paxos_key *key, const void *datagram,
		     size_t len)
{
	__le64 tag;

	memcpy(&tag, datagram, sizeof(tag));
	return tag == tag_of(key, datagram, len);
}
