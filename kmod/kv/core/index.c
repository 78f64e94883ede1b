// SPDX-License-Identifier: GPL-2.0
#include <linux/minmax.h>
#include <linux/string.h>
#include "index.h"

void kv_index_init(struct kv_index *index, u64 seed)
{
	memset(index, 0, sizeof(*index));
	index->random = seed | 1;
}

/* Each level has a quarter of the nodes of the one below (xorshift64*). */
u8 kv_index_height(struct kv_index *index)
{
	u64 draw = index->random;
	u8 height = 1;

	draw ^= draw >> 12;
	draw ^= draw << 25;
	draw ^= draw >> 27;
	index->random = draw;
	draw = (draw * 0x2545f4914f6cdd1dULL) >> 32;
	for (; height < KV_HEIGHT_MAX && !(draw & 3); draw >>= 2)
		height++;
	return height;
}

void kv_node_init(struct kv_node *node, u8 height, const void *name, u16 len)
{
	node->len = len;
	node->height = height;
	memcpy(&node->next[height], name, len);
}

static int compare(const struct kv_node *node, const void *name, u16 len)
{
	int order = memcmp(kv_node_name(node), name, min(node->len, len));

	return order ?: (int)node->len - (int)len;
}

/*
 * The first node not below @name. @path, if asked for: what points past @name
 * on each level.
 */
static struct kv_node *search(struct kv_index *index, const void *name,
			      u16 len, struct kv_node ***path)
{
	struct kv_node **tower = index->head;
	int level;

	for (level = KV_HEIGHT_MAX - 1; level >= 0; level--) {
		while (tower[level] && compare(tower[level], name, len) < 0)
			tower = tower[level]->next;
		if (path)
			path[level] = &tower[level];
	}
	return tower[0];
}

/* The first node not below @name, or NULL. */
struct kv_node *kv_index_seek(const struct kv_index *index, const void *name,
			      u16 len)
{
	return search((struct kv_index *)index, name, len, NULL);
}

/* The node of @name, or NULL. */
struct kv_node *kv_index_find(const struct kv_index *index, const void *name,
			      u16 len)
{
	struct kv_node *node = kv_index_seek(index, name, len);

	return node && !compare(node, name, len) ? node : NULL;
}

/* @node's name must not be there. */
void kv_index_insert(struct kv_index *index, struct kv_node *node)
{
	struct kv_node **path[KV_HEIGHT_MAX];
	int level;

	search(index, kv_node_name(node), node->len, path);
	for (level = 0; level < node->height; level++) {
		node->next[level] = *path[level];
		*path[level] = node;
	}
}

/* @node must be there. */
void kv_index_remove(struct kv_index *index, struct kv_node *node)
{
	struct kv_node **path[KV_HEIGHT_MAX];
	int level;

	search(index, kv_node_name(node), node->len, path);
	for (level = 0; level < node->height; level++)
		*path[level] = node->next[level];
}
