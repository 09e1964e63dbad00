/*
 * What comes to a place that is shared, or goes from there, does so in all mounts that receive of
 * it (peers.h). What comes is copied for each of them before anything can be seen: then nothing
 * fails any more. Under mounts_lock; no state.
 */
#include "peers.h"

#include <mm/slab.h>

/* The place as `mount` shows it. False: it does not. */
static bool is_shown(const struct mount *mount, const struct path *at)
{
	return dentry_is_below(at->dentry, mount->root);
}

/* What alone stands over the root of `mount`, and nothing else in it: but for what goes. NULL:
 * nothing. False: something else does. */
static bool find_cover_locked(const struct mount *mount, struct mount **cover)
	REQUIRES(mounts_lock);
static bool find_cover_locked(const struct mount *mount, struct mount **cover)
{
	struct mount *child;

	*cover = NULL;
	list_for_each (child, &mount->children, sibling) {
		if (list_linked(&child->place->link))
			continue;
		if (*cover || child->place->path.dentry != mount->root)
			return false;
		*cover = child;
	}
	return true;
}

/* ---- what comes ---- */

struct arrival {
	const struct path *at;
	struct list *coming;
	uint64_t nmounts; /* that come to each */
};

static err_t count_none(struct mount *mount, UNUSED struct peers *of, UNUSED void *context)
	REQUIRES(mounts_lock);
static err_t count_none(struct mount *mount, UNUSED struct peers *of, UNUSED void *context)
{
	if (mount->tree)
		mount->tree->ncoming = 0;
	return 0;
}

static err_t count_coming(struct mount *mount, UNUSED struct peers *of, void *context)
	REQUIRES(mounts_lock);
static err_t count_coming(struct mount *mount, UNUSED struct peers *of, void *context)
{
	const struct arrival *arrival = context;

	if (!mount->tree || !is_shown(mount, arrival->at))
		return 0;
	mount->tree->ncoming += arrival->nmounts;
	return mount_check_room_locked(mount->tree, mount->tree->ncoming);
}

/* There is room for it in each tree. */
static err_t check_room_locked(struct mount *tree, struct arrival *arrival) REQUIRES(mounts_lock);
static err_t check_room_locked(struct mount *tree, struct arrival *arrival)
{
	struct mount *at = arrival->at->mount;
	err_t err = peers_visit_locked(at->peers, count_none, NULL);

	arrival->nmounts = mount_count_locked(tree);
	if (tree->tree && at->tree) /* it is moved, and counted already */
		at->tree->ncoming -= arrival->nmounts;
	return err ? err : peers_visit_locked(at->peers, count_coming, arrival);
}

/* What came to those of which `peers` receive, if nothing came to themselves. */
static struct mount *tree_of_locked(const struct peers *peers) REQUIRES(mounts_lock);
static struct mount *tree_of_locked(const struct peers *peers)
{
	while (!peers->tree)
		peers = list_first_entry(&peers->members, struct mount, peer_link)->master;
	return peers->tree;
}

static err_t copy_for_receiver(struct mount *mount, struct peers *of, void *context)
	REQUIRES(mounts_lock);
static err_t copy_for_receiver(struct mount *mount, struct peers *of, void *context)
{
	const struct arrival *arrival = context;
	enum mount_relation relation = !mount->peers ? COPY_RECEIVES
				       : of->tree    ? COPY_IS_ALIKE
						     : COPY_PASSES_ON;
	struct mount *tree = tree_of_locked(of);
	struct mount_place *place;
	err_t err;

	if (mount == arrival->at->mount || !is_shown(mount, arrival->at))
		return 0;
	place = mount_place_alloc();
	if (!place)
		return -ENOMEM;
	place->path = (struct path){.mount = mount, .dentry = arrival->at->dentry};
	list_add_tail(arrival->coming, &place->link);
	err = mount_copy_locked(tree, tree->root, true, relation, &place->mount);
	if (!err && mount->peers)
		of->tree = place->mount;
	return err;
}

/* For what stands at a place already, one to stand at over what comes there. */
static err_t make_places_above_locked(const struct list *coming) REQUIRES(mounts_lock);
static err_t make_places_above_locked(const struct list *coming)
{
	struct mount_place *place;

	list_for_each (place, coming, link) {
		if (!mount_at(place->path.mount, place->path.dentry))
			continue;
		place->above = mount_place_alloc();
		if (!place->above)
			return -ENOMEM;
	}
	return 0;
}

err_t propagation_begin_locked(struct mount *tree, const struct path *at, struct list *coming)
{
	struct arrival arrival = {.at = at, .coming = coming};
	struct peers *peers = at->mount->peers;
	err_t err;

	if (!peers)
		return 0;
	err = check_room_locked(tree, &arrival);
	if (!err)
		err = peers_begin_all_locked(tree, true);
	if (err)
		return err;
	peers->tree = tree;
	err = peers_visit_locked(peers, copy_for_receiver, &arrival);
	return err ? err : make_places_above_locked(coming);
}

/* Under what stands there. */
static err_t come_locked(struct mount_place *place, const struct mount_tree *source)
	REQUIRES(mounts_lock);
static err_t come_locked(struct mount_place *place, const struct mount_tree *source)
{
	struct mount *over = mount_at(place->path.mount, place->path.dentry);
	struct mount_place *above = place->above;
	const struct path at = place->path;
	struct mount *tree = place->mount;
	err_t err = mount_attach_locked(tree, &at, place);

	if (err)
		return err;
	/* From those who may do more. */
	if (tree->tree && tree->tree->owner != source->owner)
		mount_lock_tree_locked(tree);
	place->above = NULL;
	/* What stood here may have been the tree that is moved. */
	if (over)
		mount_raise_locked(over, tree, above);
	else
		kfree(above);
	mount_put(tree); /* its place has another */
	return 0;
}

void propagation_commit_locked(struct mount *tree, struct list *coming)
{
	struct mount_place *place, *next;
	LIST_HEAD(all);

	list_splice_tail(&all, coming);
	list_for_each_safe (place, next, &all, link) {
		list_del(&place->link);
		if (come_locked(place, tree->tree))
			list_add_tail(coming, &place->link);
	}
	peers_settle_locked(tree, false);
}

void propagation_cancel_locked(struct mount *tree)
{
	peers_settle_locked(tree, true);
}

void propagation_discard(struct list *coming)
{
	struct mount_place *place, *next;

	list_for_each_safe (place, next, coming, link) {
		mount_discard(place->mount);
		kfree(place->above);
		kfree(place);
	}
}

/* ---- what goes ---- */

struct leaving {
	const struct path *at;
	struct list *going;
};

/* What covers it comes to where it stood; without memory for that, both stay. */
static void gather_one_locked(struct mount *mount, struct list *going) REQUIRES(mounts_lock);
static void gather_one_locked(struct mount *mount, struct list *going)
{
	struct mount_place *place;
	struct mount *cover;

	if (list_linked(&mount->place->link) || !find_cover_locked(mount, &cover))
		return;
	if (cover) {
		place = mount_place_alloc();
		if (!place)
			return;
		mount_place_free(mount_lower_locked(cover, mount, place));
	}
	list_add_tail(going, &mount->place->link);
}

static err_t gather_from(struct mount *mount, UNUSED struct peers *of, void *context)
	REQUIRES(mounts_lock);
static err_t gather_from(struct mount *mount, UNUSED struct peers *of, void *context)
{
	const struct leaving *leaving = context;
	struct mount *there;

	if (mount == leaving->at->mount)
		return 0;
	there = mount_at(mount, leaving->at->dentry);
	if (there)
		gather_one_locked(there, leaving->going);
	return 0;
}

void propagation_gather_locked(const struct path *at, struct list *going)
{
	struct leaving leaving = {.at = at, .going = going};

	if (at->mount->peers)
		(void)!peers_visit_locked(at->mount->peers, gather_from, &leaving);
}

static err_t check_idle(struct mount *mount, UNUSED struct peers *of, void *context)
	REQUIRES(mounts_lock);
static err_t check_idle(struct mount *mount, UNUSED struct peers *of, void *context)
{
	const struct path *at = context;
	struct mount *there = mount == at->mount ? NULL : mount_at(mount, at->dentry);
	struct mount *cover;

	if (!there || !find_cover_locked(there, &cover))
		return 0; /* it will not go */
	return mount_users(there) > (cover ? 2 : 1) ? -EBUSY : 0;
}

bool propagation_is_busy_locked(const struct path *at)
{
	return at->mount->peers && peers_visit_locked(at->mount->peers, check_idle, (void *)at);
}

struct covering {
	const struct path *at;
	const struct mount *mount;
};

static err_t check_other(struct mount *mount, UNUSED struct peers *of, void *context)
{
	const struct covering *covering = context;

	return mount == covering->mount && covering->at->dentry == mount->root ? -EBUSY : 0;
}

bool propagation_covers_locked(const struct path *at, const struct mount *mount)
{
	struct covering covering = {.at = at, .mount = mount};

	return at->mount->peers && peers_visit_locked(at->mount->peers, check_other, &covering);
}
