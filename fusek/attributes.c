/*
 * Attributes by name: stat, access, chmod, chown, utimens, truncate, statfs; and where an *at call
 * starts. No state, no locks.
 */
#include <fusek/file.h>
#include <ipc/user_namespace.h>

#include "lease.h"
#include "mount_tree.h"
#include "notify.h"
#include "open_file.h"
#include "pages.h"
#include "walk.h"

#define AT_STAT_FLAGS (AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_SYNC_TYPE)

err_t vfs_start(const struct vfs_context *context, struct object *at, const char *name,
		struct path *out)
{
	*out = context->cwd;
	if (!at || *name == '/')
		return 0;
	*out = file_path(at);
	return path_is_none(out) ? -ENOTDIR : 0;
}

static err_t resolve_told(const struct vfs_context *context, struct object *at, const char *name,
			  unsigned at_flags, unsigned walk_flags, struct path_told *told,
			  struct path *out)
{
	struct path start;
	err_t err = vfs_start(context, at, name, &start);

	if (err)
		return err;
	if (at_flags & AT_EMPTY_PATH)
		walk_flags |= WALK_EMPTY;
	return path_walk_told(context, &start, name, walk_flags, told, out);
}

err_t vfs_resolve(const struct vfs_context *context, struct object *at, const char *name,
		  unsigned at_flags, unsigned walk_flags, struct path *out)
{
	return resolve_told(context, at, name, at_flags, walk_flags, NULL, out);
}

static unsigned follow_unless(unsigned at_flags)
{
	return (at_flags & AT_SYMLINK_NOFOLLOW) ? 0 : WALK_FOLLOW;
}

err_t vfs_place(const struct vfs_context *context, struct object *at, const char *name,
		unsigned at_flags, struct path *out)
{
	return vfs_resolve(context, at, name, at_flags, follow_unless(at_flags), out);
}

/* ---- reading them ---- */

/* By what the walk was told; a mode of 0: nothing. */
static NOINLINE err_t stat_told(struct node *node, struct server_attr *attr, struct abi_stat *out)
{
	err_t err = 0;

	if ((attr->mode & S_IFMT) != node_type(node)) /* nothing was told */
		err = node_attr(node, attr);
	else
		node_attr_ours(node, attr);
	if (!err)
		vfs_fill_stat(node, attr, out);
	return err;
}

err_t vfs_stat(const struct vfs_context *context, struct object *at, const char *name,
	       unsigned at_flags, struct abi_stat *out)
{
	struct path_told told;
	struct path path;
	err_t err;

	if (at_flags & ~AT_STAT_FLAGS)
		return -EINVAL;
	/* fstat of anything: a pipe is no place in the tree. */
	if ((at_flags & AT_EMPTY_PATH) && at && !*name)
		return object_stat(at, out);
	told.stat = out;
	err = resolve_told(context, at, name, at_flags, follow_unless(at_flags), &told, &path);
	if (err || path_is_none(&path))
		return err;
	err = stat_told(path.dentry->node, &told.attr, out);
	path_put(&path);
	return err;
}

err_t vfs_details(const struct vfs_context *context, struct object *at, const char *name,
		  unsigned at_flags, struct vfs_details *out)
{
	struct server *server;
	struct path path;
	err_t err;

	if (at_flags & ~AT_STAT_FLAGS)
		return -EINVAL;
	err = vfs_resolve(context, at, name, at_flags, follow_unless(at_flags), &path);
	if (err)
		return err;
	server = node_server(path.dentry->node);
	*out = (struct vfs_details){.is_mount_root = path_is_mount_root(&path),
				    .mount_id = mount_id(&path)};
	out->no_birth = server->ops->birth
				? server->ops->birth(server, path.dentry->node->id, &out->birth)
				: -ENOSYS;
	path_put(&path);
	return 0;
}

err_t path_access(const struct path *path, const struct vfs_context *context, unsigned mask)
{
	struct node *node = path->dentry->node;
	struct server *server = node_server(node);
	struct server_caller caller = server_caller_of(context);
	err_t err = node_may(node, context, mask);

	if (!err && (mask & X_OK) && node_type(node) == S_IFREG &&
	    (read_once(&path->mount->flags) & MS_NOEXEC))
		err = -EACCES;
	if (err || !mask || !node_is_checked_by_server(node) || !server->ops->access)
		return err;
	return server->ops->access(server, &caller, node->id, mask);
}

err_t vfs_access(const struct vfs_context *context, struct object *at, const char *name,
		 unsigned mask, unsigned at_flags)
{
	struct server_attr attr;
	struct path path;
	err_t err;

	if ((mask & ~(R_OK | W_OK | X_OK)) ||
	    (at_flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)))
		return -EINVAL;
	err = vfs_resolve(context, at, name, at_flags, follow_unless(at_flags), &path);
	if (err)
		return err;
	err = node_attr(path.dentry->node, &attr);
	if (!err)
		err = path_access(&path, context, mask);
	/* Devices, pipes and sockets take writes on a read-only mount too. */
	if (!err && (mask & W_OK) &&
	    (S_ISREG(attr.mode) || S_ISDIR(attr.mode) || S_ISLNK(attr.mode)))
		err = path_may_change(&path);
	path_put(&path);
	return err;
}

static int64_t statfs_flags(const struct path *path)
{
	unsigned flags = read_once(&path->mount->flags);

	return (path_may_change(path) ? ST_RDONLY : 0) | (flags & MS_NOSUID ? ST_NOSUID : 0) |
	       (flags & MS_NODEV ? ST_NODEV : 0) | (flags & MS_NOEXEC ? ST_NOEXEC : 0) |
	       (flags & MS_NOATIME ? ST_NOATIME : 0) | (flags & MS_NODIRATIME ? ST_NODIRATIME : 0) |
	       (flags & MS_RELATIME ? ST_RELATIME : 0) |
	       (flags & MS_NOSYMFOLLOW ? ST_NOSYMFOLLOW : 0) | ST_VALID;
}

err_t vfs_statfs(const struct vfs_context *context, struct object *at, const char *name,
		 unsigned at_flags, struct abi_statfs *out)
{
	struct server_statfs stats = {0};
	struct server *server;
	struct path path;
	err_t err;

	if (at_flags & ~AT_EMPTY_PATH)
		return -EINVAL;
	err = vfs_resolve(context, at, name, at_flags, WALK_FOLLOW, &path);
	if (err)
		return err;
	server = node_server(path.dentry->node);
	err = server->ops->statfs ? server->ops->statfs(server, &stats) : -ENOSYS;
	if (!err)
		*out = (struct abi_statfs){
			.f_type = (int64_t)stats.magic,
			.f_bsize = stats.block_bytes,
			.f_blocks = stats.blocks,
			.f_bfree = stats.blocks_free,
			.f_bavail = stats.blocks_available,
			.f_files = stats.files,
			.f_ffree = stats.files_free,
			.f_fsid = {(int32_t)path.dentry->fs->number, 0},
			.f_namelen = stats.name_bytes,
			.f_frsize = stats.block_bytes,
			.f_flags = statfs_flags(&path),
		};
	path_put(&path);
	return err;
}

/* ---- changing them ---- */

/* RLIMIT_FSIZE, for a file that grows. */
static err_t check_size(struct node *node, uint64_t size_bytes)
{
	struct server_attr attr;
	err_t err;

	if (likely(size_bytes <= file_limit_bytes()))
		return 0;
	err = node_attr(node, &attr);
	if (err || size_bytes <= attr.size_bytes)
		return err;
	file_limit_met();
	return -EFBIG;
}

/* Of a mode, the bits that go when somebody changes the contents. */
static uint32_t ids_to_drop(uint32_t mode)
{
	return (mode & S_ISUID) | (mode & 010 ? mode & S_ISGID : 0);
}

bool node_ids_go(const struct node *node, uint32_t mode)
{
	return node_type(node) == S_IFREG && ids_to_drop(mode) &&
	       !(server_caller_capabilities(NULL) & CAP_BIT(CAP_FSETID));
}

/* What `context` changes the contents of does not run as somebody else any more: *set gets the mode
 * that is left, unless it stays. */
static err_t add_drop_ids(struct node *node, const struct vfs_context *context,
			  struct server_setattr *set)
{
	struct server_attr attr;
	err_t err;

	if (likely(!(read_once(&node->attr.mode) & MODE_ID_BITS)) || node_type(node) != S_IFREG ||
	    read_once(&node_server(node)->agreed) & SERVER_DROPS_IDS ||
	    vfs_capable(context, CAP_FSETID))
		return 0;
	err = node_attr(node, &attr);
	if (err || !ids_to_drop(attr.mode))
		return err;
	set->valid |= SETATTR_MODE;
	set->mode = attr.mode & 07777 & ~ids_to_drop(attr.mode);
	return 0;
}

err_t file_drop_ids_slowly(struct file *file)
{
	const struct vfs_context context = vfs_caller_context();
	struct server_setattr set = {0};
	err_t err = add_drop_ids(file->node, &context, &set);

	if (err || !set.valid)
		return err;
	err = node_setattr(file->node, &context, &set);
	if (!err)
		notify(file->dentry, IN_ATTRIB);
	return err;
}

static err_t ask_setattr(struct node *node, const struct server_caller *caller,
			 const struct server_setattr *set)
{
	struct server *server = node_server(node);
	uint64_t valid_ns, version = filesystem_attr_version(node->fs);
	struct server_attr attr;
	err_t err = server->ops->setattr(server, caller, node->id, set, &attr, &valid_ns);

	if (err)
		return err;
	/* Two changes at once, and nobody knows whose answer is the last: asks again, now, as walks
	 * read the mode without looking how old it is. The change is done in any case. */
	node_attr_set(node, set, &attr);
	if (!node_attr_changed_to(node, &attr, valid_ns, version))
		(void)!node_attr(node, &attr);
	/* After that: what was asked for before is of an older version, and not kept. */
	if (set->valid & SETATTR_MODE || server->flags & SERVER_MODES_EXPIRE)
		node_forget_acl(node);
	return 0;
}

err_t node_setattr(struct node *node, const struct vfs_context *context,
		   const struct server_setattr *set)
{
	struct server *server = node_server(node);
	struct server_caller caller = server_caller_of(context);
	struct server_setattr all = *set;
	uint64_t size_bytes;
	err_t err;

	if (!server->ops->setattr)
		return -EPERM;
	if (set->valid & SETATTR_SIZE) {
		if (read_once(&server->agreed) & SERVER_IS_TOLD_IDS &&
		    !vfs_capable(context, CAP_FSETID))
			all.valid |= SETATTR_KILL_IDS;
		err = check_size(node, set->size_bytes);
		if (!err)
			err = add_drop_ids(node, context, &all);
		if (!err && server->ops->write_back)
			err = node_pages_freeze(node);
		if (err)
			return err;
	}
	size_bytes = read_once(&node->attr.size_bytes);
	err = ask_setattr(node, &caller, &all);
	if (!err && set->valid & SETATTR_SIZE && node_is_ahead(node) &&
	    set->size_bytes > size_bytes)
		node_pages_clear_tail(node, size_bytes);
	if (set->valid & SETATTR_SIZE) {
		if (!err)
			node_pages_resize(node, set->size_bytes);
		if (server->ops->write_back)
			node_pages_thaw(node);
	}
	return err == -ENOSYS ? -EPERM : err;
}

/* As Linux: a time alone is what usually changes it. */
static uint32_t change_events(const struct server_setattr *set)
{
	bool atime = set->valid & SETATTR_ATIME || set->valid & SETATTR_ATIME_NOW;
	bool mtime = set->valid & SETATTR_MTIME || set->valid & SETATTR_MTIME_NOW;
	uint32_t events = 0;

	if (set->valid & (SETATTR_MODE | SETATTR_UID | SETATTR_GID) || (atime && mtime))
		events |= IN_ATTRIB;
	else if (atime)
		events |= IN_ACCESS;
	else if (mtime)
		events |= IN_MODIFY;
	if (set->valid & SETATTR_SIZE)
		events |= IN_MODIFY;
	return events;
}

/* A change by name. */
static err_t setattr_told(const struct path *path, const struct vfs_context *context,
			  const struct server_setattr *set)
{
	err_t err = mount_write_begin(path);

	if (err)
		return err;
	err = node_setattr(path->dentry->node, context, set);
	mount_write_end(path->mount);
	if (!err)
		notify(path->dentry, change_events(set));
	return err;
}

static bool owns(const struct vfs_context *context, const struct server_attr *attr)
{
	return context->uid == attr->uid ||
	       vfs_capable_of_ids(context, attr->uid, attr->gid, CAP_FOWNER);
}

/* Finds the node and its attributes for a change; *out is a reference on success. */
static err_t find_for_change(const struct vfs_context *context, struct object *at, const char *name,
			     unsigned at_flags, struct path *out, struct server_attr *attr)
{
	err_t err;

	if (at_flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	err = vfs_resolve(context, at, name, at_flags, follow_unless(at_flags), out);
	if (err)
		return err;
	err = node_attr(out->dentry->node, attr);
	if (!err)
		err = path_may_change(out);
	if (err)
		path_put(out);
	return err;
}

err_t vfs_chmod(const struct vfs_context *context, struct object *at, const char *name,
		uint32_t mode, unsigned at_flags)
{
	struct server_setattr set = {.valid = SETATTR_MODE, .mode = mode & 07777};
	struct server_attr attr;
	struct path path;
	err_t err = find_for_change(context, at, name, at_flags, &path, &attr);

	if (err)
		return err;
	if (S_ISLNK(attr.mode))
		err = -EOPNOTSUPP; /* links have no mode of their own, as on Linux */
	else if (!owns(context, &attr))
		err = -EPERM;
	/* A group that one is not in gets no program that runs as it. */
	if (!vfs_in_group(context, attr.gid) &&
	    !vfs_capable_of_ids(context, attr.uid, attr.gid, CAP_FSETID))
		set.mode &= ~S_ISGID;
	if (!err)
		err = setattr_told(&path, context, &set);
	path_put(&path);
	return err;
}

err_t vfs_chown(const struct vfs_context *context, struct object *at, const char *name,
		uint32_t uid, uint32_t gid, unsigned at_flags)
{
	struct server_setattr set = {.uid = uid, .gid = gid};
	struct server_attr attr;
	unsigned agreed;
	struct path path;
	err_t err = find_for_change(context, at, name, at_flags, &path, &attr);

	if (err)
		return err;
	if (uid != UINT32_MAX)
		set.valid |= SETATTR_UID;
	if (gid != UINT32_MAX)
		set.valid |= SETATTR_GID;
	if (!vfs_capable_of_ids(context, attr.uid, attr.gid, CAP_CHOWN) &&
	    ((uid != UINT32_MAX && uid != attr.uid) || context->uid != attr.uid ||
	     (gid != UINT32_MAX && gid != attr.gid && !vfs_in_group(context, gid))))
		err = -EPERM;
	agreed = read_once(&node_server(path.dentry->node)->agreed);
	/* Who gets it must not get a program that runs as the old owner. */
	if (!S_ISDIR(attr.mode) && set.valid && agreed & SERVER_DROPS_IDS) {
		if (agreed & SERVER_IS_TOLD_IDS)
			set.valid |= SETATTR_KILL_IDS;
	} else if (!S_ISDIR(attr.mode) && set.valid && (attr.mode & (S_ISUID | S_ISGID))) {
		set.valid |= SETATTR_MODE;
		set.mode = attr.mode & 07777 & ~S_ISUID;
		if (attr.mode & 010)
			set.mode &= ~S_ISGID;
	}
	if (!err && set.valid)
		err = setattr_told(&path, context, &set);
	path_put(&path);
	return err;
}

static bool time_ok(const struct abi_timespec *time)
{
	return time->tv_nsec == UTIME_NOW || time->tv_nsec == UTIME_OMIT ||
	       (time->tv_nsec >= 0 && time->tv_nsec < (int64_t)NSEC_PER_SEC);
}

static unsigned time_valid(const struct abi_timespec *time, unsigned given, unsigned now)
{
	if (time->tv_nsec == UTIME_OMIT)
		return 0;
	return time->tv_nsec == UTIME_NOW ? given | now : given;
}

err_t vfs_utimens(const struct vfs_context *context, struct object *at, const char *name,
		  const struct abi_timespec *times, unsigned at_flags)
{
	static const struct abi_timespec both_now[2] = {{.tv_nsec = UTIME_NOW},
							{.tv_nsec = UTIME_NOW}};
	struct server_setattr set;
	struct server_attr attr;
	struct path path;
	bool now;
	err_t err;

	if (!times)
		times = both_now;
	if (!time_ok(&times[0]) || !time_ok(&times[1]))
		return -EINVAL;
	set = (struct server_setattr){
		.valid = time_valid(&times[0], SETATTR_ATIME, SETATTR_ATIME_NOW) |
			 time_valid(&times[1], SETATTR_MTIME, SETATTR_MTIME_NOW),
		.atime = times[0],
		.mtime = times[1]};
	err = find_for_change(context, at, name, at_flags, &path, &attr);
	if (err)
		return err;
	/* Both to now: whoever may write. Anything else: the owner. */
	now = times[0].tv_nsec == UTIME_NOW && times[1].tv_nsec == UTIME_NOW;
	if (set.valid && !owns(context, &attr))
		err = now ? node_may(path.dentry->node, context, W_OK) : -EPERM;
	if (!err && set.valid)
		err = setattr_told(&path, context, &set);
	path_put(&path);
	return err;
}

err_t vfs_truncate(const struct vfs_context *context, const char *name, uint64_t size_bytes)
{
	const struct server_setattr set = {.valid = SETATTR_SIZE, .size_bytes = size_bytes};
	struct server_attr attr;
	struct path path;
	err_t err;

	if (size_bytes > INT64_MAX)
		return -EINVAL;
	err = vfs_resolve(context, NULL, name, 0, WALK_FOLLOW, &path);
	if (err)
		return err;
	err = node_attr(path.dentry->node, &attr);
	if (!err && S_ISDIR(attr.mode))
		err = -EISDIR;
	else if (!err && !S_ISREG(attr.mode))
		err = -EINVAL;
	if (!err)
		err = node_may(path.dentry->node, context, W_OK);
	if (!err)
		err = lease_write_begin(path.dentry->node, true);
	if (!err) {
		err = setattr_told(&path, context, &set);
		lease_write_end(path.dentry->node);
	}
	path_put(&path);
	return err;
}

/* ---- how long it will live ---- */

err_t file_write_hint(struct object *object, uint64_t *hint)
{
	if (object->ops != &file_ops)
		return -EINVAL;
	*hint = read_once(&file_of(object)->node->write_hint);
	return 0;
}

err_t file_set_write_hint(struct object *object, const struct vfs_context *context, uint64_t hint)
{
	struct node *node;
	err_t err;

	if (object->ops != &file_ops)
		return -EINVAL;
	node = file_of(object)->node;
	err = node_may_own(node, context, CAP_FOWNER);
	if (err)
		return err;
	if (hint > RWH_WRITE_LIFE_EXTREME)
		return -EINVAL;
	write_once(&node->write_hint, (uint8_t)hint);
	return 0;
}
