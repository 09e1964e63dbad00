/*
 * Epolls that watch epolls: no circles, no chain of more than NESTS_MAX of them behind the first,
 * and no more than WAKES_MAX entries that one wake goes through, as on Linux. The wake goes from
 * one to the next under the queue of the first, so that whoever made the event finds it in all of
 * them; these limits bound how long that takes. Each entry goes on once, until somebody has looked.
 */
#include "epoll_priv.h"

#define NESTS_MAX 4 /* EP_MAX_NESTS */
#define WAKES_MAX 500

MUTEX(nesting_lock, LOCK_NESTING);

static uint64_t nwalks;  /* nesting_lock */
static uint64_t nchecks; /* nesting_lock */

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

/* How many entries a wake goes through in those that watch it, and so on: each is counted once. */
static unsigned entries_above(struct epoll *epoll) REQUIRES(nesting_lock);
static unsigned entries_above(struct epoll *epoll)
{
	struct epoll_item *item;
	unsigned nentries = 0;

	if (epoll->walk == nwalks)
		return 0;
	epoll->walk = nwalks;
	list_for_each (item, &epoll->outer, outer_link)
		nentries += 1 + entries_above(item->epoll);
	return nentries;
}

/* It and those below it may get so many more. */
static bool may_wake_more(struct epoll *epoll, unsigned more) REQUIRES(nesting_lock);
static bool may_wake_more(struct epoll *epoll, unsigned more)
{
	struct epoll_item *item;

	if (epoll->check == nchecks)
		return true;
	epoll->check = nchecks;
	nwalks++;
	if (entries_above(epoll) + more > WAKES_MAX)
		return false;
	list_for_each (item, &epoll->inner, inner_link) {
		if (!may_wake_more(epoll_of(item->object), more))
			return false;
	}
	return true;
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
	if (above + 1 + below > NESTS_MAX)
		return -ELOOP;
	nwalks++;
	nchecks++;
	return may_wake_more(inner, 1 + entries_above(outer)) ? 0 : -EINVAL;
}
