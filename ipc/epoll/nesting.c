/*
 * Epolls that watch epolls: no circles, and no chain of more than NESTS_MAX of them behind the
 * first, as on Linux. A wake goes from one to the next by a task of each, so many ways between two
 * of them cost no more than their entries; Linux's limit of such ways has no counterpart here.
 */
#include "epoll_priv.h"

#define NESTS_MAX 4 /* EP_MAX_NESTS */

MUTEX(nesting_lock, LOCK_NESTING);

static uint64_t nwalks; /* nesting_lock */

/* How many lie below or above one, at most: each is visited once. The recursion ends since what is
 * there is within the limit. */
static unsigned edges_below(struct epoll *epoll) REQUIRES(nesting_lock);
static unsigned edges_below(struct epoll *epoll)
{
	struct epoll_item *item;

	if (epoll->walk == nwalks)
		return epoll->walk_edges;
	epoll->walk = nwalks;
	epoll->walk_edges = 0;
	list_for_each (item, &epoll->inner, inner_link)
		epoll->walk_edges = MAX(epoll->walk_edges, edges_below(epoll_of(item->object)) + 1);
	return epoll->walk_edges;
}

static unsigned edges_above(struct epoll *epoll) REQUIRES(nesting_lock);
static unsigned edges_above(struct epoll *epoll)
{
	struct epoll_item *item;

	if (epoll->walk == nwalks)
		return epoll->walk_edges;
	epoll->walk = nwalks;
	epoll->walk_edges = 0;
	list_for_each (item, &epoll->outer, outer_link)
		epoll->walk_edges = MAX(epoll->walk_edges, edges_above(item->epoll) + 1);
	return epoll->walk_edges;
}

err_t epoll_check_nesting(struct epoll *outer, struct epoll *inner)
{
	unsigned below;
	unsigned above;

	nwalks++;
	below = edges_below(inner);
	if (outer->walk == nwalks)
		return -ELOOP; /* it was met on the way down */
	nwalks++;
	above = edges_above(outer);
	return above + 1 + below > NESTS_MAX ? -ELOOP : 0;
}
