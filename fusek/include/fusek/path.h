/*
 * Places in the file tree, and the walk from a path name to one.
 *
 * A walk whose names are all in the cache takes no lock and asks no server: it runs under RCU and
 * takes one reference at its end. Whatever it lacks (a name, a symbolic link's target, fresh
 * attributes) sends it the long way, component by component with references, which may ask servers
 * and sleep.
 */
#ifndef FUSEK_PATH_H
#define FUSEK_PATH_H

#include <abi/capability.h>
#include <abi/errno.h>
#include <abi/fcntl.h>
#include <abi/stat.h>
#include <lib/refcount.h>
#include <lib/types.h>

struct dentry;
struct mount;
struct node;
struct user_namespace;

/* A place: a name as one of the mounts of its filesystem shows it. Whoever keeps one holds a
 * reference to both. Neither or both are NULL. */
struct path {
	struct mount *mount;
	struct dentry *dentry;
};

/* The supplementary groups of a thread: constant, shared by its copies. */
struct vfs_groups {
	struct refcount references;
	uint32_t count;
	uint32_t gids[]; /* ascending */
};

/* Who walks, and from where. The owner keeps the references of both places and of
 * the groups. */
struct vfs_context {
	struct path root;
	struct path cwd;
	uint32_t uid;
	uint32_t gid;
	uint64_t capabilities;     /* effective ones over all that there is, as bits */
	uint64_t own_capabilities; /* over what is `user`'s; the same in the first namespace */
	/* Constant while `root` is; the thread's process keeps it. */
	const struct user_namespace *user;
	struct vfs_groups *groups; /* beside gid; NULL: none */
	uint32_t umask;
	int32_t pid; /* shown to drivers; 0: the kernel */
	/* RESOLVE_*, of openat2 alone; with BENEATH and IN_ROOT `root` is where the name starts. */
	uint32_t resolve;
};

#define CAP_BIT(number)  (UINT64_C(1) << (number))
#define CAPABILITIES_ALL (CAP_BIT(CAP_LAST_CAP + 1) - 1)

static inline bool vfs_capable(const struct vfs_context *context, unsigned capability)
{
	return (context->capabilities & CAP_BIT(capability)) != 0;
}

/* Over what belongs to `over`, as user_namespace_caller_capable(). */
bool vfs_capable_in(const struct vfs_context *context, const struct user_namespace *over,
		    unsigned capability);
/* Over a file with these owners: also whoever has it in his namespace, which has names for both. */
bool vfs_capable_of_ids(const struct vfs_context *context, uint32_t uid, uint32_t gid,
			unsigned capability);

/* The kernel's own: user 0 with all capabilities, the root, umask 022. Without references: the root
 * lives for good. */
struct vfs_context vfs_kernel_context(void);
/* The same with the ids and the capabilities of the program that runs: for what it does with files
 * that are open. */
struct vfs_context vfs_caller_context(void);

/* gid, or one of the others. */
bool vfs_in_group(const struct vfs_context *context, uint32_t gid);

struct path path_get(const struct path *path);
/* May sleep. Takes one without a dentry. */
void path_put(struct path *path);

static inline bool path_is_none(const struct path *path)
{
	return !path->dentry;
}

static inline bool path_equal(const struct path *a, const struct path *b)
{
	return a->dentry == b->dentry && a->mount == b->mount;
}

/* The same for two names of one thing, and never for two things while somebody has a reference. */
const void *path_identity(const struct path *path);

enum walk_flags {
	WALK_FOLLOW = 1 << 0,    /* a symbolic link at the end is followed */
	WALK_DIRECTORY = 1 << 1, /* the end must be a directory */
	WALK_EMPTY = 1 << 2,     /* AT_EMPTY_PATH */
	WALK_ANY_MOUNT = 1 << 3, /* it may be the root of a mount that does not let in who asks */
};

/* *out is what `name` means, a reference for the caller; it exists. `from` NULL: the working
 * directory. -ENOENT, -ENOTDIR, -EACCES, -ELOOP, -ENAMETOOLONG, -EIO, -EINTR (killed), -ENOMEM;
 * for context->resolve -EXDEV, -ELOOP, -EAGAIN. */
err_t must_check path_walk(const struct vfs_context *context, const struct path *from,
			   const char *name, unsigned walk_flags, struct path *out);

/* The absolute name of `path` as seen from `root`, for messages; " (deleted)" is put behind what
 * has no name any more. The length with the NUL; -ERANGE: it does not fit. */
ssize_t must_check path_name(const struct path *root, const struct path *path, char *to,
			     size_t to_bytes);
/* The same for programs, who will use the name; -ENOENT: removed, or not below root. */
ssize_t must_check path_getcwd(const struct path *root, const struct path *path, char *to,
			       size_t to_bytes);
/* The same of what may have been removed: where it is shown, as a mount's root. */
ssize_t must_check path_place(const struct path *root, const struct path *path, char *to,
			      size_t to_bytes);

#endif
