/* sources: lib/tree.c */
/*
 * The tree against a sorted array: random insertions and removals, with its invariants checked node
 * by node.
 */
#include <lib/tree.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define ITEMS 300
#define STEPS 60000

struct item {
	struct tree_node node;
	unsigned key;
	unsigned sum; /* augmentation: of all keys in the subtree */
	bool in;
};

static struct item items[ITEMS];

static struct item *item_of(struct tree_node *node)
{
	return tree_entry(node, struct item, node);
}

static bool sum_update(struct tree_node *node)
{
	struct item *item = item_of(node);
	unsigned before = item->sum;

	item->sum = item->key + (node->left ? item_of(node->left)->sum : 0) +
		    (node->right ? item_of(node->right)->sum : 0);
	return item->sum != before;
}

/* Changes less often than a sum, so that the way up ends early. */
static bool max_update(struct tree_node *node)
{
	struct item *item = item_of(node);
	unsigned before = item->sum;

	item->sum = item->key % 16;
	if (node->left)
		item->sum = MAX(item->sum, item_of(node->left)->sum);
	if (node->right)
		item->sum = MAX(item->sum, item_of(node->right)->sum);
	return item->sum != before;
}

static void insert(struct tree *tree, struct item *item)
{
	struct tree_node **at = &tree->root;
	struct tree_node *parent = NULL;

	while (*at) {
		parent = *at;
		at = item->key < item_of(parent)->key ? &parent->left : &parent->right;
	}
	tree_insert(tree, &item->node, parent, at);
	item->in = true;
}

static uint32_t check_node(const struct tree *tree, struct tree_node *node,
			   struct tree_node *parent)
{
	uint32_t left, right;
	unsigned sum;

	if (!node)
		return 0;
	assert_ptr_equal(node->parent, parent);
	left = check_node(tree, node->left, node);
	right = check_node(tree, node->right, node);
	assert_true(left <= right + 1 && right <= left + 1);
	assert_int_equal(node->height, MAX(left, right) + 1);
	if (tree->update) {
		sum = item_of(node)->sum;
		assert_false(tree->update(node));
		assert_int_equal(item_of(node)->sum, sum);
	}
	return node->height;
}

/* What is in the tree, forwards and backwards, is what is marked, in order. */
static void check(const struct tree *tree)
{
	struct tree_node *node = tree_first(tree);
	struct tree_node *last = NULL;

	check_node(tree, tree->root, NULL);
	for (unsigned i = 0; i < ITEMS; i++) {
		if (!items[i].in)
			continue;
		assert_ptr_equal(node, &items[i].node);
		assert_ptr_equal(tree_prev(node), last);
		last = node;
		node = tree_next(node);
	}
	assert_null(node);
	assert_ptr_equal(tree_last(tree), last);
}

static void random_changes(struct tree *tree)
{
	srand(7);
	for (unsigned i = 0; i < ITEMS; i++)
		items[i] = (struct item){.key = i};
	for (unsigned step = 0; step < STEPS; step++) {
		/* Waves, so that it becomes nearly full and nearly empty. */
		bool growing = step / 2000 % 2 == 0;
		struct item *item = &items[rand() % ITEMS];

		if (!item->in && (growing || rand() % 4 == 0)) {
			insert(tree, item);
		} else if (item->in && (!growing || rand() % 4 == 0)) {
			tree_remove(tree, &item->node);
			item->in = false;
		}
		if (step % 37 == 0)
			check(tree);
	}
	check(tree);
}

static void plain_tree_keeps_order_and_balance(void **state)
{
	struct tree tree = TREE_INIT(NULL);

	(void)state;
	random_changes(&tree);
}

static void augmented_tree_keeps_its_summaries(void **state)
{
	struct tree sums = TREE_INIT(sum_update);
	struct tree maxima = TREE_INIT(max_update);

	(void)state;
	random_changes(&sums);
	random_changes(&maxima);
}

static void ascending_keys_do_not_make_a_list(void **state)
{
	struct tree tree = TREE_INIT(NULL);

	(void)state;
	for (unsigned i = 0; i < ITEMS; i++) {
		items[i] = (struct item){.key = i};
		insert(&tree, &items[i]);
	}
	check(&tree);
	assert_true(tree.root->height <= 10); /* 1.44 log2(300) + 1 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_tree_keeps_order_and_balance),
		cmocka_unit_test(augmented_tree_keeps_its_summaries),
		cmocka_unit_test(ascending_keys_do_not_make_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
