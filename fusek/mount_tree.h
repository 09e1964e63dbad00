/*
 * The tree of mounts from inside. A place in the file tree is a pair of mount and dentry, as one
 * dentry is seen by every mount of its filesystem: struct path. Walks cross from mount to mount
 * under RCU; the tree changes under mounts_lock (LOCK_MOUNT).
 *
 * References to a mount are counted in slots, one for a CPU or some, so that walks on several CPUs
 * do not fight for one cache line. The sum is looked at only when it can be the last one: while a
 * mount stands somewhere its place keeps it, and a put is one subtraction. One that stands nowhere
 * (`put_slowly`) is put under a spinlock, and the last who does so frees it. Whoever takes a mount
 * out of its place lets a grace period pass before the place's reference goes: a walk that has
 * seen it there has its own by then. So a walk's get never fails.
 */
#ifndef FUSEK_MOUNT_TREE_H
#define FUSEK_MOUNT_TREE_H

#include "names.h"

#include <abi/mount.h>
#include <arch/cpu.h>
#include <fusek/mount.h>
#include <fusek/mount_context.h>
#include <sched/lock.h>

#define MOUNT_SLOTS 8

struct mount_slot {
	int64_t count; /* atomic; alone it says nothing: who gets and who puts may be elsewhere */
} CACHE_ALIGNED;

/* Where a mount stands: constant, exchanged as a whole. It counts only while it is the mount's own,
 * so one store moves a mount for all walks. Holds references to what is covered. */
struct mount_place {
	struct path path;              /* [c] what is covered */
	struct mount *mount;           /* [c] what covers it */
	struct mount_place *next_here; /* [r] of those over the same dentry */
	struct list link;              /* [m] of who takes mounts out, or brings them, together */
	struct mount_place *above;     /* [m] of who brings one: for what stands there already */
	struct rcu_head rcu;
};

/* Bits of put_slowly. */
#define MOUNT_STANDS_NOWHERE 1u /* whoever puts it looks whether it was the last one */
#define MOUNT_TO_EXPIRE      2u /* MNT_EXPIRE saw it unused; goes with the next use */

/* In `flags`, beside bits of MS_*: SERVER_OWNER_ONLY. */
#define MOUNT_OWNER_ONLY (1u << 31)
/* In `locked`: it alone is not taken away, nor moved. */
#define MOUNT_STAYS (1u << 30)
#define ATIME_FLAGS (MS_NOATIME | MS_NODIRATIME | MS_RELATIME)
/* What MS_* says of one mount. */
#define MOUNT_FLAGS                                                                                \
	(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOSYMFOLLOW | MS_NOATIME |              \
	 MS_NODIRATIME | MS_RELATIME)

/*
 *   [c] constant
 *   [m] mounts_lock
 *   [r] mounts_lock, read under RCU
 *   [a] atomic
 *   [l] the lock of mount_put_slowly()
 */
struct mount {
	struct filesystem *fs;     /* [c] a reference */
	struct dentry *root;       /* [c] a reference: of the filesystem, or what of it is bound */
	struct mount_place *place; /* [r] NULL: it stands nowhere */
	struct mount_tree *tree;   /* [m], read [a]: that it is in, however deep; NULL: in none */
	struct list link;          /* [m] in a tree: in the order of their coming */
	struct list children;      /* [m] those that stand in it */
	struct list sibling;       /* [m] */
	unsigned flags;            /* [m], read [a]: MOUNT_FLAGS, MS_UNBINDABLE, MOUNT_OWNER_ONLY */
	unsigned put_slowly;       /* [a] */
	uint32_t nwriters;         /* [a] files that are open for writing */
	uint32_t id;               /* [c] */
	bool detached;             /* [m] stands nowhere, and is a descriptor's: mount_detached.c */
	/* [m] it is in no tree, but goes on covering what it covers, and has no reference to what
	 * it stands in: it goes with that */
	bool adrift;
	bool has_adrift;       /* [l] some of `children` are: who puts it last takes them out */
	struct peers *peers;   /* [m] it is one of these (peers.h); NULL: what is mounted in it is
				  its own */
	struct peers *master;  /* [m] it receives what these get; NULL */
	struct list peer_link; /* [m] */
	struct list receiver_link; /* [m] */
	struct mount *copy;        /* [m] of who copies a tree */
	uint32_t copied_from;      /* [m] the id of what this one was, as its tree was copied */
	unsigned flags_before;     /* [m] of who changes a tree's */
	/* [m] what who is not privileged where it comes from may not change: MS_* that stay,
	 * ATIME_FLAGS: these stay as they are; MOUNT_STAYS */
	unsigned locked;
	struct rcu_head rcu;
	struct mount_slot slots[MOUNT_SLOTS];
};

extern struct mutex mounts_lock;
/*
 * The mounts that some programs see, a mount namespace's. Each tree stands on a mount of its own of
 * an empty directory, the same for all, which is always covered, and where no program comes.
 *   [c] constant
 */
struct mount_tree {
	struct mount *absolute; /* [c] a reference */
	uint64_t nmounts;       /* [m] in it, but for that one */
	uint64_t ncoming;       /* [m] of propagation.c */
	/* [m], constant once somebody is in it: whose capabilities it asks for. NULL: the first
	 * user namespace. Its namespace has a reference. */
	struct user_namespace *owner;
};

/* Whose capabilities what is mounted there asks for; borrowed from the tree. */
static inline const struct user_namespace *mount_tree_owner(const struct mount_tree *tree)
{
	return tree->owner ? tree->owner : &user_namespace_first;
}

extern struct list mounts_in_tree; /* mounts_lock: those of all trees, in the order of coming */
/* The root of everything as the kernel sees it: that of the first tree. [c] */
extern struct mount *mount_absolute;

/* ---- references (mount.c) ---- */

static inline int64_t *mount_slot(struct mount *mount)
{
	return &mount->slots[cpu_id() % MOUNT_SLOTS].count;
}

/* The caller holds one, or is in the RCU section in which it saw the mount stand somewhere. */
static inline struct mount *mount_get(struct mount *mount)
{
	atomic_add_relaxed(mount_slot(mount), 1);
	return mount;
}

/* `keep_mark`: this was no use that MNT_EXPIRE would see. */
void mount_put_slowly(struct mount *mount, bool keep_mark);
/* For MNT_EXPIRE; whether it was marked already. */
bool must_check mount_mark_to_expire(struct mount *mount);

/* Sleeps, if the mount stands nowhere. */
static inline void mount_put(struct mount *mount)
{
	rcu_read_lock();
	if (likely(!read_once(&mount->put_slowly))) {
		atomic_add_relaxed(mount_slot(mount), -1);
		rcu_read_unlock();
		return;
	}
	rcu_read_unlock();
	mount_put_slowly(mount, false);
}

/* ---- crossing ---- */

/* From what is covered to what is seen: the root of the topmost mount there. In an RCU section, or
 * under mounts_lock. */
static inline void path_cross_rcu(struct path *at)
{
	const struct mount_place *place;

	while (unlikely(place = rcu_dereference(&at->dentry->mounted))) {
		while (place && !(path_equal(&place->path, at) &&
				  rcu_dereference(&place->mount->place) == place))
			place = rcu_dereference(&place->next_here);
		if (!place)
			return;
		at->mount = place->mount;
		at->dentry = place->mount->root;
	}
}

/* The kernel's own walks begin at the root of everything, under what is mounted there. Likewise. */
static inline void path_enter_rcu(struct path *at)
{
	if (unlikely(at->mount == mount_absolute))
		path_cross_rcu(at);
}

/* SERVER_OWNER_ONLY. */
static inline bool mount_admits(const struct mount *mount, const struct vfs_context *context)
{
	const struct server *server;

	if (likely(!(read_once(&mount->flags) & MOUNT_OWNER_ONLY)))
		return true;
	server = mount->fs->server;
	return context->uid == server->owner_uid && context->gid == server->owner_gid;
}

/* It is below its mount's root: nothing was moved out of what is bound. In an RCU section, or while
 * `at` is held. */
static inline bool path_is_connected(const struct path *at)
{
	return likely(at->mount->root == at->mount->fs->root) ||
	       dentry_is_below(at->dentry, at->mount->root);
}

/* ---- the tree (mount.c) ---- */

/* A mount of `fs` (a reference of its own is taken) that shows `root` (likewise); it stands
 * nowhere. A reference for the caller. NULL: no memory. */
struct mount *mount_alloc(struct filesystem *fs, struct dentry *root, unsigned flags);

/* For attaching: nothing can fail afterwards. NULL: no memory. */
struct mount_place *mount_place_alloc(void);

static inline bool mount_in_tree(const struct mount *mount) REQUIRES(mounts_lock);
static inline bool mount_in_tree(const struct mount *mount)
{
	return mount->tree;
}

static inline bool mount_is_absolute(const struct mount *mount) REQUIRES(mounts_lock);
static inline bool mount_is_absolute(const struct mount *mount)
{
	return mount->tree && mount->tree->absolute == mount;
}

/* It is in the tree of whoever runs, who may change it. */
static inline bool mount_is_callers(const struct mount *mount) REQUIRES(mounts_lock);
static inline bool mount_is_callers(const struct mount *mount)
{
	return mount->tree && mount->tree == vfs_caller_mounts();
}

/* Puts it, and what stands in it, over `at`, under what stands there already; `at` takes a
 * reference of it. Consumes `place` with success. -ENOENT: `at` is removed. */
err_t must_check mount_attach_locked(struct mount *mount, const struct path *at,
				     struct mount_place *place) REQUIRES(mounts_lock);
/* To another place, under what stands there already: each walk sees it here or there. What is left
 * of the old one is for mount_place_free(). If `to` is removed by then, the mount must go. */
struct mount_place *mount_move_locked(struct mount *mount, const struct path *to,
				      struct mount_place *place) REQUIRES(mounts_lock);
/* `over`, which stands on the root of `mount`, comes to its place, over it. Likewise. */
struct mount_place *mount_lower_locked(struct mount *over, const struct mount *mount,
				       struct mount_place *place) REQUIRES(mounts_lock);
/* `over` comes to stand on `mount`, over what does so already. Consumes `place`. */
void mount_raise_locked(struct mount *over, struct mount *mount, struct mount_place *place)
	REQUIRES(mounts_lock);
/* Without the lock (but for one that was moved away from what stays), outside of RCU. Sleeps. Takes
 * NULL. */
void mount_place_free(struct mount_place *place);

/* Something of the caller's tree stands on it, as whatever mount shows it. */
bool mount_is_on(const struct dentry *dentry);
/* What stands at this very place; NULL: nothing. */
struct mount *mount_at(const struct mount *in, const struct dentry *dentry) REQUIRES(mounts_lock);

/* Takes out of its place one mount that nobody but `nusers` holds, its place among them; nobody's
 * peer any more. -EBUSY. */
err_t must_check mount_leave_locked(struct mount *mount, int64_t nusers, struct mount_place **place)
	REQUIRES(mounts_lock);
/* What one mount was, after it has left, without the lock: the place's reference goes. Sleeps. */
void mount_left(struct mount_place *place);

/* Adds `top` and all that stands in it to those that go (their places), unless they are there; each
 * after what stands in it. */
void mounts_gather_locked(struct mount *top, struct list *going) REQUIRES(mounts_lock);
/* All of them leave the tree and their peers, whoever uses them. Those that stay (MOUNT_STAYS) on
 * one that goes too, or on `top`, which stands nowhere, go on covering what they do until nobody
 * uses that: they are in `going` no more. */
void mounts_take_out_locked(struct list *going, const struct mount *top) REQUIRES(mounts_lock);
/* Then, without the lock: the references of their places go. Sleeps. */
void mounts_left(struct list *going);
/* Takes down all that stand in `top`, which is not in the tree: nothing comes into it. It is
 * nobody's peer any more. Sleeps. */
void mount_dissolve(struct mount *top);

/* The next one in `top`'s tree, parents first; NULL: there are no more. */
struct mount *mount_next_in(struct mount *mount, struct mount *top) REQUIRES(mounts_lock);

/* How many there are, `top` and what stands in it. */
uint64_t mount_count_locked(struct mount *top) REQUIRES(mounts_lock);

/* `mount` is `above`, or stands in it however deep. */
bool mount_is_in(struct mount *mount, const struct mount *above) REQUIRES(mounts_lock);

/* About how many references there are. */
int64_t mount_users(const struct mount *mount);

/* ---- copies (mount_copy.c) ---- */

/* What a copy of a mount is to the mount. */
enum mount_relation {
	COPY_IS_ALIKE,  /* of its peers, if it has any, and with its master */
	COPY_RECEIVES,  /* what the mount's peers get */
	COPY_PASSES_ON, /* likewise, and has peers of its own */
	COPY_OF_TREE,   /* alike, and knows whose copy it is; also what is not to be bound */
};
/* Of `from`, showing `root` (`recursive`: with all that stands below that in it), which stands
 * nowhere. *out is a reference, also with an error, or NULL; for mount_discard(). */
err_t must_check mount_copy_locked(struct mount *from, struct dentry *root, bool recursive,
				   enum mount_relation relation, struct mount **out)
	REQUIRES(mounts_lock);
/* What stands in `from`, the absolute mount of a tree, stands in that of another one as well
 * (COPY_OF_TREE). With an error only some of it does. */
err_t must_check mount_copy_tree_locked(struct mount *from, struct mount *copy)
	REQUIRES(mounts_lock);
/* A mount that shows what `from` does (`recursive`: with all mounts in it), and stands nowhere:
 * *out is a reference, to be grafted or for mount_discard(). -EINVAL: not in the tree, or not to
 * be bound. */
err_t must_check mount_copy(const struct path *from, bool recursive, struct mount **out);
/* It may have these of MOUNT_FLAGS. */
bool mount_flags_are_free_locked(const struct mount *mount, unsigned flags) REQUIRES(mounts_lock);
/* What stands in `top` stays as it is, and all but `top` itself where it is. */
void mount_lock_tree_locked(struct mount *top) REQUIRES(mounts_lock);
/* Its mounts go, and the reference. Without the lock. Takes NULL. */
void mount_discard(struct mount *mount);
/* -ENOSPC: there is no room in the tree for so many more mounts. */
err_t must_check mount_check_room_locked(const struct mount_tree *tree, uint64_t nmore)
	REQUIRES(mounts_lock);
/* Something that stays covers something below `root` in the mount. */
bool mount_has_staying_locked(const struct mount *mount, const struct dentry *root)
	REQUIRES(mounts_lock);

/* ---- changes of it, whole (mount_change.c) ---- */

/* A mount of its own for a server, which is the mount's from here on, also on an error: destroy()
 * is called. *out is a reference. */
err_t must_check mount_fresh(struct server *server, const char *source, unsigned flags,
			     struct mount **out);
/* The filesystem of a server that is in the tree; a reference. NULL: it is not. */
struct filesystem *mount_filesystem_of(const struct server *server);
enum graft_flags {
	GRAFT_FRESH = 1 << 0,    /* not over a mount of the same filesystem: -EBUSY */
	GRAFT_DETACHED = 1 << 1, /* it is a descriptor's; then no more. -EINVAL: it is not */
	GRAFT_BENEATH = 1 << 2,  /* under the topmost there. -EINVAL: that cannot be */
};
/* Over what is topmost at `at`. -EINVAL: not in the tree; -ENOTDIR (GRAFT_DETACHED: -EINVAL);
 * -ENOENT; -ENOSPC; -ENOMEM. */
err_t must_check mount_graft(struct mount *mount, const struct path *at, unsigned graft_flags);
err_t must_check mount_bind(const struct path *from, const struct path *at, bool recursive);
/* -EINVAL: not the root of a mount in the tree, or of another kind than `at`; it stands in what is
 * shared, or goes there and has in it what cannot be copied; -ELOOP: into itself. */
err_t must_check mount_move(const struct path *from, const struct path *at, unsigned graft_flags);
err_t must_check mount_pivot(const struct path *root, const struct path *fresh,
			     const struct path *put_old);
/* MOUNT_FLAGS of one mount, or (`recursive`) of all in it. -EBUSY: it shall be read-only, and a
 * file is open for writing; none is changed then. */
err_t must_check mount_set_flags(const struct path *at, unsigned set, unsigned clear,
				 bool recursive);
/* `type`: one of MS_SHARED, MS_PRIVATE, MS_SLAVE, MS_UNBINDABLE, else -EINVAL. -ENOMEM: nothing is
 * changed. */
err_t must_check mount_set_propagation(const struct path *at, unsigned type, bool recursive);
/* Of all mounts of the filesystem. -EBUSY; -EROFS: it can only be read. */
err_t must_check filesystem_set_read_only(struct filesystem *fs, bool read_only);
/* The same of the one whose mount's root `at` is. -EINVAL. */
err_t must_check mount_set_read_only(const struct path *at, bool read_only);
/* -EINVAL: it is no mount's root, or that of a mount which is not in the caller's tree. Sleeps. */
err_t must_check mount_check_root(const struct path *at);
/* What mount(2) takes as options, again. -EINVAL: it takes none. */
err_t must_check filesystem_reconfigure(struct filesystem *fs, const char *options);
/* MNT_EXPIRE; the reference is consumed. -EAGAIN: marked now, to go the next time. */
err_t must_check mount_expire(struct path *at);

/* ---- those that are a descriptor's (mount_detached.c) ---- */

/* An object for a mount that stands nowhere, whose reference it takes over, also on an error. */
err_t must_check mount_open_detached(struct mount *mount, struct object **out);
/* The last descriptor of that object is closed. Sleeps. */
void mount_abandon(struct mount *mount);

/* ---- filesystems by name (filesystems.c) ---- */

bool filesystem_type_exists(const char *type);
/* Whose a new one would be; borrowed. */
struct user_namespace *filesystem_owner(const char *type);
/* There is one of it, which all mounts show. */
bool filesystem_is_shared(const char *type);
/* One "key" or "key=value". -EINVAL: the type does not know it. */
err_t must_check filesystem_check_option(const char *type, const char *option);
/* What a mount shows: a new one, or the one that there is of its kind. *out is a reference. A
 * source that is a name is `context`'s. -ENODEV: no such type; else the type's own errors. */
err_t must_check filesystem_for_mount(const struct vfs_context *context, const char *type,
				      const char *source, const char *options, bool read_only,
				      struct filesystem **out);

/* ---- who may change ---- */

/* What is asked of a mount, and what its server asks for anyway. */
unsigned mount_flags_of(const struct server *server, unsigned flags);

/* -EROFS: the mount, or all of the filesystem, takes no changes. */
static inline err_t must_check path_may_change(const struct path *path)
{
	return unlikely(read_once(&path->mount->flags) & MS_RDONLY) ||
			       unlikely(read_once(&path->mount->fs->server->flags) &
					SERVER_READ_ONLY)
		       ? -EROFS
		       : 0;
}

/* Around the time that a file is open for writing. -EROFS. */
err_t must_check mount_write_begin(const struct path *path);
void mount_write_end(struct mount *mount);

#endif
