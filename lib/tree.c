/*
 * The balanced tree: AVL, with parent pointers so that neighbours are found without a stack. The
 * invariant: the heights of a node's two subtrees differ by at most one, and `height` (and what
 * `update` keeps) is right for every node whenever a public function returns.
 */
#include <lib/tree.h>

static uint32_t height_of(const struct tree_node *node)
{
	return node ? node->height : 0;
}

/* Recomputes what follows from the children. False: it is what it was. */
static inline bool refresh(const struct tree *tree, struct tree_node *node)
{
	uint32_t before = node->height;
	bool changed = tree->update && tree->update(node);

	node->height = MAX(height_of(node->left), height_of(node->right)) + 1;
	return changed || node->height != before;
}

/* Puts `with` (or nothing) where `node` hangs. */
static void replace_child(struct tree *tree, struct tree_node *parent, struct tree_node *node,
			  struct tree_node *with)
{
	if (!parent)
		tree->root = with;
	else if (parent->left == node)
		parent->left = with;
	else
		parent->right = with;
	if (with)
		with->parent = parent;
}

/* The left child goes up, `node` becomes its right child. Returns the new top. */
static struct tree_node *rotate_right(struct tree *tree, struct tree_node *node)
{
	struct tree_node *up = node->left;

	replace_child(tree, node->parent, node, up);
	node->left = up->right;
	if (node->left)
		node->left->parent = node;
	up->right = node;
	node->parent = up;
	refresh(tree, node);
	refresh(tree, up);
	return up;
}

static struct tree_node *rotate_left(struct tree *tree, struct tree_node *node)
{
	struct tree_node *up = node->right;

	replace_child(tree, node->parent, node, up);
	node->right = up->left;
	if (node->right)
		node->right->parent = node;
	up->left = node;
	node->parent = up;
	refresh(tree, node);
	refresh(tree, up);
	return up;
}

/* Makes one node right; its children are. Returns what stands in its place now; *changed: those
 * above may have to follow. */
static struct tree_node *rebalance_one(struct tree *tree, struct tree_node *node, bool *changed)
{
	uint32_t left = height_of(node->left);
	uint32_t right = height_of(node->right);

	*changed = true;
	if (left > right + 1) {
		if (height_of(node->left->left) < height_of(node->left->right))
			rotate_left(tree, node->left);
		return rotate_right(tree, node);
	}
	if (right > left + 1) {
		if (height_of(node->right->right) < height_of(node->right->left))
			rotate_right(tree, node->right);
		return rotate_left(tree, node);
	}
	*changed = refresh(tree, node);
	return node;
}

/* From `node` up, at least beyond `beyond` (or NULL), until nothing changes any more. */
static void rebalance_up(struct tree *tree, struct tree_node *node, const struct tree_node *beyond)
{
	while (node) {
		bool passed = node == beyond;
		bool changed;

		node = rebalance_one(tree, node, &changed);
		if (passed)
			beyond = NULL;
		if (!changed && !beyond && !passed)
			return;
		node = node->parent;
	}
}

void tree_insert(struct tree *tree, struct tree_node *node, struct tree_node *parent,
		 struct tree_node **where)
{
	*node = (struct tree_node){.parent = parent, .height = 1};
	*where = node;
	if (tree->update)
		tree->update(node);
	rebalance_up(tree, parent, NULL);
}

void tree_remove(struct tree *tree, struct tree_node *node)
{
	struct tree_node *parent = node->parent;
	struct tree_node *lowest; /* whose subtree lost something */
	struct tree_node *next;

	if (!node->left || !node->right) {
		replace_child(tree, parent, node, node->left ? node->left : node->right);
		rebalance_up(tree, parent, NULL);
		return;
	}
	/* The next one in order has no left child: it takes the node's place. */
	next = tree_next(node);
	lowest = next->parent == node ? next : next->parent;
	replace_child(tree, next->parent, next, next->right);
	replace_child(tree, parent, node, next);
	next->left = node->left;
	next->right = node->right;
	next->height = node->height;
	next->left->parent = next;
	if (next->right)
		next->right->parent = next;
	/* Its summary is still that of its old place: those above it are told in any case. */
	rebalance_up(tree, lowest, next);
}

void tree_update(struct tree *tree, struct tree_node *node)
{
	while (node && tree->update(node))
		node = node->parent;
}

struct tree_node *tree_first(const struct tree *tree)
{
	struct tree_node *node = tree->root;

	while (node && node->left)
		node = node->left;
	return node;
}

struct tree_node *tree_last(const struct tree *tree)
{
	struct tree_node *node = tree->root;

	while (node && node->right)
		node = node->right;
	return node;
}

struct tree_node *tree_next(const struct tree_node *node)
{
	struct tree_node *parent;

	if (node->right) {
		struct tree_node *at = node->right;

		while (at->left)
			at = at->left;
		return at;
	}
	for (parent = node->parent; parent && parent->right == node; parent = parent->parent)
		node = parent;
	return parent;
}

struct tree_node *tree_prev(const struct tree_node *node)
{
	struct tree_node *parent;

	if (node->left) {
		struct tree_node *at = node->left;

		while (at->right)
			at = at->right;
		return at;
	}
	for (parent = node->parent; parent && parent->left == node; parent = parent->parent)
		node = parent;
	return parent;
}
