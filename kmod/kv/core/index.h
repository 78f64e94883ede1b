/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOS_KV_INDEX_H
#define _PAXOS_KV_INDEX_H

#include <linux/types.h>

/*
 * A skip list (Pugh 1990): objects in the order of the bytes that name them.
 * Keys, history and leases each have one.
 *
 * How high a node stands is drawn from the seed and differs between members;
 * nothing that they agree on depends on it.
 */
#define KV_HEIGHT_MAX	12	/* 4^12 nodes, and still few steps to each */

/**
 * struct kv_node - the last field of what is indexed; its name follows it
 * @len: bytes of the name
 * @height: of @next
 * @next: on each level; @next[0] is simply the next one
 */
struct kv_node {
	u16 len;
	u8 height;
	struct kv_node *next[];
};

struct kv_index {
	struct kv_node *head[KV_HEIGHT_MAX];
	u64 random;
};

static inline const void *kv_node_name(const struct kv_node *node)
{
	return &node->next[node->height];
}

/* Bytes of a node and its name. */
static inline size_t kv_node_size(u8 height, u16 len)
{
	return sizeof(struct kv_node) + height * sizeof(struct kv_node *) + len;
}

void kv_index_init(struct kv_index *index, u64 seed);
u8 kv_index_height(struct kv_index *index);
void kv_node_init(struct kv_node *node, u8 height, const void *name, u16 len);
struct kv_node *kv_index_find(const struct kv_index *index, const void *name,
			      u16 len);
struct kv_node *kv_index_seek(const struct kv_index *index, const void *name,
			      u16 len);
void kv_index_insert(struct kv_index *index, struct kv_node *node);
void kv_index_remove(struct kv_index *index, struct kv_node *node);

/* An u64 as a name: big-endian, so that names and numbers order alike. */
static inline void kv_name_u64(u8 *name, u64 number)
{
	int i;

	for (i = 7; i >= 0; i--, number >>= 8)
		name[i] = number & 0xff;
}

#endif
