/*
 * Mounts that share what is mounted in them, as Linux's shared subtrees: what comes to a place in
 * one of some peers comes to all of them, and to those that receive of them, which give nothing
 * back. All under mounts_lock.
 */
#ifndef FUSEK_PEERS_H
#define FUSEK_PEERS_H

#include "mount_tree.h"

/*
 * Some peers, with all of whom the mounts agree on `master`. Goes with the last of them.
 *   [c] constant
 *   [m] mounts_lock
 */
struct peers {
	uint32_t id;           /* [c] */
	struct list members;   /* [m] mounts, by peer_link */
	struct list receivers; /* [m] mounts whose master this is */
	bool fresh;            /* [m] of a change that may not come about */
	struct list visited;   /* [m] of peers_visit_locked() */
	struct mount *tree;    /* [m] what comes to them, of propagation.c */
};

/* ---- who is whose (peers.c) ---- */

/* It has peers from now on, if only itself. -ENOMEM. */
err_t must_check peers_begin_locked(struct mount *mount) REQUIRES(mounts_lock);
/* The same for it and (`recursive`) all that stands in it: all or none. peers_settle_locked() tells
 * how it ended. */
err_t must_check peers_begin_all_locked(struct mount *top, bool recursive) REQUIRES(mounts_lock);
/* What peers_begin_all_locked() began is for good, or (`undo`) had better not been. */
void peers_settle_locked(struct mount *top, bool undo) REQUIRES(mounts_lock);
/* `copy` has the same peers and the same master. */
void peers_join_locked(struct mount *copy, const struct mount *mount) REQUIRES(mounts_lock);
/* NULL: of nobody. */
void peers_set_master_locked(struct mount *mount, struct peers *master) REQUIRES(mounts_lock);
/* MS_SLAVE: it receives what its peers get; without any, what those get of whom it did before. */
void peers_become_receiver_locked(struct mount *mount) REQUIRES(mounts_lock);
/* MS_PRIVATE: what receives of it alone has its master then. */
void peers_leave_locked(struct mount *mount) REQUIRES(mounts_lock);

/* Calls for each mount of the tree that gets what one of `origin` gets, those first from which it
 * comes: the peers themselves, then who receives of them, and so on. `of`: its peers, or those it
 * receives of if it has none. Ends with the first error. */
typedef err_t (*peers_visitor)(struct mount *mount, struct peers *of, void *context);
err_t must_check peers_visit_locked(struct peers *origin, peers_visitor visitor, void *context)
	REQUIRES(mounts_lock);

/* ---- what comes to all of them (propagation.c) ---- */

/* `tree` is to come to `at`. If that is shared, all of it gets peers, and *coming is what comes
 * elsewhere; else nothing. In the end of an error, too, propagation_cancel_locked() and
 * propagation_discard(). -ENOMEM, -ENOSPC. */
err_t must_check propagation_begin_locked(struct mount *tree, const struct path *at,
					  struct list *coming) REQUIRES(mounts_lock);
/* It has come: all that comes elsewhere does as well, under what stands there. What had to stay
 * away, since the place is removed, is for propagation_discard(). */
void propagation_commit_locked(struct mount *tree, struct list *coming) REQUIRES(mounts_lock);
void propagation_cancel_locked(struct mount *tree) REQUIRES(mounts_lock);
/* Without the lock. */
void propagation_discard(struct list *coming);

/* The same for what goes from `at`: adds to `going` what stands there in others, but for that in
 * which something else stands. */
void propagation_gather_locked(const struct path *at, struct list *going) REQUIRES(mounts_lock);
/* What would go with it is in use. */
bool propagation_is_busy_locked(const struct path *at) REQUIRES(mounts_lock);
/* What comes to `at` comes over the root of `mount` as well. */
bool propagation_covers_locked(const struct path *at, const struct mount *mount)
	REQUIRES(mounts_lock);

#endif
