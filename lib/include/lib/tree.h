/*
 * Balanced binary tree (AVL), intrusive: the node is a member of what is kept in order. No
 * allocation, no state; the lock is the owner's. Who looks something up walks the nodes himself,
 * with his own comparison and no call for each step:
 *
 *	struct tree_node **at = &tree->root, *parent = NULL;
 *	while (*at) {
 *		parent = *at;
 *		at = key < key_of(parent) ? &parent->left : &parent->right;
 *	}
 *	tree_insert(tree, node, parent, at);
 *
 * A tree may be augmented: `update` then recomputes a node's own summary from the node and its
 * children, and says whether it is another one than before. It is called bottom-up wherever
 * something changed below, as far as that makes a difference.
 */
#ifndef LIB_TREE_H
#define LIB_TREE_H

#include <lib/types.h>

struct tree_node {
	struct tree_node *parent;
	struct tree_node *left;
	struct tree_node *right;
	uint32_t height; /* of the subtree: 1 for a leaf, so that no child counts 0 */
};

struct tree {
	struct tree_node *root;
	bool (*update)(struct tree_node *node); /* or NULL */
};

#define TREE_INIT(update_function)                                                                 \
	{                                                                                          \
		.update = (update_function)                                                        \
	}

static inline bool tree_empty(const struct tree *tree)
{
	return !tree->root;
}

/* Puts `node` where a walk ended: at `*where`, which is NULL and a child pointer of `parent` (or
 * the root). */
void tree_insert(struct tree *tree, struct tree_node *node, struct tree_node *parent,
		 struct tree_node **where);
void tree_remove(struct tree *tree, struct tree_node *node);
/* The node's own part of the summary has changed: recomputes it from here up. */
void tree_update(struct tree *tree, struct tree_node *node);

/* In order; NULL: none. */
struct tree_node *tree_first(const struct tree *tree);
struct tree_node *tree_last(const struct tree *tree);
struct tree_node *tree_next(const struct tree_node *node);
struct tree_node *tree_prev(const struct tree_node *node);

#define tree_entry(node, type, member)                                                             \
	({                                                                                         \
		struct tree_node *_node = (node);                                                  \
                                                                                                   \
		_node ? container_of(_node, type, member) : NULL;                                  \
	})

/* `entry` is a pointer to the kept type; the body may not remove it. */
#define tree_for_each(entry, tree, member)                                                         \
	for ((entry) = tree_entry(tree_first(tree), typeof(*(entry)), member); (entry);            \
	     (entry) = tree_entry(tree_next(&(entry)->member), typeof(*(entry)), member))

#endif
