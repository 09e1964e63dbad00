/*
 * The timer heap: see timerq.h. Invariant: no timer is earlier than its parent, and the tree is
 * complete: place 1 is the root, places 2n and 2n + 1 are the children of place n, and exactly the
 * places 1..ntimers are taken.
 */
#include "timerq.h"

/* The link that leads to place `n` (1..ntimers + 1), and in *parent the timer that it lies in. */
static struct timer **find_place(struct timerq *queue, uint64_t n, struct timer **parent)
{
	struct timer **link = &queue->first;

	*parent = NULL;
	/* Below its highest bit, n spells the way down: 0 left, 1 right. */
	for (int bit = 62 - __builtin_clzll(n); bit >= 0; bit--) {
		*parent = *link;
		link = (n >> bit) & 1 ? &(*parent)->right : &(*parent)->left;
	}
	return link;
}

static struct timer **link_to(struct timerq *queue, struct timer *timer)
{
	struct timer *parent = timer->parent;

	if (!parent)
		return &queue->first;
	return parent->left == timer ? &parent->left : &parent->right;
}

static void adopt(struct timer *parent, struct timer *child)
{
	if (child)
		child->parent = parent;
}

/* Puts `child` in the place of its parent, and the parent in its own. */
static void swap_with_parent(struct timerq *queue, struct timer *child)
{
	struct timer *parent = child->parent;
	struct timer **link = link_to(queue, parent);
	struct timer *left = child->left;
	struct timer *right = child->right;

	if (parent->left == child) {
		child->left = parent;
		child->right = parent->right;
		adopt(child, child->right);
	} else {
		child->right = parent;
		child->left = parent->left;
		adopt(child, child->left);
	}
	child->parent = parent->parent;
	*link = child;

	parent->parent = child;
	parent->left = left;
	parent->right = right;
	adopt(parent, left);
	adopt(parent, right);
}

static void rise(struct timerq *queue, struct timer *timer)
{
	while (timer->parent && timer->deadline_ns < timer->parent->deadline_ns)
		swap_with_parent(queue, timer);
}

static void sink(struct timerq *queue, struct timer *timer)
{
	for (;;) {
		struct timer *earliest = timer;

		if (timer->left && timer->left->deadline_ns < earliest->deadline_ns)
			earliest = timer->left;
		if (timer->right && timer->right->deadline_ns < earliest->deadline_ns)
			earliest = timer->right;
		if (earliest == timer)
			return;
		swap_with_parent(queue, earliest);
	}
}

void timerq_insert(struct timerq *queue, struct timer *timer)
{
	struct timer **link;

	link = find_place(queue, ++queue->ntimers, &timer->parent);
	timer->left = NULL;
	timer->right = NULL;
	*link = timer;
	rise(queue, timer);
}

void timerq_remove(struct timerq *queue, struct timer *timer)
{
	struct timer *parent;
	struct timer **last_link = find_place(queue, queue->ntimers--, &parent);
	struct timer *last = *last_link;

	*last_link = NULL;
	if (last == timer)
		return;
	/* The last one takes the place of the one that goes, then moves to where it belongs. */
	last->parent = timer->parent;
	last->left = timer->left;
	last->right = timer->right;
	*link_to(queue, timer) = last;
	adopt(last, last->left);
	adopt(last, last->right);
	rise(queue, last);
	sink(queue, last);
}
