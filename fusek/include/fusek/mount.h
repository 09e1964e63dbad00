/*
 * Mounts: which server stands at which place of the one file tree. The tree of mounts changes under
 * mounts_lock (LOCK_MOUNT); walks cross it without a lock.
 */
#ifndef FUSEK_MOUNT_H
#define FUSEK_MOUNT_H

#include <fusek/path.h>
#include <fusek/server.h>
#include <lib/types.h>

/* Puts `server` over `at`, NULL: over everything, as the first one. `flags`: MS_* of a mount. The
 * server is the mount's, whatever comes of it: destroy() is called when it ends, or in the end of
 * an error. -ENOTDIR: its root or `at` is a directory, the other is not; the server's own errors
 * when its root is asked for. Sleeps. */
err_t must_check mount_create(struct server *server, const struct path *at, unsigned flags);

/* Mounts it where no walk comes, for good; *root is a reference. */
err_t must_check mount_create_hidden(struct server *server, struct path *root);

/* Takes the mount away whose root `at` is; the reference is consumed in any case. -EINVAL: not a
 * mount's root; -EBUSY: open files, working directories or mounts below. Sleeps. */
err_t must_check mount_remove(struct path *at);
/* Takes it, and what is mounted in it, out of the tree at once; what is in use of it goes on until
 * nobody uses it. -EINVAL: not a mount's root. Sleeps. */
err_t must_check mount_detach(const struct path *at);

struct user_namespace;

/* A type of filesystem that mount(2) can make from nothing but its name. */
struct filesystem_type {
	const char *name;
	/* *out is the caller's until it is mounted. -EINVAL: an option of it is not known. */
	err_t (*create)(const char *source, const char *options, struct server **out);
	/* One option alone; -EINVAL: it is not known. NULL: there are none. */
	err_t (*check)(const char *option);
	/* Whose a new one is; borrowed. NULL: the first user namespace's. */
	struct user_namespace *(*owner)(void);
};

/* `type` must live for good. Before programs run. -ENOMEM: too many. */
err_t must_check filesystem_register(const struct filesystem_type *type);
/* The names that mount(2) takes: index 0, 1 ...; NULL: there are no more. */
const char *filesystem_name(unsigned index);
/* What is mounted of this type lies on a device. */
bool filesystem_needs_device(const char *type);

/* mount(2). `flags` that say nothing here (MS_SYNCHRONOUS ...) are taken, unknown ones -EINVAL. For
 * a new mount `type` is a registered one, or "fuse",
 * "fuse.NAME". Sleeps. */
err_t must_check vfs_mount(const struct vfs_context *context, const char *source, const char *at,
			   const char *type, unsigned flags, const char *options);
/* umount2(2): MNT_DETACH, MNT_FORCE (a driver's requests fail first), MNT_EXPIRE, UMOUNT_NOFOLLOW.
 * Sleeps. */
err_t must_check vfs_umount(const struct vfs_context *context, const char *at, unsigned flags);
/* Who asks may change what is mounted where in his tree. */
bool vfs_may_mount(const struct vfs_context *context);
/* pivot_root(2). Sleeps. */
err_t must_check vfs_pivot_root(const struct vfs_context *context, const char *new_root,
				const char *put_old);
/* Hook of kernel/: whoever has `old` as root or working directory has `fresh` from now on. */
void vfs_replace_root(const struct path *old, const struct path *fresh);

/* ---- trees of mounts: what is mounted where, as some programs see it (mount_trees.c) ---- */

struct mount_tree;
extern struct mount_tree
	mount_tree_first; /* the kernel's own, of those who have left it for none */
/* Another one, in which all is mounted as in `from`: it gets what comes to shared mounts there.
 * -ENOSPC, -ENOMEM. Sleeps. */
err_t must_check mount_tree_copy(struct mount_tree *from, struct mount_tree **out);
/* A copy that nobody is in yet is for those of another user namespace: what it was copied with
 * stays as it is and where it is, and what comes there is not passed on. The tree borrows `owner`.
 */
void mount_tree_confine(struct mount_tree *tree, struct user_namespace *owner);
/* Nobody's any more: all of it is taken down. What is still in use of it goes on until nobody uses
 * it. Sleeps. */
void mount_tree_free(struct mount_tree *tree);
/* Its topmost root; a reference. */
struct path mount_tree_root(struct mount_tree *tree);
/* `path`, a reference, becomes the same place in `copy`, if that has what it is in. Sleeps. */
void mount_tree_follow(const struct mount_tree *copy, struct path *path);
/* Hook of kernel/: the tree of whoever runs. Its namespace keeps it. */
struct mount_tree *vfs_caller_mounts(void);

/* The root of everything, without a reference: it lives for good. NULL dentry: before fusek_init().
 */
struct path mount_root(void);

#define MOUNT_OPTIONS_BYTES 96

struct mount_info {
	char source[32];
	char type[16];
	char at[128];                      /* path from the root, cut to fit */
	char options[MOUNT_OPTIONS_BYTES]; /* "ro" or "rw", then what it may not */
	uint64_t nnodes;                   /* in the cache */
	uint32_t fs_number;                /* of st_dev */
	struct server_statfs statfs;
};

/* The mounts in the order of their making: index 0, 1 ...; false: there are no more. Sleeps. */
bool mount_info(unsigned index, struct mount_info *out);

/* How full the filesystem of this number (the minor one of its files' st_dev) is. -EINVAL: there is
 * none; -ENOSYS: it does not tell. Sleeps. */
err_t must_check mount_statfs(uint32_t fs_number, struct server_statfs *out);

/* A line of /proc/mounts. */
struct mount_line {
	uint32_t id, parent_id;               /* parent 0: in no tree */
	uint32_t fs_number;                   /* of st_dev */
	bool read_only;                       /* the mount, or all of the filesystem */
	char options[MOUNT_OPTIONS_BYTES];    /* of the mount */
	char fs_options[MOUNT_OPTIONS_BYTES]; /* of the filesystem */
	bool unbindable;
	uint32_t peers_id, master_id; /* 0: none; whom it shares with, and receives of */
	char source[128];
	char type[64];
};

/* The names of a mount's place, and of what it shows within its filesystem. */
struct mount_names {
	char at[PATH_MAX];
	char root[PATH_MAX];
};

/* The mount with the lowest id above `after` that can be seen from `root`. Mounts with longer names
 * are left out. False: there is none. No server is asked. Sleeps. */
bool mount_next(uint32_t after, const struct path *root, struct mount_line *out,
		struct mount_names *names);

/* The id of the mount that `path` is in. */
uint32_t mount_id(const struct path *path);
/* It is the root of its mount. */
bool path_is_mount_root(const struct path *path);

/* What the name cache holds and how it fares, for ksh. */
struct names_stats {
	uint64_t ndentries, nnegative, nnodes;
	uint64_t nwalks, nwalks_fast; /* whole walks; those that found everything in the cache */
	uint64_t nlookups;            /* asked of servers */
};
void names_stats(struct names_stats *out);

/* Empties the name cache of all that nobody uses: before memory is counted, or when it is short.
 * Sleeps. */
void names_evict(void);
/* The same of pages that nobody needs and that are as their servers have them. */
void page_caches_drop(void);
/* Evicts names that nobody holds and nobody has used lately, as many as `nframes` frames may hold.
 * 0: what came of it is not known yet. May wait for a server's locks, and asks no driver. */
uint64_t names_reclaim(uint64_t nframes);

/* Mounts the ext2 image at [ramdisk_start, ramdisk_end) as root, devfs on /dev, and tmpfs, seeded
 * with what the image holds there, on /tmp /var /run /root /home /etc as far as the image has these
 * directories. An error has been logged, and named its place. Once, in a thread. */
err_t must_check fusek_init(paddr_t ramdisk_start, paddr_t ramdisk_end);

#endif
