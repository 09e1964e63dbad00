/*
 * Mounts: which server stands at which place of the one file tree. The tree of mounts changes under
 * mounts_lock (LOCK_MOUNT); walks cross it without a lock.
 */
#ifndef FUSEK_MOUNT_H
#define FUSEK_MOUNT_H

#include <fusek/path.h>
#include <fusek/server.h>
#include <lib/types.h>

/* Puts `server` over the directory `at` (in the tree from then on for good unless unmounted). The
 * mount owns the server: destroy() is called when it ends; on an error the server stays the
 * caller's. -ENOTDIR: not a directory; -EBUSY: a mount stands there already; the server's own
 * errors when its root is asked for. */
err_t must_check mount_create(struct server *server, const struct path *at);

/* Mounts it where no walk comes, for good; *root is a reference. */
err_t must_check mount_create_hidden(struct server *server, struct path *root);

/* Takes the mount away whose root `at` is; the reference is consumed in any case. -EINVAL: not a
 * mount's root; -EBUSY: open files, working directories or mounts below. */
err_t must_check mount_remove(struct path *at);
/* Takes it, and what is mounted in it, out of the tree at once; what is in use of it goes on until
 * nobody uses it. -EINVAL: not a mount's root. Sleeps. */
err_t must_check mount_detach(const struct path *at);

/* A type of filesystem that mount(2) can make from nothing but its name. */
struct filesystem_type {
	const char *name;
	/* *out is the caller's until it is mounted. -EINVAL: an option of it is not known. */
	err_t (*create)(const char *source, const char *options, struct server **out);
};

/* `type` must live for good. Before programs run. -ENOMEM: too many. */
err_t must_check filesystem_register(const struct filesystem_type *type);
/* The names that mount(2) takes: index 0, 1 ...; NULL: there are no more. */
const char *filesystem_name(unsigned index);

/* mount(2) for user 0: a filesystem of a registered `type`, or "fuse", "fuse.NAME", over the
 * directory `at`. flags: MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, and MS_SYNCHRONOUS, MS_NOATIME,
 * MS_NODIRATIME, MS_RELATIME, MS_SILENT, which change nothing here; others -EINVAL. -ENODEV: no
 * such type. Sleeps. */
err_t must_check mount_by_type(const struct vfs_context *context, const char *source,
			       const char *at, const char *type, unsigned flags,
			       const char *options);
/* umount2(2) for user 0: MNT_DETACH, MNT_FORCE (a driver's requests fail first), UMOUNT_NOFOLLOW.
 */
err_t must_check mount_remove_by_name(const struct vfs_context *context, const char *at,
				      unsigned flags);

/* The root of everything, without a reference: it lives for good. NULL dentry: before fusek_init().
 */
struct path mount_root(void);

#define MOUNT_OPTIONS_BYTES 32

struct mount_info {
	char source[32];
	char type[16];
	char at[128];                      /* path from the root, cut to fit */
	char options[MOUNT_OPTIONS_BYTES]; /* "ro" or "rw", then what it may not */
	uint64_t nnodes;                   /* in the cache */
	struct server_statfs statfs;
};

/* The mounts in the order of their making: index 0, 1 ...; false: there are no more. Sleeps. */
bool mount_info(unsigned index, struct mount_info *out);

/* How full the filesystem of this mount (the minor number of its files' st_dev) is. -EINVAL: there
 * is none; -ENOSYS: it does not tell. Sleeps. */
err_t must_check mount_statfs(uint32_t number, struct server_statfs *out);

/* A line of /proc/mounts. */
struct mount_line {
	uint32_t number, parent;           /* parent 0: the root of everything */
	char options[MOUNT_OPTIONS_BYTES]; /* as above */
	char source[128];
	char type[64];
};

/* The mount with the lowest number above `after` that can be seen from `root`, and in `at` the name
 * that it has from there. False: there is none, or `at` is too small for it. No server is asked.
 * Sleeps. */
bool mount_next(uint32_t after, const struct path *root, struct mount_line *out, char *at,
		size_t at_bytes);

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
/* Evicts names that nobody holds and nobody has used lately, as many as `nframes` frames may hold.
 * 0: what came of it is not known yet. May wait for a server's locks, and asks no driver. */
uint64_t names_reclaim(uint64_t nframes);

/* Mounts the ext2 image at [ramdisk_start, ramdisk_end) as root, devfs on /dev, and tmpfs, seeded
 * with what the image holds there, on /tmp /var /run /root /home /etc as far as the image has these
 * directories. An error has been logged, and named its place. Once, in a thread. */
err_t must_check fusek_init(paddr_t ramdisk_start, paddr_t ramdisk_end);

#endif
