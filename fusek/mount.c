/*
 * Mounts: their life, and the tree that they stand in. Owns the list of mounts and the pointers
 * from covered directories to what covers them (mount_tree.h says who may see what). Changes are
 * made under mounts_lock; the spinlock `last_lock` is for the references of mounts that stand
 * nowhere.
 */
#define LOG_SUBSYSTEM "fusek"
#include "mount_tree.h"
#include "peers.h"

#include <mm/slab.h>

MUTEX(mounts_lock, LOCK_MOUNT);
LIST_HEAD(mounts_in_tree); /* mounts_lock: in the order of their coming */
struct mount *mount_absolute;

SLAB_CACHE(mount_cache, struct mount);

static struct spinlock last_lock = SPINLOCK_INIT(LOCK_MOUNTUSE);
static uint32_t last_id; /* atomic */

/* ---- life ---- */

unsigned mount_flags_of(const struct server *server, unsigned flags)
{
	return flags | (server->flags & SERVER_NO_DEVICES ? MS_NODEV : 0) |
	       (server->flags & SERVER_NO_SET_ID ? MS_NOSUID : 0) |
	       (server->flags & SERVER_NO_EXEC ? MS_NOEXEC : 0) |
	       (server->flags & SERVER_OWNER_ONLY ? MOUNT_OWNER_ONLY : 0);
}

struct mount *mount_alloc(struct filesystem *fs, struct dentry *root, unsigned flags)
{
	struct mount *mount = slab_alloc_zeroed(&mount_cache);

	if (!mount)
		return NULL;
	list_init(&mount->link);
	list_init(&mount->children);
	list_init(&mount->sibling);
	list_init(&mount->peer_link);
	list_init(&mount->receiver_link);
	mount->fs = filesystem_get(fs);
	mount->root = root ? dentry_get(root) : NULL;
	mount->flags = mount_flags_of(fs->server, flags);
	mount->put_slowly = MOUNT_STANDS_NOWHERE;
	mount->id = atomic_fetch_add_full(&last_id, 1) + 1;
	return mount_get(mount);
}

int64_t mount_users(const struct mount *mount)
{
	int64_t sum = 0;

	for (unsigned i = 0; i < MOUNT_SLOTS; i++)
		sum += read_once(&mount->slots[i].count);
	return sum;
}

/* Of one that stands nowhere, and a grace period ago did not: every put takes the lock, so whoever
 * holds it during the count is counted. */
static int64_t users_for_sure(const struct mount *mount)
{
	int64_t nusers;

	spin_lock(&last_lock);
	nusers = mount_users(mount);
	spin_unlock(&last_lock);
	return nusers;
}

static void free_mount(struct rcu_head *head)
{
	slab_free(&mount_cache, container_of(head, struct mount, rcu));
}

/* One at a time: so the sum is right, and one alone finds it 0. Whether it was the last reference;
 * the caller still has it if something is adrift in the mount. */
static bool put_was_last(struct mount *mount, bool keep_mark)
{
	bool last;

	spin_lock(&last_lock);
	atomic_add_relaxed(mount_slot(mount), -1);
	last = (mount->put_slowly & MOUNT_STANDS_NOWHERE) && mount_users(mount) == 0;
	if (last && mount->has_adrift)
		(void)mount_get(mount);
	if (!keep_mark)
		write_once(&mount->put_slowly, mount->put_slowly & ~MOUNT_TO_EXPIRE);
	spin_unlock(&last_lock);
	return last;
}

static void set_has_adrift(struct mount *mount, bool has)
{
	spin_lock(&last_lock);
	mount->has_adrift = has;
	spin_unlock(&last_lock);
}

/* Nobody sees any more what they cover. Those of which that was the last reference are added to
 * `last`: mounts may be in each other deeper than a stack is. */
static void release_adrift(struct mount *in, struct list *last)
{
	struct mount_place *place, *next;
	struct mount *mount;
	LIST_HEAD(going);

	mutex_lock(&mounts_lock);
	list_for_each (mount, &in->children, sibling)
		list_add_tail(&going, &mount->place->link);
	mounts_take_out_locked(&going, NULL);
	set_has_adrift(in, false);
	mutex_unlock(&mounts_lock);
	list_for_each_safe (place, next, &going, link) {
		list_del(&place->link);
		mount = place->mount;
		mount_place_free(place);
		if (put_was_last(mount, false))
			list_add_tail(last, &mount->link);
	}
}

static void free_last(struct mount *mount)
{
	debug_assert(!mount->place && list_empty(&mount->children));
	debug_assert(!mount->peers && !mount->master);
	dentry_put(mount->root);
	filesystem_put(mount->fs);
	rcu_call(&mount->rcu, free_mount);
}

void mount_put_slowly(struct mount *mount, bool keep_mark)
{
	LIST_HEAD(last); /* by `link`: they are in no tree */

	if (put_was_last(mount, keep_mark))
		list_add_tail(&last, &mount->link);
	while (!list_empty(&last)) {
		mount = list_first_entry(&last, struct mount, link);
		list_del(&mount->link);
		if (!mount->has_adrift) { /* who has the last reference is alone with it */
			free_last(mount);
			continue;
		}
		release_adrift(mount, &last);
		/* Who came from one of those into this one may have it now. */
		if (put_was_last(mount, false))
			list_add_tail(&last, &mount->link);
	}
}

bool mount_mark_to_expire(struct mount *mount)
{
	bool marked;

	spin_lock(&last_lock);
	marked = (mount->put_slowly & MOUNT_TO_EXPIRE) != 0;
	write_once(&mount->put_slowly, mount->put_slowly | MOUNT_TO_EXPIRE);
	spin_unlock(&last_lock);
	return marked;
}

static void set_put_slowly(struct mount *mount, unsigned bits)
{
	spin_lock(&last_lock);
	write_once(&mount->put_slowly, bits);
	spin_unlock(&last_lock);
}

err_t mount_write_begin(const struct path *path)
{
	err_t err;

	/* Full order: a remount that has not seen us is seen by us. */
	(void)atomic_fetch_add_full(&path->mount->nwriters, 1);
	(void)atomic_fetch_add_full(&path->mount->fs->nwriters, 1);
	err = path_may_change(path);
	if (err)
		mount_write_end(path->mount);
	return err;
}

void mount_write_end(struct mount *mount)
{
	atomic_add_relaxed(&mount->nwriters, -1);
	atomic_add_relaxed(&mount->fs->nwriters, -1);
}

/* ---- places ---- */

struct mount_place *mount_place_alloc(void)
{
	struct mount_place *place = kzalloc(sizeof(*place));

	if (place)
		list_init(&place->link);
	return place;
}

static void free_place(struct rcu_head *head)
{
	kfree(container_of(head, struct mount_place, rcu));
}

void mount_place_free(struct mount_place *place)
{
	if (!place)
		return;
	path_put(&place->path);
	rcu_call(&place->rcu, free_place);
}

/* Where in the list of a dentry's mounts what comes to `at` is found only after what stands there.
 */
static struct mount_place **beneath_locked(const struct path *at) REQUIRES(mounts_lock);
static struct mount_place **beneath_locked(const struct path *at)
{
	struct mount *over = mount_at(at->mount, at->dentry);

	return over ? &over->place->next_here : &at->dentry->mounted;
}

/* Its next_here stays until no walk can be on it any more. */
static void unlink_locked(const struct mount_place *place) REQUIRES(mounts_lock);
static void unlink_locked(const struct mount_place *place)
{
	struct mount_place **link = &place->path.dentry->mounted;

	while (*link != place)
		link = &(*link)->next_here;
	rcu_assign(link, place->next_here);
}

struct mount *mount_at(const struct mount *in, const struct dentry *dentry)
{
	struct mount_place *place = dentry->mounted;

	while (place && place->path.mount != in)
		place = place->next_here;
	return place ? place->mount : NULL;
}

bool mount_is_on(const struct dentry *dentry)
{
	const struct mount_tree *tree = vfs_caller_mounts();
	const struct mount_place *place;

	rcu_read_lock();
	place = rcu_dereference(&dentry->mounted);
	while (place && read_once(&place->mount->tree) != tree)
		place = rcu_dereference(&place->next_here);
	rcu_read_unlock();
	return place;
}

struct mount *mount_next_in(struct mount *mount, struct mount *top)
{
	if (!list_empty(&mount->children))
		return list_first_entry(&mount->children, struct mount, sibling);
	while (mount != top) {
		struct mount *parent = mount->place->path.mount;

		if (mount->sibling.next != &parent->children)
			return container_of(mount->sibling.next, struct mount, sibling);
		mount = parent;
	}
	return NULL;
}

uint64_t mount_count_locked(struct mount *top)
{
	uint64_t nmounts = 0;

	for (struct mount *mount = top; mount; mount = mount_next_in(mount, top))
		nmounts++;
	return nmounts;
}

bool mount_is_in(struct mount *mount, const struct mount *above)
{
	while (mount != above && mount->place)
		mount = mount->place->path.mount;
	return mount == above;
}

/* What stands in it is in the tree if it is. */
static void enter_tree_locked(struct mount *top, struct mount_tree *tree) REQUIRES(mounts_lock);
static void enter_tree_locked(struct mount *top, struct mount_tree *tree)
{
	for (struct mount *mount = top; mount; mount = mount_next_in(mount, top)) {
		list_add_tail(&mounts_in_tree, &mount->link);
		write_once(&mount->tree, tree);
		tree->nmounts++;
	}
}

/* At `place`, which `link` is to lead to, wherever it stood. False: the directory was removed
 * meanwhile, perhaps before anybody could see that the mount is there; it must go. */
static bool must_check stand_locked(struct mount *mount, const struct path *at,
				    struct mount_place *place, struct mount_place **link)
	REQUIRES(mounts_lock);
static bool stand_locked(struct mount *mount, const struct path *at, struct mount_place *place,
			 struct mount_place **link)
{
	struct mount_place *before = mount->place;

	place->path = path_get(at);
	place->mount = mount;
	place->next_here = *link;
	rcu_assign(link, place);
	rcu_assign(&mount->place, place); /* here the walks begin to find it */
	if (before) {
		unlink_locked(before);
		list_del(&mount->sibling);
	}
	list_add_tail(&at->mount->children, &mount->sibling);
	memory_barrier(); /* pairs with dentry_set_removed(): one of us sees the other */
	return !read_once(&at->dentry->removed);
}

/* Then walks do not find it; those that did may go on until the end of a grace period. */
static struct mount_place *uncover_locked(struct mount *mount) REQUIRES(mounts_lock);
static struct mount_place *uncover_locked(struct mount *mount)
{
	struct mount_place *place = mount->place;

	unlink_locked(place);
	list_del(&mount->sibling);
	rcu_assign(&mount->place, NULL);
	set_put_slowly(mount, MOUNT_STANDS_NOWHERE);
	return place;
}

err_t mount_attach_locked(struct mount *mount, const struct path *at, struct mount_place *place)
{
	if (!stand_locked(mount, at, place, beneath_locked(at))) {
		(void)uncover_locked(mount);
		rcu_synchronize();
		path_put(&place->path); /* not the last references: the caller has them */
		return -ENOENT;
	}
	(void)mount_get(mount);
	set_put_slowly(mount, 0);
	if (mount_in_tree(at->mount))
		enter_tree_locked(mount, at->mount->tree);
	return 0;
}

struct mount_place *mount_move_locked(struct mount *mount, const struct path *to,
				      struct mount_place *place)
{
	struct mount_place *before = mount->place;

	(void)!stand_locked(mount, to, place, beneath_locked(to)); /* the caller looks */
	return before;
}

struct mount_place *mount_lower_locked(struct mount *over, const struct mount *mount,
				       struct mount_place *place)
{
	struct mount_place *before = over->place;
	const struct path at = mount->place->path;

	(void)!stand_locked(over, &at, place, &at.dentry->mounted); /* removed: as `mount` is */
	return before;
}

void mount_raise_locked(struct mount *over, struct mount *mount, struct mount_place *place)
{
	struct path at = {.mount = mount, .dentry = mount->root};

	path_cross_rcu(&at);
	mount_place_free(mount_move_locked(over, &at, place));
}

static void leave_tree_locked(struct mount *mount) REQUIRES(mounts_lock);
static void leave_tree_locked(struct mount *mount)
{
	list_del(&mount->link);
	if (mount->tree)
		mount->tree->nmounts--;
	write_once(&mount->tree, NULL);
	peers_leave_locked(mount);
}

err_t mount_leave_locked(struct mount *mount, int64_t nusers, struct mount_place **place)
{
	struct path at;

	if (mount_users(mount) > nusers)
		return -EBUSY;
	*place = uncover_locked(mount);
	rcu_synchronize(); /* who has just entered it is among its users */
	if (users_for_sure(mount) > nusers) {
		at = (*place)->path;
		if (stand_locked(mount, &at, *place, beneath_locked(&at))) {
			path_put(&at); /* stand_locked() has taken it again */
			set_put_slowly(mount, 0);
			return -EBUSY;
		}
		path_put(&at);
		(void)uncover_locked(mount); /* it goes with its directory, used or not */
		rcu_synchronize();
	}
	leave_tree_locked(mount);
	return 0;
}

void mount_left(struct mount_place *place)
{
	struct mount *mount = place->mount;

	mount_place_free(place);
	mount_put(mount);
}

void mounts_gather_locked(struct mount *top, struct list *going)
{
	struct mount *mount = top->place ? top : mount_next_in(top, top);

	for (; mount; mount = mount_next_in(mount, top)) {
		list_del(&mount->place->link);
		list_add_head(going, &mount->place->link);
	}
}

/* It is not to be taken off alone, and what it stands in goes as well. */
static bool goes_adrift_locked(const struct mount *mount, const struct mount *top)
	REQUIRES(mounts_lock);
static bool goes_adrift_locked(const struct mount *mount, const struct mount *top)
{
	const struct mount *in = mount->place->path.mount;

	return mount->locked & MOUNT_STAYS &&
	       (in == top || (in->place && list_linked(&in->place->link)));
}

/* The other way round than in a tree: what it stands in keeps it, until nobody has that. */
static void set_adrift_locked(struct mount *mount) REQUIRES(mounts_lock);
static void set_adrift_locked(struct mount *mount)
{
	struct mount *in = mount->place->path.mount;

	if (mount->adrift)
		return;
	mount->adrift = true;
	set_has_adrift(in, true);
	mount_put(in); /* not the last one: who takes it out, or its place, has another */
}

static void end_adrift_locked(struct mount *mount) REQUIRES(mounts_lock);
static void end_adrift_locked(struct mount *mount)
{
	if (mount->adrift)
		(void)mount_get(mount->place->path.mount); /* which mount_place_free() puts */
	mount->adrift = false;
}

void mounts_take_out_locked(struct list *going, const struct mount *top)
{
	struct mount_place *place, *next;

	if (list_empty(going))
		return;
	list_for_each_safe (place, next, going, link) {
		struct mount *mount = place->mount;

		leave_tree_locked(mount);
		if (goes_adrift_locked(mount, top)) {
			list_del(&place->link);
			set_adrift_locked(mount);
		} else {
			end_adrift_locked(mount);
			(void)uncover_locked(mount);
		}
	}
	rcu_synchronize();
}

void mounts_left(struct list *going)
{
	struct mount_place *place, *next;

	list_for_each_safe (place, next, going, link) {
		list_del(&place->link);
		mount_left(place);
	}
}

void mount_dissolve(struct mount *top)
{
	LIST_HEAD(going);

	mutex_lock(&mounts_lock);
	mounts_gather_locked(top, &going);
	peers_leave_locked(top);
	mounts_take_out_locked(&going, mount_is_absolute(top) ? NULL : top);
	mutex_unlock(&mounts_lock);
	mounts_left(&going);
}

/* ---- the first ones ---- */

static err_t nothing_getattr(UNUSED struct server *server, UNUSED struct nodeid node,
			     struct server_attr *out, uint64_t *attr_valid_ns)
{
	*attr_valid_ns = SERVER_VALID_FOREVER;
	*out = (struct server_attr){.ino = 1, .mode = S_IFDIR | 0755, .nlink = 2};
	return 0;
}

/* What the first mount covers: an empty directory, so that even that one stands somewhere. */
static err_t make_absolute(void)
{
	static const struct server_ops ops = {.getattr = nothing_getattr};
	static struct server nothing = {.ops = &ops, .type = "rootfs", .source = "rootfs"};
	struct filesystem *fs;
	err_t err = filesystem_create(&nothing, NULL, &fs);

	if (err)
		return err;
	mount_absolute = mount_alloc(fs, fs->root, MS_RDONLY);
	filesystem_put(fs);
	if (!mount_absolute)
		return -ENOMEM;
	mount_absolute->tree = &mount_tree_first;
	mount_tree_first.absolute = mount_absolute;
	return 0;
}

struct path mount_root(void)
{
	return (struct path){.mount = mount_absolute,
			     .dentry = mount_absolute ? mount_absolute->root : NULL};
}

err_t mount_fresh(struct server *server, const char *source, unsigned flags, struct mount **out)
{
	struct filesystem *fs;
	err_t err = filesystem_create(server, source, &fs);

	if (err) {
		if (server->ops->destroy)
			server->ops->destroy(server);
		return err;
	}
	*out = mount_alloc(fs, fs->root, flags);
	filesystem_put(fs);
	return *out ? 0 : -ENOMEM;
}

err_t mount_create(struct server *server, const struct path *at, unsigned flags)
{
	struct path root;
	struct mount *mount;
	err_t err = mount_absolute ? 0 : make_absolute();

	if (err)
		return err;
	err = mount_fresh(server, NULL, flags, &mount);
	if (err)
		return err;
	root = mount_root();
	err = mount_graft(mount, at ? at : &root, GRAFT_FRESH);
	mount_put(mount);
	return err;
}

struct filesystem *mount_filesystem_of(const struct server *server)
{
	struct filesystem *found = NULL;
	struct mount *mount;

	mutex_lock(&mounts_lock);
	list_for_each (mount, &mounts_in_tree, link) {
		if (mount->fs->server == server) {
			found = filesystem_get(mount->fs);
			break;
		}
	}
	mutex_unlock(&mounts_lock);
	return found;
}

err_t mount_create_hidden(struct server *server, struct path *root)
{
	struct mount *mount;
	err_t err = mount_fresh(server, NULL, 0, &mount);

	if (!err)
		*root = (struct path){.mount = mount, .dentry = dentry_get(mount->root)};
	return err;
}
